"""The embedder that needs no provider: words and parts of words, hashed into a vector (signed feature hashing).

It finds what is worded alike, in any script, and says so by its kind. What it makes of a text never changes under one
name: another way of hashing, weighing or folding is another model.
"""

from __future__ import annotations

import asyncio
import math
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from hashlib import blake2b

from stopwordsiso import langs, stopwords

from services.insights.embedding.embedder import Kind
from services.insights.embedding.texts import LABELS

NAME = "lexical-hash-v1"
DIMENSIONS = 512

# Parts of words: runs of so many characters of a word between marks of its beginning and end.
SHORTEST_PART, LONGEST_PART = 3, 5
LONGEST_WORD = 48

# What a word weighs, a stop word, all parts of a word together, and a character of a script without spaces.
WORD, STOP_WORD, PARTS, CHARACTER = 1.0, 0.05, 1.0, 0.5

# Scripts whose characters are words or nearly.
IDEOGRAPHS = re.compile("([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+)")

# Accents of alphabets; the marks of other scripts are vowels, and stay.
ACCENTS = re.compile("[\u0300-\u036f]")

# More characters than these are hashed in a thread.
BRIEF = 1_000


class LexicalEmbedder:
    """The default embedder. A text without a letter or a digit has no direction: it raises ValueError."""

    @property
    def name(self) -> str:
        """`lexical-hash-v1`."""
        return NAME

    @property
    def kind(self) -> Kind:
        """LEXICAL."""
        return "LEXICAL"

    async def embed(self, texts: Sequence[str]) -> list[list[float]]:
        """A vector of 512 numbers and length 1 for each text, in their order."""
        return [vector_of(text) if len(text) <= BRIEF else await asyncio.to_thread(vector_of, text) for text in texts]


def vector_of(text: str) -> list[float]:
    """The vector of a text. Raises ValueError when the text has no letter and no digit."""
    weights: dict[str, float] = defaultdict(float)
    for feature, weight in _features(text):
        weights[feature] += weight
    if not weights:
        raise ValueError("the text has no letter and no digit")
    vector = [0.0] * DIMENSIONS
    for feature, weight in weights.items():
        place, sign = _place(feature)
        # What stands often weighs more, but not as often.
        vector[place] += sign * math.log1p(weight)
    length = math.sqrt(math.fsum(number * number for number in vector))
    if length < 1e-6:
        # All features have met their opposites: rare, and not to be an error.
        vector[_place("".join(weights))[0]] = length = 1.0
    return [number / length for number in vector]


def _features(text: str) -> Iterator[tuple[str, float]]:
    for word in _words(text):
        if IDEOGRAPHS.match(word):
            yield from ((f"c {character}", CHARACTER) for character in word)
            yield from ((f"w {word[at : at + 2]}", WORD) for at in range(len(word) - 1))
        elif word in _stop_words():
            yield f"w {word}", STOP_WORD
        else:
            yield f"w {word}", WORD
            marked = f"<{word[:LONGEST_WORD]}>"
            sizes = range(SHORTEST_PART, min(LONGEST_PART, len(marked)) + 1)
            parts = [marked[at : at + size] for size in sizes for at in range(len(marked) - size + 1)]
            for part in parts:
                yield f"p {part}", PARTS / math.sqrt(len(parts))


def _words(text: str) -> Iterator[str]:
    """Letters, digits and the marks on them, folded; ideographs apart from what is written beside them."""
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    folded = unicodedata.normalize("NFC", ACCENTS.sub("", unicodedata.normalize("NFD", folded)))
    spaced = "".join(
        character if character.isalnum() or unicodedata.category(character)[0] == "M" else " " for character in folded
    )
    for run in spaced.split():
        for word in IDEOGRAPHS.split(run):
            if any(map(str.isalnum, word)):
                yield word


@lru_cache(maxsize=100_000)
def _place(feature: str) -> tuple[int, float]:
    digest = int.from_bytes(blake2b(feature.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")
    return digest % DIMENSIONS, 1.0 if digest >> 63 else -1.0


@cache
def _stop_words() -> frozenset[str]:
    """Those of every language that is known, and the labels of texts: a text need not say its language."""
    return frozenset({*LABELS, *(word.casefold() for language in langs() for word in stopwords(language))})
