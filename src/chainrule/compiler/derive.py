"""The backward of an array program, again a program.

Every instruction has a transpose. The gradient that arrives at a block is a sum of parts, each in
the view through which the block was read; dims that a view repeats are summed over. So the
derivative of a matrix product comes out as two matrix products, and that of broadcasting as a sum.
"""

from __future__ import annotations

import math

from chainrule.compiler.program import (
    Gather,
    IndexAdd,
    Lookup,
    Map,
    Part,
    Program,
    Scatter,
    Seed,
    Segments,
    Selected,
    Sum,
    View,
    contiguous,
    in_order,
    injective,
    read_by,
)
from chainrule.compiler.rules import spelled_out
from chainrule.errors import ProgramError
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Contribution = tuple[View | None, Part]


def derive(program: Program) -> Program:
    """The program that gives the outputs and the derivatives of the first by all leaves.

    If the first output has several elements, what arrives at each is the seed. A program that was
    derived can be derived again; then the rules in it are spelled out as ops.

    Raises:
        ProgramError: the program has a seed already.

    >>> from chainrule.compiler.program import Data, Leaves, Numbers
    >>> double = Part(2.0, (1,), 1, [View(0, 0, (1,))])
    >>> given = [Leaves(1), Numbers([]), Data(0)]
    >>> print(derive(Program([*given, Sum(1, [(None, double)])], [3])))
    b0[1] = leaves
    b1[0] = numbers ()
    b2[0] = data
    b3[1] = sum 2 * b0@0:1 over 1|
    b4[1] = sum 1 over 1|
    b5[1] = sum 2 * b4@0: over |
    return b3, b5
    """
    if any(isinstance(made, Seed) for made in program.instructions):
        raise ProgramError("what depends on a seed is not derived again: derive a single output")
    if any(isinstance(made, Map) and made.rule is not None for made in program.instructions):
        program = spelled_out(program)
    return derived(program)[0]


def derived(program: Program) -> tuple[Program, dict[int, int]]:
    """The same of a program without rules, and the block of the gradient of each that has one."""
    made = _Derive(program)
    return made.backward(), made.gradients


class _Derive:
    """The instructions so far, and what arrives at each block."""

    def __init__(self, program: Program) -> None:
        self.instructions: list[Any] = list(program.instructions)
        self.outputs = program.outputs
        self.forward = len(self.instructions)
        self.moving = moving_blocks(program)
        self.arriving: dict[int, list[Contribution]] = {}
        self.gradients: dict[int, int] = {}

    def backward(self) -> Program:
        self._start(self.outputs[0])
        for block in reversed(range(1, self.forward)):
            if block in self.arriving and block in self.moving:
                self.gradients[block] = self._gradient(block)
                self._transpose(block, self.instructions[block], self.gradients[block])
        self.gradients[0] = self._gradient(0)
        outputs = [*self.outputs, self.gradients[0]]
        return Program(self.instructions, outputs, self.forward)

    def _start(self, output: int) -> None:
        """The gradient of the output by itself: 1, or the seed."""
        size = self.instructions[output].size
        if size == 1:
            self._add(output, None, Part(1.0, (1,), 1, []))
        else:
            self._add_whole(output, Seed(size))

    def _gradient(self, block: int) -> int:
        """The block of the gradient of a block, all that arrives being added up."""
        arriving = self.arriving.get(block, [])
        size = self.instructions[block].size
        if len(arriving) == 1:
            target, part = arriving[0]
            if target is None and part.scale == 1.0 and len(part.factors) == 1:
                (view,) = part.factors
                whole = self.instructions[view.block].size == size == math.prod(part.dims)
                if whole and view.offset == 0 and in_order(view, part.dims):
                    return view.block
        return self._append(Sum(size, arriving).at(len(self.instructions)))

    def _transpose(self, block: int, made: Any, gradient: int) -> None:
        """Send the gradient of a block on to the blocks that it was made of."""
        if isinstance(made, Sum):
            for target, part in made.parts:
                self._through_part(target, part, gradient)
        elif isinstance(made, Map):
            self._through_map(block, made, gradient)
        elif isinstance(made, Selected):
            self._through_selected(made, gradient)
        elif isinstance(made, Gather):
            size = self.instructions[made.block].size
            self._add_whole(made.block, Scatter(gradient, made.indices, size))
        elif isinstance(made, Scatter):
            self._add_whole(made.block, Gather(gradient, made.indices))
        elif isinstance(made, Lookup):
            size = self.instructions[made.block].size
            self._add_whole(made.block, IndexAdd(gradient, made.rows, size))
        elif isinstance(made, IndexAdd):
            self._add_whole(made.block, Lookup(gradient, made.rows))
        elif isinstance(made, Segments):
            ends = [*made.starts[1:], self.instructions[made.block].size]
            runs = zip(range(made.size), made.starts, ends)
            owners = [k for k, start, end in runs for _ in range(start, end)]
            self._add_whole(made.block, Gather(gradient, owners))
        else:
            raise ProgramError(f"no derivative is known of b{block} = {made}")

    def _through_part(self, target: View | None, part: Part, gradient: int) -> None:
        kept = contiguous(part.dims[: part.kept]) if target is None else target.strides
        summed = (0,) * (len(part.dims) - part.kept)
        arriving = View(gradient, target.offset if target else 0, (*kept, *summed))
        for k, factor in enumerate(part.factors):
            others = part.factors[:k] + part.factors[k + 1 :]
            self._send(factor, part.dims, part.scale, [arriving, *others])

    def _through_map(self, block: int, made: Map, gradient: int) -> None:
        row, whole = TABLE[made.op], contiguous(made.dims)
        for k, operand in enumerate(made.operands):
            if operand.block not in self.moving or row.derivatives[k] == "0":
                continue
            rule = Map(made.op, k, made.dims, [View(block, 0, whole), *made.operands])
            slope = View(self._append(rule), 0, whole)
            factors = [View(gradient, 0, whole), slope]
            if row.selects:
                factors = [View(self._append(Selected(made.dims, *factors)), 0, whole)]
            self._send(operand, made.dims, 1.0, factors)

    def _through_selected(self, made: Selected, gradient: int) -> None:
        """As through a product, where the slope is not 0; elsewhere nothing arrives."""
        arriving = View(gradient, 0, contiguous(made.dims))
        chosen = Selected(made.dims, arriving, made.slope)
        self._send_made(made.gradient, chosen)
        product = Part(1.0, made.dims, len(made.dims), [arriving, made.gradient])
        both = View(self._append(Sum(made.size, [(None, product)])), 0, contiguous(made.dims))
        zero = View(self._append(Sum(1, [])), 0, (0,) * len(made.dims))
        self._send_made(made.slope, Map("where", None, made.dims, [made.slope, both, zero]))

    def _send_made(self, view: View, made: Selected | Map) -> None:
        """Add an instruction to the gradient of a block, at the places of a view of it."""
        if view.block in self.moving:
            whole = View(self._append(made), 0, contiguous(made.dims))
            self._send(view, made.dims, 1.0, [whole])

    def _send(self, view: View, dims: Sequence[int], scale: float, factors: Sequence[View]) -> None:
        """Add a product to the gradient of a block, at the places of a view of it."""
        if view.block not in self.moving:
            return
        axes = [axis for axis in range(len(dims)) if dims[axis] > 1]
        order = sorted(axes, key=lambda axis: view.strides[axis] == 0)
        kept = sum(view.strides[axis] != 0 for axis in axes)
        ordered = [View(f.block, f.offset, [f.strides[axis] for axis in order]) for f in factors]
        part = Part(scale, [dims[axis] for axis in order], kept, ordered)
        target = View(view.block, view.offset, [view.strides[axis] for axis in order[:kept]])
        size = self.instructions[view.block].size
        if _covers(target, part.dims[:kept], size):
            self._add(view.block, None, part)
        elif injective(target, part.dims[:kept]):
            self._add(view.block, target, part)
        else:
            places = tuple(target.places(part.dims[:kept]))
            terms = self._append(Sum(len(places), [(None, part)]))
            self._add_whole(view.block, Scatter(terms, places, size))

    def _add(self, block: int, target: View | None, part: Part) -> None:
        self.arriving.setdefault(block, []).append((target, part))

    def _add_whole(self, block: int, instruction: Any) -> None:
        whole = View(self._append(instruction), 0, (1,))
        self._add(block, None, Part(1.0, (instruction.size,), 1, [whole]))

    def _append(self, instruction: Any) -> int:
        self.instructions.append(instruction)
        return len(self.instructions) - 1


def moving_blocks(program: Program) -> set[int]:
    """The blocks that gradients go through on their way to the leaves."""
    moving = {0}
    for block, made in enumerate(program.instructions):
        if isinstance(made, Segments) and made.op != "add":
            continue
        sources = {getattr(made, "block", -1)}
        if isinstance(made, Map) and made.rule is None:
            rules = zip(made.operands, TABLE[made.op].derivatives)
            sources |= {view.block for view, rule in rules if rule != "0"}
        elif not isinstance(made, Lookup | IndexAdd):  # which row it is has no derivative
            sources |= {view.block for view, _ in read_by(made)}
        if sources & moving:
            moving.add(block)
    return moving


def _covers(target: View, dims: Sequence[int], size: int) -> bool:
    """Whether a view is the whole block in its order."""
    return target.offset == 0 and in_order(target, dims) and math.prod(dims) == size
