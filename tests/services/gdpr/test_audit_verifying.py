"""What VerifyAuditLog answers of a log that is right, whatever was erased, archived, dropped or is being written."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import grpc.aio
import pytest
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.gdpr.v1 import audit_service_pb2 as pb
from pmcrm.gdpr.v1 import audit_service_pb2_grpc

from services.gdpr.audit_verifying import Verification
from services.gdpr.service import SERVICE as GDPR
from shared.binding import begin_snapshot
from shared.database import Transaction
from shared.keys import Key, KeyRing
from shared.pool import Session
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book
from tests.services.gdpr.audit_calls import KEYS, Trail, archive, chain_of, seal, seal_from_the_start, write_entries
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client, Metadata, as_operator, as_tenant, failure, running, settings_for

EMPTIED = """
    old_values = NULL, new_values = NULL, actor = NULL, client_ip = NULL, user_agent = NULL, salt = NULL, erased_by = $3
"""


@pytest.fixture(autouse=True)
async def _alone(as_superuser: Connection) -> AsyncIterator[None]:
    """What is left of a test would be sealed again and again by those that follow."""
    yield
    for table in ("audit_logs", "audit_logs_archive", "audit_seals"):
        await as_superuser.execute(f"DELETE FROM {table}")


async def test_what_is_sealed_is_checked_and_the_rest_is_counted(
    database: Database, as_superuser: Connection, trail: Trail
) -> None:
    first = datetime.now(UTC) - timedelta(hours=1)
    await write_entries(as_superuser, trail.id, 25, start=first)
    await seal_from_the_start(database, most=10)
    unsealed = await write_entries(as_superuser, trail.id, 3, start=datetime.now(UTC))
    seals = await chain_of(as_superuser, trail.id)
    answer = await trail.verify()
    assert answer.valid
    assert (answer.entries_checked, answer.seals_checked) == (25, 3)
    # The user's own first entry was written a moment ago.
    assert answer.unsealed_entries == len(unsealed) + 1
    assert answer.head == f"3:{seals[-1]['hash'].hex()}"
    assert answer.sealed_until_time.ToDatetime(UTC) == seals[-1]["last_at"] == first + timedelta(milliseconds=24)
    assert (answer.erased_entries, answer.dropped_entries) == (0, 0)


async def test_a_log_of_which_nothing_is_sealed_has_no_head(trail: Trail) -> None:
    answer = await trail.verify()
    assert (answer.valid, answer.head, answer.seals_checked, answer.unsealed_entries) == (True, "", 0, 1)
    assert not answer.HasField("sealed_until_time")


async def test_every_earlier_head_is_contained_in_the_chain(
    database: Database, as_superuser: Connection, trail: Trail
) -> None:
    await write_entries(as_superuser, trail.id, 4)
    await seal_from_the_start(database, most=2)
    kept = (await trail.verify()).head
    await as_superuser.execute("SELECT pg_sleep(1.1)")
    await seal(database)
    assert (await trail.verify(kept)).valid
    now = (await trail.verify(kept)).head
    assert now != kept
    assert (await trail.verify(now)).valid


async def test_seals_made_with_an_older_key_stay_valid(
    database: Database, as_superuser: Connection, trail: Trail
) -> None:
    await write_entries(as_superuser, trail.id, 2)
    await as_superuser.execute("UPDATE app.audit_sealing SET horizon = '-infinity'")
    await seal(database, KeyRing((KEYS.keys[1],)))
    await as_superuser.execute("SELECT pg_sleep(1.1)")
    await seal(database)
    assert [row["key_id"] for row in await chain_of(as_superuser, trail.id)] == ["s1", "s2"]
    assert (await trail.verify()).valid
    async with database.connect("pmcrm_gdpr") as conn:
        await conn.execute(begin_snapshot(trail.id))
        tx = Transaction(Session(conn, keeps_statements=True), trail.id)
        answer = await Verification(tx, trail.id, KeyRing((Key("s2", KEYS.keys[0].secret),))).run()
    assert answer.problem == pb.AUDIT_PROBLEM_KEY_UNKNOWN


@pytest.mark.parametrize("archived", [False, True])
@pytest.mark.parametrize("sealed", [False, True])
async def test_erased_entries_are_right_when_an_erasure_names_them(
    database: Database, as_superuser: Connection, trail: Trail, archived: bool, sealed: bool
) -> None:
    receipt = uuid.uuid4()
    ids = await write_entries(as_superuser, trail.id, 9)
    await seal_from_the_start(database, most=4)
    if archived:
        await archive(as_superuser, trail.id)
    log = "audit_logs_archive" if archived else "audit_logs"
    await as_superuser.execute(
        f"UPDATE {log} SET {EMPTIED} WHERE user_id = $1 AND id = ANY ($2::uuid[])", trail.id, ids[2:6], receipt
    )
    for named in (ids[2:4], ids[4:6]):
        answer = await trail.verify()
        assert answer.problem == pb.AUDIT_PROBLEM_PAYLOAD_MISSING
        assert answer.first_invalid_entry_id == str(named[0])
        values = {"receipt": str(receipt), "entries": [str(entry) for entry in named]}
        await write_entries(
            as_superuser,
            trail.id,
            1,
            start=datetime.now(UTC),
            action="ERASE",
            row_id=receipt,
            actor=None,
            client_ip=None,
            user_agent=None,
            new_values=values,
        )
    if sealed:
        await as_superuser.execute("SELECT pg_sleep(1.1)")
        await seal(database)
    answer = await trail.verify()
    assert (answer.valid, answer.erased_entries) == (True, 4)
    assert answer.entries_checked == (12 if sealed else 9)


@pytest.mark.parametrize(
    "said",
    [
        {"row_id": uuid.UUID(int=17)},
        {"action": "UPDATE"},
        {"new_values": {"entries": "all"}},
        {"new_values": {"entries": [None, 1, {}]}},
        {"new_values": ["entries"]},
    ],
    ids=str,
)
async def test_an_entry_that_does_not_say_so_excuses_no_erasure(
    database: Database, as_superuser: Connection, trail: Trail, said: dict[str, Any]
) -> None:
    receipt = uuid.uuid4()
    ids = await write_entries(as_superuser, trail.id, 3)
    await seal_from_the_start(database)
    await as_superuser.execute(
        f"UPDATE audit_logs SET {EMPTIED} WHERE user_id = $1 AND id = $2", trail.id, ids[1], receipt
    )
    wrong: dict[str, Any] = {"action": "ERASE", "row_id": receipt, "new_values": {"entries": [str(ids[1])]}} | said
    await write_entries(as_superuser, trail.id, 1, start=datetime.now(UTC), **wrong)
    answer = await trail.verify()
    assert (answer.problem, answer.first_invalid_entry_id) == (pb.AUDIT_PROBLEM_PAYLOAD_MISSING, str(ids[1]))


async def test_another_tenants_erasure_excuses_nothing(
    database: Database, as_superuser: Connection, trail: Trail, bobs_trail: Trail
) -> None:
    receipt = uuid.uuid4()
    ids = await write_entries(as_superuser, trail.id, 3)
    await seal_from_the_start(database)
    await as_superuser.execute(
        f"UPDATE audit_logs SET {EMPTIED} WHERE user_id = $1 AND id = $2", trail.id, ids[1], receipt
    )
    says: dict[str, Any] = {"action": "ERASE", "row_id": receipt, "new_values": {"entries": [str(ids[1])]}}
    await write_entries(as_superuser, bobs_trail.id, 1, start=datetime.now(UTC), **says)
    assert (await trail.verify()).problem == pb.AUDIT_PROBLEM_PAYLOAD_MISSING
    assert (await bobs_trail.verify()).valid


MARCH = datetime(2019, 3, 30, tzinfo=UTC)


async def dropped(database: Database, conn: Connection, trail: Trail, **said: Any) -> list[uuid.UUID]:
    """Entries of March to June 2019, of which April's are dropped; said: what else the entry about that says."""
    ids = await write_entries(conn, trail.id, 12, start=MARCH, step=timedelta(days=7))
    await seal_from_the_start(database, most=3)
    seals = [row for row in await chain_of(conn, trail.id) if row["first_at"].month == 4]
    count = sum(len(row["entry_ids"]) for row in seals)
    await conn.execute(
        "DELETE FROM audit_logs WHERE user_id = $1 AND at >= '2019-04-01 00:00Z' AND at < '2019-05-01 00:00Z'", trail.id
    )
    values = {"month": "2019-04", "first_seq": seals[0]["seq"], "last_seq": seals[-1]["seq"], "entries": count} | said
    await write_entries(
        conn, trail.id, 1, start=datetime.now(UTC), action="DROP", table_name="audit_logs_archive", new_values=values
    )
    return ids


async def test_a_dropped_month_is_right_when_an_entry_says_so(
    database: Database, as_superuser: Connection, trail: Trail
) -> None:
    await dropped(database, as_superuser, trail)
    answer = await trail.verify()
    assert (answer.valid, answer.dropped_entries, answer.entries_checked) == (True, 4, 8)


@pytest.mark.parametrize(
    "said", [{"month": "2019-05"}, {"last_seq": 2}, {"first_seq": 3}, {"month": None}, {"first_seq": "2"}]
)
async def test_an_entry_that_does_not_say_so_excuses_no_missing_month(
    database: Database, as_superuser: Connection, trail: Trail, said: dict[str, Any]
) -> None:
    ids = await dropped(database, as_superuser, trail, **said)
    answer = await trail.verify()
    assert answer.problem == pb.AUDIT_PROBLEM_ENTRY_MISSING
    assert answer.first_invalid_entry_id in {str(entry) for entry in ids[1:5]}


async def test_more_than_the_dropped_month_is_missed_and_less_too(
    database: Database, as_superuser: Connection, trail: Trail
) -> None:
    ids = await dropped(database, as_superuser, trail)
    [late] = await write_entries(as_superuser, trail.id, 1, start=datetime(2019, 4, 10, tzinfo=UTC))
    answer = await trail.verify()
    assert (answer.problem, answer.first_invalid_entry_id) == (pb.AUDIT_PROBLEM_ENTRY_INSERTED, str(late))
    await as_superuser.execute("DELETE FROM audit_logs WHERE id = ANY ($1::uuid[])", [late, ids[5]])
    answer = await trail.verify()
    assert (answer.problem, answer.first_invalid_entry_id) == (pb.AUDIT_PROBLEM_ENTRY_MISSING, str(ids[5]))


async def test_reading_in_other_batches_finds_the_same(
    database: Database, as_superuser: Connection, trail: Trail
) -> None:
    ids = await write_entries(as_superuser, trail.id, 40)
    await seal_from_the_start(database, most=3)
    for tampered in (False, True):
        if tampered:
            await as_superuser.execute("UPDATE audit_logs SET actor = 'mallory' WHERE id = $1", ids[31])
        found = []
        for at_once in (1, 2, 5, 7, 100):
            async with database.connect("pmcrm_service") as conn, conn.transaction(isolation="repeatable_read"):
                tx = Transaction(Session(conn, keeps_statements=False), trail.id)
                checked: list[int] = []
                found.append(await Verification(tx, trail.id, KEYS, progress=checked.append, at_once=at_once).run())
                # The user's own entry is not sealed.
                assert tampered or sum(checked) == 41
        assert all(each == found[0] for each in found)
        assert found[0].valid != tampered
        assert found[0].entries_checked == (31 if tampered else 40)


async def test_a_log_stays_valid_while_it_is_written_and_sealed(database: Database, book: Book, trail: Trail) -> None:
    writing = True

    async def write() -> None:
        while writing:
            contact = await book.create(given_name="Ada")
            await book.delete(contact.id)

    async def keep_sealing() -> None:
        while writing:
            await seal(database, most=5)

    others = [asyncio.create_task(work()) for work in (write, write, keep_sealing)]
    head = ""
    try:
        for _ in range(12):
            answer = await trail.verify(head)
            assert answer.valid, answer
            head = answer.head or head
            await asyncio.sleep(0.1)
    finally:
        writing = False
        await asyncio.gather(*others)
    assert head
    answer = await trail.verify(head)
    assert answer.valid
    assert answer.entries_checked > 0


@pytest.mark.parametrize("head", ["x", "1", "1:00", "0:" + "a" * 64, "1:" + "A" * 64])
async def test_what_is_no_head_is_invalid(trail: Trail, head: str) -> None:
    told = await failure(trail.verify(head))
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert list(told.violations) == ["expected_head"]


async def test_without_keys_nothing_is_verified(database: Database, alice: Metadata) -> None:
    async with (
        running(GDPR, settings_for(database, seal_keys=None)) as service,
        grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel,
    ):
        told = await failure(Trail(audit_service_pb2_grpc.AuditServiceStub(channel), alice).verify())
    assert (told.code, told.reason) == (grpc.StatusCode.FAILED_PRECONDITION, "SEALING_NOT_CONFIGURED")


async def test_operators_verify_any_tenants_log_and_that_is_noted(
    database: Database, as_superuser: Connection, trail: Trail, gdpr: GdprClient
) -> None:
    await write_entries(as_superuser, trail.id, 3)
    await seal_from_the_start(database)
    request = pb.VerifyAuditLogRequest(user_id=str(trail.id))
    answer = await gdpr.audit.VerifyAuditLog(request, metadata=(*as_operator(), ("x-actor", "Grace")))
    assert (answer.valid, answer.entries_checked, answer.unsealed_entries) == (True, 3, 2)
    [entry] = await trail.entries(entity_type="audit_logs")
    assert (entry.actor, entry.operator_scope, entry.entity_id) == ("Grace", True, "")


async def test_operators_verify_the_log_of_a_tenant_that_is_gone(
    database: Database, as_superuser: Connection, gdpr: GdprClient
) -> None:
    gone = uuid.uuid4()
    await write_entries(as_superuser, gone, 3)
    await seal_from_the_start(database)
    await as_superuser.execute("DELETE FROM audit_logs WHERE user_id = $1", gone)
    answer = await gdpr.audit.VerifyAuditLog(pb.VerifyAuditLogRequest(user_id=str(gone)), metadata=as_operator())
    assert answer.problem == pb.AUDIT_PROBLEM_ENTRY_MISSING
    nobody = pb.VerifyAuditLogRequest(user_id=str(uuid.uuid4()))
    told = await failure(gdpr.audit.VerifyAuditLog(nobody, metadata=as_operator()))
    assert (told.code, told.reason) == (grpc.StatusCode.NOT_FOUND, "USER_NOT_FOUND")
    told = await failure(gdpr.audit.VerifyAuditLog(pb.VerifyAuditLogRequest(), metadata=as_operator()))
    assert list(told.violations) == ["user_id"]


async def test_a_closed_tenant_verifies_nothing_but_operators_do(client: Client, gdpr: GdprClient) -> None:
    tenant = await client.new_tenant()
    await client.users.DeleteUser(users_pb.DeleteUserRequest(), metadata=tenant)
    trail = Trail(gdpr.audit, tenant)
    assert (await failure(trail.verify())).reason == "USER_CLOSED"
    request = pb.VerifyAuditLogRequest(user_id=str(trail.id))
    assert (await gdpr.audit.VerifyAuditLog(request, metadata=as_operator())).valid
    assert as_tenant(trail.id) == tenant
