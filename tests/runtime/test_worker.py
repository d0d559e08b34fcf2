"""The worker: what is due runs, in one process at a time, whatever fails or is killed meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from shared import periodic
from shared.periodic import LATER_PART, LATEST, LastRun, Outcome, Task, attempt, last_runs, seconds_until_due
from shared.settings import Settings
from shared.task_metrics import TaskMetrics
from shared.task_worker import Worker
from tests.postgres import Connection, Database, Server
from tests.runtime.acting import PATIENCE, reached, until
from tests.suite import settings_for

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def nothing(conn: Any, settings: Settings) -> None:
    """A run that does nothing."""


NEVER = LastRun(NOW, None, None, None, None, None, 0)


def last(**facts: Any) -> LastRun:
    return replace(NEVER, **facts)


HOURLY = Task("hourly", HOUR, nothing, retry=timedelta(minutes=1))


@pytest.mark.parametrize(
    ("known", "due"),
    [
        (last(), timedelta()),
        (last(started_at=NOW - 3 * HOUR), timedelta()),
        (last(succeeded_at=NOW), HOUR),
        (last(succeeded_at=NOW - timedelta(minutes=40)), timedelta(minutes=20)),
        (last(succeeded_at=NOW - HOUR), timedelta()),
        (last(succeeded_at=NOW - timedelta(days=30)), timedelta()),
        (last(failed_at=NOW, failures=1), timedelta(minutes=1)),
        (last(failed_at=NOW, failures=2), timedelta(minutes=2)),
        (last(failed_at=NOW, failures=4, succeeded_at=NOW - timedelta(days=9)), timedelta(minutes=8)),
        (last(failed_at=NOW, failures=7), HOUR),
        (last(failed_at=NOW, failures=10_000), HOUR),
        (last(failed_at=NOW - HOUR, failures=7), timedelta()),
        (last(failed_at=NOW - HOUR, failures=0, succeeded_at=NOW), HOUR),
    ],
)
def test_a_task_is_due_after_its_interval_or_its_pause(known: LastRun, due: timedelta) -> None:
    assert seconds_until_due(HOURLY, known) == due.total_seconds()


def test_replicas_look_a_little_later_and_never_earlier() -> None:
    known = last(succeeded_at=NOW)
    assert seconds_until_due(HOURLY, known, later=1.0) == 3600 * (1 + LATER_PART)
    assert 3600 <= seconds_until_due(HOURLY, known, later=periodic.random_lateness()) <= 3600 * (1 + LATER_PART)
    weekly = Task("weekly", timedelta(days=7), nothing)
    assert seconds_until_due(weekly, known, later=1.0) == (timedelta(days=7) + LATEST).total_seconds()


@pytest.fixture
def settings(database: Database) -> Settings:
    return settings_for(database, drain_seconds=5)


@pytest_asyncio.fixture(autouse=True)
async def no_runs_before(as_superuser: Connection) -> None:
    await as_superuser.execute("DELETE FROM app.task_runs")


@asynccontextmanager
async def working(tasks: Sequence[Task], settings: Settings) -> AsyncIterator[TaskMetrics]:
    """A worker, until the block ends."""
    metrics, stopping = TaskMetrics(tasks), asyncio.Event()
    running = asyncio.create_task(Worker(tasks, settings, metrics, look_seconds=0.05).run(stopping))
    try:
        yield metrics
    finally:
        stopping.set()
        async with asyncio.timeout(PATIENCE):
            await running


def shown(metrics: TaskMetrics, name: str, **labels: str) -> float:
    """A sample's value; -1 while there is none, as before the worker has seen the database."""
    value = metrics.registry.get_sample_value(f"pmcrm_worker_{name}", labels)
    return -1.0 if value is None else value


async def known(database: Database, task: Task) -> LastRun:
    async with database.connect("pmcrm_service") as conn:
        return (await last_runs(conn, [task]))[task.name]


def counting(name: str, every: timedelta, **arguments: Any) -> tuple[Task, list[float]]:
    """A task that notes when it ran."""
    runs: list[float] = []

    async def run(conn: Any, settings: Settings) -> int:
        runs.append(asyncio.get_running_loop().time())
        return len(runs)

    return Task(name, every, run, **arguments), runs


async def test_a_task_runs_at_once_and_then_after_each_interval(database: Database, settings: Settings) -> None:
    often, runs = counting("often", timedelta(seconds=0.2))
    rarely, rare = counting("rarely", HOUR)
    before = datetime.now(UTC)
    async with working([often, rarely], settings) as metrics:
        await until(lambda: len(runs) >= 4)
    assert len(rare) == 1
    assert min(after - earlier for earlier, after in pairwise(runs)) >= 0.2
    found = await known(database, rarely)
    assert found.succeeded_at is not None
    assert before - timedelta(seconds=1) <= found.succeeded_at <= datetime.now(UTC) + timedelta(seconds=1)
    assert (found.failed_at, found.failures) == (None, 0)
    assert shown(metrics, "task_runs_total", task="rarely", outcome="succeeded") == 1


async def test_metrics_show_each_tasks_last_success_whoever_ran_it(settings: Settings) -> None:
    ran, runs = counting("ran", HOUR)
    async with working([ran], settings):
        await until(lambda: len(runs) == 1)
    blocked, release = blocking("blocked")
    async with working([ran, blocked], settings) as metrics:
        await until(lambda: shown(metrics, "task_running", task="blocked") == 1)
        last_success = shown(metrics, "task_last_success_timestamp_seconds", task="ran")
        assert abs(last_success - datetime.now(UTC).timestamp()) < 60
        assert shown(metrics, "task_last_success_timestamp_seconds", task="blocked") == 0
        assert shown(metrics, "task_last_failure_timestamp_seconds", task="ran") == 0
        assert shown(metrics, "task_running", task="ran") == 0
        assert shown(metrics, "task_interval_seconds", task="ran") == 3600
        assert shown(metrics, "database_up") == 1
        release.set()
        await until(lambda: shown(metrics, "task_last_success_timestamp_seconds", task="blocked") > 0)
        await until(lambda: shown(metrics, "task_running", task="blocked") == 0)
        assert shown(metrics, "task_last_duration_seconds", task="blocked") > 0
    assert len(runs) == 1, "a worker that starts anew knows that it ran"


def blocking(name: str) -> tuple[Task, asyncio.Event]:
    """A task that runs until it is released."""
    release = asyncio.Event()

    async def run(conn: Any, settings: Settings) -> None:
        await release.wait()

    return Task(name, HOUR, run), release


async def test_what_was_missed_is_made_up_for_once(database: Database, settings: Settings) -> None:
    task, runs = counting("missed", HOUR)
    async with database.connect("pmcrm_service") as conn:
        await conn.execute(
            "INSERT INTO app.task_runs (task, runner, started_at, succeeded_at) "
            "VALUES ('missed', 'another', now() - interval '9 days', now() - interval '9 days')"
        )
    other, others = counting("other", timedelta(seconds=0.1))
    async with working([task, other], settings):
        await until(lambda: len(others) >= 4)
    assert len(runs) == 1


async def test_a_task_that_fails_is_tried_again_later_and_stops_no_other(
    database: Database, settings: Settings
) -> None:
    fine, runs = counting("fine", timedelta(seconds=0.1))
    failures: list[float] = []

    async def fail(conn: Any, settings: Settings) -> None:
        failures.append(asyncio.get_running_loop().time())
        if len(failures) < 4:
            raise ValueError("canary-text")

    failing = Task("failing", HOUR, fail, retry=timedelta(seconds=0.2))
    with capture_logs() as logs:
        async with working([failing, fine], settings) as metrics:
            await until(lambda: shown(metrics, "task_failures_in_a_row", task="failing") == 3)
            noted = await known(database, failing)
            assert (noted.failures, noted.succeeded_at) == (3, None)
            assert noted.failed_at is not None
            assert shown(metrics, "task_last_failure_timestamp_seconds", task="failing") > 0
            await until(lambda: len(failures) == 4)
            await until(lambda: shown(metrics, "task_failures_in_a_row", task="failing") == 0)
        assert shown(metrics, "task_runs_total", task="failing", outcome="failed") == 3
    pauses = [after - earlier for earlier, after in pairwise(failures)]
    assert all(pause >= 0.2 * 2**i for i, pause in enumerate(pauses)), pauses
    assert len(runs) > len(failures)
    noted = await known(database, failing)
    assert noted.failed_at is not None
    assert noted.succeeded_at is not None
    assert noted.succeeded_at > noted.failed_at
    assert [line["error"] for line in logs if line["event"] == "task_failed"] == ["ValueError"] * 3
    assert "canary-text" not in str(logs)


async def test_a_failure_is_kept_by_its_kind_and_not_its_text(database: Database, settings: Settings) -> None:
    async def fail(conn: Any, settings: Settings) -> None:
        await conn.execute("SELECT 'canary-text'::integer")

    failing = Task("failing", HOUR, fail)
    with pytest.raises(Exception, match="canary-text"):
        await attempt(failing, settings, 0.0, lambda: None)
    async with database.connect("pmcrm_service") as conn:
        assert await conn.fetchval("SELECT failure FROM app.task_runs WHERE task = 'failing'") == "22P02"


async def test_of_several_replicas_one_at_a_time_runs_a_task(settings: Settings) -> None:
    at_once, most, runs = 0, 0, 0

    async def run(conn: Any, settings: Settings) -> None:
        nonlocal at_once, most, runs
        at_once, runs = at_once + 1, runs + 1
        most = max(most, at_once)
        await asyncio.sleep(0.05)
        at_once -= 1

    shared_task, free = Task("shared", timedelta(seconds=0.01), run), [counting(f"own {i}", HOUR) for i in range(3)]
    async with (
        working([shared_task, free[0][0]], settings),
        working([shared_task, free[1][0]], settings),
        working([shared_task, free[2][0]], settings),
    ):
        await until(lambda: runs >= 12)
    assert most == 1
    assert [len(noted) for _, noted in free] == [1, 1, 1]


async def test_who_waited_for_the_lock_does_not_run_what_has_just_been_run(settings: Settings) -> None:
    task, runs = counting("once", HOUR)
    begun: list[str] = []
    outcomes = await asyncio.gather(*(attempt(task, settings, 0.0, lambda: begun.append("begun")) for _ in range(6)))
    found = [outcome for outcome, _ in outcomes]
    assert found.count(Outcome.SUCCEEDED) == len(runs) == len(begun) == 1
    assert (await attempt(task, settings, 0.0, lambda: None))[0] is Outcome.NOT_DUE


HOLDING = """
    SELECT pg_terminate_backend(l.pid) FROM pg_locks AS l
    WHERE l.locktype = 'advisory' AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


async def test_a_run_whose_lock_is_lost_stops(
    database: Database, settings: Settings, as_superuser: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(periodic, "HEARTBEAT_SECONDS", 0.05)
    begun, stopped = asyncio.Event(), asyncio.Event()

    async def run(conn: Any, settings: Settings) -> None:
        begun.set()
        try:
            await conn.execute("SELECT pg_sleep(60)")
        finally:
            stopped.set()

    task = Task("lost", HOUR, run)
    running = asyncio.create_task(attempt(task, settings, 0.0, lambda: None))
    await reached(begun)
    assert await as_superuser.fetch(HOLDING) != []
    await reached(stopped)
    with pytest.raises(Exception):  # noqa: B017 - asyncpg's own about the lost connection, or TaskLost
        await running
    noted = await known(database, task)
    assert (noted.failures, noted.succeeded_at) == (1, None)


async def test_stopping_waits_for_what_runs(database: Database, settings: Settings) -> None:
    task, release = blocking("blocked")
    async with working([task], settings) as metrics:
        await until(lambda: shown(metrics, "task_running", task="blocked") == 1)
        asyncio.get_running_loop().call_later(0.2, release.set)
    assert (await known(database, task)).succeeded_at is not None


async def test_stopping_cuts_off_what_takes_too_long_and_notes_neither_success_nor_failure(database: Database) -> None:
    hasty = settings_for(database, drain_seconds=0.1)
    cut_off = asyncio.Event()

    async def run(conn: Any, settings: Settings) -> None:
        try:
            await conn.execute("SELECT pg_sleep(60)")
        finally:
            cut_off.set()

    task = Task("endless", HOUR, run)
    async with working([task], hasty) as metrics:
        await until(lambda: shown(metrics, "task_running", task="endless") == 1)
    assert cut_off.is_set()
    assert shown(metrics, "task_runs_total", task="endless", outcome="stopped") == 1
    noted = await known(database, task)
    assert (noted.succeeded_at, noted.failed_at, noted.ended_at) == (None, None, None)
    assert noted.started_at is not None
    async with database.connect("pmcrm_service") as conn:
        assert seconds_until_due(task, (await last_runs(conn, [task]))["endless"]) == 0


async def test_a_worker_outlives_the_database(fresh_database: Database, server: Server) -> None:
    task, runs = counting("often", timedelta(seconds=0.05))
    allow = f"ALTER DATABASE {fresh_database.name} ALLOW_CONNECTIONS"
    end = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{fresh_database.name}'"
    async with server.superuser() as conn, working([task], settings_for(fresh_database)) as metrics:
        await until(lambda: len(runs) >= 2)
        await conn.execute(f"{allow} false")
        try:
            await conn.execute(end)
            await until(lambda: shown(metrics, "database_up") == 0)
            while_away = len(runs)
            await asyncio.sleep(0.2)
            assert len(runs) == while_away
        finally:
            await conn.execute(f"{allow} true")
        await until(lambda: len(runs) > while_away + 1)
        assert shown(metrics, "database_up") == 1


async def test_once_runs_what_is_due_and_says_whether_it_succeeded(settings: Settings) -> None:
    task, runs = counting("due", HOUR)

    async def fail(conn: Any, settings: Settings) -> None:
        raise ValueError

    async def once(*tasks: Task) -> bool:
        return await Worker(tasks, settings, TaskMetrics(tasks)).run_once()

    assert await once(task)
    assert await once(task)
    assert len(runs) == 1
    other, others = counting("other", HOUR)
    assert not await once(Task("failing", HOUR, fail), other)
    assert len(others) == 1
