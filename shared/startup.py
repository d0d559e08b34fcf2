"""Makes the database ready before a service starts: the embedded one when no other is configured."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import structlog

from shared.embedded import SUPERUSER, EmbeddedServer
from shared.floor import check_server
from shared.keys import LocalKeys, local_keys
from shared.migrations import migrate, read
from shared.roles import BYPASSING_ROLES, OWNER, SERVICE_ROLES, bootstrap
from shared.settings import SERVICES, Settings

log = structlog.get_logger()

DATABASE = "pmcrm"


class DatabaseNotReady(Exception):
    """The configured database cannot be used; the text says why and what to do."""


@asynccontextmanager
async def ready_database(settings: Settings, services: list[str]) -> AsyncIterator[Settings]:
    """The settings with which services can connect, for as long as the block runs.

    An embedded database is started (or joined where it runs), migrated, and left at the end. One that is configured
    is only looked at: its version, extensions, roles and migrations.
    Raises DatabaseNotReady, UnfitServerError, EmbeddedError, KeysError, MigrationError.
    """
    if not settings.embedded:
        for service in services:
            await _check(settings.database_url_for(service), "DATABASE_URL")
        if settings.database_url_service is not None:
            await _check(settings.database_url_for("service"), "DATABASE_URL_SERVICE", operator=True)
        yield settings
        return
    keys = local_keys(settings.data_dir)
    server = EmbeddedServer(settings.data_dir, keys.password(SUPERUSER), port=settings.embedded_port)
    await asyncio.to_thread(server.start)
    try:
        for note in server.notes:
            log.info("embedded_database", note=note)
        await prepare_embedded(server, keys)
        yield settings.filled_from(keys.environment()).with_role_urls(role_urls(server, keys))
    finally:
        await asyncio.to_thread(server.stop)


async def prepare_embedded(server: EmbeddedServer, keys: LocalKeys) -> None:
    """Creates the database, its roles and its schema where they are missing."""
    conn = await asyncpg.connect(server.superuser_url())
    try:
        if not await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await conn.execute(f"CREATE DATABASE {DATABASE}")
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        log.debug("database_made_by_another_start")
    finally:
        await conn.close()
    conn = await asyncpg.connect(server.superuser_url(DATABASE))
    try:
        await bootstrap(conn, {role: keys.password(role) for role in (OWNER, *SERVICE_ROLES, *BYPASSING_ROLES)})
        await migrate(conn, read())
    finally:
        await conn.close()


def role_urls(server: EmbeddedServer, keys: LocalKeys) -> dict[str, str]:
    """The embedded database's URL for each service, for `service` (across tenants) and for `owner`."""
    roles = {name: f"pmcrm_{name}" for name in (*SERVICES, "service", "owner")}
    return {name: server.url(role, keys.password(role), DATABASE) for name, role in roles.items()}


async def _check(url: str, variable: str, *, operator: bool = False) -> None:
    try:
        conn = await asyncpg.connect(url, timeout=10)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        reason = getattr(error, "sqlstate", None) or type(error).__name__
        raise DatabaseNotReady(
            f"The database in {variable} cannot be reached ({reason}). Check that it runs, and the URL's host, port, "
            "role and password."
        ) from None
    try:
        await check_server(conn, operator=operator)
    finally:
        await conn.close()
