"""`pmcrm export` and `pmcrm import`: the archive as a private file, complete or not there."""

from __future__ import annotations

import asyncio
import hashlib
import json
import stat
import uuid
import zipfile
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from typer.testing import CliRunner, Result

from cli.app import app
from tests.database.rows import Tenant, add_tenant
from tests.postgres import Database


@pytest_asyncio.fixture(scope="module")
async def tenant(database: Database) -> AsyncIterator[Tenant]:
    """A tenant with a row in every table."""
    async with database.connect() as conn:
        yield await add_tenant(conn)


@pytest_asyncio.fixture
async def empty(database: Database) -> str:
    """A tenant without any data."""
    user = uuid.uuid4()
    async with database.connect() as conn:
        await conn.execute("INSERT INTO users (id, display_name) VALUES ($1, 'Another')", user)
    return str(user)


@pytest.fixture(autouse=True)
def database_named(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", database.service("gdpr"))
    monkeypatch.setenv("DATABASE_URL_SERVICE", database.operator)


def pmcrm(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_it_writes_the_archive_for_its_owner_alone(tenant: Tenant, tmp_path: Path) -> None:
    out = tmp_path / "export.zip"
    out.write_text("an older file")
    said = pmcrm("export", "--tenant", tenant.id, "--out", out)
    assert said.exit_code == 0, said.output
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [out]
    assert hashlib.sha256(out.read_bytes()).hexdigest() in said.output
    with zipfile.ZipFile(out) as archive:
        assert json.loads(archive.read("manifest.json"))["scope"] == "EXPORT_SCOPE_ACCESS"


def test_it_shows_how_far_it_has_come_on_stderr(tenant: Tenant, tmp_path: Path) -> None:
    said = pmcrm("export", "--tenant", tenant.id, "--out", tmp_path / "export.zip")
    assert "export" in said.stderr
    assert "rows" in said.stderr
    assert said.stdout.count("\n") <= 3


def test_it_exports_one_contact(tenant: Tenant, tmp_path: Path) -> None:
    out = tmp_path / "one.zip"
    said = pmcrm("export", "--tenant", tenant.id, "--out", out, "--contact", tenant.contact, "--scope", "portability")
    assert said.exit_code == 0, said.output
    with zipfile.ZipFile(out) as archive:
        assert [row["id"] for row in json.loads(archive.read("data/contacts.json"))] == [str(tenant.contact)]


def test_what_cannot_be_exported_leaves_no_file(database: Database, tenant: Tenant, empty: str, tmp_path: Path) -> None:
    async def erase() -> None:
        async with database.connect() as conn:
            await conn.execute("UPDATE users SET deleted_at = now(), erased_at = now() WHERE id = $1::uuid", empty)

    asyncio.run(erase())
    out = tmp_path / "export.zip"
    for arguments, code in (
        (["--tenant", uuid.uuid4()], 1),
        (["--tenant", empty], 1),
        (["--tenant", tenant.id, "--contact", uuid.uuid4()], 1),
        (["--tenant", tenant.id, "--scope", "all"], 2),
    ):
        said = pmcrm("export", "--out", out, *arguments)
        assert said.exit_code == code, said.output
        assert "Traceback" not in said.output
        assert list(tmp_path.iterdir()) == []
    said = pmcrm("export", "--tenant", tenant.id, "--out", tmp_path / "nowhere" / "export.zip")
    assert (said.exit_code, "cannot be written" in said.output.replace("\n", " ")) == (1, True)


def test_what_was_exported_is_imported_into_an_empty_tenant(tenant: Tenant, empty: str, tmp_path: Path) -> None:
    first, second = tmp_path / "first.zip", tmp_path / "second.zip"
    assert pmcrm("export", "--tenant", tenant.id, "--out", first, "--scope", "portability").exit_code == 0
    said = pmcrm("import", "--tenant", empty, first)
    assert said.exit_code == 0, said.output
    assert pmcrm("export", "--tenant", empty, "--out", second, "--scope", "portability").exit_code == 0
    manifests = []
    for path in (first, second):
        with zipfile.ZipFile(path) as archive:
            manifest = json.loads(archive.read("manifest.json"))
        manifests.append({name: value for name, value in manifest.items() if name != "snapshot_time"})
    assert manifests[0] == manifests[1]
    again = pmcrm("import", "--tenant", empty, first)
    assert (again.exit_code, "has data already" in again.output.replace("\n", " ")) == (1, True)


def test_what_is_no_archive_is_refused_in_a_sentence(empty: str, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.zip"
    wrong.write_bytes(b"no zip")
    said = pmcrm("import", "--tenant", empty, wrong)
    assert (said.exit_code, said.output.strip()) == (1, "wrong.zip is no zip archive")
    said = pmcrm("import", "--tenant", empty, tmp_path / "missing.zip")
    assert (said.exit_code, "cannot be read" in said.output.replace("\n", " ")) == (1, True)
