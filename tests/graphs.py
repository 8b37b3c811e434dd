"""Graphs that are drawn by the tests."""

import random

from chainrule import Value, grad, nn, ops


def neuron():
    """The neuron of the lecture, with its labels."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.label = "o"
    o.backward()
    return o


def overview():
    """The well-known expression with its many shared values and constants."""
    a, b = Value(-4.0, label="a"), Value(2.0, label="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    f = (c - d) ** 2
    return f / 2 + 10 / f


def network(sizes=(3, 4, 4, 1), seed=1):
    """The output of a network of tanh neurons, all of whose inputs are shared."""
    draws = random.Random(seed)
    inputs = [Value(draws.uniform(-1, 1), label=f"x{i}") for i in range(sizes[0])]
    for count in sizes[1:]:
        inputs = [
            sum((Value(draws.uniform(-1, 1)) * x for x in inputs), Value(0.0)).tanh()
            for _ in range(count)
        ]
    return inputs[0]


def chain(length):
    value = Value(1.0)
    for _ in range(length - 1):
        value = value.tanh()
    return value


def recurrent(steps=20):
    """One weight that is used at every step."""
    w, h = Value(0.5, label="w"), Value(1.0, label="h")
    for _ in range(steps):
        h = (w * h + w).tanh()
    return h


def total(terms=100):
    return sum((Value(float(i)) for i in range(1, terms)), Value(0.0))


def chosen():
    a, b, c = Value(1.0, label="a"), Value(2.0, label="b"), Value(3.0, label="c")
    return ops.maximum(ops.where(a, b * c, b - c), c)


def convolution():
    """A filter of three weights over eight inputs."""
    inputs, kernel = [Value(float(i)) for i in range(8)], [Value(0.5), Value(-1.0), Value(0.25)]
    return sum(sum(w * x for w, x in zip(kernel, inputs[i:])).relu() for i in range(6))


def attention(keys=3):
    """A question, answered by a mean of rows, each weighted by how well its key fits."""
    draws = random.Random(2)
    question, *rows = [[Value(draws.random()) for _ in range(2)] for _ in range(2 * keys + 1)]
    scores = [ops.dot(question, key).exp() for key in rows[:keys]]
    total = sum(scores[1:], scores[0])
    return sum(sum(s / total * row[j] for s, row in zip(scores, rows[keys:])) ** 2 for j in (0, 1))


def newton(steps=5):
    """The square root of 2 by Newton's method, from a guess."""
    x = Value(1.0, label="x")
    for _ in range(steps):
        x = x - (x**2 - 2) / (2 * x)
    return x


def polynomial():
    x = Value(0.5, label="x")
    return sum(Value(float(i), label=f"c{i}") * x**i for i in range(6))


def fibonacci():
    a, b = Value(1.0), Value(1.0)
    for _ in range(8):
        a, b = b, a + b
    return b


def softmax():
    scores = [Value(i / 5) for i in range(5)]
    return -(scores[1].exp() / sum(score.exp() for score in scores)).log()


def backward_of_neuron(inputs=4):
    """The squared length of a gradient, which is a graph of its own."""
    weights = [Value(0.2 * i) for i in range(inputs)]
    output = ops.dot(weights, [Value(0.1 * i) for i in range(inputs)]).tanh()
    return sum(slope * slope for slope in grad(output, weights, create_graph=True))


def mlp(sizes, samples=1):
    """The squared error of a perceptron over some samples; the model too."""
    random.seed(1)
    model = nn.MLP(sizes[0], list(sizes[1:]), activation="tanh")
    rows = [[random.uniform(-1, 1) for _ in range(sizes[0])] for _ in range(samples)]
    outputs = [model(row) for row in rows]
    return sum((output - 1.0) ** 2 for output in outputs), model


GRAPHS = [neuron, overview, network, recurrent, total, chosen, lambda: chain(200), lambda: Value(1)]
