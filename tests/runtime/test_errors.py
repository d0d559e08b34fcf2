"""What a caller hears of a failure, and what neither the caller nor the log hears."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import grpc
import pytest
import pytest_asyncio
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.insights.v1 import insight_service_pb2
from structlog.testing import capture_logs

from shared.errors import InvalidArgument, Violation
from shared.layers import Context
from shared.server import Service, full_names
from tests.postgres import Database
from tests.runtime.acting import mutate, query
from tests.runtime.probe import Probe, probing
from tests.runtime.raw import streams, unary
from tests.suite import (
    Client,
    Failure,
    Metadata,
    as_operator,
    connected,
    failure,
    get,
    new_request_id,
    running,
    settings_for,
)

SECRET = "Zebedee Quagmire, zebedee@example.org"
SERVICE = "/pmcrm.contacts.v1.ContactService"


@pytest_asyncio.fixture(scope="module")
async def started(database: Database) -> AsyncIterator[tuple[Probe, Client]]:
    async with probing(database) as (probe, client, _):
        yield probe, client


@pytest.fixture
def probe(started: tuple[Probe, Client]) -> Probe:
    return started[0]


@pytest.fixture
def caller(started: tuple[Probe, Client]) -> Client:
    return started[1]


class Odd(Exception):
    """Outside of every family, with a text that quotes a person."""

    def __str__(self) -> str:
        return SECRET


ODD = [
    Odd(),
    ValueError(SECRET),
    KeyError(SECRET),
    asyncpg.UniqueViolationError(SECRET),
    asyncpg.DataError(SECRET),
    AssertionError(SECRET),
    RecursionError(SECRET),
    MemoryError(SECRET),
    StopAsyncIteration(SECRET),
    asyncio.CancelledError(SECRET),
    ExceptionGroup(SECRET, [ValueError(SECRET)]),
]


def is_generic(told: Failure, request_id: str) -> bool:
    assert told.message == f"internal error, request id {request_id}"
    assert told.metadata == {"request_id": request_id}
    assert told.status is not None
    assert len(told.status.details) == 1
    return (told.code, told.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")


@pytest.mark.parametrize("error", ODD, ids=lambda error: type(error).__name__)
async def test_an_exception_in_a_handler_is_a_generic_internal_error(
    probe: Probe, caller: Client, error: BaseException, capfd: pytest.CaptureFixture[str]
) -> None:
    async def fail(request: Any, context: Context) -> Contact:
        raise error

    probe.get = fail
    request_id = new_request_id()
    with capture_logs() as logs:
        told = await failure(
            caller.contacts.GetContact(get(""), metadata=(*as_operator(), ("x-request-id", request_id)), timeout=20)
        )
    assert is_generic(told, request_id)
    assert SECRET not in str(told.trailers) + str(logs) + "".join(capfd.readouterr())
    [line] = [line for line in logs if line["event"] == "internal_error"]
    assert line["error"] == type(error).__name__
    assert line["request_id"] == request_id
    assert line["method"] == f"{SERVICE}/GetContact"
    assert re.fullmatch(r".*test_errors\.py:\d+ fail", line["at"][-1])


@pytest.mark.parametrize("sent_before", [0, 1, 3])
async def test_an_exception_in_a_stream_is_a_generic_internal_error_after_what_was_sent(
    probe: Probe, caller: Client, sent_before: int
) -> None:
    async def fail(request: Any, context: Context) -> AsyncIterator[Any]:
        for _ in range(sent_before):
            yield contact_transfer_pb2.ExportContactsResponse(chunk=b"x")
        raise ValueError(SECRET)

    probe.export = fail
    request_id = new_request_id()
    received: list[Any] = []
    call = caller.contacts.ExportContacts(
        contact_transfer_pb2.ExportContactsRequest(), metadata=(*as_operator(), ("x-request-id", request_id))
    )

    async def receive() -> None:
        async for answer in call:
            received.append(answer)  # noqa: PERF401 - a comprehension would lose what came before the failure

    with capture_logs() as logs, pytest.raises(grpc.aio.AioRpcError) as caught:
        await receive()
    assert len(received) == sent_before
    assert is_generic(Failure(caught.value), request_id)
    assert SECRET not in str(logs) + str(caught.value)


@pytest.mark.parametrize("answer", [None, "text", pb.ListContactsResponse(), b"bytes"], ids=repr)
async def test_an_answer_that_cannot_be_sent_is_internal_too(probe: Probe, caller: Client, answer: object) -> None:
    async def wrong(request: Any, context: Context) -> Any:
        return answer

    probe.get = wrong
    call = caller.contacts.GetContact(get(""), metadata=as_operator(), timeout=20)
    if isinstance(answer, pb.ListContactsResponse):
        await call  # an empty message of another type has the same bytes
        return
    told = await failure(call)
    assert (told.code, told.reason) == (grpc.StatusCode.INTERNAL, "INTERNAL")


async def test_what_postgresql_says_of_a_row_reaches_neither_caller_nor_log(
    probe: Probe, caller: Client, capfd: pytest.CaptureFixture[str]
) -> None:
    """DETAIL quotes the row that broke a constraint, and the value that could not be read."""
    insert = query(
        f"INSERT INTO contacts (user_id, display_name, sort_name, birthday_month) VALUES ($1, '{SECRET}', 'z', 99)"
    )
    unread = query(f"SELECT $1::uuid, '{SECRET}'::int")

    async def break_check(request: Any, context: Context) -> Contact:
        return await mutate(probe.runtime.database, lambda tx: tx.fetch(insert))

    async def break_cast(request: Any, context: Context) -> Contact:
        async with probe.runtime.database.reading() as tx:
            await tx.fetch(unread)
        return Contact()

    tenant = await new_tenant(probe)
    for handler, error in ((break_check, "CheckViolationError"), (break_cast, "InvalidTextRepresentationError")):
        probe.get = handler
        with capture_logs() as logs:
            told = await failure(caller.contacts.CreateContact(pb.CreateContactRequest(), metadata=tenant))
        assert told.code is grpc.StatusCode.INTERNAL
        assert "Zebedee" not in str(told.trailers) + told.message + str(logs) + "".join(capfd.readouterr())
        [line] = [line for line in logs if line["event"] == "internal_error"]
        assert line["error"] == error
        assert len(line["sqlstate"]) == 5


async def new_tenant(probe: Probe) -> Metadata:
    """A tenant, made behind the probe's back: its service has no CreateUser."""
    database = probe.runtime.database.operator_pool
    assert database is not None
    session = await database.acquire()
    made: uuid.UUID = await session.conn.fetchval("INSERT INTO users (display_name) VALUES ('Test') RETURNING id")
    database.release(session)
    return (("x-tenant-id", str(made)),)


async def test_many_violations_still_fit_into_what_clients_read(probe: Probe, caller: Client) -> None:
    """A status travels in trailing metadata; one that is too long would reach nobody."""
    many = [Violation(f"requests[{i}].contact.emails[0].value", "must be an e-mail address") for i in range(1000)]

    async def refuse(request: Any, context: Context) -> Contact:
        raise InvalidArgument(many)

    probe.get = refuse
    told = await failure(caller.contacts.GetContact(get(""), metadata=as_operator()))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert told.reason == "FIELD_INVALID"
    assert len(told.violations) > 20
    assert re.search(r"; and 9\d\d more$", told.message)

    many = [Violation("x" * 20_000, "é" * 20_000)]
    told = await failure(caller.contacts.GetContact(get(""), metadata=as_operator()))
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert len(told.violations) == 1


async def test_a_batch_in_which_everything_is_wrong_hears_so(client: Client, alice: Metadata) -> None:
    bad = pb.CreateContactRequest(contact=Contact(given_name="Ada", emails=[{"value": "nobody"}]))
    told = await failure(
        client.contacts.BatchCreateContacts(pb.BatchCreateContactsRequest(requests=[bad] * 1000), metadata=alice)
    )
    assert told.code is grpc.StatusCode.INVALID_ARGUMENT
    assert "requests[0].contact.emails[0].value" in told.violations


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"\x0a\xff", b"\x0a\x02\xff\xfe", b"\0", b"\x0a\x05ab"])
async def test_bytes_that_are_no_message_are_an_invalid_argument(caller: Client, data: bytes) -> None:
    raw = unary(caller.channel, f"{SERVICE}/GetContact")
    told = await failure(raw(data, metadata=as_operator()))
    assert (told.code, told.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID")
    assert told.violations == {"request": "its bytes are no pmcrm.contacts.v1.GetContactRequest"}


async def test_bytes_that_are_no_message_in_a_stream_are_an_invalid_argument(caller: Client) -> None:
    """After the messages before them were answered."""
    good = contact_transfer_pb2.ImportContactsRequest(chunk=b"four").SerializeToString()
    call = streams(caller.channel, f"{SERVICE}/ImportContacts")(iter([good, b"\xff"]), metadata=as_operator())
    first = contact_transfer_pb2.ImportContactsResponse.FromString(await call.read())
    assert first.progress.processed == 4
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT


async def test_who_may_not_call_hears_so_whatever_the_bytes(client: Client) -> None:
    raw = unary(client.channel, f"{SERVICE}/GetContact")
    assert (await failure(raw(b"\xff"))).reason == "TENANT_MISSING"


@pytest.mark.parametrize("method", [f"{SERVICE}/NoSuchMethod", "/pmcrm.contacts.v1.NoSuchService/Get", "/", "/a/b/c"])
async def test_an_unknown_method_is_unimplemented(client: Client, method: str) -> None:
    told = await failure(unary(client.channel, method)(b"", metadata=as_operator()))
    assert told.code is grpc.StatusCode.UNIMPLEMENTED


UNBUILT = Service("insights", lambda runtime: full_names([insight_service_pb2], {}))


async def test_an_rpc_that_is_not_built_is_unimplemented_to_anybody(database: Database) -> None:
    async with running(UNBUILT, settings_for(database)) as service, connected(service) as client:
        told = await failure(unary(client.channel, "/pmcrm.insights.v1.InsightService/GetInsight")(b""))
    assert (told.code, told.reason) == (grpc.StatusCode.UNIMPLEMENTED, "NOT_BUILT")
    assert told.trailers["x-request-id"]


async def test_a_message_beyond_the_limit_is_refused(client: Client, alice: Metadata) -> None:
    huge = pb.CreateContactRequest(contact=Contact(notes="x" * (17 * 1024 * 1024)))
    told = await failure(client.contacts.CreateContact(huge, metadata=alice))
    assert told.code is grpc.StatusCode.RESOURCE_EXHAUSTED
