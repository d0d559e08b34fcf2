"""Reminders about contacts alone whose processing is restricted: kept, and neither listed nor notified of."""

from __future__ import annotations

import pytest

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.insights.restricting import restrict
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import Dispatching, Reminding
from tests.suite import Metadata, new_request_id


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    """Alice's reminders."""
    return Reminding(interactions, alice)


@pytest.fixture
def dispatching(interactions: InteractionsClient) -> Dispatching:
    return Dispatching(interactions)


async def test_nobody_is_notified_of_them_until_the_restriction_is_lifted(
    reminding: Reminding, dispatching: Dispatching, book: Book, as_superuser: Connection
) -> None:
    ada, eve = await book.create_many({"given_name": "Ada"}, {"given_name": "Eve"})
    alone = await reminding.due(title="Call Ada", contact_ids=[ada.id])
    both = await reminding.due(title="Dinner", contact_ids=[ada.id, eve.id])
    nobody = await reminding.due(title="Tidy up")
    await restrict(as_superuser, book.tenant, ada.id)
    claimed = {due.reminder.id: due.reminder for due in await dispatching.claim()}
    assert set(claimed) == {both.id, nobody.id}
    assert [contact.display_name for contact in claimed[both.id].contacts] == ["Eve"]
    assert await dispatching.claim() == []

    await restrict(as_superuser, book.tenant, ada.id, restricted=False)
    assert [due.reminder.title for due in await dispatching.claim()] == ["Call Ada"]
    assert alone.title == "Call Ada"


async def test_a_claim_that_is_repeated_after_a_restriction_tells_the_id_alone(
    reminding: Reminding, dispatching: Dispatching, book: Book, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada")
    made = await reminding.due(title="Call Ada", contact_ids=[ada.id])
    request_id = new_request_id()
    [first] = await dispatching.claim(request_id=request_id)
    assert first.reminder.title == "Call Ada"
    await restrict(as_superuser, book.tenant, ada.id)
    [again] = await dispatching.claim(request_id=request_id)
    assert (again.lease_id, again.reminder.id, again.reminder.title) == (first.lease_id, made.id, "")


async def test_all_contacts_of_a_reminder_must_be_restricted(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    ada, eve = await book.create_many({"given_name": "Ada"}, {"given_name": "Eve"})
    await reminding.create(title="Dinner", contact_ids=[ada.id, eve.id])
    await reminding.create(title="Tidy up")
    await restrict(as_superuser, book.tenant, ada.id)
    assert sorted(await reminding.titles()) == ["Dinner", "Tidy up"]
    await restrict(as_superuser, book.tenant, eve.id)
    assert await reminding.titles() == ["Tidy up"]
    assert (await reminding.page(include_total_size=True)).total_size == 1
