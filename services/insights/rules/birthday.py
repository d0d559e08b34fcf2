"""Birthdays today and in the fourteen days after it, in the user's zone."""

from __future__ import annotations

import calendar
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.rules.days import day_of, end_of
from services.insights.rules.words import name_of, written
from shared import queries
from shared.database import Transaction
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

DAYS_AHEAD = 14

# A year that makes somebody older is a slip, or an address book's word for an unknown year.
OLDEST = 120

MOST = 10_000


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """Whose birthday comes soon, as far as month and day are known."""
    zone = time_zone(asked.time_zone)
    coming = birthdays(day_of(asked.as_of, zone))
    rows = await tx.fetch(
        QUERIES["contacts_born_on"],
        [month * 100 + day for month, day in coming],
        asked.contact_ids,
        MOST,
    )
    return [_finding(row, coming[row["birthday_month"], row["birthday_day"]], zone) for row in rows]


def birthdays(today: date) -> dict[tuple[int, int], date]:
    """On which days of the year (month, day) those were born who have birthday soon, with the date of that birthday.

    29 February is on the 28th in other years.
    """
    coming = {}
    for ahead in range(DAYS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        coming[day.month, day.day] = day
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            coming[2, 29] = day
    return coming


def age_on(birthday: date, year: int | None) -> int | None:
    """How old somebody becomes who was born in a year; None when that is unknown or cannot be."""
    age = birthday.year - year if year is not None else 0
    return age if 1 <= age <= OLDEST else None


def _finding(row: Mapping[str, Any], day: date, zone: ZoneInfo) -> Finding:
    name, age = name_of(row["display_name"]), age_on(day, row["birthday_year"])
    what = f"{name} turns {age} on {written(day)}" if age else f"{name} has birthday on {written(day)}"
    return Finding(
        type="BIRTHDAY",
        contact_ids=(row["id"],),
        evidence=(Evidence("CONTACT", row["id"], f"birthday on {written(day)}" + (f", turns {age}" if age else "")),),
        key=(str(row["id"]), day.isoformat()),
        confidence=0.95,
        title=what,
        body=f"{what}, a {calendar.day_name[day.weekday()]}.",
        expires_at=end_of(day, zone),
        facts={"birthday": day.isoformat(), **({"age": age} if age else {})},
    )


RULE = Rule(name="birthday", version="1", type="BIRTHDAY", find=find)
