"""The lecture, part by part: `python examples/lecture.py` shows each with its numbers.

Karpathy's "The spelled-out intro to neural networks and backpropagation: building micrograd" has
the parts below, in this order. Each function is one of them: it builds what the part is about and
returns what is to be seen. Pictures go to runs/lecture.
"""

from __future__ import annotations

import collections
import inspect
import io
import math
import pathlib
import random
import textwrap
import tokenize

from matplotlib.figure import Figure

import chainrule
from chainrule import Value, engine, gradcheck, nn, no_grad, ops
from chainrule.check import numerical_derivative, step_size_study
from chainrule.datasets import load
from chainrule.losses import hinge, l2, mse
from chainrule.nn import MLP, Layer, Neuron
from chainrule.viz import draw
from chainrule.viz.plots import decision_boundary

try:
    import torch
except ImportError:
    torch = None

PARTS = []
PICTURES = pathlib.Path("runs/lecture")
LEFT_OUT = "the same; not run here, since PyTorch is not installed"


def part(block):
    """Make a function a part of the lecture, under the first line of its docstring."""
    PARTS.append(block)
    return block


def picture(name):
    """Where the picture of this name goes."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES / name


# ---- derivatives ----


@part
def overview():
    """Overview

    Any expression of values can be computed, and then differentiated by all its inputs at once.
    """
    a, b = Value(-4.0, "a"), Value(2.0, "b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2
    g += 10 / f
    g.backward()
    return {"g": g.data, "dg/da": a.grad, "dg/db": b.grad}


def parabola(x):
    return 3 * x**2 - 4 * x + 5


@part
def derivative_of_one_input():
    """Derivative of one input

    How far does f(x) = 3x^2 - 4x + 5 move when x is nudged by h? Over h, that is the slope.
    """
    save_curve(parabola, picture("parabola.png"))
    shown = {"f(3)": parabola(3.0)}
    for h in (0.1, 0.001, 0.00001):
        shown[f"slope at 3 with h = {h}"] = numerical_derivative(parabola, 3.0, h, "forward")
    shown["slope at -3"] = numerical_derivative(parabola, -3.0)
    shown["slope at 2/3"] = numerical_derivative(parabola, 2 / 3)
    return shown


def save_curve(f, path):
    figure = Figure()
    xs = [k / 4 - 5 for k in range(41)]
    figure.add_subplot(xlabel="x", ylabel="f(x)").plot(xs, [f(x) for x in xs])
    figure.savefig(path)


@part
def the_step_size():
    """The step size

    The error of a numerical derivative against h is a valley: a large h is inaccurate, a small
    one drowns in rounding.
    """
    study = step_size_study(ops.exp, 1.0)
    study.plot(picture("step_size.png"))
    shown = {"derivative": study.exact}
    for method, errors in (("forward", study.forward), ("central", study.central)):
        best = errors.index(min(errors))
        shown[f"{method}: error at h = 1"] = errors[0]
        shown[f"{method}: least error, at h = {study.steps[best]:.0e}"] = errors[best]
        shown[f"{method}: error at h = 1e-15"] = errors[-1]
    return shown


@part
def several_inputs():
    """Several inputs

    Of d = a*b + c there are three derivatives: nudge one input, and leave the others alone.
    """

    def d(a, b, c):
        return a * b + c

    point = [2.0, -3.0, 10.0]
    by_a, by_b, by_c = numerical_derivative(d, point, 1e-4, "forward")
    return {"d": d(*point), "dd/da": by_a, "dd/db": by_b, "dd/dc": by_c}


# ---- values and graphs ----


@part
def the_value_object():
    """The value object

    A value keeps its number and how it was made, so + and * build a graph behind the scenes.
    """
    a, b, c = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c")
    d = a * b + c
    product = d.operands[0]
    return {
        "d": d.data,
        "its op": d.op,
        "its operands": [operand.data for operand in d.operands],
        "the first one's op": product.op,
        "the labels of that one's operands": [operand.label for operand in product.operands],
    }


def expression():
    """L = (a*b + c) * f and all values in it, by label."""
    a, b, c, f = Value(2.0, "a"), Value(-3.0, "b"), Value(10.0, "c"), Value(-2.0, "f")
    e = a * b
    e.label = "e"
    d = e + c
    d.label = "d"
    loss = d * f
    loss.label = "L"
    return {value.label: value for value in (a, b, c, f, e, d, loss)}


@part
def the_graph_drawn():
    """The graph, drawn

    Values with label, data and gradient, and between them the ops, from left to right.
    """
    loss = expression()["L"]
    draw(loss).save(picture("expression.svg"))
    return {value.label: value.op or "leaf" for value in engine.operands_first(loss)}


# ---- backpropagation by hand ----


def nudged(label, h):
    """L when the value of this label, a leaf or not, is moved by h."""
    a, b, c, f = (x + h * (label == name) for x, name in zip((2.0, -3.0, 10.0, -2.0), "abcf"))
    e = a * b + h * (label == "e")
    d = e + c + h * (label == "d")
    return d * f + h * (label == "L")


@part
def backpropagation_by_hand_1():
    """Backpropagation by hand (1)

    + passes the gradient on to both operands, * multiplies it by the other operand. Each number
    filled in by hand is what nudging that value by h finds.
    """
    v = expression()
    v["L"].grad = 1.0
    v["d"].grad = v["f"].data * v["L"].grad
    v["f"].grad = v["d"].data * v["L"].grad
    v["c"].grad = v["e"].grad = v["d"].grad
    v["a"].grad = v["b"].data * v["e"].grad
    v["b"].grad = v["a"].data * v["e"].grad
    shown = {"L": v["L"].data}
    for label, value in v.items():
        shown[f"dL/d{label} by hand"] = value.grad
        shown[f"dL/d{label} by nudging"] = (nudged(label, 1e-3) - nudged(label, 0.0)) / 1e-3
    return shown


@part
def one_step_of_optimisation():
    """One step of optimisation

    The leaves are moved a little along their gradients, and L rises.
    """
    v = expression()
    v["L"].backward()
    a, b, c, f = (v[label].data + 0.01 * v[label].grad for label in "abcf")
    return {"L before": v["L"].data, "L after": (a * b + c) * f}


def neuron():
    """The lecture's neuron, o = tanh(x1*w1 + x2*w2 + b), as its leaves, n and o."""
    x1, x2 = Value(2.0, "x1"), Value(0.0, "x2")
    w1, w2 = Value(-3.0, "w1"), Value(1.0, "w2")
    b = Value(6.8813735870195432, "b")
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    return [x1, x2, w1, w2, b], n, o


def gradients(leaves):
    return {f"do/d{leaf.label}": leaf.grad for leaf in leaves}


@part
def backpropagation_by_hand_2():
    """Backpropagation by hand (2)

    A neuron. Through tanh the gradient is multiplied by 1 - o^2, then it meets + and * again.
    """
    leaves, n, o = neuron()
    x1, x2, w1, w2, b = leaves
    o.grad = 1.0
    n.grad = (1 - o.data**2) * o.grad
    b.grad = n.grad
    x1.grad, w1.grad = w1.data * n.grad, x1.data * n.grad
    x2.grad, w2.grad = w2.data * n.grad, x2.data * n.grad
    return {"o": o.data} | gradients(leaves)


# ---- backpropagation by program ----


@part
def each_ops_backward():
    """Each op's backward

    Every value keeps its local derivatives. An operand receives its local derivative times the
    gradient from above.
    """
    leaves, n, o = neuron()
    o.grad = 1.0
    pass_on(reversed(engine.operands_first(o)))
    kept = {"o": o.data, "tanh keeps": o.derivatives, "+ keeps": n.derivatives}
    return kept | gradients(leaves)


def pass_on(order):
    """The chain rule, for each value in turn."""
    for value in order:
        for operand, derivative in zip(value.operands, value.derivatives):
            if operand.op != "constant":
                operand.grad += derivative * value.grad


@part
def backward_over_a_graph():
    """Backward over a graph

    A value's gradient must be complete before it is passed on, so each value comes after all its
    uses: a topological order, read backwards. Here f = d*e with e = 2*d and d = 3*a: if d passes
    on its gradient before e has added to it, that part never arrives at a.
    """
    shown = {}
    for order in ("feda", "fdea"):
        v = chain()
        v["f"].grad = 1.0
        pass_on(v[label] for label in order)
        shown[f"df/da in the order {', '.join(order)}"] = v["a"].grad
    v = chain()
    v["f"].backward()
    return shown | {"df/da by backward()": v["a"].grad}


def chain():
    """f = d*e and all values before it, by label."""
    a = Value(5.0)
    d = 3 * a
    e = 2 * d
    return {"a": a, "d": d, "e": e, "f": d * e}


@part
def the_accumulation_bug():
    """The accumulation bug

    A value used twice has two shares of gradient, which are added: += and not =.
    """
    a = Value(3.0)
    (a + a).backward()
    x, y = Value(-2.0), Value(3.0)
    ((x * y) * (x + y)).backward()
    return {"d(a+a)/da": a.grad, "by x of (x*y)*(x+y)": x.grad, "by y of (x*y)*(x+y)": y.grad}


@part
def numbers_on_either_side():
    """Numbers on either side

    A number becomes a constant. Where it stands on the left, Python asks the value on the right.
    """
    a = Value(4.0)
    return {
        "a + 1": (a + 1).data,
        "1 + a": (1 + a).data,
        "2 * a": (2 * a).data,
        "2 - a": (2 - a).data,
        "1 / a": (1 / a).data,
        "2 ** a": (2**a).data,
    }


def tanh_taken_apart(x):
    e = (2 * x).exp()
    return (e - 1) / (e + 1)


@part
def more_ops():
    """More ops

    With exp, power, division and subtraction, tanh can be taken apart: (e^2x - 1) / (e^2x + 1).
    The numbers stay the same.
    """
    leaves, n, _ = neuron()
    o = tanh_taken_apart(n)
    o.backward()
    return {"o": o.data} | gradients(leaves)


@part
def level_of_detail():
    """Level of detail

    An op may be as large as you like, as long as its local derivative is known.
    """
    shown = {}
    for name, tanh in (("one op", Value.tanh), ("taken apart", tanh_taken_apart)):
        x = Value(0.8813735870195432)
        y = tanh(x)
        y.backward()
        shown[f"values when {name}"] = len(engine.operands_first(y))
        shown[f"derivative when {name}"] = x.grad
    return shown


@part
def pytorch():
    """PyTorch

    The same neuron of double tensors of one element: the same numbers.
    """
    if torch is None:
        return {"o and its gradients": LEFT_OUT}
    leaves = {leaf.label: tensor(leaf.data) for leaf in neuron()[0]}
    x1, x2, w1, w2, b = leaves.values()
    o = (x1 * w1 + x2 * w2 + b).tanh()
    o.backward()
    return {"o": o.item()} | {f"do/d{name}": leaf.grad.item() for name, leaf in leaves.items()}


def tensor(number):
    return torch.tensor(number, dtype=torch.float64, requires_grad=True)


# ---- a network ----

XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [1.0, -1.0, -1.0, 1.0]


def network(last="tanh"):
    """The lecture's network, the same at every call."""
    random.seed(1337)
    return MLP(3, [4, 4, 1], activation=["tanh", "tanh", last])


def loss_of(model):
    return mse([model(x) for x in XS], YS)


@part
def neuron_layer_mlp():
    """Neuron, layer, MLP

    Weights start uniform in (-1, 1), biases at 0. As in micrograd the last layer is linear unless
    each layer is given its activation; the lecture has tanh on all.
    """
    model = network()
    output = model(XS[0])
    output.backward()
    draw(output).save(picture("network.svg"))
    return {
        "a neuron": repr(Neuron(3)),
        "a layer": repr(Layer(3, 2, activation="tanh")),
        "the network": repr(model),
        "its output": output.data,
        "values drawn": len(engine.operands_first(output)),
    }


@part
def a_tiny_data_set():
    """A tiny data set

    Four examples of three numbers, and what the untrained network makes of them.
    """
    model = network()
    return {f"{x} should give {y:g} and gives": model(x).data for x, y in zip(XS, YS)}


@part
def loss():
    """Loss

    One number for how far off the predictions are. Its graph holds the network's ops four times,
    once for each example, over the same parameters.
    """
    model = network()
    return {
        "mean squared error": loss_of(model).data,
        "values of one prediction": len(engine.operands_first(model(XS[0]))),
        "values of the loss": len(engine.operands_first(loss_of(model))),
    }


@part
def parameters():
    """Parameters

    Collected from the neurons, the layers and the network, each with the path to it.
    """
    names = [name for name, _ in network().named_parameters()]
    return {"how many": len(names), "the first": names[0], "the last": names[-1]}


def descend(model, lr, steps, reset=True):
    """The losses along a gradient descent: forward, backward, update."""
    losses = []
    for _ in range(steps):
        total = loss_of(model)
        losses.append(total.data)
        if reset:
            model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= lr * p.grad
    return losses


@part
def gradient_descent():
    """Gradient descent

    The gradient points uphill, so the step goes against it. Too large a step explodes.
    """
    return {
        "loss before and after 50 steps": descend(network(), 0.1, 50)[:: 50 - 1],
        "with the wrong sign": descend(network(), -0.1, 50)[:: 50 - 1],
        "linear last layer, steps of 5": descend(network("linear"), 5.0, 8),
    }


@part
def the_zero_grad_bug():
    """The zero_grad bug

    Gradients that are not reset pile up over the steps. An easy problem is solved all the same,
    which is why the bug hides.
    """
    model, forgetful = network(), network()
    descend(model, 0.1, 2)
    descend(forgetful, 0.1, 2, reset=False)
    first, piled_up = model.parameters()[0].grad, forgetful.parameters()[0].grad
    return {
        "a gradient in the second step": first,
        "the same without reset": piled_up,
        "loss after 50 steps without reset": descend(network(), 0.1, 50, reset=False)[-1],
    }


@part
def summary():
    """Summary

    A network is an expression, a loss measures it, backward finds the slopes, and descent follows
    them.
    """
    model = network()
    losses = descend(model, 0.1, 200)
    return {"loss": losses[-1], "predictions": [round(model(x).data, 3) for x in XS]}


# ---- the code and the demo ----


@part
def micrograds_own_code():
    """micrograd's own code

    relu stands beside tanh, and a Module knows its parameters and resets them. As micrograd's
    tests do, an expression is computed here and in PyTorch.
    """
    here = relu_expression(Value(-4.0))
    return {"here": here, "in PyTorch": relu_expression(tensor(-4.0)) if torch else LEFT_OUT}


def relu_expression(x):
    """Of a value or a tensor: the number of an expression with relu, and its derivative."""
    z = 2 * x + 2 + x
    q = z.relu() + z * x
    h = (z * z).relu()
    y = h + q + q * x
    y.backward()
    return [y.item(), float(x.grad)]


@part
def the_demo():
    """The demo

    Two moons of 100 points; two layers of 16 and a max-margin loss plus a little of the squared
    parameters; 100 steps that shrink from 1 to 0.1, on all points or each on a few of them.
    """
    points, classes = load("moons").train
    moons = list(zip(points, [2 * c - 1 for c in classes]))
    model, last_loss = train_on(moons, len(moons))
    in_batches, _ = train_on(moons, 20)
    with no_grad():
        decision_boundary(
            lambda grid: [model(x).data for x in grid], points, classes, picture("boundary.png")
        )
    return {
        "loss": last_loss,
        "accuracy": accuracy(model, moons),
        "accuracy with minibatches of 20": accuracy(in_batches, moons),
    }


def train_on(examples, batch):
    """A network trained on examples, so many at a step, and the loss at its last step."""
    random.seed(1337)
    model = MLP(2, [16, 16, 1])
    for k in range(100):
        points, targets = zip(*random.sample(examples, batch))
        total = hinge([model(x) for x in points], targets) + l2(model.parameters(), 1e-4)
        model.zero_grad()
        total.backward()
        for p in model.parameters():
            p.data -= (1.0 - 0.9 * k / 100) * p.grad
    return model, total.data


def accuracy(model, examples):
    """The part of the examples whose score is on its target's side."""
    return sum((model(x).data > 0) == (target > 0) for x, target in examples) / len(examples)


# ---- beyond ----


@part
def pytorchs_insides():
    """PyTorch's insides

    In a large library the pieces of tanh's backward lie far apart: a table names the formula, and
    a kernel for each kind of device has the loop. The row of the table, and ours:
    """
    return {"here": str(ops.tanh), "in PyTorch": derivatives_row("tanh") if torch else LEFT_OUT}


def derivatives_row(name):
    """The row of an op in the table of derivatives that PyTorch's wheel contains."""
    import torchgen

    table = pathlib.Path(torchgen.__file__).parent / "packaged/autograd/derivatives.yaml"
    rows = table.read_text().split("\n- name: ")
    found = next(row for row in rows if row.startswith(f"{name}("))
    return "; ".join(line.strip() for line in found.splitlines() if line.strip())


@part
def a_new_op_in_pytorch():
    """A new op in PyTorch

    There a class with forward and backward, here one row.
    """
    x = Value(1.5)
    y = cube(x)
    y.backward()
    return {
        "here": [y.data, x.grad],
        "agrees with differences": gradcheck(cube, [1.5]),
        "in PyTorch": cube_in_pytorch(1.5) if torch else LEFT_OUT,
    }


@chainrule.op("3 * x**2", probes=[(1.5,), (-0.7,)])
def cube(x):
    return x * x * x


def cube_in_pytorch(number):
    class Cube(torch.autograd.Function):
        @staticmethod
        def forward(context, x):
            context.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(context, gradient):
            (x,) = context.saved_tensors
            return 3 * x**2 * gradient

    x = tensor(number)
    y = Cube.apply(x)
    y.backward()
    return [y.item(), x.grad.item()]


@part
def tensors():
    """Tensors

    Scalars packed in arrays, for speed only. The first layer's loop over four examples and four
    neurons makes values of few kinds, many of each, and each kind could be one array.
    """
    layer = network().layers[0]
    outputs = [layer(x) for x in XS]
    graphs = [engine.operands_first(out) for row in outputs for out in row]
    made = dict.fromkeys(value for graph in graphs for value in graph if value.operands)
    kinds = collections.Counter(value.op for value in made)
    weights = [[w.data for w in neuron.w] for neuron in layer.neurons]
    products = [[math.tanh(sum(map(float.__mul__, row, x))) for row in weights] for x in XS]
    far = max(
        abs(a.data - b) for row, packed in zip(outputs, products) for a, b in zip(row, packed)
    )
    return dict(kinds) | {"greatest difference from tanh(X @ W)": far}


@part
def size():
    """Size

    The lines of code of the engine and of the network, without blanks, comments and docstrings.
    """
    folder = pathlib.Path(nn.__file__).parent  # the engine that runs may be a compiled one
    files = {"chainrule.engine": folder / "engine.py", "chainrule.nn": folder / "nn.py"}
    return {name: code_lines(file.read_text()) for name, file in files.items()}


def code_lines(source):
    """How many lines of a program hold code."""
    layout = {tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines, before = set(), tokenize.NEWLINE
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.COMMENT, tokenize.NL):
            continue
        docstring = token.type == tokenize.STRING and before in layout
        if not docstring and token.type not in layout:
            lines.update(range(token.start[0], token.end[0] + 1))
        before = token.type
    return len(lines)


def f(a, b, c):
    return -(a**3) + ops.sin(3 * b) - 1 / c + b**2.5 - a**0.5


def gradient_of_f(a, b, c):
    """By the rules of calculus."""
    by_a = -3 * a**2 - 0.5 / math.sqrt(a)
    by_b = 3 * math.cos(3 * b) + 2.5 * b**1.5
    return [by_a, by_b, 1 / c**2]


@part
def the_exercises():
    """The exercises

    A gradient by hand, by one-sided and by symmetric differences; then softmax and the negative
    log likelihood of the right label.
    """
    point = [2.0, 3.0, 4.0]
    leaves = [Value(x) for x in point]
    logits = [Value(x) for x in [0.0, 3.0, -2.0, 1.0]]
    surprise = -ops.softmax(logits)[3].log()
    return {
        "f": f(*point),
        "by hand": gradient_of_f(*point),
        "by one-sided differences": numerical_derivative(f, point, 1e-6, "forward"),
        "by symmetric differences": numerical_derivative(f, point, 1e-6, "central"),
        "by backpropagation": chainrule.grad(f(*leaves), leaves),
        "loss": surprise.data,
        "its gradients": chainrule.grad(surprise, logits),
    }


def shortly(shown):
    """A number with ten digits; others as they are."""
    if isinstance(shown, (list, tuple)):
        return f"[{', '.join(shortly(x) for x in shown)}]"
    return f"{shown:.10g}" if isinstance(shown, float) else str(shown)


def main():
    for number, block in enumerate(PARTS, 1):
        title, _, text = inspect.getdoc(block).partition("\n\n")
        print(f"\n{number:2}. {title}\n{textwrap.indent(text, '    ')}")
        for name, shown in block().items():
            print(f"      {name}: {shortly(shown)}")
    print(f"\nThe pictures are in {PICTURES}.")


if __name__ == "__main__":
    main()
