"""One gradient step of the lecture's demo, here and in micrograd: python -m bench.demo_step

Moons of 100 points, MLP(2, [16, 16, 1]), hinge loss and L2, exactly as micrograd's notebook has
it. The two engines take turns, each in a process of its own, for what one leaves in memory slows
the other down; the first step of a turn, which finds the caches cold, is not counted. The time of
a step is that of its forward pass, of zero_grad and backward, and of the update, after which its
graph is let go; it is the processor's time, so that waiting for other programs does not count. The
garbage is collected between steps, outside of the time; where the collector is off, without
looking through what was imported.
"""

from __future__ import annotations

import functools
import gc
import multiprocessing
import random
import statistics
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from time import process_time
from typing import Any

import micrograd.engine
import micrograd.nn
from sklearn.datasets import make_moons

import chainrule
import chainrule.nn
from bench._common import spread, target

TURNS = 5
STEPS = 4  # in a turn
PARTS = ("forward", "backward", "update")
ENGINES = {
    "chainrule": (chainrule.Value, chainrule.nn.MLP),
    "micrograd": (micrograd.engine.Value, micrograd.nn.MLP),
}


def demo_loss(value: Any, model: Any, points: Any, labels: Any) -> Any:
    """The loss of micrograd's demo, in its own words."""
    inputs = [list(map(value, row)) for row in points]
    scores = list(map(model, inputs))
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    regularisation = 1e-4 * sum(p * p for p in model.parameters())
    return sum(losses) * (1.0 / len(losses)) + regularisation


@functools.cache
def training(engine: str) -> Iterator[tuple[float, list[float]]]:
    """Train as the demo does; each step yields its loss and the seconds of its parts."""
    value, network = ENGINES[engine]
    points, labels = make_moons(n_samples=100, noise=0.1, random_state=1337)
    labels = labels * 2 - 1
    random.seed(1337)
    model = network(2, [16, 16, 1])
    step = 0
    while True:
        times = [process_time()]
        loss = demo_loss(value, model, points, labels)
        times.append(process_time())
        model.zero_grad()
        loss.backward()
        times.append(process_time())
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * step / 100) * p.grad
        number = loss.data
        del loss
        times.append(process_time())
        yield number, [after - before for before, after in pairwise(times)]
        step += 1


def turn(engine: str, collector: str) -> tuple[float, list[list[float]]]:
    """Some more steps of the training in this process: the last loss, and the milliseconds."""
    gc.collect()
    if collector == "off":
        gc.disable()
        gc.freeze()
    steps = []
    for _ in range(STEPS):
        loss, parts = next(training(engine))
        steps.append([1000.0 * part for part in parts])
        gc.collect()
    return loss, steps[1:]


def take_turns(collector: str) -> dict[str, list[list[float]]]:
    """The milliseconds of the parts of each engine's steps; their losses have to agree."""
    spawn = multiprocessing.get_context("spawn")
    times: dict[str, list[list[float]]] = {engine: [] for engine in ENGINES}
    with ProcessPoolExecutor(1, spawn) as first, ProcessPoolExecutor(1, spawn) as second:
        for _ in range(TURNS):
            losses = []
            for engine, process in zip(ENGINES, (first, second)):
                loss, steps = process.submit(turn, engine, collector).result()
                losses.append(loss)
                times[engine] += steps
            assert abs(losses[0] - losses[1]) <= 1e-12 * abs(losses[1]), losses
    return times


def report(collector: str, times: dict[str, list[list[float]]]) -> float:
    """Print a table; the ratio of the medians of whole steps is returned."""
    counted = TURNS * (STEPS - 1)
    print(f"garbage collector {collector}, {counted} steps each, median (least to greatest)")
    for engine, steps in times.items():
        print(f"  {engine}: {spread([sum(parts) for parts in steps], 'ms')} a step")
        for i, part in enumerate(PARTS):
            print(f"      {part:9}{spread([parts[i] for parts in steps], 'ms')}")
    ours, theirs = ([sum(parts) for parts in times[engine]] for engine in ENGINES)
    print(f"  micrograd's least time over ours: {min(theirs) / min(ours):.1f}")
    return statistics.median(theirs) / statistics.median(ours)


def main() -> None:
    """Measure with the garbage collector on, as every program has it, and off."""
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    collectors = {"on": 150.0, "off": 25.0} if chainrule.native else {"on": 8.0, "off": 1.0}
    for collector, wanted in collectors.items():
        ratio = report(collector, take_turns(collector))
        target("times micrograd's speed", f"at least {wanted:.0f}", f"{ratio:.1f}", ratio >= wanted)


if __name__ == "__main__":
    main()
