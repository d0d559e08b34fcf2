"""What holds of all rules about being in touch, for histories of any kind."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any

import pytest
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.interactions.v1.interaction_pb2 import Interaction, InteractionType, Participant, ParticipantRole

from services.insights.findings import Finding
from services.insights.rules import follow_up, losing_touch, overdue
from tests.services.contacts.calls import Book
from tests.services.insights.rules.asking import Asker
from tests.services.insights.rules.histories import EMAIL, NOON, ago
from tests.services.interactions.interaction_calls import Log

RULES = (overdue.RULE, losing_touch.RULE, follow_up.RULE)
CONTACTS, INTERACTIONS = 40, 400
# By name, as messages take them; meetings more often than all others.
TYPES: list[Any] = [*InteractionType.keys()[1:], *["INTERACTION_TYPE_MEETING"] * 8]
ROLES: list[Any] = ParticipantRole.keys()


async def live(book: Book, log: Log, chance: random.Random) -> list[Contact]:
    """Contacts with and without a cadence, each with a rhythm of its own and a last interaction some time ago."""
    people = await book.create_many(
        *(
            {"given_name": f"Contact {n}", "keep_in_touch_days": chance.choice([0, 0, 0, 1, 7, 30, 365])}
            for n in range(CONTACTS)
        )
    )
    begin = {person.id: chance.choice([0, 2, 5, 9, 40, 100, 400]) for person in people}
    rhythm = {person.id: chance.choice([0.3, 2, 10, 30]) for person in people}
    made = []
    for n in range(INTERACTIONS):
        some = chance.sample(people, chance.choice([1, 1, 1, 2, 5]))
        age = max(begin[each.id] + chance.uniform(0, rhythm[each.id] * 15) for each in some)
        made.append(
            Interaction(
                type=chance.choice(TYPES),
                occur_time=ago(age if n % 50 else -age),
                participants=[Participant(contact_id=each.id, role=chance.choice(ROLES)) for each in some],
            )
        )
    await log.create_many(*made)
    return people


async def found(asker: Asker, as_of: datetime, zone: str) -> list[Finding]:
    return [finding for rule in RULES for finding in await asker.ask(rule, as_of, zone)]


@pytest.mark.parametrize(("seed", "zone"), [(1, "Europe/Berlin"), (2, "Pacific/Apia"), (3, "America/New_York")])
async def test_findings_stay_what_they_are_and_end_with_fresh_contact(book, log, asker, seed, zone):
    people = await live(book, log, random.Random(seed))
    before = await found(asker, NOON, zone)
    assert {finding.type for finding in before} == {rule.type for rule in RULES}
    assert len({(finding.type, finding.key) for finding in before}) == len(before)

    # Nothing but time passes, and the plans that come true are left out of it.
    tomorrow = NOON + timedelta(hours=20)
    still = {(finding.type, finding.key): finding for finding in await found(asker, tomorrow, zone)}
    planned = {str(each) for each in await planned_until(log, tomorrow)}
    for finding in before:
        if finding.expires_at > tomorrow and str(finding.contact_ids[0]) not in planned:
            assert (finding.type, finding.key) in still

    chosen = people[::2]
    assert {str(finding.contact_ids[0]) for finding in before} & {each.id for each in chosen}
    await log.create_many(
        *(Interaction(type=EMAIL, occur_time=ago(0), participants=[Participant(contact_id=each.id)]) for each in chosen)
    )
    after = await found(asker, NOON, zone)
    touched = {each.id for each in chosen}
    assert not {str(finding.contact_ids[0]) for finding in after} & touched
    # Nobody else is concerned.
    rest = [finding for finding in before if str(finding.contact_ids[0]) not in touched]
    assert sorted(finding.key for finding in after) == sorted(finding.key for finding in rest)


async def planned_until(log: Log, end: datetime) -> set[str]:
    """The contacts with an interaction after NOON and until then."""
    listed = [each async for page in log.pages(page_size=1000) for each in page]
    return {
        participant.contact_id
        for interaction in listed
        if NOON < interaction.occur_time.ToDatetime(NOON.tzinfo) <= end
        for participant in interaction.participants
    }
