"""Every write to an audited table leaves one row that says who changed what, and none of what erasure destroys."""

from __future__ import annotations

import uuid

import asyncpg
import pytest
import pytest_asyncio

from tests.database.rows import Tenant
from tests.postgres import Connection, Database, bound

SETTINGS = {
    "request_id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "client_ip": "203.0.113.7",
    "actor": "Zoë (support)".encode().hex(),
    "user_agent": b"Mozilla/5.0".hex(),
}
DIGEST = "app.audit_digest(salt, old_values, new_values, actor, client_ip, user_agent)"


@pytest_asyncio.fixture
async def tenant(database: Database) -> Tenant:
    tenant = Tenant(uuid.uuid4(), uuid.uuid4())
    async with database.connect("pmcrm_service") as conn:
        await conn.execute("INSERT INTO users (id) VALUES ($1)", tenant.id)
    async with database.connect("pmcrm_contacts") as conn, bound(conn, tenant.id, **SETTINGS):
        await conn.execute(
            "INSERT INTO contacts (user_id, id, display_name, sort_name, notes) VALUES ($1, $2, 'Anna', 'anna', 'shy')",
            tenant.id,
            tenant.contact,
        )
    return tenant


async def entries(database: Database, tenant: uuid.UUID, table: str = "contacts") -> list[asyncpg.Record]:
    async with database.connect("pmcrm_gdpr") as conn, bound(conn, tenant):
        return await conn.fetch(
            f"SELECT *, digest = {DIGEST} AS whole FROM audit_logs WHERE user_id = $1 AND table_name = $2 ORDER BY at",
            tenant,
            table,
        )


async def test_an_insert_is_noted_with_its_caller_and_without_the_row(database, tenant):
    [entry] = await entries(database, tenant.id)
    assert entry["action"] == "INSERT"
    assert entry["subject_id"] == tenant.contact
    assert entry["row_id"] is None
    assert entry["role_name"] == "pmcrm_contacts"
    assert str(entry["request_id"]) == SETTINGS["request_id"]
    assert str(entry["client_ip"]) == "203.0.113.7"
    assert entry["actor"] == "Zoë (support)"
    assert entry["user_agent"] == "Mozilla/5.0"
    assert entry["old_values"] is None
    assert entry["new_values"] is None
    assert len(entry["salt"]) == 16
    assert entry["whole"]


async def test_an_update_is_noted_with_the_columns_that_changed(database, as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contacts SET notes = NULL, job_title = 'Pilot', sort_name = 'b'")
    entry = (await entries(database, tenant.id))[-1]
    assert entry["action"] == "UPDATE"
    assert entry["old_values"] == {"notes": "shy", "job_title": None}
    assert entry["new_values"] == {"notes": None, "job_title": "Pilot"}
    assert entry["whole"]


async def test_an_update_of_computed_columns_alone_is_not_noted(database, as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contacts SET sort_name = 'b'")
        await as_contacts.execute("UPDATE contact_strengths SET next_contact_at = now()")
    assert len(await entries(database, tenant.id)) == 1
    assert await entries(database, tenant.id, "contact_strengths") == []


async def test_a_strength_set_by_hand_is_noted(database, as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contact_strengths SET pinned = 7")
    [entry] = await entries(database, tenant.id, "contact_strengths")
    assert (entry["old_values"], entry["new_values"]) == ({"pinned": None}, {"pinned": 7})


async def test_a_delete_is_noted_without_the_row(database, as_operator, tenant):
    await as_operator.execute("DELETE FROM contacts WHERE user_id = $1", tenant.id)
    entry = (await entries(database, tenant.id))[-1]
    assert (entry["action"], entry["subject_id"], entry["role_name"]) == ("DELETE", tenant.contact, "pmcrm_service")
    assert (entry["old_values"], entry["new_values"]) == (None, None)


async def test_an_operator_without_a_tenant_is_noted_under_the_rows_tenant(database, as_operator, tenant):
    await as_operator.execute("UPDATE users SET subscription_tier = 'PRO' WHERE id = $1", tenant.id)
    inserted, updated = await entries(database, tenant.id, "users")
    assert (inserted["action"], updated["action"]) == ("INSERT", "UPDATE")
    assert updated["new_values"] == {"subscription_tier": "PRO"}
    assert updated["role_name"] == "pmcrm_service"
    assert (updated["actor"], updated["client_ip"], updated["request_id"]) == (None, None, None)


async def test_what_a_purged_user_takes_along_is_noted(database, as_operator, tenant):
    await as_operator.execute("DELETE FROM users WHERE id = $1", tenant.id)
    assert [entry["action"] for entry in await entries(database, tenant.id)] == ["INSERT", "DELETE"]
    assert [entry["action"] for entry in await entries(database, tenant.id, "users")] == ["INSERT", "DELETE"]
    assert await as_operator.fetchval("SELECT count(*) FROM contact_strengths WHERE user_id = $1", tenant.id) == 0


async def test_a_login_email_is_noted_under_its_user(database, as_operator, tenant):
    insert = "INSERT INTO login_emails (user_id, login_email) VALUES ($1, $2)"
    await as_operator.execute(insert, tenant.id, f"{tenant.id}@Example.com")
    with pytest.raises(asyncpg.UniqueViolationError):
        await as_operator.execute(insert, uuid.uuid4(), f"{tenant.id}@example.COM")
    [entry] = await entries(database, tenant.id, "login_emails")
    assert entry["subject_id"] == tenant.id


async def test_a_digest_shows_a_changed_payload(database, as_superuser, tenant):
    async with bound(as_superuser, None):
        await as_superuser.execute("UPDATE contacts SET notes = 'bold' WHERE user_id = $1", tenant.id)
        await as_superuser.execute(
            "UPDATE audit_logs SET new_values = '{\"notes\": \"other\"}' WHERE user_id = $1 AND action = 'UPDATE'",
            tenant.id,
        )
    *_, forged = await entries(database, tenant.id)
    assert not forged["whole"]


async def test_rolled_back_writes_leave_no_entry(database, as_contacts, tenant):
    transaction = as_contacts.transaction()
    await transaction.start()
    await as_contacts.execute(f"SET LOCAL app.current_user_id = '{tenant.id}'")
    await as_contacts.execute("UPDATE contacts SET notes = 'gone'")
    await transaction.rollback()
    assert len(await entries(database, tenant.id)) == 1


async def months(conn: Connection) -> dict[str, int]:
    """Rows by partition of the audit log."""
    rows = await conn.fetch("SELECT tableoid::regclass::text AS name, count(*) FROM audit_logs GROUP BY 1")
    return {row["name"]: row["count"] for row in rows}


async def test_partitions_are_made_ahead_once(database, as_operator):
    await as_operator.fetchval("SELECT app.create_audit_partitions(5)")
    assert await as_operator.fetchval("SELECT app.create_audit_partitions(5)") == 0
    assert await as_operator.fetchval("SELECT app.create_audit_partitions(6)") == 1


async def test_rows_in_the_default_partition_move_into_their_months(fresh_database):
    async with fresh_database.connect() as conn:
        insert = (
            "INSERT INTO audit_logs (user_id, at, subject_id, table_name, action, role_name, digest) "
            "VALUES (gen_random_uuid(), $1::text::timestamptz, gen_random_uuid(), 'contacts', 'INSERT', 'x', '')"
        )
        for at in ("2001-01-31 23:59:59.999999Z", "2001-02-01 00:00Z", "2001-02-28 12:00Z"):
            await conn.execute(insert, at)
        assert await months(conn) == {"audit_logs_default": 3}
        async with fresh_database.connect("pmcrm_service") as operator:
            assert await operator.fetchval("SELECT app.create_audit_partitions(0)") == 2
        assert await months(conn) == {"audit_logs_2001_01": 1, "audit_logs_2001_02": 2}
        indexes = "SELECT count(*) FROM pg_indexes WHERE tablename = $1"
        of_month = await conn.fetchval(indexes, "audit_logs_2001_02")
        assert of_month == await conn.fetchval(indexes, "audit_logs") > 0
        assert await conn.fetchval("SELECT relacl IS NULL FROM pg_class WHERE relname = 'audit_logs_2001_02'")


async def test_services_do_not_make_partitions(as_contacts):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await as_contacts.fetchval("SELECT app.create_audit_partitions(1)")
