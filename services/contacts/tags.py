"""TagService: tags, and which contacts carry them."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import TypeVar

import asyncpg
from pmcrm.contacts.v1 import tag_service_pb2 as pb
from pmcrm.contacts.v1.tag_pb2 import Tag

from services.contacts.tag_record import WRITABLE, to_record, to_tag
from shared import queries
from shared.caller import caller
from shared.database import Transaction, bound_tenant
from shared.errors import AlreadyExists, FailedPrecondition, InvalidArgument, NotFound, Violation
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import uuid_field, uuid_list, uuid_value
from shared.layers import Context
from shared.living_contacts import hold_contacts
from shared.masks import check_mask, masked, replace, update_paths
from shared.pages import ordering
from shared.server import Runtime

QUERIES = queries.load(Path(__file__).parent / "queries")

ORDERS = {
    "name": "list_tags_by_name",
    "create_time": "list_tags_by_create_time",
    "contact_count": "list_tags_by_contact_count",
}

TAGS_OF_A_TENANT = 1000
TAGS_OF_A_CONTACT = 100
CONTACTS_LIMIT = 1000
MODIFIED_TAGS_LIMIT = 100

# Ties that one statement makes or undoes. Each leaves an audit row, and 100 000 of these come near to the time that a
# statement may take (statement_timeout).
TIES_AT_ONCE = 20_000

Written = TypeVar("Written")


class Tags:
    """The servicer of pmcrm.contacts.v1.TagService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace_days = runtime.settings.delete_grace_days

    async def CreateTag(self, request: pb.CreateTagRequest, context: Context) -> Tag:
        """Creates a tag; TAG_NAME_TAKEN, or LIMIT_REACHED when the tenant has as many as it may have."""
        record = to_record(request.tag, "tag")

        async def effect(tx: Transaction) -> Tag:
            await tx.fetch(QUERIES["hold_tenant"])
            create = tx.fetchval(QUERIES["create_tag"], record.name, record.name_key, record.color, record.description)
            tag_id = await _naming(create)
            await _check_tags_of_tenant(tx)
            return await self._get(tx, tag_id)

        return await self._database.mutate(request, Tag, effect)

    async def GetTag(self, request: pb.GetTagRequest, context: Context) -> Tag:
        """Returns one tag, deleted or not; NOT_FOUND if the tenant has none with this id."""
        tag_id = uuid_field(request, "id")
        check_mask(Tag, request.read_mask)
        async with self._database.reading() as tx:
            tag = await self._get(tx, tag_id)
        return masked(tag, request.read_mask)

    async def ListTags(self, request: pb.ListTagsRequest, context: Context) -> pb.ListTagsResponse:
        """Lists living tags, a page at a time, in the order asked for."""
        order, descending = ordering(request.order_by, ORDERS, default="name")
        check_mask(Tag, request.read_mask)
        page = self._page_tokens.read(request, bound_tenant(caller.get()))
        query = QUERIES[f"{ORDERS[order]}_desc" if descending else ORDERS[order]]
        position, last_id = page.after or (None, None)
        total = 0
        async with self._database.reading() as tx:
            rows = await tx.fetch(query, position, last_id, page.size + 1, page.skip, request.show_deleted)
            if request.include_total_size:
                total = await tx.fetchval(QUERIES["count_tags"], request.show_deleted)
        shown = rows[: page.size]
        response = pb.ListTagsResponse(
            tags=[masked(to_tag(row, self._grace_days), request.read_mask) for row in shown], total_size=total
        )
        if len(rows) > page.size:
            end = [shown[-1]["position"], shown[-1]["id"]]
            response.next_page_token = self._page_tokens.seal(request, bound_tenant(caller.get()), end)
        return response

    async def UpdateTag(self, request: pb.UpdateTagRequest, context: Context) -> Tag:
        """Changes the fields that the mask names; NOT_FOUND, ETAG_MISMATCH or TAG_NAME_TAKEN."""
        tag_id = uuid_value(request.tag.id, "tag.id")
        paths = update_paths(request.tag, request.update_mask, WRITABLE)

        async def effect(tx: Transaction) -> Tag:
            row = await tx.fetchrow(QUERIES["lock_tag"], tag_id)
            if row is None:
                raise tag_not_found(tag_id)
            changed = to_tag(row, self._grace_days)
            check_etag(request.tag.etag, changed.etag)
            if not paths:
                return changed
            replace(changed, request.tag, paths)
            record = to_record(changed, "tag")
            update = tx.fetch(
                QUERIES["update_tag"], tag_id, record.name, record.name_key, record.color, record.description
            )
            await _naming(update)
            return await self._get(tx, tag_id)

        return await self._database.mutate(request, Tag, effect)

    async def DeleteTag(self, request: pb.DeleteTagRequest, context: Context) -> Tag:
        """Deletes a tag until it is purged; NOT_FOUND when it is gone already, unless allow_missing; ETAG_MISMATCH."""
        tag_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Tag:
            deleted = await tx.fetchrow(QUERIES["delete_tag"], tag_id, expected_revision(request.etag))
            row = await tx.fetchrow(QUERIES["get_tag"], tag_id)
            if deleted is None and row is not None and row["delete_time"] is None:
                raise etag_mismatch()
            if deleted is None and not request.allow_missing:
                raise tag_not_found(tag_id)
            return Tag() if row is None else to_tag(row, self._grace_days)

        return await self._database.mutate(request, Tag, effect)

    async def UndeleteTag(self, request: pb.UndeleteTagRequest, context: Context) -> Tag:
        """Brings a deleted tag back; TAG_NOT_DELETED, ETAG_MISMATCH, TAG_NAME_TAKEN, LIMIT_REACHED."""
        tag_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Tag:
            await tx.fetch(QUERIES["hold_tenant"])
            undelete = tx.fetchrow(QUERIES["undelete_tag"], tag_id, expected_revision(request.etag))
            restored = await _naming(undelete)
            tag = await self._get(tx, tag_id)
            if restored is None and not tag.HasField("delete_time"):
                raise AlreadyExists("TAG_NOT_DELETED", f"tag {tag_id} is not deleted", id=str(tag_id))
            if restored is None:
                raise etag_mismatch()
            await _check_tags_of_tenant(tx)
            return tag

        return await self._database.mutate(request, Tag, effect)

    async def ModifyContactTags(
        self, request: pb.ModifyContactTagsRequest, context: Context
    ) -> pb.ModifyContactTagsResponse:
        """Puts tags on contacts and takes tags off them, all or none; CONTACT_NOT_FOUND, TAG_NOT_FOUND,
        PROCESSING_RESTRICTED, LIMIT_REACHED."""
        asked = uuid_list(request.contact_ids, "contact_ids", CONTACTS_LIMIT)
        add, remove = modified_tags(request)

        async def effect(tx: Transaction) -> pb.ModifyContactTagsResponse:
            # Two ids may stand for one contact.
            contacts = list(set((await hold_contacts(tx, asked)).values()))
            await _hold_tags(tx, [*add, *remove])
            removed = await _take_off(tx, contacts, remove)
            added = await _put_on(tx, contacts, add)
            return pb.ModifyContactTagsResponse(added=added, removed=removed)

        return await self._database.mutate(request, pb.ModifyContactTagsResponse, effect)

    async def _get(self, tx: Transaction, tag_id: uuid.UUID) -> Tag:
        row = await tx.fetchrow(QUERIES["get_tag"], tag_id)
        if row is None:
            raise tag_not_found(tag_id)
        return to_tag(row, self._grace_days)


def modified_tags(request: pb.ModifyContactTagsRequest) -> tuple[list[uuid.UUID], list[uuid.UUID]]:
    """The tags to put on and those to take off, each once. Raises InvalidArgument."""
    if not request.add_tag_ids and not request.remove_tag_ids:
        raise InvalidArgument([Violation("add_tag_ids", "must hold a tag when remove_tag_ids holds none")])
    add, remove = (
        uuid_list(ids, field, MODIFIED_TAGS_LIMIT) if ids else []
        for ids, field in ((request.add_tag_ids, "add_tag_ids"), (request.remove_tag_ids, "remove_tag_ids"))
    )
    both = [i for i, tag_id in enumerate(remove) if tag_id in set(add)]
    if both:
        raise InvalidArgument([Violation(f"remove_tag_ids[{i}]", "is in add_tag_ids too") for i in both])
    return list(dict.fromkeys(add)), list(dict.fromkeys(remove))


def tag_not_found(tag_id: uuid.UUID) -> NotFound:
    """What a caller hears about a tag that its tenant does not have, whoever else may have it."""
    return NotFound("TAG_NOT_FOUND", f"no tag {tag_id}", id=str(tag_id))


async def _take_off(tx: Transaction, contacts: Sequence[uuid.UUID], tags: Sequence[uuid.UUID]) -> int:
    """Takes tags off contacts that are held; returns how many ties are gone."""
    gone = 0
    for some in _portions(tags, len(contacts)):
        gone += await tx.fetchval(QUERIES["remove_contact_tags"], contacts, some)
    return gone


async def _put_on(tx: Transaction, contacts: Sequence[uuid.UUID], tags: Sequence[uuid.UUID]) -> int:
    """Puts tags on contacts that are held; returns how many ties are new. Raises LIMIT_REACHED."""
    ties, changed = 0, set[uuid.UUID]()
    for some in _portions(tags, len(contacts)):
        for row in await tx.fetch(QUERIES["add_contact_tags"], contacts, some):
            ties += row["ties"]
            changed.update(row["contact_ids"])
    crowded = await tx.fetchval(QUERIES["overtagged_contact"], list(changed), TAGS_OF_A_CONTACT) if changed else None
    if crowded is not None:
        raise FailedPrecondition(
            "LIMIT_REACHED",
            f"contact {crowded} would carry more than {TAGS_OF_A_CONTACT} tags",
            limit="tags of a contact",
            id=str(crowded),
        )
    return ties


def _portions(tags: Sequence[uuid.UUID], contacts: int) -> Iterator[Sequence[uuid.UUID]]:
    """The tags, so many at a time that they make at most TIES_AT_ONCE ties with so many contacts."""
    size = max(1, TIES_AT_ONCE // contacts)
    for start in range(0, len(tags), size):
        yield tags[start : start + size]


async def _hold_tags(tx: Transaction, ids: Sequence[uuid.UUID]) -> None:
    """Keeps tags from being deleted until the transaction ends. Raises TAG_NOT_FOUND for the first that is none."""
    living = {row["id"] for row in await tx.fetch(QUERIES["hold_tags"], list(set(ids)))}
    for tag_id in ids:
        if tag_id not in living:
            raise tag_not_found(tag_id)


async def _check_tags_of_tenant(tx: Transaction) -> None:
    """Raises LIMIT_REACHED when a held tenant has more living tags than it may have."""
    if await tx.fetchval(QUERIES["count_living_tags"]) > TAGS_OF_A_TENANT:
        raise FailedPrecondition(
            "LIMIT_REACHED", f"a tenant may have {TAGS_OF_A_TENANT} living tags", limit="tags of a tenant"
        )


async def _naming(statement: Awaitable[Written]) -> Written:
    try:
        return await statement
    except asyncpg.UniqueViolationError as error:
        # The only key beside the ids, which are ours, is the name among living tags.
        raise AlreadyExists("TAG_NAME_TAKEN", "a living tag has this name") from error
