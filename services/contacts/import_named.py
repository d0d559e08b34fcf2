"""Finds the contacts that records name as tied to theirs."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from services.contacts.import_records import Rehearsal, unfinished
from services.contacts.import_spool import Pending
from shared import queries
from shared.caller import parse_uuid
from shared.contact_ties import Relation
from shared.database import Transaction

QUERIES = queries.load(Path(__file__).parent / "queries")

# Stands for a contact that a dry run would have made.
COMING = uuid.UUID(int=0)


@dataclass
class Named:
    """The contacts of some records, and those that their ties name.

    open: those that may be tied; held until the transaction ends, but in a dry run.
    """

    open: set[uuid.UUID] = field(default_factory=set)
    exported: Mapping[uuid.UUID, uuid.UUID | None] = field(default_factory=dict)
    rehearsal: Rehearsal | None = None
    by_uid: dict[str, uuid.UUID] = field(default_factory=dict)
    by_id: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    hashes: dict[uuid.UUID, bytes] = field(default_factory=dict)

    def source(self, pending: Pending) -> uuid.UUID | None:
        """The contact of a record; None when a dry run would have made it, or it is gone."""
        return self.by_id.get(pending.contact_id) if pending.contact_id else None

    def is_unfinished(self, pending: Pending) -> bool:
        """Whether the ties of the record have never been made to their end."""
        return pending.row_id is not None and self.hashes.get(pending.row_id) == unfinished(pending.hash)

    def target(self, relation: Relation) -> uuid.UUID | None:
        """The contact that a tie names; None when there is none."""
        for spelling in spellings(relation.uid):
            if spelling in self.by_uid:
                return self.by_uid[spelling]
            if self.rehearsal is not None and self.rehearsal.has_made(spelling):
                return COMING
        if relation.contact_id is None:
            return None
        became = self.exported.get(relation.contact_id, relation.contact_id)
        return COMING if became is None else self.by_id.get(became)


async def find(
    tx: Transaction,
    some: Sequence[Pending],
    exported: Mapping[uuid.UUID, uuid.UUID | None],
    rehearsal: Rehearsal | None,
) -> Named:
    """Looks up the contacts, and takes hold of them unless it is a dry run.

    exported: id of the contact that a record of the file was exported from → the one that the record became.
    """
    named = Named(exported=exported, rehearsal=rehearsal)
    relations = [relation for pending in some for relation in pending.relations]
    uids = {spelling for relation in relations for spelling in spellings(relation.uid)}
    ids = {exported.get(relation.contact_id, relation.contact_id) for relation in relations if relation.contact_id}
    ids |= {one for pending in some for one in (pending.contact_id, pending.row_id)}
    rows = await tx.fetch(QUERIES["imported_contacts"], list(uids), [], [one for one in ids if one is not None])
    for row in rows:
        if row["source_uid"] is not None:
            named.by_uid.setdefault(row["source_uid"], row["contact_id"])
        if row["asked"] is not None:
            named.by_id.setdefault(row["asked"], row["contact_id"])
        if row["row_id"] is not None:
            named.hashes[row["row_id"]] = row["source_hash"]
    named.open = {row["contact_id"] for row in rows if not row["processing_restricted"]}
    if rehearsal is None and named.open:
        held = await tx.fetch(QUERIES["hold_imported"], list(named.open))
        # Those that were merged, deleted or restricted since the look-up are left alone.
        named.open = {row["id"] for row in held if not row["processing_restricted"]}
    return named


def spellings(uid: str) -> list[str]:
    """The ways in which a UID may be written; one that is a UUID in any case, and with `urn:uuid:` or without."""
    if not uid:
        return []
    bare = uid[9:] if uid[:9].lower() == "urn:uuid:" else uid
    if parse_uuid(bare) is None:
        return list(dict.fromkeys((uid, bare, f"urn:uuid:{bare}")))
    cases = dict.fromkeys((bare, bare.lower(), bare.upper()))
    return [uid, *(f"{prefix}{case}" for case in cases for prefix in ("", "urn:uuid:"))]
