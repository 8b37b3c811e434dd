"""The drawing of a graph as source for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from chainrule.viz.svg import COMMUTE, Box, Group, Node, number, short_number, shorten, sign


def source(nodes: Sequence[Box]) -> str:
    """The graph in the DOT language: a record for each value, a circle for each op."""
    return _digraph([line for i, node in enumerate(nodes) for line in _lines(i, node)])


def card(lines: Sequence[str]) -> str:
    """A few lines of text as a graph of one node."""
    text = r"\l".join([_escaped(line) for line in lines])
    return _digraph([rf'summary [shape=note, label="{text}\l"];'])


def _digraph(lines: Sequence[str]) -> str:
    head = ["rankdir=LR;", "ordering=in;", 'node [fontname="monospace", fontsize=11];']
    body = "\n".join([f"  {line}" for line in (*head, *lines)])
    return f"digraph chainrule {{\n{body}\n}}\n"


def _lines(place: int, node: Box) -> Iterator[str]:
    """The statements of one value: itself, its op, and the edges to the op in their order."""
    if isinstance(node, Group):
        text = " | ".join([_escaped(line) for line in (node.title, *node.lines)])
        yield f'v{place} [shape=record, style=bold, label="{text}"];'
        yield from [f"v{operand} -> v{place};" for operand in node.operands]
        return
    yield f'v{place} [shape=record, label="{_record(node)}"];'
    if node.operands:
        yield f'op{place} [shape=circle, label="{_escaped(sign(node.op))}"];'
        yield f"op{place} -> v{place};"
    for slot, operand in enumerate(node.operands):
        tells = len(node.operands) > 1 and node.op not in COMMUTE
        yield f"v{operand} -> op{place}{f' [headlabel={slot + 1}]' if tells else ''};"


def _record(node: Node) -> str:
    if node.op == "constant":
        return short_number(node.data)
    label = [_escaped(shorten(node.label))] if node.label else []
    return " | ".join([*label, f"data {number(node.data)}", f"grad {number(node.grad)}"])


def _escaped(text: str) -> str:
    """A text for a quoted label, with the characters that mean something in records."""
    return "".join([f"\\{c}" if c in '\\"{}|<>' else c for c in text])
