"""A call that is cancelled, at whatever stage, gives its connection back and leaves no transaction open."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import grpc
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import database as runtime
from shared.server import RunningService
from tests.postgres import Connection, Database, bound
from tests.runtime.acting import act_as, acting, count_of, mutate, new_user, nothing_is_left, query, reached, until
from tests.runtime.pgproxy import Proxy, begin, commit, proxying
from tests.suite import Client, failure, tenant_of

Work = Callable[[runtime.Database], Coroutine[Any, Any, None]]

RENAME = query("UPDATE users SET display_name = 'changed' WHERE id = $1")
READ = query("SELECT display_name FROM users WHERE id = $1")

WAITS_FOR_LOCK = "wait_event_type = 'Lock'"


@pytest_asyncio.fixture
async def acted(database: Database, proxy: Proxy) -> AsyncIterator[runtime.Database]:
    """One connection, which goes through the proxy."""
    async with acting(proxy.in_front_of(database.service("contacts")), size=1) as opened:
        yield opened


@pytest_asyncio.fixture
async def tenant(as_superuser: Connection) -> uuid.UUID:
    made = await new_user(as_superuser)
    act_as(made)
    return made


@pytest_asyncio.fixture
async def locker(database: Database) -> AsyncIterator[Connection]:
    """Another connection than the one that looks: inside of a transaction pg_stat_activity stands still."""
    async with database.connect() as conn:
        yield conn


async def rename(acted: runtime.Database) -> None:
    await mutate(acted, lambda tx: tx.fetch(RENAME))


async def read(acted: runtime.Database) -> None:
    async with acted.reading() as tx:
        await tx.fetch(READ)


async def cancelled(task: asyncio.Task[None]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def works(acted: runtime.Database, conn: Connection) -> None:
    """Nothing is left behind, and the next call gets what it needs."""
    await nothing_is_left(acted, conn)
    await read(acted)
    await rename(acted)
    assert acted.pool.in_use == 0


WORK: list[Work] = [read, rename]


@pytest.mark.parametrize("work", WORK, ids=["reading", "writing"])
async def test_while_it_waits_for_a_connection(
    acted: runtime.Database, as_superuser: Connection, tenant: uuid.UUID, work: Work
) -> None:
    session = await acted.pool.acquire()
    waiting = asyncio.create_task(work(acted))
    await until(lambda: acted.pool.waiting == 1)
    await cancelled(waiting)
    assert acted.pool.waiting == 0
    acted.pool.release(session)
    await works(acted, as_superuser)


@pytest.mark.parametrize("work", WORK, ids=["reading", "writing"])
async def test_in_the_moment_in_which_it_is_handed_one(
    acted: runtime.Database, as_superuser: Connection, tenant: uuid.UUID, work: Work
) -> None:
    session = await acted.pool.acquire()
    waiting = asyncio.create_task(work(acted))
    await until(lambda: acted.pool.waiting == 1)
    acted.pool.release(session)
    await cancelled(waiting)
    await works(acted, as_superuser)
    assert acted.pool.open == 1


@pytest.mark.parametrize("stage", [begin, commit], ids=["in_begin", "in_commit"])
@pytest.mark.parametrize("work", WORK, ids=["reading", "writing"])
async def test_at_the_edges_of_a_transaction(
    acted: runtime.Database,
    as_superuser: Connection,
    proxy: Proxy,
    tenant: uuid.UUID,
    work: Work,
    stage: Callable[[bytes], bool],
) -> None:
    await read(acted)
    there, go = proxy.hold(stage)
    task = asyncio.create_task(work(acted))
    await reached(there)
    await cancelled(task)
    go.set()
    await works(acted, as_superuser)


async def test_a_commit_that_was_sent_is_not_cancelled(
    acted: runtime.Database, as_superuser: Connection, proxy: Proxy, tenant: uuid.UUID
) -> None:
    there, go = proxy.hold(commit)
    task = asyncio.create_task(rename(acted))
    await reached(there)
    await cancelled(task)
    assert acted.pool.in_use == 1, "the connection is kept until COMMIT is acknowledged"
    go.set()
    await nothing_is_left(acted, as_superuser)
    assert await as_superuser.fetchval("SELECT display_name FROM users WHERE id = $1", tenant) == "changed"
    assert proxy.cancels == 0


async def test_in_a_statement_that_waits_for_a_lock(
    acted: runtime.Database, as_superuser: Connection, locker: Connection, proxy: Proxy, tenant: uuid.UUID
) -> None:
    """The cancellation reaches the database: the statement ends while the lock is still held."""
    async with locker.transaction():
        await locker.execute("SELECT FROM users WHERE id = $1 FOR UPDATE", tenant)
        task = asyncio.create_task(rename(acted))
        await until(lambda: _is(as_superuser, WAITS_FOR_LOCK, 1))
        await cancelled(task)
        await nothing_is_left(acted, as_superuser)
        assert proxy.cancels == 1
    assert await as_superuser.fetchval("SELECT display_name FROM users WHERE id = $1", tenant) == "Test"
    await works(acted, as_superuser)


async def test_while_it_rolls_back(
    acted: runtime.Database, as_superuser: Connection, proxy: Proxy, tenant: uuid.UUID
) -> None:
    async def fail(tx: runtime.Transaction) -> None:
        raise LookupError

    there, go = proxy.hold(lambda body: body == b"ROLLBACK\0")
    task: asyncio.Task[object] = asyncio.create_task(mutate(acted, fail))
    await reached(there)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    go.set()
    await works(acted, as_superuser)


async def test_while_it_opens_a_connection(database: Database, as_superuser: Connection) -> None:
    act_as(await new_user(as_superuser))
    async with proxying(database) as slow, acting(slow.in_front_of(database.service("contacts")), size=1) as acted:
        there, go = slow.hold(lambda body: True)
        task = asyncio.create_task(read(acted))
        await reached(there)
        await cancelled(task)
        go.set()
        assert acted.pool.open == 0
        await until(lambda: _is(as_superuser, "application_name = 'pmcrm' AND state IS NOT NULL", 0))
        await works(acted, as_superuser)


async def test_a_clients_deadline_ends_its_statement_in_the_database(
    service: RunningService, client: Client, as_superuser: Connection, locker: Connection
) -> None:
    tenant = await client.new_tenant()
    contact = await client.contacts.CreateContact(
        pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=tenant
    )
    async with bound(locker, uuid.UUID(tenant_of(tenant))):
        await locker.execute("SELECT FROM contacts WHERE id = $1 FOR UPDATE", uuid.UUID(contact.id))
        delete = pb.DeleteContactRequest(id=contact.id)
        told = await failure(client.contacts.DeleteContact(delete, metadata=tenant, timeout=0.5))
        assert told.code is grpc.StatusCode.DEADLINE_EXCEEDED
        await nothing_is_left(service.database, as_superuser)
    assert not (await client.contacts.GetContact(pb.GetContactRequest(id=contact.id), metadata=tenant)).HasField(
        "delete_time"
    )


async def test_a_client_that_goes_away_ends_its_statement_in_the_database(
    service: RunningService, client: Client, as_superuser: Connection, locker: Connection
) -> None:
    tenant = await client.new_tenant()
    async with bound(locker, uuid.UUID(tenant_of(tenant))):
        await locker.execute("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE")
        calls = [client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant) for _ in range(20)]
        await until(lambda: _is(as_superuser, WAITS_FOR_LOCK, service.database.pool.size))
        for call in calls:
            call.cancel()
        await nothing_is_left(service.database, as_superuser)
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)


async def _is(conn: Connection, condition: str, wanted: int) -> bool:
    return await count_of(conn, condition) == wanted
