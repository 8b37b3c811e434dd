"""Exercises of chapter 5."""

from __future__ import annotations

import math

from chainrule.course.exercises.engines import value_class
from chainrule.course.judging import Exercise, Wrong


def _bell_slope(rule: str, x: float) -> float:
    """A formula for the derivative of exp(-x * x), computed."""
    known: dict[str, object] = {"x": x, "y": math.exp(-x * x), "exp": math.exp, "math": math}
    return float(eval(rule, known))


_SCORES = [0.0, 3.0, -2.0, 1.0]
_TOTAL = math.fsum(map(math.exp, _SCORES))
_CAT, _DOG, _EEL, _FOX = (math.exp(score) / _TOTAL for score in _SCORES)

_A = "a = Value(-2.0)\n"
_BACK = "b.backward()\n[b.data, a.grad]"


def _function(call: str) -> str:
    return f"a = Value(0.5)\nb = a.{call}\n{_BACK}"


_POWER = "power * self.data ** (power - 1) if power else 0.0"
_RSUB = "as_value(other) - self"
_RTRUEDIV = "as_value(other) / self"

EXERCISES = {
    "5.1": Exercise(
        name="power_derivative",
        right=lambda x, n: n * x ** (n - 1),
        because="It holds for every n: for n = -1 it is the derivative of 1/x, and so of division.",
        wrong=[
            Wrong(lambda x, n: n * x**n, "The exponent falls by 1: n * x**(n - 1)."),
            Wrong(
                lambda x, n: x ** (n - 1), "The exponent comes to the front: a factor n is missing."
            ),
            Wrong(
                lambda x, n: n * x**n - 1,
                "Powers are computed before differences: put n - 1 in parentheses.",
            ),
            Wrong(
                lambda x, n: (n - 1) * x ** (n - 1),
                "The factor in front is n itself; only the exponent falls.",
            ),
            Wrong(
                lambda x, n: n * x * (n - 1),
                "One * where ** is needed: x to the power of n - 1.",
            ),
            Wrong(lambda x, n: x**n, "That is the value. How fast does it move with x?"),
            Wrong(
                lambda x, n: x**n * math.log(x),
                "That is how fast it moves with n. Here x moves, and n stays.",
            ),
            Wrong(
                lambda x, n: x ** (n + 1) / (n + 1),
                "That is the integral: the other way round.",
            ),
        ],
        otherwise="Compare with nudging: ((x + h)**n - x**n) / h for a small h.",
        programs=[
            "power_derivative(3.0, 2)",
            "power_derivative(2.0, 5)",
            "power_derivative(4.0, -1)",
            "power_derivative(4.0, 0.5)",
        ],
        within=1e-6,
    ),
    "5.2": Exercise(
        name="rule",
        right="-2 * x * y",
        because="exp gives y, and its argument -x² gives -2x.",
        wrong=[
            Wrong(
                "y", "That is the derivative of exp by its argument. The argument moves, too: -2x."
            ),
            Wrong("2 * x * y", "The argument is -x²: its derivative is -2x, with the minus."),
            Wrong("-2 * x", "That is the derivative of the argument. exp contributes a factor y."),
            Wrong("-x * y", "The derivative of x² is 2x: a factor 2 is missing."),
            Wrong("-2 * y", "The derivative of -x² is -2x: where has the x gone?"),
            Wrong("-2 * x + y", "In the chain rule rates are multiplied, not added."),
            Wrong("-x**2 * y", "The argument itself, -x², where its derivative is needed: -2x."),
            Wrong(
                "-2 x y",
                "As in Python, a product is written with *: without it this is no formula.",
            ),
        ],
        otherwise='A text such as "3 * x**2", in x and y.',
        programs=["slope(rule, 0.5)", "slope(rule, -1.5)"],
        names={"slope": _bell_slope},
        within=1e-6,
    ),
    "5.3": Exercise(
        right=[_CAT, _DOG, _EEL, _FOX - 1],
        because="Probability minus truth: the truth is 0, 0, 0, 1.",
        wrong=[
            Wrong(
                [_CAT, _DOG, _EEL, _FOX],
                "By fox: these are the probabilities. From the right one's, 1 is taken away.",
            ),
            Wrong(
                [-_CAT, -_DOG, -_EEL, 1 - _FOX],
                "All signs are turned round: that is the gradient of log(p), and the surprise "
                "is minus that.",
            ),
            Wrong(
                [_CAT * _FOX, _DOG * _FOX, _EEL * _FOX, _FOX * (_FOX - 1)],
                "That is the gradient of -p, without the logarithm.",
            ),
            Wrong(
                [0.0, 0.0, 0.0, _FOX - 1],
                "By cat: a higher score for the cat leaves less probability for the fox, since "
                "they add up to 1.",
            ),
            Wrong(
                [0.0, 0.0, 0.0, -1 / _FOX],
                "That is by the probabilities. The scores come before them, through softmax.",
            ),
            Wrong(
                [2 * _CAT, 2 * _DOG, 2 * _EEL, 2 * (_FOX - 1)],
                "Everything is doubled: did backward() run twice? Gradients add up. Run the cell "
                "with the scores again.",
            ),
        ],
        otherwise="Call surprise.backward(), and read the grad of each of the logits.",
    ),
    "5.4": Exercise(
        name="Value",
        right=value_class(),
        because="It can now compute, and differentiate, all that a network needs.",
        wrong=[
            Wrong(
                value_class(("def __add__", "def add")),
                "Your Value has no + yet: do exercises 2.3 and 4.3 first.",
            ),
            Wrong(
                value_class(
                    (
                        "        other = as_value(other)\n        return Value(self.data + ",
                        "        return Value(self.data + ",
                    ),
                ),
                "a + 3 fails: the 3 has no data. Wrap what is no Value into one first.",
            ),
            Wrong(
                value_class(("def __radd__", "def radd")),
                "3 + a fails: Python asks your class for __radd__.",
            ),
            Wrong(
                value_class(("def __rmul__", "def rmul")),
                "3 * a fails: Python asks your class for __rmul__.",
            ),
            Wrong(value_class(("def __neg__", "def neg")), "-a fails: it is the method __neg__."),
            Wrong(
                value_class(("def __sub__", "def sub")),
                "a - 3 fails: it is the method __sub__.",
            ),
            Wrong(
                value_class(("def __rsub__", "def rsub")),
                "3 - a fails: Python asks your class for __rsub__.",
            ),
            Wrong(
                value_class((_RSUB, "self - as_value(other)")),
                "3 - a gives a - 3. In __rsub__ it is self that stands on the right.",
            ),
            Wrong(
                value_class((_RSUB, "as_value(other) + self")),
                "3 - a adds. Was __rsub__ copied from __radd__?",
            ),
            Wrong(
                value_class(("def __pow__", "def pow")),
                "a**2 fails: it is the method __pow__.",
            ),
            Wrong(
                value_class((_POWER, "power * self.data")),
                "The derivative of a**3 is 3a², not 3a: the exponent falls by 1, to n - 1.",
            ),
            Wrong(
                value_class((_POWER, "self.data ** (power - 1)")),
                "In the derivative of a**n the factor n is missing.",
            ),
            Wrong(
                value_class(("def __truediv__", "def truediv")),
                "a / 4 fails: it is the method __truediv__.",
            ),
            Wrong(
                value_class(("def __rtruediv__", "def rtruediv")),
                "4 / a fails: Python asks your class for __rtruediv__.",
            ),
            Wrong(
                value_class((_RTRUEDIV, "self / as_value(other)")),
                "4 / a gives a / 4. In __rtruediv__ it is self that stands on the right.",
            ),
            Wrong(
                value_class(("self * as_value(other) ** -1", "self * as_value(other)")),
                "a / 4 multiplies: the power of -1 is missing.",
            ),
            Wrong(
                value_class(("def exp", "def _exp")),
                "There is no method exp yet.",
            ),
            Wrong(
                value_class(('"exp", (y,)', '"exp", (self.data,)')),
                "The derivative of exp is its result, not its argument.",
            ),
            Wrong(
                value_class(('"exp", (y,)', '"exp", (1.0,)')),
                "exp passes the gradient on unchanged; its derivative is its result.",
            ),
            Wrong(value_class(("def tanh", "def _tanh")), "There is no method tanh yet."),
            Wrong(
                value_class(("1 - y * y", "1 - self.data * self.data")),
                "The derivative of tanh is 1 - y², with its result y, not with its argument.",
            ),
            Wrong(
                value_class(("1 - y * y", "1 - y")),
                "The derivative of tanh is 1 - y²: the square is missing.",
            ),
            Wrong(value_class(("def relu", "def _relu")), "There is no method relu yet."),
            Wrong(
                value_class(("(float(self.data > 0),)", "(1.0,)")),
                "Below zero relu lets no gradient through: there its derivative is 0.",
            ),
            Wrong(
                value_class(("max(0.0, self.data)", "abs(self.data)")),
                "Below zero relu is 0, not positive.",
            ),
        ],
        otherwise="Each operation needs its number, its operands, and their local derivatives.",
        programs=[
            f"{_A}b = a + 3\n{_BACK}",
            f"{_A}b = 3 + a\n{_BACK}",
            f"{_A}b = a * 3\n{_BACK}",
            f"{_A}b = 3 * a\n{_BACK}",
            f"{_A}b = -a\n{_BACK}",
            f"{_A}b = a - 3\n{_BACK}",
            f"{_A}b = 3 - a\n{_BACK}",
            f"{_A}b = a**2\n{_BACK}",
            f"{_A}b = a**3\n{_BACK}",
            f"{_A}b = a / 4\n{_BACK}",
            f"{_A}b = 4 / a\n{_BACK}",
            "a, b = Value(3.0), Value(4.0)\nc = a / b\nc.backward()\n[c.data, a.grad, b.grad]",
            _function("exp()"),
            _function("tanh()"),
            _function("relu()"),
            f"{_A}b = a.relu()\n{_BACK}",
        ],
        within=1e-6,
    ),
}
