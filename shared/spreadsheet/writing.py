"""Writes contacts as CSV with the columns of Google contacts, some of ours, and one more for each custom field.

What a row could not hold is found by reading it again as an import would: nothing is lost without being named.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf import json_format
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from shared.contact_names import composed_display_name
from shared.contact_record import COLUMNS_OF_FIELD, to_record
from shared.contact_ties import NO_TIES, Ties, as_text, employment_json, fitting, relation_json
from shared.errors import InvalidArgument
from shared.imported_record import imported_record
from shared.spreadsheet.dialects import (
    CUSTOM_FIELD,
    EMPLOYMENTS,
    GOOGLE_LABELS,
    LINKS,
    MULTIPLE,
    OWN_ID,
    OWN_UID,
    Dialect,
    recognised,
)
from shared.spreadsheet.reading import Columns, ReadRow
from shared.vcard.categories import names_of

# Of custom fields more than so many, or with longer keys, are left out: all contacts have every column.
MOST_CUSTOM_FIELDS = 500
LONGEST_CUSTOM_FIELD = 200

_LARGEST_EXACT = 2**53

_OWN = {OWN_ID: "id", OWN_UID: "uid", EMPLOYMENTS: "employments", LINKS: "links"}

_SINGLE = {
    "First Name": "given_name",
    "Middle Name": "additional_names",
    "Last Name": "family_name",
    "Phonetic First Name": "phonetic_given_name",
    "Phonetic Middle Name": "",
    "Phonetic Last Name": "phonetic_family_name",
    "Name Prefix": "honorific_prefixes",
    "Name Suffix": "honorific_suffixes",
    "Nickname": "nickname",
    "File As": "",
    "Organization Name": "",
    "Organization Title": "job_title",
    "Organization Department": "",
    "Birthday": "",
    "Notes": "notes",
    "Photo": "photo_uri",
    "Labels": "",
}
_ADDRESS = {
    "Formatted": "value",
    "Street": "street",
    "City": "locality",
    "PO Box": "po_box",
    "Region": "region",
    "Postal Code": "postal_code",
    "Country": "country",
    "Extended Address": "extended_address",
}
_LISTS: dict[str, tuple[str, dict[str, str]]] = {
    "emails": ("E-mail", {"Value": "value"}),
    "phones": ("Phone", {"Value": "value"}),
    "addresses": ("Address", _ADDRESS),
    "urls": ("Website", {"Value": "value"}),
    "im_handles": ("IM", {"Value": "value"}),
}


class TableWriter:
    """Writes the header, then a row for each contact.

    sizes: the longest of each list (`emails`, …) among the contacts to come, and whether any has an `anniversary`, a
        `uid`, no uid (`id`), a card or an employment that names an organization (`employments`), `links`.
    custom_fields: the keys of the custom fields to write, in their order.
    left_out: field of Contact, `employments` or `links` → how many contacts' values a row could not hold in full.
    """

    def __init__(self, sizes: Mapping[str, int], custom_fields: Sequence[str]) -> None:
        self.left_out: dict[str, int] = {}
        self._sizes = {field: sizes.get(field, 0) for field in _LISTS}
        self._has_anniversary = bool(sizes.get("anniversary"))
        self._own = [name for name, size in _OWN.items() if sizes.get(size)]
        self._custom_fields = list(custom_fields)
        self._header = [*_SINGLE, *self._list_columns(), *self._other_columns()]
        self._columns = Columns(self._header, recognised(self._header) or Dialect("", []))

    def header(self) -> bytes:
        """The first line of the file."""
        return _line(self._header)

    def written(self, contact: Contact, ties: Ties = NO_TIES) -> bytes:
        """A contact's row: a line, or several where a field has line breaks.

        ties: all that its contact has.
        """
        kept, lost = fitting(_shown(contact, ties))
        cells = list(self._cells(contact, kept))
        for field in (*lost, *self._lost(contact, cells)):
            self.left_out[field] = self.left_out.get(field, 0) + 1
        return _line(cells)

    def _list_columns(self) -> Iterator[str]:
        for field, (name, parts) in _LISTS.items():
            for number in range(1, self._sizes[field] + 1):
                yield f"{name} {number} - Label"
                yield from (f"{name} {number} - {part}" for part in parts)

    def _other_columns(self) -> Iterator[str]:
        if self._has_anniversary:
            yield from ("Event 1 - Label", "Event 1 - Value")
        yield from self._own
        yield from (f"{CUSTOM_FIELD}{key}" for key in self._custom_fields)

    def _cells(self, contact: Contact, ties: Ties) -> Iterator[str]:
        shown = next((employment.organization for employment in ties.employments if employment.is_shown), "")
        special = {
            "Organization Name": contact.organization_name or shown,
            "File As": "" if _is_composed(contact) else contact.display_name,
            "Birthday": _written(contact.birthday) if contact.HasField("birthday") else "",
            "Labels": MULTIPLE.join(_categories(contact)),
        }
        for name, field in _SINGLE.items():
            yield getattr(contact, field) if field else special.get(name, "")
        for field, (_, parts) in _LISTS.items():
            entries = getattr(contact, field)
            for index in range(self._sizes[field]):
                entry = entries[index] if index < len(entries) else None
                yield "" if entry is None else _label(entry)
                yield from ("" if entry is None else getattr(entry, part) for part in parts.values())
        if self._has_anniversary:
            date = _written(contact.anniversary) if contact.HasField("anniversary") else ""
            yield from (("Anniversary", date) if date else ("", ""))
        if self._own:
            own = _own_cells(contact, ties)
            yield from (own[name] for name in self._own)
        custom = json_format.MessageToDict(contact.custom_fields) if self._custom_fields else {}
        yield from (_text(custom.get(key)) for key in self._custom_fields)

    def _lost(self, contact: Contact, cells: Sequence[str]) -> Iterator[str]:
        """The fields of a contact that its row, read again, does not give back."""
        written = to_record(contact)
        row = self._columns.read(cells)
        read = _record(row)
        # Only what was set by hand is the contact's own.
        written["relationship_strength"] = contact.relationship_strength_pinned or None
        for field, columns in COLUMNS_OF_FIELD.items():
            if any(written[column] != read.get(column) for column in columns or (field,)):
                yield field
        if row is not None and list(row.categories) != _categories(contact):
            yield "tags"


def _record(row: ReadRow | None) -> dict[str, Any]:
    if row is None:
        return {}
    try:
        record, _ = imported_record(row.contact)
    except InvalidArgument:
        return {}
    return record


def _shown(contact: Contact, ties: Ties) -> Ties:
    """The ties, with the employment marked that stands in the column of the card's organization."""
    name = "" if contact.organization_name else contact.current_organization.name
    for index, employment in enumerate(ties.employments):
        if name and employment.is_current and employment.organization == name:
            marked = (*ties.employments[:index], employment._replace(is_shown=True), *ties.employments[index + 1 :])
            return ties._replace(employments=marked)
    return ties


def _own_cells(contact: Contact, ties: Ties) -> dict[str, str]:
    employments = [employment_json(employment) for employment in ties.employments]
    says_none = ties.has_history and contact.organization_name  # which would be read as one
    return {
        OWN_ID: "" if contact.source_uid else contact.id,
        OWN_UID: contact.source_uid,
        EMPLOYMENTS: as_text(employments) if employments or says_none else "",
        LINKS: as_text([relation_json(relation) for relation in ties.relations]) if ties.relations else "",
    }


def _line(cells: Sequence[str]) -> bytes:
    written = io.StringIO(newline="")
    csv.writer(written).writerow(cells)
    return written.getvalue().encode()


def _is_composed(contact: Contact) -> bool:
    names = ("given_name", "additional_names", "family_name", "honorific_prefixes", "honorific_suffixes", "nickname")
    parts: dict[str, Any] = {name: getattr(contact, name) for name in (*names, "organization_name")}
    parts |= {name: [{"value": entry.value} for entry in getattr(contact, name)[:1]] for name in ("emails", "phones")}
    return contact.display_name == composed_display_name(parts)


def _categories(contact: Contact) -> list[str]:
    names = [tag.name for tag in contact.tags]
    # Of contacts that were imported before imports wrote tags.
    return names or list(dict.fromkeys(name for line in contact.extra_properties for name in names_of(line)))


def _label(entry: Any) -> str:
    label = GOOGLE_LABELS.get(entry.label, entry.label)
    return f"* {label}" if entry.primary else label


def _written(date: PartialDate) -> str:
    if date.year and date.month and date.day:
        return f"{date.year:04}-{date.month:02}-{date.day:02}"
    if date.year:
        return f"{date.year:04}-{date.month:02}" if date.month else f"{date.year:04}"
    if date.month:
        return f"--{date.month:02}-{date.day:02}" if date.day else f"--{date.month:02}"
    return f"---{date.day:02}"


def _text(value: Any) -> str:
    """A custom field's value as a cell: texts as they are, others as JSON writes them."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer() and abs(value) < _LARGEST_EXACT:
        value = int(value)  # a Struct has no whole numbers
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
