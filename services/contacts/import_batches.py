"""Stores the records of an import, a batch in a transaction: new ones are made, changed ones updated, others left."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from google.protobuf.empty_pb2 import Empty

from services.contacts.import_changes import Columns, changed, columns_of
from services.contacts.import_employments import EmploymentPlan
from services.contacts.import_records import Outcome, Record, Rehearsal, Stored, as_bytea
from services.contacts.import_tags import TagPlan
from shared import queries
from shared.database import Database, Row, Transaction
from shared.errors import ChangedMeanwhile
from shared.ids import new_ids
from shared.keys import KeyRing
from shared.suppression.checking import find_suppressed

QUERIES = queries.load(Path(__file__).parent / "queries")

# Nothing is written for such a record.
LEFT_OUT = (Outcome.RESTRICTED, Outcome.SUPPRESSED)


@dataclass(frozen=True, slots=True)
class Known:
    """What the tenant has of a batch: by the records' own ids, by the contacts they were exported from, by content."""

    by_uid: dict[str, Row]
    by_id: dict[uuid.UUID, Row]
    by_hash: dict[bytes, Row]

    def match(self, record: Record) -> Row | None:
        """The row of imported_contacts for the living contact that the record stands for, if there is one."""
        if record.uid is not None and record.uid in self.by_uid:
            return self.by_uid[record.uid]
        if record.found.contact_id is not None and record.found.contact_id in self.by_id:
            return self.by_id[record.found.contact_id]
        if record.uid is not None:
            return None
        return self.by_hash.get(record.hash) or self.by_hash.get(record.unfinished_hash)


async def store(database: Database, keys: KeyRing | None, batch: Sequence[Record]) -> list[Stored]:
    """Stores one batch, all of it or nothing; runs again when another transaction undid it.

    keys: by which erased people are known again; None where there are none.
    """
    stored: list[Stored] = []

    async def effect(tx: Transaction) -> Empty:
        await tx.fetch(QUERIES["lock_imports"])
        try:
            work = _Work(tx, keys)
            stored[:] = await work.plan(batch)
            await work.write()
        except asyncpg.UniqueViolationError as error:
            # Another call gave a contact one of these source_uids since the look-up, which will find it now.
            raise ChangedMeanwhile from error
        return Empty()

    await database.claim(None, Empty, effect)
    return stored


async def compare(
    database: Database, keys: KeyRing | None, batch: Sequence[Record], rehearsal: Rehearsal
) -> list[Stored]:
    """What `store` would do, without doing it. rehearsal: what the batches before would have done."""
    async with database.reading() as tx:
        planned = await _Work(tx, keys, rehearsal).plan(batch)
    for stored in planned:
        if stored.outcome is Outcome.CREATED:
            stored.contact_id = ""
        if stored.outcome not in LEFT_OUT:
            rehearsal.make(stored.record)
    return planned


@dataclass
class _Work:
    """One batch: what is to be done, found out first and then written, in as many statements for all as for one.

    rehearsal: for a dry run, which only finds out.
    """

    tx: Transaction
    keys: KeyRing | None
    rehearsal: Rehearsal | None = None
    created: list[Columns] = field(default_factory=list)
    updated: dict[uuid.UUID, Columns] = field(default_factory=dict)
    hashes: dict[uuid.UUID, bytes] = field(default_factory=dict)
    strengths: dict[uuid.UUID, int] = field(default_factory=dict)
    tags: TagPlan = field(default_factory=TagPlan)
    employments: EmploymentPlan = field(default_factory=EmploymentPlan)

    async def plan(self, batch: Sequence[Record]) -> list[Stored]:
        """Finds out what becomes of the records, in their order."""
        known = await _known(self.tx, batch)
        matches = [(record, known.match(record)) for record in batch]
        rows = await self._hold([match for record, match in matches if match is not None and _is_news(match, record)])
        unknown = [record for record, match in matches if match is None]
        suppressed = {
            unknown[place].number for place in await find_suppressed(self.tx, self.keys, [r.columns for r in unknown])
        }
        ids = iter(new_ids(len(batch)))
        planned: list[Stored] = []
        touched: list[tuple[Stored, uuid.UUID]] = []
        former: dict[int, Columns] = {}
        for record, match in matches:
            if record.number in suppressed:
                planned.append(Stored(record, Outcome.SUPPRESSED, "", None, []))
                continue
            stored = self._decided(record, match, next(ids))
            planned.append(stored)
            if stored.outcome not in LEFT_OUT and not stored.is_known:
                touched.append((stored, uuid.UUID(stored.contact_id)))
                if match is not None:
                    former[record.number] = self._change(stored, match, rows)
        await self.tags.make(self.tx, touched, self.rehearsal)
        await self.employments.make(self.tx, touched, former)
        for stored, contact_id in touched:
            if stored.outcome is not Outcome.UNCHANGED:
                self._remember(stored, contact_id)
        return planned

    async def write(self) -> None:
        """Writes what was planned."""
        tx = self.tx
        if self.created:
            await tx.fetch(QUERIES["create_contacts"], self.created)
        if self.updated:
            rows = [{**columns, "id": contact_id} for contact_id, columns in self.updated.items()]
            await tx.fetch(QUERIES["update_contacts"], rows)
        if self.hashes:
            await tx.fetch(QUERIES["remember_records"], list(self.hashes), list(self.hashes.values()))
        if self.strengths:
            await tx.fetch(QUERIES["pin_strengths"], list(self.strengths), list(self.strengths.values()))
        await self.tags.write(tx)
        await self.employments.write(tx)

    async def _hold(self, matches: Sequence[Row]) -> dict[uuid.UUID, Columns]:
        """The columns of contacts that records may change, and of merged ones; those that live are held."""
        if not matches:
            return {}
        if self.rehearsal is None:
            await _hold(self.tx, matches)
        ids = {match["contact_id"] for match in matches} | {match["row_id"] for match in matches if match["row_id"]}
        rows = await self.tx.fetch(QUERIES["get_contacts"], list(ids))
        return {row["id_key"]: columns_of(row) for row in rows}

    def _decided(self, record: Record, match: Row | None, new_id: uuid.UUID) -> Stored:
        """UNCHANGED stands for all that is known, until it turns out to change something."""
        if match is not None:
            is_known = not _is_news(match, record)
            outcome = Outcome.RESTRICTED if match["processing_restricted"] and not is_known else Outcome.UNCHANGED
            contact_id, row_id = str(match["contact_id"]), match["row_id"]
            return Stored(record, outcome, contact_id, row_id, [], is_known, has_lines=match["has_lines"])
        if self.rehearsal is not None and self.rehearsal.has_made(record.key):
            return Stored(record, Outcome.UNCHANGED, "", None, [], is_known=True)
        self.created.append({**record.columns, "id": new_id})
        if record.strength:
            self.strengths[new_id] = record.strength
        return Stored(record, Outcome.CREATED, str(new_id), new_id, [])

    def _change(self, stored: Stored, match: Row, rows: dict[uuid.UUID, Columns]) -> Columns:
        """Plans the change of one contact; returns what stood for the record until now."""
        contact_id, row_id, record = match["contact_id"], match["row_id"], stored.record
        kept = rows[contact_id]
        merged = rows.get(row_id) if row_id != contact_id else None
        # Of one that was merged and purged since nobody knows what its record said last.
        columns = None if row_id is None else changed(kept, record, merged)
        if columns is not None:
            stored.outcome = Outcome.UPDATED
            rows[contact_id] = self.updated[contact_id] = columns
            if record.strength and columns["relationship_strength"] != kept["relationship_strength"]:
                self.strengths[contact_id] = record.strength
        return kept if merged is None else merged

    def _remember(self, stored: Stored, contact_id: uuid.UUID) -> None:
        """The record's hash goes with what it changed."""
        if stored.outcome is Outcome.UPDATED and stored.row_id is not None:
            if stored.row_id == contact_id and contact_id in self.updated:
                self.updated[contact_id]["source_hash"] = as_bytea(stored.record.first_hash)
            else:
                self.hashes[stored.row_id] = stored.record.first_hash


def _is_news(match: Row | None, record: Record) -> bool:
    return match is not None and match["source_hash"] != record.hash


async def _known(tx: Transaction, batch: Sequence[Record]) -> Known:
    uids = [record.uid for record in batch if record.uid is not None]
    hashes = [digest for record in batch if record.uid is None for digest in (record.hash, record.unfinished_hash)]
    ids = [record.found.contact_id for record in batch if record.found.contact_id is not None]
    known = Known({}, {}, {})
    for row in await tx.fetch(QUERIES["imported_contacts"], uids, hashes, ids):
        if row["source_uid"] is not None:
            known.by_uid.setdefault(row["source_uid"], row)
        if row["asked"] is not None:
            known.by_id.setdefault(row["asked"], row)
        if row["content"] is not None:
            known.by_hash.setdefault(row["content"], row)
    return known


async def _hold(tx: Transaction, matches: Sequence[Row]) -> None:
    """Takes hold of the contacts that records stand for. Raises ChangedMeanwhile when they are others by now."""
    restricted = {match["contact_id"]: match["processing_restricted"] for match in matches}
    rows = await tx.fetch(QUERIES["hold_imported"], list(restricted))
    held = {row["id"]: row["processing_restricted"] for row in rows}
    if held != restricted:
        raise ChangedMeanwhile  # deleted, merged, restricted or released since the look-up
