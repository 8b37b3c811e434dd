"""The course: its chapters run, its exercises are judged, and it is copied out whole."""

from __future__ import annotations

import ast
import inspect
import math
import os
import pathlib
import re
import shutil
import subprocess
import sys

import lab
import pytest

import chainrule.course
from chainrule import cli
from chainrule.course import load
from chainrule.course.exercises import EXERCISES
from chainrule.course.exercises.engines import value_class
from chainrule.course.judging import check, judge, kind, look
from chainrule.grader import grade

COURSE = pathlib.Path(chainrule.course.__file__).parent
CHAPTERS = sorted((COURSE / "chapters").glob("[0-9]*.py"))
PAGE = pathlib.Path(__file__).parent.parent / "docs/course.md"
WIDGET = "application/vnd.jupyter.widget-view+json"
CHECKED = re.compile(r'^check\("(\d+\.\d+)", ', re.MULTILINE)

NEEDED = {8: ["torch"], 9: ["sklearn"], 10: ["sklearn"]}  # by what a chapter shows

# The lecture's parts in its order: the chapter, and what is to be read under the heading.
LECTURE = [
    (1, "an expression of everything, and its gradients", ["24.7041", "138.8338", "645.5773"]),
    (1, "the slope of a function of one number", ["f(3) = 20.0", "14.0003", "-22.000", "0.000"]),
    (1, "the valley of the step sizes", ["1e-08", "error 1.4e-02", "<image>"]),
    (1, "one input nudged at a time", ["d = 4.0", "a: -3.0000", "b: 2.0000", "c: 1.0000"]),
    (1, "a gradient by hand and by differences", ["[-12.353553, 10.25699, 0.0625]"]),
    (2, "numbers that remember", ["Value(data=4.0)", "was made by + from", "by * from"]),
    (2, "the drawing", ["<drawing>"]),
    (
        3,
        "an expression, backwards with a pencil",
        [
            "L = -8.0",
            "dL/da = 6.0, by nudging 6.0000",
            "dL/db = -4.0, by nudging -4.0000",
            "dL/dc = -2.0, by nudging -2.0000",
            "dL/de = -2.0, by nudging -2.0000",
            "dL/df = 4.0",
            "dL/df by nudging: 4.0000",
            "dL/dd by nudging: -2.0000",
        ],
    ),
    (3, "leaves moved along their gradients", ["-7.286496"]),
    (
        3,
        "a neuron, backwards with a pencil",
        ["0.7071", "x1 = -1.5000", "w1 = 1.0000", "x2 = 0.5000", "w2 = 0.0000"],
    ),
    (4, "local derivatives, kept by each op", ["rate -3.0", "rate 2.0", "dL/da = 6.0"]),
    (4, "complete before passed on", ["gradient of a is 16.0", "gradient of a is 8.0", "<page>"]),
    (4, "shares that overwrite each other", ["+=: 2.0", "= : 1.0", "a: -3.0", "b: -8.0"]),
    (
        5,
        "operators with a number on the left",
        ["a + 1 = 5.0", "2 * a = 8.0", "2 - a = -2.0", "1 / a = 0.25"],
    ),
    (
        5,
        "tanh in pieces",
        [f"{pieces}: o = 0.7071\n    x1 -1.5000  w1 1.0000" for pieces in ("in_one", "in_pieces")],
    ),
    (
        5,
        "ops as large as one likes",
        ["in_one: 2 values, derivative 0.5", "8 values, derivative 0.5"],
    ),
    (5, "softmax, and the surprise at the right class", ["surprise: 2.1755153626"]),
    (6, "neurons, layers, a network drawn", ["<drawing>", "layers.0.neurons.0.w.0"]),
    (
        6,
        "four examples",
        [
            "[2.0, 3.0, -1.0] should be  1.0",
            "[3.0, -1.0, 0.5] should be -1.0",
            "[0.5, 1.0, 1.0] should be -1.0",
            "[1.0, 1.0, -1.0] should be  1.0",
        ],
    ),
    (7, "how wrong a network is", ["loss: ", "values of the loss: ", "<drawing>"]),
    (7, "what may be changed", ["41 parameters"]),
    (7, "steps against the gradient", ["<image>", "wrong sign:", "lr = 2:"]),
    (7, "gradients that pile up", ["with    zero_grad", "without zero_grad", "<image>"]),
    (7, "all in a few sentences", ["loss after 200 steps: 0.00"]),
    (
        8,
        "the neuron as tensors",
        ["o = 0.7071", "x1 = -1.5000", "w1 = 1.0000", "x2 = 0.5000", "w2 = 0.0000"],
    ),
    (8, "what micrograd has, and how it is tested", ["-99.000000, derivative 145.000000"] * 2),
    (
        8,
        "the table behind a large library",
        ["chainrule: tanh(a) = tanh(a); d/da = 1 - y * y", "self: tanh_backward(grad, result)"],
    ),
    (8, "a class with forward and backward", ["chainrule: 6.75", "PyTorch:   6.75"]),
    (9, "two moons, learned", ["loss from 0.8958", "accuracy 100%", "<image>"]),
    (9, "a few examples at a time", ["<image>"]),
    (10, "arrays, for speed only", ["24 times mul", "12 times tanh", "from the scalars: "]),
    (10, "a program lifted from scalars", ["def forward():", "def backward():", ".dot("]),
    (10, "how little code it is", ["engine.py", "nn.py", "my_engine.py"]),
]


def number_of(chapter):
    return int(chapter.name[:2])


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A copy of the course, as a learner has it."""
    folder = tmp_path / "course"
    with pytest.raises(SystemExit) as exit_:
        cli.main(["course", str(folder)])
    assert exit_.value.code == 0
    monkeypatch.chdir(folder)
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    return folder


# ---- exercises ----


@pytest.mark.parametrize("number", EXERCISES)
def test_right_answers(number):
    """A right answer is called right, and something is said about it."""
    verdict = judge(number, EXERCISES[number].right)
    assert verdict == (True, EXERCISES[number].because)
    assert verdict.words
    assert "Error" not in " ".join(map(kind, look(EXERCISES[number], EXERCISES[number].right)))


@pytest.mark.parametrize("number", EXERCISES)
def test_foreseen_answers(number):
    """Each wrong answer that is foreseen is called wrong, with the reason that belongs to it."""
    wrong = EXERCISES[number].wrong
    assert len({reason for _, reason in wrong}) == len(wrong) >= 3
    for answer, reason in wrong:
        assert judge(number, answer) == (False, reason)


@pytest.mark.parametrize("number", EXERCISES)
def test_any_answer_is_judged(number):
    """Whatever is given, nothing is raised, and what is said is more than a word."""
    things = ["4", 1j, 1e300, True, {}, {1}, [], [[]], object(), int, len, lambda *_: 1e300]
    for thing in things:
        verdict = judge(number, thing)
        assert verdict.right is False
        assert len(verdict.words.split()) > 5


@pytest.mark.parametrize("number", EXERCISES)
def test_no_answer_yet(number):
    """Three dots, or a function that returns them, are no wrong answer, but none."""
    missing = [..., None]
    if inspect.isfunction(EXERCISES[number].right):
        missing.append(lambda *_: ...)
    assert [judge(number, thing).right for thing in missing] == [None] * len(missing)


def test_what_an_unforeseen_answer_is_told():
    """The kind that is needed, or what it gives where; never the right answer."""
    assert judge("1.4", 3.0).words.startswith("Your answer is a number, not a list of 3.")
    assert judge("1.4", [1.0, 2.0, 3.0]).words.startswith("Number 1 of your list is 1, which is")
    assert judge("1.2", lambda *_: 5.0).words.startswith("`slope(square, 3.0, 0.1)` is 5, which")
    assert "ZeroDivisionError: division by zero" in judge("1.2", lambda *_: 1 / 0).words
    assert "a `return` missing" in judge("1.2", lambda *_: None).words
    for number, exercise in EXERCISES.items():
        if isinstance(exercise.right, (int, float)):
            assert f"{exercise.right:g} " not in judge(number, 1e300).words


def test_answers_end_no_program():
    """A function that exits, or calls itself without end, is an answer like another."""

    def endless(*_):
        return endless()

    assert "SystemExit" in judge("1.2", lambda *_: sys.exit()).words
    assert "without end" in judge("1.2", endless).words


@pytest.mark.parametrize("ten", [10, 10.0, chainrule.Value(10.0), 10.004])
def test_numbers_of_all_kinds(ten):
    """Whatever holds a number is one, rounded to four digits or not."""
    assert judge("1.1", ten).right


def test_numbers_of_numpy():
    """NumPy's scalars and arrays are numbers and lists."""
    np = pytest.importorskip("numpy")
    assert judge("1.1", np.float32(10)).right
    assert judge("3.1", np.array([4, 5, 2])).right


def test_the_exercises_under_the_lecture():
    """The lecture's numbers are right answers: softmax's gradients, and those of its function."""
    assert judge("5.3", [0.041773, 0.839025, 0.005653, -0.886450]).right
    by_a = -3 * 2**2 - 0.5 / 2**0.5
    assert judge("1.4", [by_a, 3 * math.cos(9) + 2.5 * 3**1.5, 1 / 4**2]).right


def test_engines_in_another_style():
    """micrograd's engine, made of closures, does what is asked of its part of the lecture."""
    engine, nn = (pytest.importorskip(f"micrograd.{name}") for name in ("engine", "nn"))
    assert judge("4.3", engine.Value).right
    assert judge("5.4", engine.Value).words == "There is no method exp yet."
    assert judge("6.3", nn).right


def test_the_engine_of_the_hints():
    """backward() as a hint gives it, which starts no inner gradient anew, is right as well."""
    again = "            if value.operands:\n                value.grad = 0.0"
    hinted = value_class(("self.grad += 1.0", "self.grad = 1.0"), (again, "            pass"))
    assert judge("4.3", hinted).right


def test_the_courses_engine_is_graded():
    """The solution of the exercises on one's own engine has full marks from the grader."""
    report = grade(COURSE / "solutions/my_engine.py")
    assert (report.passed, report.score) == (True, 100)


def test_what_was_edited_counts(tmp_path):
    """`load` reads a file anew at each call; one that is not there is told where it should be."""
    file = tmp_path / "my_engine.py"
    for number in (1, 2):
        file.write_text(f"number = {number}")
        assert load(str(file)).number == number
    with pytest.raises(chainrule.errors.ArgumentError, match=r"none.py is not in .*course"):
        load("none.py")


def test_check_prints(capsys):
    """In a cell the verdict is printed, with the exercise and a sign."""
    check("1.1", 10)
    check("1.1", 20)
    check("1.1", ...)
    right, wrong, *_, none = capsys.readouterr().out.splitlines()
    assert right == "✓ 1.1: right. By the rule it is 3x² - 2, and 3 · 4 - 2 = 10."
    assert wrong.startswith("✗ 1.1: not right. Your answer is 20")
    assert none.startswith("… 1.1: no answer yet.")


def test_check_prints_anywhere():
    """Where the terminal has no such signs, a verdict is printed without them."""
    program = "from chainrule.course import check; check('1.1', 10)"
    environment = os.environ | {"PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment
    )
    assert done.stdout == "? 1.1: right. By the rule it is 3x? - 2, and 3 ? 4 - 2 = 10.\n"


def test_no_such_exercise():
    """A number that no exercise has is refused."""
    with pytest.raises(chainrule.errors.ArgumentError, match=r"9\.99.*1\.1, 1\.2"):
        check("9.99", 1)


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_exercises_of_a_chapter(chapter):
    """A chapter checks its two to five exercises in order, each after a heading and a hint."""
    text = chapter.read_text()
    numbers = [n for n in EXERCISES if n.startswith(f"{number_of(chapter)}.")]
    assert 2 <= len(numbers) <= 5
    assert CHECKED.findall(text) == numbers
    for number in numbers:
        task = text.partition(f"### Exercise {number}\n")[2].partition(f'check("{number}"')[0]
        assert "<details><summary>Hint" in task


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_solutions(chapter, course):
    """The solutions of a chapter are programs, and each is right."""
    done = subprocess.run(
        [sys.executable, course / f"solutions/{chapter.name[:2]}.py"],
        capture_output=True,
        text=True,
        check=True,
    )
    numbers = [n for n in EXERCISES if n.startswith(f"{number_of(chapter)}.")]
    assert re.findall(r"^✓ (\S+): right", done.stdout, re.MULTILINE) == numbers


# ---- chapters ----


def executed(chapter):
    """A chapter as a notebook, its cells run from the first to the last in a kernel of its own."""
    jupytext = pytest.importorskip("jupytext")
    nbclient = pytest.importorskip("nbclient")
    notebook = jupytext.read(chapter)
    nbclient.NotebookClient(notebook, timeout=300).execute()
    return notebook


def sections(notebook):
    """What the cells under each heading put out: texts, and a word for each picture."""
    found, heading = {}, ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            heading = [heading, *re.findall(r"^## (.*)$", cell.source, re.MULTILINE)][-1]
        else:
            found.setdefault(heading, "")
            found[heading] += "".join(map(told, cell.outputs))
    return found


def told(output):
    if output.output_type == "stream":
        assert output.name == "stdout", output.text
        return output.text
    shown = output.data.get("text/html", "")
    if "<iframe" in shown or WIDGET in output.data:
        return "<page>"
    return "<drawing>" if "image/svg+xml" in shown else "<image>" if "<img" in shown else ""


def parts():
    """The rows of the table in the documentation, as part, chapter and section."""
    lines = PAGE.read_text().partition("## The lecture's parts")[2].splitlines()
    return [
        tuple(cell.strip() for cell in line.strip("|").split("|")) for line in lines if "|" in line
    ][2:]


def test_every_part_of_the_lecture_has_its_section():
    """The table of the documentation names the lecture's parts, in order, and their headings."""
    assert [(part, number) for part, number, _ in parts()] == [
        (part, str(number)) for number, part, _ in LECTURE
    ]
    chapters = {str(number_of(chapter)): chapter.read_text() for chapter in CHAPTERS}
    for _, number, section in parts():
        assert f"\n# ## {section}\n" in chapters[number]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_chapters_run(chapter, course):
    """From a clean kernel every cell of a chapter runs, and shows the lecture's numbers."""
    for package in ("matplotlib", *NEEDED.get(number_of(chapter), [])):
        pytest.importorskip(package)
    found = sections(executed(course / chapter.name))
    headings = {part: section for part, _, section in parts()}
    for number, part, texts in LECTURE:
        if number == number_of(chapter):
            seen = found[headings[part]]
            missing = [text for text in texts if seen.count(text) < texts.count(text)]
            assert missing == [], seen


def test_without_pytorch(course, tmp_path, monkeypatch):
    """The chapter on PyTorch runs where there is none, and says what it would show."""
    (tmp_path / "none").mkdir()
    (tmp_path / "none/torch.py").write_text("raise ImportError('there is no torch here')")
    path = [str(tmp_path / "none"), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    (chapter,) = course.glob("08*.py")
    told = "".join(sections(executed(chapter)).values())
    assert "PyTorch is not installed" in told
    assert told.count("would") >= 4


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_what_a_chapter_begins_with(chapter):
    """A title with its number, what one can do afterwards, and at the end what was gained."""
    text = chapter.read_text()
    assert f"# # {number_of(chapter)}. " in text
    assert "After this chapter you can" in text
    assert "## What you have now" in text


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
def test_functions_and_classes_are_defined_once(chapter):
    """marimo calls what is defined anew otherwise, but not within the definition itself."""
    defined = [
        node.name
        for node in ast.parse(chapter.read_text()).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef)
    ]
    assert sorted(set(defined)) == sorted(defined)


def test_a_chapter_in_jupyterlab(chromium, jupyterlab):
    """Opened as the command says, as a notebook, its first and its last cell run."""
    pytest.importorskip("jupytext")
    folder, address, token = jupyterlab
    shutil.copytree(COURSE / "chapters", folder, dirs_exist_ok=True)
    page = chromium.new_context(viewport={"width": 1400, "height": 1000}).new_page()
    faults = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.set_default_timeout(90_000)
    page.goto(f"{address}lab?reset&token={token}")
    page.locator(".jp-DirListing-item", has_text="03_back").click(button="right")
    page.get_by_text("Open With").hover()
    page.locator(".lm-Menu").last.get_by_text("Notebook", exact=True).click()
    notebook = lab.Notebook(page, folder / CHAPTERS[2].name)
    assert notebook.run(0) == ""
    assert "3.4: no answer yet" in notebook.run(-1)
    page.context.close()
    assert faults == []


def test_a_chapter_as_a_program(course):
    """Python alone runs a chapter too: pictures go to files, which it names."""
    pytest.importorskip("matplotlib")
    done = subprocess.run(
        [sys.executable, CHAPTERS[2].name], capture_output=True, text=True, check=True
    )
    pictures = re.findall(r"^picture: (.*)$", done.stdout, re.MULTILINE)
    assert [pathlib.Path(name).suffix for name in pictures] == [
        ".svg",
        ".svg",
        ".png",
        ".svg",
        ".html",
    ]
    assert all((course / name).stat().st_size > 1000 for name in pictures)
    assert done.stderr == ""


# ---- the command ----


def test_what_is_copied(course):
    """The folder holds the chapters, the learner's file and the solutions, and nothing else."""
    names = {path.relative_to(course).as_posix() for path in course.rglob("*") if path.is_file()}
    solutions = {f"solutions/{chapter.name[:2]}.py" for chapter in CHAPTERS}
    assert names == {
        *(chapter.name for chapter in CHAPTERS),
        *solutions,
        "solutions/my_engine.py",
        "my_engine.py",
        "names.txt",
    }


def test_what_is_printed(tmp_path, capsys):
    """Each way to open the course is told, with the folder in it."""
    folder = tmp_path / "new" / "course"
    with pytest.raises(SystemExit):
        cli.main(["course", str(folder)])
    out = capsys.readouterr().out
    for word in ("Jupyter", "VS Code", "marimo", "plain Python", 'pip install "chainrule[course]"'):
        assert word in out
    assert f"cd {folder}\n" in out


def test_a_folder_that_is_not_empty(tmp_path, capsys):
    """It is refused in one line, and what is in it stays as it is."""
    (tmp_path / "my_engine.py").write_text("mine")
    with pytest.raises(SystemExit) as exit_:
        cli.main(["course", str(tmp_path)])
    assert exit_.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["my_engine.py"]
    assert (tmp_path / "my_engine.py").read_text() == "mine"


def test_a_file_in_the_place_of_the_folder(tmp_path, capsys):
    """It is refused in one line."""
    (tmp_path / "file").write_text("mine")
    with pytest.raises(SystemExit) as exit_:
        cli.main(["course", str(tmp_path / "file")])
    assert exit_.value.code == 2
    assert len(capsys.readouterr().err.splitlines()) == 1
