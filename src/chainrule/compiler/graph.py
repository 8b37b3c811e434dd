"""The scalar graph: an expression as plain lists, read off the engine's values.

    graph := line*
    line  := "%" number "=" ( "leaf" | number | op "(" "%" number ("," "%" number)* ")" )

Operands come before what is made of them.
"""

from __future__ import annotations

from chainrule.engine import Value, operands_first
from chainrule.errors import ProgramError
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class Graph:
    """The nodes of a graph by number.

    Attributes:
        ops: the name of each node's op; "" for a leaf, "constant" for a number.
        operands: the numbers of each node's operands.
        values: the values that the nodes were read from.

    >>> a = Value(2.0)
    >>> print(Graph(a * a + 1))
    %0 = leaf
    %1 = mul(%0, %0)
    %2 = 1.0
    %3 = add(%1, %2)
    """

    def __init__(self, output: Value) -> None:
        self.values = operands_first(output)
        number = {id(value): i for i, value in enumerate(self.values)}
        self.ops = [value.op for value in self.values]
        self.operands = [tuple([number[id(x)] for x in value.operands]) for value in self.values]

    def __str__(self) -> str:
        return "\n".join(f"%{i} = {self._right(i)}" for i in range(len(self.ops)))

    def _right(self, i: int) -> str:
        if not self.operands[i]:
            return repr(self.values[i].data) if self.ops[i] else "leaf"
        return f"{self.ops[i]}({', '.join(f'%{x}' for x in self.operands[i])})"

    def check(self) -> None:
        """Raise unless every op is a row of the table, with its operands before it.

        Raises:
            ProgramError: as said.
        """
        for i, (op, operands) in enumerate(zip(self.ops, self.operands)):
            if op in ("", "constant"):
                fits = not operands
            else:
                fits = op in TABLE and len(operands) == len(TABLE[op].operands)
            if not fits or any(x >= i for x in operands):
                raise ProgramError(f"%{i} = {self._right(i)} is not a node of a graph")

    def interpret(self) -> Sequence[float]:
        """The number of each node, computed anew from the leaves' data."""
        numbers: list[float] = []
        for i, (op, operands) in enumerate(zip(self.ops, self.operands)):
            if operands:
                numbers.append(TABLE[op].local(*[numbers[x] for x in operands])[0])
            else:
                numbers.append(self.values[i].data)
        return numbers
