"""One tenant neither reads nor verifies another's audit log, and neither's tampered log is the other's."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.gdpr.v1 import audit_service_pb2 as pb

from services.gdpr.audit_service import AuditService
from tests.postgres import Connection, Database
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.test_isolation import built, everything_of
from tests.services.gdpr.audit_calls import Trail, seal_from_the_start, write_entries
from tests.suite import failure

# Each call that names a tenant.
ON_A_TENANT: dict[str, Callable[[str], Message]] = {
    "ListAuditLogs": lambda key: pb.ListAuditLogsRequest(user_id=key),
    "ListAuditLogs with a total": lambda key: pb.ListAuditLogsRequest(user_id=key, include_total_size=True),
    "VerifyAuditLog": lambda key: pb.VerifyAuditLogRequest(user_id=key),
    "VerifyAuditLog by a head": lambda key: pb.VerifyAuditLogRequest(user_id=key, expected_head="1:" + "a" * 64),
}


def test_every_call_that_is_built_is_tried_here() -> None:
    assert built(pb, "AuditService", AuditService) == {name.split()[0] for name in ON_A_TENANT}


async def send(trail: Trail, request: Message) -> Any:
    name = type(request).__name__.removesuffix("Request")
    return await getattr(trail.stub, name)(request, metadata=trail.tenant)


@pytest.mark.parametrize("call", ON_A_TENANT)
async def test_another_tenant_is_answered_like_none_at_all(
    trail: Trail, bobs_trail: Trail, as_superuser: Connection, call: str
) -> None:
    before = await everything_of(as_superuser, str(trail.id))
    request = ON_A_TENANT[call]
    foreign = await failure(send(bobs_trail, request(str(trail.id))))
    missing = await failure(send(bobs_trail, request(NOBODY)))
    assert (foreign.code, foreign.reason) == (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED")
    assert foreign.status == missing.status
    assert await everything_of(as_superuser, str(trail.id)) == before
    await send(trail, request(str(trail.id)))


async def test_another_tenants_rows_subjects_and_requests_find_nothing(
    trail: Trail, bobs_trail: Trail, as_superuser: Connection
) -> None:
    row, subject, request = uuid.uuid4(), uuid.uuid4(), uuid.uuid4()
    await write_entries(as_superuser, trail.id, 2, row_id=row, subject_id=subject, request_id=request, actor="ada-1")
    filters: list[dict[str, Any]] = [
        {"entity_id": str(row)},
        {"subject_id": str(subject)},
        {"logged_request_id": str(request)},
        {"actor": "ada-1"},
    ]
    for arguments in filters:
        hers = await trail.page(include_total_size=True, **arguments)
        his = await bobs_trail.page(include_total_size=True, **arguments)
        assert (len(hers.audit_logs), hers.total_size) == (2, 2)
        assert (len(his.audit_logs), his.total_size) == (0, 0)


async def test_a_page_token_opens_no_other_tenants_list(
    trail: Trail, bobs_trail: Trail, as_superuser: Connection
) -> None:
    for each in (trail, bobs_trail):
        await write_entries(as_superuser, each.id, 3)
    token = (await trail.page(page_size=1)).next_page_token
    foreign = await failure(bobs_trail.page(page_token=token))
    nonsense = await failure(bobs_trail.page(page_token=token[::-1]))
    assert foreign.status == nonsense.status
    assert (await trail.page(page_token=token)).audit_logs


async def test_another_tenants_head_is_in_no_chain_but_its_own(
    database: Database, trail: Trail, bobs_trail: Trail, as_superuser: Connection
) -> None:
    for each in (trail, bobs_trail):
        await write_entries(as_superuser, each.id, 3)
    await seal_from_the_start(database)
    head = (await trail.verify()).head
    assert (await trail.verify(head)).valid
    assert (await bobs_trail.verify(head)).problem == pb.AUDIT_PROBLEM_HEAD_MISSING


async def test_tenants_with_identical_logs_do_not_affect_each_other(
    database: Database, trail: Trail, bobs_trail: Trail, book: Book, bobs: Book, as_superuser: Connection
) -> None:
    start = datetime.now(UTC) - timedelta(hours=1)
    for each, contacts in ((trail, book), (bobs_trail, bobs)):
        await write_entries(as_superuser, each.id, 5, start=start, subject_id=uuid.UUID(int=9))
        await contacts.create(given_name="Ada")
    await seal_from_the_start(database, most=2)
    before = await everything_of(as_superuser, str(bobs_trail.id))
    checked = await bobs_trail.verify()
    await as_superuser.execute("UPDATE audit_logs SET actor = 'mallory' WHERE user_id = $1", trail.id)
    assert not (await trail.verify()).valid
    assert await bobs_trail.verify() == checked
    assert checked.valid
    assert await everything_of(as_superuser, str(bobs_trail.id)) == before
