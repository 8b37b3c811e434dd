"""The drawing of a graph as SVG: one box a value, one circle an op.

The picture stands alone: it brings its colours, for light and dark screens, and refers to nothing
outside. Each text is told the width it has to fill, so that it stays in its box whatever font
there is; one that is not plain letters is cut off there as well.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate

from chainrule.viz.layout import MARGIN, Point, arrange
from chainrule.viz.net import PORT_GAP, Size


@dataclass(frozen=True, slots=True)
class Node:
    """What is drawn of a value.

    Attributes:
        label: the user's name for it, or nothing.
        op: "" for a leaf, "constant" for a number, "outside" for a value that is computed beyond
            the drawing.
        data, grad: its numbers.
        operands: the places of its operands in the list of nodes, all before its own.
    """

    label: str
    op: str
    data: float
    grad: float
    operands: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """What is drawn of several values together.

    Attributes:
        title, lines: what is said of them.
        operands: the places of the boxes that they read from, all before their own.
        members: which values they are, by their places in the graph.
        results: those of them that others read, or the result of all.
        leaves: whether they are all leaves.
    """

    title: str
    lines: tuple[str, ...]
    operands: tuple[int, ...]
    members: tuple[int, ...]
    results: tuple[int, ...] = ()
    leaves: bool = False


Box = Node | Group


# Blue, orange and grey differ in lightness too, and no meaning hangs on colour alone.
STYLE = """
.cr-page { fill: #ffffff }
.cr-box { fill: #f6f8fa; stroke: #8794a1; stroke-width: 1 }
.cr-leaf .cr-box { fill: #e8f2fb; stroke: #2f7fbf }
.cr-result .cr-box { stroke-width: 2.5 }
.cr-rule { stroke: #c3ccd5; stroke-width: 1 }
.cr-op, .cr-constant .cr-box { fill: #ffffff; stroke: #5d6975; stroke-width: 1.25 }
.cr-constant .cr-box { stroke-width: 1; stroke-dasharray: 3 2 }
.cr-outside .cr-box { stroke-dasharray: 6 3 }
.cr-edge, .cr-link { fill: none; stroke: #5d6975; stroke-width: 1.25 }
.cr-head { fill: #5d6975 }
.cr-text { font: 12px ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace; fill: #1a2430 }
.cr-label { font-weight: bold }
.cr-name, .cr-slot { fill: #5a6672 }
.cr-slot { font-size: 10px; stroke: #ffffff; stroke-width: 3; paint-order: stroke }
.cr-grad { fill: #a33f00 }
@media (prefers-color-scheme: dark) {
.cr-page { fill: #14191f }
.cr-box { fill: #1f262e; stroke: #6b7885 }
.cr-leaf .cr-box { fill: #15293b; stroke: #5fb0ee }
.cr-rule { stroke: #3b4651 }
.cr-op, .cr-constant .cr-box { fill: #14191f; stroke: #9aa7b4 }
.cr-edge, .cr-link { stroke: #8593a0 }
.cr-head { fill: #8593a0 }
.cr-text { fill: #e8eef4 }
.cr-name, .cr-slot { fill: #a3b0bd }
.cr-slot { stroke: #14191f }
.cr-grad { fill: #ffb27a }
}
"""

_EM = 7.2246  # the width of a character of DejaVu Sans Mono at 12 px
_SMALL = 10 / 12  # of it, that of an edge's number
_ROW = 18.0
_PAD = 8.0
_NUMBER = 7  # the least room for a number: "-0.0000"
_LINK = 12.0  # from an op to its value
_CIRCLE = 28.0
_LABEL = 30  # columns of a label that are shown
_SWATCH = 22.0  # the width of a shape in the legend
_NARROWEST = 210.0
_GROUP = 48  # columns of a line that is said of a group
_STACK = 4.0  # by how much a group's second sheet sticks out
_HOVER = 200  # and when the pointer rests on the box

_PATH = re.compile(r"[a-z_]\w*(\.\w+)+", re.ASCII | re.IGNORECASE)
# They make one picture of several, whose width cannot be reckoned: with emoji, a family.
_JOINERS = dict.fromkeys([0x200C, 0x200D, *range(0xFE00, 0xFE10)])

_KINDS = {"": "leaf", "constant": "constant", "outside": "outside"}  # others are inner values
_SHARES = {"start": 0.0, "middle": 0.5, "end": 1.0}  # of a text, to the left of its anchor
_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "pow": "**", "neg": "-"}
COMMUTE = {"add", "mul", "maximum", "minimum"}


# ---- texts ----


def number(x: float) -> str:
    """A number with four decimals, or with a power of ten where these say too little or too much.

    >>> [number(x) for x in (0.70710678, -0.0, 1e-12, 1e300, float("nan"))]
    ['0.7071', '-0.0000', '1.00e-12', '1.00e+300', 'nan']
    """
    return f"{x:.4f}" if x == 0.0 or 1e-3 <= abs(x) < 1e6 else f"{x:.2e}"


def short_number(x: float) -> str:
    """A number as one would write it: 2, 0.5, 1e-12."""
    return f"{x:.6g}"


def shorten(text: str, columns: int = _LABEL) -> str:
    """A text on one line, without what cannot be printed, cut after so many columns.

    Of the path of a parameter the end is kept, which tells it from its neighbours.

    >>> shorten("a\\nb" + "c" * 100, 10), shorten("layers.10.neurons.7.w.12", 10)
    ('a bcccccc…', '…ns.7.w.12')
    """
    stripped = text.strip()
    if len(stripped) <= columns and stripped.isascii() and stripped.isprintable():
        return stripped  # as nearly all are
    if len(stripped) > columns and _PATH.fullmatch(stripped):
        return f"…{stripped[1 - columns :]}"
    start = unicodedata.normalize("NFC", stripped[: 2 * columns]).translate(_JOINERS)
    shown = [
        c if c.isprintable() else " " if c.isspace() else "\ufffd"
        for two, one, c in zip("  " + start, " " + start, start)
        if not (_is_mark(two) and _is_mark(one) and _is_mark(c))  # piles of accents leave the line
    ]
    ends = list(accumulate([_columns(c) for c in shown], initial=0))
    if ends[-1] <= columns and len(stripped) <= 2 * columns:
        return "".join(shown)
    return "".join(shown[: bisect_right(ends, columns - 1) - 1]) + "…"


def _is_mark(c: str) -> bool:
    return unicodedata.category(c) in ("Mn", "Me")


def _columns(text: str) -> int:
    """How many columns a text takes: none for accents, two for Chinese, emoji and the like."""
    if text.isascii():
        return len(text)
    return sum([0 if _is_mark(c) else 1 + (unicodedata.east_asian_width(c) in "WF") for c in text])


def _wide(text: str) -> float:
    return _columns(text) * _EM


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    """A text of one line, fitted into the width that was reckoned with."""
    width = _wide(text) * (_SMALL if kind == "slot" else 1.0)
    line = (
        f'<text class="cr-text cr-{kind}" x="{x:g}" y="{y:g}" text-anchor="{anchor}" '
        f'textLength="{width:.1f}" lengthAdjust="spacingAndGlyphs">{escape(text)}</text>'
    )
    return line if text.isascii() else _cut_off(x - _SHARES[anchor] * width, y, width, line)


def _cut_off(left: float, base: float, width: float, line: str) -> str:
    """A text seen through a window: not every program fits the letters of every script."""
    x, y, wide = f"{left - 2:g}", f"{base - 13:g}", f"{width + 4:g}"
    window = f'x="{x}" y="{y}" width="{wide}" height="{_ROW:g}" viewBox="{x} {y} {wide} {_ROW:g}"'
    return f"<svg {window}>{line}</svg>"


# ---- boxes ----


def picture(nodes: Sequence[Box], part: bool = False) -> str:
    """The SVG of a graph whose nodes come after their operands, the result last.

    Args:
        nodes: what is drawn.
        part: whether it stands below a larger one in a page: the colours are there already, and
            its last node is not the result of all.
    """
    sizes = [size(node) for node in nodes]
    layout = arrange(sizes, [node.operands for node in nodes])
    edges = [
        _edge(i, slot, route, nodes[i], _are_numbered(nodes[i], routes))
        for i, routes in enumerate(layout.routes)
        for slot, route in enumerate(routes)
    ]
    boxes = [
        _node(i, node, corner, size, result=i == len(nodes) - 1 and not part)
        for i, (node, corner, size) in enumerate(zip(nodes, layout.corners, sizes))
    ]
    drawn = "".join([*edges, *boxes])
    key, whole = legend((layout.width, layout.height), drawn)
    title = f"Graph of {describe(nodes[-1])}"
    return document(whole, title, [*edges, *boxes, *key], style=not part)


def card(lines: Sequence[str]) -> str:
    """A few lines of text as a picture, the first as its heading."""
    parts = [
        _text(MARGIN, MARGIN + 12 + i * _ROW, line, "name" if i else "label")
        for i, line in enumerate(lines)
    ]
    width = max([_wide(line) for line in lines])
    return document((width + 2 * MARGIN, len(lines) * _ROW + 2 * MARGIN), lines[0], parts)


def document(size: Size, title: str, parts: Iterable[str], style: bool = True) -> str:
    """A whole SVG of the given size."""
    width, height = f"{size[0]:g}", f"{size[1]:g}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
            f'viewBox="0 0 {width} {height}" role="img" aria-label="{escape(title)}">',
            f"<title>{escape(title)}</title>",
            f"<desc>{escape(_EXPLANATION)}</desc>",
            *([f"<style>{STYLE}</style>"] if style else []),
            f'<rect class="cr-page" width="{width}" height="{height}"/>',
            *parts,
            "</svg>\n",
        ]
    )


_EXPLANATION = (
    "Values are boxes with their data and gradient, ops are circles; the operands of an op enter "
    "it from the left, in their order from top to bottom or numbered by it."
)


def describe(node: Box) -> str:
    """A node in words, with all digits: "b = add, data 6.0, gradient 1.0"."""
    if isinstance(node, Group):
        return f"{node.title}: {', '.join(node.lines)}"
    kind = _KINDS.get(node.op, node.op)
    name = f"{shorten(node.label, _HOVER)} = {kind}" if node.label else kind
    return f"{name}, data {node.data!r}" + (
        "" if node.op == "constant" else f", gradient {node.grad!r}"
    )


def sign(op: str) -> str:
    """How an op is written in its circle: + for add, otherwise its name."""
    return _SIGNS.get(op, op)


def size(node: Box) -> Size:
    """The width and height of a value's box together with its op."""
    if isinstance(node, Group):
        return _group_size(node)
    if node.op == "constant":
        return _wide(short_number(node.data)) + 2 * _PAD, _ROW + 4
    width, height = _box_size(node)
    if node.op not in _KINDS:
        op_width, op_height = _op_size(node)
        return op_width + _LINK + width, max(height, op_height)
    return width, height


def _box_size(node: Node) -> Size:
    columns = max(_NUMBER, len(number(node.data)), len(number(node.grad)))
    width = _wide("data ") + columns * _EM
    label = shorten(node.label)
    rows = 3 if label else 2
    return float(round(max(width, _wide(label)) + 2 * _PAD)), rows * _ROW + 6


def _group_size(group: Group) -> Size:
    width = max([_wide(shorten(line, _GROUP)) for line in (group.title, *group.lines)])
    rows = max((1 + len(group.lines)) * _ROW + 6, len(group.operands) * PORT_GAP)
    return float(round(width + 2 * _PAD)) + _STACK, rows + _STACK


def _op_size(node: Node) -> Size:
    width = max(_CIRCLE, float(round(_wide(shorten(sign(node.op), 20)) + 2 * _PAD)))
    return width, max(_CIRCLE, len(node.operands) * PORT_GAP + 4)


def _node(place: int, node: Box, corner: Point, size: Size, result: bool) -> str:
    """One value with its op, or a group of values, with a hint."""
    if isinstance(node, Group):
        return (
            f'<g class="cr-group{" cr-leaf" if node.leaves else ""}" data-group="{place}">'
            f"<title>{escape(describe(node))}</title>{''.join(_sheets(node, corner, size))}</g>"
        )
    kind = _KINDS.get(node.op, "inner")
    parts = _constant(node, corner, size) if kind == "constant" else _value(node, corner, size)
    classes = f"cr-{kind} cr-result" if result else f"cr-{kind}"
    return (
        f'<g class="{classes}" data-value="{place}"><title>{escape(describe(node))}</title>'
        f"{''.join(parts)}</g>"
    )


def _constant(node: Node, corner: Point, size: Size) -> Iterator[str]:
    x, y = corner
    yield _rect("box", corner, size, 4)
    yield _text(x + size[0] / 2, y + 15, short_number(node.data), "data", "middle")


# ---- the legend ----


# What the shapes mean, by the class that they are drawn with.
_LEGEND = {
    "leaf": "leaf",
    "outside": "computed elsewhere",
    "op": "op",
    "inner": "what it makes",
    "constant": "number in the expression",
    "result": "the result",
    "group": "several values",
    "slot": "which operand",
}


def legend(size: Size, drawn: str) -> tuple[list[str], Size]:
    """What the shapes of a drawing mean, beneath it, and the size of both together."""
    classes = {name for found in re.findall(r'class="([^"]*)"', drawn) for name in found.split()}
    parts: list[str] = []
    width = max(size[0], _NARROWEST)
    x, y = MARGIN, size[1]
    for kind, text in _LEGEND.items():
        if f"cr-{kind}" in classes:
            room = _SWATCH + 6 + _wide(text)
            if x > MARGIN and x + room > width - MARGIN:
                x, y = MARGIN, y + _ROW
            parts += [_swatch(kind, x, y), _text(x + _SWATCH + 6, y + 4, text, "name")]
            x += room + 20
    return [f'<g class="cr-legend">{"".join(parts)}</g>'], (width, y + _ROW)


def _swatch(kind: str, x: float, y: float) -> str:
    """A shape in small, its middle left at a point."""
    if kind == "slot":
        return _text(x + _SWATCH / 2, y + 4, "1 2", kind, "middle")
    if kind == "op":
        return _rect("op", (x + 5, y - 6), (12, 12), 6)
    shift, sheet = (
        (3.0, _rect("box", (x + 3, y - 3), (_SWATCH - 3, 9), 3)) if kind == "group" else (0.0, "")
    )
    shape = _rect("box", (x, y - 6), (_SWATCH - shift, 12 - shift), 3)
    return f'<g class="cr-{kind}">{sheet}{shape}</g>'


# ---- groups ----


def _sheets(group: Group, corner: Point, size: Size) -> Iterator[str]:
    """A group: a box with a second one behind it."""
    (x, y), inner = corner, (size[0] - _STACK, size[1] - _STACK)
    yield _rect("box", (x + _STACK, y + _STACK), inner, 5)
    yield _rect("box", corner, inner, 5)
    yield f'<path class="cr-rule" d="M{x:g} {y + _ROW + 3:g}h{inner[0]:g}"/>'
    yield _text(x + inner[0] / 2, y + 15, shorten(group.title, _GROUP), "label", "middle")
    for i, line in enumerate(group.lines, 1):
        kind = "grad" if line.startswith("grad ") else "data"
        yield _text(x + _PAD, y + 17 + i * _ROW, shorten(line, _GROUP), kind)


def _value(node: Node, corner: Point, size: Size) -> Iterator[str]:
    """The op's circle, the link from it, and the box with label, data and gradient."""
    width, height = _box_size(node)
    x, middle = corner[0] + size[0] - width, corner[1] + size[1] / 2
    y = middle - height / 2
    if node.op not in _KINDS:
        yield from _op(node, (corner[0], middle))
    yield _rect("box", (x, y), (width, height), 5)
    if label := shorten(node.label):
        yield _text(x + width / 2, y + 15, label, "label", "middle")
        yield f'<path class="cr-rule" d="M{x:g} {y + _ROW + 3:g}h{width:g}"/>'
    for name, x_number, kind in (("data", node.data, "data"), ("grad", node.grad, "grad")):
        line = y + height - (_ROW + 8 if name == "data" else 8)
        yield _text(x + _PAD, line, name, "name")
        yield _text(x + width - _PAD, line, number(x_number), kind, "end")


def _op(node: Node, left: Point) -> Iterator[str]:
    x, middle = left
    width, height = _op_size(node)
    yield f'<path class="cr-link" d="M{x + width:g} {middle:g}h{_LINK:g}"/>'
    yield _rect("op", (x, middle - height / 2), (width, height), _CIRCLE / 2)
    yield _text(x + width / 2, middle + 4, shorten(sign(node.op), 20), "data", "middle")


def _rect(kind: str, corner: Point, size: Size, radius: float) -> str:
    return (
        f'<rect class="cr-{kind}" x="{corner[0]:g}" y="{corner[1]:g}" '
        f'width="{size[0]:g}" height="{size[1]:g}" rx="{radius:g}"/>'
    )


# ---- edges ----


def _edge(place: int, slot: int, route: Sequence[Point], node: Box, numbered: bool) -> str:
    """An operand's edge, with an arrowhead and perhaps with its number."""
    x, y = route[-1]
    parts = [
        f'<path class="cr-edge" d="{_curve(route)}"/>',
        f'<path class="cr-head" d="M{x:g} {y:g}l-8 -4v8z"/>',
    ]
    if numbered:
        parts.append(_text(x - 13.5, y + 3.5, str(slot + 1), "slot", "middle"))
    return f'<g data-edge="{node.operands[slot]} {place} {slot}">{"".join(parts)}</g>'


def _are_numbered(node: Box, routes: Sequence[Sequence[Point]]) -> bool:
    """Whether the edges into a node bear numbers: where their order counts or is not theirs."""
    ends = [route[-1][1] for route in routes]
    if isinstance(node, Group):
        return False
    return len(ends) > 1 and (node.op not in COMMUTE or ends != sorted(ends))


def _curve(route: Sequence[Point]) -> str:
    """The path along a route: level lines, and curves that are level at both ends."""
    x, y = route[0]
    steps = [f"M{x:g} {y:g}"]
    for to_x, to_y in route[1:]:
        middle = (x + to_x) / 2
        level = f"H{to_x:g}"
        curve = f"C{middle:g} {y:g} {middle:g} {to_y:g} {to_x:g} {to_y:g}"
        steps.append(level if to_y == y else curve)
        x, y = to_x, to_y
    return "".join(steps)
