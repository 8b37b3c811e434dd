"""The report of a training: what it says, and its page in a browser."""

from __future__ import annotations

import copy
import html
import math
import random
import re
from types import SimpleNamespace

import pytest

from chainrule.nn import MLP
from chainrule.optim import SGD, LinearLR
from chainrule.training import fit
from chainrule.viz.report import first_neuron
from chainrule.viz.watch import Watch

HOSTILE = "</script><img src=x onerror=alert(1)>\"'&\x00"


def rings(classes, each=20, seed=0):
    """Points on rings, one ring a class."""
    draw = random.Random(seed)
    rows, targets = [], []
    for i in range(classes * each):
        angle, k = draw.uniform(0, 2 * math.pi), i % classes
        rows.append([(k + 0.5) * math.cos(angle), (k + 0.5) * math.sin(angle)])
        targets.append(k)
    return rows, targets


def names(classes, *features, name="rings", std=1.0):
    """What a report is told by a data set."""
    labels = tuple(f"ring {k}" for k in range(classes))
    return SimpleNamespace(
        name=name, feature_names=features, class_names=labels, target_mean=0.0, target_std=std
    )


def watched(model, data, dataset=None, about="", **kwargs):
    """A training of 30 steps, and what watched it."""
    watch = Watch(dataset=dataset, about=about)
    history = fit(model, *data, progress=False, callbacks=[watch], **{"steps": 30, **kwargs})
    return watch, history


@pytest.fixture(scope="module")
def two_rings():
    """Two classes, with held-out examples, gradient descent and L2."""
    random.seed(0)
    model = MLP(2, [8, 1], activation="tanh")
    descent = SGD(model.parameters(), lr=0.5)
    return watched(
        model,
        rings(2),
        names(2, "east", "north"),
        "Two rings, to begin with.",
        optimizer=descent,
        schedule=LinearLR(descent, 1.0, 0.1, 30),
        validation=rings(2, seed=1),
        l2=0.001,
    )


def facts(page, kind):
    """The terms of a list with what stands behind each."""
    (found,) = re.findall(rf'<dl class="{kind}">(.*?)</dl>', page)
    pairs = re.findall(r"<dt>(.*?)</dt><dd>(.*?)</dd>", found)
    return {html.unescape(k): html.unescape(v) for k, v in pairs}


def table(page):
    """The table: its head, and the texts of its rows."""
    rows = re.findall(r"<tr>(.*?)</tr>", page)
    head, *body = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row) for row in rows]
    return head, body


# ---- what it says ----


def test_what_was_trained(two_rings):
    """The report tells of data, task, network, loss, optimiser, steps and seed."""
    page = two_rings[0].to_html()
    assert facts(page, "facts") == {
        "data": "rings: 40 examples to train on, 40 held out",
        "features": "east, north",
        "task": "binary",
        "classes": "ring 0, ring 1",
        "network": "2-8-1 (tanh, 33 parameters)",
        "loss": "hinge, plus 0.001 times the sum of all squared parameters",
        "optimiser": "SGD, learning rate 0.5 to 0.05",
        "steps": "30, each on all 40 examples",
        "seed": "0",
    }
    assert "<p>Two rings, to begin with.</p>" in page
    assert re.search(r"<p>Done: 30 steps in \d+\.\d s\.</p>", page)


def test_the_final_numbers(two_rings):
    """They are those of the history's last row."""
    watch, history = two_rings
    last = history.rows[-1]
    assert facts(watch.to_html(), "numbers") == {
        "training accuracy": f"{100 * last.accuracy:.1f}%",
        "training loss": f"{last.loss:.4g}",
        "held-out accuracy": f"{100 * last.held_out_accuracy:.1f}%",
        "held-out loss": f"{last.held_out_loss:.4g}",
    }


def test_the_table_is_the_history(two_rings):
    """Each step has a row; what was not measured is left empty."""
    watch, history = two_rings
    head, body = table(watch.to_html())
    assert head[:4] == ["step", "loss", "accuracy", "learning rate"]
    assert [int(cells[0]) for cells in body] == list(range(31))
    assert [float(cells[1]) for cells in body] == pytest.approx(history.losses, rel=1e-5)
    held_out = [cells[0] for cells in body if cells[head.index("held-out loss")]]
    assert held_out == [str(k) for k in range(0, 31, 3)]


def test_a_regression_tells_its_error_in_the_unit_of_the_targets():
    """The root mean squared error is that of the predictions, times the targets' deviation."""
    random.seed(0)
    model, data = MLP(1, [1]), ([[0.0], [1.0], [2.0]], [1.0, 2.0, 4.0])
    watch, _ = watched(model, data, names(0, "size", std=10.0))
    errors = [model(x).data - y for x, y in zip(*data)]
    page = watch.to_html()
    shown = float(facts(page, "numbers")["training root mean squared error"])
    assert shown == pytest.approx(10 * math.sqrt(sum(e * e for e in errors) / 3), rel=1e-3)
    assert "accuracy" not in table(page)[0]
    assert "classes" not in facts(page, "facts")


def test_a_loss_with_a_penalty_is_no_mean_square():
    """The root is left out where the loss has more in it than the square."""
    data = [[0.0], [1.0]], [1.0, 2.0]
    watch, _ = watched(MLP(1, [1]), data, l2=0.1, validation=data)
    assert list(facts(watch.to_html(), "numbers")) == [
        "training loss",
        "held-out loss",
        "held-out root mean squared error",
    ]


def test_after_ctrl_c_numbers_say_whose_they_are(two_rings):
    """Of a training that was stopped, the last numbers are those of a step's batch."""
    watch, history = copy.deepcopy(two_rings)
    history.rows, history.finished = history.rows[:8], False
    assert list(facts(watch.to_html(), "numbers")) == [
        "last step's accuracy",
        "last step's loss",
        "step 6, held-out accuracy",
        "step 6, held-out loss",
    ]


def test_early_stopping_is_told():
    """Where the held-out loss rises from the start, the model is that of no step, and so told."""
    X = [[0.0], [1.0]]  # noqa: N806
    model = MLP(1, [1])
    model.load_state_dict({"layers.0.neurons.0.w.0": 0.0, "layers.0.neurons.0.b": 0.0})
    validation = X, [0.0, 0.0]
    watch, history = watched(model, (X, [5.0, 6.0]), validation=validation, patience=3)
    page = watch.to_html()
    steps = history.rows[-1].step
    assert steps < 30
    text = "The model is that of step 0, best on the held-out examples."
    assert re.search(rf"<p>Done: {steps} of 30 steps in \d+\.\d s\. {text}</p>", page)
    assert facts(page, "numbers")["held-out loss"] == "0"


def test_the_first_neuron():
    """It is drawn at the first example that makes it other than 0, from a copy of the model."""
    model = MLP(1, [1], activation=["relu"])
    (weight,), bias = model.layers[0].neurons[0].w, model.layers[0].neurons[0].b
    weight.data, bias.data = 2.0, -1.0
    nodes = {n.label: n for n in first_neuron(model, [[0.25], [3.0], [4.0]], ["size"]).nodes}
    assert (nodes["size"].data, nodes["output"].data) == (3.0, 5.0)
    assert (nodes["layers.0.neurons.0.w.0"].grad, weight.grad) == (3.0, 0.0)


def test_other_models_have_no_first_neuron():
    """What is not an MLP is called by its class."""
    model = MLP(2, [1]).layers[0]
    page = watched(model, rings(2))[0].to_html()
    assert facts(page, "facts")["network"] == "Layer, 3 parameters"
    assert "The first neuron" not in page


def test_long_trainings_make_no_large_page():
    """Of 20,000 steps the table has some 200, the curves no more points than can be seen."""
    random.seed(0)
    model = MLP(1, [1])
    watch, history = watched(model, ([[0.0], [1.0]], [0, 1]), steps=1)
    history.rows = [SimpleNamespace(**_row(k)) for k in range(20_001)]
    page = watch.to_html()
    assert len(page) < 100_000
    steps = [int(cells[0].replace(",", "")) for cells in table(page)[1]]
    assert 200 <= len(steps) <= 212
    assert steps[-1] == 20_000


def _row(step):
    return {
        "step": step,
        "loss": 1.0 + step % 7,
        "accuracy": 0.5,
        "lr": 0.1,
        "held_out_loss": 2.0 if step % 2000 == 0 else None,
        "held_out_accuracy": None,
        "seconds": 0.0,
    }


def test_many_classes_make_no_large_page():
    """Twelve classes in the plane, at twenty moments, are under 500 kB."""
    random.seed(0)
    model = MLP(2, [6, 12], activation="tanh")
    watch, _ = watched(model, rings(12, each=12), steps=20)
    page = watch.to_html()
    assert page.count('class="ch-moment"') > 10
    assert len(page.encode()) < 500_000
    assert facts(page, "facts")["classes"] == ", ".join(map(str, range(12)))


def test_regions_differ_without_colours():
    """Eight classes have eight hatchings, the same where they are sure and where not."""
    random.seed(0)
    page = watched(MLP(2, [4, 8]), rings(8, each=2), steps=1)[0].to_html()
    found = re.findall(r'<pattern id="ch-(base|sure)(\d)".*?d="(.*?)"', page)
    lines = {kind: [d for other, _, d in found if other == kind] for kind in ("base", "sure")}
    assert len(set(lines["base"])) == 8
    assert lines["base"] == lines["sure"]


# ---- in the browser ----


@pytest.fixture
def opened(open_page, tmp_path):
    """A function that opens a report offline."""

    def opened(watch, **options):
        watch.save(tmp_path / "report.html")
        return open_page(tmp_path / "report.html", **options)

    return opened


def visible(page):
    """The updates of the moments that are seen."""
    return page.locator(".ch-moment:visible").evaluate_all(
        "found => found.map(moment => Number(moment.dataset.updates))"
    )


def test_moments_by_keyboard(opened, two_rings):
    """The slider goes through the moments, one seen at a time; line and cursor go with it."""
    watch, history = two_rings
    page = opened(watch)
    slider, told = page.get_by_role("slider", name="Moment of the training"), page.locator(".told")
    assert visible(page) == [30]
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    assert slider.evaluate("slider => slider === document.activeElement")
    for key, step in [("Home", 0), ("ArrowRight", 1), ("ArrowRight", 2), ("End", 30)]:
        page.keyboard.press(key)
        assert visible(page) == [step]
        row = history.rows[step]
        line = f"step {step:2}/30  loss {row.loss:.4f}  accuracy {100 * row.accuracy:.1f}%"
        assert told.inner_text().startswith(line)
        assert slider.get_attribute("aria-valuetext") == told.inner_text()
        assert cursor_step(page) == pytest.approx(step, abs=0.1)


def cursor_step(page):
    """The step at which the cursor stands, by the first and the last tick of the axis."""
    ticks = page.locator(".curves text[text-anchor=middle]")
    first, last = (
        float(ticks.get_by_text(text, exact=True).get_attribute("x")) for text in ("0", "30")
    )
    (place,) = re.findall(r"[\d.]+", page.locator(".ch-cursor").get_attribute("transform"))
    return 30 * (float(place) - first) / (last - first)


def test_play_and_pause(opened, two_rings):
    """Playing begins anew at the end, can be paused and gone on with, and stops at the last."""
    page = opened(two_rings[0])
    page.clock.install(time=0)
    page.clock.pause_at(1000)  # from here on, time is what the test says
    page.get_by_role("button", name="Play").press(" ")
    assert visible(page) == [0]
    page.clock.run_for(900)
    assert visible(page) == [2]
    page.get_by_role("button", name="Pause").click()
    page.clock.run_for(2000)
    assert visible(page) == [2]
    page.get_by_role("button", name="Play").click()
    page.clock.run_for(60_000)
    assert visible(page) == [30]
    assert page.get_by_role("button", name="Play").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_accessibility_fault(opened, serious_faults, two_rings, scheme):
    """axe finds nothing serious, at the end and amid the moments."""
    page = opened(two_rings[0], color_scheme=scheme)
    assert serious_faults(page) == []
    page.get_by_role("slider").fill("3")
    assert serious_faults(page) == []


def test_without_javascript(opened, two_rings):
    """The last moment is seen, and no slider that would do nothing."""
    page = opened(two_rings[0], java_script_enabled=False)
    assert page.get_by_role("slider").is_hidden()
    assert page.locator(".ch-moment").last.is_visible()
    assert page.locator(".ch-moment").first.is_hidden()


def test_hostile_names_are_text(opened):
    """Markup, quotes and control characters in names and sentences are shown; nothing runs."""
    random.seed(0)
    dataset = names(3, HOSTILE, "y" * 10_000, name=HOSTILE)
    dataset.class_names = (HOSTILE, "z" * 10_000, "a\nb")
    watch, _ = watched(MLP(2, [4, 3]), rings(3), dataset, HOSTILE, steps=3)
    page = opened(watch)
    assert page.locator("img").count() == 0
    assert page.get_by_role("heading", level=1).inner_text().startswith("</script><img")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert cut_off(page) == []


def test_no_text_is_cut_off(opened, two_rings):
    """On a wide screen and on a narrow one each text lies within its chart, and none on another."""
    for width in (1200, 380):
        page = opened(two_rings[0], viewport={"width": width, "height": 800})
        assert cut_off(page) == []
        assert overlapping(page) == []
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def cut_off(page):
    """The texts that leave their charts."""
    return page.locator("figure > svg").evaluate_all(
        """charts => charts.flatMap(chart => {
            const outer = chart.getBoundingClientRect();
            return [...chart.querySelectorAll("text")].filter(text => {
                const box = text.getBoundingClientRect();
                return box.left < outer.left || box.right > outer.right + 0.5
                    || box.top < outer.top || box.bottom > outer.bottom + 0.5;
            }).map(text => text.textContent);
        })"""
    )


def overlapping(page):
    """The pairs of texts in one chart that lie on each other."""
    return page.locator("figure > svg").evaluate_all(
        """charts => charts.flatMap(chart => {
            const texts = [...chart.querySelectorAll("text")];
            const boxes = texts.map(text => text.getBoundingClientRect());
            return texts.flatMap((text, i) => texts.slice(i + 1).filter((_, j) => {
                const [a, b] = [boxes[i], boxes[i + 1 + j]];
                return a.left < b.right && b.left < a.right && a.top + 3 < b.bottom - 3
                    && b.top + 3 < a.bottom - 3;
            }).map(other => [text.textContent, other.textContent]));
        })"""
    )
