"""Gives contacts the employments that their records say. Imports add employments and take none away.

A record of ours says whole employments: what is not there is added, and one of the same organization and start that
differs is written anew. A card of another program shows where somebody works now: the contact is given a current
employment there unless it has one, and when the card showed another organization before, the employment that stood for
it has ended.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.contacts.import_records import Outcome, Stored
from services.contacts.organization_limits import EMPLOYMENTS_OF_A_CONTACT
from shared import queries
from shared.contact_ties import Employment
from shared.database import Row, Transaction
from shared.ids import new_ids
from shared.imported_record import LeftOut
from shared.name_keys import name_key

QUERIES = queries.load(Path(__file__).parent / "queries")

_FULL = LeftOut("employments", "IMPORT_VALUE_LEFT_OUT", f"a contact has at most {EMPLOYMENTS_OF_A_CONTACT} employments")
_START = ("start_year", "start_month", "start_day")
_END = ("end_year", "end_month", "end_day")
_VALUES = ("job_title", "department", "location", *_START, *_END, "is_current", "notes")

Values = dict[str, Any]


class EmploymentPlan:
    """Which employments the records of a batch add or change, and which organizations are still to be made."""

    def __init__(self) -> None:
        self._made: dict[str, str] = {}  # key → name of the organizations to make, in the order of the file
        self._organizations: dict[str, uuid.UUID] = {}
        self._added: list[Values] = []
        self._changed: dict[uuid.UUID, Values] = {}
        self._of_contact: dict[uuid.UUID, list[Values]] = {}
        self._counts: dict[uuid.UUID, int] = {}

    async def make(
        self,
        tx: Transaction,
        found: Sequence[tuple[Stored, uuid.UUID]],
        former: Mapping[int, Mapping[str, Any]],
    ) -> None:
        """Finds out what to do; marks what is changed or cannot be.

        found: with the contact of each record.
        former: number of a record → the columns of its contact before the record changed them.
        """
        employed = [(stored, contact_id) for stored, contact_id in found if stored.record.found.ties.employments]
        if not employed:
            return
        keys = {name_key(e.organization) for stored, _ in employed for e in stored.record.found.ties.employments}
        rows = await tx.fetch(QUERIES["imported_organizations"], list(keys))
        self._organizations = {row["name_key"]: row["id"] for row in rows}
        existing = [contact_id for stored, contact_id in employed if stored.outcome is not Outcome.CREATED]
        if existing:
            for row in await tx.fetch(QUERIES["employments_of_imported"], existing):
                self._counts[row["contact_id"]] = self._counts.get(row["contact_id"], 0) + 1
                if not row["is_hidden"]:
                    self._of_contact.setdefault(row["contact_id"], []).append(_values_of(row))
        for stored, contact_id in employed:
            ties = stored.record.found.ties
            if ties.has_history:
                self._take_over(stored, contact_id, ties.employments)
            else:
                self._show(stored, contact_id, ties.employments, former.get(stored.record.number))

    def _take_over(self, stored: Stored, contact_id: uuid.UUID, said: Sequence[Employment]) -> None:
        """What is said of employments is so: those that are equal stay, others change, others are added."""
        free = list(self._of_contact.get(contact_id, ()))
        unknown = []
        for values in map(_values_said, said):
            same = next((other for other in free if _is_same(values, other)), None)
            if same is None:
                unknown.append(values)
            else:
                free.remove(same)
        for values in unknown:
            begun = next((other for other in free if _began_together(values, other)), None)
            if begun is None:
                self._add(stored, contact_id, values)
            else:
                free.remove(begun)
                self._change(stored, begun, values)

    def _show(
        self,
        stored: Stored,
        contact_id: uuid.UUID,
        said: Sequence[Employment],
        former: Mapping[str, Any] | None,
    ) -> None:
        """The contact works in these organizations now, whatever it did before."""
        shown = {name_key(employment.organization) for employment in said}
        before = name_key(former["organization_name"] or "") if former else ""
        stood = _standing_for(self._of_contact.get(contact_id, ()), before, former)
        if stood is not None and before not in shown:
            self._change(stored, stood, {"is_current": False})
        for employment in said:
            values = _values_said(employment)
            here = [other for other in self._of_contact.get(contact_id, ()) if _goes_on_in(other, values["name_key"])]
            if not here:
                self._add(stored, contact_id, values)
            elif stood is not None and stood in here and former and _is_promoted(stood, values, former):
                self._change(stored, stood, {"job_title": values["job_title"]})

    def _add(self, stored: Stored, contact_id: uuid.UUID, values: Values) -> None:
        count = self._counts.get(contact_id, 0)
        if count >= EMPLOYMENTS_OF_A_CONTACT:
            stored.left_out.append(_FULL)
            return
        self._counts[contact_id] = count + 1
        key = values["name_key"]
        if key not in self._organizations:
            self._made.setdefault(key, values["organization"])
        added = {**values, "contact_id": contact_id, "id": None}
        self._added.append(added)
        self._of_contact.setdefault(contact_id, []).append(added)
        _mark(stored)

    def _change(self, stored: Stored, employment: Values, values: Values) -> None:
        employment.update({name: values[name] for name in _VALUES if name in values})
        if employment["id"] is not None:  # else it is to be added
            self._changed[employment["id"]] = employment
        _mark(stored)

    async def write(self, tx: Transaction) -> None:
        """Makes the organizations, and adds and changes the employments of contacts that are held or new."""
        if self._made:
            ids = new_ids(len(self._made))
            await tx.fetch(QUERIES["import_organizations"], ids, list(self._made.values()), list(self._made))
            self._organizations |= dict(zip(self._made, ids, strict=True))
        if self._added:
            rows = [
                _stored(values) | {"id": new_id, "organization_id": self._organizations[values["name_key"]]}
                for values, new_id in zip(self._added, new_ids(len(self._added)), strict=True)
            ]
            await tx.fetch(QUERIES["import_employments"], rows)
        if self._changed:
            await tx.fetch(QUERIES["update_imported_employments"], list(map(_stored, self._changed.values())))


def _values_said(employment: Employment) -> Values:
    return {
        "organization": employment.organization,
        "name_key": name_key(employment.organization),
        "job_title": employment.job_title or None,
        "department": employment.department or None,
        "location": employment.location or None,
        **dict(zip(_START, employment.start, strict=True)),
        **dict(zip(_END, employment.end, strict=True)),
        "is_current": employment.is_current,
        "notes": employment.notes or None,
    }


def _values_of(row: Row) -> Values:
    return {name: row[name] for name in ("id", "contact_id", "name_key", *_VALUES)}


def _stored(values: Values) -> Values:
    return {name: values[name] for name in ("id", "contact_id", *_VALUES)}


def _is_same(one: Values, other: Values) -> bool:
    return all(one[name] == other[name] for name in ("name_key", *_VALUES))


def _began_together(one: Values, other: Values) -> bool:
    return all(one[name] == other[name] for name in ("name_key", *_START))


def _goes_on_in(employment: Values, key: str) -> bool:
    return bool(employment["is_current"] and employment["name_key"] == key)


def _standing_for(employments: Sequence[Values], key: str, former: Mapping[str, Any] | None) -> Values | None:
    """The current employment that stood for what the card showed: the one with its title, else the oldest there."""
    there = [employment for employment in employments if _goes_on_in(employment, key)] if former and key else []
    titled = [employment for employment in there if former and employment["job_title"] == former["job_title"]]
    return next(iter([*titled, *there]), None)


def _is_promoted(stood: Values, values: Values, former: Mapping[str, Any]) -> bool:
    """Whether the card shows another title, and the employment still has the one that it showed before."""
    title = values["job_title"]
    return bool(title and stood["job_title"] == former["job_title"] and title != former["job_title"])


def _mark(stored: Stored) -> None:
    if stored.outcome is Outcome.UNCHANGED:
        stored.outcome = Outcome.UPDATED
