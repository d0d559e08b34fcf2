# ruff: noqa: DTZ001 - local times are what this is about
"""Occurrences in zones whose clocks change, rules that seldom or never come, and where a search begins."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared import time_zones
from shared.recurrence import Occurrence, Recurrence
from shared.recurrence_rule import RuleMalformed, RuleUnsupported, read_rule
from shared.time_zones import read_local, time_zone, to_utc, write_local


def recurrence(start: str, rule: str = "", zone: str = "America/New_York") -> Recurrence:
    return Recurrence(datetime.fromisoformat(start), time_zone(zone), read_rule(rule) if rule else None)


def first(wanted: int, *arguments: str) -> list[Occurrence]:
    return list(itertools.islice(recurrence(*arguments).after(None), wanted))


def times(wanted: int, *arguments: str) -> list[str]:
    return [one.time.strftime("%Y-%m-%dT%H:%MZ") for one in first(wanted, *arguments)]


def local_days(wanted: int, *arguments: str) -> list[str]:
    return [one.local.date().isoformat() for one in first(wanted, *arguments)]


def test_a_local_time_that_new_york_skips_is_taken_with_the_offset_before() -> None:
    assert times(3, "2026-03-07T02:30:00", "FREQ=DAILY") == [
        "2026-03-07T07:30Z",
        "2026-03-08T07:30Z",
        "2026-03-09T06:30Z",
    ]


@pytest.mark.parametrize(
    ("zone", "start", "expected"),
    [
        ("Europe/Berlin", "2026-03-28T02:30:00", ["2026-03-28T01:30Z", "2026-03-29T01:30Z", "2026-03-30T00:30Z"]),
        ("Europe/Berlin", "2026-10-24T02:30:00", ["2026-10-24T00:30Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"]),
        ("Australia/Sydney", "2026-10-03T02:30:00", ["2026-10-02T16:30Z", "2026-10-03T16:30Z", "2026-10-04T15:30Z"]),
        ("Australia/Sydney", "2026-04-04T02:30:00", ["2026-04-03T15:30Z", "2026-04-04T15:30Z", "2026-04-05T16:30Z"]),
        # Half an hour, and a zone that changes at midnight.
        ("Australia/Lord_Howe", "2026-10-03T02:15:00", ["2026-10-02T15:45Z", "2026-10-03T15:45Z", "2026-10-04T15:15Z"]),
        ("America/Santiago", "2026-09-05T00:30:00", ["2026-09-05T04:30Z", "2026-09-06T04:30Z", "2026-09-07T03:30Z"]),
        ("Asia/Kolkata", "2026-03-28T02:30:00", ["2026-03-27T21:00Z", "2026-03-28T21:00Z", "2026-03-29T21:00Z"]),
    ],
)
def test_days_around_a_change_of_the_clocks(zone: str, start: str, expected: list[str]) -> None:
    assert times(3, start, "FREQ=DAILY", zone) == expected


def test_a_local_time_that_occurs_twice_is_the_first() -> None:
    assert times(2, "2026-10-31T01:30:00", "FREQ=DAILY") == ["2026-10-31T05:30Z", "2026-11-01T05:30Z"]


def test_two_local_times_of_one_moment_are_one_occurrence() -> None:
    found = first(4, "2026-03-08T01:00:00", "FREQ=HOURLY")
    assert [one.time.hour for one in found] == [6, 7, 8, 9]
    assert [one.local.hour for one in found] == [1, 2, 4, 5]


def test_occurrences_are_in_time_though_the_clocks_skip_some() -> None:
    found = first(5, "2026-03-08T02:30:00", "FREQ=DAILY;BYHOUR=2,3;BYMINUTE=15,45")
    assert [(one.local.strftime("%H:%M"), one.time.strftime("%H:%M")) for one in found[:3]] == [
        ("03:15", "07:15"),
        ("02:45", "07:45"),
        ("02:15", "06:15"),
    ]


def test_a_day_that_samoa_skipped_is_the_day_after() -> None:
    assert local_days(3, "2011-12-29T10:00:00", "FREQ=DAILY", "Pacific/Apia") == [
        "2011-12-29",
        "2011-12-30",
        "2012-01-01",
    ]


def test_the_31st_skips_short_months() -> None:
    assert local_days(4, "2026-01-31T09:00:00", "FREQ=MONTHLY") == [
        "2026-01-31",
        "2026-03-31",
        "2026-05-31",
        "2026-07-31",
    ]


def test_the_29th_of_february_skips_years_and_the_last_of_february_does_not() -> None:
    assert local_days(3, "2024-02-29T09:00:00", "FREQ=YEARLY") == ["2024-02-29", "2028-02-29", "2032-02-29"]
    last = "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1"
    assert local_days(3, "2024-02-29T09:00:00", last) == ["2024-02-29", "2025-02-28", "2026-02-28"]


def test_a_year_without_29_february_is_skipped_by_the_century_too() -> None:
    assert local_days(2, "2096-02-29T09:00:00", "FREQ=YEARLY") == ["2096-02-29", "2104-02-29"]


@pytest.mark.parametrize(
    ("until", "last"),
    [
        ("20260103", "2026-01-03"),
        ("20260103T090000", "2026-01-03"),
        ("20260103T085959", "2026-01-02"),
        ("20260103T140000Z", "2026-01-03"),
        ("20260103T135959Z", "2026-01-02"),
    ],
)
def test_until_includes_its_moment_in_utc_and_its_local_time_and_its_day(until: str, last: str) -> None:
    assert local_days(9, "2026-01-01T09:00:00", f"FREQ=DAILY;UNTIL={until}")[-1] == last


def test_the_start_is_no_occurrence_when_the_rule_does_not_name_it() -> None:
    assert local_days(2, "2026-01-01T09:00:00", "FREQ=MONTHLY;BYMONTHDAY=15") == ["2026-01-15", "2026-02-15"]


def test_numbered_days_and_others_beside_each_other() -> None:
    assert local_days(6, "2026-01-01T09:00:00", "FREQ=MONTHLY;BYDAY=TH,1WE") == [
        *("2026-01-01", "2026-01-07", "2026-01-08", "2026-01-15", "2026-01-22", "2026-01-29"),
    ]
    assert local_days(3, "2026-12-20T09:00:00", "FREQ=YEARLY;BYDAY=TH,-1SU") == [
        "2026-12-24",
        "2026-12-27",
        "2026-12-31",
    ]


def test_positions_are_those_of_the_whole_week_in_which_a_rule_starts() -> None:
    # 2026-01-07 is a Wednesday; Monday, the first position of its week, is over.
    assert local_days(2, "2026-01-07T09:00:00", "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=1") == ["2026-01-12", "2026-01-19"]
    assert local_days(2, "2026-01-07T09:00:00", "FREQ=WEEKLY;BYDAY=MO,WE,FR;BYSETPOS=-1") == [
        "2026-01-09",
        "2026-01-16",
    ]


def test_positions_within_a_day_and_within_an_hour() -> None:
    found = first(3, "2026-01-07T09:00:00", "FREQ=DAILY;BYHOUR=8,12,18;BYSETPOS=-1,1")
    assert [one.local.strftime("%d %H") for one in found] == ["07 18", "08 08", "08 18"]
    found = first(2, "2026-01-07T09:00:00", "FREQ=HOURLY;BYMINUTE=10,20,30;BYSETPOS=2")
    assert [one.local.strftime("%H:%M") for one in found] == ["09:20", "10:20"]


def test_a_weeks_number_alone_means_the_weekday_of_the_start() -> None:
    assert local_days(3, "1997-05-13T09:00:00", "FREQ=YEARLY;BYWEEKNO=20") == ["1997-05-13", "1998-05-12", "1999-05-18"]


def test_days_of_the_year_in_which_a_day_of_the_month_is_wanted() -> None:
    assert local_days(2, "2026-01-01T00:00:00", "FREQ=HOURLY;BYYEARDAY=-1;BYHOUR=0") == ["2026-12-31", "2027-12-31"]
    assert local_days(2, "2026-01-01T00:00:00", "FREQ=HOURLY;INTERVAL=24;BYYEARDAY=-1,60") == [
        "2026-03-01",
        "2026-12-31",
    ]


def test_before_the_first_entry_of_the_time_zones_and_far_after_the_last() -> None:
    assert first(1, "1800-07-01T12:00:00")[0].time == datetime(1800, 7, 1, 16, 56, 2, tzinfo=UTC)
    assert times(1, "9000-07-01T12:00:00") == ["9000-07-01T16:00Z"]
    assert times(9, "9999-12-30T23:00:00", "FREQ=DAILY") == ["9999-12-31T04:00Z"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;INTERVAL=5;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=MO",
        "FREQ=HOURLY;INTERVAL=168;BYDAY=MO",
        "FREQ=HOURLY;INTERVAL=2;BYHOUR=10",
        "FREQ=DAILY;BYHOUR=1,2;BYSETPOS=3",
        "FREQ=WEEKLY;BYDAY=MO,TU;BYSETPOS=-3",
        "FREQ=YEARLY;BYDAY=MO;BYSETPOS=60",
        "FREQ=YEARLY;BYMONTH=1;BYYEARDAY=100",
        "FREQ=DAILY;UNTIL=20200101",
    ],
)
def test_a_rule_that_never_comes_is_refused_soon(rule: str) -> None:
    # 2026-01-06 is a Tuesday.
    started = time.process_time()
    with pytest.raises(RuleUnsupported):
        recurrence("2026-01-06T09:00:00", rule).check()
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
        "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU;BYHOUR=1,2",
        "FREQ=DAILY;INTERVAL=3;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
        "FREQ=HOURLY;INTERVAL=24;BYMINUTE=1,2;BYSETPOS=1;BYMONTH=2;BYMONTHDAY=29;BYDAY=SU",
        "FREQ=DAILY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;COUNT=1000",
        "FREQ=HOURLY;BYMINUTE=0,15,30,45;COUNT=1000",
        "FREQ=YEARLY;BYDAY=53MO;INTERVAL=9999",
        "FREQ=MONTHLY;BYMONTHDAY=31;BYDAY=5SU;INTERVAL=7",
    ],
)
def test_a_rule_that_asks_for_much_is_bounded(rule: str) -> None:
    started = time.process_time()
    found = first(1_000, "2026-01-06T09:00:00", rule)
    assert len(found) <= 1_000
    assert time.process_time() - started < 20


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=90", "FREQ=DAILY;BYSECOND=1,2", "FREQ=HOURLY;BYMINUTE=0,10,20,30,40,50"],
)
def test_what_comes_too_often_is_refused(rule: str) -> None:
    with pytest.raises(RuleUnsupported):
        read_rule(rule)


@pytest.mark.parametrize(
    "rule",
    [
        *(
            "",
            ";",
            "FREQ",
            "FREQ=",
            "DAILY",
            "FREQ=FORTNIGHTLY",
            "RRULE:FREQ=DAILY",
            "FREQ=DAILY;",
            "FREQ=DAILY;FREQ=DAILY",
        ),
        *("INTERVAL=2", "FREQ=DAILY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;INTERVAL=99999999999999999999"),
        *("FREQ=DAILY;COUNT=0", "FREQ=DAILY;COUNT=1001", "FREQ=DAILY;COUNT=1;UNTIL=20300101", "FREQ=DAILY;COUNT=٣"),
        *("FREQ=DAILY;UNTIL=2030", "FREQ=DAILY;UNTIL=20300231", "FREQ=DAILY;UNTIL=20300101T250000Z"),
        *("FREQ=DAILY;BYEASTER=1", "FREQ=DAILY;DTSTART=20300101", "FREQ=DAILY\nEXDATE:20300101", "FREQ=DAILY;BYDAY=XX"),
        *(
            "FREQ=DAILY;BYDAY=1MO",
            "FREQ=WEEKLY;BYDAY=1MO",
            "FREQ=YEARLY;BYWEEKNO=1;BYDAY=1MO",
            "FREQ=MONTHLY;BYDAY=6MO",
        ),
        *(
            "FREQ=YEARLY;BYDAY=0MO",
            "FREQ=YEARLY;BYDAY=54MO",
            "FREQ=YEARLY;BYDAY=6MO;BYMONTH=3",
            "FREQ=MONTHLY;BYWEEKNO=1",
            "FREQ=MONTHLY;BYYEARDAY=1",
        ),
        *(
            "FREQ=WEEKLY;BYMONTHDAY=1",
            "FREQ=YEARLY;BYMONTH=13",
            "FREQ=MONTHLY;BYMONTHDAY=0",
            "FREQ=MONTHLY;BYMONTHDAY=32",
        ),
        *("FREQ=YEARLY;BYYEARDAY=367", "FREQ=DAILY;BYHOUR=24", "FREQ=DAILY;BYMINUTE=60", "FREQ=DAILY;BYSECOND=61"),
        *("FREQ=DAILY;BYSETPOS=1", "FREQ=DAILY;BYHOUR=1;BYSETPOS=0", "FREQ=WEEKLY;WKST=XX", "FREQ=DAILY;BYHOUR=1,"),
    ],
)
def test_what_is_no_rule_is_refused(rule: str) -> None:
    with pytest.raises(RuleMalformed) as refused:
        read_rule(rule)
    assert str(refused.value).startswith("must ")


def test_case_and_outer_space_do_not_matter() -> None:
    assert read_rule(" freq=weekly;byday=mo ").text == "FREQ=WEEKLY;BYDAY=MO"


RULES = [
    *("FREQ=HOURLY;INTERVAL=5", "FREQ=DAILY", "FREQ=DAILY;INTERVAL=3;BYMONTH=2,7", "FREQ=DAILY;BYMONTHDAY=31"),
    *(
        "FREQ=WEEKLY;INTERVAL=3;BYDAY=SU,WE;WKST=SU",
        "FREQ=WEEKLY;BYDAY=MO,TH;BYSETPOS=-1",
        "FREQ=MONTHLY;BYMONTHDAY=31",
    ),
    *("FREQ=MONTHLY;INTERVAL=5;BYDAY=-1FR", "FREQ=YEARLY;INTERVAL=2;BYYEARDAY=-1", "FREQ=YEARLY;BYWEEKNO=53;BYDAY=MO"),
    *("FREQ=DAILY;COUNT=900", "FREQ=WEEKLY;UNTIL=20300101T000000Z", "FREQ=HOURLY;BYMONTH=3;BYDAY=SU;BYHOUR=2,3", ""),
]


@given(
    rule=st.sampled_from(RULES),
    start=st.datetimes(datetime(2019, 12, 25), datetime(2021, 3, 1)),
    distance=st.integers(0, 150),
    zone=st.sampled_from(["America/New_York", "Australia/Lord_Howe", "UTC"]),
)
def test_it_does_not_matter_where_a_search_begins(rule: str, start: datetime, distance: int, zone: str) -> None:
    """What is found from the start on is found from anywhere in it, forwards and backwards."""
    it = recurrence(start.replace(microsecond=0).isoformat(), rule, zone)
    found = list(itertools.islice(it.after(None), 200))
    assert [one.time for one in found] == sorted({one.time for one in found})
    for i in {distance % len(found), len(found) - 1} if found else ():
        here = found[i]
        assert it.holds(here.local)
        following = found[i + 1 : i + 3]
        assert list(itertools.islice(it.after(here.local), len(following))) == following
        assert next(it.at_or_after(here.time)) == here
        assert it.latest(None, here.time) == here
        assert it.latest(None, here.time - timedelta(seconds=1)) == (found[i - 1] if i else None)
        assert it.latest(here.local, here.time) is None


@given(st.sampled_from(sorted(time_zones.names())), st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1)))
def test_the_zones_are_those_of_the_pinned_package(name: str, local: datetime) -> None:
    zone: ZoneInfo = time_zone(name)
    assert zone.key == name
    assert abs(to_utc(local, zone).replace(tzinfo=None) - local) <= timedelta(hours=24)


def test_a_zone_is_known_by_its_exact_name_alone() -> None:
    for name in ("", "europe/berlin", "../zones", "posixrules", "Europe", "/etc/localtime"):
        assert name not in time_zones.names()
        with pytest.raises(KeyError):
            time_zone(name)


@pytest.mark.parametrize("text", ["2026-02-30T00:00:00", "2026-01-01", "2026-01-01T00:00", "2026-01-01T00:00:00Z", "x"])
def test_what_is_no_local_time_is_none(text: str) -> None:
    assert read_local(text) is None
    assert write_local(datetime(2026, 3, 8, 2, 30)) == "2026-03-08T02:30:00"
