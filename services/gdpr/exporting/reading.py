"""Reads the rows of a table page by page: each page is a statement of its own, and holds a few megabytes at most."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from services.gdpr.exporting.exported_table import BEFORE_ALL, ExportedTable
from shared import queries
from shared.database import Transaction
from shared.living_contacts import contact_not_found

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# The parameters of a table's statement before those that hold a key: tenant, contacts, columns.
_NOT_OF_KEYS = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """Of whom everything is exported. contacts: the surviving one, then those merged into it; None for the account."""

    contacts: tuple[uuid.UUID, ...] | None = None

    @property
    def survivor(self) -> uuid.UUID | None:
        """The contact as which it lives on; None for the account."""
        return None if self.contacts is None else self.contacts[0]

    @property
    def ids(self) -> list[uuid.UUID] | None:
        """As statements take them."""
        return None if self.contacts is None else list(self.contacts)


async def subject_of(tx: Transaction, contact_id: uuid.UUID | None) -> Subject:
    """The account, or the contact that an id stands for. Raises CONTACT_NOT_FOUND."""
    if contact_id is None:
        return Subject()
    rows = await tx.fetch(QUERIES["export_subject"], contact_id)
    if not rows:
        raise contact_not_found(contact_id)
    return Subject(tuple(row["id"] for row in rows))


async def pages(
    tx: Transaction, table: ExportedTable, subject: Subject, *, inferred: bool
) -> AsyncIterator[Sequence[str]]:
    """The rows of a table as JSON, in the order of their key, some at a time."""
    query = QUERIES[f"export_{table.name}"]
    key = [BEFORE_ALL[type_] for type_ in query.types[_NOT_OF_KEYS:]]
    hidden = table.hidden(inferred=inferred)
    while rows := await tx.fetch(query, subject.ids, hidden, *key):
        yield [row["line"] for row in rows]
        key = [value for name, value in rows[-1].items() if name != "line"]
