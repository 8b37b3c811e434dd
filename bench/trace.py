"""What tracing and lifting cost, per value: python -m bench.trace

The lecture's demo, with 100 points and with as many as make two million values, in fresh processes
that take turns, with the garbage collector off. Then memory, resident and at its peak, of the first
call of the compiled step, which traces it, and of later ones; and what the guards cost a call.
"""

from __future__ import annotations

import json
import statistics
import sys

import chainrule
from bench._common import fresh, quartiles, spread, target

ROUNDS = 5
POINTS = (100, 3_100)

# Each program prints one dictionary of numbers.
START = """
import gc, json, os, random, sys
from time import perf_counter
os.environ["OPENBLAS_NUM_THREADS"] = "1"
import numpy  # which is loaded before memory is looked at
import chainrule
from chainrule.compiler.guards import Heap
from chainrule.compiler.lift import lift
from chainrule.compiler.trace import Trace
from chainrule.nn import MLP
from chainrule.optim import SGD

rng = random.Random(0)
points = [[rng.uniform(-1, 1), rng.uniform(-1, 1)] for _ in range(int(sys.argv[1]))]
labels = [rng.choice((-1.0, 1.0)) for _ in points]
random.seed(1337)
model = MLP(2, [16, 16, 1])

def loss(points, labels):
    scores = [model(point) for point in points]
    losses = [(1 + -label * score).relu() for label, score in zip(labels, scores)]
    return sum(losses) / len(losses) + 1e-4 * sum(p * p for p in model.parameters())

def kilobytes(field):
    for line in open("/proc/self/status"):
        if line.startswith(field + ":"):
            return int(line.split()[1])
"""

STAGES = """
gc.disable()
times = [perf_counter()]
with Trace() as trace:
    traced = [[trace.datum(x) for x in point] for point in points]
    output = loss(traced, [trace.datum(label) for label in labels])
graph, values = trace.graph([[output]])
times.append(perf_counter())
lift(graph)
times.append(perf_counter())
print(json.dumps({"values": len(graph.ops), "trace": times[1] - times[0],
                  "lift": times[2] - times[1]}), flush=True)
os._exit(0)
"""

STEPS = """
step = chainrule.train_step(loss, SGD(model.parameters(), lr=0.1))
before = kilobytes("VmRSS")
started = perf_counter()
step(points, labels)
first = perf_counter() - started
peak, kept = kilobytes("VmHWM") - before, kilobytes("VmRSS") - before
open("/proc/self/clear_refs", "w").write("5")  # the peak begins anew
for _ in range(3):
    step(points, labels)
print(json.dumps({"first": first, "peak": 1024 * peak, "kept": 1024 * kept,
                  "step": 1024 * (kilobytes("VmHWM") - before)}))
"""

EAGER = """
before = kilobytes("VmRSS")
output = loss(points, labels)
output.backward()
print(json.dumps({"eager": 1024 * (kilobytes("VmHWM") - before)}), flush=True)
os._exit(0)
"""

GUARDS = """
heap = Heap(loss)
times = []
for _ in range(5000):
    started = perf_counter()
    changed = heap.changed()
    times.append(1e6 * (perf_counter() - started))
    assert not changed, changed
print(json.dumps(times))
"""


def take_turns(points: int) -> dict[str, list[float]]:
    """All that was measured with that many points, from fresh processes."""
    found: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for program in (STAGES, STEPS, EAGER):
            for what, number in json.loads(fresh(START + program, points)).items():
                found.setdefault(what, []).append(number)
    return found


def report(points: int) -> float:
    """Print a table for that many points; the microseconds of a value are returned."""
    found = take_turns(points)
    count = int(found["values"][0])
    print(f"{points:,} points, {count:,} values, {ROUNDS} processes each, median (quartiles)")
    whole = [1e6 * sum(stages) / count for stages in zip(found["trace"], found["lift"])]
    for what in ("trace", "lift", "first"):
        name = "the whole first call" if what == "first" else what
        microseconds = [1e6 * seconds / count for seconds in found[what]]
        print(f"  {name:34}{quartiles(microseconds, 'us')} a value")
    memory = {
        "eager": "eager, peak",
        "peak": "the first call, peak",
        "kept": "kept after it",
        "step": "later calls, peak",
    }
    for what, name in memory.items():
        print(f"  {name:34}{quartiles([x / count for x in found[what]], 'bytes')} a value")
    return statistics.median(whole)


def main() -> None:
    """Measure both sizes, and the guards."""
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    small, large = map(report, POINTS)
    target("trace and lift", "at most 4 us a value", f"{small:.2f} us", small <= 4.0)
    more = large / small
    target("times that at two million", "at most 1.6", f"{more:.2f}", more <= 1.6)
    guards = json.loads(fresh(START + GUARDS, 100))
    print(f"  guards {spread(guards, 'us')} a call")
    median = statistics.median(guards)
    target("guards", "at most 10 us a call", f"{median:.1f} us", median <= 10.0)


if __name__ == "__main__":
    main()
