"""What a caller hears when the connection to the database breaks, and what has become of its change."""

from __future__ import annotations

import asyncio
import uuid
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.server import RunningService
from tests.postgres import Connection, Database, bound
from tests.runtime.acting import count_of, nothing_is_left, until
from tests.runtime.pgproxy import Proxy, commit
from tests.suite import Client, failure, new_request_id, tenant_of

KILL = """
    SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND usename = 'pmcrm_contacts' AND {condition}
"""


def create(**given: str) -> pb.CreateContactRequest:
    return pb.CreateContactRequest(contact=Contact(given_name="Ada"), **given)


async def test_in_a_statement_the_call_is_unavailable_and_nothing_was_done(
    service: RunningService, client: Client, database: Database, as_superuser: Connection
) -> None:
    tenant = await client.new_tenant()
    async with database.connect() as locker, bound(locker, uuid.UUID(tenant_of(tenant))):
        await locker.execute("LOCK TABLE contacts IN ACCESS EXCLUSIVE MODE")
        calls = [
            asyncio.create_task(failure(client.contacts.CreateContact(create(), metadata=tenant))),
            asyncio.create_task(failure(client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant))),
        ]
        await until(lambda: _waiting(as_superuser, 2))
        await as_superuser.execute(KILL.format(condition="wait_event_type = 'Lock'"))
        for told in await asyncio.gather(*calls):
            assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    await nothing_is_left(service.database, as_superuser)
    listed = await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
    assert not listed.contacts


async def test_idle_connections_that_broke_are_replaced_without_a_failed_call(
    service: RunningService, client: Client, as_superuser: Connection
) -> None:
    tenant = await client.new_tenant()
    await asyncio.gather(*(client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant) for _ in range(20)))
    sessions = service.database.pool._idle
    assert sessions
    assert await as_superuser.fetchval(KILL.format(condition="application_name = 'pmcrm_contacts'"))
    await until(lambda: all(session.conn.is_closed() for session in sessions))
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
    assert service.database.pool.open >= 1


@pytest.mark.parametrize("committed", [False, True], ids=["before_it_arrived", "after_it_was_obeyed"])
async def test_in_commit_the_outcome_is_unknown_and_a_repetition_finds_out(
    proxied: Client, behind_proxy: RunningService, proxy: Proxy, as_superuser: Connection, committed: bool
) -> None:
    """The code is not UNAVAILABLE, which callers' libraries repeat without a request_id too."""
    tenant = await proxied.new_tenant()
    await proxied.contacts.CreateContact(create(), metadata=tenant)
    request = create(request_id=new_request_id())
    proxy.lose(commit, after=committed)
    told = await failure(proxied.contacts.CreateContact(request, metadata=tenant))
    assert (told.code, told.reason) == (grpc.StatusCode.UNKNOWN, "UNKNOWN_OUTCOME")
    assert behind_proxy.database.pool.in_use == 0
    made = uuid.UUID(tenant_of(tenant))
    count = await as_superuser.fetchval("SELECT count(*) FROM contacts WHERE user_id = $1", made)
    assert count == (2 if committed else 1)

    first = await proxied.contacts.CreateContact(request, metadata=tenant)
    assert await proxied.contacts.CreateContact(request, metadata=tenant) == first
    assert await as_superuser.fetchval("SELECT count(*) FROM contacts WHERE user_id = $1", made) == 2


async def test_in_the_commit_of_a_read_it_is_unavailable(proxied: Client, proxy: Proxy) -> None:
    tenant = await proxied.new_tenant()
    await proxied.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
    proxy.lose(commit, after=True)
    told = await failure(proxied.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant))
    assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")
    await proxied.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)


async def test_a_caller_that_left_during_commit_finds_its_answer_again(
    proxied: Client, behind_proxy: RunningService, proxy: Proxy, as_superuser: Connection
) -> None:
    tenant = await proxied.new_tenant()
    await proxied.contacts.CreateContact(create(), metadata=tenant)
    request = create(request_id=new_request_id())
    there, go = proxy.hold(commit)
    call = proxied.contacts.CreateContact(request, metadata=tenant)
    waiting = asyncio.create_task(_settled(call))
    await there.wait()
    call.cancel()
    await waiting
    go.set()
    await nothing_is_left(behind_proxy.database, as_superuser)
    again = await proxied.contacts.CreateContact(request, metadata=tenant)
    listed = await proxied.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
    assert again in listed.contacts
    assert len(listed.contacts) == 2


async def _settled(call: grpc.aio.UnaryUnaryCall[Any, Any]) -> None:
    with pytest.raises(asyncio.CancelledError):
        await call


async def _waiting(conn: Connection, wanted: int) -> bool:
    return await count_of(conn, "wait_event_type = 'Lock'") == wanted
