"""No role sees or changes another tenant's rows, in any table; beside each denial stands what is allowed."""

from __future__ import annotations

import uuid

import asyncpg
import pytest
import pytest_asyncio

from shared.roles import FUNCTION_ROLES, SERVICE_ROLES
from tests.database.catalog_lint import TENANT_TABLES
from tests.database.rows import INSERTS, REFERRED, Tenant, add_tenant, insert
from tests.postgres import Connection, Database, bound

GUARDED_TABLES = {**TENANT_TABLES, "login_emails": "user_id"}


@pytest_asyncio.fixture(scope="module")
async def tenants(database: Database) -> tuple[Tenant, Tenant]:
    async with database.connect() as conn:
        mine, other = await add_tenant(conn), await add_tenant(conn)
        for tenant in (mine, other):
            await conn.execute(
                "INSERT INTO login_emails (user_id, login_email) VALUES ($1, $2)", tenant.id, f"{tenant.id}@example.com"
            )
        return mine, other


async def roles_with(conn: Connection, privilege: str, table: str, column: str | None = None) -> list[str]:
    """The run-time roles that may do something to a table's column, or to any of its columns."""
    rows = await conn.fetch(
        "SELECT role FROM unnest($1::text[]) AS role WHERE CASE WHEN $4::text IS NULL "
        "THEN has_any_column_privilege(role, $2, $3) ELSE has_column_privilege(role, $2, $4, $3) END",
        [*SERVICE_ROLES, *FUNCTION_ROLES],
        table,
        privilege,
        column,
    )
    return [row["role"] for row in rows]


def test_every_tenant_table_has_rows_to_test_with():
    assert set(INSERTS) == set(TENANT_TABLES)


@pytest.mark.parametrize("table", GUARDED_TABLES)
async def test_a_service_reads_only_its_tenants_rows(database, as_superuser, tenants, table):
    mine, other = tenants
    column = GUARDED_TABLES[table]
    for role in await roles_with(as_superuser, "SELECT", table, column):
        if role in FUNCTION_ROLES:
            continue  # these own functions, which ask for the tenant themselves
        count = f"SELECT count(*) FILTER (WHERE {column} = $1), count(*) FILTER (WHERE {column} <> $1) FROM {table}"
        async with database.connect(role) as conn:
            async with bound(conn, mine.id):
                own, others = await conn.fetchrow(count, mine.id)
                asked = await conn.fetchval(f"SELECT count(*) FROM {table} WHERE {column} = $1", other.id)
            assert own > 0, role
            assert (others, asked) == (0, 0), role


@pytest.mark.parametrize("table", GUARDED_TABLES)
async def test_without_a_tenant_nothing_is_seen(database, as_superuser, tenants, table):
    mine, _ = tenants
    column = GUARDED_TABLES[table]
    for role in await roles_with(as_superuser, "SELECT", table, column):
        if role in FUNCTION_ROLES:
            continue
        async with database.connect(role) as conn:
            assert await conn.fetchval(f"SELECT count({column}) FROM {table}") == 0
            async with bound(conn, mine.id):
                assert await conn.fetchval(f"SELECT count({column}) FROM {table}") > 0
            # After a transaction the setting reads '' where it read NULL before.
            assert await conn.fetchval("SELECT current_setting('app.current_user_id', true)") == ""
            assert await conn.fetchval(f"SELECT count({column}) FROM {table}") == 0


@pytest.mark.parametrize("table", GUARDED_TABLES)
async def test_a_service_changes_only_its_tenants_rows(database, as_superuser, tenants, table):
    mine, other = tenants
    key = GUARDED_TABLES[table]
    for role in await roles_with(as_superuser, "UPDATE", table):
        column = await as_superuser.fetchval(
            "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped "
            "AND has_column_privilege($2::name, $1::regclass, attnum, 'UPDATE') LIMIT 1",
            table,
            role,
        )
        update = f"UPDATE {table} SET {column} = {column} WHERE {key} = $1"
        async with database.connect(role) as conn, bound(conn, mine.id):
            assert await conn.execute(update, other.id) == "UPDATE 0", role
            assert await conn.execute(update, mine.id) != "UPDATE 0", role


@pytest.mark.parametrize("table", TENANT_TABLES)
async def test_a_service_adds_rows_only_to_its_tenant(database, as_superuser, tenants, table):
    mine, other = tenants
    for role in await roles_with(as_superuser, "INSERT", table):
        if role in FUNCTION_ROLES:
            continue
        async with database.connect(role) as conn:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                async with bound(conn, mine.id):
                    await insert(conn, table, other.id, uuid.uuid4())
            async with bound(conn, mine.id):
                await add_own(conn, table, mine.id)


# Where a role that adds rows cannot add what they refer to, or the tenant has its one row already: that the policy lets
# a row pass shows in what refuses it.
REFUSED = {
    "contact_strengths": asyncpg.ForeignKeyViolationError,
    "processing_restrictions": asyncpg.ForeignKeyViolationError,
    "embeddings": asyncpg.ForeignKeyViolationError,
    "embedding_models": asyncpg.UniqueViolationError,
    "ai_insight_contacts": asyncpg.ForeignKeyViolationError,
}


async def add_own(conn: Connection, table: str, tenant: uuid.UUID) -> None:
    if table in REFUSED:
        with pytest.raises(REFUSED[table]):
            await insert(conn, table, tenant, uuid.uuid4())
    elif table == "contacts":
        statement = "INSERT INTO contacts (user_id, display_name, sort_name) VALUES ($1, 'B', 'b')"
        assert await conn.execute(statement, tenant) == "INSERT 0 1"
    else:
        contact = uuid.uuid4()
        statement = "INSERT INTO contacts (user_id, id, display_name, sort_name) VALUES ($1, $2, 'B', 'b')"
        if await conn.fetchval("SELECT has_table_privilege('contacts', 'INSERT')"):
            await conn.execute(statement, tenant, contact)
        elif await conn.fetchval("SELECT has_function_privilege('app.create_contacts(jsonb)', 'EXECUTE')"):
            new = [{"id": str(contact), "display_name": "B", "sort_name": "b"}]
            await conn.fetchval("SELECT app.create_contacts($1)", new)
        if table in REFERRED:
            await insert(conn, REFERRED[table], tenant, contact)
        await insert(conn, table, tenant, contact)


async def test_another_tenants_contact_cannot_be_told_from_none_by_foreign_keys(database, tenants):
    mine, other = tenants
    answers = []
    for contact in (other.contact, uuid.uuid4()):
        async with database.connect("pmcrm_contacts") as conn:
            with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
                async with bound(conn, mine.id):
                    await insert(conn, "contact_strengths", mine.id, contact)
        error = refused.value
        answers.append((error.args[0], str(error.detail).replace(str(contact), "…"), error.constraint_name))
    assert answers[0] == answers[1]


async def test_another_tenants_keys_do_not_take_mine(database, tenants):
    mine, other = tenants
    async with database.connect("pmcrm_contacts") as conn:
        async with bound(conn, mine.id):
            # The id, source uid and request id that the other tenant's rows have.
            statement = (
                "INSERT INTO contacts (user_id, id, display_name, sort_name, source_uid) VALUES ($1, $2, 'B', 'b', $3)"
            )
            await conn.execute(statement, mine.id, other.contact, f"uid-of-{other.id}")
            await insert(conn, "idempotency_keys", mine.id, other.contact)
        with pytest.raises(asyncpg.UniqueViolationError):
            async with bound(conn, mine.id):
                await conn.execute(statement, mine.id, uuid.uuid4(), f"uid-of-{other.id}")
        with pytest.raises(asyncpg.UniqueViolationError):
            async with bound(conn, mine.id):
                await insert(conn, "idempotency_keys", mine.id, other.contact)


async def test_an_unknown_tenant_cannot_write(as_contacts):
    nobody = uuid.uuid4()
    for table in ("contacts", "idempotency_keys"):
        with pytest.raises(asyncpg.ForeignKeyViolationError) as refused:
            async with bound(as_contacts, nobody):
                await insert(as_contacts, table, nobody, uuid.uuid4())
        assert refused.value.constraint_name == f"{table}_user_id_fkey"


async def test_the_owner_sees_nothing_without_a_tenant(as_owner, tenants):
    for table, column in GUARDED_TABLES.items():
        assert await as_owner.fetchval(f"SELECT count({column}) FROM {table}") == 0
    async with bound(as_owner, tenants[0].id):
        assert await as_owner.fetchval("SELECT count(*) FROM contacts") > 0


async def test_operators_see_every_tenant(as_operator, tenants):
    for table, column in GUARDED_TABLES.items():
        seen = await as_operator.fetch(f"SELECT DISTINCT {column} FROM {table}")
        assert {tenant.id for tenant in tenants} <= {row[0] for row in seen}, table


async def test_services_have_no_rights_on_partitions(database, as_superuser, tenants):
    partitions = await as_superuser.fetch("SELECT inhrelid::regclass::text AS name FROM pg_inherits")
    tables = [row["name"] for row in partitions if row["name"].startswith("audit_logs") and "idx" not in row["name"]]
    async with database.connect("pmcrm_gdpr") as conn:
        for table in [name for name in tables if "pkey" not in name]:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                await conn.fetchval(f"SELECT count(*) FROM {table}")
        async with bound(conn, tenants[0].id):
            assert await conn.fetchval("SELECT count(*) FROM audit_logs") > 0


async def test_nobody_changes_the_audit_log(database, as_superuser, tenants):
    for role in (*SERVICE_ROLES, "pmcrm_service", "pmcrm_backup", "pmcrm_audit", "pmcrm_search"):
        for privilege in ("UPDATE", "DELETE", "TRUNCATE"):
            assert not await as_superuser.fetchval("SELECT has_table_privilege($1, 'audit_logs', $2)", role, privilege)
    async with database.connect("pmcrm_service") as conn:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("DELETE FROM audit_logs")
    # The owner may, by right of ownership, and row-level security still shows it nothing.
    async with database.connect("pmcrm_owner") as conn:
        assert await conn.execute("DELETE FROM audit_logs") == "DELETE 0"


async def test_a_service_cannot_become_another_role(as_contacts, tenants):
    for role in ("pmcrm_owner", "pmcrm_service", "pmcrm_search", "pmcrm_gdpr", "postgres"):
        with pytest.raises((asyncpg.InsufficientPrivilegeError, asyncpg.InvalidParameterValueError)):
            await as_contacts.execute(f"SET ROLE {role}")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_contacts.execute("CREATE TEMP TABLE users (id uuid)")
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_contacts.execute("CREATE TABLE public.stolen AS SELECT 1")


async def test_only_insights_is_kept_from_restricted_contacts(fresh_database):
    async with fresh_database.connect() as conn:
        tenant = await add_tenant(conn)
        async with bound(conn, tenant.id):
            await conn.execute("UPDATE contacts SET processing_restricted = true")
    for role, seen in (("pmcrm_insights", 0), ("pmcrm_contacts", 2)):
        async with fresh_database.connect(role) as conn, bound(conn, tenant.id):
            assert await conn.fetchval("SELECT count(*) FROM contacts") == seen
