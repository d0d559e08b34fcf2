"""Months of the audit log: archived when seals cover them, dropped with an entry that says so, kept by holds."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from services.gdpr.audit_months import archive, drop
from shared.audit_sealing import seal_audit
from shared.keys import KeyRing
from tests.postgres import Connection, Database, bound

KEYS = KeyRing.parse("k1:" + "C" * 43 + "=")


@pytest_asyncio.fixture
async def superuser(fresh_database: Database) -> AsyncIterator[Connection]:
    async with fresh_database.connect() as conn:
        yield conn


@pytest_asyncio.fixture
async def service(fresh_database: Database) -> AsyncIterator[Connection]:
    async with fresh_database.connect("pmcrm_service") as conn:
        yield conn


async def new_tenant(conn: Connection) -> uuid.UUID:
    tenant: uuid.UUID = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
    return tenant


async def write(conn: Connection, tenant: uuid.UUID, at: datetime, subject: uuid.UUID | None = None) -> None:
    """An entry of that time, in the partition of its month."""
    await conn.execute(
        "INSERT INTO audit_logs (user_id, at, subject_id, table_name, action, role_name, digest)"
        " VALUES ($1, $2, $3, 'contacts', 'INSERT', 'pmcrm_contacts', $4)",
        tenant,
        at,
        subject or uuid.uuid4(),
        hashlib.sha256(b"any").digest(),
    )
    await conn.fetchval("SELECT app.create_audit_partitions(0)")


async def seal(conn: Connection) -> None:
    await seal_audit(conn, KEYS)


async def months_of(conn: Connection, table: str) -> set[str]:
    rows = await conn.fetch(
        "SELECT inhrelid::regclass::text AS name FROM pg_inherits WHERE inhparent = $1::regclass", table
    )
    return {row["name"] for row in rows}


async def noted(conn: Connection, tenant: uuid.UUID, action: str) -> list[dict[str, object]]:
    rows = await conn.fetch(
        "SELECT new_values, salt, digest FROM audit_logs WHERE user_id = $1 AND action = $2 ORDER BY at", tenant, action
    )
    for row in rows:
        right = await conn.fetchval(
            "SELECT app.audit_digest($1, NULL, $2, NULL, NULL, NULL)", row["salt"], row["new_values"]
        )
        assert row["digest"] == right
    return [row["new_values"] for row in rows]


def years_ago(years: int, days: int = 0) -> datetime:
    return datetime.now(UTC) - timedelta(days=365.25 * years + days)


def name_of(at: datetime) -> str:
    return f"{at:%Y-%m}"


def partition_of(at: datetime) -> str:
    return f"audit_logs_{at:%Y_%m}"


async def test_a_sealed_month_is_archived_and_later_dropped(superuser, service):
    tenants = [await new_tenant(superuser) for _ in range(2)]
    old, young = years_ago(8), years_ago(2)
    for tenant in tenants:
        await write(superuser, tenant, old)
        await write(superuser, tenant, young)
    await write(superuser, tenants[0], old + timedelta(seconds=1))
    await seal(service)

    tried = await archive(service, 3, dry_run=True)
    assert partition_of(old) in await months_of(superuser, "audit_logs")
    done = await archive(service, 3)
    assert (done.moved, done.entries, done.unsealed) == ([name_of(old)], 3, [])
    assert (tried.moved, tried.entries) == (done.moved, done.entries)
    assert partition_of(old) in await months_of(superuser, "audit_logs_archive")
    assert partition_of(young) in await months_of(superuser, "audit_logs")
    assert await superuser.fetchval("SELECT count(*) FROM audit_logs_archive") == 3
    for tenant, count in zip(tenants, (2, 1), strict=True):
        assert await noted(superuser, tenant, "ARCHIVE") == [{"month": name_of(old), "entries": count}]
    constraints = "SELECT count(*) FROM pg_constraint WHERE conname = 'month_check'"
    assert await superuser.fetchval(constraints) == 0
    assert (await archive(service, 3)).moved == []

    tried = await drop(service, 7, dry_run=True)
    assert partition_of(old) in await months_of(superuser, "audit_logs_archive")
    seals = await superuser.fetchval("SELECT count(*) FROM audit_seals")
    done = await drop(service, 7)
    assert (done.moved, done.entries, done.held) == ([name_of(old)], 3, [])
    assert (tried.moved, tried.entries) == (done.moved, done.entries)
    assert await months_of(superuser, "audit_logs_archive") == set()
    assert await superuser.fetchval("SELECT to_regclass($1)", partition_of(old)) is None
    assert await superuser.fetchval("SELECT count(*) FROM audit_seals") == seals
    for tenant, count in zip(tenants, (2, 1), strict=True):
        [entry] = await noted(superuser, tenant, "DROP")
        assert entry == {"month": name_of(old), "first_seq": 1, "last_seq": 1, "entries": count}


async def test_nothing_is_archived_that_no_seal_covers(superuser, service):
    sealed, late = await new_tenant(superuser), await new_tenant(superuser)
    old, older = years_ago(4), years_ago(5)
    await write(superuser, sealed, old)
    await write(superuser, sealed, older)
    for done in (await archive(service, 3), await archive(service, 3, dry_run=True)):
        assert (done.moved, done.unsealed) == ([], [name_of(older), name_of(old)])
    await seal(service)
    # One of another tenant, that came when the month had been sealed.
    await write(superuser, late, old)
    done = await archive(service, 3)
    assert (done.moved, done.unsealed) == ([name_of(older)], [name_of(old)])
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="no seal covers 1 entries"):
        await service.fetchval("SELECT app.archive_audit_partition($1)", date(old.year, old.month, 1))


@pytest.mark.parametrize("on", ["tenant", "contact"])
async def test_a_month_with_entries_under_legal_hold_is_not_dropped(superuser, service, on):
    held, other = await new_tenant(superuser), await new_tenant(superuser)
    contact = uuid.uuid4()
    old, older = years_ago(8), years_ago(9)
    await write(superuser, held, old, contact)
    await write(superuser, other, old)
    await write(superuser, other, older)
    await seal(service)
    await archive(service, 3)
    async with bound(superuser, held):
        hold = await superuser.fetchval(
            "INSERT INTO legal_holds (user_id, contact_id, reason) VALUES ($1, $2, 'file 17') RETURNING id",
            held,
            contact if on == "contact" else None,
        )
    tried = await drop(service, 7, dry_run=True)
    done = await drop(service, 7)
    for told in (tried, done):
        assert (told.moved, told.held) == ([name_of(older)], [name_of(old)])
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="a legal hold keeps it"):
        await service.fetchval("SELECT app.drop_audit_partition($1)", date(old.year, old.month, 1))
    await superuser.execute("UPDATE legal_holds SET released_at = now() WHERE id = $1", hold)
    assert (await drop(service, 7)).moved == [name_of(old)]


async def test_a_month_must_be_over_for_so_many_years(superuser, service):
    tenant = await new_tenant(superuser)
    now = datetime.now(UTC)
    first = datetime(now.year - 3, now.month, 1, tzinfo=UTC)
    await write(superuser, tenant, first)
    await write(superuser, tenant, first - timedelta(seconds=1))
    await seal(service)
    assert (await archive(service, 3)).moved == [name_of(first - timedelta(seconds=1))]


async def test_whoever_writes_does_not_wait_for_long(superuser, service, fresh_database):
    tenant = await new_tenant(superuser)
    old = years_ago(4)
    await write(superuser, tenant, old)
    await seal(service)
    month = date(old.year, old.month, 1)
    async with fresh_database.connect() as writer:
        await writer.execute("BEGIN; LOCK TABLE audit_logs IN ROW EXCLUSIVE MODE")
        with pytest.raises(asyncpg.LockNotAvailableError):
            await service.fetchval("SELECT app.archive_audit_partition($1)", month)
        await writer.execute("ROLLBACK")
    assert await service.fetchval("SELECT app.archive_audit_partition($1)", month) == 1


async def test_only_the_service_role_moves_months_and_only_whole_ones(superuser, service, fresh_database):
    tenant = await new_tenant(superuser)
    young = datetime.now(UTC) - timedelta(days=100)
    await write(superuser, tenant, young)
    await seal(service)
    month = date(young.year, young.month, 1)
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError, match="not a year old"):
        await service.fetchval("SELECT app.archive_audit_partition($1)", month)
    with pytest.raises(asyncpg.NoDataFoundError):
        await service.fetchval("SELECT app.drop_audit_partition($1)", month)
    with pytest.raises(asyncpg.NoDataFoundError):
        await service.fetchval("SELECT app.archive_audit_partition($1)", date(1999, 1, 1))
    for years in (0, 101):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await service.fetch("SELECT app.audit_months(false, $1)", years)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.fetchval("SELECT app.audit_events_for('DROP', 'audit_logs', '{}', '{}')")
    async with fresh_database.connect("pmcrm_gdpr") as gdpr:
        for call in ("archive_audit_partition", "drop_audit_partition", "prepare_audit_partition"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await gdpr.fetchval(f"SELECT app.{call}($1)", month)
