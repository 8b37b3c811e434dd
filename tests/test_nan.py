"""A training that meets nan or inf: the message says where it came from, whatever made the step."""

from __future__ import annotations

import inspect
import itertools
import random

import pytest

import chainrule
from chainrule import Value
from chainrule.errors import TrainingError
from chainrule.nn import MLP
from chainrule.optim import SGD
from chainrule.training import fit

COUNT, BATCH = 40, 4
HOW = pytest.mark.parametrize("eager", [True, False], ids=["eager", "compiled"])


def line_of(function, text):
    """The place of a line that holds the text, as messages have it."""
    lines, first = inspect.getsourcelines(function)
    offset = next(i for i, line in enumerate(lines) if text in line)
    return f"test_nan.py:{first + offset}, in {function.__name__}()"


def examples(bad=None, features=None, target=None):
    """Points of the plane with the difference of both as target; one of them is another one."""
    draw = random.Random(0)
    rows = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(COUNT)]
    targets = [a - b for a, b in rows]
    if features is not None:
        rows[bad] = features
    if target is not None:
        targets[bad] = target
    return rows, targets


def ended(data, eager, batch=BATCH, lr=0.01, **more):
    """How a training ends: the error, the parameters of each step's beginning, those at the end."""
    random.seed(1)
    model = MLP(2, [4, 1])
    numbers = lambda: [p.data for p in model.parameters()]
    before = [numbers()]
    with pytest.raises(TrainingError) as error:
        fit(
            model,
            *data,
            task="regression",
            optimizer=SGD(model.parameters(), lr=lr),
            steps=30,
            batch=batch,
            callbacks=[lambda _: before.append(numbers())],
            eager=eager,
            progress=False,
            **more,
        )
    return error.value, before, numbers()


def step_that_sees(place):
    """The first step whose batch has that example, by a drawing of one's own."""
    draw = random.Random(0)
    order = itertools.chain.from_iterable(draw.sample(range(COUNT), COUNT) for _ in range(3))
    return list(order).index(place) // BATCH


def of_logarithms(scores, targets):
    total = 0.0
    for score, target in zip(scores, targets):
        total = total + (score - chainrule.log(Value(target) + 4.5)) ** 2
    return total / len(targets)


@HOW
@pytest.mark.parametrize("bad", [0, 13, 26, 39])
def test_an_example_in_the_middle_of_a_batch(eager, bad):
    """Op, operand, line of the loss, example and step are named; the parameters are those before.

    Of a loss of one's own the line is the one in it.
    """
    data = examples(bad, target=-5.0)
    error, before, after = ended(data, eager, loss=of_logarithms, seed=0)
    step = step_that_sees(bad)
    assert str(error) == (
        f"step {step}: log(-0.5) gave nan at {line_of(of_logarithms, 'chainrule.log')}; "
        f"example {bad} by itself is enough, counted from 0; "
        "the parameters are those before this step"
    )
    assert len(error.history.rows) == step
    assert after == before[step]
    assert len(before) == step + 1


@HOW
@pytest.mark.parametrize("batch", [BATCH, None])
def test_a_loss_by_its_name(eager, batch):
    """Of a loss that chainrule has, the line is the caller's; all else is the same."""
    error, before, after = ended(examples(17, features=[1e200, 1.0]), eager, batch, loss="mse")
    step = step_that_sees(17) if batch else 0
    assert f"step {step}: pow(" in str(error)
    assert f"2.0) gave inf at {line_of(ended, 'fit(')}; example 17 by itself" in str(error)
    assert after == before[step]


@HOW
def test_a_penalty_that_overflows(eager):
    """What no example is at fault for names none, and a parameter goes by its path."""
    nothing = [[0.0, 0.0]] * COUNT, [0.0] * COUNT
    error, before, after = ended(nothing, eager, lr=1e200, l2=1.0)
    assert str(error).startswith("step 1: ")
    assert "(layers.0.neurons.0.w.0 = " in str(error)
    assert "example" not in str(error)
    assert after == before[1]


@HOW
def test_a_gradient_that_is_infinite(eager):
    """A loss that is finite and whose gradient is not: the root of 0 has none."""

    def of_roots(scores, _):
        return chainrule.sqrt(scores[0] * 0.0) + scores[-1]

    error, before, after = ended(examples(), eager, loss=of_roots)
    assert str(error).startswith("step 0: the derivative of sqrt(")
    assert f"; the op is at {line_of(of_roots, 'sqrt')}" in str(error)
    assert after == before[0]


@HOW
def test_what_only_many_make(eager):
    """A sum of examples that overflows, each of which is finite by itself, names none of them."""

    def of_sums(scores, targets):
        return sum(s * 0.0 + t * 1e308 for s, t in zip(scores, targets))

    error, before, after = ended(([[0.0, 0.0]] * 4, [1.0] * 4), eager, loss=of_sums)
    assert "example" not in str(error)
    assert f"gave inf at {line_of(of_sums, 'sum(')}" in str(error)
    assert after == before[0]
