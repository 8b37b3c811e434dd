"""Each value keeps its operands with the local derivatives as numbers; one loop does the rest."""

import math
import random
from itertools import pairwise


def number_or_value(x):
    return x if isinstance(x, Value) else Value(float(x))


class Value:
    def __init__(self, data, operands=(), slopes=()):
        self.data = data
        self.grad = 0.0
        self.operands = operands
        self.slopes = slopes

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        other = number_or_value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __sub__(self, other):
        other = number_or_value(other)
        return Value(self.data - other.data, (self, other), (1.0, -1.0))

    def __mul__(self, other):
        other = number_or_value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        other = number_or_value(other)
        slopes = (1 / other.data, -self.data / other.data**2)
        return Value(self.data / other.data, (self, other), slopes)

    def __pow__(self, n):
        slope = n * self.data ** (n - 1)
        return Value(self.data**n, (self,), (slope,))

    def __neg__(self):
        return Value(-self.data, (self,), (-1.0,))

    def __radd__(self, other):
        return number_or_value(other) + self

    def __rsub__(self, other):
        return number_or_value(other) - self

    def __rmul__(self, other):
        return number_or_value(other) * self

    def __rtruediv__(self, other):
        return number_or_value(other) / self

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), (y,))

    def log(self):
        return Value(math.log(self.data), (self,), (1 / self.data,))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), (1 - y * y,))

    def sigmoid(self):
        y = 1 / (1 + math.exp(-self.data))
        return Value(y, (self,), (y * (1 - y),))

    def relu(self):
        on = self.data > 0
        return Value(self.data if on else 0.0, (self,), (1.0 if on else 0.0,))

    def backward(self):
        order = topological(self)
        for v in order:
            if v.operands:
                v.grad = 0.0
        self.grad = 1.0
        for v in reversed(order):
            for operand, slope in zip(v.operands, v.slopes):
                operand.grad += slope * v.grad


def topological(root):
    """The values under `root`, operands before what is made of them."""
    order, seen, stack = [], set(), [(root, False)]
    while stack:
        v, operands_done = stack.pop()
        if operands_done:
            order.append(v)
        elif v not in seen:
            seen.add(v)
            stack.append((v, True))
            stack += [(operand, False) for operand in v.operands]
    return order


class Neuron:
    def __init__(self, count):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(count)]
        self.b = Value(random.uniform(-1, 1))

    def __call__(self, x):
        total = self.b
        for wi, xi in zip(self.w, x):
            total = total + wi * xi
        return total.tanh()

    def parameters(self):
        return [*self.w, self.b]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0


class Layer:
    def __init__(self, count, neurons):
        self.neurons = [Neuron(count) for _ in range(neurons)]

    def __call__(self, x):
        y = [neuron(x) for neuron in self.neurons]
        if len(y) == 1:
            return y[0]
        return y

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0


class MLP:
    def __init__(self, count, widths):
        ends = [count, *widths]
        self.layers = [Layer(n, m) for n, m in pairwise(ends)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0
