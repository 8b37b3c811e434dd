"""The boxes and edges of a drawing, layer by layer.

An edge over several layers has a stop in each layer between; edges from one box share their stops,
so that a value which is used far away runs as one line and branches late.
"""

from __future__ import annotations

from collections.abc import Sequence

from chainrule.viz.order import Rows, numbered, untangled

Size = tuple[float, float]

PORT_GAP = 12.0  # between two edges where they enter a box
_ROW_GAP = 16.0
_LANE_GAP = 11.0  # beside a stop


class Net:
    """The boxes and stops, layer by layer, each joined to the next layer only.

    Attributes:
        layers: the nodes of each layer from top to bottom; boxes are numbered as given.
        layer: the number of each node's layer.
        trunks: for each box, itself and its stops, in successive layers.
        left: for each node, its neighbours in the layer before, from top to bottom; the edges
            from them enter it in this order.
        right: for each node, its neighbours in the layer after, each with the port there.
        slots: for each box and each of its operands, the port at which the operand's edge enters.
        heights: of each node, 0 for a stop.
    """

    def __init__(self, sizes: Sequence[Size], operands: Sequence[Sequence[int]]) -> None:
        self.layer = _layers(operands)
        self.boxes = len(sizes)
        self.heights = [height for _, height in sizes]
        self.trunks = [[box] for box in range(self.boxes)]
        self.left: Rows = [[] for _ in sizes]
        for box, tails in enumerate(operands):
            for tail in tails:
                self.left[box].append(self._stop(box, tail))
        self._order()
        self.slots = [self._ports(box, tails) for box, tails in enumerate(operands)]

    def port(self, node: int, slot: int) -> float:
        """How far below the node's middle its edge number `slot`, from the top, enters."""
        return (slot - (len(self.left[node]) - 1) / 2) * PORT_GAP

    def distance(self, above: int, below: int) -> float:
        """How far apart the middles of two neighbours in a layer must be."""
        lanes = above >= self.boxes or below >= self.boxes
        return (self.heights[above] + self.heights[below]) / 2 + (_LANE_GAP if lanes else _ROW_GAP)

    def _stop(self, box: int, tail: int) -> int:
        """Where the edge from `tail` to `box` is in the layer before `box`."""
        trunk, length = self.trunks[tail], self.layer[box] - self.layer[tail]
        while len(trunk) < length:
            self.layer.append(self.layer[trunk[-1]] + 1)
            self.heights.append(0.0)
            self.left.append([trunk[-1]])
            trunk.append(len(self.left) - 1)
        return trunk[length - 1]

    def _order(self) -> None:
        """Put each layer into an order with few crossings, and the edges into each box too."""
        heads: Rows = [[] for _ in self.left]
        for node, tails in enumerate(self.left):
            for tail in tails:
                heads[tail].append(node)
        self.layers = untangled(_first_order(self.layer, self.left, heads), self.left, heads)
        self.place = numbered(self.layers)
        self.right: list[list[tuple[int, int]]] = [[] for _ in self.left]
        for node, tails in enumerate(self.left):
            tails.sort(key=self.place.__getitem__)
            for slot, tail in enumerate(tails):
                self.right[tail].append((node, slot))

    def _ports(self, box: int, tails: Sequence[int]) -> list[int]:
        """The port of each operand: as high as it is itself, repeats one below the other."""
        places = [self.place[self._stop(box, tail)] for tail in tails]
        ports = [0] * len(tails)
        for port, slot in enumerate(sorted(range(len(tails)), key=places.__getitem__)):
            ports[slot] = port
        return ports


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


def _first_order(layer: Sequence[int], left: Rows, heads: Rows) -> Rows:
    """Each layer in the order of a depth-first walk from the results: right for every tree."""
    layers: Rows = [[] for _ in range(max(layer, default=-1) + 1)]
    seen = [False] * len(left)
    stack = [node for node in reversed(range(len(left))) if not heads[node]]
    while stack:
        node = stack.pop()
        if not seen[node]:
            seen[node] = True
            layers[layer[node]].append(node)
            stack += reversed(left[node])
    return layers
