"""Engines with one planted fault each, by which the cause of a failure is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chainrule.grader.judge import Observations


def causes(observations: Observations) -> dict[str, str]:
    """The likely cause, in words, of what was observed, by name of the behaviour.

    Only behaviours whose cause was found are in it.
    """
    del observations
    return {}
