"""Labels, paths and numbers of every kind, wherever a graph is shown: nothing breaks or runs."""

import itertools
import math
import re
import shutil
import subprocess
from xml.etree import ElementTree

import pytest

from chainrule import Value, explore, nn
from chainrule.viz import draw, paths_of, replay
from chainrule.viz.svg import shorten

LABELS = [
    "<script>alert(1)</script>",
    "</script><img src=x onerror=alert(1)>",
    "</text></svg><svg onload='alert(1)'>",
    "</title></style></section></td>",
    "<!-- --> ]]> <![CDATA[ <?x ?>",
    "\"double\" 'single' `back` &amp; &#0; & \\",
    "javascript:alert(1)//${alert(1)}",
    "{a|b} <c> \\N \\l {{",
    "line\nbreak\r\n\ttab\u2028\u2029\x85",
    "\x00\x01\x07\x08\x0c\x1b[31m\x7f\x9b",
    "\ufffe\uffff\ufdd0\U000effff",
    "\ud800",
    "\udc80\udbff",
    "\u202eright\u202c to \u200fleft\u2066\u2069",
    "شجرة עץ",
    "漢字😀👩‍👩‍👧" * 4,
    "e" + "\u0301" * 500,
    "x" * 10_000,
    "x" * 10_000 + "y",
    "__proto__",
    "constructor",
    "toString",
    "v1",
    "a",
    "a",
    "a_1",
    "   ",
    "\ufeff\u200b",
]
NUMBERS = [1.0, math.nan, math.inf, -math.inf, -0.0, 5e-324, -1.7976931348623157e308]
SHOWN = re.compile(
    r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]*"
)


def hostile():
    """A graph in which every label, and every number, is a leaf's and an inner value's."""
    leaves = [Value(x, label) for label, x in zip(LABELS, itertools.cycle(NUMBERS))]
    inner = [leaf.tanh() for leaf in leaves]
    for value, label in zip(inner, LABELS):
        value.label = label
    output = sum(inner)
    output.label = LABELS[1]
    output.backward()
    return output


def folded():
    """A network of which the parts are named as badly, run on enough samples to be folded."""
    model = nn.Module()
    model.parts = {label: nn.Neuron(2) for label in LABELS[:8]}
    samples = [[Value(x, LABELS[0]), Value(1.0, LABELS[1])] for x in NUMBERS]
    output = sum(part(sample) for part in model.parts.values() for sample in samples)
    output.backward()
    return output, model


def single():
    """Graphs of one value: a leaf, and a number of an expression."""
    return [Value(3.0, "alone"), (Value(1.0) * 2.0).operands[1]]


def paths():
    """The network on one sample, small enough to be stepped through."""
    _, model = folded()
    return sum(part([1.0, Value(2.0)]) for part in model.parts.values()), model


EXPLORED = {
    "labels": lambda: (hostile(), None),
    "paths": paths,
    "leaf": lambda: (single()[0], None),
    "constant": lambda: (single()[1], None),
}
DRAWINGS = {
    "hostile": lambda: draw(hostile()),
    "folded": lambda: (lambda output, model: draw(output, model=model))(*folded()),
    "leaf": lambda: draw(single()[0]),
    "constant": lambda: draw(single()[1]),
}


# ---- as files ----


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_svg(drawing):
    """The SVG is well-formed, and has neither elements nor attributes that run or load anything."""
    root = ElementTree.fromstring(DRAWINGS[drawing]().to_svg())
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags <= {"svg", "title", "desc", "style", "rect", "g", "path", "text", "clipPath", "use"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not [name for name in attributes if name.startswith("on") or "href" in name]
    assert all(SHOWN.fullmatch(text) for text in root.itertext())


def test_labels_are_shown_as_they_are():
    """Markup in a label is text, letter by letter, in the picture and in its hint."""
    root = ElementTree.fromstring(draw(Value(1.0, LABELS[0])).to_svg())
    assert [e.text for e in root.iter() if e.get("class") == "cr-text cr-label"] == [LABELS[0]]
    assert f"{LABELS[0]} = leaf, data 1.0, gradient 0.0" in [e.text for e in root.iter()]


@pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed")
@pytest.mark.parametrize("drawing", DRAWINGS)
def test_graphviz(drawing):
    """Graphviz renders the source without a complaint, with a node for each box and each op."""
    made = DRAWINGS[drawing]()
    source = made.to_dot().encode()
    run = subprocess.run(["dot", "-Tsvg"], input=source, capture_output=True, check=True)
    assert run.stderr == b""
    nodes = [g for g in ElementTree.fromstring(run.stdout).iter() if g.get("class") == "node"]
    ops_drawn = sum(getattr(node, "op", "") not in ("", "constant") for node in made.nodes)
    assert len(nodes) == len(made.nodes) + ops_drawn


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_files_are_of_moderate_size(drawing, tmp_path):
    """All files of text can be written, and 10,000 characters of a label are not in them."""
    made = DRAWINGS[drawing]()
    for suffix in ("svg", "dot", "html"):
        made.save(tmp_path / f"x.{suffix}")
        assert (tmp_path / f"x.{suffix}").stat().st_size < 1_000_000
        assert "x" * 300 not in (tmp_path / f"x.{suffix}").read_text(encoding="utf-8")


def test_png(tmp_path):
    """Each label can be made pixels of."""
    pytest.importorskip("resvg_py")
    for label in LABELS:
        draw(Value(math.nan, label) + 1).save(tmp_path / "x.png")
        assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("value", single(), ids=["leaf", "constant"])
def test_a_single_value(value, tmp_path):
    """A leaf or a number alone is drawn as one box, and explored from its gradient of 1."""
    drawing = draw(value)
    assert drawing.to_svg().count("data-value") == 1
    assert "data-edge" not in drawing.to_svg()
    assert drawing.to_dot().count("shape=") == 1
    explore(value).save(tmp_path / "x.html")
    assert replay.in_order(replay.read(value)) == []


def test_names_are_never_the_same():
    """Labels that are the same, or would be once cut off or numbered, are told apart."""
    clashing = ["a", "a_1", "a", "a_2", "a_1_1", "a_1", "v1", "", "x" * 100, "x" * 101]
    for output in (hostile(), sum(Value(1.0, label) for label in clashing)):
        names = [x.name for x in replay.read(output) if x.op != "constant"]
        assert len(set(names)) == len(names)
        assert all(SHOWN.fullmatch(name) and shorten(name) == name for name in names)


# ---- in the browser ----

# What a label could have smuggled in: elements that run, load or lead away, and their attributes.
FOREIGN = """
[...document.querySelectorAll("*")].filter(x =>
    ["IMG", "IFRAME", "A", "OBJECT", "EMBED", "FORM", "LINK", "BASE"].includes(x.tagName)
    && x.rel !== "icon"
    || [...x.attributes].some(a => /^on|href/.test(a.name) && x.rel !== "icon")
).map(x => x.outerHTML.slice(0, 100))
"""


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_picture_in_a_browser(open_page, drawing, tmp_path):
    """The SVG opens by itself in a browser."""
    DRAWINGS[drawing]().save(tmp_path / "x.svg")
    page = open_page(tmp_path / "x.svg")
    assert page.evaluate("document.documentElement.tagName") == "svg"
    assert page.evaluate(FOREIGN) == []


@pytest.mark.parametrize("drawing", DRAWINGS)
def test_page_in_a_browser(open_page, drawing, tmp_path):
    """The page has one script, its own; all groups open and show nothing but text."""
    DRAWINGS[drawing]().save(tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    groups = page.locator("main [data-group]").all()
    assert (len(groups) > 8) == (drawing == "folded")
    for group in groups:
        group.press("Enter")
    assert page.locator("section:visible").count() == len(groups)
    assert page.locator("script").count() == 1
    assert page.evaluate(FOREIGN) == []
    assert SHOWN.fullmatch(page.locator("body").text_content())
    assert (LABELS[0] in page.locator("body").text_content()) == (drawing in ("hostile", "folded"))


# What is told at each step; the picture changes along.
ALL_STEPS = """
() => {
    const slider = document.querySelector("[type=range]");
    const told = [];
    for (let step = Number(slider.min); step <= Number(slider.max); step++) {
        slider.value = step;
        slider.dispatchEvent(new Event("input"));
        told.push(document.querySelector("[aria-live]").textContent);
    }
    return told;
}
"""


@pytest.mark.parametrize("graph", EXPLORED)
def test_explorer_in_a_browser(open_page, graph, tmp_path):
    """Every step, and every way's end, has the names as they are, and nothing of them runs."""
    output, model = EXPLORED[graph]()
    explore(output, model=model).save(tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    cells = replay.read(output, paths_of(model))
    names = page.locator("tr[data-name] th").all_text_contents()
    assert names == [cell.name for cell in cells if cell.op != "constant"]
    told = page.evaluate(ALL_STEPS)
    assert told[0].startswith("The leaves are given")
    assert page.locator(".cx-ways button").count() == 3
    for way in page.locator(".cx-ways button").all():
        way.click()
        page.keyboard.press("End")
        told.append(page.locator("[aria-live]").text_content())
        assert told[-1].startswith("Backward: done")
        assert page.evaluate(FOREIGN) == []
    assert all(SHOWN.fullmatch(text) for text in told)
    assert page.locator("script").count() == 2  # what is shown, and what shows it
