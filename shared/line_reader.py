"""Cuts a stream of bytes into lines, in bounded memory, whatever the bytes are.

Fed chunk by chunk, so that it serves a gRPC stream as well as a file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from shared.charsets import Transcoder

_SLICE = 1 << 16
_KEPT_OF_LONG_LINE = 1024


class Line(NamedTuple):
    """One line without its end (`\\r\\n`, `\\n`, or `\\r` alone).

    number: its place in the stream, from 1.
    content: in UTF-8 where the stream's character set was told or marked, else as it came.
    cut: it was longer than a line may be; content is its beginning.
    """

    number: int
    content: bytes
    cut: bool


class LineReader:
    """The lines of a stream. Feed it every chunk in turn, then `close` it; both give the lines that were completed.

    charset: what the caller says that the stream is in (a name that `known_charset` gave); '' to find out.
    most: bytes of the longest line that is kept whole.
    """

    def __init__(self, charset: str, most: int) -> None:
        self._transcoder = Transcoder(charset)
        self._most = most
        self._after_return = False  # the last byte was \r: a \n that follows belongs to it
        self._begun = bytearray()  # the line that has begun and not ended
        self._is_cut = False
        self._number = 0

    @property
    def charset(self) -> str:
        """The character set that was told or marked, else UTF-8."""
        return self._transcoder.charset

    def feed(self, chunk: bytes) -> Iterator[Line]:
        """The lines that this chunk completes."""
        for start in range(0, len(chunk), _SLICE):
            yield from self._take(self._transcoder.feed(chunk[start : start + _SLICE]))

    def close(self) -> Iterator[Line]:
        """The lines that the end of the stream completes."""
        yield from self._take(self._transcoder.close())
        if self._begun or self._is_cut:
            yield self._ended(bytes(self._begun))
            self._begun.clear()

    def _take(self, chunk: bytes) -> Iterator[Line]:
        if self._after_return and chunk:
            self._after_return = False
            chunk = chunk.removeprefix(b"\n")
        if not chunk:
            return
        lines = chunk.splitlines()  # of bytes: at \n, \r and \r\n only
        unended = b"" if chunk[-1:] in (b"\n", b"\r") else lines.pop()
        self._after_return = chunk.endswith(b"\r")
        if lines and self._begun:
            lines[0] = bytes(self._begun + lines[0])
            self._begun.clear()
        for line in lines:
            yield self._ended(line)
        if unended and not self._is_cut:
            self._begun += unended
            if len(self._begun) > self._most:
                # Its beginning still tells what it is; the rest is not kept.
                del self._begun[_KEPT_OF_LONG_LINE:]
                self._is_cut = True

    def _ended(self, content: bytes) -> Line:
        self._number += 1
        cut, self._is_cut = self._is_cut, False
        return Line(self._number, content, cut)
