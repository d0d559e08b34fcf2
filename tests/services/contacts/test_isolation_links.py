"""No call about links shows, changes or betrays another tenant's links and contacts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_link_pb2 import CONTACT_LINK_TYPE_FRIEND, ContactLink

from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.test_isolation import everything_of, outcome, send, without
from tests.services.contacts.test_links import link, listed, page, unlink
from tests.suite import Client, failure, new_request_id, tenant_of

ON_A_LINK: dict[str, Callable[[str], Message]] = {
    "UnlinkContacts": lambda link_id: pb.UnlinkContactsRequest(id=link_id),
    "UnlinkContacts with an etag": lambda link_id: pb.UnlinkContactsRequest(id=link_id, etag="1"),
    "UnlinkContacts with a stale etag": lambda link_id: pb.UnlinkContactsRequest(id=link_id, etag="77"),
    "UnlinkContacts by request_id": lambda link_id: pb.UnlinkContactsRequest(id=link_id, request_id=new_request_id()),
}


async def alike(book: Book) -> ContactLink:
    """The same two contacts and the same tie, whoever's book it is."""
    made = await book.create_many({"given_name": "Ada", "source_uid": "1"}, {"given_name": "Byron", "source_uid": "2"})
    return await link(book, made[0].id, made[1].id, "PARENT", label="father")


@pytest.mark.parametrize("call", ON_A_LINK)
async def test_another_tenants_link_is_answered_like_none_at_all(
    client: Client, book: Book, bobs: Book, as_superuser: Connection, call: str
) -> None:
    hers = await alike(book)
    await alike(bobs)
    before = await everything_of(as_superuser, tenant_of(book.tenant))
    request, nobody = ON_A_LINK[call], random_id()
    foreign = await failure(send(client, request(hers.id), bobs.tenant))
    missing = await failure(send(client, request(nobody), bobs.tenant))
    assert foreign.reason == "LINK_NOT_FOUND"
    assert (foreign.code, without(foreign, hers.id)) == (missing.code, without(missing, nobody))
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before
    assert await outcome(send(client, request(hers.id), book.tenant)) in ("", "ETAG_MISMATCH")


async def test_a_missing_link_that_may_be_missing_is_answered_alike(book: Book, bobs: Book) -> None:
    hers = await alike(book)
    assert (
        await unlink(bobs, hers.id, allow_missing=True)
        == await unlink(bobs, random_id(), allow_missing=True)
        == ContactLink()
    )
    assert await listed(book, hers.contact_id) == [hers]


@pytest.mark.parametrize("place", ["contact_id", "related_contact_id"])
async def test_a_link_to_another_tenants_contact_is_answered_like_one_to_nobody(
    book: Book, bobs: Book, as_superuser: Connection, place: str
) -> None:
    hers = await alike(book)
    his = await bobs.create(given_name="Ada")
    before = await everything_of(as_superuser, tenant_of(book.tenant))

    def tie(owner: Book, other: str) -> Any:
        made = ContactLink(contact_id=his.id, related_contact_id=his.id, type=CONTACT_LINK_TYPE_FRIEND)
        setattr(made, place, other)
        return owner.stub.LinkContacts(pb.LinkContactsRequest(link=made), metadata=owner.tenant)

    nobody = random_id()
    foreign, missing = await failure(tie(bobs, hers.contact_id)), await failure(tie(bobs, nobody))
    assert foreign.reason == "CONTACT_NOT_FOUND"
    assert (foreign.code, without(foreign, hers.contact_id)) == (missing.code, without(missing, nobody))
    assert await everything_of(as_superuser, tenant_of(book.tenant)) == before
    assert await outcome(tie(bobs, (await bobs.create(given_name="Own")).id)) == ""


async def test_two_tenants_with_the_same_links_see_their_own(book: Book, bobs: Book) -> None:
    hers, his = await alike(book), await alike(bobs)
    for owner, own in ((book, hers), (bobs, his)):
        for contact_id in (own.contact_id, own.related_contact_id):
            assert [each.id for each in await listed(owner, contact_id, show_deleted=True)] == [own.id]
    await unlink(bobs, his.id)
    assert await listed(book, hers.contact_id) == [hers]
    assert await listed(bobs, his.contact_id) == []


async def test_a_page_token_opens_no_other_tenants_links(book: Book, bobs: Book) -> None:
    for owner in (book, bobs):
        first = await alike(owner)
        await link(owner, first.contact_id, first.related_contact_id, "FRIEND")
        if owner is book:
            hers = first
    token = (await page(book, hers.contact_id, page_size=1)).next_page_token
    foreign = await failure(page(bobs, hers.contact_id, page_token=token))
    nonsense = await failure(page(bobs, hers.contact_id, page_token=token[::-1]))
    assert foreign.status == nonsense.status
