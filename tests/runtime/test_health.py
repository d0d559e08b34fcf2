"""grpc.health.v1 follows the database, and so do the calls."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator

import grpc
import pytest
from grpc_health.v1 import health_pb2
from pmcrm.contacts.v1 import contact_service_pb2 as pb

from services.contacts.service import SERVICE as CONTACTS
from shared import health as runtime
from shared.server import RunningService
from tests.postgres import Database
from tests.runtime.acting import PATIENCE, until
from tests.runtime.pgproxy import Proxy, through
from tests.runtime.raw import check, watch
from tests.suite import Client, Metadata, connected, failure, running, settings_for

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN

NAMES = [
    "",
    "pmcrm.contacts.v1.ContactService",
    "pmcrm.contacts.v1.UserService",
    "pmcrm.contacts.v1.OrganizationService",
    "pmcrm.contacts.v1.TagService",
]


@pytest.fixture(autouse=True)
def looks_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "INTERVAL", 0.05)


async def status_of(client: Client, name: str = "") -> int:
    return int((await check(client.channel, name)).status)


async def turns(client: Client, status: int) -> None:
    async def is_so() -> bool:
        return await status_of(client) == status

    await until(is_so)


@contextlib.asynccontextmanager
async def watching(client: Client, name: str = "") -> AsyncIterator[asyncio.Queue[int]]:
    """What a watcher of a name hears, in order."""
    heard: asyncio.Queue[int] = asyncio.Queue()

    async def listen() -> None:
        async for answer in watch(client.channel, name):
            heard.put_nowait(int(answer.status))

    task = asyncio.create_task(listen())
    try:
        yield heard
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def heard_next(heard: asyncio.Queue[int]) -> int:
    async with asyncio.timeout(PATIENCE):
        return await heard.get()


@pytest.mark.parametrize("name", NAMES)
async def test_every_service_of_a_healthy_server_is_serving(client: Client, name: str) -> None:
    assert await status_of(client, name) == SERVING


async def test_an_unknown_name_is_not_found(client: Client) -> None:
    for name in ("contacts", "pmcrm.gdpr.v1.AuditService", "x" * 1000):
        told = await failure(check(client.channel, name))
        assert told.code is grpc.StatusCode.NOT_FOUND


async def test_a_watcher_of_an_unknown_name_is_told_so_and_kept(client: Client) -> None:
    async with watching(client, "contacts") as heard:
        assert await heard_next(heard) == SERVICE_UNKNOWN


async def test_health_and_calls_follow_the_database_down_and_up_again(database: Database, proxy: Proxy) -> None:
    """Without a restart of the service, and without a call that hangs meanwhile."""
    async with running(CONTACTS, through(proxy, database)) as service, connected(service) as client:
        tenant = await client.new_tenant()
        async with watching(client) as whole, watching(client, NAMES[1]) as one:
            assert [await heard_next(whole), await heard_next(one)] == [SERVING, SERVING]
            for _ in range(2):
                await proxy.close()
                await fail_at_once(client, tenant)
                assert [await heard_next(whole), await heard_next(one)] == [NOT_SERVING, NOT_SERVING]
                assert {await status_of(client, name) for name in NAMES} == {NOT_SERVING}
                assert gauge(service, "pmcrm_database_up") == 0
                await fail_at_once(client, tenant)
                await proxy.open()
                assert [await heard_next(whole), await heard_next(one)] == [SERVING, SERVING]
                await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
                assert gauge(service, "pmcrm_database_up") == 1
        assert service.database.pool.in_use == 0


async def fail_at_once(client: Client, tenant: Metadata) -> None:
    """Calls of remembered and of unknown tenants, together more than the pool has connections."""
    strangers = [(("x-tenant-id", str(uuid.uuid4())),) for _ in range(10)]
    calls = [
        failure(client.contacts.ListContacts(pb.ListContactsRequest(), metadata=metadata, timeout=PATIENCE))
        for metadata in [tenant] * 20 + strangers
    ]
    for told in await asyncio.gather(*calls):
        assert (told.code, told.reason) == (grpc.StatusCode.UNAVAILABLE, "DATABASE_UNAVAILABLE")


async def test_a_database_that_refuses_logins_counts_as_gone(fresh_database: Database) -> None:
    """As one does that is starting, is full, or was dropped."""
    async with running(CONTACTS, settings_for(fresh_database)) as service, connected(service) as client:
        await client.new_tenant()
        async with fresh_database.server.superuser() as conn:
            await conn.execute(f"ALTER DATABASE {fresh_database.name} ALLOW_CONNECTIONS false")
            await conn.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", fresh_database.name
            )
            await turns(client, NOT_SERVING)
            await conn.execute(f"ALTER DATABASE {fresh_database.name} ALLOW_CONNECTIONS true")
            await turns(client, SERVING)
        await client.new_tenant()


async def test_a_database_that_does_not_answer_counts_as_gone(
    database: Database, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "PATIENCE", 0.2)
    async with running(CONTACTS, through(proxy, database)) as service, connected(service) as client:
        assert await status_of(client) == SERVING
        _, go = proxy.hold(lambda body: body == b"SELECT 1\0")
        async with watching(client) as heard:
            assert await heard_next(heard) == SERVING
            assert await heard_next(heard) == NOT_SERVING
            go.set()
            assert await heard_next(heard) == SERVING


async def test_a_busy_pool_is_not_a_database_that_is_gone(database: Database) -> None:
    async with running(CONTACTS, settings_for(database, pool_size=1)) as service, connected(service) as client:
        session = await service.database.pool.acquire()
        await service._watch.look()
        assert await status_of(client) == SERVING
        assert gauge(service, "pmcrm_pool_in_use") == gauge(service, "pmcrm_pool_size") == 1
        service.database.pool.release(session)


async def test_stopping_tells_watchers_and_does_not_wait_for_them(database: Database) -> None:
    service = RunningService(CONTACTS, settings_for(database, drain_seconds=600))
    await service.start()
    async with connected(service) as client, watching(client) as heard:
        assert await heard_next(heard) == SERVING
        async with asyncio.timeout(PATIENCE):
            await service.stop()
        assert await heard_next(heard) == NOT_SERVING


def gauge(service: RunningService, name: str) -> float | None:
    return service.metrics.registry.get_sample_value(name, {"service": "contacts"})
