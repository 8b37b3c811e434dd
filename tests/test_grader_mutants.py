"""The grader on engines that are right in other styles, and on engines with one planted fault."""

from __future__ import annotations

from collections import Counter

import pytest
from mutants import ENGINES, MUTANTS, Mutant

from chainrule.grader import Limits, grade
from chainrule.grader.behaviour import FURTHER, REQUIRED
from chainrule.grader.behaviours import BEHAVIOURS
from chainrule.grader.causes import correct, explained, faulty
from chainrule.grader.faults import FAULTS, LIMITS
from chainrule.grader.judge import MISSING, PASSED, agree, outcome
from chainrule.grader.runner import TrustedEngine

# Training, and what goes further than the lecture, take longer than all other programs together.
SHORT = [b.name for b in BEHAVIOURS.values() if b.group != "descent" and b.demand != FURTHER]
# On these a program would never come to its end: they are graded in a process.
ENDLESS = {"values are visited more than once", "`backward()` calls itself"}


def observed(text):
    """What programs do on an engine, in this process."""
    engine = TrustedEngine(text)
    return {name: engine.gives(name) for name in SHORT}


def failures(observations):
    """What is not right, if it has to be there or is."""
    outcomes = {name: outcome(BEHAVIOURS[name], seen) for name, seen in observations.items()}
    return [
        name
        for name, result in outcomes.items()
        if result != PASSED and (result != MISSING or BEHAVIOURS[name].demand == REQUIRED)
    ]


def named(observations):
    """How often each cause is named; what is missing is named as such."""
    found = explained(observations)
    missing = {observations[name].missing for name in failures(observations)} - {""}
    told = [fault.name for faults in found.values() for fault in faults]
    return Counter([*told, *(f"`{what}` is missing" for what in missing)])


# ---- right, in every style ----


@pytest.mark.parametrize("style", ["closures", "local", "tape", "dataclass", "tensor"])
def test_a_correct_engine_gets_full_marks(style):
    """Nothing that counts depends on how an engine is built."""
    if style == "tensor":
        pytest.importorskip("numpy")
    report = grade(ENGINES / f"{style}.py")
    assert report.passed
    assert report.score == 100
    assert len(report.counted) > 80


@pytest.mark.parametrize("engine", correct(), ids=["lecture", "otherwise"])
def test_the_engines_that_faults_are_planted_in_are_right(engine):
    """Before a fault is planted in them they do all that counts."""
    names = [b.name for b in BEHAVIOURS.values() if b.demand != FURTHER]
    assert failures({name: engine.gives(name) for name in names}) == []


# ---- one fault ----


def test_the_faults():
    """Each is planted somewhere, no edit of it goes nowhere, and it breaks something."""
    texts = [engine.text for engine in correct()]
    for fault in [*FAULTS, *LIMITS]:
        assert all(any(old in text for text in texts) for old in fault.edits), fault.name
    right = correct()[0]
    for name, engines in faulty().items():
        for engine in engines:
            assert not all(agree(engine.gives(b), right.gives(b)) for b in SHORT), name


def test_mutants():
    """Of more than a hundred faults each is caught, and nearly all are named, and nothing else is.

    The mutants are other engines than those which the grader compares with.
    """
    seen = {m.cause: observed(m.text()) for m in MUTANTS if m.cause not in ENDLESS}
    assert len(seen) == len(MUTANTS) - 2 * len(ENDLESS) + 1 >= 100
    assert [cause for cause, observations in seen.items() if not failures(observations)] == []
    right = [cause for cause, observations in seen.items() if set(named(observations)) == {cause}]
    assert len(right) >= 110


def graded(mutant, tmp_path):
    """A mutant's report, from a file and by a process of its own."""
    file = tmp_path / "engine.py"
    file.write_text(mutant.text())
    return grade(file, only=["reuse", "order"], limits=Limits(each=0.3))


@pytest.mark.parametrize(
    "mutant",
    [m for m in MUTANTS if m.cause in ENDLESS],
    ids=lambda m: f"{m.engine}: {m.cause}",
)
def test_endless_mutants(mutant, tmp_path):
    """A walk along a billion ways is stopped, and what it gives elsewhere tells its cause."""
    report = graded(mutant, tmp_path)
    told = Counter(result.cause.partition(". ")[0] for result in report.failures)
    assert told.pop(mutant.cause) >= 4
    assert set(told) <= {""}


def test_the_advice_is_in_the_report(tmp_path):
    """The report tells the fault's name and what to write instead."""
    report = graded(
        next(m for m in MUTANTS if m.cause == "`=` for `+=` in the rule of `+`"), tmp_path
    )
    assert report.failures[0].cause.startswith("`=` for `+=` in the rule of `+`. ")
    assert report.failures[0].cause.endswith("write `+=`.")


def test_several_faults():
    """Faults that break different things are each found where they show."""
    together = ["`__rsub__` is swapped", "`1 + t**2` for `1 - t**2` in tanh", "log has the base 10"]
    edits = {old: new for m in MUTANTS if m.cause in together for old, new in m.edits.items()}
    found = explained(observed(Mutant("", "local", edits).text()))
    assert {name: fault.name for name, (fault,) in found.items() if name in ("5 - a", "log")} == {
        "5 - a": "`__rsub__` is swapped",
        "log": "log has the base 10",
    }
    assert {fault.name for faults in found.values() for fault in faults} == set(together)


UNHEARD_OF = {
    "a slope 3 % off": {"slope = n * self": "slope = 1.03 * n * self"},
    "a gradient a little larger": {"slope * v.grad": "slope * v.grad + 1e-3"},
    "tanh shifted": {"y = math.tanh(self.data)": "y = math.tanh(self.data + 0.1)"},
    "an exception": {"        slope = n *": "        raise KeyError\n        slope = n *"},
}


@pytest.mark.parametrize("edits", UNHEARD_OF.values(), ids=UNHEARD_OF)
def test_no_cause_is_made_up(edits):
    """An engine that is wrong in a way of its own is given no cause."""
    observations = observed(Mutant("", "local", edits).text())
    assert failures(observations)
    assert explained(observations) == {}


def test_some_behaviours_are_enough():
    """A cause is found among the groups that were asked for."""
    observations = observed(next(m for m in MUTANTS if m.cause == "operands in a set").text())
    asked = {n: seen for n, seen in observations.items() if BEHAVIOURS[n].group == "reuse"}
    assert named(asked).most_common(1)[0][0] == "operands in a set"
