"""All operations are written down on one tape; backward reads it from its end."""

import math
import random
from itertools import pairwise


class Value:
    tape = []  # of (result, operands, slopes), in the order of their making

    def __init__(self, data):
        self.data = float(data)
        self.grad = 0.0

    def __repr__(self):
        return f"Value({self.data:g})"

    def _record(self, data, operands, slopes):
        out = Value(data)
        Value.tape.append((out, operands, slopes))
        return out

    def __add__(self, other):
        other = _value(other)
        return self._record(self.data + other.data, (self, other), (1.0, 1.0))

    __radd__ = __add__

    def __mul__(self, other):
        other = _value(other)
        return self._record(self.data * other.data, (self, other), (other.data, self.data))

    __rmul__ = __mul__

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + -_value(other)

    def __rsub__(self, other):
        return _value(other) - self

    def __truediv__(self, other):
        return self * _value(other) ** -1.0

    def __rtruediv__(self, other):
        return _value(other) / self

    def __pow__(self, n):
        return self._record(self.data**n, (self,), (n * self.data ** (n - 1),))

    def exp(self):
        y = math.exp(self.data)
        return self._record(y, (self,), (y,))

    def log(self):
        return self._record(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self):
        y = math.tanh(self.data)
        return self._record(y, (self,), (1 - y * y,))

    def relu(self):
        return self._record(max(self.data, 0.0), (self,), (float(self.data > 0),))

    def backward(self):
        entries = _leading_to(self)
        for out, _, _ in entries:
            out.grad = 0.0
        self.grad = 1.0
        for out, operands, slopes in entries:
            for operand, slope in zip(operands, slopes):
                operand.grad += slope * out.grad


def _value(x):
    return x if isinstance(x, Value) else Value(x)


def _leading_to(root):
    """The entries that lead to `root`, the last first."""
    needed, entries = {root}, []
    for entry in reversed(Value.tape):
        if entry[0] in needed:
            needed.update(entry[1])
            entries.append(entry)
    return entries


class Neuron:
    def __init__(self, nin):
        self.w = [Value(random.gauss(0, 1)) for _ in range(nin)]
        self.b = Value(random.gauss(0, 1))

    def __call__(self, x):
        return (sum(wi * xi for wi, xi in zip(self.w, x)) + self.b).tanh()

    def parameters(self):
        return [*self.w, self.b]


class Layer:
    def __init__(self, nin, nout):
        self.neurons = [Neuron(nin) for _ in range(nout)]

    def __call__(self, x):
        y = [neuron(x) for neuron in self.neurons]
        return y if len(y) > 1 else y[0]

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [Layer(*pair) for pair in pairwise(sizes)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]
