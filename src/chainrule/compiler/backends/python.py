"""Runs array programs as plain Python, one line for each number: for programs with little to group.

A NumPy call takes as long as twenty operations on floats. Where blocks are that short, as they are
in a graph in which no two values are alike, the same instructions written out element by element
are faster. Elements that are only moved, by gathers and copies, are names and cost nothing.
"""

from __future__ import annotations

import math
import re

import numpy as np

from chainrule import floats
from chainrule.compiler.backends import formulas
from chainrule.compiler.backends.source import compiled
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
    Segments,
    Selected,
    Sum,
    View,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chainrule.compiler.backends.formulas import Tree

_NAME = re.compile(r"\bb\d+_\d+\b")
_LAST_GIVEN = 2  # the first three blocks are leaves, numbers and data, which need no line
_TERMS = 16  # of one line: a longer expression nests deeper than the compiler of Python likes


class Runner:
    """A program made ready to run, as straight Python code over floats.

    Its attributes are those of the runner with NumPy.

    >>> from chainrule.compiler.program import Data, Leaves, Numbers
    >>> given = [Leaves(2), Numbers([0.5]), Data(0)]
    >>> product = Part(1.0, (1,), 1, [View(0, 0, (0,)), View(0, 1, (0,)), View(1, 0, (0,))])
    >>> runner = Runner(Program([*given, Sum(1, [(None, product)])], [3]))
    >>> runner.leaves[:] = [3.0, 4.0]
    >>> runner.run()
    >>> runner.outputs[0].tolist()
    [6.0]
    >>> print(runner.source)
    def forward():
        (b0_0, b0_1) = b0.tolist()
        # b3[1] = sum 1 * b0@0:0 * b0@1:0 * b1@0:0 over 1|
        b3_0 = b0_0 * b0_1 * 0.5
        b3[:] = (b3_0,)
        return ()
    <BLANKLINE>
    def backward(kept):
        () = kept
    <BLANKLINE>
    """

    name = "python"

    def __init__(self, program: Program) -> None:
        self.program = program
        writer = _Writer(program)
        self.source = writer.source()
        arrays = {
            f"b{block}": np.zeros(made.size)
            for block, made in enumerate(program.instructions)
            if isinstance(made, Given) or block in program.outputs
        }
        arrays["b1"][:] = writer.numbers
        known = {**floats.FUNCTIONS, **formulas.INFINITE, **writer.known, **arrays}
        self._forward, self._backward = compiled(self, self.source, known)
        self._kept: Any = None
        self.leaves, self.data = arrays["b0"], arrays["b2"]
        made = enumerate(program.instructions)
        seeds = [arrays[f"b{block}"] for block, x in made if isinstance(x, Seed)]
        self.seed = seeds[0] if seeds else None
        self.outputs = [arrays[f"b{block}"] for block in program.outputs]

    def forward(self) -> None:
        """Compute the outputs but for the gradient."""
        self._kept = self._forward()

    def backward(self) -> None:
        """Compute the gradient, of the numbers that the latest forward pass found."""
        self._backward(self._kept)

    def run(self) -> None:
        """Compute all outputs."""
        self._backward(self._forward())


class _Writer:
    """Writes the source of a program.

    Attributes:
        known: what the source needs besides the functions of floats.
        numbers: those of the program.
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.known: dict[str, Any] = {}
        self.numbers = program.instructions[1].numbers  # type: ignore[union-attr]
        self._inlined = formulas.inlined(program)
        self._names: list[list[str]] = []  # of each element of each block
        self._lines: list[str] = []

    def source(self) -> str:
        """Both functions; what the second needs of the first is returned by that."""
        blocks = range(len(self.program.instructions))
        first, second = (
            self._function([block for block in blocks if (block >= self.program.forward) == part])
            for part in (False, True)
        )
        needed = dict.fromkeys(_NAME.findall("\n".join(second)))
        found = set(_NAME.findall("\n".join(first)))
        kept = _tuple([name for name in needed if name in found])
        first.append(f"return {kept}")
        bodies = ["def forward():", *first], ["def backward(kept):", f"{kept} = kept", *second]
        return "\n\n".join("\n    ".join(lines) for lines in bodies) + "\n"

    def _function(self, blocks: Sequence[int]) -> list[str]:
        """The lines of some instructions, and of the outputs among them."""
        self._lines = []
        for block in blocks:
            made = self.program.instructions[block]
            if not isinstance(made, Given):
                self._lines.append(f"# b{block}[{made.size}] = {made}")
            self._names.append(self._made(block, made))
        for block in blocks:
            if block in self.program.outputs and block > _LAST_GIVEN:
                self._lines.append(f"b{block}[:] = {_tuple(self._names[block])}")
        return self._lines

    # ---- one instruction: the names of its elements ----

    def _made(self, block: int, made: Any) -> list[str]:
        if isinstance(made, Given):
            return self._given(block, made)
        if isinstance(made, Sum):
            return [self._added(block, k, terms) for k, terms in enumerate(self._terms(made))]
        if isinstance(made, Map | Selected):
            return self._elementwise(block, made)
        if isinstance(made, Segments):
            return self._segments(block, made)
        source = self._names[made.block]
        if isinstance(made, Gather):
            return [source[place] for place in made.indices]
        if isinstance(made, Lookup):
            chosen = self._chosen(made.rows)
            return [
                self._line(block, k, f"{_tuple([source[place] for place in places])}[int({which})]")
                for k, (places, which) in enumerate(chosen)
            ]
        terms: list[list[str]] = [[] for _ in range(made.size)]
        for name, places in zip(source, self._targets(made)):
            for place, condition in places:
                text = f"({name} if {condition} else 0.0)" if condition else name
                terms[place].append(text)
        return [self._added(block, k, found) for k, found in enumerate(terms)]

    def _given(self, block: int, made: Given) -> list[str]:
        if isinstance(made, Numbers):
            return [formulas.literal(repr(number)) for number in made.numbers]
        names = [f"b{block}_{k}" for k in range(made.size)]
        if names:
            self._lines.append(f"{_tuple(names)} = b{block}.tolist()")
        return names

    def _elementwise(self, block: int, made: Map | Selected) -> list[str]:
        if block in self._inlined:
            return []
        trees = self._trees(made)
        return [self._computed(block, k, tree) for k, tree in enumerate(trees)]

    def _trees(self, made: Map | Selected) -> list[Tree]:
        """The formula of each element."""
        if isinstance(made, Map):
            columns = [self._column(view, made.dims) for view in made.operands]
            return [formulas.of_map(made, operands) for operands in zip(*columns)]
        slope = self.program.instructions[made.slope.block]
        if isinstance(slope, Map) and made.slope.block in self._inlined:
            slopes = self._trees(slope)
        else:
            slopes = self._column(made.slope, made.dims)
        gradients = self._column(made.gradient, made.dims)
        return list(map(formulas.selected, gradients, slopes))

    def _column(self, view: View, dims: Sequence[int]) -> list[Tree]:
        """The elements of a view as trees."""
        names = self._names[view.block]
        return [
            formulas.number(self.numbers[place]) if view.block == 1 else ("name", names[place])
            for place in view.places(dims)
        ]

    def _segments(self, block: int, made: Segments) -> list[str]:
        """Runs of a block, each from a start to the next."""
        source = self._names[made.block]
        runs = [source[a:b] for a, b in zip(made.starts, [*made.starts[1:], len(source)])]
        if made.op == "add":
            return [self._added(block, k, run) for k, run in enumerate(runs)]
        names = []
        for k, run in enumerate(runs):
            name = run[0]
            for other in run[1:]:
                tree = formulas.value_of(made.op, [("name", name), ("name", other)])
                name = self._line(block, k, formulas.on_floats(tree))
            names.append(name)
        return names

    def _chosen(self, rows: Rows) -> list[tuple[list[int], str]]:
        """Of each element its places, one for each row, and the name of the number of the row."""
        names = self._names[rows.which.block]
        return [
            ([first + rows.stride * row for row in range(rows.count)], names[place])
            for first, place in zip(rows.indices, rows.which.places(rows.dims))
        ]

    def _targets(self, made: Scatter | IndexAdd) -> list[list[tuple[int, str]]]:
        """Where each element is added: the places, each with its condition if it has one."""
        if isinstance(made, Scatter):
            return [[(place, "")] for place in made.indices]
        return [
            [(place, f"{which} == {row}") for row, place in enumerate(places)]
            for places, which in self._chosen(made.rows)
        ]

    # ---- sums ----

    def _terms(self, made: Sum) -> list[list[str]]:
        """The terms of each element, in the order of the parts."""
        terms: list[list[str]] = [[] for _ in range(made.size)]
        for target, part in made.parts:
            kept = part.dims[: part.kept]
            places = range(made.size) if target is None else target.places(kept)
            products = self._products(part)
            count = math.prod(part.dims[part.kept :])
            for k, place in enumerate(places):
                terms[place] += products[k * count : (k + 1) * count]
        return terms

    def _products(self, part: Part) -> list[str]:
        """The product of the factors, for each element of the dims."""
        columns = [[self._names[f.block][i] for i in f.places(part.dims)] for f in part.factors]
        if not columns:
            return [formulas.literal(repr(part.scale))] * math.prod(part.dims)
        scale = {1.0: "", -1.0: "-"}.get(part.scale, f"{part.scale!r} * ")
        return [scale + " * ".join(factors) for factors in zip(*columns)]

    def _added(self, block: int, k: int, terms: Sequence[str]) -> str:
        """The name of a sum; of a sum of one name, that name."""
        if len(terms) <= 1 and (not terms or terms[0].isidentifier()):
            return terms[0] if terms else "0.0"
        name = self._line(block, k, _sum(terms[:_TERMS]))
        for start in range(_TERMS, len(terms), _TERMS):
            self._line(block, k, _sum([name, *terms[start : start + _TERMS]]))
        return name

    # ---- lines ----

    def _computed(self, block: int, k: int, tree: Tree) -> str:
        """The name of a formula's result; of a formula that is a name or a number, that."""
        if tree[0] == "name":
            return str(tree[1])
        for op in formulas.user_ops(tree):
            self.known[f"op_{op}"] = formulas.function_on_floats(("call", op))
        text = formulas.on_floats(tree)
        return text if tree[0] == "number" else self._line(block, k, text)

    def _line(self, block: int, k: int, text: str) -> str:
        name = f"b{block}_{k}"
        self._lines.append(f"{name} = {text}")
        return name


def _sum(terms: Sequence[str]) -> str:
    """Terms as one expression; a minus before a term is the sum's."""
    first, *rest = terms
    return first + "".join(f" - {x[1:]}" if x[0] == "-" else f" + {x}" for x in rest)


def _tuple(names: Sequence[str]) -> str:
    return f"({names[0]},)" if len(names) == 1 else f"({', '.join(names)})"
