"""The command line: what it leaves, what it says, and how it refuses."""

from __future__ import annotations

import csv
import importlib.util
import inspect
import json
import math
import os
import re
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import chainrule
from chainrule import cli
from chainrule.commands import train as train_command

PNG = b"\x89PNG\r\n\x1a\n"
VERSION = f"chainrule {chainrule.__version__} ({'native' if chainrule.native else 'pure Python'})\n"
RUN = ["history.csv", "loss.png", "neuron.svg", "parameters.safetensors", "run.json"]


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """The command in an empty folder: gives its status, its output, and its errors' lines."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        with pytest.raises(SystemExit) as exit_:
            cli.main(list(arguments))
        out, err = capsys.readouterr()
        return exit_.value.code, out, err.splitlines()

    return run


@pytest.fixture
def train(command):
    """`chainrule train`, where what it needs is installed."""
    for module in ("sklearn", "matplotlib", "safetensors"):
        pytest.importorskip(module)
    return lambda *arguments: command("train", *arguments)


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def measured(what, out):
    """A number that the summary gives, a percentage as a share."""
    number = re.search(rf"^{what}: ([0-9.]+)(%?)$", out, re.MULTILINE)
    return float(number[1]) / (100 if number[2] else 1)


# ---- the demands on accuracy ----


def test_moons_as_in_the_lecture(train, tmp_path):
    """Moons reach 100% on the lecture's 100 points, from the loss its notebook starts with."""
    status, out, _ = train("moons")
    assert status == 0
    assert measured("training accuracy", out) == 1.0
    history = rows(tmp_path / "runs/moons/history.csv")
    assert len(history) == 101
    assert float(history[0]["loss"]) == pytest.approx(0.8958441028683222, rel=1e-12)
    assert float(history[0]["accuracy"]) == 0.5
    assert float(history[99]["lr"]) == pytest.approx(1.0 - 0.9 * 99 / 100, rel=1e-12)


@pytest.mark.parametrize(("name", "demanded"), [("breast_cancer", 0.95), ("digits", 0.93)])
def test_held_out_accuracy(train, name, demanded):
    """With the default seed the held-out accuracy of the larger sets is what is demanded."""
    status, out, _ = train(name)
    assert status == 0
    assert measured("held-out accuracy", out) >= demanded


# ---- a run ----


def test_what_a_run_leaves(train, tmp_path):
    """A run on two features leaves numbers and three pictures, and says where they are."""
    status, out, err = train("xor", "--steps", "12", "--hidden", "3,2", "--batch", "20")
    assert (status, err) == (0, [])
    run = tmp_path / "runs" / "xor"
    assert sorted(os.listdir(run)) == sorted([*RUN, "boundary.png"])
    for name in ("loss.png", "boundary.png"):
        assert (run / name).read_bytes().startswith(PNG)
        assert f"runs/xor/{name}" in out
    assert ElementTree.parse(run / "neuron.svg").getroot().tag.endswith("svg")
    assert [row["step"] for row in rows(run / "history.csv")] == [str(k) for k in range(13)]
    assert json.loads((run / "run.json").read_text()) == {
        "chainrule": chainrule.__version__,
        "data": "xor",
        "seed": 1337,
        "network": {"nin": 2, "nouts": [3, 2, 1], "activation": "relu"},
    }


def test_what_a_run_prints(train, tmp_path):
    """Without a terminal: the plan, a line for each tenth, and the summary, in plain text."""
    _, out, _ = train("iris", "--steps", "10", "--out", "here")
    lines = out.splitlines()
    assert lines[0] == (
        "iris: network 4-8-3 (relu, 67 parameters), cross_entropy loss, "
        "Adam with learning rate 0.03, 10 steps, each on 32 of 120 examples"
    )
    assert re.fullmatch(r"[\d,]+ values became \d+ instructions in \d+\.\d s", lines.pop(1))
    assert [line.split()[1] for line in lines[1:12]] == [f"{k}/10" for k in range(11)]
    assert lines[12].startswith("done: 10 steps in ")
    last = rows(tmp_path / "here/history.csv")[-1]
    assert lines[13] == f"training accuracy: {float(last['accuracy']):.1%}"
    assert lines[14] == f"held-out accuracy: {float(last['held_out_accuracy']):.1%}"
    assert lines[15:] == ["pictures: here/loss.png, here/neuron.svg", "numbers:  here/history.csv"]
    assert "\x1b" not in out


def test_regression(train, tmp_path):
    """A regression tells its error in the unit of the targets."""
    from chainrule.checkpoints import load
    from chainrule.datasets import load as load_data
    from chainrule.training import outputs

    status, out, _ = train("diabetes", "--steps", "20", "--out", "run")
    assert status == 0
    data = load_data("diabetes")
    model, _ = load(tmp_path / "run")
    for what, (features, targets) in [("training", data.train), ("held-out", data.test)]:
        errors = [data.target_std * (s - t) for s, t in zip(outputs(model, features), targets)]
        expected = math.sqrt(sum(e * e for e in errors) / len(errors))
        assert measured(f"{what} root mean squared error", out) == pytest.approx(expected, abs=0.01)
    assert not (tmp_path / "run" / "boundary.png").exists()


def test_same_seed_same_run(train, tmp_path):
    """The seed decides the whole run, bit for bit; another one gives another."""
    for out, seed in [("a", "1"), ("b", "1"), ("c", "2")]:
        train("wine", "--steps", "5", "--seed", seed, "--out", out)
    a, b, c = ((tmp_path / out / "parameters.safetensors").read_bytes() for out in "abc")
    assert a == b
    assert a != c


def test_the_neurons_picture(train, tmp_path):
    """The neuron is drawn with the paths of its parameters and the names of the features."""
    train("xor", "--steps", "2", "--out", "run")
    shown = {text.text for text in ElementTree.parse(tmp_path / "run/neuron.svg").iter()}
    neuron = "layers.0.neurons.0"
    assert {f"{neuron}.w.0", f"{neuron}.w.1", f"{neuron}.b", "x1", "x2", "output"} < shown


def test_options_are_used(train, tmp_path):
    """Activation, loss, learning rate and layers are those of the command line."""
    options = "--activation tanh --loss mse --lr 0.125 --hidden 5 --steps 3 --out run"
    _, out, _ = train("circles", *options.split())
    assert out.startswith("circles: network 2-5-1 (tanh, 21 parameters), mse loss, Adam with ")
    history = rows(tmp_path / "run/history.csv")
    assert [float(row["lr"]) for row in history] == pytest.approx([0.125, 0.0875, 0.05, 0.0125])


def test_a_run_is_not_overwritten(train, tmp_path):
    """A second run into the same folder is refused; --force replaces all that is of the first."""
    train("xor", "--steps", "2", "--out", "run")
    before = (tmp_path / "run/history.csv").read_bytes()
    status, _, err = train("xor", "--steps", "3", "--out", "run")
    assert status == 2
    assert err == [
        "chainrule: run holds a run already (history.csv): say --force to overwrite it, "
        "or another --out"
    ]
    assert (tmp_path / "run/history.csv").read_bytes() == before
    status, *_ = train("iris", "--steps", "3", "--out", "run", "--force")
    assert status == 0
    assert len(rows(tmp_path / "run/history.csv")) == 4
    assert not (tmp_path / "run/boundary.png").exists()


def test_refused_arguments_leave_an_older_run_alone(train, tmp_path):
    """With --force too, nothing of a run is lost to a command that cannot be followed."""
    train("xor", "--steps", "2", "--out", "run")
    status, *_ = train("xor", "--batch", "1000", "--out", "run", "--force")
    assert status == 2
    assert sorted(os.listdir(tmp_path / "run")) == sorted([*RUN, "boundary.png"])


def test_nan_is_explained(train, tmp_path):
    """A loss that overflows ends with op, operands and line, status 1, and what there was."""
    status, out, err = train("xor", "--lr", "1e200", "--steps", "5", "--out", "run")
    assert status == 1
    assert len(err) == 1
    place = r"steps.py:\d+, in .+"
    explanation = rf"chainrule: step 1: mul\(layers\S+ = \S+, \S+\) gave inf at {place}"
    assert re.fullmatch(explanation, err[0])
    assert "numbers:  run/history.csv" in out
    assert len(rows(tmp_path / "run/history.csv")) == 1
    assert sorted(os.listdir(tmp_path / "run")) == [
        "history.csv",
        "parameters.safetensors",
        "run.json",
    ]


def test_ctrl_c(tmp_path):
    """Ctrl-C in the middle leaves the run, its pictures and status 130, without a traceback."""
    for module in ("sklearn", "matplotlib", "safetensors"):
        pytest.importorskip(module)
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from chainrule.cli import main; main()"
    )
    arguments = ["train", "xor", "--steps", "1000000", "--out", "run"]
    child = subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    plan, how, first = (child.stdout.readline() for _ in range(3))
    assert plan.startswith("xor: ")
    assert "value" in how
    assert first.startswith("step       0/1000000")
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (130, "")
    history = rows(tmp_path / "run/history.csv")
    assert f"stopped by Ctrl-C after {len(history)} of 1000000 steps" in out
    assert sorted(os.listdir(tmp_path / "run")) == sorted([*RUN, "boundary.png"])
    assert measured("last step's accuracy", out) == float(history[-1]["accuracy"])
    assert "training accuracy" not in out  # what was measured is the batch of that step


# ---- draw ----


def test_draw_draws_the_neuron_again(train, command, tmp_path):
    """`chainrule draw` of a run makes the same picture as the training did."""
    train("xor", "--steps", "5", "--out", "run")
    picture = tmp_path / "run" / "neuron.svg"
    before = picture.read_bytes()
    picture.unlink()
    assert command("draw", "run") == (0, "picture: run/neuron.svg\n", [])
    assert picture.read_bytes() == before


@pytest.mark.parametrize(
    ("file", "content", "message"),
    [
        ("run.json", None, "run holds no run: run/run.json is missing"),
        ("parameters.safetensors", None, "run holds no run: "),
        ("run.json", b"{", "the run in run cannot be read: "),
        ("run.json", b"[]", "the run in run cannot be read: "),
        ("run.json", b"\xff\xfe", "the run in run cannot be read: "),
        ("run.json", b'{"network": {"nin": 2, "nouts": [9]}}', "the run in run cannot be read: "),
        ("parameters.safetensors", b"", "the run in run cannot be read: "),
        ("parameters.safetensors", b"\x00" * 40, "the run in run cannot be read: "),
    ],
)
def test_draw_of_a_damaged_run(train, command, tmp_path, file, content, message):
    """A run with a file missing or damaged is refused in one line."""
    train("xor", "--steps", "1", "--hidden", "2", "--out", "run")
    if content is None:
        (tmp_path / "run" / file).unlink()
    else:
        (tmp_path / "run" / file).write_bytes(content)
    status, _, err = command("draw", "run")
    assert status == 2
    assert len(err) == 1
    assert err[0].startswith(f"chainrule: {message}")


def test_draw_of_a_run_on_unknown_data(train, command, tmp_path):
    """A run whose data set does not exist here is refused by its name."""
    train("xor", "--steps", "1", "--hidden", "2", "--out", "run")
    path = tmp_path / "run" / "run.json"
    path.write_text(path.read_text().replace('"xor"', '"stars"'))
    status, _, err = command("draw", "run")
    assert status == 2
    assert err[0].startswith("chainrule: no data set is called 'stars'; there are moons")


# ---- datasets, version, help ----


def test_datasets(command):
    """The list has a line for each data set: how many examples, features, classes, the task."""
    pytest.importorskip("sklearn")
    status, out, _ = command("datasets")
    assert status == 0
    lines = [line.split() for line in out.splitlines()]
    assert ["moons", "100", "100", "2", "2", "binary"] in lines
    assert ["digits", "1437", "360", "64", "10", "multiclass"] in lines
    assert ["diabetes", "353", "89", "10", "regression"] in lines
    assert len(lines) == 1 + len(train_command.RECIPES)


def test_every_data_set_has_a_recipe():
    """What can be listed can be trained on."""
    pytest.importorskip("sklearn")
    from chainrule.datasets import DATASETS, SEED

    assert list(train_command.RECIPES) == list(DATASETS)
    assert inspect.signature(train_command.train).parameters["seed"].default == SEED


def test_version(command):
    """--version prints the version that the package has, and which engine it runs."""
    assert command("--version") == (0, VERSION, [])


def test_without_a_command(command):
    """Without a command the help is printed."""
    status, out, _ = command()
    assert status == 0
    assert all(name in out for name in ("train", "draw", "datasets"))


def test_as_a_module():
    """`python -m chainrule` is the same command."""
    done = subprocess.run(
        [sys.executable, "-m", "chainrule", "--version"], capture_output=True, text=True
    )
    assert done.stdout == VERSION


# ---- refusals ----

REFUSALS = {
    "train moon": "no data set is called 'moon'; there are .*; did you mean moons?",
    "train": "Missing argument 'DATA' (see chainrule train --help)",
    "trian moons": "No such command 'trian'",
    "train moons now": "Got unexpected extra argument.* (now) (see chainrule train --help)",
    "train moons --step 3": "No such option: --step .*--steps",
    "train moons --steps": "Option '--steps' requires an argument",
    "train moons --steps abc": "Invalid value for '--steps': .* valid integer",
    "train moons --steps 1.5": "Invalid value for '--steps': .* valid integer",
    "train moons --steps 0": "--steps must be a whole number from 1 up, not 0",
    "train moons --steps -3": "--steps must be a whole number from 1 up, not -3",
    "train moons --lr fast": "Invalid value for '--lr': .* valid ",
    "train moons --lr 0": "--lr must be a number above 0, not 0.0",
    "train moons --lr nan": "--lr must be a number above 0, not nan",
    "train moons --lr inf": "--lr must be a number above 0, not inf",
    "train moons --batch 0": "the batch must be a whole number from 1 to 100, .* not 0",
    "train moons --batch 101": "the batch must be a whole number from 1 to 100, .* not 101",
    "train moons --batch -1": "the batch must be a whole number from 1 to 100, .* not -1",
    "train moons --hidden 16,x": "--hidden must be whole numbers from 1 up, as 16,16, not '16,x'",
    "train moons --hidden 16,": "--hidden must be whole numbers from 1 up, as 16,16, not '16,'",
    "train moons --hidden -4": "--hidden must be whole numbers from 1 up, as 16,16, not '-4'",
    "train moons --hidden 4,0": "--hidden must be whole numbers from 1 up, as 16,16, not '4,0'",
    "train moons --hidden 1.5": "--hidden must be whole numbers from 1 up, as 16,16, not '1.5'",
    "train moons --activation rely": "no activation is called 'rely'; .*; did you mean relu?",
    "train moons --hidden=": "--hidden must be whole numbers from 1 up, as 16,16, not ''",
    "train moons --loss=": "no loss for moons is called ''; there are hinge, ",
    "train moons --activation atan2": "no activation is called 'atan2'; there are linear",
    "train moons --loss hing": "no loss for moons is called 'hing'; .*; did you mean hinge?",
    "train iris --loss hinge": "no loss for iris is called 'hinge'; there are cross_entropy",
    "train diabetes --loss hinge": "no loss for diabetes is called 'hinge'; there are mse",
    "train moons --seed -1": "a seed must be a whole number from 0 to 4294967294, not -1",
    "train moons --seed x": "Invalid value for '--seed': .* valid integer",
    "train moons --out file": "--out must be a folder that can be made, not file: File exists",
    "train moons --out file/run": "--out must be a folder .* not file/run: Not a directory",
    "draw": "Missing argument 'RUN' (see chainrule draw --help)",
    "draw nothing": "nothing holds no run: nothing/run.json is missing",
    "draw file": "the run in file cannot be read: ",
    "datasets all": "Got unexpected extra argument.* (all) (see chainrule datasets --help)",
}


@pytest.mark.usefixtures("train")
@pytest.mark.parametrize("line", REFUSALS)
def test_refusal_in_one_line(command, tmp_path, line):
    """What cannot be followed gets one line, with what would be right, and status 2."""
    (tmp_path / "file").write_text("not a folder")
    status, out, err = command(*line.split())
    assert (status, out) == (2, "")
    assert len(err) == 1
    pattern = ".*".join(map(re.escape, REFUSALS[line].split(".*")))
    assert re.match(f"chainrule: {pattern}", err[0])
    assert os.listdir(tmp_path) == ["file"]


def test_folder_that_cannot_be_written_to(train, monkeypatch):
    """A folder without permission to write is refused before the training."""
    monkeypatch.setattr(os, "access", lambda _, mode: not (mode & os.W_OK))
    status, _, err = train("moons", "--out", "run")
    assert status == 2
    assert err == ["chainrule: --out must be a folder that can be written to, not run"]


def test_full_disk(train, monkeypatch):
    """An error of the operating system while writing is one line, with status 1."""
    from chainrule.training import History

    def full(_, path):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr(History, "save_csv", full)
    status, _, err = train("xor", "--steps", "1", "--out", "run")
    assert status == 1
    assert err == ["chainrule: [Errno 28] No space left on device: 'run/history.csv'"]


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("sklearn", "scikit-learn"),
        ("matplotlib", "matplotlib"),
        ("safetensors", "safetensors"),
    ],
)
def test_missing_packages(command, monkeypatch, module, package):
    """A package that is missing is named before the training, with the extra to install."""
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == module else found(name)
    )
    for other in {"sklearn", "matplotlib", "safetensors"} - {module}:
        pytest.importorskip(other)
    status, out, err = command("train", "moons")
    assert (status, out) == (2, "")
    assert err == [f'chainrule: chainrule train needs {package}: pip install "chainrule[train]"']


def test_datasets_without_scikit_learn(tmp_path):
    """The other commands too name the extra instead of a traceback."""
    program = "import sys; sys.modules['sklearn'] = None; from chainrule.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program, "datasets"], cwd=tmp_path, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr == (
        'chainrule: a data set needs scikit-learn: pip install "chainrule[train]"\n'
    )
