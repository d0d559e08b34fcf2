"""Places the nodes of a network in the plane: what is tied lies together, what is not tied to anything around it.

A force-directed layout (Fruchterman and Reingold, with the grid that makes it linear for nodes that are spread out).
Nothing in it is random: the same network is placed in the same way.
"""

from __future__ import annotations

import math
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence

Point = tuple[float, float]
Tie = tuple[int, int]

# How far from each other tied nodes like to be, and how near any two may come.
SPACING = 80.0
NEAREST = 64.0

# How far a node pushes others away, and how strongly the middle draws all of them.
REACH = 2 * SPACING
GRAVITY = 0.06

STEPS = 160
PASSES = 60

GOLDEN_ANGLE = math.pi * (3 - math.sqrt(5))


def placed(count: int, ties: Sequence[Tie]) -> list[Point]:
    """A place for each of the nodes 0 to count - 1, around (0, 0). ties: pairs of different nodes."""
    neighbours: dict[int, list[int]] = defaultdict(list)
    for one, other in ties:
        neighbours[one].append(other)
        neighbours[other].append(one)
    tied = _in_order(count, neighbours)
    number = {node: i for i, node in enumerate(tied)}
    inside = _settled(len(tied), [(number[one], number[other]) for one, other in ties])
    places: dict[int, Point] = dict(zip(tied, inside, strict=True))
    alone = [node for node in range(count) if node not in neighbours]
    places.update(zip(alone, _rings(len(alone), *_around(inside)), strict=True))
    return [places[node] for node in range(count)]


def _in_order(count: int, neighbours: dict[int, list[int]]) -> list[int]:
    """The tied nodes, neighbours soon after each other, the largest groups first."""
    groups, seen = [], set()
    for start in range(count):
        if start in seen or start not in neighbours:
            continue
        group, waiting = [], deque([start])
        seen.add(start)
        while waiting:
            node = waiting.popleft()
            group.append(node)
            for other in neighbours[node]:
                if other not in seen:
                    seen.add(other)
                    waiting.append(other)
        groups.append(group)
    groups.sort(key=len, reverse=True)
    return [node for group in groups for node in group]


def _settled(count: int, ties: Sequence[Tie]) -> list[Point]:
    xs = [SPACING * 0.7 * math.sqrt(i + 0.5) * math.cos(i * GOLDEN_ANGLE) for i in range(count)]
    ys = [SPACING * 0.7 * math.sqrt(i + 0.5) * math.sin(i * GOLDEN_ANGLE) for i in range(count)]
    for step in range(STEPS):
        moves_x, moves_y = [-GRAVITY * x for x in xs], [-GRAVITY * y for y in ys]
        for one, other, dx, dy, distance in _close(xs, ys, REACH):
            push = SPACING * SPACING / (distance * distance)
            moves_x[one] += dx * push
            moves_y[one] += dy * push
            moves_x[other] -= dx * push
            moves_y[other] -= dy * push
        for one, other in ties:
            dx, dy = xs[one] - xs[other], ys[one] - ys[other]
            pull = math.hypot(dx, dy) / SPACING
            moves_x[one] -= dx * pull
            moves_y[one] -= dy * pull
            moves_x[other] += dx * pull
            moves_y[other] += dy * pull
        # Less and less, so that it comes to rest.
        longest = SPACING * (1 - step / STEPS)
        for i in range(count):
            length = math.hypot(moves_x[i], moves_y[i])
            scale = min(length, longest) / length if length else 0.0
            xs[i] += moves_x[i] * scale
            ys[i] += moves_y[i] * scale
    _part(xs, ys)
    middle_x, middle_y = _middle(xs), _middle(ys)
    return [(x - middle_x, y - middle_y) for x, y in zip(xs, ys, strict=True)]


def _middle(values: Sequence[float]) -> float:
    return (min(values) + max(values)) / 2 if values else 0.0


def _part(xs: list[float], ys: list[float]) -> None:
    """Moves nodes apart that came too near to each other."""
    for _ in range(PASSES):
        near = list(_close(xs, ys, NEAREST))
        if not near:
            return
        for one, other, dx, dy, distance in near:
            shift = (NEAREST - distance) / (2 * distance)
            xs[one] += dx * shift
            ys[one] += dy * shift
            xs[other] -= dx * shift
            ys[other] -= dy * shift


def _close(xs: Sequence[float], ys: Sequence[float], reach: float) -> Iterator[tuple[int, int, float, float, float]]:
    """Each pair of nodes less than `reach` apart: both, the way from the second to the first, and its length."""
    cells: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, (x, y) in enumerate(zip(xs, ys, strict=True)):
        cells[math.floor(x / reach), math.floor(y / reach)].append(i)
    for (column, row), here in cells.items():
        # Half of the cells around: the pair is met from the other half as well.
        around = ((column + 1, row - 1), (column + 1, row), (column + 1, row + 1), (column, row + 1))
        there = [j for cell in around for j in cells.get(cell, ())]
        for place, one in enumerate(here):
            for other in _after(here, place, there):
                dx, dy = xs[one] - xs[other], ys[one] - ys[other]
                if not dx and not dy:
                    # In the same place: some way must be taken, always the same one.
                    dx = 0.01
                distance = math.hypot(dx, dy)
                if distance < reach:
                    yield one, other, dx, dy, distance


def _after(here: Sequence[int], place: int, there: Sequence[int]) -> Iterable[int]:
    yield from here[place + 1 :]
    yield from there


def _around(points: Sequence[Point]) -> tuple[float, float]:
    """The two radii of an ellipse around points whose middle is (0, 0), with room between; 0 around none."""
    if not points:
        return 0.0, 0.0
    across = max(SPACING / 2, *(abs(x) for x, _ in points))
    down = max(SPACING / 2, *(abs(y) for _, y in points))
    scale = max(math.hypot(x / across, y / down) for x, y in points)
    return scale * across + SPACING, scale * down + SPACING


def _rings(count: int, across: float, down: float) -> Iterator[Point]:
    """So many places on ellipses, from the innermost outwards. One in the middle when that has no radius."""
    left = count
    while left > 0:
        # As many as keep their distance where the ellipse is most bent.
        room = max(1, math.floor(2 * math.pi * min(across, down) / SPACING))
        here = min(room, left)
        for i in range(here):
            angle = 2 * math.pi * i / here - math.pi / 2
            yield across * math.cos(angle), down * math.sin(angle)
        left -= here
        across, down = across + SPACING, down + SPACING
