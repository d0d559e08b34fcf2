"""What is embedded: contacts and interactions, what is said of them now, and of what their embeddings are."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from services.insights.embedding.texts import ContactParts, contact_text, content_hash, interaction_text
from shared import queries
from shared.database import Transaction

QUERIES = queries.load(Path(__file__).parent.parent / "queries")

Kind = Literal["CONTACT", "INTERACTION"]

# By the id of a subject and the name of a model: how many numbers the embedding has, and the hash of its text.
Embedded = dict[tuple[uuid.UUID, str], tuple[int, bytes]]


@dataclass(frozen=True, slots=True)
class Subject:
    """A contact or an interaction."""

    kind: Kind
    id: uuid.UUID


@dataclass(frozen=True, slots=True)
class Said:
    """What is said of a subject, at a moment.

    generation: at which it is queued, None when it is not. permitted: whether it lives and may be embedded.
    text: empty where it says nothing, or is not permitted.
    """

    subject: Subject
    generation: int | None
    permitted: bool
    text: str
    hash: bytes


async def read(tx: Transaction, subjects: Sequence[Subject]) -> list[Said]:
    """What is said of each subject, in no order: one statement for contacts and one for interactions."""
    contacts, interactions = ids_of("CONTACT", subjects), ids_of("INTERACTION", subjects)
    found = []
    for row in await tx.fetch(QUERIES["contacts_to_embed"], contacts) if contacts else ():
        parts = ContactParts(
            row["job_title"],
            row["organization_name"],
            [(title, name) for title, name in row["employments"]],
            row["tags"],
            row["notes"],
        )
        text = contact_text(parts) if row["permitted"] else ""
        found.append(_said("CONTACT", row["id"], row["generation"], row["permitted"], text))
    for row in await tx.fetch(QUERIES["interactions_to_embed"], interactions) if interactions else ():
        text = interaction_text(row["subject"], row["topics"], row["body"]) if row["permitted"] else ""
        found.append(_said("INTERACTION", row["id"], row["generation"], row["permitted"], text))
    return found


async def embedded(tx: Transaction, subjects: Iterable[Subject], models: Collection[str]) -> Embedded:
    """The embeddings that subjects have by some models."""
    rows = await tx.fetch(QUERIES["embedded_texts"], [subject.id for subject in subjects], list(models))
    return {(row["subject_id"], row["model"]): (row["dimensions"], row["content_hash"]) for row in rows}


def ids_of(kind: Kind, subjects: Iterable[Subject]) -> list[uuid.UUID]:
    """The ids of subjects of one kind, in order, so that two transactions do not wait for each other."""
    return sorted(subject.id for subject in subjects if subject.kind == kind)


def _said(kind: Kind, subject_id: uuid.UUID, generation: int | None, permitted: bool, text: str) -> Said:
    return Said(Subject(kind, subject_id), generation, permitted, text, content_hash(text))
