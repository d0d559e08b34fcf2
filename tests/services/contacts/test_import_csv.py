"""ImportContacts of CSV files: found by their columns, or read as the caller maps them."""

from __future__ import annotations

from pathlib import Path

import pytest
from pmcrm.type.v1.error_reason_pb2 import ErrorReason

from tests.services.contacts.transfers import CSV, all_contacts, imported
from tests.suite import Client, Metadata, failure

LINKEDIN = Path(__file__).parents[3] / "cli" / "samples" / "linkedin.csv"
OUTLOOK = b"First Name,Last Name,Company,E-mail Address,Business Phone,Hobby\r\n"


async def test_the_format_is_found(client: Client, alice: Metadata) -> None:
    result = await imported(
        client, alice, b"\xef\xbb\xbf" + OUTLOOK + b"Ada,Lovelace,Example,ada@example.org,020 7946 0123,\r\n"
    )
    assert result.counts == (1, 0, 0, 0)
    assert (result.summary.format, result.summary.dialect, result.summary.charset) == (CSV, "Outlook CSV", "utf-8")
    [contact] = await all_contacts(client, alice)
    assert (contact.display_name, contact.phones[0].e164) == ("Ada Lovelace", "+442079460123")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "windows-1252"])
async def test_character_sets_are_found(client: Client, alice: Metadata, encoding: str) -> None:
    content = (OUTLOOK.decode() + "Zoë,Müller,,,,\r\n").encode(encoding)
    assert (await imported(client, alice, content, size=3)).counts == (1, 0, 0, 0)
    assert [contact.display_name for contact in await all_contacts(client, alice)] == ["Zoë Müller"]


async def test_a_character_set_can_be_told(client: Client, alice: Metadata) -> None:
    content = (OUTLOOK.decode() + "Ада,Лавлейс,,,,\r\n").encode("koi8-r")
    assert (await imported(client, alice, content, charset="koi8-r")).summary.charset == "koi8-r"
    assert [contact.display_name for contact in await all_contacts(client, alice)] == ["Ада Лавлейс"]


async def test_a_bad_row_is_reported_with_its_line_and_the_rest_goes_on(client: Client, alice: Metadata) -> None:
    content = OUTLOOK + b'Ada,"A\nb",,,,\nBad,"open,,,,\nEve,E,,not an address,,\n,,,,,sailing\n'
    result = await imported(client, alice, content)
    assert result.counts == (2, 0, 0, 2)
    assert [(f.position, f.record, f.code) for f in result.failures] == [
        (4, 2, ErrorReason.ERROR_REASON_IMPORT_RECORD_MALFORMED),
        (6, 4, ErrorReason.ERROR_REASON_IMPORT_RECORD_EMPTY),
    ]
    value, column = result.notices
    assert (value.position, value.field, bool(value.contact_id)) == (5, "emails[0].value", True)
    assert (column.position, column.record, column.field) == (0, 0, "Hobby")
    assert column.code == ErrorReason.ERROR_REASON_IMPORT_COLUMN_LEFT_OUT
    assert result.summary.notices == 2


async def test_importing_the_same_file_again_changes_nothing(client: Client, alice: Metadata) -> None:
    content = LINKEDIN.read_bytes()
    first = await imported(client, alice, content)
    before = await all_contacts(client, alice)
    again = await imported(client, alice, content, size=100)
    assert first.summary.created == len(before) > 5
    assert again.counts == (0, 0, first.summary.created, first.summary.failed)
    assert await all_contacts(client, alice) == before


async def test_a_new_position_in_a_later_linkedin_file_updates_the_contact(client: Client, alice: Metadata) -> None:
    header = "First Name,Last Name,URL,Email Address,Company,Position,Connected On\n"
    row = "Ada,Lovelace,https://www.linkedin.com/in/ada-sample,,Example,{},12 Mar 2024\n"
    await imported(client, alice, (header + row.format("Analyst")).encode())
    result = await imported(client, alice, (header + row.format("Director")).encode())
    assert result.counts == (0, 1, 0, 0)
    [contact] = await all_contacts(client, alice)
    assert contact.job_title == "Director"


async def test_columns_are_read_as_mapped(client: Client, alice: Metadata) -> None:
    mapping = {"Who": "display_name", "Town": "addresses.home.locality", "Groups": "tags", "Size": "custom_fields.size"}
    result = await imported(
        client, alice, b'Who;Town;Groups;Size;Shoe\nAda;Sampletown;"a, b";M;38\n', csv_mapping=mapping
    )
    assert (result.counts, result.summary.dialect) == ((1, 0, 0, 0), "CSV")
    assert [notice.field for notice in result.notices] == ["Shoe"]
    [contact] = await all_contacts(client, alice)
    assert (contact.addresses[0].locality, contact.addresses[0].label) == ("Sampletown", "home")
    assert ([tag.name for tag in contact.tags], dict(contact.custom_fields)) == (["a", "b"], {"size": "M"})


async def test_a_mapping_that_does_not_fit_names_what_is_wrong(client: Client, alice: Metadata) -> None:
    content = b"Name,Phone\nAda,1\n"
    lacking = await failure(imported(client, alice, content, csv_mapping={"Name": "given_name", "Fax": "phones.fax"}))
    assert (lacking.reason, list(lacking.violations)) == ("IMPORT_MAPPING_INVALID", ["options.csv_mapping[Fax]"])
    unknown = await failure(imported(client, alice, content, csv_mapping={"Name": "shoe_size", "Phone": "phones"}))
    assert (unknown.reason, list(unknown.violations)) == ("IMPORT_MAPPING_INVALID", ["options.csv_mapping[Name]"])
    needed = await failure(imported(client, alice, content, format=CSV))
    assert (needed.reason, list(needed.violations)) == ("IMPORT_MAPPING_INVALID", ["options.csv_mapping"])
    neither = await failure(imported(client, alice, content))
    assert neither.reason == "IMPORT_FORMAT_UNKNOWN"
    assert await all_contacts(client, alice) == []
