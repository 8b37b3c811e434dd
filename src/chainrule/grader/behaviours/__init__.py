"""All behaviours that are graded, chapter by chapter."""

from __future__ import annotations

from chainrule.grader.behaviour import Behaviour, read
from chainrule.grader.behaviours import backpropagation, descent, networks, operations, values

_CHAPTERS = (values, backpropagation, operations, networks, descent)

CHAPTERS: dict[str, list[str]] = {module.TITLE: list(module.GROUPS) for module in _CHAPTERS}
BEHAVIOURS: dict[str, Behaviour] = {
    behaviour.name: behaviour for module in _CHAPTERS for behaviour in read(module.GROUPS)
}
