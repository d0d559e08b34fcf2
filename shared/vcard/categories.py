"""A record's categories, which are kept as a line of its extra properties: imports cannot write tags yet."""

from __future__ import annotations

from shared import contact_limits as limits
from shared.imported_record import ImportedRecord, LeftOut
from shared.vcard.values import escaped, texts

_NAME = "CATEGORIES"


def categories_line(names: tuple[str, ...]) -> str:
    """The content line that holds these names."""
    return f"{_NAME}:" + ",".join(map(escaped, names))


def names_of(line: str) -> tuple[str, ...]:
    """The names in a content line that `categories_line` made; none when it is another one."""
    head, _, value = line.partition(":")
    return tuple(dict.fromkeys(texts(value))) if head == _NAME else ()


def with_categories(record: ImportedRecord) -> ImportedRecord:
    """The record with its categories among its extra properties, or named as left out where there is no room."""
    if not record.categories:
        return record
    line = categories_line(record.categories)
    kept = record.record["extra_properties"] or []
    size = sum(len(other.encode()) for other in kept) + len(line.encode())
    if len(kept) >= limits.EXTRA_PROPERTIES or size > limits.EXTRA_PROPERTIES_BYTES:
        reason = "the contact has more extra properties than it may have"
        return record._replace(left_out=(*record.left_out, LeftOut(_NAME, "IMPORT_VALUE_LEFT_OUT", reason)))
    return record._replace(record={**record.record, "extra_properties": [*kept, line]})
