"""Reads contacts as they are compared: all of a tenant's, or those that may be the same person as one of them."""

from __future__ import annotations

import asyncio
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from shared import queries
from shared.database import Row, Transaction
from shared.duplicates.profiles import Profile, simplified_email, to_profile

QUERIES = queries.load(Path(__file__).parent / "queries")

# Contacts that are read at a time.
PAGE = 1_000

# How many are looked at of those whose names are like one contact's, for each way to write it, and of those who share a
# number or an employer with it.
NAMESAKES = 100
SHARERS = 300

# A place in the order in which contacts were made: when, and the id.
Place = tuple[datetime, uuid.UUID]
BEFORE_ALL: Place = (datetime(1, 1, 1, tzinfo=UTC), uuid.UUID(int=0))


@dataclass(frozen=True, slots=True)
class Likely:
    """Who may be the same person as a contact, the oldest first.

    crowds: how many contacts have its e-mail addresses and phone numbers, where these are too many to be looked at.
    """

    profiles: list[Profile]
    crowds: Mapping[str, int]


async def read_profiles(tx: Transaction, ids: Sequence[uuid.UUID]) -> list[Profile]:
    """Those of the contacts that are living and not restricted, the oldest first."""
    rows = await tx.fetch(QUERIES["get_profiles"], ids)
    return await asyncio.to_thread(_to_profiles, rows)


async def next_profiles(tx: Transaction, after: Place) -> tuple[list[Profile], Place | None]:
    """So many of the tenant's contacts after a place, the oldest first, and the place after them; None at the end."""
    rows = await tx.fetch(QUERIES["list_profiles"], *after, PAGE)
    profiles = await asyncio.to_thread(_to_profiles, rows)
    return profiles, None if len(rows) < PAGE else (rows[-1]["created_at"], rows[-1]["id"])


async def likely_duplicates(tx: Transaction, contact: Profile) -> Likely:
    """The contacts that are worth comparing with this one. Looks them up by indexes, a bounded number of them."""
    sharers = await tx.fetch(QUERIES["find_by_keys"], list(contact.emails), list(contact.phones))
    crowds = {key: count for key, count in Counter(row["key"] for row in sharers).items() if count > SHARERS}
    others = {row["contact_id"] for row in sharers if row["key"] not in crowds}
    others |= await _similar(tx, contact)
    others -= {contact.id}
    return Likely(await read_profiles(tx, list(others)), crowds)


async def _similar(tx: Transaction, contact: Profile) -> set[uuid.UUID]:
    """Who may be like the contact in something else than an address that both have."""
    name = contact.name
    names = [" ".join(name.given + name.family)] if name.given else []
    # The names of a contact are indexed together with its organization's: who has both is found before others.
    names += [f"{names[0]} {organization}" for organization in contact.organizations if names]
    emails = {email.rpartition("@")[0].partition("+")[0] + "@" + email.rpartition("@")[2] for email in contact.emails}
    emails |= {simplified_email(email) for email in contact.emails}
    day = (contact.birthday.month, contact.birthday.day) if contact.birthday is not None else (None, None)
    found = [
        await tx.fetch(QUERIES["find_namesakes"], names, *day, NAMESAKES),
        await tx.fetch(QUERIES["find_by_words"], list(emails), NAMESAKES),
        await tx.fetch(QUERIES["find_colleagues"], contact.id, SHARERS),
    ]
    return {row["contact_id"] for rows in found for row in rows}


def _to_profiles(rows: Sequence[Row]) -> list[Profile]:
    return [to_profile(row) for row in rows]
