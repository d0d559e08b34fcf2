"""The CSV files of Google, Outlook and LinkedIn: how to know them by their columns, and where each column goes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from shared.spreadsheet.places import Place


class Dialect(NamedTuple):
    """What a file was taken for.

    name: for people, such as `Google CSV`.
    places: where each column goes, in their order; None for those that have no place.
    passed_over: columns without a place whose values tell nothing of a person.
    """

    name: str
    places: list[Place | None]
    passed_over: frozenset[int] = frozenset()


CUSTOM_FIELD = "custom_fields."

# Columns of ours that hold what Google's cannot. OWN_ID is that of the contact from which the row was written.
OWN_ID, OWN_UID, EMPLOYMENTS, LINKS = "pmcrm.id", "pmcrm.uid", "pmcrm.employments", "pmcrm.links"

MULTIPLE = " ::: "  # Google's way to put several values into one cell

# Labels of ours as Google writes them.
GOOGLE_LABELS = {
    "home": "Home",
    "work": "Work",
    "mobile": "Mobile",
    "other": "Other",
    "main": "Main",
    "home fax": "Home Fax",
    "work fax": "Work Fax",
    "pager": "Pager",
    "homepage": "HomePage",
    "profile": "Profile",
    "blog": "Blog",
}

_GOOGLE = {
    "name": Place("display_name"),
    "file as": Place("display_name"),
    "given name": Place("given_name"),
    "first name": Place("given_name"),
    "additional name": Place("additional_names"),
    "middle name": Place("additional_names"),
    "family name": Place("family_name"),
    "last name": Place("family_name"),
    "given name yomi": Place("phonetic_given_name"),
    "phonetic first name": Place("phonetic_given_name"),
    "family name yomi": Place("phonetic_family_name"),
    "phonetic last name": Place("phonetic_family_name"),
    "name prefix": Place("honorific_prefixes"),
    "name suffix": Place("honorific_suffixes"),
    "nickname": Place("nickname"),
    "organization name": Place("organization_name"),
    "organization 1 - name": Place("organization_name"),
    "organization title": Place("job_title"),
    "organization 1 - title": Place("job_title"),
    "organization department": Place("department"),
    "organization 1 - department": Place("department"),
    "birthday": Place("birthday"),
    "notes": Place("notes"),
    "photo": Place("photo_uri"),
    "labels": Place("groups", separator=MULTIPLE),
    "group membership": Place("groups", separator=MULTIPLE),
    OWN_ID: Place("id"),
    OWN_UID: Place("source_uid"),
    EMPLOYMENTS: Place("employments"),
    LINKS: Place("links"),
}
_GOOGLE_NUMBERED = re.compile(
    r"(e-mail|phone|address|website|im|event|custom field|organization) ([0-9]{1,4}) - ([a-z .-]+)"
)
_GOOGLE_LISTS = {"e-mail": "emails", "phone": "phones", "address": "addresses", "website": "urls", "im": "im_handles"}
_ENTRY_PARTS = {"label": "label", "type": "label", "service": "service", "value": "value"}
_ADDRESS_PARTS = {
    "label": "label",
    "type": "label",
    "formatted": "value",
    "street": "street",
    "city": "locality",
    "po box": "po_box",
    "region": "region",
    "postal code": "postal_code",
    "country": "country",
    "extended address": "extended_address",
}

_OUTLOOK = {
    "title": Place("honorific_prefixes"),
    "first name": Place("given_name"),
    "middle name": Place("additional_names"),
    "last name": Place("family_name"),
    "suffix": Place("honorific_suffixes"),
    "nickname": Place("nickname"),
    "given yomi": Place("phonetic_given_name"),
    "surname yomi": Place("phonetic_family_name"),
    "company": Place("organization_name"),
    "department": Place("department"),
    "job title": Place("job_title"),
    "birthday": Place("birthday"),
    "anniversary": Place("anniversary"),
    "notes": Place("notes"),
    "categories": Place("tags", separator=";"),
    "web page": Place("urls", "value", "web page"),
    "personal web page": Place("urls", "value", "personal web page", "home"),
    "business web page": Place("urls", "value", "business web page", "work"),
    "imaddress": Place("im_handles", "value", "imaddress"),
    "im address": Place("im_handles", "value", "im address"),
    **{name: Place("emails", "value", name) for name in ("e-mail address", "e-mail 2 address", "e-mail 3 address")},
    **{
        name: Place("phones", "value", name, label)
        for label, names in {
            "work": ("business phone", "business phone 2"),
            "home": ("home phone", "home phone 2"),
            "mobile": ("mobile phone",),
            "main": ("primary phone",),
            "car": ("car phone",),
            "other": ("other phone",),
            "work fax": ("business fax",),
            "home fax": ("home fax",),
            "other fax": ("other fax",),
            "pager": ("pager",),
            "company main": ("company main phone",),
            "assistant": ("assistant's phone",),
            "callback": ("callback",),
            "radio": ("radio phone",),
            "telex": ("telex",),
            "tty": ("tty/tdd phone",),
            "isdn": ("isdn",),
        }.items()
        for name in names
    },
    **{
        f"{prefix} {name}": Place("addresses", part, prefix, label)
        for prefix, label in (("business", "work"), ("home", "home"), ("other", "other"))
        for name, part in {
            "address": "value",
            "street": "street",
            "street 2": "street",
            "street 3": "street",
            "address po box": "po_box",
            "city": "locality",
            "state": "region",
            "postal code": "postal_code",
            "country": "country",
            "country/region": "country",
        }.items()
    },
}
_OUTLOOK_TELLS_NOTHING = re.compile(r"e-mail( [23])? (type|display name)|priority|sensitivity|private")
_ONLY_OUTLOOK = frozenset(
    {"e-mail address", "business phone", "home phone", "mobile phone", "business street", "home street", "company"}
)

_LINKEDIN = {
    "first name": Place("given_name"),
    "last name": Place("family_name"),
    "url": Place("profile"),
    "email address": Place("emails", "value", "email address"),
    "company": Place("organization_name"),
    "position": Place("job_title"),
    "connected on": Place("source_create_time"),
}


def recognised(header: Sequence[str]) -> Dialect | None:
    """The dialect that a row is the header of; None when it is none of the three's."""
    names = [name.strip().lower() for name in header]
    known = frozenset(names)
    if _is_googles(known):
        return Dialect("Google CSV", [_of_google(name, whole) for name, whole in zip(names, header, strict=True)])
    if {"first name", "last name", "connected on"} <= known:
        return Dialect("LinkedIn CSV", [_LINKEDIN.get(name) for name in names])
    if {"first name", "last name"} <= known and known & _ONLY_OUTLOOK:
        passed_over = (index for index, name in enumerate(names) if _OUTLOOK_TELLS_NOTHING.fullmatch(name))
        return Dialect("Outlook CSV", [_OUTLOOK.get(name) for name in names], frozenset(passed_over))
    return None


def _is_googles(known: frozenset[str]) -> bool:
    return (
        {"given name", "family name"} <= known
        or {"first name", "last name", "name prefix"} <= known
        or ("e-mail 1 - value" in known or "phone 1 - value" in known)
    )


def _of_google(name: str, whole: str) -> Place | None:
    if name in _GOOGLE:
        return _GOOGLE[name]
    if name.startswith(CUSTOM_FIELD):
        return Place("custom_fields", part=whole.lstrip()[len(CUSTOM_FIELD) :])
    match = _GOOGLE_NUMBERED.fullmatch(name)
    if match is None:
        return None
    kind, number, part = match.groups()
    if kind in ("event", "custom field"):
        is_known = part in ("label", "type", "value")
        return Place(kind, "value" if part == "value" else "label", number) if is_known else None
    if kind == "organization":
        return Place(kind, part, number) if part in ("name", "title", "department") else None
    parts = _ADDRESS_PARTS if kind == "address" else _ENTRY_PARTS
    if part not in parts:
        return None
    separator = "" if parts[part] in ("label", "service") else MULTIPLE
    return Place(_GOOGLE_LISTS[kind], parts[part], number, separator=separator)
