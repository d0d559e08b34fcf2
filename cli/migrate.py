"""`pmcrm migrate`: brings the database to this release's schema."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from urllib.parse import unquote, urlsplit

import asyncpg
import typer

from shared import migrations, roles
from shared.embedded import SUPERUSER, EmbeddedError, EmbeddedServer
from shared.keys import KeysError, local_keys
from shared.settings import SERVICES, Settings, SettingsError
from shared.startup import DATABASE

Connection: TypeAlias = "asyncpg.Connection[Any]"

TEMPLATE = """\
-- WHAT this file is for, in one sentence.
--
-- Before you commit it, check what holds (the catalog lint in tests/database looks at most of it):
--   * A new tenant table has user_id uuid NOT NULL, first in every primary, foreign and unique key; ids are
--     uuid DEFAULT app.uuid_v7(); timestamptz, text with CHECK instead of enum; no serial, no identity.
--   * It stands in tests/database/catalog_lint.py: in TENANT_TABLES, or in GLOBAL_TABLES with the reason.
--   * ENABLE and FORCE ROW LEVEL SECURITY, then one policy, then grants by role and, where it matters, by column;
--     a NOTE where a grant is missing on purpose; a COMMENT on the table and on columns that do not explain themselves.
--   * Triggers: touch (revision, updated_at) and audit (app.audit_row), unless its rows are derived.
--   * Functions: EXECUTE is granted to those who call them; SECURITY DEFINER ones pin search_path.
--   * Rows that are there already: CALL app.backfill('table', $$UPDATE table SET …$$). The owner's plain UPDATE finds
--     no rows, because row-level security is forced.
--   * The release before this one goes on working on the new schema: add first, remove in a later release.
--   * An index on a large table is made by a file of its own that begins with the line `-- pmcrm: no transaction`:
--     DROP INDEX CONCURRENTLY IF EXISTS x; CREATE INDEX CONCURRENTLY x ON …;
"""

app = typer.Typer(help="Bring the database to this release's schema.", invoke_without_command=True)


@app.callback()
def migrate(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; exit 1 when a file is pending, edited or missing.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing; list what would be applied.")] = False,
    lock_timeout: Annotated[
        float, typer.Option(help="Seconds to wait for a table that somebody else has locked.", min=0.1)
    ] = migrations.LOCK_TIMEOUT_MS / 1000,
) -> None:
    """Apply the files of sql/ that the database lacks.

    Connects as DATABASE_URL_OWNER says. A superuser there makes roles and extensions first, gives the roles the
    passwords that the other DATABASE_URLs hold, and goes on as pmcrm_owner.
    """
    if context.invoked_subcommand is not None:
        return
    if check or dry_run:
        _run(_show(strict=check))
    else:
        _run(_apply(int(lock_timeout * 1000)))


@app.command()
def status() -> None:
    """List the files that are applied and those that are pending; change nothing."""
    _run(_show(strict=False, applied=True))


@app.command()
def new(name: Annotated[str, typer.Argument(help="What it does, such as add_tags.")]) -> None:
    """Write the next file of sql/, with the checklist for a migration in it."""
    path = next_file(name)
    path.write_text(TEMPLATE, encoding="utf-8")
    typer.echo(f"{path} is yours to write.")


def next_file(name: str, folder: Path = migrations.SQL) -> Path:
    """The path of a new migration: the number after the last one. Raises BadParameter for a name that cannot be one."""
    existing = migrations.read(folder)
    number = int(existing[-1].number) + 1 if existing else 1
    path = folder / f"{number:04d}_{name.strip().lower().replace('-', '_').replace(' ', '_')}.sql"
    if not migrations.FILE.fullmatch(path.name):
        raise typer.BadParameter("use letters, digits and underscores, such as add_tags")
    return path


async def _apply(lock_timeout_ms: int) -> None:
    settings = Settings.load()
    async with _owner(settings) as (conn, passwords):
        if await roles.may_bootstrap(conn):
            await roles.bootstrap(conn, passwords)
        else:
            await roles.check_prepared(conn)
        applied = await migrations.migrate(
            conn,
            migrations.read(),
            lock_timeout_ms=lock_timeout_ms,
            started=lambda migration: typer.echo(f"applying {migration.name}"),
            waiting=lambda: typer.echo("another migration is running; waiting for it"),
        )
    typer.echo(f"{len(applied)} applied; the database is up to date." if applied else "The database is up to date.")


async def _show(*, strict: bool, applied: bool = False) -> None:
    async with _owner(Settings.load()) as (conn, _):
        state = await migrations.status(conn, migrations.read())
    for name in state.applied if applied else []:
        typer.echo(f"applied  {name}")
    for migration in state.pending:
        typer.echo(f"pending  {migration.name}")
    for problem in state.problems:
        typer.echo(f"problem  {problem}", err=True)
    if not state.pending and not state.problems:
        typer.echo("The database is up to date.")
    elif strict or state.problems:
        raise typer.Exit(1)


@asynccontextmanager
async def _owner(settings: Settings) -> AsyncIterator[tuple[Connection, Mapping[str, str]]]:
    """The connection that migrates, and the passwords that the roles are to have."""
    if settings.embedded:
        keys = local_keys(settings.data_dir)
        server = EmbeddedServer(settings.data_dir, keys.password(SUPERUSER), port=settings.embedded_port)
        await asyncio.to_thread(server.start)
        try:
            await _create_database(server)
            conn = await asyncpg.connect(server.superuser_url(DATABASE))
            try:
                yield conn, {role: keys.password(role) for role in roles.LOGIN_ROLES}
            finally:
                await conn.close()
        finally:
            await asyncio.to_thread(server.stop)
        return
    conn = await asyncpg.connect(settings.database_url_for("owner"), timeout=10)
    try:
        yield conn, passwords_of(settings)
    finally:
        await conn.close()


async def _create_database(server: EmbeddedServer) -> None:
    conn = await asyncpg.connect(server.superuser_url())
    try:
        if not await conn.fetchval("SELECT true FROM pg_database WHERE datname = $1", DATABASE):
            await conn.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await conn.close()


def passwords_of(settings: Settings) -> dict[str, str]:
    """The passwords, by role, that the configured URLs of pmcrm's login roles hold."""
    urls = []
    if settings.database_url is not None:
        urls += [settings.database_url_for(service) for service in SERVICES]
    urls += [
        settings.database_url_for(role) for role in ("service", "owner") if getattr(settings, f"database_url_{role}")
    ]
    logins = [(unquote(parts.username or ""), unquote(parts.password or "")) for parts in map(urlsplit, urls)]
    return {role: password for role, password in logins if role in roles.LOGIN_ROLES and password}


def _run(work: Coroutine[Any, Any, None]) -> None:
    try:
        asyncio.run(work)
    except (migrations.MigrationError, roles.NotPreparedError, SettingsError, EmbeddedError, KeysError) as error:
        typer.echo(str(error), err=True)
        raise typer.Exit(1) from None
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        typer.echo(f"The database in DATABASE_URL_OWNER cannot be migrated: {_sentence(error)}", err=True)
        raise typer.Exit(1) from None


def _sentence(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text if text.endswith(".") else f"{text}."
