"""ModifyContactTags: tags put on contacts and taken off, all or none; what contacts show and what tags count."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import tag_service_pb2 as pb

from services.contacts.tags import TAGS_OF_A_CONTACT, TIES_AT_ONCE
from tests.postgres import Connection, bound
from tests.services.contacts.calls import NOBODY, random_id
from tests.services.contacts.tag_calls import Labels, many_tags
from tests.suite import Client, Failure, Metadata, failure, new_request_id, tenant_of


@pytest.fixture
def labels(client: Client, alice: Metadata) -> Labels:
    return Labels(client, alice)


async def people(labels: Labels, count: int) -> list[str]:
    """The ids of so many new contacts."""
    return [c.id for c in await labels.book.create_many(*({"given_name": f"Person {i:04}"} for i in range(count)))]


async def restrict(conn: Connection, contact_id: str, restricted: bool = True) -> None:
    await conn.execute("UPDATE contacts SET processing_restricted = $2 WHERE id = $1::uuid", contact_id, restricted)


async def merge_by_hand(conn: Connection, tenant: Metadata, merged: str, survivor: str) -> None:
    """Lets a contact's id stand for another one's, as merging leaves it."""
    ids = (tenant_of(tenant), merged)
    async with bound(conn, uuid.UUID(tenant_of(tenant))):
        await conn.execute(
            "INSERT INTO contact_redirects (user_id, contact_id, survivor_id, merge_id)"
            " VALUES ($1::uuid, $2::uuid, $3::uuid, gen_random_uuid())",
            *ids, survivor,
        )  # fmt: skip
        await conn.execute("UPDATE contacts SET deleted_at = now() WHERE user_id = $1::uuid AND id = $2::uuid", *ids)


async def count(labels: Labels, tag_id: str) -> int:
    return (await labels.get(tag_id)).contact_count


async def test_tags_are_put_on_contacts_and_taken_off(labels: Labels) -> None:
    ada, bob = await people(labels, 2)
    zoo, art = (await labels.create("Zoo", color="#00ff00")).id, (await labels.create("art")).id
    assert await labels.modify([ada, bob], [zoo, art]) == (4, 0)
    assert (await labels.on(ada), await labels.on(bob)) == (["art", "Zoo"], ["art", "Zoo"])
    shown = (await labels.book.get(ada)).tags[1]
    assert (shown.id, shown.color) == (zoo, "#00ff00")
    assert await labels.modify([ada], remove=[zoo]) == (0, 1)
    assert (await labels.on(ada), await labels.on(bob)) == (["art"], ["art", "Zoo"])
    assert await labels.modify([ada, bob], [zoo], [art]) == (1, 2)
    assert (await count(labels, zoo), await count(labels, art)) == (2, 0)


async def test_what_is_so_already_is_no_error_and_counts_nothing(labels: Labels) -> None:
    [ada], tag = await people(labels, 1), (await labels.create()).id
    assert await labels.modify([ada], remove=[tag]) == (0, 0)
    assert await labels.modify([ada, ada], [tag, tag, tag.upper()]) == (1, 0)
    assert await labels.modify([ada], [tag]) == (0, 0)
    assert await labels.modify([ada], remove=[tag, tag]) == (0, 1)


async def test_tags_change_neither_a_contacts_etag_nor_its_update_time_nor_the_tags_own(labels: Labels) -> None:
    ada, tag = await labels.book.create(given_name="Ada"), await labels.create()
    await labels.modify([ada.id], [tag.id])
    tagged = await labels.book.get(ada.id)
    assert (tagged.etag, tagged.update_time) == (ada.etag, ada.update_time)
    assert ((await labels.get(tag.id)).etag, (await labels.get(tag.id)).update_time) == (tag.etag, tag.update_time)
    assert (await labels.book.update(ada.id, etag=ada.etag, notes="still mine")).notes == "still mine"


async def test_deleting_a_tag_hides_it_and_undeleting_restores_it(labels: Labels) -> None:
    [ada, bob], tag = await people(labels, 2), (await labels.create()).id
    other = (await labels.create("Other")).id
    await labels.modify([ada, bob], [tag])
    await labels.modify([ada], [other])
    before = await labels.book.get(ada)
    assert (await labels.delete(tag)).contact_count == 0
    assert (await labels.on(ada), await labels.on(bob)) == (["Other"], [])
    assert (await labels.book.get(ada)).etag == before.etag
    for call in (labels.modify([ada], [tag]), labels.modify([ada], remove=[other, tag])):
        refused = await failure(call)
        assert (refused.reason, refused.metadata["id"]) == ("TAG_NOT_FOUND", tag)
    assert (await labels.undelete(tag)).contact_count == 2
    assert await labels.book.get(ada) == before


async def test_a_tag_counts_living_unrestricted_contacts(labels: Labels, as_superuser: Connection) -> None:
    [living, deleted, restricted], tag = await people(labels, 3), (await labels.create()).id
    await labels.modify([living, deleted, restricted], [tag])
    await labels.book.delete(deleted)
    await restrict(as_superuser, restricted)
    for order in ("name", "contact_count desc"):
        assert [(t.id, t.contact_count) for t in (await labels.page(order_by=order)).tags] == [(tag, 1)]
    assert (await labels.book.page(tag_ids_any=[tag], include_total_size=True)).total_size == await count(labels, tag)
    await labels.book.undelete(deleted)
    await restrict(as_superuser, restricted, False)
    assert await count(labels, tag) == 3
    assert await labels.on(deleted) == ["Friends"]


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"contact_ids": []}, ["contact_ids"]),
    ({"contact_ids": [NOBODY] * 1001}, ["contact_ids"]),
    ({"contact_ids": [NOBODY, "7"]}, ["contact_ids[1]"]),
    ({"add_tag_ids": []}, ["add_tag_ids"]),
    ({"add_tag_ids": [NOBODY] * 101}, ["add_tag_ids"]),
    ({"add_tag_ids": ["", NOBODY, "x"]}, ["add_tag_ids[0]", "add_tag_ids[2]"]),
    ({"remove_tag_ids": [random_id()] * 101}, ["remove_tag_ids"]),
    ({"remove_tag_ids": ["x"]}, ["remove_tag_ids[0]"]),
    ({"remove_tag_ids": [random_id(), NOBODY.upper()]}, ["remove_tag_ids[1]"]),
]


@pytest.mark.parametrize(("fields", "bad"), BAD)
async def test_a_bad_request_is_refused_naming_what_is_bad(
    labels: Labels, fields: dict[str, Any], bad: list[str]
) -> None:
    request = pb.ModifyContactTagsRequest(**{"contact_ids": [NOBODY], "add_tag_ids": [NOBODY], **fields})
    refused = await failure(labels.stub.ModifyContactTags(request, metadata=labels.tenant))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == bad


async def test_the_first_contact_that_is_not_there_is_named_and_nothing_done(labels: Labels) -> None:
    [ada, deleted], tag = await people(labels, 2), (await labels.create()).id
    await labels.book.delete(deleted)
    for ids, first in (([ada, NOBODY, deleted], NOBODY), ([deleted, ada, NOBODY], deleted)):
        refused = await failure(labels.modify(ids, [tag]))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
        assert refused.metadata["id"] == first
    assert await labels.on(ada) == []


async def test_the_first_tag_that_is_not_there_is_named_and_nothing_done(labels: Labels) -> None:
    [ada], tag, missing = await people(labels, 1), (await labels.create()).id, random_id()
    for add, remove, first in (([tag, NOBODY, missing], [], NOBODY), ([tag], [missing, NOBODY], missing)):
        refused = await failure(labels.modify([ada], add, remove))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "TAG_NOT_FOUND")
        assert refused.metadata["id"] == first
    assert await labels.on(ada) == []


async def test_a_contact_whose_processing_is_restricted_keeps_its_tags(
    labels: Labels, as_superuser: Connection
) -> None:
    [ada, bob], tag = await people(labels, 2), (await labels.create()).id
    await labels.modify([bob], [tag])
    await restrict(as_superuser, bob)
    for add, remove in (([tag], []), ([], [tag])):
        refused = await failure(labels.modify([ada, bob], add, remove))
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
        assert refused.metadata["id"] == bob
    assert (await labels.on(ada), await labels.on(bob)) == ([], ["Friends"])


async def test_a_merged_contacts_id_stands_for_the_survivor(labels: Labels, as_superuser: Connection) -> None:
    [survivor, merged], tag = await people(labels, 2), (await labels.create()).id
    await merge_by_hand(as_superuser, labels.tenant, merged, survivor)
    assert await labels.modify([merged, survivor], [tag]) == (1, 0)
    assert await labels.on(survivor) == ["Friends"]
    assert await count(labels, tag) == 1
    assert await labels.modify([merged], remove=[tag]) == (0, 1)


async def test_a_contact_carries_at_most_a_hundred_tags(labels: Labels, as_superuser: Connection) -> None:
    ada, bob = await people(labels, 2)
    tags = await many_tags(as_superuser, labels.tenant, TAGS_OF_A_CONTACT + 2)
    assert await labels.modify([ada], tags[:100]) == (100, 0)
    refused = await failure(labels.modify([bob, ada], [tags[100]]))
    assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LIMIT_REACHED")
    assert refused.metadata == {"limit": "tags of a contact", "id": ada}
    assert await labels.on(bob) == []
    assert await labels.modify([ada], [tags[100]], [tags[0]]) == (1, 1)
    # A deleted tag takes no room; brought back it is there again, and then no other one may be added.
    await labels.delete(tags[1])
    assert await labels.modify([ada], [tags[0]]) == (1, 0)
    await labels.undelete(tags[1])
    assert len(await labels.on(ada)) == 101
    assert await labels.modify([bob, ada], [tags[0]]) == (1, 0)
    assert (await failure(labels.modify([ada], [tags[101]], [tags[2]]))).reason == "LIMIT_REACHED"
    assert await labels.modify([ada], [tags[101]], tags[2:4]) == (1, 2)


async def test_a_thousand_contacts_and_many_tags_at_once(labels: Labels, as_superuser: Connection) -> None:
    contacts = await people(labels, 1000)
    tags = await many_tags(as_superuser, labels.tenant, TIES_AT_ONCE // 1000 + 1)
    assert await labels.modify(contacts, tags) == (1000 * len(tags), 0)
    assert {tag.contact_count async for page in labels.pages(page_size=9) for tag in page} == {1000}
    refused = await failure(labels.modify([*contacts[1:], NOBODY], remove=tags))
    assert refused.reason == "CONTACT_NOT_FOUND"
    assert await labels.modify(contacts, tags[:1], tags[1:]) == (0, 1000 * (len(tags) - 1))
    assert [tag.contact_count for tag in (await labels.page(order_by="contact_count desc", page_size=2)).tags] == [
        1000,
        0,
    ]


async def test_two_who_change_the_same_contacts_at_once_both_succeed(labels: Labels) -> None:
    contacts = await people(labels, 40)
    kept, first, second = [(await labels.create(name)).id for name in ("Kept", "First", "Second")]
    await labels.modify(contacts, [kept])
    for _ in range(5):
        made = await asyncio.gather(
            labels.modify(contacts, [first, second]), labels.modify(contacts[::-1], [second, first], [kept])
        )
        assert sum(added for added, _ in made) == 80
        undone = await asyncio.gather(
            labels.modify(contacts, [kept], [second, first]), labels.modify(contacts[::-1], [], [first, second])
        )
        assert sum(removed for _, removed in undone) == 80
    assert {tuple(await labels.on(contact)) for contact in contacts} == {("Kept",)}


async def test_the_limit_of_a_contact_holds_in_a_race(labels: Labels, as_superuser: Connection) -> None:
    [ada] = await people(labels, 1)
    tags = await many_tags(as_superuser, labels.tenant, TAGS_OF_A_CONTACT + 8)
    await labels.modify([ada], tags[:97])
    answers = await asyncio.gather(*(labels.modify([ada], [tag]) for tag in tags[97:]), return_exceptions=True)
    reasons = Counter(Failure(a).reason if isinstance(a, grpc.aio.AioRpcError) else "" for a in answers)
    assert reasons == {"": 3, "LIMIT_REACHED": 8}
    assert len(await labels.on(ada)) == 100


async def test_a_tag_that_is_deleted_meanwhile_is_put_on_before_or_not_at_all(labels: Labels) -> None:
    contacts = await people(labels, 50)
    for i in range(8):
        tag = (await labels.create(f"Tag {i}")).id
        put, gone = await asyncio.gather(labels.modify(contacts, [tag]), labels.delete(tag), return_exceptions=True)
        assert not isinstance(gone, BaseException)
        back = await labels.undelete(tag)
        if isinstance(put, grpc.aio.AioRpcError):
            assert (Failure(put).reason, back.contact_count) == ("TAG_NOT_FOUND", 0)
        else:
            assert (put, back.contact_count) == ((50, 0), 50)
        await labels.delete(tag)


async def test_a_tag_is_not_deleted_while_a_call_puts_it_on(labels: Labels, as_superuser: Connection) -> None:
    """As the last test, with the order decided: the deletion is under way and not committed."""
    [ada], tag = await people(labels, 1), (await labels.create()).id
    deleting = as_superuser.transaction()
    await deleting.start()
    await as_superuser.execute("UPDATE tags SET deleted_at = now() WHERE id = $1::uuid", tag)
    putting = asyncio.create_task(failure(labels.modify([ada], [tag])))
    done, _ = await asyncio.wait([putting], timeout=0.5)
    assert not done, "the call did not wait for the deletion"
    await deleting.commit()
    assert (await putting).reason == "TAG_NOT_FOUND"


async def test_a_repeat_changes_nothing_and_hears_the_first_answer(labels: Labels) -> None:
    [ada], tag, request_id = await people(labels, 1), (await labels.create()).id, new_request_id()
    assert await labels.modify([ada], [tag], request_id=request_id) == (1, 0)
    await labels.modify([ada], remove=[tag])
    assert await labels.modify([ada], [tag], request_id=request_id) == (1, 0)
    assert await labels.on(ada) == []
    assert (await failure(labels.modify([ada], [], [tag], request_id=request_id))).reason == "REQUEST_ID_REUSED"


async def test_every_tie_leaves_an_entry_that_names_contact_and_tag(labels: Labels, as_superuser: Connection) -> None:
    [ada, bob], tag = await people(labels, 2), (await labels.create()).id
    await labels.modify([ada, bob], [tag])
    await labels.modify([ada, bob], [tag])
    await labels.modify([bob], remove=[tag])
    await failure(labels.modify([bob, NOBODY], [tag]))
    entries = await as_superuser.fetch(
        "SELECT * FROM audit_logs WHERE user_id = $1::uuid AND table_name = 'contact_tags' ORDER BY at",
        tenant_of(labels.tenant),
    )
    assert {str(entry["row_id"]) for entry in entries} == {tag}
    assert [entry["action"] for entry in entries] == ["INSERT", "INSERT", "DELETE"]
    assert {str(entry["subject_id"]) for entry in entries[:2]} == {ada, bob}
    assert str(entries[2]["subject_id"]) == bob
