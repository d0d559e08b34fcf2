"""Splits an SQL script into its statements, so that an error can name a line and each can run by itself.

Knows strings, quoted identifiers, dollar quotes, comments (nested ones too) and parentheses, as psql does. Function
bodies must be quoted: `BEGIN ATOMIC` bodies, which hold bare semicolons, are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(
    r"""
      (?P<line_comment> --[^\n]* )
    | (?P<block_comment> /\* )
    | (?P<escape_string> \b[eE]'(?:[^'\\]|''|\\.)*(?P<e>')? )
    | (?P<string> '(?:[^']|'')*(?P<s>')? )
    | (?P<identifier> "(?:[^"]|"")*(?P<i>")? )
    | (?P<dollar> (?<![\w$])\$(?:[A-Za-z_\x80-\uffff][\w]*)?\$ )
    | (?P<atomic> \bBEGIN\s+ATOMIC\b )
    | (?P<open> \( ) | (?P<close> \) ) | (?P<end> ; )
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)
BLOCK_COMMENT_EDGE = re.compile(r"/\*|\*/")
CLOSING = {"escape_string": "e", "string": "s", "identifier": "i"}


class MalformedScriptError(ValueError):
    """The script cannot be split; the text says why, `line` where."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.line = line


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement without its semicolon, and the line (from 1) on which its first word stands."""

    text: str
    line: int

    def line_at(self, position: int) -> int:
        """The script's line of a character position (from 1) in the statement, as PostgreSQL's errors give it."""
        return self.line + self.text.count("\n", 0, position - 1)


def split(script: str) -> list[Statement]:
    """The statements of a script, in order; comments between them are left out. Raises MalformedScriptError."""
    statements: list[Statement] = []
    start: int | None = None
    depth = 0
    position = 0
    while found := TOKEN.search(script, position):
        kind = found.lastgroup if found.lastgroup not in CLOSING.values() else _string_kind(found)
        start = _first_word(script, start, position, found.start())
        if kind in ("line_comment", "block_comment"):
            position = found.end() if kind == "line_comment" else _after_comment(script, found.start())
            continue
        if kind == "end" and depth == 0:
            if start is not None:
                statements.append(_statement(script, start, found.start()))
            start = None
            position = found.end()
            continue
        start = found.start() if start is None else start
        position = _after(script, found, kind)
        depth += {"open": 1, "close": -1}.get(kind or "", 0)
    start = _first_word(script, start, position, len(script))
    if start is not None:
        statements.append(_statement(script, start, len(script)))
    return statements


def _first_word(script: str, start: int | None, position: int, end: int) -> int | None:
    if start is not None:
        return start
    gap = script[position:end]
    return None if not gap.strip() else position + len(gap) - len(gap.lstrip())


def _string_kind(found: re.Match[str]) -> str:
    return next(kind for kind in CLOSING if found[kind] is not None)


def _after(script: str, found: re.Match[str], kind: str | None) -> int:
    if kind == "dollar":
        end = script.find(found[0], found.end())
        if end < 0:
            raise MalformedScriptError(f"the text quoted by {found[0]} does not end", _line(script, found.start()))
        return end + len(found[0])
    if kind == "atomic":
        raise MalformedScriptError(
            "quote function bodies with $$: BEGIN ATOMIC is not split", _line(script, found.start())
        )
    if kind in CLOSING and found[CLOSING[kind]] is None:
        raise MalformedScriptError("a quoted text does not end", _line(script, found.start()))
    return found.end()


def _after_comment(script: str, start: int) -> int:
    depth = 0
    for edge in BLOCK_COMMENT_EDGE.finditer(script, start):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise MalformedScriptError("a comment does not end", _line(script, start))


def _statement(script: str, start: int, end: int) -> Statement:
    return Statement(script[start:end].rstrip(), _line(script, start))


def _line(script: str, position: int) -> int:
    return script.count("\n", 0, position) + 1
