"""Optimisers, which move parameters against their gradients, and schedules of the learning rate.

Names, arguments and numbers are PyTorch's. One thing differs: here a gradient is a number from
the start, so that a parameter which `backward()` never reached has gradient 0 and is moved by
weight decay and momentum, where PyTorch would pass it over.
"""

from __future__ import annotations

import math

from chainrule.arguments import check_count, check_range, check_state, converts
from chainrule.engine import Value
from chainrule.errors import ArgumentError
from chainrule.floats import divide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


class Optimizer:
    """What the optimisers below have in common.

    Attributes:
        params: the parameters, as given.
        lr: the learning rate, which may be assigned at any time.
        steps: how many steps were taken.
        buffers: the names of the attributes that hold a number for each parameter.
    """

    buffers: tuple[str, ...] = ()

    def __init__(self, params: Iterable[Value], lr: float, weight_decay: float) -> None:
        self.params = _parameters(params)
        self.lr = lr
        self.weight_decay = weight_decay
        self.steps = 0
        _check_from_zero(lr=lr, weight_decay=weight_decay)

    def step(self) -> None:
        """Move every parameter once, by its gradient."""
        self.steps += 1
        for i, p in enumerate(self.params):
            p.data = self._moved(i, p.data, p.grad)

    def moved(self, xs: Any, gradients: Any) -> Any:
        """Where a step moves the parameters from xs, all at once: vectors, in their order."""
        for name in self.buffers:
            if isinstance(getattr(self, name), list):
                from numpy import array

                setattr(self, name, array(getattr(self, name)))
        self.steps += 1
        return self._moved(..., xs, gradients)

    def zero_grad(self) -> None:
        """Set the gradient of each parameter to zero; `backward()` would add to it."""
        for p in self.params:
            p.grad = 0.0

    def state_dict(self) -> dict[str, Any]:
        """All that a later step depends on, but for the parameters: numbers and lists of them."""
        return _copied(self, but=("params", "initial_lr"))

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as the optimiser that `state` is of would have: bit for bit.

        Raises:
            StateError: the state is of another kind of optimiser, or of other parameters.
                Nothing was loaded.
        """
        _load(self, self.state_dict(), state)

    def _moved(self, i: Any, x: Any, gradient: Any) -> Any:
        """Where parameter i goes from x; or where all go, if i is `...` and the others vectors."""
        raise NotImplementedError


class SGD(Optimizer):
    """Gradient descent: each parameter moves by -lr times its gradient.

    With momentum it moves along a running sum of gradients instead, `momentum_buffer`.

    Args:
        params: the values to move.
        lr: the learning rate.
        momentum: what part of the running sum is kept at each step.
        dampening: what part of each new gradient is left out of the running sum.
        weight_decay: adds that multiple of the parameter to its gradient.
        nesterov: whether to look ahead along the running sum.

    Raises:
        ArgumentError: a number out of range, or a parameter that is no leaf.

    >>> x = Value(3.0)
    >>> optimizer = SGD([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> print(f"{x:.4f}")
    2.4000
    """

    buffers = ("momentum_buffer",)

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        _check_from_zero(momentum=momentum)
        check_range("dampening", dampening, math.isfinite, "a finite number")
        if nesterov and (momentum == 0 or dampening != 0):
            raise ArgumentError(
                "nesterov needs a momentum above 0 and a dampening of 0, "
                f"not {momentum} and {dampening}"
            )
        self.momentum = momentum
        self.dampening = dampening
        self.nesterov = nesterov
        self.momentum_buffer = [0.0] * len(self.params)

    def _moved(self, i: Any, x: Any, gradient: Any) -> Any:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * x
        if self.momentum:
            gradient = self._with_momentum(i, gradient)
        return x - self.lr * gradient

    def _with_momentum(self, i: Any, gradient: Any) -> Any:
        total = gradient  # the first gradient enters undampened
        if self.steps > 1:
            total = self.momentum * self.momentum_buffer[i] + (1 - self.dampening) * gradient
        self.momentum_buffer[i] = total
        return gradient + self.momentum * total if self.nesterov else total


class Adam(Optimizer):
    """Gradient descent by running means of the gradient, `exp_avg`, and its square, `exp_avg_sq`.

    The step is the first mean over the root of the second, so that it hardly depends on how large
    the gradients are. Both means start at 0, which is corrected for.

    Args:
        params: the values to move.
        lr: the learning rate, about as far as a parameter moves in one step.
        betas: what part of each of the two means is kept at each step.
        eps: is added to the divisor.
        weight_decay: adds that multiple of the parameter to its gradient.

    Raises:
        ArgumentError: a number out of range, or a parameter that is no leaf.

    >>> x = Value(3.0)
    >>> optimizer = Adam([x], lr=0.1)
    >>> (x * x).backward()
    >>> optimizer.step()
    >>> print(f"{x:.4f}")
    2.9000
    """

    buffers = ("exp_avg", "exp_avg_sq")

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(params, lr, weight_decay)
        _check_from_zero(eps=eps)
        check_count("betas", betas, 2)
        for beta in betas:
            check_range("a beta", beta, lambda beta: 0 <= beta < 1, "from 0 to below 1")
        self.betas = tuple(betas)
        self.eps = eps
        self.exp_avg = [0.0] * len(self.params)
        self.exp_avg_sq = [0.0] * len(self.params)

    def _moved(self, i: Any, x: Any, gradient: Any) -> Any:
        if self.weight_decay:
            gradient = gradient + self.weight_decay * x
        return x - self.lr * self._direction(i, gradient)

    def _direction(self, i: Any, gradient: Any) -> Any:
        beta1, beta2 = self.betas
        self.exp_avg[i] += (1 - beta1) * (gradient - self.exp_avg[i])
        self.exp_avg_sq[i] = beta2 * self.exp_avg_sq[i] + (1 - beta2) * gradient * gradient
        mean = self.exp_avg[i] / (1 - beta1**self.steps)
        root = _root(self.exp_avg_sq[i]) / math.sqrt(1 - beta2**self.steps)
        return _over(mean, root + self.eps)


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters themselves, apart from the means.

    Args:
        params: the values to move.
        lr: the learning rate.
        betas: as in `Adam`.
        eps: as in `Adam`.
        weight_decay: each step takes away lr * weight_decay of each parameter.

    Raises:
        ArgumentError: a number out of range, or a parameter that is no leaf.

    >>> AdamW([Value(3.0)]).weight_decay
    0.01
    """

    def __init__(
        self,
        params: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _moved(self, i: Any, x: Any, gradient: Any) -> Any:
        shrunk = x * (1 - self.lr * self.weight_decay)
        return shrunk - self.lr * self._direction(i, gradient)


class Schedule:
    """What the schedules below have in common: they move the optimiser's `lr` at each `step()`.

    Each new rate is made from the one before, so that two schedules of one optimiser multiply,
    and a rate assigned in between is scaled from there on.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.optimizer = optimizer
        self.base_lr: float = vars(optimizer).setdefault("initial_lr", optimizer.lr)
        self.last_epoch = 0

    def step(self) -> None:
        """Move the learning rate; call it after the optimiser's own step."""
        self.last_epoch += 1
        self.optimizer.lr = self._next(self.optimizer.lr)

    def state_dict(self) -> dict[str, Any]:
        """All that the learning rates to come depend on, the present one included."""
        return {**_copied(self, but=("optimizer",)), "lr": self.optimizer.lr}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on as the schedule that `state` is of would have, and set the optimiser's `lr`.

        Raises:
            StateError: the state is of another kind of schedule. Nothing was loaded.
        """
        _load(self, self.state_dict(), state)
        self.optimizer.lr = vars(self).pop("lr")

    def _next(self, lr: float) -> float:
        """The rate after lr."""
        raise NotImplementedError


class LinearLR(Schedule):
    """From lr * start_factor to lr * end_factor along a straight line.

    Args:
        optimizer: whose `lr` is moved, at once to its start.
        start_factor: where the line starts, above 0 and at most 1.
        end_factor: where it ends, from 0 to 1.
        total_iters: after how many steps; from then on the rate stays.

    Raises:
        ArgumentError: a number out of range.

    >>> optimizer = SGD([Value(0.0)], lr=1.0)
    >>> schedule = LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=100)
    >>> for _ in range(50):
    ...     schedule.step()
    >>> print(f"{optimizer.lr:.4f}")
    0.5500
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        super().__init__(optimizer)
        check_range("start_factor", start_factor, lambda x: 0 < x <= 1, "above 0 and at most 1")
        check_range("end_factor", end_factor, lambda x: 0 <= x <= 1, "from 0 to 1")
        check_range("total_iters", total_iters, lambda n: n // 1 == n >= 0, "a whole number")
        self.start_factor = start_factor
        self.end_factor = end_factor
        self.total_iters = total_iters
        optimizer.lr *= start_factor

    def _next(self, lr: float) -> float:
        if self.last_epoch > self.total_iters:
            return lr
        rise = self.end_factor - self.start_factor
        before = self.total_iters * self.start_factor + (self.last_epoch - 1) * rise
        return lr * (1 + rise / before)


class CosineAnnealingLR(Schedule):
    """From lr to eta_min and back, again and again, along a cosine.

    Args:
        optimizer: whose `lr` is moved.
        T_max: the number of steps to the minimum, and again from there to the start.
        eta_min: the minimum.

    Raises:
        ArgumentError: a number out of range.

    >>> optimizer = SGD([Value(0.0)], lr=1.0)
    >>> schedule = CosineAnnealingLR(optimizer, T_max=100)
    >>> for _ in range(50):
    ...     schedule.step()
    >>> print(f"{optimizer.lr:.4f}")
    0.5000
    """

    def __init__(
        self,
        optimizer: Optimizer,
        T_max: int,  # noqa: N803 - PyTorch's name
        eta_min: float = 0.0,
    ) -> None:
        super().__init__(optimizer)
        check_range("T_max", T_max, lambda n: n // 1 == n >= 1, "a whole number from 1 up")
        check_range("eta_min", eta_min, math.isfinite, "a finite number")
        self.T_max = T_max
        self.eta_min = eta_min

    def _next(self, lr: float) -> float:
        if (self.last_epoch - 1) % (2 * self.T_max) == self.T_max:  # up from the minimum
            return lr + (self.base_lr - self.eta_min) * (1 - math.cos(math.pi / self.T_max)) / 2
        ratio = self._height(self.last_epoch) / self._height(self.last_epoch - 1)
        return ratio * (lr - self.eta_min) + self.eta_min

    def _height(self, epoch: int) -> float:
        return 1 + math.cos(math.pi * epoch / self.T_max)


def _parameters(params: Iterable[Value]) -> list[Value]:
    """The parameters as a list, if there are any and each is a leaf that stands there once."""
    if not hasattr(params, "__iter__"):
        raise ArgumentError(f"a list such as model.parameters() is needed, not {params!r}")
    listed = list(params)
    if not listed:
        raise ArgumentError("there are no parameters to optimise: give at least one value")
    for p in listed:
        if type(p) is not Value or p.op:
            raise ArgumentError(f"a parameter is a value that was not computed, not {p!r}")
    if len(set(listed)) < len(listed):
        raise ArgumentError("a parameter is listed twice, and would be moved twice by each step")
    return listed


def _root(x: Any) -> Any:
    """The square root of a number, or of each in a vector."""
    return math.sqrt(x) if isinstance(x, float) else x**0.5


def _over(x: Any, y: Any) -> Any:
    """The quotient of two numbers or vectors, also where y is 0."""
    return divide(x, y) if isinstance(x, float) else x / y


def _check_from_zero(**numbers: float) -> None:
    for name, number in numbers.items():
        check_range(name, number, lambda x: x >= 0, "a number from 0 up")


def _copied(thing: object, but: tuple[str, ...]) -> dict[str, Any]:
    """The attributes of an optimiser or schedule, in copies."""
    return {
        name: x.tolist() if hasattr(x, "tolist") else list(x) if isinstance(x, list) else x
        for name, x in vars(thing).items()
        if name not in but
    }


def _load(thing: object, own: dict[str, Any], state: Mapping[str, Any]) -> None:
    """Set the attributes to copies of what `state` has, if that is like what they have."""
    check_state(own, state, lambda name, x: _alike(own[name], x))
    for name, x in own.items():
        setattr(thing, name, type(x)(state[name]) if isinstance(x, (list, tuple)) else state[name])


def _alike(own: Any, given: Any) -> bool:
    """Whether both are numbers, or lists of numbers of one length."""
    if not isinstance(own, (list, tuple)):
        return converts(given)
    listed = isinstance(given, (list, tuple)) and len(given) == len(own)
    return listed and all(map(converts, given))
