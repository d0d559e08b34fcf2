"""FindSimilarContacts: the contacts whose embeddings are closest to a given one's."""

from __future__ import annotations

from pathlib import Path

from pmcrm.insights.v1 import semantic_service_pb2 as pb

from services.insights.found import read_found
from services.insights.query_vectors import SearchedModels, to_model
from services.insights.search_scope import Scope, find_contact
from services.insights.semantic_search import nearest, read_least_score
from shared import queries
from shared.caller import caller
from shared.database import Row, bound_tenant
from shared.errors import FailedPrecondition
from shared.fields import uuid_field
from shared.layers import Context
from shared.ranked_pages import check_skip, ranked_page
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

CONTACTS = Scope("CONTACT", None, None, None)


class SimilarContacts:
    """The call of pmcrm.insights.v1.SemanticService that finds contacts like a given one."""

    def __init__(self, runtime: Runtime, models: SearchedModels) -> None:
        self._similar = runtime.database, runtime.page_tokens, models

    async def FindSimilarContacts(
        self, request: pb.FindSimilarContactsRequest, context: Context
    ) -> pb.FindSimilarContactsResponse:
        """Finds contacts like a given one; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED, EMBEDDING_MISSING."""
        database, tokens, models = self._similar
        tenant = bound_tenant(caller.get())
        asked = uuid_field(request, "contact_id")
        page = tokens.read(request, tenant)
        check_skip(page)
        least_score = read_least_score(request.min_score)
        async with database.snapshot() as tx:
            contact = await find_contact(tx, asked, living=True)
            model, _ = await models.of_tenant(tx)
            vector = await tx.fetchval(QUERIES["vector_of_contact"], contact, model.name, model.dimensions)
            if vector is None:
                raise FailedPrecondition("EMBEDDING_MISSING", f"contact {contact} has no embedding", id=str(contact))

            async def rank(most: int) -> list[Row]:
                return await nearest(tx, vector, model, CONTACTS, least_score, most, excluded=contact)

            ranked = await ranked_page(page, rank)
            found = await read_found(tx, ranked.matches)
        response = pb.FindSimilarContactsResponse(model=to_model(model))
        for match in ranked.matches:
            if match["id"] in found.contacts:
                response.results.add(contact=found.contacts[match["id"]], score=match["score"])
        if ranked.next_position is not None:
            response.next_page_token = tokens.seal(request, tenant, ranked.next_position)
        return response
