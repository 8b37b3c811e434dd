"""`chainrule draw`: an expression with its gradients, in the terminal or as a file."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from chainrule.engine import Value, operands_first
from chainrule.errors import ArgumentError
from chainrule.expressions import parse, quoted


def draw(
    expression: Annotated[
        str, typer.Argument(metavar="EXPRESSION", help='As "a*b + c"; functions as in tanh(a).')
    ],
    numbers: Annotated[
        list[str] | None, typer.Argument(metavar="NAME=NUMBER", help="As a=2 b=-3 c=10.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(help="A drawing, .svg, .png or .dot; or .html, a page to step through."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> None:
    """Draw an expression with the gradient of every value, in the terminal or into a file."""
    value = parse(expression, _leaves(numbers or []))
    if out is None:
        from chainrule.viz.tree import tree

        print(tree(value))
    else:
        check_new_file(out, force)
        _save(value, out)
        print(f"saved: {out}")


def _leaves(numbers: Sequence[str]) -> dict[str, Value]:
    """The values of "a=2", "b=-3", labelled by their names."""
    leaves: dict[str, Value] = {}
    for given in numbers:
        name, equals, number = given.partition("=")
        if not equals:
            raise ArgumentError(f"a number is given as a=2, not as {quoted(given)}")
        if name in leaves:
            raise ArgumentError(f"{quoted(name)} is given two numbers")
        leaves[name] = Value(_number(name, number), label=name)
    return leaves


def _number(name: str, text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ArgumentError(f"{quoted(name)} must be a finite number, not {quoted(text)}")
    return number


def check_new_file(out: Path, force: bool) -> None:
    """Refuse a file that is there, or whose folder is not."""
    if out.exists() and not force:
        raise ArgumentError(f"{out} is there already: say --force to overwrite it")
    if not out.parent.is_dir():
        raise ArgumentError(f"--out must be a file in a folder that is there, not {out}")


def _save(value: Value, out: Path) -> None:
    """Write the drawing, or the page; that of many values is the one whose groups open."""
    from chainrule import explore, viz

    value.backward()
    is_page = out.suffix.lower() == ".html" and len(operands_first(value)) <= viz.MANY
    (explore(value) if is_page else viz.draw(value)).save(out)
