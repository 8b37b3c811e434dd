"""A scalar as an expression of those that blocks hold, as it was written."""

from __future__ import annotations

from chainrule.viz.scalars import Names, Scalars
from chainrule.viz.spelled import bracketed

_FIRST = 4  # terms after the first of a longer sum that are written
_DEEPEST = 6  # expressions in one another
_SUM, _PRODUCT, _POWER, _ATOM = range(4)  # what binds tighter is greater

_INFIX = {  # the sign, how tight it binds, and what an operand on either side has to
    "mul": ("*", _PRODUCT, _PRODUCT, _POWER),
    "div": ("/", _PRODUCT, _PRODUCT, _POWER),
    "pow": ("**", _POWER, _ATOM, _POWER),
}


class Written:
    """The expressions of scalars."""

    def __init__(self, scalars: Scalars, names: Names) -> None:
        self._ops = scalars.graph.ops
        self._operands = scalars.graph.operands
        self._elements = scalars.elements
        self._names = names

    def expression(self, node: int) -> str:
        """How a node is computed from what blocks hold."""
        return self._made(node, 0)[0]

    def _text(self, node: int, least: int, depth: int) -> str:
        """A node as an operand: its name, or how it is computed, in brackets if they are needed."""
        if self._elements[node] or not self._operands[node]:
            name = self._names.node(node)
            return name if least == _SUM else bracketed(name)
        if depth > _DEEPEST:
            return "..."
        text, tight = self._made(node, depth)
        return text if tight >= least else f"({text})"

    def _made(self, node: int, depth: int) -> tuple[str, int]:
        """How a node is computed, and how tight that binds."""
        op, operands = self._ops[node], self._operands[node]
        if op in ("add", "sub"):
            return self._sum(node, depth), _SUM
        if op == "neg":
            return f"-{self._text(operands[0], _POWER, depth + 1)}", _SUM
        if op in _INFIX:
            sign, tight, left, right = _INFIX[op]
            a, b = operands
            before, after = self._text(a, left, depth + 1), self._text(b, right, depth + 1)
            return f"{before} {sign} {after}", tight
        texts = [self._text(x, _SUM, depth + 1) for x in operands[: _FIRST + 1]]
        more = ["..."] if len(operands) > _FIRST + 1 else []
        return f"{op}({', '.join([*texts, *more])})", _ATOM

    def _sum(self, node: int, depth: int) -> str:
        """A sum from its first term on, which stands deepest."""
        later: list[tuple[str, int]] = []
        while not later or self._goes_on(node):
            sign = "+" if self._ops[node] == "add" else "-"
            node, right = self._operands[node]
            later.append((sign, right))
        shown = later[::-1] if len(later) <= _FIRST + 1 else later[: -_FIRST - 1 : -1]
        texts = [f" {sign} {self._text(x, _PRODUCT, depth + 1)}" for sign, x in shown]
        more = len(later) - len(shown)
        first = self._text(node, _SUM, depth + 1)
        return first + "".join(texts) + (f" + ... {more:,} more terms" if more else "")

    def _goes_on(self, node: int) -> bool:
        """Whether the first term of a sum is a sum that no block holds."""
        return self._ops[node] in ("add", "sub") and not self._elements[node]
