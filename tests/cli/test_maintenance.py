"""`pmcrm maintenance`: what each command says, that none runs beside the worker, and that its runs are noted."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from cli.app import app
from cli.worker import TASKS
from shared.periodic import run_now
from shared.settings import Settings
from tests.postgres import Connection, Database
from tests.suite import settings_for

Command = Callable[..., "asyncio.Future[Result]"]

OLD = timedelta(days=100)


@pytest_asyncio.fixture
async def superuser(database: Database) -> AsyncIterator[Connection]:
    async with database.connect() as conn:
        yield conn


@pytest.fixture
def settings(database: Database) -> Settings:
    return settings_for(database)


@pytest.fixture
def command(database: Database, monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs `pmcrm maintenance …` against the module's database."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("DATABASE_URL_SERVICE", database.operator)
    monkeypatch.setenv("DATABASE_URL_OWNER", database.owner)

    def invoke(*arguments: str) -> asyncio.Future[Result]:
        # In a thread: the command runs a loop of its own.
        run = asyncio.to_thread(lambda: CliRunner().invoke(app, ["maintenance", *arguments]))
        return asyncio.ensure_future(run)

    return invoke


async def deleted_contact(conn: Connection) -> uuid.UUID:
    tenant = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
    async with conn.transaction():
        await conn.execute(f"SET LOCAL app.current_user_id = '{tenant}'")
        contact: uuid.UUID = await conn.fetchval(
            "INSERT INTO contacts (user_id, display_name, sort_name, deleted_at)"
            " VALUES ($1, 'Ada', 'ada', now() - $2::interval) RETURNING id",
            tenant,
            OLD,
        )
    return contact


async def run_of(conn: Connection, task: str) -> tuple[bool, int]:
    """Whether a run of the task was noted as succeeded, and how many have failed in a row."""
    row = await conn.fetchrow("SELECT succeeded_at, failures FROM app.task_runs WHERE task = $1", task)
    return (False, 0) if row is None else (row["succeeded_at"] is not None, row["failures"])


async def note_runs(conn: Connection, due: set[str]) -> None:
    """Has all tasks of the schedule but those run just now."""
    names = [task.name for task in TASKS if task.name not in due]
    await conn.execute(
        "INSERT INTO app.task_runs (task, runner, started_at, succeeded_at)"
        " SELECT unnest($1::text[]), '', now(), now()",
        names,
    )


async def test_a_purge_says_what_it_removes_and_is_noted(command, superuser):
    contact = await deleted_contact(superuser)
    tried = await command("purge", "--dry-run")
    assert tried.exit_code == 0, tried.output
    assert tried.stdout == ("contact_strengths: 1\ncontacts: 1\n2 rows would be purged, 0 accounts would be erased.\n")
    assert await superuser.fetchval("SELECT count(*) FROM contacts WHERE id = $1", contact) == 1
    assert await run_of(superuser, "purge") == (False, 0)
    limited = await command("purge", "--max-rows", "1")
    assert limited.stdout.splitlines()[-1] == "2 rows purged, 0 accounts erased."
    assert await run_of(superuser, "purge") == (False, 0)
    done = await command("purge")
    assert done.stdout == "0 rows purged, 0 accounts erased.\n"
    assert await run_of(superuser, "purge") == (True, 0)
    assert await superuser.fetchval("SELECT count(*) FROM contacts WHERE id = $1", contact) == 0


@pytest.mark.parametrize(
    ("arguments", "task"),
    [
        (["purge"], "purge"),
        (["purge", "--dry-run"], "purge"),
        (["archive-audit"], "audit-months"),
        (["drop-audit", "--dry-run"], "audit-months"),
        (["audit-months"], "audit-months"),
        (["partitions"], "partitions"),
        (["expire-requests"], "expire-requests"),
        (["refresh-strengths"], "refresh-strengths"),
        (["refresh-reminders"], "refresh-reminders"),
        (["vector-indexes"], "vector-indexes"),
        (["vacuum"], "vacuum"),
        (["reindex"], "reindex"),
    ],
    ids=str,
)
async def test_no_command_runs_while_the_worker_runs_the_task(command, settings, superuser, arguments, task):
    async def meanwhile(_: Connection) -> Result:
        result: Result = await command(*arguments)
        return result

    before = await run_of(superuser, task)
    refused = await run_now(task, settings, meanwhile, recorded=False)
    assert refused.exit_code == 1
    assert refused.stderr.strip() == f"{task} is being run by another process, a worker perhaps."
    assert await run_of(superuser, task) == before


@pytest.mark.parametrize("name", ["partitions", "expire-requests", "refresh-strengths", "refresh-reminders"])
async def test_runs_are_noted_as_the_worker_notes_them(command, superuser, name):
    await superuser.execute("DELETE FROM app.task_runs WHERE task = $1", name)
    done = await command(name)
    assert done.exit_code == 0, done.output
    assert await run_of(superuser, name) == (True, 0)


async def test_months_of_the_audit_log_are_told(command):
    done = await command("audit-months")
    assert done.exit_code == 0, done.output
    assert done.stdout == "0 months archived, with 0 entries.\n0 months dropped, with 0 entries.\n"
    for arguments in (["archive-audit", "--years", "0"], ["drop-audit", "--years", "101"], ["purge", "--days", "-1"]):
        assert (await command(*arguments)).exit_code == 2


async def test_every_table_of_ours_is_vacuumed_and_analysed(command, superuser):
    before = await superuser.fetchval("SELECT clock_timestamp()")
    tried = await command("vacuum", "--dry-run")
    done = await command("vacuum")
    assert done.exit_code == 0, done.output
    tables = await superuser.fetchval(
        "SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p') AND relowner = 'pmcrm_owner'::regrole"
    )
    assert done.stdout == f"{tables} tables vacuumed.\n"
    assert tried.stdout == f"{tables} tables would be vacuumed.\n"
    await superuser.execute("SELECT pg_stat_force_next_flush()")
    missed = await superuser.fetch(
        "SELECT s.relname FROM pg_stat_user_tables AS s JOIN pg_class AS c ON c.oid = s.relid"
        " WHERE c.relkind = 'r' AND (last_vacuum IS NULL OR last_vacuum < $1 OR last_analyze < $1)",
        before,
    )
    assert missed == []


async def test_every_index_of_ours_is_made_anew_and_leftovers_are_removed(command, superuser):
    files = (
        "SELECT relname, relfilenode FROM pg_class WHERE relkind = 'i' AND relowner = 'pmcrm_owner'::regrole"
        " AND relnamespace <> 'pg_toast'::regnamespace"
    )
    await superuser.execute("CREATE INDEX tags_left_ccnew ON tags (user_id, id)")
    await superuser.execute(
        "ALTER TABLE tags OWNER TO pmcrm_owner;"
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'tags_left_ccnew'::regclass"
    )
    before = {row["relname"]: row["relfilenode"] for row in await superuser.fetch(files)}
    done = await command("reindex")
    assert done.exit_code == 0, done.output
    after = {row["relname"]: row["relfilenode"] for row in await superuser.fetch(files)}
    assert set(after) <= set(before), done.output
    assert set(before) - set(after) == {"tags_left_ccnew"}
    assert [name for name in after if after[name] == before[name]] == []


async def test_all_runs_what_is_due_one_after_the_other(command, superuser):
    await superuser.execute("DELETE FROM app.task_runs")
    names = [task.name for task in TASKS]
    tried = await command("all", "--dry-run")
    assert tried.stdout.splitlines() == [f"{name}: due" for name in names]
    await note_runs(superuser, {"partitions", "purge"})
    done = await command("all")
    assert done.exit_code == 0, done.output
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert told.pop("partitions").startswith("succeeded")
    assert told.pop("purge").startswith("succeeded")
    assert set(told.values()) == {"not due"}
    assert (await run_of(superuser, "partitions"), await run_of(superuser, "purge")) == ((True, 0), (True, 0))
    again = await command("all")
    assert {line.split(": ")[1] for line in again.stdout.splitlines()} == {"not due"}


async def test_a_task_that_fails_keeps_no_other_from_running(command, superuser):
    await superuser.execute("DELETE FROM app.task_runs")
    await note_runs(superuser, {"partitions", "purge"})
    await superuser.execute("REVOKE EXECUTE ON FUNCTION app.create_audit_partitions(integer) FROM pmcrm_service")
    try:
        done = await command("all")
    finally:
        await superuser.execute("GRANT EXECUTE ON FUNCTION app.create_audit_partitions(integer) TO pmcrm_service")
    assert done.exit_code == 1
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert told["partitions"] == "failed, 42501"
    assert told["purge"].startswith("succeeded")
    assert await run_of(superuser, "partitions") == (False, 1)
