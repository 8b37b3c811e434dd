"""A report for other programs: as JSON, and in the form that Gradescope reads."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from chainrule import __version__
from chainrule.grader.behaviours import CHAPTERS
from chainrule.grader.words import program, reason, summary

if TYPE_CHECKING:
    from chainrule.grader.judge import Report, Result


def as_json(report: Report) -> dict[str, Any]:
    """All of a report, as dictionaries and lists.

    Numbers that JSON does not have are texts: "inf", "-inf" and "nan".
    """
    return {
        "chainrule": __version__,
        "target": report.target,
        "class": report.name,
        "passed": report.passed,
        "score": report.score,
        "problem": report.problem,
        "hints": report.hints,
        "chapters": _chapters(report),
        "behaviours": [_behaviour(result, report.name) for result in report.results],
        "output": report.output,
        "seconds": round(report.seconds, 3),
    }


def _chapters(report: Report) -> list[dict[str, Any]]:
    return [
        {"title": title, "groups": [_group(group, report) for group in groups]}
        for title, groups in CHAPTERS.items()
    ]


def _group(group: str, report: Report) -> dict[str, Any]:
    counted = [result for result in report.counted if result.behaviour.group == group]
    passed = sum(result.passed for result in counted)
    return {"name": group, "passed": passed, "counted": len(counted)}


def _behaviour(result: Result, name: str) -> dict[str, Any]:
    behaviour, observed = result.behaviour, result.observed
    return {
        "name": behaviour.name,
        "group": behaviour.group,
        "demand": behaviour.demand,
        "outcome": result.outcome,
        "counted": result.counted,
        "program": program(result, name),
        "expected": _finite(behaviour.expected),
        "printed": _finite(observed.printed),
        "error": observed.error,
        "missing": observed.missing,
        "place": observed.place,
        "stopped": observed.stopped,
        "cause": result.cause,
    }


def _finite(thing: object) -> object:
    if isinstance(thing, list):
        return [_finite(element) for element in thing]
    return str(thing) if isinstance(thing, float) and not math.isfinite(thing) else thing


# ---- Gradescope ----


def as_gradescope(report: Report) -> dict[str, Any]:
    """A report in the form of results.json, which Gradescope's autograder reads.

    The score is out of 100, whichever behaviours an engine has besides those that are required.
    Source: https://gradescope-autograders.readthedocs.io/en/latest/specs/.
    """
    said = [report.problem, *report.hints, summary(report)]
    return {
        "score": float(report.score),
        "execution_time": round(report.seconds, 3),
        "output": "\n".join(text for text in said if text),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "extra_data": {"chainrule": __version__, "class": report.name},
        "tests": _tests(report),
    }


def _tests(report: Report) -> list[dict[str, Any]]:
    """A test for each behaviour, numbered by chapter."""
    tests = []
    for chapter, groups in enumerate(CHAPTERS.values(), start=1):
        results = [result for result in report.results if result.behaviour.group in groups]
        for number, result in enumerate(results, start=1):
            tests.append({**_test(result, report.name), "number": f"{chapter}.{number}"})
    return tests


def _test(result: Result, name: str) -> dict[str, Any]:
    """One test; what does not count has no points, and no status unless it is right."""
    points = float(result.counted)
    status = "passed" if result.passed else "failed" if result.counted else None
    told = (
        [program(result, name)] if result.passed else [program(result, name), reason(result, name)]
    )
    test = {
        "score": points * result.passed,
        "max_score": points,
        "name": f"{result.behaviour.group}: {result.behaviour.name}",
        "name_format": "text",
        "output": "\n\n".join(told),
        "output_format": "text",
        "tags": [result.behaviour.group, result.behaviour.demand],
        "visibility": "visible",
    }
    return test if status is None else {**test, "status": status}
