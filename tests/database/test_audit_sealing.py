"""The audit log is sealed whole and in order, whoever writes meanwhile, whenever it stops, however many seal it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
import structlog
from structlog.testing import capture_logs

from shared import audit_sealing
from shared.audit_chain import NOTHING, Seal, seal_hash
from shared.audit_entries import entry_hash
from shared.audit_sealing import seal_audit, seal_audit_where_possible
from shared.settings import Settings
from tests.database.rows import Tenant
from tests.postgres import Connection, Database, bound
from tests.services.gdpr.audit_calls import KEYS, chain_of, seal, write_entries

COLUMNS = "id, at, subject_id, row_id, request_id, table_name, action, role_name, digest"


@pytest.fixture
async def tenant(database: Database) -> uuid.UUID:
    return uuid.uuid4()


@pytest.fixture(autouse=True)
async def _from_the_start(database: Database) -> None:
    async with database.connect() as conn:
        await conn.execute("UPDATE app.audit_sealing SET horizon = '-infinity'")


async def check_chain(conn: Connection, tenant: uuid.UUID) -> list[uuid.UUID]:
    """Asserts that every seal follows from the one before; returns the sealed entries in order."""
    previous, horizon, sealed = NOTHING, datetime.min.replace(tzinfo=UTC), []
    for number, row in enumerate(await chain_of(conn, tenant), start=1):
        found = Seal(**{name: row[name] for name in Seal.__dataclass_fields__})
        assert (found.seq, found.previous) == (number, previous)
        assert horizon <= found.first_at <= found.last_at < found.horizon
        assert (found.first_at.year, found.first_at.month) == (found.last_at.year, found.last_at.month)
        secret = KEYS.find(found.key_id)
        assert secret is not None
        assert found.hash == seal_hash(secret, tenant, found)
        rows = await conn.fetch(
            f"SELECT {COLUMNS} FROM audit_logs WHERE user_id = $1 AND at >= $2 AND at < $3 ORDER BY at, id",
            tenant,
            max(horizon, datetime(1970, 1, 1, tzinfo=UTC)),
            found.horizon,
        )
        assert [row["id"] for row in rows] == found.entry_ids
        assert b"".join(entry_hash(tenant, row) for row in rows) == found.entry_hashes
        previous, horizon = found.hash, found.horizon
        sealed += found.entry_ids
    return sealed


async def test_entries_are_sealed_in_batches_in_their_order(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    written = await write_entries(as_superuser, tenant, 25)
    assert (await seal(database, most=10)).entries >= 25
    assert [len(row["entry_ids"]) for row in await chain_of(as_superuser, tenant)] == [10, 10, 5]
    assert await check_chain(as_superuser, tenant) == written


async def test_nothing_new_makes_no_seal(database: Database, as_superuser: Connection, tenant: uuid.UUID) -> None:
    await write_entries(as_superuser, tenant, 3)
    await seal(database)
    before = await chain_of(as_superuser, tenant)
    assert (await seal(database)).entries == 0
    assert await chain_of(as_superuser, tenant) == before


async def test_the_next_seal_begins_where_the_last_one_ended(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    first = await write_entries(as_superuser, tenant, 3)
    await seal(database)
    horizon = await as_superuser.fetchval("SELECT horizon FROM app.audit_sealing")
    second = await write_entries(as_superuser, tenant, 2, start=horizon)
    await as_superuser.execute("SELECT pg_sleep(1.1)")
    await seal(database)
    assert await check_chain(as_superuser, tenant) == first + second


async def test_months_are_sealed_apart(database: Database, as_superuser: Connection, tenant: uuid.UUID) -> None:
    written = await write_entries(
        as_superuser, tenant, 6, start=datetime(2025, 1, 31, 22, tzinfo=UTC), step=timedelta(hours=1)
    )
    await seal(database)
    assert [len(row["entry_ids"]) for row in await chain_of(as_superuser, tenant)] == [2, 4]
    assert await check_chain(as_superuser, tenant) == written


async def test_entries_of_one_moment_are_sealed_together(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    written = await write_entries(as_superuser, tenant, 7, step=timedelta(0))
    written = sorted(written)
    await seal(database, most=3)
    assert [len(row["entry_ids"]) for row in await chain_of(as_superuser, tenant)] == [7]
    assert await check_chain(as_superuser, tenant) == written


async def test_an_open_transaction_holds_back_what_is_sealed(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    async with database.connect("pmcrm_contacts") as late, late.transaction():
        began = await late.fetchval("SELECT now()")
        await write_entries(as_superuser, tenant, 2, start=began + timedelta(microseconds=1))
        await as_superuser.execute("SELECT pg_sleep(1.1)")
        await seal(database)
        assert await chain_of(as_superuser, tenant) == []
        assert await as_superuser.fetchval("SELECT horizon <= $1 FROM app.audit_sealing", began)


async def test_who_merely_holds_a_periodic_task_holds_nothing_back(
    database: Database, as_superuser: Connection
) -> None:
    async with database.connect("pmcrm_service") as holding, holding.transaction():
        assert await holding.fetchval("SELECT pg_try_advisory_xact_lock(hashtext('pmcrm task'), hashtext('x'))")
        began = await holding.fetchval("SELECT now()")
        # A second ago at the latest.
        await as_superuser.execute("SELECT pg_sleep(1.1)")
        assert await as_superuser.fetchval("SELECT app.audit_horizon() > $1", began)


async def test_what_appears_before_the_newest_seal_is_never_sealed(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    written = await write_entries(as_superuser, tenant, 3)
    await seal(database)
    [forged] = await write_entries(as_superuser, tenant, 1, start=datetime.now(UTC) - timedelta(minutes=30))
    await as_superuser.execute("UPDATE app.audit_sealing SET horizon = '-infinity'")
    await seal(database)
    [row] = await chain_of(as_superuser, tenant)
    assert row["entry_ids"] == written
    assert forged not in row["entry_ids"]


async def test_killed_at_any_statement_and_run_again_makes_the_same_chain(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    written = await write_entries(as_superuser, tenant, 12)
    for statements in range(1, 200):
        conn = await asyncpg.connect(database.operator, connection_class=Dying)
        conn.left = statements
        try:
            await seal_audit(conn, KEYS, most=5)
            break
        except (ConnectionResetError, asyncpg.InterfaceError):
            conn.terminate()
        # Whatever has been made so far is right.
        sealed = await check_chain(as_superuser, tenant)
        assert sealed == written[: len(sealed)]
    assert statements > 10
    assert await check_chain(as_superuser, tenant) == written


class Dying(asyncpg.Connection):
    """A connection that is lost when so many statements have been sent."""

    __slots__ = ("left",)
    left: int

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        self._count()
        return await super().fetch(*arguments, **options)

    async def execute(self, *arguments: Any, **options: Any) -> Any:
        self._count()
        return await super().execute(*arguments, **options)

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            self.terminate()
            raise ConnectionResetError


async def test_several_sealers_at_once_make_one_chain(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    written = await write_entries(as_superuser, tenant, 30)
    done = await asyncio.gather(*(seal(database, most=3) for _ in range(4)))
    assert sum(each.entries for each in done) == 30
    assert await check_chain(as_superuser, tenant) == written


async def test_sealing_beside_writers_leaves_nothing_out(database: Database, as_superuser: Connection) -> None:
    tenant = Tenant(uuid.uuid4(), uuid.uuid4())
    await as_superuser.execute("INSERT INTO users (id) VALUES ($1)", tenant.id)
    writing = True

    async def write(number: int) -> int:
        done = 0
        async with database.connect("pmcrm_contacts") as conn:
            while writing:
                async with bound(conn, tenant.id):
                    for _ in range(1 + number):
                        await conn.execute(
                            "INSERT INTO tags (user_id, id, name, name_key, sort_name) VALUES ($1, $2, $3, $3, $3)",
                            tenant.id,
                            uuid.uuid4(),
                            str(uuid.uuid4()),
                        )
                        done += 1
                        await asyncio.sleep(0.005 * (1 + number))
        return done

    writers = [asyncio.create_task(write(number)) for number in range(3)]
    sealed = 0
    for _ in range(10):
        sealed += (await seal(database, most=7)).entries
        await asyncio.sleep(0.08)
    writing = False
    total = sum([await writer for writer in writers])
    while sealed < total + 1:
        sealed += (await seal(database, most=7)).entries
        await asyncio.sleep(0.05)
    everything = await as_superuser.fetch("SELECT id FROM audit_logs WHERE user_id = $1 ORDER BY at, id", tenant.id)
    assert await check_chain(as_superuser, tenant.id) == [row["id"] for row in everything]


async def test_without_keys_the_task_says_so_once_and_does_nothing(
    database: Database, as_superuser: Connection, tenant: uuid.UUID
) -> None:
    await write_entries(as_superuser, tenant, 1)
    audit_sealing._said.clear()
    structlog.reset_defaults()
    async with database.connect("pmcrm_service") as conn:
        with capture_logs() as logs:
            for _ in range(2):
                assert await seal_audit_where_possible(conn, Settings(seal_keys=None)) is None
        assert [each["event"] for each in logs] == ["audit_log_not_sealed"]
        assert await chain_of(as_superuser, tenant) == []
        did = await seal_audit_where_possible(conn, Settings(seal_keys=KEYS))
    assert did is not None
    assert len(await chain_of(as_superuser, tenant)) == 1
