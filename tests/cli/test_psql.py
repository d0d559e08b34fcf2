"""`pmcrm psql`: psql's own arguments, on the right database, as the right role."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.psql import apart
from shared.embedded import SUPERUSER, EmbeddedServer
from shared.keys import local_keys

PROJECT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data_dir() -> Iterator[Path]:
    folder = Path(tempfile.gettempdir()) / f"pmcrm-test-{uuid.uuid4().hex[:12]}"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def pmcrm(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    bare = {name: value for name, value in os.environ.items() if not name.startswith(("PMCRM_", "DATABASE_URL"))}
    return subprocess.run(
        [sys.executable, "-m", "cli", *arguments],
        cwd=PROJECT,
        env={**bare, **variables},
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_starts_the_embedded_database_if_it_must_and_stops_what_it_started(data_dir: Path) -> None:
    result = pmcrm("psql", "-qtAXc", "SELECT current_user, count(*) FROM contacts", PMCRM_DATA_DIR=str(data_dir))
    assert result.stdout == "postgres|0\n", result.stderr
    assert stat.S_IMODE((data_dir / "keys.env").stat().st_mode) == 0o600
    server = EmbeddedServer(data_dir, local_keys(data_dir).password(SUPERUSER)).start()
    try:
        assert not server.attached
        port = server.port
        joined = pmcrm("psql", "--role", "contacts", "-qtAXc", "SELECT current_user", PMCRM_DATA_DIR=str(data_dir))
        assert joined.stdout == "pmcrm_contacts\n", joined.stderr
        assert server.running
        assert server.port == port
    finally:
        server.stop()


def test_psqls_exit_code_is_its_own(data_dir: Path) -> None:
    result = pmcrm("psql", "-v", "ON_ERROR_STOP=1", "-Xc", "SELECT 1/0", PMCRM_DATA_DIR=str(data_dir))
    assert result.returncode == 1
    assert "division by zero" in result.stderr


def test_an_unknown_role_is_refused_with_the_known_ones(data_dir: Path) -> None:
    result = pmcrm("psql", "--role", "root", PMCRM_DATA_DIR=str(data_dir))
    assert result.returncode == 2
    assert "root is none of contacts" in result.stderr


def test_damaged_keys_end_it_with_a_sentence_and_no_traceback(tmp_path: Path) -> None:
    (tmp_path / "keys.env").write_text("PMCRM_OPERATOR_KEY=x\n")
    result = pmcrm("psql", PMCRM_DATA_DIR=str(tmp_path))
    assert result.returncode == 1
    assert result.stderr.startswith(f"pmcrm: The keys in {tmp_path}/keys.env are cut short.")
    assert "Traceback" not in result.stderr


def test_with_a_database_url_it_goes_there(tmp_path: Path) -> None:
    psql = tmp_path / "psql"
    psql.write_text('#!/bin/sh\necho "$PGPASSWORD" "$@"\n')
    psql.chmod(0o755)
    result = pmcrm(
        "psql",
        "-c",
        "SELECT 1",
        PATH=f"{tmp_path}:{os.defpath}",
        DATABASE_URL_OWNER="postgresql://owner:pass%20word@db.example/pmcrm?sslmode=require",
    )
    assert result.stdout == "pass word --dbname=postgresql://owner@db.example/pmcrm?sslmode=require -c SELECT 1\n"


@pytest.mark.parametrize(
    ("url", "address", "password"),
    [
        ("postgresql://a:b%40c@h:1/d", "postgresql://a@h:1/d", "b@c"),
        ("postgresql://a:b@/d?host=%2Ftmp&port=1", "postgresql://a@/d?host=%2Ftmp&port=1", "b"),
        ("postgresql://a:b@h1:1,h2:2/d", "postgresql://a@h1:1,h2:2/d", "b"),
        ("postgresql://h/d", "postgresql://h/d", None),
        ("postgresql:///d?host=/tmp", "postgresql:///d?host=/tmp", None),
    ],
)
def test_a_password_never_stands_among_the_arguments(url: str, address: str, password: str | None) -> None:
    assert apart(url) == (address, {} if password is None else {"PGPASSWORD": password})
