"""Legal holds: placing, releasing, what they refuse, and what they leave in the audit log and in pending erasures."""

from __future__ import annotations

import uuid

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.gdpr.v1 import retention_service_pb2 as pb

from tests.postgres import Database, bound
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Failure, Metadata, as_operator, failure, new_request_id, tenant_of

REASON = "file 17"


async def place(gdpr: GdprClient, tenant: Metadata, contact: str = "", **fields: str) -> pb.LegalHold:
    request = pb.PlaceLegalHoldRequest(user_id=tenant_of(tenant), contact_id=contact, **({"reason": REASON} | fields))
    hold: pb.LegalHold = await gdpr.retention.PlaceLegalHold(request, metadata=as_operator())
    return hold


async def release(gdpr: GdprClient, hold: str, **fields: str) -> pb.LegalHold:
    request = pb.ReleaseLegalHoldRequest(id=hold, **fields)
    released: pb.LegalHold = await gdpr.retention.ReleaseLegalHold(request, metadata=as_operator())
    return released


async def not_placed(gdpr: GdprClient, **fields: str) -> Failure:
    request = pb.PlaceLegalHoldRequest(**fields)
    return await failure(gdpr.retention.PlaceLegalHold(request, metadata=as_operator()))


async def not_released(gdpr: GdprClient, **fields: str) -> Failure:
    return await failure(gdpr.retention.ReleaseLegalHold(pb.ReleaseLegalHoldRequest(**fields), metadata=as_operator()))


async def history(database: Database, tenant: Metadata) -> list[tuple[str, str]]:
    async with database.connect() as superuser:
        rows = await superuser.fetch(
            "SELECT state, cause FROM erasure_state_changes WHERE user_id = $1 ORDER BY erasure_id, position",
            uuid.UUID(tenant_of(tenant)),
        )
    return [(row["state"], row["cause"]) for row in rows]


async def test_a_hold_is_placed_and_released(gdpr, alice, book):
    contact = await book.create(given_name="Ada")
    for asked in ("", contact.id):
        hold = await place(gdpr, alice, asked)
        assert (hold.user_id, hold.contact_id, hold.reason) == (tenant_of(alice), asked, REASON)
        assert hold.HasField("place_time")
        assert not hold.HasField("release_time")
        released = await release(gdpr, hold.id)
        assert released.release_time.ToDatetime() >= hold.place_time.ToDatetime()
        released.ClearField("release_time")
        assert released == hold


async def test_several_holds_do_not_disturb_each_other(gdpr, alice, database):
    first, second = await place(gdpr, alice), await place(gdpr, alice, reason="file 18")
    assert first.id != second.id
    await release(gdpr, first.id)
    async with database.connect() as superuser:
        left = await superuser.fetch(
            "SELECT id::text FROM legal_holds WHERE user_id = $1 AND released_at IS NULL", uuid.UUID(tenant_of(alice))
        )
    assert [row["id"] for row in left] == [second.id]


async def test_a_deleted_contact_can_be_held(gdpr, alice, book, client):
    contact = await book.create(given_name="Ada")
    await client.contacts.DeleteContact(contacts_pb.DeleteContactRequest(id=contact.id), metadata=alice)
    assert (await place(gdpr, alice, contact.id)).contact_id == contact.id


async def test_the_id_of_a_merged_contact_stands_for_its_survivor(gdpr, alice, book, database):
    survivor, duplicate = await book.create(given_name="Ada"), await book.create(given_name="Ada")
    async with database.connect() as superuser, bound(superuser, uuid.UUID(tenant_of(alice))):
        await superuser.execute("SELECT app.merge_contacts($1, $2, '{}', NULL)", survivor.id, [duplicate.id])
    assert (await place(gdpr, alice, duplicate.id)).contact_id == survivor.id


async def test_placing_is_refused_for_what_is_not_there(gdpr, alice, bobs):
    nobody = str(uuid.uuid4())
    unknown = await not_placed(gdpr, user_id=nobody, reason=REASON)
    assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")
    foreign = await bobs.create(given_name="Grace")
    for contact in (nobody, foreign.id):
        unknown = await not_placed(gdpr, user_id=tenant_of(alice), contact_id=contact, reason=REASON)
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", ""),
        ("user_id", "somebody"),
        ("contact_id", "somebody"),
        ("reason", ""),
        ("reason", " \n"),
        ("reason", "x" * 1_001),
        ("reason", "\0"),
    ],
)
async def test_placing_names_the_wrong_field(gdpr, alice, field, value):
    fields = {"user_id": tenant_of(alice), "reason": REASON} | {field: value}
    wrong = await not_placed(gdpr, **fields)
    assert (wrong.code, wrong.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(wrong.violations) == {field}


async def test_an_erased_account_cannot_be_held(gdpr, alice, database):
    async with database.connect() as superuser:
        await superuser.execute(
            "UPDATE users SET deleted_at = now(), erased_at = now() WHERE id = $1", uuid.UUID(tenant_of(alice))
        )
    gone = await not_placed(gdpr, user_id=tenant_of(alice), reason=REASON)
    assert (gone.code, gone.reason) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")


async def close(database: Database, tenant: Metadata) -> None:
    user = uuid.UUID(tenant_of(tenant))
    async with database.connect() as superuser, bound(superuser, user):
        await superuser.execute("UPDATE users SET deleted_at = now() WHERE id = $1", user)


async def test_a_pending_erasure_tells_that_it_is_held(gdpr, alice, database):
    await close(database, alice)
    requested = [("PENDING", "user_deleted")]
    first, second = await place(gdpr, alice), await place(gdpr, alice)
    assert await history(database, alice) == [*requested, ("PENDING", "held")]
    await release(gdpr, first.id)
    assert await history(database, alice) == [*requested, ("PENDING", "held")]
    await release(gdpr, second.id)
    assert await history(database, alice) == [*requested, ("PENDING", "held"), ("PENDING", "released")]


async def test_an_erasure_that_has_begun_is_not_held(gdpr, alice, database):
    await close(database, alice)
    async with database.connect() as superuser:
        await superuser.execute(
            "UPDATE erasure_requests SET state = 'RUNNING' WHERE user_id = $1", uuid.UUID(tenant_of(alice))
        )
    late = await not_placed(gdpr, user_id=tenant_of(alice), reason=REASON)
    assert (late.code, late.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "ERASURE_STARTED")


async def test_releasing_is_refused_for_what_is_not_in_force(gdpr, alice):
    hold = await place(gdpr, alice)
    await release(gdpr, hold.id)
    for asked in (hold.id, str(uuid.uuid4())):
        unknown = await not_released(gdpr, id=asked)
        assert (unknown.code, unknown.reason) == (grpc.StatusCode.NOT_FOUND, "LEGAL_HOLD_NOT_FOUND")
    wrong = await not_released(gdpr, id="file 17")
    assert (wrong.code, wrong.reason, set(wrong.violations)) == (
        grpc.StatusCode.INVALID_ARGUMENT,
        "FIELD_INVALID",
        {"id"},
    )


async def test_repeats_get_the_first_answer(gdpr, alice):
    placing, releasing = new_request_id(), new_request_id()
    hold = await place(gdpr, alice, request_id=placing)
    assert await place(gdpr, alice, request_id=placing) == hold
    released = await release(gdpr, hold.id, request_id=releasing)
    assert await release(gdpr, hold.id, request_id=releasing) == released
    other = await place(gdpr, alice)
    for reused in (
        await not_placed(gdpr, user_id=tenant_of(alice), reason="file 18", request_id=placing),
        await not_released(gdpr, id=other.id, request_id=releasing),
    ):
        assert (reused.code, reused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")


async def test_holds_are_in_the_audit_log_of_their_tenant(gdpr, alice, database):
    hold = await place(gdpr, alice)
    await release(gdpr, hold.id)
    async with database.connect() as superuser:
        entries = await superuser.fetch(
            "SELECT action, role_name, new_values FROM audit_logs WHERE user_id = $1 AND table_name = 'legal_holds'"
            " ORDER BY at",
            uuid.UUID(tenant_of(alice)),
        )
    assert [(entry["action"], entry["role_name"]) for entry in entries] == [
        ("INSERT", "pmcrm_service"),
        ("UPDATE", "pmcrm_service"),
    ]
    assert set(entries[1]["new_values"]) == {"released_at"}
