"""MergeContacts and UnmergeContacts."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import asyncpg
from pmcrm.contacts.v1 import contact_merge_pb2 as pb

from services.contacts.contact_rows import contact_of
from services.contacts.link_record import LINKS_OF_A_CONTACT
from services.contacts.merging import limit_reached, merged, taken_strength, unmerged
from services.contacts.organization_limits import EMPLOYMENTS_OF_A_CONTACT
from services.contacts.tags import TAGS_OF_A_CONTACT
from shared import queries
from shared.database import Row, Transaction
from shared.errors import ChangedMeanwhile, FailedPrecondition, InvalidArgument, NotFound, Violation
from shared.etags import check_etag
from shared.fields import uuid_field, uuid_list
from shared.layers import Context
from shared.living_contacts import contact_not_found, processing_restricted
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

DUPLICATES_LIMIT = 100
# How much of each kind may hang on one contact, and what the limit is called.
LIMITS = {
    "tags": (TAGS_OF_A_CONTACT, "tags"),
    "employments": (EMPLOYMENTS_OF_A_CONTACT, "employments"),
    "contact_links": (LINKS_OF_A_CONTACT, "links"),
}


class ContactMerges:
    """The calls of pmcrm.contacts.v1.ContactService that make one contact of several, and several of one again."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._grace_days = runtime.settings.delete_grace_days

    async def MergeContacts(self, request: pb.MergeContactsRequest, context: Context) -> pb.MergeContactsResponse:
        """Merges contacts into one; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED, LIMIT_REACHED, ETAG_MISMATCH."""
        survivor_id, duplicate_ids = merged_ids(request)

        async def effect(tx: Transaction) -> pb.MergeContactsResponse:
            await tx.fetch(QUERIES["lock_merges"])
            rows = await _locked(tx, [survivor_id, *duplicate_ids])
            for contact_id in (survivor_id, *duplicate_ids):
                if contact_id not in rows or rows[contact_id]["delete_time"] is not None:
                    raise contact_not_found(contact_id)
            _check_processing(rows.values())
            survivor, duplicates = rows[survivor_id], [rows[contact_id] for contact_id in duplicate_ids]
            check_etag(request.etag, survivor["etag"])
            columns, strength = merged(survivor, duplicates), taken_strength(survivor, duplicates)
            merge_id = await tx.fetchval(QUERIES["merge_contacts"], survivor_id, duplicate_ids, columns, strength)
            counts = {row["kind"]: row for row in await tx.fetch(QUERIES["merge_counts"], merge_id)}
            moved = {kind: row["moved"] for kind, row in counts.items() if row["moved"]}
            await _check_room(tx, survivor_id, moved)
            [row] = await tx.fetch(QUERIES["get_contacts"], [survivor_id])
            return pb.MergeContactsResponse(
                contact=contact_of(row, self._grace_days),
                merge_id=str(merge_id),
                moved_counts=moved,
                dropped_counts={kind: row["dropped"] for kind, row in counts.items() if row["dropped"]},
            )

        return await self._database.mutate(request, pb.MergeContactsResponse, effect)

    async def UnmergeContacts(self, request: pb.UnmergeContactsRequest, context: Context) -> pb.UnmergeContactsResponse:
        """Undoes a merge; MERGE_NOT_FOUND, MERGE_ALREADY_UNDONE, MERGE_SUPERSEDED, PROCESSING_RESTRICTED."""
        merge_id = uuid_field(request, "merge_id")

        async def effect(tx: Transaction) -> pb.UnmergeContactsResponse:
            await tx.fetch(QUERIES["lock_merges"])
            merge = await _standing_merge(tx, merge_id)
            ids = [merge["survivor_id"], *merge["merged_ids"]]
            rows = await _locked(tx, ids)
            if len(rows) < len(ids):
                raise ChangedMeanwhile  # purged since the look-up
            _check_processing(rows.values())
            problems = await _undo(tx, merge_id, merge, rows[merge["survivor_id"]])
            back = {
                row["id_key"]: contact_of(row, self._grace_days) for row in await tx.fetch(QUERIES["get_contacts"], ids)
            }
            return pb.UnmergeContactsResponse(
                contact=back[ids[0]], restored_contacts=[back[contact_id] for contact_id in ids[1:]], problems=problems
            )

        return await self._database.mutate(request, pb.UnmergeContactsResponse, effect)


def merged_ids(request: pb.MergeContactsRequest) -> tuple[uuid.UUID, list[uuid.UUID]]:
    """The ids of the survivor and of its duplicates. Raises InvalidArgument."""
    survivor_id = uuid_field(request, "id")
    duplicate_ids = uuid_list(request.duplicate_ids, "duplicate_ids", DUPLICATES_LIMIT)
    named, bad = {survivor_id}, []
    for i, contact_id in enumerate(duplicate_ids):
        if contact_id in named:
            bad.append(Violation(f"duplicate_ids[{i}]", "is named twice, or is the survivor"))
        named.add(contact_id)
    if bad:
        raise InvalidArgument(bad)
    return survivor_id, duplicate_ids


async def _locked(tx: Transaction, ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, Row]:
    """Locks contacts and reads them, in a statement of its own: it sees what those wrote who were waited for."""
    await tx.fetch(QUERIES["lock_for_merging"], ids)
    rows = {row["id_key"]: row for row in await tx.fetch(QUERIES["get_contacts"], ids)}
    return {contact_id: rows[contact_id] for contact_id in ids if contact_id in rows}


def _check_processing(rows: Iterable[Row]) -> None:
    for row in rows:
        if row["processing_restricted"]:
            raise processing_restricted(row["id_key"])


async def _check_room(tx: Transaction, contact_id: uuid.UUID, moved: Mapping[str, int]) -> None:
    """Raises LIMIT_REACHED when the survivor has more of something now than a contact may have."""
    if not moved.keys() & LIMITS:
        return
    hanging = await tx.fetchrow(QUERIES["count_hanging"], contact_id) or {}
    for kind, (most, name) in LIMITS.items():
        if kind in moved and hanging[kind] > most:
            raise limit_reached(name, str(contact_id))


async def _standing_merge(tx: Transaction, merge_id: uuid.UUID) -> Row:
    """A merge that can be undone. Raises MERGE_NOT_FOUND, MERGE_ALREADY_UNDONE or MERGE_SUPERSEDED."""
    merge = await tx.fetchrow(QUERIES["get_merge"], merge_id)
    if merge is not None and merge["undone_at"] is not None:
        raise FailedPrecondition("MERGE_ALREADY_UNDONE", f"merge {merge_id} has been undone", merge_id=str(merge_id))
    if merge is None or merge["merged_ids"] is None:
        raise NotFound("MERGE_NOT_FOUND", f"no merge {merge_id}", merge_id=str(merge_id))
    later = await tx.fetchval(QUERIES["superseding_merge"], merge_id)
    if later is not None:
        raise FailedPrecondition("MERGE_SUPERSEDED", f"merge {later} has to be undone first", merge_id=str(later))
    return merge


async def _undo(tx: Transaction, merge_id: uuid.UUID, merge: Row, survivor: Row) -> list[pb.UnmergeProblem]:
    """Undoes a merge whose contacts are locked; returns what could not be put back."""
    columns, edited = unmerged(survivor, merge["columns_before"], merge["columns_after"])
    unpin = False
    if merge["pinned"] is not None:
        unpin = survivor["relationship_strength_pinned"] and survivor["relationship_strength"] == merge["pinned"]
        if not unpin:
            edited.append("relationship_strength")
    try:
        lost = await tx.fetch(QUERIES["unmerge_contacts"], merge_id, columns, unpin)
    except (asyncpg.UniqueViolationError, asyncpg.ForeignKeyViolationError) as error:
        # Somebody took a unique value, or purged what a row refers to, since the function looked.
        raise ChangedMeanwhile from error
    problems = [
        pb.UnmergeProblem(kind=pb.UNMERGE_PROBLEM_KIND_EDITED, entity=field, contact_id=str(merge["survivor_id"]))
        for field in edited
    ]
    return problems + [
        pb.UnmergeProblem(
            kind=f"UNMERGE_PROBLEM_KIND_{row['problem']}",
            entity=row["entity"],
            entity_id=str(row["entity_id"] or ""),
            contact_id=str(row["contact_id"]),
        )
        for row in lost
    ]
