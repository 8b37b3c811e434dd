"""What an op computes, and its chain rule, spelled out in names and in numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from chainrule.ops import TABLE, OnFloats, python_function
from chainrule.viz.replay import Cell, Share, Step
from chainrule.viz.svg import short_number

Line = tuple[str, str]  # what it is, and the line

_SHOWN = 4  # of the sums on the way to a gradient


def forward(cells: Sequence[Cell], place: int) -> list[Line]:
    """How the number of a value is computed.

    >>> forward([Cell("a", "", 3.0), Cell("y", "neg", -3.0, (0,), (-1.0,))], 1)
    [('in symbols', 'y = -a'), ('in numbers', 'y = -3')]
    """
    cell = cells[place]
    names, numbers = _fillings(cells, cell)
    formula = _value_formula(cell)
    lines = [("in symbols", f"{cell.name} = {filled(formula, names)}")]
    row = TABLE.get(cell.op)
    if row and isinstance(row.value, str) and formula == row.form != row.value:
        lines.append(("that is", filled(row.value, names)))
    number = short_number(cell.data)
    computed = filled(formula, numbers)
    result = number if computed == number else f"{computed} = {number}"
    return [*lines, ("in numbers", f"{cell.name} = {result}")]


def backward(cells: Sequence[Cell], step: Step, share: Share, adds: bool) -> list[Line]:
    """The chain rule for one operand of an op, line by line."""
    cell, to = cells[step.place], _grad(cells[share.operand].name)
    slope = _slope(cells, cell, share.slot)
    rule = ("derivative", derivative(cells, cell, share.slot, share.derivative))
    if share.amount is None:
        return [rule, ("passed", f"nothing: {to} stays {short_number(share.after)}")]
    gradient, factor = _number(step.gradients[step.place]), _number(share.derivative)
    return [
        ("chain rule", f"{to} {'+=' if adds else '='} {_grad(cell.name)} * {slope}"),
        rule,
        ("product", f"{gradient} * {factor} = {short_number(share.amount)}"),
        ("added up", _added_up(to, share)) if adds else ("kept", _overwritten(to, share)),
    ]


def derivative(cells: Sequence[Cell], cell: Cell, slot: int, number: float) -> str:
    """The rule of an op for one operand in names and numbers; of an op without a row, the number.

    >>> cells = [Cell("n", "", 0.0), Cell("o", "tanh", 0.5, (0,))]
    >>> derivative(cells, cells[1], 0, 0.75)
    'd(o)/d(n) = 1 - o * o = 1 - 0.5 * 0.5 = 0.75'
    """
    row, slope, result = TABLE.get(cell.op), _slope(cells, cell, slot), short_number(number)
    if row is None:
        return f"{slope} = {result}"
    names, numbers = _fillings(cells, cell)
    rule, known = row.derivatives[slot], _known(cells, cell)
    constants = {c: known[c] for c, i in zip(row.operands, cell.operands) if _is_constant(cells[i])}
    in_names, in_numbers = settled(rule, constants), settled(rule, known)
    parts = [slope, filled(in_names, names), filled(in_numbers, numbers), result]
    return " = ".join(dict.fromkeys(parts))


def _slope(cells: Sequence[Cell], cell: Cell, slot: int) -> str:
    return f"d({cell.name})/d({cells[cell.operands[slot]].name})"


def filled(formula: str, fillings: dict[str, str]) -> str:
    """A formula with other names or numbers for its operands, in brackets where they need them.

    >>> filled("1 - y*y", {"y": "-0.5"})
    '1 - (-0.5) * (-0.5)'
    """
    tree = ast.parse(formula, mode="eval")
    if isinstance(tree.body, ast.Name):
        return fillings.get(formula, formula)
    return ast.unparse(_Filled(fillings).visit(tree))


class _Filled(ast.NodeTransformer):
    def __init__(self, fillings: dict[str, str]) -> None:
        self.fillings = fillings

    def visit_Call(self, node: ast.Call) -> ast.Call:
        """The arguments alone: an operand may have the name of a function."""
        node.args = [
            ast.Name(self.fillings[x.id])
            if isinstance(x, ast.Name) and x.id in self.fillings
            else self.visit(x)
            for x in node.args
        ]
        return node

    def visit_Name(self, node: ast.Name) -> ast.Name:
        return ast.Name(bracketed(self.fillings.get(node.id, node.id)))


def settled(formula: str, known: dict[str, float]) -> str:
    """A formula of which conditions on known numbers leave what they choose.

    >>> settled("where(b > 0, a * b, where(a > 0, 1, 0))", {"b": 0.0})
    'where(a > 0, 1, 0)'
    """
    return ast.unparse(_Settled(known).visit(ast.parse(formula, mode="eval")))


class _Settled(ast.NodeTransformer):
    def __init__(self, known: dict[str, float]) -> None:
        self.known = known

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        if ast.unparse(node.func) != "where" or not self.knows(node.args[0]):
            return node
        condition = ast.unparse(node.args[0])
        chosen = python_function(condition, tuple(self.known), OnFloats())(*self.known.values())
        return node.args[1] if chosen else node.args[2]

    def knows(self, condition: ast.expr) -> bool:
        names = {x.id for x in ast.walk(condition) if isinstance(x, ast.Name)}
        called = {ast.unparse(x.func) for x in ast.walk(condition) if isinstance(x, ast.Call)}
        return names - called <= set(self.known)


def bracketed(text: str) -> str:
    """A name or number as an operand, in brackets if it is an expression or has a minus.

    >>> bracketed("w[0].b"), bracketed("1e-05"), bracketed("x1*w1"), bracketed("-2")
    ('w[0].b', '1e-05', '(x1*w1)', '(-2)')
    """
    plain = r"[\w.]+(\[[^][]*\][\w.]*)*|\d[\d.]*e[+-]\d+"
    return text if re.fullmatch(plain, text) else f"({text})"


def _grad(name: str) -> str:
    return f"{bracketed(name)}.grad"


def _fillings(cells: Sequence[Cell], cell: Cell) -> tuple[dict[str, str], dict[str, str]]:
    """What the formulas of an op's row are filled with: names, and numbers."""
    row = TABLE.get(cell.op)
    operands = [cells[i] for i in cell.operands]
    called = row.operands if row else [f"x{i}" for i in range(len(operands))]
    names = {**{c: x.name for c, x in zip(called, operands)}, "y": cell.name}
    numbers = {**{c: short_number(x.data) for c, x in zip(called, operands)}}
    return names, {**numbers, "y": short_number(cell.data)}


def _known(cells: Sequence[Cell], cell: Cell) -> dict[str, float]:
    """The numbers that the operands of an op's row, and y, stand for."""
    operands = TABLE[cell.op].operands
    return {**{c: cells[i].data for c, i in zip(operands, cell.operands)}, "y": cell.data}


def _is_constant(cell: Cell) -> bool:
    return cell.op == "constant"


def _value_formula(cell: Cell) -> str:
    row = TABLE.get(cell.op)
    if row is None:
        return f"{cell.op}({', '.join([f'x{i}' for i in range(len(cell.operands))])})"
    plain = isinstance(row.value, str) and not re.search(r"\w\(|^\w$", row.value)
    return str(row.value) if plain else f"{cell.op}({', '.join(row.operands)})"


def _added_up(to: str, share: Share) -> str:
    shown = [short_number(x) for x in share.history[-_SHOWN:]]
    earlier = " -> ".join([*["..."][: len(share.history) - len(shown)], *shown])
    total = f"{shown[-1]} + {_number(share.amount or 0.0)} = {short_number(share.after)}"
    return f"{to}: {earlier} -> {total}"


def _overwritten(to: str, share: Share) -> str:
    before, after = short_number(share.history[-1]), short_number(share.after)
    lost = f"; the {before} that stood there is lost" if len(share.history) > 1 else ""
    return f"{to}: {before} -> {after}{lost}"


def _number(x: float) -> str:
    """A number as a factor or term."""
    return f"({short_number(x)})" if x < 0.0 else short_number(x)
