"""A layered drawing of a graph: where its boxes lie and how its edges run.

Nothing here knows of values or of SVG. Boxes have sizes, and each lists its operands, which come
before it; the drawing runs from left to right, in four steps, as in Sugiyama's method:

1. every box gets a layer, to the right of its operands (net.py);
2. an edge over several layers gets a stop in each layer between (net.py);
3. each layer is ordered so that few edges cross (order.py);
4. each layer is spread over the height so that edges are short and straight (heights.py).

All steps are loops, in time near linear in boxes and stops, and depend on the input alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chainrule.viz.heights import heights
from chainrule.viz.net import Net, Size

Point = tuple[float, float]

MARGIN = 16.0
_COLUMN_GAP = 34.0
_STEEPEST = 40.0  # what a column gap grows by at most


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies.

    Attributes:
        width, height: the size of the drawing.
        corners: the upper left corner of each box.
        routes: for each box and each of its operands, the points of the edge between them, from
            the right side of the operand to the left side of the box. Points of equal height are
            joined by a line, others by a curve that is level at both. Edges enter a box in the
            order, from top to bottom, in which they do not cross, which of a tree's is that of
            the operands.
    """

    width: float
    height: float
    corners: list[Point]
    routes: list[list[list[Point]]]


def arrange(sizes: Sequence[Size], operands: Sequence[Sequence[int]]) -> Layout:
    """Lay out boxes so that each stands to the right of its operands.

    Args:
        sizes: the width and height of each box.
        operands: for each box, the numbers of its operands, which are less than its own; repeats
            are kept.

    >>> layout = arrange([(40, 20), (40, 20), (60, 20)], [(), (), (0, 1)])
    >>> [x for x, y in layout.corners]
    [16.0, 16.0, 91.5]
    >>> layout.routes[2][0][0]  # leaves the first box in the middle of its right side
    (56.0, 26.0)
    """
    net = Net(sizes, operands)
    return _drawn(net, heights(net), sizes, operands)


def _drawn(
    net: Net, y: list[float], sizes: Sequence[Size], operands: Sequence[Sequence[int]]
) -> Layout:
    """Columns for the layers, whole numbers for the heights, and the edges' points."""
    tops = [middle - height / 2 for middle, height in zip(y, net.heights)]
    shift = MARGIN - min(tops, default=0.0)
    y = [float(round(middle + shift)) for middle in y]
    columns = _columns(net, y, sizes)
    corners = [
        (columns[net.layer[box]][1] - width, y[box] - height / 2)
        for box, (width, height) in enumerate(sizes)
    ]
    routes = [_routes(net, y, columns, box, tails) for box, tails in enumerate(operands)]
    for box, (x, _) in enumerate(corners):
        for route in routes[box]:
            if route[-1][0] < x:
                route.append((x, route[-1][1]))
    bottom = max([middle + height / 2 for middle, height in zip(y, net.heights)], default=MARGIN)
    right = columns[-1][1] if columns else MARGIN
    return Layout(right + MARGIN, bottom + MARGIN, corners, routes)


def _columns(net: Net, y: Sequence[float], sizes: Sequence[Size]) -> list[Size]:
    """Where each layer begins and ends: as wide as its widest box, apart as its edges are steep."""
    columns = []
    end = MARGIN
    for number, layer in enumerate(net.layers):
        steepest = max([abs(rise) for node in layer for rise in _rises(net, y, node)], default=0.0)
        begin = end + (_COLUMN_GAP + min(_STEEPEST, steepest / 8) if number else 0.0)
        end = begin + max([sizes[node][0] for node in layer if node < net.boxes])
        columns.append((begin, end))
    return columns


def _rises(net: Net, y: Sequence[float], node: int) -> Iterator[float]:
    """By how much each edge into a node rises or falls after the layer before."""
    for slot, tail in enumerate(net.left[node]):
        yield y[node] + net.port(node, slot) - y[tail]


def _routes(
    net: Net, y: Sequence[float], columns: list[Size], box: int, tails: Sequence[int]
) -> list[list[Point]]:
    """The points of the edges into a box, as far as its column."""
    begin = columns[net.layer[box]][0]
    routes = []
    for tail, slot in zip(tails, net.slots[box]):
        points = [(columns[net.layer[tail]][1], y[tail])]
        for stop in net.trunks[tail][1 : net.layer[box] - net.layer[tail]]:
            points += [(x, y[stop]) for x in columns[net.layer[stop]]]
        routes.append([*points, (begin, y[box] + net.port(box, slot))])
    return routes
