"""A drawing as one page of HTML, which needs nothing else: groups open on a click."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape

from chainrule.viz import svg
from chainrule.viz.inside import Opened, Row

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
:is(th, td):nth-child(n + 3) { text-align: right }
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

_TITLE = 80  # columns
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'"


def page(name: str, picture: str, opened: Mapping[int, Opened]) -> str:
    """The page of a drawing.

    Args:
        name: what is drawn.
        picture: the drawing as SVG.
        opened: what is seen of each of its groups, by the places of their boxes.
    """
    title = f"The graph of {escape(svg.shorten(name, _TITLE) or 'a value')}"
    hint = "<p>A click on a group, or Enter, opens it below.</p>" if opened else ""
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width">',
            f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>",
            f"<main>\n<h1>{title}</h1>\n{hint}",
            f'<div class="scroll" tabindex="0">\n{picture}</div>',
            *[_section(place, group) for place, group in opened.items()],
            f"</main>\n<script>{_SCRIPT}</script>\n</body>\n</html>\n",
        ]
    )


def _section(place: int, group: Opened) -> str:
    """What a group holds; it is hidden at first."""
    title = escape(svg.shorten(group.title, _TITLE))
    parts = [f'<section id="group-{place}" hidden>', f"<h2>{title}</h2>", f"<p>{group.caption}</p>"]
    if group.nodes:
        drawing = svg.picture(group.nodes, part=True)
        parts.append(f'<div class="scroll" tabindex="0">{drawing}</div>')
    if group.rows:
        table = "".join(_rows(group.rows))
        parts.append(f"<p>{group.listed}</p>")
        parts.append(f'<div class="list" tabindex="0"><table>{table}</table></div>')
    return "\n".join([*parts, "</section>"])


def _rows(rows: Sequence[Row]) -> Iterator[str]:
    yield "<tr><th>label</th><th>op</th><th>data</th><th>gradient</th></tr>"
    for row in rows:
        yield f"<tr>{''.join([f'<td>{escape(cell)}</td>' for cell in row])}</tr>"
