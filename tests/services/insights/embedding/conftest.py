"""Embeddings of two tenants in a database in which nobody else has any, and a provider to make them by."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.postgres import Connection, Database
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.provider_server import ProviderServer, provider_server
from tests.suite import Metadata


@pytest_asyncio.fixture
async def rows(database: Database, alice: Metadata, as_superuser: Connection) -> Embeddings:
    """Alice's; what other tests have left is forgotten."""
    await as_superuser.execute("TRUNCATE embeddings, embedding_models, embedding_queue")
    return Embeddings(database, alice, as_superuser)


@pytest.fixture
def bobs_rows(database: Database, bob: Metadata, as_superuser: Connection) -> Embeddings:
    """Bob's."""
    return Embeddings(database, bob, as_superuser)


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    """A provider that answers well until it is told otherwise."""
    async with provider_server() as server:
        yield server
