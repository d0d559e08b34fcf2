"""An address book comes in, is paged through, searched, edited and exported; the other tenant sees none of it."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import User
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from cli.reaching import Metadata
from cli.tour.telling import Teller, iso_date

ADDRESS_BOOK = Path(__file__).parents[1] / "samples" / "address_book.vcf"
CONNECTIONS = ADDRESS_BOOK.with_name("linkedin.csv")
CHUNK = 2048
PAGE = 15


async def make_tenants(tour: Teller) -> tuple[Metadata, Metadata]:
    """The metadata with which each of two new tenants calls."""
    tour.step("Two users, which are two tenants", "CreateUser, with the operator key")
    tenants = []
    for name, region in (("First Tenant", "GB"), ("Second Tenant", "DE")):
        request = users_pb.CreateUserRequest(user=User(display_name=name, default_region=region))
        user = await tour.suite.users.CreateUser(request, metadata=tour.suite.operator)
        tour.say(f"{user.display_name}: {user.id}")
        tenants.append((("x-tenant-id", user.id),))
    return tenants[0], tenants[1]


async def import_address_book(tour: Teller, tenant: Metadata) -> None:
    """A vCard file, twice: the second time changes nothing."""
    tour.step("The first one imports an address book", "ImportContacts: the file in, progress out")
    content = ADDRESS_BOOK.read_bytes()
    columns = (TextColumn("  "), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[cards]} cards"))
    failures, notices, summary = [], [], transfer_pb.ImportSummary()
    with Progress(*columns, console=tour.console) as progress:
        task = progress.add_task("import", total=len(content), cards=0)
        async for event in tour.suite.contacts.ImportContacts(parts(content), metadata=tenant):
            if event.HasField("progress"):
                done = event.progress
                progress.update(task, completed=done.bytes_read, cards=done.processed)
            elif event.HasField("failure"):
                failures.append(event.failure)
            elif event.HasField("notice"):
                notices.append(event.notice)
            else:
                summary = event.summary
    for failure in failures:
        tour.say(f"line {failure.position}: not imported, {failure.reason}")
    for notice in notices:
        tour.say(f"line {notice.position}: {notice.field} left out, {notice.reason}")
    tour.say(f"{summary.created} contacts made, {summary.failed} card not ({summary.dialect}).")
    again = [e async for e in tour.suite.contacts.ImportContacts(parts(content), metadata=tenant)][-1].summary
    tour.say(f"The same file again: {again.created} made, {again.updated} changed, {again.unchanged} unchanged.")
    tour.expect(again.created == again.updated == 0, "importing again changes nothing")


async def import_connections(tour: Teller, tenant: Metadata) -> None:
    """A CSV file, whose columns are recognised."""
    tour.step("and its connections from LinkedIn", "ImportContacts: a CSV file, whose columns are recognised")
    content = CONNECTIONS.read_bytes()
    events = [e async for e in tour.suite.contacts.ImportContacts(parts(content, CONNECTIONS.name), metadata=tenant)]
    summary = events[-1].summary
    tour.say(f"{summary.created} contacts made ({summary.dialect}).")


async def search(tour: Teller, tenant: Metadata) -> None:
    """Words, misspellings, other scripts, local phone numbers."""
    tour.step("It looks for people", "SearchContacts: by word, misspelt, in other scripts, by a local number")
    for query in ("sample", "Erica Mustre", "анна", "样本", "020 7946 0102"):
        request = pb.SearchContactsRequest(query=query, page_size=3)
        results = (await tour.suite.contacts.SearchContacts(request, metadata=tenant)).results
        tour.expect(bool(results), f"{query} finds somebody")
        found = ", ".join(
            f"{r.contact.display_name} ({'similar' if r.fuzzy else ', '.join(r.matched_fields)})" for r in results
        )
        tour.say(f"{query}: {found}")


async def export(tour: Teller, tenant: Metadata) -> None:
    """All contacts as one file, whose digest the summary names."""
    tour.step("Everything goes out again", "ExportContacts: one file, and a summary with its SHA-256")
    request = transfer_pb.ExportContactsRequest(format=transfer_pb.EXPORT_FORMAT_VCARD_4)
    file, summary = b"", transfer_pb.ExportSummary()
    async for part in tour.suite.contacts.ExportContacts(request, metadata=tenant):
        file += part.chunk
        if part.HasField("summary"):
            summary = part.summary
    tour.say(f"{summary.contacts} contacts, {len(file)} bytes, SHA-256 {summary.sha256[:16]}…")
    tour.expect(hashlib.sha256(file).hexdigest() == summary.sha256, "the file is the one that the summary names")


async def page_through(tour: Teller, tenant: Metadata) -> list[Contact]:
    """All contacts, page by page."""
    tour.step("and pages through it", f"ListContacts, {PAGE} at a time, ordered by name")
    contacts: list[Contact] = []
    async for number, page in pages(tour, tenant):
        contacts.extend(page.contacts)
        names = ", ".join(contact.display_name for contact in page.contacts[:6])
        tour.say(f"page {number}: {len(page.contacts)} contacts of {page.total_size}: {names} …")
    table = Table(box=None)
    for heading in ("  name", "birthday", "phone as typed", "international"):
        table.add_column(heading, no_wrap=True)
    for contact in contacts[:6]:
        date = iso_date(contact.birthday) if contact.HasField("birthday") else ""
        phone = contact.phones[0] if contact.phones else None
        typed, international = (phone.value, phone.e164) if phone else ("", "")
        table.add_row(f"  {contact.display_name}", date, typed, international)
    tour.console.print(table)
    return contacts


async def pages(tour: Teller, tenant: Metadata) -> AsyncIterator[tuple[int, pb.ListContactsResponse]]:
    """The number of each page, and the page."""
    number, token = 0, ""
    while number == 0 or token:
        number += 1
        request = pb.ListContactsRequest(page_size=PAGE, page_token=token, include_total_size=True)
        page = await tour.suite.contacts.ListContacts(request, metadata=tenant)
        yield number, page
        token = page.next_page_token


async def update_with_stale_etag(tour: Teller, tenant: Metadata, contact: Contact) -> None:
    """The second of two edits of one version is refused."""
    tour.step("Two edits of one contact at once", "UpdateContact with the etag that both have read")
    contact = await tour.suite.contacts.GetContact(pb.GetContactRequest(id=contact.id), metadata=tenant)
    stale = contact.etag
    request = pb.UpdateContactRequest(contact=Contact(id=contact.id, etag=stale, job_title="Director"))
    changed = await tour.suite.contacts.UpdateContact(request, metadata=tenant)
    tour.say(f"the first one is accepted: etag {stale} → {changed.etag}")
    request.contact.job_title = "Manager"
    code, reason = await tour.refused(tour.suite.contacts.UpdateContact(request, metadata=tenant))
    tour.say(f"the second one hears: {code} {reason}")
    tour.expect(reason == "ETAG_MISMATCH", "a stale etag is refused")


async def delete_and_undelete(tour: Teller, tenant: Metadata, contact: Contact) -> None:
    """A deleted contact is hidden, and comes back."""
    tour.step("Deleted, and brought back", "DeleteContact, ListContacts, UndeleteContact")
    deleted = await tour.suite.contacts.DeleteContact(pb.DeleteContactRequest(id=contact.id), metadata=tenant)
    purged = deleted.purge_time.ToDatetime().date()
    tour.say(f"{await count(tour, tenant)} contacts are left; the deleted one is purged on {purged}")
    await tour.suite.contacts.UndeleteContact(pb.UndeleteContactRequest(id=contact.id), metadata=tenant)
    tour.say(f"brought back: {await count(tour, tenant)} contacts")


async def repeat_a_request(tour: Teller, tenant: Metadata) -> None:
    """One request_id makes one contact."""
    tour.step("A caller that did not hear the answer asks again", "CreateContact twice with one request_id")
    request = pb.CreateContactRequest(contact=Contact(given_name="Once", family_name="Only"))
    request.request_id = str(uuid.uuid4())
    first = await tour.suite.contacts.CreateContact(request, metadata=tenant)
    second = await tour.suite.contacts.CreateContact(request, metadata=tenant)
    tour.say(f"both answers: {first.id}, {second.id}")
    tour.expect(first == second, "a repeated request_id gets the first answer")


async def look_as_the_other_tenant(tour: Teller, other: Metadata, contact: Contact) -> None:
    """An id of the first tenant is answered like one that nobody has."""
    tour.step("The second tenant sees none of it", "ListContacts, and GetContact with the first tenant's id")
    tour.say(f"it has {await count(tour, other)} contacts")
    foreign = await tour.refused(tour.suite.contacts.GetContact(pb.GetContactRequest(id=contact.id), metadata=other))
    unknown = await tour.refused(
        tour.suite.contacts.GetContact(pb.GetContactRequest(id=str(uuid.uuid4())), metadata=other)
    )
    tour.say(f"the first tenant's contact: {' '.join(foreign)}")
    tour.say(f"an id that nobody has:      {' '.join(unknown)}")
    tour.expect(foreign == unknown, "another tenant's contact is answered as one that does not exist")


async def count(tour: Teller, tenant: Metadata) -> int:
    """How many living contacts the tenant has."""
    request = pb.ListContactsRequest(page_size=1, include_total_size=True)
    return (await tour.suite.contacts.ListContacts(request, metadata=tenant)).total_size


def parts(content: bytes, name: str = "") -> Iterator[transfer_pb.ImportContactsRequest]:
    """An import's messages: options with the file's name, then the file in chunks."""
    options = transfer_pb.ImportOptions(label=name or ADDRESS_BOOK.name)
    yield transfer_pb.ImportContactsRequest(options=options)
    for start in range(0, len(content), CHUNK):
        yield transfer_pb.ImportContactsRequest(chunk=content[start : start + CHUNK])
