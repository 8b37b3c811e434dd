"""What watching costs: python -m bench.watch

The lecture's demo of 100 steps, alone, watched in a script and watched in a notebook, by turns, in
processor time; the place in the notebook is one that turns each picture into JSON, as a kernel
does. Then the report of it. All trainings compile their step anew, as a user's do.
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

TURNS = 7


class Screen:
    """A place for pictures that counts them."""

    shown = 0

    def update(self, data: dict[str, str], raw: bool) -> None:
        self.shown += raw and len(json.dumps(data)) > 0


def training(moons: Dataset, callbacks: list[Any]) -> float:
    """The demo, and the milliseconds that it takes."""
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
        callbacks=callbacks,
        progress=False,
    )
    return 1e3 * (process_time() - started)


def main() -> None:
    moons, screen = load("moons"), Screen()
    alone, in_script, in_notebook, reports = [], [], [], []
    for _ in range(TURNS):
        alone.append(training(moons, []))
        watching = watch.Watch(dataset=moons)
        in_script.append(training(moons, [watching]))
        started = process_time()
        page = watching.to_html()
        reports.append(1e3 * (process_time() - started))
        watch._screen = lambda: screen
        in_notebook.append(training(moons, [watch.Watch(dataset=moons)]))
        watch._screen = lambda: None
    print(f"alone:            {spread(alone, 'ms')}")
    print(f"in a script:      {spread(in_script, 'ms')}")
    pictures = screen.shown / TURNS
    print(f"in a notebook:    {spread(in_notebook, 'ms')}, {pictures:.1f} pictures")
    print(f"the report:       {spread(reports, 'ms')}, {len(page) / 1e3:,.0f} kB")
    more = statistics.median(in_script) / statistics.median(alone)
    target("a watched script", "1.1 times its time", f"{more:.2f} times", more <= 1.1)
    added = statistics.median(in_notebook) - statistics.median(alone)
    target("a watched notebook", "100 ms more", f"{added:,.0f} ms", added <= 100)
    took = statistics.median(reports)
    target("the report", "500 ms", f"{took:,.0f} ms", took <= 500)


if __name__ == "__main__":
    main()
