"""Derivatives as values: grad, derivative, jacobian, hessian."""

from __future__ import annotations

import math

import pytest
from reference import PYTORCH

from chainrule import TABLE, Value, derivative, exp, grad, hessian, jacobian, no_grad, sin, where
from chainrule.errors import ArgumentError, ChangedDataError


def test_grad_leaves_the_grad_of_values_alone():
    """grad returns the derivatives and adds nothing to `.grad`."""
    a, b = Value(2.0), Value(-3.0)
    y = a * b + b**2
    assert grad(y, [a, b]) == [-3.0, 2.0 - 6.0]
    assert (a.grad, b.grad, y.grad) == (0.0, 0.0, 0.0)


def test_grad_by_an_inner_value():
    """The derivative by a value in the middle is the one that backward leaves there."""
    a = Value(0.5)
    inner = a * 3
    y = inner.tanh() + inner
    y.backward()
    assert grad(y, inner) == inner.grad != 0.0


def test_grad_of_a_value_by_itself_is_one():
    """dy/dy = 1, for a leaf and for an inner value."""
    a = Value(2.0)
    y = a * a
    assert grad(a, a) == 1.0
    assert grad(y, y) == 1.0
    assert grad(y, y, create_graph=True).data == 1.0


def test_an_input_that_does_not_matter_has_derivative_zero():
    """What the output does not depend on has the derivative 0, a float or a value as asked."""
    a, b = Value(2.0), Value(3.0)
    assert grad(a * 2, b) == 0.0
    assert grad(a * 2, b, create_graph=True).data == 0.0


def test_one_input_gives_one_derivative_and_a_list_a_list():
    """The result has the form of `inputs`."""
    a = Value(2.0)
    assert grad(a * a, a) == 4.0
    assert grad(a * a, [a]) == [4.0]
    assert grad(a * a, (a, a)) == [4.0, 4.0]


def test_derivatives_of_sine_come_back_after_four():
    """The derivatives of sin at 0.7 are cos, -sin, -cos, sin."""
    x = 0.7
    expected = [math.sin(x), math.cos(x), -math.sin(x), -math.cos(x), math.sin(x)]
    assert [derivative(sin, n)(x) for n in range(5)] == pytest.approx(expected, rel=1e-15)


def test_a_derivative_of_a_value_is_a_value_with_a_graph():
    """derivative(f)(value) can itself be run backward."""
    x = Value(3.0)
    slope = derivative(lambda x: x**3)(x)
    slope.backward()
    assert (slope.data, x.grad) == (27.0, 18.0)


def test_derivatives_of_a_line_and_of_a_constant_vanish():
    """Second derivatives of linear functions and all of constants are 0."""
    assert derivative(lambda x: 3 * x + 1, n=2)(5.0) == 0.0
    assert derivative(lambda _: 4.0)(5.0) == 0.0
    assert derivative(lambda _: Value(4.0), n=2)(5.0) == 0.0


def test_a_derivative_of_negative_order_is_refused():
    """n = -1 gets an error that says what n may be."""
    with pytest.raises(ArgumentError, match="0, 1, 2"):
        derivative(sin, -1)


def test_jacobian_has_a_row_for_each_output():
    """Rows are outputs, columns inputs."""
    x, y = Value(2.0), Value(3.0)
    assert jacobian([x * y, x - y, x**2], [x, y]) == [[3.0, 2.0], [1.0, -1.0], [4.0, 0.0]]


def test_hessian_of_rosenbrock():
    """The Hessian of (1-x)^2 + 100 (y-x^2)^2 is the closed form, and symmetric."""
    x, y = Value(-1.2), Value(1.0)
    found = hessian((1 - x) ** 2 + 100 * (y - x**2) ** 2, [x, y])
    right = [[2 - 400 * (1.0 - 3 * 1.44), 480.0], [480.0, 200.0]]
    assert found[0] == pytest.approx(right[0], rel=1e-12)
    assert found[1] == pytest.approx(right[1], rel=1e-12)


def test_rows_that_select_pass_nothing_to_what_was_not_chosen():
    """The second derivative through the branch not taken stays 0 even where it would be nan."""
    x = Value(-1.0)
    slope = grad(where(x > 0, x, 0 * x) + x.relu().sqrt(), x, create_graph=True)
    assert slope.data == 0.0


def test_changed_data_is_refused_with_create_graph():
    """Rules applied to values that were assigned in between would mix two points: an error."""
    a = Value(2.0)
    y = exp(a * a)
    a.data = 3.0
    assert grad(y, a) == pytest.approx(4.0 * math.exp(4.0))
    with pytest.raises(ChangedDataError, match="'mul'"):
        grad(y, a, create_graph=True)


def test_an_assigned_inner_value_is_refused_with_create_graph():
    """The same for a value in the middle, whose number is no longer its operands' result."""
    a = Value(2.0)
    inner = a * a
    inner.data = 5.0
    with pytest.raises(ChangedDataError, match=r"4\.0 from its operands"):
        grad(inner * 2, a, create_graph=True)


def test_data_assigned_to_what_was_assigned_before_is_no_change():
    """Assigning the same number again changes nothing; nan equals nan here."""
    a = Value(math.nan)
    y = a * 2
    a.data = math.nan
    assert math.isnan(grad(y * a, a, create_graph=True).data)


def test_what_was_made_without_gradient_is_a_leaf():
    """Values made under no_grad end the chain rule."""
    a = Value(2.0)
    with no_grad():
        b = a * 3
    assert grad(a * b, a) == 6.0


def test_a_chain_of_a_hundred_thousand_ops_is_differentiated_with_a_graph():
    """create_graph recurses no more than backward does."""
    a = Value(1.0)
    y = a
    for _ in range(100_000):
        y = y * 1.0
    assert grad(y, a, create_graph=True).data == 1.0


@pytest.mark.parametrize("arguments", [(1.0, Value(1.0)), (Value(1.0), 2.0), (Value(1.0), [3.0])])
def test_numbers_in_place_of_values_are_refused(arguments):
    """grad of or by a number gets an error."""
    with pytest.raises(ArgumentError, match="grad needs a value"):
        grad(*arguments)


UNARY = [row for row in TABLE.values() if isinstance(row.value, str) and len(row.operands) == 1]


@pytest.mark.parametrize("row", UNARY, ids=lambda row: row.name)
@pytest.mark.parametrize("at", [0.0, -0.0, 0.7, -0.7])
def test_derivatives_at_kinks_choose_as_pytorch(row, at):
    """Second and third derivatives are PyTorch's, also at 0, where many ops have their kink."""
    torch = pytest.importorskip("torch")
    x, tensor = Value(at), torch.tensor(at, dtype=torch.float64, requires_grad=True)
    y, right = row(x), PYTORCH[row.name](tensor)
    for order in (1, 2, 3):
        y = grad(y, x, create_graph=True)
        if right.requires_grad:
            (found,) = torch.autograd.grad(right, tensor, create_graph=True, allow_unused=True)
            right = torch.zeros_like(tensor).detach() if found is None else found
        else:
            right = torch.zeros_like(tensor).detach()
        assert y.data == pytest.approx(right.item(), rel=1e-12, abs=1e-15, nan_ok=True), order
