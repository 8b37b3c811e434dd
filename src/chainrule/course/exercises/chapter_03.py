"""Exercises of chapter 3."""

from __future__ import annotations

import math
from collections.abc import Callable

from chainrule.course.judging import Exercise, Wrong


def _neuron(x1: float, x2: float, w1: float, w2: float, b: float) -> list[float]:
    slope = 1 - math.tanh(x1 * w1 + x2 * w2 + b) ** 2
    return [x1 * slope, x2 * slope, slope]


def _neuron_with(slope: Callable[[float], float]) -> Callable[..., list[float]]:
    """The gradients with another slope, as a function of the weighted sum."""

    def gradients(x1: float, x2: float, w1: float, w2: float, b: float) -> list[float]:
        s = slope(x1 * w1 + x2 * w2 + b)
        return [x1 * s, x2 * s, s]

    return gradients


def _neuron_by_inputs(x1: float, x2: float, w1: float, w2: float, b: float) -> list[float]:
    slope = _neuron(x1, x2, w1, w2, b)[2]
    return [w1 * slope, w2 * slope, slope]


EXERCISES = {
    "3.1": Exercise(
        right=[4.0, 5.0, 2.0],
        because="q arrives by two ways, and they add up: 4 through the product, 1 straight.",
        wrong=[
            Wrong(
                [4.0, 4.0, 2.0], "By q: it is added once more at the end, which is a second way."
            ),
            Wrong(
                [4.0, 1.0, 2.0],
                "By q: that is its straight way to M. It goes into s as well, which is multiplied.",
            ),
            Wrong([1.0, 5.0, 2.0], "By p: 1 is how s moves with p. And M moves with s by r = 4."),
            Wrong([4.0, 5.0, 4.0], "By r: in s * r it is the other operand, s, that counts."),
            Wrong([4.0, 5.0, 8.0], "By r: 8 is t itself. In s * r it is the other operand, s."),
            Wrong(
                [12.0, 5.0, 2.0],
                "By p: s = p + q passes the gradient on as it is; p itself does not come in.",
            ),
        ],
        otherwise="Start with dM/dM = 1 and go back: M = t + q, then t = s * r, then s = p + q.",
    ),
    "3.2": Exercise(
        right=-8.1,
        because="-8 + 0.05 * -2: the gradient is what turns a nudge into a move of the result.",
        wrong=[
            Wrong(-8.05, "L moves not by the nudge, but by the nudge times the gradient."),
            Wrong(-7.9, "The gradient is negative: raising e makes L fall."),
            Wrong(-7.95, "The gradient of e is -2: twice as far, and the other way."),
            Wrong(-0.1, "That is how far L moves. Where does it end up?"),
            Wrong(-10.0, "That is a nudge of 1; here it is 0.05."),
            Wrong(11.9, "e starts from -6, but it is L that is asked for, which starts from -8."),
        ],
        otherwise="L moves by the gradient of e times the nudge.",
        within=1e-5,
    ),
    "3.3": Exercise(
        right=[0.32, -0.64, 0.64],
        because="The slope 1 - 0.36 = 0.64, times what the weight is multiplied with.",
        wrong=[
            Wrong(
                [0.5, -1.0, 1.0],
                "These are the gradients of the sum. After it comes tanh: multiply by its slope.",
            ),
            Wrong([0.18, -0.36, 0.36], "0.36 is o². The slope of tanh is 1 - o²."),
            Wrong([0.2, -0.4, 0.4], "That is 1 - o. The slope of tanh is 1 - o²."),
            Wrong([0.3, -0.6, 0.6], "That is the output, 0.6. The slope there is 1 - o²."),
            Wrong([0.32, 0.64, 0.64], "By w2: its input is -1, and the sign counts."),
            Wrong(
                [0.64, 0.64, 0.64],
                "The pipes pass on 0.64 to both products. There it is multiplied by the inputs.",
            ),
            Wrong(
                [0.32, -0.64, 1.0],
                "By b: it is added before the tanh, so it, too, is under the slope of tanh.",
            ),
        ],
        otherwise="The slope of tanh is 1 - o²; each weight's share is that times its input.",
    ),
    "3.4": Exercise(
        name="neuron_gradients",
        right=_neuron,
        because="The forward pass first, since the slope needs its number; then back.",
        wrong=[
            Wrong(
                _neuron_by_inputs,
                "These are the gradients of the inputs. In x1 * w1 the gradient of w1 is what "
                "it is multiplied with: x1.",
            ),
            Wrong(
                _neuron_with(lambda n: n**0),
                "The slope of tanh is missing: these are gradients of the sum before it.",
            ),
            Wrong(
                _neuron_with(lambda n: 1 - n * n),
                "The slope is 1 - o², where o is the output of tanh, not the sum that goes in.",
            ),
            Wrong(
                _neuron_with(lambda n: math.tanh(n)),
                "You multiply by the output. The slope of tanh is 1 - o².",
            ),
            Wrong(
                _neuron_with(lambda n: math.tanh(n) ** 2),
                "You multiply by o². The slope of tanh is 1 - o².",
            ),
            Wrong(
                lambda *x: _neuron(*x)[:2],
                "Two of three: the bias has a gradient, too.",
            ),
        ],
        otherwise="With o = tanh(sum), the three are x1, x2 and 1, each times 1 - o².",
        programs=[
            "neuron_gradients(2.0, 0.5, -3.0, 1.0, 5.0)",
            "neuron_gradients(0.5, -1.0, 0.1, 0.2, 0.3)",
        ],
        within=1e-6,
    ),
}
