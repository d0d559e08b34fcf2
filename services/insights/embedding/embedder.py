"""What makes embeddings: a model with a name, and texts in, vectors out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["LEXICAL", "SEMANTIC"]


@dataclass(frozen=True, slots=True)
class Model:
    """By what embeddings are made: EmbeddingModel of the contract. Those of different models are never compared.

    kind: the name of an EmbeddingKind without its prefix. dimensions: how many numbers a vector has.
    """

    name: str
    kind: Kind
    dimensions: int


class Embedder(Protocol):
    """Makes embeddings by one model."""

    @property
    def name(self) -> str:
        """The model's name."""

    @property
    def kind(self) -> Kind:
        """What its embeddings capture."""

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in their order: all of one length, finite and not all zero.

        Raises ProviderUnavailable, ProviderAnswerInvalid.
        """
