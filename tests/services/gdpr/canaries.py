"""Canaries: a distinct string in every column that can hold text, found from the catalog, and where it stands again."""

from __future__ import annotations

import asyncio
import hashlib
import os
import uuid
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest

from tests.postgres import Connection, Database

# Distinct in each row, since some columns are keys.
SAID = "($1::text || ctid::text)"
# How each type that can hold text holds the canary; a further way where a constraint wants another.
WAYS = {
    "text": (SAID,),
    "text[]": (f"ARRAY[{SAID}]",),
    "jsonb": (f"jsonb_build_object('said', {SAID})", f"jsonb_build_array(jsonb_build_object('value', {SAID}))"),
    # A digest has a fixed length: that of the canary stands for it.
    "bytea": (f"convert_to({SAID}, 'UTF8')", "sha256(convert_to($1::text, 'UTF8'))"),
    "inet": ("$1::text::inet",),
}
# What holds no text. Of embeddings the rows have to go, which receipts count.
SILENT = {
    *("uuid", "uuid[]", "boolean", "smallint", "integer", "integer[]", "bigint", "double precision"),
    *("date", "interval", "timestamp with time zone", "halfvec"),
}

COLUMNS = """
    SELECT c.relname AS table_name, a.attname AS column_name, format_type(a.atttypid, NULL) AS type
    FROM pg_class AS c
    JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition
    ORDER BY 1, 2
"""
TABLES = """
    SELECT c.oid::regclass::text FROM pg_class AS c
    WHERE c.relnamespace = ANY (ARRAY['public', 'app']::regnamespace[]) AND c.relkind = 'r'
"""
STATISTICS = """
    SELECT tablename || '.' || attname || ': ' || concat_ws(
        ' ', most_common_vals::text, histogram_bounds::text, most_common_elems::text
    )
    FROM pg_stats WHERE schemaname IN ('public', 'app')
"""


@dataclass
class Canaries:
    """What was planted for one contact. planted: by (table, column), the string or bytes that must not be found again.

    unfit: columns whose constraints leave no room for free text.
    """

    mark: str
    planted: dict[tuple[str, str], str] = field(default_factory=dict)
    unfit: set[tuple[str, str]] = field(default_factory=set)

    async def plant(
        self, conn: Connection, rows: Mapping[str, str], kept: Mapping[str, Collection[str]], *arguments: uuid.UUID
    ) -> None:
        """Writes into the rows (table → condition over $2 …) all columns but the kept ones. conn: a superuser's."""
        async with conn.transaction():
            # No trigger and no foreign key has a say.
            await conn.execute("SET LOCAL session_replication_role = replica")
            for table, column, type_name in await conn.fetch(COLUMNS):
                assert type_name in WAYS or type_name in SILENT, f"{table}.{column}: can {type_name} hold text?"
                if table in rows and type_name in WAYS and column not in kept.get(table, ()):
                    await self._plant(conn, table, column, type_name, rows[table], arguments)

    async def _plant(
        self,
        conn: Connection,
        table: str,
        column: str,
        type_name: str,
        condition: str,
        arguments: tuple[uuid.UUID, ...],
    ) -> None:
        canary = f"{self.mark} {table} {column};"
        if type_name == "inet":
            # An address that nobody else has.
            canary = f"2001:db8::{zlib.crc32(canary.encode()) % 0xF000 + 0x1000:x}"
        for way in WAYS[type_name]:
            try:
                async with conn.transaction():
                    used = arguments[: max((i for i in range(1, 4) if f"${i + 1}" in condition), default=0)]
                    done = await conn.execute(f"UPDATE {table} SET {column} = {way} WHERE {condition}", canary, *used)
            except (asyncpg.CheckViolationError, asyncpg.NotNullViolationError):
                continue
            assert done != "UPDATE 0", f"{table} has no row to plant in"
            digest = hashlib.sha256(canary.encode()).hexdigest()
            self.planted[table, column] = digest if way.startswith("sha256") else canary
            return
        self.unfit.add((table, column))

    def found_in(self, text: str) -> set[tuple[str, str]]:
        """Which of them stand in a text, as they are or as hexadecimal digits."""
        if (
            self.mark not in text
            and self.mark.encode().hex() not in text
            and not any(needle in text for needle in self.planted.values() if " " not in needle)
        ):
            return set()
        return {place for place, needle in self.planted.items() if needle in text or needle.encode().hex() in text}

    async def found(self, conn: Connection) -> set[tuple[str, str]]:
        """Which of them stand in any value of any table."""
        return set().union(*[self.found_in(row) for row in await every_row(conn)])


async def every_row(conn: Connection) -> list[str]:
    """Every row of every table, as text; bytes in it are hexadecimal digits. conn: a superuser's."""
    rows = []
    for (table,) in await conn.fetch(TABLES):
        rows += [f"{table} {row}" for (row,) in await conn.fetch(f"SELECT t::text FROM {table} AS t")]
    return rows


async def rows_of_tenant(conn: Connection, tenant: uuid.UUID) -> list[str]:
    """Every row that names a tenant."""
    return sorted(row for row in await every_row(conn) if str(tenant) in row)


async def every_statistic(conn: Connection) -> list[str]:
    """What the planner knows of values, by column."""
    return [row for (row,) in await conn.fetch(STATISTICS)]


async def dump_of(database: Database, conn: Connection) -> str:
    """A dump of the whole database. Skips the test where the server's programs are not on this machine."""
    folder = Path(await conn.fetchval("SELECT setting FROM pg_config WHERE name = 'BINDIR'"))
    if not (folder / "pg_dump").exists():
        pytest.skip("the server's programs are on another machine")
    dump = await asyncio.create_subprocess_exec(
        folder / "pg_dump",
        f"--dbname={database.superuser}",
        env={**os.environ, "LD_LIBRARY_PATH": str(folder.parent / "lib")},
        stdout=asyncio.subprocess.PIPE,
    )
    written, _ = await dump.communicate()
    assert dump.returncode == 0
    return written.decode()
