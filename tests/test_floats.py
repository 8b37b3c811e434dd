"""Arithmetic on floats that never raises, and what counts as a number."""

from __future__ import annotations

import itertools
import math
import random
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference import mp

from chainrule import floats
from chainrule.errors import NumberError

INF, NAN = math.inf, math.nan
SPECIAL = [0.0, -0.0, INF, -INF, NAN, 0.5, 1.0, -1.0, 2.0, -2.0, 3.0, -3.0, 1e300, -1e300, 5e-324]


def same(x, y):
    """Equal, with signs of zeros; or both nan."""
    return (x == y and math.copysign(1.0, x) == math.copysign(1.0, y)) or (x != x and y != y)


@pytest.mark.parametrize(
    ("name", "function"), [("true_divide", floats.divide), ("pow", floats.power)]
)
def test_two_numbers_as_pytorch(name, function):
    """divide and power have PyTorch's infinities, nans and signs of zero for all special pairs."""
    torch = pytest.importorskip("torch")
    for x, y in itertools.product(SPECIAL, repeat=2):
        tensors = [torch.tensor(number, dtype=torch.float64) for number in (x, y)]
        expected = getattr(torch, name)(*tensors).item()
        assert same(function(x, y), expected), (x, y, function(x, y), expected)


@given(st.floats(), st.floats())
def test_division_is_pythons(x, y):
    """divide is x / y wherever Python has an answer, and infinite or nan elsewhere."""
    if y != 0.0:
        assert same(floats.divide(x, y), x / y)
    else:
        assert not math.isfinite(floats.divide(x, y))


@given(st.floats(), st.floats())
def test_powers_are_the_math_modules(x, y):
    """power is math.pow wherever that has an answer, and never raises."""
    result = floats.power(x, y)
    try:
        assert same(result, math.pow(x, y))
    except (OverflowError, ValueError):
        assert not math.isfinite(result)


ONE_OPERAND = [
    name for name in floats.FUNCTIONS if name not in {"divide", "power", "atan2", "where", "equal"}
]


@pytest.mark.parametrize("name", ONE_OPERAND)
def test_one_number_as_pytorch(name):
    """Every function has PyTorch's infinities, nans and signs of zero at special numbers."""
    torch = pytest.importorskip("torch")
    for x in [*SPECIAL, 1000.0, -1000.0, 710.0, -746.0, -1.5]:
        expected = getattr(torch, name)(torch.tensor(x, dtype=torch.float64)).item()
        ours = floats.FUNCTIONS[name](x)
        if name == "log1p" and x == 5e-324:  # PyTorch has 0.0; log1p(x) = x there
            expected = x
        assert type(ours) is float
        if math.isfinite(expected) and expected != 0.0:
            assert ours == pytest.approx(expected, rel=1e-15, abs=5e-324)
        else:
            assert same(ours, expected), (x, ours, expected)


@pytest.mark.parametrize("name", ONE_OPERAND)
@given(x=st.floats())
def test_no_float_makes_a_function_raise(name, x):
    """Whatever the float, the answer is a float."""
    assert type(floats.FUNCTIONS[name](x)) is float


def test_tanh_to_one_unit_in_the_last_place():
    """tanh is right to one ulp where its derivative magnifies errors, and to two elsewhere."""
    rng = random.Random(0)
    for _ in range(3000):
        x = rng.choice((-1, 1)) * rng.uniform(0.0, 21.0) ** rng.choice((1, 3))
        exact = mp.tanh(mp.mpf(x))
        units = abs(floats.tanh(x) - exact) / math.ulp(float(exact))
        assert units <= (1.0 if abs(x) > 0.8 else 2.2), x


@given(st.floats(allow_nan=False))
def test_tanh_is_odd(x):
    """tanh(-x) is -tanh(x) to the bit, signs of zero too, and never beyond 1."""
    assert same(floats.tanh(-x), -floats.tanh(x))
    assert abs(floats.tanh(x)) <= 1.0


@pytest.mark.parametrize("edge", [0.55, 20.0])
def test_tanh_rises_across_its_formulas(edge):
    """Where one formula takes over from the other, tanh does not fall."""
    below, above = math.nextafter(edge, 0.0), math.nextafter(edge, INF)
    assert floats.tanh(below) <= floats.tanh(edge) <= floats.tanh(above)


def test_sign_and_where_and_floor():
    """The sign of nan is 0, as PyTorch's; nan chooses as any number but 0; floor keeps -0.0."""
    assert [floats.sign(x) for x in (3.0, -0.0, -INF, NAN)] == [1.0, 0.0, -1.0, 0.0]
    where, floor = floats.FUNCTIONS["where"], floats.FUNCTIONS["floor"]
    assert [where(c, 1.0, 2.0) for c in (0.0, -0.0, 1.0, NAN)] == [2.0, 2.0, 1.0, 1.0]
    assert same(floor(-0.0), -0.0)
    assert [floor(x) for x in (-0.5, 2.5, 1e300, -INF)] == [-1.0, 2.0, 1e300, -INF]


@pytest.mark.parametrize("number", [0, 1.5, True, 10**300, Fraction(1, 3)])
def test_numbers(number):
    """Python's real numbers are numbers, and become floats."""
    assert floats.is_number(number)
    assert type(floats.as_number(number)) is float
    assert floats.as_number(number) == float(number)


@pytest.mark.parametrize("wrong", ["1", b"1", 1j, None, [1.0], (), {}, object(), float])
def test_no_numbers(wrong):
    """Anything else is not, and is refused with what was seen."""
    assert not floats.is_number(wrong) or wrong is float
    with pytest.raises(NumberError, match="one real number is needed, not "):
        floats.as_number(wrong)


def test_subclasses_of_float_become_floats():
    """A float of a class of its own, as NumPy's, is kept as a plain one."""

    class Metres(float):
        pass

    assert type(floats.as_number(Metres(2.5))) is float
