"""Causes found by comparison: a failure is explained by a faulty engine that gives the same."""

from __future__ import annotations

from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.grader.behaviour import FURTHER
from chainrule.grader.behaviours import BEHAVIOURS
from chainrule.grader.faults import FAULTS, LIMITS, WRITTEN_OUT, Fault, plant
from chainrule.grader.judge import MISSING, Observation, agree, outcome
from chainrule.grader.worker import names_in, run

if TYPE_CHECKING:
    from chainrule.grader.judge import Observations

_ENOUGH = 0.5  # more of what a fault breaks an engine has to break in the same way
_MANY = 3  # faults that cannot be told apart are named up to here


def causes(observations: Observations) -> dict[str, str]:
    """The likely cause, in words, of what was observed, by name of the behaviour.

    Only behaviours whose cause was found are in it.
    """
    return {name: in_words(faults) for name, faults in explained(observations).items()}


def explained(observations: Observations) -> dict[str, list[Fault]]:
    """The faults that give what was observed, by name of the behaviour.

    A fault explains a failure if an engine with that fault alone gives the same there, and if more
    than half of what the fault breaks is broken in the same way. Of several the one is taken that
    agrees best with the engine in all behaviours; those that agree equally well are given together.
    What goes further than the lecture is explained by its limits, and by the faults found so far.

    Args:
        observations: what was seen of an engine, of all behaviours or of some.
    """
    there = {name: seen for name, seen in observations.items() if _outcome(name, seen) != MISSING}
    further = {name: there.pop(name) for name in list(there) if _is_further(name)}
    faulty, limited = _specimens()
    likely = _best_of_each(there, _matches(faulty, there))
    named = {fault.name for faults in likely.values() for fault in faults}
    known = [specimen for specimen in faulty if specimen.fault.name in named]
    found = likely | _best_of_each(further, _matches(limited + known, further))
    return {name: faults for name, faults in found.items() if len(faults) <= _MANY}


def in_words(faults: list[Fault]) -> str:
    """What is to be said of faults that give the same.

    >>> in_words([Fault("a slip", "Mend it.", {}), Fault("a thinko", "Think.", {})])
    'a slip. Mend it. Or: a thinko. Think.'
    """
    return " Or: ".join(f"{fault.name}. {fault.advice}" for fault in faults)


# ---- the faulty engines ----


class _Specimen:
    """An engine of our own, with a fault in it; loaded when it is asked for the first time."""

    def __init__(self, fault: Fault, text: str) -> None:
        self.fault = fault
        self.text = text
        self._seen: Observations = {}

    @cached_property
    def _names(self) -> dict[str, Any]:
        module: dict[str, Any] = {"__name__": "lecture"}
        exec(compile(self.text, "<lecture>", "exec"), module)
        return names_in(module, "Value")

    def gives(self, name: str) -> Observation:
        """What is seen of this engine in a behaviour."""
        if name not in self._seen:
            seen = Observation(**run(BEHAVIOURS[name].bare(), self._names))
            endless = seen.error.startswith(TimeoutError.__name__)
            self._seen[name] = Observation(stopped="too slow") if endless else seen
        return self._seen[name]


@cache
def _correct() -> list[_Specimen]:
    """Correct engines: the lecture's, and one that has a rule for each operator."""
    text = Path(__file__).with_name("lecture.py").read_text(encoding="utf-8")
    texts = (text, plant(WRITTEN_OUT, text))
    return [_Specimen(Fault("", "", {}), text) for text in texts]


@cache
def _specimens() -> tuple[list[_Specimen], list[_Specimen]]:
    """Each fault in each of the correct engines where it can be; the limits in the lecture's."""
    return _planted(FAULTS, _correct()), _planted(LIMITS, _correct()[:1])


def _planted(faults: list[Fault], engines: list[_Specimen]) -> list[_Specimen]:
    return [
        _Specimen(fault, text)
        for fault in faults
        for engine in engines
        if (text := plant(fault.edits, engine.text)) != engine.text
    ]


# ---- the comparison ----


class _Match(NamedTuple):
    """A fault compared with an engine.

    Attributes:
        fault: the fault.
        shown: the behaviours in which the engine fails just as the fault has it.
        broken: the behaviours that the fault breaks.
        failed: the behaviours in which the engine gives something else than a correct one.
    """

    fault: Fault
    shown: set[str]
    broken: set[str]
    failed: set[str]

    @property
    def difference(self) -> int:
        """In how many behaviours fault and engine disagree."""
        return len(self.broken | self.failed) - len(self.shown)


def _matches(specimens: list[_Specimen], observations: Observations) -> list[_Match]:
    """The faults that explain one of the failures at least, compared with all that is there."""
    right, _ = _correct()
    failed = {n for n, seen in observations.items() if not agree(seen, right.gives(n))}
    matches = []
    for specimen in specimens:
        shown = {n for n in failed if agree(specimen.gives(n), observations[n])}
        if shown:
            broken = {n for n in observations if not agree(specimen.gives(n), right.gives(n))}
            matches.append(_Match(specimen.fault, shown, broken, failed))
    return [match for match in matches if len(match.shown) > _ENOUGH * len(match.broken)]


def _best_of_each(names: Observations, matches: list[_Match]) -> dict[str, list[Fault]]:
    found = {name: _best([m for m in matches if name in m.shown]) for name in names}
    return {name: faults for name, faults in found.items() if faults}


def _best(matches: list[_Match]) -> list[Fault]:
    """The faults that differ least from the engine, one of each name."""
    least = min((match.difference for match in matches), default=0)
    best = [match.fault for match in matches if match.difference == least]
    return list({fault.name: fault for fault in best}.values())


def _outcome(name: str, seen: Observation) -> str:
    return outcome(BEHAVIOURS[name], seen)


def _is_further(name: str) -> bool:
    return BEHAVIOURS[name].demand == FURTHER
