"""Expressions in text, as "a*b + c", turned into graphs; nothing of them is run as Python.

Python's parser tells how the text is built. Only what is listed here is then looked up and
computed: arithmetic, numbers, names that were given, and functions that make values.
"""

from __future__ import annotations

import ast
import keyword
import math
import string
import sys
import unicodedata
import warnings
from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from chainrule import ops
from chainrule.arguments import check_choice
from chainrule.engine import Value, constant
from chainrule.errors import ExpressionError
from chainrule.ops import TABLE

_LONGEST = 2000  # characters: some hundred ops, more than can be looked at one by one
_DEEPEST = 100  # brackets within brackets, half of what Python's parser takes
_QUOTED = 40  # characters of an expression in a message

_OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.Div: "div",
    ast.Pow: "pow",
    ast.USub: "neg",
    ast.UAdd: "",
}
_COMPOSED: dict[str, Callable[[Sequence[Value]], Value]] = {
    "sum": ops.sum,
    "mean": ops.mean,
    "logsumexp": ops.logsumexp,
}
_MADE_OF = "an expression is made of names, numbers, + - * / **, functions and brackets"
_CHARACTERS = frozenset(f"{string.ascii_letters}{string.digits}_.+-*/(), ")
_INSTEAD = {
    "^": "a power is a**b",
    "<": "a comparison is less(a, b) or less_equal(a, b)",
    ">": "a comparison is less(b, a) or less_equal(b, a)",
    "=": "a comparison is equal(a, b)",
}


def parse(text: str, leaves: Mapping[str, Value]) -> Value:
    """The value of an expression, with the graph behind it.

    Every op that is written becomes a value, also one of numbers alone. A name stands for the same
    value wherever it is.

    Args:
        text: operators + - * / **, brackets, numbers, names, and functions: the rows of the table
            of ops, and `sum`, `mean` and `logsumexp` of any number of terms.
        leaves: the value that each name in the text stands for.

    Raises:
        ExpressionError: the text holds something else, is longer than 2,000 characters or has more
            than 100 brackets within each other; a name has no value, or a value no use.
        ArgumentError: there is no such function, or it takes another number of operands.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> c = parse("tanh(a*b + 6.5)", {"a": a, "b": b})
    >>> c.backward()
    >>> c.op, round(a.grad, 4)
    ('tanh', -2.3593)
    """
    line = _one_line(text)
    nodes, steps = [_syntax(line)], []
    for node in nodes:  # they become more: the operands of each come behind it
        steps.append(_read(node, line))
        nodes += steps[-1][1]
    _check_names(nodes, leaves)
    made: dict[ast.expr, Value] = {}
    for node, (function, operands) in zip(reversed(nodes), reversed(steps)):
        values = [made[operand] for operand in operands]
        made[node] = _computed(function, values) if values else _leaf(node, leaves)
    result = made[nodes[0]]
    return Value(result.data) if result.op == "constant" else result


def quoted(text: str) -> str:
    """A text in quotation marks, on one line, its end cut off if it is long."""
    return repr(text if len(text) <= _QUOTED else f"{text[: _QUOTED - 1]}…")


# ---- the text ----


def _one_line(text: str) -> str:
    """The text on one line, once it cannot be too much for Python's parser."""
    if len(text) > _LONGEST:
        raise ExpressionError(f"an expression has up to {_LONGEST:,} characters, not {len(text):,}")
    line = " ".join(text.split())
    if not line:
        raise ExpressionError("the expression is empty: write one, as a*b + c")
    _check_characters(line)
    _check_brackets(line)
    return line


def _syntax(line: str) -> ast.expr:
    try:
        with warnings.catch_warnings(action="error"):  # what may be an error one day: 1if 2else 3
            return ast.parse(line, mode="eval").body
    except SyntaxError as error:
        raise ExpressionError(_what_is_wrong(line, error.offset)) from None
    except (MemoryError, RecursionError):
        raise ExpressionError(f"{quoted(line)} is nested too deeply") from None


def _check_characters(line: str) -> None:
    for place, c in enumerate(line, 1):
        if c not in _CHARACTERS:
            called = unicodedata.name(c, f"U+{ord(c):04X}")
            raise ExpressionError(
                f"{c!a} ({called}) at character {place} cannot stand here: "
                f"{_INSTEAD.get(c, _MADE_OF)}"
            )


def _check_brackets(line: str) -> None:
    depths = list(accumulate([(c == "(") - (c == ")") for c in line]))
    if max(depths) > _DEEPEST:
        raise ExpressionError(
            f"an expression has up to {_DEEPEST} brackets within each other, not {max(depths):,}"
        )
    if min(depths) < 0:
        raise ExpressionError(_what_is_wrong(line, depths.index(-1) + 1))
    if depths[-1]:
        raise ExpressionError(f"the expression {quoted(line)} has a bracket that is not closed")


def _what_is_wrong(line: str, place: int | None) -> str:
    """What to say of a line that goes wrong at a character, or at its end."""
    rest = line[place - 1 :] if place else ""
    where = f"it goes wrong at {quoted(rest)}" if rest else "something is missing at its end"
    return f"{quoted(line)} is not an expression: {where}"


# ---- what is in it ----


def _read(node: ast.expr, line: str) -> tuple[str, list[ast.expr]]:
    """The function that a part of the line applies, "" for none, and what to."""
    match node:
        case ast.Name():
            return "", []
        case ast.Constant() if type(node.value) in (int, float):
            return "", []
        case ast.BinOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)], [node.left, node.right]
        case ast.UnaryOp() if type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)], [node.operand]
        case ast.Call(func=ast.Name(id=function), args=[_, *_] as operands, keywords=[]):
            check_choice("function", function[:_QUOTED], _functions())
            return function, operands
    part = quoted(line[node.col_offset : node.end_col_offset])
    raise ExpressionError(f"{part} cannot stand here: {_MADE_OF}")


def _functions() -> list[str]:
    return sorted([*TABLE, *_COMPOSED])


def _check_name(name: str) -> None:
    if name in _functions():
        raise ExpressionError(f"{name} is a function: give the number another name")
    if not (name.isascii() and name.isidentifier()) or keyword.iskeyword(name):
        raise ExpressionError(
            f"a name is made of the letters a to z, digits and _, as x1, not {quoted(name)}"
        )


def _check_names(nodes: Sequence[ast.expr], leaves: Mapping[str, Value]) -> None:
    """Refuse names without a value, and values without a use."""
    found = {node.id for node in nodes if isinstance(node, ast.Name)}
    for name in sorted(found - set(leaves)):
        if name in _functions():
            raise ExpressionError(f"{name} is a function: write what it is applied to, {name}(...)")
        raise ExpressionError(f"{quoted(name)} has no value: give one, as in a=2")
    for name in leaves:
        _check_name(name)
        if name not in found:
            raise ExpressionError(f"{quoted(name)} has a value, but is not in the expression")


# ---- its values ----


def _leaf(node: ast.expr, leaves: Mapping[str, Value]) -> Value:
    """What a name or a number stands for."""
    if isinstance(node, ast.Name):
        return leaves[node.id]
    try:
        number = float(node.value)  # type: ignore[attr-defined]
    except OverflowError:
        number = math.inf
    if number == math.inf:
        raise ExpressionError(f"a number is at most {sys.float_info.max:.1e}")
    return constant(number)


def _computed(function: str, values: Sequence[Value]) -> Value:
    """A function of values; a number with a minus sign is a number again."""
    if function in _COMPOSED:
        return _COMPOSED[function](values)
    if function == "neg" and values[0].op == "constant":
        return constant(-values[0].data)
    result: Value = TABLE[function](*values) if function else values[0]
    return result
