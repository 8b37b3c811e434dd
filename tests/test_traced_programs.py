"""Random functions, compiled: each gives the numbers and gradients that it gives by itself."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import expressions

from chainrule import TABLE, Value, compile, condition, where
from chainrule.check import near_kinks

pytest.importorskip("numpy")

EPS = 2.0**-52
UNITS = 64.0


def assert_same(function, leaves, *calls):
    """At each call the compiled function has the value and the gradients of the function."""
    compiled = compile(function)
    for arguments in calls:
        right = function(*arguments)
        ours = compiled(*arguments)
        if not isinstance(right, Value):  # no value was read, and the result is a number
            assert isinstance(ours, float)
            right = function(*[[Value(x) for x in xs] for xs in arguments])
            ours = Value(ours)
        if near_kinks(right, any_order=True) or not math.isfinite(right.data):
            continue
        assert abs(ours.data - right.data) <= UNITS * EPS * condition(right, any_order=True)
        if not ours.op:
            continue
        units = condition(right, leaves, any_order=True)
        right.backward()
        expected = [leaf.grad for leaf in leaves]
        for leaf in leaves:
            leaf.grad = 0.0
        ours.backward()
        for leaf, gradient, unit in zip(leaves, expected, units, strict=True):
            assert not math.isfinite(unit) or abs(leaf.grad - gradient) <= UNITS * EPS * unit
            leaf.grad = 0.0


@settings(max_examples=150)
@given(expressions(max_steps=40), st.integers(0, 4), st.floats(-2.0, 2.0))
def test_random_functions(expression, captured, first):
    """Some of the operands are read from outside, the others are data that changes."""
    leaves = [Value(x) for x in expression.leaves[:captured]]

    def function(xs):
        return expression.evaluate([*leaves, *xs], TABLE)

    rest = list(expression.leaves[captured:])
    assert_same(function, leaves, (rest,), ([first, *rest[1:]] if rest else rest,), (rest,))


@settings(max_examples=60)
@given(
    st.lists(st.floats(-2.0, 2.0), min_size=3, max_size=3),
    st.lists(st.lists(st.floats(-3.0, 3.0), min_size=6, max_size=6), min_size=4, max_size=4),
    st.integers(0, 5),
)
def test_random_decisions(weights, calls, turn):
    """Branches by data and by parameters, masks, ragged loops and windows that overlap."""
    leaves = [Value(w) for w in weights]
    a, b, c = leaves

    def function(xs):
        total = a * xs[0] if xs[turn] > 0.5 else b * xs[0] * xs[0]
        if b * xs[1] > c:
            total = total + (c * xs[2]).tanh()
        for i in range(len(xs)):
            total = total + sum(where(x > 0, a * x, b) for x in xs[i:]) * 0.25
        windows = [sum(w * x for w, x in zip(leaves, xs[i : i + 3])) for i in range(4)]
        return total + sum((w * w + 1.0).sqrt() for w in windows)

    assert_same(function, leaves, *[(xs,) for xs in calls], (calls[0],))
