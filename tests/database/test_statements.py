"""Every statement that a service runs is known to PostgreSQL, permitted to its role, and says which tenant it means."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import queries
from shared.queries import Query
from shared.roles import SERVICE_ROLES
from tests.database.catalog_lint import TENANT_TABLES

ROOT = Path(__file__).parents[2]
# Each folder of statements with the roles that run them.
FOLDERS = {
    **{folder: [f"pmcrm_{folder.parent.name}"] for folder in sorted(ROOT.glob("services/*/queries"))},
    ROOT / "shared" / "statements": list(SERVICE_ROLES),
    ROOT / "shared" / "suppression" / "queries": ["pmcrm_contacts", "pmcrm_interactions"],
    ROOT / "shared" / "exported_ties" / "queries": ["pmcrm_contacts", "pmcrm_gdpr"],
    ROOT / "shared" / "duplicates" / "queries": ["pmcrm_contacts", "pmcrm_insights"],
    ROOT / "sql" / "maintenance": ["pmcrm_service"],
}
# Views over tenant tables, with the column that holds the tenant.
VIEWS = {
    "audit_rows": "user_id",
    "consent_rows": "user_id",
    "reminder_rows": "user_id",
    "contact_rows": "user_id",
    "contact_link_sides": "user_id",
    "contact_profiles": "user_id",
    "contact_summaries": "user_id",
    "integration_rows": "user_id",
    "interaction_rows": "user_id",
    "carried_tags": "user_id",
    "current_employments": "user_id",
    "tag_rows": "user_id",
    "insight_rows": "user_id",
}
READ = re.compile(r"\b(?:FROM|JOIN|UPDATE|USING)\s+(?:ONLY\s+)?(?:public\.)?(\w+)", re.IGNORECASE)
WRITTEN = re.compile(r"\bINSERT\s+INTO\s+(?:public\.)?(\w+)\s*\(\s*(\w+)", re.IGNORECASE)


def statements() -> Iterator[tuple[str, Query]]:
    for folder, roles in FOLDERS.items():
        for query in queries.load(folder).values():
            across = query.operator or folder.name == "maintenance"
            for role in ["pmcrm_service"] if across else roles:
                yield role, query


ALL = list(statements())


@pytest.mark.parametrize("folder", FOLDERS, ids=[str(folder.relative_to(ROOT)) for folder in FOLDERS])
def test_no_prepare_block_is_lost(folder):
    lines = [
        line for file in folder.rglob("*.sql") for line in file.read_text().splitlines() if line.startswith("PREPARE")
    ]
    assert len(queries.load(folder)) == len(lines)


@pytest.mark.parametrize(("role", "query"), ALL, ids=[f"{role}-{query.name}" for role, query in ALL])
async def test_a_statement_prepares_and_is_permitted(database, role, query):
    types = f" ({', '.join(query.types)})" if query.types else ""
    async with database.connect(role) as conn, conn.transaction():
        # An operator's transaction may be bound to no tenant; a tenant's always is.
        await conn.execute("SET LOCAL app.current_user_id = '00000000-0000-0000-0000-000000000001'")
        await conn.execute(f"PREPARE {query.name}{types} AS {query.sql}")
        found = await conn.fetchval(
            "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = $1", query.name
        )
        assert len(found) == len(query.types)
        nulls = f" ({', '.join(['NULL'] * len(query.types))})" if query.types else ""
        # EXPLAIN plans the statement and checks rights, and runs nothing.
        await conn.execute(f"EXPLAIN EXECUTE {query.name}{nulls}")
        await conn.execute(f"DEALLOCATE {query.name}")
        # As asyncpg prepares it.
        prepared = await conn.prepare(query.sql)
        assert len(prepared.get_parameters()) == len(query.types)


def tenant_problems(sql: str) -> list[str]:
    """What a tenant's statement lacks: `user_id = $1` for each tenant table it reads, `$1` where it inserts."""
    tenants = {**TENANT_TABLES, **VIEWS, "login_emails": "user_id"}
    read = [name.lower() for name in READ.findall(sql) if name.lower() in tenants]
    problems = []
    for column in {tenants[table] for table in read}:
        wanted = [table for table in read if tenants[table] == column]
        said = re.findall(rf"(?<!\w){column}\s*=\s*\$1\b", sql)
        if len(said) < len(wanted):
            problems.append(f"reads {', '.join(wanted)} and says {column} = $1 {len(said)} times")
    for table, first in WRITTEN.findall(sql):
        if table.lower() in tenants and (first != tenants[table.lower()] or "$1" not in sql):
            problems.append(f"inserts into {table} without the tenant first")
    return problems


@pytest.mark.parametrize(
    "query", {query.name: query for role, query in ALL if role != "pmcrm_service"}.values(), ids=str
)
def test_a_tenants_statement_names_its_tenant_for_each_table(query):
    assert query.types[:1] == ("uuid",), "the tenant is $1"
    assert tenant_problems(query.sql) == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT * FROM contacts WHERE id = $2",
        "SELECT * FROM contacts AS c JOIN contact_strengths AS s ON s.contact_id = c.id WHERE c.user_id = $1",
        "SELECT * FROM users WHERE display_name = $2",
        "UPDATE contacts SET notes = $2 WHERE id = $3",
        "INSERT INTO contacts (id, user_id) VALUES ($2, $1)",
        "SELECT * FROM contacts WHERE user_id = $10",
    ],
)
def test_a_statement_that_forgets_its_tenant_is_noticed(sql):
    assert tenant_problems(sql) != []
