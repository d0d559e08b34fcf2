"""RestrictProcessing and LiftRestriction: a contact is kept and not used (GDPR Art. 18), and may be used again."""

from __future__ import annotations

import uuid
from pathlib import Path

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from shared import queries
from shared.database import Row, Transaction
from shared.fields import uuid_field
from shared.layers import Context
from shared.living_contacts import contact_not_found
from shared.server import Runtime
from shared.text import checked_text
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

NOTE_LIMIT = 1_000
REASON_PREFIX = "RESTRICTION_REASON_"


class Restrictions:
    """The calls of pmcrm.gdpr.v1.DataSubjectService that restrict the processing of contacts, and permit it again."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database

    async def RestrictProcessing(
        self, request: pb.RestrictProcessingRequest, context: Context
    ) -> pb.ProcessingRestriction:
        """Restricts the processing of a living contact, or says anew why it is restricted; CONTACT_NOT_FOUND."""
        violations = Violations()
        reason = checked_reason(request.reason, violations)
        note = checked_text(request.note, "note", NOTE_LIMIT, violations).strip() or None
        violations.raise_if_any()
        contact_id = uuid_field(request, "contact_id")

        async def effect(tx: Transaction) -> pb.ProcessingRestriction:
            held = await _hold(tx, contact_id)
            if not held["processing_restricted"]:
                await tx.fetch(QUERIES["set_processing_restricted"], held["contact_id"], True)
            await tx.fetch(
                QUERIES["record_restriction"], held["contact_id"], reason, note, held["processing_restricted"]
            )
            return await _restriction(tx, held["contact_id"])

        return await self._database.mutate(request, pb.ProcessingRestriction, effect)

    async def LiftRestriction(self, request: pb.LiftRestrictionRequest, context: Context) -> pb.ProcessingRestriction:
        """Permits the processing of a living contact again; changes nothing when it is permitted; CONTACT_NOT_FOUND."""
        violations = Violations()
        note = checked_text(request.note, "note", NOTE_LIMIT, violations).strip() or None
        violations.raise_if_any()
        contact_id = uuid_field(request, "contact_id")

        async def effect(tx: Transaction) -> pb.ProcessingRestriction:
            held = await _hold(tx, contact_id)
            if held["processing_restricted"]:
                await tx.fetch(QUERIES["set_processing_restricted"], held["contact_id"], False)
                await tx.fetch(QUERIES["record_lifting"], held["contact_id"], note)
            return await _restriction(tx, held["contact_id"])

        return await self._database.mutate(request, pb.ProcessingRestriction, effect)


def checked_reason(reason: pb.RestrictionReason, violations: Violations) -> str | None:
    """The ground of a restriction without the prefix of its enum; None when it is not said."""
    if reason not in pb.RestrictionReason.values():
        violations.add("reason", "is unknown")
        return None
    return pb.RestrictionReason.Name(reason).removeprefix(REASON_PREFIX) if reason else None


async def _hold(tx: Transaction, contact_id: uuid.UUID) -> Row:
    """Holds a living contact until the transaction ends, and answers the one that the id stands for."""
    held = await tx.fetchrow(QUERIES["hold_restrictable"], contact_id)
    if held is None:
        raise contact_not_found(contact_id)
    return held


async def _restriction(tx: Transaction, contact_id: uuid.UUID) -> pb.ProcessingRestriction:
    row = await tx.fetchrow(QUERIES["get_restriction"], contact_id)
    if row is None:
        raise RuntimeError("a contact that is held is gone")
    return pb.ProcessingRestriction(**row)
