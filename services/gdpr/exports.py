"""ExportData: everything that is held about the account or one contact, as one archive that streams out."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator

from google.protobuf.empty_pb2 import Empty
from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting.archive import CHUNK, spool
from services.gdpr.exporting.assembling import assemble
from services.gdpr.exporting.reading import QUERIES, Subject, subject_of
from services.gdpr.exporting.threads import in_thread
from shared.binding import begin_export, bound_tenant
from shared.caller import caller
from shared.database import Reading, Transaction
from shared.errors import InvalidArgument, Violation
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
            async with (
                self._assembling,
                Reading(self._database, tenant, self._database.pool, begin_export(tenant)) as tx,
            ):
                subject = await subject_of(tx, contact_id)
                manifest = await assemble(tx, file, scope, subject, _quietly)
            # Noted before the first byte leaves, whatever becomes of the rest.
            await self._note(manifest, subject)
            while chunk := await in_thread(file.read, CHUNK):
                yield pb.ExportDataResponse(chunk=chunk)
        yield pb.ExportDataResponse(manifest=manifest)

    async def _note(self, manifest: pb.ExportManifest, subject: Subject) -> None:
        async def effect(tx: Transaction) -> Empty:
            await note_export(tx, manifest, subject.survivor)
            return Empty()

        await self._database.claim(None, Empty, effect)


async def note_export(tx: Transaction, manifest: pb.ExportManifest, contact_id: uuid.UUID | None) -> None:
    """Leaves an entry in the audit log: what was exported, and nothing of what was in it."""
    entry = {
        "scope": pb.ExportScope.Name(manifest.scope).removeprefix("EXPORT_SCOPE_"),
        "rows": sum(table.row_count for table in manifest.tables.values()),
    }
    await tx.fetch(QUERIES["audit_data_export"], contact_id, entry)


def _quietly(table: str, rows: int) -> None:
    """Nobody watches."""
