"""Dates as spreadsheets write them."""

from __future__ import annotations

import re

from shared.partial_date import DateParts, date_parts, read_date

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_NUMBERS = re.compile(r"([0-9]{1,2})([/.])([0-9]{1,2})\2([0-9]{4}|[0-9]{2})?(?:[ T].*)?", re.ASCII | re.DOTALL)
_DAY_IN_WORDS = re.compile(r"([0-9]{1,2})[ -]([a-z]{3})[a-z]*\.?,?[ -]([0-9]{4})", re.ASCII)
_MONTH_IN_WORDS = re.compile(r"([a-z]{3})[a-z]*\.? ([0-9]{1,2}),? ([0-9]{4})", re.ASCII)

# What Outlook writes where it knows no date.
NO_DATES = frozenset({"0/0/00", "0/0/0000", "00/00/00", "00/00/0000"})


def read_day(text: str) -> DateParts | None:
    """The date that a cell holds, or None when it holds none.

    Read: what vCards hold (`1985-04-12`, `--04-12`), `4/12/1985` with the month first as Outlook writes it, unless
    there is no such month, `12.4.1985` with the day first, `12 Apr 1985` and `Apr 12, 1985`. A year of two digits is
    none.
    """
    text = text.strip()
    date = read_date(text)
    if date is not None:
        return date
    words = text.lower()
    if match := _NUMBERS.fullmatch(words):
        first, second, year = int(match[1]), int(match[3]), int(match[4] or 0) if len(match[4] or "") == 4 else 0
        month, day = (first, second) if match[2] == "/" and first <= 12 else (second, first)
    elif match := _DAY_IN_WORDS.fullmatch(words):
        day, month, year = int(match[1]), _MONTHS.get(match[2], 0), int(match[3])
    elif match := _MONTH_IN_WORDS.fullmatch(words):
        month, day, year = _MONTHS.get(match[1], 0), int(match[2]), int(match[3])
    else:
        return None
    try:
        return date_parts(year, month, day) if month and day else None
    except ValueError:
        return None


def has_two_digit_year(text: str) -> bool:
    """Whether a cell's date has a year whose century nobody knows."""
    match = _NUMBERS.fullmatch(text.strip())
    return match is not None and len(match[4] or "") == 2
