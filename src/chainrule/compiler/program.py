"""The array program: what a scalar graph becomes when equal work is done together.

    program     := instruction*
    instruction := block "[" size "]" "=" right
    right       := "leaves"                                   the leaves, in one flat vector
                 | "numbers" number*                          the numbers of the expression
                 | "data"                                     given at each run, without gradient
                 | "seed"                                     the gradient that backward starts from
                 | "gather" block indices                     elements of a block, in any order
                 | "scatter" block indices                    the transpose of gather: adds up
                 | "lookup" block indices "+" steps           gather at places that are data
                 | "index_add" block indices "+" steps        the transpose of lookup: adds up
                 | "segments" op block starts                 sums, or greatest, of runs of a block
                 | "map" formula "(" view ("," view)* ")"     an op, elementwise
                 | "selected" "(" view "," view ")"           g * d, and nothing where d is 0
                 | "sum" (part | target "+=" part)+           sums of products
    part        := scale ("*" view)* "over" dims "|" dims     the dims before | stay, the others
                                                              are summed over
    steps       := stride "*" view "over" dims "<" rows       how far beyond the indices
    view        := block offset ":" strides                   one stride for each dim; 0 repeats

The first three blocks are leaves, numbers and data. Blocks are flat. A view reads a block as an
array of some dims without moving anything: matrix products, broadcasting and convolutions are all
sums of products of views.
"""

from __future__ import annotations

import functools
import itertools
import math
import operator

from chainrule.errors import ProgramError
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
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
        self, scale: float, dims: Sequence[int], kept: int, factors: Iterable[View]
    ) -> None:
        self.scale = scale
        self.dims = tuple(dims)
        self.kept = kept
        self.factors = tuple(factors)

    def scaled(self, scale: float) -> Part:
        """The same part with another scale."""
        return Part(scale, self.dims, self.kept, self.factors)

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


class Data:
    """Numbers that are given at each run, and whose gradient nobody asks for."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def __str__(self) -> str:
        return "data"


class Seed:
    """The gradient of the first output, from which the backward pass starts."""

    __slots__ = ("size",)

    def __init__(self, size: int) -> None:
        self.size = size

    def __str__(self) -> str:
        return "seed"


class Gather:
    """Elements of a block, by their places."""

    __slots__ = ("block", "indices", "size")

    def __init__(self, block: int, indices: Sequence[int]) -> None:
        self.block = block
        self.indices = tuple(indices)
        self.size = len(self.indices)

    def __str__(self) -> str:
        return f"gather b{self.block} {_shown(self.indices)}"


class Scatter:
    """A block of zeros to which the elements of another are added, by their places."""

    __slots__ = ("block", "indices", "size")

    def __init__(self, block: int, indices: Sequence[int], size: int) -> None:
        self.block = block
        self.indices = tuple(indices)
        self.size = size

    def __str__(self) -> str:
        return f"scatter b{self.block} {_shown(self.indices)}"


class Rows:
    """Places that are data: each one a fixed place and so many steps of one length.

    Attributes:
        indices: where each row 0 is.
        stride: how far row k + 1 is from row k.
        count: how many rows there are.
        which: the view, of the dims, of the number of the row; a whole number below `count`.
    """

    __slots__ = ("count", "dims", "indices", "stride", "which")

    def __init__(
        self, indices: Sequence[int], stride: int, count: int, dims: Sequence[int], which: View
    ) -> None:
        self.indices = tuple(indices)
        self.stride = stride
        self.count = count
        self.dims = tuple(dims)
        self.which = which

    def places(self, numbers: Sequence[float]) -> list[int]:
        """The places, given the block that tells which rows."""
        rows = [int(numbers[i]) for i in self.which.places(self.dims)]
        return [first + self.stride * row for first, row in zip(self.indices, rows)]

    def __str__(self) -> str:
        dims = "x".join(map(str, self.dims))
        return f"{_shown(self.indices)} + {self.stride} * {self.which} over {dims} < {self.count}"


class Lookup:
    """Elements of a block, by places that are data."""

    __slots__ = ("block", "rows", "size")

    def __init__(self, block: int, rows: Rows) -> None:
        self.block = block
        self.rows = rows
        self.size = len(rows.indices)

    def __str__(self) -> str:
        return f"lookup b{self.block} {self.rows}"


class IndexAdd:
    """A block of zeros to which the elements of another are added, by places that are data."""

    __slots__ = ("block", "rows", "size")

    def __init__(self, block: int, rows: Rows, size: int) -> None:
        self.block = block
        self.rows = rows
        self.size = size

    def __str__(self) -> str:
        return f"index_add b{self.block} {self.rows}"


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


class Map:
    """An op or one of its derivatives, elementwise.

    Attributes:
        op: the name of a row of the table.
        rule: which of its derivatives, None for the value. A derivative takes the value first.
        operands: a view of the dims for each argument.
    """

    __slots__ = ("dims", "op", "operands", "rule", "size")

    def __init__(
        self, op: str, rule: int | None, dims: Sequence[int], operands: Iterable[View]
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

    def at(self, block: int) -> Sum:
        """The same sum, whose targets are views of this block."""
        parts = [(t and View(block, t.offset, t.strides), part) for t, part in self.parts]
        return Sum(self.size, parts)

    def __str__(self) -> str:
        return "sum " + "  +  ".join(
            f"{part}" if target is None else f"({target}) += {part}" for target, part in self.parts
        )


Given = Leaves | Numbers | Data | Seed  # what is filled before a run, not computed by it
Placed = Gather | Scatter | Lookup | IndexAdd | Segments
Instruction = Given | Placed | Map | Selected | Sum


class Program:
    """Instructions, each of which makes the block of its number, and the blocks asked for.

    Attributes:
        instructions: the first three are leaves, numbers and data.
        outputs: the block of each group that was asked for; of a derived program, at last the
            block of the gradient by the leaves.
        forward: how many of the instructions, the first ones, are the forward pass.

    >>> half = Part(0.5, (3,), 1, [View(0, 0, (1,))])
    >>> program = Program([Leaves(3), Numbers([]), Data(0), Sum(3, [(None, half)])], [3])
    >>> print(program)
    b0[3] = leaves
    b1[0] = numbers ()
    b2[0] = data
    b3[3] = sum 0.5 * b0@0:1 over 3|
    return b3
    """

    def __init__(
        self,
        instructions: Sequence[Instruction],
        outputs: Sequence[int],
        forward: int | None = None,
    ) -> None:
        self.instructions = list(instructions)
        self.outputs = list(outputs)
        self.forward = len(self.instructions) if forward is None else forward

    def check(self) -> None:
        """Raise unless all that is read is in an earlier block, and nothing is written twice.

        Raises:
            ProgramError: as said, with the instruction.
        """
        if [type(made) for made in self.instructions[:3]] != [Leaves, Numbers, Data]:
            raise ProgramError("a program begins with leaves, numbers and data")
        for block, made in enumerate(self.instructions):
            for fault in (self._misread, self._miswritten, self._misplaced):
                reason = fault(block, made)
                if reason:
                    raise ProgramError(f"{reason}: b{block} = {made}")
        if not all(0 <= block < len(self.instructions) for block in self.outputs):
            raise ProgramError(f"the program returns {self.outputs}, blocks that it does not have")

    def _misread(self, block: int, made: Instruction) -> str:
        """What an instruction reads that it cannot, or nothing."""
        for view, dims in read_by(made):
            if not view.block < block or not self._inside(view, dims):
                return f"{view} is not in its block"
        if isinstance(made, Map):
            takes = len(TABLE[made.op].operands) + (made.rule is not None)
            if len(made.operands) != takes:
                return f"{takes} operands would be right"
        return ""

    def _miswritten(self, block: int, made: Instruction) -> str:
        """What parts of a sum write where they cannot, or nothing."""
        for target, part in made.parts if isinstance(made, Sum) else ():
            kept = part.dims[: part.kept]
            if target is None:
                if math.prod(kept) != made.size:
                    return f"{part} does not fill the block"
            elif target.block != block or not self._inside(target, kept):
                return f"{target} is not in its block"
            elif not injective(target, kept):
                return f"{target} would be written twice in one place"
        return ""

    def _misplaced(self, block: int, made: Instruction) -> str:
        """What is wrong with elements that are read or written one by one, or nothing."""
        source = getattr(made, "block", -1)
        if source >= block:
            return f"b{source} is not an earlier block"
        if any(not 0 <= place < reach for place, reach in self._reached(made)):
            return "a place is not in its block"
        return ""

    def _inside(self, view: View, dims: Sequence[int]) -> bool:
        """Whether a view stays in its block."""
        reaches = [(n - 1) * s for n, s in zip(dims, view.strides)]
        least = view.offset + sum(reach for reach in reaches if reach < 0)
        most = view.offset + sum(reach for reach in reaches if reach > 0)
        size = self.instructions[view.block].size
        return len(dims) == len(view.strides) and least >= 0 and most < size

    def _reached(self, made: Instruction) -> Iterator[tuple[int, int]]:
        """Places in blocks that an instruction reads or writes one by one, and their sizes."""
        if isinstance(made, Gather | Segments):
            places = made.indices if isinstance(made, Gather) else made.starts
            yield from ((place, self.instructions[made.block].size) for place in places)
        elif isinstance(made, Scatter):
            yield from ((place, made.size) for place in made.indices)
        elif isinstance(made, Lookup | IndexAdd):
            size = made.size if isinstance(made, IndexAdd) else self.instructions[made.block].size
            reach = made.rows.stride * (made.rows.count - 1)
            for place in made.rows.indices:
                yield from ((place, size), (place + reach, size))

    def interpret(
        self, leaves: Sequence[float], data: Sequence[float] = (), seed: Sequence[float] = ()
    ) -> list[list[float]]:
        """The outputs, computed in plain Python, one element after the other.

        Args:
            leaves: the number of each leaf.
            data: the number of each datum.
            seed: the gradient of each element of the first output, if it has more than one.
        """
        given = {Leaves: leaves, Data: data, Seed: seed}
        blocks: list[list[float]] = []
        for made in self.instructions:
            numbers = given.get(type(made))
            blocks.append(_made(made, blocks) if numbers is None else list(numbers))
        return [blocks[block] for block in self.outputs]

    def __str__(self) -> str:
        lines = [f"b{i}[{made.size}] = {made}" for i, made in enumerate(self.instructions)]
        return "\n".join([*lines, f"return {', '.join(f'b{i}' for i in self.outputs)}"])

    def __len__(self) -> int:
        """How many instructions compute something; leaves, numbers, data and seed are given."""
        return sum(not isinstance(made, Given) for made in self.instructions)


def contiguous(dims: Sequence[int]) -> tuple[int, ...]:
    """The strides of a block that has these dims, the last running fastest."""
    return tuple(math.prod(dims[i + 1 :]) for i in range(len(dims)))


def in_order(view: View, dims: Sequence[int]) -> bool:
    """Whether a view goes through consecutive places one by one."""
    right = zip(view.strides, contiguous(dims), dims)
    return all(stride == step or size == 1 for stride, step, size in right)


def injective(view: View, dims: Sequence[int]) -> bool:
    """Whether the elements of a view are surely in different places: its strides nest."""
    reach = 0
    for stride, size in sorted((abs(s), n) for s, n in zip(view.strides, dims) if n > 1):
        if stride <= reach:
            return False
        reach += (size - 1) * stride
    return True


def read_by(instruction: Instruction) -> list[tuple[View, tuple[int, ...]]]:
    """The views that an instruction reads, each with its dims."""
    if isinstance(instruction, Sum):
        return [(view, part.dims) for _, part in instruction.parts for view in part.factors]
    if isinstance(instruction, Map):
        return [(view, instruction.dims) for view in instruction.operands]
    if isinstance(instruction, Selected):
        return [(v, instruction.dims) for v in (instruction.gradient, instruction.slope)]
    if isinstance(instruction, Lookup | IndexAdd):
        return [(instruction.rows.which, instruction.rows.dims)]
    return []


def renamed(made: Any, new: Sequence[int], here: int) -> Any:
    """An instruction that reads blocks by their new numbers, and is one of a new number."""

    def moved(view: View) -> View:
        return View(new[view.block], view.offset, view.strides)

    if isinstance(made, Sum):
        parts = [
            (target, Part(part.scale, part.dims, part.kept, map(moved, part.factors)))
            for target, part in made.parts
        ]
        return Sum(made.size, parts).at(here)
    if isinstance(made, Map):
        return Map(made.op, made.rule, made.dims, map(moved, made.operands))
    if isinstance(made, Selected):
        return Selected(made.dims, moved(made.gradient), moved(made.slope))
    if isinstance(made, Gather):
        return Gather(new[made.block], made.indices)
    if isinstance(made, Scatter):
        return Scatter(new[made.block], made.indices, made.size)
    if isinstance(made, Segments):
        return Segments(new[made.block], made.starts, made.op)
    if isinstance(made, Lookup | IndexAdd):
        r = made.rows
        rows = Rows(r.indices, r.stride, r.count, r.dims, moved(r.which))
        if isinstance(made, Lookup):
            return Lookup(new[made.block], rows)
        return IndexAdd(new[made.block], rows, made.size)
    return made


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
        return _added(made.indices, blocks[made.block], made.size)
    if isinstance(made, Lookup):
        return [blocks[made.block][i] for i in made.rows.places(blocks[made.rows.which.block])]
    if isinstance(made, IndexAdd):
        places = made.rows.places(blocks[made.rows.which.block])
        return _added(places, blocks[made.block], made.size)
    if isinstance(made, Sum):
        return _summed(made, blocks)
    columns = [[blocks[v.block][i] for i in v.places(dims)] for v, dims in read_by(made)]
    if isinstance(made, Selected):
        return [0.0 if d == 0.0 else g * d for g, d in zip(*columns)]
    local = TABLE[made.op].local
    if made.rule is None:
        return [local(*operands)[0] for operands in zip(*columns)]
    return [local(*operands)[made.rule + 1] for operands in zip(*columns[1:])]


def _added(places: Sequence[int], numbers: Sequence[float], size: int) -> list[float]:
    """Zeros to which each number is added in its place."""
    result = [0.0] * size
    for place, number in zip(places, numbers):
        result[place] += number
    return result


def _summed(made: Sum, blocks: list[list[float]]) -> list[float]:
    """The block of a sum; what comes first is not added to 0.0, which would lose a -0.0."""
    result: list[float] | None = None
    for target, part in made.parts:
        sums = _sums(part, blocks)
        if target is None and result is None:
            result = sums
            continue
        result = result or [0.0] * made.size
        places = range(made.size) if target is None else target.places(part.dims[: part.kept])
        for place, number in zip(places, sums):
            result[place] += number
    return result or [0.0] * made.size


def _sums(part: Part, blocks: list[list[float]]) -> list[float]:
    """A part, its kept elements one after the other."""
    terms = [part.scale] * math.prod(part.dims)
    for view in part.factors:
        terms = [x * blocks[view.block][i] for x, i in zip(terms, view.places(part.dims))]
    count = math.prod(part.dims[part.kept :])
    runs = [terms[at : at + count] for at in range(0, len(terms), count)]
    return [functools.reduce(operator.add, run) for run in runs]


def _shown(numbers: Sequence[float]) -> str:
    few = " ".join(map(str, numbers[:6]))
    return f"({few}{' ...' if len(numbers) > 6 else ''})"
