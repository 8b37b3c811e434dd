"""Random expressions against PyTorch: values, gradients, and gradients of gradients."""

from __future__ import annotations

import collections
import math
import os

import pytest
from hypothesis import given, settings
from strategies import Expression, expressions

from chainrule import TABLE, Value, condition, grad
from chainrule.check import near_kinks

torch = pytest.importorskip("torch")
from reference import PYTORCH  # noqa: E402

EPS = 2.0**-52
EXAMPLES = int(os.environ.get("CHAINRULE_FUZZ", "3000"))


def ours(expression: Expression) -> tuple[list[Value], Value]:
    leaves = [Value(x) for x in expression.leaves]
    return leaves, expression.evaluate(leaves, TABLE)


def theirs(expression: Expression):
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in expression.leaves]
    return leaves, expression.evaluate(leaves, PYTORCH)


def assert_close(name: str, got: float, right: float, units: float) -> None:
    """Within 64 eps times the condition."""
    assert abs(got - right) <= 64 * EPS * units, f"{name}: {got!r}, PyTorch {right!r}, {units=}"


def torch_gradients(y, leaves):
    found = torch.autograd.grad(y, leaves, create_graph=True, allow_unused=True)
    return [torch.zeros((), dtype=torch.float64) if g is None else g for g in found]


@settings(max_examples=EXAMPLES, deadline=None)
@given(expressions())
def compare_first_order(counts: dict[str, int], expression: Expression) -> None:
    leaves, y = ours(expression)
    counts["drawn"] += 1
    counts["of 100 ops and more"] += len(expression.steps) >= 100
    if near_kinks(y):
        counts["near a kink"] += 1
        return
    tensors, right = theirs(expression)
    assert_close("value", y.data, right.item(), condition(y))
    y.backward()
    gradients = torch_gradients(right, tensors)
    for leaf, gradient, units in zip(leaves, gradients, condition(y, leaves)):
        if math.isfinite(units):
            assert_close("gradient", leaf.grad, gradient.item(), units)
            counts["gradients that are not 0"] += leaf.grad != 0.0
        else:
            counts["gradients without a bound"] += 1


def test_values_and_gradients_agree_with_pytorch(record_property):
    """Random expressions of 1 to 200 ops agree within 64 eps times their condition; those left
    out because rounding may decide at a kink are few, and counted."""
    counts: dict[str, int] = collections.Counter()
    compare_first_order(counts)
    print(counts)
    record_property("counts", dict(counts))
    assert counts["drawn"] >= EXAMPLES
    assert counts["of 100 ops and more"] > counts["drawn"] / 4
    assert counts["near a kink"] < counts["drawn"] / 4
    assert counts["gradients without a bound"] < counts["drawn"] / 100
    assert counts["gradients that are not 0"] > counts["drawn"] / 2


def combined(gradients: list, weights: list[float]):
    """One number of many gradients, so that it can be differentiated again."""
    return sum(gradient * weight for gradient, weight in zip(gradients, weights))


@settings(max_examples=max(EXAMPLES // 10, 10), deadline=None)
@given(expressions(max_steps=12, least=0.01))
def compare_three_orders(counts: dict[str, int], expression: Expression) -> None:
    leaves, y = ours(expression)
    counts["drawn"] += 1
    if near_kinks(y):
        counts["near a kink"] += 1
        return
    tensors, right = theirs(expression)
    weights = [1.0, -0.7, 0.4, 1.3, -0.2]
    for order in (1, 2, 3):
        gradients = grad(y, leaves, create_graph=True)
        rights = torch_gradients(right, tensors)
        for gradient, tensor in zip(gradients, rights):
            units = condition(gradient)
            if math.isfinite(units):
                assert_close(f"order {order}", gradient.data, tensor.item(), units)
                counts[f"of order {order}, not 0"] += gradient.data != 0.0
            else:
                counts["without a bound"] += 1
        y, right = combined(gradients, weights), combined(rights, weights)
        if not right.requires_grad:
            return


def test_gradients_of_gradients_agree_with_pytorch(record_property):
    """First, second and third derivatives of random expressions are PyTorch's; those that have no
    bound, as a negative number to a rounded power, are counted.

    Not at leaves of 0, where mixed second derivatives of 0**0 and the like do not exist.
    """
    counts: dict[str, int] = collections.Counter()
    compare_three_orders(counts)
    print(counts)
    record_property("counts", dict(counts))
    assert counts["drawn"] >= EXAMPLES // 10
    assert counts["near a kink"] < counts["drawn"] / 4
    assert counts["without a bound"] < counts["drawn"] / 2
    assert counts["of order 3, not 0"] > counts["drawn"] / 2
