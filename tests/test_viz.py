"""The drawing of graphs: layout, SVG and Graphviz source."""

import math
import os
import re
import shutil
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from graphs import GRAPHS, chain, mlp, neuron

from chainrule import Value
from chainrule.errors import ArgumentError, MissingExtraError
from chainrule.viz import MANY, draw
from chainrule.viz.svg import STYLE, number, short_number, shorten

SVG = "{http://www.w3.org/2000/svg}"


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


def test_other_letters_are_cut_off():
    """A text that is not plain ASCII is seen through a window that is no wider than its box."""
    root = ElementTree.fromstring(draw(Value(1.0, label="नमस्ते" * 3)).to_svg())
    sides = ("x", "y", "width", "height")
    (window,) = root.findall(f".//{SVG}svg")
    x, y, width, height = [float(window.get(side)) for side in sides]
    left, top, wide, high = [float(root.find(f".//{SVG}g/{SVG}rect").get(side)) for side in sides]
    assert window[0].get("class") == "cr-text cr-label"
    assert window.get("viewBox").split() == [window.get(side) for side in sides]
    assert left < x < x + width < left + wide
    assert top < y < y + height < top + high


def test_drawing_is_the_same_in_every_process():
    """The bytes depend on the graph alone, not on addresses or the seed of hashes."""
    program = (
        "import graphs as g; from chainrule.viz import draw; "
        "print(draw(g.overview()).to_svg(), draw(g.network()).to_dot())"
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
        ("encoder.0.attention.weights.3.12", "…oder.0.attention.weights.3.12"),
        ("3." + "1" * 40, "3." + "1" * 27 + "…"),
        ("字" * 16, "字" * 14 + "…"),
        ("a\nb\tc", "a b c"),
        ("\x00a\ud800", "\ufffda\ufffd"),
        ("e" + 9 * "\u0301", "é\u0301\u0301"),
        ("ที่", "ที่"),
        ("👨\u200d👩\u200d👧 ❤\ufe0f", "👨👩👧 ❤"),
        ("a\u202eb", "a\ufffdb"),
    ],
)
def test_labels(label, text):
    """A label takes one line of at most 30 columns, and holds nothing that cannot be printed."""
    assert shorten(label) == text


# ---- large graphs ----


def test_the_largest_graph_that_is_drawn():
    """200 values are drawn one by one; of more, which no fold makes fewer, the counts are given."""
    assert draw(chain(MANY)).to_svg().count("data-value") == MANY == 200
    svg = draw(chain(MANY + 1)).to_svg()
    assert "data-value" not in svg
    assert texts(ElementTree.fromstring(svg)) == [
        "201 values: too many to draw one by one",
        "200 tanh, 1 leaf, 0 constants",
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


def test_png(tmp_path):
    """A PNG has two pixels for each unit of the drawing."""
    pytest.importorskip("resvg_py")
    drawing = draw(neuron())
    drawing.save(tmp_path / "n.png")
    found = (tmp_path / "n.png").read_bytes()
    root = ElementTree.fromstring(drawing.to_svg())
    assert found[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = int.from_bytes(found[16:20]), int.from_bytes(found[20:24])
    assert abs(width - 2 * float(root.get("width"))) < 1
    assert abs(height - 2 * float(root.get("height"))) < 1


def test_png_without_its_package(tmp_path, monkeypatch):
    """Without resvg-py a PNG is refused by the name of the extra, and nothing is written."""
    monkeypatch.setitem(sys.modules, "resvg_py", None)
    with pytest.raises(MissingExtraError, match=r"chainrule\[draw\]"):
        draw(Value(1.0)).save(tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["x.jpeg", "x.pdf", "x"])
def test_other_formats_are_refused(tmp_path, name):
    """Another suffix, or none, is refused with those that are possible."""
    with pytest.raises(ArgumentError, match=r"saved as \.svg, \.png, \.html or \.dot, not"):
        draw(Value(1.0)).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


LEGEND = {
    "leaf": lambda: Value(1.0),
    "number in the expression": lambda: Value(1.0) + 2,
    "which operand": lambda: Value(1.0) - Value(2.0),
    "several values": lambda: mlp([2, 4, 4, 1], samples=8)[0],
}


def test_legend():
    """Each shape that is drawn is explained, and no other."""
    for shape, graph in LEGEND.items():
        svg = draw(graph()).to_svg()
        legend = svg[svg.index("cr-legend") :]
        assert [other for other in LEGEND if f">{other}<" in legend] == [
            other for other in LEGEND if _has(svg, other)
        ]
        assert f">{shape}<" in legend


def _has(svg, shape):
    """Whether a shape is drawn, by the elements before the legend."""
    drawn = svg[svg.index("</style>") : svg.index("cr-legend")]
    marks = ["cr-leaf", "cr-constant", "cr-slot", "cr-group"]
    return marks[list(LEGEND).index(shape)] in drawn


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
