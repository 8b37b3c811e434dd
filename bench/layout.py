"""How long drawings take, from value to SVG, in processor time: 30 values, 1,000, a million."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from time import process_time

from bench._common import spread, target
from chainrule import Value, nn
from chainrule.engine import operands_first
from chainrule.viz import draw

RUNS = 15
FEW = 3  # runs of what takes seconds


def network(nin: int, nouts: list[int]) -> Value:
    """A network's outputs, added up."""
    random.seed(1)
    outputs = nn.MLP(nin, nouts, activation="tanh")([Value(0.1 * i) for i in range(nin)])
    return sum(outputs)


def timed(what: Callable[[], object], runs: int) -> list[float]:
    """How many milliseconds each of several runs takes."""
    times = []
    for _ in range(runs):
        started = process_time()
        what()
        times.append(1e3 * (process_time() - started))
    return times


def values(nin: int, nouts: list[int], wanted: float | None) -> None:
    """Draw a network value by value."""
    output = network(nin, nouts)
    times = timed(lambda: draw(output, "none").to_svg(), RUNS)
    report(len(draw(output, "none").nodes), "boxes", times, wanted)


def summary(samples: int, fold: str, wanted: float | None) -> None:
    """Draw the loss of a network over many samples, folded."""
    random.seed(1)
    model = nn.MLP(2, [16, 16, 1])
    loss = sum((1 - model([0.001 * i, 0.5])).relu() for i in range(samples))
    times = timed(lambda: draw(loss, fold, model=model).to_svg(), FEW)
    report(len(operands_first(loss)), f"values folded by {fold}", times, wanted)


def report(count: int, what: str, times: list[float], wanted: float | None) -> None:
    """Print the times of a drawing, how long each part takes, and what is aimed at."""
    median = statistics.median(times)
    print(f"{count:,} {what}: {spread(times, 'ms')}, {1e3 * median / count:.1f} us each")
    if wanted:
        target(f"{count:,} {what}", f"{wanted:,} ms", f"{median:,.1f} ms", median <= wanted)


def main() -> None:
    """Print the milliseconds of each size; near linear growth is as many microseconds for each."""
    values(2, [2, 2], 5)
    values(6, [12, 12, 8], 150)
    values(10, [16, 16, 12], None)
    for samples, wanted in [(155, None), (1550, 5000)]:
        for fold in ("neuron", "program"):
            summary(samples, fold, wanted)


if __name__ == "__main__":
    main()
