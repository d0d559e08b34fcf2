"""ContactService: ties between contacts."""

from __future__ import annotations

import uuid
from pathlib import Path

import asyncpg
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_link_pb2 import CONTACT_LINK_TYPE_UNSPECIFIED, ContactLink

from services.contacts.link_record import (
    LINKS_OF_A_CONTACT,
    OTHER_CONTACT_WANTED,
    LinkRecord,
    to_link,
    to_record,
    type_name,
)
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Violation
from shared.etags import etag_mismatch, expected_revision
from shared.fields import uuid_field
from shared.layers import Context
from shared.living_contacts import contact_not_found, hold_contacts, processing_restricted
from shared.masks import check_mask, masked
from shared.pages import ordering
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = {"create_time": "list_contact_links_by_create_time", "type": "list_contact_links_by_type"}


class ContactLinks:
    """The calls of pmcrm.contacts.v1.ContactService that tie contacts to each other."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace_days = runtime.settings.delete_grace_days

    async def LinkContacts(self, request: pb.LinkContactsRequest, context: Context) -> ContactLink:
        """Ties two contacts; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED, LINK_ALREADY_EXISTS, LIMIT_REACHED."""
        record = to_record(request.link, "link")

        async def effect(tx: Transaction) -> ContactLink:
            held = await hold_contacts(tx, [record.contact_id, record.related_contact_id])
            ends = (held[record.contact_id], held[record.related_contact_id])
            if ends[0] == ends[1]:
                raise InvalidArgument([Violation("link.related_contact_id", OTHER_CONTACT_WANTED)])
            link_id = await _create(tx, record, ends)
            await _check_limit(tx, ends)
            sides = await tx.fetch(QUERIES["get_contact_link"], link_id)
            [seen] = [side for side in sides if side["contact_key"] == ends[0]]
            return to_link(seen, self._grace_days)

        return await self._database.mutate(request, ContactLink, effect)

    async def UnlinkContacts(self, request: pb.UnlinkContactsRequest, context: Context) -> ContactLink:
        """Removes a tie from both sides; LINK_NOT_FOUND when it is gone already, unless allow_missing;
        PROCESSING_RESTRICTED, ETAG_MISMATCH."""
        link_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> ContactLink:
            removed = await tx.fetchrow(QUERIES["remove_contact_link"], link_id, expected_revision(request.etag))
            sides = await tx.fetch(QUERIES["get_contact_link"], link_id)
            for side in sides:
                if side["related_restricted"]:
                    raise processing_restricted(uuid.UUID(side["related_contact_id"]))
            if removed is None and sides and sides[0]["delete_time"] is None:
                raise etag_mismatch()
            if removed is None and not request.allow_missing:
                raise NotFound("LINK_NOT_FOUND", f"no link {link_id}", id=str(link_id))
            return to_link(sides[0], self._grace_days) if sides else ContactLink()

        return await self._database.mutate(request, ContactLink, effect)

    async def ListContactLinks(
        self, request: pb.ListContactLinksRequest, context: Context
    ) -> pb.ListContactLinksResponse:
        """Lists the ties of one contact, a page at a time, seen from it; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        contact_id = uuid_field(request, "contact_id")
        link_type = _type_filter(request)
        order, descending = ordering(request.order_by, ORDERS, default="create_time")
        query = QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]]
        check_mask(ContactLink, request.read_mask)
        page = self._page_tokens.read(request, bound_tenant(caller.get()))
        position, last_id = page.after or (None, None)
        async with self._database.reading() as tx:
            contact = await named_contact(tx, contact_id)
            filters = (contact["id"], request.show_deleted, link_type)
            # One row more than the page holds tells whether there is another page.
            rows = await tx.fetch(query, position, last_id, page.size + 1, page.skip, *filters)
            total = await tx.fetchval(QUERIES["count_contact_links"], *filters) if request.include_total_size else 0
        shown = rows[: page.size]
        response = pb.ListContactLinksResponse(
            links=[masked(to_link(row, self._grace_days), request.read_mask) for row in shown], total_size=total
        )
        if len(rows) > page.size:
            end = [shown[-1]["position"], shown[-1]["id"]]
            response.next_page_token = self._page_tokens.seal(request, bound_tenant(caller.get()), end)
        return response


async def named_contact(tx: Transaction, contact_id: uuid.UUID, *, living: bool = False) -> Row:
    """The contact that an id stands for, deleted or not unless it must be living: a row of find_named_contact.

    Raises CONTACT_NOT_FOUND when there is none, PROCESSING_RESTRICTED when its processing is restricted.
    """
    row = await tx.fetchrow(QUERIES["find_named_contact"], contact_id)
    if row is None or (living and row["deleted"]):
        raise contact_not_found(contact_id)
    if row["processing_restricted"]:
        raise processing_restricted(contact_id)
    return row


async def _create(tx: Transaction, record: LinkRecord, ends: tuple[uuid.UUID, uuid.UUID]) -> uuid.UUID:
    stored = tuple(reversed(ends)) if record.turned else ends
    create = tx.fetchval(
        QUERIES["create_contact_link"], *stored, record.type, record.label, *record.start, record.notes
    )
    try:
        link_id: uuid.UUID = await create
    except asyncpg.UniqueViolationError as error:
        # The only key beside the id, which is the database's own, is that of the same tie.
        raise AlreadyExists("LINK_ALREADY_EXISTS", "the two contacts are tied in this way already") from error
    return link_id


async def _check_limit(tx: Transaction, ends: tuple[uuid.UUID, uuid.UUID]) -> None:
    """Raises LIMIT_REACHED when the link just made was one too many for either of the held contacts."""
    contact_id = await tx.fetchval(QUERIES["find_overlinked_contact"], list(ends), LINKS_OF_A_CONTACT)
    if contact_id is not None:
        raise FailedPrecondition(
            "LIMIT_REACHED",
            f"contact {contact_id} has {LINKS_OF_A_CONTACT} links, as many as one may have",
            id=str(contact_id),
            limit="links of a contact",
        )


def _type_filter(request: pb.ListContactLinksRequest) -> str | None:
    if request.type == CONTACT_LINK_TYPE_UNSPECIFIED:
        return None
    name = type_name(request.type)
    if name is None:
        raise InvalidArgument([Violation("type", "must be one of the types")])
    return name
