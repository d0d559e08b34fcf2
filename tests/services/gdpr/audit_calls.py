"""Sealing, as the worker does it, and what tests of the audit log write, call and forge, in short."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.gdpr.v1 import audit_log_pb2, audit_service_pb2_grpc
from pmcrm.gdpr.v1 import audit_service_pb2 as pb

from shared.audit_sealing import Sealed, seal_audit
from shared.keys import Key, KeyRing
from tests.postgres import Connection, Database, bound
from tests.suite import Metadata, tenant_of

KEYS = KeyRing((Key("s2", b"2" * 32), Key("s1", b"1" * 32)))

AuditLog = audit_log_pb2.AuditLog


def problem(name: str) -> int:
    return int(pb.AuditProblem.Value(f"AUDIT_PROBLEM_{name}"))


async def seal(database: Database, keys: KeyRing = KEYS, *, most: int = 1_000) -> Sealed:
    """Seals what there is, at once: entries are not waited for that could only come from transactions now open."""
    async with database.connect("pmcrm_service") as conn:
        return await seal_audit(conn, keys, most=most)


async def seal_from_the_start(database: Database, *, most: int = 1_000) -> Sealed:
    """The same where entries were written with times of one's own, which may lie before what has been sealed."""
    async with database.connect() as conn:
        await conn.execute("UPDATE app.audit_sealing SET horizon = '-infinity'")
    return await seal(database, most=most)


async def archive(conn: Connection, tenant: uuid.UUID) -> None:
    """Moves a tenant's entries to the archive, as if their months had been; conn: as superuser."""
    await conn.execute("CREATE TABLE IF NOT EXISTS audit_logs_archive_rest PARTITION OF audit_logs_archive DEFAULT")
    await conn.execute(
        "WITH moved AS (DELETE FROM audit_logs WHERE user_id = $1 RETURNING *) "
        "INSERT INTO audit_logs_archive SELECT * FROM moved",
        tenant,
    )


def a_time(at: datetime) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(at)
    return time


async def write_entries(
    conn: Connection,
    tenant: uuid.UUID,
    count: int,
    *,
    start: datetime | None = None,
    step: timedelta = timedelta(milliseconds=1),
    **columns: Any,
) -> list[uuid.UUID]:
    """Entries as the trigger writes them, for a time of one's own; the last one `step` after the one before."""
    first = start or datetime.now(UTC) - timedelta(hours=1)
    given = {
        "subject_id": uuid.uuid4(),
        "row_id": None,
        "request_id": None,
        "table_name": "contacts",
        "action": "UPDATE",
        "role_name": "pmcrm_contacts",
        "actor": "ada",
        "client_ip": "203.0.113.7",
        "user_agent": "tests",
        "old_values": {"notes": "shy"},
        "new_values": {"notes": "not shy"},
    } | columns
    rows = await conn.fetch(
        """
        INSERT INTO audit_logs (
            user_id, at, subject_id, row_id, request_id, table_name, action, role_name, actor, client_ip, user_agent,
            old_values, new_values, salt, digest
        )
        SELECT $1, $2::timestamptz + n * $3::interval, $4, $5, $6, $7, $8, $9, $10, $11::text::inet, $12,
            $13::jsonb || jsonb_build_object('n', n), $14::jsonb,
            made.salt,
            app.audit_digest(made.salt, $13::jsonb || jsonb_build_object('n', n), $14::jsonb, $10, $11::text::inet, $12)
        FROM generate_series(0, $15::integer - 1) AS n
        CROSS JOIN LATERAL (SELECT sha256(n::text::bytea) AS salt) AS made
        RETURNING id
        """,
        tenant,
        first,
        step,
        *(
            given[name]
            for name in (
                "subject_id",
                "row_id",
                "request_id",
                "table_name",
                "action",
                "role_name",
                "actor",
                "client_ip",
                "user_agent",
                "old_values",
                "new_values",
            )
        ),
        count,
    )
    return [row["id"] for row in rows]


async def chain_of(conn: Connection, tenant: uuid.UUID) -> list[Any]:
    """A tenant's seals, in their order."""
    return list(await conn.fetch("SELECT * FROM audit_seals WHERE user_id = $1 ORDER BY seq", tenant))


class Trail:
    """One tenant's audit log: `await trail.verify()`, `await trail.page(page_size=3)`."""

    def __init__(self, stub: audit_service_pb2_grpc.AuditServiceStub, tenant: Metadata) -> None:
        self.stub = stub
        self.tenant = tenant
        self.id = uuid.UUID(tenant_of(tenant))

    async def verify(self, expected_head: str = "", **arguments: Any) -> pb.VerifyAuditLogResponse:
        request = pb.VerifyAuditLogRequest(expected_head=expected_head, **arguments)
        answer: pb.VerifyAuditLogResponse = await self.stub.VerifyAuditLog(request, metadata=self.tenant)
        return answer

    async def page(self, metadata: Metadata = (), **arguments: Any) -> pb.ListAuditLogsResponse:
        request = pb.ListAuditLogsRequest(**arguments)
        answer: pb.ListAuditLogsResponse = await self.stub.ListAuditLogs(request, metadata=(*self.tenant, *metadata))
        return answer

    async def entries(self, **arguments: Any) -> list[AuditLog]:
        return list((await self.page(**({"page_size": 1_000} | arguments))).audit_logs)


async def update_something(conn: Connection, tenant: uuid.UUID, contact: uuid.UUID, notes: str) -> None:
    """A write of a contact as the contacts service makes it; conn: as pmcrm_contacts."""
    async with bound(conn, tenant):
        await conn.execute("UPDATE contacts SET notes = $3 WHERE user_id = $1 AND id = $2", tenant, contact, notes)
