"""Random expressions, for all tests that want many: the same one of values or of tensors."""

from __future__ import annotations

from typing import Any, NamedTuple

from hypothesis import strategies as st

from chainrule import TABLE

_ROWS = sorted(name for name, row in TABLE.items() if isinstance(row.value, str))  # no users' ops
_LARGE = 30.0


class Expression(NamedTuple):
    """Leaves, and steps that each apply an op to earlier numbers, given by their places."""

    leaves: tuple[float, ...]
    steps: tuple[tuple[str, tuple[int, ...]], ...]

    def evaluate(self, leaves: list[Any], functions: Any) -> Any:
        """The last step's result, of leaves of any kind and a function for each op's name."""
        numbers = list(leaves)
        for name, places in self.steps:
            numbers.append(functions[name](*[numbers[place] for place in places]))
        return numbers[-1]


def decoded(leaves: list[float], code: bytes) -> Expression:
    """Four bytes a step: the op, and how far back each operand is; at the end the last few added.

    Where a step would be large it is an atan instead, and where it would stop the gradient it is,
    but for a few, a sum: so numbers and gradients stay alive.
    """
    numbers, steps = list(leaves), []

    def step(name: str, *places: int) -> None:
        steps.append((name, places))
        numbers.append(TABLE[name].local(*[numbers[place] for place in places])[0])

    for at in range(0, len(code) - 3, 4):
        name = _ROWS[code[at] % len(_ROWS)]
        reach = min(len(numbers), 12)
        last = len(numbers) - 1
        places = [last - code[at + 1 + i] % reach for i in range(len(TABLE[name].operands))]
        number, *slopes = TABLE[name].local(*[numbers[place] for place in places])
        if not all(abs(x) < _LARGE for x in (number, *slopes)):
            step("atan", places[0])
        elif max(map(abs, slopes)) < 0.03 and code[at + 3] > 16:
            step("add", last, last - code[at + 3] % reach)
        else:
            step(name, *places)
    first = len(numbers) - min(len(numbers), 6)
    for place in range(first, first + min(len(code) // 4, 5)):
        step("add", place, len(numbers) - 1)
    return Expression(tuple(leaves), tuple(steps))


def expressions(max_steps: int = 200, least: float = 0.0) -> st.SearchStrategy[Expression]:
    """Expressions of 1 to `max_steps` ops over 1 to 5 leaves, with shared operands.

    No leaf is nearer to 0 than `least`.
    """
    numbers = st.floats(least, 3.0, allow_subnormal=False)
    return st.builds(
        decoded,
        st.lists(numbers | numbers.map(lambda x: -x), min_size=1, max_size=5),
        st.integers(1, max_steps).flatmap(lambda n: st.binary(min_size=4 * n, max_size=4 * n)),
    )
