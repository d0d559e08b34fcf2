"""ClaimDueReminders and AckReminders: what is handed out when, to whom, and what became of it."""

from __future__ import annotations

import asyncio
import uuid
from datetime import timedelta
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.duration_pb2 import Duration
from pmcrm.interactions.v1 import reminder_service_pb2 as pb

from services.interactions.service import SERVICE as INTERACTIONS
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book, random_id
from tests.services.interactions.conftest import InteractionsClient
from tests.services.interactions.reminder_calls import (
    KEEP_IN_TOUCH,
    Dispatching,
    Reminding,
    in_utc,
    leads,
    local,
    when,
)
from tests.suite import Metadata, failure, new_request_id, running, settings_for, tenant_of

SENT, RETRY, FAILED = (
    pb.ReminderDelivery.REMINDER_DELIVERY_SENT,
    pb.ReminderDelivery.REMINDER_DELIVERY_RETRY,
    pb.ReminderDelivery.REMINDER_DELIVERY_FAILED,
)
ACCEPTED, LOST, BEFORE, UNKNOWN = (
    pb.ReminderAckOutcome.Value(f"REMINDER_ACK_OUTCOME_{name}")
    for name in ("ACCEPTED", "LEASE_LOST", "ALREADY_ACKNOWLEDGED", "LEASE_UNKNOWN")
)


@pytest.fixture
def reminding(interactions: InteractionsClient, alice: Metadata) -> Reminding:
    return Reminding(interactions, alice)


@pytest.fixture
def bobs_reminders(interactions: InteractionsClient, bob: Metadata) -> Reminding:
    return Reminding(interactions, bob)


@pytest_asyncio.fixture
async def dispatching(interactions: InteractionsClient, as_superuser: Connection) -> Dispatching:
    """Nothing of earlier tests is due."""
    await as_superuser.execute("DELETE FROM reminders")
    return Dispatching(interactions)


def outcomes(results: list[pb.ReminderAckResult]) -> list[int]:
    return [result.outcome for result in results]


async def end_leases(conn: Connection) -> None:
    """Lets time pass until every lease and every pause has ended."""
    await conn.execute("UPDATE reminder_notifications SET available_at = notify_at WHERE available_at > now()")
    await conn.execute("UPDATE reminder_leases SET expires_at = now() WHERE expires_at > now()")


async def test_what_is_due_is_handed_out_once_the_longest_due_first(
    dispatching: Dispatching, reminding: Reminding, bobs_reminders: Reminding
) -> None:
    later = await reminding.due(seconds=-10)
    earlier = await bobs_reminders.due(seconds=-20)
    await reminding.due(seconds=3600)
    claimed = await dispatching.claim(lease_seconds=30)
    assert [due.reminder.id for due in claimed] == [earlier.id, later.id]
    assert [due.user_id for due in claimed] == [tenant_of(bobs_reminders.tenant), tenant_of(reminding.tenant)]
    for due, made in zip(claimed, (earlier, later), strict=True):
        assert due.reminder == made
        assert due.occurrence_time == due.notify_time == made.next_due_time
        assert due.attempt == 1
        assert timedelta(seconds=25) < when(due.lease_expire_time) - in_utc() < timedelta(seconds=35)
    assert await dispatching.claim() == []


async def test_a_batch_holds_the_longest_due_of_all_tenants(
    dispatching: Dispatching, reminding: Reminding, bobs_reminders: Reminding
) -> None:
    """Also where one reminder has several notifications."""
    both = leads(timedelta(0), timedelta(hours=1))
    hers = await reminding.due(seconds=-10, notification=both)
    his = await bobs_reminders.due(seconds=-60)
    found = [(await dispatching.claim(batch_size=1))[0] for _ in range(3)]
    assert [due.reminder.id for due in found] == [hers.id, his.id, hers.id]
    assert [when(due.occurrence_time) - when(due.notify_time) for due in found] == [
        *(timedelta(hours=1), timedelta(0), timedelta(0)),
    ]


async def test_each_lead_time_of_each_occurrence_is_handed_out_once(
    dispatching: Dispatching, reminding: Reminding
) -> None:
    made = await reminding.create(
        due_local=local(in_utc(hours=2)), rrule="FREQ=DAILY", notification=leads(timedelta(hours=1), timedelta(hours=3))
    )
    [early] = await dispatching.claim()
    assert when(early.notify_time) == when(made.next_due_time) - timedelta(hours=3)
    await dispatching.ack((early.lease_id, SENT))
    assert await dispatching.claim() == []
    found = await reminding.get(made.id)
    assert when(found.next_notify_time) == when(made.next_due_time) - timedelta(hours=1)
    # Neither handing out nor acknowledging is anybody's edit.
    assert (found.etag, found.update_time) == (made.etag, made.update_time)


async def test_a_lease_that_ends_is_handed_out_again(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    await reminding.due()
    [first] = await dispatching.claim()
    await end_leases(as_superuser)
    [second] = await dispatching.claim()
    assert (second.attempt, second.occurrence_time) == (2, first.occurrence_time)
    assert second.lease_id != first.lease_id
    assert outcomes(await dispatching.ack((first.lease_id, SENT), (second.lease_id, SENT))) == [LOST, ACCEPTED]
    await end_leases(as_superuser)
    assert await dispatching.claim() == []


async def test_a_late_acknowledgement_holds_while_nobody_else_has_the_notification(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    await reminding.due()
    [due] = await dispatching.claim()
    await end_leases(as_superuser)
    assert outcomes(await dispatching.ack((due.lease_id, SENT))) == [ACCEPTED]
    assert await dispatching.claim() == []


@pytest.mark.parametrize("delivery", [SENT, RETRY, FAILED])
async def test_a_lease_is_acknowledged_once(dispatching: Dispatching, reminding: Reminding, delivery: int) -> None:
    await reminding.due()
    [due] = await dispatching.claim()
    assert outcomes(await dispatching.ack((due.lease_id, delivery))) == [ACCEPTED]
    assert outcomes(await dispatching.ack((due.lease_id, SENT))) == [BEFORE]


async def test_what_cannot_be_sent_now_comes_again_later_and_what_cannot_be_sent_does_not(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    retried, failed = await reminding.due(title="Retry"), await reminding.due(title="Fail")
    deliveries = {retried.id: RETRY, failed.id: FAILED}
    await dispatching.ack(*((due.lease_id, deliveries[due.reminder.id]) for due in await dispatching.claim()))
    assert await dispatching.claim() == []
    pause = "SELECT available_at - now() FROM reminder_notifications WHERE reminder_id = $1"
    found: timedelta = await as_superuser.fetchval(pause, uuid.UUID(retried.id))
    assert timedelta(seconds=50) < found <= timedelta(minutes=1)
    await end_leases(as_superuser)
    [again] = await dispatching.claim()
    assert (again.reminder.id, again.attempt) == (retried.id, 2)
    # A day after the first attempt it is over.
    await as_superuser.execute(
        "UPDATE reminder_notifications SET first_claimed_at = now() - interval '25 hours' WHERE attempt > 0"
    )
    await dispatching.ack((again.lease_id, RETRY))
    await end_leases(as_superuser)
    assert await dispatching.claim() == []


async def test_leases_of_what_is_gone_are_unknown(dispatching: Dispatching, reminding: Reminding) -> None:
    made = await reminding.due()
    [due] = await dispatching.claim()
    await reminding.delete(made.id)
    unknown = random_id()
    results = await dispatching.ack((due.lease_id, SENT), (unknown, SENT))
    assert [(result.lease_id, result.outcome) for result in results] == [(due.lease_id, UNKNOWN), (unknown, UNKNOWN)]


async def test_completing_between_claim_and_acknowledgement_is_no_loss(
    dispatching: Dispatching, reminding: Reminding
) -> None:
    made = await reminding.due(rrule="FREQ=DAILY")
    [due] = await dispatching.claim()
    done = await reminding.complete(made.id)
    assert outcomes(await dispatching.ack((due.lease_id, RETRY))) == [ACCEPTED]
    found = await reminding.get(made.id)
    assert (found.next_notify_time, found.next_due_time) == (done.next_due_time, done.next_due_time)


async def test_what_is_completed_deleted_muted_or_put_off_is_not_handed_out(
    dispatching: Dispatching, reminding: Reminding
) -> None:
    done, gone, muted, later = [await reminding.due() for _ in range(4)]
    await reminding.complete(done.id)
    await reminding.delete(gone.id)
    await reminding.update(muted.id, "notification.muted", notification={"muted": True})
    await reminding.snooze(later.id, snooze_duration=Duration(seconds=3600))
    assert await dispatching.claim() == []


async def test_what_was_put_off_is_handed_out_again(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    made = await reminding.due()
    [due] = await dispatching.claim()
    await dispatching.ack((due.lease_id, SENT))
    await reminding.snooze(made.id, snooze_duration=Duration(seconds=1))
    await asyncio.sleep(1.1)
    [again] = await dispatching.claim()
    assert (again.occurrence_time, again.attempt) == (due.occurrence_time, 1)
    assert when(again.notify_time) > when(due.notify_time)


async def test_closed_tenants_are_passed_over(
    dispatching: Dispatching, reminding: Reminding, bobs_reminders: Reminding, as_superuser: Connection
) -> None:
    await reminding.due(seconds=-100)
    his = await bobs_reminders.due()
    await as_superuser.execute(
        "UPDATE users SET deleted_at = now() WHERE id = $1", uuid.UUID(tenant_of(reminding.tenant))
    )
    assert [due.reminder.id for due in await dispatching.claim()] == [his.id]


async def test_what_an_interaction_pushed_forward_is_not_handed_out(
    dispatching: Dispatching, reminding: Reminding, book: Book, as_superuser: Connection
) -> None:
    ada = await book.create(given_name="Ada", keep_in_touch_days=1)
    made = await reminding.create(kind=KEEP_IN_TOUCH, contact_ids=[ada.id], due_local="2020-01-01T00:00:00")
    touch = "UPDATE contact_strengths SET last_contact_at = $2 WHERE contact_id = $1"
    await as_superuser.execute(touch, uuid.UUID(ada.id), in_utc(days=-5))
    await as_superuser.execute("UPDATE contacts SET created_at = $2 WHERE id = $1", uuid.UUID(ada.id), in_utc(days=-9))
    # Nobody has read the reminder since: the claim itself finds out that it has become due.
    [due] = await dispatching.claim()
    assert (due.reminder.id, due.occurrence_time) == (made.id, due.notify_time)
    await as_superuser.execute(touch, uuid.UUID(ada.id), in_utc())
    await end_leases(as_superuser)
    assert await dispatching.claim() == []


async def test_a_repeat_gets_the_same_leases_also_when_they_have_ended(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    made = [await reminding.due() for _ in range(3)]
    request_id = new_request_id()
    first = await dispatching.claim(batch_size=2, request_id=request_id)
    assert len(first) == 2
    await end_leases(as_superuser)
    assert await dispatching.claim(batch_size=2, request_id=request_id) == first
    assert (await failure(dispatching.claim(batch_size=3, request_id=request_id))).reason == "REQUEST_ID_REUSED"
    gone = next(one for one in made if one.id == first[0].reminder.id)
    await as_superuser.execute("DELETE FROM reminders WHERE id = $1", uuid.UUID(gone.id))
    again = await dispatching.claim(batch_size=2, request_id=request_id)
    assert [due.lease_id for due in again] == [due.lease_id for due in first]
    assert again[0].reminder.title == ""


async def test_what_is_remembered_of_a_claim_holds_nothing_of_the_reminder(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    await reminding.due(title="a secret errand")
    await dispatching.claim(request_id=new_request_id())
    kept = await as_superuser.fetch("SELECT answer FROM operator_idempotency_keys")
    assert kept
    assert not [row for row in kept if b"secret" in row["answer"]]


async def test_calls_with_one_request_id_at_once_get_one_answer(dispatching: Dispatching, reminding: Reminding) -> None:
    for _ in range(12):
        await reminding.due()
    request_id = new_request_id()
    answers = await asyncio.gather(*(dispatching.claim(batch_size=3, request_id=request_id) for _ in range(4)))
    assert [[due.lease_id for due in answer] for answer in answers] == [[due.lease_id for due in answers[0]]] * 4
    # The leases of the others went back at once.
    rest = await dispatching.claim()
    assert len(answers[0]) + len(rest) == 12


async def test_a_repeated_acknowledgement_has_the_same_outcomes(dispatching: Dispatching, reminding: Reminding) -> None:
    await reminding.due()
    [due] = await dispatching.claim()
    request_id = new_request_id()
    for _ in range(2):
        assert outcomes(await dispatching.ack((due.lease_id, SENT), request_id=request_id)) == [ACCEPTED]
    refused = await failure(dispatching.ack((due.lease_id, RETRY), request_id=request_id))
    assert refused.reason == "REQUEST_ID_REUSED"


async def test_claimers_at_once_share_what_is_due(dispatching: Dispatching, reminding: Reminding) -> None:
    made = {(await reminding.due()).id for _ in range(40)}
    answers = await asyncio.gather(*(dispatching.claim(batch_size=10) for _ in range(8)))
    claimed = [due.reminder.id for answer in answers for due in answer]
    claimed += [due.reminder.id for due in await dispatching.claim()]
    assert sorted(claimed) == sorted(made)


async def test_handing_out_is_not_audited(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    await reminding.due()
    count = "SELECT count(*) FROM audit_logs"
    before = await as_superuser.fetchval(count)
    [due] = await dispatching.claim()
    await dispatching.ack((due.lease_id, SENT))
    assert await as_superuser.fetchval(count) == before


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("batch_size", {"batch_size": -1}),
        ("batch_size", {"batch_size": 1001}),
        ("lease_seconds", {"lease_seconds": -1}),
        ("lease_seconds", {"lease_seconds": 3601}),
        ("claimer", {"claimer": "x" * 201}),
        ("claimer", {"claimer": "a\nb"}),
        ("request_id", {"request_id": "x"}),
    ],
)
async def test_a_malformed_claim_is_refused(dispatching: Dispatching, field: str, arguments: dict[str, Any]) -> None:
    refused = await failure(dispatching.claim(**arguments))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


@pytest.mark.parametrize(
    ("field", "acks"),
    [
        ("acks", []),
        ("acks", [(random_id(), SENT) for _ in range(1001)]),
        ("acks[0].lease_id", [("x", SENT)]),
        ("acks[1].lease_id", [(lease := random_id(), SENT), (lease, SENT)]),
        ("acks[0].delivery", [(random_id(), 0)]),
        ("acks[0].delivery", [(random_id(), 9)]),
    ],
)
async def test_a_malformed_acknowledgement_is_refused(
    dispatching: Dispatching, field: str, acks: list[tuple[str, int]]
) -> None:
    refused = await failure(dispatching.ack(*acks))
    assert (refused.reason, list(refused.violations)) == ("FIELD_INVALID", [field])


async def test_only_operators_claim_and_acknowledge(dispatching: Dispatching, alice: Metadata) -> None:
    for metadata in ((), alice, (("x-operator-key", "not the key"),)):
        for call in (dispatching.claim(metadata), dispatching.ack((random_id(), SENT), metadata=metadata)):
            refused = await failure(call)
            assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED")


async def test_without_a_service_role_there_is_no_dispatch(database: Database) -> None:
    settings = settings_for(database)
    urls = {name: url for name, url in database.urls.items() if name != "service"}
    async with (
        running(INTERACTIONS, settings.with_role_urls(urls)) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        assert (await failure(Dispatching(InteractionsClient(channel)).claim())).reason == "OPERATOR_NOT_CONFIGURED"


async def test_a_reminder_that_cannot_be_scheduled_keeps_nothing_else_from_being_due(
    dispatching: Dispatching, reminding: Reminding, as_superuser: Connection
) -> None:
    broken, sound = await reminding.due(seconds=-100), await reminding.due()
    await as_superuser.execute(
        "UPDATE reminders SET time_zone = 'Atlantis/Capital', fresh_until = '-infinity' WHERE id = $1",
        uuid.UUID(broken.id),
    )
    assert [due.reminder.id for due in await dispatching.claim()] == [sound.id]
    assert (await reminding.get(broken.id)).next_due_local == ""
