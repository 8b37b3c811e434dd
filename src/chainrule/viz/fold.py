"""Large graphs drawn by groups of values: neurons, layers, or instructions of the array program.

1. Every inner value gets a kind: the neuron or layer whose parameters it uses, the instruction
   that computes it, or else its op.
2. Values used once, by one of their own kind, belong together with it: these are components.
3. Components of one kind in one depth are a group; the depth grows wherever the kind changes along
   a path, so that groups have no cycles even where a network calls itself.
4. Leaves are grouped by who uses them; parameters stand in the box of the neuron or layer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.compiler.explain import origin
from chainrule.compiler.graph import Graph
from chainrule.compiler.lift import Placed
from chainrule.engine import Value
from chainrule.viz.page import Opened
from chainrule.viz.svg import Box, Group, Node, number

FOLDS = ("neuron", "layer", "program")
_FEW = 3  # ops that are named with their counts
_LEAF, _CONSTANT = -1, -2  # in place of a group
_SUMS = {"add", "sub", "mul", "neg"}  # what a weighted sum is made of


@dataclass(frozen=True, slots=True)
class Net:
    """A graph by places: what all folds read.

    Attributes:
        values: all values, operands first.
        ops: the op of each value.
        operands: the places of each value's operands.
        paths: the path of each parameter, by its place.
    """

    values: Sequence[Value]
    ops: list[str]
    operands: list[tuple[int, ...]]
    paths: dict[int, str]

    def is_zero(self, i: int) -> bool:
        """Whether it is the number 0, which `sum()` starts from."""
        return self.ops[i] == "constant" and self.values[i].data == 0.0


def read(values: Sequence[Value], named: Mapping[int, str]) -> Net:
    """The graph of values, and which of its leaves are parameters.

    Args:
        values: all values, operands first.
        named: the paths of a module's parameters, by their `id`; else labels that are paths count.
    """
    place = {id(value): i for i, value in enumerate(values)}
    operands = [tuple([place[id(x)] for x in value.operands]) for value in values]
    ops = [value.op for value in values]
    leaves = [i for i, op in enumerate(ops) if not op]
    found = {i: named.get(id(values[i])) or path_of(values[i].label) for i in leaves}
    return Net(values, ops, operands, {i: path for i, path in found.items() if path})


def path_of(label: str) -> str:
    """The label, if it is the path of a parameter.

    >>> path_of("layers.0.neurons.3.w.1"), path_of("x1"), path_of("a. b")
    ('layers.0.neurons.3.w.1', '', '')
    """
    parts = label.split(".") if "." in label else []
    return label if parts and all(p.isidentifier() or p.isdecimal() for p in parts) else ""


def owner(path: str) -> str:
    """What a part belongs to: its path without its name and number.

    >>> owner("layers.0.neurons.3.w.1"), owner("layers.0.neurons.3")
    ('layers.0.neurons.3', 'layers.0')
    """
    parts = path.split(".")
    while parts and parts[-1].isdecimal():
        parts.pop()
    return ".".join(parts[:-1])


def fold(net: Net, by: str) -> list[Box]:
    """The boxes that a graph is drawn by, operands first.

    Args:
        net: the graph.
        by: "neuron", "layer" or "program".
    """
    if by == "program":
        kinds, titles = _instructions(net)
        return _Boxes(net, _Groups(net, kinds, ()), titles).made
    up: Callable[[str], str] = owner if by == "neuron" else lambda path: owner(owner(path))
    kinds, titles = _modules(net, up)
    return _Boxes(net, _Groups(net, kinds, titles), titles).made


# ---- kinds: a number for each, and for some what is said of it ----


def _modules(net: Net, up: Callable[[str], str]) -> tuple[list[int], dict[int, str]]:
    """The neuron or layer of each inner value, or its op.

    A module's sum starts where a parameter of it meets something else, goes on through what sums
    are made of, and ends with one op of one operand: the activation.
    """
    modules: dict[str, int] = {}
    weight = [-1] * len(net.values)
    for i, path in net.paths.items():
        weight[i] = modules.setdefault(up(path), len(modules))
    kinds = [-1] * len(net.values)
    running = [-1] * len(net.values)  # the module whose sum a value is a part of
    ops: dict[str, int] = {}
    for i, operands in enumerate(net.operands):
        if operands:
            op = net.ops[i]
            module = kinds[i] = _module_of(net, op, operands, weight, running)
            if module < 0:
                kinds[i] = ops.setdefault(op, len(modules) + len(ops))
            elif op in _SUMS:
                running[i] = module
    return kinds, {kind: name or "the model" for name, kind in modules.items()}


def _module_of(
    net: Net, op: str, operands: tuple[int, ...], weight: list[int], running: list[int]
) -> int:
    """The module that an op belongs to, -1 for none."""
    left = operands[0]
    if len(operands) == 1:
        return running[left]
    if op not in _SUMS:
        return -1
    right = operands[1]
    if weight[left] >= 0 or weight[right] >= 0:
        return max(weight[left], weight[right]) if min(weight[left], weight[right]) < 0 else -1
    if running[left] == running[right] or net.is_zero(right):
        return running[left]
    return running[right] if net.is_zero(left) else -1


def _instructions(net: Net) -> tuple[list[Any], dict[Any, str]]:
    """The instruction that computes each inner value, and what is said of each."""
    numbers = [value.data for value in net.values]
    placed = Placed(Graph(net.ops, net.operands, numbers, [[len(numbers) - 1]]))
    kinds: list[Any] = [None] * len(numbers)
    for i in reversed(range(len(numbers))):
        if net.operands[i]:
            if placed.blocks[i] >= 0:
                kinds[i] = placed.blocks[i]
            for operand in net.operands[i]:  # what no instruction makes alone, its reader does
                if kinds[operand] is None:
                    kinds[operand] = kinds[i]
    instructions = placed.program.instructions
    return kinds, {kind: origin(instructions[kind]) for kind in {*kinds} - {None}}


# ---- groups ----


class _Groups:
    """Which values are drawn together.

    Attributes:
        home: the number of each value's group; constants are in none.
        members: the values of each group, in the order of the graph.
        kinds: of each group the kind of its values; leaves of their own have none.
        depths: of each group how often the kind changes on the way to it; of leaves, -1.
        reads: of each group those that it reads from. A parameter in the box of its module is
            not read from.
        shown: of each group the values that others read from, and the result.
    """

    def __init__(self, net: Net, kinds: list[int], owners: Container[int]) -> None:
        """Args: the kinds of inner values, and those in whose box their parameters stand."""
        self.net = net
        self.home, found = _numbered(net, kinds)
        self.kinds = [kind for kind, _ in found]
        self.depths = [depth for _, depth in found]
        self.reads: list[dict[int, None]] = [{} for _ in found]
        used, readers = self._follow()
        self._house(readers, owners)
        self.members: list[list[int]] = [[] for _ in self.kinds]
        self.shown: list[list[int]] = [[] for _ in self.kinds]
        for i, group in enumerate(self.home):
            if group >= 0:
                self.members[group].append(i)
                if used[i] or self.depths[group] < 0:
                    self.shown[group].append(i)

    def _follow(self) -> tuple[bytearray, dict[int, dict[int, None]]]:
        """Which values others read from; of each leaf, which groups read it."""
        home, used = self.home, bytearray(len(self.home))
        readers: dict[int, dict[int, None]] = {}
        for here, operands in zip(home, self.net.operands):
            for operand in operands:
                there = home[operand]
                if there != here:
                    if there >= 0:
                        used[operand] = True
                        self.reads[here][there] = None
                    elif there == _LEAF:
                        readers.setdefault(operand, {})[here] = None
        used[-1] = True
        return used, readers

    def _house(self, readers: Mapping[int, dict[int, None]], owners: Container[int]) -> None:
        """Give leaves a group: that of their module, or one with those of the same readers."""
        known: dict[Any, int] = {}
        for leaf, groups in readers.items():
            is_parameter = leaf in self.net.paths
            own = [group for group in groups if is_parameter and self.kinds[group] in owners]
            if own:
                self.home[leaf] = own[0]
                continue
            key = is_parameter, frozenset(groups)
            if key not in known:
                known[key] = self._add(groups)
            self.home[leaf] = known[key]

    def _add(self, readers: Iterable[int]) -> int:
        """A group of leaves; readers have their edges from leaves above those from others."""
        number = len(self.kinds)
        for group in readers:
            self.reads[group] = {number: None, **self.reads[group]}
        self.kinds.append(-1)
        self.depths.append(-1)
        self.reads.append({})
        return number

    def order(self) -> list[int]:
        """The groups, operands first: leaves, then by depth, then by where they end."""
        return sorted(range(len(self.kinds)), key=lambda x: (self.depths[x], self.members[x][-1]))


def _numbered(net: Net, kinds: list[int]) -> tuple[list[int], list[tuple[int, int]]]:
    """The group of each inner value, and of each group its kind and depth."""
    root = _roots(net, kinds)
    depth = _depths(net, kinds, root)
    known: dict[tuple[int, int], int] = {}
    home = [_LEAF] * len(kinds)
    for i in reversed(range(len(kinds))):
        if net.operands[i]:
            last = root[i]
            home[i] = (
                home[last] if last != i else known.setdefault((kinds[i], depth[i]), len(known))
            )
        elif net.ops[i] == "constant":
            home[i] = _CONSTANT
    return home, list(known)


def _roots(net: Net, kinds: list[int]) -> list[int]:
    """The last value of the component of each value."""
    readers = [-1] * len(kinds)  # the only reader; -2 where there are several
    for i, operands in enumerate(net.operands):
        for operand in operands:
            readers[operand] = i if readers[operand] in (-1, i) else -2
    root = list(range(len(kinds)))
    for i in reversed(range(len(kinds))):
        reader = readers[i]
        if reader >= 0 and kinds[reader] == kinds[i]:
            root[i] = root[reader]
    return root


def _depths(net: Net, kinds: list[int], root: list[int]) -> list[int]:
    """How often the kind changes on the longest way to each component, by its last value."""
    depth = [0] * len(root)
    for to, operands in zip(root, net.operands):
        for operand in operands:
            start = root[operand]
            if start != to and net.operands[operand]:
                depth[to] = max(depth[to], depth[start] + (kinds[start] != kinds[to]))
    return depth


# ---- boxes ----


class _Boxes:
    """The boxes, made one by one, each after those that it reads from."""

    def __init__(self, net: Net, groups: _Groups, titles: Mapping[int, str]) -> None:
        self.net, self.groups, self.titles = net, groups, titles
        self.made: list[Box] = []
        self.place: dict[int, int] = {}
        for group in groups.order():
            found = groups.members[group]
            box = self._value(found[0]) if len(found) == 1 else self._group(group, found)
            self.place[group] = len(self.made)
            self.made.append(box)

    def _value(self, i: int) -> Node:
        """A value that is alone in its group."""
        value = self.net.values[i]
        operands = []
        for x in self.net.operands[i]:
            operand = self.net.values[x]
            if operand.op == "constant":
                self.made.append(Node("", "constant", operand.data, 0.0))
                operands.append(len(self.made) - 1)
            else:
                operands.append(self.place[self.groups.home[x]])
        label = value.label or self.net.paths.get(i, "")
        return Node(label, value.op, value.data, value.grad, tuple(operands))

    def _group(self, group: int, found: list[int]) -> Group:
        counts = _counts(self.net, found)
        title = self.titles.get(self.groups.kinds[group]) or counts[0]
        said = [line for line in counts if line != title]
        return Group(
            title,
            (*said, *_ranges(self.net, self.groups.shown[group])),
            tuple([self.place[x] for x in self.groups.reads[group]]),
            tuple(found),
            leaves=self.groups.depths[group] < 0,
        )


def _counts(net: Net, found: Sequence[int]) -> list[str]:
    """How many values of each kind a group has: its ops, and its leaves."""
    ops = Counter([net.ops[i] for i in found])
    leaves = ops.pop("", 0)
    inner = [f"{n:,} {op}" for op, n in ops.most_common(_FEW)]
    if len(ops) > _FEW:
        inner.append("...")
    lines = [", ".join(inner)] if inner else []
    if leaves and any(i in net.paths for i in found):
        lines.append(f"{leaves:,} parameter{'' if leaves == 1 else 's'}")
    elif leaves:
        lines.append(f"{leaves:,} {'leaf' if leaves == 1 else 'leaves'}")
    return lines


def _ranges(net: Net, places: Sequence[int]) -> list[str]:
    """From where to where the numbers of values go."""
    lines = []
    for name, numbers in (
        ("data", [net.values[i].data for i in places]),
        ("grad", [net.values[i].grad for i in places]),
    ):
        known = [x for x in numbers if x == x]
        low, high = (min(known), max(known)) if known else (numbers[0], numbers[0])
        lines.append(f"{name} {number(low)}" + (f" to {number(high)}" if high != low else ""))
    return lines


# ---- what opens ----

_WHOLE = 2000  # values of a group that are all listed
_FIRST = 100  # and of a larger one
_DRAWN = 200  # values of a group that are drawn
_PICTURES, _LISTS = 4000, 20_000  # values that a page draws and lists altogether


def opened(net: Net, boxes: Sequence[Box]) -> dict[int, Opened]:
    """What is seen of each group when it is opened."""
    pictures, lists = _PICTURES, _LISTS
    found = {}
    for place, box in enumerate(boxes):
        if isinstance(box, Group):
            count = len(box.members)
            drawn = count <= min(_DRAWN, pictures)
            shown = count if count <= min(_WHOLE, lists) or drawn else min(count, _FIRST)
            pictures, lists = pictures - drawn * shown, lists - (not drawn) * shown
            nodes, own = _inside(net, box.members[:shown])
            found[place] = Opened(box.title, count, nodes, own, drawn)
    return found


def _inside(net: Net, chosen: Sequence[int]) -> tuple[list[Node], list[int]]:
    """Values as boxes, with what they read from beyond, and which of the boxes are theirs."""
    nodes: list[Node] = []
    place: dict[int, int] = {}
    own = set(chosen)
    for i in chosen:
        for x in net.operands[i]:
            if x not in own and (x not in place or net.ops[x] == "constant"):
                place[x] = len(nodes)
                nodes.append(_plain(net, x, ()))
        operands = tuple([place[x] for x in net.operands[i]])
        place[i] = len(nodes)
        nodes.append(_plain(net, i, operands))
    return nodes, [place[i] for i in chosen]


def _plain(net: Net, i: int, operands: tuple[int, ...]) -> Node:
    value = net.values[i]
    op = value.op if operands or value.op == "constant" else ""
    return Node(value.label or net.paths.get(i, ""), op, value.data, value.grad, operands)
