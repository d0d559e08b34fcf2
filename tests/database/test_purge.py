"""What is purged, what goes with it and what stays: app.purge_rows, and purge_deleted_contacts for a DBA."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import pytest
import pytest_asyncio

from services.gdpr.purging import Wanted, purge
from tests.database.rows import INSERTS
from tests.postgres import Connection, Database, bound

OLD = timedelta(days=100)

# What is the trigger's to add, and what is of no account here.
APART = {
    "contact_strengths",
    "erasure_requests",
    "erasure_state_changes",
    "suppressions",
    "legal_holds",
    "audit_logs",
    "audit_logs_archive",
    "audit_seals",
}


@pytest_asyncio.fixture
async def superuser(database: Database) -> AsyncIterator[Connection]:
    async with database.connect() as conn:
        yield conn
        # Each test begins with nothing to purge.
        await conn.execute("SET session_replication_role = replica")
        for table in {*await purged_tables(conn), *INSERTS} - {"users", "audit_logs", "audit_logs_archive"}:
            await conn.execute(f"DELETE FROM {table}")


@pytest_asyncio.fixture
async def service(database: Database) -> AsyncIterator[Connection]:
    async with database.connect("pmcrm_service") as conn:
        yield conn


async def purged_tables(conn: Connection) -> list[str]:
    return [name for (name,) in await conn.fetch("SELECT table_name FROM app.purged_tables() ORDER BY place")]


async def new_tenant(conn: Connection) -> uuid.UUID:
    tenant: uuid.UUID = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
    return tenant


async def new_contact(conn: Connection, tenant: uuid.UUID, deleted: timedelta | None = None) -> uuid.UUID:
    async with bound(conn, tenant):
        contact: uuid.UUID = await conn.fetchval(
            "INSERT INTO contacts (user_id, display_name, sort_name, deleted_at)"
            " VALUES ($1, 'Ada', 'ada', now() - $2::interval) RETURNING id",
            tenant,
            deleted,
        )
    return contact


async def everything(conn: Connection) -> tuple[uuid.UUID, uuid.UUID]:
    """A tenant with a row of each table; returns it and the contact that they hang on."""
    tenant, contact = uuid.uuid4(), uuid.uuid4()
    async with bound(conn, tenant):
        for table, insert in INSERTS.items():
            if table in APART:
                continue
            arguments = (tenant, contact) if "$2" in insert else (tenant,)
            await conn.execute(insert, *arguments)
    return tenant, contact


async def rows_of(conn: Connection, tenant: uuid.UUID) -> dict[str, int]:
    names = [name for name in INSERTS if name != "users" and not name.startswith("audit")]
    counts = {}
    for name in names:
        counts[name] = await conn.fetchval(f"SELECT count(*) FROM {name} WHERE user_id = $1", tenant)
    return {name: count for name, count in counts.items() if count}


async def delete(conn: Connection, tenant: uuid.UUID, table: str, row: uuid.UUID, ago: timedelta = OLD) -> None:
    gone = ", credentials = NULL, key_id = NULL" if table == "integrations" else ""
    async with bound(conn, tenant):
        changed = await conn.execute(
            f"UPDATE {table} SET deleted_at = now() - $3::interval{gone} WHERE user_id = $1 AND id = $2",
            tenant,
            row,
            ago,
        )
    assert changed == "UPDATE 1"


async def place_hold(conn: Connection, tenant: uuid.UUID, contact: uuid.UUID | None = None) -> uuid.UUID:
    async with bound(conn, tenant):
        hold: uuid.UUID = await conn.fetchval(
            "INSERT INTO legal_holds (user_id, contact_id, reason) VALUES ($1, $2, 'file 17') RETURNING id",
            tenant,
            contact,
        )
    return hold


async def exists(conn: Connection, table: str, row: uuid.UUID) -> bool:
    found: bool = await conn.fetchval(f"SELECT EXISTS (SELECT FROM {table} WHERE id = $1)", row)
    return found


async def test_every_table_with_deleted_at_is_purged(superuser):
    with_deleted_at = {
        name
        for (name,) in await superuser.fetch(
            "SELECT table_name FROM information_schema.columns JOIN information_schema.tables USING (table_name)"
            " WHERE column_name = 'deleted_at' AND tables.table_schema = 'public' AND table_type = 'BASE TABLE'"
        )
    }
    # Accounts are erased, and leave a shell.
    assert set(await purged_tables(superuser)) == with_deleted_at - {"users"}


async def test_what_is_deleted_is_found_by_an_index(superuser):
    for table in await purged_tables(superuser):
        indexed = await superuser.fetchval(
            "SELECT count(*) FROM pg_indexes WHERE tablename = $1 AND indexdef LIKE '%(user_id, deleted_at)%'", table
        )
        assert indexed == (table != "ai_insights")


async def test_a_contact_goes_with_all_that_is_about_nobody_else(superuser, service):
    tenant, contact = await everything(superuser)
    await delete(superuser, tenant, "contacts", contact)
    before = await rows_of(superuser, tenant)
    tried = await purge(service, Wanted(90, dry_run=True))
    assert await rows_of(superuser, tenant) == before
    done = await purge(service, Wanted(90))
    left = await rows_of(superuser, tenant)
    # What the tenant has besides: the other end of the link, things of their own, the proof of consents.
    kept = {"organizations", "tags", "integrations", "contacts", "contact_strengths", "consent_records"}
    derived = {"idempotency_keys", "embedding_models", "embedding_queue"}
    assert set(left) == kept | derived, left
    gone = {name: count - left.get(name, 0) for name, count in before.items() if name not in derived}
    assert done.row_counts == {name: count for name, count in gone.items() if count}
    assert tried.row_counts == done.row_counts
    assert (done.held, done.more) == (0, False)


async def test_what_others_take_part_in_stays(superuser, service):
    tenant = await new_tenant(superuser)
    gone, staying = await new_contact(superuser, tenant, OLD), await new_contact(superuser, tenant)
    async with bound(superuser, tenant):
        rows = {}
        for table, ties in (("interactions", "interaction_participants"), ("reminders", "reminder_contacts")):
            key = table[:-1]
            rows[table] = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
            shared_row, own, nobodys = rows[table]
            for row in rows[table]:
                await superuser.execute(INSERTS[table], tenant, row)
            for row, contact in ((shared_row, gone), (shared_row, staying), (own, gone)):
                position = "position, " if table == "reminders" else ""
                value = "1, " if table == "reminders" else ""
                await superuser.execute(
                    f"INSERT INTO {ties} (user_id, {position}{key}_id, contact_id) VALUES ($1, {value}$2, $3)",
                    tenant,
                    row,
                    contact,
                )
    await purge(service, Wanted(90))
    for table, (shared_row, own, nobodys) in rows.items():
        assert [await exists(superuser, table, row) for row in (shared_row, own, nobodys)] == [True, False, True]
    assert await superuser.fetchval(
        "SELECT array_agg(contact_id) FROM interaction_participants WHERE user_id = $1", tenant
    ) == [staying]


@pytest.mark.parametrize(
    "table", ["contacts", "organizations", "tags", "integrations", "interactions", "reminders", "ai_insights"]
)
async def test_a_row_goes_when_its_days_are_over(superuser, service, table):
    tenant = await new_tenant(superuser)
    young, old, living = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    async with bound(superuser, tenant):
        for row in (young, old, living):
            insert = INSERTS[table].replace("'uid-1'", "NULL")
            await superuser.execute(insert, tenant, row)
    await delete(superuser, tenant, table, young, timedelta(days=89))
    await delete(superuser, tenant, table, old, timedelta(days=90))
    done = await purge(service, Wanted(90))
    assert [await exists(superuser, table, row) for row in (young, old, living)] == [True, False, True]
    assert done.row_counts == {table: 1} | ({"contact_strengths": 1} if table == "contacts" else {})
    done = await purge(service, Wanted(0))
    assert [await exists(superuser, table, row) for row in (young, living)] == [False, True]


async def test_an_insight_goes_when_it_is_long_over_unless_somebody_settled_it(superuser, service):
    tenant = await new_tenant(superuser)
    staying = {"ACTIONED", "DISMISSED"}
    made = {}
    async with bound(superuser, tenant):
        for status in ("PENDING", "SUPERSEDED", "ACTIONED", "DISMISSED"):
            made[status] = uuid.uuid4()
            await superuser.execute(INSERTS["ai_insights"], tenant, made[status])
            await superuser.execute(
                "UPDATE ai_insights SET status = $2, resolved_at = CASE WHEN $2 <> 'PENDING' THEN now() - $3::interval"
                " END, expires_at = now() - $3::interval WHERE id = $1",
                made[status],
                status,
                OLD,
            )
    await purge(service, Wanted(90))
    assert {status for status, row in made.items() if await exists(superuser, "ai_insights", row)} == staying


async def test_an_integration_stays_while_interactions_name_it(superuser, service):
    tenant = await new_tenant(superuser)
    integration, interaction = uuid.uuid4(), uuid.uuid4()
    async with bound(superuser, tenant):
        await superuser.execute(INSERTS["integrations"], tenant, integration)
        await superuser.execute(INSERTS["interactions"], tenant, interaction)
        await superuser.execute("UPDATE interactions SET integration_id = $2 WHERE id = $1", interaction, integration)
    await delete(superuser, tenant, "integrations", integration)
    assert (await purge(service, Wanted(90))).row_counts == {}
    await delete(superuser, tenant, "interactions", interaction)
    assert (await purge(service, Wanted(90))).row_counts == {"interactions": 1, "integrations": 1}


async def test_a_merge_goes_with_its_merged_contact_and_the_id_stands_on(superuser, service):
    tenant = await new_tenant(superuser)
    survivor, duplicate = await new_contact(superuser, tenant), await new_contact(superuser, tenant)
    async with bound(superuser, tenant):
        merge = await superuser.fetchval(
            'SELECT app.merge_contacts($1, $2, \'{"notes": "both"}\', NULL)', survivor, [duplicate]
        )
    await superuser.execute("UPDATE contacts SET deleted_at = now() - $2::interval WHERE id = $1", duplicate, OLD)
    done = await purge(service, Wanted(90))
    assert done.row_counts["contact_merges"] == done.row_counts["contacts"] == 1
    assert not await exists(superuser, "contact_merges", merge)
    assert not await superuser.fetchval("SELECT count(*) FROM contact_merge_rows WHERE merge_id = $1", merge)
    stands = await superuser.fetchval("SELECT survivor_id FROM contact_redirects WHERE contact_id = $1", duplicate)
    assert stands == survivor


async def test_a_hold_on_the_tenant_keeps_everything(superuser, service):
    tenant, contact = await everything(superuser)
    for table in ("contacts", "tags", "reminders"):
        await delete(superuser, tenant, table, contact)
    hold = await place_hold(superuser, tenant)
    before = await rows_of(superuser, tenant)
    for dry_run in (True, False):
        done = await purge(service, Wanted(0, dry_run=dry_run))
        # The insight that names the contact is deleted with it.
        assert (done.row_counts, done.held) == ({}, 4)
    assert await rows_of(superuser, tenant) == before
    await superuser.execute("UPDATE legal_holds SET released_at = now() WHERE id = $1", hold)
    assert (await purge(service, Wanted(0))).held == 0
    assert not await exists(superuser, "contacts", contact)


async def test_a_hold_on_a_contact_keeps_what_is_about_it_and_nothing_else(superuser, service):
    tenant, contact = await everything(superuser)
    other = await new_contact(superuser, tenant, OLD)
    tables = ("contacts", "tags", "organizations", "interactions", "reminders", "ai_insights")
    for table in tables:
        await delete(superuser, tenant, table, contact)
    for table in ("contact_links", "contact_employments"):
        row = await superuser.fetchval(f"SELECT id FROM {table} WHERE user_id = $1", tenant)
        await delete(superuser, tenant, table, row)
    await place_hold(superuser, tenant, contact)
    before = await rows_of(superuser, tenant)
    done = await purge(service, Wanted(90))
    assert done.row_counts == {"contacts": 1, "contact_strengths": 1}
    assert done.held == len(tables) + 2
    assert not await exists(superuser, "contacts", other)
    after = await rows_of(superuser, tenant)
    assert after == before | {name: before[name] - 1 for name in ("contacts", "contact_strengths")}


@pytest.mark.parametrize("held", ["survivor", "duplicate"])
async def test_a_hold_covers_those_that_were_merged(superuser, service, held):
    tenant = await new_tenant(superuser)
    survivor, duplicate = await new_contact(superuser, tenant), await new_contact(superuser, tenant)
    async with bound(superuser, tenant):
        await superuser.execute("SELECT app.merge_contacts($1, $2, '{}', NULL)", survivor, [duplicate])
    await superuser.execute("UPDATE contacts SET deleted_at = now() - $2::interval WHERE id = $1", duplicate, OLD)
    await delete(superuser, tenant, "contacts", survivor)
    await place_hold(superuser, tenant, survivor if held == "survivor" else duplicate)
    done = await purge(service, Wanted(90))
    assert (done.row_counts, done.held) == ({}, 2)


async def test_a_purge_stops_after_about_so_many_rows_and_goes_on(superuser, service):
    tenant = await new_tenant(superuser)
    for _ in range(5):
        await new_contact(superuser, tenant, OLD)
    tried = await purge(service, Wanted(90, dry_run=True, max_rows=4))
    assert (tried.row_counts["contacts"], tried.more) == (4, True)
    done = await purge(service, Wanted(90, max_rows=4))
    assert (done.row_counts["contacts"], done.more) == (4, True)
    done = await purge(service, Wanted(90, max_rows=2))
    assert (done.row_counts["contacts"], done.more) == (1, False)
    assert (await purge(service, Wanted(90, max_rows=1))).more is False


async def test_what_was_removed_is_in_the_audit_log_without_values(superuser, service):
    tenant = await new_tenant(superuser)
    contact = await new_contact(superuser, tenant, OLD)
    await purge(service, Wanted(90))
    entry = await superuser.fetchrow(
        "SELECT * FROM audit_logs WHERE user_id = $1 AND subject_id = $2 AND action = 'DELETE'", tenant, contact
    )
    assert (entry["table_name"], entry["role_name"]) == ("contacts", "pmcrm_service")
    assert entry["old_values"] is entry["new_values"] is None


@pytest.mark.parametrize("role", [None, "pmcrm_service"])
async def test_a_dba_can_purge_contacts(superuser, database, role):
    tenants = [await new_tenant(superuser) for _ in range(3)]
    old = [await new_contact(superuser, tenant, OLD) for tenant in tenants]
    young = [await new_contact(superuser, tenant, timedelta(days=89)) for tenant in tenants]
    await place_hold(superuser, tenants[2])
    async with database.connect(role) as conn, conn.transaction():
        assert await conn.fetchval("SELECT purge_deleted_contacts(90)") == 2
        assert await conn.fetchval("SELECT app.current_user_id()") is None
        assert await conn.fetchval("SELECT purge_deleted_contacts(90)") == 0
    assert [await exists(superuser, "contacts", contact) for contact in old] == [False, False, True]
    assert all([await exists(superuser, "contacts", contact) for contact in young])


async def test_purging_contacts_refuses_what_it_cannot_do(superuser, service, database):
    tenant = await new_tenant(superuser)
    for days in (-1, 36_501, None):
        with pytest.raises(asyncpg.InvalidParameterValueError):
            await service.fetchval("SELECT purge_deleted_contacts($1)", days)
    with pytest.raises(asyncpg.ObjectNotInPrerequisiteStateError):
        async with bound(service, tenant):
            await service.fetchval("SELECT purge_deleted_contacts(90)")
    async with database.connect("pmcrm_owner") as owner:
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security hides"):
            await owner.fetchval("SELECT purge_deleted_contacts(90)")
    async with database.connect("pmcrm_gdpr") as gdpr:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await gdpr.fetchval("SELECT purge_deleted_contacts(90)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await service.fetchval("SELECT app.purge_rows('contacts', now(), 1)")
