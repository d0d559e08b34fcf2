"""Periodic tasks: what one is, when it is due, and how a run of it keeps other replicas from running it too.

A run holds a lock that belongs to a transaction, on a connection of its own: it is given up when the process dies, and
it works behind PgBouncer in transaction mode, where a session's lock would not. The transaction does nothing else, and
so holds nothing back. Whoever loses that connection stops, because another replica may go on.
"""

from __future__ import annotations

import asyncio
import os
import random
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, TypeAlias, TypeVar

import asyncpg

from shared import queries
from shared.migrations import SQL
from shared.settings import Settings

Connection: TypeAlias = "asyncpg.Connection[Any]"
Result = TypeVar("Result")

STATEMENTS = queries.load(SQL / "maintenance")

CONNECT_SECONDS = 10.0

# Well below the role's idle_in_transaction_session_timeout, with which the server ends the lock of a worker that is
# cut off from it.
HEARTBEAT_SECONDS = 15.0

# How much later than due a replica looks at most, so that they do not all come at once: a part of the interval.
LATER_PART = 0.05
LATEST = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done again and again, in one process at a time.

    name: also that of its command, `pmcrm maintenance <name>`.
    every: from the end of one run that succeeded to the next one.
    run: does it, once: (connection as pmcrm_service, settings) -> what it did, for the log. Nothing is lost or done
        twice when it is stopped in the midst and begun again.
    retry: the pause after a failure; doubles with each further one, up to `every`.
    """

    name: str
    every: timedelta
    run: Callable[[Connection, Settings], Awaitable[object]]
    retry: timedelta = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class LastRun:
    """What is known of a task. Times are the database's; None for what never happened.

    looked_at: when this was so. seconds: how long the last run took. failures: in a row.
    """

    looked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    seconds: float | None
    succeeded_at: datetime | None
    failed_at: datetime | None
    failures: int


class Outcome(Enum):
    """What became of an attempt to run a task."""

    SUCCEEDED = "succeeded"
    HELD_ELSEWHERE = "held elsewhere"
    NOT_DUE = "not due"


class TaskHeld(Exception):
    """Another process runs the task; the argument is its name."""


class TaskLost(Exception):
    """The connection that held the task was lost; another replica may be running it."""


def seconds_until_due(task: Task, last: LastRun, later: float = 0.0) -> float:
    """Seconds until the task is due, 0 when it is; a task that never ran is, and so is one that was missed.

    later: how much later than due, as a part of `random_lateness`, from 0 to 1.
    """
    if last.failures and last.failed_at is not None:
        pause = min(task.retry * 2 ** min(last.failures - 1, 30), task.every)
        due = last.failed_at + pause
    elif last.succeeded_at is not None:
        pause = task.every
        due = last.succeeded_at + pause
    else:
        return 0.0
    due += min(pause * LATER_PART, LATEST) * later
    seconds: float = (due - last.looked_at).total_seconds()
    return max(0.0, seconds)


def random_lateness() -> float:
    """How late a process looks, from 0 to 1; drawn once for each task, so that replicas differ."""
    return random.random()  # noqa: S311 - not a secret


@asynccontextmanager
async def connected(settings: Settings) -> AsyncIterator[Connection]:
    """A connection of its own as pmcrm_service."""
    conn = await asyncpg.connect(settings.database_url_for("service"), timeout=CONNECT_SECONDS, statement_cache_size=0)
    try:
        yield conn
    finally:
        try:
            await conn.close(timeout=1)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            conn.terminate()


async def last_runs(conn: Connection, tasks: Sequence[Task]) -> Mapping[str, LastRun]:
    """What is known of each task, by name."""
    rows = await conn.fetch(STATEMENTS["task_runs"].sql, [task.name for task in tasks])
    return {row["task"]: LastRun(**{name: value for name, value in row.items() if name != "task"}) for row in rows}


async def attempt(task: Task, settings: Settings, later: float, begins: Callable[[], None]) -> tuple[Outcome, object]:
    """Runs the task if it is due and no other process runs it; returns what became of it, and what it did.

    later: as in `seconds_until_due`. begins: called before the task runs.
    Raises what the run raised, after it was noted as a failure; TaskLost when it had to stop.
    """
    async with connected(settings) as holding, holding.transaction():
        if not await _take(holding, task.name):
            return Outcome.HELD_ELSEWHERE, None
        async with connected(settings) as conn:
            # Another process may have run it between the look and the lock.
            last = (await last_runs(conn, [task]))[task.name]
            if seconds_until_due(task, last, later):
                return Outcome.NOT_DUE, None

            def work() -> Awaitable[object]:
                begins()
                return _while_held(holding, task.run(conn, settings))

            return Outcome.SUCCEEDED, await _recorded(task.name, settings, conn, work)


async def run_now(
    name: str, settings: Settings, work: Callable[[Connection], Awaitable[Result]], *, recorded: bool = True
) -> Result:
    """Runs a task at once, due or not, and returns what it returned; noted as a run of the task if `recorded`.

    name: the task's; no other process runs it meanwhile.
    Raises TaskHeld when one does, what the work raised, after it was noted as a failure, and TaskLost as `attempt`.
    """
    async with connected(settings) as holding, holding.transaction():
        if not await _take(holding, name):
            raise TaskHeld(name)
        async with connected(settings) as conn:
            if not recorded:
                return await _while_held(holding, work(conn))
            return await _recorded(name, settings, conn, lambda: _while_held(holding, work(conn)))


async def _take(holding: Connection, name: str) -> bool:
    taken: bool = await holding.fetchval(STATEMENTS["take_task"].sql, name)
    # Until the next message this one's portal is open, and with it a snapshot, which VACUUM and REINDEX CONCURRENTLY
    # would mind. A message without parameters leaves none.
    await holding.execute(STATEMENTS["still_held"].sql)
    return taken


async def _recorded(name: str, settings: Settings, conn: Connection, work: Callable[[], Awaitable[Result]]) -> Result:
    await conn.execute(STATEMENTS["begin_task"].sql, name, f"{socket.gethostname()} {os.getpid()}")
    try:
        did = await work()
    except Exception as error:
        await _note_failure(name, settings, error)
        raise
    await conn.execute(STATEMENTS["end_task"].sql, name)
    return did


async def _while_held(holding: Connection, work: Awaitable[Result]) -> Result:
    """What the work returns; it is cancelled when the connection that holds the task is lost."""
    working = asyncio.ensure_future(work)
    beating = asyncio.create_task(_beat(holding))
    try:
        await asyncio.wait((working, beating), return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            raise TaskLost("the connection that held the task was lost") from beating.exception()
        return working.result()
    finally:
        for each in (working, beating):
            each.cancel()
        await asyncio.gather(working, beating, return_exceptions=True)


async def _beat(holding: Connection) -> None:
    while True:
        await asyncio.sleep(HEARTBEAT_SECONDS)
        await holding.execute(STATEMENTS["still_held"].sql, timeout=HEARTBEAT_SECONDS)


async def _note_failure(name: str, settings: Settings, error: Exception) -> None:
    # A connection of its own: the run's may be what failed.
    kind = getattr(error, "sqlstate", None) or type(error).__name__
    try:
        async with connected(settings) as conn:
            await conn.execute(STATEMENTS["fail_task"].sql, name, kind)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return  # the database is gone; what the run raised tells more
