"""Beyond a number of calls in flight a caller hears at once when to come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
from grpc_health.v1 import health_pb2
from grpc_reflection.v1alpha import reflection_pb2
from pmcrm.contacts.v1 import contact_transfer_pb2
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.layers import Context
from shared.server import RunningService
from tests.postgres import Database
from tests.runtime.acting import PATIENCE, reached, until
from tests.runtime.probe import Probe, probing
from tests.runtime.raw import check, reflect
from tests.suite import Client, as_operator, failure, get

LIMIT = 3


def in_flight(service: RunningService) -> float:
    return service.metrics.registry.get_sample_value("pmcrm_rpcs_in_flight", {"service": "contacts"}) or 0


class Gate:
    """Handlers that wait until they are let go."""

    def __init__(self, probe: Probe) -> None:
        self.inside = 0
        self.opened = asyncio.Event()
        probe.get, probe.export = self.get, self.export

    async def get(self, request: Any, context: Context) -> Contact:
        self.inside += 1
        await self.opened.wait()
        return Contact()

    async def export(self, request: Any, context: Context) -> AsyncIterator[Any]:
        self.inside += 1
        yield contact_transfer_pb2.ExportContactsResponse(chunk=b"x")
        await self.opened.wait()


def start(client: Client, number: int) -> list[asyncio.Task[Contact]]:
    return [asyncio.ensure_future(_get(client)) for _ in range(number)]


async def _get(client: Client) -> Contact:
    found: Contact = await client.contacts.GetContact(get(""), metadata=as_operator(), timeout=PATIENCE)
    return found


async def test_calls_beyond_the_limit_are_refused_at_once(database: Database) -> None:
    async with probing(database, max_in_flight=LIMIT) as (probe, client, service):
        gate = Gate(probe)
        admitted = start(client, LIMIT)
        await until(lambda: gate.inside == LIMIT)
        for _ in range(5):
            told = await failure(client.contacts.GetContact(get(""), metadata=as_operator()))
            assert (told.code, told.reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
            assert told.retry_after == 1.0
        assert in_flight(service) == LIMIT
        gate.opened.set()
        await asyncio.gather(*admitted)
        await _get(client)
        await until(lambda: in_flight(service) == 0)


async def test_streams_count_until_they_end(database: Database) -> None:
    async with probing(database, max_in_flight=1) as (probe, client, _):
        gate = Gate(probe)
        stream = client.contacts.ExportContacts(
            contact_transfer_pb2.ExportContactsRequest(), metadata=as_operator(), timeout=PATIENCE
        )
        await stream.read()
        assert (await failure(_get(client))).reason == "OVERLOADED"
        gate.opened.set()
        assert await stream.code() is grpc.StatusCode.OK
        await _get(client)


async def test_health_and_reflection_are_exempt(database: Database) -> None:
    async with probing(database, max_in_flight=1) as (probe, client, _):
        gate = Gate(probe)
        [held] = start(client, 1)
        await until(lambda: gate.inside == 1)
        assert (await check(client.channel)).status == health_pb2.HealthCheckResponse.SERVING
        listing = reflection_pb2.ServerReflectionRequest(list_services="")
        for version in ("v1", "v1alpha"):
            [answer] = await reflect(client.channel, version, listing)
            assert answer.list_services_response.service
        gate.opened.set()
        await held


async def test_calls_that_were_cancelled_or_failed_count_no_more(database: Database) -> None:
    async with probing(database, max_in_flight=LIMIT) as (probe, client, service):
        gate = Gate(probe)
        for _ in range(3):
            tasks = start(client, LIMIT)
            await until(lambda: in_flight(service) == LIMIT)
            for task in tasks:
                task.cancel()
            await until(lambda: in_flight(service) == 0)
        for _ in range(3):
            calls = [client.contacts.GetContact(get(""), metadata=as_operator(), timeout=0.05) for _ in range(LIMIT)]
            for call in calls:
                assert await call.code() is grpc.StatusCode.DEADLINE_EXCEEDED
            await until(lambda: in_flight(service) == 0)

        async def fail(request: Any, context: Context) -> Contact:
            raise ValueError

        probe.get = fail
        for _ in range(LIMIT + 1):
            assert (await failure(_get(client))).code is grpc.StatusCode.INTERNAL
        probe.get = gate.get
        gate.opened.set()
        await asyncio.gather(*start(client, LIMIT))


async def test_a_refused_call_does_not_touch_the_database(database: Database) -> None:
    async with probing(database, max_in_flight=1) as (probe, client, service):
        arrived, go = asyncio.Event(), asyncio.Event()

        async def hold(request: Any, context: Context) -> Contact:
            arrived.set()
            await go.wait()
            return Contact()

        probe.get = hold
        [held] = start(client, 1)
        await reached(arrived)
        unknown = (("x-tenant-id", "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"),)
        assert (await failure(client.contacts.GetContact(get(""), metadata=unknown))).reason == "OVERLOADED"
        assert service.database.pool.open == 0
        go.set()
        await held
