"""The faults that learners make, each planted in a correct engine: by these, causes are named.

A fault is an edit of the text of `lecture.py`. A learner's engine is compared with the faulty ones
by what they give, so name and advice must hold for any engine that gives the same, however it is
written. Rows of one name are one fault, in engines that walk through their graphs in other orders.
"""

from __future__ import annotations

from typing import NamedTuple


class Fault(NamedTuple):
    """One mistake.

    Attributes:
        name: the mistake, in a few words.
        advice: what it does, and what to write instead.
        edits: pieces of the correct engine's text, and what stands there instead.
    """

    name: str
    advice: str
    edits: dict[str, str]


def plant(edits: dict[str, str], text: str) -> str:
    """A text with edits made.

    >>> plant({"a + b": "a - b"}, "c = a + b")
    'c = a - b'
    """
    for old, new in edits.items():
        text = text.replace(old, new)
    return text


# ---- the pieces of the correct engine in which faults are planted ----


def _lines(indent: int, *lines: str) -> str:
    return "".join(f"{' ' * indent}{line}\n" for line in lines)


# The gradients that each operation passes on.
RULES = {
    "+": _lines(12, "self.grad += out.grad", "other.grad += out.grad"),
    "*": _lines(12, "self.grad += other.data * out.grad", "other.grad += self.data * out.grad"),
    "**": _lines(12, "self.grad += n * self.data ** (n - 1) * out.grad"),
    "exp": _lines(12, "self.grad += out.data * out.grad"),
    "log": _lines(12, "self.grad += out.grad / self.data"),
    "tanh": _lines(12, "self.grad += (1 - t**2) * out.grad"),
    "sigmoid": _lines(12, "self.grad += s * (1 - s) * out.grad"),
    "relu": _lines(12, "self.grad += (out.data > 0) * out.grad"),
    "-": _lines(12, "self.grad += out.grad", "other.grad += -out.grad"),
    "/": _lines(
        12,
        "self.grad += out.grad / other.data",
        "other.grad += -self.data / other.data**2 * out.grad",
    ),
    "neg": _lines(12, "self.grad += -out.grad"),
}
WRAP = "other if isinstance(other, Value) else Value(other)"
DATA = _lines(8, "self.data = data")
REPR = _lines(4, "def __repr__(self) -> str:")
SUB, RSUB = _lines(8, "return self + (-other)"), _lines(8, "return other + (-self)")
DIV, RDIV = _lines(8, "return self * other**-1"), _lines(8, "return other * self**-1")
NEG = _lines(8, "return self * -1")
TANH, RELU = "return act.tanh()", "return act.relu()"
SUM, PRODUCT = "Value(self.data + other.data", "Value(self.data * other.data"
DIFFERENCE, QUOTIENT = "self.data - other.data", "self.data / other.data"
POWER = _lines(8, 'out = Value(self.data**n, (self,), f"**{n}")')
# The graph's values in an order, and the walk through it.
ORDERED = _lines(8, "order = self._ordered()")
RESET = _lines(12, "if value._prev:", "    value.grad = 0.0")
SEED = _lines(8, "self.grad = 1.0")
WALK = _lines(8, "for value in reversed(order):", "    value._backward()")
# Ways through a graph double with each doubling: of a walk along all of them this is enough.
_IMPATIENCE = "if (walked := walked + 1) > 50_000: raise TimeoutError"


def _rule(op: str, *lines: str) -> dict[str, str]:
    """The rule of an operation written otherwise."""
    return {RULES[op]: _lines(12, *lines)}


def _in_rule(op: str, old: str, new: str) -> dict[str, str]:
    return {RULES[op]: RULES[op].replace(old, new)}


def _in_all_rules(old: str, new: str) -> dict[str, str]:
    return {rule: rule.replace(old, new) for rule in RULES.values()}


def _both_ways(name: str, advice: str, edits: dict[str, str]) -> list[Fault]:
    """A fault whose numbers depend on which operand is sorted first."""
    starts = ("iter(self._prev)", "iter(operand._prev)")
    other_way = {start: start.replace("_prev", "_prev[::-1]") for start in starts}
    return [Fault(name, advice, edits), Fault(name, advice, edits | other_way)]


def _order(*lines: str) -> dict[str, str]:
    """The order of the graph's values found otherwise."""
    return {ORDERED: _lines(8, *lines)}


def _with_rule(op: str, data: str, operands: str) -> str:
    """The body of an operator that has a rule of its own."""
    return (
        _lines(8, f"out = Value({data}, ({operands}))", "def _backward():")
        + RULES[op]
        + _lines(8, "out._backward = _backward", "return out")
    )


_RSUB, _RDIV = _lines(8, "return Value(other) - self"), _lines(8, "return Value(other) / self")
# The engine built otherwise: operators with rules of their own, and relu in neurons.
OTHERWISE = {
    SUB: f"        other = {WRAP}\n" + _with_rule("-", DIFFERENCE, "self, other"),
    RSUB: _RSUB,
    DIV: f"        other = {WRAP}\n" + _with_rule("/", QUOTIENT, "self, other"),
    RDIV: _RDIV,
    NEG: _with_rule("neg", "-self.data", "self,"),
    _lines(8, "return self + other"): _lines(8, "return Value(other) + self"),
    _lines(8, "return self * other"): _lines(8, "return Value(other) * self"),
    TANH: RELU,
}


# ---- adding up ----

_OVERWRITES = (
    "A gradient is set with `=`, so only the last use of a value counts. Each use of a value "
    "contributes to its gradient: write `+=`."
)

ADDING_UP = [
    Fault("`=` for `+=` in the rule of `+`", _OVERWRITES, _in_rule("+", "+=", "=")),
    Fault("`=` for `+=` in the rule of `*`", _OVERWRITES, _in_rule("*", "+=", "=")),
    Fault("`=` for `+=` in the rule of `**`", _OVERWRITES, _in_rule("**", "+=", "=")),
    Fault("`=` for `+=` in exp", _OVERWRITES, _in_rule("exp", "+=", "=")),
    Fault("`=` for `+=` in log", _OVERWRITES, _in_rule("log", "+=", "=")),
    Fault("`=` for `+=` in tanh", _OVERWRITES, _in_rule("tanh", "+=", "=")),
    Fault("`=` for `+=` in relu", _OVERWRITES, _in_rule("relu", "+=", "=")),
    *_both_ways("`=` for `+=` everywhere", _OVERWRITES, _in_all_rules("+=", "=")),
    Fault(
        "operands in a set",
        "In a set or a dictionary `a + a` has one operand, which gets one gradient where two are "
        "due. Keep operands in a tuple, and go through all of it.",
        _rule("+", "for v in {self, other}:", "    v.grad += out.grad")
        | _rule(
            "*",
            "for v, slope in {self: other.data, other: self.data}.items():",
            "    v.grad += slope * out.grad",
        ),
    ),
    Fault(
        "gradients go to the wrong side",
        "The rule changes `out.grad`, where it should read it: the gradient flows from the result "
        "to the operands, as in `self.grad += other.data * out.grad`.",
        _rule("+", "out.grad += self.grad + other.grad")
        | _rule("*", "out.grad += other.data * self.grad + self.data * other.grad"),
    ),
]

# ---- the order ----

_ORDER = (
    "A value passes its gradient on before all of it has arrived. Sort the values so that each "
    "comes after its operands (a topological sort) and walk from the end: then a value's turn "
    "comes after those of all its uses."
)


def _on_sight(take: str, operands: str) -> Fault:
    """The values in the order in which they are come across."""
    return Fault(
        "no topological order",
        _ORDER,
        _order(
            "order, waiting, visited = [], [self], set()",
            "while waiting:",
            f"    value = waiting.{take}",
            "    if value not in visited:",
            "        visited.add(value)",
            "        order.insert(0, value)",
            f"        waiting += {operands}",
        ),
    )


def _every_way(take: str, operands: str, *before: str) -> str:
    """A walk to each value as often as there are ways to it."""
    return _lines(
        8,
        "walked, waiting = 0, [self]",
        "while waiting:",
        f"    value = waiting.{take}",
        *(f"    {line}" for line in before),
        "    value._backward()",
        f"    waiting += {operands}",
        f"    {_IMPATIENCE}",
    )


_OPERANDS = ("value._prev", "value._prev[::-1]")
_TWICE = (
    "A value that two ways lead to passes its gradient on twice. Sort the values so that each "
    "stands in the order once: keep a set of those visited, and pass over what is in it."
)

ORDER = [
    *(_on_sight(take, operands) for take in ("pop()", "pop(0)") for operands in _OPERANDS),
    *(
        Fault("values are visited more than once", _TWICE, {WALK: _every_way(take, operands)})
        for take in ("pop()", "pop(0)")
        for operands in (*_OPERANDS, *(f"dict.fromkeys({operands})" for operands in _OPERANDS))
    ),
    Fault(
        "`reversed()` is missing",
        "The walk begins at the leaves, where no gradient has arrived yet. The sort puts operands "
        "first, so go through `reversed(order)`.",
        {WALK: WALK.replace("reversed(order)", "order")},
    ),
    Fault(
        "values are visited more than once",
        _TWICE,
        {
            "next((v for v in operands if v not in visited), None)": "next(operands, None)",
            "        visited = {self}\n": "        visited, walked = {self}, 0\n",
            _lines(16, "order.append(value)"): _lines(16, "order.append(value)", _IMPATIENCE),
        },
    ),
    Fault(
        "`backward()` calls itself",
        "`backward()` begins by setting the gradient to 1, which is right for the result alone. Do "
        "not call it on operands: call the operation's rule (`_backward()`), value by value in "
        "topological order.",
        {WALK: _every_way("pop()", "value._prev[::-1]", "value.grad = 1.0")},
    ),
    Fault(
        "only the last operation goes backward",
        "The gradient is passed to the result's own operands and no further. Walk through all "
        "values that the result was computed from, in topological order.",
        {WALK: _lines(8, "self._backward()")},
    ),
    Fault(
        "the result's gradient is not set to 1",
        "All gradients are products that begin with the result's own gradient, and that is 0. "
        "Write `self.grad = 1.0` before the walk.",
        {SEED: ""},
    ),
    Fault(
        "the result's gradient is set after the walk",
        "The walk passes on the result's gradient while it still is 0. Write `self.grad = 1.0` "
        "before the walk.",
        {SEED: "", WALK: WALK + SEED},
    ),
    Fault(
        "the result's gradient is its number",
        "The walk begins with `self.grad = self.data`. The derivative of a thing by itself is 1: "
        "write `self.grad = 1.0`.",
        {SEED: _lines(8, "self.grad = self.data")},
    ),
    *_both_ways(
        "gradients set to zero during the walk",
        "Operands' gradients are set to zero just before a share arrives, which loses the shares "
        "that came before. Set gradients to zero, if at all, before the walk begins.",
        {
            WALK: _lines(
                8,
                "for value in reversed(order):",
                "    for operand in value._prev:",
                "        operand.grad = 0.0",
                "    value._backward()",
            )
        },
    ),
    Fault(
        "`backward()` sets leaves' gradients to zero",
        "What an earlier `backward()` gave to a leaf is lost, so the gradients of two losses never "
        "add up. Leave that to whoever trains (`zero_grad()`); only inner values begin anew.",
        {RESET: _lines(12, "value.grad = 0.0")},
    ),
]

# ---- rules that are wrong ----

_FORGOTTEN = (
    "The rule leaves out the gradient that arrives from above. The chain rule multiplies: the "
    "operation's own derivative times `out.grad`."
)

_PASSES_NOTHING = (
    "The operands get nothing: there is no rule, or it was never handed to the result. Write the "
    "rule, and below it `out._backward = _backward`."
)
_LOOP_VARIABLE = (
    "Functions made in a loop see the loop's variable as it is when they are called, so all of "
    "them serve the last operand. Bind it when the function is made: `lambda operand=operand: ...`."
)

RULE = [
    Fault(
        "`out.grad` is forgotten in the rule of `+`",
        _FORGOTTEN,
        _rule("+", "self.grad += 1.0", "other.grad += 1.0"),
    ),
    Fault(
        "`out.grad` is forgotten in the rule of `*`", _FORGOTTEN, _in_rule("*", " * out.grad", "")
    ),
    Fault(
        "`out.grad` is forgotten in the rule of `**`", _FORGOTTEN, _in_rule("**", " * out.grad", "")
    ),
    Fault("`out.grad` is forgotten in exp", _FORGOTTEN, _in_rule("exp", " * out.grad", "")),
    Fault("`out.grad` is forgotten in log", _FORGOTTEN, _in_rule("log", "out.grad", "1")),
    Fault("`out.grad` is forgotten in tanh", _FORGOTTEN, _in_rule("tanh", " * out.grad", "")),
    Fault("`out.grad` is forgotten in sigmoid", _FORGOTTEN, _in_rule("sigmoid", " * out.grad", "")),
    Fault("`out.grad` is forgotten in relu", _FORGOTTEN, _in_rule("relu", " * out.grad", "")),
    Fault(
        "`out.grad` is forgotten everywhere",
        _FORGOTTEN,
        _in_all_rules("out.grad", "1.0"),
    ),
    Fault("`+` passes no gradient on", _PASSES_NOTHING, _rule("+", "pass")),
    Fault("`*` passes no gradient on", _PASSES_NOTHING, _rule("*", "pass")),
    Fault("`**` passes no gradient on", _PASSES_NOTHING, _rule("**", "pass")),
    Fault("`a - b` passes no gradient on", _PASSES_NOTHING, _rule("-", "pass")),
    Fault("`a / b` passes no gradient on", _PASSES_NOTHING, _rule("/", "pass")),
    Fault("exp passes no gradient on", _PASSES_NOTHING, _rule("exp", "pass")),
    Fault("log passes no gradient on", _PASSES_NOTHING, _rule("log", "pass")),
    Fault("tanh passes no gradient on", _PASSES_NOTHING, _rule("tanh", "pass")),
    Fault("sigmoid passes no gradient on", _PASSES_NOTHING, _rule("sigmoid", "pass")),
    Fault("relu passes no gradient on", _PASSES_NOTHING, _rule("relu", "pass")),
    Fault(
        "the factors are not swapped in `*`",
        "The derivative of a product by one factor is the other factor: "
        "`self.grad += other.data * out.grad`, and the other way round.",
        _rule("*", "self.grad += self.data * out.grad", "other.grad += other.data * out.grad"),
    ),
    Fault(
        "`*` has the rule of `+`",
        "A product does not pass its gradient on unchanged: each factor gets it times the other "
        "factor's number.",
        _rule("*", "self.grad += out.grad", "other.grad += out.grad"),
    ),
    Fault(
        "`*` multiplies by the operand's gradient",
        "The rule takes `other.grad` where the other factor's number, `other.data`, is meant.",
        _rule("*", "self.grad += other.grad * out.grad", "other.grad += self.grad * out.grad"),
    ),
    Fault(
        "the second operand of `+` gets no gradient",
        "Both operands of a sum get `out.grad`: the line for `other` is missing.",
        _rule("+", "self.grad += out.grad"),
    ),
    Fault(
        "the second operand of `*` gets no gradient",
        "Both factors get a gradient: the line for `other` is missing.",
        _rule("*", "self.grad += other.data * out.grad"),
    ),
    Fault(
        "a closure over the loop's variable",
        _LOOP_VARIABLE,
        _rule("*", "for _ in range(2):", "    other.grad += self.data * out.grad"),
    ),
    Fault(
        "a closure over the loop's variable",
        _LOOP_VARIABLE,
        _rule("*", "for _ in range(2):", "    other.grad += self.data * out.grad")
        | _rule("+", "for _ in range(2):", "    other.grad += out.grad"),
    ),
    Fault(
        "the rule sees another `out`",
        "The rule reads an `out` that is shared, and by the time the rule runs that is the result "
        "of the last operation. Let each rule keep its own result, in a local variable.",
        _in_all_rules("out.", "Value.out.") | {DATA: DATA + _lines(8, "Value.out = self")},
    ),
    Fault(
        "the rule changes data",
        "The rule adds to `self.data`, and the gradient stays 0. Backward changes gradients alone: "
        "write `self.grad += ...`.",
        _in_rule("+", ".grad +=", ".data +="),
    ),
]

# ---- values and the graph ----

_GIVE_OPERANDS = (
    "The result does not know what it was computed from, so the walk ends there. Give the operands "
    "to the new value: `Value(..., (self, other))`."
)


def _rounded(digits: int) -> Fault:
    return Fault(
        "numbers are rounded",
        "Rounding loses digits that gradients need. Round where a number is printed, not where it "
        "is kept.",
        {DATA: _lines(8, f"self.data = round(data, {digits})")},
    )


VALUES = [
    Fault(
        "numbers are not made into values",
        "In `a + 1` the other operand is a number, which has no `.data`. Begin with "
        "`other = other if isinstance(other, Value) else Value(other)`.",
        {
            f"        other = {WRAP}\n        out = {new}": f"        out = {new}"
            for new in (SUM, PRODUCT)
        },
    ),
    Fault(
        "operands are copied",
        "A new value is made of the other operand even where it is one, and the gradient goes to "
        "the copy. Make values of numbers only: "
        "`other = other if isinstance(other, Value) else Value(other)`.",
        {WRAP: 'Value(getattr(other, "data", other))'},
    ),
    Fault("`+` forgets its operands", _GIVE_OPERANDS, {'(self, other), "+"': '(), "+"'}),
    Fault("`*` forgets its operands", _GIVE_OPERANDS, {'(self, other), "*"': '(), "*"'}),
    Fault("`+` forgets its second operand", _GIVE_OPERANDS, {'(self, other), "+"': '(self,), "+"'}),
    Fault("`*` forgets its second operand", _GIVE_OPERANDS, {'(self, other), "*"': '(self,), "*"'}),
    Fault(
        "numbers are cut to whole ones",
        "`int()` or `//` cuts off what is behind the point. Keep the number as it is given, or "
        "take `float(data)`.",
        {DATA: _lines(8, "self.data = int(data)")},
    ),
    *map(_rounded, (2, 3, 4)),
    Fault(
        "all values share one gradient",
        "The gradient belongs to the class, or to a default argument that is made once. Set it "
        "for each value, in `__init__`: `self.grad = 0.0`.",
        {
            REPR: _lines(
                4,
                "shared = [0.0]",
                "grad = property(",
                "    lambda self: self.shared[0],",
                "    lambda self, grad: self.shared.__setitem__(0, grad),",
                ")",
            )
            + REPR
        },
    ),
    *_both_ways(
        "values of the same number are taken for one",
        "`__eq__` and `__hash__` go by the number, so that a set of visited values takes `a` and "
        "`b` for one if both are 3. Leave both out: each value is itself.",
        {
            REPR: _lines(
                4,
                "def __eq__(self, other):",
                "    return self.data == other.data",
                "def __hash__(self):",
                "    return hash(self.data)",
            )
            + REPR
        },
    ),
    Fault(
        "`+=` changes the value itself",
        "`__iadd__` changes `self.data`, for all who use that value, and the sum is in no graph. "
        "Leave it out: Python then makes `c = c + c` of `c += c`.",
        {
            REPR: _lines(
                4,
                "def __iadd__(self, other):",
                "    self.data += getattr(other, 'data', other)",
                "    return self",
            )
            + REPR
        },
    ),
    Fault(
        "`__repr__` does not show the number",
        "What is printed should tell the number: let `__repr__` return something like "
        '`f"Value(data={self.data})"`.',
        {"def __repr__(": "def repr("},
    ),
]

# ---- operators made of others, and powers ----

_SWAPPED = (
    "Python calls `a.{method}(2)` for `2 {op} a`: `self` stands on the right, so the result is "
    "`other {op} self`."
)
_DIVISION = (
    "Of `a / b` the derivative by a is `1 / b` and the derivative by b is `-a / b**2`; each is "
    "multiplied by `out.grad`."
)
_POWER = "The derivative of `a ** n` by a is `n * a ** (n - 1)`, times `out.grad`."

OPERATORS = [
    Fault(
        "`__rsub__` is swapped",
        _SWAPPED.format(op="-", method="__rsub__"),
        {RSUB: "        return self - other\n", _RSUB: "        return self - other\n"},
    ),
    Fault(
        "`__rtruediv__` is swapped",
        _SWAPPED.format(op="/", method="__rtruediv__"),
        {RDIV: "        return self / other\n", _RDIV: "        return self / other\n"},
    ),
    Fault(
        "`a - b` is swapped",
        "The subtraction gives `b - a`. Write `self + (-other)`, or `self.data - other.data`.",
        {SUB: "        return (-self) + other\n", DIFFERENCE: "other.data - self.data"}
        | _rule("-", "self.grad += -out.grad", "other.grad += out.grad"),
    ),
    Fault(
        "the second operand of `-` has the wrong sign",
        "Of `a - b` the derivative by b is -1: write `other.grad += -out.grad`.",
        _in_rule("-", "-out.grad", "out.grad"),
    ),
    Fault(
        "both operands of `-` have the wrong sign",
        "Of `a - b` the derivative by a is 1 and the derivative by b is -1.",
        _rule("-", "self.grad += -out.grad", "other.grad += out.grad"),
    ),
    Fault(
        "the second operand of `-` gets no gradient",
        "Both operands of a difference get a gradient, the second `-out.grad`.",
        _rule("-", "self.grad += out.grad"),
    ),
    Fault(
        "the gradient of `-a` has no sign",
        "The derivative of `-a` is -1: write `self.grad += -out.grad`.",
        {NEG: _with_rule("neg", "-self.data", "self,").replace("-out.grad", "out.grad")}
        | _in_rule("neg", "-out.grad", "out.grad"),
    ),
    Fault(
        "`-a` passes no gradient on",
        "`-a` makes a new value that knows nothing of a. Write `self * -1`, which keeps the graph.",
        {NEG: "        return Value(-self.data)\n"} | _rule("neg", "pass"),
    ),
    Fault(
        "`-a` changes a",
        "The sign of `self.data` itself is changed. An operation makes a new value and leaves its "
        "operands as they are: write `self * -1`.",
        {
            NEG: _lines(8, "self.data = -self.data", "return self"),
            "        out = Value(-self.data": _lines(8, "self.data = -self.data", "return self")
            + "        out = Value(-self.data",
        },
    ),
    Fault(
        "`/` cuts to whole numbers",
        "`//` divides whole numbers. Write `/`.",
        {f"Value({QUOTIENT}": f"Value({QUOTIENT.replace('/', '//')}"},
    ),
    Fault(
        "`a / b` is swapped",
        "The division gives `b / a`. Write `self * other**-1`, or `self.data / other.data`.",
        {
            DIV: "        return self**-1 * other\n",
            f"Value({QUOTIENT}": "Value(other.data / self.data",
        }
        | _rule(
            "/",
            "self.grad += -other.data / self.data**2 * out.grad",
            "other.grad += out.grad / self.data",
        ),
    ),
    Fault(
        "the divisor's gradient has the wrong sign",
        _DIVISION,
        _in_rule("/", "-self.data", "self.data"),
    ),
    Fault(
        "the divisor's gradient lacks the square",
        _DIVISION,
        _in_rule("/", "**2", ""),
    ),
    Fault(
        "the divisor's gradient lacks the numerator",
        _DIVISION,
        _in_rule("/", "-self.data", "-1"),
    ),
    Fault(
        "the divisor gets no gradient",
        _DIVISION,
        _rule("/", "self.grad += out.grad / other.data"),
    ),
    Fault(
        "division has the rule of multiplication",
        _DIVISION,
        _rule("/", "self.grad += other.data * out.grad", "other.grad += self.data * out.grad"),
    ),
    Fault(
        "a power is a repeated product",
        "A loop over `range(n)` does not run at all for a negative n, so that `b ** -1` is 1 and a "
        "division by b does nothing. Write `self.data ** n`.",
        {
            POWER: _lines(
                8,
                "product = Value(1.0)",
                "for _ in range(int(n)):",
                "    product = product * self",
                "return product",
            )
        },
    ),
    Fault(
        "the exponent is cut to a whole number",
        "`int(n)` makes 0 of 0.5. Write `self.data ** n`, whatever number n is.",
        {POWER: _lines(8, "n = int(n)") + POWER},
    ),
    Fault(
        "only whole exponents are allowed",
        "A check refuses exponents like 0.5: allow `(int, float)`.",
        {POWER: _lines(8, "assert isinstance(n, int)") + POWER},
    ),
    Fault(
        "the exponent is missing in the rule of `**`", _POWER, _in_rule("**", "n * self", "self")
    ),
    Fault("`n` for `n - 1` in the rule of `**`", _POWER, _in_rule("**", "(n - 1)", "n")),
    Fault(
        "`n - 1` for the factor `n` in the rule of `**`",
        _POWER,
        _in_rule("**", "n * self", "(n - 1) * self"),
    ),
    Fault(
        "`*` for `**` in the rule of `**`",
        _POWER,
        _in_rule("**", "self.data ** (n - 1)", "self.data * (n - 1)"),
    ),
    Fault(
        "base and exponent are swapped",
        "The value computed is `n ** a`. Write `self.data ** n`.",
        {"Value(self.data**n": "Value(n**self.data"},
    ),
]

# ---- functions ----

_TANH = (
    "The derivative of tanh is `1 - t**2`, where t is the result and not the input, times "
    "`out.grad`."
)
_EXP = "The derivative of exp is its result: `self.grad += out.data * out.grad`."
_LOG = "The derivative of log is one divided by the input: `self.grad += out.grad / self.data`."
_SIGMOID = "The derivative of sigmoid is `s * (1 - s)`, where s is the result, times `out.grad`."
_RELU = (
    "relu passes its gradient on unchanged where the input is positive, and nothing elsewhere: "
    "`self.grad += (out.data > 0) * out.grad`."
)
_T, _E, _S = "math.tanh(self.data)", "math.exp(self.data)", "math.exp(-self.data)"

FUNCTIONS = [
    Fault("`1 - t` for `1 - t**2` in tanh", _TANH, _in_rule("tanh", "t**2", "t")),
    Fault("`t**2` for `1 - t**2` in tanh", _TANH, _in_rule("tanh", "(1 - t**2)", "t**2")),
    Fault("`1 + t**2` for `1 - t**2` in tanh", _TANH, _in_rule("tanh", "1 - t", "1 + t")),
    Fault(
        "`(1 - t)**2` for `1 - t**2` in tanh", _TANH, _in_rule("tanh", "(1 - t**2)", "(1 - t) ** 2")
    ),
    Fault("the input for the result in tanh", _TANH, _in_rule("tanh", "t**2", "self.data**2")),
    Fault(
        "tanh with `exp(x)` for `exp(2*x)`",
        "tanh is `(exp(2*x) - 1) / (exp(2*x) + 1)`: the 2 is missing. `math.tanh` is shorter.",
        {_T: f"({_E} - 1) / ({_E} + 1)"},
    ),
    Fault("the input for the result in exp", _EXP, _in_rule("exp", "out.data", "self.data")),
    Fault(
        "exp has the rule of powers",
        _EXP,
        _in_rule("exp", "out.data", "self.data * math.exp(self.data - 1)"),
    ),
    Fault("exp passes its gradient on unchanged", _EXP, _in_rule("exp", "out.data * ", "")),
    Fault(
        "exp is a power of 2",
        "exp is the power of e = 2.71828...: take `math.exp(self.data)`.",
        {f"Value({_E}, (self,)": "Value(2**self.data, (self,)"},
    ),
    Fault("the result for the input in log", _LOG, _in_rule("log", "self.data", "out.data")),
    Fault("log multiplies where it should divide", _LOG, _in_rule("log", "/", "*")),
    Fault(
        "log has the base 10",
        "log is the natural logarithm here: take `math.log(self.data)`.",
        {"math.log(": "math.log10("},
    ),
    Fault("`s` for `s * (1 - s)` in sigmoid", _SIGMOID, _in_rule("sigmoid", "s * (1 - s)", "s")),
    Fault(
        "`1 - s` for `s * (1 - s)` in sigmoid",
        _SIGMOID,
        _in_rule("sigmoid", "s * (1 - s)", "(1 - s)"),
    ),
    Fault(
        "`1 - s**2` for `s * (1 - s)` in sigmoid",
        _SIGMOID,
        _in_rule("sigmoid", "s * (1 - s)", "(1 - s**2)"),
    ),
    Fault("`1 + s` for `1 - s` in sigmoid", _SIGMOID, _in_rule("sigmoid", "1 - s", "1 + s")),
    Fault(
        "sigmoid with `exp(x)` for `exp(-x)`",
        "sigmoid is `1 / (1 + exp(-x))`: the sign is missing.",
        {_S: _E},
    ),
    Fault("relu passes every gradient on", _RELU, _in_rule("relu", "(out.data > 0) * ", "")),
    Fault("relu asks the gradient's sign", _RELU, _in_rule("relu", "out.data >", "out.grad >")),
    Fault("relu passes on where the input is negative", _RELU, _in_rule("relu", "> 0", "<= 0")),
    Fault("relu multiplies by its result", _RELU, _in_rule("relu", "(out.data > 0)", "out.data")),
    Fault(
        "relu leaks",
        "Below zero a small share of the input is passed on. That is leaky relu: relu is 0 there.",
        {"max(0.0, self.data)": "max(0.01 * self.data, self.data)"}
        | _in_rule("relu", "(out.data > 0)", "(1 if out.data > 0 else 0.01)"),
    ),
    Fault(
        "`min` for `max` in relu",
        "relu is the larger one of 0 and the input: `max(0, x)`.",
        {"max(0.0, self.data)": "min(0.0, self.data)"} | _in_rule("relu", "> 0", "< 0"),
    ),
    Fault(
        "relu gives its absolute value",
        "Below zero relu is 0, and not `-x`.",
        {"max(0.0, self.data)": "abs(self.data)"}
        | _in_rule("relu", "(out.data > 0)", "(1 if self.data > 0 else -1)"),
    ),
]

# ---- networks ----

_ACT = "        act = sum((wi * xi for wi, xi in zip(self.w, x)), self.b)\n"
_WEIGHTS = "[Value(random.uniform(-1, 1)) for _ in range(nin)]"
_NEURON = "        return [*self.w, self.b]\n"
_LAYER = "        return [p for neuron in self.neurons for p in neuron.parameters()]\n"
_MLP = "        return [p for layer in self.layers for p in layer.parameters()]\n"

NETWORKS = [
    Fault(
        "the bias is not added",
        "A neuron is the weighted sum of its inputs plus its bias: add `self.b` before the "
        "activation.",
        {"zip(self.w, x)), self.b)": "zip(self.w, x)), Value(0.0))"},
    ),
    Fault(
        "the bias is not among the parameters",
        "Training moves what `parameters()` lists: `self.w + [self.b]`.",
        {_NEURON: "        return self.w\n"},
    ),
    Fault(
        "the weights are not among the parameters",
        "Training moves what `parameters()` lists: `self.w + [self.b]`.",
        {_NEURON: "        return [self.b]\n"},
    ),
    Fault(
        "`parameters()` gives copies",
        "Training moves the values that `parameters()` lists, so they must be the network's own "
        "and not new ones of the same number.",
        {_NEURON: "        return [Value(p.data) for p in [*self.w, self.b]]\n"},
    ),
    Fault(
        "one weight for all inputs",
        "`[Value(...)] * n` is one value n times. Make each anew: "
        "`[Value(...) for _ in range(n)]`.",
        {_WEIGHTS: "[Value(random.uniform(-1, 1))] * nin"},
    ),
    Fault(
        "all weights begin with the same number",
        "Weights that begin alike get the same gradients and stay alike. Draw each anew: "
        "`random.uniform(-1, 1)`.",
        {_WEIGHTS: "[Value(0.5) for _ in range(nin)]"},
    ),
    Fault(
        "one neuron for the whole layer",
        "`[Neuron(nin)] * nout` is one neuron nout times. Make each anew: "
        "`[Neuron(nin) for _ in range(nout)]`.",
        {"[Neuron(nin) for _ in range(nout)]": "[Neuron(nin)] * nout"},
    ),
    Fault(
        "the activation is missing",
        "Without `tanh` or `relu` a neuron is a straight line, and so is every network of such "
        "neurons. Return `act.tanh()` or `act.relu()`.",
        {TANH: "return act", RELU: "return act"},
    ),
    Fault(
        "the activation comes before the bias",
        "The bias shifts what the activation is given: add it to the sum, then apply the "
        "activation.",
        {
            f"{_ACT}        {TANH}": f"{_ACT}        {TANH} + self.b".replace(
                "x)), self.b)", "x)), Value(0.0))"
            )
        },
    ),
    Fault(
        "the activation is applied to each product",
        "First all products and the bias are summed, then the activation is applied once.",
        {"wi * xi for wi": "(wi * xi).tanh() for wi"},
    ),
    Fault(
        "all weights are multiplied by the first input",
        "Each weight has an input of its own: go through both at once, by `zip(self.w, x)`.",
        {"wi * xi for wi": "wi * x[0] for wi"},
    ),
    Fault(
        "inputs and weights are added",
        "Each input is multiplied by its weight: `wi * xi`.",
        {"wi * xi for wi": "wi + xi for wi"},
    ),
    Fault(
        "numbers are taken out of the values",
        "`.data` is a bare number: what is computed from it belongs to no graph and passes no "
        "gradient. Compute with the values themselves.",
        {"wi * xi for wi": "wi.data * xi for wi"},
    ),
    Fault(
        "inputs are made into values anew",
        "`Value(x.data)` is a new value, which passes no gradient back to x. Take inputs as they "
        "are given.",
        {"wi * xi for wi": "wi * Value(getattr(xi, 'data', xi)) for wi"},
    ),
    Fault(
        "the last layer is missing",
        "There are as many layers as entries in `nouts`: `range(len(nouts))`.",
        {"range(len(nouts))": "range(len(nouts) - 1)"},
    ),
    Fault(
        "every layer is made for the network's inputs",
        "A layer is given what the one before it gives: its first size is `sizes[i]`. That "
        "nothing complains is due to `zip`, which ends with the shorter of two lists.",
        {"Layer(sizes[i], ": "Layer(nin, "},
    ),
    Fault(
        "every layer is given the network's inputs",
        "Each layer is given what the one before it gives: `x = layer(x)`.",
        {
            _lines(12, "x = layer(x)"): _lines(12, "out = layer(x)"),
            _lines(8, "return x"): _lines(8, "return out"),
        },
    ),
    Fault(
        "only the last layer's parameters",
        "`parameters()` of a network lists those of all of its layers.",
        {_MLP: "        return self.layers[-1].parameters()\n"},
    ),
    Fault(
        "only the first neuron's parameters",
        "`parameters()` of a layer lists those of all of its neurons.",
        {_LAYER: "        return self.neurons[0].parameters()\n"},
    ),
    Fault(
        "`parameters()` is a list of lists",
        "`parameters()` is one flat list: `[p for layer in self.layers for p in "
        "layer.parameters()]`.",
        {_MLP: "        return [layer.parameters() for layer in self.layers]\n"},
    ),
    Fault(
        "a layer gives its first neuron alone",
        "A layer of several neurons gives the list of all of their outputs.",
        {"return out[0] if len(out) == 1 else out": "return out[0]"},
    ),
    Fault(
        "`zero_grad()` sets data to zero",
        "It is the gradients that begin anew: `p.grad = 0.0`. The data are what was learned.",
        {"            p.grad = 0.0\n": "            p.data = 0.0\n"},
    ),
    Fault(
        "`zero_grad()` does nothing",
        "Gradients add up over calls of `backward()`. Set the gradient of each parameter to zero: "
        "`p.grad = 0.0`.",
        {"            p.grad = 0.0\n": "            p.grad\n"},
    ),
    Fault(
        "`zero_grad()` forgets the biases",
        "Weights and biases begin anew: go through all of `parameters()`.",
        {
            _lines(8, "for p in self.parameters():"): _lines(
                8, "for p in [w for layer in self.layers for n in layer.neurons for w in n.w]:"
            )
        },
    ),
]

# ---- what the lecture's own engine lacks ----

LIMITS = [
    Fault(
        "inner values keep their old gradients",
        "At a second `backward()` an inner value passes on its gradient of the first once more. "
        "Set the gradients of all values that have operands to zero before the walk.",
        {RESET: _lines(12, "pass")},
    ),
    Fault(
        "recursion",
        "The sort calls itself for each operand, and Python allows a thousand calls within each "
        "other. Keep the values that wait in a list of your own, and take them from it in a loop.",
        _order(
            "order, visited = [], set()",
            "def build(value):",
            "    if value not in visited:",
            "        visited.add(value)",
            "        for operand in value._prev:",
            "            build(operand)",
            "        order.append(value)",
            "build(self)",
        ),
    ),
    Fault(
        "tanh by a formula that overflows",
        "`exp(2*x)` is too large for a float from x = 355 on. `math.tanh(x)` is right everywhere.",
        {_T: "(math.exp(2 * self.data) - 1) / (math.exp(2 * self.data) + 1)"},
    ),
]

FAULTS: list[Fault] = [
    *ADDING_UP,
    *ORDER,
    *RULE,
    *VALUES,
    *OPERATORS,
    *FUNCTIONS,
    *NETWORKS,
]
