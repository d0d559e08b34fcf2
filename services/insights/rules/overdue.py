"""Contacts whose cadence has passed without contact: days are compared, in the user's zone."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.rules.days import day_of, end_of, next_step
from services.insights.rules.words import days, name_of, written
from shared import queries
from shared.database import Transaction
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# Those due the longest; an order in which nobody is overtaken by time alone.
MOST = 10_000


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """Who should have been contacted by yesterday or earlier."""
    rows = await tx.fetch(QUERIES["overdue_contacts"], asked.as_of, asked.contact_ids, MOST)
    return await asyncio.to_thread(_findings, rows, asked)


def _findings(rows: Sequence[Mapping[str, Any]], asked: Asked) -> list[Finding]:
    zone = time_zone(asked.time_zone)
    today = day_of(asked.as_of, zone)
    found = (_finding(row, today, zone) for row in rows)
    return [finding for finding in found if finding is not None]


def _finding(row: Mapping[str, Any], today: date, zone: ZoneInfo) -> Finding | None:
    cadence = row["keep_in_touch_days"]
    since = day_of(row["occurred_at"] or row["created_at"], zone)
    due = since + timedelta(days=cadence)
    if today <= due:
        return None
    silent, late = (today - since).days, (today - due).days
    name, last = name_of(row["display_name"]), row["interaction_id"]
    begin = f"The last contact was on {written(since)}" if last else f"There has been none since {written(since)}"
    contact = Evidence("CONTACT", row["id"], f"to be in touch every {days(cadence)}")
    return Finding(
        type="OVERDUE",
        contact_ids=(row["id"],),
        evidence=(*_last_contact(row, silent), contact),
        key=(str(row["id"]), str(last or "none"), str(cadence)),
        confidence=round(0.95 - 0.45 * cadence / silent, 2),
        title=f"Get in touch with {name}: no contact for {days(silent)}",
        body=f"You want to be in touch with {name} every {days(cadence)}. {begin}, {days(silent)} ago.",
        expires_at=end_of(next_step(due, today), zone),
        facts={"days_since_last_contact": silent, "cadence_days": cadence, "days_overdue": late},
    )


def _last_contact(row: Mapping[str, Any], silent: int) -> tuple[Evidence, ...]:
    if row["interaction_id"] is None:
        return ()
    return (Evidence("INTERACTION", row["interaction_id"], f"last contact, {days(silent)} ago"),)


RULE = Rule(name="overdue", version="1", type="OVERDUE", find=find)
