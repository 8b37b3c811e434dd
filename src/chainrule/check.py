"""Numerical derivatives, and what they are good for: checking the exact ones.

Also the yardstick for comparing two computations of one gradient (`condition`), and the mode that
finds where a number first became nan or infinite (`detect_anomaly`).
"""

from __future__ import annotations

import math

from chainrule.calculus import derivative, grad
from chainrule.engine import Value, operands_first
from chainrule.errors import AnomalyError, ArgumentError, GradientCheckError, user_line
from chainrule.floats import as_number
from chainrule.modes import Mode, no_grad
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from chainrule.ops import Op


# ---- differences ----


def numerical_derivative(
    f: Callable[..., Any], x: Any, h: float = 1e-6, method: str = "central"
) -> Any:
    """The slope of f between x and a point nearby.

    Args:
        f: a function of numbers or, if x is a value, of values.
        x: the point; for a function of several arguments a list, whose elements are nudged one
            at a time.
        h: the distance of the point nearby.
        method: "forward", from x to x + h, or "central", from x - h to x + h.

    Returns:
        A float; for a list of arguments a list of them.

    >>> numerical_derivative(lambda x: 3 * x**2 - 4 * x + 5, 3.0, h=0.5, method="forward")
    15.5
    >>> numerical_derivative(lambda x: 3 * x**2 - 4 * x + 5, 3.0, h=0.5)
    14.0
    """
    if method not in ("forward", "central"):
        raise ArgumentError(f'method is "forward" or "central", not {method!r}')
    if not h > 0.0:
        raise ArgumentError(f"the step h must be greater than 0, not {h}")
    if isinstance(x, (list, tuple)):
        return [numerical_derivative(_section(f, x, i), x[i], h, method) for i in range(len(x))]
    with no_grad():
        if method == "forward":
            return (_data(f(x + h)) - _data(f(x))) / h
        return (_data(f(x + h)) - _data(f(x - h))) / (2.0 * h)


class StepSizeStudy:
    """How far numerical derivatives are from the exact one, for each size of the step.

    Attributes:
        exact: the derivative by backpropagation.
        steps: the sizes of the step, from large to small.
        forward, central: the errors of the two methods, one for each step.
    """

    def __init__(self, f: Callable[[Any], Any], x: float) -> None:
        self.exact: float = derivative(f)(x)
        self.steps = [10.0 ** (-k / 4.0) for k in range(61)]
        self.forward = [self._error(f, x, h, "forward") for h in self.steps]
        self.central = [self._error(f, x, h, "central") for h in self.steps]

    def _error(self, f: Callable[[Any], Any], x: float, h: float, method: str) -> float:
        return abs(float(numerical_derivative(f, Value(x), h, method)) - self.exact)

    def plot(self, path: str) -> None:
        """Save the two errors against the step as a picture: two valleys."""
        from chainrule.viz.plots import step_size_plot

        step_size_plot(self.steps, self.forward, self.central, path)


def step_size_study(f: Callable[[Any], Any], x: float) -> StepSizeStudy:
    """The errors of numerical derivatives of f at x, for steps from 1 down to 1e-15.

    A large step is inaccurate because f bends; a small one because f(x + h) and f(x) agree in
    nearly all their digits, and little is left of their difference.

    >>> study = step_size_study(lambda x: 3 * x**2 - 4 * x + 5, 3.0)
    >>> study.exact
    14.0
    >>> study.forward[0]
    3.0
    """
    return StepSizeStudy(f, x)


def _section(f: Callable[..., Any], point: Sequence[Any], i: int) -> Callable[[Any], Any]:
    """f as a function of its i-th argument alone."""
    return lambda x: f(*point[:i], x, *point[i + 1 :])


def _on_numbers(f: Callable[[Value], Any]) -> Callable[[float], float]:
    """f as a function of floats."""
    return lambda x: _data(f(Value(x)))


def _data(x: Any) -> float:
    return x.data if isinstance(x, Value) else as_number(x)


# ---- checking gradients ----

_SHRINK = 2.0
_STEPS = 20


def gradcheck(
    f: Callable[..., Any], inputs: Sequence[Any], rtol: float = 1e-6, atol: float = 1e-9
) -> bool:
    """Compare the gradient of f, by backpropagation, with numerical derivatives.

    Args:
        f: a function of as many values as there are inputs, which returns a value.
        inputs: the point, as numbers or values.
        rtol: the difference allowed, as a part of the greater of the two numbers.
        atol: the difference allowed besides, as a part of f or of 1.

    Returns:
        True.

    Raises:
        GradientCheckError: they differ; the message names the input, both numbers and the likely
            cause.

    >>> gradcheck(lambda a, b: (a * b).tanh(), [0.3, -1.2])
    True
    """
    _compare(f, [_data(x) for x in inputs], _names(f, inputs), rtol, atol)
    return True


def gradgradcheck(
    f: Callable[..., Any], inputs: Sequence[Any], rtol: float = 1e-6, atol: float = 1e-9
) -> bool:
    """Compare second derivatives of f with numerical derivatives of its gradient.

    Arguments, result and error are those of `gradcheck`.

    >>> gradgradcheck(lambda a, b: (a * b).tanh(), [0.3, -1.2])
    True
    """
    point, names = [_data(x) for x in inputs], _names(f, inputs)
    for i, name in enumerate(names):

        def partial(*values: Value, i: int = i) -> Any:
            return grad(f(*values), values[i], create_graph=True)

        try:
            _compare(partial, point, names, rtol, atol)
        except GradientCheckError as error:
            raise GradientCheckError(f"the derivative by input {name}, by {error}") from None
    return True


def _compare(
    f: Callable[..., Any], point: list[float], names: list[str], rtol: float, atol: float
) -> None:
    """Raise if backpropagation through f and differences of f do not agree."""
    leaves = [Value(x) for x in point]
    output = f(*leaves)
    if not isinstance(output, Value):
        raise ArgumentError(f"gradcheck needs a function that returns a value, not {output!r}")
    for i, exact in enumerate(grad(output, leaves)):
        section = _on_numbers(_section(f, leaves, i))
        numerical, error = _extrapolated(section, point[i])
        allowed = rtol * max(abs(exact), abs(numerical)) + atol * max(1.0, abs(output.data))
        if not abs(exact - numerical) <= allowed:
            if section(point[i]) != output.data:
                cause = "the function gives another result each time it is called"
            else:
                cause = _likely_cause(output, exact, numerical, error)
            raise GradientCheckError(
                f"input {names[i]}: backpropagation gives {exact!r}, differences give "
                f"{numerical!r}; {cause}"
            )


def _extrapolated(f: Callable[[float], float], x: float) -> tuple[float, float]:
    """The derivative of f at x, extrapolated from central differences, and its likely error.

    Ridders, "Accurate computation of F'(x) and F'(x)F''(x)", 1982: of a table of polynomial
    extrapolations to a step of 0, the entry that differs least from its neighbours.
    """
    best, least = math.nan, math.inf
    previous: list[float] = []
    h = 0.1 * max(1.0, abs(x))
    for _ in range(_STEPS):
        row = [(f(x + h) - f(x - h)) / (2.0 * h)]
        for k, coarse in enumerate(previous):
            factor = _SHRINK ** (2 * k + 2)
            finer = (factor * row[k] - coarse) / (factor - 1.0)
            error = max(abs(finer - row[k]), abs(finer - coarse))
            if error < least:
                best, least = finer, error
            row.append(finer)
        previous = row
        h /= _SHRINK
    return best, least


def _names(f: Callable[..., Any], inputs: Sequence[Any]) -> list[str]:
    """What the inputs are called: by their labels, by f's parameters, or by their places."""
    code = getattr(f, "__code__", None)
    parameters = code.co_varnames[: code.co_argcount] if code else ()
    names = []
    for i, value in enumerate(inputs):
        name = getattr(value, "label", "") or (parameters[i] if i < len(parameters) else "")
        names.append(f"{name!r}" if name else f"{i}")
    return names


def _likely_cause(output: Value, exact: float, numerical: float, error: float) -> str:
    """Why a gradient is wrong, in words: a wrong rule, else a kink, else what the ratio says."""
    applied = [value for value in operands_first(output) if value.operands]
    inner = [value for value in applied if value.op != "stop_gradient"]  # wrong on purpose
    at_kink = [value for value in inner if _at_kink(value)]
    for value in inner:
        if value not in at_kink:
            for i, rule_gives in enumerate(value.derivatives):
                found, error_here = _local_difference(TABLE[value.op], value, i)
                if abs(rule_gives - found) > 1e-5 * abs(found) + 1e-9 + 10 * error_here:
                    return (
                        f"the rule of {value.op!r} for its operand {TABLE[value.op].operands[i]!r} "
                        f"gives {rule_gives!r} where differences give {found!r}"
                    )
    if at_kink:
        return f"{at_kink[0].op!r} has a kink here: {TABLE[at_kink[0].op].at_kink}"
    if exact == 0.0:
        return (
            "no gradient arrives: a number was taken out by .data, detach(), no_grad() or "
            "stop_gradient()"
        )
    if not error < 1e-3 * abs(numerical):
        return f"the differences are uncertain by {error:.1g} here: a kink or a pole is near"
    return "each op's rule is right at this point: the function may depend on more than its inputs"


def _at_kink(value: Value) -> bool:
    """Whether the differences of an op's operands straddle its kink."""
    row = TABLE[value.op]
    return bool(row.kink) and abs(row.kink_distance(*[x.data for x in value.operands])) < 1e-6


def _local_difference(row: Op, value: Value, i: int) -> tuple[float, float]:
    """The numerical derivative of an op by its i-th operand, and its likely error."""
    point = [operand.data for operand in value.operands]
    if value.operands[i].op == "constant":
        return value.derivatives[i], 0.0
    return _extrapolated(lambda x: _section(row.local, point, i)(x)[0], point[i])


# ---- the yardstick ----

_EPS = 2.0**-52
_EXACT = {"neg", "abs", "sign", "floor", "where"}  # these do not round


def condition(output: Value, inputs: Sequence[Value] | None = None, any_order: bool = False) -> Any:
    """How many units of rounding a number may carry: the yardstick for comparing two computations.

    Each op rounds its result by one unit in the last place. What arrives at the output is the sum
    of these, each multiplied by the absolute values of the derivatives on its way: the chain
    rule over absolute values. A gradient is rounded on its way back too, and its factors, the
    local derivatives, bring what was rounded on the way forward.

    Args:
        output: a value.
        inputs: values of its graph, whose gradients are asked about; None for the output itself.
        any_order: whether one of the computations may add up the terms of a sum in another order,
            in which they may cancel later.

    Returns:
        An absolute number c, or one for each input: two right computations differ by 2**-52 * c
        at most, times a small factor for how well the functions used are rounded.

    >>> x = Value(3.0)
    >>> condition(x * x), condition(x * x, [x])
    (9.0, [15.0])
    >>> condition((x + 1e6) - 1e6) > 1e6
    True
    >>> y = (x - x) + 1
    >>> condition(y), condition(y, any_order=True)
    (1.0, 13.0)
    """
    forward = _forward_errors(output, {}, any_order)
    if inputs is None:
        return forward[id(output)]
    return _backward_errors(output, forward, inputs, any_order)


def near_kinks(output: Value, units: float = 64.0, any_order: bool = False) -> list[Value]:
    """The values where rounding may decide on which side of a kink an op is.

    Args:
        output: a value, whose graph is searched.
        units: how many times the condition of a kink's formula counts as near.
        any_order: as in `condition`.

    >>> x = Value(0.3)
    >>> [value.op for value in near_kinks((x - 0.1 - 0.2).relu() + x.relu())]
    ['relu']
    """
    forward = _forward_errors(output, {}, any_order)
    found = []
    for value in operands_first(output):
        twice = value.operands[1:] == value.operands[:1]  # a tie with itself is one for everybody
        if value.op and value.op != "constant" and TABLE[value.op].kink and not twice:
            copies, errors = _copies(value.operands, forward)
            distance = TABLE[value.op].kink_distance(*copies)
            if isinstance(distance, Value):
                error = _forward_errors(distance, errors)[id(distance)]
                if abs(distance.data) < units * _EPS * error:
                    found.append(value)
    return found


def _forward_errors(
    output: Value, known: dict[int, float], any_order: bool = False
) -> dict[int, float]:
    """The rounding that each value of a graph carries, in units of 2**-52, by id."""
    errors = dict(known)
    terms: dict[int, float] = {}  # how large a value may become on the way, by id
    for value in operands_first(output):
        summed = any_order and value.op in ("add", "sub", "neg")
        terms[id(value)] = sum(terms[id(x)] for x in value.operands) if summed else abs(value.data)
        if id(value) not in errors:
            arrived = sum(
                abs(slope) * errors[id(operand)]
                for operand, slope in zip(value.operands, value.derivatives)
                if slope != 0.0
            )
            rounded = _rounding(value) if value.operands else 0.0
            errors[id(value)] = arrived + (terms[id(value)] if summed else rounded)
    return errors


def _rounding(value: Value) -> float:
    """What an op adds: one unit, or as many as its formula does if that is made of other ops."""
    if value.op in _EXACT:
        return 0.0
    if value.op not in TABLE:
        raise ArgumentError(
            f"a {value.op} value does not tell its roundings: ask about what the function itself "
            "returns"
        )
    written_out = TABLE[value.op].written_out(*[Value(x.data) for x in value.operands])
    if not isinstance(written_out, Value) or written_out.op == value.op:
        return abs(value.data)
    return _forward_errors(written_out, {})[id(written_out)]


def _copies(
    values: Sequence[Value], errors: dict[int, float]
) -> tuple[list[Value], dict[int, float]]:
    """Leaves with the numbers of these values, and the rounding they carry."""
    copies = [Value(value.data) for value in values]
    return copies, {id(copy): errors[id(value)] for copy, value in zip(copies, values)}


def _derivative_errors(value: Value, forward: dict[int, float]) -> list[float]:
    """The rounding that each local derivative of a value carries."""
    copies, errors = _copies((value, *value.operands), forward)
    expressions = [rule(*copies) for rule in TABLE[value.op].rules]
    return [
        _forward_errors(expression, errors)[id(expression)] if type(expression) is Value else 0.0
        for expression in expressions
    ]


def _backward_errors(
    output: Value, forward: dict[int, float], inputs: Sequence[Value], any_order: bool
) -> list[float]:
    """The rounding that the gradients of the inputs carry, in units of 2**-52."""
    order = operands_first(output)
    gradients = {id(value): 0.0 for value in order} | {id(output): 1.0}
    errors = {id(value): 0.0 for value in order}
    terms = dict(errors)
    for value in reversed(order):
        if not value.operands:
            continue
        gradient, error = gradients[id(value)], errors[id(value)]
        rounded = _derivative_errors(value, forward)
        for operand, slope, more in zip(value.operands, value.derivatives, rounded):
            if slope != 0.0 or not TABLE[value.op].selects:
                share = slope * gradient
                gradients[id(operand)] += share
                terms[id(operand)] += abs(share)
                partial = terms[id(operand)] if any_order else abs(gradients[id(operand)])
                arrived = abs(slope) * error + abs(gradient) * more
                errors[id(operand)] += arrived + abs(share) + partial
    return [errors.get(id(value), 0.0) for value in inputs]


# ---- finding the first nan ----


class detect_anomaly(Mode):  # noqa: N801 - PyTorch's name
    """Within it, the first number that becomes nan or infinite raises an error.

    The error names the op, its operands, and the line that applied it, also if it is the
    gradient, on the way back, that becomes nan or infinite.

    Raises:
        AnomalyError: as said.

    >>> with detect_anomaly():  # doctest: +ELLIPSIS
    ...     Value(-1.0, label="x").log()
    Traceback (most recent call last):
    chainrule.errors.AnomalyError: log(x = -1.0) gave nan at ...
    """

    def __init__(self) -> None:
        self._lines: dict[Value, str] = {}

    def made(self, value: Value) -> None:
        self._lines[value] = user_line()
        if not math.isfinite(value.data):
            raise AnomalyError(f"{_call(value)} gave {value.data} at {self._lines[value]}")

    def passed(self, order: list[Value]) -> None:
        for value in reversed(order):
            for operand, slope in zip(value.operands, value.derivatives):
                share = slope * value.grad
                if operand.op != "constant" and not math.isfinite(share):
                    raise AnomalyError(
                        f"the derivative of {_call(value)} is {slope}, which times the "
                        f"gradient {value.grad} from above gave {share}; "
                        f"the op is at {self._lines.get(value, 'a line outside detect_anomaly()')}"
                    )


def _call(value: Value) -> str:
    """An op with its operands and their numbers, as "log(x = -1.0)"."""
    shown = [f"{x.label} = {x.data}" if x.label else f"{x.data}" for x in value.operands]
    return f"{value.op}({', '.join(shown)})"
