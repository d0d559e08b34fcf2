"""No call of TagService, and no filter by tags or organization, shows, changes or betrays another tenant's rows.

Beside each denial stands the same call by the owner, so that a call that always fails proves nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from google.protobuf.message import Message
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.contacts.v1 import tag_service_pb2 as pb
from pmcrm.contacts.v1.tag_pb2 import Tag

from services.contacts.tags import Tags
from tests.postgres import Connection
from tests.services.contacts.calls import mask, random_id
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.contacts.test_isolation import built, everything_of, outcome, without
from tests.services.contacts.transfers import exported
from tests.suite import Client, Metadata, failure, new_request_id, tenant_of

# Each call that names a tag by its id; those on a deleted one are marked by name.
ON_A_TAG: dict[str, Callable[[str], Message]] = {
    "GetTag": lambda tag_id: pb.GetTagRequest(id=tag_id),
    "GetTag with a mask": lambda tag_id: pb.GetTagRequest(id=tag_id, read_mask=mask("id")),
    "UpdateTag": lambda tag_id: pb.UpdateTagRequest(tag=Tag(id=tag_id, color="#000000")),
    "UpdateTag with an etag": lambda tag_id: pb.UpdateTagRequest(tag=Tag(id=tag_id, color="#000000", etag="1")),
    "UpdateTag with a stale etag": lambda tag_id: pb.UpdateTagRequest(tag=Tag(id=tag_id, color="#000000", etag="77")),
    "UpdateTag of nothing": lambda tag_id: pb.UpdateTagRequest(tag=Tag(id=tag_id)),
    "UpdateTag of what is bad": lambda tag_id: pb.UpdateTagRequest(tag=Tag(id=tag_id, color="red")),
    "UpdateTag by request_id": lambda tag_id: pb.UpdateTagRequest(
        tag=Tag(id=tag_id, name="Mine"), request_id=new_request_id()
    ),
    "DeleteTag": lambda tag_id: pb.DeleteTagRequest(id=tag_id),
    "DeleteTag with a stale etag": lambda tag_id: pb.DeleteTagRequest(id=tag_id, etag="77"),
    "UndeleteTag": lambda tag_id: pb.UndeleteTagRequest(id=tag_id),
    "UndeleteTag of a deleted one": lambda tag_id: pb.UndeleteTagRequest(id=tag_id),
}

# Calls that are tried further below.
BY_OTHER_IDS = {"CreateTag", "ListTags", "ModifyContactTags"}

FILTERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "all": lambda row_id: {"tag_ids_all": [row_id]},
    "any": lambda row_id: {"tag_ids_any": [row_id]},
    "organization": lambda row_id: {"organization_id": row_id},
}


@pytest.fixture
def labels(client: Client, alice: Metadata) -> Labels:
    return Labels(client, alice)


@pytest.fixture
def his(client: Client, bob: Metadata) -> Labels:
    return Labels(client, bob)


def test_every_call_that_is_built_is_tried_here() -> None:
    tried = {name.split()[0] for name in ON_A_TAG} | BY_OTHER_IDS
    assert built(pb, "TagService", Tags) == tried


async def send(labels: Labels, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(labels.stub, name)(request, metadata=labels.tenant)


@pytest.mark.parametrize("call", ON_A_TAG)
async def test_another_tenants_tag_is_answered_like_none_at_all(
    labels: Labels, his: Labels, as_superuser: Connection, call: str
) -> None:
    made = await labels.create()
    if call.endswith("deleted one"):
        await labels.delete(made.id)
    before = await everything_of(as_superuser, tenant_of(labels.tenant))
    request, nobody = ON_A_TAG[call], random_id()
    foreign = await failure(send(his, request(made.id)))
    missing = await failure(send(his, request(nobody)))
    assert foreign.reason == "TAG_NOT_FOUND"
    assert (foreign.code, foreign.message.replace(made.id, nobody)) == (missing.code, missing.message)
    assert without(foreign, made.id) == without(missing, nobody)
    assert await everything_of(as_superuser, tenant_of(labels.tenant)) == before
    own = await outcome(send(labels, request(made.id)))
    assert own in ("", "ETAG_MISMATCH", "TAG_NOT_DELETED", "FIELD_INVALID")


async def test_what_may_be_missing_is_answered_alike(labels: Labels, his: Labels) -> None:
    made = await labels.create()
    for tag_id in (made.id, random_id()):
        assert await his.delete(tag_id, allow_missing=True) == Tag()
    assert await labels.get(made.id) == made


async def test_no_tag_is_put_on_or_taken_off_across_tenants(
    labels: Labels, his: Labels, as_superuser: Connection
) -> None:
    ada, grace = await labels.book.create(given_name="Ada"), await his.book.create(given_name="Grace")
    hers, own = (await labels.create()).id, (await his.create()).id
    await labels.modify([ada.id], [hers])
    before = [await everything_of(as_superuser, tenant_of(owner.tenant)) for owner in (labels, his)]
    nobody = random_id()
    tried: list[tuple[str, str, Callable[[str], Any]]] = [
        ("CONTACT_NOT_FOUND", ada.id, lambda contact: his.modify([grace.id, contact], [own])),
        ("CONTACT_NOT_FOUND", ada.id, lambda contact: his.modify([contact], [hers])),
        ("CONTACT_NOT_FOUND", ada.id, lambda contact: his.modify([contact], remove=[hers])),
        ("TAG_NOT_FOUND", hers, lambda tag: his.modify([grace.id], [own, tag])),
        ("TAG_NOT_FOUND", hers, lambda tag: his.modify([grace.id], remove=[tag])),
    ]
    for reason, foreign_id, call in tried:
        foreign, missing = await failure(call(foreign_id)), await failure(call(nobody))
        assert (foreign.reason, foreign.code) == (reason, missing.code)
        assert without(foreign, foreign_id) == without(missing, nobody)
    assert [await everything_of(as_superuser, tenant_of(owner.tenant)) for owner in (labels, his)] == before
    assert await his.modify([grace.id], [own]) == (1, 0)
    assert await labels.modify([ada.id], remove=[hers]) == (0, 1)


@pytest.mark.parametrize("filter_", FILTERS)
async def test_a_filter_by_another_tenants_id_matches_nothing_as_a_random_one(
    client: Client, labels: Labels, his: Labels, filter_: str
) -> None:
    firms = Firms(client, labels.tenant)
    ada, grace = await labels.book.create(given_name="Ada"), await his.book.create(given_name="Grace")
    tag, firm = (await labels.create()).id, (await firms.create()).id
    await labels.modify([ada.id], [tag])
    await firms.employ(ada.id, firm, current=True)
    await his.modify([grace.id], [(await his.create()).id])
    named = firm if filter_ == "organization" else tag

    async def answers(owner: Labels, row_id: str) -> list[Any]:
        arguments = FILTERS[filter_](row_id)
        search = contacts_pb.SearchContactsRequest(query="ada or grace", **arguments)
        return [
            await owner.book.page(include_total_size=True, show_deleted=True, **arguments),
            await client.contacts.SearchContacts(search, metadata=owner.tenant),
            (await exported(client, owner.tenant, **arguments)).content,
        ]

    assert await answers(his, named) == await answers(his, random_id())
    listed, found, file = await answers(labels, named)
    assert [contact.id for contact in listed.contacts] == [result.contact.id for result in found.results] == [ada.id]
    assert b"FN:Ada" in file


async def test_nobody_is_found_by_another_tenants_organization(client: Client, labels: Labels, his: Labels) -> None:
    for owner, name in ((labels, "Ada"), (his, "Grace")):
        firms = Firms(client, owner.tenant)
        contact = await owner.book.create(given_name=name)
        await firms.employ(contact.id, (await firms.create(f"Works of {name}")).id, current=True)
    for owner, name in ((labels, "Ada"), (his, "Grace")):
        request = contacts_pb.SearchContactsRequest(query="works")
        answer = await client.contacts.SearchContacts(request, metadata=owner.tenant)
        assert [result.contact.display_name for result in answer.results] == [name]
        assert await owner.book.names(text="works") == [name]


async def test_a_request_id_and_a_page_token_tell_nothing_of_another_tenants(labels: Labels, his: Labels) -> None:
    request_id = new_request_id()
    hers, own = await labels.create("A", request_id=request_id), await his.create("B", request_id=request_id)
    assert hers.id != own.id
    assert await labels.create("A", request_id=request_id) == hers
    for owner in (labels, his):
        await owner.create("C")
    token = (await labels.page(page_size=1)).next_page_token
    assert (await failure(his.page(page_token=token))).status == (await failure(his.page(page_token="x"))).status
    assert len((await labels.page(page_token=token)).tags) == 1


async def same_data(labels: Labels) -> tuple[list[str], list[str]]:
    """The ids of two contacts and of two tags, the same in every tenant but for the ids."""
    contacts = [c.id for c in await labels.book.create_many({"given_name": "Ada"}, {"given_name": "Bob"})]
    tags = [(await labels.create(name)).id for name in ("Friends", "Family")]
    await labels.modify(contacts, tags)
    return contacts, tags


async def test_two_tenants_with_identical_data_never_affect_each_other(
    labels: Labels, his: Labels, as_superuser: Connection
) -> None:
    (_, her_tags), (own, own_tags) = await asyncio.gather(same_data(labels), same_data(his))
    before = await everything_of(as_superuser, tenant_of(labels.tenant))
    await his.update(own_tags[0], name="friends and more", color="#010203")
    await his.modify(own, [], [own_tags[1]])
    await his.delete(own_tags[0])
    await his.create("FRIENDS")
    await his.book.delete(own[0])
    assert (await failure(his.undelete(random_id()))).reason == "TAG_NOT_FOUND"
    assert await everything_of(as_superuser, tenant_of(labels.tenant)) == before
    assert [(tag.name, tag.contact_count) for tag in (await labels.page()).tags] == [("Family", 2), ("Friends", 2)]
    assert [(tag.name, tag.contact_count) for tag in (await his.page()).tags] == [("Family", 0), ("FRIENDS", 0)]
    for order in ("name", "create_time desc", "contact_count"):
        for owner, others in ((labels, own_tags), (his, her_tags)):
            shown = [
                tag.id async for page in owner.pages(page_size=1, order_by=order, show_deleted=True) for tag in page
            ]
            assert not set(shown) & set(others)
    assert await labels.book.names(tag_ids_all=her_tags) == ["Ada", "Bob"]
    assert await his.book.names(tag_ids_any=own_tags) == []
