"""HybridSearch: by words, by similar spelling and by meaning at once, joined into one ranking."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pmcrm.insights.v1 import semantic_service_pb2 as pb
from pmcrm.insights.v1.provider_outcome_pb2 import ProviderOutcome

from services.insights.embedding.embedder import Model
from services.insights.found import read_found
from services.insights.fusion import Fused, fuse
from services.insights.hybrid_query import HybridQuery, read_hybrid_query
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderUnavailable
from services.insights.provider.patience import patience, providers_time
from services.insights.query_vectors import SearchedModels, is_searchable, to_model
from services.insights.search_scope import Scope, read_scope, settle
from services.insights.semantic_search import nearest
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.layers import Context
from shared.ranked_pages import MOST_RESULTS, check_skip, ranked_page
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

# What scores less is not found by meaning, or every query would find everything. Words of texts that have nothing to do
# with each other are hashed into the same of 512 places now and then: one such text in some thousands scores more.
LEAST_SCORES = {"LEXICAL": 0.15, "SEMANTIC": 0.1}


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a query means. model, vector: None when meanings are not compared."""

    outcome: ProviderOutcome
    model: Model | None = None
    vector: list[float] | None = None


class HybridSearching:
    """The call of pmcrm.insights.v1.SemanticService that searches in three ways at once."""

    def __init__(self, runtime: Runtime, models: SearchedModels) -> None:
        self._hybrid = runtime.database, runtime.page_tokens, models

    async def HybridSearch(self, request: pb.HybridSearchRequest, context: Context) -> pb.HybridSearchResponse:
        """Finds what matches by words, spelling or meaning, best first; goes on without the provider."""
        database, tokens, models = self._hybrid
        tenant = bound_tenant(caller.get())
        page = tokens.read(request, tenant)
        check_skip(page)
        query = read_hybrid_query(request.query, caller.get().default_region or "")
        scope = read_scope(request)
        async with database.reading() as tx:
            scope = await settle(tx, scope)
            model, has_vectors = await models.of_tenant(tx)
        with patience(providers_time(context)):
            meaning = await _meaning(models, query, model, has_vectors=has_vectors)
        async with database.snapshot() as tx:
            by_id: dict[uuid.UUID, bool] = {}
            # Always of the same length, so that every page is one of the same ranking.
            fused = (await _fused(tx, query, scope, meaning, by_id))[:MOST_RESULTS]
            ranks = {each.id: each.ranks for each in fused}

            async def rank(most: int) -> list[Row]:
                return [{"id": each.id, "score": each.score, "is_contact": by_id[each.id]} for each in fused[:most]]

            ranked = await ranked_page(page, rank)
            found = await read_found(tx, ranked.matches)
            missing = await tx.fetchrow(QUERIES["without_embeddings"], model.name)
        response = pb.HybridSearchResponse(provider_outcome=meaning.outcome)
        for match in ranked.matches:
            key = match["id"]
            by_words, by_spelling, by_meaning = ranks[key]
            result = pb.HybridSearchResult(
                score=match["score"], text_rank=by_words, trigram_rank=by_spelling, vector_rank=by_meaning
            )
            if key in found.contacts:
                result.contact.CopyFrom(found.contacts[key])
            elif key in found.interactions:
                result.interaction_id = str(key)
                result.participants.extend(found.interactions[key])
            else:
                continue
            response.results.append(result)
        if meaning.model is not None:
            response.model.CopyFrom(to_model(meaning.model))
        if missing is not None:
            response.pending_count = missing["pending_count"]
            response.not_permitted_count = missing["not_permitted_count"]
        if ranked.next_position is not None:
            response.next_page_token = tokens.seal(request, tenant, ranked.next_position)
        return response


async def _meaning(models: SearchedModels, query: HybridQuery, model: Model, *, has_vectors: bool) -> Meaning:
    if not has_vectors or not is_searchable(query.meaning):
        return Meaning(ProviderOutcome.PROVIDER_OUTCOME_NOT_ASKED)
    try:
        vector = await models.vector_of(query.meaning, model)
    except ProviderUnavailable:
        return Meaning(ProviderOutcome.PROVIDER_OUTCOME_UNAVAILABLE)
    except ProviderAnswerInvalid:
        return Meaning(ProviderOutcome.PROVIDER_OUTCOME_ANSWER_INVALID)
    asked = model.kind == "SEMANTIC"
    outcome = ProviderOutcome.PROVIDER_OUTCOME_ANSWERED if asked else ProviderOutcome.PROVIDER_OUTCOME_NOT_ASKED
    return Meaning(outcome, model, vector)


async def _fused(
    tx: Transaction, query: HybridQuery, scope: Scope, meaning: Meaning, is_contact: dict[uuid.UUID, bool]
) -> list[Fused]:
    """The three rankings joined; notes in `is_contact` what each of them found."""
    by_words = await _by_words(tx, query, scope)
    by_spelling = await _by_spelling(tx, query, scope)
    by_meaning = await _by_meaning(tx, scope, meaning)
    for row in (*by_words, *by_spelling, *by_meaning):
        is_contact[row["id"]] = row["is_contact"]
    unwanted = await _unwanted(tx, query, [*by_spelling, *by_meaning])
    return fuse(
        *([row["id"] for row in rows if row["id"] not in unwanted] for rows in (by_words, by_spelling, by_meaning))
    )


async def _by_words(tx: Transaction, query: HybridQuery, scope: Scope) -> list[Row]:
    asked = query.words
    if not asked.text and not asked.digits:
        return []
    return await tx.fetch(
        QUERIES["by_words"],
        asked.text,
        asked.names,
        asked.digits,
        scope.contacts,
        scope.interactions,
        scope.contact,
        scope.after,
        scope.before,
        MOST_RESULTS,
    )


async def _by_spelling(tx: Transaction, query: HybridQuery, scope: Scope) -> list[Row]:
    if not query.words.misspelt:
        return []
    return await tx.fetch(
        QUERIES["by_spelling"],
        query.words.misspelt,
        scope.contacts,
        scope.interactions,
        scope.contact,
        scope.after,
        scope.before,
        MOST_RESULTS,
    )


async def _by_meaning(tx: Transaction, scope: Scope, meaning: Meaning) -> list[Row]:
    if meaning.model is None or meaning.vector is None:
        return []
    least_score = LEAST_SCORES[meaning.model.kind]
    return await nearest(tx, meaning.vector, meaning.model, scope, least_score, MOST_RESULTS)


async def _unwanted(tx: Transaction, query: HybridQuery, rows: Sequence[Row]) -> set[uuid.UUID]:
    """Those that hold a word that must not occur, which only the search by words has minded yet."""
    if not query.unwanted or not rows:
        return set()
    contacts = [row["id"] for row in rows if row["is_contact"]]
    interactions = [row["id"] for row in rows if not row["is_contact"]]
    return {row["id"] for row in await tx.fetch(QUERIES["holding_words"], query.unwanted, contacts, interactions)}
