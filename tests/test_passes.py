"""Passes: what each one does to a small program, and where it leaves one alone."""

from __future__ import annotations

import math

import pytest

from chainrule import Value, lift
from chainrule.compiler.passes import PASSES, ROUNDING, SAME_BITS, described, run, through
from chainrule.compiler.program import (
    Data,
    Gather,
    Leaves,
    Map,
    Numbers,
    Part,
    Program,
    Sum,
    View,
)

X = View(0, 0, (1,))  # the leaves


def program(*instructions, numbers=()):
    """A program over three leaves: these instructions from block 3 on, of which the last counts."""
    given = [Leaves(3), Numbers(numbers), Data(0)]
    return Program([*given, *instructions], [2 + len(instructions)])


def elementwise(scale, *factors):
    return Sum(3, [(None, Part(scale, (3,), 1, factors))])


def applied(name, before):
    """The lines of a program after the pass of that name, and whether it did anything."""
    (found,) = [found for found in PASSES if found.name == name]
    after, blocks = found.apply(before)
    after.check()
    return [str(made) for made in after.instructions[3:]], blocks


NUMBER = View(1, 0, (0,))
CASES = [
    (
        "divisions by a number become products",
        program(Map("div", None, (3,), [X, NUMBER]), numbers=[4.0]),
        ["sum 0.25 * b0@0:1 over 3|"],
    ),
    (
        "squares become products",
        program(Map("pow", None, (3,), [X, NUMBER]), numbers=[2.0]),
        ["sum 1 * b0@0:1 * b0@0:1 over 3|"],
    ),
    (
        "factors of 1 and -1 and copies are left out",
        program(elementwise(-1.0, X), elementwise(0.5, View(3, 0, (1,)), X)),
        ["sum -1 * b0@0:1 over 3|", "sum -0.5 * b0@0:1 * b0@0:1 over 3|"],
    ),
    (
        "operands are read from where they were copied",
        program(elementwise(1.0, View(0, 1, (0,))), Map("exp", None, (3,), [View(3, 0, (1,))])),
        ["sum 1 * b0@1:0 over 3|", "map exp(b0@1:0) over 3"],
    ),
    (
        "numbers are folded into scales",
        program(elementwise(1.0, X, NUMBER), elementwise(2.0, View(3, 0, (1,))), numbers=[7.0]),
        ["sum 7 * b0@0:1 over 3|", "sum 14 * b0@0:1 over 3|"],
    ),
    (
        "sums of sums are joined",
        program(
            Sum(3, [(None, Part(2.0, (3,), 1, [X])), (None, Part(1.0, (3,), 1, [X, X]))]),
            Sum(
                3, [(None, Part(3.0, (3,), 1, [View(3, 0, (1,))])), (None, Part(1.0, (3,), 1, []))]
            ),
        ),
        [
            "sum 2 * b0@0:1 over 3|  +  1 * b0@0:1 * b0@0:1 over 3|",
            "sum 6 * b0@0:1 over 3|  +  3 * b0@0:1 * b0@0:1 over 3|  +  1 over 3|",
        ],
    ),
    (
        "parts that differ in scale alone are added",
        program(Sum(3, [(None, Part(2.0, (3,), 1, [X])), (None, Part(0.5, (3,), 1, [X]))])),
        ["sum 2.5 * b0@0:1 over 3|"],
    ),
    (
        "equal instructions are shared",
        program(Gather(0, (2, 0, 1)), Gather(0, (2, 0, 1)), elementwise(1.0, View(4, 0, (1,)))),
        ["gather b0 (2 0 1)", "gather b0 (2 0 1)", "sum 1 * b3@0:1 over 3|"],
    ),
    (
        "what nobody reads is dropped",
        program(elementwise(1.0, X), elementwise(2.0, X), elementwise(3.0, View(4, 0, (1,)))),
        ["sum 2 * b0@0:1 over 3|", "sum 3 * b3@0:1 over 3|"],
    ),
]


@pytest.mark.parametrize(("name", "before", "after"), CASES, ids=[name for name, *_ in CASES])
def test_each_pass(name, before, after):
    """The program becomes what stands beside it, and a second time nothing is left to do."""
    lines, blocks = applied(name, before)
    assert lines == after
    assert blocks
    (found,) = [found for found in PASSES if found.name == name]
    once, _ = found.apply(before)
    assert found.apply(once)[1] in ([], blocks if name == "equal instructions are shared" else [])


def test_every_pass_is_tested():
    """Each has its case above, and a claim that is one of two."""
    assert [found.name for found in PASSES] == [name for name, *_ in CASES]
    assert {found.claim for found in PASSES} == {SAME_BITS, ROUNDING}


@pytest.mark.parametrize("number", [0.0, -0.0, math.inf, math.nan, 5e-324, 1e-200, 1e200])
def test_divisions_by_numbers_at_the_edge_stay_divisions(number):
    """Where the reciprocal would leave the range of floats, or come near."""
    before = program(Map("div", None, (3,), [X, NUMBER]), numbers=[number])
    assert applied("divisions by a number become products", before)[1] == []


def test_divisions_of_data_stay_divisions_unless_they_are_exact():
    """49 / 49 is 1, and 49 * (1 / 49) a little less: its floor would be another integer."""
    for number, exact in ((49.0, False), (-4.0, True), (0.125, True)):
        given = [Leaves(1), Numbers([number]), Data(3)]
        quotient = Map("div", None, (3,), [View(2, 0, (1,)), NUMBER])
        _, blocks = applied(
            "divisions by a number become products", Program([*given, quotient], [3])
        )
        assert blocks == ([3] if exact else [])


def test_scales_that_would_leave_the_range_of_floats_are_not_multiplied():
    """1e-300 * (1e-300 * x) is 0 from the outset, 1e300 * (1e-300 * x) is not."""
    for scale in (1e-300, 1e300):
        before = program(elementwise(1e-300, X), elementwise(scale, View(3, 0, (1,))))
        for name in ("numbers are folded into scales", "sums of sums are joined"):
            assert applied(name, before)[1] == []


def test_a_sum_over_products_that_nothing_else_reads_is_a_dot():
    """sum(x * x) is one instruction, whichever way it was written."""
    over = Sum(1, [(None, Part(2.0, (3,), 0, [View(3, 0, (1,))]))])
    lines, blocks = applied("sums of sums are joined", program(elementwise(1.0, X, X), over))
    assert (lines[-1], blocks) == ("sum 2 * b0@0:1 * b0@0:1 over |3", [4])
    columns = Sum(1, [(None, Part(2.0, (3, 1), 0, [View(3, 0, (1, 0))]))])
    assert applied("sums of sums are joined", program(elementwise(1.0, X, X), columns))[1] == []


def test_a_sum_that_is_read_twice_is_not_joined():
    """It would be computed twice."""
    one, again = View(3, 0, (1,)), View(3, 2, (-1,))
    before = program(elementwise(1.0, X, X), elementwise(1.0, one), elementwise(1.0, again))
    assert applied("sums of sums are joined", before)[1] == []


@pytest.mark.parametrize(
    ("view", "dims"),
    [
        (View(9, 0, (1,)), (12,)),  # along two dims whose strides do not go on
        (View(9, 2, (1,)), (2,)),  # over the end of a row
        (View(9, 11, (-1,)), (3,)),
    ],
)
def test_views_that_go_through_a_copy_unevenly_are_left(view, dims):
    """A copy of three columns of ten, four rows of them, has no equal steps there."""
    assert through(view, dims, View(0, 0, (10, 1)), (4, 3)) is None


@pytest.mark.parametrize(
    ("view", "dims"),
    [
        (View(9, 4, (3, 1)), (2, 2)),
        (View(9, 1, (0, 3)), (5, 4)),
        (View(9, 2, (6,)), (2,)),
        (View(9, 5, (7, 7)), (1, 1)),
    ],
)
def test_views_through_a_copy_read_what_was_copied(view, dims):
    """Element by element the same places."""
    copied = list(View(0, 5, (10, 1)).places((4, 3)))
    seen = through(view, dims, View(0, 5, (10, 1)), (4, 3))
    assert list(seen.places(dims)) == [copied[place] for place in view.places(dims)]


def test_the_log_counts_what_was_done():
    """In words: the pass, how often, and its claim."""
    x, y = Value(2.0), Value(3.0)
    lifted = lift((x / 4 + y) / 2)
    assert lifted() == 1.75
    _, log = run(lifted.program)
    assert log == []
    lines = lifted.explain().splitlines()
    assert "divisions by a number become products: 2 (rounding order only)" in lines
    assert described([(PASSES[0], [3]), (PASSES[0], [3, 4])]) == [lines[2].replace(": 2", ": 3")]
