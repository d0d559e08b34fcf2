"""ListInteractions: timelines of contacts and of the network, filtered, in order, stable while others write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from tests.services.contacts.calls import NOBODY, Book
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import Accounts
from tests.services.interactions.interaction_calls import Log, at, taking_part
from tests.suite import failure

MEETING, EMAIL, NOTE = kinds.INTERACTION_TYPE_MEETING, kinds.INTERACTION_TYPE_EMAIL, kinds.INTERACTION_TYPE_NOTE
INBOUND = kinds.INTERACTION_DIRECTION_INBOUND


async def people(book: Book) -> list[Contact]:
    return await book.create_many(*({"given_name": name} for name in ("Ada", "Ben", "Cat")))


async def some(log: Log, who: list[Contact], count: int = 12) -> list[Interaction]:
    """Interactions of one, two or three people, the newest first: 0, 1, 2, …; created in another order."""
    wanted = [
        Interaction(
            subject=str(i),
            type=(MEETING, EMAIL, NOTE)[i % 3],
            direction=INBOUND if i % 4 == 0 else kinds.INTERACTION_DIRECTION_UNSPECIFIED,
            occur_time=at(days=i),
            participants=taking_part(*who[: i % 4]),
            thread_uid=f"thread-{i % 5}",
        )
        for i in range(count)
    ]
    made = await log.create_many(*wanted[1::2], *wanted[::2])
    return sorted(made, key=lambda interaction: int(interaction.subject))


def subjects(count: int, holds: Callable[[int], bool]) -> list[str]:
    return [str(i) for i in range(count) if holds(i)]


FILTERS: dict[str, tuple[Callable[[list[Contact]], dict[str, Any]], Callable[[int], bool]]] = {
    "none": (lambda who: {}, lambda i: True),
    "a contact": (lambda who: {"contact_id": who[1].id}, lambda i: i % 4 >= 2),
    "all of two": (lambda who: {"contact_ids_all": [who[0].id, who[2].id]}, lambda i: i % 4 == 3),
    "a contact and all of one": (
        lambda who: {"contact_id": who[0].id, "contact_ids_all": [who[1].id]},
        lambda i: i % 4 >= 2,
    ),
    "any of two": (lambda who: {"contact_ids_any": [who[1].id, who[0].id]}, lambda i: i % 4 >= 1),
    "a contact and any of one": (
        lambda who: {"contact_id": who[0].id, "contact_ids_any": [who[2].id, who[2].id.upper()]},
        lambda i: i % 4 == 3,
    ),
    "types": (lambda who: {"types": [EMAIL, NOTE]}, lambda i: i % 3 > 0),
    "a direction": (lambda who: {"direction": INBOUND}, lambda i: i % 4 == 0),
    "a thread": (lambda who: {"thread_uid": "thread-2"}, lambda i: i % 5 == 2),
    "a contact's thread": (lambda who: {"thread_uid": "thread-2", "contact_id": who[0].id}, lambda i: i in (2, 7)),
    "a contact's types": (
        lambda who: {"types": [MEETING], "contact_id": who[0].id},
        lambda i: i % 3 == 0 and i % 4 > 0,
    ),
    "no such integration": (lambda who: {"integration_id": NOBODY}, lambda i: False),
}


@pytest.mark.parametrize("order", ["", "occur_time", "create_time", "create_time desc"])
@pytest.mark.parametrize(("arguments", "holds"), FILTERS.values(), ids=FILTERS)
async def test_what_passes_a_filter_is_listed_in_order(
    log: Log, book: Book, order: str, arguments: Any, holds: Callable[[int], bool]
) -> None:
    who = await people(book)
    await some(log, who)
    expected = subjects(12, holds)
    if order.startswith("create_time"):
        expected.sort(key=lambda subject: (int(subject) % 2 == 0, int(subject)))
    if order in ("occur_time", "create_time desc"):
        expected.reverse()
    given = {"order_by": order, **arguments(who)}
    assert await log.subjects(page_size=2, **given) == expected
    page = await log.page(include_total_size=True, page_size=3, skip=1, **given)
    assert page.total_size == len(expected)
    assert [each.subject for each in page.interactions] == expected[1:4]


async def test_the_times_between_which_it_happened(log: Log, book: Book) -> None:
    who = await people(book)
    made = await some(log, who)
    for more in ({}, {"contact_ids_any": [each.id for each in who]}):
        found = await log.subjects(occur_after=made[7].occur_time, occur_before=made[4].occur_time, **more)
        assert found == [subject for subject in ("5", "6", "7") if not more or int(subject) % 4]


async def test_what_an_integration_brought(log: Log, book: Book, interactions: InteractionsClient) -> None:
    integration = await Accounts(interactions, log.tenant).create()
    ada = await book.create(given_name="Ada")
    await log.create(ada, subject="brought", integration_id=integration.id)
    await log.create(ada, subject="typed")
    for more in ({}, {"contact_id": ada.id}):
        assert await log.subjects(integration_id=integration.id, **more) == ["brought"]


async def test_a_page_keeps_its_place_while_others_write(log: Log, book: Book) -> None:
    who = await people(book)
    made = await some(log, who)
    for arguments in ({}, {"contact_id": who[0].id}, {"order_by": "create_time desc"}):
        before = [each.id async for page in log.pages(**arguments) for each in page]
        shown: list[str] = []
        async for page in log.pages(page_size=2, **arguments):
            shown += [each.id for each in page]
            await log.create(who[0], subject="newest", occur_time=at())
            await log.create(who[0], subject="oldest", occur_time=at(days=99))
        assert len(shown) == len(set(shown))
        assert [each for each in shown if each in before] == before
    deleted = made[2]
    first = await log.page(page_size=1, contact_id=who[0].id, occur_before=made[0].occur_time)
    await log.delete(deleted.id)
    rest = await log.page(
        page_size=100, contact_id=who[0].id, occur_before=made[0].occur_time, page_token=first.next_page_token
    )
    assert deleted.id not in [each.id for each in rest.interactions]


async def test_interactions_of_one_moment_are_paged_by_their_ids(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    moment = at(days=1)
    made = await log.create_many(
        *(Interaction(type=EMAIL, occur_time=moment, participants=taking_part(ada)) for _ in range(7))
    )
    for arguments in ({}, {"contact_id": ada.id}):
        shown = [each.id async for page in log.pages(page_size=2, **arguments) for each in page]
        assert shown == [each.id for each in reversed(made)]


async def test_a_contact_that_is_deleted_still_has_its_timeline(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    await log.create(ada, subject="Lunch")
    await book.delete(ada.id)
    assert await log.subjects(contact_id=ada.id) == ["Lunch"]
    assert await log.subjects() == ["Lunch"]


@pytest.mark.parametrize(
    ("arguments", "place"),
    [
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"order_by": "subject"}, "order_by"),
        ({"contact_id": "x"}, "contact_id"),
        ({"contact_ids_all": [NOBODY, "x"]}, "contact_ids_all[1]"),
        ({"contact_ids_any": ["x"]}, "contact_ids_any[0]"),
        ({"contact_ids_any": [NOBODY] * 101}, "contact_ids_any"),
        ({"types": [EMAIL, 0]}, "types[1]"),
        ({"types": [77]}, "types[0]"),
        ({"direction": 77}, "direction"),
        ({"thread_uid": "x" * 501}, "thread_uid"),
        ({"integration_id": "x"}, "integration_id"),
        ({"read_mask": {"paths": ["mood"]}}, "read_mask.paths[0]"),
    ],
    ids=str,
)
async def test_a_bad_argument_is_named(log: Log, arguments: dict[str, Any], place: str) -> None:
    refused = await failure(log.page(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [place]


async def test_contacts_that_are_not_there_are_not_found(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    for arguments in ({"contact_id": NOBODY}, {"contact_ids_all": [ada.id, NOBODY]}, {"contact_ids_any": [NOBODY]}):
        refused = await failure(log.page(**arguments))
        assert (refused.reason, refused.metadata) == ("CONTACT_NOT_FOUND", {"id": NOBODY})


async def test_a_token_of_another_list_is_refused(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    for _ in range(3):
        await log.create(ada)
    token = (await log.page(page_size=1)).next_page_token
    for arguments in ({"contact_id": ada.id}, {"order_by": "create_time"}, {"types": [EMAIL]}):
        assert (await failure(log.page(page_token=token, **arguments))).reason == "PAGE_TOKEN_INVALID"


async def test_a_mask_shows_what_it_names(log: Log, book: Book) -> None:
    await log.create(await book.create(given_name="Ada"), subject="Lunch")
    [shown] = (await log.page(read_mask={"paths": ["subject"]})).interactions
    assert shown == Interaction(id=shown.id, subject="Lunch")


async def test_a_contact_sees_only_what_it_took_part_in_while_many_write(log: Log, book: Book) -> None:
    who = await people(book)
    new = Participant(new_contact={"given_name": "New"})
    await asyncio.gather(*(log.create(who[i % 3], new, subject=who[i % 3].given_name) for i in range(30)))
    for contact in who:
        assert await log.subjects(contact_id=contact.id) == [contact.given_name] * 10
