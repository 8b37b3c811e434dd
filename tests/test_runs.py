"""Runs on CSV files by the command line: trained, killed, gone on with, shown, predicted from."""

from __future__ import annotations

import csv
import doctest
import io
import math
import os
import random
import re
import shlex
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

pytest.importorskip("pandas")
pytest.importorskip("sklearn")
pytest.importorskip("matplotlib")
pytest.importorskip("safetensors")

from chainrule import checkpoints
from chainrule.checkpoints import read
from chainrule.errors import ArgumentError, CheckpointError
from chainrule.runs import begin, data_of, load

PNG = b"\x89PNG\r\n\x1a\n"
SMALL = ["--hidden", "4", "--steps", "60", "--out", "run"]


@pytest.fixture
def flowers(tmp_path):
    """A file of three kinds of flowers, by two numbers and a colour."""
    return written(tmp_path / "flowers.csv", "multiclass")


def written(path, task, count=150):
    draw = random.Random(task)
    kinds = {"multiclass": ["iris", "rose", "lily"], "binary": ["no", "yes"]}.get(task)
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["length", "colour", "width", "kind"])
        for i in range(count):
            place = i % len(kinds) if kinds else i / count
            length, width = 5 + 2 * place + draw.gauss(0, 1), 90 - 30 * place + draw.gauss(0, 20)
            kind = kinds[place] if kinds else round(1000 + 100 * length - width, 2)
            rows.writerow([round(length, 3), draw.choice(["red", "blue"]), round(width, 2), kind])
    return str(path)


def table(text):
    """The rows of a CSV file, by the csv module."""
    return list(csv.DictReader(io.StringIO(text)))


def numbers(run):
    """All that a training ended with, but for how long it took."""
    progress, _ = read(run)
    rows = [(r.step, r.loss, r.accuracy, r.lr, r.held_out_loss) for r in progress.rows]
    return progress.finished, progress.parameters, progress.optimizer, progress.schedule, rows


# ---- flags ----


def test_train_on_a_file(command, flowers):
    """What was inferred is printed and stored; the loss is that of the task."""
    status, out, err = command("train", "flowers.csv", *SMALL)
    assert (status, err) == (0, [])
    assert out.splitlines()[:5] == [
        "target: kind, 3 classes, so the task is multiclass",
        "numbers, scaled: length, width",
        "texts, encoded:  colour (2)",
        "rows: 150",
        "flowers: network 4-4-3 (relu, 35 parameters), cross_entropy loss, Adam with learning "
        "rate 0.01, 60 steps, each on 32 of 120 examples",
    ]
    run = load("run")
    assert run.settings.data == flowers  # from wherever it is gone on with
    assert run.class_names == ("iris", "lily", "rose")
    assert [column.name for column in run.treatment.features] == ["length", "colour", "width"]


def test_target_and_task(command, flowers):
    """--target takes another column, --task another kind of problem."""
    del flowers
    command("train", "flowers.csv", "--target", "colour", *SMALL)
    assert load("run").class_names == ("blue", "red")
    assert load("run").settings.loss == "binary_cross_entropy"
    command("train", "flowers.csv", "--target", "length", *SMALL, "--force")
    assert load("run").task == "regression"
    command("train", "flowers.csv", "--target", "colour", "--task", "multiclass", *SMALL, "--force")
    assert (load("run").task, load("run").settings.loss) == ("multiclass", "cross_entropy")


def test_missing_cells(command, flowers):
    """They are named by row and column, and dropped only with --drop-missing."""
    lines = Path(flowers).read_text().splitlines()
    lines[7] = lines[7].replace("red", "").replace("blue", "")
    Path("holes.csv").write_text("\n".join(lines))
    status, out, err = command("train", "holes.csv", *SMALL)
    assert (status, out) == (2, "")
    assert err == [
        "chainrule: 1 cell cannot be used: row 7, column 'colour': missing; --drop-missing "
        "leaves such rows out"
    ]
    assert not os.path.exists("run")
    status, out, _ = command("train", "holes.csv", "--drop-missing", *SMALL)
    assert status == 0
    assert "rows: 149, 1 left out for missing or unreadable cells" in out


RATES = {
    "constant": lambda _: 0.02,
    "linear": lambda k: 0.02 * (1.0 - 0.9 * k / 60),
    "cosine": lambda k: 0.01 * (1.0 + math.cos(math.pi * k / 60)),
}


@pytest.mark.parametrize("schedule", RATES)
def test_schedules(command, flowers, schedule):
    """The rate of each step is that of the formula."""
    del flowers
    command("train", "flowers.csv", *SMALL, "--schedule", schedule, "--lr", "0.02")
    rates = [float(row["lr"]) for row in table(Path("run/history.csv").read_text())]
    assert rates == pytest.approx([RATES[schedule](k) for k in range(61)], rel=1e-9, abs=1e-15)


def test_early_stopping(command, tmp_path):
    """Training ends some epochs after the smallest held-out loss, with the parameters of then.

    They are those of a training that was asked for just as many steps.
    """
    written(tmp_path / "noise.csv", "binary", 60)
    flags = ["--hidden", "12", "--batch", "12", "--lr", "0.05", "--schedule", "constant"]
    _, out, _ = command("train", "noise.csv", *flags, "--steps", "2000", "--patience", "5")
    rows = table(Path("runs/noise/history.csv").read_text())
    measured = {int(r["step"]): float(r["held_out_loss"]) for r in rows[:-1] if r["held_out_loss"]}
    best = min(measured, key=measured.get)
    last = int(rows[-1]["step"])
    epochs = [step for step in measured if step % 4 == 0 and best < step < last]  # 48 of 12
    assert 4 <= len(epochs) <= 5
    assert re.search(
        rf"stopped early after {last} of 2000 .*; the parameters of step {best} are ", out
    )
    command("train", "noise.csv", *flags, "--steps", str(best), "--out", "short")
    assert load("short").model.state_dict() == load("runs/noise").model.state_dict()


@pytest.mark.parametrize("task", ["binary", "multiclass"])
@pytest.mark.parametrize("weights", ["balanced", "1,5"])
def test_class_weights(command, tmp_path, task, weights):
    """The loss of the first step is PyTorch's, with the same weights."""
    torch = pytest.importorskip("torch")
    written(tmp_path / "x.csv", task)
    weights = weights if task == "binary" or weights == "balanced" else "1,5,2"
    command("train", "x.csv", *SMALL, "--batch", "120", "--class-weights", weights)
    run = load("run")
    dataset = data_of(run.settings)[0]
    model = begin(run.settings, dataset)
    given = [model(row) for row in dataset.train.features.tolist()]
    targets = dataset.train.targets.tolist()
    sizes, count = Counter(targets), 2 if task == "binary" else 3
    each = [len(targets) / (count * sizes[k]) for k in range(count)]
    each = torch.tensor(each if weights == "balanced" else [float(w) for w in weights.split(",")])
    each, targets = each.double(), torch.tensor(targets)
    if task == "multiclass":
        scores = torch.tensor([[s.data for s in row] for row in given], dtype=torch.float64)
        loss = torch.nn.CrossEntropyLoss(weight=each)(scores, targets)
    else:
        scores = torch.tensor([s.data for s in given], dtype=torch.float64)
        of = torch.nn.BCEWithLogitsLoss(weight=each[targets], reduction="sum")
        loss = of(scores, targets.double()) / each[targets].sum()
    assert run.history.rows[0].loss == pytest.approx(loss.item(), rel=1e-12)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ("--class-weights 1,x", '--class-weights must be "balanced" or numbers'),
        ("--class-weights 1,2", 'class weights must be "balanced" or 3 numbers above 0'),
        ("--patience 0", "--patience must be a whole number from 1 up, not 0"),
        ("--checkpoint-every 0", "--checkpoint-every must be a whole number from 1 up, not 0"),
        ("--schedule step", "no --schedule is called 'step'; there are constant, linear, cosine"),
        ("--optimizer adam", "no --optimizer is called 'adam'; there are SGD, Adam, AdamW"),
        ("--task classes", "no task is called 'classes'; there are regression, binary, multiclass"),
        ("--l2 -1", "--l2 must be a number from 0 up, not -1.0"),
        (
            "--target species",
            "no column is called 'species'; there are length, colour, width, kind",
        ),
    ],
)
def test_flags_that_do_not_fit(command, flowers, flags, said):
    """Each is refused in one line, with what would be right."""
    del flowers
    status, _, err = command("train", "flowers.csv", *flags.split())
    assert (status, len(err)) == (2, 1)
    assert err[0].startswith(f"chainrule: {said}")


def test_flags_of_files_alone(command):
    """The data sets have their target and task."""
    assert command("train", "moons", "--target", "x1")[2] == [
        "chainrule: --target is for CSV files: the data sets say it themselves"
    ]


# ---- going on ----


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT], ids=["killed", "Ctrl-C"])
def test_gone_on_with(command, flowers, number, tmp_path):
    """A run that was ended from outside goes on, from any folder, to the same bits."""
    flags = ["--hidden", "6", "--batch", "8", "--steps", "600", "--checkpoint-every", "7"]
    command("train", flowers, *flags, "--out", "whole")
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from chainrule.cli import main; main()"
    )
    child = subprocess.Popen(
        [sys.executable, "-c", program, "train", "flowers.csv", *flags, "--out", "run"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    for line in child.stdout:
        if line.startswith("step 120/"):
            break
    child.send_signal(number)
    out, err = child.communicate(timeout=120)
    assert (child.returncode, err) == ((-9, "") if number == signal.SIGKILL else (130, ""))
    made = len(read("run")[0].rows)
    assert 0 < made < 600
    if number == signal.SIGINT:
        assert out.endswith("go on:    chainrule train --resume run\n")
    os.mkdir("elsewhere")
    os.chdir("elsewhere")
    status, out, _ = command("train", "--resume", "../run")
    assert status == 0
    assert out.startswith(f"going on after {made} of 600 steps\n")
    assert numbers("../run") == numbers("../whole")
    assert len(table(Path("../run/history.csv").read_text())) == 601


def test_what_is_not_gone_on_with(command, flowers):
    """A run at its end, other settings, a file that changed or went, a folder without a run."""
    command("train", flowers, *SMALL)
    end = "the run in run came to its end: there is nothing to resume"
    assert command("train", "--resume", "run") == (2, "", [f"chainrule: {end}"])
    for flags, name in [(["--steps", "9"], "--steps"), (["flowers.csv"], "DATA")]:
        said = f"--resume goes on as the run began: leave {name} out"
        assert command("train", *flags, "--resume", "run") == (2, "", [f"chainrule: {said}"])
    progress, about = read("run")
    checkpoints.write("run", progress._replace(finished=False, rows=progress.rows[:-1]), about)
    with open(flowers, "a") as file:
        file.write("1,red,2,rose\n")
    said = f"{flowers} has changed since the training on it began"
    assert command("train", "--resume", "run") == (2, "", [f"chainrule: {said}"])
    os.remove(flowers)
    said = f"{flowers} cannot be read: No such file or directory"
    assert command("train", "--resume", "run") == (2, "", [f"chainrule: {said}"])
    said = "elsewhere holds no run: checkpoint.safetensors is missing"
    assert command("train", "--resume", "elsewhere") == (1, "", [f"chainrule: {said}"])


@pytest.mark.parametrize("verb", ["train --resume run", "show run", "predict run flowers.csv"])
def test_a_run_that_cannot_be_read(command, flowers, monkeypatch, verb):
    """One that is damaged or of a later version is one line, whoever asks."""
    command("train", flowers, *SMALL)
    whole = Path("run/checkpoint.safetensors").read_bytes()
    Path("run/checkpoint.safetensors").write_bytes(whole[: len(whole) // 2])
    status, out, err = command(*verb.split())
    assert (status, out, len(err)) == (1, "", 1)
    assert "checkpoint.safetensors is damaged" in err[0]
    Path("run/checkpoint.safetensors").write_bytes(whole)
    progress, about = read("run")
    with monkeypatch.context() as later:
        later.setattr(checkpoints, "FORMAT", checkpoints.FORMAT + 1)
        later.setattr(checkpoints, "__version__", "99.0")
        checkpoints.write("run", progress, about)
    status, out, err = command(*verb.split())
    assert (status, out, len(err)) == (1, "", 1)
    assert "was written by chainrule 99.0" in err[0]
    checkpoints.write("run", progress, {"settings": {}})
    status, out, err = command(*verb.split())
    assert (status, out, len(err)) == (1, "", 1)
    assert "is of no run" in err[0]


# ---- predict ----


def by_hand(run, row):
    """What the network gives for a row of a file, by plain arithmetic on its cells."""
    features = []
    for column in run.treatment.features:
        cell = row[column.name]
        if hasattr(column, "values"):
            features += [float(cell == value) for value in column.values]
        else:
            features.append((float(cell) - column.mean) / column.std)
    given = run.model(features)
    return [s.data for s in given] if isinstance(given, list) else given.data


@pytest.mark.parametrize("task", ["multiclass", "binary", "hinge", "regression"])
def test_predictions(command, tmp_path, task):
    """Each row's prediction and its probability, score or number are those of the network."""
    written(tmp_path / "x.csv", "binary" if task == "hinge" else task)
    command("train", "x.csv", *SMALL, *(["--loss", "hinge"] if task == "hinge" else []))
    status, out, err = command("predict", "run", "x.csv")
    assert (status, err) == (0, [])
    run, rows, said = load("run"), table(Path("x.csv").read_text()), table(out)
    assert len(said) == len(rows)
    for row, told in zip(rows, said):
        given = by_hand(run, row)
        if task == "regression":
            right = {"prediction": given * run.target_std + run.target_mean}
        elif task == "multiclass":
            powers = [math.exp(score) for score in given]
            right = {"prediction": run.class_names[given.index(max(given))]}
            right["probability"] = max(powers) / sum(powers)
        else:
            right = {"prediction": run.class_names[given > 0]}
            right |= (
                {"score": given}
                if task == "hinge"
                else {"probability": 1 - 1 / (1 + math.exp(abs(given)))}
            )
        assert list(told) == list(right)
        for name, value in right.items():
            exact = isinstance(value, str)
            assert (told[name] if exact else float(told[name])) == (
                value if exact else pytest.approx(value, rel=1e-9)
            )


def test_predictions_into_a_file(command, flowers):
    """--out writes what the terminal would show, and leaves a file that is there alone."""
    command("train", flowers, *SMALL)
    _, out, _ = command("predict", "run", flowers)
    assert command("predict", "run", flowers, "--out", "said.csv") == (0, "", [])
    assert Path("said.csv").read_text() == out
    status, _, err = command("predict", "run", flowers, "--out", "said.csv")
    assert (status, err) == (
        2,
        ["chainrule: said.csv is there already: say --force to overwrite it"],
    )
    assert command("predict", "run", flowers, "--out", "said.csv", "--force")[0] == 0


def test_the_same_in_python(command, flowers):
    """load(run).predict takes a table, rows of cells, or a data set's features."""
    import pandas

    command("train", flowers, *SMALL)
    run, rows = load("run"), table(Path(flowers).read_text())
    said = [row["prediction"] for row in table(command("predict", "run", flowers)[1])]
    assert run.predict(pandas.read_csv(flowers)) == said
    assert run.predict([[row["length"], row["colour"], row["width"]] for row in rows]) == said
    command("train", "iris", "--steps", "50", "--out", "named")
    dataset = data_of(load("named").settings)[0]
    said = load("named").predict(dataset.test.features)
    right = [name == dataset.class_names[t] for name, t in zip(said, dataset.test.targets)]
    last = load("named").history.rows[-1]
    assert sum(right) / len(right) == pytest.approx(last.held_out_accuracy)


def test_rows_that_cannot_be_predicted(command, flowers):
    """Cells that cannot be read, columns that lack, and runs on no file: one line each."""
    command("train", flowers, *SMALL)
    Path("new.csv").write_text("length,colour,width\n1,red,2\nlong,green,3\n")
    status, out, err = command("predict", "run", "new.csv")
    assert (status, out, len(err)) == (2, "", 1)
    assert (
        "row 2, column 'length': 'long' is not a finite number; row 2, column 'colour': " in err[0]
    )
    Path("new.csv").write_text("length,width\n1,2\n")
    assert "1 are not as needed: 'colour'" in command("predict", "run", "new.csv")[2][0]
    command("train", "xor", "--steps", "2", "--out", "named")
    status, _, err = command("predict", "named", "new.csv")
    assert (status, len(err)) == (2, 1)
    assert err[0].startswith("chainrule: named was trained on xor, not on a CSV file")


def test_a_reader_who_has_seen_enough(command, flowers):
    """A pipe that is closed early is no error worth a word."""
    command("train", flowers, *SMALL)
    program = [sys.executable, "-m", "chainrule", "predict", "run", flowers]
    child = subprocess.Popen(program, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    child.stdout.close()
    assert child.stderr.read() == b""
    child.stderr.close()
    child.wait(60)


# ---- show ----


def test_show_classes(command, flowers):
    """Network, history, and for each class what its held-out examples are taken for."""
    command("train", flowers, *SMALL)
    os.remove("run/neuron.svg")
    status, out, err = command("show", "run")
    assert (status, err) == (0, [])
    assert re.search(r"^network +4-4-3 \(relu, 35 parameters\)$", out, re.M)
    assert re.search(r"^features +length, colour=blue, colour=red, width$", out, re.M)
    run = load("run")
    dataset = data_of(run.settings)[0]
    taken = Counter()
    for features, target in zip(dataset.test.features.tolist(), dataset.test.targets.tolist()):
        given = [score.data for score in run.model(features)]
        taken[target, given.index(max(given))] += 1
    lines = [line.split() for line in out.splitlines()]
    for i, name in enumerate(run.class_names):
        row = [taken[i, j] for j in range(3)]
        right = f"{row[i] / sum(row):.1%}"
        assert [name, str(sum(row)), right, *map(str, row)] in lines
    last = run.history.rows[-1]
    assert ["60", f"{last.loss:.4g}", f"{last.accuracy:.1%}"] == lines[lines.index([]) + 12][:3]
    assert out.endswith("pictures: run/confusion.png, run/neuron.svg\n")
    assert Path("run/confusion.png").read_bytes()[:8] == PNG
    assert "layers.0.neurons.0.b" in Path("run/neuron.svg").read_text()


def test_show_a_regression(command, tmp_path):
    """Errors are in the unit of the target, by plain arithmetic over the held-out rows."""
    written(tmp_path / "x.csv", "regression")
    command("train", "x.csv", *SMALL)
    os.mkdir("pictures")
    _, out, _ = command("show", "run", "--out", "pictures")
    run = load("run")
    dataset = data_of(run.settings)[0]
    errors = [
        run.target_std * (run.model(features).data - target)
        for features, target in zip(dataset.test.features.tolist(), dataset.test.targets.tolist())
    ]
    for name, right in [
        ("root mean squared error", math.sqrt(sum(e * e for e in errors) / len(errors))),
        ("mean absolute error", sum(map(abs, errors)) / len(errors)),
        ("largest error", max(map(abs, errors))),
    ]:
        assert float(re.search(rf"^{name} +(\S+)$", out, re.M)[1]) == pytest.approx(right, rel=1e-3)
    assert sorted(os.listdir("pictures")) == ["neuron.svg", "predictions.png"]
    assert not os.path.exists("run/predictions.png")


def test_show_without_the_file(command, flowers):
    """Where the file changed or went this is said, and what the checkpoint has is shown."""
    command("train", flowers, *SMALL)
    os.remove(flowers)
    status, out, err = command("show", "run")
    assert (status, err) == (0, [])
    assert f"held-out examples: {flowers} cannot be read: No such file or directory" in out
    assert re.search(r"^network +4-4-3", out, re.M)
    assert out.endswith("pictures: run/neuron.svg\n")
    assert command("show", "run", "--out", "nowhere")[2] == [
        "chainrule: --out must be a folder that is there, not nowhere"
    ]


def test_errors_in_python(command, flowers):
    """The errors are those that the command tells."""
    command("train", flowers, *SMALL)
    with pytest.raises(CheckpointError, match="holds no run"):
        load("elsewhere")
    os.remove(flowers)
    with pytest.raises(ArgumentError, match="cannot be read"):
        data_of(load("run").settings)


# ---- the page ----

PAGE = (Path(__file__).parent.parent / "docs/training.md").read_text()
BLOCK = re.compile(r"^```(csv|console|pycon)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINE = re.compile(r"^\$ chainrule (.*)\n((?:[^$].*\n|\n)*)", re.MULTILINE)


def test_the_page_on_training(command):
    """Its files, its commands and its Python, in their order: "..." stands for what varies."""
    names, seen = iter(["trees.csv", "new.csv"]), Counter()
    for kind, text in BLOCK.findall(PAGE):
        seen[kind] += 1
        if kind == "csv":
            Path(next(names)).write_text(text)
        elif kind == "pycon":
            example = doctest.DocTestParser().get_doctest(text, {}, "page", None, None)
            assert doctest.DocTestRunner().run(example).failed == 0
        for line, shown in LINE.findall(text) if kind == "console" else []:
            _, out, err = command(*shlex.split(line))
            said = out + "".join([f"{complaint}\n" for complaint in err])
            assert doctest.OutputChecker().check_output(shown, said, doctest.ELLIPSIS), said
    assert seen == {"csv": 2, "console": 5, "pycon": 2}
