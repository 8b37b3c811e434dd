"""The lecture: every part runs, in its order, and shows the lecture's numbers."""

from __future__ import annotations

import importlib.util
import math
import pathlib
import xml.etree.ElementTree

import pytest

pytest.importorskip("matplotlib")
pytest.importorskip("sklearn")

ROOT = pathlib.Path(__file__).parent.parent
TITLES = """
overview; derivative of one input; the step size; several inputs; the value object;
the graph, drawn; backpropagation by hand (1); one step of optimisation;
backpropagation by hand (2); each op's backward; backward over a graph; the accumulation bug;
numbers on either side; more ops; level of detail; pytorch; neuron, layer, mlp;
a tiny data set; loss; parameters; gradient descent; the zero_grad bug; summary;
micrograd's own code; the demo; pytorch's insides; a new op in pytorch; tensors; size;
the exercises
"""
NEURON = {
    "o": math.sqrt(0.5),  # b was chosen for it
    "do/dx1": -1.5,
    "do/dw1": 1.0,
    "do/dx2": 0.5,
    "do/dw2": 0.0,
    "do/db": 0.5,
}


@pytest.fixture(scope="module")
def lecture(tmp_path_factory):
    """The script as a module that saves its pictures to a new folder."""
    spec = importlib.util.spec_from_file_location("lecture", ROOT / "examples/lecture.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.PICTURES = tmp_path_factory.mktemp("lecture")
    return module


def assert_neuron(shown):
    for name, right in NEURON.items():
        assert shown[name] == pytest.approx(right, abs=1e-12), name


def assert_picture(path):
    """It is there and of its kind."""
    if path.suffix == ".svg":
        assert xml.etree.ElementTree.parse(path).getroot().tag.endswith("svg")
    else:
        assert path.read_bytes().startswith(b"\x89PNG")


def test_the_parts_are_the_lectures_in_its_order(lecture):
    """The script has each part of the lecture once, and none besides."""
    titles = [block.__doc__.splitlines()[0].lower() for block in lecture.PARTS]
    assert titles == [title.strip() for title in TITLES.replace("\n", " ").split(";")]


def test_the_script_shows_every_part(lecture, capsys, monkeypatch):
    """As a script it prints each part's title, text and numbers."""
    monkeypatch.setattr(lecture, "PARTS", lecture.PARTS[:2])
    lecture.main()
    printed = capsys.readouterr().out
    assert " 1. Overview\n    Any expression" in printed
    assert "dg/db: 645.5772595\n\n 2. Derivative of one input\n" in printed
    assert "f(3): 20\n" in printed


def test_overview(lecture):
    """The expression's value and gradients, to the four digits that the lecture prints."""
    shown = {name: f"{number:.4f}" for name, number in lecture.overview().items()}
    assert shown == {"g": "24.7041", "dg/da": "138.8338", "dg/db": "645.5773"}


def test_derivative_of_one_input(lecture):
    """f'(x) = 6x - 4: 14 at 3, -22 at -3, 0 at 2/3; a forward difference is 3h too large."""
    shown = lecture.derivative_of_one_input()
    assert shown["f(3)"] == 20.0
    for h in (0.1, 0.001, 0.00001):
        assert shown[f"slope at 3 with h = {h}"] == pytest.approx(14 + 3 * h, abs=1e-8)
    assert shown["slope at -3"] == pytest.approx(-22, abs=1e-8)
    assert shown["slope at 2/3"] == pytest.approx(0, abs=1e-8)
    assert_picture(lecture.PICTURES / "parabola.png")


def test_the_step_size(lecture):
    """The derivative of exp at 1 is e; the errors at both ends are far above those between."""
    shown = lecture.the_step_size()
    assert shown["derivative"] == pytest.approx(math.e, rel=1e-15)
    for method in ("forward", "central"):
        large, least, small = [shown[name] for name in shown if name.startswith(method)]
        assert least < 1e-7 < 1e-2 < min(large, small)
    assert shown["forward: error at h = 1"] == pytest.approx(math.e * (math.e - 1) - math.e)
    assert_picture(lecture.PICTURES / "step_size.png")


def test_several_inputs(lecture):
    """a*b + c is 4, and its derivatives are b, a and 1."""
    shown = lecture.several_inputs()
    assert shown["d"] == 4.0
    assert list(shown.values())[1:] == pytest.approx([-3, 2, 1], abs=1e-8)


def test_the_value_object(lecture):
    """a*b + c knows that it is a sum, and of what."""
    assert list(lecture.the_value_object().values()) == [
        4.0,
        "add",
        [-6.0, 10.0],
        "mul",
        ["a", "b"],
    ]


def test_the_graph_drawn(lecture):
    """Every value comes after its operands, and the picture has every label."""
    shown = lecture.the_graph_drawn()
    assert shown == {
        "a": "leaf", "b": "leaf", "e": "mul", "c": "leaf", "d": "add", "f": "leaf", "L": "mul"
    }  # fmt: skip
    path = lecture.PICTURES / "expression.svg"
    assert_picture(path)
    words = "".join(xml.etree.ElementTree.parse(path).getroot().itertext())
    assert all(label in words for label in shown)


def test_backpropagation_by_hand_1(lecture):
    """L is -8; each gradient filled by hand is the lecture's and what nudging finds."""
    shown = lecture.backpropagation_by_hand_1()
    assert shown["L"] == -8.0
    right = {"a": 6, "b": -4, "c": -2, "f": 4, "d": -2, "e": -2, "L": 1}
    for label, gradient in right.items():
        assert shown[f"dL/d{label} by hand"] == gradient
        assert shown[f"dL/d{label} by nudging"] == pytest.approx(gradient, abs=1e-9)


def test_one_step_of_optimisation(lecture):
    """A step of 0.01 along the gradients raises L from -8 to -7.286496."""
    assert list(lecture.one_step_of_optimisation().values()) == pytest.approx([-8, -7.286496])


@pytest.mark.parametrize("name", ["backpropagation_by_hand_2", "each_ops_backward", "more_ops"])
def test_the_neuron(lecture, name):
    """By hand, op by op, and with tanh taken apart, the neuron has the same numbers."""
    assert_neuron(getattr(lecture, name)())


def test_local_derivatives(lecture):
    """tanh keeps 1 - o^2 = 0.5, and a sum 1 for both operands."""
    shown = lecture.each_ops_backward()
    assert shown["tanh keeps"] == pytest.approx((0.5,))
    assert shown["+ keeps"] == (1.0, 1.0)


def test_backward_over_a_graph(lecture):
    """18 a^2 at 5 has slope 180; in the wrong order the share of 90 through e is lost."""
    assert list(lecture.backward_over_a_graph().values()) == [180.0, 90.0, 180.0]


def test_the_accumulation_bug(lecture):
    """a + a has slope 2; x^2 y + x y^2 at (-2, 3) has 2xy + y^2 = -3 and x^2 + 2xy = -8."""
    assert list(lecture.the_accumulation_bug().values()) == [2.0, -3.0, -8.0]


def test_numbers_on_either_side(lecture):
    """With a = 4: a + 1, 1 + a, 2 * a, 2 - a, 1 / a, 2 ** a."""
    assert list(lecture.numbers_on_either_side().values()) == [5.0, 5.0, 8.0, -2.0, 0.25, 16.0]


def test_level_of_detail(lecture):
    """One op or eight, the derivative is 1 - 1/2."""
    shown = lecture.level_of_detail()
    assert shown["values when one op"] < shown["values when taken apart"]
    assert shown["derivative when one op"] == pytest.approx(0.5, abs=1e-14)
    assert shown["derivative when taken apart"] == pytest.approx(0.5, abs=1e-14)


def test_pytorch(lecture):
    """PyTorch finds the lecture's numbers for the neuron."""
    pytest.importorskip("torch")
    assert_neuron(lecture.pytorch())


def test_without_pytorch(lecture, monkeypatch):
    """Where PyTorch is missing its parts run all the same and say that they left it out."""
    monkeypatch.setattr(lecture, "torch", None)
    for name in ("pytorch", "micrograds_own_code", "pytorchs_insides", "a_new_op_in_pytorch"):
        assert lecture.LEFT_OUT in getattr(lecture, name)().values()


def test_neuron_layer_mlp(lecture):
    """The reprs are micrograd's, and the whole network is drawn.

    41 parameters and 3 inputs, and in each neuron a product and a sum for each weight and a tanh.
    """
    shown = lecture.neuron_layer_mlp()
    assert shown["a neuron"] == "ReLUNeuron(3)"
    assert shown["a layer"] == "Layer of [TanhNeuron(3), TanhNeuron(3)]"
    first, second = (", ".join([f"TanhNeuron({nin})"] * 4) for nin in (3, 4))
    assert shown["the network"] == (
        f"MLP of [Layer of [{first}], Layer of [{second}], Layer of [TanhNeuron(4)]]"
    )
    assert shown["values drawn"] == 41 + 3 + 4 * (2 * 3 + 1) + 5 * (2 * 4 + 1)
    assert_picture(lecture.PICTURES / "network.svg")


def test_a_tiny_data_set(lecture):
    """The predictions are those of tanh(W tanh(W tanh(W x + b) + b) + b)."""

    def predicted(model, x):
        for layer in model.layers:
            x = [
                math.tanh(sum(w.data * xi for w, xi in zip(n.w, x)) + n.b.data)
                for n in layer.neurons
            ]
        return x[0]

    right = [predicted(lecture.network(), x) for x in lecture.XS]
    assert list(lecture.a_tiny_data_set().values()) == pytest.approx(right, rel=1e-12)


def test_loss(lecture):
    """The loss is the mean of the squared differences, and its graph is several networks large."""
    shown = lecture.loss()
    predictions = lecture.a_tiny_data_set().values()
    squares = [(p - y) ** 2 for p, y in zip(predictions, lecture.YS)]
    assert shown["mean squared error"] == pytest.approx(sum(squares) / 4, rel=1e-12)
    inner = shown["values of one prediction"] - 41 - 3
    assert shown["values of the loss"] > 4 * inner + 41


def test_parameters(lecture):
    """4 * (3 + 1) + 4 * (4 + 1) + (4 + 1) parameters."""
    assert lecture.parameters()["how many"] == 41


def test_gradient_descent(lecture):
    """Down the gradient the loss falls, up it rises, and with large steps it explodes."""
    down, up, large = lecture.gradient_descent().values()
    assert down[-1] < 0.1 * down[0]
    assert up[-1] > 2 * up[0]
    assert large[-1] > 1e6 * large[0]


def test_the_zero_grad_bug(lecture):
    """Without reset a second step's gradient is the sum of two; training works all the same."""
    right, piled_up, loss = lecture.the_zero_grad_bug().values()
    model = lecture.network()
    lecture.descend(model, 0.1, 1)
    assert piled_up == pytest.approx(right + model.parameters()[0].grad, rel=1e-12)
    assert loss < 0.1


def test_summary(lecture):
    """At the end of the training every prediction is on its target's side, and near it."""
    shown = lecture.summary()
    assert shown["predictions"] == pytest.approx(lecture.YS, abs=0.1)


def test_micrograds_own_code(lecture):
    """At x = -4: z = 3x + 2 = -10, q = zx = 40, y = z^2 + q + qx = -20.

    The slope is 6z + (6x + 2)(1 + x) + q = -60 + 66 + 40.
    """
    shown = lecture.micrograds_own_code()
    assert shown["here"] == [-20.0, 46.0]
    if lecture.torch:
        assert shown["in PyTorch"] == shown["here"]


def test_the_demo(lecture):
    """All points of the moons are classified correctly, and nearly all by minibatches."""
    shown = lecture.the_demo()
    assert shown["accuracy"] == 1.0
    assert shown["accuracy with minibatches of 20"] > 0.9
    assert shown["loss"] < 0.1
    assert_picture(lecture.PICTURES / "boundary.png")


def test_pytorchs_insides(lecture):
    """Both tables give tanh's derivative by the result."""
    shown = lecture.pytorchs_insides()
    assert shown["here"].endswith("d/da = 1 - y * y")
    if lecture.torch:
        assert shown["in PyTorch"].startswith("tanh(Tensor self) -> Tensor")
        assert "self: tanh_backward(grad, result)" in shown["in PyTorch"]


def test_a_new_op_in_pytorch(lecture):
    """The cube of 1.5 is 3.375 and its slope 6.75, by our row and by PyTorch's class."""
    shown = lecture.a_new_op_in_pytorch()
    assert shown["here"] == [3.375, 6.75]
    assert shown["agrees with differences"]
    if lecture.torch:
        assert shown["in PyTorch"] == [3.375, 6.75]


def test_tensors(lecture):
    """4 examples, 4 neurons, 3 inputs: 48 products, 48 sums, 16 tanh, the numbers of a matrix."""
    *kinds, (_, difference) = lecture.tensors().items()
    assert kinds == [("mul", 48), ("add", 48), ("tanh", 16)]
    assert difference < 1e-15


def test_size(lecture):
    """The engine stays under 250 lines of code and the network under 80."""
    shown = lecture.size()
    assert 0 < shown["chainrule.engine"] < 250
    assert 0 < shown["chainrule.nn"] < 80


@pytest.mark.parametrize(
    ("source", "count"),
    [
        ('"""Docs."""\n\nx = 1  # one\n\n# reason\ny = (\n    "a"\n    "b"\n)\n', 5),
        ('def f():\n    """Two\n    lines."""\n\n    return """a\n    b"""\n', 3),
    ],
)
def test_counting_lines(lecture, source, count):
    """Blanks, comments and docstrings are no code; other strings are, with all their lines."""
    assert lecture.code_lines(source) == count


def test_the_exercises(lecture):
    """The gradient three ways is that of the rules of calculus; the loss is the exercise's."""
    shown = lecture.the_exercises()
    a, b, c = 2.0, 3.0, 4.0
    right = [
        -3 * a**2 - 1 / (2 * math.sqrt(a)),
        3 * math.cos(3 * b) + 2.5 * b**1.5,
        1 / c**2,
    ]
    assert shown["f"] == pytest.approx(
        -(a**3) + math.sin(3 * b) - 1 / c + b**2.5 - math.sqrt(a), rel=1e-15
    )
    assert shown["by hand"] == pytest.approx(right, rel=1e-15)
    assert shown["by one-sided differences"] == pytest.approx(right, rel=1e-4)
    assert shown["by symmetric differences"] == pytest.approx(right, rel=1e-7)
    assert shown["by backpropagation"] == pytest.approx(right, rel=1e-15)
    assert shown["loss"] == pytest.approx(2.1755153626167147, rel=1e-15)
    assert shown["its gradients"] == pytest.approx(
        [0.041773, 0.839025, 0.005653, -0.886450], abs=5e-7
    )
