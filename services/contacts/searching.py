"""SearchContacts: which contacts match, by the search function; then these contacts, behind row-level security."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1 import search_mode_pb2

from services.contacts.contact_rows import contact_of
from services.contacts.filters import Filters, read_filters
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens
from shared.ranked_pages import check_skip, ranked_page
from shared.search_query import SearchQuery, read_query, unreadable

QUERIES = queries.load(Path(__file__).parent / "queries")

STATEMENTS = {
    search_mode_pb2.SEARCH_MODE_UNSPECIFIED: "search_contacts_web",
    search_mode_pb2.SEARCH_MODE_WEB: "search_contacts_web",
    search_mode_pb2.SEARCH_MODE_TSQUERY: "search_contacts_tsquery",
}


@dataclass(frozen=True, slots=True)
class Search:
    """A checked SearchContacts request."""

    statement: queries.Query
    query: SearchQuery
    filters: Filters
    page: Page


def read(request: pb.SearchContactsRequest, tokens: PageTokens) -> Search:
    """Checks a request. Raises InvalidArgument, QUERY_MALFORMED naming the place in a tsquery."""
    check_mask(Contact, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    check_skip(page)
    query = read_query(request.query, request.mode, caller.get().default_region or "")
    return Search(QUERIES[STATEMENTS[request.mode]], query, read_filters(request), page)


async def fetch(
    tx: Transaction, request: pb.SearchContactsRequest, search: Search, tokens: PageTokens, grace_days: int
) -> pb.SearchContactsResponse:
    """The page: the matches are ranked first, and then those that it shows are read."""
    found = await ranked_page(search.page, lambda most: _matches(tx, search, most))
    if not found.matches:
        return pb.SearchContactsResponse()
    by_id = {
        row["id_key"]: row
        for row in await tx.fetch(
            QUERIES["found_contacts"],
            [match["id"] for match in found.matches],
            search.query.any_word,
            search.query.digits,
        )
    }
    response = pb.SearchContactsResponse()
    for match in found.matches:
        row = by_id.get(match["id"])
        if row is not None:
            response.results.append(
                pb.ContactSearchResult(
                    contact=masked(contact_of(row, grace_days), request.read_mask),
                    score=match["score"],
                    matched_fields=row["matched_fields"],
                    fuzzy=match["fuzzy"],
                )
            )
    if found.next_position is not None:
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), found.next_position)
    return response


async def _matches(tx: Transaction, search: Search, ranked: int) -> list[Row]:
    query, filters = search.query, search.filters
    if not query.text and not query.digits:
        return []
    try:
        return await tx.fetch(
            search.statement,
            query.text,
            query.names,
            query.digits,
            query.misspelt,
            filters.min_strength,
            filters.after,
            filters.before,
            *filters.ties.parameters,
            ranked,
        )
    except asyncpg.PostgresSyntaxError as error:
        raise unreadable() from error
