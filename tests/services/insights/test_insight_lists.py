"""ListInsights: filters, orders, pages that keep their place, masks, counts."""

from __future__ import annotations

import math
import uuid
from datetime import timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio

from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge
from tests.services.insights.insight_calls import (
    ACTIONED,
    ANY_STATUS,
    BIRTHDAY,
    DISMISSED,
    OVERDUE,
    PENDING,
    SUPERSEDED,
    Advice,
)
from tests.services.insights.noted_rules import finding, note
from tests.suite import failure

# Title, confidence, days until it expires; of the last two ids alone decide.
FOUND = (("a", 0.9, 3), ("b", 0.1, 9), ("c", 0.5, 6), ("d", 0.7, 1), ("e", 0.3, 12), ("f", 0.3, 12))


@pytest_asyncio.fixture
async def shelf(advice: Advice, book: Book) -> Advice:
    """Insights called a to f, about one contact; found one after the other."""
    said: list[dict[str, Any]] = []
    ada = await book.create(given_name="Ada")
    for title, confidence, days in FOUND:
        said.append(finding(key=title, title=title, confidence=confidence, days=days))
        await book.update(ada.id, "notes", notes=note(*said))
        await advice.generate()
    return advice


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize(
    ("order", "titles"),
    [
        ("", "fedcba"),
        ("create_time", "abcdef"),
        ("create_time desc", "fedcba"),
        ("confidence", "befcda"),
        ("confidence desc", "adcfeb"),
        ("expire_time", "dacbef"),
        ("expire_time desc", "febcad"),
    ],
)
async def test_every_order_goes_through_all_pages(shelf: Advice, order: str, titles: str, size: int) -> None:
    assert "".join(await shelf.titles(order_by=order, page_size=size)) == titles


async def test_pages_keep_their_place_while_others_write(shelf: Advice) -> None:
    first = await shelf.page(page_size=2, order_by="confidence desc")
    await shelf.dismiss(first.insights[0].id)
    rest = await shelf.page(page_size=9, order_by="confidence desc", page_token=first.next_page_token)
    assert [insight.title for insight in rest.insights] == ["c", "f", "e", "b"]
    assert rest.next_page_token == ""


async def test_skipping_counting_and_masks(shelf: Advice) -> None:
    page = await shelf.page(page_size=2, skip=3, include_total_size=True, read_mask={"paths": ["title"]})
    assert [insight.title for insight in page.insights] == ["c", "b"]
    assert page.total_size == 6
    assert [field.name for field, _ in page.insights[0].ListFields()] == ["id", "title"]
    assert (await shelf.page(min_confidence=0.5, include_total_size=True, page_size=1)).total_size == 3


async def test_confidence_is_compared_with_what_is_stored(shelf: Advice) -> None:
    assert await shelf.titles(min_confidence=0.7) == ["d", "a"]
    assert await shelf.titles(min_confidence=math.nextafter(0.7, 1)) == ["a"]
    assert await shelf.titles(min_confidence=1) == []


async def test_statuses(shelf: Advice, book: Book) -> None:
    by_title = {insight.title: insight.id for insight in (await shelf.page()).insights}
    await shelf.action(by_title["a"])
    await shelf.dismiss(by_title["b"])
    (ada,) = (await book.page()).contacts
    await book.update(ada.id, "notes", notes=note(finding(key="c", title="c", confidence=0.5)))
    await shelf.generate()
    assert await shelf.titles() == ["c"]
    assert await shelf.titles(statuses=[PENDING]) == ["c"]
    assert await shelf.titles(statuses=[ACTIONED]) == ["a"]
    assert await shelf.titles(statuses=[DISMISSED, ACTIONED, ACTIONED]) == ["b", "a"]
    assert await shelf.titles(statuses=[SUPERSEDED]) == ["f", "e", "d"]
    assert await shelf.titles(statuses=[ANY_STATUS]) == ["f", "e", "d", "c", "b", "a"]


async def test_what_has_expired_is_shown_when_it_is_asked_for(shelf: Advice, as_superuser: Connection) -> None:
    by_title = {insight.title: insight.id for insight in (await shelf.page()).insights}
    await shelf.dismiss(by_title["b"])
    await as_superuser.execute(
        "UPDATE ai_insights SET expires_at = expires_at - $2::interval WHERE id = ANY ($1)",
        [uuid.UUID(by_title[title]) for title in "bd"],
        timedelta(days=10),
    )
    assert await shelf.titles() == ["f", "e", "c", "a"]
    assert await shelf.titles(show_expired=True) == ["f", "e", "d", "c", "a"]
    # What is settled does not expire.
    assert await shelf.titles(statuses=[DISMISSED]) == ["b"]
    assert (await shelf.page(include_total_size=True)).total_size == 4


async def test_types(advice: Advice, book: Book) -> None:
    await book.create(given_name="Ada", notes=note(finding(title="late"), finding("BIRTHDAY", title="born")))
    await advice.generate()
    assert await advice.titles(types=[BIRTHDAY]) == ["born"]
    assert sorted(await advice.titles(types=[BIRTHDAY, OVERDUE])) == ["born", "late"]
    assert sorted(await advice.titles(types=[0])) == ["born", "late"]


async def test_a_contact_by_any_of_its_ids(advice: Advice, book: Book) -> None:
    bea = await book.create(given_name="Bea", notes=note(finding(title="about Bea")))
    ada = await book.create(
        given_name="Ada", notes=note(finding(title="about Ada", evidence=[["CONTACT", bea.id, "knows her"]]))
    )
    twin = await book.create(given_name="Ada")
    await merge(book, ada.id, twin.id)
    await advice.generate()
    for key in (ada.id, twin.id, ada.id.upper()):
        assert await advice.titles(contact_id=key) == ["about Ada"]
    # Being evidence is not what an insight is about.
    assert await advice.titles(contact_id=bea.id) == ["about Bea"]
    refused = await failure(advice.page(contact_id=random_id()))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"skip": 100_001}, "skip"),
        ({"order_by": "title"}, "order_by"),
        ({"order_by": "confidence up"}, "order_by"),
        ({"types": [77]}, "types[0]"),
        ({"statuses": [PENDING, 77]}, "statuses[1]"),
        ({"contact_id": "Ada"}, "contact_id"),
        ({"min_confidence": 1.5}, "min_confidence"),
        ({"min_confidence": -0.5}, "min_confidence"),
        ({"min_confidence": math.nan}, "min_confidence"),
        ({"read_mask": {"paths": ["words"]}}, "read_mask.paths[0]"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_malformed_requests_are_refused(advice: Advice, arguments: dict[str, Any], field: str) -> None:
    refused = await failure(advice.page(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]


async def test_a_token_is_for_the_same_arguments(shelf: Advice) -> None:
    token = (await shelf.page(page_size=1)).next_page_token
    for changed in ({"min_confidence": 0.5}, {"order_by": "confidence"}, {"show_expired": True}, {"types": [OVERDUE]}):
        refused = await failure(shelf.page(page_token=token, **changed))
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "PAGE_TOKEN_INVALID")
    assert (await shelf.page(page_token=token, page_size=3)).insights[0].title == "e"
