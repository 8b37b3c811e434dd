"""A report on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from chainrule.grader.behaviour import FURTHER
from chainrule.grader.behaviours import CHAPTERS
from chainrule.grader.judge import MISSING, STOPPED, WRONG
from chainrule.grader.words import REMARK, import_line, program, reason, summary, together

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType

    from chainrule.grader.judge import Report, Result


def terminal(report: Report) -> RenderableType:
    """A report as tables and texts for rich to print."""
    parts: list[RenderableType] = [Text(f"{report.name} in {report.target}", style="bold"), ""]
    parts += [_remark(hint) for hint in [report.problem, *report.hints] if hint]
    if not report.problem:
        parts += [_scores(report), *_failures(report), *_further(report)]
    return Group(*parts, _verdict(report))


def _remark(text: str) -> RenderableType:
    return Group(Text(f"{text}.", style="bold"), "")


def _verdict(report: Report) -> Text:
    return Text(summary(report), style="bold green" if report.passed else "bold red")


# ---- the score ----


def _scores(report: Report) -> RenderableType:
    table = Table(box=None, pad_edge=False, header_style="")
    table.add_column("")
    table.add_column("right", justify="right")
    table.add_column("further", justify="right")
    table.add_column("")
    for chapter, groups in CHAPTERS.items():
        of_chapter = [r for r in report.results if r.behaviour.group in groups]
        if of_chapter:
            table.add_row(*_cells(chapter, of_chapter), style="bold")
        for group in groups:
            of_group = [r for r in of_chapter if r.behaviour.group == group]
            if of_group:
                table.add_row(*_cells(f"  {group}", of_group), _kinds(of_group))
    return Group(table, "")


def _cells(name: str, results: Sequence[Result]) -> list[RenderableType]:
    counted = [r for r in results if r.counted]
    further = [r for r in results if not r.counted and r.behaviour.demand == FURTHER]
    right = all(r.passed for r in counted)
    return [name, Text(_share(counted), style="green" if right else "red"), _share(further)]


def _share(results: Sequence[Result]) -> str:
    return f"{sum(r.passed for r in results)} of {len(results)}" if results else ""


def _kinds(results: Sequence[Result]) -> str:
    """How many of a group's counted results failed, and how."""
    counts = {
        kind: sum(r.counted and r.outcome == kind for r in results)
        for kind in (WRONG, MISSING, STOPPED)
    }
    return ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)


# ---- what failed ----


def _failures(report: Report) -> list[RenderableType]:
    parts: list[RenderableType] = []
    if report.failures:
        parts += [Text(f"To run one of these, put before it: {import_line(report)}", "dim"), ""]
    for first, *others in together(report.failures):
        title = Text.assemble((f"{first.outcome}: ", "red"), (first.behaviour.name, "bold"))
        title.append(f"  ({first.behaviour.group})", style="dim")
        parts += [title, _code(program(first, report.name))]
        if first.cause or first.outcome == MISSING:
            parts.append(_indented(Text(reason(first, report.name), style="bold")))
        if others:
            names = ", ".join(result.behaviour.name for result in others)
            parts.append(_indented(Text(f"also: {names}", style="dim")))
        parts.append("")
    return parts


def _code(text: str) -> RenderableType:
    code = Text(text)
    code.highlight_regex("(?m)  # .*$", "dim")
    code.highlight_regex(f"(?m)^ *{REMARK}.*$", "red")
    return _indented(code)


def _indented(text: Text) -> RenderableType:
    return Padding(text, (0, 0, 0, 4), expand=False)


def _further(report: Report) -> list[RenderableType]:
    """What the engine could do besides, one line each."""
    results = [r for r in report.results if not r.counted and not r.passed]
    results = [r for r in results if r.behaviour.demand == FURTHER]
    if not results:
        return []
    table = Table(box=None, pad_edge=False, show_header=False)
    for result in results:
        table.add_row(f"  {result.behaviour.name}", Text(reason(result, report.name), style="dim"))
    return [Text("Going further, not counted:", style="bold"), table, ""]
