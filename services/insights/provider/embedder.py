"""The embedder that asks the provider: its vectors capture what a text means."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence

from services.insights.embedding.embedder import Kind
from services.insights.provider.client import ProviderClient
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderRefused
from services.insights.provider.vectors import read_vectors
from shared.settings import Settings

# Providers bound a request by tokens, of which a text has about one in every four characters, and in some scripts more.
CHARACTERS_PER_REQUEST = 100_000
# A text that is refused alone is asked for again by its first half, while that has so many characters: most refusals
# are for more tokens than the model reads, which is 512 for many.
SHORTEST = 500
# A number takes up to 26 bytes and is seldom of more than 4 096 in a vector.
BYTES_PER_VECTOR = 128 * 1024
BYTES_AROUND = 64 * 1024
# An answer up to this size is read faster than a thread is handed it.
READ_AT_ONCE = 64 * 1024


class ProviderEmbedder:
    """Embeddings by the provider's model, of unit length.

    model: the provider's name for it. dimensions: how many numbers to ask for; None leaves that to the model.
    batch_size: texts per request.
    """

    kind: Kind = "SEMANTIC"

    def __init__(
        self, client: ProviderClient, model: str, dimensions: int | None = None, *, batch_size: int = 64
    ) -> None:
        self._client = client
        self._model = model
        self._dimensions = dimensions
        self._batch_size = batch_size

    @classmethod
    def of(cls, settings: Settings, client: ProviderClient | None) -> ProviderEmbedder | None:
        """The embedder that the settings name; None without a provider or a model of it for embeddings."""
        if client is None or settings.ai_embedding_model is None:
            return None
        return cls(
            client,
            settings.ai_embedding_model,
            settings.ai_embedding_dimensions,
            batch_size=settings.ai_batch_size,
        )

    @property
    def name(self) -> str:
        """The model's name, with `@` and the number of dimensions where they were asked for.

        Vectors of one model that were cut to different lengths cannot be compared, so they are of different names.
        """
        return self._model if self._dimensions is None else f"{self._model}@{self._dimensions}"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector for each text, in their order: all of one length, and each of length 1.

        Raises ProviderUnavailable, ProviderAnswerInvalid; ProviderRefused when one of the texts may be the reason: each
        asked for alone is shortened until the model takes it.
        """
        if len(texts) == 1:
            return [await self._shortened(texts[0])]
        vectors: list[list[float]] = []
        for batch in self._batches(texts):
            found = await self._ask(batch)
            if vectors and len(found[0]) != len(vectors[0]):
                raise ProviderAnswerInvalid("the provider's vectors are not all of one length")
            vectors += found
        return vectors

    async def _shortened(self, text: str) -> list[float]:
        """The vector of as much of a text as the model reads."""
        while True:
            try:
                return (await self._ask([text]))[0]
            except ProviderRefused:
                if len(text) < 2 * SHORTEST:
                    raise
                text = text[: len(text) // 2]

    async def _ask(self, texts: list[str]) -> list[list[float]]:
        body: dict[str, object] = {"model": self._model, "input": texts, "encoding_format": "float"}
        if self._dimensions is not None:
            body["dimensions"] = self._dimensions
        limit = BYTES_AROUND + len(texts) * max(BYTES_PER_VECTOR, 26 * (self._dimensions or 0))
        answer = await self._client.post("/embeddings", body, limit=limit)
        if len(answer) <= READ_AT_ONCE:
            return read_vectors(answer, len(texts), self._dimensions)
        return await asyncio.to_thread(read_vectors, answer, len(texts), self._dimensions)

    def _batches(self, texts: Sequence[str]) -> Iterator[list[str]]:
        batch: list[str] = []
        characters = 0
        for text in texts:
            if batch and (len(batch) == self._batch_size or characters + len(text) > CHARACTERS_PER_REQUEST):
                yield batch
                batch, characters = [], 0
            batch.append(text)
            characters += len(text)
        if batch:
            yield batch
