"""SemanticSearch: what is close to a text or a vector, by the model in use."""

from __future__ import annotations

import math
import uuid
from dataclasses import dataclass
from pathlib import Path

from pmcrm.insights.v1 import semantic_service_pb2 as pb

from services.insights.embedding.embedder import Model
from services.insights.found import read_found
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderUnavailable
from services.insights.provider.patience import patience, providers_time
from services.insights.query_vectors import SearchedModels, is_searchable, read_text, read_vector, to_model
from services.insights.search_scope import Scope, read_scope, settle
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.errors import InvalidArgument, Unavailable, Violation
from shared.layers import Context
from shared.pages import Page
from shared.ranked_pages import RankedPage, check_skip, ranked_page
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

# How often a search begins anew because the tenant's model has changed under it.
PATIENCE = 3


@dataclass(frozen=True, slots=True)
class Search:
    """A checked SemanticSearch request. text: what to look for; empty when a vector is given."""

    text: str
    vector: pb.QueryVector
    scope: Scope
    least_score: float
    page: Page


class SemanticSearching:
    """The call of pmcrm.insights.v1.SemanticService that searches by meaning."""

    def __init__(self, runtime: Runtime, models: SearchedModels) -> None:
        self._semantic = runtime.database, runtime.page_tokens, models

    async def SemanticSearch(self, request: pb.SemanticSearchRequest, context: Context) -> pb.SemanticSearchResponse:
        """Finds what is close to a text or a vector, the closest first. A text is embedded outside of transactions."""
        database, tokens, models = self._semantic
        tenant = bound_tenant(caller.get())
        search = _read(request, tokens.read(request, tenant))
        for attempt in range(PATIENCE):
            async with database.reading() as tx:
                scope = await settle(tx, search.scope)
                model, has_vectors = await models.of_tenant(tx)
            with patience(providers_time(context)):
                vector = await _vector(models, search, model, has_vectors=has_vectors)
            async with database.snapshot() as tx:
                if attempt + 1 < PATIENCE and (await models.of_tenant(tx))[0] != model:
                    continue
                found = await _ranked(tx, search, scope, model, vector)
                response = await _answer(tx, found)
                missing = await tx.fetchrow(QUERIES["without_embeddings"], model.name)
            break
        response.model.CopyFrom(to_model(model))
        if missing is not None:
            response.pending_count = missing["pending_count"]
            response.not_permitted_count = missing["not_permitted_count"]
        if found.next_position is not None:
            response.next_page_token = tokens.seal(request, tenant, found.next_position)
        return response


def read_least_score(least_score: float) -> float:
    """A request's min_score. Raises InvalidArgument."""
    if math.isnan(least_score) or not -1 <= least_score <= 1:
        raise InvalidArgument([Violation("min_score", "must be a number from -1 to 1")])
    return least_score


async def nearest(
    tx: Transaction,
    vector: list[float],
    model: Model,
    scope: Scope,
    least_score: float,
    most: int,
    *,
    excluded: uuid.UUID | None = None,
) -> list[Row]:
    """Rows with `id`, `is_contact` and `score`, the closest first; at most so many, and never `excluded`."""
    return await tx.fetch(
        QUERIES["nearest"],
        vector,
        model.name,
        scope.kind,
        scope.contact,
        excluded,
        scope.after,
        scope.before,
        least_score,
        most,
    )


def _read(request: pb.SemanticSearchRequest, page: Page) -> Search:
    check_skip(page)
    given = request.HasField("vector")
    if given == bool(request.query):
        message = "must not be given beside a vector" if given else "must be given, or else a vector"
        raise InvalidArgument([Violation("query", message)])
    text = "" if given else read_text(request.query)
    return Search(text, request.vector, read_scope(request), read_least_score(request.min_score), page)


async def _vector(models: SearchedModels, search: Search, model: Model, *, has_vectors: bool) -> list[float] | None:
    """What to look for; None when nothing can be found. Raises EMBEDDING_INVALID, PROVIDER_UNAVAILABLE …"""
    if not search.text:
        return read_vector(search.vector, model)
    if not has_vectors or not is_searchable(search.text):
        # The provider is not asked for nothing, nor when the user objects to that, who then has no vectors.
        return None
    try:
        return await models.vector_of(search.text, model)
    except ProviderUnavailable as error:
        raise Unavailable("PROVIDER_UNAVAILABLE", "the provider that embeds the query cannot be reached") from error
    except ProviderAnswerInvalid as error:
        raise Unavailable(
            "PROVIDER_ANSWER_INVALID", "the provider answered with something that is no vector"
        ) from error


async def _ranked(
    tx: Transaction, search: Search, scope: Scope, model: Model, vector: list[float] | None
) -> RankedPage:
    async def rank(most: int) -> list[Row]:
        return [] if vector is None else await nearest(tx, vector, model, scope, search.least_score, most)

    return await ranked_page(search.page, rank)


async def _answer(tx: Transaction, page: RankedPage) -> pb.SemanticSearchResponse:
    found = await read_found(tx, page.matches)
    response = pb.SemanticSearchResponse()
    for match in page.matches:
        key = match["id"]
        if key in found.contacts:
            response.results.add(contact=found.contacts[key], score=match["score"])
        elif key in found.interactions:
            response.results.add(interaction_id=str(key), score=match["score"], participants=found.interactions[key])
    return response
