"""What an explorer shows: each step of the way forward, and of three ways backward."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chainrule.viz import replay, spelled, svg
from chainrule.viz.replay import Cell, Share, Step

State = dict[str, Any]
Mark = tuple[str, str]  # what is said of a value, and the class that it is drawn with

WAYS = ("in order", "too early", "= for +=")  # what the ways backward are called

_NONE: Mark = ("", "known")
_LISTED = 5  # wrong gradients that are named at the end


@dataclass(frozen=True, slots=True)
class Way:
    """One way to go backward.

    Attributes:
        name, about: what it is called, and what it does, in a sentence.
        verdict: what is said at its end if all gradients are right.
        steps: what is done.
        adds: whether gradients are added up.
    """

    name: str
    about: str
    verdict: str
    steps: list[Step]
    adds: bool = True

    @property
    def full(self) -> Mark:
        """What is said of a value to which no more gradients come."""
        sound = self.adds and not any(step.missing for step in self.steps)
        return ("complete", "complete") if sound else ("all came", "known")


def show(cells: Sequence[Cell]) -> State:
    """All that a page shows, for JSON.

    Each step has, for every value, the places in `texts` of its data, its gradient and its mark.
    A text is a pair: a number as in the picture and with all digits, a mark and its class.
    """
    every = ways(cells)
    texts: dict[tuple[str, str], int] = {}
    return {
        "title": title(cells),
        "picture": picture(cells, _widest(cells, [step for way in every for step in way.steps])),
        "names": [cell.name for cell in cells],
        "kinds": [{"": "leaf"}.get(cell.op, cell.op) for cell in cells],
        "forward": [_coded(state, texts) for state in forward(cells)],
        "ways": [
            {
                "name": way.name,
                "about": way.about,
                "steps": [_coded(state, texts) for state in backward(cells, way)],
            }
            for way in every
        ],
        "texts": list(texts),
    }


def length(cells: Sequence[Cell]) -> int:
    """How many steps there are, whichever way."""
    ops = sum([bool(cell.operands) for cell in cells])
    return 1 + ops + 1 + ops + 1


def title(cells: Sequence[Cell]) -> str:
    """The heading of the page."""
    return f"Backpropagation from {cells[-1].name}, op by op"


def ways(cells: Sequence[Cell]) -> list[Way]:
    """The right way first."""
    return [
        Way(
            WAYS[0],
            "A value passes its gradient on when all that come to it have been added up.",
            f"These are the gradients that {cells[-1].name}.backward() finds.",
            replay.in_order(cells),
        ),
        Way(
            WAYS[1],
            "A value passes on the first gradient that comes to it. What comes later is lost to "
            "its operands: wrong wherever a value between leaves and output has several uses.",
            "All gradients are right here all the same: no value between leaves and output has "
            "several uses that would show it.",
            replay.too_early(cells),
        ),
        Way(
            WAYS[2],
            "A gradient overwrites the one before instead of being added to it: wrong wherever a "
            "value is used more than once, as in a + a.",
            "All gradients are right here all the same: nothing was overwritten that matters.",
            replay.in_order(cells, adds=False),
            adds=False,
        ),
    ]


def picture(cells: Sequence[Cell], gradients: Sequence[float]) -> str:
    """The drawing with these gradients."""
    nodes = [
        svg.Node("" if x.op == "constant" else x.name, x.op, x.data, gradient, x.operands)
        for x, gradient in zip(cells, gradients)
    ]
    return svg.picture(nodes)


def still(cells: Sequence[Cell]) -> str:
    """The drawing that stands for itself, after the last step in the right order."""
    steps = replay.in_order(cells)
    return picture(cells, steps[-1].gradients if steps else replay.start(cells))


def _widest(cells: Sequence[Cell], steps: Sequence[Step]) -> list[float]:
    """For each cell the gradient that needs most room in its box."""
    return [
        max([0.0, *[step.gradients[i] for step in steps]], key=lambda x: len(svg.number(x)))
        for i in range(len(cells))
    ]


# ---- forward ----


def forward(cells: Sequence[Cell]) -> Iterator[State]:
    """The steps in which the values are computed, before them the leaves alone."""
    yield {
        "heading": "The leaves are given",
        "note": "Forward, each op computes a value; then backward, each op passes a gradient on.",
        **_numbers(cells, 0, None, [_computed(x, x.op == "") for x in cells]),
    }
    for place, cell in enumerate(cells):
        if cell.operands:
            known = [i <= place or not x.operands for i, x in enumerate(cells)]
            yield {
                "heading": f"Forward: {cell.op} computes {cell.name}",
                "cards": [_card("", spelled.forward(cells, place))],
                **_active(cells, place),
                **_numbers(cells, place, None, [_computed(x, k) for x, k in zip(cells, known)]),
            }


def _computed(cell: Cell, known: bool) -> Mark:
    if not cell.operands:
        return ("given", "known") if cell.op == "" else _NONE
    return _NONE if known else ("to come", "unknown")


# ---- backward ----


def backward(cells: Sequence[Cell], way: Way) -> Iterator[State]:
    """The steps of one way, between the gradient that it starts from and what it ends with."""
    output, last = cells[-1].name, len(cells) - 1
    gradients, waiting = replay.start(cells), replay.uses(cells)
    done: dict[int, int] = {}
    yield {
        "heading": f"Backward: {output}.grad starts at 1",
        "note": f"d({output})/d({output}) = 1: it moves as fast as itself. All others start at 0.",
        "active": last,
        **_numbers(cells, last, gradients, _marks(cells, way, waiting, done)),
    }
    for step in way.steps:
        done[step.place] = step.missing
        gradients, waiting = list(step.gradients), list(step.waiting)
        yield {
            **_passing(cells, way, step),
            **_active(cells, step.place),
            **_numbers(cells, last, gradients, _marks(cells, way, waiting, done)),
        }
    yield _end(cells, way, gradients, _marks(cells, way, waiting, done))


def _marks(
    cells: Sequence[Cell], way: Way, waiting: Sequence[int], done: dict[int, int]
) -> list[Mark]:
    """What is said of each value; `done` has how many gradients were missing to what passed on."""
    return [_mark(x, way, waiting[i], done.get(i)) for i, x in enumerate(cells)]


def _mark(cell: Cell, way: Way, waiting: int, missing: int | None) -> Mark:
    if cell.op == "constant":
        return _NONE
    if missing:
        return "too early", "wrong"
    if missing == 0:
        return "passed on", "passed"
    return (f"waits for {waiting}", "waits") if waiting else way.full


def _passing(cells: Sequence[Cell], way: Way, step: Step) -> State:
    """One op passes the gradient of its value on."""
    cell, gradient = cells[step.place], svg.short_number(step.gradients[step.place])
    return {
        "heading": f"Backward: {cell.op} passes on {cell.name}.grad = {gradient}",
        "note": f"Too early: {_more(step.missing)} to come to {cell.name}."
        if step.missing
        else f"Nothing more comes to {cell.name}, so that it can pass its gradient on.",
        "wrong": bool(step.missing),
        "cards": [
            _card(
                f"to {cells[share.operand].name}",
                spelled.backward(cells, step, share, way.adds),
                *_arrival(cells, step, share, way.adds),
            )
            for share in step.shares
        ],
    }


def _arrival(cells: Sequence[Cell], step: Step, share: Share, adds: bool) -> tuple[str, bool]:
    """What a gradient that comes means to the operand, and whether that is wrong."""
    name, left = cells[share.operand].name, step.waiting[share.operand]
    if share.amount is None:
        return "This operand was not chosen, or has no derivative: it is passed nothing.", False
    if share.late:
        return f"Too late: {name} has passed its gradient on already.", True
    if not adds and len(share.history) > 1:
        return "= instead of +=: what came before is gone.", True
    if left:
        return f"{name} waits: {_more(left)} to come.", False
    return f"Nothing more comes to {name}.", False


def _more(count: int) -> str:
    return "1 gradient is still" if count == 1 else f"{count} gradients are still"


def _end(
    cells: Sequence[Cell], way: Way, gradients: Sequence[float], marks: Sequence[Mark]
) -> State:
    """What has come out, compared with what is right."""
    steps = replay.in_order(cells)
    right = steps[-1].gradients if steps else gradients
    wrong = [i for i, (x, y) in enumerate(zip(gradients, right)) if x != y and (x == x or y == y)]
    shown = [
        (f"right: {svg.short_number(right[i])}", "wrong") if i in wrong else mark
        for i, mark in enumerate(marks)
    ]
    return {
        "heading": "Backward: done",
        "note": _wrong(cells, gradients, right, wrong) if wrong else way.verdict,
        "wrong": bool(wrong),
        **_numbers(cells, len(cells) - 1, gradients, shown),
    }


def _wrong(
    cells: Sequence[Cell], found: Sequence[float], right: Sequence[float], wrong: Sequence[int]
) -> str:
    short = svg.short_number
    named = [
        f"{cells[i].name}.grad is {short(found[i])}, right is {short(right[i])}"
        for i in wrong[:_LISTED]
    ]
    more = f"; and {len(wrong) - _LISTED} more" if len(wrong) > _LISTED else ""
    return f"Wrong: {'; '.join(named)}{more}."


# ---- what all steps have ----


def _card(title: str, lines: Sequence[spelled.Line], note: str = "", wrong: bool = False) -> State:
    return {"title": title, "lines": lines, "note": note, "wrong": wrong}


def _active(cells: Sequence[Cell], place: int) -> State:
    edges = [f"{operand} {place} {slot}" for slot, operand in enumerate(cells[place].operands)]
    return {"active": place, "edges": edges}


def _numbers(
    cells: Sequence[Cell], known: int, gradients: Sequence[float] | None, marks: Sequence[Mark]
) -> State:
    """The numbers of all values; data of ops is known up to a place."""
    data = [
        _both(x.data) if i <= known or not x.operands else ("", "") for i, x in enumerate(cells)
    ]
    return {
        "data": data,
        "grad": [_both(x) for x in gradients] if gradients else [_both(0.0)] * len(cells),
        "marks": list(marks),
    }


def _both(x: float) -> tuple[str, str]:
    return svg.number(x), repr(x)


def _coded(state: State, texts: dict[tuple[str, str], int]) -> State:
    """A step with the places of its texts instead of the texts."""
    coded = {
        key: [texts.setdefault(text, len(texts)) for text in state[key]]
        for key in ("data", "grad", "marks")
    }
    return {"note": "", "wrong": False, "cards": [], "active": -1, "edges": [], **state, **coded}
