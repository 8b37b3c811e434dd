"""Values in others' programs: micrograd's and PyTorch's attributes, copying and pickling."""

from __future__ import annotations

import copyreg

from chainrule.engine import Value, constant, install
from chainrule.errors import CopyError, CustomOpError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

_SPELLING = {"add": "+", "sub": "-", "mul": "*", "div": "/", "neg": "-", "relu": "ReLU"}


def _spelled(value: Value) -> str:
    """The op as micrograd spells it: "+", "**3", "ReLU"."""
    if value.op == "constant":
        return ""
    if value.op == "pow" and value.operands[1].op == "constant":
        return f"**{value.operands[1]:g}"
    return _SPELLING.get(value.op, value.op)


def _no_closure(*_: object) -> NoReturn:
    raise CustomOpError(
        "a value has no closure _backward: its op, operands and derivatives can be read, and an "
        "op of your own is defined with @chainrule.op, giving its derivatives"
    )


def _no_subclass(*_: object) -> NoReturn:
    raise CustomOpError(
        "Value has no subclasses, for ops ask whether something is a Value itself: an op of your "
        "own is defined with @chainrule.op, and what a value should carry, keep beside it"
    )


def _reduced(value: Value) -> tuple[Any, ...]:
    """How the copy and pickle modules take a value apart."""
    if value.op == "constant":
        return constant, (value.data,)
    if value.op:
        raise CopyError(
            f"a value made by {value.op!r} cannot be copied without the graph behind it: "
            "copy the leaves, or take value.data or value.detach()"
        )
    return _leaf, (value.data, value.label, value.grad)


def _leaf(data: float, label: str, grad: float) -> Value:
    leaf = Value(data, label)
    leaf.grad = grad
    return leaf


def _svg(value: Value) -> str:
    from chainrule.viz import draw

    return draw(value).to_svg()


install("_prev", property(lambda value: set(value.operands)))
install("_op", property(_spelled))
install("_backward", property(_no_closure, _no_closure))
install("__init_subclass__", classmethod(_no_subclass))
install("__format__", lambda value, spec: format(value.data, spec) if spec else repr(value))
install("_repr_svg_", _svg)
install("item", lambda value: value.data)
install("detach", lambda value: Value(value.data))
copyreg.pickle(Value, _reduced)
