"""Large graphs drawn by neurons, layers and instructions, and the page in which they open."""

import random
import re
from html.parser import HTMLParser

import pytest
from graphs import chain, mlp, recurrent

from chainrule import Value, nn, ops
from chainrule.engine import operands_first
from chainrule.errors import ArgumentError
from chainrule.viz import draw, fold, kinds
from chainrule.viz.svg import Group, Node


def titles(drawing):
    return [box.title if isinstance(box, Group) else box.op for box in drawing.nodes]


def test_by_neuron():
    """Of a perceptron each neuron is a box, then what the loss does, op by op."""
    loss, model = mlp([3, 4, 4, 1], samples=8)
    drawing = draw(loss, "neuron", model=model)
    neurons = [f"layers.{i}.neurons.{j}" for i, n in enumerate([4, 4, 1]) for j in range(n)]
    assert sorted(titles(drawing)) == sorted([*neurons, "8 sub", "8 pow", "8 add"])
    first = drawing.nodes[titles(drawing).index("layers.0.neurons.0")]
    assert first.lines[:2] == ("24 mul, 24 add, 8 tanh", "4 parameters")
    assert first.operands == ()  # the inputs are numbers
    last = drawing.nodes[titles(drawing).index("layers.2.neurons.0")]
    assert sorted(titles(drawing)[x] for x in last.operands) == neurons[4:8]


def test_by_layer():
    """Of a perceptron each layer is a box, and they form a chain."""
    loss, model = mlp([3, 4, 4, 1], samples=8)
    drawing = draw(loss, "layer", model=model)
    assert titles(drawing) == ["layers.0", "layers.1", "layers.2", "8 sub", "8 pow", "8 add"]
    assert [box.operands for box in drawing.nodes] == [(), (0,), (1,), (2,), (3,), (4,)]


def test_by_program():
    """Of an array program each instruction is a box, with how much it computes."""
    loss, _ = mlp([3, 4, 4, 1], samples=8)
    found = titles(draw(loss, "program"))
    assert "32 sums of 1 term and 3 products" in found
    assert "32 sums of 1 term and 4 products" in found
    assert found.count("32 tanh") == 2
    assert {title for title in found if "leaves" in title} == {"16 leaves", "20 leaves", "5 leaves"}


def test_labels_that_are_paths():
    """Leaves whose labels are paths are parameters, without the model."""
    loss, model = mlp([2, 3, 1], samples=20)
    with_model = draw(loss, "layer", model=model).to_svg()
    for path, parameter in model.named_parameters():
        parameter.label = path
    assert draw(loss, "layer").to_svg() == with_model
    assert draw(loss).to_svg() == draw(loss, "neuron").to_svg()


def test_parameters_carry_their_paths():
    """In a small graph those of a model's parameters that have no label bear their paths."""
    model = nn.Neuron(2)
    model.b.label = "bias"
    drawing = draw(model([Value(1.0, "x"), Value(2.0)]), model=model)
    for text in (drawing.to_svg(), drawing.to_dot(), drawing.to_html()):
        assert all(re.search(rf"\b{label}\b", text) for label in ("w\\.0", "w\\.1", "bias", "x"))
    assert [p.label for p in model.parameters()] == ["", "", "bias"]


def test_long_paths_are_whole_in_the_hint():
    """Of a deep path the picture shows the end, which tells parameters apart, a hint the whole."""
    model = nn.MLP(1, [1, 1])
    deep = nn.Module()
    deep.encoder = [{"attention": {"projection": model}}]
    path = "encoder.0.attention.projection.layers.1.neurons.0.w.0"
    assert path in dict(deep.named_parameters())
    svg = draw(model([Value(1.0)]), model=deep).to_svg()
    assert f"<title>{path} = leaf" in svg
    assert ">…ection.layers.1.neurons.0.w.0<" in svg
    assert ">…ojection.layers.1.neurons.0.b<" in svg


def shared():
    """A cell that is called at every step, as in a recurrent network, and its squared weights."""
    random.seed(1)
    cell = nn.Layer(3, 2)
    state = [Value(0.1), Value(0.2)]
    for step in range(12):
        state = cell([*state, Value(0.1 * step)])
    return sum(state) + 0.1 * sum(p * p for p in cell.parameters()), cell


def scaled():
    """Weights divided by their length, which is computed from them."""
    random.seed(2)
    model = nn.Neuron(4)
    length = sum(w * w for w in model.w) ** 0.5
    terms = [w / length * Value(0.3) for w in model.w for _ in range(20)]
    return sum(terms).tanh(), model


@pytest.mark.parametrize("graph", [lambda: mlp([3, 4, 1], 9), shared, scaled])
@pytest.mark.parametrize("by", fold.FOLDS)
def test_every_value_is_in_one_box(graph, by):
    """Boxes share no value and leave none out but constants, and come after what they read."""
    value, model = graph()
    values = operands_first(value)
    drawing = draw(value, by, model=model)
    groups = [box for box in drawing.nodes if isinstance(box, Group)]
    members = [i for group in groups for i in group.members]
    alone = sum(isinstance(box, Node) and box.op != "constant" for box in drawing.nodes)
    assert len(set(members)) == len(members)
    assert len(members) + alone == sum(v.op != "constant" for v in values)
    for place, box in enumerate(drawing.nodes):
        assert all(operand < place for operand in box.operands)


def test_edges_between_boxes_are_those_between_values():
    """A group reads from another exactly if a value of it reads from one of the other's."""
    loss, _ = mlp([3, 4, 4, 1], samples=8)
    values = operands_first(loss)
    boxes = draw(loss, "program").nodes
    home = {id(values[i]): place for place, box in enumerate(boxes) for i in box.members}
    for place, box in enumerate(boxes):
        reads = {home.get(id(x)) for i in box.members for x in values[i].operands}
        assert set(box.operands) == reads - {None, place}


def test_auto():
    """A large graph is drawn by the first of neurons, layers and instructions that is small."""
    small, large = mlp([2, 5, 1], samples=20), mlp([2, 150, 60, 1])
    assert titles(draw(small[0], model=small[1]))[0].startswith("layers.0.neurons.")
    assert titles(draw(large[0], model=large[1]))[0] == "layers.0"
    assert "20 sums of 1 term and 5 products" in " ".join(titles(draw(small[0])))


def test_a_large_graph():
    """200,000 values are drawn by a few boxes, in a picture and a page of moderate size."""
    random.seed(1)
    model = nn.MLP(2, [16, 16, 1])
    outputs = [model([random.random(), random.random()]) for _ in range(310)]
    loss = sum((1 - output).relu() for output in outputs)
    assert len(operands_first(loss)) > 200_000
    for by, most in [("auto", 60), ("layer", 20), ("program", 20)]:
        drawing = draw(loss, by, model=model)
        assert len(drawing.nodes) <= most
        assert len(drawing.to_svg()) < 200_000
        assert len(drawing.to_html()) < 3_000_000


@pytest.mark.parametrize("fold", ["auto", "program"])
def test_a_graph_of_unequal_work_is_given_up_early(monkeypatch, fold):
    """If each step is another instruction, no program is made of them all: that takes long."""
    monkeypatch.setattr(kinds, "Placed", None)
    if fold == "auto":
        assert not draw(chain(3000), fold).nodes
    else:
        with pytest.raises(ArgumentError, match="more than 2,000 boxes are too many"):
            draw(chain(3000), fold)


def test_refused():
    """Unknown folds, folds without parameters and drawings of too many boxes are refused."""
    with pytest.raises(ArgumentError, match="fold"):
        draw(recurrent(), "column")
    with pytest.raises(ArgumentError, match="parameters with paths are needed"):
        draw(recurrent(), "neuron")
    with pytest.raises(ArgumentError, match="the model must be a Module, not list"):
        draw(recurrent(), model=[])
    with pytest.raises(ArgumentError, match="2,001 boxes are too many"):
        draw(chain(2001), "none")


class Page(HTMLParser):
    """The parts of a page: its ids, what its groups are, and what is hidden."""

    def __init__(self, text):
        super().__init__()
        self.groups, self.hidden, self.rows, self.links = set(), {}, 0, []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        named = dict(attrs)
        if "data-group" in named:
            self.groups.add(named["data-group"])
        if tag == "section":
            self.hidden[named["id"].removeprefix("group-")] = "hidden" in named
        self.rows += tag == "tr"
        self.links += [v for k, v in attrs if k in ("src", "href", "xlink:href")]


def test_page(tmp_path):
    """Each group has a part of the page, hidden at first; nothing is loaded from elsewhere."""
    loss, model = mlp([3, 4, 4, 1], samples=8)
    drawing = draw(loss, model=model)
    drawing.save(tmp_path / "x.html")
    page = Page((tmp_path / "x.html").read_text(encoding="utf-8"))
    assert page.groups == set(page.hidden) != set()
    assert all(page.hidden.values())
    assert not page.links


@pytest.mark.parametrize(("terms", "rows"), [(500, 501), (1999, 2000), (3000, 101)])
def test_lists(terms, rows):
    """Groups of up to 2,000 values are listed whole under a heading, of larger ones the first."""
    total = sum(Value(float(i)).tanh() for i in range(terms))
    page = draw(total, "program").to_html()
    lists = page.split("<section")[1:]
    assert [Page(part).rows for part in lists if "tanh(" in part] == [rows]


def sections(drawing):
    """The parts of the page of a drawing, by their headings."""
    parts = drawing.to_html().split("<section")[1:]
    return {part.partition("<h2>")[2].partition("</h2>")[0]: part for part in parts}


def test_groups_of_many_results_open_as_one_of_them():
    """Of a layer's many outputs the page draws how the first is computed, and lists them all."""
    loss, model = mlp([3, 4, 4, 1], samples=8)
    loss.backward()
    part = sections(draw(loss, "neuron", model=model))["layers.1.neurons.0"]
    assert "77 values. How the first of its 8 results is computed:" in part
    assert len(re.findall('class="cr-op"', part)) == 4 + 4 + 1 + 1  # in the legend too
    assert len(re.findall('class="cr-outside" data-value', part)) == 4  # the layer before
    assert len(re.findall('class="cr-leaf" data-value', part)) == 5  # its parameters
    assert "cr-result" not in part
    assert Page(part).rows == 1 + 77


@pytest.mark.parametrize(
    ("terms", "steps", "caption"),
    [(150, 150, "150 values"), (300, 40, "300 values. The last steps to its result:")],
)
def test_groups_of_one_result_open_whole(terms, steps, caption):
    """A long sum is drawn whole up to 200 steps; of a longer one the last 40 are drawn."""
    part = sections(draw(sum(Value(float(i)) for i in range(terms)), "program"))[
        f"1 sum of {terms} terms"
    ]
    assert f"<p>{caption}</p>" in part
    assert len(re.findall('class="cr-inner" data-value', part)) == steps
    assert Page(part).rows == (0 if terms == steps else 1 + terms)


def test_leaves_open_as_a_list():
    """Between leaves are no edges that a drawing would show."""
    loss, model = mlp([3, 4, 4, 1], samples=8)
    part = sections(draw(loss, "program", model=model))["16 parameters"]
    assert "<svg" not in part
    assert Page(part).rows == 17
    assert "<td>layers.0.neurons.3.w.2</td><td>leaf</td>" in part


def test_pages_have_an_end():
    """Of many large groups the first are drawn and listed whole, and then some of each."""
    values = [Value(i / 1900) for i in range(1900)]
    for i in range(20):
        values = [ops.sin(x) if i % 2 else x.tanh() for x in values]
    parts = draw(sum(values), "program").to_html().split("<section")[1:]
    rows = [Page(part).rows for part in parts]
    assert rows.count(1901) == 5
    assert set(rows) == {1901, 101}


def test_hostile_labels_in_a_page():
    """Labels are text in the page, whatever they hold."""
    label = "</section><script>alert(1)</script>"
    total = sum(Value(float(i), label).tanh() for i in range(300))
    page = draw(total, "program").to_html()
    assert page.count("<script>") == 1
    assert "&lt;/section&gt;&lt;script&gt;" in page


# ---- in the browser ----


def test_groups_open(open_page, tmp_path):
    """A click, Enter or space opens a group and closes it again, offline and without an error."""
    loss, model = mlp([3, 4, 4, 1], samples=8)
    draw(loss, model=model).save(tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    group = page.locator("main [data-group]").first
    states = []
    for act in (group.click, lambda: group.press("Enter"), lambda: group.press(" ")):
        act()
        states.append(page.locator("section:visible").count())
    assert page.locator("section:visible h2").inner_text() == "layers.0.neurons.0"
    assert states == [1, 0, 1]


def test_no_serious_accessibility_fault(open_page, serious_faults, tmp_path):
    """axe finds nothing serious in light or dark, with a drawing and a list open."""
    loss, model = mlp([2, 2, 1], samples=25)
    draw(loss, "layer", model=model).save(tmp_path / "x.html")
    page = open_page(tmp_path / "x.html")
    for group in page.locator("main [data-group][tabindex]").all():
        group.press("Enter")
    assert page.locator("section:visible svg").count() > 0
    assert page.locator("section:visible table").count() > 0
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        assert serious_faults(page) == []
