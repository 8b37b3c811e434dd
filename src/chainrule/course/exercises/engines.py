"""The course's own engine with faults put in, as learners make them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from chainrule.course.exercises.orders import as_met, level_by_level

_ENGINE = Path(__file__).parent.parent / "solutions/my_engine.py"


def engine(*edits: tuple[str, str]) -> Any:
    """What the course's engine defines after some edits of its text.

    >>> subtracting = engine(("self.data + other.data", "self.data - other.data"))
    >>> (subtracting.Value(5.0) + subtracting.Value(3.0)).data
    2.0
    """
    text = _ENGINE.read_text(encoding="utf-8")
    for old, new in edits:
        assert old in text, old
        text = text.replace(old, new)
    names: dict[str, Any] = {"as_met": as_met, "level_by_level": level_by_level}
    exec(text, names)
    return SimpleNamespace(**names)


def value_class(*edits: tuple[str, str]) -> Any:
    """The class of values of that engine."""
    return engine(*edits).Value
