"""Who knows whom, as far as links, interactions and organizations tell."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from services.insights.introductions.network import Network, Person, Stay

# How surely two know each other, by what ties them, 0 to 1.
LINK, INTERACTION, ORGANIZATION = 1.0, 0.8, 0.5

# Where more come together than this, not everybody gets to know everybody.
MOST_AT_A_MEETING = 12
MOST_COLLEAGUES = 30


class Tie(NamedTuple):
    """What ties two people. kind: LINK, INTERACTION or ORGANIZATION, whose id it is. weight: 0 to 1."""

    weight: float
    kind: str
    id: uuid.UUID


# For each person, who is known, and by the surest tie.
Ties = Mapping[uuid.UUID, Mapping[uuid.UUID, Tie]]


def ties_of(network: Network) -> Ties:
    """Everybody's acquaintances."""
    found: dict[uuid.UUID, dict[uuid.UUID, Tie]] = {person: {} for person in network.people}
    for one, other, tie in _all_ties(network):
        # The surest comes first.
        found[one].setdefault(other, tie)
        found[other].setdefault(one, tie)
    return found


def know_each_other(one: Person, other: Person) -> bool:
    """Whether two need no introduction: they are linked, or took part in one interaction lately."""
    return other.id in one.links or not one.meetings.isdisjoint(other.meetings)


def _all_ties(network: Network) -> Iterator[tuple[uuid.UUID, uuid.UUID, Tie]]:
    for person in network.people.values():
        for other, link in person.links.items():
            yield person.id, other, Tie(LINK, "LINK", link)
    for meeting, people in _meetings(network).items():
        if len(people) <= MOST_AT_A_MEETING:
            for one, other in combinations(people, 2):
                yield one, other, Tie(INTERACTION, "INTERACTION", meeting)
    stays: dict[uuid.UUID, list[tuple[uuid.UUID, Stay]]] = defaultdict(list)
    for person in network.people.values():
        for stay in person.stays:
            stays[stay.organization_id].append((person.id, stay))
    for organization, there in sorted(stays.items()):
        if network.organizations[organization].carriers <= MOST_COLLEAGUES:
            for (one, ours), (other, theirs) in combinations(there, 2):
                if one != other and ours.meets(theirs):
                    yield one, other, Tie(ORGANIZATION, "ORGANIZATION", organization)


def _meetings(network: Network) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Interaction → who took part. In the order of ids, so that what ties two does not depend on who else is there."""
    found: dict[uuid.UUID, list[uuid.UUID]] = defaultdict(list)
    for person in network.people.values():
        for meeting in person.meetings:
            found[meeting].append(person.id)
    return dict(sorted(found.items()))
