"""Pages of what a search has ranked: best first, at most 300, the first page out of fewer.

Whoever looks at a first page rarely goes on to the second; each match that is ranked is a page of the database to read.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from shared.database import Row
from shared.errors import InvalidArgument, Violation
from shared.pages import Page, Position

# So many are ranked at the most.
MOST_RESULTS = 300

# So many are ranked for a first page.
FIRST_RANKED = 40

# Ranks at most so many matches: rows with `id` and `score`, best first and by their ids among equals. Fewer are all.
Ranker = Callable[[int], Awaitable[list[Row]]]


@dataclass(frozen=True, slots=True)
class RankedPage:
    """The matches that a page shows, and where the next one begins; None on the last one."""

    matches: list[Row]
    next_position: Position | None


def check_skip(page: Page) -> None:
    """Raises InvalidArgument when a page would begin beyond what is ever ranked."""
    if page.skip > MOST_RESULTS:
        raise InvalidArgument([Violation("skip", f"must be at most {MOST_RESULTS}")])


async def ranked_page(page: Page, rank: Ranker) -> RankedPage:
    """The part of the matches that a page asks for."""
    found, complete = await _found(page, rank)
    shown = found[: page.size]
    goes_on = bool(shown) and (len(found) > page.size or not complete)
    return RankedPage(shown, _position(page, shown, complete) if goes_on else None)


def _position(page: Page, shown: list[Row], complete: bool) -> Position:
    """Where the next page begins: after the last score and id, or, when this one was picked out of some of the matches,
    with whatever it has not shown. Then the ids that such a first page has shown."""
    if not complete:
        return ["", "", *(str(match["id"]) for match in shown)]
    last = shown[-1]
    already = page.after[2:] if page.after is not None else []
    return [repr(last["score"]), str(last["id"]), *already]


async def _found(page: Page, rank: Ranker) -> tuple[list[Row], bool]:
    """The matches from where the page begins, best first, and whether there are no others."""
    if page.after is None and page.skip == 0:
        ranked = min(MOST_RESULTS, max(FIRST_RANKED, 2 * page.size))
        matches = await rank(ranked)
        return matches, len(matches) < ranked or ranked == MOST_RESULTS
    matches = await rank(MOST_RESULTS)
    if page.after is not None:
        score, last_id, *already = page.after
        shown = set(already)
        matches = [match for match in matches if str(match["id"]) not in shown]
        if score:
            position = (-float(score), str(last_id))
            matches = [match for match in matches if (-match["score"], str(match["id"])) > position]
    return matches[page.skip :], True
