"""The calls that tests of reminders make most, in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_pb2 import (
    NotificationPreferences,
    Reminder,
    ReminderKind,
    ReminderPriority,
    ReminderStatus,
)

from tests.services.interactions.conftest import InteractionsClient
from tests.suite import Metadata, as_operator

GENERAL = ReminderKind.REMINDER_KIND_GENERAL
KEEP_IN_TOUCH = ReminderKind.REMINDER_KIND_KEEP_IN_TOUCH
BIRTHDAY = ReminderKind.REMINDER_KIND_BIRTHDAY
ACTIVE = ReminderStatus.REMINDER_STATUS_ACTIVE
COMPLETED = ReminderStatus.REMINDER_STATUS_COMPLETED
LOW, NORMAL, HIGH, URGENT = (
    ReminderPriority.Value(f"REMINDER_PRIORITY_{n}") for n in ("LOW", "NORMAL", "HIGH", "URGENT")
)


def in_utc(**distance: float) -> datetime:
    """So much from now, to the second."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(**distance)


def local(moment: datetime) -> str:
    """A moment as the clocks of UTC show it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S")


def stamp(moment: datetime) -> Timestamp:
    found = Timestamp()
    found.FromDatetime(moment)
    return found


def when(timestamp: Timestamp) -> datetime:
    return timestamp.ToDatetime(UTC)


def leads(*durations: timedelta, **fields: Any) -> NotificationPreferences:
    return NotificationPreferences(
        lead_times=[Duration(seconds=int(lead.total_seconds())) for lead in durations], **fields
    )


class Reminding:
    """One tenant's reminders: `await reminding.create(title="Call", due_local="2026-03-08T02:30:00")`."""

    def __init__(self, client: InteractionsClient, tenant: Metadata) -> None:
        self.stub = client.reminders
        self.tenant = tenant

    async def create(self, request_id: str = "", **fields: Any) -> Reminder:
        if fields.get("kind", GENERAL) == GENERAL:
            fields = {"title": "Call", "due_local": "2030-01-01T09:00:00", "time_zone": "UTC"} | fields
        request = pb.CreateReminderRequest(reminder=Reminder(**fields), request_id=request_id)
        answer: Reminder = await self.stub.CreateReminder(request, metadata=self.tenant)
        return answer

    async def due(self, *, seconds: float = -60, **fields: Any) -> Reminder:
        """A reminder that is due so many seconds from now."""
        return await self.create(due_local=local(in_utc(seconds=seconds)), **fields)

    async def get(self, reminder_id: str, *paths: str) -> Reminder:
        request = pb.GetReminderRequest(id=reminder_id, read_mask=FieldMask(paths=paths))
        answer: Reminder = await self.stub.GetReminder(request, metadata=self.tenant)
        return answer

    async def update(
        self, reminder_id: str, *paths: str, request_id: str = "", etag: str = "", **fields: Any
    ) -> Reminder:
        request = pb.UpdateReminderRequest(
            reminder=Reminder(id=reminder_id, etag=etag, **fields),
            update_mask=FieldMask(paths=paths),
            request_id=request_id,
        )
        answer: Reminder = await self.stub.UpdateReminder(request, metadata=self.tenant)
        return answer

    async def delete(self, reminder_id: str, **arguments: Any) -> Reminder:
        request = pb.DeleteReminderRequest(id=reminder_id, **arguments)
        answer: Reminder = await self.stub.DeleteReminder(request, metadata=self.tenant)
        return answer

    async def complete(self, reminder_id: str, **arguments: Any) -> Reminder:
        request = pb.CompleteReminderRequest(id=reminder_id, **arguments)
        answer: Reminder = await self.stub.CompleteReminder(request, metadata=self.tenant)
        return answer

    async def snooze(self, reminder_id: str, **arguments: Any) -> Reminder:
        request = pb.SnoozeReminderRequest(id=reminder_id, **arguments)
        answer: Reminder = await self.stub.SnoozeReminder(request, metadata=self.tenant)
        return answer

    async def preview(self, due_local: str, rrule: str = "", **arguments: Any) -> pb.PreviewOccurrencesResponse:
        request = pb.PreviewOccurrencesRequest(due_local=due_local, rrule=rrule, **arguments)
        answer: pb.PreviewOccurrencesResponse = await self.stub.PreviewOccurrences(request, metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListRemindersResponse:
        request = pb.ListRemindersRequest(**arguments)
        answer: pb.ListRemindersResponse = await self.stub.ListReminders(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Reminder]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.reminders)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.reminders)

    async def titles(self, **arguments: Any) -> list[str]:
        """The titles of a whole list, page by page."""
        return [reminder.title async for page in self.pages(**arguments) for reminder in page]

    async def calendar(self, **arguments: Any) -> bytes:
        request = pb.ExportCalendarRequest(**arguments)
        return b"".join([part.chunk async for part in self.stub.ExportCalendar(request, metadata=self.tenant)])


class Dispatching:
    """A notification service: `await dispatching.claim()`."""

    def __init__(self, client: InteractionsClient) -> None:
        self.stub = client.reminders

    async def claim(self, metadata: Metadata | None = None, **arguments: Any) -> list[pb.DueReminder]:
        request = pb.ClaimDueRemindersRequest(**arguments)
        answer = await self.stub.ClaimDueReminders(request, metadata=as_operator() if metadata is None else metadata)
        return list(answer.due_reminders)

    async def ack(
        self, *acks: tuple[str, int], request_id: str = "", metadata: Metadata | None = None
    ) -> list[pb.ReminderAckResult]:
        request = pb.AckRemindersRequest(
            acks=[pb.ReminderAck(lease_id=lease, delivery=delivery) for lease, delivery in acks],  # type: ignore[arg-type]
            request_id=request_id,
        )
        answer = await self.stub.AckReminders(request, metadata=as_operator() if metadata is None else metadata)
        return list(answer.results)
