"""SearchContacts: which contacts match, by the search function; then these contacts, behind row-level security."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

import asyncpg
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.type.v1 import search_mode_pb2

from services.contacts.contact_rows import contact_of
from services.contacts.filters import Filters, read_filters
from services.contacts.search_query import LIMIT, SearchQuery, tsquery, web_query
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.errors import InvalidArgument, Violation
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, Position
from shared.text import text_problem

QUERIES = queries.load(Path(__file__).parent / "queries")

# So many are ranked at the most; each is a page of the database to read.
MOST_RESULTS = 300

# So many are ranked for a first page, whose readers rarely go on to the second.
FIRST_RANKED = 40

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
    if page.skip > MOST_RESULTS:
        raise InvalidArgument([Violation("skip", f"must be at most {MOST_RESULTS}")])
    if request.mode not in STATEMENTS:
        raise InvalidArgument([Violation("mode", "must be one of the modes")])
    # Stored texts are in NFC; syllables that are written in parts would not be found in them.
    typed = unicodedata.normalize("NFC", request.query)
    problem = text_problem(typed, LIMIT) if typed.strip() else "must not be empty"
    if problem is not None:
        raise InvalidArgument([Violation("query", problem)])
    if request.mode == search_mode_pb2.SEARCH_MODE_TSQUERY:
        query = tsquery(typed)
    else:
        query = web_query(typed, caller.get().default_region or "")
    return Search(QUERIES[STATEMENTS[request.mode]], query, read_filters(request), page)


async def fetch(
    tx: Transaction, request: pb.SearchContactsRequest, search: Search, tokens: PageTokens, grace_days: int
) -> pb.SearchContactsResponse:
    """The page: the matches are ranked first, and then those that it shows are read."""
    found, complete = await _found(tx, search)
    shown = found[: search.page.size]
    if not shown:
        return pb.SearchContactsResponse()
    by_id = {
        row["id_key"]: row
        for row in await tx.fetch(
            QUERIES["found_contacts"],
            [match["contact_id"] for match in shown],
            search.query.any_word,
            search.query.digits,
        )
    }
    response = pb.SearchContactsResponse()
    for match in shown:
        row = by_id.get(match["contact_id"])
        if row is not None:
            response.results.append(
                pb.ContactSearchResult(
                    contact=masked(contact_of(row, grace_days), request.read_mask),
                    score=match["score"],
                    matched_fields=row["matched_fields"],
                    fuzzy=match["fuzzy"],
                )
            )
    if len(found) > search.page.size or not complete:
        position = _position(search, shown, complete)
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), position)
    return response


def _position(search: Search, shown: list[Row], complete: bool) -> Position:
    """Where the next page begins: after the last score and id, or, when this one was picked out of some of the matches,
    with whatever it has not shown. Then the ids that such a first page has shown."""
    if not complete:
        return ["", "", *(str(match["contact_id"]) for match in shown)]
    last = shown[-1]
    already = search.page.after[2:] if search.page.after is not None else []
    return [repr(last["score"]), str(last["contact_id"]), *already]


async def _found(tx: Transaction, search: Search) -> tuple[list[Row], bool]:
    """The matches from where the page begins, best first, and whether there are no others."""
    page = search.page
    if page.after is None and page.skip == 0:
        ranked = min(MOST_RESULTS, max(FIRST_RANKED, 2 * page.size))
        matches = await _matches(tx, search, ranked)
        return matches, len(matches) < ranked or ranked == MOST_RESULTS
    matches = await _matches(tx, search, MOST_RESULTS)
    if page.after is not None:
        score, last_id, *already = page.after
        shown = set(already)
        matches = [match for match in matches if str(match["contact_id"]) not in shown]
        if score:
            position = (-float(score), str(last_id))
            matches = [match for match in matches if (-match["score"], str(match["contact_id"])) > position]
    return matches[page.skip :], True


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
        # A letter that folding turns into punctuation; web-search syntax takes that, tsquery does not.
        raise InvalidArgument([Violation("query", "cannot be read as a tsquery")], "QUERY_MALFORMED") from error
