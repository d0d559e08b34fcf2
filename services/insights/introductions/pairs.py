"""Which pairs of a network are worth a look, and the best of them. Never all pairs.

Two whom somebody knows make a pair, and two who have something in common that few have: what the fewest have comes
first, until there are enough. Where many have it, or somebody knows many, pairs are made of the closest to the user.
"""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from heapq import nlargest
from itertools import combinations
from typing import Any, NamedTuple

from services.insights.introductions.likings import (
    ACQUAINTANCE,
    TWO_BETWEEN,
    Likings,
    Reason,
    connected,
    familiarity,
    says_something,
)
from services.insights.introductions.network import Named, Network
from services.insights.introductions.paths import MOST_ACQUAINTANCES, Path, Paths, over_organization
from services.insights.introductions.ties import Ties, know_each_other, ties_of

# People who have one thing in common that are paired with each other.
MOST_OF_ONE_THING = 30

# Pairs that are made at all, and pairs of which it is asked how they are connected.
MOST_PAIRS = 20_000
MOST_LOOKED_AT = 3_000

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


class Group(NamedTuple):
    """People whom something unites, how many are paired at most, and whether it is that one person knows them."""

    people: Collection[uuid.UUID]
    most: int
    known_to_one: bool


def candidates(network: Network, asked: uuid.UUID | None, *, with_texts: bool) -> list[Candidate]:
    """The most promising pairs, those of one contact if it is given.

    with_texts: also pairs whom somebody knows and who have nothing in common yet: the texts about them may be alike.
    """
    ties = ties_of(network)
    likings, paths = Likings(network), Paths(ties)
    promises = _promises(network, _pairs(network, ties, asked), likings, with_texts=with_texts)
    found: list[Candidate] = []
    for _, one_id, other_id in nlargest(MOST_LOOKED_AT, promises):
        one, other = network.people[one_id], network.people[other_id]
        path = paths.over_one(one_id, other_id) or paths.over_two(one_id, other_id) or over_organization(one, other)
        if path is not None and len(found) < MOST_COMPARED:
            found.append(Candidate(one_id, other_id, path, [*likings.reasons(one, other), *connected(path)]))
    return found


def _promises(
    network: Network, pairs: Mapping[Pair, bool], likings: Likings, *, with_texts: bool
) -> Iterator[tuple[float, uuid.UUID, uuid.UUID]]:
    """What about speaks for each pair of strangers, before it is looked for how they are connected."""
    for (one_id, other_id), known_to_one in pairs.items():
        one, other = network.people[one_id], network.people[other_id]
        if know_each_other(one, other):
            continue
        common = likings.weight(one, other)
        if common or (with_texts and known_to_one):
            connection = ACQUAINTANCE if known_to_one else TWO_BETWEEN
            yield (common + connection) * familiarity(one, other), one_id, other_id


def _pairs(network: Network, ties: Ties, asked: uuid.UUID | None) -> dict[Pair, bool]:
    """Pairs, and whether they are of people whom one person knows."""
    found: dict[Pair, bool] = {}
    groups = list(_groups(network, ties))
    if asked is None:
        groups.sort(key=lambda group: (len(group.people), sorted(group.people)[:1]))
    for group in groups:
        if asked is not None:
            made: Iterable[Pair] = ((asked, other) for other in group.people if other != asked)
            made = made if asked in group.people else ()
        else:
            closest = nlargest(group.most, group.people, key=lambda key: (network.people[key].strength, key))
            made = combinations(sorted(closest), 2)
        for pair in made:
            found[pair] = found.get(pair, False) or group.known_to_one
        if len(found) >= MOST_PAIRS:
            break
    return found


def _groups(network: Network, ties: Ties) -> Iterator[Group]:
    for known in ties.values():
        yield Group(known.keys(), MOST_ACQUAINTANCES, known_to_one=True)
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
                yield Group(group, MOST_OF_ONE_THING, known_to_one=False)
