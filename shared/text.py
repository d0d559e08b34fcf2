"""What text may be stored: Unicode in NFC, without NUL or lone surrogates, of bounded length.

Lengths are counted in code points, as PostgreSQL's `char_length` does.
"""

from __future__ import annotations

import re
import unicodedata

from shared.violations import Violations

# Unicode's Stream-Safe Text Format (UAX #15). Without a bound, normalising takes quadratic time: 64 000 combining marks
# in a row keep a processor busy for seconds.
MOST_COMBINING_MARKS = 30

_NEVER_STORED = re.compile("[\x00\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile("\r\n?")


def checked_line(value: str, field: str, limit: int, violations: Violations) -> str:
    """A value of one line, such as a name or a label: trimmed, in NFC. Control characters, line breaks among them,
    are violations; so is more than `limit` characters."""
    if value.isascii() and value.isprintable() and len(value) <= limit:
        return value.strip()
    trimmed = value.strip()
    if _CONTROLS.search(trimmed):
        violations.add(field, "must be one line without control characters")
        return ""
    return _normal(trimmed, field, limit, violations)


def checked_text(value: str, field: str, limit: int, violations: Violations) -> str:
    """A value of any number of lines, such as notes: in NFC, line ends as `\\n`, outer white space kept."""
    if "\r" in value:
        value = _LINE_ENDS.sub("\n", value)
    return _normal(value, field, limit, violations)


def text_problem(value: str, limit: int) -> str | None:
    """The rule that a text breaks before it is normalised, or None."""
    if len(value) > limit:
        return f"must have at most {limit} characters"
    if value.isascii():
        return "must not contain NUL characters" if "\0" in value else None
    if _NEVER_STORED.search(value):
        return "must not contain NUL characters or lone surrogates"
    if _piles_up_marks(value):
        return f"must not have more than {MOST_COMBINING_MARKS} combining marks in a row"
    return None


def _normal(value: str, field: str, limit: int, violations: Violations) -> str:
    problem = text_problem(value, limit)
    if problem is not None:
        violations.add(field, problem)
        return ""
    if value.isascii():
        return value
    normal = unicodedata.normalize("NFC", value)
    if len(normal) > limit:  # a few characters have only a decomposed normal form
        violations.add(field, f"must have at most {limit} characters")
        return ""
    return normal


def _piles_up_marks(value: str) -> bool:
    if not any(map(unicodedata.combining, value)):
        return False
    run = 0
    for character in value:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > MOST_COMBINING_MARKS:
            return True
    return False
