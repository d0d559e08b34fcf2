"""Where the local times of a rule are found: by dateutil, one stretch of periods after another.

dateutil looks for the next match as long as it takes, up to the year 9999, and cannot be stopped while it does. So it
is only asked what it answers soon: single years and months, or rules that match in each of their periods, whose days
are filtered here.
"""

from __future__ import annotations

import itertools
from calendar import monthrange
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import MAXYEAR, datetime, timedelta
from typing import Any, cast

from dateutil.rrule import DAILY, HOURLY, MONTHLY, WEEKLY, YEARLY, rrule

from shared.recurrence_rule import WEEKDAYS, Rule
from shared.time_zones import LAST

# Periods that are searched at a time: a few milliseconds each at most.
STRETCH = {YEARLY: 2, MONTHLY: 12, WEEKLY: 52, DAILY: 92, HOURLY: 168}

# So many periods without a match end a search: some hundredths of a second. 400 years are all there are of years, since
# the calendar repeats itself; of the others, so many are decades or more.
MOST_FRUITLESS = {YEARLY: 400, MONTHLY: 1_200, WEEKLY: 5_000, DAILY: 5_000, HOURLY: 10_000}

# Periods that one search goes through at most; about half a second.
MOST_PERIODS = {YEARLY: 10_000, MONTHLY: 12_000, WEEKLY: 50_000, DAILY: 50_000, HOURLY: 50_000}

# Of the periods that all have the same length.
LENGTH = {WEEKLY: timedelta(weeks=1), DAILY: timedelta(days=1), HOURLY: timedelta(hours=1)}

_SECOND = timedelta(seconds=1)
_EVERY_DAY = tuple(WEEKDAYS.values())


class Search:
    """The local times of a rule from a start on, without regard to COUNT and UNTIL."""

    def __init__(self, start: datetime, rule: Rule) -> None:
        self._start = start
        self._rule = _by_years(_completed(rule, start))
        self._origin = _begin_of_period(start, self._rule)

    def after(self, first: datetime) -> Iterator[datetime]:
        """The local times from one on, to the year 9999; ends earlier when there is none for long."""
        period = self._rule.freq
        fruitless = 0
        number = self.stretch_of(first)
        for _ in range(MOST_PERIODS[period] // STRETCH[period]):
            if fruitless > MOST_FRUITLESS[period] or self._begin(number) is None:
                return
            fruitless += STRETCH[period]
            for local in self.stretch(number):
                if local >= first:
                    fruitless = 0
                    yield local
            number += 1

    def may_come(self) -> bool:
        """Whether a rule names any day and position at all: a quick answer where looking for its first takes long."""
        rule = self._rule
        if rule.freq in LENGTH and rule.bysetpos:
            times = len(rule.byminute) * len(rule.bysecond)
            size = times if rule.freq == HOURLY else times * len(rule.byhour) * (len(rule.byday) or 1)
            if all(abs(position) > size for position in rule.bysetpos):
                return False
        if rule.freq in (YEARLY, MONTHLY) or not (rule.bymonth or rule.bymonthday or rule.byyearday):
            return True
        by_days = replace(rule, freq=YEARLY, interval=1, bysetpos=(), byday=rule.byday or _EVERY_DAY, byhour=(0,))
        return next(Search(self._origin, by_days).after(self._origin), None) is not None

    def stretch_of(self, local: datetime) -> int:
        """In which stretch a local time lies; the first for one before the start."""
        period, origin = self._rule.freq, self._origin
        if local <= origin:
            return 0
        if period == YEARLY:
            passed = local.year - origin.year
        elif period == MONTHLY:
            passed = (local.year - origin.year) * 12 + local.month - origin.month
        else:
            passed = (local - origin) // LENGTH[period]
        return passed // (self._rule.interval * STRETCH[period])

    def stretch(self, number: int) -> Iterator[datetime]:
        """The local times of one stretch, in order, without those before the start."""
        found = self._period_by_period(number) if self._rule.freq in (YEARLY, MONTHLY) else self._filtered(number)
        return (local for local in found if local >= self._start)

    def _period_by_period(self, number: int) -> Iterator[datetime]:
        """Years and months, each asked for alone: with so long an interval there is no second one."""
        rule = self._rule
        every = MAXYEAR if rule.freq == YEARLY else 12 * MAXYEAR
        for i in range(STRETCH[rule.freq]):
            begin = self._begin(number, i)
            if begin is None:
                return
            if rule.freq == MONTHLY and rule.bymonth and begin.month not in rule.bymonth:
                continue
            yield from rrule(
                cast("Any", rule.freq),
                dtstart=begin,
                interval=every,
                wkst=rule.wkst,
                bymonth=rule.bymonth or None,
                byweekno=rule.byweekno or None,
                byyearday=rule.byyearday or None,
                bymonthday=rule.bymonthday or None,
                byweekday=rule.byday or None,
                byhour=rule.byhour,
                byminute=rule.byminute,
                bysecond=rule.bysecond,
                bysetpos=rule.bysetpos or None,
            )

    def _filtered(self, number: int) -> Iterator[datetime]:
        """Weeks, days and hours: every one has a match, of which days and positions are filtered."""
        begin, end = self._begin(number), self._begin(number + 1)
        if begin is None:
            return iter(())
        found = (local for local in self._every(begin, end) if self._passes(local))
        return self._at_positions(found) if self._rule.bysetpos else found

    def _every(self, begin: datetime, end: datetime | None) -> Iterator[datetime]:
        """Weeks, days and hours without filters."""
        rule = self._rule
        try:
            yield from rrule(
                cast("Any", rule.freq),
                dtstart=begin,
                interval=rule.interval,
                wkst=rule.wkst,
                until=LAST if end is None else end - _SECOND,
                byweekday=rule.byday if rule.freq == WEEKLY else None,
                byhour=rule.byhour or None,
                byminute=rule.byminute,
                bysecond=rule.bysecond,
            )
        except ValueError:
            # So dateutil says that an HOURLY rule's interval never comes to its hours, and that the year 9999 is over.
            return

    def _passes(self, local: datetime) -> bool:
        """Whether the day is one that the rule's BY parts name."""
        rule = self._rule
        if rule.bymonth and local.month not in rule.bymonth:
            return False
        if rule.byday and not any(day.weekday == local.weekday() for day in rule.byday):
            return False
        if rule.bymonthday:
            from_end = local.day - monthrange(local.year, local.month)[1] - 1
            if local.day not in rule.bymonthday and from_end not in rule.bymonthday:
                return False
        if rule.byyearday:
            days = 365 + (monthrange(local.year, 2)[1] == 29)
            day = local.timetuple().tm_yday
            return day in rule.byyearday or day - days - 1 in rule.byyearday
        return True

    def _at_positions(self, found: Iterable[datetime]) -> Iterator[datetime]:
        """BYSETPOS: of each period, the local times at the positions."""
        length = LENGTH[self._rule.freq]
        for _, group in itertools.groupby(found, key=lambda local: (local - self._origin) // length):
            times = list(group)
            size = len(times)
            places = {p - 1 if p > 0 else size + p for p in self._rule.bysetpos}
            yield from (times[place] for place in sorted(places) if 0 <= place < size)

    def _begin(self, number: int, period: int = 0) -> datetime | None:
        """When a period of a stretch begins; None after the year 9999."""
        freq, origin = self._rule.freq, self._origin
        passed = (number * STRETCH[freq] + period) * self._rule.interval
        try:
            if freq == YEARLY:
                return origin.replace(year=origin.year + passed)
            if freq == MONTHLY:
                years, month = divmod(origin.month - 1 + passed, 12)
                return origin.replace(year=origin.year + years, month=month + 1)
            return origin + passed * LENGTH[freq]
        except (ValueError, OverflowError):
            return None


def _completed(rule: Rule, start: datetime) -> Rule:
    """The rule with what it leaves to the start written into it (RFC 5545 §3.3.10)."""
    names_days = bool(rule.byweekno or rule.byyearday or rule.bymonthday or rule.byday)
    weekday = (_EVERY_DAY[start.weekday()],)
    if rule.freq == YEARLY and not names_days:
        rule = replace(rule, bymonth=rule.bymonth or (start.month,), bymonthday=(start.day,))
    elif rule.freq == YEARLY and rule.byweekno and not (rule.byyearday or rule.bymonthday or rule.byday):
        # The number of a week names seven days. dateutil would take them all.
        rule = replace(rule, byday=weekday)
    elif rule.freq == MONTHLY and not names_days:
        rule = replace(rule, bymonthday=(start.day,))
    elif rule.freq == WEEKLY and not names_days:
        rule = replace(rule, byday=weekday)
    if any(day.n for day in rule.byday) and not all(day.n for day in rule.byday):
        # dateutil would take only the days that are both: `TH,1WE` is every Thursday and the first Wednesday.
        numbers = range(1, 6 if rule.freq == MONTHLY or rule.bymonth else 54)
        rule = replace(rule, byday=tuple(d for day in rule.byday for d in ([day] if day.n else map(day, numbers))))
    return replace(
        rule,
        byhour=rule.byhour or (() if rule.freq == HOURLY else (start.hour,)),
        byminute=rule.byminute or (start.minute,),
        bysecond=rule.bysecond or (start.second,),
    )


def _by_years(rule: Rule) -> Rule:
    """The same rule by years, in which days that seldom come are found much faster, where there is such a rule."""
    seldom = rule.bymonth or rule.bymonthday or rule.byyearday
    if rule.freq == YEARLY or not seldom or rule.interval > 1 or rule.bysetpos:
        return rule
    if rule.freq == MONTHLY and not rule.bymonth:
        # Numbered days are those of a month only while months are named.
        return rule
    days = rule.byday or (() if rule.freq == MONTHLY else _EVERY_DAY)
    return replace(rule, freq=YEARLY, byday=days, byhour=rule.byhour or tuple(range(24)))


def _begin_of_period(start: datetime, rule: Rule) -> datetime:
    if rule.freq == HOURLY:
        return start.replace(minute=0, second=0)
    day = start.replace(hour=0, minute=0, second=0)
    if rule.freq == WEEKLY:
        return day - timedelta(days=(day.weekday() - rule.wkst.weekday) % 7)
    if rule.freq == MONTHLY:
        return day.replace(day=1)
    return day.replace(month=1, day=1) if rule.freq == YEARLY else day
