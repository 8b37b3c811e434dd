"""Arithmetic on floats that never raises: inf and nan where Python has exceptions.

The numbers are those of C's math library, and so PyTorch's for float64.
"""

from __future__ import annotations

import math
import operator

from chainrule.errors import NumberError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def divide(x: float, y: float) -> float:
    """x / y, also where y is 0.

    >>> divide(1.0, -0.0), divide(0.0, 0.0)
    (-inf, nan)
    """
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0.0 or x != x:
            return math.nan
        return math.copysign(math.inf, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """x ** y; nan for a negative x and a y that is not whole.

    >>> power(-8.0, 1 / 3), power(1e200, 2.0), power(-0.0, -1.0)
    (nan, inf, -inf)
    """
    try:
        return math.pow(x, y)
    except OverflowError:
        return -math.inf if x < 0.0 and y % 2.0 == 1.0 else math.inf
    except ValueError:
        if x != 0.0:
            return math.nan
        return math.copysign(math.inf, x) if y % 2.0 == 1.0 else math.inf


def log(x: float) -> float:
    """The natural logarithm, -inf at 0 and nan below.

    >>> log(0.0), log(-1.0)
    (-inf, nan)
    """
    try:
        return math.log(x)
    except ValueError:
        return -math.inf if x == 0.0 else math.nan


def sign(x: float) -> float:
    """1, 0 or -1; 0 for nan, as PyTorch has it."""
    return float((x > 0.0) - (x < 0.0))


def _log1p(x: float) -> float:
    return -math.inf if x == -1.0 else _log1p_above(x)


def _floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) and x != 0.0 else x  # -0.0 stays -0.0


def _where(condition: float, a: float, b: float) -> float:
    return a if condition else b


def _never_raising(
    function: Callable[[float], float], overflow: Callable[[float], float] = math.fabs
) -> Callable[[float], float]:
    """`function` with nan outside its domain, and inf, of the sign of `overflow`, above."""

    def on_floats(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return math.nan
        except OverflowError:
            return overflow(x) * math.inf

    return on_floats


exp = _never_raising(math.exp)
_log1p_above = _never_raising(math.log1p)

# The functions that the formulas of the table are made of, by the names they have there.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "divide": divide,
    "power": power,
    "exp": exp,
    "log": log,
    "log1p": _log1p,
    "expm1": _never_raising(math.expm1),
    "sqrt": _never_raising(math.sqrt),
    "sin": _never_raising(math.sin),
    "cos": _never_raising(math.cos),
    "tan": _never_raising(math.tan),
    "asin": _never_raising(math.asin),
    "acos": _never_raising(math.acos),
    "atan": math.atan,
    "atan2": math.atan2,
    "sinh": _never_raising(math.sinh, overflow=sign),
    "cosh": _never_raising(math.cosh),
    "tanh": math.tanh,
    "erf": math.erf,
    "abs": math.fabs,
    "sign": sign,
    "floor": _floor,
    "where": _where,
    "equal": operator.eq,
}


def is_number(x: Any) -> bool:
    """Whether x is one real number: Python's, NumPy's, or an array of no dimension."""
    kind = type(x)
    if kind is float or kind is int:
        return True
    return hasattr(kind, "__float__") and not getattr(x, "ndim", False)


def as_number(x: Any) -> float:
    """x as a float64.

    Raises:
        NumberError: x is not one real number, or an integer too large.
    """
    if type(x) is float:
        return x
    if not is_number(x):
        raise NumberError(f"one real number is needed, not {_described(x)}")
    try:
        return float(x)
    except OverflowError:
        raise NumberError("an integer is too large for a float64") from None


def _described(x: Any) -> str:
    kind = type(x).__name__
    if kind == "Value":
        return "a value: use it as it is, or take its number by .data"
    if isinstance(x, str):
        return f"the text {x!r}: text is read by float(...)"
    if isinstance(x, (list, tuple)) or getattr(x, "ndim", False):
        return f"a {kind}: make one value of each of its elements"
    return f"a {kind}"
