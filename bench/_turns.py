"""Engines that do the same work and take turns at it, each in a process of its own.

An engine is a function that prepares the work and returns another, which does at least so many
steps of it and returns their losses, one each. In its own process an engine has its own threads
and settings, and can be stopped when it takes too long to prepare. Before anything is timed, the
losses of the first steps have to be those of the first engine.
"""

from __future__ import annotations

import importlib
import math
import multiprocessing
import os
import statistics
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, NamedTuple
from unittest import mock

from bench._common import quartiles

Run = Callable[[int], Sequence[Any]]

ROUNDS = 21
BURST = 0.02  # seconds of steps, more or less, before the next engine has its turn
SLOW, FEW = 0.1, 3  # an engine that needs more seconds for a step has fewer rounds
CHECKED = 5  # how many of the first losses are compared
AGREEMENT = 1e-9
ONE_THREAD = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}
DEFAULTS: dict[str, str] = {}
_TUNED = (*ONE_THREAD, "OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


class Engine(NamedTuple):
    """One of those who take turns.

    Attributes:
        name: what it is called in the table.
        package: what it imports; it is left out where that is not installed.
        make: prepares the work in the engine's process; a function of a module.
        settings: environment variables of its process.
        patience: seconds until its first steps have to be done.
    """

    name: str
    package: str
    make: Callable[..., Run]
    settings: Mapping[str, str] = ONE_THREAD
    patience: float = 120.0


class Result(NamedTuple):
    """What became of an engine: seconds of a step in each round, or why there are none."""

    name: str
    prepared: float
    seconds: list[float]
    absent: str = ""


def take_turns(engines: Sequence[Engine], *work: Any) -> list[Result]:
    """Let all do the same work by turns; the first is the one that the others are compared with."""
    workers = [_Worker(engine, work) for engine in engines]
    present = [worker for worker in workers if not worker.absent]
    for worker in present:
        _agree(present[0], worker)
    for number in range(ROUNDS):
        for worker in present:
            worker.turn(number)
    for worker in present:
        worker.leave()
    return [worker.result() for worker in workers]


def show(results: Sequence[Result]) -> None:
    """Print, for each, the seconds until its first steps were done and the time of a step.

    Beside it stands how many times as fast the first engine is.
    """
    print(f"  {'':34}prepared   {'a step: median (quartiles)':38}the first is")
    for found in results:
        row = f"  {found.name:34}"
        if found.absent:
            print(row + found.absent)
        else:
            row += f"{found.prepared:6.1f} s   {_taken(found.seconds):38}"
            print((row + _faster(found, results[0])).rstrip())


def _taken(seconds: list[float]) -> str:
    if statistics.median(seconds) < 0.01:
        return quartiles([1e6 * x for x in seconds], "us")
    return quartiles([1e3 * x for x in seconds], "ms")


def _faster(found: Result, first: Result) -> str:
    times = ratio(found, first)
    if found is first or math.isnan(times):
        return ""
    return f"{times:,.{2 if times < 100.0 else 0}f} times as fast"


def ratio(one: Result, other: Result) -> float:
    """How many times the other's time one takes: the median over the rounds; nan if absent."""
    pairs = list(zip(one.seconds, other.seconds))
    return statistics.median(a / b for a, b in pairs) if pairs else math.nan


class _Worker:
    """An engine's process, as seen from here."""

    def __init__(self, engine: Engine, work: tuple[Any, ...]) -> None:
        context = multiprocessing.get_context("spawn")
        self.name = engine.name
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_serve, args=(theirs, engine, work), daemon=True)
        with _environment(engine.settings):
            self.process.start()
        theirs.close()
        self.absent, self.prepared, self.losses = self._prepared(engine.patience)
        self.seconds: list[float] = []
        self.steps = 1
        if not self.absent:
            self.steps = max(1, int(BURST / self._timed()))

    def _prepared(self, patience: float) -> tuple[str, float, list[float]]:
        if not self.connection.poll(patience):
            self.process.kill()
            return f"stopped after {patience:.0f} s", 0.0, []
        try:
            return self.connection.recv()
        except EOFError:
            return "its process ended", 0.0, []

    def _timed(self) -> float:
        self.connection.send(self.steps)
        return self.connection.recv()

    def turn(self, number: int) -> None:
        """Do some steps, unless it is slow and had its turns."""
        if number < FEW or self.seconds[0] < SLOW:
            self.seconds.append(self._timed())

    def leave(self) -> None:
        """End the process."""
        self.connection.send(0)
        self.process.join()

    def result(self) -> Result:
        return Result(self.name, self.prepared, self.seconds, self.absent)


def _environment(settings: Mapping[str, str]) -> Any:
    """The environment without what was set for other measurements, and with these settings."""
    kept = {name: text for name, text in os.environ.items() if name not in _TUNED}
    return mock.patch.dict(os.environ, {**kept, **settings}, clear=True)


def _agree(first: _Worker, other: _Worker) -> None:
    for ours, theirs in zip(first.losses, other.losses):
        assert math.isclose(ours, theirs, rel_tol=AGREEMENT), (
            first.losses,
            other.name,
            other.losses,
        )


def _serve(connection: Any, engine: Engine, work: tuple[Any, ...]) -> None:
    """What an engine's process does: it prepares, and then steps as often as it is asked to."""
    try:
        importlib.import_module(engine.package)
    except ImportError:
        connection.send(("not installed", 0.0, []))
        return
    started = perf_counter()
    run = engine.make(*work)
    losses = [float(loss) for loss in run(CHECKED)[:CHECKED]]
    connection.send(("", perf_counter() - started, losses))
    while steps := connection.recv():
        started = perf_counter()
        done = len(run(steps))
        connection.send((perf_counter() - started) / done)
