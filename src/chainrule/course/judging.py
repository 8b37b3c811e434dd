"""What is said of an answer: that it is right, or why it is wrong.

An answer is never read, but looked at: small programs use it, and what they give is compared with
what they give for a right answer and for each wrong one that is foreseen. So an answer may be a
number, a list, a function or a class, written in any way.
"""

from __future__ import annotations

import math
import sys
import textwrap
from numbers import Real
from types import FunctionType
from typing import Any, NamedTuple

from chainrule.arguments import check_choice
from chainrule.errors import ChainruleError

_LEAST = 0.01  # numbers nearer to 0 than this are compared as if they were this far


class Wrong(NamedTuple):
    """An answer that is foreseen, and why it is wrong."""

    answer: Any
    why: str


class Exercise(NamedTuple):
    """What is known of an exercise.

    Attributes:
        right: a right answer.
        because: what is said of a right answer.
        wrong: the wrong answers that are foreseen.
        otherwise: what is said of all other answers.
        name: what programs call the answer.
        programs: programs that use the answer, each of which ends in an expression; none, if the
            answer is a number, a text or a list of these.
        names: what else programs may use.
        within: how far numbers may differ, as a part of the right one.
    """

    right: Any
    because: str
    wrong: list[Wrong]
    otherwise: str
    name: str = "answer"
    programs: list[str] = []
    names: dict[str, Any] = {}
    within: float = 1e-3


class Verdict(NamedTuple):
    """What is said of an answer; `right` is None if there is none yet."""

    right: bool | None
    words: str


class _Raised(NamedTuple):
    error: str
    message: str


class _Other(NamedTuple):
    kind: str


def check(number: str, answer: Any) -> None:
    """Print whether an answer is right, and if not, why.

    Args:
        number: the exercise, as "1.1".
        answer: a number, a list, a function or a class, as the exercise asks.

    Raises:
        ArgumentError: there is no such exercise.

    >>> check("1.1", 14.0)
    ✗ 1.1: not right. The slope of -2x is -2, not 2: that term leads down as x grows.
    """
    verdict = judge(number, answer)
    mark, word = _SIGNS[verdict.right]
    words = _wrapped(f"{mark} {number}: {word}. {verdict.words}")
    encoding = sys.stdout.encoding or "utf-8"  # which may know neither the mark nor a ²
    print(words.encode(encoding, "replace").decode(encoding))


_SIGNS = {True: ("✓", "right"), False: ("✗", "not right"), None: ("…", "no answer yet")}


def judge(number: str, answer: Any) -> Verdict:
    """What is to be said of an answer.

    Args:
        number: the exercise, as "1.1".
        answer: whatever the learner gave; no type of answer is an error.

    Raises:
        ArgumentError: there is no such exercise.

    >>> judge("1.1", 10).right
    True
    """
    from chainrule.course.exercises import EXERCISES

    check_choice("exercise", number, list(EXERCISES))
    return _judged(EXERCISES[number], answer)


def _judged(exercise: Exercise, answer: Any) -> Verdict:
    seen, right = look(exercise, answer), look(exercise, exercise.right)
    if answer is None or answer is ... or any(found is ... for found in seen):
        return Verdict(None, "Replace the three dots, and run the cell again.")
    needed = kind(plain(exercise.right))
    if len(seen) != len(right) or (callable(exercise.right) and not callable(answer)):
        words = f"Your answer is {kind(plain(answer))}, not {needed}. {exercise.otherwise}"
        return Verdict(False, _foreseen(exercise, seen, 0) or words)
    wrong = [i for i in range(len(right)) if not alike(seen[i], right[i], exercise.within)]
    if not wrong:
        return Verdict(True, exercise.because)
    first = wrong[0]
    why = _foreseen(exercise, seen, first)
    return Verdict(False, why or _unforeseen(exercise, first, seen[first], right[first]))


def _foreseen(exercise: Exercise, seen: list[Any], first: int) -> str | None:
    """Why an answer is wrong that does what a foreseen one does, where it first goes wrong."""
    best, why = 0, None
    for wrong in exercise.wrong:
        known = look(exercise, wrong.answer)
        agree = [alike(a, b, exercise.within) for a, b in zip(seen, known)]
        if len(known) == len(seen) > first and agree[first] and sum(agree) > best:
            best, why = sum(agree), wrong.why
    return why


def _unforeseen(exercise: Exercise, place: int, seen: Any, right: Any) -> str:
    """What can be said of any answer: what it gave where, and what kind of thing is needed."""
    if isinstance(seen, _Raised):
        shown = textwrap.indent(exercise.programs[place], "    ")
        return f"This raises {kind(seen)}:\n\n{shown}\n\n{exercise.otherwise}"
    found, needed = kind(seen), kind(right)
    same = f"{_shown(seen)}, which is not right"
    told = same if found == needed else f"{found}, not {needed}"
    return f"{_subject(exercise, place)} is {told}. {exercise.otherwise}"


def _subject(exercise: Exercise, place: int) -> str:
    """What it is that is not right, as the beginning of a sentence."""
    if not exercise.programs:
        listed = isinstance(exercise.right, list)
        return f"Number {place + 1} of your list" if listed else "Your answer"
    *before, last = exercise.programs[place].splitlines()
    after = textwrap.indent("\n".join(before), "    ")
    return f"After\n\n{after}\n\n`{last}`" if before else f"`{last}`"


# ---- looking at an answer ----


def look(exercise: Exercise, answer: Any) -> list[Any]:
    """What each program of the exercise gives for an answer, in a form that can be compared.

    Without programs it is the answer itself, and of a list each element.
    """
    if exercise.programs:
        return [_given(program, exercise, answer) for program in exercise.programs]
    found = plain(answer)
    listed = isinstance(found, list) and isinstance(exercise.right, list)
    return found if listed else [found]


def _given(program: str, exercise: Exercise, answer: Any) -> Any:
    """What the last line of a program gives, or how it failed: answers may do anything."""
    *before, last = program.splitlines()
    names = exercise.names | {exercise.name: _watched(answer)}
    try:
        exec("\n".join(before), names)
        return plain(eval(last, names))
    except _UnansweredError:
        return ...
    except RecursionError:
        return _Raised("RecursionError", "it calls itself without end")
    except (Exception, SystemExit) as error:
        return _Raised(type(error).__name__, str(error).rstrip("."))


def _watched(answer: Any) -> Any:
    """A function that still returns three dots is as good as none."""
    if not isinstance(answer, FunctionType):
        return answer

    def watched(*arguments: Any, **named: Any) -> Any:
        result = answer(*arguments, **named)
        if result is ...:
            raise _UnansweredError
        return result

    return watched


class _UnansweredError(ChainruleError, ValueError):
    """The answer is a function that is not written yet."""


def plain(found: Any) -> Any:
    """Numbers as floats, whatever holds them; lists of them; other things as a word for each."""
    if isinstance(found, (bool, str)) or found is None or found is ...:
        return found
    if hasattr(found, "tolist"):  # of NumPy or PyTorch
        return plain(found.tolist())
    if isinstance(found, Real):
        return float(found)
    if isinstance(getattr(found, "data", None), Real):  # a value of any engine
        return float(found.data)
    if isinstance(found, (list, tuple)):
        return [plain(x) for x in found]
    if callable(found):
        return _Other("a class" if isinstance(found, type) else "a function")
    return _Other(f"of type {type(found).__name__}")


def alike(a: Any, b: Any, within: float) -> bool:
    """Whether two results are the same: numbers nearly, texts but for case and blanks."""
    if isinstance(a, float) and isinstance(b, float):
        close = abs(a - b) <= within * max(abs(b), _LEAST)
        return close or a == b or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(alike(x, y, within) for x, y in zip(a, b))
    if isinstance(a, str) and isinstance(b, str):
        return "".join(a.split()).casefold() == "".join(b.split()).casefold()
    return type(a) is type(b) and bool(a == b)


# ---- words ----


def kind(seen: Any) -> str:
    """What sort of thing a result is.

    >>> kind([1.0, 2.0]), kind("two"), kind(None)
    ('a list of 2', 'a text', 'nothing (is a `return` missing?)')
    """
    if isinstance(seen, _Raised):
        return f"{seen.error}: {seen.message}".rstrip(": ")
    if isinstance(seen, _Other):
        return seen.kind
    if isinstance(seen, list):
        return f"a list of {len(seen)}"
    if seen is None or seen is ...:
        return "nothing (is a `return` missing?)"
    return _KINDS[type(seen)]


_KINDS = {float: "a number", str: "a text", bool: "True or False"}


def _shown(seen: Any) -> str:
    """A result as it is told to the learner."""
    if isinstance(seen, list):
        return f"[{', '.join(map(_shown, seen))}]"
    if isinstance(seen, float):
        return f"{seen:.10g}"
    return kind(seen) if isinstance(seen, (_Raised, _Other)) else repr(seen)


def _wrapped(text: str) -> str:
    """Paragraphs in lines of moderate length; what is indented stays as it is."""
    return "\n".join(
        line if line.startswith("    ") else textwrap.fill(line, 88, break_on_hyphens=False)
        for line in text.splitlines()
    )
