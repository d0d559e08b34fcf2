"""What a property's TYPEs and Apple's labels say of a value: its label, and whether it is the preferred one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from shared.vcard.lines import Property
from shared.vcard.values import one_line, unescaped

# Said of nearly every e-mail, phone or address, and telling nothing.
_SAY_NOTHING = frozenset(
    {"", "internet", "pref", "voice", "text", "msg", "x400", "intl", "postal", "parcel", "dom", "uri"}
)
_WORDS = {"cell": "mobile", "home page": "homepage"}
APPLES_OWN = re.compile(r"_\$!<(.*)>!\$_", re.DOTALL)

# PREF of a value that says only that it is preferred (2.1 and 3.0), and of one that says nothing.
_PREFERRED = 0
NOT_PREFERRED = 101


def label_of(found: Property, labels: Mapping[str, str]) -> str:
    """The label of a value: what its group's X-ABLabel says, else its TYPEs (`work fax`), else ''.

    labels: the card's X-ABLabel values by group.
    """
    own = labels.get(found.group, "") if found.group else ""
    if own:
        return own
    words: list[str] = []
    for kind in found.types:
        word = one_line(kind.strip().removeprefix("x-"))
        word = _WORDS.get(word, word)
        if word not in _SAY_NOTHING and word not in words:
            words.append(word)
    return " ".join(words)


def labels_of_groups(properties: Sequence[Property]) -> dict[str, str]:
    """What a card's X-ABLabels, and pmcrm's own of labels that would mean something else there, say of its groups."""
    labels = {
        found.group: apple_label(found.value) for found in properties if found.name == "X-ABLABEL" and found.group
    }
    for found in properties:
        if found.name == "X-PMCRM-LABEL" and found.group:
            labels[found.group] = one_line(unescaped(found.value))
    return labels


def apple_label(value: str) -> str:
    """The label that an X-ABLabel holds: `home` for `_$!<Home>!$_`, other text as it is."""
    text = one_line(unescaped(value))
    own = APPLES_OWN.fullmatch(text)
    if own is None:
        return text
    word = own[1].lower()
    return _WORDS.get(word, word)


def preference(found: Property) -> int:
    """How much a value is preferred: the smaller the more; NOT_PREFERRED when it is not."""
    stated = found.parameters.get("PREF")
    if stated:
        digits = stated[0].strip()
        return (
            min(int(digits), NOT_PREFERRED) if digits.isascii() and digits.isdigit() and len(digits) < 4 else _PREFERRED
        )
    return _PREFERRED if "pref" in found.types else NOT_PREFERRED
