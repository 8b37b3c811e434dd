"""A value that remembers how it was made, and backpropagation through what it remembers.

A `Value` holds one number. An operator on values makes a new value, which keeps its operands
and, for each of them, the local derivative: how fast the result moves when that operand does.
`backward()` walks from a result to the leaves and multiplies and adds these: the chain rule.

The ops written out here are the lecture's own; all others come from the table in ops.py.
"""

from __future__ import annotations

import _thread
import math

from chainrule.errors import ComparisonError, ConstantError, CustomOpError
from chainrule.floats import as_number, divide, exp, is_number, log, power

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing takes longer to import than the rest of the package
    from collections.abc import Callable, Sequence
    from typing import Any

# The ops by number: those of this file, then the others as the table registers them.
NAMES = ["", "constant", "add", "sub", "mul", "div", "pow", "neg", "exp", "log", "tanh", "relu"]
LEAF, CONSTANT, ADD, SUB, MUL, DIV, POW, NEG, EXP, LOG, TANH, RELU = range(12)

# A row that selects passes nothing to an operand that was not chosen, even if the gradient
# from above is inf or nan; elsewhere 0 * inf is nan, and the nan is passed on.
SELECTS = [op == RELU for op in range(12)]

_lock = _thread.RLock()  # one walk over a graph at a time: walks mark values and add to gradients
_walks = 0  # how many there have been; the number of the newest is its mark
_hook: Any = None  # what is shown new values and asked for numbers, while a mode is open
_constants: dict[float | str, Value] = {}
_MANY_CONSTANTS = 1024


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

    __slots__ = ("_a", "_b", "_code", "_da", "_data", "_db", "_grad", "_mark", "_rare")

    # NumPy scalars leave the arithmetic to us; arrays of any dimension do it elementwise.
    __array_priority__ = -1.0

    if TYPE_CHECKING:  # the methods that the table installs

        def __getattr__(self, name: str) -> Callable[..., Value]: ...

    def __init__(self, data: Any, label: str = "", _op: str = "") -> None:
        if _op or not isinstance(label, str):
            raise CustomOpError("no derivatives are known: define the op with @chainrule.op")
        self._data = as_number(data)
        self._grad = 0.0
        self._code = LEAF
        self._mark = 0
        self._a: Value | None = None
        self._da = 0.0
        self._b: Value | None = None
        self._db = 0.0
        self._rare = Rare(label) if label else None

    # ---- the lecture's ops: the value, then each operand with its local derivative ----

    def __add__(self, other: Any) -> Value:
        b = _operand(other)
        if b is None:
            return NotImplemented
        return _inner(ADD, self._data + b._data, self, 1.0, b, 1.0)

    def __sub__(self, other: Any) -> Value:
        b = _operand(other)
        if b is None:
            return NotImplemented
        return _inner(SUB, self._data - b._data, self, 1.0, b, -1.0)

    def __mul__(self, other: Any) -> Value:
        b = _operand(other)
        if b is None:
            return NotImplemented
        return _inner(MUL, self._data * b._data, self, b._data, b, self._data)

    def __truediv__(self, other: Any) -> Value:
        b = _operand(other)
        if b is None:
            return NotImplemented
        y = divide(self._data, b._data)
        return _inner(DIV, y, self, divide(1.0, b._data), b, -divide(y, b._data))

    def __pow__(self, other: Any) -> Value:
        b = _operand(other)
        if b is None:
            return NotImplemented
        x = self._data
        p = b._data
        y = power(x, p)
        dx = 0.0 if p == 0.0 else p * power(x, p - 1.0)
        dp = 0.0 if b._code == CONSTANT or (x == 0.0 and p >= 0.0) else y * log(x)
        return _inner(POW, y, self, dx, b, dp)

    def __neg__(self) -> Value:
        return _inner(NEG, -self._data, self, -1.0, None, 0.0)

    def exp(self) -> Value:
        y = exp(self._data)
        return _inner(EXP, y, self, y, None, 0.0)

    def log(self) -> Value:
        return _inner(LOG, log(self._data), self, divide(1.0, self._data), None, 0.0)

    def tanh(self) -> Value:
        y = math.tanh(self._data)
        return _inner(TANH, y, self, 1.0 - y * y, None, 0.0)

    def relu(self) -> Value:
        x = self._data
        y = 0.0 if x < 0.0 else x
        return _inner(RELU, y, self, 0.0 if x <= 0.0 else 1.0, None, 0.0)

    def __abs__(self) -> Value:
        return self.abs()

    # ---- a number on the left ----

    def __radd__(self, other: Any) -> Value:
        return constant(as_number(other)) + self if is_number(other) else NotImplemented

    def __rsub__(self, other: Any) -> Value:
        return constant(as_number(other)) - self if is_number(other) else NotImplemented

    def __rmul__(self, other: Any) -> Value:
        return constant(as_number(other)) * self if is_number(other) else NotImplemented

    def __rtruediv__(self, other: Any) -> Value:
        return constant(as_number(other)) / self if is_number(other) else NotImplemented

    def __rpow__(self, other: Any) -> Value:
        return constant(as_number(other)) ** self if is_number(other) else NotImplemented

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
        self._refuse_constant()
        with _lock:
            order = _operands_first(self)
            for value in order:
                if value._a is not None:
                    value._grad = 0.0
            self._grad += as_number(gradient)
            _pass_on(order)
        if _hook is not None:
            _hook.passed(order)

    # ---- what a value is, for people and for the rest of the package to read ----

    @property
    def data(self) -> float:
        """The number; assigning it leaves values that were computed from it as they are."""
        return self._data if _hook is None else _hook.read(self)

    @data.setter
    def data(self, number: Any) -> None:
        self._refuse_constant()
        self._data = as_number(number)

    @property
    def grad(self) -> float:
        """The derivative that `backward()` found, 0.0 before."""
        return self._grad

    @grad.setter
    def grad(self, number: Any) -> None:
        self._refuse_constant()
        self._grad = as_number(number)

    @property
    def label(self) -> str:
        """The name given by the user, or nothing."""
        return "" if self._rare is None else self._rare.label

    @label.setter
    def label(self, label: str) -> None:
        if self._rare is None:
            self._rare = Rare(label)
        self._rare.label = label

    @property
    def op(self) -> str:
        """The name of the op that made this value: "" for a leaf, "constant" for a number."""
        return NAMES[self._code]

    @property
    def operands(self) -> tuple[Value, ...]:
        """What the op was applied to, in order; twice the same in `a + a`."""
        few = tuple([operand for operand in (self._a, self._b) if operand is not None])
        return few if self._rare is None else few + self._rare.operands

    @property
    def derivatives(self) -> tuple[float, ...]:
        """The local derivatives, one for each operand, as the forward pass found them."""
        few = (self._da, self._db)[: len(self.operands)]
        return few if self._rare is None else few + self._rare.derivatives

    def __repr__(self) -> str:
        return f"Value(data={self.data}, grad={self.grad})"

    def __format__(self, spec: str) -> str:
        return format(self.data, spec)

    # ---- comparing: by number for order, by identity for equality ----

    def __lt__(self, other: Any) -> bool:
        b = _operand(other)
        return NotImplemented if b is None else self.data < b.data

    def __le__(self, other: Any) -> bool:
        b = _operand(other)
        return NotImplemented if b is None else self.data <= b.data

    def __gt__(self, other: Any) -> bool:
        b = _operand(other)
        return NotImplemented if b is None else self.data > b.data

    def __ge__(self, other: Any) -> bool:
        b = _operand(other)
        return NotImplemented if b is None else self.data >= b.data

    def __eq__(self, other: object) -> bool:
        if type(other) is not Value and is_number(other):
            raise ComparisonError(f"a value was compared with {other!r}: write v.data == {other!r}")
        return self is other

    def __hash__(self) -> int:
        return object.__hash__(self)

    def __bool__(self) -> bool:
        return self.data != 0.0

    def _refuse_constant(self) -> None:
        if self._code == CONSTANT:
            raise ConstantError(
                f"a constant is shared by expressions: write Value({self._data}) instead"
            )


class Rare:
    """What few values have: a label, and operands beyond the second."""

    __slots__ = ("derivatives", "label", "operands")

    def __init__(self, label: str, operands: Any = (), derivatives: Any = ()) -> None:
        self.label = label
        self.operands: tuple[Value, ...] = operands
        self.derivatives: tuple[float, ...] = derivatives


# ---- making values ----


def _inner(
    code: int, data: float, a: Value, da: float, b: Value | None, db: float, more: Any = None
) -> Value:
    """A value computed from operands, each followed by its local derivative."""
    value: Value = Value.__new__(Value)
    value._data = data
    value._grad = 0.0
    value._code = code
    value._mark = 0
    value._a = a
    value._da = da
    value._b = b
    value._db = db
    value._rare = more
    return value if _hook is None else _hook.made(value)


def apply(code: int, local: Callable[..., Sequence[float]], operands: Sequence[Any]) -> Value:
    """The value of a row of the table: `local` gives its number and its local derivatives."""
    values = [x if type(x) is Value else constant(as_number(x)) for x in operands]
    y, *derivatives = local(*[value._data for value in values])
    b, db = (values[1], derivatives[1]) if len(values) > 1 else (None, 0.0)
    more = Rare("", tuple(values[2:]), tuple(derivatives[2:])) if len(values) > 2 else None
    return _inner(code, y, values[0], derivatives[0], b, db, more)


def forget(value: Value) -> None:
    """Make a leaf of a value that was just computed."""
    value._code = LEAF
    value._a = value._b = value._rare = None


def _operand(other: Any) -> Value | None:
    """A value as it is, a number as a constant, None for anything else."""
    if type(other) is Value:
        return other
    return constant(as_number(other)) if is_number(other) else None


def constant(number: float) -> Value:
    """The value of a number in an expression, one for all its uses."""
    key = number or repr(number)  # 0.0 == -0.0, but 1 / 0.0 is not 1 / -0.0
    shared = _constants.get(key)
    if shared is None:
        if len(_constants) >= _MANY_CONSTANTS:
            _constants.clear()
        shared = _constants[key] = Value(number)
        shared._code = CONSTANT
    return shared


# ---- walking the graph ----


def operands_first(output: Value) -> list[Value]:
    """Every value that `output` depends on and itself, each after its operands.

    >>> a = Value(2.0)
    >>> [value.op for value in operands_first((a * a).exp())]
    ['', 'mul', 'exp']
    """
    with _lock:
        return _operands_first(output)


def _operands_first(output: Value) -> list[Value]:
    """A topological order by depth-first search, with a stack in place of recursion."""
    global _walks
    _walks += 1
    order: list[Value] = []
    stack: list[Any] = [output]
    while stack:
        value = stack.pop()
        if value is None:  # the operands of the value below it are in the order by now
            order.append(stack.pop())
        elif value._mark != _walks:
            value._mark = _walks
            if value._a is None:
                order.append(value)
                continue
            stack += (value, None)
            if value._rare is not None:
                stack += reversed(value._rare.operands)
            if value._b is not None:
                stack.append(value._b)
            stack.append(value._a)
    return order


def _pass_on(order: list[Value]) -> None:
    """The chain rule, newest value first: its gradient is complete before it is passed on."""
    for value in reversed(order):
        if value._a is not None:
            _accumulate(value._a, value._da, value)
        if value._b is not None:
            _accumulate(value._b, value._db, value)
        if value._rare is not None:
            for operand, derivative in zip(value._rare.operands, value._rare.derivatives):
                _accumulate(operand, derivative, value)


def _accumulate(operand: Value, derivative: float, value: Value) -> None:
    """An operand's share: += and not =, since the operand may have other uses."""
    if operand._code != CONSTANT and (derivative != 0.0 or not SELECTS[value._code]):
        operand._grad += derivative * value._grad


# ---- what the rest of the package adds to the engine ----


def install(name: str, method: Any) -> None:
    """Give all values a method or property."""
    setattr(Value, name, method)


def show_to(hook: Any) -> None:
    """Show every new value, and ask for every number read, at `hook`; None is nobody."""
    global _hook
    _hook = hook
