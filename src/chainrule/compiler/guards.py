"""What a function reads from outside of its arguments, compared with what it was at each call.

A program keeps what it was traced with for ever. So all that a function could have read then, and
that is no argument, is remembered and compared: a number, an entry of a list or dictionary, an
attribute, the value behind a name. The data of values is not: it is an input of the program.
"""

from __future__ import annotations

import collections
import gc
import operator
import types

from chainrule.compiler.reach import reached
from chainrule.compiler.slots import (
    MISSING,
    Attributes,
    ClassAttributes,
    Contents,
    Entries,
    Names,
    Slots,
    contents,
)
from chainrule.engine import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_FENCE = (object(),)  # stands between objects that may show fewer slots or more another time


class Heap:
    """All that a function can reach without its arguments, as it is when the heap is made.

    Args:
        function: a function, a method, or anything else that can be called.

    Raises:
        TraceError: it reaches something that cannot be watched, or too much.

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
    """The same state in a few flat lists, which a few calls compare.

    What containers and instances hold is shown by `gc.get_referents`, in one call for all of them;
    where it does not show all, in other Pythons say, slots are read one by one. Two objects are the
    same if `==` says so and can be trusted, and else by `is`. It is trusted with values, strings,
    instances that define no `==`, and lists of such.
    """

    def __init__(self, found: list[Slots]) -> None:
        self._equal: list[Any] = []  # compared with copies
        self._shown: tuple[Any, ...] = (_FENCE,)  # compared by what they refer to
        self._names: list[tuple[Callable[..., Any], str]] = []  # compared by what is found there
        self._arrays: list[Any] = []  # compared by their bytes
        self.others: list[Slots] = []  # compared slot by slot
        self._dicts: dict[int, list[Any]] = {}  # by length; their keys are compared in order
        for slots in found:
            self._enter(slots)
        self.take()

    def _enter(self, slots: Slots) -> None:
        live = slots.live
        if isinstance(slots, Names):
            self._names += [(live.get, name) for name in slots.keys]
        elif isinstance(slots, ClassAttributes):
            self._enter_class(slots)
        elif isinstance(slots, Contents):
            self._arrays.append(live)
        elif type(live) is list and _is_told_by_equality(live):
            self._equal.append(live)
        elif not _is_shown(slots):
            self.others.append(slots)
        else:
            if isinstance(slots, Entries):
                self._dicts.setdefault(len(live), []).append(live)
            self._shown += (live,) if _is_of_one_length(slots) else (_FENCE, live, _FENCE)

    def _enter_class(self, slots: Slots) -> None:
        attributes = vars(slots.live)
        self._equal.append(attributes)
        numbers = [key for key in slots.keys if not _is_told_by_equality(attributes[key])]
        self._names += [(attributes.get, key) for key in numbers]

    def take(self) -> None:
        """Remember the state as it is now."""
        self._copies = [live.copy() for live in self._equal]
        self._found = self._find()
        self._keys = self._read_keys()
        self._contents = [contents(array) for array in self._arrays]
        self._referents = gc.get_referents(*self._shown)
        exact = [i for i, x in enumerate(self._referents) if not _is_told_by_equality(x)]
        self._pick = operator.itemgetter(0, 0, *exact)  # a tuple, whatever `exact` is
        self._picked = self._pick(self._referents)

    def is_as_before(self) -> bool:
        """Whether nothing has changed; if not, it can be that only objects were exchanged."""
        try:
            referents = gc.get_referents(*self._shown)
            return (
                self._equal == self._copies
                and referents == self._referents
                and all(map(operator.is_, self._pick(referents), self._picked))
                and self._read_keys() == self._keys
                and all(map(operator.is_, self._find(), self._found))
                and [contents(array) for array in self._arrays] == self._contents
                and not any(slots.difference() for slots in self.others)
            )
        except Exception:  # of a user's `==`, a value's with a number, or `zip` of other lengths
            return False

    def _find(self) -> list[Any]:
        return [get(name, MISSING) for get, name in self._names]

    def _read_keys(self) -> list[list[tuple[str, ...]]]:
        """The keys of all dictionaries in order, those of one length side by side."""
        return [list(zip(*dicts)) for dicts in self._dicts.values()]


def _is_of_one_length(slots: Slots) -> bool:
    """Whether no slot can go from one object to the next, unseen in the list of all referents."""
    if isinstance(slots, Entries):
        return True  # the keys show one that has become shorter
    return isinstance(slots, Attributes) and not any(x is None for x in slots.items)


def _is_told_by_equality(x: Any) -> bool:
    if type(x) is list:
        return all(_is_told_apart(type(item)) for item in x)
    return type(x) is str or x is None or _is_told_apart(type(x))


def _is_told_apart(kind: Any) -> bool:
    """Whether `==` of objects of this type says whether they are one."""
    return kind is Value or kind.__eq__ is object.__eq__


def _is_shown(slots: Slots) -> bool:
    """Whether the garbage collector's view of an object holds all its slots, in order."""
    shown = gc.get_referents(slots.live)
    if isinstance(slots, Attributes):
        ids = set(map(id, shown))
        return all(x is None or id(x) in ids for x in slots.items)  # None may be a null pointer
    if isinstance(slots, Entries) and len(shown) == 2 * len(slots.keys) > 0:
        return _are_same(shown[::2], slots.items) and _are_same(shown[1::2], slots.keys)
    if type(slots.live) is list:
        shown.reverse()  # it goes through a list from the end
    exact = type(slots.live) in (dict, list, set, collections.deque)
    return exact and _are_same(shown, slots.items)


def _are_same(shown: Sequence[Any], held: Sequence[Any]) -> bool:
    return len(shown) == len(held) and all(map(operator.is_, shown, held))
