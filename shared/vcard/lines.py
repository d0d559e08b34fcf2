"""Reads the lines of one card: unfolds, decodes, and takes each apart into name, parameters and value.

Every step takes time linear in the card's length.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

from shared.charsets import decoded, known_charset

MOST_PROPERTIES = 4_000
MOST_PARAMETERS = 2_000  # of one property, and of their values

_BARE_ENCODINGS = frozenset({"QUOTED-PRINTABLE", "BASE64", "B", "8BIT", "7BIT"})

# Up to the first colon that is not inside a quoted parameter.
_QUOTED_HEAD = re.compile(r'([^":]*+(?:"[^"]*+"[^":]*+)*+):', re.DOTALL)
_PARAMETER = re.compile(r'((?:[^";]|"[^"]*+")*+)(?:;|$)', re.DOTALL)
_PARAMETER_VALUE = re.compile(r'((?:[^",]|"[^"]*+")*+)(?:,|$)', re.DOTALL)
_NAME = re.compile(r"(?:([A-Za-z0-9_-]+)\.)?([A-Za-z0-9_-]+)", re.ASCII)
_IN_QUOTES = re.compile(rb'"[^"]*+(?:"|$)')
_CARET = re.compile(r"\^([n'^])")  # RFC 6868
_CARET_MEANS = {"n": "\n", "'": '"', "^": "^"}


class BadCardError(Exception):
    """The card cannot be read; the message is a reason without personal data.

    code: the error reason that programs read.
    """

    def __init__(self, reason: str, code: str = "IMPORT_RECORD_MALFORMED") -> None:
        super().__init__(reason)
        self.code = code


class Property(NamedTuple):
    """One property of a card.

    head: what stood before the colon, as it came; without ENCODING and CHARSET where these have been undone.
    group: `item1` of `item1.TEL`, in lower case; '' without.
    name: in upper case.
    parameters: values by name (upper case); 2.1's bare ones are under TYPE.
    value: unfolded and decoded, still with its backslashes.
    """

    head: str
    group: str
    name: str
    parameters: dict[str, list[str]]
    value: str

    @property
    def types(self) -> list[str]:
        """Its TYPEs in lower case, one by one, in the order given."""
        return [word for value in self.parameters.get("TYPE", ()) for word in value.lower().split(",")]

    @property
    def is_binary(self) -> bool:
        """Whether the value is base64."""
        return any(encoding.upper() in ("B", "BASE64") for encoding in self.parameters.get("ENCODING", ()))

    def as_line(self) -> str:
        """The property as one content line of vCard 3.0 or 4.0."""
        return f"{self.head}:{self.value}".replace("\n", "\\n")


def read_properties(content: bytes) -> list[Property]:
    """The properties between a card's BEGIN and END. Raises BadCardError when a line is none."""
    properties: list[Property] = []
    for line in _decoded_lines(content):
        if line and not line.isspace():
            if len(properties) >= MOST_PROPERTIES:
                raise BadCardError(f"the card has more than {MOST_PROPERTIES} properties", "IMPORT_RECORD_TOO_LARGE")
            found = _property(line)
            if found is None:
                raise BadCardError(f"property {len(properties) + 1} of the card is not of the form NAME:value")
            properties.append(found)
    return properties


def _decoded_lines(content: bytes) -> Iterator[str]:
    shouted = content.upper()
    if b"QUOTED-PRINTABLE" in shouted or b"CHARSET" in shouted:
        for line in _unfolded_lines(content):
            # What a UTF-16 file or the caller's charset became is UTF-8 by now, whatever the line says.
            yield decoded(line, None if _is_utf8(line) else _named_charset(line))
        return
    unfolded = _unfolded(content)
    try:
        text = unfolded.decode()
    except UnicodeDecodeError:
        for line in unfolded.split(b"\n"):
            yield decoded(line)
    else:
        yield from text.split("\n")


def _unfolded(content: bytes) -> bytes:
    # 2.1 says that the space stays; 2.1's writers fold as 3.0 does, and Android and vobject read it so.
    return content.replace(b"\n ", b"").replace(b"\n\t", b"")


def _unfolded_lines(content: bytes) -> Iterator[bytes]:
    """Logical lines where some may be quoted-printable: these end in `=` when they go on with the next line."""
    parts: list[bytes] = []
    soft = quoted_printable = False
    for line in content.split(b"\n"):
        if soft:
            parts.append(line)
        elif parts and line[:1] in (b" ", b"\t"):
            parts.append(line[1:])
        else:
            yield b"".join(parts)
            parts = [line]
            quoted_printable = _is_quoted_printable(line)
        soft = quoted_printable and line.endswith(b"=")
        if soft:
            parts[-1] = parts[-1].removesuffix(b"=")
    yield b"".join(parts)


def _is_quoted_printable(line: bytes) -> bool:
    head = line.partition(b":")[0]
    # A quoted parameter, such as the text of an address, may hold any words.
    return b"QUOTED-PRINTABLE" in (_IN_QUOTES.sub(b"", head) if b'"' in head else head).upper()


def _is_utf8(line: bytes) -> bool:
    if line.isascii():
        return b"\x1b" not in line  # ISO-2022 writes every character in ASCII bytes
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


def _named_charset(line: bytes) -> str | None:
    _, found, rest = line.partition(b":")[0].upper().partition(b"CHARSET=")
    if not found:
        return None
    return known_charset(rest.partition(b";")[0].decode("ascii", "replace").strip('"'))


def _property(line: str) -> Property | None:
    head, colon, value = line.partition(":")
    if '"' in head:
        match = _QUOTED_HEAD.match(line)
        if match is not None:
            head, value = match[1], line[match.end() :]
        else:
            head = head.replace('"', "")
    if not colon:
        return None
    full_name, _, rest = head.partition(";")
    match = _NAME.fullmatch(full_name.strip())
    if match is None:
        return None
    if rest.count(";") + rest.count(",") > MOST_PARAMETERS:
        return None
    parameters = _parameters(rest) if rest else {}
    if any(encoding.upper() == "QUOTED-PRINTABLE" for encoding in parameters.get("ENCODING", ())):
        value = _unquoted(value, _charset_of(parameters))
        head = _head_without_encoding(full_name, rest)
    return Property(head, (match[1] or "").lower(), match[2].upper(), parameters, value)


def _parameters(text: str) -> dict[str, list[str]]:
    parameters: dict[str, list[str]] = {}
    pieces = text.split(";") if '"' not in text else _PARAMETER.findall(text)
    for piece in pieces:
        name, equals, value = piece.partition("=")
        if equals:
            parameters.setdefault(name.strip().upper(), []).extend(_parameter_values(value))
        elif piece:
            kind = "ENCODING" if piece.strip().upper() in _BARE_ENCODINGS else "TYPE"
            parameters.setdefault(kind, []).append(piece.strip())
    return parameters


def _parameter_values(text: str) -> list[str]:
    if text.count('"') % 2:
        text = text.replace('"', "")
    if '"' in text:
        values = [value.replace('"', "") for value in _PARAMETER_VALUE.findall(text) if value]
    else:
        values = text.split(",")
    if "^" in text:
        values = [_CARET.sub(lambda match: _CARET_MEANS[match[1]], value) for value in values]
    return values


def _charset_of(parameters: dict[str, list[str]]) -> str | None:
    return _named_charset(b"CHARSET=" + parameters["CHARSET"][0].encode()) if "CHARSET" in parameters else None


def _unquoted(value: str, charset: str | None) -> str:
    octets = binascii.a2b_qp(value.encode())
    return decoded(octets, charset).replace("\r\n", "\n").replace("\r", "\n")


def _head_without_encoding(name: str, parameters: str) -> str:
    undone = ("ENCODING=", "CHARSET=", "QUOTED-PRINTABLE")
    kept = [piece for piece in parameters.split(";") if not piece.strip().upper().startswith(undone)]
    return ";".join([name, *kept])
