"""Removes for good what was deleted long enough ago, of all tenants: for the worker, cron and operators.

Tenant by tenant and a few rows at a time, each batch a transaction of its own. Between batches others have the database
to themselves for a while. It can be killed at any point: what is left is found again by the next run.
"""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import asyncpg

from services.gdpr.account_erasing import erase_due_accounts
from shared import queries
from shared.binding import bind
from shared.migrations import SQL

STATEMENTS = queries.load(SQL / "maintenance")

# The task's name: whoever purges holds it.
PURGE = "purge"

MOST_DAYS = 36_500

# Rows that a transaction purges, beside all that hangs on them.
ROWS_AT_ONCE = 200

# The pause after a batch, as a part of the time that it took.
PAUSE = 0.5

# Attempts at a batch that lost against concurrent changes.
ATTEMPTS = 5
LOST = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

Connection: TypeAlias = "asyncpg.Connection[Any]"
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(slots=True)
class Purged:
    """What a purge has removed, or would.

    row_counts: table -> rows. users_erased: accounts. held: rows and accounts that a legal hold kept.
    more: whether it stopped before the end.
    """

    row_counts: Counter[str] = field(default_factory=Counter)
    users_erased: int = 0
    held: int = 0
    more: bool = False

    @property
    def rows(self) -> int:
        """All rows of all tables."""
        return self.row_counts.total()

    def __str__(self) -> str:
        accounts = f", {self.users_erased} accounts" if self.users_erased else ""
        return f"{self.rows} rows{accounts}" + (f", {self.held} held" if self.held else "")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a purge is to do.

    days: how long ago something must have been deleted. grace: how long ago an account must have been closed.
    dry_run: only count. max_rows: stop after about so many rows; 0 for all.
    """

    days: int
    grace: timedelta = timedelta(days=90)
    dry_run: bool = False
    max_rows: int = 0


def silent(done: int, total: int) -> None:
    """Tells nobody of the progress."""


async def purge(conn: Connection, wanted: Wanted, progress: Progress = silent) -> Purged:
    """Purges what is due, or counts it; returns what that was.

    conn: as pmcrm_service, outside of a transaction. Whoever calls it holds the task PURGE.
    progress: told how many tenants are done, and of how many.
    """
    before: datetime = await conn.fetchval(STATEMENTS["purge_before"].sql, wanted.days)
    tables: list[str] = [table for (table,) in await conn.fetch(STATEMENTS["purged_tables"].sql)]
    tenants = await conn.fetch(STATEMENTS["tenants_to_purge"].sql, before)
    run = _Run(conn, wanted, before, tables)
    for number, (tenant,) in enumerate(tenants):
        progress(number, len(tenants))
        await run.purge_tenant(tenant)
        if run.purged.more:
            break
    else:
        progress(len(tenants), len(tenants))
        await run.erase_accounts()
    return run.purged


class _Run:
    def __init__(self, conn: Connection, wanted: Wanted, before: datetime, tables: list[str]) -> None:
        self._conn = conn
        self._wanted = wanted
        self._before = before
        self._tables = tables
        self.purged = Purged()

    async def purge_tenant(self, tenant: uuid.UUID) -> None:
        if self._wanted.dry_run:
            await self._try_tenant(tenant)
        else:
            for table in self._tables:
                await self._purge_table(tenant, table)
        async with self._conn.transaction():
            await self._conn.execute(bind(tenant))
            self.purged.held += await self._conn.fetchval(STATEMENTS["held_rows"].sql, self._before)

    async def erase_accounts(self) -> None:
        """Carries out the erasures of accounts whose grace period is over, or counts them."""
        if self._wanted.dry_run:
            erased, held = await self._due_accounts()
        else:
            done = await erase_due_accounts(self._conn, self._wanted.grace, silent)
            erased, held = done.accounts, done.held
        self.purged.users_erased += erased
        self.purged.held += held

    async def _due_accounts(self) -> tuple[int, int]:
        due = await self._conn.fetchrow(STATEMENTS["accounts_to_erase"].sql, self._wanted.grace)
        return (0, 0) if due is None else (due["erased"], due["held"])

    async def _purge_table(self, tenant: uuid.UUID, table: str) -> None:
        while most := self._room():
            began = time.perf_counter()
            removed = await self._batch(tenant, table, most)
            if not removed:
                return
            self.purged.row_counts.update(removed)
            await asyncio.sleep(PAUSE * (time.perf_counter() - began))
        if not self.purged.more:
            trial = self._conn.transaction()
            await trial.start()
            try:
                await self._conn.execute(bind(tenant))
                self.purged.more = bool(await self._remove(table, 1))
            finally:
                await trial.rollback()

    def _room(self) -> int:
        """How many rows the next batch may purge; 0 when it is enough."""
        if not self._wanted.max_rows:
            return ROWS_AT_ONCE
        return max(0, min(ROWS_AT_ONCE, self._wanted.max_rows - self.purged.rows))

    async def _batch(self, tenant: uuid.UUID, table: str, most: int) -> dict[str, int]:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                async with self._conn.transaction():
                    await self._conn.execute(bind(tenant))
                    return await self._remove(table, most)
            except LOST:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(0.02 * attempt)
        raise AssertionError("unreachable")

    async def _try_tenant(self, tenant: uuid.UUID) -> None:
        """Removes what is due and undoes that: nothing else counts exactly what goes with what."""
        trial = self._conn.transaction()
        await trial.start()
        try:
            await self._conn.execute(bind(tenant))
            for table in self._tables:
                while (most := self._room()) and (removed := await self._remove(table, most)):
                    self.purged.row_counts.update(removed)
                if not most and not self.purged.more:
                    self.purged.more = bool(await self._remove(table, 1))
        finally:
            await trial.rollback()

    async def _remove(self, table: str, most: int) -> dict[str, int]:
        removed: dict[str, int] = _object(
            await self._conn.fetchval(STATEMENTS["purge_rows"].sql, table, self._before, most)
        )
        return removed


def _object(value: Any) -> Any:
    # Whether the connection reads jsonb by itself is up to who made it.
    return json.loads(value) if isinstance(value, str) else value
