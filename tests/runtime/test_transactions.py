"""A transaction is bound to its tenant, to nothing longer, and never half done."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import database as runtime
from shared.caller import read_metadata
from shared.errors import Unauthenticated, Unavailable
from shared.server import RunningService
from tests.postgres import Connection, Database
from tests.runtime.acting import act_as, acting, mutate, new_user, query
from tests.runtime.pgproxy import Proxy
from tests.suite import Client, Metadata, as_tenant, failure, get, new_request_id, tenant_of

BOUND = query("SELECT app.current_user_id() AS bound, $1::uuid AS named")
AUDITED = query(
    "SELECT $1::uuid, current_setting('app.request_id', true) AS request_id, "
    "current_setting('app.client_ip', true) AS client_ip, current_setting('app.actor', true) AS actor, "
    "current_setting('app.user_agent', true) AS user_agent"
)

FAILING = query("SELECT 1 / ($1::uuid IS NULL)::int")


@pytest_asyncio.fixture
async def acted(database: Database) -> AsyncIterator[runtime.Database]:
    async with acting(database.service("contacts"), size=1) as opened:
        yield opened


async def test_without_a_tenant_nothing_reaches_the_database(database: Database, proxy: Proxy) -> None:
    async with acting(proxy.in_front_of(database.service("contacts"))) as behind:
        act_as(None)
        with pytest.raises(Unauthenticated, match="no tenant"):
            behind.reading()
        with pytest.raises(Unauthenticated, match="no tenant"):
            await mutate(behind, lambda tx: tx.fetch(BOUND))
        assert behind.pool.open == 0
    assert proxy.round_trips == 0


async def test_a_transaction_is_bound_to_its_tenant(acted: runtime.Database, as_superuser: Connection) -> None:
    tenant = await new_user(as_superuser)
    act_as(tenant)
    async with acted.reading() as tx:
        assert dict(await tx.fetchrow(BOUND) or {}) == {"bound": tenant, "named": tenant}


@pytest.mark.parametrize("fails", [False, True], ids=["committed", "rolled_back"])
async def test_the_tenant_does_not_outlive_the_transaction(
    acted: runtime.Database, as_superuser: Connection, fails: bool
) -> None:
    """On the same connection, what comes next sees no tenant, and none of the audit settings."""
    act_as(await new_user(as_superuser), actor="Eve", client_ip="10.0.0.1", user_agent="probe")

    async def effect(tx: runtime.Transaction) -> None:
        await tx.fetch(BOUND)
        if fails:
            raise LookupError

    if fails:
        with pytest.raises(LookupError):
            await mutate(acted, effect)
    else:
        await mutate(acted, effect)
    session = await acted.pool.acquire()
    try:
        assert await session.conn.fetchval("SELECT app.current_user_id()") is None
        row = await session.conn.fetchrow(AUDITED.sql, uuid.uuid4())
        assert row is not None
        assert not any(list(row)[1:])
        assert not await session.conn.fetchval("SELECT count(*) FROM users")
    finally:
        acted.pool.release(session)
    assert acted.pool.open == 1


async def test_a_write_carries_what_the_audit_needs_and_a_read_does_not(
    acted: runtime.Database, as_superuser: Connection
) -> None:
    act_as(await new_user(as_superuser), actor="O'Hara; DROP TABLE users --", client_ip="::1", user_agent="ü")
    seen: list[dict[str, object]] = []

    async def effect(tx: runtime.Transaction) -> None:
        seen.append(dict(await tx.fetchrow(AUDITED) or {}))

    await mutate(acted, effect)
    assert bytes.fromhex(str(seen[0]["actor"])).decode() == "O'Hara; DROP TABLE users --"
    assert bytes.fromhex(str(seen[0]["user_agent"])).decode() == "ü"
    assert seen[0]["client_ip"] == "::1"
    async with acted.reading() as tx:
        row = dict(await tx.fetchrow(AUDITED) or {})
    assert not row["actor"]
    assert not row["request_id"]


async def test_a_reading_transaction_cannot_write(acted: runtime.Database, as_superuser: Connection) -> None:
    act_as(await new_user(as_superuser))
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with acted.reading() as tx:
            await tx.fetch(query("UPDATE users SET locale = 'de' WHERE id = $1"))


async def test_a_swallowed_failure_does_not_commit(acted: runtime.Database, as_superuser: Connection) -> None:
    tenant = await new_user(as_superuser)
    act_as(tenant)

    async def effect(tx: runtime.Transaction) -> None:
        await tx.fetch(query("UPDATE users SET locale = 'xx' WHERE id = $1"))
        with contextlib.suppress(asyncpg.DivisionByZeroError):
            await tx.fetch(FAILING)

    with pytest.raises(RuntimeError, match="swallowed"):
        await mutate(acted, effect)
    assert await as_superuser.fetchval("SELECT locale FROM users WHERE id = $1", tenant) == "en"
    assert acted.pool.in_use == 0


async def test_a_swallowed_failure_keeps_no_answer_for_a_request_id(client: Client, service: RunningService) -> None:
    """Also when the answer's UPDATE goes into the aborted transaction first."""
    tenant = await client.new_tenant()
    act_as(uuid.UUID(tenant_of(tenant)))
    request = pb.CreateContactRequest(request_id=new_request_id())

    async def swallowing(tx: runtime.Transaction) -> Contact:
        with contextlib.suppress(asyncpg.DivisionByZeroError):
            await tx.fetch(FAILING)
        return Contact()

    with pytest.raises(asyncpg.InFailedSQLTransactionError):
        await service.database.mutate(request, Contact, swallowing)

    async def sound(tx: runtime.Transaction) -> Contact:
        return Contact(display_name="made")

    assert (await service.database.mutate(request, Contact, sound)).display_name == "made"


async def test_a_database_that_takes_no_writes_is_unavailable(
    fresh_database: Database, as_superuser: Connection
) -> None:
    """As after a failover, when the connection leads to what has become a standby."""
    async with acting(fresh_database.service("contacts")) as acted, fresh_database.connect() as conn:
        act_as(await new_user(conn))
        await conn.execute(f"ALTER DATABASE {fresh_database.name} SET default_transaction_read_only = on")
        with pytest.raises(Unavailable) as caught:
            await mutate(acted, lambda tx: tx.fetch(query("UPDATE users SET locale = 'de' WHERE id = $1")))
        assert caught.value.reason == "DATABASE_UNAVAILABLE"
        await conn.execute("SET default_transaction_read_only = off")
        await conn.execute(f"ALTER DATABASE {fresh_database.name} RESET default_transaction_read_only")
        await mutate(acted, lambda tx: tx.fetch(query("UPDATE users SET locale = 'de' WHERE id = $1")))


async def test_a_tenant_erased_while_it_is_remembered_is_unknown(
    client: Client, alice: Metadata, as_operator: Connection
) -> None:
    """The service remembers active tenants for a while; the tables' foreign keys do not."""
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    await as_operator.execute("DELETE FROM users WHERE id = $1", uuid.UUID(tenant_of(alice)))
    create = pb.CreateContactRequest(contact=Contact(given_name="Ada"))
    for request in (create, pb.CreateContactRequest(contact=create.contact, request_id=new_request_id())):
        told = await failure(client.contacts.CreateContact(request, metadata=alice))
        assert (told.code.name, told.reason) == ("UNAUTHENTICATED", "TENANT_UNKNOWN")
    # Until then it reads, and there is nothing left to be read.
    told = await failure(client.contacts.GetContact(get(str(uuid.uuid4())), metadata=alice))
    assert told.reason == "CONTACT_NOT_FOUND"


async def test_sql_in_metadata_is_text_in_the_audit_log(client: Client, as_superuser: Connection) -> None:
    tenant = await client.new_tenant()
    actor = "'; DROP TABLE users; -- \\' $$ %s {}"
    metadata = (
        *tenant,
        ("x-actor", actor),
        ("x-client-user-agent", "A" * 5000),
        ("x-client-ip", "2001:db8::1"),
    )
    made = await client.contacts.CreateContact(
        pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=metadata
    )
    row = await as_superuser.fetchrow(
        "SELECT actor, user_agent, host(client_ip) AS client_ip FROM audit_logs WHERE subject_id = $1 "
        "AND table_name = 'contacts'",
        uuid.UUID(made.id),
    )
    assert row is not None
    assert (row["actor"], row["client_ip"]) == (actor, "2001:db8::1")
    assert row["user_agent"] == "A" * 300


@pytest.mark.parametrize(
    "value", ["nobody", "fe80::1%eth0", "1.2.3.4'; --", "", "127.0.0.1/8", "999.1.1.1", "x" * 5000, "01.02.03.04"]
)
async def test_an_address_that_is_none_counts_as_absent(client: Client, as_superuser: Connection, value: str) -> None:
    tenant = await client.new_tenant()
    made = await client.contacts.CreateContact(
        pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=(*tenant, ("x-client-ip", value))
    )
    found = await as_superuser.fetchval(
        "SELECT client_ip FROM audit_logs WHERE subject_id = $1 AND table_name = 'contacts'", uuid.UUID(made.id)
    )
    assert found is None


async def test_text_that_clients_of_other_languages_may_send_can_be_stored(
    acted: runtime.Database, as_superuser: Connection
) -> None:
    """grpcio's client refuses such metadata; others send it, and the server hands it on."""
    tenant = await new_user(as_superuser)
    raw = "Zoë\0\x1b[31m\t😀" + "\x7f" + "é" * 400
    who = read_metadata([("x-actor", raw), ("x-client-user-agent", raw), ("x-tenant-id", str(tenant))])
    act_as(tenant, actor=who.actor, user_agent=who.user_agent)
    await mutate(acted, lambda tx: tx.fetch(query("UPDATE users SET locale = 'fr' WHERE id = $1")))
    actor = await as_superuser.fetchval("SELECT actor FROM audit_logs WHERE user_id = $1 AND action = 'UPDATE'", tenant)
    assert actor.startswith("Zoë[31m😀é")
    assert len(actor) == 300


def test_the_tenants_of_metadata_are_kept_as_they_came() -> None:
    who = read_metadata([*as_tenant("A"), ("x-tenant-id-bin", b"B"), ("x-tenant-id", ""), ("te", "trailers")])
    assert who.tenants == ["A", ""]
