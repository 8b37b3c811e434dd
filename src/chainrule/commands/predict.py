"""`chainrule predict`: what a trained network says of the rows of a CSV file."""

from __future__ import annotations

import csv
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from chainrule.commands.draw import check_new_file
from chainrule.errors import ArgumentError

if TYPE_CHECKING:
    from chainrule.runs import Run


def predict(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run on a CSV file.")],
    data: Annotated[Path, typer.Argument(metavar="FILE", help="CSV file with the same columns.")],
    out: Annotated[
        Path | None, typer.Option(help="CSV file for the predictions; the terminal.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Predict the target of each row of a CSV file, which need not have that column.

    A line for each row: the prediction and, for classes, how likely it is. Where the loss was one
    that knows no probabilities, the score is given instead, positive for the second class.
    """
    from chainrule.runs import load

    trained = load(run)
    if trained.treatment is None:
        raise ArgumentError(
            f"{run} was trained on {trained.settings.data}, not on a CSV file; in Python, "
            f"load(run).predict(X) takes rows of features as datasets.load gives them"
        )
    if out is not None:
        check_new_file(out, force)
    table = list(_table(trained, data))
    if out is None:
        _write(table, sys.stdout)
        sys.stdout.flush()  # whoever reads it may be gone: that is known now, or at the exit
    else:
        with open(out, "w", newline="", encoding="utf-8") as file:
            _write(table, file)


def _table(run: Run, data: Path) -> Iterator[list[Any]]:
    """The header, and a row for each row of the file."""
    from chainrule.tables import Categories, read_csv

    assert run.treatment is not None
    texts = [column.name for column in run.treatment.features if isinstance(column, Categories)]
    given = run.outputs(read_csv(data, texts))
    said = run.decided(given)
    if run.task == "regression":
        yield ["prediction"]
        yield from [[number] for number in said]
    elif "cross_entropy" in run.settings.loss:
        yield ["prediction", "probability"]
        yield from zip(said, map(_probability, given))
    else:
        yield ["prediction", "score"]
        yield from zip(said, given)


def _probability(given: float | list[float]) -> float:
    """Of the likeliest class, by the scores of all, or by the one for two classes."""
    if isinstance(given, list):
        return 1.0 / math.fsum(math.exp(score - max(given)) for score in given)
    return 1.0 / (1.0 + math.exp(-abs(given)))


def _write(table: Iterable[Iterable[Any]], file: Any) -> None:
    csv.writer(file, lineterminator="\n").writerows(table)
