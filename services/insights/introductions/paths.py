"""How two people are connected: by somebody who knows both, by two who know each other, or by an organization."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import NamedTuple

from services.insights.introductions.network import Person
from services.insights.introductions.ties import ORGANIZATION, Tie, Ties

# Acquaintances of each of the two among whom a way over two people is looked for, the surest first.
MOST_ACQUAINTANCES = 24


class Step(NamedTuple):
    """A step of a path, and what ties its two ends."""

    origin: uuid.UUID
    target: uuid.UUID
    tie: Tie


@dataclass(frozen=True, slots=True)
class Path:
    """Steps from one person to another. weight: of its weakest tie. acquaintances: how many know both."""

    steps: tuple[Step, ...]
    weight: float
    acquaintances: int = 0


def path_between(one: Person, other: Person, ties: Ties) -> Path | None:
    """The best path between two who do not know each other; None when nothing connects them."""
    return _over_one(one.id, other.id, ties) or _over_two(one.id, other.id, ties) or _over_organization(one, other)


def _over_one(one: uuid.UUID, other: uuid.UUID, ties: Ties) -> Path | None:
    ours, theirs = ties[one], ties[other]
    # Who works with both in one organization connects them no better than that does.
    between = [key for key in ours.keys() & theirs.keys() if ours[key].id != theirs[key].id]
    if not between:
        return None
    best = max(between, key=lambda key: (min(ours[key].weight, theirs[key].weight), ours[key].weight, key))
    steps = (Step(one, best, ours[best]), Step(best, other, theirs[best]))
    return Path(steps, min(ours[best].weight, theirs[best].weight), len(between))


def _over_two(one: uuid.UUID, other: uuid.UUID, ties: Ties) -> Path | None:
    found: Path | None = None
    for near in surest(one, ties):
        known = ties[near]
        if near == other:
            continue
        for far in surest(other, ties):
            # Three steps that one place makes are none.
            if far in (one, near) or far not in known or ties[one][near].id == known[far].id == ties[far][other].id:
                continue
            steps = (Step(one, near, ties[one][near]), Step(near, far, known[far]), Step(far, other, ties[far][other]))
            weight = min(step.tie.weight for step in steps)
            if found is None or weight > found.weight:
                found = Path(steps, weight)
    return found


def _over_organization(one: Person, other: Person) -> Path | None:
    shared = {stay.organization_id for stay in one.stays} & {stay.organization_id for stay in other.stays}
    if not shared:
        return None
    tie = Tie(ORGANIZATION, "ORGANIZATION", min(shared))
    return Path((Step(one.id, other.id, tie),), ORGANIZATION)


def surest(person: uuid.UUID, ties: Ties) -> list[uuid.UUID]:
    """Whom somebody knows, the surest first, at most so many."""
    known = ties[person]
    return sorted(known, key=lambda key: (-known[key].weight, key))[:MOST_ACQUAINTANCES]
