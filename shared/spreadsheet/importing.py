"""From the bytes of a CSV file to the records to store: the whole of reading it, for an import to feed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from shared.caller import parse_uuid
from shared.charsets import decoded
from shared.errors import InvalidArgument
from shared.imported_record import Failure, ImportedRecord, LeftOut, RepeatedIds, imported_record
from shared.imported_ties import with_checked_ties
from shared.line_reader import Line, LineReader
from shared.spreadsheet.dialects import OWN_ID, Dialect, recognised
from shared.spreadsheet.places import Place, place_of
from shared.spreadsheet.reading import Columns, ReadRow
from shared.spreadsheet.rows import Row, RowReader

# How far the header is looked for: LinkedIn puts notes before it, and other programs a title.
HEADER_WITHIN_LINES = 50
HEADER_WITHIN_BYTES = 2 << 20

_MOST_LINE_BYTES = 8 << 20
DELIMITERS = (",", ";", "\t")


class UnknownColumnsError(Exception):
    """The file's columns are not known.

    missing: the columns that the mapping names and the file lacks; none without a mapping.
    """

    def __init__(self, missing: Iterable[str] = ()) -> None:
        super().__init__("the columns of the file are not known")
        self.missing = tuple(missing)


class TableImporter:
    """Reads a CSV file chunk by chunk: a FileImporter.

    `feed` and `close` raise UnknownColumnsError when the file has begun and its columns are not known.

    default_region: where phone numbers without a country code are read; '' for nowhere.
    charset: what the caller says that the file is in (a name that `known_charset` gave); '' to find out.
    mapping: column name → target; without it the columns are those of a program that is known.
    """

    def __init__(self, default_region: str = "", charset: str = "", mapping: Mapping[str, str] | None = None) -> None:
        self._lines = LineReader(charset, _MOST_LINE_BYTES)
        self._default_region = default_region
        self._mapping = {column.strip(): target for column, target in (mapping or {}).items()}
        self._candidates: list[RowReader] = []
        self._rows: RowReader | None = None
        self._columns: Columns | None = None
        self._nearest: set[str] | None = None  # the mapping's columns that the likeliest header lacked
        self._bytes_read = 0
        self._begins_at = 0  # the first line that is not blank; 0 before it
        self._ids = RepeatedIds()
        self._saw_8_bit = False

    @property
    def charset(self) -> str:
        """The character set that is being read: the one that was told or marked, else UTF-8 or Windows-1252."""
        return "windows-1252" if self._saw_8_bit else self._lines.charset

    @property
    def dialect(self) -> str:
        """What the file was taken for, such as `Google CSV`."""
        return self._columns.dialect.name if self._columns else ""

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """The columns that have no place and held something, as one."""
        names = self._columns.not_imported() if self._columns else []
        if not names:
            return ()
        return (LeftOut(", ".join(names), "IMPORT_COLUMN_LEFT_OUT", "no place in a contact is known for the columns"),)

    def feed(self, chunk: bytes) -> list[ImportedRecord | Failure]:
        """The records and failures that this chunk of the file completes."""
        found = [part for line in self._lines.feed(chunk) for part in self._take(line)]
        self._bytes_read += len(chunk)
        if self._rows is None and self._bytes_read > HEADER_WITHIN_BYTES:
            raise UnknownColumnsError(self._missing())
        return found

    def close(self) -> list[ImportedRecord | Failure]:
        """The records and failures that the end of the file completes."""
        found = [part for line in self._lines.close() for part in self._take(line)]
        if self._rows is None:
            self._look_for_header([row for reader in self._candidates for row in reader.close()])
            if self._columns is None and (self._begins_at or self._mapping):
                raise UnknownColumnsError(self._missing())
            return found
        return found + [part for row in self._rows.close() for part in self._import(row)]

    def _take(self, line: Line) -> list[ImportedRecord | Failure]:
        text = self._decoded(line.content)
        if self._rows is not None:
            rows = self._rows.take_cut(line.number) if line.cut else self._rows.take(line.number, text)
            return [found for row in rows for found in self._import(row)]
        if not self._begins_at and (not text or text.isspace()):
            return []
        if not self._begins_at:
            self._begins_at = line.number
            quote = "'" if text.startswith("'") else '"'
            self._candidates = [RowReader(delimiter, quote) for delimiter in DELIMITERS]
        for candidate in self._candidates:
            if self._look_for_header([] if line.cut else candidate.take(line.number, text)):
                self._rows = candidate
                return []
        if line.number - self._begins_at >= HEADER_WITHIN_LINES:
            raise UnknownColumnsError(self._missing())
        return []

    def _decoded(self, content: bytes) -> str:
        try:
            return content.decode()
        except UnicodeDecodeError:
            self._saw_8_bit = True
            return decoded(content)

    def _look_for_header(self, rows: Iterable[Row | Failure]) -> bool:
        for row in rows:
            dialect = self._dialect_of(row.fields) if isinstance(row, Row) else None
            if isinstance(row, Row) and dialect is not None:
                self._columns = Columns(row.fields, dialect)
                return True
        return False

    def _dialect_of(self, fields: list[str]) -> Dialect | None:
        if not self._mapping:
            return recognised(fields)
        names = [name.strip() for name in fields]
        missing = self._mapping.keys() - set(names)
        if self._nearest is None or len(missing) < len(self._nearest):
            self._nearest = missing
        if missing:
            return None
        # Two columns of one name make two entries of a list.
        entries = [f"{name} {names[:i].count(name) + 1}" if name in names[:i] else name for i, name in enumerate(names)]
        return Dialect("CSV", [self._place(name, entry) for name, entry in zip(names, entries, strict=True)])

    def _place(self, column: str, entry: str) -> Place | None:
        target = self._mapping.get(column)
        return place_of(target, entry) if target is not None else None

    def _missing(self) -> list[str]:
        return sorted(self._mapping if self._nearest is None else self._nearest)

    def _import(self, row: Row | Failure) -> list[ImportedRecord | Failure]:
        if isinstance(row, Failure) or self._columns is None:
            return [row] if isinstance(row, Failure) else []
        if any(field and not field.isspace() for field in row.fields[len(self._columns.header) :]):
            return [Failure(row.line, "IMPORT_RECORD_MALFORMED", "the row has more fields than the header")]
        read = self._columns.read(row.fields)
        return [] if read is None else [self._record(row.line, read)]

    def _record(self, line: int, read: ReadRow) -> ImportedRecord | Failure:
        contact = read.contact
        left_out = list(read.left_out)
        if contact.source_uid and self._ids.is_taken(contact.source_uid, read.hash):
            contact.source_uid = ""
            left_out.append(LeftOut("source_uid", "IMPORT_VALUE_LEFT_OUT", "another row of the file has the same id"))
        if contact.id and self._ids.is_taken(f"{OWN_ID}:{contact.id}", read.hash):
            contact.id = ""
        contact_id = parse_uuid(contact.id)
        try:
            record, bad_values = imported_record(contact, self._default_region)
        except InvalidArgument:
            reason = "the row holds nothing by which its contact could be called"
            return Failure(line, "IMPORT_RECORD_EMPTY", reason)
        record["source_hash"] = read.hash
        found = ImportedRecord(line, record, read.categories, (*left_out, *bad_values), contact_id, read.ties)
        return with_checked_ties(found)
