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


class Paths:
    """Finds paths between people who do not know each other."""

    def __init__(self, ties: Ties) -> None:
        self._ties = ties
        # Everybody's acquaintances, the surest first.
        self._surest = {
            person: sorted(known, key=lambda key: (-known[key].weight, key))[:MOST_ACQUAINTANCES]
            for person, known in ties.items()
        }

    def over_one(self, one: uuid.UUID, other: uuid.UUID) -> Path | None:
        """The best path over somebody who knows both; None when nobody does."""
        ours, theirs = self._ties[one], self._ties[other]
        # Who works with both in one organization connects them no better than that does.
        between = [key for key in ours.keys() & theirs.keys() if ours[key].id != theirs[key].id]
        if not between:
            return None
        best = max(between, key=lambda key: (min(ours[key].weight, theirs[key].weight), ours[key].weight, key))
        steps = (Step(one, best, ours[best]), Step(best, other, theirs[best]))
        return Path(steps, min(ours[best].weight, theirs[best].weight), len(between))

    def over_two(self, one: uuid.UUID, other: uuid.UUID) -> Path | None:
        """The best path over two people who know each other; None when there are no such two."""
        found: Path | None = None
        ends = self._surest[other]
        for near in self._surest[one]:
            known = self._ties[near]
            for far in ends:
                if far == one or near == other or far not in known:
                    continue
                first, middle, last = self._ties[one][near], known[far], self._ties[far][other]
                weight = min(first.weight, middle.weight, last.weight)
                # Steps that one place makes are none.
                if len({first.id, middle.id, last.id}) == 3 and (found is None or weight > found.weight):
                    found = Path((Step(one, near, first), Step(near, far, middle), Step(far, other, last)), weight)
        return found


def over_organization(one: Person, other: Person) -> Path | None:
    """The step from one to another by an organization where both work or worked; None when there is none."""
    shared = {stay.organization_id for stay in one.stays} & {stay.organization_id for stay in other.stays}
    if not shared:
        return None
    tie = Tie(ORGANIZATION, "ORGANIZATION", min(shared))
    return Path((Step(one.id, other.id, tie),), ORGANIZATION)
