"""The interactions service beside the contacts service, on one database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc.aio
import pytest
import pytest_asyncio
from pmcrm.interactions.v1 import (
    integration_service_pb2_grpc,
    interaction_service_pb2_grpc,
    reminder_service_pb2_grpc,
)

from services.interactions.service import SERVICE as INTERACTIONS
from shared.keys import KeyRing
from shared.server import RunningService
from tests.postgres import Database
from tests.services.conftest import faults
from tests.services.contacts.calls import Book
from tests.services.interactions.interaction_calls import Log
from tests.suite import Client, Metadata, running, settings_for

ENCRYPTION_KEYS = "e1:" + "B" * 43 + "="


class InteractionsClient:
    """Stubs of the interactions service on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.interactions = interaction_service_pb2_grpc.InteractionServiceStub(channel)
        self.reminders = reminder_service_pb2_grpc.ReminderServiceStub(channel)
        self.integrations = integration_service_pb2_grpc.IntegrationServiceStub(channel)


@pytest_asyncio.fixture(scope="module")
async def interactions_service(database: Database) -> AsyncIterator[RunningService]:
    settings = settings_for(database, encryption_keys=KeyRing.parse(ENCRYPTION_KEYS))
    async with running(INTERACTIONS, settings) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


@pytest_asyncio.fixture(scope="module")
async def interactions(interactions_service: RunningService) -> AsyncIterator[InteractionsClient]:
    """Calls of the interactions service; the contacts service's `client` is beside it."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{interactions_service.port}") as channel:
        yield InteractionsClient(channel)


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
