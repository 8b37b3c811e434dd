"""What a function can come to without its arguments: globals, closures, and all behind them.

The walk is by what code names. Data is followed wherever it is; a function, a module, or what
cannot be watched, only if the attribute that it was found under is named by some code that was
come to: a model may have a method `save`, which opens a file, or a generator of its own, as long
as the function does not use them. Code that finds attributes by computed names names them all.

Libraries (the standard one, NumPy, this package) are taken to be steady: their code is not
followed, and those of their names that reach clocks, files and entropy are refused.
"""

from __future__ import annotations

import array
import collections
import functools
import operator
import os
import sys
import types

from chainrule.compiler.slots import (
    MISSING,
    Attributes,
    ClassAttributes,
    Contents,
    Entries,
    Fields,
    Items,
    Members,
    Names,
    Slots,
    contents,
    is_plain,
)
from chainrule.engine import Value
from chainrule.errors import TraceError
from chainrule.ops import Op

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from typing import Any

_MANY = 10_000  # slots; each call compares them all
_LARGE = 1_000_000  # bytes of an array; likewise

# The names of a module that give something else each time, or reach what is not followed.
_REFUSED = {
    "builtins": {"__import__", "breakpoint", "eval", "exec", "globals", "input", "open"},
    "datetime": {"now", "today", "utcnow"},
    "io": {"open"},
    "numpy": {"fromfile", "genfromtxt", "load", "loadtxt", "memmap", "default_rng", "RandomState"},
    "os": {"environ", "environb", "getenv", "getpid", "getrandom", "listdir", "urandom"},
    "pathlib": {"open", "read_bytes", "read_text"},
    "random": {"Random", "SystemRandom"},
    "sys": {"_getframe", "argv", "modules", "stdin"},
}
_REFUSED["posix"] = _REFUSED["nt"] = _REFUSED["os"]
_REFUSED["_io"] = _REFUSED["io"]
_REFUSED_MODULES = {"importlib", "secrets", "socket", "subprocess", "time", "uuid"}

# Names by which code comes to attributes that it does not name.
_COMPUTED = {"__dict__", "__getattribute__", "attrgetter", "dir", "getattr", "methodcaller", "vars"}
_MAKING = {"__class__", "__init__", "__new__", "type"}  # by which it makes an instance
_AT_BIRTH = {"__init__", "__new__", "__post_init__"}

_CONTAINERS: dict[Any, type[Slots]] = {list: Items, tuple: Items, collections.deque: Items}
_CONTAINERS |= {set: Members, frozenset: Members}
_CONTAINERS |= dict.fromkeys((dict, collections.OrderedDict, collections.defaultdict), Entries)
_CONTAINERS[types.MappingProxyType] = Entries
_FROZEN = (tuple, frozenset)

_HOLDERS: dict[Any, tuple[str, ...]] = {
    types.CellType: ("cell_contents",),
    types.MethodType: ("__func__", "__self__"),
    types.MethodWrapperType: ("__self__",),
    classmethod: ("__func__",),
    functools.cached_property: ("func",),
    functools.partial: ("func", "args", "keywords"),
    functools.partialmethod: ("func", "args", "keywords"),
    property: ("fget", "fset", "fdel"),
    staticmethod: ("__func__",),
    Op: ("value",),
}
_GETTERS = (operator.attrgetter, operator.methodcaller)
_CODE = (types.FunctionType, types.BuiltinFunctionType, types.ModuleType)
# C types whose objects hold nothing, or nothing that changes.
_STEADY: set[Any] = {
    object,
    operator.itemgetter,
    type(collections.namedtuple("_Named", "field").field),  # type: ignore[attr-defined]
    types.CodeType,
    types.GenericAlias,
    types.UnionType,
}
_STEADY |= {types.ClassMethodDescriptorType, types.GetSetDescriptorType, types.SimpleNamespace}
_STEADY |= {types.MemberDescriptorType, types.MethodDescriptorType, types.WrapperDescriptorType}


def reached(function: Callable[..., Any]) -> list[Slots]:
    """The slots of everything that a function can come to without its arguments.

    Raises:
        TraceError: something is reached that cannot be watched, or too much.
    """
    return _walked(function).found


def known_values(function: Callable[..., Any]) -> set[int]:
    """The ids of the values among all that."""
    return _walked(function).values


def _walked(function: Callable[..., Any]) -> _Walk:
    names: frozenset[str] = frozenset()
    while True:  # more code names more, and more is followed
        walk = _Walk(names)
        walk.follow(function)
        if walk.names == names:
            return walk
        names = frozenset(walk.names)


class _Walk:
    """One walk, breadth first, in which code is known to name `names`."""

    def __init__(self, names: frozenset[str]) -> None:
        self.names = set(names)
        self.values: set[int] = set()
        self._known = names
        self._computed = bool(names & _COMPUTED)
        self._slots: dict[tuple[int, type], Slots] = {}
        self._count = 0
        self._scopes: dict[int, tuple[str, dict[str, Any], set[str]]] = {}
        self._seen: dict[int, bool] = {}  # and whether as something that is named
        self._pending: collections.deque[tuple[str, Any, bool]] = collections.deque()
        self._home: Any = None  # the globals of the function itself, which need no prefix

    @property
    def found(self) -> list[Slots]:
        """The slots that can change."""
        return [*(Names(*scope) for scope in self._scopes.values()), *self._slots.values()]

    def follow(self, function: Callable[..., Any]) -> None:
        """Walk from a function, a method, or anything that can be called."""
        while isinstance(function, functools.partial):
            for i, given in enumerate(function.args, 1):
                self._arrive(f"argument {i}", given, True)
            for name, given in function.keywords.items():
                self._arrive(name, given, True)
            function = function.func
        inner = getattr(function, "__func__", function)
        self._home = getattr(inner, "__globals__", self._home)
        named = isinstance(function, types.FunctionType)
        self._pending.append((function.__name__ if named else "self", function, True))
        while self._pending:
            path, found, named = self._pending.popleft()
            if self._seen.get(id(found)) not in (True, named):
                self._seen[id(found)] = named
                self._visit(path, found, named)

    def _visit(self, path: str, found: Any, named: bool) -> None:
        kind = type(found)
        if is_plain(kind):
            if kind.__module__ != "builtins":
                self._check(path, kind.__module__, self._known)
        elif _is_library_constant(found):
            self._check(path, kind.__module__, {getattr(found, "__name__", "")})
        elif isinstance(found, _CODE):
            if named:
                self._code(path, found)
        elif isinstance(found, type):
            self._class(path, found, named)
        elif kind in _GETTERS:
            self.names.add("getattr")
        elif kind in _HOLDERS:
            self._into(Attributes(path, found, _HOLDERS[kind]), named, kind is types.CellType)
        elif _is_compiled(found):
            self._push(path, found.__wrapped__, named)
        else:
            self._object(path, found, named)

    def _object(self, path: str, found: Any, named: bool) -> None:
        """Data: a container, an array, an instance, or two of them in one."""
        kind = type(found)
        native = next(base for base in kind.__mro__ if _is_native(base))
        if native in _CONTAINERS:
            self._into(_CONTAINERS[native](path, found), named, native not in _FROZEN)
        elif native in _HOLDERS:
            self._into(Attributes(path, found, _HOLDERS[native]), named)
        elif _is_array(native):
            self._array(path, found, named)
        elif native not in _STEADY and not is_plain(native):
            if named:
                raise _unwatched(path, f"is a {kind.__qualname__}, whose state cannot be watched")
            return
        if native is collections.defaultdict:
            self._into(Attributes(path, found, ("default_factory",)), named)
        if kind is not native or kind is types.SimpleNamespace:
            self._instance(path, found, named)

    def _instance(self, path: str, found: Any, named: bool) -> None:
        kind = type(found)
        fields = _attribute_names(found)
        names_all = self._computed or _is_read_by_a_library(kind)

        def is_named(name: str) -> bool:
            return named and (names_all or name in self._known)

        self._add(Attributes(path, found, fields))
        self._push(kind.__name__, kind, named)
        for name, item in zip(*self._slots[id(found), Attributes].read()):
            if name not in ("__class__", "__dict__"):
                self._push(f"{path}.{name}", item, is_named(name))
        if "__dict__" in fields:
            held = Fields(path, found.__dict__)
            self._add(held)
            for name, item in zip(held.keys, held.items):
                self._push(held.name(name), item, is_named(name))

    def _class(self, path: str, found: type, named: bool) -> None:
        if _is_library(found.__module__):
            if named and found.__module__ != "builtins":
                self._check(path, found.__module__, self._known)
            return
        self._push(type(found).__name__, type(found), named)
        for base in found.__mro__[1:]:
            self._push(base.__name__, base, named)
        self._add(Attributes(path, found, ("__mro__",)))
        held = ClassAttributes(path, found)
        self._add(held)
        for name, item in zip(held.keys, held.items):
            self._push(held.name(name), item, named and self._is_called(found, name))

    def _is_called(self, kind: type, name: str) -> bool:
        """Whether code may call a method: reserved ones are called without being named."""
        if self._computed or name in self._known:
            return True
        if name in _AT_BIRTH:
            return kind.__name__ in self._known or bool(self._known & _MAKING)
        return name.startswith("__")

    def _array(self, path: str, found: Any, named: bool) -> None:
        size = getattr(found, "nbytes", None) or len(found)
        if size > _LARGE:
            raise _unwatched(path, f"has {size:,} bytes, too many to compare at each call")
        self._add(Contents(path, found))
        if str(contents(found)[1]) == "object":
            for i, item in enumerate(found.ravel().tolist()):
                self._push(f"{path}[{i}]", item, named)

    # ---- code ----

    def _code(self, path: str, found: Any) -> None:
        if isinstance(found, types.FunctionType):
            self._function(path, found)
        elif isinstance(found, types.ModuleType):
            self._module(path, found)
        else:
            owner = found.__self__
            module = owner.__module__ if isinstance(owner, type) else found.__module__
            self._check(path, module or "", {found.__name__})
            if not isinstance(owner, types.ModuleType) and not _is_global_generator(owner):
                self._push(f"{path}.__self__", owner, True)

    def _function(self, path: str, found: types.FunctionType) -> None:
        self._check(path, found.__module__ or "", {found.__name__})
        code, scope = found.__code__, found.__globals__
        names = ("__code__", "__defaults__", "__kwdefaults__", "__dict__")
        self._seen[id(found.__dict__)] = True
        self._into(Fields(path, found.__dict__), True)
        self._into(Attributes(path, found, names), True)
        for name, cell in zip(code.co_freevars, found.__closure__ or ()):
            self._push(name, cell, True)
        if not _is_library(scope.get("__name__")):
            self.names |= set(_names(code))
            prefix = "" if scope is self._home else str(scope.get("__name__"))
            self._scope(prefix, scope, _globals(code))
            for imported in _imports(code, scope):
                self._push(imported.__name__, imported, True)

    def _module(self, path: str, found: types.ModuleType) -> None:
        self._check(path, found.__name__, self._known)
        if not _is_library(found.__name__):
            scope = vars(found)
            everything = {name for name in scope if not name.startswith("__")}
            self._scope(path, scope, everything if self._computed else everything & self._known)

    def _scope(self, path: str, scope: dict[str, Any], names: Iterable[str]) -> None:
        """Look at some names of a module's globals."""
        prefix, _, known = self._scopes.setdefault(id(scope), (path, scope, set()))
        for name in sorted(set(names) - known):
            known.add(name)
            self._count_up(1)
            path = f"{prefix}.{name}" if prefix else name
            if name in scope:
                self._arrive(path, scope[name], True)
            elif name in _REFUSED["builtins"]:
                raise _refused(name)

    # ---- both ----

    def _into(self, slots: Slots, named: bool, can_change: bool = True) -> None:
        """Go on to all that is in some slots."""
        if can_change:
            self._add(slots)
        else:
            self._count_up(len(slots.items))
        for key, item in zip(slots.keys, slots.items):
            if type(item) is Value:
                self.values.add(id(item))
            else:
                self._arrive(slots.name(key), item, named)
            if isinstance(slots, Entries):
                self._arrive(f"a key of {slots.path}", key, named)

    def _arrive(self, path: str, item: Any, named: bool) -> None:
        """A class found anywhere but as the class of an instance can be called to make one."""
        if isinstance(item, type) and named:
            self.names |= {base.__name__ for base in item.__mro__[:-1]}
        self._push(path, item, named)

    def _push(self, path: str, item: Any, named: bool) -> None:
        if type(item) is Value:
            self.values.add(id(item))
        elif item is not MISSING:
            self._pending.append((path, item, named))

    def _add(self, slots: Slots) -> None:
        if self._slots.setdefault((id(slots.live), type(slots)), slots) is slots:
            self._count_up(len(slots.items))

    def _count_up(self, more: int) -> None:
        self._count += more
        if self._count > _MANY:
            raise TraceError(
                f"more than {_MANY:,} numbers and objects are read from outside, too many to "
                "compare at each call: pass what holds most of them as an argument"
            )

    def _check(self, path: str, module: str, names: Iterable[str]) -> None:
        root = module.partition(".")[0]
        used = _REFUSED.get(root, set()).intersection(names)
        if used or root in _REFUSED_MODULES:
            name = min(used, default="")
            raise _refused(path if path.endswith(name) else f"{path}.{name}")


def _refused(what: str) -> TraceError:
    return TraceError(
        f"`{what}` may give something else at each call, where a program would keep what it gave "
        "once: call it outside, and pass the result as an argument"
    )


def _unwatched(path: str, what: str) -> TraceError:
    return TraceError(
        f"`{path}`, which is read from outside, {what}: pass what is needed of it as an argument"
    )


# ---- what an object is ----


_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep


@functools.cache
def _is_library(module: str | None) -> bool:
    """Whether code of this module is taken to be steady."""
    root = (module or "").partition(".")[0]
    if root not in sys.stdlib_module_names:
        return root in ("chainrule", "numpy")
    file = getattr(sys.modules.get(root), "__file__", None)  # some have a trace.py of their own
    return file is None or os.path.abspath(file).startswith(_STANDARD_LIBRARY)


_OF_C = (types.GetSetDescriptorType, types.MethodDescriptorType, types.WrapperDescriptorType)


def _is_native(kind: type) -> bool:
    """Whether a class is written in C: its objects may hold what Python does not see."""
    return any(
        isinstance(item, _OF_C) and item.__objclass__ is kind
        for name, item in vars(kind).items()
        if name not in ("__dict__", "__weakref__")
    )


def _is_read_by_a_library(kind: type) -> bool:
    """Whether methods of a library may use attributes that the user's code does not name."""
    return any(
        _is_library(base.__module__)
        and base.__module__ not in ("abc", "builtins", "typing")
        and (base.__module__, base.__qualname__) != ("chainrule.nn", "Module")  # asks for values
        for base in kind.__mro__
    )


def _is_array(native: type) -> bool:
    names_numpy = native.__module__ == "numpy" and native.__name__ == "ndarray"
    return names_numpy or native in (array.array, bytearray)


def _is_library_constant(found: Any) -> bool:
    """Whether it is an annotation, a function written in C, or a type of numbers."""
    kind = type(found)
    if isinstance(found, types.MethodType):
        return _is_global_generator(found.__self__)
    if kind.__name__ == "cython_function_or_method":
        return _is_library(found.__module__)
    if kind.__module__.partition(".")[0] != "numpy":
        return kind.__module__ in ("_abc", "typing")
    of_c = _is_native(kind) and callable(found)
    return of_c or any(base.__name__ == "dtype" for base in kind.__mro__)


def _is_compiled(found: Any) -> bool:
    """Whether it is a function that this compiler made: it is what it was made of."""
    return type(found).__module__.startswith("chainrule.compiler") and hasattr(found, "__wrapped__")


def _is_global_generator(owner: Any) -> bool:
    """Whether it is the generator behind a random module: the trace compares its state."""
    drawing = [getattr(sys.modules.get("random"), "_inst", None)]
    drawing.append(getattr(sys.modules.get("numpy.random.mtrand"), "_rand", None))
    return owner is not None and any(owner is one for one in drawing)


def _attribute_names(found: Any) -> list[str]:
    """What an instance is asked for: its class, its dictionary, its `__slots__`."""
    names = ["__class__"]
    if isinstance(getattr(found, "__dict__", None), dict):
        names.append("__dict__")
    for base in type(found).__mro__:
        if not _is_native(base):
            members = vars(base).items()
            names += [name for name, x in members if isinstance(x, types.MemberDescriptorType)]
    return names


# ---- what code names ----


def _all_code(code: types.CodeType) -> Iterator[types.CodeType]:
    """A function's code, and that of the functions inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _all_code(constant)


def _names(code: types.CodeType) -> Iterator[str]:
    """The names of globals and attributes; those of a pattern, `case Point(x=0)`, are constants."""
    for inner in _all_code(code):
        yield from inner.co_names
        for constant in inner.co_consts:
            if isinstance(constant, tuple):
                yield from (name for name in constant if isinstance(name, str))


def _instructions(code: types.CodeType) -> list[tuple[str, Any]]:
    import dis  # not needed before something is compiled

    found = [(made.opname, made.argval) for made in dis.get_instructions(code)]
    return [pair for pair in found if pair[0] != "EXTENDED_ARG"]


def _globals(code: types.CodeType) -> set[str]:
    """The names that code looks up in the globals of its module."""
    made = [pair for inner in _all_code(code) for pair in _instructions(inner)]
    return {name for op, name in made if "GLOBAL" in op or op == "LOAD_NAME"}


def _imports(code: types.CodeType, scope: dict[str, Any]) -> Iterator[types.ModuleType]:
    """The modules that code imports as it runs."""
    for inner in _all_code(code):
        made = _instructions(inner)
        for (_, level), (_, wanted), (op, name) in zip(made, made[1:], made[2:]):
            if op == "IMPORT_NAME":
                try:
                    yield __import__(name, scope, None, wanted, level)
                except ImportError:
                    continue  # it is for the function to meet
