"""The calls that tests of integrations make most, in short."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from pmcrm.interactions.v1 import integration_service_pb2 as pb
from pmcrm.interactions.v1.integration_pb2 import Credentials, Integration, IntegrationStatus

from tests.services.interactions.conftest import InteractionsClient
from tests.suite import OPERATOR_KEY, Metadata

ACTIVE = IntegrationStatus.INTEGRATION_STATUS_ACTIVE
EXPIRED = IntegrationStatus.INTEGRATION_STATUS_EXPIRED
REVOKED = IntegrationStatus.INTEGRATION_STATUS_REVOKED
ERROR = IntegrationStatus.INTEGRATION_STATUS_ERROR

OPERATOR = ("x-operator-key", OPERATOR_KEY)


class Accounts:
    """One tenant's integrations: `await accounts.create(account="ada@example.org")`."""

    def __init__(self, client: InteractionsClient, tenant: Metadata) -> None:
        self.stub = client.integrations
        self.tenant = tenant
        self.as_operator: Metadata = (*tenant, OPERATOR)

    async def create(
        self, request_id: str = "", credentials: dict[str, Any] | None = None, **fields: Any
    ) -> Integration:
        request = pb.CreateIntegrationRequest(
            integration=Integration(**({"provider": "google", "account": "ada@example.org"} | fields)),
            credentials=Credentials(**({"access_token": "an access token"} if credentials is None else credentials)),
            request_id=request_id,
        )
        answer: Integration = await self.stub.CreateIntegration(request, metadata=self.tenant)
        return answer

    async def get(self, integration_id: str, *paths: str) -> Integration:
        request = pb.GetIntegrationRequest(id=integration_id, read_mask=FieldMask(paths=paths))
        answer: Integration = await self.stub.GetIntegration(request, metadata=self.tenant)
        return answer

    async def delete(self, integration_id: str, **arguments: Any) -> Integration:
        request = pb.DeleteIntegrationRequest(id=integration_id, **arguments)
        answer: Integration = await self.stub.DeleteIntegration(request, metadata=self.tenant)
        return answer

    async def update_tokens(
        self, integration_id: str, credentials: dict[str, Any] | None = None, **arguments: Any
    ) -> Integration:
        given = Credentials(**({"access_token": "a new access token"} if credentials is None else credentials))
        request = pb.UpdateTokensRequest(id=integration_id, credentials=given, **arguments)
        answer: Integration = await self.stub.UpdateTokens(request, metadata=self.tenant)
        return answer

    async def credentials(self, integration_id: str, metadata: Metadata | None = None) -> Credentials:
        request = pb.GetCredentialsRequest(id=integration_id)
        answer: Credentials = await self.stub.GetCredentials(request, metadata=metadata or self.as_operator)
        return answer

    async def sync(self, integration_id: str, expected_version: int | None, **arguments: Any) -> Integration:
        request = pb.UpdateSyncStateRequest(id=integration_id, expected_version=expected_version, **arguments)
        answer: Integration = await self.stub.UpdateSyncState(request, metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListIntegrationsResponse:
        request = pb.ListIntegrationsRequest(**arguments)
        answer: pb.ListIntegrationsResponse = await self.stub.ListIntegrations(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Integration]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.integrations)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.integrations)

    async def accounts(self, **arguments: Any) -> list[str]:
        """The accounts of a whole list, page by page."""
        return [integration.account async for page in self.pages(**arguments) for integration in page]
