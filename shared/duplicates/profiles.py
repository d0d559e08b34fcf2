"""What of a contact tells whether another one is the same person, and the keys that bring the two together."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Any

from shared.duplicates.name_likeness import Name, read_name
from shared.name_keys import name_key

# What companies are called besides their name, by some programs and not by others.
_LEGAL_FORMS = frozenset(
    [
        "ab", "ag", "as", "bv", "co", "company", "corp", "corporation", "gmbh", "inc", "incorporated", "kg",
        "limited", "llc", "llp", "ltd", "mbh", "nv", "oy", "plc", "pty", "sa", "sarl", "sas", "se", "spa",
        "srl",
    ]
)  # fmt: skip
_PUNCTUATION = re.compile(r"[\s!-/:-@\[-`{-~]+")


@dataclass(frozen=True, slots=True)
class Birthday:
    """A birthday of which month and day are known."""

    year: int | None
    month: int
    day: int

    @property
    def key(self) -> str:
        """Equal for the same day of any year."""
        return f"{self.month}-{self.day}"

    def agrees(self, other: Birthday) -> bool:
        """Whether both can be the same day."""
        years_differ = self.year is not None and other.year is not None and self.year != other.year
        return (self.month, self.day) == (other.month, other.day) and not years_differ

    def differs(self, other: Birthday) -> bool:
        """Whether both cannot be one day, even if month and day were taken for each other in one of them."""
        swapped = self.month == other.day and self.day == other.month and self.year == other.year
        return not self.agrees(other) and not swapped


@dataclass(frozen=True, slots=True)
class Profile:
    """A contact as it is compared. Lists hold each value once.

    organizations: keys of the organization on the card and of all employments' organizations.
    emails: in lower case. phones: E.164.
    """

    id: uuid.UUID
    display_name: str
    name: Name
    organizations: tuple[str, ...]
    birthday: Birthday | None
    emails: tuple[str, ...]
    phones: tuple[str, ...]


def to_profile(row: Mapping[str, Any]) -> Profile:
    """The profile of a row of the view contact_profiles."""
    emails = tuple(dict.fromkeys(email.lower() for email in row["emails"] or ()))
    card = row["organization_name"] or ""
    organizations = dict.fromkeys(intern(organization_key(name)) for name in (card, *row["employers"]) if name)
    month, day = row["birthday_month"], row["birthday_day"]
    full_name = row["full_name"]
    # A contact without a name is shown by its organization, e-mail or phone.
    is_name = full_name != card and "@" not in full_name and any(map(str.isalpha, full_name))
    return Profile(
        id=row["id"],
        display_name=row["display_name"],
        name=read_name(
            row["given_name"] or "",
            row["additional_names"] or "",
            row["family_name"] or "",
            row["nickname"] or "",
            row["honorific_suffixes"] or "",
            full_name if is_name else "",
        ),
        organizations=tuple(organizations),
        birthday=Birthday(row["birthday_year"], month, day) if month and day else None,
        emails=emails,
        phones=tuple(dict.fromkeys(row["phones"] or ())),
    )


def organization_key(name: str) -> str:
    """An organization's folded name without punctuation and legal form: `acme` for `Acme, Inc.`"""
    words = [word for word in _PUNCTUATION.split(name_key(name)) if word]
    while len(words) > 1 and words[-1] in _LEGAL_FORMS:
        words.pop()
    return " ".join(words) or name_key(name)


def simplified_email(email: str) -> str:
    """An address without dots and without what follows a plus sign in its local part; '' when nothing would be left."""
    local_part, _, domain = email.rpartition("@")
    bare = local_part.partition("+")[0].replace(".", "")
    return f"{bare}@{domain}" if bare else ""


def simplified_emails(profile: Profile) -> Iterable[str]:
    """The profile's addresses as far as similar ones have them in common."""
    return {simplified_email(email) for email in profile.emails} - {""}


# What two contacts may have in common that counts. Organization and birthday count together with a name.
KEYS: tuple[Callable[[Profile], Iterable[str]], ...] = (
    lambda profile: profile.phones,
    lambda profile: profile.emails,
    simplified_emails,
    lambda profile: (profile.name.full,) if profile.name.given else (),
    lambda profile: profile.organizations if profile.name.given else (),
    lambda profile: (profile.birthday.key,) if profile.birthday is not None and profile.name.given else (),
)
# Those of KEYS that whole companies may share.
ADDRESSES = KEYS[:2]
