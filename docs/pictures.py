"""The pictures of the README, made anew: `make pictures`."""

from __future__ import annotations

import pathlib
import shutil
import subprocess
import sys

from chainrule import Value
from chainrule.viz import draw

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


def main() -> None:
    draw(neuron()).save(IMAGES / "neuron.svg")
    train = ["train", "moons", "--out", str(RUN), "--force"]
    subprocess.run([sys.executable, "-m", "chainrule", *train], check=True)
    shutil.copy(RUN / "boundary.png", IMAGES / "moons.png")


if __name__ == "__main__":
    main()
