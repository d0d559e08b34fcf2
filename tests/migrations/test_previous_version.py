"""A database that holds rows of an earlier version is brought to this one, and keeps them."""

from __future__ import annotations

import pytest

from shared.migrations import read
from tests.database.catalog_lint import lint
from tests.database.rows import add_tenant
from tests.postgres import bound

# The first version with tables that hold anything: what an address book needs.
FIRST = 5
FILES = read()


@pytest.mark.parametrize("count", range(FIRST, len(FILES)), ids=[file.name for file in FILES[FIRST - 1 : -1]])
async def test_rows_of_an_earlier_version_survive(empty_database, count):
    await empty_database.migrate(FILES[:count])
    async with empty_database.connect() as conn:
        tenants = [await add_tenant(conn), await add_tenant(conn)]

    assert await empty_database.migrate() == [file.name for file in FILES[count:]]

    async with empty_database.connect() as conn:
        assert await lint(conn) == []
    for tenant in tenants:
        async with empty_database.connect("pmcrm_contacts") as conn, bound(conn, tenant.id):
            kept = "SELECT true FROM contacts WHERE user_id = $1 AND id = $2"
            assert await conn.fetchval(kept, tenant.id, tenant.contact)
            strengths = "SELECT count(*) FROM contact_strengths WHERE contact_id = $1"
            assert await conn.fetchval(strengths, tenant.contact) == 1
