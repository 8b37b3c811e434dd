"""The slots of an object: what it held under which name, and how to say that it holds another.

A slot is compared exactly. A number is the same if type and bits are; a tuple, if its entries
are; anything else, if it is one and the same object.
"""

from __future__ import annotations

import collections
import types

from chainrule.engine import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

MISSING: Any = object()  # what an empty slot holds

_PLAIN: set[Any] = {int, float, complex, bool, str, bytes, range, slice, type(None), type(...)}
_PLAIN |= {type(NotImplemented)}
_PLAIN_OF_LIBRARIES = {"fractions.Fraction", "decimal.Decimal", "re.Pattern", "uuid.UUID"}
_PLAIN_OF_LIBRARIES |= {f"datetime.{x}" for x in ("date", "time", "datetime", "timedelta")}


def is_plain(kind: type) -> bool:
    """Whether objects of this type cannot change and are told apart by what they look like."""
    if kind in _PLAIN or f"{kind.__module__}.{kind.__qualname__}" in _PLAIN_OF_LIBRARIES:
        return True
    root = kind.__module__.partition(".")[0]
    if root == "numpy":
        names = {base.__name__ for base in kind.__mro__}
        return "generic" in names and not names & {"void", "object_"}
    return root == "pathlib"


def same(now: Any, kept: Any) -> bool:
    """Whether a slot is as it was.

    >>> same(0.0, -0.0), same(1, 1.0), same(float("nan"), float("nan"))
    (False, False, True)
    """
    if now is kept:
        return True
    if type(now) is not type(kept):
        return False
    if type(now) is tuple:
        return len(now) == len(kept) and all(map(same, now, kept))
    if not is_plain(type(now)):
        return False
    alike = type(now) is int or repr(now) == repr(kept)  # a huge int has no repr
    return alike and bool(now == kept or now != now)


class Slots:
    """The slots of one object, as they were when they were read.

    Args:
        path: how the object was found, in the function's words.
        live: the object.

    Attributes:
        keys: the names of its slots.
        items: what was in them.
    """

    def __init__(self, path: str, live: Any) -> None:
        self.path = path
        self.live = live
        self.keys, self.items = self.read()

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        """The keys and the items, as they are now."""
        raise NotImplementedError

    def name(self, key: Any) -> str:
        """A slot in the function's words."""
        return f"{self.path}[{key!r}]"

    def described(self, key: Any, item: Any) -> str:
        """What a slot holds, in a few words."""
        shown = f"= {_shortened(item)}" if _is_shown(item) else f"is of type {_kind(item)}"
        return f"`{self.name(key)}` {shown}"

    def difference(self) -> str:
        """What is not as it was: one phrase, empty if all is."""
        keys, items = self.read()
        if len(keys) != len(self.keys) or not all(map(same, keys, self.keys)):
            return self._difference_of_keys(keys)
        for key, now, kept in zip(keys, items, self.items):
            if not same(now, kept):
                return _changed(self.name(key), now, kept)
        return ""

    def _difference_of_keys(self, keys: Sequence[Any]) -> str:
        new = _first_outside(keys, self.keys)
        gone = _first_outside(self.keys, keys)
        if new is not MISSING:
            return f"`{self.name(new)}` is new"
        if gone is not MISSING:
            return f"`{self.name(gone)}` is gone"
        return f"`{self.path}` has other keys, or the same in another order"


class Items(Slots):
    """Of a list, tuple or deque, or a subclass, whose own `__iter__` is not asked."""

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        kind = next(x for x in (list, tuple, collections.deque) if isinstance(self.live, x))
        items = list(kind.__iter__(self.live))
        return range(len(items)), items

    def _difference_of_keys(self, keys: Sequence[Any]) -> str:
        return f"`{self.path}` has {_entries(len(keys))}, not {len(self.keys):,}"


class Members(Items):
    """Of a set, in the order in which they come."""

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        kind = set if isinstance(self.live, set) else frozenset
        items = list(kind.__iter__(self.live))
        return range(len(items)), items

    def difference(self) -> str:
        phrase = super().difference()
        return phrase and f"`{self.path}` has other entries, or the same in another order"


class Entries(Slots):
    """Of a dictionary."""

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        kinds = (collections.OrderedDict, dict, types.MappingProxyType)
        kind = next(x for x in kinds if isinstance(self.live, x))
        return list(kind.keys(self.live)), list(kind.values(self.live))


class Fields(Entries):
    """Of an instance's `__dict__`."""

    def name(self, key: Any) -> str:
        return f"{self.path}.{key}"


class Attributes(Slots):
    """Of an object that is asked for them by name."""

    def __init__(self, path: str, live: Any, names: Iterable[str]) -> None:
        self._names = tuple(names)
        super().__init__(path, live)

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        return self._names, [_attribute(self.live, name) for name in self._names]

    def name(self, key: Any) -> str:
        # What a closure cell holds is known by the name of the variable.
        return self.path if key in ("cell_contents", "__func__") else f"{self.path}.{key}"


class Names(Slots):
    """Of a module, or of the globals of a function: only the names that code uses."""

    def __init__(self, path: str, live: dict[str, Any], names: Iterable[str]) -> None:
        self._names = sorted(names)
        super().__init__(path, live)

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        return self._names, [self.live.get(name, MISSING) for name in self._names]

    def name(self, key: Any) -> str:
        return f"{self.path}.{key}" if self.path else str(key)


class ClassAttributes(Fields):
    """Of a class itself, without its bases: its functions, and what has no reserved name."""

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        found = {key: item for key, item in vars(self.live).items() if _is_of_code(key, item)}
        return sorted(found), [found[key] for key in sorted(found)]


class Contents(Slots):
    """Of an array: its bytes, and how to read them."""

    def read(self) -> tuple[Sequence[Any], Sequence[Any]]:
        return ("shape", "kind", "bytes"), contents(self.live)

    def difference(self) -> str:
        now = contents(self.live)
        if now[0] != self.items[0]:
            return f"`{self.path}` has shape {now[0]}, not {self.items[0]}"
        return "" if now == self.items else f"`{self.path}` was changed in place"


def contents(array: Any) -> tuple[Any, Any, bytes]:
    """Shape, kind of number and bytes of a NumPy array, an `array.array` or a bytearray."""
    kind = getattr(array, "dtype", None) or getattr(array, "typecode", None)
    read = getattr(array, "tobytes", None)
    return getattr(array, "shape", len(array)), kind, bytes(array) if read is None else read()


def _attribute(live: Any, name: str) -> Any:
    try:
        return object.__getattribute__(live, name)
    except (AttributeError, ValueError):  # an empty cell raises the latter
        return MISSING


def _is_of_code(key: str, item: Any) -> bool:
    reserved = key.startswith("__") and key.endswith("__")
    return not reserved or isinstance(item, (types.FunctionType, staticmethod, classmethod))


def _first_outside(keys: Sequence[Any], others: Sequence[Any]) -> Any:
    known = set(others)
    return next((key for key in keys if key not in known), MISSING)


def _changed(name: str, now: Any, kept: Any) -> str:
    if kept is MISSING:
        return f"`{name}` is new"
    if now is MISSING:
        return f"`{name}` is gone"
    if _is_shown(now) and _is_shown(kept):
        return f"`{name}` is {_shortened(now)}, not {_shortened(kept)}"
    if type(now) is type(kept):
        return f"`{name}` is another {_kind(now)}"
    return f"`{name}` is of type {_kind(now)}, not {_kind(kept)}"


def _is_shown(x: Any) -> bool:
    return is_plain(type(x)) or (type(x) is tuple and all(map(_is_shown, x)))


def _shortened(x: Any) -> str:
    if type(x) is int and x.bit_length() > 200:
        return f"an int of {x.bit_length():,} bits"
    text = repr(x)
    return text if len(text) <= 60 else f"{text[:40]}..."


def _kind(x: Any) -> str:
    return "Value" if type(x) is Value else type(x).__qualname__


def _entries(count: int) -> str:
    return f"{count:,} {'entry' if count == 1 else 'entries'}"
