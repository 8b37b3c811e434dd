"""The kind of each value in a large graph: what it is computed for, or by.

By neuron or layer, it is the one whose parameters a value uses; by program, the instruction of the
array program that computes it. Values of no neuron or layer have the kind of their op.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from chainrule.compiler.explain import origin
from chainrule.compiler.graph import Graph
from chainrule.compiler.lift import Lifting, Placed
from chainrule.engine import Value

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


@dataclass(frozen=True, slots=True)
class Kinds:
    """The kinds of values, by number.

    Attributes:
        of: of each value with operands, its kind.
        titles: what is said of a kind, if more than the names of its ops.
        owners: the kinds that have parameters of their own.
    """

    of: list[int]
    titles: Mapping[int, str]
    owners: Collection[int] = ()


def by_module(net: Net, up: Callable[[str], str]) -> Kinds:
    """The neuron or layer of each inner value, which `up` finds from a path, or its op.

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
    titles = {kind: name or "the model" for name, kind in modules.items()}
    return Kinds(kinds, titles, titles)


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


def by_instruction(net: Net, most: int) -> Kinds | None:
    """The instruction that computes each inner value; None if there are more than `most`."""
    numbers = [value.data for value in net.values]
    lifting = Lifting(Graph(net.ops, net.operands, numbers, [[len(numbers) - 1]]))
    if len(lifting.groups) > most:
        return None
    placed = Placed(lifting)
    kinds = placed.blocks
    for i in reversed(range(len(kinds))):
        for operand in net.operands[i]:  # what no instruction makes alone, its reader does
            if kinds[operand] < 0:
                kinds[operand] = kinds[i]
    return Kinds(kinds, dict(enumerate(map(origin, placed.program.instructions))))
