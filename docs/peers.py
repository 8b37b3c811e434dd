"""Engines from PyPI graded, each in an environment of its own: `make grade-peers`.

The table goes into peers.md. What is said there of an engine is run too, by that engine's Python.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import venv
from typing import Any, NamedTuple

PAGE = pathlib.Path(__file__).with_name("peers.md")
ENVIRONMENTS = pathlib.Path(__file__).parent.parent / ".peers"
HEADINGS = ["engine", "class", "right of what counts", "wrong", "missing", "further"]
TABLE = re.compile(r"(?<=<!-- table -->\n).*?(?=<!-- end -->)", re.DOTALL)
SECTION = re.compile(r"^## (\S+ \S+)\n(.*?)(?=^## |\Z)", re.DOTALL | re.MULTILINE)
CODE = re.compile(r"```py\n(.*?)```", re.DOTALL)
GIVES = re.compile(r"  # gives (.*?)(?:; right .*)?$", re.MULTILINE)


class Peer(NamedTuple):
    """A package on PyPI, and where in it an engine's class is."""

    package: str
    version: str
    module: str
    name: str = "Value"

    @property
    def title(self) -> str:
        return f"{self.package} {self.version}"

    @property
    def python(self) -> pathlib.Path:
        """The Python of the environment in which this package alone is installed."""
        return ENVIRONMENTS / self.title.replace(" ", "-") / "bin/python"


PEERS = [
    Peer("micrograd", "0.1.0", "micrograd.engine"),
    Peer("scalargrad", "1.0.5", "scalargrad.core", "Scalar"),
    Peer("femtograd", "0.0.5", "femtograd.femtograd", "value"),
    Peer("backprop-lib", "0.1.0", "backprop.engine"),
    Peer("lilgrad", "0.6.0", "micrograd.engine"),
    Peer("propgrad", "0.1.1", "propgrad.engine"),
    Peer("micrograd-ds", "0.1.1", "micrograd.engine"),
    Peer("learngrad", "0.2.1", "learngrad.engine"),
    Peer("omnigrad", "0.2.3", "omnigrad.diffengine"),
    Peer("kaitorch", "0.1.0", "kaitorch.core", "Scalar"),
    Peer("gradflow-kit", "0.1.3", "micrograd.node", "Node"),
]


def install(peer: Peer) -> None:
    """Make a peer's environment, if it is not there."""
    if not peer.python.exists():
        venv.create(peer.python.parent.parent, with_pip=True)
    command = [peer.python, "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*command, f"{peer.package}=={peer.version}"], check=True)


def graded(peer: Peer) -> dict[str, Any]:
    """What `chainrule grade` reports of a peer, as JSON."""
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.run(
        [peer.python, "-c", where], capture_output=True, text=True, check=True
    )
    command = [sys.executable, "-m", "chainrule", "grade", peer.module, "--class", peer.name]
    report = subprocess.run(
        [*command, "--json"],
        env={**os.environ, "PYTHONPATH": packages.stdout.strip()},
        capture_output=True,
        text=True,
        check=False,  # the status is 1 where something is not right
    )
    return json.loads(report.stdout)


def cells(peer: Peer, report: dict[str, Any]) -> list[str]:
    """A row of the table."""
    counted = [b["outcome"] for b in report["behaviours"] if b["counted"]]
    further = [b["outcome"] for b in report["behaviours"] if b["demand"] == "further"]
    right = counted.count("passed")
    missing = counted.count("missing")
    return [
        peer.title,
        f"`{peer.module}.{peer.name}`",
        f"{right} of {len(counted)}",
        str(len(counted) - right - missing),
        str(missing),
        f"{further.count('passed')} of {len(further)}",
    ]


def line(texts: list[str]) -> str:
    return f"| {' | '.join(texts)} |\n"


def run(peer: Peer, code: str) -> list[str]:
    """What a program prints in a peer's environment, and at last what it raises."""
    done = subprocess.run([peer.python, "-c", code], capture_output=True, text=True, check=False)
    raised = re.findall(r"^(\w*Error)\b", done.stderr, re.MULTILINE)
    return done.stdout.splitlines() + raised[-1:]


def disagreements(peer: Peer, report: dict[str, Any], section: str) -> list[str]:
    """What a peer's section does not tell, and what it tells that is not so."""
    wrong = [
        b["name"]
        for b in report["behaviours"]
        if b["counted"] and b["outcome"] in ("wrong", "stopped")
    ]
    found = [f"{peer.title}: not told: {name}" for name in wrong if f"`{name}`" not in section]
    for code in CODE.findall(section):
        given, told = run(peer, code), GIVES.findall(code)
        if given != told:
            found.append(f"{peer.title}: gives {given}, told {told}")
    return found


def main() -> None:
    sections = dict(SECTION.findall(PAGE.read_text()))
    table, problems = [line(HEADINGS), line(["---"] * len(HEADINGS))], []
    for peer in PEERS:
        install(peer)
        report = graded(peer)
        table.append(line(cells(peer, report)))
        print(table[-1], end="", flush=True)
        problems += disagreements(peer, report, sections.get(peer.title, ""))
    PAGE.write_text(TABLE.sub("".join(table).replace("\\", r"\\"), PAGE.read_text()))
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
