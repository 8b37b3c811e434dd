"""The checker, itself checked: numerical derivatives, gradcheck, condition, anomalies."""

from __future__ import annotations

import math

import pytest

from chainrule import (
    TABLE,
    Value,
    condition,
    detect_anomaly,
    exp,
    gradcheck,
    gradgradcheck,
    maximum,
    numerical_derivative,
    op,
    softmax,
    step_size_study,
    stop_gradient,
    tanh,
)
from chainrule.check import near_kinks
from chainrule.errors import AnomalyError, ArgumentError, GradientCheckError, NumberError
from chainrule.ops import Op

# What stop_gradient gives is not the derivative, on purpose.
BUILT_IN = [
    row for row in TABLE.values() if isinstance(row.value, str) and row.name != "stop_gradient"
]


# ---- differences ----


def parabola(x):
    return 3 * x**2 - 4 * x + 5


def test_forward_and_central_differences_of_a_parabola_are_exact_sums():
    """(f(x+h)-f(x))/h = 14 + 3h at 3; the central difference of a parabola has no error."""
    assert numerical_derivative(parabola, 3.0, h=0.25, method="forward") == 14.75
    assert numerical_derivative(parabola, 3.0, h=0.25) == 14.0


def test_each_argument_is_nudged_on_its_own():
    """For a list of arguments there is a list of slopes: b, a and 1 for a*b + c."""
    slopes = numerical_derivative(lambda a, b, c: a * b + c, [2.0, -3.0, 10.0], h=0.5)
    assert slopes == [-3.0, 2.0, 1.0]


def test_functions_of_values_are_differenced_at_values():
    """With a value as the point, f is called with values, and leaves no graph behind."""
    x = Value(0.5)
    slope = numerical_derivative(tanh, x, h=1e-5)
    assert slope == pytest.approx(1 - math.tanh(0.5) ** 2, rel=1e-9)
    assert x.grad == 0.0


@pytest.mark.parametrize("arguments", [{"method": "backward"}, {"h": 0.0}, {"h": math.nan}])
def test_bad_arguments_of_differences_are_refused(arguments):
    """An unknown method and a step that is not positive get an error."""
    with pytest.raises(ArgumentError):
        numerical_derivative(parabola, 3.0, **arguments)


def test_the_errors_of_both_methods_are_valleys():
    """The least error lies inside the range of steps, at a larger step and a smaller error for
    the central difference: about eps^(1/2) and eps^(1/3) of theory."""
    study = step_size_study(lambda x: exp(x), 1.0)
    assert study.exact == math.e
    best_forward = study.steps[study.forward.index(min(study.forward))]
    best_central = study.steps[study.central.index(min(study.central))]
    assert 1e-10 < best_forward < 1e-6 < best_central < 1e-4
    assert min(study.central) < min(study.forward) < 1e-6
    assert study.forward[0] > 0.1
    assert study.forward[-1] > 0.01


# ---- gradcheck ----


def test_a_stopped_gradient_is_found_by_the_checker():
    """stop_gradient passes the value on, and differences tell that it passes no gradient."""
    with pytest.raises(GradientCheckError, match=r"no gradient arrives: .* or stop_gradient\(\)"):
        gradcheck(lambda x: 2 * stop_gradient(x), [0.5])


def test_a_stopped_gradient_is_not_blamed_for_another_rule():
    """softmax stops a gradient that does not matter; a wrong rule behind it is what is named."""

    @op("2.002 * x")
    def bent_square(x):
        return x * x

    with pytest.raises(GradientCheckError, match="the rule of 'bent_square'"):
        gradcheck(lambda a, b: bent_square(softmax([a, b])[0]), [0.3, -0.2])


@pytest.mark.parametrize("row", BUILT_IN, ids=lambda row: row.name)
def test_every_row_passes_the_checker_at_its_probes(row):
    """First and second derivatives of each row agree with differences at its probe points."""
    for probe in row.probes:
        assert gradcheck(row, probe)
        assert gradgradcheck(row, probe, rtol=1e-5)


CASES = [(row, i) for row in BUILT_IN for i in range(len(row.operands))]


@pytest.mark.parametrize(("row", "i"), CASES, ids=lambda case: str(getattr(case, "name", case)))
def test_a_rule_bent_by_a_thousandth_is_caught(row, i, monkeypatch):
    """Each rule of each row, bent by one part in a thousand, fails at one of the row's probes."""
    rules = list(row.derivatives)
    rules[i] = f"({rules[i]}) * 1.001" if rules[i] != "0" else "0.001"
    monkeypatch.setitem(TABLE, "bent", None)
    bent = Op("bent", row.value, *rules, operands=row.operands, selects=row.selects)

    def check_all():
        for probe in row.probes:
            gradcheck(bent, probe)

    with pytest.raises(
        GradientCheckError, match=f"the rule of 'bent' for its operand '{row.operands[i]}'"
    ):
        check_all()


def test_the_message_names_the_input_and_both_numbers():
    """A wrong rule of a user's op is reported by input, numbers and rule."""

    @op("2 * x * 1.001")
    def nearly_square(x):
        return x * x

    with pytest.raises(GradientCheckError) as caught:
        gradcheck(lambda first, second: first + nearly_square(second), [1.0, 3.0])
    message = str(caught.value)
    assert "input 'second'" in message
    assert "gives 6.00" in message
    assert "'nearly_square'" in message
    assert "differences give 6.0" in message or "5.99999" in message


def test_a_kink_is_named_as_the_cause():
    """At the kink of relu both numbers are shown, and the kink is what is blamed."""
    with pytest.raises(GradientCheckError, match="'relu' has a kink here"):
        gradcheck(lambda x: x.relu(), [0.0])


def test_a_number_taken_out_of_the_graph_is_named_as_the_cause():
    """A function that goes through .data passes no gradient: the message says so."""
    with pytest.raises(GradientCheckError, match=r"taken out by \.data"):
        gradcheck(lambda x: Value(x.data * 2) + 0 * x, [1.0])


def test_a_changing_function_is_named_as_the_cause():
    """A function that gives another result at each call cannot be differenced."""
    calls = iter(range(1000))
    with pytest.raises(GradientCheckError, match="another result each time"):
        gradcheck(lambda x: x * next(calls), [1.0])


def test_labels_name_the_inputs():
    """An input that is a labelled value is called by its label."""
    with pytest.raises(GradientCheckError, match="input 'threshold'"):
        gradcheck(lambda *xs: xs[0].relu(), [Value(0.0, label="threshold")])


def test_second_derivatives_are_checked_by_name_too():
    """gradgradcheck says of which first derivative the second is wrong."""
    with pytest.raises(GradientCheckError, match="the derivative by input 'a', by input 'a'"):
        gradgradcheck(lambda a: a.relu() * a.relu(), [0.0])


def test_what_is_no_number_is_refused():
    """A point that is text, and a function that gives nothing, are told so."""
    with pytest.raises(NumberError, match="not the text 'x'"):
        gradcheck(lambda a: a, ["x"])
    with pytest.raises(NumberError, match="not a NoneType"):
        numerical_derivative(lambda _: None, 1.0)


def test_a_function_that_returns_no_value_is_refused():
    """gradcheck of a function of numbers gets an error that says what is needed."""
    with pytest.raises(ArgumentError, match="returns a value"):
        gradcheck(lambda _: 3.0, [1.0])


# ---- condition ----


def test_the_condition_of_a_sum_counts_the_roundings():
    """a + b + c with all numbers 1: the first sum rounds 2, the second 3."""
    a = Value(1.0)
    assert condition(a + a + a) == 5.0


def test_cancellation_shows_in_the_condition():
    """(x + 1e8) - 1e8 carries the rounding of 1e8; so does a gradient computed from it."""
    x = Value(1.0)
    difference = (x + 1e8) - 1e8
    assert condition(difference) >= 1e8
    assert condition(difference * difference, [x])[0] >= 1e8


def test_the_condition_bounds_the_true_error():
    """Values and gradients in floats stay within their condition of the same in mpmath."""
    mpmath = pytest.importorskip("mpmath")
    with mpmath.workdps(50):
        for k in range(1, 40):
            start = k / 7.0
            x = Value(start)
            y = ((x * 1e3).sin() + x - x.log() * 3) / (x.exp() - x * 2.7)
            exact = mpmath.mpf(start)

            def f(t):
                top = mpmath.sin(t * 1000) + t - mpmath.log(t) * 3
                return top / (mpmath.exp(t) - t * mpmath.mpf(2.7))

            y.backward()
            assert abs(y.data - f(exact)) <= 2.0**-52 * condition(y)
            assert abs(x.grad - mpmath.diff(f, exact)) <= 2.0**-52 * condition(y, [x])[0]


def test_only_inexact_operands_are_near_a_kink():
    """A leaf at 0 is exactly at relu's kink, where both sides agree on the choice; 0 by
    cancellation is near it."""
    x = Value(0.3)
    assert near_kinks(Value(0.0).relu()) == []
    cancelled = (x - 0.1 - 0.2).relu()
    assert near_kinks(cancelled) == [cancelled]
    assert near_kinks(maximum(x, 0.2)) == []


# ---- anomalies ----


def test_the_first_nan_is_named_with_its_line():
    """The error names the op, its operands by label and number, and the line in this file."""
    x = Value(-1.0, label="x")
    with detect_anomaly(), pytest.raises(AnomalyError) as caught:
        (x * 2).log()
    assert "log(-2.0) gave nan" in str(caught.value)
    assert "test_check.py" in str(caught.value)
    assert "in test_the_first_nan_is_named_with_its_line()" in str(caught.value)


def test_an_infinite_gradient_is_named():
    """sqrt at 0 has a finite value and an infinite derivative: found on the way back."""
    x = Value(0.0, label="x")
    with detect_anomaly():
        y = x.sqrt()
        with pytest.raises(AnomalyError, match=r"the derivative of sqrt\(x = 0.0\) is inf"):
            y.backward()


def test_numbers_that_are_finite_raise_nothing():
    """A finite forward and backward pass is left alone, and the mode ends with its block."""
    x = Value(2.0)
    with detect_anomaly():
        (x.log() * 3).backward()
    assert x.grad == 1.5
    assert math.isnan((x - 3).log().data)
