"""Correct engines spoilt: one fault in each, of a kind that learners make.

The engines are not the one in which the package itself plants faults, and are written in other
styles, so that a cause can only be found by what an engine gives.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ENGINES = Path(__file__).parent / "engines"


class Mutant(NamedTuple):
    """An engine of tests/engines with one fault.

    Attributes:
        cause: what a learner should be told: the name of a fault, or what is missing.
        engine: which engine.
        edits: pieces of its text, and what stands there instead.
    """

    cause: str
    engine: str
    edits: dict[str, str]

    def text(self) -> str:
        """The spoilt engine."""
        text = (ENGINES / f"{self.engine}.py").read_text()
        for old, new in self.edits.items():
            assert text.count(old) == 1, f"{self.cause}: {old!r} is there {text.count(old)} times"
            text = text.replace(old, new)
        return text


def _closures(cause: str, edits: dict[str, str]) -> Mutant:
    return Mutant(cause, "closures", edits)


def _local(cause: str, edits: dict[str, str]) -> Mutant:
    return Mutant(cause, "local", edits)


# ---- closures: the rule of each operation ----

_ADD = """\
            self.grad = self.grad + out.grad
            other.grad = other.grad + out.grad
"""
_MUL = """\
            self.grad = self.grad + out.grad * other.data
            other.grad = other.grad + out.grad * self.data
"""
_POW = "            self.grad = self.grad + out.grad * exponent * self.data ** (exponent - 1)\n"
_EXP = "            self.grad = self.grad + out.grad * out.data\n"
_LOG = "            self.grad = self.grad + out.grad / self.data\n"
_NEG = "            self.grad = self.grad - out.grad\n"
_TANH = "            self.grad = self.grad + out.grad * (1 - out.data**2)\n"
_SIGMOID = "            self.grad = self.grad + out.grad * out.data * (1 - out.data)\n"
_RELU = """\
            if self.data > 0:
                self.grad = self.grad + out.grad
"""
_NEW_ADD = 'out = Value(self.data + other.data, (self, other), "+")'
_NEW_MUL = 'out = Value(self.data * other.data, (self, other), "*")'
_SEED_AND_WALK = """\
        self.grad = 1.0
        for v in reversed(order):
            v._backward()
"""
_CLASS = "class Value:\n"
_WEIGHT = "Value(random.uniform(-1, 1))"


def _set(rule: str) -> dict[str, str]:
    """A gradient set where it should be added to."""
    return {rule: rule.replace("self.grad + ", "", 1).replace("= other.grad + ", "= ")}


CLOSURES = [
    _closures("`=` for `+=` in the rule of `+`", _set(_ADD)),
    _closures("`=` for `+=` in the rule of `*`", _set(_MUL)),
    _closures("`=` for `+=` in the rule of `**`", _set(_POW)),
    _closures("`=` for `+=` in exp", _set(_EXP)),
    _closures("`=` for `+=` in log", _set(_LOG)),
    _closures("`=` for `+=` in tanh", _set(_TANH)),
    _closures("`=` for `+=` in relu", {_RELU: _RELU.replace("= self.grad + ", "= ")}),
    _closures(
        "gradients go to the wrong side",
        {
            _ADD: "            out.grad += self.grad + other.grad\n",
            _MUL: "            out.grad += other.data * self.grad + self.data * other.grad\n",
        },
    ),
    _closures(
        "values are visited more than once",
        {
            _SEED_AND_WALK: """\
        self.grad = 1.0

        def walk(v):
            v._backward()
            for operand in v._prev:
                walk(operand)

        walk(self)
"""
        },
    ),
    _closures(
        "`backward()` calls itself",
        {
            _SEED_AND_WALK: """\
        self.grad = 1.0
        self._backward()
        for operand in self._prev:
            operand.backward()
"""
        },
    ),
    _closures(
        "`out.grad` is forgotten in the rule of `+`",
        {_ADD: "            self.grad = self.grad + 1\n            other.grad = other.grad + 1\n"},
    ),
    _closures(
        "`out.grad` is forgotten in the rule of `*`", {_MUL: _MUL.replace("out.grad * ", "")}
    ),
    _closures(
        "`out.grad` is forgotten in the rule of `**`", {_POW: _POW.replace("out.grad * ", "")}
    ),
    _closures("`out.grad` is forgotten in exp", {_EXP: _EXP.replace("out.grad * ", "")}),
    _closures("`out.grad` is forgotten in log", {_LOG: _LOG.replace("out.grad / ", "1 / ")}),
    _closures("`out.grad` is forgotten in tanh", {_TANH: _TANH.replace("out.grad * ", "")}),
    _closures(
        "`out.grad` is forgotten in sigmoid", {_SIGMOID: _SIGMOID.replace("out.grad * ", "")}
    ),
    _closures("`out.grad` is forgotten in relu", {_RELU: _RELU.replace("out.grad", "1")}),
    _closures("the second operand of `+` gets no gradient", {_ADD: _ADD.splitlines()[0] + "\n"}),
    _closures("the second operand of `*` gets no gradient", {_MUL: _MUL.splitlines()[0] + "\n"}),
    _closures(
        "a closure over the loop's variable",
        {
            _NEW_MUL: _NEW_MUL
            + """
        steps = []
        for v, slope in ((self, other.data), (other, self.data)):
            steps.append(lambda: setattr(v, "grad", v.grad + slope * out.grad))""",
            _MUL: "            for step in steps:\n                step()\n",
        },
    ),
    _closures(
        "the rule sees another `out`",
        {
            "        self._backward = lambda: None\n": """\
        self._backward = lambda: None
        global newest
        newest = self
""",
            _ADD: _ADD.replace("out.", "newest."),
            _MUL: _MUL.replace("out.", "newest."),
            _POW: _POW.replace("out.", "newest."),
            _TANH: _TANH.replace("out.", "newest."),
            _NEG: _NEG.replace("out.", "newest."),
            _RELU: _RELU.replace("out.", "newest."),
        },
    ),
    _closures(
        "the rule changes data",
        {
            _ADD: _ADD.replace(".grad =", ".data =")
            .replace("= self.grad", "= self.data")
            .replace("= other.grad", "= other.data")
        },
    ),
    _closures(
        "numbers are not made into values",
        {
            f"        other = Value.wrap(other)\n        {new}": f"        {new}"
            for new in (_NEW_ADD, _NEW_MUL)
        },
    ),
    _closures(
        "operands are copied",
        {"return x if isinstance(x, Value) else Value(x)": "return Value(getattr(x, 'data', x))"},
    ),
    _closures("`+` forgets its operands", {_NEW_ADD: _NEW_ADD.replace("(self, other), ", "(), ")}),
    _closures("`*` forgets its operands", {_NEW_MUL: _NEW_MUL.replace("(self, other), ", "(), ")}),
    _closures(
        "`+` forgets its second operand",
        {_NEW_ADD: _NEW_ADD.replace("(self, other), ", "(self,), ")},
    ),
    _closures(
        "`*` forgets its second operand",
        {_NEW_MUL: _NEW_MUL.replace("(self, other), ", "(self,), ")},
    ),
    _closures(
        "all values share one gradient",
        {
            _CLASS: """\
class Value:
    holder = {"grad": 0}

    @property
    def grad(self):
        return self.holder["grad"]

    @grad.setter
    def grad(self, grad):
        self.holder["grad"] = grad

"""
        },
    ),
    _closures(
        "`+=` changes the value itself",
        {
            _CLASS: """\
class Value:
    def __iadd__(self, other):
        self.data = self.data + Value.wrap(other).data
        return self

"""
        },
    ),
    _closures(
        "`__repr__` does not show the number",
        {'f"Value({self.data}, grad={self.grad})"': '"a value"'},
    ),
    _closures("`1 - t` for `1 - t**2` in tanh", {_TANH: _TANH.replace("**2", "")}),
    _closures("the input for the result in tanh", {_TANH: _TANH.replace("out.data", "self.data")}),
    _closures("the input for the result in exp", {_EXP: _EXP.replace("out.data", "self.data")}),
    _closures("the result for the input in log", {_LOG: _LOG.replace("self.data", "out.data")}),
    _closures("`n` for `n - 1` in the rule of `**`", {"(exponent - 1)": "exponent"}),
    _closures(
        "relu passes every gradient on",
        {"            if self.data > 0:\n": "            if True:\n"},
    ),
    _closures(
        "relu asks the gradient's sign",
        {"            if self.data > 0:\n": "            if out.grad > 0:\n"},
    ),
    _closures("`+` passes no gradient on", {_ADD: "            pass\n"}),
    _closures("`*` passes no gradient on", {_MUL: "            pass\n"}),
    _closures("`**` passes no gradient on", {_POW: "            pass\n"}),
    _closures("exp passes no gradient on", {_EXP: "            pass\n"}),
    _closures("tanh passes no gradient on", {_TANH: "            pass\n"}),
    _closures("relu passes no gradient on", {_RELU: "            pass\n"}),
    _closures("`__radd__` is missing", {"def __radd__": "def radd"}),
    _closures("`__rmul__` is missing", {"def __rmul__": "def rmul"}),
    _closures("the bias is not among the parameters", {"[*self.w, self.b]": "self.w"}),
    _closures(
        "one weight for all inputs",
        {f"[{_WEIGHT} for _ in range(nin)]": f"[{_WEIGHT}] * nin"},
    ),
    _closures(
        "the activation is missing",
        {"return total.relu() if self.nonlin else total": "return total"},
    ),
    _closures("numbers are taken out of the values", {"sum((w * xi for": "sum((w.data * xi for"}),
    _closures(
        "every layer is made for the network's inputs", {"Layer(sizes[i], ": "Layer(sizes[0], "}
    ),
    _closures(
        "`zero_grad()` sets data to zero",
        {"            p.grad = 0.0\n": "            p.data = 0.0\n"},
    ),
]

# ---- local derivatives: one loop for all rules ----

_LOOP = """\
            for operand, slope in zip(v.operands, v.slopes):
                operand.grad += slope * v.grad
"""
_WALK = "        for v in reversed(order):\n"
_RESET = """\
            if v.operands:
                v.grad = 0.0
"""
_DIVIDE = """\
        slopes = (1 / other.data, -self.data / other.data**2)
        return Value(self.data / other.data, (self, other), slopes)
"""
_LAYER = "        return [p for neuron in self.neurons for p in neuron.parameters()]\n"
_MLP = "        return [p for layer in self.layers for p in layer.parameters()]\n"
_NEURON_SUM = """\
        total = self.b
        for wi, xi in zip(self.w, x):
            total = total + wi * xi
        return total.tanh()
"""

LOCAL = [
    _local("`=` for `+=` everywhere", {"operand.grad += slope": "operand.grad = slope"}),
    _local(
        "operands in a set",
        {
            _LOOP: _LOOP.replace(
                "zip(v.operands, v.slopes)", "dict(zip(v.operands, v.slopes)).items()"
            )
        },
    ),
    _local(
        "no topological order",
        {
            """\
        elif v not in seen:
            seen.add(v)
            stack.append((v, True))
""": """\
        elif v not in seen:
            seen.add(v)
            order.insert(0, v)
""",
            "            order.append(v)\n": "            pass\n",
        },
    ),
    _local("`reversed()` is missing", {"in reversed(order):": "in order:"}),
    _local(
        "values are visited more than once", {"        elif v not in seen:\n": "        else:\n"}
    ),
    _local(
        "only the last operation goes backward",
        {_WALK: "        for v in [self]:\n"},
    ),
    _local("the result's gradient is not set to 1", {"        self.grad = 1.0\n": ""}),
    _local(
        "the result's gradient is set after the walk",
        {"        self.grad = 1.0\n": "", _LOOP: _LOOP + "        self.grad = 1.0\n"},
    ),
    _local(
        "the result's gradient is its number",
        {"        self.grad = 1.0\n": "        self.grad = self.data\n"},
    ),
    _local(
        "gradients set to zero during the walk",
        {
            _WALK: _WALK
            + """\
            for operand in v.operands:
                operand.grad = 0.0
"""
        },
    ),
    _local(
        "`backward()` sets leaves' gradients to zero",
        {_RESET: "            v.grad = 0.0\n"},
    ),
    _local("`out.grad` is forgotten everywhere", {"slope * v.grad": "slope"}),
    _local(
        "the factors are not swapped in `*`", {"(other.data, self.data)": "(self.data, other.data)"}
    ),
    _local("`*` has the rule of `+`", {"(other.data, self.data)": "(1.0, 1.0)"}),
    _local(
        "numbers are cut to whole ones",
        {"        self.data = data\n": "        self.data = int(data)\n"},
    ),
    _local(
        "numbers are rounded",
        {"        self.data = data\n": "        self.data = round(data, 3)\n"},
    ),
    _local(
        "values of the same number are taken for one",
        {
            _CLASS: """\
class Value:
    def __hash__(self):
        return hash(self.data)

    def __eq__(self, other):
        return self.data == other.data

"""
        },
    ),
    _local("`__rsub__` is swapped", {"number_or_value(other) - self": "self - other"}),
    _local("`__rtruediv__` is swapped", {"number_or_value(other) / self": "self / other"}),
    _local("`__rsub__` is missing", {"def __rsub__": "def rsub"}),
    _local("`__rtruediv__` is missing", {"def __rtruediv__": "def rtruediv"}),
    _local(
        "`a - b` is swapped",
        {
            "self.data - other.data": "other.data - self.data",
            "(1.0, -1.0)": "(-1.0, 1.0)",
        },
    ),
    _local("the second operand of `-` has the wrong sign", {"(1.0, -1.0)": "(1.0, 1.0)"}),
    _local("both operands of `-` have the wrong sign", {"(1.0, -1.0)": "(-1.0, 1.0)"}),
    _local("the second operand of `-` gets no gradient", {"(1.0, -1.0)": "(1.0,)"}),
    _local("the gradient of `-a` has no sign", {"(-1.0,)": "(1.0,)"}),
    _local(
        "`-a` passes no gradient on", {"Value(-self.data, (self,), (-1.0,))": "Value(-self.data)"}
    ),
    _local(
        "`-a` changes a",
        {
            "        return Value(-self.data, (self,), (-1.0,))\n": """\
        self.data *= -1
        return self
"""
        },
    ),
    _local(
        "`/` cuts to whole numbers",
        {"self.data / other.data, (self": "self.data // other.data, (self"},
    ),
    _local(
        "`a / b` is swapped",
        {
            _DIVIDE: """\
        slopes = (-other.data / self.data**2, 1 / self.data)
        return Value(other.data / self.data, (self, other), slopes)
"""
        },
    ),
    _local(
        "the divisor's gradient has the wrong sign",
        {"-self.data / other.data**2": "self.data / other.data**2"},
    ),
    _local(
        "the divisor's gradient lacks the square",
        {"-self.data / other.data**2": "-self.data / other.data"},
    ),
    _local(
        "the divisor's gradient lacks the numerator",
        {"-self.data / other.data**2": "-1 / other.data**2"},
    ),
    _local(
        "the divisor gets no gradient",
        {"(1 / other.data, -self.data / other.data**2)": "(1 / other.data, 0.0)"},
    ),
    _local(
        "division has the rule of multiplication",
        {"(1 / other.data, -self.data / other.data**2)": "(other.data, self.data)"},
    ),
    _local(
        "a power is a repeated product",
        {
            "        slope = n * self.data ** (n - 1)\n": """\
        result = number_or_value(1)
        for _ in range(int(n)):
            result = result * self
        return result
""",
            "        return Value(self.data**n, (self,), (slope,))\n": "",
            _DIVIDE: "        return self * other**-1\n",
        },
    ),
    _local(
        "the exponent is cut to a whole number",
        {"        slope = n *": "        n = int(n)\n        slope = n *"},
    ),
    _local(
        "only whole exponents are allowed",
        {"        slope = n *": "        assert isinstance(n, int), n\n        slope = n *"},
    ),
    _local(
        "the exponent is missing in the rule of `**`",
        {"slope = n * self.data": "slope = self.data"},
    ),
    _local(
        "`n - 1` for the factor `n` in the rule of `**`",
        {"slope = n * self": "slope = (n - 1) * self"},
    ),
    _local("`*` for `**` in the rule of `**`", {"self.data ** (n - 1)": "self.data * (n - 1)"}),
    _local("base and exponent are swapped", {"Value(self.data**n": "Value(n**self.data"}),
    _local("`t**2` for `1 - t**2` in tanh", {"(1 - y * y,)": "(y * y,)"}),
    _local("`1 + t**2` for `1 - t**2` in tanh", {"(1 - y * y,)": "(1 + y * y,)"}),
    _local("`(1 - t)**2` for `1 - t**2` in tanh", {"(1 - y * y,)": "((1 - y) ** 2,)"}),
    _local(
        "tanh with `exp(x)` for `exp(2*x)`",
        {"y = math.tanh(self.data)": "y = (math.exp(self.data) - 1) / (math.exp(self.data) + 1)"},
    ),
    _local(
        "exp has the rule of powers",
        {"Value(y, (self,), (y,))": "Value(y, (self,), (self.data * math.exp(self.data - 1),))"},
    ),
    _local(
        "exp passes its gradient on unchanged",
        {"Value(y, (self,), (y,))": "Value(y, (self,), (1.0,))"},
    ),
    _local(
        "exp is a power of 2", {"        y = math.exp(self.data)\n": "        y = 2**self.data\n"}
    ),
    _local("log multiplies where it should divide", {"(1 / self.data,)": "(self.data,)"}),
    _local("log has the base 10", {"math.log(self.data)": "math.log10(self.data)"}),
    _local("`s` for `s * (1 - s)` in sigmoid", {"(y * (1 - y),)": "(y,)"}),
    _local("`1 - s` for `s * (1 - s)` in sigmoid", {"(y * (1 - y),)": "(1 - y,)"}),
    _local("`1 - s**2` for `s * (1 - s)` in sigmoid", {"(y * (1 - y),)": "(1 - y**2,)"}),
    _local("sigmoid with `exp(x)` for `exp(-x)`", {"math.exp(-self.data)": "math.exp(self.data)"}),
    _local(
        "relu passes on where the input is negative",
        {"(1.0 if on else 0.0,)": "(0.0 if on else 1.0,)"},
    ),
    _local(
        "relu multiplies by its result", {"(1.0 if on else 0.0,)": "(self.data if on else 0.0,)"}
    ),
    _local(
        "relu leaks",
        {
            "self.data if on else 0.0": "self.data if on else 0.01 * self.data",
            "(1.0 if on else 0.0,)": "(1.0 if on else 0.01,)",
        },
    ),
    _local(
        "relu gives its absolute value",
        {
            "self.data if on else 0.0": "abs(self.data)",
            "(1.0 if on else 0.0,)": "(1.0 if on else -1.0,)",
        },
    ),
    _local("the bias is not added", {"        total = self.b\n": "        total = 0.0\n"}),
    _local(
        "the activation comes before the bias",
        {_NEURON_SUM: "        return sum(wi * xi for wi, xi in zip(self.w, x)).tanh() + self.b\n"},
    ),
    _local(
        "the activation is applied to each product",
        {
            "total + wi * xi": "total + (wi * xi).tanh()",
            "return total.tanh()": "return total",
        },
    ),
    _local(
        "all weights are multiplied by the first input", {"total + wi * xi": "total + wi * x[0]"}
    ),
    _local("inputs and weights are added", {"total + wi * xi": "total + (wi + xi)"}),
    _local(
        "inputs are made into values anew",
        {"total + wi * xi": "total + wi * Value(getattr(xi, 'data', xi))"},
    ),
    _local(
        "the weights are not among the parameters", {"return [*self.w, self.b]": "return [self.b]"}
    ),
    _local(
        "`parameters()` gives copies",
        {"return [*self.w, self.b]": "return [Value(p.data) for p in [*self.w, self.b]]"},
    ),
    _local(
        "all weights begin with the same number",
        {f"[{_WEIGHT} for": "[Value(0.0) for"},
    ),
    _local(
        "one neuron for the whole layer",
        {"[Neuron(count) for _ in range(neurons)]": "[Neuron(count)] * neurons"},
    ),
    _local("the last layer is missing", {"in pairwise(ends)]": "in pairwise(ends[:-1])]"}),
    _local(
        "every layer is given the network's inputs",
        {
            "            x = layer(x)\n": "            y = layer(x)\n",
            "        return x\n": "        return y\n",
        },
    ),
    _local(
        "only the last layer's parameters", {_MLP: "        return self.layers[-1].parameters()\n"}
    ),
    _local(
        "only the first neuron's parameters",
        {_LAYER: "        return self.neurons[0].parameters()\n"},
    ),
    _local(
        "`parameters()` is a list of lists",
        {_MLP: "        return [layer.parameters() for layer in self.layers]\n"},
    ),
    _local(
        "a layer gives its first neuron alone",
        {"        if len(y) == 1:\n": "        if len(y) > 0:\n"},
    ),
]

MUTANTS = CLOSURES + LOCAL
