"""What the numbers that a program is given are called, in the words of the function."""

from __future__ import annotations

import inspect
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate, chain, count
from typing import Any, NamedTuple


class Run(NamedTuple):
    """Data of one argument, or one part of it.

    Attributes:
        name: how the function's words find it.
        dims: its shape; () for a single number.
        commas: whether an element is written as of an array, "X[3, 1]", not "X[3][1]".
    """

    name: str
    dims: tuple[int, ...] = ()
    commas: bool = False

    def element(self, place: int) -> str:
        """The name of an element, by its place among all.

        >>> Run("X", (4, 2), commas=True).element(7), Run("y", (3,)).element(1)
        ('X[3, 1]', 'y[1]')
        """
        at = []
        for size in reversed(self.dims):
            place, k = divmod(place, size)
            at.append(str(k))
        between = ", " if self.commas else "]["
        return f"{self.name}[{between.join(reversed(at))}]" if at else self.name


class DataNames:
    """The names of data by their places in the vector of all.

    Args:
        key: what a call's arguments are like, as `Call.key` says it.
        function: what is called.

    >>> from chainrule.compiler.call import Call
    >>> names = DataNames(Call(([[1.0, 2.0], [3.0, 4.0]], {"a": 5.0}), {}).key, lambda xs, more: 0)
    >>> [names[place] for place in range(5)]
    ['xs[0][0]', 'xs[0][1]', 'xs[1][0]', 'xs[1][1]', "more['a']"]
    """

    def __init__(self, key: Any, function: Callable[..., Any]) -> None:
        (positional, named), statics = key
        walk = _Walk(statics)
        for name, shape in zip(_parameters(function), positional[1:]):
            walk.follow(name, shape)
        for name, shape in named:
            walk.follow(name, shape)
        self._runs = walk.runs
        self._starts = [*accumulate([math.prod(run.dims) for run in walk.runs], initial=0)]
        self.values = walk.values

    def __getitem__(self, place: int) -> str:
        i = bisect_right(self._starts, place) - 1  # behind runs of length 0
        return self._runs[i].element(place - self._starts[i])


class _Walk:
    """The runs of data and the values among arguments, in the order in which a call finds them."""

    def __init__(self, statics: Sequence[Any]) -> None:
        self.statics = iter(statics)
        self.runs: list[Run] = []
        self.values: list[str] = []

    def follow(self, name: str, shape: Any, inside: bool = False) -> None:
        """An argument or a part of one, of that name."""
        kind = shape if isinstance(shape, str) else shape[0]
        if kind == "float" or (inside and shape in ("int", "bool")):
            self.runs.append(Run(name))
        elif kind == "array":
            self.runs.append(Run(name, shape[2], commas=True))
        elif kind == "Value":
            self.values.append(name)
        elif isinstance(shape, str):
            next(self.statics)
        elif isinstance(shape[-1], int):
            self.runs.append(Run(name, shape[2:]))
        else:
            keys = enumerate(shape[1:]) if kind != "dict" else next(self.statics)[1]
            for key, part in zip(keys, shape[1:]):
                at = key[1] if kind == "dict" else key[0]
                self.follow(f"{name}[{at!r}]", part, True)


def _parameters(function: Callable[..., Any]) -> Iterator[str]:
    """What the function calls its arguments by position, as many as there may be."""
    try:
        parameters = [*inspect.signature(function).parameters.values()]
    except (TypeError, ValueError):  # some that C defines do not say
        parameters = []
    by_position = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    single = [x.name for x in parameters if x.kind in by_position]
    several = [x.name for x in parameters if x.kind is inspect.Parameter.VAR_POSITIONAL]
    rest = (several or ["argument"])[0]
    return chain(single, (f"{rest}[{i}]" for i in count()))
