"""Numbers and gradients are NumPy arrays of shape (1,), as of a library that grew from tensors."""

from itertools import pairwise

import numpy as np


class Value:
    def __init__(self, data, parents=()):
        self.data = np.array(data, dtype=np.float64).reshape(1)
        self.grad = np.zeros(1)
        self.parents = parents  # of (value, function from the gradient above to its own)

    def __repr__(self):
        return f"Value({self.data}, grad={self.grad})"

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, ((self, lambda g: g), (other, lambda g: g)))

    def __mul__(self, other):
        other = as_value(other)
        parents = ((self, lambda g: g * other.data), (other, lambda g: g * self.data))
        return Value(self.data * other.data, parents)

    def __truediv__(self, other):
        other = as_value(other)
        parents = (
            (self, lambda g: g / other.data),
            (other, lambda g: -g * self.data / other.data**2),
        )
        return Value(self.data / other.data, parents)

    def __pow__(self, n):
        return Value(self.data**n, ((self, lambda g: g * n * self.data ** (n - 1)),))

    def __neg__(self):
        return Value(-self.data, ((self, lambda g: -g),))

    def __sub__(self, other):
        return self + -as_value(other)

    def __radd__(self, other):
        return as_value(other) + self

    def __rsub__(self, other):
        return as_value(other) - self

    def __rmul__(self, other):
        return as_value(other) * self

    def __rtruediv__(self, other):
        return as_value(other) / self

    def exp(self):
        y = np.exp(self.data)
        return Value(y, ((self, lambda g: g * y),))

    def log(self):
        return Value(np.log(self.data), ((self, lambda g: g / self.data),))

    def tanh(self):
        y = np.tanh(self.data)
        return Value(y, ((self, lambda g: g * (1 - y**2)),))

    def relu(self):
        return Value(np.maximum(self.data, 0), ((self, lambda g: g * (self.data > 0)),))

    def backward(self):
        gradients = {self: np.ones(1)}
        for v in sorted_from(self):
            gradient = gradients[v]
            v.grad = gradient if v.parents else v.grad + gradient
            for parent, rule in v.parents:
                gradients[parent] = gradients.get(parent, 0) + rule(gradient)


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


def sorted_from(root):
    """`root` and all below it, each before its parents: Kahn's algorithm."""
    uses, stack, seen = {root: 0}, [root], {root}
    while stack:
        for parent, _ in stack.pop().parents:
            uses[parent] = uses.get(parent, 0) + 1
            if parent not in seen:
                seen.add(parent)
                stack.append(parent)
    ready = [root]
    while ready:
        v = ready.pop()
        yield v
        for parent, _ in v.parents:
            uses[parent] -= 1
            if not uses[parent]:
                ready.append(parent)


class Neuron:
    def __init__(self, nin, nonlin=True):
        self.w = [Value(w) for w in np.random.uniform(-1, 1, nin)]
        self.b = Value(0)
        self.nonlin = nonlin

    def __call__(self, x):
        act = self.b
        for w, xi in zip(self.w, x):
            act = act + w * xi
        return act.tanh() if self.nonlin else act

    def parameters(self):
        return [*self.w, self.b]


class Layer:
    def __init__(self, nin, nout, nonlin=True):
        self.neurons = [Neuron(nin, nonlin) for _ in range(nout)]

    def __call__(self, x):
        y = [neuron(x) for neuron in self.neurons]
        return y[0] if len(y) == 1 else y

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    def __init__(self, nin, nouts):
        sizes = [nin, *nouts]
        self.layers = [
            Layer(a, b, nonlin=i < len(nouts) - 1) for i, (a, b) in enumerate(pairwise(sizes))
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]
