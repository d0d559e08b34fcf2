"""Start-up stops on a database that is not fit, with a sentence that says what is wrong and what to do."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator

import asyncpg
import pytest

from shared import floor
from shared.floor import UnfitServerError, check_server
from shared.migrations import read
from shared.roles import SERVICE_ROLES
from tests.postgres import Connection, Database


@contextlib.asynccontextmanager
async def role(database: Database, attributes: str, grants: str = "") -> AsyncIterator[Connection]:
    """A connection as a new role with these attributes, and GRANTs in which {role} is its name."""
    name = f"floor_{uuid.uuid4().hex[:8]}"
    async with database.connect() as conn:
        await conn.execute(f"CREATE ROLE {name} LOGIN PASSWORD 'secret' {attributes}")
        await conn.execute(f"GRANT CONNECT ON DATABASE {database.name} TO {name}; {grants.format(role=name)}")
        try:
            login = await asyncpg.connect(database.superuser, user=name, password="secret")
            try:
                yield login
            finally:
                await login.close()
        finally:
            await conn.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")


RIGHTS = "GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON app.migrations, users TO {role};"


@pytest.mark.parametrize("name", SERVICE_ROLES)
async def test_a_migrated_database_is_fit_for_each_service(database, name):
    async with database.connect(name) as conn:
        await check_server(conn)


async def test_a_migrated_database_is_fit_for_operators(database):
    async with database.connect("pmcrm_service") as conn:
        await check_server(conn, operator=True)


@pytest.mark.parametrize("major", [9, 15])
def test_a_server_below_16_is_refused(major):
    with pytest.raises(UnfitServerError, match=f"PostgreSQL {major}, and pmcrm needs 16 or newer"):
        floor.check_version(major)


@pytest.mark.parametrize("version", ["0.7.4", "0.5"])
def test_a_pgvector_below_0_8_is_refused(version):
    with pytest.raises(UnfitServerError, match=r"needs 0\.8 or newer.*ALTER EXTENSION vector UPDATE"):
        floor.check_vector_version(version)


@pytest.mark.parametrize("version", ["0.8.0", "0.10", "1.0.0"])
def test_a_newer_pgvector_is_accepted(version):
    floor.check_vector_version(version)


@pytest.mark.parametrize("extension", ["vector", "pg_trgm", "btree_gin", "unaccent"])
async def test_a_missing_extension_is_named(fresh_database, extension):
    async with fresh_database.connect() as conn:
        await conn.execute(f"DROP EXTENSION {extension} CASCADE")
    async with fresh_database.connect("pmcrm_contacts") as conn:
        with pytest.raises(UnfitServerError, match=f"extension {extension} is missing.*CREATE EXTENSION {extension}"):
            await check_server(conn)


async def test_a_database_without_schema_says_to_migrate(empty_database):
    await empty_database.migrate([])
    async with empty_database.connect() as conn:
        await conn.execute("DROP SCHEMA app CASCADE")
    async with empty_database.connect("pmcrm_contacts") as conn:
        with pytest.raises(UnfitServerError, match=r"no pmcrm schema yet\. Run `pmcrm migrate`"):
            await check_server(conn)


async def test_pending_migrations_are_counted(empty_database):
    files = read()
    await empty_database.migrate(files[:-1])
    async with empty_database.connect("pmcrm_contacts") as conn:
        with pytest.raises(UnfitServerError, match=f"lacks 1 migration of this release, from {files[-1].name} on"):
            await check_server(conn)


async def test_a_database_of_a_newer_release_is_accepted(fresh_database):
    async with fresh_database.connect() as conn:
        await conn.execute("INSERT INTO app.migrations (name, checksum) VALUES ('9999_later.sql', '')")
    async with fresh_database.connect("pmcrm_contacts") as conn:
        await check_server(conn)


async def test_a_superuser_is_refused(database):
    async with database.connect() as conn:
        with pytest.raises(UnfitServerError, match="is a superuser"):
            await check_server(conn)
        with pytest.raises(UnfitServerError, match=r"is a superuser.*Log in as pmcrm_service"):
            await check_server(conn, operator=True)


async def test_a_service_that_bypasses_row_level_security_is_refused(database):
    async with role(database, "BYPASSRLS", RIGHTS) as conn:
        with pytest.raises(UnfitServerError, match="has BYPASSRLS"):
            await check_server(conn)


@pytest.mark.parametrize("other", ["pmcrm_owner", "pmcrm_service"])
async def test_a_service_that_can_become_somebody_who_sees_all_is_refused(database, other):
    async with role(database, "NOINHERIT", RIGHTS + f"GRANT {other} TO {{role}};") as conn:
        with pytest.raises(UnfitServerError, match=f"may act as {other}"):
            await check_server(conn)


async def test_a_role_without_rights_is_told_which(database):
    async with role(database, "") as conn:
        with pytest.raises(UnfitServerError, match="has no USAGE on the schema app"):
            await check_server(conn)
    async with role(database, "", "GRANT USAGE ON SCHEMA app TO {role};") as conn:
        with pytest.raises(UnfitServerError, match=r"has no SELECT on app\.migrations"):
            await check_server(conn)
    grants = "GRANT USAGE ON SCHEMA app TO {role}; GRANT SELECT ON app.migrations TO {role};"
    async with role(database, "", grants) as conn:
        with pytest.raises(UnfitServerError, match="has no SELECT on users"):
            await check_server(conn)


async def test_an_operator_without_bypassrls_is_refused(database):
    async with role(database, "", RIGHTS) as conn:
        with pytest.raises(UnfitServerError, match=r"lacks BYPASSRLS.*ALTER ROLE floor_.* BYPASSRLS"):
            await check_server(conn, operator=True)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ("ENCODING 'UTF8' LOCALE 'C'", "The database's locale is C"),
        ("ENCODING 'LATIN1' LOCALE 'C'", "The database's encoding is LATIN1"),
    ],
)
async def test_an_encoding_or_locale_that_loses_names_is_refused(server, template, options, sentence):
    database = Database(server, f"pmcrm_test_{uuid.uuid4().hex[:12]}")
    async with server.superuser() as conn:
        await conn.execute(f"CREATE DATABASE {database.name} {options} TEMPLATE template0")
    try:
        if "LATIN1" not in options:
            await database.migrate()
        else:
            async with database.connect() as conn:
                await conn.execute(f"GRANT CONNECT ON DATABASE {database.name} TO pmcrm_contacts")
        async with database.connect("pmcrm_contacts") as conn:
            with pytest.raises(UnfitServerError, match=sentence):
                await check_server(conn)
    finally:
        await server.drop(database)
