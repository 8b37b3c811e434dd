"""Values: what they hold, how expressions of them are made, and backpropagation through them."""

from __future__ import annotations

import ast
import gc
import io
import math
import operator
import pathlib
import random
import subprocess
import sys
import threading
import tokenize
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import expressions

import chainrule
from chainrule import TABLE, Value, engine, ops
from chainrule.engine import operands_first
from chainrule.errors import (
    ArgumentError,
    ComparisonError,
    ConstantError,
    CustomOpError,
    NumberError,
)

SOURCE = pathlib.Path(chainrule.__file__).parent

# ---- what a value holds ----


@pytest.mark.parametrize("number", [2, 2.0, True, Fraction(5, 2), Decimal("2.5"), -0.0, math.inf])
def test_a_value_holds_a_float(number):
    """Real numbers of every kind are kept as the float that float() makes of them."""
    value = Value(number)
    assert type(value.data) is float
    assert math.copysign(1.0, value.data) == math.copysign(1.0, number)
    assert value.data == float(number)
    assert (value.grad, value.label, value.op, value.operands) == (0.0, "", "", ())
    assert value.derivatives == ()


def test_numpys_numbers():
    """NumPy's scalars and arrays of no dimension are numbers."""
    np = pytest.importorskip("numpy")
    for number in (np.float64(2.5), np.float32(2.5), np.int8(2), np.bool_(True), np.array(2.5)):
        assert type(Value(number).data) is float
        assert Value(number).data == float(number)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("1.5", "the text '1.5': text is read by float"),
        (1j, "a complex"),
        ([1.0], "a list: make one value of each of its elements"),
        ((1.0, 2.0), "a tuple: make one value of each of its elements"),
        (Value(1.0), r"a value: use it as it is, or take its number by \.data"),
        (None, "a NoneType"),
        (b"1", "a bytes"),
        (Decimal("sNaN"), "a Decimal"),
    ],
)
def test_what_is_no_number_is_refused(wrong, message):
    """Everything else is refused with what was seen and a hint, wherever a number is needed."""
    leaf = Value(1.0)
    with pytest.raises(NumberError, match=message):
        Value(wrong)
    with pytest.raises(NumberError, match=message):
        leaf.data = wrong
    with pytest.raises(NumberError, match=message):
        leaf.grad = wrong
    with pytest.raises(NumberError, match=message):
        leaf.backward(wrong)
    assert (leaf.data, leaf.grad) == (1.0, 0.0)


def test_numpys_other_scalars_are_no_numbers():
    """Complex numbers, text and dates of NumPy, and arrays of them or of several, are refused."""
    np = pytest.importorskip("numpy")
    for wrong in (
        np.complex128(1 + 2j),
        np.str_("3.5"),
        np.bytes_(b"3.5"),
        np.array("3.5"),
        np.array(1j),
        np.array(None),
        np.datetime64("2020-01-01"),
        np.array([1.0]),
        np.zeros((2, 2)),
    ):
        with pytest.raises(NumberError, match="one real number is needed"):
            Value(wrong)


def test_an_integer_too_large_is_refused():
    """An integer that no float holds is refused, in a value and in an expression."""
    for use in (Value, lambda n: Value(1.0) + n, lambda n: n * Value(1.0)):
        with pytest.raises(NumberError, match="an integer is too large for a float64"):
            use(10**400)


def test_data_and_grad_can_be_assigned():
    """Numbers of all kinds can be assigned; what was computed before stays as it is."""
    a = Value(2.0)
    b = a * 3
    a.data, a.grad = 5, True
    assert (a.data, a.grad, b.data) == (5.0, 1.0, 6.0)
    assert type(a.data) is type(a.grad) is float
    a.data -= 0.5
    assert a.data == 4.5


@pytest.mark.parametrize("name", ["op", "operands", "derivatives", "other"])
def test_the_graph_cannot_be_assigned(name):
    """What a value was made of never changes, so no graph has a cycle; unknown names are errors."""
    with pytest.raises(AttributeError):
        setattr(Value(1.0), name, ())


def test_labels():
    """A label is given or assigned, and read again; of an inner value too, beside its operands."""
    a = Value(1.0, label="a")
    assert a.label == "a"
    a.label = "alpha"
    y = ops.where(a, a, 2.0)
    y.label = "chosen"
    assert (a.label, y.label, len(y.operands)) == ("alpha", "chosen", 3)


@pytest.mark.parametrize("label", [5, None, 0, b"a", ["a"]])
def test_a_label_is_text(label):
    """Anything else is refused as a label, given or assigned, and nothing is changed by it."""
    a = Value(1.0, label="a")
    with pytest.raises(ArgumentError, match="a label is text, not"):
        Value(1.0, label=label)
    with pytest.raises(ArgumentError, match="a label is text, not"):
        a.label = label
    assert a.label == "a"


def test_only_values_are_forgotten():
    """None in place of a value raises, in the native build too."""
    with pytest.raises((TypeError, AttributeError)):
        engine.forget(None)


def test_micrograds_constructor_is_refused_with_the_way_to_go():
    """Value(x, (a, b), "op") of micrograd points to @chainrule.op."""
    a = Value(1.0)
    for arguments in ((1.0, (a,)), (1.0, (a,), "op"), (1.0, (), ""), (1.0, "a", "op")):
        with pytest.raises(CustomOpError, match=r"@chainrule\.op"):
            Value(*arguments)


def test_repr_and_format():
    """The repr is micrograd's, of floats; a format specification applies to the number."""
    a = Value(2)
    (a * 3).backward()
    assert repr(a) == str(a) == "Value(data=2.0, grad=3.0)"
    assert f"{Value(1.23456):.4f} {Value(-1):+g}" == "1.2346 -1"
    assert f"{a}" == str(a)


def test_item():
    """item() is the number, as of PyTorch's tensors."""
    assert (Value(2) * 3).item() == 6.0


@pytest.mark.parametrize(
    "function", [math.exp, math.sqrt, float, int, complex, round, "%f".__mod__]
)
def test_python_cannot_take_the_number(function):
    """math.exp(v) and the like raise, rather than drop the gradient silently."""
    with pytest.raises(TypeError):
        function(Value(1.0))


# ---- comparing ----


def test_order_is_by_number():
    """< <= > >= compare numbers and give bools, with a number on either side."""
    a, b = Value(1.0), Value(2.0)
    for x, y in ((a, b), (a, 2), (1, b)):
        assert [x < y, x <= y, x > y, x >= y] == [True, True, False, False]
    assert [a <= 1, a >= 1, a < 1, a > 1] == [True, True, False, False]
    assert type(a < b) is bool
    assert max(a, b) is b
    assert sorted([b, a]) == [a, b]
    assert [Value(math.nan) < 1, Value(math.nan) >= 1] == [False, False]


def test_order_needs_numbers():
    """Comparing with text is an error, as between any unlike things."""
    with pytest.raises(TypeError, match=r"not supported between instances of '.*Value' and 'str'"):
        assert Value(1.0) < "2"


def test_equality_is_identity():
    """Two values are equal if they are one; sets and dictionaries hold them so."""
    a, b = Value(1.0), Value(1.0)
    assert a == a
    assert a != b
    assert len({a, b, a}) == 2
    assert {a: 1, b: 2}[b] == 2
    assert a in [b, a]
    assert a not in [b]
    assert [b, a].index(a) == 1
    assert a not in [None, "1"]


@pytest.mark.parametrize(
    "use",
    [
        lambda a: a == 2,
        lambda a: a == 2.0,
        lambda a: operator.eq(2.0, a),
        lambda a: a != 3,
        lambda a: a == True,  # noqa: E712
        lambda a: 2.0 in [a],
        lambda a: [a].count(2.0),
    ],
)
def test_equality_with_a_number_is_refused(use):
    """`v == 2` raises and points to `.data`: it would be False even where the numbers agree."""
    with pytest.raises(ComparisonError, match=r"write v\.data == (2|2\.0|3|True)"):
        use(Value(2.0))


def test_equality_with_an_array_is_refused():
    """`v == array` asks each element, which is refused as any number is, on either side."""
    np = pytest.importorskip("numpy")
    for use in (lambda a, x: a == x, lambda a, x: x == a, lambda a, x: a != x):
        with pytest.raises(ComparisonError):
            use(Value(2.0), np.array([1.0, 2.0]))


def test_truth():
    """A value is false where its number is 0, as a number is; nan is true."""
    assert [bool(Value(x)) for x in (0.0, -0.0, 1e-300, -1.0, math.nan)] == [0, 0, 1, 1, 1]


# ---- operators ----

OPERATORS = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
}


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_take_numbers_on_either_side(name):
    """value op value, value op number and number op value: one number, and operands in order."""
    apply = OPERATORS[name]
    expected = apply(3.0, 2.0)
    for other in (2, 2.0, Fraction(2), Decimal(2)):
        a = Value(3.0)
        y = apply(a, other)
        assert (y.data, y.op, y.operands[0]) == (expected, name, a)
        assert (y.operands[1].op, y.operands[1].data) == ("constant", 2.0)
    for other in (3, 3.0, Fraction(3), Decimal(3)):
        b = Value(2.0)
        y = apply(other, b)
        assert (y.data, y.op, y.operands[1]) == (expected, name, b)
        assert (y.operands[0].op, y.operands[0].data) == ("constant", 3.0)
    a, b = Value(3.0), Value(2.0)
    assert apply(a, b).data == expected
    assert apply(a, b).operands == (a, b)
    assert apply(a, a).operands == (a, a)


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_numpys_scalars(name):
    """A NumPy scalar or an array of no dimension is a number, and the result one value."""
    np = pytest.importorskip("numpy")
    apply = OPERATORS[name]
    for other in (np.float64(2), np.float32(2), np.int64(2), np.array(2.0)):
        for y, expected in ((apply(Value(3.0), other), (3, 2)), (apply(other, Value(3.0)), (2, 3))):
            assert type(y) is Value
            assert y.data == apply(*map(float, expected))
            assert [x.data for x in y.operands] == list(map(float, expected))


@pytest.mark.parametrize("name", OPERATORS)
def test_operators_and_arrays(name):
    """An array on either side gives an array of values, of its shape, elementwise."""
    np = pytest.importorskip("numpy")
    apply = OPERATORS[name]
    numbers = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    a = Value(2.0)
    for y, expected in (
        (apply(a, numbers), apply(2.0, numbers)),
        (apply(numbers, a), apply(numbers, 2.0)),
    ):
        assert (y.shape, y.dtype) == ((2, 3), object)
        assert all(type(v) is Value for v in y.flat)
        assert [v.data for v in y.flat] == expected.flatten().tolist()
    y = apply(numbers, a)
    assert [v.operands[1] for v in y.flat] == [a] * 6
    assert apply(np.array([a, a]), np.array([a, a]))[1].operands == (a, a)


def test_numpys_functions_find_the_methods():
    """np.exp of an array of values is elementwise; sums and products of such arrays work."""
    np = pytest.importorskip("numpy")
    values = np.array([Value(1.0), Value(2.0)])
    assert [v.data for v in np.exp(values)] == [math.exp(1.0), math.exp(2.0)]
    y = values @ np.array([3.0, 4.0]) + values.sum()
    y.backward()
    assert y.data == 14.0
    assert [v.grad for v in values] == [4.0, 5.0]


@pytest.mark.parametrize("wrong", ["2", None, 2j, [2], {}, object()])
@pytest.mark.parametrize("name", OPERATORS)
def test_operators_refuse_what_is_no_number(name, wrong):
    """Anything else beside an operator is Python's TypeError, on either side."""
    with pytest.raises(TypeError):
        OPERATORS[name](Value(1.0), wrong)
    with pytest.raises(TypeError):
        OPERATORS[name](wrong, Value(1.0))


def test_unary_operators():
    """-v and abs(v) are ops of one operand."""
    a = Value(-3.0)
    assert ((-a).data, (-a).op, (-a).operands) == (3.0, "neg", (a,))
    assert (abs(a).data, abs(a).op, abs(a).operands) == (3.0, "abs", (a,))


def test_augmented_assignment_makes_a_new_value():
    """a += b leaves the value that was called a as it was, an operand of the new one."""
    a = first = Value(1.0)
    a += 2
    a *= a
    assert (first.data, a.data) == (1.0, 9.0)
    assert a.operands[0].operands[0] is first


def test_pythons_sum_starts_from_the_constant_0():
    """sum() of values begins with 0 + v."""
    a = Value(1.0)
    total = sum([a, a])
    assert total.data == 2.0
    assert total.operands[0].operands[0].op == "constant"


# ---- constants ----


def test_a_number_is_one_constant():
    """All uses of a number share one constant, and 0.0 and -0.0 are two numbers."""
    a = Value(1.0)
    assert (a * 2).operands[1] is (2.0 - a).operands[0]
    assert (a * 0.0).operands[1] is not (a * -0.0).operands[1]
    assert (a / 0.0).data == math.inf
    assert (a / -0.0).data == -math.inf
    assert (a * True).operands[1] is (a * 1).operands[1]


def test_constants_are_protected():
    """A constant is shared, so that it cannot be assigned, nor run backward."""
    two = (Value(1.0) * 2).operands[1]
    for forbidden in (
        lambda: setattr(two, "data", 3.0),
        lambda: setattr(two, "grad", 1.0),
        lambda: two.backward(),
    ):
        with pytest.raises(ConstantError, match=r"write Value\(2\.0\)"):
            forbidden()
    assert (two.data, two.grad) == (2.0, 0.0)


def test_constants_have_no_gradient():
    """Backpropagation leaves the gradient of a constant at 0, whatever it would be."""
    a = Value(3.0)
    y = (a * 5) ** 2 + 7 / a
    y.backward()
    constants = [value for value in operands_first(y) if value.op == "constant"]
    assert sorted(value.data for value in constants) == [2.0, 5.0, 7.0]
    assert [value.grad for value in constants] == [0.0] * 3


def test_constants_do_not_pile_up():
    """Numbers beyond number are not kept for ever, and those in use keep their value."""
    a = Value(1.0)
    kept = a + 0.125
    for k in range(5000):
        assert (a + (k + 0.5)).operands[1].data == k + 0.5
    assert (a + 0.125).operands[1] is not kept.operands[1]
    assert kept.operands[1].data == 0.125


# ---- backpropagation ----


def test_the_lectures_expression():
    """The well-known expression of the lecture, with its value and both gradients."""
    a, b = Value(-4.0), Value(2.0)
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    g.backward()
    assert f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}" == "24.7041 138.8338 645.5773"


def test_uses_of_one_value_add_up():
    """a + a has gradient 2; (a * b) * (a + b) the sum over both ways."""
    a = Value(3.0)
    (a + a).backward()
    assert a.grad == 2.0
    a, b = Value(-2.0), Value(3.0)
    ((a * b) * (a + b)).backward()
    assert (a.grad, b.grad) == (2 * -2.0 * 3.0 + 3.0**2, (-2.0) ** 2 + 2 * -2.0 * 3.0)


def test_a_value_used_before_and_after():
    """A value whose other use is computed later gets its whole gradient before it passes it on."""
    a = Value(2.0)
    b = a * 3
    c = b.tanh()
    (c * b + b).backward()
    t = math.tanh(6.0)
    assert a.grad == pytest.approx(3 * (t + 6.0 * (1 - t * t) + 1), rel=1e-15)


def test_leaves_accumulate_and_inner_values_do_not():
    """Each backward adds to leaves what the first did; an inner gradient is computed anew."""
    x = Value(3.0)
    square = x * x
    y = square * x
    for k in range(1, 4):
        y.backward()
        assert (x.grad, square.grad, y.grad) == (27.0 * k, 3.0, 1.0)
    x.grad = 0.0
    y.backward()
    assert x.grad == 27.0


def test_an_assigned_inner_gradient_does_not_count():
    """Whatever was assigned to the gradient of an inner value, or by another output, is gone."""
    x = Value(3.0)
    square = x * x
    (square * 100).backward()
    square.grad = 1e9
    x.grad = 0.0
    (square + 1).backward()
    assert (square.grad, x.grad) == (1.0, 6.0)


def test_backward_from_a_leaf():
    """The derivative of a leaf by itself is 1, and accumulates as every leaf's does."""
    x = Value(3.0)
    x.backward()
    x.backward(2)
    assert x.grad == 3.0


def test_the_gradient_to_start_from():
    """backward(gradient) multiplies all gradients."""
    a, b = Value(2.0), Value(-3.0)
    (a * b).backward(-2)
    assert (a.grad, b.grad) == (6.0, -4.0)


def test_backward_uses_the_numbers_of_the_forward_pass():
    """Data assigned after the forward pass changes no gradient of that pass."""
    a, b = Value(2.0), Value(-3.0)
    y = (a * b).exp()
    a.data, b.data, y.data = 100.0, 100.0, 100.0
    y.backward()
    assert (a.grad, b.grad) == (-3.0 * math.exp(-6.0), 2.0 * math.exp(-6.0))


def test_a_wide_op_passes_on_to_all_operands():
    """An op of three operands, all the same or all different, in order."""
    a, b = Value(0.0), Value(2.0)
    y = ops.where(a, a, b * 3) * ops.where(b, b, b)
    y.backward()
    assert y.data == 12.0
    assert (a.grad, b.grad) == (0.0, 12.0)
    assert ops.where(b, b, b).operands == (b, b, b)
    assert ops.where(b, b, b).derivatives == (0.0, 1.0, 0.0)


@given(expressions(30), st.integers(2, 5), st.floats(-4.0, 4.0))
def test_backward_k_times_adds_the_same_k_times(expression, k, above):
    """The k-th call adds to each leaf, to the bit, the gradient that the first call gave."""
    leaves = [Value(x) for x in expression.leaves]
    y = expression.evaluate(leaves, TABLE)
    y.backward(above)
    first = [leaf.grad for leaf in leaves]
    inner = [v.grad for v in operands_first(y) if v.operands]
    expected = first
    for _ in range(k - 1):
        y.backward(above)
        expected = [total + once for total, once in zip(expected, first)]
        assert [leaf.grad for leaf in leaves] == expected
        assert [v.grad for v in operands_first(y) if v.operands] == inner


@given(expressions(60))
def test_operands_come_first(expression):
    """operands_first has each value of the graph once, after its operands."""
    y = expression.evaluate([Value(x) for x in expression.leaves], TABLE)
    order = operands_first(y)
    place = {value: i for i, value in enumerate(order)}
    assert len(place) == len(order)
    assert order[-1] is y
    for value in order:
        assert all(place[operand] < place[value] for operand in value.operands)


# ---- large graphs ----


def test_a_chain_of_a_million_ops():
    """A million ops are built, run backward and freed, at the usual recursion limit."""
    assert sys.getrecursionlimit() <= 1000 + 100
    x = Value(0.5)
    y = x
    for _ in range(500_000):
        y = (y + x) * 1.0
    y.backward()
    assert (y.data, x.grad) == (250_000.5, 500_001.0)
    del y
    assert x.grad == 500_001.0


@pytest.mark.parametrize(
    "link",
    [
        lambda x, y: x + y,
        lambda _x, y: y.tanh(),
        lambda x, y: ops.where(x, y, x),
        lambda x, y: ops.where(0.0, x, y),
        lambda x, y: ops.maximum(y, x) - y,
    ],
    ids=["right", "unary", "second", "third", "both"],
)
def test_chains_through_every_operand(link):
    """However a chain is linked, it is walked and freed without recursion."""
    x = y = Value(0.5)
    for _ in range(100_000):
        y = link(x, y)
    y.backward()
    assert len(operands_first(y)) >= 100_001
    del y


def test_a_wide_graph_and_a_deep_diamond():
    """A sum over 100,000 values, and 2 ** 1000 ways through 1000 values: each is walked once."""
    leaves = [Value(1.0) for _ in range(100_000)]
    level = leaves
    while len(level) > 1:
        level = [a + b for a, b in zip(level[::2], level[1::2])] + level[len(level) // 2 * 2 :]
    level[0].backward()
    assert {leaf.grad for leaf in leaves} == {1.0}
    x = y = Value(1.0)
    for _ in range(1000):
        y = y + y
    y.backward()
    assert x.grad == 2.0**1000


def test_graphs_have_no_reference_cycles():
    """Values are freed by counting references: the garbage collector finds nothing to do."""
    ops.where(Value(1.0) > 0, Value(1.0).sin(), 0)  # the first use reads the formulas
    gc.collect()
    gc.disable()
    try:
        x = Value(0.5)
        y = ops.where(x > 0, (x * 2 + x).tanh(), x.sin()) ** 2
        y.backward()
        del x, y
        assert gc.collect() == 0
    finally:
        gc.enable()


class Interruption(Exception):  # noqa: N818
    """What a timer raises, as Ctrl-C would raise KeyboardInterrupt."""


@pytest.fixture
def interrupt_after():
    """Arm a timer that interrupts whatever runs by then; 0 disarms it."""
    signal = pytest.importorskip("signal")
    if not hasattr(signal, "setitimer"):
        pytest.skip("this system has no timer that interrupts")

    def interrupt(*_):
        raise Interruption

    before = signal.signal(signal.SIGALRM, interrupt)
    yield lambda seconds: signal.setitimer(signal.ITIMER_REAL, seconds)
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_an_interrupted_backward_leaves_the_graph_usable(interrupt_after):
    """After Ctrl-C in the middle of a backward pass, every part of the graph works as before."""
    if chainrule.native:
        pytest.skip("the native walk is not interrupted: signals wait until it is over")
    rng = random.Random(0)
    x = y = Value(1.0)
    for _ in range(3000):
        y = y * 1.0 + x
    middle = y
    for _ in range(1000):
        y = y * 1.0 + x
    interruptions = 0
    for _ in range(60):
        try:
            interrupt_after(rng.uniform(0.0005, 0.01))
            y.backward()
            interrupt_after(0)
        except Interruption:
            interruptions += 1
        for output, ways in ((middle, 3001.0), (y, 4001.0)):
            x.grad = 0.0
            interrupt_after(20)  # should it never end
            output.backward()
            interrupt_after(0)
            assert x.grad == ways
    assert interruptions


# ---- threads ----


def run_in_threads(count, function):
    """Call function(0), function(1), ... at once, each in its thread."""
    errors: list[BaseException] = []
    start = threading.Barrier(count)

    def run(i):
        try:
            start.wait()
            function(i)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


@pytest.fixture
def _switching():
    """Threads take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.usefixtures("_switching")
def test_threads_add_to_one_leaf():
    """Graphs of several threads that share a leaf add up exactly, and none is mixed up."""
    shared = Value(1.0)

    def work(i):
        for _ in range(50):
            y = shared * (i + 1)
            for _ in range(20):
                y = y + shared
            y.backward()

    run_in_threads(8, work)
    assert shared.grad == sum(50 * (i + 1 + 20) for i in range(8))


@pytest.mark.usefixtures("_switching")
def test_threads_run_one_graph_backward():
    """The same graph run backward by several threads at once adds the same gradient each time."""
    x = Value(2.0)
    y = x
    for _ in range(100):
        y = y * 1.0 + x
    run_in_threads(6, lambda _: [y.backward() for _ in range(30)])
    assert x.grad == 6 * 30 * 101.0


@pytest.mark.usefixtures("_switching")
def test_threads_build_on_shared_inner_values():
    """Graphs that threads build and run on inner values of one another's add up exactly."""
    x = Value(3.0)
    square = x * x
    shared = square
    for _ in range(50):
        shared = shared * 1.0 + square

    def work(i):
        for _ in range(30):
            y = shared * (i + 1) + square
            for _ in range(20):
                y = y + shared
            y.backward()

    run_in_threads(6, work)
    assert x.grad == sum(30 * 6.0 * (51 * (i + 1) + 1 + 20 * 51) for i in range(6))


@pytest.mark.usefixtures("_switching")
def test_threads_share_constants():
    """Expressions of many numbers, in several threads, have the right constants."""

    def work(i):
        rng = random.Random(i)
        a = Value(1.0)
        for _ in range(3000):
            number = rng.randrange(3000) / 8
            assert (a * number).operands[1].data == number

    run_in_threads(4, work)


# ---- promises about the source ----


def lines_of_code(path):
    """Lines with code: without docstrings, comments and blanks."""
    text = path.read_text(encoding="utf-8")
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef)
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, documented) and ast.get_docstring(node) is not None:
            docstrings.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    no_code = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in no_code:
            lines.update(range(token.start[0], token.end[0] + 1))
    return len(lines - docstrings)


@pytest.mark.parametrize(("name", "limit"), [("engine.py", 250), ("nn.py", 80)])
def test_the_engine_is_small(name, limit):
    """The engine and the network are read in one sitting."""
    assert 0 < lines_of_code(SOURCE / name) < limit


MODULES_LOADED = """
import sys
before = set(sys.modules)
sys.path.insert(0, sys.argv[1])
import chainrule
print(*sorted(set(sys.modules) - before))
"""


def modules_loaded(*flags):
    """The modules that `import chainrule` loads in a fresh interpreter."""
    command = [sys.executable, *flags, "-c", MODULES_LOADED, str(SOURCE.parent)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_import_needs_the_standard_library_alone():
    """Without site-packages it imports, and loads nothing but the standard library."""
    loaded = {name.partition(".")[0] for name in modules_loaded("-I", "-S")}
    assert "chainrule" in loaded
    of_the_compiler = {name for name in loaded if "cython" in name}
    assert loaded - {"chainrule"} - of_the_compiler <= sys.stdlib_module_names
    assert chainrule.native or not of_the_compiler


def test_import_leaves_slow_modules_alone():
    """What takes longer to import than chainrule itself is not imported by it."""
    slow = {"typing", "dataclasses", "inspect", "re", "random", "threading", "logging", "tempfile"}
    assert not slow & set(modules_loaded("-I", "-S"))


def test_the_engine_imports_nothing_heavy_by_name():
    """Modules that the engine's own files import are a short list of small ones."""
    small = {
        "__future__",
        "_thread",
        "ast",
        "copyreg",
        "functools",
        "math",
        "operator",
        "os",
        "sys",
    }
    for name in ("engine", "ops", "floats", "errors", "modes", "interop"):
        for node in ast.parse((SOURCE / f"{name}.py").read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Import):
                found = {alias.name.partition(".")[0] for alias in node.names}
                assert found <= small | {"chainrule"}, name
            if isinstance(node, ast.ImportFrom):
                assert str(node.module).partition(".")[0] in small | {"chainrule"}, name
