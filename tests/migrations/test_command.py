"""`pmcrm migrate` and `pmcrm maintenance` as they are typed."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import typer
from typer.testing import CliRunner, Result

from cli import maintenance, migrate
from shared import migrations
from shared.migrations import Migration, read
from shared.settings import Settings
from tests.postgres import Database

FIRST, *OTHERS = read()


@pytest.fixture
def pmcrm(monkeypatch):
    """Runs a command with the URLs of a database as its environment."""

    async def run(app: typer.Typer, database: Database, *arguments: str, owner: str | None = None) -> Result:
        # One service's: the passwords that these URLs hold are set, and are those that all tests use.
        monkeypatch.setenv("DATABASE_URL", database.service("contacts"))
        monkeypatch.setenv("DATABASE_URL_SERVICE", database.operator)
        monkeypatch.setenv("DATABASE_URL_OWNER", owner or database.owner)
        return await asyncio.to_thread(lambda: CliRunner().invoke(app, list(arguments)))

    return run


async def test_migrating_as_a_superuser_makes_everything_and_says_so(pmcrm, empty_database):
    first = await pmcrm(migrate.app, empty_database, owner=empty_database.superuser)
    assert first.exit_code == 0, first.output
    assert first.output.splitlines()[0] == f"applying {FIRST.name}"
    assert first.output.splitlines()[-1] == f"{len(read())} applied; the database is up to date."
    again = await pmcrm(migrate.app, empty_database)
    assert (again.exit_code, again.output) == (0, "The database is up to date.\n")


async def test_migrating_as_the_owner_needs_a_prepared_database(pmcrm, empty_database):
    async with empty_database.connect() as conn:
        await conn.execute(f"GRANT CONNECT ON DATABASE {empty_database.name} TO pmcrm_owner")
    result = await pmcrm(migrate.app, empty_database)
    assert result.exit_code == 1
    assert "is not prepared for pmcrm" in result.output
    assert "-f sql/bootstrap/roles.sql -f sql/bootstrap/database.sql" in result.output


@pytest.mark.parametrize("option", ["--check", "--dry-run"])
async def test_looking_changes_nothing_and_only_check_fails(pmcrm, empty_database, option):
    await empty_database.migrate([FIRST])
    result = await pmcrm(migrate.app, empty_database, option)
    assert result.exit_code == (1 if option == "--check" else 0)
    assert result.output.splitlines() == [f"pending  {file.name}" for file in OTHERS]
    await empty_database.migrate()
    result = await pmcrm(migrate.app, empty_database, option)
    assert (result.exit_code, result.output) == (0, "The database is up to date.\n")


async def test_check_fails_for_an_edited_file(pmcrm, fresh_database):
    async with fresh_database.connect() as conn:
        await conn.execute("UPDATE app.migrations SET checksum = 'x' WHERE name = $1", FIRST.name)
    for option in ("--check", "--dry-run"):
        result = await pmcrm(migrate.app, fresh_database, option)
        assert result.exit_code == 1
        assert f"{FIRST.name} was edited after it was applied" in result.output


async def test_status_lists_what_is_applied_and_pending(pmcrm, empty_database):
    await empty_database.migrate([FIRST])
    result = await pmcrm(migrate.app, empty_database, "status")
    assert result.output.splitlines()[:2] == [f"applied  {FIRST.name}", f"pending  {OTHERS[0].name}"]


async def test_a_failing_migration_is_one_sentence(pmcrm, empty_database, monkeypatch):
    await empty_database.migrate([])
    monkeypatch.setattr(migrations, "read", lambda: [Migration("0001_bad.sql", "SELECT 1;\nSELECT 1 / 0;")])
    result = await pmcrm(migrate.app, empty_database)
    assert result.exit_code == 1
    assert result.output.splitlines()[-1] == "0001_bad.sql, line 2: division by zero"


async def test_a_server_that_cannot_be_reached_is_one_sentence(pmcrm, database):
    result = await pmcrm(migrate.app, database, owner="postgresql://nobody@127.0.0.1:1/nothing")
    assert result.exit_code == 1
    assert result.output.startswith("The database in DATABASE_URL_OWNER cannot be migrated: ")


async def test_roles_get_the_passwords_that_the_urls_hold(monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://pmcrm_{service}:p%40ss@db/pmcrm")
    monkeypatch.setenv("DATABASE_URL_SERVICE", "postgresql://pmcrm_service:other@db/pmcrm")
    monkeypatch.setenv("DATABASE_URL_OWNER", "postgresql://postgres:super@db/pmcrm")
    assert migrate.passwords_of(Settings.load()) == {
        "pmcrm_contacts": "p@ss",
        "pmcrm_interactions": "p@ss",
        "pmcrm_insights": "p@ss",
        "pmcrm_gdpr": "p@ss",
        "pmcrm_service": "other",
    }


async def test_passwords_of_the_urls_work_after_migrating_as_a_superuser(pmcrm, empty_database):
    result = await pmcrm(migrate.app, empty_database, owner=empty_database.superuser)
    assert result.exit_code == 0, result.output
    for url in (empty_database.service("contacts"), empty_database.operator):
        conn = await asyncpg.connect(url)
        await conn.close()


def test_a_new_migration_takes_the_next_number_and_its_name(tmp_path):
    assert migrate.next_file("first", tmp_path).name == "0001_first.sql"
    (tmp_path / "0041_last.sql").write_text("SELECT 1")
    assert migrate.next_file("Add tags", tmp_path) == tmp_path / "0042_add_tags.sql"
    with pytest.raises(typer.BadParameter):
        migrate.next_file("../elsewhere", tmp_path)


def test_new_writes_the_checklist(tmp_path, monkeypatch):
    monkeypatch.setattr(migrations, "SQL", tmp_path)
    monkeypatch.setattr(migrate, "next_file", lambda name: tmp_path / f"0001_{name}.sql")
    result = CliRunner().invoke(migrate.app, ["new", "tags"])
    assert result.exit_code == 0
    assert "app.backfill" in (tmp_path / "0001_tags.sql").read_text()


async def test_partitions_are_made_once(pmcrm, fresh_database):
    result = await pmcrm(maintenance.app, fresh_database, "partitions", "--months", "5")
    assert (result.exit_code, result.output) == (0, "2 partitions made.\n"), result.output
    result = await pmcrm(maintenance.app, fresh_database, "partitions", "--months", "5")
    assert result.output == "0 partitions made.\n"


async def test_only_expired_requests_are_forgotten(pmcrm, fresh_database, monkeypatch):
    monkeypatch.setenv("PMCRM_REQUEST_ID_HOURS", "24")
    now = datetime.now(UTC)
    async with fresh_database.connect() as conn:
        user = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
        for hours in (1, 23, 25, 50, 50.1, 1000):
            at, request = now - timedelta(hours=hours), uuid.uuid4()
            await conn.execute(
                "INSERT INTO idempotency_keys (user_id, request_id, method, body_hash, created_at) "
                "VALUES ($1, $2, 'm', '', $3)",
                user, request, at,
            )  # fmt: skip
            await conn.execute(
                "INSERT INTO operator_idempotency_keys (request_id, method, body_hash, created_at) "
                "VALUES ($1, 'm', '', $2)",
                request, at,
            )  # fmt: skip
    result = await pmcrm(maintenance.app, fresh_database, "expire-requests")
    assert (result.exit_code, result.output) == (0, "8 request ids forgotten.\n"), result.output
    async with fresh_database.connect() as conn:
        assert await conn.fetchval("SELECT count(*) FROM idempotency_keys") == 2
        assert await conn.fetchval("SELECT count(*) FROM operator_idempotency_keys") == 2
