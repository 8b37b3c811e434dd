"""What many containers and instances hold, compared in one go with what they held.

Each slot has to hold the very object that it held. In the native build a loop of C compares
pointers. Pure Python has no such loop: there, a few calls compare flat lists of all objects.
"""

from __future__ import annotations

import collections
import gc
import operator

from chainrule import flat
from chainrule.compiler.slots import Attributes, ClassAttributes, Entries, Slots
from chainrule.engine import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

_FENCE = (object(),)  # stands between objects that may show fewer slots or more another time


def is_shown(slots: Slots) -> bool:
    """Whether the garbage collector's view of an object holds all its slots, in order."""
    shown = gc.get_referents(slots.live)
    if isinstance(slots, Attributes):
        ids = set(map(id, shown))
        # None may be a null pointer. An object that is not watched for garbage shows nothing.
        return bool(ids) and all(x is None or id(x) in ids for x in slots.items)
    if isinstance(slots, Entries) and len(shown) == 2 * len(slots.keys) > 0:
        return _are_same(shown[::2], slots.items) and _are_same(shown[1::2], slots.keys)
    if type(slots.live) is list:
        shown.reverse()  # it goes through a list from the end
    exact = type(slots.live) in (dict, list, set, collections.deque)
    return exact and _are_same(shown, slots.items)


def _are_same(shown: Sequence[Any], held: Sequence[Any]) -> bool:
    return len(shown) == len(held) and all(map(operator.is_, shown, held))


class Pointers:
    """What objects hold, for the native build.

    Args:
        found: the slots of classes, and what `is_shown` is true of.
    """

    def __init__(self, found: list[Slots]) -> None:
        self._containers = [_container(slots) for slots in found]
        self.take()

    def take(self) -> None:
        """Remember what is held now."""
        self._held = [_pointers(container) for container in self._containers]

    def are_as_before(self) -> bool:
        """Whether every object holds what it held."""
        return flat.are_held(self._containers, self._held)


def _container(slots: Slots) -> Any:
    if isinstance(slots, ClassAttributes):
        return gc.get_referents(vars(slots.live))[0]  # the dictionary that is shown read-only
    return slots.live


def _pointers(container: Any) -> list[Any]:
    if type(container) is dict:
        return [x for pair in container.items() for x in pair]
    return list(container) if type(container) is list else gc.get_referents(container)


class Referents:
    """What objects hold, for the build in pure Python: `gc.get_referents` shows it in one list.

    Two lists are compared by `==` where that can be trusted to say whether objects are one: of
    values, strings, instances that define no `==`, and lists of such. The rest is picked from them.

    Args:
        found: the slots of classes, and what `is_shown` is true of.
    """

    def __init__(self, found: list[Slots]) -> None:
        self._equal: list[Any] = []  # compared with copies
        self._shown: tuple[Any, ...] = (_FENCE,)  # compared by what they refer to
        self._numbers: list[tuple[Callable[..., Any], str]] = []  # of classes
        self._dicts: dict[int, list[Any]] = {}  # by length; their keys are compared in order
        for slots in found:
            self._enter(slots)
        self.take()

    def _enter(self, slots: Slots) -> None:
        live = slots.live
        if isinstance(slots, ClassAttributes):
            self._enter_class(slots)
        elif type(live) is list and _is_told_by_equality(live):
            self._equal.append(live)
        else:
            if isinstance(slots, Entries):
                self._dicts.setdefault(len(live), []).append(live)
            self._shown += (live,) if _is_of_one_length(slots) else (_FENCE, live, _FENCE)

    def _enter_class(self, slots: Slots) -> None:
        attributes = vars(slots.live)
        self._equal.append(attributes)
        numbers = [key for key in slots.keys if not _is_told_by_equality(attributes[key])]
        self._numbers += [(attributes.get, key) for key in numbers]

    def take(self) -> None:
        """Remember what is held now."""
        self._copies = [live.copy() for live in self._equal]
        self._keys = self._read_keys()
        self._found = self._find()
        self._referents = gc.get_referents(*self._shown)
        exact = [i for i, x in enumerate(self._referents) if not _is_told_by_equality(x)]
        self._pick = operator.itemgetter(0, 0, *exact)  # a tuple, whatever `exact` is
        self._picked = self._pick(self._referents)

    def are_as_before(self) -> bool:
        """Whether every object holds what it held."""
        try:
            referents = gc.get_referents(*self._shown)
            return (
                self._equal == self._copies
                and referents == self._referents
                and all(map(operator.is_, self._pick(referents), self._picked))
                and self._read_keys() == self._keys
                and all(map(operator.is_, self._find(), self._found))
            )
        except Exception:  # of a user's `==`, a value's with a number, or `zip` of other lengths
            return False

    def _find(self) -> list[Any]:
        return [get(key) for get, key in self._numbers]

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


NATIVE = flat.__file__.endswith((".so", ".pyd"))
Held: type[Pointers] | type[Referents] = Pointers if NATIVE else Referents
