"""Indexes over the vectors of tenants with very many: which there should be is counted as pmcrm_service, who sees all
tenants; pmcrm_owner, whose tables these are, makes and drops them while searches and changes go on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import asyncpg

from shared import queries
from shared.migrations import SQL
from shared.settings import Settings, SettingsError

Connection: TypeAlias = "asyncpg.Connection[Any]"

STATEMENTS = queries.load(SQL / "maintenance")

# So many such indexes at most: each costs every statement on embeddings some 10 µs when it is planned, and every
# connection some 300 µs when it first plans one.
MOST_INDEXES = 50

# An index that fits is made many times faster. One process: several would need as much of the server's shared memory.
BUILDING = {"maintenance_work_mem": "256MB", "max_parallel_maintenance_workers": "0"}


@dataclass(frozen=True, slots=True)
class Changed:
    """How many indexes were made and dropped."""

    made: int
    dropped: int


async def refresh_where_possible(service: Connection, settings: Settings) -> str | None:
    """`refresh_vector_indexes` where DATABASE_URL_OWNER is known; elsewhere nothing, and searches stay exact.

    Returns what was done, for the log.
    """
    try:
        settings.database_url_for("owner")
    except SettingsError:
        return None
    changed = await refresh_vector_indexes(service, settings)
    return f"{changed.made} made, {changed.dropped} dropped"


async def refresh_vector_indexes(service: Connection, settings: Settings) -> Changed:
    """Makes what is missing, and drops what is of no use any more or was left half made.

    Raises SettingsError when DATABASE_URL_OWNER is not set. Does nothing while another process is at it.
    """
    owner = await asyncpg.connect(settings.database_url_for("owner"), timeout=10, server_settings=BUILDING)
    try:
        if not await owner.fetchval(STATEMENTS["claim_vector_indexes"].sql):
            return Changed(0, 0)
        commands = await service.fetch(
            STATEMENTS["vector_index_commands"].sql, settings.vector_index_threshold, MOST_INDEXES
        )
        for row in commands:
            await owner.execute(row["command"])
    finally:
        await owner.close()
    made = sum(row["makes"] for row in commands)
    return Changed(made, len(commands) - made)
