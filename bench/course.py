"""How long the chapters of the course take, each from a clean kernel: python -m bench.course

The kernel's start is part of it, as it is of what a learner waits for.
"""

from __future__ import annotations

import pathlib
import shutil
import tempfile
import time

import jupytext
from nbclient import NotebookClient

import chainrule
from bench._common import target
from chainrule.commands.course import COURSE

LIMIT = 300.0  # seconds, for all together


def seconds(chapter: pathlib.Path) -> float:
    """The time to run a chapter from its first cell to its last."""
    start = time.perf_counter()
    where = {"metadata": {"path": str(chapter.parent)}}
    NotebookClient(jupytext.read(chapter), timeout=300, resources=where).execute()
    return time.perf_counter() - start


def main() -> None:
    """Run all chapters in a copy of the course, one after the other."""
    print(f"chapters, {'native' if chainrule.native else 'pure Python'}")
    total = 0.0
    with tempfile.TemporaryDirectory() as folder:
        course = shutil.copytree(COURSE / "chapters", folder, dirs_exist_ok=True)
        for chapter in sorted(pathlib.Path(course).glob("[0-9]*.py")):
            taken = seconds(chapter)
            total += taken
            print(f"  {chapter.stem:35}{taken:6.1f} s")
    target("all chapters", f"at most {LIMIT:.0f} s", f"{total:.0f} s", total <= LIMIT)


if __name__ == "__main__":
    main()
