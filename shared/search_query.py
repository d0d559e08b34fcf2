"""Turns what somebody typed into a search box, or a program's tsquery, into queries that PostgreSQL cannot refuse.

Both sides of a search must be cut into words alike: what is stored by `app.search_words` in the database, queries here.
What is no letter, digit or mark separates words; each Chinese, Japanese or Korean character is one; words written
together (`ada@example.com`, `李样本`) must stand together, which is a phrase.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from pmcrm.type.v1.search_mode_pb2 import SearchMode

from shared.errors import InvalidArgument, Violation
from shared.phones import read_phone
from shared.text import text_problem

LIMIT = 1000

# Stands before the words of names, where contacts are indexed.
NAME_MARK = "ǁ"

# Fewer are a house number or a year rather than the end of a phone number.
FEWEST_DIGITS = 5

# More terms than a person types; each costs a look into the index.
MOST_TERMS = 64

_CJK = re.compile(
    "[\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PHONE = re.compile(r"[+(]?[\d\s().\-/]{5,40}")
_TERM = re.compile(r'(?P<minus>-*)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """What statements that search take.

    text: web-search syntax or tsquery, of words that separate nothing further.
    names: the same with its wanted words marked as those of names (app.marked_words).
    misspelt: the words whose similar spellings are looked for; empty when there is nothing to look for.
    any_word: the words that must not be absent, in web-search syntax, any of which marks a field as matched.
    digits: a tsquery of what the query means as a phone number; empty when it is none.
    """

    text: str
    names: str
    misspelt: str
    any_word: str
    digits: str = ""


def read_query(typed: str, mode: SearchMode, default_region: str) -> SearchQuery:
    """A request's query in its mode. Raises InvalidArgument, QUERY_MALFORMED naming the place in a tsquery."""
    if mode not in SearchMode.values():
        raise InvalidArgument([Violation("mode", "must be one of the modes")])
    # Stored texts are in NFC; syllables that are written in parts would not be found in them.
    text = unicodedata.normalize("NFC", typed)
    problem = text_problem(text, LIMIT) if text.strip() else "must not be empty"
    if problem is not None:
        raise InvalidArgument([Violation("query", problem)])
    return tsquery(text) if mode == SearchMode.SEARCH_MODE_TSQUERY else web_query(text, default_region)


def unreadable() -> InvalidArgument:
    """What a caller hears whose tsquery PostgreSQL cannot read all the same: folding turned a letter into punctuation.
    Web-search syntax takes that."""
    return InvalidArgument([Violation("query", "cannot be read as a tsquery")], "QUERY_MALFORMED")


def web_query(typed: str, default_region: str) -> SearchQuery:
    """Any text as a query: words that must all occur, "phrases", `or`, and `-` before what must not occur.

    A query that is a phone number also finds its international form.
    """
    parts: list[str] = []
    named: list[str] = []
    wanted: list[str] = []
    for match in list(_TERM.finditer(typed))[:MOST_TERMS]:
        if match["word"] is not None and match["word"].lower() == "or" and not match["minus"]:
            if parts and parts[-1] != "or":
                parts.append("or")
                named.append("or")
            continue
        found = words(match["phrase"] if match["word"] is None else match["word"])
        term = _quoted(found)
        if not term:
            continue
        if match["minus"]:
            parts.append(f"-{term}")
        else:
            parts.append(term)
            wanted.append(term)
        named.append(f"-{term}" if match["minus"] else _quoted(found, NAME_MARK))
    if parts and parts[-1] == "or":
        parts.pop()
        named.pop()
    misspelt = " ".join(wanted).replace('"', "")
    digits = phone_digits(typed, default_region)
    return SearchQuery(" ".join(parts), " ".join(named), misspelt, " or ".join(wanted), digits)


def phone_digits(typed: str, default_region: str) -> str:
    """A tsquery for the numbers that end as what was typed, when that is a phone number; else empty.

    Numbers are stored backwards (app.phone_words), in international form where that is known.
    """
    if not _PHONE.fullmatch(typed.strip()):
        return ""
    dialled = "".join(c for c in typed if c in "0123456789").lstrip("0")
    e164 = read_phone(typed.strip(), "", default_region).e164.removeprefix("+")
    found = dict.fromkeys(number for number in (e164, dialled) if len(number) >= FEWEST_DIGITS)
    return " | ".join(f"{number[::-1]}:*" for number in found)


def tsquery(typed: str) -> SearchQuery:
    """A tsquery (`john & developer`, `smi:*`, `!acme`, `new <-> york`). Raises InvalidArgument QUERY_MALFORMED."""
    reader = _TsqueryReader(typed)
    text = reader.read()
    names = _TsqueryReader(typed, NAME_MARK).read()
    return SearchQuery(text, names, misspelt="", any_word=" or ".join(reader.wanted))


def words(text: str) -> list[str]:
    """The words of a text, as full-text search cuts it."""
    spaced = "".join(c if unicodedata.category(c)[0] in "LMN" else " " for c in _CJK.sub(r" \g<0> ", text))
    return spaced.split()


def _quoted(found: list[str], mark: str = "") -> str:
    marked = [f"{mark}{word}" for word in found]
    return marked[0] if len(marked) == 1 else f'"{" ".join(marked)}"' if marked else ""


class _TsqueryReader:
    """Recursive descent over PostgreSQL's grammar: `|` binds least, then `&`, then `<->`, then `!`.

    mark: what is put before the words that are wanted.
    """

    TOKEN = re.compile(
        r"\s*(?:(?P<operator><->|<\d+>|[&|!()])|'(?P<quoted>(?:[^']|'')*)'(?P<qflags>:[*A-Da-d]*)?"
        r"|(?P<word>[^\s&|!()<>:']+)(?P<flags>:[*A-Da-d]*)?)"
    )
    DEEPEST = 30
    FARTHEST = 16_384

    def __init__(self, typed: str, mark: str = "") -> None:
        self._typed = typed
        self._mark = mark
        self._tokens = list(self._scan())
        self._place = 0
        self.wanted: list[str] = []
        if len(self._tokens) > 8 * MOST_TERMS:
            raise self._malformed(1, "has too many terms")

    def read(self) -> str:
        """The query, of words that separate nothing further. Raises InvalidArgument QUERY_MALFORMED."""
        text = self._either(wanted=True, depth=0)
        if self._place < len(self._tokens):
            raise self._unexpected()
        return text

    def _scan(self) -> Iterator[tuple[int, re.Match[str]]]:
        place = 0
        end = len(self._typed.rstrip())
        while place < end:
            match = self.TOKEN.match(self._typed, place)
            if match is None:
                spaces = len(self._typed[place:]) - len(self._typed[place:].lstrip())
                raise self._malformed(place + spaces + 1, "is not expected here")
            start = match.start(match.lastgroup or 0) if match["operator"] else match.end() - len(match[0].lstrip())
            yield start + 1, match
            place = match.end()

    def _operator(self) -> str | None:
        if self._place == len(self._tokens):
            return None
        operator: str | None = self._tokens[self._place][1]["operator"]
        return operator

    def _either(self, *, wanted: bool, depth: int) -> str:
        sides = [self._both(wanted=wanted, depth=depth)]
        while self._operator() == "|":
            self._place += 1
            sides.append(self._both(wanted=wanted, depth=depth))
        return sides[0] if len(sides) == 1 else f"({' | '.join(sides)})"

    def _both(self, *, wanted: bool, depth: int) -> str:
        sides = [self._near(wanted=wanted, depth=depth)]
        while self._operator() == "&":
            self._place += 1
            sides.append(self._near(wanted=wanted, depth=depth))
        return sides[0] if len(sides) == 1 else f"({' & '.join(sides)})"

    def _near(self, *, wanted: bool, depth: int) -> str:
        text = self._unary(wanted=wanted, depth=depth)
        while (operator := self._operator()) is not None and operator[0] == "<":
            if operator != "<->" and int(operator[1:-1]) > self.FARTHEST:
                raise self._malformed(self._tokens[self._place][0], f"is a distance beyond {self.FARTHEST}")
            self._place += 1
            text = f"({text} {operator} {self._unary(wanted=wanted, depth=depth)})"
        return text

    def _unary(self, *, wanted: bool, depth: int) -> str:
        if depth > self.DEEPEST:
            raise self._malformed(self._tokens[self._place - 1][0], "is nested too deeply")
        if self._place == len(self._tokens):
            raise self._malformed(len(self._typed.rstrip()) + 1, "is the end, where a word is expected")
        place, match = self._tokens[self._place]
        operator = match["operator"]
        if operator == "!":
            self._place += 1
            return f"!{self._unary(wanted=not wanted, depth=depth + 1)}"
        if operator == "(":
            self._place += 1
            text = self._either(wanted=wanted, depth=depth + 1)
            if self._operator() != ")":
                raise self._malformed(place, "is a bracket that is not closed")
            self._place += 1
            return f"({text})"
        if operator is not None:
            raise self._unexpected()
        self._place += 1
        return self._term(place, match, wanted=wanted)

    def _term(self, place: int, match: re.Match[str], *, wanted: bool) -> str:
        flags = (match["flags"] or match["qflags"] or "").upper()
        if flags == ":":
            raise self._malformed(match.end(), "is a colon that neither * nor a weight follows")
        found = words(match["word"] if match["quoted"] is None else match["quoted"].replace("''", "'"))
        if not found:
            raise self._malformed(place, "holds no letter or digit")
        mark = self._mark if wanted else ""
        if wanted:
            self.wanted.append(_quoted(found))
        terms = [f"'{mark}{word}'{flags}" for word in found]
        return terms[0] if len(terms) == 1 else f"({' <-> '.join(terms)})"

    def _unexpected(self) -> InvalidArgument:
        if self._place == len(self._tokens):
            return self._malformed(len(self._typed.rstrip()) + 1, "is the end, where a word is expected")
        return self._malformed(self._tokens[self._place][0], "is not expected here")

    @staticmethod
    def _malformed(place: int, what: str) -> InvalidArgument:
        return InvalidArgument([Violation("query", f"character {place} {what}")], "QUERY_MALFORMED")
