"""Training: its numbers against micrograd and PyTorch, its history, its ways to end."""

from __future__ import annotations

import csv
import io
import math
import random
import signal
import sys
import threading

import pytest

from chainrule import Value, log, sqrt
from chainrule.errors import ArgumentError, TrainingError
from chainrule.losses import hinge
from chainrule.nn import MLP, Module
from chainrule.objectives import losses_of
from chainrule.optim import SGD, Adam, LinearLR
from chainrule.reporting import report_line
from chainrule.training import fit, outputs, predictions, score

CORNERS = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]


def points(count, seed=0):
    """Points of a square, of class 1 above its diagonal."""
    draw = random.Random(seed)
    rows = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(count)]
    return rows, [int(x2 > x1) for x1, x2 in rows]


def network(*sizes, seed=0, **kwargs):
    random.seed(seed)
    return MLP(sizes[0], list(sizes[1:]), **kwargs)


def quiet(model, *data, **kwargs):
    return fit(model, *data, **{"progress": False, **kwargs})


class Line(Module):
    """slope * x + shift, for data of one feature."""

    def __init__(self, slope=0.0, shift=0.0):
        self.slope = Value(slope)
        self.shift = Value(shift)

    def __call__(self, x):
        return self.slope * x[0] + self.shift


# ---- the numbers ----


def test_demo_of_micrograd():
    """The demo's program gives the same losses and accuracies with micrograd, to 12 digits."""
    pytest.importorskip("micrograd")
    from micrograd.engine import Value as MicrogradValue
    from micrograd.nn import MLP as MicrogradMLP  # noqa: N811

    rows, classes = points(12)
    random.seed(5)
    theirs = MicrogradMLP(2, [8, 8, 1])
    expected = []
    for k in range(20):
        scores = [theirs(list(map(MicrogradValue, row))) for row in rows]
        margins = [(1 + -(2 * y - 1) * s).relu() for y, s in zip(classes, scores)]
        total = sum(margins) * (1.0 / len(margins))
        total = total + 1e-4 * sum(p * p for p in theirs.parameters())
        right = [(y > 0) == (s.data > 0) for y, s in zip(classes, scores)]
        expected += [total.data, sum(right) / len(right)]
        theirs.zero_grad()
        total.backward()
        for p in theirs.parameters():
            p.data -= (1.0 - 0.9 * k / 20) * p.grad
    ours = network(2, 8, 8, 1, seed=5)
    descent = SGD(ours.parameters(), lr=1.0)
    schedule = LinearLR(descent, start_factor=1.0, end_factor=0.1, total_iters=20)
    history = quiet(ours, rows, classes, optimizer=descent, schedule=schedule, steps=20, l2=1e-4)
    measured = [number for row in history.rows[:-1] for number in (row.loss, row.accuracy)]
    assert measured == pytest.approx(expected, rel=1e-12)


def torch_copy(torch, model):
    """The parameters of a model as tensors, one weight matrix and one bias a layer."""
    tensors = []
    for layer in model.layers:
        weights = [[w.data for w in neuron.w] for neuron in layer.neurons]
        biases = [neuron.b.data for neuron in layer.neurons]
        tensors += [torch.tensor(t, dtype=torch.float64) for t in (weights, biases)]
    return [tensor.requires_grad_() for tensor in tensors]


@pytest.mark.parametrize(
    ("name", "outs", "targets"),
    [
        ("cross_entropy", 3, [0, 2, 1, 2, 0, 1, 1, 0]),
        ("binary_cross_entropy", 1, [0, 1, 1, 0, 0, 1, 1, 0]),
        ("mse", 1, [0.5, -1.0, 2.0, 0.0, 0.25, -0.75, 1.5, 3.0]),
    ],
)
def test_trajectory_of_torch(name, outs, targets):
    """30 steps with each loss, Adam and a schedule give PyTorch's losses within 1e-10."""
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    rows, _ = points(8, seed=1)
    ours = network(2, 5, outs, activation="tanh")
    w1, b1, w2, b2 = tensors = torch_copy(torch, ours)
    inputs = torch.tensor(rows, dtype=torch.float64)
    wanted = torch.tensor(targets)
    adam = torch.optim.Adam(tensors, lr=0.05)
    slower = torch.optim.lr_scheduler.LinearLR(adam, 1.0, 0.1, 30)
    expected = []
    for _ in range(30):
        scores = torch.tanh(inputs @ w1.T + b1) @ w2.T + b2
        if name == "cross_entropy":
            total = functional.cross_entropy(scores, wanted)
        elif name == "mse":
            total = functional.mse_loss(scores[:, 0], wanted.double())
        else:
            total = functional.binary_cross_entropy_with_logits(scores[:, 0], wanted.double())
        total = total + 0.01 * sum((t * t).sum() for t in tensors)
        expected.append(total.item())
        adam.zero_grad()
        total.backward()
        adam.step()
        slower.step()
    optimizer = Adam(ours.parameters(), lr=0.05)
    schedule = LinearLR(optimizer, 1.0, 0.1, 30)
    history = quiet(
        ours, rows, targets, loss=name, optimizer=optimizer, schedule=schedule, steps=30, l2=0.01
    )
    assert history.losses[:-1] == pytest.approx(expected, rel=1e-10)


def test_regression_finds_the_line_of_least_squares():
    """A line fitted by descent is that of the normal equations: slope 1.4, shift 0.4."""
    line = Line()
    X = [[0.0], [1.0], [2.0], [3.0]]  # noqa: N806
    history = quiet(
        line, X, [1.0, 1.0, 3.0, 5.0], optimizer=SGD(line.parameters(), lr=0.1), steps=400
    )
    assert history.task == "regression"
    assert [line.slope.data, line.shift.data] == pytest.approx([1.4, 0.4], rel=1e-9)


def test_two_classes_may_be_0_and_1_or_signs():
    """Targets of -1 and 1 train as 0 and 1 do, with either loss."""
    rows, classes = points(10)
    signs = [2 * t - 1 for t in classes]
    for name in ("hinge", "binary_cross_entropy", "mse"):
        runs = [
            quiet(network(2, 3, 1), rows, y, loss=name, task="binary", steps=5)
            for y in (classes, signs)
        ]
        assert runs[0].losses == runs[1].losses
        assert [row.accuracy for row in runs[0].rows] == [row.accuracy for row in runs[1].rows]


def test_loss_of_ones_own():
    """A loss may be a function of the scores and targets of a batch."""
    rows, classes = points(6)
    signs = [2 * t - 1 for t in classes]
    named = quiet(network(2, 1), rows, signs, loss="hinge", steps=4)
    own = quiet(network(2, 1), rows, signs, loss=hinge, steps=4)
    assert own.losses == named.losses


def test_arrays_train_as_lists():
    """NumPy arrays give the same history as lists of the same numbers."""
    np = pytest.importorskip("numpy")
    rows, classes = points(6)
    lists = quiet(network(2, 3, 1), rows, classes, steps=3, batch=2)
    arrays = quiet(network(2, 3, 1), np.array(rows), np.array(classes), steps=3, batch=2)
    assert arrays.losses == lists.losses


def test_task_is_inferred():
    """Lists of scores are classes; floats a regression; 0 and 1, or -1 and 1, two classes."""
    rows, classes = points(4)
    assert quiet(network(2, 2), rows, classes, steps=1).task == "multiclass"
    assert quiet(network(2, 1), rows, classes, steps=1).task == "binary"
    assert quiet(network(2, 1), rows, [-1, 1, 1, -1], steps=1).task == "binary"
    assert quiet(network(2, 1), rows, [1.0, 0.0, 1.0, 0.0], steps=1).task == "regression"
    assert quiet(network(2, 1), rows, [1.0, -1.0, 1, 1], loss="hinge", steps=1).task == "binary"


# ---- batches ----


def test_batches_take_every_example_before_any_again():
    """Over four batches of 3, and the leftover, each of 13 examples is drawn once."""
    seen = []

    def remember(scores, targets):
        seen.append(targets)
        return scores[0] * 0.0

    X = [[float(i)] for i in range(13)]  # noqa: N806
    quiet(Line(), X, list(map(float, range(13))), loss=remember, batch=3, steps=13, eager=True)
    *batches, at_end = seen
    assert {len(batch) for batch in batches} == {3}
    drawn = [target for batch in batches for target in batch]
    for start in (0, 13, 26):
        assert sorted(drawn[start : start + 13]) == list(range(13))
    assert drawn[:13] != drawn[13:26]
    assert at_end == list(range(13))


def test_full_batches_keep_the_order():
    """Without a batch size a step sees all examples, in their order."""
    seen = []

    def remember(scores, targets):
        seen.append(targets)
        return scores[0] * 0.0

    quiet(Line(), [[0.0]] * 3, [3.0, 1.0, 2.0], loss=remember, steps=2, eager=True)
    assert seen == [[3.0, 1.0, 2.0]] * 3


def test_seed_decides_the_batches():
    """The same seed gives the same history, another one another."""
    rows, classes = points(20)
    first, again, other = (
        quiet(network(2, 3, 1), rows, classes, batch=4, steps=6, seed=seed).losses
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first != other


# ---- the history ----


def test_rows_are_of_the_parameters_after_so_many_steps():
    """Row k has loss and accuracy after k updates; the last one those of what was trained."""
    rows, classes = points(10)
    model = network(2, 3, 1)
    states = [model.state_dict()]
    history = quiet(
        model,
        rows,
        classes,
        steps=3,
        callbacks=[lambda state: states.append(state.model.state_dict())],
    )
    assert [row.step for row in history.rows] == [0, 1, 2, 3]
    for row, parameters in zip(history.rows, states, strict=True):
        model.load_state_dict(parameters)
        given = outputs(model, rows)
        margins = [max(0.0, 1 - (2 * t - 1) * s) for s, t in zip(given, classes)]
        assert row.loss == pytest.approx(sum(margins) / 10, rel=1e-12)
        assert row.accuracy == sum((s > 0) == t for s, t in zip(given, classes)) / 10
        assert row.accuracy == score(model, rows, classes, "binary")


def test_held_out_examples_are_measured_now_and_then():
    """Held-out loss, without penalty, and accuracy are there at a tenth of the steps."""
    rows, classes = points(6)
    others = points(7, seed=9)
    model = network(2, 1)
    history = quiet(model, rows, classes, validation=others, steps=30, l2=0.1)
    measured = [row.step for row in history.rows if row.held_out_loss is not None]
    assert measured == list(range(0, 31, 3))
    last = history.rows[-1]
    margins = [max(0.0, 1 - (2 * t - 1) * s) for s, t in zip(outputs(model, others[0]), others[1])]
    assert last.held_out_loss == pytest.approx(sum(margins) / 7, rel=1e-12)
    assert last.held_out_accuracy == score(model, *others, "binary")


def test_history_as_csv(tmp_path):
    """The file has a row for each row, with the same numbers, and nothing where not measured."""
    rows, classes = points(6)
    history = quiet(network(2, 1), rows, classes, validation=(rows, classes), steps=20)
    history.save_csv(tmp_path / "history.csv")
    with open(tmp_path / "history.csv", newline="") as file:
        read = list(csv.DictReader(file))
    assert [float(row["loss"]) for row in read] == history.losses
    assert [row["held_out_loss"] for row in read[:3]][1] == ""
    assert list(read[0]) == [
        "step",
        "loss",
        "accuracy",
        "lr",
        "held_out_loss",
        "held_out_accuracy",
        "seconds",
    ]


def test_learning_rate_and_time_are_kept():
    """A row has the learning rate of the update that follows it, and the seconds so far."""
    line = Line()
    descent = SGD(line.parameters(), lr=1.0)
    schedule = LinearLR(descent, 1.0, 0.5, 4)
    history = quiet(line, [[0.0]], [0.0], optimizer=descent, schedule=schedule, steps=4)
    assert [row.lr for row in history.rows] == pytest.approx([1.0, 0.875, 0.75, 0.625, 0.5])
    seconds = [row.seconds for row in history.rows]
    assert seconds == sorted(seconds)
    assert seconds[0] > 0


def test_callbacks_are_shown_each_step():
    """After each step every callback is shown its number, its loss, the model and the history."""
    line = Line()
    shown = []
    history = quiet(line, [[0.0]], [1.0], steps=3, callbacks=[shown.append, shown.append])
    assert [state.step for state in shown] == [0, 0, 1, 1, 2, 2]
    assert [state.loss for state in shown[::2]] == history.losses[:3]
    assert all(state.model is line and state.history is history for state in shown)


class Listener:
    """A callback that keeps what it is told."""

    def __init__(self):
        self.told = []

    def begin(self, setup):
        self.setup = setup
        self.told.append(("begin", len(setup.history.rows)))

    def __call__(self, state):
        self.told.append(("step", state.step))

    def end(self, problem):
        self.told.append(("end", problem and str(problem)))


def test_callbacks_are_told_begin_and_end():
    """A callback with such methods is given the setup before the first step, and told the end."""
    line, listener = Line(), Listener()
    X, y = [[0.0], [1.0]], [1.0, 2.0]  # noqa: N806
    history = quiet(line, X, y, steps=2, l2=0.5, validation=(X, y), callbacks=[listener])
    assert listener.told == [("begin", 0), ("step", 0), ("step", 1), ("end", None)]
    setup = listener.setup
    assert (setup.model, setup.history, setup.loss) == (line, history, "mse")
    assert (setup.l2, setup.batch, setup.optimizer.lr) == (0.5, 2, 0.01)
    assert tuple(setup.train) == (X, y)
    assert setup.scores(X) == outputs(line, X)
    assert len(setup.held_out.features) == 2


@pytest.mark.usefixtures("ctrl_c")
def test_callbacks_are_told_of_every_end():
    """Ctrl-C, a second one, and nan: callbacks hear of the end, and of the error if it was one."""
    listener = Listener()
    quiet(Line(), [[1.0]], [2.0], callbacks=[press_at(1), listener])
    assert listener.told[-2:] == [("step", 1), ("end", None)]
    with pytest.raises(KeyboardInterrupt):
        quiet(Line(), [[1.0]], [2.0], callbacks=[press_at(0, times=2), listener])
    assert listener.told[-2:] == [("begin", 0), ("end", None)]
    with pytest.raises(TrainingError) as error:
        quiet(Line(math.nan), [[1.0]], [2.0], callbacks=[listener])
    assert listener.told[-2:] == [("begin", 0), ("end", str(error.value))]


# ---- predictions and scores ----


def test_predictions():
    """A prediction is the score, whether it is positive, or the place of the highest."""
    line = Line(2.0, -1.0)
    assert outputs(line, [[0.0], [2.0]]) == [-1.0, 3.0]
    assert predictions(line, [[0.0], [2.0]], "regression") == [-1.0, 3.0]
    assert predictions(line, [[0.0], [2.0]], "binary") == [0, 1]
    assert predictions(lambda x: [Value(x[0]), Value(1.0)], [[0.0], [2.0]], "multiclass") == [1, 0]


def test_score_of_a_regression_is_r_squared():
    """The score of a regression is scikit-learn's r2_score."""
    metrics = pytest.importorskip("sklearn.metrics")
    X, y = [[0.0], [1.0], [3.0]], [1.0, 0.5, 4.0]  # noqa: N806
    line = Line(1.25, 0.5)
    expected = metrics.r2_score(y, [1.25 * x + 0.5 for (x,) in X])
    assert score(line, X, y, "regression") == pytest.approx(expected, rel=1e-12)


def test_predicting_leaves_no_gradient():
    """Predictions and held-out measurements add nothing to the parameters' gradients."""
    line = Line(2.0)
    predictions(line, [[1.0]], "binary")
    score(line, [[1.0]], [1.0], "regression")
    assert [p.grad for p in line.parameters()] == [0.0, 0.0]


# ---- what is printed ----


def test_plain_lines(capsys):
    """Where there is no terminal: what the step became, and a line at each tenth of the steps."""
    rows, classes = points(4)
    history = fit(network(2, 1), rows, classes, steps=25, validation=(rows, classes))
    how, *lines = capsys.readouterr().out.splitlines()
    assert "value" in how
    assert lines == [report_line(row, 25) for row in history.rows if row.step % 2 == 0] + [
        report_line(history.rows[-1], 25)
    ]
    assert lines[0].startswith("step  0/25  loss ")


def test_report_line_of_a_regression():
    """A line of a regression has no accuracy."""
    history = quiet(Line(), [[0.0]], [2.0], steps=1)
    assert report_line(history.rows[0], 1) == "step 0/1  loss 4.0000"


def test_silence(capsys):
    """Without progress nothing is printed."""
    quiet(Line(), [[0.0]], [2.0], steps=3)
    assert capsys.readouterr().out == ""


def test_bar_on_a_terminal(monkeypatch):
    """On a terminal a bar shows the step, the loss and the time left."""

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    history = fit(Line(), [[0.0]], [2.0], steps=12)
    shown = terminal.getvalue()
    assert "12/12" in shown
    assert f"loss {history.rows[-1].loss:.4f}" in shown
    assert "0:00:00" in shown
    assert "step  6/12  loss" not in shown


# ---- Ctrl-C ----


@pytest.fixture
def ctrl_c():
    """A handler of Ctrl-C as Python starts with, wherever the tests run."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def press_at(step, times=1):
    def press(state):
        for _ in range(times if state.step == step else 0):
            signal.raise_signal(signal.SIGINT)

    return press


def test_ctrl_c_ends_after_the_step_in_hand(ctrl_c):
    """After Ctrl-C the step is finished, everything so far is there, and the handler is back."""
    line = Line()
    history = quiet(line, [[1.0]], [2.0], steps=50, callbacks=[press_at(3)])
    assert history.interrupted
    assert [row.step for row in history.rows] == [0, 1, 2, 3]
    assert signal.getsignal(signal.SIGINT) is ctrl_c
    other = Line()
    assert not quiet(other, [[1.0]], [2.0], steps=4).interrupted
    assert line.state_dict() == other.state_dict()


def test_ctrl_c_twice_interrupts(ctrl_c):
    """A second Ctrl-C before the step has ended does what it does elsewhere."""
    with pytest.raises(KeyboardInterrupt):
        quiet(Line(), [[1.0]], [2.0], callbacks=[press_at(0, times=2)])
    assert signal.getsignal(signal.SIGINT) is ctrl_c


def test_ctrl_c_where_it_is_ignored():
    """A program that ignores Ctrl-C still does while it trains."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        history = quiet(Line(), [[1.0]], [2.0], steps=3, callbacks=[press_at(1)])
    finally:
        signal.signal(signal.SIGINT, before)
    assert not history.interrupted
    assert len(history.rows) == 4


def test_training_in_a_thread(ctrl_c):
    """In another thread, where no handler can be set, training runs as well."""
    histories = []
    thread = threading.Thread(
        target=lambda: histories.append(quiet(Line(), [[1.0]], [2.0], steps=2))
    )
    thread.start()
    thread.join()
    assert len(histories[0].rows) == 3
    assert signal.getsignal(signal.SIGINT) is ctrl_c


# ---- nan and inf ----


def failing(*args, **kwargs):
    with pytest.raises(TrainingError) as caught:
        quiet(*args, **kwargs)
    return caught.value


def log_loss(scores, _):
    return sum(log(s) for s in scores)


def root_loss(scores, _):
    return sum(sqrt(s * 0.0) for s in scores)


def test_loss_that_becomes_nan():
    """The error names step, op, operands and line; the parameters are those before the step."""
    line = Line(1.0, 0.4)
    states = [line.state_dict()]
    error = failing(
        line,
        [[1.0]],
        [0.0],
        loss=log_loss,
        optimizer=SGD(line.parameters(), lr=0.5),
        callbacks=[lambda state: states.append(state.model.state_dict())],
    )
    place = f"test_training.py:{log_loss.__code__.co_firstlineno + 1}"
    value = states[-1]["slope"] + states[-1]["shift"]
    assert value < 0
    assert f"log({value}) gave nan at {place}" in str(error)
    assert str(error).startswith(f"step {len(states) - 1}: ")
    assert line.state_dict() == states[-1]
    assert [row.step for row in error.history.rows] == list(range(len(states) - 1))


def test_gradient_that_becomes_inf():
    """A gradient that is not finite stops the training before the update, and is explained."""
    line = Line(1.0, 0.4)
    error = failing(line, [[1.0]], [0.0], loss=root_loss)
    place = f"test_training.py:{root_loss.__code__.co_firstlineno + 1}"
    assert str(error).startswith("step 0: the derivative of sqrt(0.0) is inf")
    assert place in str(error)
    assert line.state_dict() == {"slope": 1.0, "shift": 0.4}


def test_update_that_overflows():
    """An update that would make a parameter infinite is undone."""
    line = Line(1.0, 0.0)
    descent = SGD(line.parameters(), lr=1e308)
    error = failing(line, [[2.0]], [0.0], optimizer=descent)
    assert str(error) == (
        "step 0: the update made a parameter -inf, which was 1.0: its gradient is 8.0, "
        "the learning rate 1e+308; the parameters are those before this step"
    )
    assert line.state_dict() == {"slope": 1.0, "shift": 0.0}


def test_parameters_are_named_in_the_explanation():
    """An operand that is a parameter is named by its path."""
    line = Line(1e200, 0.0)
    assert "mul(slope = 1e+200, 1e+200) gave inf" in str(failing(line, [[1e200]], [0.0]))


def test_last_update_that_ruins_the_loss():
    """A loss that is nan only after the last update is an error too."""
    line = Line(1.0, 0.0)
    descent = SGD(line.parameters(), lr=10.0)
    error = failing(line, [[1.0]], [0.0], loss=log_loss, optimizer=descent, steps=1)
    assert "log(-19.0) gave nan" in str(error)
    assert len(error.history.rows) == 1


def test_nan_that_does_not_come_again():
    """Where the step gives finite numbers when it is run once more, the error says so."""
    calls = []

    def moody(scores, _):
        calls.append(1)
        return scores[0] * (math.nan if len(calls) == 1 else 1.0)

    assert "but not when the step was run once more" in str(
        failing(Line(), [[1.0]], [0.0], loss=moody, eager=True)
    )


# ---- arguments that do not fit ----


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"loss": "hing"}, "no loss is called 'hing'; there are .*; did you mean hinge"),
        ({"task": "classes"}, "no task is called 'classes'; there are regression"),
        ({"task": "regression", "loss": "hinge"}, "no loss of a regression task is called 'hinge'"),
        ({"steps": 0}, "the number of steps must be a whole number from 1 up, not 0"),
        ({"steps": 2.5}, "the number of steps must be a whole number from 1 up, not 2.5"),
        ({"steps": "ten"}, "the number of steps must be a whole number from 1 up, not 'ten'"),
        ({"batch": 0}, "the batch must be a whole number from 1 to 4, .*, not 0"),
        ({"batch": 5}, "the batch must be a whole number from 1 to 4, .*, not 5"),
        ({"task": "multiclass"}, "must give a list of scores, one for each class, not Value"),
        ({"y": [0, 1]}, "the number of targets must be 4, not 2"),
        ({"y": [0, 1, 2, 1]}, "whole targets such as 0 are classes or numbers"),
        ({"y": [0.0, 1.0, 2.0, 3.0], "task": "binary"}, "are 0 and 1, or -1 and 1, not"),
        ({"X": [], "y": []}, "there must be examples to learn from"),
        ({"X": [[1.0]] * 4}, "the number of inputs must be 2, not 1"),
        ({"validation": (CORNERS, [0])}, "the number of targets must be 4, not 1"),
        ({"optimizer": "adam"}, "an optimizer such as Adam.* is needed, not 'adam'"),
    ],
)
def test_wrong_arguments(kwargs, message):
    """What does not fit is refused before the first step, with what would be right."""
    given = {"X": CORNERS, "y": [0, 1, 1, 0], **kwargs}
    model = network(2, 1)
    before = model.state_dict()
    with pytest.raises(ArgumentError, match=message):
        quiet(model, given.pop("X"), given.pop("y"), **given)
    assert model.state_dict() == before


def test_list_of_scores_for_two_classes():
    """A model with a list of scores is refused where one value is needed."""
    with pytest.raises(ArgumentError, match="for a binary task the model must give one value"):
        quiet(network(2, 2), CORNERS, [0, 1, 1, 0], task="binary")


def test_losses_of_each_task():
    """The lecture's loss is the usual one for two classes; every task has a loss."""
    assert losses_of("binary") == ["hinge", "binary_cross_entropy", "mse"]
    assert losses_of("multiclass") == ["cross_entropy"]
    assert losses_of("regression") == ["mse"]
