"""What the database undid because of another transaction is done again, and the caller hears nothing of it."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

import asyncpg
import grpc
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared import database as runtime
from shared.errors import as_rpc_error
from tests.postgres import Connection, Database
from tests.runtime.acting import act_as, acting, mutate, new_user, query
from tests.suite import Client, Metadata, new_request_id, tenant_of

TOUCH = query("UPDATE contacts SET notes = coalesce(notes, '') || 'x' WHERE user_id = $1 AND id = $2::uuid")
TALLY = query("SELECT count(*) FROM contacts WHERE user_id = $1 AND notes = $2::text")
MARK = query("UPDATE contacts SET notes = $3::text WHERE user_id = $1 AND id = $2::uuid")


@pytest_asyncio.fixture
async def acted(database: Database) -> AsyncIterator[runtime.Database]:
    async with acting(database.service("contacts")) as opened:
        yield opened


@pytest_asyncio.fixture
async def pair(as_superuser: Connection) -> tuple[uuid.UUID, uuid.UUID]:
    """Two contacts of the tenant that this test acts as."""
    tenant = await new_user(as_superuser)
    act_as(tenant)
    made = [
        await as_superuser.fetchval(
            "INSERT INTO contacts (user_id, display_name, sort_name) VALUES ($1, 'Ada', 'ada') RETURNING id", tenant
        )
        for _ in range(2)
    ]
    return made[0], made[1]


async def test_a_deadlock_is_resolved_by_repeating(
    acted: runtime.Database, as_superuser: Connection, pair: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Two that lock the same rows in opposite order, each holding its first before it asks for its second."""
    both_hold_one = asyncio.Barrier(2)
    attempts = 0

    async def touch(first: uuid.UUID, second: uuid.UUID) -> None:
        met = False

        async def effect(tx: runtime.Transaction) -> None:
            nonlocal attempts, met
            attempts += 1
            await tx.fetch(TOUCH, first)
            if not met:
                met = True
                await both_hold_one.wait()
            await tx.fetch(TOUCH, second)

        await mutate(acted, effect)

    await asyncio.gather(touch(*pair), touch(*reversed(pair)))
    assert attempts == 3, "one of them was undone once"
    notes = await as_superuser.fetch("SELECT notes FROM contacts WHERE id = ANY ($1)", list(pair))
    assert [row["notes"] for row in notes] == ["xx", "xx"]


async def test_a_serialization_failure_is_resolved_by_repeating(
    database: Database, as_superuser: Connection, pair: tuple[uuid.UUID, uuid.UUID]
) -> None:
    """Each marks its own contact if no contact is marked: one after the other, only one of them may."""
    both_have_looked = asyncio.Barrier(2)
    attempts = 0

    async def mark(acted: runtime.Database, contact: uuid.UUID) -> None:
        met = False

        async def effect(tx: runtime.Transaction) -> None:
            nonlocal attempts, met
            attempts += 1
            found = await tx.fetchval(TALLY, "marked")
            if not met:
                met = True
                await both_have_looked.wait()
            if not found:
                await tx.fetch(MARK, contact, "marked")

        await mutate(acted, effect)

    url = database.service("contacts")
    async with acting(f"{url}{'&' if '?' in url else '?'}default_transaction_isolation=serializable") as strict:
        await asyncio.gather(*(mark(strict, contact) for contact in pair))
    assert attempts == 3
    marked = await as_superuser.fetchval(
        "SELECT count(*) FROM contacts WHERE id = ANY ($1) AND notes = 'marked'", list(pair)
    )
    assert marked == 1


async def test_what_is_undone_every_time_is_told_as_a_concurrent_change(
    acted: runtime.Database, pair: tuple[uuid.UUID, uuid.UUID]
) -> None:
    attempts = 0

    async def effect(tx: runtime.Transaction) -> None:
        nonlocal attempts
        attempts += 1
        raise asyncpg.SerializationError("could not serialize access")

    with pytest.raises(asyncpg.SerializationError) as caught:
        await mutate(acted, effect)
    told = as_rpc_error(caught.value, "")
    assert (told.code, told.reason) == (grpc.StatusCode.ABORTED, "CONCURRENT_CHANGE")
    assert attempts == runtime.ATTEMPTS
    assert acted.pool.in_use == 0


async def test_an_undone_attempt_leaves_its_request_id_free(
    acted: runtime.Database, as_superuser: Connection, pair: tuple[uuid.UUID, uuid.UUID]
) -> None:
    request = pb.CreateContactRequest(request_id=new_request_id())
    attempts = 0

    async def effect(tx: runtime.Transaction) -> Contact:
        nonlocal attempts
        attempts += 1
        if attempts == 1:
            raise asyncpg.DeadlockDetectedError("deadlock detected")
        return Contact(display_name=f"attempt {attempts}")

    assert (await acted.mutate(request, Contact, effect)).display_name == "attempt 2"
    assert (await acted.mutate(request, Contact, effect)).display_name == "attempt 2"
    assert attempts == 2


async def test_a_hundred_creates_with_one_request_id_make_one_contact(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    request = pb.CreateContactRequest(contact=Contact(given_name="Ada"), request_id=new_request_id())
    answers = await asyncio.gather(*(client.contacts.CreateContact(request, metadata=alice) for _ in range(100)))
    assert all(answer == answers[0] for answer in answers)
    count = await as_superuser.fetchval("SELECT count(*) FROM contacts WHERE user_id = $1", uuid.UUID(tenant_of(alice)))
    assert count == 1
