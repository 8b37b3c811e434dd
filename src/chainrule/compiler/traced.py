"""A function that was traced once: its program, and what has to hold for that to be right.

What a run gives are values again. Their operands are the values that the function read, and their
derivatives are computed by the program when `backward()` comes to them.
"""

from __future__ import annotations

import functools
import gc
import itertools
import math
import struct
import sys
import time
import weakref

from chainrule import engine, flat, modes
from chainrule.compiler import passes
from chainrule.compiler.backends import seconds_of
from chainrule.compiler.derive import derive
from chainrule.compiler.graph import Packed
from chainrule.compiler.guards import Heap
from chainrule.compiler.lift import lift
from chainrule.compiler.reach import known_values
from chainrule.compiler.trace import Datum, Trace
from chainrule.engine import Value, _lock
from chainrule.errors import TraceError, missing_extra, raised_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from chainrule.compiler.call import Call
    from chainrule.compiler.program import Program

COMPILED = engine.register("compiled", selects=True)
# Seconds, as measured on one machine: of a value, forward and backward; of a run but its program.
_VALUE_NATIVE, _VALUE_PURE, _RUN = 0.07e-6, 0.9e-6, 20e-6


def traced(
    function: Callable[..., Any], call: Call, finish: Callable[[Any], Any] = lambda x: x
) -> Traced:
    """The program of a function, for calls like this one.

    The function is run twice: on data that remember, and as it is, to compare.

    Raises:
        TraceError: at a later call a program could give another number than the function.
    """
    started = time.perf_counter()
    around = modes.exchange(())  # no_grad around a call is for its results, not for the program
    collecting = gc.isenabled()
    gc.disable()  # nothing that tracing makes is garbage before its end
    try:
        reading = functools.partial(function, *call.objects)
        heap = Heap(reading)
        drawn = _random_states()
        known = known_values(reading) if call.values else set()
        trace, result = _recorded(function, call, finish, known)
        results = _Results(trace, result)
        args, kwargs = call.plain()
        plain = finish(function(*args, **kwargs))
        _refuse_effects(heap, drawn)
        _refuse_difference(parts(result), parts(plain))
        return Traced(trace, results, call, heap, known, started)
    except TraceError as error:
        error.add_note(f"The function that was to be compiled is at {_place(function)}.")
        raise
    finally:
        modes.exchange(around)
        if collecting:
            gc.enable()


def _recorded(
    function: Callable[..., Any], call: Call, finish: Callable[[Any], Any], known: set[int]
) -> tuple[Trace, Any]:
    """The run on data that remember."""
    with Trace() as trace:
        args, kwargs = call.traced(trace, known)
        given = parts([args, kwargs])
        failed = None
        try:
            result = finish(function(*args, **kwargs))
        except Exception as error:
            failed = error
    if trace.refusal is not None:
        raise trace.refusal
    if failed is not None:
        raise _explained(failed, function, call, finish)
    if list(map(id, given)) != list(map(id, parts([args, kwargs]))):
        raise TraceError("the function changes its arguments: a program leaves them alone")
    return trace, result


def _explained(
    error: Exception, function: Callable[..., Any], call: Call, finish: Callable[[Any], Any]
) -> Exception:
    """The error of a run on data, unless the function itself raises one."""
    args, kwargs = call.plain()
    finish(function(*args, **kwargs))
    if isinstance(error, TraceError):
        return error
    explained = TraceError(
        f"{type(error).__name__} at {raised_line(error)}, on traced data only: {error}"
    )
    explained.__cause__ = error
    return explained


def _place(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    code = getattr(getattr(function, "__call__", function), "__code__", None)  # noqa: B004
    code = getattr(function, "__code__", code)
    return f"{code.co_filename}:{code.co_firstlineno}" if code else repr(function)


def _refuse_effects(heap: Heap, drawn: list[Any]) -> None:
    """Refuse a function that left something else than its result."""
    changed = heap.changed()
    if changed:
        raise TraceError(
            f"the function changes what it reads: {changed}; a program would not: let the "
            "function return what is new"
        )
    if _random_states() != drawn:
        raise TraceError(
            "the function draws random numbers, which a program would repeat for ever: draw them "
            "outside and give them as an argument"
        )


def _random_states() -> list[Any]:
    """What the next random numbers of Python and of NumPy depend on, where these are loaded."""
    states: list[Any] = []
    if "numpy" in sys.modules:  # first, for this may load Python's
        name, key, *others = sys.modules["numpy"].random.get_state()
        states.append([name, key.tobytes(), *others])
    if "random" in sys.modules:
        states.append(sys.modules["random"].getstate())
    return states


# ---- what a function returns ----


def parts(x: Any) -> list[Any]:
    """What there is in nested lists, tuples, dictionaries and arrays."""
    if type(x) is Datum:
        return [x]
    if isinstance(x, (list, tuple)):
        return [part for inner in x for part in parts(inner)]
    if isinstance(x, dict):
        return [part for item in x.items() for inner in item for part in parts(inner)]
    return list(x.flat) if hasattr(x, "flat") else [x]


def _refuse_difference(traced: list[Any], plain: list[Any]) -> None:
    """Refuse what has other numbers, or anything else, than on plain numbers."""
    for given, right in itertools.zip_longest(map(_exact, traced), map(_exact, plain)):
        if given != right:
            raise TraceError(
                f"the function gave {given!r} on traced data, and {right!r} when it was run once "
                "more on numbers: it depends on something that changes, or on the type of data"
            )


def _exact(x: Any) -> Any:
    if type(x) is Datum:
        x = x.value
    if type(x) is Value:
        x = x._data
    return "nan" if x != x else x


def mapped(x: Any, leaf: Callable[[Any], Any]) -> Any:
    """The same collections, with a function of what is in them."""
    if type(x) in (list, tuple):
        return type(x)([mapped(part, leaf) for part in x])
    if type(x) is dict:
        return {name: mapped(part, leaf) for name, part in x.items()}
    return leaf(x)


class Made:
    """A place in what a program computes: of the values, or of the numbers."""

    __slots__ = ("number", "place")

    def __init__(self, number: bool, place: int) -> None:
        self.number = number
        self.place = place


class Argument:
    """A result that is a value among the arguments."""

    __slots__ = ("place",)

    def __init__(self, place: int) -> None:
        self.place = place


class _Results:
    """What a function returned while it was traced.

    Attributes:
        values: what its program has to give with derivatives.
        numbers: what it has to give besides.
        form: the result, with `Made` and `Argument` in place of values and data.
    """

    def __init__(self, trace: Trace, result: Any) -> None:
        self.values: list[Value] = []
        self.numbers: list[Value] = []
        self._trace = trace
        self._made = trace.recorded()
        self.form = mapped(result, self._leaf)

    def _leaf(self, x: Any) -> Any:
        if type(x) is Datum:
            return self._added(True, x.value)
        if type(x) is Value:
            return self._value(x)
        if x is None or isinstance(x, (bool, int, float, str)):
            return x
        raise TraceError(
            f"the function returns a {type(x).__name__}: a program can return values and numbers, "
            "and lists, tuples and dictionaries of them"
        )

    def _value(self, value: Value) -> Any:
        if value in self._trace.arguments:
            return Argument(self._trace.arguments.index(value))
        return self._added(False, value) if id(value) in self._made else value

    def _added(self, number: bool, value: Value) -> Made:
        listed = self.numbers if number else self.values
        for place, known in enumerate(listed):
            if known is value:
                return Made(number, place)
        listed.append(value)
        return Made(number, len(listed) - 1)


# ---- the program, and what has to hold ----


class Traced:
    """One program of a function.

    Attributes:
        heap: what the function read from outside, as it was.
        values: how many values were recorded.
        scalars: their graph.
        key: what the arguments of its calls are like.
        program: the array program of that.
        log: which passes did what, in the program and its backward.
        runner: what runs it and its backward.
        guards: what was decided by data: each with the line.
        seconds: how long the stages took.
        operands: what the results depend on: values read from outside, and the call's arguments.
        from_call: which operands are arguments: pairs of places among both.
    """

    def __init__(
        self,
        trace: Trace,
        results: _Results,
        call: Call,
        heap: Heap,
        known: set[int],
        started: float,
    ) -> None:
        truths = [truth for truth, _, _ in trace.guards]
        groups = [group for group in (results.values, [*truths, *results.numbers]) if group]
        self.heap = heap
        self.guards = [(number != 0.0, line) for _, number, line in trace.guards]
        self._form = results.form
        self._objects = call.objects  # kept, so that nothing else gets their identity
        self._differentiable = bool(results.values)
        self._has_numbers = bool(results.numbers)
        self._arguments = call.values
        self._known = known
        self._known_given = self._known_among(call)
        self._expected = struct.pack(f"{len(truths)}d", *[number for _, number, _ in trace.guards])
        self._latest: Any = lambda: None
        self.runs = 0
        graph, values = trace.graph(groups)
        self.values = len(values)
        self.scalars = Packed(graph, values)
        self.key = call.key
        times = [started, time.perf_counter()]
        lifted, leaves, _ = lift(graph)
        self.program, self.log = passes.run(lifted)
        times.append(time.perf_counter())
        self.operands = [values[node] for node in leaves]
        self.from_call = [
            (i, trace.arguments.index(x))
            for i, x in enumerate(self.operands)
            if x in trace.arguments
        ]
        program = self.program
        if self._differentiable:
            program, further = passes.run(derive(self.program))
            self.log += further
        self.runner = runner_of(program)
        times.append(time.perf_counter())
        stages = ("trace", "lift", "derive and generate")
        self.seconds = {name: b - a for name, a, b in zip(stages, times, times[1:])}
        self._slots = _slots(call, self.runner.data)
        self._bounds = _Bounds(trace) if trace.bounds else None

    def run(self, call: Call) -> bool:
        """Compute what the function returns, and say whether all guards hold."""
        if self._known_among(call) != self._known_given:
            return False
        self._keep_latest()
        self._arguments = call.values
        for i, place in self.from_call:
            self.operands[i] = call.values[place]
        flat.read_data(self.operands, self.runner.leaves)
        for slot, x in zip(self._slots, call.data):
            slot[...] = x
        if self._bounds is not None and not self._bounds.hold(self.runner.data):
            return False
        self._forward()
        return not self.guards or self._found()[: len(self.guards)].tobytes() == self._expected

    def result(self) -> Any:
        """What the function returns, of the latest run."""
        evaluation = Evaluation(self)
        self._latest = weakref.ref(evaluation)
        operands = Operands(self.operands)
        found = self.runner.outputs[0].tolist() if self._differentiable else []
        numbers = self._found().tolist()[len(self.guards) :] if self._has_numbers else []

        def leaf(x: Any) -> Any:
            if type(x) is Argument:
                return self._arguments[x.place]
            if type(x) is not Made:
                return x
            if x.number:
                return numbers[x.place]
            derivatives = Derivatives(evaluation, x.place)
            return engine.wide(COMPILED, found[x.place], operands, derivatives)

        return mapped(self._form, leaf)

    def numbers(self) -> Any:
        """What the function returns, of the latest run, all of it as numbers."""
        found = self.runner.outputs[0].tolist() if self._differentiable else []
        numbers = self._found().tolist()[len(self.guards) :] if self._has_numbers else []
        return mapped(
            self._form,
            lambda x: (numbers if x.number else found)[x.place] if type(x) is Made else x,
        )

    def gradient(self, place: int = 0) -> Any:
        """The derivatives of one of the values by all operands, of the latest run."""
        runner = self.runner
        if runner.seed is not None:
            runner.seed[:] = 0.0
            runner.seed[place] = 1.0
        runner.backward()
        return runner.outputs[-1]

    def restore(self, evaluation: Evaluation) -> None:
        """Make an earlier run the latest again."""
        self._keep_latest()
        self.runner.leaves[:], self.runner.data[:] = evaluation.kept
        self._forward()
        evaluation.run = self.runs
        self._latest = weakref.ref(evaluation)

    def summary(self) -> str:
        """What became of the function, in one line.

        A number of values, one of instructions, and how long that took.
        """
        count, seconds = len(self.program), sum(self.seconds.values())
        made = f"{count} instruction{'' if count == 1 else 's'}"
        return f"{self.values:,} values became {made} in {seconds:.1f} s"

    def is_slower_than_engine(self) -> bool:
        """Whether computing value by value would surely take less time than the program does."""
        native = not engine.__file__.endswith(".py")
        by_engine = self.values * (_VALUE_NATIVE if native else _VALUE_PURE)
        return _RUN + seconds_of(self.runner.name, self.runner.program) > by_engine

    def _known_among(self, call: Call) -> list[int]:
        """Which arguments are values that the function can compare them with, by `is` or `in`."""
        return [id(x) if id(x) in self._known else 0 for x in call.values]

    def _forward(self) -> None:
        self.runs += 1
        self.runner.forward()

    def _keep_latest(self) -> None:
        """Before the buffers are used again, copy what somebody may still want to go back from."""
        latest = self._latest()
        if latest is not None and latest.run == self.runs:
            latest.kept = self.runner.leaves.copy(), self.runner.data.copy()

    def _found(self) -> Any:
        """The vector of the guards and of what is returned as numbers."""
        return self.runner.outputs[int(self._differentiable)]


class Evaluation:
    """One run of a program, as long as there is a result of it.

    Attributes:
        run: which run of the program it was.
        kept: the numbers that it was given, once the program runs on others.
    """

    __slots__ = ("__weakref__", "kept", "run", "traced")

    def __init__(self, traced: Traced) -> None:
        self.traced = traced
        self.run = traced.runs
        self.kept: Any = None

    def gradient(self, place: int) -> list[float]:
        """The derivatives of one of its values, with the numbers of the forward pass."""
        with _lock:
            if self.run != self.traced.runs:
                self.traced.restore(self)
            found: list[float] = self.traced.gradient(place).tolist()
            return found


class Derivatives:
    """The derivatives of a result, computed each time they are iterated over."""

    __slots__ = ("_evaluation", "_place")

    def __init__(self, evaluation: Evaluation, place: int) -> None:
        self._evaluation = evaluation
        self._place = place

    def __iter__(self) -> Iterator[float]:
        return iter(self._evaluation.gradient(self._place))


class Operands(tuple[Value, ...]):
    """The operands of a result, which may be many.

    A walk over a graph asks again and again for the first that it has not come to. So an iteration
    goes on where the one before was left, and starts anew when one has come to the end.
    """

    _rest: Any = iter(())

    def __iter__(self) -> Iterator[Value]:
        if not self._rest.__length_hint__():
            self._rest = super().__iter__()
        rest: Iterator[Value] = self._rest
        return rest


class _Bounds:
    """Which numbers of a call are indices of lookups, and how many rows there are for each."""

    def __init__(self, trace: Trace) -> None:
        import numpy as np

        places = {id(x): i for i, x in enumerate(trace.data)}
        self._places = np.array([places[index] for index, _ in trace.bounds])
        self._counts = np.array([count for _, count in trace.bounds])

    def hold(self, data: Any) -> bool:
        """Whether all indices are those of rows, from 0 on."""
        found = data[self._places]
        return bool(((found >= 0.0) & (found < self._counts)).all())


def _slots(call: Call, vector: Any) -> list[Any]:
    """Views of the vector of all data, one for each array, list or number of a call."""
    slots, start = [], 0
    for x in call.data:
        shape = x.shape if hasattr(x, "shape") else (len(x),) if hasattr(x, "__len__") else ()
        stop = start + math.prod(shape)
        slots.append(vector[start:stop].reshape(shape))
        start = stop
    return slots


def runner_of(program: Program) -> Any:
    """What runs a program."""
    try:
        import numpy  # noqa: F401 - to tell its absence from a fault of ours
    except ImportError:
        raise missing_extra("numpy", "train", "running a compiled function") from None
    from chainrule.compiler.backends import runner

    return runner(program)
