"""The journal of erasures outside of the database, and what it undoes of a restored backup."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import re
import stat
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
import pytest_asyncio
from typer.testing import CliRunner

from cli.app import app
from services.contacts.service import SERVICE as CONTACTS
from services.gdpr.erasure_journal import Erasure, JournalError, append, completed, read
from services.gdpr.reapplying import Outcome, reapply
from services.gdpr.service import SERVICE as GDPR
from tests.postgres import Connection, Database, Server, bound
from tests.runtime.processes import environment
from tests.services.contacts.calls import Book
from tests.services.contacts.merge_calls import merge
from tests.services.gdpr.canaries import every_row, rows_of_tenant
from tests.services.gdpr.conftest import GdprClient
from tests.services.gdpr.erasing import EMPTY, NAMED, Erasing
from tests.suite import Metadata, connected, failure, running, settings_for, tenant_of

# Of a receipt and its suppressions, what is as it was before.
RECEIPTS = """
    SELECT
        id, contact_id, erased_contact_ids, requested_at, erased_at, deadline_at, state, row_counts, suppression_count
    FROM erasure_requests WHERE user_id = $1 ORDER BY id
"""
SUPPRESSIONS = "SELECT hash, erasure_id, kind, key_id FROM suppressions WHERE user_id = $1 ORDER BY hash, erasure_id"


@dataclass
class World:
    """A database in which contacts were erased, and its backup from before that.

    erased: Ada, and Augusta who was merged into her only after the backup; Late came and went after the backup.
    """

    database: Database
    backup: Database
    alice: Metadata
    bob: Metadata
    ids: dict[str, str]

    @property
    def user_id(self) -> uuid.UUID:
        return uuid.UUID(tenant_of(self.alice))


def named(name: str) -> dict[str, Any]:
    return {"given_name": name, "emails": [{"value": f"{name}@example.com"}], "notes": f"{name} is shy"}


@pytest_asyncio.fixture(scope="module")
async def world(server: Server, database: Database) -> AsyncIterator[World]:
    settings = settings_for(database)
    ids = {}
    async with running(CONTACTS, settings) as contacts, connected(contacts) as client:
        alice, bob = await client.new_tenant(display_name="Alice"), await client.new_tenant(display_name="Bob")
        book, bobs = Book(client, alice), Book(client, bob)
        for name in ("Ada", "Augusta", "Grace", "Anna"):
            ids[name] = (await book.create(**named(name))).id
            await book.update(ids[name], "nickname", nickname=f"little {name}")
        await bobs.create(**named("Ada"))
    # Nobody is connected to a database that is copied.
    backup = await server.create(database)
    async with (
        running(CONTACTS, settings) as contacts,
        connected(contacts) as client,
        running(GDPR, settings) as gdpr,
        grpc.aio.insecure_channel(f"127.0.0.1:{gdpr.port}") as channel,
    ):
        book, erasing = Book(client, alice), Erasing(GdprClient(channel).subjects, alice)
        ids["Late"] = (await book.create(**named("Late"))).id
        await merge(book, ids["Ada"], ids["Augusta"])
        await erasing.erase(ids["Ada"])
        await erasing.erase(ids["Late"])
    yield World(database, backup, alice, bob, ids)
    await server.drop(backup)


@pytest_asyncio.fixture
async def restored(server: Server, world: World) -> AsyncIterator[Database]:
    """The backup, restored."""
    copy = await server.create(world.backup)
    yield copy
    await server.drop(copy)


@pytest_asyncio.fixture
async def as_service(restored: Database) -> AsyncIterator[Connection]:
    async with restored.connect("pmcrm_service") as conn:
        yield conn


async def journal_of(world: World) -> list[Erasure]:
    async with world.database.connect("pmcrm_service") as conn:
        return [erasure async for erasure in completed(conn)]


async def carried_out(conn: Connection, erasures: list[Erasure], *, dry_run: bool = False) -> dict[Outcome, int]:
    shown: list[tuple[int, int]] = []
    outcomes = await reapply(conn, erasures, dry_run=dry_run, progress=lambda done, total: shown.append((done, total)))
    assert shown == [(i + 1, len(erasures)) for i in range(len(erasures))]
    return {outcome: len(receipts) for outcome, receipts in outcomes.items() if receipts}


async def test_a_journal_grows_by_what_it_lacks_and_says_nothing_personal(world: World, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    async with world.database.connect("pmcrm_service") as conn:
        assert await append(conn, journal) == 2
        written = journal.read_bytes()
        assert await append(conn, journal) == 0
        assert journal.read_bytes() == written
        # A run that was killed while it wrote.
        first, second = written.splitlines(keepends=True)
        journal.write_bytes(first + second[:50])
        assert await append(conn, journal) == 1
        assert journal.read_bytes() == written
        assert await append(conn, tmp_path / "later", datetime.now(UTC) + timedelta(days=1)) == 0
    assert stat.S_IMODE(journal.stat().st_mode) == 0o600
    erasures = read(journal.read_text().splitlines())
    assert [erasure.contact_id for erasure in erasures] == [uuid.UUID(world.ids[name]) for name in ("Ada", "Late")]
    assert set(erasures[0].contact_ids) == {uuid.UUID(world.ids[name]) for name in ("Ada", "Augusta")}
    assert erasures == await journal_of(world)
    text = written.decode().lower()
    # As words: three letters from a to f stand in any digest by chance.
    assert not [word for word in ("ada", "augusta", "example", "shy", "alice") if re.search(rf"\b{word}\b", text)]


async def test_a_restored_backup_is_erased_again(world: World, restored: Database, as_service: Connection) -> None:
    erasures = await journal_of(world)
    async with restored.connect() as conn:
        bobs = await rows_of_tenant(conn, uuid.UUID(tenant_of(world.bob)))
        assert "Ada is shy" in "\n".join(await rows_of_tenant(conn, world.user_id))
        assert await carried_out(as_service, erasures) == {Outcome.ERASED: 1, Outcome.RESTORED: 1}
        everything = "\n".join(await rows_of_tenant(conn, world.user_id))
        for word in ("Ada", "Augusta", "Late"):
            assert word not in everything
        assert "little Grace" in everything
        assert await rows_of_tenant(conn, uuid.UUID(tenant_of(world.bob))) == bobs
        async with world.database.connect() as original:
            for statement in (RECEIPTS, SUPPRESSIONS):
                there = await original.fetch(statement, world.user_id)
                assert there == await conn.fetch(statement, world.user_id)
        assert {row[0] for row in await conn.fetch(EMPTY, world.user_id)} == {
            row[0] for row in await conn.fetch(NAMED, world.user_id)
        }
        rows = await every_row(conn)
        assert await carried_out(as_service, erasures) == {Outcome.KNOWN: 2}
        assert await every_row(conn) == rows, "a second run changes nothing"
    async with running(CONTACTS, settings_for(restored)) as contacts, connected(contacts) as client:
        back = await failure(Book(client, world.alice).create(**named("Late"), source_uid="sync-1"))
        assert back.reason == "CONTACT_SUPPRESSED"


async def test_a_dry_run_says_the_same_and_changes_nothing(
    world: World, restored: Database, as_service: Connection
) -> None:
    async with restored.connect() as conn:
        before = await every_row(conn)
        expected = {Outcome.ERASED: 1, Outcome.RESTORED: 1}
        assert await carried_out(as_service, await journal_of(world), dry_run=True) == expected
        assert await every_row(conn) == before


async def test_the_database_where_it_was_done_is_left_as_it_is(world: World) -> None:
    async with world.database.connect() as conn, world.database.connect("pmcrm_service") as service:
        before = await every_row(conn)
        assert await carried_out(service, await journal_of(world)) == {Outcome.KNOWN: 2}
        assert await every_row(conn) == before


@pytest.mark.parametrize(("survivor", "merged"), [("Anna", "Ada"), ("Ada", "Anna")])
async def test_whom_nobody_erased_is_not_erased_with_another(
    world: World, restored: Database, as_service: Connection, survivor: str, merged: str
) -> None:
    erasures = await journal_of(world)
    async with restored.connect() as conn:
        async with bound(conn, world.user_id):
            await conn.fetchval(
                "SELECT app.merge_contacts($1::uuid, ARRAY[$2::uuid], '{}', NULL)",
                world.ids[survivor],
                world.ids[merged],
            )
        outcomes = await carried_out(as_service, erasures)
        assert outcomes == {Outcome.MERGED: 1, Outcome.RESTORED: 1}
        ids = {str(row[0]) for row in await conn.fetch("SELECT id FROM contacts WHERE user_id = $1", world.user_id)}
        assert ids >= {world.ids[name] for name in ("Ada", "Augusta", "Anna")}, "nothing by halves"


async def test_what_a_legal_hold_keeps_is_told(world: World, restored: Database, as_service: Connection) -> None:
    async with restored.connect() as conn:
        await conn.execute(
            "INSERT INTO legal_holds (user_id, contact_id, reason) VALUES ($1, $2, 'file 17')",
            world.user_id,
            world.ids["Augusta"],
        )
        outcomes = await carried_out(as_service, await journal_of(world))
        assert outcomes == {Outcome.HELD: 1, Outcome.RESTORED: 1}
        assert await conn.fetchval("SELECT notes FROM contacts WHERE id = $1", uuid.UUID(world.ids["Ada"]))


async def test_users_that_came_after_the_backup_are_passed_over(world: World, as_service: Connection) -> None:
    strangers = [dataclasses.replace(each, user_id=uuid.uuid4()) for each in await journal_of(world)]
    assert await carried_out(as_service, strangers) == {Outcome.ABSENT: 2}


async def test_an_account_is_erased_again_under_the_same_receipt(
    world: World, restored: Database, as_service: Connection
) -> None:
    now = datetime.now(UTC)
    account = Erasure(uuid.uuid4(), world.user_id, None, (), now - timedelta(days=90), now, {"users": 1}, 0, ())
    async with restored.connect() as conn:
        before = await rows_of_tenant(conn, uuid.UUID(tenant_of(world.bob)))
        assert await carried_out(as_service, [account], dry_run=True) == {Outcome.ERASED: 1}
        assert await conn.fetchval("SELECT deleted_at FROM users WHERE id = $1", world.user_id) is None
        assert await carried_out(as_service, [account]) == {Outcome.ERASED: 1}
        state = "SELECT state FROM erasure_requests WHERE user_id = $1 AND id = $2"
        assert await conn.fetchval(state, world.user_id, account.receipt_id) == "COMPLETED"
        assert "shy" not in "\n".join(await rows_of_tenant(conn, world.user_id))
        assert await rows_of_tenant(conn, uuid.UUID(tenant_of(world.bob))) == before
        rows = await every_row(conn)
        assert await carried_out(as_service, [account]) == {Outcome.KNOWN: 1}
        assert await every_row(conn) == rows


async def test_a_damaged_journal_is_refused_by_its_line(world: World, tmp_path: Path) -> None:
    good = (await journal_of(world))[0].line()
    other = json.loads(good)
    for bad in (
        "{",
        "[]",
        "{}",
        json.dumps({**other, "format": 2}),
        json.dumps({**other, "user_id": "x"}),
        json.dumps({**other, "contact_ids": []}),
        json.dumps({**other, "suppressions": [{"kind": "NAME", "key_id": "k", "hash": "00"}]}),
    ):
        with pytest.raises(JournalError, match="line 2"):
            read([good, bad])
        journal = tmp_path / "damaged"
        journal.write_text(f"{good}\n{bad}\n")
        async with world.database.connect("pmcrm_service") as conn:
            with pytest.raises(JournalError, match="line 2"):
                await append(conn, journal)
        assert journal.read_text() == f"{good}\n{bad}\n"
    assert len(read([good, "", good])) == 1


async def run(database: Database, *arguments: str) -> tuple[int, str]:
    """What a command ends with and says. In a thread: it has an event loop of its own."""
    variables = environment(database, DATABASE_URL=None)
    done = await asyncio.to_thread(CliRunner().invoke, app, arguments, env=variables)
    return done.exit_code, done.output


async def test_the_commands_do_it(world: World, restored: Database, tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    code, said = await run(world.database, "export-erasures", "--out", str(journal))
    assert (code, said) == (0, "2 erasures written.\n")
    code, said = await run(world.database, "export-erasures", "--out", "-", "--since", "2020-01-01")
    assert (code, [line for line in said.splitlines() if line.startswith("{")]) == (0, journal.read_text().splitlines())
    reapplying = ("maintenance", "reapply-erasures", "--journal", str(journal))
    code, said = await run(restored, *reapplying, "--dry-run")
    assert (code, "1 would be erased again" in said) == (0, True)
    code, said = await run(restored, *reapplying)
    assert (code, "1 erased again" in said) == (0, True)
    code, said = await run(restored, *reapplying)
    assert (code, "2 erased here already" in said) == (0, True)
    journal.write_text("{")
    code, said = await run(restored, *reapplying)
    assert (code, "line 1" in said) == (1, True)


async def test_the_command_fails_when_something_is_left_undone(
    world: World, restored: Database, tmp_path: Path
) -> None:
    journal = tmp_path / "journal"
    await run(world.database, "export-erasures", "--out", str(journal))
    async with restored.connect() as conn:
        await conn.execute("INSERT INTO legal_holds (user_id, reason) VALUES ($1, 'file 17')", world.user_id)
    code, said = await run(restored, "maintenance", "reapply-erasures", "--journal", str(journal))
    assert (code, "1 kept by a legal hold" in said) == (1, True)
    assert str((await journal_of(world))[0].receipt_id) in said
