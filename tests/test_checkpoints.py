"""Checkpoints: a training goes on bit for bit, and what is damaged is refused."""

from __future__ import annotations

import errno
import io
import json
import math
import os
import random
import subprocess
import sys

import pytest

pytest.importorskip("safetensors")

import numpy as np
from safetensors.numpy import load_file, save_file

from chainrule import checkpoints
from chainrule.checkpoints import CHECKPOINT, Checkpoints, read, write
from chainrule.errors import ArgumentError, CheckpointError
from chainrule.history import Best, Progress, Row
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam, AdamW, CosineAnnealingLR, LinearLR
from chainrule.training import fit

ODD = [0.1, -0.0, 5e-324, 1.7976931348623157e308, 1 / 3, float("inf"), float("-inf")]
ROWS = [
    Row(0, 0.5, 0.25, 0.1, 0.75, 0.125, 1.5),
    Row(1, 0.1, None, 1 / 3, None, None, 2.5),
]
PROGRESS = Progress(
    ODD,
    {"lr": 0.1, "steps": 2, "means": ODD, "variances": ODD},
    {"last_epoch": 2, "lr": 0.1},
    ROWS,
    False,
    Best(0, 0.75, ODD[::-1]),
    True,
)


# ---- what is read is what was written ----


def test_everything_comes_back_bit_for_bit(tmp_path):
    """Every number is read as it was, whatever float it is, and so is the description."""
    write(tmp_path, PROGRESS, {"note": "héllo"})
    progress, description = read(tmp_path)
    assert repr(progress) == repr(PROGRESS)
    assert description == {"note": "héllo"}


def test_nothing_measured_yet(tmp_path):
    """A checkpoint before the first step has no rows and no best parameters."""
    start = Progress([1.0], {"lr": 0.1}, None, [], False, None, False)
    write(tmp_path, start, {})
    assert read(tmp_path)[0] == start


def test_readable_without_chainrule(tmp_path):
    """It is a file of safetensors: float64 tensors, and JSON in its metadata."""
    write(tmp_path, PROGRESS, {})
    tensors = load_file(tmp_path / CHECKPOINT)
    assert tensors["parameters"].dtype == "float64"
    assert tensors["parameters"].tolist() == ODD
    header = (tmp_path / CHECKPOINT).read_bytes()
    told = json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])["__metadata__"]
    assert json.loads(told["chainrule"])["progress"]["best"] == [0, 0.75]


# ---- what is refused ----


def test_every_truncation_is_refused(tmp_path):
    """A file cut anywhere is refused, never read in part."""
    write(tmp_path, PROGRESS, {})
    whole = (tmp_path / CHECKPOINT).read_bytes()
    for length in range(0, len(whole), 7):
        (tmp_path / CHECKPOINT).write_bytes(whole[:length])
        with pytest.raises(CheckpointError, match="is damaged"):
            read(tmp_path)


def test_every_changed_byte_is_refused(tmp_path):
    """A bit that fell over is found wherever it is in tensors or description."""
    write(tmp_path, PROGRESS, {"note": "x" * 20})
    whole = (tmp_path / CHECKPOINT).read_bytes()
    draw = random.Random(0)
    for _ in range(300):
        place, bit = draw.randrange(len(whole)), 1 << draw.randrange(8)
        changed = bytearray(whole)
        changed[place] ^= bit
        (tmp_path / CHECKPOINT).write_bytes(changed)
        with pytest.raises(CheckpointError):
            read(tmp_path)


def test_files_of_others(tmp_path):
    """What is there but no checkpoint of chainrule is said to be none."""
    with pytest.raises(CheckpointError, match=r"holds no run: checkpoint\.safetensors is missing"):
        read(tmp_path / "nowhere")
    for content in (b"", b"PK\x03\x04", b"\x80\x04pickle", os.urandom(1000)):
        (tmp_path / CHECKPOINT).write_bytes(content)
        with pytest.raises(CheckpointError, match="is damaged or no checkpoint"):
            read(tmp_path)
    save_file({"x": np.zeros(3)}, tmp_path / CHECKPOINT)
    with pytest.raises(CheckpointError, match="not a checkpoint of chainrule"):
        read(tmp_path)


def test_a_newer_format(tmp_path, monkeypatch):
    """A checkpoint of a later chainrule is refused by naming both versions."""
    monkeypatch.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
    monkeypatch.setattr(checkpoints, "__version__", "9.9")
    write(tmp_path, PROGRESS, {})
    monkeypatch.undo()
    with pytest.raises(CheckpointError, match=r"written by chainrule 9\.9, and this is"):
        read(tmp_path)


# ---- faults in writing ----


class FullDisk(io.FileIO):
    """A file on a disk with room for a hundred bytes."""

    def write(self, content):
        if self.tell() + len(content) > 100:
            super().write(bytes(content)[: 100 - self.tell()])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(content)


class Forgetful(io.FileIO):
    """A file that says more was written than was."""

    def write(self, content):
        super().write(bytes(content)[: len(content) // 2])
        return len(content)


class Slow(io.FileIO):
    """A file that takes seven bytes at a time, and says so."""

    def write(self, content):
        return super().write(bytes(content)[:7])


@pytest.mark.parametrize(
    ("kind", "said"),
    [(FullDisk, os.strerror(errno.ENOSPC)), (Forgetful, "not all of it was written")],
)
def test_a_write_that_fails(tmp_path, monkeypatch, kind, said):
    """The checkpoint before is still there, nothing lies beside it, and the message says why."""
    write(tmp_path, PROGRESS, {"which": "first"})
    opened = lambda path, mode: io.BufferedWriter(kind(path, mode.replace("b", "")))
    monkeypatch.setattr(checkpoints, "open", opened, raising=False)
    with pytest.raises(CheckpointError, match=rf"{said}; one that was there before is still there"):
        write(tmp_path, PROGRESS._replace(finished=True), {"which": "second"})
    assert os.listdir(tmp_path) == [CHECKPOINT]
    assert read(tmp_path)[1] == {"which": "first"}


def test_short_writes(tmp_path, monkeypatch):
    """A system that writes a few bytes at a time gets all of them written."""
    opened = lambda path, mode: io.BufferedWriter(Slow(path, mode.replace("b", "")))
    monkeypatch.setattr(checkpoints, "open", opened, raising=False)
    write(tmp_path, PROGRESS, {})
    assert repr(read(tmp_path)[0]) == repr(PROGRESS)


def in_a_child(code, *arguments):
    """The end of a program of its own: its status and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=os.path.dirname(__file__),
    )
    return done.returncode, done.stdout + done.stderr


def test_killed_between_write_and_rename(tmp_path):
    """SIGKILL just before the new file takes the old one's place: the old one is read."""
    write(tmp_path, PROGRESS, {"which": "first"})
    status, _ = in_a_child(
        "import os, signal, sys\n"
        "from chainrule.checkpoints import read, write\n"
        "os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        "write(sys.argv[1], read(sys.argv[1])[0], {'which': 'second'})\n",
        tmp_path,
    )
    assert status == -9
    assert sorted(os.listdir(tmp_path)) == [CHECKPOINT, f"{CHECKPOINT}.part"]
    assert read(tmp_path)[1] == {"which": "first"}
    write(tmp_path, PROGRESS, {"which": "third"})  # what lies beside is in nobody's way
    assert read(tmp_path)[1] == {"which": "third"}


def test_a_folder_that_cannot_be_written_to(tmp_path):
    """Another user's folder: the message says so, and what was there is read."""
    write(tmp_path, PROGRESS, {"which": "first"})
    code = (
        "import os, sys\n"
        "from chainrule.checkpoints import read, write\n"
        "progress = read(sys.argv[1])[0]\n"
        "os.getuid() or os.setuid(65534)\n"  # root may write anywhere
        "write(sys.argv[1], progress, {'which': 'second'})\n"
    )
    for folder in (tmp_path, *tmp_path.parents[:2]):
        os.chmod(folder, 0o755)
    os.chmod(tmp_path, 0o555)
    status, said = in_a_child(code, tmp_path)
    os.chmod(tmp_path, 0o755)
    assert status == 1
    assert "CheckpointError: no checkpoint could be written to" in said
    assert os.strerror(errno.EACCES) in said
    assert read(tmp_path)[1] == {"which": "first"}


def test_a_real_limit_on_file_size(tmp_path):
    """The system's own refusal in the middle of a write leaves the checkpoint before."""
    pytest.importorskip("resource")
    write(tmp_path, PROGRESS, {"which": "first"})
    status, said = in_a_child(
        "import resource, signal, sys\n"
        "from chainrule.checkpoints import read, write\n"
        "progress = read(sys.argv[1])[0]\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (500, 500))\n"
        "write(sys.argv[1], progress, {'which': 'second'})\n",
        tmp_path,
    )
    assert status == 1
    assert os.strerror(errno.EFBIG) in said
    assert os.listdir(tmp_path) == [CHECKPOINT]
    assert read(tmp_path)[1] == {"which": "first"}


# ---- going on ----


@pytest.mark.parametrize("how", ["eager", "compiled"])
def test_killed_anywhere_and_resumed(tmp_path, how):
    """Killed at 20 drawn steps and 5 random moments, each training ends with the same numbers."""
    pytest.importorskip("sklearn")
    assert in_a_child("import killed; killed.main()", tmp_path, how) == (0, "25 killed, 25 alike\n")


OPTIMIZERS = {
    "SGD": lambda params: SGD(params, lr=0.1, momentum=0.9, nesterov=True),
    "Adam": lambda params: Adam(params, lr=0.02),
    "AdamW": lambda params: AdamW(params, lr=0.02, weight_decay=0.1),
}
SCHEDULES = {
    "none": lambda _: None,
    "linear": lambda optimizer: LinearLR(optimizer, 1.0, 0.1, 30),
    "cosine": lambda optimizer: CosineAnnealingLR(optimizer, 30),
}


def examples(seed, count):
    draw = random.Random(seed)
    rows = [[draw.gauss(0, 1), draw.gauss(0, 1)] for _ in range(count)]
    return rows, [int(math.hypot(*row) > 1) for row in rows]


def trained(optimizer, schedule, callbacks=(), resume=None, **more):
    random.seed(1)
    model = MLP(2, [4, 1])
    moves = OPTIMIZERS[optimizer](model.parameters())
    history = fit(
        model,
        *examples(0, 50),
        optimizer=moves,
        schedule=SCHEDULES[schedule](moves),
        steps=30,
        batch=8,
        validation=examples(1, 20),
        callbacks=callbacks,
        resume=resume,
        progress=False,
        **more,
    )
    rows = [(row.step, row.loss, row.accuracy, row.lr, row.held_out_loss) for row in history.rows]
    return [p.data for p in model.parameters()], rows, history.best_step


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_every_optimizer_and_schedule_goes_on(tmp_path, optimizer, schedule):
    """A training that was stopped and read again gives parameters and history bit for bit."""

    class StopError(Exception):
        pass

    def stop(state):
        if state.step == 17:
            raise StopError

    more = {"patience": 3, "class_weights": "balanced", "l2": 1e-3}
    whole = trained(optimizer, schedule, **more)
    with pytest.raises(StopError):
        trained(optimizer, schedule, [Checkpoints(tmp_path, every=5), stop], **more)
    progress, _ = read(tmp_path)
    assert progress.rows[-1].step == 17  # how it ended was no error of the training
    assert trained(optimizer, schedule, resume=progress, **more) == whole


def test_what_cannot_go_on(tmp_path):
    """A training that came to its end, and one of another network, are refused."""
    trained("Adam", "none", [Checkpoints(tmp_path)])
    progress, _ = read(tmp_path)
    with pytest.raises(ArgumentError, match="nothing to resume: 30 steps were made"):
        trained("Adam", "none", resume=progress)
    with pytest.raises(ArgumentError, match="parameters"):
        trained("Adam", "none", resume=progress._replace(parameters=[1.0], finished=False))
