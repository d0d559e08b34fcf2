"""How rules write names, numbers and dates. Rules speak English; a provider may say it otherwise."""

from __future__ import annotations

from datetime import date

# Characters of a name or subject in a title or body, so that a title stays one line of at most 200.
LONGEST_NAME = 80
LONGEST_QUOTE = 120

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def name_of(display_name: str) -> str:
    """A contact's name as one short line."""
    return shortened(display_name, LONGEST_NAME) or "a contact without a name"


def shortened(text: str, longest: int) -> str:
    """A text on one line, cut to so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def days(number: int) -> str:
    """`1 day`, `94 days`."""
    return "1 day" if number == 1 else f"{number} days"


def written(day: date) -> str:
    """`29 February 2028`."""
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}"
