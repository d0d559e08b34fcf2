"""Who is tied to whom, in short: what tests of introductions begin with."""

from __future__ import annotations

import uuid
from typing import Any

from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.insights.v1 import relationship_service_pb2 as pb

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.merge_calls import Shelf
from tests.services.insights.conftest import InsightsClient


class Circle:
    """One tenant's contacts, what ties them, and the introductions that are suggested."""

    def __init__(self, insights: InsightsClient, book: Book, conn: Connection) -> None:
        self.stub = insights.relationships
        self.book = book
        self.conn = conn
        self.shelf = Shelf(conn, book)

    async def people(self, *names: str, **fields: Any) -> list[Contact]:
        """New contacts, by the order of their names and of their ids."""
        return await self.book.create_many(*({"given_name": name} | fields for name in names))

    async def tag(self, name: str, *who: Contact) -> str:
        return await self.shelf.tag(name, *(each.id for each in who))

    async def link(self, one: Contact, other: Contact, kind: str = "FRIEND") -> str:
        return await self.shelf.link(one.id, other.id, kind)

    async def employ(self, who: Contact, organization_id: str, **columns: object) -> str:
        return await self.shelf.employ(who.id, organization_id, **columns)

    async def remove(self, table: str, row_id: str) -> None:
        await self.conn.execute(f"UPDATE {table} SET deleted_at = now() WHERE id = $1", uuid.UUID(row_id))

    async def page(self, who: Contact | str = "", **arguments: Any) -> pb.SuggestIntroductionsResponse:
        contact_id = who if isinstance(who, str) else who.id
        request = pb.SuggestIntroductionsRequest(contact_id=contact_id, **arguments)
        answer: pb.SuggestIntroductionsResponse = await self.stub.SuggestIntroductions(
            request, metadata=self.book.tenant
        )
        return answer

    async def suggested(self, who: Contact | str = "", **arguments: Any) -> list[pb.Introduction]:
        """All introductions on one page."""
        page = await self.page(who, page_size=1000, **arguments)
        assert not page.next_page_token
        return list(page.introductions)

    async def names(self, who: Contact | str = "", **arguments: Any) -> list[tuple[str, str]]:
        return [(each.first.display_name, each.second.display_name) for each in await self.suggested(who, **arguments)]


def reasons_of(introduction: pb.Introduction) -> dict[str, float]:
    """Weight by reason."""
    prefix = "INTRODUCTION_REASON_TYPE_"
    return {
        pb.IntroductionReasonType.Name(each.type).removeprefix(prefix): each.weight for each in introduction.reasons
    }


def path_of(introduction: pb.Introduction) -> list[tuple[str, str, str, str]]:
    """Each step as (from, to, what ties them, its id)."""
    steps = []
    for step in introduction.path:
        via = step.WhichOneof("via")
        assert via
        steps.append((step.from_contact.display_name, step.to_contact.display_name, via, getattr(step, via)))
    return steps
