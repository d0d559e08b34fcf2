"""Lists of organizations and of employments: orders, pages, filters, counts."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import organization_service_pb2 as pb

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY
from tests.services.contacts.organization_calls import Firms
from tests.suite import Client, Metadata, failure

# Start dates as (year, month, day), in ascending order; None is a date of which nothing is known.
BY_START: list[tuple[int, int, int] | None] = [
    (0, 0, 5),
    (0, 3, 0),
    (0, 3, 1),
    (1999, 0, 0),
    (2020, 0, 0),
    (2020, 5, 0),
    (2020, 5, 1),
    (2020, 5, 20),
    (2020, 11, 0),
    (2021, 0, 0),
    None,
]


@pytest.fixture
def firms(client: Client, alice: Metadata) -> Firms:
    return Firms(client, alice)


async def test_names_are_listed_as_a_dictionary_would(firms: Firms) -> None:
    for name in ("Zeta", "éclair", "Alpha", "eclipse", "ähre", "beta"):
        await firms.create(name)
    ordered = ["ähre", "Alpha", "beta", "éclair", "eclipse", "Zeta"]
    for size in (0, 1, 2, 5):
        assert await firms.names(page_size=size) == ordered
        assert await firms.names(page_size=size, order_by="name desc") == ordered[::-1]
    assert await firms.names(skip=4) == ordered[4:]
    renamed = (await firms.page(page_size=1)).organizations[0]
    await firms.update(renamed.id, name="Omega")
    assert await firms.names() == ["Alpha", "beta", "éclair", "eclipse", "Omega", "Zeta"]


async def test_organizations_of_one_name_are_each_listed_once(firms: Firms) -> None:
    made = {(await firms.create("Example")).id for _ in range(5)}
    for order in ("name", "name desc"):
        shown = [each.id async for page in firms.pages(page_size=2, order_by=order) for each in page]
        assert len(shown) == 5
        assert set(shown) == made
        assert shown == sorted(made, reverse=order == "name desc")


async def test_organizations_are_listed_by_time(firms: Firms) -> None:
    made = [await firms.create(name) for name in "CAB"]
    assert await firms.names(order_by="create_time", page_size=2) == ["C", "A", "B"]
    assert await firms.names(order_by="create_time desc", page_size=2) == ["B", "A", "C"]
    await firms.update(made[0].id, notes="x")
    assert await firms.names(order_by="update_time", page_size=2) == ["A", "B", "C"]
    assert await firms.names(order_by="update_time desc", page_size=1) == ["C", "B", "A"]


@pytest.mark.parametrize("order", ["name", "name desc", "create_time", "create_time desc"])
async def test_a_page_token_keeps_its_place_while_others_write(firms: Firms, order: str) -> None:
    made = [await firms.create(name) for name in ("B", "D", "F", "H")]
    first = await firms.page(page_size=2, order_by=order)
    for gone in first.organizations:
        await firms.delete(gone.id)
    await firms.create("A" if order.startswith("name") else "Z")
    second = await firms.page(page_size=10, order_by=order, page_token=first.next_page_token)
    shown = {each.id for each in (*first.organizations, *second.organizations)}
    assert shown >= {each.id for each in made}
    assert not {each.id for each in first.organizations} & {each.id for each in second.organizations}


async def test_deleted_organizations_are_listed_when_asked_for(firms: Firms) -> None:
    kept, gone = await firms.create("Kept"), await firms.create("Gone")
    await firms.delete(gone.id)
    assert await firms.names() == ["Kept"]
    page = await firms.page(show_deleted=True, include_total_size=True, read_mask={"paths": ["name"]})
    assert [(each.id, each.name) for each in page.organizations] == [(gone.id, "Gone"), (kept.id, "Kept")]
    assert page.total_size == 2
    assert (await firms.page(include_total_size=True)).total_size == 1
    assert (await firms.page()).total_size == 0


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ["Café Zürich", "Example"]),
        ("CAFE", ["Café Zürich"]),
        ("caf zur", ["Café Zürich"]),
        ("cafe\u0301", ["Café Zürich"]),
        ("kaffee cafe", ["Café Zürich"]),
        ("kaffee example", []),
        ("example.org", ["Example"]),
        ("xample", ["Example"]),
        ("nothing", []),
        ("100%", []),
    ],
)
async def test_lists_are_filtered_by_words(firms: Firms, text: str, found: list[str]) -> None:
    await firms.create("Café Zürich", aliases=["Kaffee", "Haus"], notes="nothing")
    await firms.create("Example", domains=["example.org"])
    assert await firms.names(text=text, page_size=1) == found
    assert (await firms.page(text=text, include_total_size=True)).total_size == len(found)


@pytest.mark.parametrize(
    ("domain", "found"),
    [
        ("example.org", ["A", "B"]),
        ("EXAMPLE.org", ["A", "B"]),
        ("xn--mnchen-3ya.de", ["B"]),
        ("mail.example.org", []),
        ("org", []),
    ],
)
async def test_lists_are_filtered_by_domain(firms: Firms, domain: str, found: list[str]) -> None:
    await firms.create("A", domains=["example.org"])
    await firms.create("B", domains=["münchen.de", "example.org"])
    await firms.create("C", notes="example.org")
    assert await firms.names(domain=domain, page_size=1) == found
    assert (await firms.page(domain=domain, include_total_size=True)).total_size == len(found)


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"skip": 100_001}, "skip"),
        ({"order_by": "website"}, "order_by"),
        ({"order_by": "name down"}, "order_by"),
        ({"read_mask": {"paths": ["surname"]}}, "read_mask.paths[0]"),
        ({"text": "x" * 1001}, "text"),
        ({"text": "a\0b"}, "text"),
        ({"domain": "no domain"}, "domain"),
        ({"domain": "x" * 201}, "domain"),
        ({"domain": "a\0b"}, "domain"),
    ],
)
async def test_bad_arguments_of_a_list_are_named(firms: Firms, arguments: dict[str, Any], bad: str) -> None:
    refused = await failure(firms.page(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [bad]


async def test_a_page_token_belongs_to_its_arguments(firms: Firms) -> None:
    ada = await firms.book.create(given_name="Ada")
    for name in "AB":
        await firms.employ(ada.id, (await firms.create(name)).id)
    token = (await firms.page(page_size=1)).next_page_token
    of_employments = (await firms.employments(contact_id=ada.id, page_size=1)).next_page_token
    for call in (
        firms.page(page_token=token, text="a"),
        firms.page(page_token="nonsense"),
        firms.page(page_token=of_employments),
        firms.employments(contact_id=ada.id, page_token=token),
        firms.employments(contact_id=ada.id, page_token=of_employments, tense=pb.EMPLOYMENT_TENSE_FORMER),
        firms.employments(contact_id=ada.id, page_token=of_employments, order_by="create_time"),
    ):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    assert len((await firms.page(page_token=token, page_size=5)).organizations) == 1


async def employ_by_start(firms: Firms) -> tuple[str, str]:
    """One person's employments in one organization, titled by their place in BY_START, recorded in another order."""
    ada, firm = await firms.book.create(given_name="Ada"), await firms.create()
    for i in sorted(range(len(BY_START)), key=lambda i: (i * 7) % len(BY_START)):
        date = BY_START[i]
        known: dict[str, Any] = (
            {} if date is None else {"start_date": dict(zip(("year", "month", "day"), date, strict=True))}
        )
        await firms.employ(ada.id, firm.id, job_title=str(i), **known)
    return ada.id, firm.id


@pytest.mark.parametrize("size", [1, 3, 20])
async def test_employments_are_listed_by_start_and_the_unknown_last(firms: Firms, size: int) -> None:
    ada, firm = await employ_by_start(firms)
    ascending = [str(i) for i in range(len(BY_START))]
    latest_first = [*ascending[-2::-1], ascending[-1]]
    for whose in ({"contact_id": ada}, {"organization_id": firm}, {"contact_id": ada, "organization_id": firm}):
        arguments: dict[str, Any] = {**whose, "page_size": size}
        assert await firms.titles(**arguments, order_by="start_date") == ascending
        assert await firms.titles(**arguments, order_by="start_date desc") == latest_first
        assert await firms.titles(**arguments) == latest_first


async def test_employments_that_began_at_once_are_each_listed_once(firms: Firms) -> None:
    ada, firm = await firms.book.create(given_name="Ada"), await firms.create()
    for year in (2020, 2020, None, None, None):
        await firms.employ(ada.id, firm.id, start_date={"year": year} if year else None)
    for order in ("start_date", "start_date desc"):
        shown = [
            each.id
            async for page in firms.employment_pages(contact_id=ada.id, order_by=order, page_size=1)
            for each in page
        ]
        assert len(set(shown)) == len(shown) == 5


@pytest.mark.parametrize("order", ["start_date", "start_date desc", "create_time", "create_time desc"])
async def test_a_page_of_employments_keeps_its_place_while_others_write(firms: Firms, order: str) -> None:
    ada, firm = await employ_by_start(firms)
    whole = await firms.titles(contact_id=ada, order_by=order)
    first = await firms.employments(contact_id=ada, order_by=order, page_size=4)
    for gone in first.employments:
        await firms.remove(gone.id)
    if order == "start_date":
        await firms.employ(ada, firm, job_title="new", start_date={"day": 1})
    if order == "start_date desc":
        await firms.employ(ada, firm, job_title="new", start_date={"year": 2022})
    arguments: dict[str, Any] = {"contact_id": ada, "order_by": order, "page_size": 3}
    rest = await firms.titles(**arguments, page_token=first.next_page_token)
    assert rest[:7] == whole[4:]
    assert "new" not in rest


async def test_employments_are_listed_by_when_they_were_recorded(firms: Firms) -> None:
    ada, firm = await firms.book.create(given_name="Ada"), await firms.create()
    for title, year in (("A", 2020), ("B", 2010), ("C", 2015)):
        await firms.employ(ada.id, firm.id, job_title=title, start_date={"year": year})
    for size in (1, 20):
        assert await firms.titles(contact_id=ada.id, order_by="create_time", page_size=size) == ["A", "B", "C"]
        assert await firms.titles(organization_id=firm.id, order_by="create_time desc", page_size=size) == [*"CBA"]
    assert await firms.titles(contact_id=ada.id, order_by="create_time", skip=2) == ["C"]


async def test_employments_are_those_of_the_contact_or_in_the_organization_or_both(firms: Firms) -> None:
    ada, bert = await firms.book.create(given_name="Ada"), await firms.book.create(given_name="Bert")
    first, second = await firms.create("First"), await firms.create("Second")
    for contact, firm, title in ((ada, first, "A1"), (ada, second, "A2"), (bert, first, "B1")):
        await firms.employ(contact.id, firm.id, job_title=title, start_date={"year": 2020})
    for arguments, titles in (
        ({"contact_id": ada.id}, ["A1", "A2"]),
        ({"organization_id": first.id}, ["A1", "B1"]),
        ({"contact_id": ada.id, "organization_id": first.id}, ["A1"]),
        ({"contact_id": bert.id, "organization_id": second.id}, []),
    ):
        for order in ("start_date", "start_date desc", "create_time", "create_time desc"):
            assert sorted(await firms.titles(**arguments, order_by=order, page_size=1)) == titles
        page = await firms.employments(**arguments, include_total_size=True, page_size=1)
        assert page.total_size == len(titles)


async def test_employments_are_current_or_former(firms: Firms) -> None:
    ada, firm = await firms.book.create(given_name="Ada"), await firms.create()
    await firms.employ(ada.id, firm.id, job_title="current", current=True)
    await firms.employ(ada.id, firm.id, job_title="ended", end_date={"year": 2020})
    await firms.employ(ada.id, firm.id, job_title="ended some day")
    for tense, titles in (
        (pb.EMPLOYMENT_TENSE_UNSPECIFIED, ["current", "ended", "ended some day"]),
        (pb.EMPLOYMENT_TENSE_CURRENT, ["current"]),
        (pb.EMPLOYMENT_TENSE_FORMER, ["ended", "ended some day"]),
    ):
        for order in ("start_date", "start_date desc", "create_time", "create_time desc"):
            assert sorted(await firms.titles(organization_id=firm.id, tense=tense, order_by=order)) == titles
        page = await firms.employments(contact_id=ada.id, tense=tense, include_total_size=True)
        assert page.total_size == len(titles)


async def test_what_is_deleted_or_restricted_is_left_out(firms: Firms, as_superuser: Connection) -> None:
    firm, closed = await firms.create(), await firms.create("Closed")
    people = {name: (await firms.book.create(given_name=name)).id for name in ("living", "deleted", "restricted")}
    for name, contact_id in people.items():
        await firms.employ(contact_id, firm.id, job_title=name)
    removed = await firms.employ(people["living"], firm.id, job_title="removed")
    await firms.employ(people["living"], closed.id, job_title="closed")
    await firms.remove(removed.id)
    await firms.delete(closed.id)
    await firms.book.delete(people["deleted"])
    await as_superuser.execute(
        "UPDATE contacts SET processing_restricted = true WHERE id = $1::uuid", people["restricted"]
    )

    async def listed(**arguments: Any) -> list[str]:
        everything = set()
        for order in ("start_date", "start_date desc", "create_time", "create_time desc"):
            titles = sorted(await firms.titles(**arguments, order_by=order))
            everything.add(tuple(titles))
        [titles_of_all] = everything
        assert (await firms.employments(**arguments, include_total_size=True)).total_size == len(titles_of_all)
        return list(titles_of_all)

    assert await listed(organization_id=firm.id) == ["living"]
    assert await listed(contact_id=people["living"]) == ["living"]
    assert await listed(organization_id=closed.id) == []
    assert await listed(contact_id=people["deleted"]) == []
    assert await listed(organization_id=firm.id, show_deleted=True) == ["deleted", "living", "removed"]
    assert await listed(contact_id=people["living"], show_deleted=True) == ["closed", "living", "removed"]
    assert await listed(organization_id=closed.id, show_deleted=True) == ["closed"]
    assert await listed(contact_id=people["deleted"], show_deleted=True) == ["deleted"]
    for show_deleted in (False, True):
        refused = await failure(firms.employments(contact_id=people["restricted"], show_deleted=show_deleted))
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ({}, "contact_id"),
        ({"contact_id": "42"}, "contact_id"),
        ({"organization_id": "42"}, "organization_id"),
        ({"contact_id": NOBODY, "page_size": -1}, "page_size"),
        ({"contact_id": NOBODY, "skip": -1}, "skip"),
        ({"contact_id": NOBODY, "order_by": "job_title"}, "order_by"),
        ({"contact_id": NOBODY, "tense": 3}, "tense"),
        ({"contact_id": NOBODY, "read_mask": {"paths": ["salary"]}}, "read_mask.paths[0]"),
    ],
)
async def test_bad_arguments_of_a_list_of_employments_are_named(
    firms: Firms, arguments: dict[str, Any], bad: str
) -> None:
    refused = await failure(firms.employments(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [bad]


async def test_lists_of_what_is_not_there_are_not_found(firms: Firms) -> None:
    ada, firm = await firms.book.create(given_name="Ada"), await firms.create()
    for arguments, reason in (
        ({"contact_id": NOBODY}, "CONTACT_NOT_FOUND"),
        ({"contact_id": NOBODY, "organization_id": firm.id}, "CONTACT_NOT_FOUND"),
        ({"organization_id": NOBODY}, "ORGANIZATION_NOT_FOUND"),
        ({"contact_id": ada.id, "organization_id": NOBODY}, "ORGANIZATION_NOT_FOUND"),
    ):
        refused = await failure(firms.employments(**arguments))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, reason)
        assert refused.metadata == {"id": NOBODY}


async def test_times_are_listed_to_the_microsecond(firms: Firms, as_superuser: Connection) -> None:
    """Rows of one millisecond are not shown twice nor passed over."""
    made = [await firms.create(name) for name in "ABC"]
    moment = datetime(2025, 1, 1, tzinfo=UTC)
    for i, each in enumerate(made):
        await as_superuser.execute(
            "UPDATE organizations SET created_at = $2 WHERE id = $1::uuid", each.id, moment + timedelta(microseconds=i)
        )
    assert await firms.names(order_by="create_time", page_size=1) == ["A", "B", "C"]
    assert await firms.names(order_by="create_time desc", page_size=1) == ["C", "B", "A"]
