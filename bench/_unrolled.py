"""The step of the lecture's demo as one long program of scalars, in engines that are given that.

The loss is written once, in the words of the lecture, for any kind of number that has `relu`.
"""

from __future__ import annotations

from typing import Any

from bench._demo import DECAY, LR, Demo, in_order
from bench._turns import Run


def unrolled(work: Demo, parameters: list[Any], relu: Any) -> Any:
    """The loss by these parameters, each a number of some kind, neuron by neuron."""
    numbers = iter(parameters)
    layers = [
        [[next(numbers) for _ in range(len(row) + 1)] for row in w] for w in work.weights[::2]
    ]
    losses = []
    for point, label in zip(work.points.tolist(), work.labels.tolist()):
        x: list[Any] = point
        for layer in layers:
            x = [sum((wi * xi for wi, xi in zip(w, x)), b) for *w, b in layer]
            x = x if layer is layers[-1] else [relu(xi) for xi in x]
        losses.append(relu(1 + -label * x[0]))
    return sum(losses) / len(losses) + DECAY * sum(p * p for p in parameters)


def micrograd(work: Demo) -> Run:
    """micrograd 0.1.0, which builds its graph anew at each step."""
    from micrograd.engine import Value

    parameters = [Value(number) for number in in_order(work.weights)]

    def step() -> float:
        loss = unrolled(work, parameters, Value.relu)
        for p in parameters:
            p.grad = 0
        loss.backward()
        for p in parameters:
            p.data -= LR * p.grad
        return float(loss.data)

    return lambda steps: [step() for _ in range(steps)]


def pytorch(work: Demo) -> Run:
    """PyTorch with a tensor for each number."""
    import torch

    torch.set_num_threads(1)
    parameters = [
        torch.tensor(number, dtype=torch.float64, requires_grad=True)
        for number in in_order(work.weights)
    ]

    def step() -> Any:
        loss = unrolled(work, parameters, torch.relu)
        slopes = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for p, g in zip(parameters, slopes):
                p.sub_(g, alpha=LR)
        return loss.detach()

    return lambda steps: [step() for _ in range(steps)]


def casadi(work: Demo) -> Run:
    """CasADi's graph of scalars, built once and run by its virtual machine."""
    from casadi import DM, SX, Function, fmax, gradient

    state = SX.sym("p", len(in_order(work.weights)))
    loss = unrolled(work, SX.elements(state), lambda x: fmax(x, 0.0))
    step = Function("step", [state], [loss, state - LR * gradient(loss, state)])
    numbers = DM(in_order(work.weights))

    def run(steps: int) -> list[float]:
        nonlocal numbers
        losses = []
        for _ in range(steps):
            loss, numbers = step(numbers)
            losses.append(float(loss))
        return losses

    return run


def jax(work: Demo) -> Run:
    """JAX, which compiles it."""
    import jax

    jax.config.update("jax_enable_x64", True)
    relu = jax.nn.relu

    @jax.jit
    def step(state: Any) -> Any:
        loss = lambda state: unrolled(work, list(state), relu)
        found, slope = jax.value_and_grad(loss)(state)
        return state - LR * slope, found

    state = jax.numpy.array(in_order(work.weights))

    def run(steps: int) -> list[Any]:
        nonlocal state
        losses = []
        for _ in range(steps):
            state, loss = step(state)
            losses.append(loss)
        jax.block_until_ready(state)
        return losses

    return run
