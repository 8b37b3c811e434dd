"""What a function reads from outside of its arguments: each change of it is noticed and named."""

from __future__ import annotations

import array
import collections
import contextlib
import dataclasses
import datetime
import decimal
import enum
import fractions
import functools
import gc
import itertools
import math
import operator
import os
import pathlib
import random
import re
import secrets
import statistics
import sys
import threading
import time
import types
import uuid
import weakref

import pytest

import chainrule
from chainrule import Value, ops, optim
from chainrule.compiler.guards import Heap
from chainrule.compiler.held import NATIVE, Pointers, Referents
from chainrule.compiler.reach import _is_library
from chainrule.compiler.slots import same
from chainrule.errors import TraceError
from chainrule.nn import MLP, Layer, Module, Neuron


class Box:
    """Holds what the function under test reads."""

    size = 3

    def __init__(self, **fields):
        vars(self).update(fields)

    def doubled(self):
        return 2 * self.size


class Taller(Box):
    """A box of another class."""


class Slotted:
    """Has its fields in slots, one of them private and one empty."""

    __slots__ = ("__hidden", "empty", "x")

    def __init__(self, x):
        self.x = x
        self.__hidden = x

    def reveal(self):
        return self.__hidden


@dataclasses.dataclass
class Point:
    """Is equal to any point of the same numbers."""

    x: float


class Agreeable(list):
    """Says that it is equal to everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


class Color(enum.Enum):
    """Enumerates."""

    RED = 1
    BLUE = 2


def watch(**fields):
    """A box of these fields, and the heap of a function that reads it."""
    box = Box(**fields)

    def function():
        return box.doubled(), box.x

    heap = Heap(function)
    assert heap.changed() == ""
    return box, heap


def put(box, **fields):
    for name, x in fields.items():
        setattr(box, name, x)


def swap_fields(box, **fields):
    box.__dict__ = {**vars(box), **fields}


def reinsert(entries, key):
    entries[key] = entries.pop(key)


SHARED = Value(1.0)

# What the box holds, what is done to it, and what is to be said of it.
CHANGES = {
    "a number": (lambda: 0.1, lambda b: put(b, x=0.2), "`box.x` is 0.2, not 0.1"),
    "int to float": (lambda: 1, lambda b: put(b, x=1.0), "`box.x` is 1.0, not 1"),
    "int to bool": (lambda: 1, lambda b: put(b, x=True), "`box.x` is True, not 1"),
    "sign of zero": (lambda: 0.0, lambda b: put(b, x=-0.0), "`box.x` is -0.0, not 0.0"),
    "number to nan": (lambda: 0.0, lambda b: put(b, x=math.nan), "`box.x` is nan, not 0.0"),
    "complex": (lambda: 0j, lambda b: put(b, x=complex(0.0, -0.0)), "`box.x` is -0j, not 0j"),
    "a huge int": (
        lambda: 10**5000,
        lambda b: put(b, x=1),
        "`box.x` is 1, not an int of 16,610 bits",
    ),
    "a string": (lambda: "relu", lambda b: put(b, x="tanh"), "`box.x` is 'tanh', not 'relu'"),
    "a long string": (
        lambda: "a" * 100,
        lambda b: put(b, x="b"),
        f"`box.x` is 'b', not '{'a' * 39}...",
    ),
    "None": (lambda: None, lambda b: put(b, x=0), "`box.x` is 0, not None"),
    "digits": (
        lambda: decimal.Decimal("1.0"),
        lambda b: put(b, x=decimal.Decimal("1.00")),
        "`box.x` is Decimal('1.00'), not Decimal('1.0')",
    ),
    "a tuple": (lambda: (1, 2), lambda b: put(b, x=(1, 2.0)), "`box.x` is (1, 2.0), not (1, 2)"),
    "a value": (lambda: Value(1.0), lambda b: put(b, x=Value(1.0)), "`box.x` is another Value"),
    "value to number": (
        lambda: Value(1.0),
        lambda b: put(b, x=1.0),
        "`box.x` is of type float, not Value",
    ),
    "number to value": (
        lambda: 1.0,
        lambda b: put(b, x=Value(1.0)),
        "`box.x` is of type Value, not float",
    ),
    "an entry": (lambda: [1, 2], lambda b: operator.setitem(b.x, 1, 3), "`box.x[1]` is 3, not 2"),
    "type of an entry": (
        lambda: [1, True],
        lambda b: operator.setitem(b.x, 1, 1),
        "`box.x[1]` is 1, not True",
    ),
    "a longer list": (lambda: [1, 2], lambda b: b.x.append(3), "`box.x` has 3 entries, not 2"),
    "a shorter list": (lambda: [1, 2], lambda b: b.x.pop(), "`box.x` has 1 entry, not 2"),
    "an equal list": (lambda: [1, 2], lambda b: put(b, x=[1, 2]), "`box.x` is another list"),
    "a value in a list": (
        lambda: [Value(1.0), Value(1.0)],
        lambda b: b.x.reverse(),
        "`box.x[0]` is another Value",
    ),
    "a number for a value in a list": (
        lambda: [Value(1.0)],
        lambda b: operator.setitem(b.x, 0, 1.0),
        "`box.x[0]` is of type float, not Value",
    ),
    "from list to list": (
        lambda: [[SHARED], [SHARED, SHARED]],
        lambda b: b.x[0].append(b.x[1].pop()),
        "`box.x[0]` has 2 entries, not 1",
    ),
    "numbers from list to list": (
        lambda: [[1], [1, 1]],
        lambda b: b.x[0].append(b.x[1].pop()),
        "`box.x[0]` has 2 entries, not 1",
    ),
    "a list in a tuple": (
        lambda: ([1], 2),
        lambda b: b.x[0].append(1),
        "`box.x[0]` has 2 entries, not 1",
    ),
    "a deque": (
        lambda: collections.deque([1, 2]),
        lambda b: b.x.rotate(),
        "`box.x[0]` is 2, not 1",
    ),
    "a set": (
        lambda: {1, 2},
        lambda b: b.x.add(3),
        "`box.x` has other entries, or the same in another order",
    ),
    "an item": (lambda: {"a": 1}, lambda b: b.x.update(a=2), "`box.x['a']` is 2, not 1"),
    "a new item": (lambda: {"a": 1}, lambda b: b.x.update(b=2), "`box.x['b']` is new"),
    "a lost item": (lambda: {"a": 1, 2: 3}, lambda b: b.x.pop(2), "`box.x[2]` is gone"),
    "a renamed item": (
        lambda: {"a": 1},
        lambda b: b.x.update(b=b.x.pop("a")),
        "`box.x['b']` is new",
    ),
    "order of items": (
        lambda: {"a": 1, "b": 1},
        lambda b: reinsert(b.x, "a"),
        "`box.x` has other keys, or the same in another order",
    ),
    "order of whole keys": (
        lambda: {1: "a", 2: "a"},
        lambda b: reinsert(b.x, 1),
        "`box.x` has other keys, or the same in another order",
    ),
    "type of a key": (
        lambda: {1: "a"},
        lambda b: b.x.update({True: b.x.pop(1)}),
        "`box.x` has other keys, or the same in another order",
    ),
    "a field of a key": (
        lambda: {Box(y=1): 2},
        lambda b: put(next(iter(b.x)), y=2),
        "`a key of box.x.y` is 2, not 1",
    ),
    "order of an OrderedDict": (
        lambda: collections.OrderedDict(a=1, b=2),
        lambda b: b.x.move_to_end("a"),
        "`box.x` has other keys, or the same in another order",
    ),
    "a defaultdict that was asked": (
        lambda: collections.defaultdict(list),
        lambda b: b.x["a"],
        "`box.x['a']` is new",
    ),
    "a default factory": (
        lambda: collections.defaultdict(list),
        lambda b: put(b.x, default_factory=dict),
        "`box.x.default_factory` is another type",
    ),
    "a Counter": (
        lambda: collections.Counter("ab"),
        lambda b: b.x.update("a"),
        "`box.x['a']` is 2, not 1",
    ),
    "a namespace": (
        lambda: types.SimpleNamespace(a=1),
        lambda b: put(b.x, a=2),
        "`box.x.a` is 2, not 1",
    ),
    "a field": (lambda: Box(y=1), lambda b: put(b.x, y=2), "`box.x.y` is 2, not 1"),
    "a new field": (lambda: Box(y=1), lambda b: put(b.x, z=2), "`box.x.z` is new"),
    "a field over the class's": (lambda: Box(), lambda b: put(b.x, size=4), "`box.x.size` is new"),
    "a lost field": (lambda: Box(y=1), lambda b: delattr(b.x, "y"), "`box.x.y` is gone"),
    "order of fields": (
        lambda: Box(y=1, z=1),
        lambda b: reinsert(vars(b.x), "y"),
        "`box.x` has other keys, or the same in another order",
    ),
    "all fields": (
        lambda: Box(y=1),
        lambda b: swap_fields(b.x, y=2),
        "`box.x.__dict__` is another dict",
    ),
    "all fields, equal ones": (
        lambda: Box(y=1),
        lambda b: swap_fields(b.x, y=1.0),
        "`box.x.__dict__` is another dict",
    ),
    "class of an instance": (
        lambda: Box(),
        lambda b: put(b.x, __class__=Taller),
        "`box.x.__class__` is another type",
    ),
    "an instance": (lambda: Box(), lambda b: put(b, x=Box()), "`box.x` is another Box"),
    "an equal instance": (
        lambda: Point(1.0),
        lambda b: put(b, x=Point(1.0)),
        "`box.x` is another Point",
    ),
    "a field of what has an ==": (
        lambda: Point(1.0),
        lambda b: put(b.x, x=1),
        "`box.x.x` is 1, not 1.0",
    ),
    "an agreeable list": (
        lambda: Agreeable([1]),
        lambda b: b.x.append(2),
        "`box.x` has 2 entries, not 1",
    ),
    "a field of a list": (
        lambda: Agreeable([1]),
        lambda b: put(b.x, scale=2),
        "`box.x.scale` is new",
    ),
    "a slot": (lambda: Slotted(1), lambda b: put(b.x, x=2), "`box.x.x` is 2, not 1"),
    "an empty slot": (lambda: Slotted(1), lambda b: put(b.x, empty=2), "`box.x.empty` is new"),
    "a private slot": (
        lambda: Slotted(1),
        lambda b: put(b.x, _Slotted__hidden=2),
        "`box.x._Slotted__hidden` is 2, not 1",
    ),
    "an enumeration": (
        lambda: Color.RED,
        lambda b: put(b, x=Color.BLUE),
        "`box.x` is another Color",
    ),
    "a function": (
        lambda: operator.add,
        lambda b: put(b, x=operator.sub),
        "`box.x` is another builtin_function_or_method",
    ),
    "what a bound method is of": (
        lambda: [1].index,
        lambda b: b.x.__self__.append(2),
        "`box.x.__self__` has 2 entries, not 1",
    ),
    "a layer": (
        lambda: MLP(2, [2, 1]),
        lambda b: b.x.layers.append(Layer(1, 1)),
        "`box.x.layers` has 3 entries, not 2",
    ),
    "a neuron's activation": (
        lambda: Neuron(2),
        lambda b: put(b.x, activation="tanh"),
        "`box.x.activation` is 'tanh', not 'relu'",
    ),
    "a learning rate": (
        lambda: optim.SGD([Value(1.0)], lr=0.1),
        lambda b: put(b.x, lr=0.2),
        "`box.x.lr` is 0.2, not 0.1",
    ),
    "an array of floats": (
        lambda: array.array("d", [1.0]),
        lambda b: operator.setitem(b.x, 0, 2.0),
        "`box.x` was changed in place",
    ),
    "a bytearray": (
        lambda: bytearray(b"a"),
        lambda b: b.x.append(1),
        "`box.x` has shape 2, not 1",
    ),
}


# The native build has both ways of comparing all at once, though it uses one.
WAYS = [Referents, Pointers][: 1 + NATIVE]


@pytest.fixture(params=WAYS, ids=lambda way: way.__name__)
def way(request, monkeypatch):
    """Compare all at once in this way."""
    monkeypatch.setattr("chainrule.compiler.guards.Held", request.param)


@pytest.mark.parametrize("case", CHANGES)
@pytest.mark.usefixtures("way")
def test_each_change_is_noticed_and_named(case):
    """Whatever is changed of what a function reads, the heap says what, by the path to it."""
    make, change, phrase = CHANGES[case]
    box, heap = watch(x=make())
    change(box)
    assert heap.changed() == phrase


# What random changes put into containers: equal ones among them, and numbers in new objects.
POOL = [0.0, -0.0, 1, True, 1.0, "a", None, SHARED, Value(1.0), Box(), Point(1.0), Point(1.0), ()]


def change_at_random(rng, box):
    """One change of a box of two lists, dictionaries, sets and boxes, or one put back."""
    entries, x = rng.choice(list(vars(box).values())), rng.choice([*POOL, float("1.5")])
    if isinstance(entries, list):
        entries[rng.randrange(2) :] = [x] * rng.randrange(1, 3)
    elif isinstance(entries, set):
        entries.symmetric_difference_update({rng.choice("abc")})
    else:
        entries = entries if isinstance(entries, dict) else vars(entries)
        entries.pop(rng.choice("abc"), None)
        entries[rng.choice("abc")] = x


@pytest.mark.usefixtures("way")
def test_comparing_all_at_once_overlooks_nothing():
    """Whatever looks unchanged all at once is unchanged slot by slot, and the next time too."""
    rng = random.Random(1)
    seen = collections.Counter()
    for _ in range(500):
        dicts = {"e": {"a": 1.5}, "f": {"a": 1.5, "b": 1}}
        box = Box(a=[1.5], b=[SHARED, 1], c={"a"}, d={"a", "b"}, **dicts, g=Box(a=1.5), h=Box())
        heap = Heap(lambda: box)  # noqa: B023
        for _ in range(8):
            change_at_random(rng, box)
            at_once = heap._snapshot.is_as_before()
            same = not any(slots.difference() for slots in heap._all)
            assert same or not at_once
            assert (heap.changed() == "") == same == heap._snapshot.is_as_before()
            seen[at_once, same] += 1
    assert min(seen[False, True], seen[True, True], seen[False, False]) > 0


@pytest.mark.usefixtures("way")
def test_heaps_leave_no_references():
    """A thousand heaps, each compared and refreshed, leave what they held as it was referred to."""
    shared = Value(1.0)
    box = Box(x=[shared, 1.5], y={"a": shared, 1: 2}, z=Slotted(shared), model=MLP(2, [2]))

    def use():
        heap = Heap(lambda: box)
        box.x[1] = float("1.5")
        assert heap.changed() == heap.changed() == ""
        box.y["a"] = 1
        assert heap.changed()
        box.y["a"] = shared

    def references():
        gc.collect()
        held = [shared, box, box.x, box.y, vars(box), box.model.layers[0].neurons[0].w[0], Box]
        return [sys.getrefcount(x) for x in held], sys.getallocatedblocks()

    use()
    before = references()
    for _ in range(1000):
        use()
    after = references()
    assert after[0] == before[0]
    assert after[1] - before[1] < 100


def test_what_is_changed_back_is_as_before():
    """The heap compares with the time when it was made, however often it is asked."""
    box, heap = watch(x=0.1, y=[1])
    box.x = 0.2
    box.y.append(2)
    assert heap.changed()
    box.x = 0.1
    box.y.pop()
    assert heap.changed() == ""


@pytest.mark.usefixtures("way")
def test_the_same_state_is_no_change():
    """Equal numbers, strings and tuples of such in other objects are the same state."""
    box, heap = watch(x=0.1, y="ab", z=(1, (2.5, "c")), n=math.nan, d=decimal.Decimal("1.0"))
    for _ in range(2):
        box.x = float("0.1")
        box.y = "".join(["a", "b"])
        box.z = (1, (float("2.5"), "c"))
        box.n = float("nan")
        box.d = decimal.Decimal("1.0")
        assert heap.changed() == ""
        assert heap._snapshot.is_as_before()  # the next call is a fast one again
    box.x = 0.3
    assert heap.changed() == "`box.x` is 0.3, not 0.1"


def test_data_and_gradients_of_values_may_change():
    """The numbers of values are inputs of a program, and not watched."""
    model = MLP(2, [2, 1])

    def function():
        return model

    heap = Heap(function)
    for p in model.parameters():
        p.data += 1.0
    sum(p * p for p in model.parameters()).backward()
    model.zero_grad()
    optim.SGD(model.parameters(), lr=0.1).step()
    assert heap.changed() == ""


def test_what_the_function_does_not_name_may_change(monkeypatch):
    """A global that no code reached by the function names is not watched."""
    monkeypatch.setitem(globals(), "unrelated", 1)
    _, heap = watch(x=1)
    monkeypatch.setitem(globals(), "unrelated", 2)
    assert heap.changed() == ""


def test_a_global_is_not_taken_for_an_attribute_of_its_name(monkeypatch):
    """In `box.x` the name x is no global."""
    monkeypatch.setitem(globals(), "x", 1)
    box = Box(x=2)
    heap = Heap(lambda: box.x)
    monkeypatch.setitem(globals(), "x", 3)
    assert heap.changed() == ""


# ---- variables ----


def test_globals(monkeypatch):
    """A global is watched, in nested functions, comprehensions and classes too."""
    monkeypatch.setitem(globals(), "rate", 0.1)

    def nested():
        class Inner:
            x = [rate for _ in range(2)]  # noqa: F821

        return Inner

    heaps = [Heap(lambda: rate), Heap(nested)]  # noqa: F821
    monkeypatch.setitem(globals(), "rate", 0.2)
    assert [heap.changed() for heap in heaps] == ["`rate` is 0.2, not 0.1"] * 2


def test_a_global_that_appears(monkeypatch):
    """A name that is no global yet, or is Python's own, is noticed when it becomes one."""
    heap = Heap(lambda: not_there)  # noqa: F821
    monkeypatch.setitem(globals(), "not_there", 1)
    assert heap.changed() == "`not_there` is new"
    heap = Heap(lambda: sum([]))
    monkeypatch.setitem(globals(), "sum", ops.sum)
    assert heap.changed() == "`sum` is new"


def test_a_counter(monkeypatch):
    """A global that the function itself assigns to is noticed."""
    monkeypatch.setitem(globals(), "calls", 0)

    def function():
        global calls
        calls = 1

    heap = Heap(function)
    function()
    assert heap.changed() == "`calls` is 1, not 0"


def test_closures_and_defaults():
    """Cells of closures and defaults of arguments are watched."""
    rate, empty = 0.1, 1
    del empty

    def function(x=[1], *, y=2):  # noqa: B006
        return rate, empty, x, y

    heap = Heap(function)
    rate = 0.2
    assert heap.changed() == "`rate` is 0.2, not 0.1"
    heap = Heap(function)
    empty = 1
    assert heap.changed() == "`empty` is new"
    heap = Heap(function)
    function.__defaults__[0].append(2)
    assert heap.changed() == "`function.__defaults__[0]` has 2 entries, not 1"
    heap = Heap(function)
    function.__kwdefaults__["y"] = 3
    assert heap.changed() == "`function.__kwdefaults__['y']` is 3, not 2"


def test_cells_that_are_filled_and_emptied():
    """A cell that loses what another one gains is noticed, though they hold the same together."""
    a, b = 1, 1
    del b

    def function():
        return a, b

    heap = Heap(function)
    b = a
    del a
    assert heap.changed() == "`a` is gone"
    a = b


def test_arguments_that_are_bound(monkeypatch):
    """What functools.partial hands to a function is watched under the argument's name."""
    monkeypatch.setitem(globals(), "rate", 0.1)

    def inner(*args, **kwargs):
        return rate, args, kwargs  # noqa: F821

    function = functools.partial(inner, Box(y=1), box=Box(y=1))
    heap = Heap(functools.partial(function))
    function.args[0].y = 2
    assert heap.changed() == "`argument 1.y` is 2, not 1"
    function.args[0].y = 1
    function.keywords["box"].y = 3
    assert heap.changed() == "`box.y` is 3, not 1"
    function.keywords["box"].y = 1
    monkeypatch.setitem(globals(), "rate", 0.2)
    assert heap.changed() == "`rate` is 0.2, not 0.1"


def test_attributes_and_code_of_functions():
    """A function that keeps a count in an attribute, or is given other code, is noticed."""

    def function():
        return helper()

    def helper():
        return 1

    helper.calls = 0
    heap = Heap(function)
    helper.calls += 1
    assert heap.changed() == "`helper.calls` is 1, not 0"
    heap = Heap(function)
    helper.__code__ = (lambda: 2).__code__
    assert heap.changed() == "`helper.__code__` is another code"
    heap = Heap(function)
    helper.__defaults__ = ()
    assert heap.changed() == "`helper.__defaults__` is (), not None"


def test_functions_that_are_called_are_read_too(monkeypatch):
    """Globals of functions, methods and properties that the function names are watched."""
    monkeypatch.setitem(globals(), "rate", 0.1)

    class Model(Module):
        @property
        def scaled(self):
            return self.inner()

        @classmethod
        def made(cls):
            return cls

        @staticmethod
        def inner():
            return rate  # noqa: F821

        def __call__(self):
            return self.scaled

    model = Model()
    ways = [lambda: model(), model, model.__call__, lambda: model.made, Model.inner, Model]
    ways += [functools.partial(model), [model].__len__, lambda: Model().scaled]
    ways += [contextlib.contextmanager(lambda: model()), functools.partial(map, model)]
    heaps = [Heap(way) for way in ways]
    monkeypatch.setitem(globals(), "rate", 0.2)
    found = [heap.changed() for heap in heaps]
    expected = ["`rate` is 0.2, not 0.1"] * len(ways)
    expected[4] = "`rate` is 0.2, not 0.1"
    assert [phrase.replace(f"{__name__}.", "") for phrase in found] == expected


def test_what_makes_instances_is_read(monkeypatch):
    """Where an instance is made, `__init__` is read, of bases and metaclasses and by any name."""
    monkeypatch.setitem(globals(), "rate", 0.1)

    class Meta(type):
        def __call__(cls):
            return rate  # noqa: F821

    class Made(metaclass=Meta):
        pass

    class Base:
        def __init__(self):
            self.x = rate  # noqa: F821

    class Model(Base):
        pass

    model, kinds = Model(), [Model]
    heap = Heap(lambda: model.x)
    heaps = [Heap(way) for way in (lambda: type(model)(), lambda: kinds[0](), lambda: Made())]
    monkeypatch.setitem(globals(), "rate", 0.2)
    assert heap.changed() == ""
    assert [heap.changed() for heap in heaps] == ["`rate` is 0.2, not 0.1"] * 3


def test_patterns(monkeypatch):
    """A property that a pattern asks for is read."""
    monkeypatch.setitem(globals(), "rate", 0.1)

    class Model:
        @property
        def scaled(self):
            return rate  # noqa: F821

    model = Model()

    def function():
        match model:
            case Model(scaled=1):
                return 1

    heap = Heap(function)
    monkeypatch.setitem(globals(), "rate", 0.2)
    assert heap.changed() == "`rate` is 0.2, not 0.1"


def test_compiled_functions(monkeypatch):
    """A compiled function is what it was made of; what it remembers itself may change."""
    monkeypatch.setitem(globals(), "rate", 0.1)
    compiled = type("Compiled", (), {"__module__": "chainrule.compiler.compiled"})()
    compiled.__wrapped__ = lambda: rate  # noqa: F821
    heap = Heap(lambda: compiled())
    compiled.programs = 1
    assert heap.changed() == ""
    monkeypatch.setitem(globals(), "rate", 0.2)
    assert heap.changed() == "`rate` is 0.2, not 0.1"


def test_bases_of_classes():
    """A class that is given another base is noticed."""

    class Base:
        pass

    class Other:
        pass

    class Model(Base):
        pass

    model = Model()
    heap = Heap(lambda: model)
    Model.__bases__ = (Other,)
    assert heap.changed() == "`Model.__mro__` is another tuple"


def test_class_attributes(monkeypatch):
    """What a class holds for its instances is watched, and its bases are."""

    class Base:
        rate = 1

    class Model(Base):
        sizes = [1]

        def __call__(self):
            return self.rate

    heap = Heap(Model())
    monkeypatch.setattr(Base, "rate", 1.0)
    assert heap.changed() == "`Base.rate` is 1.0, not 1"
    monkeypatch.undo()
    assert heap.changed() == ""
    monkeypatch.setattr(Model, "rate", 2, raising=False)
    assert heap.changed() == "`Model.rate` is new"
    monkeypatch.undo()
    monkeypatch.setattr(Model, "__call__", lambda _: 1)
    assert heap.changed() == "`Model.__call__` is another function"
    monkeypatch.undo()
    Model.sizes.append(2)
    assert heap.changed() == "`Model.sizes` has 2 entries, not 1"


def test_modules(monkeypatch):
    """Of a module, the attributes that code names are watched, functions with their globals."""
    module = types.ModuleType("settings")
    exec("rate = 0.1\nother = [1]\ndef used():\n    return hidden\nhidden = 3", vars(module))
    monkeypatch.setitem(sys.modules, "settings", module)

    def function():
        return module.rate, module.used

    def importing():
        from settings import rate

        return rate

    heap, other = Heap(function), Heap(importing)
    module.other.append(2)
    assert (heap.changed(), other.changed()) == ("", "")
    module.hidden = 4
    assert (heap.changed(), other.changed()) == ("`module.hidden` is 4, not 3", "")
    module.hidden, module.rate = 3, 0.2
    assert heap.changed() == "`module.rate` is 0.2, not 0.1"
    assert other.changed() == "`settings.rate` is 0.2, not 0.1"


def test_modules_named_as_python_s(monkeypatch):
    """A module of the user's own is followed, even if Python has one of its name."""
    module = types.ModuleType("trace")
    module.__file__, module.rate = os.path.join(os.sep, "home", "trace.py"), 0.1
    monkeypatch.setitem(sys.modules, "trace", module)
    _is_library.cache_clear()
    heap = Heap(lambda: module.rate)
    computed = Heap(lambda name: getattr(module, name))
    module.rate = 0.2
    assert heap.changed() == computed.changed() == "`module.rate` is 0.2, not 0.1"
    _is_library.cache_clear()


def test_libraries_are_not_followed():
    """Of a function of NumPy, nothing is watched but that it is the same."""
    np = pytest.importorskip("numpy")
    heap = Heap(lambda: np.linalg.norm([1.0]))
    assert heap.described()[0] == "5 slots of 4 objects are compared at each call"


def test_computed_names():
    """Code that asks for attributes by computed names is taken to name them all."""

    class Model:
        def step_1(self):
            return math.sqrt(2.0)

        def step_2(self):
            return time.time()

    model = Model()
    assert Heap(lambda: model.step_1()).changed() == ""
    with pytest.raises(TraceError, match=r"time"):
        Heap(lambda i: getattr(model, f"step_{i}"))
    model.lock, get = threading.Lock(), operator.attrgetter("lock")
    for function in (lambda i: getattr(model, f"l{i}"), lambda: get(model)):
        with pytest.raises(TraceError, match=r"`model\.lock`"):
            Heap(function)


def test_what_is_named_by_another_path():
    """What has come up under a name that no code uses is refused under one that is used."""
    box = Box(unnamed=[threading.Lock()], inner=Box())
    box.inner.named = box.unnamed
    assert Heap(lambda: box.inner).changed() == ""
    with pytest.raises(TraceError, match=r"`box\.inner\.named\[0\]`"):
        Heap(lambda: box.inner.named)


# ---- arrays ----


def test_arrays():
    """NumPy arrays are compared by shape and bytes; those of objects, by their objects too."""
    np = pytest.importorskip("numpy")
    box, heap = watch(x=np.arange(6.0).reshape(2, 3), y=np.array([[1], None], dtype=object))
    box.x[1, 1] = -0.0
    assert heap.changed() == "`box.x` was changed in place"
    box.x[1, 1] = 4.0
    assert heap.changed() == ""
    box.x.shape = (3, 2)
    assert heap.changed() == "`box.x` has shape (3, 2), not (2, 3)"
    box.x.shape = (2, 3)
    box.y[0].append(2)
    assert heap.changed() == "`box.y[0]` has 2 entries, not 1"
    box.y[0].pop()
    box.x = box.x.copy()
    assert heap.changed() == "`box.x` is another ndarray"


def test_numbers_of_numpy():
    """A NumPy number is the same as one of the same type and bits."""
    np = pytest.importorskip("numpy")
    box, heap = watch(x=np.float64(1.0), y=np.dtype("f8"), f=np.exp, g=np.mean, h=np.random.rand)
    box.x = np.float64(1.0)
    assert heap.changed() == ""
    box.x = 1.0
    assert heap.changed() == "`box.x` is 1.0, not np.float64(1.0)"


def test_a_large_array_is_refused():
    """An array of more than a million bytes is to be an argument."""
    np = pytest.importorskip("numpy")
    with pytest.raises(TraceError, match=r"`box\.x`.* has 1,000,008 bytes.*argument"):
        watch(x=np.zeros(125_001))
    watch(x=np.zeros(125_000))


# ---- what is refused ----

UNWATCHED = {
    "a file": lambda: sys.__stdout__,
    "a lock": threading.Lock,
    "a generator": lambda: (i for i in [1]),
    "an iterator": lambda: iter([1]),
    "a counter": itertools.count,
    "a generator of random numbers": lambda: random.Random(1),
    "its method": lambda: random.Random(1).random,
    "a match": lambda: re.match("a", "a"),
    "a weak reference": lambda: weakref.ref(Box),
    "a thread's own": threading.local,
    "a cached function": lambda: functools.cache(lambda: 1),
    "a view of memory": lambda: memoryview(b"a"),
    "an exception": lambda: ValueError("a"),
}


@pytest.mark.parametrize("case", UNWATCHED)
def test_what_cannot_be_watched_is_refused(case):
    """The message names it by its path, and says what to do."""
    box = Box(x=[UNWATCHED[case]()])
    with pytest.raises(TraceError, match=r"`box\.x\[0\].*which is read from outside, is a .*arg"):
        Heap(lambda: box.x)


def test_what_no_code_names_is_not_refused():
    """A model may have a lock, a generator and a method that opens a file, if they are not used."""

    class Model(Module):
        def __init__(self):
            self.lock, self.rng, self.w = threading.Lock(), random.Random(1), Value(1.0)
            self.log = print

        def save(self):
            open("file")  # noqa: SIM115

        def draw(self):
            return self.rng.random()

        def __call__(self):
            return self.w

    model = Model()
    assert Heap(lambda: model() * 2).changed() == ""
    for function, path in [
        (lambda: model.lock, "`model.lock`"),
        (lambda: model.draw(), "`model.rng`"),
        (lambda: model.save(), "`open`"),
    ]:
        with pytest.raises(TraceError, match=path):
            Heap(function)


def test_what_a_library_may_read_is_refused():
    """Of an instance of a library's class, all attributes count as named."""

    class Worker(threading.Thread):
        def __call__(self):
            return 1

    with pytest.raises(TraceError, match=r"`self\._\w+`.* cannot be watched"):
        Heap(Worker())


CLOCK = datetime.datetime.now
REFUSED = {
    "time": lambda: time.time(),
    "now": lambda: datetime.datetime.now(),
    "CLOCK.now": lambda: CLOCK(),
    "os.urandom": lambda: os.urandom(1),
    "os.environ": lambda: os.environ["HOME"],
    "secrets": lambda: secrets.token_hex(),
    "uuid": lambda: uuid.uuid4(),
    "input": lambda: input(),
    "open": lambda: open("file"),  # noqa: SIM115
    "eval": lambda: eval("1"),
    "exec": lambda: exec("1"),
    "globals": lambda: globals()["x"],
    "pathlib.read_text": lambda: pathlib.Path("file").read_text(),
    "random.SystemRandom": lambda: random.SystemRandom().random(),
    "sys.argv": lambda: sys.argv,
}


@pytest.mark.parametrize("name", REFUSED)
def test_clocks_entropy_and_files_are_refused(name):
    """What gives something else at each call is refused by its name."""
    with pytest.raises(
        TraceError, match=rf"{re.escape(name)}` may give something else .* argument"
    ):
        Heap(REFUSED[name])


def test_imports_inside_a_function_are_seen():
    """A clock is refused where the function itself imports it."""

    def function():
        from time import perf_counter

        return perf_counter()

    with pytest.raises(TraceError, match=r"`time`"):
        Heap(function)


def test_names_of_clocks_for_other_things_are_free(monkeypatch):
    """An attribute called `now` is no clock, a function of one's own called `open` no file."""
    monkeypatch.setitem(globals(), "open", lambda x: x)
    box = Box(now=1, load=2, urandom=3)
    assert Heap(lambda: open(box.now) + box.load).changed() == ""  # noqa: SIM115


def test_too_much_is_refused():
    """More than 10,000 slots are to be an argument."""
    box, _ = watch(x=[Value(0.0) for _ in range(9_900)])
    box.x += [Value(0.0) for _ in range(101)]
    with pytest.raises(TraceError, match=r"more than 10,000 .* pass what holds most of them"):
        Heap(lambda: box)


# ---- what is watched without a word ----


def test_what_cannot_change_is_let_pass():
    """Immutable objects, functions of libraries, annotations and ops need no watching."""
    fixed = [
        fractions.Fraction(1, 2),
        datetime.date(2020, 1, 1),
        pathlib.Path("a"),
        re.compile("a"),
    ]
    fixed += [
        range(3),
        slice(1),
        ...,
        frozenset([1]),
        list[int],
        int | None,
        types.MappingProxyType({}),
    ]
    fixed += [
        math.exp,
        random.gauss,
        random.random,
        statistics.mean,
        chainrule.exp,
        ops.tanh,
        Value,
    ]
    fixed += [operator.itemgetter(1), "a".join, Color, Color.RED, chainrule.softmax, os.path.join]
    _, heap = watch(x=fixed)
    assert heap.changed() == ""


def test_cycles():
    """Objects that hold each other, or themselves, are watched like others."""
    box, heap = watch(x=[])
    box.x.append(box.x)
    box.box = box
    heap = Heap(lambda: box)
    assert heap.changed() == ""
    box.x.append(1)
    assert heap.changed() == "`box.x` has 2 entries, not 1"


def test_ops_of_users(monkeypatch):
    """What the function behind a user's op reads is watched."""
    monkeypatch.setitem(globals(), "rate", 0.1)
    row = types.SimpleNamespace(value=lambda x: rate * x)  # noqa: F821
    op = object.__new__(ops.Op)
    op.value = row.value
    heap = Heap(lambda: op)
    monkeypatch.setitem(globals(), "rate", 0.2)
    assert heap.changed() == "`rate` is 0.2, not 0.1"


def test_slots_of_the_demo():
    """The network of the lecture's demo and what leads to it have 559 slots in 114 objects."""
    model = MLP(2, [16, 16, 1])
    alpha = 1e-4

    def loss(X, y):  # noqa: N803
        scores = [model(x) for x in X]
        losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores)]
        return sum(losses) / len(losses) + alpha * sum(p * p for p in model.parameters())

    heap = Heap(loss)
    found = heap.described()
    assert found[0] == "559 slots of 116 objects are compared at each call"
    assert found[1:] == ["`alpha` = 0.0001", "`model` is of type MLP"]
    model.layers[1].neurons[3].w[2] = Value(0.0)
    assert heap.changed() == "`model.layers[1].neurons[3].w[2]` is another Value"


def test_what_is_compared_slowly_is_said():
    """Lists, dictionaries, sets and instances are compared all at once, others one by one."""
    fast = [[1, Value(1.0)], {"a": 1, "b": 2}, {1: 2, 3: 4}, {1, 2}, Box(y=1, z=2), Point(1.0)]
    fast += [
        collections.deque([1, 2]),
        array.array("d", [1.0]),
        Color.RED,
        optim.SGD([Value(1.0)], 0.1),
    ]
    box, heap = watch(x=fast)
    assert [line for line in heap.described() if "slowly" in line] == []
    box.x.append(collections.OrderedDict(a=1))
    heap = Heap(lambda: box)
    assert heap.described()[1:] == ["`box` is of type Box", "`box.x[10]` slot by slot, slowly"]


@pytest.mark.parametrize(
    ("now", "kept", "expected"),
    [
        (1, 1, True),
        (1, 1.0, False),
        (1, True, False),
        (0.0, -0.0, False),
        (math.nan, -math.nan, True),
        (float("nan"), float("nan"), True),
        (complex(0.0, -0.0), complex(0.0, 0.0), False),
        ((1, "a"), (1, "a"), True),
        ((1, [2]), (1, [2]), False),
        ([], [], False),
        (re.compile("a"), re.compile("a", re.IGNORECASE), False),
    ],
)
def test_same(now, kept, expected):
    """Numbers are told apart by type and bits, all that can change by identity."""
    assert same(now, kept) is expected
