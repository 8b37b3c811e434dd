"""Programs written for micrograd 0.1.0 run when the import is replaced, and give its numbers."""

import gc
import random
import re

import pytest

import chainrule.engine
import chainrule.nn

engine = pytest.importorskip("micrograd.engine")
nn = pytest.importorskip("micrograd.nn")

DIGITS = 1e-12  # micrograd itself moves in the 15th digit from run to run


class Package:
    """The two modules that a program imports, from either package."""

    def __init__(self, name, engine, nn):
        self.name = name
        self.Value = engine.Value
        self.nn = nn


MICROGRAD = Package("micrograd", engine, nn)
CHAINRULE = Package("chainrule", chainrule.engine, chainrule.nn)


def both(program):
    """What the program gives with micrograd, and with chainrule."""
    return program(MICROGRAD), program(CHAINRULE)


def with_floats(text):
    """micrograd's form of a value, numbers as floats: 2 as 2.0."""
    return re.sub(r"=(-?\d+)(?=[,)])", r"=\1.0", text)


# ---- the programs ----


def well_known_expression(package):
    """The expression by which micrograd introduces itself."""
    a, b = package.Value(-4.0), package.Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    return [g.data, a.grad, b.grad]


def value_used_five_times(package):
    """A relu that is passed, one that is not, and a value with many uses, as in its tests."""
    x = package.Value(-4.0)
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    y = (z * z).relu() + q + q * x
    y.backward()
    return [y.data, x.grad]


def every_operator(package):
    """Each operator with a value and with a number on either side."""
    a, b = package.Value(1.5), package.Value(-0.75)
    out = (a + 2) * (3 - b) / (b * b + 1) - (2 * a) ** 2 + 1 / a - a / 4 + a**-1.5 + (-b) ** 3
    out = out + (out - a) * 0.125 + (a * b).relu() + (b - a * b * 9).relu()
    out.backward()
    return [out.data, a.grad, b.grad]


def traced_neuron(package):
    """The nodes of a neuron's graph by `_prev` and `_op`, as its notebook draws them."""
    random.seed(11)
    neuron = package.nn.Neuron(2)
    for w, x in zip(neuron.w, [2.0, -0.5]):
        w.data = x
    out = neuron([package.Value(1.0), package.Value(-2.0)])
    out.backward()
    nodes, edges, todo = {out}, set(), [out]
    while todo:
        node = todo.pop()
        for operand in node._prev:
            edges.add((operand, node))
            if operand not in nodes:
                nodes.add(operand)
                todo.append(operand)
    shown = {node: (node._op, f"{node.data:.4f}", f"{node.grad:.4f}") for node in nodes}
    return sorted(shown.values()), sorted((shown[a], shown[b]) for a, b in edges)


def descent_by_hand(package):
    """A data set of four rows, squared errors, and parameters moved by assigning `.data`."""
    random.seed(3)
    rows = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
    targets = [1.0, -1.0, -1.0, 1.0]
    model = package.nn.MLP(3, [4, 4, 1])
    losses = []
    for _ in range(20):
        loss = sum((model(row) - target) ** 2 for row, target in zip(rows, targets))
        for p in model.parameters():
            p.grad = 0.0
        loss.backward()
        for p in model.parameters():
            p.data += -0.01 * p.grad
        losses.append(loss.data)
    return losses


def module_of_ones_own(package):
    """A subclass of Module that lists its parameters itself."""

    class Line(package.nn.Module):
        def __init__(self):
            self.k = package.Value(0.5)
            self.m = package.Value(0.0)
            self.frozen = package.Value(10.0)

        def __call__(self, x):
            return self.k * x + self.m

        def parameters(self):
            return [self.k, self.m]

    line = Line()
    for _ in range(10):
        loss = sum((line(x) - (3 * x - 1)) ** 2 for x in (-1.0, 0.0, 2.0))
        line.zero_grad()
        loss.backward()
        for p in line.parameters():
            p.data -= 0.05 * p.grad
    return [line.k.data, line.m.data, line.k.grad, line.m.grad]


def demo(package):
    """Twenty steps of the demo: moons, two layers of 16, max-margin loss, L2, falling rate."""
    datasets = pytest.importorskip("sklearn.datasets")
    np = pytest.importorskip("numpy")
    np.random.seed(1337)
    random.seed(1337)
    x, y = datasets.make_moons(n_samples=100, noise=0.1)
    y = y * 2 - 1
    model = package.nn.MLP(2, [16, 16, 1])
    history = []
    for k in range(20):
        scores = [model(list(map(package.Value, row))) for row in x]
        margins = [(1 + -yi * score).relu() for yi, score in zip(y, scores)]
        penalty = 1e-4 * sum(p * p for p in model.parameters())
        loss = sum(margins) * (1.0 / len(margins)) + penalty
        model.zero_grad()
        loss.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
        right = [(yi > 0) == (score.data > 0) for yi, score in zip(y, scores)]
        history.append((loss.data, sum(right)))
        del scores, margins, penalty, loss
        gc.collect()  # micrograd's graphs are cyclic, and large
    return history


# ---- the comparisons ----


@pytest.mark.parametrize(
    "program",
    [
        well_known_expression,
        value_used_five_times,
        every_operator,
        descent_by_hand,
        module_of_ones_own,
    ],
)
def test_a_program_gives_the_same_numbers(program):
    """Results, gradients and losses agree to 12 digits."""
    theirs, ours = both(program)
    assert ours == pytest.approx(theirs, rel=DIGITS, abs=0)


def test_the_well_known_expression_gives_the_well_known_numbers():
    """24.7041, 138.8338 and 645.5773, as micrograd's own page says."""
    assert [f"{x:.4f}" for x in well_known_expression(CHAINRULE)] == [
        *("24.7041", "138.8338", "645.5773")
    ]


def test_the_graph_of_a_neuron_is_the_same():
    """The same nodes with the same ops, numbers and gradients, joined by the same edges."""
    theirs, ours = both(traced_neuron)
    assert ours == theirs
    assert {op for op, _, _ in ours[0]} == {"", "*", "+", "ReLU"}


def test_the_demo_gives_the_same_losses():
    """Seeded alike, 20 steps on moons have the same losses to 12 digits, and accuracies."""
    gc.disable()  # or micrograd takes six times as long
    try:
        theirs, ours = both(demo)
    finally:
        gc.enable()
    assert [loss for loss, _ in ours] == pytest.approx([x for x, _ in theirs], rel=DIGITS, abs=0)
    assert [right for _, right in ours] == [right for _, right in theirs]


def test_constructors_draw_the_same_numbers():
    """Weights come from `random` in micrograd's order, and leave it in the same state."""

    def program(package):
        random.seed(7)
        model = package.nn.MLP(3, [4, 2])
        neuron = package.nn.Neuron(3, nonlin=False)
        layer = package.nn.Layer(2, 2, nonlin=True)
        parameters = [*model.parameters(), *neuron.parameters(), *layer.parameters()]
        return [p.data for p in parameters], random.random()

    theirs, ours = both(program)
    assert ours == theirs


def test_reprs_are_the_same_but_for_floats():
    """Modules print alike; a value prints 2 as 2.0."""

    def program(package):
        value = package.Value(2)
        (value * -3).backward()
        modules = package.nn
        return [
            *(value, package.Value(0.5), value**2),
            *(modules.Neuron(2), modules.Neuron(1, nonlin=False), modules.Neuron(3, True)),
            *(modules.Layer(2, 2), modules.MLP(2, [3, 1]), modules.MLP(1, [1])),
        ]

    theirs, ours = both(program)
    assert list(map(repr, ours)) == [with_floats(repr(x)) for x in theirs]
