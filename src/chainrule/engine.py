"""A value that remembers how it was made, and backpropagation through what it remembers.

A `Value` holds one number. An operator on values makes a new value, which keeps its operands
and, for each of them, the local derivative: how fast the result moves when that operand does.
`backward()` walks from a result to the leaves and multiplies and adds these: the chain rule.

The ops written out here are the lecture's own; all others come from the table in ops.py.
"""

from __future__ import annotations

import _thread
import math

from chainrule import floats
from chainrule.errors import ArgumentError, ComparisonError, ConstantError, CustomOpError

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than the rest of the package
    from collections.abc import Callable, Sequence
    from typing import Any

    Rare = tuple[str, tuple["Value", ...], tuple[float, ...]]

# The ops by number: those of this file, then the others as the table registers them. An op from
# SELECTS up passes nothing to an operand with a derivative of 0, even if the gradient from above
# is inf or nan: it was not chosen. Elsewhere 0 * inf is nan, and the nan is passed on.
LEAF, CONSTANT, ADD, SUB, MUL, DIV, POW, NEG, EXP, LOG, TANH = range(11)
SELECTS = RELU = 1000
NAMES = {LEAF: "", CONSTANT: "constant", ADD: "add", SUB: "sub", MUL: "mul", DIV: "div"}
NAMES |= {POW: "pow", NEG: "neg", EXP: "exp", LOG: "log", TANH: "tanh", RELU: "relu"}
PLAIN: Rare = ("", (), ())  # where _rare is None

_lock = _thread.RLock()  # one walk over a graph at a time: walks mark values and add to gradients
_walks = 0  # how many there have been; the number of the newest is its mark
_hook: Any = None  # what is shown new values and asked for numbers, while a mode is open
_constants: dict[float, Value] = {}


class Value:
    """One number of an expression, which knows how it was made and can tell its gradient.

    Args:
        data: the number, anything real that `float()` takes. It is kept as a float64.
        label: a name for drawings and messages.

    Raises:
        NumberError: `data` is not one real number.

    >>> a = Value(2.0, label="a")
    >>> b = Value(-3.0, label="b")
    >>> c = a * b + 10
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (4.0, -3.0, 2.0)
    """

    __slots__ = ("_a", "_b", "_code", "_da", "_data", "_db", "_grad", "_mark", "_next", "_rare")

    # NumPy scalars leave the arithmetic to us; arrays of any dimension do it elementwise.
    __array_priority__ = -1.0

    def __init__(self, data: Any, label: str = "", _op: str = "") -> None:
        if _op or isinstance(label, tuple):
            raise CustomOpError("no derivatives are known: define the op with @chainrule.op")
        self._data = floats.as_number(data) if _hook is None else _hook.leaf(self, data)
        self._grad = self._da = self._db = 0.0
        self._code, self._mark = LEAF, 0
        self._a: Value | None = None
        self._b: Value | None = None
        # What few have: a label, operands beyond the second, and the derivatives of these.
        self._rare: Rare | None = (floats.as_text(label), (), ()) if label != "" else None
        self._next: Value | None = None

    # ---- the lecture's ops: the value, then each operand with its local derivative ----

    def __add__(self, other: Any) -> Value:
        if (b := _operand(other)) is None:
            return NotImplemented
        return _inner(ADD, self._data + b._data, self, 1.0, b, 1.0)

    def __sub__(self, other: Any) -> Value:
        if (b := _operand(other)) is None:
            return NotImplemented
        return _inner(SUB, self._data - b._data, self, 1.0, b, -1.0)

    def __mul__(self, other: Any) -> Value:
        if (b := _operand(other)) is None:
            return NotImplemented
        return _inner(MUL, self._data * b._data, self, b._data, b, self._data)

    def __truediv__(self, other: Any) -> Value:
        if (b := _operand(other)) is None:
            return NotImplemented
        y = floats.divide(self._data, b._data)
        return _inner(DIV, y, self, floats.divide(1.0, b._data), b, -floats.divide(y, b._data))

    def __pow__(self, other: Any) -> Value:
        if (b := _operand(other)) is None:
            return NotImplemented
        x = self._data
        p = b._data
        y = floats.power(x, p)
        dx = 0.0 if p == 0.0 else p * floats.power(x, p - 1.0)
        dp = 0.0 if b._code == CONSTANT or (x == 0.0 and p >= 0.0) else y * floats.log(x)
        return _inner(POW, y, self, dx, b, dp)

    def __neg__(self) -> Value:
        return _inner(NEG, -self._data, self, -1.0, None, 0.0)

    def exp(self) -> Value:
        y = floats.exp(self._data)
        return _inner(EXP, y, self, y, None, 0.0)

    def log(self) -> Value:
        return _inner(LOG, floats.log(self._data), self, floats.divide(1.0, self._data), None, 0.0)

    def tanh(self) -> Value:
        y = floats.tanh(self._data)
        return _inner(TANH, y, self, 1.0 - y * y, None, 0.0)

    def relu(self) -> Value:
        x = self._data
        y = 0.0 if x < 0.0 else x
        return _inner(RELU, y, self, 0.0 if x <= 0.0 else 1.0, None, 0.0)

    def __abs__(self) -> Value:
        return self.abs()  # type: ignore[attr-defined,no-any-return]

    # ---- a number on the left ----

    def __radd__(self, other: Any) -> Value:
        return NotImplemented if (a := _operand(other)) is None else a + self

    def __rsub__(self, other: Any) -> Value:
        return NotImplemented if (a := _operand(other)) is None else a - self

    def __rmul__(self, other: Any) -> Value:
        return NotImplemented if (a := _operand(other)) is None else a * self

    def __rtruediv__(self, other: Any) -> Value:
        return NotImplemented if (a := _operand(other)) is None else a / self

    def __rpow__(self, other: Any) -> Value:
        return NotImplemented if (a := _operand(other)) is None else a**self

    # ---- backpropagation ----

    def backward(self, gradient: float = 1.0) -> None:
        """Add to each leaf's `grad` the derivative of this value with respect to that leaf.

        Leaves accumulate over calls, until they are set to zero; the gradients of the values in
        between are computed anew by each call. The numbers are those of the forward pass,
        whatever was assigned to `data` since.

        Args:
            gradient: where the chain rule starts: the derivative of something with respect to
                this value, 1 if that something is this value itself.

        >>> a = Value(3.0)
        >>> (a + a).backward()
        >>> a.grad
        2.0
        """
        start = _assignable(self, "backward", gradient)
        with _lock:
            chain = _results_first(self, True)
            self._grad += start
            while chain is not None:
                _pass_on(chain)
                chain._next, chain = None, chain._next  # a link would keep values alive
        if _hook is not None:
            _hook.passed(operands_first(self))

    # ---- what a value is, for people and for the rest of the package to read ----

    @property
    def data(self) -> float:
        """The number; assigning it leaves values that were computed from it as they are."""
        return self._data if _hook is None else _hook.read(self, "data", self._data)

    @data.setter
    def data(self, number: Any) -> None:
        self._data = _assignable(self, "data", number)

    @property
    def grad(self) -> float:
        """The derivative that `backward()` found, 0.0 before."""
        return self._grad if _hook is None else _hook.read(self, "grad", self._grad)

    @grad.setter
    def grad(self, number: Any) -> None:
        self._grad = _assignable(self, "grad", number)

    @property
    def label(self) -> str:
        """The name given by the user, or nothing."""
        return (self._rare or PLAIN)[0]

    @label.setter
    def label(self, label: str) -> None:
        self._rare = (floats.as_text(label), *(self._rare or PLAIN)[1:])

    @property
    def op(self) -> str:
        """The name of the op that made this value: "" for a leaf, "constant" for a number."""
        return NAMES[self._code]

    @property
    def operands(self) -> tuple[Value, ...]:
        """What the op was applied to, in order; twice the same in `a + a`."""
        return tuple([x for x in (self._a, self._b) if x is not None]) + (self._rare or PLAIN)[1]

    @property
    def derivatives(self) -> tuple[float, ...]:
        """The local derivatives, one for each operand, as the forward pass found them."""
        found = (self._da, self._db, *(self._rare or PLAIN)[2])[2 * (self._a is None) :]
        found = found[: len(self.operands)]
        return found if _hook is None else _hook.read(self, "derivatives", found)

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    # ---- comparing: by number for order, by identity for equality ----

    def __lt__(self, other: Any) -> bool:
        return NotImplemented if (b := _operand(other)) is None else self.data < b.data

    def __le__(self, other: Any) -> bool:
        return NotImplemented if (b := _operand(other)) is None else self.data <= b.data

    def __gt__(self, other: Any) -> bool:
        return NotImplemented if (b := _operand(other)) is None else self.data > b.data

    def __ge__(self, other: Any) -> bool:
        return NotImplemented if (b := _operand(other)) is None else self.data >= b.data

    def __eq__(self, other: object) -> bool:
        if type(other) is not Value and floats.is_number(other):
            raise ComparisonError(f"a value was compared with {other!r}: write v.data == {other!r}")
        return self is other if type(other) is Value else NotImplemented

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __bool__(self) -> bool:
        return bool(self.data != 0.0)


def _assignable(value: Value, what: str, number: Any) -> float:
    if value._code == CONSTANT:
        raise ConstantError(f"a constant is shared by expressions: write Value({value._data})")
    return floats.as_number(number) if _hook is None else _hook.assigned(what, number)


if __file__.endswith((".so", ".pyd")):  # the native build
    own_memory(Value)  # type: ignore[name-defined]  # noqa: F821 - of engine.pxd


# ---- making values ----


def _inner(
    code: int, data: float, a: Value | None, da: float, b: Value | None, db: float, more: Any = None
) -> Value:
    """A value computed from operands, each followed by its local derivative."""
    value: Value = Value.__new__(Value)
    value._data = data
    value._grad = 0.0
    value._code, value._mark = code, 0
    value._a, value._da = a, da
    value._b, value._db = b, db
    value._rare = more
    value._next = None
    return value if _hook is None else _hook.made(value)


def apply(code: int, local: Callable[..., tuple[float, ...]], operands: Sequence[Any]) -> Value:
    """The value of a row of the table: `local` gives its number and its local derivatives."""
    values = [x if type(x) is Value else _entering(x) for x in operands]
    found = local(*[value._data for value in values])  # the number, then the derivatives
    if len(values) == 1:
        return _inner(code, found[0], values[0], found[1], None, 0.0)
    more = ("", tuple(values[2:]), found[3:]) if len(values) > 2 else None
    return _inner(code, found[0], values[0], found[1], values[1], found[2], more)


def forget(value: Value) -> None:
    """Make a leaf of a value that was just computed."""
    value._code, value._a, value._b, value._rare = LEAF, None, None, None


def wide(code: int, data: float, operands: tuple[Value, ...], derivatives: Any) -> Value:
    """A value of many operands, whose derivatives are iterated over when they are needed."""
    return _inner(code, data, None, 0.0, None, 0.0, ("", operands, derivatives))


def _entering(x: Any) -> Value:
    return constant(floats.as_number(x)) if _hook is None else _hook.entering(x)


def _operand(other: Any) -> Value | None:
    """A value as it is, a number as a constant, None for anything else."""
    if type(other) is Value:
        return other
    if type(other) is float or type(other) is int:
        return constant(other)
    return constant(floats.as_number(other)) if floats.is_number(other) else None


def constant(number: float) -> Value:
    """The value of a number in an expression, one for all its uses."""
    shared = _constants.get(number)
    if shared is None or math.copysign(1.0, shared._data) != math.copysign(1.0, number):
        if len(_constants) >= 1024:
            _constants.clear()
        shared = _constants[number] = Value(number)
        shared._code = CONSTANT
    return shared


# ---- walking the graph ----


def operands_first(output: Value) -> list[Value]:
    """Every value that `output` depends on and itself, each after its operands.

    >>> a = Value(2.0)
    >>> [value.op for value in operands_first((a * a).exp())]
    ['', 'mul', 'exp']
    """
    if type(output) is not Value:
        raise ArgumentError(f"a graph ends in a value, not in a {type(output).__name__}")
    order: list[Value] = []
    with _lock:
        chain = _results_first(output, False)
        while chain is not None:
            order.append(chain)
            chain._next, chain = None, chain._next  # a link would keep values alive
    return order[::-1]


def _results_first(output: Value, afresh: bool) -> Value | None:
    """Chain all that `output` depends on by `_next`, each value before its operands.

    A topological order by depth-first search, in which the values themselves are the stack: on
    the way down, `_next` leads back to where the walk came from; on the way up, on to the chain.

    Args:
        output: where to start.
        afresh: whether to set gradients to 0; a leaf keeps its own, to add it, in `_da`.
    """
    global _walks
    _walks += 1
    chain = None
    output._mark, output._next = _walks, None
    value: Value | None = output
    while value is not None:
        operand = _unmarked(value)
        if operand is not None:
            operand._mark = _walks
            operand._next, value, operand = value, operand, operand._next
        else:
            if afresh:
                if value._code == LEAF:
                    value._da = value._grad
                value._grad = 0.0
            value._next, chain, value = chain, value, value._next
    return chain


def _unmarked(value: Value) -> Value | None:
    """The first of its operands that this walk has not come to yet."""
    if value._a is not None and value._a._mark != _walks:
        return value._a
    if value._b is not None and value._b._mark != _walks:
        return value._b
    return None if value._rare is None else _unmarked_further(value)


def _unmarked_further(value: Value) -> Value | None:
    for operand in (value._rare or PLAIN)[1]:
        if operand._mark != _walks:
            return operand
    return None


def _pass_on(value: Value) -> None:
    """The chain rule for one op, or the end of it, once its gradient is complete.

    += and not =, since an operand may have other uses.
    """
    gradient = value._grad
    selects = value._code >= SELECTS
    if value._code == LEAF:
        value._grad += value._da  # what earlier passes found
    elif value._a is not None and value._a._code != CONSTANT and (value._da != 0.0 or not selects):
        value._a._grad += value._da * gradient
    if value._b is not None and value._b._code != CONSTANT and (value._db != 0.0 or not selects):
        value._b._grad += value._db * gradient
    if value._rare is not None:
        _pass_on_further(value)


def _pass_on_further(value: Value) -> None:
    for operand, derivative in zip(*(value._rare or PLAIN)[1:]):
        if operand._code != CONSTANT and (derivative != 0.0 or value._code < SELECTS):
            operand._grad += derivative * value._grad


# ---- what the rest of the package adds to the engine ----


def register(name: str, selects: bool) -> int:
    """The number of an op of the table."""
    code = len(NAMES) + SELECTS * selects
    NAMES[code] = name
    return code


def install(name: str, method: Any) -> None:
    """Give all values a method or property."""
    setattr(Value, name, method)


def show_to(hook: Any) -> None:
    """Show every new value, and ask for every number read, at `hook`; None is nobody."""
    global _hook
    _hook = hook
