"""Lists of reminders: orders, filters, and pages that hold their place."""

from __future__ import annotations

from typing import Any

import pytest
from pmcrm.interactions.v1.reminder_pb2 import Reminder

from tests.services.contacts.calls import Book
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import (
    ACTIVE,
    BIRTHDAY,
    COMPLETED,
    GENERAL,
    HIGH,
    KEEP_IN_TOUCH,
    LOW,
    NORMAL,
    URGENT,
    Reminding,
    stamp,
    when,
)
from tests.suite import Metadata, failure

# Title, due, priority, in the order of their creation.
KEPT = [
    ("Émile", "2030-03-01T09:00:00", HIGH),
    ("anna", "2030-01-01T09:00:00", LOW),
    ("Zoe", "2030-02-01T09:00:00", URGENT),
    ("berta", "2030-02-01T09:00:00", NORMAL),
]
DONE = ("Done", "2029-01-01T09:00:00", URGENT)


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    return Reminding(interactions, alice)


async def keep(reminding: Reminding) -> dict[str, Reminder]:
    kept = {}
    for title, due_local, priority in (KEPT[0], DONE, *KEPT[1:]):
        kept[title] = await reminding.create(title=title, due_local=due_local, priority=priority)
    kept["Done"] = await reminding.complete(kept["Done"].id)
    return kept


@pytest.mark.parametrize(
    ("order", "expected"),
    [
        ("", ["anna", "Zoe", "berta", "Émile", "Done"]),
        ("next_due_time", ["anna", "Zoe", "berta", "Émile", "Done"]),
        ("next_due_time desc", ["Émile", "berta", "Zoe", "anna", "Done"]),
        ("create_time", ["Émile", "anna", "Zoe", "berta", "Done"]),
        ("create_time desc", ["berta", "Zoe", "anna", "Émile", "Done"]),
        ("priority", ["anna", "berta", "Émile", "Zoe", "Done"]),
        ("priority desc", ["Zoe", "Émile", "berta", "anna", "Done"]),
        ("title", ["anna", "berta", "Émile", "Zoe", "Done"]),
        ("title desc", ["Zoe", "Émile", "berta", "anna", "Done"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 50])
async def test_what_has_nothing_left_comes_last_in_every_order(
    reminding: Reminding, order: str, expected: list[str], size: int
) -> None:
    await keep(reminding)
    assert await reminding.titles(order_by=order, page_size=size) == expected


async def test_filters_all_hold(reminding: Reminding, book: Book) -> None:
    kept = await keep(reminding)
    ada = await book.create(given_name="Ada", keep_in_touch_days=9_000 // 3)
    await reminding.create(title="ada", kind=KEEP_IN_TOUCH, contact_ids=[ada.id], priority=HIGH)
    await reminding.create(title="born", kind=BIRTHDAY, contact_ids=[ada.id])
    due = stamp(when(kept["Zoe"].next_due_time))
    cases: list[tuple[dict[str, Any], set[str]]] = [
        ({"contact_id": ada.id}, {"ada", "born"}),
        ({"status": COMPLETED}, {"Done"}),
        ({"status": ACTIVE, "kinds": [GENERAL]}, {"Émile", "anna", "Zoe", "berta"}),
        ({"kinds": [BIRTHDAY, KEEP_IN_TOUCH]}, {"ada", "born"}),
        ({"min_priority": HIGH}, {"Émile", "Zoe", "Done", "ada"}),
        ({"min_priority": HIGH, "contact_id": ada.id}, {"ada"}),
        ({"due_after": due, "kinds": [GENERAL]}, {"Zoe", "berta", "Émile"}),
        ({"due_before": due}, {"anna"}),
        ({"due_after": due, "due_before": due}, set()),
    ]
    for filters, expected in cases:
        assert set(await reminding.titles(page_size=2, **filters)) == expected, filters
        page = await reminding.page(page_size=1, include_total_size=True, **filters)
        assert page.total_size == len(expected), filters


async def test_deleted_ones_are_listed_when_asked_for(reminding: Reminding) -> None:
    kept = await keep(reminding)
    await reminding.delete(kept["Zoe"].id)
    assert "Zoe" not in await reminding.titles()
    assert "Zoe" in await reminding.titles(show_deleted=True)


async def test_a_page_keeps_its_place_while_others_write(reminding: Reminding) -> None:
    await keep(reminding)
    first = await reminding.page(page_size=2)
    assert [reminder.title for reminder in first.reminders] == ["anna", "Zoe"]
    await reminding.create(title="New", due_local="2029-06-01T09:00:00")
    await reminding.delete(first.reminders[1].id)
    rest = await reminding.page(page_size=9, page_token=first.next_page_token)
    assert ([reminder.title for reminder in rest.reminders], rest.next_page_token) == (["berta", "Émile", "Done"], "")


async def test_skipping_and_masks(reminding: Reminding) -> None:
    await keep(reminding)
    page = await reminding.page(skip=3, page_size=1, read_mask={"paths": ["title"]})
    assert [(reminder.title, reminder.due_local) for reminder in page.reminders] == [("Émile", "")]


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("page_size", {"page_size": -1}),
        ("skip", {"skip": -1}),
        ("skip", {"skip": 100_001}),
        ("order_by", {"order_by": "colour"}),
        ("order_by", {"order_by": "title, priority"}),
        ("read_mask.paths[0]", {"read_mask": {"paths": ["colour"]}}),
        ("contact_id", {"contact_id": "x"}),
        ("status", {"status": 9}),
        ("kinds[1]", {"kinds": [1, 9]}),
        ("min_priority", {"min_priority": 9}),
        ("due_after", {"due_after": {"seconds": 10**15}}),
    ],
)
async def test_what_is_malformed_is_refused(reminding: Reminding, field: str, arguments: dict[str, Any]) -> None:
    refused = await failure(reminding.page(**arguments))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_a_token_is_good_for_its_own_arguments_alone(reminding: Reminding) -> None:
    await keep(reminding)
    token = (await reminding.page(page_size=1)).next_page_token
    for arguments in ({"order_by": "title"}, {"min_priority": HIGH}, {"show_deleted": True}):
        assert (await failure(reminding.page(page_token=token, **arguments))).reason == "PAGE_TOKEN_INVALID"
    assert (await failure(reminding.page(page_token="x"))).reason == "PAGE_TOKEN_INVALID"
