"""What becomes of occurrences: completed, snoozed, edited, pushed forward by contacts, passed by time."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from pmcrm.contacts.v1 import contact_merge_pb2 as contacts_pb

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import (
    ACTIVE,
    BIRTHDAY,
    COMPLETED,
    KEEP_IN_TOUCH,
    Reminding,
    in_utc,
    local,
    stamp,
    when,
)
from tests.suite import Metadata, failure

DAY = timedelta(days=1)


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    return Reminding(interactions, alice)


async def test_completing_makes_the_next_occurrence_until_none_is_left(reminding: Reminding) -> None:
    made = await reminding.create(due_local="2030-01-31T09:00:00", rrule="FREQ=MONTHLY;COUNT=3")
    first = await reminding.complete(made.id, occurrence_time=made.next_due_time, etag=made.etag)
    assert (first.next_due_local, first.completed_count, first.status) == ("2030-03-31T09:00:00", 1, ACTIVE)
    assert first.HasField("last_complete_time")
    assert (await reminding.complete(made.id)).next_due_local == "2030-05-31T09:00:00"
    last = await reminding.complete(made.id)
    assert (last.status, last.completed_count, last.next_due_local) == (COMPLETED, 3, "")
    assert not last.HasField("next_due_time")
    assert not last.HasField("next_notify_time")
    for call in (reminding.complete(made.id), reminding.snooze(made.id, snooze_duration=Duration(seconds=60))):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "REMINDER_NOT_ACTIVE")


async def test_what_completing_and_snoozing_may_fail_with(reminding: Reminding) -> None:
    made = await reminding.create()
    other = stamp(when(made.next_due_time) + DAY)
    minute: dict[str, Any] = {"snooze_duration": Duration(seconds=60)}
    for call in (
        reminding.complete(made.id, occurrence_time=other),
        reminding.snooze(made.id, occurrence_time=other, **minute),
    ):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.ABORTED, "REMINDER_OCCURRENCE_MISMATCH")
    for call in (reminding.complete(made.id, etag="7"), reminding.snooze(made.id, etag="7", **minute)):
        assert (await failure(call)).reason == "ETAG_MISMATCH"
    for call in (reminding.complete("x"), reminding.snooze("x", **minute)):
        assert list((await failure(call)).violations) == ["id"]
    assert await reminding.get(made.id) == made


@pytest.mark.parametrize(
    ("field", "until"),
    [
        ("snooze_time", {}),
        ("snooze_time", {"snooze_time": stamp(in_utc(seconds=-5))}),
        ("snooze_time", {"snooze_time": stamp(in_utc(days=367))}),
        ("snooze_duration", {"snooze_duration": Duration(seconds=0)}),
        ("snooze_duration", {"snooze_duration": Duration(seconds=-60)}),
        ("snooze_duration", {"snooze_duration": Duration(seconds=367 * 86400)}),
        ("snooze_duration", {"snooze_duration": Duration(seconds=315_000_000_000)}),
    ],
)
async def test_a_snooze_must_end_in_the_future_and_within_a_year(
    reminding: Reminding, field: str, until: dict[str, Any]
) -> None:
    made = await reminding.create()
    refused = await failure(reminding.snooze(made.id, **until))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_a_snooze_keeps_the_anchor(reminding: Reminding) -> None:
    made = await reminding.due(seconds=-3600, rrule="FREQ=DAILY")
    until = in_utc(hours=2)
    snoozed = await reminding.snooze(made.id, snooze_time=stamp(until))
    assert when(snoozed.snooze_time) == when(snoozed.next_notify_time) == until
    assert (snoozed.next_due_time, snoozed.etag) == (made.next_due_time, "2")
    after = await reminding.complete(made.id)
    assert when(after.next_due_time) == when(made.next_due_time) + DAY
    assert not after.HasField("snooze_time")


@pytest.mark.parametrize(
    "change", [{"due_local": "2031-01-01T09:00:00"}, {"time_zone": "Asia/Tokyo"}, {"rrule": "FREQ=WEEKLY"}]
)
async def test_another_rhythm_starts_anew_and_ends_a_snooze(reminding: Reminding, change: dict[str, str]) -> None:
    made = await reminding.create(rrule="FREQ=DAILY")
    await reminding.complete(made.id)
    snoozed = await reminding.snooze(made.id, snooze_duration=Duration(seconds=60))
    assert snoozed.next_due_local == "2030-01-02T09:00:00"
    kept = await reminding.update(made.id, title="Same rhythm", rrule="freq=daily")
    assert (kept.next_due_local, kept.snooze_time) == (snoozed.next_due_local, snoozed.snooze_time)
    changed = await reminding.update(made.id, **change)
    assert changed.next_due_local == change.get("due_local", "2030-01-01T09:00:00")
    assert not changed.HasField("snooze_time")
    assert changed.completed_count == 1


async def test_a_completed_reminder_comes_back_with_another_date_and_not_with_another_title(
    reminding: Reminding,
) -> None:
    made = await reminding.create()
    await reminding.complete(made.id)
    assert (await reminding.update(made.id, title="New")).status == COMPLETED
    assert (await reminding.update(made.id, due_local="2030-02-01T09:00:00")).status == ACTIVE


async def test_the_last_that_has_come_is_due_when_several_went_by(
    reminding: Reminding, as_superuser: Connection
) -> None:
    made = await reminding.create(due_local=local(in_utc(seconds=-30, days=-3)), rrule="FREQ=DAILY")
    assert when(made.next_due_time) == in_utc(seconds=-30, microseconds=0) or when(made.next_due_time) < in_utc()
    # As it was stored three days ago.
    first = datetime.strptime(made.due_local, "%Y-%m-%dT%H:%M:%S").replace(tzinfo=UTC)
    await as_superuser.execute(
        "UPDATE reminders SET next_due_at = $2, next_due_local = $3, fresh_until = $4 WHERE id = $1",
        uuid.UUID(made.id),
        first,
        made.due_local,
        first + DAY,
    )
    assert await reminding.get(made.id) == made
    assert [reminder.next_due_time for reminder in (await reminding.page()).reminders] == [made.next_due_time]


async def test_a_stale_occurrence_cannot_be_completed_by_accident(
    reminding: Reminding, as_superuser: Connection
) -> None:
    made = await reminding.create(due_local=local(in_utc(seconds=-30, days=-1)), rrule="FREQ=DAILY")
    yesterday = when(made.next_due_time) - DAY
    await as_superuser.execute(
        "UPDATE reminders SET next_due_at = $2, next_due_local = $3, fresh_until = $4 WHERE id = $1",
        *(uuid.UUID(made.id), yesterday, local(yesterday), when(made.next_due_time)),
    )
    refused = await failure(reminding.complete(made.id, occurrence_time=stamp(yesterday)))
    assert refused.reason == "REMINDER_OCCURRENCE_MISMATCH"


async def touched(conn: Connection, contact_id: str, at: datetime) -> None:
    """What an interaction does to its contact."""
    await conn.execute(
        "UPDATE contact_strengths SET last_contact_at = $2 WHERE contact_id = $1", uuid.UUID(contact_id), at
    )


async def test_an_interaction_pushes_a_keep_in_touch_reminder_forward(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id], due_local="2020-01-01T18:30:00")
    assert made.title == "Keep in touch with Ada"
    created = when(ada.create_time).date()
    assert made.next_due_local == f"{created + 30 * DAY}T18:30:00"
    await reminding.snooze(made.id, snooze_duration=Duration(seconds=3600))
    met = in_utc(days=5)
    await touched(as_superuser, ada.id, met)
    pushed = await reminding.get(made.id)
    assert pushed.next_due_local == f"{met.date() + 30 * DAY}T18:30:00"
    assert not pushed.HasField("snooze_time")
    # It is derived, and so is nobody's edit.
    assert (pushed.etag, pushed.update_time) == ("2", (await reminding.get(made.id)).update_time)
    # The interaction is deleted again.
    await touched(as_superuser, ada.id, in_utc(days=2))
    assert (await reminding.page()).reminders[0].next_due_local == f"{in_utc(days=2).date() + 30 * DAY}T18:30:00"


async def test_a_cadence_may_come_go_and_change(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id])
    assert (made.status, made.next_due_local) == (ACTIVE, "")
    assert (await failure(reminding.complete(made.id))).reason == "REMINDER_NOT_ACTIVE"
    created = when(ada.create_time).date()
    for days in (30, 7):
        await book.update(ada.id, keep_in_touch_days=days)
        assert (await reminding.get(made.id)).next_due_local == f"{created + days * DAY}T09:00:00"
    await book.update(ada.id, "keep_in_touch_days")
    found = await reminding.get(made.id)
    assert (found.next_due_local, found.status) == ("", ACTIVE)


async def test_completing_a_keep_in_touch_reminder_counts_from_today(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id], time_zone="Pacific/Kiritimati")
    done = await reminding.complete(made.id)
    today = (in_utc() + timedelta(hours=14)).date()
    assert (done.next_due_local, done.completed_count) == (f"{today + 30 * DAY}T09:00:00", 1)


async def test_a_birthday_reminder_follows_the_contact(reminding: Reminding, book: Book) -> None:
    day = in_utc(days=40).date()
    ada = await book.create(given_name="Ada", birthday={"month": day.month, "day": day.day})
    made = await reminding.create(kind=BIRTHDAY, contact_ids=[ada.id])
    assert (made.title, made.next_due_local) == ("Birthday of Ada", f"{day}T09:00:00")
    await book.update(ada.id, given_name="Augusta", birthday={"month": 2, "day": 29})
    moved = await reminding.get(made.id)
    assert moved.title == "Birthday of Augusta"
    assert moved.next_due_local[5:] in ("02-28T09:00:00", "02-29T09:00:00")
    assert moved.etag == made.etag
    for birthday in ({"year": 1980}, {"year": 1980, "month": 3}):
        await book.update(ada.id, "birthday", birthday=birthday)
        assert (await reminding.get(made.id)).next_due_local == ""
    await book.update(ada.id, "birthday", birthday={"month": day.month, "day": day.day})
    assert (await reminding.get(made.id)).next_due_local == f"{day}T09:00:00"
    done = await reminding.complete(made.id)
    assert done.next_due_local == f"{day.replace(year=day.year + 1)}T09:00:00"
    # An edit that leaves the birthday alone moves nothing.
    await book.update(ada.id, notes="x")
    assert await reminding.get(made.id) == done


async def test_nothing_is_due_of_a_contact_that_is_deleted_or_restricted(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id])
    await book.delete(ada.id)
    gone = await reminding.get(made.id)
    assert (gone.title, gone.next_due_local) == ("Keep in touch", "")
    await book.undelete(ada.id)
    assert await reminding.get(made.id) == made
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE id = $1", uuid.UUID(ada.id))
    shut = await reminding.get(made.id)
    assert (shut.title, shut.next_due_local) == ("Keep in touch", "")


async def test_a_given_title_stays_and_a_composed_one_goes_on_being_composed(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id])
    sent_back = await reminding.update(made.id, title=made.title, notes="hers", contact_ids=list(made.contact_ids))
    await book.update(ada.id, given_name="Augusta")
    assert (await reminding.get(made.id)).title == "Keep in touch with Augusta"
    assert sent_back.next_due_time == made.next_due_time
    assert (await reminding.update(made.id, title="Call her")).title == "Call her"
    await book.update(ada.id, given_name="Ada")
    assert (await reminding.get(made.id)).title == "Call her"
    assert (await reminding.update(made.id, "title")).title == "Keep in touch with Ada"


async def test_another_contact_counts_for_itself(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    eve = await book.create(given_name="Eve", keep_in_touch_days=10)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id])
    await reminding.complete(made.id)
    changed = await reminding.update(made.id, contact_ids=[eve.id])
    assert changed.next_due_local == f"{when(eve.create_time).date() + 10 * DAY}T09:00:00"


async def test_a_merge_moves_reminders_to_the_survivor(reminding: Reminding, book: Book) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    twin = await book.create(given_name="Ada", keep_in_touch_days=90)
    general = await reminding.create(contact_ids=[twin.id, ada.id])
    kept = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[twin.id], title="Keep")
    request = contacts_pb.MergeContactsRequest(id=ada.id, duplicate_ids=[twin.id])
    await book.stub.MergeContacts(request, metadata=book.tenant)
    assert list((await reminding.get(general.id)).contact_ids) == [ada.id]
    moved = await reminding.get(kept.id)
    assert list(moved.contact_ids) == [ada.id]
    assert moved.next_due_local == f"{when(ada.create_time).date() + 30 * DAY}T09:00:00"
    for asked in (ada.id, twin.id):
        assert {reminder.id for reminder in (await reminding.page(contact_id=asked)).reminders} == {general.id, kept.id}
    again = await reminding.create(title="New", contact_ids=[twin.id, ada.id])
    assert list(again.contact_ids) == [ada.id]


async def test_of_many_that_complete_one_occurrence_one_does(reminding: Reminding) -> None:
    made = await reminding.create(rrule="FREQ=DAILY")
    calls = [reminding.complete(made.id, occurrence_time=made.next_due_time) for _ in range(8)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert len([answer for answer in answers if not isinstance(answer, BaseException)]) == 1
    assert (await reminding.get(made.id)).completed_count == 1


async def test_contacts_and_reminders_that_change_at_once_come_to_an_end(
    reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    """Whatever order they come in, the reminder agrees with its contact in the end."""
    ada = await book.create(given_name="Ada", keep_in_touch_days=30)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id])

    async def edit() -> None:
        for days in range(1, 20):
            await book.update(ada.id, keep_in_touch_days=days)

    async def remind() -> None:
        for _ in range(10):
            await reminding.update(made.id, notes="x", contact_ids=[ada.id])
            await reminding.get(made.id)
            await reminding.page()

    await asyncio.gather(edit(), remind(), remind())
    found = await reminding.get(made.id)
    assert found.next_due_local == f"{when(ada.create_time).date() + 19 * DAY}T09:00:00"
