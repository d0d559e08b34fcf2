"""The calls of RelationshipService that tests make most, in short."""

from __future__ import annotations

import uuid
from typing import Any

from pmcrm.insights.v1 import relationship_service_pb2 as pb

from tests.postgres import Connection, bound
from tests.services.insights.conftest import InsightsClient
from tests.suite import Metadata, tenant_of


class Relations:
    """What one tenant's network tells: `await relations.explain(ada.id)`."""

    def __init__(self, client: InsightsClient, tenant: Metadata) -> None:
        self.stub = client.relationships
        self.tenant = tenant

    async def explain(self, contact_id: str, **arguments: Any) -> pb.ExplainRelationshipStrengthResponse:
        request = pb.ExplainRelationshipStrengthRequest(contact_id=contact_id, **arguments)
        answer: pb.ExplainRelationshipStrengthResponse = await self.stub.ExplainRelationshipStrength(
            request, metadata=self.tenant
        )
        return answer

    async def contributions(self, contact_id: str, **arguments: Any) -> list[pb.StrengthContribution]:
        """All of them, page by page."""
        page = await self.explain(contact_id, **arguments)
        found = list(page.contributions)
        while page.next_page_token:
            page = await self.explain(contact_id, **{**arguments, "page_token": page.next_page_token, "skip": 0})
            found += page.contributions
        return found

    async def summary(self, **arguments: Any) -> pb.GetNetworkSummaryResponse:
        request = pb.GetNetworkSummaryRequest(**arguments)
        answer: pb.GetNetworkSummaryResponse = await self.stub.GetNetworkSummary(request, metadata=self.tenant)
        return answer


async def restrict(conn: Connection, tenant: Metadata, *contact_ids: str) -> None:
    """Restricts the processing of contacts, as the gdpr service does. conn: a superuser's."""
    async with bound(conn, uuid.UUID(tenant_of(tenant))):
        await conn.execute(
            "UPDATE contacts SET processing_restricted = true WHERE user_id = $1::uuid AND id = ANY ($2::uuid[])",
            tenant_of(tenant),
            contact_ids,
        )
