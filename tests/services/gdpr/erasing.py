"""The calls that tests of erasing contacts make most, in short, and what the database says of it."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1 import data_subject_service_pb2_grpc
from pmcrm.gdpr.v1.erasure_pb2 import ErasureReceipt

from tests.postgres import Connection
from tests.suite import Metadata, tenant_of

# Entries whose payload is gone.
EMPTY = """
    SELECT id FROM audit_logs WHERE user_id = $1 AND erased_by IS NOT NULL
        AND num_nonnulls(old_values, new_values, actor, client_ip, user_agent, salt) = 0
"""
NAMED = """
    SELECT jsonb_array_elements_text(new_values -> 'entries')::uuid FROM audit_logs
    WHERE user_id = $1 AND action = 'ERASE'
"""
PAYLOADS = """
    SELECT coalesce(string_agg(a::text, E'\n'), '') FROM audit_logs AS a WHERE user_id = $1
"""


class Erasing:
    """Erasures of one tenant: `await erasing.erase(contact.id)`."""

    def __init__(self, stub: data_subject_service_pb2_grpc.DataSubjectServiceStub, tenant: Metadata) -> None:
        self.stub = stub
        self.tenant = tenant
        self.user_id = uuid.UUID(tenant_of(tenant))

    async def erase(self, contact_id: str, request_id: str = "", metadata: Metadata = ()) -> ErasureReceipt:
        request = pb.EraseContactRequest(contact_id=contact_id, request_id=request_id)
        answer: ErasureReceipt = await self.stub.EraseContact(request, metadata=(*self.tenant, *metadata))
        return answer

    async def remove_suppression(self, **arguments: Any) -> int:
        request = pb.RemoveSuppressionRequest(**arguments)
        answer = await self.stub.RemoveSuppression(request, metadata=self.tenant)
        return int(answer.removed)

    async def ids(self, conn: Connection, statement: str) -> set[uuid.UUID]:
        """The first column of a statement whose $1 is the tenant."""
        return {row[0] for row in await conn.fetch(statement, self.user_id)}

    async def log_text(self, conn: Connection) -> str:
        """Everything that the tenant's audit log says. conn: a superuser's."""
        return str(await conn.fetchval(PAYLOADS, self.user_id))

    async def hold(self, conn: Connection, contact_id: str | None, *, released: bool = False) -> None:
        """Places a legal hold on a contact, or on the tenant. conn: a superuser's."""
        await conn.execute(
            "INSERT INTO legal_holds (user_id, contact_id, reason, released_at) VALUES ($1, $2, 'file 17', $3)",
            self.user_id,
            contact_id,
            await conn.fetchval("SELECT now()") if released else None,
        )


async def row_of(conn: Connection, statement: str, *arguments: object) -> Mapping[str, Any]:
    """The one row of a statement."""
    [row] = await conn.fetch(statement, *arguments)
    found: Mapping[str, Any] = row
    return found


def counts(receipt: ErasureReceipt, *tables: str) -> list[int]:
    """How many rows of these tables a receipt counts."""
    return [receipt.row_counts.get(table, 0) for table in tables]
