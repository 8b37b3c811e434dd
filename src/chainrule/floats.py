"""Arithmetic on floats that never raises: inf and nan where Python has exceptions.

The numbers are those of C's math library, and so PyTorch's for float64.
"""

from __future__ import annotations

import math
import operator

from chainrule.errors import ArgumentError, NumberError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


_NAN = float("nan")
_INF = float("inf")


def divide(x: float, y: float) -> float:
    """x / y, also where y is 0.

    >>> divide(1.0, -0.0), divide(0.0, 0.0)
    (-inf, nan)
    """
    try:
        return x / y
    except ZeroDivisionError:
        if x == 0.0 or x != x:
            return _NAN
        return math.copysign(_INF, x) * math.copysign(1.0, y)


def power(x: float, y: float) -> float:
    """x ** y; nan for a negative x and a y that is not whole.

    >>> power(-8.0, 1 / 3), power(1e200, 2.0), power(-0.0, -1.0)
    (nan, inf, -inf)
    """
    try:
        return math.pow(x, y)
    except OverflowError:
        return -_INF if x < 0.0 and y % 2.0 == 1.0 else _INF
    except ValueError:
        if x != 0.0:
            return _NAN
        return math.copysign(_INF, x) if y % 2.0 == 1.0 else _INF


def exp(x: float) -> float:
    """e ** x, inf where that is too large.

    >>> exp(1000.0)
    inf
    """
    try:
        return math.exp(x)
    except OverflowError:
        return _INF


def log(x: float) -> float:
    """The natural logarithm, -inf at 0 and nan below.

    >>> log(0.0), log(-1.0)
    (-inf, nan)
    """
    try:
        return math.log(x)
    except ValueError:
        return -_INF if x == 0.0 else _NAN


def tanh(x: float) -> float:
    """The hyperbolic tangent, to 1 unit in the last place where C's is off by 2.

    Its derivative 1 - y * y magnifies what y is off by.

    >>> tanh(1000.0), tanh(-0.0)
    (1.0, -0.0)
    """
    if not 0.55 < math.fabs(x) < 20.0:
        return math.tanh(x)
    return math.copysign(1.0 - 2.0 / (math.exp(2.0 * math.fabs(x)) + 1.0), x)


def sign(x: float) -> float:
    """1, 0 or -1; 0 for nan, as PyTorch has it."""
    return float((x > 0.0) - (x < 0.0))


def _log1p(x: float) -> float:
    return -_INF if x == -1.0 else _log1p_above(x)


def _floor(x: float) -> float:
    return float(math.floor(x)) if math.isfinite(x) and x != 0.0 else x  # -0.0 stays -0.0


def _where(condition: float, a: float, b: float) -> float:
    return a if condition else b


def _never_raising(
    function: Callable[[float], float], overflow: Callable[[float], float] = math.fabs
) -> Callable[[float], float]:
    """`function` with nan outside its domain, and inf, of the sign of `overflow`, above."""
    if __file__.endswith((".so", ".pyd")):  # in the native build it is C's, which never raises
        return function

    def on_floats(x: float) -> float:
        try:
            return function(x)
        except ValueError:
            return _NAN
        except OverflowError:
            return overflow(x) * _INF

    return on_floats


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
    "tanh": tanh,
    "erf": math.erf,
    "abs": math.fabs,
    "sign": sign,
    "floor": _floor,
    "where": _where,
    "equal": operator.eq,
}


def is_number(x: Any) -> bool:
    """Whether x is one real number: Python's, NumPy's, or an array of no dimension."""
    if issubclass(type(x), (float, int)):  # traced data says by its __class__ that it is a float
        return True
    if not hasattr(type(x), "__float__") or getattr(x, "ndim", False):
        return False
    dtype = getattr(x, "dtype", None)  # NumPy's text and complex numbers have a __float__ too
    return getattr(dtype, "kind", "f") in "biufO"


def as_number(x: Any) -> float:
    """x as a float64.

    Raises:
        NumberError: x is not one real number, or an integer too large.
    """
    if type(x) is float:
        return x
    if not is_number(x):
        raise _not_a_number(x)
    try:
        return float(x)
    except OverflowError:
        raise NumberError("an integer is too large for a float64") from None
    except (TypeError, ValueError):
        raise _not_a_number(x) from None


def as_text(label: Any) -> str:
    """A label as it is.

    Raises:
        ArgumentError: it is not text.
    """
    if not isinstance(label, str):
        raise ArgumentError(f"a label is text, not {label!r}")
    return label


def _not_a_number(x: Any) -> NumberError:
    kind = type(x).__name__
    seen = f"a {kind}"
    if kind == "Value":
        seen = "a value: use it as it is, or take its number by .data"
    elif isinstance(x, str):
        seen = f"the text {x!r}: text is read by float(...)"
    elif isinstance(x, (list, tuple)) or getattr(x, "ndim", False):
        seen = f"a {kind}: make one value of each of its elements"
    return NumberError(f"one real number is needed, not {seen}")
