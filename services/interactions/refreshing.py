"""Derives reminders anew after an upgrade of the time zones, and forgets old leases: a periodic task.

Safe while services run: a few reminders are locked at a time. It can be stopped at any time; what is done stays done.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

from services.interactions.schedules import derive
from shared import queries
from shared.database import Transaction
from shared.migrations import SQL
from shared.pool import Session
from shared.time_zones import VERSION

Connection: TypeAlias = "asyncpg.Connection[Any]"

QUERIES = queries.load(Path(__file__).parent / "queries")
STATEMENTS = queries.load(SQL / "maintenance")

TENANTS_AT_ONCE = 500
REMINDERS_AT_ONCE = 100

# So long an acknowledgement that comes again, or late, is answered for what it is.
LEASES_KEPT = timedelta(days=30)


async def refresh_reminders(conn: Connection) -> int:
    """Derives anew what was derived with another release of the time zones; returns how many reminders that were.

    conn: as pmcrm_service, outside of a transaction.
    """
    await conn.set_type_codec(
        "jsonb", encoder=partial(json.dumps, default=str), decoder=json.loads, schema="pg_catalog"
    )
    refreshed = 0
    while tenants := await conn.fetch(STATEMENTS["tenants_of_other_tzdata"].sql, VERSION, TENANTS_AT_ONCE):
        for (tenant,) in tenants:
            refreshed += await _refresh_tenant(conn, tenant)
    await conn.execute(STATEMENTS["forget_leases"].sql, datetime.now(UTC) - LEASES_KEPT)
    return refreshed


async def _refresh_tenant(conn: Connection, tenant: uuid.UUID) -> int:
    refreshed = 0
    statement = STATEMENTS["reminders_of_other_tzdata"].sql
    while rows := await conn.fetch(statement, tenant, VERSION, REMINDERS_AT_ONCE):
        async with conn.transaction():
            tx = Transaction(Session(conn, keeps_statements=True), tenant)
            held = await tx.fetch(QUERIES["hold_reminders"], [reminder_id for (reminder_id,) in rows])
            await derive(tx, [row["id"] for row in held])
        refreshed += len(held)
    return refreshed
