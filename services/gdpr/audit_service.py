"""AuditService: a tenant's audit log, read by it or by operators, and the proof that nobody has tampered with it."""

from __future__ import annotations

import uuid
from pathlib import Path

from google.protobuf.empty_pb2 import Empty
from pmcrm.gdpr.v1 import audit_service_pb2 as pb

from services.gdpr import audit_listing as listing
from services.gdpr.audit_verifying import Verification
from shared import queries
from shared.audit_chain import Head
from shared.caller import caller
from shared.database import Transaction
from shared.errors import FailedPrecondition, InvalidArgument, NotFound, PermissionDenied, Violation
from shared.fields import uuid_value
from shared.keys import KeyRing
from shared.layers import Access, Context, callable_by
from shared.server import Runtime
from shared.tenancy import named_tenant

QUERIES = queries.load(Path(__file__).parent / "queries")


class AuditService:
    """The servicer of pmcrm.gdpr.v1.AuditService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._seal_keys = runtime.settings.seal_keys

    @callable_by(Access.EITHER)
    async def ListAuditLogs(self, request: pb.ListAuditLogsRequest, context: Context) -> pb.ListAuditLogsResponse:
        """Lists entries, newest first unless asked otherwise, a page at a time; OPERATOR_REQUIRED, USER_NOT_FOUND."""
        tenant = whose(request.user_id)
        wanted = listing.read(request, tenant, self._page_tokens)
        if not caller.get().operator:
            async with self._database.reading() as tx:
                return await listing.fetch(tx, request, wanted, self._page_tokens)

        async def effect(tx: Transaction) -> pb.ListAuditLogsResponse:
            answer = await listing.fetch(tx, request, wanted, self._page_tokens)
            await _note_reading(tx, tenant, "entries")
            return answer

        # Nothing is shown before the entry about it is committed.
        return await self._database.claim_operating(None, pb.ListAuditLogsResponse, effect, about=tenant)

    @callable_by(Access.EITHER)
    async def VerifyAuditLog(self, request: pb.VerifyAuditLogRequest, context: Context) -> pb.VerifyAuditLogResponse:
        """Checks entries, seals and the chain, and says what is wrong first; OPERATOR_REQUIRED, USER_NOT_FOUND,
        SEALING_NOT_CONFIGURED."""
        tenant = whose(request.user_id)
        expected = head_value(request.expected_head, "expected_head") if request.expected_head else None
        keys = self._keys()
        if not caller.get().operator:
            async with self._database.snapshot() as tx:
                return await Verification(tx, tenant, keys, expected).run()

        async def effect(tx: Transaction) -> Empty:
            await _note_reading(tx, tenant, "proof")
            return Empty()

        await self._database.claim_operating(None, Empty, effect, about=tenant)
        async with self._database.operating_snapshot(tenant) as tx:
            return await Verification(tx, tenant, keys, expected).run()

    def _keys(self) -> KeyRing:
        if self._seal_keys is None:
            raise FailedPrecondition(
                "SEALING_NOT_CONFIGURED", "the server has no seal keys: PMCRM_SEAL_KEYS is not set"
            )
        return self._seal_keys


def whose(user_id: str) -> uuid.UUID:
    """The tenant whose log is meant: the one that the call names, else the calling one.

    Raises InvalidArgument, and OPERATOR_REQUIRED when a tenant names another one, whether or not there is such a one.
    """
    who = caller.get()
    if not user_id:
        if who.tenant is None and not who.tenants:
            raise InvalidArgument([Violation("user_id", "must be given by operators who name no tenant")])
        return who.tenant or named_tenant(who)
    tenant = uuid_value(user_id, "user_id")
    if not who.operator and tenant != who.tenant:
        raise PermissionDenied("OPERATOR_REQUIRED", "only operators read the audit logs of others")
    return tenant


def head_value(text: str, field: str) -> Head:
    """The head that a text spells. Raises InvalidArgument naming the field when it spells none."""
    head = Head.parse(text)
    if head is None:
        raise InvalidArgument([Violation(field, "must be a head that VerifyAuditLog returned")])
    return head


async def _note_reading(tx: Transaction, tenant: uuid.UUID, what: str) -> None:
    if await tx.fetchrow(QUERIES["has_audit_log"]) is None:
        raise NotFound("USER_NOT_FOUND", f"there is no audit log of user {tenant}", id=str(tenant))
    await tx.fetch(QUERIES["note_audit_reading"], what)
