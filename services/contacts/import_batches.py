"""Stores the records of an import, a batch in a transaction: new ones are made, changed ones updated, others left."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import asyncpg
from google.protobuf.empty_pb2 import Empty

from services.contacts.contact_rows import contact_of
from shared import queries
from shared.contact_names import sort_name
from shared.contact_record import to_record
from shared.database import Database, Row, Transaction
from shared.errors import ChangedMeanwhile
from shared.ids import new_ids
from shared.imported_record import ImportedRecord

QUERIES = queries.load(Path(__file__).parent / "queries")


# Columns that say one thing together: a new value of one replaces all of them.
DATES = (
    ("birthday_year", "birthday_month", "birthday_day"),
    ("anniversary_year", "anniversary_month", "anniversary_day"),
)


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a file, read and checked. number: its place in the file, from 1."""

    number: int
    found: ImportedRecord

    @property
    def uid(self) -> str | None:
        """The record's own id; None when it has none and is known again by its content."""
        uid: str | None = self.found.record["source_uid"]
        return uid

    @property
    def hash(self) -> bytes:
        """SHA-256 of what the record says."""
        digest: bytes = self.found.record["source_hash"]
        return digest

    @property
    def strength(self) -> int | None:
        """The relationship strength that was set by hand; None when the record says none."""
        strength: int | None = self.found.record["relationship_strength"]
        return strength

    @property
    def columns(self) -> dict[str, Any]:
        """The record as columns of contacts."""
        return {**self.found.record, "source_hash": f"\\x{self.hash.hex()}"}


class Outcome(Enum):
    """What became of a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESTRICTED = "restricted"


@dataclass(slots=True)
class Stored:
    """A batch's outcomes: (record, what became of it, the contact's id as text; '' when a dry run would make one)."""

    records: list[tuple[Record, Outcome, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Known:
    """What the tenant has of a batch: by the records' own ids, by the contacts they were exported from, by content."""

    by_uid: Mapping[str, Row]
    by_id: Mapping[uuid.UUID, Row]
    by_hash: Mapping[bytes, Row]

    def match(self, record: Record) -> Row | None:
        """The living contact that came from this record before, or that the record came from, if there is one."""
        if record.uid is not None and record.uid in self.by_uid:
            return self.by_uid[record.uid]
        if record.found.contact_id is not None and record.found.contact_id in self.by_id:
            return self.by_id[record.found.contact_id]
        return self.by_hash.get(record.hash) if record.uid is None else None


def batches(records: Sequence[Record]) -> list[list[Record]]:
    """The records in order, cut so that no batch holds the same record id or content twice."""
    cut: list[list[Record]] = [[]]
    keys: set[str | uuid.UUID | bytes] = set()
    for record in records:
        key = record.uid or record.found.contact_id or record.hash
        if key in keys:
            cut.append([])
            keys.clear()
        cut[-1].append(record)
        keys.add(key)
    return [batch for batch in cut if batch]


async def store(database: Database, batch: Sequence[Record]) -> Stored:
    """Stores one batch, all of it or nothing; runs again when another transaction undid it."""
    stored = Stored()

    async def effect(tx: Transaction) -> Empty:
        await tx.fetch(QUERIES["lock_imports"])
        try:
            stored.records = await _store(tx, batch)
        except asyncpg.UniqueViolationError as error:
            # Another call gave a contact one of these source_uids since the look-up, which will find it now.
            raise ChangedMeanwhile from error
        return Empty()

    await database.claim(None, Empty, effect)
    return stored


async def compare(database: Database, batch: Sequence[Record]) -> Stored:
    """What `store` would do, without doing it."""
    async with database.reading() as tx:
        decided = _decided(await _known(tx, batch), batch)
        ids = [uuid.UUID(contact_id) for _, outcome, contact_id in decided if outcome is Outcome.UPDATED]
        rows = {row["id"]: row for row in await tx.fetch(QUERIES["get_contacts"], ids)} if ids else {}
    return Stored(
        [
            (
                record,
                Outcome.UNCHANGED if contact_id in rows and not _change(rows[contact_id], record) else outcome,
                contact_id,
            )
            for record, outcome, contact_id in decided
        ]
    )


async def _store(tx: Transaction, batch: Sequence[Record]) -> list[tuple[Record, Outcome, str]]:
    decided = _decided(await _known(tx, batch), batch)
    ids = iter(new_ids(len(batch)))
    done: list[tuple[Record, Outcome, str]] = []
    created: list[dict[str, Any]] = []
    strengths: dict[uuid.UUID, int] = {}
    for record, outcome, found_id in decided:
        contact_id = uuid.UUID(found_id) if found_id else next(ids)
        if outcome is Outcome.CREATED:
            created.append({**record.columns, "id": contact_id})
        elif outcome is Outcome.UPDATED and not await _update(tx, contact_id, record):
            outcome = Outcome.UNCHANGED
        if outcome in (Outcome.CREATED, Outcome.UPDATED) and record.strength:
            strengths[contact_id] = record.strength
        done.append((record, outcome, str(contact_id)))
    if created:
        await tx.fetch(QUERIES["create_contacts"], created)
    if strengths:
        await tx.fetch(QUERIES["pin_strengths"], list(strengths), list(strengths.values()))
    return done


async def _known(tx: Transaction, batch: Sequence[Record]) -> Known:
    uids = [record.uid for record in batch if record.uid is not None]
    hashes = [record.hash for record in batch if record.uid is None]
    ids = [record.found.contact_id for record in batch if record.found.contact_id is not None]
    rows = await tx.fetch(QUERIES["imported_contacts"], uids, hashes, ids)
    return Known(
        {row["source_uid"]: row for row in rows if row["source_uid"] is not None},
        {row["id"]: row for row in rows},
        {row["source_hash"]: row for row in rows if row["source_uid"] is None},
    )


def _decided(known: Known, batch: Sequence[Record]) -> list[tuple[Record, Outcome, str]]:
    decided = []
    for record in batch:
        match = known.match(record)
        if match is None:
            decided.append((record, Outcome.CREATED, ""))
        elif match["source_hash"] == record.hash:
            decided.append((record, Outcome.UNCHANGED, str(match["id"])))
        else:
            outcome = Outcome.RESTRICTED if match["processing_restricted"] else Outcome.UPDATED
            decided.append((record, outcome, str(match["id"])))
    return decided


async def _update(tx: Transaction, contact_id: uuid.UUID, record: Record) -> bool:
    """What the record holds replaces what the contact holds; what it does not hold stays. Returns whether that changes
    anything."""
    row = await tx.fetchrow(QUERIES["lock_contact"], contact_id)
    if row is None:
        raise ChangedMeanwhile  # deleted since the look-up
    columns = _change(row, record)
    if columns is not None:
        await tx.fetch(QUERIES["update_contact"], contact_id, columns)
    return columns is not None


def _change(row: Row, record: Record) -> dict[str, Any] | None:
    """The columns of a contact with those that a record holds in their place; None when they are the same."""
    kept = to_record(contact_of(row, grace_days=0))
    if not row["relationship_strength_pinned"]:
        kept["relationship_strength"] = None
    given = {column: value for column, value in record.found.record.items() if value is not None}
    columns = kept.copy()
    for date in DATES:
        if not given.keys().isdisjoint(date):
            columns |= dict.fromkeys(date)
    columns |= given
    columns["sort_name"] = sort_name(columns)
    if all(columns[column] == value for column, value in kept.items()):
        return None
    return columns | {"source_hash": record.columns["source_hash"]}
