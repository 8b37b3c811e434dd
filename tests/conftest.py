"""How all tests run: Hypothesis the same every time, and a closing word on what was left out."""

from __future__ import annotations

import importlib.util
import os
import pathlib

import pytest
from hypothesis import settings

import chainrule

settings.register_profile("ci", derandomize=True, max_examples=50, deadline=None)
settings.register_profile("fuzz", print_blob=True, deadline=None)
settings.load_profile("fuzz" if "CHAINRULE_FUZZ" in os.environ else "ci")

# What tests compare with, and which comparisons are left out without it.
_PEERS = {
    "torch": "the comparisons with PyTorch",
    "micrograd": "the comparisons with micrograd",
    "sklearn": "the data sets that scikit-learn ships, and training on them",
    "matplotlib": "the plots",
    "playwright": "the tests in a browser",
}


def pytest_sessionstart():
    """Refuse to test a native engine that was built in place from what its sources were before."""
    folder = pathlib.Path(__file__).parent.parent / "src/chainrule"
    for compiled in [*folder.glob("*.so"), *folder.glob("*.pyd")]:
        sources = folder.glob(f"{compiled.name.partition('.')[0]}.p*[dy]")
        if any(source.stat().st_mtime > compiled.stat().st_mtime for source in sources):
            raise pytest.UsageError(f"{compiled.name} is older than its sources: make .venv/test")


def pytest_terminal_summary(terminalreporter):
    """Which build was tested, what tests counted, and which comparisons were left out."""
    build = "the native build" if chainrule.native else "the build in pure Python"
    terminalreporter.write_line(f"tested: {build}")
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} {value}")
    for module, comparisons in _PEERS.items():
        if importlib.util.find_spec(module) is None:
            terminalreporter.write_line(f"{module} is not installed: {comparisons} were left out")
