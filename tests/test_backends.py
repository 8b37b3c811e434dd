"""What runs programs: the generated source computes what the interpreter of programs does."""

from __future__ import annotations

import linecache

import pytest

from chainrule import Value, lift

np = pytest.importorskip("numpy")


def test_the_source_is_shown_in_tracebacks():
    """The generated functions are known to linecache, line by line."""
    lifted = lift(Value(2.0).exp() + 1)
    lifted.backward()
    code = lifted._backward.forward.__wrapped__.__code__
    assert linecache.getline(code.co_filename, code.co_firstlineno) == "def forward():\n"
    assert "scalar.exp(" in lifted.source
