"""Derivative rules of ops, spelled out as instructions: so they have derivatives themselves."""

from __future__ import annotations

from chainrule.compiler.program import Map, Part, Program, Sum, View, contiguous, renamed
from chainrule.ops import TABLE, OnValues, python_function

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def spelled_out(program: Program) -> Program:
    """The same program without rules: their formulas are ops, sums and products.

    >>> from chainrule.compiler.program import Data, Leaves, Numbers
    >>> x = View(0, 0, (1,))
    >>> rule = Map("tanh", 0, (3,), [x, x])
    >>> print(spelled_out(Program([Leaves(3), Numbers([]), Data(0), rule], [3])))
    b0[3] = leaves
    b1[0] = numbers ()
    b2[0] = data
    b3[3] = sum 1 * b0@0:1 * b0@0:1 over 3|
    b4[3] = sum 1 over 3|  +  -1 * b3@0:1 over 3|
    return b4
    """
    instructions: list[Any] = []
    new: list[int] = []
    for made in program.instructions:
        moved = renamed(made, new, len(instructions))
        if isinstance(moved, Map) and moved.rule is not None:
            new.append(_Formula(moved, instructions).block)
        else:
            new.append(len(instructions))
            instructions.append(moved)
    return Program(instructions, [new[block] for block in program.outputs])


class _Formula:
    """The instructions of one rule."""

    def __init__(self, made: Map, instructions: list[Any]) -> None:
        self.dims = made.dims
        self.size = made.size
        self.instructions = instructions
        row = TABLE[made.op]
        rule = row.derivatives[made.rule or 0]
        formula = python_function(rule, ("y", *row.operands), _OnTerms(self))
        found = formula(*[_Term(self, view) for view in made.operands])
        whole = isinstance(found, _Term) and found.made
        self.block = found.view.block if whole else self.sum((1.0, found)).view.block

    def sum(self, *terms: tuple[float, Any]) -> _Term:
        """The sum of terms, each with a sign: a term, a number, or two factors."""
        parts = []
        for scale, factors in terms:
            views = []
            for factor in factors if isinstance(factors, tuple) else (factors,):
                if isinstance(factor, _Term):
                    views.append(factor.view)
                else:
                    scale *= factor
            parts.append((None, Part(scale, self.dims, len(self.dims), views)))
        return self._made(Sum(self.size, parts))

    def map(self, op: str, *operands: Any) -> _Term:
        """An op of the table."""
        views = [x.view if isinstance(x, _Term) else self._number(x) for x in operands]
        return self._made(Map(op, None, self.dims, views))

    def _number(self, number: float) -> View:
        self.instructions.append(Sum(1, [(None, Part(float(number), (1,), 1, []))]))
        return View(len(self.instructions) - 1, 0, (0,) * len(self.dims))

    def _made(self, instruction: Any) -> _Term:
        self.instructions.append(instruction)
        view = View(len(self.instructions) - 1, 0, contiguous(self.dims))
        return _Term(self, view, made=True)


class _Term:
    """What a name or a part of a formula stands for: a view of a block."""

    def __init__(self, formula: _Formula, view: View, made: bool = False) -> None:
        self.formula = formula
        self.view = view
        self.made = made

    def __add__(self, other: Any) -> _Term:
        return self.formula.sum((1.0, self), (1.0, other))

    def __radd__(self, other: Any) -> _Term:
        return self.formula.sum((1.0, other), (1.0, self))

    def __sub__(self, other: Any) -> _Term:
        return self.formula.sum((1.0, self), (-1.0, other))

    def __rsub__(self, other: Any) -> _Term:
        return self.formula.sum((1.0, other), (-1.0, self))

    def __mul__(self, other: Any) -> _Term:
        return self.formula.sum((1.0, (self, other)))

    __rmul__ = __mul__

    def __neg__(self) -> _Term:
        return self.formula.sum((-1.0, self))

    def __truediv__(self, other: Any) -> _Term:
        return self.formula.map("div", self, other)

    def __rtruediv__(self, other: Any) -> _Term:
        return self.formula.map("div", other, self)

    def __pow__(self, other: Any) -> _Term:
        return self.formula.map("pow", self, other)

    def __lt__(self, other: Any) -> _Term:
        return self.formula.map("less", self, other)

    def __le__(self, other: Any) -> _Term:
        return self.formula.map("less_equal", self, other)

    def __gt__(self, other: Any) -> _Term:
        return self.formula.map("less", other, self)

    def __ge__(self, other: Any) -> _Term:
        return self.formula.map("less_equal", other, self)


class _OnTerms(OnValues):
    """Formulas of terms: the functions are ops."""

    def __init__(self, formula: _Formula) -> None:
        self.formula = formula

    def function(self, name: str) -> Callable[..., _Term]:
        return lambda *operands: self.formula.map(name, *operands)
