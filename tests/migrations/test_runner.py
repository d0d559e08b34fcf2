"""Each file runs once, in order, as the owner; what was changed afterwards is noticed; what fails undoes itself."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from shared import migrations
from shared.migrations import Migration, MigrationError, migrate, read, status
from tests.postgres import Connection, Database

ONE = Migration("0001_one.sql", "CREATE TABLE one (n int);\nINSERT INTO one VALUES (1);")
TWO = Migration("0002_two.sql", "CREATE TABLE two (n int);")
FAILING = Migration("0002_two.sql", "CREATE TABLE two (n int);\n\nINSERT INTO two\nVALUES (1 / 0);\n")
CONCURRENT = """\
-- pmcrm: no transaction
DROP INDEX CONCURRENTLY IF EXISTS by_n;
CREATE INDEX CONCURRENTLY by_n ON one (n);
SELECT {last};
"""


@pytest.fixture
async def conn(empty_database: Database):
    await empty_database.migrate([])
    async with empty_database.connect() as connection:
        yield connection


async def tables(conn: Connection) -> set[str]:
    return {row[0] for row in await conn.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


async def test_an_empty_database_gets_every_file_and_belongs_to_the_owner(empty_database):
    assert await empty_database.migrate() == [migration.name for migration in read()]
    async with empty_database.connect() as conn:
        owners = await conn.fetch(
            "SELECT DISTINCT relowner::regrole::text FROM pg_class WHERE relnamespace IN "
            "('app'::regnamespace, 'public'::regnamespace) AND relkind IN ('r', 'p', 'v') AND NOT EXISTS "
            "(SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')"
        )
        assert [row[0] for row in owners] == ["pmcrm_owner"]


async def test_a_second_run_finds_nothing_to_do(empty_database):
    await empty_database.migrate()
    assert await empty_database.migrate() == []


async def test_the_owner_itself_migrates_a_prepared_database(empty_database):
    await empty_database.migrate([])
    async with empty_database.connect("pmcrm_owner") as conn:
        assert await migrate(conn, read()) == [migration.name for migration in read()]
        assert await conn.fetchval("SELECT current_user") == "pmcrm_owner"


async def test_new_files_run_in_order_and_are_remembered(conn):
    assert await migrate(conn, [ONE]) == [ONE.name]
    assert await migrate(conn, [ONE, TWO]) == [TWO.name]
    state = await status(conn, [ONE, TWO])
    assert (state.applied, state.pending, state.problems) == ([ONE.name, TWO.name], [], [])


async def test_status_changes_nothing(empty_database):
    async with empty_database.connect() as conn:
        state = await status(conn, [ONE, TWO])
        assert (state.applied, state.pending) == ([], [ONE, TWO])
        assert await conn.fetchval("SELECT to_regnamespace('app') IS NULL")


async def test_an_edited_file_is_named_and_nothing_runs(conn):
    await migrate(conn, [ONE])
    edited = Migration(ONE.name, ONE.text + "\n")
    with pytest.raises(MigrationError, match=r"0001_one\.sql was edited"):
        await migrate(conn, [edited, TWO])
    assert await tables(conn) == {"one"}


async def test_a_missing_file_is_named_and_nothing_runs(conn):
    await migrate(conn, [ONE])
    with pytest.raises(MigrationError, match=r"0001_one\.sql was applied, but its file is missing"):
        await migrate(conn, [TWO])
    assert await tables(conn) == {"one"}


async def test_a_file_before_an_applied_one_is_refused(conn):
    await migrate(conn, [TWO])
    with pytest.raises(MigrationError, match=r"0001_one\.sql is new, but 0002_two\.sql was already applied"):
        await migrate(conn, [ONE, TWO])
    assert await tables(conn) == {"two"}


async def test_a_failing_file_names_its_line_and_undoes_itself_alone(conn):
    with pytest.raises(MigrationError, match=r"0002_two\.sql, line 3: division by zero"):
        await migrate(conn, [ONE, FAILING])
    assert await tables(conn) == {"one"}
    assert await conn.fetchval("SELECT count(*) FROM one") == 1
    assert await migrate(conn, [ONE, TWO]) == [TWO.name]


async def test_a_syntax_error_names_the_line_on_which_it_stands(conn):
    broken = Migration("0001_one.sql", "SELECT 1;\n\nCREATE TABLE one (\n    n int,\n    m integerr\n);")
    with pytest.raises(MigrationError, match=r"0001_one\.sql, line 5: type \"integerr\" does not exist"):
        await migrate(conn, [broken])


async def test_a_script_that_cannot_be_split_is_named(conn):
    with pytest.raises(MigrationError, match=r"0001_one\.sql, line 2: a quoted text does not end"):
        await migrate(conn, [Migration("0001_one.sql", "SELECT 1;\nSELECT 'a;")])


async def test_a_file_that_ends_its_own_transaction_is_refused(conn):
    with pytest.raises(MigrationError, match=r"0001_one\.sql.*leave COMMIT and ROLLBACK out"):
        await migrate(conn, [Migration("0001_one.sql", "CREATE TABLE one (n int); COMMIT;")])


async def test_concurrent_runs_apply_each_file_once(empty_database):
    await empty_database.migrate([])
    slow = Migration("0003_slow.sql", "SELECT pg_sleep(0.5); CREATE TABLE slow (n int);")
    waited = []

    async def run() -> list[str]:
        async with empty_database.connect() as conn:
            return await migrate(conn, [ONE, TWO, slow], waiting=lambda: waited.append(True))

    results = await asyncio.gather(*(run() for _ in range(4)))
    assert sorted(map(len, results)) == [0, 0, 0, 3]
    assert len(waited) == 3


async def test_a_locked_table_is_not_waited_for_long(empty_database, conn):
    await migrate(conn, [ONE])
    altering = Migration("0002_two.sql", "SELECT 1;\nALTER TABLE one ADD m int;")
    async with empty_database.connect() as other, other.transaction():
        await other.execute("SELECT * FROM one")
        with pytest.raises(MigrationError, match=r"0002_two\.sql, line 2: a table stayed locked"):
            await migrate(conn, [ONE, altering], lock_timeout_ms=100)
    assert await migrate(conn, [ONE, altering], lock_timeout_ms=100) == [altering.name]


async def test_a_file_outside_a_transaction_makes_indexes_concurrently(conn):
    index = Migration("0002_index.sql", CONCURRENT.format(last="1"))
    assert await migrate(conn, [ONE, index]) == [ONE.name, index.name]
    assert await conn.fetchval("SELECT indisvalid FROM pg_index WHERE indexrelid = 'by_n'::regclass")
    assert await migrate(conn, [ONE, index]) == []
    with pytest.raises(MigrationError, match=r"0002_index\.sql was edited"):
        await migrate(conn, [ONE, Migration(index.name, CONCURRENT.format(last="2"))])


async def test_a_file_outside_a_transaction_goes_on_where_it_stopped(conn):
    failing = Migration("0002_index.sql", CONCURRENT.format(last="1 / 0"))
    with pytest.raises(MigrationError, match=r"0002_index\.sql, line 4: division by zero"):
        await migrate(conn, [ONE, failing])
    made = await conn.fetchval("SELECT 'by_n'::regclass::oid")
    assert [pending.name for pending in (await status(conn, [ONE, failing])).pending] == [failing.name]

    edited_before = Migration(failing.name, failing.text.replace("(n)", "(n DESC)"))
    with pytest.raises(MigrationError, match="edited before that place"):
        await migrate(conn, [ONE, edited_before])

    mended = Migration(failing.name, CONCURRENT.format(last="1"))
    assert await migrate(conn, [ONE, mended, Migration("0003_three.sql", "SELECT 1")]) == [
        mended.name,
        "0003_three.sql",
    ]
    assert await conn.fetchval("SELECT 'by_n'::regclass::oid") == made, "what was done is not done again"


async def test_two_runs_of_a_concurrent_index_do_not_wait_for_each_other_for_ever(empty_database):
    await empty_database.migrate([ONE])
    index = Migration("0002_index.sql", CONCURRENT.format(last="pg_sleep(0.3)"))

    async def run() -> list[str]:
        async with empty_database.connect() as conn:
            return await migrate(conn, [ONE, index])

    async with asyncio.timeout(20):
        results = await asyncio.gather(run(), run())
    assert sorted(results) == [[], [index.name]]


async def test_a_broken_connection_leaves_no_lock_behind(empty_database, conn):
    async with empty_database.connect() as other:
        await other.fetchval(f"SELECT pg_advisory_lock({migrations.LOCK})")
        waiting = asyncio.create_task(migrate(conn, [ONE]))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        other.terminate()
        async with asyncio.timeout(10):
            assert await waiting == [ONE.name]


async def test_services_cannot_touch_the_ledger(template):
    async with template.connect("pmcrm_contacts") as conn:
        assert await conn.fetchval("SELECT count(*) FROM app.migrations") > 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("DELETE FROM app.migrations")


def test_misnamed_files_and_doubled_numbers_are_refused(tmp_path):
    (tmp_path / "0001_one.sql").write_text("SELECT 1")
    assert [migration.name for migration in read(tmp_path)] == ["0001_one.sql"]
    (tmp_path / "0001_other.sql").write_text("SELECT 1")
    with pytest.raises(MigrationError, match=r"0001_one\.sql and 0001_other\.sql have the same number"):
        read(tmp_path)
    (tmp_path / "0001_other.sql").rename(tmp_path / "2_Two.sql")
    with pytest.raises(MigrationError, match=r"2_Two\.sql is not named like"):
        read(tmp_path)
