"""`pmcrm audit`: the heads of the audit logs' chains, to be kept elsewhere, and the check of logs against them."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Coroutine, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any, TypeAlias, TypeVar

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress

from shared import queries
from shared.audit_chain import Head
from shared.keys import KeyRing
from shared.migrations import SQL
from shared.settings import Settings
from shared.startup import ready_database

Connection: TypeAlias = "asyncpg.Connection[Any]"
Result = TypeVar("Result")

STATEMENTS = queries.load(SQL / "maintenance")

TENANTS_AT_ONCE = 500
FIRST = uuid.UUID(int=0)

Tenant = Annotated[uuid.UUID | None, typer.Option(help="Of this user alone, also one that is gone.")]

app = typer.Typer(help="Proof that nobody has tampered with the audit log.", no_args_is_help=True)


@app.command()
def head(tenant: Tenant = None) -> None:
    """Print the head of each chain, `<user> <head>`: keep them where nobody who can write to the database can."""
    _run(_print_heads(tenant))


@app.command()
def verify(
    tenant: Tenant = None,
    heads: Annotated[
        Path | None, typer.Option(help="What `pmcrm audit head` printed before: the chains must still contain these.")
    ] = None,
) -> None:
    """Check audit logs against their seals, with the keys of PMCRM_SEAL_KEYS. Exit status 1 when any is invalid."""
    kept = {} if heads is None else _read_heads(heads)
    if tenant is not None:
        kept = {user: kept_head for user, kept_head in kept.items() if user == tenant}
    invalid = _run(_verify(Settings.load(), tenant, kept))
    if invalid:
        typer.echo(f"{invalid} audit log{' is' if invalid == 1 else 's are'} invalid.", err=True)
        raise typer.Exit(1)


def _run(work: Coroutine[Any, Any, Result]) -> Result:
    try:
        return asyncio.run(work)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        typer.echo(f"The database in DATABASE_URL_SERVICE cannot do this: {error}", err=True)
        raise typer.Exit(1) from None


async def _print_heads(tenant: uuid.UUID | None) -> None:
    async with _connected(Settings.load()) as (conn, _):
        async for user, found in _heads(conn):
            if tenant in (None, user):
                typer.echo(f"{user} {found}")


async def _verify(settings: Settings, only: uuid.UUID | None, kept: Mapping[uuid.UUID, Head]) -> int:
    """Checks the logs of all tenants, or of one; returns how many are invalid."""
    invalid = 0
    async with _connected(settings) as (conn, ready):
        keys = ready.key_ring("seal_keys")
        with Progress(console=Console(stderr=True), transient=True) as bar:
            task = bar.add_task("Users", total=None)
            tenants = [only] if only is not None else sorted({*await _tenants(conn), *kept})
            bar.update(task, total=len(tenants))
            for tenant in tenants:
                valid, told = await _verify_one(conn, ready, tenant, keys, kept.get(tenant))
                bar.advance(task)
                typer.echo(f"{tenant} {told}")
                invalid += not valid
    return invalid


async def _verify_one(
    conn: Connection, settings: Settings, tenant: uuid.UUID, keys: KeyRing, expected: Head | None
) -> tuple[bool, str]:
    # Imported here: they come with grpc, which the process that supervises workers must not import.
    from pmcrm.gdpr.v1.audit_service_pb2 import AuditProblem

    from services.gdpr.audit_verifying import Verification
    from shared.database import Transaction
    from shared.pool import Session

    async with conn.transaction(isolation="repeatable_read", readonly=True):
        tx = Transaction(Session(conn, keeps_statements=settings.statement_cache), tenant)
        found = await Verification(tx, tenant, keys, expected).run()
    checked = f"{found.entries_checked} entries in {found.seals_checked} seals, {found.unsealed_entries} not sealed yet"
    if found.valid:
        return True, f"valid: {checked}"
    name = AuditProblem.Name(found.problem).removeprefix("AUDIT_PROBLEM_")
    place = " ".join(
        part
        for part in (
            f"seal {found.first_invalid_seal}" if found.first_invalid_seal else "",
            f"entry {found.first_invalid_entry_id}" if found.first_invalid_entry_id else "",
        )
        if part
    )
    return False, f"INVALID: {name} {place}: {found.problem_detail}; before that, {checked}"


async def _tenants(conn: Connection) -> set[uuid.UUID]:
    """The users that there are, and those that are gone and left a chain."""
    found = {user async for user, _ in _heads(conn)}
    after = FIRST
    while rows := await conn.fetch(STATEMENTS["tenants_after"].sql, after, TENANTS_AT_ONCE):
        found |= {row["id"] for row in rows}
        after = rows[-1]["id"]
    return found


async def _heads(conn: Connection) -> AsyncIterator[tuple[uuid.UUID, Head]]:
    after = FIRST
    while rows := await conn.fetch(STATEMENTS["tenants_with_seals"].sql, after, TENANTS_AT_ONCE):
        after = rows[-1]["user_id"]
        newest = ([row["user_id"] for row in rows], [row["seq"] for row in rows])
        for row in await conn.fetch(STATEMENTS["audit_heads"].sql, *newest):
            yield row["user_id"], Head(row["seq"], row["hash"])


def _read_heads(path: Path) -> dict[uuid.UUID, Head]:
    """The heads that a file holds, a line each; empty lines and those that begin with # count for nothing."""
    kept: dict[uuid.UUID, Head] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        typer.echo(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not text'}.", err=True)
        raise typer.Exit(2) from None
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        found = Head.parse(words[1]) if len(words) == 2 else None
        try:
            user = uuid.UUID(words[0])
        except ValueError:
            found = None
        if found is None:
            typer.echo(f"Line {number} of {path} does not read `<user> <head>`.", err=True)
            raise typer.Exit(2)
        kept[user] = found
    return kept


@asynccontextmanager
async def _connected(settings: Settings) -> AsyncIterator[tuple[Connection, Settings]]:
    async with ready_database(settings, []) as ready:
        conn = await asyncpg.connect(ready.database_url_for("service"), timeout=10, statement_cache_size=0)
        try:
            yield conn, ready
        finally:
            await conn.close()
