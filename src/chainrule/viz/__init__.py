"""The drawing of the graph behind a value."""

from __future__ import annotations

import os
import textwrap
from collections import Counter
from pathlib import Path

from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError
from chainrule.viz import dot, svg

MANY = 300  # values; a larger graph is described instead


def draw(value: Value) -> Drawing:
    """The graph behind a value, drawn from left to right as it is now.

    Each value is a box with its label, data and gradient, each op a circle before its value, each
    number in an expression a small box at every use. Of more than 300 values the drawing gives
    the counts.

    Raises:
        ArgumentError: something else than a value was given.

    >>> a = Value(3.0, label="a")
    >>> drawing = draw(a + a)
    >>> drawing.to_svg().count("<svg")
    1
    """
    if not isinstance(value, Value):
        raise ArgumentError(f"draw() takes a Value, not {type(value).__name__}")
    return Drawing(value)


class Drawing:
    """A drawing, shown by notebooks and saved to files; `draw()` makes it.

    It keeps what it shows: values that change or are freed later leave it as it is.
    """

    def __init__(self, value: Value) -> None:
        values = operands_first(value)
        self.nodes = nodes_of(values) if len(values) <= MANY else []
        self._summary = _summary(values) if len(values) > MANY else []

    def to_svg(self) -> str:
        """The drawing as an SVG document."""
        return svg.picture(self.nodes) if self.nodes else svg.card(self._summary)

    def to_dot(self) -> str:
        """The drawing as source for Graphviz, for whoever wants another layout."""
        return dot.source(self.nodes) if self.nodes else dot.card(self._summary)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing to a file, in the format that its suffix names.

        Raises:
            ArgumentError: the suffix is neither .svg nor .dot.
        """
        formats = {".svg": self.to_svg, ".dot": self.to_dot}
        suffix = Path(path).suffix.lower()
        if suffix not in formats:
            raise ArgumentError(
                f"a drawing is saved as .svg or .dot, not as {suffix or 'a file without suffix'!r}"
            )
        Path(path).write_text(formats[suffix](), encoding="utf-8")


def nodes_of(values: list[Value]) -> list[svg.Node]:
    """What is drawn of values; a constant becomes a node for each use, as the engine shares it."""
    nodes: list[svg.Node] = []
    places: dict[Value, int] = {}
    for value in values:
        if value.op == "constant" and value is not values[-1]:
            continue
        operands = []
        for operand in value.operands:
            if operand.op == "constant":
                nodes.append(_node(operand))
                operands.append(len(nodes) - 1)
            else:
                operands.append(places[operand])
        places[value] = len(nodes)
        nodes.append(_node(value, tuple(operands)))
    return nodes


def _node(value: Value, operands: tuple[int, ...] = ()) -> svg.Node:
    return svg.Node(value.label, value.op, value.data, value.grad, operands)


def _summary(values: list[Value]) -> list[str]:
    """The counts of a graph, in lines of moderate length."""
    ops = Counter([value.op for value in values])
    leaves, constants = ops.pop("", 0), ops.pop("constant", 0)
    kinds = [f"{count:,} {op}" for op, count in sorted(ops.items(), key=lambda x: (-x[1], x[0]))]
    parts = [
        *kinds,
        _counted(leaves, "leaf", "leaves"),
        _counted(constants, "constant", "constants"),
    ]
    title = f"{len(values):,} values: too many to draw one by one"
    return [title, *textwrap.wrap(", ".join(parts), 72)]


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
