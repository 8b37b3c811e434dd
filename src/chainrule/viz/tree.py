"""The graph behind a value as a tree of text, for terminals."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError
from chainrule.viz import MANY, replay, spelled
from chainrule.viz.replay import Cell
from chainrule.viz.svg import number

_Row = tuple[str, str, str]  # data, gradient, what has them


def tree(value: Value) -> str:
    """The graph behind a value as lines of text, each value under the first one made of it.

    A line has the value's data, its gradient as `backward()` finds it from 0, and how it is
    computed; the operands are below it in their order. A value that is used again is named there,
    and its numbers are not repeated.

    Raises:
        ArgumentError: more than 200 values are behind it.
        ChangedDataError: data was assigned since the value was computed.

    >>> a = Value(3.0, label="a")
    >>> print(tree(a * a + 1))
       data    grad
    10.0000  1.0000  v2 = v1 + 1
     9.0000  1.0000  ├─ v1 = a * a
     3.0000  6.0000  │  ├─ a
                     │  └─ a: above
     1.0000          └─ 1
    """
    count = len(operands_first(value))
    if count > MANY:
        raise ArgumentError(
            f"a tree of text shows up to {MANY} values, not {count:,}: "
            "a drawing or a page of them can be saved"
        )
    rows = [("data", "grad", ""), *_rows(replay.read(value))]
    data, grad = (max([len(row[i]) for row in rows]) for i in (0, 1))
    lines = [f"{row[0]:>{data}}  {row[1]:>{grad}}  {row[2]}" for row in rows]
    return "\n".join([line.rstrip() for line in lines])


def _rows(cells: Sequence[Cell]) -> Iterator[_Row]:
    """The cells from the result to the leaves, each with its place in the tree drawn before it."""
    steps = replay.in_order(cells)
    gradients = steps[-1].gradients if steps else replay.start(cells)
    seen: set[int] = set()
    stack = [(len(cells) - 1, "", "")]
    while stack:
        place, branch, below = stack.pop()
        cell = cells[place]
        if place in seen:
            yield "", "", f"{branch}{cell.name}: above"
            continue
        seen.add(place)
        gradient = "" if cell.op == "constant" else number(gradients[place])
        yield number(cell.data), gradient, f"{branch}{_told(cells, place)}"
        last = len(cell.operands) - 1
        for slot, operand in reversed(list(enumerate(cell.operands))):
            turn, bar = ("└─ ", "   ") if slot == last else ("├─ ", "│  ")
            stack.append((operand, below + turn, below + bar))


def _told(cells: Sequence[Cell], place: int) -> str:
    """How a value is computed, in names: "v1 = a * b"; of a leaf, its name."""
    if not cells[place].operands:
        return cells[place].name
    (_, line), *_ = spelled.forward(cells, place)
    return line
