"""Every error that chainrule raises on purpose; the docstring of each is its page in the manual."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import Any

_PACKAGE = os.path.dirname(os.path.abspath(__file__)) + os.sep
# No place to name: what leads to an op, and what has no lines to show in the native build.
_ENGINE = {f"{_PACKAGE}{name}.py" for name in ("engine", "modes", "ops", "check", "nn")}
_COMMANDS = f"{_PACKAGE}commands{os.sep}"


class ChainruleError(Exception):
    """The base of all errors below: `except ChainruleError` catches each of them."""


class NumberError(ChainruleError, TypeError):
    """Something that is not one real number was given where one is needed.

    A `Value` holds one float64. Numbers, NumPy scalars and arrays of no dimension are taken;
    strings, complex numbers, lists and other values are not. For a list, make a list of values:
    `[Value(x) for x in xs]`.
    """


class ComparisonError(ChainruleError, TypeError):
    """A value was compared with a number by `==` or `!=`.

    Between two values `==` asks whether they are one and the same, which is what sets and
    dictionaries need. Whether the numbers agree is asked by `v.data == 3.0`.
    """


class ConstantError(ChainruleError, AttributeError):
    """A number that an expression contains was assigned to, or asked to run backward.

    In `a * 2` the 2 becomes a constant, shared by all expressions that use it. Write
    `two = Value(2.0)` and `a * two` for a number that can be changed and has a gradient.
    """


class CustomOpError(ChainruleError, TypeError):
    """An op was defined in a way that the engine cannot check or list.

    micrograd makes new ops by `Value(data, (a, b), "op")` and a closure assigned to `_backward`.
    Here an op is one row: decorate its function with `@chainrule.op`, giving one derivative for
    each argument. The new op then works in every part of the package.
    """


class ChangedDataError(ChainruleError, RuntimeError):
    """A gradient that can be differentiated again was asked of a graph whose data has changed.

    `backward()` uses the numbers of the forward pass. `create_graph=True` has to apply the
    derivative rules anew to the values themselves, which gives something else if `.data` was
    assigned in between. Build the expression again after changing its inputs.
    """


class CopyError(ChainruleError, TypeError):
    """A value that was computed from others was copied or pickled.

    It stands in a graph: a copy would drag along, or lose, everything it was made from. Copy the
    leaves or the module, or take the number: `value.data`, `value.detach()`.
    """


class AnomalyError(ChainruleError, ArithmeticError):
    """Under `detect_anomaly()`, a number became nan or infinite.

    The message names the op, its operands, and the line that made it.
    """


class CheckpointError(ChainruleError, OSError):
    """A checkpoint could not be written, or what is found is not one that can be read.

    A checkpoint is written beside the one before and takes its place when it is whole: whatever
    goes wrong, a full disk or a lost current, the last good one stays. A file that is damaged,
    comes from another program or from a newer chainrule is refused as a whole.
    """


class GradientCheckError(ChainruleError, AssertionError):
    """`gradcheck` found a gradient that differs from the numerical derivative.

    The message names the input, both numbers and the likely cause.
    """


class ArgumentError(ChainruleError, ValueError):
    """An argument has a value, a length or a name that cannot be used.

    The message says what was given and what would be right.
    """


class ExpressionError(ChainruleError, ValueError):
    """A text is not an expression that can be drawn, or its names and numbers do not fit it.

    An expression is made of names, numbers, + - * / **, brackets and functions of the table, and
    every name has one number. The message quotes what else was found.
    """


class TableError(ChainruleError, ValueError):
    """A CSV file cannot be trained on, or predicted from, as it is.

    The message names the row, counted from 1 below the header, and the column, and what would be
    right.
    """


class StateError(ChainruleError, ValueError):
    """A state given to `load_state_dict` does not fit the module or optimiser.

    The message lists the names that are missing, unknown or not numbers. Nothing was loaded.
    """


class MissingExtraError(ChainruleError, ImportError):
    """A part of chainrule was used whose optional packages are not installed.

    The message names the extra to install: `pip install "chainrule[train]"`.
    """


class TrainingError(ChainruleError, ArithmeticError):
    """A loss, a gradient or a parameter became nan or infinite while training.

    The message names the step, the op, its operands and the line. The model has the parameters
    that it had before that step; the rows of the history up to there are in the attribute
    `history`. A smaller learning rate helps where numbers grew from step to step; where a loss
    takes the logarithm or the root of something that reaches 0, that op needs another form.
    """

    history: Any = None


def user_line() -> str:
    """Where the caller of this package stands, as "file.py:12, in loss()".

    The command line has no line of its own: for it, the place in the package that used the engine.
    """
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename in _ENGINE:
        frame = frame.f_back
    user = _place(frame)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        if frame.f_code.co_filename.startswith(_COMMANDS):
            return user
        frame = frame.f_back
    return _place(frame)


def raised_line(error: BaseException) -> str:
    """Where an error was raised, or the last line outside of this package on the way there."""
    found, place = error.__traceback__, ""
    while found is not None:
        frame = found.tb_frame
        if not place or not frame.f_code.co_filename.startswith(_PACKAGE):
            place = _place(frame, found.tb_lineno)
        found = found.tb_next
    return place


def _place(frame: FrameType, line: int | None = None) -> str:
    code = frame.f_code
    place = f"{os.path.basename(code.co_filename)}:{line or frame.f_lineno}"
    return place if code.co_name == "<module>" else f"{place}, in {code.co_name}()"


def missing_extra(package: str, extra: str, what: str) -> MissingExtraError:
    """The error for an optional `package` that is not installed."""
    return MissingExtraError(f'{what} needs {package}: pip install "chainrule[{extra}]"')


class ProgramError(ChainruleError, RuntimeError):
    """A graph or program of the compiler breaks its own grammar: a fault of chainrule itself.

    Please report it, with the function that was compiled.
    """


class TraceError(ChainruleError, RuntimeError):
    """A function cannot be compiled, because a program made of it could give a stale number.

    A program is made by running the function once and recording what is done to its data. What
    would be recorded as one number and could be another at the next call is refused: `float()` of
    data, `math.exp` of it, a clock, random numbers, something read from outside that cannot be
    watched, an assignment to `data` inside the function. The message names the line and what to
    write instead. The function itself, called without `compile`, is not affected.
    """
