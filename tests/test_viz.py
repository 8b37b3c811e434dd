"""The drawing of graphs: layout, SVG and Graphviz source."""

import math
import os
import random
import re
import shutil
import subprocess
import sys
from itertools import combinations, pairwise
from xml.etree import ElementTree

import pytest

from chainrule import Value, ops
from chainrule.errors import ArgumentError
from chainrule.viz import MANY, draw
from chainrule.viz.layout import MARGIN, PORT_GAP, arrange
from chainrule.viz.svg import STYLE, number, short_number, shorten

SVG = "{http://www.w3.org/2000/svg}"


# ---- graphs to draw ----


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


GRAPHS = [neuron, overview, network, recurrent, total, chosen, lambda: chain(200), lambda: Value(1)]


def random_graph(seed, boxes=40):
    """Sizes and operands that no expression would give: wide ops, repeats, several results."""
    draws = random.Random(seed)
    sizes = [(draws.randint(10, 200), draws.randint(20, 80)) for _ in range(boxes)]
    operands = [
        tuple(draws.randrange(box) for _ in range(draws.choice([0, 1, 2, 2, 3]) if box else 0))
        for box in range(boxes)
    ]
    return sizes, operands


# ---- layout ----


def curve_points(route, parts=12):
    """Points on the drawn line: level pieces, and cubic curves that are level at both ends."""
    for (x, y), (to_x, to_y) in pairwise(route):
        for i in range(parts + 1):
            t = i / parts
            s = 1 - t
            middle = (x + to_x) / 2
            yield (
                s**3 * x + 3 * s * s * t * middle + 3 * s * t * t * middle + t**3 * to_x,
                s**3 * y + 3 * s * s * t * y + 3 * s * t * t * to_y + t**3 * to_y,
            )


@pytest.mark.parametrize("seed", range(30))
def test_boxes_do_not_overlap(seed):
    """Any two boxes are apart, and all lie within the drawing with its margin."""
    sizes, operands = random_graph(seed)
    layout = arrange(sizes, operands)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, sizes)]
    for i, (left, top, right, bottom) in enumerate(boxes):
        assert left >= MARGIN
        assert top >= MARGIN - 1
        assert right <= layout.width - MARGIN
        assert bottom <= layout.height - MARGIN + 1
        for other in boxes[:i]:
            apart_across = right < other[0] or other[2] < left
            assert apart_across or bottom < other[1] or other[3] < top


@pytest.mark.parametrize("seed", range(30))
def test_edges_join_their_boxes(seed):
    """An edge runs from the middle of the operand's right side to its port on the left side."""
    sizes, operands = random_graph(seed)
    layout = arrange(sizes, operands)
    for box, tails in enumerate(operands):
        assert len(layout.routes[box]) == len(tails)
        left, middle = layout.corners[box][0], layout.corners[box][1] + sizes[box][1] / 2
        for slot, (tail, route) in enumerate(zip(tails, layout.routes[box])):
            x, y = layout.corners[tail]
            assert route[0] == (x + sizes[tail][0], y + sizes[tail][1] / 2)
            port = (slot - (len(tails) - 1) / 2) * PORT_GAP
            assert route[-1] == (left, middle + port)


@pytest.mark.parametrize("seed", range(30))
def test_edges_run_to_the_right_and_around_boxes(seed):
    """Operands stand left of results, and no edge goes back or through a box."""
    sizes, operands = random_graph(seed)
    layout = arrange(sizes, operands)
    boxes = [(x, y, x + w, y + h) for (x, y), (w, h) in zip(layout.corners, sizes)]
    for routes in layout.routes:
        for route in routes:
            assert all(x <= to_x for (x, _), (to_x, _) in pairwise(route))
            for x, y in curve_points(route):
                assert not any(
                    left + 1e-6 < x < right - 1e-6 and top < y < bottom
                    for left, top, right, bottom in boxes
                )


@pytest.mark.parametrize("seed", range(10))
def test_trees_have_no_crossings(seed):
    """A tree whose edges enter in the order of the operands is drawn without a crossing."""
    draws = random.Random(seed)
    operands, free = [], []
    for box in range(60):
        operands.append(
            tuple(free.pop() for _ in range(min(draws.choice([0, 0, 1, 2, 3]), len(free))))
        )
        free.append(box)
    assert not crossings(arrange([(30, 40)] * 60, operands))


def crossings(layout):
    """How many pairs of curves between the same two columns change sides."""
    gaps = {}
    for route in [route for routes in layout.routes for route in routes]:
        for (x, y), (to_x, to_y) in pairwise(route):
            if x != to_x:
                gaps.setdefault(x, set()).add((y, to_y))
    pairs = [pair for edges in gaps.values() for pair in combinations(edges, 2)]
    return sum(
        (y - other_y) * (to_y - other_to_y) < 0 for (y, to_y), (other_y, other_to_y) in pairs
    )


def test_crossings_are_removed():
    """Results that are listed in an order which makes edges cross are put into a better one."""
    assert not crossings(arrange([(30, 40)] * 5, [(), (), (0,), (1, 1), (0, 0)]))


def test_long_edges_are_straight():
    """A value that is used in each of twenty steps runs beside them as one level line."""
    operands = [(), ()]
    for step in range(20):
        operands += [(0, 3 * step + 1), (3 * step + 2, 0), (3 * step + 3,)]
    layout = arrange([(50, 30)] * len(operands), operands)
    middles = {y for routes in layout.routes for route in routes for _, y in route[1:-1][:-1]}
    assert len(middles) <= 2


def test_symmetry():
    """The result of two operands of one size stands in the middle between them."""
    layout = arrange([(50, 30)] * 3, [(), (), (0, 1)])
    tops = [y for _, y in layout.corners]
    assert tops[2] == (tops[0] + tops[1]) / 2
    assert tops[0] < tops[1]


def test_chain_is_a_line():
    """A chain of 200 values is one straight line."""
    layout = arrange([(50, 30)] * 200, [(), *[(i,) for i in range(199)]])
    assert {y for _, y in layout.corners} == {MARGIN}


# ---- SVG ----


def groups(svg, attribute):
    """The parts of a drawing by what the attribute tells of them."""
    root = ElementTree.fromstring(svg)
    return {g.get(attribute): g for g in root.iter(f"{SVG}g") if g.get(attribute)}


def texts(group):
    return [text.text for text in group.iter(f"{SVG}text")]


@pytest.mark.parametrize("graph", GRAPHS)
def test_each_value_has_its_box(graph):
    """There is a box for each value, with its numbers, and for each use of a constant."""
    svg = draw(graph()).to_svg()
    shown = [texts(group) for group in groups(svg, "data-value").values()]
    values = [v for v in everything(graph()) if v.op != "constant"]
    uses = [o for v in values for o in v.operands if o.op == "constant"]
    assert len(shown) == len(values) + len(uses)
    expected = [number(v.data) for v in values] + [short_number(c.data) for c in uses]
    found = [t[t.index("data") + 1] if "data" in t else t[0] for t in shown]
    assert sorted(found) == sorted(expected)


def everything(output):
    """All values behind one, found without the engine's own walk."""
    found, waiting = {}, [output]
    while waiting:
        value = waiting.pop()
        if id(value) not in found:
            found[id(value)] = value
            waiting += value.operands
    return list(found.values())


@pytest.mark.parametrize("graph", GRAPHS)
def test_texts_stay_in_their_boxes(graph):
    """Each text of a value is told a width that keeps it inside the frame it stands in."""
    for group in groups(draw(graph()).to_svg(), "data-value").values():
        frames = [[float(r.get(k)) for k in ("x", "y", "width", "height")] for r in rects(group)]
        for text in group.iter(f"{SVG}text"):
            width = float(text.get("textLength"))
            part = {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor")]
            left, base = float(text.get("x")) - part * width, float(text.get("y"))
            assert any(
                x < left and left + width < x + w and y < base - 10 and base + 3 < y + h
                for x, y, w, h in frames
            )


def rects(group):
    return group.iter(f"{SVG}rect")


def test_neuron():
    """The lecture's neuron shows its labels, ops, data and gradients."""
    shown = [texts(group) for group in groups(draw(neuron()).to_svg(), "data-value").values()]
    assert ["x1", "data", "2.0000", "grad", "-1.5000"] in shown
    assert ["w2", "data", "1.0000", "grad", "0.0000"] in shown
    assert ["tanh", "o", "data", "0.7071", "grad", "1.0000"] in shown
    assert ["*", "data", "-6.0000", "grad", "0.5000"] in shown


def test_repeated_operand():
    """a + a has two edges from a, at two heights."""
    a = Value(3.0, label="a")
    edges = groups(draw(a + a).to_svg(), "data-edge")
    assert list(edges) == ["0 1 0", "0 1 1"]
    ends = [re.findall(r"[\d.]+", edge[0].get("d"))[-1] for edge in edges.values()]
    assert ends[0] != ends[1]


def test_operand_order():
    """Operands enter from top to bottom; where order counts, the edges bear their numbers."""
    a, b = Value(3.0), Value(2.0)
    for result in (a - b, b - a, a / b, a**b):
        edges = groups(draw(result).to_svg(), "data-edge").values()
        assert [texts(edge) for edge in edges] == [["1"], ["2"]]
        first, second = [float(edge[1].get("d").split()[1].split("l")[0]) for edge in edges]
        assert first < second
    for result in (a + b, a * b):
        assert [texts(edge) for edge in groups(draw(result).to_svg(), "data-edge").values()] == [
            [],
            [],
        ]


def test_constants_are_drawn_at_each_use():
    """A number, one object in the engine, is a small box without gradient at each use."""
    a = Value(2.0, label="a")
    shown = [texts(g) for g in groups(draw((a + 3) * 3).to_svg(), "data-value").values()]
    assert shown.count(["3"]) == 2
    assert len(shown) == 5


@pytest.mark.parametrize(
    "label",
    [
        "<script>alert(1)</script>",
        "\"double\" & 'single'",
        "]]></style><svg onload='x'>",
        "line\nbreak\r\n\ttab",
        "\x00\x07\x1b[31m\x7f\u202e\ufffe",
        "\ud800",
        "x" * 10_000,
        "漢字😀" * 20,
        "e" + "\u0301" * 5000,
        "   ",
        "{a|b}\\",
    ],
)
def test_hostile_labels(label, tmp_path):
    """Whatever a label holds, the SVG is well-formed, has no other elements, and can be saved."""
    drawing = draw(Value(1.0, label=label) + 1)
    root = ElementTree.fromstring(drawing.to_svg())
    tags = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "path", "text"}
    assert all(len(text) <= 31 for text in texts(root))
    for suffix in (".svg", ".dot"):
        drawing.save(tmp_path / f"x{suffix}")
        assert (tmp_path / f"x{suffix}").stat().st_size < 8000


def test_drawing_is_the_same_in_every_process():
    """The bytes depend on the graph alone, not on addresses or the seed of hashes."""
    program = (
        "import test_viz as t; print(t.draw(t.overview()).to_svg(), t.draw(t.network()).to_dot())"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.path.dirname(__file__)},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert runs[0] == runs[1]
    assert b"<svg" in runs[0]


def test_drawing_keeps_what_it_showed():
    """A drawing shows the graph as it was when it was made."""
    a = Value(2.0, label="a")
    drawing = draw(a * a)
    before = drawing.to_svg()
    a.data = 7.0
    assert drawing.to_svg() == before
    assert drawing._repr_svg_() == before


def test_a_value_shows_itself_in_notebooks():
    """Value._repr_svg_, which notebooks ask for, is the drawing of the value as SVG."""
    o = neuron()
    assert ElementTree.fromstring(o._repr_svg_()).tag == f"{SVG}svg"
    assert o._repr_svg_() == draw(o).to_svg()


def luminance(colour):
    """The relative luminance of "#rrggbb", by the formula of WCAG 2."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("part", [0, 1], ids=["light", "dark"])
def test_texts_can_be_read(part):
    """Every text has a contrast of at least 4.5 to every ground it may stand on, light or dark."""
    rules = STYLE.split("@media (prefers-color-scheme: dark)")[part]
    fills = dict(re.findall(r"(?m)^(.*?) \{.*fill: (#\w{6})", rules))
    grounds = [fill for selector, fill in fills.items() if "box" in selector or "page" in selector]
    inks = [fills[name] for name in (".cr-text", ".cr-name, .cr-slot", ".cr-grad")]
    assert len(grounds) == 4
    for ink in inks:
        for ground in grounds:
            dark, light = sorted([luminance(ink), luminance(ground)])
            assert (light + 0.05) / (dark + 0.05) >= 4.5


# ---- numbers and labels ----


@pytest.mark.parametrize(
    ("x", "text"),
    [
        (math.sqrt(0.5), "0.7071"),
        (0.0, "0.0000"),
        (-0.0, "-0.0000"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (1e300, "1.00e+300"),
        (1e-12, "1.00e-12"),
        (-5e-324, "-4.94e-324"),
        (-999999.99996, "-1000000.0000"),
        (1e6, "1.00e+06"),
        (0.001, "0.0010"),
    ],
)
def test_numbers(x, text):
    """Four decimals where they say enough, powers of ten elsewhere."""
    assert number(x) == text


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("x1", "x1"),
        ("layers.10.neurons.13.w.11", "layers.10.neurons.13.w.11"),
        ("a" * 30, "a" * 30),
        ("a" * 31, "a" * 29 + "…"),
        ("字" * 16, "字" * 14 + "…"),
        ("a\nb\tc", "a b c"),
        ("\x00a\ud800", "\ufffda\ufffd"),
        ("e\u0301\u0301\u0301", "é\u0301"),
    ],
)
def test_labels(label, text):
    """A label takes one line of at most 30 columns, and holds nothing that cannot be printed."""
    assert shorten(label) == text


# ---- large graphs ----


def test_the_largest_graph_that_is_drawn():
    """300 values are drawn one by one, one more is not."""
    assert draw(chain(MANY)).to_svg().count("data-value") == MANY == 300
    svg = draw(chain(MANY + 1)).to_svg()
    assert "data-value" not in svg
    assert texts(ElementTree.fromstring(svg)) == [
        "301 values: too many to draw one by one",
        "300 tanh, 1 leaf, 0 constants",
    ]


def test_summary_of_a_deep_graph():
    """A chain of 100,000 steps is counted, op by op, without recursion."""
    value = Value(0.5)
    for _ in range(50_000):
        value = value * Value(1.0) + 1
    drawing = draw(value)
    assert texts(ElementTree.fromstring(drawing.to_svg())) == [
        "150,002 values: too many to draw one by one",
        "50,000 add, 50,000 mul, 50,001 leaves, 1 constant",
    ]
    assert "50,001 leaves" in drawing.to_dot()


# ---- Graphviz and files ----


def test_dot_source():
    """The source names each value and op once, and the edges into an op in operand order."""
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    lines = [line.strip() for line in draw((b - a) * 2).to_dot().splitlines()]
    assert lines[0] == "digraph chainrule {"
    assert lines[-1] == "}"
    assert 'v0 [shape=record, label="b | data 3.0000 | grad 0.0000"];' in lines
    assert 'op2 [shape=circle, label="-"];' in lines
    assert [line for line in lines if line.endswith(("op2;", "];")) and "->" in line] == [
        "v0 -> op2 [headlabel=1];",
        "v1 -> op2 [headlabel=2];",
    ]
    assert lines.count("v2 -> op4;") == lines.count("v3 -> op4;") == 1
    assert 'v3 [shape=record, label="2"];' in lines


def test_dot_repeats_operands():
    """a + a has two edges in the source as well."""
    a = Value(2.0)
    assert draw(a + a).to_dot().count("v0 -> op1;") == 2


def test_dot_escapes_labels():
    """What means something in a record or a quoted text is escaped."""
    source = draw(Value(1.0, label='{a|b} <c> "d" \\e\nf')).to_dot()
    assert r'label="\{a\|b\} \<c\> \"d\" \\e f | data' in source


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
@pytest.mark.parametrize("graph", [*GRAPHS, lambda: Value(1.0, '{"<|\\'), lambda: chain(400)])
def test_graphviz_reads_the_source(graph):
    """Graphviz itself takes the source without a complaint."""
    run = subprocess.run(
        ["dot", "-Tplain"], input=draw(graph()).to_dot().encode(), capture_output=True
    )
    assert run.returncode == 0
    assert run.stderr == b""


def test_save(tmp_path):
    """A drawing is saved in the format that the suffix names, in upper case as well."""
    drawing = draw(neuron())
    drawing.save(str(tmp_path / "n.svg"))
    drawing.save(tmp_path / "n.DOT")
    assert (tmp_path / "n.svg").read_text(encoding="utf-8") == drawing.to_svg()
    assert (tmp_path / "n.DOT").read_text(encoding="utf-8") == drawing.to_dot()


@pytest.mark.parametrize("name", ["x.png", "x.jpeg", "x"])
def test_other_formats_are_refused(tmp_path, name):
    """Another suffix, or none, is refused with those that are possible."""
    with pytest.raises(ArgumentError, match=r"saved as \.svg or \.dot, not"):
        draw(Value(1.0)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_only_values_are_drawn():
    """Something without a graph is refused by what it is."""
    with pytest.raises(ArgumentError, match=r"draw\(\) takes a Value, not list"):
        draw([Value(1.0)])


def test_standard_library_alone():
    """Drawing imports neither NumPy nor matplotlib."""
    program = """
import sys
from chainrule import Value
from chainrule.viz import draw
draw(Value(1.0) + 1).to_svg()
print([name for name in ("numpy", "matplotlib", "torch") if name in sys.modules])
"""
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout == "[]\n"
