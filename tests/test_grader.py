"""The grader: what it asks, that nothing an engine does escapes it, and what it says."""

from __future__ import annotations

import functools
import json
import pathlib
import random
import re
import sys

import pytest

from chainrule.cli import main
from chainrule.errors import ArgumentError
from chainrule.grader import Limits, grade, words
from chainrule.grader.behaviour import FURTHER, IF_THERE, REQUIRED
from chainrule.grader.behaviours import BEHAVIOURS, CHAPTERS
from chainrule.grader.judge import Observation, same
from chainrule.grader.worker import run

GROUPS = [group for groups in CHAPTERS.values() for group in groups]
PAGE = pathlib.Path(__file__).parent.parent / "docs/grader.md"
QUICK = Limits(seconds=30.0, each=1.0, loading=3.0, memory=1 << 30, output=1 << 20)

ENGINE = """
class Value:
    def __init__(self, data, parents=(), local=()):
        self.data, self.grad, self.parents, self.local = data, 0.0, parents, local

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, n):
        return Value(self.data**n, (self,), (n * self.data ** (n - 1),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other

    __radd__, __rmul__ = __add__, __mul__

    def __repr__(self):
        return f"Value({self.data})"

    def relu(self):
        return Value(max(0.0, self.data), (self,), (float(self.data > 0),))

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for parent in v.parents:
                    visit(parent)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            for parent, local in zip(v.parents, v.local):
                parent.grad += local * v.grad
"""


@pytest.fixture
def graded(tmp_path, monkeypatch):
    """A function that grades the text of an engine, written to a file of its own."""
    monkeypatch.chdir(tmp_path)

    def graded(text, only=("operations",), limits=QUICK, name="Value"):
        (tmp_path / "engine.py").write_text(text)
        return grade("engine.py", name, only, limits)

    return graded


def outcomes(report):
    """The outcome of each behaviour, by its name."""
    return {result.behaviour.name: result.outcome for result in report.results}


# ---- what is asked ----


def test_behaviours_are_told_apart():
    """Names are used once, groups are those of the chapters, and most behaviours are required."""
    assert {b.group for b in BEHAVIOURS.values()} == set(GROUPS)
    assert len(GROUPS) == len(set(GROUPS))
    demands = [b.demand for b in BEHAVIOURS.values()]
    assert set(demands) == {REQUIRED, IF_THERE, FURTHER}
    assert len(demands) >= 60
    assert demands.count(REQUIRED) > 60


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=lambda b: b.name)
def test_every_print_says_what_is_right(behaviour):
    """Each print of a program has its result behind it, and programs are short enough to read."""
    assert behaviour.program.count("print(") == len(behaviour.prints) == len(behaviour.expected)
    assert behaviour.prints
    lines = behaviour.program.splitlines()
    assert len(lines) <= 18
    assert max(map(len, lines)) <= 92
    assert behaviour.bare().splitlines() == [line.partition("  # ")[0] for line in lines]


class Tensor:
    """A scalar of PyTorch under the names that programs use: an engine that is not ours."""

    def __init__(self, data, label="", tensor=None):
        import torch

        made = torch.tensor(float(data), dtype=torch.float64) if tensor is None else tensor
        self.tensor = made.requires_grad_() if tensor is None else made
        self.tensor.retain_grad()
        self.label, self._op, self._prev = label, type(self.tensor.grad_fn).__name__, ()

    data = property(
        lambda self: self.tensor.item(), lambda self, x: self.tensor.data.fill_(float(x))
    )

    @property
    def grad(self):
        return 0.0 if self.tensor.grad is None else self.tensor.grad.item()

    @grad.setter
    def grad(self, number):
        if self.tensor.grad is not None:
            self.tensor.grad.fill_(number)

    def backward(self):
        self.tensor.backward(retain_graph=True)

    def __repr__(self):
        return f"Tensor({self.data})"


def of_torch(name):
    """A method that has PyTorch do the work, and remembers operands for drawing."""

    def method(self, *others):
        operands = [x.tensor if isinstance(x, Tensor) else x for x in others]
        result = Tensor(0.0, tensor=getattr(self.tensor, name)(*operands))
        result._prev = (self, *[x for x in others if isinstance(x, Tensor)])
        return result

    return method


OPERATORS = [
    "add",
    "radd",
    "sub",
    "rsub",
    "mul",
    "rmul",
    "truediv",
    "rtruediv",
    "pow",
    "rpow",
    "neg",
]
for name in [f"__{operator}__" for operator in OPERATORS]:
    setattr(Tensor, name, of_torch(name))
for name in ("tanh", "relu", "exp", "log", "sigmoid"):
    setattr(Tensor, name, of_torch(name))


class Network:
    """Layers of neurons with tanh, of scalars of PyTorch; a Neuron is a network of one."""

    def __init__(self, nin, *sizes):
        sizes = sizes[0] if sizes and isinstance(sizes[0], list) else sizes or [1]
        self.layers = [
            [[Tensor(random.uniform(-1, 1)) for _ in range(n + 1)] for _ in range(size)]
            for n, size in zip([nin, *sizes], sizes)
        ]

    def __call__(self, x):
        for layer in self.layers:
            x = [sum((w * xi for w, xi in zip(ws, x)), ws[-1]).tanh() for ws in layer]
        return x[0] if len(x) == 1 else x

    def parameters(self):
        return [w for layer in self.layers for ws in layer for w in ws]

    def zero_grad(self):
        for p in self.parameters():
            p.grad = 0.0


@pytest.mark.parametrize("behaviour", BEHAVIOURS.values(), ids=lambda b: b.name)
def test_pytorch_gives_what_is_expected(behaviour):
    """The formulas behind the prints are right: PyTorch's scalars print the same."""
    pytest.importorskip("torch")
    names = {"Value": Tensor, "Neuron": Network, "Layer": Network, "MLP": Network}
    observed = Observation(**run(behaviour.bare(), names))
    assert observed.error == ""
    assert same(observed.printed, behaviour.expected), observed.printed


# ---- what an engine may do ----


def in_method(name, *lines):
    """The engine with these lines before its class, and a call of them in one of its methods."""
    body = "\n".join(f"    {line}" for line in lines)
    head = f"    def {name}(self"
    start = ENGINE.index("\n", ENGINE.index(head)) + 1
    return (
        "import builtins, json, os, signal, subprocess, sys, threading, time\n"
        f"def trouble():\n{body}\n"
        f"{ENGINE[:start]}        trouble()\n{ENGINE[start:]}"
    )


TROUBLE = {
    "an endless loop": (["while True: pass"], "took longer than 1 s"),
    "a loop that catches all": (
        ["while True:", "    try: time.sleep(9)", "    except BaseException: pass"],
        "took longer",
    ),
    "an abort": (["os.abort()"], r"crashed the process \(SIGABRT\)"),
    "a segmentation fault": (["import ctypes; ctypes.string_at(0)"], "SIGSEGV"),
    "an exit with status 0": (["os._exit(0)"], "ended the process, with exit status 0"),
    "a kill": (["os.kill(os.getpid(), 9)"], "was killed by the system"),
    "a stop": (["os.kill(os.getpid(), 19)"], "took longer"),
    "its own group killed": (["os.killpg(0, signal.SIGTERM)"], "SIGTERM"),
    "signals ignored": (
        ["for s in (1, 2, 15): signal.signal(s, signal.SIG_IGN)", "while True: pass"],
        "took longer",
    ),
    "a thread that never ends": (
        ["threading.Thread(target=lambda: [0 for _ in iter(int, 1)]).start()", "time.sleep(9)"],
        "took longer",
    ),
    "no end to recursion": (
        [
            "sys.setrecursionlimit(10**9)",
            "f = lambda g: sorted([1, 2], key=lambda _: g(g))",
            "f(f)",
        ],
        "SIGSEGV",
    ),
    "files closed": (["os.closerange(0, 64)"], "ended the process|closed its files"),
}


@pytest.mark.parametrize(("lines", "stopped"), TROUBLE.values(), ids=TROUBLE)
def test_trouble_in_one_method_stops_what_uses_it(lines, stopped, graded):
    """A program that hangs or crashes is stopped and said to be; the others run all the same."""
    report = graded(in_method("__pow__", *lines))
    expected = dict.fromkeys(outcomes(report), "passed") | {"a ** 2": "stopped", "a / b": "stopped"}
    expected["operands keep their numbers"] = "stopped"
    assert outcomes(report) == expected
    assert not report.passed
    assert all(re.search(stopped, r.observed.stopped) for r in report.failures)
    assert report.seconds < 15.0


RAISED = {
    "sys.exit": (["sys.exit(0)"], "SystemExit: 0"),
    "an interrupt": (["raise KeyboardInterrupt"], "KeyboardInterrupt"),
    "no memory": (["bytearray(4 << 30)"], "MemoryError"),
    "a file too large": (
        ["with open('large', 'wb') as f:", "    while True: f.write(bytes(1 << 16))"],
        "OSError: [Errno 27] File too large",
    ),
    "a question": (["input('your name? ')"], "EOFError: EOF when reading a line"),
    "an error that hides": (
        ["class Error(Exception):", "    def __str__(self): return 1 / 0", "raise Error"],
        "Error: (its message cannot be read)",
    ),
    "an error with control characters": (
        ["raise ValueError('two\\nlines \\x1b[31m and \\ud800')"],
        "ValueError: two\\nlines \\x1b[31m and \\ud800",
    ),
    "an error with a long message": (["raise ValueError('x' * 10**7)"], "ValueError: " + 200 * "x"),
}


@pytest.mark.parametrize(("lines", "error"), RAISED.values(), ids=RAISED)
def test_what_is_raised_is_told(lines, error, graded):
    """Whatever a method raises is the verdict on what uses it, with the engine's line."""
    report = graded(in_method("__pow__", *lines))
    result = {r.behaviour.name: r for r in report.results}["a ** 2"]
    assert result.outcome == "wrong"
    assert result.observed.error == error
    assert "engine.py, line " in result.observed.place
    assert outcomes(report)["a * b"] == "passed"


HARMLESS = {
    "a print storm": ["print('x' * 10**6)", "os.write(1, b'y' * 10**6)", "os.write(2, b'z' * 999)"],
    "Python's own replaced": [
        "for f in ('print', 'open', 'repr', 'input', 'sum'): setattr(builtins, f, None)",
        "json.dumps = json.loads = json.JSONEncoder = None",
        "sys.stdout = sys.stderr = sys.excepthook = None",
        "os.write = os._exit = os.getpid = os.dup2 = None",
    ],
    "a fork": ["os.fork()"],
    "a thread that stays": ["threading.Thread(target=time.sleep, args=(99,)).start()"],
    "work at the end": [
        "import atexit; atexit.register(time.sleep, 99)",
        "class D: __del__ = lambda self: print('gone')",
        "D()",
    ],
    "lines of the grader's form": ["os.write(1, b'{\"printed\": [[9]]}\\n' * 9)"],
    "modules thrown away": ["sys.modules.clear()", "sys.path.clear()"],
    "a lower limit": ["sys.setrecursionlimit(60)"],
}


@pytest.mark.parametrize("lines", HARMLESS.values(), ids=HARMLESS)
def test_what_is_no_trouble_changes_nothing(lines, graded):
    """What an engine does besides does not reach the report, and does not hold it up."""
    report = graded(in_method("__pow__", *lines))
    assert outcomes(report) == dict.fromkeys(outcomes(report), "passed")
    assert len(report.output) <= 4000
    assert report.seconds < 15.0


AT_IMPORT = {
    "an endless loop": ("while True: pass", "loading engine.py took longer than 3 s"),
    "an exit with status 0": (
        "import os; os._exit(0)",
        "loading engine.py ended the process, with exit status 0",
    ),
    "sys.exit": ("import sys; sys.exit(0)", "engine.py could not be loaded: SystemExit: 0 ("),
    "a slip": ("1 / 0", "engine.py could not be loaded: ZeroDivisionError: division by zero (engi"),
    "bad syntax": ("def f(:", "engine.py could not be loaded: SyntaxError: invalid syntax (engin"),
    "no package": ("import nowhere", "engine.py could not be loaded: ModuleNotFoundError: No mod"),
    "a crash": ("import os; os.abort()", "loading engine.py crashed the process (SIGABRT)"),
    "nothing": ("", "engine.py has no class Value: "),
    "another class": ("class Scalar: pass", "engine.py has no class Value; its classes are Scalar"),
    "a class that hangs": (
        "class Value:\n    def __init__(self, x):\n        while True: pass",
        "Value(1.0) took longer than 1 s",
    ),
}


@pytest.mark.parametrize(("text", "problem"), AT_IMPORT.values(), ids=AT_IMPORT)
def test_an_engine_that_does_not_load(text, problem, graded):
    """No behaviour passes, each has a verdict, and the report says why."""
    report = graded(text, only=None)
    assert len(report.results) == len(BEHAVIOURS)
    assert not any(result.passed for result in report.results)
    assert report.problem.startswith(problem)
    assert (report.passed, report.score) == (False, 0)
    assert report.seconds < 15.0


PRETENDERS = {
    "equal to everything": "class Number:\n    __eq__ = lambda self, other: True",
    "a float that compares": "class Number(float):\n    __eq__ = lambda self, other: True",
    "an endless list": "class Number(list):\n    __getitem__ = lambda self, k: self",
    "an attribute for everything": "class Number:\n    __getattr__ = lambda self, name: self",
    "a text": "class Number(str): pass",
}


@pytest.mark.parametrize("number", PRETENDERS.values(), ids=PRETENDERS)
def test_nothing_pretends_to_be_a_number(number, graded):
    """What is compared are plain numbers, whatever the engine's own ones say of themselves."""
    text = f"{number}\nclass Value:\n    def __init__(self, x): self.data = self.grad = Number()\n"
    operators = "".join(f"    __{op}__ = lambda self, *_: self\n" for op in OPERATORS)
    report = graded(text + operators, only=["operations"])
    assert not any(result.passed for result in report.results)


def alive(pid):
    """Whether a process is there, and is not just waiting to be collected."""
    try:
        status = pathlib.Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found by Linux's /proc")
@pytest.mark.parametrize("ends", [["time.sleep(9)"], ["os._exit(0)"], []], ids=str)
def test_what_it_started_is_killed(ends, graded, tmp_path):
    """Processes that it started are killed with it, those that left its group and session too."""
    report = graded(
        in_method(
            "__pow__",
            "if os.path.exists('pids'): return",
            "sleeper = [sys.executable, '-c', 'import time; time.sleep(99)']",
            "for new in (True, False) * 5:",
            "    p = subprocess.Popen(sleeper, start_new_session=new)",
            "    open('pids', 'a').write(f'{p.pid} ')",
            "if os.fork() == 0:",
            "    os.setsid()",
            "    if os.fork(): os._exit(0)",
            "    open('pids', 'a').write(f'{os.getpid()} ')",
            "    time.sleep(99)",
            "time.sleep(0.2)",
            *ends,
        )
    )
    assert outcomes(report)["a * b"] == "passed"
    pids = (tmp_path / "pids").read_text().split()
    assert len(pids) == 11
    assert not any(alive(pid) for pid in pids)


def test_time_for_all_programs_is_limited(graded):
    """When all the time is over, what is left is said to be not run."""
    limits = QUICK._replace(seconds=2.0)
    report = graded(in_method("__init__", "time.sleep(0.1)"), None, limits)
    assert 2.0 <= report.seconds < 4.0
    assert outcomes(report)["a + b"] == "passed"
    assert "not finished: all 2 s were over" in {r.observed.stopped for r in report.results}
    assert not report.passed


# ---- which engine is graded ----

NETWORKS = """
import random
from engine import Value

class Neuron:
    def __init__(self, nin):
        self.w = [Value(random.uniform(-1, 1)) for _ in range(nin)]
        self.b = Value(0.0)

    def __call__(self, x):
        return sum((w * xi for w, xi in zip(self.w, x)), self.b).relu()

    def parameters(self):
        return [*self.w, self.b]
"""


def test_a_package_and_its_networks(tmp_path, monkeypatch):
    """A file of a package is imported as a part of it; networks are those of its module nn."""
    package = tmp_path / "grad"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "engine.py").write_text(f"from .names import *\n{ENGINE}")
    (package / "names.py").touch()
    (package / "nn.py").write_text(NETWORKS.replace("from engine", "from .engine"))
    by_path = grade(package / "engine.py", only=["neuron"], limits=QUICK)
    assert (by_path.score, by_path.problem, by_path.hints) == (100, "", [])
    monkeypatch.chdir(tmp_path)
    assert grade("grad.engine", only=["neuron"], limits=QUICK).results == by_path.results
    assert "grad" not in sys.modules


def test_a_module_beside_the_file(graded, tmp_path):
    """Networks may be in nn.py beside the file; if that fails, the report says so."""
    (tmp_path / "nn.py").write_text(NETWORKS)
    assert graded(ENGINE, only=["neuron"]).passed
    (tmp_path / "nn.py").write_text("import nowhere")
    report = graded(ENGINE, only=["neuron", "reuse"])
    assert set(outcomes(report).values()) == {"missing", "passed"}
    assert report.hints == [
        "what lies beside it could not be loaded: ModuleNotFoundError: No module named 'nowhere' "
        "(nn.py, line 1, in <module>)"
    ]


def test_another_name(graded):
    """A class of another name is graded under its name, which programs then use."""
    report = graded(ENGINE.replace("Value", "Scalar"), ["reuse"], name="Scalar")
    assert report.passed
    wrong = graded(ENGINE.replace("Value", "Scalar").replace("+= local", "= local"), ["reuse"])
    assert wrong.problem.startswith("engine.py has no class Value; its classes are Scalar")


@pytest.mark.parametrize(
    "target", ["nowhere.py", "nowhere.engine", "no where", ".", "notes.txt", "notes.ipynb"]
)
def test_targets_that_are_none(target, tmp_path, monkeypatch):
    """What is neither a Python file nor a module is refused, and no report is made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "notes.txt").touch()
    (tmp_path / "notes.ipynb").touch()
    with pytest.raises(ArgumentError, match=r"file|module|jupyter nbconvert"):
        grade(target)


def test_what_is_looked_for_is_said(graded):
    """Where values have no data, grad or backward(), the report says what they have instead."""
    report = graded(ENGINE.replace("self.grad", "self.gradient").replace("backward", "backprop"))
    assert report.hints == [
        "Value(1.0) has no grad and no backward; it has backprop, data, gradient, local, parents, "
        "relu. Programs read v.data and v.grad, and call v.backward()"
    ]
    report = graded("class Value: pass")
    assert report.hints == ["Value(1.0) does not work: TypeError: Value() takes no arguments"]


# ---- judgements ----


def test_our_own_engine():
    """chainrule's own engine and networks do all that is asked, and all that goes further."""
    report = grade("chainrule")
    assert [r.behaviour.name for r in report.results if not r.passed] == []
    assert len(report.results) == len(BEHAVIOURS)


def test_micrograd():
    """micrograd does all that is required; it fails only where the lecture goes no further."""
    pytest.importorskip("micrograd")
    report = grade("micrograd.engine")
    assert (report.score, report.passed) == (100, True)
    failed = [r for r in report.results if r.outcome == "wrong"]
    assert {r.behaviour.demand for r in failed} == {FURTHER}
    results = {r.behaviour.name: r.observed for r in failed}
    # 45 more than 27: inner gradients of the first call are passed on again.
    assert results["backward() twice through inner values"].printed == [[72.0]]
    assert results["a chain of 5,000 sums"].error.startswith("RecursionError")


MISSING = {
    "__radd__": ("    __radd__, __rmul__ = __add__, __mul__\n", "    __rmul__ = __mul__\n"),
    "__rsub__": ("def __rsub__", "def other"),
    "__neg__": ("def __neg__", "def other"),
    "__pow__": ("def __pow__", "def other"),
    "backward": ("def backward", "def other"),
    "an implementation": ("return -self + other", "raise NotImplementedError"),
    "Value()": ("parents=(), local=()):", "parents, local=()):"),
}
FEATURES = {
    "__radd__": "1 + a",
    "__rsub__": "5 - a",
    "__neg__": "-a",
    "__pow__": "a ** 2",
    "backward": "gradient of a + b",
    "an implementation": "5 - a",
    "Value()": "a + b",
}


@pytest.mark.parametrize("what", MISSING)
def test_missing_is_not_wrong(what, graded):
    """What is not written yet is missing, and named; what is written and wrong is not."""
    results = {r.behaviour.name: r for r in graded(ENGINE.replace(*MISSING[what]), None).results}
    result = results[FEATURES[what]]
    assert (result.outcome, result.observed.missing) == ("missing", what)


WRONG = {
    "no return": ("return Value(self.data + other.data,", "Value(self.data + other.data,", "a + b"),
    "a slip of the pen": ("self.data + other.data", "self.date + other.data", "a + b"),
    "a slip in backward": ("v.local):", "v.lokal):", "gradient of a + b"),
    "only values": ("other if isinstance(other, Value) else Value(other)", "other", "a + 1"),
    "an operator that gives up": ("return -self + other", "return NotImplemented", "5 - a"),
    "a number, not a value": ("return self * -1", "return self.data * -1", "gradient of -a"),
    "a wrong number": ("(other.data, self.data))", "(self.data, other.data))", "gradient of a * b"),
}


@pytest.mark.parametrize(("old", "new", "behaviour"), WRONG.values(), ids=WRONG)
def test_wrong_is_not_missing(old, new, behaviour, graded):
    """What is there and does something else is wrong, whatever Python raises on the way."""
    assert old in ENGINE
    report = graded(ENGINE.replace(old, new), None)
    assert outcomes(report)[behaviour] == "wrong"
    assert not report.passed


def test_what_counts(graded):
    """An op that may be missing does not count then, but does if it is there and wrong."""
    tanh = "\n    def tanh(self):\n        return Value({}, (self,), (1.0,))\n"
    without = graded(ENGINE, ["functions"])
    wrong = graded(ENGINE + tanh.format(1.0), ["functions"])
    assert without.passed
    assert {r.behaviour.name for r in without.results if r.outcome == "missing"} >= {"tanh", "exp"}
    assert "tanh" in {r.behaviour.name for r in wrong.failures}


def test_groups_asked_for_by_name_count(graded):
    """What goes further is no failure, unless its group is what was asked for."""
    everything = graded(ENGINE, None)
    assert outcomes(everything)["a chain of 5,000 sums"] == "wrong"
    assert {r.behaviour.group for r in everything.failures} == {"network", "descent"}
    depth = graded(ENGINE, ["depth"])
    assert (depth.passed, depth.score, len(depth.counted)) == (False, 0, 2)
    with pytest.raises(ArgumentError, match=r"no group of behaviours is called 'dept'.*depth"):
        graded(ENGINE, ["dept"])


# ---- the report ----


@pytest.fixture(scope="module")
def half_right(tmp_path_factory):
    """A file with an engine that has `=` for `+=`, no `__rmul__`, and inf where 1/a is asked."""
    path = tmp_path_factory.mktemp("work") / "engine.py"
    text = ENGINE.replace("+= local", "= local").replace(
        "__radd__, __rmul__ = __add__, __mul__", ""
    )
    path.write_text(text.replace("self**-1 * other", "Value(float('inf'))"))
    return path


@pytest.fixture
def command(capsys):
    """A function that runs `chainrule grade` and returns its status, its output and its error."""

    def command(*arguments):
        with pytest.raises(SystemExit) as exit:
            main(["grade", *map(str, arguments)])
        return exit.value.code, *capsys.readouterr()

    return command


def test_status(command, half_right):
    """The status is 0 only if all that was asked is right, 1 if not, 2 if nothing can be graded."""
    assert command("chainrule.engine", "--only", "reuse")[0] == 0
    assert command(half_right, "--only", "construction", "--only", "operations")[0] == 0
    assert command(half_right, "--only", "construction", "--only", "reuse")[0] == 1
    assert command(half_right, "--class", "Scalar")[0] == 1
    for wrong in (
        ["nowhere.py"],
        ["chainrule", "--only", "x"],
        ["--json", "--gradescope", "x"],
        [],
    ):
        status, out, err = command(*wrong)
        assert (status, out, err.count("\n")) == (2, "", 1), err


def test_terminal(command, half_right):
    """A table of groups, each failure as docs/grader.md shows one, and the score."""
    _, out, _ = command(half_right, "--only", "reuse", "--only", "reflected")
    lines = [line.rstrip() for line in out.splitlines()]
    assert any(line.split() == ["reuse", "0", "of", "8", "8", "wrong"] for line in lines)
    assert "To run one of these, put before it: from engine import Value" in lines
    sample = PAGE.read_text().partition("```\nwrong: ")[2].partition("\n```")[0]
    assert f"wrong: {sample}" in "\n".join(lines)
    assert "    Value has no __rmul__, which Python calls where a number stands left of *." in lines
    assert lines[-1].startswith("5 of 17 behaviours right (29%)")
    assert "\x1b" not in out


def test_the_program_shown_is_the_one_that_ran(half_right, monkeypatch):
    """Each program that is shown, pasted behind the import, prints what the report says it got."""
    monkeypatch.syspath_prepend(half_right.parent)
    report = grade(half_right)
    engine = {}
    exec(words.import_line(report), engine)
    del sys.modules["engine"]
    wrong = [r for r in report.failures if r.outcome == "wrong" and not r.observed.error]
    assert len(wrong) > 5
    for result in wrong:
        printed = []
        record = functools.partial(lambda kept, *things: kept.append(list(things)), printed)
        exec(words.program(result, "Value"), {**engine, "print": record})
        assert same(printed, result.observed.printed)
        assert not same(printed, result.behaviour.expected)


def test_json(command, half_right):
    """The whole report as JSON that any reader takes: inf is a text."""
    status, out, _ = command(half_right, "--json")
    report = json.loads(out, parse_constant=pytest.fail)
    assert status == 1
    assert list(report) == [
        "chainrule",
        "target",
        "class",
        "passed",
        "score",
        "problem",
        "hints",
        "chapters",
        "behaviours",
        "output",
        "seconds",
    ]
    assert (report["passed"], report["problem"], report["class"]) == (False, "", "Value")
    behaviours = {behaviour["name"]: behaviour for behaviour in report["behaviours"]}
    assert set(behaviours) == set(BEHAVIOURS)
    assert behaviours["3 / a"]["printed"] == [["inf", 0.0]]
    assert behaviours["3 / a"]["expected"] == [[1.5, -0.75]]
    assert behaviours["3 * a"]["outcome"] == "missing"
    counted = [b for b in report["behaviours"] if b["counted"]]
    passed = [b for b in counted if b["outcome"] == "passed"]
    assert report["score"] == 100 * len(passed) // len(counted) < 100
    groups = [group for chapter in report["chapters"] for group in chapter["groups"]]
    assert sum(group["counted"] for group in groups) == len(counted)
    assert sum(group["passed"] for group in groups) == len(passed)


# What https://gradescope-autograders.readthedocs.io/en/latest/specs/ lists, with its types.
SUBMISSION_KEYS = {
    "score": float,
    "execution_time": float,
    "output": str,
    "output_format": str,
    "test_output_format": str,
    "test_name_format": str,
    "visibility": str,
    "stdout_visibility": str,
    "extra_data": dict,
    "tests": list,
    "leaderboard": list,
}
TEST_KEYS = {
    "score": float,
    "max_score": float,
    "status": str,
    "name": str,
    "name_format": str,
    "number": str,
    "output": str,
    "output_format": str,
    "tags": list,
    "visibility": str,
    "extra_data": dict,
}
FORMATS = {"text", "html", "simple_format", "md", "ansi"}
VISIBILITIES = {"hidden", "after_due_date", "after_published", "visible"}


def check_keys(found, documented):
    """Every key is documented, and has the documented type and one of the documented values."""
    for key, value in found.items():
        assert isinstance(value, documented[key]), key
    assert found["output_format"] in FORMATS
    assert found["visibility"] in VISIBILITIES


def test_gradescope(command, half_right):
    """The report for Gradescope holds documented keys alone, and its tests add up."""
    status, out, _ = command(half_right, "--gradescope")
    report = json.loads(out, parse_constant=pytest.fail)
    assert status == 1
    check_keys(report, SUBMISSION_KEYS)
    assert report["stdout_visibility"] == "hidden"
    assert 0 < report["score"] < 100
    for test in report["tests"]:
        check_keys(test, TEST_KEYS)
        assert 0 <= test["score"] <= test["max_score"] <= 1
        assert test.get("status", "passed") in ("passed", "failed")
    points, all_points = (
        sum(test[key] for test in report["tests"]) for key in ("score", "max_score")
    )
    assert report["score"] == 100 * points // all_points
    by_name = {test["name"]: test for test in report["tests"]}
    assert by_name["reuse: a + a"]["status"] == "failed"
    assert "#   got      6, 1" in by_name["reuse: a + a"]["output"]
    assert "status" not in by_name["depth: a chain of 5,000 sums"]


def test_gradescope_without_an_engine(command, tmp_path):
    """A file that does not load gives a report all the same, with 0 points."""
    (tmp_path / "engine.py").write_text("import os; os._exit(0)")
    status, out, _ = command(tmp_path / "engine.py", "--gradescope")
    report = json.loads(out)
    assert (status, report["score"]) == (1, 0.0)
    assert "ended the process, with exit status 0" in report["output"]
    assert not any(test.get("status") == "passed" for test in report["tests"])


def test_the_page_lists_every_behaviour():
    """docs/grader.md has a row for each behaviour, with its group and what is asked of it."""
    table = PAGE.read_text().partition("## What is asked")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")][1:]
    assert rows == [
        f"| {chapter} | {b.group} | {b.name} | {b.demand} |"
        for chapter, groups in CHAPTERS.items()
        for b in BEHAVIOURS.values()
        if b.group in groups
    ]
