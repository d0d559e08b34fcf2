"""Contacts show what holds by their declarations, wherever a contact is answered and whatever becomes of it."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection, bound
from tests.services.contacts.calls import Book, mask
from tests.services.contacts.merge_calls import exports, merge, unmerge
from tests.services.gdpr.consent_calls import (
    EXPIRED,
    GRANTED,
    OBJECTED,
    OBJECTION,
    PURPOSE,
    UNSAID,
    WITHDRAWN,
    Declarations,
    a_time,
)
from tests.suite import Client, tenant_of


async def states(book: Book, contact_id: str) -> dict[str, int]:
    return dict((await book.get(contact_id)).consent_state)


async def test_a_contact_shows_what_holds_by_purpose(declarations: Declarations, book: Book) -> None:
    ada, grace = await book.create_many({"given_name": "Ada"}, {"given_name": "Grace"})
    await declarations.record(purpose="of-the-user")
    await declarations.record(ada.id, purpose="one")
    await declarations.record(ada.id, purpose="two", type=OBJECTION)
    await declarations.record(ada.id, purpose="three")
    await declarations.withdraw(contact_id=ada.id, purpose="three")
    await declarations.record(ada.id, purpose="four", type=OBJECTION)
    await declarations.withdraw(contact_id=ada.id, purpose="four")
    expected = {"one": GRANTED, "two": OBJECTED, "three": WITHDRAWN}
    shown = await book.get(ada.id)
    assert dict(shown.consent_state) == expected
    assert dict((await book.get(grace.id)).consent_state) == {}
    # It is no change of the contact that somebody may be editing.
    assert (shown.etag, shown.update_time) == (ada.etag, ada.update_time)
    assert [dict(c.consent_state) for c in (await book.page(order_by="name")).contacts] == [expected, {}]


async def test_every_answer_with_a_contact_has_its_state(declarations: Declarations, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    await declarations.record(ada.id)
    expected = {PURPOSE: GRANTED}
    search = pb.SearchContactsRequest(query="ada")
    found = await book.stub.SearchContacts(search, metadata=book.tenant)
    answers = [
        *(await book.page()).contacts,
        *(await book.get_many(ada.id)).contacts,
        *(result.contact for result in found.results),
        await book.update(ada.id, nickname="A", consent_state={PURPOSE: OBJECTED}),
        await book.delete(ada.id),
        await book.undelete(ada.id),
    ]
    assert [dict(contact.consent_state) for contact in answers] == [expected] * 6


async def test_a_mask_names_the_state_or_leaves_it_out(declarations: Declarations, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    await declarations.record(ada.id)
    assert await book.get(ada.id, "consent_state") == Contact(id=ada.id, consent_state={PURPOSE: GRANTED})
    assert await book.get(ada.id, "given_name") == Contact(id=ada.id, given_name="Ada")
    [listed] = (await book.page(read_mask=mask("consent_state"))).contacts
    assert listed == Contact(id=ada.id, consent_state={PURPOSE: GRANTED})


async def test_a_permission_shows_as_expired_when_its_time_has_passed(
    declarations: Declarations, book: Book, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada")
    await declarations.record(ada.id, expire_time=a_time(datetime.now(UTC) + timedelta(days=1)))
    assert await states(book, ada.id) == {PURPOSE: GRANTED}
    async with bound(as_superuser, uuid.UUID(tenant_of(book.tenant))) as conn:
        await conn.execute("UPDATE consent_states SET expires_at = now() WHERE contact_id = $1", ada.id)
    assert await states(book, ada.id) == {PURPOSE: EXPIRED}


async def test_a_merge_joins_what_was_declared_and_its_undoing_parts_it(declarations: Declarations, book: Book) -> None:
    ada, twin = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada"})
    await declarations.record(ada.id)
    await declarations.record(twin.id, type=OBJECTION)
    await declarations.record(twin.id, purpose="research")
    before = [await states(book, contact.id) for contact in (ada, twin)]
    merged = await merge(book, ada.id, twin.id)
    joined = {PURPOSE: OBJECTED, "research": GRANTED}
    assert dict(merged.contact.consent_state) == joined
    assert await states(book, twin.id) == joined
    for contact_id in (ada.id, twin.id):
        assert [await declarations.status(contact_id, purpose) for purpose in joined] == list(joined.values())
    undone = await unmerge(book, merged.merge_id)
    answered = [dict(contact.consent_state) for contact in (undone.contact, *undone.restored_contacts)]
    assert answered == before
    assert [await states(book, contact.id) for contact in (ada, twin)] == before
    assert [await declarations.status(contact.id) for contact in (ada, twin)] == [GRANTED, OBJECTED]


async def test_no_withdrawal_is_lost_when_a_merge_is_undone(declarations: Declarations, book: Book) -> None:
    ada, twin = await book.create_many({"given_name": "Ada"}, {"given_name": "Ada"})
    await declarations.record(ada.id)
    of_twin = await declarations.record(twin.id)
    merged = await merge(book, ada.id, twin.id)
    withdrawn = await declarations.withdraw(contact_id=ada.id, purpose=PURPOSE)
    assert (withdrawn.contact_id, withdrawn.withdrawn_consent_id) == (ada.id, of_twin.id)
    await unmerge(book, merged.merge_id)
    for contact in (ada, twin):
        assert await declarations.status(contact.id) == WITHDRAWN
        assert await states(book, contact.id) == {PURPOSE: WITHDRAWN}


async def test_an_objection_withdrawn_while_merged_leaves_what_either_had(
    declarations: Declarations, book: Book
) -> None:
    ada, twin, third = await book.create_many(*({"given_name": "Ada"} for _ in range(3)))
    await declarations.record(ada.id)
    await declarations.record(twin.id, type=OBJECTION)
    merged = await merge(book, ada.id, twin.id)
    again = await merge(book, third.id, ada.id)
    assert await states(book, third.id) == {PURPOSE: OBJECTED}
    await declarations.withdraw(contact_id=twin.id, purpose=PURPOSE)
    assert await states(book, third.id) == {PURPOSE: GRANTED}
    await unmerge(book, again.merge_id)
    await unmerge(book, merged.merge_id)
    for contact, expected in ((ada, GRANTED), (twin, UNSAID), (third, UNSAID)):
        assert await declarations.status(contact.id) == expected
        assert await states(book, contact.id) == ({PURPOSE: expected} if expected else {})


async def test_files_hold_contacts_as_before(declarations: Declarations, book: Book, client: Client) -> None:
    ada = await book.create(given_name="Ada")
    before = await exports(client, book)
    await declarations.record(ada.id)
    assert await exports(client, book) == before
