"""Which job of a contact is a new one, and which one it had before: of dates of which not all may be known.

Nothing is made of a date that it does not say: `2026` is any day of that year.
"""

from __future__ import annotations

import calendar
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple

# For so many days a job is new.
NEW_FOR = timedelta(days=60)


class Span(NamedTuple):
    """The days that a date may mean: one, those of a month, or those of a year."""

    first: date
    last: date

    @property
    def is_vague(self) -> bool:
        """Whether it says no more than the year."""
        return (self.last - self.first).days > 31


@dataclass(frozen=True, slots=True)
class Job:
    """An employment. start, end: None where not even the year is known. recorded: the day, in the user's zone."""

    id: uuid.UUID
    organization_id: uuid.UUID
    organization: str
    organization_key: str
    title: str
    start: Span | None
    end: Span | None
    is_current: bool
    created_at: datetime
    recorded: date

    @property
    def is_dated(self) -> bool:
        """Whether its beginning is known well enough to tell what is new."""
        return self.start is not None and not self.start.is_vague

    def is_like(self, other: Job) -> bool:
        """Whether the two are the same work: in one organization, and not with two titles."""
        titles = {self.title.casefold(), other.title.casefold()} - {""}
        return self.organization_key == other.organization_key and len(titles) < 2


@dataclass(frozen=True, slots=True)
class Change:
    """A new job and the one before it. until: the last day on which it is new."""

    new: Job
    before: Job
    until: date


def to_job(row: Mapping[str, Any], recorded: date) -> Job:
    """The job of a row of employments_with_news."""
    return Job(
        id=row["id"],
        organization_id=row["organization_id"],
        organization=row["organization"],
        organization_key=row["organization_key"],
        title=row["job_title"] or "",
        start=span(row["start_year"], row["start_month"], row["start_day"]),
        end=span(row["end_year"], row["end_month"], row["end_day"]),
        is_current=row["is_current"],
        created_at=row["created_at"],
        recorded=recorded,
    )


def span(year: int | None, month: int | None, day: int | None) -> Span | None:
    """What a date of which parts are known may mean; None without a year."""
    if year is None:
        return None
    if month is None:
        return Span(date(year, 1, 1), date(year, 12, 31))
    length = calendar.monthrange(year, month)[1]
    if day is None:
        return Span(date(year, month, 1), date(year, month, length))
    return Span(date(year, month, min(day, length)), date(year, month, min(day, length)))


def changes(jobs: Sequence[Job], today: date) -> list[Change]:
    """The jobs of one contact that are new today, each with the one before it. The first job that is known is no
    change."""
    found = []
    for new in jobs:
        until = _new_until(new, today)
        if until is None or any(other.is_current and other.is_like(new) and _precedes(other, new) for other in jobs):
            continue
        before = [job for job in jobs if _gave_way(job, new)]
        if before:
            found.append(Change(new, max(before, key=_lastness), until))
    return found


def _new_until(job: Job, today: date) -> date | None:
    """The last day on which a job is new; None when it is not new today."""
    if not job.is_current:
        return None
    began_before_window = job.start is not None and job.start.last < today - NEW_FOR
    if began_before_window or (job.start is not None and job.start.first > today):
        return None
    if job.start is not None and not job.start.is_vague:
        return job.start.last + NEW_FOR
    # It is news because it was told, and not because of when it began.
    if not today - NEW_FOR <= job.recorded <= today:
        return None
    return job.recorded + NEW_FOR


def _gave_way(job: Job, new: Job) -> bool:
    """Whether a job is one that the contact had before a new one."""
    if job.id == new.id or job.is_like(new) or not _precedes(job, new):
        return False
    # What is recorded together is somebody's history, and not what happened since the last time.
    return new.is_dated or (not job.is_current and job.created_at < new.created_at)


def _precedes(job: Job, other: Job) -> bool:
    """Whether a job was there before another one, as far as anybody knows."""
    if job.id == other.id:
        return False
    if job.start is not None and other.start is not None:
        if job.start.last < other.start.first:
            return True
        if job.start.first > other.start.last:
            return False
        return job.is_current < other.is_current
    return job.is_current < other.is_current or (
        job.is_current == other.is_current and job.created_at < other.created_at
    )


def _lastness(job: Job) -> tuple[bool, date, date, datetime, uuid.UUID]:
    """Orders jobs by how likely each is the one that another gave way to: what ended last."""
    ended = job.end.last if job.end is not None else date.min
    started = job.start.first if job.start is not None else date.min
    return (not job.is_current, ended, started, job.created_at, job.id)
