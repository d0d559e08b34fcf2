"""A calendar file's definition of a zone says of every moment what the zone itself says."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from dateutil.rrule import rrulestr
from icalendar import Timezone

from shared.calendar_zones import LAST_YEAR, zone_definition
from shared.time_zones import names, time_zone

# Every rule that a zone lasts by, and some whose clocks went other ways.
ZONES = [
    *("America/New_York", "Europe/Berlin", "Europe/Dublin", "Australia/Sydney", "Australia/Lord_Howe", "Asia/Kolkata"),
    *("Africa/Cairo", "Africa/Casablanca", "America/Santiago", "America/Nuuk", "Asia/Beirut", "Asia/Gaza"),
    *("Asia/Jerusalem", "America/Havana", "Pacific/Chatham", "Pacific/Easter", "America/Asuncion", "Pacific/Apia"),
    *("Europe/Chisinau", "America/Scoresbysund", "Antarctica/Troll", "Pacific/Norfolk", "America/Caracas", "UTC"),
]


def onsets(component: Any) -> list[tuple[datetime, timedelta]]:
    """When which offset begins, as RFC 5545 §3.6.5 reads a definition: each onset in the offset before it."""
    found: list[tuple[datetime, timedelta]] = []
    for part in component.subcomponents:
        before, after = part["TZOFFSETFROM"].td, part["TZOFFSETTO"].td
        first = part["DTSTART"].dt
        locals_ = [first]
        if "RRULE" in part:
            rule = rrulestr(part["RRULE"].to_ical().decode(), dtstart=first)
            locals_ = list(rule.between(first, first.replace(year=LAST_YEAR), inc=True))
            assert locals_[0] == first, "the rule does not say its own start"
        if "RDATE" in part:
            locals_ += [entry.dt for entry in part["RDATE"].dts]
        found += [(local.replace(tzinfo=UTC) - before, after) for local in locals_]
    return sorted(found)


def offset_by(changes: list[tuple[datetime, timedelta]], moment: datetime) -> timedelta:
    return [after for onset, after in changes if onset <= moment][-1]


def moments(zone: ZoneInfo, changes: list[tuple[datetime, timedelta]], first_year: int) -> list[datetime]:
    """Just before and after each change, and any."""
    begin, end = datetime(first_year, 1, 1, tzinfo=UTC), datetime(LAST_YEAR - 1, 12, 1, tzinfo=UTC)
    found = [onset + timedelta(seconds=s) for onset, _ in changes for s in (-1, 0)]
    found += [begin + (end - begin) * random.random() for _ in range(500)]
    return [moment for moment in found if begin <= moment <= end]


@pytest.mark.parametrize("first_year", [1971, 2026])
@pytest.mark.parametrize("name", ZONES)
def test_a_definition_says_what_the_zone_says(name: str, first_year: int) -> None:
    zone = time_zone(name)
    component = Timezone.from_ical(zone_definition(name, first_year))
    assert str(component["TZID"]) == name
    changes = onsets(component)
    for moment in moments(zone, changes, first_year):
        assert offset_by(changes, moment) == moment.astimezone(zone).utcoffset(), moment


def test_new_york_goes_on_by_rule_and_its_gap_begins_at_two() -> None:
    lines = zone_definition("America/New_York", 2026).decode().splitlines()
    assert "DTSTART:20250309T020000" in lines
    assert "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3" in lines
    assert not [line for line in lines if line.startswith("RDATE")]


def test_the_same_zone_has_the_same_bytes() -> None:
    made = zone_definition("Europe/Berlin", 2000)
    zone_definition.cache_clear()
    assert zone_definition("Europe/Berlin", 2000) == made


def test_every_zone_can_be_defined() -> None:
    for name in random.sample(sorted(names()), 40):
        assert Timezone.from_ical(zone_definition(name, 2026)).subcomponents
