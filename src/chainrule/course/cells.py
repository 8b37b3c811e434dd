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
    """Empty axes of matplotlib with these names, to plot into and then to show.

    Raises:
        MissingExtraError: matplotlib is not installed.
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
        return _pixels(Path(thing).read_bytes()), ".png"
    if hasattr(thing, "figure"):
        file = io.BytesIO()
        thing.figure.savefig(file, format="png", dpi=_DPI, bbox_inches="tight")
        return _pixels(file.getvalue()), ".png"
    if hasattr(thing, "to_svg"):
        return _drawing(thing.to_svg()), ".svg"
    if "ipykernel" in sys.modules:
        return thing, ".html"  # which shows itself, as a widget
    return _Shown(thing.to_html().encode(), _FRAME.format(html.escape(thing.to_html()))), ".html"


class _Shown:
    """A file, and how notebooks show it."""

    def __init__(self, content: bytes, markup: str) -> None:
        self._content, self._markup = content, markup

    def _repr_html_(self) -> str:
        return self._markup

    def save(self, path: Path) -> None:
        path.write_bytes(self._content)


def _pixels(png: bytes) -> _Shown:
    """An image with more than one pixel for each of the page's, so that it looks sharp."""
    width = int.from_bytes(png[16:20]) * 100 // _DPI
    return _image(png, "png", f"width: {width}px; max-width: 100%")


def _drawing(svg: str) -> _Shown:
    """A drawing that shrinks to the page, but not beyond what can be read."""
    width = float(svg.partition(' width="')[2].partition('"')[0])
    size = f"width: min({width:.0f}px, max(100%, {0.7 * width:.0f}px)); max-width: none"
    return _image(
        svg.encode(), "svg+xml", size, svg.partition(' aria-label="')[2].partition('"')[0]
    )


def _image(content: bytes, kind: str, style: str, alt: str = "") -> _Shown:
    """An image of its own: in the page, the style of one drawing would reach others."""
    source = f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
    return _Shown(content, _SCROLLED.format(alt, style, source))


_SCROLLED = """<div style="overflow: auto; max-height: 640px">
<img alt="{}" style="{}" src="{}"></div>"""
_FRAME = """<iframe sandbox="allow-scripts" style="width: 100%; height: 760px; border: 0"
srcdoc="{}"></iframe>"""


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
