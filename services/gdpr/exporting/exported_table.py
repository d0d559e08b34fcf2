"""What the catalog says of a table that is exported."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

# The least value of each type that keys are made of: a table's first page comes after it.
BEFORE_ALL: Mapping[str, object] = {
    "uuid": uuid.UUID(int=0),
    "integer": -1,
    "text": "",
    "timestamptz": datetime(1, 1, 1, tzinfo=UTC),
}


@dataclass(frozen=True, slots=True)
class ExportedTable:
    """A table, and what becomes of each of its columns.

    name: also that of its file.
    about: what it holds, in plain words.
    columns: those that were provided or observed, in the order of the CSV file; in both scopes.
    inferred: those that pmcrm has made of others, or keeps for its own working; with the scope ACCESS alone. A table
        of which all columns are inferred is in no export with the scope PORTABILITY.
    left_out: column → why it is in no export.
    """

    name: str
    about: str
    columns: tuple[str, ...] = ()
    inferred: tuple[str, ...] = ()
    left_out: Mapping[str, str] = field(default_factory=dict)

    @property
    def portable(self) -> bool:
        """Whether it is in exports with the scope PORTABILITY."""
        return bool(self.columns)

    def exported(self, *, inferred: bool) -> tuple[str, ...]:
        """The columns in an export, with or without what was inferred."""
        return self.columns + self.inferred if inferred else self.columns

    def hidden(self, *, inferred: bool) -> list[str]:
        """The other columns."""
        return [*self.left_out] if inferred else [*self.inferred, *self.left_out]


def words(text: str) -> tuple[str, ...]:
    """Names of columns, written as a line to read."""
    return tuple(text.split())


def because(reason: str, columns: str) -> Iterator[tuple[str, str]]:
    """The same reason for some columns."""
    for column in columns.split():
        yield column, reason
