"""Steps of training by the engine and as a program: the same numbers, and a word on which it is."""

from __future__ import annotations

import random

import pytest

from chainrule import Value
from chainrule.nn import MLP, Module
from chainrule.optim import SGD, Adam, CosineAnnealingLR
from chainrule.training import fit, outputs

pytest.importorskip("numpy")

RNG = random.Random(3)
ROWS = [[RNG.gauss(0.0, 1.0), RNG.gauss(0.0, 1.0)] for _ in range(24)]
SIGNS = [1 if x * y > 0 else -1 for x, y in ROWS]
TASKS = {
    "hinge": (SIGNS, [8, 1], {"loss": "hinge"}),
    "two classes": ([(s + 1) // 2 for s in SIGNS], [8, 1], {"loss": "binary_cross_entropy"}),
    "many classes": ([i % 3 for i in range(24)], [8, 3], {}),
    "numbers": ([x * y for x, y in ROWS], [8, 1], {"loss": "mse"}),
    "penalty": (SIGNS, [8, 1], {"loss": "hinge", "l2": 0.01}),
    "batches": (SIGNS, [8, 1], {"loss": "hinge", "batch": 7}),
}


def trained(task, eager):
    """The history of a training and the parameters that it ends with."""
    targets, nouts, options = TASKS[task]
    random.seed(5)
    model = MLP(2, nouts, activation="tanh")
    optimizer = Adam(model.parameters(), lr=0.03)
    history = fit(
        model,
        ROWS,
        targets,
        optimizer=optimizer,
        schedule=CosineAnnealingLR(optimizer, T_max=30),
        steps=30,
        validation=(ROWS[:9], targets[:9]),
        progress=False,
        eager=eager,
        **options,
    )
    return history, [p.data for p in model.parameters()]


@pytest.mark.parametrize("task", TASKS)
def test_both_ways_train_alike(task):
    """Losses, accuracies, held-out measures and parameters agree, but for the order of sums."""
    (ours, ours_at_end), (right, right_at_end) = trained(task, False), trained(task, True)
    for row, expected in zip(ours.rows, right.rows, strict=True):
        assert row.loss == pytest.approx(expected.loss, rel=1e-9)
        assert row.accuracy == expected.accuracy
        assert row.held_out_accuracy == expected.held_out_accuracy
        if expected.held_out_loss is not None:
            assert row.held_out_loss == pytest.approx(expected.held_out_loss, rel=1e-9)
    assert ours_at_end == pytest.approx(right_at_end, rel=1e-7, abs=1e-9)


def said(model, capsys, **options):
    """The first line that a training prints."""
    targets = options.pop("targets", SIGNS)
    fit(model, ROWS, targets, loss=options.pop("loss", "hinge"), steps=2, **options)
    return capsys.readouterr().out.splitlines()[0]


def test_what_a_step_became_is_said_in_one_line(capsys):
    """Values, instructions and seconds."""
    model = MLP(2, [16, 16, 1])
    optimizer = SGD(model.parameters(), lr=0.1)
    line = said(model, capsys, optimizer=optimizer)
    count, _, rest = line.partition(" values became ")
    assert int(count.replace(",", "")) > 10_000
    assert rest.split()[1] == "instructions"
    assert int(rest.split()[0]) <= 20


def test_without_compiling_that_is_said(capsys):
    """On demand, each step is computed value by value."""
    assert said(MLP(2, [1]), capsys, eager=True) == "each step is computed value by value"


class Remembering(Module):
    """A model that counts its calls, which a program would not do."""

    def __init__(self):
        self.w = Value(0.5)
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return self.w * x[0]


def test_a_model_that_cannot_be_traced_is_left_to_the_engine(capsys):
    """The line says why, and the model is called for each row of each step."""
    model = Remembering()
    line = said(model, capsys)
    assert line.startswith("each step is computed value by value: ")
    assert "calls" in line
    assert model.calls > 2 * len(ROWS)


def test_a_tiny_model_is_left_to_the_engine(capsys):
    """Where a program would be slower than the values, there is none."""
    model = MLP(1, [1])
    fit(model, [[1.0]], [2.0], loss="mse", task="regression", steps=1)
    assert "slower" in capsys.readouterr().out.splitlines()[0]


class Forked(Module):
    """A model of as many cases as its input has signs, which a program has one by one."""

    def __init__(self):
        self.w = Value(0.5)

    def __call__(self, x):
        for _ in range(40):
            y = self.w * (x[0] if x[0] > 0 else -2 * x[0])
        return y


def test_a_step_that_cannot_be_compiled_is_left_to_the_engine(capsys):
    """Where batches decide differently too often, the rest is computed value by value, and said."""
    histories = []
    for eager in (False, True):
        model = Forked()
        histories.append(fit(model, ROWS, SIGNS, loss="hinge", steps=40, batch=6, eager=eager))
    ours, right = (history.losses for history in histories)
    assert ours == pytest.approx(right, rel=1e-9)
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith("from here on, each step is computed value")]


def test_many_rows_are_scored_by_a_program():
    """What a model gives for 150 rows is what it gives for each."""
    random.seed(5)
    model = MLP(2, [4, 2])
    rows = [[RNG.gauss(0.0, 1.0), RNG.gauss(0.0, 1.0)] for _ in range(150)]
    right = [[score.data for score in model(row)] for row in rows]
    for given, expected in zip(outputs(model, rows), right, strict=True):
        assert given == pytest.approx(expected, rel=1e-12)
