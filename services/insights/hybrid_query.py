"""A query in web-search syntax as each of three searches takes it: words, spelling, meaning."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from pmcrm.type.v1.search_mode_pb2 import SEARCH_MODE_WEB

from shared.search_query import SearchQuery, read_query, words

# As shared.search_query reads terms: a phrase or a word, after any number of minus signs.
_TERM = re.compile(r'(?P<minus>-*)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class HybridQuery:
    """What somebody has typed.

    words: for full-text search, and what may be misspelt. meaning: the wanted words as they were typed, to be embedded.
    unwanted: what must not occur, in web-search syntax, any of which is too much; empty when there is nothing.
    """

    words: SearchQuery
    meaning: str
    unwanted: str


def read_hybrid_query(typed: str, default_region: str) -> HybridQuery:
    """Reads a request's query. Raises InvalidArgument naming `query`."""
    asked = read_query(typed, SEARCH_MODE_WEB, default_region)
    wanted: list[str] = []
    unwanted: list[str] = []
    for match in _TERM.finditer(unicodedata.normalize("NFC", typed)):
        text = match["word"] if match["phrase"] is None else match["phrase"]
        if not match["minus"]:
            if match["word"] is None or text.lower() != "or":
                wanted.append(text)
        elif found := words(text):
            unwanted.append('"' + " ".join(found) + '"')
    return HybridQuery(asked, " ".join(wanted), " or ".join(unwanted))
