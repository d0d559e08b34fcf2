"""The records of an import, and what becomes of them."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from shared.contact_ties import Relation
from shared.imported_record import MOST_REMEMBERED_IDS, ImportedRecord, LeftOut


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
    def unfinished_hash(self) -> bytes:
        """What stands for the hash until the record's ties to other contacts are made: an import that is cut off leaves
        it behind, and the same record again makes them."""
        return unfinished(self.hash)

    @property
    def first_hash(self) -> bytes:
        """The hash to store with the contact."""
        return self.unfinished_hash if self.relations else self.hash

    @property
    def key(self) -> str | uuid.UUID | bytes:
        """What the record is known by."""
        return self.uid or self.found.contact_id or self.hash

    @property
    def strength(self) -> int | None:
        """The relationship strength that was set by hand; None when the record says none."""
        strength: int | None = self.found.record["relationship_strength"]
        return strength

    @property
    def relations(self) -> tuple[Relation, ...]:
        """Its ties to other contacts."""
        return self.found.ties.relations

    @property
    def columns(self) -> dict[str, Any]:
        """The record as columns of contacts."""
        return {**self.found.record, "source_hash": as_bytea(self.first_hash)}


class Outcome(Enum):
    """What became of a record."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    RESTRICTED = "restricted"
    SUPPRESSED = "suppressed"


@dataclass(slots=True)
class Stored:
    """What became of one record.

    contact_id: as text; '' when a dry run would make the contact, or none is made.
    row_id: whose source_hash is the record's: the contact's, or that of one that was merged into it.
    left_out: what the contact could not be given.
    is_known: whether it was imported before and has not changed since.
    has_lines: whether extra properties of the contact may name other contacts.
    """

    record: Record
    outcome: Outcome
    contact_id: str
    row_id: uuid.UUID | None
    left_out: list[LeftOut]
    is_known: bool = False
    has_lines: bool = False


class Rehearsal:
    """What a dry run would have written by now, as far as later records depend on it.

    Remembers at most as many records as a file's ids are remembered, so that memory stays bounded.
    """

    def __init__(self) -> None:
        self.tags: set[str] = set()
        self._made: set[bytes] = set()

    def make(self, record: Record) -> None:
        """Remembers a record whose contact would be there now."""
        if len(self._made) < MOST_REMEMBERED_IDS:
            self._made.add(_digest(record.key))

    def has_made(self, key: str | uuid.UUID | bytes) -> bool:
        """Whether the contact of the record that is known by this would be there."""
        return _digest(key) in self._made


def batches(records: Sequence[Record]) -> list[list[Record]]:
    """The records in order, cut so that no batch holds the same record id or content twice."""
    cut: list[list[Record]] = [[]]
    keys: set[str | uuid.UUID | bytes] = set()
    for record in records:
        if record.key in keys:
            cut.append([])
            keys.clear()
        cut[-1].append(record)
        keys.add(record.key)
    return [batch for batch in cut if batch]


def unfinished(record_hash: bytes) -> bytes:
    """The hash of a record whose ties to other contacts are still to be made."""
    return hashlib.sha256(b"unfinished" + record_hash).digest()


def as_bytea(octets: bytes) -> str:
    """Bytes as PostgreSQL reads them from a text."""
    return f"\\x{octets.hex()}"


def _digest(key: str | uuid.UUID | bytes) -> bytes:
    octets = key.bytes if isinstance(key, uuid.UUID) else key.encode() if isinstance(key, str) else key
    return hashlib.blake2b(octets, digest_size=8).digest()
