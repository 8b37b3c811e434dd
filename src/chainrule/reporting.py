"""What is told while a training runs: a moving bar on a terminal, some lines elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chainrule.history import History, Row


def report_line(row: Row, steps: int) -> str:
    """A row in words.

    >>> report_line(Row(10, 0.25, 0.5, 0.1, 0.125, 0.75, 1.5), 100)
    'step  10/100  loss 0.2500  accuracy 50.0%  held out: loss 0.1250  accuracy 75.0%'
    """
    parts = [f"step {row.step:{len(str(steps))}}/{steps}", *_measures(row.loss, row.accuracy)]
    if row.held_out_loss is not None:
        held_out = _measures(row.held_out_loss, row.held_out_accuracy)
        parts.append(f"held out: {'  '.join(held_out)}")
    return "  ".join(parts)


def _measures(loss: float, accuracy: float | None) -> list[str]:
    measures = [f"loss {loss:.4f}"]
    if accuracy is not None:
        measures.append(f"accuracy {accuracy:.1%}")
    return measures


def told(how: str, before: str, progress: bool) -> str:
    """What is said of how steps are made, printed if it is news."""
    if progress and how != before:
        print(how, flush=True)
    return how


def printable(text: str) -> str:
    r"""A text of a user's without what would control a terminal.

    >>> print(printable("a\x1b[31mb"))
    a\x1b[31mb
    """
    return "".join([c if c.isprintable() else ascii(c)[1:-1] for c in text])


def is_reported(step: int, steps: int) -> bool:
    """Whether a step is one of the ten, and the last, that are told and measured."""
    return step % max(1, steps // 10) == 0 or step == steps


@contextmanager
def reporter(history: History, progress: bool) -> Iterator[Callable[[Row], object]]:
    """What shows a row: a moving bar on a terminal, a line now and then elsewhere."""
    if progress and sys.stdout.isatty():
        with _bar(history.steps) as show:
            yield show
    elif progress:
        yield lambda row: _print_row(row, history.steps)
    else:
        yield lambda _: None


def _print_row(row: Row, steps: int) -> None:
    if is_reported(row.step, steps):
        print(report_line(row, steps), flush=True)


@contextmanager
def _bar(steps: int) -> Iterator[Callable[[Row], object]]:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as TimeLeft

    text = TextColumn("{task.description}")
    with Progress("step", MofNCompleteColumn(), BarColumn(), text, TimeLeft()) as bar:
        job = bar.add_task("", total=steps)
        yield lambda row: bar.update(
            job,
            completed=row.step,
            description="  ".join(_measures(row.loss, row.accuracy)),
        )
