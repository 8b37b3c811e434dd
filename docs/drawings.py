"""The same graphs drawn by micrograd's notebook, by micrograd-viz and by us: `make drawings`.

The page runs/drawings/index.html shows them one below the other. It takes Graphviz' `dot`,
micrograd, and micrograd-viz, which is called micrograd too and so gets an environment of its own.
"""

from __future__ import annotations

import math
import pathlib
import subprocess
import sys
import venv
from collections.abc import Callable
from typing import Any

OUT = pathlib.Path("runs/drawings")
Leaf = Callable[[float, str], Any]


def neuron(leaf: Leaf, tanh: Callable[[Any], Any]) -> Any:
    """The lecture's neuron."""
    x1, x2 = leaf(2.0, "x1"), leaf(0.0, "x2")
    w1, w2 = leaf(-3.0, "w1"), leaf(1.0, "w2")
    b = leaf(6.8813735870195432, "b")
    return tanh(x1 * w1 + x2 * w2 + b)


def repeated(leaf: Leaf, _: Callable[[Any], Any]) -> Any:
    """An operand that is taken twice, values used in several places, minus and a power."""
    a = leaf(3.0, "a")
    b = a + a
    return (b - a) * b**2


GRAPHS = [neuron, repeated]


def by_us(graph: Callable[..., Any]) -> str:
    from chainrule import Value
    from chainrule.viz import draw

    output = graph(Value, Value.tanh)
    output.backward()
    return draw(output).to_svg()


# ---- the others' ----


def backpropagated(graph: Callable[..., Any], value: type, leaf: Leaf) -> Any:
    """A graph of micrograd's values, which have no tanh of their own."""

    def tanh(x: Any) -> Any:
        y = math.tanh(x.data)
        out = value(y, (x,), "tanh")

        def backward() -> None:
            x.grad += (1 - y * y) * out.grad

        out._backward = backward
        return out

    output = graph(leaf, tanh)
    output.backward()
    return output


def by_micrograd(graph: Callable[..., Any]) -> str:
    """As its notebook does: a record of data and gradient for each value, an ellipse for an op."""
    from micrograd.engine import Value

    output = backpropagated(graph, Value, lambda data, _: Value(data))
    lines, seen, waiting = ["rankdir=LR"], {output}, [output]
    while waiting:
        value = waiting.pop()
        record = f"{{ data {value.data:.4f} | grad {value.grad:.4f} }}"
        lines.append(f'{id(value)} [shape=record, label="{record}"]')
        if value._op:
            lines.append(f'{id(value)}1 [label="{value._op}"]; {id(value)}1 -> {id(value)}')
        for operand in value._prev:
            lines.append(f"{id(operand)} -> {id(value)}1")
        waiting += value._prev - seen
        seen |= value._prev
    return drawn_by_dot("digraph { " + "; ".join(lines) + " }")


def by_micrograd_viz(graph: Callable[..., Any]) -> str:
    """Asked of this file, run where micrograd-viz is installed."""
    python = OUT / "environment/bin/python"
    if not python.exists():
        venv.create(OUT / "environment", with_pip=True)
        install = [python, "-m", "pip", "install", "-q", "micrograd-viz==0.2.0", "graphviz"]
        subprocess.run(install, check=True)
    command = [python, __file__, graph.__name__]
    return drawn_by_dot(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def source(name: str) -> str:
    """What micrograd-viz gives to Graphviz."""
    from micrograd import Value, draw_dot

    graph = {graph.__name__: graph for graph in GRAPHS}[name]
    output = backpropagated(graph, Value, lambda data, label: Value(data, label=label))
    return str(draw_dot(output).source)


def drawn_by_dot(text: str) -> str:
    run = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, text=True, check=True)
    return run.stdout[run.stdout.index("<svg") :]


# ---- the page ----


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    parts = []
    for graph in GRAPHS:
        for by in (by_micrograd, by_micrograd_viz, by_us):
            name = f"{graph.__name__}, {by.__name__.replace('_', ' ')}"
            parts.append(f"<h2>{name}</h2>\n{by(graph)}")
    style = "<style>body { font: 14px sans-serif } svg { display: block; max-width: none }</style>"
    page = "\n".join(["<!DOCTYPE html><meta charset='utf-8'>", style, *parts])
    (OUT / "index.html").write_text(page, encoding="utf-8")
    print(OUT / "index.html")


if __name__ == "__main__":
    print(source(sys.argv[1])) if len(sys.argv) > 1 else main()
