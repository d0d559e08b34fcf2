"""Every RPC of the contracts is there, and none does anything for somebody who does not say who calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pool

from services.contacts.service import SERVICE as CONTACTS
from services.gdpr.service import SERVICE as GDPR
from services.insights.service import SERVICE as INSIGHTS
from services.interactions.service import SERVICE as INTERACTIONS
from tests.postgres import Database
from tests.suite import Failure, running, settings_for

SERVICES = (CONTACTS, INTERACTIONS, INSIGHTS, GDPR)

GRPC_SERVICES = {
    "contacts": ("UserService", "ContactService", "OrganizationService", "TagService"),
    "interactions": ("InteractionService", "ReminderService", "IntegrationService"),
    "insights": ("InsightService", "SemanticService", "RelationshipService"),
    "gdpr": ("ConsentService", "DataSubjectService", "AuditService", "RetentionService"),
}


def methods() -> Iterator[Any]:
    for name, services in GRPC_SERVICES.items():
        for service in services:
            for method in descriptor_pool.Default().FindServiceByName(f"pmcrm.{name}.v1.{service}").methods:
                yield pytest.param(name, method, id=f"{service}.{method.name}")


@pytest_asyncio.fixture(scope="module")
async def channels(database: Database) -> AsyncIterator[dict[str, grpc.aio.Channel]]:
    """A channel to each service of the suite."""
    settings = settings_for(database)
    async with AsyncExitStack() as stack:
        started = [await stack.enter_async_context(running(service, settings)) for service in SERVICES]
        yield {
            service.name: await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{service.port}"))
            for service in started
        }


async def call(channel: grpc.aio.Channel, method: Any) -> Failure:
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    made = getattr(channel, kind)(path)(iter([b""]) if method.client_streaming else b"")
    try:
        if method.server_streaming:
            async for _ in made:
                pass
        else:
            await made
    except grpc.aio.AioRpcError as error:
        return Failure(error)
    raise AssertionError("the call succeeded")


@pytest.mark.parametrize(("service", "method"), list(methods()))
async def test_a_call_that_names_nobody_is_refused(
    channels: dict[str, grpc.aio.Channel], service: str, method: Any
) -> None:
    refused = await call(channels[service], method)
    assert (refused.code, refused.reason) in (
        (grpc.StatusCode.UNAUTHENTICATED, "TENANT_MISSING"),
        (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED"),
    )
    assert refused.trailers["x-request-id"]


async def test_what_no_contract_has_is_unimplemented(channels: dict[str, grpc.aio.Channel]) -> None:
    made: Any = channels["contacts"].unary_unary("/pmcrm.contacts.v1.ContactService/Nothing")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await made(b"")
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
