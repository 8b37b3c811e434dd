"""Checkpoints: how far a training came, in one file that is replaced as a whole or not at all.

The file is a safetensors file: parameters, the optimiser's numbers and the history as tensors, all
else as JSON in its metadata, with a SHA-256 of both. Nothing in it is run when it is read.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING, Any

from chainrule import __version__
from chainrule.arguments import check_range
from chainrule.errors import CheckpointError, missing_extra
from chainrule.history import Best, Progress, Row

try:
    import numpy as np
    from safetensors import SafetensorError, safe_open
    from safetensors.numpy import save as as_bytes
except ImportError:
    raise missing_extra("safetensors", "train", "a checkpoint") from None

if TYPE_CHECKING:
    from chainrule.training import Setup, State

CHECKPOINT = "checkpoint.safetensors"
FORMAT = 1


class Checkpoints:
    """A callback of `fit` that writes a checkpoint every so many steps, first and at the end.

    A training that ends by an error leaves the last one as it is.

    Args:
        run: the folder; it is made if need be.
        every: how many steps are made between two checkpoints.
        description: what JSON can hold; `read` gives it back.

    >>> from chainrule.nn import MLP
    >>> from chainrule.training import fit
    >>> line, examples = MLP(1, [1]), ([[0.0], [1.0]], [1.0, 3.0])
    >>> history = fit(line, *examples, steps=10, callbacks=[Checkpoints("run")], progress=False)
    >>> progress, _ = read("run")
    >>> progress.finished, progress.parameters == [p.data for p in line.parameters()]
    (True, True)
    """

    def __init__(
        self,
        run: str | os.PathLike[str],
        every: int = 100,
        description: Mapping[str, Any] | None = None,
    ) -> None:
        is_count = lambda n: hasattr(n, "__index__") and n > 0
        check_range("the steps between checkpoints", every, is_count, "a whole number from 1 up")
        self._run = Path(run)
        self._every = every
        self._description = dict(description or {})

    def begin(self, setup: Setup) -> None:
        self._progress = setup.progress
        self._write()  # what cannot be written should be known before any step is made

    def __call__(self, state: State) -> None:
        if (state.step + 1) % self._every == 0:
            self._write()

    def end(self, problem: Exception | None) -> None:
        if problem is None:
            self._write()

    def _write(self) -> None:
        write(self._run, self._progress(), self._description)


def write(run: str | os.PathLike[str], progress: Progress, description: Mapping[str, Any]) -> None:
    """Write a checkpoint into a folder, in the place of the one before.

    Raises:
        CheckpointError: it could not be written. The one before is as it was.
    """
    path = Path(run) / CHECKPOINT
    tensors, rest = _packed(progress)
    text = json.dumps(
        {"format": FORMAT, "chainrule": __version__, "progress": rest, "run": description}
    )
    digest = _digest(text, tensors)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _replace(path, as_bytes(tensors, {"chainrule": text, "sha256": digest}))
    except OSError as error:
        raise CheckpointError(
            f"no checkpoint could be written to {path}: {error.strerror or error}; "
            "one that was there before is still there"
        ) from None


def read(run: str | os.PathLike[str]) -> tuple[Progress, dict[str, Any]]:
    """The last checkpoint in a folder: how far the training came, and its description.

    Raises:
        CheckpointError: there is none, or it is damaged, not chainrule's, or newer.
    """
    path = Path(run) / CHECKPOINT
    if not path.is_file():
        raise CheckpointError(f"{run} holds no run: {CHECKPOINT} is missing")
    try:
        with safe_open(path, "numpy") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {error.strerror}") from None
    except (SafetensorError, ValueError, TypeError) as error:
        raise CheckpointError(f"{path} is damaged or no checkpoint: {error}") from None
    return _unpacked(_text(path, metadata, tensors), tensors)


def _text(path: Path, metadata: Mapping[str, str], tensors: Mapping[str, Any]) -> dict[str, Any]:
    """What is told beside the tensors, if it is this version's and whole."""
    text = metadata.get("chainrule")
    if text is None:
        raise CheckpointError(f"{path} is a file of safetensors, but not a checkpoint of chainrule")
    if metadata.get("sha256") != _digest(text, tensors):
        raise CheckpointError(f"{path} is damaged: its contents are not those that were written")
    told: dict[str, Any] = json.loads(text)
    if told["format"] > FORMAT:
        raise CheckpointError(
            f"{path} was written by chainrule {told['chainrule']}, and this is {__version__}, "
            "which does not know its format: update chainrule"
        )
    return told


# ---- bytes ----


def _replace(path: Path, content: bytes) -> None:
    """Write a file beside the old one, and put it in its place when it is whole and on the disk."""
    temporary = path.with_name(f"{path.name}.part")
    try:
        with open(temporary, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
            if os.fstat(file.fileno()).st_size != len(content):
                raise CheckpointError("not all of it was written")
        os.replace(temporary, path)
    except OSError:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """Have the new name on the disk too, where folders can be opened for that."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _digest(text: str, tensors: Mapping[str, Any]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(tensors):
        digest.update(f"{name} {tensors[name].shape}".encode())
        digest.update(tensors[name].tobytes())
    return digest.hexdigest()


# ---- progress as tensors and the rest ----


def _packed(progress: Progress) -> tuple[dict[str, Any], dict[str, Any]]:
    """The long lists of numbers, and what is left."""
    tensors = {"parameters": np.array(progress.parameters, dtype=float)}
    rows = [astuple(row) for row in progress.rows]
    tensors["rows"] = np.array(rows, dtype=float).reshape(len(rows), 7)  # None becomes nan
    lists = {name: x for name, x in progress.optimizer.items() if isinstance(x, list)}
    tensors |= {f"optimizer.{name}": np.array(x, dtype=float) for name, x in lists.items()}
    rest: dict[str, Any] = {
        "optimizer": {name: x for name, x in progress.optimizer.items() if name not in lists},
        "schedule": progress.schedule,
        "finished": progress.finished,
        "eager": progress.eager,
        "best": None,
    }
    if progress.best is not None:
        tensors["best"] = np.array(progress.best.parameters, dtype=float)
        rest["best"] = [progress.best.step, progress.best.loss]
    return tensors, rest


def _unpacked(
    told: Mapping[str, Any], tensors: Mapping[str, Any]
) -> tuple[Progress, dict[str, Any]]:
    rest = told["progress"]
    lists = {
        name.removeprefix("optimizer."): x.tolist()
        for name, x in tensors.items()
        if name.startswith("optimizer.")
    }
    best = None
    if rest["best"] is not None:
        step, loss = rest["best"]
        best = Best(step, loss, tensors["best"].tolist())
    rows = [_row(row) for row in tensors["rows"].tolist()]
    progress = Progress(
        tensors["parameters"].tolist(),
        {**rest["optimizer"], **lists},
        rest["schedule"],
        rows,
        rest["finished"],
        best,
        rest["eager"],
    )
    return progress, told["run"]


def _row(numbers: list[float]) -> Row:
    """A row of the history; what was not measured is nan in the file."""
    step, loss, right, lr, held_out_loss, held_out_right, seconds = [
        None if x != x else x for x in numbers
    ]
    return Row(int(step), loss, right, lr, held_out_loss, held_out_right, seconds)  # type: ignore
