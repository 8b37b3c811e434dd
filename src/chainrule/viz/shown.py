"""What a page shows of a program beside its scalars, for JSON."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from chainrule.compiler.program import Given
from chainrule.viz import reading, svg
from chainrule.viz.beside import Beside
from chainrule.viz.elements import LEAVES, Element
from chainrule.viz.lit import MOST, Whole, drawing, sample
from chainrule.viz.reading import counted
from chainrule.viz.spelled import Line

State = dict[str, Any]

_OF_A_PASS = 200  # instructions that are shown, of the forward pass and of the backward one
_LISTED, _LISTED_OF_ALL = 24, 600  # elements that are spelled out, where not all values are drawn
_STEPS, _STEPS_OF_ALL = 12, 240  # ops of a sample, and of all samples
_SAMPLES = 60
_LINES, _SOURCE = 10, 600  # lines of generated source with an instruction, and of the whole


def show(beside: Beside) -> State:
    """All that a page shows; instructions and boxes of drawings are told by their places."""
    page = _Page(beside)
    return {
        "title": title(beside),
        "about": page.about(),
        "whole": isinstance(page.drawn, Whole),
        "picture": page.picture(page.drawn.picture, page.drawn.leads),
        "instructions": [page.instruction(block) for block in page.blocks],
        "samples": page.samples,
        "source": _cut(beside.call.runner.source.splitlines(), _SOURCE),
    }


def title(beside: Beside) -> str:
    """The heading of the page."""
    values = counted(len(beside.scalars.values), "value", "values")
    return f"{beside.call.name}: {values} as {counted(_computing(beside, 'forward'), *_MADE)}"


_MADE = "instruction", "instructions"


def _computing(beside: Beside, phase: str) -> int:
    """How many instructions of a pass compute something."""
    made = enumerate(beside.program.instructions)
    return sum(not isinstance(x, Given) and beside.phase(i) == phase for i, x in made)


class _Page:
    """What does not change from instruction to instruction.

    Attributes:
        drawn: the drawing.
        blocks: those whose instructions are shown.
        samples: drawings of how single scalars are computed, as far as instructions were shown.
    """

    def __init__(self, beside: Beside) -> None:
        self._beside = beside
        self.drawn = drawing(beside)
        count = len(beside.program.instructions)
        passes = range(beside.program.forward), range(beside.program.forward, count)
        self.blocks = [*passes[0][:_OF_A_PASS], *passes[1][:_OF_A_PASS]]
        self._place = {block: place for place, block in enumerate(self.blocks)}
        forward = max(1, beside.program.forward)
        self._steps = max(3, min(_STEPS, _STEPS_OF_ALL // forward))
        few = max(1, min(_LISTED, _LISTED_OF_ALL // len(self.blocks)))
        self._listed = MOST if isinstance(self.drawn, Whole) else few
        self._lines = source_lines(beside.call.runner.source)
        self._sizes = [x.size for x in beside.program.instructions]
        self._sampled: dict[int, int] = {}
        self.samples: list[State] = []

    def about(self) -> str:
        """What is said of the whole program."""
        beside, backward = self._beside, _computing(self._beside, "backward")
        runs = "NumPy calls" if beside.call.runner.name == "numpy" else "plain Python"
        cut = len(self.blocks) < len(beside.program.instructions)
        parts = [
            f"The numbers are those of {beside.call.moment}.",
            f"{counted(backward, 'more gives', 'more give')} the gradients." if backward else "",
            f"All run as {runs}.",
            f"The first {_OF_A_PASS} of either pass are shown." if cut else "",
        ]
        return " ".join(filter(None, parts))

    def picture(self, drawn: str, leads: Sequence[Element | None]) -> State:
        """A drawing, and where its boxes lead: an instruction, and an element in its list."""
        found = []
        for lead in leads:
            block, place = lead or (-1, 0)
            listed = place if place < self._listed else -1
            found.append([self._place[block], listed] if block in self._place else None)
        return {"svg": drawn, "leads": found}

    def instruction(self, block: int) -> State:
        """One instruction with its values."""
        beside, made = self._beside, self._beside.instruction(block)
        listed = min(made.size, self._listed)
        return {
            "name": f"b{block}",
            "size": made.size,
            "text": str(made),
            "phase": beside.phase(block),
            "returned": block in beside.program.outputs,
            "summary": self._summary(block),
            "facts": [*self._facts(block)],
            "marks": self.drawn.marks(block),
            "members": [self._member((block, place)) for place in range(listed)],
            "sample": self._sample(block),
        }

    def _summary(self, block: int) -> str:
        """What an instruction computes, in a line: of the scalars, if it is of some."""
        words = reading.summary(self._beside.instruction(block))
        of = self._of_what(block)
        return f"{of}: {words}" if of else words

    def _of_what(self, block: int) -> str:
        """Whose gradients a block holds, if these are what it holds."""
        about = self._beside.about((block, 0)) if self._beside.instruction(block).size else None
        home = self._beside.scalars.elements[about[0]] if about else None
        if not about or not home or about[1] in ("number", "slope"):
            return ""
        whose = "the leaves" if home[0] == LEAVES else f"b{home[0]}"
        return f"{'copies' if about[1] == 'copy' else 'gradients'} of {whose}"

    def _facts(self, block: int) -> Iterator[Line]:
        beside, made = self._beside, self._beside.instruction(block)
        yield "computes", self._summary(block)
        yield from (("shape", line) for line in reading.shapes(made))
        yield from (("reads", line) for line in reading.readings(made, self._sizes))
        yield "claim", reading.claim(made)
        fired = dict.fromkeys(beside.fired.get(block, []))
        yield from (("rewritten", f"{each.name} ({each.claim})") for each in fired)
        yield from self._agreement(block)
        if not isinstance(made, Given):
            yield "runs as", self._line_of(block)

    def _line_of(self, block: int) -> str:
        """The generated lines of an instruction."""
        if block not in self._lines:
            later = range(block, len(self._beside.program.instructions))
            reader = next(i for i in later if block in self._beside.sources(i))
            return f"no line of its own: it is written out in those of b{reader}"
        lines = self._lines[block]
        return _cut(lines, _LINES) if lines else "no line: its numbers stand somewhere already"

    def _agreement(self, block: int) -> Iterator[Line]:
        """How near the numbers of the program are to those of the engine."""
        if isinstance(self._beside.instruction(block), Given):
            return
        size = self._beside.instruction(block).size
        elements = [(block, place) for place in range(size)]
        both = [(self._beside.members.number(x), self._beside.by_engine(x)) for x in elements]
        pairs = [(found, right) for found, right in both if right is not None]
        if pairs:
            yield "agrees", f"with the engine in {agreement(pairs)}"

    def _member(self, element: Element) -> State:
        """One element, spelled out."""
        name = self._beside.members.name(element)
        boxes = self.drawn.boxes(element) if isinstance(self.drawn, Whole) else []
        number = svg.number(self._beside.members.number(element))
        return {"name": name, "number": number, "lines": [*self._lines_of(element)], "boxes": boxes}

    def _lines_of(self, element: Element) -> Iterator[Line]:
        beside = self._beside
        lines = beside.members.lines(element)
        about = beside.about(element)
        if about and about[1] == "number" and lines:
            text = f"{beside.names.node(about[0])} = {beside.written.expression(about[0])}"
            if text not in [line for _, line in lines]:
                yield "as written", text
        yield from lines
        found, right = beside.members.number(element), beside.by_engine(element)
        if not lines or right is None:
            yield "number", repr(found)
        elif repr(found) == repr(right):
            yield "both give", repr(found)
        else:
            yield "the program", repr(found)
            yield "the engine", repr(right)

    def _sample(self, block: int) -> int:
        """Which drawing shows how the scalar of its first element is computed; -1 for none."""
        about = self._beside.about((block, 0)) if self._beside.instruction(block).size else None
        if isinstance(self.drawn, Whole) or not about:
            return -1
        node = about[0]
        is_new = node not in self._sampled and len(self.samples) < _SAMPLES
        if is_new and self._beside.scalars.graph.operands[node]:
            boxes = sample(self._beside, node, self._steps)
            drawn = self.picture(svg.picture(boxes.nodes, part=True), boxes.leads)
            self._sampled[node] = len(self.samples)
            self.samples.append({"name": self._beside.names.node(node), "picture": drawn})
        return self._sampled.get(node, -1)


def _cut(lines: Sequence[str], most: int) -> str:
    """The first lines of a text."""
    more = [f"... {len(lines) - most:,} more lines"] if len(lines) > most else []
    return "\n".join([*lines[:most], *more])


def agreement(pairs: Sequence[tuple[float, float]]) -> str:
    """How near numbers are to those that are right.

    >>> agreement([(1.0, 1.0), (2.0, 2.0)]), agreement([(1.0, 1.0), (2.0, 2.5)])
    ('all numbers to the last bit', '1 of 2 numbers to the last bit, in the others within 5.0e-01')
    """
    same = sum(repr(found) == repr(right) for found, right in pairs)
    if same == len(pairs):
        return "all numbers to the last bit"
    furthest = max([abs(found - right) for found, right in pairs if found != right], default=0.0)
    return (
        f"{same:,} of {len(pairs):,} numbers to the last bit, in the others within {furthest:.1e}"
    )


def source_lines(source: str) -> dict[int, list[str]]:
    """The lines of generated source that each block became.

    >>> source_lines("def forward():\\n    # b3[2] = map tanh(b0@0:1) over 2\\n    tanh(b0, b3)\\n")
    {3: ['tanh(b0, b3)']}
    """
    found: dict[int, list[str]] = {}
    lines: list[str] = []
    for line in source.splitlines():
        comment = re.match(r"    # b(\d+)\[", line)
        if comment:
            lines = found.setdefault(int(comment[1]), [])
        elif line.startswith("    "):
            lines.append(line[4:])
        else:
            lines = []
    return found
