"""What charts share: axes with their ticks, texts, colours, and the picture around them.

A chart brings its colours, for light and dark screens.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

from chainrule.viz.plots import COLOURS
from chainrule.viz.svg import shorten

LEFT, RIGHT, BOTTOM = 58.0, 14.0, 40.0  # room for ticks and what they count
TITLE = 24.0


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


# ---- axes ----


def ticks_below(scale: Scale, y: float, most: int, name: str) -> Iterator[str]:
    """An axis below a chart, with at most so many ticks, and what it counts."""
    for tick in scale.ticks(most):
        x = scale.place(tick)
        yield f'<path class="ch-axis" d="M{x:.1f} {y:g}v4"/>'
        yield text(x, y + 17, number(tick), "ch-tick", "middle")
    yield f'<path class="ch-axis" d="M{scale.start:g} {y:g}H{scale.end:g}"/>'
    yield text((scale.start + scale.end) / 2, y + 33, shorten(name), "ch-name", "middle")


def ticks_left(scale: Scale, x: float, name: str) -> Iterator[str]:
    """The ticks of an axis to the left of a chart, and above them what it counts."""
    for tick in scale.ticks(6):
        y = scale.place(tick)
        yield f'<path class="ch-axis" d="M{x:g} {y:.1f}h-4"/>'
        yield text(x - 7, y + 4, number(tick), "ch-tick", "end")
    yield text(x, scale.end - 9, shorten(name), "ch-name")


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


def number(x: float) -> str:
    """A tick's number as one would write it.

    >>> [number(x) for x in (0.1 + 0.2, 20_000.0, 1e-7, 3e12)]
    ['0.3', '20,000', '1e-07', '3e+12']
    """
    return f"{x:,.0f}" if x == int(x) and abs(x) < 1e9 else f"{x:.6g}"


def text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    """A text of one line."""
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


# ---- a picture ----


def document(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    """Charts as an SVG that stands alone, its title above them."""
    heading = text(LEFT, 18, title, "ch-title")
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
            f".ch-hatch{i} {{ stroke: {_mixed(own, page, sure - 0.22)} }}",
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
.ch-hatch {{ fill: none; stroke-width: 8 }}
.ch-mark {{ stroke: #ffffff; stroke-width: 2; paint-order: stroke }}
.ch-swatch {{ stroke: #77838f; stroke-width: 10 }}
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
