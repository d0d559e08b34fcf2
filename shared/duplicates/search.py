"""Compares profiles of contacts: one with some, or all of a tenant with each other as far as it is worth while."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from shared.duplicates.blocks import Blocks, crowd
from shared.duplicates.profiles import Profile
from shared.duplicates.scoring import ROUNDING, Evidence, evidence, score


@dataclass(frozen=True, slots=True)
class Pair:
    """Two contacts that may be the same person. score: 0 to 1, made of the weights of the evidence."""

    contact: Profile
    duplicate: Profile
    score: float
    evidence: list[Evidence]


class TenantSearch:
    """A search through a whole tenant, some contacts at a time.

    compared: how many pairs have been compared so far.
    """

    def __init__(self, profiles: Sequence[Profile], min_score: float) -> None:
        """profiles: all contacts of the tenant, the oldest first."""
        self._profiles = profiles
        self._min_score = min_score
        self._blocks = Blocks(profiles)
        self.compared = 0

    def compare(self, start: int, stop: int) -> list[Pair]:
        """The pairs of the contacts from `start` to before `stop` with newer ones, in the order of the older one."""
        found = []
        for number in range(start, min(stop, len(self._profiles))):
            for partner in self._blocks.partners(number):
                self.compared += 1
                pair = _compare(self._profiles[number], self._profiles[partner], self._blocks.crowds)
                if is_likely(pair.score, self._min_score):
                    found.append(pair)
        return found


def compare_one(
    contact: Profile, others: Sequence[Profile], min_score: float, crowds: Mapping[str, int] | None = None
) -> list[Pair]:
    """The pairs of one contact with others, best first; of equal ones the older first, as the others come.

    crowds: of the contact's e-mail addresses and phone numbers, how many differently named contacts have them, where
    that is known better than by counting among the others.
    """
    counted = {
        key: crowd([contact, *(other for other in others if key in other.phones or key in other.emails)])
        for key in (*contact.phones, *contact.emails)
    }
    known = {**counted, **(crowds or {})}
    pairs = (_compare(contact, other, known) for other in others)
    return sorted((pair for pair in pairs if is_likely(pair.score, min_score)), key=lambda pair: -pair.score)


def is_likely(found: float, min_score: float) -> bool:
    """Whether a pair scores enough. Nothing in common is never enough."""
    return 0 < found >= min_score - ROUNDING


def _compare(contact: Profile, duplicate: Profile, crowds: Mapping[str, int]) -> Pair:
    found = evidence(contact, duplicate, crowds)
    return Pair(contact, duplicate, score(found), found)
