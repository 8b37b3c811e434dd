"""From the scalar graph to the array program: equal work is found and done together.

1. Chains of +, - and unary minus whose partial results are used once become one sum of many
   terms; a term may be a product of two factors. The 0 that `sum()` starts from is left out,
   which can only turn a 0.0 into -0.0.
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

from chainrule.compiler.places import cuts, kept_dims, nested, refined, regular
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
    in_order,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from chainrule.compiler.graph import Graph
    from chainrule.compiler.places import Pattern

_LEAVES, _NUMBERS, _DATA = range(3)  # the first classes, and their blocks
_GIVEN = {"": _LEAVES, "constant": _NUMBERS, "datum": _DATA}
_FEW = 4  # lengths that are told apart in a group of sums; more are summed by segments


def lift(graph: Graph) -> tuple[Program, list[int], list[int]]:
    """The array program of a scalar graph.

    Returns:
        The program, which node each element of its leaves is, and which each of its data is:
        leaves in the order in which the instructions use them, data in that of the nodes.
    """
    return Lifting(graph).program()


class Placed:
    """The array program of a scalar graph, and where in it each node is computed.

    Attributes:
        program: the program.
        blocks: of each node the block that holds its number, -1 if no instruction makes it alone:
            it is part of a sum, or nobody needs it.
        places: of each node which element of that block it is.

    >>> from chainrule.engine import Value
    >>> from chainrule.compiler.graph import read
    >>> a = Value(2.0)
    >>> placed = Placed(Lifting(read((a * a + a).tanh())[0]))
    >>> placed.blocks, placed.places  # of a, a * a, the sum and its tanh
    ([0, -1, 3, 4], [0, -1, 0, 0])
    """

    def __init__(self, made: Lifting) -> None:
        self.program, _, _ = made.program()
        needed, classes = made.chains.needed, made.class_of
        self.blocks = [made.block[classes[i]] if x else -1 for i, x in enumerate(needed)]
        self.places = [made.place[i] if x else -1 for i, x in enumerate(needed)]
        unread = {node: (_DATA, place) for place, node in enumerate(made.data)}
        for node, (block, place) in (unread | made.terms).items():
            self.blocks[node], self.places[node] = block, place


# ---- chains ----


class Chains:
    """What the outputs of a graph need, chains of one op being taken together.

    Attributes:
        needed: for each node, whether its number is needed for itself.
        products: for each node, whether it is a product that is a term of a sum.
        sums: of each sum that is needed, the terms that are added and those that are subtracted.
            A term is a node or, if it is a product, the node's number and that of all nodes.
        peaks: of each stopped gradient, the nodes whose greatest it is.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.uses = _uses(graph)
        self.needed = bytearray(len(graph.ops))
        self.products = bytearray(len(graph.ops))
        self.sums: dict[int, tuple[list[int], list[int]]] = {}
        self.peaks: dict[int, list[int]] = {}
        for node in itertools.chain(*graph.outputs):
            self.needed[node] = True
        for node in range(len(graph.ops) - 1, -1, -1):
            if self.needed[node]:
                self._follow(node)

    def _follow(self, node: int) -> None:
        op = self.graph.ops[node]
        if op in ("add", "sub", "neg", "mul"):
            self.sums[node] = self._sum(node)
        else:
            operands: Sequence[int] = self.graph.operands[node]
            if op == "stop_gradient":
                operands = self.peaks[node] = self._peak(*operands)
            for operand in operands:
                self.needed[operand] = True

    def _sum(self, root: int) -> tuple[list[int], list[int]]:
        """The terms in the order written: an operand used elsewhere too is a term by itself."""
        ops, operands, uses, needed = self.graph.ops, self.graph.operands, self.uses, self.needed
        added: list[int] = []
        subtracted: list[int] = []
        todo = [root]  # the next one last; ~node where it is subtracted
        while todo:
            signed = todo.pop()
            node = signed if signed >= 0 else ~signed
            op = ops[node]
            inside = uses[node] == 1 or node == root
            if inside and op == "mul":
                left, right = operands[node]
                needed[left] = needed[right] = self.products[node] = True
                (added if signed >= 0 else subtracted).append(node + len(ops))
            elif inside and op == "add":
                left, right = operands[node]
                todo += (right, left) if signed >= 0 else (~right, ~left)
            elif inside and op == "sub":
                left, right = operands[node]
                todo += (~right, left) if signed >= 0 else (right, ~left)
            elif inside and op == "neg":
                todo.append(~operands[node][0] if signed >= 0 else operands[node][0])
            elif op != "constant" or self.graph.numbers[node] != 0.0:
                needed[node] = True
                (added if signed >= 0 else subtracted).append(node)
        return added, subtracted

    def _peak(self, node: int) -> list[int]:
        """The terms of a chain of `maximum`; of anything else, it alone."""
        terms = []
        while self.graph.ops[node] == "maximum" and self.uses[node] == 1:
            node, right = self.graph.operands[node]
            terms.append(right)
        return [node, *reversed(terms)]


def _uses(graph: Graph) -> list[int]:
    """How often each node is an operand or asked for."""
    uses = [0] * len(graph.ops)
    for nodes in (graph.operands, graph.outputs):
        for node in itertools.chain.from_iterable(nodes):
            uses[node] += 1
    return uses


# ---- classes and groups ----


class Lifting:
    """The state of one lift: classes, the places of nodes in their blocks, instructions.

    Attributes:
        class_of: the class of each node and then, of each product in a sum, that of its factors.
        groups: the nodes of each class that something computes.
        place: where each node is in the block of its class, -1 for a leaf not used so far.
        terms: where products are that are terms of sums and have a block all the same.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.chains = Chains(graph)
        self.data = [node for node, op in enumerate(graph.ops) if op == "datum"]
        self.leaves: list[int] = []
        self.numbers: list[float] = []
        self.place = [-1] * len(graph.ops)
        self.terms: dict[int, tuple[int, int]] = {}
        self._lay_out()
        self.class_of = [0] * (2 * len(graph.ops))
        self.groups: dict[int, list[int]] = {}
        self._classify()
        self.block = {_LEAVES: _LEAVES, _NUMBERS: _NUMBERS, _DATA: _DATA}
        self.gathered: dict[tuple[int, tuple[int, ...]], int] = {}
        self.instructions: list[Any] = [*(Leaves(0), Numbers(self.numbers), Data(len(self.data)))]

    def program(self) -> tuple[Program, list[int], list[int]]:
        """Make the block of each group; classes are numbered with operands first."""
        for number, group in self.groups.items():
            self._place(group)
            self.block[number] = self._added(self._instruction(group))
        outputs = [self._together(nodes, fresh=True) for nodes in self.graph.outputs]
        self.instructions[_LEAVES] = Leaves(len(self.leaves))
        return Program(self.instructions, outputs), self.leaves, self.data

    def _place(self, nodes: Sequence[int]) -> None:
        """These nodes stand in their block in this order."""
        for place, node in enumerate(nodes):
            self.place[node] = place

    def _lay_out(self) -> None:
        """The places of data in the order of nodes, and of numbers, each of which stands once."""
        self._place(self.data)
        known: dict[bytes, int] = {}
        for node, op in enumerate(self.graph.ops):
            if op == "constant" and self.chains.needed[node]:
                number = self.graph.numbers[node]
                self.place[node] = known.setdefault(struct.pack("d", number), len(known))
                if len(known) > len(self.numbers):
                    self.numbers.append(number)

    def _classify(self) -> None:
        ops, operands, class_of = self.graph.ops, self.graph.operands, self.class_of
        known: dict[Any, int] = dict.fromkeys(_GIVEN, 0)
        kept = zip(itertools.count(), ops, self.chains.products, self.chains.needed)
        for node, op, is_product, is_needed in kept:
            if is_product:
                left, right = operands[node]
                key: Any = (class_of[left], class_of[right])
                class_of[len(ops) + node] = known.setdefault(key, len(known))
            if is_needed:
                if op in _GIVEN:
                    class_of[node] = _GIVEN[op]
                else:
                    number = class_of[node] = known.setdefault(self._key(node), len(known))
                    self.groups.setdefault(number, []).append(node)

    def _key(self, node: int) -> Any:
        """What the members of a group have in common."""
        class_of = self.class_of.__getitem__
        if node in self.chains.sums:
            return "sum", *[tuple(sorted({*map(class_of, x)})) for x in self.chains.sums[node]]
        if node in self.chains.peaks:
            return "greatest of", *sorted({*map(class_of, self.chains.peaks[node])})
        return self.graph.ops[node], *map(class_of, self.graph.operands[node])

    # ---- one group, one instruction ----

    def _instruction(self, group: list[int]) -> Any:
        """What makes the block of a group."""
        if group[0] in self.chains.sums:
            return self._sum(group)
        if any(len(self.chains.peaks.get(node, ())) > 1 for node in group):
            return self._peak(group)
        return self._lookup(group) if self.graph.ops[group[0]] == "lookup" else self._map(group)

    def _map(self, group: list[int]) -> Map:
        columns = zip(*[self.graph.operands[node] for node in group])
        dims, views = self._views([self._places(column) for column in columns], len(group), 1)
        return Map(self.graph.ops[group[0]], None, dims, views)

    def _lookup(self, group: list[int]) -> Lookup:
        """The row that each member chooses of its own."""
        which = [self.graph.operands[node][0] for node in group]
        rows = [self.graph.operands[node][1:] for node in group]
        block, firsts, stride = self._rows(rows)
        dims, (view,) = self._views([self._places(which)], len(group), 1)
        return Lookup(block, Rows(firsts, stride, len(rows[0]), dims, view))

    def _rows(self, rows: list[tuple[int, ...]]) -> tuple[int, list[int], int]:
        """The block of all rows, where each row 0 is, and how far the next is from it."""
        count = len(rows[0])
        if len({self.class_of[node] for row in rows for node in row}) == 1:
            block, places = self._places([node for row in rows for node in row])
            stride = places[1] - places[0] if count > 1 else 0
            firsts = places[::count]
            if places == [first + stride * k for first in firsts for k in range(count)]:
                return block, firsts, stride
        distinct = {row: i * count for i, row in enumerate(dict.fromkeys(rows))}
        block = self._together([node for row in distinct for node in row])
        return block, [distinct[row] for row in rows], 1

    def _peak(self, group: list[int]) -> Any:
        """The greatest of the terms of each class, and of these the greatest."""
        made: Any = None
        for rows in self._by_kind([self.chains.peaks[node] for node in group]).values():
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
        added, subtracted = zip(*[self.chains.sums[node] for node in group])
        kinds = [(1.0, rows) for rows in self._by_kind(added).values()]
        kinds += [(-1.0, rows) for rows in self._by_kind(subtracted).values()]
        lengths = list(zip(*[map(len, rows) for _, rows in kinds]))
        alike: dict[Any, list[int]] = {}
        for i, length in enumerate(lengths):
            alike.setdefault(length, []).append(i)
        if not 1 < len(alike) <= _FEW:
            return Sum(len(group), [(None, self._part(sign, rows)) for sign, rows in kinds])
        parts: list[tuple[View | None, Part]] = []
        placed: list[int] = []
        for _, chosen in sorted(alike.items()):
            for sign, rows in kinds:
                part = self._part(sign, [rows[i] for i in chosen])
                parts.append((_target(len(placed), part.dims[: part.kept]), part))
            placed += [group[i] for i in chosen]
        self._place(placed)
        return Sum(len(group), parts)

    def _by_kind(self, rows: Sequence[list[int]]) -> dict[int, list[list[int]]]:
        """Of each row the terms of each kind."""
        class_of = self.class_of
        kinds = sorted(set(map(class_of.__getitem__, itertools.chain.from_iterable(rows))))
        if len(kinds) == 1:
            return {kinds[0]: list(rows)}
        return {kind: [[x for x in row if class_of[x] == kind] for row in rows] for kind in kinds}

    def _part(self, sign: float, rows: list[list[int]]) -> Part:
        """The sum over the terms of each row, one row for each member."""
        terms = list(itertools.chain.from_iterable(rows))
        columns = self._columns(terms)
        if not all(pattern for _, pattern in [regular(places) for _, places in columns]):
            order = _by_first_factor(columns[0][1], rows)
            terms = [terms[i] for i in order]
            columns = self._columns(terms)
        length, total = len(rows[0]), len(terms)
        if all(len(row) == length for row in rows):
            dims, views = self._views(columns, total, length)
            kept = len(dims) if length == 1 else kept_dims(dims, len(rows))
            return Part(sign, dims, kept, views)
        dims, views = self._views(columns, total, 1)
        block = self._added(Sum(total, [(None, Part(sign, dims, len(dims), views))]))
        if sign == 1.0:
            self._note_products(terms, block)
        sums = self._append(Segments(block, _starts(rows)))
        return Part(1.0, (len(rows),), 1, [View(sums, 0, (1,))])

    def _note_products(self, terms: list[int], block: int) -> None:
        """Products that are terms of sums stand in this block, in this order."""
        count = len(self.graph.ops)
        for place, term in enumerate(terms):
            if term >= count:
                self.terms[term - count] = block, place

    def _columns(self, terms: list[int]) -> list[tuple[int, list[int]]]:
        """Where the terms are, all of one kind; of products, where either factor is."""
        count = len(self.graph.ops)
        if terms[0] < count:
            return [self._places(terms)]
        factors = [self.graph.operands[term - count] for term in terms]
        return [self._places([pair[side] for pair in factors]) for side in (0, 1)]

    # ---- where operands stand ----

    def _places(self, nodes: Sequence[int]) -> tuple[int, list[int]]:
        """The block of these nodes, all of one class, and where in it each of them is."""
        number = self.class_of[nodes[0]]
        if number == _LEAVES:
            for node in nodes:
                if self.place[node] < 0:
                    self.place[node] = len(self.leaves)
                    self.leaves.append(node)
        return self.block[number], [self.place[node] for node in nodes]

    def _together(self, nodes: Sequence[int], fresh: bool = False) -> int:
        """A block of these nodes in this order; a fresh one is none that is given to a run."""
        runs = [list(run) for _, run in itertools.groupby(nodes, self.class_of.__getitem__)]
        if len(runs) == 1:
            block = self._gather(*self._places(nodes))
            if not fresh or block > _DATA:
                return block
        parts: list[tuple[View | None, Part]] = []
        start = 0
        for run in runs:
            dims, views = self._views([self._places(run)], len(run), 1)
            parts.append((_target(start, dims), Part(1.0, dims, len(dims), views)))
            start += len(run)
        return self._append(Sum(len(nodes), parts))

    def _views(
        self, columns: list[tuple[int, list[int]]], total: int, inner: int
    ) -> tuple[tuple[int, ...], list[View]]:
        """Views of common dims, of which the innermost make up `inner`, for lists of places."""
        patterns: list[tuple[int, int, Pattern]] = []
        ends = {inner, total}
        for block, places in columns:
            offset, pattern = regular(places)
            if pattern is None or not nested(ends | cuts(pattern)):
                block, offset, pattern = self._gather(block, places), 0, [(total, 1)]
            ends |= cuts(pattern)
            patterns.append((block, offset, pattern))
        outer = sorted(ends - {1}) or [1]
        dims = [end // before for before, end in zip([1, *outer], outer)]
        views = [View(block, at, refined(pattern, dims)[::-1]) for block, at, pattern in patterns]
        return tuple(dims[::-1]), views

    def _gather(self, block: int, places: list[int]) -> int:
        """A block of the elements in these places, once for all that read them."""
        if block > _LEAVES and places == list(range(self.instructions[block].size)):
            return block
        key = block, tuple(places)
        if key not in self.gathered:
            self.gathered[key] = self._append(Gather(block, places))
        return self.gathered[key]

    def _added(self, instruction: Any) -> int:
        """The block of an instruction; of one that only copies a block, that block."""
        if isinstance(instruction, Sum) and len(instruction.parts) == 1:
            target, part = instruction.parts[0]
            plain = target is None and part.scale == 1.0 and len(part.factors) == 1
            if plain and part.kept == len(part.dims):
                (view,) = part.factors
                whole = view.offset == 0 and in_order(view, part.dims) and view.block
                if whole and self.instructions[view.block].size == instruction.size:
                    return view.block
        return self._append(instruction)

    def _append(self, made: Any) -> int:
        block = len(self.instructions)
        self.instructions.append(made.at(block) if isinstance(made, Sum) else made)
        return block


def _target(start: int, dims: Sequence[int]) -> View:
    """The view that begins at a place of the block to be made."""
    return View(-1, start, contiguous(dims))


def _by_first_factor(places: list[int], rows: Sequence[Sequence[int]]) -> list[int]:
    """The order in which the terms of each row are sorted by where their first factors are."""
    ends = zip(_starts(rows), itertools.accumulate(map(len, rows)))
    return [i for start, end in ends for i in sorted(range(start, end), key=places.__getitem__)]


def _starts(rows: Sequence[Sequence[object]]) -> list[int]:
    """Where each row begins when all are laid end to end."""
    return list(itertools.accumulate(map(len, rows[:-1]), initial=0))
