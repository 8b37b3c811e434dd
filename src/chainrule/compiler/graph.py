"""The scalar graph: an expression as plain lists, nothing but names and numbers.

    graph  := line* "return" group ("|" group)*
    line   := "%" number "=" ( "leaf" | "datum" | number | op "(" "%" number ("," "%" number)* ")" )
    group  := "%" number ("," "%" number)*

Operands come before what is made of them. `lookup(index, row, row, ...)` is the row whose number
the index is, counted from 0; all other ops are rows of the table.
"""

from __future__ import annotations

import array
import itertools

from chainrule.engine import Value, operands_first
from chainrule.errors import ProgramError
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_GIVEN = {"": "leaf", "datum": "datum"}  # ops of the nodes whose numbers come from outside


class Graph:
    """The nodes of a graph by number, and which of them are asked for.

    Args:
        ops: the name of each node's op; "" for a leaf, whose gradient is wanted, "datum" for a
            number that is given anew and needs no gradient, "constant" for one that stays.
        operands: the numbers of each node's operands.
        numbers: what each node was when the graph was read.
        outputs: groups of nodes that are asked for; gradients are asked of the first group.

    >>> a = Value(2.0)
    >>> print(read(a * a + 1)[0])
    %0 = leaf
    %1 = mul(%0, %0)
    %2 = 1.0
    %3 = add(%1, %2)
    return %3
    """

    def __init__(
        self,
        ops: list[str],
        operands: list[tuple[int, ...]],
        numbers: list[float],
        outputs: list[list[int]],
    ) -> None:
        self.ops = ops
        self.operands = operands
        self.numbers = numbers
        self.outputs = outputs

    def __str__(self) -> str:
        lines = [f"%{i} = {self._right(i)}" for i in range(len(self.ops))]
        groups = [", ".join(f"%{i}" for i in group) for group in self.outputs]
        return "\n".join([*lines, f"return {' | '.join(groups)}"])

    def _right(self, i: int) -> str:
        if not self.operands[i]:
            return _GIVEN.get(self.ops[i]) or repr(self.numbers[i])
        return f"{self.ops[i]}({', '.join(f'%{x}' for x in self.operands[i])})"

    def check(self) -> None:
        """Raise unless every op is known, with its operands before it, and the outputs exist.

        Raises:
            ProgramError: as said.
        """
        for i, (op, operands) in enumerate(zip(self.ops, self.operands)):
            if not _takes(op, len(operands)) or any(not 0 <= x < i for x in operands):
                raise ProgramError(f"%{i} = {self._right(i)} is not a node of a graph")
        for group in self.outputs:
            if not group or any(not 0 <= x < len(self.ops) for x in group):
                raise ProgramError(f"{group} is not a group of nodes that can be asked for")

    def interpret(self) -> Sequence[float]:
        """The number of each node, computed anew from those that have no operands."""
        numbers: list[float] = []
        for op, operands, number in zip(self.ops, self.operands, self.numbers):
            if op == "lookup":
                number = numbers[operands[1 + int(numbers[operands[0]])]]
            elif operands:
                number = TABLE[op].local(*[numbers[x] for x in operands])[0]
            numbers.append(number)
        return numbers


class Packed:
    """A graph in a quarter of the memory, to be unpacked when somebody asks.

    Args:
        graph: the graph.
        values: the value of each node, whose labels are kept.

    Attributes:
        labels: those that are not empty, by their nodes.
    """

    def __init__(self, graph: Graph, values: Sequence[Value]) -> None:
        self.labels = {node: value.label for node, value in enumerate(values) if value.label}
        self._ops = graph.ops
        self._counts = array.array("I", map(len, graph.operands))
        self._operands = array.array("I", itertools.chain.from_iterable(graph.operands))
        self._numbers = array.array("d", graph.numbers)
        self._outputs = graph.outputs

    def unpacked(self) -> Graph:
        """The graph as it was."""
        rest = iter(self._operands)
        operands = [tuple(itertools.islice(rest, count)) for count in self._counts]
        return Graph(self._ops, operands, self._numbers.tolist(), self._outputs)


def _takes(op: str, count: int) -> bool:
    """Whether an op has that many operands."""
    if op == "lookup":
        return count >= 2
    if op == "constant" or op in _GIVEN:
        return count == 0
    return op in TABLE and count == len(TABLE[op].operands)


def read(output: Value) -> tuple[Graph, list[Value]]:
    """The graph of a value, and the value of each of its nodes."""
    values = operands_first(output)
    node = {id(value): i for i, value in enumerate(values)}
    ops = [value.op for value in values]
    operands = [tuple([node[id(x)] for x in value.operands]) for value in values]
    numbers = [value.data for value in values]
    return Graph(ops, operands, numbers, [[len(values) - 1]]), values
