"""What a merge makes of the survivor's own fields, and what undoing it makes of them again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from shared import contact_limits as limits
from shared.contact_names import composed_display_name, sort_name
from shared.contact_record import COLUMNS_OF_FIELD, has_composed_name
from shared.errors import FailedPrecondition

Record = Mapping[str, Any]
Entry = dict[str, Any]

LISTS = ("emails", "phones", "addresses", "urls", "im_handles")
JOINED = (*LISTS, "notes", "custom_fields", "extra_properties")
# The source is where the survivor's own record came from, and the strength is kept in another table.
KEPT = ("source_uid", "source_create_time", "source_update_time", "relationship_strength")
# The display name follows what it is composed of.
FILLED = tuple(field for field in COLUMNS_OF_FIELD if field not in {*JOINED, *KEPT, "display_name"})
MERGED_COLUMNS = tuple(column for field in (*FILLED, *JOINED, "display_name") for column in COLUMNS_OF_FIELD[field])

# Columns without which a composed display name is an address or a number.
_NAMES = ("given_name", "family_name", "additional_names", "honorific_prefixes", "honorific_suffixes", "nickname")
_SORTED_BY = ("display_name", "phonetic_given_name", "phonetic_family_name")


def merged(survivor: Record, duplicates: Sequence[Record]) -> dict[str, Any]:
    """The columns of the survivor that a merge changes, `sort_name` not yet folded.

    survivor, duplicates: rows of contact_rows. Of what several duplicates have, the first one's comes first.
    Raises LIMIT_REACHED when a list, the notes or the like would be more than a contact may have.
    """
    record = {column: survivor[column] for column in MERGED_COLUMNS}
    for duplicate in duplicates:
        for field in FILLED:
            columns = COLUMNS_OF_FIELD[field]
            if all(record[column] is None for column in columns):
                record |= {column: duplicate[column] for column in columns}
        for field in LISTS:
            record[field] = joined_entries(record[field], duplicate[field])
        record["extra_properties"] = _joined_lines(record["extra_properties"], duplicate["extra_properties"])
        if duplicate["custom_fields"] is not None:
            record["custom_fields"] = _joined_objects(record["custom_fields"] or {}, duplicate["custom_fields"])
    record["notes"] = _joined_notes([survivor["notes"], *(duplicate["notes"] for duplicate in duplicates)])
    composed = has_composed_name(survivor)
    if composed:
        record["display_name"] = _display_name(record, duplicates)
    changed = {
        column: record[column]
        for field in (*FILLED, *JOINED, "display_name")
        for column in COLUMNS_OF_FIELD[field]
        # The parts of a date are one thing: it is undone as a whole.
        if any(record[part] != survivor[part] for part in COLUMNS_OF_FIELD[field])
    }
    if not composed and has_composed_name(record):
        # It was given, and looks now as if it were composed: written down, so that undoing leaves it.
        changed["display_name"] = record["display_name"]
    if not changed.keys().isdisjoint(_SORTED_BY):
        changed["sort_name"] = sort_name(record)
    for field in changed.keys() & set(JOINED):
        _check_limit(field, changed[field], survivor["id"])
    return changed


def taken_strength(survivor: Record, duplicates: Iterable[Record]) -> int | None:
    """The strength that was set by hand for a duplicate, where none was for the survivor; None when there is none."""
    if survivor["relationship_strength_pinned"]:
        return None
    pinned = (duplicate for duplicate in duplicates if duplicate["relationship_strength_pinned"])
    first = next(pinned, None)
    return None if first is None else first["relationship_strength"]


def unmerged(survivor: Record, before: Record, after: Record) -> tuple[dict[str, Any], list[str]]:
    """The columns to write back when a merge is undone (`sort_name` not yet folded), and the fields edited since.

    survivor: its row of contact_rows.
    before, after: the columns that the merge changed. What does not hold any more what the merge wrote was edited and
    stays, but for a composed display name, which follows its parts.
    """
    record = {column: survivor[column] for column in MERGED_COLUMNS}
    edited = []
    for field in (*FILLED, *JOINED):
        columns = [column for column in COLUMNS_OF_FIELD[field] if column in after]
        if any(survivor[column] != after[column] for column in columns):
            edited.append(field)
        else:
            record |= {column: before[column] for column in columns}
    untouched = "display_name" in after and survivor["display_name"] == after["display_name"]
    if before["display_name"] != after["display_name"] if untouched else has_composed_name(survivor):
        # A merge changes composed names alone: what it was before is what these parts compose.
        record["display_name"] = composed_display_name(record)
    if not record["display_name"]:
        # What the contact was called by has been removed since.
        record["display_name"] = survivor["display_name"]
    if "display_name" in after and not untouched and not has_composed_name(record):
        edited.append("display_name")
    changed = {column: value for column, value in record.items() if value != survivor[column]}
    if not changed.keys().isdisjoint(_SORTED_BY):
        changed["sort_name"] = sort_name(record)
    return changed, edited


def joined_entries(ours: list[Entry] | None, theirs: list[Entry] | None) -> list[Entry] | None:
    """Both lists, what is in both once. The first primary one stays the only one."""
    entries = [dict(entry) for entry in ours or ()]
    for given in theirs or ():
        entry = dict(given)
        if any("primary" in known for known in entries):
            entry.pop("primary", None)
        same = next((known for known in entries if _are_same(known, entry)), None)
        if same is None:
            entries.append(entry)
        else:
            same |= entry | same
    return entries or None


def _are_same(one: Entry, other: Entry) -> bool:
    """Whether two entries of a list are the same thing: a label that only one of them has does not tell them apart."""
    labels = {entry["label"] for entry in (one, other) if "label" in entry}
    return len(labels) < 2 and _identity(one) == _identity(other)


def _identity(entry: Entry) -> object:
    if "e164" in entry:
        return entry["e164"], entry.get("extension")
    parts = {key: value for key, value in entry.items() if key not in ("label", "primary")}
    if set(parts) == {"value"} and "@" in parts["value"]:
        # An e-mail address is the same in either case of its letters.
        return parts["value"].casefold()
    return parts


def _joined_lines(ours: list[str] | None, theirs: list[str] | None) -> list[str] | None:
    return list(ours or ()) + [line for line in dict.fromkeys(theirs or ()) if line not in (ours or ())] or None


def _joined_objects(ours: dict[str, Any], theirs: dict[str, Any]) -> dict[str, Any]:
    joined = theirs | ours
    for key in ours.keys() & theirs.keys():
        if isinstance(ours[key], dict) and isinstance(theirs[key], dict):
            joined[key] = _joined_objects(ours[key], theirs[key])
    return joined


def _joined_notes(notes: Iterable[str | None]) -> str | None:
    return "\n\n".join(dict.fromkeys(filter(None, notes))) or None


def _display_name(record: Record, duplicates: Iterable[Record]) -> str:
    if not any(record[column] for column in (*_NAMES, "organization_name")):
        given = [d["display_name"] for d in duplicates if not has_composed_name(d)]
        if given:
            # Better than the address by which the survivor is called.
            return str(given[0])
    return composed_display_name(record)


def _check_limit(field: str, value: Any, contact_id: str) -> None:
    """Raises LIMIT_REACHED when a field holds more than it may."""
    if field in LISTS:
        fits = len(value) <= limits.LIST
    elif field == "notes":
        fits = len(value) <= limits.NOTES
    elif field == "custom_fields":
        fits = len(json.dumps(value, ensure_ascii=False).encode()) <= limits.CUSTOM_FIELDS_BYTES
    else:
        size = sum(len(line.encode()) for line in value)
        fits = len(value) <= limits.EXTRA_PROPERTIES and size <= limits.EXTRA_PROPERTIES_BYTES
    if not fits:
        raise limit_reached(field, contact_id)


def limit_reached(kind: str, contact_id: str) -> FailedPrecondition:
    """What a caller hears whose merge would give a contact more of something than it may have."""
    return FailedPrecondition(
        "LIMIT_REACHED",
        f"contact {contact_id} would have more {kind} than a contact may have",
        limit=f"{kind} of a contact",
        id=contact_id,
    )
