"""What an instruction does, in words: its shape, how it reads its operands, what it claims."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from chainrule.compiler.explain import origin
from chainrule.compiler.passes import ROUNDING, SAME_BITS
from chainrule.compiler.program import (
    Data,
    Gather,
    Given,
    IndexAdd,
    Instruction,
    Leaves,
    Lookup,
    Map,
    Numbers,
    Part,
    Scatter,
    Seed,
    Segments,
    Selected,
    Sum,
    View,
    in_order,
    read_by,
)
from chainrule.ops import TABLE
from chainrule.viz.svg import short_number

_FEW = 6  # parts of a sum, or views, that are told one by one

_GIVEN = {
    Leaves: ("leaf", "leaves"),
    Numbers: ("number of the expression", "numbers of the expression"),
    Data: ("datum, given at each call", "data, given at each call"),
    Seed: ("gradient that backward starts from", "gradients that backward starts from"),
}


def summary(made: Instruction) -> str:
    """What an instruction computes, in a line.

    >>> summary(Map("tanh", 0, (200,), [View(4, 0, (1,)), View(3, 0, (1,))]))
    '200 slopes of tanh'
    """
    if isinstance(made, Given):
        return counted(made.size, *_GIVEN[type(made)])
    if isinstance(made, Map) and made.rule is not None:
        return f"{counted(made.size, 'slope', 'slopes')} of {_by(made.op, made.rule)}"
    if isinstance(made, Selected):
        return f"{counted(made.size, 'product', 'products')}, nothing where the slope is 0"
    if isinstance(made, Sum) and any(target for target, _ in made.parts):
        return f"{counted(made.size, 'sum', 'sums')}, put together from {len(made.parts)} parts"
    if isinstance(made, Sum) and len(made.parts) == 1 and _count(made.parts[0][1]) == 1:
        return _single(made.size, made.parts[0][1])
    if isinstance(made, Scatter | IndexAdd):
        return f"{counted(made.size, 'sum', 'sums')} of what is added in each place"
    return origin(made)


def _single(size: int, part: Part) -> str:
    """Sums of one term each, of which nobody would say that they are sums."""
    scale = short_number(part.scale)
    if not part.factors:
        return f"{size:,} times the number {scale}"
    words = ("copy", "copies") if len(part.factors) == 1 else ("product", "products")
    times = "" if part.scale == 1.0 else f", times {scale}"
    return f"{counted(size, *words)}{times}"


def _count(part: Part) -> int:
    """How many terms a part adds to each element."""
    return math.prod(part.dims[part.kept :])


def _by(op: str, rule: int) -> str:
    operands = TABLE[op].operands
    return op if len(operands) == 1 else f"{op} by its operand {operands[rule]}"


def counted(count: int, one: str, many: str) -> str:
    """A count with its noun."""
    return f"{count:,} {one if count == 1 else many}"


# ---- shapes ----


def shapes(made: Instruction) -> list[str]:
    """How the numbers of an instruction are laid out, and what kind of product it is."""
    if isinstance(made, Sum):
        told = [_part(target, part) for target, part in made.parts[:_FEW]]
        more = len(made.parts) - len(told)
        return [*told, *([f"and {counted(more, 'more part', 'more parts')}"] if more else [])]
    if isinstance(made, Map | Selected):
        return [f"{_times(made.dims)} numbers, each by itself"]
    return []


def _part(target: View | None, part: Part) -> str:
    where = f", added from place {target.offset} on" if target else ""
    scaled = part.factors and part.scale != 1.0
    scale = f", times {short_number(part.scale)}" if scaled else ""
    return f"{_kind(part)}{scale}{where}"


def _kind(part: Part) -> str:
    """What kind of sum or product a part is."""
    kept, summed = _times(part.dims[: part.kept]), _count(part)
    if not part.factors:
        return f"{kept} times the number {short_number(summed * part.scale)}"
    if len(part.factors) == 2 and str(part.factors[0]) != str(part.factors[1]):
        return _of_two(part)
    of = ("", " of squares", " of products")[min(len(part.factors), 3) - 1]
    if summed == 1:
        return f"{kept} number{'' if kept == '1' else 's'}{of}"
    return f"{kept} sum{'' if kept == '1' else 's'} over {summed:,}{of}"


def _of_two(part: Part) -> str:
    """What kind of product two factors make: by which of them each kept axis goes along."""
    left, right = part.factors
    rows = columns = alike = 1
    for size, a, b in zip(part.dims[: part.kept], left.strides, right.strides):
        if a and b:
            alike *= size
        elif a:
            rows *= size
        elif b:
            columns *= size
    inner = _count(part)
    if inner == 1:
        outer = rows > 1 and columns > 1 and alike == 1
        kept = _times(part.dims[: part.kept])
        plural = "" if kept == "1" else "s"
        return f"an outer product, {rows:,} by {columns:,}" if outer else f"{kept} product{plural}"
    several = f"{alike:,} times " if alike > 1 else ""
    if rows > 1 and columns > 1:
        return f"{several}a matrix product, {rows:,}x{inner:,} by {inner:,}x{columns:,}"
    if rows > 1 or columns > 1:
        return f"{several}a matrix times a vector, {max(rows, columns):,}x{inner:,} by {inner:,}"
    return f"{several}a dot product over {inner:,}"


def _times(dims: Sequence[int]) -> str:
    """Dims as one writes them; those of size 1 say nothing.

    >>> _times((100, 1, 16)), _times((1,))
    ('100x16', '1')
    """
    return "x".join([f"{size:,}" for size in dims if size > 1]) or "1"


# ---- how operands are read ----


def readings(made: Instruction, sizes: Sequence[int]) -> list[str]:
    """How an instruction reads each of its operands.

    Args:
        made: the instruction.
        sizes: how large each block is.
    """
    if isinstance(made, Gather):
        return [
            f"b{made.block}: elements picked one by one and copied (a gather), "
            "for their places follow no steady steps"
        ]
    if isinstance(made, Scatter):
        return [f"b{made.block}: each element added in its place (the transpose of a gather)"]
    if isinstance(made, Segments):
        return [f"b{made.block}: consecutive runs of it, one for each number"]
    found = dict.fromkeys([_view(*read, sizes) for read in _views(made)])
    if isinstance(made, Lookup | IndexAdd):
        return [f"b{made.block}: rows chosen by data, of {made.rows.count} each", *found]
    more = len(found) - _FEW
    rest = [f"and {counted(more, 'more operand', 'more operands')}"] if more > 0 else []
    return [*found][:_FEW] + rest


def _views(made: Instruction) -> Iterator[tuple[View, Sequence[int], int]]:
    """The views that are read, with their dims, and how many of these are kept."""
    if isinstance(made, Sum):
        for _, part in made.parts:
            yield from ((view, part.dims, part.kept) for view in part.factors)
    else:
        yield from ((view, dims, len(dims)) for view, dims in read_by(made))


def _view(view: View, dims: Sequence[int], kept: int, sizes: Sequence[int]) -> str:
    """How one operand is read: nothing of it is moved.

    >>> _view(View(0, 48, (16, 0, 1)), (16, 100, 16), 2, [337])
    'b0 from place 48 on: 16 in steps of 16, the same for 100, 16 in a row that are summed'
    """
    size = math.prod(dims)
    if size == 1:
        return f"b{view.block}: element {view.offset}"
    if view.offset == 0 and size == sizes[view.block] and in_order(view, dims):
        return f"b{view.block} as it is" + (", summed" if kept == 0 else "")
    axes = [
        _axis(n, step) + (" that are summed" if axis >= kept else "")
        for axis, (n, step) in enumerate(zip(dims, view.strides))
        if n > 1
    ]
    return f"b{view.block} from place {view.offset} on: {', '.join(axes)}"


def _axis(size: int, step: int) -> str:
    if step == 0:
        return f"the same for {size:,}"
    return f"{size:,} in a row" if step == 1 else f"{size:,} in steps of {step:,}"


# ---- claims ----


def claim(made: Instruction) -> str:
    """What is the same as in the scalars, and what may be rounded otherwise."""
    if isinstance(made, Given):
        return f"{SAME_BITS}: what was given"
    if isinstance(made, Gather | Lookup) or (isinstance(made, Segments) and made.op != "add"):
        return f"{SAME_BITS}: numbers are chosen, not computed"
    if isinstance(made, Map | Selected):
        return "the same formula for each number, whose last digit may be rounded otherwise"
    if isinstance(made, Sum) and _operations(made) <= 1:
        return f"{SAME_BITS}: one operation for each number"
    return f"{ROUNDING}: the same terms and factors, in another order"


def _operations(made: Sum) -> int:
    """How many roundings go into one element."""
    parts = [part for _, part in made.parts]
    factors = [
        len(part.factors) + (bool(part.factors) and abs(part.scale) != 1.0) for part in parts
    ]
    return sum([_count(part) * max(1, count) for part, count in zip(parts, factors)]) - 1
