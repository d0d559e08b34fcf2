"""What a record makes of the contact that it stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.contacts.contact_rows import contact_of
from services.contacts.import_records import Record
from shared import contact_limits as limits
from shared.contact_names import sort_name
from shared.contact_record import to_record
from shared.database import Row
from shared.vcard.categories import names_of

Columns = dict[str, Any]

# Columns that say one thing together: a new value of one replaces all of them.
DATES = (
    ("birthday_year", "birthday_month", "birthday_day"),
    ("anniversary_year", "anniversary_month", "anniversary_day"),
)
_LISTS = ("emails", "phones", "addresses", "urls", "im_handles")


def columns_of(row: Row) -> Columns:
    """A row of contact_rows as the columns that a record may hold."""
    columns = to_record(contact_of(row, grace_days=0))
    if not row["relationship_strength_pinned"]:
        columns["relationship_strength"] = None
    return columns


def changed(kept: Mapping[str, Any], record: Record, merged: Mapping[str, Any] | None = None) -> Columns | None:
    """The columns of a contact with those that a record holds in their place; None when they are the same.

    What the record does not hold stays. Where it stands for a contact that was merged into this one, what it says anew
    replaces what the survivor has, but lists are joined, and the survivor's own id stays.

    kept: the columns as they are. merged: those of the contact that was merged, as it was; None when none was.
    """
    given = {column: value for column, value in record.found.record.items() if value is not None}
    if merged is not None:
        given = _news(given, kept, merged)
    if kept["extra_properties"]:
        lines = _lines(kept["extra_properties"], given.get("extra_properties"), record)
        given.pop("extra_properties", None)
        given["extra_properties"] = lines or None
    columns = {**kept}
    for date in DATES:
        if not given.keys().isdisjoint(date):
            columns |= dict.fromkeys(date)
    columns |= {column: value for column, value in given.items() if column != "source_hash"}
    columns["sort_name"] = sort_name(columns)
    return None if columns == kept else columns


def _lines(kept: list[str], given: list[str] | None, record: Record) -> list[str]:
    """The extra properties of a contact that has some: the record's, or its own when the record has none.

    Lines that stand for ties which could not be made stay as long as the record names these, and a line of categories
    becomes tags.
    """
    named = {line for relation in record.relations for line in relation.lines}
    categories = set(record.found.categories)
    lines = [line for line in kept if not (categories and categories.issuperset(names_of(line) or [""]))]
    if given is None:
        return lines
    return [*given, *(line for line in lines if line in named and line not in given)][: limits.EXTRA_PROPERTIES]


def _news(given: Columns, kept: Mapping[str, Any], merged: Mapping[str, Any]) -> Columns:
    """What a record says that the merged contact did not have: the survivor has been given the rest."""
    dates = [date for date in DATES if any(given.get(part) != merged[part] for part in date if part in given)]
    of_dates = {part for date in DATES for part in date}
    news = {
        column: value
        for column, value in given.items()
        if column in merged and value != merged[column] and column not in (*of_dates, "source_uid", "sort_name")
    }
    news |= {part: given[part] for date in dates for part in date if part in given}
    for column in (*_LISTS, "extra_properties"):
        if column in news:
            news[column] = _joined(kept[column] or [], merged[column] or [], news[column])
    return news


def _joined(kept: list[Any], merged: list[Any], given: list[Any]) -> list[Any]:
    """The survivor's entries and those that are new in the record, none of them primary."""
    known = [_value(entry) for entry in (*kept, *merged)]
    new = [entry for entry in given if _value(entry) not in known]
    plain = [{key: value for key, value in e.items() if key != "primary"} if isinstance(e, dict) else e for e in new]
    return [*kept, *plain][: limits.LIST]


def _value(entry: Any) -> Any:
    return {k: v for k, v in entry.items() if k not in ("label", "primary")} if isinstance(entry, dict) else entry
