"""The heights of the nodes within the layers of a drawing: short edges, straight where possible."""

from __future__ import annotations

import math
from collections.abc import Sequence

from chainrule.viz.net import Net

_STIFFNESS = (1.0, 2.0, 8.0)  # of an edge that joins no stop, one stop, two stops
_ROUNDS = 12
_SNAP = 5.0  # how far a box moves to make an edge level; less than half a port gap

Pull = tuple[int, float, float]  # towards which node, how far below it, how strongly


def heights(net: Net) -> list[float]:
    """The height of each node's middle, by least squares over the edges' rises."""
    return _Heights(net).y


class _Heights:
    """The state of the search.

    Attributes:
        y: the height of each node's middle.
        pulls: of each layer, node by node, what pulls it to the left and what to the right.
    """

    def __init__(self, net: Net) -> None:
        self.net = net
        self.y = [0.0] * len(net.left)
        self.offsets = [_offsets(net, layer) for layer in net.layers]
        self.tails = [_tail_pulls(net, node) for node in range(len(net.left))]
        self.heads = [_head_pulls(net, node) for node in range(len(net.left))]
        for number, layer in enumerate(net.layers):
            self._spread(number, [0.0] * len(layer), [1.0] * len(layer))
        for turn in range(_ROUNDS):
            self._sweep(to_the_left=turn % 2 == 0, alone=turn < 4)
        for trunk in net.trunks:
            self._straighten(trunk)
        self._snap()

    def _sweep(self, to_the_left: bool, alone: bool) -> None:
        """Pull layer after layer: at first by one side alone, so that whole branches move."""
        numbers = range(len(self.net.layers))
        for number in reversed(numbers) if to_the_left else numbers:
            self._pull(number, not (alone and to_the_left), not alone or to_the_left)

    def _pull(self, number: int, by_tails: bool, by_heads: bool) -> None:
        """Move the nodes of a layer to the middle of what pulls them, as far as there is room."""
        y = self.y
        wanted, weights = [], []
        for node in self.net.layers[number]:
            total = weight = 0.0
            pulls = self.tails[node] if by_tails else []
            for other, below, w in pulls + self.heads[node] if by_heads else pulls:
                total += w * (y[other] + below)
                weight += w
            wanted.append(total / weight if weight else y[node])
            weights.append(weight or 0.1)
        self._spread(number, wanted, weights)

    def _spread(self, number: int, wanted: Sequence[float], weights: Sequence[float]) -> None:
        """Heights nearest to the wanted ones, in least squares, that keep order and distance.

        With the distances taken off, this is regression under monotony: neighbours that would pass
        each other are pooled and take the mean.
        """
        offsets = self.offsets[number]
        pools: list[tuple[float, float, int]] = []  # mean, weight, how many
        for want, weight, offset in zip(wanted, weights, offsets):
            mean, count = want - offset, 1
            while pools and pools[-1][0] >= mean:
                other, heavy, many = pools.pop()
                mean = (mean * weight + other * heavy) / (weight + heavy)
                weight, count = weight + heavy, count + many
            pools.append((mean, weight, count))
        means = [mean for mean, _, count in pools for _ in range(count)]
        for node, mean, offset in zip(self.net.layers[number], means, offsets):
            self.y[node] = mean + offset

    # ---- straight lines ----

    def _room(self, node: int) -> tuple[float, float]:
        """From where to where a node can move between its neighbours above and below."""
        net, y = self.net, self.y
        layer, i = net.layers[net.layer[node]], net.place[node]
        low, high = -math.inf, math.inf
        if i > 0:
            low = y[layer[i - 1]] + net.distance(layer[i - 1], node)
        if i + 1 < len(layer):
            high = y[layer[i + 1]] - net.distance(node, layer[i + 1])
        return low, high

    def _straighten(self, trunk: Sequence[int]) -> None:
        """Put the stops of a trunk on one height, or on as few heights as there is room for."""
        first = 1
        while first < len(trunk):
            last, low, high = self._run(trunk, first)
            middle = sum([self.y[stop] for stop in trunk[first:last]]) / (last - first)
            ends = [self.y[trunk[first - 1]], *self._pulled(self.heads[trunk[last - 1]])]
            level = [y for y in ends if low <= y <= high] or [min(max(middle, low), high)]
            y = min(level, key=lambda y: abs(y - middle))
            for stop in trunk[first:last]:
                self.y[stop] = y
            first = last

    def _run(self, trunk: Sequence[int], first: int) -> tuple[int, float, float]:
        """The end of the stops from `first` that fit on one height, and its bounds."""
        low, high = self._room(trunk[first])
        for last in range(first + 1, len(trunk)):
            top, bottom = self._room(trunk[last])
            if max(low, top) > min(high, bottom):
                return last, low, high
            low, high = max(low, top), min(high, bottom)
        return len(trunk), low, high

    def _pulled(self, pulls: Sequence[Pull]) -> list[float]:
        """The heights of a node at which one of its edges is level."""
        return [self.y[other] + below for other, below, _ in pulls]

    def _snap(self) -> None:
        """Move boxes by a little where that makes an edge level."""
        for layer in self.net.layers:
            for node in layer:
                self._move_to_nearest(node, self._pulled(self.tails[node]))
        for layer in reversed(self.net.layers):
            for node in layer:
                if not self.tails[node]:
                    self._move_to_nearest(node, self._pulled(self.heads[node]))

    def _move_to_nearest(self, node: int, wanted: Sequence[float]) -> None:
        if node >= self.net.boxes:
            return
        low, high = self._room(node)
        near = [y for y in wanted if low <= y <= high and abs(y - self.y[node]) <= _SNAP]
        if near:
            self.y[node] = min(near, key=lambda y: abs(y - self.y[node]))


def _offsets(net: Net, layer: Sequence[int]) -> list[float]:
    """The heights of a layer packed as closely as is allowed."""
    offsets = [0.0] * len(layer)
    for i in range(1, len(layer)):
        offsets[i] = offsets[i - 1] + net.distance(layer[i - 1], layer[i])
    return offsets


def _tail_pulls(net: Net, node: int) -> list[Pull]:
    return [
        (tail, -net.port(node, slot), _stiffness(net, tail, node))
        for slot, tail in enumerate(net.left[node])
    ]


def _head_pulls(net: Net, node: int) -> list[Pull]:
    return [
        (head, net.port(head, slot), _stiffness(net, node, head)) for head, slot in net.right[node]
    ]


def _stiffness(net: Net, tail: int, head: int) -> float:
    """How much it counts that an edge between neighbouring layers is level."""
    return _STIFFNESS[(tail >= net.boxes) + (head >= net.boxes)]
