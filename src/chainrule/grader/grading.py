"""An engine graded: what is asked of it, what it does, and what that makes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chainrule.arguments import check_choice
from chainrule.errors import ArgumentError
from chainrule.grader.behaviour import IF_THERE, REQUIRED
from chainrule.grader.behaviours import BEHAVIOURS, CHAPTERS
from chainrule.grader.causes import causes
from chainrule.grader.judge import MISSING, PASSED, Report, Result, outcome
from chainrule.grader.runner import observe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from chainrule.grader.behaviour import Behaviour
    from chainrule.grader.judge import Observations
    from chainrule.grader.process import Limits


def grade(
    target: str | Path,
    name: str = "Value",
    only: Sequence[str] | None = None,
    limits: Limits | None = None,
) -> Report:
    """Grade an engine like micrograd's: run a program for each behaviour, and judge what it prints.

    The engine runs in a process of its own, with limits on time, memory and output, and whatever
    it does there ends in a report. This is no sandbox: the engine can do whatever you can.

    Args:
        target: a Python file, or the name of a module that can be imported from here. Its class
            has to have `data`, `grad` and `backward()`. Neuron, Layer and MLP are looked for in
            the same module, and in a module `nn` beside it.
        name: the name of its class.
        only: the groups of behaviours to ask for; None for all. A group in which nothing is
            required counts if it is asked for by name.
        limits: what the engine may use.

    Returns:
        A report: the score, and for each behaviour what was expected, what was seen, and why.

    Raises:
        ArgumentError: there is no such file, module or group, or the name can be no class's.

    >>> report = grade("chainrule.engine", only=["reuse", "depth"])
    >>> report.passed, report.score, len(report.results)
    (True, 100, 10)
    """
    groups = list(dict.fromkeys(group for chapter in CHAPTERS.values() for group in chapter))
    for group in only or []:
        check_choice("group of behaviours", group, groups)
    if not name.isidentifier():
        raise ArgumentError(f"a class has a name as Value or Scalar, not {name!r}")
    asked = [b for b in BEHAVIOURS.values() if only is None or b.group in only]
    observed = observe(target, asked, name, limits)
    why = {} if observed.problem else causes(observed.observations)
    return Report(
        str(target),
        name,
        _judged(asked, observed.observations, why, by_name=only is not None),
        observed.problem,
        observed.hints,
        observed.output,
        observed.seconds,
    )


def _judged(
    behaviours: Sequence[Behaviour],
    observations: Observations,
    why: dict[str, str],
    by_name: bool,
) -> list[Result]:
    """What was observed, judged and explained; groups asked for by their names count."""
    required = {b.group for b in behaviours if b.demand == REQUIRED}
    results = []
    for b in behaviours:
        seen = outcome(b, observations[b.name])
        counted = _counts(b, seen) or (by_name and b.group not in required)
        cause = "" if seen == PASSED else why.get(b.name, "")
        results.append(Result(b, observations[b.name], seen, counted, cause))
    return results


def _counts(behaviour: Behaviour, outcome: str) -> bool:
    """Whether a behaviour is part of the score: what is required, and what is there if it may."""
    if behaviour.demand == IF_THERE:
        return outcome != MISSING
    return behaviour.demand == REQUIRED
