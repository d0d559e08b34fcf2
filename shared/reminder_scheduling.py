"""When a reminder is due next and what is notified of it: pure functions of what is stored, the contact, and the time.

Searching for occurrences takes the processor for milliseconds, for hostile rules longer: callers leave the event loop.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from shared.recurrence import Occurrence, Recurrence
from shared.recurrence_rule import Rule, read_rule
from shared.time_zones import time_zone, to_local, to_utc

# When birthdays and cadences are due that name no time of day.
TIME_OF_DAY = time(9)

YEARLY = read_rule("FREQ=YEARLY")
# A birthday on 29 February is on the 28th in other years.
LAST_OF_FEBRUARY = read_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1")


@dataclass(frozen=True, slots=True)
class Subject:
    """What a birthday or keep-in-touch reminder is derived from; only of a contact that may be used."""

    created_at: datetime
    last_contact_at: datetime | None = None
    keep_in_touch_days: int | None = None
    birthday: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Notification:
    """The next notification with one lead time: its occurrence and times, None when there is none, and its lease.

    settled: the last occurrence of which nothing more is notified with this lead time.
    """

    lead: int
    settled: datetime | None = None
    local: datetime | None = None
    occurs: datetime | None = None
    notify: datetime | None = None
    available: datetime | None = None
    first_claimed: datetime | None = None
    lease_id: str | None = None
    attempt: int = 0
    snoozed: bool = False

    def settle(self) -> Notification:
        """The same once nothing more is notified of its occurrence."""
        settled = max(filter(None, (self.settled, self.local)), default=None)
        return Notification(self.lead, settled)

    def pend(self, occurrence: Occurrence, notify: datetime, *, snoozed: bool = False) -> Notification:
        """The same, outstanding for an occurrence and not handed out yet."""
        return Notification(
            self.lead, self.settled, occurrence.local, occurrence.time, notify, available=notify, snoozed=snoozed
        )


@dataclass(frozen=True, slots=True)
class Plan:
    """A reminder as far as it decides when it is due. Local times are meant in `zone`."""

    kind: str
    zone: str
    due: datetime | None = None
    rule: Rule | None = None
    leads: tuple[int, ...] = (0,)
    muted: bool = False
    subject: Subject | None = None
    completed_through: datetime | None = None
    counts_from: date | None = None
    known_birthday: str | None = None
    snoozed: datetime | None = None
    notifications: tuple[Notification, ...] = ()


@dataclass(frozen=True, slots=True)
class Schedule:
    """What follows from a plan. fresh_until: when it has to be made anew; None for never."""

    due: Occurrence | None
    fresh_until: datetime | None
    counts_from: date | None
    known_birthday: str | None
    notifications: tuple[Notification, ...]


def schedule(plan: Plan, now: datetime) -> Schedule:
    """When the reminder is due next, and its next notifications."""
    plan = counting(plan, now)
    recurrence = recurrence_of(plan)
    due = following = None
    if recurrence is not None:
        after = plan.completed_through
        due = recurrence.latest(after, now) or next(recurrence.after(after), None)
        following = next(recurrence.after(due.local), None) if due is not None else None
    return Schedule(
        due,
        following.time if following is not None else None,
        plan.counts_from,
        plan.known_birthday,
        tuple(_notifications(plan, recurrence, due, now)),
    )


def counting(plan: Plan, now: datetime) -> Plan:
    """The plan with the day from which birthdays count: today when the birthday has become another one."""
    if plan.kind != "BIRTHDAY" or plan.subject is None:
        return plan
    month, day = plan.subject.birthday or (0, 0)
    birthday = f"{month:02}-{day:02}"
    if birthday == plan.known_birthday and plan.counts_from is not None:
        return plan
    today = to_local(now, time_zone(plan.zone)).date()
    return replace(plan, known_birthday=birthday, counts_from=max(today, plan.counts_from or today))


def recurrence_of(plan: Plan) -> Recurrence | None:
    """All occurrences of a plan that `counting` has seen; None when there are none for the time being."""
    zone = time_zone(plan.zone)
    if plan.kind == "GENERAL":
        return Recurrence(plan.due, zone, plan.rule) if plan.due is not None else None
    if plan.subject is None:
        return None
    at = plan.due.time() if plan.due is not None else TIME_OF_DAY
    if plan.kind == "BIRTHDAY":
        if plan.subject.birthday is None or plan.counts_from is None:
            return None
        first = first_birthday(plan.subject.birthday, plan.counts_from)
        return Recurrence(datetime.combine(first, at), zone, birthday_rule(plan.subject.birthday))
    if plan.subject.keep_in_touch_days is None:
        return None
    last = plan.subject.last_contact_at
    days = [day for day in (last and to_local(last, zone).date(), plan.counts_from) if day is not None]
    since = max(days, default=to_local(plan.subject.created_at, zone).date())
    return Recurrence(datetime.combine(since + timedelta(days=plan.subject.keep_in_touch_days), at), zone, None)


def first_birthday(birthday: tuple[int, int], since: date) -> date:
    """The first day on or after `since` on which somebody born on (month, day) has birthday."""
    month, day = birthday
    for year in (since.year, since.year + 1):
        found = date(year, month, min(day, calendar.monthrange(year, month)[1]))
        if found >= since:
            return found
    raise AssertionError("every year has each birthday")


def birthday_rule(birthday: tuple[int, int]) -> Rule:
    """How a birthday recurs."""
    return LAST_OF_FEBRUARY if birthday == (2, 29) else YEARLY


def counts_on(plan: Plan, completed: datetime, now: datetime) -> date | None:
    """From when a plan counts once the occurrence at a local time is completed; None for general reminders."""
    if plan.kind == "GENERAL":
        return None
    if plan.kind == "BIRTHDAY":
        return completed.date() + timedelta(days=1)
    return to_local(now, time_zone(plan.zone)).date()


def snoozed(plan: Plan, until: datetime, now: datetime) -> Plan:
    """The plan with its next occurrence put off: lead times that are over by then have nothing more to say of it.

    plan: with `snoozed` set to the local time of that occurrence.
    """
    if plan.snoozed is None or plan.muted:
        return plan
    put_off = Occurrence(plan.snoozed, to_utc(plan.snoozed, time_zone(plan.zone)))
    rows = {row.lead: row for row in plan.notifications}
    leads = sorted(set(plan.leads))
    in_time = [lead for lead in leads if until - timedelta(seconds=lead) > now]
    for lead in leads:
        row = rows.get(lead, Notification(lead))
        if lead in in_time:
            rows[lead] = row.pend(put_off, until - timedelta(seconds=lead), snoozed=True)
        elif not in_time and lead == leads[0]:
            rows[lead] = row.pend(put_off, until, snoozed=True)
        else:
            rows[lead] = Notification(lead, max(filter(None, (row.settled, plan.snoozed))))
    return replace(plan, notifications=tuple(rows.values()))


def _notifications(
    plan: Plan, recurrence: Recurrence | None, due: Occurrence | None, now: datetime
) -> list[Notification]:
    stored = {row.lead: row for row in plan.notifications}
    # What was notified of with other lead times is old to a new one.
    settled = max((row.settled for row in plan.notifications if row.settled), default=None)
    return [
        _next(plan, recurrence, due, stored.get(lead) or Notification(lead, settled), now)
        for lead in sorted(set(plan.leads))
    ]


def _next(
    plan: Plan, recurrence: Recurrence | None, due: Occurrence | None, row: Notification, now: datetime
) -> Notification:
    """What a lead time notifies of next: the occurrence before, while that is being delivered; else the last one whose
    notification is due, or the first to come."""
    if plan.muted or recurrence is None:
        return Notification(row.lead, row.settled)
    if row.snoozed and due is not None and row.local == due.local == plan.snoozed:
        return row
    done = plan.completed_through
    if row.attempt and row.local is not None and (done is None or row.local > done) and recurrence.holds(row.local):
        return row
    lead = timedelta(seconds=row.lead)
    if recurrence.rule is None and plan.kind != "GENERAL":
        # A cadence has one occurrence, which may also move back.
        over = row.settled if row.settled == recurrence.start else None
    else:
        over = max(filter(None, (row.settled, done)), default=None)
    wanted = recurrence.latest(over, now + lead) or next(recurrence.after(over), None)
    if wanted is None:
        return Notification(row.lead, row.settled)
    return row.pend(wanted, wanted.time - lead)
