"""Drawings beside pictures that somebody has looked at and approved.

After a change on purpose: `make approve` draws the pictures in tests/approved/ anew. Look at each
that has changed, in a browser, on a light and a dark screen, before it is committed.
"""

import os
from pathlib import Path

import graphs
import pytest

from chainrule import Value
from chainrule.engine import operands_first
from chainrule.viz import draw, inside, kinds, svg

APPROVED = Path(__file__).parent / "approved"


def diamond():
    """An operand that is taken twice, values used in several places, a number, unlike operands."""
    a = Value(3.0, label="a")
    b = a + a
    b.label = "b"
    output = (b - a) * b**2
    output.backward()
    return draw(output)


def expression():
    """Many shared values and numbers, edges that cross and edges entered in another order."""
    output = graphs.overview()
    output.backward()
    return draw(output)


def odd_numbers():
    """Numbers that are very large, very small, or none."""
    a, b = Value(1e300, label="a"), Value(-1e-12, label="b")
    output = a * 1e10 + (b * 3).sqrt() - b
    output.backward()
    return draw(output)


def hard_labels():
    """Labels of wide letters, in other scripts, with markup, and ones that are too long."""
    labels = (
        "W" * 30,
        "漢字かな" * 5,
        "😀 👩\u200d👧",
        "<b>&\"'",
        "שלום",
        "e" + "\u0301" * 9,
        "\u202eabc",
    )
    a, b, c, d, e, f, g = [Value(float(i), label) for i, label in enumerate(labels)]
    output = (a + b) * (c - d) + e * f * g
    output.label = "i" * 31
    return draw(output)


def perceptron(fold):
    """The loss of a small perceptron on some samples."""
    loss, model = graphs.mlp([3, 4, 4, 1], samples=4)
    loss.backward()
    return draw(loss, fold, model=model)


def opened():
    """What a neuron of the perceptron's second layer shows when it is opened."""
    loss, model = graphs.mlp([3, 4, 4, 1], samples=4)
    loss.backward()
    named = {id(p): path for path, p in model.named_parameters()}
    net = kinds.read(operands_first(loss), named)
    boxes = draw(loss, "neuron", model=model).nodes
    return svg.picture(inside.opened(net, boxes)[4].nodes)


PICTURES = {
    "neuron": lambda: draw(graphs.neuron()).to_svg(),
    "leaf": lambda: draw(Value(2.0, label="x")).to_svg(),
    "diamond": lambda: diamond().to_svg(),
    "expression": lambda: expression().to_svg(),
    "odd-numbers": lambda: odd_numbers().to_svg(),
    "hard-labels": lambda: hard_labels().to_svg(),
    "network": lambda: draw(graphs.network((3, 3, 1))).to_svg(),
    "mlp-by-neuron": lambda: perceptron("neuron").to_svg(),
    "mlp-by-layer": lambda: perceptron("layer").to_svg(),
    "mlp-by-program": lambda: perceptron("program").to_svg(),
    "mlp-neuron-opened": opened,
    "counts": lambda: draw(graphs.chain(300)).to_svg(),
}


@pytest.mark.parametrize("name", PICTURES)
def test_picture(name):
    """A drawing is byte by byte what was approved."""
    file, drawn = APPROVED / f"{name}.svg", PICTURES[name]().encode()
    if "CHAINRULE_APPROVE" in os.environ:
        file.write_bytes(drawn)
    assert drawn == file.read_bytes(), f"{file} differs: make approve, look at it, then commit it"


def test_each_approved_picture_is_drawn():
    """No picture is left of what is not drawn any more."""
    assert {file.stem for file in APPROVED.iterdir()} == set(PICTURES)
