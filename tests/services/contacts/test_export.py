"""ExportContacts: a file that holds what the tenant has, and that an empty tenant can be filled from."""

from __future__ import annotations

import asyncio
from pathlib import Path

import grpc
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.contacts.v1.contact_pb2 import Contact

from tests.postgres import Connection
from tests.services.contacts.calls import NOBODY, Book
from tests.services.contacts.transfers import all_contacts, card, comparable, exported, imported, numbered
from tests.shared.any_contact import contacts
from tests.suite import Client, Metadata, failure, tenant_of

SAMPLE = Path(__file__).parents[3] / "cli" / "samples" / "address_book.vcf"
CSV = transfer_pb.EXPORT_FORMAT_CSV
VCARD_3 = transfer_pb.EXPORT_FORMAT_VCARD_3
VCARDS = pytest.mark.parametrize("version", [VCARD_3, transfer_pb.EXPORT_FORMAT_VCARD_4])
ALL = pytest.mark.parametrize("version", [transfer_pb.EXPORT_FORMAT_UNSPECIFIED, VCARD_3, CSV])


@VCARDS
async def test_the_sample_address_book_survives_export_and_import(
    client: Client, alice: Metadata, version: transfer_pb.ExportFormat
) -> None:
    await imported(client, alice, SAMPLE.read_bytes())
    file = await exported(client, alice, format=version)
    assert file.counts == (41, {})
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    result = await imported(client, other, file.content)
    assert (result.counts, result.notices) == ((41, 0, 0, 0), [])
    assert comparable(await all_contacts(client, other)) == comparable(await all_contacts(client, alice))
    assert (await imported(client, other, file.content)).counts == (0, 0, 41, 0)


@VCARDS
async def test_any_contacts_survive_export_and_import(client: Client, version: transfer_pb.ExportFormat) -> None:
    people: list[Contact] = []

    @given(contacts())
    @settings(max_examples=60, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    def choose(person: Contact) -> None:
        people.append(person)

    choose()
    assert len(set(map(str, people))) > 30  # the first is as simple as can be
    known = set[str]()
    for person in people:
        if person.source_uid in known:
            person.source_uid = ""
        known.add(person.source_uid)
    tenant = await client.new_tenant(display_name="Full", default_region="GB")
    requests = [pb.CreateContactRequest(contact=person) for person in people]
    await client.contacts.BatchCreateContacts(pb.BatchCreateContactsRequest(requests=requests), metadata=tenant)
    file = await exported(client, tenant, format=version)
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    result = await imported(client, other, file.content)
    assert (result.counts, result.notices) == ((len(people), 0, 0, 0), [])
    assert comparable(await all_contacts(client, other)) == comparable(await all_contacts(client, tenant))
    assert (await imported(client, tenant, file.content)).counts == (0, 0, len(people), 0)


async def test_csv_names_what_it_cannot_hold(client: Client, book: Book) -> None:
    await book.create(given_name="Ada", notes="Two\nlines", custom_fields={"size": "M"}, keep_in_touch_days=30)
    await book.create(given_name="Eve", phones=[{"value": "020 7946 0123"}], custom_fields={"age": 3})
    file = await exported(client, book.tenant, format=CSV)
    assert file.counts == (2, {"keep_in_touch_days": 1, "phones": 1, "custom_fields": 1})
    assert file.content.splitlines()[0].endswith(
        b",Phone 1 - Label,Phone 1 - Value,pmcrm.id,custom_fields.age,custom_fields.size"
    )
    other = await client.new_tenant(display_name="Empty", default_region="GB")
    assert (await imported(client, other, file.content)).summary.dialect == "Google CSV"
    ada, eve = await all_contacts(client, other)
    assert (ada.notes, dict(ada.custom_fields)) == ("Two\nlines", {"size": "M"})
    assert (eve.phones[0].e164, dict(eve.custom_fields)) == ("+442079460123", {"age": "3"})


async def test_importing_an_export_into_its_own_tenant_changes_nothing(client: Client, book: Book) -> None:
    created = await book.create(given_name="Ada", relationship_strength=7, keep_in_touch_days=30)
    file = await exported(client, book.tenant)
    assert (await imported(client, book.tenant, file.content, dry_run=True)).counts == (0, 0, 1, 0)
    assert (await imported(client, book.tenant, file.content)).counts == (0, 0, 1, 0)
    assert await book.get(created.id) == created


async def test_an_export_that_was_edited_updates_its_own_contacts(client: Client, book: Book) -> None:
    created = await book.create(given_name="Ada", family_name="Lovelace")
    file = await exported(client, book.tenant)
    content = file.content.replace(
        b"END:VCARD", b"NOTE:written elsewhere\r\nX-PMCRM-RELATIONSHIP-STRENGTH:8\r\nEND:VCARD"
    )
    assert (await imported(client, book.tenant, content, dry_run=True)).counts == (0, 1, 0, 0)
    assert (await imported(client, book.tenant, content)).counts == (0, 1, 0, 0)
    changed = await book.get(created.id)
    assert (changed.notes, changed.relationship_strength) == ("written elsewhere", 8)
    assert changed.relationship_strength_pinned
    assert (await imported(client, book.tenant, content)).counts == (0, 0, 1, 0)


async def test_another_tenants_export_makes_contacts_of_ones_own(client: Client, book: Book, bobs: Book) -> None:
    created = await book.create(given_name="Ada", notes="alice's")
    file = await exported(client, book.tenant)
    assert (await imported(client, bobs.tenant, file.content.replace(b"alice's", b"bob's"))).counts == (1, 0, 0, 0)
    assert await book.get(created.id) == created


@ALL
async def test_the_same_contacts_give_the_same_bytes(
    client: Client, alice: Metadata, version: transfer_pb.ExportFormat
) -> None:
    await imported(client, alice, SAMPLE.read_bytes())
    first, second = await exported(client, alice, format=version), await exported(client, alice, format=version)
    assert first.content == second.content
    assert first.summary == second.summary


async def test_contacts_are_written_in_the_order_of_their_ids(client: Client, alice: Metadata) -> None:
    await imported(client, alice, numbered(70))
    file = await exported(client, alice)
    uids = [line for line in file.content.split(b"\r\n") if line.startswith(b"UID:")]
    assert uids == [
        f"UID:{c.source_uid}".encode() for c in sorted(await all_contacts(client, alice), key=lambda c: c.id)
    ]


async def test_deleted_contacts_are_in_it_when_asked_for(client: Client, book: Book) -> None:
    kept, deleted = await book.create(given_name="Kept"), await book.create(given_name="Deleted")
    await book.delete(deleted.id)
    assert (await exported(client, book.tenant)).counts == (1, {})
    assert (await exported(client, book.tenant, show_deleted=True)).counts == (2, {})
    assert (await exported(client, book.tenant, ids=[deleted.id, kept.id])).counts == (1, {})


async def test_restricted_contacts_are_in_it(client: Client, book: Book, as_superuser: Connection) -> None:
    await book.create(given_name="Restricted")
    await as_superuser.execute(
        "UPDATE contacts SET processing_restricted = true WHERE user_id = $1", tenant_of(book.tenant)
    )
    assert (await exported(client, book.tenant)).counts == (1, {})


async def test_only_the_named_contacts_are_in_it(client: Client, book: Book, bobs: Book) -> None:
    first, _ = await book.create(given_name="First"), await book.create(given_name="Second")
    foreign = await bobs.create(given_name="Foreign")
    file = await exported(client, book.tenant, ids=[first.id, first.id])
    assert file.counts == (1, {})
    assert b"FN:First\r\n" in file.content
    for nobody in (NOBODY, foreign.id):
        refused = await failure(exported(client, book.tenant, ids=[first.id, nobody]))
        assert (refused.code, refused.reason) == (grpc.StatusCode.NOT_FOUND, "CONTACT_NOT_FOUND")
        assert refused.metadata["id"] == nobody


async def test_an_empty_tenants_file_is_empty(client: Client, alice: Metadata) -> None:
    assert (await exported(client, alice)).content == b""
    assert (await exported(client, alice, format=CSV)).content.startswith(b"First Name,")


@pytest.mark.parametrize(
    ("request_", "code", "reason"),
    [
        ({"format": 77}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"ids": ["1"]}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"ids": [NOBODY] * 1001}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"tag_ids_all": ["1"]}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"tag_ids_any": [NOBODY] * 101}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
        ({"organization_id": "acme"}, grpc.StatusCode.INVALID_ARGUMENT, "FIELD_INVALID"),
    ],
)
async def test_bad_requests_are_refused(
    client: Client, alice: Metadata, request_: dict[str, object], code: grpc.StatusCode, reason: str
) -> None:
    refused = await failure(exported(client, alice, **request_))
    assert (refused.code, refused.reason) == (code, reason)


async def test_an_export_is_in_the_audit_log_before_its_first_byte_leaves(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, numbered(3))
    call = client.contacts.ExportContacts(transfer_pb.ExportContactsRequest(format=VCARD_3), metadata=alice)
    first: transfer_pb.ExportContactsResponse = await call.read()  # type: ignore[assignment]  # or the end of the stream
    assert first.HasField("chunk")
    row = await as_superuser.fetchrow(
        "SELECT new_values FROM audit_logs WHERE user_id = $1 AND action = 'EXPORT'", tenant_of(alice)
    )
    call.cancel()
    assert row is not None
    assert row["new_values"] == {"format": "EXPORT_FORMAT_VCARD_3", "contacts": 3, "all": True}


async def test_a_slow_reader_holds_no_transaction(client: Client, alice: Metadata, as_superuser: Connection) -> None:
    await imported(client, alice, numbered(60, "x" * 99_000), size=1 << 20)
    call = client.contacts.ExportContacts(transfer_pb.ExportContactsRequest(), metadata=alice)
    await call.read()
    busy = await as_superuser.fetchval(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = 'pmcrm_contacts' "
        "AND xact_start IS NOT NULL"
    )
    assert busy == 0
    size = len((await exported(client, alice)).content)
    assert size > 5_000_000
    call.cancel()


async def test_the_file_shows_the_tenant_at_one_moment(client: Client, alice: Metadata) -> None:
    await imported(client, alice, numbered(400))

    async def rename() -> None:
        for contact in reversed(await all_contacts(client, alice)):
            request = pb.UpdateContactRequest(contact=Contact(id=contact.id, notes="changed"))
            await client.contacts.UpdateContact(request, metadata=alice)

    writing = asyncio.create_task(rename())
    files = []
    while not writing.done():
        files.append((await exported(client, alice)).content)
    await writing
    for content in files:
        # They are changed from the last to the first: whatever follows a changed one is changed in the same moment.
        notes = [line for line in content.split(b"\r\n") if line.startswith(b"NOTE:")]
        assert len(notes) == 400
        assert notes == sorted(notes)


async def test_cards_of_a_file_that_changed_hands_are_known_by_their_uid(client: Client, book: Book) -> None:
    await imported(client, book.tenant, card("FN:Ada"))
    content = (await exported(client, book.tenant)).content
    # An address book that took the card in gives it a UID, and keeps what it does not know.
    adopted = content.replace(b"END:VCARD", b"UID:from-elsewhere\r\nEND:VCARD")
    assert (await imported(client, book.tenant, adopted)).counts == (0, 1, 0, 0)
    [contact] = await all_contacts(client, book.tenant)
    assert contact.source_uid == "from-elsewhere"
    assert (await imported(client, book.tenant, adopted)).counts == (0, 0, 1, 0)
