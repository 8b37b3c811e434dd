"""A gradient of the lecture's demo, lifted, beside NumPy by hand and PyTorch: python -m bench.lift

100 points, an MLP of 2, 16, 16 and 1, hinge loss and L2, in float64, with one BLAS thread. Each
computes the loss and the derivatives by all parameters; the lifted one by the points and labels
too, for they are leaves like others. The three take turns in one process.
"""

from __future__ import annotations

import gc
import os
import random
import statistics
from collections.abc import Callable
from time import perf_counter
from typing import Any

os.environ |= {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}  # before NumPy is imported

import numpy as np

from bench._common import spread
from chainrule import Value, lift
from chainrule.nn import MLP

RUNS = 400


def demo() -> tuple[MLP, Any, Any, Value]:
    """The model, points, labels and loss of the demo."""
    random.seed(1337)
    rng = random.Random(0)
    model = MLP(2, [16, 16, 1])
    points = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)]
    labels = [rng.choice([-1.0, 1.0]) for _ in range(100)]
    scores = [model([Value(x) for x in point]) for point in points]
    losses = [(1 + -Value(y) * score).relu() for y, score in zip(labels, scores)]
    loss = sum(losses) / len(losses) + 1e-4 * sum(p * p for p in model.parameters())
    return model, np.array(points), np.array(labels), loss


def weights(model: MLP) -> list[tuple[Any, Any]]:
    """Each layer's weights, a row for each neuron, and biases."""
    return [
        (
            np.array([[w.data for w in neuron.w] for neuron in layer.neurons]),
            np.array([neuron.b.data for neuron in layer.neurons]),
        )
        for layer in model.layers
    ]


def by_hand(model: MLP, points: Any, labels: Any) -> Callable[[], float]:
    """The same in NumPy, with every large array written to where it is kept."""
    (w1, b1), (w2, b2), (w3, b3) = weights(model)
    n = len(points)
    h1, h2, g1, g2 = (np.empty((n, 16)) for _ in range(4))
    d1, d2, d3 = np.empty_like(w1), np.empty_like(w2), np.empty_like(w3)

    def step() -> float:
        np.matmul(points, w1.T, out=h1)
        np.add(h1, b1, out=h1)
        np.maximum(h1, 0.0, out=h1)
        np.matmul(h1, w2.T, out=h2)
        np.add(h2, b2, out=h2)
        np.maximum(h2, 0.0, out=h2)
        margins = 1.0 - labels * (h2 @ w3[0] + b3)
        decay = sum((w * w).sum() + (b * b).sum() for w, b in ((w1, b1), (w2, b2), (w3, b3)))
        loss = np.maximum(margins, 0.0).sum() / n + 1e-4 * decay
        slope = np.where(margins > 0.0, -labels / n, 0.0)
        np.multiply(slope[:, None], w3, out=g2)
        np.multiply(g2, h2 > 0.0, out=g2)
        np.matmul(g2, w2, out=g1)
        np.multiply(g1, h1 > 0.0, out=g1)
        np.matmul(g1.T, points, out=d1)
        np.matmul(g2.T, h1, out=d2)
        np.matmul(slope[None], h2, out=d3)
        for d, w in ((d1, w1), (d2, w2), (d3, w3)):
            np.add(d, 2e-4 * w, out=d)
        for g, b in ((g1, b1), (g2, b2), (slope[:, None], b3)):
            g.sum(axis=0) + 2e-4 * b
        return float(loss)

    return step


def in_pytorch(model: MLP, points: Any, labels: Any) -> Callable[[], float]:
    """The same with PyTorch's tensors, eagerly."""
    import torch

    torch.set_num_threads(1)
    layers = [
        (torch.tensor(w, requires_grad=True), torch.tensor(b, requires_grad=True))
        for w, b in weights(model)
    ]
    x, y = torch.tensor(points), torch.tensor(labels)

    def step() -> float:
        h = x
        for k, (w, b) in enumerate(layers):
            h = h @ w.T + b
            h = h.relu() if k < 2 else h
            w.grad = b.grad = None
        decay = sum((w * w).sum() + (b * b).sum() for w, b in layers)
        loss = (1.0 - y * h[:, 0]).relu().sum() / len(points) + 1e-4 * decay
        loss.backward()
        return loss.item()

    return step


def lifted_step(loss: Value) -> Callable[[], float]:
    """The lifted program, its leaves being where they were."""
    lifted = lift(loss)
    lifted.backward()
    runner = lifted._backward

    def step() -> float:
        runner.run()
        return float(runner.outputs[0][0])

    return step


def main() -> None:
    """Print the microseconds of each, and how many times as long the lifted one takes."""
    model, points, labels, loss = demo()
    started = perf_counter()
    lift(loss)
    print(f"lifting took {1000 * (perf_counter() - started):.0f} ms")
    steps = {"lifted": lifted_step(loss), "NumPy by hand": by_hand(model, points, labels)}
    try:
        steps["PyTorch, eager"] = in_pytorch(model, points, labels)
    except ImportError:
        print("PyTorch is not installed, and left out")
    times: dict[str, list[float]] = {name: [] for name in steps}
    gc.disable()
    for _ in range(RUNS):
        for name, step in steps.items():
            started = perf_counter()
            found = step()
            times[name].append(1e6 * (perf_counter() - started))
            assert abs(found - loss.data) <= 1e-12, name
    lifted = statistics.median(times["lifted"])
    for name, taken in times.items():
        ratio = lifted / statistics.median(taken)
        print(f"  {name:15} {spread(taken, 'us')}: lifted takes {ratio:.2f} times as long")


if __name__ == "__main__":
    main()
