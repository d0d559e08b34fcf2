"""RetentionService is the operators': no tenant, with whatever it sends, purges, archives, drops or holds anything."""

from __future__ import annotations

import uuid

import grpc
import pytest
from google.protobuf.message import Message
from pmcrm.gdpr.v1 import retention_service_pb2 as pb

from tests.suite import as_operator, failure, tenant_of

CALLS: dict[str, Message] = {
    "PurgeDeleted": pb.PurgeDeletedRequest(days=0),
    "ArchiveAuditLogs": pb.ArchiveAuditLogsRequest(years=1),
    "PurgeExpiredAuditLogs": pb.PurgeExpiredAuditLogsRequest(years=1),
    "PlaceLegalHold": pb.PlaceLegalHoldRequest(reason="file 17"),
    "ReleaseLegalHold": pb.ReleaseLegalHoldRequest(id=str(uuid.uuid4())),
}


def test_every_call_is_tried() -> None:
    [service] = pb.DESCRIPTOR.services_by_name.values()
    assert {method.name for method in service.methods} == set(CALLS)


@pytest.mark.parametrize("method", CALLS)
async def test_a_tenant_is_refused(gdpr, alice, book, database, method):
    contact = await book.create(given_name="Ada")
    request = CALLS[method]
    if isinstance(request, pb.PlaceLegalHoldRequest):
        request = pb.PlaceLegalHoldRequest(user_id=tenant_of(alice), reason=request.reason)
    for metadata in (alice, (*alice, ("x-operator-key", "a guess"))):
        refused = await failure(getattr(gdpr.retention, method)(request, metadata=metadata))
        assert (refused.code, refused.reason) == (grpc.StatusCode.PERMISSION_DENIED, "OPERATOR_REQUIRED")
    async with database.connect() as superuser:
        held = await superuser.fetchval(
            "SELECT count(*) FROM legal_holds WHERE user_id = $1", uuid.UUID(tenant_of(alice))
        )
    assert (held, (await book.get(contact.id)).id) == (0, contact.id)
    # The same call by an operator does something, or says what is missing.
    call = getattr(gdpr.retention, method)(request, metadata=as_operator())
    if method == "ReleaseLegalHold":
        assert (await failure(call)).reason == "LEGAL_HOLD_NOT_FOUND"
    else:
        await call
