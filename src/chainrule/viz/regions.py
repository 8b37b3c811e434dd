"""What a model says where in a plane, as outlines: scores on a grid become paths of an SVG."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

SIDE = 48  # points to a side of the grid: 72 times the 32 whose scores are computed at once
_FINE = 10  # units of a path to a pixel
_STRAIGHT = 2.0  # units by which a point may stand off a line that is drawn straight past it
_HIGHEST = 1e100  # between infinite scores, no place could be found

Edge = tuple[int, int, int]  # row and column of a point of the grid; 0 to its right, 1 to below it
Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Plane:
    """A part of the plane of two features.

    Attributes:
        across: from where to where the first feature runs, from left to right.
        up: the same of the second, from bottom to top.
    """

    across: tuple[float, float]
    up: tuple[float, float]

    def grid(self) -> list[list[float]]:
        """The points of the grid, row by row from the top, from left to right."""
        columns, rows = _spaced(*self.across), _spaced(*self.up)
        return [[x, y] for y in reversed(rows) for x in columns]


@dataclass(frozen=True, slots=True)
class Regions:
    """Where each class is said, as paths in tenths of a pixel.

    Attributes:
        upward: for each class but the first, where its score is higher than those of all earlier
            ones. Painted one over the other, they leave each class its own region, without gaps.
        sure: for each class, where its score is higher than all others by 1 at least.
    """

    upward: list[str]
    sure: list[str]


def around(features: Sequence[Sequence[float]]) -> Plane:
    """The plane that shows all points of two features, with some room around them.

    >>> around([[0.0, 1.0], [10.0, 1.0]])
    Plane(across=(-1.0, 11.0), up=(0.0, 2.0))
    """
    across, up = [_with_room(column) for column in zip(*features)]
    return Plane(across, up)


def regions(scores: Sequence[Any], size: float) -> Regions:
    """The regions of a plane.

    Args:
        scores: for each point of its grid a list of scores, one a class, of which the highest
            wins; or one score, positive for the second of two classes.
        size: how many pixels the plane is wide and high.
    """
    classes = list(zip(*[_by_class(given) for given in scores]))
    scale = size * _FINE / (SIDE - 1)
    upward = [_minus(own, _highest(classes[:i]), 0.0) for i, own in enumerate(classes[1:], 1)]
    sure = [
        _minus(own, _highest([*classes[:i], *classes[i + 1 :]]), 1.0)
        for i, own in enumerate(classes)
    ]
    return Regions([_path(h, scale) for h in upward], [_path(h, scale) for h in sure])


def outlines(heights: Sequence[Sequence[float]]) -> list[list[Point]]:
    """Closed lines around where heights on a grid are positive, as columns and rows.

    Between two points of the grid heights are taken to be straight. Where the area reaches the
    end of the grid, the line follows that.

    >>> outlines([[-1.0, -1.0, -1.0], [-1.0, 1.0, -1.0], [-1.0, -1.0, -1.0]])
    [[(1.5, 1.0), (1.0, 1.5), (0.5, 1.0), (1.0, 0.5)]]
    """
    padding = [-1.0] * (len(heights[0]) + 2)
    padded = [padding, *[[-1.0, *row, -1.0] for row in heights], padding]
    follow = _links(padded)
    loops = []
    while follow:
        start, edge = follow.popitem()
        loop = [start]
        while edge != start:
            loop.append(edge)
            edge = follow.pop(edge)
        loops.append([_crossing(padded, edge) for edge in loop])
    return loops


# ---- scores ----


def _by_class(given: Any) -> list[float]:
    """A score for each class; the first of two has 0, and nan counts as 0."""
    scores = given if isinstance(given, list) else [0.0, given]
    return [max(-_HIGHEST, min(x, _HIGHEST)) if x == x else 0.0 for x in scores]


def _highest(classes: Sequence[Sequence[float]]) -> Sequence[float]:
    return classes[0] if len(classes) == 1 else list(map(max, *classes))


def _minus(some: Sequence[float], others: Sequence[float], margin: float) -> list[list[float]]:
    """By how much some scores lead others by more than a margin, in rows of the grid."""
    leads = [x - y - margin for x, y in zip(some, others)]
    return [leads[i : i + SIDE] for i in range(0, len(leads), SIDE)]


def _with_room(numbers: Sequence[float]) -> tuple[float, float]:
    low, high = float(min(numbers)), float(max(numbers))
    room = 0.1 * (high - low) or 1.0
    return low - room, high + room


def _spaced(low: float, high: float) -> list[float]:
    return [low + (high - low) * i / (SIDE - 1) for i in range(SIDE)]


# ---- outlines ----


def _links(padded: list[list[float]]) -> dict[Edge, Edge]:
    """From each edge of the grid that an outline crosses, the one that it crosses next."""
    inside = [[height > 0.0 for height in row] for row in padded]
    follow: dict[Edge, Edge] = {}
    for r, (upper, lower) in enumerate(pairwise(inside)):
        for c, corners in enumerate(zip(upper, upper[1:], lower[1:], lower)):
            if 0 < sum(corners) < 4:
                follow.update(_links_of_cell(r, c, corners))
    return follow


def _links_of_cell(r: int, c: int, corners: tuple[bool, ...]) -> Iterator[tuple[Edge, Edge]]:
    """Of one cell: clockwise, where the area is left, with where it is entered again."""
    edges = ((r, c, 0), (r, c + 1, 1), (r + 1, c, 0), (r, c, 1))
    crossed = [
        edge for i, edge in enumerate(edges) if corners[i] != corners[(i + 1) % 4]
    ]  # left and entered by turns
    first = next(i for i in range(4) if corners[i] != corners[(i + 1) % 4])
    if not corners[first]:
        crossed.append(crossed.pop(0))
    return zip(crossed[::2], crossed[1::2])


def _crossing(padded: list[list[float]], edge: Edge) -> Point:
    """Where an outline crosses an edge, in the grid without its padding."""
    row, column, down = edge
    a, b = padded[row][column], padded[row + down][column + 1 - down]
    part = a / (a - b)
    x, y = column - 1 + part * (1 - down), row - 1 + part * down
    return min(max(x, 0.0), len(padded[0]) - 3.0), min(max(y, 0.0), len(padded) - 3.0)


def _path(heights: list[list[float]], scale: float) -> str:
    """The outlines as a path; each step from point to point is relative, as that is shorter."""
    loops = [[(round(x * scale), round(y * scale)) for x, y in loop] for loop in outlines(heights)]
    return "".join([_loop(_simpler(loop)) for loop in loops])


def _simpler(loop: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """A loop without the points that lie on the way between their neighbours."""
    kept = loop[:1]
    for here, after in zip(loop[1:], [*loop[2:], loop[0]]):
        before = kept[-1]
        across, down = after[0] - before[0], after[1] - before[1]
        off = across * (here[1] - before[1]) - down * (here[0] - before[0])
        if abs(off) > _STRAIGHT * (abs(across) + abs(down)):
            kept.append(here)
    return kept


def _loop(points: list[tuple[int, int]]) -> str:
    steps = [f"{x - u} {y - v}" for (u, v), (x, y) in pairwise(points)]
    return f"M{points[0][0]} {points[0][1]}l{' '.join(steps)}z" if len(points) > 2 else ""
