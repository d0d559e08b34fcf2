"""The calls that tests of the contacts service make most, in short."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from typing import Any

from google.protobuf.field_mask_pb2 import FieldMask
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.suite import Client, Metadata

NOBODY = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"


def mask(*paths: str) -> FieldMask:
    return FieldMask(paths=paths)


def random_id() -> str:
    return str(uuid.uuid4())


class Book:
    """One tenant's contacts: `await book.create(given_name="Ada")`."""

    def __init__(self, client: Client, tenant: Metadata) -> None:
        self.channel = client.channel
        self.stub = client.contacts
        self.tenant = tenant

    async def create(self, request_id: str = "", **fields: Any) -> Contact:
        request = pb.CreateContactRequest(contact=Contact(**fields), request_id=request_id)
        answer: Contact = await self.stub.CreateContact(request, metadata=self.tenant)
        return answer

    async def create_many(self, *contacts: dict[str, Any], request_id: str = "") -> list[Contact]:
        request = pb.BatchCreateContactsRequest(
            requests=[pb.CreateContactRequest(contact=Contact(**fields)) for fields in contacts], request_id=request_id
        )
        answer = await self.stub.BatchCreateContacts(request, metadata=self.tenant)
        return list(answer.contacts)

    async def get(self, contact_id: str, *read_mask: str) -> Contact:
        request = pb.GetContactRequest(id=contact_id, read_mask=mask(*read_mask))
        answer: Contact = await self.stub.GetContact(request, metadata=self.tenant)
        return answer

    async def get_many(self, *ids: str, **arguments: Any) -> pb.BatchGetContactsResponse:
        request = pb.BatchGetContactsRequest(ids=ids, **arguments)
        answer: pb.BatchGetContactsResponse = await self.stub.BatchGetContacts(request, metadata=self.tenant)
        return answer

    async def update(
        self, contact_id: str, *update_mask: str, request_id: str = "", etag: str = "", **fields: Any
    ) -> Contact:
        request = pb.UpdateContactRequest(
            contact=Contact(id=contact_id, etag=etag, **fields), update_mask=mask(*update_mask), request_id=request_id
        )
        answer: Contact = await self.stub.UpdateContact(request, metadata=self.tenant)
        return answer

    async def delete(self, contact_id: str, **arguments: Any) -> Contact:
        request = pb.DeleteContactRequest(id=contact_id, **arguments)
        answer: Contact = await self.stub.DeleteContact(request, metadata=self.tenant)
        return answer

    async def undelete(self, contact_id: str, **arguments: Any) -> Contact:
        request = pb.UndeleteContactRequest(id=contact_id, **arguments)
        answer: Contact = await self.stub.UndeleteContact(request, metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListContactsResponse:
        request = pb.ListContactsRequest(**arguments)
        answer: pb.ListContactsResponse = await self.stub.ListContacts(request, metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Contact]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.contacts)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.contacts)

    async def names(self, **arguments: Any) -> list[str]:
        """The display names of a whole list, page by page."""
        return [contact.display_name async for page in self.pages(**arguments) for contact in page]
