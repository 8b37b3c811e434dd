"""A training watched while it runs: curves and decisions, live in a notebook and as a report."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule.errors import ArgumentError
from chainrule.viz import charts, curves, plane
from chainrule.viz.decisions import of_training
from chainrule.viz.report import Record, page

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.errors import TrainingError
    from chainrule.training import Setup, State

_SHARE = 0.1  # of the time, at most, goes into live pictures
_PAUSE = 0.25  # seconds between them, at least


class Watch:
    """Shows a training: `fit(..., callbacks=[Watch()])`.

    In a notebook a picture of the loss, of the accuracy and, for two features, of what the model
    says where in the plane is kept up to date while the cell runs; this takes a tenth of the time
    at most. Anywhere, a report can be had: one page of HTML that needs nothing else, with the
    curves, the decisions at some twenty moments, the first of them close together, and a table.

    Args:
        path: where the report is written when the training ends, also by Ctrl-C or by an error;
            nowhere if not said.
        dataset: what is trained on; its names are shown.
        about: a sentence for the top of the report.

    Raises:
        ArgumentError: the path has another suffix than .html, or its folder is not there.

    >>> from chainrule.nn import MLP
    >>> from chainrule.training import fit
    >>> corners = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]
    >>> watch = Watch()
    >>> history = fit(MLP(2, [4, 1]), corners, [0, 1, 1, 0], callbacks=[watch], progress=False)
    >>> watch.save("report.html")
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        dataset: Dataset | None = None,
        about: str = "",
    ) -> None:
        self._path = None if path is None else _page_at(path)
        self._dataset = dataset
        self._about = about
        self._record: Record | None = None
        self._screen: Any = None
        self._next = 0.0

    def begin(self, setup: Setup) -> None:
        """What `fit` calls before the first step."""
        decisions = of_training(setup, self._dataset)
        self._record = Record(setup, self._dataset, self._about, decisions)
        self._record.reach(len(setup.history.rows), keep=True)
        self._screen = _screen()
        self._show(self._record)

    def __call__(self, state: State) -> None:
        """What `fit` calls after each step."""
        record = self._watched()
        record.reach(state.step + 1)
        if self._screen is not None and time.perf_counter() >= self._next:
            self._show(record)

    def end(self, problem: TrainingError | None) -> None:
        """What `fit` calls after the last step, with the error if one ended it."""
        record = self._watched()
        record.problem = problem
        record.reach(record.updates, keep=True)
        self._show(record)
        if self._path is not None:
            self.save(self._path)

    def to_html(self) -> str:
        """The report of what was watched so far.

        Raises:
            ArgumentError: nothing was watched yet.
        """
        return page(self._watched())

    def to_svg(self) -> str:
        """The picture of where the training stands, as a notebook shows it.

        Raises:
            ArgumentError: nothing was watched yet.
        """
        return _picture(self._watched())

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report to a file.

        Raises:
            ArgumentError: the suffix is not .html, its folder is not there, or nothing was
                watched yet.
        """
        _page_at(path).write_text(self.to_html(), encoding="utf-8")

    def _repr_svg_(self) -> str | None:
        return None if self._record is None else self.to_svg()

    def _watched(self) -> Record:
        if self._record is None:
            raise ArgumentError("nothing was watched yet: fit(..., callbacks=[watch]) comes first")
        return self._record

    def _show(self, record: Record) -> None:
        """Renew the picture in the notebook; the next one waits until that is worth its time."""
        if self._screen is None:
            return
        started = time.perf_counter()
        shown = {"image/svg+xml": _picture(record), "text/plain": record.told()}
        self._screen.update(shown, raw=True)
        now = time.perf_counter()
        self._next = now + max(_PAUSE, (now - started) / _SHARE)


def _picture(record: Record) -> str:
    """Where a training stands: its curves, and beside them its decisions."""
    parts, height = curves.curves(record.setup.history.rows)
    width = curves.WIDTH
    if record.decisions is not None:
        now = plane.moment(record.decisions.now())
        beside, tall = record.decisions.chart([now])
        parts += [f'<g transform="translate({width:g} 0)">', *beside, "</g>"]
        width, height = width + plane.WIDTH, max(height, tall)
    return charts.document(width, height, record.told(), parts)


def _screen() -> Any:
    """A place for pictures in the notebook that runs this; none elsewhere."""
    ipython = sys.modules.get("IPython")
    if ipython is None or not hasattr(ipython.get_ipython(), "kernel"):
        return None
    nothing = {"text/plain": ""}
    return ipython.display.display(nothing, raw=True, display_id=True)


def _page_at(path: str | os.PathLike[str]) -> Path:
    """The path of a page that can be written there."""
    page = Path(path)
    if page.suffix.lower() != ".html":
        shown = page.suffix or "a file without suffix"
        raise ArgumentError(f"a report is saved as .html, not as {shown!r}")
    if not page.parent.is_dir():
        raise ArgumentError(f"a report is saved in a folder that is there, not in {page.parent}")
    return page
