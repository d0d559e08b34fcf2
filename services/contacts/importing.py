"""ImportContacts: a file of contacts streams in, what became of its records streams out."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pmcrm.contacts.v1 import contact_transfer_pb2 as pb

from services.contacts.import_batches import compare, store
from services.contacts.import_links import Tied, compare_ties, tie
from services.contacts.import_options import importer_for, read_options, tells_enough, unknown_columns
from services.contacts.import_records import Outcome, Record, Rehearsal, Stored, batches
from services.contacts.import_spool import Spool
from shared import queries
from shared.caller import caller
from shared.database import Database, Transaction, bound_tenant
from shared.errors import InvalidArgument, Violation
from shared.idempotency import Claim
from shared.imported_record import Failure, FileImporter, ImportedRecord, LeftOut
from shared.keys import KeyRing
from shared.spreadsheet.importing import UnknownColumnsError

QUERIES = queries.load(Path(__file__).parent / "queries")

# A batch is stored when it has so many records, or when so much of the file has been read for it.
BATCH = 200
BATCH_BYTES = 4 * 1024 * 1024

# As much is read at a time, whatever the size of the chunks that come.
PIECE = 64 * 1024

# Batches that are read ahead while another one is being stored.
READ_AHEAD = 1


class Batch(NamedTuple):
    """Records of the file and failures among them, each with its number, from 1; and how far the file was read."""

    found: list[tuple[int, ImportedRecord | Failure]]
    bytes_read: int


class Import:
    """One import from its options to its summary."""

    def __init__(self, database: Database, suppression_keys: KeyRing | None, options: pb.ImportOptions) -> None:
        self._database = database
        self._suppression_keys = suppression_keys
        self._options = read_options(options)
        self._digest = hashlib.sha256(options.SerializeToString(deterministic=True))
        self._reader: FileImporter | None = None
        self._format = pb.IMPORT_FORMAT_UNSPECIFIED
        self._bytes_read = 0
        self._stored_bytes = 0
        self._numbered = 0
        self._processed = 0
        self._notices = 0
        self._counts = dict.fromkeys(Outcome, 0)
        self._failed = 0
        self._spool = Spool()
        self._rehearsal = Rehearsal() if options.dry_run else None

    async def run(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[pb.ImportContactsResponse]:
        """Reads to the end of the stream; every batch is committed before it is reported."""
        if await self._was_finished():
            async for chunk in chunks:
                self._digest.update(chunk)
            yield await self._finish()
            return
        ahead: asyncio.Queue[Batch | BaseException | None] = asyncio.Queue(READ_AHEAD)
        reading = asyncio.create_task(self._read_ahead(chunks, ahead))
        try:
            while (batch := await ahead.get()) is not None:
                if isinstance(batch, BaseException):
                    raise batch
                for response in await self._store(batch):
                    yield response
            async for response in self._tie():
                yield response
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
            self._spool.close()
        for left_out in self._reader.left_out if self._reader else ():
            yield self._notice(0, 0, left_out, "")
        yield await self._finish()

    async def _read_ahead(
        self, chunks: AsyncIterator[bytes], ahead: asyncio.Queue[Batch | BaseException | None]
    ) -> None:
        """Puts the file's batches into the queue, then None, or what ended the reading."""
        try:
            async for batch in self._batches(chunks):
                await ahead.put(batch)
            await ahead.put(None)
        except UnknownColumnsError as error:
            await ahead.put(unknown_columns(error, self._options))
        except Exception as error:  # noqa: BLE001 - raised where the queue is read
            await ahead.put(error)

    async def _batches(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[Batch]:
        pending: list[tuple[int, ImportedRecord | Failure]] = []
        since = 0  # bytes of the file when the last batch was full
        async for piece in self._pieces(chunks):
            self._bytes_read += len(piece)
            pending.extend(await asyncio.to_thread(self._read, piece))
            while len(pending) >= BATCH or (pending and self._bytes_read - since >= BATCH_BYTES):
                yield Batch(pending[:BATCH], self._bytes_read)
                del pending[:BATCH]
                since = self._bytes_read
        pending.extend(await asyncio.to_thread(self._read, None))
        for start in range(0, len(pending), BATCH):
            yield Batch(pending[start : start + BATCH], self._bytes_read)

    async def _pieces(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The file in pieces of bounded size, the first of them long enough to tell what reads it."""
        head = b""
        async for chunk in chunks:
            self._digest.update(chunk)
            for piece in _cut(chunk):
                if self._reader is not None:
                    yield piece
                    continue
                head += piece
                if tells_enough(head, self._options):
                    self._reader, self._format = importer_for(head, self._options)
                    yield head
        if self._reader is None:
            self._reader, self._format = importer_for(head, self._options)
            yield head

    def _read(self, piece: bytes | None) -> list[tuple[int, ImportedRecord | Failure]]:
        """What a piece of the file completes, and its end (None). Runs in a thread."""
        if self._reader is None:
            return []
        parts = self._reader.close() if piece is None else self._reader.feed(piece)
        first = self._numbered + 1
        self._numbered += len(parts)
        return list(enumerate(parts, first))

    async def _store(self, batch: Batch) -> list[pb.ImportContactsResponse]:
        responses = [
            self._failure(number, part.line, part.code, part.reason, part.field)
            for number, part in batch.found
            if isinstance(part, Failure)
        ]
        self._stored_bytes = batch.bytes_read
        records = [Record(number, part) for number, part in batch.found if isinstance(part, ImportedRecord)]
        for some in batches(records):
            if self._rehearsal is None:
                stored = await store(self._database, self._suppression_keys, some)
            else:
                stored = await compare(self._database, self._suppression_keys, some, self._rehearsal)
            responses.extend(self._report(stored))
        return [*responses, self._progress()]

    def _report(self, stored: Sequence[Stored]) -> Iterator[pb.ImportContactsResponse]:
        for one in stored:
            record = one.record
            if one.outcome is Outcome.RESTRICTED:
                reason = "the contact's processing is restricted"
                yield self._failure(record.number, record.found.line, "IMPORT_RECORD_RESTRICTED", reason, "")
                continue
            self._counts[one.outcome] += 1
            self._processed += 1
            if one.outcome is Outcome.SUPPRESSED:
                continue  # nothing of it is kept, nor said
            self._spool.add(one)
            for left_out in (*record.found.left_out, *one.left_out):
                yield self._notice(record.number, record.found.line, left_out, one.contact_id)

    async def _tie(self) -> AsyncIterator[pb.ImportContactsResponse]:
        """Makes the ties between contacts that records named, now that all of the contacts are there."""
        for some in self._spool.some():
            if self._rehearsal is None:
                tied = await tie(self._database, some, self._spool.exported)
            else:
                tied = await compare_ties(self._database, some, self._spool.exported, self._rehearsal)
            for response in self._report_ties(tied):
                yield response
            yield self._progress()

    def _report_ties(self, tied: Sequence[Tied]) -> Iterator[pb.ImportContactsResponse]:
        for one in tied:
            pending = one.pending
            if one.changed and pending.outcome is Outcome.UNCHANGED:
                self._counts[Outcome.UNCHANGED] -= 1
                self._counts[Outcome.UPDATED] += 1
            for left_out in one.left_out:
                yield self._notice(pending.number, pending.line, left_out, str(pending.contact_id or ""))

    def _progress(self) -> pb.ImportContactsResponse:
        progress = pb.ImportProgress(processed=self._processed, bytes_read=self._stored_bytes)
        return pb.ImportContactsResponse(progress=progress)

    def _notice(self, number: int, line: int, left_out: LeftOut, contact_id: str) -> pb.ImportContactsResponse:
        self._notices += 1
        return pb.ImportContactsResponse(
            notice=pb.ImportNotice(
                position=line,
                record=number,
                reason=left_out.reason,
                code=f"ERROR_REASON_{left_out.code}",
                field=left_out.field,
                contact_id=contact_id,
            )
        )

    def _failure(self, number: int, line: int, code: str, reason: str, field: str) -> pb.ImportContactsResponse:
        self._failed += 1
        self._processed += 1
        return pb.ImportContactsResponse(
            failure=pb.ImportFailure(
                position=line, record=number, reason=reason, code=f"ERROR_REASON_{code}", field=field
            )
        )

    async def _was_finished(self) -> bool:
        """Whether an import with this request id has come to its end before."""
        request_id = self._options.request_id
        if request_id is None or self._options.dry_run:
            return False
        async with self._database.reading() as tx:
            return await tx.fetchrow(QUERIES["earlier_import"], request_id) is not None

    async def _finish(self) -> pb.ImportContactsResponse:
        summary = pb.ImportSummary(
            created=self._counts[Outcome.CREATED],
            updated=self._counts[Outcome.UPDATED],
            unchanged=self._counts[Outcome.UNCHANGED],
            suppressed=self._counts[Outcome.SUPPRESSED],
            failed=self._failed,
            notices=self._notices,
            format=self._format,
            dialect=self._reader.dialect if self._reader else "",
            charset=self._reader.charset if self._reader else "",
        )
        if self._options.dry_run:
            return pb.ImportContactsResponse(summary=summary)
        entry = {"label": self._options.label or None, "processed": self._processed, "failed": self._failed}
        entry |= {outcome.value: count for outcome, count in self._counts.items() if outcome is not Outcome.RESTRICTED}

        async def effect(tx: Transaction) -> pb.ImportContactsResponse:
            await tx.fetch(QUERIES["audit_import"], entry)
            return pb.ImportContactsResponse(summary=summary)

        return await self._database.claim(self._claim(), pb.ImportContactsResponse, effect)

    def _claim(self) -> Claim | None:
        request_id = self._options.request_id
        if request_id is None:
            return None
        method = pb.ImportOptions.DESCRIPTOR.full_name
        return Claim(bound_tenant(caller.get()), request_id, method, self._digest.digest())


async def begin(
    requests: AsyncIterator[pb.ImportContactsRequest], database: Database, suppression_keys: KeyRing | None
) -> tuple[Import, AsyncIterator[bytes]]:
    """The import that a stream's first message asks for, and the chunks that follow. Raises InvalidArgument."""
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("part") != "options":
        raise _misplaced("the first message must hold the options")
    return Import(database, suppression_keys, first.options), _chunks(requests)


async def _chunks(requests: AsyncIterator[pb.ImportContactsRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise _misplaced("only the first message may hold options; the others hold chunks")
        yield request.chunk


def _cut(chunk: bytes) -> Iterator[bytes]:
    for start in range(0, len(chunk), PIECE):
        yield chunk[start : start + PIECE]


def _misplaced(description: str) -> InvalidArgument:
    return InvalidArgument([Violation("options", description)], "IMPORT_OPTIONS_MISPLACED")
