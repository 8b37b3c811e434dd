"""One element of a block: which elements it is computed from, and the formula spelled out."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from chainrule.compiler.program import (
    Gather,
    Given,
    Lookup,
    Map,
    Placed,
    Program,
    Scatter,
    Segments,
    Selected,
    Sum,
)
from chainrule.viz import spelled
from chainrule.viz.elements import NUMBERS, Element, Term, count_of, operands, terms_of
from chainrule.viz.replay import Cell
from chainrule.viz.spelled import Line, bracketed
from chainrule.viz.svg import short_number

Word = Callable[[Element], str]  # what stands for an element: its name, its number

_FIRST = 5  # terms of a longer sum that are spelled out


class Members:
    """The elements of a program's blocks, with their numbers.

    Args:
        program: the program.
        numbers: of each block the numbers that a run found.
        name: what an element is called.
    """

    def __init__(self, program: Program, numbers: Sequence[Sequence[float]], name: Word) -> None:
        self.program = program
        self.numbers = numbers
        self.name = name

    def number(self, element: Element) -> float:
        """The number of an element."""
        return self.numbers[element[0]][element[1]]

    def reads(self, element: Element) -> list[Element]:
        """The elements that one is computed from, each once."""
        made = self.program.instructions[element[0]]
        if isinstance(made, Map | Selected):
            return [*dict.fromkeys(operands(made, element[1]))]
        return [*dict.fromkeys([x for term in self._terms(element) for x in term.factors])]

    def lines(self, element: Element) -> list[Line]:
        """The formula of an element, in names and in numbers."""
        made = self.program.instructions[element[0]]
        if isinstance(made, Given):
            return []
        if isinstance(made, Map):
            return self._op(element, made) if made.rule is None else self._rule(element, made)
        if isinstance(made, Segments) and made.op == "maximum":
            return self._greatest(element)
        if isinstance(made, Selected):
            return self._selected(element, made)
        return self._sum(element)

    # ---- the terms of a sum ----

    def _terms(self, element: Element) -> Iterator[Term]:
        block, place = element
        made = self.program.instructions[block]
        if isinstance(made, Sum):
            for target, part in made.parts:
                yield from terms_of(target, part, place)
        elif isinstance(made, Placed):
            for source in self._sources(made, place):
                yield Term(1.0, ((made.block, source),))

    def _count(self, element: Element) -> int:
        """How many terms there are."""
        block, place = element
        made = self.program.instructions[block]
        if isinstance(made, Sum):
            return sum([count_of(target, part, place) for target, part in made.parts])
        return len(self._sources(made, place)) if isinstance(made, Placed) else 0

    def _sources(self, made: Placed, place: int) -> Sequence[int]:
        """The places that go into one element, where these are listed one by one."""
        if isinstance(made, Segments):
            ends = [*made.starts[1:], self.program.instructions[made.block].size]
            return range(made.starts[place], ends[place])
        if isinstance(made, Gather):
            return [made.indices[place]]
        if isinstance(made, Scatter):
            return [i for i, to in enumerate(made.indices) if to == place]
        places = made.rows.places(self.numbers[made.rows.which.block])
        if isinstance(made, Lookup):
            return [places[place]]
        return [i for i, to in enumerate(places) if to == place]

    # ---- in names and in numbers ----

    def _short(self, element: Element) -> str:
        return short_number(self.number(element))

    def _sum(self, element: Element) -> list[Line]:
        terms = [*islice(self._terms(element), _FIRST + 1)]
        more = self._count(element) - len(terms[:_FIRST])
        shown = terms if more <= 1 else terms[:_FIRST]
        tail = f" + ... {more:,} more terms" if more > 1 else ""
        symbols, numbers = added(shown, self.name) + tail, added(shown, self._short) + tail
        name, result = self.name(element), self._short(element)
        return [
            ("in symbols", f"{name} = {symbols}"),
            ("in numbers", f"{name} = {_without_repeats([numbers, result])}"),
        ]

    def _greatest(self, element: Element) -> list[Line]:
        found = self.reads(element)
        more = [f"{len(found) - _FIRST} more"] if len(found) > _FIRST else []
        names = [*map(self.name, found[:_FIRST]), *more]
        numbers = [*map(self._short, found[:_FIRST]), *more]
        name = self.name(element)
        return [
            ("in symbols", f"{name} = the greatest of {', '.join(names)}"),
            ("in numbers", f"the greatest of {', '.join(numbers)} = {self._short(element)}"),
        ]

    def _op(self, element: Element, made: Map) -> list[Line]:
        cells = self._cells(element, operands(made, element[1]), made.op)
        return spelled.forward(cells, len(cells) - 1)

    def _rule(self, element: Element, made: Map) -> list[Line]:
        """The derivative of an op by one of its operands."""
        value, *found = operands(made, element[1])
        cells = self._cells(value, found, made.op)
        slot = made.rule or 0
        return [("derivative", spelled.derivative(cells, cells[-1], slot, self.number(element)))]

    def _selected(self, element: Element, made: Selected) -> list[Line]:
        """What an op that selects passes on."""
        gradient, slope = operands(made, element[1])
        if self.number(slope) == 0.0:
            return [("passed on", f"nothing, for {self.name(slope)} is 0: it was not chosen")]
        term, result = [Term(1.0, (gradient, slope))], self._short(element)
        name = self.name(element)
        return [
            ("in symbols", f"{name} = {added(term, self.name)}"),
            ("in numbers", f"{name} = {_without_repeats([added(term, self._short), result])}"),
        ]

    def _cells(self, value: Element, found: Sequence[Element], op: str) -> list[Cell]:
        """An op's operands, and what it makes."""
        cells = [
            Cell(self.name(x), "constant" if x[0] == NUMBERS else "", self.number(x)) for x in found
        ]
        own = tuple(range(len(found)))
        return [*cells, Cell(self.name(value), op, self.number(value), own)]


def added(terms: Sequence[Term], word: Word) -> str:
    """Terms as a sum.

    >>> added([Term(1.0, ((0, 0),)), Term(-2.0, ((0, 1), (3, 0)))], lambda x: f"b{x[0]}[{x[1]}]")
    'b0[0] - 2 * b0[1] * b3[0]'
    """
    texts = []
    for term in terms:
        factors = [_factor(word(x)) for x in term.factors]
        scale = [short_number(abs(term.scale))] if abs(term.scale) != 1.0 or not factors else []
        sign = "-" if math.copysign(1.0, term.scale) < 0.0 else "+"
        texts.append(f"{sign} {' * '.join([*scale, *factors])}")
    text = " ".join(texts).removeprefix("+ ")
    return f"-{text[2:]}" if text.startswith("- ") else text or "0"


def _factor(text: str) -> str:
    return text if text.startswith("d(") else bracketed(text)


def _without_repeats(parts: Sequence[str]) -> str:
    return " = ".join(dict.fromkeys(parts))
