"""Random programs of the patterns that real ones are made of, recorded as a trace records them."""

from __future__ import annotations

import itertools
import random

from chainrule import TABLE, Value, ops, softmax
from chainrule.compiler.graph import Graph
from chainrule.modes import Mode

_LARGE = 30.0


class Record(Mode):
    """The values that are made while it is open, in that order."""

    def __init__(self):
        self.values = []

    def made(self, value):
        self.values.append(value)


def in_creation_order(made, outputs, data=()):
    """The graph of groups of values, its nodes in the order in which they were made.

    Args:
        made: every value that was made.
        outputs: the groups.
        data: the leaves that are data.

    Returns:
        The graph, and the value of each node. What has no operands comes before its first use,
        and what no output depends on is part of it, as in a trace.
    """
    order = {}
    for value in [*made, *itertools.chain(*outputs)]:
        for x in (*value.operands, value):
            order.setdefault(id(x), x)
    values = list(order.values())
    node = {key: i for i, key in enumerate(order)}
    datum = {id(value) for value in data}
    names = ["datum" if id(value) in datum else value.op for value in values]
    graph = Graph(
        ["lookup" if name.startswith("lookup") else name for name in names],
        [tuple([node[id(x)] for x in value.operands]) for value in values],
        [value.data for value in values],
        [[node[id(value)] for value in group] for group in outputs],
    )
    return graph, values


def lookup(rows, index):
    """The row of that number; of an op that stands for `lookup` in the engine."""
    name = f"lookup_of_{len(rows)}"
    if name not in TABLE:
        operands = ("i", *[f"x{k}" for k in range(len(rows))])
        slopes = ["0", *[f"where(equal(i, {k}), 1, 0)" for k in range(len(rows))]]
        ops.Op(name, lambda i, *x: x[int(i)], *slopes, operands=operands, selects=True)
    return TABLE[name](index, *rows)


class RandomProgram:
    """A function of scalars: patterns that follow one another, of numbers and choices at random.

    Args:
        seed: of the numbers and choices.
        steps: names of the patterns.

    Attributes:
        outputs: groups of values; gradients are asked of the first.
        leaves: the parameters.
        graph, values: its nodes in the order in which they were made, and the value of each.
    """

    def __init__(self, seed, steps):
        self.rng = random.Random(seed)
        self.leaves = []
        self.data = []
        width = self.rng.randint(1, 4)
        with Record() as record:
            self.rows = [self._parameters(width) for _ in range(self.rng.randint(1, 3))]
            self.rows += [self._given(width) for _ in range(self.rng.randint(1, 3))]
            for name in steps:
                self.rows += [[_tame(x) for x in row] for row in getattr(self, name)()]
            self.outputs = self._outputs()
        self.graph, self.values = in_creation_order(record.values, self.outputs, self.data)

    def _parameters(self, count):
        self.leaves += (made := [Value(self.rng.uniform(-1.0, 1.0)) for _ in range(count)])
        return made

    def _given(self, count):
        self.data += (made := [Value(self.rng.uniform(-1.0, 1.0)) for _ in range(count)])
        return made

    def _row(self):
        """One of the latest rows, more often than not."""
        return self.rows[-1 - min(int(self.rng.expovariate(0.5)), len(self.rows) - 1)]

    def _outputs(self):
        """A loss or a few values, and perhaps more of which no gradient is asked."""
        last = [x for row in self.rows[-4:] for x in row]
        if self.rng.random() < 0.7:
            first = [sum(x * x for x in last) / len(last)]
        else:
            first = self.rng.sample(last, min(len(last), 3))
        more = [self._row() for _ in range(self.rng.choice((0, 0, 1, 2)))]
        return [first, *more]

    # ---- the patterns; each gives rows ----

    def layer(self):
        """The same weights for several rows."""
        width, size = len(self._row()), self.rng.randint(1, 4)
        rows = [row for row in self.rows[-6:] if len(row) == width]
        weights = [self._parameters(width) for _ in range(size)]
        bias = self._parameters(size) if self.rng.random() < 0.5 else [0.0] * size
        return [[sum(map(_product, w, row)) + b for w, b in zip(weights, bias)] for row in rows]

    def elementwise(self):
        name = self.rng.choice(("tanh", "relu", "sigmoid", "sin", "abs", "exp", "softplus", "elu"))
        return [[TABLE[name](_tame(x)) for x in self._row()]]

    def pairs(self):
        name = self.rng.choice(("add", "sub", "mul", "mul", "maximum", "minimum", "div"))
        return [[TABLE[name](x, y) for x, y in zip(self._row(), self._row())]]

    def differences(self):
        """Minus before brackets, and unary minus at both factors of a product."""
        x, y = self._row(), self._row()
        return [[a - (b - (a + b * a)) - -(-a * -b) for a, b in zip(x, y)]]

    def numbers(self):
        c = self.rng.choice((2.0, -1.0, 0.5, 3.0, 1.0, 0.0, -0.0))
        form = self.rng.choice(
            (lambda x: x * c, lambda x: c - x, lambda x: x / (c or 7.0), lambda x: (x * x + 1) ** c)
        )
        return [[form(x) for x in self._row()]]

    def powers(self):
        power = self.rng.choice((2, 2, 3, -1))
        return [[(x + 3 if power < 0 else x) ** power for x in self._row()]]

    def ragged(self):
        """Sums of all that came before, as in causal attention."""
        row, other = self._row(), self._row()
        terms = [x * y for x, y in zip(row, other)]
        return [[sum(terms[: k + 1]) for k in range(len(terms))]]

    def windows(self):
        """A convolution: windows that overlap, one kernel."""
        row = [*self._row(), *self._row()]
        size = self.rng.randint(1, min(3, len(row)))
        kernel = self._parameters(size)
        return [
            [sum(map(_product, kernel, row[at : at + size])) for at in range(len(row) - size + 1)]
        ]

    def attention(self):
        query, rows = self._row(), self.rows[-3:]
        fits = [sum(map(_product, query, row)) for row in rows]
        weights = softmax(fits)
        width = min(map(len, rows))
        return [[sum(w * row[j] for w, row in zip(weights, rows)) for j in range(width)]]

    def recurrence(self):
        state, found = self._row()[0], []
        (weight,) = self._parameters(1)
        for x in self._row():
            state = (weight * state + x).tanh()
            found.append(state)
        return [found]

    def masks(self):
        """What a datum decides, and what an earlier result does."""
        signs = [ops.relu(x) for x in self._given(len(self._row()))]
        condition = self.rng.choice((signs, [ops.relu(x) for x in self._row()]))
        return [[ops.where(m, x, y) for m, x, y in zip(condition, self._row(), self._row())]]

    def rows_by_number(self):
        """Rows of a table, which data choose."""
        width, count = self.rng.randint(1, 3), self.rng.randint(2, 4)
        table = [self._parameters(width) for _ in range(count)]
        if self.rng.random() < 0.3:
            table[0] = (self._row() * width)[:width]
        if self.rng.random() < 0.3:
            table = self.rng.choices(table, k=count)
        which = [Value(float(self.rng.randrange(count))) for _ in range(self.rng.randint(1, 3))]
        self.data += which
        return [[lookup([row[j] for row in table], i) for j in range(width)] for i in which]

    def shuffled(self):
        row = [x for row in self.rows[-3:] for x in row]
        return [[-x * 2 + 1 for x in self.rng.sample(row, len(row))]]

    def reduced(self):
        row = self._row()
        total = self.rng.choice((ops.sum, ops.mean, ops.logsumexp))(row)
        return [[x - total for x in row]]


def _product(x, y):
    return x * y


def _tame(x):
    """A number that later steps can take: nothing large."""
    return x if abs(x.data) < _LARGE else x.atan()


STEPS = [
    *("layer", "elementwise", "pairs", "differences", "numbers", "powers", "ragged", "windows"),
    *("attention", "recurrence", "masks", "rows_by_number", "shuffled", "reduced"),
]
