"""Backpropagation replayed value by value, as the engine does it and in two ways that go wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count

from chainrule.engine import Value, operands_first
from chainrule.errors import ChangedDataError
from chainrule.ops import TABLE
from chainrule.viz.svg import short_number, shorten

_NUMBERED = 26  # columns of a label that is followed by _ and a number, so that a box has room


@dataclass(frozen=True, slots=True)
class Cell:
    """A value of the graph; a number in an expression is a cell at each of its uses.

    Attributes:
        name: its label, made unique; v1, v2, ... where there is none.
        op: "" for a leaf, "constant" for a number.
        data: its number.
        operands: the places of its operands in the list of cells, all before its own.
        derivatives: the local derivative for each operand.
    """

    name: str
    op: str
    data: float
    operands: tuple[int, ...] = ()
    derivatives: tuple[float, ...] = ()

    @property
    def selects(self) -> bool:
        """Whether an operand with a derivative of 0 is passed nothing."""
        return self.op not in TABLE or TABLE[self.op].selects


@dataclass(frozen=True, slots=True)
class Share:
    """What one operand is passed.

    Attributes:
        slot, operand: which operand of the op it is, and its place.
        derivative: the op's local derivative for it.
        amount: the derivative times the gradient from above, or None if it was not chosen.
        history: the operand's gradients so far, from 0 on, this step's before it last.
        after: its gradient now.
        late: whether the operand has passed its own gradient on already.
    """

    slot: int
    operand: int
    derivative: float
    amount: float | None
    history: tuple[float, ...]
    after: float
    late: bool


@dataclass(frozen=True, slots=True)
class Step:
    """One op passes the gradient of its value on.

    Attributes:
        place: of the value.
        missing: how many gradients were still to come to it: 0, if the order is right.
        shares: what its operands are passed, in order, constants left out.
        gradients: of all cells after the step.
        waiting: how many gradients are still to come, to each cell after the step.
    """

    place: int
    missing: int
    shares: tuple[Share, ...]
    gradients: tuple[float, ...]
    waiting: tuple[int, ...]


def read(output: Value, named: Mapping[int, str] | None = None) -> list[Cell]:
    """The graph behind a value as cells, each after its operands.

    Args:
        output: the value at the end.
        named: the paths of a module's parameters, by their `id`: names where there is no label.

    Raises:
        ChangedDataError: data was assigned since the graph was built.

    >>> a = Value(3.0, label="a")
    >>> [cell.name for cell in read(a * 2 + a)]
    ['a', '2', 'v1', 'v2']
    """
    values = operands_first(output)
    names = _names(values, named or {})
    cells: list[Cell] = []
    places: dict[Value, int] = {}
    for value in values:
        if value.op == "constant" and value is not output:
            continue
        _refuse_changed(value)
        operands = tuple(_uses(value, cells, places))
        places[value] = len(cells)
        cells.append(Cell(names[value], value.op, value.data, operands, value.derivatives))
    return cells


def _uses(value: Value, cells: list[Cell], places: dict[Value, int]) -> Iterator[int]:
    """The places of the operands, with a new cell for each constant."""
    for operand in value.operands:
        if operand.op == "constant":
            cells.append(Cell(short_number(operand.data), "constant", operand.data))
            yield len(cells) - 1
        else:
            yield places[operand]


def _names(values: Sequence[Value], named: Mapping[int, str]) -> dict[Value, str]:
    """What each value is called: a label that several have is told apart by numbers."""
    shown = [shorten(value.label or named.get(id(value), "")) for value in values]
    labels = Counter(shown)
    taken = set(labels)
    names = {}
    for value, label in zip(values, shown):
        if value.op == "constant":
            names[value] = short_number(value.data)
        elif label and labels[label] == 1:
            names[value] = label
        else:
            start = f"{shorten(label, _NUMBERED)}_" if label else "v"
            names[value] = next(x for n in count(1) if (x := f"{start}{n}") not in taken)
            taken.add(names[value])
    return names


def _refuse_changed(value: Value) -> None:
    """Compare a value and its derivatives with what they are if computed from its operands."""
    if value.op not in TABLE:
        return
    operands = value.operands
    anew = TABLE[value.op].local(*[operand.data for operand in operands])
    compared = [True, *[operand.op != "constant" for operand in operands]]
    for kept, new, counts in zip((value.data, *value.derivatives), anew, compared):
        if counts and kept != new and (kept == kept or new == new):
            raise ChangedDataError(
                f"data was assigned after {value.op!r} was computed: {kept!r} then, {new!r} from "
                "its operands now; build the expression again before exploring it"
            )


# ---- the ways ----


def in_order(cells: Sequence[Cell], *, adds: bool = True) -> list[Step]:
    """The steps of `Value.backward()`: each value when all gradients have come to it.

    Args:
        cells: as `read()` gives them; the last is where the gradient of 1 starts.
        adds: whether operands add what they are passed, or keep the last of it alone.

    >>> a = Value(3.0)
    >>> in_order(read(a + a))[-1].gradients[0], in_order(read(a + a), adds=False)[-1].gradients[0]
    (2.0, 1.0)
    """
    replay = _Replay(cells, adds)
    return [replay.step(i) for i in reversed(range(len(cells))) if cells[i].operands]


def too_early(cells: Sequence[Cell]) -> list[Step]:
    """The steps if values pass on the first gradient that comes, each once.

    Wherever there is a choice, the next is the value computed first: what uses it comes after it,
    so that each value with several users is too early.
    """
    replay = _Replay(cells, adds=True)
    steps = []
    ready = {len(cells) - 1} if cells[-1].operands else set()
    while ready:
        place = min(ready)
        steps.append(replay.step(place))
        ready |= {i for i in cells[place].operands if cells[i].operands}
        ready -= replay.done
    return steps


class _Replay:
    """The gradients as they are after some steps."""

    def __init__(self, cells: Sequence[Cell], adds: bool) -> None:
        self.cells = cells
        self.adds = adds
        self.gradients = start(cells)
        self.waiting = uses(cells)
        self.histories = [[gradient] for gradient in self.gradients]
        self.done: set[int] = set()

    def step(self, place: int) -> Step:
        cell, missing = self.cells[place], self.waiting[place]
        self.done.add(place)
        shares = [
            self.share(place, slot, operand)
            for slot, operand in enumerate(cell.operands)
            if self.cells[operand].op != "constant"
        ]
        return Step(place, missing, tuple(shares), tuple(self.gradients), tuple(self.waiting))

    def share(self, place: int, slot: int, operand: int) -> Share:
        derivative, history = self.cells[place].derivatives[slot], self.histories[operand]
        before, amount = tuple(history), None
        if derivative != 0.0 or not self.cells[place].selects:
            amount = derivative * self.gradients[place]
            self.gradients[operand] = before[-1] + amount if self.adds else amount
            history.append(self.gradients[operand])
        self.waiting[operand] -= 1
        after, late = self.gradients[operand], operand in self.done
        return Share(slot, operand, derivative, amount, before, after, late)


def start(cells: Sequence[Cell]) -> list[float]:
    """The gradients before the first step: 1 for the output, by itself, and 0."""
    return [0.0] * (len(cells) - 1) + [1.0]


def uses(cells: Sequence[Cell]) -> list[int]:
    """How many gradients come to each cell in all."""
    counts = [0] * len(cells)
    for cell in cells:
        for operand in cell.operands:
            counts[operand] += cells[operand].op != "constant"
    return counts
