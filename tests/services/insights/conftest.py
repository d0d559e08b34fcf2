"""The insights service beside the contacts and interactions services, on one database."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping

import grpc.aio
import pytest
import pytest_asyncio
from pmcrm.insights.v1 import (
    insight_service_pb2,
    insight_service_pb2_grpc,
    relationship_service_pb2_grpc,
    semantic_service_pb2_grpc,
)

from services.insights.insights import Insights
from services.insights.provider.client import ProviderClient
from services.insights.provider.writer import ProviderWriter
from services.insights.service import SERVICE as INSIGHTS
from services.interactions.service import SERVICE as INTERACTIONS
from shared.server import RunningService, Runtime, Service, full_names
from tests.postgres import Database, bound
from tests.services.conftest import faults
from tests.services.contacts.calls import Book
from tests.services.insights.insight_calls import Advice
from tests.services.insights.noted_rules import RULES
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.interaction_calls import Log
from tests.suite import Client, Metadata, running, settings_for, tenant_of


class InsightsClient:
    """Stubs of the insights service on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.insights = insight_service_pb2_grpc.InsightServiceStub(channel)
        self.semantic = semantic_service_pb2_grpc.SemanticServiceStub(channel)
        self.relationships = relationship_service_pb2_grpc.RelationshipServiceStub(channel)


class Consents:
    """What contacts have declared, recorded as the gdpr service's role does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def declare(
        self, tenant: Metadata, *contact_ids: str, kind: str = "CONSENT", days: int | None = None
    ) -> None:
        """A declaration of each contact about ai_processing.

        kind: a ConsentType without its prefix. days: how long a consent holds.
        """
        async with self._database.connect("pmcrm_gdpr") as conn:
            for contact_id in contact_ids:
                async with bound(conn, uuid.UUID(tenant_of(tenant))):
                    await conn.execute(
                        """
                        INSERT INTO consent_records (
                            user_id, contact_id, type, purpose, legal_basis, text_version, expires_at
                        )
                        VALUES ($1, $2, $3, 'ai_processing', 'CONSENT', '2026-03', now() + make_interval(days => $4))
                        """,
                        uuid.UUID(tenant_of(tenant)),
                        uuid.UUID(contact_id),
                        kind,
                        days,
                    )


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


@pytest.fixture
def consents(database: Database) -> Consents:
    """Declarations of the tenants' contacts about ai_processing."""
    return Consents(database)


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
