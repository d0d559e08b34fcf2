"""The lexical embedder: what is worded alike is close, in any script, and nothing of it ever changes."""

from __future__ import annotations

import hashlib
import math
import random
import struct

import pytest

from services.insights.embedding.lexical import DIMENSIONS, NAME, LexicalEmbedder, vector_of

TEXTS = (
    "Works as: Geigenbauerin\nTags: Musik",
    "東京大学の教授",
    "हिन्दी शिक्षक",
    "Преподаватель физики, 42",
    "the of and",
)
# The digest of the vectors of these texts. Another one is another model, and needs another name.
GOLDEN = "21aa3e3aa61f3f939e0cbe2595e233b4480633e6d35e1550192cb25cd3ab9341"


def alike(one: str, other: str) -> float:
    """The cosine of the angle between the vectors of two texts."""
    return math.fsum(a * b for a, b in zip(vector_of(one), vector_of(other), strict=True))


def test_the_vectors_of_version_1_never_change() -> None:
    digest = hashlib.sha256()
    for text in TEXTS:
        digest.update(b"".join(struct.pack(">d", round(number, 9) + 0.0) for number in vector_of(text)))
    assert (NAME, digest.hexdigest()) == ("lexical-hash-v1", GOLDEN)


@pytest.mark.parametrize(
    ("query", "near", "far"),
    [
        ("climbing", "Works as: Baker\nTags: climbing", "Works as: Baker\nTags: chess"),
        ("violin maker", "makes violins", "sells used cars"),
        ("cafe", "Café", "Tea house"),
        ("Müller", "mueller müller", "Schmidt"),
        ("東京", "東京大学の教授", "大阪の医者"),
        ("교수", "서울대학교 교수", "부산 의사"),
        ("शिक्षक", "हिन्दी शिक्षक", "डॉक्टर"),
        ("физика", "преподаватель физики", "врач"),
        ("FULLWIDTH", "fullwidth letters", "narrow digits"),
    ],
)
def test_what_is_worded_alike_is_closer(query: str, near: str, far: str) -> None:
    assert alike(query, near) > alike(query, far) + 0.2


def test_common_words_and_labels_weigh_little() -> None:
    assert alike("Works as: Baker\nNotes: He is the one", "Works as: Lawyer\nNotes: She is the one") < 0.15


def test_every_text_with_a_letter_or_a_digit_has_a_direction() -> None:
    chance = random.Random(5)
    texts = [*"a7ßéж東あ한กअ", "a\0b", "x" * 100_000, "²", "\U00020000", "e\u0301\u0302", "\u0e01\u0e33"]
    texts += [
        "".join(chr(chance.randrange(1, 0xD800)) for _ in range(chance.randrange(1, 40))) + "q" for _ in range(200)
    ]
    for text in texts:
        vector = vector_of(text)
        assert len(vector) == DIMENSIONS
        assert all(map(math.isfinite, vector))
        assert math.isclose(math.fsum(number * number for number in vector), 1)


@pytest.mark.parametrize("text", ["", " \n", "…!?", "\u0301"])
def test_a_text_without_either_has_none(text: str) -> None:
    with pytest.raises(ValueError, match="no letter and no digit"):
        vector_of(text)


async def test_texts_are_embedded_in_their_order_long_ones_too() -> None:
    texts = ["short", "long words " * 1_000, "again"]
    embedder = LexicalEmbedder()
    assert await embedder.embed(texts) == [vector_of(text) for text in texts]
    assert (embedder.name, embedder.kind) == (NAME, "LEXICAL")
