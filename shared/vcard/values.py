"""The values of properties: backslashes, lists and structures, taken apart and written, in linear time."""

from __future__ import annotations

import re

# A value of nothing but separators would otherwise take a hundred times its size in memory.
MOST_PIECES = 2_000

_ESCAPED = re.compile(r"\\([nN,;:\\\"])")
_TO_ESCAPE = re.compile(r"[\\,;\n]")
_CONTROLS = re.compile("[\x01-\x1f\x7f-\x9f]+")


def unescaped(value: str) -> str:
    """The text of a value; a backslash before any other character is kept, since many programs do not escape it."""
    if "\\" in value:
        value = _ESCAPED.sub(_meaning, value)
    return value.replace("\r\n", "\n") if "\r" in value else value


def escaped(text: str) -> str:
    """The value that `unescaped` reads as this text, with no comma or semicolon that would end it."""
    return _TO_ESCAPE.sub(_escape, text)


def one_line(value: str) -> str:
    """A text without line breaks and other controls, which become spaces. NUL stays: no contact may have it."""
    if not value.isascii() or not value.isprintable():
        value = _CONTROLS.sub(" ", value)
    return value.strip()


def split_at(separator: str, value: str) -> list[str]:
    """The pieces of a value between separators that have no backslash before them; their backslashes are kept."""
    pieces = value.split(separator, MOST_PIECES)
    if "\\" not in value:
        return pieces
    whole: list[str] = []
    begun: list[str] = []
    for piece in pieces:
        begun.append(piece)
        if (len(piece) - len(piece.rstrip("\\"))) % 2 == 0:
            whole.append(separator.join(begun))
            begun = []
    if begun:
        whole.append(separator.join(begun))
    return whole


def texts(value: str) -> list[str]:
    """The texts of a list separated by commas, without the empty ones."""
    return [text for text in (one_line(unescaped(piece)) for piece in split_at(",", value)) if text]


def _meaning(match: re.Match[str]) -> str:
    return "\n" if match[1] in "nN" else match[1]


def _escape(match: re.Match[str]) -> str:
    return "\\n" if match[0] == "\n" else f"\\{match[0]}"
