"""ReminderService: what a user wants to be reminded of. Its other parts are beside this module."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from pmcrm.interactions.v1 import reminder_service_pb2 as pb
from pmcrm.interactions.v1.reminder_pb2 import Reminder

from services.interactions import calendar_export
from services.interactions import reminder_listing as listing
from services.interactions.reminder_changes import changed_record, occurrence_checked, snooze_end
from services.interactions.reminder_record import (
    CONTACTS_LIMIT,
    WRITABLE,
    check_comes,
    checked_recurrence,
    to_record,
    to_reminder,
)
from services.interactions.schedules import PORTION, derive, plan_at
from shared import queries
from shared.caller import parse_uuid
from shared.database import Row, Transaction
from shared.errors import InvalidArgument, NotFound, Violation
from shared.etags import check_etag, etag_mismatch, expected_revision
from shared.fields import time_value, uuid_field, uuid_value
from shared.ids import new_ids
from shared.layers import Context
from shared.living_contacts import hold_contacts
from shared.masks import check_mask, masked, update_paths
from shared.recurrence import Occurrence, Recurrence
from shared.recurrence_rule import Rule
from shared.reminder_scheduling import Plan, counts_on, snoozed
from shared.server import Runtime
from shared.time_zones import time_zone, write_local
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

PREVIEW = 10
LONGEST_PREVIEW = 1_000


class Reminders:
    """The calls of pmcrm.interactions.v1.ReminderService that keep reminders."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace = timedelta(days=runtime.settings.delete_grace_days)

    async def CreateReminder(self, request: pb.CreateReminderRequest, context: Context) -> Reminder:
        """Creates a reminder; RECURRENCE_UNSUPPORTED, CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        zone = request.reminder.time_zone or await self._zone_of_tenant()
        record = await asyncio.to_thread(to_record, request.reminder, "reminder", zone)
        reminder_id = new_ids(1)[0]

        async def effect(tx: Transaction) -> Reminder:
            contacts = await _held_contacts(tx, request.reminder.contact_ids)
            await tx.fetch(QUERIES["create_reminder"], reminder_id, record.columns())
            if contacts:
                await tx.fetch(QUERIES["add_reminder_contacts"], reminder_id, contacts)
            await derive(tx, [reminder_id])
            return await self._get(tx, reminder_id)

        return await self._database.mutate(request, Reminder, effect)

    async def GetReminder(self, request: pb.GetReminderRequest, context: Context) -> Reminder:
        """Returns one reminder, deleted or not; REMINDER_NOT_FOUND."""
        reminder_id = uuid_field(request, "id")
        check_mask(Reminder, request.read_mask)
        async with self._database.reading() as tx:
            row = await self._row(tx, reminder_id)
        if row["outdated"] and row["delete_time"] is None:
            await self._refresh([reminder_id])
            async with self._database.reading() as tx:
                row = await self._row(tx, reminder_id)
        return masked(to_reminder(row, self._grace), request.read_mask)

    async def ListReminders(self, request: pb.ListRemindersRequest, context: Context) -> pb.ListRemindersResponse:
        """Lists living reminders, a page at a time, the next due first; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        wanted = listing.read(request, self._page_tokens)
        await self._refresh_outdated()
        async with self._database.reading() as tx:
            return await listing.fetch(tx, request, wanted, self._page_tokens, self._grace)

    async def UpdateReminder(self, request: pb.UpdateReminderRequest, context: Context) -> Reminder:
        """Changes the fields that the mask names; REMINDER_NOT_FOUND, ETAG_MISMATCH, RECURRENCE_UNSUPPORTED,
        CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        reminder_id = uuid_value(request.reminder.id, "reminder.id")
        paths = update_paths(request.reminder, request.update_mask, WRITABLE)
        zone = await self._zone_of_tenant()

        async def effect(tx: Transaction) -> Reminder:
            # Contacts first, as whoever changes a contact takes hold of its reminders afterwards.
            contacts = None
            if "contact_ids" in paths and (await self._row(tx, reminder_id))["delete_time"] is None:
                contacts = await _held_contacts(tx, request.reminder.contact_ids)
            row = await self._locked(tx, reminder_id)
            check_etag(request.reminder.etag, row["etag"])
            current = to_reminder(row, self._grace)
            if not paths:
                return current
            change = await asyncio.to_thread(changed_record, request, row, current, paths, zone)
            columns = change.record.columns()
            columns.pop("kind")
            await tx.fetch(QUERIES["update_reminder"], reminder_id, columns, change.restarts, change.ends_snooze)
            others = contacts is not None and [str(contact_id) for contact_id in contacts] != current.contact_ids
            if contacts is not None and others:
                await tx.fetch(QUERIES["remove_reminder_contacts"], reminder_id)
                await tx.fetch(QUERIES["add_reminder_contacts"], reminder_id, contacts)

            def anew(_: uuid.UUID, plan: Plan, now: datetime) -> Plan:
                if others:
                    plan = replace(plan, counts_from=None, known_birthday=None)
                return (
                    replace(plan, notifications=()) if change.restarts or (others and plan.kind != "GENERAL") else plan
                )

            await derive(tx, [reminder_id], anew)
            return await self._get(tx, reminder_id)

        return await self._database.mutate(request, Reminder, effect)

    async def DeleteReminder(self, request: pb.DeleteReminderRequest, context: Context) -> Reminder:
        """Deletes a reminder until it is purged; REMINDER_NOT_FOUND unless allow_missing, ETAG_MISMATCH."""
        reminder_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Reminder:
            deleted = await tx.fetchrow(QUERIES["delete_reminder"], reminder_id, expected_revision(request.etag))
            if deleted is not None:
                await tx.fetch(QUERIES["remove_notifications"], reminder_id)
            row = await tx.fetchrow(QUERIES["get_reminder"], reminder_id)
            if deleted is None and row is not None and row["delete_time"] is None:
                raise etag_mismatch()
            if deleted is None and not request.allow_missing:
                raise reminder_not_found(reminder_id)
            return Reminder() if row is None else to_reminder(row, self._grace)

        return await self._database.mutate(request, Reminder, effect)

    async def CompleteReminder(self, request: pb.CompleteReminderRequest, context: Context) -> Reminder:
        """Completes the next occurrence; REMINDER_NOT_FOUND, ETAG_MISMATCH, REMINDER_NOT_ACTIVE,
        REMINDER_OCCURRENCE_MISMATCH."""
        reminder_id = uuid_field(request, "id")
        expected = time_value(request, "occurrence_time")

        async def effect(tx: Transaction) -> Reminder:
            row = await self._locked(tx, reminder_id)
            check_etag(request.etag, row["etag"])
            local = occurrence_checked(row, expected)
            plan, now = await plan_at(tx, reminder_id)
            await tx.fetch(QUERIES["complete_reminder"], reminder_id, write_local(local), counts_on(plan, local, now))
            await derive(tx, [reminder_id])
            return await self._get(tx, reminder_id)

        return await self._database.mutate(request, Reminder, effect)

    async def SnoozeReminder(self, request: pb.SnoozeReminderRequest, context: Context) -> Reminder:
        """Puts the next occurrence off; REMINDER_NOT_FOUND, ETAG_MISMATCH, REMINDER_NOT_ACTIVE,
        REMINDER_OCCURRENCE_MISMATCH."""
        reminder_id = uuid_field(request, "id")
        expected = time_value(request, "occurrence_time")
        until = snooze_end(request)

        async def effect(tx: Transaction) -> Reminder:
            row = await self._locked(tx, reminder_id)
            check_etag(request.etag, row["etag"])
            local = occurrence_checked(row, expected)
            await tx.fetch(QUERIES["snooze_reminder"], reminder_id, write_local(local), until)
            await derive(tx, [reminder_id], lambda _, plan, now: snoozed(plan, until, now))
            return await self._get(tx, reminder_id)

        return await self._database.mutate(request, Reminder, effect)

    async def PreviewOccurrences(
        self, request: pb.PreviewOccurrencesRequest, context: Context
    ) -> pb.PreviewOccurrencesResponse:
        """Tells when a rule would be due; RECURRENCE_UNSUPPORTED."""
        violations = Violations()
        if not 0 <= request.max_occurrences <= LONGEST_PREVIEW:
            violations.add("max_occurrences", f"must be 0 to {LONGEST_PREVIEW}")
        if not request.due_local:
            violations.add("due_local", "must be given")
        after = time_value(request, "after_time")
        zone = request.time_zone or await self._zone_of_tenant()
        due, rule = checked_recurrence(request.due_local, zone, request.rrule, "", violations)
        violations.raise_if_any()
        if due is None:
            raise InvalidArgument([Violation("due_local", "must be given")])
        wanted = request.max_occurrences or PREVIEW
        found = await asyncio.to_thread(_preview, due, zone, rule, after, wanted + 1)
        response = pb.PreviewOccurrencesResponse(
            local_occurrences=[write_local(one.local) for one in found[:wanted]], more=len(found) > wanted
        )
        for one in found[:wanted]:
            response.occurrences.add().FromDatetime(one.time)
        return response

    async def ExportCalendar(
        self, request: pb.ExportCalendarRequest, context: Context
    ) -> AsyncIterator[pb.ExportCalendarResponse]:
        """Streams reminders as one calendar file; CONTACT_NOT_FOUND, PROCESSING_RESTRICTED."""
        await self._refresh_outdated()
        async for response in calendar_export.run(request, self._database):
            yield response

    async def _refresh_outdated(self) -> None:
        """Derives anew what does not hold any more of all of the tenant's reminders."""
        async with self._database.reading() as tx:
            rows = await tx.fetch(QUERIES["outdated_reminders"])
        for begin in range(0, len(rows), PORTION):
            await self._refresh([row["id"] for row in rows[begin : begin + PORTION]])

    async def _refresh(self, ids: Sequence[uuid.UUID]) -> None:
        async def effect(tx: Transaction) -> Empty:
            held = await tx.fetch(QUERIES["hold_reminders"], list(ids))
            await derive(tx, [row["id"] for row in held])
            return Empty()

        await self._database.claim(None, Empty, effect)

    async def _zone_of_tenant(self) -> str:
        async with self._database.reading() as tx:
            zone: str = await tx.fetchval(QUERIES["tenant_time_zone"]) or "UTC"
            return zone

    async def _locked(self, tx: Transaction, reminder_id: uuid.UUID) -> Row:
        """A living reminder, held until the transaction ends, and up to date."""
        if await tx.fetchrow(QUERIES["lock_reminder"], reminder_id) is None:
            raise reminder_not_found(reminder_id)
        row = await self._row(tx, reminder_id)
        if row["outdated"]:
            await derive(tx, [reminder_id])
            row = await self._row(tx, reminder_id)
        return row

    async def _row(self, tx: Transaction, reminder_id: uuid.UUID) -> Row:
        row = await tx.fetchrow(QUERIES["get_reminder"], reminder_id)
        if row is None:
            raise reminder_not_found(reminder_id)
        return row

    async def _get(self, tx: Transaction, reminder_id: uuid.UUID) -> Reminder:
        return to_reminder(await self._row(tx, reminder_id), self._grace)


def reminder_not_found(reminder_id: uuid.UUID) -> NotFound:
    """What a caller hears about a reminder that its tenant does not have."""
    return NotFound("REMINDER_NOT_FOUND", f"no reminder {reminder_id}", id=str(reminder_id))


async def _held_contacts(tx: Transaction, texts: Sequence[str]) -> list[uuid.UUID]:
    """The living contacts that ids stand for, each once, held until the transaction ends. Passes over what is no id."""
    ids = [contact_id for contact_id in map(parse_uuid, texts) if contact_id is not None][:CONTACTS_LIMIT]
    if not ids:
        return []
    held = await hold_contacts(tx, ids)
    return list(dict.fromkeys(held[contact_id] for contact_id in ids))


def _preview(due: datetime, zone: str, rule: Rule | None, after: datetime | None, wanted: int) -> list[Occurrence]:
    check_comes(due, zone, rule, "rrule")
    recurrence = Recurrence(due, time_zone(zone), rule)
    found = recurrence.after(None) if after is None else recurrence.at_or_after(after)
    return list(itertools.islice(found, wanted))
