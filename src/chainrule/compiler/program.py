"""The array program: what a scalar graph becomes when equal work is done together.

    program     := instruction*
    instruction := block "[" size "]" "=" right
    right       := "leaves"                                   the leaves, in one flat vector
                 | "numbers" number*                          the numbers of the expression
                 | "gather" block indices                     elements of a block, in any order
                 | "segments" op block starts                 sums, or greatest, of runs of a block
                 | "scatter" block indices                    the transpose of gather: adds up
                 | "map" formula "(" view ("," view)* ")"     an op, elementwise
                 | "selected" "(" view "," view ")"           g * d, and nothing where d is 0
                 | "sum" (part | target "+=" part)+           sums of products
    part        := scale ("*" view)* "over" dims "|" dims     the dims before | stay, the others
                                                              are summed over
    view        := block offset ":" strides                   one stride for each dim; 0 repeats

Blocks are flat. A view reads a block as an array of some dims without moving anything: matrix
products, broadcasting and convolutions are all sums of products of views.
"""

from __future__ import annotations

import functools
import itertools
import math

from chainrule.errors import ProgramError
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import Any


class View:
    """A block read as an array: element (i, j, ...) is at offset + i * stride + j * stride ..."""

    __slots__ = ("block", "offset", "strides")

    def __init__(self, block: int, offset: int, strides: Sequence[int]) -> None:
        self.block = block
        self.offset = offset
        self.strides = tuple(strides)

    def places(self, dims: Sequence[int]) -> Iterator[int]:
        """Where in the block each element is, the last dim running fastest."""
        steps = [range(0, n * s, s) if s else [0] * n for n, s in zip(dims, self.strides)]
        return (self.offset + sum(at) for at in itertools.product(*steps))

    def __str__(self) -> str:
        return f"b{self.block}@{self.offset}:{'x'.join(map(str, self.strides))}"


class Part:
    """scale times the product of the factors, summed over all dims but the first `kept`."""

    __slots__ = ("dims", "factors", "kept", "scale")

    def __init__(
        self, scale: float, dims: Sequence[int], kept: int, factors: Sequence[View]
    ) -> None:
        self.scale = scale
        self.dims = tuple(dims)
        self.kept = kept
        self.factors = tuple(factors)

    def __str__(self) -> str:
        kept, summed = self.dims[: self.kept], self.dims[self.kept :]
        product = " * ".join([f"{self.scale:g}", *map(str, self.factors)])
        return f"{product} over {'x'.join(map(str, kept))}|{'x'.join(map(str, summed))}"


class Leaves:
    """The leaves' numbers."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def __str__(self) -> str:
        return "leaves"


class Numbers:
    """The numbers that stand in the expression, each once."""

    __slots__ = ("numbers", "size")

    def __init__(self, numbers: Sequence[float]) -> None:
        self.numbers = tuple(numbers)
        self.size = len(self.numbers)

    def __str__(self) -> str:
        return f"numbers {_shown(self.numbers)}"


class Gather:
    """Elements of a block, by their places."""

    __slots__ = ("block", "indices", "size")

    def __init__(self, block: int, indices: Sequence[int]) -> None:
        self.block = block
        self.indices = tuple(indices)
        self.size = len(self.indices)

    def __str__(self) -> str:
        return f"gather b{self.block} {_shown(self.indices)}"


class Segments:
    """Consecutive runs of a block, each from a start to the next, made one by an op.

    Attributes:
        op: "add", or "maximum", which passes no gradient.
    """

    __slots__ = ("block", "op", "size", "starts")

    def __init__(self, block: int, starts: Sequence[int], op: str = "add") -> None:
        self.block = block
        self.starts = tuple(starts)
        self.op = op
        self.size = len(self.starts)

    def __str__(self) -> str:
        return f"segments {self.op} b{self.block} {_shown(self.starts)}"


class Scatter:
    """A block of zeros to which the elements of another are added, by their places."""

    __slots__ = ("block", "indices", "size")

    def __init__(self, block: int, indices: Sequence[int], size: int) -> None:
        self.block = block
        self.indices = tuple(indices)
        self.size = size

    def __str__(self) -> str:
        return f"scatter b{self.block} {_shown(self.indices)}"


class Map:
    """An op or one of its derivatives, elementwise.

    Attributes:
        op: the name of a row of the table.
        rule: which of its derivatives, None for the value. A derivative takes the value first.
        operands: a view of the dims for each argument.
    """

    __slots__ = ("dims", "op", "operands", "rule", "size")

    def __init__(
        self, op: str, rule: int | None, dims: Sequence[int], operands: Sequence[View]
    ) -> None:
        self.op = op
        self.rule = rule
        self.dims = tuple(dims)
        self.operands = tuple(operands)
        self.size = math.prod(dims)

    def __str__(self) -> str:
        what = self.op if self.rule is None else f"d{self.op}/d{self.rule}"
        return (
            f"map {what}({', '.join(map(str, self.operands))}) over {'x'.join(map(str, self.dims))}"
        )


class Selected:
    """g * d, elementwise, and 0 where d is 0: what an op that selects passes to an operand."""

    __slots__ = ("dims", "gradient", "size", "slope")

    def __init__(self, dims: Sequence[int], gradient: View, slope: View) -> None:
        self.dims = tuple(dims)
        self.gradient = gradient
        self.slope = slope
        self.size = math.prod(dims)

    def __str__(self) -> str:
        return f"selected({self.gradient}, {self.slope}) over {'x'.join(map(str, self.dims))}"


class Sum:
    """Parts added up: each in the whole block or, where it has a target, in that view of it."""

    __slots__ = ("parts", "size")

    def __init__(self, size: int, parts: Sequence[tuple[View | None, Part]]) -> None:
        self.size = size
        self.parts = tuple(parts)

    def __str__(self) -> str:
        return "sum " + "  +  ".join(
            f"{part}" if target is None else f"({target}) += {part}" for target, part in self.parts
        )


Instruction = Leaves | Numbers | Gather | Segments | Scatter | Map | Selected | Sum


class Program:
    """Instructions, each of which makes the block of its number, and the blocks asked for.

    >>> half = Part(0.5, (3,), 1, [View(0, 0, (1,))])
    >>> program = Program([Leaves(3), Sum(3, [(None, half)])], [1])
    >>> print(program)
    b0[3] = leaves
    b1[3] = sum 0.5 * b0@0:1 over 3|
    return b1
    """

    def __init__(self, instructions: Sequence[Instruction], outputs: Sequence[int]) -> None:
        self.instructions = list(instructions)
        self.outputs = list(outputs)

    def check(self) -> None:
        """Raise unless every view stays in an earlier block, or a target in its own.

        Raises:
            ProgramError: as said, with the instruction.
        """
        for block, made in enumerate(self.instructions):
            views = [(view, dims, block - 1) for view, dims in read_by(made)]
            if isinstance(made, Sum):
                targets = [(view, part) for view, part in made.parts if view is not None]
                views += [(view, part.dims[: part.kept], block) for view, part in targets]
            for view, dims, last in views:
                reach = sum((n - 1) * s for n, s in zip(dims, view.strides))
                fits = len(dims) == len(view.strides) and view.block <= last
                if not fits or view.offset + reach >= self.instructions[view.block].size:
                    raise ProgramError(f"{view} is not in its block: b{block} = {made}")

    def interpret(self, leaves: Sequence[float]) -> list[list[float]]:
        """The outputs, computed in plain Python, one element after the other.

        Args:
            leaves: the number of each leaf.
        """
        blocks: list[list[float]] = []
        for made in self.instructions:
            blocks.append(list(leaves) if isinstance(made, Leaves) else _made(made, blocks))
        return [blocks[block] for block in self.outputs]

    def __str__(self) -> str:
        lines = [f"b{i}[{made.size}] = {made}" for i, made in enumerate(self.instructions)]
        return "\n".join([*lines, f"return {', '.join(f'b{i}' for i in self.outputs)}"])

    def __len__(self) -> int:
        """How many instructions there are; leaves and numbers are given, and not counted."""
        return sum(not isinstance(made, Leaves | Numbers) for made in self.instructions)


def contiguous(dims: Sequence[int]) -> tuple[int, ...]:
    """The strides of a block that has these dims, the last running fastest."""
    return tuple(math.prod(dims[i + 1 :]) for i in range(len(dims)))


def read_by(instruction: Instruction) -> list[tuple[View, tuple[int, ...]]]:
    """The views that an instruction reads, each with its dims."""
    if isinstance(instruction, Sum):
        return [(view, part.dims) for _, part in instruction.parts for view in part.factors]
    if isinstance(instruction, Map):
        return [(view, instruction.dims) for view in instruction.operands]
    if isinstance(instruction, Selected):
        return [(v, instruction.dims) for v in (instruction.gradient, instruction.slope)]
    return []


def _made(made: Any, blocks: list[list[float]]) -> list[float]:
    """The block of one instruction."""
    if isinstance(made, Numbers):
        return list(made.numbers)
    if isinstance(made, Gather):
        return [blocks[made.block][i] for i in made.indices]
    if isinstance(made, Segments):
        ends = [*made.starts[1:], len(blocks[made.block])]
        combine = TABLE[made.op].local
        runs = [blocks[made.block][at:end] for at, end in zip(made.starts, ends)]
        return [functools.reduce(lambda a, b: combine(a, b)[0], run) for run in runs]
    if isinstance(made, Scatter):
        result = [0.0] * made.size
        for i, x in zip(made.indices, blocks[made.block]):
            result[i] += x
        return result
    if isinstance(made, Sum):
        return _summed(made, blocks)
    columns = [[blocks[v.block][i] for i in v.places(dims)] for v, dims in read_by(made)]
    if isinstance(made, Selected):
        return [0.0 if d == 0.0 else g * d for g, d in zip(*columns)]
    local = TABLE[made.op].local
    if made.rule is None:
        return [local(*operands)[0] for operands in zip(*columns)]
    return [local(*operands)[made.rule + 1] for operands in zip(*columns[1:])]


def _summed(made: Sum, blocks: list[list[float]]) -> list[float]:
    """The block of a sum."""
    result = [0.0] * made.size
    for target, part in made.parts:
        kept, summed = part.dims[: part.kept], math.prod(part.dims[part.kept :])
        columns = [[blocks[v.block][i] for i in v.places(part.dims)] for v in part.factors]
        terms = [math.prod(x, start=part.scale) for x in zip(*columns)] if columns else None
        places = range(made.size) if target is None else target.places(kept)
        for k, place in enumerate(places):
            few = terms[k * summed : (k + 1) * summed] if terms else [part.scale] * summed
            result[place] += sum(few)
    return result


def _shown(numbers: Sequence[float]) -> str:
    few = " ".join(map(str, numbers[:6]))
    return f"({few}{' ...' if len(numbers) > 6 else ''})"
