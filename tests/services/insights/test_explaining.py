"""A strength taken apart: parts that add up, the interactions behind them, the number computed anew out of these."""

from __future__ import annotations

import math
import random
import re
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import grpc
import pytest
from pmcrm.insights.v1 import relationship_service_pb2 as pb
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from tests.postgres import Connection
from tests.services.contacts.calls import Book, random_id
from tests.services.contacts.merge_calls import merge
from tests.services.insights.conftest import InsightsClient
from tests.services.insights.relationship_calls import Relations, restrict
from tests.services.interactions.interaction_calls import Log, at, taking_part
from tests.suite import Metadata, failure

MEETING, EMAIL, CALL, NOTE = (
    kinds.INTERACTION_TYPE_MEETING,
    kinds.INTERACTION_TYPE_EMAIL,
    kinds.INTERACTION_TYPE_CALL,
    kinds.INTERACTION_TYPE_NOTE,
)
INBOUND, OUTBOUND, MUTUAL = (
    kinds.INTERACTION_DIRECTION_INBOUND,
    kinds.INTERACTION_DIRECTION_OUTBOUND,
    kinds.INTERACTION_DIRECTION_MUTUAL,
)
NO_SIDE = kinds.INTERACTION_DIRECTION_UNSPECIFIED
ROLES = (kinds.PARTICIPANT_ROLE_UNSPECIFIED, kinds.PARTICIPANT_ROLE_SENDER, kinds.PARTICIPANT_ROLE_MENTIONED)
FACTORS = (pb.STRENGTH_FACTOR_INTERACTIONS, pb.STRENGTH_FACTOR_DIVERSITY, pb.STRENGTH_FACTOR_RECIPROCITY)

# As the documentation lists them.
WEIGHTS = {"MEETING": "5", "CALL": "4", "GIFT": "4", "EVENT": "3", "EMAIL": "1", "MESSAGE": "1", "OTHER": "1"}
TIMES = {"MUTUAL": "1.25", "INBOUND": "1", "OUTBOUND": "0.75"}


@pytest.fixture
def relations(insights: InsightsClient, alice: Metadata) -> Relations:
    """What Alice's network tells."""
    return Relations(insights, alice)


@pytest.fixture
def bobs_relations(insights: InsightsClient, bob: Metadata) -> Relations:
    """What Bob's network tells."""
    return Relations(insights, bob)


def exact(value: float) -> Decimal:
    """The decimal of six places for which a number stands."""
    return Decimal(repr(round(value, 6)))


def rounded(value: Decimal) -> Decimal:
    return value.quantize(Decimal("0.000001"), ROUND_HALF_UP)


def strength_of(score: Decimal) -> int:
    return round(1 + 9 * (1 - math.exp(-float(score) / 25)))


def test_the_documented_example() -> None:
    assert strength_of(Decimal("9.568484")) == 4


async def test_it_is_recomputable_from_its_interactions(relations: Relations, book: Book, log: Log) -> None:
    made_up = random.Random(6)
    ada = await book.create(given_name="Ada", organization_name="Engines")
    wanted = [
        Interaction(
            type=made_up.choice([*WEIGHTS, "NOTE"]).join(("INTERACTION_TYPE_", "")),
            direction=made_up.choice((NO_SIDE, INBOUND, OUTBOUND, MUTUAL)),
            occur_time=at(days=made_up.uniform(-20, 800)),
            participants=[Participant(contact_id=ada.id, role=made_up.choice(ROLES))],
        )
        for _ in range(60)
    ]
    known = {each.id: each for each in await log.create_many(*wanted)}
    answer = await relations.explain(ada.id, page_size=1000)
    as_of = answer.as_of_time.ToDatetime(UTC)

    counted = []
    for interaction_id, each in known.items():
        kind = kinds.InteractionType.Name(each.type).removeprefix("INTERACTION_TYPE_")
        occurred = each.occur_time.ToDatetime(UTC)
        mentioned = each.participants[0].role == kinds.PARTICIPANT_ROLE_MENTIONED
        if kind == "NOTE" or mentioned or not as_of - timedelta(days=720) < occurred <= as_of:
            continue
        side = kinds.InteractionDirection.Name(each.direction).removeprefix("INTERACTION_DIRECTION_")
        decay = rounded(Decimal(0.5 ** ((as_of - occurred).total_seconds() / (90 * 86400))))
        weight = Decimal(WEIGHTS[kind]) * Decimal(TIMES.get(side, "1"))
        counted.append((occurred, interaction_id, kind, side, weight, decay))
    counted.sort(reverse=True)
    ways: dict[str, Any] = {}
    sides: dict[str, Any] = {}
    for row in counted:
        ways.setdefault(row[2], row)
        for side in ("INBOUND", "OUTBOUND"):
            if row[3] in (side, "MUTUAL"):
                sides.setdefault(side, row)
    expected = [(FACTORS[0], row[1], row[4], row[5]) for row in counted]
    expected += [(FACTORS[1], row[1], Decimal(2), row[5]) for row in list(ways.values())[1:]]
    if len(sides) == 2:
        for row in {row[1]: row for row in sides.values()}.values():
            times = Decimal(sum(other[1] == row[1] for other in sides.values()))
            expected.append((FACTORS[2], row[1], times, row[5]))

    found = [(each.factor, each.interaction_id, exact(each.weight), exact(each.decay)) for each in answer.contributions]
    assert sorted(map(str, found)) == sorted(str((f, i, exact(float(w)), exact(float(d)))) for f, i, w, d in expected)
    values = {factor: sum((rounded(w * d) for f, _, w, d in expected if f == factor), Decimal()) for factor in FACTORS}
    assert [(part.factor, exact(part.value)) for part in answer.parts] == [
        (factor, exact(float(value))) for factor, value in values.items()
    ]
    score = sum(values.values(), Decimal())
    assert exact(answer.score) == exact(float(score))
    assert answer.computed_strength == answer.strength == strength_of(score)
    assert (await book.get(ada.id)).relationship_strength == answer.strength
    assert (answer.contact.id, answer.contact.display_name, answer.contact.organization) == (ada.id, "Ada", "Engines")
    assert answer.formula_version == "1"


async def test_it_is_recomputable_as_the_documentation_says(relations: Relations, book: Book, log: Log) -> None:
    text = (Path(__file__).parents[3] / "docs" / "relationship-strength.md").read_text(encoding="utf-8")
    [example] = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    documented: dict[str, Any] = {}
    exec(example, documented)  # noqa: S102 - our own documentation
    ada = await book.create(given_name="Ada")
    for days in range(1, 30, 3):
        await log.create(ada, type=MEETING, direction=OUTBOUND, occur_time=at(days=days, hours=days))
        await log.create(ada, type=EMAIL, direction=INBOUND, occur_time=at(days=2 * days, hours=days))
    contributions = await relations.contributions(ada.id, page_size=7)
    strength = (await book.get(ada.id)).relationship_strength
    assert documented["recomputed"](contributions) == strength > 5
    for each in contributions:
        assert exact(each.value) == rounded(Decimal(str(each.weight)) * Decimal(str(each.decay)))


async def test_the_parts_add_up_and_say_in_words_what_they_are(relations: Relations, book: Book, log: Log) -> None:
    ada = await book.create(given_name="Ada")
    await log.create(ada, type=EMAIL, direction=INBOUND, occur_time=at(days=10))
    await log.create(ada, type=MEETING, direction=MUTUAL, occur_time=at(days=30))
    answer = await relations.explain(ada.id)
    assert [part.factor for part in answer.parts] == list(FACTORS)
    assert [part.interaction_count for part in answer.parts] == [2, 1, 2]
    assert answer.contribution_count == len(answer.contributions) == 5
    assert sum(exact(part.value) for part in answer.parts) == exact(answer.score)
    for part in answer.parts:
        behind = [each for each in answer.contributions if each.factor == part.factor]
        assert sum(exact(each.value) for each in behind) == exact(part.value)
        assert len(behind) == part.interaction_count
    assert [part.description for part in answer.parts] == [
        "2 interactions, each by its type and direction, the less the longer ago",
        "1 more way of being in touch than one",
        "Both sides write, call or invite",
    ]


async def test_of_nobody_was_heard_there_is_nothing_to_add(relations: Relations, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    answer = await relations.explain(ada.id)
    assert (answer.score, answer.strength, answer.contribution_count, answer.next_page_token) == (0, 1, 0, "")
    assert [(part.value, part.interaction_count) for part in answer.parts] == [(0, 0)] * 3
    assert all(part.description for part in answer.parts)


async def test_a_strength_set_by_hand_is_in_force(relations: Relations, book: Book, log: Log) -> None:
    ada = await book.create(given_name="Ada", relationship_strength=9)
    await log.create(ada, type=CALL)
    answer = await relations.explain(ada.id)
    assert (answer.strength, answer.pinned, answer.computed_strength) == (9, True, 2)


async def test_pages_hold_each_contribution_once_newest_first(relations: Relations, book: Book, log: Log) -> None:
    ada = await book.create(given_name="Ada")
    moment = at(days=3)
    kept = [MEETING, EMAIL, CALL]
    await log.create_many(
        *(
            Interaction(type=kept[i % 3], direction=MUTUAL, occur_time=moment, participants=taking_part(ada))
            for i in range(7)
        )
    )
    whole = await relations.explain(ada.id, page_size=1000)
    assert whole.contribution_count == len(whole.contributions) == 7 + 2 + 1
    as_of = whole.as_of_time
    for size in (1, 3, 9, 10):
        assert await relations.contributions(ada.id, page_size=size, as_of_time=as_of) == list(whole.contributions)
    skipped = await relations.explain(ada.id, page_size=3, skip=4, as_of_time=as_of)
    assert list(skipped.contributions) == list(whole.contributions[4:7])


async def test_later_pages_are_for_the_moment_of_the_first(relations: Relations, book: Book, log: Log) -> None:
    ada = await book.create(given_name="Ada")
    for days in (1, 2, 3):
        await log.create(ada, occur_time=at(days=days))
    first = await relations.explain(ada.id, page_size=2)
    await log.create(ada, type=MEETING)
    second = await relations.explain(ada.id, page_size=2, page_token=first.next_page_token)
    assert second.as_of_time == first.as_of_time
    assert second.score == first.score
    assert len(second.contributions) == 1
    assert (await relations.explain(ada.id)).score > first.score


async def test_it_can_be_asked_for_another_moment(relations: Relations, book: Book, log: Log) -> None:
    ada = await book.create(given_name="Ada")
    await log.create(ada, type=MEETING, occur_time=at(days=100))
    planned = await log.create(ada, type=CALL, direction=MUTUAL, occur_time=at(days=-10))
    past = await relations.explain(ada.id, as_of_time=at(days=101))
    assert (past.score, past.contribution_count) == (0, 0)
    now, later = await relations.explain(ada.id), await relations.explain(ada.id, as_of_time=at(days=-11))
    assert planned.id not in {each.interaction_id for each in now.contributions}
    assert planned.id in {each.interaction_id for each in later.contributions}
    much_later = await relations.explain(ada.id, as_of_time=at(days=-360))
    assert 0 < much_later.score < now.score + later.score
    assert (await relations.explain(ada.id, as_of_time=datetime(1, 1, 1, tzinfo=UTC))).score == 0


async def test_the_id_of_a_merged_contact_stands_for_the_survivor(relations: Relations, book: Book, log: Log) -> None:
    ada, twin = await book.create(given_name="Ada"), await book.create(given_name="Ada L")
    await log.create(twin, type=MEETING)
    await merge(book, ada.id, twin.id)
    by_old, by_new = await relations.explain(twin.id), await relations.explain(ada.id)
    assert by_old.contact == by_new.contact
    assert by_old.contact.id == ada.id
    assert by_old.contribution_count == 1


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ({"contact_id": "ada"}, "contact_id"),
        ({"contact_id": ""}, "contact_id"),
        ({"as_of_time": at(days=-367)}, "as_of_time"),
        ({"page_size": -1}, "page_size"),
        ({"skip": -1}, "skip"),
        ({"skip": 100_001}, "skip"),
    ],
)
async def test_bad_fields_are_named(relations: Relations, arguments: dict[str, Any], field: str) -> None:
    refused = await failure(relations.explain(**{"contact_id": random_id(), **arguments}))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [field]


async def test_a_token_is_for_the_same_arguments(relations: Relations, book: Book, log: Log) -> None:
    ada, ben = await book.create(given_name="Ada"), await book.create(given_name="Ben")
    for _ in range(3):
        await log.create(ada, ben)
    token = (await relations.explain(ada.id, page_size=1)).next_page_token
    for arguments in (
        {"contact_id": ben.id, "page_token": token},
        {"contact_id": ada.id, "page_token": token, "as_of_time": at(days=1)},
        {"contact_id": ada.id, "page_token": "x"},
    ):
        assert (await failure(relations.explain(**arguments))).reason == "PAGE_TOKEN_INVALID"


async def test_contacts_that_are_not_there_are_not_found(relations: Relations, book: Book) -> None:
    gone = await book.create(given_name="Ada")
    await book.delete(gone.id)
    for contact_id in (gone.id, random_id()):
        refused = await failure(relations.explain(contact_id))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
        assert refused.metadata["id"] == contact_id


async def test_of_restricted_contacts_nothing_is_told(
    relations: Relations, book: Book, log: Log, as_superuser: Connection
) -> None:
    ada, ben = await book.create(given_name="Ada"), await book.create(given_name="Ben")
    twin = await book.create(given_name="Ada L")
    await merge(book, ada.id, twin.id)
    together = await log.create(ada, ben)
    await restrict(as_superuser, book.tenant, ada.id)
    for contact_id in (ada.id, twin.id):
        refused = await failure(relations.explain(contact_id))
        assert (refused.code, refused.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "PROCESSING_RESTRICTED")
    # What another one shared with it is that one's as well.
    assert [each.interaction_id for each in (await relations.explain(ben.id)).contributions] == [together.id]
