"""A layered drawing of a graph: where its boxes lie and how its edges run.

Nothing here knows of values or of SVG. Boxes have sizes, and each lists its operands, which come
before it; the drawing runs from left to right, in four steps, as in Sugiyama's method:

1. every box gets a layer, to the right of its operands (`_layers`);
2. an edge over several layers gets a stop in each layer between; edges from one box share their
   stops, so that a value which is used far away runs as one line and branches late (`Net`);
3. each layer is ordered so that few edges cross (`_order`);
4. each layer is spread over the height so that edges are short and straight (`_place`).

All steps are loops, in time near linear in boxes and stops, and depend on the input alone.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

Size = tuple[float, float]
Point = tuple[float, float]

PORT_GAP = 12.0  # between two edges where they enter a box
ROW_GAP = 16.0
LANE_GAP = 11.0  # beside a stop
COLUMN_GAP = 34.0
MARGIN = 16.0


@dataclass(frozen=True, slots=True)
class Layout:
    """Where everything lies.

    Attributes:
        width, height: the size of the drawing.
        corners: the upper left corner of each box.
        routes: for each box and each of its operands, the points of the edge between them, from
            the right side of the operand to the left side of the box. Points of equal height are
            joined by a line, others by a curve that is level at both.
    """

    width: float
    height: float
    corners: list[Point]
    routes: list[list[list[Point]]]


def arrange(sizes: Sequence[Size], operands: Sequence[Sequence[int]]) -> Layout:
    """Lay out boxes so that each stands to the right of its operands.

    Args:
        sizes: the width and height of each box.
        operands: for each box, the numbers of its operands, in the order in which their edges
            enter it from top to bottom. They are less than its own number; repeats are kept.

    >>> layout = arrange([(40, 20), (40, 20), (60, 20)], [(), (), (0, 1)])
    >>> [x for x, y in layout.corners]
    [16.0, 16.0, 91.5]
    >>> layout.routes[2][0][0]  # leaves the first box in the middle of its right side
    (56.0, 26.0)
    """
    net = Net(sizes, operands)
    _order(net)
    _place(net)
    return _drawn(net, sizes, operands)


class Net:
    """The boxes and stops, layer by layer, each joined to the next layer only.

    Attributes:
        layers: the nodes of each layer from top to bottom; boxes are numbered as given.
        trunks: for each box, itself and its stops, in successive layers.
        left: for each node, its neighbours in the layer before, in the order of their ports.
        right: for each node, its neighbours in the layer after, each with the port there.
        heights: of each node, 0 for a stop.
        place: the number of each node in its layer.
        y: the height of each node's middle.
    """

    def __init__(self, sizes: Sequence[Size], operands: Sequence[Sequence[int]]) -> None:
        self.layer = _layers(operands)
        self.boxes = len(sizes)
        self.heights = [height for _, height in sizes]
        self.trunks = [[box] for box in range(self.boxes)]
        self.left: list[list[int]] = [[] for _ in sizes]
        self.right: list[list[tuple[int, int]]] = [[] for _ in sizes]
        for box, tails in enumerate(operands):
            for tail in tails:
                self._join(box, tail)
        self.layers = _first_order(self)
        self.place = [0] * len(self.left)
        self.y = [0.0] * len(self.left)

    def stop(self, box: int, tail: int) -> int:
        """Where the edge from `tail` to `box` is in the layer before `box`."""
        return self.trunks[tail][self.layer[box] - self.layer[tail] - 1]

    def port(self, node: int, slot: int) -> float:
        """How far below the node's middle its edge number `slot` enters."""
        return (slot - (len(self.left[node]) - 1) / 2) * PORT_GAP

    def distance(self, above: int, below: int) -> float:
        """How far apart the middles of two neighbours in a layer must be."""
        lanes = above >= self.boxes or below >= self.boxes
        return (self.heights[above] + self.heights[below]) / 2 + (LANE_GAP if lanes else ROW_GAP)

    def room(self, node: int) -> tuple[float, float]:
        """From where to where a node can move between its neighbours above and below."""
        layer, i = self.layers[self.layer[node]], self.place[node]
        low, high = -math.inf, math.inf
        if i > 0:
            low = self.y[layer[i - 1]] + self.distance(layer[i - 1], node)
        if i + 1 < len(layer):
            high = self.y[layer[i + 1]] - self.distance(node, layer[i + 1])
        return low, high

    def stiffness(self, tail: int, head: int) -> float:
        """How much it counts that an edge between neighbouring layers is level."""
        return _STIFFNESS[(tail >= self.boxes) + (head >= self.boxes)]

    def _join(self, box: int, tail: int) -> None:
        trunk = self.trunks[tail]
        while len(trunk) < self.layer[box] - self.layer[tail]:
            self._add_stop(trunk)
        stop = self.stop(box, tail)
        self.right[stop].append((box, len(self.left[box])))
        self.left[box].append(stop)

    def _add_stop(self, trunk: list[int]) -> None:
        stop = len(self.left)
        self.layer.append(self.layer[trunk[-1]] + 1)
        self.heights.append(0.0)
        self.left.append([trunk[-1]])
        self.right.append([])
        self.right[trunk[-1]].append((stop, 0))
        trunk.append(stop)


# ---- layers ----


def _layers(operands: Sequence[Sequence[int]]) -> list[int]:
    """The layer of each box: just before its first use, further left if that saves length."""
    depth = [0] * len(operands)
    for box in reversed(range(len(operands))):
        for tail in operands[box]:
            depth[tail] = max(depth[tail], depth[box] + 1)
    deepest = max(depth, default=0)
    layer = [deepest - d for d in depth]
    uses = _uses(operands)
    for box, tails in enumerate(operands):
        if len(set(tails)) > uses[box]:
            layer[box] = max(layer[tail] for tail in tails) + 1
    return layer


def _uses(operands: Sequence[Sequence[int]]) -> list[int]:
    """How many boxes each box is an operand of."""
    uses = [0] * len(operands)
    for tails in operands:
        for tail in set(tails):
            uses[tail] += 1
    return uses


# ---- the order within layers ----


def _first_order(net: Net) -> list[list[int]]:
    """Each layer in the order of a depth-first walk from the results: right for every tree."""
    layers: list[list[int]] = [[] for _ in range(max(net.layer, default=-1) + 1)]
    seen = [False] * len(net.left)
    stack = [box for box in reversed(range(net.boxes)) if not net.right[box]]
    while stack:
        node = stack.pop()
        if not seen[node]:
            seen[node] = True
            layers[net.layer[node]].append(node)
            stack += reversed(net.left[node])
    return layers


_PATIENCE = 4  # sweeps without a gain before the search for a better order ends
_SWAPS = 8  # rounds of swaps after a sweep


def _order(net: Net) -> None:
    """Sweep to and fro, sorting each layer by its neighbours in the last one; keep the best."""
    for layer in net.layers:
        _number(net, layer)
    best, fewest = net.layers, _crossings(net)
    turn = idle = 0
    while fewest and idle < _PATIENCE:
        net.layers = _swept(net, to_the_left=turn % 2 == 1)
        for _ in range(_SWAPS):
            if not sum([_swap(net, layer) for layer in net.layers]):
                break
        turn, idle = turn + 1, idle + 1
        crossings = _crossings(net)
        if crossings < fewest:
            best, fewest, idle = [list(layer) for layer in net.layers], crossings, 0
    net.layers = best
    for layer in best:
        _number(net, layer)


def _number(net: Net, layer: Sequence[int]) -> None:
    for i, node in enumerate(layer):
        net.place[node] = i


def _crossings(net: Net) -> int:
    """How many pairs of edges between neighbouring layers cross: inversions of their tails."""
    crossings = 0
    for layer in net.layers:
        above: list[float] = []
        for node in layer:
            for tail in net.left[node]:
                crossings += len(above) - bisect_right(above, net.place[tail])
                insort(above, net.place[tail])
    return crossings


def _swept(net: Net, to_the_left: bool) -> list[list[int]]:
    """All layers sorted, one after the other."""
    ends = _heads if to_the_left else _tails
    layers = [list(layer) for layer in net.layers]
    for layer in reversed(layers) if to_the_left else layers:
        middles = {}
        for node in layer:
            if near := ends(net, node):
                middles[node] = sum(near) / len(near)
        moved = iter(sorted(middles, key=middles.__getitem__))
        layer[:] = [next(moved) if node in middles else node for node in layer]
        _number(net, layer)
    return layers


def _tails(net: Net, node: int) -> list[float]:
    """Where the edges into a node start in the layer before."""
    return [net.place[tail] for tail in net.left[node]]


def _heads(net: Net, node: int) -> list[float]:
    """Where the edges out of a node end in the layer after, ports told apart."""
    return [net.place[head] + slot / len(net.left[head]) for head, slot in net.right[node]]


def _swap(net: Net, layer: list[int]) -> bool:
    """Exchange neighbours in a layer wherever that removes crossings."""
    swapped = False
    tails = [sorted(_tails(net, node)) for node in layer]
    heads = [sorted(_heads(net, node)) for node in layer]
    for i in range(len(layer) - 1):
        j = i + 1
        gain = _inversions(tails[i], tails[j]) + _inversions(heads[i], heads[j])
        if gain and gain > _inversions(tails[j], tails[i]) + _inversions(heads[j], heads[i]):
            layer[i], layer[j] = layer[j], layer[i]
            tails[i], tails[j] = tails[j], tails[i]
            heads[i], heads[j] = heads[j], heads[i]
            swapped = True
    if swapped:
        _number(net, layer)
    return swapped


def _inversions(above: Sequence[float], below: Sequence[float]) -> int:
    """How many edges of a node cross those of another, beneath it in the same layer."""
    if not above or not below or above[-1] <= below[0]:
        return 0
    return sum([bisect_left(below, end) for end in above])


# ---- heights ----

_STIFFNESS = (1.0, 2.0, 8.0)  # of an edge that joins no stop, one stop, two stops
_STEEPEST = 40.0  # what a column gap grows by at most
_ROUNDS = 6
_SNAP = 5.0  # how far a box moves to make an edge level; less than half a port gap


def _place(net: Net) -> None:
    """Give each node its height: short edges by least squares, then straight ones."""
    for layer in net.layers:
        _spread(net, layer, [0.0] * len(layer), [1.0] * len(layer))
    for turn in range(2 * _ROUNDS):
        alone = turn < 4  # first sweep whole branches into place, then settle
        for layer in reversed(net.layers) if turn % 2 == 0 else net.layers:
            _pull(net, layer, not alone or turn % 2 == 1, not alone or turn % 2 == 0)
    for trunk in net.trunks:
        _straighten(net, trunk)
    _snap(net)


def _pull(net: Net, layer: Sequence[int], by_tails: bool, by_heads: bool) -> None:
    """Move the nodes of a layer to the middle of what pulls them, as far as there is room."""
    wanted, weights = [], []
    for node in layer:
        total = weight = 0.0
        if by_tails:
            for slot, tail in enumerate(net.left[node]):
                w = net.stiffness(tail, node)
                total += w * (net.y[tail] - net.port(node, slot))
                weight += w
        if by_heads:
            for head, slot in net.right[node]:
                w = net.stiffness(node, head)
                total += w * (net.y[head] + net.port(head, slot))
                weight += w
        wanted.append(total / weight if weight else net.y[node])
        weights.append(weight or 0.1)
    _spread(net, layer, wanted, weights)


def _spread(
    net: Net, layer: Sequence[int], wanted: Sequence[float], weights: Sequence[float]
) -> None:
    """Heights nearest to the wanted ones, in least squares, that keep order and distance.

    With the distances taken off, this is regression under monotony: neighbours that would pass
    each other are pooled and take the mean.
    """
    offsets = _offsets(net, layer)
    pools: list[tuple[float, float, int]] = []  # mean, weight, how many
    for want, weight, offset in zip(wanted, weights, offsets):
        mean, count = want - offset, 1
        while pools and pools[-1][0] >= mean:
            other, heavy, many = pools.pop()
            mean = (mean * weight + other * heavy) / (weight + heavy)
            weight, count = weight + heavy, count + many
        pools.append((mean, weight, count))
    means = [mean for mean, _, count in pools for _ in range(count)]
    for node, mean, offset in zip(layer, means, offsets):
        net.y[node] = mean + offset


def _offsets(net: Net, layer: Sequence[int]) -> list[float]:
    """The heights of a layer packed as closely as is allowed."""
    offsets = [0.0] * len(layer)
    for i in range(1, len(layer)):
        offsets[i] = offsets[i - 1] + net.distance(layer[i - 1], layer[i])
    return offsets


def _straighten(net: Net, trunk: Sequence[int]) -> None:
    """Put the stops of a trunk on one height, or on as few heights as there is room for."""
    first = 1
    while first < len(trunk):
        last, low, high = _run(net, trunk, first)
        middle = sum([net.y[stop] for stop in trunk[first:last]]) / (last - first)
        ends = [net.y[trunk[first - 1]], *_ports_after(net, trunk[last - 1])]
        level = [y for y in ends if low <= y <= high] or [min(max(middle, low), high)]
        y = min(level, key=lambda y: abs(y - middle))
        for stop in trunk[first:last]:
            net.y[stop] = y
        first = last


def _run(net: Net, trunk: Sequence[int], first: int) -> tuple[int, float, float]:
    """The end of the stops from `first` that fit on one height, and its bounds."""
    low, high = net.room(trunk[first])
    for last in range(first + 1, len(trunk)):
        top, bottom = net.room(trunk[last])
        if max(low, top) > min(high, bottom):
            return last, low, high
        low, high = max(low, top), min(high, bottom)
    return len(trunk), low, high


def _ports_after(net: Net, node: int) -> list[float]:
    """The heights at which the edges from a node arrive."""
    return [net.y[head] + net.port(head, slot) for head, slot in net.right[node]]


def _snap(net: Net) -> None:
    """Move boxes by a little where that makes an edge level."""
    for layer in net.layers:
        for node in layer:
            ports = [net.y[tail] - net.port(node, i) for i, tail in enumerate(net.left[node])]
            _move_to_nearest(net, node, ports)
    for layer in reversed(net.layers):
        for node in layer:
            if not net.left[node]:
                _move_to_nearest(net, node, _ports_after(net, node))


def _move_to_nearest(net: Net, node: int, heights: Sequence[float]) -> None:
    low, high = net.room(node)
    near = [y for y in heights if low <= y <= high and abs(y - net.y[node]) <= _SNAP]
    if near and node < net.boxes:
        net.y[node] = min(near, key=lambda y: abs(y - net.y[node]))


# ---- the result ----


def _drawn(net: Net, sizes: Sequence[Size], operands: Sequence[Sequence[int]]) -> Layout:
    """Columns for the layers, whole numbers for the heights, and the edges' points."""
    tops = [y - height / 2 for y, height in zip(net.y, net.heights)]
    shift = MARGIN - min(tops, default=0.0)
    net.y = [float(round(y + shift)) for y in net.y]
    columns = _columns(net, sizes)
    corners = [
        (columns[net.layer[box]][1] - width, net.y[box] - height / 2)
        for box, (width, height) in enumerate(sizes)
    ]
    routes = [
        [_route(net, columns, corners, tail, box, slot) for slot, tail in enumerate(tails)]
        for box, tails in enumerate(operands)
    ]
    bottom = max([y + height / 2 for y, height in zip(net.y, net.heights)], default=MARGIN)
    right = columns[-1][1] if columns else MARGIN
    return Layout(right + MARGIN, bottom + MARGIN, corners, routes)


def _columns(net: Net, sizes: Sequence[Size]) -> list[Size]:
    """Where each layer begins and ends: as wide as its widest box, apart as its edges are steep."""
    columns = []
    end = MARGIN
    for number, layer in enumerate(net.layers):
        rises = [abs(rise) for node in layer for rise in _rises(net, node)]
        begin = end + (COLUMN_GAP + min(_STEEPEST, max(rises, default=0.0) / 8) if number else 0.0)
        end = begin + max([sizes[node][0] for node in layer if node < net.boxes])
        columns.append((begin, end))
    return columns


def _rises(net: Net, node: int) -> Iterator[float]:
    """By how much each edge into a node rises or falls after the layer before."""
    for slot, tail in enumerate(net.left[node]):
        yield net.y[node] + net.port(node, slot) - net.y[tail]


def _route(
    net: Net, columns: list[Size], corners: list[Point], tail: int, box: int, slot: int
) -> list[Point]:
    """The points of the edge from `tail` to `box`."""
    points = [(columns[net.layer[tail]][1], net.y[tail])]
    for stop in net.trunks[tail][1 : net.layer[box] - net.layer[tail]]:
        begin, end = columns[net.layer[stop]]
        points += [(begin, net.y[stop]), (end, net.y[stop])]
    y = net.y[box] + net.port(box, slot)
    begin = columns[net.layer[box]][0]
    points.append((begin, y))
    if corners[box][0] > begin:
        points.append((corners[box][0], y))
    return points
