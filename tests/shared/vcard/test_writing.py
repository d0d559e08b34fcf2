"""What is written as vCard is read as it was meant: by this reader field by field, by others as far as they go."""

from __future__ import annotations

import pytest
import vobject
from hypothesis import given, settings
from pmcrm.contacts.v1.contact_pb2 import Contact, ContactTag

from shared.imported_record import ImportedRecord
from shared.vcard.content_lines import folded
from shared.vcard.importing import CardImporter
from shared.vcard.writing import write_card
from tests.shared.any_contact import accepted, contacts, differences, stored

VERSIONS = pytest.mark.parametrize("version", ["3.0", "4.0"])
ID = "0190a5d2-7c3e-7b1f-9d52-3f7c8e21ab04"


def read_back(octets: bytes, region: str = "GB") -> list[ImportedRecord]:
    importer = CardImporter(region)
    found = importer.feed(octets) + importer.close()
    for part in found:
        assert isinstance(part, ImportedRecord), part
        assert not part.left_out, part.left_out
    return [part for part in found if isinstance(part, ImportedRecord)]


@VERSIONS
@given(contact=contacts())
@settings(max_examples=400)
def test_any_contact_survives_being_written_and_read(version: str, contact: Contact) -> None:
    [record] = read_back(write_card(contact, version))
    assert differences(contact, stored(record.record)) == {}


@VERSIONS
@given(contact=contacts())
def test_lines_are_short_and_end_as_the_standard_says(version: str, contact: Contact) -> None:
    octets = write_card(contact, version)
    lines = octets.split(b"\r\n")
    assert lines[0] == b"BEGIN:VCARD"
    assert lines[-2:] == [b"END:VCARD", b""]
    for line in lines:
        assert len(line) <= 75
        line.decode()  # no character is cut
    assert write_card(contact, version) == octets


def largest() -> Contact:
    """As much as the API takes, in characters of four bytes."""
    wide = "\U0001f9d1"
    every = range(100)
    return accepted(
        {
            "given_name": wide * 200,
            "notes": wide * 100_000,
            "emails": [{"value": f"{index}@example.com", "label": wide * 90 + f"{index}"} for index in every],
            "phones": [{"value": wide * 96 + f"{index}", "label": wide * 90 + f"{index}"} for index in every],
            "urls": [{"value": wide * 2040 + f"{index}", "label": wide * 90 + f"{index}"} for index in every],
            "im_handles": [{"value": wide * 490 + f"{index}", "label": wide * 90 + f"{index}"} for index in every],
            "addresses": [
                {
                    "value": wide * 990 + f"{index}",
                    "label": wide * 90 + f"{index}",
                    "country_code": "GB",
                    **dict.fromkeys(("street", "extended_address", "po_box", "locality"), wide * 200),
                    **dict.fromkeys(("region", "postal_code", "country"), wide * 200),
                }
                for index in every
            ],
            "custom_fields": {str(index): "\x01" * 3600 for index in range(3)},
            "extra_properties": [f"NOTE:{';' * 640}{index}" for index in every],
        }
    )


@VERSIONS
def test_the_largest_contact_survives(version: str) -> None:
    contact = largest()
    [record] = read_back(write_card(contact, version))
    assert differences(contact, stored(record.record)) == {}


@VERSIONS
def test_a_contact_without_uid_is_known_again_by_its_own_id(version: str) -> None:
    twins = [Contact(id=ID[:-1] + last, display_name="Twin", given_name="Twin") for last in "12"]
    first, second = read_back(b"".join(write_card(twin, version) for twin in twins))
    assert [str(first.contact_id), str(second.contact_id)] == [twin.id for twin in twins]
    assert first.record["source_uid"] is None
    assert first.record["source_hash"] != second.record["source_hash"]


def test_a_contact_with_uid_keeps_it_and_needs_no_other_id() -> None:
    octets = write_card(Contact(id=ID, display_name="A", source_uid="urn:uuid:1"), "4.0")
    assert b"\r\nUID:urn:uuid:1\r\n" in octets
    assert ID.encode() not in octets


def test_a_card_says_things_as_address_books_do() -> None:
    contact = accepted(
        {
            "given_name": "Ada",
            "family_name": "Lovelace",
            "emails": [{"value": "ada@example.org", "label": "work", "primary": True}],
            "phones": [
                {"value": "+44 20 7946 0123", "label": "mobile"},
                {"value": "020 7946 0018", "label": "Summer house"},
            ],
            "addresses": [{"street": "1 Test Street", "locality": "Sampletown", "country_code": "GB", "label": "home"}],
            "birthday": {"month": 4, "day": 12},
            "anniversary": {"year": 2001, "month": 2, "day": 3},
            "keep_in_touch_days": 30,
        }
    )
    assert write_card(contact, "3.0").decode().split("\r\n") == [
        *("BEGIN:VCARD", "VERSION:3.0", "N:Lovelace;Ada;;;", "FN:Ada Lovelace"),
        "EMAIL;TYPE=INTERNET,WORK,PREF:ada@example.org",
        "TEL;TYPE=CELL:+44 20 7946 0123",
        *("item1.X-ABLabel:Summer house", "item1.TEL;X-PMCRM-REGION=GB:020 7946 0018"),
        *("item2.ADR;TYPE=HOME:;;1 Test Street;Sampletown;;;", "item2.X-ABADR:gb"),
        "BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12",
        *("item3.X-ABDATE:2001-02-03", "item3.X-ABLabel:_$!<Anniversary>!$_"),
        *("X-PMCRM-KEEP-IN-TOUCH-DAYS:30", "END:VCARD", ""),
    ]
    assert write_card(contact, "4.0").decode().split("\r\n") == [
        *("BEGIN:VCARD", "VERSION:4.0", "N:Lovelace;Ada;;;", "FN:Ada Lovelace"),
        "EMAIL;TYPE=work;PREF=1:ada@example.org",
        "TEL;TYPE=cell:+44 20 7946 0123",
        *("item1.X-ABLabel:Summer house", "item1.TEL;X-PMCRM-REGION=GB:020 7946 0018"),
        "ADR;TYPE=home;CC=GB:;;1 Test Street;Sampletown;;;",
        "BDAY:--0412",
        "ANNIVERSARY:20010203",
        *("X-PMCRM-KEEP-IN-TOUCH-DAYS:30", "END:VCARD", ""),
    ]


def test_an_address_without_parts_stands_where_every_program_shows_it() -> None:
    contact = accepted({"given_name": "A", "addresses": [{"value": "1 Test Street\nSampletown"}]})
    assert b"\r\nADR;X-PMCRM-WHOLE=TRUE:;;1 Test Street\\nSampletown;;;;\r\n" in write_card(contact, "4.0")


def test_extra_properties_stand_as_they_came_where_that_says_the_same() -> None:
    lines = ["ORG:Example;Research", "item1.X-ABDATE:2001-02-03", "item1.X-ABLabel:Graduation", "X-FOO;A=b:c"]
    contact = Contact(display_name="A", organization_name="Example", extra_properties=lines)
    octets = write_card(contact, "3.0")
    assert all(f"\r\n{line}\r\n".encode() in octets for line in lines)


def test_extra_properties_that_would_say_something_else_stand_as_text() -> None:
    contact = Contact(display_name="A", extra_properties=["EMAIL:second@example.com", "X-FOO:bar"])
    octets = write_card(contact, "3.0")
    assert b"\r\nX-PMCRM-EXTRA:EMAIL:second@example.com\r\nX-FOO:bar\r\n" in octets


def test_tags_are_categories() -> None:
    contact = Contact(display_name="A", tags=[ContactTag(name="friends"), ContactTag(name="a, b")])
    assert b"\r\nCATEGORIES:friends,a\\, b\r\n" in write_card(contact, "4.0")


@pytest.mark.parametrize("text", ["é" * 200, "x" * 200, "李" * 75, "a" * 74 + "👩‍👩‍👧" * 30, "x" * 75, "x" * 76])
def test_folding_never_cuts_a_character(text: str) -> None:
    lines = folded(text).split(b"\r\n")
    assert lines.pop() == b""
    assert all(len(line) <= 75 for line in lines)
    assert "".join(line.decode() if i == 0 else line[1:].decode() for i, line in enumerate(lines)) == text


@given(contact=contacts())
@settings(max_examples=50)
def test_another_programs_reader_finds_the_same_name_and_notes(contact: Contact) -> None:
    if contact.notes.isspace() or any(
        c in contact.notes + contact.display_name for c in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    ):
        return  # vobject takes these for line breaks
    del contact.extra_properties[:]
    contact.ClearField("custom_fields")
    card = vobject.readOne(write_card(contact, "3.0").decode())
    assert card.fn.value == contact.display_name
