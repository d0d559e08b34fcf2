"""Keeps the ties that records name until all of the file's contacts are there: the other contact may come later.

They are written to a temporary file, so that a file of nothing but ties takes no more memory than another.
"""

from __future__ import annotations

import json
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from services.contacts.import_records import Outcome, Stored
from shared.contact_ties import Relation, read_relation, relation_json
from shared.imported_record import MOST_REMEMBERED_IDS

# So much is kept in memory, the rest on disk.
IN_MEMORY = 1 << 20

# Ties are made for so many records at a time, or for fewer when they have more than so many.
RECORDS = 200
TIES = 2_000


@dataclass(slots=True)
class Pending:
    """A record whose ties are to be made.

    number, line: where it stands in the file.
    contact_id: its contact; None when a dry run would have made it.
    row_id: whose source_hash is the record's.
    hash: the record's.
    outcome: what became of the record so far.
    is_known: whether the record was imported before and has not changed since.
    """

    number: int
    line: int
    contact_id: uuid.UUID | None
    row_id: uuid.UUID | None
    hash: bytes
    outcome: Outcome
    is_known: bool
    relations: list[Relation]


class Spool:
    """Takes records with ties, and gives them back in their order, some at a time."""

    def __init__(self) -> None:
        # Has no name in the file system, so that nothing of it stays when the process dies.
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115 - close() does
        # In our own files a contact without an id of its own is named by the one that it was exported from.
        self.exported: dict[uuid.UUID, uuid.UUID | None] = {}

    def add(self, stored: Stored) -> None:
        """Keeps the ties of a record, unless they were made when it was imported before."""
        record = stored.record
        if record.found.contact_id is not None and len(self.exported) < MOST_REMEMBERED_IDS:
            self.exported[record.found.contact_id] = uuid.UUID(stored.contact_id) if stored.contact_id else None
        if not record.relations or (stored.is_known and not stored.has_lines):
            return
        said: dict[str, Any] = {
            "number": record.number,
            "line": record.found.line,
            "contact": stored.contact_id,
            "row": str(stored.row_id or ""),
            "hash": record.hash.hex(),
            "outcome": stored.outcome.value,
            "known": stored.is_known,
            "relations": [{**relation_json(relation), "lines": relation.lines} for relation in record.relations],
        }
        self._file.write(json.dumps(said, ensure_ascii=False).encode() + b"\n")

    def some(self) -> Iterator[list[Pending]]:
        """The records, some at a time. The file is gone afterwards."""
        self._file.seek(0)
        some: list[Pending] = []
        ties = 0
        for line in self._file:
            pending = _read(json.loads(line))
            if some and (len(some) >= RECORDS or ties + len(pending.relations) > TIES):
                yield some
                some, ties = [], 0
            some.append(pending)
            ties += len(pending.relations)
        if some:
            yield some
        self.close()

    def close(self) -> None:
        """Throws the file away."""
        self._file.close()


def _read(said: dict[str, Any]) -> Pending:
    relations = []
    for one in said["relations"]:
        relation = read_relation(one)
        if relation is not None:
            relations.append(relation._replace(lines=tuple(one["lines"])))
    return Pending(
        number=said["number"],
        line=said["line"],
        contact_id=uuid.UUID(said["contact"]) if said["contact"] else None,
        row_id=uuid.UUID(said["row"]) if said["row"] else None,
        hash=bytes.fromhex(said["hash"]),
        outcome=Outcome(said["outcome"]),
        is_known=said["known"],
        relations=relations,
    )
