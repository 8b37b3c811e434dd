"""Exercises of chapter 6."""

from __future__ import annotations

from chainrule.course.exercises.engines import engine
from chainrule.course.judging import Exercise, Wrong

_SET = "for i, p in enumerate(n.parameters()):\n    p.data = 0.1 * (i + 1)\n"
_SUM = "sum(products, self.bias)"

EXERCISES = {
    "6.1": Exercise(
        right=337,
        because="16 * 3 + 16 * 17 + 1 * 17.",
        wrong=[
            Wrong(304, "These are the weights alone. Each of the 33 neurons has a bias, too."),
            Wrong(41, "That is the other one, with 3 inputs and layers of 4, 4 and 1."),
            Wrong(33, "These are the neurons. Each has a weight for each input, and a bias."),
            Wrong(
                320,
                "The last neuron is missing: it has 16 weights and a bias.",
            ),
            Wrong(
                307,
                "One bias for each layer? Each neuron has one of its own.",
            ),
            Wrong(
                65,
                "The neurons of the second layer take the outputs of the first: 16 inputs, not 2.",
            ),
        ],
        otherwise="A layer has neurons * (inputs + 1), and its inputs are the outputs before.",
        within=1e-6,
    ),
    "6.2": Exercise(
        right=[-1.5, 1.5],
        because="-0.5 * (3x + 1) + 2 = -1.5x + 1.5: two straight lines in a row are one.",
        wrong=[
            Wrong(
                [-1.5, 3.0], "Bias: the 1 of the first layer is multiplied by -0.5 in the second."
            ),
            Wrong([-1.5, 2.0], "Bias: what has become of the 1 in the first layer?"),
            Wrong([-1.5, 2.5], "Bias: -0.5 times 1 is negative."),
            Wrong([-1.5, -0.5], "Bias: the second layer's own, 2, is added at the end."),
            Wrong([2.5, 1.5], "Weight: the second multiplies what comes out of the first."),
            Wrong([1.5, 1.5], "Weight: the second layer turns the sign round."),
            Wrong(
                [1.5, -1.5], "Both signs are turned round: -0.5 * 3 is -1.5, and -0.5 + 2 is 1.5."
            ),
        ],
        otherwise="Multiply out -0.5 * (3 * x + 1) + 2, and read off what belongs to x.",
    ),
    "6.3": Exercise(
        name="mine",
        right=engine(),
        because="Networks on your own engine.",
        wrong=[
            Wrong(
                engine(("class Neuron", "class _Neuron"), ("[Neuron(", "[_Neuron(")),
                "There is no class Neuron in the file yet.",
            ),
            Wrong(
                engine(("class Layer", "class _Layer"), ("[Layer(", "[_Layer(")),
                "There is no class Layer yet.",
            ),
            Wrong(engine(("class MLP", "class _MLP")), "There is no class MLP yet."),
            Wrong(
                engine(("return [*self.weights, self.bias]", "return self.weights")),
                "A neuron's bias is a parameter, too: it is missing from parameters().",
            ),
            Wrong(
                engine((_SUM, "sum(products)")),
                "The neuron leaves out its bias: it has one, but does not add it.",
            ),
            Wrong(
                engine((_SUM + ".tanh()", _SUM)),
                "The neuron's output is a plain sum: the tanh (or relu) at the end is missing.",
            ),
            Wrong(
                engine(
                    (
                        "[Value(random.uniform(-1, 1)) for _ in range(inputs)]",
                        "[Value(random.uniform(-1, 1))] * inputs",
                    )
                ),
                "All weights of a neuron are one and the same Value: [x] * n repeats one object. "
                "Make each anew, by [... for _ in range(n)].",
            ),
            Wrong(
                engine(("[Neuron(inputs) for _ in range(outputs)]", "[Neuron(inputs)] * outputs")),
                "All neurons of a layer are one and the same: [x] * n repeats one object. Make "
                "each anew, by [... for _ in range(n)].",
            ),
            Wrong(
                engine(
                    (
                        "Neuron(inputs) for _ in range(outputs)",
                        "Neuron(outputs) for _ in range(inputs)",
                    )
                ),
                "Inputs and outputs of a layer are mixed up: it has a neuron for each output, and "
                "each of these takes all inputs.",
            ),
            Wrong(
                engine(
                    (
                        "            x = layer(x)\n        return x",
                        "            y = layer(x)\n        return y",
                    )
                ),
                "Each layer is given the network's inputs. It takes what the one before gives.",
            ),
            Wrong(
                engine(
                    (
                        "for layer in self.layers for p in layer.parameters()",
                        "for layer in self.layers[:1] for p in layer.parameters()",
                    )
                ),
                "parameters() of the network gives those of its first layer only.",
            ),
            Wrong(
                engine(("random.uniform(-1, 1)", "0.5")),
                "All weights start equal. Then all neurons of a layer compute the same, get the "
                "same gradients, and stay the same. Draw them by random.uniform(-1, 1).",
            ),
        ],
        otherwise="Compare with the cells above: Neuron(2), Layer(2, 3) and MLP(3, [4, 4, 1]).",
        programs=[
            "len(mine.Neuron(2).parameters())",
            "n = mine.Neuron(3)\nlen({id(p) for p in n.parameters()})",
            f"n = mine.Neuron(2)\n{_SET}n([0.0, 0.0]).data > 0",
            f"n = mine.Neuron(2)\n{_SET}a, b, c = [n([x, x]).data for x in (-9.0, 0.0, 9.0)]\n"
            "abs(a + c - 2 * b) < 1e-9",
            "len(mine.Layer(2, 3)([1.0, 2.0]))",
            "n = mine.Layer(2, 3)\nlen({id(p) for p in n.parameters()})",
            "n = mine.MLP(3, [4, 4, 1])\nlen({id(p) for p in n.parameters()})",
            f"n = mine.MLP(1, [2, 1])\n{_SET}y = n([2.0])\n"
            "y = y[0] if isinstance(y, list) else y\ny.backward()\nn.parameters()[0].grad != 0",
            "n = mine.Neuron(5)\nlen({p.data for p in n.parameters()}) > 4",
        ],
    ),
}
