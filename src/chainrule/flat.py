"""Many values' numbers as one flat vector, and back: the loops that cost a program's every run.

Values keep their numbers themselves, so that these are right whenever anybody looks; a program
works on copies of them.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chainrule.engine import Value


def read_data(values: Sequence[Value], vector: Any) -> None:
    """Copy the data of values to a vector of float64 of their number."""
    for i, value in enumerate(values):
        vector[i] = value._data


def write_data(values: Sequence[Value], vector: Any) -> None:
    """Set the data of leaves to the numbers of a vector."""
    for i, value in enumerate(values):
        value._data = float(vector[i])


def write_grads(values: Sequence[Value], vector: Any) -> None:
    """Set the gradients of leaves to the numbers of a vector."""
    for i, value in enumerate(values):
        value._grad = float(vector[i])


def add_grads(values: Sequence[Value], vector: Any) -> None:
    """Add the numbers of a vector to the gradients of leaves."""
    for i, value in enumerate(values):
        value._grad += float(vector[i])
