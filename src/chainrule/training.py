"""Training: a model fitted to examples step by step, with a history of how that went."""

from __future__ import annotations

import csv
import itertools
import math
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, Protocol

from chainrule import losses
from chainrule.arguments import check_choice, check_count, check_range
from chainrule.check import detect_anomaly
from chainrule.engine import Value
from chainrule.errors import AnomalyError, ArgumentError, TrainingError
from chainrule.floats import divide
from chainrule.modes import no_grad
from chainrule.ops import where
from chainrule.optim import Adam, Optimizer, Schedule
from chainrule.steps import Examples, Scores, Steps, as_values, listed, objective, steps_for


class Model(Protocol):
    """What can be trained: a `Module` that can be called with a row of features."""

    def __call__(self, x: Any, /) -> Any: ...

    def parameters(self) -> list[Value]: ...

    def named_parameters(self) -> Iterator[tuple[str, Value]]: ...


class Loss(NamedTuple):
    """A loss with the tasks it is for; `negative` is its target for the first of two classes."""

    function: Callable[[Any, Any], Any]
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
    """

    task: str
    steps: int
    rows: list[Row] = field(default_factory=list)
    interrupted: bool = False

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


class Setup(NamedTuple):
    """What a callback with a method `begin` is given before the first step.

    Attributes:
        model: what is trained.
        optimizer: what moves its parameters.
        loss: the name of the loss.
        l2: the weight of the penalty that is added to it.
        train: the examples.
        held_out: those held out, if any are.
        batch: how many examples a step sees.
        seed: of their drawing.
        history: each step adds a row to it.
        scores: gives what the model says of rows of features, as numbers.
    """

    model: Model
    optimizer: Optimizer
    loss: str
    l2: float
    train: Examples
    held_out: Examples | None
    batch: int
    seed: int
    history: History
    scores: Scores


class State(NamedTuple):
    """What a callback is shown after a step."""

    step: int
    loss: float
    model: Model
    history: History


def fit(
    model: Model,
    X: Any,  # noqa: N803 - scikit-learn's name
    y: Any,
    *,
    loss: str | Callable[[Any, Any], Value] | None = None,
    task: str | None = None,
    optimizer: Optimizer | None = None,
    schedule: Schedule | None = None,
    steps: int = 100,
    batch: int | None = None,
    seed: int = 0,
    l2: float = 0.0,
    validation: tuple[Any, Any] | None = None,
    callbacks: Iterable[Callable[[State], object]] = (),
    eager: bool = False,
    progress: bool = True,
) -> History:
    """Train a model: at each step forward, backward, and an update of its parameters.

    A progress bar shows loss and time left on a terminal, some ten plain lines elsewhere. Ctrl-C
    ends the training after the step in hand.

    Args:
        model: maps a row of features to one score or, for classes, to a list with a score each.
        X: the examples' features, n rows, as a list of lists or an array.
        y: their n targets: any numbers, 0 and 1 or -1 and 1, or classes counted from 0.
        loss: a name from `LOSSES`, or a function of the scores and targets of a batch; the
            first that is for the task if not said.
        task: "regression", "binary" or "multiclass"; told by the loss, or by model and targets,
            if not said.
        optimizer: what moves the parameters; Adam with a learning rate of 0.01 if not said.
        schedule: what moves the learning rate after each step.
        steps: the number of updates.
        batch: how many examples a step sees, drawn without repetition until all were seen; all
            of them, in order, if not said.
        seed: of that drawing.
        l2: the weight of the sum of squares of all parameters that is added to the loss.
        validation: features and targets of held-out examples, measured at some ten steps.
        callbacks: functions that are shown a `State` after each step. One that has a method
            `begin` is given a `Setup` before the first step, and one that has a method `end`,
            after the last one, the `TrainingError` that ended the training, or None.
        eager: whether each step is to be computed value by value. If not, the first one is
            traced and becomes an array program, unless that would be slower.
        progress: whether to print anything.

    Returns:
        The history, to the last step before Ctrl-C if that was pressed.

    Raises:
        ArgumentError: arguments that do not fit each other, and names that do not exist.
        TrainingError: a number became nan or infinite. The parameters are those before the step.

    >>> from chainrule.nn import MLP
    >>> from chainrule.optim import SGD
    >>> X, y = [[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]
    >>> line = MLP(1, [1])
    >>> descent = SGD(line.parameters(), lr=0.1)
    >>> history = fit(line, X, y, optimizer=descent, steps=200, progress=False)
    >>> print(history.task, *[f"{p:.3f}" for p in line.parameters()])
    regression 2.000 1.000
    """
    is_count = lambda n: hasattr(n, "__index__") and n > 0
    check_range("the number of steps", steps, is_count, "a whole number from 1 up")
    train = _examples(X, y)
    held_out = None if validation is None else _as_arrays(_examples(*validation))
    task, function = _objective(model, train, loss, task)
    _check_optimizer(optimizer)
    check_batch(batch, len(train.features))
    optimizer = optimizer or Adam(model.parameters(), lr=0.01)
    batch = batch or len(train.features)
    batches = _batches(_as_arrays(train), batch, seed)
    first = next(batches)
    with _one_thread():
        made_by = steps_for(model, function, l2, optimizer, first, eager)
    setup = Setup(
        model,
        optimizer,
        _loss_name(loss, task),
        l2,
        train,
        held_out,
        batch,
        seed,
        History(task, steps),
        Scores(model),
    )
    training = _Training(setup, function, schedule, made_by)
    _run(training, itertools.chain([first], batches), list(callbacks), progress)
    return setup.history


def outputs(model: Model, X: Any) -> list[Any]:  # noqa: N803
    """What a model gives for each row of features, as numbers or lists of numbers.

    >>> from chainrule.nn import MLP
    >>> outputs(MLP(1, [1]), [[0.0]])
    [0.0]
    """
    return Scores(model)(_as_array(X))


def predictions(model: Model, X: Any, task: str) -> list[Any]:  # noqa: N803
    """What a model says of each row of features: a number, or the number of a class.

    >>> from chainrule.nn import MLP
    >>> predictions(MLP(1, [1]), [[0.0]], "binary")
    [0]
    """
    check_choice("task", task, TASKS)
    return [_decision(given, task) for given in outputs(model, X)]


def score(model: Model, X: Any, y: Any, task: str) -> float:  # noqa: N803
    """How good a model is: the share of right classes, or R squared in a regression.

    R squared, the coefficient of determination, is 1 if all predictions are right and 0 if they
    are no better than the mean of the targets.

    >>> from chainrule.nn import MLP
    >>> score(MLP(1, [1]), [[0.0], [0.0]], [-1.0, 1.0], "regression")
    0.0
    """
    examples = _examples(X, y)
    said = predictions(model, examples.features, task)
    if task != "regression":
        return _share_right(said, examples.targets)
    mean = math.fsum(examples.targets) / len(said)
    rest = math.fsum((p - t) ** 2 for p, t in zip(said, examples.targets))
    return 1.0 - divide(rest, math.fsum((t - mean) ** 2 for t in examples.targets))


def losses_of(task: str) -> list[str]:
    """The names of the losses that are for a task, the usual one first.

    >>> losses_of("multiclass")
    ['cross_entropy']
    """
    return [name for name, row in LOSSES.items() if task in row.tasks]


def check_batch(batch: int | None, count: int) -> None:
    """Refuse a batch that cannot be drawn from so many examples; None is all of them.

    Raises:
        ArgumentError: says what would be right.
    """
    if batch is not None:
        right = f"a whole number from 1 to {count}, as many as there are examples"
        fits = lambda n: hasattr(n, "__index__") and 1 <= n <= count
        check_range("the batch", batch, fits, right)


# ---- the steps ----


@dataclass
class _Training:
    """A training under way."""

    setup: Setup
    loss: Callable[[Any, Any], Any]
    schedule: Schedule | None
    steps: Steps
    started: float = field(default_factory=time.perf_counter)

    @property
    def history(self) -> History:
        return self.setup.history

    def step(self, examples: Examples) -> None:
        """Forward, backward, a row for the history, and the update."""
        try:
            loss, scores = self.steps.evaluate(examples)
        except AnomalyError:
            raise self._error(len(self.history.rows), self._first_anomaly(examples)) from None
        self._record(loss, scores, examples)
        try:
            self.steps.update()
        except TrainingError as error:
            raise self._error(self.history.rows[-1].step, str(error)) from None
        if self.schedule is not None:
            self.schedule.step()

    def end(self) -> None:
        """The row of what the last update has led to, over all examples."""
        examples = self.setup.train
        scores = self.setup.scores(examples.features)
        loss = self._loss_of(scores, examples, self.setup.l2)
        if not math.isfinite(loss):
            raise self._error(len(self.history.rows), self._first_anomaly(examples))
        self._record(loss, scores, examples)

    def state(self) -> State:
        row = self.history.rows[-1]
        return State(row.step, row.loss, self.setup.model, self.history)

    def _loss_of(self, scores: list[Any], examples: Examples, l2: float) -> float:
        """The loss of scores that are numbers."""
        with no_grad():
            loss = self.loss([as_values(s) for s in scores], listed(examples.targets))
            if l2:
                loss = loss + losses.l2(self.setup.model.parameters(), weight=l2)
        return float(loss.data)

    def _record(self, loss: float, scores: list[Any], examples: Examples) -> None:
        rows, task = self.history.rows, self.history.task
        step, lr = len(rows), self.setup.optimizer.lr
        accuracy = _accuracy(scores, examples.targets, task)
        held_out = self._held_out() if _is_reported(step, self.history.steps) else (None, None)
        seconds = time.perf_counter() - self.started
        rows.append(Row(step, loss, accuracy, lr, *held_out, seconds))

    def _held_out(self) -> tuple[float | None, float | None]:
        """The loss without penalty, and the accuracy, of the held-out examples."""
        if self.setup.held_out is None:
            return None, None
        scores = self.setup.scores(self.setup.held_out.features)
        loss = self._loss_of(scores, self.setup.held_out, 0.0)
        return loss, _accuracy(scores, self.setup.held_out.targets, self.history.task)

    def _first_anomaly(self, examples: Examples) -> str:
        """Where the first nan or inf of the step came from: the step is run once more."""
        for path, p in self.setup.model.named_parameters():
            p.label = p.label or path
        try:
            with detect_anomaly():
                objective(self.setup.model, self.loss, self.setup.l2, *examples)[0].backward()
        except AnomalyError as anomaly:
            return str(anomaly)
        return "a number became nan or infinite, but not when the step was run once more"

    def _error(self, step: int, problem: str) -> TrainingError:
        error = TrainingError(f"step {step}: {problem}; the parameters are those before this step")
        error.history = self.history
        return error


def _run(
    training: _Training,
    batches: Iterator[Examples],
    callbacks: list[Callable[[State], object]],
    progress: bool,
) -> None:
    """All steps, and the row of their end; the first Ctrl-C ends it after the step in hand."""
    history = training.history
    how = _told(training.steps.how, "", progress)
    with (
        _one_thread(),
        _pressed_ctrl_c() as pressed,
        _reporter(history, progress) as report,
        _told_ends(callbacks, training.setup),
    ):
        for _ in range(history.steps):
            training.step(next(batches))
            how = _told(training.steps.how, how, progress)
            report(history.rows[-1])
            for callback in callbacks:
                callback(training.state())
            if pressed:
                history.interrupted = True
                return
        training.end()
        report(history.rows[-1])


@contextmanager
def _told_ends(callbacks: list[Any], setup: Setup) -> Iterator[None]:
    """Callbacks that have a method for it are told when training begins, and how it ends."""
    for callback in callbacks:
        getattr(callback, "begin", lambda _: None)(setup)
    problem = None
    try:
        yield
    except TrainingError as error:
        problem = error
        raise
    finally:
        for callback in callbacks:
            getattr(callback, "end", lambda _: None)(problem)


def _batches(examples: Examples, size: int, seed: int) -> Iterator[Examples]:
    """Batches without end; all examples are drawn once before any is drawn again."""
    count = len(examples.features)
    draw = random.Random(seed)
    order: list[int] = []
    while size == count:
        yield examples
    while True:
        if len(order) < size:
            order += draw.sample(range(count), count)
        yield Examples(*[_picked(column, order[:size]) for column in examples])
        del order[:size]


def _picked(column: Any, places: list[int]) -> Any:
    return column[places] if hasattr(column, "dtype") else [column[i] for i in places]


def _as_arrays(examples: Examples) -> Examples:
    """The same as arrays, from which batches are drawn faster, where they are numbers."""
    return Examples(*[_as_array(column) for column in examples])


def _as_array(column: Any) -> Any:
    """An array of numbers, if NumPy is there and the rows are of one length; else a list."""
    try:
        import numpy as np

        array = np.array(listed(column))
    except (ImportError, ValueError):
        return listed(column)
    return array if array.dtype.kind in "biuf" else listed(column)


def _one_thread() -> Any:
    """A context in which matrix products use one thread: for small ones, two are slower."""
    try:
        from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]
    except ImportError:
        return nullcontext()
    return threadpool_limits(1)


@contextmanager
def _pressed_ctrl_c() -> Iterator[list[int]]:
    """A list that the first Ctrl-C makes not empty; a second one interrupts as it always does.

    Threads other than the main one cannot catch it, and where it is ignored it stays ignored.
    """
    pressed: list[int] = []
    previous = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not in_main or previous in (None, signal.SIG_IGN):
        yield pressed
        return

    def press(number: int, _: FrameType | None) -> None:
        pressed.append(number)
        signal.signal(signal.SIGINT, previous)

    signal.signal(signal.SIGINT, press)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, previous)


# ---- what is trained for ----


def _objective(
    model: Model, train: Examples, loss: Any, task: str | None
) -> tuple[str, Callable[[Any, Any], Any]]:
    """The task, and the loss as a function of scores and targets."""
    with no_grad():
        first = model(train.features[0])
    if isinstance(loss, str):
        check_choice("loss", loss, list(LOSSES))
        tasks = LOSSES[loss].tasks
        task = task or (tasks[0] if len(tasks) == 1 else None)
    task = task or _inferred_task(first, train.targets)
    check_choice("task", task, TASKS)
    _check_scores(first, task)
    _check_targets(train.targets, task)
    return task, loss if callable(loss) else _by_name(loss, task)


def _by_name(name: str | None, task: str) -> Callable[[Any, Any], Any]:
    """The loss of that name, or the usual one of the task, taking targets as users give them."""
    choices = losses_of(task)
    name = name or choices[0]
    check_choice(f"loss of a {task} task", name, choices)
    row = LOSSES[name]
    if task != "binary":
        return row.function
    return lambda scores, y: row.function(scores, [where(t > 0, 1, row.negative) for t in y])


def _loss_name(loss: Any, task: str) -> str:
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


def _check_optimizer(optimizer: Any) -> None:
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"an optimizer such as Adam(model.parameters(), lr=0.01) is needed, not {optimizer!r}"
        )


def _check_targets(targets: list[Any], task: str) -> None:
    if task == "binary" and not _are_two_classes(targets):
        raise ArgumentError(
            f"the targets of two classes are 0 and 1, or -1 and 1, not {sorted(set(targets))[:5]}"
        )


def _are_two_classes(targets: list[Any]) -> bool:
    found = set(targets)
    return found <= {0, 1} or found <= {-1, 1}


def _decision(given: Any, task: str) -> Any:
    """What the scores of one example say: a number, or the number of a class."""
    if task == "multiclass":
        return given.index(max(given))
    return given if task == "regression" else int(given > 0.0)


def _accuracy(scores: list[Any], targets: list[Any], task: str) -> float | None:
    if task == "regression":
        return None
    return _share_right([_decision(s, task) for s in scores], listed(targets))


def _share_right(said: list[Any], targets: list[Any]) -> float:
    """The share of predicted classes that are right; of two, the first may be -1 or 0."""
    right = [p == max(t, 0) for p, t in zip(said, targets)]
    return right.count(True) / len(targets)


def _examples(X: Any, y: Any) -> Examples:  # noqa: N803
    examples = Examples(listed(X), listed(y))
    check_count("targets", examples.targets, len(examples.features))
    if not examples.features:
        raise ArgumentError("there must be examples to learn from, not an empty list")
    return examples


# ---- what is told while it runs ----


def report_line(row: Row, steps: int) -> str:
    """A row in words.

    >>> report_line(Row(10, 0.25, 0.5, 0.1, 0.125, 0.75, 1.5), 100)
    'step  10/100  loss 0.2500  accuracy 50.0%  held out: loss 0.1250  accuracy 75.0%'
    """
    parts = [f"step {row.step:{len(str(steps))}}/{steps}", *_measures(row.loss, row.accuracy)]
    if row.held_out_loss is not None:
        held_out = _measures(row.held_out_loss, row.held_out_accuracy)
        parts.append(f"held out: {'  '.join(held_out)}")
    return "  ".join(parts)


def _measures(loss: float, accuracy: float | None) -> list[str]:
    measures = [f"loss {loss:.4f}"]
    if accuracy is not None:
        measures.append(f"accuracy {accuracy:.1%}")
    return measures


def _told(how: str, before: str, progress: bool) -> str:
    """What is said of how steps are made, printed if it is news."""
    if progress and how != before:
        print(how, flush=True)
    return how


def _is_reported(step: int, steps: int) -> bool:
    return step % max(1, steps // 10) == 0 or step == steps


@contextmanager
def _reporter(history: History, progress: bool) -> Iterator[Callable[[Row], object]]:
    """What shows a row: a moving bar on a terminal, a line now and then elsewhere."""
    if progress and sys.stdout.isatty():
        with _bar(history.steps) as show:
            yield show
    elif progress:
        yield lambda row: _print_row(row, history.steps)
    else:
        yield lambda _: None


def _print_row(row: Row, steps: int) -> None:
    if _is_reported(row.step, steps):
        print(report_line(row, steps), flush=True)


@contextmanager
def _bar(steps: int) -> Iterator[Callable[[Row], object]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    text = TextColumn("{task.description}")
    with Progress("step", MofNCompleteColumn(), BarColumn(), text, TimeLeft()) as bar:
        job = bar.add_task("", total=steps)
        yield lambda row: bar.update(
            job,
            completed=row.step,
            description="  ".join(_measures(row.loss, row.accuracy)),
        )
