"""Writes content lines: names, parameters, groups, folding."""

from __future__ import annotations

import re

from shared.vcard.values import escaped

LINE_OCTETS = 75

_PLAIN = re.compile(r"[A-Za-z0-9-]+", re.ASCII)
_CARET = str.maketrans({"^": "^^", '"': "^'", "\n": "^n"})  # RFC 6868


def parameter(name: str, value: str) -> str:
    """One parameter, with what goes before it: `;LABEL="1 Test Street"`."""
    if _PLAIN.fullmatch(value):
        return f";{name}={value}"
    return f';{name}="{value.translate(_CARET)}"'


def folded(line: str) -> bytes:
    """The line as it stands in a file: in UTF-8, cut between characters into lines of at most 75 octets."""
    octets = line.encode()
    if len(octets) <= LINE_OCTETS:
        return octets + b"\r\n"
    pieces = []
    start, room = 0, LINE_OCTETS
    while len(octets) - start > room:
        end = start + room
        while octets[end] & 0xC0 == 0x80:  # inside of a character
            end -= 1
        pieces.append(octets[start:end])
        start, room = end, LINE_OCTETS - 1
    pieces.append(octets[start:])
    return b"\r\n ".join(pieces) + b"\r\n"


class CardLines:
    """The content lines of one card, and the groups that tie some of them together.

    taken: groups that the card's own extra properties use, in lower case.
    """

    def __init__(self, taken: frozenset[str] = frozenset()) -> None:
        self.lines: list[str] = []
        self._taken = taken
        self._groups = 0

    def new_group(self) -> str:
        """A group that no other line of the card is in."""
        while True:
            self._groups += 1
            if f"item{self._groups}" not in self._taken:
                return f"item{self._groups}"

    def add(self, name: str, value: str, parameters: str = "", group: str = "") -> None:
        """Adds a line whose value is written already: escaped where its property is a text."""
        self.lines.append(f"{group}.{name}{parameters}:{value}" if group else f"{name}{parameters}:{value}")

    def add_text(self, name: str, text: str, parameters: str = "", group: str = "") -> None:
        """Adds a line for a text, unless the text is empty."""
        if text:
            self.add(name, escaped(text), parameters, group)

    def add_uri(self, name: str, uri: str, parameters: str = "", group: str = "") -> None:
        """Adds a line for a URI: its commas and semicolons stand as they are, as all programs expect."""
        self.add(name, uri.replace("\\", "\\\\"), parameters, group)
