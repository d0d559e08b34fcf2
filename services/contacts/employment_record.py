"""An Employment message as the columns of table contact_employments, checked and normalised, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from services.contacts import organization_limits as limits
from shared.partial_date import NO_DATE, DateParts, date_parts
from shared.text import checked_line, checked_text
from shared.violations import Violations

_LINES = ("job_title", "department", "location")
_DATES = {"start_date": ("start_year", "start_month", "start_day"), "end_date": ("end_year", "end_month", "end_day")}

WRITABLE = frozenset({*_LINES, *_DATES, "current", "notes"})
# Written once, when the employment is added.
FIXED = frozenset({"contact_id", "organization_id"})
OUTPUT_ONLY = frozenset(
    {
        *("id", "contact", "organization_name"),
        *("create_time", "update_time", "delete_time", "purge_time", "etag"),
    }
)


def to_record(employment: Employment, path: str) -> dict[str, Any]:
    """The columns of an employment but for the ids; None for what it does not have.

    path: how the request names the employment, for violations.
    Raises InvalidArgument with every field that breaks a rule.
    """
    violations = Violations()
    record: dict[str, Any] = {"is_current": employment.current}
    for field in _LINES:
        line = checked_line(getattr(employment, field), f"{path}.{field}", limits.EMPLOYMENT_LINE, violations)
        record[field] = line or None
    record["notes"] = checked_text(employment.notes, f"{path}.notes", limits.EMPLOYMENT_NOTES, violations) or None
    dates = {field: _date(employment, field, path, violations) for field in _DATES}
    for field, columns in _DATES.items():
        record.update(zip(columns, dates[field], strict=True))
    if is_before(dates["end_date"], dates["start_date"]):
        violations.add(f"{path}.end_date", "must not be before start_date")
    if employment.current and employment.HasField("end_date"):
        violations.add(f"{path}.current", "must not go with an end_date")
    violations.raise_if_any()
    return record


def to_employment(row: Mapping[str, Any], grace_days: int) -> Employment:
    """The message of a row of get_employments, whose columns are named as the fields of Employment, but for the parts
    of its dates.

    grace_days: how long after its removal an employment is purged; the source of purge_time.
    """
    fields = {name: value for name, value in row.items() if value is not None}
    for field, (year, month, day) in _DATES.items():
        parts = PartialDate(year=fields.pop(year, None), month=fields.pop(month, None), day=fields.pop(day, None))
        if parts.ByteSize():
            fields[field] = parts
    employment = Employment(**fields)
    if row["delete_time"] is not None:
        employment.purge_time.FromDatetime(row["delete_time"] + timedelta(days=grace_days))
    return employment


def is_before(date: DateParts, other: DateParts) -> bool:
    """Whether a date is before another one, as far as both are known. 2020 is not before May 2020, nor May before June
    when neither has a year."""
    for part, of_other in zip(date, other, strict=True):
        if part is None or of_other is None:
            return False
        if part != of_other:
            return part < of_other
    return False


def _date(employment: Employment, field: str, path: str, violations: Violations) -> DateParts:
    if not employment.HasField(field):
        return NO_DATE
    date: PartialDate = getattr(employment, field)
    try:
        parts = date_parts(date.year, date.month, date.day)
    except ValueError as problem:
        violations.add(f"{path}.{field}", str(problem))
        return NO_DATE
    if parts == NO_DATE:
        violations.add(f"{path}.{field}", "must have a year, a month or a day")
    return parts
