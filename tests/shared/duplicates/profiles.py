"""Contacts as they are compared, without a database: what tests of likeness, scores and searches begin with."""

from __future__ import annotations

import random
import unicodedata
import uuid
from collections.abc import Iterable
from typing import Any

from shared.duplicates.name_likeness import Name, read_name
from shared.duplicates.profiles import Profile, to_profile

_UNDONE = str.maketrans({"ß": "ss", "ø": "o", "ł": "l", "æ": "ae"})


def fold(text: str) -> str:
    """As app.fold does, as far as these tests need it."""
    parts = unicodedata.normalize("NFD", text.lower())
    marks = (character for character in parts if not "\u0300" <= character <= "\u036f")
    return unicodedata.normalize("NFC", "".join(marks)).translate(_UNDONE)


def named(full_name: str = "", **parts: str) -> Name:
    """A name in one piece, or in parts: `given`, `family`, `additional`, `nickname`, `suffixes`."""
    fields = {part: fold(parts.get(part, "")) for part in ("given", "additional", "family", "nickname", "suffixes")}
    return read_name(**fields, full_name=fold(full_name))


def profile(
    name: str = "",
    *,
    organization: str = "",
    employers: Iterable[str] = (),
    birthday: tuple[int | None, int | None, int | None] = (None, None, None),
    emails: Iterable[str] = (),
    phones: Iterable[str] = (),
    **columns: Any,
) -> Profile:
    """A contact whose name is given in one piece, or by the columns of its parts; it may have none."""
    row: dict[str, Any] = {
        "id": uuid.uuid4(),
        "display_name": name or organization,
        "full_name": fold(name or organization),
        "given_name": None,
        "additional_names": None,
        "family_name": None,
        "honorific_suffixes": None,
        "nickname": None,
        "organization_name": fold(organization) or None,
        "employers": [fold(employer) for employer in employers],
        "emails": list(emails),
        "phones": list(phones),
    }
    row |= dict(zip(("birthday_year", "birthday_month", "birthday_day"), birthday, strict=True))
    return to_profile(row | columns)


SYLLABLES = (
    "an",
    "ber",
    "car",
    "da",
    "el",
    "fi",
    "go",
    "ha",
    "in",
    "jo",
    "ka",
    "lu",
    "mar",
    "no",
    "ol",
    "pe",
    "ro",
    "su",
)


def address_book(size: int, seed: int = 1, *, one_employer: bool = False) -> list[Profile]:
    """A made-up address book. Names, employers and numbers are shared about as much as in a real one of any size: more
    people bring more names and more employers with them.

    one_employer: everybody works there and has its switchboard's number.
    """
    chance = random.Random(seed)

    def word(syllables: int) -> str:
        return "".join(chance.choice(SYLLABLES) for _ in range(syllables))

    given = [word(2) for _ in range(60 + size // 40)]
    family = [word(3) for _ in range(100 + size // 4)]
    employers = [word(4) for _ in range(5 + size // 12)]
    book = []
    for number in range(size):
        first, last = chance.choice(given), chance.choice(family)
        book.append(
            profile(
                f"{first} {last}",
                given_name=first,
                family_name=last,
                organization="Everybody's Employer" if one_employer else chance.choice(employers),
                birthday=(chance.randint(1940, 2010), chance.randint(1, 12), chance.randint(1, 28))
                if chance.random() < 0.2
                else (None, None, None),
                emails=[f"{first}.{last}.{number}@example.com"],
                phones=["+442079460000"] if one_employer else [f"+4420794{chance.randrange(size * 20):07}"],
            )
        )
    return book
