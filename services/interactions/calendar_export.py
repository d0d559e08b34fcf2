"""ExportCalendar: a tenant's reminders at one moment as one calendar file, which streams out.

The events are written to a temporary file first: a caller who reads slowly holds no transaction, the time zones that
they use can stand before them, and the audit log tells of the export before the first byte leaves.
"""

from __future__ import annotations

import asyncio
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from google.protobuf.empty_pb2 import Empty
from pmcrm.interactions.v1 import reminder_service_pb2 as pb

from services.interactions.reminder_listing import standing_contact
from shared import queries
from shared.calendar_events import Entry, birthday_entry, reminder_entry
from shared.calendar_zones import zone_definition
from shared.database import Database, Row, Transaction
from shared.fields import uuid_value
from shared.reminder_plans import plan_of

QUERIES = queries.load(Path(__file__).parent / "queries")

CHUNK = 64 * 1024
PAGE = 200

# So much of the file is kept in memory, the rest on disk.
IN_MEMORY = 1024 * 1024

BEGIN = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pmcrm//reminders//EN\r\nCALSCALE:GREGORIAN\r\n"
END = b"END:VCALENDAR\r\n"

_BEFORE_ALL = uuid.UUID(int=0)


@dataclass(slots=True)
class Spooled:
    """The events of a file. zones: the first year of each zone that they use. events: how many."""

    file: IO[bytes]
    zones: dict[str, int] = field(default_factory=dict)
    events: int = 0

    def write(self, entries: Iterable[Entry | None]) -> None:
        """Adds events; None is no event."""
        for entry in entries:
            if entry is None:
                continue
            self.file.write(entry.lines)
            self.events += 1
            if entry.zone is not None:
                self.zones[entry.zone] = min(entry.year, self.zones.get(entry.zone, entry.year))


async def run(request: pb.ExportCalendarRequest, database: Database) -> AsyncIterator[pb.ExportCalendarResponse]:
    """Spools the events, records the export, and streams the file."""
    asked = uuid_value(request.contact_id, "contact_id") if request.contact_id else None
    with _spool() as spooled:
        async with database.snapshot() as tx:
            contact_id = None if asked is None else await standing_contact(tx, asked)
            await _write_reminders(tx, spooled, contact_id, completed_too=request.include_completed)
            if request.include_birthdays:
                await _write_birthdays(tx, spooled, contact_id)
        await _audit(database, request, contact_id, spooled.events)
        yield pb.ExportCalendarResponse(chunk=BEGIN)
        # A calendar without any component is none (RFC 5545 §3.6).
        zones = spooled.zones if spooled.events else {"UTC": 1970}
        for zone, year in sorted(zones.items()):
            yield pb.ExportCalendarResponse(chunk=await asyncio.to_thread(zone_definition, zone, year))
        spooled.file.seek(0)
        while chunk := await asyncio.to_thread(spooled.file.read, CHUNK):
            yield pb.ExportCalendarResponse(chunk=chunk)
        yield pb.ExportCalendarResponse(chunk=END)


@contextmanager
def _spool() -> Iterator[Spooled]:
    # Has no name in the file system, so that nothing of it stays when the process dies.
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        yield Spooled(file)


async def _write_reminders(
    tx: Transaction, spooled: Spooled, contact_id: uuid.UUID | None, *, completed_too: bool
) -> None:
    after = _BEFORE_ALL
    while True:
        rows = await tx.fetch(QUERIES["calendar_reminders"], after, contact_id, completed_too, PAGE)
        plans = {
            row["id"]: row for row in await tx.fetch(QUERIES["scheduled_reminders"], [row["id_key"] for row in rows])
        }
        await asyncio.to_thread(_write, spooled, rows, plans)
        if len(rows) < PAGE:
            return
        after = rows[-1]["id_key"]


def _write(spooled: Spooled, rows: Sequence[Row], plans: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
    spooled.write(reminder_entry(row, plan_of(plans[row["id_key"]])) for row in rows)


async def _write_birthdays(tx: Transaction, spooled: Spooled, contact_id: uuid.UUID | None) -> None:
    after = _BEFORE_ALL
    while True:
        rows = await tx.fetch(QUERIES["calendar_birthdays"], after, contact_id, PAGE)
        await asyncio.to_thread(spooled.write, [birthday_entry(row) for row in rows])
        if len(rows) < PAGE:
            return
        after = rows[-1]["id"]


async def _audit(
    database: Database, request: pb.ExportCalendarRequest, contact_id: uuid.UUID | None, events: int
) -> None:
    entry = {
        "format": "ICALENDAR",
        "events": events,
        "include_birthdays": request.include_birthdays,
        "include_completed": request.include_completed,
    }

    async def effect(tx: Transaction) -> Empty:
        await tx.fetch(QUERIES["audit_calendar"], contact_id, entry)
        return Empty()

    await database.claim(None, Empty, effect)
