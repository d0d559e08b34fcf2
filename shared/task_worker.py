"""Runs periodic tasks when they are due, each in a task of its own, until it is told to stop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from datetime import timedelta

import asyncpg
import structlog

from shared.periodic import LastRun, Outcome, Task, attempt, connected, last_runs, random_lateness, seconds_until_due
from shared.settings import Settings
from shared.task_metrics import TaskMetrics
from shared.telemetry import where

log = structlog.get_logger()

# How often the database is asked what is due: how soon another replica's end is noticed, and metrics follow.
LOOK_SECONDS = 10.0

# A task that runs more often is told of only when it did something.
OFTEN = timedelta(minutes=1)

UNREACHABLE = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)


class Worker:
    """Looks what is due, and runs it. A task that fails is tried again later and stops no other."""

    def __init__(
        self, tasks: Sequence[Task], settings: Settings, metrics: TaskMetrics, look_seconds: float = LOOK_SECONDS
    ) -> None:
        self._tasks = tasks
        self._settings = settings
        self._metrics = metrics
        self._look_seconds = look_seconds
        self._later = {task.name: random_lateness() for task in tasks}
        self._running: dict[str, asyncio.Task[bool]] = {}
        self._not_before: dict[str, float] = {}

    async def run(self, stopping: asyncio.Event) -> None:
        """Works until `stopping` is set; runs in progress then get `drain_seconds` to end, and are cut off after."""
        stop = asyncio.create_task(stopping.wait())
        try:
            while not stopping.is_set():
                pause = await self._look()
                await asyncio.wait((stop, *self._running.values()), timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                self._running = {name: run for name, run in self._running.items() if not run.done()}
        finally:
            stop.cancel()
            await self._end()

    async def run_once(self) -> bool:
        """Runs what is due now, once, and returns whether all of it succeeded. Raises when nothing can be seen."""
        async with connected(self._settings) as conn:
            found = await last_runs(conn, self._tasks)
        self._metrics.show(found)
        due = [task for task in self._tasks if not seconds_until_due(task, found[task.name])]
        return all(await asyncio.gather(*(self._attempt(task, 0.0) for task in due)))

    async def _look(self) -> float:
        """Starts what is due; returns after how many seconds to look again."""
        try:
            async with connected(self._settings) as conn:
                found = await last_runs(conn, self._tasks)
        except UNREACHABLE as error:
            self._metrics.database_up.set(0)
            log.warning("worker_database_unreachable", **where(error))
            return self._look_seconds
        self._metrics.show(found)
        return min((self._start_or_wait(task, found) for task in self._tasks), default=self._look_seconds)

    def _start_or_wait(self, task: Task, found: Mapping[str, LastRun]) -> float:
        if task.name in self._running:
            return self._look_seconds
        later = self._later[task.name]
        wait = max(
            seconds_until_due(task, found[task.name], later), self._not_before.get(task.name, 0.0) - time.monotonic()
        )
        if wait <= 0:
            self._running[task.name] = asyncio.create_task(self._attempt(task, later))
        return min(wait if wait > 0 else self._look_seconds, self._look_seconds)

    async def _attempt(self, task: Task, later: float) -> bool:
        """One run, or none when another process has the task. Returns whether nothing failed."""
        started = time.monotonic()
        try:
            outcome, did = await attempt(task, self._settings, later, lambda: self._metrics.running(task, True))
        except asyncio.CancelledError:
            self._metrics.ended(task, "stopped")
            log.warning("task_stopped", task=task.name, seconds=_since(started))
            raise
        except Exception as error:  # noqa: BLE001 - whatever fails in one task, the others go on
            self._metrics.ended(task, "failed")
            # The database says when to try again, unless it was what failed.
            self._not_before[task.name] = time.monotonic() + self._look_seconds
            log.error("task_failed", task=task.name, seconds=_since(started), **where(error))
            return False
        finally:
            self._metrics.running(task, False)
        if outcome is Outcome.SUCCEEDED:
            self._metrics.ended(task, "succeeded")
            # What runs every few seconds, mostly in vain, would fill the log with that.
            idle = not did and task.every < OFTEN
            (log.debug if idle else log.info)("task_succeeded", task=task.name, seconds=_since(started), did=did)
        elif outcome is Outcome.HELD_ELSEWHERE:
            self._not_before[task.name] = time.monotonic() + self._look_seconds
            log.debug("task_held_elsewhere", task=task.name)
        return True

    async def _end(self) -> None:
        if self._running:
            log.info("worker_stops", waits_for=sorted(self._running))
            await asyncio.wait(self._running.values(), timeout=self._settings.drain_seconds)
        for run in self._running.values():
            run.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)


def _since(started: float) -> float:
    return round(time.monotonic() - started, 3)
