"""Drawings of a program's scalars, in which the values of an instruction can be lit up.

A graph of up to 400 values is drawn whole, one of more by the blocks of the program. Either tells
which of its boxes an instruction or one element lights up, and where each of its boxes leads.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from chainrule.viz import reading, svg
from chainrule.viz.beside import Beside
from chainrule.viz.elements import DATA, LEAVES, NUMBERS, Element
from chainrule.viz.svg import Group, Node, number

Mark = tuple[int, str, str]  # a box, how it is lit, and what stands below it

MOST = 400  # values that are drawn one by one
_GROUPS = 200  # and blocks
_OPS = 3  # that are named in a group
_HOW = ("made", "part", "read")  # what a box is above all comes first


def drawing(beside: Beside) -> Whole | Folded:
    """The drawing of a program's scalars."""
    ops, homes = beside.scalars.graph.ops, beside.scalars.homes
    count = sum(bool(home) and op != "constant" for op, home in zip(ops, homes))
    return Whole(beside) if count <= MOST else Folded(beside)


class Whole:
    """All scalars that are needed, one by one.

    Attributes:
        picture: the drawing as SVG; empty if there is none.
        leads: of each of its boxes the element that its value is, or is part of.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self._boxes = Boxes(beside)
        for node, homes in enumerate(beside.scalars.homes):
            if homes:
                self._boxes.add(node)
        self.picture = svg.picture(self._boxes.nodes) if self._boxes.nodes else ""
        self.leads = self._boxes.leads

    def marks(self, block: int) -> list[Mark]:
        """The values of an instruction: what it computes, what is part of that, what it reads."""
        size = self._beside.instruction(block).size
        return _each_once(mark for place in range(size) for mark in self._of((block, place)))

    def boxes(self, element: Element) -> list[int]:
        """The boxes that one element lights up."""
        return [*dict.fromkeys([box for box, _, _ in self._of(element)])]

    def _of(self, element: Element) -> Iterator[Mark]:
        scalars, about = self._beside.scalars, self._beside.about(element)
        name = f"b{element[0]}[{element[1]}]"
        for node in scalars.nodes_of.get(element, about[:1] if about else ()):
            yield from self._lit(node, "made", name)
        for node in scalars.inside.get(element[0], []):
            if element in scalars.homes[node]:
                yield from self._lit(node, "part", f"in {name}")
        for read in self._beside.members.reads(element):
            found = self._beside.about(read)
            if found and read[0] != NUMBERS:
                yield from self._lit(found[0], "read", "read")

    def _lit(self, node: int, how: str, below: str) -> Iterator[Mark]:
        """The boxes of a node; of one that is computed, those of numbers that it uses too."""
        for box in self._boxes.of.get(node, []):
            yield box, how, below
            for operand in self._boxes.nodes[box].operands if how != "read" else ():
                if self._boxes.nodes[operand].op == "constant":
                    yield operand, "read", "read"


def _each_once(marks: Iterable[Mark]) -> list[Mark]:
    """Each box once, as what it is above all."""
    found: dict[int, Mark] = {}
    for mark in sorted(marks, key=lambda mark: _HOW.index(mark[1])):
        found.setdefault(mark[0], mark)
    return [*found.values()]


class Folded:
    """The scalars by the blocks of the program, if these are not too many to draw.

    Its attributes, and `marks`, are those of a whole drawing.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        instructions = beside.program.instructions[: beside.program.forward]
        blocks = [i for i, made in enumerate(instructions) if made.size and i != NUMBERS]
        drawn = blocks if len(blocks) <= _GROUPS else []
        self._box = {block: box for box, block in enumerate(drawn)}
        self.leads: list[Element | None] = [(block, 0) for block in drawn]
        self.picture = svg.picture([self._group(block) for block in drawn]) if drawn else ""

    def marks(self, block: int) -> list[Mark]:
        """The group that an instruction computes something of, and those that it reads."""
        own = self._group_of(block)
        reads = [self._group_of(source) for source in self._beside.sources(block)]
        marks = [(own[0], "made", own[1])] if own else []
        return _each_once([*marks, *[(found[0], "read", "read") for found in reads if found]])

    def _group_of(self, block: int) -> tuple[int, str] | None:
        """The group of the values that a block is about, and what of them it is."""
        if block in self._box:
            return self._box[block], "computed"
        about = self._beside.about((block, 0)) if self._beside.instruction(block).size else None
        home = self._beside.scalars.elements[about[0]] if about else None
        return (self._box[home[0]], about[1]) if about and home and home[0] in self._box else None

    def _group(self, block: int) -> Group:
        scalars, made = self._beside.scalars, self._beside.instruction(block)
        nodes = [x for k in range(made.size) for x in scalars.nodes_of.get((block, k), ())]
        reads = [self._box[x] for x in self._beside.sources(block) if x in self._box]
        ops = Counter([scalars.graph.ops[x] for x in [*nodes, *scalars.inside.get(block, [])]])
        values = [scalars.values[x] for x in nodes]
        lines = [reading.summary(made)]
        if block not in (LEAVES, DATA) and _named(ops) != lines[0]:
            lines.append(f"of {_named(ops)}")
        lines += [_range("data", [x.data for x in values])] if values else []
        lines += [_range("grad", [x.grad for x in values])] if values and block != DATA else []
        return Group(f"b{block}", tuple(lines), tuple(reads), tuple(nodes))


def _named(ops: Counter[str]) -> str:
    """How many there are of each op."""
    named = [f"{count:,} {op}" for op, count in ops.most_common(_OPS)]
    return ", ".join([*named, *(["..."] if len(ops) > _OPS else [])]) or "no scalar by itself"


def _range(name: str, numbers: Sequence[float]) -> str:
    known = [x for x in numbers if x == x] or list(numbers)
    low, high = number(min(known)), number(max(known))
    return f"{name} {low}" + (f" to {high}" if low != high else "")


class Boxes:
    """Values as boxes; a number of the expression is one at each of its uses.

    Attributes:
        nodes: the boxes.
        of: the boxes of each node.
        leads: of each box the element that its value is, or is part of.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self.nodes: list[Node] = []
        self.of: dict[int, list[int]] = {}
        self.leads: list[Element | None] = []

    def add(self, node: int, ends: bool = False) -> None:
        """Draw a node whose operands are drawn, or one that the drawing ends at."""
        graph = self._beside.scalars.graph
        if graph.ops[node] == "constant" and not any(node in group for group in graph.outputs):
            return
        op = "" if graph.ops[node] == "datum" else graph.ops[node]
        reads = () if ends else graph.operands[node]
        self._draw(node, "outside" if ends and op else op, [self._operand(x) for x in reads])

    def _operand(self, node: int) -> int:
        """The box of a node that is drawn; of a number a new one."""
        if self._beside.scalars.graph.ops[node] == "constant":
            self._draw(node, "constant", [])
        return self.of[node][-1]

    def _draw(self, node: int, op: str, reads: Sequence[int]) -> None:
        scalars = self._beside.scalars
        value, homes = scalars.values[node], scalars.homes[node]
        named = scalars.elements[node] is not None and op != "constant"
        label = self._beside.names.node(node) if named else ""
        self.of.setdefault(node, []).append(len(self.nodes))
        self.nodes.append(Node(label, op, value.data, value.grad, tuple(reads)))
        self.leads.append(homes[0] if homes else None)


def sample(beside: Beside, node: int, steps: int) -> Boxes:
    """How one scalar is computed from what blocks hold: at most so many ops, nearest to it."""
    graph, elements = beside.scalars.graph, beside.scalars.elements
    inner, reached = [node], [node]
    for x in reached:
        for operand in dict.fromkeys(graph.operands[x]) if x in inner else ():
            if operand not in reached:
                reached.append(operand)
                if elements[operand] is None and graph.operands[operand] and len(inner) < steps:
                    inner.append(operand)
    boxes = Boxes(beside)
    for x in sorted(reached):
        boxes.add(x, ends=x not in inner)
    return boxes
