"""ImportContacts: vCards in, contacts, failures, notices, progress and a summary out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import grpc
import pytest
from pmcrm.contacts.v1 import contact_service_pb2 as pb
from pmcrm.contacts.v1 import contact_transfer_pb2 as transfer_pb
from pmcrm.type.v1.error_reason_pb2 import ErrorReason

from tests.postgres import Connection, Database
from tests.runtime.acting import count_of, until
from tests.services.contacts.transfers import (
    CSV,
    IMPORT,
    OPTIONS,
    VCARD,
    all_contacts,
    card,
    imported,
    numbered,
    parts,
)
from tests.suite import Client, Metadata, failure, new_request_id, tenant_of

SAMPLE = (Path(__file__).parents[3] / "cli" / "samples" / "address_book.vcf").read_bytes()


async def test_the_sample_address_book_is_imported_and_its_broken_card_reported(
    client: Client, alice: Metadata
) -> None:
    result = await imported(client, alice, SAMPLE)
    assert result.counts == (41, 0, 0, 1)
    assert [(f.position, f.record) for f in result.failures] == [(SAMPLE_BROKEN_LINE, 26)]
    assert len(await all_contacts(client, alice)) == 41


# The line of BEGIN:VCARD of the one card in the sample that has a line without a colon.
SAMPLE_BROKEN_LINE = 282


async def test_importing_the_same_file_again_changes_nothing(client: Client, alice: Metadata) -> None:
    await imported(client, alice, SAMPLE)
    before = await all_contacts(client, alice)
    again = await imported(client, alice, SAMPLE, size=777)
    assert again.counts == (0, 0, 41, 1)
    assert await all_contacts(client, alice) == before


async def test_a_changed_record_replaces_what_it_holds_and_leaves_the_rest(client: Client, alice: Metadata) -> None:
    await imported(client, alice, card("UID:u1", "FN:Ada Sample", "TITLE:Engineer", "NOTE:first"))
    [contact] = await all_contacts(client, alice)
    contact.keep_in_touch_days = 30
    await client.contacts.UpdateContact(pb.UpdateContactRequest(contact=contact), metadata=alice)
    result = await imported(client, alice, card("UID:u1", "FN:Ada Sample", "TITLE:Director"))
    assert result.counts == (0, 1, 0, 0)
    [changed] = await all_contacts(client, alice)
    assert (changed.id, changed.job_title, changed.notes) == (contact.id, "Director", "first")
    assert changed.keep_in_touch_days == 30


async def test_a_contact_that_was_edited_since_keeps_its_edits_when_its_record_has_not_changed(
    client: Client, alice: Metadata
) -> None:
    for content in (card("FN:No Id"), card("UID:u2", "FN:With Id")):
        await imported(client, alice, content)
    for contact in await all_contacts(client, alice):
        contact.notes = "edited by hand"
        await client.contacts.UpdateContact(pb.UpdateContactRequest(contact=contact), metadata=alice)
    for content in (card("FN:No Id"), card("UID:u2", "FN:With Id")):
        assert (await imported(client, alice, content)).counts == (0, 0, 1, 0)
    assert {contact.notes for contact in await all_contacts(client, alice)} == {"edited by hand"}


async def test_equal_records_in_one_file_make_one_contact(client: Client, alice: Metadata) -> None:
    result = await imported(client, alice, card("FN:Twice") + card("FN:Twice") + card("UID:x", "FN:X") * 2)
    assert result.counts == (2, 0, 2, 0)


@pytest.mark.parametrize("size", [1, 3, 64])
async def test_chunks_may_be_cut_anywhere(client: Client, alice: Metadata, size: int) -> None:
    content = card("FN:Łucja Przykładowa", "NOTE:zażółć\\n李样本") + card("FN:نموذج")
    assert (await imported(client, alice, content, size)).counts == (2, 0, 0, 0)
    assert {contact.display_name for contact in await all_contacts(client, alice)} == {"Łucja Przykładowa", "نموذج"}


async def test_progress_counts_what_is_committed(client: Client, alice: Metadata) -> None:
    call = client.contacts.ImportContacts(parts(numbered(450), size=1 << 20), metadata=alice)
    seen = 0
    async for response in call:
        if response.HasField("progress"):
            seen += 1
            listed = await client.contacts.ListContacts(
                pb.ListContactsRequest(page_size=1, include_total_size=True), metadata=alice
            )
            assert listed.total_size >= response.progress.processed
    assert seen == 3


async def test_ten_thousand_cards_are_imported_in_one_stream_with_progress(client: Client, alice: Metadata) -> None:
    content = numbered(10_000)
    result = await imported(client, alice, content, size=1 << 16)
    assert result.counts == (10_000, 0, 0, 0)
    processed = [progress.processed for progress in result.progress]
    assert processed == sorted(processed)
    assert all(later - earlier <= 1000 for earlier, later in pairwise([0, *processed]))
    assert result.progress[-1].bytes_read == len(content)


async def test_large_cards_are_committed_by_and_by(client: Client, alice: Metadata) -> None:
    result = await imported(client, alice, numbered(120, "x" * 99_000), size=1 << 20)
    assert result.counts == (120, 0, 0, 0)
    assert len(result.progress) == 3  # four megabytes at a time


async def test_an_import_that_is_cancelled_leaves_whole_contacts_and_is_resumed_by_importing_again(
    client: Client, alice: Metadata
) -> None:
    never_ending = asyncio.Event()

    async def half() -> AsyncIterator[transfer_pb.ImportContactsRequest]:
        for part in parts(numbered(400), size=1 << 20):
            yield part
        await never_ending.wait()

    call = client.contacts.ImportContacts(half(), metadata=alice)
    async for response in call:
        if response.HasField("progress"):
            break
    call.cancel()
    kept = await all_contacts(client, alice)
    assert kept
    assert all(contact.notes == "as it came" for contact in kept)
    resumed = await imported(client, alice, numbered(400))
    assert resumed.summary.created + resumed.summary.unchanged == 400
    assert len(await all_contacts(client, alice)) == 400


async def test_two_imports_of_the_same_file_at_once_make_each_contact_once(client: Client, alice: Metadata) -> None:
    content = numbered(250) + b"".join(card(f"FN:No Id {i}") for i in range(250))
    results = await asyncio.gather(*(imported(client, alice, content) for _ in range(3)))
    assert sum(result.summary.created for result in results) == 500
    assert len(await all_contacts(client, alice)) == 500


async def test_the_same_file_in_two_tenants_makes_contacts_of_each(
    client: Client, alice: Metadata, bob: Metadata
) -> None:
    content = numbered(3)
    assert (await imported(client, alice, content)).counts == (3, 0, 0, 0)
    assert (await imported(client, bob, content)).counts == (3, 0, 0, 0)
    ids = [{contact.id for contact in await all_contacts(client, tenant)} for tenant in (alice, bob)]
    assert ids[0].isdisjoint(ids[1])


async def test_a_dry_run_tells_what_would_happen_and_writes_nothing(client: Client, alice: Metadata) -> None:
    await imported(client, alice, numbered(2))
    content = numbered(1) + card("UID:card-1", "FN:Changed") + card("FN:New")
    assert (await imported(client, alice, content, dry_run=True)).counts == (1, 1, 1, 0)
    assert {contact.notes for contact in await all_contacts(client, alice)} == {"as it came"}


async def test_a_repeated_request_id_gives_the_first_summary_and_writes_nothing(
    client: Client, alice: Metadata
) -> None:
    request_id = new_request_id()
    first = await imported(client, alice, numbered(5), request_id=request_id)
    for contact in await all_contacts(client, alice):
        await client.contacts.DeleteContact(pb.DeleteContactRequest(id=contact.id), metadata=alice)
    again = await imported(client, alice, numbered(5), request_id=request_id)
    assert again.summary == first.summary
    assert await all_contacts(client, alice) == []


async def test_a_request_id_of_another_file_is_refused(client: Client, alice: Metadata) -> None:
    request_id = new_request_id()
    await imported(client, alice, numbered(1), request_id=request_id)
    refused = await failure(imported(client, alice, numbered(2), request_id=request_id))
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "REQUEST_ID_REUSED")
    assert len(await all_contacts(client, alice)) == 1


async def test_a_restricted_contact_is_left_as_it_is_and_reported(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, card("UID:r", "FN:Restricted"))
    await as_superuser.execute("UPDATE contacts SET processing_restricted = true WHERE user_id = $1", tenant_of(alice))
    result = await imported(client, alice, card("UID:r", "FN:Changed"))
    assert [f.code for f in result.failures] == [ErrorReason.ERROR_REASON_IMPORT_RECORD_RESTRICTED]
    assert result.counts == (0, 0, 0, 1)


async def test_what_a_contact_cannot_hold_is_named_with_its_contact(client: Client, alice: Metadata) -> None:
    result = await imported(client, alice, card("FN:Photo Graph", "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRg=="))
    [contact] = await all_contacts(client, alice)
    [notice] = result.notices
    assert (notice.code, notice.contact_id) == (ErrorReason.ERROR_REASON_IMPORT_PHOTO_LEFT_OUT, contact.id)


async def test_phones_are_read_in_the_tenants_region_unless_the_options_say_another(
    client: Client, alice: Metadata
) -> None:
    await imported(client, alice, card("FN:A", "TEL:020 7946 0123"))
    await imported(client, alice, card("FN:B", "TEL:030 23125 000"), default_region="DE")
    assert {c.phones[0].e164 for c in await all_contacts(client, alice)} == {"+442079460123", "+493023125000"}


async def test_an_import_leaves_an_entry_with_its_label_in_the_audit_log(
    client: Client, alice: Metadata, as_superuser: Connection
) -> None:
    await imported(client, alice, numbered(2), label="holiday cards")
    row = await as_superuser.fetchrow(
        "SELECT new_values FROM audit_logs WHERE user_id = $1 AND action = 'IMPORT'", tenant_of(alice)
    )
    assert row is not None
    assert row["new_values"]["label"] == "holiday cards"


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([], "IMPORT_OPTIONS_MISPLACED"),
        ([IMPORT(chunk=b"x")], "IMPORT_OPTIONS_MISPLACED"),
        ([IMPORT(options=OPTIONS()), IMPORT(options=OPTIONS())], "IMPORT_OPTIONS_MISPLACED"),
        ([IMPORT(options=OPTIONS()), IMPORT(chunk=b"Name,Phone\n")], "IMPORT_FORMAT_UNKNOWN"),
        ([IMPORT(options=OPTIONS())], "IMPORT_FORMAT_UNKNOWN"),
        ([IMPORT(options=OPTIONS(charset="utf-latin"))], "IMPORT_CHARSET_INVALID"),
        ([IMPORT(options=OPTIONS(default_region="XX"))], "FIELD_INVALID"),
        ([IMPORT(options=OPTIONS(format=77))], "FIELD_INVALID"),  # type: ignore[arg-type]  # an enum of a later release
        ([IMPORT(options=OPTIONS(csv_mapping={"a": "notes"}, format=VCARD))], "FIELD_INVALID"),
        ([IMPORT(options=OPTIONS(csv_mapping={f"{i}": "notes" for i in range(501)}))], "FIELD_INVALID"),
        ([IMPORT(options=OPTIONS(csv_mapping={"a": "shoe_size"}))], "IMPORT_MAPPING_INVALID"),
        ([IMPORT(options=OPTIONS(csv_mapping={"a": "notes"})), IMPORT(chunk=b"b,c\n")], "IMPORT_MAPPING_INVALID"),
        ([IMPORT(options=OPTIONS(format=CSV)), IMPORT(chunk=b"b,c\n")], "IMPORT_MAPPING_INVALID"),
        ([IMPORT(options=OPTIONS()), IMPORT(chunk=b"\n" * 100_000)], "IMPORT_FORMAT_UNKNOWN"),
        ([IMPORT(options=OPTIONS(label="x" * 201))], "FIELD_INVALID"),
        ([IMPORT(options=OPTIONS(request_id="1"))], "FIELD_INVALID"),
    ],
)
async def test_bad_options_are_refused(
    client: Client, alice: Metadata, messages: list[transfer_pb.ImportContactsRequest], reason: str
) -> None:
    async def call() -> None:
        async for _ in client.contacts.ImportContacts(iter(messages), metadata=alice):
            pass

    refused = await failure(call())
    assert (refused.code, refused.reason) == (grpc.StatusCode.INVALID_ARGUMENT, reason)
    assert await all_contacts(client, alice) == []


async def test_an_empty_vcard_file_imports_nothing(client: Client, alice: Metadata) -> None:
    assert (await imported(client, alice, b"", format=VCARD)).counts == (0, 0, 0, 0)
    assert (await imported(client, alice, b"", format=CSV)).counts == (0, 0, 0, 0)


async def test_a_source_uid_that_another_call_takes_meanwhile_is_found_and_updated(
    client: Client, alice: Metadata, as_superuser: Connection, database: Database
) -> None:
    taking = as_superuser.transaction()
    await taking.start()
    await as_superuser.execute(
        "INSERT INTO contacts (user_id, display_name, sort_name, source_uid) VALUES ($1, 'Taken', 'taken', 'u7')",
        tenant_of(alice),
    )
    importing = asyncio.create_task(imported(client, alice, card("UID:u7", "FN:From The File")))

    async def is_blocked() -> bool:
        return await count_of(watching, "wait_event_type = 'Lock'") == 1

    async with database.connect() as watching:
        await until(is_blocked)
    await taking.commit()
    assert (await importing).counts == (0, 1, 0, 0)
    [contact] = await all_contacts(client, alice)
    assert contact.display_name == "From The File"
