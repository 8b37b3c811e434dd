"""Facts about the build that runs this program, for test_builds.py to compare.

`python tests/facts.py surface` prints them one a line; so do `errors`, `ops` and `graphs`.
"""

from __future__ import annotations

import importlib
import inspect
import itertools
import math
import operator
import random
import re
import sys
from collections.abc import Iterator
from typing import Any

from strategies import Expression, decoded

import chainrule
from chainrule import TABLE, Value, condition, engine, grad
from chainrule.check import near_kinks

MODULES = ["arguments", "calculus", "check", "engine", "errors", "floats", "interop", "modes"]
MODULES += ["nn", "losses", "ops", "optim"]
OPERATORS = [name for name in dir(operator) + dir(float) + dir(list) if name[:2] == "__"]


def main(kind: str) -> None:
    for fact in {"surface": surface, "errors": errors, "ops": ops, "graphs": graphs}[kind]():
        print(fact)


# ---- the public names ----


def surface() -> Iterator[str]:
    """Each public function and class with its parameters and its documentation."""
    for name in MODULES:
        module = importlib.import_module(f"chainrule.{name}")
        yield f"{name} | {module.__doc__!r}"
        for public, thing in sorted(vars(module).items()):
            here = getattr(thing, "__module__", "") == module.__name__
            if here and callable(thing) and not public.startswith("_"):
                yield from described(f"{name}.{public}", thing)
    yield f"all | {chainrule.__all__}"
    yield f"operators | {[name for name in OPERATORS if hasattr(Value, name)]}"


def described(name: str, thing: Any) -> Iterator[str]:
    yield f"{name} | {parameters(thing)} | {inspect.getdoc(thing)!r}"
    if isinstance(thing, type):
        for attribute, member in sorted(vars(thing).items()):
            if not attribute.startswith("_"):
                yield from described(f"{name}.{attribute}", member)


def parameters(thing: Any) -> str:
    """Names, kinds and defaults of the parameters, or ? where this build cannot tell.

    What is returned, and of which type, is left out: an engine of C keeps that to itself.
    """
    try:
        signature = inspect.signature(thing)
    except (TypeError, ValueError):
        return "?"
    text = str(signature.replace(return_annotation=signature.empty))
    return re.sub("<[a-z]*function .*? at 0x[0-9a-f]+>", "<function>", text)


# ---- what is refused ----

MISUSES = """
Value("1.5") | Value(None) | Value(1j) | Value([1.0]) | Value(Value(1.0)) | Value(10**400)
Value(1.0, None) | setattr(a, "label", 5) | setattr(a, "label", None) | setattr(a, "label", (a,))
Value() | Value(1.0, lable="a") | Value(1.0, 2, 3, 4) | Value(1.0, (a, b), "+") | Value(1.0, 3)
a + "1" | "1" + a | a * None | None * a | a - [1] | a / {} | a ** "2" | 1j ** a | a @ b | a % 2
a == 1 | a != 1.0 | a < "1" | a < None | float(a) | int(a) | complex(a) | len(a) | a[0] | a()
math.exp(a) | math.floor(a) | round(a) | iter(a) | a // 2 | ~a | f"{a:d}" | pow(a, 2, 3)
setattr(a, "data", "1") | setattr(a, "grad", None) | setattr(two, "data", 1.0)
setattr(two, "grad", 1.0) | setattr(a, "op", "add") | setattr(a, "operands", ()) | a.nothing
setattr(a, "derivatives", ()) | setattr(a, "nothing", 1) | vars(a) | delattr(a, "op")
two.backward() | a.backward("1") | a.backward(None) | a.backward(1.0, 2.0) | a.backward(up=1)
a.exp(1) | a.tanh(x=2) | a.nothing() | a._backward() | setattr(a, "_backward", None)
copy.copy(a * b) | copy.deepcopy([a * b]) | pickle.dumps(a * b) | pickle.dumps([a.exp()])
operands_first(None) | operands_first(2.0) | operands_first() | constant("1") | constant(None)
grad(None, a) | grad(a, None) | grad(1.0, 2.0) | condition(None) | condition(2.0)
chainrule.dot([a], [a, b]) | chainrule.exp("1") | chainrule.exp(None) | chainrule.where(a, b)
chainrule.maximum(a) | chainrule.exp() | chainrule.sum(None) | chainrule.softmax([])
floats.divide("1", 2.0) | floats.exp(None) | floats.power(2.0) | floats.tanh([1.0])
floats.as_number("1") | floats.as_number(None) | floats.as_number(10**400)
"""


def errors() -> Iterator[str]:
    """What each misuse raises; Python's own errors without their words, which are not ours."""
    names = {name: importlib.import_module(name) for name in ("copy", "pickle", "math")}
    names |= {"chainrule": chainrule, "Value": Value, "grad": grad, "condition": condition}
    names |= {"operands_first": engine.operands_first, "constant": engine.constant}
    names |= {"floats": chainrule.engine.floats, "two": (Value(1.0) * 2).operands[1]}
    for misuse in MISUSES.replace("\n", " | ").strip("| ").split(" | "):
        yield f"{misuse} | {outcome(misuse, {**names, 'a': Value(3.0), 'b': Value(-2.0)})}"


def outcome(misuse: str, names: dict[str, Any]) -> str:
    try:
        return repr(eval(misuse, names))
    except chainrule.errors.ChainruleError as error:
        return f"{type(error).__name__}: {error}"
    except Exception as error:
        return type(error).__name__


# ---- numbers ----

SPECIAL = [0.0, 0.5, 1.0, 2.0, 3.0, 20.0, 0.3, 1 / 3, 710.0, 1e-310, 1e-8, 1e154, 1e308, math.inf]
SPECIAL = [*SPECIAL, *[-x for x in SPECIAL], math.nan]


def ops() -> Iterator[str]:
    """Each op at special numbers: its value, its local derivatives and what backward gives."""
    for name, row in TABLE.items():
        few = SPECIAL if len(row.operands) < 3 else [-0.0, 0.5, -3.0, math.inf, math.nan]
        for numbers in itertools.product(few, repeat=len(row.operands)):
            for constant in range(-1, len(numbers) if len(numbers) > 1 else 0):
                operands = [x if i == constant else Value(x) for i, x in enumerate(numbers)]
                y = row(*operands)
                y.backward(-0.75)
                gradients = [x.grad for x in operands if isinstance(x, Value)]
                yield f"{name} {numbers} {constant} {bits([y.data, *y.derivatives, *gradients])}"


def graphs() -> Iterator[str]:
    """Random expressions: values, gradients, gradients of gradients, condition."""
    rng = random.Random(0)
    for _ in range(400):
        leaves = [rng.uniform(-3.0, 3.0) for _ in range(rng.randint(1, 5))]
        yield bits(of_graph(decoded(leaves, rng.randbytes(4 * rng.randint(1, 200)))))
    for _ in range(200):
        leaves = [rng.uniform(-3.0, 3.0) for _ in range(rng.randint(1, 5))]
        yield bits(slopes_of_slopes(decoded(leaves, rng.randbytes(4 * rng.randint(1, 12)))))


def of_graph(expression: Expression) -> list[float]:
    """All that is known of each value of a graph, twice run backward."""
    leaves = [Value(x) for x in expression.leaves]
    y = expression.evaluate(leaves, TABLE)
    y.backward()
    y.backward(0.3)
    found = [float(len(near_kinks(y))), condition(y), *condition(y, leaves), *grad(y, leaves)]
    for value in engine.operands_first(y):
        found += [value.data, value.grad, *value.derivatives]
    return found


def slopes_of_slopes(expression: Expression) -> list[float]:
    """The first three derivatives of a graph, each as a graph with its condition."""
    leaves = [Value(x) for x in expression.leaves]
    y = expression.evaluate(leaves, TABLE)
    found = []
    for _ in range(3):
        slopes = grad(y, leaves, create_graph=True)
        found += [slope.data for slope in slopes] + [condition(slope) for slope in slopes]
        y = sum(slope * (0.7 + k) for k, slope in enumerate(slopes))
    y.backward()
    return [*found, *[leaf.grad for leaf in leaves]]


def bits(numbers: list[float]) -> str:
    return " ".join(map(float.hex, numbers))


main(sys.argv[1])
