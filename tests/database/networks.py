"""Interactions of one tenant, written by SQL as the interactions service writes them."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.postgres import Connection, bound


def ago(**age: float) -> datetime:
    """So long before now; `ago(days=3)`."""
    return datetime.now(UTC) - timedelta(**age)


@dataclass(frozen=True, slots=True)
class Network:
    """A tenant, a connection of the interactions service, and a superuser's that sees what came of it."""

    conn: Connection
    watching: Connection
    tenant: uuid.UUID

    async def contact(self, **columns: Any) -> uuid.UUID:
        """A new contact; `relationship_strength` pins it."""
        contact = uuid.uuid4()
        given = {"id": str(contact), "display_name": "Ada", "sort_name": "ada", **columns}
        async with bound(self.conn, self.tenant):
            await self.conn.fetchval("SELECT app.create_contacts($1)", [given])
        return contact

    async def interaction(self, *contacts: uuid.UUID, role: str | None = None, **columns: Any) -> uuid.UUID:
        """A new interaction in which contacts took part: a call of yesterday, unless columns say otherwise."""
        interaction = uuid.uuid4()
        values = {"type": "CALL", "occurred_at": ago(days=1), **columns}
        names = ", ".join(["user_id", "id", *values])
        parameters = ", ".join(f"${n}" for n in range(1, len(values) + 3))
        async with bound(self.conn, self.tenant):
            await self.conn.execute(
                f"INSERT INTO interactions ({names}) VALUES ({parameters})", self.tenant, interaction, *values.values()
            )
            if contacts:
                await self.conn.execute(
                    "INSERT INTO interaction_participants (user_id, interaction_id, contact_id, role) "
                    "SELECT $1, $2, contact, $4 FROM unnest($3::uuid[]) AS contact",
                    self.tenant,
                    interaction,
                    list(contacts),
                    role,
                )
        return interaction

    async def update(self, interaction: uuid.UUID, **columns: Any) -> None:
        assignments = ", ".join(f"{name} = ${n}" for n, name in enumerate(columns, 3))
        await self.execute(
            f"UPDATE interactions SET {assignments} WHERE user_id = $1 AND id = $2", interaction, *columns.values()
        )

    async def execute(self, statement: str, *args: Any) -> str:
        """A statement of the tenant, whose id is $1."""
        async with bound(self.conn, self.tenant):
            status: str = await self.conn.execute(statement, self.tenant, *args)
            return status

    async def row(self, statement: str, *args: Any) -> dict[str, Any]:
        async with bound(self.conn, self.tenant):
            found = await self.conn.fetchrow(statement, self.tenant, *args)
        assert found is not None
        return dict(found)

    async def strength(self, contact: uuid.UUID) -> dict[str, Any]:
        """What is derived of a contact, as it is written down."""
        found = await self.watching.fetchrow(
            "SELECT computed, pinned, strength, last_contact_at, next_contact_at FROM contact_strengths "
            "WHERE user_id = $1 AND contact_id = $2",
            self.tenant,
            contact,
        )
        assert found is not None
        return dict(found)

    async def from_scratch(self, contact: uuid.UUID, as_of: datetime | None = None) -> dict[str, Any]:
        """What the formula gives at a moment, now unless one is given."""
        return await self.row(
            "SELECT * FROM app.strength($1, ARRAY[$2::uuid], coalesce($3, clock_timestamp()))", contact, as_of
        )
