"""What runs array programs: NumPy, or Python itself where there is little to group."""

from __future__ import annotations

import math

from chainrule.compiler.program import (
    Gather,
    Given,
    IndexAdd,
    Instruction,
    Lookup,
    Map,
    Program,
    Segments,
    Selected,
    Sum,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Microseconds, measured on programs of many kinds, on which the estimates are within a half.
_CALLS, _LINE, _ELEMENT = 0.6, 0.25, 0.002  # of an instruction of NumPy, one of a float, an element
_OPERATION, _MOVED = 0.013, 0.02  # of an operation on floats, a number that goes in or out
_LONGEST = 20_000  # lines; Python takes a second to compile them


def runner(program: Program) -> Any:
    """What runs a program, with NumPy or as plain Python, whichever is estimated to be faster.

    Returns:
        A runner; its `name` is "numpy" or "python".

    >>> from chainrule.compiler.program import Data, Leaves, Numbers, View
    >>> def tanh(size):
    ...     given = [Leaves(size), Numbers([]), Data(0)]
    ...     return Program([*given, Map("tanh", None, (size,), [View(0, 0, (1,))])], [3])
    >>> runner(tanh(3)).name, runner(tanh(300)).name
    ('python', 'numpy')
    """
    if operations(program) < _LONGEST and seconds_of_python(program) < seconds_of_numpy(program):
        from chainrule.compiler.backends.python import Runner as InPython

        return InPython(program)
    from chainrule.compiler.backends.numpy import Runner

    return Runner(program)


def seconds_of(name: str, program: Program) -> float:
    """How long a run takes by the runner of that name, estimated."""
    return seconds_of_numpy(program) if name == "numpy" else seconds_of_python(program)


def seconds_of_numpy(program: Program) -> float:
    """How long a run with NumPy takes, estimated: mostly the calls."""
    made = [x for x in program.instructions if not isinstance(x, Given)]
    calls = sum(_LINE if x.size == 1 else _CALLS + _ELEMENT * x.size for x in made)
    return 1e-6 * calls


def seconds_of_python(program: Program) -> float:
    """How long a run as plain Python takes, estimated."""
    moved = sum(x.size for x in program.instructions if isinstance(x, Given))
    moved += sum(program.instructions[block].size for block in program.outputs)
    return 1e-6 * (_OPERATION * operations(program) + _MOVED * moved)


def operations(program: Program) -> int:
    """How many operations on single numbers a program does, more or less."""
    return sum(_operations(x, program) for x in program.instructions)


def _operations(made: Instruction, program: Program) -> int:
    if isinstance(made, Sum):
        return sum(math.prod(part.dims) * (len(part.factors) + 1) for _, part in made.parts)
    if isinstance(made, Map | Selected):
        return 3 * math.prod(made.dims)
    if isinstance(made, Lookup | IndexAdd):
        return 3 * made.rows.count * len(made.rows.indices)
    if isinstance(made, Gather | Given):
        return 0
    each = 4 if isinstance(made, Segments) and made.op != "add" else 1
    return each * program.instructions[made.block].size
