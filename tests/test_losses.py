"""Losses, against PyTorch's functions of the same names and against closed forms."""

import math
import random

import pytest

from chainrule import Value, grad
from chainrule.errors import ArgumentError
from chainrule.losses import binary_cross_entropy, cross_entropy, hinge, l2, mse

EXTREMES = [-1000.0, -745.0, -40.0, -20.5, -1.0, -0.0, 0.0, 1e-10, 3.0, 20.5, 40.0, 700.0, 1000.0]
EPS = 2.0**-52


def values(numbers):
    return [Value(x) for x in numbers]


def grads(parameters):
    return [p.grad for p in parameters]


def batch(size, scale, seed):
    """Scores of up to `scale`, a few of them exactly at a margin, zero or the scale."""
    draw = random.Random(seed)
    scores = [draw.uniform(-scale, scale) for _ in range(size - 4)]
    return [*scores, 0.0, 1.0, scale, -scale]


def close(numbers, scale=1.0):
    """What agrees to within the rounding of a sum of a few dozen terms of that scale."""
    return pytest.approx(numbers, rel=64 * EPS, abs=64 * EPS * scale)


@pytest.fixture
def functional():
    torch = pytest.importorskip("torch")
    return torch.nn.functional


def tensor(numbers, **options):
    torch = pytest.importorskip("torch")
    return torch.tensor(numbers, dtype=torch.float64, **options)


# ---- against PyTorch ----


@pytest.mark.parametrize("scale", [1.0, 1000.0])
def test_mse_is_pytorchs(functional, scale):
    """Value and both gradients are those of mse_loss."""
    predictions, targets = batch(20, scale, 1), batch(20, scale, 2)
    p, t = values(predictions), values(targets)
    loss = mse(p, t)
    loss.backward()
    x, y = tensor(predictions, requires_grad=True), tensor(targets, requires_grad=True)
    expected = functional.mse_loss(x, y)
    expected.backward()
    assert loss.data == close(expected.item())
    assert grads(p) == close(x.grad.tolist())
    assert grads(t) == close(y.grad.tolist())


@pytest.mark.parametrize("scale", [1.5, 1000.0])
def test_hinge_is_the_mean_of_relu(functional, scale):
    """Value and gradient are those of the same formula in PyTorch, at the margin too."""
    scores = batch(20, scale, 3)
    targets = [1 if i % 3 else -1 for i in range(20)]
    s = values(scores)
    loss = hinge(s, targets)
    loss.backward()
    x = tensor(scores, requires_grad=True)
    expected = functional.relu(1 - tensor(targets) * x).mean()
    expected.backward()
    assert loss.data == close(expected.item(), scale)
    assert grads(s) == x.grad.tolist()


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("classes", [1, 2, 5])
def test_cross_entropy_is_pytorchs(functional, scale, classes):
    """Value and gradient are those of cross_entropy, with scores of up to 1000."""
    torch = pytest.importorskip("torch")
    rows = [batch(classes + 4, scale, seed)[:classes] for seed in range(12)]
    targets = [seed % classes for seed in range(12)]
    scores = [values(row) for row in rows]
    loss = cross_entropy(scores, targets)
    loss.backward()
    x = tensor(rows, requires_grad=True)
    expected = functional.cross_entropy(x, torch.tensor(targets))
    expected.backward()
    assert loss.data == close(expected.item(), scale)
    assert [grads(row) for row in scores] == [close(row) for row in x.grad.tolist()]


@pytest.mark.parametrize("target", [0, 1, 0.3])
@pytest.mark.parametrize("score", EXTREMES)
def test_binary_cross_entropy_is_pytorchs(functional, score, target):
    """Value, gradient and second derivative are those of binary_cross_entropy_with_logits."""
    torch = pytest.importorskip("torch")
    s = Value(score)
    loss = binary_cross_entropy([s], [target])
    (slope,) = grad(loss, [s], create_graph=True)
    (curvature,) = grad(slope, [s])
    x = tensor([score], requires_grad=True)
    expected = functional.binary_cross_entropy_with_logits(x, tensor([float(target)]))
    (g,) = torch.autograd.grad(expected, x, create_graph=True)
    (h,) = torch.autograd.grad(g, x)
    assert loss.data == close(expected.item(), abs(score))
    assert slope.data == close(g.item())
    assert curvature == close(h.item())


def test_targets_of_binary_cross_entropy_have_pytorchs_gradient(functional):
    """A target that is a value gets the gradient that PyTorch gives it."""
    s, t = Value(1.7), Value(0.3)
    binary_cross_entropy([s], [t]).backward()
    x, y = tensor([1.7], requires_grad=True), tensor([0.3], requires_grad=True)
    functional.binary_cross_entropy_with_logits(x, y).backward()
    assert [s.grad, t.grad] == close([x.grad.item(), y.grad.item()])


@pytest.mark.parametrize(
    "row", [[-math.inf, 0.0], [math.inf, 0.0], [math.nan, 1.0], [1e308, -1e308]]
)
@pytest.mark.parametrize("target", [0, 1])
def test_cross_entropy_of_infinities_is_pytorchs(functional, row, target):
    """Scores of -inf, as masks have them, inf and nan give the inf and nan of PyTorch."""
    torch = pytest.importorskip("torch")
    scores = values(row)
    loss = cross_entropy([scores], [target])
    loss.backward()
    x = tensor([row], requires_grad=True)
    expected = functional.cross_entropy(x, torch.tensor([target]))
    expected.backward()
    assert loss.data == pytest.approx(expected.item(), nan_ok=True)
    assert grads(scores) == pytest.approx(x.grad[0].tolist(), nan_ok=True)


# ---- against closed forms ----


def test_a_right_and_a_wrong_answer_at_1000():
    """At a score of 1000 the loss is 0 for one class and 1000 for the other; no inf, no nan."""
    for target, loss, gradient in [(1, 0.0, 0.0), (0, 1000.0, 1.0)]:
        s, row = Value(1000.0), values([0.0, 1000.0])
        binary, of_two = binary_cross_entropy([s], [target]), cross_entropy([row], [target])
        binary.backward()
        of_two.backward()
        assert (binary.data, s.grad) == (loss, gradient)
        assert (of_two.data, row[1].grad) == (loss, gradient)


def test_a_small_loss_keeps_its_digits():
    """log(1 + exp(-40)) is exp(-40) to full precision, however large the scores' offset."""
    exact = math.exp(-40.0)
    assert binary_cross_entropy([Value(40.0)], [1]).data == pytest.approx(exact, rel=2 * EPS)
    small = cross_entropy([values([1e6, 1e6 - 10])], [0]).data
    assert small == pytest.approx(math.log1p(math.exp(-10.0)), rel=1e-11)  # 1 + 5e-5 is rounded


def test_the_exercise_under_the_lecture():
    """Scores [0, 3, -2, 1] of class 3: the loss and gradients that the exercise states."""
    scores = values([0.0, 3.0, -2.0, 1.0])
    loss = cross_entropy([scores], [3])
    loss.backward()
    assert loss.data == pytest.approx(2.1755153626167147, rel=2 * EPS)
    expected = [0.041772570515350445, 0.8390245074625319, 0.005653302662216329, -0.8864503806400986]
    assert grads(scores) == close(expected)


def test_l2_is_a_weighted_sum_of_squares():
    """The penalty and its gradient, 2 * weight * p."""
    parameters = values([3.0, -4.0, 0.0])
    penalty = l2((p for p in parameters), weight=0.5)
    penalty.backward()
    assert penalty.data == 12.5
    assert grads(parameters) == [3.0, -4.0, 0.0]


@pytest.mark.parametrize("loss", [mse, hinge, binary_cross_entropy])
def test_a_nan_is_passed_through(loss):
    """One score of nan makes the loss nan, wherever it stands."""
    for scores in ([math.nan, 1.0], [1.0, math.nan]):
        assert math.isnan(loss(values(scores), [1, 1]).data)


def test_predictions_that_are_numbers_give_a_number():
    """Without values nothing is recorded, and the loss is a float."""
    assert mse([1.0, 2.0], [1.0, 4.0]) == 2.0
    assert hinge([0.5, -3.0], [1, -1]) == 0.25
    assert binary_cross_entropy([0.0], [1]) == pytest.approx(math.log(2), rel=EPS)
    assert cross_entropy([[0.0, 0.0]], [1]) == pytest.approx(math.log(2), rel=EPS)


def test_numpy_targets_are_targets():
    """Arrays of floats, integers and truth values serve as targets."""
    np = pytest.importorskip("numpy")
    scores = values([0.5, -3.0])
    assert mse(scores, np.array([0.5, -1.0])).data == 2.0
    assert hinge(scores, np.array([1, -1])).data == 0.25
    assert cross_entropy([scores, scores], np.array([0, 1], dtype=np.uint8)).data == (
        cross_entropy([scores, scores], [0, 1]).data
    )
    assert binary_cross_entropy(scores, np.array([True, False])).data == (
        binary_cross_entropy(scores, [1, 0]).data
    )


# ---- what is refused ----


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: mse(values([1, 2]), [1.0]), "the number of targets must be 2, not 1"),
        (lambda: mse([], []), "nothing"),
        (lambda: mse(Value(1.0), [1.0]), "a list is needed"),
        (lambda: mse(values([1.0]), 1.0), "a list is needed"),
        (lambda: hinge(values([1.0]), [0]), "a target must be -1 or 1, not 0"),
        (lambda: hinge(values([1.0]), values([0])), "a target must be -1 or 1, not 0.0"),
        (lambda: hinge(values([1.0]), [math.nan]), "a target must be -1 or 1, not nan"),
        (lambda: binary_cross_entropy(values([1.0]), [-1]), "must be from 0 to 1, not -1"),
        (lambda: cross_entropy([values([1.0, 2.0])], [2]), "classes 0 to 1, not 2"),
        (lambda: cross_entropy([values([1.0, 2.0])], [-1]), "classes 0 to 1, not -1"),
        (lambda: cross_entropy([values([1.0, 2.0])], [1.0]), "a whole number, such as 0, not 1.0"),
        (lambda: cross_entropy([values([1.0, 2.0])], [Value(1)]), "a whole number"),
        (lambda: cross_entropy(values([1.0, 2.0]), [0, 1]), "a score for each class"),
        (lambda: cross_entropy([values([1.0, 2.0])], [0, 1]), "the number of targets must be 1"),
    ],
)
def test_lengths_and_labels_that_do_not_fit_are_refused(call, message):
    """The message gives what was seen and what would be right."""
    with pytest.raises(ArgumentError) as caught:
        call()
    assert message in str(caught.value)
