"""One step of training, by the engine or as a compiled program: the same numbers either way."""

from __future__ import annotations

import contextlib
import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from chainrule import losses
from chainrule.compiler.call import Call
from chainrule.compiler.compiled import Compiled
from chainrule.compiler.step import train_step
from chainrule.engine import Value
from chainrule.errors import AnomalyError, MissingExtraError, TraceError, TrainingError
from chainrule.modes import no_grad
from chainrule.optim import Optimizer

_ROWS = 32  # of which a program computes the scores at once
_MANY = 100  # rows; for fewer it is not worth tracing


class Examples(NamedTuple):
    """Features and targets, one of each for an example; lists or arrays."""

    features: Any
    targets: Any


class Steps(Protocol):
    """What makes the steps of a training.

    Attributes:
        how: what it does, in one line.
        eager: whether the engine makes them.
    """

    how: str
    eager: bool

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        """The loss and the scores, as numbers; the gradients are in the parameters.

        Raises:
            AnomalyError: the loss or a gradient is nan or infinite.
        """

    def update(self) -> None:
        """Move the parameters.

        Raises:
            TrainingError: one would become nan or infinite. They are as they were.
        """


def objective(
    model: Any, loss: Callable[[Any, Any], Any], l2: float, features: Any, targets: Any
) -> tuple[Any, list[Any]]:
    """What is made smaller, and the scores that it is computed from."""
    scores = [model(x) for x in listed(features)]
    found = loss(scores, listed(targets))
    if l2:
        found = found + losses.l2(model.parameters(), weight=l2)
    return found, scores


def listed(data: Any) -> list[Any]:
    """A list as it is, an array as nested lists of Python's own numbers."""
    return data.tolist() if hasattr(data, "tolist") else list(data)


def numbers(scores: Any) -> Any:
    """The data of a value, or of each in a list."""
    return [s.data for s in scores] if isinstance(scores, (list, tuple)) else scores.data


def as_values(scores: Any) -> Any:
    """The opposite of `numbers`."""
    return [Value(s) for s in scores] if isinstance(scores, list) else Value(scores)


class Scores:
    """What a model gives for rows of features, as numbers: by a program, if they are many."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._compiled = Compiled(functools.partial(_scores, model), finish=_detached)

    def __call__(self, features: Any) -> list[Any]:
        if len(features) >= _MANY:
            with contextlib.suppress(TraceError, MissingExtraError):
                return self._by_program(features)
        with no_grad():
            return _detached(_scores(self._model, features))

    def _by_program(self, features: Any) -> list[Any]:
        found: list[Any] = []
        for start in range(0, len(features), _ROWS):
            program = self._compiled.run(Call((features[start : start + _ROWS],), {}))
            found += program.numbers()
        return found


def _scores(model: Any, features: Any) -> list[Any]:
    return [model(x) for x in listed(features)]


def _detached(scores: list[Any]) -> list[Any]:
    return [numbers(s) for s in scores]


class ByEngine:
    """Each step builds its graph anew."""

    how = "each step is computed value by value"
    eager = True

    def __init__(
        self, model: Any, loss: Callable[[Any, Any], Any], l2: float, optimizer: Optimizer
    ) -> None:
        self._objective = functools.partial(objective, model, loss, l2)
        self._optimizer = optimizer

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        self._optimizer.zero_grad()
        loss, scores = self._objective(*examples)
        loss.backward()
        if not all(map(math.isfinite, [loss.data, *[p.grad for p in self._optimizer.params]])):
            raise AnomalyError("the loss or a gradient is nan or infinite")
        return loss.data, [numbers(s) for s in scores]

    def update(self) -> None:
        params = self._optimizer.params
        before = [p.data for p in params]
        self._optimizer.step()
        after = [p.data for p in params]
        if all(map(math.isfinite, after)):
            return
        for p, number in zip(params, before):
            p.data = number
        i = [math.isfinite(number) for number in after].index(False)
        raise TrainingError(
            f"the update made a parameter {after[i]}, which was {before[i]}: "
            f"its gradient is {params[i].grad}, the learning rate {self._optimizer.lr}"
        )


class ByProgram:
    """The first step is traced; all steps run the program that it became.

    Where a later step cannot, it and all that follow are left to the engine.

    Raises:
        TraceError: the model or the loss cannot be traced.
        MissingExtraError: NumPy is not installed.
    """

    def __init__(
        self,
        model: Any,
        loss: Callable[[Any, Any], Any],
        l2: float,
        optimizer: Optimizer,
        first: Examples,
    ) -> None:
        self._step = train_step(functools.partial(objective, model, loss, l2), optimizer)
        self._by_engine = ByEngine(model, loss, l2, optimizer)
        self._steps: Any = self._step
        self.program = self._step.loss.run(Call(tuple(first), {}))
        self.how = self.program.summary()
        self.eager = False

    def evaluate(self, examples: Examples) -> tuple[float, list[Any]]:
        if self._steps is self._step:
            try:
                loss, scores = self._step.evaluate(*examples)
                return loss, scores
            except TraceError as error:
                self.how = f"from here on, {ByEngine.how}: {error}"
                self._steps, self.eager = self._by_engine, True
        return self._by_engine.evaluate(examples)

    def update(self) -> None:
        self._steps.update()


def steps_for(
    model: Any,
    loss: Callable[[Any, Any], Any],
    l2: float,
    optimizer: Optimizer,
    first: Examples,
    eager: bool,
) -> Steps:
    """What makes the steps: a program, unless that would be slower.

    Args:
        first: the examples of the first step; all steps have as many.
        eager: whether to leave it to the engine in any case.
    """
    by_engine = ByEngine(model, loss, l2, optimizer)
    if eager:
        return by_engine
    try:
        by_program = ByProgram(model, loss, l2, optimizer, first)
    except (TraceError, MissingExtraError) as error:
        by_engine.how += f": {error}"
        return by_engine
    if by_program.program.is_slower_than_engine():
        by_engine.how += ": as a program it would be slower"
        return by_engine
    return by_program
