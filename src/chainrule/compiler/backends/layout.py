"""Which axis of a block runs fastest: the longer one, so that the loops inside NumPy are long.

A program lays a block out in the order in which a function made its values: all neurons of one
point, then those of the next. With many points and few neurons that is the wrong way round for
NumPy, which loops along the last axis. Blocks that are connected elementwise are turned together.
"""

from __future__ import annotations

from chainrule.compiler.program import (
    Map,
    Part,
    Placed,
    Program,
    Selected,
    Sum,
    View,
    contiguous,
    read_by,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    Form = tuple[int, int]  # rows and columns that a block had before it was turned

_LONG = 2  # times as many rows as columns, for it to be worth while


def turned(program: Program) -> Program:
    """The same program with some blocks transposed.

    >>> from chainrule.compiler.program import Data, Leaves, Numbers
    >>> outer = Part(1.0, (50, 2), 2, [View(0, 0, (1, 0)), View(2, 0, (0, 1))])
    >>> total = Part(1.0, (2, 50), 1, [View(3, 0, (1, 2))])
    >>> given = [Leaves(50), Numbers([]), Data(2)]
    >>> print(turned(Program([*given, Sum(100, [(None, outer)]), Sum(2, [(None, total)])], [4])))
    b0[50] = leaves
    b1[0] = numbers ()
    b2[2] = data
    b3[100] = sum 1 * b0@0:0x1 * b2@0:1x0 over 2x50|
    b4[2] = sum 1 * b3@0:50x1 over 2|50
    return b4
    """
    return turning(program)[0]


def turning(program: Program) -> tuple[Program, dict[int, Form]]:
    """The same, with the rows and columns that each transposed block had before."""
    forms = _forms(program)
    while forms:
        instructions = []
        for block, made in enumerate(program.instructions):
            found = _rewritten(made, forms.get(block), forms)
            if found is None:
                break
            instructions.append(found)
        else:
            return Program(instructions, program.outputs, program.forward), forms
        near = {block, *[view.block for view, _ in read_by(made)]}
        forms = _without(program, forms, near & {*forms})
    return program, {}


# ---- which blocks ----


def _forms(program: Program) -> dict[int, Form]:
    """The blocks that are long tables, and those made of them elementwise."""
    fixed = {*program.outputs}
    for made in program.instructions:
        if isinstance(made, Placed):
            fixed.update((made.block, *[view.block for view, _ in read_by(made)]))
    forms: dict[int, Form] = {}
    for block, made in enumerate(program.instructions):
        form = _form(made, forms)
        if form is not None:
            forms[block] = form
    return _without(program, forms, fixed & {*forms})


def _form(made: Any, forms: dict[int, Form]) -> Form | None:
    if isinstance(made, Sum):
        tables = [_table(part) for target, part in made.parts if target is None]
        found = [table for table in tables if table is not None]
        return found[0] if found and len(tables) == len(made.parts) else None
    linked = [forms[block] for block in _linked(made) if block in forms]
    return linked[0] if linked else None


def _table(part: Part) -> Form | None:
    dims = [n for n in part.dims[: part.kept] if n > 1]
    return (dims[0], dims[1]) if len(dims) == 2 and dims[0] >= _LONG * dims[1] else None


def _linked(made: Any) -> list[int]:
    """The blocks that an elementwise instruction reads as they are."""
    if not isinstance(made, Map | Selected):
        return []
    views = made.operands if isinstance(made, Map) else (made.gradient, made.slope)
    whole = (0, contiguous(made.dims))
    return [view.block for view in views if (view.offset, view.strides) == whole]


def _without(program: Program, forms: dict[int, Form], blocks: set[int]) -> dict[int, Form]:
    """Leave out some blocks, and all that are connected to them elementwise."""
    while blocks:
        forms = {block: form for block, form in forms.items() if block not in blocks}
        near = set()
        for block, made in enumerate(program.instructions):
            group = {block, *_linked(made)}
            if group & blocks:
                near |= group
        blocks = near & {*forms}
    return forms


# ---- one instruction ----


class _Axes:
    """Axes and the strides of views along them, which can be cut and put in another order."""

    def __init__(self, dims: Sequence[int], kept: int, views: Sequence[View]) -> None:
        self.dims = list(dims)
        self.kept = kept
        self.views = list(views)
        self.strides = [list(view.strides) for view in views]

    def cut(self, axis: int, inner: int) -> None:
        """Make two axes of one, the second of them of this length."""
        self.dims[axis : axis + 1] = [self.dims[axis] // inner, inner]
        self.kept += axis < self.kept
        for strides in self.strides:
            if axis < len(strides):
                strides[axis : axis + 1] = [strides[axis] * inner, strides[axis]]

    def turn(self, columns: int) -> bool:
        """Put the axes that make up the columns before those of the rows, if that can be."""
        size, axis = 1, self.kept
        while size < columns:
            axis -= 1
            size *= self.dims[axis]
        if size > columns:
            inner = columns * self.dims[axis] // size
            if size % columns or self.dims[axis] % max(inner, 1):
                return False
            self.cut(axis, inner)
            axis += 1
        order = [*range(axis, self.kept), *range(axis), *range(self.kept, len(self.dims))]
        self.dims = [self.dims[k] for k in order]
        self.strides = [[strides[k] for k in order] for strides in self.strides]
        return True

    def read(self, forms: dict[int, Form]) -> list[View] | None:
        """The views, of which those of turned blocks are what they are now; None if one is none."""
        for view, strides in zip(self.views, self.strides):
            if view.block in forms:
                self._cut_for(strides, forms[view.block][1])
        found = []
        for view, strides in zip(self.views, self.strides):
            seen: View | None = View(view.block, view.offset, strides)
            if view.block in forms:
                seen = _seen(View(view.block, view.offset, strides), self.dims, forms[view.block])
            if seen is None:
                return None
            found.append(seen)
        return found

    def _cut_for(self, strides: list[int], columns: int) -> None:
        """Cut the axes along which a view goes from one row into the next."""
        axis = 0
        while axis < len(strides):
            stride, size = strides[axis], self.dims[axis]
            if stride > 0 and columns % stride == 0 and columns < size * stride:
                inner = columns // stride
                if inner > 1 and size % inner == 0:
                    self.cut(axis, inner)
            axis += 1


def _seen(view: View, dims: Sequence[int], form: Form) -> View | None:
    """A view of a block as a view of its transpose; None if there is none."""
    rows, columns = form
    strides, reach = [], view.offset % columns
    for stride, size in zip(view.strides, dims):
        if size == 1 or stride % columns == 0:
            strides.append(0 if size == 1 else stride // columns)
        else:
            reach += (size - 1) * stride
            strides.append(stride * rows)
    if reach >= columns or min(view.strides, default=0) < 0:
        return None
    return View(view.block, view.offset % columns * rows + view.offset // columns, strides)


def _rewritten(made: Any, form: Form | None, forms: dict[int, Form]) -> Any:
    """An instruction that reads turned blocks, and makes one if a form is given."""
    if isinstance(made, Sum):
        found = [_part(target, part, form, forms) for target, part in made.parts]
        parts = [pair for pair in found if pair is not None]
        return Sum(made.size, parts) if len(parts) == len(found) else None
    if isinstance(made, Map | Selected):
        return _elementwise(made, form, forms)
    return made


def _elementwise(made: Map | Selected, form: Form | None, forms: dict[int, Form]) -> Any:
    views = made.operands if isinstance(made, Map) else (made.gradient, made.slope)
    axes = _Axes(made.dims, len(made.dims), views)
    if form is not None and not axes.turn(form[1]):
        return None
    found = axes.read(forms)
    if found is None:
        return None
    if all(view.strides == contiguous(axes.dims) and view.offset == 0 for view in found):
        axes.dims, found = [made.size], [View(view.block, 0, (1,)) for view in found]
    if isinstance(made, Map):
        return Map(made.op, made.rule, axes.dims, found)
    return Selected(axes.dims, *found)


def _part(
    target: View | None, part: Part, form: Form | None, forms: dict[int, Form]
) -> tuple[View | None, Part] | None:
    axes = _Axes(part.dims, part.kept, [*part.factors, *([target] if target else [])])
    if form is not None and not axes.turn(form[1]):
        return None
    found = axes.read(forms)
    if found is None:
        return None
    place = found.pop() if target else None
    return place, Part(part.scale, axes.dims, axes.kept, found)
