"""What the cells of the chapters use: pictures shown in place, and the learner's own file."""

from __future__ import annotations

import base64
import html
import io
import itertools
import runpy
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chainrule.errors import ArgumentError, missing_extra

_NOTEBOOKS = ("ipykernel", "marimo")  # Jupyter, and what is built on it; marimo
_DPI = 160
_count = itertools.count(1)


def chart(x: str, y: str) -> Any:
    """Empty axes of matplotlib, to plot into, with the names of what is on them.

    >>> axes = chart("x", "x squared")
    >>> lines = axes.plot([0, 1, 2], [0, 1, 4])  # then show(axes)
    """
    try:
        from matplotlib.figure import Figure
    except ImportError:
        raise missing_extra("matplotlib", "course", "a chart") from None
    from chainrule.viz.plots import COLOURS

    axes = Figure(figsize=(7, 3.6), layout="constrained").subplots()
    axes.set(xlabel=x, ylabel=y)
    axes.set_prop_cycle(color=COLOURS)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    return axes


def show(thing: Any) -> Any:
    """Show a picture: in its cell, or where there are no cells, in a file that is named.

    Args:
        thing: a chart, a drawing, an explorer, or the path of a PNG file.

    Returns:
        In a notebook, what its cell shows if this is the last line; else nothing.
    """
    shown, suffix = _displayed(thing)
    if any(name in sys.modules for name in _NOTEBOOKS):
        return shown
    path = Path(f"picture-{_chapter()}-{next(_count)}{suffix}")
    shown.save(path)
    print(f"picture: {path}")
    return None


def _displayed(thing: Any) -> tuple[Any, str]:
    """What notebooks display and programs save, and the suffix of its files."""
    if isinstance(thing, str):
        return _Image(Path(thing).read_bytes()), ".png"
    if hasattr(thing, "figure"):
        file = io.BytesIO()
        thing.figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight")
        return _Image(file.getvalue()), ".png"
    if hasattr(thing, "to_svg"):
        return _Markup(thing, _scrolled(thing.to_svg())), ".svg"
    frame = '<iframe sandbox="allow-scripts" style="width: 100%; height: 760px; border: 0" srcdoc='
    return _Markup(thing, f'{frame}"{html.escape(thing.to_html())}"></iframe>'), ".html"


class _Image:
    """Pixels, more than one for each of the page's, so that they look sharp."""

    def __init__(self, png: bytes) -> None:
        self._png = png

    def _repr_html_(self) -> str:
        width = int.from_bytes(self._png[16:20]) * 100 // _DPI
        source = f"data:image/png;base64,{base64.b64encode(self._png).decode()}"
        return f'<img alt="" style="width: {width}px; max-width: 100%" src="{source}">'

    def save(self, path: Path) -> None:
        path.write_bytes(self._png)


def _scrolled(svg: str) -> str:
    """A drawing that shrinks to the page, but not beyond what can be read."""
    width = float(svg.partition(' width="')[2].partition('"')[0])
    inner = f"width: min({width:.0f}px, max(100%, {0.7 * width:.0f}px))"
    outer = "overflow: auto; max-height: 640px"
    return f'<div style="{outer}"><div style="{inner}">{svg}</div></div>'


class _Markup:
    """A drawing to be scrolled, or a page in a frame: the same in all notebooks."""

    def __init__(self, thing: Any, markup: str) -> None:
        self.save = thing.save
        self._markup = markup

    def _repr_html_(self) -> str:
        return self._markup


def _chapter() -> str:
    """The number of the chapter that runs as a program."""
    return Path(sys.argv[0]).name[:2]


def load(file: str) -> Any:
    """What a file of Python defines, read anew at each call, so that what was edited counts.

    Args:
        file: its name, as "my_engine.py".

    Returns:
        Its names as attributes.

    Raises:
        ArgumentError: there is no such file here.
    """
    if not Path(file).is_file():
        raise ArgumentError(
            f"{file} is not in {Path.cwd()}: run the chapter in the folder of the course, "
            "where `chainrule course` put the file"
        )
    return SimpleNamespace(**runpy.run_path(file))
