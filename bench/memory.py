"""Memory of a value, here and in micrograd: python -m bench.memory

Resident memory at its peak, in fresh processes that take turns, divided by the number of values
in the graph: a chain of a million additions, built; the demo's loss, built and run backward.
"""

from __future__ import annotations

import statistics
import sys

import chainrule
from bench._common import fresh, spread, target

ROUNDS = 5
ENGINES = ("chainrule", "micrograd")

# Each program defines build(), before which and after which the memory is read.
START = """
import os, random, sys
name = sys.argv[1]
module = __import__(name + ".engine", fromlist=["Value"])
network = __import__(name + ".nn", fromlist=["MLP"])
Value = module.Value

def kilobytes(field):
    for line in open("/proc/self/status"):
        if line.startswith(field + ":"):
            return int(line.split()[1])
"""

ADDITIONS = """
def build():
    x = y = Value(1.0)
    for _ in range(1_000_000):
        y = y + x
    return y
"""

DEMO = """
rng = random.Random(0)
points = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(100)]
labels = [rng.choice((-1, 1)) for _ in points]
random.seed(1337)
model = network.MLP(2, [16, 16, 1])

def build():
    scores = [model(list(map(Value, point))) for point in points]
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
    loss.backward()
    return loss
"""

PROGRAMS = {"a million additions": ADDITIONS, "the demo's step": DEMO}

FINISH = """
before = kilobytes("VmRSS")
output = build()
used = 1024 * (kilobytes("VmHWM") - before)
seen, stack = {output}, [output]
while stack:
    for operand in stack.pop()._prev:
        if operand not in seen:
            seen.add(operand)
            stack.append(operand)
print(used / len(seen), flush=True)
os._exit(0)  # micrograd frees a chain by recursion
"""


def take_turns(program: str) -> dict[str, list[float]]:
    """The bytes of a value for each engine, in fresh processes."""
    found: dict[str, list[float]] = {engine: [] for engine in ENGINES}
    for _ in range(ROUNDS):
        for engine in ENGINES:
            found[engine].append(float(fresh(START + program + FINISH, engine)))
    return found


def main() -> None:
    """Measure both programs; 112 bytes are the target of the native build."""
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    for what, program in PROGRAMS.items():
        found = take_turns(program)
        print(f"{what}, {ROUNDS} processes each, median (least to greatest)")
        for engine, samples in found.items():
            print(f"  {engine}: {spread(samples, 'bytes')} a value")
        ours, theirs = (statistics.median(found[engine]) for engine in ENGINES)
        wanted = 112.0 if chainrule.native and program is ADDITIONS else theirs - 1.0
        target("bytes a value", f"at most {wanted:.0f}", f"{ours:.0f}", ours <= wanted)


if __name__ == "__main__":
    main()
