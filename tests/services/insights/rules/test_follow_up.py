"""The rule `follow_up`: a meeting, and nothing since with somebody who was there."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import pytest_asyncio
from pmcrm.interactions.v1 import interaction_pb2 as kinds

from services.insights.rules.follow_up import RULE, promise_in
from tests.services.insights.rules.histories import (
    EMAIL,
    MEETING,
    MENTIONED,
    NOON,
    NOTE,
    ago,
    history,
    past,
    restrict,
    utc,
)
from tests.services.interactions.reminder_calls import BIRTHDAY, KEEP_IN_TOUCH, Reminding, local


@pytest.fixture
def reminding(interactions, alice):
    return Reminding(interactions, alice)


@pytest_asyncio.fixture
async def ada(book):
    return await book.create(given_name="Ada")


async def test_a_meeting_with_nothing_since_is_found(log, asker, ada):
    [_, meeting] = await log.create_many(
        past(ada, 30), past(ada, 5, type=MEETING, subject="Budget plan", body="A good talk.")
    )
    [found] = await asker.ask(RULE, NOON)
    day = f"{ago(5).day} {ago(5):%B %Y}"
    assert found.contact_ids == (uuid.UUID(ada.id),)
    assert [(each.type, str(each.id), each.detail) for each in found.evidence] == [
        ("INTERACTION", meeting.id, f"meeting on {day}, no contact since")
    ]
    assert found.title == "Follow up with Ada after your meeting"
    assert found.body == (
        f"You met Ada on {day} (“Budget plan”). There has been no contact since, and none is planned."
    )
    assert found.key == (meeting.id, ada.id)
    assert found.facts == {"days_since_meeting": 5, "contacts_at_meeting": 1}
    assert found.expires_at == utc(f"{ago(-17).date()}T00:00:00")


@pytest.mark.parametrize(("days", "found"), [(1, 0), (2, 1), (21, 1), (22, 0), (-3, 0)])
async def test_it_is_found_from_two_days_to_three_weeks_after(log, asker, ada, days, found):
    await history(log, ada, days, type=MEETING)
    assert len(await asker.ask(RULE, NOON)) == found


@pytest.mark.parametrize(
    ("zone", "meeting", "begin", "end"),
    [
        ("America/New_York", "2024-03-09T04:30:00", "2024-03-10T05:00:00", "2024-03-30T04:00:00"),
        ("Pacific/Apia", "2024-05-01T10:59:59", "2024-05-02T11:00:00", "2024-05-22T11:00:00"),
        # Apia had no 30 December: two days later is the 31st all the same.
        ("Pacific/Apia", "2011-12-29T22:00:00", "2011-12-30T10:00:00", "2012-01-19T10:00:00"),
        ("UTC", "2024-05-01T00:00:00", "2024-05-03T00:00:00", "2024-05-23T00:00:00"),
    ],
)
async def test_days_are_those_of_the_users_zone(log, asker, ada, zone, meeting, begin, end):
    await history(log, ada, 0, type=MEETING, occur_time=utc(meeting))
    instant = timedelta(microseconds=1)
    moments = [utc(begin) - instant, utc(begin), utc(end) - instant, utc(end)]
    found = [await asker.ask(RULE, moment, zone) for moment in moments]
    assert [len(each) for each in found] == [0, 1, 1, 0]
    assert found[1][0].key == found[2][0].key
    assert found[1][0].expires_at == utc(end)


@pytest.mark.parametrize("days", [4, 0, -10], ids=["since", "today", "planned"])
@pytest.mark.parametrize("kind", [EMAIL, MEETING], ids=["e-mail", "meeting"])
async def test_contact_since_or_planned_ends_it_and_its_deletion_brings_it_back(log, asker, ada, days, kind):
    await history(log, ada, 5, type=MEETING)
    before = await asker.ask(RULE, NOON)
    [later] = await history(log, ada, days, type=kind)
    assert len(before) == 1
    assert [each for each in await asker.ask(RULE, NOON) if each.key == before[0].key] == []
    await log.delete(later.id)
    assert await asker.ask(RULE, NOON) == before


async def test_notes_and_mentions_are_no_follow_up(log, asker, ada):
    await history(log, ada, 5, type=MEETING)
    before = await asker.ask(RULE, NOON)
    await log.create_many(past(ada, 1, type=NOTE), past(ada, 1, role=MENTIONED))
    assert len(before) == 1
    assert await asker.ask(RULE, NOON) == before


async def test_a_deleted_meeting_a_mention_at_one_and_another_kind_ask_for_none(log, asker, ada):
    [deleted, *_] = await log.create_many(
        past(ada, 5, type=MEETING),
        past(ada, 6, type=MEETING, role=MENTIONED),
        past(ada, 7, type=kinds.INTERACTION_TYPE_CALL),
    )
    await log.delete(deleted.id)
    assert await asker.ask(RULE, NOON) == []


async def test_of_two_meetings_at_once_one_is_found(log, asker, ada):
    await log.create_many(past(ada, 5, type=MEETING), past(ada, 5, type=MEETING))
    assert len(await asker.ask(RULE, NOON)) == 1


async def test_each_who_was_there_is_a_finding_of_its_own(book, log, asker):
    three = await book.create_many(*({"given_name": name} for name in ("Ada", "Grace", "Anna")))
    meeting = await log.create(*three, type=MEETING, occur_time=ago(5))
    found = await asker.ask(RULE, NOON)
    assert {each.key for each in found} == {(meeting.id, contact.id) for contact in three}
    assert {each.facts["contacts_at_meeting"] for each in found} == {3}
    await history(log, three[0], 1)
    assert {each.key[1] for each in await asker.ask(RULE, NOON)} == {three[1].id, three[2].id}


@pytest.mark.parametrize(("size", "found"), [(10, 10), (11, 0)])
async def test_a_gathering_asks_for_no_follow_up(book, log, asker, size, found):
    people = await book.create_many(*({"given_name": f"Guest {n}"} for n in range(size)))
    await log.create(*people, type=MEETING, occur_time=ago(5))
    assert len(await asker.ask(RULE, NOON)) == found


async def test_a_promise_makes_it_surer(book, log, asker):
    plain, promising = await book.create_many({"given_name": "Ada"}, {"given_name": "Grace"})
    await log.create_many(
        past(plain, 5, type=MEETING, subject="Sender of the year"),
        past(promising, 5, type=MEETING, body="Will SEND her the draft."),
    )
    without, with_ = [await asker.about(RULE, each.id, NOON) for each in (plain, promising)]
    assert without is not None
    assert with_ is not None
    assert "promise" not in without.facts
    assert with_.facts["promise"] == "send"
    assert with_.confidence > without.confidence
    assert "“send”" in with_.evidence[0].detail
    assert "draft" not in str(with_.facts)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Follow-up nächste Woche", "follow-up"),
        ("please FOLLOW\nUP", "follow up"),
        ("Unterlagen zuschicken.", "zuschicken"),
        ("Hay que enviar el contrato", "enviar"),
        ("weekend", None),
        ("resend", None),
        ("", None),
        (None, None),
    ],
)
def test_a_promise_is_a_word_of_its_own(text, word):
    assert promise_in(None, text) == word


async def test_a_reminder_made_since_is_a_follow_up_even_when_it_is_done(log, asker, ada, reminding):
    await history(log, ada, 5, type=MEETING)
    assert len(await asker.ask(RULE, NOON)) == 1
    reminder = await reminding.create(contact_ids=[ada.id])
    assert await asker.ask(RULE, NOON) == []
    await reminding.complete(reminder.id)
    assert await asker.ask(RULE, NOON) == []
    await reminding.delete(reminder.id)
    assert len(await asker.ask(RULE, NOON)) == 1


async def test_a_reminder_made_before_counts_when_it_falls_due_after_the_meeting(log, asker, ada, reminding):
    later = NOON + timedelta(days=10)
    await history(log, ada, -5, type=MEETING)
    assert len(await asker.ask(RULE, later)) == 1
    await reminding.create(contact_ids=[ada.id], due_local=local(NOON + timedelta(days=1)))
    await reminding.create(contact_ids=[ada.id], due_local=local(NOON + timedelta(days=7)), rrule="FREQ=YEARLY")
    assert len(await asker.ask(RULE, later)) == 1
    await reminding.create(contact_ids=[ada.id], due_local=local(NOON + timedelta(days=12)))
    assert await asker.ask(RULE, later) == []


@pytest.mark.parametrize("kind", [BIRTHDAY, KEEP_IN_TOUCH])
async def test_reminders_of_birthdays_and_cadences_are_no_follow_up(log, asker, ada, reminding, kind):
    await history(log, ada, 5, type=MEETING)
    await reminding.create(kind=kind, contact_ids=[ada.id])
    assert len(await asker.ask(RULE, NOON)) == 1


async def test_deleted_restricted_and_others_contacts_are_out_of_it(book, log, asker, bobs_asker, as_superuser):
    ada, grace, anna = people = await book.create_many(*({"given_name": name} for name in ("Ada", "Grace", "Anna")))
    await log.create(*people, type=MEETING, occur_time=ago(5))
    assert len(await asker.ask(RULE, NOON)) == 3
    assert [str(each.contact_ids[0]) for each in await asker.ask(RULE, NOON, of=[grace.id])] == [grace.id]
    assert await bobs_asker.ask(RULE, NOON) == []
    assert await bobs_asker.ask(RULE, NOON, of=[grace.id]) == []
    await book.delete(ada.id)
    await restrict(as_superuser, asker.tenant, grace)
    [found] = await asker.ask(RULE, NOON)
    assert str(found.contact_ids[0]) == anna.id
    assert found.facts["contacts_at_meeting"] == 1
