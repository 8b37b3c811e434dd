"""From the scalar graph to the array program: equal work is found and done together.

1. Chains of +, - and unary minus whose partial results are used once become one sum of many
   terms; a term may be a product of two factors.
   Likewise chains of `maximum` whose gradient is stopped, as in softmax, become one.
2. Every node gets a class: its op and the classes of its operands, leaves and numbers without
   their identity. Terms of one kind count once, so that sums of different lengths share a class.
   The nodes of a class are a group, and a group is one block of the program.
3. A group's operands at one place stand all in one block. Where they stand is a list of places;
   if these are regular, the operand is a view of the block, and otherwise gathered from it.
   A matrix product is a sum of products of two views with stride 0 where a factor repeats.

Vectorizing the expressions of a scalar engine by their structure was described by Max Bernstein in
"Vectorizing ML models for fun" (2024), for dot products.
"""

from __future__ import annotations

import itertools
import struct
from collections import deque

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
    Segments,
    Sum,
    View,
    contiguous,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chainrule.compiler.graph import Graph

    Term = tuple[float, tuple[int, ...]]  # a sign, and the factors' nodes
    Pattern = list[tuple[int, int]]  # sizes and strides, innermost first

_LEAVES, _NUMBERS, _DATA = range(3)  # the first classes, and their blocks
_GIVEN = {"": _LEAVES, "constant": _NUMBERS, "datum": _DATA}
_FEW = 4  # lengths that are told apart in a group of sums; more are summed by segments


def lift(graph: Graph) -> tuple[Program, list[int], list[int]]:
    """The array program of a scalar graph.

    Returns:
        The program, which node each element of its leaves is, and which each of its data is:
        leaves in the order in which they are first used, data in the order of the nodes.
    """
    return _Lift(graph).program()


# ---- sums of many terms ----


def flatten(graph: Graph) -> dict[int, Sequence[Term]]:
    """The terms of each sum or product that stands for itself, by its node."""
    uses = _uses(graph)
    sums: dict[int, deque[Term]] = {}
    for node, op in enumerate(graph.ops):
        if op == "mul":
            sums[node] = deque([_product(graph, uses, node)])
        elif op in _SIGNS:
            sums[node] = deque()
            for sign, operand in zip(_SIGNS[op], graph.operands[node]):
                known = sums.pop(operand, None) if uses[operand] == 1 else None
                alone: deque[Term] = deque([(1.0, (operand,))])
                sums[node] = _joined(sums[node], sign, alone if known is None else known)
    return {node: _without_zeros(graph, terms) for node, terms in sums.items()}


def peaks(graph: Graph) -> dict[int, list[int]]:
    """What each stopped gradient is the greatest of: the terms of a chain of `maximum`, or one."""
    uses = _uses(graph)
    chains: dict[int, list[int]] = {}
    found = {}
    for node, op in enumerate(graph.ops):
        if op == "maximum":
            left, right = graph.operands[node]
            chain = chains.pop(left, None) if uses[left] == 1 else None
            chains[node] = [left] if chain is None else chain
            chains[node].append(right)
        elif op == "stop_gradient":
            (operand,) = graph.operands[node]
            chain = chains.pop(operand, None) if uses[operand] == 1 else None
            found[node] = [operand] if chain is None else chain
    return found


def _uses(graph: Graph) -> list[int]:
    """How often each node is an operand."""
    uses = [0] * len(graph.ops)
    for operands in graph.operands:
        for operand in operands:
            uses[operand] += 1
    return uses


_SIGNS = {"add": (1.0, 1.0), "sub": (1.0, -1.0), "neg": (-1.0,)}


def _product(graph: Graph, uses: list[int], node: int) -> Term:
    """The two factors of a product; a minus of their own is the product's."""
    sign, factors = 1.0, []
    for factor in graph.operands[node]:
        while graph.ops[factor] == "neg" and uses[factor] == 1:
            (factor,) = graph.operands[factor]
            sign = -sign
        factors.append(factor)
    return sign, tuple(factors)


def _joined(left: deque[Term], sign: float, right: deque[Term]) -> deque[Term]:
    """The terms of a sum or difference; the shorter side is moved to the longer."""
    if sign < 0.0:
        right = deque((-s, factors) for s, factors in right)
    if len(left) < len(right):
        right.extendleft(reversed(left))
        return right
    left.extend(right)
    return left


def _without_zeros(graph: Graph, terms: deque[Term]) -> Sequence[Term]:
    """Without the 0 that `sum()` starts from; it can only turn -0.0 into 0.0."""
    kept = [term for term in terms if not _is_zero(graph, term)]
    return kept or list(terms)[:1]


def _is_zero(graph: Graph, term: Term) -> bool:
    _, factors = term
    node = factors[0]
    return len(factors) == 1 and graph.ops[node] == "constant" and graph.numbers[node] == 0.0


# ---- classes and groups ----


class _Lift:
    """The state of one lift: classes, the places of nodes in their blocks, instructions."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.sums = flatten(graph)
        self.peaks = peaks(graph)
        self.instructions: list[Any] = [None, None, None]
        self.data = [node for node, op in enumerate(graph.ops) if op == "datum"]
        self.leaves: list[int] = []
        self.numbers: list[float] = []
        self.place = {node: i for i, node in enumerate(self.data)}  # in the block of its class
        self.number_place: dict[bytes, int] = {}
        self.gathered: dict[tuple[int, tuple[int, ...]], int] = {}
        self.block = {_LEAVES: _LEAVES, _NUMBERS: _NUMBERS, _DATA: _DATA}
        self.class_of: list[int] = []
        self.groups: list[list[int]] = [[], [], []]
        self._classify()

    def program(self) -> tuple[Program, list[int], list[int]]:
        """Make the block of each group; classes are numbered with operands first."""
        for number, group in enumerate(self.groups[3:], 3):
            self.block[number] = self._added(self._instruction(group))
        outputs = [self._together(nodes, fresh=True) for nodes in self.graph.outputs]
        self.instructions[_LEAVES] = Leaves(len(self.leaves))
        self.instructions[_NUMBERS] = Numbers(self.numbers)
        self.instructions[_DATA] = Data(len(self.data))
        return Program(self.instructions, outputs), self.leaves, self.data

    def _instruction(self, group: list[int]) -> Any:
        """What makes the block of a group."""
        if group[0] in self.peaks:
            return self._peak(group)
        if group[0] in self.sums:
            return self._sum(group)
        return self._lookup(group) if self.graph.ops[group[0]] == "lookup" else self._map(group)

    def _classify(self) -> None:
        known: dict[Any, int] = {}
        live = self._live()
        for node, op in enumerate(self.graph.ops):
            if op in _GIVEN:
                self.class_of.append(_GIVEN[op])
            elif node not in live:
                self.class_of.append(-1)  # part of a sum
            else:
                number = known.setdefault(self._key(node), len(self.groups))
                if number == len(self.groups):
                    self.groups.append([])
                self.groups[number].append(node)
                self.class_of.append(number)

    def _live(self) -> set[int]:
        """The nodes whose numbers are needed for themselves."""
        live = {node for nodes in self.graph.outputs for node in nodes}
        for node in reversed(range(len(self.graph.ops))):
            if node in live:
                if node in self.peaks:
                    live.update(self.peaks[node])
                elif node in self.sums:
                    live.update(factor for _, factors in self.sums[node] for factor in factors)
                else:
                    live.update(self.graph.operands[node])
        return live

    def _key(self, node: int) -> Any:
        if node in self.peaks:
            return "peak", tuple(sorted({self.class_of[term] for term in self.peaks[node]}))
        if node in self.sums:
            return "sum", tuple(sorted({self._kind(term) for term in self.sums[node]}))
        return self.graph.ops[node], tuple([self.class_of[x] for x in self.graph.operands[node]])

    def _kind(self, term: Term) -> tuple[float, tuple[int, ...]]:
        sign, factors = term
        return sign, tuple([self.class_of[factor] for factor in factors])

    # ---- one group, one instruction ----

    def _map(self, group: list[int]) -> Map:
        op = self.graph.ops[group[0]]
        columns = zip(*[self.graph.operands[node] for node in group])
        dims, views = self._views([self._places(column) for column in columns], len(group), 1)
        self.place.update(zip(group, range(len(group))))
        return Map(op, None, dims, views)

    def _lookup(self, group: list[int]) -> Lookup:
        """The row that each member chooses of its own."""
        indices, *_ = zip(*[self.graph.operands[node] for node in group])
        rows = [self.graph.operands[node][1:] for node in group]
        count = len(rows[0])
        block, firsts, stride = self._rows(rows)
        (dims, (which,)) = self._views([self._places(indices)], len(group), 1)
        self.place.update(zip(group, range(len(group))))
        return Lookup(block, Rows(firsts, stride, count, dims, which))

    def _rows(self, rows: list[tuple[int, ...]]) -> tuple[int, list[int], int]:
        """The block of all rows, where each row 0 is, and how far the next is from it."""
        numbers = {self.class_of[node] for row in rows for node in row}
        if len(numbers) == 1:
            block, places = self._places([node for row in rows for node in row])
            count = len(rows[0])
            stride = places[1] - places[0] if count > 1 else 0
            firsts = places[::count]
            if places == [first + stride * k for first in firsts for k in range(count)]:
                return block, firsts, stride
        distinct = {row: i * len(row) for i, row in enumerate(dict.fromkeys(rows))}
        block = self._together([node for row in distinct for node in row])
        return block, [distinct[row] for row in rows], 1

    def _peak(self, group: list[int]) -> Any:
        """The greatest of the terms of each class, and of these the greatest."""
        self.place.update(zip(group, range(len(group))))
        made: Any = None
        for number in sorted({self.class_of[term] for term in self.peaks[group[0]]}):
            rows = [[x for x in self.peaks[node] if self.class_of[x] == number] for node in group]
            terms = self._gather(*self._places([term for row in rows for term in row]))
            segments = Segments(terms, _starts(rows), "maximum")
            if made is None:
                made = segments
            else:
                views = [View(self._append(x), 0, (1,)) for x in (made, segments)]
                made = Map("maximum", None, (len(group),), views)
        return made

    def _sum(self, group: list[int]) -> Sum:
        """Of each member the terms of each kind; members with as many of each are done at once."""
        by_kind = [self._terms_by_kind(node) for node in group]
        lengths = [tuple([len(terms) for terms in kinds.values()]) for kinds in by_kind]
        distinct = sorted(set(lengths))
        if len(distinct) > _FEW:
            self.place.update(zip(group, range(len(group))))
            return Sum(len(group), self._parts(by_kind, None))
        parts: list[tuple[View | None, Part]] = []
        start = 0
        for length in distinct:
            chosen = [i for i, found in enumerate(lengths) if found == length]
            self.place.update((group[i], start + k) for k, i in enumerate(chosen))
            whole = len(chosen) == len(group)
            target = None if whole else (len(self.instructions), start)
            parts += self._parts([by_kind[i] for i in chosen], target)
            start += len(chosen)
        return Sum(len(group), parts)

    def _terms_by_kind(self, node: int) -> dict[Any, list[tuple[int, ...]]]:
        kinds: dict[Any, list[tuple[int, ...]]] = {}
        for term in self.sums[node]:
            kinds.setdefault(self._kind(term), []).append(term[1])
        return dict(sorted(kinds.items()))

    def _parts(
        self, members: list[dict[Any, list[tuple[int, ...]]]], target: tuple[int, int] | None
    ) -> list[tuple[View | None, Part]]:
        """A part for each kind of terms; their targets begin at a place of a block."""
        parts: list[tuple[View | None, Part]] = []
        for sign, classes in members[0]:
            rows = [kinds[sign, classes] for kinds in members]
            part = self._part(sign, rows)
            view = None
            if target is not None:
                view = View(*target, contiguous(part.dims[: part.kept]))
            parts.append((view, part))
        return parts

    def _part(self, sign: float, rows: list[list[tuple[int, ...]]]) -> Part:
        """The sum over the terms of each row, one row for each member."""
        length = len(rows[0])
        columns = [self._places(column) for column in zip(*[term for row in rows for term in row])]
        if all(len(row) == length for row in rows):
            dims, views = self._views(columns, len(rows) * length, length)
            kept = len(dims) if length == 1 else _kept(dims, len(rows))
            return Part(sign, dims, kept, views)
        total = sum(map(len, rows))
        dims, views = self._views(columns, total, 1)
        terms = self._added(Sum(total, [(None, Part(sign, dims, len(dims), views))]))
        sums = self._append(Segments(terms, _starts(rows)))
        return Part(1.0, (len(rows),), 1, [View(sums, 0, (1,))])

    # ---- where operands stand ----

    def _places(self, nodes: Sequence[int]) -> tuple[int, list[int]]:
        """The block of these nodes, all of one class, and where in it each of them is."""
        number = self.class_of[nodes[0]]
        if number == _NUMBERS:
            return 1, [self._number(node) for node in nodes]
        if number == _LEAVES:
            for node in nodes:
                if node not in self.place:  # leaves are laid out in the order of their first use
                    self.place[node] = len(self.leaves)
                    self.leaves.append(node)
        return self.block[number], [self.place[node] for node in nodes]

    def _together(self, nodes: Sequence[int], fresh: bool = False) -> int:
        """A block of these nodes in this order; a fresh one is none that is given to a run."""
        runs = [list(run) for _, run in itertools.groupby(nodes, lambda x: self.class_of[x])]
        if len(runs) == 1:
            block, places = self._places(nodes)
            block = self._gather(block, places)
            if not fresh or block > _DATA:
                return block
        parts: list[tuple[View | None, Part]] = []
        start = 0
        for run in runs:
            dims, views = self._views([self._places(run)], len(run), 1)
            target = View(len(self.instructions), start, contiguous(dims))
            parts.append((target, Part(1.0, dims, len(dims), views)))
            start += len(run)
        return self._append(Sum(len(nodes), parts))

    def _number(self, node: int) -> int:
        bits = struct.pack("d", self.graph.numbers[node])
        if bits not in self.number_place:
            self.number_place[bits] = len(self.numbers)
            self.numbers.append(self.graph.numbers[node])
        return self.number_place[bits]

    def _views(
        self, columns: list[tuple[int, list[int]]], total: int, inner: int
    ) -> tuple[tuple[int, ...], list[View]]:
        """Views of common dims, of which the innermost make up `inner`, for lists of places."""
        patterns: list[tuple[int, int, Pattern]] = []
        cuts = {inner, total}
        for block, places in columns:
            offset, pattern = regular(places)
            if pattern is None or not _nested(cuts | _cuts(pattern)):
                block, offset, pattern = self._gather(block, places), 0, [(total, 1)]
            cuts |= _cuts(pattern)
            patterns.append((block, offset, pattern))
        ends = sorted(cuts - {1}) or [1]
        dims = [end // before for before, end in zip([1, *ends], ends)]
        views = [
            View(block, offset, _refined(pattern, dims)[::-1])
            for block, offset, pattern in patterns
        ]
        return tuple(dims[::-1]), views

    def _gather(self, block: int, places: list[int]) -> int:
        made = self.instructions[block]
        if made is not None and places == list(range(made.size)):
            return block
        key = block, tuple(places)
        if key not in self.gathered:
            self.gathered[key] = self._append(Gather(block, places))
        return self.gathered[key]

    def _added(self, instruction: Any) -> int:
        """The block of an instruction; of one that only copies a block, that block."""
        if isinstance(instruction, Sum):
            target, part = instruction.parts[0]
            plain = target is None and part.scale == 1.0 and len(part.factors) == 1
            if len(instruction.parts) == 1 and plain and part.kept == len(part.dims):
                (view,) = part.factors
                made = self.instructions[view.block]
                whole = view.offset == 0 and view.strides == contiguous(part.dims)
                if made is not None and whole and made.size == instruction.size:
                    return view.block
        return self._append(instruction)

    def _append(self, instruction: Any) -> int:
        self.instructions.append(instruction)
        return len(self.instructions) - 1


# ---- regular lists of places ----


def regular(places: list[int]) -> tuple[int, Pattern | None]:
    """Describe a list as nested runs of equal steps, innermost first; None if it is not that.

    >>> regular([5, 6, 7, 15, 16, 17])
    (5, [(3, 1), (2, 10)])
    >>> regular([0, 0, 1, 1])
    (0, [(2, 0), (2, 1)])
    >>> regular([0, 1, 3])
    (0, None)
    """
    pattern: Pattern = []
    level = places
    while len(level) > 1:
        step = level[1] - level[0]
        run = 2
        while run < len(level) and level[run] - level[run - 1] == step:
            run += 1
        if len(level) % run or not _repeats(level, run, step):
            return places[0], None
        pattern.append((run, step))
        level = level[::run]
    return places[0], pattern or [(1, 0)]


def _repeats(level: list[int], run: int, step: int) -> bool:
    """Whether each run of that length has that step."""
    reach = step * run
    return all(
        level[at : at + run]
        == (list(range(level[at], level[at] + reach, step)) if step else [level[at]] * run)
        for at in range(0, len(level), run)
    )


def _starts(rows: Sequence[Sequence[object]]) -> list[int]:
    """Where each row begins when all are laid end to end."""
    return list(itertools.accumulate(map(len, rows[:-1]), initial=0))


def _cuts(pattern: Pattern) -> set[int]:
    """The numbers of elements after which an inner dim of a pattern begins anew."""
    cuts, end = set(), 1
    for size, _ in pattern:
        end *= size
        cuts.add(end)
    return cuts


def _nested(cuts: set[int]) -> bool:
    """Whether dims that end at these numbers fit into one another."""
    ends = sorted(cuts)
    return all(end % before == 0 for before, end in itertools.pairwise(ends))


def _refined(pattern: Pattern, dims: list[int]) -> list[int]:
    """The strides of a pattern for finer dims, innermost first."""
    strides = []
    rest = iter(pattern)
    left, stride = next(rest)
    for size in dims:
        if left == 1:
            left, stride = next(rest, (size, 0))
        strides.append(stride)
        left //= size
        stride *= size
    return strides


def _kept(dims: Sequence[int], members: int) -> int:
    """How many of the outer dims make up the members."""
    kept, size = 0, 1
    while size < members:
        size *= dims[kept]
        kept += 1
    return kept
