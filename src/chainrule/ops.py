"""THE table of ops: one row holds all that is known of an op, and everything else reads it.

A row gives an op's value and its derivatives as formulas. The operands are called a, b, c and the
value y; a formula is written with operators and the functions of other rows, and a condition is
`where(a < 0, ..., ...)`, never an `if`. So floats, values and, in the compiler, arrays pass through
the same rule. A derivative follows PyTorch's derivatives.yaml, in the order of its operations,
so that what rounds there rounds here.

To add an op, add a row: its function, method, drawing, compiled code and tests come from it.
"""

from __future__ import annotations

import ast
import functools
import math
import operator

from chainrule import floats
from chainrule.engine import Value, apply, install, register
from chainrule.errors import ArgumentError, CustomOpError
from chainrule.floats import as_number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any

TABLE: dict[str, Op] = {}
_NOT_ROWS = ("constant", "datum", "lookup")  # other names of what nodes of a graph can be


class Op:
    """One row of the table. Called with values it makes a value, with numbers a float.

    Args:
        name: what the function and the method are called.
        value: the formula of the value, or a function of floats.
        derivatives: the formulas of the derivatives, one for each operand.
        operands: what the formulas call the operands; a, b, c if not said.
        probes: points, each with a number for each operand, where tests compare the row with
            numerical derivatives and with PyTorch.
        selects: whether an operand with a derivative of 0 was not chosen and is passed nothing
            at all, even where the gradient from above is inf or nan.
        kink: where the derivative jumps, as a formula that is 0 there.
        at_kink: what is chosen there, in words.

    >>> sigmoid(0.0), sigmoid(Value(0.0)).data
    (0.5, 0.5)
    >>> print(sigmoid)
    sigmoid(a) = 1 / (1 + exp(-a)); d/da = (1 - y) * y
    """

    def __init__(
        self,
        name: str,
        value: str | Callable[..., float],
        *derivatives: str,
        operands: Sequence[str] = (),
        probes: Sequence[tuple[float, ...]] = (),
        selects: bool = False,
        kink: str = "",
        at_kink: str = "",
    ) -> None:
        self.name = name
        self.value = value
        self.derivatives = derivatives
        self.operands = tuple(operands) or ("a", "b", "c")[: len(derivatives)]
        self.probes = tuple(probes)
        self.selects = selects
        self.kink = kink
        self.at_kink = at_kink
        self.__name__ = name
        self.__doc__ = str(self)
        self._in_engine = _IN_ENGINE.get(name)
        if self._in_engine is None:
            self._code = register(name, selects)
            install(name, lambda *operands: apply(self._code, self.local, operands))
        elif not hasattr(Value, name):
            install(name, self._in_engine)
        TABLE[name] = self

    def __call__(self, *operands: Any) -> Any:
        if len(operands) != len(self.operands):
            raise ArgumentError(
                f"{self.form} takes {len(self.operands)} operands, not {len(operands)}"
            )
        for operand in operands:
            if type(operand) is Value:
                if self._in_engine is not None:
                    return self._in_engine(*operands)
                return apply(self._code, self.local, operands)
        for operand in operands:
            if hasattr(operand, "applied"):  # data of a function that is being traced
                return operand.applied(self, operands)
        return self.local(*[as_number(operand) for operand in operands])[0]

    @property
    def form(self) -> str:
        """How a call is written: "atan2(a, b)"."""
        return f"{self.name}({', '.join(self.operands)})"

    @functools.cached_property
    def local(self) -> Callable[..., tuple[float, ...]]:
        """A function of floats that gives the value and then the local derivatives."""
        value, known = self.value, {}
        if not isinstance(value, str):
            function = value
            known = {"_value": lambda *operands: as_number(function(*operands))}
            value = f"_value({', '.join(self.operands)})"
        formula = f"(y := {value}, {', '.join(self.derivatives)})"
        local: Callable[..., tuple[float, ...]]
        local = python_function(formula, self.operands, OnFloats(), **known)
        return local

    @functools.cached_property
    def rules(self) -> tuple[Callable[..., Any], ...]:
        """For each operand, the function of (y, *operands) that gives its derivative."""
        arguments = ("y", *self.operands)
        return tuple(python_function(rule, arguments, OnValues()) for rule in self.derivatives)

    @functools.cached_property
    def kink_distance(self) -> Callable[..., Any]:
        """A function of the operands that is 0 at the kinks, for a row that has any."""
        return python_function(self.kink, self.operands, OnValues())  # type: ignore[no-any-return]

    @functools.cached_property
    def written_out(self) -> Callable[..., Any]:
        """The value as an expression in other rows; for a function of floats, the row itself."""
        if not isinstance(self.value, str):
            return self
        return python_function(self.value, self.operands, OnValues())  # type: ignore[no-any-return]

    def __str__(self) -> str:
        value = self.value if isinstance(self.value, str) else f"{self.form} in Python"
        rules = [f"d/d{a} = {rule}" for a, rule in zip(self.operands, self.derivatives)]
        return "; ".join([f"{self.form} = {value}", *rules])

    def __repr__(self) -> str:
        return f"<op {self.form}>"


def op(*derivatives: str, **row: Any) -> Callable[[Callable[..., float]], Op]:
    """Make an op of a function of floats, by giving its derivatives: a row of your own.

    Args:
        derivatives: one formula for each argument, by the arguments' own names; y is the value.
        row: `probes`, `selects`, `kink` and `at_kink`, as in `Op`.

    Returns:
        What turns the function into an op: a function of values and numbers, a method of values.

    Raises:
        CustomOpError: a derivative is missing, is no formula, or the name is taken.

    >>> @op("2 * x * w", "x**2")
    ... def weighted_square(x, w):
    ...     return x * x * w
    >>> a = Value(3.0)
    >>> y = weighted_square(a, 0.5)
    >>> y.backward()
    >>> y.data, a.grad
    (4.5, 3.0)
    """

    def make(function: Callable[..., float]) -> Op:
        name, operands = _signature(function)
        if not operands or len(operands) != len(derivatives):
            raise CustomOpError(
                f"{name}({', '.join(operands)}) needs one derivative for each argument, "
                f"{len(operands)} in all, not {len(derivatives)}"
            )
        for formula in derivatives:
            _parsed(formula, operands)
        made = Op(name, function, *derivatives, operands=operands, **row)
        made.__doc__ = function.__doc__ or made.__doc__
        return made

    return make


def _signature(function: Callable[..., float]) -> tuple[str, tuple[str, ...]]:
    """What an op made of a function is called, and its operands, if these names are free."""
    code = getattr(function, "__code__", None)
    if code is None or not function.__name__.isidentifier():
        raise CustomOpError(f"an op is made of a function with a name, by def, not of {function!r}")
    name, operands = function.__name__, code.co_varnames[: code.co_argcount]
    known = TABLE.get(name)
    if known is None:
        taken = getattr(Value, name, None) or name in (*_NOT_ROWS, *floats.FUNCTIONS)
    else:
        taken = isinstance(known.value, str)
    if taken:
        raise CustomOpError(f"{name!r} is the name of something else: call the op otherwise")
    if "y" in operands:
        raise CustomOpError(f"y is the value of {name} in formulas: call the argument otherwise")
    return name, operands


# ---- formulas ----


class OnValues(ast.NodeTransformer):
    """Formulas as they stand: values have operators, and the functions are the rows."""

    def function(self, name: str) -> Any:
        if name == "equal":
            return _equal
        if name not in TABLE:
            raise CustomOpError(f"{name!r} stands in the formula of an op, but is no op itself")
        return TABLE[name]


class OnFloats(OnValues):
    """Formulas on floats, where a division by 0 is inf and not an exception."""

    def function(self, name: str) -> Any:
        if name in floats.FUNCTIONS:
            return floats.FUNCTIONS[name]
        row = super().function(name)
        return lambda *operands: row.local(*operands)[0]

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Constant(float(node.value))  # type: ignore[arg-type]

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        self.generic_visit(node)
        helper = {ast.Div: "divide", ast.Pow: "power"}.get(type(node.op))
        if helper is None:
            return node
        return ast.Call(ast.Name(helper, ast.Load()), [node.left, node.right], [])


def python_function(formula: str, arguments: Sequence[str], realm: OnValues, **known: Any) -> Any:
    """The Python function of a formula, whose names mean what they mean in `realm`."""
    tree = ast.fix_missing_locations(realm.visit(_parsed(formula, arguments)))
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    free = names - {"y", *arguments, *known}
    known.update((name, realm.function(name)) for name in free)
    return eval(compile(tree, f"<formula {formula}>", "eval"), known)


def _parsed(formula: str, arguments: Sequence[str]) -> ast.Expression:
    """The syntax of the Python function of a formula."""
    try:
        tree = ast.parse(f"lambda {', '.join(arguments)}: {formula}", mode="eval")
        if isinstance(tree.body, ast.Lambda):  # "1, 2" would make it a tuple
            return tree
    except SyntaxError:
        pass
    raise CustomOpError(f"{formula!r} is not a formula of {', '.join(arguments)}")


def _equal(a: Any, b: Any) -> bool:
    """Whether two numbers are equal, be they values or not."""
    return bool((a.data if type(a) is Value else a) == (b.data if type(b) is Value else b))


# ---- the table ----

# The lecture's ops, which engine.py writes out; a test holds them to their rows.
_IN_ENGINE: dict[str, Callable[..., Any]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "div": lambda a, b: a / b,
    "pow": lambda a, b: a**b,
    "neg": lambda a: -a,
    "exp": Value.exp,
    "log": Value.log,
    "tanh": Value.tanh,
    "relu": Value.relu,
}

_LINE = [(-2.5,), (-0.3,), (0.7,), (1.9,)]
_POSITIVE = [(0.01,), (0.7,), (1.0,), (25.0,)]
_PLANE = [(1.3, 0.4), (-0.7, 2.1), (2.2, -1.5), (-3.1, -0.2)]

add = Op("add", "a + b", "1", "1", probes=_PLANE)
sub = Op("sub", "a - b", "1", "-1", probes=_PLANE)
mul = Op("mul", "a * b", "b", "a", probes=_PLANE)
div = Op("div", "a / b", "1 / b", "-(y / b)", probes=_PLANE)
pow_ = Op(
    "pow",
    "a ** b",
    "where(equal(b, 0), 0, b * a ** (b - 1))",
    "where(equal(a, 0), where(b >= 0, 0, y * log(a)), y * log(a))",
    probes=[(1.3, 0.4), (0.7, -2.0), (2.2, 3.0), (5.0, -1.5)],
)
neg = Op("neg", "-a", "-1", probes=_LINE)

exp = Op("exp", "exp(a)", "y", probes=_LINE)
log = Op("log", "log(a)", "1 / a", probes=_POSITIVE)
log1p = Op("log1p", "log1p(a)", "1 / (a + 1)", probes=[(-0.9,), (-1e-3,), (0.7,), (25.0,)])
expm1 = Op("expm1", "expm1(a)", "y + 1", probes=_LINE)
sqrt = Op("sqrt", "sqrt(a)", "1 / (2 * y)", probes=_POSITIVE)

sin = Op("sin", "sin(a)", "cos(a)", probes=_LINE)
cos = Op("cos", "cos(a)", "-sin(a)", probes=_LINE)
tan = Op("tan", "tan(a)", "1 + y ** 2", probes=_LINE)
asin = Op("asin", "asin(a)", "1 / sqrt(1 - a * a)", probes=[(-0.9,), (-0.2,), (0.5,)])
acos = Op("acos", "acos(a)", "-(1 / sqrt(1 - a * a))", probes=[(-0.9,), (-0.2,), (0.5,)])
atan = Op("atan", "atan(a)", "1 / (a * a + 1)", probes=_LINE)
atan2 = Op(
    "atan2",
    "atan2(a, b)",
    "b * where(equal(a * a + b * b, 0), 0, 1 / (a * a + b * b))",
    "-a * where(equal(a * a + b * b, 0), 0, 1 / (a * a + b * b))",
    probes=_PLANE,
    kink="where(b < 0, a, 1)",
    at_kink="the angle jumps by a whole turn where a is 0 and b negative; at the origin both "
    "derivatives are 0",
)
sinh = Op("sinh", "sinh(a)", "cosh(a)", probes=_LINE)
cosh = Op("cosh", "cosh(a)", "sinh(a)", probes=_LINE)
tanh = Op("tanh", "tanh(a)", "1 - y * y", probes=_LINE)
erf = Op("erf", "erf(a)", "1.1283791670955126 * exp(-(a ** 2))", probes=_LINE)  # 2 / sqrt(pi)

sigmoid = Op("sigmoid", "1 / (1 + exp(-a))", "(1 - y) * y", probes=_LINE)
softplus = Op(
    "softplus",
    "where(a > 20, a, log1p(exp(a)))",
    "where(a > 20, 1, exp(a) / (exp(a) + 1))",
    probes=_LINE,
    kink="a - 20",
    at_kink="above 20 the value is a itself and the derivative 1",
)
relu = Op(
    "relu",
    "where(a < 0, 0, a)",
    "where(y <= 0, 0, 1)",
    probes=_LINE,
    selects=True,
    kink="a",
    at_kink="0 at 0; nan is passed on with derivative 1",
)
leaky_relu = Op(
    "leaky_relu",
    "where(a > 0, a, a * 0.01)",
    "where(a > 0, 1, 0.01)",
    probes=_LINE,
    kink="a",
    at_kink="0.01 at 0, and for nan",
)
elu = Op(
    "elu",
    "where(a > 0, a, expm1(a))",
    "where(a < 0, exp(a), 1)",
    probes=_LINE,
    kink="a",
    at_kink="the first derivative does not jump; the second is 0 at 0, and for nan",
)
gelu = Op(  # 1 / sqrt(2) and 1 / sqrt(2 * pi)
    "gelu",
    "a * 0.5 * (1 + erf(a * 0.7071067811865476))",
    "0.5 * (1 + erf(a * 0.7071067811865476)) + a * (exp(-0.5 * a * a) * 0.3989422804014327)",
    probes=_LINE,
)
silu = Op(
    "silu",
    "a / (1 + exp(-a))",
    "1 / (1 + exp(-a)) * (1 + a * (1 - 1 / (1 + exp(-a))))",
    probes=_LINE,
)

abs_ = Op("abs", "abs(a)", "sign(a)", probes=_LINE, kink="a", at_kink="0 at 0, and for nan")
sign = Op(
    "sign", "sign(a)", "0", probes=_LINE, selects=True, kink="a", at_kink="0 everywhere, also at 0"
)
floor = Op(
    "floor",
    "floor(a)",
    "0",
    probes=_LINE,
    selects=True,
    kink="a - floor(a + 0.5)",
    at_kink="0 everywhere, also at the integers, where the value jumps",
)
maximum = Op(
    "maximum",
    "where(a < b, b, where(a >= b, a, a + b))",
    "where(a < b, 0, where(equal(a, b), 0.5, 1))",
    "where(a > b, 0, where(equal(a, b), 0.5, 1))",
    probes=_PLANE,
    selects=True,
    kink="a - b",
    at_kink="a tie gives half to each operand; nan wins, and is passed on to both",
)
minimum = Op(
    "minimum",
    "where(a > b, b, where(a <= b, a, a + b))",
    "where(a > b, 0, where(equal(a, b), 0.5, 1))",
    "where(a < b, 0, where(equal(a, b), 0.5, 1))",
    probes=_PLANE,
    selects=True,
    kink="a - b",
    at_kink="a tie gives half to each operand; nan wins, and is passed on to both",
)
where = Op(
    "where",
    "where(a, b, c)",
    "0",
    "where(a, 1, 0)",
    "where(a, 0, 1)",
    probes=[(1.0, 0.4, -2.0), (0.0, 0.4, -2.0)],
    selects=True,
    kink="a",
    at_kink="a condition of 0 chooses c, any other, nan too, b; the condition has no derivative",
)

_EITHER = "1 or 0; the derivatives are 0 everywhere, also at a tie, where the value jumps"
less = Op(
    "less",
    "where(a < b, 1, 0)",
    "0",
    "0",
    probes=_PLANE,
    selects=True,
    kink="a - b",
    at_kink=_EITHER,
)
less_equal = Op(
    "less_equal",
    "where(a <= b, 1, 0)",
    "0",
    "0",
    probes=_PLANE,
    selects=True,
    kink="a - b",
    at_kink=_EITHER,
)
equal = Op(
    "equal",
    "where(equal(a, b), 1, 0)",
    "0",
    "0",
    probes=_PLANE,
    selects=True,
    kink="a - b",
    at_kink=_EITHER,
)

stop_gradient = Op(
    "stop_gradient",
    "a",
    "0",
    probes=_LINE,
    selects=True,
    at_kink="0 everywhere, by definition: the operand counts as a number",
)

# ---- composed of them; each takes values and numbers mixed ----


def sum(terms: Iterable[Any]) -> Any:
    """The sum of the terms, in order, from 0.0 as Python's own: of one term it is a sum too.

    >>> sum([Value(1.0), 2, 3]).data
    6.0
    """
    return functools.reduce(operator.add, terms, 0.0)


def mean(terms: Iterable[Any]) -> Any:
    """The sum of the terms over their number.

    >>> mean([Value(1.0), 2, 6]).data
    3.0
    """
    terms = list(terms)
    if not terms:
        raise ArgumentError("the mean of nothing: give at least one term")
    return sum(terms) / len(terms)


def dot(left: Iterable[Any], right: Iterable[Any]) -> Any:
    """The sum of the products of two sequences of one length.

    >>> dot([Value(1.0), Value(2.0)], [3, 4]).data
    11.0
    """
    left, right = list(left), list(right)
    if len(left) != len(right):
        raise ArgumentError(
            f"dot needs two sequences of one length, not {len(left)} and {len(right)}"
        )
    return weighted_sum(left, right, 0.0)


def weighted_sum(weights: list[Any], inputs: list[Any], start: Any) -> Any:
    """The sum of the products of two lists of one length, in order, from `start`.

    >>> weighted_sum([2.0, 3.0], [Value(1.0), 4.0], 0.5).data
    14.5
    """
    for i, weight in enumerate(weights):  # in the native build, zip would cost as much as an op
        start = start + weight * inputs[i]
    return start


def logsumexp(terms: Iterable[Any]) -> Any:
    """log(exp(x) + exp(y) + ...), without overflow.

    >>> logsumexp([Value(1000.0), 1000.0]).data
    1000.6931471805599
    """
    terms = list(terms)
    peak = greatest(terms)
    peak = where(abs_(peak) < math.inf, peak, 0)  # inf - inf would be nan
    return log(sum(exp(term - peak) for term in terms)) + peak


def softmax(terms: Iterable[Any]) -> list[Any]:
    """exp(x) / (exp(x) + exp(y) + ...) for each term x: positive numbers whose sum is 1.

    >>> [p.data for p in softmax([Value(1000.0), 1000.0])]
    [0.5, 0.5]
    """
    terms = list(terms)
    peak = greatest(terms)
    powers = [exp(term - peak) for term in terms]
    total = sum(powers)
    return [power / total for power in powers]


def greatest(terms: list[Any]) -> Any:
    """The greatest of the terms, as a number without gradient."""
    if not terms:
        raise ArgumentError("softmax and logsumexp need at least one term")
    return stop_gradient(functools.reduce(maximum, terms))
