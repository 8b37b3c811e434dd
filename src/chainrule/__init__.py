"""Write scalars. See every derivative. Run at array speed."""

from __future__ import annotations

import chainrule.engine
import chainrule.interop  # what it installs on values
from chainrule.calculus import derivative, grad, hessian, jacobian
from chainrule.check import (
    condition,
    detect_anomaly,
    gradcheck,
    gradgradcheck,
    numerical_derivative,
    step_size_study,
)
from chainrule.compiler.compiled import compile
from chainrule.compiler.lifted import lift
from chainrule.compiler.step import train_step
from chainrule.compiler.trace import lookup
from chainrule.engine import Value
from chainrule.modes import no_grad
from chainrule.ops import (
    TABLE,
    acos,
    asin,
    atan,
    atan2,
    cos,
    cosh,
    dot,
    elu,
    erf,
    exp,
    expm1,
    floor,
    gelu,
    leaky_relu,
    log,
    log1p,
    logsumexp,
    maximum,
    mean,
    minimum,
    op,
    relu,
    sigmoid,
    sign,
    silu,
    sin,
    sinh,
    softmax,
    softplus,
    sqrt,
    stop_gradient,
    sum,
    tan,
    tanh,
    where,
)
from chainrule.ops import abs_ as abs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chainrule.compiler.compiled import Compiled
    from chainrule.compiler.lifted import Lifted
    from chainrule.compiler.step import TrainStep
    from chainrule.nn import Module
    from chainrule.viz.explorer import Explorer
    from chainrule.viz.program import ProgramExplorer

__version__ = "0.1.0"

native = chainrule.engine.__file__.endswith((".so", ".pyd"))  # whether the engine is a compiled one


def explore(
    value: Value | Compiled | Lifted | TrainStep, *, model: Module | None = None
) -> Explorer | ProgramExplorer:
    """Backpropagation from a value, to step through op by op in a page of its own.

    At each step the page shows the chain rule in symbols and numbers, which values still wait for
    gradients, and on request what goes wrong in another order, or with = for +=.

    Of a compiled function, after a call, the page shows the array program beside the scalars that
    it came from: each instruction lights up its values, and each value its instruction.

    Args:
        value: the result, where the gradient of 1 starts; or what `compile`, `lift` or
            `train_step` gave, then its size does not matter.
        model: the module whose parameters take part; those without a label carry their paths.

    Raises:
        ArgumentError: something else was given, or more than 200 values are behind a value.
        ChangedDataError: data was assigned since the value was computed.
        TraceError: a compiled function was not called yet.
        MissingExtraError: NumPy, which runs a lifted graph, is not installed.

    >>> a = Value(3.0, label="a")
    >>> explorer = explore(a * a + a)  # then explorer.save("steps.html")
    >>> explorer.to_html().startswith("<!doctype html>")
    True
    """
    from chainrule.viz.explorer import Explorer  # takes longer to import than the package
    from chainrule.viz.program import Explored, ProgramExplorer

    return ProgramExplorer(value, model) if isinstance(value, Explored) else Explorer(value, model)


__all__ = [
    "TABLE",
    "Value",
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "compile",
    "condition",
    "cos",
    "cosh",
    "derivative",
    "detect_anomaly",
    "dot",
    "elu",
    "erf",
    "exp",
    "explore",
    "expm1",
    "floor",
    "gelu",
    "grad",
    "gradcheck",
    "gradgradcheck",
    "hessian",
    "jacobian",
    "leaky_relu",
    "lift",
    "log",
    "log1p",
    "logsumexp",
    "lookup",
    "maximum",
    "mean",
    "minimum",
    "native",
    "no_grad",
    "numerical_derivative",
    "op",
    "relu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softmax",
    "softplus",
    "sqrt",
    "step_size_study",
    "stop_gradient",
    "sum",
    "tan",
    "tanh",
    "train_step",
    "where",
]
