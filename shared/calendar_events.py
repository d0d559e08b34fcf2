"""Reminders and birthdays as events of a calendar file (RFC 5545)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Alarm, Event, vRecur

from shared.recurrence import Recurrence
from shared.recurrence_rule import Rule
from shared.reminder_scheduling import Plan, recurrence_of
from shared.time_zones import to_utc

# 1 is the highest of RFC 5545 §3.8.1.9, 9 the lowest.
PRIORITIES = {1: 7, 2: 5, 3: 3, 4: 1}

# Where birthdays begin whose year is not known: a year that has a 29 February.
YEAR_OF_THE_UNKNOWN = 1972

# What no text of a calendar file may hold (RFC 5545 §3.1): controls other than tabs and line ends.
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True, slots=True)
class Entry:
    """One event's lines. zone, year: the zone whose definition the file needs, None for UTC, and from when."""

    lines: bytes
    zone: str | None = None
    year: int = 0


def reminder_entry(row: Mapping[str, Any], plan: Plan) -> Entry | None:
    """A reminder; None while it has no occurrence at all. Searches for the first one: not on the event loop.

    row: of reminder_rows. plan: the same reminder's, as it was derived last.
    """
    recurrence = recurrence_of(plan)
    first = next(recurrence.after(None), None) if recurrence is not None else None
    if recurrence is None or first is None:
        return None
    event = Event()
    event.add("UID", f"{row['id']}@pmcrm")
    event.add("DTSTAMP", _moment(row["update_time"]))
    event.add("CREATED", _moment(row["create_time"]))
    event.add("LAST-MODIFIED", _moment(row["update_time"]))
    event.add("SUMMARY", _text(row["title"]))
    if row["notes"]:
        event.add("DESCRIPTION", _text(row["notes"]))
    event.add("PRIORITY", PRIORITIES[row["priority"]])
    event.add("TRANSP", "TRANSPARENT")
    utc = plan.zone == "UTC"
    if utc:
        event.add("DTSTART", first.local.replace(tzinfo=UTC))
    else:
        event.add("DTSTART", first.local, parameters={"TZID": plan.zone})
    if recurrence.rule is not None:
        event.add("RRULE", vRecur.from_ical(written(recurrence.rule, recurrence)))
    for lead in () if plan.muted else sorted(set(plan.leads)):
        event.add_component(_alarm(row["title"], timedelta(seconds=lead)))
    lines: bytes = event.to_ical()
    return Entry(lines, None if utc else plan.zone, first.local.year)


def birthday_entry(row: Mapping[str, Any]) -> Entry:
    """The birthday of a contact as an event of whole days, every year. row: of calendar_birthdays."""
    month, day = row["birthday_month"], row["birthday_day"]
    event = Event()
    event.add("UID", f"birthday-{row['id']}@pmcrm")
    event.add("DTSTAMP", _moment(row["updated_at"]))
    event.add("SUMMARY", _text(f"Birthday of {row['display_name']}" if row["display_name"] else "Birthday"))
    event.add("DTSTART", date(row["birthday_year"] or YEAR_OF_THE_UNKNOWN, month, day))
    leap = (month, day) == (2, 29)
    event.add("RRULE", vRecur.from_ical("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1" if leap else "FREQ=YEARLY"))
    event.add("TRANSP", "TRANSPARENT")
    event.add("CATEGORIES", ["BIRTHDAY"])
    lines: bytes = event.to_ical()
    return Entry(lines)


def written(rule: Rule, recurrence: Recurrence) -> str:
    """A rule as calendars read it: beside a start with a time zone, UNTIL is in UTC (RFC 5545 §3.3.10)."""
    parts = dict(part.split("=", 1) for part in rule.text.split(";"))
    if rule.until is not None:
        until = rule.until if rule.until.tzinfo else to_utc(rule.until, recurrence.zone)
        parts["UNTIL"] = until.strftime("%Y%m%dT%H%M%SZ")
    if rule.bysecond:
        parts["BYSECOND"] = ",".join(map(str, rule.bysecond))
    return ";".join(f"{name}={value}" for name, value in parts.items())


def _alarm(title: str, lead: timedelta) -> Alarm:
    alarm = Alarm()
    alarm.add("ACTION", "DISPLAY")
    alarm.add("DESCRIPTION", _text(title))
    alarm.add("TRIGGER", -lead)
    return alarm


def _moment(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(microsecond=0)


def _text(text: str) -> str:
    return _CONTROLS.sub("", text)
