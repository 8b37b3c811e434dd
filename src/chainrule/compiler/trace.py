"""Tracing: a function is run once on numbers that remember what is done to them.

The run is the engine's own, on real values; what it makes is recorded in the order of its making,
and read as a scalar graph. The elements of the arguments are *data*: they take part in expressions
as numbers do, and what depends on a parameter only by way of data has no gradient. Whatever would
have Python decide by data is either a guard, which must hold again at the next call, or refused.
"""

from __future__ import annotations

import math
import operator
import sys

from chainrule import engine, flat, floats, modes
from chainrule.compiler.graph import Graph
from chainrule.engine import Value
from chainrule.errors import NumberError, TraceError, user_line
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any


class Trace(modes.Mode):
    """Within it, the thread's expressions are recorded.

    Attributes:
        data: the leaves of the arguments' elements, in order.
        arguments: the leaves that stand for values among the arguments.
        guards: what was decided by data: a value, the number it had, and the line.
        bounds: the ids of data that are indices of lookups, each with the number of rows.
        exact: the ids of whole numbers that are guarded to be so small that floats are exact.
        refusal: the first thing that was refused, even if the function caught the error.

    >>> weight = Value(3.0)
    >>> with Trace() as trace:
    ...     x = trace.datum(2.0)
    ...     y = weight * (x + 1)
    >>> graph, values = trace.graph([[y]])
    >>> print(graph)
    %0 = datum
    %1 = 1.0
    %2 = add(%0, %1)
    %3 = leaf
    %4 = mul(%3, %2)
    return %4
    >>> values[3] is weight
    True
    """

    traces = True

    def __init__(self) -> None:
        self.data: list[Value] = []
        self.arguments: list[Value] = []
        self.guards: list[tuple[Value, float, str]] = []
        self.bounds: set[tuple[int, int]] = set()
        self.exact: set[int] = set()
        self.refusal: TraceError | None = None
        self._made: list[Value] = []
        self._bound: dict[int, Value] = {}  # by the id of a leaf made of data: that data
        self._fresh: dict[int, Value] = {}  # by its id, a leaf that was made inside
        self._guarded: set[int] = set()

    def datum(self, number: Any, kind: Any = float) -> Datum:
        """A number of the arguments, of the type that the function would be given."""
        self.data.append(self._given(number))
        return Datum(self, self.data[-1], kind)

    def argument(self, value: Value, known: bool) -> Value:
        """A leaf that stands for a value among the arguments.

        One that is known to the function otherwise stands for itself, since `is` tells.
        """
        self.arguments.append(value if known else self._given(value._data))
        return self.arguments[-1]

    def _given(self, number: Any) -> Value:
        leaf = Value(number)
        self._fresh.pop(id(leaf), None)
        return leaf

    def recorded(self) -> set[int]:
        """The ids of all values that were made inside."""
        return {*map(id, self._made), *self._fresh}

    def guard(self, truth: Value) -> bool:
        """What a comparison says; at later calls it must say the same."""
        if id(truth) not in self._guarded:
            self._guarded.add(id(truth))
            self.guards.append((truth, truth._data, user_line()))
        return truth._data != 0.0

    def refuse(self, message: str) -> TraceError:
        """The error to raise. Should the function catch it, it is raised at the end."""
        self.refusal = self.refusal or TraceError(message)
        return self.refusal

    # ---- what the engine shows ----

    def made(self, value: Value) -> None:
        self._made.append(value)

    def leaf(self, value: Value, data: Any) -> Any:
        self._fresh[id(value)] = value
        if type(data) is not Datum:
            return data
        self._bound[id(value)] = data.value
        return data.value._data

    def entering(self, x: Any) -> Any:
        return x.value if type(x) is Datum else x

    def read(self, value: Value, what: str, found: Any) -> Any:
        if value.op == "constant":
            return found
        if what != "data":
            raise self.refuse(
                f"the {what} of a value was asked for at {user_line()}: it is known after "
                "backward(), outside of the function that is compiled"
            )
        return Datum(self, TABLE["stop_gradient"](value), float)

    def assigned(self, what: str, number: Any) -> Any:  # noqa: ARG002 - it is refused
        done = "backward() was called" if what == "backward" else f"{what} was assigned"
        raise self.refuse(
            f"{done} at {user_line()}, inside a function that is compiled: a program would do so "
            "only once; do it outside, with what the function returns"
        )

    # ---- the graph ----

    def graph(self, outputs: Sequence[Sequence[Value]]) -> tuple[Graph, list[Value]]:
        """What was recorded, as a graph in the order of its making, and the value of each node.

        Args:
            outputs: groups of values that are asked for.
        """
        nodes = _Nodes(self._bound, self._fresh)
        for value in self.data:
            nodes.add(value, "datum")
        flat.add_nodes(self._made, nodes.places, nodes.enter, nodes.graph, nodes.values)
        for group in outputs:
            nodes.graph.outputs.append([nodes.place(value) for value in group])
        return nodes.graph, nodes.values


class _Nodes:
    """A graph that grows, with the value of each node and the place of each value."""

    def __init__(self, bound: dict[int, Value], fresh: dict[int, Value]) -> None:
        self.graph = Graph([], [], [], [])
        self.values: list[Value] = []
        self.places: dict[int, int] = {}
        self._bound = bound
        self._fresh = fresh

    def add(self, value: Value, op: str) -> int:
        """A node without operands."""
        place = self.places[id(value)] = len(self.values)
        self.values.append(value)
        self.graph.ops.append(op)
        self.graph.operands.append(())
        self.graph.numbers.append(value._data)
        return place

    def enter(self, value: Value) -> int:
        """The node of a value that no op made while the trace was open."""
        if id(value) in self._bound:
            return self.place(self._bound[id(value)])
        stays = value.op == "constant" or id(value) in self._fresh
        return self.add(value, "constant" if stays else "")

    def place(self, value: Value) -> int:
        """The number of the node of a value."""
        found = self.places.get(id(value))
        return self.enter(value) if found is None else found


class Datum:
    """A number of the arguments of a function that is being traced.

    Arithmetic and comparisons with it are recorded. Deciding by it, as `if` does, and using it as
    an index or key, is a guard; so is what else has to hold for Python or NumPy to give the same
    numbers at later calls. What would take its number away is refused.

    Attributes:
        value: what it is in the graph.
        kind: the type that it stands for, which `isinstance` sees: Python's float, int or bool, or
            NumPy's float64 or int64.
    """

    __slots__ = ("kind", "trace", "value")
    __array_priority__ = -1.0  # an array does the arithmetic elementwise

    def __init__(self, trace: Trace, value: Value, kind: Any) -> None:
        self.trace = trace
        self.value = value
        self.kind = kind

    @property  # type: ignore[misc]
    def __class__(self) -> Any:
        return self.kind

    @property
    def whole(self) -> bool:
        """Whether it is a whole number, which can be an index."""
        return self.kind.__name__ not in ("float", "float64")

    def applied(self, op: Callable[..., Any], operands: Sequence[Any]) -> Any:
        """An op of data and numbers, which is data again; with a value it is a value."""
        entered = [x.value if type(x) is Datum else x for x in operands]
        made = op(*entered)
        if any(type(x) is Value for x in operands):
            return made
        data = [x for x in operands if type(x) is Datum]
        return Datum(self.trace, made, _kind(False, all(map(_is_pythons, data))))

    def _with(self, name: str, a: Any, b: Any) -> Any:
        """An op of two operands, of which this is one."""
        other = b if a is self else a
        if not isinstance(other, Datum | Value | float | int):
            return self._refuse_number(other)
        made = self.applied(TABLE[name], (a, b))
        if type(made) is Datum and name in _KEEP_WHOLE and _is_whole(a) and _is_whole(b):
            made._make_whole(a, b)
        return made

    def _refuse_number(self, other: Any) -> Any:
        """Leave it to the other operand, which is no number, or a whole one of NumPy."""
        if floats.is_number(other) and not _is_numpys_whole(other):
            raise self.trace.refuse(
                f"a {type(other).__name__} meets traced data at {user_line()}, in arithmetic "
                "that is not that of floats: make it a float"
            )
        return NotImplemented

    def _make_whole(self, *operands: Any) -> None:
        """Note that this is a whole number, as its operands are."""
        self.kind = _kind(True, _is_pythons(self))
        for x in (*operands, self):
            if type(x) is Datum:
                x.guard_exact()

    def guard_exact(self) -> None:
        """Python's whole numbers have no bounds; a program's are floats."""
        known = self.value.op in _COMPARISONS or id(self.value) in self.trace.exact
        self.trace.exact.add(id(self.value))
        if self.whole and not known and not abs(self) < _EXACT:
            raise self.trace.refuse(
                f"a whole number at {user_line()} is too large to be exact in a program, from "
                "2**53 on: compute it outside"
            )

    def __add__(self, other: Any) -> Any:
        return self._with("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return self._with("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return self._with("sub", self, other)

    def __rsub__(self, other: Any) -> Any:
        return self._with("sub", other, self)

    def __mul__(self, other: Any) -> Any:
        return self._with("mul", self, other)

    def __rmul__(self, other: Any) -> Any:
        return self._with("mul", other, self)

    def __truediv__(self, other: Any) -> Any:
        _refuse_zero(self, other)
        return self._with("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        _refuse_zero(other, self)
        return self._with("div", other, self)

    def __pow__(self, other: Any) -> Any:
        return self._power(self, other)

    def __rpow__(self, other: Any) -> Any:
        return self._power(other, self)

    def _power(self, base: Any, exponent: Any) -> Any:
        made = self._with("pow", base, exponent)
        if type(made) is Datum:
            if _is_whole(base) and _is_whole(exponent) and exponent >= 0:
                made._make_whole(base, exponent)
            elif _is_pythons(made) and not _is_finite(made):
                _refuse_power(base, exponent)
        return made

    def __neg__(self) -> Any:
        return Datum(self.trace, -self.value, _kind(self.whole, _is_pythons(self)))

    def __pos__(self) -> Datum:
        return self

    def __abs__(self) -> Any:
        return Datum(self.trace, abs(self.value), _kind(self.whole, _is_pythons(self)))

    def __getattr__(self, name: str) -> Any:
        if name in TABLE:
            return lambda *others: TABLE[name](self, *others)
        if hasattr(self.kind, name) and not name.startswith("_") and name != "dtype":
            raise self.trace.refuse(f"`.{name}` of traced data was asked for at {user_line()}")
        raise AttributeError(f"traced data has no attribute {name!r}")

    # ---- comparing gives data; deciding by it is a guard ----

    def __lt__(self, other: Any) -> Any:
        return self._compared("less", self, other)

    def __le__(self, other: Any) -> Any:
        return self._compared("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return self._compared("less", other, self)

    def __ge__(self, other: Any) -> Any:
        return self._compared("less_equal", other, self)

    def __eq__(self, other: object) -> Any:
        return NotImplemented if type(other) is Value else self._compared("equal", self, other)

    def __ne__(self, other: object) -> Any:
        same = self == other
        return same if same is NotImplemented else 1 - same

    def _compared(self, name: str, a: Any, b: Any) -> Any:
        a, b = (int(x) if _is_numpys_whole(x) else x for x in (a, b))
        truth = self._with(name, a, b)
        if truth is NotImplemented:
            return truth
        for x, other in ((a, b), (b, a)):
            if type(x) is Datum and not (_is_number(other) and abs(other) <= _EXACT):
                x.guard_exact()
        value = truth if type(truth) is Value else truth.value  # its derivatives are 0
        return Datum(self.trace, value, bool)

    def __bool__(self) -> bool:
        if self.value.op in _COMPARISONS:
            return self.trace.guard(self.value)
        return not self.trace.guard(TABLE["equal"](self.value, 0.0))

    def __hash__(self) -> int:
        return hash(self._guarded_number())

    def __index__(self) -> int:
        if not self.whole:
            raise self.trace.refuse(
                f"the number of traced data was asked for at {user_line()}, by float(), int(), "
                "round() or a function of math: a program would keep this one for ever. Write "
                "chainrule.exp(x) or the like, compute it outside, and compare by maximum or where"
            )
        return int(self._guarded_number())

    def _guarded_number(self) -> float:
        """The number, which must be the same at later calls."""
        number = self.value._data
        if not abs(number) < _EXACT:
            self.guard_exact()
        if not self.trace.guard(TABLE["equal"](self.value, number)):
            raise self.trace.refuse(
                f"nan was used as a key at {user_line()}: it is not equal to itself"
            )
        return int(number) if self.whole else number

    def __round__(self, digits: int | None = None) -> Any:
        return round(operator.index(self), digits)

    def __floor__(self) -> int:
        return operator.index(self)

    __ceil__ = __trunc__ = __floor__

    def __floordiv__(self, other: Any) -> Any:
        return operator.index(self) // other

    def __rfloordiv__(self, other: Any) -> Any:
        return other // operator.index(self)

    def __mod__(self, other: Any) -> Any:
        return operator.index(self) % other

    def __rmod__(self, other: Any) -> Any:
        return other % operator.index(self)

    def __copy__(self) -> Datum:
        return self

    def __deepcopy__(self, memo: Any) -> Datum:
        return self

    def __repr__(self) -> str:
        if modes.is_tracing():
            return self.__format__("")
        return f"<data, then {self.value._data}>"

    def __format__(self, spec: str) -> str:
        raise self.trace.refuse(
            f"traced data was made a text at {user_line()}: a program has none; give numbers back "
            "as results, and make the text of them outside"
        )


_EXACT = 2**53  # below, every whole number is a float64, and none that is not is rounded to it
_KEEP_WHOLE = ("add", "sub", "mul")
_COMPARISONS = ("less", "less_equal", "equal")


# ---- what Python and NumPy would do ----


def _kind(whole: bool, pythons: bool) -> Any:
    """The type of a number."""
    if pythons:
        return int if whole else float
    numpy = sys.modules["numpy"]
    return numpy.int64 if whole else numpy.float64


def _is_pythons(x: Any) -> bool:
    """Whether Python's own rules hold for a number, which raise where NumPy's and a value's do not.

    The result of two numbers is NumPy's if one of them is.
    """
    return (x.kind if type(x) is Datum else type(x)) in (bool, int, float)


def _is_numpys_whole(x: Any) -> bool:
    kind = getattr(getattr(x, "dtype", None), "kind", "")
    return type(x) is not Datum and kind in ("b", "i", "u") and floats.is_number(x)


def _is_number(x: Any) -> bool:
    return type(x) is not Datum and type(x) is not Value


def _is_whole(x: Any) -> bool:
    return x.whole if type(x) is Datum else isinstance(x, int)


def _is_finite(x: Any) -> bool:
    return bool(abs(x) < math.inf)  # a guard, if it is data


def _refuse_zero(dividend: Any, divisor: Any) -> None:
    if _is_pythons(dividend) and _is_pythons(divisor) and divisor == 0:
        operator.truediv(1.0, 0.0)  # raises what Python raises


def _refuse_power(base: Any, exponent: Any) -> None:
    """Raise what Python raises where the power of finite numbers is not a finite number."""
    if _is_finite(base) and _is_finite(exponent):
        numbers = [x.value._data if type(x) is Datum else float(x) for x in (base, exponent)]
        operator.pow(*numbers)
        raise NumberError("the power of a negative number is a complex one")


# ---- choosing by data ----


class lookup:  # noqa: N801 - it is called like a function
    """Rows to be chosen by an index that is data, without a guard for each index.

    Args:
        rows: values or numbers, or lists of them that are all alike.

    Outside of a function that is compiled `lookup(rows)[i]` is `rows[i]`. A program that finds an
    index below 0, or too large, has the function itself run instead.

    >>> lookup([[1.0, 2.0], [3.0, 4.0]])[1]
    [3.0, 4.0]
    """

    def __init__(self, rows: Sequence[Any]) -> None:
        self._rows = rows

    def __getitem__(self, index: Any) -> Any:
        if type(index) is not Datum:
            return self._rows[index]
        rows = list(self._rows)
        if not index.whole:
            raise index.trace.refuse(f"the index of a lookup at {user_line()} is no whole number")
        number = index.value._data
        if not 0 <= number < len(rows):  # not what a program can do at every call
            return rows[operator.index(index)]
        if index.value.op:
            bool(index >= 0) and bool(index < len(rows))
        else:
            index.trace.bounds.add((id(index.value), len(rows)))
        return _chosen(index, rows)


def _chosen(index: Datum, rows: Sequence[Any]) -> Any:
    """The row of that index; of rows that are lists, the list of what is chosen at each place."""
    if isinstance(rows[0], (list, tuple)):
        if len({len(row) for row in rows}) > 1:
            message = f"rows of one length are needed for a lookup at {user_line()}"
            raise index.trace.refuse(message)
        return [_chosen(index, column) for column in zip(*rows)]
    operands = [index.value, *[x.value if type(x) is Datum else x for x in rows]]
    made = engine.apply(_LOOKUP, _row_chosen, operands)
    if any(type(x) is Value for x in rows):
        return made
    whole = all(getattr(x, "whole", isinstance(x, int)) for x in rows)
    return Datum(index.trace, made, _kind(whole, True))


def _row_chosen(index: float, *rows: float) -> tuple[float, ...]:
    """The number of the row, and the derivatives by the index and by each row."""
    chosen = int(index)
    return (rows[chosen], 0.0, *[float(k == chosen) for k in range(len(rows))])


_LOOKUP = engine.register("lookup", selects=True)
