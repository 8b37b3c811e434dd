"""Watch: what it shows while training runs, when, and what it leaves alone."""

from __future__ import annotations

import json
import math
import random
import re
import signal
from itertools import pairwise
from types import SimpleNamespace
from xml.etree import ElementTree

import lab
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chainrule import Value
from chainrule.errors import ArgumentError, TrainingError
from chainrule.nn import MLP, Module
from chainrule.optim import SGD
from chainrule.training import fit
from chainrule.viz import charts, curves, watch
from chainrule.viz.decisions import spread
from chainrule.viz.regions import SIDE, Plane, outlines, regions
from chainrule.viz.watch import Watch

SVG = "{http://www.w3.org/2000/svg}"


def points(count, seed=0):
    """Points of a square, of class 1 above its diagonal."""
    draw = random.Random(seed)
    rows = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(count)]
    return rows, [int(x2 > x1) for x1, x2 in rows]


def trained(*callbacks, count=12, **kwargs):
    """A network after a short training, with callbacks."""
    random.seed(0)
    model = MLP(2, [3, 1])
    kwargs = {"steps": 6, "progress": False, "eager": True, **kwargs}
    fit(model, *points(count), callbacks=callbacks, **kwargs)
    return model


class Screen:
    """A place in a notebook that keeps what it is given."""

    def __init__(self):
        self.shown = []

    def update(self, data, raw):
        assert raw
        self.shown.append(data)


@pytest.fixture
def screen(monkeypatch):
    """What a notebook would show."""
    screen = Screen()
    monkeypatch.setattr(watch, "_screen", lambda: screen)
    return screen


@pytest.fixture
def clock(monkeypatch):
    """The time as the watch sees it; a test moves it on."""
    clock = SimpleNamespace(now=0.0)
    clock.perf_counter = lambda: clock.now
    monkeypatch.setattr(watch, "time", clock)
    return clock


def titles(screen):
    """The steps that pictures were of."""
    return [re.match(r"step +(\d+)/", data["text/plain"])[1] for data in screen.shown]


# ---- outlines ----


def inside(loops, point):
    """Whether a point lies inside of an odd number of loops, by a ray to the right."""
    x, y = point
    crossings = 0
    for loop in loops:
        for (x1, y1), (x2, y2) in zip(loop, [*loop[1:], loop[0]]):
            if (y1 > y) != (y2 > y) and x < x1 + (y - y1) / (y2 - y1) * (x2 - x1):
                crossings += 1
    return crossings % 2 == 1


height = st.floats(-10, 10).filter(lambda x: abs(x) > 1e-3)


@given(st.lists(st.lists(height, min_size=6, max_size=6), min_size=6, max_size=6))
def test_outlines_part_high_from_low(heights):
    """Inside the outlines are the points of the grid whose heights are positive, and no others."""
    loops = outlines(heights)
    for r in range(1, 5):
        for c in range(1, 5):
            assert inside(loops, (c, r)) == (heights[r][c] > 0)


@given(st.lists(st.lists(height, min_size=4, max_size=4), min_size=4, max_size=4))
def test_outlines_reach_the_end_of_the_grid(heights):
    """The area inside is that of all cells, where every height is positive, and never more."""
    everywhere = [[abs(h) for h in row] for row in heights]
    assert area(outlines(everywhere)) == pytest.approx(9.0)
    assert 0.0 <= area(outlines(heights)) <= 9.0


def area(loops):
    """The area inside of loops that run around it one way and around its holes the other."""
    corners = [pair for loop in loops for pair in zip(loop, [*loop[1:], loop[0]])]
    return abs(sum(x1 * y2 - x2 * y1 for (x1, y1), (x2, y2) in corners)) / 2


def test_outline_of_a_ring():
    """Between circles of radius 5 and 10 the area is 75 pi, as near as straight lines come."""
    grid = [[(12.0 - x) ** 2 + (12.0 - y) ** 2 for x in range(25)] for y in range(25)]
    found = outlines([[min(100.0 - s, s - 25.0) for s in row] for row in grid])
    assert len(found) == 2
    assert area(found) == pytest.approx(75 * math.pi, rel=0.01)
    radii = sorted({round(math.hypot(x - 12, y - 12)) for loop in found for x, y in loop})
    assert radii == [5, 10]


def loops_of(path):
    """The points of a path of relative lines."""
    loops = []
    for part in re.findall(r"M([^z]+)z", path):
        start, _, steps = part.partition("l")
        x, y = map(int, start.split())
        loop = [(x, y)]
        for dx, dy in re.findall(r"(-?\d+) (-?\d+)", steps):
            x, y = x + int(dx), y + int(dy)
            loop.append((x, y))
        loops.append(loop)
    return loops


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_regions_of_classes(classes):
    """Painted one over the other, the regions give each point the class of its highest score."""
    draw = random.Random(classes)
    planes = [[draw.uniform(-3, 3) for _ in range(3)] for _ in range(classes)]
    scores = lambda x, y: [a * x + b * y + c for a, b, c in planes]
    found = regions([scores(x, y) for x, y in Plane((-1, 1), (-1, 1)).grid()], 100)
    upward, sure = ([loops_of(path) for path in paths] for paths in (found.upward, found.sure))
    for _ in range(300):
        x, y = draw.uniform(-1, 1), draw.uniform(-1, 1)
        here = (x + 1) * 500, (1 - y) * 500
        given = scores(x, y)
        best, second = sorted(given)[:-3:-1]
        if best - second > 0.3:  # away from corners of three regions
            top = max([0, *[k for k, loops in enumerate(upward, 1) if inside(loops, here)]])
            assert top == given.index(best)
        if abs(best - second - 1) > 0.3:
            covered = [k for k, loops in enumerate(sure) if inside(loops, here)]
            assert covered == ([given.index(best)] if best - second > 1 else [])


def test_one_score_is_of_two_classes():
    """Where the score is positive the second class is said, and it is sure from 1 on."""
    scores = [4.0 * x for x, _ in Plane((-1, 1), (-1, 1)).grid()]
    found = regions(scores, 100)
    (loop,) = loops_of(found.upward[0])
    assert {round(x, -1) for x, _ in loop} == {500, 1000}
    assert [sorted({round(x) for x, _ in loops_of(p)[0]}) for p in found.sure] == [
        [0, 375],
        [625, 1000],
    ]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, 1e300])
def test_scores_that_are_not_finite(score):
    """A model that went wrong says something or nothing everywhere, and its picture is made."""
    found = regions([score] * SIDE**2, 100)
    assert loops_of(found.upward[0]) == (
        [[(1000, 1000), (0, 1000), (0, 0), (1000, 0)]] if score > 0 else []
    )


# ---- curves ----


def row(step, loss, held_out=None, accuracy=None, lr=0.1):
    return SimpleNamespace(
        step=step,
        loss=loss,
        accuracy=accuracy,
        lr=lr,
        held_out_loss=held_out,
        held_out_accuracy=accuracy if held_out is not None else None,
        seconds=step * 0.1,
    )


def drawn(rows):
    """The picture of a history, as an element."""
    parts, height = curves.curves(rows)
    return ElementTree.fromstring(charts.document(curves.WIDTH, height, "title", parts))


def line(picture, kind, number=0):
    """The points of a line in a picture."""
    found = [x for x in picture.iter(f"{SVG}path") if f"ch-line ch-{kind}" in x.get("class", "")]
    data = found[1 + number].get("d") if kind != "rate" else found[number].get("d")
    return [tuple(map(float, point.split())) for point in data[1:].split("L")]


def test_curves_stand_where_their_numbers_are():
    """Steps are evenly spaced; the highest loss stands highest, and half of it half as high."""
    picture = drawn([row(0, 4.0), row(1, 2.0), row(2, 3.0)])
    (x0, y0), (x1, y1), (x2, y2) = line(picture, "train")
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.1)
    assert (y1 - y0) == pytest.approx(2 * (y2 - y0), abs=0.2)
    assert y0 < y2 < y1


def test_a_loss_that_falls_far_is_logarithmic():
    """From 1 to 0.01 the way down is as long in each of its tenths."""
    picture = drawn([row(0, 1.0), row(1, 0.1), row(2, 0.01)])
    (_, y0), (_, y1), (_, y2) = line(picture, "train")
    assert y1 - y0 == pytest.approx(y2 - y1, abs=0.2)
    texts = [text.text for text in picture.iter(f"{SVG}text")]
    assert sorted(set(texts) & {"0.01", "0.1", "1"}) == ["0.01", "0.1", "1"]


anything = st.floats(allow_nan=True, allow_infinity=True)
finite = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(st.tuples(finite, st.none() | anything, st.none() | st.floats(0, 1)), max_size=9))
def test_curves_of_any_numbers_stay_in_the_picture(numbers):
    """Whatever the losses, every point of every line lies in the picture."""
    picture = drawn([row(i, *n[:2], accuracy=n[2], lr=abs(n[0])) for i, n in enumerate(numbers)])
    width, tall = float(picture.get("width")), float(picture.get("height"))
    for path in picture.iter(f"{SVG}path"):
        for x, y in re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.get("d")):
            assert 0 <= float(x) <= width
            assert 0 <= float(y) <= tall
    assert "nan" not in "".join(path.get("d") for path in picture.iter(f"{SVG}path"))


@given(st.lists(finite, min_size=1, max_size=2000))
def test_thinned_lines_keep_what_stands_out(losses):
    """Of any number of points at most 400 are drawn, in order, the lowest and highest with them."""
    line = list(enumerate(losses))
    kept = curves.thinned(line)
    assert len(kept) <= 400
    assert list(kept) == sorted(set(kept) & set(line))
    assert {min(y for _, y in kept), max(y for _, y in kept)} == {min(losses), max(losses)}


@pytest.mark.parametrize("seed", range(20))
def test_ticks(seed):
    """Ticks lie on the axis, are few, and differ by 1, 2 or 5 times a power of ten."""
    draw = random.Random(seed)
    low = draw.uniform(-1, 1) * 10 ** draw.uniform(-6, 6)
    high = low + 10 ** draw.uniform(-3, 6)
    ticks = charts.Scale(low, high, 0.0, 1.0).ticks(6)
    assert 2 <= len(ticks) <= 6
    assert all(low - 1e-6 * (high - low) <= x <= high + 1e-6 * (high - low) for x in ticks)
    step = f"{ticks[1] - ticks[0]:.3e}"
    assert step[:5] in ("1.000", "2.000", "5.000")


# ---- while it runs ----


def test_the_picture_is_renewed_while_training_runs(screen, clock):
    """It is shown before the first step, then with time, and once more at the end."""

    def pass_time(_):
        clock.now += 0.1

    trained(pass_time, Watch(), steps=9)
    assert titles(screen) == ["0", "2", "5", "8", "9"]
    final = ElementTree.fromstring(screen.shown[-1]["image/svg+xml"])
    assert len(line(final, "train")) == 10
    assert final.get("aria-label").startswith("step 9/9  loss ")
    assert len([x for x in final.iter() if x.get("class") == "ch-moment"]) == 1


def test_the_picture_takes_a_tenth_of_the_time(screen, clock, monkeypatch):
    """However long drawing takes, pictures but for the first and last take a tenth of the time."""
    picture = watch._picture

    def slow(record):
        clock.now += 1.0
        return picture(record)

    def pass_time(_):
        clock.now += 0.1

    monkeypatch.setattr(watch, "_picture", slow)
    trained(pass_time, Watch(), steps=400)
    assert 0.05 * clock.now <= len(screen.shown) - 2 <= 0.1 * clock.now


def test_outside_of_notebooks_nothing_is_shown(capsys):
    """In a script a watch prints nothing and computes no picture."""
    watching = Watch()
    trained(watching)
    assert capsys.readouterr() == ("", "")
    assert watching._repr_svg_().startswith("<svg")


def test_moments_are_what_was_said_then():
    """What is shown of a moment is what the model says with the parameters it had then."""
    states = {}
    watching = Watch()
    model = trained(lambda s: states.update({s.step + 1: s.model.state_dict()}), watching, steps=6)
    decisions, final = watching._record.decisions, model.state_dict()
    moments = dict(decisions.moments())
    assert sorted(moments) == [0, 1, 2, 3, 4, 5, 6]
    assert model.state_dict() == final == states[6]
    model.load_state_dict(states[3])
    assert decisions.now() == moments[3]
    assert moments[3] != moments[6]


@given(st.integers(1, 10**7))
def test_moments_are_spread(steps):
    """They are some twenty, the first and last with them, at growing distances."""
    found = sorted(spread(steps))
    assert found[0] == 0
    assert found[-1] == steps
    assert len(found) <= 20
    gaps = [b - a for a, b in pairwise(found)]
    assert all(b >= a - 1 for a, b in pairwise(gaps))


def test_drawing_slowly_shows_fewer_moments(monkeypatch):
    """Where a moment takes long there are fewer of them; the last stays."""
    watching = Watch()
    trained(watching)
    clock = SimpleNamespace(perf_counter=iter([0.0, 4.0]).__next__)
    monkeypatch.setattr("chainrule.viz.decisions.time", clock)
    assert [k for k, _ in watching._record.decisions.moments()] == [0, 3, 6]


def test_the_model_is_left_as_it_is():
    """A report changes no parameter, no gradient and no label."""
    watching = Watch()
    model = trained(watching)
    before = [(p.data, p.grad, p.label) for p in model.parameters()]
    watching.to_html()
    assert [(p.data, p.grad, p.label) for p in model.parameters()] == before
    assert any(grad for _, grad, _ in before)


def test_arrays_are_watched_as_lists_are():
    """A training on arrays has the same report as one on lists, but for the seconds."""
    np = pytest.importorskip("numpy")
    pages = []
    for kind in (list, np.array):
        random.seed(0)
        watching, data = Watch(), [kind(column) for column in points(12)]
        fit(MLP(2, [3, 1]), *data, steps=4, eager=True, progress=False, callbacks=[watching])
        pages.append(re.sub(r"in [\d.]+ s|<td>[\d.]+</td></tr>", "", watching.to_html()))
    assert pages[0] == pages[1]


class Pairs(Module):
    """Two features that are places in a list."""

    def __init__(self):
        self.table = [Value(0.5), Value(-0.5), Value(0.25)]

    def __call__(self, x):
        return self.table[x[0]] - self.table[x[1]]


@pytest.mark.parametrize(
    ("model", "X", "y"),
    [
        (MLP(2, [1]), [[0.0, 1.0], [1.0, 0.0]], [0.5, 1.5]),
        (MLP(3, [1]), [[0.0, 1.0, 2.0], [1.0, 0.0, 1.0]], [0, 1]),
        (Pairs(), [[0, 1], [1, 2]], [0, 1]),
    ],
    ids=["a regression", "three features", "places in a list"],
)
def test_where_there_is_no_plane(model, X, y):  # noqa: N803
    """Regressions, other numbers of features and features with nothing between get curves alone."""
    watching = Watch()
    fit(model, X, y, steps=2, eager=True, progress=False, callbacks=[watching])
    assert 'class="ch-moment"' not in watching.to_html()
    assert "ch-line" in watching._repr_svg_()


# ---- how it ends ----


def test_ctrl_c_leaves_a_report(tmp_path):
    """After Ctrl-C the report has the steps so far, and says that there were to be more."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    press = lambda state: state.step == 3 and signal.raise_signal(signal.SIGINT)
    try:
        trained(press, Watch(tmp_path / "report.html"), steps=50)
    finally:
        signal.signal(signal.SIGINT, before)
    report = (tmp_path / "report.html").read_text()
    assert "Stopped after 4 of 50 steps" in report
    assert re.findall(r'data-updates="(\d+)"', report) == ["0", "1", "2", "3", "4"]


def test_an_error_leaves_a_report(tmp_path):
    """Where a number becomes infinite, the report has what came before, and what the error says."""
    model, watching = MLP(2, [3, 1]), Watch(tmp_path / "report.html")
    descent = SGD(model.parameters(), lr=1e200)
    with pytest.raises(TrainingError) as error:
        fit(model, *points(5), optimizer=descent, eager=True, progress=False, callbacks=[watching])
    report = (tmp_path / "report.html").read_text()
    assert f"Ended by an error. {error.value}" in report.replace("&#x27;", "'")
    assert report.count('<th scope="row">') == len(error.value.history.rows) > 0


def test_an_error_before_any_row(tmp_path):
    """A first step that fails leaves a report too: what was to be trained, and why it was not."""
    with pytest.raises(TrainingError):
        fit(MLP(2, [1]), [[math.nan, 0.0]], [1], callbacks=[Watch(tmp_path / "report.html")])
    report = (tmp_path / "report.html").read_text()
    assert "Ended by an error. step 0: " in report
    assert "2-1 (3 parameters)" in report


def test_the_same_watch_twice():
    """A second training starts anew."""
    watching = Watch()
    trained(watching, steps=6)
    trained(watching, steps=3)
    assert "Done: 3 steps" in watching.to_html()
    assert sorted(dict(watching._record.decisions.moments())) == [0, 1, 2, 3]


def test_wrong_paths(tmp_path):
    """A path that no report could be written to is refused before the training."""
    with pytest.raises(ArgumentError, match=r"as \.html, not as '\.pdf'"):
        Watch("report.pdf")
    with pytest.raises(ArgumentError, match=r"in a folder that is there, not in .*nowhere"):
        Watch(tmp_path / "nowhere" / "report.html")
    with pytest.raises(ArgumentError, match=r"nothing was watched yet: fit\("):
        Watch().save(tmp_path / "report.html")
    assert list(tmp_path.iterdir()) == []


# ---- in notebooks ----

TRAINING = """
import pathlib, random, time
from chainrule.nn import MLP
from chainrule.training import fit
from chainrule.viz.watch import Watch

draw = random.Random(0)
X = [[draw.uniform(-1, 1), draw.uniform(-1, 1)] for _ in range(40)]
y = [int(x2 > x1) for x1, x2 in X]

watch = Watch()

def wait(state):
    while state.step == 4 and time.perf_counter() < watch._next:
        time.sleep(0.01)
    while state.step == 5 and not pathlib.Path("go").exists():
        time.sleep(0.05)

fit(MLP(2, [4, 1]), X, y, steps=20, progress=False, callbacks=[wait, watch], eager=True);
"""

SHOWN = """text => {
    const image = document.querySelector(".jp-RenderedSVG img");
    return image && decodeURIComponent(image.src).includes(text);
}"""


def test_a_notebook_run_by_nbclient(tmp_path):
    """The picture is renewed in place; in the notebook stays the last one, as a small SVG."""
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    pytest.importorskip("ipykernel")
    (tmp_path / "go").touch()
    messages = []

    class Client(nbclient.NotebookClient):
        def process_message(self, message, *args):
            messages.append(message)
            return super().process_message(message, *args)

    notebook = nbformat.from_dict(lab.notebook_of(TRAINING))
    Client(notebook, resources={"metadata": {"path": tmp_path}}).execute()
    kinds = [m["msg_type"] for m in messages if "display_data" in m["msg_type"]]
    updates = [m["content"]["data"] for m in messages if m["msg_type"] == "update_display_data"]
    assert kinds[0] == "display_data"
    assert kinds.count("display_data") == 1
    steps = [int(re.match(r"step +(\d+)/20", data["text/plain"])[1]) for data in updates]
    assert steps[0] == 0
    assert 4 in steps
    assert steps[-1] == 20
    (output,) = notebook.cells[0].outputs
    assert output["data"] == updates[-1]
    picture = ElementTree.fromstring(output["data"]["image/svg+xml"])
    assert len(line(picture, "train")) == 21
    assert len(json.dumps(notebook)) < 60_000


def test_in_jupyterlab(open_notebook, jupyterlab):
    """In JupyterLab the picture changes while the cell runs, and the last one is there at the end.

    It is an image, which the saved notebook has in it.
    """
    notebook = open_notebook("watch.ipynb", lab.notebook_of(TRAINING))
    notebook.cell(0).locator(".cm-content").click()
    notebook.page.keyboard.press("Shift+Enter")
    notebook.page.wait_for_function(SHOWN, arg="step  4/20")
    assert notebook.cell(0).locator(".jp-InputPrompt").inner_text() == "[*]:"
    (jupyterlab[0] / "go").touch()
    notebook.page.wait_for_function(SHOWN, arg="step 20/20")
    saved = notebook.save()
    assert "step 20/20" in json.dumps(saved["cells"][0]["outputs"])
    assert notebook.path.stat().st_size < 60_000
