"""What the cells of one row say of organizations and other contacts."""

from __future__ import annotations

import json
from typing import Any

from shared.contact_ties import Employment, Relation, Ties, as_text, read_employment, read_relation, relation_json
from shared.name_keys import name_key
from shared.spreadsheet.places import Place
from shared.vcard.ties import LINK
from shared.vcard.values import escaped, one_line


class TieCells:
    """Takes cells one by one, and is then what they say."""

    def __init__(self) -> None:
        self._further: dict[str, dict[str, str]] = {}
        self._history: list[Employment] | None = None
        self._relations: list[Relation] = []

    @property
    def shows_an_organization(self) -> bool:
        """Whether the column of the card's organization names a current employment, for other programs alone."""
        return any(employment.is_shown for employment in self._history or ())

    def put(self, place: Place, cell: str) -> bool:
        """Takes a cell; returns whether it holds what its column is for."""
        if place.field == "organization":
            self._further.setdefault(place.entry, {})[place.part] = one_line(cell)
            return True
        said = _list(cell)
        if place.field == "employments":
            read = list(map(read_employment, said or ()))
            if said is None or None in read:
                return False
            self._history = [employment for employment in read if employment]
            return True
        relations = list(map(read_relation, said or ()))
        self._relations = [relation._replace(lines=(_line(relation),)) for relation in relations if relation]
        return said is not None and None not in relations

    def finished(self, organization: str, job_title: str, department: str) -> Ties:
        """The row's ties. The arguments are the card's text, which says an employment where no history does."""
        if self._history is not None:
            return Ties(tuple(self._history), True, tuple(self._relations))
        further = (
            (said.get("name", ""), said.get("title", ""), said.get("department", "")) for said in self._further.values()
        )
        shown = [(organization, job_title, department), *further]
        employments: dict[str, Employment] = {}
        for name, title, unit in shown:
            if name:
                employments.setdefault(name_key(name), Employment(name, title, unit, is_current=True))
        return Ties(tuple(employments.values()), False, tuple(self._relations))


def _list(cell: str) -> list[Any] | None:
    try:
        said = json.loads(cell)
    except (ValueError, RecursionError):
        return None
    return said if isinstance(said, list) else None


def _line(relation: Relation) -> str:
    return f"{LINK}:{escaped(as_text(relation_json(relation)))}"
