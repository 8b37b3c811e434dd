"""Which element of which block each scalar is, in the program that runs.

A lift places the nodes of a graph in blocks. What is done to the program after that is done again
here, and the nodes are followed through it: passes give blocks other numbers, or drop them, and a
backend turns some. No pass moves a number within its block.
"""

from __future__ import annotations

from collections import Counter

from chainrule.compiler import passes
from chainrule.compiler.backends.layout import turning
from chainrule.compiler.derive import derived
from chainrule.compiler.lift import Lifting, Placed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.compiler.backends.layout import Form
    from chainrule.compiler.graph import Graph
    from chainrule.compiler.passes import Pass
    from chainrule.compiler.program import Program

    Element = tuple[int, int]  # a block, and the place in it


class Placement:
    """A program as it runs, and where in it the nodes of its graph are.

    Args:
        graph: the scalars.
        derivable: whether the backward is part of it.
        turns: whether its backend transposes blocks.

    Attributes:
        program: the program.
        fired: of each block the passes that changed how it is computed.

    >>> from chainrule.compiler.graph import read
    >>> from chainrule.engine import Value
    >>> a = Value(3.0)
    >>> placement = Placement(read(a**2 + a.tanh())[0], derivable=True, turns=True)
    >>> [placement.element(node) for node in range(5)]  # a, 2, a ** 2, tanh, and the sum
    [(0, 0), (1, 0), None, (3, 0), (4, 0)]
    >>> placement.gradient(0), [found.name for found in placement.fired[4]]
    ((6, 0), ['sums of sums are joined'])
    """

    def __init__(self, graph: Graph, derivable: bool, turns: bool) -> None:
        placed = Placed(Lifting(graph))
        self._blocks, self._places = placed.blocks, placed.places
        self._gradients: dict[int, int] = {}
        self.fired: dict[int, list[Pass]] = {}
        self.program = self._rewritten(placed.program)
        if derivable:
            program, gradients = derived(self.program)
            self._gradients = _whole(self.program, gradients)
            self.program = self._rewritten(program)
        self._forms: dict[int, Form] = {}
        if turns:
            self.program, self._forms = turning(self.program)
        self._alone = _alone(self._blocks, self._places)

    def element(self, node: int) -> Element | None:
        """The block that holds the number of a node, and which of its elements it is.

        None if there is no such block: the node is part of what an instruction computes, or nobody
        needs it.
        """
        block = self._blocks[node]
        return (block, self._turned(block, self._places[node])) if block >= 0 else None

    def gradient(self, node: int) -> Element | None:
        """The same of the derivative of the first output by a node, where all of it comes to."""
        block = self._gradients.get(self._blocks[node], -1)
        if block < 0 or not self._alone[node]:
            return None
        return block, self._turned(block, self._places[node])

    def _turned(self, block: int, place: int) -> int:
        """Where an element of a block is: if it was transposed, column and row change sides."""
        if block not in self._forms:
            return place
        rows, columns = self._forms[block]
        return place % columns * rows + place // columns

    def _rewritten(self, program: Program) -> Program:
        """The program after all passes, which everything known of its blocks goes along with."""
        for found, before, after, blocks in passes.steps(program):
            moved = found.moved(before)
            if all(number == block for block, number in enumerate(moved)):
                for block in blocks:
                    self.fired.setdefault(block, []).append(found)
            self._renumber(moved)
            program = after
        return program

    def _renumber(self, moved: Sequence[int]) -> None:
        self._blocks = [moved[block] if block >= 0 else -1 for block in self._blocks]
        pairs = [(moved[block], moved[other]) for block, other in self._gradients.items()]
        self._gradients = {block: other for block, other in pairs if min(block, other) >= 0}
        fired = [(moved[block], found) for block, found in self.fired.items()]
        self.fired = {block: found for block, found in reversed(fired) if block >= 0}


def _whole(program: Program, gradients: dict[int, int]) -> dict[int, int]:
    """The gradients of blocks to which all of it comes, for nobody reads past them."""
    instructions = program.instructions
    return {i: k for i, k in gradients.items() if not passes.is_read_past(instructions[i])}


def _alone(blocks: list[int], places: list[int]) -> list[bool]:
    """Of each node whether no other is the same element, as 0 + x is x, and x * x is x ** 2.

    What comes to the element is the gradient of all of them together.
    """
    elements = list(zip(blocks, places))
    counts = Counter(elements)
    return [counts[element] == 1 for element in elements]
