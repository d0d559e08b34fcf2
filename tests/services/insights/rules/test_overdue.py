"""The rule `overdue`: a cadence that has passed, by days in the user's zone."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from services.insights.rules.overdue import RULE
from tests.services.insights.rules.histories import MENTIONED, NOON, NOTE, ago, history, restrict, utc

RESOLUTION = timedelta(microseconds=1)


async def test_a_contact_silent_beyond_its_cadence_is_overdue(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    before, last = await history(log, ada, 90, 45)
    [found] = await asker.ask(RULE, NOON)
    assert found.contact_ids == (uuid.UUID(ada.id),)
    assert [(each.type, str(each.id), each.detail) for each in found.evidence] == [
        ("INTERACTION", last.id, "last contact, 45 days ago"),
        ("CONTACT", ada.id, "to be in touch every 30 days"),
    ]
    assert found.title == "Get in touch with Ada: no contact for 45 days"
    assert "every 30 days" in found.body
    assert found.facts == {"days_since_last_contact": 45, "cadence_days": 30, "days_overdue": 15}
    assert found.key == (ada.id, last.id, "30")
    assert before.id not in str(found.evidence)


async def test_a_contact_never_heard_of_is_overdue_from_its_creation(book, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    assert await asker.ask(RULE, ago(-30)) == []
    [found] = await asker.ask(RULE, ago(-31))
    assert [(each.type, str(each.id)) for each in found.evidence] == [("CONTACT", ada.id)]
    assert found.key == (ada.id, "none", "30")


async def test_a_contact_is_not_overdue_on_the_day_on_which_it_is_due(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    await history(log, ada, 30)
    assert await asker.ask(RULE, NOON) == []
    assert len(await asker.ask(RULE, ago(-0.5))) == 1  # midnight


@pytest.mark.parametrize(
    ("zone", "cadence", "last", "overdue_from"),
    [
        # The night in which New York loses an hour: less than 24 hours after the last contact.
        ("America/New_York", 1, "2024-03-10T04:30:00", "2024-03-11T04:00:00"),
        # And the one in which it gains one.
        ("America/New_York", 1, "2023-11-04T04:00:00", "2023-11-06T05:00:00"),
        # Apia had no 30 December in 2011, on which it would have been due.
        ("Pacific/Apia", 2, "2011-12-28T22:00:00", "2011-12-30T10:00:00"),
        ("Pacific/Kiritimati", 7, "2024-06-01T09:59:59", "2024-06-08T10:00:00"),
        ("UTC", 1, "2024-06-01T00:00:00", "2024-06-03T00:00:00"),
    ],
)
async def test_days_are_those_of_the_users_zone(book, log, asker, zone, cadence, last, overdue_from):
    ada = await book.create(given_name="Ada", keep_in_touch_days=cadence)
    await history(log, ada, 0, occur_time=utc(last))
    begin = utc(overdue_from)
    assert await asker.ask(RULE, begin.replace(microsecond=0) - RESOLUTION, zone) == []
    assert len(await asker.ask(RULE, begin, zone)) == 1


async def test_contact_since_ends_it_and_its_deletion_brings_it_back(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    await history(log, ada, 45)
    before = await asker.ask(RULE, NOON)
    [since] = await history(log, ada, 1)
    assert await asker.ask(RULE, NOON) == []
    await log.delete(since.id)
    assert await asker.ask(RULE, NOON) == before


async def test_notes_mentions_and_plans_are_no_contact(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    await history(log, ada, 45)
    before = await asker.ask(RULE, NOON)
    await history(log, ada, 1, type=NOTE)
    await history(log, ada, 1, role=MENTIONED)
    await history(log, ada, -2)
    assert len(before) == 1
    assert await asker.ask(RULE, NOON) == before
    assert await asker.ask(RULE, ago(-2)) == [], "the plan has come true"


async def test_another_cadence_is_another_finding(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    await history(log, ada, 45)
    [first] = await asker.ask(RULE, NOON)
    await book.update(ada.id, "keep_in_touch_days", keep_in_touch_days=40)
    [second] = await asker.ask(RULE, NOON)
    assert first.key != second.key
    await book.update(ada.id, "keep_in_touch_days", keep_in_touch_days=0)
    assert await asker.ask(RULE, NOON) == []


async def test_it_is_surer_the_longer_it_is_overdue_and_stays_the_same_finding(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    await history(log, ada, 45)
    found = [(await asker.ask(RULE, ago(-later)))[0] for later in (0, 1, 10, 100, 1000)]
    assert len({each.key for each in found}) == 1
    sureness = [each.confidence for each in found]
    assert sureness == sorted(sureness)
    assert sureness[0] < sureness[-1]
    # Asked again the next day, it expires when it did.
    assert found[0].expires_at == found[1].expires_at == utc(f"{ago(-16).date()}T00:00:00")


async def test_two_who_met_at_once_are_two_findings(book, log, asker):
    both = await book.create_many(*({"given_name": name, "keep_in_touch_days": 30} for name in ("Ada", "Grace")))
    await log.create(*both, occur_time=ago(45))
    found = await asker.ask(RULE, NOON)
    assert len({each.key for each in found}) == 2


async def test_deleted_and_restricted_contacts_are_out_of_it(book, log, asker, as_superuser):
    ada, grace, anna = await book.create_many(
        *({"given_name": name, "keep_in_touch_days": 30} for name in ("Ada", "Grace", "Anna"))
    )
    for contact in (ada, grace, anna):
        await history(log, contact, 45)
    assert len(await asker.ask(RULE, NOON)) == 3
    await book.delete(ada.id)
    await restrict(as_superuser, asker.tenant, grace)
    [found] = await asker.ask(RULE, NOON)
    assert str(found.contact_ids[0]) == anna.id


async def test_only_contacts_that_are_asked_for(book, log, asker):
    ada, grace = await book.create_many(*({"given_name": name, "keep_in_touch_days": 30} for name in ("Ada", "Grace")))
    for contact in (ada, grace):
        await history(log, contact, 45)
    [found] = await asker.ask(RULE, NOON, of=[grace.id])
    assert str(found.contact_ids[0]) == grace.id
    assert await asker.ask(RULE, NOON, of=[]) == []


async def test_another_tenants_contacts_are_out_of_it(book, log, bobs_asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    await history(log, ada, 45)
    assert await bobs_asker.ask(RULE, NOON) == []
    assert await bobs_asker.ask(RULE, NOON, of=[ada.id]) == []


async def test_a_long_name_on_several_lines_fits_a_title(book, log, asker):
    ada = await book.create(display_name="Ada " + "Augusta " * 40, keep_in_touch_days=30)
    await history(log, ada, 45)
    [found] = await asker.ask(RULE, NOON)
    assert found.title.startswith("Get in touch with Ada Augusta")
    assert "…" in found.title
