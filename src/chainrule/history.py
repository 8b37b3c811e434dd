"""How a training went: a row for each step."""

from __future__ import annotations

import csv
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True, slots=True)
class Row:
    """How a model did after `step` updates of its parameters.

    Attributes:
        step: how many updates came before.
        loss: what was made smaller, with the penalty, over the examples of the step's batch.
        accuracy: the share of these examples whose class was right; None in a regression.
        lr: the learning rate of the update that follows.
        held_out_loss: the loss without penalty over the held-out examples, where measured.
        held_out_accuracy: the share of them whose class was right, where measured.
        seconds: since training began.
    """

    step: int
    loss: float
    accuracy: float | None
    lr: float
    held_out_loss: float | None
    held_out_accuracy: float | None
    seconds: float


@dataclass
class History:
    """The rows of a training, one for each step and a last one, over all examples, for its end.

    Attributes:
        task: "regression", "binary" or "multiclass".
        steps: how many updates were asked for.
        rows: what there is so far.
        interrupted: whether Ctrl-C ended it; there is no last row then.
        finished: whether it came to its end, and has its last row.
        best_step: after how many steps the held-out loss was smallest, where training was to end
            early; the parameters are those of then, once it is finished.
    """

    task: str
    steps: int
    rows: list[Row] = field(default_factory=list)
    interrupted: bool = False
    finished: bool = False
    best_step: int | None = None

    @property
    def losses(self) -> list[float]:
        """The loss of each row."""
        return [row.loss for row in self.rows]

    def save_csv(self, path: str | Path) -> None:
        """Write the rows to a file of comma-separated values, empty where not measured."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [column.name for column in fields(Row)])
            writer.writeheader()
            writer.writerows(asdict(row) for row in self.rows)


class Best(NamedTuple):
    """The parameters that had the smallest held-out loss, and after how many steps."""

    step: int
    loss: float
    parameters: list[float]


class Progress(NamedTuple):
    """How far a training came: all that the numbers to come depend on.

    Attributes:
        parameters: the number of each.
        optimizer: its `state_dict`.
        schedule: its `state_dict`, if there is one.
        rows: of the history.
        finished: whether the training came to its end.
        best: the best parameters so far, where training is to end early.
        eager: whether the engine makes the steps, not a program.
    """

    parameters: list[float]
    optimizer: dict[str, Any]
    schedule: dict[str, Any] | None
    rows: list[Row]
    finished: bool
    best: Best | None
    eager: bool
