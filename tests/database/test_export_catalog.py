"""Exports prove that they are complete: every tenant table and column is exported, or left out for a stated reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from services.gdpr.exporting.catalog_privacy import BY_NAME, NOT_EXPORTED, TABLES
from shared import queries
from tests.database.catalog_lint import TENANT_TABLES
from tests.postgres import Connection

STATEMENTS = queries.load(Path(__file__).parents[2] / "services" / "gdpr" / "queries")

# Not a tenant table, and personal all the same.
BESIDE = {"login_emails"}

COLUMNS = """
    SELECT c.relname AS table_name, a.attname AS column_name
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
"""


async def problems(conn: Connection) -> list[str]:
    """What the catalog of exports does not say, says twice, or says of what is not there."""
    actual: dict[str, set[str]] = {}
    for row in await conn.fetch(COLUMNS):
        actual.setdefault(row["table_name"], set()).add(row["column_name"])
    tenants = {name for name, columns in actual.items() if "user_id" in columns} | {"users"}
    found = [f"{name} is in no list" for name in sorted(tenants - set(BY_NAME) - set(NOT_EXPORTED))]
    found += [f"{name} is not there" for name in sorted({*BY_NAME, *NOT_EXPORTED} - set(actual))]
    found += [f"{name} is exported and not exported" for name in sorted(set(BY_NAME) & set(NOT_EXPORTED))]
    for table in TABLES:
        said = [*table.columns, *table.inferred, *table.left_out]
        there = actual.get(table.name, set())
        found += [f"{table.name}.{column} is in no list" for column in sorted(there - set(said))]
        found += [f"{table.name}.{column} is not there" for column in sorted(set(said) - there)]
        found += [f"{table.name}.{column} is said twice" for column in sorted({c for c in said if said.count(c) > 1})]
    return found


async def test_every_column_of_every_tenant_table_is_exported_or_left_out_for_a_reason(as_superuser):
    assert await problems(as_superuser) == []


def test_every_tenant_table_of_the_lint_is_known():
    assert {*BY_NAME, *NOT_EXPORTED} == {*TENANT_TABLES, *BESIDE}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ("CREATE TABLE diaries (user_id uuid, page text)", "diaries is in no list"),
        ("ALTER TABLE tags ADD COLUMN mood text", "tags.mood is in no list"),
        ("ALTER TABLE tags RENAME COLUMN color TO colour", "tags.color is not there"),
        ("ALTER TABLE suppressions RENAME TO forgotten", "suppressions is not there"),
    ],
)
async def test_what_the_catalog_does_not_know_is_found(as_superuser, change, problem):
    transaction = as_superuser.transaction()
    await transaction.start()
    try:
        await as_superuser.execute(change)
        assert problem in await problems(as_superuser)
    finally:
        await transaction.rollback()


def test_reasons_are_given():
    for table in TABLES:
        assert table.about.endswith("."), table.name
        assert all(table.left_out.values()), table.name
    assert all(NOT_EXPORTED.values())


def test_each_table_has_a_statement_and_each_statement_a_table():
    of_tables = {name for name, query in STATEMENTS.items() if query.types[1:3] == ("uuid[]", "text[]")}
    assert of_tables == {f"export_{table.name}" for table in TABLES}


async def test_rows_come_in_the_order_of_the_primary_key(as_superuser):
    for table in TABLES:
        key = await as_superuser.fetchval(
            """
            SELECT array_agg(a.attname::text ORDER BY k.place)
            FROM pg_index AS i
            CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k (number, place)
            JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = k.number
            WHERE i.indrelid = $1::text::regclass AND i.indisprimary
            """,
            table.name,
        )
        wanted = [column for column in key if column != "user_id"] or ["user_id"]
        if table.name == "login_emails":
            wanted = ["login_email"]  # one row; its key is made of this
        query = STATEMENTS[f"export_{table.name}"]
        first = query.sql.removeprefix("SELECT").split("line")[0].split("(")[0]
        assert [column.strip() for column in first.split(",") if column.strip()] == wanted, table.name
