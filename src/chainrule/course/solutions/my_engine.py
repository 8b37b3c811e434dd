"""The engine of the course as it stands after chapter 6: one way to write it, of many."""

import math
import random

# ---- chapter 2: a value that remembers how it was made ----


class Value:
    """A number of an expression, with what it was computed from."""

    def __init__(self, data, operands=(), op="", derivatives=(), label=""):
        self.data = data
        self.operands = operands
        self.op = op
        self.derivatives = derivatives  # since chapter 4: by each operand, how fast this moves
        self.label = label
        self.grad = 0.0

    def __repr__(self):
        return f"Value(data={self.data}, grad={self.grad})"

    def __add__(self, other):
        other = as_value(other)
        return Value(self.data + other.data, (self, other), "+", (1.0, 1.0))

    def __mul__(self, other):
        other = as_value(other)
        return Value(self.data * other.data, (self, other), "*", (other.data, self.data))

    # ---- chapter 4: backpropagation ----

    def backward(self):
        order = topological_order(self)
        for value in order:
            if value.operands:
                value.grad = 0.0
        self.grad += 1.0
        for value in reversed(order):
            for operand, derivative in zip(value.operands, value.derivatives):
                operand.grad += derivative * value.grad

    # ---- chapter 5: more operations ----

    def __radd__(self, other):
        return as_value(other) + self

    def __rmul__(self, other):
        return as_value(other) * self

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -as_value(other)

    def __rsub__(self, other):
        return as_value(other) - self

    def __pow__(self, power):
        derivative = power * self.data ** (power - 1) if power else 0.0
        return Value(self.data**power, (self,), f"**{power}", (derivative,))

    def __truediv__(self, other):
        return self * as_value(other) ** -1

    def __rtruediv__(self, other):
        return as_value(other) / self

    def exp(self):
        y = math.exp(self.data)
        return Value(y, (self,), "exp", (y,))

    def tanh(self):
        y = math.tanh(self.data)
        return Value(y, (self,), "tanh", (1 - y * y,))

    def relu(self):
        return Value(max(0.0, self.data), (self,), "relu", (float(self.data > 0),))


def as_value(x):
    return x if isinstance(x, Value) else Value(x)


def topological_order(value):
    """All that a value was computed from and itself, each after its operands."""
    order, seen = [], set()

    def visit(value):
        if value not in seen:
            seen.add(value)
            for operand in value.operands:
                visit(operand)
            order.append(value)

    visit(value)
    return order


# ---- chapter 6: networks ----


class Neuron:
    def __init__(self, inputs):
        self.weights = [Value(random.uniform(-1, 1)) for _ in range(inputs)]
        self.bias = Value(random.uniform(-1, 1))

    def __call__(self, x):
        products = [w * xi for w, xi in zip(self.weights, x)]
        return sum(products, self.bias).tanh()

    def parameters(self):
        return [*self.weights, self.bias]


class Layer:
    def __init__(self, inputs, outputs):
        self.neurons = [Neuron(inputs) for _ in range(outputs)]

    def __call__(self, x):
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP:
    def __init__(self, inputs, outputs):
        sizes = [inputs, *outputs]
        self.layers = [Layer(*pair) for pair in zip(sizes, outputs)]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]
