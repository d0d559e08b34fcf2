"""Contacts who have been silent for much longer than was usual. Those with a cadence are left to `overdue`."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.rules.days import day_of, end_of, next_step
from services.insights.rules.words import days, name_of, written
from shared import queries
from shared.database import Transaction
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# How a history must be for its usual gap to say something: days with contact, and days from the first to the last.
CONTACT_DAYS = 4
SPAN = 60

# How long a silence must be: in days, and in usual gaps. After the longest, touch is lost and no longer being lost.
SHORTEST = 30
TIMES_THE_USUAL = 3
LONGEST = 730

# Interactions of a contact of which the usual gap is made, ids among the evidence, and contacts.
COUNTED, SHOWN, MOST = 100, 5, 5_000


class Silence(NamedTuple):
    """Days since the last contact, in the usual gap and in the longest gap before, and the last day with contact."""

    length: int
    usual: float
    longest_before: int
    since: date


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """Whose silence is at least three times as long as the usual gap, and a month."""
    rows = await tx.fetch(QUERIES["silent_contacts"], asked.as_of, asked.contact_ids, COUNTED, SHOWN, MOST)
    return await asyncio.to_thread(_findings, rows, asked)


def silence(times: Sequence[datetime], oldest: datetime, as_of: datetime, zone: ZoneInfo) -> Silence | None:
    """The silence after a history, when it is unusual; None when it is not, or when the history says too little.

    times: of the interactions that are counted, at least one, in any order. oldest: of the first that there was.
    """
    counted = sorted({day_of(time, zone) for time in times})
    last = counted[-1]
    if len(counted) < CONTACT_DAYS or (last - day_of(oldest, zone)).days < SPAN:
        return None
    gaps = [(after - before).days for before, after in pairwise(counted)]
    usual = median(gaps)
    length = (day_of(as_of, zone) - last).days
    if not max(SHORTEST, TIMES_THE_USUAL * usual) <= length <= LONGEST:
        return None
    return Silence(length, usual, max(gaps), last)


def _findings(rows: Sequence[Mapping[str, Any]], asked: Asked) -> list[Finding]:
    zone = time_zone(asked.time_zone)
    found = []
    for row in rows:
        quiet = silence(row["times"], row["oldest_at"], asked.as_of, zone)
        if quiet is not None:
            found.append(_finding(row, quiet, asked, zone))
    return found


def _finding(row: Mapping[str, Any], quiet: Silence, asked: Asked, zone: ZoneInfo) -> Finding:
    name = name_of(row["display_name"])
    # Half days come of an even number of gaps.
    usual = max(1, int(quiet.usual + 0.5))
    confidence = 0.9 - 0.9 * quiet.usual / quiet.length
    if quiet.longest_before >= quiet.length:
        # There has been as long a silence before, and it ended.
        confidence *= 0.75
    last, *earlier = ((contact, day_of(time, zone)) for contact, time in zip(row["ids"], row["times"], strict=False))
    return Finding(
        type="LOSING_TOUCH",
        contact_ids=(row["id"],),
        evidence=(
            Evidence("INTERACTION", last[0], f"no contact for {days(quiet.length)}, usually {usual}"),
            *(Evidence("INTERACTION", contact, f"contact on {written(day)}") for contact, day in earlier),
        ),
        key=(str(row["id"]), str(last[0])),
        confidence=round(confidence, 2),
        title=f"You are losing touch with {name}",
        body=(
            f"You used to be in touch with {name} about every {days(usual)}. "
            f"The last contact was on {written(quiet.since)}, {days(quiet.length)} ago."
        ),
        expires_at=end_of(next_step(quiet.since, day_of(asked.as_of, zone)), zone),
        facts={"days_since_last_contact": quiet.length, "usual_gap_days": usual},
    )


RULE = Rule(name="losing_touch", version="1", type="LOSING_TOUCH", find=find)
