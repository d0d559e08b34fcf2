"""Time zones as calendar files define them: VTIMEZONE (RFC 5545 §3.6.5), with what holds for ever as rules.

icalendar can make them too, but lists changes up to 2038 alone, and says of each gap that it begins when it ends: by
such a definition an hour of each year is another one.
"""

from __future__ import annotations

import calendar
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard, vRecur

from shared.time_zones import posix_rule, time_zone

# Changes are listed up to here where no rule says them.
LAST_YEAR = 2100

# Clocks do not change twice within it.
_STEP = timedelta(days=7)

_NAME = r"(?:<[^>]+>|[A-Za-z]+)"
_OFFSET = r"[+-]?\d+(?::\d+)*"
_CHANGE = r"M(\d+)\.(\d)\.(\d)(?:/([+-]?\d+(?::\d+)*))?"
_POSIX = re.compile(rf"{_NAME}{_OFFSET}{_NAME}(?:{_OFFSET})?,{_CHANGE},{_CHANGE}")
_WEEKDAYS = ("SU", "MO", "TU", "WE", "TH", "FR", "SA")


@dataclass(frozen=True, slots=True)
class Change:
    """One change of a zone's clocks. onset: when, as the clocks showed until then."""

    onset: datetime
    before: timedelta
    after: timedelta
    name: str
    daylight: bool

    @property
    def kind(self) -> tuple[timedelta, timedelta, str, bool]:
        """What changes of the same kind have in common."""
        return (self.before, self.after, self.name, self.daylight)


@lru_cache(maxsize=256)
def zone_definition(name: str, first_year: int) -> bytes:
    """The VTIMEZONE of a zone for local times from a year on, as lines of a calendar file."""
    zone = time_zone(name)
    begin = datetime(max(first_year - 1, 1), 1, 2, tzinfo=UTC)
    changes = _changes(zone, begin)
    lasting = _lasting(name, changes)
    ruled = {change for _, said in lasting for change in said}
    component = Timezone()
    component.add("TZID", name)
    _add(component, _state(zone, begin), None)
    listed: dict[tuple[timedelta, timedelta, str, bool], list[Change]] = defaultdict(list)
    for change in changes:
        if change not in ruled:
            listed[change.kind].append(change)
    for same in listed.values():
        _add(component, same[0], [change.onset for change in same[1:]])
    for rule, said in lasting:
        _add(component, said[0], rule)
    lines: bytes = component.to_ical()
    return lines


def _add(component: Timezone, first: Change, further: Sequence[datetime] | str | None) -> None:
    """further: the onsets after the first, or the rule that says them."""
    part = TimezoneDaylight() if first.daylight else TimezoneStandard()
    part.add("DTSTART", first.onset)
    part.add("TZOFFSETFROM", first.before)
    part.add("TZOFFSETTO", first.after)
    part.add("TZNAME", first.name)
    if isinstance(further, str):
        part.add("RRULE", vRecur.from_ical(further))
    elif further:
        part.add("RDATE", list(further))
    component.add_component(part)


def _state(zone: ZoneInfo, moment: datetime) -> Change:
    """What a zone's clocks show at a moment, as if they had always."""
    there = moment.astimezone(zone)
    offset = there.utcoffset() or timedelta()
    return Change(there.replace(tzinfo=None), offset, offset, there.tzname() or "", bool(there.dst()))


def _changes(zone: ZoneInfo, begin: datetime) -> list[Change]:
    """The changes from a moment to the last year, in order."""

    def shown(moment: datetime) -> tuple[timedelta | None, str | None]:
        there = moment.astimezone(zone)
        return there.utcoffset(), there.tzname()

    found = []
    here = begin
    while here.year < LAST_YEAR:
        there = here + _STEP
        if shown(here) != shown(there):
            low, high = here, there
            while high - low > timedelta(seconds=1):
                middle = low + timedelta(seconds=(high - low) // timedelta(seconds=1) // 2)
                low, high = (middle, high) if shown(middle) == shown(here) else (low, middle)
            before, after = _state(zone, here), _state(zone, high)
            found.append(
                Change(
                    (high + before.after).replace(tzinfo=None), before.after, after.after, after.name, after.daylight
                )
            )
        here = there
    return found


@dataclass(frozen=True, slots=True)
class Rule:
    """A day of each year and a time, as POSIX writes it (`M3.2.0/2`): the week-th weekday of a month, 5 for the last.

    weekday: 0 is Sunday. at: from midnight on; may be negative or more than a day.
    """

    month: int
    week: int
    weekday: int
    at: timedelta

    def onset(self, year: int) -> datetime:
        """When it is in a year."""
        first = datetime(year, self.month, 1)  # noqa: DTZ001 - local
        day = (self.weekday - first.isoweekday()) % 7 + 7 * (self.week - 1)
        if day >= calendar.monthrange(year, self.month)[1]:
            day -= 7
        return first + timedelta(days=day) + self.at

    @property
    def rrule(self) -> str | None:
        """The same as an RRULE; None where a year's length would matter."""
        days = self.at // timedelta(days=1)
        day = _WEEKDAYS[(self.weekday + days) % 7]
        if not days:
            return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={-1 if self.week == 5 else self.week}{day}"
        first = 7 * (self.week - 1) + 1 + days
        if self.week < 5 and first >= 1 and first + 6 <= 28:
            return f"FREQ=YEARLY;BYMONTH={self.month};BYDAY={day};BYMONTHDAY={_numbers(first)}"
        if self.month < 3:
            return None
        # The day may be one of another month. Counted from the year's end, it is the same in leap years.
        length = calendar.monthrange(2001, self.month)[1]
        rest = sum(calendar.monthrange(2001, month)[1] for month in range(self.month + 1, 13))
        last = length if self.week == 5 else 7 * self.week
        return f"FREQ=YEARLY;BYDAY={day};BYYEARDAY={_numbers(last - 6 + days - length - rest - 1)}"


def _numbers(first: int) -> str:
    return ",".join(str(first + i) for i in range(7))


def _lasting(name: str, changes: Sequence[Change]) -> list[tuple[str, list[Change]]]:
    """The rules that a zone's changes follow up to the last year, each with those changes, in order."""
    match = _POSIX.fullmatch(posix_rule(name))
    if match is None:
        return []
    found = []
    by_onset = {change.onset: change for change in changes}
    for month, week, weekday, at in (match.group(1, 2, 3, 4), match.group(5, 6, 7, 8)):
        rule = Rule(int(month), int(week), int(weekday), _duration(at or "2"))
        said: list[Change] = []
        for year in range(LAST_YEAR - 1, 0, -1):
            change = by_onset.get(rule.onset(year))
            if change is None or (said and change.kind != said[0].kind):
                break
            said.append(change)
        if said and rule.rrule is not None:
            found.append((rule.rrule, said[::-1]))
    return found


def _duration(text: str) -> timedelta:
    hours, *rest = (int(part) for part in text.lstrip("+-").split(":"))
    minutes, seconds = [*rest, 0, 0][:2]
    found = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    return -found if text.startswith("-") else found
