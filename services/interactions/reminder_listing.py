"""ListReminders: what its request asks for, and the page that answers it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_pb2 import Reminder, ReminderKind, ReminderPriority, ReminderStatus

from services.interactions.reminder_record import checked_enum, to_reminder
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.fields import time_value, uuid_value
from shared.living_contacts import contact_not_found, processing_restricted
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = {
    "next_due_time": "list_reminders_by_due",
    "create_time": "list_reminders_by_create_time",
    "priority": "list_reminders_by_priority",
    "title": "list_reminders_by_title",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListReminders request. filters: the parameters that the list and its count have in common, after
    those for deleted reminders and for the contact."""

    query: queries.Query
    page: Page
    show_deleted: bool
    contact_id: uuid.UUID | None
    filters: tuple[object, ...]

    @property
    def parameters(self) -> tuple[object, ...]:
        """What the list and its count have in common, in the statements' order."""
        return (self.show_deleted, self.contact_id, *self.filters)


def read(request: pb.ListRemindersRequest, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    order, descending = ordering(request.order_by, ORDERS, default="next_due_time")
    check_mask(Reminder, request.read_mask)
    page = tokens.read(request, bound_tenant(caller.get()))
    contact_id = uuid_value(request.contact_id, "contact_id") if request.contact_id else None
    after, before = time_value(request, "due_after"), time_value(request, "due_before")
    violations = Violations()
    status = checked_enum(ReminderStatus, request.status, "status", violations) if request.status else None
    kinds = [checked_enum(ReminderKind, kind, f"kinds[{i}]", violations) for i, kind in enumerate(request.kinds)]
    if request.min_priority:
        checked_enum(ReminderPriority, request.min_priority, "min_priority", violations)
    violations.raise_if_any()
    return Listing(
        query=QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]],
        page=page,
        show_deleted=request.show_deleted,
        contact_id=contact_id,
        filters=(status, kinds or None, request.min_priority or None, after, before),
    )


async def standing_contact(tx: Transaction, contact_id: uuid.UUID) -> uuid.UUID:
    """The contact that an id stands for. Raises CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
    found = await tx.fetchrow(QUERIES["standing_contact"], contact_id)
    if found is None:
        raise contact_not_found(contact_id)
    if found["processing_restricted"]:
        raise processing_restricted(contact_id)
    standing: uuid.UUID = found["id"]
    return standing


async def fetch(
    tx: Transaction, request: pb.ListRemindersRequest, listing: Listing, tokens: PageTokens, grace: timedelta
) -> pb.ListRemindersResponse:
    """The page; one row more than it holds is read, which tells whether there is another."""
    if listing.contact_id is not None:
        listing = replace(listing, contact_id=await standing_contact(tx, listing.contact_id))
    page = listing.page
    nothing_left, position, last_id = page.after or (None, None, None)
    rows = await tx.fetch(
        listing.query,
        None if nothing_left is None else bool(nothing_left),
        position,
        last_id,
        page.size + 1,
        page.skip,
        *listing.parameters,
    )
    total = await tx.fetchval(QUERIES["count_reminders"], *listing.parameters) if request.include_total_size else 0
    shown = rows[: page.size]
    response = pb.ListRemindersResponse(
        reminders=[masked(to_reminder(row, grace), request.read_mask) for row in shown], total_size=total
    )
    if len(rows) > page.size:
        response.next_page_token = tokens.seal(request, bound_tenant(caller.get()), _place(shown[-1]))
    return response


def _place(last: Mapping[str, Any]) -> list[str | int]:
    return [int(last["nothing_left"]), last["position"], last["id"]]
