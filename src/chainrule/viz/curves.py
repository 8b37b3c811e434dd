"""The numbers of a training over its steps, as lines of an SVG.

Lines differ by their dashes and marks, so that no meaning hangs on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from chainrule.viz.charts import BOTTOM, LEFT, RIGHT, TITLE, Scale, number, text, ticks_below

if TYPE_CHECKING:
    from chainrule.history import Row

WIDTH = 480.0  # with the ticks
_GAP = 10.0
_MOST_POINTS = 400  # of a line
_FEW = 40  # points that each get a mark
_MANY = 250  # points whose line may go up and down a lot
_HIGHEST, _LEAST = 1e100, 1e-100  # what an axis can show


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel.

    Attributes:
        kind: "train", "held" or "rate", which decide its looks.
        points: steps with their numbers, all finite.
    """

    kind: str
    points: list[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Panel:
    """Lines over one axis.

    Attributes:
        title: what they count.
        height: in pixels.
        lines: one for the examples of each kind.
        scale: makes the axis, from where it starts and ends.
        spelled: writes a tick's number.
    """

    title: str
    height: float
    lines: list[Line]
    scale: Callable[[float, float], Scale]
    spelled: Callable[[float], str] = number


def curves(rows: Sequence[Row]) -> tuple[list[str], float]:
    """Loss, accuracy and learning rate over the steps, one below the other; and their height.

    The loss has a logarithmic axis if it is positive throughout and falls to less than a tenth.
    """
    last = max(rows[-1].step if rows else 0, 1)
    steps = Scale(0.0, last, LEFT, WIDTH - RIGHT)
    parts, bottom = [_key(any(row.held_out_loss is not None for row in rows))], TITLE - _GAP
    for panel in _panels(rows):
        top = bottom + _GAP + TITLE
        bottom = top + panel.height
        parts += _drawn(panel, steps, panel.scale(bottom, top))
    parts += ticks_below(steps, bottom, 6, "step")
    span = f'data-left="{LEFT:g}" data-right="{WIDTH - RIGHT:g}" data-last="{last}"'
    cursor = f'<path class="ch-cursor" d="M0 {2 * TITLE:g}V{bottom:g}" hidden=""/>'
    return [f"<g {span}>", cursor, *parts, "</g>"], bottom + BOTTOM


def _panels(rows: Sequence[Row]) -> Iterator[Panel]:
    loss = [_line(rows, "train", "loss"), _line(rows, "held", "held_out_loss")]
    yield Panel("loss", 190.0, loss, lambda a, b: _loss_scale(loss, a, b))
    accuracy = [_line(rows, "train", "accuracy"), _line(rows, "held", "held_out_accuracy")]
    if found := [y for line in accuracy for _, y in line.points]:
        low = math.floor(10 * min(0.5, *found)) / 10
        whole = lambda a, b: Scale(low, 1.02, a, b)
        yield Panel("accuracy", 90.0, accuracy, whole, lambda x: f"{x:.0%}")
    rate = _line(rows, "rate", "lr")
    yield Panel("learning rate", 50.0, [rate], lambda a, b: _from_zero(rate.points, a, b))


def _line(rows: Sequence[Row], kind: str, column: str) -> Line:
    found = [(row.step, getattr(row, column)) for row in rows]
    return Line(kind, [(x, _within(y)) for x, y in found if y is not None and math.isfinite(y)])


def _within(y: float) -> float:
    return max(-_HIGHEST, min(y, _HIGHEST))


def _loss_scale(lines: list[Line], start: float, end: float) -> Scale:
    points = [point for line in lines for point in line.points]
    low, high = min([y for _, y in points], default=0.0), max([y for _, y in points], default=0.0)
    if 0 < low < high / 10:
        return Scale(low / 1.2, high * 1.2, start, end, logarithmic=True)
    return _from_zero(points, start, end)


def _from_zero(points: list[tuple[float, float]], start: float, end: float) -> Scale:
    """A scale that shows all points, and 0."""
    low, high = (find([0.0, *[y for _, y in points]]) for find in (min, max))
    if high - low < _LEAST:
        return Scale(0.0, 1.0, start, end)
    return Scale(low, high + 0.05 * (high - low), start, end)


def _drawn(panel: Panel, steps: Scale, axis: Scale) -> Iterator[str]:
    """A grid with its ticks, the lines over it, and the title above."""
    yield text(LEFT, axis.end - 7, panel.title, "ch-title")
    for tick in axis.ticks(5 if panel.height > 80 else 3):
        y = axis.place(tick)
        yield f'<path class="ch-grid" d="M{steps.start:g} {y:.1f}H{steps.end:g}"/>'
        yield text(steps.start - 7, y + 4, panel.spelled(tick), "ch-tick", "end")
    for line in panel.lines:
        points = [(steps.place(x), axis.place(y)) for x, y in thinned(line.points)]
        yield from _stroke(line.kind, points)


def _stroke(kind: str, points: list[tuple[float, float]]) -> Iterator[str]:
    """A line, with a mark at each point if they are few and its numbers far between."""
    if len(points) > 1:
        path = "L".join([f"{x:.1f} {y:.1f}" for x, y in points])
        thin = " ch-thin" * (len(points) > _MANY)
        yield f'<path class="ch-line ch-{kind}{thin}" d="M{path}"/>'
    if len(points) == 1 or (kind == "held" and len(points) < _FEW):
        dots = "".join([f"M{x:.1f} {y:.1f}m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0z" for x, y in points])
        yield f'<path class="ch-dot ch-{kind}" d="{dots}"/>'


def thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """As many points as can be seen: of each stretch its lowest and its highest.

    >>> line = [(x, x % 7) for x in range(100_000)]
    >>> len(thinned(line)), max(y for _, y in thinned(line))
    (400, 6)
    """
    if len(points) <= _MOST_POINTS:
        return points
    kept = []
    for i in range(_MOST_POINTS // 2):
        start, end = (k * len(points) * 2 // _MOST_POINTS for k in (i, i + 1))
        stretch = sorted(points[start:end], key=lambda point: point[1])
        kept += sorted([stretch[0], stretch[-1]])
    return kept


def _key(held_out: bool) -> str:
    """What the lines are."""
    names = [("train", "training"), *([("held", "held out")] if held_out else [])]
    parts: list[str] = []
    for i, (kind, name) in enumerate(names):
        x = LEFT + 110 * i
        parts += _stroke(kind, [(x, 12.0), (x + 24, 12.0)])
        parts.append(text(x + 32, 16, name, "ch-tick"))
    return "".join(parts)
