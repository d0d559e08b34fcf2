"""Who takes part: contacts that are there, contacts that come into being, merged, deleted and restricted ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from shared.contact_record import COLUMNS_OF_FIELD
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.organization_calls import restrict
from tests.services.interactions.interaction_calls import CALL, Log, taking_part
from tests.suite import failure, tenant_of

EVERYTHING: dict[str, Any] = {
    **{
        name: name.title()
        for name in (
            *("given_name", "family_name", "additional_names", "honorific_prefixes", "honorific_suffixes"),
            *("phonetic_given_name", "phonetic_family_name", "nickname", "display_name", "organization_name"),
            *("job_title", "notes", "source_uid"),
        )
    },
    "emails": [{"value": "Ada@EXAMPLE.org", "label": "home", "primary": True}],
    "phones": [{"value": "020 7946 0000", "label": "work"}],
    "addresses": [{"locality": "London", "label": "home"}],
    "urls": [{"value": "https://example.org"}],
    "im_handles": [{"value": "ada", "label": "irc"}],
    "birthday": {"month": 12, "day": 10},
    "anniversary": {"year": 1835},
    "photo_uri": "https://example.org/ada.png",
    "custom_fields": {"shoes": 38},
    "extra_properties": ["X-MOOD:good"],
    "keep_in_touch_days": 30,
    "source_create_time": datetime(2001, 2, 3, tzinfo=UTC),
    "source_update_time": datetime(2002, 3, 4, tzinfo=UTC),
    "relationship_strength": 7,
}


def ids_of(interaction: Interaction) -> list[str]:
    return [participant.contact_id for participant in interaction.participants]


async def merged(conn: Connection, book: Book, survivor: str, duplicate: str) -> None:
    """Merges two contacts as the contacts service does, without its answer."""
    async with conn.transaction():
        await conn.execute(f"SET LOCAL app.current_user_id = '{tenant_of(book.tenant)}'")
        await conn.fetchval("SELECT app.merge_contacts($1::uuid, ARRAY[$2::uuid], '{}', NULL)", survivor, duplicate)


async def test_a_new_contact_is_the_one_that_creating_it_alone_would_make(log: Log, book: Book) -> None:
    assert EVERYTHING.keys() == COLUMNS_OF_FIELD.keys(), "whatever a contact can have"
    alone = await book.create(**EVERYTHING)
    await book.delete(alone.id)
    made = await log.create(Participant(new_contact=EVERYTHING, role=kinds.PARTICIPANT_ROLE_MENTIONED))
    [participant] = made.participants
    assert participant.contact.display_name == alone.display_name
    together = await book.get(participant.contact_id)
    for field in ("id", "create_time", "update_time", "next_contact_time"):
        together.ClearField(field)
        alone.ClearField(field)
    assert together == alone
    assert together.relationship_strength_pinned


async def test_neither_contact_nor_interaction_is_made_without_the_other(log: Log, book: Book) -> None:
    await book.create(given_name="Ada", source_uid="card-1")
    await log.create(source_uid="mail-1")
    new = Participant(new_contact={"given_name": "Ben"})
    for call, reason in (
        (log.create(new, NOBODY), "CONTACT_NOT_FOUND"),
        (log.create(new, source_uid="mail-1"), "INTERACTION_SOURCE_TAKEN"),
        (log.create(new, Participant(new_contact={"given_name": "C", "source_uid": "card-1"})), "SOURCE_UID_TAKEN"),
    ):
        assert (await failure(call)).reason == reason
    assert await book.names() == ["Ada"]
    assert len(await log.subjects()) == 1


async def test_two_new_contacts_of_a_batch_cannot_share_a_source_uid(log: Log, book: Book) -> None:
    new = Participant(new_contact={"given_name": "Ben", "source_uid": "card-1"})
    refused = await failure(log.create_many(*(Interaction(type=CALL, participants=[new]) for _ in range(2))))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "SOURCE_UID_TAKEN")
    assert await book.names() == []


async def test_a_deleted_contact_cannot_take_part_and_one_that_did_is_shown_by_its_id(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    made = await log.create(ada)
    await book.delete(ada.id)
    for call in (
        log.create(ada),
        log.create_many(Interaction(type=CALL, participants=taking_part(ada))),
        log.update(made.id, "participants", participants=[Participant(contact_id=NOBODY)]),
    ):
        assert (await failure(call)).reason == "CONTACT_NOT_FOUND"
    [participant] = (await log.get(made.id)).participants
    assert (participant.contact.id, participant.contact.display_name) == (ada.id, "")
    changed = await log.get(made.id)
    changed.subject = "Lunch"
    assert ids_of(await log.put(changed)) == [ada.id], "those who took part may go on, as they are"


async def test_a_restricted_contact_cannot_be_named(log: Log, book: Book, as_superuser: Connection) -> None:
    ada, ben = await book.create(given_name="Ada"), await book.create(given_name="Ben")
    made = await log.create(ada, ben, subject="Lunch")
    alone = await log.create(ada, subject="Tea")
    await restrict(as_superuser, ada.id)
    for call in (
        log.create(ada),
        log.create_many(Interaction(type=CALL, participants=taking_part(ada))),
        log.update(made.id, "participants", participants=taking_part(ada)),
        log.page(contact_id=ada.id),
        log.page(contact_ids_all=[ben.id, ada.id]),
        log.page(contact_ids_any=[ada.id]),
    ):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
        assert refused.metadata == {"id": ada.id}
    shown = await log.get(made.id)
    assert [p.contact.display_name for p in shown.participants] == ["", "Ben"]
    assert ids_of(await log.get(alone.id)) == [ada.id], "by id everything is read"
    assert await log.subjects() == ["Lunch"], "in which it alone took part is not listed"
    assert await log.subjects(order_by="create_time") == ["Lunch"]
    await restrict(as_superuser, ada.id, False)
    assert set(await log.subjects()) == {"Lunch", "Tea"}


async def test_a_merged_contact_stands_for_its_survivor(log: Log, book: Book, as_superuser: Connection) -> None:
    ada, twin = await book.create(given_name="Ada"), await book.create(given_name="Twin")
    before = await log.create(twin, subject="before")
    both = await log.create(ada, twin, subject="both")
    await merged(as_superuser, book, ada.id, twin.id)
    after = await log.create(twin, subject="after")
    assert [ids_of(await log.get(each.id)) for each in (before, both, after)] == [[ada.id]] * 3
    for contact in (ada, twin):
        assert set(await log.subjects(contact_id=contact.id)) == {"before", "both", "after"}
    twice = await failure(log.create(ada, twin))
    assert list(twice.violations) == ["interaction.participants[1].contact_id"]


async def test_an_update_replaces_participants(log: Log, book: Book) -> None:
    ada, ben, cat = [await book.create(given_name=name) for name in ("Ada", "Ben", "Cat")]
    made = await log.create(ada, ben, type=kinds.INTERACTION_TYPE_MEETING)
    who = [
        Participant(contact_id=cat.id, role=kinds.PARTICIPANT_ROLE_ORGANIZER),
        Participant(new_contact={"given_name": "Dan"}),
        Participant(contact_id=ben.id, role=kinds.PARTICIPANT_ROLE_MENTIONED),
    ]
    changed = await log.update(made.id, "participants", participants=who)
    assert [p.contact.display_name for p in changed.participants] == ["Cat", "Dan", "Ben"]
    assert [p.role for p in changed.participants] == [
        kinds.PARTICIPANT_ROLE_ORGANIZER,
        kinds.PARTICIPANT_ROLE_UNSPECIFIED,
        kinds.PARTICIPANT_ROLE_MENTIONED,
    ]
    assert changed.etag != made.etag
    strengths = [(await book.get(each.id)).relationship_strength for each in (ada, ben, cat)]
    assert strengths[:2] == [1, 1]
    assert strengths[2] > 1
    assert not (await log.update(made.id, "participants")).participants
    assert (await book.get(cat.id)).relationship_strength == 1


@pytest.mark.parametrize("count", [500, 501])
async def test_an_interaction_has_at_most_500_participants(log: Log, book: Book, count: int) -> None:
    everybody = [contact.id for contact in await book.create_many(*({"given_name": str(i)} for i in range(500)))]
    if count == 500:
        made = await log.create(*everybody)
        assert ids_of(made) == everybody
    else:
        refused = await failure(log.create(*everybody, Participant(new_contact={"given_name": "one more"})))
        assert list(refused.violations) == ["interaction.participants"]
