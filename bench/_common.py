"""What the comparisons share: fresh processes, medians with their spread, targets."""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Sequence


def spread(samples: Sequence[float], unit: str) -> str:
    """The median of the samples, the least and the greatest: "62.1 ms (60.9 to 70.4)"."""
    median = statistics.median(samples)
    return f"{median:,.1f} {unit} ({min(samples):,.1f} to {max(samples):,.1f})"


def quartiles(samples: Sequence[float], unit: str) -> str:
    """The median of the samples and the quartiles around it: "62.1 ms (61.0 to 64.2)"."""
    low, median, high = statistics.quantiles(samples, n=4, method="inclusive")
    return f"{median:,.1f} {unit} ({low:,.1f} to {high:,.1f})"


def fresh(code: str, *arguments: object) -> str:
    """What a program prints in an interpreter of its own, isolated from this directory."""
    command = [sys.executable, "-I", "-c", code, *map(str, arguments)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def target(what: str, wanted: str, found: str, met: bool) -> None:
    """Print a target beside what was measured."""
    print(f"{'met   ' if met else 'MISSED'}  {what}: wanted {wanted}, measured {found}")
