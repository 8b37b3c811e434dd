"""The step of the lecture's demo, written for each of those who take turns at it.

Moons, an MLP of two hidden layers of one size, hinge loss and L2, and gradient descent at one
learning rate, in float64: forward pass, backward pass and update. Each function prepares it, and
returns one that does at least so many steps and returns their losses.
"""

from __future__ import annotations

import random
from typing import Any, NamedTuple

import numpy as np
from sklearn.datasets import make_moons

import chainrule
from bench._turns import Run
from chainrule.nn import MLP
from chainrule.optim import SGD

LR, DECAY = 0.1, 1e-4


class Demo(NamedTuple):
    """What every engine is given.

    Attributes:
        points: of shape (points, 2).
        labels: 1.0 or -1.0 for each point.
        weights: for each layer its weights, a row for each neuron, and then its biases.
    """

    points: Any
    labels: Any
    weights: list[Any]


def demo(hidden: int, points: int) -> Demo:
    """The demo with that many neurons in each hidden layer, and that many points."""
    found, classes = make_moons(n_samples=points, noise=0.1, random_state=1337)
    random.seed(1337)
    weights = []
    for layer in MLP(2, [hidden, hidden, 1]).layers:
        weights.append(np.array([[w.data for w in neuron.w] for neuron in layer.neurons]))
        weights.append(np.array([neuron.b.data for neuron in layer.neurons]))
    return Demo(found, classes * 2.0 - 1.0, weights)


def in_order(weights: list[Any]) -> list[float]:
    """The numbers in the order of `parameters()`: of each neuron its weights and its bias."""
    layers = zip(weights[::2], weights[1::2])
    return np.concatenate([np.column_stack([w, b]).ravel() for w, b in layers]).tolist()


def values(hidden: int) -> int:
    """How many values one point makes, more or less: two for each weight."""
    return 2 * (hidden * hidden + 4 * hidden) + 10


def ours(work: Demo) -> Run:
    """Scalars, in the words of the lecture, as one call."""
    model = MLP(2, [len(work.weights[0])] * 2 + [1])
    for p, number in zip(model.parameters(), in_order(work.weights)):
        p.data = number

    def loss(points: Any, labels: Any) -> Any:
        scores = [model(point) for point in points]
        losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
        return sum(losses) / len(losses) + DECAY * sum(p * p for p in model.parameters())

    step = chainrule.train_step(loss, SGD(model.parameters(), lr=LR))
    return lambda steps: [step(work.points, work.labels) for _ in range(steps)]


def numpy_plain(work: Demo) -> Run:
    """NumPy as one writes it down."""
    x, y = work.points, work.labels
    n = len(x)

    def step() -> float:
        w1, b1, w2, b2, w3, b3 = work.weights
        h1 = np.maximum(x @ w1.T + b1, 0.0)
        h2 = np.maximum(h1 @ w2.T + b2, 0.0)
        margins = 1.0 - y * (h2 @ w3[0] + b3)
        decay = sum((w * w).sum() for w in work.weights)
        loss = np.maximum(margins, 0.0).sum() / n + DECAY * decay
        slope = np.where(margins > 0.0, -y / n, 0.0)[:, None]
        g2 = slope * w3 * (h2 > 0.0)
        g1 = g2 @ w2 * (h1 > 0.0)
        slopes = [g1.T @ x, g1.sum(0), g2.T @ h1, g2.sum(0), slope.T @ h2, slope.sum(0)]
        for w, g in zip(work.weights, slopes):
            w -= LR * (g + 2.0 * DECAY * w)
        return float(loss)

    return lambda steps: [step() for _ in range(steps)]


def numpy_by_hand(work: Demo) -> Run:
    """NumPy as fast as we can write it: nothing is allocated, and every view is made once.

    Points stand in columns, so that the inner loops are long. A row of ones makes the biases
    part of the products. All parameters are one vector, and their slopes another. Constants are
    arrays, which saves their conversion.
    """
    hidden, n = len(work.weights[0]), len(work.points)
    p, p1, p2, p3 = _columns(hidden)
    g, d1, d2, d3 = _columns(hidden)
    for layer, w, b in zip((p1, p2, p3[None]), work.weights[::2], work.weights[1::2]):
        layer[:, :-1], layer[:, -1] = w, b
    x, h1_one, h2_one = np.ones((3, n)), np.ones((hidden + 1, n)), np.ones((hidden + 1, n))
    x[:2] = work.points.T
    h1, h2 = h1_one[:-1], h2_one[:-1]
    g1, g2, mask = (np.empty((hidden, n)) for _ in range(3))
    margins, slope, y = np.empty(n), np.empty(n), work.labels
    p2_turned, p3_column, x_turned, h1_turned = p2[:, :-1].T, p3[:-1, None], x.T, h1_one.T
    falls, share = -y / n, np.full(n, 1.0 / n)
    zero, one, lr, kept = map(np.array, (0.0, 1.0, LR, 1.0 - 2.0 * DECAY * LR))
    dot, maximum, multiply, subtract, sign = np.dot, np.maximum, np.multiply, np.subtract, np.sign

    def step() -> float:
        dot(p1, x, out=h1)
        maximum(h1, zero, out=h1)
        dot(p2, h1_one, out=h2)
        maximum(h2, zero, out=h2)
        dot(p3, h2_one, out=margins)
        multiply(margins, y, out=margins)
        subtract(one, margins, out=margins)
        maximum(margins, zero, out=margins)
        loss = dot(share, margins) + DECAY * dot(p, p)
        sign(margins, out=slope)
        multiply(slope, falls, out=slope)
        multiply(p3_column, slope, out=g2)
        sign(h2, out=mask)
        multiply(g2, mask, out=g2)
        dot(p2_turned, g2, out=g1)
        sign(h1, out=mask)
        multiply(g1, mask, out=g1)
        dot(h2_one, slope, out=d3)
        dot(g2, h1_turned, out=d2)
        dot(g1, x_turned, out=d1)
        multiply(g, lr, out=g)
        multiply(p, kept, out=p)
        subtract(p, g, out=p)
        return float(loss)

    return lambda steps: [step() for _ in range(steps)]


def _columns(hidden: int) -> tuple[Any, Any, Any, Any]:
    """A vector for all parameters, and its layers, with the biases in the last column."""
    sizes = 3 * hidden, (hidden + 1) * hidden, hidden + 1
    whole = np.zeros(sum(sizes))
    first, second, third = np.split(whole, np.cumsum(sizes[:2]))
    return whole, first.reshape(hidden, 3), second.reshape(hidden, hidden + 1), third


def pytorch(work: Demo) -> Run:
    """PyTorch's tensors, eagerly."""
    import torch

    loss, weights, x, y = _pytorch_loss(work)
    weights = [w.requires_grad_() for w in weights]

    def step() -> Any:
        found = loss(weights, x, y)
        slopes = torch.autograd.grad(found, weights)
        with torch.no_grad():
            for w, g in zip(weights, slopes):
                w.sub_(g, alpha=LR)
        return found.detach()

    return lambda steps: [step() for _ in range(steps)]


def pytorch_compiled(work: Demo) -> Run:
    """The whole step through torch.compile."""
    import torch

    loss, weights, x, y = _pytorch_loss(work)

    def step(weights: list[Any], x: Any, y: Any) -> Any:
        slopes, found = torch.func.grad_and_value(loss)(weights, x, y)
        for w, g in zip(weights, slopes):
            w.sub_(g, alpha=LR)
        return found

    compiled = torch.compile(step)

    def run(steps: int) -> list[Any]:
        with torch.no_grad():
            return [compiled(weights, x, y) for _ in range(steps)]

    return run


def _pytorch_loss(work: Demo) -> tuple[Any, list[Any], Any, Any]:
    import torch

    torch.set_num_threads(1)
    linear = torch.nn.functional.linear

    def loss(weights: list[Any], x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = weights
        h = linear(linear(x, w1, b1).relu(), w2, b2).relu()
        scores = linear(h, w3, b3)[:, 0]
        return (1.0 - y * scores).relu().mean() + DECAY * sum((w * w).sum() for w in weights)

    weights = [torch.tensor(w) for w in work.weights]
    return loss, weights, torch.tensor(work.points), torch.tensor(work.labels)


def jax_jit(work: Demo) -> Run:
    """JAX: a step is one call of a compiled function, all parameters one vector."""
    import jax

    step, state, x, y = _jax_step(work)
    compiled = jax.jit(step, donate_argnums=0)

    def run(steps: int) -> list[Any]:
        nonlocal state
        losses = []
        for _ in range(steps):
            state, loss = compiled(state, x, y)
            losses.append(loss)
        jax.block_until_ready(state)
        return losses

    return run


def jax_scan(work: Demo) -> Run:
    """JAX: a hundred steps are one call."""
    import jax

    step, state, x, y = _jax_step(work)
    hundred = jax.jit(
        lambda state: jax.lax.scan(lambda state, _: step(state, x, y), state, length=100)
    )

    def run(steps: int) -> list[Any]:
        nonlocal state
        losses: list[Any] = []
        while len(losses) < steps:
            state, found = hundred(state)
            losses += np.asarray(found).tolist()
        return losses

    return run


def _jax_step(work: Demo) -> tuple[Any, Any, Any, Any]:
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax import nn
    from jax import numpy as jnp
    from jax.flatten_util import ravel_pytree

    state, layers = ravel_pytree([jnp.array(w) for w in work.weights])

    def loss(state: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2, w3, b3 = layers(state)
        h = nn.relu(nn.relu(x @ w1.T + b1) @ w2.T + b2)
        return nn.relu(1.0 - y * (h @ w3[0] + b3)).mean() + DECAY * (state * state).sum()

    def step(state: Any, x: Any, y: Any) -> Any:
        found, slope = jax.value_and_grad(loss)(state, x, y)
        return state - LR * slope, found

    return step, state, jnp.array(work.points), jnp.array(work.labels)
