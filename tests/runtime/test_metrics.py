"""What a service counts, as Prometheus reads it."""

from __future__ import annotations

import asyncio
import urllib.request
import uuid

import grpc
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from prometheus_client.parser import text_string_to_metric_families

from services.contacts.service import SERVICE as CONTACTS
from shared.server import RunningService, Service
from shared.serving import Listening, serve
from tests.postgres import Database
from tests.runtime.acting import PATIENCE, until
from tests.runtime.probe import probing
from tests.suite import Client, Metadata, as_operator, get, settings_for

SERVICE = "/pmcrm.contacts.v1.ContactService"


def sample(service: RunningService, name: str, **labels: str) -> float:
    return service.metrics.registry.get_sample_value(name, {"service": "contacts", **labels}) or 0


async def test_calls_are_counted_by_method_and_code(service: RunningService, client: Client, alice: Metadata) -> None:
    def counted(method: str, code: str) -> float:
        return sample(service, "pmcrm_rpcs_total", method=f"{SERVICE}/{method}", code=code)

    wanted = [("CreateContact", "OK", 2), ("GetContact", "NOT_FOUND", 3), ("CreateContact", "INVALID_ARGUMENT", 1)]
    before = [counted(method, code) for method, code, _ in wanted]
    for _ in range(2):
        await client.contacts.CreateContact(pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=alice)
    for _ in range(3):
        await client.contacts.GetContact(get(str(uuid.uuid4())), metadata=alice).code()
    await client.contacts.CreateContact(pb.CreateContactRequest(request_id="?"), metadata=alice).code()
    for (method, code, number), old in zip(wanted, before, strict=True):
        assert counted(method, code) - old == number, (method, code)


async def test_durations_are_observed_once_for_each_call(
    service: RunningService, client: Client, alice: Metadata
) -> None:
    method = f"{SERVICE}/ListContacts"
    before = sample(service, "pmcrm_rpc_seconds_count", method=method)
    for _ in range(3):
        await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    assert sample(service, "pmcrm_rpc_seconds_count", method=method) - before == 3
    assert sample(service, "pmcrm_rpc_seconds_bucket", method=method, le="+Inf") >= 3
    assert sample(service, "pmcrm_rpc_seconds_sum", method=method) > 0


async def test_transactions_are_observed_by_kind(service: RunningService, client: Client, alice: Metadata) -> None:
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    before = {kind: sample(service, "pmcrm_transaction_seconds_count", kind=kind) for kind in ("read", "write")}
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    await client.contacts.CreateContact(pb.CreateContactRequest(contact=Contact(given_name="Ada")), metadata=alice)
    for kind, count in before.items():
        assert sample(service, "pmcrm_transaction_seconds_count", kind=kind) - count == 1


async def test_a_cancelled_call_is_counted_as_cancelled(database: Database) -> None:
    async with probing(database) as (probe, client, service):
        inside = asyncio.Event()

        async def wait(request: object, context: object) -> Contact:
            inside.set()
            await asyncio.Event().wait()
            return Contact()

        probe.get = wait
        call = client.contacts.GetContact(get(""), metadata=as_operator(), timeout=PATIENCE)
        code = asyncio.ensure_future(call.code())
        await inside.wait()
        call.cancel()
        assert await code is grpc.StatusCode.CANCELLED
        await until(lambda: sample(service, "pmcrm_rpcs_total", method=f"{SERVICE}/GetContact", code="CANCELLED") == 1)


async def test_the_gauges_show_the_pool(service: RunningService) -> None:
    pool = service.database.pool
    held = [await pool.acquire() for _ in range(pool.size)]
    waiting = asyncio.create_task(pool.acquire())
    await until(lambda: pool.waiting == 1)
    await service._watch.look()
    names = ("pmcrm_pool_size", "pmcrm_pool_in_use", "pmcrm_pool_waiting", "pmcrm_database_up")
    assert [sample(service, name) for name in names] == [pool.size, pool.size, 1, 1]
    for session in held:
        pool.release(session)
    pool.release(await waiting)
    await service._watch.look()
    assert [sample(service, name) for name in names] == [pool.size, 0, 0, 1]


async def test_each_service_has_a_port_of_its_own_that_prometheus_can_read(database: Database) -> None:
    empty = Service("interactions", lambda runtime: {})
    settings = settings_for(database, metrics_port=0)
    announced: asyncio.Future[list[Listening]] = asyncio.get_running_loop().create_future()
    running = asyncio.create_task(
        serve([CONTACTS, empty], settings, lambda _, listening: announced.set_result(list(listening)))
    )
    try:
        async with asyncio.timeout(PATIENCE):
            contacts, interactions = await announced
        assert contacts.metrics_port != interactions.metrics_port
        text = await asyncio.to_thread(_scrape, contacts.metrics_port)
        families = {family.name: family for family in text_string_to_metric_families(text)}
        assert {"pmcrm_rpcs", "pmcrm_rpc_seconds", "pmcrm_pool_size", "pmcrm_transaction_seconds"} <= set(families)
        [size] = families["pmcrm_pool_size"].samples
        assert (size.labels, size.value) == ({"service": "contacts"}, settings.pool_size)
        assert 'service="interactions"' in await asyncio.to_thread(_scrape, interactions.metrics_port)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def _scrape(port: int | None) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE) as answer:
        text: str = answer.read().decode()
        return text
