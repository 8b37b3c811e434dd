"""Contexts that are shown, in the thread that opened them, every value that is made."""

from __future__ import annotations

import _thread

from chainrule import engine, floats
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Self

    from chainrule.engine import Value


class Mode:
    """A context to which the engine shows what it does; the methods below say what.

    The engine asks one variable whether a mode is open anywhere. While none is, none costs
    anything more.

    >>> from chainrule import Value
    >>> class Listen(Mode):
    ...     def made(self, value):
    ...         print(value.op, value.data)
    >>> with Listen():
    ...     y = Value(2.0) * 3 + 1
    mul 6.0
    add 7.0
    """

    traces = False  # whether it records what is done

    def __enter__(self) -> Self:
        _this_thread.modes = (*_this_thread.modes, self)
        with _lock:
            _open.append(self)
            engine.show_to(_everybody)
        return self

    def __exit__(self, *exception: object) -> None:
        _this_thread.modes = _this_thread.modes[:-1]
        with _lock:
            _open.remove(self)
            engine.show_to(_everybody if _open else None)

    def made(self, value: Value) -> Value | None:
        """An op made this value; what is returned, if anything, takes its place."""

    def leaf(self, value: Value, data: Any) -> Any:  # noqa: ARG002 - here and below: for others
        """A leaf is being made; what is returned becomes its number."""
        return data

    def entering(self, x: Any) -> Any:
        """What is no value stands among operands; what is returned does so instead."""
        return x

    def read(self, value: Value, what: str, found: Any) -> Any:  # noqa: ARG002
        """The "data", "grad" or "derivatives" are asked for; what is returned is told."""
        return found

    def assigned(self, what: str, number: Any) -> Any:  # noqa: ARG002
        """To "data" or "grad" a number is assigned, or "backward" starts from it."""
        return number

    def passed(self, order: list[Value]) -> None:
        """A backward pass over these values, operands first, has ended."""


class no_grad(Mode):  # noqa: N801 - PyTorch's name
    """Within it, results are leaves: they remember no operands and pass on no gradient.

    >>> from chainrule import Value
    >>> a = Value(2.0)
    >>> with no_grad():
    ...     b = a * 3
    >>> b.data, b.operands
    (6.0, ())
    """

    def made(self, value: Value) -> Value | None:
        if is_tracing():  # a leaf would be read by its number at every run
            return None if value.op == "stop_gradient" else TABLE["stop_gradient"](value)
        engine.forget(value)
        return None


def is_tracing() -> bool:
    """Whether what this thread does is recorded for a program."""
    return any(mode.traces for mode in _this_thread.modes)


def are_watching() -> bool:
    """Whether this thread has a mode open that is to see every op; no_grad need not."""
    return any(type(mode) is not no_grad for mode in _this_thread.modes)


def exchange(others: tuple[Mode, ...]) -> tuple[Mode, ...]:
    """Have this thread show what it does to other modes, and return those it was shown to."""
    found, _this_thread.modes = _this_thread.modes, others
    return found


class _ThisThread(_thread._local):
    modes: tuple[Mode, ...] = ()


class _Everybody:
    """The modes of whichever thread asks, the innermost last."""

    def made(self, value: Value) -> Value:
        for mode in _this_thread.modes:
            other = mode.made(value)
            value = value if other is None else other
        return value

    def leaf(self, value: Value, data: Any) -> float:
        for mode in _this_thread.modes:
            data = mode.leaf(value, data)
        return floats.as_number(data)

    def entering(self, x: Any) -> Value:
        for mode in _this_thread.modes:
            x = mode.entering(x)
        return x if type(x) is engine.Value else engine.constant(floats.as_number(x))

    def read(self, value: Value, what: str, found: Any) -> Any:
        for mode in _this_thread.modes:
            found = mode.read(value, what, found)
        return found

    def assigned(self, what: str, number: Any) -> float:
        for mode in _this_thread.modes:
            number = mode.assigned(what, number)
        return floats.as_number(number)

    def passed(self, order: list[Value]) -> None:
        for mode in _this_thread.modes:
            mode.passed(order)


_this_thread = _ThisThread()
_everybody = _Everybody()
_open: list[Mode] = []
_lock = _thread.allocate_lock()
