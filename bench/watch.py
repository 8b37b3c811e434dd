"""What watching costs: python -m bench.watch

The lecture's demo of 100 steps, watched in a script and watched in a notebook, by turns: of the
processor time of each, what is spent in the watch. The place in the notebook is one that turns each
picture into JSON, as a kernel does. Then the report. All trainings compile their step anew, as a
user's do, and the first picture compiles the scores, which are then there for held-out examples.
"""

from __future__ import annotations

import json
import random
import statistics
from time import process_time
from typing import Any

from bench._common import spread, target
from chainrule.datasets import Dataset, load
from chainrule.nn import MLP
from chainrule.optim import SGD, LinearLR
from chainrule.training import fit
from chainrule.viz import watch

TURNS = 9


class Timed:
    """A watch, and the milliseconds that are spent in it."""

    def __init__(self, moons: Dataset) -> None:
        self.watch = watch.Watch(dataset=moons)
        self.spent = 0.0

    def begin(self, setup: Any) -> None:
        self._timed(self.watch.begin, setup)

    def __call__(self, state: Any) -> None:
        self._timed(self.watch, state)

    def end(self, problem: Any) -> None:
        self._timed(self.watch.end, problem)

    def _timed(self, what: Any, given: Any) -> None:
        started = process_time()
        what(given)
        self.spent += 1e3 * (process_time() - started)


class Screen:
    """A place for pictures that counts them."""

    shown = 0

    def update(self, data: dict[str, str], raw: bool) -> None:
        self.shown += raw and len(json.dumps(data)) > 0


def training(moons: Dataset, timed: Timed) -> float:
    """The demo, and the milliseconds that it takes, those of the watch left out."""
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    descent = SGD(model.parameters(), lr=1.0)
    started = process_time()
    fit(
        model,
        *moons.train,
        loss="hinge",
        optimizer=descent,
        schedule=LinearLR(descent, 1.0, 0.1, 100),
        l2=1e-4,
        validation=moons.test,
        callbacks=[timed],
        progress=False,
    )
    return 1e3 * (process_time() - started) - timed.spent


def watched(moons: Dataset, screen: Screen | None) -> tuple[float, Timed]:
    """The demo watched in a notebook, or in a script where there is no screen."""
    watch._screen = lambda: screen
    timed = Timed(moons)
    return training(moons, timed), timed


def report(where: str, alone: list[float], spent: list[float], wanted: float) -> None:
    """Print the share of the time that is spent in the watch."""
    print(f"{where}: {spread(spent, 'ms')} beside {spread(alone, 'ms')} of training")
    took = statistics.median(spent)
    target(where, f"at most {wanted:g} ms", f"{took:.1f} ms", took <= wanted)


def main() -> None:
    moons, screen = load("moons"), Screen()
    in_script, in_notebook, pages = [], [], []
    for _ in range(TURNS):
        in_script.append(watched(moons, None))
        in_notebook.append(watched(moons, screen))
        started = process_time()
        page = in_script[-1][1].watch.to_html()
        pages.append(1e3 * (process_time() - started))
    report("in a script", [x for x, _ in in_script], [t.spent for _, t in in_script], 20)
    report("in a notebook", [x for x, _ in in_notebook], [t.spent for _, t in in_notebook], 200)
    print(f"{screen.shown / TURNS:.1f} pictures; the report: {spread(pages, 'ms')}")
    took = statistics.median(pages)
    target("the report", "at most 500 ms", f"{took:.0f} ms", took <= 500)
    target("its page", "at most 500 kB", f"{len(page) / 1e3:.0f} kB", len(page) <= 500_000)


if __name__ == "__main__":
    main()
