"""What takes minutes: memory over a million steps, ten million values, and a sanitizer's word.

`make soak` runs it; `python -m tests.soak steps`, or `graphs`, or `sanitized`, one part of it.
"""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import chainrule
from chainrule import Value

ROOT = pathlib.Path(__file__).parent.parent
STEPS = 1_000_000
MANY = 10_000_000
TESTS = ["engine", "memory", "modes", "interop", "floats"]


def main(parts: list[str]) -> None:
    print(f"chainrule {chainrule.__version__}, native: {chainrule.native}")
    for part in parts or ["steps", "graphs", "sanitized"]:
        {"steps": steps, "graphs": graphs, "sanitized": sanitized}[part]()


def resident() -> float:
    """The megabytes of memory that this process holds."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


# ---- a million steps ----


def steps() -> None:
    """Build, run backward and drop graphs; the resident size must stay where it is."""
    x = Value(0.5)
    sizes = []
    for step in range(STEPS + 1):
        expression(x, step % 7).backward()
        x.grad = 0.0
        if step % (STEPS // 10) == 0:
            sizes.append(resident())
            print(f"step {step:9,}: {sizes[-1]:6.1f} MB", flush=True)
    assert max(sizes[1:]) - sizes[1] < 1.0, "the resident size grows"


def expression(x: Value, k: int) -> Value:
    """Some twenty ops: a lecture's neuron, a wide op, numbers never seen before, an error."""
    y = (x * (k + 0.25) + 1.0).tanh()
    for _ in range(3):
        y = (y * x - k).relu() + y / 2.0 + (x * 0.1).exp()
    y = chainrule.where(x, y, x) + chainrule.maximum(y, k * x)
    try:
        y = y + "no number"
    except TypeError:
        y = y + x.data * k
    return y


# ---- ten million values ----


def graphs() -> None:
    """Ten million values in one chain and in one balanced tree: built, run backward, freed."""
    for build in (chain, tree):
        before = resident()
        x = Value(0.5)
        y = timed(f"{build.__name__}: built", lambda: build(x))  # noqa: B023
        print(f"  {(resident() - before) * 2**20 / MANY:.0f} bytes a value")
        timed("  backward", y.backward)
        assert x.grad == MANY, x.grad
        holder = [y]
        del y
        timed("  freed", holder.clear)
        kept = resident() - before
        print(f"  {kept:.0f} MB are kept for the next values")
        assert kept < 100.0, "memory of dead values does not go back"


def chain(x: Value) -> Value:
    y = x
    for _ in range(MANY - 1):
        y = y + x
    return y


def tree(x: Value) -> Value:
    """The sum of MANY times the same, two and two."""
    level = [x] * MANY
    while len(level) > 1:
        odd = level[len(level) // 2 * 2 :]
        level = [a + b for a, b in zip(level[::2], level[1::2])] + odd
    return level[0]


def timed(what: str, work: Callable[[], Value]) -> Value:
    start = time.perf_counter()
    result = work()
    print(f"{what} in {time.perf_counter() - start:.2f} s", flush=True)
    return result


# ---- under a sanitizer ----


def sanitized() -> None:
    """The engine's tests on a build in which GCC's AddressSanitizer watches every access."""
    with tempfile.TemporaryDirectory() as folder:
        copy = pathlib.Path(folder)
        for name in ("setup.py", "pyproject.toml", "README.md", "LICENSE", "src", "tests"):
            copied = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copied(ROOT / name, copy / name)
        flags = "-fsanitize=address,undefined -fno-sanitize-recover -O1 -g"
        build = [sys.executable, "setup.py", "-q", "build_ext", "--inplace"]
        subprocess.run(build, cwd=copy, env=os.environ | {"CFLAGS": flags}, check=True)
        environment = {
            "PYTHONPATH": str(copy / "src"),
            "PYTHONMALLOC": "malloc",
            "LD_PRELOAD": f"{library('libasan.so')} {library('libubsan.so')}",
            "ASAN_OPTIONS": "detect_leaks=0",
        }
        tests = [f"tests/test_{name}.py" for name in TESTS]
        # Its report goes past Python: only Python's own output is captured. It keeps what is freed.
        run = [sys.executable, "-m", "pytest", "--capture=sys", *tests, "-k", "not given_back"]
        subprocess.run(run, cwd=copy, env=os.environ | environment, check=True)


def library(name: str) -> str:
    """Where the compiler has one of its libraries."""
    found = subprocess.run(
        ["gcc", f"-print-file-name={name}"], capture_output=True, text=True, check=True
    )
    return os.path.realpath(found.stdout.strip())


if __name__ == "__main__":
    main(sys.argv[1:])
