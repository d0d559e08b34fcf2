"""When something recurs: a start in local time, a time zone, and a rule.

Occurrences are found in local time from the start on and converted afterwards, so that a rule for 02:30 stays at 02:30
when the clocks change, and one for the 31st does not slip to the 28th. `shared.recurrence_search` finds them a stretch
at a time, in the start's own rhythm: one that lies far from the start is reached without all those before it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from zoneinfo import ZoneInfo

from shared.recurrence_rule import Rule, RuleUnsupported
from shared.recurrence_search import Search
from shared.time_zones import FIRST, LAST, is_skipped, to_local, to_utc

# A zone's clocks never jump further: what is later by so much on the clocks is later in time.
LONGEST_JUMP = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occurrence. local: as the rule gives it, also where the clocks skip it. time: when that is, in UTC."""

    local: datetime
    time: datetime


class Recurrence:
    """All occurrences of a rule from a start on, in time. Without a rule the start is the only one.

    Searching takes the processor for milliseconds, hostile rules for up to half a second: not on the event loop.
    """

    def __init__(self, start: datetime, zone: ZoneInfo, rule: Rule | None) -> None:
        self.start = start
        self.zone = zone
        self.rule = rule
        self._search = Search(start, rule) if rule is not None else None

    def check(self) -> None:
        """Raises RuleUnsupported for a rule that never comes."""
        if self._search is not None and (not self._search.may_come() or next(self.after(None), None) is None):
            raise RuleUnsupported("must come at some time, and not too seldom")

    def after(self, local: datetime | None) -> Iterator[Occurrence]:
        """The occurrences later than the one at a local time, in time; from the first one without it."""
        if local is None:
            return self._timed(self._locals(self.start))
        passed = to_utc(local, self.zone)
        found = self._timed(self._locals(_earlier(local)))
        return itertools.dropwhile(lambda one: one.time <= passed, found)

    def at_or_after(self, moment: datetime) -> Iterator[Occurrence]:
        """The occurrences from a moment on."""
        found = self._timed(self._locals(_earlier(_on_the_clock(moment, self.zone))))
        return itertools.dropwhile(lambda one: one.time < moment, found)

    def holds(self, local: datetime) -> bool:
        """Whether there is an occurrence at a local time."""
        return next(self._locals(local), None) == local

    def latest(self, after: datetime | None, until: datetime) -> Occurrence | None:
        """The last occurrence up to a moment that is later than the one at a local time, if there is any."""
        passed = to_utc(after, self.zone) if after is not None else datetime.min.replace(tzinfo=UTC)
        if until <= passed:
            return None
        if self._search is None:
            found = [one for one in self._timed(iter([self.start])) if passed < one.time <= until]
            return found[-1] if found else None
        first = self._search.stretch_of(_earlier(max(after or self.start, self.start)))
        last = self._search.stretch_of(min(_later(_on_the_clock(until, self.zone)), self._end))
        for number in range(last, first - 1, -1):
            locals_there = (local for local in self._search.stretch(number) if local <= self._end)
            found = [one for one in self._timed(locals_there) if passed < one.time <= until]
            if found:
                return found[-1]
        return None

    def _timed(self, locals_: Iterator[datetime]) -> Iterator[Occurrence]:
        """Local times as occurrences, each moment once, as far as an UNTIL in UTC lets them."""
        until = self.rule.until if self.rule is not None and self.rule.until and self.rule.until.tzinfo else None
        last: datetime | None = None
        for one in self._in_time(locals_):
            if until is not None and one.time > until:
                return
            if last is None or one.time > last:
                yield one
                last = one.time

    def _in_time(self, locals_: Iterator[datetime]) -> Iterator[Occurrence]:
        """Local times in the order of time: one that the clocks skip comes after some that follow it on the clocks."""
        waiting: list[Occurrence] = []
        for local in locals_:
            try:
                one = Occurrence(local, to_utc(local, self.zone))
            except OverflowError:
                break
            if is_skipped(local, self.zone):
                waiting.append(one)
                continue
            while waiting and waiting[0].time <= one.time:
                yield waiting.pop(0)
            yield one
        yield from waiting

    @cached_property
    def _end(self) -> datetime:
        """The last local time that may be an occurrence."""
        rule, end, last = self.rule, LAST, self.start
        if rule is None or self._search is None:
            return self.start
        if rule.until is not None:
            end = _later(_on_the_clock(rule.until, self.zone)) if rule.until.tzinfo else rule.until
        if rule.count is not None:
            # One that is too seldom to be counted to its end, ends where counting did.
            for local in itertools.islice(self._search.after(self.start), rule.count):
                last = local
            end = min(end, last)
        return end

    def _locals(self, first: datetime) -> Iterator[datetime]:
        """The local times from one on, up to the end of the rule."""
        if self._search is None:
            return iter([self.start] if self.start >= first else [])
        return itertools.takewhile(lambda local: local <= self._end, self._search.after(first))


def _on_the_clock(moment: datetime, zone: ZoneInfo) -> datetime:
    """The local time at a moment; the first or last that there is where the zone is in another millennium already."""
    try:
        return to_local(moment, zone)
    except OverflowError:
        return LAST if moment.year > 1 else FIRST


def _later(local: datetime) -> datetime:
    return LAST if LAST - local < LONGEST_JUMP else local + LONGEST_JUMP


def _earlier(local: datetime) -> datetime:
    return FIRST if local - FIRST < LONGEST_JUMP else local - LONGEST_JUMP
