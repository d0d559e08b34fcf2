"""PlaceLegalHold and ReleaseLegalHold: what must not be purged, erased or dropped for now."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pmcrm.gdpr.v1 import retention_service_pb2 as pb

from shared import queries
from shared.database import Transaction
from shared.errors import FailedPrecondition, NotFound
from shared.fields import uuid_field
from shared.layers import Access, Context, callable_by
from shared.server import Runtime
from shared.text import checked_text
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

REASON_LIMIT = 1_000


class LegalHolds:
    """The calls of pmcrm.gdpr.v1.RetentionService about legal holds."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    @callable_by(Access.OPERATOR)
    async def PlaceLegalHold(self, request: pb.PlaceLegalHoldRequest, context: Context) -> pb.LegalHold:
        """Places a hold; USER_NOT_FOUND, CONTACT_NOT_FOUND, ERASURE_STARTED."""
        user_id = uuid_field(request, "user_id")
        asked = uuid_field(request, "contact_id") if request.contact_id else None
        violations = Violations()
        reason = checked_text(request.reason, "reason", REASON_LIMIT, violations).strip()
        if not reason and not violations:
            violations.add("reason", "must be given")
        violations.raise_if_any()

        async def effect(tx: Transaction) -> pb.LegalHold:
            tenant = await tx.fetchrow(QUERIES["hold_tenant"])
            if tenant is None or tenant["erased_at"] is not None:
                raise NotFound("USER_NOT_FOUND", f"no user {user_id}", id=str(user_id))
            await tx.fetch(QUERIES["keep_contacts"])
            contact_id = None
            if asked is not None:
                contact_id = await tx.fetchval(QUERIES["contact_to_hold"], asked)
                if contact_id is None:
                    raise NotFound("CONTACT_NOT_FOUND", f"no contact {asked}", id=str(asked))
            erasure = await tx.fetchrow(QUERIES["open_erasure"])
            if erasure is not None and erasure["state"] == "RUNNING":
                raise FailedPrecondition("ERASURE_STARTED", "the account is being erased")
            row = await tx.fetchrow(QUERIES["place_legal_hold"], contact_id, reason)
            if erasure is not None and erasure["cause"] != "held":
                await tx.fetch(QUERIES["note_hold"], erasure["id"], "held")
            return _to_hold(row)

        return await self._database.operate(request, pb.LegalHold, effect, about=user_id)

    @callable_by(Access.OPERATOR)
    async def ReleaseLegalHold(self, request: pb.ReleaseLegalHoldRequest, context: Context) -> pb.LegalHold:
        """Releases a hold; LEGAL_HOLD_NOT_FOUND when it is not in force."""
        hold_id = uuid_field(request, "id")
        async with self._database.operating() as tx:
            tenant: uuid.UUID | None = await tx.fetchval(QUERIES["tenant_of_hold"], hold_id)
        if tenant is None:
            raise _not_found(hold_id)

        async def effect(tx: Transaction) -> pb.LegalHold:
            await tx.fetchrow(QUERIES["hold_tenant"])
            row = await tx.fetchrow(QUERIES["release_legal_hold"], hold_id)
            if row is None:
                raise _not_found(hold_id)
            erasure = await tx.fetchrow(QUERIES["open_erasure"])
            # Another hold may keep it still.
            if erasure is not None and erasure["cause"] == "held" and not erasure["held"]:
                await tx.fetch(QUERIES["note_hold"], erasure["id"], "released")
            return _to_hold(row)

        return await self._database.operate(request, pb.LegalHold, effect, about=tenant)


def _to_hold(row: Mapping[str, Any] | None) -> pb.LegalHold:
    if row is None:
        raise RuntimeError("a statement that writes a legal hold returned none")
    return pb.LegalHold(**row)


def _not_found(hold_id: uuid.UUID) -> NotFound:
    return NotFound("LEGAL_HOLD_NOT_FOUND", f"no legal hold {hold_id} is in force", id=str(hold_id))
