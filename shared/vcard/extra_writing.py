"""Writes a contact's extra properties back as they came, where reading the card would give them back.

An import's mostly do. A caller of the API may keep any content line, though, such as a second EMAIL or a line that ends
in a soft line break: such a line goes as text into an X-PMCRM-EXTRA, so that it is no part of what the card says. Tags
and ties that are kept as lines stay visible to other programs: a parameter marks them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from shared.vcard.card import ParsedCard, parse_card
from shared.vcard.content_lines import folded
from shared.vcard.lines import BadCardError
from shared.vcard.properties import READERS
from shared.vcard.splitting import RawCard, read_cards
from shared.vcard.ties import KEPT
from shared.vcard.values import escaped

_GROUP = re.compile(r"([A-Za-z0-9_-]+)\.", re.ASCII)
_READ_AS_TIES = re.compile(
    r"(?P<name>(?:[A-Za-z0-9_-]+\.)?(?:CATEGORIES|RELATED))(?P<rest>[;:].*)", re.ASCII | re.DOTALL
)

# A line that no reader takes, whose parameters mean nothing to any: most of those that address books hold.
_PLAIN = re.compile(r"(X-[A-Z0-9-]+|ROLE|LANG|GENDER|TZ|GEO)(?:;TYPE=[A-Za-z0-9,_-]+)*:.*\S.*", re.ASCII | re.DOTALL)


def groups_of(lines: Sequence[str]) -> frozenset[str]:
    """The groups that the lines use, in lower case."""
    return frozenset(match[1].lower() for line in lines if (match := _GROUP.match(line)))


def writable(lines: Sequence[str], card: Sequence[str]) -> list[str]:
    """The lines to add to a card (its content lines so far) so that reading it gives these extra properties."""
    if all(map(_is_plain, lines)):
        return list(lines)
    alone = _read(card)
    for wrapped in (
        list(lines),
        [_marked(line) for line in lines],
        [line if _is_plain(line) else _wrapped(line) for line in lines],
    ):
        if _is_read_as(lines, [*card, *wrapped], alone):
            return wrapped
    return [_wrapped(line) for line in lines]


def _is_plain(line: str) -> bool:
    match = _PLAIN.fullmatch(line)
    return match is not None and match[1] not in READERS and not match[1].startswith(("X-PMCRM-", "X-AB", "X-PRODID"))


def _marked(line: str) -> str:
    match = _READ_AS_TIES.fullmatch(line)
    return f"{match['name']};{KEPT}=TRUE{match['rest']}" if match else line


def _wrapped(line: str) -> str:
    return f"{KEPT}:{escaped(line)}"


def _read(lines: Sequence[str]) -> ParsedCard | None:
    """What a card of these lines is read as; None when not all of it can be."""
    content = b"".join(map(folded, ["BEGIN:VCARD", *lines, "END:VCARD"]))
    found = list(read_cards([content]))
    if len(found) != 1 or not isinstance(found[0], RawCard):
        return None
    try:
        card = parse_card(found[0])
    except BadCardError:
        return None
    return None if card.left_out else card


def _is_read_as(lines: Sequence[str], card: Sequence[str], alone: ParsedCard | None) -> bool:
    found = _read(card)
    if found is None or alone is None or list(found.contact.extra_properties) != list(lines):
        return False
    del found.contact.extra_properties[:]
    # A line that is read as tags or ties is no extra property then.
    return found.contact == alone.contact
