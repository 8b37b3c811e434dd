"""What a program made of one run could get wrong: each is as the function itself, or refused.

None is silent: a compiled function gives at every call what the function gives, numbers and
gradients, or its exception; or a TraceError that names the line.
"""

from __future__ import annotations

import collections
import copy
import datetime
import fractions
import functools
import gc
import itertools
import json
import math
import pickle
import random
import statistics
import threading
import time
import types

import pytest

import chainrule
from chainrule import Value, compile, detect_anomaly, lookup, modes, no_grad
from chainrule.compiler import backends
from chainrule.compiler.traced import parts
from chainrule.errors import AnomalyError, ArgumentError, CopyError, TraceError
from chainrule.nn import MLP, Layer, Module
from chainrule.optim import SGD

np = pytest.importorskip("numpy")

w = Value(3.0)
v = Value(-2.0)


@pytest.fixture(autouse=True, params=["numpy", "python"])
def _as_before(request, monkeypatch):
    """Each test starts from the same two values, and leaves nothing switched on or off."""
    seconds = {"numpy": math.inf, "python": 0.0}[request.param]
    monkeypatch.setattr(backends, "seconds_of_python", lambda program: seconds)  # noqa: ARG005
    w.data, v.data = 3.0, -2.0
    yield
    assert gc.isenabled()
    assert modes._open == []


def seen(function, args):
    """The numbers that a call gives and their gradients, or the type of its exception."""
    try:
        result = function(*args)
    except TraceError:
        raise
    except Exception as error:
        return type(error).__name__
    return [numbers(x) for x in parts(result)]


def numbers(x):
    """What is no value, or the number of a value with the gradients that backward() leaves."""
    if type(x) is not Value:
        return [x]
    w.grad = v.grad = 0.0
    x.backward()
    return [x.data, w.grad, v.grad]


def agree(function, *steps):
    """Hold a compiled function to the function itself.

    Args:
        function: what is compiled.
        steps: the arguments of a call, or something to be done between two calls.
    """
    compiled = compile(function)
    for step in steps:
        if callable(step):
            step()
            continue
        given, right = seen(compiled, step), seen(function, step)
        if isinstance(right, str) or isinstance(given, str):
            assert given == right
            continue
        for one, other in itertools.zip_longest(given, right):
            near = pytest.approx(other, rel=1e-12, nan_ok=True) if len(other) > 1 else other
            assert one == near
    return compiled


def refused_at_last(function, *calls, says):
    """A TraceError for one of many calls; those before it are as the function itself gives them."""
    compiled = compile(function)
    with pytest.raises(TraceError, match=says):  # noqa: PT012 - any but the first
        for call in calls:
            assert seen(compiled, call) == seen(function, call)


def refused(function, *args, says):
    """The message of the TraceError for a call, which names a line of the function."""
    with pytest.raises(TraceError) as caught:
        compile(function)(*args)
    message = "\n".join([str(caught.value), *getattr(caught.value, "__notes__", ())])
    first = function.__code__.co_firstlineno
    last = max(line for _, _, line in function.__code__.co_lines() if line)
    assert any(f"test_surprises.py:{line}" in message for line in range(first, last + 1)), message
    assert says in message
    return message


# ---- taking the number of traced data away ----


def test_data_of_a_value():
    """`.data` is read anew at each call, and passes on no gradient."""
    agree(lambda x: w * w.data * x, (2.0,), lambda: setattr(w, "data", 5.0), (2.0,))
    agree(lambda x: (w * x).data * v, (2.0,), (3.0,))


@pytest.mark.parametrize("function", [float, int, round, math.exp, math.floor, math.sqrt])
def test_a_number_taken_away(function):
    """float(), int(), round() and functions of math would give one number for ever."""
    refused(lambda x: w * function(x), 2.5, says="compute it outside")


def test_the_data_of_a_value_in_math():
    """The data of a value is data too."""
    refused(lambda: w * math.exp(w.data), says="Write chainrule.exp(x)")


def test_a_refusal_that_the_function_catches():
    """What the function makes of a refusal would be kept for ever; so it is raised at the end."""

    def function(x):
        try:
            return w * math.exp(x)
        except Exception:  # what it means is an overflow
            return w * 0.0

    refused(function, 1000.0, says="math")


@pytest.mark.parametrize(
    "text", [str, repr, "{}".format, "{:.2f}".format, "%f".__mod__, json.dumps, ascii]
)
def test_texts_of_data(text):
    """A text of data would be kept; so would that of a traced value."""
    refused(lambda x: w * len(text(x)), 2.5, says="test_surprises.py")
    refused(lambda x: w * len(f"{w * x:.3f}"), 2.5, says="made a text")


def test_a_branch_by_a_text():
    """A text is refused even where it makes no difference at the first call."""
    refused(lambda x: w if str(x) == "1.0" else v, 2.0, says="made a text")


def test_whole_numbers_as_numbers():
    """int(), float() and math of a whole number guard it."""
    agree(lambda xs: w * int(xs[0]) + math.exp(xs[1]), ([2, 1],), ([3, 1],), ([2, 0],), ([2, 1],))


def test_attributes_of_numbers():
    """What floats have besides arithmetic is refused, even when only asked for."""
    refused(lambda x: w if x.is_integer() else v, 2.0, says="`.is_integer` of traced data")
    refused(lambda x: w if hasattr(x, "hex") and x > 9 else v, 2.0, says="`.hex`")
    refused(lambda x: w * x[0].item(), np.array([2.0]), says="`.item`")
    refused(lambda xs: w * statistics.mean(xs), [1.0, 2.0], says="as_integer_ratio")


# ---- types ----


def test_isinstance():
    """isinstance sees the type of the number that data stands for."""

    def function(x):
        return v * x if isinstance(x, float) and x > 100 else w * x

    agree(function, (2.0,), (200.0,), (200,), (2.0,))
    agree(lambda xs: w if isinstance(xs[0], int) else v, ([2],), ([2.0],), ([True],))
    agree(lambda x: x * x if isinstance(x, Value) else v * x, (1.0,), (w,), (v,))
    agree(lambda xs: w if isinstance(xs[0], np.floating) else v, (np.ones(1),), ([1.0],))


def test_patterns():
    """So do patterns of a match statement."""

    def function(x):
        match x:
            case float():
                return w * x
            case _:
                return v * x

    agree(function, (2.0,), (2,), (3.0,))


def test_the_very_type():
    """type(x) cannot be told otherwise: what depends on it is refused where it matters."""
    refused(lambda x: w * x if type(x) is float else v, 2.0, says="or on the type of data")
    refused(
        lambda x: w * x[0] if x.dtype == float else v, np.ones(1), says="or on the type of data"
    )


def test_an_argument_that_becomes_whole():
    """1 is another argument than 1.0, also in a list or an array, and True another than 1."""
    agree(lambda x: w * x / 2, (3.0,), (3,), (True,), (3.0,), (0,), (False,))
    agree(lambda xs: w * xs[0] / 2, ([3.0],), ([3],), ([True],), (np.array([3]),), ([3.0],))
    agree(lambda x, k: w * x[k], ([2.0, 5.0], 0), ([2.0, 5.0], True), ([2.0, 5.0], 1))


def test_whole_numbers_past_2_to_the_53rd():
    """Python's whole numbers are exact at any size; where a program's would not be, it is said."""
    large = 2**53 + 1
    agree(lambda xs: w * xs[0], ([5],), ([large],), ([10**30],))
    for function in (
        lambda xs: w * (xs[0] - 2**52),
        lambda xs: w * (xs[0] == 2.0**54),
        lambda xs: w * (xs[0] * xs[0] - 5),
        lambda xs: w * xs[0] ** 40,
        lambda xs: w if xs[0] > xs[1] else v,
    ):
        refused(function, [large, large - 1], says="2**53")
        compiled = agree(function, ([1, 0],), ([0, 1],))
        with pytest.raises(TraceError, match=r"2\*\*53"):
            compiled([large, large - 1])
        compiled(np.array([1, 0]))
        with pytest.raises(TraceError, match=r"2\*\*53"):
            compiled(np.array([large, large - 1]))


def test_bools():
    """Bools count as Python has it."""
    agree(lambda xs: w * sum(xs), ([True, False],), ([True, True],), ([False, False],))
    agree(lambda b, x: w * x if b else v * x, (True, 1.0), (False, 1.0), (True, 2.0))
    agree(lambda xs: w * (xs[0] > 1) + (xs[0] > xs[1]), ([2.0, 3.0],), ([0.5, 0.2],))


# ---- deciding by data ----


def test_a_branch_on_data():
    """A decision holds for the calls that decide alike."""
    calls = (2.0,), (-2.0,), (0.0,), (-0.0,), (math.nan,), (math.inf,), (2.0,)
    agree(lambda x: w * x if x > 0 else v * x, *calls)
    agree(lambda x: w * x if not x <= 0 else v * x, *calls)
    agree(lambda x: w if x else v, *calls)
    agree(lambda xs: w if xs and xs[0] else v, ([1.0],), ([0.0],), ([],), ([2],), ([0],))


def test_a_branch_on_a_parameter():
    """A parameter that has moved decides anew."""
    agree(lambda x: w * x if w > v else v * x, (2.0,), lambda: setattr(v, "data", 4.0), (2.0,))
    agree(lambda x: w * x if w else v * x, (2.0,), lambda: setattr(w, "data", 0.0), (2.0,))
    agree(lambda x: w * x if w.data > 1 else v, (2.0,), lambda: setattr(w, "data", 0.0), (2.0,))


def test_a_branch_on_what_was_computed():
    """So does whatever is computed from data and parameters."""
    agree(lambda x: w * x if (w * x - 1) ** 2 < 30 else v * x, (1.0,), (9.0,), (0.5,))

    def best(xs):
        found = w * 100.0
        for x in xs:
            loss = (w * x - 1) ** 2
            if loss < found:
                found = loss
        return found

    agree(best, ([1.0, 2.0],), ([2.0, 1.0],), ([2.0, -1.0],))


def test_equality():
    """== and != of data decide, in numbers and among numbers of other types."""
    agree(lambda x: w * x if x == 2 else v * x, (2.0,), (3.0,), (2,), (math.nan,))
    agree(lambda x: w * x if x != 2 else v * x, (2.0,), (3.0,))
    agree(lambda x: w if x == np.int64(2) else v, (3.0,), (2.0,))
    refused(lambda x: w if x == np.float32(2) else v, 3.0, says="float32")
    refused(lambda x: w if x > fractions.Fraction(1, 3) else v, 3.0, says="Fraction")
    agree(lambda x: w if x == None or x == "2" else v, (3.0,), (2.0,))  # noqa: E711


def test_membership():
    """`in` compares with each, and keys of dictionaries are data that must stay."""
    agree(lambda x: w if x in (1, 2, 3) else v, (2.0,), (3.0,), (4.0,))
    agree(lambda xs: w if 2 in xs else v, ([1.0, 2.0],), ([1.0, 3.0],), ([2, 3],), ([],))
    agree(lambda xs: w * {1: 2.0, 2: 3.0}[xs[0]], ([1],), ([2],), ([3],), ([1],))
    agree(lambda x: w * {1.5: 2.0}.get(x, 7.0), (1.5,), (2.5,))
    agree(lambda xs: w * len(set(xs)), ([1.0, 2.0],), ([2.0, 2.0],), ([2, 2],), ([2, 3],))


def test_values_as_members():
    """Values are members by identity, as ever."""
    agree(lambda x: sum({w, v}) * x, (1.0,), (2.0,))
    agree(lambda x: w * x if w in [v, w] else v * x, (1.0,), (2.0,))
    agree(lambda x: {w: v, v: w}[w] * x, (1.0,), (2.0,))


def test_nan_as_a_key():
    """A nan is no key that could be found again."""
    refused(lambda x: w if x in {1.0: 2.0} else v, math.nan, says="nan was used as a key")


def test_an_index():
    """An index that is data must stay; from the end and out of range as in Python."""
    agree(lambda xs: [w, v][xs[0]] * 1, ([1],), ([0],), ([-1],), ([7],), ([1],))
    agree(lambda i: [w, v][i] * 1, (1,), (0,), (-1,), (7,), (1,))
    agree(lambda xs: sum([w, v, w][xs[0] :]) * 1, ([0],), ([1],), ([-1],))
    agree(lambda xs: sum(w for _ in range(xs[0])) * v, ([1],), ([3],))
    refused(lambda x: [w, v][x], 1.0, says="was asked for")


def test_a_lookup():
    """An index of a lookup may change freely, also to one that no program can have."""
    function = lambda xs: lookup([w, v, w * v])[xs[0]] * 1.0
    compiled = agree(function, ([1],), ([0],), ([2],))
    assert "programs kept: 1" in compiled.explain()
    agree(function, ([1],), ([-1],), ([3],), ([-4],), ([0],))
    agree(function, ([-1],), ([1],), ([3],), ([-1],))
    refused(lambda x: lookup([w, v])[x] * 1.0, 1.0, says="no whole number")


def test_order():
    """sorted, max and min decide by each comparison."""
    calls = ([1.0, 2.0],), ([3.0, 2.0],), ([2.0, 2.0],)
    agree(lambda xs: w * max(xs) + v * min(xs), *calls)
    agree(lambda xs: w * sorted(xs)[0] + v * sorted(xs)[1], *calls)
    agree(lambda x: max(w * x, v * x, key=lambda y: y.data), (1.0,), (-1.0,))
    agree(lambda x: sorted([w * x, v * x, w + v])[0] * 1, (1.0,), (-1.0,))


def test_seventeen_branches():
    """Where data decides ever anew, the error names the line."""
    refused_at_last(
        lambda x: w * x if any(x < k for k in range(20)) else v,
        *[(k - 0.5,) for k in range(20)],
        says=r"16 programs.*data decided at test_surprises\.py:\d+",
    )


def test_seventeen_numbers():
    """Where an argument that is part of the program is ever another, it says which."""
    calls = [(2.0, k) for k in range(20)]
    refused_at_last(lambda x, k: w * x * k, *calls, says=r"of the program was 0 and is 16")


def test_seventeen_objects():
    """So too with objects."""
    calls = [(types.SimpleNamespace(x=k),) for k in range(20)]
    refused_at_last(lambda box: w * box.x, *calls, says="is another SimpleNamespace")


def test_seventeen_states():
    """Where something outside changes ever anew, it is named."""
    rates = {"x": 0.0}
    compiled = compile(lambda x: w * x * rates["x"])
    for k in range(16):
        rates["x"] = float(k)
        assert compiled(1.0).data == 3 * k
    rates["x"] = 16.0
    with pytest.raises(TraceError, match=r"`rates\['x'\]` is 16.0, not 15.0"):
        compiled(1.0)


def test_many_lengths():
    """Arguments of new length are another program each."""
    calls = [([1.0] * k,) for k in [*range(20), 3, 0]]
    agree(lambda xs: sum((w * x for x in xs), v * 1.0), *calls)


# ---- Python's arithmetic ----


def test_division_by_zero():
    """Python's numbers raise, values and NumPy's do not."""
    calls = (2.0,), (0.0,), (-0.0,), (4.0,)
    agree(lambda x: w * (1 / x), *calls)
    agree(lambda x: w / x, *calls)
    agree(lambda xs: w * (xs[0] / xs[1]), ([3, 2],), ([3, 0],), ([3, 4],))
    with np.errstate(all="ignore"):
        agree(lambda x: w * (1 / x[0]), *[(np.array(call),) for call in calls])


def test_a_division_that_the_function_catches():
    """What the function does about a division by zero, it does traced."""

    def function(x):
        try:
            return w * (1 / x)
        except ZeroDivisionError:
            return v * 1

    agree(function, (2.0,), (0.0,), (4.0,))
    agree(function, (0.0,), (2.0,))


def test_powers():
    """A power that is too large, or complex, or divides by zero raises, as Python's."""
    agree(lambda x: w * x**400, (2.0,), (10.0,), (math.inf,), (math.nan,), (2.0,))
    agree(lambda x: w * x**2, (2.0,), (1e200,), (-3.0,))
    agree(lambda x: w * x**-1, (2.0,), (0.0,), (-2.0,))
    agree(lambda x: w * x**0.5, (2.0,), (-2.0,), (0.0,), (math.inf,))
    agree(lambda x: w * 2.0**x, (2.0,), (2000.0,), (-2000.0,))
    agree(lambda x: w * 0.0**x, (2.0,), (-1.0,), (0.0,))
    agree(lambda x: w * (-2.0) ** x, (2.0,), (0.5,), (3.0,))
    calls = (2.0, 1.0), (-2.0, 2.0), (-2.0, 0.5), (0.0, -1.0), (10.0, 400.0), (math.inf, 2.0)
    agree(lambda x, y: w * x**y, *calls, (2.0, 1.0))


def test_powers_of_whole_numbers():
    """Whole powers of whole numbers are whole, negative ones are not, and NumPy refuses these."""
    agree(lambda xs: [w, v][xs[0] ** xs[1]] * 1, ([1, 2],), ([0, 2],))
    agree(lambda xs: w * xs[0] ** xs[1], ([2, 3],), ([2, -3],), ([0, -1],))
    agree(lambda xs: w * xs[0] ** xs[1], (np.array([2, 3]),), (np.array([2, -3]),))


def test_whole_division():
    """// and % of whole numbers guard them, and of others are refused."""
    agree(lambda xs: w * (xs[0] // xs[1] + xs[0] % xs[1]), ([7, 2],), ([9, 2],), ([7, 0],))
    refused(lambda x: w * (x // 2), 3.0, says="was asked for")


def test_signs_of_zero_and_near_exponents():
    """0.0 and -0.0 are two constants, and -1 and -2 two exponents, whose hashes are equal."""
    agree(lambda x: [(w * c) ** -1 * x for c in (0.0, -0.0)], (2.0,))
    agree(lambda x: [w**-1 * x, w**-2 * x, w**-1.0, w**2, w**True], (2.0,), (3.0,))
    agree(lambda x: [w * x * c for c in (1, 1.0, True, -1, -2, 0, False)], (2.0,), (0.0,))


def test_nan_and_inf():
    """They pass through as through values."""
    calls = (math.nan,), (math.inf,), (-math.inf,), (1.0,)
    agree(lambda x: w * x + v, *calls)
    agree(lambda x: (w * x).relu() + (v * x).exp(), *calls)
    agree(lambda x: w * math.inf + v * x, *calls)


def an_expression(draw, depth):
    """Python's arithmetic, comparisons and choices, as a text, on numbers of a list xs."""
    if depth == 0 or draw.random() < 0.15:
        return draw.choice(["xs[0]", "xs[1]", "2", "0.5", "-1", "3", "0", "1e200"])
    a, b = an_expression(draw, depth - 1), an_expression(draw, depth - 1)
    signs = ["+", "-", "*", "/", "**", "<", "<=", "==", "!=", ">", ">=", "and", "or", "//", "%"]
    return draw.choice(
        [
            f"({a} {draw.choice(signs)} {b})",
            f"({a} {draw.choice(signs[:5])} {b})",
            f"({a}) ** {draw.choice(['2', '-1', '0.5', '3'])}",
            f"{draw.choice(['abs', 'max', 'min'])}({a}, {b})".replace(
                f"abs({a}, {b})", f"abs({a})"
            ),
            f"(-{a} if {b} > xs[0] else {a})",
            f"[{a}, {b}][{draw.choice(['xs[0]', 'xs[1] > 0'])}]",
        ]
    )


@pytest.mark.parametrize("kinds", [(float, float), (int, int), (int, float)])
def test_random_arithmetic(kinds):
    """Whatever Python does with the numbers of later calls, the program does, or refuses."""
    draw, agreed = random.Random(7), 0
    for _ in range(100):
        text = an_expression(draw, 3)
        function = eval(f"lambda xs: w * ({text})", {"w": w})
        compiled = compile(function)
        for _ in range(6):
            xs = [draw.choice([0, 1, 2, -1, 3] + [2.5, 1e200, -0.0] * (k is float)) for k in kinds]
            xs = [kind(x) for kind, x in zip(kinds, xs)]
            try:
                given = seen(compiled, (xs,))
            except TraceError:
                continue
            right = seen(function, (xs,))
            near = (
                right if isinstance(right, str) else pytest.approx(right[0], rel=1e-12, nan_ok=True)
            )
            assert (given if isinstance(given, str) else given[0]) == near, (text, xs)
            agreed += 1
    assert agreed > 250


# ---- what is read from outside ----


@pytest.mark.parametrize(
    "draw",
    [random.random, lambda: random.choice([1, 2]), np.random.rand, lambda: np.random.normal()],
)
def test_random_numbers(draw):
    """Random numbers would be drawn once."""
    refused(lambda x: w * draw() * x, 2.0, says="draws random numbers")


@pytest.mark.parametrize("state", [np.random.default_rng(0), random.Random(0)])
def test_generators_of_random_numbers(state):
    """So would those of a generator of one's own."""
    refused(lambda x: w * state.random() * x, 2.0, says="whose state cannot be watched")


@pytest.mark.parametrize("fresh", ["np.random.default_rng()", "random.Random()"])
def test_generators_made_inside(fresh):
    """A generator that is seeded by chance draws other numbers each time."""
    names = {"np": np, "random": random, "w": w, "v": v}
    function = eval(f"lambda: w * 1 if {fresh}.random() < 0.999 else v * 1", names)
    with pytest.raises(TraceError):
        compile(function)()


def test_the_clock():
    """A clock would stand still."""
    refused(lambda x: w * time.time() * x, 2.0, says="`time")
    refused(lambda x: w * time.perf_counter() * x, 2.0, says="`time")
    refused(lambda x: w * datetime.datetime.now().year * x, 2.0, says="`datetime.now`")


def test_counters():
    """What counts the calls would be counted once."""
    calls = [0]

    def function(x):
        calls[0] += 1
        return w * calls[0] * x

    refused(function, 2.0, says="`calls[0]`")
    count = itertools.count()
    refused(lambda x: w * next(count) * x, 2.0, says="`count`")


def test_results_left_behind():
    """What is appended to a list outside, or kept in an attribute, would be so once."""
    kept, box = [], types.SimpleNamespace(last=None)

    def function(x):
        kept.append(w * x)
        return kept[-1]

    def keeping(x):
        box.last = w * x
        return box.last

    refused(function, 2.0, says="`kept`")
    refused(keeping, 2.0, says="`box.last`")


def test_caches():
    """A cache would be filled with data of the trace, or not be looked at again."""
    cached = functools.lru_cache(lambda x: x * x)
    refused(lambda x: w * cached(x), 2.0, says="`cached`")
    assert type(cached(2.0)) is float
    memory = {}

    def function(x):
        if x not in memory:
            memory[x] = x * x
        return w * memory[x]

    refused(function, 2.0, says="`memory[")


def test_numbers_outside(monkeypatch):
    """A captured number, an entry, an attribute, a global: when it changes, so does the program."""
    monkeypatch.setitem(globals(), "rate", 2.0)
    box = types.SimpleNamespace(x=1.0)
    entries, k, counts = {"x": 2.0}, 3.0, np.array([1.0, 2.0])

    def function(x):
        return w * x * rate * box.x * entries["x"] * k * counts[0]  # noqa: F821

    def set_k():
        nonlocal k
        k = 7.0

    changes = [
        lambda: setattr(box, "x", 5.0),
        lambda: entries.update(x=-1.0),
        lambda: globals().update(rate=9.0),
        lambda: counts.__setitem__(0, 4.0),
        set_k,
        lambda: setattr(box, "x", 5),
    ]
    for change in changes:
        agree(function, (2.0,), change, (2.0,))


def test_collections_outside():
    """A captured list may grow, and what it holds be replaced."""
    weights, named = [w], {"w": w}
    agree(lambda x: sum(p * x for p in weights), (2.0,), lambda: weights.append(v), (2.0,))
    agree(lambda x: named["w"] * x, (2.0,), lambda: named.update(w=v), (2.0,))
    agree(lambda x: len(named) * w * x, (2.0,), lambda: named.update(v=v), (2.0,))


def test_parameters_set_by_hand():
    """The data of values is read at each call."""
    agree(lambda x: w * x + v, (2.0,), lambda: setattr(w, "data", 9.0), (2.0,), (3.0,))


def test_an_optimiser_between_calls():
    """An optimiser's steps are seen."""
    optimizer = SGD([w, v], lr=0.1, momentum=0.9)
    steps = itertools.chain.from_iterable(((2.0,), optimizer.step) for _ in range(4))
    agree(lambda x: (w * x - v) ** 2, *steps)


def test_a_module_with_a_new_layer():
    """A model may get another shape."""
    model = MLP(2, [2, 1])
    for p in model.parameters():
        p.data = 0.5
    agree(
        lambda x: model(x) * w,
        ([1.0, 2.0],),
        lambda: model.layers.append(Layer(1, 1)),
        ([1.0, 2.0],),
        lambda: setattr(model.layers[0].neurons[0], "b", v),
        ([1.0, 2.0],),
    )


def test_default_arguments():
    """Defaults are read from outside, and given arguments are arguments."""

    def function(x, k=2.0, ws=(w,)):
        return ws[0] * x * k

    def change():
        function.__defaults__ = (7.0, (v,))

    agree(function, (2.0,), (2.0, 3.0), (2.0, 3.0, [v]), change, (2.0,))


def test_closures_of_a_loop():
    """Functions made in a loop all see its last number, as ever, and a change of it."""
    functions = [lambda x: w * x * k for k in range(3)]  # noqa: B023
    agree(functions[0], (2.0,), (3.0,))
    assert compile(functions[0])(1.0).data == 6.0


def test_captured_values_that_were_computed():
    """A value computed outside keeps its number, and passes its gradient on."""
    product = w * v
    agree(lambda x: product * x + w, (2.0,), lambda: setattr(w, "data", 7.0), (2.0,))


# ---- what is done inside ----


def test_gradients_inside():
    """There are none while tracing: backward() and grad() belong outside."""

    def walking(x):
        y = w * x
        y.backward()
        return y

    refused(lambda x: w * x + w.grad, 2.0, says="the grad of a value")
    refused(lambda x: (w * x).derivatives[0] * w, 2.0, says="the derivatives of a value")
    refused(walking, 2.0, says="backward() was called")
    refused(lambda x: chainrule.grad(w * w * x, [w])[0] * w, 2.0, says="outside of the function")


def test_gradients_of_gradients_inside():
    """Gradients that are values themselves are part of the program."""

    def penalised(x):
        y = (w * x).tanh() * v
        (slope,) = chainrule.grad(y, [w], create_graph=True)
        return y + slope * slope

    def selecting(x):
        return chainrule.grad((w * x).relu() * v, v, create_graph=True) * v

    agree(penalised, (0.2,), (-0.5,), lambda: setattr(w, "data", 0.5), (0.2,))
    agree(selecting, (0.2,), (-0.5,), (0.7,))
    agree(lambda x: chainrule.derivative(lambda a: a**3 * w, 2)(Value(x)), (0.2,), (0.5,))


def test_assignments_inside():
    """What is assigned to a value would be so once."""

    def function(x):
        w.data = x
        return w * 1

    def fresh(x):
        made = Value(1.0)
        made.data = x
        return w * made

    def zero(x):
        w.grad = 0.0
        return w * x

    refused(function, 2.0, says="data was assigned")
    refused(fresh, 2.0, says="data was assigned")
    refused(zero, 2.0, says="grad was assigned")


def test_an_optimiser_inside():
    """So would a step of an optimiser."""
    optimizer = SGD([w], lr=0.1)

    def function(x):
        optimizer.step()
        return w * x

    refused(function, 2.0, says="at test_surprises.py")


def test_values_made_inside():
    """They are made of data, and leaves without a use outside."""
    agree(lambda x: Value(x) * w + Value(2.0) * v, (2.0,), (3.0,))
    agree(lambda x: Value(w.data) * v * x, (2.0,), lambda: setattr(w, "data", 5.0), (2.0,))
    agree(lambda xs: sum(map(Value, xs)) * w, ([1.0, 2.0],), ([3.0, 2.0],))


def test_no_grad_and_detach_inside():
    """They stop gradients at each call."""

    def function(x):
        with no_grad():
            y = w * x
        return y * v + w.detach() * x

    agree(function, (2.0,), (3.0,), lambda: setattr(w, "data", 5.0), (2.0,))


def test_arguments_that_are_changed():
    """A function that changes its arguments is refused."""

    def setting(xs):
        xs[0] = 5.0
        return w * xs[0]

    def adding(xs):
        xs[0] += 1
        return w * xs[0]

    def appending(xs):
        xs.append(5.0)
        return w * sum(xs)

    def renaming(entries):
        entries["y"] = entries.pop("x")
        return w * entries["y"]

    refused(setting, [2.0], says="changes its arguments")
    refused(adding, np.array([2.0]), says="changes its arguments")
    refused(appending, [2.0], says="changes its arguments")
    refused(renaming, {"x": 2.0}, says="changes its arguments")
    refused(lambda box: setattr(box, "x", w) or w * 1, types.SimpleNamespace(x=v), says=".x` is")


def test_printing_inside(capsys):
    """What is printed is printed while tracing: by both runs, and not by the program."""

    def function(x):
        print("called")
        return w * x

    compiled = compile(function)
    assert [compiled(x).data for x in (1.0, 2.0)] == [3.0, 6.0]
    assert capsys.readouterr().out == "called\ncalled\n"


def test_an_exception_inside():
    """An exception of the function is that of the compiled one, and leaves nothing behind."""

    def function(x):
        if x < 0:
            raise KeyError("negative")
        return w * x

    compiled = agree(function, (2.0,), (-2.0,), (3.0,))
    assert "programs kept: 1" in compiled.explain()
    compiled = agree(function, (-2.0,), (-2.0,))
    with pytest.raises(TraceError, match="no program yet"):
        compiled.explain()


def test_a_refusal_leaves_nothing_behind():
    """After a refusal there is no program, and the function can be called itself."""
    compiled = compile(lambda x: w * math.exp(x))
    for _ in range(2):
        with pytest.raises(TraceError, match="math"):
            compiled(0.0)
    with pytest.raises(TraceError, match="no program yet"):
        compiled.explain()
    assert compiled.function(0.0).data == 3.0


def test_collection_of_garbage_stays_off():
    """Garbage collection that was off stays off."""
    gc.disable()
    try:
        agree(lambda x: w * x, (2.0,))
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_functions_that_are_no_functions_of_numbers():
    """Generators, coroutines, and results that are neither values nor numbers are refused."""

    def generator(xs):
        yield w * xs[0]

    refused(generator, [2.0], says="returns a generator")
    refused(lambda x: np.array([w * x]), 2.0, says="returns a ndarray")
    refused(lambda x: {w, x}, 2.0, says="returns a set")
    refused(lambda x: types.SimpleNamespace(x=x), 2.0, says="returns a SimpleNamespace")


# ---- arguments ----


def test_arrays_of_others():
    """Arrays that are not NumPy's own, or of no numbers, are refused."""
    others = np.ma.array([1.0, 2.0], mask=[True, False]), np.ones(2).view(np.recarray)
    others += np.array(["a"]), np.array([w, v]), np.array(["2020"], dtype="M8[D]"), np.array([1j])
    for array in others:
        with pytest.raises(TraceError, match="is among the arguments"):
            compile(lambda xs: w * xs.sum())(array)


def test_objects_as_arguments():
    """Other objects are watched as what is outside: their numbers are part of the program."""
    point = collections.namedtuple("point", "x y")
    agree(lambda p: w * p.x, (point(2.0, 1.0),), (point(3.0, 1.0),))
    box = types.SimpleNamespace(x=2.0)
    agree(lambda b: w * b.x, (box,), lambda: setattr(box, "x", 5.0), (box,))
    agree(lambda f: f(w) * 2, (chainrule.tanh,), (abs,), (lambda a: a * v,))
    agree(lambda x: w * x, (fractions.Fraction(1, 2),), (fractions.Fraction(1, 3),))


def test_the_same_value_twice():
    """A value that is given twice, or given and captured, gets both gradients."""
    agree(lambda a, b: a * b + a, (w, w), (w, v), (v, w), (v, v))
    agree(lambda a: a * w, (v,), (w,), (v,))
    agree(lambda xs: sum(x * y for x, y in itertools.pairwise(xs)), ([w, v, w],), ([v, v, v],))
    agree(lambda a, b: w if a is b else v, (w, v), (v, v), (w, w))


def test_a_given_value_that_is_captured():
    """Whether a given value is one that the function knows decides."""
    frozen = [w]
    agree(lambda a: a * 2 if a in frozen else a * 3, (v,), (w,), (v,))
    agree(lambda a: a * 2 if a is w else a * 3, (v,), (w,), (v,))


def test_values_that_were_computed():
    """Given values pass their gradients on."""
    agree(lambda a: a * a * w, (w * 2,), (v * 3,), (w,))
    agree(lambda a, b: a * b, (w * 2, w * v), (w, w * v))


def test_iterators():
    """An iterator is empty after the first run: a list is needed."""
    with pytest.raises(TraceError, match="cannot be watched"):
        compile(lambda xs: sum(w * x for x in xs))(x * 1.0 for x in range(3))
    with pytest.raises(TraceError, match="cannot be watched"):
        compile(lambda xs: sum(w * x for x in xs))(zip([1.0], [2.0]))
    agree(lambda xs: sum(w * x for x in xs), (range(3),), (range(4),), ({1.0, 2.0},))


def test_arrays_of_all_layouts():
    """Order and strides of an array make no difference, nor does its type but for its rounding."""
    table = np.arange(12.0).reshape(3, 4)
    layouts = table, np.asfortranarray(table), table[::-1], table.astype(int), np.float32(table)
    agree(lambda x: sum(w * a * b for a, b, *_ in x), *[(x,) for x in layouts], (table[:, ::2],))
    agree(lambda x: w * x, (np.array(2.0),), (np.array(3.0),), (np.float64(4.0),), (np.int8(2),))
    readonly = np.broadcast_to(2.0, (3,))
    agree(lambda x: (w * x).sum(), (np.ones(3),), (readonly,))


def test_arrays_enter_as_64_bits():
    """Elements of arrays are computed with as float64 and int64, whatever the type."""
    small = np.array([0.1, 0.3], dtype="float32")
    function = lambda x: w * (x[0] * x[1])
    assert compile(function)(small).data == function(small.astype(float)).data
    whole = np.array([200, 100], dtype="uint8")
    assert compile(lambda x: w * (x[0] + x[1]))(whole).data == 900.0


def test_functions_of_numpy():
    """Ufuncs and reductions of traced arrays stay in the program, or are refused."""
    calls = [(np.array(x),) for x in ([1.0, 2.0], [3.0, 2.0], [-1.0, 2.0])]
    agree(lambda x: w * np.exp(x).sum() + v * x.mean() + w * x.max() + (x @ x), *calls)
    agree(lambda x: sum(w * a for a in x[x > 0.5]), *calls)
    agree(lambda x: sum(w * a for a in np.where(x > 0, x, 0.0)), *calls)
    agree(lambda x: w * int(x.argmax()), *calls)
    agree(lambda x: (np.array([w, v]) * x).sum(), *calls)
    refused(lambda x: w * x.std(), calls[0][0], says="`.conjugate`")
    refused(lambda x: w * x.astype(float)[0], calls[0][0], says="was asked for")
    agree(lambda x: w * (~(x > 0) & (x < 5)).sum(), *calls)


def test_empty_arguments():
    """Nothing is a length like others."""
    agree(lambda xs: sum((w * x for x in xs), v), ([],), ([1.0],), (np.zeros(0),), ((),), ([],))
    agree(lambda xs: sum(w * x for x in xs), ([],), ([1.0],), ([],))
    agree(lambda: w * v, (), lambda: setattr(w, "data", 5.0), ())


def test_kinds_of_collections():
    """A list that becomes an array or a tuple, or has others inside, is another argument."""
    calls = [1.0, 2.0], np.array([1.0, 3.0]), (1.0, 4.0), [1, 2.0], [True, 2], [w, 2.0], [w, v]
    agree(lambda xs: sum(v * x for x in xs), *[(call,) for call in calls])
    nested = [[1.0], [2.0, 3.0]], [[1.0, 2.0], [3.0]], [(1.0,), [2.0, 3.0]], [[], [1.0]]
    agree(lambda xs: sum((w * y for x in xs for y in x), v), *[(call,) for call in nested])
    agree(lambda e: w * e["x"], ({"x": 1.0},), ({"x": 2.0, "y": 1.0},), ({"y": 1.0},))
    agree(lambda e: next(iter(e)) * w, ({1: 2.0},), ({True: 2.0},), ({2: 2.0},), ({1: 3.0},))


# ---- results ----


def test_results_of_all_kinds():
    """Captured values come back themselves, data as floats, the rest as it is."""
    calls = (2.0,), (3.0,)
    agree(lambda x: (w, w * x, [v, x], {"a": 1, "x": x, "n": None, "s": "relu"}), *calls)
    agree(lambda a: (a, a * 2, [a]), (w,), (v,), (w * 2,))
    assert compile(lambda: w)() is w
    assert compile(lambda a: [a])(v)[0] is v
    assert type(compile(lambda xs: xs[0] > 1)([2])) is float


def test_leaves_as_results():
    """What is made inside of data alone has no gradient to give."""
    agree(Value, (2.0,), (3.0,))
    agree(lambda x: [Value(2.0) * x, Value(2.0), x + 1], (2.0,), (3.0,))


def test_two_results_alive():
    """Each result goes back with the numbers of its own call, in any order."""
    compiled = compile(lambda x: w * w * x)
    first, second = compile(compiled)(2.0), compiled(5.0)
    w.data = 7.0
    third = compiled(1.0)
    found = [numbers(x)[1] for x in (first, second, third, first, second)]
    assert found == [12.0, 30.0, 14.0, 12.0, 30.0]


def test_results_in_further_expressions():
    """Results are values like others: in eager expressions, and as each other's arguments."""
    product, square = compile(lambda a: a * w), compile(lambda x: x * x * v)
    given = numbers(square(product(square(product(v)))) * w + product(w))
    y = (lambda a: a * w)((lambda x: x * x * v)(v * w))
    assert given == numbers((y * y * v) * w + w * w)


def test_parts_of_a_result():
    """A slice of the results has its own gradient."""
    compiled = compile(lambda xs: [w * x for x in xs])
    assert numbers(sum(compiled([1.0, 2.0, 4.0])[1:])) == [18.0, 6.0, 0.0]


def test_backward_twice():
    """Gradients of leaves add up over calls."""
    result = compile(lambda x: w * w * x)(2.0)
    w.grad = 0.0
    result.backward()
    result.backward(gradient=0.5)
    assert w.grad == 18.0


def test_second_derivatives_of_a_result():
    """A program's backward is no graph to differentiate again."""
    result = compile(lambda x: w * w * x)(2.0)
    with pytest.raises(ArgumentError, match="first derivatives only"):
        chainrule.grad(result, [w], create_graph=True)


def test_copies_of_results():
    """A result stands in a graph, and cannot be copied."""
    result = compile(lambda x: w * x)(2.0)
    for copied in (copy.deepcopy, copy.copy, pickle.dumps):
        with pytest.raises(CopyError):
            copied(result)


# ---- around ----


def scaled(x):
    """A function that can be pickled."""
    return w * x


class Scale(Module):
    """A model with a compiled method, and one that it compiles itself."""

    def __init__(self):
        self.p = Value(2.0)
        self.k = 1.0
        self.own = compile(self.times)

    def times(self, x):
        return self.p * x * self.k

    @compile
    def decorated(self, x):
        return self.p * x * self.k


def test_copies_of_compiled_functions():
    """A copy makes programs of its own; a copied model's are of its own parameters."""
    compiled = compile(scaled)
    compiled(1.0)
    for copied in (copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))):
        other = copied(compiled)
        assert (other(3.0).data, compiled(2.0).data, other(4.0).data) == (9.0, 6.0, 12.0)
    model = Scale()
    model.own(1.0)
    other = copy.deepcopy(model)
    other.p.data = 10.0
    found = [f(1.0).data for f in (model.own, other.own, model.decorated, other.decorated)]
    assert found == [2.0, 10.0, 2.0, 10.0]


def test_methods():
    """A compiled method reads the instance that it is called on, as it is at the call."""
    model, other = Scale(), Scale()
    other.p.data = 5.0
    assert [x.decorated(2.0).data for x in (model, other, model)] == [4.0, 10.0, 4.0]
    model.k = 3.0
    assert [x.decorated(2.0).data for x in (model, other)] == [12.0, 10.0]
    model.p = other.p
    assert model.decorated(2.0).data == 30.0


def test_nested():
    """A compiled function inside of another is traced through."""
    inner = compile(lambda x: w * x if x > 0 else v * x)
    agree(lambda x: inner(x) * inner(x + 1), (2.0,), (-0.5,), (-3.0,), (2.0,))
    factors = [2.0]
    inner = compile(lambda x: w * x * factors[0])
    agree(lambda x: inner(x), (2.0,), lambda: factors.__setitem__(0, 3.0), (2.0,))


def test_detect_anomaly_around():
    """Under detect_anomaly() the function itself is run, and the op is named."""
    compiled = compile(lambda x: (w * x).log())
    compiled(1.0)
    with detect_anomaly(), pytest.raises(AnomalyError, match=r"log\(-3.0\).*test_surprises"):
        compiled(-1.0)


def test_no_grad_around():
    """Under no_grad() results are leaves, and what is compiled there serves elsewhere."""
    compiled = compile(lambda x: w * x)
    with no_grad():
        leaf = compiled(2.0)
    assert (leaf.data, leaf.operands) == (6.0, ())
    assert numbers(compiled(2.0)) == [6.0, 2.0, 0.0]


def test_threads():
    """Calls and gradients of many threads do not mix, nor does tracing with eager work."""
    compiled, wrong = compile(lambda xs: sum((w * x * x for x in xs), v)), []

    def work(k):
        for i in range(60):
            xs = [float(k + i)] * (1 + i % (3 + k))
            right = 3.0 * sum(x * x for x in xs) - 2.0
            result = compiled(xs)
            (slope,) = chainrule.grad(result, [w])
            eager = (w * float(i) + v).data
            if (result.data, slope, eager) != (right, sum(x * x for x in xs), 3.0 * i - 2.0):
                wrong.append((k, i))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
