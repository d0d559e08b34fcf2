"""Writes embeddings, and removes those that must not be there.

What was read may have changed while the vectors were made. So permissions are looked at again with hold of the
contacts: whoever withdraws, restricts, deletes or merges waits, and then finds what was written, and removes it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from pathlib import Path

from services.insights.embedding.subjects import Said, Subject, ids_of
from shared import queries
from shared.database import Transaction

QUERIES = queries.load(Path(__file__).parent.parent / "queries")


class Outcome(Enum):
    """What became of a subject, under the names of ReindexSummary."""

    EMBEDDED = "embedded"
    UNCHANGED = "unchanged"
    EMPTY = "empty"
    NOT_PERMITTED = "not_permitted"
    FAILED = "failed"


class ModelChanged(Exception):
    """The tenant's embeddings are made by another model by now; nothing was written."""


@dataclass(frozen=True, slots=True)
class Delay:
    """A subject that has failed so often, and when it is tried again."""

    attempts: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be written of some subjects.

    model, dimensions: what it was made by, and how many numbers its vectors have. vectors: of length 1, by the subject
    and the name of a model. right: embeddings that are right already. failed: those of which none could be made.
    """

    model: str
    dimensions: int | None
    said: Sequence[Said]
    vectors: Mapping[tuple[Subject, str], Sequence[float]]
    right: frozenset[tuple[Subject, str]]
    failed: Mapping[Subject, Delay]


async def write(tx: Transaction, work: Work) -> dict[Subject, Outcome]:
    """Writes vectors of what may be embedded now, and takes off the queue what has not changed since.

    Raises ModelChanged, before anything is written.
    """
    await _check_model(tx, work)
    subjects = [each.subject for each in work.said]
    rows = await tx.fetch(QUERIES["hold_embeddable"], ids_of("CONTACT", subjects), ids_of("INTERACTION", subjects))
    until = {Subject(row["kind"], row["subject_id"]): row["until"] for row in rows}
    outcomes = {each.subject: _outcome(each, work, until) for each in work.said}
    gone = [s.id for s, outcome in outcomes.items() if outcome in (Outcome.EMPTY, Outcome.NOT_PERMITTED)]
    if gone:
        await tx.fetch(QUERIES["remove_embeddings"], gone)
    hashes = {each.subject: each.hash for each in work.said}
    await _upsert(tx, work, until, hashes)
    vanished = await _prolong(tx, work, until, hashes)
    await _put_off(tx, work, outcomes)
    done = [
        each
        for each in work.said
        if each.generation is not None and outcomes[each.subject] is not Outcome.FAILED and each.subject not in vanished
    ]
    if done:
        kinds, ids = [each.subject.kind for each in done], [each.subject.id for each in done]
        await tx.fetch(QUERIES["take_off_embedding_queue"], kinds, ids, [each.generation for each in done])
    return outcomes


def _outcome(said: Said, work: Work, until: Mapping[Subject, datetime]) -> Outcome:
    if not said.permitted or said.subject not in until:
        return Outcome.NOT_PERMITTED
    if not said.text:
        return Outcome.EMPTY
    if said.subject in work.failed:
        return Outcome.FAILED
    return Outcome.EMBEDDED if (said.subject, work.model) in work.vectors else Outcome.UNCHANGED


async def _check_model(tx: Transaction, work: Work) -> None:
    row = await tx.fetchrow(QUERIES["keep_embedding_models"])
    if row is None:
        # Nothing was embedded yet, and nothing is about to be.
        if work.vectors:
            raise ModelChanged
        return
    known = {row["model"]: row["dimensions"], row["next_model"]: row["next_dimensions"]}
    used = {model for _, model in (*work.vectors, *work.right)} | {work.model}
    made = any(model == work.model for _, model in work.vectors)
    if not used <= known.keys() or (made and known[work.model] != work.dimensions):
        raise ModelChanged


async def _upsert(
    tx: Transaction, work: Work, until: Mapping[Subject, datetime], hashes: Mapping[Subject, bytes]
) -> None:
    # In the order of ids, so that two that write the same do not wait for each other.
    written = sorted(((s, m) for s, m in work.vectors if s in until), key=lambda pair: (pair[0].id, pair[1]))
    if written:
        await tx.fetch(
            QUERIES["write_embeddings"],
            [s.id if s.kind == "CONTACT" else None for s, _ in written],
            [s.id if s.kind == "INTERACTION" else None for s, _ in written],
            [until[s] for s, _ in written],
            [m for _, m in written],
            [hashes[s] for s, _ in written],
            [_literal(work.vectors[pair]) for pair in written],
        )


async def _prolong(
    tx: Transaction, work: Work, until: Mapping[Subject, datetime], hashes: Mapping[Subject, bytes]
) -> set[Subject]:
    """Returns those of what was right that is no longer there."""
    right = sorted(((s, m) for s, m in work.right if s in until), key=lambda pair: (pair[0].id, pair[1]))
    if not right:
        return set()
    rows = await tx.fetch(
        QUERIES["prolong_embeddings"],
        [s.id for s, _ in right],
        [until[s] for s, _ in right],
        [m for _, m in right],
        [hashes[s] for s, _ in right],
    )
    there: set[tuple[uuid.UUID, str]] = {(row["subject_id"], row["model"]) for row in rows}
    return {s for s, m in right if (s.id, m) not in there}


async def _put_off(tx: Transaction, work: Work, outcomes: Mapping[Subject, Outcome]) -> None:
    late = [each for each in work.said if outcomes[each.subject] is Outcome.FAILED]
    if late:
        delays = [work.failed[each.subject] for each in late]
        await tx.fetch(
            QUERIES["put_off_embeddings"],
            [each.subject.kind for each in late],
            [each.subject.id for each in late],
            [each.generation for each in late],
            [delay.attempts for delay in delays],
            [delay.until for delay in delays],
        )


def _literal(vector: Sequence[float]) -> str:
    # Half precision keeps three to four digits.
    return f"[{','.join(f'{number:.6g}' for number in vector)}]"
