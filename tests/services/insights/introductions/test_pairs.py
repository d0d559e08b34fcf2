"""Introductions in networks made up at random, without a database: what holds of all of them."""

from __future__ import annotations

import math
import random
import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import date
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.insights.introductions import pairs
from services.insights.introductions.likings import rarity, says_something, weighed
from services.insights.introductions.network import Named, Network, Person, Stay
from services.insights.introductions.pairs import candidates
from services.insights.introductions.ties import know_each_other, ties_of
from services.insights.jobs.careers import Span, span


def network(chance: random.Random, size: int, *, one_tag: bool = False) -> Network:
    """People with some links, meetings, tags, topics and employers."""

    def some(what: str, number: int) -> list[uuid.UUID]:
        return [uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {each}") for each in range(number)]

    people = {key: Person(key, chance.randint(1, 10)) for key in some("person", size)}
    ids = list(people)
    tags, places, meetings = some("tag", 6), some("place", 4), some("meeting", size // 2)
    for number, (one, other) in enumerate(combinations(ids, 2)):
        if chance.random() < 4 / size:
            link = uuid.uuid5(uuid.NAMESPACE_OID, f"link {number}")
            people[one].links[other] = people[other].links[one] = link
    for person in people.values():
        person.tags |= {tags[0]} if one_tag else set(chance.sample(tags, chance.randint(0, 2)))
        person.topics |= set(chance.sample(["bees", "wine", "chess"], chance.randint(0, 1)))
        person.meetings |= set(chance.sample(meetings, chance.randint(0, 1)))
        if chance.random() < 0.5:
            start = chance.randint(2000, 2020)
            person.stays.append(
                Stay(chance.choice(places), span(start, None, None), span(start + 3, None, None), False)
            )
    return Network(
        people=people,
        tags=counted(key for person in people.values() for key in person.tags),
        topics=counted(key for person in people.values() for key in person.topics),
        organizations=counted(stay.organization_id for person in people.values() for stay in person.stays),
        contacts=size,
    )


def counted(keys: Iterable[Any]) -> dict[Any, Named]:
    return {key: Named(str(key), number) for key, number in Counter(keys).items()}


networks = st.builds(network, st.randoms(use_true_random=False), st.integers(4, 11))


@given(networks)
@settings(max_examples=15, deadline=None)
def test_of_any_network_pairs_are_strangers_whom_a_path_connects(known):
    ties = ties_of(known)
    found = candidates(known, None, with_texts=False)
    assert len({frozenset((each.one, each.other)) for each in found}) == len(found)
    for each in found:
        one, other = known.people[each.one], known.people[each.other]
        assert each.one < each.other
        assert other.id not in one.links
        assert not one.meetings & other.meetings
        steps = each.path.steps
        assert (steps[0].origin, steps[-1].target) == (one.id, other.id)
        assert [step.target for step in steps[:-1]] == [step.origin for step in steps[1:]]
        assert len({one.id, *(step.target for step in steps)}) == len(steps) + 1
        if len(steps) > 1:
            assert all(ties[step.origin][step.target] == step.tie for step in steps)
        assert any(reason.type != "COMMON_ACQUAINTANCE" for reason in each.reasons)
        reasons = weighed(each.reasons, one, other)
        assert all(0 < reason.weight <= 1 for reason in reasons)
        assert 0 < math.fsum(reason.weight for reason in reasons) <= 1 + 1e-9


@given(networks)
@settings(max_examples=15, deadline=None)
def test_asked_about_each_the_same_pairs_are_found_as_asked_about_all(known):
    everybody = {frozenset((each.one, each.other)): each for each in candidates(known, None, with_texts=True)}
    of_each = {}
    for asked in known.people:
        for each in candidates(known, asked, with_texts=True):
            assert each.one == asked
            of_each[frozenset((each.one, each.other))] = each
    assert of_each.keys() == everybody.keys()
    for pair, each in everybody.items():
        assert {reason.type: reason.weight for reason in each.reasons} == pytest.approx(
            {reason.type: reason.weight for reason in of_each[pair].reasons}
        )


def test_what_everybody_has_makes_no_pairs():
    known = network(random.Random(1), 60, one_tag=True)
    for each in candidates(known, None, with_texts=False):
        assert "SHARED_TAGS" not in {reason.type for reason in each.reasons}


def test_pairs_are_few_whatever_hundreds_of_people_have_in_common(monkeypatch):
    looked_at = 0

    def counting(one: Person, other: Person) -> bool:
        nonlocal looked_at
        looked_at += 1
        return know_each_other(one, other)

    monkeypatch.setattr(pairs, "know_each_other", counting)
    monkeypatch.setattr(pairs, "MOST_PAIRS", 1_000)
    candidates(network(random.Random(1), 400), None, with_texts=True)
    assert 1_000 <= looked_at < 1_000 + pairs.MOST_OF_ONE_THING**2


def test_what_fewer_have_weighs_more():
    weights = [rarity(carriers) for carriers in range(2, 300)]
    assert weights[0] == rarity(1) == 1
    assert weights == sorted(weights, reverse=True)
    assert all(weight > 0 for weight in weights)


@pytest.mark.parametrize(
    ("carriers", "contacts", "says"),
    [(2, 2, True), (20, 20, True), (21, 60, False), (21, 100, True), (201, 1000, False)],
)
def test_what_many_have_says_nothing(carriers, contacts, says):
    assert says_something(Named("tag", carriers), contacts) is says


def stay(start: Span | None, end: Span | None = None, *, current: bool = False) -> Stay:
    return Stay(uuid.UUID(int=1), start, end, current)


def year(number: int) -> Span:
    return Span(date(number, 1, 1), date(number, 12, 31))


@pytest.mark.parametrize(
    ("ours", "theirs", "meets", "misses"),
    [
        (stay(year(2001), year(2004)), stay(year(2003), year(2006)), True, False),
        (stay(year(2001), year(2004)), stay(year(2005), year(2006)), False, True),
        # Of 2004 and 2004 nobody knows which came first.
        (stay(year(2001), year(2004)), stay(year(2004), year(2006)), False, False),
        (stay(None, current=True), stay(None, current=True), True, False),
        (stay(year(2001), current=True), stay(year(2010), year(2012)), True, False),
        (stay(None, current=True), stay(year(2010), year(2012)), False, False),
        (stay(None, None), stay(year(2010), year(2012)), False, False),
        (stay(None, year(2005)), stay(year(2010), current=True), False, True),
    ],
)
def test_who_was_there_at_the_same_time(ours, theirs, meets, misses):
    assert (ours.meets(theirs), ours.misses(theirs)) == (meets, misses)
    assert (theirs.meets(ours), theirs.misses(ours)) == (meets, misses)
