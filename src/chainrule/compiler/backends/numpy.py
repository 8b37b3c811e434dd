"""Runs array programs with NumPy, as generated source that a person can read and step through.

Every block is a buffer made once, every view a view of it made once. What is left for each run is
a list of NumPy calls that write into these buffers.
"""

from __future__ import annotations

import itertools
import linecache
import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chainrule.compiler.program import (
    Gather,
    Given,
    IndexAdd,
    Lookup,
    Map,
    Numbers,
    Part,
    Program,
    Rows,
    Scatter,
    Seed,
    Selected,
    Sum,
    View,
    contiguous,
)
from chainrule.ops import TABLE, OnValues, python_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_FUNCTIONS: dict[str, Any] = {
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "atan2": np.arctan2,
    "equal": np.equal,
    "where": np.where,
    "sign": lambda a: np.nan_to_num(np.sign(a), nan=0.0),
    "erf": lambda a: _elementwise(math.erf)(a),
}
_FUNCTIONS |= {
    name: getattr(np, name)
    for name in (
        *("exp", "expm1", "log", "log1p", "sqrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("abs", "floor", "maximum", "minimum"),
    )
}
_FUNCTIONS |= {"div": np.divide, "pow": np.power}
_number = itertools.count(1)


class Runner:
    """A program made ready to run.

    Attributes:
        leaves: the flat vector of the leaves' numbers, to be filled before a run.
        data: that of the data.
        seed: that of the gradient from above, of a derived program whose first output has several
            elements.
        outputs: the blocks asked for, which a run fills.
        source: the generated Python source of `run`.

    >>> from chainrule.compiler.program import Data, Leaves
    >>> given = [Leaves(3), Numbers([]), Data(0)]
    >>> square = Part(1.0, (3,), 1, [View(0, 0, (1,)), View(0, 0, (1,))])
    >>> runner = Runner(Program([*given, Sum(3, [(None, square)])], [3]))
    >>> runner.leaves[:] = [1.0, 2.0, 3.0]
    >>> runner.run()
    >>> runner.outputs[0].tolist()
    [1.0, 4.0, 9.0]
    """

    def __init__(self, program: Program) -> None:
        self._names: dict[str, Any] = {"np": np}
        self._views: dict[Any, str] = {}
        self._program = program
        lines = []
        for block, made in enumerate(program.instructions):
            self._names[f"b{block}"] = _buffer(made)
            if not isinstance(made, Given):
                lines += [f"# b{block} = {made}", *self._lines(block, made)]
        lines = lines or ["pass"]
        self.source = "\n    ".join(["def run():", *lines]) + "\n"
        self.leaves, self.data = self._names["b0"], self._names["b2"]
        seeds = [b for b, made in enumerate(program.instructions) if isinstance(made, Seed)]
        self.seed = self._names[f"b{seeds[0]}"] if seeds else None
        self.outputs = [self._names[f"b{block}"] for block in program.outputs]
        self._run = _compiled(self.source, self._names)

    def run(self) -> None:
        """Compute the outputs; what is not a number comes out as inf or nan, without a warning."""
        with np.errstate(all="ignore"):
            self._run()

    # ---- one instruction, some lines ----

    def _lines(self, block: int, made: Any) -> list[str]:
        if isinstance(made, Sum):
            return self._sum(block, made)
        if isinstance(made, Map):
            return [self._map(block, made)]
        if isinstance(made, Selected):
            return self._selected(block, made)
        if isinstance(made, Gather):
            indices = self._bound(np.array(made.indices, dtype=np.intp))
            return [f"b{made.block}.take({indices}, out=b{block}, mode='clip')"]
        if isinstance(made, Scatter):
            indices = self._bound(np.array(made.indices, dtype=np.intp))
            sums = f"np.bincount({indices}, weights=b{made.block}, minlength={made.size})"
            return [f"np.copyto(b{block}, {sums})"]
        if isinstance(made, Lookup):
            places = self._rows(made.rows)
            return [f"b{made.block}.take({places}, out=b{block}, mode='clip')"]
        if isinstance(made, IndexAdd):
            places = self._rows(made.rows)
            sums = f"np.bincount({places}, weights=b{made.block}, minlength={made.size})"
            return [f"np.copyto(b{block}, {sums})"]
        starts = self._bound(np.array(made.starts, dtype=np.intp))
        return [f"np.{made.op}.reduceat(b{made.block}, {starts}, out=b{block})"]

    def _rows(self, rows: Rows) -> str:
        """The expression of places that are data."""
        indices = self._bound(np.array(rows.indices, dtype=np.intp))
        which = self._view(rows.which, rows.dims)
        return f"{indices} + {rows.stride} * {which}.astype(np.intp).ravel()"

    def _map(self, block: int, made: Map) -> str:
        row = TABLE[made.op]
        arguments = ", ".join(self._view(v, made.dims) for v in made.operands)
        out = self._whole(block, made.dims)
        if made.rule is None and isinstance(_FUNCTIONS.get(made.op), np.ufunc):
            return f"np.{_FUNCTIONS[made.op].__name__}({arguments}, out={out})"
        if made.op == "relu" and made.rule is None:
            return f"np.maximum({arguments}, 0.0, out={out})"
        name = made.op if made.rule is None else f"d{made.op}_{row.operands[made.rule]}"
        self._names[name] = on_arrays(made.op, made.rule)
        return f"np.copyto({out}, {name}({arguments}))"

    def _selected(self, block: int, made: Selected) -> list[str]:
        gradient, slope = (self._view(v, made.dims) for v in (made.gradient, made.slope))
        out, mask = self._whole(block, made.dims), self._bound(np.empty(made.dims, dtype=bool))
        return [
            f"np.multiply({gradient}, {slope}, out={out})",
            f"np.equal({slope}, 0.0, out={mask})",
            f"np.copyto({out}, 0.0, where={mask})",
        ]

    def _sum(self, block: int, made: Sum) -> list[str]:
        """The whole parts first; the first of all is written where others are added."""
        parts = sorted(made.parts, key=lambda pair: pair[0] is not None)
        lines = []
        fresh = bool(parts) and parts[0][0] is None
        if not fresh:
            lines.append(f"b{block}.fill(0.0)")
        for target, part in parts:
            kept = part.dims[: part.kept]
            out = self._whole(block, kept) if target is None else self._view(target, kept, block)
            lines += self._part(part, out, fresh)
            fresh = False
        return lines

    def _part(self, part: Part, out: str, fresh: bool) -> list[str]:
        """Write a part to `out`, or add it to what is there."""
        scale, factors = self._without_numbers(part)
        kept = part.dims[: part.kept]
        if not factors:
            number = repr(scale * math.prod(part.dims[part.kept :]))
            return [f"{out}.fill({number})" if fresh else f"np.add({out}, {number}, out={out})"]
        if len(factors) == 1 and part.kept == len(part.dims):
            return _accumulated(self._view(factors[0], part.dims), out, scale, fresh)
        if fresh:
            lines = [self._product(part, factors, out)]
            return lines if scale == 1.0 else [*lines, f"np.multiply({out}, {scale!r}, out={out})"]
        term = self._bound(np.empty(kept))
        return [self._product(part, factors, term), *_accumulated(term, out, scale, fresh)]

    def _without_numbers(self, part: Part) -> tuple[float, list[View]]:
        """The scale, with the numbers that all elements share, and the other factors."""
        scale, factors = part.scale, []
        for factor in part.factors:
            made = self._program.instructions[factor.block]
            if isinstance(made, Numbers) and not any(factor.strides):
                scale *= made.numbers[factor.offset]
            else:
                factors.append(factor)
        return scale, factors

    def _product(self, part: Part, factors: Sequence[View], out: str) -> str:
        """The call that multiplies the factors and sums, all at once."""
        dims, kept = part.dims, part.kept
        summed = tuple(range(kept, len(dims)))
        if len(factors) == 1:
            return f"np.add.reduce({self._view(factors[0], dims)}, axis={summed}, out={out})"
        if len(factors) == 2 and not summed:
            left, right = (self._view(f, dims) for f in factors)
            return f"np.multiply({left}, {right}, out={out})"
        if len(factors) == 2:
            call = self._matmul(part, factors, out)
            if call:
                return call
        return self._einsum(part, factors, out)

    def _matmul(self, part: Part, factors: Sequence[View], out: str) -> str:
        """A matrix product, if one factor has rows and the other columns; else nothing."""
        axes = range(len(part.dims))
        owner = [tuple(f.strides[axis] != 0 for f in factors) for axis in axes]
        rows = [axis for axis in axes[: part.kept] if owner[axis] == (True, False)]
        columns = [axis for axis in axes[: part.kept] if owner[axis] == (False, True)]
        inner = list(axes[part.kept :])
        both = all(owner[axis] == (True, True) for axis in inner)
        if len(rows) + len(columns) != part.kept or len(inner) != 1 or not both:
            return ""
        if len(rows) > 1 or len(columns) > 1:
            return ""
        left = self._view(*_picked(factors[0], part.dims, [*rows, *inner]))
        right = self._view(*_picked(factors[1], part.dims, [*inner, *columns]))
        if rows and columns and rows > columns:
            right = self._view(*_picked(factors[1], part.dims, [*columns, *inner]))
            left = self._view(*_picked(factors[0], part.dims, [*inner, *rows]))
            left, right = right, left
        return f"np.matmul({left}, {right}, out={out})"

    def _einsum(self, part: Part, factors: Sequence[View], out: str) -> str:
        """The general sum of products; a dim that no factor has is given to the first."""
        axes = range(len(part.dims))
        has = [[axis for axis in axes if f.strides[axis]] for f in factors]
        has[0] = [axis for axis in axes if axis in has[0] or not any(axis in h for h in has)]
        letters = "abcdefghijklmnop"
        spelled = ",".join("".join(letters[axis] for axis in h) for h in has)
        spelled += "->" + letters[: part.kept]
        views = [self._view(*_picked(f, part.dims, h)) for f, h in zip(factors, has)]
        return f"np.einsum('{spelled}', {', '.join(views)}, out={out}, optimize=True)"

    # ---- names for arrays ----

    def _view(self, view: View, dims: Sequence[int], block: int | None = None) -> str:
        """The name of a view of a block, as an array of these dims."""
        source = f"b{view.block if block is None else block}"
        key = (source, view.offset, view.strides, tuple(dims))
        if key not in self._views:
            buffer = self._names[source]
            strides = [8 * stride for stride in view.strides]
            array = as_strided(buffer[view.offset :], tuple(dims), strides)
            self._views[key] = self._bound(array, f"{source}_")
        return self._views[key]

    def _whole(self, block: int, dims: Sequence[int]) -> str:
        """The name of a block as an array of these dims."""
        return self._view(View(block, 0, contiguous(dims)), dims)

    def _bound(self, array: Any, stem: str = "t") -> str:
        name = f"{stem}{len(self._names)}"
        self._names[name] = array
        return name


def on_arrays(op: str, rule: int | None) -> Any:
    """The value of a row, or a derivative by (y, *operands), as a function of arrays."""
    row = TABLE[op]
    if rule is not None:
        return python_function(row.derivatives[rule], ("y", *row.operands), _OnArrays())
    if op in _FUNCTIONS:
        return _FUNCTIONS[op]
    if not isinstance(row.value, str):
        return _elementwise(lambda *operands: row.local(*operands)[0])
    return python_function(row.value, row.operands, _OnArrays())


class _OnArrays(OnValues):
    """Formulas of arrays, in which a condition chooses element by element."""

    def function(self, name: str) -> Any:
        return _FUNCTIONS.get(name) or on_arrays(super().function(name).name, None)


def _elementwise(function: Callable[..., float]) -> Callable[..., Any]:
    """A function of floats, applied to each element."""

    def on_elements(*arrays: Any) -> Any:
        return np.frompyfunc(function, len(arrays), 1)(*arrays).astype(float)

    return on_elements


def _accumulated(term: str, out: str, scale: float, fresh: bool) -> list[str]:
    """Lines that write scale * term to `out`, or add it to what is there."""
    if fresh:
        return [f"np.multiply({term}, {scale!r}, out={out})"]
    if scale == 1.0:
        return [f"np.add({out}, {term}, out={out})"]
    if scale == -1.0:
        return [f"np.subtract({out}, {term}, out={out})"]
    return [f"np.add({out}, {scale!r} * {term}, out={out})"]


def _picked(view: View, dims: Sequence[int], axes: Sequence[int]) -> tuple[View, list[int]]:
    """A view with some of its axes, in that order, and their dims."""
    strides = [view.strides[axis] for axis in axes]
    return View(view.block, view.offset, strides), [dims[axis] for axis in axes]


def _buffer(made: Any) -> Any:
    """The array of a block: the numbers of the expression, or room for what will be computed."""
    return np.array(made.numbers) if isinstance(made, Numbers) else np.zeros(made.size)


def _compiled(source: str, names: dict[str, Any]) -> Callable[[], None]:
    """The function of a generated source, which tracebacks and debuggers can show."""
    filename = f"<chainrule program {next(_number)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)
    return names["run"]  # type: ignore[no-any-return]
