"""Takes the lines of a CSV file apart into rows, in linear time and bounded memory, whatever the lines are."""

from __future__ import annotations

import re
from typing import NamedTuple

from shared.imported_record import Failure

# Of one row. The largest contact that the API accepts takes 1.6 million characters where all are quotes, and so much of
# its employments and links as is written four million.
MOST_CHARACTERS = 6 << 20
MOST_LINES = 300_000
MOST_FIELDS = 4_096

_MALFORMED = "the quotes of the row do not end where a field ends"


class Row(NamedTuple):
    """One row: the line on which it begins (from 1), and its fields without their quotes."""

    line: int
    fields: list[str]


class RowReader:
    """Makes rows of lines. `take` every line in turn, then `close`; both give the rows and failures that they complete.

    A field may be in quotes and then hold delimiters, line breaks and doubled quotes. A quote that is never closed
    spoils its own row alone: the lines that it swallowed are read again, each as a row.

    delimiter: one character. quote: `"` or `'`.
    """

    def __init__(self, delimiter: str, quote: str = '"') -> None:
        self._delimiter = delimiter
        self._quote = quote
        # Of a quoted field: what stands before the quote that ends it, or before the end of the line.
        self._inside = re.compile(f"[^{quote}]*+(?:{quote}{quote}[^{quote}]*+)*+")
        self._begin = re.compile(f" *+{quote}")
        self._lines: list[str] = []  # of the row that has begun and not ended
        self._line = 0  # where it begins
        self._size = 0
        self._fields: list[str] = []
        self._open: list[str] | None = None  # the lines of the quoted field that has begun and not ended

    def take(self, number: int, text: str) -> list[Row | Failure]:
        """The rows and failures that this line completes. number: the line's, from 1. text: without its end."""
        if self._open is None:
            if not text or text.isspace():
                return []
            if self._quote not in text:
                if text.count(self._delimiter) >= MOST_FIELDS:
                    return [_too_large(number)]
                return [Row(number, text.split(self._delimiter))]
            self._line = number
        self._lines.append(text)
        self._size += len(text) + 1
        if self._size > MOST_CHARACTERS or len(self._lines) > MOST_LINES:
            return self._recovered(_too_large(self._line))
        problem = self._scan(text)
        if problem is not None:
            # The quote at which the row turned out to be malformed may be one that opens a field.
            return self._recovered(problem, goes_on=problem.code == "IMPORT_RECORD_MALFORMED")
        if self._open is not None:
            return []
        row = Row(self._line, self._fields)
        self._forget()
        return [row]

    def take_cut(self, number: int) -> list[Row | Failure]:
        """The same for a line that was too long to be kept."""
        return [*self.close(), _too_large(number)]

    def close(self) -> list[Row | Failure]:
        """The rows and failures that the end of the file completes."""
        if self._open is None:
            return []
        return self._recovered(Failure(self._line, "IMPORT_RECORD_MALFORMED", "a quote of the row is never closed"))

    def _forget(self) -> None:
        self._lines, self._fields = [], []
        self._size = 0
        self._open = None

    def _recovered(self, failure: Failure, *, goes_on: bool = False) -> list[Row | Failure]:
        """The failure, and what the lines after the first one are when each is a row of its own.

        goes_on: the last of them may begin a row that goes on in the next line.
        """
        swallowed, first = self._lines[1:], self._line + 1
        self._forget()
        found: list[Row | Failure] = [failure]
        last = first + len(swallowed) - 1
        for number, text in enumerate(swallowed, first):
            found += self.take(number, text)
            if self._open is not None and not (goes_on and number == last):
                self._forget()
                found.append(Failure(number, "IMPORT_RECORD_MALFORMED", _MALFORMED))
        return found

    def _scan(self, text: str) -> Failure | None:
        """Reads the fields of one line; leaves the last one open when its quote is not closed."""
        position = 0
        while True:
            if self._open is not None:
                end = self._end_of_quoted(text, position)
                self._open.append(text[position:end])
                if end == len(text):
                    return None
                position = self._delimiter_from(text, end + 1)
                behind = text[end + 1 : position]
                if behind.strip() and len(self._open) > 1:
                    return Failure(self._line, "IMPORT_RECORD_MALFORMED", _MALFORMED)
                field = "\n".join(self._open).replace(self._quote * 2, self._quote)
                self._fields.append(field + behind if behind.strip() else field)
                self._open = None
            else:
                begin = self._begin.match(text, position)
                if begin is not None:
                    self._open, position = [], begin.end()
                    continue
                end = self._delimiter_from(text, position)
                self._fields.append(text[position:end])
                position = end
            if position >= len(text):
                return None
            if len(self._fields) >= MOST_FIELDS:
                return _too_large(self._line)
            position += 1

    def _end_of_quoted(self, text: str, position: int) -> int:
        inside = self._inside.match(text, position)  # if only the empty text
        return position if inside is None else inside.end()

    def _delimiter_from(self, text: str, position: int) -> int:
        found = text.find(self._delimiter, position)
        return len(text) if found < 0 else found


def _too_large(line: int) -> Failure:
    reason = f"the row has more than {MOST_FIELDS} fields, {MOST_LINES} lines or {MOST_CHARACTERS} characters"
    return Failure(line, "IMPORT_RECORD_TOO_LARGE", reason)
