"""Analyses texts of interactions in threads of its own, so that the event loop goes on answering."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from services.interactions.analysis.language import language_of
from services.interactions.analysis.sentiment import sentiment_of
from services.interactions.analysis.topics import topics_of

# More would take processors from the calls that wait for nothing but the database.
THREADS = 2

# Characters of a text that are analysed; a few milliseconds' worth.
ENOUGH = 5_000

# What others have written, and what is no word: quoted lines, addresses.
_SKIPPED = re.compile(r"^[ \t]*>.*$|\S+@\S+|\b(?:https?://|www\.)\S+", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """What is analysed of an interaction. language: as it was given; None when it is to be found."""

    subject: str | None
    body: str | None
    language: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found in a text; None for what was not."""

    language: str | None = None
    sentiment: float | None = None
    topics: list[str] | None = None

    @property
    def columns(self) -> dict[str, Any]:
        """As they are stored."""
        return {
            "computed_language": self.language,
            "computed_sentiment": self.sentiment,
            "computed_topics": self.topics,
        }


class Analyst:
    """Analyses texts, a bounded number at once; the others wait."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="analysis")

    async def analyse(self, texts: Sequence[Text]) -> list[Findings]:
        """What is found in each of the texts."""
        if not any(text.subject or text.body for text in texts):
            return [Findings()] * len(texts)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: [findings_in(text) for text in texts])


def findings_in(text: Text) -> Findings:
    """What is found in one text."""
    readable = _SKIPPED.sub("\n", f"{text.subject or ''}\n{(text.body or '')[:ENOUGH]}").strip()
    if not readable:
        return Findings()
    language = language_of(readable)
    in_language = text.language or language
    return Findings(language, sentiment_of(readable, in_language), topics_of(readable, in_language))
