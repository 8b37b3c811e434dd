"""Sums of products on arrays: as matrix products wherever views can be read as matrices."""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chainrule.compiler.program import Part, Sum, View, contiguous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.compiler.backends.arrays import Arrays

    Term = tuple[str, float]  # the name of an array, and a sign

_SLOW = 4096  # multiplications from which it pays to copy what BLAS cannot read


class Factor:
    """An array that is read by strides, one for each axis of a product."""

    __slots__ = ("base", "offset", "strides")

    def __init__(self, base: str, offset: int, strides: Sequence[int]) -> None:
        self.base = base
        self.offset = offset
        self.strides = list(strides)

    def axes(self) -> list[int]:
        """The axes along which it changes."""
        return [axis for axis, stride in enumerate(self.strides) if stride]


class Product:
    """A part without needless axes.

    Attributes:
        scale: what the product of the factors is multiplied by.
        dims: the lengths of the axes, all above 1.
        kept: how many of them, the first ones, are not summed over.
        out: where the result goes, by strides over all axes, 0 for those that are summed.
    """

    def __init__(self, part: Part, out: Factor, numbers: Sequence[float]) -> None:
        self.scale, views = without_numbers(part, numbers)
        self.factors = [Factor(f"b{v.block}", v.offset, v.strides) for v in views]
        self.out = Factor(out.base, out.offset, [*out.strides, *[0] * len(part.dims[part.kept :])])
        self.dims = list(part.dims)
        self.kept = part.kept
        self._drop()
        self.merge()

    def _drop(self) -> None:
        """Leave out axes of length 1, and those that are summed though no factor has them."""
        stay = []
        for axis, size in enumerate(self.dims):
            idle = axis >= self.kept and not any(f.strides[axis] for f in self.factors)
            self.scale *= size if idle else 1
            if size > 1 and not idle:
                stay.append(axis)
        self.pick(stay)

    def merge(self) -> None:
        """Make one of two neighbouring axes where every array goes on as it went."""
        for axis in reversed(range(len(self.dims) - 1)):
            size = self.dims[axis + 1]
            every = [f.strides for f in (self.out, *self.factors)]
            if axis + 1 != self.kept and all(s[axis] == s[axis + 1] * size for s in every):
                self.dims[axis + 1] *= self.dims[axis]
                self.pick([k for k in range(len(self.dims)) if k != axis])

    def pick(self, axes: list[int]) -> None:
        """Keep these axes alone."""
        self.kept = sum(axis < self.kept for axis in axes)
        self.dims = [self.dims[axis] for axis in axes]
        for f in (self.out, *self.factors):
            f.strides = [f.strides[axis] for axis in axes]


def without_numbers(part: Part, numbers: Sequence[float]) -> tuple[float, list[View]]:
    """The scale, with the numbers that all elements share, and the other factors."""
    scale, factors = part.scale, []
    for view in part.factors:
        if view.block == 1 and not any(s for s, n in zip(view.strides, part.dims) if n > 1):
            scale *= numbers[view.offset]
        else:
            factors.append(view)
    return scale, factors


# ---- one sum ----


class Sums:
    """Writes the lines of one sum.

    Args:
        arrays: where arrays have their names.
        block: where the sum goes.
    """

    def __init__(self, arrays: Arrays, block: int) -> None:
        self.arrays = arrays
        self.block = block
        self.lines: list[str] = []
        self._numbers = arrays.program.instructions[1].numbers  # type: ignore[union-attr]

    def write(self, made: Sum) -> list[str]:
        """What goes to a place that nothing went to before is written there, not added."""
        done = np.zeros(made.size, dtype=bool)
        for place, parts in _places(made):
            dims = parts[0].dims[: parts[0].kept]
            here = as_strided(done[place.offset :], dims, place.strides)
            fresh = not here.any()
            if not fresh and not here.all():
                self.lines.insert(0, f"b{self.block}.fill(0.0)")
                done[...] = True
            self._group(Factor(f"b{self.block}", place.offset, place.strides), parts, fresh)
            here[...] = True
        return self.lines if done.all() else [f"b{self.block}.fill(0.0)", *self.lines]

    def _group(self, out: Factor, parts: Sequence[Part], fresh: bool) -> None:
        """Write parts of the same dims to one place, or add them to what is there."""
        name = self._name(out, parts[0].dims[: parts[0].kept])
        state = None if fresh else (name, 1.0)
        for part in sorted(parts, key=self._is_plain):  # products first: they can write there
            term = self._term(part, out if state is None else None)
            state = term if state is None else self._joined(state, term, name)
        assert state is not None, "a group has parts"
        self._finish(state, name)

    def _joined(self, left: Term, right: Term, out: str) -> Term:
        """Two terms added up in `out`; what is found may have a minus to come."""
        (a, sign), (b, other) = left, right
        if sign == other:
            self._call("add", a, b, out)
            return out, sign
        if sign < 0.0:
            a, b = b, a
        self._call("subtract", a, b, out)
        return out, 1.0

    def _finish(self, term: Term, out: str) -> None:
        """Write a term to `out`, unless it is already there."""
        name, sign = term
        if sign < 0.0:
            self._call("negative", name, out)
        elif name != out:
            self._call("copyto", out, name)

    def _is_plain(self, part: Part) -> bool:
        """Whether a part is a view or a number, to be added or subtracted as it is."""
        scale, factors = without_numbers(part, self._numbers)
        if not factors:
            return True
        return len(factors) == 1 and part.kept == len(part.dims) and abs(scale) == 1.0

    def _term(self, part: Part, out: Factor | None) -> Term:
        """The name of a part's array and its sign; a product is computed, into `out` if given."""
        scale, factors = without_numbers(part, self._numbers)
        dims = part.dims[: part.kept]
        if not factors:
            return self.arrays.number(repr(scale * math.prod(part.dims[part.kept :]))), 1.0
        if self._is_plain(part):
            return self.arrays.view(factors[0], dims), scale
        if out is None:
            out = Factor(self.arrays.spare(dims), 0, contiguous(dims))
        name = self._name(out, dims)
        return name, self._product(Product(part, out, self._numbers))

    # ---- one product ----

    def _product(self, product: Product) -> float:
        """Write a product to its place, but for the sign, which is returned."""
        bare = [k for k in range(product.kept) if not any(f.strides[k] for f in product.factors)]
        if bare:
            return self._repeated(product, bare)
        while len(product.factors) > 2:
            self._pair(product)
        scale = abs(product.scale)
        if scale != 1.0 and self._scaled(product, scale):
            scale = 1.0
        if len(product.factors) == 1:
            self._reduced(product)
        else:
            self._two(product)
        if scale != 1.0:
            out = self._out(product)
            self._call("multiply", out, self.arrays.number(repr(scale)), out)
        return math.copysign(1.0, product.scale)

    def _repeated(self, product: Product, bare: list[int]) -> float:
        """Compute once what is the same along some axes, and repeat it."""
        whole = self._out(product)
        kept = [k for k in range(product.kept) if k not in bare]
        product.out = self._spare(product, kept)
        found = self._axes(product, product.out, range(product.kept))
        product.pick([k for k in range(len(product.dims)) if k not in bare])
        sign = self._product(product)
        self._call("copyto", whole, found)
        return sign

    def _scaled(self, product: Product, scale: float) -> bool:
        """Multiply the smaller factor by the scale, if it is smaller than the result."""

        def size(axes: Sequence[int]) -> int:
            return math.prod(product.dims[k] for k in axes)

        factor = min(product.factors, key=lambda f: size(f.axes()))
        axes = factor.axes()
        alone = len(product.factors) == 1 and product.kept == len(product.dims)
        if not alone and size(axes) >= size(range(product.kept)):
            return False
        spare = self._spare(product, axes)
        if alone:  # this is all there is to do
            spare = Factor(product.out.base, product.out.offset, product.out.strides)
        name, out = (self._axes(product, f, axes) for f in (factor, spare))
        self._call("multiply", name, self.arrays.number(repr(scale)), out)
        product.factors[product.factors.index(factor)] = spare
        return True

    def _pair(self, product: Product) -> None:
        """Multiply the two factors whose product is the smallest."""

        def axes(pair: tuple[Factor, Factor]) -> list[int]:
            return sorted({*pair[0].axes(), *pair[1].axes()})

        pairs = itertools.combinations(product.factors, 2)
        pair = min(pairs, key=lambda pair: math.prod(product.dims[k] for k in axes(pair)))
        spare = self._spare(product, axes(pair))
        names = [self._axes(product, f, axes(pair)) for f in (*pair, spare)]
        self._call("multiply", *names)
        product.factors = [f for f in product.factors if f not in pair] + [spare]

    def _reduced(self, product: Product) -> None:
        """One factor, summed over the axes that do not stay."""
        product.merge()
        axes = range(len(product.dims))
        name, out = self._axes(product, product.factors[0], axes), self._out(product)
        summed = product.dims[product.kept :]
        if not summed and name == out:
            return  # it was scaled to where it goes
        if not summed:
            self._call("copyto", out, name)
        elif len(summed) == 1 and product.kept <= 1 and self._is_whole(out):
            self.lines.append(f"{name}.dot({self.arrays.ones(summed[0])}, {out})")
        else:
            self._call("add.reduce", name, str(tuple(axes[product.kept :])), "None", out)

    def _two(self, product: Product) -> None:
        """Two factors: elementwise, or as matrices."""
        for k in (0, 1):
            self._sum_alone(product, k)
        left, right = product.factors
        axes = range(len(product.dims))
        if product.kept == len(product.dims):
            self._elementwise(product, left, right)
        elif all(left.strides[k] and right.strides[k] for k in axes):
            self._pair(product)
            self._reduced(product)
        else:
            self._matrices(product, left, right)

    def _elementwise(self, product: Product, left: Factor, right: Factor) -> None:
        """Two factors, nothing summed; a column times a row is faster as a matrix product."""
        out = self._out(product)
        if sorted([left.axes(), right.axes()]) == [[0], [1]] and self._is_whole(out):
            column, row = (left, right) if left.strides[0] else (right, left)
            rows, columns = product.dims
            a = self.arrays.strided(column.base, column.offset, (rows, 1), column.strides)
            b = self.arrays.strided(row.base, row.offset, (1, columns), row.strides)
            self.lines.append(f"{a}.dot({b}, {out})")
        else:
            axes = range(len(product.dims))
            names = [self._axes(product, f, axes) for f in (left, right)]
            self._call("multiply", *names, out)

    def _sum_alone(self, product: Product, which: int) -> None:
        """Sum a factor over the axes that stay in no other and not in the result."""
        factor, other = product.factors[which], product.factors[1 - which]
        alone = [k for k in range(product.kept, len(product.dims)) if not other.strides[k]]
        if not alone:
            return
        axes = factor.axes()
        spare = self._spare(product, [k for k in axes if k not in alone])
        summed = tuple([axes.index(k) for k in alone])
        name = self._axes(product, factor, axes)
        out = self._axes(product, spare, spare.axes())
        self._call("add.reduce", name, str(summed), "None", out)
        product.factors[which] = spare
        product.pick([k for k in range(len(product.dims)) if k not in alone])

    # ---- as matrices ----

    def _matrices(self, product: Product, left: Factor, right: Factor) -> None:
        """Two factors that share the axes that are summed; each may have axes of its own."""
        kept, inner = range(product.kept), list(range(product.kept, len(product.dims)))
        batch = [k for k in kept if left.strides[k] and right.strides[k]]
        rows = [k for k in kept if not right.strides[k]]
        columns = [k for k in kept if not left.strides[k]]
        out = product.out
        if rows and columns and out.strides[rows[-1]] < out.strides[columns[-1]]:
            left, right, rows, columns = right, left, columns, rows
        a = self._matrix(product, left, batch, rows, inner)
        b = self._matrix(product, right, batch, inner, columns)
        c = self._fused(product, out, batch, rows, columns)
        if not c:
            out = self._spare(product, [*batch, *rows, *columns])
            c = self._fused(product, out, batch, rows, columns)
        if batch or not self._is_whole(c):
            self._call("matmul", a, b, c)
        else:
            self.lines.append(f"{a}.dot({b}, {c})")
        if out is not product.out:
            self._call("copyto", self._out(product), self._axes(product, out, kept))

    def _matrix(
        self, product: Product, factor: Factor, batch: list[int], *groups: list[int]
    ) -> str:
        """The name of a factor as a matrix, or as many, copied if that must be."""
        name = self._fused(product, factor, batch, *groups)
        if name and (not batch or self._is_fast(name)):
            return name
        axes = [*batch, *itertools.chain(*groups)]
        spare = self._spare(product, axes)
        self._call("copyto", *[self._axes(product, f, axes) for f in (spare, factor)])
        return self._fused(product, spare, batch, *groups)

    def _fused(self, product: Product, factor: Factor, batch: list[int], *groups: list[int]) -> str:
        """The name of an array with one axis for each group; none if a group is not one axis."""
        dims = [product.dims[k] for k in batch]
        strides = [factor.strides[k] for k in batch]
        for group in groups:
            for k, after in itertools.pairwise(group):
                if factor.strides[k] != factor.strides[after] * product.dims[after]:
                    return ""
            if group or batch:  # without a batch, a vector stays one
                dims.append(math.prod(product.dims[k] for k in group))
                strides.append(factor.strides[group[-1]] if group else 0)
        return self.arrays.strided(factor.base, factor.offset, dims, strides)

    def _is_fast(self, name: str) -> bool:
        """Whether BLAS reads the matrices of an array, or they are too small to matter."""
        array = self.arrays.known[name]
        steps = [s for s, n in zip(array.strides[-2:], array.shape[-2:]) if n > 1]
        return math.prod(array.shape[-2:]) < _SLOW or not steps or min(steps) == array.itemsize

    # ---- names ----

    def _call(self, function: str, *arguments: str) -> None:
        self.lines.append(self.arrays.call(function, *arguments))

    def _name(self, factor: Factor, dims: Sequence[int]) -> str:
        return self.arrays.strided(factor.base, factor.offset, dims, factor.strides)

    def _axes(self, product: Product, factor: Factor, axes: Sequence[int]) -> str:
        """The name of a factor with some of the axes of a product, in that order."""
        dims = [product.dims[k] for k in axes]
        strides = [factor.strides[k] for k in axes]
        return self.arrays.strided(factor.base, factor.offset, dims, strides)

    def _out(self, product: Product) -> str:
        return self._axes(product, product.out, range(product.kept))

    def _spare(self, product: Product, axes: list[int]) -> Factor:
        """An array for what is found on the way, with some of the axes, in that order."""
        dims = [product.dims[k] for k in axes]
        strides = [0] * len(product.dims)
        for k, stride in zip(axes, contiguous(dims)):
            strides[k] = stride
        return Factor(self.arrays.spare(dims), 0, strides)

    def _is_whole(self, name: str) -> bool:
        return bool(self.arrays.known[name].flags.c_contiguous)


# ---- where parts go ----


def _places(made: Sum) -> list[tuple[View, list[Part]]]:
    """The parts by where they go: views of the block first, then the whole block."""
    places: dict[object, tuple[View, list[Part]]] = {}
    for target, part in made.parts:
        if target is not None:
            key = target.offset, target.strides, part.dims[: part.kept]
            places.setdefault(key, (target, []))[1].append(part)
    whole = [part for target, part in made.parts if target is None]
    return [*places.values(), *_whole(whole)]


def _whole(parts: list[Part]) -> list[tuple[View, list[Part]]]:
    """The parts that fill a block, with the same dims if these fit into one another."""
    ends = sorted({end for part in parts for end in _ends(part)})
    if all(end % before == 0 for before, end in itertools.pairwise(ends)):
        parts = [_refined(part, ends) for part in parts]
        groups = [parts] if parts else []
    else:
        groups = [[part] for part in parts]
    views = [View(-1, 0, contiguous(group[0].dims[: group[0].kept])) for group in groups]
    return list(zip(views, groups))


def _ends(part: Part) -> list[int]:
    """After how many elements the axes that stay begin anew, the last one first."""
    return list(itertools.accumulate(reversed(part.dims[: part.kept]), lambda n, m: n * m))


def _refined(part: Part, ends: list[int]) -> Part:
    """A part whose axes are cut further, so that they begin anew after these numbers."""
    cuts: list[tuple[int, int, int]] = []  # an axis, how many of its steps are one, how often
    before = 1
    for axis in reversed(range(part.kept)):
        start = before
        for end in ends:
            if start < end <= before * part.dims[axis]:
                cuts.insert(0, (axis, start // before, end // start))
                start = end
        before *= part.dims[axis]
    dims = [count for _, _, count in cuts]
    views = [
        View(f.block, f.offset, [f.strides[k] * n for k, n, _ in cuts] + [*f.strides[part.kept :]])
        for f in part.factors
    ]
    return Part(part.scale, [*dims, *part.dims[part.kept :]], len(dims), views)
