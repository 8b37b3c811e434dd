"""The explorer: its steps as Python computes them, and the page in a browser."""

import json
import re

import pytest
from hypothesis import given
from strategies import expressions

import chainrule
from chainrule import TABLE, Value, explore, nn
from chainrule.errors import ArgumentError, ChangedDataError
from chainrule.viz import replay, spelled, states


def neuron():
    """The neuron of the lecture, with its labels; no gradient has been computed."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    x1w1, x2w2 = x1 * w1, x2 * w2
    x1w1.label, x2w2.label = "x1*w1", "x2*w2"
    n = x1w1 + x2w2 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    return o


def product_and_sum():
    """The lecture's example of two leaves that are used twice: (a * b) * (a + b)."""
    a, b = Value(-2.0, label="a"), Value(3.0, label="b")
    f = (a * b) * (a + b)
    f.label = "f"
    return f


def shared_inner():
    """f = g + g * g with g = 3 a, where df/da = 3 (1 + 2 g) = 39 at a = 2."""
    a = Value(2.0, label="a")
    g = 3 * a
    g.label = "g"
    f = g + g * g
    f.label = "f"
    return f


def engine_gradients(output):
    """The gradient of every value by the engine, from 0, in the order of the cells."""
    values = [x for x in chainrule.engine.operands_first(output) if x.op != "constant"]
    for value in values:
        value.grad = 0.0
    output.backward()
    return [value.grad for value in values]


def replayed_gradients(cells, steps):
    """The gradients after some steps, without those of constants."""
    last = steps[-1].gradients if steps else replay.start(cells)
    return [x for x, cell in zip(last, cells) if cell.op != "constant"]


def by_name(cells, steps):
    """The gradient of each cell at the end, by the cell's name."""
    return {cell.name: x for cell, x in zip(cells, steps[-1].gradients)}


def of(expression):
    """The value of a random expression."""
    return expression.evaluate([Value(x) for x in expression.leaves], TABLE)


# ---- the steps ----


@given(expressions(max_steps=40))
def test_gradients_are_the_engines(expression):
    """At the end of the right way, all gradients are those of backward(), bit for bit."""
    output = of(expression)
    cells = replay.read(output)
    found = replayed_gradients(cells, replay.in_order(cells))
    assert list(map(repr, found)) == list(map(repr, engine_gradients(output)))


@given(expressions(max_steps=40))
def test_the_right_order(expression):
    """Every op passes on once, when no more gradients come to its value; at the end none wait."""
    cells = replay.read(of(expression))
    steps = replay.in_order(cells)
    assert sorted(step.place for step in steps) == [i for i, x in enumerate(cells) if x.operands]
    assert [step.missing for step in steps if step.missing] == []
    assert all(count == 0 for step in steps[-1:] for count in step.waiting)


@given(expressions(max_steps=40))
def test_a_complete_gradient_is_final(expression):
    """Once no more gradients come to a value, its gradient is the engine's."""
    cells = replay.read(of(expression))
    steps = replay.in_order(cells)
    for step in steps:
        for i, count in enumerate(step.waiting):
            assert count or repr(step.gradients[i]) == repr(steps[-1].gradients[i])


@given(expressions(max_steps=40))
def test_too_early_is_too_early(expression):
    """In the wrong order each op passes on once, too early just if its value has several users."""
    cells = replay.read(of(expression))
    users = [{i for i, cell in enumerate(cells) if k in cell.operands} for k in range(len(cells))]
    steps = replay.too_early(cells)
    assert sorted(step.place for step in steps) == [i for i, x in enumerate(cells) if x.operands]
    for step in steps:
        assert (step.missing > 0) == (len(users[step.place]) > 1)


def test_assignment_loses_a_gradient():
    """With = for +=, a + a gives a gradient of 1; right is 2."""
    a = Value(3.0, label="a")
    cells = replay.read(a + a)
    assert by_name(cells, replay.in_order(cells))["a"] == 2.0
    assert by_name(cells, replay.in_order(cells, adds=False))["a"] == 1.0


def test_assignment_in_the_lectures_example():
    """(a * b) * (a + b) at -2 and 3: right are -3 and -8; with = what came last remains."""
    cells = replay.read(product_and_sum())
    right, wrong = replay.in_order(cells), replay.in_order(cells, adds=False)
    assert {name: by_name(cells, right)[name] for name in "ab"} == {"a": -3.0, "b": -8.0}
    assert {name: by_name(cells, wrong)[name] for name in "ab"} == {"a": 3.0, "b": -2.0}


def test_passing_on_too_early_loses_gradients():
    """g = 3 a passes on 1 of its 13: a gets 3 instead of 39."""
    cells = replay.read(shared_inner())
    assert by_name(cells, replay.in_order(cells)) == by_name(cells, replay.in_order(cells)) | {
        "a": 39.0,
        "g": 13.0,
    }
    early = replay.too_early(cells)
    assert by_name(cells, early)["a"] == 3.0
    assert by_name(cells, early)["g"] == 13.0
    assert [(cells[step.place].name, step.missing) for step in early if step.missing] == [("g", 2)]


def test_an_operand_that_was_not_chosen():
    """What relu does not choose is passed nothing, though the gradient from above be infinite."""
    cells = replay.read(Value(-1.0, label="a").relu().sqrt())
    share = replay.in_order(cells)[-1].shares[0]
    assert share.amount is None
    assert by_name(cells, replay.in_order(cells))["a"] == 0.0


def test_a_single_leaf():
    """A leaf alone has a gradient of 1 and nothing to pass on."""
    shown = states.show(replay.read(Value(3.0, label="a")))
    assert [len(way["steps"]) for way in shown["ways"]] == [2, 2, 2]
    assert shown["texts"][shown["ways"][0]["steps"][-1]["grad"][0]] == ("1.0000", "1.0")


# ---- what is told ----


def test_the_chain_rule_is_spelled_out():
    """Through tanh: the rule, its formula in names and in numbers, the product, and the sum."""
    cells = replay.read(neuron())
    step = replay.in_order(cells)[0]
    assert spelled.backward(cells, step, step.shares[0], adds=True) == [
        ("chain rule", "n.grad += o.grad * d(o)/d(n)"),
        ("derivative", "d(o)/d(n) = 1 - o * o = 1 - 0.707107 * 0.707107 = 0.5"),
        ("product", "1 * 0.5 = 0.5"),
        ("added up", "n.grad: 0 -> 0 + 0.5 = 0.5"),
    ]


def test_conditions_are_settled():
    """A condition on a number of the expression is left out, one on a value is decided after it."""
    cells = replay.read(Value(-7.0, label="a") ** 2)
    (step,) = replay.in_order(cells)
    rule = dict(spelled.backward(cells, step, step.shares[0], adds=True))["derivative"]
    assert rule == "d(v1)/d(a) = 2 * a ** (2 - 1) = 2 * (-7) ** (2 - 1) = -14"
    cells = replay.read(Value(3.0, label="a").relu())
    (step,) = replay.in_order(cells)
    rule = dict(spelled.backward(cells, step, step.shares[0], adds=True))["derivative"]
    assert rule == "d(v1)/d(a) = where(v1 <= 0, 0, 1) = 1"


def test_accumulation_is_shown_adding_up():
    """The sums on the way to a gradient stay in sight; with = what is lost is named."""
    a = Value(3.0, label="a")
    cells = replay.read(a + a)
    (right,), (wrong,) = replay.in_order(cells), replay.in_order(cells, adds=False)
    kind, line = spelled.backward(cells, right, right.shares[1], adds=True)[-1]
    assert (kind, line) == ("added up", "a.grad: 0 -> 1 -> 1 + 1 = 2")
    kind, line = spelled.backward(cells, wrong, wrong.shares[1], adds=False)[-1]
    assert (kind, line) == ("kept", "a.grad: 1 -> 1; the 1 that stood there is lost")


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_row_can_be_spelled_out(row):
    """Each op's rules are filled with names and with numbers, and read as Python."""
    point = (*row.probes, (1.0,) * len(row.operands))[0]
    leaves = [Value(x, label=f"in{i}") for i, x in enumerate(point)]
    cells = replay.read(row(*leaves))
    (step,) = replay.in_order(cells)
    lines = spelled.forward(cells, step.place)
    for share in step.shares:
        lines += spelled.backward(cells, step, share, adds=True)
    formulas = [part for kind, line in lines if kind == "in numbers" for part in line.split(" = ")]
    assert all(compile(part, row.name, "eval") for part in formulas)
    assert not any(re.search(r"\b[abcy]\b", part) for part in formulas)


def test_names_are_told_apart():
    """Values without label are numbered, and a label of several values has numbers too."""
    a, other = Value(1.0, label="a"), Value(2.0, label="a")
    taken = Value(3.0, label="v1")
    names = [cell.name for cell in replay.read((a + other) * taken)]
    assert sorted(names) == ["a_1", "a_2", "v1", "v2", "v3"]


def test_labels_that_are_expressions_stand_in_brackets():
    """The lecture labels a product "x1*w1": in a formula it cannot be misread."""
    cells = replay.read(neuron())
    steps = {cells[step.place].name: step for step in replay.in_order(cells)}
    (rule, *_) = spelled.backward(cells, steps["x1*w1"], steps["x1*w1"].shares[0], adds=True)
    assert rule == ("chain rule", "x1.grad += (x1*w1).grad * d(x1*w1)/d(x1)")


def test_parameters_carry_their_paths(tmp_path):
    """Of a model's parameters those without a label are called by their paths, in every step."""
    model = nn.MLP(2, [1], activation="tanh")
    neuron = model.layers[0].neurons[0]
    neuron.b.label = "bias"
    explorer = explore(model([Value(1.0, "x"), 2.0]), model=model)
    explorer.save(tmp_path / "x.html")
    page = (tmp_path / "x.html").read_text(encoding="utf-8")
    assert "layers.0.neurons.0.w.0.grad += " in page
    assert ">layers.0.neurons.0.w.1<" in json.loads(shown(page))["picture"]
    assert {"layers.0.neurons.0.w.0", "bias", "x"} < set(json.loads(shown(page))["names"])
    assert [p.label for p in model.parameters()] == ["", "", "bias"]
    with pytest.raises(ArgumentError, match="the model must be a Module, not Value"):
        explore(neuron.b, model=neuron.b)


def shown(page):
    """What a page holds to show, as JSON."""
    return page.partition('id="show">')[2].partition("</script>")[0]


# ---- what is refused, and what is left alone ----


def test_large_graphs_are_refused():
    """Of more than 200 values nothing is shown, and the message says what to do."""
    total = Value(0.0)
    for _ in range(100):
        total = total + Value(1.0)
    with pytest.raises(ArgumentError, match=r"up to 200 .*not 201.*fold"):
        explore(total)


def test_other_things_are_refused(tmp_path):
    """Only values are explored, and only pages are saved."""
    with pytest.raises(ArgumentError, match="takes a Value, not float"):
        explore(1.0)
    with pytest.raises(ArgumentError, match=r"as \.html, not as '\.svg'"):
        explore(neuron()).save(tmp_path / "x.svg")


def test_changed_data_is_refused():
    """After an assignment the arithmetic would not be that of the forward pass."""
    a = Value(3.0)
    square = a * a
    a.data = 4.0
    with pytest.raises(ChangedDataError, match="build the expression again"):
        explore(square)


def test_gradients_of_the_values_stay(tmp_path):
    """Exploring neither reads nor changes the gradients that the values have."""
    output = neuron()
    output.operands[0].grad = 5.0
    explore(output).save(tmp_path / "x.html")
    assert output.operands[0].grad == 5.0
    assert output.grad == 0.0


def test_a_compiled_value_has_numbers_only():
    """An op without a row is shown with its derivatives, without formula."""
    a = Value(3.0, label="a")
    output = chainrule.lookup([a, Value(4.0, label="b")])[0] * 2
    cells = replay.read(output)
    assert by_name(cells, replay.in_order(cells))["a"] == 2.0
    assert states.show(cells)["names"]


def test_what_is_shown_is_set_in_python():
    """The step, the way and whether it plays are set by names and numbers that are checked."""
    explorer = explore(neuron())
    assert (explorer.step, explorer.way, explorer.playing) == (1, "in order", False)
    assert len(explorer) == 13  # the leaves, 5 ops forward, the start, 5 ops backward, the end
    explorer.step, explorer.way, explorer.playing = 13, "too early", True
    assert repr(explorer) == "<Explorer of o: step 13 of 13, too early>"
    assert explorer.playing
    for step in (0, 14, 1.5, "2", None):
        with pytest.raises(ArgumentError, match=r"step must be a whole number from 1 to 13, not "):
            explorer.step = step
    with pytest.raises(ArgumentError, match=r"no way .*'early'; there are in order, too early, ="):
        explorer.way = "early"
    assert (explorer.step, explorer.way) == (13, "too early")


@given(expressions(max_steps=40))
def test_all_ways_are_of_one_length(expression):
    """Whichever way is taken, there are as many steps, so that one can change it amid them."""
    cells = replay.read(of(expression))
    shown = states.show(cells)
    lengths = [len(shown["forward"]) + len(way["steps"]) for way in shown["ways"]]
    assert lengths == [states.length(cells)] * 3


def test_pages_are_of_moderate_size():
    """The neuron's page is small, and that of the most values is under 2 MB."""
    total = Value(0.0)
    for i in range(66):
        total = (total + Value(i / 10)).tanh()
    assert len(explore(neuron()).to_html()) < 60_000
    assert len(explore(total).to_html()) < 2_000_000


# ---- in the browser ----


@pytest.fixture
def opened(open_page, tmp_path):
    """A function that opens an explorer's page."""

    def open_explorer(output, **options):
        explore(output).save(tmp_path / "explorer.html")
        return open_page(tmp_path / "explorer.html", **options)

    return open_explorer


def rows(page):
    """The table of the page: data, gradient and state of each value."""
    read = "rows => rows.map(r => [r.dataset.name, ...[...r.cells].slice(2).map(c => c.innerText)])"
    return {name: cells for name, *cells in page.locator("tr[data-name]").evaluate_all(read)}


def boxed(page, name):
    """The gradient that stands in the picture, in the box of a value."""
    box = page.locator(
        "[data-value]", has=page.locator(".cr-label", has_text=re.compile(f"^{re.escape(name)}$"))
    )
    return box.locator(".cr-grad").inner_html()


def test_the_neuron_by_keyboard(opened):
    """At each step the gradients are the engine's where they are complete, and 0 where not."""
    output = neuron()
    page = opened(output)
    names = [cell.name for cell in replay.read(output)]
    engine = dict(zip(names, map(repr, engine_gradients(output))))
    complete = []
    for _ in range(5):  # the values that ops compute
        page.keyboard.press("ArrowRight")
        assert {grad for _, grad, _ in rows(page).values()} == {"0.0"}
    for _ in range(7):  # the start, the ops, the end
        page.keyboard.press("ArrowRight")
        table = rows(page)
        done = {name for name, (_, _, mark) in table.items() if "waits" not in mark}
        for name, (_, grad, _) in table.items():
            assert grad == (engine[name] if name in done else "0.0")
            assert boxed(page, name) == f"{float(grad):.4f}"
        complete.append(len(done))
    assert complete == [1, 2, 4, 6, 8, 10, 10]
    assert engine | {"x1": "-1.5", "w1": "1.0", "x2": "0.5", "w2": "0.0"} != engine  # rounding
    assert {k: round(float(engine[k]), 12) for k in ("x1", "w1", "x2", "w2")} == {
        "x1": -1.5,
        "w1": 1.0,
        "x2": 0.5,
        "w2": 0.0,
    }


def test_keys_and_controls(opened):
    """Arrows, Home, End, the slider and the buttons all go to the step that they say."""
    page = opened(neuron())
    count, slider = page.locator(".cx-count"), page.get_by_role("slider", name="Step")
    seen = [count.inner_text()]
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home"):
        page.keyboard.press(key)
        seen.append(count.inner_text())
    assert [int(text.split()[2]) for text in seen] == [1, 2, 3, 2, 13, 13, 1]
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert count.inner_text() == "forward, step 2 of 13"
    slider.fill("9")
    assert count.inner_text() == "backward, step 9 of 13"
    page.get_by_role("button", name="Step back").click()
    assert count.inner_text() == "backward, step 8 of 13"
    page.get_by_role("button", name="Last step").press(" ")  # the button's own use of the key
    assert count.inner_text() == "backward, step 13 of 13"
    page.get_by_role("button", name="too early").click()
    page.keyboard.press("ArrowLeft")  # though the button has the focus
    assert count.inner_text() == "backward, step 12 of 13"


def test_play_and_pause(opened):
    """Space plays, one step at a time, and pauses; at the end the playing stops."""
    page = opened(neuron())
    page.clock.install()
    count = page.locator(".cx-count")
    page.keyboard.press(" ")
    page.clock.run_for(3100)
    assert count.inner_text() == "forward, step 4 of 13"
    assert page.get_by_role("button", name="Pause").is_visible()
    page.keyboard.press(" ")
    page.clock.run_for(10_000)
    assert count.inner_text() == "forward, step 4 of 13"
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(60_000)
    assert count.inner_text() == "backward, step 13 of 13"
    assert page.get_by_role("button", name="Play").is_visible()


def test_a_page_opens_where_its_explorer_stands(open_page, tmp_path):
    """The step and the way that were set in Python are what a saved page shows first."""
    explorer = explore(shared_inner())
    explorer.step, explorer.way = len(explorer), "too early"
    explorer.save(tmp_path / "explorer.html")
    page = open_page(tmp_path / "explorer.html")
    assert page.locator(".cx-count").inner_text() == "backward, step 9 of 9"
    assert page.locator("[aria-pressed=true]").inner_text() == "too early"
    assert rows(page)["a"][1] == "3.0"


@pytest.mark.parametrize(
    ("output", "way", "gradients"),
    [
        (product_and_sum, "= for +=", {"a": "3.0", "b": "-2.0"}),
        (product_and_sum, "in order", {"a": "-3.0", "b": "-8.0"}),
        (shared_inner, "too early", {"a": "3.0", "g": "13.0"}),
    ],
)
def test_the_ways(opened, output, way, gradients):
    """The page shows where each way leads, and says what is wrong with it."""
    page = opened(output())
    page.get_by_role("button", name=way).click()
    page.get_by_role("button", name="Last step").click()
    table = rows(page)
    assert {name: table[name][1] for name in gradients} == gradients
    story = page.locator("[aria-live=polite]").inner_text()
    assert ("Wrong: a.grad is 3, right is" in story) == (way != "in order")
    assert table["a"][2].startswith("right: ") == (way != "in order")


def test_hostile_labels_are_text(opened):
    """Markup, quotes and ends of scripts in a label are shown, and nothing of them runs."""
    hostile = "</script><img src=x onerror=alert(1)>"
    a = Value(2.0, label=hostile)
    b = Value(float("nan"), label="'\"`${alert(1)}&lt;\u2028\x00")
    page = opened((a * b).exp() + a)
    page.keyboard.press("End")
    assert page.locator("img").count() == 0
    assert page.locator("tr[data-name] th").first.inner_text()[:20] == hostile[:20]
    assert any(grad == "nan" for _, grad, _ in rows(page).values())


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_fault(opened, serious_faults, scheme):
    """axe finds nothing serious at the start, amid either phase, and at any way's end."""
    page = opened(shared_inner(), color_scheme=scheme, reduced_motion="reduce")
    for way in ("in order", "too early", "= for +="):
        page.get_by_role("button", name=way).click()
        for step in (1, 3, 6, 9):
            page.get_by_role("slider").fill(str(step))
            assert serious_faults(page) == []


def test_render_returns_its_clean_up(opened):
    """What render() returns takes everything away, and no key does anything afterwards."""
    page = opened(neuron())
    source = (states.__file__.rpartition("/")[0]) + "/static/explorer.js"
    with open(source, encoding="utf-8") as file:
        page.add_script_tag(type="module", content=f"{file.read()}\nwindow.render = render;")
    left = page.evaluate(
        """async show => {
            const root = document.createElement("div");
            document.body.replaceChildren(root);
            const stop = render(root, show);
            const filled = root.querySelectorAll("tr").length;
            const press = () => !root.dispatchEvent(
                new KeyboardEvent("keydown", {key: "End", cancelable: true}));
            const before = press();
            stop();
            return [filled, before, root.childNodes.length, press()];
        }""",
        json.loads(json.dumps(states.show(replay.read(neuron())))),
    )
    assert left == [11, True, 0, False]
