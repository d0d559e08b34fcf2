import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.partial_date import DateParts, date_parts, read_date


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("19850412", (1985, 4, 12)),
        ("1985-04-12", (1985, 4, 12)),
        ("1985-4-2", (1985, 4, 2)),
        ("1985-04", (1985, 4, None)),
        ("1985", (1985, None, None)),
        ("--0412", (None, 4, 12)),
        ("--04-12", (None, 4, 12)),
        ("--04", (None, 4, None)),
        ("---12", (None, None, 12)),
        ("--0229", (None, 2, 29)),
        ("2000-02-29", (2000, 2, 29)),
        ("1604-04-12", (None, 4, 12)),
        ("0000-04-12", (None, 4, 12)),
        ("19850412T102030Z", (1985, 4, 12)),
        ("1985-04-12T10:20:30+02:00", (1985, 4, 12)),
        ("1985-04-12 00:00:00", (1985, 4, 12)),
        (" 0001-01-01 ", (1, 1, 1)),
    ],
)
def test_dates_are_read_as_vcards_write_them(written, parts):
    assert read_date(written) == DateParts(*parts)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "1604",
        "circa 1800",
        "1985-02-30",
        "1985-13-01",
        "--0230",
        "--1301",
        "---32",
        "---00",
        "198504",
        "٠٩٨٥",
        "1985-04-12x",
    ],
)
def test_what_is_no_day_of_the_calendar_is_no_date(written):
    assert read_date(written) is None


def test_the_year_that_stands_for_none_can_be_told():
    assert read_date("1900-04-12", 1900) == DateParts(None, 4, 12)


def test_leap_day_without_a_year_is_possible_and_in_a_common_year_is_not():
    assert date_parts(0, 2, 29) == DateParts(None, 2, 29)
    with pytest.raises(ValueError):
        date_parts(2023, 2, 29)


@pytest.mark.parametrize(
    "parts", [(0, 2, 30), (10_000, 1, 1), (-1, 1, 1), (2000, 13, 1), (2000, 1, 32), (2000, -1, 1), (1985, 0, 5)]
)
def test_impossible_dates_are_refused(parts):
    with pytest.raises(ValueError):
        date_parts(*parts)


@given(st.dates())
def test_every_day_of_the_calendar_is_read_in_both_forms(day: dt.date):
    year = None if day.year == 1604 else day.year
    assert read_date(f"{day:%m-%d}".join([f"{day.year:04}-", ""])) == (year, day.month, day.day)
    assert read_date(f"{day.year:04}{day:%m%d}") == (year, day.month, day.day)
    assert read_date(f"--{day:%m%d}") == (None, day.month, day.day)


@given(st.text(max_size=50))
def test_any_text_is_a_date_or_none(text: str):
    date = read_date(text)
    assert date is None or any(date)
