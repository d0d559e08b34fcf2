"""EraseContact: one contact, at once and for good, with a receipt that holds nothing personal."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1.erasure_pb2 import ErasureReceipt

from services.gdpr.declarers import tenant_of
from services.gdpr.erasure_record import to_receipt
from shared import queries
from shared.database import Row, Transaction
from shared.errors import FailedPrecondition
from shared.fields import uuid_field
from shared.ids import new_ids
from shared.keys import KeyRing
from shared.layers import Context
from shared.living_contacts import contact_not_found
from shared.server import Runtime
from shared.suppression.addresses import Address, Entry, email_address, entries_of, phone_address

QUERIES = queries.load(Path(__file__).parent / "queries")


class ContactErasures:
    """The call of pmcrm.gdpr.v1.DataSubjectService that erases a contact."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._suppression_keys = runtime.settings.suppression_keys

    async def EraseContact(self, request: pb.EraseContactRequest, context: Context) -> ErasureReceipt:
        """Erases a contact with all that were merged into it; CONTACT_NOT_FOUND, LEGAL_HOLD,
        SUPPRESSION_NOT_CONFIGURED."""
        contact_id = uuid_field(request, "contact_id")
        ring = configured(self._suppression_keys)

        async def effect(tx: Transaction) -> ErasureReceipt:
            held = await tx.fetch(QUERIES["hold_erasable"], contact_id)
            if not held:
                raise contact_not_found(contact_id)
            if any(row["held"] for row in held):
                message = f"a legal hold forbids to erase contact {contact_id}"
                raise FailedPrecondition("LEGAL_HOLD", message, id=str(contact_id))
            suppressed = entries_of(ring, tenant_of(tx), _addresses(held))
            [receipt_id] = new_ids(1)
            erased = await tx.fetchrow(QUERIES["erase_contact"], contact_id, receipt_id)
            if erased is None:
                raise RuntimeError("app.erase_contact answered no row")
            await tx.fetch(
                QUERIES["create_contact_receipt"],
                receipt_id,
                erased["contact_id"],
                erased["erased_ids"],
                erased["row_counts"],
                len(suppressed),
                erased["audit_entry_id"],
            )
            await tx.fetch(QUERIES["create_contact_erasure_history"], receipt_id)
            await _suppress(tx, receipt_id, suppressed)
            row = await tx.fetchrow(QUERIES["get_receipt"], receipt_id)
            if row is None:
                raise RuntimeError("the receipt is gone")
            return to_receipt(row)

        return await self._database.mutate(request, ErasureReceipt, effect)


def configured(ring: KeyRing | None) -> KeyRing:
    """The keys by which erased people are known again. Raises SUPPRESSION_NOT_CONFIGURED when there are none."""
    if ring is None:
        raise FailedPrecondition("SUPPRESSION_NOT_CONFIGURED", "PMCRM_SUPPRESSION_KEYS is not set for this service")
    return ring


async def _suppress(tx: Transaction, receipt_id: uuid.UUID, entries: Sequence[Entry]) -> None:
    if entries:
        hashes, kinds, key_ids = zip(*((entry.hash, entry.kind, entry.key_id) for entry in entries), strict=True)
        await tx.fetch(QUERIES["create_suppressions"], receipt_id, list(hashes), list(kinds), list(key_ids))


def _addresses(held: Sequence[Row]) -> list[Address]:
    return [email_address(email) for row in held for email in row["emails"]] + [
        phone_address(number) for row in held for number in row["phones"]
    ]
