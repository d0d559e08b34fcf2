"""Contacts who have another job: an occasion to get in touch."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.jobs.careers import NEW_FOR, Change, Job, Span, changes, to_job
from services.insights.rules.days import day_of, end_of, start_of
from services.insights.rules.words import name_of, shortened, written
from shared import queries
from shared.database import Transaction
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# Contacts that are looked at.
MOST = 5_000

# Characters of a title or organization in a line.
LONGEST = 45

# How sure it is, by how well the beginning is known; and by what that is multiplied when the job before goes on.
DAY, MONTH, RECORDED = 0.95, 0.9, 0.6
STILL_THERE = 0.7


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """Who began another job in the last 60 days, or of whom one was recorded then and the one before is over."""
    zone = time_zone(asked.time_zone)
    today = day_of(asked.as_of, zone)
    rows = await tx.fetch(
        QUERIES["employments_with_news"],
        asked.contact_ids,
        (today - NEW_FOR).year,
        today.year,
        start_of(today - NEW_FOR, zone),
        asked.as_of,
        MOST,
    )
    return await asyncio.to_thread(_findings, rows, asked, today)


def _findings(rows: Sequence[Mapping[str, Any]], asked: Asked, today: date) -> list[Finding]:
    zone = time_zone(asked.time_zone)
    found = []
    for _, of_contact in groupby(rows, key=itemgetter("contact_id")):
        told = list(of_contact)
        jobs = [to_job(row, day_of(row["created_at"], zone)) for row in told]
        found += [_finding(told[0], change, asked) for change in changes(jobs, today)]
    return found


def _finding(row: Mapping[str, Any], change: Change, asked: Asked) -> Finding:
    new, before = change.new, change.before
    name = name_of(row["display_name"])
    since = f" since {_when(new.start)}" if new.start is not None else ""
    earlier = "Still" if before.is_current else "Before"
    return Finding(
        type="JOB_CHANGE",
        contact_ids=(row["contact_id"],),
        evidence=(
            Evidence("EMPLOYMENT", new.id, f"{_work(new)}{since}"),
            Evidence("EMPLOYMENT", before.id, f"{earlier.lower()}: {_work(before)}"),
            Evidence("ORGANIZATION", new.organization_id, shortened(new.organization, LONGEST)),
        ),
        key=(str(new.id), new.title.casefold()),
        confidence=_confidence(change),
        title=f"{name} has another job: {_work(new)}",
        body=f"{name} has another job: {_work(new)}{since}. {earlier}: {_work(before)}. "
        "A few words of congratulation would be a good occasion to get in touch.",
        expires_at=end_of(change.until, time_zone(asked.time_zone)),
        facts=_facts(new, before),
    )


def _facts(new: Job, before: Job) -> dict[str, str | int | float]:
    said = {
        "organization": shortened(new.organization, LONGEST),
        "job_title": shortened(new.title, LONGEST),
        "since": _when(new.start) if new.start is not None else "",
        "previous_organization": shortened(before.organization, LONGEST),
        "previous_job_title": shortened(before.title, LONGEST),
    }
    return {key: value for key, value in said.items() if value}


def _confidence(change: Change) -> float:
    start = change.new.start
    sure = RECORDED if start is None or start.is_vague else DAY if start.first == start.last else MONTH
    return round(sure * (STILL_THERE if change.before.is_current else 1), 2)


def _work(job: Job) -> str:
    organization = shortened(job.organization, LONGEST)
    return f"{shortened(job.title, LONGEST)} at {organization}" if job.title else f"at {organization}"


def _when(start: Span) -> str:
    """`3 March 2026`, `March 2026` or `2026`: no more than is known."""
    if start.first == start.last:
        return written(start.first)
    return str(start.first.year) if start.is_vague else written(start.first).partition(" ")[2]


RULE = Rule(name="job_change", version="1", type="JOB_CHANGE", find=find)
