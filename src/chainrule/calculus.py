"""Derivatives as values: gradients that can be drawn, differentiated again and compiled."""

from __future__ import annotations

from chainrule import modes
from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError, ChangedDataError
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any


def grad(output: Any, inputs: Any, create_graph: bool = False) -> Any:
    """The derivatives of a value with respect to others, leaving their `grad` as it is.

    Args:
        output: the value to differentiate.
        inputs: a value of its graph, a leaf or not, or a sequence of them.
        create_graph: whether the derivatives are to be values, with a graph of their own.

    Returns:
        For each input a float, or with `create_graph` a value; one of them or a list, as
        `inputs` is. An input that the output does not depend on has the derivative 0.

    Raises:
        ChangedDataError: with `create_graph`, data was assigned since the output was computed.

    >>> x = Value(3.0)
    >>> y = x**3
    >>> grad(y, x)
    27.0
    >>> grad(grad(y, x, create_graph=True), x)
    18.0
    """
    several = hasattr(inputs, "__iter__")
    wanted = list(inputs) if several else [inputs]
    if not all(isinstance(value, Value) for value in (output, *wanted)):
        raise ArgumentError("grad needs a value and the values to differentiate it by")
    found = _gradients(output, wanted, _rules if create_graph else _numbers)
    gradients = [found.get(id(value), 0.0) for value in wanted]
    if create_graph:
        gradients = [g if isinstance(g, Value) else Value(g) for g in gradients]
    return gradients if several else gradients[0]


def jacobian(outputs: Iterable[Any], inputs: Sequence[Any], create_graph: bool = False) -> Any:
    """The derivatives of each output by each input, as a list of rows, one for each output.

    >>> x, y = Value(2.0), Value(3.0)
    >>> jacobian([x * y, x + y], [x, y])
    [[3.0, 2.0], [1.0, 1.0]]
    """
    return [grad(output, inputs, create_graph) for output in outputs]


def hessian(output: Any, inputs: Sequence[Any]) -> list[list[float]]:
    """The second derivatives of a value, by each input and each input.

    >>> x, y = Value(2.0), Value(3.0)
    >>> hessian(x**2 * y, [x, y])
    [[6.0, 4.0], [4.0, 0.0]]
    """
    rows: list[list[float]] = jacobian(grad(output, inputs, create_graph=True), inputs)
    return rows


def derivative(f: Callable[[Any], Any], n: int = 1) -> Callable[[Any], Any]:
    """The n-th derivative of a function of one value, again a function.

    Of a number it gives a float, of a value a value.

    >>> derivative(lambda x: x**3 - 4 * x)(2.0)
    8.0
    >>> derivative(lambda x: x**3, n=3)(2.0)
    6.0
    """
    if n < 0:
        raise ArgumentError(f"the order of a derivative is 0, 1, 2 ..., not {n}")

    def nth(x: Any) -> Any:
        leaf = x if isinstance(x, Value) else Value(x)
        y = f(leaf)
        for _ in range(n):
            y = grad(y, leaf, create_graph=True) if isinstance(y, Value) else 0.0
        return y.data if isinstance(y, Value) and leaf is not x else y

    return nth


def _gradients(
    output: Value, inputs: Iterable[Value], local: Callable[[Value], Sequence[Any]]
) -> dict[int, Any]:
    """The gradient of each value between the inputs and the output, by the value's id."""
    order = operands_first(output)
    between = _depending_on(inputs, order)
    gradients: dict[int, Any] = {id(output): 1.0}
    for value in reversed(order):
        gradient, operands = gradients.get(id(value)), value.operands
        if gradient is None or not any(id(operand) in between for operand in operands):
            continue  # no way leads on from here, or none that was chosen led here
        selects = value.op not in TABLE or TABLE[value.op].selects
        for operand, slope in zip(operands, local(value)):
            if id(operand) in between and not (selects and _is_zero(slope)):
                share = _product(slope, gradient)
                known = gradients.get(id(operand))
                gradients[id(operand)] = share if known is None else known + share
    return gradients


def _depending_on(inputs: Iterable[Value], order: Sequence[Value]) -> set[int]:
    """The ids of the inputs and of all values computed from them."""
    found = {id(value) for value in inputs}
    for value in order:
        if any(id(operand) in found for operand in value.operands):
            found.add(id(value))
    return found


def _numbers(value: Value) -> Sequence[float]:
    """The local derivatives as the forward pass kept them."""
    return value.derivatives


def _rules(value: Value) -> Sequence[Any]:
    """The local derivatives as expressions of the operands and the value."""
    if value.op not in TABLE:
        raise ArgumentError(
            f"a {value.op} value has first derivatives only: differentiate twice inside of the "
            "function that is compiled"
        )
    row, operands = TABLE[value.op], value.operands
    around = modes.exchange(())  # that numbers are compared is no part of a trace
    try:
        _refuse_changed(value, row.local(*[operand._data for operand in operands]))
    finally:
        modes.exchange(around)
    return [
        0.0 if operand.op == "constant" else rule(value, *operands)
        for rule, operand in zip(row.rules, operands)
    ]


def _refuse_changed(value: Value, anew: Sequence[float]) -> None:
    """Compare value and derivatives with what they are if computed anew from the operands."""
    constant = [operand.op == "constant" for operand in value.operands]
    for kept, new, skip in zip((value.data, *value.derivatives), anew, (False, *constant)):
        if not skip and kept != new and (kept == kept or new == new):
            raise ChangedDataError(
                f"data was assigned after {value.op!r} was computed: {kept!r} then, {new!r} from "
                "its operands now; build the expression again before differentiating twice"
            )


def _product(slope: Any, gradient: Any) -> Any:
    """slope * gradient, without an op for a factor that is the number 1."""
    if not isinstance(gradient, Value) and gradient == 1.0:
        return slope
    if not isinstance(slope, Value) and slope == 1.0:
        return gradient
    return slope * gradient


def _is_zero(x: Any) -> bool:
    return bool((x.data if isinstance(x, Value) else x) == 0.0)
