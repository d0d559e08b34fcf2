"""The name under which a contact is shown, and the text by which it is sorted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared import contact_limits

# Han, kana, Hangul and bopomofo, with the marks that stand in names of these scripts.
_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u3005-\u3007\u3040-\u318f\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uff9f\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
)


def composed_display_name(record: Mapping[str, Any]) -> str:
    """The display name of a record (columns of contacts) that was given none; '' when it has nothing to be called by.

    A record whose display name is equal to this has a composed one, which follows later changes of its parts.
    """
    name = _full_name(
        record["given_name"],
        record["additional_names"],
        record["family_name"],
        record["honorific_prefixes"],
        record["honorific_suffixes"],
    )
    name = name or record["nickname"] or record["organization_name"] or _first_value(record, "emails")
    return (name or _first_value(record, "phones"))[: contact_limits.DISPLAY_NAME].rstrip()


def sort_name(record: Mapping[str, Any]) -> str:
    """The text by which a record with a display name is sorted: its phonetic name if it has one, else that name.

    Not family name first: callers see display names, and a list in another order would look unsorted to them.
    """
    given, family = record["phonetic_given_name"], record["phonetic_family_name"]
    phonetic = _full_name(given, None, family) if given or family else ""
    display_name: str = record["display_name"]
    return phonetic or display_name


def _full_name(
    given: str | None,
    additional: str | None,
    family: str | None,
    prefixes: str | None = None,
    suffixes: str | None = None,
) -> str:
    if given and family and _EAST_ASIAN.fullmatch(family + given + (additional or "")):
        parts = (prefixes, family + given + (additional or ""), suffixes)
        return " ".join(part for part in parts if part)
    return " ".join(part for part in (prefixes, given, additional, family, suffixes) if part)


def _first_value(record: Mapping[str, Any], column: str) -> str:
    entries = record[column]
    return str(entries[0]["value"]) if entries else ""
