"""Lists of places, and the views that say the same in a few numbers.

A list of places is regular if it is nested runs of equal steps. Several lists of one length become
views of common dims if their runs fit into one another.
"""

from __future__ import annotations

import itertools
import operator

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    Pattern = list[tuple[int, int]]  # sizes and strides, innermost first


def regular(places: list[int]) -> tuple[int, Pattern | None]:
    """Describe a list as nested runs of equal steps, innermost first; None if it is not that.

    >>> regular([5, 6, 7, 15, 16, 17])
    (5, [(3, 1), (2, 10)])
    >>> regular([0, 0, 1, 1])
    (0, [(2, 0), (2, 1)])
    >>> regular([0, 1, 3])
    (0, None)
    """
    pattern: Pattern = []
    level = places
    while len(level) > 1:
        step = level[1] - level[0]
        run = 2
        while run < len(level) and level[run] - level[run - 1] == step:
            run += 1
        if len(level) % run or not _repeats(level, run, step):
            return places[0], None
        pattern.append((run, step))
        level = level[::run]
    return places[0], pattern or [(1, 0)]


def _repeats(level: list[int], run: int, step: int) -> bool:
    """Whether each run of that length has that step."""
    reach = step * run
    return all(
        level[at : at + run]
        == (list(range(level[at], level[at] + reach, step)) if step else [level[at]] * run)
        for at in range(0, len(level), run)
    )


def cuts(pattern: Pattern) -> set[int]:
    """The numbers of elements after which an inner dim of a pattern begins anew."""
    return set(itertools.accumulate((size for size, _ in pattern), operator.mul))


def nested(ends: set[int]) -> bool:
    """Whether dims that end at these numbers fit into one another."""
    return all(end % before == 0 for before, end in itertools.pairwise(sorted(ends)))


def refined(pattern: Pattern, dims: list[int]) -> list[int]:
    """The strides of a pattern for finer dims, innermost first."""
    strides = []
    rest = iter(pattern)
    left, stride = next(rest)
    for size in dims:
        if left == 1:
            left, stride = next(rest, (size, 0))
        strides.append(stride)
        left //= size
        stride *= size
    return strides


def kept_dims(dims: Sequence[int], members: int) -> int:
    """How many of the outer dims make up the members."""
    kept, size = 0, 1
    while size < members:
        size *= dims[kept]
        kept += 1
    return kept
