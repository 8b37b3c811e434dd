"""Causes found by comparison: a failure is explained by a faulty engine that gives the same."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from chainrule.grader.behaviour import FURTHER, REQUIRED
from chainrule.grader.behaviours import BEHAVIOURS
from chainrule.grader.faults import FAULTS, LIMITS, OTHERWISE, Fault, plant
from chainrule.grader.judge import MISSING, Observation, agree, outcome
from chainrule.grader.runner import TrustedEngine

if TYPE_CHECKING:
    from collections.abc import Collection

    from chainrule.grader.judge import Observations

Planted = dict[str, list[TrustedEngine]]  # by the name of the fault

_ENOUGH = 0.5  # an engine has to break more than this of what a fault breaks, in the same way
_MANY = 3  # faults that cannot be told apart are named up to here
_STAGES = {"neuron": 1, "layer": 1, "network": 1, "descent": 2}  # all other groups come first
_BY_NAME = {fault.name: fault for fault in [*FAULTS, *LIMITS]}


def causes(observations: Observations) -> dict[str, str]:
    """The likely cause, in words, of what was observed, by name of the behaviour.

    Only behaviours whose cause was found are in it.
    """
    return {name: in_words(faults) for name, faults in explained(observations).items()}


def explained(observations: Observations) -> dict[str, list[Fault]]:
    """The faults that give what was observed, by name of the behaviour.

    A fault explains a failure if an engine with that fault alone gives the same there, and if more
    than half of what the fault breaks is broken in the same way. The one that agrees best with the
    engine in all behaviours comes first; others have to show in what is not explained by then.
    Faults that agree equally well are given together.

    Where values are wrong already, networks are compared with the faults found in values. Training
    shows every fault and tells none apart, so it is compared with the faults found before; and so
    is what goes further than the lecture, which its limits may explain too.

    Args:
        observations: what was seen of an engine, of all behaviours or of some.
    """
    values, networks, training, further = _stages(observations)
    if _sound(values):
        found = _assigned(_matches(faulty(), values | networks))
    else:
        found = _assigned(_matches(faulty(), values))
        found |= _assigned(_matches(_known(found), networks))
    found |= _assigned(_matches(_known(found), training))
    found |= _assigned(_matches(limited() | _known(found), further))
    return {name: faults for name, faults in found.items() if len(faults) <= _MANY}


def in_words(faults: list[Fault]) -> str:
    """What is to be said of faults that give the same.

    >>> in_words([Fault("a slip", "Mend it.", {}), Fault("a thinko", "Think.", {})])
    'one of these: a slip. Mend it. Or: a thinko. Think.'
    """
    choice = "one of these: " if len(faults) > 1 else ""
    return choice + " Or: ".join(f"{fault.name}. {fault.advice}" for fault in faults)


# ---- the faulty engines ----


@cache
def correct() -> list[TrustedEngine]:
    """Correct engines: one in the lecture's style, and one built otherwise."""
    text = Path(__file__).with_name("lecture.py").read_text(encoding="utf-8")
    return [TrustedEngine(text), TrustedEngine(plant(OTHERWISE, text))]


@cache
def faulty() -> Planted:
    """Each fault in each of the correct engines where it can be."""
    return _planted(FAULTS, correct())


@cache
def limited() -> Planted:
    """Each of the lecture's limits."""
    return _planted(LIMITS, correct()[:1])


def _planted(faults: list[Fault], engines: list[TrustedEngine]) -> Planted:
    planted: Planted = {}
    for fault in faults:
        for engine in engines:
            text = plant(fault.edits, engine.text)
            if text != engine.text:
                planted.setdefault(fault.name, []).append(TrustedEngine(text))
    return planted


# ---- the comparison ----


def _stages(observations: Observations) -> tuple[Observations, ...]:
    """What was seen of values, of networks, in training, and beyond the lecture."""
    stages: tuple[Observations, ...] = ({}, {}, {}, {})
    for name, seen in observations.items():
        behaviour = BEHAVIOURS[name]
        if outcome(behaviour, seen) != MISSING:
            stage = 3 if behaviour.demand == FURTHER else _STAGES.get(behaviour.group, 0)
            stages[stage][name] = seen
    return stages


def _sound(values: Observations) -> bool:
    """Whether values do all that is required of them."""
    return not any(
        _differs(name, seen) and BEHAVIOURS[name].demand == REQUIRED
        for name, seen in values.items()
    )


def _known(found: dict[str, list[Fault]]) -> Planted:
    """The faulty engines of the faults that were found."""
    names = {fault.name for faults in found.values() for fault in faults}
    return {name: engines for name, engines in faulty().items() if name in names}


class _Match(NamedTuple):
    """A fault compared with an engine.

    Attributes:
        name: the fault's name.
        shown: the behaviours in which the engine fails just as the fault has it.
        broken: the behaviours that the fault always breaks.
        failed: the behaviours in which the engine gives something else than a correct one.
    """

    name: str
    shown: set[str]
    broken: set[str]
    failed: set[str]

    def enough_besides(self, explained: Collection[str]) -> bool:
        """Whether enough is shown in behaviours that are not explained by another fault."""
        return len((self.shown & self.broken).difference(explained)) > _ENOUGH * len(self.broken)

    @property
    def difference(self) -> int:
        """In how many behaviours fault and engine disagree."""
        return len(self.broken | self.failed) - len(self.shown)


def _matches(planted: Planted, observations: Observations) -> list[_Match]:
    """The faults that explain one of the failures at least, compared with all that is there."""
    failed = {name for name, seen in observations.items() if _differs(name, seen)}
    matches = []
    for fault, engines in planted.items():
        shown = {n for n in failed if any(agree(_seen(e, n), observations[n]) for e in engines)}
        if shown:
            broken = {n for n in observations if all(_differs(n, _seen(e, n)) for e in engines)}
            matches.append(_Match(fault, shown, broken, failed))
    return matches


def _seen(engine: TrustedEngine, name: str) -> Observation:
    """What an engine gives; where it lost its patience, it was stopped."""
    given = engine.gives(name)
    impatient = given.error.startswith(TimeoutError.__name__)
    return Observation(stopped="too slow") if impatient else given


def _assigned(matches: list[_Match]) -> dict[str, list[Fault]]:
    """For each failure the faults that explain it: the best one first, then what is left over."""
    found: dict[str, list[Fault]] = {}
    while matches := [match for match in matches if match.enough_besides(found)]:
        least = min(match.difference for match in matches)
        best = [match for match in matches if match.difference == least]
        for name in set().union(*(match.shown for match in best)) - found.keys():
            found[name] = [_BY_NAME[match.name] for match in best if name in match.shown]
    return found


def _differs(name: str, seen: Observation) -> bool:
    """Whether this is not what a correct engine in the lecture's style gives."""
    return not agree(seen, correct()[0].gives(name))
