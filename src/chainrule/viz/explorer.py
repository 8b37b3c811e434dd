"""Backpropagation to step through, op by op, in a page of its own."""

from __future__ import annotations

import html
import json
import os
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError
from chainrule.viz import paths_of, replay, states

if TYPE_CHECKING:
    from chainrule.nn import Module

MOST = 200  # values; nobody follows the steps of more


class Explorer:
    """Forward and backward through a graph, op by op; `chainrule.explore()` makes it.

    It keeps what it shows: values that change or are freed later leave it as it is. Gradients
    start at 0, whatever the values' own are, and these stay what they are.
    """

    def __init__(self, value: Value, model: Module | None = None) -> None:
        if not isinstance(value, Value):
            raise ArgumentError(f"explore() takes a Value, not {type(value).__name__}")
        count = len(operands_first(value))
        if count > MOST:
            raise ArgumentError(
                f"explore() shows up to {MOST} values one by one, not {count:,}: explore a part, "
                "such as one neuron or the loss of one sample, and see the whole folded by draw()"
            )
        self._cells = replay.read(value, paths_of(model))

    def to_html(self) -> str:
        """The page: one file, which loads nothing from anywhere."""
        data = json.dumps(states.show(self._cells), ensure_ascii=False, separators=(",", ":"))
        return _PAGE.format(
            title=html.escape(states.title(self._cells)),
            style=_static("explorer.css"),
            module=_static("explorer.js"),
            data=data.replace("<", "\\u003c"),  # no text ends the script
        )

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the page to a file.

        Raises:
            ArgumentError: the suffix is not .html.
        """
        suffix = Path(path).suffix.lower()
        if suffix != ".html":
            raise ArgumentError(
                f"an explorer is saved as .html, not as {suffix or 'a file without suffix'!r}"
            )
        Path(path).write_text(self.to_html(), encoding="utf-8")

    def _repr_html_(self) -> str:
        return (
            '<iframe title="Backpropagation, op by op" sandbox="allow-scripts" '
            'style="width: 100%; height: 760px; border: 0" '
            f'srcdoc="{html.escape(self.to_html())}"></iframe>'
        )


def _static(name: str) -> str:
    return (resources.files("chainrule.viz") / "static" / name).read_text(encoding="utf-8")


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
<style>{style}</style>
</head>
<body>
<noscript>This page shows its steps by JavaScript, which is off.</noscript>
<script type="application/json" id="show">{data}</script>
<script type="module">
{module}
render(document.body, JSON.parse(document.getElementById("show").textContent));
</script>
</body>
</html>
"""
