"""What speaks for two contacts being the same person, and how much: the weights of DuplicateReason's comment.

Each thing that they have in common has a weight; together they make 1 - (1 - weight) · (1 - weight) · …, as independent
evidence does. What speaks against it makes the weights smaller.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pmcrm.contacts.v1 import contact_merge_pb2 as pb

from shared.duplicates.name_likeness import is_other_person, is_same, likeness
from shared.duplicates.profiles import Profile, simplified_email

SAME_EMAIL = 0.85
SAME_PHONE = 0.7
SIMILAR_EMAIL = 0.4
SIMILAR_NAME_SAME_ORGANIZATION = 0.7
SIMILAR_NAME_SAME_BIRTHDAY = 0.75
SIMILAR_NAME_SAME_BIRTHDAY_WITHOUT_YEAR = 0.65
SAME_NAME = 0.4

# An e-mail address or phone number that so many differently named contacts share is a household's.
HOUSEHOLD = 3
# What becomes of weights when names are two people's, and when birthdays are.
OTHER_PERSON = 0.8
OTHER_BIRTHDAY = 0.5

# So far a sum of weights may miss its value.
ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that two contacts have in common. weight: 0 to 1."""

    reason: pb.DuplicateReason
    weight: float
    detail: str


# E-mail address or phone number → how many differently named contacts have it; those of a household may be missing.
Crowds = Mapping[str, int]


def evidence(a: Profile, b: Profile, crowds: Crowds) -> list[Evidence]:
    """What two contacts have in common, strongest first; nothing when they have nothing that counts."""
    alike = likeness(a.name, b.name)
    found = [*_addresses(a, b, alike, crowds), *_names(a, b, alike)]
    if a.birthday is not None and b.birthday is not None and a.birthday.differs(b.birthday):
        found = [Evidence(each.reason, each.weight * OTHER_BIRTHDAY, each.detail) for each in found]
    return sorted(found, key=lambda each: (-each.weight, each.reason))


def score(found: Sequence[Evidence]) -> float:
    """What several things weigh together, 0 to 1."""
    return 1 - math.prod(1 - each.weight for each in found)


def _addresses(a: Profile, b: Profile, alike: float, crowds: Crowds) -> Iterator[Evidence]:
    phone, email = _rarest(a.phones, b.phones, crowds), _rarest(a.emails, b.emails, crowds)
    similar = "" if email else _similar_email(a.emails, b.emails)
    if not (phone or email or similar):
        return
    factor = OTHER_PERSON if not alike and is_other_person(a.name, b.name) else 1.0
    if email:
        yield Evidence(pb.DUPLICATE_REASON_SAME_EMAIL, SAME_EMAIL * factor * _rarity(email, crowds), email)
    if similar:
        yield Evidence(pb.DUPLICATE_REASON_SIMILAR_EMAIL, SIMILAR_EMAIL * factor, similar)
    if phone:
        yield Evidence(pb.DUPLICATE_REASON_SAME_PHONE, SAME_PHONE * factor * _rarity(phone, crowds), phone)


def _names(a: Profile, b: Profile, alike: float) -> Iterator[Evidence]:
    if not alike:
        return
    names = f"{a.display_name} / {b.display_name}"
    organization = not set(a.organizations).isdisjoint(b.organizations)
    birthday = a.birthday is not None and b.birthday is not None and a.birthday.agrees(b.birthday)
    if organization:
        weight = SIMILAR_NAME_SAME_ORGANIZATION * alike
        yield Evidence(pb.DUPLICATE_REASON_SIMILAR_NAME_SAME_ORGANIZATION, weight, names)
    if birthday:
        years = a.birthday is not None and b.birthday is not None and a.birthday.year and b.birthday.year
        weight = (SIMILAR_NAME_SAME_BIRTHDAY if years else SIMILAR_NAME_SAME_BIRTHDAY_WITHOUT_YEAR) * alike
        yield Evidence(pb.DUPLICATE_REASON_SIMILAR_NAME_SAME_BIRTHDAY, weight, names)
    # Told apart only where it is not in the above already.
    if not organization and not birthday and is_same(a.name, b.name):
        yield Evidence(pb.DUPLICATE_REASON_SAME_NAME, SAME_NAME, names)


def _rarest(ours: Sequence[str], theirs: Sequence[str], crowds: Crowds) -> str:
    """The value in both that the fewest others have; '' when there is none."""
    if not ours or not theirs:
        return ""
    return min((value for value in ours if value in theirs), key=lambda value: crowds.get(value, 0), default="")


def _rarity(value: str, crowds: Crowds) -> float:
    return HOUSEHOLD / max(HOUSEHOLD, crowds.get(value, 0))


def _similar_email(ours: Sequence[str], theirs: Sequence[str]) -> str:
    if not ours or not theirs:
        return ""
    simplified = {simplified_email(email): email for email in theirs}
    for email in ours:
        key = simplified_email(email)
        if key and key in simplified:
            return f"{email} / {simplified[key]}"
    return ""
