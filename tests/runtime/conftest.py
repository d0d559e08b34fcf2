"""The contacts service on a database of the module's own, reached directly and through a proxy."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from services.contacts.service import SERVICE as CONTACTS
from shared.server import RunningService
from tests.postgres import Database
from tests.runtime.pgproxy import Proxy, proxying, through
from tests.suite import Client, Metadata, connected, running, settings_for


@pytest_asyncio.fixture(scope="module")
async def service(database: Database) -> AsyncIterator[RunningService]:
    async with running(CONTACTS, settings_for(database)) as started:
        yield started


@pytest_asyncio.fixture(scope="module")
async def client(service: RunningService) -> AsyncIterator[Client]:
    async with connected(service) as connection:
        yield connection


@pytest_asyncio.fixture
async def alice(client: Client) -> Metadata:
    """One tenant, as the metadata of its calls."""
    return await client.new_tenant(display_name="Alice", default_region="GB")


@pytest_asyncio.fixture
async def proxy(database: Database) -> AsyncIterator[Proxy]:
    async with proxying(database) as opened:
        yield opened


@pytest_asyncio.fixture
async def behind_proxy(database: Database, proxy: Proxy) -> AsyncIterator[RunningService]:
    """The contacts service with one connection to the database as its role, which goes through `proxy`."""
    async with running(CONTACTS, through(proxy, database, pool_size=1)) as started:
        yield started


@pytest_asyncio.fixture
async def proxied(behind_proxy: RunningService) -> AsyncIterator[Client]:
    async with connected(behind_proxy) as connection:
        yield connection
