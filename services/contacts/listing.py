"""ListContacts: what its request asks for, and the page that answers it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from pathlib import Path

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from services.contacts.contact_rows import contact_of
from services.contacts.filters import Filters, read_filters
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.errors import InvalidArgument, Violation
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.text import text_problem

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = {
    "name": "list_contacts_by_name",
    "create_time": "list_contacts_by_create_time",
    "last_contact_time": "list_contacts_by_last_contact_time",
    "relationship_strength": "list_contacts_by_strength",
}
TEXT_LIMIT = 1000


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListContacts request."""

    query: queries.Query
    page: Page
    show_deleted: bool
    show_restricted: bool
    filters: Filters
    words: list[str] | None

    @property
    def parameters(self) -> tuple[object, ...]:
        """The parameters that the list and its count have in common, in their order."""
        kept = self.filters
        filters = (kept.min_strength, kept.after, kept.before, self.words, *kept.ties.parameters)
        unfiltered = all(value is None for value in filters)
        return (self.show_deleted, self.show_restricted, unfiltered, *filters)


def read(request: pb.ListContactsRequest, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    order, descending = ordering(request.order_by, ORDERS, default="name")
    check_mask(Contact, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    problem = text_problem(request.text, TEXT_LIMIT)
    if problem is not None:
        raise InvalidArgument([Violation("text", problem)])
    return Listing(
        query=QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]],
        page=page,
        show_deleted=request.show_deleted,
        show_restricted=request.show_restricted,
        filters=read_filters(request),
        # Stored texts are in NFC; syllables that are written in parts would not be found in them.
        words=unicodedata.normalize("NFC", request.text).split() or None,
    )


async def fetch(
    tx: Transaction, request: pb.ListContactsRequest, listing: Listing, tokens: PageTokens, grace_days: int
) -> pb.ListContactsResponse:
    """The page; one row more than it holds is read, which tells whether there is another."""
    page = listing.page
    position, last_id = page.after or (None, None)
    rows = await tx.fetch(listing.query, position, last_id, page.size + 1, page.skip, *listing.parameters)
    total = await tx.fetchval(QUERIES["count_contacts"], *listing.parameters) if request.include_total_size else 0
    shown = rows[: page.size]
    response = pb.ListContactsResponse(
        contacts=[masked(contact_of(row, grace_days), request.read_mask) for row in shown], total_size=total
    )
    if len(rows) > page.size:
        last = shown[-1]
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), [last["position"], last["id"]])
    return response
