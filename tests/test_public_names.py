"""What the package offers: every public name is documented, and every error has its page."""

from __future__ import annotations

import importlib
import inspect
import pathlib
import pkgutil
import re

import pytest

import chainrule
from chainrule import errors
from chainrule.ops import Op

MODULES = sorted(m.name for m in pkgutil.walk_packages(chainrule.__path__, "chainrule."))
ERRORS = [
    e for _, e in inspect.getmembers(errors, inspect.isclass) if e.__module__ == errors.__name__
]


def own_docstring(thing):
    """The docstring that the thing itself has, and does not inherit."""
    if inspect.isclass(thing):
        return inspect.cleandoc(vars(thing).get("__doc__") or "")
    return inspect.getdoc(thing) or ""


def imported(name):
    """The module, if the packages that it needs are installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        pytest.skip(f"{name}: {error}")


def test_the_public_names_are_sorted_and_there():
    """__all__ lists, once and in order, names that can be imported."""
    assert chainrule.__all__ == sorted(set(chainrule.__all__))
    for name in chainrule.__all__:
        assert hasattr(chainrule, name), name


@pytest.mark.parametrize("name", chainrule.__all__)
def test_public_names_are_documented(name):
    """Each public name has a docstring of its own: a sentence, or for a row its formulas."""
    thing = getattr(chainrule, name)
    if inspect.ismodule(thing) or callable(thing):
        text = own_docstring(thing)
        assert text, f"{name} has no docstring"
        sentence = text.split("\n\n")[0].rstrip()
        assert sentence.endswith(".") or (isinstance(thing, Op) and text == str(thing)), sentence


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(f, id=n)
        for n, f in vars(chainrule).items()
        if n in chainrule.__all__ and (inspect.isfunction(f) or inspect.isclass(f))
    ],
)
def test_public_functions_show_an_example(function):
    """Each public function and class has an example among its documentation."""
    methods = [m for n, m in vars(function).items() if not n.startswith("_") and callable(m)]
    examples = [own_docstring(thing) for thing in [function, *methods]]
    assert any(">>>" in text for text in examples)


@pytest.mark.parametrize("name", MODULES)
def test_modules_are_documented(name):
    """Each module says in its first line what it is."""
    first = (imported(name).__doc__ or "").strip().partition("\n")[0]
    assert first.endswith((".", ":")), name


@pytest.mark.parametrize("name", MODULES)
def test_public_parts_of_modules_are_documented(name):
    """Public functions and classes have docstrings, those that are not exported too."""
    for thing in vars(imported(name)).values():
        documented = inspect.isfunction(thing) or inspect.isclass(thing)
        if documented and thing.__module__ == name and not re.search("^_|<", thing.__qualname__):
            assert own_docstring(thing), f"{name}.{thing.__qualname__} has no docstring"


@pytest.mark.parametrize("error", ERRORS, ids=lambda e: e.__name__)
def test_errors_are_pages(error):
    """Each error is a ChainruleError, named so, whose docstring is a page on what to do."""
    assert issubclass(error, errors.ChainruleError)
    assert error.__name__.endswith("Error")
    assert vars(error)["__doc__"].strip().partition("\n")[0].endswith((".", ":", ","))
    if error is not errors.ChainruleError:
        assert len(own_docstring(error).splitlines()) >= 3, "say what happened and what to write"
        builtin = [base for base in error.__mro__ if base.__module__ == "builtins"]
        assert builtin[0] is not Exception, "one of Python's own errors is a base, too"


def test_errors_raised_on_purpose_are_the_packages():
    """No module raises Python's own errors: what is raised on purpose is in errors.py."""
    allowed = {"StopIteration", "KeyboardInterrupt", "NotImplementedError", "AttributeError"}
    plain = {e.__name__ for e in vars(__import__("builtins")).values() if inspect.isclass(e)}
    for path in pathlib.Path(chainrule.__file__).parent.rglob("*.py"):
        for line in path.read_text(encoding="utf-8").splitlines():
            words = line.replace("(", " ").split()
            if words[:1] == ["raise"] and len(words) > 1:
                assert words[1] not in plain - allowed, f"{path.name}: {line.strip()}"
