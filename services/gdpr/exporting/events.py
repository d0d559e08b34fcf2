"""Reminders and birthdays as a calendar file."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import IO, Any

from services.gdpr.exporting.archive import CHUNK, Archive
from services.gdpr.exporting.reading import QUERIES, Subject
from services.gdpr.exporting.threads import in_thread
from shared.calendar_events import Entry, birthday_entry, reminder_entry
from shared.calendar_zones import zone_definition
from shared.database import Row, Transaction
from shared.reminder_plans import plan_of

_BEGIN = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//pmcrm//export//EN\r\nCALSCALE:GREGORIAN\r\n"
_END = b"END:VCALENDAR\r\n"
_FIRST = uuid.UUID(int=0)


class Events:
    """Events that are kept beside the archive until all time zones are known, which stand before them."""

    def __init__(self, spool: IO[bytes]) -> None:
        self._spool = spool
        # Zone → the first year in which an event uses it.
        self._zones: dict[str, int] = {}
        self._any = False
        spool.seek(0)
        spool.truncate()

    async def read(self, tx: Transaction, subject: Subject) -> None:
        """Writes the reminders and the birthdays."""
        after = _FIRST
        while rows := await tx.fetch(QUERIES["export_events"], subject.ids, after):
            plans = await tx.fetch(QUERIES["export_plans"], [row["id_key"] for row in rows])
            await in_thread(self._write_reminders, rows, {row["id"]: row for row in plans})
            after = rows[-1]["id_key"]
        after = _FIRST
        while rows := await tx.fetch(QUERIES["export_birthdays"], subject.survivor, after):
            await in_thread(self._write, [birthday_entry(row) for row in rows])
            after = rows[-1]["id"]

    def move(self, archive: Archive, name: str) -> None:
        """Puts the calendar into the archive."""
        # A calendar without any component is none (RFC 5545 §3.6).
        zones = self._zones if self._any else {"UTC": 1970}
        self._spool.seek(0)
        with archive.entry(name) as entry:
            entry.write(_BEGIN)
            for zone, year in sorted(zones.items()):
                entry.write(zone_definition(zone, year))
            while chunk := self._spool.read(CHUNK):
                entry.write(chunk)
            entry.write(_END)

    def _write_reminders(self, rows: Sequence[Row], plans: Mapping[uuid.UUID, Mapping[str, Any]]) -> None:
        self._write(_reminder(row, plans[row["id_key"]]) for row in rows)

    def _write(self, entries: Iterable[Entry | None]) -> None:
        for entry in entries:
            if entry is None:
                continue
            self._any = True
            self._spool.write(entry.lines)
            if entry.zone is not None:
                self._zones[entry.zone] = min(entry.year, self._zones.get(entry.zone, entry.year))


def _reminder(row: Row, plan: Mapping[str, Any]) -> Entry | None:
    try:
        return reminder_entry(row, plan_of(plan))
    except (KeyError, ValueError, OverflowError):
        # A zone or a rule that another release accepted. It is in the table of reminders as it was given.
        return None
