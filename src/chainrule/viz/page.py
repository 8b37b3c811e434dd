"""A drawing as one page of HTML, which needs nothing else: groups open on a click."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from chainrule.viz import svg


@dataclass(frozen=True, slots=True)
class Opened:
    """What is seen of a group that is opened.

    Attributes:
        title: what it is called.
        count: how many values it has.
        nodes: the values that are shown, and those beyond it that they read from.
        own: which of the nodes are in the group.
        drawn: whether there is a drawing, not a list.
    """

    title: str
    count: int
    nodes: list[svg.Node]
    own: list[int]
    drawn: bool


_STYLE = """
:root { color-scheme: light dark }
body { margin: 0; font: 14px system-ui, sans-serif; background: #ffffff; color: #1a2430 }
section { border-top: 1px solid #8794a1; padding: 8px 16px }
h1 { font-size: 18px; margin: 16px 16px 0 }
h2 { font-size: 16px; margin: 4px 0 }
p { margin: 8px 16px }
section p { margin: 8px 0 }
.scroll { overflow-x: auto }
.list { max-height: 60vh; overflow: auto }
svg { display: block; max-width: none }
[data-group][tabindex] { cursor: pointer }
[data-group]:focus-visible { outline: 3px solid #2f7fbf }
[aria-expanded=true] .cr-box { stroke-width: 2.5 }
table { border-collapse: collapse; font: 12px ui-monospace, "DejaVu Sans Mono", monospace }
th, td { text-align: left; padding: 2px 12px 2px 0; border-bottom: 1px solid #c3ccd5 }
@media (prefers-color-scheme: dark) {
body { background: #14191f; color: #e8eef4 }
th, td { border-color: #3b4651 }
}
"""

_SCRIPT = """
for (const group of document.querySelectorAll("main [data-group]")) {
  const section = document.getElementById("group-" + group.dataset.group);
  const toggle = () => {
    section.hidden = !section.hidden;
    group.setAttribute("aria-expanded", String(!section.hidden));
    if (!section.hidden) section.scrollIntoView({ block: "nearest" });
  };
  group.setAttribute("role", "button");
  group.setAttribute("tabindex", "0");
  group.setAttribute("aria-expanded", "false");
  group.setAttribute("aria-controls", section.id);
  group.addEventListener("click", toggle);
  group.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle();
  });
  group.ownerSVGElement.setAttribute("role", "group");
}
"""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(picture: str, opened: Mapping[int, Opened]) -> str:
    """The page of a drawing.

    Args:
        picture: the drawing as SVG.
        opened: what is seen of each of its groups, by the places of their boxes.
    """
    hint = "<p>A click on a group, or Enter, opens it below.</p>" if opened else ""
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>chainrule</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            "<main>\n<h1>The graph of a value</h1>",
            f'<div class="scroll" tabindex="0">\n{picture}</div>\n{hint}',
            *[_section(place, group) for place, group in opened.items()],
            f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _section(place: int, group: Opened) -> str:
    """What a group holds; it is hidden at first."""
    shown = len(group.own)
    count = f"{group.count:,} values" + ("" if shown == group.count else f", the first {shown:,}")
    if group.drawn:
        inside = f'<div class="scroll" tabindex="0">{svg.picture(group.nodes, style=False)}</div>'
    else:
        inside = f'<div class="list" tabindex="0"><table>{"".join(_rows(group))}</table></div>'
    return (
        f'<section id="group-{place}" hidden>\n<h2>{escape(svg.shorten(group.title, 80))}</h2>\n'
        f"<p>{count}</p>\n{inside}\n</section>"
    )


def _rows(group: Opened) -> Iterator[str]:
    """A list of values: what each is, of which numbers, and its data and gradient."""
    yield "<tr><th>label</th><th>op</th><th>data</th><th>gradient</th></tr>"
    for place in group.own:
        node = group.nodes[place]
        numbers = [svg.short_number(group.nodes[x].data) for x in node.operands]
        op = f"{node.op}({', '.join(numbers)})" if node.op else "leaf"
        cells = (svg.shorten(node.label), op, svg.number(node.data), svg.number(node.grad))
        yield f"<tr>{''.join([f'<td>{escape(cell)}</td>' for cell in cells])}</tr>"
