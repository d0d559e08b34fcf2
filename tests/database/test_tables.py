"""What functions and triggers of the schema do for the rows."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from tests.database.rows import Tenant
from tests.postgres import Connection, Database, bound


@pytest_asyncio.fixture
async def tenant(database: Database) -> Tenant:
    tenant = Tenant(uuid.uuid4(), uuid.uuid4())
    async with database.connect("pmcrm_service") as conn:
        await conn.execute("INSERT INTO users (id) VALUES ($1)", tenant.id)
    async with database.connect("pmcrm_contacts") as conn, bound(conn, tenant.id):
        await add_contact(conn, tenant.id, id=tenant.contact)
    return tenant


async def add_contact(conn: Connection, tenant: uuid.UUID, **columns: object) -> uuid.UUID:
    values = {"display_name": "Anna", "sort_name": "anna", **columns}
    names = ", ".join(["user_id", *values])
    parameters = ", ".join(f"${n}" for n in range(1, len(values) + 2))
    contact: uuid.UUID = await conn.fetchval(
        f"INSERT INTO contacts ({names}) VALUES ({parameters}) RETURNING id", tenant, *values.values()
    )
    return contact


async def test_ids_sort_as_they_were_made(as_contacts):
    ids = [row[0] for row in await as_contacts.fetch("SELECT app.uuid_v7() FROM generate_series(1, 200)")]
    assert ids == sorted(ids, key=lambda made: made.bytes[:8])
    assert len(set(ids)) == len(ids)
    assert {(made.version, made.variant) for made in ids} == {(7, uuid.RFC_4122)}
    made = datetime.fromtimestamp(int.from_bytes(ids[0].bytes[:6], "big") / 1000, UTC)
    assert abs(made - datetime.now(UTC)) < timedelta(seconds=30)


async def test_ids_tell_microseconds_apart(as_contacts):
    at = datetime(2020, 2, 29, 12, 30, 15, 123456, tzinfo=UTC)
    ids = [await as_contacts.fetchval("SELECT app.uuid_v7($1)", at + timedelta(microseconds=n)) for n in range(2000)]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    ("text", "folded"), [("Émile", "emile"), ("ŽIŽKOV", "zizkov"), ("Ёж", "еж"), ("Straße", "strasse"), ("李", "李")]
)
async def test_folding_removes_accents_and_case(as_contacts, text, folded):
    assert await as_contacts.fetchval("SELECT app.fold($1)", text) == folded


async def test_names_sort_by_letters_not_by_code_points(as_contacts):
    names = ["Zeta", "émile", "Änne", "zoë", "Anna", "Berta"]
    rows = await as_contacts.fetch(
        "SELECT n FROM unnest($1::text[]) AS n ORDER BY app.fold(n) COLLATE app.name_order", names
    )
    assert [row[0] for row in rows] == ["Anna", "Änne", "Berta", "émile", "Zeta", "zoë"]


async def test_an_update_counts_the_revision_and_stamps_the_time(as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        before = await as_contacts.fetchrow("SELECT revision, updated_at FROM contacts")
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contacts SET notes = 'x'")
        after = await as_contacts.fetchrow("SELECT revision, updated_at FROM contacts")
    assert after["revision"] == before["revision"] + 1
    assert after["updated_at"] > before["updated_at"]


async def test_an_update_that_sets_the_time_itself_keeps_it(as_contacts, tenant):
    then = datetime(2001, 1, 1, tzinfo=UTC)
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contacts SET updated_at = $1", then)
        assert await as_contacts.fetchval("SELECT updated_at FROM contacts") == then
        assert await as_contacts.fetchval("SELECT revision FROM contacts") == 2


async def test_a_source_uid_is_unique_among_the_living(as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        first = await add_contact(as_contacts, tenant.id, source_uid="uid")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with bound(as_contacts, tenant.id):
            await add_contact(as_contacts, tenant.id, source_uid="uid")
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contacts SET deleted_at = now() WHERE id = $1", first)
        await add_contact(as_contacts, tenant.id, source_uid="uid")
    with pytest.raises(asyncpg.UniqueViolationError):
        async with bound(as_contacts, tenant.id):
            await as_contacts.execute("UPDATE contacts SET deleted_at = NULL WHERE id = $1", first)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("notes", "''"),
        ("emails", "'[]'"),
        ("emails", "'{}'"),
        ("custom_fields", "'[]'"),
        ("extra_properties", "'{}'"),
        ("birthday_month", "13"),
        ("birthday_day", "0"),
        ("keep_in_touch_days", "0"),
    ],
)
async def test_what_is_absent_is_null_and_what_is_there_is_in_range(as_contacts, tenant, column, value):
    with pytest.raises(asyncpg.CheckViolationError):
        async with bound(as_contacts, tenant.id):
            await as_contacts.execute(f"UPDATE contacts SET {column} = {value}")


async def test_every_contact_has_its_strength(as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute(
            "INSERT INTO contacts (user_id, display_name, sort_name, keep_in_touch_days) "
            "SELECT $1, 'B', 'b', nullif(n % 3, 0) FROM generate_series(1, 30) AS n",
            tenant.id,
        )
        rows = await as_contacts.fetch(
            "SELECT strength, pinned, last_contact_at, next_contact_at - created_at AS wait, keep_in_touch_days "
            "FROM contacts LEFT JOIN contact_strengths AS s ON s.user_id = contacts.user_id AND contact_id = id"
        )
    assert len(rows) == 31
    for row in rows:
        assert (row["strength"], row["pinned"], row["last_contact_at"]) == (1, None, None)
        days = row["keep_in_touch_days"]
        assert row["wait"] == (None if days is None else timedelta(days=days))


async def test_a_pinned_strength_is_shown_and_leaves_the_contact_alone(as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("UPDATE contact_strengths SET pinned = 8")
        assert await as_contacts.fetchval("SELECT strength FROM contact_strengths") == 8
        await as_contacts.execute("UPDATE contact_strengths SET pinned = NULL")
        assert await as_contacts.fetchval("SELECT strength FROM contact_strengths") == 1
        assert await as_contacts.fetchval("SELECT revision FROM contacts") == 1


async def test_a_new_cadence_moves_the_next_contact(as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        await as_contacts.execute("SET LOCAL TimeZone = 'America/New_York'")
        await as_contacts.execute("UPDATE contacts SET keep_in_touch_days = 365")
        wait = "SELECT next_contact_at - created_at FROM contact_strengths JOIN contacts ON id = contact_id"
        assert await as_contacts.fetchval(wait) == timedelta(days=365)
        await as_contacts.execute("UPDATE contacts SET keep_in_touch_days = NULL")
        assert await as_contacts.fetchval(wait) is None


async def test_services_do_not_write_what_is_computed_or_restricted(as_contacts, tenant):
    for statement in (
        "UPDATE contact_strengths SET computed = 9",
        "UPDATE contact_strengths SET last_contact_at = now()",
        "UPDATE contacts SET processing_restricted = true",
        "UPDATE contacts SET revision = 1",
        "UPDATE contacts SET user_id = gen_random_uuid()",
        "UPDATE users SET subscription_tier = 'PRO'",
        "DELETE FROM contacts",
        "DELETE FROM idempotency_keys",
        "INSERT INTO users (id) VALUES (gen_random_uuid())",
        "INSERT INTO login_emails (user_id, login_email) VALUES (gen_random_uuid(), 'a@example.com')",
        "SELECT 1 FROM operator_idempotency_keys",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            async with bound(as_contacts, tenant.id):
                await as_contacts.execute(statement)


async def test_contacts_are_found_by_email_phone_and_source_uid(database, as_contacts, tenant):
    async with bound(as_contacts, tenant.id):
        both = await add_contact(
            as_contacts,
            tenant.id,
            emails=[{"value": "Anna.Ünal@example.com"}, {"value": 'quo"ted\\@example.com', "label": "home"}],
            phones=[{"value": "12"}, {"value": "0171 5", "e164": "+491715"}],
            source_uid="uid-1",
        )
        gone = await add_contact(as_contacts, tenant.id, emails=[{"value": "gone@example.com"}])
        await as_contacts.execute("UPDATE contacts SET deleted_at = now() WHERE id = $1", gone)

    async def find(tenant_id: uuid.UUID, *keys: list[str]) -> set[tuple[str, str, uuid.UUID]]:
        async with bound(as_contacts, tenant_id):
            rows = await as_contacts.fetch("SELECT kind, key, contact_id FROM app.find_contacts($1, $2, $3)", *keys)
        return {(row["kind"], row["key"], row["contact_id"]) for row in rows}

    emails = ["anna.ÜNAL@Example.com", 'QUO"ted\\@example.com', "gone@example.com", "example.com"]
    assert await find(tenant.id, emails, ["+491715", "12", "+49171"], ["uid-1", "uid"]) == {
        ("email", emails[0], both),
        ("email", emails[1], both),
        ("phone", "+491715", both),
        ("source_uid", "uid-1", both),
    }
    assert await find(tenant.id, [], [], []) == set()
    other = uuid.uuid4()
    assert await find(other, emails, ["+491715"], ["uid-1"]) == set()


async def test_looking_contacts_up_without_a_tenant_fails(as_contacts):
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="no tenant is bound"):
        await as_contacts.fetch("SELECT * FROM app.find_contacts('{a}', '{}', '{}')")


async def test_only_those_who_look_for_duplicates_look_contacts_up(database, tenant):
    for role in ("pmcrm_interactions", "pmcrm_gdpr", "pmcrm_service"):
        async with database.connect(role) as conn:
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
                async with bound(conn, tenant.id):
                    await conn.fetch("SELECT * FROM app.find_contacts('{a}', '{}', '{}')")


async def test_erasing_a_user_takes_everything_of_it_along(database, as_operator, tenant):
    async with database.connect("pmcrm_contacts") as conn, bound(conn, tenant.id):
        await conn.execute(
            "INSERT INTO idempotency_keys (user_id, request_id, method, body_hash) VALUES ($1, $1, 'm', '')", tenant.id
        )
    await as_operator.execute("DELETE FROM users WHERE id = $1", tenant.id)
    for table in ("contacts", "contact_strengths", "idempotency_keys"):
        assert await as_operator.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", tenant.id) == 0
