"""A compiled result beside that of the function itself, as numbers and as gradients."""

from __future__ import annotations

from chainrule.calculus import grad
from chainrule.check import condition, near_kinks
from chainrule.compiler.traced import parts
from chainrule.engine import Value
from chainrule.errors import TraceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TOLERANCE = 1e-12  # times the condition: sums are done in another order


def compare(result: Any, plain: Any) -> None:
    """Refuse a result that is not, within rounding, what the function itself returns.

    Where a kink is so near that rounding decides on its side, either side is right.

    Raises:
        TraceError: says which numbers differ.
    """
    for ours, right in zip(parts(result), parts(plain), strict=True):
        if type(right) is not Value:
            unit = abs(right) if isinstance(right, (float, int)) else 0.0
            _refuse_difference("a number", ours, right, unit)
        elif right.op and not near_kinks(right, any_order=True):
            _refuse_difference("a value", ours.data, right.data, condition(right, any_order=True))
            leaves = [x for x in ours.operands if not x.op]
            units = condition(right, leaves, any_order=True)
            for gradients in zip(grad(ours, leaves), grad(right, leaves), units):
                _refuse_difference("a gradient", *gradients)


def _refuse_difference(what: str, ours: Any, right: Any, unit: float) -> None:
    same = ours == right or (ours != ours and right != right)
    if not same and not abs(ours - right) <= _TOLERANCE * unit:
        raise TraceError(
            f"{what} of the compiled function is {ours!r}, and of the function itself {right!r}: "
            "please report this, with the function"
        )
