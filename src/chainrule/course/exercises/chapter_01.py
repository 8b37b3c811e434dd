"""Exercises of chapter 1."""

from __future__ import annotations

import math
from collections.abc import Callable

from chainrule.course.judging import Exercise, Wrong

Function = Callable[..., float]


def _one_sided(f: Function, x: float, h: float) -> float:
    return (f(x + h) - f(x)) / h


def _symmetric(f: Function, x: float, h: float) -> float:
    return (f(x + h) - f(x - h)) / (2 * h)


def _nudged(point: list[float], i: int, h: float) -> list[float]:
    return [x + h * (i == k) for k, x in enumerate(point)]


def _gradient(f: Function, point: list[float], h: float) -> list[float]:
    pairs = [(_nudged(point, i, h), _nudged(point, i, -h)) for i in range(len(point))]
    return [(f(*up) - f(*down)) / (2 * h) for up, down in pairs]


def _gradient_one_sided(f: Function, point: list[float], h: float) -> list[float]:
    return [(f(*_nudged(point, i, h)) - f(*point)) / h for i in range(len(point))]


def _gradient_all_at_once(f: Function, point: list[float], h: float) -> list[float]:
    up, down = [x + h for x in point], [x - h for x in point]
    return [(f(*up) - f(*down)) / (2 * h) for _ in point]


def _gradient_left_nudged(f: Function, point: list[float], h: float) -> list[float]:
    """The point is nudged up and not back, for one input after the other."""
    point, found = list(point), []
    for i in range(len(point)):
        point[i] += h
        up = f(*point)
        point[i] -= 2 * h
        found.append((up - f(*point)) / (2 * h))
    return found


def _gradient_in_place(f: Function, point: list[float], h: float) -> list[float]:
    found = _gradient(f, point, h)
    for i in range(len(point)):
        point[i] -= h
    return found


_BY_A = -12 - 1 / (2 * math.sqrt(2))
_BY_B = 3 * math.cos(9) + 2.5 * 3**1.5
_BY_C = 1 / 16
_BOWLS = {"math": math, "square": lambda x: x * x}

EXERCISES = {
    "1.1": Exercise(
        right=10.0,
        because="By the rule it is 3x² - 2, and 3 · 4 - 2 = 10.",
        wrong=[
            Wrong(
                4.0,
                "4 is g(2), the height of the curve there. The derivative is its steepness.",
            ),
            Wrong(12.0, "12 is what x³ contributes; the term -2x has a slope, too."),
            Wrong(14.0, "The slope of -2x is -2, not 2: that term leads down as x grows."),
            Wrong(-10.0, "The size is right. Is the curve at x = 2 rising or falling?"),
            Wrong(
                8.0, "-2x contributes its slope, -2, wherever you are; it is not multiplied by x."
            ),
        ],
        otherwise="Compute (g(2 + h) - g(2)) / h for a small h, such as 0.0001.",
    ),
    "1.2": Exercise(
        name="slope",
        right=_one_sided,
        because="How far the result moved, over how far the input moved.",
        wrong=[
            Wrong(
                lambda f, x, h: f(x + h) - f(x),
                "That is how far the result moved. A slope is this over how far the input moved.",
            ),
            Wrong(
                lambda f, x, h: (f(x) - f(x + h)) / h,
                "The sign is turned round: where the curve rises, this is negative. Take the place "
                "you go to, minus the place you come from.",
            ),
            Wrong(
                lambda f, x, h: f(x + h) - f(x) / h,
                "Division comes before subtraction: put the difference in parentheses.",
            ),
            Wrong(
                lambda f, x, h: (f(x + h) - f(x)) / x,
                "You divided by x. The input moved by h.",
            ),
            Wrong(
                lambda f, x, h: (f(x + h) - f(x)) / (x + h),
                "You divided by x + h. The input moved from x to x + h, which is a move of h.",
            ),
            Wrong(
                lambda f, x, h: (f(x) + h - f(x)) / h,
                "f(x) + h nudges the result. Nudge the input: f(x + h).",
            ),
            Wrong(
                _symmetric,
                "This is the symmetric way, which is better, and comes in the next exercise. Here "
                "take the step to the right alone.",
            ),
        ],
        otherwise="The move of the result, f(x + h) - f(x), over the move of the input, h.",
        programs=[
            "slope(square, 3.0, 0.1)",
            "slope(square, -1.0, 0.5)",
            "slope(math.exp, 0, 0.01)",
        ],
        names=_BOWLS,
        within=1e-6,
    ),
    "1.3": Exercise(
        name="symmetric_slope",
        right=_symmetric,
        because="For a parabola it is even exact: the bends to the left and right cancel.",
        wrong=[
            Wrong(
                lambda f, x, h: (f(x + h) - f(x - h)) / h,
                "Twice too large: from x - h to x + h it is 2h, not h.",
            ),
            Wrong(
                lambda f, x, h: (f(x + h) - f(x - h)) / 2 * h,
                "/ 2 * h divides by 2 and then multiplies by h. Write / (2 * h).",
            ),
            Wrong(
                lambda f, x, h: f(x + h) - f(x - h),
                "That is how far the result moved; divide it by how far the input moved.",
            ),
            Wrong(
                lambda f, x, h: (f(x - h) - f(x + h)) / (2 * h),
                "The sign is turned round: it is right minus left.",
            ),
            Wrong(
                _one_sided,
                "This is the one-sided way: the second place to ask is x - h, not x.",
            ),
            Wrong(
                lambda f, x, h: (f(x) - f(x - h)) / h,
                "This is one-sided, too, only to the left. Step to both sides.",
            ),
        ],
        otherwise="Ask f at x + h and at x - h. How far apart are these two places?",
        programs=[
            "symmetric_slope(square, 3.0, 0.1)",
            "symmetric_slope(math.exp, 0, 0.5)",
            "symmetric_slope(square, -1.0, 0.5)",
        ],
        names=_BOWLS,
        within=1e-6,
    ),
    "1.4": Exercise(
        right=[_BY_A, _BY_B, _BY_C],
        because="Three rules, and no measurement at all.",
        wrong=[
            Wrong(
                [-12.0, _BY_B, _BY_C],
                "By a: -12 is what -a³ contributes. a stands in √a, too.",
            ),
            Wrong(
                [-12 + 1 / (2 * math.sqrt(2)), _BY_B, _BY_C],
                "By a: √a is subtracted, so its derivative is, too.",
            ),
            Wrong(
                [-12 - 1 / math.sqrt(2), _BY_B, _BY_C],
                "By a: √a is a to the power of ½, and the rule for powers puts this ½ in front.",
            ),
            Wrong(
                [12 - 1 / (2 * math.sqrt(2)), _BY_B, _BY_C],
                "By a: there is a minus before a³.",
            ),
            Wrong(
                [_BY_A, math.cos(9) + 2.5 * 3**1.5, _BY_C],
                "By b: inside of sin, b is multiplied by 3. If b moves by h, then 3b moves by 3h, "
                "so a factor of 3 is missing.",
            ),
            Wrong(
                [_BY_A, -3 * math.cos(9) + 2.5 * 3**1.5, _BY_C],
                "By b: the derivative of sin is cos; that of cos would be -sin.",
            ),
            Wrong(
                [_BY_A, 3 * math.cos(math.radians(9)) + 2.5 * 3**1.5, _BY_C],
                "By b: sin and cos take radians here, not degrees.",
            ),
            Wrong(
                [_BY_A, 3 * math.cos(9) + 2.5 * 3**2.5, _BY_C],
                "By b: the exponent falls by 1, to 1.5.",
            ),
            Wrong(
                [_BY_A, 3 * math.cos(9), _BY_C],
                "By b: it stands in b to the power of 2.5, too.",
            ),
            Wrong(
                [_BY_A, _BY_B, -1 / 16],
                "By c: 1/c has the derivative -1/c², and here 1/c is subtracted: two minus signs.",
            ),
            Wrong(
                [_BY_A, _BY_B, 1 / 4],
                "By c: 1/c is c to the power of -1; with the exponent lowered by 1, c² is below.",
            ),
        ],
        otherwise="Go term by term, and leave out the terms in which the input does not stand.",
    ),
    "1.5": Exercise(
        name="gradient",
        right=_gradient,
        because="Two runs of f for each input. Remember this price: chapter 4 makes it one run.",
        wrong=[
            Wrong(
                _gradient_all_at_once,
                "All numbers come out the same: the whole point was nudged each time. Nudge the "
                "number at i alone.",
            ),
            Wrong(
                _gradient_left_nudged,
                "The first is right and the others are a little off: the number at i must go back "
                "to where it was before the next one is nudged. A fresh copy for each i is safest.",
            ),
            Wrong(
                _gradient_one_sided,
                "These are one-sided differences: right, but not as good. Step to both sides.",
            ),
            Wrong(
                lambda f, point, h: [2 * x for x in _gradient(f, point, h)],
                "Twice too large: from one side to the other it is 2h, not h.",
            ),
            Wrong(
                _gradient_in_place,
                "The derivatives are right, but your function leaves the point changed. Whoever "
                "called it still needs it: nudge a copy, `list(point)`.",
            ),
            Wrong(
                lambda f, point, h: _gradient(f, point, h)[0],
                "Only the first derivative is returned. Is the `return` inside of the loop?",
            ),
        ],
        otherwise="For each i: one copy with h added at i, one with h taken away, and the slope.",
        programs=[
            "gradient(f, [2.0, -3.0], 0.1)",
            "point = [2.0, -3.0]\ngradient(f, point, 0.1)\npoint",
        ],
        names={"f": lambda a, b: a**3 * b + b**3},
        within=1e-6,
    ),
}
