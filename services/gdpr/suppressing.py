"""RemoveSuppression: lets erased people be imported again."""

from __future__ import annotations

from pathlib import Path

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.contact_erasures import configured
from services.gdpr.declarers import tenant_of
from shared import queries
from shared.caller import caller
from shared.database import Row, Transaction, bound_tenant
from shared.emails import normal_email
from shared.errors import InvalidArgument, NotFound, Violation
from shared.fields import uuid_field
from shared.idempotency import claim_of, secret_claim_of
from shared.layers import Context
from shared.phones import read_phone
from shared.server import Runtime
from shared.suppression.addresses import Address, email_address, hashes_of, phone_address

QUERIES = queries.load(Path(__file__).parent / "queries")


class Suppressions:
    """The call of pmcrm.gdpr.v1.DataSubjectService that removes suppression entries."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._suppression_keys = runtime.settings.suppression_keys

    async def RemoveSuppression(
        self, request: pb.RemoveSuppressionRequest, context: Context
    ) -> pb.RemoveSuppressionResponse:
        """Removes the entries that an erasure left, or those of an address; SUPPRESSION_NOT_FOUND,
        SUPPRESSION_NOT_CONFIGURED."""
        receipt_id = uuid_field(request, "receipt_id") if request.WhichOneof("of") == "receipt_id" else None
        address = None if receipt_id is not None else _address(request)
        ring = None if address is None else configured(self._suppression_keys)

        async def effect(tx: Transaction) -> pb.RemoveSuppressionResponse:
            removed: list[Row]
            if ring is None or address is None:
                removed = await tx.fetch(QUERIES["remove_suppressions_of_erasure"], receipt_id)
            else:
                hashes = hashes_of(ring, tenant_of(tx), [address])
                removed = await tx.fetch(QUERIES["remove_suppressions_of_address"], list(hashes))
            if not removed:
                raise NotFound("SUPPRESSION_NOT_FOUND", "no suppression entry matches")
            return pb.RemoveSuppressionResponse(removed=len(removed))

        tenant = bound_tenant(caller.get())
        # A plain digest of a request that names an address could be tried with every likely one.
        claim = claim_of(request, tenant) if ring is None else secret_claim_of(request, tenant, ring)
        return await self._database.claim(claim, pb.RemoveSuppressionResponse, effect)


def _address(request: pb.RemoveSuppressionRequest) -> Address:
    match request.WhichOneof("of"):
        case "email":
            email = normal_email(request.email.strip())
            if email is None:
                raise InvalidArgument([Violation("email", "must be an e-mail address")])
            return email_address(email)
        case "phone":
            number = read_phone(request.phone, "", "").e164
            if not number:
                raise InvalidArgument([Violation("phone", "must be a phone number in international form")])
            return phone_address(number)
        case _:
            raise InvalidArgument(
                [
                    Violation(field, "must be given when the others are not")
                    for field in ("receipt_id", "email", "phone")
                ]
            )
