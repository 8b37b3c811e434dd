"""`chainrule train`: a network trained on a data set, with numbers, pictures and a report."""

from __future__ import annotations

import importlib.util
import math
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from chainrule import __version__
from chainrule.arguments import check_activation, check_choice, check_range
from chainrule.errors import ArgumentError, TrainingError, missing_extra
from chainrule.nn import MLP

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.history import History
    from chainrule.viz.watch import Watch

HISTORY, REPORT = "history.csv", "report.html"
LOSS, BOUNDARY, NEURON = "loss.png", "boundary.png", "neuron.svg"


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


def train(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A name that `chainrule datasets` lists.")
    ],
    hidden: Annotated[
        str | None, typer.Option(help="Neurons of each hidden layer, as 16,16.")
    ] = None,
    activation: Annotated[str, typer.Option(help="The op of the hidden layers.")] = "relu",
    loss: Annotated[
        str | None, typer.Option(help="hinge, binary_cross_entropy, cross_entropy or mse.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Updates of the parameters.")] = None,
    lr: Annotated[
        float | None, typer.Option(help="Learning rate; it falls to a tenth of this.")
    ] = None,
    batch: Annotated[int | None, typer.Option(help="Examples a step.")] = None,
    seed: Annotated[int, typer.Option(help="Decides all that is random.")] = 1337,  # datasets.SEED
    out: Annotated[Path | None, typer.Option(help="Folder of the run; runs/DATA.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a run in it.")] = False,
) -> None:
    """Train a network on a data set, and leave numbers, pictures and a report in a folder.

    What is not said is chosen for the data set; moons are trained as in the lecture.
    """
    _require_packages()
    check_choice("data set", data, list(RECIPES))
    check_activation(activation)
    recipe = _recipe(RECIPES[data], hidden, loss, steps, lr, batch)
    from chainrule.datasets import load
    from chainrule.viz.watch import Watch

    dataset = load(data, seed)
    _check_fit(recipe, dataset)
    run = out or Path("runs") / data
    _claim(run, force)
    random.seed(seed)
    sizes = [*recipe.hidden, dataset.outputs]
    network: dict[str, Any] = {
        "nin": len(dataset.feature_names),
        "nouts": sizes,
        "activation": activation,
    }
    model = MLP(**network)
    plan = _plan(dataset, model, recipe, network)
    print(plan)
    watch = Watch(dataset=dataset, about=f"{plan}, seed {seed}")
    history, problem = _fit(model, dataset, recipe, seed, watch)
    _save_numbers(run, model, history, {"data": data, "seed": seed, "network": network})
    watch.save(run / REPORT)
    if problem is not None:
        print(_left(run))
        raise problem
    _save_pictures(run, model, history, dataset)
    print(_summary(run, history, dataset))
    if history.interrupted:
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


def _recipe(
    usual: Recipe,
    hidden: str | None,
    loss: str | None,
    steps: int | None,
    lr: float | None,
    batch: int | None,
) -> Recipe:
    """The recipe of the data set, but for what the command line says."""
    said: dict[str, Any] = {"loss": loss, "steps": steps, "lr": lr, "batch": batch}
    recipe = usual._replace(**{name: given for name, given in said.items() if given is not None})
    check_range("--steps", recipe.steps, lambda n: n > 0, "a whole number from 1 up")
    check_range("--lr", recipe.lr, lambda x: 0 < x < math.inf, "a number above 0")
    return recipe if hidden is None else recipe._replace(hidden=_sizes(hidden))


def _sizes(text: str) -> list[int]:
    """The sizes in "16,16"."""
    sizes = text.split(",")
    if not all(size.strip().isdecimal() and int(size) > 0 for size in sizes):
        raise ArgumentError(f"--hidden must be whole numbers from 1 up, as 16,16, not {text!r}")
    return [int(size) for size in sizes]


def _check_fit(recipe: Recipe, dataset: Dataset) -> None:
    """Refuse a loss or a batch that does not fit the data."""
    from chainrule.objectives import losses_of
    from chainrule.training import check_batch

    check_choice(f"loss for {dataset.name}", recipe.loss, losses_of(dataset.task))
    check_batch(recipe.batch, len(dataset.train.features))


def _claim(run: Path, force: bool) -> None:
    """Make the folder of a run, unless another run, or something else, is there."""
    found = [name for name in _files() if (run / name).exists()]
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


def _files() -> list[str]:
    from chainrule.checkpoints import DESCRIPTION, PARAMETERS

    return [HISTORY, REPORT, LOSS, BOUNDARY, NEURON, DESCRIPTION, PARAMETERS]


# ---- a run ----


def _fit(
    model: MLP, dataset: Dataset, recipe: Recipe, seed: int, watch: Watch
) -> tuple[History, TrainingError | None]:
    """The history of a training, with the error if it ended by one."""
    from chainrule import optim
    from chainrule.training import fit

    optimizer = getattr(optim, recipe.optimizer)(model.parameters(), lr=recipe.lr)
    try:
        history = fit(
            model,
            *dataset.train,
            task=dataset.task,
            loss=recipe.loss,
            optimizer=optimizer,
            schedule=optim.LinearLR(optimizer, 1.0, 0.1, recipe.steps),
            steps=recipe.steps,
            batch=recipe.batch,
            seed=seed,
            l2=recipe.l2,
            validation=dataset.test,
            callbacks=[watch],
        )
    except TrainingError as error:
        return error.history, error
    return history, None


def _save_numbers(run: Path, model: MLP, history: History, description: dict[str, Any]) -> None:
    from chainrule.checkpoints import save

    for name in _files():  # those of a run that is overwritten
        (run / name).unlink(missing_ok=True)
    history.save_csv(run / HISTORY)
    save(model, {"chainrule": __version__, **description}, run)


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


def _plan(dataset: Dataset, model: MLP, recipe: Recipe, network: dict[str, Any]) -> str:
    layers = "-".join(map(str, [network["nin"], *network["nouts"]]))
    count = len(dataset.train.features)
    examples = f"{recipe.batch} of {count}" if recipe.batch else f"all {count}"
    return (
        f"{dataset.name}: network {layers} ({network['activation']}, "
        f"{len(model.parameters())} parameters), {recipe.loss} loss, {recipe.optimizer} with "
        f"learning rate {recipe.lr:g}, {recipe.steps} steps, each on {examples} examples"
    )


def _summary(run: Path, history: History, dataset: Dataset) -> str:
    last = history.rows[-1]
    end = f"stopped by Ctrl-C after {last.step + 1} of" if history.interrupted else "done:"
    pictures = [str(run / name) for name in (LOSS, BOUNDARY, NEURON) if (run / name).exists()]
    return "\n".join(
        [
            f"{end} {history.steps} steps in {last.seconds:.1f} s",
            *_results(history, dataset),
            f"pictures: {', '.join(pictures)}",
            _left(run),
        ]
    )


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
