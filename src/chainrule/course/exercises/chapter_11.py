"""Exercises of chapter 11."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule import derivative, exp
from chainrule.course.judging import Exercise, Wrong

Function = Callable[[Any], Any]


def _newton(f: Function, x: float) -> float:
    return x - _slope(f, x) / _bend(f, x)


def _slope(f: Function, x: float) -> float:
    return float(derivative(f)(x))


def _bend(f: Function, x: float) -> float:
    return float(derivative(f, n=2)(x))


EXERCISES = {
    "11.1": Exercise(
        right=12.0,
        because="6x, at 2. The line -2x has a slope that never changes, and adds nothing.",
        wrong=[
            Wrong(10.0, "That is the first derivative, 3x² - 2. Take the derivative of that."),
            Wrong(4.0, "That is the value. It is to be differentiated twice."),
            Wrong(6.0, "That is the third derivative: 6x, and then 6."),
            Wrong(3.0, "The derivative of 3x² is 3 times that of x², which is 2x."),
            Wrong(
                2.0,
                "-2 is a constant in the first derivative, and its derivative is 0. "
                "What is left is 6x.",
            ),
            Wrong(100.0, "Not the square of the derivative, but its derivative."),
        ],
        otherwise="The derivative of 3x² - 2, at 2.",
    ),
    "11.2": Exercise(
        right=[[6.0, 4.0], [4.0, 18.0]],
        because="The table is symmetric: by x and then y is by y and then x.",
        wrong=[
            Wrong(
                [[6.0, 0.0], [0.0, 18.0]],
                "The two off the diagonal are missing: by x and then by y, 2xy gives 2x.",
            ),
            Wrong(
                [12.0, 31.0], "That is the gradient. Each of its two numbers has two derivatives."
            ),
            Wrong(
                [[6.0, 4.0], [4.0, 22.0]],
                "By y twice: x² in x² + 3y² does not change with y; what is left is 6y.",
            ),
            Wrong(
                [[6.0, 4.0], [4.0, 9.0]],
                "By y twice: the derivative of 3y² is 6y.",
            ),
            Wrong(
                [[4.0, 6.0], [18.0, 4.0]],
                "The rows are turned round: first come by x and x, then by x and y.",
            ),
            Wrong(
                [[6.0, 6.0], [6.0, 18.0]],
                "Across: 2xy by y is 2x, which is 4 here; 2y is what it is by x.",
            ),
            Wrong(
                [6.0, 4.0, 4.0, 18.0],
                "The right numbers, in a single list. Make two rows of them.",
            ),
        ],
        otherwise="By x: 2xy, and from it 2y and 2x. By y: x² + 3y², and from it 2x and 6y.",
    ),
    "11.3": Exercise(
        name="newton_step",
        right=_newton,
        because="Slope over bend: where the slope would be 0 if the bend stayed as it is.",
        wrong=[
            Wrong(
                lambda f, x: x + _slope(f, x) / _bend(f, x),
                "The sign: step against the slope.",
            ),
            Wrong(
                lambda f, x: x - _bend(f, x) / _slope(f, x),
                "Turned round: the slope is divided by the second derivative.",
            ),
            Wrong(
                lambda f, x: x - f(x) / _slope(f, x),
                "That looks for where f itself is 0. At the bottom it is the slope that is 0: one "
                "derivative more, above and below.",
            ),
            Wrong(
                lambda f, x: _slope(f, x) / _bend(f, x),
                "That is how far to go. Where does it lead?",
            ),
            Wrong(
                lambda f, x: x - _slope(f, x),
                "A plain step of descent: divide by the second derivative.",
            ),
            Wrong(
                lambda f, x: x - _slope(f, x) / _slope(f, x) ** 2,
                "The square of the slope is not the slope of the slope: derivative(f, n=2).",
            ),
        ],
        otherwise="x minus the first derivative over the second.",
        programs=["newton_step(bowl, 0.0)", "newton_step(lambda x: x**4, 3.0)"],
        names={"bowl": lambda x: exp(x) - 3 * x},
        within=1e-6,
    ),
}
