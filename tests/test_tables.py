"""CSV files as examples: what is inferred, how it is kept, and what is refused with which words."""

from __future__ import annotations

import json
import math
import random
import statistics
import time

import pytest

pytest.importorskip("pandas")
pytest.importorskip("sklearn")

import numpy as np
import pandas as pd

from chainrule.errors import TableError
from chainrule.tables import Categories, Numbers, Treatment, load, read_csv, treatment

PEOPLE = """age,colour,member,height,paid
31,red,True,1.5,no
45,blue,FALSE,1.75,yes
28,red,true,1.25,no
60,green,False,2.0,yes
39,blue,True,1.5,yes
52,green,False,1.75,no
"""


@pytest.fixture
def file(tmp_path, monkeypatch):
    """A function that writes a file and gives its name."""
    monkeypatch.chdir(tmp_path)

    def write(content, name="people.csv"):
        (tmp_path / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    return write


def column(cells, target=None):
    """A file of one column, another of numbers, and a target."""
    target = target or ["no", "yes"] * len(cells)
    rows = [f"{cell},{i / 2},{t}" for i, (cell, t) in enumerate(zip(cells, target))]
    return "\n".join(["x,other,target", *rows]) + "\n"


# ---- what is inferred ----


def test_kinds_of_columns(file):
    """Numbers are scaled; texts, and true and false, are encoded; the last column is the target."""
    dataset, made, lines = load(file(PEOPLE))
    kinds = {c.name: getattr(c, "values", "numbers") for c in (*made.features, made.target)}
    assert kinds == {
        "age": "numbers",
        "colour": ("blue", "green", "red"),
        "member": ("False", "True"),
        "height": "numbers",
        "paid": ("no", "yes"),
    }
    assert (dataset.task, dataset.class_names) == ("binary", ("no", "yes"))
    assert dataset.feature_names == (
        *("age", "colour=blue", "colour=green", "colour=red"),
        *("member=False", "member=True", "height"),
    )
    assert lines == [
        "target: paid, two classes, so the task is binary",
        "numbers, scaled: age, height",
        "texts, encoded:  colour (3), member (2)",
        "rows: 6",
    ]


def test_scaled_by_the_rows_that_are_learnt_from(file):
    """Mean and deviation are those of the training rows, by Python's own statistics."""
    draw = random.Random(0)
    cells = [round(draw.gauss(50, 9), 3) for _ in range(100)]
    dataset, made, _ = load(file(column(cells)), seed=3)
    x = made.features[0]
    learnt = [row[0] * x.std + x.mean for row in dataset.train.features]
    assert (len(dataset.train.targets), len(dataset.test.targets)) == (80, 20)
    assert x.mean == pytest.approx(statistics.fmean(learnt), rel=1e-12)
    assert x.std == pytest.approx(statistics.pstdev(learnt), rel=1e-12)
    held_out = [row[0] * x.std + x.mean for row in dataset.test.features]
    assert sorted(learnt + held_out) == pytest.approx(sorted(cells), rel=1e-12)


@pytest.mark.parametrize(
    ("cells", "task", "names"),
    [
        (["no", "yes"], "binary", ("no", "yes")),
        ([0, 1], "binary", ("0", "1")),
        ([-1.5, 2.0], "binary", ("-1.5", "2")),
        (["true", "FALSE"], "binary", ("False", "True")),
        (["a", "b", "c"], "multiclass", ("a", "b", "c")),
        ([3, 20, 100], "multiclass", ("3", "20", "100")),
        ([0.5, 1, 2], "regression", ()),
        (range(30), "regression", ()),
    ],
)
def test_kind_of_problem(file, cells, task, names):
    """Two values are two classes; texts, and few whole numbers, are classes; else a regression."""
    targets = [cell for cell in cells for _ in range(6)]
    dataset, made, _ = load(file(column(range(len(targets)), targets)))
    assert (dataset.task, dataset.class_names, made.task) == (task, names, task)


def test_the_task_can_be_said(file):
    """What would be taken for classes is a regression if asked for, and the other way round."""
    cells = file(column(range(30), [0, 1, 2] * 10))
    assert load(cells, task="regression")[0].class_names == ()
    assert load(cells)[0].task == "multiclass"
    two = file(column(range(30), [0.5, 1.5] * 15), "two.csv")
    assert load(two, task="multiclass")[0].outputs == 2
    assert load(two, task="regression")[0].class_names == ()
    with pytest.raises(TableError, match="needs a target of two values, and 'target' has 3"):
        load(cells, task="binary")
    texts = file(column(range(9), ["a", "b", "c"] * 3), "texts.csv")
    with pytest.raises(TableError, match=r"a regression needs numbers, .* texts such as 'a'"):
        load(texts, task="regression")


def test_the_held_out_rows(file):
    """A fifth of each class, decided by the seed; each class is in both parts."""
    cells = file(column(range(200), ["a"] * 150 + ["b"] * 48 + ["c"] * 2))
    dataset, _, _ = load(cells, seed=1)
    sizes = [
        np.bincount(part.targets, minlength=3).tolist() for part in (dataset.train, dataset.test)
    ]
    assert [a + b for a, b in zip(*sizes)] == [150, 48, 2]
    assert sizes[1][:2] == pytest.approx([30, 10], abs=1)
    assert min(sizes[0]) >= 1
    again, other = load(cells, seed=1)[0], load(cells, seed=2)[0]
    np.testing.assert_array_equal(again.test.features, dataset.test.features)
    assert not np.array_equal(other.test.features, dataset.test.features)


def test_numbers_are_read_exactly(file):
    """Each number is the float that Python reads, whatever other cells its column has."""
    draw = random.Random(0)
    spelt = [repr(draw.gauss(0, 1) * 10.0 ** draw.randint(-300, 300)) for _ in range(500)]
    whole, mixed = column(spelt), column([*spelt, "what?"])
    for content in (whole, mixed):
        numbers, _ = Numbers("x").read(read_csv(file(content))["x"])
        assert numbers.tolist()[:500] == list(map(float, spelt))


# ---- cells that cannot be used ----


def test_faulty_cells_are_named(file):
    """Row, column and what is wrong, five at most; --drop-missing leaves their rows out."""
    cells = ["1", "", "x", "3", "inf", "NA", "1e999", "1_000", "2", "4", "5", "6", "7", "8", "9"]
    name = file(column(cells))
    with pytest.raises(TableError) as error:
        load(name)
    assert str(error.value) == (
        "6 cells cannot be used: row 2, column 'x': missing; row 3, column 'x': 'x' is not a "
        "finite number; row 5, column 'x': 'inf' is not a finite number; row 6, column 'x': "
        "missing; row 7, column 'x': '1e999' is not a finite number; and 1 more; --drop-missing "
        "leaves such rows out"
    )
    dataset, made, lines = load(name, drop_missing=True)
    assert lines[-1] == "rows: 9, 6 left out for missing or unreadable cells"
    assert len(dataset.train.targets) + len(dataset.test.targets) == 9
    assert isinstance(made.features[0], Numbers)


def test_values_of_dropped_rows_are_none(file):
    """A category that only rows without use had is not one."""
    rows = ["colour,x,target", "purple,,no", *[f"red,{i},no\nblue,{i},yes" for i in range(5)]]
    _, made, _ = load(file("\n".join(rows)), drop_missing=True)
    assert made.features[0].values == ("blue", "red")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("", "people.csv has no header in its first line"),
        ("\n\na,b\n1,2\n", "people.csv has no header in its first line"),
        ("a,b\n", "people.csv has a header and no rows"),
        ("a;b\n1;2\n", "has one column: .* needed; cells are separated by commas"),
        ("a,b,a\n1,2,3\n", "has two columns named 'a'"),
        ("a,,b\n1,2,3\n", "column 2 of people.csv has no name"),
        ("a,b\n1,2\n3,4,5\n", "is not a table: .* Expected 2 fields in line 3, saw 3"),
        ('a,b\n1,"2\n3,4\n', "is not a table: .* EOF inside string"),
        ('a,"b\n1,2\n', "the header of people.csv cannot be read: unexpected end of data"),
        ("a,b\n1,2\n", "1 rows can be used; 5 at least are needed"),
        ("a,b\n" + "1,\n" * 9, "column 'b' is empty: leave it out of the file"),
        ("é,b\n1,2\n".encode("latin-1"), r"is not text in UTF-8 \(it holds the byte 0xe9\)"),
        ("a,b\né,2\n".encode("latin-1"), r"is not text in UTF-8 \(it holds the byte 0xe9\)"),
        ("a,b\n1,2\n".encode("utf-16"), r"is not text in UTF-8 \(it holds the byte 0xff\)"),
        (column(range(9), ["same"] * 9), "the target 'target' is the same in all rows"),
        (column(range(9), ["a"] * 8 + ["b"]), "class 'b' of 'target' has one row"),
        (column([f"n{i}" for i in range(101)]), "column 'x' has 101 different values"),
        (column(["1e308", "-1e308"] * 9), "column 'x' cannot be scaled: .* -1e.308 to 1e.308"),
        (column(range(9)) + "\n9,1,yes,\x1b", "is not a table"),
    ],
)
def test_what_cannot_be_used(file, content, said):
    """The message says what was found, in one line."""
    with pytest.raises(TableError, match=said) as error:
        load(file(content))
    assert str(error.value).isprintable()


def test_targets_that_are_not_there(file):
    """The columns are listed, not all of ten thousand."""
    names = [f"x{i}" for i in range(10_000)]
    name = file(",".join(names) + "\n" + ",".join(["1"] * 10_000) + "\n")
    with pytest.raises(TableError) as error:
        load(name, "y")
    assert str(error.value) == (
        "no column is called 'y'; there are x0, x1, x2, x3, x4, x5, x6, x7 and 9,992 more"
    )
    with pytest.raises(TableError, match=r"^nowhere\.csv cannot be read: No such file"):
        load("nowhere.csv")


def test_a_file_that_would_fill_the_memory(file, monkeypatch):
    """Texts become many numbers: how many is known before they are made."""
    monkeypatch.setattr("chainrule.tables.MOST_NUMBERS", 1000)
    with pytest.raises(TableError, match="200 rows become 51 numbers each"):
        load(file(column([f"n{i % 50}" for i in range(200)])))


# ---- the same treatment later ----


@pytest.fixture
def made(file):
    return load(file(PEOPLE * 1 + PEOPLE.partition("\n")[2] * 9))[1]


def test_through_json(made):
    """What was inferred comes back from JSON, bit for bit."""
    assert treatment(json.loads(json.dumps(made.as_json()))) == made


def test_the_same_bits_in_every_form(file, made):
    """A file, a pandas table and lists of cells of the same rows become the same numbers."""
    rows = [["33", "red", "TRUE", "1.1"], ["50.25", "green", "false", "1.9"]]
    name = file("\n".join(map(",".join, [["age", "colour", "member", "height"], *rows])), "new.csv")
    age, height = made.features[0], made.features[3]
    right = [
        [(33 - age.mean) / age.std, 0, 0, 1, 0, 1, (1.1 - height.mean) / height.std],
        [(50.25 - age.mean) / age.std, 0, 1, 0, 1, 0, (1.9 - height.mean) / height.std],
    ]
    typed = [[33, "red", True, 1.1], [50.25, "green", False, 1.9]]
    frame = pd.DataFrame(typed, columns=["age", "colour", "member", "height"])
    frame.insert(0, "more", ["?", "?"])
    forms = [read_csv(name), pd.read_csv(name), frame[frame.columns[::-1]], rows, typed]
    forms.append(np.array(typed, dtype=object))
    for form in forms:
        assert made.encode(form).tolist() == right
    assert made.encode(frame[:0]).shape == (0, 7)


def test_codes_that_look_like_numbers(file):
    """Texts such as 007 stay what they are in a file where all look like numbers."""
    _, made, _ = load(file(column(["007", "7", "1.50", "w", "x", "y", "z"] * 4)))
    assert made.features[0].values == ("1.50", "007", "7", "w", "x", "y", "z")
    new = read_csv(file("x,other\n007,1\n7,1\n1.50,1\n", "new.csv"), ["x"])
    assert made.encode(new)[:, :7].argmax(axis=1).tolist() == [1, 2, 0]
    assert made.encode([[1.5, 1.0]])[:, :7].argmax() == 0


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([[1, "red", True]], "a pandas table is needed, or rows of 4 cells"),
        (
            [[1, "purple", True, 2]],
            "row 1, column 'colour': 'purple' is none of the values trained",
        ),
        ([[1, "red", True, 2], ["a", None, True, math.nan]], "3 cells cannot be used: row 2, colu"),
        ([[1, "red", True, "1e999"]], "row 1, column 'height': '1e999' is not a finite number"),
        ([[1.7e308, "red", True, 1]], "column 'age': '1.7e.308' is too far from those trained on"),
        ([[2j, "red", True, 1]], "column 'age': '2j' is not a finite number"),
        (
            [[pd.Timestamp(0), "red", True, 1]],
            "column 'age': '1970-01-01 .* is not a finite number",
        ),
        (pd.DataFrame({"age": [1.0]}), "needs each column that was trained on, once; 3 are not"),
        (
            pd.DataFrame(
                [[1, 2, "red", True, 1]], columns=["age", "age", "colour", "member", "height"]
            ),
            "once; 1 are not as needed: 'age'",
        ),
    ],
)
def test_rows_that_cannot_be_treated(rows, said):
    """Rows to predict from are refused by row and column, never guessed."""
    colours, members = (
        Categories("colour", ("blue", "red")),
        Categories("member", ("False", "True")),
    )
    features = (Numbers("age", 40.0, 0.5), colours, members, Numbers("height", 1.0, 2.0))
    made = Treatment(features, Categories("paid", ("no", "yes")), "binary")
    with pytest.raises(TableError, match=said):
        made.encode(rows)


# ---- size ----


def test_a_hundred_thousand_rows(file):
    """A tenth of a million rows of ten columns load in fewer seconds than a million may."""
    draw = np.random.default_rng(0)
    table = pd.DataFrame(draw.normal(size=(100_000, 9)), columns=[f"x{i}" for i in range(9)])
    table["target"] = draw.choice(["red", "green", "blue"], 100_000)
    table.to_csv(file("", "large.csv"), index=False)
    began = time.perf_counter()
    dataset, _, _ = load("large.csv")
    assert time.perf_counter() - began < 5.0
    assert (len(dataset.train.targets), len(dataset.test.targets)) == (90_000, 10_000)
