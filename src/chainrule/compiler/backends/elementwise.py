"""Formulas on arrays: trees become NumPy calls, the last argument of each being its result."""

from __future__ import annotations

import math

import numpy as np

from chainrule.compiler.backends.formulas import (
    CONDITIONS,
    ON_FLOATS,
    called,
    function_on_floats,
    number,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chainrule.compiler.backends.arrays import Arrays
    from chainrule.compiler.backends.formulas import Tree

_UFUNCS = {name: name for name in ON_FLOATS if hasattr(np, name)}
_UFUNCS |= {"abs": "absolute", "asin": "arcsin", "acos": "arccos", "atan": "arctan"}
_UFUNCS |= {"atan2": "arctan2"}
_MANY = 128  # elements from which it pays to choose by bits
_KEYWORD = ("maximum", "minimum")  # a third argument of theirs is to mean something else one day


class Elementwise:
    """Writes the lines of one formula.

    Args:
        arrays: where arrays have their names.
        dims: those of the result and of every name in the formula.

    >>> from chainrule.compiler.backends.arrays import Arrays
    >>> from chainrule.compiler.program import Data, Leaves, Numbers, Program
    >>> arrays = Arrays(Program([Leaves(4), Numbers([]), Data(0)], [0]))
    >>> write = Elementwise(arrays, (4,))
    >>> write.into("b3", ("add", ("name", "b0"), ("exp", ("name", "b0"))))
    >>> write.lines
    ['exp(b0, t1_4)', 'add(b0, t1_4, b3)']
    """

    def __init__(self, arrays: Arrays, dims: Sequence[int]) -> None:
        self.arrays = arrays
        self.dims = dims
        self.lines: list[str] = []
        self._found: dict[Tree, str] = {}

    def into(self, out: str, tree: Tree) -> None:
        """Write what computes a tree into an array."""
        kind, *operands = tree
        if kind == "number":
            self.lines.append(f"{out}.fill({tree[1]})")
        elif kind == "name":
            if tree[1] != out:
                self._call("copyto", [out], str(tree[1]))
        elif kind == "where":
            self._where(out, *operands)
        elif kind == "power" and operands[1] == number(0.5):
            self._root(out, operands[0])
        elif kind == "sign":
            self._sign(out, self._operand(operands[0]))
        elif kind in _UFUNCS:
            self._call(_UFUNCS[kind], [self._operand(x) for x in operands], out)
        else:
            self._on_floats(out, tree)

    def _operand(self, tree: Tree) -> str:
        """The name of the array of a tree; the same tree is computed once."""
        if tree[0] == "name":
            return str(tree[1])
        if tree[0] == "number":
            return self.arrays.number(tree[1])
        if tree not in self._found:
            out = self.arrays.spare(self.dims, "bool" if tree[0] in CONDITIONS else "float64")
            self.into(out, tree)
            self._found[tree] = out
        return self._found[tree]

    def _call(self, function: str, operands: Sequence[str], out: str) -> None:
        last = f"out={out}" if function in _KEYWORD else out
        self.lines.append(self.arrays.call(function, *operands, last))

    def _where(self, out: str, condition: Tree, chosen: Tree, other: Tree) -> None:
        greatest = _extreme(condition, chosen, other)
        if greatest:
            self._call(greatest[0], [self._operand(x) for x in greatest[1:]], out)
            return
        if condition[0] not in CONDITIONS:
            condition = ("not_equal", condition, number(0.0))  # nan counts as true
        mask = self._mask(condition)
        if math.prod(self.dims) >= _MANY:
            self._by_bits(out, mask, chosen, other)
            return
        if chosen == ("name", out):  # it is there already, and would be overwritten
            self._call("logical_not", [mask], mask)
            del self._found[condition]
            chosen, other = other, chosen
        value = self._operand(chosen)
        self.into(out, other)
        self._call("putmask", [out, mask], value)

    def _by_bits(self, out: str, mask: str, chosen: Tree, other: Tree) -> None:
        """Choose without a branch for each element, which the processor would guess wrong."""
        a, b = (self.arrays.bits(self._operand(tree)) for tree in (chosen, other))
        bits = self.arrays.spare(self.dims, "int64")
        result = self.arrays.bits(out)
        if chosen == number(0.0):
            self._call("subtract", [mask, self.arrays.whole(1)], bits)  # all bits where it fails
            self._call("bitwise_and", [b, bits], result)
            return
        self._call("subtract", [self.arrays.whole(0), mask], bits)  # all bits where it holds
        if other == number(0.0):
            self._call("bitwise_and", [a, bits], result)
            return
        changes = self.arrays.spare(self.dims, "int64")
        self._call("bitwise_xor", [a, b], changes)
        self._call("bitwise_and", [changes, bits], changes)
        self._call("bitwise_xor", [b, changes], result)

    def _mask(self, condition: Tree) -> str:
        if condition not in self._found:
            out = self.arrays.spare(self.dims, "bool")
            self._call(condition[0], [self._operand(x) for x in condition[1:]], out)
            self._found[condition] = out
        return self._found[condition]

    def _root(self, out: str, base: Tree) -> None:
        """x ** 0.5, for which NumPy takes the root even where x is -0.0 or -inf."""
        root = ("sqrt", ("add", base, number(0.0)))
        self._where(out, ("equal", base, number(-math.inf)), number(math.inf), root)

    def _sign(self, out: str, operand: str) -> None:
        """NumPy's sign of nan is nan, the table's 0."""
        mask = self.arrays.spare(self.dims, "bool")
        self._call("isnan", [operand], mask)
        self._call("sign", [operand], out)
        self._call("putmask", [out, mask], self.arrays.number("0.0"))

    def _on_floats(self, out: str, tree: Tree) -> None:
        """A function that NumPy does not have is applied to one element after the other."""
        name = called(tree)
        self.arrays.known[name] = function_on_floats(tree)
        operands = [self._full(x) for x in tree[1:] if isinstance(x, tuple)]
        lists = ", ".join(f"{x}.ravel().tolist()" for x in operands)
        self.lines.append(f"{out}.flat = list(map({name}, {lists}))")

    def _full(self, tree: Tree) -> str:
        """The name of the array of a tree, which has all the dims even if it is one number."""
        if tree[0] != "number":
            return self._operand(tree)
        out = self.arrays.spare(self.dims)
        self.into(out, tree)
        return out


def _extreme(condition: Tree, chosen: Tree, other: Tree) -> Any:
    """The `maximum` or `minimum` that a choice amounts to, up to the sign of a zero; else None.

    Both are nan where an operand is: so is a choice that ends in the sum of the two, and one
    whose `chosen` is a number.
    """
    if condition[0] not in ("less", "greater") or condition[2] != chosen:
        return None
    a, b = condition[1:]
    turned = "greater_equal" if condition[0] == "less" else "less_equal"
    both = ("where", (turned, a, b), a, ("add", a, b))
    if other == both or (other == a and b[0] == "number" and b[1] != "nan"):
        return ("maximum" if condition[0] == "less" else "minimum", a, b)
    return None
