"""Which pairs of a tenant's contacts are worth comparing: those that share a key. Never all pairs.

Contacts with a common key make a block. In a small block everybody is compared with everybody. In a large one, such as
a big employer's or a switchboard number's, everybody is compared with those next in the order of names, where names
that are alike are near each other. So each contact is compared with a bounded number of others for each of its keys,
and the work grows with the number of contacts, whatever they have in common.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence

from shared.duplicates.name_likeness import sounded
from shared.duplicates.profiles import ADDRESSES, KEYS, Profile
from shared.duplicates.scoring import HOUSEHOLD

# Members up to which everybody is compared with everybody.
SMALL = 32

# In a large block, how many next ones in the order of names each is compared with.
NEXT = 8


class Blocks:
    """The blocks of some contacts, who are numbered by their places in the sequence.

    crowds: how many differently named contacts share a phone number or e-mail address, where these are many.
    """

    def __init__(self, profiles: Sequence[Profile]) -> None:
        self._profiles = profiles
        self._small: list[dict[str, array[int]]] = []
        self._neighbours: dict[int, array[int]] = {}
        self.crowds: dict[str, int] = {}
        for keys in KEYS:
            blocks = _blocks(profiles, keys)
            if keys in ADDRESSES:
                self._count_crowds(blocks)
            for key in [key for key, members in blocks.items() if len(members) > SMALL]:
                self._join_neighbours(blocks.pop(key))
            self._small.append(blocks)

    def partners(self, number: int) -> list[int]:
        """The contacts behind this one in the sequence that it is to be compared with, each once."""
        found = set(self._neighbours.get(number, ()))
        for keys, blocks in zip(KEYS, self._small, strict=True):
            for key in keys(self._profiles[number]):
                found.update(blocks.get(key, ()))
        return sorted(partner for partner in found if partner > number)

    def _count_crowds(self, blocks: dict[str, array[int]]) -> None:
        for key, members in blocks.items():
            if len(members) > HOUSEHOLD:
                self.crowds[key] = crowd(self._profiles[member] for member in members)

    def _join_neighbours(self, members: array[int]) -> None:
        # Each name stands in the list twice, so that one whose parts are interchanged meets its like.
        order = sorted((place, member) for member in members for place in self._places(member))
        for at, (_, member) in enumerate(order):
            for _, other in order[at + 1 : at + 1 + NEXT]:
                if member != other:
                    self._neighbours.setdefault(min(member, other), array("L")).append(max(member, other))

    def _places(self, number: int) -> list[str]:
        profile = self._profiles[number]
        born = profile.birthday.key if profile.birthday is not None else ""
        # Among those of one name, who have more in common are next to each other.
        return [f"{name}\0{born}\0{min(profile.organizations, default='')}" for name in sounded(profile.name)]


def crowd(profiles: Iterable[Profile]) -> int:
    """How many differently named people these are; who has no name is one more."""
    names = [profile.name.full for profile in profiles]
    return len({name for name in names if name}) + names.count("")


def _blocks(profiles: Sequence[Profile], keys: Callable[[Profile], Iterable[str]]) -> dict[str, array[int]]:
    """The contacts of each key that several have."""
    members: dict[str, int | array[int]] = {}
    for number, profile in enumerate(profiles):
        for key in keys(profile):
            # Most keys are one contact's, and a number takes less room than an array.
            first = members.setdefault(key, number)
            if isinstance(first, array):
                first.append(number)
            elif first != number:
                members[key] = array("L", (first, number))
    return {key: found for key, found in members.items() if isinstance(found, array)}
