"""Months of a time zone, back from a moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from services.insights.rules.days import day_of, start_of


@dataclass(frozen=True, slots=True)
class Month:
    """A calendar month, and when it begins in its zone (in UTC)."""

    year: int
    month: int
    begin: datetime


def months_back(moment: datetime, zone: ZoneInfo, count: int) -> list[Month]:
    """So many months, the oldest first; the last one is that in which the moment lies."""
    here = day_of(moment, zone)
    newest = here.year * 12 + here.month - 1
    return [_month(*divmod(number, 12), zone) for number in range(newest - count + 1, newest + 1)]


def _month(year: int, index: int, zone: ZoneInfo) -> Month:
    return Month(year, index + 1, start_of(date(year, index + 1, 1), zone))
