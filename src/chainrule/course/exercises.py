"""The exercises of the course: for each a right answer, and the wrong ones that are foreseen.

An answer is recognised by what it does: each wrong one here is an answer that somebody could give,
beside what is then said. So the table is its own list of tests.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chainrule.course.judging import Exercise, Wrong

EXERCISES: dict[str, Exercise] = {}

Function = Callable[..., float]

_ENGINE = (Path(__file__).parent / "solutions/my_engine.py").read_text(encoding="utf-8")


def _as_met(result: Any) -> list[Any]:
    """Depth first, but each value is appended before its operands; then turned round."""
    order: list[Any] = []

    def visit(value: Any) -> None:
        if value not in order:
            order.append(value)
            for operand in value.operands:
                visit(operand)

    visit(result)
    return order[::-1]


def _level_by_level(result: Any) -> list[Any]:
    order, level = [result], [result]
    while level:
        level = [x for value in level for x in value.operands if x not in order]
        order += dict.fromkeys(level)
    return order[::-1]


def _engine(*edits: tuple[str, str]) -> Any:
    """What the course's engine defines after some edits of its text."""
    text = _ENGINE
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    names: dict[str, Any] = {"as_met": _as_met, "level_by_level": _level_by_level}
    exec(text, names)
    return SimpleNamespace(**names)


def _value(*edits: tuple[str, str]) -> Any:
    return _engine(*edits).Value


# ---- 1. What a derivative is ----


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

EXERCISES |= {
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

# ---- 2. Values and graphs ----


def _formula(pattern: str, leaf: str = "label") -> Callable[[Any], str]:
    """A function that writes down a graph, each operation by a pattern."""

    def formula(value: Any) -> str:
        if not value.operands:
            return str(getattr(value, leaf))
        left, right = [formula(operand) for operand in value.operands]
        return pattern.format(left=left, op=value.op, right=right)

    return formula


def _formula_of_labels(value: Any) -> str:
    return value.label or f"({value.operands[0].label}{value.op}{value.operands[1].label})"


_LEAVES = 'a, b, c = Value(2.0, label="a"), Value(-3.0, label="b"), Value(10.0, label="c")\n'
_AB = "a, b = Value(2.0), Value(-3.0)\n"
_SUM = 'Value(self.data + other.data, (self, other), "+", (1.0, 1.0))'
_PRODUCT = 'Value(self.data * other.data, (self, other), "*", (other.data, self.data))'


def _both(old: str, new: str) -> list[tuple[str, str]]:
    """An edit of the sum and of the product."""
    return [(line, line.replace(old, new)) for line in (_SUM, _PRODUCT)]


EXERCISES |= {
    "2.1": Exercise(
        right=4,
        because="x, y, y * x and z. The values are counted, not their uses.",
        wrong=[
            Wrong(3, "The leaf x is a value of the graph, too."),
            Wrong(
                5,
                "Count what is made, not what is used: x and y are used several times, but there "
                "is one of each.",
            ),
            Wrong(
                9,
                "That is a tree, in which y and x appear anew at each use. In the graph a value "
                "stands once, however many lines leave it.",
            ),
            Wrong(2, "That is x and y; the products and sums that come after are values as well."),
        ],
        otherwise="One for each leaf, and one for each operation that is carried out.",
    ),
    "2.2": Exercise(
        name="formula",
        right=_formula("({left}{op}{right})"),
        because="A graph can be read back as a formula. Others will be drawn, stepped through "
        "and turned into faster programs: all of these are walks over a graph.",
        wrong=[
            Wrong(
                _formula("{left}{op}{right}"),
                "Without parentheses (a + b) * c reads as a + b * c, which is something else.",
            ),
            Wrong(
                _formula("({right}{op}{left})"),
                "The operands are turned round. It makes no difference to + and *, but it will "
                "to - and /.",
            ),
            Wrong(
                _formula_of_labels,
                "This writes the labels of the operands, and operands that were computed have "
                "none. Ask for their formulas instead: let the function call itself.",
            ),
            Wrong(
                _formula("({left}{op}{right})", leaf="data"),
                "The numbers of the leaves, where their labels are asked for.",
            ),
            Wrong(
                _formula("({left}+{right})"),
                "Every operation is written as +. What it is stands in value.op.",
            ),
            Wrong(
                lambda value: value.label,
                "This gives the label, which is right for leaves only. A value with operands "
                "needs both operands' formulas and the sign between them.",
            ),
            Wrong(
                lambda value: value.label and None,
                "Your function returns nothing. If it prints the formula, let it return it.",
            ),
        ],
        otherwise="A leaf gives its label, any other value (left sign right).",
        programs=[
            f"{_LEAVES}formula(a * b + c)",
            f"{_LEAVES}formula((a + b) * c)",
            f"{_LEAVES}formula(a * a)",
            f"{_LEAVES}formula(b)",
        ],
        names={"Value": _value()},
    ),
    "2.3": Exercise(
        name="Value",
        right=_value(),
        because="Your numbers have a memory now.",
        wrong=[
            Wrong(
                _value(("def __add__", "def add"), ("def __mul__", "def mul")),
                "Python finds no + on your Value: is the method named __add__, with two "
                "underscores on either side, and indented as __init__ is? Is the file saved?",
            ),
            Wrong(
                _value(("def __mul__", "def mul")),
                "+ is there, and * is not yet: it is the method __mul__.",
            ),
            Wrong(
                _value((_SUM, "self.data + other.data"), (_PRODUCT, "self.data * other.data")),
                "The sum is right, but it is a plain number, which has no memory: return a Value.",
            ),
            Wrong(
                _value((_SUM, 'Value(self + other, (self, other), "+")')),
                "self + other inside of __add__ calls __add__ again, and so on without end. Add "
                "the numbers: self.data + other.data.",
            ),
            Wrong(
                _value((_PRODUCT, _SUM)),
                "* adds. Was __mul__ copied from __add__, and the sign in the middle forgotten?",
            ),
            Wrong(
                _value((_PRODUCT, _PRODUCT.replace('"*"', '"+"'))),
                'A product says of itself that it is a sum: op="*" in __mul__.',
            ),
            Wrong(
                _value(*_both("(self, other)", "()")),
                "The numbers are right, but the operands were not kept: operands=(self, other).",
            ),
            Wrong(
                _value(*_both("(self, other)", "{self, other}")),
                "A set keeps no order, and of a + a only one a. Keep the operands in a tuple, "
                "(self, other).",
            ),
            Wrong(
                _value(*_both("(self, other)", "(self.data, other.data)")),
                "The operands' numbers were kept, and with them nothing of the operands' own past. "
                "Keep the values: (self, other).",
            ),
            Wrong(
                _value(*_both("(self, other)", "(other, self)")),
                "The operands are turned round: self is what stands on the left.",
            ),
            Wrong(
                _value(
                    (_SUM, _SUM.replace('"+"', '""')), (_PRODUCT, _PRODUCT.replace('"*"', '""'))
                ),
                'What the value was made by is missing: op="+", op="*".',
            ),
            Wrong(
                _value((f"return {_SUM}", "self.data += other.data\n        return self")),
                "a + b has changed a. Leave both operands as they are, and return a new Value.",
            ),
        ],
        otherwise="Each of the two methods returns Value(number, operands=(self, other), op=sign).",
        programs=[
            f"{_AB}(a + b).data",
            f"{_AB}(a * b).data",
            f"{_AB}a + b\na.data",
            f"{_AB}len((a + a).operands)",
            f"{_AB}(a + b).operands[0].data",
            f"{_AB}(a + b).operands[0] is a",
            f"{_AB}(a * b).operands[1] is b",
            f"{_AB}(a + b).op",
            f"{_AB}(a * b).op",
        ],
    ),
}

# ---- 3. Backpropagation by hand ----


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


EXERCISES |= {
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

# ---- 4. Backpropagation by machine ----


def _operands_first(result: Any) -> list[Any]:
    order: list[Any] = []

    def visit(value: Any) -> None:
        if value not in order:
            for operand in value.operands:
                visit(operand)
            order.append(value)

    visit(result)
    return order


def _with_repeats(result: Any) -> list[Any]:
    return [x for operand in result.operands for x in _with_repeats(operand)] + [result]


def _too_early(order: list[Any]) -> list[str]:
    """The labels of the values that stand before one of their operands."""
    places = {value: place for place, value in enumerate(order)}
    return [v.label for v in order if any(places[v] < places.get(x, -1) for x in v.operands)]


_TWO_WAYS = """\
a = Value(2.0, label="a")
b = a * a
c = b * a
d = c + b
b.label, c.label, d.label = "b", "c", "d"
"""
_LONG_WAY = _TWO_WAYS.replace("c = b * a", "c = (b * a) * a")
_OTHER_WAYS = _TWO_WAYS.replace("c + b", "b + c")
_FOUR_LEAVES = "a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(-2.0)\n"
_CHAIN = f"{_FOUR_LEAVES}e = a * b\nd = e + c\nL = d * f\nL.backward()\n"
_PASSED_ON = "operand.grad += derivative * value.grad"
_ORDERED = "order = topological_order(self)"

EXERCISES |= {
    "4.1": Exercise(
        right=15.0,
        because="6 by way of q, too early, and 9 by way of r. The right order gives 33.",
        wrong=[
            Wrong(33.0, "33 is right as a derivative, 3p² + 2p. The wrong order gives less."),
            Wrong(6.0, "That is what q passes on. Then comes r, which passes on to p, too."),
            Wrong(9.0, "That is what r passes on to p. Before it, q has passed on something."),
            Wrong(12.0, "q = p * p has p as an operand twice: it gets 3 * 1 for each."),
            Wrong(
                27.0, "That is the way through r alone, done right: q would pass on what r gave."
            ),
            Wrong(
                18.0,
                "The gradient of q is 4 at the end, but when it passes on there is only 1 in it.",
            ),
            Wrong(24.0, "q passes on only 1: the 3 from r come too late."),
        ],
        otherwise="s gives 1 to r and to q; q passes 3 * 1 on to p, twice; r passes 9 * 1 on.",
    ),
    "4.2": Exercise(
        name="topological_order",
        right=_operands_first,
        because="Each value once, and none before its operands.",
        wrong=[
            Wrong(
                _with_repeats,
                "Values that are used twice are on the list twice. Remember which ones you have "
                "seen, and visit no value again.",
            ),
            Wrong(
                lambda result: _operands_first(result)[::-1],
                "This is the order turned round, results first. It is what backward() needs in "
                "the end, by reversed(); the list itself is to have operands first.",
            ),
            Wrong(
                _as_met,
                "It is right for some graphs only. You append a value before its operands and "
                "turn the list round: then a value can come in front of an operand that was met "
                "by a longer way. Append it after its operands were visited.",
            ),
            Wrong(
                _level_by_level,
                "Going level by level, a value that is used near the result is put among the "
                "last, though something further away needs it as well.",
            ),
            Wrong(
                lambda result: [x for x in _operands_first(result) if x.operands],
                "The leaves are missing.",
            ),
            Wrong(
                lambda result: _operands_first(result)[:-1],
                "The result itself is missing.",
            ),
            Wrong(
                lambda result: list(result.operands),
                "These are the operands of the result. Theirs are needed, too, and so on.",
            ),
        ],
        otherwise="Visit the operands first, then append the value; and none twice.",
        programs=[
            f"{_TWO_WAYS}len(topological_order(d))",
            f"{_TWO_WAYS}len(set(topological_order(d)))",
            f"{_TWO_WAYS}too_early(topological_order(d))",
            f"{_LONG_WAY}too_early(topological_order(d))",
            f"{_OTHER_WAYS}too_early(topological_order(d))",
            f"{_TWO_WAYS}topological_order(d)[-1].label",
        ],
        names={"Value": _value(), "too_early": _too_early},
    ),
    "4.3": Exercise(
        name="Value",
        right=_value(),
        because="This is backpropagation. Every framework has these lines at its heart.",
        wrong=[
            Wrong(
                _value(("def __mul__", "def mul")),
                "Your Value cannot multiply yet: do exercise 2.3 first.",
            ),
            Wrong(
                _value(("def backward", "def backwards")),
                "Your Value has no method backward yet. Is it indented like the others, and saved?",
            ),
            Wrong(
                _value((_PASSED_ON, _PASSED_ON.replace("+=", "="))),
                "a + a gives 1 where 2 is right: the second share overwrites the first. "
                "Write += where the gradient is passed on.",
            ),
            Wrong(
                _value(("self.grad += 1.0", "pass")),
                "All gradients are 0: nothing times anything is nothing. Before the walk begins, "
                "the gradient of the result must be 1.",
            ),
            Wrong(
                _value(("in reversed(order)", "in order")),
                "Only the result has a gradient: the walk begins with the leaves, which have "
                "nothing to pass on. Go through the order backwards, by reversed().",
            ),
            Wrong(
                _value((_PASSED_ON, "operand.grad += derivative")),
                "The local derivatives arrive, but not multiplied by the gradient from above: "
                "that is the chain in the chain rule.",
            ),
            Wrong(
                _value((_PASSED_ON, "operand.grad += value.grad")),
                "The gradient from above is passed on without the local derivative.",
            ),
            Wrong(
                _value(("(other.data, self.data)", "(self.data, other.data)")),
                "In a product the operands have each other's gradient: a * b moves with a at the "
                "rate b. Swap the two derivatives.",
            ),
            Wrong(
                _value(("(1.0, 1.0)", "(self.data, other.data)")),
                "A sum passes the gradient on as it is: both derivatives are 1.",
            ),
            Wrong(
                _value((_ORDERED, "order = as_met(self)")),
                "Values pass on before all of their gradient has come. A value must come after "
                "all its users: take the topological order of exercise 4.2, reversed.",
            ),
            Wrong(
                _value((_ORDERED, "order = level_by_level(self)")),
                "Some values pass on too early: level by level is not a topological order.",
            ),
            Wrong(
                _value(("if value not in seen:", "if True:")),
                "Too much: values that are used twice are in the order twice, and pass on twice.",
            ),
            Wrong(
                _value(
                    (
                        "            if value.operands:\n                value.grad",
                        "            value.grad",
                    )
                ),
                "A leaf that takes part in two results loses the gradient of the first: set no "
                "leaf's gradient to 0, that is for whoever uses the engine.",
            ),
        ],
        otherwise="Draw that graph on paper, and follow what each value passes on.",
        programs=[
            f"{_AB}c = a * b\nc.backward()\nc.grad",
            f"{_AB}c = a * b\nc.backward()\n[a.grad, b.grad]",
            f"{_AB}c = a + b\nc.backward()\n[a.grad, b.grad]",
            f"{_CHAIN}[a.grad, b.grad, c.grad, f.grad]",
            f"{_CHAIN}[e.grad, d.grad]",
            f"{_AB}c = a + a\nc.backward()\na.grad",
            f"{_TWO_WAYS}d.backward()\na.grad",
            f"{_LONG_WAY}d.backward()\na.grad",
            f"{_OTHER_WAYS}d.backward()\na.grad",
            f"{_AB}c = a * a\nc.backward()\nc = a + a\nc.backward()\na.grad",
        ],
    ),
    "4.4": Exercise(
        right=72.0,
        because="27 of the first call, and 9 + 6 * 6 of the second: t passes on 6 instead of 3.",
        wrong=[
            Wrong(
                54.0, "That is what ought to be there, and what is not: t still has 3 from before."
            ),
            Wrong(27.0, "Leaves add up: the second call adds to what the first one left."),
            Wrong(63.0, "t has 3 from before and gets 3 more. It passes on 6 to each of two x."),
            Wrong(45.0, "That is what the second call adds. The 27 of the first are still there."),
        ],
        otherwise="In the second call t passes on its new 3 and the old 3, twice, times x.",
    ),
}
