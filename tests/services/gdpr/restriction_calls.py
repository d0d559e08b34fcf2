"""The calls that tests of restriction make most, in short."""

from __future__ import annotations

from typing import Any

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from pmcrm.gdpr.v1 import data_subject_service_pb2_grpc

from tests.suite import Metadata

CONTESTED = pb.RestrictionReason.RESTRICTION_REASON_ACCURACY_CONTESTED
CLAIMS = pb.RestrictionReason.RESTRICTION_REASON_LEGAL_CLAIMS


class Restricting:
    """One tenant's restrictions: `await restricting.restrict(contact.id)`."""

    def __init__(self, stub: data_subject_service_pb2_grpc.DataSubjectServiceStub, tenant: Metadata) -> None:
        self.stub = stub
        self.tenant = tenant

    async def restrict(self, contact_id: str, metadata: Metadata = (), **arguments: Any) -> pb.ProcessingRestriction:
        request = pb.RestrictProcessingRequest(contact_id=contact_id, **arguments)
        answer: pb.ProcessingRestriction = await self.stub.RestrictProcessing(
            request, metadata=(*self.tenant, *metadata)
        )
        return answer

    async def lift(self, contact_id: str, **arguments: Any) -> pb.ProcessingRestriction:
        request = pb.LiftRestrictionRequest(contact_id=contact_id, **arguments)
        answer: pb.ProcessingRestriction = await self.stub.LiftRestriction(request, metadata=self.tenant)
        return answer
