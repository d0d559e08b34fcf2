"""A Reminder message as columns, checked, and a row of reminder_rows as a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from pmcrm.interactions.v1.reminder_pb2 import (
    NotificationChannel,
    NotificationPreferences,
    Reminder,
    ReminderKind,
    ReminderPriority,
)

from shared.caller import parse_uuid
from shared.errors import InvalidArgument, Violation
from shared.fields import UUID_WANTED
from shared.recurrence import Recurrence
from shared.recurrence_rule import Rule, RuleMalformed, RuleUnsupported, read_rule
from shared.text import checked_line, checked_text
from shared.time_zones import names, read_local, time_zone, to_utc
from shared.violations import Violations

WRITABLE = frozenset(
    {"title", "notes", "kind", "due_local", "time_zone", "rrule", "priority", "contact_ids", "notification"}
)

TITLE_LIMIT = 500
NOTES_LIMIT = 10_000
RRULE_LIMIT = 1_000
CONTACTS_LIMIT = 100
LEADS_LIMIT = 10
LONGEST_LEAD = timedelta(days=366)
CHANNELS_LIMIT = 10

# The Gregorian calendar holds since then in most places, and time zones mean nothing before clocks.
FIRST_YEAR = 1600

KIND = "REMINDER_KIND_"
CHANNEL = "NOTIFICATION_CHANNEL_"

# Columns that statements need and answers do not have.
BESIDES = frozenset(
    {"user_id", "id_key", "given_title", "due_order", "nothing_left", "outdated", "position", "withheld"}
)
PREFERENCES = frozenset({"channels", "lead_seconds", "muted"})


@dataclass(frozen=True, slots=True)
class ReminderRecord:
    """The columns of a reminder that a caller writes, without its contacts; None for what it does not have."""

    kind: str
    title: str | None
    notes: str | None
    due_local: str | None
    time_zone: str
    rrule: str | None
    priority: int
    channels: list[str] | None
    lead_seconds: list[int] | None
    muted: bool

    def columns(self) -> dict[str, Any]:
        """As statements take them."""
        return {name: getattr(self, name) for name in self.__slots__}


def to_record(reminder: Reminder, path: str, zone_of_tenant: str) -> ReminderRecord:
    """Checks a reminder. Raises InvalidArgument: every bad field (`{path}.rrule`), else RECURRENCE_UNSUPPORTED.

    zone_of_tenant: for a reminder that names no zone. Searches for the rule's first occurrence: not on the event loop.
    """
    violations = Violations()
    kind = checked_enum(ReminderKind, reminder.kind or ReminderKind.REMINDER_KIND_GENERAL, f"{path}.kind", violations)
    title = checked_line(reminder.title, f"{path}.title", TITLE_LIMIT, violations)
    notes = checked_text(reminder.notes, f"{path}.notes", NOTES_LIMIT, violations)
    priority = reminder.priority or ReminderPriority.REMINDER_PRIORITY_NORMAL
    checked_enum(ReminderPriority, priority, f"{path}.priority", violations)
    general = kind in ("REMINDER_KIND_GENERAL", "")
    if general and not title and not reminder.title.strip():
        violations.add(f"{path}.title", "must be given")
    if general and not reminder.due_local:
        violations.add(f"{path}.due_local", "must be given")
    if not general and reminder.rrule:
        violations.add(f"{path}.rrule", "must be empty for birthdays and for keeping in touch")
    _check_contact_ids(reminder, path, violations)
    if not general and len(reminder.contact_ids) != 1:
        violations.add(f"{path}.contact_ids", "must be exactly one for birthdays and for keeping in touch")
    zone = reminder.time_zone or zone_of_tenant
    due, rule = checked_recurrence(reminder.due_local, zone, reminder.rrule if general else "", f"{path}.", violations)
    channels = _channels(reminder.notification, f"{path}.notification.channels", violations)
    leads = _leads(reminder.notification, f"{path}.notification.lead_times", violations)
    violations.raise_if_any()
    if due is not None:
        check_comes(due, zone, rule, f"{path}.rrule")
    return ReminderRecord(
        kind=kind.removeprefix(KIND),
        title=title or None,
        notes=notes or None,
        due_local=reminder.due_local or None,
        time_zone=zone,
        rrule=rule.text if rule is not None else None,
        priority=priority,
        channels=channels or None,
        lead_seconds=leads or None,
        muted=reminder.notification.muted,
    )


def checked_recurrence(
    due_local: str, zone: str, rrule: str, prefix: str, violations: Violations
) -> tuple[datetime | None, Rule | None]:
    """The local time and the rule that a request writes. prefix: of the fields' paths, such as `reminder.`.

    Raises InvalidArgument RECURRENCE_UNSUPPORTED for a rule that recurs too often.
    """
    due = read_local(due_local) if due_local else None
    known = zone in names()
    if not known:
        violations.add(f"{prefix}time_zone", "must be an IANA time zone such as Europe/Berlin")
    if due_local and (due is None or due.year < FIRST_YEAR or (known and not _exists(due, zone))):
        violations.add(
            f"{prefix}due_local", f"must be a local time of the years {FIRST_YEAR} to 9999 such as 2026-03-08T02:30:00"
        )
        due = None
    rule = None
    if len(rrule) > RRULE_LIMIT:
        violations.add(f"{prefix}rrule", f"must have at most {RRULE_LIMIT} characters")
    elif rrule:
        try:
            rule = read_rule(rrule)
        except RuleMalformed as error:
            violations.add(f"{prefix}rrule", str(error))
        except RuleUnsupported as error:
            violations.raise_if_any()
            raise unsupported(f"{prefix}rrule", error) from None
    return due, rule


def check_comes(due: datetime, zone: str, rule: Rule | None, field: str) -> None:
    """Raises InvalidArgument RECURRENCE_UNSUPPORTED for a rule that never comes."""
    try:
        Recurrence(due, time_zone(zone), rule).check()
    except RuleUnsupported as error:
        raise unsupported(field, error) from None


def unsupported(field: str, error: RuleUnsupported) -> InvalidArgument:
    """What a caller hears whose rule is a rule, and recurs too often or never."""
    return InvalidArgument([Violation(field, str(error))], "RECURRENCE_UNSUPPORTED")


def checked_enum(enum: Any, value: int, field: str, violations: Violations) -> str:
    """The name of an enum's value that is given; "" and a violation for one that is not among them, or unspecified."""
    if value == 0 or value not in enum.values():
        violations.add(field, "must be one of the values that the contract names")
        return ""
    name: str = enum.Name(value)
    return name


def to_reminder(row: Mapping[str, Any], grace: timedelta) -> Reminder:
    """The message that a row of reminder_rows holds. grace: how long after its deletion a reminder is purged."""
    fields = {name: value for name, value in row.items() if name not in BESIDES and name not in PREFERENCES}
    reminder = Reminder(**fields)
    if row["channels"] or row["lead_seconds"] or row["muted"]:
        reminder.notification.CopyFrom(
            NotificationPreferences(
                channels=[CHANNEL + channel for channel in row["channels"] or ()],
                lead_times=[Duration(seconds=seconds) for seconds in row["lead_seconds"] or ()],
                muted=row["muted"],
            )
        )
    if row["delete_time"] is not None:
        reminder.purge_time.FromDatetime(row["delete_time"] + grace)
    return reminder


def _check_contact_ids(reminder: Reminder, path: str, violations: Violations) -> None:
    if len(reminder.contact_ids) > CONTACTS_LIMIT:
        violations.add(f"{path}.contact_ids", f"must hold at most {CONTACTS_LIMIT} ids")
        return
    for i, text in enumerate(reminder.contact_ids):
        if parse_uuid(text) is None:
            violations.add(f"{path}.contact_ids[{i}]", UUID_WANTED)


def _channels(preferences: NotificationPreferences, field: str, violations: Violations) -> list[str]:
    if len(preferences.channels) > CHANNELS_LIMIT:
        violations.add(field, f"must hold at most {CHANNELS_LIMIT} channels")
        return []
    return [
        checked_enum(NotificationChannel, channel, f"{field}[{i}]", violations).removeprefix(CHANNEL)
        for i, channel in enumerate(preferences.channels)
    ]


def _leads(preferences: NotificationPreferences, field: str, violations: Violations) -> list[int]:
    if len(preferences.lead_times) > LEADS_LIMIT:
        violations.add(field, f"must hold at most {LEADS_LIMIT} lead times")
        return []
    for i, lead in enumerate(preferences.lead_times):
        if lead.nanos or not 0 <= lead.seconds <= LONGEST_LEAD.total_seconds():
            violations.add(f"{field}[{i}]", f"must be whole seconds, none to {LONGEST_LEAD.days} days of them")
    return list(dict.fromkeys(lead.seconds for lead in preferences.lead_times))


def _exists(due: datetime, zone: str) -> bool:
    try:
        to_utc(due, time_zone(zone))
    except OverflowError:
        return False
    return True
