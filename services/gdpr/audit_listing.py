"""ListAuditLogs: what its request asks for, and the page that answers it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from pmcrm.gdpr.v1 import audit_service_pb2 as pb
from pmcrm.gdpr.v1.audit_log_pb2 import AuditLog, AuditOperation

from shared import queries
from shared.database import Transaction
from shared.fields import time_value, uuid_value
from shared.masks import check_mask, masked
from shared.pages import Page, PageTokens, ordering
from shared.text import checked_line
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

NEWEST_FIRST = "log_time desc"
OPERATION_PREFIX = "AUDIT_OPERATION_"

TABLE = re.compile(r"[a-z_]{1,63}")
# As long as what is kept of `x-actor`.
ACTOR_LIMIT = 300

# What works across tenants: operators' calls and jobs. And what is noted when it is read, which operators alone may.
OPERATORS_ROLE = "pmcrm_service"
OPERATORS_ACTION = "READ"


@dataclass(frozen=True, slots=True)
class Filters:
    """What entries must be like; None for whatever they are. action: the operation without its prefix."""

    after: datetime | None
    before: datetime | None
    table: str | None
    actor: str | None
    action: str | None
    request_id: uuid.UUID | None
    archived: bool

    def arguments(self) -> tuple[object, ...]:
        """As the statements take them."""
        return (self.after, self.before, self.table, self.actor, self.action, self.request_id, self.archived)


@dataclass(frozen=True, slots=True)
class Listing:
    """A checked ListAuditLogs request of a tenant, or about one by an operator."""

    tenant: uuid.UUID
    page: Page
    descending: bool
    filters: Filters
    row_id: uuid.UUID | None
    subject_id: uuid.UUID | None


def read(request: pb.ListAuditLogsRequest, tenant: uuid.UUID, tokens: PageTokens) -> Listing:
    """Checks a request. Raises InvalidArgument."""
    _, descending = ordering(request.order_by or NEWEST_FIRST, ("log_time",), default="log_time")
    check_mask(AuditLog, request.read_mask)
    page = tokens.read(request, tenant)
    violations = Violations()
    if request.entity_type and not TABLE.fullmatch(request.entity_type):
        violations.add("entity_type", "must be the name of a table, such as `contacts`")
    actor = checked_line(request.actor, "actor", ACTOR_LIMIT, violations)
    if request.operation not in AuditOperation.values():
        violations.add("operation", "must be one of the operations")
    violations.raise_if_any()
    operation = AuditOperation.Name(request.operation).removeprefix(OPERATION_PREFIX) if request.operation else None
    filters = Filters(
        after=time_value(request, "log_after"),
        before=time_value(request, "log_before"),
        table=request.entity_type or None,
        actor=actor or None,
        action=operation,
        request_id=_id(request.logged_request_id, "logged_request_id"),
        archived=request.show_archived,
    )
    row_id, subject_id = _id(request.entity_id, "entity_id"), _id(request.subject_id, "subject_id")
    return Listing(tenant, page, descending, filters, row_id, subject_id)


async def fetch(
    tx: Transaction, request: pb.ListAuditLogsRequest, listing: Listing, tokens: PageTokens
) -> pb.ListAuditLogsResponse:
    """The page; one row more than it holds is read, which tells whether there is another."""
    page, filters = listing.page, listing.filters
    position, last_id = page.after or (None, None)
    arguments = (position, last_id, page.size + 1, page.skip, *filters.arguments())
    way = "_desc" if listing.descending else ""
    if listing.row_id is not None:
        rows = await tx.fetch(QUERIES[f"list_audit_logs_of_row{way}"], *arguments, listing.row_id, listing.subject_id)
    elif listing.subject_id is not None:
        rows = await tx.fetch(QUERIES[f"list_audit_logs_of_subject{way}"], *arguments, listing.subject_id)
    else:
        rows = await tx.fetch(QUERIES[f"list_audit_logs{way}"], *arguments)
    total = 0
    if request.include_total_size:
        counted = (*filters.arguments(), listing.row_id, listing.subject_id)
        total = await tx.fetchval(QUERIES["count_audit_logs"], *counted)
    shown = rows[: page.size]
    seals = await _seals_of(tx, shown)
    response = pb.ListAuditLogsResponse(
        audit_logs=[masked(to_audit_log(row, seals.get(row["id"], 0)), request.read_mask) for row in shown],
        total_size=total,
    )
    if len(rows) > page.size:
        last = shown[-1]
        response.next_page_token = tokens.seal(request, listing.tenant, [last["position"], str(last["id"])])
    return response


def to_audit_log(row: Mapping[str, Any], seal: int) -> AuditLog:
    """The entry that a row of audit_rows holds. seal: the number of its seal, 0 for none."""
    entry = AuditLog(
        id=str(row["id"]),
        user_id=str(row["user_id"]),
        log_time=row["log_time"],
        operation=OPERATION_PREFIX + row["action"],
        entity_type=row["entity_type"],
        entity_id=str(row["entity_id"] or ""),
        subject_id=str(row["subject_id"]),
        actor=row["actor"],
        operator_scope=row["role_name"] == OPERATORS_ROLE or row["action"] == OPERATORS_ACTION,
        client_ip=row["client_ip"],
        user_agent=row["user_agent"],
        request_id=str(row["request_id"] or ""),
        seal=seal,
        erased_by_receipt_id=str(row["erased_by"] or ""),
        archived=row["archived"],
    )
    for name in ("old_values", "new_values"):
        if isinstance(row[name], dict):
            getattr(entry, name).update(row[name])
    if row["action"] == "UPDATE":
        entry.changed_fields.extend(sorted(entry.new_values.fields))
    return entry


async def _seals_of(tx: Transaction, rows: Sequence[Mapping[str, Any]]) -> dict[uuid.UUID, int]:
    if not rows:
        return {}
    times, ids = [row["log_time"] for row in rows], [row["id"] for row in rows]
    return {row["id"]: row["seq"] for row in await tx.fetch(QUERIES["seals_of_entries"], times, ids)}


def _id(text: str, field: str) -> uuid.UUID | None:
    return uuid_value(text, field) if text else None
