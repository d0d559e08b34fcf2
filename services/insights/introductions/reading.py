"""Reads the part of a tenant's network in which introductions are looked for: bounded, whatever the tenant has."""

from __future__ import annotations

import uuid
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from services.insights.introductions.network import Named, Network, Person, Stay
from services.insights.jobs.careers import span
from shared import queries
from shared.database import Transaction

QUERIES = queries.load(Path(__file__).parents[1] / "queries")

# Contacts among which introductions are looked for: of a tenant the closest to the user; of one contact those around it
# and those around these.
MOST_PEOPLE = 2_000
MOST_AROUND = 300

# Links or organizations of one contact, people of one organization or interaction, carriers of one tag.
MOST_TIES = 200
MOST_TOGETHER = 50
MOST_CARRIERS = 100

# A contact's newest interactions. Who met is asked of all of them.
MEETINGS = 30

# Up to how many carriers of a tag, people of an organization and contacts of a tenant are counted.
COUNTED = 1_000


async def people_of_tenant(tx: Transaction) -> list[uuid.UUID]:
    """The contacts that are closest to the user."""
    return [row["id"] for row in await tx.fetch(QUERIES["closest_people"], MOST_PEOPLE)]


async def people_around(tx: Transaction, contact_id: uuid.UUID) -> list[uuid.UUID]:
    """A contact, whom it has to do with, whom these have to do with, and who carries one of its tags."""
    near = await _around(tx, [contact_id], MOST_AROUND)
    far = await _around(tx, near, MOST_PEOPLE)
    alike = [row["id"] for row in await tx.fetch(QUERIES["people_of_like_tags"], contact_id, MOST_CARRIERS)]
    return list(dict.fromkeys([contact_id, *near, *far, *alike]))


async def _around(tx: Transaction, ids: Sequence[uuid.UUID], most: int) -> list[uuid.UUID]:
    rows = await tx.fetch(QUERIES["people_around"], ids, MOST_TIES, MOST_TOGETHER, MEETINGS, most)
    return [row["id"] for row in rows]


async def read_network(tx: Transaction, ids: Sequence[uuid.UUID]) -> Network:
    """What is known of these contacts, but for those that are deleted or restricted."""
    people = {
        row["id"]: Person(row["id"], row["strength"]) for row in await tx.fetch(QUERIES["introduction_people"], ids)
    }
    known = list(people)
    for row in await tx.fetch(QUERIES["introduction_links"], known):
        one, other = row["contact_id"], row["related_contact_id"]
        people[one].links[other] = people[other].links[one] = row["id"]
    for row in await tx.fetch(QUERIES["introduction_employments"], known):
        people[row["contact_id"]].stays.append(_stay(row))
    for row in await tx.fetch(QUERIES["introduction_meetings"], known, MEETINGS):
        people[row["contact_id"]].meetings.add(row["interaction_id"])
    return Network(
        people=people,
        tags=await _read_tags(tx, people),
        topics=await _read_topics(tx, people),
        organizations=await _read_organizations(tx, people),
        contacts=await tx.fetchval(QUERIES["count_people"], COUNTED),
    )


async def _read_tags(tx: Transaction, people: Mapping[uuid.UUID, Person]) -> dict[uuid.UUID, Named]:
    rows = await tx.fetch(QUERIES["introduction_tags"], list(people))
    ids = list({row["tag_id"] for row in rows})
    tags = {
        row["id"]: Named(row["name"], row["carriers"])
        for row in await tx.fetch(QUERIES["introduction_tag_names"], ids, COUNTED)
    }
    for row in rows:
        if row["tag_id"] in tags:
            people[row["contact_id"]].tags.add(row["tag_id"])
    return tags


async def _read_topics(tx: Transaction, people: Mapping[uuid.UUID, Person]) -> dict[str, Named]:
    """Topics are the same in any case; the spelling that stands first is shown."""
    ids = list({meeting for person in people.values() for meeting in person.meetings})
    of_meeting = {row["id"]: row["topics"] for row in await tx.fetch(QUERIES["introduction_topics"], ids)}
    spellings: dict[str, set[str]] = defaultdict(set)
    for person in people.values():
        for meeting in person.meetings:
            for topic in of_meeting.get(meeting, ()):
                spellings[topic.casefold()].add(topic)
                person.topics.add(topic.casefold())
    carriers = Counter(topic for person in people.values() for topic in person.topics)
    return {topic: Named(min(spelt), carriers[topic]) for topic, spelt in spellings.items()}


async def _read_organizations(tx: Transaction, people: Mapping[uuid.UUID, Person]) -> dict[uuid.UUID, Named]:
    ids = list({stay.organization_id for person in people.values() for stay in person.stays})
    rows = await tx.fetch(QUERIES["introduction_organizations"], ids, COUNTED)
    return {row["id"]: Named(row["name"], row["carriers"]) for row in rows}


def _stay(row: Mapping[str, Any]) -> Stay:
    return Stay(
        organization_id=row["organization_id"],
        start=span(row["start_year"], row["start_month"], row["start_day"]),
        end=span(row["end_year"], row["end_month"], row["end_day"]),
        is_current=row["is_current"],
    )
