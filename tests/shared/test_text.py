import time
import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from shared.text import MOST_COMBINING_MARKS, checked_line, checked_text
from shared.violations import Violations


def line(value: str, limit: int = 200) -> tuple[str, list[str]]:
    violations = Violations()
    return checked_line(value, "f", limit, violations), [found.description for found in violations.found]


def text(value: str, limit: int = 200) -> tuple[str, list[str]]:
    violations = Violations()
    return checked_text(value, "f", limit, violations), [found.description for found in violations.found]


def test_a_line_is_trimmed_and_composed():
    assert line("  Zoe\u0308 \u00a0") == ("Zo\u00eb", [])


def test_a_line_with_a_control_character_is_refused():
    for control in ("\n", "\t", "\x07", "\x7f", "\x85", "\0"):
        assert line(f"a{control}b")[1] == ["must be one line without control characters"]


def test_notes_keep_their_outer_white_space_and_get_one_kind_of_line_end():
    assert text("  a\r\nb\rc\n ") == ("  a\nb\nc\n ", [])


def test_nul_and_lone_surrogates_are_refused_everywhere():
    for bad in ("a\0", "é\0", "\ud800", "a\udfff"):
        assert "must not contain NUL characters" in text(bad)[1][0]
        assert line(bad)[1]


def test_length_is_counted_in_characters_not_bytes():
    assert line("é" * 200)[1] == []
    assert line("é" * 201)[1] == ["must have at most 200 characters"]
    assert line("a" * 201)[1] == ["must have at most 200 characters"]


def test_what_grows_over_the_limit_when_normalised_is_refused():
    grows = "\ufb2c"  # three characters in NFC
    assert text(grows * 100, 200)[1] == ["must have at most 200 characters"]


def test_piled_up_marks_are_refused_before_normalising_takes_quadratic_time():
    started = time.process_time()
    assert text("a" + "\u0301\u0323" * 50_000, 100_001)[1] == [
        f"must not have more than {MOST_COMBINING_MARKS} combining marks in a row"
    ]
    assert time.process_time() - started < 1  # some ten seconds where it is normalised


@given(st.text(max_size=300))
def test_what_is_accepted_is_accepted_again_unchanged(value: str):
    for check in (line, text):
        once, problems = check(value)
        if not problems:
            assert check(once) == (once, [])
            assert unicodedata.is_normalized("NFC", once)
            once.encode()


@given(st.text(alphabet=st.characters(), max_size=30))
def test_a_description_never_repeats_the_value(value: str):
    for problem in (*line(value, 3)[1], *text(value, 3)[1]):
        assert len(value) < 4 or value not in problem
