"""The graph as a tree of text."""

import re

import pytest
from graphs import GRAPHS, chain, neuron
from hypothesis import given
from strategies import expressions

from chainrule import TABLE, Value, ops
from chainrule.engine import operands_first
from chainrule.errors import ArgumentError, ChangedDataError
from chainrule.viz.svg import number
from chainrule.viz.tree import tree

SMALL = [graph for graph in GRAPHS if len(operands_first(graph())) <= 200]


def rows(text):
    """The data, the gradient, the depth and what is told, of each line below the heading."""
    lines = text.splitlines()
    start = lines[0].index("grad") + 4
    found = []
    for line in lines[1:]:
        guides, told = re.fullmatch("  ([│├└─ ]*)(.*)", line[start:]).groups()
        numbers = line[:start].split()
        found.append((numbers, len(guides) // 3, told))
    return found


@pytest.mark.parametrize("graph", SMALL)
def test_each_value_has_its_numbers_once(graph):
    """Every value has one line with its data and gradient; a number has one at each use."""
    output = graph()
    found = [numbers for numbers, _, _ in rows(tree(output)) if numbers]
    values = [x for x in operands_first(output) if x.op != "constant"]
    for value in values:
        value.grad = 0.0
    output.backward()
    uses = [[number(o.data)] for x in values for o in x.operands if o.op == "constant"]
    assert sorted(found) == sorted([[number(x.data), number(x.grad)] for x in values] + uses)


def test_the_neuron():
    """The lecture's neuron, line by line; names are those of the labels."""
    expected = """\
   data     grad
 0.7071   1.0000  o = tanh(v4)
 0.8814   0.5000  └─ v4 = v3 + b
-6.0000   0.5000     ├─ v3 = v1 + v2
-6.0000   0.5000     │  ├─ v1 = x1 * w1
 2.0000  -1.5000     │  │  ├─ x1
-3.0000   1.0000     │  │  └─ w1
 0.0000   0.5000     │  └─ v2 = x2 * w2
 0.0000   0.5000     │     ├─ x2
 1.0000   0.0000     │     └─ w2
 6.8814   0.5000     └─ b"""
    assert tree(neuron()) == expected


def test_a_shared_value_is_referred_to():
    """A value that is used again is named where it is, and nothing below it is repeated."""
    a = Value(2.0, label="a")
    b = a.exp()
    b.label = "b"
    told = [(depth, line) for _, depth, line in rows(tree(b * b - a))]
    assert told == [
        (0, "v2 = v1 - a"),
        (1, "v1 = b * b"),
        (2, "b = exp(a)"),
        (3, "a"),
        (2, "b: above"),
        (1, "a: above"),
    ]


def test_operands_stand_in_their_order():
    """Of every op the operands follow from top to bottom."""
    a, b, c = (Value(x, label=name) for x, name in [(1.0, "a"), (2.0, "b"), (3.0, "c")])
    for output, names in [(a - b, "ab"), (b - a, "ba"), (b**a, "ba"), (ops.where(c, b, a), "cba")]:
        assert [told for _, _, told in rows(tree(output))][1:] == list(names)


@given(expressions(max_steps=40))
def test_depth_is_that_of_the_graph(expression):
    """A line is one deeper than that of the value made of it, in whatever graph."""
    output = expression.evaluate([Value(x) for x in expression.leaves], TABLE)
    above = []
    for _, depth, told in rows(tree(output)):
        name, _, formula = told.removesuffix(": above").partition(" = ")
        assert depth <= len(above)
        if depth:
            assert re.search(rf"(?<![\w.]){re.escape(name)}(?![\w.])", above[depth - 1])
        above[depth:] = [formula]


def test_leaves():
    """A leaf alone is one line; its gradient is 1, as of every result."""
    assert tree(Value(3.0, label="x")) == "  data    grad\n3.0000  1.0000  x"
    assert tree(Value(float("nan"))).splitlines()[1].split() == ["nan", "1.0000", "v1"]


def test_a_gradient_of_infinity():
    """What is infinite or not a number is written so, and the columns hold."""
    a = Value(0.0, label="a")
    lines = tree(a.log() * a.sqrt() * 1e300).splitlines()
    assert [line.split()[:2] for line in lines[1:3]] == [["nan", "1.0000"], ["nan", "1.00e+300"]]
    assert ["0.0000", "nan"] in [line.split()[:2] for line in lines]


@pytest.mark.parametrize(
    "label",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "a\nb\r\tc\x0b\x0c\x85\u2028",
        "\u202eabc",
        "\ud800\x00\x7f\x9b",
    ],
)
def test_no_label_controls_the_terminal(label):
    """Of a label only what can be printed comes out, on the one line."""
    text = tree(Value(1.0, label=label) * Value(2.0, label=label))
    assert len(text.splitlines()) == 4
    assert text.replace("\n", "").isprintable()


def test_long_labels():
    """A label of 10,000 characters is cut off."""
    text = tree(Value(1.0, label="x" * 10_000) + 1)
    assert max(map(len, text.splitlines())) < 70


def test_the_gradients_of_the_values_stay():
    """Gradients are counted from 0, whatever the values have, and these keep theirs."""
    a = Value(2.0, label="a")
    a.grad = 7.0
    assert tree(a * 3).splitlines()[2].split()[:2] == ["2.0000", "3.0000"]
    assert a.grad == 7.0


def test_refused():
    """Too many values, changed data and what has no graph are refused."""
    assert len(tree(chain(200)).splitlines()) == 201
    with pytest.raises(ArgumentError, match="shows up to 200 values, not 201"):
        tree(chain(201))
    with pytest.raises(ArgumentError, match="a graph ends in a value, not in a float"):
        tree(2.0)
    a = Value(2.0)
    square = a * a
    a.data = 3.0
    with pytest.raises(ChangedDataError):
        tree(square)


def test_an_op_is_called_by_its_name():
    """An op whose value is its operand is told as an op all the same."""
    assert (
        tree(ops.stop_gradient(Value(1.0, label="a")))
        .splitlines()[1]
        .endswith("  v1 = stop_gradient(a)")
    )
