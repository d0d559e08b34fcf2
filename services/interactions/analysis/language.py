"""In which language a text is, where that is beyond doubt."""

from __future__ import annotations

from functools import cache

from lingua import IsoCode639_1, LanguageDetector, LanguageDetectorBuilder

# Those that are told apart: the more there are, the less a short text says. Together their models take 50 MB.
LANGUAGES = (
    *("ar", "bg", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi", "hr", "hu", "id", "it"),
    *("ja", "ko", "lt", "lv", "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sl", "sq", "sr", "sv", "th", "tr", "uk", "vi"),
    "zh",
)

# Below this a language is not named: names and single words are of many.
LEAST_CONFIDENCE = 0.9

# Characters; what follows would say nothing new.
ENOUGH = 500


def language_of(text: str) -> str | None:
    """The language of a text as a BCP 47 tag (`en`, `pt`); None when there is doubt."""
    found = _detector().compute_language_confidence_values(text[:ENOUGH])
    if not found or found[0].value < LEAST_CONFIDENCE:
        return None
    return found[0].language.iso_code_639_1.name.lower()


@cache
def _detector() -> LanguageDetector:
    """Made when the first text comes: it loads its models with it, which takes half a second."""
    codes = [getattr(IsoCode639_1, code.upper()) for code in LANGUAGES]
    return LanguageDetectorBuilder.from_iso_codes_639_1(*codes).with_low_accuracy_mode().build()
