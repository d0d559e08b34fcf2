"""Which character set a file is in, and its text: for address books, whose programs rarely say and sometimes lie."""

from __future__ import annotations

import codecs
import re

# A list, because codecs also knows `idna`, `punycode` and others that take quadratic time or give lone surrogates.
_KNOWN = frozenset(
    codecs.lookup(name).name
    for name in (
        *("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "us-ascii"),
        *("shift_jis", "cp932", "euc-jp", "iso-2022-jp", "gb2312", "gbk", "gb18030", "big5", "euc-kr", "cp949"),
        *("koi8-r", "koi8-u", "macintosh", "cp437", "cp850", "cp852", "cp866", "tis-620"),
        *(f"iso-8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
        *(f"windows-{page}" for page in range(1250, 1259)),
    )
)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16's, with which it begins
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# UTF-16 without its mark, as the files concerned begin with ASCII: every other byte is zero.
_BARE_UTF16 = ((re.compile(rb"[^\0]\0[^\0]\0"), "utf-16-le"), (re.compile(rb"\0[^\0]\0[^\0]"), "utf-16-be"))


def known_charset(name: str) -> str | None:
    """Python's name of a character set, given any of its names; None for one that is unknown or not for text."""
    try:
        found = codecs.lookup(name.strip()).name
    except (LookupError, ValueError):
        return None
    return found if found in _KNOWN else None


def decoded(octets: bytes, charset: str | None = None) -> str:
    """The text of bytes in the charset they name, else in UTF-8, else in Windows-1252, as old programs write."""
    for encoding in (charset, "utf-8"):
        if encoding is not None:
            try:
                return octets.decode(encoding)
            except UnicodeDecodeError:
                pass
    return octets.decode("cp1252", "replace")


class Transcoder:
    """Turns a stream of bytes into UTF-8, chunk by chunk.

    charset: what the caller says that the stream is in (a name that `known_charset` gave). Without it a byte order
    mark tells, or UTF-16's zero bytes; other streams pass as they are, for `decoded` to read line by line.
    """

    def __init__(self, charset: str = "") -> None:
        self.charset = charset or "utf-8"
        self._told = charset
        self._head: bytes | None = b""
        self._decoder: codecs.IncrementalDecoder | None = None

    def feed(self, chunk: bytes) -> bytes:
        """The next part of the stream."""
        if self._head is not None:
            self._head += chunk
            if len(self._head) < 4:
                return b""
            chunk = self._begin(self._head)
        return chunk if self._decoder is None else self._decoder.decode(chunk).encode()

    def close(self) -> bytes:
        """What is left at the end of the stream."""
        rest = b"" if self._head is None else self._begin(self._head)
        return rest if self._decoder is None else self._decoder.decode(rest, final=True).encode()

    def _begin(self, head: bytes) -> bytes:
        self._head = None
        encoding = self._told
        for mark, marked in _MARKS:
            if head.startswith(mark) and encoding in ("", marked, marked[:6], "utf-8-sig"):
                encoding, head = marked, head[len(mark) :]
                break
        else:
            encoding = encoding or next((bare for pattern, bare in _BARE_UTF16 if pattern.match(head)), "")
        if encoding in ("utf-16", "utf-32"):
            encoding += "-le"  # the codecs of these names insist on a mark
        if encoding:
            self.charset = encoding
        if encoding not in ("", "utf-8"):
            self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
        return head
