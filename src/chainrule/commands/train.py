"""`chainrule train`: a network trained on a data set, with numbers, pictures and a report."""

from __future__ import annotations

import importlib.util
import math
import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from chainrule.arguments import check_activation, check_choice, check_range
from chainrule.errors import ArgumentError, TrainingError, missing_extra

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.history import History, Progress
    from chainrule.nn import MLP
    from chainrule.runs import Settings
    from chainrule.tables import Treatment

HISTORY, REPORT = "history.csv", "report.html"
LOSS, BOUNDARY, NEURON = "loss.png", "boundary.png", "neuron.svg"
CONFUSION, PREDICTIONS = "confusion.png", "predictions.png"  # which `chainrule show` leaves


class Recipe(NamedTuple):
    """How a data set is trained on if the command line does not say otherwise."""

    hidden: list[int]
    loss: str
    steps: int
    lr: float
    batch: int | None = None
    optimizer: str = "Adam"
    l2: float = 0.0


RECIPES = {
    "moons": Recipe([16, 16], "hinge", 100, 1.0, optimizer="SGD", l2=1e-4),  # the lecture's
    "circles": Recipe([16], "hinge", 100, 0.03),
    "spiral": Recipe([16, 16], "hinge", 200, 0.03),
    "xor": Recipe([16], "hinge", 200, 0.03),
    "iris": Recipe([8], "cross_entropy", 200, 0.03, batch=32),
    "wine": Recipe([8], "cross_entropy", 200, 0.03, batch=32),
    "breast_cancer": Recipe([8], "binary_cross_entropy", 200, 0.03, batch=32),
    "digits": Recipe([32], "cross_entropy", 400, 0.05, batch=10),
    "diabetes": Recipe([8], "mse", 200, 0.01, batch=32),
}
# Of a CSV file: twenty times each example, in bounds.
OF_A_FILE = Recipe([16], "", 0, 0.01, batch=32)
EPOCHS, FEWEST_STEPS, MOST_STEPS = 20, 200, 5000
USUAL_LOSS = {
    "binary": "binary_cross_entropy",
    "multiclass": "cross_entropy",
    "regression": "mse",
}


def train(
    context: typer.Context,
    data: Annotated[
        str | None,
        typer.Argument(
            metavar="DATA", help="A name that `chainrule datasets` lists, or a CSV file."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Column of the CSV file to predict; the last.")
    ] = None,
    task: Annotated[
        str | None, typer.Option(help="regression, binary or multiclass; inferred.")
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave rows with unreadable cells out.")
    ] = False,
    hidden: Annotated[
        str | None, typer.Option(help="Neurons of each hidden layer, as 16,16.")
    ] = None,
    activation: Annotated[str, typer.Option(help="The op of the hidden layers.")] = "relu",
    loss: Annotated[
        str | None, typer.Option(help="hinge, binary_cross_entropy, cross_entropy or mse.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Updates of the parameters.")] = None,
    lr: Annotated[float | None, typer.Option(help="Learning rate at the beginning.")] = None,
    schedule: Annotated[
        str, typer.Option(help="constant; linear, to a tenth of the rate; or cosine, to 0.")
    ] = "linear",
    optimizer: Annotated[str | None, typer.Option(help="SGD, Adam or AdamW.")] = None,
    batch: Annotated[int | None, typer.Option(help="Examples a step.")] = None,
    l2: Annotated[
        float | None, typer.Option(help="Weight of the sum of squares of the parameters.")
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(help="Epochs without a smaller held-out loss after which to stop."),
    ] = None,
    class_weights: Annotated[
        str | None, typer.Option(help="balanced, or a number for each class, as 1,3.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Decides all that is random.")] = 1337,  # datasets.SEED
    eager: Annotated[bool, typer.Option("--eager", help="Leave the steps to the engine.")] = False,
    checkpoint_every: Annotated[
        int, typer.Option(help="Steps from one checkpoint to the next.")
    ] = 100,
    out: Annotated[Path | None, typer.Option(help="Folder of the run; runs/DATA.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a run in it.")] = False,
    resume: Annotated[
        Path | None,
        typer.Option(metavar="RUN", help="Go on with a run where its last checkpoint is."),
    ] = None,
) -> None:
    """Train a network, and leave checkpoints, numbers, pictures and a report in a folder.

    What is not said is chosen for the data; moons are trained as in the lecture.
    """
    _require_packages()
    if resume is not None:
        _refuse_beside_resume(context)
        _go_on(resume)
        return
    if data is None:
        raise ArgumentError("say what to train on: a data set, a CSV file, or --resume RUN")
    from chainrule.runs import data_of

    said: dict[str, Any] = {
        "hidden": None if hidden is None else _sizes(hidden),
        "loss": loss,
        "steps": steps,
        "lr": lr,
        "batch": batch,
        "optimizer": optimizer,
        "l2": l2,
    }
    more: dict[str, Any] = {
        "activation": activation,
        "schedule": schedule,
        "patience": patience,
        "class_weights": _class_weights(class_weights),
        "eager": eager,
        "every": checkpoint_every,
        "target": target,
        "task": task,
        "drop_missing": drop_missing,
    }
    settings = _settings(data, seed, said, more)
    dataset, treatment, lines = data_of(settings)
    settings = _completed(settings, said, dataset)
    _check_fit(settings, dataset)
    run = out or Path("runs") / dataset.name
    _claim(run, force)
    print("\n".join([*lines, ""]), end="")
    _train(run, settings, dataset, treatment, None)


def _refuse_beside_resume(context: typer.Context) -> None:
    """Refuse what else the command line says: all of it was decided when the run began."""
    sources = {name: context.get_parameter_source(name) for name in context.params}
    said = [
        name for name, source in sources.items() if getattr(source, "name", "") == "COMMANDLINE"
    ]
    others = [f"--{name.replace('_', '-')}" for name in said if name not in ("resume", "data")]
    if "data" in said or others:
        what = others[0] if others else "DATA"
        raise ArgumentError(f"--resume goes on as the run began: leave {what} out")


def _go_on(run: Path) -> None:
    from chainrule.checkpoints import read
    from chainrule.runs import data_of, load

    settings = load(run).settings
    progress, _ = read(run)
    if progress.finished:
        raise ArgumentError(f"the run in {run} came to its end: there is nothing to resume")
    dataset, treatment, _ = data_of(settings)
    print(f"going on after {len(progress.rows)} of {settings.steps} steps")
    _train(run, settings, dataset, treatment, progress)


def _train(
    run: Path,
    settings: Settings,
    dataset: Dataset,
    treatment: Treatment | None,
    resume: Progress | None,
) -> None:
    """The training itself, and what it leaves."""
    from chainrule.runs import begin, train
    from chainrule.viz.watch import Watch

    model = begin(settings, dataset)
    plan = _plan(dataset, model, settings)
    print(plan)
    watch = Watch(dataset=dataset, about=f"{plan}, seed {settings.seed}")
    problem = None
    try:
        history = train(model, settings, dataset, treatment, run, [watch], resume)
    except TrainingError as error:
        history, problem = error.history, error
    history.save_csv(run / HISTORY)
    watch.save(run / REPORT)
    if problem is not None:
        print(_left(run))
        raise problem
    _save_pictures(run, model, history, dataset)
    print(_summary(run, history, dataset))
    if history.interrupted:
        print(f"go on:    chainrule train --resume {run}")
        raise typer.Exit(130)


# ---- what the command line says ----


def _require_packages() -> None:
    """Refuse now what would otherwise be found missing after the training."""
    for module, package in [
        ("sklearn", "scikit-learn"),
        ("matplotlib", "matplotlib"),
        ("safetensors", "safetensors"),
    ]:
        if importlib.util.find_spec(module) is None:
            raise missing_extra(package, "train", "chainrule train")


def _settings(data: str, seed: int, said: dict[str, Any], more: dict[str, Any]) -> Settings:
    """What the command line says, and for the rest what is usual for the data."""
    from chainrule.objectives import TASKS
    from chainrule.runs import OPTIMIZERS, SCHEDULES, Settings, digest, is_csv

    given = {name: value for name, value in said.items() if value is not None}
    if is_csv(data):
        data = os.path.abspath(data)  # the run can be gone on with from anywhere
        usual, sha256 = OF_A_FILE, digest(data)
    else:
        check_choice("data set", data, list(RECIPES))
        _refuse_of_a_file(more)
        usual, sha256 = RECIPES[data], ""
    decided: dict[str, Any] = {**usual._asdict(), **given, **more, "digest": sha256}
    settings = Settings(data, seed, **decided)
    check_activation(settings.activation)
    check_choice("--schedule", settings.schedule, list(SCHEDULES))
    check_choice("--optimizer", settings.optimizer, list(OPTIMIZERS))
    if settings.task is not None:
        check_choice("task", settings.task, list(TASKS))
    for name in ("steps", "patience"):
        if (said | more)[name] is not None:
            check_range(f"--{name}", decided[name], lambda n: n > 0, "a whole number from 1 up")
    check_range("--checkpoint-every", settings.every, lambda n: n > 0, "a whole number from 1 up")
    check_range("--lr", settings.lr, lambda x: 0 < x < math.inf, "a number above 0")
    check_range("--l2", settings.l2, lambda x: 0 <= x < math.inf, "a number from 0 up")
    return settings


def _refuse_of_a_file(more: dict[str, Any]) -> None:
    for name in ("target", "task", "drop_missing"):
        if more[name]:
            flag = f"--{name.replace('_', '-')}"
            raise ArgumentError(f"{flag} is for CSV files: the data sets say it themselves")


def _completed(settings: Settings, said: dict[str, Any], dataset: Dataset) -> Settings:
    """The same, with what is usual for the examples of a CSV file."""
    if not settings.digest:
        return settings
    count = len(dataset.train.features)
    steps = min(max(EPOCHS * count // 32, FEWEST_STEPS), MOST_STEPS)
    return replace(
        settings,
        loss=said["loss"] or USUAL_LOSS[dataset.task],
        steps=said["steps"] or steps,
        batch=said["batch"] or min(32, count),
    )


def _class_weights(text: str | None) -> Any:
    """The numbers in "1,3", or "balanced"."""
    if text is None or text == "balanced":
        return text
    try:
        return [float(weight) for weight in text.split(",")]
    except ValueError:
        raise ArgumentError(
            f'--class-weights must be "balanced" or numbers, as 1,3, not {text!r}'
        ) from None


def _sizes(text: str) -> list[int]:
    """The sizes in "16,16"."""
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise ArgumentError(f"--hidden must be whole numbers from 1 up, as 16,16, not {text!r}")
    return [int(size) for size in sizes]


def _check_fit(settings: Settings, dataset: Dataset) -> None:
    """Refuse a loss or a batch that does not fit the data."""
    from chainrule.objectives import losses_of
    from chainrule.training import check_batch

    check_choice(f"loss for {dataset.name}", settings.loss, losses_of(dataset.task))
    check_batch(settings.batch, len(dataset.train.features))


def _claim(run: Path, force: bool) -> None:
    """Make the folder of a run, unless another run, or something else, is there."""
    files = _files()
    found = [name for name in files if (run / name).exists()]
    if found and not force:
        raise ArgumentError(
            f"{run} holds a run already ({found[0]}): say --force to overwrite it, or another --out"
        )
    try:
        run.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArgumentError(
            f"--out must be a folder that can be made, not {run}: {error.strerror}"
        ) from None
    if not os.access(run, os.W_OK):
        raise ArgumentError(f"--out must be a folder that can be written to, not {run}")
    for name in files:
        (run / name).unlink(missing_ok=True)


def _files() -> list[str]:
    from chainrule.checkpoints import CHECKPOINT

    return [HISTORY, REPORT, LOSS, BOUNDARY, NEURON, CONFUSION, PREDICTIONS, CHECKPOINT]


# ---- pictures ----


def _save_pictures(run: Path, model: MLP, history: History, dataset: Dataset) -> None:
    from chainrule.training import outputs
    from chainrule.viz import plots
    from chainrule.viz.report import first_neuron

    accuracy = [row.accuracy for row in history.rows if row.accuracy is not None]
    plots.loss_curve(history.losses, run / LOSS, accuracy or None)
    if len(dataset.feature_names) == 2:
        plots.decision_boundary(
            lambda points: outputs(model, points), *dataset.train, run / BOUNDARY
        )
    neuron = first_neuron(model, dataset.train.features, dataset.feature_names)
    neuron.save(run / NEURON)


# ---- what is printed ----


def _plan(dataset: Dataset, model: MLP, settings: Settings) -> str:
    sizes = [len(dataset.feature_names), *settings.hidden, dataset.outputs]
    count = len(dataset.train.features)
    examples = f"{settings.batch} of {count}" if settings.batch else f"all {count}"
    return (
        f"{dataset.name}: network {'-'.join(map(str, sizes))} ({settings.activation}, "
        f"{len(model.parameters())} parameters), {settings.loss} loss, {settings.optimizer} with "
        f"learning rate {settings.lr:g}, {settings.steps} steps, each on {examples} examples"
    )


def _summary(run: Path, history: History, dataset: Dataset) -> str:
    pictures = [str(run / name) for name in (LOSS, BOUNDARY, NEURON) if (run / name).exists()]
    return "\n".join(
        [
            _ending(history),
            *_results(history, dataset),
            f"pictures: {', '.join(pictures)}",
            _left(run),
        ]
    )


def _ending(history: History) -> str:
    """How many steps were made, in which time, and why not more."""
    made, time = history.rows[-1].step, f"in {history.rows[-1].seconds:.1f} s"
    best = history.best_step
    kept = "" if best is None else f"; the parameters of step {best} are kept"
    if history.interrupted:
        return f"stopped by Ctrl-C after {made + 1} of {history.steps} steps {time}"
    if made < history.steps:
        return f"stopped early after {made} of {history.steps} steps {time}{kept}"
    return f"done: {history.steps} steps {time}{kept}"


def _left(run: Path) -> str:
    """What every run leaves, however it ends."""
    return f"numbers:  {run / HISTORY}\nreport:   {run / REPORT}"


def _results(history: History, dataset: Dataset) -> list[str]:
    """How good the network is, where it was measured."""
    row = history.rows[-1]
    if dataset.task == "regression":
        what, numbers = "root mean squared error", [row.loss, row.held_out_loss]
        told = [None if x is None else f"{math.sqrt(x) * dataset.target_std:.2f}" for x in numbers]
    else:
        what, numbers = "accuracy", [row.accuracy, row.held_out_accuracy]
        told = [None if x is None else f"{x:.1%}" for x in numbers]
    examples = "last step's" if history.interrupted else "training"  # a batch, or all of them
    names = [f"{examples} {what}:", f"held-out {what}:"]
    return [f"{name} {number}" for name, number in zip(names, told) if number is not None]
