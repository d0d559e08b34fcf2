"""Reaches a running suite as a client does, or starts one for as long as it is needed."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import grpc
import grpc.aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from pmcrm.contacts.v1 import (
    contact_service_pb2_grpc,
    organization_service_pb2_grpc,
    tag_service_pb2_grpc,
    user_service_pb2_grpc,
)
from pmcrm.gdpr.v1 import (
    audit_service_pb2_grpc,
    consent_service_pb2_grpc,
    data_subject_service_pb2_grpc,
)
from pmcrm.insights.v1 import (
    insight_service_pb2_grpc,
    relationship_service_pb2_grpc,
    semantic_service_pb2_grpc,
)
from pmcrm.interactions.v1 import interaction_service_pb2_grpc, reminder_service_pb2_grpc

from cli.services import SUITE
from shared.keys import FILE_NAME, local_keys
from shared.server import RunningService
from shared.settings import Service, Settings, SettingsError
from shared.startup import ready_database
from shared.telemetry import configure_logging

# The services that commands call, in the order of their addresses.
REACHED: tuple[Service, ...] = ("contacts", "interactions", "insights", "gdpr")

Metadata = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Suite:
    """Stubs of the services, and the metadata with which an operator calls.

    address: host and port of the contacts service. started: whether this process runs the suite. settings: those by
    which it was reached.
    """

    address: str
    started: bool
    settings: Settings
    operator: Metadata
    users: user_service_pb2_grpc.UserServiceStub
    contacts: contact_service_pb2_grpc.ContactServiceStub
    organizations: organization_service_pb2_grpc.OrganizationServiceStub
    tags: tag_service_pb2_grpc.TagServiceStub
    interactions: interaction_service_pb2_grpc.InteractionServiceStub
    reminders: reminder_service_pb2_grpc.ReminderServiceStub
    insights: insight_service_pb2_grpc.InsightServiceStub
    semantic: semantic_service_pb2_grpc.SemanticServiceStub
    relationships: relationship_service_pb2_grpc.RelationshipServiceStub
    consents: consent_service_pb2_grpc.ConsentServiceStub
    data_subjects: data_subject_service_pb2_grpc.DataSubjectServiceStub
    audit: audit_service_pb2_grpc.AuditServiceStub


@asynccontextmanager
async def reached_suite(settings: Settings) -> AsyncIterator[Suite]:
    """The suite that listens where the settings say; one of this process's own, on free ports, when none does.

    Raises SettingsError when a suite runs and its operator key is not known.
    """
    addresses = [f"{settings.host}:{settings.port(name)}" for name in REACHED]
    if settings.port("contacts") and await _answers(addresses[0]):
        key = _operator_key(settings)
        if key is None:
            raise SettingsError(f"A suite runs on {addresses[0]}. Set PMCRM_OPERATOR_KEY to its operator key.")
        async with _stubs(addresses, key, settings, started=False) as suite:
            yield suite
        return
    configure_logging("error", settings.log_format)
    async with ready_database(settings, list(REACHED)) as ready, AsyncExitStack() as running:
        key = _operator_key(ready)
        if key is None:
            raise SettingsError("PMCRM_OPERATOR_KEY is not set, and creating users needs it.")
        free = ready.model_copy(update={f"{name}_port": 0 for name in REACHED})
        services = [RunningService(SUITE[name], free) for name in REACHED]
        for service in services:
            running.push_async_callback(service.stop)
            await service.start()
        addresses = [f"{settings.host}:{service.port}" for service in services]
        async with _stubs(addresses, key, ready, started=True) as suite:
            yield suite


@asynccontextmanager
async def _stubs(
    addresses: Sequence[str], operator_key: str, settings: Settings, *, started: bool
) -> AsyncIterator[Suite]:
    async with AsyncExitStack() as channels:
        contacts, interactions, insights, gdpr = [
            await channels.enter_async_context(grpc.aio.insecure_channel(address)) for address in addresses
        ]
        yield Suite(
            address=addresses[0],
            started=started,
            settings=settings,
            operator=(("x-operator-key", operator_key),),
            users=user_service_pb2_grpc.UserServiceStub(contacts),
            contacts=contact_service_pb2_grpc.ContactServiceStub(contacts),
            organizations=organization_service_pb2_grpc.OrganizationServiceStub(contacts),
            tags=tag_service_pb2_grpc.TagServiceStub(contacts),
            interactions=interaction_service_pb2_grpc.InteractionServiceStub(interactions),
            reminders=reminder_service_pb2_grpc.ReminderServiceStub(interactions),
            insights=insight_service_pb2_grpc.InsightServiceStub(insights),
            semantic=semantic_service_pb2_grpc.SemanticServiceStub(insights),
            relationships=relationship_service_pb2_grpc.RelationshipServiceStub(insights),
            consents=consent_service_pb2_grpc.ConsentServiceStub(gdpr),
            data_subjects=data_subject_service_pb2_grpc.DataSubjectServiceStub(gdpr),
            audit=audit_service_pb2_grpc.AuditServiceStub(gdpr),
        )


async def _answers(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        stub = health_pb2_grpc.HealthStub(channel)
        try:
            health = await stub.Check(  # type: ignore[attr-defined]  # made in its __init__
                health_pb2.HealthCheckRequest(), timeout=2
            )
        except grpc.aio.AioRpcError:
            return False
        return bool(health.status == health_pb2.HealthCheckResponse.SERVING)


def _operator_key(settings: Settings) -> str | None:
    if settings.operator_key is not None:
        return settings.operator_key.get_secret_value()
    if settings.embedded and (settings.data_dir / FILE_NAME).exists():
        return local_keys(settings.data_dir).operator_key
    return None
