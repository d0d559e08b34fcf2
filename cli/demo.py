"""`pmcrm demo`: the tour. Real calls to a running suite, or its own, printed so that a reader sees what happens."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from collections.abc import AsyncIterator, Awaitable, Iterator
from pathlib import Path

import grpc
import grpc.aio
from google.protobuf.message import Message
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1 import user_service_pb2 as users_pb
from pmcrm.contacts.v1.contact_pb2 import Contact
from pmcrm.contacts.v1.user_pb2 import User
from pmcrm.type.v1.partial_date_pb2 import PartialDate
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table

from cli.reaching import Metadata, Suite, reached_suite
from shared.settings import Settings

ADDRESS_BOOK = Path(__file__).parent / "samples" / "address_book.vcf"
CONNECTIONS = ADDRESS_BOOK.with_name("linkedin.csv")
CHUNK = 2048
PAGE = 15


def demo() -> None:
    """Take the tour: tenants, import and export, pages, search, etags, undelete, repeats, isolation."""
    asyncio.run(_run(Settings.load()))


async def _run(settings: Settings) -> None:
    async with reached_suite(settings) as suite:
        await Tour(suite, Console(highlight=False, soft_wrap=True)).run()


class TourFailed(Exception):
    """The suite did not do what the tour shows; the text says what was expected."""


class Tour:
    """The steps, in order; each prints the calls it makes and what came back."""

    def __init__(self, suite: Suite, console: Console) -> None:
        self._suite = suite
        self._console = console
        self._number = 0

    async def run(self) -> None:
        """All of it. Raises TourFailed when the suite answers otherwise than the tour says."""
        where = "started for this tour" if self._suite.started else "already running"
        self._console.print(f"[bold]The tour[/bold] of the suite at {self._suite.address} ({where}).")
        first, second = await self._make_tenants()
        await self._import_address_book(first)
        await self._import_connections(first)
        contacts = await self._page_through(first)
        await self._search(first)
        await self._export(first)
        await self._update_with_stale_etag(first, contacts[0])
        await self._delete_and_undelete(first, contacts[1])
        await self._repeat_a_request(first)
        await self._look_as_the_other_tenant(second, contacts[0])
        self._console.print("\n[bold green]That was the tour.[/bold green]")

    async def _make_tenants(self) -> tuple[Metadata, Metadata]:
        self._step("Two users, which are two tenants", "CreateUser, with the operator key")
        tenants = []
        for name, region in (("First Tenant", "GB"), ("Second Tenant", "DE")):
            request = users_pb.CreateUserRequest(user=User(display_name=name, default_region=region))
            user = await self._suite.users.CreateUser(request, metadata=self._suite.operator)
            self._say(f"{user.display_name}: {user.id}")
            tenants.append((("x-tenant-id", user.id),))
        return tenants[0], tenants[1]

    async def _import_address_book(self, tenant: Metadata) -> None:
        self._step("The first one imports an address book", "ImportContacts: the file in, progress out")
        content = ADDRESS_BOOK.read_bytes()
        columns = (TextColumn("  "), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[cards]} cards"))
        failures, notices, summary = [], [], transfer_pb.ImportSummary()
        with Progress(*columns, console=self._console) as progress:
            task = progress.add_task("import", total=len(content), cards=0)
            async for event in self._suite.contacts.ImportContacts(parts(content), metadata=tenant):
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
            self._say(f"line {failure.position}: not imported, {failure.reason}")
        for notice in notices:
            self._say(f"line {notice.position}: {notice.field} left out, {notice.reason}")
        self._say(f"{summary.created} contacts made, {summary.failed} card not ({summary.dialect}).")
        again = [e async for e in self._suite.contacts.ImportContacts(parts(content), metadata=tenant)][-1].summary
        self._say(f"The same file again: {again.created} made, {again.updated} changed, {again.unchanged} unchanged.")
        self._expect(again.created == again.updated == 0, "importing again changes nothing")

    async def _import_connections(self, tenant: Metadata) -> None:
        self._step("and its connections from LinkedIn", "ImportContacts: a CSV file, whose columns are recognised")
        content = CONNECTIONS.read_bytes()
        events = [
            e async for e in self._suite.contacts.ImportContacts(parts(content, CONNECTIONS.name), metadata=tenant)
        ]
        summary = events[-1].summary
        self._say(f"{summary.created} contacts made ({summary.dialect}).")

    async def _search(self, tenant: Metadata) -> None:
        self._step("It looks for people", "SearchContacts: by word, misspelt, in other scripts, by a local number")
        for query in ("sample", "Erica Mustre", "анна", "样本", "020 7946 0102"):
            request = pb.SearchContactsRequest(query=query, page_size=3)
            results = (await self._suite.contacts.SearchContacts(request, metadata=tenant)).results
            self._expect(bool(results), f"{query} finds somebody")
            found = ", ".join(
                f"{r.contact.display_name} ({'similar' if r.fuzzy else ', '.join(r.matched_fields)})" for r in results
            )
            self._say(f"{query}: {found}")

    async def _export(self, tenant: Metadata) -> None:
        self._step("Everything goes out again", "ExportContacts: one file, and a summary with its SHA-256")
        request = transfer_pb.ExportContactsRequest(format=transfer_pb.EXPORT_FORMAT_VCARD_4)
        file, summary = b"", transfer_pb.ExportSummary()
        async for part in self._suite.contacts.ExportContacts(request, metadata=tenant):
            file += part.chunk
            if part.HasField("summary"):
                summary = part.summary
        self._say(f"{summary.contacts} contacts, {len(file)} bytes, SHA-256 {summary.sha256[:16]}…")
        self._expect(hashlib.sha256(file).hexdigest() == summary.sha256, "the file is the one that the summary names")

    async def _page_through(self, tenant: Metadata) -> list[Contact]:
        self._step("and pages through it", f"ListContacts, {PAGE} at a time, ordered by name")
        contacts: list[Contact] = []
        async for number, page in self._pages(tenant):
            contacts.extend(page.contacts)
            names = ", ".join(contact.display_name for contact in page.contacts[:6])
            self._say(f"page {number}: {len(page.contacts)} contacts of {page.total_size}: {names} …")
        table = Table(box=None)
        for heading in ("  name", "birthday", "phone as typed", "international"):
            table.add_column(heading, no_wrap=True)
        for contact in contacts[:6]:
            date = iso_date(contact.birthday) if contact.HasField("birthday") else ""
            phone = contact.phones[0] if contact.phones else None
            typed, international = (phone.value, phone.e164) if phone else ("", "")
            table.add_row(f"  {contact.display_name}", date, typed, international)
        self._console.print(table)
        return contacts

    async def _pages(self, tenant: Metadata) -> AsyncIterator[tuple[int, pb.ListContactsResponse]]:
        number, token = 0, ""
        while number == 0 or token:
            number += 1
            request = pb.ListContactsRequest(page_size=PAGE, page_token=token, include_total_size=True)
            page = await self._suite.contacts.ListContacts(request, metadata=tenant)
            yield number, page
            token = page.next_page_token

    async def _update_with_stale_etag(self, tenant: Metadata, contact: Contact) -> None:
        self._step("Two edits of one contact at once", "UpdateContact with the etag that both have read")
        stale = contact.etag
        request = pb.UpdateContactRequest(contact=Contact(id=contact.id, etag=stale, job_title="Director"))
        changed = await self._suite.contacts.UpdateContact(request, metadata=tenant)
        self._say(f"the first one is accepted: etag {stale} → {changed.etag}")
        request.contact.job_title = "Manager"
        code, reason = await self._refused(self._suite.contacts.UpdateContact(request, metadata=tenant))
        self._say(f"the second one hears: {code} {reason}")
        self._expect(reason == "ETAG_MISMATCH", "a stale etag is refused")

    async def _delete_and_undelete(self, tenant: Metadata, contact: Contact) -> None:
        self._step("Deleted, and brought back", "DeleteContact, ListContacts, UndeleteContact")
        deleted = await self._suite.contacts.DeleteContact(pb.DeleteContactRequest(id=contact.id), metadata=tenant)
        purged = deleted.purge_time.ToDatetime().date()
        self._say(f"{await self._count(tenant)} contacts are left; the deleted one is purged on {purged}")
        await self._suite.contacts.UndeleteContact(pb.UndeleteContactRequest(id=contact.id), metadata=tenant)
        self._say(f"brought back: {await self._count(tenant)} contacts")

    async def _repeat_a_request(self, tenant: Metadata) -> None:
        self._step("A caller that did not hear the answer asks again", "CreateContact twice with one request_id")
        request = pb.CreateContactRequest(contact=Contact(given_name="Once", family_name="Only"))
        request.request_id = str(uuid.uuid4())
        first = await self._suite.contacts.CreateContact(request, metadata=tenant)
        second = await self._suite.contacts.CreateContact(request, metadata=tenant)
        self._say(f"both answers: {first.id}, {second.id}")
        self._expect(first == second, "a repeated request_id gets the first answer")

    async def _look_as_the_other_tenant(self, other: Metadata, contact: Contact) -> None:
        self._step("The second tenant sees none of it", "ListContacts, and GetContact with the first tenant's id")
        self._say(f"it has {await self._count(other)} contacts")
        foreign = await self._refused(
            self._suite.contacts.GetContact(pb.GetContactRequest(id=contact.id), metadata=other)
        )
        unknown = await self._refused(
            self._suite.contacts.GetContact(pb.GetContactRequest(id=str(uuid.uuid4())), metadata=other)
        )
        self._say(f"the first tenant's contact: {' '.join(foreign)}")
        self._say(f"an id that nobody has:      {' '.join(unknown)}")
        self._expect(foreign == unknown, "another tenant's contact is answered as one that does not exist")

    async def _count(self, tenant: Metadata) -> int:
        request = pb.ListContactsRequest(page_size=1, include_total_size=True)
        return (await self._suite.contacts.ListContacts(request, metadata=tenant)).total_size

    async def _refused(self, call: Awaitable[Message]) -> tuple[str, str]:
        try:
            await call
        except grpc.aio.AioRpcError as error:
            return error.code().name, reason_of(error)
        raise TourFailed("the call should have been refused")

    def _step(self, title: str, calls: str) -> None:
        self._number += 1
        self._console.print(f"\n[bold]{self._number}. {title}[/bold]  [dim]{calls}[/dim]")

    def _say(self, text: str) -> None:
        self._console.print(f"   {text}", markup=False)

    def _expect(self, held: bool, claim: str) -> None:
        if not held:
            raise TourFailed(f"the tour expected that {claim}")


def parts(content: bytes, name: str = "") -> Iterator[transfer_pb.ImportContactsRequest]:
    """An import's messages: options with the file's name, then the file in chunks."""
    options = transfer_pb.ImportOptions(label=name or ADDRESS_BOOK.name)
    yield transfer_pb.ImportContactsRequest(options=options)
    for start in range(0, len(content), CHUNK):
        yield transfer_pb.ImportContactsRequest(chunk=content[start : start + CHUNK])


def iso_date(date: PartialDate) -> str:
    """A date as vCard 4 writes it: `1984-04-12`, without a year `--04-12`."""
    year = f"{date.year:04}" if date.year else "-"
    return "-".join([year, *(f"{part:02}" for part in (date.month, date.day) if part)])


def reason_of(error: grpc.aio.AioRpcError) -> str:
    """The stable reason in an error's details; empty when it has none."""
    status = rpc_status.from_call(error)  # type: ignore[arg-type]  # it has what a call has
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        if detail.Unpack(info):
            return str(info.reason)
    return ""
