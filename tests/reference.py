"""What the rows of the table are held to: mathematics at 50 digits, and PyTorch.

`MATHEMATICS` defines every op anew, with its derivatives in closed form; `PYTORCH` names its
counterpart there. A new row of the table needs a line in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import mpmath

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

try:
    import torch
except ImportError:  # the mathematics is there without it
    torch = None

mp = mpmath.mp.clone()
mp.dps = 50


class Reference(NamedTuple):
    """An op as mathematics has it: its value, a derivative for each operand, and where."""

    value: Callable[..., Any]
    derivatives: tuple[Callable[..., Any], ...]
    domain: Callable[..., bool] = lambda *_: True


def _of(value: Any, *derivatives: Any, domain: Any = lambda *_: True) -> Reference:
    return Reference(value, derivatives, domain)


def _at_ties(a: Any, b: Any, choice: bool) -> Any:
    return mp.mpf(0.5) if a == b else mp.mpf(choice)


def _normal_density(a: Any) -> Any:
    return mp.exp(-a * a / 2) / mp.sqrt(2 * mp.pi)


def _normal_distribution(a: Any) -> Any:
    if abs(a) > 1e6:  # where mpmath's series would be too long
        return mp.mpf(a > 0)
    return mp.erfc(-a / mp.sqrt(2)) / 2


def _sigmoid(a: Any) -> Any:
    return 1 / (1 + mp.exp(-a))


_SLOPE = mp.mpf(0.01)  # of leaky_relu: the float64, not the hundredth

MATHEMATICS = {
    "add": _of(lambda a, b: mp.fadd(a, b, exact=True), lambda _a, _b: 1, lambda _a, _b: 1),
    "sub": _of(lambda a, b: mp.fsub(a, b, exact=True), lambda _a, _b: 1, lambda _a, _b: -1),
    "mul": _of(lambda a, b: a * b, lambda _a, b: b, lambda a, _b: a),
    "div": _of(
        lambda a, b: a / b, lambda _a, b: 1 / b, lambda a, b: -a / b**2, domain=lambda _a, b: b
    ),
    "pow": _of(
        lambda a, b: a**b,
        lambda a, b: b * a ** (b - 1),
        lambda a, b: a**b * mp.log(a),
        domain=lambda a, _b: a > 0,
    ),
    "neg": _of(lambda a: -a, lambda _a: -1),
    "exp": _of(mp.exp, mp.exp),
    "log": _of(mp.log, lambda a: 1 / a, domain=lambda a: a > 0),
    "log1p": _of(mp.log1p, lambda a: 1 / mp.fadd(1, a, exact=True), domain=lambda a: a > -1),
    "expm1": _of(mp.expm1, mp.exp),
    "sqrt": _of(mp.sqrt, lambda a: 1 / (2 * mp.sqrt(a)), domain=lambda a: a > 0),
    "sin": _of(mp.sin, mp.cos),
    "cos": _of(mp.cos, lambda a: -mp.sin(a)),
    "tan": _of(mp.tan, lambda a: mp.sec(a) ** 2),
    "asin": _of(mp.asin, lambda a: 1 / mp.sqrt((1 - a) * (1 + a)), domain=lambda a: abs(a) < 1),
    "acos": _of(mp.acos, lambda a: -1 / mp.sqrt((1 - a) * (1 + a)), domain=lambda a: abs(a) < 1),
    "atan": _of(mp.atan, lambda a: 1 / (1 + a**2)),
    "atan2": _of(
        mp.atan2,
        lambda a, b: b / (a**2 + b**2),
        lambda a, b: -a / (a**2 + b**2),
        domain=lambda a, b: a != 0 or b > 0,
    ),
    "sinh": _of(mp.sinh, mp.cosh),
    "cosh": _of(mp.cosh, mp.sinh),
    "tanh": _of(mp.tanh, lambda a: mp.sech(a) ** 2),
    "erf": _of(mp.erf, lambda a: 2 / mp.sqrt(mp.pi) * mp.exp(-(a**2))),
    "sigmoid": _of(_sigmoid, lambda a: _sigmoid(a) * _sigmoid(-a)),
    "softplus": _of(
        lambda a: a if a > 20 else mp.log1p(mp.exp(a)),
        lambda a: 1 if a > 20 else _sigmoid(a),
    ),
    "relu": _of(lambda a: max(a, 0), lambda a: a > 0),
    "leaky_relu": _of(lambda a: a if a > 0 else a * _SLOPE, lambda a: 1 if a > 0 else _SLOPE),
    "elu": _of(lambda a: a if a > 0 else mp.expm1(a), lambda a: 1 if a > 0 else mp.exp(a)),
    "gelu": _of(
        lambda a: a * _normal_distribution(a),
        lambda a: _normal_distribution(a) + a * _normal_density(a),
    ),
    "silu": _of(lambda a: a * _sigmoid(a), lambda a: _sigmoid(a) * (1 + a * _sigmoid(-a))),
    "abs": _of(abs, mp.sign),
    "sign": _of(mp.sign, lambda _a: 0),
    "floor": _of(mp.floor, lambda _a: 0),
    "maximum": _of(max, lambda a, b: _at_ties(a, b, a > b), lambda a, b: _at_ties(a, b, b > a)),
    "minimum": _of(min, lambda a, b: _at_ties(a, b, a < b), lambda a, b: _at_ties(a, b, b < a)),
    "stop_gradient": _of(lambda a: a, lambda _a: 0),
    "less": _of(lambda a, b: mp.mpf(a < b), lambda _a, _b: 0, lambda _a, _b: 0),
    "less_equal": _of(lambda a, b: mp.mpf(a <= b), lambda _a, _b: 0, lambda _a, _b: 0),
    "equal": _of(lambda a, b: mp.mpf(a == b), lambda _a, _b: 0, lambda _a, _b: 0),
    "where": _of(
        lambda a, b, c: b if a else c,
        lambda _a, _b, _c: 0,
        lambda a, _b, _c: 1 if a else 0,
        lambda a, _b, _c: 0 if a else 1,
    ),
}


def _with_graph(truth: Any, a: Any) -> Any:
    """1 or 0, with a gradient of 0: PyTorch's truth values have none at all."""
    return truth + 0.0 * torch.sign(a)


PYTORCH: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "exp": lambda a: torch.exp(a),
    "log": lambda a: torch.log(a),
    "log1p": lambda a: torch.log1p(a),
    "expm1": lambda a: torch.expm1(a),
    "sqrt": lambda a: torch.sqrt(a),
    "sin": lambda a: torch.sin(a),
    "cos": lambda a: torch.cos(a),
    "tan": lambda a: torch.tan(a),
    "asin": lambda a: torch.asin(a),
    "acos": lambda a: torch.acos(a),
    "atan": lambda a: torch.atan(a),
    "atan2": lambda a, b: torch.atan2(a, b),
    "sinh": lambda a: torch.sinh(a),
    "cosh": lambda a: torch.cosh(a),
    "tanh": lambda a: torch.tanh(a),
    "erf": lambda a: torch.erf(a),
    "sigmoid": lambda a: torch.sigmoid(a),
    "softplus": lambda a: torch.nn.functional.softplus(a),
    "relu": lambda a: torch.relu(a),
    "leaky_relu": lambda a: torch.nn.functional.leaky_relu(a),
    "elu": lambda a: torch.nn.functional.elu(a),
    "gelu": lambda a: torch.nn.functional.gelu(a),
    "silu": lambda a: torch.nn.functional.silu(a),
    "abs": lambda a: torch.abs(a),
    "sign": lambda a: torch.sign(a),
    "floor": lambda a: torch.floor(a),
    "maximum": lambda a, b: torch.maximum(a, b),
    "minimum": lambda a, b: torch.minimum(a, b),
    "where": lambda a, b, c: torch.where(a != 0, b, c),
    "less": lambda a, b: _with_graph(torch.less(a, b), a),
    "less_equal": lambda a, b: _with_graph(torch.less_equal(a, b), a),
    "equal": lambda a, b: _with_graph(torch.eq(a, b), a),
    "stop_gradient": lambda a: torch.where(torch.ones_like(a, dtype=torch.bool), a.detach(), a),
}


def mathematics(name: str) -> Reference:
    """The definition of the op in mathematics."""
    assert name in MATHEMATICS, f"add {name!r} to MATHEMATICS in tests/reference.py"
    return MATHEMATICS[name]


def pytorch(name: str, columns: Sequence[Any], gradient: float = 1.0) -> list[Any]:
    """PyTorch's values, and then its gradients, at the points whose operands the columns hold.

    A column is a list of numbers, or one number: a tensor without dimension.
    """
    assert name in PYTORCH, f"add {name!r} to PYTORCH in tests/reference.py"
    leaves = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in columns]
    value = PYTORCH[name](*leaves)
    above = torch.full_like(value, gradient)
    found = torch.autograd.grad(value, leaves, above, allow_unused=True)
    gradients = [torch.zeros_like(value) if g is None else g for g in found]
    return [tensor.tolist() for tensor in (value.detach(), *gradients)]
