"""How an English text feels. Nothing is claimed for other languages."""

from __future__ import annotations

import re
from functools import cache
from statistics import fmean

from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer  # type: ignore[import-untyped]  # has no types

LANGUAGE = "en"

_BETWEEN_SENTENCES = re.compile(r"(?<=[.!?…])\s+|\n+")


def sentiment_of(text: str, language: str | None) -> float | None:
    """From -1 (bad) to 1 (good), the mean of the text's sentences; None when it is not in English."""
    if language is None or language.partition("-")[0].lower() != LANGUAGE:
        return None
    sentences = [sentence for sentence in _BETWEEN_SENTENCES.split(text) if sentence.strip()]
    if not sentences:
        return None
    # Sentence by sentence, as it is made for: in one piece, any longer text comes out as 1 or -1.
    return round(fmean(_analyzer().polarity_scores(sentence)["compound"] for sentence in sentences), 4)


@cache
def _analyzer() -> SentimentIntensityAnalyzer:
    return SentimentIntensityAnalyzer()
