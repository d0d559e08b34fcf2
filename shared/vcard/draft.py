"""The contact that a card's properties fill, one after the other."""

from __future__ import annotations

import re
from typing import Any

from shared.vcard.labels import NOT_PREFERRED, label_of, preference
from shared.vcard.lines import Property
from shared.vcard.values import unescaped

Entry = dict[str, Any]

_LISTS = ("emails", "phones", "addresses", "urls", "im_handles")
_COUNTRY_CODE = re.compile(r"[A-Za-z]{2}", re.ASCII)


class Draft:
    """The contact that a card's readers fill.

    version: of the card. labels: its groups' X-ABLabels. countries: its groups' X-ABADRs, codes of countries.
    """

    def __init__(self, version: str, labels: dict[str, str]) -> None:
        self.version = version
        self.labels = labels
        self.countries: dict[str, str] = {}
        self.fields: dict[str, Any] = {}
        self.lists: dict[str, list[tuple[int, Entry]]] = {}
        self.categories: list[str] = []
        self._address_groups: list[tuple[str, Entry]] = []
        self._formatted: list[Property] = []

    def put(self, field: str, value: Any) -> bool:
        """Sets a field that has no value yet; returns whether it did."""
        if field in self.fields:
            return False
        if value:
            self.fields[field] = value
        return True

    def add(self, field: str, found: Property, entry: Entry, label: str | None = None) -> bool:
        """Adds an entry to a list, with the property's label and preference; returns whether it had a value."""
        if not any(entry.values()):
            return False
        entry["label"] = label_of(found, self.labels) if label is None else label
        self.lists.setdefault(field, []).append((preference(found), entry))
        return True

    def add_address(self, found: Property, entry: Entry) -> bool:
        """Adds a postal address, whose country its group may tell."""
        self._address_groups.append((found.group, entry))
        return self.add("addresses", found, entry)

    def add_formatted_address(self, found: Property) -> bool:
        """Keeps a LABEL of vCard 2.1 or 3.0 until all addresses are known."""
        self._formatted.append(found)
        return True

    def finished(self) -> dict[str, Any]:
        """The fields of the contact. Of each list at most one entry is primary: the first of the most preferred."""
        for found in self._formatted:
            self._place_formatted(found)
        for group, entry in self._address_groups:
            code = self.countries.get(group, "") if group else ""
            if _COUNTRY_CODE.fullmatch(code) and not entry.get("country_code"):
                entry["country_code"] = code
        for field in _LISTS:
            ranked = self.lists.get(field)
            if ranked:
                best = min(rank for rank, _ in ranked)
                if best < NOT_PREFERRED:
                    next(entry for rank, entry in ranked if rank == best)["primary"] = True
                self.fields[field] = [entry for _, entry in ranked]
        return self.fields

    def _place_formatted(self, found: Property) -> None:
        label = label_of(found, self.labels)
        value = unescaped(found.value)
        for group, entry in self._address_groups:
            if group and group == found.group and not entry.get("value"):
                entry["value"] = value
                return
        for _, entry in self.lists.get("addresses", ()):
            if entry["label"] == label and not entry.get("value"):
                entry["value"] = value
                return
        self.add("addresses", found, {"value": value})
