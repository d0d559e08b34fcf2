"""Reminders as callers keep them: what is stored, refused, repeated and audited."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_pb2 import NotificationChannel, NotificationPreferences, Reminder

from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import (
    ACTIVE,
    BIRTHDAY,
    COMPLETED,
    GENERAL,
    HIGH,
    KEEP_IN_TOUCH,
    NORMAL,
    Reminding,
    in_utc,
    leads,
    local,
    stamp,
    when,
)
from tests.suite import Client, Metadata, failure, new_request_id, tenant_of

EMAIL, PUSH = NotificationChannel.NOTIFICATION_CHANNEL_EMAIL, NotificationChannel.NOTIFICATION_CHANNEL_PUSH
NO_CHANNEL = NotificationChannel.NOTIFICATION_CHANNEL_UNSPECIFIED


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    return Reminding(interactions, alice)


async def test_a_reminder_is_answered_as_it_was_given(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada", organization_name="Engines")
    made = await reminding.create(
        title=" Call Ada ",
        notes="about\r\nthe engine",
        due_local="2030-01-31T09:00:00",
        time_zone="America/New_York",
        rrule="freq=monthly",
        priority=HIGH,
        contact_ids=[ada.id],
        notification=leads(timedelta(hours=1), timedelta(0), channels=[EMAIL, PUSH]),
    )
    assert (made.title, made.notes, made.rrule, made.kind, made.priority) == (
        *("Call Ada", "about\nthe engine", "FREQ=MONTHLY", GENERAL, HIGH),
    )
    assert made.next_due_local == "2030-01-31T09:00:00"
    assert local(when(made.next_due_time)) == "2030-01-31T14:00:00"
    assert local(when(made.next_notify_time)) == "2030-01-31T13:00:00"
    assert [(c.id, c.display_name, c.organization) for c in made.contacts] == [(ada.id, "Ada", "Engines")]
    assert [lead.seconds for lead in made.notification.lead_times] == [3600, 0]
    assert list(made.notification.channels) == [EMAIL, PUSH]
    assert (made.status, made.completed_count, made.etag) == (ACTIVE, 0, "1")
    assert await reminding.get(made.id) == made


async def test_what_is_not_given_is_the_tenants_zone_and_normal(
    client: Client, interactions: InteractionsClient
) -> None:
    tenant = await client.new_tenant(time_zone="Asia/Tokyo")
    made = await Reminding(interactions, tenant).create(time_zone="", due_local="2030-01-01T09:00:00")
    assert (made.time_zone, made.priority, made.kind) == ("Asia/Tokyo", NORMAL, GENERAL)
    assert when(made.next_due_time).hour == 0
    preview = await Reminding(interactions, tenant).preview("2030-01-01T09:00:00")
    assert [when(one).hour for one in preview.occurrences] == [0]


async def test_output_only_fields_are_ignored(reminding: Reminding) -> None:
    made = await reminding.create(id=random_id(), completed_count=7, status=COMPLETED, next_due_local="x", etag="9")
    assert (made.completed_count, made.status, made.next_due_local) == (0, ACTIVE, "2030-01-01T09:00:00")


async def test_a_read_mask_leaves_the_rest_out(reminding: Reminding) -> None:
    made = await reminding.create()
    assert await reminding.get(made.id, "title") == Reminder(id=made.id, title="Call")


LONG = "x" * 501

BAD: dict[str, dict[str, Any]] = {
    "title": {"title": " "},
    "title ": {"title": LONG},
    "title  ": {"title": "a\nb"},
    "notes": {"notes": "x" * 10_001},
    "notes ": {"notes": "\0"},
    "kind": {"kind": 9, "title": "Call", "due_local": "2030-01-01T09:00:00"},
    "due_local": {"due_local": ""},
    "due_local ": {"due_local": "2030-02-30T09:00:00"},
    "due_local  ": {"due_local": "2030-01-01T09:00:00Z"},
    "due_local   ": {"due_local": "1599-12-31T09:00:00"},
    "due_local    ": {"due_local": "9999-12-31T23:00:00", "time_zone": "America/New_York"},
    "time_zone": {"time_zone": "Europe/Atlantis"},
    "time_zone ": {"time_zone": "../../etc/passwd"},
    "rrule": {"rrule": "every day"},
    "rrule ": {"rrule": "FREQ=DAILY;" + "X" * 1_000},
    "rrule  ": {"rrule": "FREQ=DAILY;COUNT=2;UNTIL=20300101T000000Z"},
    "priority": {"priority": 9},
    "contact_ids[1]": {"contact_ids": [random_id(), "x"]},
    "contact_ids": {"contact_ids": [random_id()] * 101},
    "contact_ids ": {"kind": BIRTHDAY},
    "contact_ids  ": {"kind": KEEP_IN_TOUCH, "contact_ids": [random_id(), random_id()]},
    "rrule   ": {"kind": BIRTHDAY, "contact_ids": [random_id()], "rrule": "FREQ=DAILY"},
    "notification.channels[1]": {"notification": NotificationPreferences(channels=[EMAIL, NO_CHANNEL])},
    "notification.channels": {"notification": NotificationPreferences(channels=[EMAIL] * 11)},
    "notification.lead_times": {"notification": leads(*[timedelta(0)] * 11)},
    "notification.lead_times[0]": {"notification": leads(timedelta(days=367))},
    "notification.lead_times[0] ": {"notification": leads(timedelta(seconds=-1))},
    "notification.lead_times[0]  ": {"notification": NotificationPreferences(lead_times=[Duration(nanos=1)])},
}


@pytest.mark.parametrize(("field", "given"), BAD.items())
async def test_what_is_malformed_is_refused(reminding: Reminding, field: str, given: dict[str, Any]) -> None:
    refused = await failure(reminding.create(**given))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [f"reminder.{field.strip()}"]
    assert (await reminding.page(include_total_size=True)).total_size == 0


@pytest.mark.parametrize(
    "rule",
    ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=15", "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "FREQ=DAILY;UNTIL=20200101"],
)
async def test_a_rule_that_comes_too_often_or_never_is_refused(reminding: Reminding, rule: str) -> None:
    made = await reminding.create()
    for call in (
        reminding.create(rrule=rule),
        reminding.update(made.id, rrule=rule),
        reminding.preview("2030-01-01T09:00:00", rule),
    ):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "RECURRENCE_UNSUPPORTED")
        assert [field.rpartition(".")[2] for field in refused.violations] == ["rrule"]
    assert await reminding.get(made.id) == made


async def test_contacts_must_live_and_not_be_restricted(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    gone, shut = await book.create(given_name="Gone"), await book.create(given_name="Shut")
    await book.delete(gone.id)
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(shut.id))
    made = await reminding.create()
    for contact_id, reason in (
        (gone.id, "CONTACT_NOT_FOUND"),
        (random_id(), "CONTACT_NOT_FOUND"),
        (shut.id, "PROCESSING_RESTRICTED"),
    ):
        for call in (reminding.create(contact_ids=[contact_id]), reminding.update(made.id, contact_ids=[contact_id])):
            assert (await failure(call)).reason == reason
    assert (await failure(reminding.page(contact_id=random_id()))).reason == "CONTACT_NOT_FOUND"
    assert (await failure(reminding.page(contact_id=shut.id))).reason == "PROCESSING_RESTRICTED"
    assert (await reminding.page(contact_id=gone.id)).reminders == []
    assert await reminding.get(made.id) == made


async def test_deleted_and_restricted_contacts_are_not_shown(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    ada, eve = await book.create(given_name="Ada"), await book.create(given_name="Eve")
    made = await reminding.create(contact_ids=[eve.id, ada.id])
    assert [c.display_name for c in made.contacts] == ["Eve", "Ada"]
    await book.delete(eve.id)
    found = await reminding.get(made.id)
    assert ([c.display_name for c in found.contacts], list(found.contact_ids)) == (["Ada"], [eve.id, ada.id])
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(ada.id))
    assert not (await reminding.get(made.id)).contacts


async def test_an_update_writes_what_its_mask_names(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    made = await reminding.create(notes="old", contact_ids=[ada.id], notification=leads(timedelta(hours=1)))
    changed = await reminding.update(made.id, "title", title="Write", notes="ignored")
    assert (changed.title, changed.notes, changed.etag) == ("Write", "old", "2")
    assert when(changed.update_time) > when(made.update_time)
    assert when(changed.create_time) == when(made.create_time)
    changed = await reminding.update(made.id, "notification.muted", notification=NotificationPreferences(muted=True))
    assert [lead.seconds for lead in changed.notification.lead_times] == [3600]
    assert not changed.HasField("next_notify_time")
    cleared = await reminding.update(made.id, "*", title="Bare", due_local="2030-01-01T09:00:00")
    assert (cleared.notes, list(cleared.contact_ids), cleared.time_zone) == ("", [], "UTC")
    assert not cleared.HasField("notification")
    assert await reminding.update(made.id) == cleared


async def test_what_an_update_may_fail_with(reminding: Reminding) -> None:
    made = await reminding.create()
    assert (await failure(reminding.update("x", title="a"))).violations == {
        "reminder.id": "must be a UUID such as 0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"
    }
    assert (await failure(reminding.update(made.id, "colour"))).reason == "FIELD_INVALID"
    assert "reminder.kind" in (await failure(reminding.update(made.id, kind=BIRTHDAY))).violations
    assert "reminder.title" in (await failure(reminding.update(made.id, "title"))).violations
    assert (await failure(reminding.update(random_id(), title="a"))).reason == "REMINDER_NOT_FOUND"
    assert (await failure(reminding.update(made.id, title="a", etag="7"))).reason == "ETAG_MISMATCH"
    assert (await reminding.update(made.id, title="a", etag=made.etag)).etag == "2"
    await reminding.delete(made.id)
    assert (await failure(reminding.update(made.id, title="a"))).reason == "REMINDER_NOT_FOUND"


async def test_deleting_keeps_a_reminder_until_it_is_purged(reminding: Reminding, as_superuser: Connection) -> None:
    made = await reminding.due()
    assert (await failure(reminding.delete(made.id, etag="7"))).reason == "ETAG_MISMATCH"
    deleted = await reminding.delete(made.id, etag=made.etag)
    assert when(deleted.purge_time) - when(deleted.delete_time) == timedelta(days=90)
    assert not deleted.HasField("next_notify_time")
    assert await reminding.get(made.id) == deleted
    assert await reminding.titles() == []
    assert await reminding.titles(show_deleted=True) == ["Call"]
    for call in (
        reminding.delete(made.id),
        reminding.complete(made.id),
        reminding.snooze(made.id, snooze_duration=Duration(seconds=60)),
    ):
        assert (await failure(call)).reason == "REMINDER_NOT_FOUND"
    assert await reminding.delete(made.id, allow_missing=True) == deleted
    assert await reminding.delete(random_id(), allow_missing=True) == Reminder()
    assert (await failure(reminding.delete("x"))).reason == "FIELD_INVALID"
    count = "SELECT count(*) FROM reminder_notifications WHERE reminder_id = $1"
    assert await as_superuser.fetchval(count, uuid.UUID(made.id)) == 0


async def test_reads_refuse_what_is_malformed_or_missing(reminding: Reminding) -> None:
    assert (await failure(reminding.get("x"))).reason == "FIELD_INVALID"
    assert (await failure(reminding.get(random_id(), "colour"))).reason == "FIELD_INVALID"
    missing = random_id()
    refused = await failure(reminding.get(missing))
    assert (refused.reason, refused.metadata) == ("REMINDER_NOT_FOUND", {"id": missing})


@pytest.mark.parametrize("call", ["create", "update", "delete", "complete", "snooze"])
async def test_a_repeat_has_the_same_answer_and_another_body_is_refused(reminding: Reminding, call: str) -> None:
    made = await reminding.due(rrule="FREQ=DAILY")
    request_id = new_request_id()
    calls: dict[str, Any] = {
        "create": lambda body: reminding.create(title=body, request_id=request_id),
        "update": lambda body: reminding.update(made.id, title=body, request_id=request_id),
        "delete": lambda body: reminding.delete(made.id, allow_missing=body == "b", request_id=request_id),
        "complete": lambda body: reminding.complete(
            made.id, etag=made.etag if body == "a" else "", request_id=request_id
        ),
        "snooze": lambda body: reminding.snooze(
            made.id, snooze_time=stamp(in_utc(days=1 if body == "a" else 2)), request_id=request_id
        ),
    }
    if call == "snooze":
        until = stamp(in_utc(days=1))
        calls["snooze"] = lambda body: reminding.snooze(
            made.id, snooze_time=until, etag="" if body == "a" else made.etag, request_id=request_id
        )
    first = await calls[call]("a")
    assert await calls[call]("a") == first
    assert (await failure(calls[call]("b"))).reason == "REQUEST_ID_REUSED"


async def entries(conn: Connection, tenant: Metadata, reminder_id: str) -> list[tuple[str, str, set[str]]]:
    rows = await conn.fetch(
        "SELECT table_name, action, new_values FROM audit_logs WHERE user_id = $1 "
        "AND (subject_id = $2 OR table_name = 'reminder_contacts') ORDER BY at, id",
        uuid.UUID(tenant_of(tenant)),
        uuid.UUID(reminder_id),
    )
    return [(row["table_name"], row["action"], set(row["new_values"] or ())) for row in rows]


async def test_each_change_is_audited_with_its_columns(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    ada, eve = await book.create(given_name="Ada"), await book.create(given_name="Eve")
    made = await reminding.due(rrule="FREQ=DAILY", contact_ids=[ada.id])
    await reminding.update(made.id, title="New", contact_ids=[eve.id])
    await reminding.complete(made.id)
    await reminding.snooze(made.id, snooze_duration=Duration(seconds=60))
    await reminding.delete(made.id)
    assert await entries(as_superuser, reminding.tenant, made.id) == [
        ("reminders", "INSERT", set()),
        ("reminder_contacts", "INSERT", set()),
        ("reminders", "UPDATE", {"title"}),
        ("reminder_contacts", "DELETE", set()),
        ("reminder_contacts", "INSERT", set()),
        ("reminders", "UPDATE", {"last_completed_at", "completed_count", "completed_through"}),
        ("reminders", "UPDATE", {"snoozed_until"}),
        ("reminders", "UPDATE", {"deleted_at"}),
    ]


async def test_previews_say_when_a_rule_would_be_due(reminding: Reminding) -> None:
    found = await reminding.preview(
        "2026-03-07T02:30:00", "FREQ=DAILY", time_zone="America/New_York", max_occurrences=2
    )
    assert [local(when(one)) for one in found.occurrences] == ["2026-03-07T07:30:00", "2026-03-08T07:30:00"]
    assert list(found.local_occurrences) == ["2026-03-07T02:30:00", "2026-03-08T02:30:00"]
    assert found.more
    found = await reminding.preview("2026-03-07T02:30:00", "FREQ=DAILY;COUNT=20", time_zone="UTC")
    assert (len(found.occurrences), found.more) == (10, True)
    found = await reminding.preview("2026-03-07T02:30:00", "FREQ=DAILY;COUNT=10", time_zone="UTC")
    assert (len(found.occurrences), found.more) == (10, False)
    found = await reminding.preview("2026-03-07T02:30:00", time_zone="UTC")
    assert (list(found.local_occurrences), found.more) == (["2026-03-07T02:30:00"], False)


async def test_previews_leave_out_what_is_before_a_time(reminding: Reminding) -> None:
    after = stamp(in_utc(days=3650))
    found = await reminding.preview("1990-03-07T02:30:00", "FREQ=HOURLY", time_zone="UTC", after_time=after)
    assert 0 <= (when(found.occurrences[0]) - when(after)).total_seconds() < 3600
    found = await reminding.preview("1990-03-07T02:30:00", "FREQ=DAILY;COUNT=3", time_zone="UTC", after_time=after)
    assert (list(found.occurrences), found.more) == ([], False)
    found = await reminding.preview("9998-12-30T00:00:00", "FREQ=YEARLY", time_zone="UTC", max_occurrences=1000)
    assert (list(found.local_occurrences), found.more) == (["9998-12-30T00:00:00", "9999-12-30T00:00:00"], False)


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("due_local", {"due_local": ""}),
        ("due_local", {"due_local": "tomorrow"}),
        ("time_zone", {"time_zone": "Mars/Olympus"}),
        ("rrule", {"rrule": "FREQ=OFTEN"}),
        ("max_occurrences", {"max_occurrences": -1}),
        ("max_occurrences", {"max_occurrences": 1001}),
    ],
)
async def test_previews_refuse_what_cannot_be_read(reminding: Reminding, field: str, arguments: dict[str, Any]) -> None:
    given = {"due_local": "2030-01-01T09:00:00", "time_zone": "UTC"} | arguments
    refused = await failure(reminding.preview(**given))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_a_preview_out_of_range_in_time_is_refused(reminding: Reminding) -> None:
    request = pb.PreviewOccurrencesRequest(due_local="2030-01-01T09:00:00")
    request.after_time.seconds = 10**15
    refused = await failure(reminding.stub.PreviewOccurrences(request, metadata=reminding.tenant))
    assert list(refused.violations) == ["after_time"]
