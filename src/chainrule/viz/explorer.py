"""Backpropagation to step through, op by op: in a page of its own, or in a notebook."""

from __future__ import annotations

import gzip
import json
import os
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chainrule.arguments import check_choice, check_range
from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError
from chainrule.viz import alone, paths_of, replay, states

if TYPE_CHECKING:
    from chainrule.nn import Module
    from chainrule.viz.widget import ExplorerWidget

MOST = 200  # values; nobody follows the steps of more


@dataclass(slots=True)
class _State:
    """How an explorer is seen, as long as no notebook shows it."""

    step: int = 1
    way: str = states.WAYS[0]
    playing: bool = False


class Explorer:
    """Forward and backward through a graph, op by op; `chainrule.explore()` makes it.

    It keeps what it shows: values that change or are freed later leave it as it is. Gradients
    start at 0, whatever the values' own are, and these stay what they are.

    In a notebook `step`, `way` and `playing` are those that the browser shows, and setting them
    changes what it shows; a saved page opens with them. `len()` is the number of steps.

    >>> explorer = Explorer(Value(3.0, label="a").tanh())
    >>> explorer.step = len(explorer)
    >>> explorer
    <Explorer of v1: step 5 of 5, in order>
    """

    def __init__(self, value: Value, model: Module | None = None) -> None:
        if not isinstance(value, Value):
            raise ArgumentError(f"explore() takes a Value, not {type(value).__name__}")
        count = len(operands_first(value))
        if count > MOST:
            raise ArgumentError(
                f"explore() shows up to {MOST} values one by one, not {count:,}: explore a part, "
                "such as one neuron or the loss of one sample, and see the whole folded by draw()"
            )
        self._cells = replay.read(value, paths_of(model))
        self._state: _State | ExplorerWidget = _State()

    def __len__(self) -> int:
        return states.length(self._cells)

    def __repr__(self) -> str:
        name = self._cells[-1].name
        return f"<Explorer of {name}: step {self.step} of {len(self)}, {self.way}>"

    @property
    def step(self) -> int:
        """Which step is shown, counted from 1.

        Raises:
            ArgumentError: it is set to what is no step.
        """
        return self._state.step

    @step.setter
    def step(self, step: int) -> None:
        last = len(self)
        right = f"a whole number from 1 to {last}"
        check_range("step", step, lambda x: hasattr(x, "__index__") and 1 <= x <= last, right)
        self._state.step = int(step)

    @property
    def way(self) -> str:
        """How it goes backward: "in order", "too early" or "= for +=".

        Raises:
            ArgumentError: it is set to something else.
        """
        return self._state.way

    @way.setter
    def way(self, way: str) -> None:
        check_choice("way", way, states.WAYS)
        self._state.way = way

    @property
    def playing(self) -> bool:
        """Whether it goes on by itself, wherever a browser shows it."""
        return self._state.playing

    @playing.setter
    def playing(self, playing: bool) -> None:
        self._state.playing = bool(playing)

    def to_html(self) -> str:
        """The page: one file, which loads nothing from anywhere."""
        state = json.dumps(asdict(_State(self.step, self.way, self.playing)))
        return alone.page(
            states.title(self._cells),
            alone.style("explorer.css"),
            alone.static("explorer.js"),
            self._json(),
            f"render(document.body, show, ownModel({state}));",
        )

    def _json(self) -> str:
        return alone.as_json(states.show(self._cells))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file.

        Raises:
            ArgumentError: the suffix is not .html.
        """
        alone.save(self.to_html(), path)

    def _repr_mimebundle_(self, **_: object) -> tuple[dict[str, Any], dict[str, Any]]:
        """The widget, and a picture for where none runs; without anywidget, the page in a frame."""
        try:
            from chainrule.viz.widget import ExplorerWidget
        except ImportError:
            return {"text/plain": repr(self), "text/html": self._frame()}, {}
        if not isinstance(self._state, ExplorerWidget):
            self._state = ExplorerWidget(
                **asdict(self._state),
                show=gzip.compress(self._json().encode(), mtime=0),
                _esm=alone.static("explorer.js"),
                _css=alone.style("explorer.css"),
            )
        bundle, metadata = self._state._repr_mimebundle_() or ({}, {})
        still = states.still(self._cells)
        return {**bundle, "text/plain": repr(self), "image/svg+xml": still}, metadata

    def _frame(self) -> str:
        return alone.frame("Backpropagation, op by op", self.to_html())
