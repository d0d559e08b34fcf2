"""TagService: tags created, read, listed, changed, deleted and brought back, and each failure that it promises."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.contacts.v1 import tag_service_pb2 as pb
from pmcrm.contacts.v1.tag_pb2 import Tag

from services.contacts import tag_record, tags
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, mask
from tests.services.contacts.tag_calls import Labels, many_tags
from tests.suite import Client, Failure, Metadata, failure, new_request_id, tenant_of

CONTRACT = Path(__file__).parents[3] / "protos/pmcrm/contacts/v1/tag.proto"
KEYS = ("name", "create_time", "contact_count")
ORDERS = [*KEYS, *(f"{key} desc" for key in KEYS)]


@pytest.fixture
def labels(client: Client, alice: Metadata) -> Labels:
    return Labels(client, alice)


async def reasons(*calls: Any) -> Counter[str]:
    """How often calls made at once failed, by reason; '' for those that succeeded."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    return Counter(Failure(answer).reason if isinstance(answer, grpc.aio.AioRpcError) else "" for answer in answers)


def test_the_limits_are_those_of_the_contract() -> None:
    text = " ".join(CONTRACT.read_text().replace("//", "").split())
    limits = r"name (\d+) characters, description ([\d ]+), ([\d ]+) living tags .*?, (\d+) living tags on one"
    found = re.search(limits, text)
    assert found is not None
    assert [int(number.replace(" ", "")) for number in found.groups()] == [
        tag_record.NAME_LIMIT, tag_record.DESCRIPTION_LIMIT, tags.TAGS_OF_A_TENANT, tags.TAGS_OF_A_CONTACT,
    ]  # fmt: skip


async def test_a_tag_is_answered_as_it_is_stored(labels: Labels) -> None:
    made = await labels.create("  Friends ", color="#1E90FF", description="Those\r\nwe like", contact_count=7, etag="9")
    assert made == Tag(
        id=made.id, name="Friends", color="#1e90ff", description="Those\nwe like", create_time=made.create_time,
        update_time=made.create_time, etag="1",
    )  # fmt: skip
    assert await labels.get(made.id) == made
    assert await labels.get(made.id, "color") == Tag(id=made.id, color="#1e90ff")


async def test_texts_as_long_as_they_may_be_are_kept(labels: Labels) -> None:
    made = await labels.create("ß" * 100, description="é" * 1000)
    assert (made.name, made.description) == ("ß" * 100, "é" * 1000)


BAD: list[tuple[dict[str, Any], list[str]]] = [
    ({"name": ""}, ["tag.name"]),
    ({"name": " \t"}, ["tag.name"]),
    ({"name": "two\nlines"}, ["tag.name"]),
    ({"name": "x" * 101}, ["tag.name"]),
    ({"name": "nul\0"}, ["tag.name"]),
    ({"color": "red"}, ["tag.color"]),
    ({"color": "#12345"}, ["tag.color"]),
    ({"color": "#1234567"}, ["tag.color"]),
    ({"color": "#12345g"}, ["tag.color"]),
    ({"color": "#12345６"}, ["tag.color"]),
    ({"color": " #123456"}, ["tag.color"]),
    ({"color": "#123456\n"}, ["tag.color"]),
    ({"description": "x" * 1001}, ["tag.description"]),
    ({"name": "", "color": "?", "description": "\0"}, ["tag.name", "tag.color", "tag.description"]),
]


@pytest.mark.parametrize(("fields", "bad"), BAD)
async def test_a_bad_field_is_named(labels: Labels, fields: dict[str, Any], bad: list[str]) -> None:
    refused = await failure(labels.create(**{"name": "Friends", **fields}))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == bad
    made = await labels.create()
    assert list((await failure(labels.update(made.id, *fields, **fields))).violations) == bad
    assert await labels.get(made.id) == made


NAMES = [
    ("Friends", "FRIENDS"),
    ("Friends", "friends"),
    ("Straße", "STRASSE"),
    ("Ärzte", "ärzte"),
    ("Café", "CAFE\u0301"),
    ("Book club", "book   Club"),
    ("ΣΊΣΥΦΟΣ", "σίσυφος"),
    ("İstanbul", "i\u0307stanbul"),
]


@pytest.mark.parametrize(("name", "again"), NAMES)
async def test_a_name_is_unique_whatever_its_case(labels: Labels, name: str, again: str) -> None:
    made, other = await labels.create(name), await labels.create("Other")
    for call in (labels.create(again), labels.update(other.id, name=again)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "TAG_NAME_TAKEN")
        assert again not in refused.message
    assert (await labels.update(made.id, name=again)).id == made.id
    assert len(await labels.names()) == 2


async def test_accents_make_another_name(labels: Labels) -> None:
    await labels.create("Café")
    await labels.create("Cafe")
    assert sorted(await labels.names()) == ["Cafe", "Café"]


async def test_a_deleted_tags_name_is_free_and_may_be_taken_when_it_comes_back(labels: Labels) -> None:
    first = await labels.create("Friends")
    await labels.delete(first.id)
    second = await labels.create("friends")
    refused = await failure(labels.undelete(first.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "TAG_NAME_TAKEN")
    await labels.update(second.id, name="Close friends")
    assert (await labels.undelete(first.id)).name == "Friends"


async def test_an_update_writes_what_its_mask_names(labels: Labels) -> None:
    made = await labels.create("Friends", color="#aabbcc", description="d")
    named = await labels.update(made.id, "color", name="ignored", color="#FFFFFF", etag=made.etag)
    assert (named.name, named.color, named.description, named.etag) == ("Friends", "#ffffff", "d", "2")
    assert named.update_time.ToDatetime() > made.update_time.ToDatetime()
    populated = await labels.update(made.id, name="Good friends", create_time=named.update_time)
    assert (populated.name, populated.color, populated.create_time) == ("Good friends", "#ffffff", made.create_time)
    whole = await labels.update(made.id, "*", name="Friends")
    assert (whole.name, whole.color, whole.description) == ("Friends", "", "")
    assert await labels.update(made.id, "contact_count", "id", contact_count=7) == whole
    assert list((await failure(labels.update(made.id, "*"))).violations) == ["tag.name"]
    assert list((await failure(labels.update(made.id, "colour"))).violations) == ["update_mask.paths[0]"]


async def test_a_stale_etag_aborts(labels: Labels) -> None:
    made = await labels.create()
    await labels.update(made.id, color="#000000")
    for call in (labels.update(made.id, name="Mine", etag=made.etag), labels.delete(made.id, etag=made.etag)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "ETAG_MISMATCH")
    gone = await labels.delete(made.id, etag="2")
    assert (await failure(labels.undelete(made.id, etag="2"))).reason == "ETAG_MISMATCH"
    assert (await labels.undelete(made.id, etag=gone.etag)).name == "Friends"


async def test_a_deleted_tag_is_read_and_not_listed(labels: Labels) -> None:
    made = await labels.create()
    gone = await labels.delete(made.id)
    assert gone.purge_time.ToDatetime() - gone.delete_time.ToDatetime() == timedelta(days=90)
    assert await labels.get(made.id) == gone
    assert (await labels.names(), await labels.names(show_deleted=True)) == ([], ["Friends"])
    page = await labels.page(include_total_size=True, show_deleted=True)
    assert (page.total_size, (await labels.page(include_total_size=True)).total_size) == (1, 0)
    for call in (labels.delete(made.id), labels.update(made.id, name="Mine")):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "TAG_NOT_FOUND")
        assert refused.metadata["id"] == made.id
    assert await labels.delete(made.id, allow_missing=True) == gone
    back = await labels.undelete(made.id)
    assert not back.HasField("delete_time")
    assert not back.HasField("purge_time")
    refused = await failure(labels.undelete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "TAG_NOT_DELETED")


async def test_a_tag_that_is_not_there_is_not_found(labels: Labels) -> None:
    for call in (labels.get(NOBODY), labels.update(NOBODY, name="x"), labels.delete(NOBODY), labels.undelete(NOBODY)):
        refused = await failure(call)
        assert (refused.code, refused.reason, refused.metadata["id"]) == (
            grpc.StatusCode.NOT_FOUND, "TAG_NOT_FOUND", NOBODY,
        )  # fmt: skip
    assert await labels.delete(NOBODY, allow_missing=True) == Tag()


@pytest.mark.parametrize("malformed", ["", "7", "x" * 36])
async def test_an_id_that_is_no_uuid_is_refused(labels: Labels, malformed: str) -> None:
    for call in (labels.get(malformed), labels.delete(malformed), labels.undelete(malformed)):
        assert list((await failure(call)).violations) == ["id"]
    assert list((await failure(labels.update(malformed, name="x"))).violations) == ["tag.id"]


async def test_masks_orders_sizes_and_tokens_that_are_none_are_refused(labels: Labels) -> None:
    made = await labels.create()
    assert list((await failure(labels.get(made.id, "nothing"))).violations) == ["read_mask.paths[0]"]
    for field, value in {"order_by": "color", "page_size": -1, "skip": -1}.items():
        assert list((await failure(labels.page(**{field: value}))).violations) == [field]
    assert list((await failure(labels.page(read_mask=mask("nothing")))).violations) == ["read_mask.paths[0]"]
    refused = await failure(labels.page(page_token="nonsense"))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")


async def test_a_token_belongs_to_its_arguments(labels: Labels) -> None:
    for name in "ABC":
        await labels.create(name)
    token = (await labels.page(page_size=1)).next_page_token
    for other in ({"order_by": "name desc"}, {"show_deleted": True}, {"read_mask": mask("name")}):
        assert (await failure(labels.page(page_token=token, **other))).reason == "PAGE_TOKEN_INVALID"
    page = await labels.page(page_token=token, page_size=5, skip=1, include_total_size=True)
    assert ([tag.name for tag in page.tags], page.total_size) == (["C"], 3)


async def counted(labels: Labels) -> list[Tag]:
    """Tags on 2, 0, 1, 0 and 2 contacts, the older first."""
    contacts = [contact.id for contact in await labels.book.create_many({"given_name": "A"}, {"given_name": "B"})]
    made = [(await labels.create(name)).id for name in ("émile", "Zeta", "Emil", "ÅSA", "andrea")]
    for tag_id, count in zip(made, (2, 0, 1, 0, 2), strict=True):
        if count:
            await labels.modify(contacts[:count], [tag_id])
    return [await labels.get(tag_id) for tag_id in made]


def in_order(found: list[Tag], order: str) -> list[str]:
    keys: dict[str, Any] = {
        "name": lambda tag: (["andrea", "ÅSA", "Emil", "émile", "Zeta"].index(tag.name),),
        "create_time": lambda tag: (tag.create_time.ToNanoseconds(), tag.id),
        "contact_count": lambda tag: (tag.contact_count, tag.id),
    }
    return [tag.id for tag in sorted(found, key=keys[order.split()[0]], reverse=order.endswith(" desc"))]


@pytest.mark.parametrize("order", ORDERS)
async def test_pages_of_any_size_make_the_whole_list_in_its_order(labels: Labels, order: str) -> None:
    found = await counted(labels)
    assert [tag.contact_count for tag in found] == [2, 0, 1, 0, 2]
    for size in (1, 2, 3, 1000):
        shown = [tag.id async for page in labels.pages(order_by=order, page_size=size) for tag in page]
        assert shown == in_order(found, order)
    skipped = await labels.page(order_by=order, skip=2, page_size=2)
    assert [tag.id for tag in skipped.tags] == in_order(found, order)[2:4]


async def test_without_an_order_tags_are_listed_by_name(labels: Labels) -> None:
    await counted(labels)
    assert await labels.names(page_size=2) == await labels.names(order_by="name")


@pytest.mark.parametrize("order", ORDERS)
async def test_pages_keep_their_place_while_others_write(labels: Labels, as_superuser: Connection, order: str) -> None:
    there = await many_tags(as_superuser, labels.tenant, 30)
    gone = set(there[::3])
    shown: list[str] = []
    async for page in labels.pages(order_by=order, page_size=2):
        shown += [tag.id for tag in page]
        if gone:
            await labels.delete(gone.pop())
        await labels.create(f"new {len(shown)}")
        await labels.update(there[1], description=f"edited {len(shown)}")
    assert max(Counter(shown).values()) == 1
    stayed = [tag_id for tag_id in shown if tag_id in there and tag_id not in there[::3]]
    assert sorted(stayed) == sorted(set(there) - set(there[::3]))


async def test_a_tenant_has_at_most_a_thousand_living_tags(labels: Labels, as_superuser: Connection) -> None:
    dead = await labels.create("Dead")
    await labels.delete(dead.id)
    last, *_ = await many_tags(as_superuser, labels.tenant, tags.TAGS_OF_A_TENANT)
    await labels.update(last, name="renamed")
    for call in (labels.create("one more"), labels.undelete(dead.id)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "LIMIT_REACHED")
        assert refused.metadata == {"limit": "tags of a tenant"}
    assert (await labels.get(dead.id)).HasField("delete_time")
    assert (await labels.page(include_total_size=True)).total_size == tags.TAGS_OF_A_TENANT
    await labels.delete(last)
    assert (await labels.undelete(dead.id)).name == "Dead"


async def test_the_limit_holds_in_a_race(labels: Labels, as_superuser: Connection) -> None:
    back, *_ = await many_tags(as_superuser, labels.tenant, tags.TAGS_OF_A_TENANT - 2)
    await labels.delete(back)
    found = await reasons(labels.undelete(back), *(labels.create(f"racer {i}") for i in range(9)))
    assert found == {"": 3, "LIMIT_REACHED": 7}
    assert (await labels.page(include_total_size=True)).total_size == tags.TAGS_OF_A_TENANT


async def test_of_many_creators_of_one_name_one_succeeds(labels: Labels) -> None:
    names = ["friends", "FRIENDS", "Friends", "fRiEnDs"] * 3
    assert await reasons(*(labels.create(name) for name in names)) == {"": 1, "TAG_NAME_TAKEN": 11}
    assert len(await labels.names()) == 1


async def test_of_one_who_creates_a_name_and_one_who_brings_it_back_one_succeeds(labels: Labels) -> None:
    for _ in range(5):
        made = await labels.create("Friends")
        await labels.delete(made.id)
        found = await reasons(labels.create("friends"), labels.undelete(made.id))
        assert found == {"": 1, "TAG_NAME_TAKEN": 1}
        [living] = (await labels.page()).tags
        await labels.delete(living.id)


async def test_two_tags_that_take_each_others_names_at_once_end_in_one_of_two_ways(labels: Labels) -> None:
    first, second = await labels.create("A"), await labels.create("B")
    found = await reasons(labels.update(first.id, name="B"), labels.update(second.id, name="A"))
    assert set(found) <= {"", "TAG_NAME_TAKEN", "CONCURRENT_CHANGE"}
    assert len({name.casefold() for name in await labels.names()}) == 2


async def mutations(labels: Labels) -> list[Any]:
    kept, dying, dead = [(await labels.create(name)).id for name in ("Kept", "Dying", "Dead")]
    await labels.delete(dead)
    ada = await labels.book.create(given_name="Ada")
    return [
        pb.CreateTagRequest(tag=Tag(name="New")),
        pb.UpdateTagRequest(tag=Tag(id=kept, color="#abcdef")),
        pb.DeleteTagRequest(id=dying),
        pb.DeleteTagRequest(id=NOBODY, allow_missing=True),
        pb.UndeleteTagRequest(id=dead),
        pb.ModifyContactTagsRequest(contact_ids=[ada.id], add_tag_ids=[kept]),
    ]


async def send(labels: Labels, request: Message) -> Message:
    name = type(request).__name__.removesuffix("Request")
    answer: Message = await getattr(labels.stub, name)(request, metadata=labels.tenant)
    return answer


async def test_every_mutation_happens_once_and_its_answer_repeats(labels: Labels) -> None:
    for request in await mutations(labels):
        request.request_id = new_request_id()
        first = await send(labels, request)
        before = await labels.page(show_deleted=True)
        assert await send(labels, request) == first
        assert await labels.page(show_deleted=True) == before


async def test_a_request_id_stands_for_one_body(labels: Labels) -> None:
    request_id = new_request_id()
    await labels.create("Used", request_id=request_id)
    for request in await mutations(labels):
        request.request_id = request_id
        refused = await failure(send(labels, request))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
        request.request_id = "no uuid"
        assert list((await failure(send(labels, request))).violations) == ["request_id"]


async def test_what_failed_does_not_burn_its_request_id(labels: Labels) -> None:
    taken, request_id = await labels.create("Friends"), new_request_id()
    assert (await failure(labels.create("friends", request_id=request_id))).reason == "TAG_NAME_TAKEN"
    await labels.delete(taken.id)
    assert (await labels.create("friends", request_id=request_id)).name == "friends"


async def test_every_mutation_of_a_tag_leaves_an_entry(labels: Labels, as_superuser: Connection) -> None:
    made = await labels.create("Friends", color="#aabbcc")
    await labels.update(made.id, "name", "color", name="Good friends", color="#ffffff")
    await labels.update(made.id, color="#ffffff")
    await labels.delete(made.id)
    await labels.undelete(made.id)
    await failure(labels.undelete(made.id))
    entries = await as_superuser.fetch("SELECT * FROM audit_logs WHERE subject_id = $1::uuid ORDER BY at", made.id)
    assert {(entry["table_name"], str(entry["user_id"])) for entry in entries} == {("tags", tenant_of(labels.tenant))}
    created, updated, deleted, restored = entries
    assert (created["action"], created["new_values"]) == ("INSERT", None)
    assert updated["old_values"] == {"name": "Friends", "color": "#aabbcc"}
    assert updated["new_values"] == {"name": "Good friends", "color": "#ffffff"}
    assert list(deleted["new_values"]) == ["deleted_at"]
    assert restored["new_values"] == {"deleted_at": None}
