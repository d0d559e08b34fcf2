"""The rule `job_change`: a job that is new, of dates that may say only a month or a year."""

from __future__ import annotations

import uuid
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from services.insights.jobs.careers import NEW_FOR, Job, changes, span
from services.insights.rules.job_change import RULE
from tests.services.contacts.organization_calls import Firms
from tests.services.insights.restricting import restrict

TODAY = date(2026, 11, 22)
LATER = datetime(2026, 11, 22, 12, tzinfo=UTC)


def day(days_ago: int) -> PartialDate:
    """A date so many days before today of the clock."""
    then = datetime.now(UTC).date() - timedelta(days=days_ago)
    return PartialDate(year=then.year, month=then.month, day=then.day)


@pytest.fixture
def firms(client, alice):
    return Firms(client, alice)


async def moved(firms, start=None):
    """A contact that left one organization for another: contact, employment before, new one, where it is."""
    ada = await firms.book.create(given_name="Ada", family_name="Lovelace")
    old, new = await firms.create("Analytical Engines"), await firms.create("Difference Engines")
    before = await firms.employ(
        ada.id, old.id, job_title="Programmer", start_date=PartialDate(year=2015), end_date=day(20)
    )
    now = await firms.employ(ada.id, new.id, job_title="Chief", current=True, start_date=start)
    return ada, before, now, new


async def test_another_organization_since_the_other_day_is_another_job(firms, asker):
    ada, before, now, new = await moved(firms, day(10))
    [found] = await asker.ask(RULE)
    assert [str(each) for each in found.contact_ids] == [ada.id]
    assert [(each.type, str(each.id)) for each in found.evidence] == [
        ("EMPLOYMENT", now.id),
        ("EMPLOYMENT", before.id),
        ("ORGANIZATION", new.id),
    ]
    assert found.title == "Ada Lovelace has another job: Chief at Difference Engines"
    assert "Before: Programmer at Analytical Engines." in found.body
    assert found.key == (now.id, "chief")
    assert found.confidence == 0.95
    assert found.facts["previous_organization"] == "Analytical Engines"
    assert "Lovelace" not in str(found.facts)
    assert await asker.ask(RULE, of=[ada.id]) == [found]
    assert await asker.ask(RULE, of=[str(uuid.uuid4())]) == []


async def test_a_job_is_new_for_sixty_days(firms, asker):
    await moved(firms, day(60))
    now = datetime.now(UTC)
    [found] = await asker.ask(RULE, now)
    assert await asker.ask(RULE, found.expires_at) == []
    assert len(await asker.ask(RULE, found.expires_at - timedelta(seconds=1))) == 1


async def test_a_job_that_begins_tomorrow_is_not_there_yet(firms, asker):
    await moved(firms, day(-2))
    assert await asker.ask(RULE) == []


async def test_years_old_jobs_that_were_recorded_today_are_no_news(firms, asker):
    await moved(firms, day(400))
    assert await asker.ask(RULE) == []


async def test_the_first_job_that_is_known_is_no_change(firms, asker):
    ada = await firms.book.create(given_name="Ada")
    acme = await firms.create()
    await firms.employ(ada.id, acme.id, current=True, start_date=day(5))
    assert await asker.ask(RULE) == []


async def test_without_a_date_what_was_recorded_later_than_what_ended_is_another_job(firms, asker):
    _, _, now, _ = await moved(firms)
    [found] = await asker.ask(RULE)
    assert str(found.evidence[0].id) == now.id
    assert "since" not in found.title + found.body + str(found.facts)
    assert found.confidence == 0.6
    assert await asker.ask(RULE, datetime.now(UTC) + timedelta(days=70)) == []


async def test_a_history_recorded_in_one_go_is_no_news_without_dates(firms, asker, as_superuser):
    ada, *_ = await moved(firms)
    await as_superuser.execute(
        "UPDATE contact_employments SET created_at = '2026-01-01' WHERE contact_id = $1", uuid.UUID(ada.id)
    )
    assert await asker.ask(RULE, datetime(2026, 1, 2, tzinfo=UTC)) == []


async def test_another_title_in_the_same_organization_is_another_job(firms, asker):
    ada = await firms.book.create(given_name="Ada")
    acme = await firms.create()
    await firms.employ(ada.id, acme.id, job_title="Programmer", start_date=PartialDate(year=2015), end_date=day(9))
    await firms.employ(ada.id, acme.id, job_title="programmer", current=True, start_date=day(8), department="B")
    assert await asker.ask(RULE) == []
    await firms.employ(ada.id, acme.id, job_title="Chief", current=True, start_date=day(3))
    [found] = await asker.ask(RULE)
    assert found.title.endswith("Chief at Analytical Engines")


async def test_a_job_beside_one_that_goes_on_is_less_sure(firms, asker):
    ada = await firms.book.create(given_name="Ada")
    old, new = await firms.create("Analytical Engines"), await firms.create("Difference Engines")
    await firms.employ(ada.id, old.id, current=True, start_date=PartialDate(year=2015))
    await firms.employ(ada.id, new.id, current=True, start_date=day(3))
    [found] = await asker.ask(RULE)
    assert found.confidence < 0.7
    assert "Still: at Analytical Engines" in found.body


async def test_what_is_removed_deleted_or_over_is_no_job(firms, asker):
    ada, before, now, new = await moved(firms, day(10))
    await firms.delete(new.id)
    assert await asker.ask(RULE) == []
    await firms.undelete(new.id)
    assert len(await asker.ask(RULE)) == 1
    await firms.book.delete(ada.id)
    assert await asker.ask(RULE) == []
    await firms.book.undelete(ada.id)
    await firms.change(now.id, "current", "end_date", current=False, end_date=day(1))
    assert await asker.ask(RULE) == []
    await firms.change(now.id, "current", "end_date", current=True)
    assert len(await asker.ask(RULE)) == 1
    await firms.remove(before.id)
    assert await asker.ask(RULE) == []


async def test_restricted_contacts_and_other_tenants_have_none(firms, asker, bobs_asker, as_superuser):
    ada, *_ = await moved(firms, day(10))
    assert await bobs_asker.ask(RULE) == []
    assert await bobs_asker.ask(RULE, of=[ada.id]) == []
    await restrict(as_superuser, firms.tenant, ada.id)
    assert await asker.ask(RULE) == []


def job(start=(None, None, None), *, firm="acme", title="", end=(None, None, None), current=True, created=LATER) -> Job:
    return Job(
        id=uuid.uuid4(),
        organization_id=uuid.uuid4(),
        organization=firm,
        organization_key=firm,
        title=title,
        start=span(*start),
        end=span(*end),
        is_current=current,
        created_at=created,
        recorded=created.date(),
    )


OLD = job((2015, None, None), end=(2026, 9, None), current=False, created=datetime(2020, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("start", "created", "is_new"),
    [
        ((2026, 11, 22), LATER, True),
        ((2026, 11, 23), LATER, False),
        ((2026, 9, 23), LATER, True),
        ((2026, 9, 22), LATER, False),
        # A month of which a day may be new is.
        ((2026, 9, None), LATER, True),
        ((2026, 8, None), LATER, False),
        ((2026, 11, None), LATER, True),
        ((2026, 12, None), LATER, False),
        # A year says too little: it is news as long as it was told the other day.
        ((2026, None, None), LATER, True),
        ((2026, None, None), datetime(2026, 5, 1, tzinfo=UTC), False),
        ((2025, None, None), LATER, False),
        ((2027, None, None), LATER, False),
        # Nor does a month without a year.
        ((None, 11, None), LATER, True),
        ((None, 11, None), datetime(2026, 5, 1, tzinfo=UTC), False),
    ],
)
def test_what_is_new(start, created, is_new):
    new = job(start, firm="other", created=created)
    assert [change.new for change in changes([OLD, new], TODAY)] == ([new] if is_new else [])


def test_what_ended_last_is_the_job_before():
    jobs = [
        job((1999, None, None), firm="first", end=(2005, None, None), current=False),
        job((2005, None, None), firm="last", end=(2026, 10, None), current=False),
        job((2010, None, None), firm="beside"),
        job((2026, 11, 1), firm="new"),
    ]
    [change] = changes(jobs, TODAY)
    assert (change.before.organization, change.new.organization) == ("last", "new")


def test_of_two_jobs_begun_on_one_day_neither_is_the_one_before():
    assert changes([job((2026, 11, 1), firm="a"), job((2026, 11, 1), firm="b")], TODAY) == []


def test_a_job_recorded_twice_is_one():
    again = job(title="Chief", created=LATER)
    assert changes([OLD, job((2020, None, None), title="chief", created=OLD.created_at), again], TODAY) == []


def test_back_in_an_organization_of_long_ago_is_another_job():
    jobs = [
        job((2010, None, None), firm="acme", end=(2012, None, None), current=False),
        job((2012, None, None), firm="other", end=(2026, 11, None), current=False),
        job((2026, 11, 2), firm="acme"),
    ]
    assert [change.before.organization for change in changes(jobs, TODAY)] == ["other"]


days = st.dates(date(2024, 1, 1), date(2028, 12, 31))
starts = st.one_of(
    st.just((None, None, None)),
    days.map(lambda d: (d.year, None, None)),
    days.map(lambda d: (d.year, d.month, None)),
    days.map(lambda d: (d.year, d.month, d.day)),
)
made = days.map(lambda d: datetime(d.year, d.month, d.day, 12, tzinfo=UTC))
careers = st.lists(
    st.builds(
        job,
        starts,
        firm=st.sampled_from(["a", "b", "c"]),
        title=st.sampled_from(["", "x", "X", "y"]),
        current=st.booleans(),
        created=made,
    ),
    max_size=6,
)


@given(careers, days)
def test_of_any_career_what_is_new_may_have_begun_in_the_last_sixty_days(jobs, today):
    for change in changes(jobs, today):
        new, before = change.new, change.before
        assert new.is_current
        assert not before.is_like(new)
        assert today <= change.until
        if new.start is not None:
            assert new.start.last >= today - NEW_FOR
            assert new.start.first <= today
        if new.start is None or new.start.is_vague:
            assert today - NEW_FOR <= new.recorded <= today
            assert not before.is_current
        assert not changes([new], today)


@given(careers, days, st.randoms(use_true_random=False))
def test_the_order_in_which_jobs_are_known_does_not_matter(jobs, today, chance):
    shuffled = chance.sample(jobs, len(jobs))
    assert {(c.new.id, c.before.id) for c in changes(jobs, today)} == {
        (c.new.id, c.before.id) for c in changes(shuffled, today)
    }
