"""Makes the ties that records name, when all of a file's contacts are there. Imports make ties and remove none.

A tie whose other contact is not there stays with its contact as a line among the extra properties, and is made when the
same record is imported again and the other contact has come.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from google.protobuf.empty_pb2 import Empty

from services.contacts.import_named import COMING, Named, find
from services.contacts.import_records import Rehearsal
from services.contacts.import_spool import Pending
from services.contacts.link_record import LINKS_OF_A_CONTACT
from shared import contact_limits as limits
from shared import queries
from shared.contact_ties import REVERSE, STORED, Relation
from shared.database import Database, Transaction
from shared.ids import new_ids
from shared.imported_record import LeftOut

QUERIES = queries.load(Path(__file__).parent / "queries")

_KEPT = "; what it says is kept among the extra properties"

# A stored link: two contacts and a type. Symmetric ones with the smaller id first.
Tie = tuple[uuid.UUID, uuid.UUID, str]
Columns = dict[str, Any]


@dataclass(slots=True)
class Tied:
    """What became of the ties of one record. changed: whether its contact was given one, or lost a line for one."""

    pending: Pending
    changed: bool = False
    left_out: list[LeftOut] = field(default_factory=list)


async def tie(
    database: Database, some: Sequence[Pending], exported: Mapping[uuid.UUID, uuid.UUID | None]
) -> list[Tied]:
    """Makes the ties of some records, all of them or none; runs again when another transaction undid it.

    exported: id of the contact that a record of the file was exported from → the one that the record became.
    """
    tied: list[Tied] = []

    async def effect(tx: Transaction) -> Empty:
        await tx.fetch(QUERIES["lock_imports"])
        work = _Work(tx, exported)
        tied[:] = await work.plan(some)
        await work.write()
        return Empty()

    await database.claim(None, Empty, effect)
    return tied


async def compare_ties(
    database: Database,
    some: Sequence[Pending],
    exported: Mapping[uuid.UUID, uuid.UUID | None],
    rehearsal: Rehearsal,
) -> list[Tied]:
    """What `tie` would do, without doing it. rehearsal: what the import would have made by then."""
    async with database.reading() as tx:
        return await _Work(tx, exported, rehearsal).plan(some)


@dataclass
class _Work:
    """The ties of some records: what is to be done, found out first and then written."""

    tx: Transaction
    exported: Mapping[uuid.UUID, uuid.UUID | None]
    rehearsal: Rehearsal | None = None
    _named: Named = field(default_factory=Named)
    _made: dict[Tie, Columns] = field(default_factory=dict)
    _there: set[Tie] = field(default_factory=set)
    _counts: dict[uuid.UUID, int] = field(default_factory=dict)
    _lines: dict[uuid.UUID, list[str]] = field(default_factory=dict)
    _rewritten: set[uuid.UUID] = field(default_factory=set)
    _finished: dict[uuid.UUID, bytes] = field(default_factory=dict)

    async def plan(self, some: Sequence[Pending]) -> list[Tied]:
        """Finds out what becomes of the ties, in their order."""
        self._named = await find(self.tx, some, self.exported, self.rehearsal)
        ends = list(self._named.open)
        for row in await self.tx.fetch(QUERIES["links_among"], ends):
            self._there.add(_same(row["contact_id"], row["related_contact_id"], row["type"]))
        for row in await self.tx.fetch(QUERIES["count_imported_links"], ends):
            self._counts[row["contact_id"]] = row["links"]
        for row in await self.tx.fetch(QUERIES["lines_of_imported"], ends):
            self._lines[row["id"]] = row["extra_properties"]
        return [self._tie(pending) for pending in some]

    async def write(self) -> None:
        """Writes what was planned."""
        if self._made:
            rows = [{**row, "id": id_} for row, id_ in zip(self._made.values(), new_ids(len(self._made)), strict=True)]
            await self.tx.fetch(QUERIES["import_links"], rows)
        if self._rewritten:
            kept = [
                {"contact_id": contact_id, "lines": self._lines[contact_id] or None} for contact_id in self._rewritten
            ]
            await self.tx.fetch(QUERIES["keep_lines"], kept)
        if self._finished:
            await self.tx.fetch(QUERIES["remember_records"], list(self._finished), list(self._finished.values()))

    def _tie(self, pending: Pending) -> Tied:
        tied = Tied(pending)
        source = self._named.source(pending)
        held = frozenset(self._lines.get(source, ()) if source else ())
        for relation in pending.relations:
            if pending.is_known and not held.issuperset(relation.lines):
                continue  # made when the record was imported before; what became of it since is the user's
            problem = self._make(tied, source, relation)
            if not problem:
                self._let_go(tied, source, relation)
            elif not pending.is_known:
                tied.left_out.append(
                    LeftOut("links", "IMPORT_VALUE_LEFT_OUT", problem + self._keep(tied, source, relation))
                )
        if pending.row_id and (tied.changed or self._named.is_unfinished(pending)):
            self._finished[pending.row_id] = pending.hash
        return tied

    def _make(self, tied: Tied, source: uuid.UUID | None, relation: Relation) -> str:
        """Makes a tie unless it is there; returns what stands against it, if anything."""
        target = self._named.target(relation)
        if target is None:
            return "no contact has the UID that a tie names"
        if target is COMING or source is None:  # a dry run would have made one of the two
            tied.changed = True
            return ""
        if target == source:
            return "a contact has no tie to itself"
        if not {source, target} <= self._named.open:
            return "the processing of one of the contacts that a tie names is restricted, or it is gone"
        ends = (target, source) if relation.type in REVERSE and relation.type not in STORED else (source, target)
        kind = relation.type if ends[0] == source else REVERSE[relation.type]
        tie = _same(*ends, kind)
        if tie in self._there or tie in self._made:
            return ""
        if max(self._counts[source], self._counts[target]) >= LINKS_OF_A_CONTACT:
            return f"a contact has at most {LINKS_OF_A_CONTACT} links"
        self._counts[source] += 1
        self._counts[target] += 1
        self._made[tie] = _columns(*ends, kind, relation)
        tied.changed = True
        return ""

    def _let_go(self, tied: Tied, source: uuid.UUID | None, relation: Relation) -> None:
        """What stood for a tie that has been made is needed no more."""
        lines = self._lines.get(source, []) if source else []
        if source and not set(lines).isdisjoint(relation.lines):
            self._lines[source] = [line for line in lines if line not in relation.lines]
            self._rewritten.add(source)
            tied.changed = True

    def _keep(self, tied: Tied, source: uuid.UUID | None, relation: Relation) -> str:
        """Keeps what stands for a tie that could not be made; returns what became of it."""
        if source is None:
            return _KEPT
        if source not in self._named.open:
            return ""
        lines = self._lines.setdefault(source, [])
        new = [line for line in relation.lines if line not in lines]
        size = sum(len(line.encode()) for line in (*lines, *new))
        if len(lines) + len(new) > limits.EXTRA_PROPERTIES or size > limits.EXTRA_PROPERTIES_BYTES:
            return "; the contact has more extra properties than it may have"
        if new:
            self._lines[source] = [*lines, *new]
            self._rewritten.add(source)
            tied.changed = True
        return _KEPT


def _same(contact_id: uuid.UUID, related_id: uuid.UUID, kind: str) -> Tie:
    """A tie of a symmetric type is the same from both sides."""
    return (contact_id, related_id, kind) if kind in STORED else (*sorted((contact_id, related_id)), kind)  # type: ignore[return-value]


def _columns(contact_id: uuid.UUID, related_id: uuid.UUID, kind: str, relation: Relation) -> Columns:
    return {
        "contact_id": contact_id,
        "related_contact_id": related_id,
        "type": kind,
        **dict(zip(("start_year", "start_month", "start_day"), relation.start, strict=True)),
        "label": relation.label or None,
        "notes": relation.notes or None,
    }
