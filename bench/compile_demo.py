"""The step of the lecture's demo, compiled, beside array code: python -m bench.compile_demo

100 moons, an MLP of 2, 16, 16 and 1, hinge loss, L2 and the update, in float64: written in scalars
here, guards and the copy of the arguments included, and with arrays for all others. They take
turns, each in a process of its own, with one thread where nothing else is said. Then larger
networks and more points.

    --unrolled  also engines that are given the scalars; some are stopped after two minutes
    --large     also sizes whose scalars take minutes to trace
"""

from __future__ import annotations

import argparse
import sys

import chainrule
from bench import _demo, _unrolled
from bench._common import target
from bench._turns import DEFAULTS, Engine, Result, ratio, show, take_turns

OURS = Engine("chainrule on scalars", "chainrule", _demo.ours, patience=300.0)
BY_HAND = Engine("NumPy by hand with out=", "numpy", _demo.numpy_by_hand)
PYTORCH = Engine("PyTorch eager", "torch", _demo.pytorch)
JIT = Engine("JAX jit", "jax", _demo.jax_jit)
ARRAYS = [
    BY_HAND,
    Engine("NumPy plain", "numpy", _demo.numpy_plain),
    PYTORCH,
    Engine("torch.compile", "torch", _demo.pytorch_compiled),
    JIT,
    Engine("JAX jit with its default threads", "jax", _demo.jax_jit, DEFAULTS),
    Engine("JAX lax.scan over steps", "jax", _demo.jax_scan),
]
SCALARS = [
    Engine("CasADi on scalars", "casadi", _unrolled.casadi),
    Engine("PyTorch on 0-d tensors", "torch", _unrolled.pytorch),
    Engine("JAX jit on scalars", "jax", _unrolled.jax),
    Engine("micrograd", "micrograd", _unrolled.micrograd),
]
SIZES = [(16, 100), (16, 1000), (64, 100)]
LARGE = [(64, 1000), (256, 100)]  # with 256 and 1,000 a trace would take 70 GB


def measured(hidden: int, points: int, engines: list[Engine]) -> dict[str, Result]:
    """Print a table for one size; the results are returned by name."""
    count = points * _demo.values(hidden)
    print(f"{hidden} hidden units twice, {points:,} points, some {count:,} values")
    results = take_turns([OURS, *engines], _demo.demo(hidden, points))
    show(results)
    return {found.name: found for found in results}


def targets(found: dict[str, Result]) -> None:
    """The step of the demo against what it has to reach."""
    ours = found[OURS.name]
    slower = ratio(ours, found[BY_HAND.name])
    target("times as long as NumPy by hand", "at most 1.3", f"{slower:.2f}", slower <= 1.3)
    faster = ratio(found[PYTORCH.name], ours)
    target("times as fast as PyTorch", "at least 6", f"{faster:.1f}", faster >= 6.0)


def standing(sizes: dict[tuple[int, int], dict[str, Result]]) -> None:
    """Say of each size who is faster than the scalars."""
    print("who is faster than the compiled scalars")
    for (hidden, points), found in sizes.items():
        ours = found[OURS.name]
        faster = [name for name, other in found.items() if ratio(other, ours) < 1.0]
        who = ours.absent or ", ".join(faster) or "nobody"
        print(f"  {hidden:3} hidden units, {points:5,} points: {who}")


def main() -> None:
    """Measure the demo, and then the other sizes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--unrolled", action="store_true")
    parser.add_argument("--large", action="store_true")
    options = parser.parse_args()
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    if not options.unrolled:
        print("not run without --unrolled: " + ", ".join(engine.name for engine in SCALARS))
    found = measured(16, 100, ARRAYS + SCALARS if options.unrolled else ARRAYS)
    targets(found)
    sizes = {(16, 100): found}
    for hidden, points in SIZES[1:] + LARGE if options.large else SIZES[1:]:
        sizes[hidden, points] = measured(hidden, points, [BY_HAND, PYTORCH, JIT])
    standing(sizes)
    print("  256 hidden units, 1,000 points: 133 million values, not traced: 500 bytes each")


if __name__ == "__main__":
    main()
