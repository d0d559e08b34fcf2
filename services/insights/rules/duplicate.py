"""Contacts that are likely the same person, as ContactService.FindDuplicateContacts scores them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Sequence
from datetime import date
from pathlib import Path

from pmcrm.contacts.v1 import contact_merge_pb2 as pb

from services.insights.findings import Asked, Evidence, Finding, Rule
from services.insights.rules.days import day_of, end_of, next_step
from services.insights.rules.words import name_of
from shared import queries
from shared.database import Transaction
from shared.duplicates.profiles import Profile
from shared.duplicates.reading import BEFORE_ALL, Place, likely_duplicates, next_profiles, read_profiles
from shared.duplicates.search import Pair, TenantSearch, compare_one
from shared.time_zones import time_zone

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# What two contacts must score. A shared e-mail address is enough, a phone number alone is not.
LIKELY = 0.8

# Contacts up to which each is looked up; for more the whole tenant is searched.
ASKED_ONE_BY_ONE = 50
# Contacts that are compared at a time. That takes a thread some 50 ms.
COMPARED_AT_A_TIME = 250

# Pairs that are told of. Whoever has imported an address book twice merges by other means than insights.
MOST = 1_000

# That two contacts are one person has no end of its own: it is looked at anew every 30 days from here.
COUNTED_FROM = date(2000, 1, 1)

REASONS = {
    pb.DUPLICATE_REASON_SAME_EMAIL: "same e-mail address",
    pb.DUPLICATE_REASON_SAME_PHONE: "same phone number",
    pb.DUPLICATE_REASON_SIMILAR_EMAIL: "similar e-mail address",
    pb.DUPLICATE_REASON_SIMILAR_NAME_SAME_ORGANIZATION: "similar name in the same organization",
    pb.DUPLICATE_REASON_SIMILAR_NAME_SAME_BIRTHDAY: "similar name and the same birthday",
    pb.DUPLICATE_REASON_SAME_NAME: "same name",
}


async def find(tx: Transaction, asked: Asked) -> list[Finding]:
    """Pairs of contacts that are likely the same person, but for those that are linked."""
    if asked.contact_ids is not None and len(asked.contact_ids) <= ASKED_ONE_BY_ONE:
        pairs = await _of_contacts(tx, asked.contact_ids)
    else:
        pairs = await _of_tenant(tx, asked.contact_ids)
    ids = {each.id for pair in pairs for each in (pair.contact, pair.duplicate)}
    linked = {frozenset(row.values()) for row in await tx.fetch(QUERIES["linked_pairs"], list(ids))}
    apart = [pair for pair in pairs if frozenset((pair.contact.id, pair.duplicate.id)) not in linked]
    apart.sort(key=lambda pair: (-pair.score, pair.contact.id, pair.duplicate.id))
    return [_finding(pair, asked) for pair in apart[:MOST]]


async def _of_contacts(tx: Transaction, ids: Sequence[uuid.UUID]) -> list[Pair]:
    found: dict[tuple[uuid.UUID, uuid.UUID], Pair] = {}
    for contact in await read_profiles(tx, ids):
        likely = await likely_duplicates(tx, contact)
        for pair in await asyncio.to_thread(compare_one, contact, likely.profiles, LIKELY, likely.crowds):
            ordered = _ordered(pair)
            found.setdefault((ordered.contact.id, ordered.duplicate.id), ordered)
    return list(found.values())


async def _of_tenant(tx: Transaction, ids: Sequence[uuid.UUID] | None) -> list[Pair]:
    profiles: list[Profile] = []
    after: Place | None = BEFORE_ALL
    while after is not None:
        page, after = await next_profiles(tx, after)
        profiles += page
    search = await asyncio.to_thread(TenantSearch, profiles, LIKELY)
    wanted = None if ids is None else set(ids)
    found: list[Pair] = []
    for start in range(0, len(profiles), COMPARED_AT_A_TIME):
        found += (
            _ordered(pair)
            for pair in await asyncio.to_thread(search.compare, start, start + COMPARED_AT_A_TIME)
            if wanted is None or not wanted.isdisjoint((pair.contact.id, pair.duplicate.id))
        )
    return found


def _ordered(pair: Pair) -> Pair:
    """The pair with the smaller id first, whichever of the two was asked about."""
    if pair.contact.id < pair.duplicate.id:
        return pair
    return Pair(pair.duplicate, pair.contact, pair.score, pair.evidence)


def _finding(pair: Pair, asked: Asked) -> Finding:
    zone = time_zone(asked.time_zone)
    one, other = name_of(pair.contact.display_name), name_of(pair.duplicate.display_name)
    reasons = ", ".join(REASONS[each.reason] for each in pair.evidence)
    ids = (pair.contact.id, pair.duplicate.id)
    return Finding(
        type="DUPLICATE",
        contact_ids=ids,
        # What they have in common and not what it is: no address or number stands in an insight.
        evidence=tuple(Evidence("CONTACT", contact_id, reasons) for contact_id in ids),
        key=(str(ids[0]), str(ids[1])),
        confidence=round(pair.score, 2),
        title=f"{one} and {other} are likely the same person",
        body=f"These two contacts are likely one person: {reasons}. Merging them puts together what you know.",
        expires_at=end_of(next_step(COUNTED_FROM, day_of(asked.as_of, zone)), zone),
        facts={"in_common": reasons, "score": round(pair.score, 2)},
    )


RULE = Rule(name="duplicate", version="1", type="DUPLICATE", find=find)
