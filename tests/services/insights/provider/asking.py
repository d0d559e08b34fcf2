"""Requests as the tests of the provider's client make them."""

from __future__ import annotations

from services.insights.provider.client import ProviderClient
from tests.services.insights.provider_server import EMBEDDING_MODEL

KEY = "sk-hunter2-hunter2"
BODY = {"model": EMBEDDING_MODEL, "input": ["Ada likes chess"], "encoding_format": "float"}
LIMIT = 1024 * 1024


class Waits(list[float]):
    """Waits that were asked for, and not waited."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)


async def ask(client: ProviderClient, path: str = "/embeddings") -> bytes:
    """Asks for the embedding of a text."""
    return await client.post(path, BODY, limit=LIMIT)
