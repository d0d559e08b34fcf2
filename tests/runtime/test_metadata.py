"""Who a call's metadata name: the documented answer for each way to get it wrong, and never INTERNAL."""

from __future__ import annotations

import time
import uuid

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.user_pb2 import User

from services.contacts.service import SERVICE as CONTACTS
from shared import tenancy
from shared.server import RunningService
from tests.postgres import Connection, Database
from tests.suite import (
    OPERATOR_KEY,
    Client,
    Failure,
    Metadata,
    as_operator,
    as_tenant,
    connected,
    failure,
    new_request_id,
    running,
    settings_for,
    tenant_of,
)

TENANT = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"


async def refused(client: Client, *metadata: tuple[str, str | bytes]) -> Failure:
    call = client.contacts.ListContacts(pb.ListContactsRequest(), metadata=metadata)
    return await failure(call)


def answer(told: Failure) -> tuple[str, str]:
    return told.code.name, told.reason


async def test_no_tenant(client: Client) -> None:
    assert answer(await refused(client)) == ("UNAUTHENTICATED", "TENANT_MISSING")


async def test_a_binary_header_names_no_tenant(client: Client) -> None:
    told = await refused(client, ("x-tenant-id-bin", uuid.UUID(TENANT).bytes))
    assert answer(told) == ("UNAUTHENTICATED", "TENANT_MISSING")
    told = await refused(client, ("x-tenant-id-bin", "Zoë\0".encode()))
    assert answer(told) == ("UNAUTHENTICATED", "TENANT_MISSING")


@pytest.mark.parametrize(
    "value",
    [
        "",
        " ",
        "acme",
        f"{{{TENANT}}}",
        f"urn:uuid:{TENANT}",
        TENANT.replace("-", ""),
        TENANT + "0",
        TENANT[:-1],
        f"{TENANT} {TENANT}",
        f"{TENANT},{TENANT}",
        f"{TENANT}, {TENANT}",
        f"({TENANT})",
        TENANT.replace("0", "O"),
        f"{TENANT}'; SET ROLE pmcrm_service; --",
        "x" * 4000,
    ],
)
async def test_a_malformed_tenant(client: Client, value: str) -> None:
    told = await refused(client, ("x-tenant-id", value))
    assert answer(told) == ("UNAUTHENTICATED", "TENANT_MALFORMED")
    assert not value.strip() or value not in told.message


async def test_a_tenant_in_upper_case_is_the_same_tenant(client: Client, alice: Metadata) -> None:
    upper = as_tenant(tenant_of(alice).upper())
    user = await client.users.GetUser(users_pb.GetUserRequest(), metadata=upper)
    assert user.id == tenant_of(alice)


@pytest.mark.parametrize("second", [None, TENANT, "acme", ""], ids=["equal", "another", "malformed", "empty"])
async def test_a_doubled_tenant(client: Client, alice: Metadata, second: str | None) -> None:
    other = tenant_of(alice) if second is None else second
    for metadata in ((*alice, ("x-tenant-id", other)), (("x-tenant-id", other), *alice)):
        assert answer(await refused(client, *metadata)) == ("UNAUTHENTICATED", "TENANT_AMBIGUOUS")


async def test_an_unknown_tenant(client: Client) -> None:
    for _ in range(2):
        told = await refused(client, *as_tenant(uuid.uuid4()))
        assert answer(told) == ("UNAUTHENTICATED", "TENANT_UNKNOWN")
    assert answer(await refused(client, *as_tenant("00000000-0000-0000-0000-000000000000"))) == (
        "UNAUTHENTICATED",
        "TENANT_UNKNOWN",
    )


async def test_an_unknown_tenant_may_act_as_soon_as_it_exists(client: Client) -> None:
    tenant = str(uuid.uuid4())
    assert answer(await refused(client, *as_tenant(tenant))) == ("UNAUTHENTICATED", "TENANT_UNKNOWN")
    await client.users.CreateUser(users_pb.CreateUserRequest(user_id=tenant), metadata=as_operator())
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=as_tenant(tenant))


async def test_a_closed_tenant(client: Client, alice: Metadata) -> None:
    """It reads and reopens itself, and nothing else, in the process that closed it from the next call on."""
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    await client.users.DeleteUser(users_pb.DeleteUserRequest(), metadata=alice)
    for _ in range(2):
        assert answer(await refused(client, *alice)) == ("FAILED_PRECONDITION", "USER_CLOSED")
    assert (await client.users.GetUser(users_pb.GetUserRequest(), metadata=alice)).HasField("delete_time")
    await client.users.UndeleteUser(users_pb.UndeleteUserRequest(), metadata=alice)
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)


async def test_a_tenant_closed_elsewhere_is_refused_when_its_memory_runs_out(
    client: Client, alice: Metadata, service: RunningService, as_operator: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    await as_operator.execute("UPDATE users SET deleted_at = now() WHERE id = $1", uuid.UUID(tenant_of(alice)))
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
    clock = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: clock + tenancy.REMEMBERED_SECONDS + 1)
    told = await refused(client, *alice)
    monkeypatch.undo()
    assert answer(told) == ("FAILED_PRECONDITION", "USER_CLOSED")


@pytest.mark.parametrize(
    "keys",
    [
        (),
        ("",),
        ("wrong",),
        (OPERATOR_KEY + " more",),
        (OPERATOR_KEY[:-1],),
        (OPERATOR_KEY, "wrong"),
        ("wrong", OPERATOR_KEY),
        (OPERATOR_KEY, ""),
        (OPERATOR_KEY.upper(),),
        (f"{OPERATOR_KEY},{OPERATOR_KEY}",),
        ("k" * 7000,),
    ],
    ids=lambda keys: repr(keys)[:40],
)
async def test_without_the_operator_key_operator_calls_are_refused(client: Client, keys: tuple[str, ...]) -> None:
    metadata = tuple(("x-operator-key", key) for key in keys)
    told = await failure(client.users.CreateUser(users_pb.CreateUserRequest(user=User()), metadata=metadata))
    assert answer(told) == ("PERMISSION_DENIED", "OPERATOR_REQUIRED")
    assert not any(key and key in told.message for key in keys)


async def test_the_right_key_twice_is_the_right_key(client: Client) -> None:
    twice = (*as_operator(), *as_operator())
    await client.users.CreateUser(users_pb.CreateUserRequest(user=User()), metadata=twice)


async def test_an_operator_key_does_not_stand_for_a_tenant(client: Client) -> None:
    assert answer(await refused(client, *as_operator())) == ("UNAUTHENTICATED", "TENANT_MISSING")


async def test_without_a_configured_key_no_key_opens_anything(database: Database) -> None:
    async with running(CONTACTS, settings_for(database, operator_key=None)) as closed, connected(closed) as client:
        for key in ("", "None", "null", OPERATOR_KEY):
            call = client.users.CreateUser(users_pb.CreateUserRequest(), metadata=(("x-operator-key", key),))
            assert answer(await failure(call)) == ("PERMISSION_DENIED", "OPERATOR_REQUIRED")


async def test_a_request_id_is_echoed_by_successes_and_failures(client: Client, alice: Metadata) -> None:
    mine = new_request_id()
    call = client.contacts.ListContacts(pb.ListContactsRequest(), metadata=(*alice, ("x-request-id", mine.upper())))
    await call
    assert dict(await call.trailing_metadata() or ())["x-request-id"] == mine
    told = await refused(client, ("x-request-id", mine))
    assert told.trailers["x-request-id"] == mine


@pytest.mark.parametrize("value", ["", "42", "x" * 3000, f"{{{TENANT}}}", "'; DROP TABLE users; --"])
async def test_a_request_id_that_is_no_uuid_is_replaced(client: Client, alice: Metadata, value: str) -> None:
    call = client.contacts.ListContacts(pb.ListContactsRequest(), metadata=(*alice, ("x-request-id", value)))
    await call
    echoed = str(dict(await call.trailing_metadata() or ())["x-request-id"])
    assert str(uuid.UUID(echoed)) == echoed != value


async def test_absurd_metadata_break_nothing(client: Client, alice: Metadata) -> None:
    absurd = (
        ("x-client-ip", "fe80::1%eth0"),
        ("x-actor", "' OR 1=1; --"),
        ("x-actor", '"\\'),
        ("x-client-user-agent", "u" * 2000),
        ("x-unknown", "?"),
        ("authorization", "Bearer nothing"),
        ("x-request-id", "a"),
        ("x-request-id", "b"),
    )
    await client.contacts.CreateContact(
        pb.CreateContactRequest(contact={"given_name": "Ada"}), metadata=(*alice, *absurd)
    )


async def test_more_metadata_than_a_server_takes_is_refused_and_the_next_call_is_fine(
    client: Client, alice: Metadata
) -> None:
    call = client.contacts.ListContacts(pb.ListContactsRequest(), metadata=(*alice, ("x-actor", "a" * 100_000)))
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    await client.contacts.ListContacts(pb.ListContactsRequest(), metadata=alice)
