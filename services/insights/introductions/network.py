"""What is known of some of a tenant's contacts that can connect two of them, or be common to them."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from services.insights.jobs.careers import Span


class Stay(NamedTuple):
    """A time in an organization. start, end: the days each may be; None where not even the year is known."""

    organization_id: uuid.UUID
    start: Span | None
    end: Span | None
    is_current: bool

    def meets(self, other: Stay) -> bool:
        """Whether both were certainly there on some day."""
        if self.is_current and other.is_current:
            return True
        if self.start is None or other.start is None:
            return False
        return max(self.start.last, other.start.last) <= min(self._earliest_end(), other._earliest_end())

    def misses(self, other: Stay) -> bool:
        """Whether they were certainly never there on one day."""
        return self._is_over_before(other) or other._is_over_before(self)

    def _earliest_end(self) -> date:
        if self.is_current:
            return date.max
        return self.end.first if self.end is not None else date.min

    def _is_over_before(self, other: Stay) -> bool:
        return self.end is not None and other.start is not None and self.end.last < other.start.first


@dataclass(slots=True)
class Person:
    """A living, unrestricted contact.

    strength: how close the user is to it, 1 to 10. topics: folded. links: the other contact → the link.
    meetings: interactions in which it took part.
    """

    id: uuid.UUID
    strength: int
    tags: set[uuid.UUID] = field(default_factory=set)
    topics: set[str] = field(default_factory=set)
    stays: list[Stay] = field(default_factory=list)
    links: dict[uuid.UUID, uuid.UUID] = field(default_factory=dict)
    meetings: set[uuid.UUID] = field(default_factory=set)


class Named(NamedTuple):
    """A tag, topic or organization. carriers: how many contacts it is of, counted up to a limit."""

    name: str
    carriers: int


@dataclass(frozen=True, slots=True)
class Network:
    """The people by id, and what else their ids stand for. contacts: how many the tenant has, counted up to a limit."""

    people: Mapping[uuid.UUID, Person]
    tags: Mapping[uuid.UUID, Named]
    topics: Mapping[str, Named]
    organizations: Mapping[uuid.UUID, Named]
    contacts: int
