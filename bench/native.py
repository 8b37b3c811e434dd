"""Building expressions and running them backward, beside plain floats: python -m bench.native

Statements are timed in one loop with values and with floats in turn; a value that is built is also
freed. micrograd 0.1.0 and, where it is installed, micrograd-rust stand beside them with the ops
that they have. The step of the lecture's demo is timed by bench.demo_step, and the memory of a
value is measured by bench.memory.
"""

from __future__ import annotations

import importlib
import math
import statistics
import sys
from timeit import Timer
from typing import Any

import chainrule
from bench._common import spread, target

ROUNDS = 15
PEERS = {"micrograd": "micrograd.engine", "micrograd-rust": "micrograd_rust"}
STATEMENTS = {"+": "a + b", "*": "a * b", "tanh": "tanh(a)", "50 ops mixed": "mixed(a, b, tanh)"}
OPS = 50


def mixed(x: Any, b: Any, tanh: Any) -> Any:
    """An expression of 50 ops of several kinds."""
    for _ in range(5):
        x = tanh(x * b + 0.5) - x / 3.0
        x = (2.0 - x) * x + tanh(-b)
    return x


def contestants() -> dict[str, dict[str, Any]]:
    """The names in the statements, for floats and for each engine that is installed."""
    found = {"floats": {"a": 0.7, "b": -1.3, "tanh": math.tanh}}
    for engine, module in {"chainrule": "chainrule", **PEERS}.items():
        try:
            value = importlib.import_module(module).Value
        except ImportError:
            print(f"{engine} is not installed")
            continue
        found[engine] = {"a": value(0.7), "b": value(-1.3), "tanh": getattr(value, "tanh", None)}
    return {name: {"mixed": mixed, **names} for name, names in found.items()}


def take_turns(timers: dict[str, Timer], ops: int = 1) -> dict[str, float]:
    """Print the nanoseconds of an op for each of the timers, and return the medians."""
    number = {name: max(1, timer.autorange()[0] // 4) for name, timer in timers.items()}
    samples: dict[str, list[float]] = {name: [] for name in timers}
    for _ in range(ROUNDS):
        for name, timer in timers.items():
            seconds = timer.timeit(number[name])
            samples[name].append(1e9 * seconds / number[name] / ops)
    for name, nanoseconds in samples.items():
        print(f"  {name:15}{spread(nanoseconds, 'ns')} an op")
    return {name: statistics.median(nanoseconds) for name, nanoseconds in samples.items()}


def build(engines: dict[str, dict[str, Any]]) -> None:
    """Each statement with values and with floats."""
    for what, statement in STATEMENTS.items():
        print(f"building {what}, {ROUNDS} each, median (least to greatest)")
        able = {
            e: names for e, names in engines.items() if names["tanh"] or "tanh" not in statement
        }
        timers = {engine: Timer(statement, globals=names) for engine, names in able.items()}
        medians = take_turns(timers, OPS if "mixed" in statement else 1)
        ratio = medians["chainrule"] / medians["floats"]
        target("times as long as floats", "at most 3", f"{ratio:.2f}", ratio <= 3.0)


def row() -> None:
    """An op that comes through its row of the table."""
    print(f"an op through its row, {ROUNDS} each, median (least to greatest)")
    names = {"a": chainrule.Value(0.7), "sin": chainrule.sin}
    medians = take_turns({s: Timer(s, globals=names) for s in ("a.sin()", "sin(a)")})
    for statement, median in medians.items():
        target(statement, "at most 500 ns", f"{median:.0f} ns", median <= 500.0)


def backward(engines: dict[str, dict[str, Any]]) -> None:
    """One expression of 50 ops, and a thousand in a chain."""
    for times in (1, 1000):
        print(f"backward through {OPS * times} ops, {ROUNDS} each, median (least to greatest)")
        timers = {}
        for engine, names in engines.items():
            if engine != "floats" and names["tanh"]:
                y = names["a"]
                for _ in range(times):
                    y = mixed(y, names["b"], names["tanh"])
                timers[engine] = Timer(y.backward)
        median = take_turns(timers, OPS * times)["chainrule"]
        target("backward of an op", "at most 15 ns", f"{median:.1f} ns", median <= 15.0)


def main() -> None:
    """Measure all of it; the targets are those of the native build."""
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    engines = contestants()
    build(engines)
    row()
    backward(engines)


if __name__ == "__main__":
    main()
