"""Engines observed: a learner's in a process of its own, with limits; a trusted one in this."""

from __future__ import annotations

import re
import signal
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from chainrule.errors import ArgumentError
from chainrule.grader.behaviours import BEHAVIOURS
from chainrule.grader.judge import Observation, Observations
from chainrule.grader.process import EngineProcess, Limits
from chainrule.grader.worker import names_in, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from chainrule.grader.behaviour import Behaviour

_ASKED = ("data", "grad", "backward")
_PROBE = f"""
v = Value(1.0)
print([n for n in {_ASKED} if not hasattr(v, n)], [n for n in dir(v) if n[0] != "_"])
"""


class Observed(NamedTuple):
    """What was seen of an engine.

    Attributes:
        observations: what each program did, by the name of its behaviour.
        problem: why no program could run; "" if they could.
        hints: what the engine does without that the programs ask for.
        output: the beginning of what it printed.
        seconds: how long it all took.
    """

    observations: Observations
    problem: str
    hints: list[str]
    output: str
    seconds: float


# ---- in this process ----


class TrustedEngine:
    """An engine of our own, given as text, that runs in this process without limits.

    Args:
        text: the text of a module; it is run when a behaviour is asked for the first time.

    >>> TrustedEngine("class Value: pass").gives("a + b").error
    'TypeError: Value() takes no arguments'
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._given: Observations = {}

    @cached_property
    def _names(self) -> dict[str, Any]:
        module: dict[str, Any] = {"__name__": "engine"}
        exec(compile(self.text, "<engine>", "exec"), module)
        return names_in(module, "Value")

    def gives(self, name: str) -> Observation:
        """What a program does, by the name of its behaviour; it is run once."""
        if name not in self._given:
            self._given[name] = Observation(**run(BEHAVIOURS[name].bare(), self._names))
        return self._given[name]


def in_words_of(name: str, program: str) -> str:
    """The program, with another name for the class.

    >>> in_words_of("Scalar", "a = Value(2.0)")
    'a = Scalar(2.0)'
    """
    return re.sub(r"\bValue\b", name, program)


# ---- in a process of its own ----


def observe(
    target: str | Path,
    behaviours: Sequence[Behaviour],
    name: str = "Value",
    limits: Limits | None = None,
) -> Observed:
    """What programs do on an engine, in a process of its own.

    Where a program does not come to its end the process is killed, and the others go on in a new
    one.

    Args:
        target: a Python file, or the name of a module.
        behaviours: whose programs to run.
        name: the name of the engine's class.
        limits: what it may use.

    Raises:
        ArgumentError: there is no such file or module.
    """
    return _Run(str(target), list(behaviours), name, limits or Limits()).observed()


class _Run:
    """The programs that are left to run, and what has been seen so far."""

    def __init__(self, target: str, left: list[Behaviour], name: str, limits: Limits) -> None:
        self.target, self.left, self.name, self.limits = target, left, name, limits
        self.job = {**located(target), "name": name}
        self.began = time.monotonic()
        self.observations: Observations = {}
        self.problem, self.output = "", ""
        self.hints: list[str] = []
        self.not_run = Observation(stopped=f"not finished: all {limits.seconds:g} s were over")

    def observed(self) -> Observed:
        while self.left and not self.problem and self._seconds() > 0:
            programs = [_PROBE, *(behaviour.bare() for behaviour in self.left)]
            programs = [in_words_of(self.name, program) for program in programs]
            with EngineProcess({**self.job, "programs": programs}, self.limits) as process:
                if self._loads(process):
                    self._run_programs(process)
            self.output = self.output or process.output
        self.observations |= {behaviour.name: self.not_run for behaviour in self.left}
        seconds = time.monotonic() - self.began
        return Observed(self.observations, self.problem, self.hints, self.output, seconds)

    def _seconds(self) -> float:
        return max(0.0, self.began + self.limits.seconds - time.monotonic())

    def _loads(self, process: EngineProcess) -> bool:
        """Whether the engine is there; what is to be said of that is kept."""
        loaded = process.answer(min(self.limits.loading, self._seconds()))
        if loaded is None:
            self._fail_late(process, f"loading {self.target}", self.limits.loading)
        elif "error" in loaded:
            self._refuse_absent(loaded["absent"])
            self._fail(f"{self.target} could not be loaded: {_raised(loaded)}")
        elif self.name not in loaded["found"]:
            self._fail(_no_class(self.target, self.name, loaded["classes"]))
            self.not_run = Observation(error=self.problem, missing=self.name)
        else:
            self._probe(process, loaded["beside"])
        return not self.problem

    def _fail_late(self, process: EngineProcess, what: str, seconds: float) -> None:
        """No answer came: that is why nothing runs, unless the time for all was over."""
        if self._seconds() > 0:
            self._fail(f"{what}{_ending(process, seconds)}")

    def _fail(self, problem: str) -> None:
        self.problem = problem
        self.not_run = Observation(stopped=problem)

    def _refuse_absent(self, absent: str | None) -> None:
        """Raise if it is the module asked for that is not there, and not one that it needs."""
        module = self.job["module"]
        if absent and not self.job["file"] and f"{module}.".startswith(f"{absent}."):
            raise ArgumentError(
                f"there is no module {module!r} to be imported from here: give a Python file, "
                "as engine.py, or a module, as micrograd.engine"
            )

    def _probe(self, process: EngineProcess, beside: dict[str, str]) -> None:
        """Note what the engine does without, unless that was done before."""
        answer = process.answer(min(self.limits.each, self._seconds()))
        if answer is None:
            self._fail_late(process, f"{self.name}(1.0)", self.limits.each)
        elif not self.hints:
            self.hints = _hints(self.name, answer)
            if beside:
                self.hints.append(f"what lies beside it could not be loaded: {_raised(beside)}")

    def _run_programs(self, process: EngineProcess) -> None:
        """Run programs until all are through, or one of them does not come to its end."""
        while self.left:
            answer = process.answer(min(self.limits.each, self._seconds()))
            if answer is None and self._seconds() == 0:
                return
            behaviour = self.left.pop(0)
            if answer is None:
                stopped = f"it{_ending(process, self.limits.each)}"
                self.observations[behaviour.name] = Observation(stopped=stopped)
                return
            self.observations[behaviour.name] = Observation(**answer)


# ---- where the engine is ----


def located(target: str) -> dict[str, Any]:
    """Where a worker finds a file or module: folder, module, file, and modules with networks.

    A file within a package is imported as a module of that package.

    Raises:
        ArgumentError: there is no such file, or it cannot be one.

    >>> located("micrograd.engine")["beside"]
    ['micrograd.nn', 'micrograd.engine.nn']
    """
    path = Path(target)
    if path.exists():
        return _file(path.resolve())
    if not all(part.isidentifier() for part in target.split(".")) or target.endswith(".py"):
        raise ArgumentError(f"there is no file {target}")
    package = target.rpartition(".")[0]
    beside = [f"{package}.nn"] if package else []
    return _job(Path.cwd(), target, "", [*beside, f"{target}.nn"])


def _file(path: Path) -> dict[str, Any]:
    if path.suffix == ".ipynb":
        raise ArgumentError(
            f"a notebook has to be a script first: jupyter nbconvert --to script {path.name}"
        )
    if path.suffix != ".py" or not path.is_file():
        raise ArgumentError(f"an engine is graded as a Python file, as engine.py, not {path.name}")
    folder, module = path.parent, path.stem
    while (folder / "__init__.py").exists():
        folder, module = folder.parent, f"{folder.name}.{module}"
    if folder != path.parent:
        module = module.removesuffix(".__init__")
        return _job(folder, module, "", [f"{module.rpartition('.')[0] or module}.nn"])
    beside = ["nn"] if (folder / "nn.py").exists() else []
    return _job(folder, module, str(path), beside)


def _job(folder: Path, module: str, file: str, beside: list[str]) -> dict[str, Any]:
    return {"folder": str(folder), "module": module, "file": file, "beside": beside}


# ---- in words ----


def _ending(process: EngineProcess, seconds: float) -> str:
    """How a process ended that gave no answer."""
    if not process.ended:
        return f" took longer than {seconds:g} s"
    status = process.kill()
    if status == -9:  # SIGKILL, which Windows has not
        return " was killed by the system, or closed its files"
    if status < 0:
        return f" crashed the process ({signal.Signals(-status).name})"
    return f" ended the process, with exit status {status}"


def _raised(told: dict[str, str]) -> str:
    return f"{told['error']} ({told['place']})" if told["place"] else told["error"]


def _no_class(target: str, name: str, classes: list[str]) -> str:
    there = f"; its classes are {', '.join(classes)}" if classes else ""
    return f"{target} has no class {name}{there}: the class is looked for by its name"


def _hints(name: str, probe: dict[str, Any]) -> list[str]:
    """What is to be said of an engine whose values lack what all programs use."""
    if "error" in probe:
        return [f"{name}(1.0) does not work: {_raised(probe)}"]
    absent, there = probe["printed"][0]
    if not absent:
        return []
    return [
        f"{name}(1.0) has no {' and no '.join(absent)}; it has {', '.join(there) or 'nothing'}. "
        "Programs read v.data and v.grad, and call v.backward()"
    ]
