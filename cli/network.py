"""`pmcrm network`: draws a tenant's network, since people look before they read."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import asyncpg
import typer

from cli.drawing.picture import draw
from services.insights.network_picture import Network, read_network
from shared.binding import begin_snapshot
from shared.database import Transaction
from shared.pool import Session
from shared.settings import Settings
from shared.startup import ready_database

STDOUT = Path("-")


def network(tenant: uuid.UUID, out: Path, most: int) -> None:
    """Writes a picture of the tenant's closest contacts and their links, as SVG. An older file is replaced."""
    found = asyncio.run(_read(Settings.load(), tenant, most))
    if found is None:
        typer.echo(f"There is no user {tenant}, or it is closed.", err=True)
        raise typer.Exit(1)
    picture = draw(found).encode()
    if out == STDOUT:
        typer.echo(picture, nl=False)
        return
    try:
        out.write_bytes(picture)
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(1) from None
    left_out = f" of {found.total}" if len(found.contacts) < found.total else ""
    typer.echo(f"{out}: {len(found.contacts)}{left_out} contacts, {len(found.links)} links.")


async def _read(settings: Settings, tenant: uuid.UUID, most: int) -> Network | None:
    """As the insights service, behind row-level security: restricted contacts and other tenants' stay hidden."""
    async with ready_database(settings, ["insights"]) as ready:
        conn = await asyncpg.connect(ready.database_url_for("insights"), timeout=10)
        try:
            await conn.execute(begin_snapshot(tenant))
            return await read_network(Transaction(Session(conn, keeps_statements=False), tenant), most)
        finally:
            await conn.close()
