"""By which model embeddings are made: the configured one, and the one by which each tenant is searched.

Constructed once per process (`Embedders(settings)`), and handed to whatever embeds.
"""

from __future__ import annotations

from pathlib import Path

from services.insights.embedding.embedder import Embedder, Model
from services.insights.embedding.lexical import NAME as LEXICAL
from services.insights.embedding.lexical import LexicalEmbedder
from shared import queries
from shared.database import Transaction
from shared.settings import Settings

QUERIES = queries.load(Path(__file__).parent.parent / "queries")


class Embedders:
    """The embedders of this process, by the name of their model."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lexical = LexicalEmbedder()

    @property
    def configured(self) -> Embedder:
        """What new embeddings are made by: the provider's model, where one is set, else the lexical one."""
        return self.named(self._settings.ai_embedding_model or LEXICAL) or self._lexical

    def named(self, name: str) -> Embedder | None:
        """The embedder of one model, which need not be the configured one; None when no provider is set to ask for it.

        A query is embedded by the model by which its tenant is searched: `named((await model_in_use(tx)).name)`.
        """
        return self._lexical if name == LEXICAL else None


async def model_in_use(tx: Transaction) -> Model | None:
    """The model by which the tenant is searched; None when nothing of it was embedded yet.

    Only rows of embeddings with both its name and its dimensions are compared.
    """
    row = await tx.fetchrow(QUERIES["embedding_model_in_use"])
    return None if row is None else Model(row["model"], row["kind"], row["dimensions"])
