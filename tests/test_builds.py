"""The native build and the one in pure Python: the same names, the same words, the same bits."""

from __future__ import annotations

import filecmp
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

import chainrule

ROOT = pathlib.Path(__file__).parent.parent
FACTS = ROOT / "tests/facts.py"
ENVIRONMENT = "bin/python" if os.name == "posix" else "Scripts/python.exe"
PURE = pathlib.Path(os.environ.get("CHAINRULE_PURE_PYTHON", ROOT / ".venv-pure" / ENVIRONMENT))
HOW_TO = "`make .venv-pure/chainrule` installs the build in pure Python"


def output(python, *arguments, **options):
    """What a program prints, once it has ended well."""
    command = [python, *map(str, arguments)]
    errors = options.pop("stderr", subprocess.PIPE)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=errors, text=True, **options)
    assert done.returncode == 0, done.stderr or done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def facts():
    """The facts of a kind that each build tells, line by line."""
    if not chainrule.native:
        pytest.skip("no native engine could be built here: there is only one build")
    if not PURE.exists():
        pytest.skip(f"{PURE} is missing: {HOW_TO}")
    tell = "import chainrule; print(chainrule.__path__[0], chainrule.native)"
    folder, native = output(PURE, "-c", tell).split()
    assert native == "False"
    sources = [file.name for file in pathlib.Path(folder).glob("*.py")]
    stale = filecmp.cmpfiles(folder, chainrule.__path__[0], sources, shallow=False)[1:]
    assert stale == ([], []), f"the two builds are of different sources: {HOW_TO}"

    def of_both(kind):
        return [output(python, FACTS, kind).splitlines() for python in (sys.executable, PURE)]

    return of_both


def test_the_same_surface(facts):
    """Both builds have the same names, parameters, as far as both can tell, and documentation."""
    native, pure = facts("surface")
    rows = [(a.split(" | "), b.split(" | ")) for a, b in zip(native, pure, strict=True)]
    untold = [a[0] for a, b in rows if a != b and "?" in (a[1], b[1])]
    assert [(a, b) for a, b in rows if a != b and a[0] not in untold] == []
    assert [(a, b) for a, b in rows if (a[0], a[2:]) != (b[0], b[2:])] == []
    assert untold == ["engine.Value"]  # a class of C does not tell its parameters
    assert len(rows) > 150


def test_the_same_refusals(facts):
    """Both builds refuse the same with the same error, in the same words where they are ours."""
    native, pure = facts("errors")
    assert native == pure
    assert len(native) > 80
    assert sum("Error" in line for line in native) == len(native)


def test_the_same_numbers_of_each_op(facts):
    """Value, local derivatives and gradients of each op agree bit by bit at special numbers."""
    native, pure = facts("ops")
    assert [(a, b) for a, b in zip(native, pure, strict=True) if a != b] == []
    own = {name for name, row in chainrule.TABLE.items() if isinstance(row.value, str)}
    assert {line.split()[0] for line in native} == own


def test_the_same_numbers_of_random_graphs(facts):
    """Values, gradients to the third order and conditions of random graphs agree bit by bit."""
    native, pure = facts("graphs")
    assert [i for i, (a, b) in enumerate(zip(native, pure, strict=True)) if a != b] == []
    assert len(native) == 600
    assert sum(len(line.split()) for line in native) > 50_000


@pytest.fixture
def checkout(tmp_path):
    """A copy of what is built from, beside which nothing has been built yet."""
    for name in ("pyproject.toml", "setup.py", "MANIFEST.in", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path)
    ignored = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=ignored)
    return tmp_path


BUILD = "setup.py", "build_ext", "--inplace"


def build_in(checkout, **environment):
    """What a build in place says, and then whether the engine there is a native one."""
    pytest.importorskip("Cython")
    environment = os.environ | environment
    told = {"stderr": subprocess.STDOUT, "cwd": checkout, "env": environment}
    said = output(sys.executable, *BUILD, **told)
    path = environment | {"PYTHONPATH": str(checkout / "src")}
    tell = "import chainrule; print(chainrule.__path__[0], chainrule.native)"
    folder, native = output(sys.executable, "-c", tell, cwd=checkout, env=path).split()
    assert pathlib.Path(folder) == checkout / "src/chainrule"
    return said, native == "True"


def test_without_a_compiler(checkout):
    """Where nothing can be compiled, the build says so, and the Python files serve."""
    said, native = build_in(checkout, CC="/bin/false")
    assert 'building extension "chainrule.engine" failed' in said
    assert not native


def test_chainrule_pure(checkout):
    """With CHAINRULE_PURE=1 nothing is compiled."""
    _, native = build_in(checkout, CHAINRULE_PURE="1")
    assert not native
    assert not (checkout / "build").exists()


def test_without_sources(checkout):
    """Where only the files of byte code are left, the engine is no native one."""
    output(sys.executable, "-m", "compileall", "-q", "-b", checkout / "src/chainrule")
    for source in checkout.glob("src/**/*.py"):
        source.unlink()
    environment = os.environ | {"PYTHONPATH": str(checkout / "src")}
    tell = "import chainrule; print(chainrule.__file__, chainrule.native)"
    file, native = output(sys.executable, "-c", tell, cwd=checkout, env=environment).split()
    assert (pathlib.Path(file).name, native) == ("__init__.pyc", "False")


def test_what_is_generated_is_not_among_the_sources(checkout):
    """A build in place leaves the native modules in src and nothing else."""
    before = set(checkout.glob("src/**/*.*"))
    _, native = build_in(checkout)
    new = {path.suffix for path in set(checkout.glob("src/**/*.*")) - before}
    assert new <= {".so", ".pyd", ".pyc"}
    assert native == chainrule.native


def test_what_was_generated_is_not_under_version_control():
    """Neither C nor native modules nor environments are in the repository."""
    if not (ROOT / ".git").exists():
        pytest.skip("this is no checkout of the repository")
    files = output("git", "ls-files", cwd=ROOT).split()
    generated = {".c", ".so", ".pyd", ".o", ".pyc", ".whl"}
    assert [file for file in files if pathlib.Path(file).suffix in generated] == []
