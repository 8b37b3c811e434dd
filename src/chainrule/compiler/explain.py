"""What became of a function, in words."""

from __future__ import annotations

import math

from chainrule.compiler.program import (
    Gather,
    Given,
    Lookup,
    Map,
    Segments,
    Sum,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chainrule.compiler.program import Instruction, Part, Program
    from chainrule.compiler.traced import Traced

_FEW = 8  # numbers; a call that does fewer gains nothing over plain Python


def explanation(traced: Traced, kept: int) -> list[str]:
    """The lines of an explanation.

    Args:
        traced: the function, as it was traced.
        kept: how many programs there are of it.
    """
    return [
        traced.summary(),
        *origins(traced.program),
        *scalars(traced.program),
        f"runs {_BACKENDS[traced.runner.name]}",
        *[f"pass: {each.name} ({each.claim}) {_at(blocks)}" for each, blocks in traced.log],
        *[f"guard: {'' if held else 'not '}so at {line}" for held, line in traced.guards],
        *[f"watched: {line}" for line in traced.heap.described()],
        f"programs kept: {kept}",
        *[f"{stage}: {seconds:.3f} s" for stage, seconds in traced.seconds.items()],
    ]


_BACKENDS = {
    "numpy": "as NumPy calls",
    "python": "as plain Python: its blocks are so short that NumPy would be slower",
}


def origins(program: Program) -> list[str]:
    """What of the expression each instruction does.

    >>> from chainrule.compiler.program import Data, Leaves, Map, Numbers, Program, View
    >>> given = [Leaves(3), Numbers([]), Data(0)]
    >>> origins(Program([*given, Map("relu", None, (3,), [View(0, 0, (1,))])], [3]))
    ['b3: 3 relu']
    """
    return [
        f"b{block}: {origin(made)}"
        for block, made in enumerate(program.instructions)
        if not isinstance(made, Given)
    ]


def origin(made: Instruction) -> str:
    """What of the expression an instruction does."""
    size = f"{made.size:,}"
    if isinstance(made, Map):
        return f"{size} {made.op}"
    if isinstance(made, Sum):
        each = " and ".join(_terms(part) for _, part in made.parts)
        return f"{size} sum{'' if made.size == 1 else 's'} of {each}"
    if isinstance(made, Segments):
        return f"{size} {'sums' if made.op == 'add' else 'greatest'} of runs of b{made.block}"
    if isinstance(made, Lookup):
        return f"{size} elements of b{made.block}, chosen by data"
    if isinstance(made, Gather):
        return f"{size} elements of b{made.block}, in the order in which they are used"
    return f"{size} elements, moved"


def _terms(part: Part) -> str:
    """The terms that one part of a sum adds to each of its elements."""
    count = math.prod(part.dims[part.kept :])
    kind = "product" if len(part.factors) > 1 else "term"
    return f"{count:,} {kind}{'' if count == 1 else 's'}"


def scalars(program: Program) -> list[str]:
    """How much stayed scalar, if anything did, and why."""
    made = [x for x in program.instructions if not isinstance(x, Given)]
    few = [x for x in made if x.size < _FEW]
    if not few:
        return []
    return [
        f"{len(few)} of {len(made)} instructions compute fewer than {_FEW} numbers: no more values "
        "were made by the same ops of the same kinds of operands"
    ]


def _at(blocks: list[int]) -> str:
    return f"at {', '.join(f'b{block}' for block in blocks[:8])}{' ...' if len(blocks) > 8 else ''}"
