"""UpdateReminder, CompleteReminder and SnoozeReminder: what their requests make of the reminder that is stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_pb2 import Reminder

from services.interactions.reminder_record import ReminderRecord, to_record
from shared.errors import Aborted, FailedPrecondition, InvalidArgument, Violation
from shared.fields import time_value
from shared.masks import replace as replace_fields
from shared.time_zones import read_local

LONGEST_SNOOZE = timedelta(days=366)


@dataclass(frozen=True, slots=True)
class Change:
    """What an update makes of a reminder.

    restarts: its rule begins anew. ends_snooze: its next occurrence is not put off any more.
    """

    record: ReminderRecord
    restarts: bool
    ends_snooze: bool


def changed_record(
    request: pb.UpdateReminderRequest, row: Mapping[str, Any], current: Reminder, paths: Sequence[str], zone: str
) -> Change:
    """The reminder as the update leaves it. Raises InvalidArgument. Searches for occurrences: not on the event loop.

    row, current: the stored reminder, as a row of reminder_rows and as a message.
    zone: the tenant's, for an update that clears the reminder's.
    """
    changed = Reminder()
    changed.CopyFrom(current)
    replace_fields(changed, request.reminder, paths)
    if changed.kind not in (0, current.kind):
        raise InvalidArgument([Violation("reminder.kind", "cannot be changed once it is stored")])
    changed.kind = current.kind
    record = to_record(changed, "reminder", zone)
    if row["given_title"] is None and changed.title == current.title:
        # It goes on being called after its contact.
        record = replace(record, title=None)
    rhythm = (record.due_local or "", record.time_zone, record.rrule or "")
    moves = rhythm != (current.due_local, current.time_zone, current.rrule)
    return Change(record, restarts=moves and record.kind == "GENERAL", ends_snooze=moves)


def occurrence_checked(row: Mapping[str, Any], expected: datetime | None) -> datetime:
    """The local time of the occurrence that a caller means.

    row: of reminder_rows, up to date. expected: as next_due_time gave it; None for whichever is next.
    Raises REMINDER_NOT_ACTIVE, REMINDER_OCCURRENCE_MISMATCH.
    """
    local = read_local(row["next_due_local"] or "")
    if local is None:
        raise FailedPrecondition("REMINDER_NOT_ACTIVE", "nothing of the reminder is left to be due", id=row["id"])
    if expected is not None and expected != row["next_due_time"]:
        raise Aborted("REMINDER_OCCURRENCE_MISMATCH", "another occurrence is due next; read the reminder again")
    return local


def snooze_end(request: pb.SnoozeReminderRequest) -> datetime:
    """Until when a request puts an occurrence off. Raises InvalidArgument."""
    now = datetime.now(UTC)
    field = request.WhichOneof("until")
    if field is None:
        raise InvalidArgument([Violation("snooze_time", "or snooze_duration must be given")])
    problem = InvalidArgument([Violation(field, f"must be in the future and at most {LONGEST_SNOOZE.days} days ahead")])
    if field == "snooze_time":
        until = time_value(request, field)
    else:
        if abs(request.snooze_duration.seconds) > 2 * LONGEST_SNOOZE.total_seconds():
            raise problem
        until = now + request.snooze_duration.ToTimedelta()
    if until is None or not now < until <= now + LONGEST_SNOOZE:
        raise problem
    return until
