"""The journal of erasures outside of the database: a line of JSON for each that is completed.

A restored backup predates the erasures since: the journal says which to carry out again. It holds ids, counts,
times and keyed hashes, and nothing personal.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, TypeAlias

import asyncpg

from shared import queries
from shared.migrations import SQL
from shared.suppression.addresses import EMAIL, PHONE, Entry

STATEMENTS = queries.load(SQL / "maintenance")

AT_ONCE = 500
FORMAT = 1
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)

Connection: TypeAlias = "asyncpg.Connection[Any]"


class JournalError(Exception):
    """The journal cannot be read; the text says which line and why."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """One completed erasure.

    contact_id: None for an account. contact_ids: all that were erased, that one among them.
    """

    receipt_id: uuid.UUID
    user_id: uuid.UUID
    contact_id: uuid.UUID | None
    contact_ids: tuple[uuid.UUID, ...]
    request_time: datetime
    erase_time: datetime
    row_counts: dict[str, int]
    suppression_count: int
    suppressions: tuple[Entry, ...]

    def line(self) -> str:
        """The erasure as a line of the journal, without the line's end."""
        said = {
            "format": FORMAT,
            "receipt_id": str(self.receipt_id),
            "user_id": str(self.user_id),
            "contact_id": None if self.contact_id is None else str(self.contact_id),
            "contact_ids": [str(each) for each in self.contact_ids],
            "request_time": self.request_time.isoformat(),
            "erase_time": self.erase_time.isoformat(),
            "row_counts": self.row_counts,
            "suppression_count": self.suppression_count,
            "suppressions": [
                {"kind": entry.kind, "key_id": entry.key_id, "hash": entry.hash.hex()} for entry in self.suppressions
            ],
        }
        return json.dumps(said, sort_keys=True)


async def completed(conn: Connection, since: datetime | None = None) -> AsyncIterator[Erasure]:
    """The completed erasures of all tenants, in that order, from a time on. conn: as pmcrm_service."""
    last_time, last_id = BEGINNING, uuid.UUID(int=0)
    while rows := await conn.fetch(
        STATEMENTS["completed_erasures"].sql, since or BEGINNING, last_time, last_id, AT_ONCE
    ):
        for row in rows:
            yield _erasure_of(row)
        last_time, last_id = rows[-1]["erased_at"], rows[-1]["id"]


async def append(conn: Connection, path: Path, since: datetime | None = None) -> int:
    """Adds to a journal the erasures that it lacks, and returns how many. Makes the file, for its owner alone.

    A line that a killed run left unfinished is taken away first. Raises JournalError, OSError.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    added = 0
    with os.fdopen(descriptor, "r+b") as file:
        _cut_unfinished(file)
        file.seek(0)
        known = {erasure.receipt_id for erasure in read(line.decode("utf-8", "replace") for line in file)}
        file.seek(0, os.SEEK_END)
        async for erasure in completed(conn, since):
            if erasure.receipt_id not in known:
                file.write(erasure.line().encode() + b"\n")
                added += 1
        file.flush()
        os.fsync(file.fileno())
    return added


def read(lines: Iterable[str]) -> list[Erasure]:
    """The erasures of a journal in its order, each once. Raises JournalError."""
    found: dict[uuid.UUID, Erasure] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip():
            erasure = _read_line(number, line)
            found.setdefault(erasure.receipt_id, erasure)
    return list(found.values())


def _read_line(number: int, line: str) -> Erasure:
    try:
        said = json.loads(line)
        if said["format"] != FORMAT:
            raise JournalError(f"line {number} has the format {said['format']!r}, which this version does not know")
        erasure = Erasure(
            uuid.UUID(said["receipt_id"]),
            uuid.UUID(said["user_id"]),
            None if said["contact_id"] is None else uuid.UUID(said["contact_id"]),
            tuple(uuid.UUID(each) for each in said["contact_ids"]),
            datetime.fromisoformat(said["request_time"]),
            datetime.fromisoformat(said["erase_time"]),
            {str(table): int(count) for table, count in said["row_counts"].items()},
            int(said["suppression_count"]),
            tuple(_entry(each) for each in said["suppressions"]),
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise JournalError(f"line {number} is not one of this journal ({type(error).__name__})") from None
    if erasure.contact_id is not None and erasure.contact_id not in erasure.contact_ids:
        raise JournalError(f"line {number} names a contact that is not among those that were erased")
    return erasure


def _entry(said: dict[str, str]) -> Entry:
    digest = bytes.fromhex(said["hash"])
    if said["kind"] not in (EMAIL, PHONE) or len(digest) != 32:
        raise ValueError("no suppression")
    return Entry(said["kind"], said["key_id"], digest)


def _erasure_of(row: asyncpg.Record) -> Erasure:
    return Erasure(
        row["id"],
        row["user_id"],
        row["contact_id"],
        tuple(row["erased_contact_ids"] or ()),
        row["requested_at"],
        row["erased_at"],
        _json(row["row_counts"]),
        row["suppression_count"],
        tuple(_entry(each) for each in _json(row["suppressions"])),
    )


def _json(value: Any) -> Any:
    """What a connection without a codec for jsonb answers as text."""
    return json.loads(value) if isinstance(value, str) else value


def _cut_unfinished(file: IO[bytes]) -> None:
    content = file.read()
    if content and not content.endswith(b"\n"):
        file.truncate(content.rfind(b"\n") + 1)
