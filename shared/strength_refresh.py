"""Computes every contact's relationship strength, last and next contact anew: they decay, and plans come true.

Safe while services run: a few contacts are locked at a time. It can be stopped at any time; what is done stays done.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, TypeAlias

import asyncpg

from shared import queries
from shared.binding import bind
from shared.migrations import SQL

STATEMENTS = queries.load(SQL / "maintenance")

TENANTS_AT_ONCE = 500
CONTACTS_AT_ONCE = 200
FIRST = uuid.UUID(int=0)

Connection: TypeAlias = "asyncpg.Connection[Any]"


async def refresh_strengths(conn: Connection, progress: Callable[[int, int], None]) -> int:
    """Brings every contact of every tenant up to date; returns how many changed.

    conn: as pmcrm_service, outside of a transaction.
    progress: told how many contacts are done, and of how many about.
    """
    total: int = await conn.fetchval(STATEMENTS["contacts_with_strengths"].sql)
    done = changed = 0
    after = FIRST
    while tenants := await conn.fetch(STATEMENTS["tenants_after"].sql, after, TENANTS_AT_ONCE):
        for (tenant,) in tenants:
            last = FIRST
            while rows := await conn.fetch(STATEMENTS["contacts_after"].sql, tenant, last, CONTACTS_AT_ONCE):
                contacts = [contact for (contact,) in rows]
                changed += await _refresh(conn, tenant, contacts)
                done += len(contacts)
                progress(done, max(done, total))
                last = contacts[-1]
        after = tenants[-1]["id"]
    return changed


async def _refresh(conn: Connection, tenant: uuid.UUID, contacts: list[uuid.UUID]) -> int:
    async with conn.transaction():
        await conn.execute(bind(tenant))
        changed: int = await conn.fetchval(STATEMENTS["refresh_strengths"].sql, tenant, contacts)
    return changed
