"""What two contacts have in common, and how much it weighs: the promises of DuplicateReason's comment."""

from __future__ import annotations

import math
import re
from typing import Any

import pytest
from pmcrm.contacts.v1.contact_merge_pb2 import DuplicateReason

from shared.duplicates import scoring
from shared.duplicates.profiles import Profile, organization_key, simplified_email
from shared.duplicates.scoring import evidence, score
from tests.contracts.described import enum
from tests.shared.duplicates.profiles import profile

ENOUGH = 0.5


def found(a: Profile, b: Profile, **crowds: int) -> dict[str, float]:
    """Reason → weight."""
    return {name_of(each.reason): each.weight for each in evidence(a, b, crowds)}


def name_of(reason: DuplicateReason) -> str:
    return DuplicateReason.Name(reason).removeprefix("DUPLICATE_REASON_")


def scored(a: Profile, b: Profile, crowds: dict[str, int] | None = None) -> float:
    total = score(evidence(a, b, crowds or {}))
    assert total == score(evidence(b, a, crowds or {})), "the same from both sides"
    assert 0 <= total <= 1
    return total


def test_the_contract_states_the_weights() -> None:
    _, comments = enum("pmcrm.contacts.v1.DuplicateReason")
    said = {
        name.removeprefix("DUPLICATE_REASON_"): [float(n) for n in re.findall(r"\b0\.\d+", comment)]
        for name, comment in comments.items()
    }
    assert said == {
        "UNSPECIFIED": [],
        "SAME_PHONE": [scoring.SAME_PHONE],
        "SAME_EMAIL": [scoring.SAME_EMAIL],
        "SIMILAR_EMAIL": [scoring.SIMILAR_EMAIL],
        "SIMILAR_NAME_SAME_ORGANIZATION": [scoring.SIMILAR_NAME_SAME_ORGANIZATION],
        "SIMILAR_NAME_SAME_BIRTHDAY": [
            scoring.SIMILAR_NAME_SAME_BIRTHDAY,
            scoring.SIMILAR_NAME_SAME_BIRTHDAY_WITHOUT_YEAR,
        ],
        "SAME_NAME": [scoring.SAME_NAME],
    }


def test_each_reason_weighs_what_it_should() -> None:
    ada = profile("Ada Lovelace", emails=["Ada@example.com"], phones=["+442079460001"])
    assert found(ada, profile("", emails=["aDA@example.com"])) == {"SAME_EMAIL": scoring.SAME_EMAIL}
    assert found(ada, profile("", phones=["+442079460001"])) == {"SAME_PHONE": scoring.SAME_PHONE}
    assert found(ada, profile("", emails=["a.d.a+crm@example.com"])) == {"SIMILAR_EMAIL": scoring.SIMILAR_EMAIL}
    assert found(ada, profile("ADA LOVELACE")) == {"SAME_NAME": scoring.SAME_NAME}
    assert found(ada, profile("Byron", emails=["ada@example.org"], phones=["+442079460002"])) == {}


def test_hints_are_never_enough_alone_and_all_else_is() -> None:
    hints = {"SIMILAR_EMAIL", "SAME_NAME"}
    weights = {name: getattr(scoring, name) for name in vars(scoring) if name.startswith(("SAME_", "SIMILAR_"))}
    assert {name for name, weight in weights.items() if weight < ENOUGH} == hints
    # Also when names are just similar, and when those who share an address have different names.
    assert scoring.SIMILAR_NAME_SAME_BIRTHDAY_WITHOUT_YEAR * 0.8 >= ENOUGH
    assert scoring.SAME_PHONE * scoring.OTHER_PERSON >= ENOUGH


def test_two_hints_together_are_enough() -> None:
    a = profile("Ada Lovelace", emails=["ada.lovelace@example.com"])
    b = profile("Ada Lovelace", emails=["adalovelace+crm@example.com"])
    assert found(a, b) == {"SIMILAR_EMAIL": scoring.SIMILAR_EMAIL, "SAME_NAME": scoring.SAME_NAME}
    assert scored(a, b) >= ENOUGH


def test_evidence_adds_up_as_independent_things_do_and_the_strongest_comes_first() -> None:
    a = profile("Ada Lovelace", emails=["ada@example.com"], phones=["+442079460001"])
    together = evidence(a, a, {})
    assert [name_of(each.reason) for each in together] == ["SAME_EMAIL", "SAME_PHONE", "SAME_NAME"]
    assert score(together) == pytest.approx(1 - math.prod((1 - 0.85, 1 - 0.7, 1 - 0.4)))
    assert score([]) == 0


def test_details_say_what_is_shared() -> None:
    a = profile("Ada Lovelace", emails=["ADA@example.com"], phones=["+442079460001"], organization="Engines")
    b = profile("Ada Lovelase", emails=["ada@example.com"], phones=["+442079460001"], organization="Engines")
    c = profile("ada lovelace", emails=["a.da@example.com"])
    details = {name_of(each.reason): each.detail for each in (*evidence(a, b, {}), *evidence(a, c, {}))}
    assert details == {
        "SAME_EMAIL": "ada@example.com",
        "SAME_PHONE": "+442079460001",
        "SIMILAR_NAME_SAME_ORGANIZATION": "Ada Lovelace / Ada Lovelase",
        "SIMILAR_EMAIL": "ada@example.com / a.da@example.com",
        "SAME_NAME": "Ada Lovelace / ada lovelace",
    }


@pytest.mark.parametrize(
    ("name", "other"),
    [("Jon Smith", "John Smith"), ("Anna Meyer", "Anna Meier"), ("J. Smith", "John Smith"), ("Ada King", "King, Ada")],
)
def test_similar_names_with_one_organization_or_birthday_are_enough(name: str, other: str) -> None:
    born = (1980, 5, 17)
    together = profile(name, organization="Acme"), profile(other, employers=["ACME"])
    assert set(found(*together)) == {"SIMILAR_NAME_SAME_ORGANIZATION"}
    assert scored(*together) >= ENOUGH
    for birthdays in ((born, born), (born, (None, 5, 17)), ((None, 5, 17), (None, 5, 17))):
        of_one_day = profile(name, birthday=birthdays[0]), profile(other, birthday=birthdays[1])
        assert set(found(*of_one_day)) == {"SIMILAR_NAME_SAME_BIRTHDAY"}
        assert scored(*of_one_day) >= ENOUGH


@pytest.mark.parametrize(
    ("birthday", "other"),
    [
        ((1980, 5, 17), (1981, 5, 17)),
        ((1980, 5, None), (1980, 5, None)),
        ((1980, None, None), (1980, None, None)),
        ((None, None, 17), (None, None, 17)),
        ((1980, 5, 17), (1980, 5, 18)),
        ((1980, 5, 17), (None, None, None)),
    ],
)
def test_these_are_not_the_same_birthday(
    birthday: tuple[int | None, int | None, int | None], other: tuple[int | None, int | None, int | None]
) -> None:
    pair = profile("Jon Smith", birthday=birthday), profile("John Smith", birthday=other)
    assert found(*pair) == {}


def test_a_year_that_one_of_them_lacks_weighs_less() -> None:
    with_year, without = profile("Ada King", birthday=(1980, 5, 17)), profile("Ada King", birthday=(None, 5, 17))
    assert scored(with_year, without) < scored(with_year, with_year)


@pytest.mark.parametrize(("name", "other"), [("Anna Meyer", "Otto Meyer"), ("Lisa Meyer", "Lina Meyer")])
def test_twins_are_two_people(name: str, other: str) -> None:
    born = (1980, 5, 17)
    assert scored(profile(name, birthday=born), profile(other, birthday=born)) < ENOUGH


def test_father_and_son_weigh_less_than_two_cards_of_one_man() -> None:
    father = profile("John Smith", organization="Smith & Son", birthday=(1950, 1, 2))
    son = profile("John Smith", organization="Smith & Son", birthday=(1980, 5, 17))
    unknown = profile("John Smith", organization="Smith & Son")
    assert scored(father, son) < ENOUGH < scored(father, unknown)
    assert scored(father, father) > scored(father, unknown)


def test_month_and_day_may_have_been_interchanged() -> None:
    a = profile("John Smith", organization="Acme", birthday=(1980, 5, 4))
    b = profile("John Smith", organization="Acme", birthday=(1980, 4, 5))
    c = profile("John Smith", organization="Acme")
    assert scored(a, b) == scored(a, c)


def test_much_evidence_outweighs_a_birthday_that_was_mistyped() -> None:
    shared: dict[str, Any] = {"organization": "Acme", "emails": ["john@example.com"], "phones": ["+442079460001"]}
    a = profile("John Smith", birthday=(1980, 5, 17), **shared)
    b = profile("John Smith", birthday=(1980, 5, 18), **shared)
    assert ENOUGH < scored(a, b) < scored(a, a)


def test_a_couple_with_one_number_scores_less_than_a_woman_who_married() -> None:
    anna, otto = profile("Anna Meyer", phones=["+4930"]), profile("Otto Meyer", phones=["+4930"])
    married = profile("Anna Schmidt", phones=["+4930"])
    assert ENOUGH < scored(anna, otto) < scored(anna, married)


def test_what_a_crowd_shares_weighs_little() -> None:
    switchboard, desk = "+442079460000", "+442079460001"
    a = profile("Ada King", phones=[switchboard, desk], emails=["info@example.com"])
    b = profile("Otto Meyer", phones=[switchboard], emails=["info@example.com"])
    assert scored(a, b, {switchboard: 3, "info@example.com": 3}) == scored(a, b)
    crowd = {switchboard: 200, "info@example.com": 200}
    assert scored(a, b, crowd) < 0.05
    # Of several numbers that which the fewest share counts.
    both = profile("Ada King", phones=[switchboard, desk])
    [phone] = [each for each in evidence(a, both, crowd) if each.reason == DuplicateReason.DUPLICATE_REASON_SAME_PHONE]
    assert (phone.detail, phone.weight) == (desk, scoring.SAME_PHONE)


def test_names_without_anything_else_in_common_are_a_hint_at_most() -> None:
    assert scored(profile("Jon Smith", organization="Acme"), profile("John Smith", organization="Globex")) == 0
    assert scored(profile("John Smith"), profile("John Smith", organization="Globex")) == scoring.SAME_NAME


def test_an_organizations_own_card_has_no_persons_name() -> None:
    a, b = profile(organization="Acme"), profile(organization="ACME")
    assert scored(a, b) == 0
    assert scored(profile("info@example.com"), profile("info@example.com")) == 0
    assert scored(profile("0171 1234567"), profile("0171 1234567")) == 0


@pytest.mark.parametrize(
    ("name", "other"),
    [("Acme, Inc.", "ACME"), ("acme gmbh", "Acme"), ("Müller & Söhne KG", "Müller Söhne"), ("SE", "se"), ("!", "!")],
)
def test_an_organization_is_known_without_punctuation_and_legal_form(name: str, other: str) -> None:
    assert organization_key(name.lower()) == organization_key(other.lower()) != ""


@pytest.mark.parametrize(("name", "other"), [("acme", "acme europe"), ("!", "?"), ("co op", "op"), ("ag", "se")])
def test_other_organizations_are_told_apart(name: str, other: str) -> None:
    assert organization_key(name) != organization_key(other)


@pytest.mark.parametrize(
    ("email", "simplified"),
    [
        ("a.d.a+crm+x@example.com", "ada@example.com"),
        ("ada@mail.example.com", "ada@mail.example.com"),
        ("+crm@example.com", ""),
        (".@example.com", ""),
        ('"a@b"@example.com', '"a@b"@example.com'),
    ],
)
def test_an_email_is_simplified_before_its_domain_alone(email: str, simplified: str) -> None:
    assert simplified_email(email) == simplified
