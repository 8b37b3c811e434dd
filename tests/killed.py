"""Kills trainings and resumes them: python killed.py FOLDER eager|compiled

Each is a process forked from this one: it trains, with a checkpoint every seven steps, and is
killed by SIGKILL, at a drawn step by itself or at a random moment by this one; another goes on
where the last checkpoint is. What all end with is compared with a training nobody disturbed.
"""

import os
import random
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path

from chainrule import optim
from chainrule.checkpoints import Checkpoints, read
from chainrule.datasets import load
from chainrule.nn import MLP
from chainrule.training import fit

STEPS, EVERY = 40, 7


def train(run, eager, killed_at=None, resume=None):
    data = load("wine")
    random.seed(0)
    model = MLP(13, [6, 3])
    optimizer = optim.Adam(model.parameters(), lr=0.02)

    def kill_itself(state):
        if state.step == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    fit(
        model,
        *data.train,
        optimizer=optimizer,
        schedule=optim.LinearLR(optimizer, 1.0, 0.1, STEPS),
        steps=STEPS,
        batch=8,
        validation=data.test,
        callbacks=[Checkpoints(run, EVERY), kill_itself],
        resume=resume,
        eager=eager,
        progress=False,
    )


def in_a_fork(*arguments, after=None, **more):
    """Train in another process; kill it after so many seconds if said. Whether it was killed."""
    pid = os.fork()
    if not pid:
        status = 1
        try:
            train(*arguments, **more)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    if after is not None:
        time.sleep(after)
        os.kill(pid, signal.SIGKILL)
    _, status = os.waitpid(pid, 0)
    if not os.WIFSIGNALED(status) and os.WEXITSTATUS(status):
        raise SystemExit("a training failed")
    return os.WIFSIGNALED(status)


def numbers(run):
    """All that a training ended with, but for how long it took."""
    progress, _ = read(run)
    rows = [(r.step, r.loss, r.accuracy, r.lr, r.held_out_loss) for r in progress.rows]
    return progress.finished, progress.parameters, progress.optimizer, progress.schedule, rows


def kill(run, eager, draw, seconds):
    """Kill a training at a random moment, an earlier one if it was over by then."""
    while not in_a_fork(run, eager, after=draw.uniform(0.2, 0.9) * seconds):
        shutil.rmtree(run)
        seconds *= 0.8


def main():
    folder, eager = Path(sys.argv[-2]), sys.argv[-1] == "eager"
    began = time.perf_counter()
    in_a_fork(folder / "whole", eager)
    seconds = time.perf_counter() - began
    draw = random.Random(7)
    steps = draw.sample(range(STEPS), 20)
    killed = alike = 0
    for i in range(len(steps) + 5):
        run = folder / str(i)
        if i < len(steps):
            killed += in_a_fork(run, eager, killed_at=steps[i])
        else:
            kill(run, eager, random, seconds)
            killed += 1
        there = (run / "checkpoint.safetensors").exists()
        in_a_fork(run, eager, resume=read(run)[0] if there else None)
        alike += numbers(run) == numbers(folder / "whole")
    print(killed, "killed,", alike, "alike")


if __name__ == "__main__":
    main()
