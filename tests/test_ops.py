"""Every row of the table, against mathematics at 50 digits and against PyTorch."""

from __future__ import annotations

import itertools
import math
import operator
import random
import struct

import pytest
import reference
from reference import mp

from chainrule import engine, floats, ops
from chainrule.engine import Value
from chainrule.errors import ArgumentError, CustomOpError, NumberError
from chainrule.ops import TABLE, Op

pytorch = pytest.mark.skipif(reference.torch is None, reason="PyTorch is not installed")
every_row = pytest.mark.parametrize("row", TABLE.values(), ids=TABLE)

INF, NAN = math.inf, math.nan


def bits(x):
    """What two floats share if they are the same, the sign of zero included; one nan is as any."""
    assert type(x) is float
    return b"nan" if x != x else struct.pack("<d", x)


# ---- every row's numbers, at 50 digits ----

SWEEP = 2000


def draw(rng):
    """A number of any size, or a moderate one, or one within (-1, 1)."""
    size = rng.random()
    if size < 0.4:
        return rng.choice((-1.0, 1.0)) * 10.0 ** rng.uniform(-300.0, 300.0)
    return rng.uniform(-40.0, 40.0) if size < 0.8 else rng.uniform(-1.0, 1.0)


def sweep(row):
    """The row's probe points, then seeded random points of its domain."""
    rng = random.Random(row.name)
    domain = reference.mathematics(row.name).domain
    points = [tuple(map(float, point)) for point in row.probes]
    while len(points) < SWEEP:
        point = tuple(draw(rng) for _ in row.operands)
        if row.name == "where" and rng.random() < 0.5:
            point = (0.0, *point[1:])
        if domain(*point):
            points.append(point)
    return points


def exact_numbers(row, point):
    """The value and the derivatives at 50 digits."""
    mathematics = reference.mathematics(row.name)
    operands = [mp.mpf(x) for x in point]
    return [mp.mpf(f(*operands)) for f in (mathematics.value, *mathematics.derivatives)]


def pytorch_numbers(row, points, gradient=1.0):
    """PyTorch's value and derivatives, a tuple for each point."""
    return list(zip(*reference.pytorch(row.name, list(zip(*points)), gradient)))


def error(found, exact):
    """How far a float is from a number of 50 digits; 0 if both are too large for a float."""
    nearest = float(exact)
    if found == nearest and math.isinf(found):
        return 0.0
    return abs(mp.mpf(found) - exact) if math.isfinite(found) else INF


def ulps(distance, exact):
    """A distance in units in the last place of a number."""
    return float(distance / math.ulp(float(exact)))


# These formulas of PyTorch's cancel: `1 - y * y` where tanh is near 1, `1 + erf(...)` in gelu
# where erf is near -1, and the derivative of gelu near its zero. There PyTorch's error
# at one point is a matter of luck: the rounding of an intermediate result can happen to make up
# for all others. Its own error is then the largest that it makes at points nearby.
CANCEL = {("tanh", 1), ("gelu", 0), ("gelu", 1)}
NEARBY = [1.0 + k * 2.0**-20 for k in range(-128, 129)]


def pytorch_error_nearby(row, point, i):
    """The largest error of PyTorch's i-th number at points that hardly differ from this one."""
    points = [tuple(x * factor for x in point) for factor in NEARBY]
    found = pytorch_numbers(row, points)
    return max(error(found[k][i], exact_numbers(row, q)[i]) for k, q in enumerate(points))


@pytorch
@every_row
def test_numbers_are_as_near_to_mathematics_as_pytorch(row):
    """A value or derivative is off by 4 ulp at most, or twice what PyTorch is off by."""
    points = sweep(row)
    for point, pytorchs in zip(points, pytorch_numbers(row, points)):
        exacts = exact_numbers(row, point)
        for i, (ours, exact) in enumerate(zip(row.local(*point), exacts, strict=True)):
            distance = error(ours, exact)
            if ulps(distance, exact) <= 4.0 or distance <= 2.0 * error(pytorchs[i], exact):
                continue
            allowed = 0.0
            if (row.name, i) in CANCEL:
                allowed = 2.0 * pytorch_error_nearby(row, point, i)
            assert distance <= allowed, (
                f"{row.form} at {point}, number {i}: {ours!r} is {ulps(distance, exact):.3g} ulp "
                f"from {float(exact)!r}; PyTorch has {pytorchs[i]!r}"
            )


@pytorch
@every_row
def test_numbers_at_the_probes_are_as_near_to_mathematics_as_pytorch(row):
    """At the probe points the bound holds without exception."""
    assert row.probes, f"{row.name} has no probe points"
    for point, pytorchs in zip(row.probes, pytorch_numbers(row, row.probes)):
        for ours, theirs, exact in zip(row.local(*point), pytorchs, exact_numbers(row, point)):
            distance = error(ours, exact)
            assert ulps(distance, exact) <= 4.0 or distance <= 2.0 * error(theirs, exact), point


@every_row
def test_numbers_at_the_probes_are_right_without_pytorch(row):
    """At the probe points all numbers are right to 4 ulp, or 1 eps where a formula cancels."""
    for point in row.probes:
        numbers = zip(row.local(*point), exact_numbers(row, point), strict=True)
        for i, (ours, exact) in enumerate(numbers):
            distance = error(ours, exact)
            cancels = (row.name, i) in CANCEL | {("expm1", 1)} and distance <= 2.0**-52
            assert cancels or ulps(distance, exact) <= 4.0, point


@pytest.mark.parametrize("exponent", [-3.0, -2.0, -1.0, 1.0, 2.0, 3.0, 10.0])
def test_whole_powers_of_negative_numbers(exponent):
    """A negative number has powers with whole exponents, and derivatives by the base."""
    rng = random.Random(0)
    for _ in range(200):
        a = -(10.0 ** rng.uniform(-20.0, 20.0))
        y, da, db = TABLE["pow"].local(a, exponent)
        value = mp.mpf(a) ** int(exponent)
        assert ulps(error(y, value), value) <= 4.0
        slope = int(exponent) * mp.mpf(a) ** int(exponent - 1)
        assert ulps(error(da, slope), slope) <= 4.0
        assert math.isnan(db)


def test_a_row_without_a_reference_is_named():
    """The tests of a new row say where its definition has to be written."""
    with pytest.raises(AssertionError, match=r"add 'cube' to MATHEMATICS in tests/reference.py"):
        reference.mathematics("cube")
    with pytest.raises(AssertionError, match=r"add 'cube' to PYTORCH in tests/reference.py"):
        reference.pytorch("cube", [[1.0]])


# ---- infinities, nan, signs of zero and kinks ----

SPECIAL = (0.0, -0.0, INF, -INF, NAN, 1000.0, -1000.0)
ORDINARY = (1.0, -1.0, 0.5, 2.0, -2.0, 3.0, 20.0, 21.0)
ABOVE = (1.0, -1.0, 0.0, INF, -INF, NAN)


def special_points(row):
    """All combinations of special numbers and, for up to two operands, of ordinary ones."""
    numbers = SPECIAL + ORDINARY if len(row.operands) < 3 else (*SPECIAL, 1.0)
    return list(itertools.product(numbers, repeat=len(row.operands)))


def kind(x):
    """nan, which infinity, which zero, or which sign."""
    return "nan" if x != x else (x if math.isinf(x) or x == 0.0 else 1.0, math.copysign(1.0, x))


def _exponent_0(point, above):
    return point[1] == 0.0 and not math.isfinite(above)


# Every place where a gradient differs on purpose from PyTorch's: the row, the operand, where, why.
# The table of deviations in the documentation has the same entries.
DEVIATIONS = [
    ("pow", 0, _exponent_0, "0 times an infinite gradient from above is nan; PyTorch has 0"),
]


def deviates(row, i, point, above):
    """Whether the table of deviations has this place."""
    return any(
        row.name == name and i == operand and where(point, above)
        for name, operand, where, _ in DEVIATIONS
    )


def gradients(row, point, above=1.0):
    """What `backward` gives to a leaf for each operand."""
    leaves = [Value(x) for x in point]
    row(*leaves).backward(above)
    return [leaf.grad for leaf in leaves]


@pytorch
@every_row
def test_special_numbers_are_pytorchs(row):
    """At zeros, infinities, nan, kinks and +-1000: the same inf, nan, sign and choice."""
    for point in special_points(row):
        theirs = [row_of_one[0] for row_of_one in reference.pytorch(row.name, [[x] for x in point])]
        if row.name in ("maximum", "minimum", "elu"):  # one number and many: PyTorch's two answers
            theirs = reference.pytorch(row.name, point)
        for ours, expected in zip(row.local(*point), theirs, strict=True):
            assert kind(ours) == kind(expected), (point, row.local(*point), theirs)
            assert ours == pytest.approx(expected, rel=1e-12, abs=0.0, nan_ok=True), point


@pytorch
@pytest.mark.parametrize("above", ABOVE)
@every_row
def test_special_gradients_are_pytorchs(row, above):
    """Whatever the gradient from above, each operand gets PyTorch's inf, nan, 0 or sign."""
    for point in special_points(row):
        _, *theirs = reference.pytorch(row.name, point, above)
        for i, (ours, expected) in enumerate(zip(gradients(row, point, above), theirs)):
            if not deviates(row, i, point, above):
                expected += 0.0  # a leaf's gradient starts from 0.0, and 0.0 + -0.0 is 0.0
                assert kind(ours) == kind(expected), (point, ours, expected)


@pytorch
@pytest.mark.parametrize(("name", "operand", "where", "reason"), DEVIATIONS)
def test_deviations_deviate(name, operand, where, reason):
    """Each entry in the table of deviations is one: there PyTorch's gradient is another."""
    found = 0
    for point, above in itertools.product(special_points(TABLE[name]), ABOVE):
        if where(point, above):
            ours = gradients(TABLE[name], point, above)[operand]
            found += kind(ours) != kind(reference.pytorch(name, point, above)[operand + 1] + 0.0)
    assert found, reason


@pytorch
@pytest.mark.parametrize("row", [row for row in TABLE.values() if row.kink], ids=lambda r: r.name)
def test_kinks_are_where_the_row_says(row):
    """A row's formula for its kinks is 0 at one of the points compared with PyTorch above."""
    finite = [p for p in special_points(row) if all(map(math.isfinite, p))]
    assert any(row.kink_distance(*point) == 0.0 for point in finite)
    assert row.at_kink


@pytorch
@pytest.mark.parametrize("first", [0.0, -0.0])
def test_a_tie_of_zeros_takes_the_first(first):
    """maximum and minimum of 0.0 and -0.0 are the first; PyTorch's on many numbers the second."""
    for name in ("maximum", "minimum"):
        assert bits(TABLE[name].local(first, -first)[0]) == bits(first)
        assert bits(reference.pytorch(name, (first, -first))[0]) == bits(first)
        assert bits(reference.pytorch(name, [[first] * 16, [-first] * 16])[0][0]) == bits(-first)


@pytorch
def test_elu_at_nan_has_the_gradient_of_one_number():
    """elu passes nan's gradient on with 1, as PyTorch for one number; for many it has nan."""
    assert TABLE["elu"].local(NAN)[1] == 1.0
    assert reference.pytorch("elu", [NAN])[1] == 1.0
    assert math.isnan(reference.pytorch("elu", [[NAN] * 16])[1][0])


@pytorch
@pytest.mark.parametrize(("base", "exponent"), [(-INF, 0.5), (-0.0, 0.5), (-INF, -0.5)])
def test_powers_with_a_half_are_those_of_two_tensors(base, exponent):
    """a ** 0.5 is C's pow, as of two tensors; for a tensor and a number PyTorch takes sqrt."""
    ours = TABLE["pow"].local(base, exponent)[0]
    assert kind(ours) == kind(reference.pytorch("pow", (base, exponent))[0])
    root = reference.torch.tensor(base, dtype=reference.torch.float64) ** exponent
    assert kind(ours) != kind(root.item())


def test_nothing_is_passed_to_what_was_not_chosen():
    """sqrt(relu(x)) at -1 has gradient 0, while sqrt(x * 0.0) has nan."""
    chosen, multiplied = Value(-1.0), Value(-1.0)
    chosen.relu().sqrt().backward()
    (multiplied * 0.0).sqrt().backward()
    assert chosen.grad == 0.0
    assert math.isnan(multiplied.grad)


@pytest.mark.parametrize("above", [INF, -INF, NAN])
def test_selecting_rows_pass_on_what_was_chosen(above):
    """An infinite or undefined gradient reaches the operand that was chosen, and only that."""
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    ops.where(a, b, c).backward(above)
    assert bits(b.grad) == bits(above)
    assert (a.grad, c.grad) == (0.0, 0.0)
    low, high = Value(1.0), Value(2.0)
    ops.maximum(low, high).backward(above)
    assert (low.grad, bits(high.grad)) == (0.0, bits(above))


# ---- a row's several forms are one ----

# engine.py leaves the derivative by a constant exponent 0, which nobody can ask for.
IN_ENGINE = {
    "add": operator.add,
    "sub": operator.sub,
    "mul": operator.mul,
    "div": operator.truediv,
    "pow": operator.pow,
    "neg": operator.neg,
    "exp": Value.exp,
    "log": Value.log,
    "tanh": Value.tanh,
    "relu": Value.relu,
}


def random_points(row, count=1000):
    """Special points, then seeded floats of any bit pattern and of any size."""
    rng = random.Random(row.name)
    points = special_points(row)
    for _ in range(count):
        points.append(tuple(draw(rng) for _ in row.operands))
        wild = [struct.unpack("<d", rng.randbytes(8))[0] for _ in row.operands]
        points.append(tuple(wild))
    return points


@pytest.mark.parametrize("name", IN_ENGINE)
def test_the_engines_own_ops_are_their_rows(name):
    """What engine.py writes out equals the row of the table, bit for bit."""
    row = TABLE[name]
    for point in random_points(row):
        value = IN_ENGINE[name](*[Value(x) for x in point])
        y, *derivatives = row.local(*point)
        assert value.op == name
        assert bits(value.data) == bits(y), point
        assert list(map(bits, value.derivatives)) == list(map(bits, derivatives)), point


def test_the_engine_writes_out_no_other_ops():
    """Each op of engine.py is among those compared with their rows."""
    assert {"", "constant", *IN_ENGINE} == {*list(engine.NAMES.values())[:12]}


@pytest.mark.parametrize("exponent", [-2.0, -0.0, 0.0, 0.5, 1.0, 2.0, 3.0, INF, NAN])
def test_a_constant_exponent_changes_only_its_own_derivative(exponent):
    """x ** number has the value and the base's derivative of x ** Value(number)."""
    for (x,) in random_points(TABLE["neg"], 200):
        power = Value(x) ** exponent
        y, da, _ = TABLE["pow"].local(x, exponent)
        assert bits(power.data) == bits(y)
        assert list(map(bits, power.derivatives)) == [bits(da), bits(0.0)]


@every_row
def test_rules_on_values_give_the_local_derivatives(row):
    """A row's rule applied to values gives the bits that it gives applied to floats."""
    for point in random_points(row, 200):
        y, *derivatives = row.local(*point)
        for rule, expected in zip(row.rules, derivatives, strict=True):
            found = rule(Value(y), *[Value(x) for x in point])
            found = found.data if isinstance(found, Value) else float(found)
            assert bits(found) == bits(expected), point


@every_row
def test_a_value_written_out_is_the_row(row):
    """A row's value as an expression in other rows has the bits of the value on floats."""
    for point in random_points(row, 200):
        found = row.written_out(*[Value(x) for x in point])
        found = found.data if isinstance(found, Value) else float(found)
        assert bits(found) == bits(row.local(*point)[0]), point


@every_row
def test_a_row_is_a_function_of_numbers(row):
    """On numbers a row gives the float that it gives as a value on values."""
    for point in row.probes:
        assert bits(row(*point)) == bits(row(*[Value(x) for x in point]).data)


@every_row
def test_a_row_is_a_function_of_values_and_numbers_mixed(row):
    """A number among the operands is as good as a value, in each place."""
    for point in row.probes:
        for i in range(len(point)):
            operands: list = list(point)
            operands[i] = Value(point[i])
            value = row(*operands)
            assert value.operands[i] is operands[i]
            assert bits(value.data) == bits(row(*point))


@every_row
def test_a_row_is_a_method(row):
    """Every row is a method of values, also those that have an operator."""
    first, *others = row.probes[0]
    value = getattr(Value(first), row.name)(*others)
    assert value.op == row.name
    assert bits(value.data) == bits(row(first, *others))


@every_row
def test_a_row_describes_itself(row):
    """The description of an op has its value and one derivative for each operand."""
    assert str(row).startswith(f"{row.name}({', '.join(row.operands)}) = ")
    assert row.__doc__ == str(row)
    assert repr(row) == f"<op {row.form}>"
    for operand, rule in zip(row.operands, row.derivatives, strict=True):
        assert f"d/d{operand} = {rule}" in str(row)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_the_number_of_operands_is_checked(count):
    """Too few or too many operands are refused with the right number."""
    with pytest.raises(ArgumentError, match=rf"atan2\(a, b\) takes 2 operands, not {count}"):
        ops.atan2(*[Value(1.0)] * count)


@pytest.mark.parametrize("wrong", ["1", 1j, [1.0], None])
def test_operands_are_values_and_numbers(wrong):
    """Anything but values and real numbers is refused, alone and beside a value."""
    with pytest.raises(NumberError, match="one real number is needed"):
        ops.sin(wrong)
    with pytest.raises(NumberError, match="one real number is needed"):
        ops.atan2(Value(1.0), wrong)


# ---- composed ops ----


def as_leaves(numbers):
    return [Value(x) for x in numbers]


ROWS = [
    [0.0, 3.0, -2.0, 1.0],
    [2.0, 2.0],
    [1000.0, -1000.0, 999.0],
    [-1000.0, -1000.0],
    [INF, 0.0],
    [-INF, 0.0],
    [-INF, -INF],
    [INF, INF],
    [INF, -INF],
    [NAN, 1.0],
    [-3.5],
]


@pytorch
@pytest.mark.parametrize("numbers", ROWS)
def test_logsumexp_is_pytorchs(numbers):
    """logsumexp and its gradient are PyTorch's, where exp overflows and at infinities too."""
    leaves = as_leaves(numbers)
    value = ops.logsumexp(leaves)
    value.backward()
    tensor = reference.torch.tensor(numbers, dtype=reference.torch.float64, requires_grad=True)
    theirs = reference.torch.logsumexp(tensor, 0)
    theirs.backward()
    assert value.data == pytest.approx(theirs.item(), rel=4e-16, nan_ok=True)
    expected = tensor.grad.tolist()
    assert [x.grad for x in leaves] == pytest.approx(expected, rel=4e-16, nan_ok=True)
    assert ops.logsumexp(numbers) == pytest.approx(theirs.item(), rel=4e-16, nan_ok=True)


@pytorch
@pytest.mark.parametrize("numbers", ROWS)
def test_softmax_is_pytorchs(numbers):
    """softmax and the gradient of each of its numbers are PyTorch's."""
    for i in range(len(numbers)):
        leaves = as_leaves(numbers)
        values = ops.softmax(leaves)
        values[i].backward()
        tensor = reference.torch.tensor(numbers, dtype=reference.torch.float64, requires_grad=True)
        theirs = reference.torch.softmax(tensor, 0)
        theirs[i].backward()
        expected = theirs.tolist()
        assert [v.data for v in values] == pytest.approx(expected, rel=1e-15, nan_ok=True)
        assert ops.softmax(numbers) == pytest.approx(expected, rel=1e-15, nan_ok=True)
        expected = tensor.grad.tolist()
        assert [x.grad for x in leaves] == pytest.approx(
            expected, rel=1e-14, abs=1e-16, nan_ok=True
        )


def test_the_exercise_of_the_lecture():
    """Softmax and the negative log likelihood of [0, 3, -2, 1] with label 3."""
    leaves = as_leaves([0.0, 3.0, -2.0, 1.0])
    loss = -ops.log(ops.softmax(leaves)[3])
    loss.backward()
    assert loss.data == pytest.approx(2.1755153626167147, rel=1e-15)
    expected = [0.041773, 0.839025, 0.005653, -0.886450]
    assert [x.grad for x in leaves] == pytest.approx(expected, abs=5e-7)


def test_sum_and_mean():
    """The sum in the order given, and its gradient; values and numbers mixed, or any iterable."""
    a, b = Value(0.1), Value(0.2)
    total = ops.sum(iter([a, 0.3, b, a]))
    total.backward()
    assert total.data == ((0.1 + 0.3) + 0.2) + 0.1
    assert (a.grad, b.grad) == (2.0, 1.0)
    assert ops.sum([]) == 0.0
    assert ops.mean([Value(1.0), 2.0, Value(6.0)]).data == 3.0
    assert ops.mean([1.0, 2.0]) == 1.5


def test_dot():
    """The sum of products, with the other factor as the derivative."""
    a, b = as_leaves([1.0, 2.0]), as_leaves([3.0, -4.0])
    product = ops.dot(a, b)
    product.backward()
    assert product.data == -5.0
    assert [x.grad for x in a + b] == [3.0, -4.0, 1.0, 2.0]
    assert ops.dot([], []) == 0.0


@pytest.mark.parametrize("function", [ops.mean, ops.logsumexp, ops.softmax])
def test_nothing_has_no_mean(function):
    """Where no term gives no answer, it is refused."""
    with pytest.raises(ArgumentError, match="at least one term"):
        function([])


def test_dot_needs_one_length():
    """Sequences of different lengths are refused, and not cut."""
    with pytest.raises(ArgumentError, match="one length, not 2 and 1"):
        ops.dot([1.0, 2.0], [Value(1.0)])


# ---- the user's own ops ----


@pytest.fixture
def forgotten():
    """Takes ops that a test defines out of the table again."""
    names = set(TABLE)
    yield
    for name in set(TABLE) - names:
        del TABLE[name]
        engine.install(name, None)


pytestmark = pytest.mark.usefixtures("forgotten")


def test_an_op_of_ones_own():
    """A function with a formula for each derivative is an op: function, method, gradient."""

    @ops.op("2 * x * w", "x**2", probes=[(0.3, -1.2)])
    def weighted_square(x, w):
        """x squared, weighted."""
        return x * x * w

    assert isinstance(weighted_square, Op)
    assert weighted_square.__doc__ == "x squared, weighted."
    assert weighted_square(3.0, 0.5) == 4.5
    x, w = Value(3.0), Value(0.5)
    for value in (weighted_square(x, w), x.weighted_square(w)):
        assert (value.data, value.op, value.operands) == (4.5, "weighted_square", (x, w))
        assert value.derivatives == (3.0, 9.0)
    (weighted_square(x, w) * 2).backward()
    assert (x.grad, w.grad) == (6.0, 18.0)


def test_an_op_of_three_operands():
    """Operands beyond the second are kept in order and receive their gradients."""

    @ops.op("b * c", "a * c", "a * b")
    def volume(a, b, c):
        return a * b * c

    a, b, c = as_leaves([2.0, 3.0, 5.0])
    value = volume(a, b, c) + volume(a, 1.0, a)
    value.backward()
    assert value.data == 34.0
    assert (a.grad, b.grad, c.grad) == (15.0 + 2.0 * 2.0, 10.0, 6.0)
    assert volume(c, a, c).operands == (c, a, c)


def test_formulas_use_other_rows_and_never_raise():
    """A formula may use every op and the value y; a division by zero in it is infinite."""

    @ops.op("y / x + where(x > 0, sin(x), 0)")
    def strange(x):
        return x * x

    assert strange.local(2.0) == (4.0, 4.0 / 2.0 + math.sin(2.0))
    assert strange.local(-2.0) == (4.0, -2.0)
    assert math.isnan(strange.local(0.0)[1])


def test_formulas_use_ops_defined_before():
    """An op of one's own can stand in the formula of another."""

    @ops.op("2 * x")
    def squared(x):
        return x * x

    @ops.op("3 * squared(x)")
    def cubed(x):
        return x**3

    x = Value(2.0)
    x.cubed().backward()
    assert x.grad == 12.0
    assert cubed.rules[0](Value(8.0), x).data == 12.0
    assert squared(1) == 1.0


def test_an_op_is_defined_again():
    """As in a notebook, where a cell is run twice: the last definition counts."""

    def twice(x):
        return 2 * x

    ops.op("3")(twice)
    ops.op("2")(twice)
    x = Value(1.0)
    x.twice().backward()
    assert x.grad == 2.0


def test_an_op_that_selects():
    """`selects=True` withholds infinite gradients from an operand with a derivative of 0."""

    @ops.op("where(x > lo, 1, 0)", "where(x > lo, 0, 1)", selects=True)
    def at_least(x, lo):
        return max(x, lo)

    x = Value(1.0)
    (at_least(x, 2.0) - 2.0).sqrt().backward()
    assert x.grad == 0.0


@pytest.mark.parametrize("name", [*sorted(TABLE), *sorted(floats.FUNCTIONS), "constant", "data"])
def test_names_that_mean_something_are_refused(name):
    """An op cannot take the name of a method, a row of the table or a function in formulas."""

    def function(x):
        return x

    before = dict(TABLE)
    function.__name__ = name
    with pytest.raises(CustomOpError, match=f"'{name}' is the name of something else"):
        ops.op("1")(function)
    assert before == TABLE


@pytest.mark.parametrize("function", [math.sin, lambda x: x, print, Value])
def test_an_op_needs_a_function_with_a_name(function):
    """What has no name that could be called, or cannot be looked into, is refused."""
    with pytest.raises(CustomOpError, match="a function with a name, by def"):
        ops.op("1")(function)


def test_an_argument_called_y_is_refused():
    """y is the op's value in formulas: an argument of that name would be taken for it."""
    with pytest.raises(CustomOpError, match="y is the value of product in formulas"):

        @ops.op("y", "x")
        def product(x, y):
            return x * y


def test_one_derivative_for_each_argument():
    """Too few and too many derivatives are refused with the right number, no arguments too."""
    with pytest.raises(CustomOpError, match=r"both\(x, w\) needs one .* 2 in all, not 1"):

        @ops.op("w")
        def both(x, w):
            return x * w

    with pytest.raises(CustomOpError, match=r"one\(x\) needs one .* 1 in all, not 2"):

        @ops.op("1", "2")
        def one(x):
            return x

    with pytest.raises(CustomOpError, match=r"none\(\)"):

        @ops.op()
        def none():
            return 1.0


@pytest.mark.parametrize("formula", ["2 *", "x +* 1", "", "lambda", "x = 1", "1, 2"])
def test_what_is_no_formula_is_refused(formula):
    """A derivative that cannot be read is refused, and the op is not defined."""
    with pytest.raises(CustomOpError, match="is not a formula of"):

        @ops.op(formula)
        def unreadable(x):
            return x

    assert "unreadable" not in TABLE
    assert not hasattr(Value, "unreadable")


def test_unknown_names_in_a_formula_are_refused():
    """A formula that names no op is refused when it is first used, for that op may come later."""

    @ops.op("sine(x)")
    def unknown(x):
        return x

    with pytest.raises(CustomOpError, match="'sine' stands in the formula of an op"):
        unknown(Value(1.0))

    @ops.op("1")
    def sine(x):
        return x

    assert unknown(Value(1.0)).derivatives == (1.0,)


def test_exceptions_of_a_function_are_its_own():
    """What the function raises comes out as it is, and nothing is left behind."""

    @ops.op("1")
    def picky(x):
        if x < 0:
            raise KeyError("negative")
        return x

    x = Value(-1.0)
    with pytest.raises(KeyError, match="negative"):
        x.picky()
    y = Value(1.0).picky() + x
    y.backward()
    assert x.grad == 1.0


@pytest.mark.parametrize("returned", ["1", None, 1j, Value(1.0), [1.0]])
def test_a_function_returns_a_number(returned):
    """A function that returns anything else is told so."""

    @ops.op("1")
    def strange(x):
        return returned if x else 0.0

    with pytest.raises(NumberError, match="one real number is needed"):
        strange(Value(1.0))
