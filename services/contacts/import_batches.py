"""Stores the records of an import, a batch in a transaction: new ones are made, changed ones updated, others left."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty

from services.contacts.contact_rows import contact_of
from shared import queries
from shared.contact_names import sort_name
from shared.contact_record import to_record
from shared.database import Database, Row, Transaction
from shared.errors import ChangedMeanwhile
from shared.ids import new_ids
from shared.vcard.importing import ImportedCard

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
    card: ImportedCard

    @property
    def uid(self) -> str | None:
        """The record's own id; None when it has none and is known again by its content."""
        uid: str | None = self.card.record["source_uid"]
        return uid

    @property
    def hash(self) -> bytes:
        """SHA-256 of what the record says."""
        digest: bytes = self.card.record["source_hash"]
        return digest

    @property
    def columns(self) -> dict[str, Any]:
        """The record as columns of contacts."""
        return {**self.card.record, "source_hash": f"\\x{self.hash.hex()}"}


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
    """What the tenant has of a batch, by the records' own ids and by content."""

    by_uid: Mapping[str, Row]
    by_hash: Mapping[bytes, Row]

    def match(self, record: Record) -> Row | None:
        """The contact that came from this record before, if there is one."""
        return self.by_hash.get(record.hash) if record.uid is None else self.by_uid.get(record.uid)


def batches(records: Sequence[Record], size: int) -> list[list[Record]]:
    """The records in order, cut so that no batch is longer than `size` or holds the same record id or content twice."""
    cut: list[list[Record]] = [[]]
    keys: set[str | bytes] = set()
    for record in records:
        key = record.uid or record.hash
        if len(cut[-1]) == size or key in keys:
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
        stored.records = await _store(tx, batch)
        return Empty()

    await database.claim(None, Empty, effect)
    return stored


async def compare(database: Database, batch: Sequence[Record]) -> Stored:
    """What `store` would do, without doing it."""
    async with database.reading() as tx:
        known = await _known(tx, batch)
    return Stored([(record, *_decided(known.match(record), record)) for record in batch])


async def _store(tx: Transaction, batch: Sequence[Record]) -> list[tuple[Record, Outcome, str]]:
    known = await _known(tx, batch)
    done: list[tuple[Record, Outcome, str]] = []
    created: list[Record] = []
    for record in batch:
        outcome, contact_id = _decided(known.match(record), record)
        if outcome is Outcome.CREATED:
            created.append(record)
        elif outcome is Outcome.UPDATED:
            await _update(tx, uuid.UUID(contact_id), record)
        done.append((record, outcome, contact_id))
    if not created:
        return done
    ids = new_ids(len(created))
    rows = [{**record.columns, "id": contact_id} for record, contact_id in zip(created, ids, strict=True)]
    await tx.fetch(QUERIES["create_contacts"], rows)
    id_of = {record.number: str(contact_id) for record, contact_id in zip(created, ids, strict=True)}
    return [(record, outcome, contact_id or id_of[record.number]) for record, outcome, contact_id in done]


async def _known(tx: Transaction, batch: Sequence[Record]) -> Known:
    uids = [record.uid for record in batch if record.uid is not None]
    hashes = [record.hash for record in batch if record.uid is None]
    rows = await tx.fetch(QUERIES["imported_contacts"], uids, hashes)
    return Known(
        {row["source_uid"]: row for row in rows if row["source_uid"] is not None},
        {row["source_hash"]: row for row in rows if row["source_uid"] is None},
    )


def _decided(match: Row | None, record: Record) -> tuple[Outcome, str]:
    if match is None:
        return Outcome.CREATED, ""
    contact_id = str(match["id"])
    if match["source_hash"] == record.hash:
        return Outcome.UNCHANGED, contact_id
    return (Outcome.RESTRICTED if match["processing_restricted"] else Outcome.UPDATED), contact_id


async def _update(tx: Transaction, contact_id: uuid.UUID, record: Record) -> None:
    """What the record holds replaces what the contact holds; what it does not hold stays."""
    row = await tx.fetchrow(QUERIES["lock_contact"], contact_id)
    if row is None:
        raise ChangedMeanwhile  # deleted since the look-up
    contact = contact_of(row, grace_days=0)
    await tx.fetch(QUERIES["update_contact"], contact_id, _overlaid(to_record(contact), record.columns))


def _overlaid(kept: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The columns of a contact with those that a record holds in their place."""
    given = {column: value for column, value in given.items() if value is not None}
    for date in DATES:
        if not given.keys().isdisjoint(date):
            kept |= dict.fromkeys(date)
    columns = kept | given
    return columns | {"sort_name": sort_name(columns)}
