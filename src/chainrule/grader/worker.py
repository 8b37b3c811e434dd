"""The process in which an engine runs: it tells what programs print, and judges nothing.

It is run as a script, and needs the standard library alone. What it needs of that is bound to
names of its own before the engine is loaded, which may replace anything.
"""

from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.util
import json
import os
import re
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import CodeType
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
        "printed", a list for each call of print, of numbers, texts and lists; and if something was
        raised, "error", what it was; "missing", what was asked of the engine and is not there;
        "line", the program's, counted from 1; and "place", the engine's line.

    >>> run("print(1 + 1, True)", {})
    {'printed': [[2.0, True]]}
    >>> run("Neuron(2)", {})["error"]
    "NameError: name 'Neuron' is not defined"
    """
    printed: list[list[Any]] = []

    def record(*things: Any) -> None:
        printed.append([plain(thing) for thing in things])

    try:
        exec(_compiled(program), {**names, "print": record})
    except BaseException as raised:  # of sys.exit() too
        return {"printed": printed, **told(raised, names)}
    return {"printed": printed}


@functools.cache
def _compiled(program: str) -> CodeType:
    return compile(program, PROGRAM, "exec")


def plain(thing: Any, depth: int = 0) -> Any:
    """A thing as a number, a text or a list, which can be sent.

    What holds one number, as a value, a NumPy scalar or a tensor of size one does, is that number.

    >>> plain([1, "one", object()])
    [1.0, 'one', '<object>']
    """
    if thing is None or isinstance(thing, bool):
        return thing
    if isinstance(thing, str):
        return _readable(thing)
    if depth > 3:
        return "..."
    if isinstance(thing, (list, tuple)):
        return [plain(element, depth + 1) for element in thing[:_LONGEST]]
    for number_of in (_item, float, _data):
        try:
            number = number_of(thing)
        except Exception:  # whatever the engine's classes raise
            continue
        return number if type(number) is float else plain(number, depth + 1)
    return f"<{type(thing).__name__}>"


def _readable(text: str) -> str:
    """The beginning of a text, on one line, with nothing that would control a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:_LONGEST])


def _item(thing: Any) -> Any:
    return thing.item()


def _data(thing: Any) -> Any:
    return thing.data


# ---- what was raised ----

_OPERATORS = {"+": "add", "-": "sub", "*": "mul", "/": "truediv", "**": "pow"}
_BINARY = re.compile(r"unsupported operand .* for (\*\*|[-+*/]).*: '(.+)' and '(.+)'")
_UNARY = re.compile(r"bad operand type for unary -: '(.+)'")
_OURS = (__file__, importlib.__file__)
_CALL = re.compile(r"'(.+)' object is not callable")
_KEYWORD = re.compile(r"unexpected keyword argument '(.+)'")
_ARGUMENTS = re.compile(r"(\w+)\.__init__\(\) missing \d+ required")


def told(raised: BaseException, names: Names) -> dict[str, Any]:
    """What was raised, whether it says that something is missing, and where it was."""
    line, places = _way(raised)
    try:
        message = _readable(str(raised))
    except Exception:
        message = "(its message cannot be read)"
    return {
        "error": f"{type(raised).__name__}: {message}".rstrip(": "),
        "missing": _missing(raised, message, names, inside=bool(places)),
        "line": line,
        "place": places[-1] if places else "",
    }


def _way(raised: BaseException) -> tuple[int, list[str]]:
    """The program's line, and the engine's on the way to where it was raised.

    The engine's are those in the folder that was first entered.
    """
    line, traceback = 0, raised.__traceback__
    frames: list[tuple[str, str]] = []
    while traceback is not None:
        code, number = traceback.tb_frame.f_code, traceback.tb_lineno
        folder, file = os.path.split(code.co_filename)
        if file == PROGRAM:
            line = line if frames else number
        elif code.co_filename not in _OURS and not file.startswith("<frozen"):
            frames.append((folder, f"{file}, line {number}, in {code.co_name}"))
        traceback = traceback.tb_next
    return line, [place for folder, place in frames if folder == frames[0][0]]


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
    if isinstance(raised, NameError):
        return raised.name or ""
    if isinstance(raised, AttributeError) and _is_of(raised.obj, names):
        return raised.name or ""
    return _missing_operator(message, classes, names) if isinstance(raised, TypeError) else ""


def _is_of(thing: object, names: Names) -> bool:
    """Whether a thing is an instance of one of the engine's classes."""
    return any(isinstance(thing, kind) for kind in names.values() if isinstance(kind, type))


def _missing_operator(message: str, classes: set[str], names: Names) -> str:
    binary, call = _BINARY.search(message), _CALL.search(message)
    if binary and (binary[2] in classes or binary[3] in classes):
        reflected = "" if binary[2] in classes else "r"
        method = f"__{reflected}{_OPERATORS[binary[1]]}__"
        return "" if any(hasattr(thing, method) for thing in names.values()) else method
    if call and call[1] in classes:
        return "__call__"
    arguments = _ARGUMENTS.match(message)
    if arguments and arguments[1] in classes:
        return f"{arguments[1]}()"
    keyword = _KEYWORD.search(message)
    return f"{keyword[1]}=" if keyword else ""


# ---- the engine ----


def names_in(module: Names, name: str, networks: Names | None = None) -> Names:
    """What programs may name: the class of that name, and networks, of the module or beside it."""
    classes = {name: module.get(name)}
    for network in NETWORKS:
        classes[network] = module.get(network) or (networks or {}).get(network)
    return {key: thing for key, thing in classes.items() if callable(thing)}


def _load(job: dict[str, Any]) -> tuple[dict[str, Any], Names]:
    """What is told of loading the module, and what programs may name."""
    try:
        module = _imported(job["folder"], job["module"], job["file"])
    except BaseException as raised:  # of sys.exit() too
        absent = raised.name if isinstance(raised, ModuleNotFoundError) else None
        return {**told(raised, {}), "absent": absent}, {}
    networks: Names = {}
    problem: dict[str, Any] = {}
    if not all(network in module for network in NETWORKS):
        try:
            networks = _beside(job["beside"])
        except BaseException as raised:
            problem = told(raised, {})
    classes = [key for key, thing in module.items() if isinstance(thing, type) and key[0] != "_"]
    names = names_in(module, job["name"], networks)
    return {"found": list(names), "classes": classes, "beside": problem}, names


def _imported(folder: str, module: str, file: str) -> Names:
    """The names of a module: of the file, if one is given."""
    sys.path.insert(0, folder)
    if not file:
        return vars(importlib.import_module(module))
    spec = importlib.util.spec_from_file_location(module, file)
    assert spec is not None
    assert spec.loader is not None
    sys.modules[module] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(sys.modules[module])
    return vars(sys.modules[module])


def _beside(candidates: list[str]) -> Names:
    """The names of the first of these modules that is there."""
    for candidate in candidates:
        if _is_there(candidate):
            return vars(importlib.import_module(candidate))
    return {}


def _is_there(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # what it would lie in is no package
        return False


# ---- the process ----

_encode = json.JSONEncoder().encode
_write, _getpid, _exit = os.write, os.getpid, os._exit


class _Line:
    """The line to the process that started this one, out of reach of what is printed."""

    def __init__(self, nonce: str) -> None:
        self.file, self.nonce, self.process = os.dup(1), nonce, _getpid()
        os.dup2(2, 1)  # whatever is printed goes where errors go

    def send(self, message: dict[str, Any]) -> None:
        if _getpid() != self.process:
            _exit(0)  # a fork of the engine's making
        text = f"{self.nonce}{_encode(message)}\n".encode()
        while text:
            text = text[_write(self.file, text) :]


def _limit(memory: int, file_size: int, seconds: int) -> None:
    """Have the system refuse what goes beyond these bytes and seconds, where it can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, limit in [
        (resource.RLIMIT_AS, memory),
        (resource.RLIMIT_FSIZE, file_size),
        (resource.RLIMIT_CPU, seconds),  # the last resort, if the other process is gone
        (resource.RLIMIT_CORE, 0),
    ]:
        with contextlib.suppress(ValueError, OSError):  # above what is allowed already
            resource.setrlimit(what, (limit, limit))


def main() -> None:
    """Load the engine that the job on standard input names, and run the job's programs on it."""
    job = json.loads(sys.stdin.readline())
    line = _Line(job["nonce"])
    _limit(*job["limits"])
    loaded, names = _load(job)
    line.send(loaded)
    for program in job["programs"]:
        line.send(run(program, names))


if __name__ == "__main__":
    main()
