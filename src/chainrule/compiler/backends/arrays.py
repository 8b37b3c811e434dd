"""The arrays that generated source names: blocks, views of them, and what a call needs besides."""

from __future__ import annotations

import math

import numpy as np
from numpy.lib.stride_tricks import as_strided

from chainrule.compiler.program import Numbers, Program, View, contiguous

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_ALIGNED = 64  # bytes: a line of the cache, and the widest vector


class Arrays:
    """Every array of a program under the name that says what it is; each is made once.

    A block is `b3`, the block as 4 rows of 5 `b3_4x5`, and a view that is not simply the block
    in its order tells where it begins and by which strides it goes: `b3_5x4_by_1x5`.

    >>> from chainrule.compiler.program import Data, Leaves
    >>> arrays = Arrays(Program([Leaves(20), Numbers([]), Data(0)], [0]))
    >>> arrays.view(View(0, 0, (5, 1)), (4, 5)), arrays.view(View(0, 2, (1, 5)), (3, 4))
    ('b0_4x5', 'b0_3x4_at_2_by_1x5')
    >>> arrays.known["b0_3x4_at_2_by_1x5"].shape
    (3, 4)
    """

    def __init__(self, program: Program) -> None:
        self.program = program
        self.known: dict[str, Any] = {}
        self.functions: set[str] = set()
        self._spares = 0
        for block, made in enumerate(program.instructions):
            self.known[f"b{block}"] = aligned((made.size,))
            if isinstance(made, Numbers):
                self.known[f"b{block}"][:] = made.numbers

    def share(self, block: int, other: int) -> None:
        """Let a block be where another is: the same numbers, or some that nobody reads any more."""
        self.known[f"b{block}"] = self.known[f"b{other}"]

    def call(self, function: str, *arguments: str) -> str:
        """The line that calls a function of NumPy."""
        self.functions.add(function.split(".")[0])
        return f"{function}({', '.join(arguments)})"

    def view(self, view: View, dims: Sequence[int]) -> str:
        """The name of a view, as an array of these dims."""
        return self.strided(f"b{view.block}", view.offset, dims, view.strides)

    def strided(self, base: str, offset: int, dims: Sequence[int], strides: Sequence[int]) -> str:
        """The name of an array that reads another one by these strides."""
        dims, array = tuple(dims), self.known[base]
        strides = tuple([s if n > 1 else 0 for s, n in zip(strides, dims)])
        whole = tuple([s if n > 1 else 0 for s, n in zip(contiguous(dims), dims)])
        if strides == whole and array.shape == dims:
            return base
        name = f"{base}_{'' if base[0] == 'b' else 'as_'}{_sizes(dims)}"
        name += f"_at_{offset}" if offset else ""
        name += f"_by_{_sizes(strides)}" if strides != whole else ""
        if name not in self.known:
            steps = [8 * s for s in (contiguous(dims) if strides == whole else strides)]
            self.known[name] = as_strided(array.reshape(-1)[offset:], dims, steps)
        return name

    def begin(self) -> None:
        """The next instruction begins: what is spare may be used anew."""
        self._spares = 0

    def spare(self, dims: Sequence[int], dtype: str = "float64") -> str:
        """The name of an array for what one instruction needs in between."""
        self._spares += 1
        stem = {"float64": "t", "bool": "mask", "int64": "bits"}[dtype]
        name = f"{stem}{self._spares}_{_sizes(dims)}"
        if name not in self.known:
            self.known[name] = aligned(dims, dtype)
        return name

    def number(self, text: str) -> str:
        """The name of a number as an array without dims, which calls take faster than a float."""
        spelled = text.replace("-", "m").replace("+", "").replace(".", "_")
        name = f"n_{spelled}"
        self.known.setdefault(name, np.array(float(text)))
        return name

    def bits(self, name: str) -> str:
        """The name of an array of floats as whole numbers, bit for bit."""
        self.known[f"{name}_bits"] = self.known[name].view(np.int64)
        return f"{name}_bits"

    def whole(self, number: int) -> str:
        """The name of a whole number as an array without dims."""
        self.known[f"i_{number}"] = np.array(number)
        return f"i_{number}"

    def ones(self, count: int) -> str:
        name = f"ones_{count}"
        self.known.setdefault(name, np.ones(count))
        return name

    def indices(self, block: int, indices: Sequence[int]) -> str:
        """The name of the places that the instruction of a block reads or writes."""
        name = f"indices_{block}"
        self.known[name] = np.array(indices, dtype=np.intp)
        return name


def aligned(dims: Sequence[int], dtype: str = "float64") -> Any:
    """Zeros that begin where a line of the cache does."""
    size = math.prod(dims) * np.dtype(dtype).itemsize
    memory = np.zeros(size + _ALIGNED, dtype=np.uint8)
    start = -memory.ctypes.data % _ALIGNED
    return memory[start : start + size].view(dtype).reshape(dims)


def _sizes(dims: Sequence[int]) -> str:
    return "x".join(map(str, dims)).replace("-", "m") or "number"
