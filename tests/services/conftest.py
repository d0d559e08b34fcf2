"""The contacts service, running against a database of the module's own."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from services.contacts.service import SERVICE as CONTACTS
from shared.server import RunningService
from tests.postgres import Database
from tests.suite import Client, Metadata, connected, running, settings_for


@pytest_asyncio.fixture(scope="module")
async def contacts_service(database: Database) -> AsyncIterator[RunningService]:
    async with running(CONTACTS, settings_for(database)) as service:
        yield service
        assert faults(service) == [], "a call ended in a fault of the service"


def faults(service: RunningService) -> list[str]:
    """The methods that answered INTERNAL or UNKNOWN since the service started."""
    return [
        sample.labels["method"]
        for metric in service.metrics.registry.collect()
        for sample in metric.samples
        if sample.labels.get("code") in ("INTERNAL", "UNKNOWN") and sample.value
    ]


@pytest_asyncio.fixture(scope="module")
async def client(contacts_service: RunningService) -> AsyncIterator[Client]:
    async with connected(contacts_service) as connection:
        yield connection


@pytest_asyncio.fixture
async def alice(client: Client) -> Metadata:
    """One tenant, as the metadata of its calls."""
    return await client.new_tenant(display_name="Alice", default_region="GB")


@pytest_asyncio.fixture
async def bob(client: Client) -> Metadata:
    """Another tenant."""
    return await client.new_tenant(display_name="Bob")
