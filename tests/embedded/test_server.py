"""What an embedded server is like once it runs."""

import os
import shutil
import stat
from pathlib import Path

import asyncpg
import pytest

from shared.embedded import EmbeddedServer
from tests.embedded.starting import PASSWORD, embedded, query


@pytest.fixture(scope="module")
def server():
    folder = Path("/tmp") / f"pmcrm-test-{os.getpid()}-server"
    with embedded(folder) as running:
        yield running
    shutil.rmtree(folder)


async def test_asyncpg_reaches_it_through_the_socket_and_through_tcp(server):
    for url in (server.superuser_url(), server.url("postgres", PASSWORD, "postgres", tcp=True)):
        connection = await asyncpg.connect(url)
        try:
            assert await connection.fetchval("SELECT 1") == 1
        finally:
            await connection.close()


@pytest.mark.parametrize("tcp", [False, True])
def test_nobody_gets_in_without_the_password(server, tcp):
    assert "authentication failed" in query(server, "SELECT 1", tcp=tcp, password="another")
    assert "no password supplied" in query(server, "SELECT 1", tcp=tcp, password="")


def test_every_line_of_its_access_rules_asks_for_a_password(server):
    methods = query(server, "SELECT DISTINCT auth_method FROM pg_hba_file_rules")
    assert methods == "scram-sha-256"


def test_its_socket_is_in_a_folder_that_others_cannot_enter(server):
    folder = server.socket_dir.stat()
    assert stat.S_IMODE(folder.st_mode) == 0o700
    assert (server.socket_dir / f".s.PGSQL.{server.port}").is_socket()
    assert folder.st_uid == server.place.stat().st_uid


def test_it_listens_on_loopback_only(server):
    assert query(server, "SHOW listen_addresses") == "127.0.0.1"


def test_names_in_any_script_have_trigrams_and_fold_their_case(server):
    query(server, "CREATE EXTENSION pg_trgm")
    assert query(server, "SHOW server_encoding") == "UTF8"
    assert query(server, "SELECT 'иван' % 'иванов'") == "t"
    assert query(server, "SELECT cardinality(show_trgm('王小明')) > 0") == "t"
    assert query(server, "SELECT lower('ÀÉИΣ')") == "àéиσ"


@pytest.mark.parametrize("extension", ["vector", "pg_trgm", "btree_gin", "unaccent", "pg_stat_statements"])
def test_it_has_the_extensions_that_pmcrm_needs(server, extension):
    assert query(server, f"SELECT true FROM pg_available_extensions WHERE name = '{extension}'") == "t"


def test_statement_statistics_are_collected(server):
    assert query(server, "SHOW shared_preload_libraries") == "pg_stat_statements"


def test_it_outlives_a_ctrl_c_at_the_terminal(server):
    assert os.getsid(server.pid) != os.getsid(0)
    assert os.getpgid(server.pid) != os.getpgid(0)


def test_it_never_runs_as_root(server):
    owner = Path(f"/proc/{server.pid}").stat().st_uid
    assert owner == (server.place / "data").stat().st_uid
    assert owner != 0
    assert os.geteuid() in (0, owner)


def test_its_log_tells_what_failed_and_quotes_no_value(server):
    query(server, "CREATE TABLE people (email text PRIMARY KEY); INSERT INTO people VALUES ('ada@example.org')")
    assert "ada@example.org" in query(server, "INSERT INTO people VALUES ('ada@example.org')")
    assert "duplicate key value violates unique constraint" in server.logs()
    assert "ada@example.org" not in server.logs()


def test_pg_dump_comes_with_it(server):
    assert (server.bin_dir / "pg_dump").exists()


def test_before_the_start_there_is_nothing_to_ask():
    unstarted = EmbeddedServer(Path("/nowhere"), PASSWORD)
    assert not unstarted.running
    with pytest.raises(RuntimeError, match="has not been started"):
        unstarted.superuser_url()
    unstarted.stop()
