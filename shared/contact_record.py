"""The contact record: a Contact message as the columns of table contacts, checked and normalised, and back.

This is where every way in (create, update, batch, import) meets, so that a stored contact keeps the same rules
whichever way it came.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from google.protobuf import timestamp_pb2
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from shared import contact_limits as limits
from shared.contact_lists import checked_lists
from shared.contact_names import composed_display_name, sort_name
from shared.custom_fields import custom_fields_json
from shared.partial_date import NO_DATE, DateParts, date_parts
from shared.text import checked_line, checked_text
from shared.violations import Violations

_LINES = {
    "given_name": limits.NAME_PART,
    "family_name": limits.NAME_PART,
    "additional_names": limits.NAME_PART,
    "honorific_prefixes": limits.NAME_PART,
    "honorific_suffixes": limits.NAME_PART,
    "phonetic_given_name": limits.NAME_PART,
    "phonetic_family_name": limits.NAME_PART,
    "nickname": limits.NAME_PART,
    "display_name": limits.DISPLAY_NAME,
    "organization_name": limits.ORGANIZATION,
    "job_title": limits.ORGANIZATION,
    "source_uid": limits.SOURCE_UID,
    "photo_uri": limits.URI,
}

_DATE_COLUMNS = {date: (f"{date}_year", f"{date}_month", f"{date}_day") for date in ("birthday", "anniversary")}

# Fields that a caller may write → the columns that hold them. relationship_strength is kept in another table.
COLUMNS_OF_FIELD: dict[str, tuple[str, ...]] = {
    **{field: (field,) for field in _LINES},
    **{field: (field,) for field in ("emails", "phones", "addresses", "urls", "im_handles")},
    **_DATE_COLUMNS,
    **{field: (field,) for field in ("notes", "custom_fields", "keep_in_touch_days", "extra_properties")},
    "source_create_time": ("source_created_at",),
    "source_update_time": ("source_updated_at",),
    "relationship_strength": (),
}

OUTPUT_ONLY_FIELDS = frozenset(
    {
        *(
            "id",
            "tags",
            "current_organization",
            "relationship_strength_pinned",
            "last_contact_time",
            "next_contact_time",
        ),
        *("processing_restricted", "consent_state", "merged_into_id", "merge_id"),
        *("create_time", "update_time", "delete_time", "purge_time", "etag"),
    }
)

_ABSOLUTE_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+", re.ASCII)
_CONTENT_LINE = re.compile(
    r"(?:[A-Za-z0-9_-]+\.)?(?!(?:BEGIN|END|VERSION)[;:])[A-Za-z0-9_-]+[;:].*", re.ASCII | re.IGNORECASE
)


def to_record(contact: Contact, *, default_region: str = "", path: str = "contact") -> dict[str, Any]:
    """The columns of a contact, and its `relationship_strength` (None: not set); None for what it does not have.

    default_region: where phone numbers without a country code are read; '' for nowhere.
    path: how the request names the contact, for violations (`requests[3].contact`).
    Raises InvalidArgument with every field that breaks a rule.
    """
    violations = Violations()
    record: dict[str, Any] = {}
    for field, limit in _LINES.items():
        value: str = getattr(contact, field)
        record[field] = (checked_line(value, f"{path}.{field}", limit, violations) or None) if value else None
    record["notes"] = checked_text(contact.notes, f"{path}.notes", limits.NOTES, violations) or None
    record.update(checked_lists(contact, default_region, path, violations))
    for date, columns in _DATE_COLUMNS.items():
        record.update(zip(columns, _date(contact, date, path, violations), strict=True))
    record["custom_fields"] = None
    if contact.HasField("custom_fields"):
        record["custom_fields"] = custom_fields_json(contact.custom_fields, f"{path}.custom_fields", violations)
    record["extra_properties"] = _extra_properties(contact, path, violations)
    record["source_created_at"] = _time(contact, "source_create_time", path, violations)
    record["source_updated_at"] = _time(contact, "source_update_time", path, violations)
    record["keep_in_touch_days"] = _number(contact, "keep_in_touch_days", limits.KEEP_IN_TOUCH_DAYS, path, violations)
    record["relationship_strength"] = _number(
        contact, "relationship_strength", limits.STRONGEST_RELATIONSHIP, path, violations
    )
    if record["photo_uri"] and not _ABSOLUTE_URI.fullmatch(record["photo_uri"]):
        violations.add(f"{path}.photo_uri", "must be an absolute URI")
    violations.raise_if_any()
    record["display_name"] = record["display_name"] or composed_display_name(record)
    if not record["display_name"]:
        violations.add(path, "must have a name, a nickname, an organization, an e-mail address or a phone number")
        violations.raise_if_any()
    record["sort_name"] = sort_name(record)
    return record


def to_contact(row: Mapping[str, Any], besides: frozenset[str] = frozenset()) -> Contact:
    """The message of a row whose columns are named as the fields of Contact, but for the parts of its two dates.

    jsonb columns are lists and dicts, times are datetimes; NULL leaves a field unset, an unknown column raises.
    besides: columns that are there for the statement and not for the answer.
    """
    fields = {name: value for name, value in row.items() if value is not None and name not in besides}
    for date, (year, month, day) in _DATE_COLUMNS.items():
        if year in fields or month in fields or day in fields:
            fields[date] = PartialDate(
                year=fields.pop(year, None), month=fields.pop(month, None), day=fields.pop(day, None)
            )
    return Contact(**fields)


def columns_of(paths: Iterable[str]) -> set[str]:
    """The columns to write when these paths of Contact (`notes`, `birthday.year`) changed, and those made from them.

    Raises KeyError for a path that no caller may write.
    """
    written = {column for path in paths for column in COLUMNS_OF_FIELD[path.partition(".")[0]]}
    # A display name may have been composed of any of the others, and the sort name follows it.
    return written | {"display_name", "sort_name"} if written else written


def has_composed_name(record: Mapping[str, Any]) -> bool:
    """Whether a record's display name was composed: an update that does not name it then composes it anew."""
    return bool(record["display_name"] == composed_display_name(record))


def _date(contact: Contact, field: str, path: str, violations: Violations) -> DateParts:
    if not contact.HasField(field):
        return NO_DATE
    date: PartialDate = getattr(contact, field)
    try:
        parts = date_parts(date.year, date.month, date.day)
    except ValueError as problem:
        violations.add(f"{path}.{field}", str(problem))
        return NO_DATE
    if parts == NO_DATE:
        violations.add(f"{path}.{field}", "must have a year, a month or a day")
    return parts


def _number(contact: Contact, field: str, most: int, path: str, violations: Violations) -> int | None:
    value: int = getattr(contact, field)
    if not 0 <= value <= most:
        violations.add(f"{path}.{field}", f"must be 1 to {most}, or 0 for none")
    return value or None


def _time(contact: Contact, field: str, path: str, violations: Violations) -> datetime | None:
    if not contact.HasField(field):
        return None
    time: timestamp_pb2.Timestamp = getattr(contact, field)
    try:
        return time.ToDatetime(UTC)
    except (ValueError, OverflowError):
        violations.add(f"{path}.{field}", "must be a time in the years 1 to 9999")
        return None


def _extra_properties(contact: Contact, path: str, violations: Violations) -> list[str] | None:
    given = contact.extra_properties
    if not given:
        return None
    if len(given) > limits.EXTRA_PROPERTIES:
        violations.add(f"{path}.extra_properties", f"must have at most {limits.EXTRA_PROPERTIES} lines")
        return None
    lines: list[str] = []
    for index, line in enumerate(given):
        where = f"{path}.extra_properties[{index}]"
        checked = checked_line(line, where, limits.EXTRA_PROPERTIES_BYTES, violations)
        if not _CONTENT_LINE.fullmatch(checked):
            violations.add(where, "must be a content line of vCard, NAME:value, other than BEGIN, END and VERSION")
        lines.append(checked)
    if sum(len(line.encode()) for line in lines) > limits.EXTRA_PROPERTIES_BYTES:
        violations.add(f"{path}.extra_properties", f"must have at most {limits.EXTRA_PROPERTIES_BYTES} bytes together")
    return lines
