"""The layout of drawings: no overlaps, few crossings, little room, beside Graphviz.

And of their texts: what a browser makes of them with several fonts.
"""

import json
import random
import shutil
import subprocess
from itertools import combinations, pairwise

import graphs
import pytest

from chainrule import Value, explore
from chainrule.viz import draw
from chainrule.viz.layout import MARGIN, arrange
from chainrule.viz.net import PORT_GAP
from chainrule.viz.svg import size


def random_graph(seed, boxes=40):
    """Sizes and operands that no expression would give: wide ops, repeats, several results."""
    draws = random.Random(seed)
    sizes = [(draws.randint(10, 200), draws.randint(20, 80)) for _ in range(boxes)]
    operands = [
        tuple(draws.randrange(box) for _ in range(draws.choice([0, 1, 2, 2, 3]) if box else 0))
        for box in range(boxes)
    ]
    return sizes, operands


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
    """Edges run from the middle of the operands' right sides, one to each port on the left side."""
    sizes, operands = random_graph(seed)
    layout = arrange(sizes, operands)
    for box, tails in enumerate(operands):
        assert len(layout.routes[box]) == len(tails)
        left, middle = layout.corners[box][0], layout.corners[box][1] + sizes[box][1] / 2
        for tail, route in zip(tails, layout.routes[box]):
            x, y = layout.corners[tail]
            assert route[0] == (x + sizes[tail][0], y + sizes[tail][1] / 2)
        ports = [(slot - (len(tails) - 1) / 2) * PORT_GAP for slot in range(len(tails))]
        ends = sorted(route[-1] for route in layout.routes[box])
        assert ends == [(left, middle + port) for port in ports]


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


def test_operands_keep_their_order():
    """Where nothing would cross, edges enter from top to bottom in the order of the operands."""
    layout = arrange([(50, 30)] * 4, [(), (), (), (2, 0, 1)])
    heights = [route[-1][1] for route in layout.routes[3]]
    assert heights == sorted(heights)
    assert layout.corners[2][1] < layout.corners[0][1] < layout.corners[1][1]


def test_no_crossing_for_the_sake_of_order():
    """a + b and b + a are drawn without a crossing: one of them is entered in the other order."""
    assert not crossings(arrange([(50, 30)] * 4, [(), (), (0, 1), (1, 0)])) > 1


# ---- beside Graphviz ----

PLAIN = [
    graphs.neuron,
    graphs.overview,
    graphs.network,
    graphs.recurrent,
    lambda: graphs.total(20),
    graphs.chosen,
    graphs.convolution,
    graphs.attention,
    graphs.newton,
    graphs.polynomial,
    graphs.fibonacci,
    graphs.softmax,
    graphs.backward_of_neuron,
    lambda: graphs.mlp([2, 3, 1])[0],
    lambda: graphs.mlp([3, 4, 1])[0],
    lambda: graphs.mlp([2, 2, 1], samples=3)[0],
]
FOLDED = [
    ([3, 4, 4, 1], "neuron"),
    ([4, 8, 8, 1], "neuron"),
    ([2, 16, 16, 1], "layer"),
    ([2, 16, 16, 1], "program"),
]


def drawings():
    """Twenty: small graphs value by value, networks by neuron, layer and instruction."""
    yield from [draw(graph(), "none") for graph in PLAIN]
    for sizes, fold in FOLDED:
        loss, model = graphs.mlp(sizes, samples=8)
        yield draw(loss, fold, model=model)


def boxes(drawing):
    """The sizes and operands of what is drawn."""
    return [size(node) for node in drawing.nodes], [node.operands for node in drawing.nodes]


def by_graphviz(sizes, operands):
    """The area and crossings of the same boxes as `dot` lays them out, edges as polylines."""
    nodes = [f"n{i} [width={w / 72}, height={h / 72}];" for i, (w, h) in enumerate(sizes)]
    edges = [f"n{tail} -> n{i};" for i, tails in enumerate(operands) for tail in tails]
    head = 'digraph { rankdir=LR; node [shape=box, fixedsize=true, label=""]; edge [arrowhead=none]'
    source = "\n".join([head, *nodes, *edges, "}"])
    run = subprocess.run(
        ["dot", "-Tjson"], input=source, capture_output=True, text=True, check=True
    )
    found = json.loads(run.stdout)
    _, _, width, height = map(float, found["bb"].split(","))
    lines = [spline(edge["pos"]) for edge in found.get("edges", [])]
    return width * height, sum(meet(one, other) for one, other in combinations(lines, 2))


def spline(text, parts=8):
    """Points along a curve of Graphviz: a start, and three points for each piece."""
    points = [complex(*map(float, point.split(","))) for point in text.split()]
    line = [points[0]]
    for a, b, c, d in zip(points[0::3], points[1::3], points[2::3], points[3::3]):
        for t in [i / parts for i in range(1, parts + 1)]:
            s = 1 - t
            line.append(s**3 * a + 3 * s * s * t * b + 3 * s * t * t * c + t**3 * d)
    return line


def meet(one, other):
    """Whether two lines cross; not whether they only touch."""
    return any(
        side(a, b, c) * side(a, b, d) < 0 and side(c, d, a) * side(c, d, b) < 0
        for a, b in pairwise(one)
        for c, d in pairwise(other)
        if a.real < d.real and c.real < b.real  # both run to the right
    )


def side(a, b, point):
    return ((b - a).conjugate() * (point - a)).imag


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz, the `dot` program, is not installed")
def test_quality_beside_graphviz():
    """All drawings together have at most 1.15 times dot's crossings and 1.5 times its area.

    A line that several edges from one box share is one line, and crosses another once.
    """
    ours, theirs = [0, 0.0], [0, 0.0]
    for drawing in drawings():
        sizes, operands = boxes(drawing)
        layout = arrange(sizes, operands)
        area, crossed = by_graphviz(sizes, operands)
        ours[0] += crossings(layout)
        ours[1] += (layout.width - 2 * MARGIN) * (layout.height - 2 * MARGIN)
        theirs[0] += crossed
        theirs[1] += area
    assert ours[0] <= 1.15 * theirs[0]
    assert ours[1] <= 1.5 * theirs[1]


# ---- in the browser ----

# As wide as is reckoned with, another of its kind, and two that are not of one width.
FONTS = ["DejaVu Sans Mono", "Liberation Mono", "DejaVu Sans", "Liberation Serif"]

HARD = [
    *("W" * 30, "i" * 30, "M" * 10_000, "gjpqy|ÅÇ", "layers.10.neurons.13.w.11"),
    *("漢字かな" * 5, "한국어" * 4, "שלום עולם", "نص عربي", "﷽﷽", "नमस्ते", "ที่นี่", "\U0001d54e" * 20),
    *("😀" * 15, "👨\u200d👩\u200d👧" * 6, "🇩🇪" * 8, "❤\ufe0f ☀\ufe0f", "1\ufe0f\u20e3"),
    *("ﬃ" * 10, "⟹⟸" * 5, "e" + "\u0301" * 50, "x\u0332\u0305", "\u202eabc", "\u200b"),
]

# The texts in boxes that leave all rectangles of their box, and how far; how wide texts are that
# are not fitted.
TEXTS = """font => {
    const style = document.createElement("style");
    style.textContent = `.cr-text { font-family: "${font}" !important }`;
    document.head.append(style);
    const apart = text => {
        const t = text.getBBox();
        const box = text.closest("[data-value], [data-group]");
        const beyond = [...box.querySelectorAll("rect")].map(rect => rect.getBBox()).map(b =>
            Math.max(b.x - t.x, b.y - t.y, t.x + t.width - b.x - b.width,
                     t.y + t.height - b.y - b.height));
        return Math.min(...beyond);
    };
    const texts = [...document.querySelectorAll(":is([data-value], [data-group]) .cr-text")]
        .filter(text => text.textContent);
    const outside = texts.map(text => [text.textContent, apart(text)]).filter(([, by]) => by > 0);
    const loose = document.querySelector("svg").appendChild(texts[0].cloneNode());
    loose.removeAttribute("textLength");
    loose.textContent = "Wide and illicit";
    const width = loose.getComputedTextLength();
    loose.remove();
    style.remove();
    return [texts.length, outside, width];
}"""


def hard_labels():
    """A sum of values whose labels are hard to fit."""
    return sum(Value(10.0**i, label) for i, label in enumerate(HARD, -8))


@pytest.fixture
def outside():
    """A function that finds the texts outside their boxes in a page, with each font."""

    def found(page, texts):
        seen = [page.evaluate(TEXTS, font) for font in FONTS]
        if len({width for _, _, width in seen}) < len(FONTS):
            pytest.skip("needs Debian's fonts-dejavu and fonts-liberation")
        assert all(count >= texts for count, _, _ in seen)
        return [text for _, texts, _ in seen for text in texts]

    return found


def test_texts_stay_in_their_boxes(open_page, outside, tmp_path):
    """No text leaves its box in any of the twenty drawings, nor do the hardest labels."""
    pictures = [drawing.to_svg() for drawing in (*drawings(), draw(hard_labels()))]
    page = "\n".join(["<!DOCTYPE html><meta charset='utf-8'>", *pictures])
    (tmp_path / "x.html").write_text(page, encoding="utf-8")
    assert outside(open_page(tmp_path / "x.html"), 1000) == []


@pytest.mark.parametrize("fold", ["neuron", "layer", "program"])
def test_texts_of_groups_stay_in_their_boxes(open_page, outside, tmp_path, fold):
    """No text leaves its box in the page of a folded graph, with all of its groups open."""
    loss, model = graphs.mlp([2, 16, 16, 1], samples=8)
    draw(loss, fold, model=model).save(tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    page.evaluate("() => document.querySelectorAll('section').forEach(s => { s.hidden = false })")
    assert outside(page, 100) == []


@pytest.mark.parametrize(("output", "stride"), [(graphs.neuron, 1), (hard_labels, 25)])
def test_texts_of_the_explorer_stay_in_their_boxes(open_page, outside, tmp_path, output, stride):
    """No text leaves its box at any step of an explorer; of a longer one, some are looked at."""
    explorer = explore(output())
    explorer.save(tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    for step in range(0, len(explorer), stride):
        page.get_by_role("slider").fill(str(step))
        assert outside(page, 30) == []
