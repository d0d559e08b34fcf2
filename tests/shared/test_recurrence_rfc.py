"""The examples of RFC 5545 §3.8.5.3, each with the dates that it states, all in New York's local time.

Two kinds of example are left to test_recurrence.py: rules by the minute, which are refused, and exceptions, which
reminders do not have.
"""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta

import pytest

from shared.recurrence import Recurrence
from shared.recurrence_rule import read_rule
from shared.time_zones import time_zone

NEW_YORK = time_zone("America/New_York")
MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"
START = "1997-09-02T09:00:00"


def days(text: str) -> list[str]:
    """`1997 Sep 2-4 9; Oct 1` → each day as it is compared, at nine o'clock."""
    year, found = 0, []
    for part in text.replace("\n", " ").split(";"):
        words = part.split()
        if words[0].isdecimal() and len(words[0]) == 4:
            year = int(words.pop(0))
        month = words.pop(0)
        for word in words:
            first, _, last = word.partition("-")
            found += [
                f"{year}-{MONTHS.index(month) // 3 + 1:02}-{day:02} 09:00:00"
                for day in range(int(first), int(last or first) + 1)
            ]
    return found


# Title, rule, start where it is another one, the dates. `...` at the end: it goes on.
EXAMPLES = [
    ("daily for 10 occurrences", "FREQ=DAILY;COUNT=10", START, "1997 Sep 2-11"),
    (
        "daily until December 24, 1997",
        "FREQ=DAILY;UNTIL=19971224T000000Z",
        START,
        "1997 Sep 2-30; Oct 1-31; Nov 1-30; Dec 1-23",
    ),
    (
        "every other day",
        "FREQ=DAILY;INTERVAL=2",
        START,
        "1997 Sep 2 4 6 8 10 12 14 16 18 20 22 24 26 28 30; Oct 2 4 6 8 ...",
    ),
    ("every 10 days, 5 occurrences", "FREQ=DAILY;INTERVAL=10;COUNT=5", START, "1997 Sep 2 12 22; Oct 2 12"),
    (
        "every day in January, for 3 years, by years",
        "FREQ=YEARLY;UNTIL=20000131T140000Z;BYMONTH=1;BYDAY=SU,MO,TU,WE,TH,FR,SA",
        "1998-01-01T09:00:00",
        "1998 Jan 1-31; 1999 Jan 1-31; 2000 Jan 1-31",
    ),
    (
        "every day in January, for 3 years, by days",
        "FREQ=DAILY;UNTIL=20000131T140000Z;BYMONTH=1",
        "1998-01-01T09:00:00",
        "1998 Jan 1-31; 1999 Jan 1-31; 2000 Jan 1-31",
    ),
    (
        "weekly for 10 occurrences",
        "FREQ=WEEKLY;COUNT=10",
        START,
        "1997 Sep 2 9 16 23 30; Oct 7 14 21 28; Nov 4",
    ),
    (
        "weekly until December 24, 1997",
        "FREQ=WEEKLY;UNTIL=19971224T000000Z",
        START,
        "1997 Sep 2 9 16 23 30; Oct 7 14 21 28; Nov 4 11 18 25; Dec 2 9 16 23",
    ),
    (
        "every other week",
        "FREQ=WEEKLY;INTERVAL=2;WKST=SU",
        START,
        "1997 Sep 2 16 30; Oct 14 28; Nov 11 25; Dec 9 23; 1998 Jan 6 20; Feb 3 17 ...",
    ),
    (
        "weekly on Tuesday and Thursday for five weeks, until",
        "FREQ=WEEKLY;UNTIL=19971007T000000Z;WKST=SU;BYDAY=TU,TH",
        START,
        "1997 Sep 2 4 9 11 16 18 23 25 30; Oct 2",
    ),
    (
        "weekly on Tuesday and Thursday for five weeks, counted",
        "FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH",
        START,
        "1997 Sep 2 4 9 11 16 18 23 25 30; Oct 2",
    ),
    (
        "every other week on Monday, Wednesday, and Friday until December 24, 1997",
        "FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR",
        "1997-09-01T09:00:00",
        "1997 Sep 1 3 5 15 17 19 29; Oct 1 3 13 15 17 27 29 31; Nov 10 12 14 24 26 28; Dec 8 10 12 22",
    ),
    (
        "every other week on Tuesday and Thursday, for 8 occurrences",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=8;WKST=SU;BYDAY=TU,TH",
        START,
        "1997 Sep 2 4 16 18 30; Oct 2 14 16",
    ),
    (
        "monthly on the first Friday for 10 occurrences",
        "FREQ=MONTHLY;COUNT=10;BYDAY=1FR",
        "1997-09-05T09:00:00",
        "1997 Sep 5; Oct 3; Nov 7; Dec 5; 1998 Jan 2; Feb 6; Mar 6; Apr 3; May 1; Jun 5",
    ),
    (
        "monthly on the first Friday until December 24, 1997",
        "FREQ=MONTHLY;UNTIL=19971224T000000Z;BYDAY=1FR",
        "1997-09-05T09:00:00",
        "1997 Sep 5; Oct 3; Nov 7; Dec 5",
    ),
    (
        "every other month on the first and last Sunday of the month for 10 occurrences",
        "FREQ=MONTHLY;INTERVAL=2;COUNT=10;BYDAY=1SU,-1SU",
        "1997-09-07T09:00:00",
        "1997 Sep 7 28; Nov 2 30; 1998 Jan 4 25; Mar 1 29; May 3 31",
    ),
    (
        "monthly on the second-to-last Monday of the month for 6 months",
        "FREQ=MONTHLY;COUNT=6;BYDAY=-2MO",
        "1997-09-22T09:00:00",
        "1997 Sep 22; Oct 20; Nov 17; Dec 22; 1998 Jan 19; Feb 16",
    ),
    (
        "monthly on the third-to-the-last day of the month",
        "FREQ=MONTHLY;BYMONTHDAY=-3",
        "1997-09-28T09:00:00",
        "1997 Sep 28; Oct 29; Nov 28; Dec 29; 1998 Jan 29; Feb 26 ...",
    ),
    (
        "monthly on the 2nd and 15th of the month for 10 occurrences",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15",
        START,
        "1997 Sep 2 15; Oct 2 15; Nov 2 15; Dec 2 15; 1998 Jan 2 15",
    ),
    (
        "monthly on the first and last day of the month for 10 occurrences",
        "FREQ=MONTHLY;COUNT=10;BYMONTHDAY=1,-1",
        "1997-09-30T09:00:00",
        "1997 Sep 30; Oct 1 31; Nov 1 30; Dec 1 31; 1998 Jan 1 31; Feb 1",
    ),
    (
        "every 18 months on the 10th through the 15th of the month for 10 occurrences",
        "FREQ=MONTHLY;INTERVAL=18;COUNT=10;BYMONTHDAY=10,11,12,13,14,15",
        "1997-09-10T09:00:00",
        "1997 Sep 10-15; 1999 Mar 10-13",
    ),
    (
        "every Tuesday, every other month",
        "FREQ=MONTHLY;INTERVAL=2;BYDAY=TU",
        START,
        "1997 Sep 2 9 16 23 30; Nov 4 11 18 25; 1998 Jan 6 13 20 27; Mar 3 10 17 24 31 ...",
    ),
    (
        "yearly in June and July for 10 occurrences",
        "FREQ=YEARLY;COUNT=10;BYMONTH=6,7",
        "1997-06-10T09:00:00",
        "1997 Jun 10; Jul 10; 1998 Jun 10; Jul 10; 1999 Jun 10; Jul 10; 2000 Jun 10; Jul 10; 2001 Jun 10; Jul 10",
    ),
    (
        "every other year on January, February, and March for 10 occurrences",
        "FREQ=YEARLY;INTERVAL=2;COUNT=10;BYMONTH=1,2,3",
        "1997-03-10T09:00:00",
        "1997 Mar 10; 1999 Jan 10; Feb 10; Mar 10; 2001 Jan 10; Feb 10; Mar 10; 2003 Jan 10; Feb 10; Mar 10",
    ),
    (
        "every third year on the 1st, 100th, and 200th day for 10 occurrences",
        "FREQ=YEARLY;INTERVAL=3;COUNT=10;BYYEARDAY=1,100,200",
        "1997-01-01T09:00:00",
        "1997 Jan 1; Apr 10; Jul 19; 2000 Jan 1; Apr 9; Jul 18; 2003 Jan 1; Apr 10; Jul 19; 2006 Jan 1",
    ),
    (
        "every 20th Monday of the year",
        "FREQ=YEARLY;BYDAY=20MO",
        "1997-05-19T09:00:00",
        "1997 May 19; 1998 May 18; 1999 May 17 ...",
    ),
    (
        "Monday of week number 20",
        "FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO",
        "1997-05-12T09:00:00",
        "1997 May 12; 1998 May 11; 1999 May 17 ...",
    ),
    (
        "every Thursday in March",
        "FREQ=YEARLY;BYMONTH=3;BYDAY=TH",
        "1997-03-13T09:00:00",
        "1997 Mar 13 20 27; 1998 Mar 5 12 19 26; 1999 Mar 4 11 18 25 ...",
    ),
    (
        "every Thursday, but only during June, July, and August",
        "FREQ=YEARLY;BYDAY=TH;BYMONTH=6,7,8",
        "1997-06-05T09:00:00",
        """1997 Jun 5 12 19 26; Jul 3 10 17 24 31; Aug 7 14 21 28; 1998 Jun 4 11 18 25; Jul 2 9 16 23 30;
        Aug 6 13 20 27; 1999 Jun 3 10 17 24; Jul 1 8 15 22 29; Aug 5 12 19 26 ...""",
    ),
    (
        "every Friday the 13th",
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        START,
        "1998 Feb 13; Mar 13; Nov 13; 1999 Aug 13; 2000 Oct 13 ...",
    ),
    (
        "the first Saturday that follows the first Sunday of the month",
        "FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13",
        "1997-09-13T09:00:00",
        "1997 Sep 13; Oct 11; Nov 8; Dec 13; 1998 Jan 10; Feb 7; Mar 7; Apr 11; May 9; Jun 13 ...",
    ),
    (
        "every 4 years, the first Tuesday after a Monday in November",
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "1996-11-05T09:00:00",
        "1996 Nov 5; 2000 Nov 7; 2004 Nov 2 ...",
    ),
    (
        "the third instance into the month of one of Tuesday, Wednesday, or Thursday, for the next 3 months",
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "1997-09-04T09:00:00",
        "1997 Sep 4; Oct 7; Nov 6",
    ),
    (
        "the second-to-last weekday of the month",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "1997-09-29T09:00:00",
        "1997 Sep 29; Oct 30; Nov 27; Dec 30; 1998 Jan 29; Feb 26; Mar 30 ...",
    ),
    (
        "weeks that begin on Monday",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "1997-08-05T09:00:00",
        "1997 Aug 5 10 19 24",
    ),
    (
        "weeks that begin on Sunday",
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "1997-08-05T09:00:00",
        "1997 Aug 5 17 19 31",
    ),
    (
        "an invalid date (February 30) is ignored",
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "2007-01-15T09:00:00",
        "2007 Jan 15 30; Feb 15; Mar 15 30",
    ),
]

# Those of less than a day, with their hours.
WITHIN_A_DAY = [
    (
        "every 3 hours from 9:00 AM to 5:00 PM on a specific day",
        "FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T210000Z",
        ["09:00", "12:00", "15:00"],
    ),
    (
        "every 20 minutes from 9:00 AM to 4:40 PM every day",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,20,40",
        [f"{hour:02}:{minute:02}" for hour in range(9, 17) for minute in (0, 20, 40)],
    ),
]


def recurrence(rule: str, start: str = START) -> Recurrence:
    return Recurrence(datetime.fromisoformat(start), NEW_YORK, read_rule(rule))


@pytest.mark.parametrize(("rule", "start", "dates"), [e[1:] for e in EXAMPLES], ids=[e[0] for e in EXAMPLES])
def test_an_example_gives_its_dates(rule: str, start: str, dates: str) -> None:
    goes_on = dates.endswith("...")
    expected = days(dates.removesuffix("..."))
    found = [str(one.local) for one in itertools.islice(recurrence(rule, start).after(None), len(expected) + 1)]
    assert found[: len(expected)] == expected
    assert (len(found) > len(expected)) == goes_on


@pytest.mark.parametrize(("rule", "hours"), [e[1:] for e in WITHIN_A_DAY], ids=[e[0] for e in WITHIN_A_DAY])
def test_an_example_gives_its_hours(rule: str, hours: list[str]) -> None:
    found = [one.local for one in itertools.islice(recurrence(rule).after(None), len(hours) + 1)]
    assert [local.strftime("%H:%M") for local in found if local.date() == found[0].date()] == hours


def test_every_other_day_goes_on_for_ever() -> None:
    first, *_, last = itertools.islice(recurrence("FREQ=DAILY;INTERVAL=2").after(None), 10_000)
    assert last.local - first.local == timedelta(days=2 * 9_999)


def test_what_is_nine_in_new_york_is_an_hour_later_in_utc_from_winter_on() -> None:
    found = recurrence("FREQ=DAILY;UNTIL=19971224T000000Z").after(None)
    hours = {one.time.hour: one.local.date().isoformat() for one in found}
    assert hours == {13: "1997-10-25", 14: "1997-12-23"}
