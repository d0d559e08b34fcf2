"""A service of the suite in the tests' own process, on a free port, and the calls that tests make to it."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import grpc.aio
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status
from pmcrm.contacts.v1 import contact_service_pb2 as contacts_pb
from pmcrm.contacts.v1 import (
    contact_service_pb2_grpc,
    organization_service_pb2_grpc,
    tag_service_pb2_grpc,
    user_service_pb2_grpc,
)
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.user_pb2 import User

from shared.keys import KeyRing
from shared.server import RunningService, Service
from shared.settings import Settings
from tests.postgres import Database

OPERATOR_KEY = "an operator key for tests"
PAGE_KEYS = "k1:" + "A" * 43 + "="
SUPPRESSION_KEYS = "s1:" + "B" * 43 + "="

Metadata = tuple[tuple[str, str], ...]


def settings_for(database: Database, **changes: Any) -> Settings:
    """Settings of a service on a test's database, on free ports."""
    values: dict[str, Any] = {
        "contacts_port": 0,
        "interactions_port": 0,
        "insights_port": 0,
        "gdpr_port": 0,
        "operator_key": OPERATOR_KEY,
        "page_token_keys": KeyRing.parse(PAGE_KEYS),
        "suppression_keys": KeyRing.parse(SUPPRESSION_KEYS),
    }
    return Settings.load(**(values | changes)).with_role_urls(database.urls)


class Client:
    """Stubs of the contacts service on one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.channel = channel
        self.users = user_service_pb2_grpc.UserServiceStub(channel)
        self.contacts = contact_service_pb2_grpc.ContactServiceStub(channel)
        self.organizations = organization_service_pb2_grpc.OrganizationServiceStub(channel)
        self.tags = tag_service_pb2_grpc.TagServiceStub(channel)

    async def new_tenant(self, **fields: Any) -> Metadata:
        """A new user; returns the metadata with which it calls."""
        user: User = await self.users.CreateUser(
            users_pb.CreateUserRequest(user=User(**fields)), metadata=as_operator()
        )
        return as_tenant(user.id)


@asynccontextmanager
async def running(service: Service, settings: Settings) -> AsyncIterator[RunningService]:
    """The service, listening until the block ends."""
    started = RunningService(service, settings)
    await started.start()
    try:
        yield started
    finally:
        await started.stop()


@asynccontextmanager
async def connected(service: RunningService) -> AsyncIterator[Client]:
    """A client of a running service."""
    async with grpc.aio.insecure_channel(f"127.0.0.1:{service.port}") as channel:
        yield Client(channel)


def as_tenant(tenant: str | uuid.UUID) -> Metadata:
    return (("x-tenant-id", str(tenant)),)


def as_operator() -> Metadata:
    return (("x-operator-key", OPERATOR_KEY),)


def tenant_of(metadata: Metadata) -> str:
    return dict(metadata)["x-tenant-id"]


def new_request_id() -> str:
    return str(uuid.uuid4())


class Failure:
    """What a failed call told its caller."""

    def __init__(self, error: grpc.aio.AioRpcError) -> None:
        self.code = error.code()
        self.message = error.details() or ""
        self.trailers = dict(error.trailing_metadata() or ())
        status: status_pb2.Status | None = rpc_status.from_call(error)  # type: ignore[arg-type]  # has what a call has
        self.status = status
        self.reason = ""
        self.metadata: dict[str, str] = {}
        self.violations: dict[str, str] = {}
        self.retry_after: float | None = None
        for detail in status.details if status else ():
            self._read(detail)

    def _read(self, detail: Any) -> None:
        info, bad, retry = (
            error_details_pb2.ErrorInfo(),
            error_details_pb2.BadRequest(),
            error_details_pb2.RetryInfo(),
        )
        if detail.Unpack(info):
            assert info.domain == "pmcrm"
            self.reason, self.metadata = info.reason, dict(info.metadata)
        elif detail.Unpack(bad):
            self.violations = {v.field: v.description for v in bad.field_violations}
        elif detail.Unpack(retry):
            self.retry_after = retry.retry_delay.ToTimedelta().total_seconds()

    def __repr__(self) -> str:
        return f"{self.code.name} {self.reason} {self.violations or self.message}"


async def failure(call: Any) -> Failure:
    """The failure of a call that must fail; a call that succeeds fails the test."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        return Failure(error)
    raise AssertionError(f"the call succeeded: {type(answer).__name__}")


def get(contact_id: str) -> contacts_pb.GetContactRequest:
    return contacts_pb.GetContactRequest(id=contact_id)
