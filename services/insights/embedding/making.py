"""Makes the embeddings of some contacts and interactions right: reads their texts, asks the model, writes.

No transaction is open while the model is asked.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.insights.embedding.access import Access
from services.insights.embedding.embedder import Embedder
from services.insights.embedding.subjects import Embedded, Said, Subject, embedded, read
from services.insights.embedding.switching import PARKED_AFTER, Aim, note_dimensions
from services.insights.embedding.vectors import vectors_of
from services.insights.embedding.writing import Delay, Outcome, Work, write
from services.insights.provider.failures import ProviderAnswerInvalid, ProviderUnavailable

# Subjects that are read, embedded and written together.
BATCH = 128

# The pause after a failure; it doubles with each further one. What has failed too often is tried again every day.
FIRST_PAUSE = timedelta(seconds=10)
PARKED_FOR = timedelta(days=1)

# What is asked of a model to know how long its vectors are now.
PROBE = "dimensions"

Vectors = dict[tuple[Subject, str], Sequence[float]]


@dataclass(frozen=True, slots=True)
class Needed:
    """Texts for a model, by the subject that they are of, and which embeddings by it are right already."""

    texts: dict[Subject, str]
    right: frozenset[tuple[Subject, str]]


async def make(
    access: Access,
    aim: Aim,
    subjects: Sequence[Subject],
    *,
    force: bool = False,
    failures: Mapping[Subject, int] | None = None,
) -> dict[Subject, Outcome]:
    """What became of each subject.

    force: also where neither text nor model has changed. failures: how often subjects have failed before; without it
    what fails is not tried again before the next day, unless it changes.
    Raises ProviderUnavailable, after what needs no provider was written and the rest was put off; ModelChanged when
    `aim` no longer holds.
    """
    async with access.reading() as tx:
        said = await read(tx, subjects)
        have = await embedded(tx, subjects, aim.names)
    needed = _needed(said, have, aim.model.name, aim.dimensions, force=force)
    vectors: Vectors = {}
    right = needed.right
    if aim.also is not None:
        also = _needed(said, have, aim.also.name, None, force=False)
        vectors |= await _embed(aim.also, also.texts)
        right |= also.right
    dimensions = aim.dimensions
    try:
        made = await _embed(aim.model, needed.texts)
        if made:
            dimensions = await _dimensions(access, aim, made)
    except ProviderUnavailable:
        again = datetime.now(UTC) + FIRST_PAUSE
        late = {subject: Delay((failures or {}).get(subject, 0), again) for subject in needed.texts}
        await _write(access, Work(aim.model.name, dimensions, said, vectors, right, late))
        raise
    vectors |= {pair: vector for pair, vector in made.items() if len(vector) == dimensions}
    failed = {
        subject: _delay(PARKED_AFTER if failures is None else failures.get(subject, 0) + 1)
        for subject in needed.texts
        if (subject, aim.model.name) not in vectors
    }
    return await _write(access, Work(aim.model.name, dimensions, said, vectors, right, failed))


async def _write(access: Access, work: Work) -> dict[Subject, Outcome]:
    return await access.writing(lambda tx: write(tx, work))


def _needed(said: Sequence[Said], have: Embedded, model: str, dimensions: int | None, *, force: bool) -> Needed:
    texts: dict[Subject, str] = {}
    right = set()
    for each in said:
        if not each.text:
            continue
        length, its_hash = have.get((each.subject.id, model), (None, None))
        if its_hash == each.hash and length == (dimensions or length) and not force:
            right.add((each.subject, model))
        else:
            texts[each.subject] = each.text
    return Needed(texts, frozenset(right))


async def _embed(model: Embedder, texts: Mapping[Subject, str]) -> Vectors:
    """Vectors of those texts for which the model makes some. Raises ProviderUnavailable."""
    subjects = list(texts)
    if not subjects:
        return {}
    try:
        vectors = vectors_of(subjects, await model.embed([texts[subject] for subject in subjects]))
    except ProviderAnswerInvalid:
        if len(subjects) == 1:
            return {}
        # Halves, so that what is at fault is found, and keeps no other from being embedded.
        middle = len(subjects) // 2
        first, second = subjects[:middle], subjects[middle:]
        return await _embed(model, {s: texts[s] for s in first}) | await _embed(model, {s: texts[s] for s in second})
    return {(subject, model.name): vector for subject, vector in vectors.items()}


async def _dimensions(access: Access, aim: Aim, made: Vectors) -> int:
    """How long the model's vectors are: as they were, unless the model says of another text that they no longer are."""
    lengths = {len(vector) for vector in made.values()}
    if lengths == {aim.dimensions}:
        return lengths.pop()
    now = min(lengths)
    if aim.dimensions is not None or len(lengths) > 1:
        try:
            now = len((await aim.model.embed([PROBE]))[0])
        except ProviderAnswerInvalid:
            now = aim.dimensions or now
    if now != aim.dimensions:
        await note_dimensions(access, aim.model, now)
    return now


def _delay(attempts: int) -> Delay:
    parked = attempts >= PARKED_AFTER
    pause = PARKED_FOR if parked else FIRST_PAUSE * 2**attempts
    return Delay(min(attempts, PARKED_AFTER), datetime.now(UTC) + pause)
