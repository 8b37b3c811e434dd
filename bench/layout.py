"""How long drawings take, in processor time: 30 boxes, 1,000 and 2,400, and a million values."""

from __future__ import annotations

import random
from time import process_time

from bench._common import spread, target
from chainrule import Value, nn
from chainrule.engine import operands_first
from chainrule.viz import draw, nodes_of
from chainrule.viz.layout import arrange
from chainrule.viz.svg import size

RUNS = 15


def boxes(nin: int, nouts: list[int]) -> tuple[list[tuple[float, float]], list[tuple[int, ...]]]:
    """The sizes and operands of what is drawn of a network's outputs, added up."""
    random.seed(1)
    outputs = nn.MLP(nin, nouts, activation="tanh")([Value(0.1 * i) for i in range(nin)])
    nodes = nodes_of(operands_first(sum(outputs)))
    return [size(node) for node in nodes], [node.operands for node in nodes]


def summary() -> None:
    """Print how long a million values take, drawn by neuron and by instruction."""
    random.seed(1)
    model = nn.MLP(2, [16, 16, 1])
    loss = sum((1 - model([0.001 * i, 0.5])).relu() for i in range(1550))
    count = len(operands_first(loss))
    for fold in ("neuron", "program"):
        started = process_time()
        draw(loss, fold, model=model).to_svg()
        taken = process_time() - started
        target(f"{count:,} values by {fold}", "5 s", f"{taken:.1f} s", taken <= 5)


def main() -> None:
    """Print the milliseconds of each size, beside what is aimed at."""
    for nin, nouts, wanted in [(2, [2, 2], 5), (6, [12, 12, 8], 150), (12, [17, 17, 16], None)]:
        sizes, operands = boxes(nin, nouts)
        times = []
        for _ in range(RUNS):
            started = process_time()
            arrange(sizes, operands)
            times.append(1e3 * (process_time() - started))
        print(f"{len(sizes):,} boxes: {spread(times, 'ms')}")
        if wanted:
            target(
                f"{len(sizes):,} boxes", f"{wanted} ms", f"{min(times):.1f}", min(times) <= wanted
            )
    summary()


if __name__ == "__main__":
    main()
