import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.imported_record import Failure
from shared.vcard.splitting import MOST_CARD_BYTES, CardSplitter, RawCard, read_cards

CARD = b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Ada\r\nEND:VCARD\r\n"


def read(octets: bytes, size: int = 1 << 16) -> list[RawCard | Failure]:
    return list(read_cards(octets[start : start + size] for start in range(0, len(octets), size)))


def lines_and_codes(found: list[RawCard | Failure]) -> list[tuple[int, str]]:
    return [(part.line, part.code if isinstance(part, Failure) else "") for part in found]


def test_cards_are_found_with_the_line_on_which_they_begin():
    assert read(CARD + b"\r\n\r\n" + CARD) == [
        RawCard(1, b"VERSION:3.0\nFN:Ada\n"),
        RawCard(7, b"VERSION:3.0\nFN:Ada\n"),
    ]


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"])
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_any_line_end_and_any_cut_give_the_same_cards(end, size):
    octets = (CARD + b"begin: vcard \r\nX:\r\nend:VCARD\t\r\n").replace(b"\r\n", end)
    assert read(octets, size) == [RawCard(1, b"VERSION:3.0\nFN:Ada\n"), RawCard(5, b"X:\n")]


def test_a_folded_line_of_nothing_but_spaces_is_kept():
    assert read(b"BEGIN:VCARD\nNOTE:a\n   \n b\n\nEND:VCARD\n") == [RawCard(1, b"NOTE:a\n   \n b\n")]


def test_a_last_line_needs_no_end():
    assert read(CARD.strip()) == [RawCard(1, b"VERSION:3.0\nFN:Ada\n")]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "utf-16-le"])
def test_unicode_files_are_read_with_and_without_a_mark(encoding):
    assert read("BEGIN:VCARD\nFN:Zoë\nEND:VCARD\n".encode(encoding), 3) == [RawCard(1, "FN:Zoë\n".encode())]


def test_the_charset_that_was_read_is_told():
    splitter = CardSplitter()
    splitter.feed(CARD)
    assert splitter.charset == "utf-8"
    splitter.feed("BEGIN:VCARD\nFN:Zoë\nEND:VCARD\n".encode("cp1252"))
    assert splitter.charset == "windows-1252"
    told = CardSplitter("cp1251")
    (card,) = told.feed("BEGIN:VCARD\nFN:Ада\nEND:VCARD\n".encode("cp1251"))
    assert isinstance(card, RawCard)
    assert card.content.decode() == "FN:Ада\n"


def test_a_card_without_end_is_a_failure_and_the_next_is_read():
    found = read(b"BEGIN:VCARD\nFN:Lost\n" + CARD + b"BEGIN:VCARD\nFN:Cut off")
    assert lines_and_codes(found) == [(1, "IMPORT_RECORD_MALFORMED"), (3, ""), (7, "IMPORT_RECORD_MALFORMED")]


def test_text_between_cards_is_one_failure_where_it_begins():
    found = read(b"\n\nhello\nworld\n" + CARD + b"FN:Lost its begin\nEND:VCARD\n" + CARD)
    assert lines_and_codes(found) == [
        *((3, "IMPORT_RECORD_MALFORMED"), (5, "")),
        *((9, "IMPORT_RECORD_MALFORMED"), (11, "")),
    ]


def test_the_card_of_an_agent_stays_inside_its_own():
    octets = b"BEGIN:VCARD\nAGENT:\nBEGIN:VCARD\nFN:Agent\nEND:VCARD\nFN:Ada\nEND:VCARD\n"
    assert read(octets) == [RawCard(1, b"AGENT:\nFN:Ada\n")]


def test_photos_are_not_kept_and_may_be_of_any_size():
    folded = b"PHOTO;ENCODING=b;TYPE=JPEG:" + b"\r\n ".join([b"QUJD" * 18] * 100_000)
    not_indented = b"item1.PHOTO;ENCODING=BASE64:\n" + b"QUJDQUJD\n" * 100_000
    in_one_line = b"LOGO:data:image/png;base64," + b"QUJD" * 1_000_000
    for photo in (folded, not_indented, in_one_line):
        (card,) = read(b"BEGIN:VCARD\nFN:Ada\n" + photo + b"\r\nTEL:1\nEND:VCARD\n")
        assert isinstance(card, RawCard)
        assert card.content.endswith(b"\nTEL:1\n")
        assert len(card.content) < 5_000


def test_the_address_of_a_photo_is_kept():
    (card,) = read(b"BEGIN:VCARD\nPHOTO;VALUE=uri:https://example.com/a\n bc.png\nEND:VCARD\n")
    assert card == RawCard(1, b"PHOTO;VALUE=uri:https://example.com/a\n bc.png\n")


@pytest.mark.parametrize(
    "part",
    [
        b"NOTE:" + b"x" * 3 * MOST_CARD_BYTES,
        b"NOTE:x" + (b"\n " + b"y" * 60) * (MOST_CARD_BYTES // 60),
        (b"X:" + b"y" * 60 + b"\n") * (MOST_CARD_BYTES // 60),
    ],
)
def test_a_card_that_is_too_large_is_a_failure_and_the_next_is_read(part):
    assert lines_and_codes(read(CARD + b"BEGIN:VCARD\n" + part + b"\nEND:VCARD\n"))[:2] == [
        (1, ""),
        (5, "IMPORT_RECORD_TOO_LARGE"),
    ]
    assert isinstance(read(b"BEGIN:VCARD\n" + part + b"\nEND:VCARD\n" + CARD)[-1], RawCard)


@pytest.mark.parametrize(
    "flood",
    [
        b"\n",
        b"\r",
        b" \n",
        b"x",
        b"x\n",
        b"BEGIN:VCARD\n",
        b"END:VCARD\n",
        b"\0",
        b"BEGIN:VCARD\nAGENT:\n",
        b"PHOTO:\n ",
    ],
)
def test_floods_take_linear_time_and_bounded_memory(flood):
    chunk = flood * ((1 << 17) // len(flood))
    splitter = CardSplitter()
    splitter.feed(b"BEGIN:VCARD\nFN:x")
    splitter.feed(chunk)
    tracemalloc.start()
    started = time.process_time()
    for _ in range(2):
        splitter.feed(chunk)
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    splitter.close()
    assert seconds < 30  # a second or two under tracemalloc; minutes where a part is quadratic
    assert peak < 20 * MOST_CARD_BYTES


PIECES = st.sampled_from(
    [
        CARD,
        b"BEGIN:VCARD\n",
        b"END:VCARD\r\n",
        b"\r",
        b"\n",
        b" ",
        b"FN:x\n",
        b"AGENT:\n",
        b"PHOTO:x\n",
        b" y\n",
        b"\xff",
        b"\0",
        b"NOTE;ENCODING=QUOTED-PRINTABLE:a=\n",
        b"\xef\xbb\xbf",
        b"\xff\xfe",
        b"B\0E\0",
    ]
)


@given(st.lists(PIECES | st.binary(max_size=20), max_size=30).map(b"".join), st.integers(1, 20))
def test_any_bytes_give_the_same_cards_and_failures_however_they_are_cut(octets: bytes, size: int):
    whole = read(octets)
    assert read(octets, size) == whole
    assert [part.line for part in whole] == sorted(part.line for part in whole)
