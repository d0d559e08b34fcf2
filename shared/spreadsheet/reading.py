"""Makes a contact of one row of a CSV file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from google.protobuf.struct_pb2 import Struct
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.caller import parse_uuid
from shared.contact_ties import Ties
from shared.imported_record import LeftOut
from shared.spreadsheet.dates import NO_DATES, has_two_digit_year, read_day
from shared.spreadsheet.dialects import GOOGLE_LABELS, Dialect
from shared.spreadsheet.places import DATES, LISTS, TEXTS, Place
from shared.spreadsheet.ties import TieCells
from shared.vcard.values import escaped, one_line

_LABELS = {written.replace(" ", "").lower(): label for label, written in GOOGLE_LABELS.items()}
_WITH_LINES = frozenset({"value", "street", "extended_address"})  # parts of addresses


class ReadRow(NamedTuple):
    """What one row holds.

    contact: not yet checked (`imported_record` does).
    categories: names of tags.
    left_out: values that have no place.
    ties: what the row says of organizations and other contacts, not yet checked.
    hash: SHA-256 of what the row says, whatever the order of its columns; the same in every release, because it is how
        a row without an id is known again.
    """

    contact: Contact
    categories: tuple[str, ...]
    left_out: tuple[LeftOut, ...]
    ties: Ties
    hash: bytes


class Columns:
    """The columns of a file: what they are called, and where each goes.

    unplaced: columns without a place that held something in a row so far, by index.
    """

    def __init__(self, header: Sequence[str], dialect: Dialect) -> None:
        self.header = [name.strip() for name in header]
        self.dialect = dialect
        self.unplaced: set[int] = set()

    def read(self, fields: Sequence[str]) -> ReadRow | None:
        """What a row of these columns holds; None when it holds nothing at all."""
        draft = _Draft()
        said: list[tuple[str, str]] = []
        for index, (cell, place) in enumerate(zip(fields, self.dialect.places, strict=False)):
            text = cell.strip()
            if not text:
                continue
            if place is None:
                self.unplaced.add(index)
                continue
            said.append((place.name, text))
            draft.put(place, cell, self.header[index])
        if not said and all(not field or field.isspace() for field in fields):
            return None
        digest = hashlib.sha256(json.dumps(sorted(said), separators=(",", ":")).encode()).digest()
        ties = draft.finished_ties()
        categories = tuple(dict.fromkeys(draft.categories))
        return ReadRow(draft.finished(), categories, tuple(draft.left_out), ties, digest)

    def not_imported(self) -> list[str]:
        """The names of the columns that held something and have no place, in their order."""
        return [self.header[index] for index in sorted(self.unplaced - self.dialect.passed_over)]


class _Draft:
    """The contact that a row's cells fill, one after the other."""

    def __init__(self) -> None:
        self.fields: dict[str, Any] = {}
        self.categories: list[str] = []
        self.left_out: list[LeftOut] = []
        self._custom: dict[str, str] = {}
        # Entries of lists by field and entry: what the columns say of each part; a cell may hold several values.
        self._entries: dict[tuple[str, str], dict[str, list[str]]] = {}
        self._labels: dict[tuple[str, str], str] = {}
        self._department = ""
        self._ties = TieCells()

    def put(self, place: Place, cell: str, column: str) -> None:
        """Puts one cell, which is not blank, where it goes."""
        field = place.field
        if field in TEXTS:
            self._put_text(field, cell, column)
        elif field in LISTS or field in ("event", "custom field"):
            self._put_entry(place, cell)
        elif field in DATES:
            self._put_date(field, place.part, cell.strip(), column)
        elif field == "custom_fields":
            self._custom.setdefault(place.part, cell.strip())
        elif field in ("tags", "groups"):
            self._put_categories(place, cell)
        elif field == "department":
            self._department = one_line(cell)
        elif field == "id":
            self.fields["id"] = cell.strip() if parse_uuid(cell.strip()) else ""
        elif field in ("organization", "employments", "links"):
            if not self._ties.put(place, cell):
                self._leave_out(column, "is no list of what its name says")
        elif field == "profile":
            self.fields["source_uid"] = one_line(cell)
            self._put_entry(Place("urls", "value", "profile", "linkedin"), cell)
        else:
            self._put_time(field, cell, column)

    def finished_ties(self) -> Ties:
        """What the cells say of organizations and other contacts. Takes out of the contact what only shows them."""
        if self._ties.shows_an_organization:
            self.fields.pop("organization_name", None)
        fields = self.fields
        return self._ties.finished(fields.get("organization_name", ""), fields.get("job_title", ""), self._department)

    def finished(self) -> Contact:
        """The contact of all that was put."""
        lists: dict[str, list[dict[str, Any]]] = {}
        for (field, entry), parts in self._entries.items():
            if field == "event":
                self._put_event(parts)
            elif field == "custom field":
                self._put_custom(entry, parts)
            else:
                lists.setdefault(field, []).extend(_entries(field, parts, self._labels[field, entry]))
        for entries in lists.values():
            for second in [found for found in entries if found.get("primary")][1:]:
                del second["primary"]
        self.fields |= lists
        if self._department:
            organization = self.fields.get("organization_name", "")
            self.fields["extra_properties"] = [f"ORG:{escaped(organization)};{escaped(self._department)}"]
        if self._custom:
            self.fields["custom_fields"] = Struct()
            self.fields["custom_fields"].update(self._custom)
        return Contact(**self.fields)

    def _leave_out(self, column: str, reason: str) -> None:
        self.left_out.append(LeftOut(column, "IMPORT_VALUE_LEFT_OUT", reason))

    def _put_text(self, field: str, cell: str, column: str) -> None:
        text = cell if field == "notes" else one_line(cell)
        before = self.fields.setdefault(field, text)
        if before == text:
            return
        if field == "notes":
            self.fields[field] = f"{before}\n\n{text}"
        else:
            self._leave_out(column, "another column has filled its place")

    def _put_entry(self, place: Place, cell: str) -> None:
        key = (place.field, place.entry)
        values = cell.split(place.separator) if place.separator else [cell]
        said = self._entries.setdefault(key, {})
        self._labels.setdefault(key, place.label)
        if place.part in said:  # the second line of a street
            values = ["\n".join((said[place.part][0].strip(), values[0].strip()))]
        said[place.part] = values

    def _put_categories(self, place: Place, cell: str) -> None:
        for name in map(one_line, cell.split(place.separator)):
            # Google marks its own groups, of which one holds nearly everybody.
            plain = name.removeprefix("* ") if place.field == "groups" else name
            if plain and name != "* myContacts":
                self.categories.append(plain)

    def _put_date(self, field: str, part: str, text: str, column: str) -> None:
        if part:
            if text.isascii() and text.isdigit() and len(text) <= 4:
                self.fields.setdefault(field, {})[part] = int(text)
            else:
                self._leave_out(column, "is no number of a year, a month or a day")
            return
        if text in NO_DATES:
            return
        date = read_day(text)
        if date is None:
            self._leave_out(column, "is no date that can be read")
            return
        if has_two_digit_year(text):
            self._leave_out(column, "the century of its year is not known; day and month are kept")
        self.fields[field] = {name: value for name, value in date._asdict().items() if value}

    def _put_time(self, field: str, cell: str, column: str) -> None:
        date = read_day(cell)
        if date is None or not (date.year and date.month and date.day):
            self._leave_out(column, "is no date that can be read")
            return
        self.fields[field] = datetime(date.year, date.month, date.day, tzinfo=UTC)

    def _put_event(self, parts: dict[str, list[str]]) -> None:
        label, value = _first(parts, "label"), _first(parts, "value")
        if label.removeprefix("*").strip().lower() == "anniversary":
            self._put_date("anniversary", "", value, "Event")
        elif value:
            self._leave_out("Event", "a contact has no date of this kind")

    def _put_custom(self, number: str, parts: dict[str, list[str]]) -> None:
        value = _first(parts, "value")
        if value:
            self._custom.setdefault(_first(parts, "label") or f"Custom Field {number}", value)


def _first(parts: dict[str, list[str]], part: str) -> str:
    return parts[part][0].strip() if part in parts else ""


def _entries(field: str, parts: dict[str, list[str]], label: str) -> Iterator[dict[str, Any]]:
    """The entries that the columns of one entry hold: several where a cell of theirs holds several values."""
    stated = one_line(_first(parts, "label"))
    primary = stated.startswith("*")
    stated = stated.removeprefix("*").strip()
    label = one_line(_first(parts, "service")).lower() or _LABELS.get(stated.replace(" ", "").lower(), stated) or label
    values = {part: found for part, found in parts.items() if part not in ("label", "service")}
    for index in range(max((len(found) for found in values.values()), default=0)):
        entry: dict[str, Any] = {}
        for part, found in values.items():
            text = found[index].strip() if index < len(found) else ""
            if text:
                has_lines = field == "addresses" and part in _WITH_LINES
                entry[part] = text if has_lines else one_line(text)
        if entry:
            yield entry | {"label": label} | ({"primary": True} if primary and index == 0 else {})
