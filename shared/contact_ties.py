"""What ties a contact to organizations and to other contacts, as files carry it.

Files of other programs hold little of it, and each in its own way. Ours hold all of it as JSON objects: a line of a
card for each, and a list of them in a cell of a table.
"""

from __future__ import annotations

import json
import uuid
from typing import Any, NamedTuple

from shared.caller import parse_uuid
from shared.partial_date import NO_DATE, DateParts, read_date

TAG_NAME = 100

# So much of a contact's employments and links, as they are written, goes into a file: what reads it holds a record in
# memory. As many as a contact may have, with notes as long as they may be, would take fifty megabytes.
MOST_WRITTEN_BYTES = 4 << 20

# Names of ContactLinkType, without its prefix; of directed types, with the one that the other contact sees.
REVERSE = {
    "PARENT": "CHILD",
    "CHILD": "PARENT",
    "MANAGER": "REPORT",
    "REPORT": "MANAGER",
    "INTRODUCED_BY": "INTRODUCED",
    "INTRODUCED": "INTRODUCED_BY",
    "ASSISTANT": "ASSISTED",
    "ASSISTED": "ASSISTANT",
}
# Directed types as they are stored: under one of their two names.
STORED = frozenset({"PARENT", "MANAGER", "INTRODUCED_BY", "ASSISTANT"})
SYMMETRIC = frozenset(
    {"SPOUSE", "PARTNER", "SIBLING", "RELATIVE", "FRIEND", "ACQUAINTANCE", "COLLEAGUE", "NEIGHBOR", "OTHER"}
)


class Employment(NamedTuple):
    """A stretch of time in an organization, which is known by its name. What is not known is empty.

    is_shown: the record's card text says this one only for the sake of other programs, and the contact has none.
    """

    organization: str
    job_title: str = ""
    department: str = ""
    location: str = ""
    start: DateParts = NO_DATE
    end: DateParts = NO_DATE
    is_current: bool = False
    notes: str = ""
    is_shown: bool = False


class Relation(NamedTuple):
    """A tie to another contact, which is known by the UID of its record, or by the contact that this came from.

    type: what the other contact is to this one, as a name of ContactLinkType: with PARENT, it is the parent.
    lines: the content lines to keep when the other contact is not there.
    """

    type: str
    uid: str = ""
    contact_id: uuid.UUID | None = None
    label: str = ""
    start: DateParts = NO_DATE
    notes: str = ""
    lines: tuple[str, ...] = ()


class Ties(NamedTuple):
    """What a record says of organizations and other contacts.

    has_history: the employments are all that its contact had, past ones among them, and not what a card shows.
    incomplete: `employments`, `links`, or both, of which a file takes no more than are here.
    """

    employments: tuple[Employment, ...] = ()
    has_history: bool = False
    relations: tuple[Relation, ...] = ()
    incomplete: tuple[str, ...] = ()


NO_TIES = Ties()


def employment_json(employment: Employment) -> dict[str, Any]:
    """The JSON object that `read_employment` reads as this employment."""
    said = {
        "organization": employment.organization,
        "job_title": employment.job_title,
        "department": employment.department,
        "location": employment.location,
        "start": written_date(employment.start),
        "end": written_date(employment.end),
        "current": employment.is_current,
        "notes": employment.notes,
        "shown": employment.is_shown,
    }
    return {key: value for key, value in said.items() if value}


def read_employment(said: object) -> Employment | None:
    """The employment that a JSON object says, not yet checked; None when it says none."""
    if not isinstance(said, dict) or not _text(said, "organization").strip():
        return None
    return Employment(
        organization=_text(said, "organization"),
        job_title=_text(said, "job_title"),
        department=_text(said, "department"),
        location=_text(said, "location"),
        start=_date(said, "start"),
        end=_date(said, "end"),
        is_current=said.get("current") is True,
        notes=_text(said, "notes"),
        is_shown=said.get("shown") is True,
    )


def relation_json(relation: Relation) -> dict[str, Any]:
    """The JSON object that `read_relation` reads as this relation."""
    said = {
        "type": relation.type,
        "uid": relation.uid,
        "id": str(relation.contact_id or ""),
        "label": relation.label,
        "start": written_date(relation.start),
        "notes": relation.notes,
    }
    return {key: value for key, value in said.items() if value}


def read_relation(said: object) -> Relation | None:
    """The relation that a JSON object says, not yet checked; None when it says none."""
    if not isinstance(said, dict):
        return None
    kind, uid, contact_id = _text(said, "type"), _text(said, "uid"), parse_uuid(_text(said, "id"))
    if (kind not in REVERSE and kind not in SYMMETRIC) or not (uid or contact_id):
        return None
    return Relation(kind, uid, contact_id, _text(said, "label"), _date(said, "start"), _text(said, "notes"))


def as_text(said: object) -> str:
    """JSON as files of ours hold it: one line, the same for the same value."""
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def fitting(ties: Ties) -> tuple[Ties, list[str]]:
    """As much of a contact's ties as a file takes, and what is left out: `employments`, `links`, or both."""
    room = MOST_WRITTEN_BYTES
    employments: list[Employment] = []
    relations: list[Relation] = []
    for employment in ties.employments:
        room -= _size(employment_json(employment))
        if room >= 0:
            employments.append(employment)
    for relation in ties.relations:
        room -= _size(relation_json(relation))
        if room >= 0:
            relations.append(relation)
    lost = set(ties.incomplete)
    if len(employments) < len(ties.employments):
        lost.add("employments")
    if len(relations) < len(ties.relations):
        lost.add("links")
    return ties._replace(employments=tuple(employments), relations=tuple(relations)), sorted(lost)


def _size(said: object) -> int:
    """Bytes that JSON takes at most in a file: cards escape some characters, and tables others."""
    written = as_text(said)
    return len(written.encode()) + sum(map(written.count, '\\,;"'))


def written_date(date: DateParts) -> str:
    """A date as vCard writes those of which parts are unknown: `2019-03`, `--04-12`, `---12`; '' for none."""
    year, month, day = date
    if year:
        return f"{year:04}" + (f"-{month:02}" if month else "") + (f"-{day:02}" if day else "")
    if month:
        return f"--{month:02}" + (f"-{day:02}" if day else "")
    return f"---{day:02}" if day else ""


def _text(said: dict[str, Any], key: str) -> str:
    value = said.get(key)
    return value if isinstance(value, str) else ""


def _date(said: dict[str, Any], key: str) -> DateParts:
    return read_date(_text(said, key), None) or NO_DATE
