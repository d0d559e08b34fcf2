"""Collects what is wrong with a request, so that the caller hears of every bad field at once."""

from __future__ import annotations

from shared.errors import InvalidArgument, Violation


class Violations:
    """A growing list of bad fields. Descriptions say the rule that was broken, never the value that broke it."""

    __slots__ = ("found",)

    def __init__(self) -> None:
        self.found: list[Violation] = []

    def add(self, field: str, description: str) -> None:
        """Notes one bad field; `field` is its path as the request spells it, such as `contact.emails[1].value`."""
        self.found.append(Violation(field, description))

    def __bool__(self) -> bool:
        return bool(self.found)

    def raise_if_any(self) -> None:
        """Raises InvalidArgument with all that was found; returns when nothing was."""
        if self.found:
            raise InvalidArgument(self.found)
