"""The course of a training as SVG: curves over the steps, and decisions in the plane.

A chart brings its colours, for light and dark screens. Lines differ by their dashes and marks and
classes by the shape of their points, so that no meaning hangs on colour alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from chainrule.viz.plots import COLOURS
from chainrule.viz.regions import Plane, Regions
from chainrule.viz.svg import shorten

if TYPE_CHECKING:
    from chainrule.history import Row

WIDTH = 480.0  # of the curves, with their ticks
SIZE = 380.0  # of the plane, to a side
LEFT, RIGHT, BOTTOM = 58.0, 14.0, 40.0  # room for ticks and what they count
PLANE_WIDTH = LEFT + SIZE + RIGHT
_TITLE = 24.0
_GAP = 10.0
_EM = 6.6  # a character of the ticks' font, at most on average
_MOST_POINTS = 400  # of a curve, and of the examples in a plane
_FEW = 40  # points that each get a mark
_MANY = 250  # points whose line may go up and down a lot
_HIGHEST, _LEAST = 1e100, 1e-100  # what an axis can show

# A point of each class, drawn from its middle; their order is that of plots.MARKERS.
_SHAPES = (
    "m-3.6 0a3.6 3.6 0 1 0 7.2 0a3.6 3.6 0 1 0-7.2 0z",
    "m-3.3-3.3h6.6v6.6h-6.6z",
    "m0-4.8 4.8 4.8-4.8 4.8-4.8-4.8z",
    "m0-4.6 4.4 7.8h-8.8z",
    "m0 4.6 4.4-7.8h-8.8z",
    "m-1.5-4.5h3v3h3v3h-3v3h-3v-3h-3v-3h3z",
    "m0-2 2.5-2.5 2 2-2.5 2.5 2.5 2.5-2 2-2.5-2.5-2.5 2.5-2-2 2.5-2.5-2.5-2.5 2-2z",
    "m0-5 1.5 3.5h3.5l-2.8 2.4 1.2 3.8-3.4-2.3-3.4 2.3 1.2-3.8-2.8-2.4h3.5z",
)


@dataclass(frozen=True, slots=True)
class Scale:
    """Where numbers stand along an axis, in pixels."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def place(self, x: float) -> float:
        low, high, x = (
            [math.log10(n) for n in (self.low, self.high, x)]
            if self.logarithmic
            else [self.low, self.high, x]
        )
        return self.start + (self.end - self.start) * (x - low) / (high - low)

    def ticks(self, most: int) -> list[float]:
        find = _powers if self.logarithmic else _multiples
        return find(self.low, self.high, most)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a panel.

    Attributes:
        kind: "train", "held" or "rate", which decide its looks.
        points: steps with their numbers, all finite.
    """

    kind: str
    points: list[tuple[float, float]]


# ---- curves over the steps ----


def curves(rows: Sequence[Row]) -> tuple[list[str], float]:
    """Loss, accuracy and learning rate over the steps, one below the other; and their height.

    The loss has a logarithmic axis if it is positive throughout and falls to less than a tenth.
    """
    last = max(rows[-1].step if rows else 0, 1)
    steps = Scale(0.0, last, LEFT, WIDTH - RIGHT)
    held_out = any(row.held_out_loss is not None for row in rows)
    parts, top = [_key(held_out)], _TITLE
    for title, height, lines, scale, text in _panels(rows):
        axis = scale(top + _TITLE + height, top + _TITLE)
        parts += _panel(title, lines, steps, axis, text)
        top += _TITLE + height + _GAP
    top -= _GAP
    parts += _ticks_below(steps, top, 6, "step")
    span = f'data-left="{LEFT:g}" data-right="{WIDTH - RIGHT:g}" data-last="{last}"'
    cursor = f'<path class="ch-cursor" d="M0 {2 * _TITLE:g}V{top:g}" hidden=""/>'
    return [f"<g {span}>", cursor, *parts, "</g>"], top + BOTTOM


def _panels(
    rows: Sequence[Row],
) -> Iterator[tuple[str, float, list[Line], Callable[[float, float], Scale], Callable[..., str]]]:
    """Each panel: title, height, lines, what makes its scale of two ends, and its ticks' texts."""
    loss = [_line(rows, "train", "loss"), _line(rows, "held", "held_out_loss")]
    yield "loss", 190.0, loss, lambda a, b: _loss_scale(loss, a, b), _number
    accuracy = [_line(rows, "train", "accuracy"), _line(rows, "held", "held_out_accuracy")]
    if any(line.points for line in accuracy):
        least = min([y for line in accuracy for _, y in line.points])
        low = math.floor(10 * min(least, 0.5)) / 10
        yield "accuracy", 90.0, accuracy, lambda a, b: Scale(low, 1.02, a, b), _percent
    rate = [_line(rows, "rate", "lr")]
    yield "learning rate", 50.0, rate, lambda a, b: _from_zero(rate[0].points, a, b), _number


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


def _panel(
    title: str, lines: list[Line], steps: Scale, axis: Scale, text: Callable[[float], str]
) -> Iterator[str]:
    """A grid with its ticks, the lines over it, and the title above."""
    yield _text(LEFT, axis.end - 7, title, "ch-title")
    for tick in axis.ticks(5 if axis.start - axis.end > 80 else 3):
        y = axis.place(tick)
        yield f'<path class="ch-grid" d="M{steps.start:g} {y:.1f}H{steps.end:g}"/>'
        yield _text(steps.start - 7, y + 4, text(tick), "ch-tick", "end")
    for line in lines:
        points = [(steps.place(x), axis.place(y)) for x, y in thinned(line.points)]
        yield from _drawn(line.kind, points)


def _drawn(kind: str, points: list[tuple[float, float]]) -> Iterator[str]:
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
        parts += _drawn(kind, [(x, 12.0), (x + 24, 12.0)])
        parts.append(_text(x + 32, 16, name, "ch-tick"))
    return "".join(parts)


# ---- the plane ----


def moment(regions: Regions, attributes: str = "") -> str:
    """What is said where, as a group of paths."""
    upward = [
        f'<path class="ch-base{i % len(COLOURS)} ch-border" d="{path}"/>'
        for i, path in enumerate(regions.upward, 1)
    ]
    sure = [
        f'<path class="ch-sure{i % len(COLOURS)}" d="{path}"/>'
        for i, path in enumerate(regions.sure)
        if path
    ]
    return f'<g class="ch-moment" transform="scale(.1)"{attributes}>{"".join(upward + sure)}</g>'


def decisions(
    plane: Plane,
    moments: Sequence[str],
    points: Sequence[tuple[Sequence[float], int]],
    class_names: Sequence[str],
    feature_names: Sequence[str],
) -> tuple[list[str], float]:
    """The plane with what is said where at some moments, and the examples; and the height of it.

    Args:
        plane: the part of it that is shown.
        moments: what is said where, each by `moment`.
        points: examples, two features each, with the number of their class.
        class_names: of all classes.
        feature_names: of the two features.
    """
    across = Scale(*plane.across, LEFT, LEFT + SIZE)
    up = Scale(*plane.up, _TITLE + SIZE, _TITLE)
    frame = f'x="0" y="0" width="{SIZE:g}" height="{SIZE:g}"'
    key, height = _classes(class_names, _TITLE + SIZE + BOTTOM + 4)
    return [
        f'<svg x="{LEFT:g}" y="{_TITLE:g}" width="{SIZE:g}" height="{SIZE:g}">',
        f'<rect class="ch-base0" {frame}/>',
        *moments,
        "</svg>",
        *_marks(points, across, up),
        f'<rect class="ch-frame" {frame} transform="translate({LEFT:g} {_TITLE:g})"/>',
        *_ticks_below(across, up.start, 6, feature_names[0]),
        *_ticks_left(up, across.start, feature_names[1]),
        *key,
    ], height


def _marks(
    points: Sequence[tuple[Sequence[float], int]], across: Scale, up: Scale
) -> Iterator[str]:
    """The examples, no more than can be told apart, in one path for each class."""
    some = points[:: -(-len(points) // _MOST_POINTS)]
    for k in sorted({k for _, k in some}):
        shape = _SHAPES[k % len(_SHAPES)]
        places = [f"M{across.place(x):.1f} {up.place(y):.1f}" for (x, y), own in some if own == k]
        path = "".join([place + shape for place in places])
        yield f'<path class="ch-mark ch-mark{k % len(COLOURS)}" d="{path}"/>'


def _classes(names: Sequence[str], top: float) -> tuple[list[str], float]:
    """The mark and the colour of each class, in lines of the plane's width."""
    parts: list[str] = []
    x, y = LEFT, top
    for k, name in enumerate([f"class {shorten(name, 20)}" for name in names]):
        room = 30 + _EM * len(name)
        if x > LEFT and x + room > LEFT + SIZE:
            x, y = LEFT, y + 22
        i = k % len(COLOURS)
        parts += [
            f'<rect class="ch-sure{i} ch-swatch" x="{x:g}" y="{y:g}" width="18" height="16"/>',
            f'<path class="ch-mark ch-mark{i}" d="M{x + 9:g} {y + 8:g}{_SHAPES[i]}"/>',
            _text(x + 25, y + 12, name, "ch-tick"),
        ]
        x += room + 14
    return parts, y + 24


# ---- axes ----


def _ticks_below(scale: Scale, y: float, most: int, name: str) -> Iterator[str]:
    for tick in scale.ticks(most):
        x = scale.place(tick)
        yield f'<path class="ch-axis" d="M{x:.1f} {y:g}v4"/>'
        yield _text(x, y + 17, _number(tick), "ch-tick", "middle")
    yield f'<path class="ch-axis" d="M{scale.start:g} {y:g}H{scale.end:g}"/>'
    yield _text((scale.start + scale.end) / 2, y + 33, shorten(name), "ch-name", "middle")


def _ticks_left(scale: Scale, x: float, name: str) -> Iterator[str]:
    for tick in scale.ticks(6):
        y = scale.place(tick)
        yield f'<path class="ch-axis" d="M{x:g} {y:.1f}h-4"/>'
        yield _text(x - 7, y + 4, _number(tick), "ch-tick", "end")
    yield _text(x, scale.end - 9, shorten(name), "ch-name")


def _multiples(low: float, high: float, most: int) -> list[float]:
    """The multiples of 1, 2 or 5 times a power of ten from low to high, at most so many.

    >>> _multiples(0.0, 100.0, 6)
    [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]
    """
    power = 10.0 ** math.floor(math.log10((high - low) / most))
    step = next(k * power for k in (1, 2, 5, 10, 20) if (high - low) / (k * power) <= most - 1)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [k * step for k in range(first, last + 1)]


def _powers(low: float, high: float, most: int) -> list[float]:
    """Powers of ten from low to high, at most so many; with few of them, 2 and 5 times these.

    >>> _powers(0.003, 3.0, 5), _powers(0.3, 3.0, 5)
    ([0.01, 0.1, 1.0], [0.5, 1.0, 2.0])
    """
    first, last = math.ceil(math.log10(low)), math.floor(math.log10(high))
    found = [10.0**k for k in range(first, last + 1)]
    if len(found) > 2:
        return found[:: -(-len(found) // most)]
    tenths = [k * 10.0**n for n in range(first - 1, last + 1) for k in (1, 2, 5)]
    return [x for x in tenths if low <= x <= high]


def _number(x: float) -> str:
    """A tick's number as one would write it.

    >>> [_number(x) for x in (0.1 + 0.2, 20_000.0, 1e-7, 3e12)]
    ['0.3', '20,000', '1e-07', '3e+12']
    """
    return f"{x:,.0f}" if x == int(x) and abs(x) < 1e9 else f"{x:.6g}"


def _percent(x: float) -> str:
    return f"{x:.0%}"


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


# ---- a picture ----


def document(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """Charts as an SVG that stands alone, its title above them."""
    heading = _text(LEFT, 18, title, "ch-title")
    body = ['<g transform="translate(0 24)">', *parts, "</g>"]
    return figure(width, height + 24, title, [f"<style>{STYLE}</style>", heading, *body])


def figure(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """Charts as an SVG in a page that has their style."""
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
            f'viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{escape(title)}">',
            f'<rect class="ch-page" width="{width:g}" height="{height:g}"/>',
            *parts,
            "</svg>\n",
        ]
    )


def _mixed(colour: str, other: str, part: float) -> str:
    """A colour with so much of another one in it."""
    pairs = zip(bytes.fromhex(colour[1:]), bytes.fromhex(other[1:]))
    return "#" + bytes(round(a + (b - a) * part) for a, b in pairs).hex()


def _colours(page: str, lighter: float, pale: float, sure: float) -> str:
    """The colours of all classes before a page: of their marks and of their regions."""
    rules = []
    for i, colour in enumerate(COLOURS):
        own = _mixed(colour, "#ffffff", lighter)
        rules += [
            f".ch-mark{i} {{ fill: {own} }}",
            f".ch-base{i} {{ fill: {_mixed(own, page, pale)} }}",
            f".ch-sure{i} {{ fill: {_mixed(own, page, sure)} }}",
        ]
    return "\n".join(rules)


STYLE = f"""
.ch-page {{ fill: #ffffff }}
.ch-tick, .ch-name, .ch-title {{ font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #4d5a66 }}
.ch-title {{ font-weight: bold; fill: #1a2430; stroke: #ffffff; stroke-width: 4;
  paint-order: stroke }}
.ch-name {{ fill: #1a2430 }}
.ch-grid {{ stroke: #dde3e9 }}
.ch-axis, .ch-frame {{ stroke: #77838f; fill: none }}
.ch-line {{ fill: none; stroke-width: 2; stroke-linejoin: round }}
.ch-thin {{ stroke-width: 1 }}
.ch-line.ch-held {{ stroke-dasharray: 6 3 }}
.ch-train {{ stroke: #0072b2 }}
.ch-held {{ stroke: #c04f00 }}
.ch-rate {{ stroke: #5d6975 }}
.ch-dot {{ fill: #ffffff; stroke-width: 1.5 }}
.ch-cursor {{ stroke: #1a2430; stroke-dasharray: 2 2 }}
.ch-moment[hidden], .ch-cursor[hidden] {{ display: none }}
.ch-border {{ stroke: #1a2430; stroke-width: 12; stroke-linejoin: round }}
.ch-mark {{ stroke: #ffffff; stroke-width: 2; paint-order: stroke }}
.ch-swatch {{ stroke: #77838f }}
{_colours("#ffffff", 0.0, 0.84, 0.62)}
@media (prefers-color-scheme: dark) {{
.ch-page {{ fill: #14191f }}
.ch-tick {{ fill: #a9b6c3 }}
.ch-title, .ch-name {{ fill: #e8eef4 }}
.ch-title {{ stroke: #14191f }}
.ch-grid {{ stroke: #2b343d }}
.ch-axis, .ch-frame {{ stroke: #8593a0 }}
.ch-train {{ stroke: #56b4e9 }}
.ch-held {{ stroke: #ff9a56 }}
.ch-rate {{ stroke: #a9b6c3 }}
.ch-dot {{ fill: #14191f }}
.ch-cursor, .ch-border {{ stroke: #e8eef4 }}
.ch-mark {{ stroke: #14191f }}
{_colours("#14191f", 0.35, 0.8, 0.55)}
}}
"""
