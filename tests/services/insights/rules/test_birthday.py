"""The rule `birthday`: birthdays today and in the fourteen days after it, in the user's zone."""

from __future__ import annotations

import calendar
import uuid
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pmcrm.type.v1.partial_date_pb2 import PartialDate

from services.insights.rules.birthday import DAYS_AHEAD, RULE, birthdays
from tests.services.contacts.calls import Book
from tests.services.insights.rules.histories import history, restrict, utc

# The days of any leap year.
OF_A_YEAR = [date(2024, 1, 1) + timedelta(days=n) for n in range(366)]


async def born(book: Book, month: int = 0, day: int = 0, year: int = 0, **fields: Any) -> str:
    """The id of a new contact with that birthday."""
    birthday = PartialDate(year=year, month=month, day=day)
    return (await book.create(**({"given_name": "Ada"} | fields), birthday=birthday)).id


async def test_a_birthday_ahead_is_found_with_the_age(book, asker):
    ada = await born(book, 12, 10, 1984)
    [found] = await asker.ask(RULE, utc("2024-12-01T12:00:00"))
    assert found.contact_ids == (uuid.UUID(ada),)
    assert [(each.type, str(each.id), each.detail) for each in found.evidence] == [
        ("CONTACT", ada, "birthday on 10 December 2024, turns 40")
    ]
    assert found.title == "Ada turns 40 on 10 December 2024"
    assert found.body == "Ada turns 40 on 10 December 2024, a Tuesday."
    assert found.facts == {"birthday": "2024-12-10", "age": 40}
    assert found.key == (ada, "2024-12-10")
    assert found.expires_at == utc("2024-12-11T00:00:00")
    assert found.confidence > 0.9


@pytest.mark.parametrize("year", [0, 2024, 2030, 1604], ids=["unknown", "this year", "to come", "long ago"])
async def test_an_age_that_is_not_known_or_cannot_be_is_not_told(book, asker, year):
    await born(book, 12, 10, year)
    [found] = await asker.ask(RULE, utc("2024-12-01T12:00:00"))
    assert found.title == "Ada has birthday on 10 December 2024"
    assert "age" not in found.facts


async def test_it_is_found_from_a_fortnight_before_to_the_end_of_the_day(book, asker):
    await born(book, 5, 16)
    moments = ["2024-05-01T23:59:59", "2024-05-02T00:00:00", "2024-05-16T23:59:59", "2024-05-17T00:00:00"]
    assert [len(await asker.ask(RULE, utc(moment))) for moment in moments] == [0, 1, 1, 0]


@pytest.mark.parametrize(
    ("zone", "birthday", "begin", "end"),
    [
        ("Pacific/Apia", (5, 16), "2024-05-01T11:00:00", "2024-05-16T11:00:00"),
        # Begins in winter, ends in summer.
        ("America/New_York", (3, 10), "2024-02-25T05:00:00", "2024-03-11T04:00:00"),
        # A day that Apia never had: it is over when it would have begun.
        ("Pacific/Apia", (12, 29), "2011-12-15T10:00:00", "2011-12-30T10:00:00"),
        ("Pacific/Pago_Pago", (1, 5), "2023-12-22T11:00:00", "2024-01-06T11:00:00"),
    ],
)
async def test_days_are_those_of_the_users_zone(book, asker, zone, birthday, begin, end):
    await born(book, *birthday)
    instant = timedelta(microseconds=1)
    moments = [utc(begin) - instant, utc(begin), utc(end) - instant, utc(end)]
    found = [await asker.ask(RULE, moment, zone) for moment in moments]
    assert [len(each) for each in found] == [0, 1, 1, 0]
    assert found[1] == found[2], "it is the same all the time"
    assert found[1][0].expires_at == utc(end)


async def test_a_birthday_on_29_february_is_on_the_28th_in_other_years(book, asker):
    await born(book, 2, 29, 1996)
    [other] = await asker.ask(RULE, utc("2023-02-20T12:00:00"))
    assert (other.key[1], other.facts["age"]) == ("2023-02-28", 27)
    [leap] = await asker.ask(RULE, utc("2024-02-20T12:00:00"))
    assert (leap.key[1], leap.facts["age"]) == ("2024-02-29", 28)
    assert await asker.ask(RULE, utc("2023-03-01T00:00:00")) == []
    assert await asker.ask(RULE, utc("2024-02-29T12:00:00")) != []


async def test_a_birthday_after_new_year_is_found_in_december(book, asker):
    ada = await born(book, 1, 5, 1984)
    [found] = await asker.ask(RULE, utc("2023-12-25T12:00:00"))
    assert (found.key, found.facts["age"]) == ((ada, "2024-01-05"), 40)


async def test_every_years_birthday_is_another_finding(book, asker):
    await born(book, 5, 16)
    [this], [next_] = [await asker.ask(RULE, utc(f"{year}-05-10T12:00:00")) for year in (2024, 2025)]
    assert this.key != next_.key


@pytest.mark.parametrize("parts", [(12, 0), (0, 10), (0, 0, 1984), (12, 0, 1984)], ids=str)
async def test_a_birthday_without_month_and_day_is_none(book, asker, parts):
    await born(book, *parts)
    for month in range(1, 13):
        assert await asker.ask(RULE, utc(f"2024-{month:02}-05T12:00:00")) == []


async def test_contact_does_not_end_it_but_losing_the_date_does(book, log, asker):
    ada = await born(book, 12, 10)
    before = await asker.ask(RULE, utc("2024-12-01T12:00:00"))
    await history(log, await book.get(ada), 0, occur_time=utc("2024-12-01T11:00:00"))
    assert len(before) == 1
    assert await asker.ask(RULE, utc("2024-12-01T12:00:00")) == before
    await book.update(ada, "birthday")
    assert await asker.ask(RULE, utc("2024-12-01T12:00:00")) == []


async def test_deleted_restricted_and_others_contacts_are_out_of_it(book, asker, bobs_asker, as_superuser):
    as_of = utc("2024-12-01T12:00:00")
    ada, grace, anna = [await born(book, 12, 10, given_name=name) for name in ("Ada", "Grace", "Anna")]
    assert len(await asker.ask(RULE, as_of)) == 3
    assert [str(each.contact_ids[0]) for each in await asker.ask(RULE, as_of, of=[grace])] == [grace]
    assert await bobs_asker.ask(RULE, as_of) == []
    assert await bobs_asker.ask(RULE, as_of, of=[grace]) == []
    await book.delete(ada)
    await restrict(as_superuser, asker.tenant, await book.get(grace))
    [found] = await asker.ask(RULE, as_of)
    assert str(found.contact_ids[0]) == anna


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)))
def test_each_birthday_comes_on_one_day_a_year(today):
    """Asked every day of a year from any day, everybody's birthday is found, each time with the same date."""
    dates: dict[tuple[int, int], set[date]] = {}
    for ahead in range(0, 366, DAYS_AHEAD):
        for born_on, birthday in birthdays(today + timedelta(days=ahead)).items():
            dates.setdefault(born_on, set()).add(birthday)
    assert set(dates) == {(day.month, day.day) for day in OF_A_YEAR}
    for (month, day), found in dates.items():
        for each in found:
            assert each.month == month
            assert each.day == min(day, calendar.monthrange(each.year, month)[1])
        assert len({each.year for each in found}) == len(found)


@given(st.dates(date(2000, 1, 1), date(2099, 12, 31)), st.sampled_from(OF_A_YEAR))
def test_a_birthday_stays_the_same_until_it_is_over(today, born_on):
    key = (born_on.month, born_on.day)
    if found := birthdays(today).get(key):
        assert today <= found <= today + timedelta(days=DAYS_AHEAD)
        for ahead in range((found - today).days + 1):
            assert birthdays(today + timedelta(days=ahead))[key] == found
        assert key not in birthdays(found + timedelta(days=1))
