"""By which model embeddings are made: the configured one, and the one by which each tenant is searched.

Constructed once per process (`Embedders(settings)`), and handed to whatever embeds.
"""

from __future__ import annotations

from functools import cached_property
from pathlib import Path

from services.insights.embedding.embedder import Embedder, Model
from services.insights.embedding.lexical import NAME as LEXICAL
from services.insights.embedding.lexical import LexicalEmbedder
from services.insights.provider.client import ProviderClient
from services.insights.provider.embedder import ProviderEmbedder
from shared import queries
from shared.database import Transaction
from shared.settings import Settings

QUERIES = queries.load(Path(__file__).parent.parent / "queries")


class Embedders:
    """The embedders of this process, by the name of their model.

    client: the provider's, where the process has one already; else one is made when it is first needed.
    """

    def __init__(self, settings: Settings, client: ProviderClient | None = None) -> None:
        self._settings = settings
        self._lexical = LexicalEmbedder()
        self._given = client

    @cached_property
    def _client(self) -> ProviderClient | None:
        return self._given or ProviderClient.of(self._settings)

    @cached_property
    def configured(self) -> Embedder:
        """What new embeddings are made by: the provider's model, where one is set, else the lexical one."""
        if self._settings.ai_embedding_model is None:
            return self._lexical
        return ProviderEmbedder.of(self._settings, self._client) or self._lexical

    def named(self, name: str) -> Embedder | None:
        """The embedder of one model, which need not be the configured one; None when no provider is set to ask for it.

        A query is embedded by the model by which its tenant is searched: `named((await model_in_use(tx)).name)`.
        """
        if name == LEXICAL:
            return self._lexical
        if self.configured.name == name:
            return self.configured
        if self._client is None:
            return None
        model, at, dimensions = name.rpartition("@")
        cut = at != "" and dimensions.isdecimal()
        return ProviderEmbedder(
            self._client,
            model if cut else name,
            int(dimensions) if cut else None,
            batch_size=self._settings.ai_batch_size,
        )


async def model_in_use(tx: Transaction) -> Model | None:
    """The model by which the tenant is searched; None when nothing of it was embedded yet.

    Only rows of embeddings with both its name and its dimensions are compared.
    """
    row = await tx.fetchrow(QUERIES["embedding_model_in_use"])
    return None if row is None else Model(row["model"], row["kind"], row["dimensions"])
