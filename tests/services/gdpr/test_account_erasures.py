"""RequestErasure, CancelErasure and GetErasureRequest: one state machine with DeleteUser and UndeleteUser."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime, timedelta

import grpc
import pytest
from dateutil.relativedelta import relativedelta
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.user_pb2 import UserState
from pmcrm.gdpr.v1 import consent_service_pb2 as consents_pb

from tests.postgres import Connection, bound
from tests.services.contacts.test_isolation import without
from tests.services.gdpr.accounts import CANCELLED, GRACE, PENDING, RUNNING, Account, history, let_pass
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client, Metadata, as_operator, failure, new_request_id

REASON = "Ada wants to be forgotten"


@pytest.fixture
def account(client: Client, gdpr: GdprClient, alice: Metadata) -> Account:
    return Account(client, gdpr, alice)


@pytest.fixture
def other(client: Client, gdpr: GdprClient, bob: Metadata) -> Account:
    return Account(client, gdpr, bob)


async def test_a_request_closes_the_account_for_the_grace_period(account, as_superuser):
    before = datetime.now(UTC) - timedelta(seconds=5)
    erasure = await account.request(reason=REASON)
    requested = erasure.request_time.ToDatetime(UTC)
    assert before < requested < datetime.now(UTC) + timedelta(seconds=5)
    assert erasure.user_id == str(account.tenant)
    assert (erasure.contact_id, erasure.state, erasure.legal_hold) == ("", PENDING, False)
    assert history(erasure) == [(PENDING, "requested")]
    assert erasure.deadline_time.ToDatetime(UTC) == requested + relativedelta(months=1)
    assert erasure.erase_after_time.ToDatetime(UTC) == requested + GRACE
    assert not erasure.HasField("receipt")
    assert erasure.etag == "1"
    user = await account.user()
    assert user.state == UserState.USER_STATE_CLOSED
    assert user.purge_time == erasure.erase_after_time
    rows = await as_superuser.fetch(
        "SELECT reason FROM erasure_requests WHERE user_id = $1 AND id = $2", account.tenant, uuid.UUID(erasure.id)
    )
    assert [row["reason"] for row in rows] == [REASON]


async def test_a_closed_account_calls_nothing_but_what_stays_open(account):
    erasure = await account.request()
    refused = [
        account.client.contacts.ListContacts(contacts_pb.ListContactsRequest(), metadata=account.metadata),
        account.gdpr.consents.ListConsents(consents_pb.ListConsentsRequest(), metadata=account.metadata),
        account.request(),
        account.request(reason="again", request_id=new_request_id()),
        account.delete(),
    ]
    for call in refused:
        failed = await failure(call)
        assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "USER_CLOSED")
    assert await account.get() == erasure
    assert (await account.user()).id == str(account.tenant)
    await account.cancel()
    await account.client.contacts.ListContacts(contacts_pb.ListContactsRequest(), metadata=account.metadata)


async def test_deleting_the_user_requests_the_same_erasure(account):
    user = await account.delete()
    erasure = await account.get()
    assert (erasure.state, history(erasure)) == (PENDING, [(PENDING, "user_deleted")])
    assert erasure.request_time == user.delete_time
    assert erasure.erase_after_time == user.purge_time
    assert history(await account.cancel()) == [(PENDING, "user_deleted"), (CANCELLED, "cancelled")]
    assert (await account.user()).state == UserState.USER_STATE_ACTIVE


async def test_undeleting_the_user_cancels_the_erasure(account):
    erasure = await account.request(reason=REASON)
    await account.undelete()
    cancelled = await account.get(id=erasure.id)
    assert history(cancelled) == [(PENDING, "requested"), (CANCELLED, "user_undeleted")]
    assert cancelled.etag != erasure.etag
    assert cancelled.update_time.ToDatetime(UTC) > erasure.update_time.ToDatetime(UTC)
    failed = await failure(account.cancel(id=erasure.id))
    assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERASURE_NOT_PENDING")


async def test_each_request_is_one_of_its_own(account):
    first = await account.request()
    assert (await account.cancel(id=first.id)).state == CANCELLED
    second = await account.request()
    assert second.id != first.id
    assert await account.get() == second
    assert (await account.get(id=first.id)).state == CANCELLED
    failed = await failure(account.cancel(id=first.id))
    assert failed.reason == "ERASURE_NOT_PENDING"
    assert (await account.cancel()).id == second.id


async def test_an_operators_deletion_is_a_request_too(account):
    metadata = as_operator()
    await account.client.users.DeleteUser(users_pb.DeleteUserRequest(id=str(account.tenant)), metadata=metadata)
    assert history(await account.get()) == [(PENDING, "user_deleted")]
    await account.client.users.UndeleteUser(users_pb.UndeleteUserRequest(id=str(account.tenant)), metadata=metadata)
    assert history(await account.get())[-1] == (CANCELLED, "user_undeleted")


async def test_repeats_get_the_first_answer(account):
    request_id = new_request_id()
    erasure = await account.request(reason=REASON, request_id=request_id)
    assert await account.request(reason=REASON, request_id=request_id) == erasure
    failed = await failure(account.request(reason="another", request_id=request_id))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    cancel_id = new_request_id()
    cancelled = await account.cancel(request_id=cancel_id)
    # The account is open, and the repeat closes nothing.
    assert await account.request(reason=REASON, request_id=request_id) == erasure
    assert await account.cancel(request_id=cancel_id) == cancelled
    failed = await failure(account.cancel(id=erasure.id, request_id=cancel_id))
    assert failed.reason == "REQUEST_ID_REUSED"
    assert (await account.user()).state == UserState.USER_STATE_ACTIVE


async def test_nothing_to_cancel_is_not_found(account):
    failed = await failure(account.cancel())
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "ERASURE_REQUEST_NOT_FOUND")
    failed = await failure(account.get())
    assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "ERASURE_REQUEST_NOT_FOUND")


@pytest.mark.parametrize("field", ["id", "request_id"])
async def test_ids_are_uuids(account, field):
    failed = await failure(account.cancel(**{field: "17"}))
    assert (failed.code, list(failed.violations)) == (grpc.StatusCode.INVALID_ARGUMENT, [field])
    if field == "id":
        assert list((await failure(account.get(id="17"))).violations) == ["id"]
        assert list((await failure(account.get(user_id="17"))).violations) == ["user_id"]


async def test_the_reason_has_a_limit(account):
    failed = await failure(account.request(reason="x" * 1_001))
    assert (failed.code, failed.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(failed.violations) == ["reason"]
    assert (await account.user()).state == UserState.USER_STATE_ACTIVE
    assert (await account.request(reason="x" * 1_000)).state == PENDING


async def test_it_is_too_late_when_the_grace_period_is_over(account, as_superuser):
    erasure = await account.request()
    await let_pass(as_superuser, [account.tenant], 89)
    assert (await account.cancel()).state == CANCELLED
    erasure = await account.request()
    await let_pass(as_superuser, [account.tenant], 90)
    for call in (account.cancel(), account.cancel(id=erasure.id), account.undelete()):
        failed = await failure(call)
        assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERASURE_STARTED")
    assert (await account.get()).state == PENDING


async def test_it_is_too_late_once_erasing_has_begun(account, as_superuser):
    erasure = await account.request()
    await as_superuser.execute(
        "UPDATE erasure_requests SET state = 'RUNNING' WHERE user_id = $1 AND id = $2",
        account.tenant,
        uuid.UUID(erasure.id),
    )
    for call in (account.cancel(), account.undelete()):
        failed = await failure(call)
        assert (failed.code, failed.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERASURE_STARTED")
    assert (await account.get()).state == RUNNING


async def test_one_of_many_that_close_at_once_does_it(account, as_superuser):
    calls = [call() for _ in range(4) for call in (account.request, account.delete)]
    answers = await asyncio.gather(*calls, return_exceptions=True)
    assert sum(not isinstance(answer, Exception) for answer in answers) == 1
    assert await as_superuser.fetchval("SELECT count(*) FROM erasure_requests WHERE user_id = $1", account.tenant) == 1


async def test_what_was_opened_by_hand_is_requested_anew(account, as_superuser):
    """As a superuser does it, bound to no tenant: nothing follows."""
    first = await account.request()
    await as_superuser.execute("UPDATE users SET deleted_at = NULL WHERE id = $1", account.tenant)
    second = await account.request()
    assert history(await account.get(id=first.id))[-1] == (CANCELLED, "user_undeleted")
    assert history(second) == [(PENDING, "requested")]
    await as_superuser.execute("UPDATE users SET deleted_at = NULL WHERE id = $1", account.tenant)
    await account.delete()
    assert history(await account.get(id=second.id))[-1] == (CANCELLED, "user_undeleted")
    assert history(await account.get()) == [(PENDING, "user_deleted")]


async def test_a_legal_hold_shows(account, as_superuser):
    erasure = await account.request()
    hold = await as_superuser.fetchval(
        "INSERT INTO legal_holds (user_id, contact_id, reason) VALUES ($1, gen_random_uuid(), 'file 17') RETURNING id",
        account.tenant,
    )
    assert (await account.get()).legal_hold
    await as_superuser.execute("UPDATE legal_holds SET released_at = now() WHERE id = $1", hold)
    assert await account.get() == erasure
    await as_superuser.execute("UPDATE legal_holds SET released_at = NULL WHERE id = $1", hold)
    assert not (await account.cancel()).legal_hold, "what is cancelled is not carried out anyway"


async def test_others_ids_are_answered_as_random_ones(account, other):
    erasure = await account.request()
    await other.request()
    for call in (other.get, other.cancel):
        foreign = await failure(call(id=erasure.id))
        random = str(uuid.uuid4())
        unknown = await failure(call(id=random))
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "ERASURE_REQUEST_NOT_FOUND")
        assert without(foreign, erasure.id) == without(unknown, random)
    foreign = await failure(other.get(user_id=str(account.tenant)))
    unknown = await failure(other.get(user_id=str(uuid.uuid4())))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED")
    assert foreign.status is not None
    assert unknown.status is not None
    assert foreign.status.SerializeToString() == unknown.status.SerializeToString()
    assert await account.get(user_id=str(account.tenant)) == erasure


async def test_operators_name_the_tenant_or_the_request(account, other):
    erasure = await account.request()
    assert await account.get(as_operator(), user_id=str(account.tenant)) == erasure
    assert await account.get(as_operator(), user_id=str(account.tenant), id=erasure.id) == erasure
    assert await account.get(as_operator(), id=erasure.id) == erasure
    assert await account.get((*account.metadata, *as_operator())) == erasure
    failed = await failure(account.get(as_operator()))
    assert (failed.code, list(failed.violations)) == (grpc.StatusCode.INVALID_ARGUMENT, ["user_id"])
    for fields in (
        {"user_id": str(other.tenant), "id": erasure.id},
        {"user_id": str(other.tenant)},
        {"user_id": str(uuid.uuid4())},
        {"id": str(uuid.uuid4())},
    ):
        failed = await failure(account.get(as_operator(), **fields))
        assert (failed.code, failed.reason) == (grpc.StatusCode.NOT_FOUND, "ERASURE_REQUEST_NOT_FOUND")


async def test_both_are_audited(account, as_superuser: Connection):
    metadata = (*account.metadata, ("x-actor", "Ada"))
    await account.request(reason=REASON)
    account.metadata = metadata
    await account.cancel()
    async with bound(as_superuser, account.tenant):
        rows = await as_superuser.fetch(
            """
            SELECT table_name, action, actor, new_values FROM audit_logs
            WHERE user_id = $1 AND table_name IN ('users', 'erasure_requests') AND action <> 'READ' ORDER BY at, id
            """,
            account.tenant,
        )
    written = [(row["table_name"], row["action"], row["actor"]) for row in rows]
    assert written == [
        ("users", "INSERT", None),
        ("erasure_requests", "INSERT", None),
        ("users", "UPDATE", None),
        ("erasure_requests", "UPDATE", "Ada"),
        ("users", "UPDATE", "Ada"),
    ]
    assert rows[3]["new_values"] == {"state": "CANCELLED"}
    assert not any(REASON in str(row["new_values"]) for row in rows)
