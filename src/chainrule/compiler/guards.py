"""What a function reads from outside of its arguments, compared with what it was at each call.

A program keeps what it was traced with for ever. So all that a function could have read then, and
that is no argument, is remembered and compared: a number, an entry of a list or dictionary, an
attribute, the value behind a name. The data of values is not: it is an input of the program.
"""

from __future__ import annotations

import types

from chainrule import flat
from chainrule.compiler.held import Held, is_shown
from chainrule.compiler.reach import reached
from chainrule.compiler.slots import MISSING, ClassAttributes, Contents, Names, Slots
from chainrule.engine import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class Heap:
    """All that a function can reach without its arguments, as it is when the heap is made.

    Args:
        function: a function, a method, or anything else that can be called.

    Raises:
        TraceError: it reaches something that cannot be watched, or too much.

    >>> __name__ = "__main__"  # code of chainrule itself is taken to be steady
    >>> rates = [0.1, 0.2]
    >>> heap = Heap(lambda x: rates[0] * x)
    >>> heap.changed()
    ''
    >>> rates[0] = 0.3
    >>> heap.changed()
    '`rates[0]` is 0.3, not 0.1'
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self._all = reached(function)
        self._snapshot = _Snapshot(self._all)

    def changed(self) -> str:
        """What is no longer as it was: a phrase about the first difference, empty if all is."""
        if self._snapshot.is_as_before():
            return ""
        for slots in self._all:
            difference = slots.difference()
            if difference:
                return difference
        self._snapshot.take()  # the same numbers, in other objects
        return ""

    def paths(self) -> dict[int, str]:
        """How the function comes to each value in a slot, by the value's id."""
        return {
            id(x): slots.name(key)
            for slots in reversed(self._all)  # the shortest path last, which stays
            for key, x in zip(slots.keys, slots.items)
            if type(x) is Value
        }

    def described(self) -> list[str]:
        """How much is watched, and the variables behind which it was found."""
        count = sum(len(slots.items) for slots in self._all)
        lines = [f"{count:,} slots of {len(self._all):,} objects are compared at each call"]
        for slots in self._all:
            if isinstance(slots, Names) or isinstance(slots.live, types.CellType):
                pairs = zip(slots.keys, slots.items)
                lines += [slots.described(key, x) for key, x in pairs if x is not MISSING]
        lines += [f"`{slots.path}` slot by slot, slowly" for slots in self._snapshot.others]
        return lines


class _Snapshot:
    """The same state in a few flat lists, which a few calls compare."""

    def __init__(self, found: list[Slots]) -> None:
        self._scopes: list[dict[str, Any]] = []
        self._names: list[str] = []  # each in the scope at its place
        self._slow: list[Slots] = []  # compared slot by slot
        shown: list[Slots] = []  # compared all at once
        for slots in found:
            if isinstance(slots, Names) and type(slots.live) is dict:
                self._scopes += [slots.live] * len(slots.keys)
                self._names += slots.keys
            elif isinstance(slots, ClassAttributes) or is_shown(slots):
                shown.append(slots)
            else:
                self._slow.append(slots)
        self._held = Held(shown)
        self._found = self._find()

    @property
    def others(self) -> list[Slots]:
        """What is not compared all at once, nor by its bytes."""
        return [slots for slots in self._slow if not isinstance(slots, Contents)]

    def take(self) -> None:
        """Remember the state as it is now."""
        self._held.take()
        self._found = self._find()

    def is_as_before(self) -> bool:
        """Whether nothing has changed; if not, it can be that only objects were exchanged."""
        if not self._held.are_as_before():
            return False
        if not flat.are_named(self._scopes, self._names, self._found, MISSING):
            return False
        for slots in self._slow:  # noqa: SIM110 - there are none, as a rule
            if slots.difference():
                return False
        return True

    def _find(self) -> list[Any]:
        return [scope.get(name, MISSING) for scope, name in zip(self._scopes, self._names)]
