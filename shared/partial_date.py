"""Dates of which year, month or day may be unknown, such as a birthday without its year.

Known parts are: any of the three alone, year and month, month and day, or all. A day with a year but no month is none:
no calendar, and no vCard, can write it.
"""

from __future__ import annotations

import calendar
import re
from typing import NamedTuple

# A year that some address books write where they know none.
YEAR_OF_THE_UNKNOWN = 1604

_LEAP_YEAR = 2000

# RFC 6350 §4.3.1 in its basic and extended forms, and single digits as some programs write them. A time is ignored.
_WRITTEN = re.compile(
    r"(?: (?P<year>[0-9]{4}) (?: - (?P<month>[0-9]{1,2}) (?: - (?P<day>[0-9]{1,2}) )? | (?P<mmdd>[0-9]{4}) )?"
    r"  | -- (?P<only_month>[0-9]{1,2}) (?: -? (?P<day_of_month>[0-9]{1,2}) )?"
    r"  | --- (?P<only_day>[0-9]{1,2}) ) (?: [T ].* )?",
    re.VERBOSE | re.ASCII | re.DOTALL,
)


class DateParts(NamedTuple):
    """The known parts of a date; None where a part is unknown."""

    year: int | None = None
    month: int | None = None
    day: int | None = None


NO_DATE = DateParts()


def date_parts(year: int, month: int, day: int) -> DateParts:
    """The parts of a date, 0 meaning unknown. Raises ValueError with the broken rule when no such date exists."""
    if not 0 <= year <= 9999:
        raise ValueError("the year must be 1 to 9999, or 0 when it is unknown")
    if not 0 <= month <= 12:
        raise ValueError("the month must be 1 to 12, or 0 when it is unknown")
    if not 0 <= day <= 31:
        raise ValueError("the day must be 1 to 31, or 0 when it is unknown")
    if year and day and not month:
        raise ValueError("a year and a day need the month")
    if month and day > calendar.monthrange(year or _LEAP_YEAR, month)[1]:
        raise ValueError("the month has no such day")
    return DateParts(year or None, month or None, day or None)


def read_date(text: str, year_of_the_unknown: int | None = YEAR_OF_THE_UNKNOWN) -> DateParts | None:
    """The date that a vCard writes, or None when the text is no date or names no day of the calendar.

    Read: `19850412`, `1985-04-12`, `1985-04`, `1985`, `--0412`, `--04-12`, `--04` and `---12`, with or without a time.

    year_of_the_unknown: a year that stands for "no year" (X-APPLE-OMIT-YEAR) beside 1604 and 0000; None when every year
        is meant.
    """
    match = _WRITTEN.fullmatch(text.strip())
    if match is None:
        return None
    found = match.groupdict(default="")
    month_and_day = found["mmdd"]
    year = int(found["year"] or 0)
    month = int(found["month"] or month_and_day[:2] or found["only_month"] or 0)
    day = int(found["day"] or month_and_day[2:] or found["day_of_month"] or found["only_day"] or 0)
    if year_of_the_unknown is not None and year in (YEAR_OF_THE_UNKNOWN, year_of_the_unknown):
        year = 0
    try:
        date = date_parts(year, month, day)
    except ValueError:
        return None
    return None if date == NO_DATE else date
