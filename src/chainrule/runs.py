"""Runs: a folder each, with all that is needed to go on with a training or to use what it gave."""

from __future__ import annotations

import hashlib
import os
import random
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from chainrule import optim
from chainrule.checkpoints import Checkpoints, read
from chainrule.datasets import Dataset
from chainrule.datasets import load as load_dataset
from chainrule.errors import ArgumentError, ChainruleError, CheckpointError
from chainrule.history import History, Progress
from chainrule.nn import MLP
from chainrule.objectives import decision
from chainrule.training import fit, outputs

if TYPE_CHECKING:
    from chainrule.tables import Treatment

SCHEDULES = ("constant", "linear", "cosine")
OPTIMIZERS = ("SGD", "Adam", "AdamW")


@dataclass(frozen=True, slots=True)
class Settings:
    """All that decides a training.

    Attributes:
        data: the name of a data set, or the path of a CSV file.
        target, task, drop_missing: how the CSV file is taken, as `tables.load` has it.
        digest: the SHA-256 of the CSV file.
        seed: decides what is held out, the first parameters, and the batches.
        hidden: how many neurons each hidden layer has.
        activation: the op of the hidden layers.
        loss, steps, batch, l2, patience, class_weights, eager: as `fit` has them.
        optimizer: the name of its class.
        lr: its learning rate.
        schedule: "constant", "linear" down to a tenth of the rate, or "cosine" down to 0.
        every: how many steps are made between two checkpoints.
    """

    data: str
    seed: int
    hidden: Sequence[int]
    loss: str
    steps: int
    lr: float
    batch: int | None = None
    optimizer: str = "Adam"
    l2: float = 0.0
    activation: str = "relu"
    schedule: str = "linear"
    patience: int | None = None
    class_weights: Any = None
    eager: bool = False
    every: int = 100
    target: str | None = None
    task: str | None = None
    drop_missing: bool = False
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Run:
    """A training that can be used: what `load` gives.

    Attributes:
        settings: what decided it.
        model: the network.
        task: "regression", "binary" or "multiclass".
        feature_names: one for each number that the network is given.
        class_names: one for each class; none in a regression.
        target_mean: what was taken from the targets of a regression, in their own unit,
        target_std: and what they were then divided by.
        treatment: how the columns of a CSV file become features, if it was one.
        history: how the training went.
    """

    settings: Settings
    model: MLP
    task: str
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    target_mean: float
    target_std: float
    treatment: Treatment | None
    history: History

    def predict(self, X: Any) -> list[Any]:  # noqa: N803 - scikit-learn's name
        """What the network says of some rows: the name of a class, or a number in its own unit.

        Args:
            X: n rows. For a network trained on a CSV file: a pandas table with its columns, or
                rows of cells in their order without the target. Else features as
                `datasets.load` gives them.

        Raises:
            TableError: a column is missing or a cell cannot be read.
        """
        return self.decided(self.outputs(X))

    def outputs(self, X: Any) -> list[Any]:  # noqa: N803
        """What the network gives for some rows: a score each, or one for each of many classes."""
        return outputs(self.model, X if self.treatment is None else self.treatment.encode(X))

    def decided(self, given: list[Any]) -> list[Any]:
        """What such scores say: the name of a class, or a number in its own unit."""
        said = [decision(scores, self.task) for scores in given]
        if self.task == "regression":
            return [number * self.target_std + self.target_mean for number in said]
        return [self.class_names[place] for place in said]


def load(run: str | os.PathLike[str]) -> Run:
    """A run as its last checkpoint has it.

    Raises:
        CheckpointError: there is none in the folder, or it cannot be read.
    """
    progress, about = read(run)
    try:
        settings = Settings(**about["settings"])
        model = _network(settings, len(about["feature_names"]), about["outputs"])
        _set_parameters(model, progress.parameters)
        history = History(about["task"], settings.steps, progress.rows)
        history.finished = progress.finished
        history.best_step = None if progress.best is None else progress.best.step
        return Run(
            settings,
            model,
            about["task"],
            tuple(about["feature_names"]),
            tuple(about["class_names"]),
            about["target_mean"],
            about["target_std"],
            _treatment(about["treatment"]),
            history,
        )
    except (ChainruleError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"the checkpoint in {run} is of no run: {error!r}") from None


def data_of(settings: Settings) -> tuple[Dataset, Treatment | None, list[str]]:
    """The examples of a training, how a CSV file was treated, and what was inferred, in lines.

    Raises:
        ArgumentError: the CSV file is not the one that was trained on.
    """
    if not is_csv(settings.data):
        return load_dataset(settings.data, settings.seed), None, []
    from chainrule import tables

    if settings.digest and settings.digest != digest(settings.data):
        raise ArgumentError(f"{settings.data} has changed since the training on it began")
    return tables.load(
        settings.data,
        settings.target,
        task=settings.task,
        drop_missing=settings.drop_missing,
        seed=settings.seed,
    )


def is_csv(data: str) -> bool:
    """Whether a file is meant, not the name of a data set."""
    return data.lower().endswith(".csv") or os.sep in data


def digest(path: str) -> str:
    """The SHA-256 of a file."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ArgumentError(f"{path} cannot be read: {error.strerror}") from None


def begin(settings: Settings, dataset: Dataset) -> MLP:
    """The network with its first parameters, which the seed decides."""
    random.seed(settings.seed)
    return _network(settings, len(dataset.feature_names), dataset.outputs)


def train(
    model: MLP,
    settings: Settings,
    dataset: Dataset,
    treatment: Treatment | None,
    run: str | os.PathLike[str],
    callbacks: Sequence[Any] = (),
    resume: Progress | None = None,
) -> History:
    """Train a network, with checkpoints in the folder of a run.

    Raises:
        TrainingError, CheckpointError: as `fit` and `checkpoints.write` have it.
    """
    optimizer = getattr(optim, settings.optimizer)(model.parameters(), lr=settings.lr)
    checkpoints = Checkpoints(run, settings.every, _description(settings, dataset, treatment))
    return fit(
        model,
        *dataset.train,
        task=dataset.task,
        loss=settings.loss,
        optimizer=optimizer,
        schedule=_schedule(settings, optimizer),
        steps=settings.steps,
        batch=settings.batch,
        seed=settings.seed,
        l2=settings.l2,
        validation=dataset.test,
        patience=settings.patience,
        class_weights=settings.class_weights,
        callbacks=[checkpoints, *callbacks],
        resume=resume,
        eager=settings.eager,
    )


def _network(settings: Settings, features: int, outputs: int) -> MLP:
    return MLP(features, [*settings.hidden, outputs], activation=settings.activation)


def _schedule(settings: Settings, optimizer: optim.Optimizer) -> optim.Schedule | None:
    if settings.schedule == "linear":
        return optim.LinearLR(optimizer, 1.0, 0.1, settings.steps)
    if settings.schedule == "cosine":
        return optim.CosineAnnealingLR(optimizer, settings.steps)
    return None


def _description(
    settings: Settings, dataset: Dataset, treatment: Treatment | None
) -> dict[str, Any]:
    """What `load` needs beside the parameters."""
    return {
        "settings": asdict(settings),
        "task": dataset.task,
        "outputs": dataset.outputs,
        "feature_names": dataset.feature_names,
        "class_names": dataset.class_names,
        "target_mean": dataset.target_mean,
        "target_std": dataset.target_std,
        "treatment": None if treatment is None else treatment.as_json(),
    }


def _treatment(description: Any) -> Treatment | None:
    if description is None:
        return None
    from chainrule.tables import treatment

    return treatment(description)


def _set_parameters(model: MLP, numbers: list[float]) -> None:
    model.load_state_dict(dict(zip(model.state_dict(), numbers, strict=True)))
