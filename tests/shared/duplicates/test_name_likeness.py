"""Which names may be one person's, and which are two people's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.duplicates.name_likeness import ALIKE, Name, is_other_person, is_same, likeness
from tests.shared.duplicates.profiles import named


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Jon Smith", "John Smith"),
        ("Anna Meyer", "Anna Meier"),
        ("Anna Mayer", "Anna Meyer"),
        ("Michael Day", "Micheal Day"),
        ("John Doe", "Jhon Doe"),
        ("Peter Green", "Petre Greene"),
        ("Ada Kings", "Ada King"),
        ("Ada Lovelace", "Ada Lovelance"),
        ("Bartholomew Christopherson", "Bartolomeo Kristoferson"),
        ("Katherine Jones", "Catherine Jones"),
        ("Steven King", "Stephen King"),
        ("Sara Connor", "Sarah Connor"),
        ("Mark Lee", "Marc Lee"),
        ("Hans Müller", "Hans Mueller"),
        ("Jürgen Groß", "Jurgen Gross"),
        ("José Nuñez", "JOSE NUNEZ"),
        ("Alexander Popov", "Alexandre Popov"),
        ("Sergey Ivanov", "Sergei Ivanov"),
        ("Иван Петров", "И. Петров"),
        ("J. Smith", "John Smith"),
        ("J. R. R. Tolkien", "John Ronald Reuel Tolkien"),
        ("John Fitzgerald Kennedy", "John F. Kennedy"),
        ("John Kennedy", "John F. Kennedy"),
        ("James Robert Brown", "Robert Brown"),
        ("Dr. John Smith", "John Smith PhD"),
        ("Prof. Dr. Anna von der Heide MBA", "Anna von der Heide"),
        ("Lovelace, Ada", "Ada Lovelace"),
        ("Lovelace Ada", "Ada Lovelace"),
        ("Lovelase Ada", "Ada Lovelace"),
        ("Anna Schmidt-Müller", "Anna Schmidt"),
        ("Gabriel García Márquez", "Gabriel García"),
        ("Ludwig van Beethoven", "Ludwig Beethoven"),
        ("Jean-Pierre Dubois", "Jeanpierre Dubois"),
        ("Sean O'Brien", "Sean OBrien"),
        ("John Smith Jr.", "John Smith"),
        ("山田太郎", "山田 太郎"),
        ("Madonna", "Madona"),
    ],
)
def test_these_may_be_one_person(name: str, other: str) -> None:
    one, another = named(name), named(other)
    assert ALIKE <= likeness(one, another) <= 1
    assert likeness(one, another) == likeness(another, one)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("John Smith", "Jane Smith"),
        ("Lisa Meyer", "Lina Meyer"),
        ("Marta Silva", "Maria Silva"),
        ("Martin Meyer", "Martina Meyer"),
        ("Christian Meyer", "Christina Meyer"),
        ("Simon Meyer", "Simone Meyer"),
        ("Mario Rossi", "Maria Rossi"),
        ("Andrea Meyer", "Andreas Meyer"),
        ("Peter Petersen", "Petra Petersen"),
        ("Jason Fox", "Mason Fox"),
        ("Tim Fox", "Tom Fox"),
        ("Peter Fox", "Petar Fox"),
        ("John Edward Fox", "John Francis Fox"),
        ("John Smith, Jr.", "John Smith, Sr."),
        ("李明", "李鳴"),
        ("山田太郎", "山田花子"),
        ("Mum", "Anna Schmidt"),
    ],
)
def test_these_are_two_people(name: str, other: str) -> None:
    one, another = named(name), named(other)
    assert likeness(one, another) == likeness(another, one) == 0
    assert is_other_person(one, another)
    assert not is_same(one, another)


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("Anna Schmidt", "Anna Müller"),
        ("Ada Ford", "Ada Font"),
        ("Ada Baker", "Ada Booker"),
        ("Anna", "Anna Schmidt"),
        ("", "Anna Schmidt"),
        ("", ""),
    ],
)
def test_these_tell_nothing(name: str, other: str) -> None:
    """People marry, and a first name is many people's: neither one person nor two."""
    one, another = named(name), named(other)
    assert likeness(one, another) == 0
    assert not is_other_person(one, another)


def test_parts_of_a_name_and_a_name_in_one_piece_are_alike() -> None:
    for whole, given_name, family in [
        ("Ada Lovelace", "Ada", "Lovelace"),
        ("Lovelace, Ada", "Ada", "Lovelace"),
        ("山田太郎", "太郎", "山田"),
        ("Anna-Maria von der Heide", "Anna-Maria", "von der Heide"),
        ("Dr. Ada Lovelace", "Dr. Ada", "Lovelace"),
    ]:
        assert likeness(named(whole), named(given=given_name, family=family)) == 1
        assert is_same(named(whole), named(given=given_name, family=family))


def test_parts_may_be_interchanged() -> None:
    assert likeness(named(given="Ada", family="Lovelace"), named(given="Lovelace", family="Ada")) == 1
    assert likeness(named(given="明", family="李"), named(given="李", family="明")) == 1


def test_the_same_characters_in_another_order_are_another_name() -> None:
    assert likeness(named("山田太郎"), named("太田山郎")) == 0


def test_generations_are_told_apart_wherever_they_stand() -> None:
    father = named(given="John", family="Smith", suffixes="Sr.")
    assert likeness(father, named("John Smith Junior")) == 0
    assert likeness(father, named(given="John", family="Smith III")) == 0
    assert 0 < likeness(father, named("John Smith")) < 1
    assert not is_same(father, named("John Smith"))
    assert likeness(father, named("John Smith Senior")) == 1


def test_a_nickname_stands_for_the_given_name() -> None:
    robert = named(given="Robert", family="Fox", nickname="Bob")
    assert likeness(robert, named("Bob Fox")) >= ALIKE
    assert likeness(named("Bob Fox"), robert) >= ALIKE
    assert likeness(named("Rob Fox"), robert) == 0


@pytest.mark.parametrize(
    ("name", "given_name", "family"),
    [
        ("Junior", ("junior",), ()),
        ("Dr.", ("dr",), ()),
        ("Mr. Smith", ("smith",), ()),
        ("Ma Li", ("ma",), ("li",)),
        ("John Smith, MBA", ("john",), ("smith",)),
        ("'", (), ()),
        ("- , -", (), ()),
        (",", (), ()),
    ],
)
def test_what_looks_like_a_title_may_be_a_name(name: str, given_name: tuple[str, ...], family: tuple[str, ...]) -> None:
    found = named(name)
    assert (found.given, found.family) == (given_name, family)


@pytest.mark.parametrize(
    ("name", "other", "same"),
    [
        ("ADA LOVELACE", "ada lovelace", True),
        ("Zoë Müller", "Zoe Muller", True),
        ("Ada Lovelace", "Lovelace, Ada", True),
        ("Jean-Pierre Dubois", "Jean Pierre Dubois", True),
        ("Ada K. Lovelace", "Ada Lovelace", False),
        ("Jon Smith", "John Smith", False),
    ],
)
def test_names_are_the_same_but_for_case_accents_and_order(name: str, other: str, same: bool) -> None:
    assert is_same(named(name), named(other)) is same


@given(st.text(max_size=40), st.text(max_size=40))
def test_likeness_is_the_same_from_both_sides_and_between_0_and_1(one: str, other: str) -> None:
    a, b = named(one), named(other)
    assert likeness(a, b) == likeness(b, a)
    assert 0 <= likeness(a, b) <= 1


@given(st.text(max_size=40), st.text(max_size=20), st.text(max_size=20))
def test_every_name_is_like_itself(full_name: str, given_name: str, family: str) -> None:
    for name in (named(full_name), named(given=given_name, family=family)):
        assert likeness(name, name) == (1 if name.given else 0)
        assert not is_other_person(name, name)


def test_an_empty_name_is_nobodys() -> None:
    assert named("") == Name()
    assert likeness(Name(), Name()) == 0
