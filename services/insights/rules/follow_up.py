"""Meetings after which nothing happened with somebody who was there: no contact since, nothing planned, no reminder."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.rules.days import day_of, end_of, start_of
from services.insights.rules.words import LONGEST_QUOTE, name_of, shortened, written
from shared import queries
from shared.database import Transaction
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# How many days ago the meeting was: on the next day nobody is late, after three weeks the occasion is past.
FIRST_DAY, LAST_DAY = 2, 21

# More contacts than these make a gathering, after which nobody writes to each.
COMPANY = 10

MOST = 10_000

# What people write down when something is to come of a meeting. Words alone: who is to do it, or whether it is denied,
# is not understood.
PROMISE = re.compile(
    r"""(?<!\w)(?:
        follow[\s-]?up | send | share | promised? | introduce | get\ back\ to
        | nachfassen | nachhaken | schicken | zuschicken | zusenden | versprochen | vorstellen
        | envoyer | relancer | recontacter | promis
        | enviar | mandar | prometido | presentar
        | inviare | ricontattare | promesso
    )(?!\w)""",
    re.VERBOSE,
)


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """Each meeting of two days to three weeks ago with each contact that was there and has not been heard of since."""
    zone = time_zone(asked.time_zone)
    today = day_of(asked.as_of, zone)
    begin = start_of(today - timedelta(days=LAST_DAY), zone)
    end = start_of(today - timedelta(days=FIRST_DAY - 1), zone)
    rows = await tx.fetch(QUERIES["meetings_without_follow_up"], begin, end, asked.contact_ids, COMPANY, MOST)
    return await asyncio.to_thread(_findings, rows, asked, zone)


def promise_in(*texts: str | None) -> str | None:
    """The first word in the texts that promises something, in small letters and one line; None when there is none."""
    for text in texts:
        if text and (match := PROMISE.search(text.casefold())):
            return " ".join(match[0].split())
    return None


def _findings(rows: Sequence[Mapping[str, Any]], asked: Asked, zone: ZoneInfo) -> list[Finding]:
    return [_finding(row, asked, zone) for row in rows]


def _finding(row: Mapping[str, Any], asked: Asked, zone: ZoneInfo) -> Finding:
    name, day = name_of(row["display_name"]), day_of(row["occurred_at"], zone)
    promise = promise_in(row["subject"], row["body"], *(row["topics"] or ()), *(row["computed_topics"] or ()))
    subject = shortened(row["subject"] or "", LONGEST_QUOTE)
    sentences = [
        f"You met {name} on {written(day)}" + (f" (“{subject}”)" if subject else "") + ".",
        "There has been no contact since, and none is planned.",
        *([f"What you wrote about it says “{promise}”."] if promise else []),
    ]
    said = f", says “{promise}”" if promise else ""
    return Finding(
        type="FOLLOW_UP",
        contact_ids=(row["id"],),
        evidence=(Evidence("INTERACTION", row["meeting_id"], f"meeting on {written(day)}, no contact since{said}"),),
        key=(str(row["meeting_id"]), str(row["id"])),
        confidence=round((0.85 if promise else 0.6) - 0.03 * (row["size"] - 1), 2),
        title=f"Follow up with {name} after your meeting",
        body=" ".join(sentences),
        expires_at=end_of(day + timedelta(days=LAST_DAY), zone),
        facts={
            "days_since_meeting": (day_of(asked.as_of, zone) - day).days,
            "contacts_at_meeting": row["size"],
            **({"promise": promise} if promise else {}),
        },
    )


RULE = Rule(name="follow_up", version="1", type="FOLLOW_UP", find=find)
