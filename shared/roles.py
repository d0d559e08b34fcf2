"""Makes a server and a database ready for migrations: roles, extensions, ownership, passwords.

The statements are in sql/bootstrap/, for administrators who would rather run them by psql. What is here runs them,
sets the passwords that they leave out, and tells whether it was done.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import stringprep
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import asyncpg

BOOTSTRAP = Path(__file__).resolve().parent.parent / "sql" / "bootstrap"

OWNER = "pmcrm_owner"
SERVICE_ROLES = ("pmcrm_contacts", "pmcrm_interactions", "pmcrm_insights", "pmcrm_gdpr")
FUNCTION_ROLES = ("pmcrm_search", "pmcrm_audit")
BYPASSING_ROLES = ("pmcrm_service", "pmcrm_backup")
LOGIN_ROLES = (OWNER, *SERVICE_ROLES, *BYPASSING_ROLES)
ROLES = (*LOGIN_ROLES, *FUNCTION_ROLES)
EXTENSIONS = ("vector", "pg_trgm", "btree_gin", "unaccent")

ATTEMPTS = 40
SCRAM_ITERATIONS = 4096

# What another bootstrap on the same server, of another database, makes ours fail with. All pass when it is repeated.
DISTURBED = (
    asyncpg.UniqueViolationError,
    asyncpg.DuplicateObjectError,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
)

Connection: TypeAlias = "asyncpg.Connection[Any]"


class NotPreparedError(Exception):
    """The database is not ready for migrations; the text says what to run."""


async def may_bootstrap(conn: Connection) -> bool:
    """Whether the role that is logged in may make roles: a superuser, or a managed server's admin."""
    may: bool = await conn.fetchval(
        "SELECT rolsuper OR rolcreaterole FROM pg_catalog.pg_roles WHERE rolname = session_user"
    )
    return may


async def bootstrap(conn: Connection, passwords: Mapping[str, str] | None = None) -> None:
    """Makes roles, extensions and ownership as sql/bootstrap/ says, and sets the passwords of login roles.

    conn: to the database that becomes pmcrm's, as a superuser or as a role with CREATEROLE, CREATEDB and BYPASSRLS.
    passwords: by role; only hashes of them are sent. Roles that are not in it keep what they have.
    Repeatable, also at the same time on one server.
    """
    await prepare_server(conn, passwords)
    await _script(conn, "database.sql")


async def prepare_server(conn: Connection, passwords: Mapping[str, str] | None = None) -> None:
    """The part of `bootstrap` that holds for all databases of the server: roles and passwords."""
    await _script(conn, "roles.sql")
    for role, password in (passwords or {}).items():
        await _undisturbed(conn, _password_statement, role, password)


async def prepare_database(conn: Connection) -> None:
    """The part of `bootstrap` that holds for the connected database: extensions, owner, who may connect."""
    await _script(conn, "database.sql")


async def check_prepared(conn: Connection) -> None:
    """Raises NotPreparedError when roles or extensions are missing or the database is not the owner's."""
    missing_roles = await conn.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE to_regrole(name) IS NULL", list(ROLES)
    )
    missing_extensions = await conn.fetch(
        "SELECT name FROM unnest($1::text[]) AS name WHERE name NOT IN (SELECT extname FROM pg_catalog.pg_extension)",
        list(EXTENSIONS),
    )
    database, owner = await conn.fetchrow(  # type: ignore[misc]  # one row always
        "SELECT datname, datdba::regrole::text FROM pg_catalog.pg_database WHERE datname = current_database()"
    )
    problems = [f"role {row['name']} is missing" for row in missing_roles]
    problems += [f"extension {row['name']} is missing" for row in missing_extensions]
    if owner != OWNER:
        problems.append(f"it belongs to {owner}")
    if problems:
        raise NotPreparedError(
            f"Database {database} is not prepared for pmcrm ({', '.join(problems)}). Run once, as a superuser: "
            f"psql -d {database} -v ON_ERROR_STOP=1 -f sql/bootstrap/roles.sql -f sql/bootstrap/database.sql; "
            f"or run `pmcrm migrate` with a superuser's URL as DATABASE_URL_OWNER."
        )


def scram_verifier(password: str, salt: bytes | None = None, iterations: int = SCRAM_ITERATIONS) -> str:
    """What PostgreSQL stores for a password (SCRAM-SHA-256, RFC 5803): sent instead of it, it cannot land in a log."""
    salt = os.urandom(16) if salt is None else salt
    salted = hashlib.pbkdf2_hmac("sha256", _prepared(password).encode(), salt, iterations)
    stored_key = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    return f"SCRAM-SHA-256${iterations}:{_base64(salt)}${_base64(stored_key)}:{_base64(server_key)}"


def matches(password: str, verifier: str | None) -> bool:
    """Whether a stored verifier is that of the password."""
    if verifier is None or not verifier.startswith("SCRAM-SHA-256$"):
        return False
    iterations, salt = verifier.split("$")[1].split(":")
    return hmac.compare_digest(scram_verifier(password, base64.b64decode(salt), int(iterations)), verifier)


async def _script(conn: Connection, name: str) -> None:
    script = (BOOTSTRAP / name).read_text(encoding="utf-8")

    async def statements(_: Connection) -> str:
        return script

    await _undisturbed(conn, statements)


async def _password_statement(conn: Connection, role: str, password: str) -> str | None:
    if role not in LOGIN_ROLES:
        raise ValueError(f"{role} is no role that logs in with a password")
    try:
        stored = await conn.fetchval("SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1", role)
    except asyncpg.InsufficientPrivilegeError:
        stored = None  # only superusers read it; then it is written again
    return None if matches(password, stored) else f"ALTER ROLE {role} PASSWORD '{scram_verifier(password)}'"


async def _undisturbed(conn: Connection, statement: Any, *args: object) -> None:
    """Runs what `statement(conn, *args)` returns, again when somebody else changed the same catalog rows meanwhile."""
    for attempt in range(ATTEMPTS):
        try:
            text = await statement(conn, *args)
            if text is not None:
                await conn.execute(text)
            return
        except (*DISTURBED, asyncpg.InternalServerError) as error:
            concurrent = isinstance(error, DISTURBED) or "concurrently" in str(error)
            if not concurrent or attempt == ATTEMPTS - 1:
                raise
            await asyncio.sleep(0.02 * (attempt + 1))


def _prepared(password: str) -> str:
    # SASLprep (RFC 4013), as PostgreSQL does it: text that it forbids is used as it is.
    mapped = "".join(" " if stringprep.in_table_c12(c) else c for c in password if not stringprep.in_table_b1(c))
    normal = unicodedata.normalize("NFKC", mapped)
    forbidden = (
        stringprep.in_table_c12, stringprep.in_table_c21_c22, stringprep.in_table_c3, stringprep.in_table_c4,
        stringprep.in_table_c5, stringprep.in_table_c6, stringprep.in_table_c7, stringprep.in_table_c8,
        stringprep.in_table_c9, stringprep.in_table_a1,
    )  # fmt: skip
    return password if not normal or any(test(c) for c in normal for test in forbidden) else normal


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
