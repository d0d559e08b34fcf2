# ruff: noqa: DTZ001 - local times are what this is about
"""What is due next, and what is notified of, as pure functions of a plan and the time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from services.interactions.acknowledging import delivered
from shared.recurrence_rule import read_rule
from shared.reminder_scheduling import (
    Notification,
    Plan,
    Schedule,
    Subject,
    counts_on,
    first_birthday,
    schedule,
    snoozed,
)

NOW = datetime(2026, 6, 10, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SENT, RETRY, FAILED = 1, 2, 3


def general(due: str, rule: str = "", **changes: Any) -> Plan:
    plan = Plan("GENERAL", "UTC", datetime.fromisoformat(due), read_rule(rule) if rule else None)
    return replace(plan, **changes)


def due(plan: Plan, now: datetime = NOW) -> str | None:
    found = schedule(plan, now).due
    return found.local.isoformat() if found else None


def stored(plan: Plan, made: Schedule) -> Plan:
    """The plan as it is read again once what follows from it was written."""
    return replace(
        plan, counts_from=made.counts_from, known_birthday=made.known_birthday, notifications=made.notifications
    )


def notified(plan: Plan, now: datetime = NOW) -> list[tuple[str | None, str | None]]:
    """For each lead time the occurrence and the time of its notification."""
    return [
        (
            row.local.isoformat() if row.local else None,
            row.notify.strftime("%Y-%m-%dT%H:%M") if row.notify else None,
        )
        for row in schedule(plan, now).notifications
    ]


def handed_out(plan: Plan, now: datetime = NOW, lease: timedelta = timedelta(minutes=1)) -> Plan:
    """The plan once all of its notifications that are due were handed out, the n-th lead time under lease `n`."""
    plan = stored(plan, schedule(plan, now))
    rows = [
        replace(
            row, lease_id=str(i), attempt=row.attempt + 1, available=now + lease, first_claimed=row.first_claimed or now
        )
        if row.notify and row.available and row.notify <= now and row.available <= now
        else row
        for i, row in enumerate(plan.notifications)
    ]
    return replace(plan, notifications=tuple(rows))


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        (general("2026-06-11T09:00:00"), "2026-06-11T09:00:00"),
        (general("2020-01-01T09:00:00"), "2020-01-01T09:00:00"),
        (general("2026-06-11T09:00:00", "FREQ=DAILY"), "2026-06-11T09:00:00"),
        # Several have come: the last of them.
        (general("2020-01-01T09:00:00", "FREQ=DAILY"), "2026-06-10T09:00:00"),
        (general("2020-01-31T09:00:00", "FREQ=MONTHLY"), "2026-05-31T09:00:00"),
        (general("2020-01-01T09:00:00", "FREQ=DAILY;COUNT=3"), "2020-01-03T09:00:00"),
    ],
)
def test_the_first_to_come_is_due_or_the_last_that_has_come(plan: Plan, expected: str) -> None:
    assert due(plan) == expected


def test_after_a_completed_occurrence_comes_the_next_by_the_rule() -> None:
    plan = general("2026-01-31T09:00:00", "FREQ=MONTHLY", completed_through=datetime(2026, 5, 31, 9))
    assert due(plan) == "2026-07-31T09:00:00"
    plan = general("2026-06-11T09:00:00", completed_through=datetime(2026, 6, 11, 9))
    assert due(plan) is None
    assert schedule(plan, NOW).fresh_until is None


def test_what_is_due_holds_until_a_later_occurrence_comes() -> None:
    made = schedule(general("2026-06-10T09:00:00", "FREQ=DAILY"), NOW)
    assert made.fresh_until == datetime(2026, 6, 11, 9, tzinfo=UTC)


def birthday(month: int, day: int, **changes: Any) -> Plan:
    return replace(Plan("BIRTHDAY", "UTC", subject=Subject(NOW, birthday=(month, day))), **changes)


def test_a_birthday_is_due_from_today_on_at_nine_or_at_the_time_given() -> None:
    assert due(birthday(6, 10)) == "2026-06-10T09:00:00"
    assert due(birthday(6, 9)) == "2027-06-09T09:00:00"
    assert due(birthday(6, 11, due=datetime(1999, 1, 1, 7, 30))) == "2026-06-11T07:30:00"


def test_a_birthday_on_29_february_is_on_the_28th_in_other_years() -> None:
    assert [first_birthday((2, 29), date(year, 1, 1)) for year in (2026, 2028)] == [
        date(2026, 2, 28),
        date(2028, 2, 29),
    ]
    plan = birthday(2, 29, counts_from=date(2027, 3, 1), known_birthday="02-29")
    assert due(plan) == "2028-02-29T09:00:00"


def test_today_is_the_day_in_the_reminders_zone() -> None:
    evening = datetime(2026, 6, 10, 22, 30, tzinfo=UTC)
    assert due(birthday(6, 10, zone="Asia/Tokyo"), evening) == "2027-06-10T09:00:00"
    assert due(birthday(6, 11, zone="Asia/Tokyo"), evening) == "2026-06-11T09:00:00"


def test_a_completed_birthday_comes_again_next_year() -> None:
    plan = birthday(6, 10)
    plan = stored(plan, schedule(plan, NOW))
    counts_from = counts_on(plan, datetime(2026, 6, 10, 9), NOW)
    assert counts_from == date(2026, 6, 11)
    assert due(replace(plan, counts_from=counts_from)) == "2027-06-10T09:00:00"


def test_another_birthday_counts_from_the_day_on_which_it_is_known() -> None:
    plan = birthday(6, 10)
    plan = stored(plan, schedule(plan, NOW))
    later = NOW + timedelta(days=90)
    moved = replace(plan, subject=Subject(NOW, birthday=(7, 1)))
    assert due(moved, later) == "2027-07-01T09:00:00"
    assert due(replace(plan, subject=Subject(NOW, birthday=(12, 24))), later) == "2026-12-24T09:00:00"


@pytest.mark.parametrize("plan", [birthday(1, 1, subject=None), birthday(1, 1, subject=Subject(NOW))])
def test_an_unknown_birthday_and_that_of_a_contact_that_may_not_be_used_are_never_due(plan: Plan) -> None:
    assert due(plan) is None
    assert notified(plan) == [(None, None)]


def cadence(days: int | None = 30, last: datetime | None = None, **changes: Any) -> Plan:
    subject = Subject(datetime(2026, 6, 1, 23, tzinfo=UTC), last_contact_at=last, keep_in_touch_days=days)
    return replace(Plan("KEEP_IN_TOUCH", "UTC", subject=subject), **changes)


def test_a_cadence_counts_from_the_last_contact_or_else_from_the_contacts_creation() -> None:
    assert due(cadence()) == "2026-07-01T09:00:00"
    assert due(cadence(last=datetime(2026, 6, 9, 1, tzinfo=UTC))) == "2026-07-09T09:00:00"
    assert due(cadence(days=None)) is None


def test_a_cadence_counts_by_dates_in_the_reminders_zone() -> None:
    # 23:00 of 1 June in UTC is 2 June in Berlin.
    assert due(cadence(zone="Europe/Berlin")) == "2026-07-02T09:00:00"


def test_a_completed_keep_in_touch_counts_from_today_or_a_later_contact() -> None:
    plan = cadence()
    assert counts_on(plan, datetime(2026, 7, 1, 9), NOW) == date(2026, 6, 10)
    plan = replace(plan, counts_from=date(2026, 6, 10))
    assert due(plan) == "2026-07-10T09:00:00"
    assert due(cadence(last=NOW + 5 * DAY, counts_from=date(2026, 6, 10))) == "2026-07-15T09:00:00"


def test_each_lead_time_has_a_notification_of_its_own() -> None:
    plan = general("2026-06-11T09:00:00", "FREQ=DAILY", leads=(0, 3600, 86400))
    assert notified(plan) == [
        ("2026-06-11T09:00:00", "2026-06-11T09:00"),
        ("2026-06-11T09:00:00", "2026-06-11T08:00"),
        # That of the 11th has come due, that of the 12th not yet.
        ("2026-06-11T09:00:00", "2026-06-10T09:00"),
    ]


def test_of_several_that_were_missed_the_last_is_notified_of() -> None:
    assert notified(general("2026-01-01T09:00:00", "FREQ=DAILY")) == [("2026-06-10T09:00:00", "2026-06-10T09:00")]


def test_muted_reminders_notify_of_nothing_and_keep_what_was_said() -> None:
    plan = delivered(handed_out(general("2026-06-10T09:00:00")), {"0": SENT}, NOW)
    plan = stored(plan, schedule(replace(plan, muted=True), NOW))
    assert notified(replace(plan, muted=True)) == [(None, None)]
    assert notified(plan) == [(None, None)]


def test_what_was_sent_is_not_notified_of_again_and_the_next_is() -> None:
    plan = delivered(handed_out(general("2026-06-10T09:00:00", "FREQ=DAILY")), {"0": SENT}, NOW)
    assert notified(plan) == [("2026-06-11T09:00:00", "2026-06-11T09:00")]
    assert due(plan) == "2026-06-10T09:00:00"


def test_what_is_being_delivered_stays_outstanding_when_a_later_one_comes() -> None:
    plan = handed_out(general("2026-06-10T09:00:00", "FREQ=DAILY"))
    later = schedule(plan, NOW + DAY)
    assert later.due is not None
    assert later.due.local == datetime(2026, 6, 11, 9)
    assert later.notifications == plan.notifications


def test_completing_ends_what_is_being_delivered() -> None:
    plan = replace(handed_out(general("2026-06-10T09:00:00", "FREQ=DAILY")), completed_through=datetime(2026, 6, 10, 9))
    assert notified(plan) == [("2026-06-11T09:00:00", "2026-06-11T09:00")]


def test_an_interaction_ends_what_is_being_delivered_of_a_cadence() -> None:
    plan = handed_out(cadence(days=1))
    assert plan.notifications[0].attempt == 1
    pushed = replace(plan, subject=cadence(days=1, last=NOW).subject)
    assert notified(pushed) == [("2026-06-11T09:00:00", "2026-06-11T09:00")]
    assert schedule(pushed, NOW).notifications[0].attempt == 0


def test_a_cadence_that_moves_back_is_notified_of_all_the_same() -> None:
    sent = Notification(0, settled=datetime(2026, 7, 1, 9))
    assert notified(cadence(notifications=(sent,))) == [(None, None)]
    assert notified(cadence(days=7, notifications=(sent,))) == [("2026-06-08T09:00:00", "2026-06-08T09:00")]


def test_attempts_come_ever_later_and_end_after_a_day() -> None:
    plan, now, pauses = general("2026-06-10T09:00:00"), NOW, []
    while True:
        plan = delivered(handed_out(plan, now), {"0": RETRY}, now)
        [row] = plan.notifications
        if row.available is None:
            break
        pauses.append((row.available - now) // timedelta(minutes=1))
        now = row.available
    assert pauses[:8] == [1, 2, 4, 8, 16, 32, 64, 120]
    assert DAY <= now - NOW < DAY + 2 * HOUR
    assert notified(plan, now) == [(None, None)]


def test_what_cannot_be_sent_is_given_up_at_once() -> None:
    assert notified(delivered(handed_out(general("2026-06-10T09:00:00")), {"0": FAILED}, NOW)) == [(None, None)]


def put_off(plan: Plan, until: datetime, now: datetime = NOW) -> Plan:
    made = schedule(plan, now)
    assert made.due is not None
    return snoozed(replace(stored(plan, made), snoozed=made.due.local), until, now)


def test_a_snooze_notifies_again_and_keeps_what_comes_later() -> None:
    plan = put_off(delivered(handed_out(general("2026-06-10T09:00:00", "FREQ=DAILY")), {"0": SENT}, NOW), NOW + HOUR)
    assert notified(plan) == [("2026-06-10T09:00:00", "2026-06-10T13:00")]
    plan = delivered(handed_out(plan, NOW + HOUR), {"0": SENT}, NOW + HOUR)
    assert notified(plan, NOW + HOUR) == [("2026-06-11T09:00:00", "2026-06-11T09:00")]


def test_a_snooze_has_the_lead_times_that_are_still_to_come() -> None:
    plan = general("2026-06-10T09:00:00", leads=(0, 1800, 86400))
    assert notified(put_off(plan, NOW + HOUR)) == [
        ("2026-06-10T09:00:00", "2026-06-10T13:00"),
        ("2026-06-10T09:00:00", "2026-06-10T12:30"),
        (None, None),
    ]


def test_a_snooze_shorter_than_every_lead_time_notifies_when_it_ends() -> None:
    plan = put_off(general("2026-06-10T09:00:00", leads=(7200, 86400)), NOW + HOUR)
    assert notified(plan) == [("2026-06-10T09:00:00", "2026-06-10T13:00"), (None, None)]


def test_a_snooze_is_over_when_the_next_occurrence_comes() -> None:
    plan = put_off(general("2026-06-10T09:00:00", "FREQ=DAILY"), NOW + 5 * DAY)
    assert notified(plan, NOW + DAY) == [("2026-06-11T09:00:00", "2026-06-11T09:00")]


def test_a_new_lead_time_does_not_notify_again_of_what_was_said() -> None:
    plan = delivered(handed_out(general("2026-06-10T09:00:00", "FREQ=DAILY")), {"0": SENT}, NOW)
    assert notified(replace(plan, leads=(600,))) == [("2026-06-11T09:00:00", "2026-06-11T08:50")]


def test_a_time_that_the_clocks_skip_is_due_all_the_same() -> None:
    plan = replace(general("2026-03-07T02:30:00", "FREQ=DAILY"), zone="America/New_York")
    made = schedule(replace(plan, completed_through=datetime(2026, 3, 7, 2, 30)), datetime(2026, 3, 7, 12, tzinfo=UTC))
    assert made.due is not None
    assert made.due.time == datetime(2026, 3, 8, 7, 30, tzinfo=UTC)
    assert made.due.local.time() == time(2, 30)
