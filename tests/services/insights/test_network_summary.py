"""The network summed up: against a plain count of what was made, month by month in the zone that is asked for."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.contacts.v1.contact_link_pb2 import ContactLink, ContactLinkType
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.insights.v1 import relationship_service_pb2 as pb
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from services.insights.months import months_back
from shared.time_zones import time_zone
from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.organization_calls import Firms
from tests.services.contacts.tag_calls import Labels
from tests.services.insights.conftest import InsightsClient
from tests.services.insights.relationship_calls import Relations, restrict
from tests.services.interactions.interaction_calls import Log, at, taking_part
from tests.suite import Client, Metadata, failure, tenant_of

EMAIL, MEETING, NOTE = kinds.INTERACTION_TYPE_EMAIL, kinds.INTERACTION_TYPE_MEETING, kinds.INTERACTION_TYPE_NOTE
MUTUAL = kinds.INTERACTION_DIRECTION_MUTUAL


@pytest.fixture
def relations(insights: InsightsClient, alice: Metadata) -> Relations:
    """What Alice's network tells."""
    return Relations(insights, alice)


async def link(book: Book, one: str, other: str) -> None:
    tie = ContactLink(contact_id=one, related_contact_id=other, type=ContactLinkType.CONTACT_LINK_TYPE_FRIEND)
    await book.stub.LinkContacts(contacts_pb.LinkContactsRequest(link=tie), metadata=book.tenant)


def year_of(summary: pb.GetNetworkSummaryResponse) -> list[tuple[int, int]]:
    return [(month.year, month.month) for month in summary.months]


async def test_an_empty_network_is_summed_up_too(relations: Relations) -> None:
    summary = await relations.summary()
    assert summary.contact_count == summary.interaction_count == summary.link_count == summary.overdue_count == 0
    assert [(band.min_strength, band.max_strength, band.contact_count) for band in summary.strength_bands] == [
        (1, 2, 0), (3, 4, 0), (5, 6, 0), (7, 8, 0), (9, 10, 0),
    ]  # fmt: skip
    assert len(summary.months) == 12
    newest = summary.as_of_time.ToDatetime(UTC)
    assert year_of(summary)[-1] == (newest.year, newest.month)
    assert not summary.tags
    assert not summary.going_quiet
    assert not summary.most_improved


@pytest.mark.parametrize("seed", range(3))
async def test_it_counts_as_one_would_by_hand(
    relations: Relations, client: Client, book: Book, log: Log, as_superuser: Connection, seed: int
) -> None:
    made_up = random.Random(seed)
    people = await book.create_many(
        *({"given_name": f"P{i}", "relationship_strength": made_up.choice((0, 0, 2, 3, 5, 8, 10))} for i in range(14))
    )
    deleted, restricted = {people[0].id}, {people[1].id, people[2].id}
    living = {each.id for each in people} - deleted - restricted
    labels, firms = Labels(client, book.tenant), Firms(client, book.tenant)
    carried: Counter[str] = Counter()
    for name in ("Chess", "Jazz", "Nobody"):
        tag = await labels.create(name)
        carriers = made_up.sample(people, 6) if name != "Nobody" else []
        await labels.modify([each.id for each in carriers], add=[tag.id]) if carriers else None
        carried[name] = sum(each.id in living for each in carriers)
    for name in ("River Press", "Valley Works"):
        await firms.create(name)
    await firms.delete((await firms.create("Gone")).id)
    pairs = {tuple(sorted(made_up.sample([each.id for each in people], 2))) for _ in range(12)}
    for one, other in pairs:
        await link(book, one, other)
    wanted = [
        Interaction(
            type=made_up.choice((EMAIL, MEETING, NOTE)),
            occur_time=at(days=made_up.uniform(-40, 500)),
            participants=taking_part(*made_up.sample(people, made_up.randint(0, 3))),
        )
        for _ in range(60)
    ]
    made = await log.create_many(*wanted)
    for each in made[:5]:
        await log.delete(each.id)
    await book.delete(next(iter(deleted)))
    await restrict(as_superuser, book.tenant, *restricted)

    zone = made_up.choice(("Pacific/Auckland", "America/New_York", "UTC"))
    summary = await relations.summary(months=9, time_zone=zone)
    now = summary.as_of_time.ToDatetime(UTC)

    def who(each: Interaction) -> set[str]:
        return {participant.contact_id for participant in each.participants}

    counted = [each for each in made[5:] if not who(each) or who(each) - restricted]
    assert summary.contact_count == len(living)
    assert summary.organization_count == 2
    assert summary.interaction_count == len(counted)
    assert summary.link_count == sum(set(pair) <= living for pair in pairs)
    strengths = [(await book.get(each)).relationship_strength for each in living]
    assert [band.contact_count for band in summary.strength_bands] == [
        sum(low <= strength <= low + 1 for strength in strengths) for low in (1, 3, 5, 7, 9)
    ]
    assert sum(band.contact_count for band in summary.strength_bands) == summary.contact_count
    met = set().union(*(who(each) for each in made[5:] if each.type != NOTE and each.occur_time.ToDatetime(UTC) <= now))
    assert summary.never_contacted_count == len(living - met)
    assert [(tag.name, tag.contact_count) for tag in summary.tags] == [
        pair for pair in sorted(carried.items(), key=lambda pair: (-pair[1], pair[0])) if pair[1]
    ]
    by_month: dict[tuple[int, int], list[Interaction]] = {}
    for each in counted:
        occurred = each.occur_time.ToDatetime(UTC)
        local = occurred.astimezone(ZoneInfo(zone))
        if occurred <= now:
            by_month.setdefault((local.year, local.month), []).append(each)
    for month in summary.months:
        happened = by_month.get((month.year, month.month), [])
        assert month.interaction_count == len(happened)
        assert month.contact_count == len(living & set().union(*(who(each) for each in happened)))
    assert sum(month.new_contact_count for month in summary.months) == len(living)
    assert summary.months[-1].new_contact_count == len(living)


def test_months_begin_in_their_zone_also_where_clocks_change() -> None:
    zone = time_zone("America/New_York")
    months = months_back(datetime(2026, 4, 1, 3, 59, tzinfo=UTC), zone, 3)
    assert [(month.year, month.month) for month in months] == [(2026, 1), (2026, 2), (2026, 3)]
    assert [month.begin for month in months] == [
        datetime(2026, 1, 1, 5, tzinfo=UTC), datetime(2026, 2, 1, 5, tzinfo=UTC), datetime(2026, 3, 1, 5, tzinfo=UTC),
    ]  # fmt: skip
    later = months_back(datetime(2026, 4, 1, 4, tzinfo=UTC), zone, 2)
    assert [month.begin for month in later] == [
        datetime(2026, 3, 1, 5, tzinfo=UTC), datetime(2026, 4, 1, 4, tzinfo=UTC),
    ]  # fmt: skip


async def test_months_begin_in_the_users_zone_unless_another_is_named(insights: InsightsClient, client: Client) -> None:
    far_east = Relations(insights, await client.new_tenant(time_zone="Pacific/Kiritimati"))
    for arguments, zone in (({}, "Pacific/Kiritimati"), ({"time_zone": "Pacific/Niue"}, "Pacific/Niue")):
        summary = await far_east.summary(months=2, **arguments)
        local = summary.as_of_time.ToDatetime(UTC).astimezone(ZoneInfo(zone))
        assert year_of(summary)[-1] == (local.year, local.month)
        assert len(summary.months) == 2


async def test_what_is_planned_is_in_no_month(relations: Relations, book: Book, log: Log) -> None:
    await log.create(await book.create(given_name="Ada"), occur_time=at(seconds=-30))
    summary = await relations.summary(months=1)
    assert (summary.interaction_count, summary.months[0].interaction_count) == (1, 0)
    assert summary.never_contacted_count == 1


async def test_a_cadence_has_passed_when_its_last_day_has_in_the_users_zone(
    insights: InsightsClient, interactions: Any, client: Client, as_superuser: Connection
) -> None:
    zone = "Asia/Kathmandu"
    tenant = await client.new_tenant(time_zone=zone)
    book, log = Book(client, tenant), Log(interactions, tenant)
    midnight = datetime.now(ZoneInfo(zone)).replace(hour=0, minute=0, second=0, microsecond=0)
    on_time, late, without, new = [
        await book.create(given_name=name, keep_in_touch_days=days)
        for name, days in (("Ada", 7), ("Ben", 7), ("Cleo", 0), ("Dan", 7))
    ]
    await log.create(on_time, occur_time=midnight - timedelta(days=7))
    await log.create(late, occur_time=midnight - timedelta(days=7, seconds=1))
    await log.create(without, occur_time=midnight - timedelta(days=70))
    relations = Relations(insights, tenant)
    assert (await relations.summary()).overdue_count == 1
    await as_superuser.execute(
        "UPDATE contacts SET created_at = $2 WHERE user_id = $3::uuid AND id = $1::uuid",
        new.id, midnight - timedelta(days=9), tenant_of(tenant),
    )  # fmt: skip
    assert (await relations.summary()).overdue_count == 2


async def regularly(log: Log, contact: Contact, *days_ago: float, **fields: Any) -> None:
    """Interactions with a contact so many days ago."""
    kind = {"type": EMAIL, **fields}
    await log.create_many(
        *(Interaction(**kind, occur_time=at(days=days), participants=taking_part(contact)) for days in days_ago)
    )


async def test_those_come_first_who_are_quiet_for_the_most_times_as_long_as_usual(
    relations: Relations, book: Book, log: Log
) -> None:
    weekly, monthly, steady, seldom, once, jotted = await book.create_many(
        *({"given_name": name} for name in ("Weekly", "Monthly", "Steady", "Seldom", "Once", "Jotted"))
    )
    await regularly(log, weekly, 40, 47, 54, 61, 68)
    await regularly(log, monthly, 70, 100, 130, 160, 160.001)
    await regularly(log, steady, 5, 12, 19, 26)
    await regularly(log, seldom, 90, 180, 270, 360)
    await regularly(log, once, 100)
    # Notes are no contact, and neither is being spoken of.
    await regularly(log, jotted, 100, 107, 114, 121, type=NOTE)
    summary = await relations.summary()
    assert [each.contact.display_name for each in summary.going_quiet] == ["Weekly", "Monthly"]
    first, second = summary.going_quiet
    assert (first.days_since, first.usual_days) == (40, 7)
    assert (second.days_since, second.usual_days) == (70, 30)
    assert first.last_contact_time.ToDatetime(UTC) == (await book.get(weekly.id)).last_contact_time.ToDatetime(UTC)
    assert [each.contact.id for each in (await relations.summary(top_count=1)).going_quiet] == [weekly.id]


async def test_those_have_improved_whose_computed_strength_grew_since_the_months_began(
    relations: Relations, book: Book, log: Log, as_superuser: Connection
) -> None:
    new, grown, faded, pinned, hidden, gone = await book.create_many(
        *({"given_name": name} for name in ("New", "Grown", "Faded", "Pinned", "Hidden", "Gone"))
    )
    await book.update(pinned.id, "relationship_strength", relationship_strength=10)
    await regularly(log, faded, 400, 410, 420, type=MEETING)
    await regularly(log, grown, 0.01, 0.02, 0.03, 390, type=MEETING, direction=MUTUAL)
    for each in (new, hidden, gone):
        await regularly(log, each, *(n / 1000 for n in range(9)), type=MEETING, direction=MUTUAL)
    await restrict(as_superuser, book.tenant, hidden.id)
    await book.delete(gone.id)
    summary = await relations.summary(months=12)
    assert [each.contact.display_name for each in summary.most_improved] == ["New", "Grown"]
    first = summary.most_improved[0]
    assert first.strength_before == 1
    assert first.strength_now == (await book.get(new.id)).relationship_strength
    begin = datetime(summary.months[0].year, summary.months[0].month, 1, tzinfo=UTC)
    for improved in summary.most_improved:
        before, now = [
            await relations.explain(improved.contact.id, as_of_time=moment) for moment in (begin, summary.as_of_time)
        ]
        assert (before.computed_strength, now.computed_strength) == (improved.strength_before, improved.strength_now)
    assert len((await relations.summary(top_count=1)).most_improved) == 1


async def test_interactions_with_restricted_contacts_alone_are_in_no_count(
    relations: Relations, book: Book, log: Log, as_superuser: Connection
) -> None:
    ada, ben = await book.create(given_name="Ada"), await book.create(given_name="Ben")
    await link(book, ada.id, ben.id)
    for who in ((ada,), (ben,), (ada, ben), ()):
        await log.create(*who, occur_time=at(seconds=1))
    await log.create(Participant(contact_id=ada.id, role=kinds.PARTICIPANT_ROLE_SENDER))
    before = await relations.summary(months=1)
    assert (before.contact_count, before.interaction_count, before.link_count) == (2, 5, 1)
    await restrict(as_superuser, book.tenant, ada.id)
    after = await relations.summary(months=1)
    assert (after.contact_count, after.interaction_count, after.link_count) == (1, 3, 0)
    [month] = after.months
    assert (month.interaction_count, month.contact_count, month.new_contact_count) == (3, 1, 1)
    await book.delete(ben.id)
    # What a deleted contact took part in remains, until it is purged.
    assert (await relations.summary()).interaction_count == 3


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"months": -1}, "months"),
        ({"months": 121}, "months"),
        ({"top_count": -1}, "top_count"),
        ({"top_count": 101}, "top_count"),
        ({"time_zone": "Mars/Base"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
    ],
)
async def test_bad_fields_are_named(relations: Relations, arguments: dict[str, Any], field: str) -> None:
    refused = await failure(relations.summary(**arguments))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]


async def test_the_most_that_can_be_asked_for_is_answered(relations: Relations) -> None:
    assert len((await relations.summary(months=120, top_count=100)).months) == 120
