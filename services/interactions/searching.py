"""SearchInteractions: which ones match, by the search function; then these, behind row-level security."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import Interaction
from pmcrm.type.v1 import search_mode_pb2

from services.interactions.filters import Filters, NamedContacts, find_named, read_filters
from services.interactions.interaction_record import to_interaction
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens
from shared.ranked_pages import check_skip, ranked_page
from shared.search_query import SearchQuery, read_query, unreadable

QUERIES = queries.load(Path(__file__).parent / "queries")


@dataclass(frozen=True, slots=True)
class Search:
    """A checked SearchInteractions request."""

    statement: queries.Query
    query: SearchQuery
    filters: Filters
    page: Page


def read(request: pb.SearchInteractionsRequest, tokens: PageTokens) -> Search:
    """Checks a request. Raises InvalidArgument, QUERY_MALFORMED naming the place in a tsquery."""
    check_mask(Interaction, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    check_skip(page)
    # No region: an interaction holds no phone numbers.
    query = read_query(request.query, request.mode, "")
    as_tsquery = request.mode == search_mode_pb2.SEARCH_MODE_TSQUERY
    statement = QUERIES["search_interactions_tsquery" if as_tsquery else "search_interactions_web"]
    return Search(statement, query, read_filters(request), page)


async def fetch(
    tx: Transaction, request: pb.SearchInteractionsRequest, search: Search, tokens: PageTokens, grace_days: int
) -> pb.SearchInteractionsResponse:
    """The page: the matches are ranked first, and then those that it shows are read."""
    contacts = await find_named(tx, search.filters)
    found = await ranked_page(search.page, lambda most: _matches(tx, search, contacts, most))
    if not found.matches:
        return pb.SearchInteractionsResponse()
    ids = [match["id"] for match in found.matches]
    rows = {row["id_key"]: row for row in await tx.fetch(QUERIES["found_interactions"], ids, search.query.any_word)}
    response = pb.SearchInteractionsResponse()
    for match in found.matches:
        row = rows.get(match["id"])
        if row is not None:
            response.results.append(
                pb.InteractionSearchResult(
                    interaction=masked(to_interaction(row, grace_days), request.read_mask),
                    score=match["score"],
                    matched_fields=row["matched_fields"],
                    fuzzy=match["fuzzy"],
                )
            )
    if found.next_position is not None:
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), found.next_position)
    return response


async def _matches(tx: Transaction, search: Search, contacts: NamedContacts, most: int) -> list[Row]:
    query, filters = search.query, search.filters
    if not query.text:
        return []
    try:
        return await tx.fetch(
            search.statement,
            query.text,
            query.misspelt,
            contacts.everyone,
            contacts.anyone,
            filters.types,
            filters.direction,
            filters.after,
            filters.before,
            most,
        )
    except asyncpg.PostgresSyntaxError as error:
        raise unreadable() from error
