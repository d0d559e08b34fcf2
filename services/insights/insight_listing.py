"""ListInsights: what its request asks for, and the page that answers it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

from pmcrm.insights.v1 import insight_service_pb2 as pb
from pmcrm.insights.v1.insight_pb2 import Insight

from services.insights.insight_record import named_statuses, named_types, to_insight
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.fields import uuid_value
from shared.living_contacts import contact_not_found, processing_restricted
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = {order: f"list_insights_by_{order}" for order in ("create_time", "confidence", "expire_time")}
NEWEST_FIRST = "create_time desc"
PENDING = "PENDING"


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListInsights request."""

    query: queries.Query
    page: Page
    show_deleted: bool
    show_expired: bool
    types: list[str] | None
    statuses: list[str] | None
    contact_id: uuid.UUID | None
    min_confidence: float | None

    @property
    def filters(self) -> tuple[object, ...]:
        """What the list and its count have in common, in the statements' order."""
        shown = (self.show_deleted, self.show_expired)
        return (*shown, self.types, self.statuses, self.contact_id, self.min_confidence)


def read(request: pb.ListInsightsRequest, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    order, descending = ordering(request.order_by.strip() or NEWEST_FIRST, ORDERS, default="create_time")
    check_mask(Insight, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    contact_id = uuid_value(request.contact_id, "contact_id") if request.contact_id else None
    violations = Violations()
    types = named_types(request.types, violations)
    statuses = named_statuses(request.statuses, violations) if request.statuses else [PENDING]
    # NaN is in no range.
    if not 0 <= request.min_confidence <= 1:
        violations.add("min_confidence", "must be 0 to 1")
    violations.raise_if_any()
    return Listing(
        query=QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]],
        page=page,
        show_deleted=request.show_deleted,
        show_expired=request.show_expired,
        types=types,
        statuses=statuses,
        contact_id=contact_id,
        min_confidence=request.min_confidence or None,
    )


async def fetch(
    tx: Transaction, request: pb.ListInsightsRequest, listing: Listing, tokens: PageTokens, grace: timedelta
) -> pb.ListInsightsResponse:
    """The page; one row more than it holds is read, which tells whether there is another.

    Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED.
    """
    if listing.contact_id is not None:
        listing = replace(listing, contact_id=await _standing(tx, listing.contact_id))
    page = listing.page
    position, last_id = page.after or (None, None)
    rows = await tx.fetch(listing.query, position, last_id, page.size + 1, page.skip, *listing.filters)
    total = await tx.fetchval(QUERIES["count_insights"], *listing.filters) if request.include_total_size else 0
    shown = rows[: page.size]
    response = pb.ListInsightsResponse(
        insights=[masked(to_insight(row, grace), request.read_mask) for row in shown], total_size=total
    )
    if len(rows) > page.size:
        place = [shown[-1]["position"], shown[-1]["id"]]
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), place)
    return response


async def _standing(tx: Transaction, contact_id: uuid.UUID) -> uuid.UUID:
    """The contact that an id stands for, deleted or not."""
    found = await tx.fetchrow(QUERIES["standing_contacts"], [contact_id])
    if found is None:
        raise contact_not_found(contact_id)
    if found["processing_restricted"]:
        raise processing_restricted(contact_id)
    standing: uuid.UUID = found["contact_id"]
    return standing
