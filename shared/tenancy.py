"""Who may call: the tenant that the metadata name, whether it may act, and operator scope.

A tenant's life is ACTIVE → CLOSED → ERASED. Only ACTIVE is remembered, for at most `REMEMBERED_SECONDS`, so that the
hot path makes no look-up; a tenant that was closed elsewhere may therefore act that much longer in this process, and
one that was created or reopened may act at once.
"""

from __future__ import annotations

import hmac
import time
import uuid
from pathlib import Path
from typing import Any

from shared import queries
from shared.caller import Caller, caller, parse_uuid
from shared.database import Database
from shared.errors import FailedPrecondition, PermissionDenied, Unauthenticated
from shared.layers import Access, Context, Handler, Layer, Method

STATEMENTS = queries.load(Path(__file__).parent / "statements")

REMEMBERED_SECONDS = 30.0

# Beyond it the memory is emptied: a process that serves more tenants than this looks each up a little more often.
REMEMBERED_TENANTS = 100_000

FOR_OPERATORS = (Access.OPERATOR, Access.OPERATOR_FOR_TENANT)
FOR_TENANTS = (Access.TENANT, Access.OPERATOR_FOR_TENANT)


class Tenants:
    """The tenants that this process knows to be active, each until when, and its default region."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._active: dict[uuid.UUID, tuple[float, str | None]] = {}

    async def admit(self, tenant: uuid.UUID, *, closed_too: bool) -> str | None:
        """Returns the tenant's default region when it may act.

        Raises Unauthenticated for an unknown tenant, USER_CLOSED for a closed one unless `closed_too`.
        """
        until, known_region = self._active.get(tenant, (0.0, None))
        if until > time.monotonic():
            return known_region
        async with self._database.reading_as(tenant) as tx:
            state = await tx.fetchrow(STATEMENTS["tenant_state"])
        if state is None:
            raise Unauthenticated("TENANT_UNKNOWN", "no such tenant")
        region: str | None = state["default_region"]
        if not state["closed"]:
            if len(self._active) >= REMEMBERED_TENANTS:
                self._active.clear()
            self._active[tenant] = (time.monotonic() + REMEMBERED_SECONDS, region)
        elif not closed_too:
            raise user_closed()
        return region

    def forget(self, tenant: uuid.UUID) -> None:
        """Looks the tenant up anew at its next call: this process has just changed it."""
        self._active.pop(tenant, None)


def user_closed() -> FailedPrecondition:
    """What a tenant hears that has closed its account."""
    return FailedPrecondition("USER_CLOSED", "the account is closed; it can be reopened until it is erased")


def admitting(tenants: Tenants, operator_key: str | None) -> Layer:
    """The layer that accepts the call's tenant and operator scope, and sets them in the ContextVar."""
    expected = None if operator_key is None else operator_key.encode()

    def layer(handler: Handler, method: Method) -> Handler:
        async def admit(request: Any, context: Context) -> Any:
            who = caller.get()
            if who.operator_keys:
                who.operator = expected is not None and _is_operator(who, expected)
            if method.access in FOR_OPERATORS and not who.operator:
                raise PermissionDenied("OPERATOR_REQUIRED", "the call needs operator scope")
            if method.access in FOR_TENANTS or (method.access is Access.EITHER and not who.operator):
                tenant = named_tenant(who)
                who.default_region = await tenants.admit(tenant, closed_too=method.open_when_closed)
                who.tenant = tenant
            return await handler(request, context)

        return admit

    return layer


def named_tenant(who: Caller) -> uuid.UUID:
    """The one tenant that `x-tenant-id` names. Raises Unauthenticated when it is missing, malformed or doubled."""
    if not who.tenants:
        raise Unauthenticated("TENANT_MISSING", "the call carries no x-tenant-id")
    if len(who.tenants) > 1:
        raise Unauthenticated("TENANT_AMBIGUOUS", "the call carries more than one x-tenant-id")
    tenant = parse_uuid(who.tenants[0])
    if tenant is None:
        raise Unauthenticated("TENANT_MALFORMED", "x-tenant-id is not a UUID")
    return tenant


def _is_operator(who: Caller, expected: bytes) -> bool:
    # Compared in constant time; two keys of which one is wrong open nothing.
    return all(hmac.compare_digest(key.encode(), expected) for key in who.operator_keys)
