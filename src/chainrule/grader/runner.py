"""Engines observed: a learner's in a process of its own, with limits; a trusted one in this."""

from __future__ import annotations

from typing import Any

from chainrule.grader.behaviours import BEHAVIOURS
from chainrule.grader.judge import Observation, Observations
from chainrule.grader.worker import names_in, run


def observe_here(source: str, name: str = "Value") -> Observations:
    """What all programs do on an engine of our own, given as text, in this process.

    Args:
        source: the text of a module. It has no limits: for trusted engines only.
        name: the name of its class.

    Returns:
        An observation for each behaviour, by name.

    >>> observe_here("class Value: pass")["a + b"].error
    'TypeError: Value() takes no arguments'
    """
    module: dict[str, Any] = {"__name__": "engine", "__file__": "<engine>"}
    exec(compile(source, "<engine>", "exec"), module)
    names = names_in(module, name)
    return {
        behaviour.name: Observation(**run(behaviour.bare(), names))
        for behaviour in BEHAVIOURS.values()
    }
