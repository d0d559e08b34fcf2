import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.charsets import Transcoder, decoded, known_charset

TEXT = "BEGIN:VCARD\r\nFN:Zoë Žák 山田\r\n"


def transcoded(octets: bytes, size: int, charset: str = "") -> str:
    transcoder = Transcoder(charset)
    parts = [transcoder.feed(octets[start : start + size]) for start in range(0, len(octets), size)]
    return b"".join([*parts, transcoder.close()]).decode()


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_unicode_is_recognised_with_and_without_its_mark(encoding, size):
    assert transcoded(TEXT.encode(encoding), size) == TEXT


def test_a_charset_that_the_caller_names_is_used():
    assert transcoded("Привет, мир".encode("windows-1251"), 3, "cp1251") == "Привет, мир"


def test_what_was_read_is_told():
    transcoder = Transcoder()
    transcoder.feed("FN:Ada".encode("utf-16"))
    assert transcoder.charset == "utf-16-le"


def test_old_programs_bytes_are_read_as_windows_1252():
    assert decoded("Zoë – “x”".encode("cp1252")) == "Zoë – “x”"
    assert decoded(b"\x81") == "\ufffd"


def test_only_charsets_for_text_are_known():
    assert known_charset("ISO-8859-1") == "iso8859-1"
    assert known_charset("Shift_JIS") == "shift_jis"
    for name in ("utf-9", "idna", "punycode", "zlib", "unicode_escape", "utf-7", "rot13", "x" * 1000, "a\0b", ""):
        assert known_charset(name) is None


@given(
    st.binary(max_size=200), st.sampled_from(["", "utf-16", "shift_jis", "gb18030", "iso2022_jp", "utf-8", "cp1252"])
)
def test_any_bytes_become_text_without_lone_surrogates(octets: bytes, charset: str):
    decoded(octets, charset or None).encode()
    transcoder = Transcoder(charset)
    decoded(transcoder.feed(octets) + transcoder.close()).encode()
