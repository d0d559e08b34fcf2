"""Reciprocal rank fusion: one ranking out of several whose scores cannot be compared.

G. V. Cormack, C. L. A. Clarke, S. Buettcher: Reciprocal Rank Fusion outperforms Condorcet and individual Rank Learning
Methods, SIGIR 2009. What stands at rank r of a ranking scores 1 / (60 + r) there; the sum over the rankings decides.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

# The constant of the paper: how little the first ranks tower above the next.
CONSTANT = 60


@dataclass(frozen=True, slots=True)
class Fused:
    """Something that stands in at least one ranking. ranks: its place in each, from 1; 0 where it is missing."""

    id: uuid.UUID
    score: float
    ranks: tuple[int, ...]


def fuse(*rankings: Sequence[uuid.UUID]) -> list[Fused]:
    """All that stand in any of the rankings, best first, by their ids among equals. No ranking names anything twice."""
    places = [{key: place for place, key in enumerate(ranking, 1)} for ranking in rankings]
    fused = []
    for key in {key for ranking in rankings for key in ranking}:
        ranks = tuple(place.get(key, 0) for place in places)
        # In the order of the ranks: the same sum, to the last bit, for the same ranks in whichever rankings.
        fused.append(Fused(key, sum(1 / (CONSTANT + rank) for rank in sorted(filter(None, ranks))), ranks))
    return sorted(fused, key=lambda each: (-each.score, str(each.id)))
