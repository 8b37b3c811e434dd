"""Contexts that are shown, in the thread that opened them, every value that is made."""

from __future__ import annotations

import _thread

from chainrule import engine

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

    def made(self, value: Value) -> None:
        """An op made this value."""

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

    def made(self, value: Value) -> None:
        engine.forget(value)


class _ThisThread(_thread._local):
    modes: tuple[Mode, ...] = ()


class _Everybody:
    """The modes of whichever thread asks, the innermost last."""

    def made(self, value: Value) -> Value:
        for mode in _this_thread.modes:
            mode.made(value)
        return value

    def read(self, value: Value, number: float) -> Any:  # noqa: ARG002 - no mode shows other
        return number

    def passed(self, order: list[Value]) -> None:
        for mode in _this_thread.modes:
            mode.passed(order)


_this_thread = _ThisThread()
_everybody = _Everybody()
_open: list[Mode] = []
_lock = _thread.allocate_lock()
