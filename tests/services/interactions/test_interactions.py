"""Creating, reading, deleting and bringing back interactions: what is stored, and each failure that is promised."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.interactions.v1 import interaction_pb2 as kinds
from pmcrm.interactions.v1.interaction_pb2 import Interaction, Participant

from services.interactions import interaction_limits as limits
from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.integration_calls import Accounts
from tests.services.interactions.interaction_calls import CALL, Log, at
from tests.suite import failure, new_request_id, tenant_of

WHOLE: dict[str, Any] = {
    "type": kinds.INTERACTION_TYPE_MEETING,
    "direction": kinds.INTERACTION_DIRECTION_MUTUAL,
    "occur_time": datetime(2024, 2, 29, 12, 30, 15, 123456, tzinfo=UTC),
    "duration": timedelta(minutes=45, microseconds=7),
    "subject": "Lunch",
    "body": "Talked about the move.\nHer brother helps.",
    "location": "Café Central",
    "channel": "in person",
    "sentiment": kinds.Sentiment(score=0.25),
    "topics": ["move", "brother"],
    "language": "en",
    "custom_fields": {"cost": 12.5, "guests": ["Ada", None]},
    "source_uid": "<1@example.org>",
    "thread_uid": "thread-1",
}

CONTRACT = (Path(__file__).parents[3] / "protos/pmcrm/interactions/v1/interaction.proto").read_text(encoding="utf-8")


@pytest.fixture
def accounts(interactions: InteractionsClient, log: Log) -> Accounts:
    return Accounts(interactions, log.tenant)


def test_the_limits_are_those_that_the_contract_states() -> None:
    rows = re.findall(r"^// \| ([^|]+?) +\| ([^|]+?) +\|$", CONTRACT, re.MULTILINE)
    stated = {what: [int(n.replace(" ", "")) for n in re.findall(r"\d+(?: \d{3})*", limit)] for what, limit in rows}
    assert stated["subject"] == [limits.SUBJECT]
    assert stated["body"] == [limits.BODY]
    assert stated["location"] == [limits.LOCATION]
    assert stated["channel"] == [limits.CHANNEL]
    assert stated["participants"] == [limits.PARTICIPANTS]
    assert stated["topics"] == [limits.TOPICS, limits.TOPIC]
    assert stated["duration"] == [0, limits.LONGEST.days]
    assert stated["language"] == [47, limits.LANGUAGE]
    assert stated["source_uid, thread_uid"] == [limits.SOURCE_UID] == [limits.THREAD_UID]
    assert stated["interactions in one batch"] == [limits.BATCH]


async def test_what_is_created_is_what_is_read(log: Log, book: Book, accounts: Accounts) -> None:
    ada, ben = await book.create(given_name="Ada", organization_name="Engines"), await book.create(given_name="Ben")
    integration = await accounts.create()
    who = [
        Participant(contact_id=ben.id, role=kinds.PARTICIPANT_ROLE_ORGANIZER),
        Participant(contact_id=ada.id, role=kinds.PARTICIPANT_ROLE_ATTENDEE),
    ]
    made = await log.create(*who, integration_id=integration.id, **WHOLE)
    assert await log.get(made.id) == made
    for field in WHOLE:
        if field != "sentiment":
            expected = Interaction(**{field: WHOLE[field]})
            assert getattr(made, field) == getattr(expected, field), field
    assert made.sentiment == kinds.Sentiment(
        score=0.25, label=kinds.SENTIMENT_LABEL_POSITIVE, source=kinds.ANALYSIS_SOURCE_GIVEN
    )
    assert made.topics_source == kinds.ANALYSIS_SOURCE_GIVEN
    assert made.integration_id == integration.id
    shown = [(p.contact_id, p.role, p.contact.display_name, p.contact.organization) for p in made.participants]
    assert shown == [
        (ben.id, kinds.PARTICIPANT_ROLE_ORGANIZER, "Ben", ""),
        (ada.id, kinds.PARTICIPANT_ROLE_ATTENDEE, "Ada", "Engines"),
    ]
    assert made.etag
    assert made.create_time == made.update_time
    assert not made.HasField("delete_time")
    masked = await log.get(made.id, "subject", "sentiment.score")
    assert masked == Interaction(id=made.id, subject="Lunch", sentiment=kinds.Sentiment(score=0.25))


async def test_what_is_not_given_is_unset_and_happened_now(log: Log) -> None:
    made = await log.create(type=kinds.INTERACTION_TYPE_NOTE)
    assert made.occur_time == made.create_time
    assert {field.name for field, _ in made.ListFields()} == {
        *("id", "type", "occur_time", "create_time", "update_time", "etag")
    }


async def test_texts_are_normalised(log: Log) -> None:
    made = await log.create(subject="  Cafe\u0301 ", body=" a\r\nb ", topics=[" one", "two", "one "], channel=" zoom")
    assert (made.subject, made.body, made.channel) == ("Café", " a\nb ", "zoom")
    assert list(made.topics) == ["one", "two"]


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "no type": ({"type": 0}, "interaction.type"),
    "an unknown type": ({"type": 77}, "interaction.type"),
    "an unknown direction": ({"direction": 77}, "interaction.direction"),
    "a long subject": ({"subject": "x" * (limits.SUBJECT + 1)}, "interaction.subject"),
    "a subject of two lines": ({"subject": "a\nb"}, "interaction.subject"),
    "a long body": ({"body": "x" * (limits.BODY + 1)}, "interaction.body"),
    "a body with a NUL": ({"body": "a\0b"}, "interaction.body"),
    "a long location": ({"location": "x" * (limits.LOCATION + 1)}, "interaction.location"),
    "a long channel": ({"channel": "x" * (limits.CHANNEL + 1)}, "interaction.channel"),
    "too many topics": ({"topics": [str(i) for i in range(limits.TOPICS + 1)]}, "interaction.topics"),
    "a long topic": ({"topics": ["x", "x" * (limits.TOPIC + 1)]}, "interaction.topics[1]"),
    "an empty topic": ({"topics": [" "]}, "interaction.topics[0]"),
    "a negative duration": ({"duration": Duration(seconds=-1)}, "interaction.duration"),
    "a duration below zero by a nanosecond": ({"duration": Duration(nanos=-1)}, "interaction.duration"),
    "a long duration": ({"duration": Duration(seconds=31 * 86400, nanos=1)}, "interaction.duration"),
    "a time before the year 1": ({"occur_time": Timestamp(seconds=-70_000_000_000)}, "interaction.occur_time"),
    "a score beyond 1": ({"sentiment": kinds.Sentiment(score=1.5)}, "interaction.sentiment.score"),
    "a score that is no number": ({"sentiment": kinds.Sentiment(score=float("nan"))}, "interaction.sentiment.score"),
    "an unknown label": ({"sentiment": kinds.Sentiment(label=9)}, "interaction.sentiment.label"),  # type: ignore[arg-type]
    "no language": ({"language": "English!"}, "interaction.language"),
    "a long source_uid": ({"source_uid": "x" * (limits.SOURCE_UID + 1)}, "interaction.source_uid"),
    "a long thread_uid": ({"thread_uid": "x" * (limits.THREAD_UID + 1)}, "interaction.thread_uid"),
    "an integration that is no UUID": ({"integration_id": "me"}, "interaction.integration_id"),
    "custom fields that JSON has not": ({"custom_fields": {"a": float("inf")}}, "interaction.custom_fields"),
    "a participant that is nobody": ({"participants": [Participant()]}, "interaction.participants[0]"),
    "a participant that is no UUID": (
        {"participants": [Participant(contact_id="Ada")]},
        "interaction.participants[0].contact_id",
    ),
    "an unknown role": (
        {"participants": [Participant(contact_id=NOBODY, role=77)]},  # type: ignore[arg-type]
        "interaction.participants[0].role",
    ),
    "a contact named twice": (
        {"participants": [Participant(contact_id=NOBODY), Participant(contact_id=NOBODY.upper())]},
        "interaction.participants[1].contact_id",
    ),
    "a new contact without a name": (
        {"participants": [Participant(new_contact={})]},
        "interaction.participants[0].new_contact",
    ),
}


@pytest.mark.parametrize(("fields", "place"), BAD.values(), ids=BAD)
async def test_a_bad_field_is_named(log: Log, fields: dict[str, Any], place: str) -> None:
    refused = await failure(log.put_new(Interaction(**({"type": CALL} | fields))))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(refused.violations) == [place]
    batch = await failure(log.create_many(Interaction(type=CALL), Interaction(**({"type": CALL} | fields))))
    assert list(batch.violations) == [f"requests[1].{place}"]


async def test_so_much_as_the_limits_allow_is_stored(log: Log) -> None:
    made = await log.create(
        subject="é" * limits.SUBJECT,
        body="é" * limits.BODY,
        topics=[f"{i:0100}" for i in range(limits.TOPICS)],
        duration=limits.LONGEST,
        occur_time=datetime(1, 1, 1, tzinfo=UTC),
    )
    assert (len(made.body), len(made.topics), made.duration.ToTimedelta()) == (limits.BODY, 50, limits.LONGEST)
    assert made.occur_time.ToDatetime().year == 1
    late = await log.create(occur_time=datetime(9999, 12, 31, tzinfo=UTC))
    assert late.occur_time.ToDatetime().year == 9999


async def test_an_interaction_that_is_not_there_is_not_found(log: Log) -> None:
    for call in (log.get(NOBODY), log.update(NOBODY, subject="x"), log.delete(NOBODY), log.undelete(NOBODY)):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "INTERACTION_NOT_FOUND")
        assert refused.metadata == {"id": NOBODY}
    for call in (log.get("x"), log.update("x", subject="x"), log.delete("x"), log.undelete("x"), log.get(NOBODY, "x")):
        assert (await failure(call)).reason == "FIELD_INVALID"


async def test_a_deleted_interaction_is_hidden_and_comes_back(log: Log, book: Book) -> None:
    made = await log.create(await book.create(given_name="Ada"), subject="Lunch")
    deleted = await log.delete(made.id)
    assert deleted.purge_time.ToDatetime() - deleted.delete_time.ToDatetime() == timedelta(days=90)
    assert await log.get(made.id) == deleted
    assert await log.subjects() == []
    assert await log.subjects(show_deleted=True) == ["Lunch"]
    assert (await failure(log.delete(made.id))).reason == "INTERACTION_NOT_FOUND"
    assert (await failure(log.update(made.id, subject="x"))).reason == "INTERACTION_NOT_FOUND"
    assert await log.delete(made.id, allow_missing=True) == deleted
    assert await log.delete(NOBODY, allow_missing=True) == Interaction()

    restored = await log.undelete(made.id)
    assert not restored.HasField("delete_time")
    assert restored.participants == made.participants
    assert await log.subjects() == ["Lunch"]
    refused = await failure(log.undelete(made.id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "INTERACTION_NOT_DELETED")


async def test_a_stale_etag_stops_deleting_and_undeleting(log: Log) -> None:
    made = await log.create()
    changed = await log.update(made.id, subject="x")
    assert (await failure(log.delete(made.id, etag=made.etag))).reason == "ETAG_MISMATCH"
    deleted = await log.delete(made.id, etag=changed.etag)
    assert (await failure(log.undelete(made.id, etag=changed.etag))).reason == "ETAG_MISMATCH"
    assert (await log.undelete(made.id, etag=deleted.etag)).id == made.id


async def test_a_source_uid_is_one_living_interactions(log: Log) -> None:
    made, other = await log.create(source_uid="1"), await log.create(source_uid="2")
    for call in (log.create(source_uid="1"), log.update(other.id, source_uid="1")):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.ALREADY_EXISTS, "INTERACTION_SOURCE_TAKEN")
    await log.delete(made.id)
    await log.create(source_uid="1")
    assert (await failure(log.undelete(made.id))).reason == "INTERACTION_SOURCE_TAKEN"
    twice = await failure(log.create_many(*(Interaction(type=CALL, source_uid="3") for _ in range(2))))
    assert twice.reason == "INTERACTION_SOURCE_TAKEN"


async def test_an_integration_must_be_the_tenants_and_living(log: Log, accounts: Accounts) -> None:
    integration = await accounts.create()
    made = await log.create(integration_id=integration.id)
    await accounts.delete(integration.id)
    for call in (
        log.create(integration_id=NOBODY),
        log.create(integration_id=integration.id),
        log.update(made.id, integration_id=NOBODY),
        log.create_many(Interaction(type=CALL, integration_id=NOBODY)),
    ):
        refused = await failure(call)
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "INTEGRATION_NOT_FOUND")
    assert (await log.update(made.id, subject="Lunch")).integration_id == integration.id, "what it brought stays"


async def test_a_repeat_by_request_id_changes_nothing(log: Log, book: Book) -> None:
    ids = [new_request_id() for _ in range(5)]
    new = Participant(new_contact={"given_name": "Ada"})

    async def all_calls() -> list[Any]:
        made = await log.create(new, subject="Lunch", request_id=ids[0])
        changed = await log.update(made.id, subject="Dinner", request_id=ids[1])
        deleted = await log.delete(made.id, request_id=ids[2])
        restored = await log.undelete(made.id, request_id=ids[3])
        batch = await log.create_many(Interaction(type=CALL, participants=[new]), request_id=ids[4])
        return [made, changed, deleted, restored, *batch]

    assert await all_calls() == await all_calls()
    assert len(await book.names()) == 2
    assert len(await log.subjects()) == 2
    for call in (
        log.create(subject="Other", request_id=ids[0]),
        log.update(NOBODY, subject="x", request_id=ids[1]),
        log.delete(NOBODY, request_id=ids[2]),
        log.undelete(NOBODY, request_id=ids[3]),
        log.create_many(Interaction(type=CALL), request_id=ids[4]),
    ):
        assert (await failure(call)).reason == "REQUEST_ID_REUSED"


async def test_a_batch_is_made_in_order_all_or_none(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada")
    new = Participant(new_contact={"given_name": "New"})
    wanted = [
        Interaction(type=CALL, subject=str(i), participants=[Participant(contact_id=ada.id), new]) for i in range(30)
    ]
    made = await log.create_many(*wanted)
    assert [each.subject for each in made] == [str(i) for i in range(30)]
    assert all(len(each.participants) == 2 for each in made)
    assert len({each.participants[1].contact_id for each in made}) == 30, "each has a new contact of its own"
    assert [each.id for each in made] == sorted(each.id for each in made)

    before = (len(await book.names()), len(await log.subjects()))
    bad = Interaction(type=CALL, participants=[Participant(contact_id=NOBODY)])
    refused = await failure(log.create_many(*wanted, bad))
    assert (refused.reason, refused.metadata) == ("CONTACT_NOT_FOUND", {"id": NOBODY})
    assert (len(await book.names()), len(await log.subjects())) == before
    for requests in ([], [Interaction(type=CALL)] * (limits.BATCH + 1)):
        assert list((await failure(log.create_many(*requests))).violations) == ["requests"]


async def test_writes_are_audited_with_what_changed_and_without_what_was_computed(
    log: Log, book: Book, as_superuser: Connection
) -> None:
    ada, ben = await book.create(given_name="Ada"), await book.create(given_name="Ben")
    made = await log.create(ada, subject="Lunch", body="We had a wonderful, lovely time together in the garden.")
    await log.update(made.id, subject="Dinner", body="It was terrible and sad, we argued about the money.")
    await log.update(made.id, "participants", participants=[Participant(contact_id=ben.id)])
    await log.delete(made.id)
    rows = await as_superuser.fetch(
        "SELECT table_name, action, subject_id::text, old_values, new_values FROM audit_logs "
        "WHERE user_id = $1 AND table_name LIKE 'interaction%' ORDER BY at",
        tenant_of(log.tenant),
    )
    assert [tuple(row)[:3] for row in rows] == [
        ("interactions", "INSERT", made.id),
        ("interaction_participants", "INSERT", ada.id),
        ("interactions", "UPDATE", made.id),
        ("interaction_participants", "DELETE", ada.id),
        ("interaction_participants", "INSERT", ben.id),
        ("interactions", "UPDATE", made.id),
    ]
    assert rows[2]["old_values"].keys() == rows[2]["new_values"].keys() == {"subject", "body"}
    assert rows[2]["new_values"]["subject"] == "Dinner"
    assert rows[5]["new_values"].keys() == {"deleted_at"}


async def test_strength_and_last_contact_follow_in_the_same_call(log: Log, book: Book) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=7)
    made = await log.create(ada, type=kinds.INTERACTION_TYPE_MEETING, occur_time=at(days=2))
    after = await book.get(ada.id)
    assert after.relationship_strength > 1
    assert after.last_contact_time == made.occur_time
    assert after.next_contact_time.ToDatetime() == made.occur_time.ToDatetime() + timedelta(days=7)
    assert (after.etag, after.update_time) == (ada.etag, ada.update_time)
    await log.delete(made.id)
    assert await book.get(ada.id) == ada
    await log.undelete(made.id)
    assert await book.get(ada.id) == after
