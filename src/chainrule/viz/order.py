"""The order of the nodes within the layers of a drawing, in which few edges cross.

The search is that of Gansner, Koutsofios, North and Vo, "A technique for drawing directed graphs"
(1993): sort each layer by the middles of its neighbours in the last one, to and fro; after each
sweep exchange neighbours wherever that removes crossings; keep the best that was found.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator, Sequence

Rows = list[list[int]]  # of each layer its nodes, or of each node its neighbours on one side

_PATIENCE = 4  # sweeps without a gain before the search ends
_ROUNDS = 4  # of exchanges after a sweep


def untangled(layers: Rows, left: Rows, right: Rows) -> Rows:
    """The layers, each in an order in which few edges cross.

    Args:
        layers: the nodes of each layer, in the order to start from.
        left, right: of each node its neighbours in the layers before and after; repeats count.

    >>> untangled([[0, 1], [2, 3]], [[], [], [1], [0]], [[3], [2], [], []])
    [[0, 1], [3, 2]]
    """
    place = numbered(layers)
    best, fewest = layers, crossings(layers, left)
    turn = idle = 0
    while fewest and idle < _PATIENCE:
        back = turn % 2 == 1
        layers = _swept(layers, right if back else left, place, back, turn % 4 > 1)
        _exchange(layers, left, right, place)
        turn, idle = turn + 1, idle + 1
        found = crossings(layers, left)
        if found < fewest:
            best, fewest, idle = [list(layer) for layer in layers], found, 0
    return best


def numbered(layers: Sequence[Sequence[int]]) -> list[int]:
    """The place of each node in its layer."""
    place = [0] * sum(map(len, layers))
    for layer in layers:
        _number(place, layer)
    return place


def crossings(layers: Sequence[Sequence[int]], left: Rows) -> int:
    """How many pairs of edges between neighbouring layers cross: inversions of their tails."""
    place = numbered(layers)
    count = 0
    for layer in layers:
        above: list[int] = []
        for node in layer:
            ends = [place[tail] for tail in left[node]]
            count += sum([len(above) - bisect_right(above, end) for end in ends])
            for end in ends:
                insort(above, end)
    return count


def _number(place: list[int], layer: Sequence[int]) -> None:
    for i, node in enumerate(layer):
        place[node] = i


def _swept(layers: Rows, near: Rows, place: list[int], back: bool, turn_ties: bool) -> Rows:
    """All layers sorted by their neighbours, one after the other."""
    layers = [list(layer) for layer in layers]
    for layer in reversed(layers) if back else layers:
        moved = iter(_by_middle(layer, near, place, turn_ties))
        layer[:] = [next(moved) if near[node] else node for node in layer]
        _number(place, layer)
    return layers


def _by_middle(layer: list[int], near: Rows, place: list[int], turn_ties: bool) -> Iterator[int]:
    """The nodes with neighbours, by the mean place of these; of equals the first or last first."""
    middle = {
        node: sum([place[other] for other in near[node]]) / len(near[node])
        for node in (reversed(layer) if turn_ties else layer)
        if near[node]
    }
    return iter(sorted(middle, key=middle.__getitem__))


def _exchange(layers: Rows, left: Rows, right: Rows, place: list[int]) -> None:
    """Exchange neighbours in all layers; those beside a layer that changed are tried again."""
    waiting = set(range(len(layers)))
    for _ in range(_ROUNDS):
        moved = [i for i in sorted(waiting) if _exchanged(layers[i], left, right, place)]
        waiting = {j for i in moved for j in (i - 1, i, i + 1) if 0 <= j < len(layers)}


def _exchanged(layer: list[int], left: Rows, right: Rows, place: list[int]) -> bool:
    """Exchange neighbours in a layer wherever that removes crossings; whether any were."""
    swapped = False
    tails, heads = _ends(layer, left, place), _ends(layer, right, place)
    for i in range(len(layer) - 1):
        j = i + 1
        now = _inversions(tails[i], tails[j]) + _inversions(heads[i], heads[j])
        if now and now > _inversions(tails[j], tails[i]) + _inversions(heads[j], heads[i]):
            layer[i], layer[j] = layer[j], layer[i]
            tails[i], tails[j] = tails[j], tails[i]
            heads[i], heads[j] = heads[j], heads[i]
            swapped = True
    if swapped:
        _number(place, layer)
    return swapped


def _ends(layer: Sequence[int], near: Rows, place: list[int]) -> Rows:
    """Of each node in a layer the places of its neighbours, from top to bottom."""
    at = place.__getitem__
    return [sorted(map(at, near[node])) for node in layer]


def _inversions(above: Sequence[int], below: Sequence[int]) -> int:
    """How many edges of a node cross those of another, beneath it in the same layer."""
    if not above or not below or above[-1] <= below[0]:
        return 0
    return sum([bisect_left(below, end) for end in above])
