"""Exercises of chapter 7."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import Value
from chainrule.course.judging import Exercise, Wrong
from chainrule.nn import Module

Points = list[float]


class _Line(Module):
    """slope * x + shift, from where it always starts."""

    def __init__(self) -> None:
        self.slope, self.shift = Value(0.5), Value(-1.0)

    def __call__(self, x: float) -> Any:
        return self.slope * x + self.shift


def _mean(model: Any, xs: Points, ys: Points) -> Any:
    return sum((model(x) - y) ** 2 for x, y in zip(xs, ys)) / len(xs)


def _sum(model: Any, xs: Points, ys: Points) -> Any:
    return sum((model(x) - y) ** 2 for x, y in zip(xs, ys))


def _last(model: Any, xs: Points, ys: Points) -> Any:
    return (model(xs[-1]) - ys[-1]) ** 2


def _trainer(
    loss_of: Callable[..., Any] = _mean, zero: bool = True, sign: float = -1.0, late: bool = False
) -> Callable[..., Points]:
    """The loop, or one that is wrong in some way; `late` notes the loss after the step."""

    def train(model: Any, xs: Points, ys: Points, lr: float, steps: int) -> Points:
        losses = []
        for _ in range(steps):
            loss = loss_of(model, xs, ys)
            if zero:
                model.zero_grad()
            loss.backward()
            for p in model.parameters():
                p.data += sign * lr * p.grad
            losses.append((loss_of(model, xs, ys) if late else loss).data)
        return losses

    return train


def _train_once(model: Any, xs: Points, ys: Points, lr: float, steps: int) -> Points:
    """The loss is computed before the loop, and never again."""
    loss, losses = _mean(model, xs, ys), []
    for _ in range(steps):
        losses.append(loss.data)
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return losses


def _train_zeroed(model: Any, xs: Points, ys: Points, lr: float, steps: int) -> Points:
    """The gradients are set to zero between backward and the step."""
    return _trainer(sign=-0.0)(model, xs, ys, lr, steps)


_RUN = "model = Line()\nlosses = train(model, [1.0, 2.0, 4.0], [2.0, 3.0, 7.0], 0.05, 3)\n"

EXERCISES = {
    "7.1": Exercise(
        right=0.225,
        because="(0.01 + 0.25 + 0 + 0.64) / 4.",
        wrong=[
            Wrong(0.9, "That is the sum of the squares. The mean is a quarter of it."),
            Wrong(0.35, "That is the mean of the differences' sizes, without squaring."),
            Wrong(
                1.4, "These are the differences' sizes, added up. Square them first, then average."
            ),
            Wrong(0.4743416, "That is the root of it, which is a measure, too, but another one."),
            Wrong(-0.1, "Differences to either side cancel if they are not squared."),
            Wrong(0.30, "Divided by 3? There are four examples; one of them is right, and counts."),
        ],
        otherwise="The differences are 0.1, 0.5, 0 and 0.8: squared, added up, over 4.",
    ),
    "7.2": Exercise(
        right=-1.2,
        because="w - 2.2 w. The sign flips in each step, and the size grows: it explodes.",
        wrong=[
            Wrong(1.2, "The size is right. On which side of 0 does it land?"),
            Wrong(-2.2, "That is by how much it moves. Where it arrives is w plus that."),
            Wrong(-0.1, "The slope of w² is 2w, not w."),
            Wrong(2.2, "That is how far it moves. Where does it arrive?"),
            Wrong(3.2, "The step is against the gradient: w minus 2.2 w."),
        ],
        otherwise="w - 1.1 * (2 * w), written as a factor times w.",
    ),
    "7.3": Exercise(
        right=0.44,
        because="The second gradient is 1.6 + 2: nearly half of the way at once.",
        wrong=[
            Wrong(0.64, "That is with zero_grad. Without, the first gradient, 2, is still there."),
            Wrong(
                0.6, "The second gradient is added to the first, 2 + 1.6; it does not replace it."
            ),
            Wrong(0.8, "That is after one step."),
            Wrong(0.36, "The second step's own gradient is 2 * 0.8, as w has moved."),
            Wrong(-1.8, "Where is the learning rate? The step is 0.1 times the gradient."),
        ],
        otherwise="First step: 1 - 0.1 * 2. Second: minus 0.1 times (2 * 0.8 + 2).",
    ),
    "7.4": Exercise(
        name="train",
        right=_trainer(),
        because="Forward, zero, backward, step: the loop that trains everything.",
        wrong=[
            Wrong(
                _trainer(zero=False),
                "The gradients pile up: set them to zero before each backward(), by "
                "model.zero_grad().",
            ),
            Wrong(
                _trainer(sign=1.0),
                "The losses rise: the gradient leads uphill, and the step must go against it.",
            ),
            Wrong(
                _train_once,
                "The loss stays the same: it is computed once, before the loop. Parameters that "
                "move do not change what was computed before; build the expression anew.",
            ),
            Wrong(
                _train_zeroed,
                "Nothing moves, but gradients are computed. Are they set to zero after "
                "backward(), instead of before? Or is the step missing?",
            ),
            Wrong(
                _trainer(_sum),
                "That is the sum of the squared errors; asked for is their mean.",
            ),
            Wrong(
                _trainer(_last),
                "Only the last example counts: the loss is the mean over all of them.",
            ),
            Wrong(
                _trainer(late=True),
                "The list begins after the first step. The first loss is that before any step.",
            ),
            Wrong(
                lambda *x: _trainer()(*x)[-1],
                "That is the last loss alone; asked for is the list of all.",
            ),
            Wrong(
                lambda model, xs, ys, lr, steps: _trainer()(model, xs, ys, lr, steps + 1),
                "One step too many.",
            ),
        ],
        otherwise="In each round: the loss, onto the list; zero; backward; each parameter moves.",
        programs=[
            f"{_RUN}losses",
            f"{_RUN}[p.data for p in model.parameters()]",
            f"{_RUN}model.slope.grad",
        ],
        names={"Line": _Line},
        within=1e-6,
    ),
}
