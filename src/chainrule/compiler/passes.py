"""Rewrites of array programs, each with a claim about the numbers that come out.

* same bits: each number stays what it was;
* rounding order only: the formula stays the same in exact arithmetic, but is rounded elsewhere, and
  what overflows on the way may do so elsewhere.

Blocks keep their numbers while a pass rewrites, and what nobody reads any more is dropped at last.
"""

from __future__ import annotations

import itertools
import math

from chainrule.compiler.derive import moving_blocks
from chainrule.compiler.program import (
    Given,
    Instruction,
    Map,
    Numbers,
    Part,
    Program,
    Selected,
    Sum,
    View,
    in_order,
    read_by,
    renamed,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import Any

    Apply = Callable[[Program], tuple[Program, list[int]]]
    Contribution = tuple[View | None, Part]
    Log = list[tuple["Pass", list[int]]]

SAME_BITS = "same bits"
ROUNDING = "rounding order only"


class Pass:
    """A rewrite.

    Args:
        name: what it does, in words.
        claim: what it leaves as it was.
        apply: from a program the rewritten one, and the blocks where something was done.
        moved: from a program the number that each block has afterwards, -1 for none.
    """

    def __init__(
        self,
        name: str,
        claim: str,
        apply: Apply,
        moved: Callable[[Program], Sequence[int]] | None = None,
    ) -> None:
        self.name = name
        self.claim = claim
        self.apply = apply
        self.moved = moved or _where_it_was


def _where_it_was(program: Program) -> Sequence[int]:
    return range(len(program.instructions))


def run(program: Program) -> tuple[Program, Log]:
    """Apply all passes, again and again until none finds anything.

    Returns:
        The program; and for each pass that did something, the blocks, by their numbers then.

    >>> from chainrule.compiler.program import Data, Leaves
    >>> half = Map("div", None, (2,), [View(0, 0, (1,)), View(1, 0, (0,))])
    >>> program, log = run(Program([Leaves(2), Numbers([4.0]), Data(0), half], [3]))
    >>> print(program)
    b0[2] = leaves
    b1[1] = numbers (4.0)
    b2[0] = data
    b3[2] = sum 0.25 * b0@0:1 over 2|
    return b3
    >>> [(found.name, blocks) for found, blocks in log]
    [('divisions by a number become products', [3])]
    """
    log: Log = []
    for found, _, rewritten, blocks in steps(program):
        log.append((found, blocks))
        program = rewritten
    return program, log


def steps(program: Program) -> Iterator[tuple[Pass, Program, Program, list[int]]]:
    """Each pass that does something, with the program before and after it, and the blocks."""
    fired = True
    while fired:
        fired = False
        for found in PASSES:
            rewritten, blocks = found.apply(program)
            if blocks:
                fired = True
                yield found, program, rewritten, blocks
                program = rewritten


def described(log: Log) -> list[str]:
    """What each pass did in all, in words."""
    counts: dict[Pass, int] = {}
    for found, blocks in log:
        counts[found] = counts.get(found, 0) + len(blocks)
    return [f"{found.name}: {count} ({found.claim})" for found, count in counts.items()]


def _each(rewrite: Callable[[list[Any], int], Any]) -> Apply:
    """A pass that rewrites one instruction at a time, given all, and the block; or leaves it."""

    def apply(program: Program) -> tuple[Program, list[int]]:
        instructions: list[Any] = list(program.instructions)
        fired = []
        for block in range(len(instructions)):
            made = rewrite(instructions, block)
            if made is not None:
                instructions[block] = made
                fired.append(block)
        return Program(instructions, program.outputs, program.forward), fired

    return apply


def _readers(program: Program) -> list[int]:
    """How often each block is read or asked for."""
    readers = [0] * len(program.instructions)
    for made in program.instructions:
        for block in _sources(made):
            readers[block] += 1
    for block in program.outputs:
        readers[block] += 1
    return readers


def _sources(made: Any) -> list[int]:
    """The blocks that an instruction reads."""
    sources = [view.block for view, _ in read_by(made)]
    return [*sources, made.block] if hasattr(made, "block") else sources


# ---- numbers and scales ----


def _division(program: Program) -> tuple[Program, list[int]]:
    """x / 4 as 0.25 * x, unless 4 or 0.25 is nearly too large or small for a float.

    Of data alone x / 49 stays: floor(x / 49) has to be the same integer as before.
    """
    moving = moving_blocks(program)

    def rewrite(instructions: list[Any], block: int) -> Any:
        made = instructions[block]
        if not isinstance(made, Map) or made.op != "div" or made.rule is not None:
            return None
        number = _number(instructions, made.operands[1])
        if number is None or not _moderate(number) or number == 0.0:
            return None
        if block not in moving and math.frexp(number)[0] not in (0.5, -0.5):
            return None
        part = Part(1.0 / number, made.dims, len(made.dims), made.operands[:1])
        return Sum(made.size, [(None, part)])

    return _each(rewrite)(program)


def _square(instructions: list[Any], block: int) -> Any:
    """x ** 2 as x * x."""
    made = instructions[block]
    if not isinstance(made, Map) or made.op != "pow" or made.rule is not None:
        return None
    if _number(instructions, made.operands[1]) != 2.0:
        return None
    part = Part(1.0, made.dims, len(made.dims), [made.operands[0]] * 2)
    return Sum(made.size, [(None, part)])


def _number(instructions: list[Any], view: View) -> float | None:
    """The number that all elements of a view are, if it is known."""
    made = instructions[view.block]
    if isinstance(made, Numbers) and not any(view.strides):
        return made.numbers[view.offset]
    scaled = _scaled(made)
    return scaled.scale if scaled is not None and not scaled.factors else None


def is_read_past(made: Instruction) -> bool:
    """Whether readers of a block may have been made to read what it is a scaled copy of."""
    return _scaled(made) is not None


def _moderate(scale: float) -> bool:
    """Whether a scale can be multiplied with others without leaving the range of floats."""
    return scale == 0.0 or 2.0**-500 < abs(scale) < 2.0**500


def _scaled(made: Any) -> Part | None:
    """The part of an instruction that only scales, repeats or fills, if it is such a one."""
    if not isinstance(made, Sum) or len(made.parts) != 1:
        return None
    target, part = made.parts[0]
    plain = target is None and part.kept == len(part.dims) and len(part.factors) <= 1
    return part if plain else None


def _folding(exactly: bool) -> Callable[[list[Any], int], Any]:
    """Factors that are numbers or scaled copies, folded into the scale; or those of 1 and -1."""

    def rewrite(instructions: list[Any], block: int) -> Any:
        made = instructions[block]
        if not isinstance(made, Sum):
            return None
        parts = [(target, _folded(instructions, part, exactly)) for target, part in made.parts]
        changed = any(part is not old for (_, part), (_, old) in zip(parts, made.parts))
        return Sum(made.size, parts) if changed else None

    return rewrite


def _folded(instructions: list[Any], part: Part, exactly: bool) -> Part:
    scale, factors = part.scale, []
    for view in part.factors:
        by, rest = _factored(instructions, view, part.dims)
        fits = by in (1.0, -1.0) if exactly else _moderate(by) and _moderate(scale)
        scale, rest = (scale * by, rest) if fits else (scale, [view])
        factors += rest
    same = len(factors) == len(part.factors) and all(map(_is, factors, part.factors))
    return part if same else Part(scale, part.dims, part.kept, factors)


def _is(new: object, old: object) -> bool:
    return new is old


def _factored(instructions: list[Any], view: View, dims: Sequence[int]) -> tuple[float, list[View]]:
    """A factor as a number and what is left of it."""
    number = _number(instructions, view)
    if number is not None:
        return number, []
    scaled = _scaled(instructions[view.block])
    if scaled is None:
        return 1.0, [view]
    (source,) = scaled.factors
    seen = through(view, dims, source, scaled.dims)
    return (1.0, [view]) if seen is None else (scaled.scale, [seen])


def _uncopied(instructions: list[Any], block: int) -> Any:
    """Operands of ops that are copies, read from where they were copied."""
    made = instructions[block]
    if isinstance(made, Map):
        operands = [_original(instructions, view, made.dims) for view in made.operands]
        if not all(map(_is, operands, made.operands)):
            return Map(made.op, made.rule, made.dims, operands)
    if isinstance(made, Selected):
        old = (made.gradient, made.slope)
        gradient, slope = (_original(instructions, view, made.dims) for view in old)
        if not all(map(_is, (gradient, slope), old)):
            return Selected(made.dims, gradient, slope)
    return None


def _original(instructions: list[Any], view: View, dims: Sequence[int]) -> View:
    scaled = _scaled(instructions[view.block])
    if scaled is None or scaled.scale != 1.0 or not scaled.factors:
        return view
    return through(view, dims, scaled.factors[0], scaled.dims) or view


def through(
    view: View, dims: Sequence[int], source: View, source_dims: Sequence[int]
) -> View | None:
    """The view of a source that a view of its copy is, if there is one.

    Args:
        view: of the copy, with these dims.
        source: what was copied, with these dims.

    >>> print(through(View(1, 3, (1, 3)), (2, 2), View(0, 5, (10, 0)), (4, 3)))
    b0@15:0x10
    """
    axes = _merged(source_dims, source.strides)
    at = [view.offset // step % size for size, step, _ in axes]
    room = [size - 1 - start for (size, _, _), start in zip(axes, at)]
    strides = []
    for size, step in zip(dims, view.strides):
        if step == 0 or size == 1:
            strides.append(0)
            continue
        axis = next((i for i, (_, inner, _) in enumerate(axes) if step % inner == 0), None)
        if axis is None or step < 0:
            return None
        room[axis] -= step // axes[axis][1] * (size - 1)
        strides.append(step // axes[axis][1] * axes[axis][2])
    if min(room, default=0) < 0:
        return None
    offset = source.offset + sum(start * stride for start, (_, _, stride) in zip(at, axes))
    return View(source.block, offset, strides)


def _merged(dims: Sequence[int], strides: Sequence[int]) -> list[tuple[int, int, int]]:
    """Sizes, strides in the copy and in the source, outermost first; dims that go on are one."""
    axes: list[tuple[int, int, int]] = []
    step = 1
    for size, stride in reversed(list(zip(dims, strides))):
        if axes and stride == axes[0][2] * axes[0][0]:
            axes[0] = (axes[0][0] * size, *axes[0][1:])
        elif size > 1:
            axes.insert(0, (size, step, stride))
        step *= size
    return axes


# ---- sums ----


def _joined(program: Program) -> tuple[Program, list[int]]:
    """A sum that is a term of another and read nowhere else, as terms of the other."""
    readers = _readers(program)

    def rewrite(instructions: list[Any], block: int) -> Any:
        made = instructions[block]
        if not isinstance(made, Sum):
            return None
        inner = [_inner(instructions, target, part, readers) for target, part in made.parts]
        if not any(inner):
            return None
        parts = [found or [contribution] for found, contribution in zip(inner, made.parts)]
        return Sum(made.size, list(itertools.chain.from_iterable(parts)))

    return _each(rewrite)(program)


def _inner(
    instructions: list[Any], target: View | None, part: Part, readers: list[int]
) -> list[Contribution]:
    """The terms of a part that is such a sum; none if it is not."""
    if len(part.factors) != 1:
        return []
    (view,) = part.factors
    made = instructions[view.block]
    if not isinstance(made, Sum) or readers[view.block] != 1:
        return []
    whole = view.offset == 0 and in_order(view, part.dims) and made.size == math.prod(part.dims)
    terms = [term for _, term in made.parts]
    moderate = all(_moderate(x.scale) for x in (part, *terms))
    if not whole or not moderate or any(own is not None for own, _ in made.parts):
        return []
    if part.kept == len(part.dims):
        fits = all(target is None or term.dims[: term.kept] == part.dims for term in terms)
        return [(target, term.scaled(part.scale * term.scale)) for term in terms if fits]
    fits = all(term.kept == len(term.dims) and term.dims == part.dims for term in terms)
    return [
        (target, Part(part.scale * term.scale, part.dims, part.kept, term.factors))
        for term in terms
        if fits
    ]


def _alike(instructions: list[Any], block: int) -> Any:
    """Parts of a sum that differ in nothing but the scale, as one."""
    made = instructions[block]
    if not isinstance(made, Sum):
        return None
    alike: dict[Any, list[Contribution]] = {}
    for target, part in made.parts:
        key = _key(target), _key(part.scaled(1.0))
        alike.setdefault(key, []).append((target, part))
    if len(alike) == len(made.parts) or not all(_moderate(part.scale) for _, part in made.parts):
        return None
    parts = []
    for found in alike.values():
        target, part = found[0]
        parts.append((target, part.scaled(sum(part.scale for _, part in found))))
    return Sum(made.size, parts)


# ---- whole programs ----


def _shared(program: Program) -> tuple[Program, list[int]]:
    """Equal instructions, once; the others are left, read by nobody."""
    same = _firsts(program)
    fired = [block for block, first in enumerate(same) if first != block]
    if not fired:
        return program, []
    instructions = [renamed(made, same, i) for i, made in enumerate(program.instructions)]
    outputs = [same[block] for block in program.outputs]
    return Program(instructions, outputs, program.forward), fired


def _firsts(program: Program) -> list[int]:
    """Of each block the first that is made by an equal instruction."""
    known: dict[Any, int] = {}
    same: list[int] = []
    for block, made in enumerate(program.instructions):
        key = _key(renamed(made, same, -1))
        same.append(block if isinstance(made, Given) else known.setdefault(key, block))
    return same


def _read(program: Program) -> tuple[Program, list[int]]:
    """Without the instructions that no output needs."""
    new = _numbered(program)
    dropped = [block for block, number in enumerate(new) if number < 0]
    if not dropped:
        return program, []
    kept = [(new[i], made) for i, made in enumerate(program.instructions) if new[i] >= 0]
    instructions = [renamed(made, new, number) for number, made in kept]
    outputs = [new[block] for block in program.outputs]
    forward = sum(number >= 0 for number in new[: program.forward])
    return Program(instructions, outputs, forward), dropped


def _numbered(program: Program) -> list[int]:
    """Of each block that an output needs its number among these; -1 of the others."""
    needed = {*program.outputs}
    for block in reversed(range(len(program.instructions))):
        made = program.instructions[block]
        if block in needed or isinstance(made, Given):
            needed.update((block, *_sources(made)))
    numbers = itertools.count()
    return [next(numbers) if block in needed else -1 for block in range(len(program.instructions))]


def _key(made: Any) -> Any:
    """What two equal instructions, views or parts have in common, by bits."""
    if isinstance(made, tuple):
        return made if made and type(made[0]) is int else tuple(map(_key, made))
    if hasattr(made, "__slots__"):
        return type(made), *[_key(getattr(made, name)) for name in made.__slots__]
    return repr(made)


PASSES = [
    Pass("divisions by a number become products", ROUNDING, _division),
    Pass("squares become products", ROUNDING, _each(_square)),
    Pass("factors of 1 and -1 and copies are left out", SAME_BITS, _each(_folding(True))),
    Pass("operands are read from where they were copied", SAME_BITS, _each(_uncopied)),
    Pass("numbers are folded into scales", ROUNDING, _each(_folding(False))),
    Pass("sums of sums are joined", ROUNDING, _joined),
    Pass("parts that differ in scale alone are added", ROUNDING, _each(_alike)),
    Pass("equal instructions are shared", SAME_BITS, _shared, _firsts),
    Pass("what nobody reads is dropped", SAME_BITS, _read, _numbered),
]
