"""Which pairs of a network are worth a look, and the best of them. Never all pairs.

Two who somebody knows make a pair, and two who have something in common that few have. Where many have it, or somebody
knows many, pairs are made of the closest to the user.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from itertools import combinations
from typing import Any

from services.insights.introductions.likings import Reason, connected, familiarity, in_common, says_something
from services.insights.introductions.network import Named, Network
from services.insights.introductions.paths import MOST_ACQUAINTANCES, Path, path_between
from services.insights.introductions.ties import Ties, know_each_other, ties_of

# People who have one thing in common that are paired with each other.
MOST_OF_ONE_THING = 30

# Pairs of which it is asked how alike the texts about them are, and whether they ever met.
MOST_COMPARED = 1_000

Pair = tuple[uuid.UUID, uuid.UUID]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A connected pair, the asked contact first, else the smaller id. reasons: as far as people and names tell."""

    one: uuid.UUID
    other: uuid.UUID
    path: Path
    reasons: list[Reason]
    promise: float


def candidates(network: Network, asked: uuid.UUID | None, *, with_texts: bool) -> list[Candidate]:
    """The most promising pairs, those of one contact if it is given.

    with_texts: also pairs that have nothing in common yet, since the texts about them may be alike.
    """
    ties = ties_of(network)
    found = (_candidate(pair, network, ties) for pair in sorted(_pairs(network, ties, asked)))
    likely = (
        each
        for each in found
        if each is not None and (with_texts or any(reason.type != "COMMON_ACQUAINTANCE" for reason in each.reasons))
    )
    return nlargest(MOST_COMPARED, likely, key=lambda each: (each.promise, each.one, each.other))


def _candidate(pair: Pair, network: Network, ties: Ties) -> Candidate | None:
    one, other = network.people[pair[0]], network.people[pair[1]]
    if know_each_other(one, other):
        return None
    path = path_between(one, other, ties)
    if path is None:
        return None
    reasons = [*in_common(one, other, network), *connected(path)]
    promise = sum(reason.weight for reason in reasons) * familiarity(one, other)
    return Candidate(one.id, other.id, path, reasons, promise)


def _pairs(network: Network, ties: Ties, asked: uuid.UUID | None) -> set[Pair]:
    found: set[Pair] = set()
    for group, most in _groups(network, ties):
        if asked is None:
            closest = nlargest(most, group, key=lambda key: (network.people[key].strength, key))
            found.update(combinations(sorted(closest), 2))
        elif asked in group:
            found.update((asked, other) for other in group if other != asked)
    return found


def _groups(network: Network, ties: Ties) -> Iterator[tuple[Collection[uuid.UUID], int]]:
    """People whom something unites, and how many of them are paired at most."""
    for known in ties.values():
        yield known.keys(), MOST_ACQUAINTANCES
    people = network.people.values()
    told: list[tuple[Mapping[Any, Named], Iterable[tuple[Any, uuid.UUID]]]] = [
        (network.tags, ((key, person.id) for person in people for key in person.tags)),
        (network.topics, ((key, person.id) for person in people for key in person.topics)),
        (network.organizations, ((stay.organization_id, person.id) for person in people for stay in person.stays)),
    ]
    for names, carried in told:
        carriers: dict[Any, set[uuid.UUID]] = defaultdict(set)
        for key, person_id in carried:
            carriers[key].add(person_id)
        for key, group in carriers.items():
            if says_something(names[key], network.contacts):
                yield group, MOST_OF_ONE_THING
