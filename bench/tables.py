"""A CSV file of a million rows of ten columns, loaded: python -m bench.tables

Eight columns of numbers, one of three texts, and a target of two classes; all of it scaled,
encoded and divided into rows to learn from and held-out ones. Beside it, pandas alone.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from bench._common import spread, target
from chainrule import tables

ROWS, RUNS = 1_000_000, 5


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "million.csv"
        write(path)
        print(f"{ROWS:,} rows of ten columns, {path.stat().st_size / 1e6:.0f} MB")
        pairs = [
            (seconds(lambda: pd.read_csv(path)), seconds(lambda: tables.load(path)))
            for _ in range(RUNS)
        ]
    alone, loaded = zip(*pairs)
    print(f"pandas.read_csv    {spread(alone, 's')}")
    print(f"chainrule's load   {spread(loaded, 's')}")
    middle = sorted(loaded)[RUNS // 2]
    target("time", "less than 10 s", f"{middle:.1f} s", middle < 10.0)


def write(path: Path) -> None:
    draw = np.random.default_rng(0)
    numbers = draw.normal(size=(ROWS, 8)).round(6)
    table = pd.DataFrame(numbers, columns=[f"x{i}" for i in range(8)])
    table["kind"] = draw.choice(["red", "green", "blue"], ROWS)
    table["target"] = (numbers[:, 0] + numbers[:, 1] > 0).astype(int)
    table.to_csv(path, index=False)


def seconds(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
