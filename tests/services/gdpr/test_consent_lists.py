"""ListConsents: the whole history, filtered, in order and by pages."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from pmcrm.gdpr.v1.consent_pb2 import Consent, ConsentType

from tests.services.contacts.calls import NOBODY, Book, mask
from tests.services.contacts.merge_calls import merge, unmerge
from tests.services.gdpr.consent_calls import OBJECTION, PURPOSE, WITHDRAWAL, Declarations
from tests.suite import failure


async def test_a_list_is_the_whole_history_by_time(declarations: Declarations, book: Book) -> None:
    contact = await book.create(given_name="Ada")
    first = await declarations.record(contact.id)
    made = [first, await declarations.record(), await declarations.withdraw(id=first.id)]
    assert (await declarations.page()).consents == made[::-1]
    assert (await declarations.page(order_by="create_time desc")).consents == made[::-1]
    assert (await declarations.page(order_by="create_time")).consents == made


@pytest.mark.parametrize("order", ["create_time", "create_time desc"])
async def test_pages_hold_everything_once_and_keep_their_place(
    declarations: Declarations, book: Book, order: str
) -> None:
    contact = await book.create(given_name="Ada")
    made = [(await declarations.record(contact.id, note=str(i))).id for i in range(7)]
    expected = made if order == "create_time" else made[::-1]
    for arguments in ({}, {"contact_id": contact.id}):
        assert await declarations.ids(page_size=3, order_by=order, **arguments) == expected
        assert await declarations.ids(page_size=3, skip=2, order_by=order, **arguments) == expected[2:]
    page = await declarations.page(page_size=3, order_by=order, include_total_size=True)
    assert page.total_size == 7
    # What is declared meanwhile moves no page.
    await declarations.record()
    following = await declarations.page(page_size=3, order_by=order, page_token=page.next_page_token)
    assert [consent.id for consent in following.consents] == expected[3:6]


async def test_filters_all_hold(declarations: Declarations, book: Book) -> None:
    ada, grace = await book.create_many({"given_name": "Ada"}, {"given_name": "Grace"})
    hers = await declarations.record(ada.id)
    objection = await declarations.record(ada.id, type=OBJECTION)
    other = await declarations.record(ada.id, purpose="research")
    of_grace = await declarations.record(grace.id)
    own = await declarations.record()
    withdrawal = await declarations.withdraw(id=own.id)
    cases: list[tuple[dict[str, Any], list[Consent]]] = [
        ({"contact_id": ada.id}, [other, objection, hers]),
        ({"contact_id": ada.id, "purpose": PURPOSE}, [objection, hers]),
        ({"contact_id": ada.id, "purpose": PURPOSE, "type": OBJECTION}, [objection]),
        ({"contact_id": grace.id}, [of_grace]),
        ({"user_only": True}, [withdrawal, own]),
        ({"user_only": True, "type": WITHDRAWAL}, [withdrawal]),
        ({"purpose": "research"}, [other]),
        ({"type": ConsentType.CONSENT_TYPE_CONSENT}, [own, of_grace, other, hers]),
        ({"purpose": "nothing"}, []),
    ]
    for filters, expected in cases:
        page = await declarations.page(include_total_size=True, **filters)
        assert (list(page.consents), page.total_size) == (expected, len(expected))


async def test_a_mask_shows_what_it_names(declarations: Declarations) -> None:
    made = await declarations.record(note="a note")
    [shown] = (await declarations.page(read_mask=mask("purpose", "status"))).consents
    assert shown == Consent(id=made.id, purpose=PURPOSE, status=made.status)
    assert (await declarations.page(read_mask=mask("*"))).consents == [made]
    refused = await failure(declarations.page(read_mask=mask("nope")))
    assert refused.violations == {"read_mask.paths[0]": "is not a field of Consent"}


@pytest.mark.parametrize(
    ("arguments", "bad"),
    [
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"skip": 100_001}, "skip"),
        ({"order_by": "purpose"}, "order_by"),
        ({"contact_id": NOBODY, "user_only": True}, "user_only"),
        ({"contact_id": "Ada"}, "contact_id"),
        ({"purpose": "No!"}, "purpose"),
        ({"type": 77}, "type"),
    ],
)
async def test_a_list_that_cannot_be_is_refused(
    declarations: Declarations, arguments: dict[str, Any], bad: str
) -> None:
    refused = await failure(declarations.page(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(refused.violations) == {bad}


async def test_a_token_is_for_the_same_list_alone(declarations: Declarations) -> None:
    for _ in range(2):
        await declarations.record()
    token = (await declarations.page(page_size=1)).next_page_token
    for arguments in ({"page_token": token, "user_only": True}, {"page_token": "x"}):
        assert (await failure(declarations.page(**arguments))).reason == "PAGE_TOKEN_INVALID"
    assert (await failure(declarations.page(contact_id=NOBODY))).reason == "CONTACT_NOT_FOUND"


async def test_a_merged_contacts_declarations_stay_under_its_id_and_are_listed_with_the_survivors(
    declarations: Declarations, book: Book
) -> None:
    ada, twin = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada"})
    of_twin = await declarations.record(twin.id)
    of_ada = await declarations.record(ada.id)
    merged = await merge(book, ada.id, twin.id)
    since = await declarations.record(twin.id)
    assert since.contact_id == ada.id
    for contact_id in (ada.id, twin.id):
        page = await declarations.page(contact_id=contact_id, include_total_size=True)
        assert (list(page.consents), page.total_size) == ([since, of_ada, of_twin], 3)
    await unmerge(book, merged.merge_id)
    assert (await declarations.page(contact_id=twin.id)).consents == [of_twin]
    assert (await declarations.page(contact_id=ada.id)).consents == [since, of_ada]
