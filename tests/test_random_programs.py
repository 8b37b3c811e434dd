"""Random programs through all stages of the compiler: each gives the engine's numbers."""

from __future__ import annotations

import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import STEPS, RandomProgram

from chainrule import condition
from chainrule.check import _forward_errors, near_kinks
from chainrule.compiler.derive import derive
from chainrule.compiler.lift import lift
from chainrule.compiler.passes import PASSES, SAME_BITS

pytest.importorskip("numpy")
from chainrule.compiler.backends.numpy import Runner

EPS = 2.0**-52
UNITS = 64.0
EXAMPLES = int(os.environ.get("CHAINRULE_FUZZ", "700"))


class Expected:
    """What the engine finds for a program, and how far from it rounding may lead."""

    def __init__(self, program: RandomProgram) -> None:
        first = program.outputs[0]
        numbers = [program.rng.uniform(-1.0, 1.0) for _ in first]
        self.seed = [1.0] if len(first) == 1 else numbers
        self.total = sum(x * s for x, s in zip(first, self.seed))
        self.every = sum([self.total, *[x for group in program.outputs for x in group]])
        self.finite = all(math.isfinite(value.data) for value in program.values)
        self.program = program

    def prepare(self) -> None:
        """Run the engine backward and find the bounds."""
        self.total.backward()
        self.errors = _forward_errors(self.every, {}, True)
        self.units = condition(self.total, self.program.leaves, any_order=True)
        largest = max(abs(leaf.grad) for leaf in self.program.leaves)
        self.fallback = 1e-9 / EPS * largest  # where a negative number to a power has no condition

    def assert_close(self, found, leaves) -> None:
        """The blocks of the outputs, and at last of the gradient by these leaves, are right."""
        *blocks, gradient = found
        for block, group in zip(blocks, self.program.outputs, strict=True):
            for number, value in zip(block, group, strict=True):
                assert abs(number - value.data) <= UNITS * EPS * self.errors[id(value)]
        slopes = {id(leaf): slope for leaf, slope in zip(leaves, gradient, strict=True)}
        for leaf, units in zip(self.program.leaves, self.units, strict=True):
            bound = UNITS * EPS * (units if math.isfinite(units) else self.fallback)
            assert abs(slopes.get(id(leaf), 0.0) - leaf.grad) <= bound


def run(program, given):
    """The outputs of a program by the NumPy backend."""
    runner = Runner(program)
    runner.leaves[:], runner.data[:], seed = given
    if runner.seed is not None:
        runner.seed[:] = seed
    runner.run()
    return [block.tolist() for block in runner.outputs]


def rewritten(program, given, expected, leaves):
    """A program after each pass, whose claim holds for the numbers that it gives."""
    before = program.interpret(*given)
    for _ in range(2):
        for found in PASSES:
            program, fired = found.apply(program)
            if not fired:
                continue
            program.check()
            after = program.interpret(*given)
            if found.claim == SAME_BITS:
                assert repr(after) == repr(before), found.name
            if leaves is not None:
                expected.assert_close(after, leaves)
            before = after
    return program


@settings(max_examples=EXAMPLES)
@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(STEPS), min_size=1, max_size=8))
def test_random_programs_give_the_engines_numbers(seed, steps):
    """Interpreted and run, before and after each pass: outputs and gradients are the engine's."""
    program = RandomProgram(seed, steps)
    expected = Expected(program)
    if not expected.finite or near_kinks(expected.every, any_order=True):
        return
    expected.prepare()
    program.graph.check()
    assert program.graph.interpret() == [value.data for value in program.values]
    lifted, leaves, data = lift(program.graph)
    lifted.check()
    inputs = [[program.values[node].data for node in nodes] for nodes in (leaves, data)]
    given = (*inputs, expected.seed)
    leaves = [program.values[node] for node in leaves]
    derived = derive(rewritten(lifted, given, expected, None))
    derived.check()
    expected.assert_close(run(derived, given), leaves)
    derived = rewritten(derived, given, expected, leaves)
    expected.assert_close(run(derived, given), leaves)
