"""The calls that tests of consent make most, in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp
from pmcrm.gdpr.v1 import consent_service_pb2 as pb
from pmcrm.gdpr.v1 import consent_service_pb2_grpc
from pmcrm.gdpr.v1.consent_pb2 import Consent, ConsentType
from pmcrm.type.v1.consent_status_pb2 import ConsentStatus

from tests.suite import Metadata

PURPOSE = "newsletter"

UNSAID = ConsentStatus.CONSENT_STATUS_UNSPECIFIED
GRANTED = ConsentStatus.CONSENT_STATUS_GRANTED
WITHDRAWN = ConsentStatus.CONSENT_STATUS_WITHDRAWN
OBJECTED = ConsentStatus.CONSENT_STATUS_OBJECTED
EXPIRED = ConsentStatus.CONSENT_STATUS_EXPIRED

OBJECTION = ConsentType.CONSENT_TYPE_OBJECTION
WITHDRAWAL = ConsentType.CONSENT_TYPE_WITHDRAWAL


def a_time(at: datetime) -> Timestamp:
    time = Timestamp()
    time.FromDatetime(at)
    return time


class Declarations:
    """What one tenant's people declare: `await declarations.record(contact.id)`; no id means the user."""

    def __init__(self, stub: consent_service_pb2_grpc.ConsentServiceStub, tenant: Metadata) -> None:
        self.stub = stub
        self.tenant = tenant

    async def record(
        self, contact_id: str = "", request_id: str = "", metadata: Metadata = (), **fields: Any
    ) -> Consent:
        """A consent to PURPOSE with a text, unless other fields are given."""
        given = {"contact_id": contact_id, "purpose": PURPOSE, "text_version": "2026-03"} | fields
        request = pb.RecordConsentRequest(consent=Consent(**given), request_id=request_id)
        answer: Consent = await self.stub.RecordConsent(request, metadata=(*self.tenant, *metadata))
        return answer

    async def withdraw(self, metadata: Metadata = (), **arguments: Any) -> Consent:
        request = pb.WithdrawConsentRequest(**arguments)
        answer: Consent = await self.stub.WithdrawConsent(request, metadata=(*self.tenant, *metadata))
        return answer

    async def check(
        self, contact_id: str = "", purpose: str = PURPOSE, at: Timestamp | None = None
    ) -> pb.CheckConsentResponse:
        request = pb.CheckConsentRequest(contact_id=contact_id, purpose=purpose, at_time=at)
        answer: pb.CheckConsentResponse = await self.stub.CheckConsent(request, metadata=self.tenant)
        assert answer.allowed == (answer.status == GRANTED)
        return answer

    async def status(self, contact_id: str = "", purpose: str = PURPOSE, at: Timestamp | None = None) -> int:
        return int((await self.check(contact_id, purpose, at)).status)

    async def page(self, **arguments: Any) -> pb.ListConsentsResponse:
        request = pb.ListConsentsRequest(**arguments)
        answer: pb.ListConsentsResponse = await self.stub.ListConsents(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Consent]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.consents)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.consents)

    async def ids(self, **arguments: Any) -> list[str]:
        """The ids of a whole list, page by page."""
        return [consent.id async for page in self.pages(**arguments) for consent in page]
