"""The pictures of the README, made anew: `make pictures`."""

from __future__ import annotations

import pathlib
import random
import shutil
import subprocess
import sys

from chainrule import Value
from chainrule.datasets import SEED, load
from chainrule.nn import MLP
from chainrule.optim import SGD, LinearLR
from chainrule.training import fit
from chainrule.viz import draw
from chainrule.viz.watch import Watch

IMAGES = pathlib.Path(__file__).parent / "img"
RUN = pathlib.Path("runs/pictures")


def neuron() -> Value:
    """The lecture's neuron after its backward pass."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2 = Value(-3.0, "w1"), Value(1.0, "w2")
    b = Value(6.8813735870195432, "b")
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    o.backward()
    return o


def moons() -> Watch:
    """Micrograd's demo, watched."""
    data = load("moons")
    random.seed(SEED)
    model = MLP(2, [16, 16, 1])
    descent = SGD(model.parameters(), lr=1.0)
    watch = Watch(dataset=data)
    fit(
        model,
        *data.train,
        loss="hinge",
        optimizer=descent,
        schedule=LinearLR(descent, 1.0, 0.1, 100),
        l2=1e-4,
        validation=data.test,
        callbacks=[watch],
        progress=False,
    )
    return watch


def main() -> None:
    draw(neuron()).save(IMAGES / "neuron.svg")
    (IMAGES / "watch.svg").write_text(moons().to_svg(), encoding="utf-8")
    train = ["train", "moons", "--out", str(RUN), "--force"]
    subprocess.run([sys.executable, "-m", "chainrule", *train], check=True)
    shutil.copy(RUN / "boundary.png", IMAGES / "moons.png")


if __name__ == "__main__":
    main()
