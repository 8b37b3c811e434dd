"""Modes: contexts that are shown what the engine does, in their own thread."""

from __future__ import annotations

import copy
import threading

import pytest

from chainrule import Value, modes, no_grad, ops
from chainrule.modes import Mode


class Listener(Mode):
    """Keeps what it is shown."""

    def __init__(self):
        self.values = []
        self.orders = []

    def made(self, value):
        self.values.append(value)

    def passed(self, order):
        self.orders.append(order)


def test_results_under_no_grad_are_leaves():
    """Within no_grad() a result has its number, and neither an op nor operands nor a gradient."""
    a = Value(2.0)
    with no_grad():
        for y in (a * 3, a.sin(), ops.where(a, a, a), ops.maximum(a, 7)):
            assert (y.op, y.operands, y.derivatives) == ("", (), ())
        y = a * 3
    assert y.data == 6.0
    (y * a).backward()
    assert (a.grad, y.grad) == (6.0, 2.0)


def test_results_under_no_grad_can_be_changed_and_copied():
    """A result made within no_grad() is a leaf in every respect."""
    with no_grad():
        y = Value(2.0) * 3
    y.data = 5.0
    assert copy.copy(y).data == 5.0
    (y * 2).backward()
    assert y.grad == 2.0


def test_backward_under_no_grad():
    """A graph made before runs backward within no_grad() too."""
    a = Value(2.0)
    y = a * a
    with no_grad():
        y.backward()
    assert a.grad == 4.0


def test_no_grad_ends_with_its_block():
    """After the block, and after an exception in it, results have operands again."""
    a = Value(1.0)
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (a + 1).op == "add"
    with no_grad():
        pass
    assert (a + 1).operands[0] is a


def test_no_grad_within_no_grad():
    """Blocks can be nested, also of one object; the outermost's end counts."""
    a = Value(1.0)
    block = no_grad()
    with block:
        with block, no_grad():
            assert (a + 1).op == ""
        assert (a + 1).op == ""
    assert (a + 1).op == "add"


def test_no_grad_is_for_one_thread():
    """While one thread is within no_grad(), another makes graphs as ever, and the other way."""
    a = Value(1.0)
    inside, done = threading.Event(), threading.Event()
    seen = []

    def work():
        with no_grad():
            inside.set()
            done.wait(10)
            seen.append((a + 1).op)
        seen.append((a + 1).op)

    thread = threading.Thread(target=work)
    thread.start()
    inside.wait(10)
    y = a + 1
    done.set()
    thread.join()
    assert y.op == "add"
    assert seen == ["", "add"]


def test_a_mode_is_shown_new_values_in_order():
    """Each op's value is shown when it is made, within the block and not after."""
    a = Value(2.0)
    with Listener() as listener:
        b = a * 3
        c = ops.where(b, b.exp(), 1.0)
    _ = c + 1
    assert [value.op for value in listener.values] == ["mul", "exp", "where"]
    assert listener.values[0] is b
    assert listener.values[2] is c


def test_a_mode_is_shown_backward_passes():
    """After a backward pass the mode has its values, operands first, with their gradients."""
    a = Value(2.0)
    b = a * 3
    with Listener() as listener:
        b.backward()
    b.backward()
    (order,) = listener.orders
    assert [value.op for value in order] == ["", "constant", "mul"]
    assert (order[0], order[-1]) == (a, b)


def test_all_open_modes_are_shown_a_value():
    """The outer mode sees it first, so that within no_grad() an inner listener sees a leaf."""
    a = Value(2.0)
    with Listener() as outer, no_grad(), Listener() as inner:
        _ = a * 3
    assert outer.values == inner.values
    with Listener() as listener:
        with no_grad():
            _ = a * 3
        _ = a + 3
    assert [value.op for value in listener.values] == ["", "add"]


def test_the_engine_asks_nobody_while_no_mode_is_open():
    """The hook is None outside of blocks, however they ended, and numbers are read within."""
    assert not modes._open
    a = Value(2.0)
    with no_grad():
        assert modes._open
        assert a.data == 2.0
        assert a < 3
        assert a
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert not modes._open
