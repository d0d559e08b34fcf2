"""Derives when reminders are due and what is notified of them, for reminders that the transaction holds."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import structlog

from shared import queries
from shared.database import Transaction
from shared.reminder_plans import plan_of
from shared.reminder_scheduling import Notification, Plan, Schedule, schedule
from shared.time_zones import VERSION, write_local

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
