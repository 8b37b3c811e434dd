"""Lifting: scalar graphs become array programs that give the same numbers."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest
from hypothesis import given, settings
from random_programs import Record, in_creation_order, lookup
from strategies import expressions

import chainrule
from chainrule import TABLE, Value, condition, grad, lift, op, ops, softmax
from chainrule.check import near_kinks
from chainrule.compiler.derive import derive
from chainrule.compiler.graph import read
from chainrule.compiler.lift import Chains
from chainrule.compiler.lift import lift as lift_graph
from chainrule.compiler.passes import run
from chainrule.compiler.places import regular
from chainrule.compiler.program import (
    Data,
    Gather,
    Leaves,
    Lookup,
    Map,
    Numbers,
    Part,
    Program,
    Rows,
    Scatter,
    Sum,
    View,
)
from chainrule.errors import ArgumentError, CustomOpError, ProgramError
from chainrule.nn import MLP

pytest.importorskip("numpy")
from chainrule.compiler.backends.numpy import Runner

EPS = 2.0**-52


def values(rng, *shape):
    """A nested list of leaves."""
    if not shape:
        return Value(rng.uniform(-1.0, 1.0))
    return [values(rng, *shape[1:]) for _ in range(shape[0])]


def flat(nested):
    """The values of a nested list, in order."""
    return [x for part in nested for x in flat(part)] if isinstance(nested, list) else [nested]


def assert_lifts(output, leaves, units=64.0):
    """The lifted value, its interpreted program and all gradients are the engine's, within the
    condition of each, sums being done in any order."""
    output.backward()
    right = [leaf.grad for leaf in leaves]
    lifted = lift(output)
    lifted.program.check()
    derived = derive(lifted.program)
    derived.check()
    numbers = [leaf.data for leaf in lifted.leaves]
    bound = units * EPS * condition(output, any_order=True)
    (interpreted,), slopes = derived.interpret(numbers)
    assert abs(interpreted - output.data) <= bound
    for leaf in leaves:
        leaf.grad = 0.0
    assert abs(lifted() - output.data) <= bound
    assert abs(lifted.backward() - output.data) <= bound
    by_leaf = dict(zip(lifted.leaves, slopes))
    for leaf, gradient, unit in zip(leaves, right, condition(output, leaves, True)):
        assert abs(leaf.grad - gradient) <= units * EPS * unit
        assert abs(by_leaf.get(leaf, 0.0) - gradient) <= units * EPS * unit
    return lifted


# ---- the same numbers ----


@settings(max_examples=300)
@given(expressions(max_steps=60))
def test_random_expressions_lift(expression):
    """Irregular expressions of all ops, with shared operands, give the engine's numbers."""
    leaves = [Value(x) for x in expression.leaves]
    y = expression.evaluate(leaves, TABLE)
    if not near_kinks(y, any_order=True):
        assert_lifts(y, leaves)


def convolution(image, kernels):
    """Channels of rows in, channels of rows out; written in loops."""
    size = len(kernels[0][0])
    height, width = len(image[0]) - size + 1, len(image[0][0]) - size + 1
    window = [(i, j) for i in range(size) for j in range(size)]
    return [
        [
            [
                sum(
                    kernel[c][i][j] * image[c][y + i][x + j]
                    for c in range(len(image))
                    for i, j in window
                )
                for x in range(width)
            ]
            for y in range(height)
        ]
        for kernel in kernels
    ]


def two_convolutions(rng):
    image, first, second = values(rng, 1, 7, 7), values(rng, 3, 1, 3, 3), values(rng, 2, 3, 3, 3)
    hidden = [[[v.relu() for v in row] for row in c] for c in convolution(image, first)]
    output = sum(v * v for v in flat(convolution(hidden, second)))
    return output, flat([image, first, second])


def linear(matrix, vector):
    return [sum(w * x for w, x in zip(row, vector)) for row in matrix]


def causal_attention(rng):
    """Two heads of width 2 over five positions, with the keys and values kept as in inference."""
    tokens = values(rng, 5, 4)
    query, key, value, out = (values(rng, 4, 4) for _ in range(4))
    keys, kept, outputs = [], [], []
    for token in tokens:
        keys.append(linear(key, token))
        kept.append(linear(value, token))
        asked, found = linear(query, token), []
        for head in (slice(0, 2), slice(2, 4)):
            near = softmax([ops.dot(asked[head], k[head]) / math.sqrt(2.0) for k in keys])
            found += [sum(p * v[head][j] for p, v in zip(near, kept)) for j in range(2)]
        outputs.append(linear(out, found))
    leaves = flat([tokens, query, key, value, out])
    return sum(v * v for v in flat(outputs)), leaves


def ragged_sums(rng):
    """Sums of 1 to 12 terms, each under a root: of many lengths, one class."""
    rows = [values(rng, k) for k in range(1, 13)]
    return sum((sum(x * x for x in row) + 1.0).sqrt() for row in rows), flat(rows)


def recurrence(rng):
    """A recurrent network: the same weights at each of ten steps, one hanging on the other."""
    weights, state, inputs = values(rng, 4, 4), values(rng, 4), values(rng, 10, 4)
    for x in inputs:
        state = [(h + xi).tanh() for h, xi in zip(linear(weights, state), x)]
    return sum(state), flat([weights, inputs])


def overlapping_windows(rng):
    """Windows that overlap, in one of whose views the strides do."""
    x = values(rng, 20)
    return sum(sum(x[i : i + 5]).exp() for i in range(16)), x


def choices(rng):
    """Rows that select, with ties."""
    x = values(rng, 16)
    y = [*values(rng, 12), *x[12:]]
    terms = [ops.maximum(a, b) * ops.minimum(a, 0.3) for a, b in zip(x, y)]
    return sum(terms) + sum(ops.where(a > b, a, 3 * b) for a, b in zip(x, y)), x


MODELS = [two_convolutions, causal_attention, ragged_sums, recurrence, overlapping_windows, choices]


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_models_lift(model):
    """Programs of many patterns give the engine's numbers."""
    assert_lifts(*model(random.Random(0)))


def demo(points=100):
    """The lecture's demo: an MLP of 2, 16, 16 and 1, hinge loss and L2; its loss, and its data."""
    random.seed(1337)
    rng = random.Random(0)
    model = MLP(2, [16, 16, 1])
    inputs = values(rng, points, 2)
    labels = [Value(rng.choice([-1.0, 1.0])) for _ in range(points)]
    losses = [(1 + -label * model(x)).relu() for label, x in zip(labels, inputs)]
    loss = sum(losses) / len(losses) + 1e-4 * sum(p * p for p in model.parameters())
    return loss, model.parameters(), flat(inputs) + labels


def recorded(build):
    """The graph of the output that a function builds, its nodes in creation order.

    The function returns the output, the parameters, and what is data.
    """
    with Record() as record:
        output, _, data = build()
    graph, _ = in_creation_order(record.values, [[output]], data)
    return graph


def matrix_products(program):
    """The parts of a program that multiply two views and sum, with something left."""
    sums = [made for made in program.instructions if isinstance(made, Sum)]
    parts = [part for made in sums for _, part in made.parts]
    return [part for part in parts if len(part.factors) == 2 and 0 < part.kept < len(part.dims)]


def test_the_demo_lifts_to_twelve_instructions_with_three_matrix_products():
    """65,000 values of the lecture's demo become at most 12 instructions."""
    loss, parameters, _ = demo()
    lifted = assert_lifts(loss, parameters)
    assert len(lifted.program) <= 12
    assert len(matrix_products(lifted.program)) == 3


def test_data_get_no_gradient():
    """With points and labels as data the demo is eight instructions, in the backward of which
    there are the three transposed products for the weights and one for the hidden layer."""
    graph = recorded(demo)
    program, leaves, data = lift_graph(graph)
    program, _ = run(program)
    program.check()
    assert (len(program), len(leaves), len(data)) == (8, 337, 300)
    assert len(matrix_products(program)) == 3
    derived, _ = run(derive(program))
    derived.check()
    assert derived.instructions[derived.outputs[-1]].size == 337
    backward = Program(derived.instructions[derived.forward :], [])
    assert len(matrix_products(backward)) == 4


def test_two_convolutions_in_loops_are_two_matrix_products():
    """Compiled, an image as data: patches are views of six dims, and nothing is gathered; the
    second image's gradient, whose windows overlap, is scattered."""
    rng = random.Random(0)
    image, first, second = values(rng, 1, 7, 7), values(rng, 3, 1, 3, 3), values(rng, 2, 3, 3, 3)

    @chainrule.compile
    def loss(image):
        hidden = [[[v.relu() for v in row] for row in c] for c in convolution(image, first)]
        return sum(v * v for v in flat(convolution(hidden, second)))

    loss([[[pixel.data for pixel in row] for row in rows] for rows in image])
    kinds = [type(made).__name__ for made in loss.program.instructions]
    assert kinds[3 : loss.program.forward] == ["Sum", "Map", "Sum", "Sum"]
    forward = Program(loss.program.instructions[: loss.program.forward], [])
    assert [len(part.dims) for part in matrix_products(forward)] == [5, 6]
    assert kinds.count("Scatter") == 1


def test_the_count_does_not_depend_on_the_number_of_points():
    """Ten times the points are the same instructions over longer blocks."""
    few, *_ = demo(points=30)
    many, *_ = demo(points=60)
    assert len(lift(few).program) == len(lift(many).program)


def test_the_graph_in_another_order_is_the_same_instructions():
    """In creation order and in depth-first order the demo becomes as many instructions."""
    loss, *_ = demo(points=30)
    loss, *_ = demo(points=30)
    program, *_ = lift_graph(recorded(lambda: (*demo(points=30)[:2], [])))
    assert len(run(program)[0]) == len(lift(loss).program)


def chosen_rows(table, weights, which):
    """Rows of a table, against one vector of weights."""
    rows = [[lookup(list(column), i) for column in zip(*table)] for i in which]
    return sum(ops.dot(row, weights) ** 2 for row in rows)


def test_rows_that_data_choose_are_one_instruction():
    """Twelve lookups, of three columns at four positions, are one; its program serves all data,
    and adds up the gradients of a row that was chosen twice."""
    rng = random.Random(0)
    table, weights = values(rng, 5, 3), values(rng, 3)
    leaves = flat([table, weights])
    which = [Value(float(row)) for row in (3, 0, 3, 4)]
    with Record() as record:
        loss = chosen_rows(table, weights, which)
    graph, found = in_creation_order(record.values, [[loss]], which)
    program, at, _ = lift_graph(graph)
    kinds = [type(made).__name__ for made in program.instructions[3:]]
    assert kinds == ["Lookup", "Sum", "Map", "Sum"]
    runner = Runner(derive(program))
    for rows in ((3, 0, 3, 4), (1, 1, 1, 2)):
        right = chosen_rows(table, weights, [Value(float(row)) for row in rows])
        right.backward()
        runner.leaves[:], runner.data[:] = [found[node].data for node in at], rows
        runner.run()
        assert runner.outputs[0][0] == pytest.approx(right.data, rel=1e-14)
        gradient = dict(zip([found[node] for node in at], runner.outputs[-1].tolist()))
        expected = [leaf.grad for leaf in leaves]
        assert [gradient[leaf] for leaf in leaves] == pytest.approx(expected, rel=1e-13)
        for leaf in leaves:
            leaf.grad = 0.0


def test_several_outputs_have_a_seed_for_each_element():
    """The gradient is that of the seed times the first group; a second group passes none, and
    a group that is a leaf is a copy, which no later call changes."""
    a, b = Value(2.0), Value(3.0)
    with Record() as record:
        first, second = [a * b, a / b, a], [a.exp(), b]
    graph, found = in_creation_order(record.values, [first, second, [a, b]])
    program, at, _ = lift_graph(graph)
    assert [found[node] for node in at] == [a, b]
    derived = derive(program)
    derived.check()
    got = derived.interpret([2.0, 3.0], [], [1.0, 10.0, 100.0])
    assert got[:3] == [[6.0, 2 / 3, 2.0], [math.exp(2.0), 3.0], [2.0, 3.0]]
    assert got[3] == pytest.approx([3 + 10 / 3 + 100, 2 - 20 / 9], rel=1e-15)
    assert 0 not in derived.outputs
    with_data, _ = in_creation_order(record.values, [[first[0]], [b]], [b])
    assert lift_graph(with_data)[0].outputs == [3, 4]


def test_numbers_of_the_expression_are_told_apart_by_their_bits():
    """Exponents -1 and -2, whose hashes agree, and 0.0 and -0.0, which are equal."""
    x, y = Value(2.0), Value(0.5)
    assert_lifts(x**-1 + y**-2 + x**-2, [x, y])
    z = Value(-0.0)
    assert math.copysign(1.0, lift((z * 0.0) / 1.0)()) == -1.0
    assert math.copysign(1.0, lift((z * -0.0) / 1.0)()) == 1.0


def test_what_was_not_chosen_gets_nothing_even_from_an_infinite_gradient():
    """sqrt(relu(x)) at -1 has the derivative 0, and sqrt(x * 0.0) nan, as in the engine."""
    x = Value(-1.0)
    lift(x.relu().sqrt()).backward()
    assert x.grad == 0.0
    lift((x * 0.0).sqrt()).backward()
    assert math.isnan(x.grad)


def test_an_op_of_ones_own_lifts():
    """A user's op runs as its Python function, elementwise, and its rule as a formula."""

    @op("3 * x**2")
    def lifted_cube(x):
        return x * x * x

    leaves = values(random.Random(0), 10)
    assert_lifts(sum(lifted_cube(x) for x in leaves), leaves)


@pytest.mark.parametrize("name", ["datum", "lookup", "constant"])
def test_names_that_graphs_give_to_other_nodes_are_taken(name):
    """An op of that name would be lifted as something else."""
    function = eval(f"lambda {name}: 0.0")
    function.__name__ = name
    with pytest.raises(CustomOpError, match="is the name of something else"):
        op("0")(function)


def test_an_op_may_be_called_what_the_lift_calls_a_group():
    """Groups of sums and of greatest terms are told from ops of one's own called so."""

    @op("x")
    def peak(x):
        return x * x / 2

    leaves = values(random.Random(0), 6)
    total = sum(peak(x) * x for x in leaves)
    assert_lifts(total + sum(x.stop_gradient() * x for x in leaves), leaves)


@pytest.mark.parametrize("build", [lambda x: x, lambda x: -x, lambda x: x + 0, lambda x: x * x])
def test_the_smallest_graphs_lift(build):
    """A leaf, its negative, a sum with 0 and a square."""
    x = Value(3.0)
    assert_lifts(build(x), [x])


def test_leaves_may_change_between_runs():
    """Each run reads the leaves as they are then, and gradients accumulate."""
    a, b = Value(2.0), Value(3.0)
    lifted = lift(a * b)
    assert lifted() == 6.0
    a.data = 5.0
    assert lifted() == 15.0
    assert lifted.backward() == 15.0
    assert lifted.backward(gradient=2.0) == 15.0
    assert (a.grad, b.grad) == (9.0, 15.0)


def test_only_values_are_lifted():
    """A number gets an error that says what is needed."""
    with pytest.raises(ArgumentError, match="lift needs a value"):
        lift(3.0)


def test_a_chain_of_two_thousand_unlike_ops_lifts():
    """Nothing to group, nothing that recurses: long, and right."""
    x = Value(0.5)
    y = x
    for k in range(2000):
        y = (y * 0.9).sin() if k % 3 else (y + 0.1).tanh()
    assert_lifts(y, [x])


# ---- the same program ----


def test_the_same_graph_gives_the_same_program_in_every_process():
    """The printed program does not depend on the process, its hashes or its addresses."""
    program = (
        "import random\nfrom chainrule import Value, lift, softmax\n"
        "rng = random.Random(0)\nx = [Value(rng.random()) for _ in range(12)]\n"
        "p = softmax([a * b for a in x for b in x[:3]])\n"
        "print(lift(sum(q.log() for q in p)).program)"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(printed) == 1
    assert "map exp" in printed.pop()


# ---- representations ----


def test_a_graph_prints_checks_and_interprets():
    """The lines follow the grammar; the interpreter gives the engine's numbers."""
    a = Value(2.0)
    graph, read_from = read((a * a + 1).tanh())
    assert str(graph).splitlines()[-2:] == ["%4 = tanh(%3)", "return %4"]
    graph.check()
    assert graph.interpret() == [value.data for value in read_from]


@pytest.mark.parametrize(
    ("op", "operands"), [("mul", (0,)), ("mul", (0, 4)), ("nothing", (0, 0)), ("", (0,))]
)
def test_a_graph_that_is_none_is_refused(op, operands):
    """Too few operands, operands that come later, and unknown ops are found by the checker."""
    graph, _ = read(Value(2.0) * 3 + 1)
    graph.ops[2], graph.operands[2] = op, operands
    with pytest.raises(ProgramError, match="%2"):
        graph.check()


def test_sums_are_flattened_in_the_order_written():
    """a - (b - c*d) + 0 is the signed sum of a, b and a product."""
    a, b, c, d = (Value(x) for x in (1.0, 2.0, 3.0, 4.0))
    graph, _ = read(a - (b - c * d) + 0)
    ((added, subtracted),) = Chains(graph).sums.values()
    product = graph.ops.index("mul") + len(graph.ops)
    assert [graph.numbers[x] if x < len(graph.ops) else x for x in added] == [1.0, product]
    assert [graph.numbers[x] for x in subtracted] == [2.0]


@pytest.mark.parametrize(
    ("places", "pattern"),
    [
        ([7], [(1, 0)]),
        ([0, 1, 2, 3], [(4, 1)]),
        ([3, 3, 3], [(3, 0)]),
        ([0, 2, 0, 2, 9, 11, 9, 11], [(2, 2), (2, 0), (2, 9)]),
        ([5, 4, 3], [(3, -1)]),
        ([0, 1, 3, 4, 5], None),
        ([0, 1, 5, 7], None),
    ],
)
def test_regular_places_are_nested_runs(places, pattern):
    """Lists of places are described as sizes and strides, innermost first, or not at all."""
    assert regular(places) == (places[0], pattern)


@pytest.mark.parametrize(
    "bad",
    [
        Sum(3, [(None, Part(1.0, (3,), 1, [View(0, 1, (1,))]))]),
        Sum(3, [(None, Part(1.0, (3,), 1, [View(4, 0, (1,))]))]),
        Sum(3, [(View(3, 2, (1,)), Part(1.0, (2,), 1, [View(0, 0, (1,))]))]),
        Map("exp", None, (3,), [View(0, 0, (1, 1))]),
    ],
)
def test_a_view_that_leaves_its_block_is_refused(bad):
    """The checker finds views past the end, of later blocks, and with wrong dims."""
    with pytest.raises(ProgramError, match="is not in its block"):
        Program([Leaves(3), Numbers([]), Data(0), bad], [3]).check()


def test_what_is_no_program_is_refused():
    """The first three blocks, the operands of an op, and what is returned are checked."""
    x = View(0, 0, (1,))
    given = [Leaves(3), Numbers([]), Data(0)]
    with pytest.raises(ProgramError, match="begins with leaves, numbers and data"):
        Program([Leaves(3), Map("exp", None, (3,), [x])], [1]).check()
    for rule, operands in ((None, [x, x]), (0, [x])):
        with pytest.raises(ProgramError, match="operands would be right"):
            Program([*given, Map("exp", rule, (3,), operands)], [3]).check()
    with pytest.raises(ProgramError, match="does not fill the block"):
        Program([*given, Sum(4, [(None, Part(1.0, (3,), 1, [x]))])], [3]).check()
    with pytest.raises(ProgramError, match="blocks that it does not have"):
        Program(given, [3]).check()


def test_what_stops_the_gradient_by_itself_is_elementwise():
    """Stopped sums are one op over a view, and no runs of one element."""
    x = values(random.Random(0), 6)
    lifted = assert_lifts(sum((a * a).stop_gradient() * a for a in x), x)
    stopped = [made for made in lifted.program.instructions if isinstance(made, Map)]
    assert [made.op for made in stopped] == ["stop_gradient"]


@pytest.mark.parametrize(("dims", "strides"), [((2, 3), (1, 1)), ((3,), (0,)), ((2, 2), (2, 2))])
def test_writing_twice_in_one_place_is_refused(dims, strides):
    """A target whose view is not injective would lose what is added there first."""
    part = Part(1.0, dims, len(dims), [])
    twice = Sum(9, [(View(3, 0, strides), part)])
    with pytest.raises(ProgramError, match="written twice"):
        Program([Leaves(1), Numbers([]), Data(0), twice], [3]).check()


def test_places_that_leave_their_block_are_refused():
    """Of gathers and scatters, and of lookups for each row that could be chosen."""
    three = [Leaves(3), Numbers([]), Data(1)]
    rows = Rows([0, 1], 2, 2, (2,), View(2, 0, (0,)))
    wrong = [Gather(0, [0, 3]), Gather(3, [0]), Scatter(0, [0, 1, 2], 2), Lookup(0, rows)]
    for made in wrong:
        with pytest.raises(ProgramError, match=r"not in its block|not an earlier block"):
            Program([*three, made], [3]).check()


@settings(max_examples=200)
@given(expressions(max_steps=30))
def test_a_derived_program_can_be_derived_again(expression):
    """Products of the matrix of second derivatives with a vector are the engine's."""
    leaves = [Value(x) for x in expression.leaves]
    y = expression.evaluate(leaves, TABLE)
    slopes = grad(y, leaves, create_graph=True)
    total = sum([(k + 1.0) * slope for k, slope in enumerate(slopes)]) + 0 * leaves[0]
    if near_kinks(total + y, any_order=True):
        return
    right = grad(total, leaves)
    graph, found = read(y)
    program, at, _ = lift_graph(graph)
    once = derive(program)
    twice = derive(Program(once.instructions, once.outputs[-1:]))
    twice.check()
    places = [leaves.index(found[node]) for node in at]
    seed = [place + 1.0 for place in places]
    first, second = twice.interpret([found[node].data for node in at], (), seed)
    if len(places) == 1:  # then the program has no seed: it starts from 1
        second = [seed[0] * second[0]]
    units = condition(total, leaves, any_order=True)
    for place, slope, curvature in zip(places, first, second, strict=True):
        assert slope == pytest.approx(grad(y, leaves[place]), rel=1e-6, abs=1e-6)
        if math.isfinite(units[place]):
            assert abs(curvature - right[place]) <= 64.0 * EPS * units[place]


def test_the_slope_of_an_op_that_selects_has_a_derivative_where_it_was_chosen():
    """A square where positive, 0 elsewhere: the second derivative is 2 and 0."""

    @op("where(x < 0, 0, 2 * x)", selects=True)
    def positive_square(x):
        return x * x if x > 0 else 0.0

    x = Value(1.0)
    program, *_ = lift_graph(read(positive_square(x))[0])
    once = derive(program)
    twice = derive(Program(once.instructions, once.outputs[-1:]))
    assert twice.interpret([1.5]) == [[3.0], [2.0]]
    assert twice.interpret([-1.5]) == [[0.0], [0.0]]


def test_what_depends_on_a_seed_is_not_derived_again():
    """Two seeds would be taken for one."""
    a, b = Value(2.0), Value(3.0)
    with Record() as record:
        group = [a * b, a / b]
    graph, _ = in_creation_order(record.values, [group])
    with pytest.raises(ProgramError, match="seed"):
        derive(derive(lift_graph(graph)[0]))


def test_gathers_of_one_place_are_made_once():
    """Two uses of the same irregular places share one gather."""
    leaves = values(random.Random(0), 30)
    chosen = [leaves[(7 * k) % 30] for k in range(30)]
    first = sum(x * x for x in leaves)
    lifted = lift(first + sum(x.sin() * x for x in chosen))
    kept = [made for made in lifted.program.instructions if isinstance(made, Gather)]
    assert len({(made.block, made.indices) for made in kept}) == len(kept)
