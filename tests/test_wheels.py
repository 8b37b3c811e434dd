"""What is handed out: wheels and the archive of sources, each installed where nothing else is."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile

import pytest

import chainrule

ROOT = pathlib.Path(__file__).parent.parent
WITHOUT_ISOLATION = "--no-isolation", "--skip-dependency-check"
PLATFORM = sysconfig.get_platform().replace("-", "_").replace(".", "_")
THIS_PYTHON = f"cp{sys.version_info.major}{sys.version_info.minor}"

PROGRAM = """
import sys
import chainrule
from chainrule import Value, grad, nn, ops
assert chainrule.__file__.startswith(sys.prefix), chainrule.__file__
a, b = Value(-4.0), Value(2.0)
c = a + b
d = a * b + b**3
c += c + 1
c += 1 + c + (-a)
d += d * 2 + (b + a).relu()
d += 3 * d + (b - a).relu()
e = c - d
f = e**2
g = f / 2.0
g += 10.0 / f
g.backward()
print(chainrule.native, f"{g.data:.4f} {a.grad:.4f} {b.grad:.4f}")
x = Value(0.0)
print(grad(grad(ops.sin(x) * x, x, create_graph=True), x), nn.MLP(2, [3, 1]))
"""


def run(*command, **options):
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, **options)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """A copy of what is built from."""
    folder = tmp_path_factory.mktemp("sources") / "chainrule"
    left_out = shutil.ignore_patterns(".*", "build", "*.so", "*.pyd", "__pycache__", "*.egg-info")
    shutil.copytree(ROOT, folder, ignore=left_out)
    return folder


def built(sources, kind, **environment):
    """The one file that `python -m build` leaves, with the packages that are installed here."""
    pytest.importorskip("build")
    pytest.importorskip("Cython")
    to = sources.parent / f"{kind}-{len(os.listdir(sources.parent))}"
    command = [sys.executable, "-m", "build", f"--{kind}", *WITHOUT_ISOLATION, "--outdir", to]
    run(*command, cwd=sources, env=os.environ | environment)
    (file,) = to.iterdir()
    return file


@pytest.fixture(scope="module")
def pure_wheel(sources):
    return built(sources, "wheel", CHAINRULE_PURE="1")


@pytest.fixture(scope="module")
def native_wheel(sources):
    if not chainrule.native:
        pytest.skip("no native engine could be built here")
    return built(sources, "wheel")


@pytest.fixture(scope="module")
def archive(sources):
    return built(sources, "sdist")


@pytest.fixture(scope="module")
def unpacked(archive, tmp_path_factory):
    """The archive of sources, unpacked."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(archive) as file:
        file.extractall(folder, filter="data")
    return folder / archive.name.removesuffix(".tar.gz")


def installed(folder, *what, **environment):
    """The interpreter of a fresh environment with nothing else in it, no dependencies either."""
    if not folder.exists():
        venv.create(folder)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    pip = [sys.executable, "-m", "pip", "--python", python, "install", "-q"]
    run(*pip, "--no-deps", "--no-index", *what, env=os.environ | environment)
    return python


def what_it_prints(wheel, folder):
    """What PROGRAM prints where a wheel is installed."""
    python = installed(folder, wheel)
    return run(python, "-I", "-W", "error", "-c", PROGRAM, cwd=folder).splitlines()


def expected(native):
    """micrograd's well-known numbers, and the second derivative of x sin(x) at 0."""
    network = "MLP of [Layer of [ReLUNeuron(2), ReLUNeuron(2), ReLUNeuron(2)], "
    network += "Layer of [LinearNeuron(3)]]"
    return [f"{native} 24.7041 138.8338 645.5773", f"2.0 {network}"]


def test_the_pure_wheel(pure_wheel, tmp_path):
    """With CHAINRULE_PURE=1 the wheel fits every machine and holds no compiled file."""
    assert pure_wheel.name == f"chainrule-{chainrule.__version__}-py3-none-any.whl"
    names = zipfile.ZipFile(pure_wheel).namelist()
    assert [name for name in names if name.endswith((".so", ".pyd", ".c"))] == []
    assert "chainrule/engine.py" in names
    assert what_it_prints(pure_wheel, tmp_path / "environment") == expected(native=False)


def test_the_native_wheel(native_wheel, tmp_path):
    """The usual wheel is of this Python and platform, with the native engine and its source."""
    tags = f"{THIS_PYTHON}-{THIS_PYTHON}-{PLATFORM}"
    assert native_wheel.name == f"chainrule-{chainrule.__version__}-{tags}.whl"
    names = zipfile.ZipFile(native_wheel).namelist()
    compiled = {name.partition(".")[0] for name in names if name.endswith((".so", ".pyd"))}
    assert {"chainrule/engine", "chainrule/floats", "chainrule/ops"} <= compiled
    assert {f"{module}.py" for module in compiled} <= set(names)
    assert {"chainrule/engine.py", "chainrule/engine.pxd", "chainrule/viz/svg.py"} <= set(names)
    assert [name for name in names if name.endswith(".c")] == []
    assert what_it_prints(native_wheel, tmp_path / "environment") == expected(native=True)


def test_wheels_hold_every_module(pure_wheel):
    """No module of the package is left out of a wheel."""
    modules = {
        f"chainrule/{path.relative_to(ROOT / 'src/chainrule').as_posix()}"
        for path in (ROOT / "src/chainrule").rglob("*.py")
    }
    assert modules == {
        name for name in zipfile.ZipFile(pure_wheel).namelist() if name.endswith(".py")
    }


def test_wheels_hold_the_course(pure_wheel):
    """What the chapters of the course use lies beside them in a wheel."""
    names = zipfile.ZipFile(pure_wheel).namelist()
    assert {f"chainrule/course/chapters/{file}" for file in ("my_engine.py", "names.txt")} <= set(
        names
    )


def test_the_archive_of_sources(unpacked, tmp_path):
    """From the archive the native engine is built and installed, as from the repository."""
    assert (unpacked / "src/chainrule/engine.pxd").exists()
    assert list(unpacked.rglob("*.c")) + list(unpacked.rglob("*.so")) == []
    wheel = built(unpacked, "wheel")
    assert what_it_prints(wheel, tmp_path / "environment") == expected(chainrule.native)


def test_the_pure_wheel_of_the_archive(unpacked, pure_wheel):
    """The pure wheel built from the archive is, file by file, the one of the repository."""
    wheel = built(unpacked, "wheel", CHAINRULE_PURE="1")
    ours, theirs = zipfile.ZipFile(wheel), zipfile.ZipFile(pure_wheel)
    assert sorted(ours.namelist()) == sorted(theirs.namelist())
    for name in ours.namelist():
        if name.endswith((".py", ".pxd")):
            assert ours.read(name) == theirs.read(name), name


@pytest.mark.parametrize("pure", ["0", "1"])
def test_editable_installs(archive, pure, tmp_path):
    """An editable install runs the sources where they are, with native modules or without."""
    with tarfile.open(archive) as file:
        file.extractall(tmp_path, filter="data")
    sources = tmp_path / archive.name.removesuffix(".tar.gz")
    venv.create(tmp_path / "environment")
    (packages,) = tmp_path.glob("environment/[Ll]ib/**/site-packages")
    (packages / "others.pth").write_text(sysconfig.get_path("purelib"))  # what builds it
    how = "--no-build-isolation", "--editable", sources
    python = installed(tmp_path / "environment", *how, CHAINRULE_PURE=pure)
    tell = "import chainrule; print(chainrule.__file__, chainrule.native)"
    file, native = run(python, "-I", "-c", tell).split()
    assert pathlib.Path(file) == sources / "src/chainrule/__init__.py"
    assert native == str(chainrule.native and pure == "0")


PLATFORMS = {
    "linux": ("x86_64", ["manylinux_x86_64", "musllinux_x86_64"]),
    "macos": ("arm64", ["macosx_arm64"]),
    "windows": ("AMD64", ["win_amd64"]),
}


@pytest.mark.parametrize("platform", PLATFORMS)
def test_the_wheels_of_a_release(platform):
    """Wheels are made for CPython 3.11 to 3.14 on Linux, macOS and Windows, and no others."""
    pytest.importorskip("cibuildwheel")
    machine, kinds = PLATFORMS[platform]
    command = ["cibuildwheel", "--print-build-identifiers", "--platform", platform]
    found = run(sys.executable, "-m", *command, "--archs", machine, ROOT)
    pythons = ["cp311", "cp312", "cp313", "cp314"]
    assert sorted(found.split()) == sorted(f"{p}-{kind}" for p in pythons for kind in kinds)


def test_the_workflow_covers_all_platforms():
    """The workflow file runs cibuildwheel on Linux, macOS and Windows."""
    workflow = (ROOT / ".github/workflows/wheels.yml").read_text()
    assert "pypa/cibuildwheel" in workflow
    for system in ("ubuntu", "macos", "windows"):
        assert f"{system}-" in workflow
