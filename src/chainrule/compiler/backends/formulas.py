"""The formulas of the table as trees, for backends to write as code of their own.

    tree := ("number", repr) | ("name", operand) | (function, tree, ...) | ("call", op, tree, ...)

A function is a key of `ON_FLOATS`; what is called is a row that is a function of floats. Other rows
that stand in a formula are written out, and what has numbers for operands is computed at once.
"""

from __future__ import annotations

import ast
import operator

from chainrule import floats
from chainrule.compiler.program import Map, Placed, Program, Selected, contiguous, read_by
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    Tree = tuple[Any, ...]

_OPERATORS: dict[type, str] = {
    ast.Add: "add",
    ast.Sub: "subtract",
    ast.Mult: "multiply",
    ast.Div: "divide",
    ast.Pow: "power",
    ast.USub: "negative",
    ast.Lt: "less",
    ast.LtE: "less_equal",
    ast.Gt: "greater",
    ast.GtE: "greater_equal",
}
ON_FLOATS: dict[str, Callable[..., Any]] = {
    "add": operator.add,
    "subtract": operator.sub,
    "multiply": operator.mul,
    "negative": operator.neg,
    "less": operator.lt,
    "less_equal": operator.le,
    "greater": operator.gt,
    "greater_equal": operator.ge,
    **floats.FUNCTIONS,
}
CONDITIONS = ("less", "less_equal", "greater", "greater_equal", "equal")
ZERO, HALF, ONE, TWO = (("number", repr(x)) for x in (0.0, 0.5, 1.0, 2.0))


def value_of(op: str, operands: Sequence[Tree]) -> Tree:
    """The value of a row for these operands.

    >>> value_of("silu", [("name", "x")])
    ('divide', ('name', 'x'), ('add', ('number', '1.0'), ('exp', ('negative', ('name', 'x')))))
    """
    row = TABLE[op]
    if not isinstance(row.value, str):
        return ("call", op, *operands)
    return _tree(_body(row.value), dict(zip(row.operands, operands)))


def derivative_of(op: str, rule: int, y: Tree, operands: Sequence[Tree]) -> Tree:
    """A derivative of a row, for its value and these operands.

    >>> derivative_of("pow", 0, ("name", "y"), [("name", "x"), ("number", "2.0")])
    ('multiply', ('number', '2.0'), ('name', 'x'))
    """
    row = TABLE[op]
    return _tree(_body(row.derivatives[rule]), {"y": y, **dict(zip(row.operands, operands))})


def selected(gradient: Tree, slope: Tree) -> Tree:
    """gradient * slope, and 0 where the slope is 0 whatever the gradient is."""
    if slope[0] == "where":
        condition, chosen, other = slope[1:]
        return ("where", condition, selected(gradient, chosen), selected(gradient, other))
    if slope[0] == "number":
        if float(slope[1]) == 0.0:
            return ZERO
        return gradient if slope == ONE else ("multiply", gradient, slope)
    return ("where", ("equal", slope, ZERO), ZERO, ("multiply", gradient, slope))


def of_map(made: Map, operands: Sequence[Tree]) -> Tree:
    """What a map computes of its operands."""
    if made.rule is None:
        return value_of(made.op, operands)
    return derivative_of(made.op, made.rule, operands[0], operands[1:])


def number(x: float) -> Tree:
    """A number as a tree: by its text, which tells 0.0 from -0.0."""
    return ("number", repr(float(x)))


def _body(formula: str) -> ast.expr:
    return ast.parse(formula, mode="eval").body


def _tree(node: ast.expr, known: dict[str, Tree]) -> Tree:
    """The tree of a syntax, whose names stand for trees."""
    if isinstance(node, ast.Name):
        return known[node.id]
    if isinstance(node, ast.Constant):
        return number(node.value)  # type: ignore[arg-type]
    if isinstance(node, ast.UnaryOp):
        return _folded(_OPERATORS[type(node.op)], [_tree(node.operand, known)])
    if isinstance(node, ast.BinOp):
        operands = [_tree(x, known) for x in (node.left, node.right)]
        return _folded(_OPERATORS[type(node.op)], operands)
    if isinstance(node, ast.Compare):
        operands = [_tree(x, known) for x in (node.left, node.comparators[0])]
        return _folded(_OPERATORS[type(node.ops[0])], operands)
    assert isinstance(node, ast.Call), "formulas have nothing else"
    assert isinstance(node.func, ast.Name), "functions go by their names"
    return _called(node.func.id, [_tree(x, known) for x in node.args])


def _called(name: str, operands: list[Tree]) -> Tree:
    """A function of a formula: one of floats as it is, the formula of any other row written out."""
    return _folded(name, operands) if name in floats.FUNCTIONS else value_of(name, operands)


def _folded(name: str, operands: list[Tree]) -> Tree:
    """A function of operands, computed if they are numbers."""
    if name == "where" and operands[0][0] in ("number", "truth"):
        return operands[1] if _number(operands[0]) else operands[2]
    if all(x[0] == "number" for x in operands):
        found = ON_FLOATS[name](*[_number(x) for x in operands])
        return ("truth", found) if isinstance(found, bool) else number(found)
    if name == "multiply" and ONE in operands:
        return operands[1] if operands[0] == ONE else operands[0]
    return _power(*operands) if name == "power" else (name, *operands)


def _power(base: Tree, exponent: Tree) -> Tree:
    """A power; a small whole one as products, which round no worse."""
    if exponent == ONE:
        return base
    if exponent == TWO:
        return ("multiply", base, base)
    if exponent == number(-1.0):
        return ("divide", ONE, base)
    return ("power", base, exponent)


def _number(tree: Tree) -> Any:
    return float(tree[1]) if tree[0] == "number" else tree[1]


# ---- as Python source ----

INFIX = {"add": "+", "subtract": "-", "multiply": "*", "less": "<", "less_equal": "<="}
INFIX |= {"greater": ">", "greater_equal": ">=", "equal": "=="}
INFINITE = {"inf": float("inf"), "minus_inf": -float("inf"), "nan": float("nan")}


def on_floats(tree: Tree, module: str = "") -> str:
    """A tree as an expression of Python floats, with the functions of `floats.FUNCTIONS`.

    Args:
        module: what goes before the names of these functions.

    >>> on_floats(value_of("relu", [("name", "v1")]))
    '0.0 if v1 < 0.0 else v1'
    >>> on_floats(value_of("sigmoid", [("name", "v1")]))
    'divide(1.0, 1.0 + exp(-v1))'
    """
    kind, *rest = tree
    if kind == "name":
        return str(rest[0])
    if kind == "number":
        return literal(rest[0])
    if kind == "call":
        return f"{called(tree)}({', '.join(on_floats(x, module) for x in rest[1:])})"
    inner = [_inner(x, module) for x in rest]
    if kind in INFIX:
        return f"{inner[0]} {INFIX[kind]} {inner[1]}"
    if kind == "negative":
        return f"-{inner[0]}"
    if kind == "where":
        return f"{inner[1]} if {on_floats(rest[0], module)} else {inner[2]}"
    if kind == "divide" and rest[1][0] == "number" and float(rest[1][1]) != 0.0:
        return f"{inner[0]} / {inner[1]}"
    return f"{module}{kind}({', '.join(on_floats(x, module) for x in rest)})"


def _inner(tree: Tree, module: str) -> str:
    """A tree as a part of an expression."""
    text = on_floats(tree, module)
    loose = tree[0] in (*INFIX, "negative", "where") or " / " in text or text.startswith("-")
    return f"({text})" if loose else text


def literal(text: str) -> str:
    """A number as it is written, or its name if it is infinite or nan."""
    return text if text[-1] not in "fn" else text.replace("-", "minus_")


def called(tree: Tree) -> str:
    """What source calls a row that is a function of floats, or any other function of a tree."""
    return f"op_{tree[1]}" if tree[0] == "call" else str(tree[0])


def function_on_floats(tree: Tree) -> Callable[..., float]:
    """The function that a tree begins with, on floats."""
    if tree[0] != "call":
        return floats.FUNCTIONS[tree[0]]
    local = TABLE[tree[1]].local
    return lambda *operands: local(*operands)[0]


def user_ops(tree: Tree) -> set[str]:
    """The rows that are functions of floats and stand in a tree."""
    below = [user_ops(x) for x in tree[1:] if isinstance(x, tuple)]
    return set().union(*below, {tree[1]} if tree[0] == "call" else ())


# ---- slopes that are written where they are used ----


def inlined(program: Program) -> set[int]:
    """The slopes that are read by one choice alone, which is written by their formula."""
    reading = readers(program)
    found = set()
    for block, made in enumerate(program.instructions):
        if isinstance(made, Selected) and reading[made.slope.block] == [block]:
            slope = program.instructions[made.slope.block]
            whole = (made.slope.offset, made.slope.strides) == (0, contiguous(made.dims))
            if isinstance(slope, Map) and slope.dims == made.dims and whole:
                found.add(made.slope.block)
    return found - set(program.outputs)


def readers(program: Program) -> list[list[int]]:
    """The instructions that read each block."""
    found: list[list[int]] = [[] for _ in program.instructions]
    for block, made in enumerate(program.instructions):
        sources = {view.block for view, _ in read_by(made)}
        for source in sources | ({made.block} if isinstance(made, Placed) else set()):
            found[source].append(block)
    return found
