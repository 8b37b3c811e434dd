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
from collections.abc import Collection, Iterable, Mapping, Sequence

from chainrule.viz.kinds import Kinds, Net, by_instruction, by_module, owner
from chainrule.viz.svg import Box, Group, Node, number

FOLDS = ("neuron", "layer", "program")
_FEW = 3  # ops that are named with their counts
_LEAF, _CONSTANT = -1, -2  # in place of a group


def fold(net: Net, by: str, most: int) -> list[Box] | None:
    """The boxes that a graph is drawn by, operands first.

    Args:
        net: the graph.
        by: "neuron", "layer" or "program".
        most: how many boxes there may be.

    Returns:
        The boxes; None if there would be more, which is mostly known before they are made.
    """
    kinds = _kinds(net, by, most)
    if kinds is None:
        return None
    home, found = _numbered(net, kinds.of)
    if len(found) > most:
        return None
    boxes = _Boxes(net, _Groups(net, kinds, home, found), kinds.titles).made
    return boxes if len(boxes) <= most else None


def _kinds(net: Net, by: str, most: int) -> Kinds | None:
    if by == "program":
        return by_instruction(net, most)
    return by_module(net, owner if by == "neuron" else lambda path: owner(owner(path)))


# ---- groups ----


class _Groups:
    """Which values are drawn together, and what they read from.

    Attributes:
        home: the number of each value's group; constants are in none.
        members: the values of each group, in the order of the graph.
        kinds: of each group the kind of its values; leaves of their own have none.
        depths: of each group how often the kind changes on the way to it; of leaves, -1.
        reads: of each group those that it reads from. A parameter in the box of its module is
            not read from.
        shown: of each group the values that others read from, and the result.
    """

    def __init__(
        self, net: Net, kinds: Kinds, home: list[int], found: Sequence[tuple[int, int]]
    ) -> None:
        self.net, self.home = net, home
        self.kinds = [kind for kind, _ in found]
        self.depths = [depth for _, depth in found]
        self.reads: list[dict[int, None]] = [{} for _ in found]
        used, readers = self._follow()
        self._house(readers, kinds.owners)
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

    def _house(self, readers: Mapping[int, dict[int, None]], owners: Collection[int]) -> None:
        """Give leaves a group: that of their module, or one with those of the same readers."""
        known: dict[tuple[bool, frozenset[int]], int] = {}
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
            reader = readers[operand]
            readers[operand] = i if reader == -1 or reader == i else -2
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
            tuple(self.groups.shown[group]),
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
