"""A step of training as one call: forward, backward and update of a compiled loss."""

from __future__ import annotations

import contextvars
import math

from chainrule import flat, modes
from chainrule.check import detect_anomaly
from chainrule.compiler.call import Call
from chainrule.compiler.compiled import Compiled
from chainrule.compiler.traced import mapped
from chainrule.engine import Value, _lock
from chainrule.errors import AnomalyError, ArgumentError, TrainingError
from chainrule.optim import Optimizer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from chainrule.compiler.traced import Traced


def train_step(loss: Any, optimizer: Optimizer) -> TrainStep:
    """Make forward, backward and update one call, at array speed.

    A step does what `optimizer.zero_grad()`, `backward()` of the loss and `optimizer.step()` do.
    Data and gradients of the parameters are right after each step, whoever looks, and what is
    assigned to them in between is seen by the next; so are the optimiser's rates.

    Args:
        loss: a function of the data, compiled or not, that returns a value; or a tuple that
            begins with it, of whose other parts the numbers are returned.
        optimizer: what moves the parameters.

    Returns:
        A function of the same data, which returns the loss before the update, as a number.

    Raises:
        ArgumentError: `optimizer` is none, or has its own `step`; or `loss` cannot be called or
            returns something else.

    >>> from chainrule import Value
    >>> from chainrule.optim import SGD
    >>> weight = Value(3.0)
    >>> step = train_step(lambda x, y: (weight * x - y) ** 2, SGD([weight], lr=0.1))
    >>> step(1.0, 2.0), step(1.0, 2.0)
    (1.0, 0.6399999999999997)
    >>> print(f"{weight:.4f}")
    2.6400
    """
    if not isinstance(optimizer, Optimizer):
        raise ArgumentError(f"an optimiser such as SGD(parameters) is needed, not {optimizer!r}")
    if type(optimizer).step is not Optimizer.step:
        raise ArgumentError(
            f"{type(optimizer).__name__} has a step() of its own, which a compiled step does not "
            "call: call backward() and step() on what the compiled loss returns"
        )
    function = loss.function if isinstance(loss, Compiled) else loss
    return TrainStep(Compiled(function, finish=loss_and_numbers), optimizer)


def loss_and_numbers(result: Any) -> Any:
    """What a loss function returns: the loss, and the data of what it returns besides.

    Raises:
        ArgumentError: it returns no value, or none as the first of a tuple.
    """
    first, *rest = result if isinstance(result, tuple) else (result,)
    if type(first) is not Value:
        raise ArgumentError(f"the loss must be a value, not a {first.__class__.__name__}")
    if not first.op:
        first = first * 1.0  # the program has to make it
    return (first, *mapped(tuple(rest), lambda x: x.data if type(x) is Value else x))


class TrainStep:
    """A loss and an optimiser, as one function.

    Attributes:
        loss: the compiled loss.
        optimizer: what moves the parameters.
    """

    def __init__(self, loss: Compiled, optimizer: Optimizer) -> None:
        self.loss = loss
        self.optimizer = optimizer
        self._updates: dict[Traced, _Update] = {}
        self._latest: Any = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Move the parameters once.

        Raises:
            AnomalyError: the loss or a gradient is nan or infinite. It names the op. Parameters
                and optimiser are as they were.
            TrainingError: the update would make a parameter so. The parameters are as they were.
        """
        if modes.are_watching():
            return self._by_hand(args, kwargs)
        with _lock:
            result = self.evaluate(*args, **kwargs)
            self.update()
            return result

    def _by_hand(self, args: Any, kwargs: Any) -> Any:
        """The same step by the engine, so that every op is seen."""
        self.optimizer.zero_grad()
        loss, *rest = loss_and_numbers(self.loss.function(*args, **kwargs))
        loss.backward()
        self.optimizer.step()
        return (loss.data, *rest) if rest else loss.data

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """The first half of a step: the loss, and the gradients in the parameters.

        Raises:
            AnomalyError: as for a whole step.
        """
        with _lock:
            program = self.loss.run(Call(args, kwargs))
            if program not in self._updates:
                self._updates[program] = _Update(program, self.optimizer)
            self._latest = self._updates[program]
            loss, *rest = program.numbers()
            if not (math.isfinite(loss) and self._latest.find_gradient()):
                raise self._anomaly(args, kwargs)
            self._latest.set_gradients()
            return (loss, *rest) if rest else loss

    def update(self) -> None:
        """The second half: move the parameters by their gradients.

        Raises:
            TrainingError: as for a whole step.
        """
        self._latest.move()

    def _anomaly(self, args: Any, kwargs: Any) -> Exception:
        """The first nan or inf, found by running the function itself."""
        try:
            with detect_anomaly():
                loss_and_numbers(self.loss.function(*args, **kwargs))[0].backward()
        except AnomalyError as anomaly:
            return anomaly
        return TrainingError("the loss or a gradient is not finite, but in the program alone")


class _Update:
    """How the gradient that a program computes moves the parameters of an optimiser."""

    def __init__(self, program: Traced, optimizer: Optimizer) -> None:
        import numpy as np

        self._program = program
        self._optimizer = optimizer
        given = {i for i, _ in program.from_call}  # it may be another value at each call
        places = {id(x): i for i, x in enumerate(program.operands) if i not in given}
        owned = set(map(id, optimizer.params))
        nowhere = len(program.operands)  # the loss does not depend on it
        order = [places.get(id(p), nowhere) for p in optimizer.params]
        self._order = np.array(order, dtype=np.intp)
        self._absent = self._order == nowhere
        self._any_absent = nowhere in order
        everywhere = enumerate(program.operands)
        self._others = [i for i, x in everywhere if i in given or id(x) not in owned]
        self._gradient = np.zeros(len(optimizer.params))
        self._data = np.empty(len(optimizer.params))
        self._quiet = contextvars.copy_context()  # where NumPy does not warn of what overflows
        self._quiet.run(np.seterr, all="ignore")

    def find_gradient(self) -> bool:
        """Compute the gradient, and say whether it is finite."""
        self._found = self._program.gradient()
        if self._found.size:
            self._found.take(self._order, out=self._gradient, mode="clip")
        if self._any_absent:
            self._gradient[self._absent] = 0.0
        return self._all_finite(self._gradient)

    def set_gradients(self) -> None:
        """What `backward()` leaves in the parameters, and in what else the loss depends on."""
        flat.write_grads(self._optimizer.params, self._gradient)
        for i in self._others:  # and on to what made them
            self._program.operands[i].backward(self._found[i])
        if self._others:  # which may be some of the parameters
            self._gradient[:] = [p.grad for p in self._optimizer.params]

    def move(self) -> None:
        """Move the parameters."""
        params = self._optimizer.params
        flat.read_data(params, self._data)
        moved = self._quiet.copy().run(self._optimizer.moved, self._data, self._gradient)
        if not self._all_finite(moved):
            i = [math.isfinite(x) for x in moved.tolist()].index(False)
            raise TrainingError(
                f"the update would make a parameter {moved[i]}, which is {self._data[i]}: its "
                f"gradient is {self._gradient[i]}, the learning rate {self._optimizer.lr}; the "
                "parameters are those before this step"
            )
        flat.write_data(params, moved)

    def _all_finite(self, vector: Any) -> bool:
        square = self._quiet.copy().run(vector.dot, vector)
        return math.isfinite(square) or bool((abs(vector) < math.inf).all())
