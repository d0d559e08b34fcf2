"""CSV files of Google, Outlook and LinkedIn, and those whose columns the caller maps."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.imported_record import Failure, ImportedRecord
from shared.spreadsheet.importing import TableImporter, UnknownColumnsError
from tests.shared.any_contact import stored

LINKEDIN = (
    'Notes:\n"When exporting your connection data, you may notice that some of the e-mail addresses are missing,\n'
    'by ""privacy"", they are."\n\nFirst Name,Last Name,URL,Email Address,Company,Position,Connected On\n'
)
GOOGLE_OLD = "Name,Given Name,Family Name,Birthday,Notes,Group Membership,E-mail 1 - Type,E-mail 1 - Value"
GOOGLE_NEW = "First Name,Middle Name,Last Name,Name Prefix,File As,Organization Name,Organization Title,Birthday,Labels"
OUTLOOK = (
    "Title,First Name,Last Name,Company,Business Street,Business Street 2,Business City,E-mail Address,Business Phone"
)


def read(content: str | bytes, size: int = 1 << 16, **arguments: Any) -> list[ImportedRecord | Failure]:
    return read_with(TableImporter(**arguments), content, size)


def read_with(importer: TableImporter, content: str | bytes, size: int = 1 << 16) -> list[ImportedRecord | Failure]:
    octets = content.encode() if isinstance(content, str) else content
    found = [part for start in range(0, len(octets), size) for part in importer.feed(octets[start : start + size])]
    return found + importer.close()


def one(content: str, **arguments: Any) -> Any:
    [record] = read(content, **arguments)
    assert isinstance(record, ImportedRecord), record
    return stored(record.record)


def codes(found: list[ImportedRecord | Failure]) -> list[tuple[int, str]]:
    return [(part.line, part.code if isinstance(part, Failure) else part.record["display_name"]) for part in found]


def mapped(header: str, row: str, **mapping: str) -> Any:
    return one(f"{header}\n{row}\n", mapping={name.replace("_", " "): target for name, target in mapping.items()})


def test_googles_old_columns() -> None:
    contact = one(
        GOOGLE_OLD + ",IM 1 - Type,IM 1 - Service,IM 1 - Value,Phone 1 - Type,Phone 1 - Value,Address 1 - Type,"
        "Address 1 - Formatted,Address 1 - Street,Address 1 - City,Address 1 - Country,Organization 1 - Name,"
        "Organization 1 - Title,Organization 1 - Department,Website 1 - Type,Website 1 - Value,Event 1 - Type,"
        "Event 1 - Value,Custom Field 1 - Type,Custom Field 1 - Value\n"
        'Ada Lovelace,Ada,Lovelace, --04-12,"Two\nlines",* myContacts ::: Friends ::: * Starred,* Work,ada@example.org,'
        "Home,Skype,ada.l,Mobile,+44 20 7946 0123 ::: +44 20 7946 0018,Home,,1 Test Street,Sampletown,United Kingdom,"
        "Example,Analyst,Research,Home Page,https://example.org,Anniversary,2001-02-03,Shirt,M\n"
    )
    assert (contact.display_name, contact.given_name, contact.family_name) == ("Ada Lovelace", "Ada", "Lovelace")
    assert (contact.birthday.year, contact.birthday.month, contact.birthday.day) == (0, 4, 12)
    assert contact.notes == "Two\nlines"
    assert [(e.value, e.label, e.primary) for e in contact.emails] == [("ada@example.org", "work", True)]
    assert [(p.value, p.label) for p in contact.phones] == [
        ("+44 20 7946 0123", "mobile"),
        ("+44 20 7946 0018", "mobile"),
    ]
    assert [(h.value, h.label) for h in contact.im_handles] == [("ada.l", "skype")]
    assert (contact.addresses[0].street, contact.addresses[0].locality) == ("1 Test Street", "Sampletown")
    assert (contact.organization_name, contact.job_title) == ("Example", "Analyst")
    assert list(contact.extra_properties) == ["ORG:Example;Research"]
    assert [(u.value, u.label) for u in contact.urls] == [("https://example.org", "homepage")]
    assert (contact.anniversary.year, dict(contact.custom_fields)) == (2001, {"Shirt": "M"})


def test_googles_new_columns_and_groups() -> None:
    [record] = read(
        GOOGLE_NEW + ",E-mail 1 - Label,E-mail 1 - Value\n"
        "Ada,Augusta,Lovelace,Lady,The Countess,Example,Analyst,1815-12-10,Friends ::: * myContacts,* ,ada@example.org"
    )
    assert isinstance(record, ImportedRecord)
    contact = stored(record.record)
    assert (contact.display_name, contact.additional_names) == ("The Countess", "Augusta")
    assert (contact.honorific_prefixes, contact.birthday.year) == ("Lady", 1815)
    assert (contact.emails[0].label, contact.emails[0].primary) == ("", True)
    assert record.categories == ("Friends",)


@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("4/12/1985", (1985, 4, 12)),
        ("25/12/1985", (1985, 12, 25)),
        ("1985-04-12", (1985, 4, 12)),
        ("12.4.1985", (1985, 4, 12)),
        ("4/12/1985 0:00", (1985, 4, 12)),
        ("4/12/85", (0, 4, 12)),
        ("0/0/00", (0, 0, 0)),
        ("soon", (0, 0, 0)),
        ("13/13/1985", (0, 0, 0)),
    ],
)
def test_outlooks_dates(written: str, date: tuple[int, int, int]) -> None:
    [record] = read(f"{OUTLOOK},Birthday\n,Ada,Lovelace,,,,,,,{written}\n")
    assert isinstance(record, ImportedRecord)
    birthday = stored(record.record).birthday
    assert (birthday.year, birthday.month, birthday.day) == date
    unclear = written in ("4/12/85", "soon", "13/13/1985")
    assert [left.field for left in record.left_out] == (["Birthday"] if unclear else [])


def test_outlooks_columns() -> None:
    importer = TableImporter()
    [record] = read_with(
        importer,
        OUTLOOK + ",Home Fax,Mobile Phone,Web Page,Categories,E-mail Type,Hobby\n"
        "Dr.,Ada,Lovelace,Example,1 Test Street,Floor 2,Sampletown,ada@example.org,020 1,2,3,https://x.org,A;B,SMTP,maths\n",
    )
    assert isinstance(record, ImportedRecord)
    contact = stored(record.record)
    assert contact.display_name == "Dr. Ada Lovelace"
    assert (contact.addresses[0].street, contact.addresses[0].label) == ("1 Test Street\nFloor 2", "work")
    assert [(p.value, p.label) for p in contact.phones] == [("020 1", "work"), ("2", "home fax"), ("3", "mobile")]
    assert record.categories == ("A", "B")
    assert importer.dialect == "Outlook CSV"
    assert [left.field for left in importer.left_out] == ["Hobby"]


def test_linkedins_notes_are_passed_over_and_its_profiles_are_ids() -> None:
    importer = TableImporter()
    content = (
        LINKEDIN + "Ada,Lovelace,https://www.linkedin.com/in/ada,ada@example.org,Example,Analyst,12 Mar 2024\n,,,,,,\n"
    )
    [record] = read_with(importer, content)
    assert isinstance(record, ImportedRecord)
    contact = stored(record.record)
    assert (record.line, importer.dialect) == (6, "LinkedIn CSV")
    assert contact.source_uid == contact.urls[0].value == "https://www.linkedin.com/in/ada"
    assert (contact.urls[0].label, contact.organization_name, contact.job_title) == ("linkedin", "Example", "Analyst")
    assert contact.source_create_time.ToJsonString() == "2024-03-12T00:00:00Z"


def test_every_kind_of_target() -> None:
    contact = mapped(
        "Who,Mail,Mail,Cell,Town,Street,Old,Born,Year,Size,Group,Firm,Where",
        'Ada,a@example.org,b@example.org,+44 20 7946 0123,Sampletown,1 Test Street,Elsewhere,--12-10,2001,'
        'M,"x, y",Example,Paris',
        Who="given_name", Mail="emails.work", Cell="phones.mobile", Town="addresses.home.locality",
        Street="addresses.home.street", Old="addresses.old", Born="birthday", Year="anniversary.year",
        Size="custom_fields.shirt_size", Group="tags", Firm="organization_name", Where="custom_fields.a.b",
    )  # fmt: skip
    assert [(e.value, e.label) for e in contact.emails] == [("a@example.org", "work"), ("b@example.org", "work")]
    assert [(a.value, a.label) for a in contact.addresses] == [
        ("1 Test Street\nSampletown", "home"),
        ("Elsewhere", "old"),
    ]
    assert (contact.birthday.month, contact.anniversary.year) == (12, 2001)
    assert dict(contact.custom_fields) == {"shirt_size": "M", "a.b": "Paris"}


def test_a_mapped_files_other_columns_are_named_once() -> None:
    importer = TableImporter(mapping={"Name": "display_name"})
    read_with(importer, "Name,Shoe,Hat,Empty\nAda,38,S,\nEve,39,M,\n")
    [left] = importer.left_out
    assert (left.field, left.code) == ("Shoe, Hat", "IMPORT_COLUMN_LEFT_OUT")
    assert importer.dialect == "CSV"


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("prefix", ["", "\ufeff", "sep=;\n", "\n\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-le", "windows-1252"])
def test_delimiters_and_character_sets_are_found(delimiter: str, prefix: str, encoding: str) -> None:
    if prefix == "\ufeff" and encoding in ("windows-1252", "utf-16"):
        prefix = ""  # has no mark, or writes its own
    content = prefix + f"{OUTLOOK}\r\n,Zoë,Müller,,,,,,\r\n".replace(",", delimiter)
    importer = TableImporter()
    assert [part.record["display_name"] for part in read_with(importer, content.encode(encoding), 7)] == ["Zoë Müller"]  # type: ignore[union-attr]
    assert importer.charset == {"utf-16": "utf-16-le"}.get(encoding, encoding)


def test_bad_rows_are_reported_with_their_lines_and_the_rest_goes_on() -> None:
    content = f'{OUTLOOK}\n,Ada,A\n,"Bob,B\n,Carol,C\n,,,,,,,,\n\n,,,,1 Street,,,,\n,D,D,,,,,,,,too many\n,Eve,"E\nE"\n'
    assert codes(read(content)) == [
        *((2, "Ada A"), (3, "IMPORT_RECORD_MALFORMED"), (4, "Carol C"), (7, "IMPORT_RECORD_EMPTY")),
        *((8, "IMPORT_RECORD_MALFORMED"), (9, "Eve E E")),
    ]


def test_the_same_row_has_the_same_hash_whatever_the_order_of_its_columns() -> None:
    [one_way] = read(f"{OUTLOOK}\n,Ada,Lovelace,Example\n")
    [other] = read("Last Name,First Name,Company,Mobile Phone\nLovelace, Ada ,Example,\n")
    [changed] = read(f"{OUTLOOK}\n,Ada,Lovelace,Sample\n")
    hashes = [part.record["source_hash"] for part in (one_way, other, changed)]  # type: ignore[union-attr]
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0].hex() == "6450e4050b29984d81c6817f3a5f5cb185a6a446bbde17af7fca42cab4e7a5ec"


@pytest.mark.parametrize(
    ("content", "mapping", "missing"),
    [
        ("Name,Phone\nAda,1\n", {}, ()),
        ("Name,Phone\nAda,1\n", {"Name": "given_name", "Fax": "phones.fax", "Age": "notes"}, ("Age", "Fax")),
        ("", {"Name": "given_name"}, ("Name",)),
        ("x\n" * 60 + OUTLOOK, {}, ()),
    ],
)
def test_columns_that_are_not_known_are_told(content: str, mapping: dict[str, str], missing: tuple[str, ...]) -> None:
    with pytest.raises(UnknownColumnsError) as unknown:
        read(content, mapping=mapping)
    assert unknown.value.missing == missing


def test_single_quotes_are_found() -> None:
    assert one("'First Name';'Last Name';'Company'\n'Ada; Augusta';'Lovelace';''\n").given_name == "Ada; Augusta"


@pytest.mark.parametrize("part", [b"x", b"x\n", b'"'])
def test_a_file_without_a_header_is_given_up_before_its_end(part: bytes) -> None:
    chunks = iter([part * (1 << 16)] * 100)
    importer = TableImporter()
    with pytest.raises(UnknownColumnsError):
        list(map(importer.feed, chunks))
    assert next(chunks, None) is not None


def test_an_empty_file_holds_nothing() -> None:
    assert read("") == read("\n \n") == read(OUTLOOK) == []


def test_reasons_hold_nothing_of_the_row() -> None:
    content = f'{OUTLOOK},Birthday\n,"secret\n,secret,S,,,,,secret,,secret\n,,,,secret,,,,\n'
    for part in read(content):
        reasons = [part.reason] if isinstance(part, Failure) else [left.reason for left in part.left_out]
        assert reasons
        assert "secret" not in "".join(reasons)


CELLS = st.sampled_from(
    ["Ada", '"', ",", "\n", "\r\n", ";", "\t", '"x"', "a@b.org", "0/0/00", " ::: ", "* ", "é", "\0", "="]
)
HEADERS = st.sampled_from([GOOGLE_OLD, GOOGLE_NEW, OUTLOOK, LINKEDIN.strip(), "A,B"])


@given(HEADERS, st.lists(CELLS | st.binary(max_size=8).map(lambda octets: octets.decode("latin-1")), max_size=40))
def test_any_bytes_end_in_records_and_failures(header: str, cells: list[str]) -> None:
    content = (header + "\n" + "".join(cells)).encode("latin-1")
    importer = TableImporter("GB", mapping={"A": "given_name", "B": "birthday"} if header == "A,B" else None)
    for part in read_with(importer, content, 16):
        assert part.line > 1
        assert isinstance(part, Failure) or part.record["display_name"]


@given(st.binary(max_size=200))
def test_any_bytes_at_all_are_read_or_are_no_csv_that_is_known(octets: bytes) -> None:
    with contextlib.suppress(UnknownColumnsError):
        read(octets, 16)
