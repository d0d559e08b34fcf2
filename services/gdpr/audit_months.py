"""Moves months of the audit log to the archive, and drops them from there: for the worker, cron and operators.

Each month is a transaction of its own. It can be killed at any point: what is left is found again by the next run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any, TypeAlias

import asyncpg
import structlog

from shared import queries
from shared.migrations import SQL

log = structlog.get_logger()

STATEMENTS = queries.load(SQL / "maintenance")

# The task's name: whoever archives or drops holds it.
AUDIT_MONTHS = "audit-months"

ARCHIVE_YEARS = 3
DROP_YEARS = 7
MOST_YEARS = 100

# Attempts at a month that readers or writers hold, and the seconds between them.
ATTEMPTS = 5
PAUSE = 0.5

Connection: TypeAlias = "asyncpg.Connection[Any]"
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(slots=True)
class Months:
    """What was done, or would be, to months such as `2023-04`; each list has the oldest first.

    moved: archived or dropped. entries: in those. unsealed: not wholly covered by seals, and therefore left.
    held: kept by a legal hold.
    """

    moved: list[str] = field(default_factory=list)
    entries: int = 0
    unsealed: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        told = f"{len(self.moved)} months with {self.entries} entries"
        left = {"not sealed": self.unsealed, "held": self.held}
        return told + "".join(f", {why}: {' '.join(months)}" for why, months in left.items() if months)


def silent(done: int, total: int) -> None:
    """Tells nobody of the progress."""


async def archive(conn: Connection, years: int, *, dry_run: bool = False, progress: Progress = silent) -> Months:
    """Archives the months that are at least so many years old, and seals cover wholly; returns which.

    conn: as pmcrm_service, outside of a transaction. Whoever calls it holds the task AUDIT_MONTHS.
    progress: told how many months are done, and of how many.
    """
    found = await conn.fetch(STATEMENTS["audit_months"].sql, False, years)
    return await _move(found, lambda month: _archive_month(conn, month), dry_run, progress, held_stay=False)


async def drop(conn: Connection, years: int, *, dry_run: bool = False, progress: Progress = silent) -> Months:
    """Drops the archived months that are at least so many years old, unless a legal hold keeps them; as `archive`."""
    found = await conn.fetch(STATEMENTS["audit_months"].sql, True, years)
    return await _move(found, lambda month: _drop_month(conn, month), dry_run, progress, held_stay=True)


async def _move(
    found: list[asyncpg.Record],
    move: Callable[[date], Awaitable[None]],
    dry_run: bool,
    progress: Progress,
    *,
    held_stay: bool,
) -> Months:
    months = Months()
    for number, row in enumerate(found):
        progress(number, len(found))
        if held_stay and row["held"]:
            months.held.append(row["name"])
        elif not row["sealed"]:
            months.unsealed.append(row["name"])
        else:
            if not dry_run:
                await _patiently(move, row["month"])
            months.moved.append(row["name"])
            months.entries += row["entries"]
    progress(len(found), len(found))
    if months.unsealed:
        log.warning("audit_months_not_sealed", months=months.unsealed)
    return months


async def _patiently(move: Callable[[date], Awaitable[None]], month: date) -> None:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            await move(month)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            if attempt == ATTEMPTS:
                raise
            await asyncio.sleep(PAUSE * attempt)
        else:
            return


async def _archive_month(conn: Connection, month: date) -> None:
    while not await conn.fetchval(STATEMENTS["prepare_audit_partition"].sql, month):
        pass
    await conn.fetchval(STATEMENTS["archive_audit_partition"].sql, month)


async def _drop_month(conn: Connection, month: date) -> None:
    await conn.fetchval(STATEMENTS["drop_audit_partition"].sql, month)
