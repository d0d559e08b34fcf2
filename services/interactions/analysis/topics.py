"""What a text is about: RAKE, Rapid Automatic Keyword Extraction (Rose, Engel, Cramer, Cowley, 2010).

Runs of words between stop words and punctuation are candidates; a word that stands in long runs weighs more, and a run
weighs what its words do. It needs nothing but a language's stop words, which stopwordsiso has for many.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from functools import cache

from stopwordsiso import has_lang, stopwords

MOST_TOPICS = 5
LONGEST_RUN = 3
SHORTEST_WORD = 2
LONGEST_WORD = 30

# Whose stop words are left out where the language is in doubt.
LIKELY = ("en", "de", "fr", "es", "it", "pt", "nl")

# They write without spaces, and words are not told apart here.
UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")

_JOINING = "'’-&"

Run = tuple[str, ...]


def topics_of(text: str, language: str | None) -> list[str] | None:
    """At most five topics of a text, the weightiest first, as the text first writes them; None when there are none."""
    stop_words = _stop_words(language.partition("-")[0].lower() if language else None)
    counts: Counter[Run] = Counter()
    written: dict[Run, str] = {}
    for words in _runs(text, stop_words):
        key = tuple(word.casefold() for word in words)
        counts[key] += 1
        written.setdefault(key, " ".join(words))
    frequency: Counter[str] = Counter()
    degree: Counter[str] = Counter()
    for run, count in counts.items():
        for word in run:
            frequency[word] += count
            degree[word] += count * len(run)
    weights = {run: count * sum(degree[word] / frequency[word] for word in run) for run, count in counts.items()}
    # Sorting is stable: among equals, what the text says first, its subject before its body.
    best = sorted(weights, key=lambda run: -weights[run])[:MOST_TOPICS]
    return [written[run] for run in best] or None


def _runs(text: str, stop_words: frozenset[str]) -> Iterator[list[str]]:
    for line in "".join(map(_cut, text)).split("\n"):
        run: list[str] = []
        for typed in line.split():
            word = typed.strip(_JOINING)
            if _is_content(word, stop_words):
                run.append(word)
            if run and (len(run) == LONGEST_RUN or not _is_content(word, stop_words)):
                yield run
                run = []
        if run:
            yield run


def _cut(character: str) -> str:
    """Letters, marks and digits as they are, spaces as spaces, all else as the end of a run."""
    if unicodedata.category(character)[0] in "LMN" or character in _JOINING:
        return character
    return " " if character.isspace() and character != "\n" else "\n"


def _is_content(word: str, stop_words: frozenset[str]) -> bool:
    return (
        SHORTEST_WORD <= len(word) <= LONGEST_WORD
        and word.casefold().replace("’", "'") not in stop_words
        and any(character.isalpha() for character in word)
        and not UNSPACED.search(word)
    )


@cache
def _stop_words(language: str | None) -> frozenset[str]:
    # stopwordsiso calls both written forms of Norwegian `no`.
    known = "no" if language in ("nb", "nn") else language
    chosen = [known] if known is not None and has_lang(known) else LIKELY
    return frozenset(word.casefold() for code in chosen for word in stopwords(code))
