"""A provider and clients of it. No database is needed here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import pytest_asyncio

from services.insights.provider.client import ProviderClient
from tests.services.insights.provider.asking import KEY, Waits
from tests.services.insights.provider_server import ProviderServer, provider_server


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[ProviderServer]:
    async with provider_server(key=KEY) as server:
        yield server


@pytest.fixture
def waits() -> Waits:
    """The waits between attempts of the test's clients."""
    return Waits()


@pytest_asyncio.fixture
async def connect(provider: ProviderServer, waits: Waits) -> AsyncIterator[Callable[..., ProviderClient]]:
    """Makes clients of the provider, with the given arguments of ProviderClient."""
    clients: list[ProviderClient] = []

    def make(**changes: Any) -> ProviderClient:
        arguments: dict[str, Any] = {"timeout": 20, "sleep": waits} | changes
        clients.append(ProviderClient(provider.url, KEY, **arguments))
        return clients[-1]

    yield make
    for client in clients:
        await client.aclose()
