"""The key by which a name is known again, whatever its case and spacing: of tags, and of organizations in imports."""

from __future__ import annotations

import unicodedata


def name_key(text: str) -> str:
    """The text in NFC, case-folded, its runs of white space single spaces and its ends trimmed.

    The key of a key is the key itself. Accents count: `Café` and `Cafe` are two names.
    """
    folded = unicodedata.normalize("NFC", text).casefold()
    # Folding takes some characters apart, such as the dotted capital I.
    return unicodedata.normalize("NFC", " ".join(folded.split()))
