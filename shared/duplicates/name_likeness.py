"""How much alike the names of two people are, however they are written.

Names come folded (app.fold: lower case, without accents). They are compared part by part: given names with given
names and family names with family names, or crosswise where somebody has filled them in the wrong way round. Edits are
counted by rapidfuzz; what is particular to names stands here: initials, middle names, titles, particles, names that
sound alike, and endings that tell two people apart.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from sys import intern

from rapidfuzz.distance import OSA

# Parts of names this much alike may be the same one, 0 to 1.
ALIKE = 0.78

_SOUNDS_ALIKE = 0.95
_INITIAL = 0.8
_SHARED_FAMILY_WORD = 0.9
_NICKNAME = 0.9
_MIDDLE_NAME_AS_FIRST = 0.85
_ONE_GENERATION = 0.9
_SWAPPED_LETTERS = 0.85

_EAST_ASIAN = re.compile(
    "[\u1100-\u11ff\u2e80-\u30fa\u30fc-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uff9f"
    "\U0001b000-\U0001b16f\U00020000-\U0003ffff]+"
)
_APOSTROPHES = re.compile("['`´\u02bb\u02bc\u2018\u2019]")
# White space and punctuation, the middle dot between katakana names among it.
_BETWEEN_WORDS = re.compile(r"[\s!-/:-@\[-`{-~\u00b7\u2010-\u2015\u30fb]+")

_HYPHEN = "\x1f"

_TITLES = frozenset(
    [
        "mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "dame", "rev", "herr", "frau",
        "mme", "mlle", "monsieur", "madame", "sr", "sra", "srta", "dott",
    ]
)  # fmt: skip
_DEGREES = frozenset(
    [
        "phd", "md", "mba", "msc", "bsc", "esq", "dds", "jd", "cpa",
    ]
)  # fmt: skip
_GENERATIONS = {"jr": "jr", "junior": "jr", "sr": "sr", "senior": "sr", "ii": "ii", "iii": "iii", "iv": "iv"}
_PARTICLES = frozenset(
    [
        "van", "von", "vom", "zu", "zum", "zur", "de", "der", "den", "del", "della", "di", "da", "do", "dos",
        "das", "du", "des", "la", "le", "el", "al", "bin", "ibn", "ben", "ten", "ter", "st",
    ]
)  # fmt: skip

# Spellings of one sound in European names: Meyer, Maier; Carl, Karl; Philip, Filip; Müller, Mueller. In this order.
_SOUNDS = (
    ("ph", "f"), ("th", "t"), ("dt", "t"), ("ck", "k"), ("x", "ks"), ("c", "k"), ("q", "k"), ("y", "i"), ("z", "s"),
    ("w", "v"), ("v", "f"), ("ae", "a"), ("oe", "o"), ("ue", "u"), ("ie", "i"), ("ai", "ei"),
)  # fmt: skip
_SILENT_H = re.compile("(?<!^)h")
_DOUBLED = re.compile(r"(.)\1+")
_VOWELS = frozenset("aeiou")


@dataclass(frozen=True, slots=True)
class Name:
    """A person's name in folded words. A name of one word has it in `given`; a company's has neither part.

    nickname: words by which the person is called instead of the first given name.
    generation: `jr`, `sr`, `ii`, … or ''.
    full: all words in one order, whichever part they are in: equal for names that are the same; '' for no name.
    """

    given: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    nickname: tuple[str, ...] = ()
    generation: str = ""
    full: str = ""


def read_name(given: str, additional: str, family: str, nickname: str, suffixes: str, full_name: str) -> Name:
    """The name of a contact from its folded fields, '' where it has none.

    full_name: read only when there are neither given nor family names; '' when it names no person.
    """
    given_words, family_words = _words(f"{given} {additional}"), _words(family)
    if not given_words and not family_words:
        given_words, family_words = _read_full_name(full_name)
    known_parts = bool(given_words and family_words)
    given_words, generation = _stripped(given_words, *((0, 1) if known_parts else (1, 2)))
    family_words, behind_family = _stripped(family_words, *((1, 1) if known_parts else (1, 2)))
    if not given_words or not family_words:
        given_words, family_words = _split(given_words or family_words)
    named = [_GENERATIONS[word] for word in _words(suffixes) if word in _GENERATIONS]
    return Name(
        given=tuple(given_words),
        family=tuple(family_words),
        nickname=tuple(_words(nickname)),
        generation=next(iter(named), behind_family or generation),
        full=_full(given_words, family_words),
    )


def likeness(a: Name, b: Name) -> float:
    """How much alike two names are: 1 for the same, 0 for names of two people, else between."""
    if not a.given or not b.given or (a.generation and b.generation and a.generation != b.generation):
        return 0.0
    found = 1.0 if _same_words(a, b) else _by_parts(a, b)
    return found if a.generation == b.generation else found * _ONE_GENERATION


def is_same(a: Name, b: Name) -> bool:
    """Whether two names are the same but for case, accents and the order of their words."""
    return a.generation == b.generation and _same_words(a, b)


def is_other_person(a: Name, b: Name) -> bool:
    """Whether two names that are not alike can hardly be one person's. Another family name alone does not tell: people
    marry."""
    if not a.given or not b.given:
        return False
    return bool(a.generation and b.generation and a.generation != b.generation) or not _given_likeness(a, b)


def sounded(name: Name) -> tuple[str, str]:
    """A name as it sounds, family name first and given name first: names that are alike are near each other in a sorted
    list of these."""
    given, family = " ".join(map(_sound, name.given)), " ".join(map(_sound, name.family))
    return f"{family} {given}".strip(), f"{given} {family}".strip()


def _words(text: str) -> list[str]:
    # A word is kept once, however many people are called by it.
    return [intern(word) for word in _BETWEEN_WORDS.split(_APOSTROPHES.sub("", text)) if word] if text else []


def _read_full_name(full_name: str) -> tuple[list[str], list[str]]:
    """A name in one piece, or in two where a comma says so: `Lovelace, Ada`, but not `John Smith, Jr.`"""
    before, _, after = full_name.partition(",")
    behind = _words(after)
    if _words(before) and any(word not in _TITLES | _DEGREES | _GENERATIONS.keys() for word in behind):
        return behind, _words(before)
    # A hyphen holds a family name together until the name is split.
    return _words(full_name.replace("-", _HYPHEN)), []


def _stripped(words: list[str], least_behind_titles: int, least: int) -> tuple[list[str], str]:
    """The words without titles before and degrees and generations behind them, and the generation, '' for none.

    least_behind_titles, least: so many words stay when titles, and when the others are taken away: `Junior` alone is a
    name, and so is `Md`.
    """
    rest, generation = list(words), ""
    while len(rest) > least_behind_titles and rest[0] in _TITLES:
        del rest[0]
    while len(rest) > least and (rest[-1] in _DEGREES or rest[-1] in _GENERATIONS):
        generation = _GENERATIONS.get(rest.pop(), generation)
    return rest, generation


def _split(words: list[str]) -> tuple[list[str], list[str]]:
    """Given and family names of a name in one piece: the last word is the family's, with the particles before it."""
    if len(words) < 2:
        return _words(" ".join(words).replace(_HYPHEN, "-")), []
    at = len(words) - 1
    while at > 1 and words[at - 1] in _PARTICLES:
        at -= 1
    given, family = (_words(" ".join(part).replace(_HYPHEN, "-")) for part in (words[:at], words[at:]))
    return given, family


def _full(given: Iterable[str], family: Iterable[str]) -> str:
    words = [*family, *given]
    joined = "".join(words)
    # Written without spaces, and by some programs with them: character by character.
    return "".join(sorted(joined)) if _EAST_ASIAN.fullmatch(joined) else " ".join(sorted(words))


def _same_words(a: Name, b: Name) -> bool:
    if a.full != b.full or not a.full:
        return False
    if not _EAST_ASIAN.match(a.full):
        return True
    # The same characters in another order are another name, unless they are a name's parts.
    return not {"".join(a.family + a.given), "".join(a.given + a.family)}.isdisjoint(
        ("".join(b.family + b.given), "".join(b.given + b.family))
    )


def _by_parts(a: Name, b: Name) -> float:
    if not a.family or not b.family:
        # A first name alone is many people's.
        return 0.0 if a.family or b.family else _word_likeness(a.given[0], b.given[0], given=True)
    given = _given_likeness(a, b)
    if given >= ALIKE:
        family = max(_family_likeness(a.family, b.family), _further_likeness(a, b))
        if family >= ALIKE:
            return (given + family) / 2
    ours = _family_likeness(a.family, b.given)
    theirs = _family_likeness(a.given, b.family) if ours >= ALIKE else 0.0
    return (ours + theirs) / 2 if theirs >= ALIKE else 0.0


def _given_likeness(a: Name, b: Name) -> float:
    ours, theirs = a.given, b.given
    if "".join(ours) == "".join(theirs):
        return 1.0
    first = _word_likeness(ours[0], theirs[0], given=True)
    if first >= ALIKE:
        # Further given names are often left out; where both have some, one must agree.
        agree = not ours[1:] or not theirs[1:] or _best(ours[1:], theirs[1:]) >= ALIKE
        return first if agree else 0.0
    if (a.nickname or b.nickname) and not {ours[0], *a.nickname}.isdisjoint((theirs[0], *b.nickname)):
        return _NICKNAME
    if len(ours) == len(theirs) == 1:
        return 0.0
    return _MIDDLE_NAME_AS_FIRST if any(len(word) > 2 and word in theirs for word in ours) else 0.0


def _family_likeness(ours: Sequence[str], theirs: Sequence[str]) -> float:
    if len(ours) == len(theirs) == 1:
        return _word_likeness(ours[0], theirs[0])
    if "".join(ours) == "".join(theirs):
        return 1.0
    bare = [word for word in ours if word not in _PARTICLES], [word for word in theirs if word not in _PARTICLES]
    joined = _word_likeness("".join(bare[0]), "".join(bare[1])) if bare[0] and bare[1] else 0.0
    # Of a double name one half is often left out: Schmidt, Schmidt-Müller; García, García Márquez.
    shared = any(len(word) > 1 for word in set(bare[0]) & set(bare[1]))
    return max(joined, _SHARED_FAMILY_WORD if shared else 0.0)


def _further_likeness(a: Name, b: Name) -> float:
    """Of two family names that nothing joins, the first may have been taken for a further given name: Gabriel García
    Márquez, Gabriel García."""
    shared = set(a.family) & set(b.given[1:]) or set(b.family) & set(a.given[1:])
    return _SHARED_FAMILY_WORD if any(len(word) > 1 and word not in _PARTICLES for word in shared) else 0.0


def _best(ours: Sequence[str], theirs: Sequence[str]) -> float:
    return max((_word_likeness(one, other, given=True) for one in ours for other in theirs), default=0.0)


def _word_likeness(a: str, b: str, *, given: bool = False) -> float:
    if a == b:
        return 1.0
    if len(a) == 1 or len(b) == 1:
        return _INITIAL if a[:1] == b[:1] and a[0].upper() != a[0] else 0.0
    if _sound(a) == _sound(b):
        return _SOUNDS_ALIKE
    if a[0] != b[0] or (given and _is_counterpart(a, b)):
        return 0.0
    swapped = len(a) == len(b) and sorted(a) == sorted(b)
    if given and len(a) == len(b) < 6 and not swapped:
        return 0.0  # in short names another letter is another name: Marta, Maria
    edits, longest = OSA.distance(a, b), max(len(a), len(b))
    if edits == 1 and swapped and longest == 4:
        return _SWAPPED_LETTERS
    # One edit in five letters, two in ten.
    return 1 - edits / longest if edits <= longest // 5 else 0.0


def _is_counterpart(a: str, b: str) -> bool:
    """Whether two given names differ in the ending that tells women's from men's in many languages: Martin, Martina;
    Christian, Christina; Simon, Simone; Mario, Maria."""
    short, long = sorted((a, b), key=len)
    same_stem = long[:-1] in (short, short[:-1])
    return (a[-1] == "a") != (b[-1] == "a") or (same_stem and long[-1] in _VOWELS)


@lru_cache(maxsize=32_768)
def _sound(word: str) -> str:
    if not word.isascii():
        return word
    for spelling, sound in _SOUNDS:
        word = word.replace(spelling, sound)
    return _DOUBLED.sub(r"\1", _SILENT_H.sub("", word))
