"""CATEGORIES: the line of a contact's tags, and such lines among the extra properties of contacts that were imported
before imports wrote tags."""

from __future__ import annotations

from collections.abc import Iterable

from shared.vcard.values import escaped, texts

_NAME = "CATEGORIES"


def categories_line(names: Iterable[str]) -> str:
    """The content line that holds these names."""
    return f"{_NAME}:" + ",".join(map(escaped, names))


def names_of(line: str) -> tuple[str, ...]:
    """The names in a content line that `categories_line` made; none when it is another one."""
    head, _, value = line.partition(":")
    return tuple(dict.fromkeys(texts(value))) if head == _NAME else ()
