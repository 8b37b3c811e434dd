"""How all tests run: Hypothesis the same every time, and a closing word on what was left out."""

from __future__ import annotations

import importlib.util
import os

from hypothesis import settings

settings.register_profile("ci", derandomize=True, max_examples=50, deadline=None)
settings.register_profile("fuzz", print_blob=True, deadline=None)
settings.load_profile("fuzz" if "CHAINRULE_FUZZ" in os.environ else "ci")

# What tests compare with, and which comparisons are left out without it.
_PEERS = {
    "torch": "the comparisons with PyTorch",
    "micrograd": "the comparisons with micrograd",
    "sklearn": "the data sets that scikit-learn ships, and training on them",
    "matplotlib": "the plots",
}


def pytest_terminal_summary(terminalreporter):
    """What tests counted, by `record_property`, and which comparisons were left out."""
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} {value}")
    for module, comparisons in _PEERS.items():
        if importlib.util.find_spec(module) is None:
            terminalreporter.write_line(f"{module} is not installed: {comparisons} were left out")
