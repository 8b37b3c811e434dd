"""The explorer in notebooks: what a cell's output holds, and the widget in a real JupyterLab."""

from __future__ import annotations

import gzip
import html
import json
import sys
from xml.etree import ElementTree

import pytest
from test_explorer import engine_gradients, neuron

from chainrule import explore
from chainrule.viz import replay, states

VIEW = "application/vnd.jupyter.widget-view+json"


def gradients(picture):
    """The gradients that stand in a drawing, from the top left to the bottom right, as numbers."""
    texts = ElementTree.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")
    return sorted(float(x.text) for x in texts if "cr-grad" in x.get("class", "").split())


def test_the_output_of_a_cell():
    """A cell gets the widget, and for where none runs a drawing with the engine's gradients."""
    pytest.importorskip("anywidget")
    output = neuron()
    data, _ = explore(output)._repr_mimebundle_()
    assert sorted(data) == [VIEW, "image/svg+xml", "text/plain"]
    assert data["text/plain"] == "<Explorer of o: step 1 of 13, in order>"
    right = sorted(round(x, 4) for x in engine_gradients(output))
    assert gradients(data["image/svg+xml"]) == right


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
