"""ExportData: everything that is held about the account or one contact, as one archive that streams out."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import IO

from google.protobuf.empty_pb2 import Empty
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting.archive import CHUNK, spool
from services.gdpr.exporting.assembling import Progress, assemble
from services.gdpr.exporting.reading import QUERIES, Subject, subject_of
from services.gdpr.exporting.threads import in_thread
from shared.binding import begin_export, bound_tenant
from shared.caller import caller
from shared.database import Database, Reading, Transaction
from shared.errors import InvalidArgument, Unauthenticated, Violation
from shared.fields import uuid_value
from shared.layers import Access, Context, callable_by
from shared.server import Runtime

# Archives that a process puts together at the same time; each holds a connection for as long as that takes.
AT_ONCE = 2


class Exports:
    """The part of DataSubjectService that exports."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._assembling = asyncio.Semaphore(AT_ONCE)

    @callable_by(Access.TENANT, open_when_closed=True)
    async def ExportData(self, request: pb.ExportDataRequest, context: Context) -> AsyncIterator[pb.ExportDataResponse]:
        """Streams the archive and its manifest; CONTACT_NOT_FOUND, SPOOL_FULL."""
        if request.scope not in pb.ExportScope.values():
            raise InvalidArgument([Violation("scope", "must be one of the scopes")])
        scope = request.scope or pb.EXPORT_SCOPE_ACCESS
        contact_id = uuid_value(request.contact_id, "contact_id") if request.contact_id else None
        tenant = bound_tenant(caller.get())
        with spool() as file:
            async with self._assembling:
                manifest = await export_to(self._database, tenant, file, scope, contact_id, _quietly)
            while chunk := await in_thread(file.read, CHUNK):
                yield pb.ExportDataResponse(chunk=chunk)
        yield pb.ExportDataResponse(manifest=manifest)


async def export_to(
    database: Database,
    tenant: uuid.UUID,
    file: IO[bytes],
    scope: pb.ExportScope,
    contact_id: uuid.UUID | None,
    progress: Progress,
) -> pb.ExportManifest:
    """Writes an archive to a file, which is at its beginning then, and notes that in the audit log.

    Raises CONTACT_NOT_FOUND; TENANT_UNKNOWN for a tenant that there is not, or that is erased.
    """
    async with Reading(database, tenant, database.pool, begin_export(tenant)) as tx:
        if not await tx.fetch(QUERIES["export_tenant"]):
            raise Unauthenticated("TENANT_UNKNOWN", f"there is no user {tenant}")
        subject = await subject_of(tx, contact_id)
        manifest = await assemble(tx, file, scope, subject, progress)

    async def effect(tx: Transaction) -> Empty:
        await _note(tx, manifest, subject)
        return Empty()

    await database.claim(None, Empty, effect)
    return manifest


async def _note(tx: Transaction, manifest: pb.ExportManifest, subject: Subject) -> None:
    """What was exported, and nothing of what was in it."""
    entry = {
        "scope": pb.ExportScope.Name(manifest.scope).removeprefix("EXPORT_SCOPE_"),
        "rows": sum(table.row_count for table in manifest.tables.values()),
    }
    await tx.fetch(QUERIES["audit_data_export"], subject.survivor, entry)


def _quietly(table: str, rows: int) -> None:
    """Nobody watches."""
