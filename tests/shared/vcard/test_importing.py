import re
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.imported_record import Failure, ImportedRecord
from shared.vcard.importing import CardImporter

SAMPLE = Path(__file__).parents[3] / "cli" / "samples" / "address_book.vcf"


DIALECTS = "vCard 2.1 and vCard 3.0 and vCard 4.0"


def imported(octets: bytes, size: int = 1 << 16, region: str = "US") -> list[ImportedRecord | Failure]:
    importer = CardImporter(region)
    found = [part for start in range(0, len(octets), size) for part in importer.feed(octets[start : start + size])]
    return found + importer.close()


def card(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", "VERSION:3.0", *lines, "END:VCARD", ""])


def cards(octets: bytes) -> list[ImportedRecord]:
    return [part for part in imported(octets) if isinstance(part, ImportedRecord)]


def test_one_bad_card_is_reported_with_its_line_and_the_rest_goes_on():
    octets = (card("FN:Ada") + card("FN:Bad", "no colon") + card("NOTE:nobody") + card("FN:Eve")).encode()
    assert [
        (part.line, part.code if isinstance(part, Failure) else part.record["display_name"])
        for part in imported(octets)
    ] == [(1, "Ada"), (5, "IMPORT_RECORD_MALFORMED"), (10, "IMPORT_RECORD_EMPTY"), (14, "Eve")]


def test_a_card_without_uid_is_known_again_by_its_hash():
    first, again = cards(card("FN:Ada", "TEL:1").encode() + card("FN:Ada", "TEL:1", "REV:2020-01-01").encode())
    assert first.record["source_uid"] is None
    assert first.record["source_hash"] == again.record["source_hash"]


def test_a_uid_that_another_card_has_is_left_out_so_that_importing_again_changes_nothing():
    first, same, other = cards((card("UID:1", "FN:Ada") * 2 + card("UID:1", "FN:Eve")).encode())
    assert first.record["source_uid"] == same.record["source_uid"] == "1"
    assert other.record["source_uid"] is None
    assert [left.field for left in other.left_out] == ["UID"]


def test_reasons_hold_nothing_of_the_card():
    octets = (card("FN:secret", "secret") + "secret\n" + card("NOTE:secret") + card("FN:a", "EMAIL:secret")).encode()
    for part in imported(octets):
        reasons = [part.reason] if isinstance(part, Failure) else [left.reason for left in part.left_out]
        assert reasons
        assert "secret" not in "".join(reasons)


def test_a_hostile_megabyte_takes_linear_time():
    for line in (
        "NOTE:" + "a\u0301\u0323" * 150_000,
        "EMAIL:" + "@" * 900_000,
        "TEL:" + "(" * 900_000,
        "N:" + ",;" * 400_000,
        "NOTE" + ";a" * 400_000 + ":x",
        "X-PMCRM-CUSTOM-FIELDS:" + "[" * 900_000,
        "X-PMCRM-CUSTOM-FIELDS:" + '{"a":' * 150_000,
    ):
        started = time.process_time()
        imported(card("FN:Ada", line).encode())
        assert time.process_time() - started < 5  # well under a second; minutes where a step is quadratic


@given(
    st.lists(
        st.binary(max_size=40)
        | st.sampled_from([card("FN:A").encode(), b"BEGIN:VCARD\n", b"EMAIL:a@b\n", b"END:VCARD\n"]),
        max_size=10,
    )
)
def test_any_bytes_end_in_records_and_failures(parts: list[bytes]):
    for part in imported(b"".join(parts), 16):
        assert part.line >= 1
        assert isinstance(part, Failure) or part.record["display_name"]


@pytest.fixture(scope="module")
def sample() -> list[ImportedRecord | Failure]:
    return imported(SAMPLE.read_bytes(), 1000)


def test_the_sample_address_book_shows_what_address_books_hold(sample):
    records = [part.record for part in sample if isinstance(part, ImportedRecord)]
    scripts = {
        unicodedata.name(letter).split()[0]
        for record in records
        for letter in record["display_name"]
        if letter.isalpha()
    }
    assert len(records) >= 40
    assert scripts >= {"LATIN", "CYRILLIC", "GREEK", "CJK", "HANGUL", "ARABIC", "HEBREW", "DEVANAGARI", "THAI"}
    assert any(record["birthday_month"] and not record["birthday_year"] for record in records)
    assert any(record["birthday_year"] and not record["birthday_month"] for record in records)
    assert any(len(record["emails"] or ()) > 2 and len(record["phones"] or ()) > 2 for record in records)
    assert any("\n" in (record["notes"] or "") for record in records)


def test_the_versions_that_were_read_are_told():
    importer = CardImporter()
    importer.feed(SAMPLE.read_bytes())
    assert importer.dialect == DIALECTS


def test_the_sample_address_book_has_one_broken_card_and_a_picture_that_is_left_out(sample):
    (broken,) = [part for part in sample if isinstance(part, Failure)]
    assert SAMPLE.read_text().splitlines()[broken.line - 1] == "BEGIN:VCARD"
    left_out = {left.code for part in sample if isinstance(part, ImportedRecord) for left in part.left_out}
    assert left_out == {"IMPORT_PHOTO_LEFT_OUT", "IMPORT_VALUE_LEFT_OUT"}


# Ranges that the telephone authorities of these countries set aside for fiction.
FICTION = re.compile(
    r"\+(1\d{3}55501\d\d|44(2079460|7700900)\d{3}|61491570\d{3}|33199\d{6}|493023125\d{3}|35320910\d{4}|46846500[4]\d\d)"
)


def test_nobody_of_the_sample_address_book_can_be_written_to_or_called(sample):
    records = [part.record for part in sample if isinstance(part, ImportedRecord)]
    domains = {entry["value"].partition("@")[2] for record in records for entry in record["emails"] or ()}
    assert all(re.search(r"(^|\.)example(\.com|\.net|\.org)?$", domain) for domain in domains)
    numbers = {entry["e164"] for record in records for entry in record["phones"] or () if "e164" in entry}
    assert all(FICTION.fullmatch(number) for number in numbers)
