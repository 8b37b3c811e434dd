"""Where scalars are in a program: each element that is said to be one has its number."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import STEPS, RandomProgram
from test_random_programs import EXAMPLES, Expected

from chainrule import Value
from chainrule.check import near_kinks
from chainrule.compiler.graph import Packed, read
from chainrule.compiler.lift import lift
from chainrule.compiler.placement import Placement
from chainrule.compiler.program import Program


def blocks_of(program, given):
    """The numbers of all blocks, by the interpreter."""
    every = range(len(program.instructions))
    return Program(program.instructions, every).interpret(*given)


@settings(max_examples=EXAMPLES // 4)
@given(
    st.integers(0, 2**32 - 1),
    st.lists(st.sampled_from(STEPS), min_size=1, max_size=8),
    st.booleans(),
)
def test_elements_are_the_scalars(seed, steps, turns):
    """Through passes, backward and transposes: numbers and gradients of nodes are the engine's."""
    program = RandomProgram(seed, steps)
    expected = Expected(program)
    if not expected.finite or near_kinks(expected.every, any_order=True):
        return
    expected.prepare()
    placement = Placement(program.graph, derivable=True, turns=turns)
    _, leaves, data = lift(program.graph)
    inputs = [[program.values[node].data for node in nodes] for nodes in (leaves, data)]
    blocks = blocks_of(placement.program, (*inputs, expected.seed))
    steepest = max(abs(value.grad) for value in program.values)
    for node, value in enumerate(program.values):
        element, gradient = placement.element(node), placement.gradient(node)
        if element:
            found = blocks[element[0]][element[1]]
            assert math.isclose(found, value.data, rel_tol=1e-9, abs_tol=1e-9)
        if gradient:
            found = blocks[gradient[0]][gradient[1]]
            assert math.isclose(found, value.grad, rel_tol=1e-9, abs_tol=1e-9 * steepest)


def elements_of(output, **options):
    placement = Placement(read(output)[0], **{"derivable": True, "turns": True} | options)
    count = len(read(output)[1])
    return placement, [placement.element(node) for node in range(count)]


def test_every_needed_block_is_somebodys():
    """Of a network each element of a block that maps or sums is a value, and each leaf is one."""
    weights = [[Value(0.1 * (i - j)) for j in range(3)] for i in range(4)]
    rows = [[Value(0.3 * k - i) for i in range(3)] for k in range(50)]
    outputs = [sum(w * x for w, x in zip(unit, row)).tanh() for row in rows for unit in weights]
    placement, elements = elements_of(sum(outputs))
    sizes = [made.size for made in placement.program.instructions]
    forward = [(i, k) for i in (0, 3, 4, 5) for k in range(sizes[i])]
    assert sorted(x for x in elements if x and x[0] != 1) == forward
    assert sizes[:6] == [162, 0, 0, 200, 200, 1]


def test_a_transposed_block():
    """Two units for fifty points are computed unit by unit: point 0's second unit is element 50."""
    pytest.importorskip("numpy")
    weights, points = [Value(0.5), Value(-1.0)], [Value(float(i)) for i in range(50)]
    made = [(w * x).tanh() for x in points for w in weights]
    output = sum(made)
    _, values = read(output)
    node = next(i for i, value in enumerate(values) if value is made[1])
    assert elements_of(output)[1][node] == (4, 50)
    assert elements_of(output, turns=False)[1][node] == (4, 1)


def test_terms_of_sums_of_many_lengths():
    """Sums of 1 to 6 products are summed by segments, from a block in which each product stands."""
    xs, ys = [[Value(float(i + 2 * j + 1)) for i in range(6)] for j in (0, 1)]
    products = [[x * y for x, y in zip(xs[:n], ys)] for n in range(1, 7)]
    output = sum(sum(row).tanh() for row in products)
    graph, values = read(output)
    placement, elements = elements_of(output)
    blocks = blocks_of(placement.program, ([values[i].data for i in lift(graph)[1]],))
    found = {id(value): element for value, element in zip(values, elements)}
    for row in products:
        for product in row:
            block, place = found[id(product)]
            assert blocks[block][place] == product.data


@pytest.mark.parametrize("same", [lambda a: (a, 0 + a), lambda a: (a * a, a**2)])
def test_two_scalars_that_are_one_element(same):
    """What comes to an element is the gradient of all scalars that it is: none has it alone."""
    first, second = same(Value(2.0).tanh())
    graph, values = read(first.exp() * second)
    placement = Placement(graph, derivable=True, turns=False)
    nodes = [values.index(first), values.index(second)]
    assert placement.element(nodes[0]) == placement.element(nodes[1]) is not None
    assert [placement.gradient(node) for node in nodes] == [None, None]


def test_what_is_read_past_has_no_gradient_of_its_own():
    """What uses b = a / 2 may read a instead: what comes to b in the program is not all of it."""
    a = Value(2.0)
    b = a.tanh() / 2
    output = b.exp() * (b + 1)
    graph, values = read(output)
    placement = Placement(graph, derivable=True, turns=False)
    node = values.index(b)
    assert placement.element(node) is not None
    assert placement.gradient(node) is None


def test_a_packed_graph_is_the_graph():
    """What is unpacked is equal in every list, lookups of many rows among it."""
    program = RandomProgram(3, list(STEPS))
    graph = Packed(program.graph, program.values).unpacked()
    for name in ("ops", "operands", "numbers", "outputs"):
        assert repr(getattr(graph, name)) == repr(getattr(program.graph, name))
