"""Minibatches of digits, compiled, beside PyTorch and JAX: python -m bench.compile_digits

An MLP of 64, 32 and 10, cross entropy and Adam, in float64: 128 images a step, others at each,
written in scalars here and with arrays for the others. They take turns, each in a process of its
own and with one thread.
"""

from __future__ import annotations

import itertools
import random
import statistics
import sys
from typing import Any

import numpy as np

import chainrule
from bench._turns import Engine, Run, show, take_turns
from chainrule.datasets import load
from chainrule.losses import cross_entropy
from chainrule.nn import MLP
from chainrule.optim import Adam

LR, BETAS, EPS = 0.01, (0.9, 0.999), 1e-8
BATCH = 128

Batches = list[tuple[Any, Any]]  # images, one a row, and the numbers of their classes


def digits() -> Batches:
    """The images to train on, cut into minibatches; the last, shorter one is left out."""
    images, classes = map(np.array, load("digits").train)
    starts = range(0, len(images) - BATCH + 1, BATCH)
    return [(images[at : at + BATCH], classes[at : at + BATCH]) for at in starts]


def network() -> MLP:
    """The network from one seed."""
    random.seed(1337)
    return MLP(64, [32, 10])


def weights() -> list[Any]:
    """Each layer's weights, a row for each neuron, and then its biases."""
    found = []
    for layer in network().layers:
        found.append(np.array([[w.data for w in neuron.w] for neuron in layer.neurons]))
        found.append(np.array([neuron.b.data for neuron in layer.neurons]))
    return found


def ours(batches: Batches) -> Run:
    """Scalars, one image after the other, as one call."""
    model = network()

    def loss(images: Any, classes: Any) -> Any:
        return cross_entropy([model(image) for image in images], classes)

    step = chainrule.train_step(loss, Adam(model.parameters(), lr=LR, betas=BETAS, eps=EPS))
    order = itertools.cycle(batches)
    return lambda steps: [step(*next(order)) for _ in range(steps)]


def pytorch(batches: Batches) -> Run:
    """PyTorch's tensors, eagerly, with its fused Adam."""
    import torch

    torch.set_num_threads(1)
    linear = torch.nn.functional.linear
    parameters = [torch.tensor(w, requires_grad=True) for w in weights()]
    optimizer = torch.optim.Adam(parameters, lr=LR, betas=BETAS, eps=EPS, fused=True)
    order = itertools.cycle([(torch.tensor(x), torch.tensor(y)) for x, y in batches])

    def step() -> Any:
        x, y = next(order)
        w1, b1, w2, b2 = parameters
        scores = linear(linear(x, w1, b1).relu(), w2, b2)
        loss = torch.nn.functional.cross_entropy(scores, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda steps: [step() for _ in range(steps)]


def jax_jit(batches: Batches) -> Run:
    """JAX: a step with its update is one call, all parameters one vector."""
    import jax

    jax.config.update("jax_enable_x64", True)
    from jax import numpy as jnp
    from jax.flatten_util import ravel_pytree

    vector, layers = ravel_pytree([jnp.array(w) for w in weights()])
    order = itertools.cycle([(jnp.array(x), jnp.array(y)) for x, y in batches])

    def loss(vector: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2 = layers(vector)
        scores = jax.nn.relu(x @ w1.T + b1) @ w2.T + b2
        right = jnp.take_along_axis(scores, y[:, None], axis=1)[:, 0]
        return (jax.nn.logsumexp(scores, axis=1) - right).mean()

    def step(vector: Any, first: Any, second: Any, count: Any, x: Any, y: Any) -> Any:
        found, slope = jax.value_and_grad(loss)(vector, x, y)
        count += 1
        first = BETAS[0] * first + (1.0 - BETAS[0]) * slope
        second = BETAS[1] * second + (1.0 - BETAS[1]) * slope * slope
        root = jnp.sqrt(second / (1.0 - BETAS[1] ** count)) + EPS
        vector -= LR * first / (1.0 - BETAS[0] ** count) / root
        return (vector, first, second, count), found

    compiled = jax.jit(step, donate_argnums=(0, 1, 2, 3))
    state = vector, jnp.zeros_like(vector), jnp.zeros_like(vector), jnp.array(0.0)

    def run(steps: int) -> list[Any]:
        nonlocal state
        losses = []
        for _ in range(steps):
            state, found = compiled(*state, *next(order))
            losses.append(found)
        jax.block_until_ready(state)
        return losses

    return run


ENGINES = [
    Engine("chainrule on scalars", "chainrule", ours),
    Engine("PyTorch eager", "torch", pytorch),
    Engine("JAX jit", "jax", jax_jit),
]


def main() -> None:
    """Print the time of a step, and the steps in a second, of each."""
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    results = take_turns(ENGINES, digits())
    show(results)
    for found in results:
        if not found.absent:
            speed = 1.0 / statistics.median(found.seconds)
            print(f"  {found.name}: {speed:,.0f} steps a second")


if __name__ == "__main__":
    main()
