"""The calls that tests of tags make most, in short."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any

from pmcrm.contacts.v1 import tag_service_pb2 as pb
from pmcrm.contacts.v1.tag_pb2 import Tag

from tests.postgres import Connection
from tests.services.contacts.calls import Book, mask
from tests.suite import Client, Metadata, tenant_of


class Labels:
    """One tenant's tags and what carries them: `await labels.create("Friends")`.

    book: the same tenant's contacts.
    """

    def __init__(self, client: Client, tenant: Metadata) -> None:
        self.stub = client.tags
        self.tenant = tenant
        self.book = Book(client, tenant)

    async def create(self, name: str = "Friends", request_id: str = "", **fields: Any) -> Tag:
        request = pb.CreateTagRequest(tag=Tag(name=name, **fields), request_id=request_id)
        answer: Tag = await self.stub.CreateTag(request, metadata=self.tenant)
        return answer

    async def get(self, tag_id: str, *read_mask: str) -> Tag:
        request = pb.GetTagRequest(id=tag_id, read_mask=mask(*read_mask))
        answer: Tag = await self.stub.GetTag(request, metadata=self.tenant)
        return answer

    async def update(self, tag_id: str, *update_mask: str, request_id: str = "", **fields: Any) -> Tag:
        request = pb.UpdateTagRequest(
            tag=Tag(id=tag_id, **fields), update_mask=mask(*update_mask), request_id=request_id
        )
        answer: Tag = await self.stub.UpdateTag(request, metadata=self.tenant)
        return answer

    async def delete(self, tag_id: str, **arguments: Any) -> Tag:
        answer: Tag = await self.stub.DeleteTag(pb.DeleteTagRequest(id=tag_id, **arguments), metadata=self.tenant)
        return answer

    async def undelete(self, tag_id: str, **arguments: Any) -> Tag:
        answer: Tag = await self.stub.UndeleteTag(pb.UndeleteTagRequest(id=tag_id, **arguments), metadata=self.tenant)
        return answer

    async def page(self, **arguments: Any) -> pb.ListTagsResponse:
        answer: pb.ListTagsResponse = await self.stub.ListTags(pb.ListTagsRequest(**arguments), metadata=self.tenant)
        return answer

    async def pages(self, **arguments: Any) -> AsyncIterator[list[Tag]]:
        """The pages of a list, one after the other to its end."""
        page = await self.page(**arguments)
        yield list(page.tags)
        while page.next_page_token:
            page = await self.page(**{**arguments, "page_token": page.next_page_token, "skip": 0})
            yield list(page.tags)

    async def names(self, **arguments: Any) -> list[str]:
        """The names of a whole list, page by page."""
        return [tag.name async for page in self.pages(**arguments) for tag in page]

    async def modify(
        self, contacts: Iterable[str], add: Iterable[str] = (), remove: Iterable[str] = (), request_id: str = ""
    ) -> tuple[int, int]:
        """How many ties were made, and how many undone."""
        request = pb.ModifyContactTagsRequest(
            contact_ids=contacts, add_tag_ids=add, remove_tag_ids=remove, request_id=request_id
        )
        answer = await self.stub.ModifyContactTags(request, metadata=self.tenant)
        return answer.added, answer.removed

    async def on(self, contact_id: str) -> list[str]:
        """The names of the tags that a contact shows."""
        return [tag.name for tag in (await self.book.get(contact_id)).tags]


async def many_tags(conn: Connection, tenant: Metadata, count: int, deleted: bool = False) -> list[str]:
    """Puts tags into the database, named 0000 and on; returns their ids."""
    rows = await conn.fetch(
        "INSERT INTO tags (user_id, name, name_key, sort_name, deleted_at)"
        " SELECT $1::uuid, name, name, name, CASE WHEN $3 THEN now() END"
        " FROM (SELECT to_char(n, 'FM0000') AS name FROM generate_series(0, $2 - 1) AS n) AS named"
        " ORDER BY name RETURNING id::text",
        tenant_of(tenant), count, deleted,
    )  # fmt: skip
    return [row["id"] for row in rows]
