"""README.txt: what each file, table and column of an archive is, for the person who opens it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from services.gdpr.exporting.catalog_privacy import NOT_EXPORTED, TABLES
from services.gdpr.exporting.exported_table import ExportedTable

_WIDTH = 100

_SCOPES = {
    True: (
        "It holds everything: what was provided or observed, and what was inferred from that (GDPR Art. 15, access)."
    ),
    False: (
        "It holds what was provided or observed, without what was inferred from that (GDPR Art. 20, portability). "
        "Tables and columns that are inferred alone are left out."
    ),
}
_SUBJECTS = {
    True: (
        "It is about one contact, and those merged into it. Interactions, reminders and insights are here when the "
        "contact takes part in them; of the others who take part nothing is here, but what a text says of them. The "
        "account itself and its integrations are not here: those tables are empty."
    ),
    False: "It is about a whole account. Deleted and restricted contacts are here until they are purged.",
}
_JSON = (
    "The table, complete: a JSON array with a row on each line, in the order of its primary key. Times are in UTC as "
    "RFC 3339 writes them (or infinity), durations as ISO 8601 does, bytes as hexadecimal digits after \\x. The same "
    "rows give the same bytes."
)
_CSV = (
    "The same for spreadsheets: UTF-8, with a header. Lists and objects are JSON; a text that begins with =, +, -, @, "
    "a tabulator or a line's end has an apostrophe before it, so that no spreadsheet takes it for a formula."
)
_FILES = (
    ("data/<table>.json", _JSON),
    ("csv/<table>.csv", _CSV),
    ("contacts.vcf", "The contacts that are not deleted as vCard 4.0, for address books."),
    ("calendar.ics", "The reminders and birthdays as iCalendar, for calendars."),
    ("manifest.json", "How many rows each table has, and SHA-256 of each table's JSON and of each file but itself."),
)


def readme(*, inferred: bool, one_contact: bool) -> bytes:
    """The text. It depends on nothing but these two."""
    return "\n".join(_lines(inferred, one_contact)).encode() + b"\n"


def _lines(inferred: bool, one_contact: bool) -> Iterator[str]:
    yield "Your data, exported from pmcrm"
    yield ""
    yield from _wrapped(_SCOPES[inferred])
    yield ""
    yield from _wrapped(_SUBJECTS[one_contact])
    yield from _title("Files")
    for name, text in _FILES:
        yield name
        yield from _wrapped(text, "    ")
    yield from _title("Tables")
    for table in TABLES:
        if inferred or table.portable:
            yield from _table(table, inferred)
    yield from _title("What is in no export")
    for name, reason in NOT_EXPORTED.items():
        yield from _wrapped(f"{name}: {reason}", "    ", hanging=True)


def _table(table: ExportedTable, inferred: bool) -> Iterator[str]:
    yield table.name
    yield from _wrapped(table.about, "    ")
    if table.columns:
        yield from _wrapped(f"Provided or observed: {', '.join(table.columns)}", "    ", hanging=True)
    if inferred and table.inferred:
        yield from _wrapped(f"Inferred, or kept to work with: {', '.join(table.inferred)}", "    ", hanging=True)
    for column, reason in table.left_out.items():
        yield from _wrapped(f"Without {column}: {reason}", "    ", hanging=True)
    yield ""


def _title(text: str) -> list[str]:
    return ["", text, "-" * len(text), ""]


def _wrapped(text: str, indent: str = "", *, hanging: bool = False) -> list[str]:
    further = indent + "  " if hanging else indent
    return textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
