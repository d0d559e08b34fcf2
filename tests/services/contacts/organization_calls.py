"""The calls that tests of organizations and employments make most, in short."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from pmcrm.contacts.v1 import organization_service_pb2 as pb
from pmcrm.contacts.v1.employment_pb2 import Employment
from pmcrm.contacts.v1.organization_pb2 import Organization

from tests.postgres import Connection, bound
from tests.services.contacts.calls import Book, mask
from tests.suite import Client, Metadata, tenant_of


class Firms:
    """One tenant's organizations and who works there: `await firms.create(name="Analytical Engines")`.

    book: the same tenant's contacts.
    """

    def __init__(self, client: Client, tenant: Metadata) -> None:
        self.stub = client.organizations
        self.tenant = tenant
        self.book = Book(client, tenant)

    async def create(self, name: str = "Analytical Engines", request_id: str = "", **fields: Any) -> Organization:
        request = pb.CreateOrganizationRequest(organization=Organization(name=name, **fields), request_id=request_id)
        answer: Organization = await self.stub.CreateOrganization(request, metadata=self.tenant)
        return answer

    async def get(self, organization_id: str, *read_mask: str) -> Organization:
        request = pb.GetOrganizationRequest(id=organization_id, read_mask=mask(*read_mask))
        answer: Organization = await self.stub.GetOrganization(request, metadata=self.tenant)
        return answer

    async def update(
        self, organization_id: str, *update_mask: str, request_id: str = "", **fields: Any
    ) -> Organization:
        organization = Organization(id=organization_id, **fields)
        request = pb.UpdateOrganizationRequest(
            organization=organization, update_mask=mask(*update_mask), request_id=request_id
        )
        answer: Organization = await self.stub.UpdateOrganization(request, metadata=self.tenant)
        return answer

    async def delete(self, organization_id: str, **arguments: Any) -> Organization:
        request = pb.DeleteOrganizationRequest(id=organization_id, **arguments)
        answer: Organization = await self.stub.DeleteOrganization(request, metadata=self.tenant)
        return answer

    async def undelete(self, organization_id: str, **arguments: Any) -> Organization:
        request = pb.UndeleteOrganizationRequest(id=organization_id, **arguments)
        answer: Organization = await self.stub.UndeleteOrganization(request, metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListOrganizationsResponse:
        request = pb.ListOrganizationsRequest(**arguments)
        answer: pb.ListOrganizationsResponse = await self.stub.ListOrganizations(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Organization]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.organizations)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.organizations)

    async def names(self, **arguments: Any) -> list[str]:
        """The names of a whole list, page by page."""
        return [organization.name async for page in self.pages(**arguments) for organization in page]

    async def employ(self, contact_id: str, organization_id: str, request_id: str = "", **fields: Any) -> Employment:
        employment = Employment(contact_id=contact_id, organization_id=organization_id, **fields)
        request = pb.AddEmploymentRequest(employment=employment, request_id=request_id)
        answer: Employment = await self.stub.AddEmployment(request, metadata=self.tenant)
        return answer

    async def change(self, employment_id: str, *update_mask: str, request_id: str = "", **fields: Any) -> Employment:
        request = pb.UpdateEmploymentRequest(
            employment=Employment(id=employment_id, **fields), update_mask=mask(*update_mask), request_id=request_id
        )
        answer: Employment = await self.stub.UpdateEmployment(request, metadata=self.tenant)
        return answer

    async def remove(self, employment_id: str, **arguments: Any) -> Employment:
        request = pb.RemoveEmploymentRequest(id=employment_id, **arguments)
        answer: Employment = await self.stub.RemoveEmployment(request, metadata=self.tenant)
        return answer

    async def employments(self, **arguments: Any) -> pb.ListEmploymentsResponse:
        """One page of employments."""
        request = pb.ListEmploymentsRequest(**arguments)
        answer: pb.ListEmploymentsResponse = await self.stub.ListEmployments(request, metadata=self.tenant)
        return answer

    async def employment_pages(self, **arguments: Any) -> AsyncIterator[list[Employment]]:
        """The pages of a list of employments, one after the other to its end."""
        page = await self.employments(**arguments)
        yield list(page.employments)
        while page.next_page_token:
            page = await self.employments(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.employments)

    async def titles(self, **arguments: Any) -> list[str]:
        """The job titles of a whole list of employments, page by page."""
        return [employment.job_title async for page in self.employment_pages(**arguments) for employment in page]

    async def counts(self, organization_id: str) -> tuple[int, int]:
        """How many contacts work in an organization now, and how many once did."""
        organization = await self.get(organization_id)
        return organization.current_contact_count, organization.former_contact_count


async def ada_and_engines(firms: Firms) -> tuple[str, str]:
    """The ids of a contact and of an organization."""
    ada = await firms.book.create(given_name="Ada", family_name="Lovelace")
    return ada.id, (await firms.create()).id


async def merge_by_hand(conn: Connection, tenant: Metadata, merged: str, survivor: str) -> None:
    """Lets a contact's id stand for another one's, as merging leaves it."""
    ids = (tenant_of(tenant), merged)
    async with bound(conn, uuid.UUID(tenant_of(tenant))):
        await conn.execute(
            "INSERT INTO contact_redirects (user_id, contact_id, survivor_id, merge_id)"
            " VALUES ($1::uuid, $2::uuid, $3::uuid, gen_random_uuid())",
            *ids, survivor,
        )  # fmt: skip
        await conn.execute("UPDATE contacts SET deleted_at = now() WHERE user_id = $1::uuid AND id = $2::uuid", *ids)


async def restrict(conn: Connection, contact_id: str, restricted: bool = True) -> None:
    await conn.execute("UPDATE contacts SET processing_restricted = $2 WHERE id = $1::uuid", contact_id, restricted)
