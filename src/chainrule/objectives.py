"""What a training makes smaller: losses by name, the tasks they are for, what scores decide."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from typing import Any, NamedTuple

from chainrule import losses
from chainrule.arguments import check_choice, converts
from chainrule.compiler.trace import lookup
from chainrule.errors import ArgumentError
from chainrule.ops import where
from chainrule.steps import listed

LossFunction = Callable[[Any, Any], Any]


class Loss(NamedTuple):
    """A loss with the tasks it is for; `negative` is its target for the first of two classes."""

    function: LossFunction
    tasks: tuple[str, ...]
    negative: int = 0


# For each task the first loss that is for it is the usual one.
LOSSES = {
    "hinge": Loss(losses.hinge, ("binary",), negative=-1),
    "binary_cross_entropy": Loss(losses.binary_cross_entropy, ("binary",)),
    "cross_entropy": Loss(losses.cross_entropy, ("multiclass",)),
    "mse": Loss(losses.mse, ("regression", "binary"), negative=-1),
}
TASKS = ("regression", "binary", "multiclass")


def losses_of(task: str) -> list[str]:
    """The names of the losses that are for a task, the usual one first.

    >>> losses_of("multiclass")
    ['cross_entropy']
    """
    return [name for name, row in LOSSES.items() if task in row.tasks]


def objective_of(
    first: Any, targets: list[Any], loss: Any, task: str | None, class_weights: Any
) -> tuple[str, LossFunction]:
    """The task, and the loss as a function of scores and targets.

    Args:
        first: what the model gives for one example.
        targets: of all examples.
        loss, task, class_weights: as `fit` takes them.
    """
    if isinstance(loss, str):
        check_choice("loss", loss, list(LOSSES))
        tasks = LOSSES[loss].tasks
        task = task or (tasks[0] if len(tasks) == 1 else None)
    task = task or _inferred_task(first, targets)
    check_choice("task", task, TASKS)
    _check_scores(first, task)
    _check_targets(targets, task)
    function = loss if callable(loss) else _by_name(loss, task)
    if class_weights is None:
        return task, function
    count = len(first) if task == "multiclass" else 2
    return task, weighted(function, task, _weights(class_weights, targets, task, count))


def _by_name(name: str | None, task: str) -> LossFunction:
    """The loss of that name, or the usual one of the task, taking targets as users give them."""
    choices = losses_of(task)
    name = name or choices[0]
    check_choice(f"loss of a {task} task", name, choices)
    row = LOSSES[name]
    if task != "binary":
        return row.function
    return lambda scores, y: row.function(scores, [where(t > 0, 1, row.negative) for t in y])


def weighted(loss: LossFunction, task: str, weights: list[float]) -> LossFunction:
    """The mean of the examples' losses, each weighted by its class."""
    two = task == "binary"

    def weight_of(target: Any) -> Any:
        return where(target > 0, weights[1], weights[0]) if two else lookup(weights)[target]

    def mean(scores: Any, targets: Any) -> Any:
        given = [weight_of(target) for target in targets]
        each = [w * loss([s], [t]) for w, s, t in zip(given, scores, targets)]
        return sum(each) / sum(given)

    return mean


def _weights(asked: Any, targets: list[Any], task: str, count: int) -> list[float]:
    """The weight of each class; balanced ones are such that all classes weigh the same."""
    if task == "regression":
        raise ArgumentError("class weights are for classes, not for a regression")
    if asked == "balanced":
        sizes = Counter([max(int(t), 0) for t in targets])
        return [len(targets) / (count * sizes[k]) if sizes[k] else 0.0 for k in range(count)]
    numbers = isinstance(asked, (list, tuple)) and len(asked) == count
    if not (numbers and all(converts(w) and 0.0 < w < math.inf for w in asked)):
        raise ArgumentError(
            f'class weights must be "balanced" or {count} numbers above 0, one for each class, '
            f"not {asked!r}"
        )
    return [float(w) for w in asked]


def loss_name(loss: Any, task: str) -> str:
    """What a loss is called that is given by name, as a function, or not at all."""
    if isinstance(loss, str):
        return loss
    return losses_of(task)[0] if loss is None else getattr(loss, "__name__", "own")


def _inferred_task(first: Any, targets: list[Any]) -> str:
    """What one of the model's outputs and the targets look like; refused if it is not clear."""
    if isinstance(first, (list, tuple)):
        return "multiclass"
    if not all(hasattr(t, "__index__") for t in targets):
        return "regression"
    if _are_two_classes(targets):
        return "binary"
    raise ArgumentError(
        f"whole targets such as {targets[0]} are classes or numbers: give the model one output "
        'for each class, or say task="regression"'
    )


def _check_scores(first: Any, task: str) -> None:
    if (task == "multiclass") != isinstance(first, (list, tuple)):
        needed = "a list of scores, one for each class" if task == "multiclass" else "one value"
        raise ArgumentError(f"for a {task} task the model must give {needed}, not {first!r}")


def _check_targets(targets: list[Any], task: str) -> None:
    if task == "binary" and not _are_two_classes(targets):
        raise ArgumentError(
            f"the targets of two classes are 0 and 1, or -1 and 1, not {sorted(set(targets))[:5]}"
        )


def _are_two_classes(targets: list[Any]) -> bool:
    found = set(targets)
    return found <= {0, 1} or found <= {-1, 1}


def decision(given: Any, task: str) -> Any:
    """What the scores of one example say: a number, or the number of a class."""
    if task == "multiclass":
        return given.index(max(given))
    return given if task == "regression" else int(given > 0.0)


def accuracy(scores: list[Any], targets: list[Any], task: str) -> float | None:
    """The share of examples whose class the scores say; None in a regression."""
    if task == "regression":
        return None
    return share_right([decision(s, task) for s in scores], listed(targets))


def share_right(said: list[Any], targets: list[Any]) -> float:
    """The share of predicted classes that are right; of two, the first may be -1 or 0."""
    right = [p == max(t, 0) for p, t in zip(said, targets)]
    return right.count(True) / len(targets)
