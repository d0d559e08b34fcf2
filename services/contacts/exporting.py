"""ExportContacts: the tenant's contacts at one moment, as a file that streams out.

The file is written to a temporary one first: a caller who reads slowly holds no transaction, and the audit log tells of
the export before the first byte leaves.
"""

from __future__ import annotations

import asyncio
import hashlib
import tempfile
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from google.protobuf.empty_pb2 import Empty
from pmcrm.contacts.v1 import contact_transfer_pb2 as pb

from services.contacts.contact_rows import contact_of
from services.contacts.filters import TieFilters, read_ties
from shared import queries
from shared.database import Database, Row, Transaction
from shared.errors import InvalidArgument, Violation
from shared.exported_ties import ExportedTies
from shared.fields import uuid_list
from shared.living_contacts import contact_not_found
from shared.spreadsheet.writing import LONGEST_CUSTOM_FIELD, MOST_CUSTOM_FIELDS, TableWriter
from shared.vcard.writing import CardWriter

QUERIES = queries.load(Path(__file__).parent / "queries")

IDS_LIMIT = 1000
CHUNK = 64 * 1024

# Contacts that are read and written at a time. A contact may take three megabytes.
PAGE = 32

# So much of the file is kept in memory, the rest on disk.
IN_MEMORY = 1024 * 1024

_BEFORE_ALL = uuid.UUID(int=0)

Writer = CardWriter | TableWriter


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request. ids: None for all contacts."""

    format: pb.ExportFormat
    ids: list[uuid.UUID] | None
    show_deleted: bool
    ties: TieFilters

    @property
    def parameters(self) -> tuple[object, ...]:
        """The parameters that tell the statements which contacts are wanted, in their order."""
        return (self.show_deleted, self.ids, *self.ties.parameters)

    @property
    def all(self) -> bool:
        """Whether no contact that lives is left out."""
        return self.ids is None and self.ties.none


async def run(
    request: pb.ExportContactsRequest, database: Database, grace_days: int
) -> AsyncIterator[pb.ExportContactsResponse]:
    """Spools the file, records the export, and streams the file with its summary.

    grace_days: how long after its deletion a contact is purged.
    """
    wanted = read_request(request)
    with _spool() as file:
        async with database.snapshot() as tx:
            if wanted.ids is not None:
                wanted = replace(wanted, ids=await _existing(tx, wanted.ids))
            writer = await _writer(tx, wanted)
            contacts = await _write(tx, wanted, writer, file, grace_days)
        await _audit(database, wanted, contacts)
        digest = hashlib.sha256()
        file.seek(0)
        while chunk := await asyncio.to_thread(file.read, CHUNK):
            digest.update(chunk)
            yield pb.ExportContactsResponse(chunk=chunk)
    summary = pb.ExportSummary(contacts=contacts, left_out=writer.left_out, sha256=digest.hexdigest())
    yield pb.ExportContactsResponse(summary=summary)


def read_request(request: pb.ExportContactsRequest) -> Wanted:
    """Checks a request. Raises InvalidArgument."""
    if request.format not in pb.ExportFormat.values():
        raise InvalidArgument([Violation("format", "must be one of the formats")])
    ids = uuid_list(request.ids, "ids", IDS_LIMIT) if request.ids else None
    return Wanted(request.format, ids, request.show_deleted, read_ties(request))


@contextmanager
def _spool() -> Iterator[IO[bytes]]:
    # Has no name in the file system, so that nothing of it stays when the process dies.
    with tempfile.SpooledTemporaryFile(max_size=IN_MEMORY) as file:
        yield file


async def _existing(tx: Transaction, ids: Sequence[uuid.UUID]) -> list[uuid.UUID]:
    """The contacts that ids stand for. Raises CONTACT_NOT_FOUND for the first that stands for none."""
    existing = {row["asked"]: row["id"] for row in await tx.fetch(QUERIES["existing_contacts"], list(set(ids)))}
    for contact_id in ids:
        if contact_id not in existing:
            raise contact_not_found(contact_id)
    return list(existing.values())


async def _writer(tx: Transaction, wanted: Wanted) -> Writer:
    if wanted.format != pb.EXPORT_FORMAT_CSV:
        return CardWriter("3.0" if wanted.format == pb.EXPORT_FORMAT_VCARD_3 else "4.0")
    which = wanted.parameters
    sizes = await tx.fetchrow(QUERIES["export_sizes"], *which)
    keys = await tx.fetch(QUERIES["export_custom_fields"], LONGEST_CUSTOM_FIELD, MOST_CUSTOM_FIELDS, *which)
    own = await tx.fetchrow(QUERIES["export_own_columns"])
    return TableWriter({**(sizes or {}), **(own or {})}, sorted(row["key"] for row in keys))


async def _write(tx: Transaction, wanted: Wanted, writer: Writer, file: IO[bytes], grace_days: int) -> int:
    """Writes the whole file; returns how many contacts are in it."""
    written, after = 0, _BEFORE_ALL

    def write(rows: Sequence[Row], ties: ExportedTies) -> None:
        file.write(b"".join(writer.written(contact_of(row, grace_days), ties.of(row["id_key"])) for row in rows))

    await asyncio.to_thread(file.write, writer.header())
    while True:
        rows = await tx.fetch(QUERIES["export_contacts"], after, PAGE, *wanted.parameters)
        ids = [row["id_key"] for row in rows]
        ties = await ExportedTies().read(tx, ids, show_deleted=wanted.show_deleted)
        await asyncio.to_thread(write, rows, ties)
        written += len(rows)
        if len(rows) < PAGE:
            return written
        after = rows[-1]["id_key"]


async def _audit(database: Database, wanted: Wanted, contacts: int) -> None:
    entry = {"format": pb.ExportFormat.Name(wanted.format), "contacts": contacts, "all": wanted.all}

    async def effect(tx: Transaction) -> Empty:
        await tx.fetch(QUERIES["audit_export"], entry)
        return Empty()

    await database.claim(None, Empty, effect)
