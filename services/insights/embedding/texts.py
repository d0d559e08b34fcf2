"""Of which text an embedding is made: what a contact does and what is noted of it, and what an interaction was about.

Never names, addresses, e-mail addresses, phone numbers, dates or custom fields: they tell who somebody is, not what
somebody is like, and whatever stands here may go to an AI provider.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

# Changes with whatever changes the text of the same subject: then all are embedded anew.
FORMAT = 1

# Characters of a text that are embedded; what comes after is not looked at.
LONGEST = 8_000

# The words with which the parts of a text begin, in lower case.
LABELS = frozenset({"works", "as", "at", "tags", "notes", "subject", "topics"})


@dataclass(frozen=True, slots=True)
class ContactParts:
    """What is said of a contact.

    employments: of the current ones, the title held there (or None) and the organization's name.
    organization_name: the one on its card, which counts when there is no current employment.
    """

    job_title: str | None
    organization_name: str | None
    employments: Sequence[tuple[str | None, str]]
    tags: Sequence[str]
    notes: str | None


def contact_text(parts: ContactParts) -> str:
    """The text of a contact; empty when nothing is said of it."""
    at = [f"{name}, as {title}" if says(title) else name for title, name in parts.employments if says(name)]
    if not at and parts.organization_name is not None:
        at = [parts.organization_name]
    return _joined(
        (
            ("Works as", [parts.job_title]),
            ("Works at", at),
            ("Tags", parts.tags),
            ("Notes", [parts.notes]),
        )
    )


def interaction_text(subject: str | None, topics: Sequence[str], body: str | None) -> str:
    """The text of an interaction; empty when it has none. topics: those that were given, else those computed."""
    return _joined((("Subject", [subject]), ("Topics", topics), ("Notes", [body])))


def says(text: str | None) -> bool:
    """Whether a text says anything: has at least one letter or digit."""
    return text is not None and any(map(str.isalnum, text))


def cut(text: str) -> str:
    """As much of a text as is embedded."""
    return text[:LONGEST]


def content_hash(text: str) -> bytes:
    """SHA-256 of the text and of how such texts are made; 32 bytes."""
    return hashlib.sha256(f"{FORMAT}\n{text}".encode("utf-8", "surrogatepass")).digest()


def _joined(parts: Iterable[tuple[str, Sequence[str | None]]]) -> str:
    lines = []
    for label, values in parts:
        said = [value.strip() for value in values if value is not None and says(value)]
        if said:
            lines.append(f"{label}: {'; '.join(said)}")
    return cut("\n".join(lines))
