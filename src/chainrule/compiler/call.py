"""The arguments of a call, taken apart: their shape, and the numbers that a program is given.

floats, and the elements of arrays, lists, tuples and dictionaries   data
values                                                               inputs with a gradient
whole numbers, bools, texts and None that stand by themselves        part of the program
models and all other objects                                         part of the program
"""

from __future__ import annotations

from chainrule.engine import Value
from chainrule.errors import TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Path = tuple[str, ...]

STATIC = (int, bool, str, bytes, type(None))


class Call:
    """The arguments of one call.

    Attributes:
        shape: nesting, lengths and types; calls of one shape differ in numbers and objects.
        statics: what a program is made for: whole numbers, texts, objects by their identity.
        data: what a program is given, in order: numbers, and lists and arrays of them.
        values: the values among the arguments.
        objects: the arguments that are neither numbers nor collections.

    >>> call = Call((2.0, [1, 2], "relu"), {})
    >>> call.shape
    (('tuple', 'float', ('list', 'int', 2), 'str'), ())
    >>> call.data, call.statics
    ([2.0, [1, 2]], [(<class 'str'>, 'relu')])
    """

    def __init__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        self.statics: list[Any] = []
        self.data: list[Any] = []
        self.values: list[Value] = []
        self.objects: list[Any] = []
        self._args = args
        self._kwargs = kwargs
        self.shape = (
            ("tuple", *[self._shape(x) for x in args]),
            tuple([(name, self._shape(x)) for name, x in kwargs.items()]),
        )

    @property
    def key(self) -> Any:
        """What the calls that one program can serve have in common."""
        return self.shape, tuple(self.statics)

    def _shape(self, x: Any, inside: bool = False) -> Any:
        """The shape of an argument; its numbers, values and objects are collected."""
        kind = type(x)
        if kind is float or (inside and (kind is int or kind is bool)):
            self.data.append(x)
            return kind.__name__
        if kind is Value:
            return self._value(x)
        if kind is list or kind is tuple:
            return self._sequence(x)
        if kind is dict:
            self.statics.append((tuple, tuple([(type(key), key) for key in x])))
            return "dict", *[self._shape(part, True) for part in x.values()]
        if hasattr(x, "dtype") and hasattr(x, "shape"):
            return self._array(x)
        if kind in STATIC:
            self.statics.append((kind, x))
            return kind.__name__
        self.objects.append(x)
        self.statics.append((kind, id(x)))
        return kind.__name__

    def _value(self, value: Value) -> Any:
        """A value; two that are one have another shape than two that are not."""
        self.values.append(value)
        return "Value", next(i for i, other in enumerate(self.values) if other is value)

    def _sequence(self, x: Any) -> Any:
        kinds = set(map(type, x))
        for kind in (float, int):
            if kinds == {kind}:
                self.data.append(x)
                return type(x).__name__, kind.__name__, len(x)
        return type(x).__name__, *[self._shape(part, True) for part in x]

    def _array(self, x: Any) -> Any:
        if not _is_numpys(x):
            raise TraceError(
                f"a {type(x).__name__} is among the arguments: a program takes lists and NumPy's "
                "own arrays, made by numpy.array(...)"
            )
        if x.dtype.kind not in "biuf":
            raise TraceError(
                f"an array of {x.dtype} is among the arguments: a program takes arrays of real "
                "numbers; text and objects are given as lists"
            )
        self.data.append(x)
        return "array", "int" if x.dtype.kind in "biu" else "float", tuple(x.shape)

    # ---- the same arguments, of other numbers ----

    def plain(self) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """As the function takes them; arrays as float64 or int64."""
        return self._rebuilt(lambda x: x, _widened)

    def traced(self, trace: Any, known: set[int]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """With data in the place of numbers, and leaves of the trace in that of values.

        Args:
            trace: what records.
            known: the ids of values that the function comes to without its arguments.
        """

        def scalar(x: Any) -> Any:
            return trace.datum(x, type(x))

        def array(x: Any) -> Any:
            kind = _widened(x[:0] if x.shape else x).dtype.type
            elements = [trace.datum(number, kind) for number in x.ravel().tolist()]
            if not x.shape:
                return elements[0]
            made = x.ravel().astype(object)
            made[:] = elements
            return made.reshape(x.shape)

        leaves = {id(x): trace.argument(x, id(x) in known) for x in self.values}
        return self._rebuilt(scalar, array, leaves)

    def _rebuilt(
        self,
        scalar: Callable[[Any], Any],
        array: Callable[[Any], Any],
        values: dict[int, Value] | None = None,
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """The arguments anew, each number and array as the functions give it."""

        def rebuilt(x: Any, inside: bool = False) -> Any:
            kind = type(x)
            if kind is float or (inside and (kind is int or kind is bool)):
                return scalar(x)
            if kind is Value:
                return values[id(x)] if values else x
            if kind is list or kind is tuple:
                return kind([rebuilt(part, True) for part in x])
            if kind is dict:
                return {name: rebuilt(part, True) for name, part in x.items()}
            return array(x) if hasattr(x, "dtype") and hasattr(x, "shape") else x

        args = tuple([rebuilt(x) for x in self._args])
        return args, {name: rebuilt(x) for name, x in self._kwargs.items()}


def _is_numpys(x: Any) -> bool:
    """Whether it is a number or an array of NumPy; subclasses have an arithmetic of their own."""
    kind = type(x)
    return kind.__module__ == "numpy" and (kind.__name__ in ("ndarray", "memmap") or x.shape == ())


def _widened(x: Any) -> Any:
    """A copy of an array, as float64 or int64."""
    return x.astype("f8" if x.dtype.kind == "f" else "i8")
