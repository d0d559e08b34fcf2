"""The rule `losing_touch`: a silence much longer than was usual."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insights.rules.losing_touch import RULE, silence
from tests.services.insights.rules.histories import MEETING, MENTIONED, NOON, NOTE, ago, history, past, restrict, utc

LONDON = ZoneInfo("Europe/London")

# In touch every three weeks, and then no more for 94 days.
EVERY_THREE_WEEKS = (94, 115, 136, 157, 178)


async def test_a_silence_much_longer_than_usual_is_found(book, log, asker):
    ada = await book.create(given_name="Ada")
    interactions = await history(log, ada, *EVERY_THREE_WEEKS, 199)
    [found] = await asker.ask(RULE, NOON)
    assert found.contact_ids == (uuid.UUID(ada.id),)
    assert [str(each.id) for each in found.evidence] == [each.id for each in interactions[:5]]
    assert {each.type for each in found.evidence} == {"INTERACTION"}
    assert found.evidence[0].detail == "no contact for 94 days, usually 21"
    assert found.title == "You are losing touch with Ada"
    assert "about every 21 days" in found.body
    assert found.facts == {"days_since_last_contact": 94, "usual_gap_days": 21}
    assert found.key == (ada.id, interactions[0].id)


async def test_a_contact_with_a_cadence_is_left_to_the_rule_overdue(book, log, asker):
    ada = await book.create(given_name="Ada", keep_in_touch_days=365)
    await history(log, ada, *EVERY_THREE_WEEKS)
    assert await asker.ask(RULE, NOON) == []
    await book.update(ada.id, "keep_in_touch_days", keep_in_touch_days=0)
    assert len(await asker.ask(RULE, NOON)) == 1


@pytest.mark.parametrize(
    ("days", "found"),
    [
        ((63, 84, 105, 126), True),
        pytest.param((62, 83, 104, 125), False, id="less than three times the usual"),
        ((30, 33, 36, 39, 60, 90), True),
        pytest.param((29, 32, 35, 38, 60, 90), False, id="less than a month"),
        ((100, 110, 120, 160), True),
        pytest.param((100, 110, 120, 159), False, id="a history of less than two months"),
        pytest.param((100, 130, 160), False, id="three times with contact"),
        pytest.param((100, 100.1, 100.2, 130, 160), False, id="three days with contact"),
        ((730, 760, 790, 820), True),
        pytest.param((731, 761, 791, 821), False, id="lost for two years"),
        pytest.param((100, 250, 400, 800), False, id="a quiet friendship"),
        pytest.param((), False, id="never in touch"),
    ],
)
async def test_what_is_enough(book, log, asker, days, found):
    ada = await book.create(given_name="Ada")
    if days:
        await history(log, ada, *days)
    assert [str(each.contact_ids[0]) for each in await asker.ask(RULE, NOON)] == [ada.id] * found


async def test_contact_since_ends_it_and_its_deletion_brings_it_back(book, log, asker):
    ada = await book.create(given_name="Ada")
    interactions = await history(log, ada, *EVERY_THREE_WEEKS)
    before = await asker.ask(RULE, NOON)
    [since] = await history(log, ada, 0)
    assert await asker.ask(RULE, NOON) == []
    await log.delete(since.id)
    assert await asker.ask(RULE, NOON) == before
    for interaction in interactions[2:]:
        await log.delete(interaction.id)
    assert await asker.ask(RULE, NOON) == [], "what was usual is not known any more"


async def test_notes_mentions_and_plans_are_no_contact(book, log, asker):
    ada = await book.create(given_name="Ada")
    await history(log, ada, *EVERY_THREE_WEEKS)
    before = await asker.ask(RULE, NOON)
    await log.create_many(past(ada, 1, type=NOTE), past(ada, 1, role=MENTIONED), past(ada, -1, type=MEETING))
    assert len(before) == 1
    assert await asker.ask(RULE, NOON) == before


async def test_it_stays_the_same_finding_until_it_is_too_late(book, log, asker):
    ada = await book.create(given_name="Ada")
    await history(log, ada, *EVERY_THREE_WEEKS)
    found = [(await asker.ask(RULE, ago(-later)))[0] for later in (0, 1, 100, 730 - 94)]
    assert len({each.key for each in found}) == 1
    sureness = [each.confidence for each in found]
    assert sureness == sorted(sureness)
    assert found[0].expires_at == found[1].expires_at
    assert await asker.ask(RULE, ago(-(731 - 94))) == []


async def test_who_has_been_as_silent_before_is_found_with_less_confidence(book, log, asker):
    steady, fitful = await book.create_many({"given_name": "Ada"}, {"given_name": "Grace"})
    await history(log, steady, 90, 110, 130, 150, 170, 190)
    await history(log, fitful, 90, 110, 130, 150, 260, 280)
    surely = await asker.about(RULE, steady.id, NOON)
    perhaps = await asker.about(RULE, fitful.id, NOON)
    assert surely is not None
    assert perhaps is not None
    assert surely.evidence[0].detail == perhaps.evidence[0].detail
    assert perhaps.confidence < surely.confidence


async def test_a_lively_history_counts_from_its_beginning(book, log, asker):
    ada = await book.create(given_name="Ada")
    # More than are counted, all within a week, after one two months before.
    await history(log, ada, *(100 + n / 20 for n in range(140)), 165)
    [found] = await asker.ask(RULE, NOON)
    assert found.evidence[0].detail == "no contact for 100 days, usually 1"


@pytest.mark.parametrize(
    ("zone", "found_from"),
    [
        ("UTC", "2024-03-31T00:00:00"),
        ("America/New_York", "2024-03-31T04:00:00"),
        ("Pacific/Apia", "2024-03-30T11:00:00"),
    ],
)
async def test_days_are_those_of_the_users_zone(book, log, asker, zone, found_from):
    ada = await book.create(given_name="Ada")
    for day in ("2024-03-01", "2024-02-22", "2024-02-12", "2024-02-02", "2023-12-15"):
        # In all of these zones the same day.
        await history(log, ada, 0, occur_time=utc(f"{day}T06:30:00"))
    begin = utc(found_from)
    assert await asker.ask(RULE, begin - timedelta(microseconds=1), zone) == []
    assert len(await asker.ask(RULE, begin, zone)) == 1


async def test_deleted_restricted_and_others_contacts_are_out_of_it(book, log, asker, bobs_asker, as_superuser):
    ada, grace, anna = await book.create_many(*({"given_name": name} for name in ("Ada", "Grace", "Anna")))
    for contact in (ada, grace, anna):
        await history(log, contact, *EVERY_THREE_WEEKS)
    assert len(await asker.ask(RULE, NOON)) == 3
    assert [str(each.contact_ids[0]) for each in await asker.ask(RULE, NOON, of=[grace.id])] == [grace.id]
    assert await bobs_asker.ask(RULE, NOON) == []
    assert await bobs_asker.ask(RULE, NOON, of=[grace.id]) == []
    await book.delete(ada.id)
    await restrict(as_superuser, asker.tenant, grace)
    [found] = await asker.ask(RULE, NOON)
    assert str(found.contact_ids[0]) == anna.id


MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2022, 1, 1)).map(lambda each: each.replace(tzinfo=UTC))  # noqa: DTZ001 - made UTC


@given(st.lists(MOMENTS, min_size=1, max_size=12), st.integers(0, 1000), st.integers(0, 100))
def test_a_longer_silence_is_never_less_of_one(times, first, later):
    """Until it is too long, and as to the same contact: what was found once stays found, with the same usual gap."""
    as_of = max(times) + timedelta(days=first)
    now = silence(times, min(times), as_of, LONDON)
    then = silence(times, min(times), as_of + timedelta(days=later), LONDON)
    if now is not None and now.length + later < 730:
        assert then is not None
        assert (then.usual, then.since, then.longest_before) == (now.usual, now.since, now.longest_before)
        # So many times 24 hours are a day more or less where the clocks change about midnight.
        assert abs(then.length - (now.length + later)) <= 1


@given(st.lists(MOMENTS, min_size=1, max_size=12), st.randoms())
def test_the_order_of_interactions_is_no_matter(times, order):
    as_of = max(times) + timedelta(days=200)
    shuffled = order.sample(times, len(times))
    assert silence(times, min(times), as_of, LONDON) == silence(shuffled, min(times), as_of, LONDON)


@given(st.lists(MOMENTS, min_size=1, max_size=12), st.integers(0, 29))
def test_nobody_is_lost_within_a_month_of_contact(times, since):
    assert silence(times, min(times), max(times) + timedelta(days=since), LONDON) is None
