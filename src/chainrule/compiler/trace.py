"""Tracing: a function is run once on numbers that remember what is done to them.

The run is the engine's own, on real values; what it makes is recorded in the order of its making,
and read as a scalar graph. The elements of the arguments are *data*: they take part in expressions
as numbers do, and what depends on a parameter only by way of data has no gradient. Whatever would
have Python decide by data is either a guard, which must hold again at the next call, or refused.
"""

from __future__ import annotations

import operator

from chainrule import engine, modes
from chainrule.compiler.graph import Graph
from chainrule.engine import Value
from chainrule.errors import TraceError, user_line
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
        self._made: list[Value] = []
        self._bound: dict[int, Value] = {}  # by the id of a leaf made of data: that data
        self._fresh: dict[int, Value] = {}  # by its id, a leaf that was made inside
        self._guarded: set[int] = set()

    def datum(self, number: Any, whole: bool = False, strict: bool = True) -> Datum:
        """A number of the arguments, as the function is given it."""
        self.data.append(self._given(number))
        return Datum(self, self.data[-1], whole, strict)

    def argument(self, number: float) -> Value:
        """A leaf that stands for a value among the arguments."""
        self.arguments.append(self._given(number))
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
            raise TraceError(
                f"the {what} of a value was asked for at {user_line()}: it is known after "
                "backward(), outside of the function that is compiled"
            )
        return Datum(self, TABLE["stop_gradient"](value), False, True)

    def assigned(self, what: str, number: Any) -> Any:  # noqa: ARG002 - it is refused
        done = "backward() was called" if what == "backward" else f"{what} was assigned"
        raise TraceError(
            f"{done} at {user_line()}, inside a function that is compiled: a program would do so "
            "only once; do it outside, with what the function returns"
        )

    # ---- the graph ----

    def graph(self, outputs: Sequence[Sequence[Value]]) -> tuple[Graph, list[Value]]:
        """What was recorded, as a graph in the order of its making, and the value of each node.

        Args:
            outputs: groups of values that are asked for.
        """
        graph, values = Graph([], [], [], []), _Values(self._bound)
        for value in self.data:
            values.add(graph, value, "datum", ())
        for value in self._made:
            operands = tuple([values.place(graph, x, self._fresh) for x in value.operands])
            values.add(graph, value, value.op, operands)
        for group in outputs:
            graph.outputs.append([values.place(graph, x, self._fresh) for x in group])
        return graph, values.listed


class _Values:
    """The values that are nodes of a graph, in order."""

    def __init__(self, bound: dict[int, Value]) -> None:
        self.listed: list[Value] = []
        self._bound = bound
        self._places: dict[int, int] = {}

    def add(self, graph: Graph, value: Value, op: str, operands: tuple[int, ...]) -> int:
        place = self._places[id(value)] = len(self.listed)
        self.listed.append(value)
        graph.ops.append(op)
        graph.operands.append(operands)
        graph.numbers.append(value._data)
        return place

    def place(self, graph: Graph, value: Value, fresh: dict[int, Value]) -> int:
        """The number of the node of a value; one that was not recorded comes from outside."""
        found = self._places.get(id(value))
        if found is not None:
            return found
        if id(value) in self._bound:
            return self.place(graph, self._bound[id(value)], fresh)
        stays = value.op == "constant" or id(value) in fresh
        return self.add(graph, value, "constant" if stays else "", ())


class Datum:
    """A number of the arguments of a function that is being traced.

    Arithmetic and comparisons with it are recorded. Deciding by it, as `if` does, and using it as
    an index or key, is a guard; what would take its number away is refused.

    Attributes:
        value: what it is in the graph.
        whole: whether it is a whole number, which can be an index.
        strict: whether a division by it raises where it is 0, as Python's numbers have it and
            NumPy's do not.
    """

    __slots__ = ("strict", "trace", "value", "whole")
    __array_priority__ = -1.0  # an array does the arithmetic elementwise

    def __init__(self, trace: Trace, value: Value, whole: bool, strict: bool) -> None:
        self.trace = trace
        self.value = value
        self.whole = whole
        self.strict = strict

    def applied(self, op: Callable[..., Any], operands: Sequence[Any]) -> Any:
        """An op of data and numbers, which is data again; with a value it is a value."""
        entered = [x.value if type(x) is Datum else x for x in operands]
        made = op(*entered)
        if any(type(x) is Value for x in operands):
            return made
        strict = all(x.strict for x in operands if type(x) is Datum)
        return Datum(self.trace, made, False, strict)

    def _with(self, name: str, a: Any, b: Any) -> Any:
        """An op of two operands, of which this is one."""
        other = b if a is self else a
        if not isinstance(other, Datum | Value | float | int):
            return NotImplemented
        made = self.applied(TABLE[name], (a, b))
        if name in _KEEP_WHOLE and type(made) is Datum:
            made.whole = self.whole and (isinstance(other, int) or getattr(other, "whole", False))
        return made

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
        if type(other) is Datum:
            other._guard_division()
        return self._with("div", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        if type(other) is not Value:
            self._guard_division()
        return self._with("div", other, self)

    def __pow__(self, other: Any) -> Any:
        whole = isinstance(other, int) and other >= 0
        if self.strict and not whole and type(other) is not Value:
            bool(self > 0)  # elsewhere it is complex, or an exception
        made = self._with("pow", self, other)
        if type(made) is Datum:
            made.whole = self.whole and whole
        return made

    def __rpow__(self, other: Any) -> Any:
        return self._with("pow", other, self)

    def __neg__(self) -> Any:
        return Datum(self.trace, -self.value, self.whole, self.strict)

    def __pos__(self) -> Datum:
        return self

    def __abs__(self) -> Any:
        return Datum(self.trace, abs(self.value), self.whole, self.strict)

    def __getattr__(self, name: str) -> Any:
        if name in TABLE:
            return lambda *others: TABLE[name](self, *others)
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
        truth = self._with(name, a, b)
        if type(truth) is Value:  # its derivatives are 0
            truth = Datum(self.trace, truth, True, True)
        return truth

    def __bool__(self) -> bool:
        if self.value.op in _COMPARISONS:
            return self.trace.guard(self.value)
        return not self.trace.guard(TABLE["equal"](self.value, 0.0))

    def __hash__(self) -> int:
        return hash(self._guarded_number())

    def __index__(self) -> int:
        if not self.whole:
            raise TraceError(
                f"the number of traced data was asked for at {user_line()}, by float(), int(), "
                "round() or a function of math: a program would keep this one for ever. Write "
                "chainrule.exp(x) or the like, compute it outside, and compare by maximum or where"
            )
        return int(self._guarded_number())

    def _guarded_number(self) -> float:
        """The number, which must be the same at later calls."""
        number = self.value._data
        if not self.trace.guard(TABLE["equal"](self.value, number)):
            raise TraceError(f"nan was used as a key at {user_line()}: it is not equal to itself")
        return int(number) if self.whole else number

    def _guard_division(self) -> None:
        if self.strict:
            bool(self == 0)

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

    def __repr__(self) -> str:
        return f"<data, now {self.value._data}>"

    def __format__(self, spec: str) -> str:
        raise TraceError(f"traced data was made a text at {user_line()}: a program has none")


_KEEP_WHOLE = ("add", "sub", "mul", "less", "less_equal", "equal")
_COMPARISONS = ("less", "less_equal", "equal")


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
            raise TraceError(f"{index!r} is no whole number, and no index, at {user_line()}")
        number = index.value._data
        if not 0 <= number < len(rows):  # not what a program can do at every call
            return rows[operator.index(index)]
        return _chosen(index, rows)


def _chosen(index: Datum, rows: Sequence[Any]) -> Any:
    """The row of that index; of rows that are lists, the list of what is chosen at each place."""
    if isinstance(rows[0], (list, tuple)):
        if len({len(row) for row in rows}) > 1:
            raise TraceError(f"rows of one length are needed for a lookup at {user_line()}")
        return [_chosen(index, column) for column in zip(*rows)]
    operands = [index.value, *[x.value if type(x) is Datum else x for x in rows]]
    made = engine.apply(_LOOKUP, _row_chosen, operands)
    if any(type(x) is Value for x in rows):
        return made
    whole = all(getattr(x, "whole", isinstance(x, int)) for x in rows)
    return Datum(index.trace, made, whole, True)


def _row_chosen(index: float, *rows: float) -> tuple[float, ...]:
    """The number of the row, and the derivatives by the index and by each row."""
    chosen = int(index)
    return (rows[chosen], 0.0, *[float(k == chosen) for k in range(len(rows))])


_LOOKUP = engine.register("lookup", selects=True)
