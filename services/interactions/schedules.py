"""Derives when reminders are due and what is notified of them, for reminders that the transaction holds."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog

from services.interactions.scheduling import Notification, Plan, Schedule, Subject, schedule
from shared import queries
from shared.database import Transaction
from shared.recurrence_rule import read_rule
from shared.time_zones import VERSION, read_local, write_local

log = structlog.get_logger()

QUERIES = queries.load(Path(__file__).parent / "queries")

# Reminders that are derived by one statement.
PORTION = 200

# What happens to a reminder before it is derived, at a time: a snooze, a delivery.
Change = Callable[[uuid.UUID, Plan, datetime], Plan]


async def derive(tx: Transaction, ids: Sequence[uuid.UUID], change: Change | None = None) -> dict[uuid.UUID, Schedule]:
    """Derives held reminders anew as of the transaction's time, stores that, and returns it."""
    derived: dict[uuid.UUID, Schedule] = {}
    for begin in range(0, len(ids), PORTION):
        rows = await tx.fetch(QUERIES["scheduled_reminders"], list(ids[begin : begin + PORTION]))
        schedules = await asyncio.to_thread(_schedules, rows, change)
        await store(tx, schedules)
        derived |= schedules
    return derived


async def plan_at(tx: Transaction, reminder_id: uuid.UUID) -> tuple[Plan, datetime]:
    """What a held reminder is scheduled by, and the transaction's time."""
    [row] = await tx.fetch(QUERIES["scheduled_reminders"], [reminder_id])
    return plan_of(row), row["now"]


async def store(tx: Transaction, schedules: Mapping[uuid.UUID, Schedule]) -> None:
    """Writes what was derived of held reminders."""
    found = [
        {
            "id": reminder_id,
            "next_due_at": made.due and made.due.time,
            "next_due_local": made.due and write_local(made.due.local),
            "fresh_until": made.fresh_until,
            "counts_from": made.counts_from and made.counts_from.isoformat(),
            "known_birthday": made.known_birthday,
            "leads": [row.lead for row in made.notifications],
        }
        for reminder_id, made in schedules.items()
    ]
    await tx.fetch(QUERIES["write_schedules"], found, VERSION)
    await tx.fetch(QUERIES["remove_leads"], found)
    await store_notifications(
        tx, [(reminder_id, row) for reminder_id, made in schedules.items() for row in made.notifications]
    )


async def store_notifications(tx: Transaction, rows: Sequence[tuple[uuid.UUID, Notification]]) -> None:
    """Writes notifications of held reminders."""
    written = [
        {
            "reminder_id": reminder_id,
            "lead_seconds": row.lead,
            "settled_local": row.settled and write_local(row.settled),
            "occurrence_local": row.local and write_local(row.local),
            "occurrence_at": row.occurs,
            "notify_at": row.notify,
            "available_at": row.available,
            "first_claimed_at": row.first_claimed,
            "lease_id": row.lease_id,
            "attempt": row.attempt,
            "snoozed": row.snoozed,
        }
        for reminder_id, row in rows
    ]
    await tx.fetch(QUERIES["write_notifications"], written)


def plan_of(row: Mapping[str, Any]) -> Plan:
    """The plan that a row of scheduled_reminders holds."""
    subject = None
    if row["contact_usable"]:
        month, day = row["birthday_month"], row["birthday_day"]
        subject = Subject(
            created_at=row["contact_created_at"],
            last_contact_at=row["last_contact_at"],
            keep_in_touch_days=row["keep_in_touch_days"],
            birthday=(month, day) if month and day else None,
        )
    return Plan(
        kind=row["kind"],
        zone=row["time_zone"],
        due=_local(row["due_local"]),
        rule=read_rule(row["rrule"]) if row["rrule"] else None,
        leads=tuple(row["lead_seconds"] or (0,)),
        muted=row["muted"],
        subject=subject,
        completed_through=_local(row["completed_through"]),
        counts_from=row["counts_from"],
        known_birthday=row["known_birthday"],
        snoozed=_local(row["snoozed_local"]),
        notifications=tuple(_notification_of(stored) for stored in row["notifications"] or ()),
    )


def _schedules(rows: Sequence[Mapping[str, Any]], change: Change | None) -> dict[uuid.UUID, Schedule]:
    made = {}
    for row in rows:
        try:
            plan, now = plan_of(row), row["now"]
            made[row["id"]] = schedule(change(row["id"], plan, now) if change else plan, now)
        except (KeyError, ValueError, OverflowError):
            # A zone or a rule that was accepted by another release. It must not keep all others from being due.
            log.exception("reminder_cannot_be_scheduled", reminder_id=str(row["id"]))
            made[row["id"]] = Schedule(None, None, row["counts_from"], row["known_birthday"], ())
    return made


def _notification_of(stored: Mapping[str, Any]) -> Notification:
    return Notification(
        lead=stored["lead_seconds"],
        settled=_local(stored["settled_local"]),
        local=_local(stored["occurrence_local"]),
        occurs=_time(stored["occurrence_at"]),
        notify=_time(stored["notify_at"]),
        available=_time(stored["available_at"]),
        first_claimed=_time(stored["first_claimed_at"]),
        lease_id=stored["lease_id"],
        attempt=stored["attempt"],
        snoozed=stored["snoozed"],
    )


def _local(text: str | None) -> datetime | None:
    return read_local(text) if text is not None else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text is not None else None
