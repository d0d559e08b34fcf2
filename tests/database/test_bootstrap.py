"""Roles, extensions and passwords are made once, by whoever may, and by several at once without harm."""

from __future__ import annotations

import asyncio
import uuid

import asyncpg
import pytest

from shared import roles
from tests.postgres import Connection, Database


async def configuration(conn: Connection) -> list[asyncpg.Record]:
    """All that the bootstrap may have set on roles and on the database."""
    return await conn.fetch(
        "SELECT rolname, rolsuper, rolinherit, rolcreaterole, rolcreatedb, rolcanlogin, rolbypassrls, rolpassword, "
        "(SELECT array_agg(setconfig ORDER BY setdatabase) FROM pg_db_role_setting WHERE setrole = r.oid), "
        "(SELECT array_agg(roleid ORDER BY roleid) FROM pg_auth_members WHERE member = r.oid) "
        "FROM pg_authid AS r WHERE rolname LIKE 'pmcrm%' ORDER BY rolname"
    )


async def test_doing_it_again_changes_nothing(fresh_database):
    async with fresh_database.connect() as conn:
        before = await configuration(conn)
        await roles.bootstrap(conn, fresh_database.server.passwords)
        assert await configuration(conn) == before
        assert {row["rolname"] for row in before} == set(roles.ROLES)


async def test_several_databases_of_one_server_are_prepared_at_once(server, template):
    databases = [await server.create() for _ in range(6)]

    async def prepare(database: Database) -> None:
        async with database.connect() as conn:
            await roles.bootstrap(conn, server.passwords)
            await roles.check_prepared(conn)

    try:
        await asyncio.gather(*map(prepare, databases))
    finally:
        for database in databases:
            await server.drop(database)


async def test_no_role_holds_a_lock_or_a_transaction_for_ever(database):
    for role in (*roles.SERVICE_ROLES, "pmcrm_service"):
        async with database.connect(role) as conn:
            for setting in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
                assert await conn.fetchval("SELECT current_setting($1)", setting) != "0", (role, setting)


async def test_the_backup_role_reads_everything_and_writes_nothing(database, as_operator):
    await as_operator.execute("INSERT INTO users (id) VALUES ($1)", uuid.uuid4())
    async with database.connect("pmcrm_backup") as conn:
        assert await conn.fetchval("SELECT count(*) FROM users") > 0
        with pytest.raises((asyncpg.ReadOnlySQLTransactionError, asyncpg.InsufficientPrivilegeError)):
            await conn.execute("DELETE FROM users")
        await conn.execute("SET default_transaction_read_only = off")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await conn.execute("DELETE FROM users")


async def test_strangers_cannot_connect_to_the_database(database):
    role = f"stranger_{uuid.uuid4().hex[:8]}"
    async with database.connect() as conn:
        await conn.execute(f"CREATE ROLE {role}")
        try:
            for privilege in ("CONNECT", "TEMPORARY", "CREATE"):
                assert not await conn.fetchval(
                    "SELECT has_database_privilege($1, current_database(), $2)", role, privilege
                ), privilege
        finally:
            await conn.execute(f"DROP ROLE {role}")


async def test_an_unprepared_database_says_what_to_run(empty_database):
    async with empty_database.connect() as conn:
        with pytest.raises(roles.NotPreparedError) as refused:
            await roles.check_prepared(conn)
    assert "extension vector is missing" in str(refused.value)
    assert f"psql -d {empty_database.name} -v ON_ERROR_STOP=1 -f sql/bootstrap/roles.sql" in str(refused.value)


async def test_an_administrator_who_is_no_superuser_can_prepare_a_database(empty_database):
    admin, password = f"admin_{uuid.uuid4().hex[:8]}", uuid.uuid4().hex
    async with empty_database.connect() as conn:
        await conn.execute(f"CREATE ROLE {admin} LOGIN CREATEROLE CREATEDB BYPASSRLS PASSWORD '{password}'")
        try:
            await conn.execute(f"ALTER DATABASE {empty_database.name} OWNER TO {admin}")
            # As managed servers do: the admin may hand out the roles that exist, and vector is trusted there.
            await conn.execute(f"GRANT {', '.join(roles.ROLES)} TO {admin} WITH ADMIN TRUE")
            await conn.execute("CREATE EXTENSION vector")
            admins = await asyncpg.connect(empty_database.superuser, user=admin, password=password)
            try:
                assert await roles.may_bootstrap(admins)
                await roles.bootstrap(admins)
                await roles.check_prepared(admins)
            finally:
                await admins.close()
        finally:
            await conn.execute(f"ALTER DATABASE {empty_database.name} OWNER TO pmcrm_owner")
            await conn.execute(f"DROP OWNED BY {admin} CASCADE; DROP ROLE {admin}")


async def test_a_password_is_sent_as_a_verifier_and_works(database):
    verifier = roles.scram_verifier("pencil", b"0123456789abcdef", 4096)
    assert roles.matches("pencil", verifier)
    assert not roles.matches("pencils", verifier)
    assert not roles.matches("pencil", None)
    assert not roles.matches("pencil", "md5abc")
    assert "pencil" not in verifier


@pytest.mark.parametrize(
    "password", ["plain", "with 'quotes' and \\", "Pa\u00dfwort \u2163", "soft\u00adhyphen", "名前", " "]
)
async def test_postgresql_accepts_the_verifier_of_any_password(database, password):
    role = f"somebody_{uuid.uuid4().hex[:8]}"
    async with database.connect() as conn:
        await conn.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{roles.scram_verifier(password)}'")
        await conn.execute(f"GRANT CONNECT ON DATABASE {database.name} TO {role}")
        try:
            login = await asyncpg.connect(database.superuser, user=role, password=password)
            await login.close()
        finally:
            await conn.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def test_function_roles_get_no_password(as_superuser):
    with pytest.raises(ValueError, match="pmcrm_audit"):
        await roles.prepare_server(as_superuser, {"pmcrm_audit": "secret"})
