"""JupyterLab as tests use it: a server on loopback, and notebooks run in a browser by keyboard."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
import time

_PATIENCE = 90  # seconds that a server may take to start, or to stop
_SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},  # cells out of sight exist too
}
# The signs on the screen are idle some time before.
_READY = """() => {
    const context = window.jupyterapp?.shell.currentWidget?.sessionContext;
    const kernel = context?.session?.kernel;
    return context?.isReady && kernel?.connectionStatus === "connected" && kernel.status === "idle";
}"""


@contextlib.contextmanager
def serving(folder):
    """A JupyterLab on loopback that asks nothing of the internet: its address and its token.

    Args:
        folder: gets the folder `notebooks`, and all that the server keeps.
    """
    for name, settings in _SETTINGS.items():
        file = folder / "config/lab/user-settings/@jupyterlab" / f"{name}.jupyterlab-settings"
        file.parent.mkdir(parents=True)
        file.write_text(json.dumps(settings))
    (folder / "notebooks").mkdir()
    kept = {f"JUPYTER_{x.upper()}_DIR": str(folder / x) for x in ("config", "data", "runtime")}
    own = {**kept, "IPYTHONDIR": str(folder / "ipython"), "JUPYTER_TOKEN": secrets.token_hex()}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    options = ["ServerApp.ip=127.0.0.1", "ServerApp.port=0", "LabApp.expose_app_in_browser=True"]
    options.append(f"ServerApp.root_dir={folder / 'notebooks'}")
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            [*command, *[f"--{option}" for option in options]],
            env=os.environ | own,
            stdout=log,
            stderr=log,
        )
    try:
        yield _address(server, folder), own["JUPYTER_TOKEN"]
    finally:
        server.terminate()
        try:
            server.wait(_PATIENCE)
        finally:
            server.kill()


def _address(server, folder):
    """What the server writes down of itself when it listens."""
    end = time.monotonic() + _PATIENCE
    while server.poll() is None and time.monotonic() < end:
        for file in (folder / "runtime").glob("jpserver-*.json"):
            with contextlib.suppress(json.JSONDecodeError):  # it is just being written
                return json.loads(file.read_text())["url"]
        time.sleep(0.05)
    raise RuntimeError(f"JupyterLab did not start:\n{(folder / 'log').read_text()}")


class Notebook:
    """A notebook that is open in JupyterLab.

    Attributes:
        path: its file.
        page: the browser's page.
    """

    def __init__(self, page, path, address=None):
        self.page = page
        self.path = path
        if address is not None:  # else it was opened by hand
            page.goto(address)
        page.wait_for_function(_READY)

    def cell(self, number):
        """A cell that holds code, the first of which is 0 and the last one -1."""
        return self.page.locator(".jp-CodeCell").nth(number)

    def run(self, number):
        """Run a cell by Shift+Enter, and give the text that stands below it at its end."""
        cell = self.cell(number)
        prompt = cell.locator(".jp-InputPrompt")
        before = prompt.inner_text()
        cell.locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        prompt.filter(has_not_text="*").filter(has_not_text=before).wait_for()
        return "".join(cell.locator(".jp-RenderedText").all_inner_texts())

    def save(self):
        """Save by Ctrl+S, wherever the focus is, and read the file."""
        self.page.keyboard.press("Control+s")
        self.page.wait_for_function("!jupyterapp.shell.currentWidget.context.model.dirty")
        return json.loads(self.path.read_text(encoding="utf-8"))


def notebook_of(*cells):
    """A notebook of cells that hold code, as its file has it."""
    cell = {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": []}
    return {
        "cells": [{**cell, "id": f"cell-{i}", "source": code} for i, code in enumerate(cells)],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
