"""What was observed of an engine, judged."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from chainrule.grader.behaviour import Behaviour

PASSED, WRONG, MISSING, STOPPED = "passed", "wrong", "missing", "stopped"
_RELATIVE, _ABSOLUTE = 1e-9, 1e-12


class Observation(NamedTuple):
    """What a program did on an engine.

    Attributes:
        printed: what each print was given, as numbers, texts and lists.
        error: what was raised, as "TypeError: its message".
        missing: what is not there, as "__radd__", if that was the reason.
        line: the line of the program in which it was raised, counted from 1.
        place: where in the engine it was raised, as "engine.py, line 7, in __add__".
        stopped: why the program did not come to its end, in words: too slow, a crash.
    """

    printed: list[list[object]] = []
    error: str = ""
    missing: str = ""
    line: int = 0
    place: str = ""
    stopped: str = ""


Observations = dict[str, Observation]


def outcome(behaviour: Behaviour, observed: Observation) -> str:
    """Whether a program printed what it should: "passed", "wrong", "missing" or "stopped".

    >>> from chainrule.grader.behaviours import BEHAVIOURS
    >>> outcome(BEHAVIOURS["a + a"], Observation([[6.0, 1.0]]))
    'wrong'
    >>> outcome(BEHAVIOURS["5 - a"], Observation([], "TypeError: ...", missing="__rsub__"))
    'missing'
    """
    if observed.stopped:
        return STOPPED
    if observed.error:
        return MISSING if observed.missing else WRONG
    return PASSED if same(observed.printed, behaviour.expected) else WRONG


def same(a: object, b: object) -> bool:
    """Whether two printed things agree: numbers but for rounding, all else exactly.

    >>> same([0.1 + 0.2, math.nan, True], [0.3, math.nan, 1.0])
    True
    >>> same([1.0], [1.0, 1.0])
    False
    """
    if isinstance(a, (list, tuple)) and isinstance(b, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=_RELATIVE, abs_tol=_ABSOLUTE) or (a != a and b != b)
    return a == b


def agree(a: Observation, b: Observation) -> bool:
    """Whether two engines did the same: printed the same, and failed in the same line and way.

    Where in their source they failed, and what the message says besides, may differ.
    """
    return (
        same(a.printed, b.printed)
        and a.error.partition(":")[0] == b.error.partition(":")[0]
        and a.line == b.line
        and a.missing == b.missing
        and bool(a.stopped) == bool(b.stopped)
    )


# ---- the report ----


class Result(NamedTuple):
    """A behaviour, what was observed of it, and how that is judged.

    Attributes:
        behaviour: what was asked.
        observed: what the engine did.
        outcome: "passed", "wrong", "missing" or "stopped".
        counted: whether it is part of the score.
        cause: the likely cause of a failure, in words; "" if it is not known.
    """

    behaviour: Behaviour
    observed: Observation
    outcome: str
    counted: bool
    cause: str

    @property
    def passed(self) -> bool:
        """Whether the engine does what is asked."""
        return self.outcome == PASSED


class Report(NamedTuple):
    """What is to be said of an engine.

    Attributes:
        target: the file or module that was graded.
        name: the name of its class.
        results: a result for each behaviour that was asked, in the order of the chapters.
        problem: why no program could run; "" if they could.
        hints: what the engine does without that programs ask for, in words.
        output: the beginning of what it printed.
        seconds: how long it took.
    """

    target: str
    name: str
    results: list[Result]
    problem: str
    hints: list[str]
    output: str
    seconds: float

    @property
    def passed(self) -> bool:
        """Whether all that is counted is right."""
        return not self.problem and all(result.passed for result in self.counted)

    @property
    def counted(self) -> list[Result]:
        """The results that make the score."""
        return [result for result in self.results if result.counted]

    @property
    def failures(self) -> list[Result]:
        """The counted results that are not right."""
        return [result for result in self.counted if not result.passed]

    @property
    def score(self) -> int:
        """The part of what is counted that is right, from 0 to 100, rounded down."""
        passed = sum(result.passed for result in self.counted)
        return 100 * passed // max(1, len(self.counted))
