"""How all tests run: Hypothesis the same every time, and a closing word on what was left out."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import shutil

import lab
import pytest
from hypothesis import settings

import chainrule
from chainrule import cli

settings.register_profile("ci", derandomize=True, max_examples=50, deadline=None)
settings.register_profile("fuzz", print_blob=True, deadline=None)
settings.load_profile("fuzz" if "CHAINRULE_FUZZ" in os.environ else "ci")

# What tests compare with, and which comparisons are left out without it.
_PEERS = {
    "torch": "the comparisons with PyTorch",
    "micrograd": "the comparisons with micrograd",
    "sklearn": "the data sets that scikit-learn ships, and training on them",
    "matplotlib": "the plots",
    "playwright": "the tests in a browser",
    "anywidget": "the widget of notebooks",
    "jupyterlab": "the tests in JupyterLab",
}


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


@pytest.fixture(scope="module")
def chromium():
    """Debian's Chromium, without a window; as root it has no sandbox."""
    program = shutil.which("chromium")
    if program is None or importlib.util.find_spec("playwright") is None:
        pytest.skip("the tests in a browser need Debian's chromium and PyPI's playwright")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium):
    """A function that opens a saved page, offline.

    No test passes if the page reports an error, opens a dialog or asks for anything beside itself.
    """
    faults, contexts = [], []

    def opened(path, **options):
        contexts.append(chromium.new_context(offline=True, **options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: faults.append(message.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("dialog", lambda dialog: faults.append(dialog.message))
        page.on("request", lambda r: r.url in (path.as_uri(), "data:,") or faults.append(r.url))
        page.goto(path.as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture(scope="session")
def jupyterlab(tmp_path_factory):
    """A JupyterLab for all tests: the folder of its notebooks, its address and its token."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("jupyterlab")
    with lab.serving(folder) as (address, token):
        yield folder / "notebooks", address, token


@pytest.fixture
def open_notebook(chromium, jupyterlab):
    """A function that opens a notebook in JupyterLab.

    No test passes if the browser reports an error or asks anything of another server.
    """
    folder, address, token = jupyterlab
    faults, contexts = [], []

    def opened(name, notebook, **options):
        (folder / name).write_text(json.dumps(notebook), encoding="utf-8")
        contexts.append(chromium.new_context(viewport={"width": 1400, "height": 1000}, **options))
        page = contexts[-1].new_page()
        page.set_default_timeout(90_000)  # it is large
        own = (address, address.replace("http", "ws"), f"blob:{address}", "data:")
        page.on("console", lambda m: m.type != "error" or faults.append(m.text))
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda r: r.url.startswith(own) or faults.append(r.url))
        return lab.Notebook(page, folder / name, f"{address}lab/tree/{name}?reset&token={token}")

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


@pytest.fixture
def serious_faults():
    """A function that lists the serious accessibility faults that axe finds in a page."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright").Axe()

    def found(page):
        violations = axe.run(page).response["violations"]
        serious = [x for x in violations if x["impact"] in ("serious", "critical")]
        return [(x["id"], x["nodes"][0]["html"]) for x in serious]

    return found


def pytest_sessionstart():
    """Refuse to test a native engine that was built in place from what its sources were before."""
    folder = pathlib.Path(__file__).parent.parent / "src/chainrule"
    for compiled in [*folder.glob("*.so"), *folder.glob("*.pyd")]:
        sources = folder.glob(f"{compiled.name.partition('.')[0]}.p*[dy]")
        if any(source.stat().st_mtime > compiled.stat().st_mtime for source in sources):
            raise pytest.UsageError(f"{compiled.name} is older than its sources: make .venv/test")


def pytest_terminal_summary(terminalreporter):
    """Which build was tested, what tests counted, and which comparisons were left out."""
    build = "the native build" if chainrule.native else "the build in pure Python"
    terminalreporter.write_line(f"tested: {build}")
    for report in terminalreporter.getreports("passed"):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{report.nodeid}: {name} {value}")
    for module, comparisons in _PEERS.items():
        if importlib.util.find_spec(module) is None:
            terminalreporter.write_line(f"{module} is not installed: {comparisons} were left out")
