"""Days as the user's calendar shows them, which is what cadences, birthdays and silences are counted in."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from shared.time_zones import to_local, to_utc

# An insight without an end of its own is looked at anew after so many days, and never in fewer than a week.
STEP = timedelta(days=30)
AT_LEAST = timedelta(days=7)


def day_of(moment: datetime, zone: ZoneInfo) -> date:
    """The day that a calendar in the zone shows at a moment."""
    return to_local(moment, zone).date()


def start_of(day: date, zone: ZoneInfo) -> datetime:
    """When a day begins in a zone, in UTC. A day that the zone skipped begins with the one after it."""
    return to_utc(datetime.combine(day, time()), zone)


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """When a day is over in a zone, in UTC."""
    return start_of(day + timedelta(days=1), zone)


def next_step(since: date, today: date) -> date:
    """The first of the days 30, 60, … after `since` that lies a week or more after today.

    A time that follows from what was found, not from when it was asked for: asking every day gives the same one, until
    that is a week away.
    """
    steps = max(1, -((since - today - AT_LEAST) // STEP))
    return since + steps * STEP
