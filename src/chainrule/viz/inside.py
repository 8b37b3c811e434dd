"""What is seen of a group of values when it is opened: a drawing, a list, or both.

A group with few values, or with one result, is drawn whole if that can be overlooked. Of another
there is a drawing of how its first result is computed, which stands for the others, and a list; of
leaves, a list alone. A page has an end: what it can draw and list altogether is given to its groups
in their order.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chainrule.viz.kinds import Net
from chainrule.viz.svg import Box, Group, Node, number, short_number, shorten

_FEW = 40  # values that are drawn one by one
_MANY = 200  # and if they have one result
_ALL = 2000  # values of a group that are all listed
_FIRST = 100  # and of a larger one
_DRAWN, _LISTED = 3000, 10_000  # values that a page draws and lists altogether

Row = tuple[str, str, str, str]  # label, op with the numbers it was applied to, data, gradient


@dataclass(frozen=True, slots=True)
class Opened:
    """What is seen of a group.

    Attributes:
        title: what it is called.
        caption: how many values it has, and which of them are drawn.
        nodes: what is drawn; nothing if there is only a list.
        listed: which of them are listed.
        rows: the values that are listed.
    """

    title: str
    caption: str
    nodes: list[Node]
    listed: str
    rows: list[Row]


def opened(net: Net, boxes: Sequence[Box]) -> dict[int, Opened]:
    """What is seen of each group, by the place of its box."""
    drawn, listed = _DRAWN, _LISTED
    found = {}
    for place, box in enumerate(boxes):
        if isinstance(box, Group):
            found[place] = _opened(net, box, drawn, listed)
            drawn -= len(found[place].nodes)
            listed -= len(found[place].rows)
    return found


def _opened(net: Net, group: Group, drawn: int, listed: int) -> Opened:
    """What is seen of a group, if so many values can be drawn and listed."""
    count = len(group.members)
    caption = f"{count:,} values"
    nodes: list[Node] = []
    if drawn > 0 and not group.leaves:
        if count <= (_MANY if len(group.results) == 1 else _FEW):
            return Opened(group.title, caption, _nodes(net, group.members), "", [])
        chosen, whole = _steps_to(net, group.results[0], group.members)
        nodes = _nodes(net, sorted(chosen))
        caption += f". {_which(len(group.results), whole)}:"
    rows = group.members[: count if count <= min(_ALL, listed) else _FIRST]
    head = "All of them:" if len(rows) == count else f"The first {len(rows):,}:"
    return Opened(group.title, caption, nodes, head, [_row(net, i) for i in rows])


def _which(results: int, whole: bool) -> str:
    what = "its result" if results == 1 else f"the first of its {results:,} results"
    return f"How {what} is computed" if whole else f"The last steps to {what}"


def _steps_to(net: Net, result: int, members: Sequence[int]) -> tuple[list[int], bool]:
    """The members that a result is computed from, nearest first, and whether these are all."""
    found, known = [result], {result}
    for i in found:  # which grows on the way
        for x in net.operands[i]:
            if x not in known and _is_among(members, x):
                known.add(x)
                found.append(x)
        if len(found) > _MANY:
            return found[:_FEW], False
    return found, True


def _is_among(members: Sequence[int], i: int) -> bool:
    """Whether it is one of the members, which are in order."""
    at = bisect_left(members, i)
    return at < len(members) and members[at] == i


def _nodes(net: Net, chosen: Iterable[int]) -> list[Node]:
    """Values as nodes, and before each what it reads from beyond them."""
    nodes: list[Node] = []
    place: dict[int, int] = {}
    for i in chosen:
        for x in net.operands[i]:
            if x not in place or net.ops[x] == "constant":
                place[x] = len(nodes)
                nodes.append(_node(net, x))
        operands = tuple([place[x] for x in net.operands[i]])
        place[i] = len(nodes)
        nodes.append(_node(net, i, operands))
    return nodes


def _node(net: Net, i: int, operands: tuple[int, ...] = ()) -> Node:
    value, op = net.values[i], net.ops[i]
    if net.operands[i] and not operands:
        op = "outside"
    return Node(value.label or net.paths.get(i, ""), op, value.data, value.grad, operands)


def _row(net: Net, i: int) -> Row:
    value = net.values[i]
    numbers = [short_number(net.values[x].data) for x in net.operands[i]]
    op = f"{value.op}({', '.join(numbers)})" if numbers else "leaf"
    label = shorten(value.label or net.paths.get(i, ""))
    return label, op, number(value.data), number(value.grad)
