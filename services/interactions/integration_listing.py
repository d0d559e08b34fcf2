"""ListIntegrations: what its request asks for, and the page that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from pmcrm.interactions.v1 import integration_service_pb2 as pb
from pmcrm.interactions.v1.integration_pb2 import Integration

from services.interactions.integration_record import PROVIDER_LIMIT, STATUS_PREFIX, checked_status, to_integration
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.text import checked_line
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = {"provider": "list_integrations_by_provider", "create_time": "list_integrations_by_create_time"}


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListIntegrations request. filters: the parameters that the list and its count have in common."""

    query: queries.Query
    page: Page
    filters: tuple[bool, str | None, str | None]


def read(request: pb.ListIntegrationsRequest, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    order, descending = ordering(request.order_by, ORDERS, default="provider")
    check_mask(Integration, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    violations = Violations()
    provider = checked_line(request.provider, "provider", PROVIDER_LIMIT, violations).lower() or None
    status = checked_status(request.status, "status", violations)
    violations.raise_if_any()
    return Listing(
        query=QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]],
        page=page,
        filters=(request.show_deleted, provider, status and STATUS_PREFIX + status),
    )


async def fetch(
    tx: Transaction, request: pb.ListIntegrationsRequest, listing: Listing, tokens: PageTokens, grace: timedelta
) -> pb.ListIntegrationsResponse:
    """The page; one row more than it holds is read, which tells whether there is another."""
    page = listing.page
    position, last_id = page.after or (None, None)
    rows = await tx.fetch(listing.query, position, last_id, page.size + 1, page.skip, *listing.filters)
    total = await tx.fetchval(QUERIES["count_integrations"], *listing.filters) if request.include_total_size else 0
    shown = rows[: page.size]
    response = pb.ListIntegrationsResponse(
        integrations=[masked(to_integration(row, grace), request.read_mask) for row in shown], total_size=total
    )
    if len(rows) > page.size:
        last = shown[-1]
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), [last["position"], last["id"]])
    return response
