"""`pmcrm worker` as processes: replicas, signals, and one that is killed in the midst of its work."""

from __future__ import annotations

import asyncio
import re
import shutil
import signal
import socket
import tempfile
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

import cli.app  # noqa: F401 - it gives maintenance the rest of its commands
from cli import maintenance
from cli.worker import TASKS
from shared.settings import MEASURED, SERVICES
from tests.postgres import Connection, Database
from tests.runtime.acting import until
from tests.runtime.processes import Process, environment, started

RUNNING = re.compile("pmcrm worker is running")
LISTED = [task.name for task in TASKS]


def worker(database: Database, *arguments: str, **settings: object) -> AbstractAsyncContextManager[Process]:
    """`pmcrm worker` on a database, as pmcrm_service alone."""
    variables = environment(database, DATABASE_URL=None, PMCRM_LOG_LEVEL="debug", PMCRM_LOG_FORMAT="json", **settings)
    return started(["-m", "cli", "worker", *arguments], variables)


async def runs(conn: Connection) -> dict[str, Any]:
    return {row["task"]: row for row in await conn.fetch("SELECT * FROM app.task_runs")}


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def scraped(port: int) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=20) as answer:
        text: str = answer.read().decode()
        return text


def test_each_task_is_a_maintenance_command_too() -> None:
    commands = {
        (c.name or c.callback.__name__.replace("_", "-")) for c in maintenance.app.registered_commands if c.callback
    }
    assert {"partitions", "expire-requests", "refresh-strengths"} <= set(LISTED) <= commands
    assert len(set(LISTED)) == len(LISTED)


async def test_a_worker_runs_what_is_due_shows_it_and_stops_when_told(fresh_database: Database) -> None:
    first = a_free_port() - MEASURED.index("worker")
    async with worker(fresh_database, PMCRM_METRICS_PORT=first) as process, fresh_database.connect() as conn:
        await process.line(RUNNING)

        async def all_succeeded() -> bool:
            found = await runs(conn)
            return set(found) == set(LISTED) and all(row["succeeded_at"] for row in found.values())

        async def all_shown() -> bool:
            text = await asyncio.to_thread(scraped, first + MEASURED.index("worker"))
            shown = 'pmcrm_worker_task_last_success_timestamp_seconds{{task="{}"}} 1.'
            return all(shown.format(task) in text for task in LISTED)

        await until(all_succeeded)
        await until(all_shown)
        process.terminate()
        assert await process.ended() == 0
    assert not [line for line in process.err if "Traceback" in line]
    assert [line.split()[0] for line in process.out if " every " in line] == LISTED


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_either_signal_stops_it(database: Database, number: signal.Signals) -> None:
    async with worker(database) as process:
        await process.line(RUNNING)
        process.process.send_signal(number)
        assert await process.ended() == 0
        assert not [line for line in process.err if "Traceback" in line]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Where an embedded database makes its folder, as the user whom it runs as."""
    folder = Path(tempfile.gettempdir()) / f"pmcrm-test-{uuid.uuid4().hex[:12]}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


async def test_a_suite_on_its_own_database_runs_the_tasks_itself(data_dir: Path) -> None:
    ports = {f"PMCRM_{service.upper()}_PORT": 0 for service in SERVICES}
    variables = environment(None, **ports, PMCRM_DATA_DIR=data_dir, PMCRM_LOG_FORMAT="json", PMCRM_LOG_LEVEL="debug")
    async with started(["-m", "cli", "serve"], variables) as suite:
        for task in LISTED:
            await suite.line(re.compile(f'"task": "{task}".*"task_succeeded"'))
        suite.terminate()
        assert await suite.ended() == 0
    assert not [line for line in suite.err if "Traceback" in line]


async def test_once_runs_what_is_due_and_exits(fresh_database: Database) -> None:
    for expected in (LISTED, []):
        async with worker(fresh_database, "--once") as process:
            assert await process.ended() == 0
        ran = [re.search(r'"task": "([a-z-]+)"', line) for line in process.err if '"task_succeeded"' in line]
        assert {found[1] for found in ran if found} == set(expected)


async def test_once_fails_when_a_task_does(fresh_database: Database) -> None:
    async with fresh_database.connect() as conn:
        await conn.execute("REVOKE EXECUTE ON FUNCTION app.create_audit_partitions(integer) FROM pmcrm_service")
        async with worker(fresh_database, "--once") as process:
            assert await process.ended() == 1
        found = await runs(conn)
    assert (found["partitions"]["failure"], found["partitions"]["failures"]) == ("42501", 1)
    assert found["expire-requests"]["succeeded_at"] is not None


async def test_another_replica_takes_over_from_one_that_is_killed(fresh_database: Database) -> None:
    """The first one is killed in the midst of a task; the second one takes the task and ends it."""
    async with fresh_database.connect() as conn, fresh_database.connect() as holding:
        # Both wait for what is held here, as long as the test wants them to.
        await conn.execute(f"ALTER ROLE pmcrm_service IN DATABASE {fresh_database.name} SET lock_timeout = 0")
        await holding.execute("SELECT pg_advisory_lock(hashtext('app.create_audit_partitions'))")
        async with worker(fresh_database) as first:
            await until(lambda: _begun_by(conn, first))
            async with worker(fresh_database) as second:
                await second.line(re.compile('"task": "partitions".*"task_held_elsewhere"'))
                assert await _begun_by(conn, first)
                first.process.kill()
                await first.ended()
                await until(lambda: _begun_by(conn, second))
                assert (await runs(conn))["partitions"]["succeeded_at"] is None
                await holding.execute("SELECT pg_advisory_unlock_all()")
                await until(lambda: _succeeded(conn))
                second.terminate()
                assert await second.ended() == 0


async def _begun_by(conn: Connection, process: Process) -> bool:
    row = (await runs(conn)).get("partitions")
    return row is not None and row["runner"].endswith(f" {process.pid}")


async def _succeeded(conn: Connection) -> bool:
    return (await runs(conn))["partitions"]["succeeded_at"] is not None


async def test_a_database_that_cannot_be_reached_is_told_in_a_sentence(database: Database) -> None:
    for settings, code in (
        ({"DATABASE_URL_SERVICE": "postgresql://nobody@127.0.0.1:1/nothing"}, 1),
        ({"DATABASE_URL_SERVICE": None, "DATABASE_URL": database.service("contacts")}, 2),
    ):
        async with started(["-m", "cli", "worker"], environment(database, **settings)) as process:
            assert await process.ended() == code
            [line] = process.err
            assert "DATABASE_URL_SERVICE" in line


async def test_a_used_metrics_port_is_told_in_a_sentence(database: Database) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        async with worker(database, PMCRM_METRICS_PORT=port - MEASURED.index("worker")) as process:
            assert await process.ended() == 1
            assert str(port) in process.err[-1]
            assert "PMCRM_METRICS_PORT" in process.err[-1]
