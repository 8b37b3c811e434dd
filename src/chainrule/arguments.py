"""Checks of what the user gave, each with one message that says what would be right."""

from __future__ import annotations

from chainrule.errors import ArgumentError, NumberError, StateError
from chainrule.floats import as_number
from chainrule.ops import TABLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from chainrule.engine import Value


def as_inputs(x: Any, nin: int) -> list[Any]:
    """x as a list of nin inputs; a layer of one neuron hands on a value and not a list.

    Raises:
        ArgumentError: there are more or fewer.
    """
    inputs = x if type(x) is list else list(x) if hasattr(x, "__iter__") else [x]
    if len(inputs) != nin:
        check_count("inputs", inputs, nin)
    return inputs


def check_choice(what: str, name: object, choices: Sequence[str]) -> None:
    """Refuse a name that is not among the choices.

    Raises:
        ArgumentError: lists the choices, and names the one that looks most like it.
    """
    if name not in choices:
        from difflib import get_close_matches  # slow to import, and seldom needed

        near = get_close_matches(str(name), choices, n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        raise ArgumentError(f"no {what} is called {name!r}; there are {', '.join(choices)}{hint}")


def check_activation(name: object) -> None:
    """Refuse what is neither "linear" nor the name of an op of one operand.

    Raises:
        ArgumentError: lists the names.
    """
    unary = [row.name for row in TABLE.values() if len(row.operands) == 1]
    check_choice("activation", name, ["linear", *unary])


def check_count(what: str, given: Sequence[object], needed: int) -> None:
    """Refuse a list that is too short or too long.

    Raises:
        ArgumentError: gives both counts.
    """
    if len(given) != needed:
        raise ArgumentError(f"the number of {what} must be {needed}, not {len(given)}")


def check_range(what: str, number: Any, fits: Callable[[Any], bool], right: str) -> None:
    """Refuse what is no number, or a number that does not fit.

    Raises:
        ArgumentError: says what would be `right`.
    """
    if not converts(number) or not fits(number):
        raise ArgumentError(f"{what} must be {right}, not {number!r}")


def check_sizes(sizes: Any) -> None:
    """Refuse what is not a list of whole numbers from 1 up.

    Raises:
        ArgumentError: gives the sizes.
    """
    listed = isinstance(sizes, (list, tuple)) and len(sizes) > 0
    if not listed or not all(hasattr(size, "__index__") and size > 0 for size in sizes):
        raise ArgumentError(f"sizes are whole numbers from 1 up, [16, 1] say, not {sizes!r}")


def converts(x: Any) -> bool:
    """Whether x is a number that a float64 can hold."""
    try:
        as_number(x)
    except NumberError:
        return False
    return True


def by_name(pairs: Iterable[tuple[str, Value]]) -> dict[str, Value]:
    """Named values as a dictionary.

    Raises:
        StateError: two of them have one name, so that a state could hold only one.
    """
    named: dict[str, Value] = {}
    for name, value in pairs:
        if name in named:
            raise StateError(f"two parameters have one path, {name!r}: rename a key or attribute")
        named[name] = value
    return named


def check_state(
    names: Iterable[str],
    state: Mapping[str, Any],
    fits: Callable[[str, Any], bool] = lambda _, x: converts(x),
) -> None:
    """Refuse a state that has not exactly one fitting entry for each name.

    Raises:
        StateError: lists the names that are missing, unknown, or have an entry that does not fit.
    """
    known = dict.fromkeys(names)
    problems = {
        "missing": [name for name in known if name not in state],
        "unknown": [name for name in state if name not in known],
        "of a wrong kind": [
            name for name in known if name in state and not fits(name, state[name])
        ],
    }
    told = [f"{what}: {', '.join(map(str, found))}" for what, found in problems.items() if found]
    if told:
        raise StateError(f"nothing was loaded, since the state does not fit; {'; '.join(told)}")
