"""Documentation is code that ran: examples, results in comments, tables, links."""

from __future__ import annotations

import builtins
import contextlib
import copy
import doctest
import io
import math
import pathlib
import re

import pytest
from test_ops import DEVIATIONS
from test_public_names import MODULES, imported

import chainrule
from chainrule import errors, nn, optim

ROOT = pathlib.Path(__file__).parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
CODE = re.compile(r"```python\n(.*?)```", re.DOTALL)
PRINTS = re.compile(r"^ *print\(.*\)  # (.*)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#]+)|(?:src|href)=\"([^\"#]+)")
FACT = re.compile(r"`([^`]+)` (gives|raises) `([^`]+)`")


def of_pages(pattern):
    """What the pattern finds in the pages, each with the page's name."""
    return [
        pytest.param(found, id=f"{page.name}-{number}")
        for page in PAGES
        for number, found in enumerate(pattern.findall(page.read_text()))
    ]


def rows(page):
    """The cells of each row of a page's tables, but for the headings and the rules below them."""
    lines = [line.strip("|\n ") for line in page.read_text().splitlines() if line[:1] == "|"]
    rules = [number for number, line in enumerate(lines) if set(line) <= set("|-: ")]
    headings = {number - 1 for number in rules}
    return [
        [cell.strip() for cell in line.split("|")]
        for number, line in enumerate(lines)
        if number not in headings and number not in rules
    ]


@pytest.mark.parametrize("name", ["chainrule", *MODULES])
def test_examples_of_a_module(name, tmp_path, monkeypatch):
    """Every example in the docstrings of a module does what it says."""
    monkeypatch.chdir(tmp_path)
    if "compiler" in name:
        pytest.importorskip("numpy")
    failed, _ = doctest.testmod(imported(name))
    assert failed == 0


@pytest.mark.parametrize("code", of_pages(CODE))
def test_code_of_the_pages(code, tmp_path, monkeypatch):
    """Python on the pages runs, and what it prints is what the comments behind it say."""
    monkeypatch.chdir(tmp_path)
    if "lift(" in code:
        pytest.importorskip("numpy")
    if ">>>" in code:
        example = doctest.DocTestParser().get_doctest(code, {}, "page", None, None)
        assert doctest.DocTestRunner().run(example).failed == 0
        return
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "page", "exec"), {"__name__": "page"})
    assert printed.getvalue().splitlines() == PRINTS.findall(code)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    """What a page links to within the project is there."""
    links = [first or second for first, second in LINK.findall(page.read_text())]
    missing = [
        link for link in links if "://" not in link and not (page.parent / link).resolve().exists()
    ]
    assert missing == []


@pytest.mark.parametrize("fact", of_pages(FACT))
def test_facts_in_tables(fact):
    """Of each difference that is stated in code, both sides are as stated."""
    expression, verb, right = fact
    names = {"chainrule": chainrule, "copy": copy, "math": math, "nn": nn, "optim": optim}
    names |= {name: getattr(chainrule, name) for name in chainrule.__all__}
    if "micrograd" in expression:
        names["micrograd"] = pytest.importorskip("micrograd.engine")
    if "tensor" in expression:
        torch = pytest.importorskip("torch")
        names |= {"torch": torch, "tensor": lambda x: torch.tensor(x, dtype=torch.float64)}
    if verb == "raises":
        with pytest.raises(vars(builtins).get(right) or getattr(errors, right)):
            eval(expression, names)
    else:
        assert repr(eval(expression, names)) == right


def test_the_table_of_deviations():
    """Every row has a reason, and every deviation that the tests of the ops allow is there."""
    page = ROOT / "docs/deviations.md"
    table = rows(page)
    assert len(table) > 30
    assert all(len(row) == 4 and all(row) for row in table)
    assert [reason for *_, reason in DEVIATIONS if reason not in page.read_text()] == []


def test_every_error_is_documented():
    """The docstring of each error, its page in the manual, says more than its name."""
    classes = [error for error in vars(errors).values() if isinstance(error, type)]
    assert len(classes) > 5
    assert all(len(error.__doc__.split()) > 10 for error in classes)
