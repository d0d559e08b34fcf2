"""ListConsents: what its request asks for, and the page that answers it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pmcrm.gdpr.v1 import consent_service_pb2 as pb
from pmcrm.gdpr.v1.consent_pb2 import Consent

from services.gdpr.consent_record import TYPE_PREFIX, checked_purpose, checked_type, to_consent
from services.gdpr.declarers import persons_of, standing_contact
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.fields import uuid_value
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

NEWEST_FIRST = "create_time desc"


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListConsents request. filters: purpose and type, None for any."""

    page: Page
    descending: bool
    contact_id: uuid.UUID | None
    filters: tuple[str | None, str | None]


def read(request: pb.ListConsentsRequest, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    _, descending = ordering(request.order_by or NEWEST_FIRST, ("create_time",), default="create_time")
    check_mask(Consent, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    violations = Violations()
    if request.contact_id and request.user_only:
        violations.add("user_only", "cannot be given together with contact_id")
    purpose = checked_purpose(request.purpose, "purpose", violations) if request.purpose else None
    kind = checked_type(request.type, "type", violations)
    violations.raise_if_any()
    return Listing(
        page=page,
        descending=descending,
        contact_id=uuid_value(request.contact_id, "contact_id") if request.contact_id else None,
        filters=(purpose, kind and TYPE_PREFIX + kind),
    )


async def fetch(
    tx: Transaction, request: pb.ListConsentsRequest, listing: Listing, tokens: PageTokens
) -> pb.ListConsentsResponse:
    """The page; one row more than it holds is read, which tells whether there is another. Raises CONTACT_NOT_FOUND."""
    page = listing.page
    persons = None
    if listing.contact_id is not None:
        persons = await persons_of(tx, await standing_contact(tx, listing.contact_id))
    elif request.user_only:
        persons = await persons_of(tx, None)
    name = "list_consents" + ("" if persons is None else "_of") + ("_desc" if listing.descending else "")
    position, last_id = page.after or (None, None)
    arguments = (position, last_id, page.size + 1, page.skip, *listing.filters)
    rows = await tx.fetch(QUERIES[name], *arguments, *([] if persons is None else [persons]))
    total = 0
    if request.include_total_size:
        total = await tx.fetchval(QUERIES["count_consents"], *listing.filters, persons)
    shown, now = rows[: page.size], datetime.now(UTC)
    response = pb.ListConsentsResponse(
        consents=[masked(to_consent(row, now), request.read_mask) for row in shown], total_size=total
    )
    if len(rows) > page.size:
        last = shown[-1]
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), [last["position"], last["id"]])
    return response
