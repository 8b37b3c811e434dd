"""Pages that stand alone: one file of HTML with its module, style and data, for explorers."""

from __future__ import annotations

import html
import json
import os
import re
from importlib import resources
from pathlib import Path
from typing import Any

from chainrule.errors import ArgumentError
from chainrule.viz import svg


def page(title: str, style: str, module: str, data: str, start: str) -> str:
    """The page: it loads nothing from anywhere.

    Args:
        title: what it is called.
        style: its CSS.
        module: the source of an ES module.
        data: what the module shows, as JSON.
        start: a line of the module that shows `show`, the data.
    """
    return _PAGE.format(
        title=html.escape(title),
        style=style,
        module=module,
        data=data.replace("<", "\\u003c"),  # no text ends the script
        start=start,
    )


def as_json(show: Any) -> str:
    """Data as JSON, without spaces."""
    return json.dumps(show, ensure_ascii=False, separators=(",", ":"))


def save(page: str, path: str | os.PathLike[str]) -> None:
    """Write a page to a file.

    Raises:
        ArgumentError: the suffix is not .html.
    """
    suffix = Path(path).suffix.lower()
    if suffix != ".html":
        raise ArgumentError(
            f"an explorer is saved as .html, not as {suffix or 'a file without suffix'!r}"
        )
    Path(path).write_text(page, encoding="utf-8")


def frame(title: str, page: str) -> str:
    """A page inside another, as notebooks show it: it can run its script and nothing else."""
    return (
        f'<iframe title="{html.escape(title)}" sandbox="allow-scripts" '
        'style="width: 100%; height: 760px; border: 0" '
        f'srcdoc="{html.escape(page)}"></iframe>'
    )


def style(*names: str) -> str:
    """The style of drawings, and those of explorers in files of these names."""
    return "".join([_themed(svg.STYLE), *map(static, names)])


def static(name: str) -> str:
    """The text of a file that pages are made of."""
    return (resources.files("chainrule.viz") / "static" / name).read_text(encoding="utf-8")


_RULE = re.compile(r"([^{}\n]+) \{ ([^{}]+) \}")


def _themed(style: str) -> str:
    """The style of drawings, but a notebook's theme can choose the colours, not the system alone.

    >>> _themed(".a { fill: #fff } @media (prefers-color-scheme: dark) {.a { fill: #000 }}")
    '.a { fill: #fff } .a { fill: light-dark(#fff, #000) }'
    """
    light, dark = style.split("@media (prefers-color-scheme: dark) {")
    bright = {selector: _declarations(body) for selector, body in _RULE.findall(light)}
    pairs = [
        f"{selector} {{ {name}: light-dark({bright[selector][name]}, {color}) }}"
        for selector, body in _RULE.findall(dark)
        for name, color in _declarations(body).items()
    ]
    return light + "\n".join(pairs)


def _declarations(body: str) -> dict[str, str]:
    return dict([declaration.split(": ") for declaration in body.split("; ")])


# The policy lets nothing be loaded, and runs what stands in the page alone.
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; \
style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark }}
body {{ margin: 0; background: light-dark(#ffffff, #14191f) }}
{style}
</style>
</head>
<body>
<noscript>This page shows its steps by JavaScript, which is off.</noscript>
<script type="application/json" id="show">{data}</script>
<script type="module">
{module}
const show = JSON.parse(document.getElementById("show").textContent);
{start}
</script>
</body>
</html>
"""
