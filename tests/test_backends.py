"""What runs programs, with NumPy and in Python, computes what the rows and the interpreter do."""

from __future__ import annotations

import gc
import itertools
import linecache
import math
import random
import re
import threading
import traceback

import pytest
from hypothesis import given, settings
from strategies import expressions

from chainrule import TABLE, Value, condition, lift, op
from chainrule.check import near_kinks
from chainrule.compiler import backends
from chainrule.compiler.backends import formulas
from chainrule.compiler.derive import derive
from chainrule.compiler.passes import run
from chainrule.compiler.program import (
    Data,
    Gather,
    IndexAdd,
    Leaves,
    Lookup,
    Map,
    Numbers,
    Part,
    Program,
    Rows,
    Scatter,
    Seed,
    Segments,
    Selected,
    Sum,
    View,
    contiguous,
)
from chainrule.nn import MLP

np = pytest.importorskip("numpy")

from chainrule.compiler.backends import numpy as with_numpy  # noqa: E402
from chainrule.compiler.backends import python as in_python  # noqa: E402
from chainrule.compiler.backends.layout import turned  # noqa: E402

RUNNERS = [with_numpy.Runner, in_python.Runner]
INF, NAN = math.inf, math.nan
HOSTILE = [0.0, -0.0, INF, -INF, NAN, 1e308, -1e308, 5e-324, 1.0, -1.0, 2.0, 0.5, -2.5, 20.0, 750.0]

# The same in NumPy and in C to the last bit; other functions are vector code of NumPy's own, or
# for tanh ours, each good to some units in the last place.
EXACT = {"name", "number", "where", "sqrt", "abs", "floor", "sign", "call", "erf", *formulas.INFIX}
EXACT |= {"negative", "divide"}
EPS = 2.0**-52


@pytest.fixture(params=RUNNERS, ids=lambda runner: runner.name)
def make(request):
    """The runner of a program, with each backend."""
    return request.param


def filled(make, program, leaves, data=(), seed=()):
    """The outputs of a program, as lists."""
    program.check()
    runner = make(program)
    runner.leaves[:], runner.data[:] = leaves, data
    if len(seed):
        runner.seed[:] = seed
    runner.run()
    return [output.tolist() for output in runner.outputs]


def assert_same(found, expected, units=0.0):
    """Equal numbers, nan like nan, within so many units of 1 or of the number."""
    for x, y in zip(found, expected, strict=True):
        same = x == y or (math.isnan(x) and math.isnan(y))
        assert same or abs(x - y) <= units * EPS * max(1.0, abs(y)), (x, y)


def functions(tree):
    """The kinds of the nodes of a tree."""
    return {tree[0]}.union(*[functions(x) for x in tree[1:] if isinstance(x, tuple)])


def points_of(row):
    """The probes of a row, and hostile numbers in all their combinations."""
    hostile = itertools.product(HOSTILE, repeat=len(row.operands))
    return [*row.probes, *itertools.islice(hostile, 0, None, 1 if len(row.operands) < 3 else 7)]


def assert_row(make, name, rule):
    """A map of a row, or of one of its derivatives, is what the row computes with floats; of many
    points at once, and of one."""
    row = TABLE[name]
    operands = [("name", x) for x in row.operands]
    if rule is None:
        tree, first = formulas.value_of(name, operands), []
    else:
        tree, first = formulas.derivative_of(name, rule, ("name", "y"), operands), [0]
    units = 0.0 if make.name == "python" or functions(tree) <= EXACT else 16.0
    points = [(*row.local(*point)[: len(first)], *point) for point in points_of(row)]
    expected = [row.local(*x[len(first) :])[0 if rule is None else rule + 1] for x in points]
    (found,) = filled(make, mapped(name, rule, len(points)), flat(zip(*points)))
    assert_same(found, expected, units)
    for point, y in list(zip(points, expected))[:40]:
        (found,) = filled(make, mapped(name, rule, 1), point)
        assert_same(found, [y])


def flat(rows):
    return [x for row in rows for x in row]


def mapped(name, rule, count):
    """A program of one op, or of one of its derivatives, on columns of leaves."""
    arity = len(TABLE[name].operands) + (rule is not None)
    columns = [View(0, k * count, (1,)) for k in range(arity)]
    given = [Leaves(arity * count), Numbers([]), Data(0)]
    return Program([*given, Map(name, rule, (count,), columns)], [3])


# ---- every row ----


@pytest.mark.parametrize("name", TABLE)
def test_values_are_those_of_the_rows(make, name):
    """Each row on its probes, zeros of both signs, infinities, nan, huge and tiny numbers."""
    assert_row(make, name, None)


@pytest.mark.parametrize(
    ("name", "rule"), [(name, k) for name, row in TABLE.items() for k in range(len(row.operands))]
)
def test_derivatives_are_those_of_the_rows(make, name, rule):
    """Each derivative of each row on the same numbers."""
    assert_row(make, name, rule)


def test_numbers_of_the_expression_are_folded_into_formulas(make):
    """x ** 2, x ** -1, x ** 0.5 and their derivatives, with the exponent known beforehand."""
    points = [x for x in HOSTILE if not math.isnan(x)] + [0.3, 1.7]
    for exponent, rule in itertools.product((2.0, -1.0, 0.5, 3.0, 0.0, 1.0), (None, 0)):
        count = len(points)
        operands = [View(0, 0, (1,)), View(1, 0, (0,))]
        y = [] if rule is None else [View(0, 0, (1,))]
        given = [Leaves(count), Numbers([exponent]), Data(0)]
        program = Program([*given, Map("pow", rule, (count,), [*y, *operands])], [3])
        found = TABLE["pow"].local
        expected = [found(x, exponent)[0 if rule is None else 1] for x in points]
        assert_same(filled(make, program, points)[0], expected, 1.0)


def test_an_op_of_ones_own_runs_on_floats(make):
    """A user's function is called with floats, and its result and formulas are used."""
    seen = []

    @op("2 * x * w", "x ** 2")
    def backend_square(x, w):
        seen.append((type(x), type(w)))
        return x * x * w

    for rule in (None, 0, 1):
        assert_row(make, "backend_square", rule)
    assert set(seen) == {(float, float)}


# ---- what an op that selects passes on ----


def chosen(name, rule, count):
    """The gradient that a row passes to an operand: a choice by its derivative."""
    arity = len(TABLE[name].operands) + 1
    columns = [View(0, k * count, (1,)) for k in range(arity)]
    given = [Leaves((arity + 1) * count), Numbers([]), Data(0)]
    gradient = Sum(count, [(None, Part(2.0, (count,), 1, [View(0, arity * count, (1,))]))])
    slope = Map(name, rule, (count,), columns)
    choice = Selected((count,), View(3, 0, (1,)), View(4, 0, (1,)))
    return Program([*given, gradient, slope, choice], [5])


@pytest.mark.parametrize("count", [1, 300])
@pytest.mark.parametrize(
    ("name", "rule"),
    [(n, k) for n, row in TABLE.items() if row.selects for k in range(len(row.operands))],
)
def test_what_was_not_chosen_gets_nothing(make, name, rule, count):
    """Whatever the gradient is, also inf and nan, the element is 0 where the derivative is 0."""
    row, rng = TABLE[name], random.Random(0)
    numbers = [-1.5, -0.0, 0.0, 1.0, 2.0, NAN]
    points = [[rng.choice(numbers) for _ in row.operands] for _ in range(count)]
    gradients = [rng.choice([INF, -INF, NAN, 1.0, 3.0]) for _ in range(count)]
    ys = [row.local(*point)[0] for point in points]
    slopes = [row.local(*point)[rule + 1] for point in points]
    expected = [0.0 if d == 0.0 else 2.0 * g * d for g, d in zip(gradients, slopes)]
    leaves = [*ys, *flat(zip(*points)), *gradients]
    assert_same(filled(make, chosen(name, rule, count), leaves)[0], expected)


def test_a_gradient_that_is_still_needed_is_not_overwritten(make):
    """A choice takes the place of its gradient only if nobody reads that afterwards."""
    program = chosen("relu", 0, 50)
    program = Program(program.instructions, [3, 5])
    leaves = [float(k % 3 - 1) for k in range(150)]
    (kept, found) = filled(make, program, leaves)
    assert kept == [2.0 * x for x in leaves[100:]]
    assert found == [g if y > 0.0 else 0.0 for g, y in zip(kept, leaves)]


def test_a_copy_is_read_where_it_is_and_not_overwritten(make):
    """The derivative of exp is its value; a choice by it does not take the place of that."""
    whole = View(3, 0, (1,))
    given = [Leaves(50), Numbers([]), Data(0)]
    x = View(0, 0, (1,))
    exp, slope = Map("exp", None, (50,), [x]), Map("exp", 0, (50,), [whole, x])
    choice = Selected((50,), View(4, 0, (1,)), x)
    total = Sum(1, [(None, Part(1.0, (50,), 0, [whole]))])
    program = Program([*given, exp, slope, choice, total], [5, 6])
    leaves = [float(k % 3) for k in range(50)]
    for found, expected in zip(filled(make, program, leaves), program.interpret(leaves)):
        assert found == pytest.approx(expected, rel=1e-14)
    assert "copyto" not in make(program).source


# ---- every instruction, in whole numbers, whose sums are exact in any order ----


def whole_numbers(rng, count):
    return [float(rng.randint(-4, 4)) for _ in range(count)]


def view_of(rng, block, size, dims):
    """A view of these dims that stays in its block: some axes repeat, some overlap."""
    strides, room = [], size - 1
    for n in dims:
        most = room // (n - 1) if n > 1 else 0
        strides.append(rng.choice([0, rng.randint(0, min(most, 7)), min(most, 1)]))
        room -= (n - 1) * strides[-1]
    return View(block, rng.randint(0, room), strides)


def part_of(rng, kept, scale):
    """A product of up to three views of two blocks and a number, over random dims."""
    dims = (*kept, *[rng.choice([1, 2, 3, 5]) for _ in range(rng.randint(0, 3))])
    factors = [view_of(rng, *rng.choice([(0, 60), (2, 40), (1, 2)]), dims) for _ in range(3)]
    return Part(scale, dims, len(kept), factors[: rng.randint(0, 3)])


def sum_of(rng):
    """A sum of some parts of the whole block, in one or another form, and of some of a view."""
    forms = rng.choice(
        [[(12,), (3, 4), (2, 6)], [(2, 3, 4), (24,)], [(1,), (1, 1)], [(6, 4), (8, 3)]]
    )
    size = math.prod(forms[0])
    scales = [1.0, -1.0, 2.0, -0.5]
    parts = [
        (None, part_of(rng, rng.choice(forms), rng.choice(scales)))
        for _ in range(rng.randint(0, 3))
    ]
    for _ in range(rng.randint(0 if parts else 1, 2)):
        count = rng.randint(1, size)
        offset = rng.randint(0, size - count)
        parts.append((View(3, offset, (1,)), part_of(rng, (count,), rng.choice(scales))))
    rng.shuffle(parts)
    return Sum(size, parts)


@pytest.mark.parametrize("seed", range(300))
def test_sums_of_products_are_the_interpreters(make, seed):
    """Random views of blocks, multiplied, summed over some axes, added into views of a block."""
    rng = random.Random(seed)
    given = [Leaves(60), Numbers([3.0, -0.5]), Data(40)]
    program = Program([*given, sum_of(rng)], [3])
    leaves, data = whole_numbers(rng, 60), whole_numbers(rng, 40)
    (expected,) = program.interpret(leaves, data)
    assert filled(make, program, leaves, data) == [expected], program


ROWS = Rows([0, 1, 2, 3], 4, 3, (4,), View(2, 1, (2,)))
BY_PLACES = {
    "gather": Gather(0, [3, 3, 0, 7]),
    "scatter": Scatter(0, [5, 1, 5, 0, 2, 2, 2, 9, 8, 7, 6, 4], 11),
    "scatter to places of their own": Scatter(0, [5, 1, 3, 0, 2, 12, 11, 9, 8, 7, 6, 4], 14),
    "segments of sums": Segments(0, [0, 1, 4, 9]),
    "segments of maximums": Segments(0, [0, 1, 4, 9], "maximum"),
    "lookup": Lookup(0, ROWS),
    "index_add": IndexAdd(4, ROWS, 12),
}


@pytest.mark.parametrize("name", BY_PLACES)
def test_elements_by_their_places_are_the_interpreters(make, name):
    """Gathers, scatters, runs, and places that are data, in two runs with other numbers."""
    rng = random.Random(0)
    given = [Leaves(12), Numbers([]), Data(8), BY_PLACES["lookup"], Gather(0, [3, 1, 0, 2])]
    program = Program([*given, BY_PLACES[name]], [5, 3])
    program.check()
    runner = make(program)
    for _ in range(2):
        leaves, data = whole_numbers(rng, 12), [float(rng.randint(0, 2)) for _ in range(8)]
        runner.leaves[:], runner.data[:] = leaves, data
        runner.run()
        assert [x.tolist() for x in runner.outputs] == program.interpret(leaves, data)


def test_a_maximum_of_a_run_is_nan_if_one_is(make):
    """As the row of maximum has it."""
    given = [Leaves(4), Numbers([]), Data(0), Segments(0, [0, 2], "maximum")]
    found, other = filled(make, Program(given, [3]), [1.0, NAN, 2.0, 3.0])[0]
    assert math.isnan(found)
    assert other == 3.0


@settings(max_examples=100)
@given(expression=expressions(max_steps=40))
def test_random_expressions_run_as_python(expression):
    """Irregular programs give what their interpreter gives, sums being done in any order."""
    leaves = [Value(x) for x in expression.leaves]
    y = expression.evaluate(leaves, TABLE)
    if near_kinks(y, any_order=True):
        return
    lifted = lift(y)
    program, _ = run(derive(lifted.program))
    numbers = [leaf.data for leaf in lifted.leaves]
    (found,), slopes = filled(in_python.Runner, program, numbers)
    (expected,), right = program.interpret(numbers)
    assert abs(found - expected) <= 64.0 * EPS * condition(y, any_order=True)
    for slope, other, unit in zip(slopes, right, condition(y, lifted.leaves, True)):
        assert abs(slope - other) <= 64.0 * EPS * unit


# ---- forward, backward, seed ----


def network():
    """Two outputs, with a hidden layer, as a derived program."""
    product = Part(1.0, (2, 3), 1, [View(0, 0, (3, 1)), View(2, 0, (0, 1))])
    whole = View(3, 0, (1,))
    forward = [Sum(2, [(None, product)]), Map("tanh", None, (2,), [whole])]
    return derive(Program([Leaves(6), Numbers([]), Data(3), *forward], [4]))


def test_backward_starts_from_the_seed_and_can_be_repeated(make):
    """One forward pass serves many backward passes, each with a seed of its own."""
    program = network()
    assert any(isinstance(made, Seed) for made in program.instructions)
    runner = make(program)
    leaves, data = [0.1, -0.2, 0.3, 0.4, 0.5, -0.6], [1.0, 2.0, -3.0]
    runner.leaves[:], runner.data[:] = leaves, data
    runner.forward()
    for seed in ([1.0, 0.0], [0.0, 1.0], [0.5, -2.0], [1.0, 0.0]):
        runner.seed[:] = seed
        runner.backward()
        for found, expected in zip(runner.outputs, program.interpret(leaves, data, seed)):
            assert found.tolist() == pytest.approx(expected, rel=1e-15)


def test_forward_alone_leaves_the_gradient_as_it_was(make):
    """The outputs are those of the new leaves, the gradient that of the latest backward pass."""
    runner = make(network())
    runner.seed[:] = 1.0
    runner.leaves[:], runner.data[:] = 0.5, 1.0
    runner.run()
    before = runner.outputs[1].tolist()
    runner.leaves[:] = 0.0
    runner.forward()
    assert runner.outputs[0].tolist() == [0.0, 0.0]
    assert runner.outputs[1].tolist() == before


def test_nothing_is_said_of_numbers_that_overflow_and_nothing_is_changed(make, recwarn):
    """A run is silent, also in another thread; the user's own warnings are as they were."""
    runner = make(mapped("exp", None, 300))
    runner.leaves[:] = 1e6
    runner.run()
    thread = threading.Thread(target=runner.run)
    thread.start()
    thread.join()
    assert runner.outputs[0].tolist() == [INF] * 300
    assert not recwarn
    with pytest.warns(RuntimeWarning, match="overflow"):
        np.exp(np.array([1e6]))


# ---- source ----


def test_the_source_is_known_to_tracebacks(make):
    """An exception in a run quotes the generated line in which it happened."""

    @op("1")
    def backend_fault(x):  # noqa: ARG001 - named for the formula
        raise RuntimeError("from the user's op")

    runner = make(mapped("backend_fault", None, 3))
    with pytest.raises(RuntimeError, match="user's op") as caught:
        runner.run()
    shown = "".join(traceback.format_exception(caught.value))
    assert "op_backend_fault" in shown
    assert any(line.strip() in runner.source for line in shown.splitlines() if "op_backend" in line)


def test_each_instruction_is_followed_by_its_lines(make):
    """A comment holds the line of the program, and linecache the whole source."""
    program = network()
    runner = make(program)
    lines = [line.strip() for line in runner.source.splitlines()]
    for block, made in enumerate(program.instructions):
        if not isinstance(made, (Leaves, Numbers, Data, Seed)):
            assert f"# b{block}[{made.size}] = {made}" in lines
    files = [name for name in linecache.cache if name.startswith("<chainrule")]
    assert runner.source in ["".join(linecache.getlines(name)) for name in files]


def test_a_source_is_forgotten_with_its_runner(make):
    """Programs that come and go leave nothing behind."""
    before = set(linecache.cache)
    runner = make(network())
    assert len(set(linecache.cache) - before) == 1
    del runner
    gc.collect()
    assert not set(linecache.cache) - before


def test_buffers_begin_where_a_line_of_the_cache_does():
    """All blocks, and the arrays in between."""
    runner = with_numpy.Runner(network())
    for array in (runner.leaves, runner.data, runner.seed, *runner.outputs):
        assert array.ctypes.data % 64 == 0


def test_a_convolution_is_one_matrix_product():
    """Patches of an image, which overlap, are copied once, and multiplied by all kernels."""
    kernels, patches = View(0, 0, (9, 0, 0, 3, 1)), View(2, 0, (0, 7, 1, 7, 1))
    part = Part(1.0, (4, 5, 5, 3, 3), 3, [kernels, patches])
    given = [Leaves(36), Numbers([]), Data(49)]
    program = Program([*given, Sum(100, [(None, part)])], [3])
    leaves, data = whole_numbers(random.Random(0), 36), whole_numbers(random.Random(1), 49)
    assert filled(with_numpy.Runner, program, leaves, data) == program.interpret(leaves, data)
    assert [line.strip() for line in with_numpy.Runner(program).source.splitlines()[5:7]] == [
        "copyto(t1_3x3x5x5, b2_3x3x5x5_by_7x1x7x1)",
        "b0_4x9.dot(t1_3x3x5x5_as_9x25, b3_4x25)",
    ]


# ---- layout ----


def test_the_longer_axis_runs_fastest():
    """Of the demo's blocks of 20 points and 8 neurons, points run fastest: matrix products need
    no transposed copy, and biases are added along rows."""
    program, _ = run(derive(lift(network_of(points=20, hidden=8)).program))
    source = with_numpy.Runner(program).source
    tables = set(re.findall(r"\bb\d+_(?:20x8|8x20)\b", source))
    assert tables
    assert all(name.endswith("_8x20") for name in tables)


def network_of(points, hidden):
    """The loss of a network of one hidden layer."""
    rng = random.Random(0)
    model = MLP(2, [hidden, 1])
    scores = [model([rng.random(), rng.random()]) for _ in range(points)]
    return sum((1 - score).relu() for score in scores)


@pytest.mark.parametrize("seed", range(200))
def test_a_turned_program_is_the_same_program(seed):
    """Random sums over a long table, elementwise ops on it, and what reads them by random views."""
    rng = random.Random(seed)
    dims = rng.choice([(12, 2), (8, 4), (20, 3)])
    size = math.prod(dims)
    parts = [
        (None, part_of(rng, dims, 1.0)),
        (None, part_of(rng, rng.choice([dims, (size,)]), -1.0)),
    ]
    kept = rng.choice([(size,), dims, dims[:1], dims[1:], (dims[0] // 2, 2, dims[1])])
    views = [view_of(rng, rng.randint(3, 5), size, kept) for _ in range(2)]
    regular = View(rng.randint(3, 5), 0, contiguous(kept))
    ops = [Map("maximum", None, (size,), [View(3, 0, (1,)), View(0, 5, (0,))])]
    ops.append(Selected((size,), View(3, 0, (1,)), View(4, 0, (1,))))
    last = Part(
        1.0, kept, rng.randint(0, len(kept)), [regular, rng.choice(views)][: rng.randint(1, 2)]
    )
    given = [Leaves(60), Numbers([3.0, -0.5]), Data(40)]
    made = [Sum(size, rng.sample(parts, rng.randint(1, 2))), *ops]
    made.append(Sum(math.prod(kept[: last.kept]), [(None, last)]))
    program = Program([*given, *made], [6])
    program.check()
    leaves, data = whole_numbers(rng, 60), whole_numbers(rng, 40)
    found = turned(program)
    found.check()
    assert found.interpret(leaves, data) == program.interpret(leaves, data)
    assert filled(with_numpy.Runner, program, leaves, data) == program.interpret(leaves, data)


def test_a_table_of_rows_to_look_up_is_not_turned(make):
    """The numbers of rows may be computed themselves; they are read in their order."""
    part = Part(1.0, (12, 2), 2, [View(2, 0, (1, 0)), View(2, 12, (0, 1))])
    rows = Rows([0] * 4, 1, 9, (4,), View(3, 1, (6,)))
    given = [Leaves(9), Numbers([]), Data(14), Sum(24, [(None, part)])]
    program = Program([*given, Lookup(0, rows)], [4])
    data = [float(k % 4) for k in range(12)] + [1.0, 2.0]
    leaves = [float(k) for k in range(9)]
    assert filled(make, program, leaves, data) == program.interpret(leaves, data)


def test_some_random_programs_are_turned():
    """The test before this one is about something."""
    outer = Part(1.0, (12, 2), 2, [View(0, 0, (1, 0)), View(2, 0, (0, 1))])
    total = Part(1.0, (2, 12), 1, [View(3, 0, (1, 2))])
    made = [Sum(24, [(None, outer)]), Sum(2, [(None, total)])]
    program = Program([Leaves(60), Numbers([]), Data(40), *made], [4])
    assert turned(program).instructions[3].parts[0][1].dims == (2, 12)


# ---- which backend ----


def test_irregular_programs_run_as_python_and_regular_ones_with_numpy():
    """The estimate: a chain of unlike ops, and the lecture's demo."""
    from test_compiler import demo

    y = Value(0.5)
    for k in range(200):
        y = (y * 0.9).sin() if k % 3 else (y + 0.1).tanh()
    assert backends.runner(lift(y).program).name == "python"
    assert backends.runner(lift(demo(points=20)[0]).program).name == "numpy"


def test_a_source_of_too_many_lines_is_not_written():
    """Python would take longer to compile it than it saves."""
    given = [Leaves(1), Numbers([]), Data(0)]
    sines = [Map("sin", None, (1,), [View(k and k + 2, 0, (0,))]) for k in range(7000)]
    program = Program([*given, *sines], [len(sines) + 2])
    assert backends.seconds_of_python(program) < backends.seconds_of_numpy(program)
    assert backends.runner(program).name == "numpy"
