"""A Tag message as columns, checked and normalised, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from pmcrm.contacts.v1.tag_pb2 import Tag

from shared.name_keys import name_key
from shared.text import checked_line, checked_text
from shared.violations import Violations

WRITABLE = frozenset({"name", "color", "description"})

NAME_LIMIT = 100
DESCRIPTION_LIMIT = 1_000

_COLOR = re.compile(r"#[0-9a-f]{6}", re.ASCII | re.IGNORECASE)

# Columns that statements need and answers do not have.
_BESIDES = frozenset({"user_id", "id_key", "sort_name", "position"})


@dataclass(frozen=True, slots=True)
class TagRecord:
    """The columns of a tag that a caller writes; None where nothing is kept."""

    name: str
    name_key: str
    color: str | None
    description: str | None


def to_record(tag: Tag, path: str) -> TagRecord:
    """Checks a tag. Raises InvalidArgument with every bad field, as `{path}.color`."""
    violations = Violations()
    name = checked_line(tag.name, f"{path}.name", NAME_LIMIT, violations)
    if not name and not violations:
        violations.add(f"{path}.name", "must not be empty")
    if tag.color and not _COLOR.fullmatch(tag.color):
        violations.add(f"{path}.color", "must be a colour such as #1e90ff")
    description = checked_text(tag.description, f"{path}.description", DESCRIPTION_LIMIT, violations)
    violations.raise_if_any()
    return TagRecord(name, name_key(name), tag.color.lower() or None, description or None)


def to_tag(row: Mapping[str, Any], grace_days: int) -> Tag:
    """The tag that a row of tag_rows holds.

    grace_days: how long after its deletion a tag is purged; the source of purge_time.
    """
    tag = Tag(**{name: value for name, value in row.items() if name not in _BESIDES})
    if row["delete_time"] is not None:
        tag.purge_time.FromDatetime(row["delete_time"] + timedelta(days=grace_days))
    return tag
