"""`pmcrm maintenance purge`, killed in the midst of a batch and run again: it ends as one that nothing stopped."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections import Counter

import pytest

from services.gdpr.purging import PURGE, ROWS_AT_ONCE, Wanted, purge
from shared.periodic import TaskHeld, run_now
from tests.postgres import Connection, Database, bound
from tests.runtime.processes import Process, environment, started
from tests.suite import settings_for

# Of so many deleted contacts the first batch takes most, the second one the rest.
REST = 20
DELETED = ROWS_AT_ONCE + REST
PATIENCE = 20

COMMAND = ["-m", "cli", "maintenance", "purge"]
PURGED = re.compile(r"^\d+ rows purged")

# Each deleted contact has an interaction of its own, and one together with the contact that stays. The one with the
# highest number was deleted first.
FILL = """
    WITH staying AS (
        INSERT INTO contacts (user_id, display_name, sort_name) VALUES ($1, 'Grace', 'grace') RETURNING id
    ),
    going AS (
        INSERT INTO contacts (user_id, display_name, sort_name)
        SELECT $1, 'Ada ' || n, 'ada' FROM generate_series(1, $2::integer) AS n RETURNING id, display_name
    ),
    calls AS (
        INSERT INTO interactions (user_id, type, direction, subject, source_uid)
        SELECT $1, 'CALL', 'OUTBOUND', g.display_name, kind.name || ' ' || g.display_name
        FROM going AS g CROSS JOIN (VALUES ('own'), ('common')) AS kind (name)
        RETURNING id, source_uid
    )
    INSERT INTO interaction_participants (user_id, interaction_id, contact_id, role)
    SELECT $1, c.id, g.id, 'RECIPIENT' FROM calls AS c JOIN going AS g ON c.source_uid LIKE '% ' || g.display_name
    UNION ALL
    SELECT $1, c.id, s.id, 'RECIPIENT' FROM calls AS c CROSS JOIN staying AS s WHERE c.source_uid LIKE 'common %'
"""
DELETE = """
    UPDATE contacts SET deleted_at = now() - interval '100 days' - substr(display_name, 5)::integer * interval '1 hour'
    WHERE user_id = $1 AND display_name LIKE 'Ada %'
"""

# What tells one end from another, but for ids and times.
STATE = """
    SELECT 'contact ' || display_name || CASE WHEN deleted_at IS NULL THEN '' ELSE ' deleted' END AS what
    FROM contacts WHERE user_id = $1
    UNION ALL
    SELECT 'interaction ' || i.source_uid || coalesce(string_agg(' ' || c.display_name, '' ORDER BY c.display_name), '')
    FROM interactions AS i
    LEFT JOIN interaction_participants AS p ON p.user_id = i.user_id AND p.interaction_id = i.id
    LEFT JOIN contacts AS c ON c.user_id = p.user_id AND c.id = p.contact_id
    WHERE i.user_id = $1
    GROUP BY i.user_id, i.id
    UNION ALL
    SELECT 'strength' FROM contact_strengths WHERE user_id = $1
    UNION ALL
    SELECT 'entry ' || table_name || ' ' || action FROM audit_logs WHERE user_id = $1
"""


async def tenant_to_purge(conn: Connection) -> uuid.UUID:
    """A tenant with two batches to purge, the same each time; conn: a superuser's."""
    tenant: uuid.UUID = await conn.fetchval("INSERT INTO users DEFAULT VALUES RETURNING id")
    async with bound(conn, tenant):
        await conn.execute(FILL, tenant, DELETED)
        await conn.execute(DELETE, tenant)
    return tenant


async def state_of(conn: Connection, tenant: uuid.UUID) -> Counter[str]:
    return Counter(what for (what,) in await conn.fetch(STATE, tenant))


async def until(conn: Connection, condition: str, wanted: int) -> None:
    """Waits until as many of the worker's connections are as the condition says."""
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'pmcrm_service'"
        f" AND {condition}"
    )
    async with asyncio.timeout(PATIENCE):
        while await conn.fetchval(query) != wanted:  # noqa: ASYNC110 - what others do
            await asyncio.sleep(0.02)


async def nothing(_: Connection) -> None:
    """A run of the task that has nothing to do."""


async def killed_at(database: Database, watching: Connection, tenant: uuid.UUID, source_uid: str) -> Counter[str]:
    """Kills a purge while it waits to remove this interaction; returns what was there at that moment."""
    settings = settings_for(database)
    async with database.connect() as holding, started(COMMAND, environment(database)) as purging:
        lock = holding.transaction()
        await lock.start()
        locked = await holding.fetchval(
            "SELECT id FROM interactions WHERE user_id = $1 AND source_uid = $2 FOR UPDATE", tenant, source_uid
        )
        assert locked is not None
        await until(watching, "wait_event_type = 'Lock'", 1)
        with pytest.raises(TaskHeld):
            await run_now(PURGE, settings, nothing, recorded=False)
        left = await state_of(watching, tenant)
        purging.process.kill()
        await purging.process.wait()
        await lock.rollback()
    await until(watching, "true", 0)
    await run_now(PURGE, settings, nothing, recorded=False)
    return left


async def whole(purging: Process) -> int:
    await purging.line(PURGED)
    return await purging.ended()


async def test_killed_in_any_batch_it_ends_the_same(database: Database, as_superuser: Connection) -> None:
    model = await tenant_to_purge(as_superuser)
    async with database.connect("pmcrm_service") as service:
        done = await purge(service, Wanted(90))
    assert done.row_counts["contacts"] == DELETED
    expected = await state_of(as_superuser, model)

    tenant = await tenant_to_purge(as_superuser)
    before = await state_of(as_superuser, tenant)
    # In the first batch, and in the second.
    for source_uid, contacts in ((f"own Ada {DELETED}", DELETED), ("own Ada 1", REST)):
        there = await killed_at(database, as_superuser, tenant, source_uid)
        left = await state_of(as_superuser, tenant)
        # Whole batches are gone, and nothing of the one that was cut off.
        assert left == there
        counted = Counter(what.split()[0] for what in left.elements())
        assert (counted["contact"], counted["interaction"]) == (contacts + 1, DELETED + contacts)
        assert (left == before) == (contacts == DELETED)
    async with started(COMMAND, environment(database)) as purging:
        assert await whole(purging) == 0
    assert await state_of(as_superuser, tenant) == expected
