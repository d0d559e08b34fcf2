"""Cuts a stream of bytes into cards, in bounded memory, whatever the bytes are.

Photos and other media are cut short here, because they are most of an address book's bytes and are not imported; what
is kept of one is enough for its address.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from shared.imported_record import Failure
from shared.line_reader import Line, LineReader

MOST_CARD_BYTES = 8 << 20
"""Bytes of one card without its media; the splitter holds at most this much of a card and of a line. The largest
contact that the API accepts takes 3.2 MB, and so much of its employments and links as is written 4 MB."""

_KEPT_OF_MEDIA = 1 << 12

_MEDIA = re.compile(rb"(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)(?=[;:])", re.IGNORECASE)
_BEGIN = re.compile(rb"BEGIN:[ \t]*VCARD[ \t]*", re.IGNORECASE)
_END = re.compile(rb"END:[ \t]*VCARD[ \t]*", re.IGNORECASE)
_AGENT = re.compile(rb"(?:[\w-]+\.)?AGENT[^:]*:", re.IGNORECASE)


class RawCard(NamedTuple):
    """One card as it came: the line of the stream on which it begins (from 1), and what stands between BEGIN and END,
    lines ended by `\\n`, blank ones left out."""

    line: int
    content: bytes


class CardSplitter:
    """Finds the cards in a stream. Feed it every chunk in turn, then `close` it; both give what was completed.

    charset: what the caller says that the stream is in (a name that `known_charset` gave); '' to find out.
    """

    def __init__(self, charset: str = "") -> None:
        self._lines = LineReader(charset, MOST_CARD_BYTES)
        self._in_card = False
        self._card = bytearray()
        self._card_line = 0
        self._nested = 0  # cards inside this one (AGENT of 2.1)
        self._media_room = -1  # bytes that may still be kept of the photo being read; -1 in any other property
        self._after_agent = False
        self._stray = False
        self._saw_8_bit = False
        self._found: list[RawCard | Failure] = []

    def feed(self, chunk: bytes) -> list[RawCard | Failure]:
        """The cards and failures that this chunk completes."""
        for line in self._lines.feed(chunk):
            self._take(line)
        return self._taken()

    def close(self) -> list[RawCard | Failure]:
        """The cards and failures that the end of the stream completes."""
        for line in self._lines.close():
            self._take(line)
        if self._in_card:
            self._fail(self._card_line, "the card has no END:VCARD")
        return self._taken()

    def _taken(self) -> list[RawCard | Failure]:
        found, self._found = self._found, []
        return found

    @property
    def charset(self) -> str:
        """The character set that is being read: the one that was told or marked, else UTF-8 or Windows-1252."""
        return "windows-1252" if self._saw_8_bit else self._lines.charset

    def _fail(self, line: int, reason: str, code: str = "IMPORT_RECORD_MALFORMED") -> None:
        self._found.append(Failure(line, code, reason))
        self._in_card = False

    def _take(self, found: Line) -> None:
        number, line, cut = found
        if not line or (line.isspace() and not (self._in_card and line[:1] in b" \t")):
            if self._in_card and self._card.endswith(b"=\n"):
                self._card += b"\n"  # ends a quoted-printable value that would otherwise go on with the next line
        elif not self._in_card:
            self._between_cards(number, line)
        elif line[:1] in b"BbEe" and (_BEGIN.fullmatch(line) or _END.fullmatch(line)):
            self._boundary(number, line)
        elif not self._nested:
            self._inside_card(line, cut)

    def _between_cards(self, number: int, line: bytes) -> None:
        if _BEGIN.fullmatch(line):
            self._card.clear()
            self._card_line = number
            self._in_card = True
            self._media_room = -1
            self._after_agent = self._stray = False
        elif self._stray:
            self._stray = _END.fullmatch(line) is None  # with its end, what was already reported is over
        else:
            self._fail(number, "the text is outside BEGIN:VCARD and END:VCARD")
            self._stray = True

    def _boundary(self, number: int, line: bytes) -> None:
        if _BEGIN.fullmatch(line):
            if self._nested or self._after_agent:
                self._nested += 1
            else:
                self._fail(self._card_line, "the card has no END:VCARD before the next BEGIN:VCARD")
                self._between_cards(number, line)
        elif self._nested:
            self._nested -= 1
        else:
            self._found.append(RawCard(self._card_line, bytes(self._card)))
            self._saw_8_bit = self._saw_8_bit or not _is_utf8(self._card)
            self._in_card = False

    def _inside_card(self, line: bytes, cut: bool) -> None:
        folded = line[:1] in b" \t"
        # Some phones do not indent base64; it has neither, and every property has one on its first line.
        if self._media_room >= 0 and (folded or (b":" not in line and b";" not in line)):
            if folded and self._media_room:
                self._keep_media(line)
            return
        if not folded and _MEDIA.match(line):
            self._media_room = _KEPT_OF_MEDIA
            self._keep_media(line)
            return
        if not folded:
            self._media_room = -1
            self._after_agent = line.endswith(b":") and _AGENT.fullmatch(line) is not None
        if cut or len(self._card) + len(line) > MOST_CARD_BYTES:
            reason = f"the card has more than {MOST_CARD_BYTES} bytes besides its media"
            self._fail(self._card_line, reason, "IMPORT_RECORD_TOO_LARGE")
            self._stray = True
            return
        self._card += line
        self._card += b"\n"

    def _keep_media(self, line: bytes) -> None:
        kept = line[: self._media_room]
        self._media_room -= len(kept)
        if len(self._card) + len(kept) < MOST_CARD_BYTES:
            self._card += kept
            self._card += b"\n"


def read_cards(chunks: Iterable[bytes], charset: str = "") -> Iterator[RawCard | Failure]:
    """The cards of a file given in chunks, in order, with a failure for each part of it that is none."""
    splitter = CardSplitter(charset)
    for chunk in chunks:
        yield from splitter.feed(chunk)
    yield from splitter.close()


def _is_utf8(octets: bytearray) -> bool:
    if octets.isascii():
        return True
    try:
        octets.decode()
    except UnicodeDecodeError:
        return False
    return True
