"""The scalars that a program came from: their numbers by the engine, and what they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from chainrule import modes
from chainrule.compiler.graph import Graph
from chainrule.compiler.placement import Placement
from chainrule.compiler.program import Map
from chainrule.engine import Value
from chainrule.ops import TABLE
from chainrule.viz.elements import DATA, LEAVES, Element, operands
from chainrule.viz.spelled import bracketed
from chainrule.viz.svg import short_number, shorten

_LABEL = 60  # columns of a name


class Scalars:
    """The nodes of a graph beside the elements of a program's blocks.

    Args:
        graph: the nodes.
        placement: where in the program they are.
        given: the numbers of leaves, and those of data, in the order of the program.

    Attributes:
        values: of each node a value of the engine, with its data and gradient.
        homes: of each node the elements that it is, or is part of: none if nobody needs it.
        inside: of each block the nodes that are no element, but parts of one of its elements.
        nodes_of: the nodes that an element is: more than one where they are equal by structure.
        gradient_of: the node whose gradient an element is.
    """

    def __init__(
        self, graph: Graph, placement: Placement, given: Mapping[int, Sequence[float]]
    ) -> None:
        self.graph = graph
        self.placement = placement
        self.elements = [placement.element(node) for node in range(len(graph.ops))]
        numbers = [
            given[x[0]][x[1]] if x and x[0] in given else number
            for x, number in zip(self.elements, graph.numbers)
        ]
        self.values = _computed(graph, numbers)
        self.homes = _homes(graph, self.elements)
        self.inside: dict[int, list[int]] = {}
        self.nodes_of: dict[Element, list[int]] = {}
        self.gradient_of: dict[Element, int] = {}
        for node, element in enumerate(self.elements):
            self._enter(node, element)

    def _enter(self, node: int, element: Element | None) -> None:
        gradient = self.placement.gradient(node)
        if gradient:
            self.gradient_of[gradient] = node
        if element:
            self.nodes_of.setdefault(element, []).append(node)
        elif self.graph.ops[node] != "constant":
            for block in {block: None for block, _ in self.homes[node]}:
                self.inside.setdefault(block, []).append(node)


def _computed(graph: Graph, numbers: Sequence[float]) -> list[Value]:
    """The graph built once more, by the engine, from other numbers, with its gradients."""
    around = modes.exchange(())  # no_grad around it is for what the user computes
    try:
        values = _built(graph, numbers)
        if graph.outputs:
            values[graph.outputs[0][0]].backward()
        return values
    finally:
        modes.exchange(around)


def _built(graph: Graph, numbers: Sequence[float]) -> list[Value]:
    values: list[Value] = []
    for op, found, number in zip(graph.ops, graph.operands, numbers):
        if op == "lookup":  # times 1, for a value of its own
            values.append(values[found[1 + int(values[found[0]].data)]] * 1.0)
        elif found:
            values.append(TABLE[op](*[values[x] for x in found]))
        else:
            values.append(Value(number))
    return values


def _homes(graph: Graph, elements: Sequence[Element | None]) -> list[tuple[Element, ...]]:
    """The elements that each node is or is part of: where no block has it, those of its readers."""
    homes: list[tuple[Element, ...]] = [() for _ in elements]
    for node in range(len(elements) - 1, -1, -1):
        element = elements[node]
        if element:
            homes[node] = (element,)
        for operand in graph.operands[node] if homes[node] else ():
            if elements[operand] is None and homes[operand] != homes[node]:
                homes[operand] = (*dict.fromkeys((*homes[operand], *homes[node])),)
    return homes


class Names:
    """What scalars, gradients and other elements of blocks are called.

    Args:
        scalars: those that are called.
        of_leaves: what leaves are called, by their places, where they have a name.
        of_data: what data are called, by their places.
        labels: what the user calls other nodes.
    """

    def __init__(
        self,
        scalars: Scalars,
        of_leaves: Mapping[int, str],
        of_data: Callable[[int], str],
        labels: Mapping[int, str],
    ) -> None:
        self._scalars = scalars
        self._of_leaves = of_leaves
        self._of_data = of_data
        self._labels = labels

    def node(self, node: int) -> str:
        """The name of a node: the user's, or else that of the element that it is."""
        block, place = self._scalars.elements[node] or (-1, -1)
        if self._scalars.graph.ops[node] == "constant":
            return short_number(self._scalars.graph.numbers[node])
        name = self._labels.get(node, "")
        if block == LEAVES:
            name = name or self._of_leaves.get(place, "")
        if block == DATA:
            name = name or self._of_data(place)
        return shorten(name, _LABEL) or f"b{block}[{place}]"

    def element(self, element: Element) -> str:
        """The name of an element, by what it is of the scalars."""
        scalars, (block, place) = self._scalars, element
        made = scalars.placement.program.instructions[block]
        if element in scalars.nodes_of:
            return self.node(scalars.nodes_of[element][0])
        if element in scalars.gradient_of:
            return f"{bracketed(self.node(scalars.gradient_of[element]))}.grad"
        if isinstance(made, Map) and made.rule is not None:
            value, *found = operands(made, place)
            return f"d({self.element(value)})/d({self.element(found[made.rule])})"
        return f"b{block}[{place}]"
