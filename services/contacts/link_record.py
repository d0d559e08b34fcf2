"""A ContactLink message as the columns of table contact_links, checked and normalised, and rows of the view
contact_link_sides as messages.

A directed type is stored under one of its two names; whoever names the other one gets the link turned round.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pmcrm.contacts.v1.contact_link_pb2 import (
    CONTACT_LINK_TYPE_UNSPECIFIED,
    ContactLink,
    ContactLinkType,
)
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from shared.caller import parse_uuid
from shared.errors import InvalidArgument
from shared.fields import UUID_WANTED
from shared.partial_date import NO_DATE, DateParts, date_parts
from shared.text import checked_line, checked_text
from shared.violations import Violations

LINKS_OF_A_CONTACT = 1_000
LABEL = 100
NOTES = 10_000

# Names of directed types that no row holds → the name of the reverse, which is stored.
STORED_REVERSE = {"CHILD": "PARENT", "REPORT": "MANAGER", "INTRODUCED": "INTRODUCED_BY", "ASSISTED": "ASSISTANT"}

OTHER_CONTACT_WANTED = "must be another contact than contact_id"

_PREFIX = "CONTACT_LINK_TYPE_"
_DATE_COLUMNS = ("start_year", "start_month", "start_day")
# Columns that statements need and answers do not have.
_BESIDES = frozenset(
    {
        *("user_id", "link_key", "contact_key", "as_stored", "related_deleted", "related_restricted"),
        *("type_order", "position"),
    }
)


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A checked link. contact_id and related_contact_id are as they were asked for; type is as it is stored.

    turned: whether the link is stored from the related contact's side.
    """

    contact_id: uuid.UUID
    related_contact_id: uuid.UUID
    type: str
    turned: bool
    label: str | None
    start: DateParts
    notes: str | None


def to_record(link: ContactLink, path: str) -> LinkRecord:
    """What is to be stored of a link. Raises InvalidArgument with every field that breaks a rule.

    path: how the request names the link, for violations.
    """
    violations = Violations()
    contact_id = _uuid(link.contact_id, f"{path}.contact_id", violations)
    related_id = _uuid(link.related_contact_id, f"{path}.related_contact_id", violations)
    if contact_id is not None and contact_id == related_id:
        violations.add(f"{path}.related_contact_id", OTHER_CONTACT_WANTED)
    name = type_name(link.type)
    if name is None:
        violations.add(f"{path}.type", "must be one of the types")
    label = checked_line(link.label, f"{path}.label", LABEL, violations) or None
    start = _start_date(link, path, violations)
    notes = checked_text(link.notes, f"{path}.notes", NOTES, violations) or None
    if violations or contact_id is None or related_id is None or name is None:
        raise InvalidArgument(violations.found)
    stored = STORED_REVERSE.get(name, name)
    return LinkRecord(contact_id, related_id, stored, stored != name, label, start, notes)


def type_name(value: ContactLinkType) -> str | None:
    """A type's name as rows of contact_link_sides hold it (`PARENT`), or None for none and for an unknown number."""
    if value == CONTACT_LINK_TYPE_UNSPECIFIED or value not in ContactLinkType.values():
        return None
    return ContactLinkType.Name(value).removeprefix(_PREFIX)


def to_link(row: Mapping[str, Any], grace_days: int) -> ContactLink:
    """The link that a row of contact_link_sides shows, seen from that row's contact.

    grace_days: how long after its removal a link is purged; the source of purge_time.
    """
    fields = {name: value for name, value in row.items() if value is not None and name not in _BESIDES}
    start = {part: fields.pop(column, None) for part, column in zip(DateParts._fields, _DATE_COLUMNS, strict=True)}
    if any(start.values()):
        fields["start_date"] = PartialDate(**start)
    fields["type"] = _PREFIX + fields["type"]
    link = ContactLink(**fields)
    removed = row["delete_time"]
    if removed is not None:
        link.purge_time.FromDatetime(removed + timedelta(days=grace_days))
    return link


def _uuid(text: str, field: str, violations: Violations) -> uuid.UUID | None:
    value = parse_uuid(text)
    if value is None:
        violations.add(field, UUID_WANTED)
    return value


def _start_date(link: ContactLink, path: str, violations: Violations) -> DateParts:
    if not link.HasField("start_date"):
        return NO_DATE
    date = link.start_date
    try:
        parts = date_parts(date.year, date.month, date.day)
    except ValueError as problem:
        violations.add(f"{path}.start_date", str(problem))
        return NO_DATE
    if parts == NO_DATE:
        violations.add(f"{path}.start_date", "must have a year, a month or a day")
    return parts
