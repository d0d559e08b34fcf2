"""Puts an archive together from one transaction, in which the tenant is seen at one moment."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from typing import IO

from pmcrm.gdpr.v1 import data_subject_service_pb2 as pb

from services.gdpr.exporting import manifest as manifests
from services.gdpr.exporting.archive import CHUNK, Archive, spool
from services.gdpr.exporting.cards import write_cards
from services.gdpr.exporting.catalog_privacy import TABLES
from services.gdpr.exporting.events import Events
from services.gdpr.exporting.exported_table import ExportedTable
from services.gdpr.exporting.reading import QUERIES, Subject, pages
from services.gdpr.exporting.readme import readme
from services.gdpr.exporting.table_files import CsvFile, JsonFile
from services.gdpr.exporting.threads import in_thread
from shared.database import Transaction

# Told the table that is being written, and how many rows of it have been.
Progress = Callable[[str, int], None]


def tables_of(scope: pb.ExportScope) -> list[ExportedTable]:
    """The tables in an archive of a scope."""
    return [table for table in TABLES if table.portable or scope == pb.EXPORT_SCOPE_ACCESS]


async def assemble(
    tx: Transaction, file: IO[bytes], scope: pb.ExportScope, subject: Subject, progress: Progress
) -> pb.ExportManifest:
    """Writes the archive into a file, which is at its beginning then; returns its manifest, with the archive's hash."""
    moment = await tx.fetchval(QUERIES["export_moment"])
    manifest = manifests.started(scope, moment)
    inferred = scope == pb.EXPORT_SCOPE_ACCESS
    archive = Archive(file)
    try:
        # What cannot stand in the archive yet, because another file is being written to it.
        with spool() as beside:
            for table in tables_of(scope):
                exported = await _table(tx, archive, beside, table, subject, inferred, progress)
                manifest.tables[table.name].CopyFrom(exported)
            with archive.entry("contacts.vcf") as entry:
                await write_cards(tx, subject, entry)
            events = Events(beside)
            await events.read(tx, subject)
            await in_thread(events.move, archive, "calendar.ics")
        archive.add("README.txt", readme(inferred=inferred, one_contact=subject.contacts is not None))
        manifest.files.update(archive.files)
        archive.add(manifests.NAME, manifests.written(manifest))
        archive.finish()
        manifest.archive_sha256 = await in_thread(_digest, file)
    finally:
        archive.abandon()
    return manifest


async def _table(
    tx: Transaction,
    archive: Archive,
    beside: IO[bytes],
    table: ExportedTable,
    subject: Subject,
    inferred: bool,
    progress: Progress,
) -> pb.ExportedTable:
    """Writes a table's two files."""
    progress(table.name, 0)
    as_csv = CsvFile(beside, table.exported(inferred=inferred))
    with archive.entry(f"data/{table.name}.json") as entry:
        as_json = JsonFile(entry)

        def write(lines: Sequence[str]) -> None:
            as_json.write(lines)
            as_csv.write(lines)

        async for lines in pages(tx, table, subject, inferred=inferred):
            await in_thread(write, lines)
            progress(table.name, len(lines))
        as_json.finish()
    await in_thread(as_csv.move, archive, f"csv/{table.name}.csv")
    return pb.ExportedTable(row_count=as_json.rows, sha256=entry.sha256)


def _digest(file: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()
