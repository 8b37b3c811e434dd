"""The command line: what it leaves, what it says, and how it refuses."""

from __future__ import annotations

import csv
import html
import importlib.util
import inspect
import math
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import pytest

import chainrule
from chainrule.commands import train as train_command
from chainrule.viz import draw

REPORT = "run/report.html"
PNG = b"\x89PNG\r\n\x1a\n"
VERSION = f"chainrule {chainrule.__version__} ({'native' if chainrule.native else 'pure Python'})\n"
ALWAYS = ["checkpoint.safetensors", "history.csv", "report.html"]
RUN = sorted([*ALWAYS, "loss.png", "neuron.svg"])


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
    from chainrule.runs import load

    status, out, err = train("xor", "--steps", "12", "--hidden", "3,2", "--batch", "20")
    assert (status, err) == (0, [])
    run = tmp_path / "runs" / "xor"
    assert sorted(os.listdir(run)) == sorted([*RUN, "boundary.png"])
    for name in ("loss.png", "boundary.png"):
        assert (run / name).read_bytes().startswith(PNG)
        assert f"runs/xor/{name}" in out
    assert ElementTree.parse(run / "neuron.svg").getroot().tag.endswith("svg")
    assert [row["step"] for row in rows(run / "history.csv")] == [str(k) for k in range(13)]
    settings = load(run).settings
    assert (settings.data, settings.seed, settings.steps, settings.batch) == ("xor", 1337, 12, 20)
    assert settings.hidden == [3, 2]


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
    assert lines[15:] == [
        "pictures: here/loss.png, here/neuron.svg",
        "numbers:  here/history.csv",
        "report:   here/report.html",
    ]
    assert "\x1b" not in out


def test_regression(train, tmp_path):
    """A regression tells its error in the unit of the targets."""
    from chainrule.datasets import load as load_data
    from chainrule.runs import load
    from chainrule.training import outputs

    status, out, _ = train("diabetes", "--steps", "20", "--out", "run")
    assert status == 0
    data = load_data("diabetes")
    model = load(tmp_path / "run").model
    for what, (features, targets) in [("training", data.train), ("held-out", data.test)]:
        errors = [data.target_std * (s - t) for s, t in zip(outputs(model, features), targets)]
        expected = math.sqrt(sum(e * e for e in errors) / len(errors))
        assert measured(f"{what} root mean squared error", out) == pytest.approx(expected, abs=0.01)
    assert not (tmp_path / "run" / "boundary.png").exists()


def test_same_seed_same_run(train, tmp_path):
    """The seed decides the whole run, bit for bit; another one gives another."""
    for out, seed in [("a", "1"), ("b", "1"), ("c", "2")]:
        train("wine", "--steps", "5", "--seed", seed, "--out", out)
    from chainrule.checkpoints import read

    a, b, c = (read(tmp_path / out)[0].parameters for out in "abc")
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
    assert sorted(os.listdir(tmp_path / "run")) == ALWAYS
    assert html.escape(err[0].removeprefix("chainrule: ")) in (tmp_path / REPORT).read_text()


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
    report = (tmp_path / REPORT).read_text()
    assert f"Stopped after {len(history):,} of 1,000,000 steps" in report
    assert '<g class="ch-moment"' in report


# ---- draw ----

DRAWN = """\
   data     grad
 4.0000   1.0000  v2 = v1 + c
-6.0000   1.0000  ├─ v1 = a * b
 2.0000  -3.0000  │  ├─ a
-3.0000   2.0000  │  └─ b
10.0000   1.0000  └─ c
"""
NUMBERS = ["a=2", "b=-3", "c=10"]


PAGE = pathlib.Path(__file__).parent.parent / "docs/drawing.md"
CONSOLE = re.findall(r"^\$ chainrule (.*)\n((?:[^$`].*\n)*)", PAGE.read_text(), re.MULTILINE)


@pytest.mark.parametrize(("line", "shown"), CONSOLE, ids=[line for line, _ in CONSOLE])
def test_the_page_on_drawing(command, monkeypatch, line, shown):
    """What docs/drawing.md shows of the command line is what it prints."""
    own = {name: row for name, row in chainrule.TABLE.items() if isinstance(row.value, str)}
    monkeypatch.setattr("chainrule.expressions.TABLE", own)  # other tests define ops
    _, out, err = command(*shlex.split(line))
    assert out + "".join([f"{complaint}\n" for complaint in err]) == shown


def test_draw_in_the_terminal(command, tmp_path):
    """Without a file the expression is a tree of text, and nothing is written."""
    assert command("draw", "a*b + c", *NUMBERS) == (0, DRAWN, [])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", ["svg", "dot", "png", "html"])
def test_draw_into_a_file(command, tmp_path, suffix):
    """The file is what Python's own draw() and explore() write, by its suffix."""
    if suffix == "png":
        pytest.importorskip("resvg_py")
    name = f"x.{suffix}"
    assert command("draw", "a*b + c", *NUMBERS, "--out", name) == (0, f"saved: {name}\n", [])
    a, b, c = (chainrule.Value(x, label=name) for x, name in [(2, "a"), (-3, "b"), (10, "c")])
    output = a * b + c
    output.backward()
    by_hand = chainrule.explore(output) if suffix == "html" else draw(output)
    by_hand.save(tmp_path / "by_hand.x".replace("x", suffix))
    assert (tmp_path / name).read_bytes() == (tmp_path / f"by_hand.{suffix}").read_bytes()


def test_draw_a_page_of_many_values(command, tmp_path):
    """Of more than 200 values, which nobody steps through, the page has groups that open."""
    expression = "+".join(["tanh(a*b)"] * 100)
    assert command("draw", expression, "a=1", "b=2", "--out", "x.html")[0] == 0
    assert "data-group" in (tmp_path / "x.html").read_text(encoding="utf-8")
    assert command("draw", expression, "a=1", "b=2") == (
        2,
        "",
        [
            "chainrule: a tree of text shows up to 200 values, not 301: "
            "a drawing or a page of them can be saved"
        ],
    )


def test_draw_leaves_files_alone(command, tmp_path):
    """A file that is there is kept, and replaced with --force."""
    (tmp_path / "x.svg").write_text("kept")
    status, out, err = command("draw", "a", "a=2", "--out", "x.svg")
    assert (status, out) == (2, "")
    assert err == ["chainrule: x.svg is there already: say --force to overwrite it"]
    assert (tmp_path / "x.svg").read_text() == "kept"
    assert command("draw", "a", "a=2", "--out", "x.svg", "--force")[0] == 0
    assert ElementTree.parse(tmp_path / "x.svg").getroot().tag.endswith("svg")


@pytest.mark.parametrize(
    ("expression", "number"), [("-a*b", "-4.0000"), ("--a", "2.0000"), ("-2*b", "-4.0000")]
)
def test_draw_begins_with_a_minus(command, expression, number):
    """A minus sign at the beginning is no option."""
    status, out, err = command("draw", expression, *[f"{x}=2" for x in "ab" if x in expression])
    assert (status, err) == (0, [])
    assert out.splitlines()[1].split()[0] == number


@pytest.mark.parametrize(
    "arguments",
    [
        ["\x1b[31ma", "a=1"],
        ["a", "a\x1b]0;x\x07=1"],
        ["a", "a=\x1b[2J"],
        ["a", "\x1b[31m"],
        ["a", "a=1", "--\x1b[31m"],
        ["a", "a=1", "--out", "\x1b[31m.txt"],
        ["a", "a=1", "--out", "\x1b[31m/x.svg"],
        ["a\u202e", "a=1"],
        ["a\udcff", "a=1"],
        ["a", "a=1", "--out", "\udcff.txt"],
        ["\x1b[31m(a)", "a=1"],
        ["__import__('os').system('touch x')"],
        ["(" * 100_000],
        ["a" * 100_000],
        ["a", "a" * 100_000 + "=1"],
        ["a", "a=" + "9" * 100_000],
        ["a", "a=1", *[f"x{i}=1" for i in range(2000)]],
    ],
    ids=range(17),
)
def test_draw_refuses_what_is_hostile(command, tmp_path, arguments):
    """One line of moderate length, without a character that controls the terminal; no file."""
    status, out, err = command("draw", *arguments)
    assert (status, out, len(err)) == (2, "", 1)
    assert err[0].isprintable()
    assert len(err[0]) < 250
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_encoded(tmp_path):
    """A file whose name is no text is written; a terminal of ASCII gets what it can show."""
    program = [sys.executable, "-m", "chainrule", "draw", "a + 1", "a=2"]
    options = {"cwd": tmp_path, "capture_output": True, "check": True}
    done = subprocess.run([*program, "--out", b"\xff.svg"], **options)
    assert os.listdir(os.fsencode(tmp_path)) == [b"\xff.svg"]
    assert done.stdout == b"saved: \\udcff.svg\n"
    done = subprocess.run(program, env={**os.environ, "PYTHONIOENCODING": "ascii"}, **options)
    assert done.stdout.isascii()
    assert b"v1 = a + 1" in done.stdout


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
    "train": "say what to train on: a data set, a CSV file, or --resume RUN",
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
    "draw": "Missing argument 'EXPRESSION' (see chainrule draw --help)",
    "draw a": "'a' has no value: give one, as in a=2",
    "draw a+b a=1": "'b' has no value: give one, as in a=2",
    "draw a a=1 b=2": "'b' has a value, but is not in the expression",
    "draw a a=1 a=2": "'a' is given two numbers",
    "draw a a=abc": "'a' must be a finite number, not 'abc'",
    "draw a a=": "'a' must be a finite number, not ''",
    "draw a a=1/3": "'a' must be a finite number, not '1/3'",
    "draw a a=1+2j": "'a' must be a finite number, not '1+2j'",
    "draw a a=nan": "'a' must be a finite number, not 'nan'",
    "draw a a=-inf": "'a' must be a finite number, not '-inf'",
    "draw a a=1e999": "'a' must be a finite number, not '1e999'",
    "draw a a": "a number is given as a=2, not as 'a'",
    "draw a 2": "a number is given as a=2, not as '2'",
    "draw a a=1 =2": "a name is made of the letters a to z, digits and _, as x1, not ''",
    "draw a a=1 2=2": "a name is made of the letters a to z, digits and _, as x1, not '2'",
    "draw tanh tanh=2": "tanh is a function: give the number another name",
    "draw tanh(tanh) tanh=2": "tanh is a function: give the number another name",
    "draw lambda lambda=2": "'lambda' is not an expression: something is missing at its end",
    "draw a lambda=2 a=2": "a name is made of the letters a to z, digits and _, as x1, not 'lam",
    "draw a* a=2": "'a*' is not an expression: something is missing at its end",
    "draw max(a,2) a=2": "no function is called 'max'; there are .*; did you mean maximum?",
    "draw a a=2 --out x": "a drawing is saved as .svg, .png, .html or .dot, not as 'a file without",
    "draw a a=2 --out x.pdf": "a drawing is saved as .svg, .png, .html or .dot, not as '.pdf'",
    "draw a a=2 --out no/x.svg": "--out must be a file in a folder that is there, not no/x.svg",
    "draw a a=2 --out file": "file is there already: say --force to overwrite it",
    "draw a a=2 --out": "Option '--out' requires an argument",
    "draw a a=2 --ot": "a number is given as a=2, not as '--ot'",
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
    from chainrule.history import History

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
