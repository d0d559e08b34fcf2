"""ContactService: create, read, list, change, delete and bring back contacts."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any

import asyncpg
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as pb_transfer
from pmcrm.contacts.v1.contact_pb2 import Contact

from services.contacts import exporting, importing, listing, searching
from services.contacts.changing import changed_record, pins
from services.contacts.contact_rows import contact_of
from services.contacts.resolving import find_contact, find_contacts, lock_any, lock_living
from shared import queries
from shared.caller import caller
from shared.contact_record import COLUMNS_OF_FIELD, to_record
from shared.database import Row, Transaction
from shared.errors import AlreadyExists, InvalidArgument, Violation
from shared.etags import check_etag
from shared.fields import uuid_field, uuid_list, uuid_value
from shared.ids import new_ids
from shared.layers import Context
from shared.living_contacts import contact_not_found, processing_restricted
from shared.masks import check_mask, masked, update_paths
from shared.server import Runtime
from shared.suppression.checking import refuse_suppressed

QUERIES = queries.load(Path(__file__).parent / "queries")

WRITABLE = frozenset(COLUMNS_OF_FIELD)
BATCH_LIMIT = 1000
# From so many on, a batch is checked in a thread. A contact takes about 0.2 ms; in less than the interpreter's switch
# interval (5 ms) a thread would hold up the event loop just as long.
THREAD_FROM = 25


class Contacts:
    """The calls of pmcrm.contacts.v1.ContactService that keep contacts, find them, and bring them in and out."""

    def __init__(self, runtime: Runtime) -> None:
        self._database = runtime.database
        self._page_tokens = runtime.page_tokens
        self._grace_days = runtime.settings.delete_grace_days
        self._suppression_keys = runtime.settings.suppression_keys

    async def CreateContact(self, request: pb.CreateContactRequest, context: Context) -> Contact:
        """Creates a contact; SOURCE_UID_TAKEN when a living one has its source_uid, CONTACT_SUPPRESSED."""
        record = record_of(request.contact, "contact")

        async def effect(tx: Transaction) -> Contact:
            [contact] = await self._create(tx, [record], of_many=False)
            return contact

        return await self._database.mutate(request, Contact, effect)

    async def BatchCreateContacts(
        self, request: pb.BatchCreateContactsRequest, context: Context
    ) -> pb.BatchCreateContactsResponse:
        """Creates up to 1 000 contacts, all or none, in the order of the requests; fails as CreateContact does."""
        if len(request.requests) < THREAD_FROM:
            records = records_of(request.requests)
        else:
            records = await asyncio.to_thread(records_of, request.requests)

        async def effect(tx: Transaction) -> pb.BatchCreateContactsResponse:
            return pb.BatchCreateContactsResponse(contacts=await self._create(tx, records, of_many=True))

        return await self._database.mutate(request, pb.BatchCreateContactsResponse, effect)

    async def GetContact(self, request: pb.GetContactRequest, context: Context) -> Contact:
        """Returns one contact, deleted or not; NOT_FOUND if the tenant has none with this id."""
        contact_id = uuid_field(request, "id")
        check_mask(Contact, request.read_mask)
        async with self._database.reading() as tx:
            row = await find_contact(tx, contact_id)
        if row is None:
            raise contact_not_found(contact_id)
        return masked(contact_of(row, self._grace_days), request.read_mask)

    async def BatchGetContacts(
        self, request: pb.BatchGetContactsRequest, context: Context
    ) -> pb.BatchGetContactsResponse:
        """Returns contacts in the order of their ids; NOT_FOUND for the first missing one unless allow_missing."""
        ids = uuid_list(request.ids, "ids", BATCH_LIMIT)
        check_mask(Contact, request.read_mask)
        async with self._database.reading() as tx:
            rows = await find_contacts(tx, ids)
        found = {asked: masked(contact_of(row, self._grace_days), request.read_mask) for asked, row in rows.items()}
        missing = [i for i, contact_id in enumerate(ids) if contact_id not in found]
        if missing and not request.allow_missing:
            raise contact_not_found(ids[missing[0]])
        return pb.BatchGetContactsResponse(
            contacts=[found[contact_id] for contact_id in ids if contact_id in found],
            missing_ids=[request.ids[i] for i in missing],
        )

    async def ListContacts(self, request: pb.ListContactsRequest, context: Context) -> pb.ListContactsResponse:
        """Lists living contacts, a page at a time, filtered and in the order asked for."""
        wanted = listing.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await listing.fetch(tx, request, wanted, self._page_tokens, self._grace_days)

    async def SearchContacts(self, request: pb.SearchContactsRequest, context: Context) -> pb.SearchContactsResponse:
        """Searches living contacts, best first; QUERY_MALFORMED for a tsquery that cannot be read."""
        wanted = searching.read(request, self._page_tokens)
        async with self._database.reading() as tx:
            return await searching.fetch(tx, request, wanted, self._page_tokens, self._grace_days)

    async def UpdateContact(self, request: pb.UpdateContactRequest, context: Context) -> Contact:
        """Changes the fields that the mask names; NOT_FOUND, ETAG_MISMATCH or SOURCE_UID_TAKEN."""
        contact_id = uuid_value(request.contact.id, "contact.id")
        paths = update_paths(request.contact, request.update_mask, WRITABLE)

        async def effect(tx: Transaction) -> Contact:
            row = await lock_living(tx, contact_id)
            if row is None:
                raise contact_not_found(contact_id)
            current = contact_of(row, self._grace_days)
            check_etag(request.contact.etag, current.etag)
            if not paths:
                return current
            record = changed_record(request, row, current, paths, caller.get().default_region or "")
            strength = record.pop("relationship_strength")
            await _writing(tx.fetch(QUERIES["update_contact"], row["id_key"], record))
            if pins(request, current, paths):
                await tx.fetch(QUERIES["pin_strengths"], [row["id_key"]], [strength or 0])
            return await self._get(tx, row["id_key"])

        return await self._database.mutate(request, Contact, effect)

    async def DeleteContact(self, request: pb.DeleteContactRequest, context: Context) -> Contact:
        """Deletes a contact until it is purged; NOT_FOUND when it is gone already, unless allow_missing;
        PROCESSING_RESTRICTED, ETAG_MISMATCH."""
        contact_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Contact:
            row = await lock_living(tx, contact_id)
            if row is None and not request.allow_missing:
                raise contact_not_found(contact_id)
            if row is None:
                gone = await find_contact(tx, contact_id)
                return Contact() if gone is None else contact_of(gone, self._grace_days)
            if row["processing_restricted"]:
                raise processing_restricted(contact_id)
            check_etag(request.etag, row["etag"])
            await tx.fetch(QUERIES["delete_contact"], row["id_key"])
            return await self._get(tx, row["id_key"])

        return await self._database.mutate(request, Contact, effect)

    async def UndeleteContact(self, request: pb.UndeleteContactRequest, context: Context) -> Contact:
        """Brings a deleted contact back; CONTACT_NOT_DELETED when it lives, SOURCE_UID_TAKEN, ETAG_MISMATCH."""
        contact_id = uuid_field(request, "id")

        async def effect(tx: Transaction) -> Contact:
            row = await lock_any(tx, contact_id)
            if row is None:
                raise contact_not_found(contact_id)
            if row["delete_time"] is None:
                raise AlreadyExists("CONTACT_NOT_DELETED", f"contact {contact_id} is not deleted", id=str(contact_id))
            check_etag(request.etag, row["etag"])
            await _writing(tx.fetch(QUERIES["undelete_contact"], row["id_key"]))
            return await self._get(tx, row["id_key"])

        return await self._database.mutate(request, Contact, effect)

    async def ImportContacts(
        self, requests: AsyncIterator[pb_transfer.ImportContactsRequest], context: Context
    ) -> AsyncIterator[pb_transfer.ImportContactsResponse]:
        """Reads vCards or CSV from the stream, stores them in batches, and tells what became of each."""
        started, chunks = await importing.begin(requests, self._database, self._suppression_keys)
        async for response in started.run(chunks):
            yield response

    async def ExportContacts(
        self, request: pb_transfer.ExportContactsRequest, context: Context
    ) -> AsyncIterator[pb_transfer.ExportContactsResponse]:
        """Streams contacts as one file and a summary; NOT_FOUND for an id that the tenant has no contact for."""
        async for response in exporting.run(request, self._database, self._grace_days):
            yield response

    async def _create(self, tx: Transaction, records: Sequence[dict[str, Any]], *, of_many: bool) -> list[Contact]:
        await refuse_suppressed(tx, self._suppression_keys, records, of_many=of_many)
        ids = new_ids(len(records))
        rows = [{**record, "id": contact_id} for record, contact_id in zip(records, ids, strict=True)]
        await _writing(tx.fetch(QUERIES["create_contacts"], rows))
        pinned = [(row["id"], row["relationship_strength"]) for row in rows if row["relationship_strength"]]
        if pinned:
            await tx.fetch(QUERIES["pin_strengths"], *(list(column) for column in zip(*pinned, strict=True)))
        created = {
            row["id_key"]: contact_of(row, self._grace_days) for row in await tx.fetch(QUERIES["get_contacts"], ids)
        }
        return [created[contact_id] for contact_id in ids]

    async def _get(self, tx: Transaction, contact_id: uuid.UUID) -> Contact:
        row = await tx.fetchrow(QUERIES["get_contact"], contact_id)
        if row is None:
            raise contact_not_found(contact_id)
        return contact_of(row, self._grace_days)


def record_of(contact: Contact, path: str) -> dict[str, Any]:
    """The contact as columns, its phone numbers read in the tenant's region. Raises InvalidArgument."""
    return to_record(contact, default_region=caller.get().default_region or "", path=path)


def records_of(requests: Sequence[pb.CreateContactRequest]) -> list[dict[str, Any]]:
    """The contacts of a batch as columns. Raises InvalidArgument with what is wrong in any of them."""
    if not 1 <= len(requests) <= BATCH_LIMIT:
        raise InvalidArgument([Violation("requests", f"must hold 1 to {BATCH_LIMIT} requests")])
    records: list[dict[str, Any]] = []
    bad: list[Violation] = []
    for i, request in enumerate(requests):
        if request.request_id:
            bad.append(Violation(f"requests[{i}].request_id", "belongs on the batch, not on a request within it"))
        try:
            records.append(record_of(request.contact, f"requests[{i}].contact"))
        except InvalidArgument as error:
            bad.extend(error.violations)
    if bad:
        raise InvalidArgument(bad)
    return records


async def _writing(statement: Awaitable[list[Row]]) -> list[Row]:
    try:
        return await statement
    except asyncpg.UniqueViolationError as error:
        # The only key beside the ids, which are ours, is the source_uid among living contacts.
        raise AlreadyExists("SOURCE_UID_TAKEN", "a living contact has this source_uid") from error
