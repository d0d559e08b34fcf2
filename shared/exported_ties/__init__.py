"""What hangs on the contacts of an export: their employments, and their ties to other contacts."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from shared import queries
from shared.contact_ties import MOST_WRITTEN_BYTES, REVERSE, Employment, Relation, Ties
from shared.database import Row, Transaction
from shared.partial_date import DateParts

QUERIES = queries.load(Path(__file__).parent / "queries")


class ExportedTies:
    """The ties of some contacts."""

    def __init__(self) -> None:
        # Field (`employments`, `links`) → contacts that have more than was read.
        self._incomplete: dict[str, set[uuid.UUID]] = {"employments": set(), "links": set()}
        self._employments: dict[uuid.UUID, list[Employment]] = {}
        self._relations: dict[uuid.UUID, list[Relation]] = {}

    async def read(self, tx: Transaction, ids: Sequence[uuid.UUID], *, show_deleted: bool) -> ExportedTies:
        """Reads the ties of contacts, with as much of their notes as a file takes, and returns itself."""
        for row in await tx.fetch(QUERIES["export_employments"], ids, MOST_WRITTEN_BYTES):
            if row["fits"]:
                self._employments.setdefault(row["contact_id"], []).append(_employment(row))
            else:
                self._incomplete["employments"].add(row["contact_id"])
        for row in await tx.fetch(QUERIES["export_links"], ids, show_deleted, MOST_WRITTEN_BYTES):
            if row["fits"]:
                self._relations.setdefault(row["contact_id"], []).append(_relation(row))
            else:
                self._incomplete["links"].add(row["contact_id"])
        return self

    def of(self, contact_id: uuid.UUID) -> Ties:
        """The ties of one contact."""
        employments, relations = self._employments.get(contact_id, ()), self._relations.get(contact_id, ())
        incomplete = tuple(field for field, contacts in self._incomplete.items() if contact_id in contacts)
        return Ties(tuple(employments), True, tuple(relations), incomplete)


def _employment(row: Row) -> Employment:
    return Employment(
        organization=row["name"],
        job_title=row["job_title"] or "",
        department=row["department"] or "",
        location=row["location"] or "",
        start=_date(row, "start"),
        end=_date(row, "end"),
        is_current=row["is_current"],
        notes=row["notes"] or "",
    )


def _relation(row: Row) -> Relation:
    return Relation(
        type=REVERSE[row["type"]] if row["turned"] else row["type"],
        uid=row["source_uid"] or "",
        contact_id=None if row["source_uid"] else row["other_id"],
        label=row["label"] or "",
        start=_date(row, "start"),
        notes=row["notes"] or "",
    )


def _date(row: Row, name: str) -> DateParts:
    return DateParts(row[f"{name}_year"], row[f"{name}_month"], row[f"{name}_day"])
