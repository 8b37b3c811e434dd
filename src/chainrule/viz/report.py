"""A training as one page of HTML that needs nothing else."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from chainrule.engine import Value
from chainrule.nn import MLP
from chainrule.viz import Drawing, charts, curves, draw, plane
from chainrule.viz.decisions import Decisions, class_names, feature_names
from chainrule.viz.svg import shorten

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.errors import TrainingError
    from chainrule.history import Row
    from chainrule.training import Model, Setup

_MOST_ROWS = 200  # of the table, besides those with held-out examples
_MOST_NAMES = 12  # of features or classes that are listed


@dataclass(slots=True)
class Record:
    """A training, as far as it was watched.

    Attributes:
        setup: what is trained, with its history.
        dataset: what it is trained on, for its names.
        about: a sentence of the user's.
        decisions: what the model says where in the plane, if there is one.
        updates: how many there were.
        problem: the error that ended the training.
    """

    setup: Setup
    dataset: Dataset | None
    about: str
    decisions: Decisions | None
    updates: int = 0
    problem: TrainingError | None = None

    def reach(self, updates: int, keep: bool = False) -> None:
        """Note how many updates there were; the moment is kept if asked for or if it is time."""
        self.updates = updates
        if self.decisions is not None:
            self.decisions.reach(updates, keep)

    def told(self, updates: int | None = None) -> str:
        """How the model did after so many updates, or after the last ones, if that is known."""
        from chainrule.reporting import report_line

        history = self.setup.history
        step = min(self.updates, len(history.rows) - 1) if updates is None else updates
        if 0 <= step < len(history.rows):
            return report_line(history.rows[step], history.steps)
        return f"step {max(step, 0)}/{history.steps}"


def page(record: Record) -> str:
    """The report of a training."""
    sections = [
        _status(record),
        _list("numbers", _numbers(record)),
        _charts(record),
        f"<h2>What was trained</h2>\n{_list('facts', _facts(record))}",
        _neuron(record),
        _table(record.setup.history.rows),
    ]
    return _PAGE.format(
        title=escape(record.dataset.name if record.dataset else "A training"),
        about=f"<p>{escape(record.about)}</p>" if record.about else "",
        sections="\n".join(sections),
        style=charts.STYLE + _static("report.css"),
        module=_static("report.js"),
    )


def first_neuron(model: MLP, features: Sequence[Sequence[float]], names: Sequence[str]) -> Drawing:
    """The first neuron, at the first example that makes its output other than 0, if any does.

    A copy is drawn, so that the model keeps its gradients.
    """
    model = copy.deepcopy(model)
    neuron = model.layers[0].neurons[0]
    example = next((row for row in features if neuron(row).data != 0.0), features[0])
    model.zero_grad()
    output = neuron([Value(x, label=name) for x, name in zip(example, names)])
    output.label = "output"
    output.backward()
    return draw(output, model=model)


# ---- how it ended ----


def _status(record: Record) -> str:
    history = record.setup.history
    if record.problem is not None:
        return f'<p class="problem">Ended by an error. {escape(str(record.problem))}</p>'
    how = "Done:" if history.finished else "Stopped after"
    early = f" of {history.steps:,}" if record.updates < history.steps else ""
    seconds = f"{history.rows[-1].seconds:.1f} s" if history.rows else "0 s"
    best = ""
    if history.finished and history.best_step is not None:
        best = f" The model is that of step {history.best_step:,}, best on the held-out examples."
    return f"<p>{how} {record.updates:,}{early} steps in {seconds}.{best}</p>"


def _numbers(record: Record) -> Iterator[tuple[str, str]]:
    """How good the model is, where it was measured."""
    history = record.setup.history
    if not history.rows:
        return
    last = history.rows[-1]
    whose = "training" if history.finished else "last step's"  # all examples, or a batch
    yield from _measures(whose, last.accuracy, last.loss, record, record.setup.l2 == 0.0)
    measured = [row for row in history.rows if row.held_out_loss is not None]
    if measured:
        row = measured[-1]
        whose = "held-out" if row is last else f"step {row.step:,}, held-out"
        yield from _measures(whose, row.held_out_accuracy, row.held_out_loss, record, True)


def _measures(
    whose: str, accuracy: float | None, loss: float | None, record: Record, pure: bool
) -> Iterator[tuple[str, str]]:
    """Accuracy and loss; of a loss that is the mean square alone, also its root."""
    if accuracy is not None:
        yield f"{whose} accuracy", f"{accuracy:.1%}"
    if loss is not None:
        yield f"{whose} loss", f"{loss:.4g}"
        if record.setup.history.task == "regression" and record.setup.loss == "mse" and pure:
            unit = record.dataset.target_std if record.dataset else 1.0
            yield f"{whose} root mean squared error", f"{math.sqrt(loss) * unit:.4g}"


# ---- its course ----


def _charts(record: Record) -> str:
    """The curves, and beside them the plane with all moments, of which one is seen."""
    parts, height = curves.curves(record.setup.history.rows)
    title = f"Curves over the steps, as in the table below. Last: {record.told()}"
    figure = charts.figure(curves.WIDTH, height, title, parts)
    beside = "" if record.decisions is None else _plane(record, record.decisions)
    return f'<div class="charts">\n<figure class="curves">{figure}</figure>\n{beside}</div>'


def _plane(record: Record, decisions: Decisions) -> str:
    moments = decisions.moments()
    told = [record.told(updates) for updates, _ in moments]
    drawn = [
        plane.moment(
            regions,
            f' data-updates="{updates}" data-told="{line}"{" hidden" * (updates < moments[-1][0])}',
        )
        for line, (updates, regions) in zip(told, moments)
    ]
    parts, height = decisions.chart(drawn)
    title = "The plane of both features: what the model says where, and the examples"
    figure = charts.figure(plane.WIDTH, height, title, parts)
    return _PLANE.format(figure=figure, last=len(told) - 1, told=told[-1])


# ---- what was trained ----


def _facts(record: Record) -> Iterator[tuple[str, str]]:
    setup, dataset = record.setup, record.dataset
    count, rows = len(setup.train.features), setup.history.rows
    held_out = "none" if setup.held_out is None else f"{len(setup.held_out.features):,}"
    examples = f"{count:,} examples to train on, {held_out} held out"
    yield "data", f"{dataset.name}: {examples}" if dataset else examples
    yield "features", _names(feature_names(setup, dataset))
    yield "task", setup.history.task
    if classes := class_names(setup, dataset):
        yield "classes", _names(classes)
    yield "network", _network(setup.model)
    penalty = f", plus {setup.l2:g} times the sum of all squared parameters" if setup.l2 else ""
    yield "loss", f"{setup.loss}{penalty}"
    rates = dict.fromkeys(f"{row.lr:.4g}" for row in (rows[:1] + rows[-1:]))
    rate = " to ".join(rates) or f"{setup.optimizer.lr:g}"
    yield "optimiser", f"{type(setup.optimizer).__name__}, learning rate {rate}"
    seen = f"all {count:,}" if setup.batch == count else f"{setup.batch:,} of {count:,}"
    yield "steps", f"{setup.history.steps:,}, each on {seen} examples"
    yield "seed", str(setup.seed)


def _names(names: Sequence[str]) -> str:
    listed = ", ".join([shorten(name) for name in names[:_MOST_NAMES]])
    return (
        listed if len(names) <= _MOST_NAMES else f"{listed} and {len(names) - _MOST_NAMES:,} more"
    )


def _network(model: Model) -> str:
    count = f"{len(model.parameters()):,} parameters"
    if not isinstance(model, MLP):
        return f"{type(model).__name__}, {count}"
    sizes = [len(model.layers[0].neurons[0].w), *[len(layer.neurons) for layer in model.layers]]
    hidden = dict.fromkeys(layer.neurons[0].activation for layer in model.layers[:-1])
    return f"{'-'.join(map(str, sizes))} ({', '.join([*hidden, count])})"


def _neuron(record: Record) -> str:
    setup = record.setup
    if not isinstance(setup.model, MLP):
        return ""
    names = feature_names(setup, record.dataset)
    drawing = first_neuron(setup.model, setup.train.features, names)
    return _NEURON.format(picture=drawing.to_svg())


# ---- the table ----

_COLUMNS = {
    "step": ("step", ",d"),
    "loss": ("loss", ".6g"),
    "accuracy": ("accuracy", ".1%"),
    "lr": ("learning rate", ".4g"),
    "held_out_loss": ("held-out loss", ".6g"),
    "held_out_accuracy": ("held-out accuracy", ".1%"),
    "seconds": ("seconds", ".2f"),
}


def _table(rows: Sequence[Row]) -> str:
    """The history, of a long one every so many rows and those with held-out examples."""
    every = max(1, -(-len(rows) // _MOST_ROWS))
    shown = [r for r in rows if r.step % every == 0 or r.held_out_loss is not None or r is rows[-1]]
    columns = [key for key in _COLUMNS if any(getattr(row, key) is not None for row in shown)]
    head = "".join([f'<th scope="col">{_COLUMNS[key][0]}</th>' for key in columns])
    body = "\n".join([f"<tr>{''.join(_cells(row, columns))}</tr>" for row in shown])
    which = "every step" if every == 1 else f"one step in {every:,}"
    return _TABLE.format(caption=f"The history, {which}", head=head, body=body)


def _cells(row: Row, columns: Iterable[str]) -> Iterator[str]:
    for key in columns:
        number = getattr(row, key)
        text = "" if number is None else format(number, _COLUMNS[key][1])
        yield f'<th scope="row">{text}</th>' if key == "step" else f"<td>{text}</td>"


# ---- the page ----


def _list(kind: str, pairs: Iterable[tuple[str, str]]) -> str:
    items = [f"<div><dt>{escape(k)}</dt><dd>{escape(v)}</dd></div>" for k, v in pairs]
    return f'<dl class="{kind}">{"".join(items)}</dl>'


def _static(name: str) -> str:
    return (resources.files("chainrule.viz") / "static" / name).read_text(encoding="utf-8")


_PLANE = """<figure class="plane">{figure}
<p class="note">Faint where no class leads by 1 or more.</p>
<div class="moments" hidden>
<button type="button" aria-label="Play">&#9654;</button>
<input type="range" min="0" max="{last}" value="{last}" aria-label="Moment of the training">
</div>
<p class="told">{told}</p>
</figure>
"""

_NEURON = """<h2>The first neuron</h2>
<p>At an example, after the training: its weights, and what its output gives back to each.</p>
<div class="scroll" tabindex="0" role="region" aria-label="The first neuron">{picture}</div>"""

_TABLE = """<h2>History</h2>
<div class="scroll" tabindex="0" role="region" aria-label="History">
<table>
<caption>{caption}</caption>
<thead><tr>{head}</tr></thead>
<tbody>
{body}
</tbody>
</table>
</div>"""

# The policy lets nothing be loaded, and runs what stands in the page alone.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{about}
{sections}
</main>
<script type="module">
{module}
render(document.body);
</script>
</body>
</html>
"""
