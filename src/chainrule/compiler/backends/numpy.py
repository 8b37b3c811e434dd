"""Runs array programs with NumPy, as generated source that a person can read and step through.

Every block is a buffer made once, every view a view of it made once. What is left for each run is
a list of NumPy calls that write into these buffers.
"""

from __future__ import annotations

import contextvars
import types

import numpy as np

from chainrule import floats
from chainrule.compiler.backends import formulas
from chainrule.compiler.backends.arrays import Arrays
from chainrule.compiler.backends.elementwise import Elementwise
from chainrule.compiler.backends.layout import turned
from chainrule.compiler.backends.source import compiled
from chainrule.compiler.backends.sums import Factor, Product, Sums
from chainrule.compiler.program import (
    Gather,
    Given,
    IndexAdd,
    Lookup,
    Map,
    Part,
    Placed,
    Program,
    Rows,
    Scatter,
    Seed,
    Segments,
    Selected,
    Sum,
    View,
    contiguous,
    read_by,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chainrule.compiler.backends.formulas import Tree


class Runner:
    """A program made ready to run.

    Attributes:
        leaves: the flat vector of the leaves' numbers, to be filled before a run.
        data: that of the data.
        seed: that of the gradient from above, of a derived program whose first output has several
            elements.
        outputs: the blocks asked for, which a run fills.
        program: what is run: the program given, with some blocks transposed.
        source: the generated Python source.

    >>> from chainrule.compiler.program import Data, Leaves, Numbers, Part
    >>> given = [Leaves(3), Numbers([]), Data(0)]
    >>> square = Part(1.0, (3,), 1, [View(0, 0, (1,)), View(0, 0, (1,))])
    >>> runner = Runner(Program([*given, Sum(3, [(None, square)])], [3]))
    >>> runner.leaves[:] = [1.0, 2.0, 3.0]
    >>> runner.run()
    >>> runner.outputs[0].tolist()
    [1.0, 4.0, 9.0]
    >>> print(runner.source)
    # The last argument of each call is where its result goes.
    from numpy import multiply
    <BLANKLINE>
    def forward():
        # b3[3] = sum 1 * b0@0:1 * b0@0:1 over 3|
        multiply(b0, b0, b3)
    <BLANKLINE>
    def backward():
        pass
    <BLANKLINE>
    """

    name = "numpy"

    def __init__(self, program: Program) -> None:
        self.program = turned(program)
        writer = _Writer(self.program)
        self.source = writer.source()
        known = writer.arrays.known
        known |= {"scalar": types.SimpleNamespace(**floats.FUNCTIONS), **formulas.INFINITE}
        self._forward, self._backward = compiled(self, self.source, known)
        self.leaves, self.data = known["b0"], known["b2"]
        made = self.program.instructions
        seeds = [known[f"b{block}"] for block, x in enumerate(made) if isinstance(x, Seed)]
        self.seed = seeds[0] if seeds else None
        self.outputs = [known[f"b{block}"] for block in self.program.outputs]
        # What is not a number comes out as inf or nan, without a warning. To run in a copy of this
        # context takes a tenth of the time of `np.errstate`.
        self._quiet = contextvars.copy_context()
        self._quiet.run(np.seterr, all="ignore")

    def forward(self) -> None:
        """Compute the outputs but for the gradient."""
        self._quiet.copy().run(self._forward)

    def backward(self) -> None:
        """Compute the gradient, of the numbers that the latest forward pass found."""
        self._quiet.copy().run(self._backward)

    def run(self) -> None:
        """Compute all outputs."""
        self.forward()
        self.backward()


def _nothing(lines: list[str]) -> list[str]:
    """What a function does that has no lines but comments: a sum of nothing is made beforehand."""
    return [] if any(not line.startswith("#") for line in lines) else ["pass"]


class _Writer:
    """Writes the source of a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.arrays = Arrays(program)
        self._inlined = formulas.inlined(program)
        self._last_read = _last_read(program, self._inlined)
        self._numbers = program.instructions[1].numbers  # type: ignore[union-attr]
        self._places: dict[Any, str] = {}
        self._shared: set[int] = set()  # blocks in the same place as another that is still read

    def source(self) -> str:
        lines: list[list[str]] = [[], []]
        for block, made in enumerate(self.program.instructions):
            self.arrays.begin()
            if not isinstance(made, Given) and block not in self._inlined:
                part = lines[block >= self.program.forward]
                part += [f"# b{block}[{made.size}] = {made}", *self._lines(block, made)]
        bodies = [
            "\n    ".join([f"def {name}():", *part, *_nothing(part)])
            for name, part in zip(("forward", "backward"), lines)
        ]
        functions = sorted(self.arrays.functions)
        head = ["# The last argument of each call is where its result goes."]
        head += [f"from numpy import {', '.join(functions)}"] if functions else []
        return "\n\n".join(["\n".join(head), *bodies]) + "\n"

    def _lines(self, block: int, made: Any) -> list[str]:
        """One instruction, some lines."""
        if made.size == 1:
            line = self._on_floats(block, made)
            if line:
                return [line]
        if isinstance(made, Sum):
            return Sums(self.arrays, block).write(made)
        if isinstance(made, Map | Selected):
            return self._elementwise(block, made)
        return self._placed(block, made)

    # ---- elementwise ----

    def _elementwise(self, block: int, made: Map | Selected) -> list[str]:
        tree = self._formula(made)
        copied = self._copied(block, made, tree)
        if copied is not None:
            self.arrays.share(block, copied)
            self._shared |= {block, copied}
            return []
        place = View(block, 0, contiguous(made.dims))
        for view in made.operands if isinstance(made, Map) else [made.gradient]:
            if self._may_overwrite(block, made, view):
                place = view
                self.arrays.share(block, view.block)
                break
        write = Elementwise(self.arrays, made.dims)
        write.into(self.arrays.view(place, made.dims), tree)
        return write.lines

    def _copied(self, block: int, made: Map | Selected, tree: Tree) -> int | None:
        """The block that an instruction only repeats, like the derivative of exp its value."""
        for view in made.operands if isinstance(made, Map) else []:
            source = self.program.instructions[view.block]
            whole = (view.offset, view.strides) == (0, contiguous(made.dims))
            inside = not isinstance(source, Given) and block not in self.program.outputs
            if whole and inside and tree == self._operand(view, made.dims):
                return view.block if source.size == made.size else None
        return None

    def _tree(self, made: Map) -> Tree:
        """The formula of a map, of arrays and numbers."""
        return formulas.of_map(made, [self._operand(view, made.dims) for view in made.operands])

    def _operand(self, view: View, dims: Sequence[int]) -> Tree:
        """A view, or the number that it is throughout."""
        if view.block == 1 and not any(s for s, n in zip(view.strides, dims) if n > 1):
            return formulas.number(self._numbers[view.offset])
        if all(n == 1 for n in dims):
            return ("name", f"b{view.block}.item({view.offset})")
        return ("name", self.arrays.view(view, dims))

    def _formula(self, made: Map | Selected) -> Tree:
        """What a map or a choice computes; a slope that nobody else reads is written out."""
        if isinstance(made, Map):
            return self._tree(made)
        slope = self.program.instructions[made.slope.block]
        if made.slope.block in self._inlined and isinstance(slope, Map):
            tree = self._tree(slope)
        else:
            tree = self._operand(made.slope, made.dims)
        return formulas.selected(self._operand(made.gradient, made.dims), tree)

    def _may_overwrite(self, block: int, made: Map | Selected, view: View) -> bool:
        """Whether an operand's block is of the same pass, and not needed after this."""
        dead = self.program.instructions[view.block]
        passing = isinstance(dead, Sum | Map | Selected) and view.block not in self._shared
        if not passing or self._last_read[view.block] != block:
            return False
        same_pass = (view.block < self.program.forward) == (block < self.program.forward)
        readers = [made, *[self.program.instructions[k] for k in self._inlined & _sources(made)]]
        reads = [v for x in readers for v, _ in read_by(x) if v.block == view.block]
        whole = all((v.offset, v.strides) == (0, contiguous(made.dims)) for v in reads)
        return same_pass and whole and dead.size == made.size

    # ---- elements by their places ----

    def _placed(self, block: int, made: Placed) -> list[str]:
        source, out = f"b{made.block}", f"b{block}"
        if isinstance(made, Segments):
            starts = self.arrays.indices(block, made.starts)
            return [self.arrays.call(f"{made.op}.reduceat", source, starts, "0", "None", out)]
        if isinstance(made, Lookup | IndexAdd):
            places, lines = self._rows(block, made.rows)
        else:
            places, lines = self.arrays.indices(block, made.indices), []
        if isinstance(made, Gather | Lookup):
            return [*lines, f'{source}.take({places}, None, {out}, "clip")']
        if isinstance(made, Scatter) and len(set(made.indices)) == len(made.indices):
            return [f"{out}[{places}] = {source}"]  # the rest of the block stays 0
        sums = self.arrays.call("bincount", places, source, str(made.size))
        return [*lines, f"{out}[:] = {sums}"]

    def _rows(self, block: int, rows: Rows) -> tuple[str, list[str]]:
        """The name of places that are data, and the lines that compute them."""
        which = self.arrays.view(rows.which, rows.dims)
        key = rows.indices, rows.stride, which
        if key in self._places:
            return self._places[key], []
        name = self._places[key] = f"rows_{block}"
        shaped, stride = f"{name}_of_{which}", f"stride_{block}"
        places = np.zeros(rows.dims, dtype=np.intp)
        self.arrays.known |= {name: places.reshape(-1), shaped: places}
        self.arrays.known[stride] = np.array(rows.stride)
        first = self.arrays.indices(block, rows.indices)
        return name, [
            self.arrays.call("copyto", shaped, which, '"unsafe"'),  # they are whole numbers
            self.arrays.call("multiply", name, stride, name),
            self.arrays.call("add", name, first, name),
        ]

    # ---- single numbers, for which Python is faster ----

    def _on_floats(self, block: int, made: Any) -> str:
        """The line for a block of one element, or nothing if it is made of arrays."""
        if isinstance(made, Sum):
            terms = [self._number(part) for _, part in made.parts]
            text = " + ".join(terms) if all(terms) else ""
        elif isinstance(made, Map | Selected):
            tree = self._formula(made)
            for op in formulas.user_ops(tree):
                self.arrays.known[f"op_{op}"] = formulas.function_on_floats(("call", op))
            text = formulas.on_floats(tree, "scalar.")
        else:
            return ""
        return f"b{block}[0] = {text}" if text else ""

    def _number(self, part: Part) -> str:
        """A part as an expression of floats, if it has at most one axis, which is summed."""
        product = Product(part, Factor("", 0, [0] * part.kept), self._numbers)
        scale = formulas.literal(repr(float(product.scale)))
        if len(product.dims) > 1 or len(product.factors) > 2:
            return ""
        if product.dims:
            names = [
                self.arrays.strided(f.base, f.offset, product.dims, f.strides)
                for f in product.factors
            ]
            text = f"{names[0]}.dot({[*names, self.arrays.ones(product.dims[0])][1]})"
        else:
            text = " * ".join(f"{f.base}.item({f.offset})" for f in product.factors)
        if product.scale == 1.0 and text:
            return text
        return f"{scale} * {text}" if text else scale


def _sources(made: Map | Selected) -> set[int]:
    return {view.block for view, _ in read_by(made)}


def _last_read(program: Program, inlined: set[int]) -> list[float]:
    """The last instruction that reads each block; what is asked for is read after all."""
    readers = formulas.readers(program)
    last = [float(max(found, default=-1)) for found in readers]
    for block in inlined:  # what it reads is read where it is used
        for view, _ in read_by(program.instructions[block]):
            last[view.block] = max(last[view.block], last[block])
    for block in program.outputs:
        last[block] = float("inf")
    return last
