"""What a search looks for as a vector: the caller's own, or one that the model in use makes of a text."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from pmcrm.insights.v1 import semantic_service_pb2 as pb

from services.insights.embedding import lexical
from services.insights.embedding.embedder import Model
from services.insights.embedding.models import Embedders
from services.insights.embedding.texts import LONGEST, says
from services.insights.embedding.vectors import unit
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderUnavailable
from shared import queries
from shared.database import Transaction
from shared.errors import FailedPrecondition, InvalidArgument, Violation
from shared.settings import Settings
from shared.text import text_problem

QUERIES = queries.load(Path(__file__).parent / "queries")

LONGEST_QUERY = 10_000

# What a number of a stored vector may be: half precision.
LARGEST_NUMBER = 65_504.0


def read_text(typed: str) -> str:
    """A text to look for, in NFC. Raises InvalidArgument naming `query`."""
    problem = text_problem(typed, LONGEST_QUERY)
    if problem is None and not typed.strip():
        problem = "must not be empty"
    if problem is not None:
        raise InvalidArgument([Violation("query", problem)])
    return unicodedata.normalize("NFC", typed)


def read_vector(vector: pb.QueryVector, model: Model) -> list[float]:
    """A caller's vector, of length 1. Raises EMBEDDING_MODEL_MISMATCH, EMBEDDING_INVALID."""
    _check_numbers(vector.values)
    if vector.model != model.name:
        raise FailedPrecondition(
            "EMBEDDING_MODEL_MISMATCH", f"the vector is of another model than {model.name}", model=model.name
        )
    if model.dimensions and len(vector.values) != model.dimensions:
        raise _invalid(f"must hold as many numbers as the model has dimensions: {model.dimensions}")
    return unit(vector.values)


def _check_numbers(values: Sequence[float]) -> None:
    if not values:
        raise _invalid("must not be empty")
    if not all(map(math.isfinite, values)):
        raise _invalid("must not hold NaN or infinity")
    if not any(values):
        raise _invalid("must not be all zero")
    if max(map(abs, values)) > LARGEST_NUMBER:
        raise _invalid(f"must not hold a number beyond ±{LARGEST_NUMBER:.0f}, the largest of half precision")


def _invalid(description: str) -> InvalidArgument:
    return InvalidArgument([Violation("vector.values", description)], "EMBEDDING_INVALID")


class SearchedModels:
    """By which model tenants are searched, and vectors of texts by it."""

    def __init__(self, settings: Settings, embedders: Embedders) -> None:
        self._settings = settings
        self._embedders = embedders

    async def of_tenant(self, tx: Transaction) -> tuple[Model, bool]:
        """The model by which the tenant is searched, and whether it has any vectors that can be found.

        The configured one before anything was embedded; its dimensions are 0 while nobody knows them.
        """
        row = await tx.fetchrow(QUERIES["searched_model"])
        if row is not None:
            return Model(row["model"], row["kind"], row["dimensions"]), row["has_vectors"]
        configured = self._embedders.configured
        dimensions = lexical.DIMENSIONS if configured.kind == "LEXICAL" else self._settings.ai_embedding_dimensions
        return Model(configured.name, configured.kind, dimensions or 0), False

    async def vector_of(self, text: str, model: Model) -> list[float]:
        """A text's vector by a model, of length 1. The text says something (`says`); no transaction is open meanwhile.

        Raises ProviderUnavailable, ProviderAnswerInvalid.
        """
        embedder = self._embedders.named(model.name)
        if embedder is None:
            raise ProviderUnavailable("the provider of the model in use is not configured any more")
        # As much of it as of what it is compared with.
        [vector] = await embedder.embed([text[:LONGEST]])
        if len(vector) != model.dimensions:
            raise ProviderAnswerInvalid("the vector has another length than those of the model in use")
        return unit(vector)


def is_searchable(text: str) -> bool:
    """Whether a text says anything that could be looked for; what has no letter and no digit finds nothing."""
    return says(text[:LONGEST])


def to_model(model: Model) -> pb.EmbeddingModel:
    """The contract's message for a model."""
    return pb.EmbeddingModel(name=model.name, kind=f"EMBEDDING_KIND_{model.kind}", dimensions=model.dimensions)
