"""Calendar files, read back by icalendar: what is in them, and that calendars find the occurrences that we find."""

from __future__ import annotations

import itertools
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from dateutil.rrule import rrulestr
from icalendar import Calendar
from pmcrm.interactions.v1 import reminder_service_pb2 as pb

from services.interactions.calendar_export import CHUNK
from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import (
    BIRTHDAY,
    KEEP_IN_TOUCH,
    URGENT,
    Reminding,
    leads,
    when,
)
from tests.suite import Metadata, failure, tenant_of


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    return Reminding(interactions, alice)


async def exported(reminding: Reminding, **arguments: Any) -> Any:
    return Calendar.from_ical(await reminding.calendar(**arguments))


def events(calendar: Any) -> dict[str, Any]:
    return {str(event["SUMMARY"]): event for event in calendar.walk("VEVENT")}


def occurrences(event: Any, count: int) -> list[datetime]:
    """As a calendar expands an event: in local time from its start on; skipped times with the offset before."""
    start = event["DTSTART"].dt
    zone = start.tzinfo
    found = [start.replace(tzinfo=None)]
    if "RRULE" in event:
        rule = event["RRULE"]
        for until in rule.get("UNTIL", []):
            rule["UNTIL"] = [until.astimezone(zone).replace(tzinfo=None)]
        found = list(itertools.islice(rrulestr(rule.to_ical().decode(), dtstart=start.replace(tzinfo=None)), count))
    return [local.replace(tzinfo=zone).astimezone(UTC) for local in found[:count]]


RULES = [
    ("2026-03-06T02:30:00", "FREQ=DAILY;COUNT=5", "America/New_York"),
    ("2026-01-31T09:00:00", "FREQ=MONTHLY", "Europe/Berlin"),
    ("2026-01-01T09:00:00", "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1;UNTIL=20270301", "Australia/Sydney"),
    ("2024-02-29T09:00:00", "FREQ=YEARLY", "Asia/Kolkata"),
    # The start is none of the rule's days.
    ("2026-01-07T09:00:00", "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;WKST=SU", "America/Santiago"),
    ("2026-01-07T09:00:00", "FREQ=YEARLY;INTERVAL=3;BYWEEKNO=20;BYDAY=FR;UNTIL=20400101T000000Z", "UTC"),
    ("2026-01-07T09:00:00", "", "Africa/Cairo"),
]


async def test_calendars_find_the_occurrences_that_we_find(reminding: Reminding) -> None:
    for i, (due, rule, zone) in enumerate(RULES):
        await reminding.create(title=str(i), due_local=due, rrule=rule, time_zone=zone)
    found = events(await exported(reminding))
    for i, (due, rule, zone) in enumerate(RULES):
        ours = await reminding.preview(due, rule, time_zone=zone, max_occurrences=30)
        assert occurrences(found[str(i)], 30) == [when(one) for one in ours.occurrences], rule


async def test_each_zone_is_defined_once_before_the_events(reminding: Reminding) -> None:
    for zone in ("Europe/Berlin", "America/New_York", "Europe/Berlin", "UTC"):
        await reminding.create(time_zone=zone)
    lines = (await reminding.calendar()).decode().split("\r\n")
    assert [line for line in lines if line.startswith("TZID:")] == ["TZID:America/New_York", "TZID:Europe/Berlin"]
    assert lines.index("END:VTIMEZONE") < lines.index("BEGIN:VEVENT")
    assert (lines[0], lines[-2:]) == ("BEGIN:VCALENDAR", ["END:VCALENDAR", ""])
    assert "DTSTART:20300101T090000Z" in lines
    assert all(len(line.encode()) <= 75 for line in lines)


async def test_an_event_tells_what_the_reminder_tells(reminding: Reminding) -> None:
    notes = "First, second; third\nline " + "ö" * 200 + "\x07"
    made = await reminding.create(
        title="Call, or write",
        notes=notes,
        priority=URGENT,
        notification=leads(timedelta(days=1), timedelta(0)),
        time_zone="Europe/Berlin",
    )
    event = events(await exported(reminding))["Call, or write"]
    assert str(event["DESCRIPTION"]) == notes.removesuffix("\x07")
    assert (str(event["UID"]), event["PRIORITY"]) == (f"{made.id}@pmcrm", 1)
    assert event["DTSTAMP"].dt == when(made.update_time).replace(microsecond=0)
    assert [alarm["TRIGGER"].dt for alarm in event.walk("VALARM")] == [timedelta(0), timedelta(days=-1)]
    assert event["DTSTART"].dt.tzinfo == ZoneInfo("Europe/Berlin")
    await reminding.update(made.id, "notification.muted", notification={"muted": True})
    assert not events(await exported(reminding))["Call, or write"].walk("VALARM")


async def test_the_same_reminders_give_the_same_bytes(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30, birthday={"month": 2, "day": 29})
    for kind in (BIRTHDAY, KEEP_IN_TOUCH):
        await reminding.create(kind=kind, contact_ids=[ada.id], time_zone="Asia/Tokyo")
    for _ in range(3):
        await reminding.create(rrule="FREQ=DAILY")
    first = await reminding.calendar(include_birthdays=True)
    assert await reminding.calendar(include_birthdays=True) == first
    await reminding.create()
    assert await reminding.calendar(include_birthdays=True) != first


async def test_completed_and_deleted_ones_are_left_out(reminding: Reminding) -> None:
    left, done, gone = [await reminding.create(title=title) for title in ("Left", "Done", "Gone")]
    await reminding.complete(done.id)
    await reminding.delete(gone.id)
    assert set(events(await exported(reminding))) == {left.title}
    assert set(events(await exported(reminding, include_completed=True))) == {"Left", "Done"}


async def test_birthdays_of_all_contacts_are_yearly_whole_days(reminding: Reminding, book: Book) -> None:
    await book.create(given_name="Ada", birthday={"year": 1815, "month": 12, "day": 10})
    await book.create(given_name="Leap", birthday={"month": 2, "day": 29})
    await book.create(given_name="Vague", birthday={"year": 1980, "month": 3})
    gone = await book.create(given_name="Gone", birthday={"month": 1, "day": 1})
    await book.delete(gone.id)
    found = events(await exported(reminding, include_birthdays=True))
    assert set(found) == {"Birthday of Ada", "Birthday of Leap"}
    assert found["Birthday of Ada"]["DTSTART"].dt == date(1815, 12, 10)
    assert found["Birthday of Ada"]["RRULE"].to_ical() == b"FREQ=YEARLY"
    leap = found["Birthday of Leap"]
    start = datetime.combine(leap["DTSTART"].dt, datetime.min.time())
    rule = rrulestr(leap["RRULE"].to_ical().decode(), dtstart=start)
    days = [one.strftime("%m-%d") for one in itertools.islice(rule, 5)]
    assert days == ["02-29", "02-28", "02-28", "02-28", "02-29"]
    assert not events(await exported(reminding))


async def test_only_what_is_about_a_contact(reminding: Reminding, book: Book, as_superuser: Connection) -> None:
    ada = await book.create(given_name="Ada", birthday={"month": 12, "day": 10})
    eve = await book.create(given_name="Eve", birthday={"month": 12, "day": 11})
    await reminding.create(title="About Ada", contact_ids=[ada.id])
    await reminding.create(title="About Eve", contact_ids=[eve.id])
    found = events(await exported(reminding, contact_id=ada.id, include_birthdays=True))
    assert set(found) == {"About Ada", "Birthday of Ada"}
    assert (await failure(reminding.calendar(contact_id="x"))).reason == "FIELD_INVALID"
    refused = await failure(reminding.calendar(contact_id=random_id()))
    assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(ada.id))
    assert (await failure(reminding.calendar(contact_id=ada.id))).reason == "PROCESSING_RESTRICTED"
    assert set(events(await exported(reminding, include_birthdays=True))) == {"About Eve", "Birthday of Eve"}


async def test_an_empty_calendar_is_one(reminding: Reminding) -> None:
    calendar = await exported(reminding)
    assert [component.name for component in calendar.subcomponents] == ["VTIMEZONE"]


async def test_an_export_is_audited(reminding: Reminding, book: Book, as_superuser: Connection) -> None:
    ada = await book.create(given_name="Ada")
    await reminding.create()
    await reminding.calendar()
    await reminding.calendar(contact_id=ada.id, include_completed=True)
    rows = await as_superuser.fetch(
        "SELECT subject_id, table_name, new_values FROM audit_logs "
        "WHERE user_id = $1 AND action = 'EXPORT' ORDER BY at",
        uuid.UUID(tenant_of(reminding.tenant)),
    )
    told = {"format": "ICALENDAR", "include_birthdays": False}
    assert [(str(row["subject_id"]), row["table_name"], row["new_values"]) for row in rows] == [
        (tenant_of(reminding.tenant), "reminders", told | {"events": 1, "include_completed": False}),
        (ada.id, "reminders", told | {"events": 0, "include_completed": True}),
    ]


async def test_a_slow_reader_holds_no_transaction(reminding: Reminding, as_superuser: Connection) -> None:
    for i in range(20):
        await reminding.create(title=f"Call {i}", notes="x" * 9_000, rrule="FREQ=DAILY")
    stream = reminding.stub.ExportCalendar(pb.ExportCalendarRequest(), metadata=reminding.tenant)
    reading = aiter(stream)
    parts = [(await anext(reading)).chunk]
    busy = "SELECT count(*) FROM pg_stat_activity WHERE usename = 'pmcrm_interactions' AND state <> 'idle'"
    assert await as_superuser.fetchval(busy) == 0
    parts += [part.chunk async for part in reading]
    assert len(parts) > 3
    assert all(len(part) <= CHUNK for part in parts)
    assert len(events(Calendar.from_ical(b"".join(parts)))) == 20
