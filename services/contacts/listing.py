"""ListContacts: what its request asks for, and the page that answers it."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from services.contacts.contact_rows import contact_of
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.errors import InvalidArgument, Unimplemented, Violation
from shared.fields import time_value
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
STRONGEST = 10
TEXT_LIMIT = 1000
UNBUILT_FILTERS = ("tag_ids_all", "tag_ids_any", "organization_id")


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListContacts request."""

    query: queries.Query
    page: Page
    show_deleted: bool
    show_restricted: bool
    min_strength: int | None
    after: datetime | None
    before: datetime | None
    words: list[str] | None

    @property
    def filters(self) -> tuple[object, ...]:
        """The parameters that the list and its count have in common, in their order."""
        return (self.show_deleted, self.show_restricted, self.min_strength, self.after, self.before, self.words)


def read(request: pb.ListContactsRequest, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument, and Unimplemented for filters by what is not built yet."""
    order, descending = ordering(request.order_by, ORDERS, default="name")
    check_mask(Contact, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    if not 0 <= request.min_relationship_strength <= STRONGEST:
        raise InvalidArgument([Violation("min_relationship_strength", f"must be 1 to {STRONGEST}, or 0 for any")])
    problem = text_problem(request.text, TEXT_LIMIT)
    if problem is not None:
        raise InvalidArgument([Violation("text", problem)])
    for field in UNBUILT_FILTERS:
        if getattr(request, field):
            raise Unimplemented("NOT_BUILT", f"{field}: filtering by it is not built yet")
    return Listing(
        query=QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]],
        page=page,
        show_deleted=request.show_deleted,
        show_restricted=request.show_restricted,
        min_strength=request.min_relationship_strength or None,
        after=time_value(request, "last_contact_after"),
        before=time_value(request, "last_contact_before"),
        # Stored texts are in NFC; syllables that are written in parts would not be found in them.
        words=unicodedata.normalize("NFC", request.text).split() or None,
    )


async def fetch(
    tx: Transaction, request: pb.ListContactsRequest, listing: Listing, tokens: PageTokens, grace_days: int
) -> pb.ListContactsResponse:
    """The page; one row more than it holds is read, which tells whether there is another."""
    page = listing.page
    position, last_id = page.after or (None, None)
    rows = await tx.fetch(listing.query, position, last_id, page.size + 1, page.skip, *listing.filters)
    total = await tx.fetchval(QUERIES["count_contacts"], *listing.filters) if request.include_total_size else 0
    shown = rows[: page.size]
    response = pb.ListContactsResponse(
        contacts=[masked(contact_of(row, grace_days), request.read_mask) for row in shown], total_size=total
    )
    if len(rows) > page.size:
        last = shown[-1]
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), [last["position"], last["id"]])
    return response
