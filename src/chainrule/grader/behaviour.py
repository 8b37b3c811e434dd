"""A behaviour: a program of a few lines, and what it prints if the engine is right."""

from __future__ import annotations

import math
import re
from textwrap import dedent
from typing import NamedTuple

REQUIRED, IF_THERE, FURTHER = "required", "if there", "further"

_TITLE = re.compile(rf"# (?P<name>.+?)(?: \((?P<demand>{IF_THERE}|{FURTHER})\))?$")
_PRINT = re.compile(r"^ *(?P<call>print\(.*\))  # (?P<expected>.+)$", re.MULTILINE)
_MATHEMATICS = {name: thing for name, thing in vars(math).items() if not name.startswith("_")}


class Behaviour(NamedTuple):
    """Something that an engine does, shown by a program.

    Attributes:
        name: what is right, in a few words; no two behaviours share one.
        group: the group in which it is counted.
        demand: "required"; "if there", for what an engine may do without but not do wrong; or
            "further", for what the lecture's own engine lacks, so that it is told but not counted.
        program: the program. Behind each `print` stands, as a comment, what is right: plain
            arithmetic that needs no engine.
    """

    name: str
    group: str
    demand: str
    program: str

    @property
    def prints(self) -> list[str]:
        """The calls of print, in their order."""
        return [found["call"] for found in _PRINT.finditer(self.program)]

    @property
    def expected(self) -> list[list[object]]:
        """What each print is to be given: the formulas in the comments, computed."""
        formulas = [found["expected"] for found in _PRINT.finditer(self.program)]
        return [list(eval(f"({formula},)", dict(_MATHEMATICS))) for formula in formulas]

    def bare(self) -> str:
        """The program without what is expected of it, line by line the same."""
        return _PRINT.sub(lambda found: found[0].rpartition("  # ")[0], self.program)


def read(groups: dict[str, str]) -> list[Behaviour]:
    """The behaviours written down in texts.

    Args:
        groups: for each group a text of programs with an empty line between them. Each begins
            with its name as a comment, and in parentheses the demand, if it is not required.

    >>> add = read({"sums": "# a + a (further)\\nprint(Value(2.0) + Value(2.0))  # 2 + 2"})[0]
    >>> add.name, add.demand, add.expected, add.bare()
    ('a + a', 'further', [[4]], 'print(Value(2.0) + Value(2.0))')
    """
    return [
        _behaviour(group, paragraph)
        for group, text in groups.items()
        for paragraph in dedent(text).strip().split("\n\n")
    ]


def _behaviour(group: str, paragraph: str) -> Behaviour:
    title, _, program = paragraph.partition("\n")
    found = _TITLE.match(title)
    assert found, title
    return Behaviour(found["name"], group, found["demand"] or REQUIRED, program)
