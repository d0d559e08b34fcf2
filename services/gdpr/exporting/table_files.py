"""A table as two files: JSON, which is complete, and CSV, which spreadsheets open."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from typing import IO, Any

from services.gdpr.exporting.archive import CHUNK, Archive, Entry

# With these a spreadsheet would take a text for a formula, and run it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


class JsonFile:
    """A JSON array with a row on each line."""

    def __init__(self, entry: Entry) -> None:
        self.rows = 0
        self._entry = entry

    def write(self, lines: Sequence[str]) -> None:
        """Adds rows, each of which is JSON already."""
        before = ",\n" if self.rows else "[\n"
        self._entry.write((before + ",\n".join(lines)).encode())
        self.rows += len(lines)

    def finish(self) -> None:
        """Ends the array."""
        self._entry.write(b"\n]\n" if self.rows else b"[]\n")


class CsvFile:
    """A table with a header, kept beside the archive until it is complete: a zip takes one file at a time."""

    def __init__(self, spool: IO[bytes], columns: Sequence[str]) -> None:
        self._spool = spool
        self._columns = columns
        spool.seek(0)
        spool.truncate()
        self._write([list(columns)])

    def write(self, lines: Sequence[str]) -> None:
        """Adds rows, each of which is JSON. Raises ValueError for a row with other columns than the table's."""
        rows = []
        for line in lines:
            row = json.loads(line)
            if len(row) != len(self._columns):
                raise ValueError(f"a row has the columns {sorted(row)}")
            rows.append([_cell(row[column]) for column in self._columns])
        self._write(rows)

    def move(self, archive: Archive, name: str) -> None:
        """Puts the file into the archive."""
        self._spool.seek(0)
        with archive.entry(name) as entry:
            while chunk := self._spool.read(CHUNK):
                entry.write(chunk)

    def _write(self, rows: Sequence[Sequence[str]]) -> None:
        written = io.StringIO(newline="")
        csv.writer(written).writerows(rows)
        self._spool.write(written.getvalue().encode())


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f"'{value}" if value.startswith(_FORMULA) else value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
