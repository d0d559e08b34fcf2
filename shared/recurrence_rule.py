"""The rule of a recurrence: the value of an RRULE (RFC 5545 §3.3.10), read strictly.

dateutil reads rules too, but takes more than RFC 5545 allows (BYEASTER, several lines, a DTSTART) and reports nothing
that a caller could use.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from dateutil.rrule import DAILY, FR, HOURLY, MO, MONTHLY, SA, SU, TH, TU, WE, WEEKLY, YEARLY, weekday

FREQUENCIES = {"HOURLY": HOURLY, "DAILY": DAILY, "WEEKLY": WEEKLY, "MONTHLY": MONTHLY, "YEARLY": YEARLY}
TOO_FREQUENT = ("SECONDLY", "MINUTELY")
WEEKDAYS = {"MO": MO, "TU": TU, "WE": WE, "TH": TH, "FR": FR, "SA": SA, "SU": SU}

# What no reminder needs and what would take long to count.
LARGEST_INTERVAL = 10_000
LARGEST_COUNT = 1_000
# Every quarter of an hour.
MOST_A_DAY = 96

_NUMBER = re.compile(r"[+-]?[0-9]{1,6}")
_DAY = re.compile(r"(?P<n>[+-]?[0-9]{1,2})?(?P<day>MO|TU|WE|TH|FR|SA|SU)")
_UNTIL = re.compile(r"[0-9]{8}(?:T[0-9]{6}Z?)?")


class RuleMalformed(ValueError):
    """The text is no rule. Says which part of RFC 5545 it breaks, without repeating what was typed."""


class RuleUnsupported(ValueError):
    """The rule is well-formed and recurs too often, or never."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule whose parts are known to be in range and to go together; () for a list that is not given.

    until: aware (UTC) as written with Z, else naive: local time, the end of the day when only a date was written.
    text: the rule in upper case, as it is stored and answered.
    """

    text: str
    freq: int
    interval: int = 1
    count: int | None = None
    until: datetime | None = None
    wkst: weekday = MO
    bymonth: tuple[int, ...] = ()
    byweekno: tuple[int, ...] = ()
    byyearday: tuple[int, ...] = ()
    bymonthday: tuple[int, ...] = ()
    byday: tuple[weekday, ...] = ()
    byhour: tuple[int, ...] = ()
    byminute: tuple[int, ...] = ()
    bysecond: tuple[int, ...] = ()
    bysetpos: tuple[int, ...] = ()


def read_rule(text: str) -> Rule:
    """The rule that a text writes. Raises RuleMalformed, and RuleUnsupported for one that recurs too often."""
    text = text.strip().upper()
    parts: dict[str, str] = {}
    for part in text.split(";"):
        name, equals, value = part.partition("=")
        if not equals or not value:
            raise RuleMalformed("must be parts such as FREQ=DAILY, separated by semicolons")
        if name in parts:
            raise RuleMalformed("must not hold a part twice")
        if name not in _READERS and name != "FREQ":
            raise RuleMalformed("must hold only the parts of an RRULE of RFC 5545, without a name before them")
        parts[name] = value
    frequency = parts.pop("FREQ", None)
    if frequency in TOO_FREQUENT:
        raise RuleUnsupported("must not recur by the second or the minute")
    if frequency not in FREQUENCIES:
        raise RuleMalformed("must say FREQ: HOURLY, DAILY, WEEKLY, MONTHLY or YEARLY")
    values: dict[str, Any] = {name.lower(): _READERS[name](value) for name, value in parts.items()}
    rule = Rule(text, FREQUENCIES[frequency], **values)
    _check_together(rule)
    _check_density(rule)
    return rule


def _check_together(rule: Rule) -> None:
    """What RFC 5545 says of parts beside each other."""
    if rule.count is not None and rule.until is not None:
        raise RuleMalformed("must not hold both COUNT and UNTIL")
    if rule.byweekno and rule.freq != YEARLY:
        raise RuleMalformed("must not hold BYWEEKNO unless it is YEARLY")
    if rule.byyearday and rule.freq in (DAILY, WEEKLY, MONTHLY):
        raise RuleMalformed("must not hold BYYEARDAY when it is DAILY, WEEKLY or MONTHLY")
    if rule.bymonthday and rule.freq == WEEKLY:
        raise RuleMalformed("must not hold BYMONTHDAY when it is WEEKLY")
    if any(day.n for day in rule.byday) and (rule.freq not in (MONTHLY, YEARLY) or rule.byweekno):
        raise RuleMalformed("must number days only when it is MONTHLY, or YEARLY without BYWEEKNO")
    if (rule.freq == MONTHLY or rule.bymonth) and any(abs(day.n or 0) > 5 for day in rule.byday):
        raise RuleMalformed("must number the days of a month from 1 to 5 or from -1 to -5")
    others = (rule.bymonth, rule.byweekno, rule.byyearday, rule.bymonthday, rule.byday, rule.byhour, rule.byminute)
    if rule.bysetpos and not any(others) and not rule.bysecond:
        raise RuleMalformed("must not hold BYSETPOS without another BY part")


def _check_density(rule: Rule) -> None:
    if len(rule.bysecond) > 1:
        raise RuleUnsupported("must not recur by the second")
    hours = len(rule.byhour) or (max(24 // rule.interval, 1) if rule.freq == HOURLY else 1)
    if hours * (len(rule.byminute) or 1) > MOST_A_DAY:
        raise RuleUnsupported(f"must not recur more than {MOST_A_DAY} times a day")


def _between(low: int, high: int, text: str) -> int:
    if not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
        raise RuleMalformed(f"must have whole numbers from {low} to {high} there, or fewer")
    return int(text)


def _one(low: int, high: int) -> Callable[[str], int]:
    return lambda text: _between(low, high, text)


def _numbers(low: int, high: int, *, negative: bool = False) -> Callable[[str], tuple[int, ...]]:
    def read(text: str) -> tuple[int, ...]:
        found = {_between(-high if negative else low, high, one) for one in text.split(",")}
        if negative and 0 in found:
            raise RuleMalformed("must not number anything 0")
        return tuple(sorted(found))

    return read


def _seconds(text: str) -> tuple[int, ...]:
    # 60 is a leap second. Who knows of none takes it for the second before (RFC 5545 §3.3.12).
    return tuple(sorted({min(second, 59) for second in _numbers(0, 60)(text)}))


def _days(text: str) -> tuple[weekday, ...]:
    found = []
    for one in text.split(","):
        match = _DAY.fullmatch(one)
        number = int(match["n"]) if match and match["n"] else None
        if match is None or number == 0 or abs(number or 0) > 53:
            raise RuleMalformed("must have days such as MO or -1FR in BYDAY")
        found.append(WEEKDAYS[match["day"]](number) if number else WEEKDAYS[match["day"]])
    return tuple(dict.fromkeys(found))


def _week_start(text: str) -> weekday:
    if text not in WEEKDAYS:
        raise RuleMalformed("must have a day such as MO in WKST")
    return WEEKDAYS[text]


def _until(text: str) -> datetime:
    if not _UNTIL.fullmatch(text):
        raise RuleMalformed("must have a time such as 20261231T235959Z in UNTIL")
    try:
        if "T" not in text:
            day = datetime.strptime(text, "%Y%m%d")  # noqa: DTZ007 - local
            return day + timedelta(hours=23, minutes=59, seconds=59)
        local = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 - local, or UTC below
    except ValueError:
        raise RuleMalformed("must have a time that exists in UNTIL") from None
    return local.replace(tzinfo=UTC) if text.endswith("Z") else local


_READERS: dict[str, Callable[[str], object]] = {
    "INTERVAL": _one(1, LARGEST_INTERVAL),
    "COUNT": _one(1, LARGEST_COUNT),
    "UNTIL": _until,
    "WKST": _week_start,
    "BYMONTH": _numbers(1, 12),
    "BYWEEKNO": _numbers(1, 53, negative=True),
    "BYYEARDAY": _numbers(1, 366, negative=True),
    "BYMONTHDAY": _numbers(1, 31, negative=True),
    "BYDAY": _days,
    "BYHOUR": _numbers(0, 23),
    "BYMINUTE": _numbers(0, 59),
    "BYSECOND": _seconds,
    "BYSETPOS": _numbers(1, 366, negative=True),
}
