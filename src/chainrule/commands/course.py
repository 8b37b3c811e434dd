"""`chainrule course`: the course, copied out of the package into a folder to work in."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Annotated

import typer

from chainrule.errors import ArgumentError

COURSE = Path(__file__).parent.parent / "course"


def course(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="An empty or a new folder.")],
) -> None:
    """Copy the course into a folder, and say how to open it."""
    _check_empty(folder)
    leave = shutil.ignore_patterns("__pycache__")
    shutil.copytree(COURSE / "chapters", folder, ignore=leave, dirs_exist_ok=True)
    shutil.copytree(COURSE / "solutions", folder / "solutions", ignore=leave)
    print(_how_to_open(folder))


def _check_empty(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ArgumentError(f"DIR must be a folder, and {folder} is a file")
    if folder.exists() and any(folder.iterdir()):
        raise ArgumentError(f"DIR must be empty or new, and {folder} holds files: nothing was done")


def _how_to_open(folder: Path) -> str:
    chapters = sorted(folder.glob("[0-9]*.py"))
    first = chapters[0].name
    return f"""\
{folder} holds {len(chapters)} chapters, my_engine.py, which you will write, and solutions.

    pip install "chainrule[course]"
    cd {folder}

Jupyter       jupyter lab; right-click {first}, Open With, Notebook
VS Code       code .; open {first}, Run Cell; it needs the extensions Python and Jupyter
marimo        pip install marimo; marimo convert {first} -o 01.py; marimo edit 01.py
plain Python  python {first}; pictures become files"""
