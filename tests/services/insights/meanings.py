"""A provider that knows what a few words mean, and the searches of one tenant by it.

Its vectors stand for a real model's: what is meant decides, not the letters. Each axis is a concept, and the words for
it have nothing in common that letters could tell.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import grpc.aio
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.insights.v1 import semantic_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import Interaction

from services.insights.service import SERVICE as INSIGHTS
from shared.settings import Settings
from tests.postgres import Database
from tests.services.conftest import faults
from tests.services.contacts.calls import Book
from tests.services.insights.conftest import Consents, InsightsClient
from tests.services.insights.embedding.rows import Embeddings
from tests.services.insights.provider_server import EMBEDDING_MODEL, ProviderServer
from tests.services.interactions.interaction_calls import Log
from tests.suite import Metadata, running, settings_for

CONCEPTS = (
    ("climbs rock faces", "bouldering", "alpinist", "mountaineering"),
    ("sails", "regatta", "yacht", "boats"),
    ("cooks", "chef", "recipes", "cuisine"),
    ("violin", "cello", "string quartet", "plays chamber music"),
)
DIMENSIONS = 1 + len(CONCEPTS)


def concepts(text: str) -> list[float]:
    """How often each concept is spoken of; and a little that all texts have in common."""
    lower = text.lower()
    return [0.1, *(float(sum(lower.count(word) for word in words)) for words in CONCEPTS)]


def concept(number: int) -> pb.QueryVector:
    """The vector that stands for one of CONCEPTS."""
    return pb.QueryVector(model=EMBEDDING_MODEL, values=[float(place == number + 1) for place in range(DIMENSIONS)])


@asynccontextmanager
async def service_with(database: Database, provider: ProviderServer) -> AsyncIterator[tuple[InsightsClient, Settings]]:
    """The insights service that asks the provider once for each embedding, and its settings."""
    settings = settings_for(database, **provider.settings_values(ai_attempts=1))
    async with running(INSIGHTS, settings) as service:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel:
            yield InsightsClient(channel), settings
        assert faults(service) == [], "a call ended in a fault of the service"


@dataclass
class Seeker:
    """One tenant that embeds and searches. settings: by which what has changed is embedded."""

    client: InsightsClient
    tenant: Metadata
    settings: Settings
    book: Book
    log: Log
    consents: Consents
    embeddings: Embeddings

    async def know(self, name: str, notes: str = "", **fields: Any) -> Contact:
        """A contact that has consented to being embedded."""
        contact = await self.book.create(given_name=name, notes=notes, **fields)
        await self.consents.declare(self.tenant, contact.id)
        return contact

    async def meet(self, *who: Contact, **fields: Any) -> Interaction:
        return await self.log.create(*who, **fields)

    async def embed(self) -> None:
        """Embeds what has changed, as the worker does."""
        await self.embeddings.follow(self.settings)

    async def semantic(self, query: str = "", **arguments: Any) -> pb.SemanticSearchResponse:
        request = pb.SemanticSearchRequest(query=query, **arguments)
        answer: pb.SemanticSearchResponse = await self.client.semantic.SemanticSearch(request, metadata=self.tenant)
        return answer

    async def hybrid(self, query: str, **arguments: Any) -> pb.HybridSearchResponse:
        request = pb.HybridSearchRequest(query=query, **arguments)
        answer: pb.HybridSearchResponse = await self.client.semantic.HybridSearch(request, metadata=self.tenant)
        return answer

    async def similar(self, contact_id: str, **arguments: Any) -> pb.FindSimilarContactsResponse:
        request = pb.FindSimilarContactsRequest(contact_id=contact_id, **arguments)
        answer: pb.FindSimilarContactsResponse = await self.client.semantic.FindSimilarContacts(
            request, metadata=self.tenant
        )
        return answer


def ids(answer: Any) -> list[str]:
    """What an answer's results are, in their order."""
    return [result.contact.id or getattr(result, "interaction_id", "") for result in answer.results]
