"""ListInteractions: what its request asks for, and the page that answers it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path

from pmcrm.interactions.v1 import interaction_service_pb2 as pb
from pmcrm.interactions.v1.interaction_pb2 import Interaction

from services.interactions import interaction_limits as limits
from services.interactions.filters import Filters, find_named, read_filters
from services.interactions.interaction_record import to_interaction
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.fields import uuid_value
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.text import checked_line
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = ("occur_time", "create_time")
NEWEST_FIRST = "occur_time desc"


@dataclass(frozen=True, slots=True)
class Timeline:
    """A checked ListInteractions request. order: whether by creation, whether descending."""

    page: Page
    order: tuple[bool, bool]
    filters: Filters
    thread: str | None
    integration: uuid.UUID | None


def read(request: pb.ListInteractionsRequest, tokens: PageTokens) -> Timeline:
    """Checks a request. Raises InvalidArgument."""
    key, descending = ordering(request.order_by or NEWEST_FIRST, ORDERS, default="occur_time")
    check_mask(Interaction, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    violations = Violations()
    thread = checked_line(request.thread_uid, "thread_uid", limits.THREAD_UID, violations)
    violations.raise_if_any()
    return Timeline(
        page=page,
        order=(key == "create_time", descending),
        filters=read_filters(request),
        thread=thread or None,
        integration=uuid_value(request.integration_id, "integration_id") if request.integration_id else None,
    )


async def fetch(
    tx: Transaction, request: pb.ListInteractionsRequest, timeline: Timeline, tokens: PageTokens, grace_days: int
) -> pb.ListInteractionsResponse:
    """The page: first which interactions, one more than it holds, which tells whether there is another; then these."""
    page, filters = timeline.page, timeline.filters
    contacts = await find_named(tx, filters)
    everyone = contacts.everyone or []
    arguments = (
        # Whose timelines are read; what the others must satisfy is looked up for each interaction in them.
        everyone[:1] or contacts.anyone,
        everyone[1:] or None,
        contacts.anyone if everyone else None,
        filters.types,
        filters.direction,
        filters.after,
        filters.before,
        timeline.thread,
        timeline.integration,
        request.show_deleted,
        *timeline.order,
    )
    position, last_id = page.after or (None, None)
    found = await tx.fetch(QUERIES["list_interactions"], *arguments, position, last_id, page.size + 1, page.skip)
    total = await tx.fetchval(QUERIES["count_interactions"], *arguments) if request.include_total_size else 0
    shown = found[: page.size]
    rows = {}
    if shown:
        ids = [row["interaction_id"] for row in shown]
        rows = {row["id_key"]: row for row in await tx.fetch(QUERIES["get_interactions"], ids)}
    response = pb.ListInteractionsResponse(
        interactions=[
            masked(to_interaction(rows[row["interaction_id"]], grace_days), request.read_mask)
            for row in shown
            if row["interaction_id"] in rows
        ],
        total_size=total,
    )
    if len(found) > page.size:
        last = shown[-1]
        ended = [last["position"], str(last["interaction_id"])]
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), ended)
    return response
