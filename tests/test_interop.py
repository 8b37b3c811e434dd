"""micrograd's and PyTorch's attributes, copying and pickling."""

from __future__ import annotations

import copy
import pickle

import pytest

from chainrule import Value, ops
from chainrule.errors import CopyError, CustomOpError


def test_micrograds_attributes():
    """_prev and _op are micrograd's, for each op that micrograd has."""
    micrograd = pytest.importorskip("micrograd.engine")

    def expressions(a, b):
        return [a, a + b, a * b, a**3, a**-1, a**0.5, a.relu(), a + a]

    numbers = (2.0, -3.0)
    ours = expressions(*map(Value, numbers))
    theirs = expressions(*map(micrograd.Value, numbers))
    for value, expected in zip(ours, theirs, strict=True):
        assert value._op == expected._op
        assert sorted(x.data for x in value._prev) == sorted(
            [x.data for x in expected._prev] + [x.data for x in value._prev if x.op == "constant"]
        )


def test_ops_that_micrograd_lacks_are_spelled_as_operators():
    """Differences, quotients and negations are single ops here, and functions go by name."""
    a = Value(2.0)
    values = (a - 1, a / 3, -a, a.tanh(), ops.atan2(a, 1), a**a, (a * 5).operands[1])
    assert [v._op for v in values] == ["-", "/", "-", "tanh", "atan2", "pow", ""]


def test_micrograds_closures_are_refused():
    """Reading or assigning _backward points to @chainrule.op."""
    a = Value(2.0)
    with pytest.raises(CustomOpError, match=r"@chainrule\.op"):
        a._backward = lambda: None
    with pytest.raises(CustomOpError, match=r"@chainrule\.op"):
        a._backward()


def test_subclasses_are_refused():
    """A subclass of Value, which no op would recognise, is refused, as C's types do."""
    with pytest.raises(TypeError, match=r"@chainrule\.op|not an acceptable base type"):
        type("Subclass", (Value,), {})


def test_detach():
    """A detached value is a new leaf with the number, cut off from the graph."""
    a = Value(2.0, label="a")
    b = (a * 3).detach()
    assert (b.data, b.op, b.operands) == (6.0, "", ())
    (a * b).backward()
    assert (a.grad, b.grad) == (6.0, 2.0)
    a.detach().data = 7.0
    assert a.data == 2.0


COPIES = [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v))]
COPIES += [lambda v, n=n: pickle.loads(pickle.dumps(v, protocol=n)) for n in range(6)]


@pytest.mark.parametrize("duplicate", COPIES)
def test_leaves_can_be_copied_and_pickled(duplicate):
    """A copy of a leaf has its number, label and gradient, and is another leaf."""
    leaf = Value(2.5, label="w")
    leaf.grad = -1.5
    twin = duplicate(leaf)
    assert twin is not leaf
    assert (twin.data, twin.grad, twin.label, twin.op) == (2.5, -1.5, "w", "")
    (twin * 3).backward()
    assert (twin.grad, leaf.grad) == (1.5, -1.5)


@pytest.mark.parametrize("duplicate", COPIES)
def test_shared_leaves_stay_shared(duplicate):
    """A leaf that stands twice in a list is one leaf in a deep copy, too."""
    leaf = Value(1.0)
    first, second = duplicate([leaf, leaf])
    assert first is second


@pytest.mark.parametrize("duplicate", COPIES)
def test_inner_values_refuse_to_be_copied(duplicate):
    """An inner value names its op and says what to do instead."""
    inner = Value(2.0) * 3
    with pytest.raises(CopyError, match=r"made by 'mul' cannot be copied .* value\.detach\(\)"):
        duplicate(inner)


@pytest.mark.parametrize("duplicate", COPIES)
def test_copies_of_constants_are_the_constant(duplicate):
    """A constant stays the one of its number."""
    two = (Value(1.0) * 2).operands[1]
    assert duplicate(two) is two
