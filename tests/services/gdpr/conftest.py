"""The gdpr service beside the contacts service, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio
from pmcrm.gdpr.v1 import (
    audit_service_pb2_grpc,
    consent_service_pb2_grpc,
    data_subject_service_pb2_grpc,
    retention_service_pb2_grpc,
)

from services.gdpr.service import SERVICE as GDPR
from services.interactions.service import SERVICE as INTERACTIONS
from shared.server import RunningService
from tests.postgres import Database
from tests.services.conftest import faults
from tests.services.contacts.calls import Book
from tests.services.gdpr.audit_calls import KEYS, Trail
from tests.services.gdpr.consent_calls import Declarations
from tests.services.gdpr.erasing import Erasing
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.interaction_calls import Log
from tests.services.interactions.reminder_calls import Reminding
from tests.suite import Client, Metadata, running, settings_for


class GdprClient:
    """Stubs of the gdpr service on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.consents = consent_service_pb2_grpc.ConsentServiceStub(channel)
        self.subjects = data_subject_service_pb2_grpc.DataSubjectServiceStub(channel)
        self.audit = audit_service_pb2_grpc.AuditServiceStub(channel)
        self.retention = retention_service_pb2_grpc.RetentionServiceStub(channel)


@pytest_asyncio.fixture(scope="module")
async def gdpr_service(database: Database) -> AsyncIterator[RunningService]:
    async with running(GDPR, settings_for(database, seal_keys=KEYS)) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest_asyncio.fixture(scope="module")
async def gdpr(gdpr_service: RunningService) -> AsyncIterator[GdprClient]:
    """Calls of the gdpr service; the contacts service's `client` is beside it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{gdpr_service.port}") as channel:
        yield GdprClient(channel)


@pytest.fixture
def book(client: Client, alice: Metadata) -> Book:
    """Alice's contacts."""
    return Book(client, alice)


@pytest.fixture
def bobs(client: Client, bob: Metadata) -> Book:
    """Bob's contacts."""
    return Book(client, bob)


@pytest.fixture
def declarations(gdpr: GdprClient, alice: Metadata) -> Declarations:
    """What Alice and her contacts declare."""
    return Declarations(gdpr.consents, alice)


@pytest.fixture
def bobs_declarations(gdpr: GdprClient, bob: Metadata) -> Declarations:
    """What Bob and his contacts declare."""
    return Declarations(gdpr.consents, bob)


@pytest_asyncio.fixture(scope="module")
async def interactions_service(database: Database) -> AsyncIterator[RunningService]:
    async with running(INTERACTIONS, settings_for(database)) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest_asyncio.fixture(scope="module")
async def interactions(interactions_service: RunningService) -> AsyncIterator[InteractionsClient]:
    async with grpc.aio.insecure_channel(f"127.0.0.1:{interactions_service.port}") as channel:
        yield InteractionsClient(channel)


@pytest.fixture
def log(interactions: InteractionsClient, alice: Metadata) -> Log:
    """Alice's interactions."""
    return Log(interactions, alice)


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    """Alice's reminders."""
    return Reminding(interactions, alice)


@pytest.fixture
def erasing(gdpr: GdprClient, alice: Metadata) -> Erasing:
    """Alice's erasures."""
    return Erasing(gdpr.subjects, alice)


@pytest.fixture
def bobs_erasing(gdpr: GdprClient, bob: Metadata) -> Erasing:
    """Bob's erasures."""
    return Erasing(gdpr.subjects, bob)


@pytest.fixture
def trail(gdpr: GdprClient, alice: Metadata) -> Trail:
    """Alice's audit log."""
    return Trail(gdpr.audit, alice)


@pytest.fixture
def bobs_trail(gdpr: GdprClient, bob: Metadata) -> Trail:
    """Bob's audit log."""
    return Trail(gdpr.audit, bob)
