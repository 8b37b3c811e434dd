"""The drawing of the graph behind a value."""

from __future__ import annotations

import gc
import os
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from chainrule.arguments import check_choice
from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError, missing_extra
from chainrule.nn import Module
from chainrule.viz import dot, inside, page, svg
from chainrule.viz import fold as folds
from chainrule.viz.kinds import read

MANY = 200  # values; a larger graph is folded
_MOST = 2000  # boxes that are drawn if one insists


def draw(value: Value, fold: str = "auto", *, model: Module | None = None) -> Drawing:
    """The graph behind a value, drawn from left to right as it is now.

    Each value is a box with its label, data and gradient, each op a circle before its value, each
    number in an expression a small box at every use. A graph of more than 200 values is folded:
    by neuron, by layer or by instruction of its array program, whichever first gives at most 200
    boxes; if none does, the drawing gives the counts.

    Args:
        value: the result of the graph.
        fold: "auto", or "neuron", "layer", "program" or "none", whatever the size.
        model: the module whose parameters take part; those without a label carry their paths.
            Without it, leaves whose labels are paths, as "layers.0.neurons.3.w.1", are parameters.

    Raises:
        ArgumentError: something else than a value was given, no such fold exists, no parameters
            are known to fold by, or more than 2,000 boxes would have to be drawn.

    >>> a = Value(3.0, label="a")
    >>> drawing = draw(a + a)
    >>> drawing.to_svg().count("<svg")
    1
    """
    if not isinstance(value, Value):
        raise ArgumentError(f"draw() takes a Value, not {type(value).__name__}")
    check_choice("fold", fold, ("auto", "none", *folds.FOLDS))
    named = paths_of(model)
    with _without_collecting():
        return Drawing(value, fold, named)


def paths_of(model: Module | None) -> dict[int, str]:
    """The path of each parameter of a model, by its `id`; nothing without a model.

    Raises:
        ArgumentError: it is no module.
    """
    if model is None:
        return {}
    if not isinstance(model, Module):
        raise ArgumentError(f"the model must be a Module, not {type(model).__name__}")
    return {id(p): path for path, p in model.named_parameters()}


@contextmanager
def _without_collecting() -> Iterator[None]:
    """No search for reference cycles: of lists as long as the graph, each takes its time."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


class Drawing:
    """A drawing, shown by notebooks and saved to files; `draw()` makes it.

    It keeps what it shows: values that change or are freed later leave it as it is.

    Attributes:
        nodes: what is drawn, operands first; nothing if only counts are given.
    """

    def __init__(self, value: Value, fold: str, named: Mapping[int, str]) -> None:
        values = operands_first(value)
        self._name = value.label
        self._opened: dict[int, inside.Opened] = {}
        self.nodes: Sequence[svg.Box] = []
        if fold == "none" or (fold == "auto" and len(values) <= MANY):
            if len(values) > _MOST:
                raise _too_many(f"{len(values):,}")
            self.nodes = nodes_of(values, named)
        else:
            self._fold(values, fold, named)
        self._summary = [] if self.nodes else _summary(values)

    def _fold(self, values: list[Value], how: str, named: Mapping[int, str]) -> None:
        net = read(values, named)
        if how in ("neuron", "layer") and not net.paths:
            raise ArgumentError(
                f"to fold by {how}, parameters with paths are needed: give the model as "
                'draw(value, model=model), or labels as "layers.0.neurons.3.w.1"'
            )
        possible = folds.FOLDS if net.paths else ("program",)
        most = MANY if how == "auto" else _MOST
        for by in possible if how == "auto" else (how,):
            if (nodes := folds.fold(net, by, most)) is not None:
                self.nodes, self._opened = nodes, inside.opened(net, nodes)
                return
        if how != "auto":
            raise _too_many(f"more than {_MOST:,}")

    def to_svg(self) -> str:
        """The drawing as an SVG document."""
        return svg.picture(self.nodes) if self.nodes else svg.card(self._summary)

    def to_dot(self) -> str:
        """The drawing as source for Graphviz, for whoever wants another layout."""
        return dot.source(self.nodes) if self.nodes else dot.card(self._summary)

    def to_html(self) -> str:
        """The drawing as a page that stands alone, in which groups open when they are clicked.

        Groups of up to 200 values open as a drawing of their own. Of larger ones there is a
        drawing of how their first result is computed, and a list, of up to 2,000 values whole.
        """
        return page.page(self._name, self.to_svg(), self._opened)

    def _repr_svg_(self) -> str:
        return self.to_svg()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the drawing to a file, in the format that its suffix names.

        Raises:
            ArgumentError: the suffix is none of .svg, .png, .html and .dot.
            MissingExtraError: resvg-py, which makes PNG files, is not installed.
        """
        formats = {".svg": self.to_svg, ".html": self.to_html, ".dot": self.to_dot}
        suffix = Path(path).suffix.lower()
        if suffix == ".png":
            Path(path).write_bytes(_png(self.to_svg()))
        elif suffix in formats:
            Path(path).write_text(formats[suffix](), encoding="utf-8")
        else:
            raise ArgumentError(
                "a drawing is saved as .svg, .png, .html or .dot, "
                f"not as {suffix or 'a file without suffix'!r}"
            )


def _png(picture: str) -> bytes:
    """An SVG as pixels, two for each of its units."""
    try:
        import resvg_py
    except ImportError:
        raise missing_extra("resvg-py", "draw", "a drawing as PNG") from None
    return bytes(resvg_py.svg_to_bytes(svg_string=picture, zoom=2))


def _too_many(boxes: str) -> ArgumentError:
    return ArgumentError(
        f"{boxes} boxes are too many to draw, {_MOST:,} can be: "
        'fold by something larger, or let fold="auto" choose'
    )


def nodes_of(values: list[Value], named: Mapping[int, str] | None = None) -> list[svg.Node]:
    """What is drawn of values; a constant becomes a node for each use, as the engine shares it."""
    nodes: list[svg.Node] = []
    places: dict[Value, int] = {}
    for value in values:
        if value.op == "constant" and value is not values[-1]:
            continue
        operands = []
        for operand in value.operands:
            if operand.op == "constant":
                nodes.append(_node(operand))
                operands.append(len(nodes) - 1)
            else:
                operands.append(places[operand])
        places[value] = len(nodes)
        nodes.append(_node(value, tuple(operands), (named or {}).get(id(value), "")))
    return nodes


def _node(value: Value, operands: tuple[int, ...] = (), path: str = "") -> svg.Node:
    return svg.Node(value.label or path, value.op, value.data, value.grad, operands)


def _summary(values: list[Value]) -> list[str]:
    """The counts of a graph, in lines of moderate length."""
    ops = Counter([value.op for value in values])
    leaves, constants = ops.pop("", 0), ops.pop("constant", 0)
    kinds = [f"{count:,} {op}" for op, count in sorted(ops.items(), key=lambda x: (-x[1], x[0]))]
    parts = [
        *kinds,
        _counted(leaves, "leaf", "leaves"),
        _counted(constants, "constant", "constants"),
    ]
    title = f"{len(values):,} values: too many to draw one by one"
    return [title, *textwrap.wrap(", ".join(parts), 72)]


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
