"""Vectors as they are stored: finite, not all zero, and of length 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TypeVar

from services.insights.provider.failures import ProviderAnswerInvalid
from shared.settings import MOST_DIMENSIONS

Text = TypeVar("Text")


def vectors_of(texts: Sequence[Text], vectors: Sequence[Sequence[float]]) -> dict[Text, list[float]]:
    """Which vector is of which text. Raises ProviderAnswerInvalid unless each has one, all of one length."""
    if len(vectors) != len(texts) or len({len(vector) for vector in vectors}) > 1:
        raise ProviderAnswerInvalid("the vectors are not as many as the texts, or not of one length")
    return {text: unit(vector) for text, vector in zip(texts, vectors, strict=True)}


def unit(vector: Sequence[float]) -> list[float]:
    """The vector of the same direction and length 1. Raises ProviderAnswerInvalid when there is none."""
    if not 0 < len(vector) <= MOST_DIMENSIONS or not all(map(math.isfinite, vector)):
        raise ProviderAnswerInvalid("a vector is empty, too long, or holds a number that is not finite")
    largest = max(map(abs, vector))
    if largest == 0:
        raise ProviderAnswerInvalid("a vector is all zero")
    # Scaled before it is squared: the squares of the smallest numbers would all be zero.
    scaled = [number / largest for number in vector]
    length = math.sqrt(math.fsum(number * number for number in scaled))
    return [number / length for number in scaled]
