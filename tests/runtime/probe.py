"""A service with the contracts of contacts and methods that a test writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pmcrm.contacts.v1 import contact_service_pb2, contact_transfer_pb2

from shared.layers import Access, Context, callable_by
from shared.server import RunningService, Runtime, Service, full_names
from tests.postgres import Database
from tests.suite import Client, connected, running, settings_for

Unary = Callable[[Any, Context], Awaitable[Any]]
Streamed = Callable[[Any, Context], AsyncIterator[Any]]


class Probe:
    """A servicer of ContactService whose GetContact, CreateContact and ExportContacts do what a test says."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        self.get: Unary
        self.export: Streamed

    @callable_by(Access.EITHER)
    async def GetContact(self, request: Any, context: Context) -> Any:
        return await self.get(request, context)

    async def CreateContact(self, request: Any, context: Context) -> Any:
        return await self.get(request, context)

    @callable_by(Access.EITHER)
    async def ExportContacts(self, request: Any, context: Context) -> AsyncIterator[Any]:
        async for answer in self.export(request, context):
            yield answer

    @callable_by(Access.EITHER)
    async def ImportContacts(self, requests: Any, context: Context) -> AsyncIterator[Any]:
        async for request in requests:
            yield contact_transfer_pb2.ImportContactsResponse(progress={"processed": len(request.chunk)})


@asynccontextmanager
async def probing(database: Database, **changes: Any) -> AsyncIterator[tuple[Probe, Client, RunningService]]:
    """The probe, a client of it, and the service that it runs in."""
    probes: list[Probe] = []

    def servicers(runtime: Runtime) -> Mapping[str, object]:
        probes.append(Probe(runtime))
        return full_names([contact_service_pb2], {"ContactService": probes[0]})

    service = Service("contacts", servicers)
    async with running(service, settings_for(database, **changes)) as started, connected(started) as client:
        yield probes[0], client, started
