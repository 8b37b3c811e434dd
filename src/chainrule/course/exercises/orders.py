"""Orders of a graph that look like topological ones and are not."""

from __future__ import annotations

from typing import Any


def as_met(result: Any) -> list[Any]:
    """Depth first, but each value is appended before its operands; then turned round."""
    order: list[Any] = []

    def visit(value: Any) -> None:
        if value not in order:
            order.append(value)
            for operand in value.operands:
                visit(operand)

    visit(result)
    return order[::-1]


def level_by_level(result: Any) -> list[Any]:
    """By the least distance from the result; then turned round."""
    order, level = [result], [result]
    while level:
        level = [x for value in level for x in value.operands if x not in order]
        order += dict.fromkeys(level)
    return order[::-1]
