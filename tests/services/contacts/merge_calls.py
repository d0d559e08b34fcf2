"""Merges in short, what hangs on contacts, and all that is kept of a tenant's contacts, for comparing it."""

from __future__ import annotations

import uuid
from typing import Any

from pmcrm.contacts.v1 import contact_merge_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb

from tests.postgres import Connection
from tests.services.contacts.calls import Book
from tests.services.contacts.transfers import exported
from tests.suite import Client, tenant_of

FORMATS = (transfer_pb.EXPORT_FORMAT_VCARD_4, transfer_pb.EXPORT_FORMAT_VCARD_3, transfer_pb.EXPORT_FORMAT_CSV)

# What a merge writes to, without what only counts changes.
TABLES = ("contacts", "contact_strengths", "contact_tags", "contact_employments", "contact_links", "contact_redirects")


async def merge(book: Book, survivor_id: str, *duplicate_ids: str, **arguments: Any) -> pb.MergeContactsResponse:
    request = pb.MergeContactsRequest(id=survivor_id, duplicate_ids=duplicate_ids, **arguments)
    answer: pb.MergeContactsResponse = await book.stub.MergeContacts(request, metadata=book.tenant)
    return answer


async def unmerge(book: Book, merge_id: str, **arguments: Any) -> pb.UnmergeContactsResponse:
    request = pb.UnmergeContactsRequest(merge_id=merge_id, **arguments)
    answer: pb.UnmergeContactsResponse = await book.stub.UnmergeContacts(request, metadata=book.tenant)
    return answer


async def exports(client: Client, book: Book) -> list[bytes]:
    """The tenant's living contacts as files, in every format."""
    return [(await exported(client, book.tenant, format=form)).content for form in FORMATS]


class Shelf:
    """What hangs on one tenant's contacts, by SQL. conn: a superuser's."""

    def __init__(self, conn: Connection, book: Book) -> None:
        self._conn = conn
        self.tenant = uuid.UUID(tenant_of(book.tenant))

    async def add(self, statement: str, *values: object) -> str:
        """Runs an INSERT whose $1 is the tenant; returns the row's id."""
        return str(await self._conn.fetchval(statement, self.tenant, *values))

    async def tag(self, name: str, *contact_ids: str) -> str:
        tag_id = await self.add(
            "INSERT INTO tags (user_id, name, name_key, sort_name) VALUES ($1, $2, $2, $2) RETURNING id", name
        )
        for contact_id in contact_ids:
            await self.put(tag_id, contact_id)
        return tag_id

    async def put(self, tag_id: str, contact_id: str) -> None:
        await self.add("INSERT INTO contact_tags (user_id, tag_id, contact_id) VALUES ($1, $2, $3)", tag_id, contact_id)

    async def organization(self, name: str) -> str:
        return await self.add(
            "INSERT INTO organizations (user_id, name, name_key, sort_name) VALUES ($1, $2, $2, $2) RETURNING id", name
        )

    async def employ(self, contact_id: str, organization_id: str, **columns: object) -> str:
        return await self.insert(
            "contact_employments", contact_id=contact_id, organization_id=organization_id, **columns
        )

    async def link(self, contact_id: str, related_id: str, link_type: str, **columns: object) -> str:
        return await self.insert(
            "contact_links", contact_id=contact_id, related_contact_id=related_id, type=link_type, **columns
        )

    async def insert(self, table: str, **columns: object) -> str:
        names = ", ".join(("user_id", *columns))
        places = ", ".join(f"${i + 1}" for i in range(len(columns) + 1))
        return await self.add(f"INSERT INTO {table} ({names}) VALUES ({places}) RETURNING id", *columns.values())

    async def rows(self, table: str, *columns: str) -> list[tuple[Any, ...]]:
        """All rows of a table as tuples of text, in order."""
        named = ", ".join(f"{column}::text" for column in columns)
        found = await self._conn.fetch(f"SELECT {named} FROM {table} WHERE user_id = $1", self.tenant)
        return sorted(tuple(row) for row in found)

    async def everything(self, *besides: str) -> list[str]:
        """All that is kept of the tenant's contacts and of what hangs on them, but for the counts of changes.

        besides: further columns that are left out.
        """
        kept: list[str] = []
        for table in TABLES:
            statement = f"SELECT to_jsonb(t) - $2::text[] FROM {table} AS t WHERE user_id = $1"
            rows = await self._conn.fetch(statement, self.tenant, ["revision", *besides])
            kept += sorted(f"{table} {row[0]}" for row in rows)
        return kept
