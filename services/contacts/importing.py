"""ImportContacts: a file of contacts streams in, what became of its records streams out."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import phonenumbers
from pmcrm.contacts.v1 import contact_transfer_pb2 as pb

from services.contacts.import_batches import Outcome, Record, Stored, batches, compare, store
from shared import queries
from shared.caller import caller
from shared.charsets import known_charset
from shared.database import Database, Transaction, bound_tenant
from shared.errors import InvalidArgument, Unimplemented, Violation
from shared.fields import uuid_value
from shared.idempotency import Claim
from shared.text import checked_line
from shared.vcard.importing import CardImporter, ImportedCard
from shared.vcard.splitting import Failure
from shared.violations import Violations

QUERIES = queries.load(Path(__file__).parent / "queries")

BATCH = 200
LABEL_LIMIT = 200

# As much of a file as is needed to tell what it is; blank lines before it are passed over.
HEAD_BYTES = 64


@dataclass(frozen=True, slots=True)
class Options:
    """Checked options. request_id: None when repeats of this import are not to be known."""

    region: str
    charset: str
    dry_run: bool
    label: str
    request_id: uuid.UUID | None
    told_format: bool


class Import:
    """One import from its options to its summary."""

    def __init__(self, database: Database, options: pb.ImportOptions) -> None:
        self._database = database
        self._options = read_options(options)
        self._reader = CardImporter(self._options.region, self._options.charset)
        self._digest = hashlib.sha256(options.SerializeToString(deterministic=True))
        self._pending: list[Record] = []
        self._number = 0
        self._versions: set[str] = set()
        self._bytes_read = 0
        self._processed = 0
        self._notices = 0
        self._counts = dict.fromkeys(Outcome, 0)
        self._failed = 0

    async def run(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[pb.ImportContactsResponse]:
        """Reads to the end of the stream; every batch is committed before it is reported."""
        repeated = await self._was_finished()
        async for chunk in self._recognised(chunks):
            self._digest.update(chunk)
            self._bytes_read += len(chunk)
            if repeated:
                continue
            for response in self._read(await asyncio.to_thread(self._reader.feed, chunk)):
                yield response
            while len(self._pending) >= BATCH:
                batch, self._pending = self._pending[:BATCH], self._pending[BATCH:]
                for response in await self._store(batch):
                    yield response
        if not repeated:
            for response in self._read(await asyncio.to_thread(self._reader.close)):
                yield response
            for response in await self._store(self._pending):
                yield response
        yield await self._finish()

    async def _recognised(self, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The chunks, the first of them long enough to tell that this is a vCard file; fails when it is not."""
        head = b""
        known = self._options.told_format
        async for chunk in chunks:
            if known:
                yield chunk
                continue
            head += chunk
            if len(_significant(head)) >= HEAD_BYTES:
                _check_is_vcard(head)
                known = True
                yield head
        if not known:
            _check_is_vcard(head)
            yield head

    def _read(self, found: Sequence[ImportedCard | Failure]) -> list[pb.ImportContactsResponse]:
        """Puts records into the queue; returns what to say of those that cannot be imported."""
        responses = []
        for part in found:
            self._number += 1
            if isinstance(part, Failure):
                responses.append(self._failure(self._number, part.line, part.code, part.reason, part.field))
            else:
                self._versions.add(part.version)
                self._pending.append(Record(self._number, with_categories(part)))
        return responses

    async def _store(self, records: Sequence[Record]) -> list[pb.ImportContactsResponse]:
        responses = []
        for batch in batches(records, BATCH):
            stored = await (compare if self._options.dry_run else store)(self._database, batch)
            responses.extend(self._report(stored))
        return responses

    def _report(self, stored: Stored) -> list[pb.ImportContactsResponse]:
        responses = []
        for record, outcome, contact_id in stored.records:
            if outcome is Outcome.RESTRICTED:
                reason = "the contact's processing is restricted"
                code = "IMPORT_RECORD_RESTRICTED"
                responses.append(self._failure(record.number, record.card.line, code, reason, ""))
                continue
            self._counts[outcome] += 1
            self._processed += 1
            self._notices += len(record.card.left_out)
            responses.extend(
                pb.ImportContactsResponse(
                    notice=pb.ImportNotice(
                        position=record.card.line,
                        record=record.number,
                        reason=left_out.reason,
                        code=f"ERROR_REASON_{left_out.code}",
                        field=left_out.field,
                        contact_id=contact_id,
                    )
                )
                for left_out in record.card.left_out
            )
        progress = pb.ImportProgress(processed=self._processed, bytes_read=self._bytes_read)
        return [*responses, pb.ImportContactsResponse(progress=progress)]

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
            failed=self._failed,
            notices=self._notices,
            format=pb.IMPORT_FORMAT_VCARD,
            dialect=" and ".join(f"vCard {version}" for version in sorted(self._versions)),
            charset=self._reader.charset,
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
    requests: AsyncIterator[pb.ImportContactsRequest], database: Database
) -> tuple[Import, AsyncIterator[bytes]]:
    """The import that a stream's first message asks for, and the chunks that follow. Raises InvalidArgument."""
    first = await anext(aiter(requests), None)
    if first is None or first.WhichOneof("part") != "options":
        raise _misplaced("the first message must hold the options")
    return Import(database, first.options), _chunks(requests)


def read_options(options: pb.ImportOptions) -> Options:
    """Checks the options. Raises InvalidArgument naming each bad one, Unimplemented for CSV."""
    violations = Violations()
    region = options.default_region or caller.get().default_region or ""
    if region and region not in phonenumbers.SUPPORTED_REGIONS:
        violations.add("options.default_region", "must be two letters of ISO 3166-1 such as AT")
    if options.format not in pb.ImportFormat.values():
        violations.add("options.format", "must be one of the formats")
    if options.csv_mapping and options.format != pb.IMPORT_FORMAT_CSV:
        violations.add("options.csv_mapping", "goes with the format CSV alone")
    label = checked_line(options.label, "options.label", LABEL_LIMIT, violations)
    violations.raise_if_any()
    if options.format == pb.IMPORT_FORMAT_CSV:
        raise Unimplemented("NOT_BUILT", "options.format: CSV is in the contract and not built yet")
    charset = known_charset(options.charset) if options.charset else ""
    if charset is None:
        violation = Violation("options.charset", "is not the name of a known character set")
        raise InvalidArgument([violation], "IMPORT_CHARSET_INVALID")
    return Options(
        region=region,
        charset=charset,
        dry_run=options.dry_run,
        label=label,
        request_id=uuid_value(options.request_id, "options.request_id") if options.request_id else None,
        told_format=options.format == pb.IMPORT_FORMAT_VCARD,
    )


def with_categories(card: ImportedCard) -> ImportedCard:
    """The card with its categories among its extra properties: tags cannot be written yet, and nothing is lost."""
    if not card.categories:
        return card
    names = (name.replace("\\", "\\\\").replace(",", "\\,").replace("\n", "\\n") for name in card.categories)
    lines = [*(card.record["extra_properties"] or ()), "CATEGORIES:" + ",".join(names)]
    return card._replace(record={**card.record, "extra_properties": lines})


async def _chunks(requests: AsyncIterator[pb.ImportContactsRequest]) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("part") != "chunk":
            raise _misplaced("only the first message may hold options; the others hold chunks")
        yield request.chunk


def _misplaced(description: str) -> InvalidArgument:
    return InvalidArgument([Violation("options", description)], "IMPORT_OPTIONS_MISPLACED")


def _significant(head: bytes) -> bytes:
    # Without the zeros of UTF-16 and UTF-32 and without byte order marks, what tells the format is ASCII.
    return head.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n")


def _check_is_vcard(head: bytes) -> None:
    if not _significant(head).upper().startswith(b"BEGIN:VCARD"):
        violation = Violation("options.format", "was not given, and the file does not begin as a vCard file does")
        raise InvalidArgument([violation], "IMPORT_FORMAT_UNKNOWN")
