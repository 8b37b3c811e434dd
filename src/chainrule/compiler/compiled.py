"""Functions of scalars that run at array speed: traced when first called, and run as a program."""

from __future__ import annotations

import functools
import types

from chainrule import modes
from chainrule.compiler.call import STATIC, Call
from chainrule.compiler.explain import explanation
from chainrule.compiler.traced import Traced, traced
from chainrule.compiler.verify import compare
from chainrule.engine import _lock
from chainrule.errors import ArgumentError, TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_MANY = 16  # programs for calls of one shape


def compile(function: Any = None, *, verify: bool = False) -> Any:
    """Make a function of values and numbers run at array speed, unmodified.

    When it is called, it is traced: run once on arguments that record what is done to them. What
    was recorded becomes an array program, which runs at this and later calls. Numbers among the
    arguments, in arrays and lists, are inputs of the program; so are the data of all values that
    the function reads. What else it reads is watched, and where that or a decision by data has
    changed, the function is traced anew. What cannot be right that way is refused.

    Args:
        function: the function; without it, `compile` is a decorator with options.
        verify: whether to run the function itself beside each call and compare all numbers.

    Returns:
        A `Compiled` function, to be called as the function is.

    Raises:
        ArgumentError: `function` cannot be called.

    >>> from chainrule import Value
    >>> weight = Value(2.0)
    >>> @compile
    ... def loss(xs, ys):
    ...     return sum((weight * x - y) ** 2 for x, y in zip(xs, ys))
    >>> error = loss([1.0, 2.0], [2.0, 5.0])
    >>> error.backward()
    >>> error.data, weight.grad
    (1.0, -4.0)
    """
    if function is None:
        return functools.partial(compile, verify=verify)
    if not callable(function):
        raise ArgumentError(f"compile needs a function, not {function!r}")
    return function if isinstance(function, Compiled) else Compiled(function, verify)


def _as_it_is(result: Any) -> Any:
    return result


class Compiled:
    """A function that is traced when it is called, and then runs as an array program.

    Attributes:
        function: the function itself.
        finish: is applied to what the function returns, and traced too.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        verify: bool = False,
        finish: Callable[[Any], Any] = _as_it_is,
    ) -> None:
        functools.update_wrapper(self, function)
        self._name = getattr(function, "__name__", type(function).__name__)
        self.function = function
        self._verify = verify
        self.finish = finish
        self._programs: dict[Any, list[Traced]] = {}
        self._latest: Traced | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the function returns: values whose `backward()` is the program's, and numbers."""
        if modes.are_watching():
            return self.function(*args, **kwargs)
        with _lock:
            call = Call(args, kwargs)
            result = self.run(call).result()
        if self._verify:
            compare(result, self.function(*args, **kwargs))
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        return Compiled, (self.function, self._verify, self.finish)  # a copy makes its own programs

    def run(self, call: Call) -> Traced:
        """The program that fits a call, after its forward pass."""
        found = self._programs.setdefault(call.key, [])
        for program in found:
            if not program.heap.changed() and program.run(call):
                self._latest = program
                return program
        self._refuse_many(call)
        found.append(traced(self.function, call, self.finish))
        self._latest = found[-1]
        if not self._latest.run(call):
            raise TraceError("a guard did not hold in the very call that it is of")
        return self._latest

    def _refuse_many(self, call: Call) -> None:
        """Refuse to make ever more programs for calls of one shape, and say what varied."""
        alike = [p for key, ps in self._programs.items() if key[0] == call.shape for p in ps]
        if len(alike) >= _MANY:
            raise TraceError(
                f"{self._name}() became {_MANY} programs for arguments of one shape, and would "
                f"become another: {self._variation(call, alike[-1])}"
            )

    def _variation(self, call: Call, program: Traced) -> str:
        """What the call has other than one that a program was made for."""
        for statics in [key[1] for key, ps in self._programs.items() if ps and key != call.key]:
            for known, given in zip(statics, call.statics):
                if known != given:
                    return _difference(known, given)
        changed = program.heap.changed()
        if changed:
            return f"{changed}; what changes from call to call is given as an argument"
        lines = sorted({line for _, line in program.guards})
        return (
            f"data decided at {', '.join(lines[:3])}; `maximum`, `minimum`, `where` and `lookup` "
            "choose without deciding"
        )

    # ---- to look at ----

    @property
    def program(self) -> Any:
        """The array program of the latest call, with its backward; `print` shows it."""
        return self.latest().runner.program

    @property
    def source(self) -> str:
        """The generated source that runs it."""
        return str(self.latest().runner.source)

    def explain(self) -> str:
        """What became of the function at the latest call: counts, origins, passes, guards, seconds.

        Of each instruction it says what of the expression it computes, and of the whole how much
        stayed scalar.
        """
        kept = sum(map(len, self._programs.values()))
        return "\n".join(explanation(self.latest(), kept))

    def clear(self) -> None:
        """Forget all programs; the next call traces anew."""
        self._programs.clear()
        self._latest = None

    def latest(self) -> Traced:
        """The program of the latest call, with the scalars that it was made of.

        Raises:
            TraceError: there was no call.
        """
        if self._latest is None:
            raise TraceError(f"{self._name}() has no program yet: call it first")
        return self._latest


def _difference(known: Any, given: Any) -> str:
    """How an argument that a program is made for, as a call tells it, is not that of another."""
    kind, x = given
    if kind in STATIC:
        return f"an argument that is part of the program was {known[1]!r} and is {x!r}"
    return f"an argument that is part of the program is another {kind.__name__}"
