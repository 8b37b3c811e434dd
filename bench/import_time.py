"""How long `import chainrule` takes, and what it loads: python -m bench.import_time

Each import is the first thing that a fresh process does. Others are imported in turn, for
comparison.
"""

from __future__ import annotations

import statistics
import sys

from bench._common import fresh, spread, target

ROUNDS = 15
PACKAGES = ("chainrule", "micrograd.engine", "typing", "numpy")

TIMED = """
import sys
from time import perf_counter
start = perf_counter()
__import__(sys.argv[1])
print(1000 * (perf_counter() - start))
"""

LOADED = """
import sys
before = set(sys.modules)
import chainrule
new = set(sys.modules) - before
new = {name for name in new if hasattr(sys.modules[name], "__file__")}  # Cython's helpers have none
print(*{name.partition(".")[0] for name in new})
"""


def main() -> None:
    """Measure all packages in turn, after one import each that writes their byte code."""
    times: dict[str, list[float]] = {package: [] for package in PACKAGES}
    for rounds in range(ROUNDS + 1):
        for package in PACKAGES:
            milliseconds = float(fresh(TIMED, package))
            if rounds:
                times[package].append(milliseconds)
    print(f"import in a fresh process, {ROUNDS} each, median (least to greatest)")
    for package, samples in times.items():
        print(f"  {package:17}{spread(samples, 'ms')}")
    median = statistics.median(times["chainrule"])
    target("import of chainrule", "under 50 ms", f"{median:.1f} ms", median < 50.0)
    others = set(fresh(LOADED).split()) - {"chainrule"} - sys.stdlib_module_names
    target("packages it loads", "none", ", ".join(sorted(others)) or "none", not others)


if __name__ == "__main__":
    main()
