"""What two people have in common, what it weighs, and what all of it together says for an introduction.

The formula, whose numbers are below, is explained in docs/insights.md.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.insights.introductions.network import Named, Network, Person, Stay
from services.insights.introductions.paths import Path

# What each thing in common weighs where only the two have it, and all of its sort at most.
TAG, TAGS = 0.22, 0.4
TOPIC, TOPICS = 0.07, 0.2
APART, PERHAPS_TOGETHER, TOGETHER, ORGANIZATIONS = 0.2, 0.12, 0.06, 0.25
TEXT = 0.25
ACQUAINTANCE, FURTHER_ACQUAINTANCE, ACQUAINTANCES = 0.2, 0.04, 0.3
# What it weighs that two people who know each other connect them.
TWO_BETWEEN = 0.08

# From which cosine on texts are alike.
ALIKE = 0.5

# What so many have in common, or so many and so large a part of all contacts, says nothing.
TOO_MANY = 200
MANY, PART = 20, 0.3

# What is left of the weights where the user hardly knows one of the two.
STRANGER = 0.5


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that speaks for an introduction.

    type: the name of an IntroductionReasonType without its prefix. evidence: what it rests on, as (type, id, name).
    """

    type: str
    weight: float
    detail: str
    evidence: tuple[tuple[str, uuid.UUID, str], ...] = ()


def rarity(carriers: int) -> float:
    """1 for what two have, and the less the more have it."""
    return 1 / (1 + math.log2(max(carriers, 2) / 2))


def says_something(named: Named, contacts: int) -> bool:
    """Whether so few have a thing that it tells two of them from others. contacts: how many there are."""
    return named.carriers <= TOO_MANY and (named.carriers <= MANY or named.carriers <= PART * contacts)


class Likings:
    """What people of a network have in common, but for the texts about them."""

    def __init__(self, network: Network) -> None:
        self._network = network
        contacts = network.contacts
        self._tags = {
            key: TAG * rarity(tag.carriers) for key, tag in network.tags.items() if says_something(tag, contacts)
        }
        self._topics = {
            key: TOPIC * rarity(topic.carriers)
            for key, topic in network.topics.items()
            if says_something(topic, contacts)
        }
        self._organizations = {
            key: rarity(place.carriers)
            for key, place in network.organizations.items()
            if says_something(place, contacts)
        }
        self._places = {
            key: frozenset(stay.organization_id for stay in person.stays) & self._organizations.keys()
            for key, person in network.people.items()
        }

    def weight(self, one: Person, other: Person) -> float:
        """What all that two have in common weighs together."""
        tags = sum(self._tags.get(key, 0.0) for key in one.tags & other.tags)
        topics = sum(self._topics.get(key, 0.0) for key in one.topics & other.topics)
        places = self._places[one.id] & self._places[other.id]
        there = sum(self._organizations[key] * _togetherness(key, one.stays, other.stays) for key in places)
        return min(TAGS, tags) + min(TOPICS, topics) + min(ORGANIZATIONS, there)

    def reasons(self, one: Person, other: Person) -> list[Reason]:
        """The same, in words."""
        places = self._places[one.id] & self._places[other.id]
        there = {key: self._organizations[key] * _togetherness(key, one.stays, other.stays) for key in places}
        tags = {key: self._tags[key] for key in one.tags & other.tags if key in self._tags}
        topics = {key: self._topics[key] for key in one.topics & other.topics if key in self._topics}
        return [
            *_reason("SHARED_TAGS", tags, self._network.tags, TAGS, "TAG"),
            *_reason("SHARED_TOPICS", topics, self._network.topics, TOPICS, ""),
            *_reason("SHARED_ORGANIZATION", there, self._network.organizations, ORGANIZATIONS, "ORGANIZATION"),
        ]


def alike(cosine: float | None) -> list[Reason]:
    """That what is written about two is alike, where it is. cosine: of their embeddings; None without both."""
    if cosine is None or not cosine > ALIKE:
        return []
    return [Reason("SIMILAR_TEXT", TEXT * min(1.0, (cosine - ALIKE) / (1 - ALIKE)), "what is written about them")]


def connected(path: Path) -> list[Reason]:
    """That somebody connects two; nothing where it is an organization alone."""
    evidence = tuple((step.tie.kind, step.tie.id, "what connects them") for step in path.steps)
    if len(path.steps) == 3:
        return [Reason("COMMON_ACQUAINTANCE", TWO_BETWEEN * path.weight, "two people who know each other", evidence)]
    if len(path.steps) == 2:
        further = FURTHER_ACQUAINTANCE * (path.acquaintances - 1)
        weight = min(ACQUAINTANCES, ACQUAINTANCE * path.weight + further)
        detail = "1 person knows both" if path.acquaintances == 1 else f"{path.acquaintances} people know both"
        return [Reason("COMMON_ACQUAINTANCE", weight, detail, evidence)]
    return []


def weighed(reasons: Sequence[Reason], one: Person, other: Person) -> list[Reason]:
    """The reasons with weights that add up to the score, strongest first."""
    total = math.fsum(reason.weight for reason in reasons)
    factor = familiarity(one, other) / max(1.0, total)
    scaled = [Reason(each.type, each.weight * factor, each.detail, each.evidence) for each in reasons]
    return sorted(scaled, key=lambda reason: (-reason.weight, reason.type))


def familiarity(one: Person, other: Person) -> float:
    """By what weights are multiplied, the better the user knows both the more: STRANGER to 1."""
    return STRANGER + (1 - STRANGER) * (min(one.strength, other.strength) - 1) / 9


def _weights(weight: float, names: Mapping[Any, Named], contacts: int) -> dict[Any, float]:
    """What each of the things weighs that say something."""
    return {key: weight * rarity(named.carriers) for key, named in names.items() if says_something(named, contacts)}


def _reason(
    kind: str, weights: Mapping[Any, float], names: Mapping[Any, Named], most: float, evidence: str
) -> list[Reason]:
    """What two share of one sort, the weightiest first; nothing when they share none.

    evidence: of which type of evidence their keys are the ids; empty where they are none.
    """
    if not weights:
        return []
    shared = sorted(weights, key=lambda key: (-weights[key], names[key].name, key))
    weight = min(most, math.fsum(weights[key] for key in shared))
    rests_on = tuple((evidence, key, names[key].name) for key in shared) if evidence else ()
    return [Reason(kind, weight, _listed([names[key].name for key in shared]), rests_on)]


def _togetherness(key: uuid.UUID, ours: Sequence[Stay], theirs: Sequence[Stay]) -> float:
    """Who was there at the same time likely knows the other already; who was not has something to talk about."""
    pairs = [(a, b) for a in ours for b in theirs if a.organization_id == b.organization_id == key]
    if any(a.meets(b) for a, b in pairs):
        return TOGETHER
    return APART if all(a.misses(b) for a, b in pairs) else PERHAPS_TOGETHER


def _listed(names: Sequence[str]) -> str:
    """The first three names."""
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
