"""The insights service beside the contacts and interactions services, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta

import grpc.aio
import pytest
import pytest_asyncio
from pmcrm.gdpr.v1 import consent_service_pb2, consent_service_pb2_grpc
from pmcrm.gdpr.v1.consent_pb2 import Consent
from pmcrm.insights.v1 import (
    insight_service_pb2,
    insight_service_pb2_grpc,
    relationship_service_pb2_grpc,
    semantic_service_pb2_grpc,
)

from services.gdpr.service import SERVICE as GDPR
from services.insights.insights import Insights
from services.insights.provider.client import ProviderClient
from services.insights.provider.writer import ProviderWriter
from services.insights.service import SERVICE as INSIGHTS
from services.interactions.service import SERVICE as INTERACTIONS
from shared.server import RunningService, Runtime, Service, full_names
from tests.postgres import Database
from tests.services.conftest import faults
from tests.services.contacts.calls import Book
from tests.services.insights.insight_calls import Advice
from tests.services.insights.noted_rules import RULES
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.interaction_calls import Log
from tests.suite import Client, Metadata, running, settings_for


class InsightsClient:
    """Stubs of the insights service on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.insights = insight_service_pb2_grpc.InsightServiceStub(channel)
        self.semantic = semantic_service_pb2_grpc.SemanticServiceStub(channel)
        self.relationships = relationship_service_pb2_grpc.RelationshipServiceStub(channel)


class Consents:
    """What contacts declare about ai_processing."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self._stub = consent_service_pb2_grpc.ConsentServiceStub(channel)

    async def declare(
        self, tenant: Metadata, *contact_ids: str, kind: str = "CONSENT", days: int | None = None
    ) -> None:
        """A declaration of each contact.

        kind: a ConsentType without its prefix; a WITHDRAWAL is of what holds. days: how long a consent holds.
        """
        for contact_id in contact_ids:
            if kind == "WITHDRAWAL":
                withdrawn = consent_service_pb2.WithdrawConsentRequest(contact_id=contact_id, purpose="ai_processing")
                await self._stub.WithdrawConsent(withdrawn, metadata=tenant)
                continue
            consent = Consent(
                contact_id=contact_id,
                type=f"CONSENT_TYPE_{kind}",
                purpose="ai_processing",
                text_version="2026-03",
            )
            if days is not None:
                consent.expire_time.FromDatetime(datetime.now(UTC) + timedelta(days=days))
            await self._stub.RecordConsent(consent_service_pb2.RecordConsentRequest(consent=consent), metadata=tenant)


@pytest_asyncio.fixture(scope="module")
async def interactions_service(database: Database) -> AsyncIterator[RunningService]:
    async with running(INTERACTIONS, settings_for(database)) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest_asyncio.fixture(scope="module")
async def interactions(interactions_service: RunningService) -> AsyncIterator[InteractionsClient]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{interactions_service.port}") as channel:
        yield InteractionsClient(channel)


@pytest_asyncio.fixture(scope="module")
async def insights_service(database: Database) -> AsyncIterator[RunningService]:
    """The insights service without a provider."""
    async with running(INSIGHTS, settings_for(database)) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest_asyncio.fixture(scope="module")
async def insights(insights_service: RunningService) -> AsyncIterator[InsightsClient]:
    """Calls of the insights service; those of contacts and interactions are beside it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{insights_service.port}") as channel:
        yield InsightsClient(channel)


@pytest_asyncio.fixture(scope="module")
async def gdpr_service(database: Database) -> AsyncIterator[RunningService]:
    async with running(GDPR, settings_for(database)) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest_asyncio.fixture
async def consents(gdpr_service: RunningService) -> AsyncIterator[Consents]:
    """Declarations of the tenants' contacts about ai_processing."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gdpr_service.port}") as channel:
        yield Consents(channel)


@pytest.fixture
def book(client: Client, alice: Metadata) -> Book:
    """Alice's contacts."""
    return Book(client, alice)


@pytest.fixture
def bobs(client: Client, bob: Metadata) -> Book:
    """Bob's contacts."""
    return Book(client, bob)


@pytest.fixture
def log(interactions: InteractionsClient, alice: Metadata) -> Log:
    """Alice's interactions."""
    return Log(interactions, alice)


@pytest.fixture
def bobs_log(interactions: InteractionsClient, bob: Metadata) -> Log:
    """Bob's interactions."""
    return Log(interactions, bob)


def noted(runtime: Runtime) -> Mapping[str, object]:
    """InsightService with rules that find what contacts' notes say, and the provider that the settings name."""
    writer = ProviderWriter.of(runtime.settings, ProviderClient.of(runtime.settings))
    return full_names([insight_service_pb2], {"InsightService": Insights(runtime, writer, RULES)})


@pytest_asyncio.fixture(scope="module")
async def noted_insights(database: Database) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to an insights service whose rules are those of noted_rules.py; it has no provider."""
    async with (
        running(Service("insights", noted), settings_for(database)) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        yield channel
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest.fixture
def advice(noted_insights: grpc.aio.Channel, alice: Metadata) -> Advice:
    """Alice's insights."""
    return Advice(noted_insights, alice)


@pytest.fixture
def bobs_advice(noted_insights: grpc.aio.Channel, bob: Metadata) -> Advice:
    """Bob's insights."""
    return Advice(noted_insights, bob)
