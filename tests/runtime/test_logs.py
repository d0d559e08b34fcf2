"""What stands in the log: enough to find a call, and nothing about people."""

from __future__ import annotations

import json
import logging
import uuid
from typing import Any

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import User
from structlog.testing import capture_logs

from shared.telemetry import LibraryLines
from tests.postgres import Database
from tests.runtime.acting import PATIENCE
from tests.runtime.processes import Process, contacts
from tests.suite import OPERATOR_KEY, PAGE_KEYS, Client, Failure, as_operator, as_tenant, new_request_id, tenant_of

# Each stands where a person, or a secret, would.
CANARIES = {
    "given_name": "Canarybert",
    "family_name": "O'Canary",
    "notes": "canary-notes-7781",
    "nickname": "canarynick",
    "emails": [{"value": "canary@canary.example"}],
    "phones": [{"value": "+442079460123"}],
    "custom_fields": {"canary-key": "canary-value"},
    "source_uid": "canary-uid",
}
TYPED = ("anarybert", "anary", "9460123", "actor-canary", "agent-canary", "203.0.113.99", "token-canary")


async def exercise(client: Client) -> list[str]:
    """Calls of every kind, most of which fail, with canaries in them; what their callers were told."""
    tenant = await client.new_tenant(display_name="Canary Owner", login_email=f"canary-{uuid.uuid4().hex}@example.org")
    behind = (
        *tenant,
        ("x-actor", "actor-canary"),
        ("x-client-user-agent", "agent-canary"),
        ("x-client-ip", "203.0.113.99"),
        ("authorization", "Bearer token-canary"),
    )
    contact = Contact(**CANARIES)  # type: ignore[arg-type]  # as JSON would give them
    request_id = new_request_id()
    made = await client.contacts.CreateContact(
        pb.CreateContactRequest(contact=contact, request_id=request_id), metadata=behind
    )
    bad = Contact(given_name="Canarybert", emails=[{"value": "canary at canary.example"}])
    other = pb.CreateContactRequest(contact=Contact(given_name="Canarybert"), request_id=request_id)
    stale = Contact(id=made.id, etag="canary-etag", notes="canary-notes")
    taken = User(login_email=f"canary-{uuid.uuid4().hex}@example.org")
    await client.users.CreateUser(users_pb.CreateUserRequest(user=taken), metadata=as_operator())
    calls: list[Any] = [
        client.contacts.CreateContact(pb.CreateContactRequest(contact=bad), metadata=behind),
        client.contacts.CreateContact(pb.CreateContactRequest(contact=contact), metadata=behind),
        client.contacts.CreateContact(other, metadata=behind),
        client.contacts.UpdateContact(pb.UpdateContactRequest(contact=stale), metadata=behind),
        client.contacts.GetContact(pb.GetContactRequest(id="canary-id"), metadata=behind),
        client.contacts.ListContacts(pb.ListContactsRequest(page_token="canary-token"), metadata=behind),
        client.contacts.ListContacts(pb.ListContactsRequest(text="canary"), metadata=behind),
        client.contacts.ListContacts(pb.ListContactsRequest(), metadata=as_tenant("canary-tenant")),
        client.users.CreateUser(users_pb.CreateUserRequest(user=taken), metadata=as_operator()),
        client.users.CreateUser(users_pb.CreateUserRequest(user=taken), metadata=(("x-operator-key", "canary-key"),)),
    ]
    told = []
    for call in calls:
        try:
            await call
        except grpc.aio.AioRpcError as error:
            failure = Failure(error)
            assert failure.code is not grpc.StatusCode.INTERNAL, failure
            told.append(f"{failure.message} {failure.status} {failure.trailers}")
    assert len(told) == 9
    return told


def lines_of(process: Process) -> list[dict[str, Any]]:
    """The log, each line of which must be a JSON object."""
    return [json.loads(line) for line in process.err]


@pytest.mark.parametrize("level", ["debug", "info"])
async def test_neither_log_nor_errors_hold_what_people_typed(database: Database, level: str) -> None:
    async with contacts(database, PMCRM_LOG_LEVEL=level, PMCRM_LOG_FORMAT="json") as service:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await service.port()}") as channel:
            told = await exercise(Client(channel))
        service.terminate()
        assert await service.ended() == 0
    text = "\n".join([*service.err, *service.out, *told])
    for canary in (*TYPED, OPERATOR_KEY, PAGE_KEYS, *database.server.passwords.values()):
        assert canary not in text, canary
    assert len(lines_of(service)) > 9


async def test_a_failed_call_is_one_json_line_with_what_identifies_it(database: Database) -> None:
    async with contacts(database, PMCRM_LOG_LEVEL="info", PMCRM_LOG_FORMAT="json") as service:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await service.port()}") as channel:
            client = Client(channel)
            tenant = await client.new_tenant()
            request_id, missing = new_request_id(), str(uuid.uuid4())
            call = client.contacts.GetContact(
                pb.GetContactRequest(id=missing), metadata=(*tenant, ("x-request-id", request_id)), timeout=PATIENCE
            )
            assert await call.code() is grpc.StatusCode.NOT_FOUND
        service.terminate()
        assert await service.ended() == 0
    [line] = [line for line in lines_of(service) if line["event"] == "rpc"]
    assert line.pop("milliseconds") > 0
    assert line.pop("timestamp")
    assert line == {
        "event": "rpc",
        "level": "info",
        "method": "/pmcrm.contacts.v1.ContactService/GetContact",
        "code": "NOT_FOUND",
        "reason": "CONTACT_NOT_FOUND",
        "request_id": request_id,
        "tenant": tenant_of(tenant),
    }


async def test_successful_calls_are_logged_at_debug_level(database: Database) -> None:
    async with contacts(database, PMCRM_LOG_LEVEL="debug", PMCRM_LOG_FORMAT="json") as service:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{await service.port()}") as channel:
            tenant = await Client(channel).new_tenant()
            await Client(channel).contacts.ListContacts(pb.ListContactsRequest(), metadata=tenant)
        service.terminate()
        assert await service.ended() == 0
    calls = [line for line in lines_of(service) if line["event"] == "rpc"]
    assert [(line["level"], line["code"], line["tenant"]) for line in calls] == [
        ("debug", "OK", None),
        ("debug", "OK", tenant_of(tenant)),
    ]


def test_what_libraries_log_loses_its_arguments_and_exception_texts() -> None:
    library = logging.getLogger("a library")
    library.addHandler(LibraryLines())
    library.propagate = False

    def fail() -> None:
        raise ValueError("Canarybert")

    with capture_logs() as logs:
        try:
            fail()
        except ValueError:
            library.exception("Task exception was never retrieved\nfuture: <Task %s>", "Canarybert")
        library.warning("slow: %s", "Canarybert")
    assert "Canarybert" not in str(logs)
    assert [line["text"] for line in logs] == ["Task exception was never retrieved", "slow: %s"]
    assert logs[0]["error"] == "ValueError"
    assert logs[0]["at"][-1].endswith(" fail")
