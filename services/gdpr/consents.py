"""ConsentService: what the user and the contacts have declared about the processing of their data."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
from pmcrm.gdpr.v1 import consent_service_pb2 as pb
from pmcrm.gdpr.v1.consent_pb2 import Consent

from services.gdpr import consent_listing as listing
from services.gdpr.consent_record import (
    STATUS_PREFIX,
    TYPE_PREFIX,
    ConsentRecord,
    checked_note,
    checked_source,
    purpose_value,
    to_consent,
    to_record,
    withdrawal_of,
)
from services.gdpr.declarers import (
    hold_anyone,
    hold_existing,
    hold_living,
    persons_of,
    standing_contact,
    tenant_of,
)
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction
from shared.errors import FailedPrecondition, InvalidArgument, NotFound, Violation
from shared.fields import time_value, uuid_field, uuid_value
from shared.ids import new_ids
from shared.layers import Context
from shared.server import Runtime
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")


class Consents:
    """The servicer of pmcrm.gdpr.v1.ConsentService."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens

    async def RecordConsent(self, request: pb.RecordConsentRequest, context: Context) -> Consent:
        """Records a declaration of the user or of a living contact; CONTACT_NOT_FOUND."""
        record = to_record(request.consent, "consent", caller.get(), datetime.now(UTC))
        contact_id = optional_id(request.consent.contact_id, "consent.contact_id")

        async def effect(tx: Transaction) -> Consent:
            return await self._record(tx, await hold_living(tx, contact_id), record)

        return await self._database.mutate(request, Consent, effect)

    async def WithdrawConsent(self, request: pb.WithdrawConsentRequest, context: Context) -> Consent:
        """Withdraws one declaration, or the one that holds for a purpose; CONSENT_NOT_FOUND, CONTACT_NOT_FOUND,
        CONSENT_ALREADY_WITHDRAWN."""
        violations = Violations()
        if bool(request.id) == bool(request.purpose):
            for field in ("id", "purpose"):
                violations.add(field, "must be given when the other of id and purpose is not, and only then")
        elif request.id and request.contact_id:
            violations.add("contact_id", "belongs with purpose, and not with id")
        source = checked_source(request.source, "source", violations)
        note = checked_note(request.note, "note", violations)
        violations.raise_if_any()
        consent_id = uuid_field(request, "id") if request.id else None
        purpose = purpose_value(request.purpose, "purpose") if request.purpose else ""
        contact_id = optional_id(request.contact_id, "contact_id")

        async def effect(tx: Transaction) -> Consent:
            if consent_id is None:
                held = await hold_existing(tx, contact_id)
                row = await self._deciding(tx, held, purpose)
            else:
                row = await self._row(tx, consent_id)
                held = await hold_anyone(tx, optional_id(row["contact_id"] or "", "contact_id"))
                # Read again, since somebody may have withdrawn it before it was held.
                row = await self._row(tx, consent_id)
            if row["withdrawn"] or row["type"] == TYPE_PREFIX + "WITHDRAWAL":
                raise already_withdrawn(row["id"])
            withdrawal = withdrawal_of(row, source, note, caller.get())
            return await self._record(tx, held, withdrawal, row["id_key"])

        return await self._database.mutate(request, Consent, effect)

    async def ListConsents(self, request: pb.ListConsentsRequest, context: Context) -> pb.ListConsentsResponse:
        """Lists declarations, newest first unless asked otherwise, a page at a time; CONTACT_NOT_FOUND."""
        wanted = listing.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await listing.fetch(tx, request, wanted, self._page_tokens)

    async def CheckConsent(self, request: pb.CheckConsentRequest, context: Context) -> pb.CheckConsentResponse:
        """Tells whether a purpose was permitted at a moment, and by which declaration; CONTACT_NOT_FOUND."""
        purpose = purpose_value(request.purpose, "purpose")
        contact_id = optional_id(request.contact_id, "contact_id")
        asked = time_value(request, "at_time")
        async with self._database.reading() as tx:
            # By the clock that declarations are dated by.
            moment = await _row_of(tx, "moment", asked)
            if moment["ahead"]:
                raise InvalidArgument([Violation("at_time", "must not be in the future")])
            at = moment["at"]
            subject = tenant_of(tx) if contact_id is None else await standing_contact(tx, contact_id)
            held = await tx.fetchrow(QUERIES["consent_status"], subject, purpose, at)
            consent = None if held is None else to_consent(await self._row(tx, held["consent_id"]), at)
        status = "UNSPECIFIED" if held is None else held["status"]
        return pb.CheckConsentResponse(
            allowed=status == "GRANTED", status=STATUS_PREFIX + status, consent=consent, at_time=at
        )

    async def _record(
        self,
        tx: Transaction,
        contact_id: uuid.UUID | None,
        record: ConsentRecord,
        withdrawn_id: uuid.UUID | None = None,
    ) -> Consent:
        consent_id = new_ids(1)[0]
        try:
            await tx.fetch(
                QUERIES["create_consent"],
                consent_id,
                contact_id,
                withdrawn_id,
                record.expires_at,
                record.type,
                record.purpose,
                record.legal_basis,
                record.text_version,
                record.text_hash,
                record.source,
                record.ip_address,
                record.user_agent,
                record.note,
            )
        except asyncpg.UniqueViolationError as error:
            # The only key beside the id, which is ours, is the declaration that is withdrawn.
            raise already_withdrawn(str(withdrawn_id)) from error
        row = await self._row(tx, consent_id)
        return to_consent(row, row["create_time"])

    async def _deciding(self, tx: Transaction, contact_id: uuid.UUID | None, purpose: str) -> Row:
        """The declaration by which a purpose is permitted or objected to. Raises CONSENT_NOT_FOUND, and
        CONSENT_ALREADY_WITHDRAWN when nothing is left of what was declared."""
        moment = await _row_of(tx, "moment", None)
        held = await tx.fetchrow(QUERIES["consent_status"], contact_id or tenant_of(tx), purpose, moment["at"])
        if held is not None:
            return await self._row(tx, held["consent_id"])
        if await tx.fetchrow(QUERIES["has_declared"], await persons_of(tx, contact_id), purpose) is None:
            raise NotFound("CONSENT_NOT_FOUND", "nothing was declared by this person for this purpose")
        raise already_withdrawn()

    async def _row(self, tx: Transaction, consent_id: uuid.UUID) -> Row:
        row = await tx.fetchrow(QUERIES["get_consent"], consent_id)
        if row is None:
            raise NotFound("CONSENT_NOT_FOUND", f"no consent {consent_id}", id=str(consent_id))
        return row


def optional_id(text: str, field: str) -> uuid.UUID | None:
    """The contact that a request names; None for the user. Raises InvalidArgument."""
    return uuid_value(text, field) if text else None


def already_withdrawn(consent_id: str = "") -> FailedPrecondition:
    """What a caller hears who would withdraw what holds no more. consent_id: '' where several are meant."""
    if not consent_id:
        return FailedPrecondition("CONSENT_ALREADY_WITHDRAWN", "all that was declared for this purpose is withdrawn")
    return FailedPrecondition(
        "CONSENT_ALREADY_WITHDRAWN", f"consent {consent_id} is withdrawn, or is a withdrawal", id=consent_id
    )


async def _row_of(tx: Transaction, name: str, *arguments: object) -> Mapping[str, Any]:
    row = await tx.fetchrow(QUERIES[name], *arguments)
    if row is None:
        raise RuntimeError(f"{name} answered no row")
    return row
