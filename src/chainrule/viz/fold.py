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
from collections.abc import Callable, Mapping, Sequence
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
        return _boxes(net, kinds, titles.__getitem__, inside=False)
    up: Callable[[str], str] = owner if by == "neuron" else lambda path: owner(owner(path))
    return _boxes(net, _modules(net, up), _module_title, inside=True)


def _module_title(kind: Any) -> str:
    return (kind[1] or "the model") if kind[0] == "module" else ""


# ---- kinds ----


def _modules(net: Net, up: Callable[[str], str]) -> list[Any]:
    """The neuron or layer of each inner value, or its op.

    A module's sum starts where a parameter of it meets something else, goes on through what sums
    are made of, and ends with one op of one operand: the activation.
    """
    kinds: list[Any] = [None] * len(net.values)
    weight: list[Any] = [None] * len(net.values)
    for i, path in net.paths.items():
        weight[i] = ("module", up(path))
    running: list[Any] = [None] * len(net.values)  # the module whose sum a value is a part of
    for i, operands in enumerate(net.operands):
        if operands:
            op = net.ops[i]
            module = _module_of(net, op, operands, weight, running)
            kinds[i] = module or ("op", op)
            if op in _SUMS:
                running[i] = module
    return kinds


def _module_of(
    net: Net, op: str, operands: tuple[int, ...], weight: list[Any], running: list[Any]
) -> Any:
    """The module that an op belongs to, None for none."""
    if op not in _SUMS:
        return running[operands[0]] if len(operands) == 1 else None
    given = [weight[x] for x in operands if weight[x]]
    if given:
        return given[0] if len(given) < len(operands) else None
    found = [running[x] for x in operands if running[x] or not net.is_zero(x)]
    return found[0] if found and found.count(found[0]) == len(found) else None


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


def _boxes(net: Net, kinds: list[Any], title: Callable[[Any], str], inside: bool) -> list[Box]:
    groups = _groups(net, kinds)
    home = _homes(net, groups, inside)
    members: dict[Any, list[int]] = {}
    for i, key in enumerate(home):
        if key is not None:
            members.setdefault(key, []).append(i)
    return _Boxes(net, home, members, title).made


def _groups(net: Net, kinds: list[Any]) -> list[Any]:
    """The group of each inner value: its kind, and the depth of its component."""
    root = _roots(net, kinds)
    depth = [0] * len(root)
    for i, operands in enumerate(net.operands):
        to = root[i]
        for operand in operands:
            if net.operands[operand] and root[operand] != to:
                start = root[operand]
                depth[to] = max(depth[to], depth[start] + (kinds[start] != kinds[to]))
    keys = [(kinds[i], depth[root[i]]) if x else None for i, x in enumerate(net.operands)]
    known: dict[Any, Any] = {}
    return [known.setdefault(key, key) for key in keys]  # equal ones are one: quick to compare


def _roots(net: Net, kinds: list[Any]) -> list[int]:
    """The last value of the component of each value."""
    readers: list[int] = [-1] * len(kinds)  # the only reader; -2 where there are several
    for i, operands in enumerate(net.operands):
        for operand in set(operands):
            readers[operand] = i if readers[operand] == -1 else -2
    root = list(range(len(kinds)))
    for i in reversed(range(len(kinds))):
        if readers[i] >= 0 and kinds[readers[i]] == kinds[i]:
            root[i] = root[readers[i]]
    return root


def _homes(net: Net, groups: list[Any], inside: bool) -> list[Any]:
    """The group of each value; of a leaf, a group by its readers or that of its module."""
    readers: dict[int, dict[Any, None]] = {}
    for i, operands in enumerate(net.operands):
        for operand in operands:
            if not net.operands[operand]:
                readers.setdefault(operand, {})[groups[i]] = None
    home = list(groups)
    for leaf, keys in readers.items():
        if net.ops[leaf] == "constant":
            continue
        own = [key for key in keys if key[0][0] == "module"] if inside and leaf in net.paths else []
        home[leaf] = own[0] if own else ("leaves", leaf in net.paths, frozenset(keys))
    return home


class _Boxes:
    """The boxes, made one by one, each after those that it reads from."""

    def __init__(
        self,
        net: Net,
        home: list[Any],
        members: dict[Any, list[int]],
        title: Callable[[Any], str],
    ) -> None:
        self.net, self.home, self.members, self.title = net, home, members, title
        self.used = _used_outside(net, home)
        self.made: list[Box] = []
        self.place: dict[Any, int] = {}
        for key in self._order():
            found = self.members[key]
            box = self._value(found[0]) if len(found) == 1 else self._group(key, found)
            self.place[key] = len(self.made)
            self.made.append(box)

    def _order(self) -> list[Any]:
        """The groups, operands first: leaves, then by depth, then by where they end."""
        leaves = [key for key in self.members if key[0] == "leaves"]
        inner = [key for key in self.members if key[0] != "leaves"]
        return [*leaves, *sorted(inner, key=lambda key: (key[1], self.members[key][-1]))]

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
                operands.append(self.place[self.home[x]])
        label = value.label or self.net.paths.get(i, "")
        return Node(label, value.op, value.data, value.grad, tuple(operands))

    def _group(self, key: Any, found: list[int]) -> Group:
        net, home = self.net, self.home
        reads = {
            self.place[there]: None
            for i in found
            for x in net.operands[i]
            if (there := home[x]) is not key and there is not None and not self._is_inside(x)
        }
        title = "" if key[0] == "leaves" else self.title(key[0])
        counts = _counts(net, found)
        shown = [i for i in found if self.used[i] and (net.operands[i] or key[0] == "leaves")]
        said = [line for line in counts if line != (title or counts[0])]
        lines = [*said, *_ranges(net, shown)]
        return Group(title or counts[0], tuple(lines), tuple(reads), tuple(found))

    def _is_inside(self, x: int) -> bool:
        """Whether it is a parameter that stands in the box of its module; it draws no edges."""
        return not self.net.operands[x] and self.home[x][0] != "leaves"


def _counts(net: Net, found: Sequence[int]) -> list[str]:
    """How many values of each kind a group has: its ops, and its leaves."""
    ops = Counter([net.ops[i] for i in found])
    leaves = ops.pop("", 0)
    inner = [f"{n:,} {op}" for op, n in ops.most_common(_FEW)]
    if len(ops) > _FEW:
        inner.append("...")
    if any(i in net.paths for i in found):
        given = f"{leaves:,} parameter{'' if leaves == 1 else 's'}"
    else:
        given = f"{leaves:,} {'leaf' if leaves == 1 else 'leaves'}"
    return [*([", ".join(inner)] if inner else []), *([given] if leaves else [])]


def _used_outside(net: Net, home: list[Any]) -> list[bool]:
    """Whether each value is the result or read by another group."""
    used = [False] * len(home)
    used[-1] = True
    for operands, reader in zip(net.operands, home):
        for operand in operands:
            if home[operand] is not reader:
                used[operand] = True
    return used


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
