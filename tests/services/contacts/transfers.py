"""Imports and exports in short, and what they answered."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from shared.contact_record import COLUMNS_OF_FIELD
from tests.suite import Client, Metadata

CSV, VCARD = transfer_pb.IMPORT_FORMAT_CSV, transfer_pb.IMPORT_FORMAT_VCARD
IMPORT = transfer_pb.ImportContactsRequest
OPTIONS = transfer_pb.ImportOptions


def card(*lines: str, version: str = "3.0") -> bytes:
    return "\r\n".join(["BEGIN:VCARD", f"VERSION:{version}", *lines, "END:VCARD", ""]).encode()


def numbered(count: int, note: str = "as it came") -> bytes:
    return b"".join(card(f"UID:card-{i}", f"FN:Sample Person {i:05}", f"NOTE:{note}") for i in range(count))


def parts(content: bytes, size: int = 4096, **options: Any) -> Iterator[transfer_pb.ImportContactsRequest]:
    yield IMPORT(options=OPTIONS(**options))
    for start in range(0, len(content), size):
        yield IMPORT(chunk=content[start : start + size])


class Imported:
    """What an import answered."""

    def __init__(self, responses: list[transfer_pb.ImportContactsResponse]) -> None:
        self.progress = [r.progress for r in responses if r.HasField("progress")]
        self.failures = [r.failure for r in responses if r.HasField("failure")]
        self.notices = [r.notice for r in responses if r.HasField("notice")]
        self.summary = responses[-1].summary
        counts = self.summary
        self.counts = (counts.created, counts.updated, counts.unchanged, counts.failed)


async def imported(client: Client, tenant: Metadata, content: bytes, size: int = 4096, **options: Any) -> Imported:
    call = client.contacts.ImportContacts(parts(content, size, **options), metadata=tenant)
    return Imported([response async for response in call])


class Exported:
    """What an export answered."""

    def __init__(self, responses: list[transfer_pb.ExportContactsResponse]) -> None:
        self.chunks = [r.chunk for r in responses if r.HasField("chunk")]
        self.content = b"".join(self.chunks)
        self.summary = responses[-1].summary
        assert self.summary.sha256 == hashlib.sha256(self.content).hexdigest()

    @property
    def counts(self) -> tuple[int, dict[str, int]]:
        return self.summary.contacts, dict(self.summary.left_out)


async def exported(client: Client, tenant: Metadata, **request: Any) -> Exported:
    call = client.contacts.ExportContacts(transfer_pb.ExportContactsRequest(**request), metadata=tenant)
    return Exported([response async for response in call])


async def all_contacts(client: Client, tenant: Metadata) -> list[Contact]:
    found: list[Contact] = []
    token = ""
    while True:
        request = pb.ListContactsRequest(page_size=1000, page_token=token, order_by="create_time")
        page = await client.contacts.ListContacts(request, metadata=tenant)
        found.extend(page.contacts)
        token = page.next_page_token
        if not token:
            return found


def own_fields(contact: Contact) -> Contact:
    """A contact without what the server chooses, so that those of two tenants can be compared."""
    kept = Contact()
    for field in COLUMNS_OF_FIELD:
        value = getattr(contact, field)
        if field == "relationship_strength" and not contact.relationship_strength_pinned:
            continue
        if contact.DESCRIPTOR.fields_by_name[field].is_repeated:
            getattr(kept, field).extend(value)
        elif hasattr(value, "CopyFrom"):
            if contact.HasField(field):
                getattr(kept, field).CopyFrom(value)
        else:
            setattr(kept, field, value)
    return kept


def comparable(contacts: list[Contact]) -> list[bytes]:
    """All that two tenants' contacts must have in common, in any order."""
    return sorted(own_fields(contact).SerializeToString(deterministic=True) for contact in contacts)
