"""RequestErasure, CancelErasure and GetErasureRequest: the account closed, opened again, or on its way out.

DeleteUser and UndeleteUser of the contacts service are the same state machine: the database has a request follow them.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from pathlib import Path

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1.erasure_pb2 import ErasureRequest

from services.gdpr.erasure_record import to_erasure_request
from shared import queries
from shared.caller import caller
from shared.database import Transaction
from shared.errors import (
    FailedPrecondition,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    Unauthenticated,
    Violation,
)
from shared.fields import uuid_value
from shared.ids import new_ids
from shared.layers import Access, Context, callable_by
from shared.server import Runtime
from shared.tenancy import named_tenant, user_closed
from shared.text import checked_text
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

REASON_LIMIT = 1_000


class AccountErasures:
    """The calls of pmcrm.gdpr.v1.DataSubjectService about the erasure of the account."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._tenants = runtime.tenants
        self._grace = timedelta(days=runtime.settings.delete_grace_days)

    # Open when closed, because the repeat of the call that closed the account gets its answer again.
    @callable_by(Access.TENANT, open_when_closed=True)
    async def RequestErasure(self, request: pb.RequestErasureRequest, context: Context) -> ErasureRequest:
        """Closes the account until it is erased; USER_CLOSED when it is closed already."""
        violations = Violations()
        reason = checked_text(request.reason, "reason", REASON_LIMIT, violations)
        violations.raise_if_any()

        async def effect(tx: Transaction) -> ErasureRequest:
            if (await self._held(tx))["closed"]:
                raise user_closed()
            stale = await tx.fetchval(QUERIES["open_account_erasure"])
            if stale is not None:
                # The account was opened again by hand, which nothing followed.
                await _cancel(tx, stale, "user_undeleted")
            [erasure_id] = new_ids(1)
            await tx.fetch(QUERIES["create_account_erasure"], erasure_id, reason or None)
            await tx.fetch(QUERIES["note_erasure_state"], erasure_id, "PENDING", "requested")
            await tx.fetch(QUERIES["close_account"])
            return await self._erasure(tx, erasure_id)

        answer = await self._database.mutate(request, ErasureRequest, effect)
        self._forget()
        return answer

    @callable_by(Access.TENANT, open_when_closed=True)
    async def CancelErasure(self, request: pb.CancelErasureRequest, context: Context) -> ErasureRequest:
        """Opens the account again; ERASURE_REQUEST_NOT_FOUND, ERASURE_NOT_PENDING, ERASURE_STARTED."""
        asked = uuid_value(request.id, "id") if request.id else None

        async def effect(tx: Transaction) -> ErasureRequest:
            # Whoever begins to erase takes hold of the account first, too.
            account = await self._held(tx)
            erasure_id = asked or await tx.fetchval(QUERIES["open_account_erasure"])
            if erasure_id is None:
                raise _not_found(None)
            state = await tx.fetchval(QUERIES["erasure_state"], erasure_id)
            if state is None:
                raise _not_found(erasure_id)
            if state in ("COMPLETED", "CANCELLED"):
                message = f"erasure {erasure_id} has been cancelled or completed"
                raise FailedPrecondition("ERASURE_NOT_PENDING", message, id=str(erasure_id))
            if state == "RUNNING" or account["over"]:
                raise FailedPrecondition("ERASURE_STARTED", "the grace period is over and the account is being erased")
            await _cancel(tx, erasure_id, "cancelled")
            await tx.fetch(QUERIES["reopen_account"])
            return await self._erasure(tx, erasure_id)

        answer = await self._database.mutate(request, ErasureRequest, effect)
        self._forget()
        return answer

    @callable_by(Access.EITHER, open_when_closed=True)
    async def GetErasureRequest(self, request: pb.GetErasureRequestRequest, context: Context) -> ErasureRequest:
        """Returns an erasure with its receipt; ERASURE_REQUEST_NOT_FOUND, OPERATOR_REQUIRED."""
        erasure_id = uuid_value(request.id, "id") if request.id else None
        user_id = uuid_value(request.user_id, "user_id") if request.user_id else None
        who = caller.get()
        if who.operator:
            tenant = user_id or (named_tenant(who) if who.tenants else await self._tenant_of(erasure_id))
            reading = self._database.operating(tenant)
        elif user_id not in (None, who.tenant):
            raise PermissionDenied("OPERATOR_REQUIRED", "only operators name another tenant")
        else:
            reading = self._database.reading()
        async with reading as tx:
            return await self._erasure(tx, erasure_id)

    async def _held(self, tx: Transaction) -> dict[str, bool]:
        """Takes hold of the account: whether it is closed, and whether its grace period is over."""
        account = await tx.fetchrow(QUERIES["hold_account"], self._grace)
        if account is None:
            raise Unauthenticated("TENANT_UNKNOWN", "no such tenant")
        return dict(account)

    async def _erasure(self, tx: Transaction, erasure_id: uuid.UUID | None) -> ErasureRequest:
        row = await tx.fetchrow(QUERIES["get_erasure_request"], erasure_id)
        if row is None:
            raise _not_found(erasure_id)
        return to_erasure_request(row, self._grace)

    async def _tenant_of(self, erasure_id: uuid.UUID | None) -> uuid.UUID:
        """Whose an erasure is that an operator names without its tenant."""
        if erasure_id is None:
            raise InvalidArgument([Violation("user_id", "must be given by operators who name no tenant and no id")])
        async with self._database.operating() as tx:
            tenant: uuid.UUID | None = await tx.fetchval(QUERIES["tenant_of_erasure"], erasure_id)
        if tenant is None:
            raise _not_found(erasure_id)
        return tenant

    def _forget(self) -> None:
        tenant = caller.get().tenant
        if tenant is not None:
            self._tenants.forget(tenant)


async def _cancel(tx: Transaction, erasure_id: uuid.UUID, cause: str) -> None:
    await tx.fetch(QUERIES["cancel_erasure"], erasure_id)
    await tx.fetch(QUERIES["note_erasure_state"], erasure_id, "CANCELLED", cause)


def _not_found(erasure_id: uuid.UUID | None) -> NotFound:
    if erasure_id is None:
        return NotFound("ERASURE_REQUEST_NOT_FOUND", "no erasure of the account was requested")
    return NotFound("ERASURE_REQUEST_NOT_FOUND", f"no erasure request {erasure_id}", id=str(erasure_id))
