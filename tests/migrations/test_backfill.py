"""Row-level security is forced on the owner too: how a migration changes rows, and what happens when it forgets."""

from __future__ import annotations

import asyncpg
import pytest

from shared.migrations import Migration, MigrationError, migrate, read
from tests.database.catalog_lint import lint
from tests.database.rows import add_tenant

PLAIN = "UPDATE contacts SET job_title = 'backfilled';"
# Of three tenants: the one that is linked, and the one that it is linked to.
CONTACTS = 6
RIGHT = "CALL app.backfill('contacts', $$UPDATE contacts SET job_title = 'backfilled'$$);"


async def titles(database) -> list[str | None]:
    async with database.connect("pmcrm_service") as conn:
        return [row[0] for row in await conn.fetch("SELECT job_title FROM contacts")]


@pytest.fixture
async def filled(fresh_database):
    async with fresh_database.connect() as conn:
        for _ in range(3):
            await add_tenant(conn)
    return fresh_database


async def test_the_owners_plain_update_silently_changes_nothing(filled):
    async with filled.connect("pmcrm_owner") as conn:
        assert await migrate(conn, [*read(), Migration("9999_plain.sql", PLAIN)]) == ["9999_plain.sql"]
    assert await titles(filled) == [None] * CONTACTS


async def test_a_backfill_changes_every_tenants_rows_and_forces_row_level_security_again(filled):
    async with filled.connect("pmcrm_owner") as conn:
        await migrate(conn, [*read(), Migration("9999_right.sql", RIGHT)])
    assert await titles(filled) == ["backfilled"] * CONTACTS
    async with filled.connect() as conn:
        assert await lint(conn) == []
        assert await conn.fetchval("SELECT count(*) FROM audit_logs WHERE new_values ? 'job_title'") == CONTACTS


async def test_a_failing_backfill_leaves_row_level_security_forced(filled):
    failing = RIGHT.replace("'backfilled'", "repeat('x', 1 / 0)")
    async with filled.connect("pmcrm_owner") as conn:
        with pytest.raises(MigrationError, match="division by zero"):
            await migrate(conn, [*read(), Migration("9999_failing.sql", failing)])
    async with filled.connect() as conn:
        assert await lint(conn) == []


async def test_only_the_owner_backfills(filled):
    for role in ("pmcrm_contacts", "pmcrm_service"):
        async with filled.connect(role) as conn:
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await conn.execute(RIGHT)
