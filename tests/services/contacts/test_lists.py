"""ListContacts: orders, filters, sizes, masks, and each failure that it promises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import grpc
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection
from tests.services.contacts.calls import Book, mask
from tests.suite import failure

MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)


def day(number: int) -> datetime:
    return MONDAY + timedelta(days=number)


async def set_last_contacts(conn: Connection, last: dict[str, datetime | None]) -> None:
    """What the interactions service will do, by id."""
    for contact_id, at in last.items():
        await conn.execute("UPDATE contact_strengths SET last_contact_at = $2 WHERE contact_id = $1", contact_id, at)


async def test_without_an_order_contacts_are_sorted_by_name_as_a_reader_expects(book: Book) -> None:
    names = ["Zeta", "émile", "Emil", "Ångström", "andrea", "ÅSA", "Çelik", "Denis"]
    await book.create_many(*({"display_name": name} for name in names))
    in_order = ["andrea", "Ångström", "ÅSA", "Çelik", "Denis", "Emil", "émile", "Zeta"]
    assert await book.names() == in_order
    assert await book.names(order_by="name desc") == in_order[::-1]


async def test_phonetic_names_sort_where_there_are_some(book: Book) -> None:
    await book.create_many({"display_name": "Beta"}, {"display_name": "山田", "phonetic_family_name": "Alpha"})
    assert await book.names() == ["山田", "Beta"]


@pytest.mark.parametrize(
    ("order", "backwards"), [("create_time", False), ("create_time asc", False), ("create_time desc", True)]
)
async def test_by_creation_the_oldest_is_first(book: Book, order: str, backwards: bool) -> None:
    names = ["C", "A", "B"]
    for name in names:
        await book.create(given_name=name)
    assert await book.names(order_by=order) == (names[::-1] if backwards else names)


async def test_by_last_contact_those_never_contacted_are_the_longest_ago(book: Book, as_superuser: Connection) -> None:
    a, _, c, _ = await book.create_many(*({"given_name": name} for name in "ABCD"))
    await set_last_contacts(as_superuser, {a.id: day(2), c.id: day(1)})
    assert await book.names(order_by="last_contact_time") == ["B", "D", "C", "A"]
    assert await book.names(order_by="last_contact_time desc") == ["A", "C", "D", "B"]


async def test_by_strength_the_weakest_is_first_and_ids_break_ties(book: Book) -> None:
    strengths = {"A": 9, "B": 2, "C": 9, "D": 0}
    await book.create_many(*({"given_name": n, "relationship_strength": s} for n, s in strengths.items()))
    assert await book.names(order_by="relationship_strength") == ["D", "B", "A", "C"]
    assert await book.names(order_by="relationship_strength desc", page_size=1) == ["C", "A", "B", "D"]


@pytest.mark.parametrize(
    "order", ["id", "names", "name,create_time", "name DESC", "name desc desc", "desc", "name; DROP TABLE contacts"]
)
async def test_an_unknown_order_is_refused(book: Book, order: str) -> None:
    refused = await failure(book.page(order_by=order))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == ["order_by"]


async def test_a_page_has_twenty_contacts_unless_asked_otherwise(book: Book) -> None:
    made = await book.create_many(*({"given_name": f"{i:04}"} for i in range(25)))
    assert [len(page) async for page in book.pages()] == [20, 5]
    assert [len(page) async for page in book.pages(page_size=25)] == [25]
    assert [len(page) async for page in book.pages(page_size=24)] == [24, 1]
    assert list((await book.page(page_size=1000)).contacts) == made


async def test_a_page_has_at_most_a_thousand(book: Book, as_superuser: Connection) -> None:
    await book.create_many(*({"given_name": f"{i:04}"} for i in range(1000)))
    await book.create(given_name="last")
    for size in (1001, 2**31 - 1):
        assert [len(page) async for page in book.pages(page_size=size, read_mask=mask("id"))] == [1000, 1]


@pytest.mark.parametrize("field", ["page_size", "skip"])
@pytest.mark.parametrize("value", [-1, -(2**31)])
async def test_negative_sizes_are_refused(book: Book, field: str, value: int) -> None:
    refused = await failure(book.page(**{field: value}))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]


async def test_skip_passes_over_from_where_the_page_begins(book: Book) -> None:
    await book.create_many(*({"given_name": name} for name in "ABCDEFGH"))
    first = await book.page(page_size=2, skip=1)
    assert [contact.given_name for contact in first.contacts] == ["B", "C"]
    second = await book.page(page_size=2, skip=2, page_token=first.next_page_token)
    assert [contact.given_name for contact in second.contacts] == ["F", "G"]
    assert (await book.page(skip=8)) == (await book.page(skip=100_000)) == type(first)()
    assert list((await failure(book.page(skip=100_001))).violations) == ["skip"]


async def test_the_total_is_counted_when_asked_for_and_over_all_pages(book: Book) -> None:
    made = await book.create_many(*({"given_name": name} for name in "ABCDE"))
    await book.delete(made[0].id)
    assert (await book.page()).total_size == 0
    first = await book.page(page_size=2, include_total_size=True)
    second = await book.page(page_size=2, include_total_size=True, page_token=first.next_page_token)
    assert (first.total_size, second.total_size) == (4, 4)
    assert (await book.page(include_total_size=True, show_deleted=True, text="a")).total_size == 1


async def test_deleted_and_restricted_contacts_are_shown_when_asked_for(book: Book, as_superuser: Connection) -> None:
    a, b, _ = await book.create_many(*({"given_name": name} for name in "ABC"))
    await book.delete(a.id)
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", b.id)
    assert await book.names() == ["C"]
    assert await book.names(show_deleted=True) == ["A", "C"]
    assert await book.names(show_restricted=True) == ["B", "C"]
    assert await book.names(show_restricted=True, show_deleted=True) == ["A", "B", "C"]


async def test_a_read_mask_shows_the_id_and_what_it_names(book: Book) -> None:
    made = await book.create(given_name="Ada", birthday={"year": 1815, "month": 12})
    for order in ("name", "last_contact_time"):
        [shown] = (await book.page(read_mask=mask("birthday.year"), order_by=order)).contacts
        assert shown == Contact(id=made.id, birthday={"year": 1815})


async def test_only_contacts_of_at_least_a_strength_are_listed(book: Book) -> None:
    await book.create_many(*({"given_name": f"{s:02}", "relationship_strength": s} for s in (1, 5, 6, 10)))
    assert await book.names(min_relationship_strength=6) == ["06", "10"]
    assert await book.names(min_relationship_strength=0) == await book.names(min_relationship_strength=1)


@pytest.mark.parametrize("strength", [-1, 11, 40_000, 2**31 - 1])
async def test_a_strength_out_of_range_is_refused(book: Book, strength: int) -> None:
    refused = await failure(book.page(min_relationship_strength=strength))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["min_relationship_strength"])


async def test_last_contact_filters_take_from_and_leave_to(book: Book, as_superuser: Connection) -> None:
    made = await book.create_many(*({"given_name": name} for name in "ABCD"))
    await set_last_contacts(as_superuser, {contact.id: day(i) for i, contact in enumerate(made[:3])})
    assert await book.names(last_contact_after=day(1)) == ["B", "C"]
    assert await book.names(last_contact_before=day(1)) == ["A"]
    assert await book.names(last_contact_after=day(1), last_contact_before=day(2)) == ["B"]
    ever = {
        "last_contact_after": Timestamp(seconds=-62135596800),
        "last_contact_before": Timestamp(seconds=253402300799),
    }
    assert await book.names(**ever) == ["A", "B", "C"]


@pytest.mark.parametrize("field", ["last_contact_after", "last_contact_before"])
@pytest.mark.parametrize(("seconds", "nanos"), [(2**62, 0), (-(2**62), 0), (253402300800, 0), (0, -1), (0, 10**9)])
async def test_a_time_that_is_none_is_refused(book: Book, field: str, seconds: int, nanos: int) -> None:
    refused = await failure(book.page(**{field: Timestamp(seconds=seconds, nanos=nanos)}))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


@pytest.fixture
async def people(book: Book) -> Book:
    await book.create_many(
        {"display_name": "Émile Zola", "nickname": "Mimi", "emails": [{"value": "emile@example.org"}]},
        {"display_name": "ПЁТР Straße", "organization_name": "100% Acme_Corp"},
        {"display_name": "100 Acmes", "emails": [{"value": "a%b@example.com"}, {"value": "c@example.com"}]},
        {"display_name": '각하 O\'Brien \\ "quoted"'},
    )
    return book


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("zola", 1), ("ZOLA émile", 1), ("emile  ZOLA", 1), ("Émile", 1), ("zol", 1), ("zola nobody", 0), ("mimi", 1),
        ("пётр", 1), ("петр", 1), ("strasse", 1), ("example", 2), ("@EXAMPLE.org", 1), ("acme", 2), ("   ", 4),
        ("\t\n", 4), ("\u1100\u1161\u11a8\u1112\u1161", 1), ("emi\u0301le", 1),
        ("%", 2), ("_", 1), ("100%", 1), ("acme_", 1), ("acme%", 0), ("\\", 1), ('"', 1), ("'", 1), (",", 0), ("[", 0),
        ("각하", 1), ("zolaemile", 0), ("'; DROP TABLE contacts; --", 0), ("$1", 0), ("notes", 0),
    ],
)  # fmt: skip
async def test_text_must_occur_word_by_word_as_it_is(people: Book, text: str, found: int) -> None:
    assert len(await people.names(text=text)) == found
    assert (await people.page(text=text, include_total_size=True)).total_size == found


@pytest.mark.parametrize("text", ["a" * 1001, "a\0", "a" + "\u0301" * 31])
async def test_text_that_is_none_is_refused(book: Book, text: str) -> None:
    refused = await failure(book.page(text=text))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", ["text"])


async def test_filters_that_are_given_all_hold(book: Book, as_superuser: Connection) -> None:
    made = await book.create_many(*({"given_name": f"Ada {s}", "relationship_strength": s} for s in (3, 6, 9)))
    await set_last_contacts(as_superuser, {contact.id: day(i) for i, contact in enumerate(made)})
    arguments = {"text": "ada", "min_relationship_strength": 6, "last_contact_before": day(2)}
    for order in ("name", "create_time desc", "last_contact_time", "relationship_strength desc"):
        assert await book.names(order_by=order, **arguments) == ["Ada 6"]


async def test_an_empty_address_book_has_one_empty_page(book: Book) -> None:
    page = await book.page(include_total_size=True)
    assert (list(page.contacts), page.next_page_token, page.total_size) == ([], "", 0)
