"""Training: a model fitted to examples step by step, with a history of how that went."""

from __future__ import annotations

import itertools
import math
import random
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, NamedTuple, Protocol

from chainrule import losses
from chainrule.arguments import check_choice, check_count, check_range
from chainrule.check import detect_anomaly
from chainrule.engine import Value
from chainrule.errors import AnomalyError, ArgumentError, TrainingError
from chainrule.floats import divide
from chainrule.history import Best, History, Progress, Row
from chainrule.modes import no_grad
from chainrule.objectives import (
    TASKS,
    LossFunction,
    accuracy,
    decision,
    loss_name,
    objective_of,
    share_right,
)
from chainrule.optim import Adam, Optimizer, Schedule
from chainrule.reporting import is_reported, reporter, told
from chainrule.steps import Examples, Scores, Steps, as_values, listed, objective, steps_for


class Model(Protocol):
    """What can be trained: a `Module` that can be called with a row of features."""

    def __call__(self, x: Any, /) -> Any: ...

    def parameters(self) -> list[Value]: ...

    def named_parameters(self) -> Iterator[tuple[str, Value]]: ...


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
        progress: gives what the training could be gone on from: a copy of all that changes.
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
    progress: Callable[[], Progress]


class State(NamedTuple):
    """What a callback is shown after a step."""

    step: int
    loss: float
    model: Model
    history: History


class Batch(NamedTuple):
    """Examples of a step, and which they are among all."""

    places: list[int]
    examples: Examples


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
    patience: int | None = None,
    class_weights: Any = None,
    callbacks: Iterable[Callable[[State], object]] = (),
    resume: Progress | None = None,
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
        patience: for how many epochs the held-out loss, measured at each, may fail to fall before
            training ends. The parameters are then, and also if all steps were made, those that
            had the smallest. An epoch is as many steps as it takes to see all examples.
        class_weights: a number above 0 for each class, by which the losses of its examples are
            weighted, or "balanced" for all classes to weigh the same.
        callbacks: functions that are shown a `State` after each step. One that has a method
            `begin` is given a `Setup` before the first step, and one that has a method `end`,
            after the last one, the `TrainingError` that ended the training, or None.
        resume: how far an earlier training came, of the same model, examples and settings; this
            one goes on from there and gives, bit for bit, what that one would have given.
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
    train, held_out = _examples(X, y), None if validation is None else _examples(*validation)
    _check_settings(optimizer, steps, batch, patience, train, held_out)
    task, function = objective_of(
        _first_output(model, train), listed(train.targets), loss, task, class_weights
    )
    optimizer = optimizer or Adam(model.parameters(), lr=0.01)
    setup = Setup(
        model,
        optimizer,
        loss_name(loss, task),
        l2,
        train,
        held_out,
        batch or len(train.features),
        seed,
        History(task, steps),
        Scores(model),
        lambda: training.progress(),
    )
    best = None if resume is None else _go_on(resume, setup, schedule)
    eager = eager or (resume is not None and resume.eager)
    batches = _batches(setup, len(setup.history.rows))
    first = next(batches)
    with _one_thread():
        made_by = steps_for(model, function, l2, optimizer, first.examples, eager)
    training = _Training(setup, function, schedule, made_by, patience, best)
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
    return [decision(given, task) for given in outputs(model, X)]


def score(model: Model, X: Any, y: Any, task: str) -> float:  # noqa: N803
    """How good a model is: the share of right classes, or R squared in a regression.

    R squared, the coefficient of determination, is 1 if all predictions are right and 0 if they
    are no better than the mean of the targets.

    >>> from chainrule.nn import MLP
    >>> score(MLP(1, [1]), [[0.0], [0.0]], [-1.0, 1.0], "regression")
    0.0
    """
    examples = _examples(X, y)
    said, targets = predictions(model, examples.features, task), listed(examples.targets)
    if task != "regression":
        return share_right(said, targets)
    mean = math.fsum(targets) / len(said)
    rest = math.fsum((p - t) ** 2 for p, t in zip(said, targets))
    return 1.0 - divide(rest, math.fsum((t - mean) ** 2 for t in targets))


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
    loss: LossFunction
    schedule: Schedule | None
    steps: Steps
    patience: int | None
    best: Best | None
    started: float = field(init=False)

    def __post_init__(self) -> None:
        before = self.history.rows[-1].seconds if self.history.rows else 0.0
        self.started = time.perf_counter() - before

    @property
    def history(self) -> History:
        return self.setup.history

    def step(self, batch: Batch) -> None:
        """Forward, backward, a row for the history, and the update."""
        try:
            loss, scores = self.steps.evaluate(batch.examples)
        except AnomalyError:
            raise self._error(len(self.history.rows), self._first_anomaly(batch)) from None
        self._record(loss, scores, batch.examples)
        try:
            self.steps.update()
        except TrainingError as error:
            raise self._error(self.history.rows[-1].step, str(error)) from None
        if self.schedule is not None:
            self.schedule.step()

    def is_over(self) -> bool:
        """Whether all steps are made, or the held-out loss has not fallen for too long."""
        rows = self.history.rows
        if self.best is None or self.patience is None or len(rows) == self.history.steps:
            return len(rows) >= self.history.steps
        since = sum(1 for row in rows[self.best.step + 1 :] if self._is_epoch(row.step))
        return since >= self.patience

    def end(self) -> None:
        """The row of what the last update, or the best one, has led to, over all examples."""
        if self.patience is not None:
            self._keep_best(self._held_out()[0], len(self.history.rows))
            self._put_best_back()
        examples = self.setup.train
        scores = self.setup.scores(examples.features)
        loss = self._loss_of(scores, examples, self.setup.l2)
        if not math.isfinite(loss):
            everything = Batch(list(range(len(scores))), examples)
            raise self._error(len(self.history.rows), self._first_anomaly(everything))
        self.history.finished = True
        self._record(loss, scores, examples)

    def state(self) -> State:
        row = self.history.rows[-1]
        return State(row.step, row.loss, self.setup.model, self.history)

    def progress(self) -> Progress:
        """What the training could be gone on from."""
        return Progress(
            [p.data for p in self.setup.optimizer.params],
            self.setup.optimizer.state_dict(),
            None if self.schedule is None else self.schedule.state_dict(),
            list(self.history.rows),
            self.history.finished,
            self.best,
            self.steps.eager,
        )

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
        right = accuracy(scores, examples.targets, task)
        held_out = self._held_out() if self._is_measured(step) else (None, None)
        self._keep_best(held_out[0], step)
        seconds = time.perf_counter() - self.started
        rows.append(Row(step, loss, right, lr, *held_out, seconds))

    def _is_measured(self, step: int) -> bool:
        """Whether the held-out examples are measured at that step."""
        reported = is_reported(step, self.history.steps) or self.history.finished
        return reported or (self.patience is not None and self._is_epoch(step))

    def _is_epoch(self, step: int) -> bool:
        """Whether all examples were seen once more when that step begins."""
        return step % math.ceil(len(self.setup.train.features) / self.setup.batch) == 0

    def _held_out(self) -> tuple[float | None, float | None]:
        """The loss without penalty, and the accuracy, of the held-out examples."""
        if self.setup.held_out is None:
            return None, None
        scores = self.setup.scores(self.setup.held_out.features)
        loss = self._loss_of(scores, self.setup.held_out, 0.0)
        return loss, accuracy(scores, self.setup.held_out.targets, self.history.task)

    def _keep_best(self, loss: float | None, step: int) -> None:
        """Note the parameters if none had so small a held-out loss."""
        if self.patience is None or loss is None or self.history.finished:
            return
        if self.best is None or loss < self.best.loss:
            self.best = Best(step, loss, [p.data for p in self.setup.optimizer.params])
            self.history.best_step = step

    def _put_best_back(self) -> None:
        if self.best is not None:
            for p, number in zip(self.setup.optimizer.params, self.best.parameters):
                p.data = number

    def _first_anomaly(self, batch: Batch) -> str:
        """Where the first nan or inf of the step came from: the step is run once more."""
        for path, p in self.setup.model.named_parameters():
            p.label = p.label or path
        problem = self._anomaly(batch.examples, self.setup.l2)
        if not problem:
            return "a number became nan or infinite, but not when the step was run once more"
        return problem + self._example_at_fault(batch)

    def _anomaly(self, examples: Examples, l2: float) -> str:
        """The first nan or inf of a step on these examples, found by the engine, or ""."""
        try:
            with detect_anomaly():
                objective(self.setup.model, self.loss, l2, *examples)[0].backward()
        except AnomalyError as anomaly:
            return str(anomaly)
        return ""

    def _example_at_fault(self, batch: Batch) -> str:
        """The first example that is enough by itself, without penalty, to make a nan or inf."""
        for place, features, target in zip(batch.places, *batch.examples):
            if self._anomaly(Examples([features], [target]), 0.0):
                return f"; example {place} by itself is enough, counted from 0"
        return ""

    def _error(self, step: int, problem: str) -> TrainingError:
        error = TrainingError(f"step {step}: {problem}; the parameters are those before this step")
        error.history = self.history
        return error


def _go_on(progress: Progress, setup: Setup, schedule: Schedule | None) -> Best | None:
    """Put everything where the earlier training had it."""
    params = setup.optimizer.params
    check_count("parameters of the earlier training", progress.parameters, len(params))
    if progress.finished or len(progress.rows) > setup.history.steps:
        raise ArgumentError(f"there is nothing to resume: {len(progress.rows) - 1} steps were made")
    setup.optimizer.load_state_dict(progress.optimizer)
    if schedule is not None:
        schedule.load_state_dict(progress.schedule or {})
    for p, number in zip(params, progress.parameters):
        p.data = number
    setup.history.rows.extend(progress.rows)
    if progress.best is not None:
        setup.history.best_step = progress.best.step
    return progress.best


def _run(
    training: _Training,
    batches: Iterator[Batch],
    callbacks: list[Callable[[State], object]],
    progress: bool,
) -> None:
    """All steps, and the row of their end; the first Ctrl-C ends it after the step in hand."""
    history = training.history
    how = told(training.steps.how, "", progress)
    with (
        _one_thread(),
        _pressed_ctrl_c() as pressed,
        reporter(history, progress) as report,
        _told_ends(callbacks, training.setup),
    ):
        while not training.is_over():
            training.step(next(batches))
            how = told(training.steps.how, how, progress)
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


def _batches(setup: Setup, done: int) -> Iterator[Batch]:
    """Batches without end, after the first so many, which are drawn and not made."""
    examples = Examples(*[_as_array(column) for column in setup.train])
    count = len(examples.features)
    for places in itertools.islice(_drawn(count, setup.batch, setup.seed), done, None):
        if len(places) == count:
            yield Batch(places, examples)
        else:
            yield Batch(places, Examples(*[_picked(column, places) for column in examples]))


def _drawn(count: int, size: int, seed: int) -> Iterator[list[int]]:
    """Which examples each batch has; all are drawn once before any is drawn again."""
    draw = random.Random(seed)
    order: list[int] = []
    while size == count:
        yield list(range(count))
    while True:
        if len(order) < size:
            order += draw.sample(range(count), count)
        yield order[:size]
        del order[:size]


def _picked(column: Any, places: list[int]) -> Any:
    return column[places] if hasattr(column, "dtype") else [column[i] for i in places]


def _as_array(column: Any) -> Any:
    """An array of numbers, if NumPy is there and the rows are of one length; else a list."""
    if hasattr(column, "dtype"):
        return column
    try:
        import numpy as np

        array = np.array(column)
    except (ImportError, ValueError):
        return column
    return array if array.dtype.kind in "biuf" else column


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


def _examples(X: Any, y: Any) -> Examples:  # noqa: N803
    """Features and targets, arrays of numbers as they are, all else as lists."""
    examples = Examples(_rows(X), _rows(y))
    check_count("targets", examples.targets, len(examples.features))
    if not len(examples.features):
        raise ArgumentError("there must be examples to learn from, not an empty list")
    return examples


def _rows(column: Any) -> Any:
    is_array = getattr(getattr(column, "dtype", None), "kind", "") in tuple("biuf")
    return column if is_array else listed(column)


def _first_output(model: Model, train: Examples) -> Any:
    """What the model gives for the first example."""
    with no_grad():
        return model(listed(train.features[:1])[0])


def _check_settings(
    optimizer: Any,
    steps: int,
    batch: int | None,
    patience: int | None,
    train: Examples,
    held_out: Examples | None,
) -> None:
    """Refuse what is wrong by itself, or without held-out examples."""
    is_count = lambda n: hasattr(n, "__index__") and n > 0
    check_range("the number of steps", steps, is_count, "a whole number from 1 up")
    check_batch(batch, len(train.features))
    if optimizer is not None and not isinstance(optimizer, Optimizer):
        raise ArgumentError(
            f"an optimizer such as Adam(model.parameters(), lr=0.01) is needed, not {optimizer!r}"
        )
    if patience is not None:
        check_range("patience", patience, is_count, "a whole number of epochs from 1 up")
        if held_out is None:
            raise ArgumentError("patience needs held-out examples to measure: validation=(X, y)")
