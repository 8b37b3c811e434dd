"""Exercises of chapter 2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chainrule.course.exercises.engines import value_class
from chainrule.course.judging import Exercise, Wrong


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


EXERCISES = {
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
        names={"Value": value_class()},
    ),
    "2.3": Exercise(
        name="Value",
        right=value_class(),
        because="Your numbers have a memory now.",
        wrong=[
            Wrong(
                value_class(("def __add__", "def add"), ("def __mul__", "def mul")),
                "Python finds no + on your Value: is the method named __add__, with two "
                "underscores on either side, and indented as __init__ is? Is the file saved?",
            ),
            Wrong(
                value_class(("def __mul__", "def mul")),
                "+ is there, and * is not yet: it is the method __mul__.",
            ),
            Wrong(
                value_class((_SUM, "self.data + other.data"), (_PRODUCT, "self.data * other.data")),
                "The sum is right, but it is a plain number, which has no memory: return a Value.",
            ),
            Wrong(
                value_class((_SUM, 'Value(self + other, (self, other), "+")')),
                "self + other inside of __add__ calls __add__ again, and so on without end. Add "
                "the numbers: self.data + other.data.",
            ),
            Wrong(
                value_class((_PRODUCT, _SUM)),
                "* adds. Was __mul__ copied from __add__, and the sign in the middle forgotten?",
            ),
            Wrong(
                value_class((_PRODUCT, _PRODUCT.replace('"*"', '"+"'))),
                'A product says of itself that it is a sum: op="*" in __mul__.',
            ),
            Wrong(
                value_class(*_both("(self, other)", "()")),
                "The numbers are right, but the operands were not kept: operands=(self, other).",
            ),
            Wrong(
                value_class(*_both("(self, other)", "{self, other}")),
                "A set keeps no order, and of a + a only one a. Keep the operands in a tuple, "
                "(self, other).",
            ),
            Wrong(
                value_class(*_both("(self, other)", "(self.data, other.data)")),
                "The operands' numbers were kept, and with them nothing of the operands' own past. "
                "Keep the values: (self, other).",
            ),
            Wrong(
                value_class(*_both("(self, other)", "(other, self)")),
                "The operands are turned round: self is what stands on the left.",
            ),
            Wrong(
                value_class(
                    (_SUM, _SUM.replace('"+"', '""')), (_PRODUCT, _PRODUCT.replace('"*"', '""'))
                ),
                'What the value was made by is missing: op="+", op="*".',
            ),
            Wrong(
                value_class((f"return {_SUM}", "self.data += other.data\n        return self")),
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
