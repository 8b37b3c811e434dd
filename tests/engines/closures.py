"""Each operation leaves a closure that passes its gradient on."""

import math
import random


class Value:
    def __init__(self, data, children=(), op=""):
        self.data = data
        self.grad = 0
        self._prev = children
        self._op = op
        self._backward = lambda: None

    def __repr__(self):
        return f"Value({self.data}, grad={self.grad})"

    @staticmethod
    def wrap(x):
        return x if isinstance(x, Value) else Value(x)

    def __add__(self, other):
        other = Value.wrap(other)
        out = Value(self.data + other.data, (self, other), "+")

        def pass_on():
            self.grad = self.grad + out.grad
            other.grad = other.grad + out.grad

        out._backward = pass_on
        return out

    def __sub__(self, other):
        other = Value.wrap(other)
        out = Value(self.data - other.data, (self, other), "-")

        def pass_on():
            self.grad = self.grad + out.grad
            other.grad = other.grad - out.grad

        out._backward = pass_on
        return out

    def __mul__(self, other):
        other = Value.wrap(other)
        out = Value(self.data * other.data, (self, other), "*")

        def pass_on():
            self.grad = self.grad + out.grad * other.data
            other.grad = other.grad + out.grad * self.data

        out._backward = pass_on
        return out

    def __truediv__(self, other):
        other = Value.wrap(other)
        out = Value(self.data / other.data, (self, other), "/")

        def pass_on():
            self.grad = self.grad + out.grad / other.data
            other.grad = other.grad - out.grad * self.data / other.data**2

        out._backward = pass_on
        return out

    def __pow__(self, exponent):
        out = Value(self.data**exponent, (self,), "**")

        def pass_on():
            self.grad = self.grad + out.grad * exponent * self.data ** (exponent - 1)

        out._backward = pass_on
        return out

    def __neg__(self):
        out = Value(-self.data, (self,), "neg")

        def pass_on():
            self.grad = self.grad - out.grad

        out._backward = pass_on
        return out

    def exp(self):
        out = Value(math.exp(self.data), (self,), "exp")

        def pass_on():
            self.grad = self.grad + out.grad * out.data

        out._backward = pass_on
        return out

    def log(self):
        out = Value(math.log(self.data), (self,), "log")

        def pass_on():
            self.grad = self.grad + out.grad / self.data

        out._backward = pass_on
        return out

    def tanh(self):
        out = Value(math.tanh(self.data), (self,), "tanh")

        def pass_on():
            self.grad = self.grad + out.grad * (1 - out.data**2)

        out._backward = pass_on
        return out

    def sigmoid(self):
        out = Value(1 / (1 + math.exp(-self.data)), (self,), "sigmoid")

        def pass_on():
            self.grad = self.grad + out.grad * out.data * (1 - out.data)

        out._backward = pass_on
        return out

    def relu(self):
        out = Value(self.data if self.data > 0 else 0.0, (self,), "relu")

        def pass_on():
            if self.data > 0:
                self.grad = self.grad + out.grad

        out._backward = pass_on
        return out

    def __radd__(self, other):
        return Value.wrap(other) + self

    def __rsub__(self, other):
        return Value.wrap(other) - self

    def __rmul__(self, other):
        return Value.wrap(other) * self

    def __rtruediv__(self, other):
        return Value.wrap(other) / self

    def backward(self):
        order = []
        seen = set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for operand in v._prev:
                    visit(operand)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v._backward()


class Module:
    def parameters(self):
        return []

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0


class Neuron(Module):
    def __init__(self, nin, nonlin=True):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)
        self.nonlin = nonlin

    def __call__(self, x):
        total = sum((w * xi for w, xi in zip(self.w, x)), self.b)
        return total.relu() if self.nonlin else total

    def parameters(self):
        return [*self.w, self.b]


class Layer(Module):
    def __init__(self, nin, nout, nonlin=True):
        self.neurons = [Neuron(nin, nonlin) for _ in range(nout)]

    def __call__(self, x):
        outputs = [neuron(x) for neuron in self.neurons]
        return outputs[0] if len(outputs) == 1 else outputs

    def parameters(self):
        return [p for neuron in self.neurons for p in neuron.parameters()]


class MLP(Module):
    def __init__(self, nin, nouts):
        last = len(nouts) - 1
        sizes = [nin, *nouts]
        self.layers = [Layer(sizes[i], sizes[i + 1], i != last) for i in range(len(nouts))]

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def parameters(self):
        return [p for layer in self.layers for p in layer.parameters()]
