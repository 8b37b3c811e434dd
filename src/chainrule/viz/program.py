"""A compiled function to look into: its array program beside the scalars that it came from."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

from chainrule.compiler.compiled import Compiled
from chainrule.compiler.lifted import Lifted
from chainrule.compiler.step import TrainStep
from chainrule.engine import Value, _lock
from chainrule.viz import alone, paths_of, shown
from chainrule.viz.beside import Beside, Call
from chainrule.viz.names import DataNames

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from chainrule.nn import Module

Explored = Compiled | Lifted | TrainStep


class ProgramExplorer:
    """An array program beside its scalars; `chainrule.explore()` makes it of a compiled function.

    It keeps what it shows, the numbers of the latest call; the scalars of that call were computed
    once more by the engine, to be compared.

    >>> from chainrule import compile
    >>> weight = Value(2.0, label="weight")
    >>> loss = compile(lambda xs: sum((weight * x).tanh() for x in xs))
    >>> total = loss([0.1, 0.2, 0.3])
    >>> ProgramExplorer(loss)
    <ProgramExplorer of <lambda>: 14 values as 3 instructions>
    """

    def __init__(self, explored: Explored, model: Module | None = None) -> None:
        paths = paths_of(model)
        call = (
            _call_of_lifted(explored, paths)
            if isinstance(explored, Lifted)
            else _call_of_compiled(explored, paths)
        )
        beside = Beside(call)
        self._title = shown.title(beside)
        self._show = alone.as_json(shown.show(beside))

    def __repr__(self) -> str:
        return f"<ProgramExplorer of {self._title}>"

    def to_html(self) -> str:
        """The page: one file, which loads nothing from anywhere."""
        return alone.page(
            self._title,
            alone.style("explorer.css", "program.css"),
            alone.static("program.js"),
            self._show,
            "render(document.body, show);",
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file.

        Raises:
            ArgumentError: the suffix is not .html.
        """
        alone.save(self.to_html(), path)

    def _repr_html_(self) -> str:
        return alone.frame("A program beside its scalars", self.to_html())


def _call_of_compiled(explored: Compiled | TrainStep, paths: Mapping[int, str]) -> Call:
    """The latest call of a compiled function."""
    function = explored.loss if isinstance(explored, TrainStep) else explored
    traced = function.latest()
    with _lock:
        given = traced.runner.leaves.tolist(), traced.runner.data.tolist()
    data = DataNames(traced.key, function.function)
    found = {key: _dotted(path) for key, path in traced.heap.paths().items()}
    arguments = {i: data.values[place] for i, place in traced.from_call}
    return Call(
        name=getattr(function, "__name__", type(function.function).__name__),
        scalars=traced.scalars,
        leaves=_names(traced.operands, found | dict(paths)) | arguments,
        of_data=data.__getitem__,
        given=given,
        runner=traced.runner,
        moment="the latest call",
    )


def _call_of_lifted(lifted: Lifted, paths: Mapping[int, str]) -> Call:
    """What a lifted graph would compute now."""
    return Call(
        name="the lifted graph",
        scalars=lifted.scalars,
        leaves=_names(lifted.leaves, paths),
        of_data="b2[{}]".format,
        given=([leaf.data for leaf in lifted.leaves], []),
        runner=lifted.runner,
        moment="the leaves as they are",
    )


def _names(leaves: Sequence[Value], paths: Mapping[int, str]) -> dict[int, str]:
    """What leaves are called, by their places: by their labels, or by their paths."""
    named = {i: x.label or paths.get(id(x), "") for i, x in enumerate(leaves)}
    return {i: name for i, name in named.items() if name}


def _dotted(path: str) -> str:
    """A path as modules write it.

    >>> _dotted("model.layers[0].neurons[3].w[1]")
    'model.layers.0.neurons.3.w.1'
    """
    return re.sub(r"\[(\d+)\]", r".\1", path)
