"""A result in words: the program, what was expected of it and what it did instead."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from chainrule.grader.behaviour import FURTHER
from chainrule.grader.judge import MISSING, same
from chainrule.grader.runner import in_words_of
from chainrule.grader.worker import NETWORKS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.grader.judge import Report, Result

REMARK = "#   "  # what a comment begins with that tells what went wrong

_REFLECTED = {
    "__radd__": "+ (in sum() too)",
    "__rsub__": "-",
    "__rmul__": "*",
    "__rtruediv__": "/",
    "__rpow__": "**",
}


def program(result: Result, name: str) -> str:
    """The program as it ran, with what went wrong as comments below the line that shows it.

    Args:
        result: of one behaviour.
        name: the name of the class.

    >>> from chainrule.grader.behaviours import BEHAVIOURS
    >>> from chainrule.grader.judge import Observation, Result
    >>> a_plus_a = Result(BEHAVIOURS["a + a"], Observation([[6.0, 1.0]]), "wrong", True, "")
    >>> print(program(a_plus_a, "Value"))
    a = Value(3.0)
    b = a + a
    b.backward()
    print(b.data, a.grad)  # 6, 2
    #   expected 6, 2
    #   got      6, 1
    """
    lines = in_words_of(name, result.behaviour.program).splitlines()
    number, remarks = _remarks(result, lines)
    indent = lines[number - 1][: len(lines[number - 1]) - len(lines[number - 1].lstrip())]
    lines[number:number] = [f"{indent}{REMARK}{remark}" for remark in remarks]
    return "\n".join(lines)


def _remarks(result: Result, lines: list[str]) -> tuple[int, list[str]]:
    """What went wrong, and below which line of the program it is to be said."""
    observed, expected = result.observed, result.behaviour.expected
    prints = [k + 1 for k, line in enumerate(lines) if line.lstrip().startswith("print(")]
    for number, got, right in zip(prints, observed.printed, expected):
        if not same(got, right):
            return number, [f"expected {shown(right)}", f"got      {shown(got)}"]
    if observed.stopped:
        return len(lines), [observed.stopped]
    if observed.error:
        place = [f"at {observed.place}"] if observed.place else []
        return observed.line or len(lines), [observed.error, *place]
    return len(lines), []


def shown(values: Sequence[object]) -> str:
    """Values as a learner writes them.

    >>> shown([6.0, 0.1 + 0.2, True, [1.0]])
    '6, 0.3, True, [1]'
    """
    return ", ".join(map(_shown, values))


def _shown(value: object) -> str:
    if isinstance(value, list):
        return f"[{shown(value)}]"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value)


def reason(result: Result, name: str) -> str:
    """Why a result is what it is, in one line."""
    if result.cause:
        return result.cause[0].upper() + result.cause[1:]
    if result.outcome == MISSING:
        return _missing(result.observed.missing, name)
    return result.observed.stopped or result.observed.error or "a wrong number"


def _missing(what: str, name: str) -> str:
    """What to write, for something that is missing.

    >>> _missing("__rsub__", "Value")
    'Value has no __rsub__, which Python calls where a number stands left of -.'
    """
    if what in _REFLECTED:
        sign = _REFLECTED[what]
        return f"{name} has no {what}, which Python calls where a number stands left of {sign}."
    if what in (name, *NETWORKS):
        return f"There is no class {what}."
    if what.endswith("()"):
        return f"{what[:-2]} asks for more arguments than it was given."
    if what.endswith("="):
        return f"There is no argument {what}."
    if what.isidentifier():
        is_method = what not in ("data", "grad") and what[0] != "_"
        return f"There is no {what}{'()' if is_method else ''}."
    return "It is not written yet."


def together(results: Sequence[Result]) -> list[list[Result]]:
    """Results that have one reason, put together; those without a known one stay alone."""
    groups: dict[object, list[Result]] = {}
    for result in results:
        observed = result.observed
        known = result.cause or observed.missing or observed.stopped or observed.place
        groups.setdefault(known or result.behaviour.name, []).append(result)
    return list(groups.values())


def import_line(report: Report) -> str:
    """What a program needs before it.

    >>> from chainrule.grader.judge import Report
    >>> import_line(Report("work/engine.py", "Value", [], "", [], "", 0.0))
    'from engine import Value'
    """
    module = PurePath(report.target).stem if report.target.endswith(".py") else report.target
    return f"from {module} import {report.name}"


def summary(report: Report) -> str:
    """The score, in one line."""
    right = len(report.counted) - len(report.failures)
    further = [r for r in report.results if r.behaviour.demand == FURTHER and not r.counted]
    beyond = sum(result.passed for result in further)
    more = f"; {beyond} of {len(further)} that go further" if further else ""
    return f"{right} of {len(report.counted)} behaviours right ({report.score}%){more}"
