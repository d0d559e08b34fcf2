"""Page tokens of ListContacts: each page follows the last one, whatever others write; a token opens nothing else."""

from __future__ import annotations

import asyncio
import base64
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import grpc
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.keys import KeyRing
from shared.pages import PageTokens
from tests.postgres import Connection
from tests.services.contacts.calls import Book, mask
from tests.suite import PAGE_KEYS, Client, Metadata, failure, tenant_of

KEYS = ("name", "create_time", "last_contact_time", "relationship_strength")
ORDERS = [*KEYS, *(f"{key} desc" for key in KEYS)]


def sort_key(contact: Contact, order: str) -> tuple[Any, str]:
    """What a list in this order sorts a contact by, written anew."""
    keys: dict[str, Any] = {
        "name": contact.display_name.lower(),
        "create_time": contact.create_time.ToNanoseconds(),
        "last_contact_time": contact.last_contact_time.ToNanoseconds() if contact.HasField("last_contact_time") else -1,
        "relationship_strength": contact.relationship_strength,
    }
    return keys[order.split()[0]], contact.id


def in_order(contacts: list[Contact], order: str) -> list[Contact]:
    return sorted(contacts, key=lambda contact: sort_key(contact, order), reverse=order.endswith(" desc"))


async def crowd(book: Book, conn: Connection, seed: int = 1) -> list[Contact]:
    """Sixty contacts with many ties in every order, and many that were never contacted."""
    chance = random.Random(seed)
    made: list[Contact] = []
    for _ in range(3):  # batches, since contacts of one batch have one create_time
        batch = [
            {
                "display_name": chance.choice(("Ada", "ada", "Bob", "Zoe", "山田")),
                "relationship_strength": chance.randint(0, 3),
            }
            for _ in range(20)
        ]
        made += await book.create_many(*batch)
    times = [datetime(2026, 3, day, tzinfo=UTC) + timedelta(microseconds=1) for day in (1, 2)]
    for contact in chance.sample(made, 30):
        await conn.execute(
            "UPDATE contact_strengths SET last_contact_at = $2 WHERE contact_id = $1", contact.id, chance.choice(times)
        )
    return list((await book.get_many(*(contact.id for contact in made))).contacts)


@pytest_asyncio.fixture(scope="module")
async def crowded(client: Client, database: Any) -> tuple[Book, list[Contact]]:
    book = Book(client, await client.new_tenant())
    async with database.connect() as conn:
        return book, await crowd(book, conn)


@pytest.mark.parametrize("order", ORDERS)
@given(
    sizes=st.lists(st.integers(1, 30), min_size=1, max_size=60),
    skips=st.lists(st.integers(0, 3), min_size=60, max_size=60),
)
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
async def test_pages_of_any_sizes_make_the_whole_list(
    crowded: tuple[Book, list[Contact]], order: str, sizes: list[int], skips: list[int]
) -> None:
    book, contacts = crowded
    expected = [contact.id for contact in in_order(contacts, order)]
    shown: list[str] = []
    left_out: list[str] = []
    token, turn = "", 0
    while turn == 0 or token:
        skip = skips[turn % len(skips)]
        page = await book.page(
            order_by=order, page_size=sizes[turn % len(sizes)], page_token=token, skip=skip, read_mask=mask("id")
        )
        position = len(shown) + len(left_out)
        left_out += expected[position : position + skip]
        shown += [contact.id for contact in page.contacts]
        token, turn = page.next_page_token, turn + 1
    assert shown == [contact_id for contact_id in expected if contact_id not in left_out]


@pytest.mark.parametrize(
    "filters",
    [{"text": "ada"}, {"min_relationship_strength": 2}, {"last_contact_after": datetime(2026, 3, 2, tzinfo=UTC)}],
)
@pytest.mark.parametrize("order", ORDERS)
async def test_pages_of_a_filtered_list_make_the_whole_of_it(
    crowded: tuple[Book, list[Contact]], order: str, filters: dict[str, Any]
) -> None:
    book, _ = crowded
    whole = list((await book.page(order_by=order, page_size=1000, **filters)).contacts)
    assert whole == in_order(whole, order)
    assert 0 < len(whole) < 60
    assert [contact async for page in book.pages(order_by=order, page_size=7, **filters) for contact in page] == whole


@pytest.mark.parametrize("order", ORDERS)
async def test_pages_keep_their_place_while_others_write(book: Book, as_superuser: Connection, order: str) -> None:
    there = await crowd(book, as_superuser)
    chance = random.Random(2)
    deleted: set[str] = set()
    stopped = asyncio.Event()

    async def write() -> None:
        while not stopped.is_set():
            await book.create(
                display_name=chance.choice(("Aaa", "Ada", "Bob", "Zzz")), relationship_strength=chance.randint(1, 9)
            )
            victim = chance.choice(there)
            if victim.id not in deleted and len(deleted) < 20:
                deleted.add(victim.id)
                await book.delete(victim.id)
            edited = chance.choice(there)
            if edited.id not in deleted:
                await book.update(edited.id, notes="edited")

    writer = asyncio.create_task(write())
    shown = [
        contact.id async for page in book.pages(order_by=order, page_size=2, read_mask=mask("id")) for contact in page
    ]
    stopped.set()
    await writer
    assert deleted, "nothing was written meanwhile"
    assert max(Counter(shown).values()) == 1
    stayed = [contact.id for contact in in_order(there, order) if contact.id not in deleted]
    assert [contact_id for contact_id in shown if contact_id in stayed] == stayed


async def test_a_page_begins_after_a_contact_that_was_deleted_meanwhile(book: Book) -> None:
    await book.create_many(*({"given_name": name} for name in "ABCD"))
    for order in ORDERS:
        first = await book.page(page_size=2, order_by=order)
        await book.delete(first.contacts[1].id)
        second = await book.page(page_size=2, order_by=order, page_token=first.next_page_token)
        shown = [contact.given_name for contact in (*first.contacts, *second.contacts)]
        assert shown == (["D", "C", "B", "A"] if order.endswith("desc") else ["A", "B", "C", "D"])
        await book.undelete(first.contacts[1].id)


async def token_of(book: Book, **arguments: Any) -> str:
    await book.create_many(*({"given_name": name} for name in "ABC"))
    return (await book.page(page_size=1, **arguments)).next_page_token


async def refuses(book: Book, **arguments: Any) -> None:
    refused = await failure(book.page(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    assert list(refused.violations) == ["page_token"]


async def test_a_token_that_was_changed_is_refused(book: Book) -> None:
    token = await token_of(book)
    for at in range(len(token)):
        await refuses(book, page_token=token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :])
    await book.page(page_token=token)


@pytest.mark.parametrize(
    "token",
    [
        "A",
        "AA",
        "é",
        "====",
        " ",
        "AmsxAAAA",
        "\0",
        "../../etc",
        "AmsxAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
        "x" * 10_000,
    ],
)
async def test_what_is_no_token_is_refused(book: Book, token: str) -> None:
    await refuses(book, page_token=token)


async def test_a_token_that_was_cut_or_lengthened_is_refused(book: Book) -> None:
    token = await token_of(book)
    for cut in (1, 2, 4, 20, len(token) - 1):
        await refuses(book, page_token=token[:-cut])
    for end in ("A", "AAAA", "=", " "):
        await refuses(book, page_token=token + end)


@pytest.mark.parametrize(
    "other",
    [
        {"order_by": "name desc"}, {"order_by": "create_time"}, {"show_deleted": True}, {"show_restricted": True},
        {"text": "a"}, {"min_relationship_strength": 1}, {"read_mask": mask("notes")},
        {"last_contact_after": datetime(2026, 1, 1, tzinfo=UTC)},
        {"last_contact_before": datetime(2026, 1, 1, tzinfo=UTC)},
    ],
)  # fmt: skip
async def test_a_token_belongs_to_the_arguments_that_it_was_made_for(book: Book, other: dict[str, Any]) -> None:
    await refuses(book, page_token=await token_of(book), **other)
    await book.page(page_token=await token_of(book, **other), **other)


async def test_a_token_lets_page_size_skip_and_total_change(book: Book) -> None:
    page = await book.page(page_token=await token_of(book), page_size=5, skip=1, include_total_size=True)
    assert ([contact.given_name for contact in page.contacts], page.total_size) == (["C"], 3)


async def test_a_token_belongs_to_its_tenant(book: Book, bobs: Book) -> None:
    mine, theirs = await token_of(book), await token_of(bobs)
    await refuses(bobs, page_token=mine)
    await refuses(book, page_token=theirs)
    assert len((await book.page(page_token=mine)).contacts) == 2


async def test_a_token_belongs_to_its_call(book: Book) -> None:
    [made] = await book.create_many({"given_name": "Ada"})
    tokens = PageTokens(KeyRing.parse(PAGE_KEYS))
    tenant = tenant_of(book.tenant)

    def seal(request: Any) -> str:
        return tokens.seal(request, UUID(tenant), ["", made.id])

    await refuses(book, page_token=seal(pb.ListContactLinksRequest()))
    await book.page(page_token=seal(pb.ListContactsRequest()))


async def test_a_token_of_a_retired_key_goes_on_working_and_of_an_unknown_one_does_not(
    book: Book, alice: Metadata
) -> None:
    token = await token_of(book)
    foreign = PageTokens(KeyRing.parse("k1:" + "B" * 43 + "="))
    rotated = PageTokens(KeyRing.parse("k2:" + "C" * 43 + "=," + PAGE_KEYS))
    request = pb.ListContactsRequest(page_token=token)
    assert rotated.read(request, UUID(tenant_of(alice))).after
    await refuses(
        book, page_token=foreign.seal(pb.ListContactsRequest(), UUID(tenant_of(alice)), ["", tenant_of(alice)])
    )


async def test_a_token_tells_nothing_about_a_contact(book: Book) -> None:
    await book.create_many(*({"display_name": name} for name in ("Secretname", "Zoe")))
    token = (await book.page(page_size=1)).next_page_token
    assert b"secretname" not in base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)).lower()
