"""Values in flat lists and vectors: the loops that tracing and every run of a program wait for.

Values keep their numbers themselves, so that these are right whenever anybody looks; a program
works on copies of them.
"""

from __future__ import annotations

from chainrule.engine import NAMES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
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


def add_nodes(
    made: Sequence[Value],
    places: dict[int, int],
    enter: Callable[[Value], int],
    graph: Any,
    values: list[Value],
) -> None:
    """Append values that ops made, each after its operands, to the lists of a graph.

    Args:
        made: the values.
        places: by the id of each value of the graph, the number of its node.
        enter: is called with an operand that has none, and gives it one.
        graph: the scalar graph, whose lists grow.
        values: those of the nodes of the graph.
    """
    ops, operands, numbers = graph.ops, graph.operands, graph.numbers
    for value in made:
        if value._rare is not None:
            found = tuple([_place(x, places, enter) for x in value.operands])
        elif value._b is None:
            found = (_place(value._a, places, enter),)
        else:
            found = (_place(value._a, places, enter), _place(value._b, places, enter))
        places[id(value)] = len(values)
        values.append(value)
        ops.append(NAMES[value._code])
        operands.append(found)
        numbers.append(value._data)


def _place(value: Any, places: dict[int, int], enter: Callable[[Value], int]) -> int:
    found = places.get(id(value))
    return enter(value) if found is None else found


def are_held(containers: list[Any], held: list[list[Any]]) -> bool:
    """Whether each container holds the very objects that it held, in the native build.

    Args:
        containers: lists, dictionaries, and objects of which `gc.get_referents` shows something.
        held: a list for each, of a list's entries, of the keys and entries of a dictionary in
            turn, or of what `gc.get_referents` shows.
    """
    same: bool = all_hold(containers, held)  # type: ignore[name-defined]  # noqa: F821 - of flat.pxd
    return same


def are_named(
    scopes: list[dict[str, Any]], names: list[str], objects: list[Any], missing: Any
) -> bool:
    """Whether each name stands in its scope for the very object; `missing` for none at all."""
    for i, scope in enumerate(scopes):  # noqa: SIM110 - a loop of C in the native build
        if scope.get(names[i], missing) is not objects[i]:
            return False
    return True
