"""`chainrule grade`: an engine like micrograd's, judged behaviour by behaviour."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from chainrule.errors import ArgumentError


def grade(
    target: Annotated[
        str, typer.Argument(metavar="FILE_OR_MODULE", help="As engine.py, or micrograd.engine.")
    ],
    name: Annotated[str, typer.Option("--class", help="The name of its class.")] = "Value",
    only: Annotated[
        list[str] | None, typer.Option(help="A group of behaviours; may be repeated.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
    gradescope: Annotated[
        bool, typer.Option("--gradescope", help="Print it as Gradescope's results.json.")
    ] = False,
) -> None:
    """Judge an engine like micrograd's: what is right, what is wrong or missing, and why.

    It runs in a process of its own, with limits, but in no sandbox: strangers' code needs one.

    The status is 0 only if all that counts is right.
    """
    from chainrule.grader import formats
    from chainrule.grader import grade as graded

    if as_json and gradescope:
        raise ArgumentError("--json and --gradescope are two forms of one report: say one of them")
    report = graded(target, name, only)
    if as_json or gradescope:
        form = formats.as_json if as_json else formats.as_gradescope
        print(json.dumps(form(report), indent=2, allow_nan=False))
    else:
        from rich.console import Console

        from chainrule.grader.tables import terminal

        Console().print(terminal(report))
    raise typer.Exit(0 if report.passed else 1)
