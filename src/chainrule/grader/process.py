"""A process that runs an engine, killed whole at the end with all that it started."""

from __future__ import annotations

import contextlib
import json
import math
import os
import queue
import secrets
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self

_MARK = "CHAINRULE_GRADED"
_KEPT = 4000  # bytes of what is printed
_ROUNDS = 100  # of looking for what was started meanwhile


class Limits(NamedTuple):
    """What an engine may use.

    Attributes:
        seconds: for all programs together.
        each: seconds for one program.
        loading: seconds for importing the engine.
        memory: bytes, where the system can limit them.
        output: bytes of a file that it writes, and of what it reports.
    """

    seconds: float = 60.0
    each: float = 3.0
    loading: float = 20.0
    memory: int = 4 << 30
    output: int = 16 << 20


class EngineProcess:
    """A process that loads an engine and runs programs on it, one after the other.

    To be used in a `with`, at whose end it is killed, with every process that it started.

    Args:
        job: what the worker is told: where the engine is, and the programs.
        limits: what it may use.

    Attributes:
        ended: whether the process ended before it was killed.
    """

    def __init__(self, job: dict[str, Any], limits: Limits) -> None:
        self._limits = limits
        self._nonce = secrets.token_hex(16).encode()
        self._answers: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._output = bytearray()
        self.ended = False
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-B", str(Path(__file__).with_name("worker.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, _MARK: self._nonce.decode(), "MPLBACKEND": "Agg"},
            start_new_session=True,
        )
        self._threads = [
            threading.Thread(target=read, daemon=True)
            for read in (self._read_answers, self._read_output)
        ]
        for thread in self._threads:
            thread.start()
        processor_seconds = math.ceil(limits.loading + limits.seconds)
        numbers = [limits.memory, limits.output, processor_seconds]
        self._tell({**job, "nonce": self._nonce.decode(), "limits": numbers})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    @property
    def output(self) -> str:
        """The beginning of what the engine printed."""
        return self._output.decode(errors="replace")

    def answer(self, seconds: float) -> dict[str, Any] | None:
        """The next answer; None if it does not come within that time, or never will."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                line = self._answers.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                return None
            if not line:
                self.ended = True
                return None
            if line.startswith(self._nonce) and line.endswith(b"\n"):  # else it was cut short
                answer: dict[str, Any] = json.loads(line[len(self._nonce) :])
                return answer

    def kill(self) -> int:
        """Kill the process with all that it started; return the status that it had ended with."""
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                _kill_group(self._process)
            _kill_marked(self._nonce)
        status = self._process.wait()
        for thread in self._threads:
            thread.join(timeout=1.0)
        return status

    def _tell(self, job: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError), self._process.stdin as stream:
            stream.write(json.dumps(job).encode() + b"\n")

    def _read_answers(self) -> None:
        """Hand on the lines that come, and an empty one at the end; never more than the limit."""
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            left = self._limits.output
            while left > 0 and (line := stream.readline(left)):
                self._answers.put(line)
                left -= len(line)
        self._answers.put(b"")

    def _read_output(self) -> None:
        """Keep the beginning of what is printed, and drop the rest, so that printing goes on."""
        assert self._process.stderr is not None
        with self._process.stderr as stream:
            while chunk := os.read(stream.fileno(), 1 << 16):
                self._output += chunk[: _KEPT - len(self._output)]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and its group, which it leads; not reaped, it cannot be mistaken."""
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()


def _kill_marked(mark: bytes) -> None:
    """Kill what left the group: whatever inherited the mark in its environment, on Linux."""
    for _ in range(_ROUNDS):
        marked = [pid for pid in _processes() if mark in _environment(pid)]
        if not marked:
            return
        for pid in marked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)  # until they are gone, and so are those that they had begun to start


def _processes() -> list[int]:
    with contextlib.suppress(FileNotFoundError):
        return [int(name) for name in os.listdir("/proc") if name.isdecimal()]
    return []


def _environment(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:  # another user's, or gone
        return b""
