"""Carries out the erasure of accounts whose grace period is over: what a periodic task does.

Account by account, in small steps, each a transaction that counts in the receipt what it did; between them others have
their turn. It can be stopped at any time: the next run goes on, and the end is the same.
"""

from __future__ import annotations

import asyncio
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from typing import Any, TypeAlias

import asyncpg
import structlog

from shared import queries
from shared.binding import bind
from shared.migrations import SQL
from shared.telemetry import where

log = structlog.get_logger()

STATEMENTS = queries.load(SQL / "maintenance")

ACCOUNTS_AT_ONCE = 500
# Rows of one step: some have a dozen indexes and triggers, and no step shall hold others up.
ROWS_AT_ONCE = 500
# An entry of the log names at most 10 000 others.
ENTRIES_AT_ONCE = 5_000
# Deriving triggers, and calls that were under way, may leave something behind the first time.
MOST_PASSES = 10
# The longest pause between two steps, in seconds; as long as the step took, when that is shorter.
LONGEST_PAUSE = 0.1
# Attempts at a step that lost against concurrent changes, which had undone it.
ATTEMPTS = 5
LOST = (asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.LockNotAvailableError)

FIRST = uuid.UUID(int=0)
# Where the log begins.
BEGINNING = datetime(1, 1, 2, tzinfo=UTC)

Connection: TypeAlias = "asyncpg.Connection[Any]"
Step: TypeAlias = Callable[[str], None]


class Outcome(Enum):
    """What became of an account."""

    ERASED = "erased"
    HELD = "held"
    NOT_DUE = "not due"
    # Somebody else is erasing it, or a legal hold was placed meanwhile.
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Erased:
    """What a run did: how many accounts it erased, and how many a legal hold keeps."""

    accounts: int
    held: int


class StoppedError(Exception):
    """The step is not ours to do."""


async def erase_due_accounts(conn: Connection, grace: timedelta, progress: Callable[[int, int], None]) -> Erased:
    """Erases every account that has been closed for longer than the grace period, unless a legal hold keeps it.

    What keeps one account from being erased keeps no other, and is raised at the end.

    conn: as pmcrm_service, outside of a transaction.
    progress: told how many accounts are done, and of how many about.
    """
    total: int = await conn.fetchval(STATEMENTS["count_due_accounts"].sql, grace)
    outcomes: list[Outcome] = []
    failures: list[asyncpg.PostgresError] = []
    after = FIRST
    while accounts := await conn.fetch(STATEMENTS["due_accounts"].sql, grace, after, ACCOUNTS_AT_ONCE):
        for (tenant,) in accounts:
            try:
                outcomes.append(await erase_account(conn, tenant, grace))
            except asyncpg.PostgresError as error:
                if conn.is_closed():
                    raise
                log.error("account_not_erased", tenant=str(tenant), **where(error))
                failures.append(error)
            done = len(outcomes) + len(failures)
            progress(done, max(done, total))
        after = accounts[-1]["id"]
    if failures:
        raise failures[0]
    return Erased(outcomes.count(Outcome.ERASED), outcomes.count(Outcome.HELD))


async def erase_account(
    conn: Connection, tenant: uuid.UUID, grace: timedelta, step: Step = lambda what: None
) -> Outcome:
    """Erases one account, or goes on with it, if it is due.

    conn: as pmcrm_service, outside of a transaction.
    step: told after each transaction what it did.
    """
    async with conn.transaction():
        await conn.execute(bind(tenant))
        [(receipt, outcome)] = await conn.fetch(STATEMENTS["start_account_erasure"].sql, tenant, grace)
    if outcome != "STARTED":
        return Outcome.HELD if outcome == "HELD" else Outcome.NOT_DUE
    step("start_account_erasure")
    erasing = _Erasing(conn, tenant, receipt, step)
    try:
        for _ in range(MOST_PASSES):
            await erasing.remove_rows()
            await erasing.empty_what_stays()
            if await erasing.do("finish_account_erasure"):
                return Outcome.ERASED
    except StoppedError:
        return Outcome.LEFT
    raise RuntimeError(f"something of account {tenant} comes back as often as it is erased")


class _Erasing:
    """The steps of one erasure."""

    def __init__(self, conn: Connection, tenant: uuid.UUID, receipt: uuid.UUID, step: Step) -> None:
        self._conn = conn
        self._tenant = tenant
        self._receipt = receipt
        self._step = step

    async def remove_rows(self) -> None:
        for (table,) in await self._conn.fetch(STATEMENTS["tables_of_accounts"].sql):
            while await self.do("erase_account_rows", table, ROWS_AT_ONCE) == ROWS_AT_ONCE:
                pass

    async def empty_what_stays(self) -> None:
        while await self.do("empty_account_consents", ROWS_AT_ONCE) == ROWS_AT_ONCE:
            pass
        await self.do("empty_account_shell")
        # The log last: what was done above has entries of its own, and they hold what it has removed.
        at, entry = BEGINNING, FIRST
        while True:
            page = await self._row("empty_account_log", at, entry, ENTRIES_AT_ONCE)
            if not page["entries"]:
                return
            at, entry = page["last_at"], page["last_id"]

    async def do(self, name: str, *arguments: object) -> Any:
        """The one value that a step returns."""
        return (await self._row(name, *arguments))[0]

    async def _row(self, name: str, *arguments: object) -> asyncpg.Record:
        """What a step returns, done in a transaction of its own. Raises StoppedError when it may not be done."""
        started = time.perf_counter()
        for attempt in range(1, ATTEMPTS + 1):
            try:
                row = await self._attempt(name, *arguments)
                break
            except LOST:
                if attempt == ATTEMPTS:
                    raise
                await asyncio.sleep(LONGEST_PAUSE * attempt)
        self._step(" ".join([name, *(str(argument) for argument in arguments)]))
        await asyncio.sleep(min(time.perf_counter() - started, LONGEST_PAUSE))
        return row

    async def _attempt(self, name: str, *arguments: object) -> asyncpg.Record:
        async with self._conn.transaction():
            await self._conn.execute(bind(self._tenant))
            if not await self._conn.fetchval(STATEMENTS["take_account_erasure"].sql, self._tenant, self._receipt):
                raise StoppedError
            rows: list[asyncpg.Record] = await self._conn.fetch(
                STATEMENTS[name].sql, self._tenant, self._receipt, *arguments
            )
        return rows[0]
