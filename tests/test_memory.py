"""What values take and give back: none is left over, however a graph ends."""

from __future__ import annotations

import contextlib
import gc
import subprocess
import sys

import pytest

from chainrule import Value, grad, no_grad, ops

DEPTH = 300_000
# Whatever is computed here has this leaf among its operands, directly or by what is between, and
# each other leaf has this label. So the references to these two tell what is alive.
LEAF = Value(0.25)
LABEL = "a leaf of " + __name__


def alive():
    """How many references there are to the leaf and to the label, and how many pieces of memory."""
    return sys.getrefcount(LEAF), sys.getrefcount(LABEL), sys.getallocatedblocks()


def an_expression():
    """Some hundred values of every shape, with labels and shared operands."""
    x = y = Value(0.5, label=LABEL)
    for k in range(30):
        y = (y * x + LEAF).tanh() - ops.where(x, y, k) / 3.0
        y.label = f"y{k}"
    return x, y


def run_backward():
    an_expression()[1].backward()


def differentiate_twice():
    x, y = an_expression()
    (slope,) = grad(y, [x], create_graph=True)
    slope.backward()


def run_without_gradients():
    with no_grad():
        an_expression()


def fail_midway():
    _x, y = an_expression()
    with contextlib.suppress(TypeError):
        _y = y * y + "wrong"


def drop_a_chain():
    y = LEAF
    for _ in range(2000):
        y = y * 1.0


def drop_a_tree():
    level = [LEAF * 1.0 for _ in range(512)]
    while len(level) > 1:
        level = [a + b for a, b in zip(level[::2], level[1::2])]


def keep_a_leaf():
    x, y = an_expression()
    y.backward()
    del y
    assert x.grad != 0.0


@pytest.mark.parametrize(
    "use",
    [
        run_backward,
        differentiate_twice,
        run_without_gradients,
        fail_midway,
        drop_a_chain,
        drop_a_tree,
        keep_a_leaf,
    ],
    ids=lambda use: use.__name__,
)
def test_no_value_is_left_over(use):
    """The memory in use returns to what it was, without the garbage collector."""
    gc.collect()
    gc.disable()
    try:
        for _ in range(3):  # what is made once is made now: constants, Python's caches
            use()
        *values, memory = alive()
        for _ in range(20):
            use()
        assert alive()[:2] == tuple(values)
        assert alive()[2] - memory < 100  # one expression has more values
    finally:
        gc.enable()


def test_every_value_is_counted():
    """A value that lives on is seen: by its operand if it was computed, by its label if not."""
    values, labels, _ = alive()
    kept = [LEAF * 2.0 for _ in range(50)] + [Value(1.0, label=LABEL) for _ in range(20)]
    assert alive()[:2] == (values + 50, labels + 20)
    del kept
    assert alive()[:2] == (values, labels)


def chain(link=lambda x, y: y + x):
    x = y = Value(0.5)
    for _ in range(DEPTH):
        y = link(x, y)
    return y


def test_a_deep_graph_dies_in_an_exception():
    """A deep graph is freed while an exception passes, and the exception arrives."""

    def fail():
        _y = chain()
        raise ArithmeticError("arrived")

    with pytest.raises(ArithmeticError, match="arrived"):
        fail()


def test_a_deep_graph_dies_half_built():
    """An error in the middle of an expression frees what was built of it."""
    with pytest.raises(TypeError):
        chain(lambda x, y: y + x if y.data < 1e5 else y + "wrong")


def test_the_last_reference_is_anywhere():
    """A deep graph is freed by rebinding, by a list, a dict, a closure or an attribute."""

    class Holder:
        pass

    holder = Holder()
    holder.value = chain()
    held = {"value": [chain()]}
    closure = (lambda y: lambda: y)(chain())
    y = chain()
    y = y.data
    assert y == closure().data == held.popitem()[1][0].data == holder.value.data
    del holder, closure


ENDINGS = {
    "as a global": "y = chain(Value(0.5))",
    "in a cycle": "y = [chain(Value(0.5))]; y.append(y)",
    "in a module": "sys.y = chain(Value(0.5))",
    "by exit": "y = chain(Value(0.5)); sys.exit(0)",
    "by atexit": "import atexit; atexit.register(chain, Value(0.5)); y = chain(Value(0.5))",
    "in a thread": """
import threading
def work():
    global y
    y = chain(Value(0.5))
    y.backward()
thread = threading.Thread(target=work); thread.start()
""",
    "in a mode": """
from chainrule import modes
modes.Mode().__enter__(); y = chain(Value(0.5))
""",
}

PROGRAM = f"""
import sys
from chainrule import Value
def chain(y):
    for _ in range({DEPTH}):
        y = y * 1.0 + 1.0
    return y
"""


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_deep_graph_outlives_the_program(ending):
    """An interpreter that ends while a deep graph is alive ends well and says nothing."""
    command = [sys.executable, "-c", PROGRAM + ENDINGS[ending]]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


RESIDENT = """
def resident():
    with open("/proc/self/status") as status:
        return int(status.read().partition("VmRSS:")[2].split()[0]) / 1024

chain(Value(0.5))
before = resident()
"""

GRAPHS = {
    "one large graph": "y = chain(chain(Value(0.5))); del y",
    "a value kept of each of many graphs": f"""
kept = []
for _ in range(1000):
    y = x = Value(0.5)
    for _ in range({DEPTH // 100}):
        y = y * 1.0
    kept.append(x)
""",
}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells it by a file")
@pytest.mark.parametrize("graphs", GRAPHS)
def test_memory_is_given_back(graphs):
    """What graphs took is free for others again, though a few values live on between them."""
    program = PROGRAM + RESIDENT + GRAPHS[graphs] + "\nprint(resident() - before)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stderr == ""
    assert float(done.stdout) < 10.0  # megabytes; one graph has 100, all have 300
