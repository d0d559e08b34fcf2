"""`pmcrm import`: puts an archive of `pmcrm export --scope portability` into an empty tenant."""

from __future__ import annotations

import asyncio
import uuid
from pathlib import Path

import typer
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from rich.console import Console

from cli.table_progress import TableProgress
from services.gdpr.exporting.assembling import tables_of
from services.gdpr.exporting.importing import NoEmptyTenant, import_archive
from services.gdpr.exporting.received import ArchiveRefused, Received, received
from shared.caller import Caller, caller
from shared.database import Database
from shared.errors import RpcError
from shared.metrics import Metrics
from shared.pool import Pool
from shared.settings import Settings
from shared.startup import ready_database


def import_file(tenant: uuid.UUID, file: Path) -> None:
    """Checks the archive and adds all of it, or nothing."""
    try:
        with received(file) as archive:
            rows = asyncio.run(_import(Settings.load(), tenant, archive))
    except OSError as error:
        typer.echo(f"{file} cannot be read: {error.strerror}.", err=True)
        raise typer.Exit(1) from None
    except (ArchiveRefused, NoEmptyTenant) as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(1) from None
    except RpcError as error:
        typer.echo(f"{error.message}.", err=True)
        raise typer.Exit(1) from None
    typer.echo(f"{rows} rows are in user {tenant}. Integrations came without tokens: connect them anew.")


async def _import(settings: Settings, tenant: uuid.UUID, archive: Received) -> int:
    caller.set(Caller(request_id=str(uuid.uuid4()), tenant=tenant, actor="pmcrm import"))
    async with ready_database(settings, ["gdpr"]) as ready:
        pool = Pool(ready.database_url_for("service"), size=1, name="pmcrm import")
        database = Database(pool, Metrics("gdpr"), pool)
        try:
            total = len(tables_of(pb.EXPORT_SCOPE_PORTABILITY))
            with TableProgress("import", total, Console(stderr=True)) as progress:
                return await import_archive(database, tenant, archive, progress.tell)
        finally:
            await database.close()
