"""`chainrule show`: what was trained, how that went, and how good it is, class by class."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chainrule.commands.train import CONFUSION, NEURON, PREDICTIONS
from chainrule.errors import ArgumentError, TableError
from chainrule.reporting import is_reported, printable

if TYPE_CHECKING:
    from chainrule.datasets import Dataset, Examples
    from chainrule.history import History, Row
    from chainrule.runs import Run

_MOST_NAMES = 12  # of features or classes that are listed


def show(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the pictures; that of the run.")
    ] = None,
) -> None:
    """Show a run: its network, its history, and how it does on the held-out examples.

    Leaves pictures of the confusion matrix, or of the predictions of a regression, and of the
    first neuron.
    """
    from chainrule.runs import load

    trained = load(run)
    folder = out or run
    if not folder.is_dir():
        raise ArgumentError(f"--out must be a folder that is there, not {folder}")
    _print_pairs(list(_facts(trained)))
    _print_table(*_history(trained.history))
    dataset = _dataset(trained)
    pictures = [] if dataset is None else [_show_held_out(trained, dataset.test, folder)]
    pictures.append(_save_neuron(trained, dataset, folder))
    print(f"pictures: {', '.join(map(str, pictures))}")


def _dataset(run: Run) -> Dataset | None:
    """The examples, if they are still to be had."""
    from chainrule.runs import data_of

    try:
        return data_of(run.settings)[0]
    except (ArgumentError, TableError) as error:
        print(f"held-out examples: {printable(str(error))}")
        return None


# ---- what was trained, and how that went ----


def _facts(run: Run) -> Iterator[tuple[str, str]]:
    settings, history = run.settings, run.history
    sizes = [len(run.feature_names), *settings.hidden, len(run.model.layers[-1].neurons)]
    count = len(run.model.parameters())
    yield "data", settings.data
    yield "features", _listed(run.feature_names)
    if run.treatment is not None:
        yield "target", run.treatment.target.name
    yield "task", f"{run.task}: {_listed(run.class_names)}" if run.class_names else run.task
    yield "network", f"{'-'.join(map(str, sizes))} ({settings.activation}, {count:,} parameters)"
    yield "loss", settings.loss + (f", with L2 of {settings.l2:g}" if settings.l2 else "")
    yield "optimiser", f"{settings.optimizer}, {settings.schedule} rate from {settings.lr:g}"
    yield "batch", "all examples" if settings.batch is None else f"{settings.batch:,} examples"
    yield "seed", str(settings.seed)
    yield "steps", _steps(history)


def _steps(history: History) -> str:
    """How many there were, and how they ended."""
    made = len(history.rows) - history.finished
    if not history.finished:
        return f"{made:,} of {history.steps:,}, to be gone on from with --resume"
    early = f", ended early of {history.steps:,}" if made < history.steps else ""
    best = "" if history.best_step is None else f"; the parameters are those of {history.best_step}"
    return f"{made:,}{early}{best}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES:,} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _history(history: History) -> tuple[list[str], list[list[str]]]:
    """Some ten rows of it, and the last."""
    heads = ["step", "loss", "accuracy", "held-out loss", "held-out accuracy"]
    if history.task == "regression":
        heads = [head for head in heads if "accuracy" not in head]
    last = history.rows[-1:]
    shown = [row for row in history.rows[:-1] if is_reported(row.step, history.steps)] + last
    return heads, [list(_measures(row, history.task != "regression")) for row in shown]


def _measures(row: Row, with_accuracy: bool) -> Iterator[str]:
    yield f"{row.step:,}"
    held_out = (row.held_out_loss, row.held_out_accuracy)
    for loss, accuracy in [(row.loss, row.accuracy), held_out]:
        yield "" if loss is None else f"{loss:.4g}"
        if with_accuracy:
            yield "" if accuracy is None else f"{accuracy:.1%}"


# ---- how good it is ----


def _show_held_out(run: Run, examples: Examples, folder: Path) -> Path:
    """Tables and a picture of what the network says of examples that it did not learn from."""
    from chainrule.training import predictions

    told = "" if run.task == "regression" else ", and what the network takes them for"
    print(f"{len(examples.features):,} held-out examples{told}:\n")
    said = predictions(run.model, examples.features, run.task)
    if run.task == "regression":
        return _show_errors(run, examples.targets, said, folder)
    return _show_classes(run, examples.targets, said, folder)


def _show_classes(run: Run, targets: Any, said: list[int], folder: Path) -> Path:
    from sklearn.metrics import confusion_matrix  # type: ignore[import-untyped]

    from chainrule.viz import plots

    names = [printable(name) for name in run.class_names]
    counts = confusion_matrix(targets, said, labels=range(len(names))).tolist()
    heads = _heads(names)
    rows = [
        [name, f"{sum(row):,}", _share_right(row, i), *[f"{n:,}" for n in row[: len(heads)]]]
        for i, (name, row) in enumerate(zip(names, counts))
    ]
    _print_table(["class", "examples", "right", *heads], rows)
    plots.confusion_matrix(counts, names, folder / CONFUSION)
    return folder / CONFUSION


def _heads(names: Sequence[str]) -> list[str]:
    """The classes, where a column for each fits beside the others."""
    room = Console().width - max(map(len, names)) - len("  examples   right")
    return list(names) if sum(len(name) + 2 for name in names) <= room else []


def _share_right(row: list[int], i: int) -> str:
    return f"{row[i] / sum(row):.1%}" if sum(row) else "none"


def _show_errors(run: Run, targets: Any, said: list[float], folder: Path) -> Path:
    """Errors in the unit of the target."""
    from sklearn import metrics  # type: ignore[import-untyped]

    from chainrule.viz import plots

    right, given = [
        [number * run.target_std + run.target_mean for number in numbers]
        for numbers in (targets, said)
    ]
    measures = {
        "root mean squared error": metrics.root_mean_squared_error,
        "mean absolute error": metrics.mean_absolute_error,
        "largest error": metrics.max_error,
        "R squared": metrics.r2_score,
    }
    _print_pairs([(name, f"{of(right, given):.4g}") for name, of in measures.items()])
    plots.predictions_plot(right, given, folder / PREDICTIONS)
    return folder / PREDICTIONS


def _save_neuron(run: Run, dataset: Dataset | None, folder: Path) -> Path:
    """The first neuron at an example, or, where there are none, at features of 0."""
    from chainrule.viz.report import first_neuron

    nothing = [[0.0] * len(run.feature_names)]
    features = nothing if dataset is None else dataset.train.features
    first_neuron(run.model, features, run.feature_names).save(folder / NEURON)
    return folder / NEURON


# ---- tables ----


def _print_pairs(pairs: Sequence[tuple[str, str]]) -> None:
    """A line for each name with what it is, which is not cut, and a blank line after them."""
    width = max(len(name) for name, _ in pairs)
    for name, text in pairs:
        print(f"{name:{width}}  {printable(text)}")
    print()


def _print_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table with its numbers to the right, and a blank line after it."""
    table = Table(box=None, pad_edge=False)
    for i, head in enumerate(heads):
        table.add_column(Text(head), justify="right" if i else "left")
    for row in rows:
        table.add_row(*[Text(printable(cell)) for cell in row])
    console = Console()
    with console.capture() as captured:
        console.print(table)
    print("\n".join([line.rstrip() for line in captured.get().splitlines()]), end="\n\n")
