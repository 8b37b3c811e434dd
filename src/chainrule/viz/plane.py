"""What a model says where in the plane of two features, with the examples, as a part of an SVG.

Classes differ by the shape of their points and the hatching of their regions, so that no meaning
hangs on colour alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chainrule.viz.charts import BOTTOM, LEFT, RIGHT, TITLE, Scale, text, ticks_below, ticks_left
from chainrule.viz.plots import COLOURS
from chainrule.viz.regions import Plane, Regions
from chainrule.viz.svg import shorten

SIZE = 380.0  # to a side
WIDTH = LEFT + SIZE + RIGHT
_FINE = "scale(.1)"  # the units of regions
_EM = 6.6  # a character of the ticks' font, at most on average
_MOST_POINTS = 400  # that can be told apart

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
# The lines over the region of each class, in tiles of 80 units.
_HATCHES = (
    "",
    "M-20 20 20-20M0 80 80 0M60 100 100 60",
    "M-20 60 20 100M0 0 80 80M60-20 100 20",
    "M0 40h80",
    "M40 0v80",
    "M0 40h80M40 0v80",
    "M-20 20 20-20M0 80 80 0M60 100 100 60M-20 60 20 100M0 0 80 80M60-20 100 20",
    "M30 40h20M70 0h20M-10 80h20",
)


def moment(regions: Regions, attributes: str = "") -> str:
    """What is said where, as a group of paths."""
    upward = [
        f'<path {_filled("base", k)} class="ch-border" d="{path}"/>'
        for k, path in enumerate(regions.upward, 1)
    ]
    sure = [
        f'<path {_filled("sure", k)} d="{path}"/>' for k, path in enumerate(regions.sure) if path
    ]
    return f'<g class="ch-moment" transform="{_FINE}"{attributes}>{"".join(upward + sure)}</g>'


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
    up = Scale(*plane.up, TITLE + SIZE, TITLE)
    frame = f'x="0" y="0" width="{SIZE:g}" height="{SIZE:g}"'
    key, height = _classes(class_names, TITLE + SIZE + BOTTOM + 4)
    return [
        *_patterns(len(class_names)),
        f'<svg x="{LEFT:g}" y="{TITLE:g}" width="{SIZE:g}" height="{SIZE:g}">',
        f"<rect {_filled('base', 0)} {frame}/>",
        *moments,
        "</svg>",
        *_marks(points, across, up),
        f'<rect class="ch-frame" {frame} transform="translate({LEFT:g} {TITLE:g})"/>',
        *ticks_below(across, up.start, 6, feature_names[0]),
        *ticks_left(up, across.start, feature_names[1]),
        *key,
    ], height


def _filled(kind: str, k: int) -> str:
    """What fills a region where class k is said, or is said surely."""
    return f'fill="url(#ch-{kind}{k % len(COLOURS)})"'


def _patterns(classes: int) -> Iterator[str]:
    """What regions are filled with, in their own fine units."""
    size = 'width="80" height="80"'
    yield "<defs>"
    for i in range(min(classes, len(COLOURS))):
        for kind in ("base", "sure"):
            yield (
                f'<pattern id="ch-{kind}{i}" {size} patternUnits="userSpaceOnUse">'
                f'<rect class="ch-{kind}{i}" {size}/>'
                f'<path class="ch-hatch ch-hatch{i}" d="{_HATCHES[i]}"/></pattern>'
            )
    yield "</defs>"


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
        room = 46 + _EM * len(name)
        if x > LEFT and x + room > LEFT + SIZE:
            x, y = LEFT, y + 22
        i = k % len(COLOURS)
        parts += [
            f'<g transform="translate({x:g} {y:g}) {_FINE}"><rect {_filled("sure", k)} '
            'class="ch-swatch" width="340" height="160"/></g>',
            f'<path class="ch-mark ch-mark{i}" d="M{x + 17:g} {y + 8:g}{_SHAPES[i]}"/>',
            text(x + 41, y + 12, name, "ch-tick"),
        ]
        x += room + 14
    return parts, y + 24
