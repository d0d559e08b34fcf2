"""PurgeDeleted: what it removes, counts, keeps and refuses, over gRPC."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.gdpr.v1 import retention_service_pb2 as pb

from shared.periodic import run_now
from tests.postgres import Connection, Database
from tests.services.contacts.calls import Book
from tests.services.gdpr.conftest import GdprClient
from tests.suite import Client, Failure, Metadata, as_operator, failure, new_request_id, settings_for, tenant_of

OLD = timedelta(days=100)


async def purge(gdpr: GdprClient, **fields: Any) -> pb.PurgeDeletedResponse:
    answer: pb.PurgeDeletedResponse = await gdpr.retention.PurgeDeleted(
        pb.PurgeDeletedRequest(**fields), metadata=as_operator()
    )
    return answer


async def refused(gdpr: GdprClient, **fields: Any) -> Failure:
    return await failure(gdpr.retention.PurgeDeleted(pb.PurgeDeletedRequest(**fields), metadata=as_operator()))


async def deleted(book: Book, database: Database, ago: timedelta) -> str:
    """A contact of the book that was deleted so long ago."""
    contact = await book.create(given_name="Ada")
    await book.stub.DeleteContact(contacts_pb.DeleteContactRequest(id=contact.id), metadata=book.tenant)
    async with database.connect() as superuser:
        await superuser.execute("UPDATE contacts SET deleted_at = now() - $2::interval WHERE id = $1", contact.id, ago)
    return contact.id


async def known(book: Book, contact: str) -> bool:
    request = contacts_pb.BatchGetContactsRequest(ids=[contact], allow_missing=True)
    answer = await book.stub.BatchGetContacts(request, metadata=book.tenant)
    return bool(answer.contacts)


async def test_what_was_deleted_long_enough_ago_is_removed(gdpr, book, bobs, database):
    old = [await deleted(each, database, OLD) for each in (book, bobs)]
    young = await deleted(book, database, timedelta(days=89))
    living = (await book.create(given_name="Grace")).id
    counted = await purge(gdpr, dry_run=True)
    assert counted.row_counts["contacts"] == 2
    assert await known(book, old[0])
    done = await purge(gdpr)
    assert done == counted
    assert [await known(book, old[0]), await known(bobs, old[1])] == [False, False]
    assert [await known(book, young), await known(book, living)] == [True, True]
    assert not (await purge(gdpr)).row_counts
    assert (await purge(gdpr, days=0)).row_counts["contacts"] == 1
    assert [await known(book, young), await known(book, living)] == [False, True]


async def test_a_repeat_gets_the_first_answer_and_removes_nothing(gdpr, book, database):
    await deleted(book, database, OLD)
    request_id = new_request_id()
    first = await purge(gdpr, request_id=request_id)
    assert first.row_counts["contacts"] == 1
    later = await deleted(book, database, OLD)
    assert await purge(gdpr, request_id=request_id) == first
    assert await known(book, later)
    reused = await refused(gdpr, request_id=request_id, days=3)
    assert (reused.code, reused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    await purge(gdpr)


async def test_it_stops_after_about_so_many_rows(gdpr, book, database):
    for _ in range(3):
        await deleted(book, database, OLD)
    first = await purge(gdpr, max_rows=1)
    assert (first.row_counts["contacts"], first.more) == (1, True)
    rest = await purge(gdpr)
    assert (rest.row_counts["contacts"], rest.more) == (2, False)


async def test_what_is_held_is_counted(gdpr, book, database):
    kept = await deleted(book, database, OLD)
    gone = await deleted(book, database, OLD)
    hold = await gdpr.retention.PlaceLegalHold(
        pb.PlaceLegalHoldRequest(user_id=tenant_of(book.tenant), contact_id=kept, reason="file 17"),
        metadata=as_operator(),
    )
    done = await purge(gdpr)
    assert (done.row_counts["contacts"], done.held) == (1, 1)
    assert [await known(book, kept), await known(book, gone)] == [True, False]
    await gdpr.retention.ReleaseLegalHold(pb.ReleaseLegalHoldRequest(id=hold.id), metadata=as_operator())
    assert (await purge(gdpr)).row_counts["contacts"] == 1


@pytest.mark.parametrize(("field", "value"), [("days", -1), ("days", 36_501), ("max_rows", -1)])
async def test_what_is_out_of_range_is_refused(gdpr, field, value):
    wrong = await refused(gdpr, **{field: value})
    assert (wrong.code, wrong.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert set(wrong.violations) == {field}


async def test_two_purges_never_overlap(gdpr, database):
    async def call(_: Connection) -> Failure:
        return await refused(gdpr)

    running = await run_now("purge", settings_for(database), call)
    assert (running.code, running.reason) == (grpc.StatusCode.ABORTED, "TASK_ALREADY_RUNNING")
    await purge(gdpr)


async def test_an_account_whose_grace_period_is_over_is_erased(gdpr, client: Client, alice: Metadata, database):
    async with database.connect() as superuser:
        await superuser.execute(
            "UPDATE users SET deleted_at = now() - $2::interval WHERE id = $1", uuid.UUID(tenant_of(alice)), OLD
        )
    counted = await purge(gdpr, dry_run=True)
    assert (counted.users_erased, counted.held) == (1, 0)
    assert (await purge(gdpr)).users_erased == 1
    async with database.connect() as superuser:
        erased = await superuser.fetchval("SELECT erased_at FROM users WHERE id = $1", uuid.UUID(tenant_of(alice)))
    assert erased is not None
