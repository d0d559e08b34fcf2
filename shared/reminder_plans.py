"""Plans of reminders as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from shared.recurrence_rule import read_rule
from shared.reminder_scheduling import Notification, Plan, Subject
from shared.time_zones import read_local


def plan_of(row: Mapping[str, Any]) -> Plan:
    """The plan that a row of scheduled_reminders holds."""
    subject = None
    if row["contact_usable"]:
        month, day = row["birthday_month"], row["birthday_day"]
        subject = Subject(
            created_at=row["contact_created_at"],
            last_contact_at=row["last_contact_at"],
            keep_in_touch_days=row["keep_in_touch_days"],
            birthday=(month, day) if month and day else None,
        )
    return Plan(
        kind=row["kind"],
        zone=row["time_zone"],
        due=_local(row["due_local"]),
        rule=read_rule(row["rrule"]) if row["rrule"] else None,
        leads=tuple(row["lead_seconds"] or (0,)),
        muted=row["muted"],
        subject=subject,
        completed_through=_local(row["completed_through"]),
        counts_from=row["counts_from"],
        known_birthday=row["known_birthday"],
        snoozed=_local(row["snoozed_local"]),
        notifications=tuple(_notification_of(stored) for stored in row["notifications"] or ()),
    )


def _notification_of(stored: Mapping[str, Any]) -> Notification:
    return Notification(
        lead=stored["lead_seconds"],
        settled=_local(stored["settled_local"]),
        local=_local(stored["occurrence_local"]),
        occurs=_time(stored["occurrence_at"]),
        notify=_time(stored["notify_at"]),
        available=_time(stored["available_at"]),
        first_claimed=_time(stored["first_claimed_at"]),
        lease_id=stored["lease_id"],
        attempt=stored["attempt"],
        snoozed=stored["snoozed"],
    )


def _local(text: str | None) -> datetime | None:
    return read_local(text) if text is not None else None


def _time(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text is not None else None
