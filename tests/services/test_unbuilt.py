"""Every RPC of the contracts answers: what is not built yet says so, whoever calls."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import grpc.aio
import pytest
import pytest_asyncio
from google.protobuf import descriptor_pool

from services.contacts.contact_service import ContactService
from services.contacts.organization_service import OrganizationService
from services.contacts.service import SERVICE as CONTACTS
from services.contacts.tags import Tags
from services.contacts.users import Users
from services.gdpr.audit_service import AuditService
from services.gdpr.consents import Consents
from services.gdpr.data_subject_service import DataSubjectService
from services.gdpr.service import SERVICE as GDPR
from services.insights.insights import Insights
from services.insights.relationship_service import RelationshipService
from services.insights.semantic_service import SemanticService
from services.insights.service import SERVICE as INSIGHTS
from services.interactions.integrations import Integrations
from services.interactions.interactions import Interactions
from services.interactions.reminder_service import ReminderService
from services.interactions.service import SERVICE as INTERACTIONS
from tests.postgres import Database
from tests.suite import Failure, as_operator, running, settings_for

SERVICES = (CONTACTS, INTERACTIONS, INSIGHTS, GDPR)
BUILT = {
    "UserService": Users,
    "ContactService": ContactService,
    "OrganizationService": OrganizationService,
    "TagService": Tags,
    "InteractionService": Interactions,
    "IntegrationService": Integrations,
    "ReminderService": ReminderService,
    "ConsentService": Consents,
    "AuditService": AuditService,
    "DataSubjectService": DataSubjectService,
    "RelationshipService": RelationshipService,
    "InsightService": Insights,
    "SemanticService": SemanticService,
}

GRPC_SERVICES = {
    "contacts": ("UserService", "ContactService", "OrganizationService", "TagService"),
    "interactions": ("InteractionService", "ReminderService", "IntegrationService"),
    "insights": ("InsightService", "SemanticService", "RelationshipService"),
    "gdpr": ("ConsentService", "DataSubjectService", "AuditService", "RetentionService"),
}


def unbuilt() -> Iterator[Any]:
    for name, services in GRPC_SERVICES.items():
        for service in services:
            methods = descriptor_pool.Default().FindServiceByName(f"pmcrm.{name}.v1.{service}").methods
            for method in methods:
                if not hasattr(BUILT.get(service), method.name):
                    yield pytest.param(name, method, id=f"{service}.{method.name}")


@pytest_asyncio.fixture(scope="module")
async def channels(database: Database) -> AsyncIterator[dict[str, grpc.aio.Channel]]:
    """A channel to each service of the suite."""
    settings = settings_for(database)
    contexts = [running(service, settings) for service in SERVICES]
    started = [await context.__aenter__() for context in contexts]
    channels = {service.name: grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") for service in started}
    yield channels
    for channel in channels.values():
        await channel.close()
    for context in contexts:
        await context.__aexit__(None, None, None)


async def call(channel: grpc.aio.Channel, method: Any, metadata: Any) -> Failure:
    path = f"/{method.containing_service.full_name}/{method.name}"
    kind = f"{'stream' if method.client_streaming else 'unary'}_{'stream' if method.server_streaming else 'unary'}"
    made = getattr(channel, kind)(path)(iter([b""]) if method.client_streaming else b"", metadata=metadata)
    try:
        if method.server_streaming:
            async for _ in made:
                pass
        else:
            await made
    except grpc.aio.AioRpcError as error:
        return Failure(error)
    raise AssertionError("the call succeeded")


@pytest.mark.parametrize(("service", "method"), list(unbuilt()))
async def test_what_is_not_built_says_so(channels: dict[str, grpc.aio.Channel], service: str, method: Any) -> None:
    for metadata in ((), as_operator()):
        refused = await call(channels[service], method, metadata)
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNIMPLEMENTED, "NOT_BUILT")
        assert method.name in refused.message
        assert refused.trailers["x-request-id"]


async def test_what_no_contract_has_is_unimplemented_too(channels: dict[str, grpc.aio.Channel]) -> None:
    made: Any = channels["contacts"].unary_unary("/pmcrm.contacts.v1.ContactService/Nothing")
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await made(b"")
    assert refused.value.code() == grpc.StatusCode.UNIMPLEMENTED
