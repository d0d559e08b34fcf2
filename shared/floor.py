"""What a PostgreSQL server, a database and a role must have before a service starts on them."""

from __future__ import annotations

from typing import Any, TypeAlias

import asyncpg

from shared import migrations
from shared.roles import EXTENSIONS, SERVICE_ROLES

OLDEST_SERVER = 16
OLDEST_VECTOR = (0, 8)
OPERATOR = "pmcrm_service"

Connection: TypeAlias = "asyncpg.Connection[Any]"


class UnfitServerError(Exception):
    """The database cannot be used: one sentence on what is wrong, one on what to do."""


async def check_server(conn: Connection, *, operator: bool = False) -> None:
    """Raises UnfitServerError for the first thing that is missing.

    conn: logged in as the role that is going to work: a service's, or with `operator` the one across tenants.
    """
    check_version(conn.get_server_version().major)
    await _check_database(conn)
    await (_check_operator if operator else _check_service)(conn)
    await _check_migrations(conn)
    await _check_text(conn)


def check_version(major: int) -> None:
    """Raises UnfitServerError below PostgreSQL 16."""
    if major < OLDEST_SERVER:
        raise UnfitServerError(
            f"The server is PostgreSQL {major}, and pmcrm needs {OLDEST_SERVER} or newer. Upgrade it (pg_upgrade), or "
            f"point DATABASE_URL to a newer one."
        )


def check_vector_version(version: str) -> None:
    """Raises UnfitServerError below pgvector 0.8."""
    if tuple(int(part) for part in version.split(".")[:2]) < OLDEST_VECTOR:
        oldest = ".".join(map(str, OLDEST_VECTOR))
        raise UnfitServerError(
            f"The extension vector is {version}, and pmcrm needs {oldest} or newer. Install a newer pgvector on the "
            f"server, then run ALTER EXTENSION vector UPDATE as a superuser."
        )


async def _check_database(conn: Connection) -> None:
    encoding = await conn.fetchval("SHOW server_encoding")
    if encoding != "UTF8":
        raise UnfitServerError(
            f"The database's encoding is {encoding}, and pmcrm needs UTF8. Create another one: "
            f"CREATE DATABASE pmcrm ENCODING 'UTF8' TEMPLATE template0."
        )
    rows = await conn.fetch("SELECT extname, extversion FROM pg_catalog.pg_extension")
    versions = {row["extname"]: row["extversion"] for row in rows}
    for extension in EXTENSIONS:
        if extension not in versions:
            raise UnfitServerError(
                f"The extension {extension} is missing in the database. Run `pmcrm migrate` with a superuser's URL as "
                f"DATABASE_URL_OWNER, or CREATE EXTENSION {extension} as a superuser."
            )
    check_vector_version(versions["vector"])


async def _check_service(conn: Connection) -> None:
    role = await conn.fetchrow(
        """
        SELECT rolname, rolsuper, rolbypassrls,
            (
                SELECT min(owner.rolname) FROM pg_catalog.pg_roles AS owner
                WHERE owner.rolname IN ('pmcrm_owner', 'pmcrm_service') AND pg_has_role(me.oid, owner.oid, 'MEMBER')
            ) AS acts_as
        FROM pg_catalog.pg_roles AS me
        WHERE rolname = session_user
        """
    )
    if role is None:
        raise UnfitServerError("The role of this connection is gone. Run `pmcrm migrate` to make it again.")
    name = role["rolname"]
    advice = f"Log in as the service's own role ({', '.join(SERVICE_ROLES)})."
    if role["rolsuper"]:
        raise UnfitServerError(f"{name} is a superuser, whom row-level security does not hold. {advice}")
    if role["rolbypassrls"]:
        raise UnfitServerError(f"{name} has BYPASSRLS: row-level security does not hold it. {advice}")
    if role["acts_as"]:
        raise UnfitServerError(f"{name} may act as {role['acts_as']}, who sees every tenant. {advice}")
    await _check_rights(conn, name)


async def _check_operator(conn: Connection) -> None:
    name, superuser, bypass = await conn.fetchrow(  # type: ignore[misc]  # whoever is logged in has a row
        "SELECT rolname, rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = session_user"
    )
    if superuser:
        raise UnfitServerError(f"{name} is a superuser, which operators need not be. Log in as {OPERATOR}.")
    if not bypass:
        raise UnfitServerError(
            f"{name} lacks BYPASSRLS, without which operator RPCs and jobs see no tenant. "
            f"Run ALTER ROLE {name} BYPASSRLS as a superuser, or log in as {OPERATOR}."
        )
    await _check_rights(conn, name)


async def _check_rights(conn: Connection, role: str) -> None:
    # By oid: names in a schema without USAGE cannot be looked up.
    missing = await conn.fetchval(
        """
        WITH tables AS (
            SELECT c.oid, n.nspname || '.' || c.relname AS name
            FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
        )
        SELECT CASE
            WHEN NOT EXISTS (SELECT FROM tables WHERE name = 'app.migrations') THEN 'schema'
            WHEN NOT has_schema_privilege('app', 'USAGE') THEN 'USAGE on the schema app'
            WHEN NOT (SELECT has_table_privilege(oid, 'SELECT') FROM tables WHERE name = 'app.migrations')
                THEN 'SELECT on app.migrations'
            WHEN NOT (SELECT has_any_column_privilege(oid, 'SELECT') FROM tables WHERE name = 'public.users')
                THEN 'SELECT on users'
        END
        """
    )
    if missing == "schema":
        raise UnfitServerError("The database has no pmcrm schema yet. Run `pmcrm migrate`.")
    if missing:
        raise UnfitServerError(
            f"{role} has no {missing}. Log in as one of pmcrm's roles; if it is one, its grants were lost (a dump "
            f"restored without privileges does that): restore them, as the GRANTs in sql/ say."
        )


async def _check_migrations(conn: Connection) -> None:
    # Files that this release does not know are no problem: the database may be ahead of a service while a new release
    # is rolled out.
    rows = await conn.fetch("SELECT name FROM app.migrations WHERE statements_done IS NULL")
    applied = {row["name"] for row in rows}
    pending = [migration.name for migration in migrations.read() if migration.name not in applied]
    if pending:
        raise UnfitServerError(
            f"The database lacks {len(pending)} migration{'s' if len(pending) > 1 else ''} of this release, "
            f"from {pending[0]} on. Run `pmcrm migrate`."
        )


async def _check_text(conn: Connection) -> None:
    trigrams, folds = await conn.fetchrow(  # type: ignore[misc]  # one row always
        """
        SELECT coalesce(cardinality(public.show_trgm('мария')), 0),
            app.fold('Émile') < app.fold('Zeta') COLLATE app.name_order AND app.fold('ЖЁ') = 'же'
        """
    )
    if not trigrams or not folds:
        raise UnfitServerError(
            "The database's locale is C, in which names in other than Latin script are neither found nor sorted. "
            "Create another one: CREATE DATABASE pmcrm LOCALE 'C.UTF-8' TEMPLATE template0."
        )
