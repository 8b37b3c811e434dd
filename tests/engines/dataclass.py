"""A dataclass; operations are functions in a table, and operators look them up."""

import math
import random
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(eq=False)
class Value:
    data: float
    operands: tuple = field(default=(), repr=False)
    op: str = field(default="", repr=False)
    label: str = ""
    grad: float = field(default=0.0, init=False)

    def backward(self):
        order = list(in_order(self))
        for value in order[:-1]:
            value.grad = 0.0 if value.operands else value.grad
        self.grad = 1.0
        for value in reversed(order):
            if value.op:
                numbers = [operand.data for operand in value.operands]
                slopes = RULES[value.op][1](value.data, *numbers)
                for operand, slope in zip(value.operands, slopes):
                    operand.grad += value.grad * slope

    def __add__(self, other):
        return apply("+", self, other)

    def __radd__(self, other):
        return apply("+", other, self)

    def __sub__(self, other):
        return apply("-", self, other)

    def __rsub__(self, other):
        return apply("-", other, self)

    def __mul__(self, other):
        return apply("*", self, other)

    def __rmul__(self, other):
        return apply("*", other, self)

    def __truediv__(self, other):
        return apply("/", self, other)

    def __rtruediv__(self, other):
        return apply("/", other, self)

    def __pow__(self, other):
        return apply("**", self, other)

    def __neg__(self):
        return apply("neg", self)

    def exp(self):
        return apply("exp", self)

    def log(self):
        return apply("log", self)

    def tanh(self):
        return apply("tanh", self)

    def relu(self):
        return apply("relu", self)


# Of each operation its value, and from result and operands its derivatives.
RULES = {
    "+": (lambda a, b: a + b, lambda *_: (1, 1)),
    "-": (lambda a, b: a - b, lambda *_: (1, -1)),
    "*": (lambda a, b: a * b, lambda _, a, b: (b, a)),
    "/": (lambda a, b: a / b, lambda y, _, b: (1 / b, -y / b)),
    "**": (lambda a, n: a**n, lambda y, a, n: (n * a ** (n - 1), y * math.log(a) if a > 0 else 0)),
    "neg": (lambda a: -a, lambda *_: (-1,)),
    "exp": (math.exp, lambda y, _: (y,)),
    "log": (math.log, lambda _, a: (1 / a,)),
    "tanh": (math.tanh, lambda y, _: (1 - y**2,)),
    "relu": (lambda a: max(a, 0), lambda _, a: (int(a > 0),)),
}


def apply(op, *operands):
    operands = tuple(v if isinstance(v, Value) else Value(v) for v in operands)
    return Value(RULES[op][0](*(v.data for v in operands)), operands, op)


def in_order(root):
    """The values under `root`, each after its operands."""
    seen, stack = {id(root)}, [(root, iter(root.operands))]
    while stack:
        value, rest = stack[-1]
        for operand in rest:
            if id(operand) not in seen:
                seen.add(id(operand))
                stack.append((operand, iter(operand.operands)))
                break
        else:
            yield value
            stack.pop()


@dataclass
class Neuron:
    w: list
    b: Value

    def __init__(self, inputs):
        self.w = [Value(random.uniform(-1, 1), label=f"w{i}") for i in range(inputs)]
        self.b = Value(random.uniform(-1, 1), label="b")

    def __call__(self, x):
        return sum((w * xi for w, xi in zip(self.w, x)), start=self.b).tanh()

    def parameters(self):
        return [*self.w, self.b]


@dataclass
class Layer:
    neurons: list

    def __init__(self, inputs, outputs):
        self.neurons = [Neuron(inputs) for _ in range(outputs)]

    def __call__(self, x):
        y = [neuron(x) for neuron in self.neurons]
        return y[0] if len(y) == 1 else y

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


@dataclass
class MLP:
    layers: list

    def __init__(self, inputs, outputs):
        sizes = [inputs, *outputs]
        self.layers = [Layer(a, b) for a, b in pairwise(sizes)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]
