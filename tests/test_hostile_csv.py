"""Three hundred CSV files that a seed decides: each is refused in one line, or read right.

What is right is found without pandas: by the csv module, regular expressions and arithmetic.
"""

from __future__ import annotations

import csv
import io
import math
import random
import re
from collections import Counter

import pytest

pytest.importorskip("pandas")
pytest.importorskip("safetensors")
pytest.importorskip("matplotlib")

from chainrule import cli, tables
from chainrule.errors import ChainruleError

EACH = 10  # files of each kind
NUMBER = re.compile(r"\s*[+-]?((\d+\.?\d*|\.\d+)(e[+-]?\d+)?|inf(inity)?)\s*", re.I | re.A)
MISSING = {"", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "n/a", "#N/A", "<NA>"}
ODD_NAMES = ["größe", "a b", 'say "x"', "x,y", "two\nlines", "\x1b[31mred", "[bold]", "$x_$", "價"]


# ---- tables to begin with ----


def table(draw, rows=None, kind=None):
    """A header and rows of texts, the target last; and what the target is."""
    rows = rows or draw.randint(12, 60)
    kind = kind or draw.choice(["regression", "binary", "multiclass"])
    columns = {}
    for i in range(draw.randint(1, 4)):
        name = draw.choice(ODD_NAMES) + str(i) if draw.random() < 0.3 else f"x{i}"
        columns[name] = draw.choice([numbers, numbers, texts])(draw, rows)
    columns["target"] = {
        "regression": numbers,
        "binary": lambda draw, n: classes(draw, n, draw.choice(["no yes", "0 1", "-1 1.5"])),
        "multiclass": lambda draw, n: classes(draw, n, "red green blue"),
    }[kind](draw, rows)
    return [list(columns), *map(list, zip(*columns.values()))], kind


def numbers(draw, n):
    """Numbers of any size, in the spellings that files have."""
    scale = 10.0 ** draw.randint(-5, 8)
    spelt = [repr, "{:.6g}".format, "{:e}".format, " {!r}".format, "{:+.9f}".format]
    return [draw.choice(spelt)(scale * (draw.gauss(3.0, 1.0))) for _ in range(n)]


def texts(draw, n):
    names = ["a", "b", "Ärger", "it's", "x, y", "-", "1-2", "#", "two\nlines", "'", "12:30"]
    return balanced(draw, n, draw.sample(names, draw.randint(2, 4)))


def classes(draw, n, names):
    return balanced(draw, n, names.split())


def balanced(draw, n, values):
    """Each of the values some times, in any order."""
    cells = [values[i % len(values)] for i in range(n)]
    draw.shuffle(cells)
    return cells


def written(rows, end="\n", quoting=csv.QUOTE_MINIMAL, encoding="utf-8"):
    file = io.StringIO()
    csv.writer(file, lineterminator=end, quoting=quoting).writerows(rows)
    return file.getvalue().encode(encoding)


# ---- what is done to them: each gives a file, how it ends, and how it is loaded ----

RIGHT, REFUSED, EITHER = "right", "refused", "either"


def as_it_is(draw):
    rows, kind = table(draw)
    if kind == "regression":
        return written(rows), RIGHT, {"task": "regression"}
    return written(rows), RIGHT, {}


def of_windows(draw):
    rows, _ = table(draw, kind="binary")
    return written(rows, "\r\n", csv.QUOTE_ALL, "utf-8-sig"), RIGHT, {}


def with_blank_lines(draw):
    rows, _ = table(draw, kind="multiclass")
    lines = [written([row]) for row in rows]
    for _ in range(3):
        lines.insert(draw.randint(1, len(lines)), draw.choice([b"\n", b"   \n", b"\r\n"]))
    return b"".join(lines), RIGHT, {}


def target_elsewhere(draw):
    rows, _ = table(draw, kind="binary")
    turned = [row[::-1] for row in rows]
    return written(turned), RIGHT, {"target": "target"}


def bools(draw):
    rows, _ = table(draw, kind="binary")
    words = dict(zip(sorted({row[-1] for row in rows[1:]}), ["FALSE", "True"]))
    return written([rows[0], *[[*row[:-1], words[row[-1]]] for row in rows[1:]]]), RIGHT, {}


def huge_whole_numbers(draw):
    rows, _ = table(draw, kind="binary")
    big = [[str(draw.randint(2**62, 2**70))] for _ in rows[1:]]
    return written([["id", *rows[0]], *[b + r for b, r in zip(big, rows[1:])]]), RIGHT, {}


def constant_feature(draw):
    rows, _ = table(draw, kind="binary")
    cell = draw.choice(["3.25", "same", "1e300", "-0"])
    return written([["c", *rows[0]], *[[cell, *row] for row in rows[1:]]]), RIGHT, {}


def many_rows_one_class_rare(draw):
    rows, _ = table(draw, rows=60, kind="binary")
    for row in rows[1:]:
        row[-1] = "no"
    for row in draw.sample(rows[1:], 2):
        row[-1] = "yes"
    return written(rows), RIGHT, {}


def faulty_cells(draw, words):
    """A table some of whose number cells hold another word."""
    rows, _ = table(draw, kind="binary")
    rows = [["x", *rows[0]], *[[str(draw.random()), *row] for row in rows[1:]]]
    for place in draw.sample(range(1, len(rows)), draw.randint(1, 5)):
        rows[place][0] = draw.choice(words)
    return written(rows)


FAULTS = [
    "",
    "NA",
    "null",
    "n/a",
    "inf",
    "-Infinity",
    "1e999",
    "12a",
    "1,000",
    "1_000",
    "0x1f",
    "?",
]


def faults_refused(draw):
    return faulty_cells(draw, FAULTS), REFUSED, {}


def faults_dropped(draw):
    return faulty_cells(draw, FAULTS), RIGHT, {"drop_missing": True}


def short_rows(draw):
    rows, _ = table(draw, kind="binary")
    for place in draw.sample(range(1, len(rows)), 3):
        rows[place].pop()
    return written(rows), *draw.choice([(REFUSED, {}), (RIGHT, {"drop_missing": True})])


def empty(draw):
    return (
        draw.choice([b"", b"\n", b"\r\n\r\n", b"  \n", b"\xef\xbb\xbf", b",,\n", b"\0"]),
        REFUSED,
        {},
    )


def few_rows(draw):
    rows, _ = table(draw, kind="regression")
    return written(rows[: draw.randint(1, 5)]), REFUSED, {}


def constant_target(draw):
    rows, _ = table(draw)
    cell = rows[1][-1]
    return written([rows[0], *[[*row[:-1], cell] for row in rows[1:]]]), REFUSED, {}


def same_name_twice(draw):
    rows, _ = table(draw)
    return written([[*row, row[0]] for row in rows]), REFUSED, {}


def no_name(draw):
    rows, _ = table(draw)
    rows[0][draw.randrange(len(rows[0]))] = draw.choice(["", "  "])
    return written(rows), REFUSED, {}


def one_column(draw):
    sep = draw.choice(";\t|")
    rows, _ = table(draw, kind="binary")
    plain = [[re.sub(r"\W", "", cell) for cell in row] for row in rows]
    return "\n".join(sep.join(row) for row in plain).encode(), REFUSED, {}


def wrong_encoding(draw):
    rows, _ = table(draw)
    rows[draw.randrange(len(rows))][0] += "é"
    rows = [[cell.replace("價", "x") for cell in row] for row in rows]
    return written(rows, encoding=draw.choice(["latin-1", "utf-16", "utf-16-le"])), REFUSED, {}


def long_rows(draw):
    rows, _ = table(draw)
    rows[draw.randrange(1, len(rows))] += ["1", "2"]
    return written(rows), REFUSED, {}


def open_quote(draw):
    rows, _ = table(draw, kind="binary")
    lines = [written([row]) for row in rows]
    place = draw.randrange(len(lines))
    lines[place] = b'"' + lines[place].replace(b'"', b"")
    return (
        b"".join(line.replace(b'"', b"") if i > place else line for i, line in enumerate(lines)),
        REFUSED,
        {},
    )


def no_such_target(draw):
    return written(table(draw)[0]), REFUSED, {"target": draw.choice(["Target", "", "y", "\x1b[2J"])}


def too_many_texts(draw):
    rows, _ = table(draw, rows=150, kind="binary")
    names = [f"n{i}" for i in range(150)]
    draw.shuffle(names)
    return written([["id", *rows[0]], *[[n, *row] for n, row in zip(names, rows[1:])]]), REFUSED, {}


def lone_class(draw):
    rows, _ = table(draw, rows=40, kind="multiclass")
    rows[draw.randrange(1, 41)][-1] = "once"
    return written(rows), REFUSED, {}


def wrong_task(draw):
    kind, task = draw.choice([("multiclass", "regression"), ("multiclass", "binary")])
    return written(table(draw, kind=kind)[0]), REFUSED, {"task": task}


def overflowing(draw):
    rows, _ = table(draw, kind="binary")
    cells = [draw.choice(["1.7e308", "-1.7e308"]) for _ in rows[1:]]
    cells[:2] = ["1.7e308", "-1.7e308"]
    return written([["x", *rows[0]], *[[c, *r] for c, r in zip(cells, rows[1:])]]), REFUSED, {}


def a_million_columns(draw):
    return (
        draw.choice(
            [
                ",".join(f"x{i}" for i in range(1_000_000)).encode()
                + b"\n"
                + b"1," * 999_999
                + b"1\n",
                b"a,b\n1,2\n" + b"3," * 999_999 + b"4\n",
                b'"' + b"a" * 1_000_000 + b'",b\n1,2\n',
            ]
        ),
        REFUSED,
        {},
    )


def bytes_changed(draw):
    content = bytearray(written(table(draw)[0]))
    for _ in range(draw.randint(1, 8)):
        content[draw.randrange(len(content))] = draw.randrange(256)
    return bytes(content), EITHER, {}


def noise(draw):
    letters = 'ab12.,,,\n\n"\r\t ;eE-+\0é'
    return "".join(draw.choices(letters, k=draw.randint(1, 400))).encode(), EITHER, {}


KINDS = [
    as_it_is, of_windows, with_blank_lines, target_elsewhere, bools, huge_whole_numbers,
    constant_feature, many_rows_one_class_rare, faults_refused, faults_dropped, short_rows, empty,
    few_rows, constant_target, same_name_twice, no_name, one_column, wrong_encoding, long_rows,
    open_quote, no_such_target, too_many_texts, lone_class, wrong_task, overflowing, bytes_changed,
    bytes_changed, noise, noise,
]  # fmt: skip
FILES = [(kind, i) for i, kind in enumerate(KINDS)] + [(a_million_columns, len(KINDS))]


# ---- what is right ----


def is_number(cell):
    return NUMBER.fullmatch(cell) is not None


def plain(cell):
    """Numbers as they are written when they are classes."""
    if cell.lower() in ("true", "false"):
        return cell.capitalize()
    if is_number(cell) and math.isfinite(float(cell)):
        return f"{float(cell):.0f}" if float(cell) % 1 == 0 else repr(float(cell))
    return cell


def check(content, dataset, made, drop):
    """The examples are those of the file, treated as was told, and none is missing."""
    lines = csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""))
    head, *body = [row for row in lines if len(row) > 1 or "".join(row).strip()]
    body = [row + [""] * (len(head) - len(row)) for row in body]
    assert all(cell == "" for row in body for cell in row[len(head) :])
    columns = [(head.index(c.name), c) for c in [*made.features, made.target]]
    for place, column in columns:
        check_kind([row[place] for row in body], column, column is made.target, made.task)
    used = [row for row in body if all(is_good(row[place], c) for place, c in columns)]
    assert drop or len(used) == len(body)
    found = Counter()
    for examples in (dataset.train, dataset.test):
        for x, y in zip(examples.features.tolist(), examples.targets.tolist()):
            found[(*x, y)] += 1
    assert found == Counter(
        tuple(n for i, c in columns for n in encoded(row[i], c, c is made.target)) for row in used
    )
    check_scale(made, dataset)


def is_good(cell, column):
    if cell in MISSING:
        return False
    return isinstance(column, tables.Categories) or (is_number(cell) and math.isfinite(float(cell)))


def check_kind(cells, column, is_target, task):
    """A column is of numbers if half of what is there or more is such."""
    there = [cell for cell in cells if cell not in MISSING]
    share = sum(map(is_number, there)) / len(there)
    if not (is_target and task != "regression"):
        assert isinstance(column, tables.Numbers) == (share >= 0.5)


def encoded(cell, column, is_target):
    if isinstance(column, tables.Numbers):
        return [(float(cell) - column.mean) / column.std]
    values = [plain(value) for value in column.values]
    place = column.values.index(cell) if cell in column.values else values.index(plain(cell))
    return [place] if is_target else [float(place == i) for i in range(len(values))]


def check_scale(made, dataset):
    """What is learnt from has mean 0 and deviation 1, or is all the same."""
    start, columns = 0, []
    for column in made.features:
        if isinstance(column, tables.Numbers):
            columns.append([row[start] for row in dataset.train.features.tolist()])
        start += column.width
    if isinstance(made.target, tables.Numbers):
        columns.append(dataset.train.targets.tolist())
    for cells in columns:
        mean = math.fsum(cells) / len(cells)
        square = math.fsum(x * x for x in cells) / len(cells)
        assert mean == pytest.approx(0.0, abs=1e-6)
        assert square == pytest.approx(1.0, abs=1e-6) or set(cells) == {0.0}


# ---- the tests ----


@pytest.mark.parametrize(("kind", "number"), FILES, ids=[f"{k.__name__}-{i}" for k, i in FILES])
def test_one_line_or_a_right_result(tmp_path, monkeypatch, capsys, kind, number):
    """Ten files of a kind: refused in one line, with status 2, or read as the file has it."""
    monkeypatch.chdir(tmp_path)
    for i in range(EACH):
        draw = random.Random(1000 * number + i)
        content, end, how = kind(draw)
        (tmp_path / "hostile.csv").write_bytes(content)
        try:
            dataset, made, lines = tables.load("hostile.csv", **{"target": None, **how})
        except ChainruleError:
            assert end != RIGHT, content[:500]
            refused(how, capsys)
        else:
            assert end != REFUSED, content[:500]
            assert all(line.isprintable() for line in lines)
            check(content, dataset, made, "drop_missing" in how)


def refused(how, capsys):
    """The command says so in one line that can be shown, of moderate length."""
    flags = [f"--target={how['target']}"] if "target" in how else []
    flags += [f"--task={how['task']}"] if "task" in how else []
    flags += ["--drop-missing"] if "drop_missing" in how else []
    with pytest.raises(SystemExit) as exit_:
        cli.main(["train", "hostile.csv", *flags])
    out, err = capsys.readouterr()
    assert (exit_.value.code, out) == (2, "")
    assert err.count("\n") == 1
    assert err[:-1].isprintable()
    assert len(err) < 1000


@pytest.mark.parametrize("kind", [as_it_is, of_windows, faults_dropped, bools, huge_whole_numbers])
def test_trained_on(tmp_path, monkeypatch, capsys, kind):
    """What is read right can be trained on, shown, and predicted from."""
    monkeypatch.chdir(tmp_path)
    content, _, how = kind(random.Random(3))
    (tmp_path / "hostile.csv").write_bytes(content)
    flags = ["--drop-missing"] if "drop_missing" in how else []
    line = ["train", "hostile.csv", "--steps", "2", "--hidden", "3", "--out", "run", *flags]
    for arguments in (line, ["show", "run"]):
        with pytest.raises(SystemExit) as exit_:
            cli.main(arguments)
        out, err = capsys.readouterr()
        assert (exit_.value.code, err) == (0, "")
        assert all(line.isprintable() for line in out.splitlines())
