"""A search through a whole tenant compares few pairs, finds what there is, and takes little memory."""

from __future__ import annotations

import itertools
import random
import tracemalloc
from collections.abc import Sequence
from typing import Any

import pytest

from shared.duplicates.blocks import NEXT, SMALL
from shared.duplicates.profiles import Profile
from shared.duplicates.search import Pair, TenantSearch, compare_one
from tests.shared.duplicates.profiles import address_book, profile

SIZES = (1_000, 2_000, 4_000, 8_000)

# How much more work twice as many contacts may be. All pairs would be 4 times as much.
NEARLY_LINEAR = 2.5


def search(book: Sequence[Profile], min_score: float = 0.5) -> tuple[list[Pair], int]:
    """The pairs found, and how many were compared."""
    running = TenantSearch(book, min_score)
    found = [pair for start in range(0, len(book), 100) for pair in running.compare(start, start + 100)]
    return found, running.compared


def ends(pairs: Sequence[Pair]) -> set[tuple[str, str]]:
    return {(pair.contact.display_name, pair.duplicate.display_name) for pair in pairs}


@pytest.mark.parametrize("one_employer", [False, True], ids=["a realistic book", "one employer and one switchboard"])
def test_the_work_grows_nearly_with_the_number_of_contacts(one_employer: bool) -> None:
    compared = [search(address_book(size, one_employer=one_employer))[1] for size in SIZES]
    assert compared[0] > SIZES[0], "there is something to compare"
    for smaller, larger in itertools.pairwise(compared):
        assert larger <= NEARLY_LINEAR * smaller, compared
    assert compared[-1] <= NEARLY_LINEAR * SIZES[-1] / SIZES[0] * compared[0]


@pytest.mark.parametrize("shared", ["name", "email", "phone", "organization", "birthday", "everything"])
def test_whatever_all_have_in_common_each_is_compared_with_few(shared: str) -> None:
    same: dict[str, Any] = {
        "organization": "Acme",
        "birthday": (1980, 5, 17),
        "emails": ["info@example.com"],
        "phones": ["+442079460000"],
    }
    one = {"email": "emails", "phone": "phones"}.get(shared, shared)
    common: dict[str, Any] = same if shared == "everything" else {one: same[one]} if one in same else {}
    apart = address_book(500)
    book = [
        profile("Ada King" if shared in ("name", "everything") else other.display_name, **common) for other in apart
    ]
    _, compared = search(book)
    kinds = 6  # phone, e-mail, simplified e-mail, name, organization, birthday
    assert len(book) <= compared <= len(book) * kinds * max(2 * NEXT, SMALL)


def test_in_a_large_block_those_with_similar_names_meet() -> None:
    book = address_book(3_000, one_employer=True)
    planted = [
        ("Jonathan Smyth", "Jonathon Smith"),
        ("Anna Meyer", "Anna Maier"),
        ("Ada Lovelace", "Lovelace Ada"),
        ("Stephen Schneider", "Steven Schnieder"),
        ("Zoë Quentin", "Zoe Quentin"),
    ]
    for pair in planted:
        book += [profile(name, organization="Everybody's Employer", phones=["+442079460000"]) for name in pair]
    random.Random(7).shuffle(book)
    found = ends(search(book)[0])
    assert [pair for pair in planted if pair not in found and pair[::-1] not in found] == []


def test_in_a_realistic_book_copies_are_found_and_few_others() -> None:
    book = address_book(2_000)
    copies = [
        profile(
            original.display_name.replace("an", "ann", 1),
            organization=original.organizations[0],
            emails=[original.emails[0].upper()] if number % 2 else [],
            phones=original.phones if number % 3 == 0 else [],
        )
        for number, original in enumerate(book[:200])
    ]
    found, _ = search([*book, *copies])
    pairs = {(pair.contact.id, pair.duplicate.id) for pair in found}
    missed = [
        copy.display_name for original, copy in zip(book, copies, strict=False) if (original.id, copy.id) not in pairs
    ]
    assert missed == []
    assert len(found) < 2 * len(copies)


def test_each_pair_is_found_once_the_older_first_in_the_order_of_the_older() -> None:
    shared: dict[str, Any] = {
        "organization": "Acme",
        "emails": ["a@example.com"],
        "phones": ["+4930"],
        "birthday": (1980, 5, 17),
    }
    book = [profile("Ada King", **shared) for _ in range(5)]
    found, compared = search(book)
    places = {each.id: place for place, each in enumerate(book)}
    assert [(places[pair.contact.id], places[pair.duplicate.id]) for pair in found] == [
        (older, newer) for older in range(5) for newer in range(older + 1, 5)
    ]
    assert compared == 10


def test_many_cards_of_one_person_are_no_crowd() -> None:
    cards = [profile("Ada King", phones=["+4930"]) for _ in range(6)]
    people = [profile(name, phones=["+4930"]) for name in ("A B", "C D", "E F", "G H", "I J", "K L")]
    assert len(search(cards)[0]) == 15
    assert search(people)[0] == []


def test_one_contact_is_compared_as_it_is_in_the_whole_tenant() -> None:
    names = ["Ada King", "Ada Kink", "King Ada", "A. King", "Otto King", "Ada Meyer", "Ada King Jr."]
    chance = random.Random(3)
    book = [
        profile(
            chance.choice(names),
            organization=chance.choice(["", "Acme", "Globex"]),
            birthday=chance.choice([(None, None, None), (1980, 5, 17), (None, 5, 17), (1981, 5, 17)]),
            emails=chance.sample(["a.b@x.org", "ab@x.org", "ab+c@x.org"], chance.randint(0, 1)),
            phones=chance.sample(["+4930", "+4940"], chance.randint(0, 1)),
        )
        for _ in range(SMALL)
    ]
    whole = {(pair.contact.id, pair.duplicate.id): pair.score for pair in search(book, 0.01)[0]}
    assert len(whole) > SMALL
    for contact in book:
        others = [other for other in book if other is not contact]
        found = compare_one(contact, others, 0.01, {})
        assert [pair.score for pair in found] == sorted((pair.score for pair in found), reverse=True)
        for pair in found:
            ids = (contact.id, pair.duplicate.id)
            assert pair.score == pytest.approx(whole[ids] if ids in whole else whole[ids[::-1]])
        assert len(found) == sum(contact.id in ids for ids in whole)


def test_nothing_in_common_is_no_pair_however_little_is_asked_for() -> None:
    assert compare_one(profile("Ada King"), [profile("Otto Meyer")], 0.0, {}) == []


@pytest.mark.parametrize("one_employer", [False, True])
def test_a_contact_takes_less_than_two_kilobytes(one_employer: bool) -> None:
    size = 5_000
    tracemalloc.start()
    try:
        book = address_book(size, one_employer=one_employer)
        running = TenantSearch(book, 0.5)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert running.compared == 0
    assert peak / size < 2_000
