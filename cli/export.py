"""`pmcrm export`: writes everything held about a tenant, or one of its contacts, to a file."""

from __future__ import annotations

import asyncio
import os
import tempfile
import uuid
from pathlib import Path
from typing import IO

import typer
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb
from rich.console import Console

from cli.table_progress import TableProgress
from services.gdpr.exporting.assembling import tables_of
from services.gdpr.exports import export_to
from shared.caller import Caller, caller
from shared.database import Database
from shared.errors import RpcError
from shared.metrics import Metrics
from shared.pool import Pool
from shared.settings import Settings
from shared.startup import ready_database

SCOPES = {"access": pb.EXPORT_SCOPE_ACCESS, "portability": pb.EXPORT_SCOPE_PORTABILITY}


def export(tenant: uuid.UUID, out: Path, scope: str, contact: uuid.UUID | None) -> None:
    """Writes the archive, which only its owner may read. An older file is replaced, once the new one is complete."""
    if scope not in SCOPES:
        raise typer.BadParameter(f"{scope} is none of {', '.join(SCOPES)}", param_hint="--scope")
    try:
        manifest = _written(Settings.load(), tenant, out, SCOPES[scope], contact)
    except RpcError as error:
        typer.echo(f"{error.message}.", err=True)
        raise typer.Exit(1) from None
    except OSError as error:
        typer.echo(f"{out} cannot be written: {error.strerror}.", err=True)
        raise typer.Exit(1) from None
    rows = sum(table.row_count for table in manifest.tables.values())
    typer.echo(f"{out}: {rows} rows of {len(manifest.tables)} tables.")
    typer.echo(f"sha256 {manifest.archive_sha256}")


def _written(
    settings: Settings, tenant: uuid.UUID, out: Path, scope: pb.ExportScope, contact: uuid.UUID | None
) -> pb.ExportManifest:
    # Beside the file that it becomes, so that renaming is all that is left; made for its owner's eyes only.
    handle, name = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    made = Path(name)
    try:
        with os.fdopen(handle, "w+b") as file:
            manifest = asyncio.run(_export(settings, tenant, file, scope, contact))
            file.flush()
            os.fsync(file.fileno())
        made.replace(out)
    except BaseException:
        made.unlink(missing_ok=True)
        raise
    return manifest


async def _export(
    settings: Settings, tenant: uuid.UUID, file: IO[bytes], scope: pb.ExportScope, contact: uuid.UUID | None
) -> pb.ExportManifest:
    """As the gdpr service does it, behind row-level security."""
    caller.set(Caller(request_id=str(uuid.uuid4()), tenant=tenant, actor="pmcrm export"))
    async with ready_database(settings, ["gdpr"]) as ready:
        database = Database(Pool(ready.database_url_for("gdpr"), size=1, name="pmcrm export"), Metrics("gdpr"))
        try:
            with TableProgress("export", len(tables_of(scope)), Console(stderr=True)) as progress:
                return await export_to(database, tenant, file, scope, contact, progress.tell)
        finally:
            await database.close()
