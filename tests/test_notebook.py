"""The explorer in notebooks: what a cell's output holds, and the widget in a real JupyterLab."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import sys
from xml.etree import ElementTree

import lab
import pytest
from test_explorer import engine_gradients, neuron

from chainrule import explore
from chainrule.viz import replay, states

VIEW = "application/vnd.jupyter.widget-view+json"


def right():
    """The neuron's gradients by the engine, with as many digits as drawings have, in order."""
    return sorted(round(x, 4) for x in engine_gradients(neuron()))


def gradients(picture):
    """The gradients that stand in a drawing, in order."""
    texts = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    return sorted(float(x.text) for x in texts if "cr-grad" in x.get("class", "").split())


def test_the_output_of_a_cell():
    """A cell gets the widget, and for where none runs a drawing with the engine's gradients."""
    pytest.importorskip("anywidget")
    data, _ = explore(neuron())._repr_mimebundle_()
    assert sorted(data) == [VIEW, "image/svg+xml", "text/plain"]
    assert data["text/plain"] == "<Explorer of o: step 1 of 13, in order>"
    assert gradients(data["image/svg+xml"]) == right()
    assert "@media (prefers-color-scheme: dark)" in data["image/svg+xml"]


def test_the_widget_has_what_is_shown():
    """What its module is given is the page's, compressed; the state is the explorer's."""
    pytest.importorskip("anywidget")
    explorer = explore(neuron())
    explorer.step = 7
    explorer._repr_mimebundle_()
    widget = explorer._state
    shown = json.loads(json.dumps(states.show(replay.read(neuron()))))
    assert json.loads(gzip.decompress(widget.show)) == shown
    assert (widget.step, widget.way, widget.playing) == (7, "in order", False)
    widget.step, widget.way, widget.playing = 8, "too early", True
    assert (explorer.step, explorer.way, explorer.playing) == (8, "too early", True)


def test_shown_twice_it_is_one():
    """Where an explorer is shown a second time, both show the same step of the same widget."""
    pytest.importorskip("anywidget")
    explorer = explore(neuron())
    (first, _), (second, _) = explorer._repr_mimebundle_(), explorer._repr_mimebundle_()
    assert first[VIEW] == second[VIEW]


def test_without_anywidget(monkeypatch):
    """There a notebook gets the page in a frame, which can run its script and nothing else."""
    monkeypatch.setitem(sys.modules, "anywidget", None)
    monkeypatch.delitem(sys.modules, "chainrule.viz.widget", raising=False)
    data, _ = explore(neuron())._repr_mimebundle_()
    assert sorted(data) == ["text/html", "text/plain"]
    frame = data["text/html"]
    assert 'sandbox="allow-scripts"' in frame
    assert html.unescape(frame.partition('srcdoc="')[2]).startswith("<!doctype html>")


# ---- in JupyterLab ----

NEURON = """
from chainrule import Value, explore

x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
b = Value(6.8813735870195432, label="b")
o = (x1 * w1 + x2 * w2 + b).tanh()
explorer = explore(o)
explorer
"""
READ = "print(explorer.step, explorer.way, explorer.playing)"
PLAY = "explorer.step, explorer.playing = 12, True"


@pytest.fixture
def neuron_notebook(open_notebook):
    """The neuron's explorer, shown in JupyterLab's light theme while the system's is dark."""
    pytest.importorskip("anywidget")
    cells = NEURON, READ, "explorer.step, explorer.way = 9, '= for +='", PLAY
    notebook = open_notebook("neuron.ipynb", lab.notebook_of(*cells), color_scheme="dark")
    notebook.run(0)
    return notebook


def state(notebook):
    """What Python has, once it stays: several keys are told of one after the other."""
    before, now = "", notebook.run(1)
    while now != before:
        before, now = now, notebook.run(1)
    return now


def colour(page, kind):
    """What a part of the widget is filled with."""
    style = "e => { const s = getComputedStyle(e); return e.viewportElement ? s.fill : %s }"
    return page.locator(kind).evaluate(style % "s.backgroundColor")


def test_the_widget_in_jupyterlab(neuron_notebook):
    """What the browser shows and what Python has are the same, whichever of the two changes it.

    The saved notebook is small and holds no widget but a drawing, which its page shows.
    """
    page, keyboard = neuron_notebook.page, neuron_notebook.page.keyboard
    count, chosen = page.locator(".cx-count"), page.locator(".cx-ways [aria-pressed=true]")
    heading = page.get_by_role("heading", name="Backpropagation from v5")

    heading.click()
    for _ in range(3):
        keyboard.press("ArrowRight")
    assert count.inner_text() == "forward, step 4 of 13"
    assert {colour(page, kind) for kind in (".cx", ".cr-page")} == {"rgb(255, 255, 255)"}
    assert state(neuron_notebook) == "4 in order False\n"
    page.get_by_role("button", name="too early").click()
    keyboard.press("End")
    assert state(neuron_notebook) == "13 too early False\n"

    neuron_notebook.run(2)
    page.get_by_text("backward, step 9 of 13").wait_for()
    assert chosen.inner_text() == "= for +="
    neuron_notebook.run(3)  # which leaves the last step to the browser
    page.get_by_text("backward, step 13 of 13").wait_for()
    assert state(neuron_notebook) == "13 = for += False\n"

    heading.click()
    keyboard.press("Home")
    saved = neuron_notebook.save()
    assert len(saved["cells"]) == 5  # the keys did nothing else; the last was made by running
    assert neuron_notebook.path.stat().st_size < 100_000
    (output,) = saved["cells"][0]["outputs"]
    assert sorted(output["data"]) == [VIEW, "image/svg+xml", "text/plain"]
    assert "widgets" not in saved["metadata"]
    assert [gradients(picture) for picture in pictures(neuron_notebook.path)] == [right()]


def pictures(path):
    """The drawings in the page that nbconvert makes of a notebook."""
    page, _ = pytest.importorskip("nbconvert").HTMLExporter().from_filename(path)
    return map(base64.b64decode, re.findall(r'src="data:image/svg\+xml;base64,([^"]*)"', page))


def test_a_notebook_that_keeps_the_state(tmp_path):
    """Executed by nbclient, which keeps what widgets need, a notebook is small too."""
    pytest.importorskip("anywidget")
    nbformat = pytest.importorskip("nbformat")
    client = pytest.importorskip("nbclient")
    notebook = nbformat.from_dict(lab.notebook_of(NEURON))
    client.NotebookClient(notebook, resources={"metadata": {"path": tmp_path}}).execute()
    kept = notebook["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    (shown,) = [widget["buffers"] for widget in kept.values() if "buffers" in widget]
    assert gzip.decompress(base64.b64decode(shown[0]["data"])).startswith(b'{"title":')
    assert len(json.dumps(notebook)) < 100_000
