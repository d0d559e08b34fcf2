"""An erasure that is stopped at any point and begun again ends as one that nothing stopped: with one receipt."""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter
from typing import Any

import asyncpg
import pytest
import pytest_asyncio

from services.gdpr import account_erasing
from services.gdpr.account_erasing import Outcome, erase_account
from tests.database.rows import INSERTS, add_tenant
from tests.postgres import Connection, Database, bound
from tests.runtime.processes import environment, started
from tests.services.gdpr.accounts import GRACE, let_pass

WAITS = re.compile("waits to be killed")

# What tells one end from another, but for ids, times and digests.
OUTCOME = """
    SELECT 'user' AS of, jsonb_build_object(
        'erased', erased_at IS NOT NULL, 'closed', deleted_at IS NOT NULL, 'name', display_name,
        'revision', revision
    ) AS what
    FROM users WHERE id = $1
    UNION ALL
    SELECT 'erasure', jsonb_build_object(
        'state', state, 'counts', row_counts, 'reason', reason, 'account', contact_id IS NULL,
        'named', audit_entry_id IS NOT NULL, 'erased', erased_at IS NOT NULL
    ) FROM erasure_requests WHERE user_id = $1
    UNION ALL
    SELECT 'change', jsonb_build_object('position', position, 'state', state, 'cause', cause)
    FROM erasure_state_changes WHERE user_id = $1
    UNION ALL
    SELECT 'entry', jsonb_build_object(
        'table', table_name, 'action', action, 'emptied', erased_by IS NOT NULL, 'salted', salt IS NOT NULL,
        'payload', old_values IS NOT NULL OR new_values IS NOT NULL,
        'entries', jsonb_array_length(new_values -> 'entries')
    ) FROM (SELECT * FROM audit_logs UNION ALL SELECT * FROM audit_logs_archive) AS a WHERE user_id = $1
    UNION ALL
    SELECT 'consent', to_jsonb(c) - '{user_id,id,contact_id,subject_id,created_at}'::text[]
    FROM consent_records AS c WHERE user_id = $1
    UNION ALL
    SELECT 'hold', jsonb_build_object('reason', reason) FROM legal_holds WHERE user_id = $1
"""


@pytest.fixture(autouse=True)
def _small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_erasing, "LONGEST_PAUSE", 0)
    monkeypatch.setattr(account_erasing, "ROWS_AT_ONCE", 2)


async def closed_account(conn: Connection) -> uuid.UUID:
    """An account that is to be erased, the same each time; conn: a superuser's."""
    tenant = await add_tenant(conn)
    async with bound(conn, tenant.id):
        for n in range(5):
            await conn.execute(
                "INSERT INTO contacts (user_id, display_name, sort_name) VALUES ($1, $2, $2)", tenant.id, f"anna {n}"
            )
        await conn.execute("UPDATE legal_holds SET released_at = now() WHERE user_id = $1", tenant.id)
        await conn.execute("UPDATE users SET deleted_at = now() WHERE id = $1", tenant.id)
    await let_pass(conn, [tenant.id])
    return tenant.id


async def end_of(conn: Connection, tenant: uuid.UUID) -> Counter[str]:
    """How everything ended. Raises when a table still has rows. conn: a superuser's."""
    left = {}
    for (table,) in await conn.fetch("SELECT table_name FROM app.tables_of_accounts()"):
        left[table] = await conn.fetchval(f"SELECT count(*) FROM {table} WHERE user_id = $1", tenant)
    assert {table for table, rows in left.items() if rows} == set()
    assert len(left) > len(INSERTS) // 2
    return Counter(f"{row['of']} {sorted(row['what'].items())}" for row in await conn.fetch(OUTCOME, tenant))


class Uninterrupted:
    """How an erasure ends that nothing stops, and what steps it takes."""

    def __init__(self, end: Counter[str], steps: list[str]) -> None:
        self.end = end
        self.steps = steps


@pytest_asyncio.fixture
async def uninterrupted(as_superuser: Connection, as_operator: Connection) -> Uninterrupted:
    tenant = await closed_account(as_superuser)
    steps: list[str] = []
    assert await erase_account(as_operator, tenant, GRACE, steps.append) is Outcome.ERASED
    return Uninterrupted(await end_of(as_superuser, tenant), steps)


class StoppedByTest(Exception):
    """Raised by a step."""


async def stopped(conn: Connection, tenant: uuid.UUID, after: int) -> None:
    done = 0

    def step(what: str) -> None:
        nonlocal done
        done += 1
        if done == after:
            raise StoppedByTest(what)

    with pytest.raises(StoppedByTest):
        await erase_account(conn, tenant, GRACE, step)


async def test_stopped_after_any_step_it_ends_the_same(
    uninterrupted: Uninterrupted, as_superuser: Connection, as_operator: Connection
) -> None:
    every = len(uninterrupted.steps)
    chance = random.Random(7)
    for after in [1, every - 1, *chance.sample(range(2, every - 1), 5)]:
        tenant = await closed_account(as_superuser)
        await stopped(as_operator, tenant, after)
        assert await erase_account(as_operator, tenant, GRACE) is Outcome.ERASED
        assert await end_of(as_superuser, tenant) == uninterrupted.end, uninterrupted.steps[after - 1]


async def test_stopped_again_and_again_it_ends_the_same(
    uninterrupted: Uninterrupted, as_superuser: Connection, as_operator: Connection
) -> None:
    tenant = await closed_account(as_superuser)
    chance = random.Random(11)
    for _ in range(6):
        # Each begins from the start, and what is done takes a step at most.
        await stopped(as_operator, tenant, chance.randrange(1, 30))
    assert await erase_account(as_operator, tenant, GRACE) is Outcome.ERASED
    assert await end_of(as_superuser, tenant) == uninterrupted.end


async def test_a_step_that_fails_undoes_itself(
    uninterrupted: Uninterrupted, as_superuser: Connection, as_operator: Connection
) -> None:
    tenant = await closed_account(as_superuser)
    await as_superuser.execute("CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'")
    await as_superuser.execute(
        "CREATE TRIGGER refuse BEFORE DELETE ON tags FOR EACH STATEMENT EXECUTE FUNCTION refuse()"
    )
    told: list[Any] = []
    with pytest.raises(asyncpg.RaiseError):
        await erase_account(as_operator, tenant, GRACE, told.append)
    assert len(told) < len(uninterrupted.steps)
    with pytest.raises(asyncpg.RaiseError):
        await account_erasing.erase_due_accounts(as_operator, GRACE, lambda *_: None)
    await as_superuser.execute("DROP FUNCTION refuse CASCADE")
    done = await account_erasing.erase_due_accounts(as_operator, GRACE, lambda *_: None)
    assert done.accounts == 1
    assert await end_of(as_superuser, tenant) == uninterrupted.end


async def test_killed_at_any_point_it_ends_the_same(
    uninterrupted: Uninterrupted, database: Database, as_superuser: Connection
) -> None:
    """Real processes, killed with SIGKILL between steps and in the midst of their transactions."""
    tenant = await closed_account(as_superuser)
    variables = environment(database)
    chance = random.Random(13)
    kills = [(chance.randrange(5, 25), "within"), (chance.randrange(10, 30), "between"), (31, "within")]
    for step, place in kills:
        async with started(["-m", "tests.services.gdpr.eraser", str(tenant), str(step), place], variables) as eraser:
            await eraser.line(WAITS)
            eraser.process.kill()
            await eraser.process.wait()
    states = await as_superuser.fetch(
        "SELECT state FROM erasure_requests WHERE user_id = $1 AND contact_id IS NULL", tenant
    )
    assert [row["state"] for row in states] == ["RUNNING"]
    async with started(["-m", "tests.services.gdpr.eraser", str(tenant), "0", "between"], variables) as eraser:
        await eraser.line(re.compile("ended erased"))
    assert await end_of(as_superuser, tenant) == uninterrupted.end
