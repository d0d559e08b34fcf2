"""Lines become rows, whatever they are."""

from __future__ import annotations

import csv
import io
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.imported_record import Failure
from shared.spreadsheet.rows import MOST_CHARACTERS, MOST_FIELDS, MOST_LINES, Row, RowReader


def rows(text: str, delimiter: str = ",", quote: str = '"') -> list[Row | Failure]:
    reader = RowReader(delimiter, quote)
    found = [part for number, line in enumerate(text.split("\n"), 1) for part in reader.take(number, line)]
    return found + reader.close()


def seen(text: str, delimiter: str = ",", quote: str = '"') -> list[tuple[int, list[str] | str]]:
    return [
        (part.line, part.fields if isinstance(part, Row) else part.code.removeprefix("IMPORT_RECORD_"))
        for part in rows(text, delimiter, quote)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a,b\n\n  \nc,", [(1, ["a", "b"]), (4, ["c", ""])]),
        ('"a, b","say ""hi"""', [(1, ["a, b", 'say "hi"'])]),
        ('"two\nlines",x\ny', [(1, ["two\nlines", "x"]), (3, ["y"])]),
        ('"a\n\n\nb"', [(1, ["a\n\n\nb"])]),
        ('a, "b, c" ,d', [(1, ["a", "b, c", "d"])]),
        ('5" pipe,"6" pipe"', [(1, ['5" pipe', '6 pipe"'])]),
        ('"","",', [(1, ["", "", ""])]),
    ],
)
def test_fields_are_read_as_programs_write_them(text: str, expected: list[tuple[int, list[str]]]) -> None:
    assert seen(text) == expected


def test_other_delimiters_and_quotes() -> None:
    assert seen("'a;b';c", ";", "'") == [(1, ["a;b", "c"])]
    assert seen('a\t"b\tc"', "\t") == [(1, ["a", "b\tc"])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a\n"b,1\nc,2\nd,3', [(1, ["a"]), (2, "MALFORMED"), (3, ["c", "2"]), (4, ["d", "3"])]),
        ('x,"open\nc,"d\ne",f\ng', [(1, "MALFORMED"), (2, ["c", "d\ne", "f"]), (4, ["g"])]),
    ],
)
def test_a_quote_that_is_never_closed_spoils_its_own_row_alone(text: str, expected: list[object]) -> None:
    assert seen(text) == expected


def test_what_is_too_large_is_a_failure_and_the_next_row_is_read() -> None:
    assert seen("," * MOST_FIELDS + "\na") == [(1, "TOO_LARGE"), (2, ["a"])]
    assert seen('"",' * MOST_FIELDS + "\na") == [(1, "TOO_LARGE"), (2, ["a"])]
    assert seen('"' + "x" * MOST_CHARACTERS + '"\na') == [(1, "TOO_LARGE"), (2, ["a"])]
    found = seen('"' + "\n" * (MOST_LINES + 1) + 'x"\na')
    assert (found[0], found[-1]) == ((1, "TOO_LARGE"), (MOST_LINES + 3, ["a"]))


@pytest.mark.parametrize("flood", ['"\n', '"a"x\n', '",\n', "\n", ",", '"', '""', '"a"b,', 'x\nx\nx\nx\n"\n', '"\n\n'])
def test_floods_take_linear_time_and_bounded_memory(flood: str) -> None:
    lines = (flood * ((1 << 19) // len(flood))).split("\n")
    reader = RowReader(",")
    tracemalloc.start()
    started = time.process_time()
    for number, line in enumerate(lines, 1):
        reader.take(number, line)
    reader.close()
    seconds = time.process_time() - started
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 30  # a second or two under tracemalloc; minutes where a part is quadratic
    assert peak < 100 * len(flood) * len(lines) + (1 << 20)


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\r\0", codec="utf-8"), max_size=6), min_size=2)))
def test_what_the_standard_library_writes_is_read_as_it_was(table: list[list[str]]) -> None:
    written = io.StringIO(newline="")
    csv.writer(written, lineterminator="\n", quoting=csv.QUOTE_ALL).writerows(table)
    assert [part.fields for part in rows(written.getvalue()) if isinstance(part, Row)] == table


@given(st.text(alphabet='",\n a\u2028', max_size=60))
def test_any_text_ends_in_rows_and_failures_in_order(text: str) -> None:
    lines = [part.line for part in rows(text)]
    assert lines == sorted(lines)
    assert all(1 <= line <= text.count("\n") + 1 for line in lines)
