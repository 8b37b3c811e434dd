"""A program beside its scalars: everything that a page shows of both, for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.graph import Packed
from chainrule.compiler.placement import Placement
from chainrule.compiler.program import (
    Gather,
    Given,
    Instruction,
    Map,
    Numbers,
    Program,
    Selected,
    read_by,
)
from chainrule.viz.elements import DATA, LEAVES, Element, operands
from chainrule.viz.members import Members
from chainrule.viz.scalars import Names, Scalars
from chainrule.viz.written import Written


@dataclass(frozen=True, slots=True)
class Call:
    """A program as it ran last, and what it was made of.

    Attributes:
        name: what the function is called.
        scalars: the graph.
        leaves: what leaves are called, by their places, where they have a name.
        of_data: what data are called, by their places.
        given: the numbers that it was given: of leaves, and of data.
        runner: what runs it.
        moment: whose numbers they are, in words.
    """

    name: str
    scalars: Packed
    leaves: Mapping[int, str]
    of_data: Callable[[int], str]
    given: tuple[list[float], list[float]]
    runner: Any
    moment: str


class Beside:
    """The scalars of a call and the blocks of its program, each found from the other.

    Attributes:
        program: the program.
        scalars: the scalars.
        names: what they are called.
        members: the elements of blocks, with their numbers.
        written: the scalars as expressions.
        fired: of each block the passes that changed how it is computed.
    """

    def __init__(self, call: Call) -> None:
        graph, self.call = call.scalars.unpacked(), call
        made = call.runner.program
        derived = made.forward < len(made.instructions)
        placement = Placement(graph, derived, turns=call.runner.name == "numpy")
        leaves, data = call.given
        self.program, self.fired = placement.program, placement.fired
        self.scalars = Scalars(graph, placement, {LEAVES: leaves, DATA: data})
        self.names = Names(self.scalars, call.leaves, call.of_data, call.scalars.labels)
        numbers = _numbers(call, self.program)
        self.members = Members(self.program, numbers, self.names.element)
        self.written = Written(self.scalars, self.names)

    def instruction(self, block: int) -> Instruction:
        """What makes a block."""
        return self.program.instructions[block]

    def phase(self, block: int) -> str:
        """Which pass a block belongs to; leaves, numbers and data are given to both."""
        if block <= DATA:
            return "given"
        return "forward" if block < self.program.forward else "backward"

    def about(self, element: Element) -> tuple[int, str] | None:
        """The node that an element is of, and what of it: its number, gradient or slope, or a copy.

        None of what is only a step on the way to such an element.
        """
        scalars, made = self.scalars, self.instruction(element[0])
        if element in scalars.nodes_of:
            return scalars.nodes_of[element][0], "number"
        if element in scalars.gradient_of:
            return scalars.gradient_of[element], "gradient"
        if isinstance(made, Gather):
            found = self.about((made.block, made.indices[element[1]]))
            return found and (found[0], "copy")
        if isinstance(made, Map) and made.rule is not None:
            found = self.about(operands(made, element[1])[0])
            return found and (found[0], "slope")
        if isinstance(made, Selected):
            found = self.about(operands(made, element[1])[1])
            return found and (found[0], "passed on")
        return None

    def by_engine(self, element: Element) -> float | None:
        """What the engine has for an element, if it is a number or a gradient of a node."""
        found = self.about(element)
        if found is None or found[1] == "slope":
            return None
        value = self.scalars.values[found[0]]
        if found[1] in ("number", "copy"):
            return value.data
        return value.grad if element in self.scalars.gradient_of else None

    def sources(self, block: int) -> list[int]:
        """The blocks that an instruction reads."""
        made = self.instruction(block)
        views = [view.block for view, _ in read_by(made)]
        own = getattr(made, "block", None)
        return sorted({*views, *([] if own is None else [own])})


def _numbers(call: Call, program: Program) -> list[list[float]]:
    """The numbers of all blocks: run once more by the same backend, each block being kept."""
    blocks = [i for i, x in enumerate(program.instructions) if not isinstance(x, Given)]
    runner = type(call.runner)(Program(program.instructions, blocks, program.forward))
    runner.leaves[:], runner.data[:] = call.given
    if runner.seed is not None:
        runner.seed[:] = 0.0
        runner.seed[0] = 1.0
    runner.run()
    found = dict(zip(blocks, runner.outputs))
    given = {LEAVES: runner.leaves, DATA: runner.data}
    seeds = runner.seed if runner.seed is not None else ()
    return [
        list(made.numbers)
        if isinstance(made, Numbers)
        else [*map(float, found.get(block, given.get(block, seeds)))]
        for block, made in enumerate(program.instructions)
    ]
