"""The process in which an engine runs: it tells what programs print, and judges nothing.

It is run as a script, and needs the standard library alone. What it needs of that is bound to
names of its own before the engine is loaded, which may replace anything.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    Names = dict[str, Any]

PROGRAM = "<program>"
NETWORKS = ("Neuron", "Layer", "MLP")
_LONGEST = 200  # characters of a text, elements of a list

# ---- one program ----


def run(program: str, names: Names) -> dict[str, Any]:
    """Run a program, and tell what it printed and how it ended.

    Args:
        program: its text, in which `print` hands on what it is given.
        names: what the program may name beside what is Python's own.

    Returns:
        "printed", a list for each call of print, of numbers, texts and lists; "error", what was
        raised; "missing", what was asked of the engine and is not there; "place", the engine's
        line where it was raised.

    >>> run("print(1 + 1, True)", {})
    {'printed': [[2.0, True]], 'error': '', 'missing': '', 'place': ''}
    >>> run("print(a)", {})["error"]
    "NameError: name 'a' is not defined"
    """
    printed: list[list[Any]] = []

    def record(*things: Any) -> None:
        printed.append([plain(thing) for thing in things])

    try:
        exec(compile(program, PROGRAM, "exec"), {**names, "print": record})
    except BaseException as raised:  # of sys.exit() too
        return {"printed": printed, **told(raised, names)}
    return {"printed": printed, "error": "", "missing": "", "place": ""}


def plain(thing: Any, depth: int = 0) -> Any:
    """A thing as a number, a text or a list, which can be sent.

    What holds one number, as a value, a NumPy scalar or a tensor of size one does, is that number.

    >>> plain([1, "one", object()])
    [1.0, 'one', '<object>']
    """
    if thing is None or isinstance(thing, bool):
        return thing
    if isinstance(thing, str):
        return thing[:_LONGEST]
    if depth > 3:
        return "..."
    if isinstance(thing, (list, tuple)):
        return [plain(element, depth + 1) for element in thing[:_LONGEST]]
    for number_of in (float, _item, _data):
        try:
            number = number_of(thing)
        except Exception:  # whatever the engine's classes raise
            continue
        return number if type(number) is float else plain(number, depth + 1)
    return f"<{type(thing).__name__}>"


def _item(thing: Any) -> Any:
    return thing.item()


def _data(thing: Any) -> Any:
    return thing.data


# ---- what was raised ----

_OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow"}
_BINARY = re.compile(r"unsupported operand .* for (\*\*|[-+*/]).*: '(.+)' and '(.+)'")
_UNARY = re.compile(r"bad operand type for unary -: '(.+)'")
_CALL = re.compile(r"'(.+)' object is not callable")
_KEYWORD = re.compile(r"unexpected keyword argument '(.+)'")


def told(raised: BaseException, names: Names) -> dict[str, str]:
    """What was raised, whether it says that something is missing, and where in the engine."""
    places = _places(raised, os.path.dirname(names.get("__file__", "")))
    try:
        message = str(raised)[:_LONGEST]
    except Exception:
        message = "(its message cannot be read)"
    return {
        "error": f"{type(raised).__name__}: {message}".rstrip(": "),
        "missing": _missing(raised, message, names, inside=bool(places)),
        "place": places[-1] if places else "",
    }


def _places(raised: BaseException, folder: str) -> list[str]:
    """The lines of the engine that were on the way to where it was raised."""
    places, traceback = [], raised.__traceback__
    while traceback is not None:
        code = traceback.tb_frame.f_code
        if code.co_filename not in (PROGRAM, __file__):
            known = os.path.dirname(code.co_filename) == folder
            file = os.path.basename(code.co_filename)
            if known:
                places.append(f"{file}, line {traceback.tb_lineno}, in {code.co_name}")
        traceback = traceback.tb_next
    return places


def _missing(raised: BaseException, message: str, names: Names, inside: bool) -> str:
    """The name of what is not there; "" if something else is wrong."""
    if isinstance(raised, NotImplementedError):
        return "an implementation"
    classes = {getattr(thing, "__name__", "") for thing in names.values()}
    unary = _UNARY.search(message)
    if isinstance(raised, TypeError) and unary and unary[1] in classes:
        return "__neg__"
    if inside:
        return ""  # the engine's own slip
    if isinstance(raised, (AttributeError, NameError)):
        return getattr(raised, "name", None) or ""
    return _missing_operator(message, classes) if isinstance(raised, TypeError) else ""


def _missing_operator(message: str, classes: set[str]) -> str:
    binary, call = _BINARY.search(message), _CALL.search(message)
    if binary and (binary[2] in classes or binary[3] in classes):
        reflected = "" if binary[2] in classes else "r"
        return f"__{reflected}{_OPERATORS[binary[1]]}__"
    if call and call[1] in classes:
        return "__call__"
    keyword = _KEYWORD.search(message)
    return f"{keyword[1]}=" if keyword else ""


# ---- the engine ----


def load(job: dict[str, Any]) -> dict[str, Any]:
    """The names of the module that a job names, imported from where the job says."""
    sys.path[0] = job["folder"]
    if job["file"]:
        spec = importlib.util.spec_from_file_location(job["module"], job["file"])
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[job["module"]] = module
        spec.loader.exec_module(module)
    else:
        module = importlib.import_module(job["module"])
    return vars(module)


def names_in(module: Names, name: str, networks: Names | None = None) -> Names:
    """What programs may name: the class of that name, and networks, of the module or beside it."""
    classes = {name: module.get(name)}
    for network in NETWORKS:
        classes[network] = module.get(network) or (networks or {}).get(network)
    found = {key: thing for key, thing in classes.items() if isinstance(thing, type)}
    return {**found, "__name__": PROGRAM, "__file__": module.get("__file__", "")}
