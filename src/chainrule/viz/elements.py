"""Which elements of which blocks an element is computed from."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

from chainrule.compiler.program import Map, Part, Selected, View, read_by

Element = tuple[int, int]  # a block, and the place in it

LEAVES, NUMBERS, DATA = range(3)  # the blocks that are given


class Term(NamedTuple):
    """A term of a sum: scale times the factors."""

    scale: float
    factors: tuple[Element, ...]


def operands(made: Map | Selected, place: int) -> list[Element]:
    """The elements that an element is computed from, where all is done elementwise."""
    return [(view.block, _at(view, _coordinates(place, dims))) for view, dims in read_by(made)]


def terms_of(target: View | None, part: Part, place: int) -> Iterator[Term]:
    """The terms that a part of a sum adds to the element in a place."""
    before = _kept(target, part, place)
    if before is not None:
        for after in product(*map(range, part.dims[part.kept :])):
            here = (*before, *after)
            yield Term(part.scale, tuple([(view.block, _at(view, here)) for view in part.factors]))


def count_of(target: View | None, part: Part, place: int) -> int:
    """How many terms a part of a sum adds to the element in a place."""
    return 0 if _kept(target, part, place) is None else math.prod(part.dims[part.kept :])


def _kept(target: View | None, part: Part, place: int) -> Sequence[int] | None:
    """Which of the sums of a part is added in a place; None if none is."""
    dims = part.dims[: part.kept]
    return _coordinates(place, dims) if target is None else _found(target, dims, place)


def _coordinates(place: int, dims: Sequence[int]) -> list[int]:
    """Where a place is in an array of these dims, the last running fastest."""
    found = []
    for size in reversed(dims):
        place, k = divmod(place, size)
        found.append(k)
    return found[::-1]


def _found(view: View, dims: Sequence[int], place: int) -> list[int] | None:
    """The coordinates of a place in a view whose strides nest; None if it is not in the view.

    >>> _found(View(0, 1, (10, -2)), (2, 3), 17), _found(View(0, 5, (10,)), (2,), 6)
    (None, None)
    >>> _found(View(0, 5, (10, -2)), (2, 3), 13)
    [1, 1]
    """
    steps = list(zip(dims, view.strides))
    rest = place - view.offset - sum([(size - 1) * step for size, step in steps if step < 0])
    found = [0] * len(steps)
    for axis in sorted(range(len(steps)), key=lambda axis: -abs(steps[axis][1])):
        size, step = steps[axis]
        if size > 1 and step and rest >= 0:
            k = min(rest // abs(step), size - 1)
            rest -= k * abs(step)
            found[axis] = k if step > 0 else size - 1 - k
    return found if rest == 0 else None


def _at(view: View, coordinates: Sequence[int]) -> int:
    return view.offset + sum([k * step for k, step in zip(coordinates, view.strides)])
