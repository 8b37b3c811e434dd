"""Expressions in text: what they compute, and that nothing else is done with them."""

import io
import json
import math
import subprocess
import sys
import time
import tokenize

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import chainrule
from chainrule import TABLE, Value
from chainrule.engine import operands_first
from chainrule.errors import ArgumentError, ChainruleError, ExpressionError
from chainrule.expressions import parse


def leaves(**numbers):
    return {name: Value(number, label=name) for name, number in numbers.items()}


def ops_of(value):
    return [x.op for x in operands_first(value)]


# ---- what is computed ----


def test_the_first_example():
    """a*b + c at 2, -3 and 10 is 4, with gradients -3, 2 and 1; its leaves bear their names."""
    given = leaves(a=2.0, b=-3.0, c=10.0)
    value = parse("a*b + c", given)
    value.backward()
    assert value.data == 4.0
    assert {name: leaf.grad for name, leaf in given.items()} == {"a": -3.0, "b": 2.0, "c": 1.0}
    assert ops_of(value) == ["", "", "mul", "", "add"]
    assert [x.label for x in operands_first(value)] == ["a", "b", "", "c", ""]


_ATOMS = st.sampled_from(["a", "b", "c", "2", "0.5", "1e3", "3.", ".25", "0", "1_0"])
_FUNCTIONS = {1: ["tanh", "exp", "relu", "sqrt", "neg", "abs"], 2: ["maximum", "atan2", "div"]}


def _larger(parts):
    """What can be written with smaller texts, brackets or not: precedence is Python's to say."""
    return st.one_of(
        st.builds("{}{}{}".format, parts, st.sampled_from([*"+-*/", " ** ", " - "]), parts),
        st.builds("-{}".format, parts),
        st.builds("({})".format, parts),
        st.builds("{}({})".format, st.sampled_from(_FUNCTIONS[1]), parts),
        st.builds("{}({}, {})".format, st.sampled_from(_FUNCTIONS[2]), parts, parts),
    )


@settings(max_examples=300)
@given(st.recursive(_ATOMS, _larger, max_leaves=25))
def test_expressions_mean_what_they_mean_in_python(text):
    """Value and gradients are those of Python's own evaluation of the text, on values."""
    assume(len(text) <= 2000)
    names = {name: number for name, number in zip("abc", (1.25, -0.5, 2.0)) if name in _names(text)}
    ours, theirs = leaves(**names), leaves(**names)
    value = parse(text, ours)
    expected = eval(_with_values(text), {**TABLE, **theirs, "Value": Value})
    for output in (value, expected):
        output.backward()
    assert repr(value.data) == repr(expected.data)
    assert [repr(x.grad) for x in ours.values()] == [repr(x.grad) for x in theirs.values()]


def _tokens(text):
    return list(tokenize.generate_tokens(io.StringIO(text).readline))


def _names(text):
    return {token.string for token in _tokens(text)}


def _with_values(text):
    """The text with a value for each number: Python would take powers of whole numbers exactly."""
    return " ".join(
        f"Value({token.string})" if token.type == tokenize.NUMBER else token.string
        for token in _tokens(text)
    ).strip()


@pytest.mark.parametrize("row", TABLE.values(), ids=lambda row: row.name)
def test_every_row_is_a_function(row):
    """The functions are the rows of the table, by their names."""
    point = (*row.probes, (1.0,) * len(row.operands))[0]
    named = leaves(**{f"x{i}": x for i, x in enumerate(point)})
    value = parse(f"{row.name}({', '.join(named)})", named)
    assert value.op == row.name
    assert list(value.operands) == list(named.values())
    assert value.data == row(*point)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("sum(a, b, 4)", 6.5),
        ("sum(a)", 2.0),
        ("mean(a, b, 4, 5.5)", 3.0),
        ("logsumexp(a, b, 1)", math.log(math.exp(2.0) + math.exp(0.5) + math.e)),
        ("logsumexp(1000*a, 2000)", 2000.0 + math.log(2.0)),
    ],
)
def test_functions_of_any_number_of_terms(text, number):
    """sum, mean and logsumexp take as many terms as are written."""
    given = {name: x for name, x in leaves(a=2.0, b=0.5).items() if name in _names(text)}
    assert parse(text, given).data == pytest.approx(number, rel=1e-15)


def test_what_is_written_is_drawn():
    """Ops of numbers become values too, a minus sign before a number does not."""
    assert ops_of(parse("2*3*a", leaves(a=1.0))) == ["constant", "constant", "mul", "", "mul"]
    assert ops_of(parse("a**-2", leaves(a=1.0))) == ["", "constant", "pow"]
    assert ops_of(parse("+a - -b", leaves(a=1.0, b=1.0))) == ["", "", "neg", "sub"]


def test_a_name_is_one_value():
    """All uses of a name are one leaf; a term that is written twice is computed twice."""
    given = leaves(a=3.0)
    value = parse("a*a + a*a", given)
    value.backward()
    assert len(operands_first(value)) == 4
    assert given["a"].grad == 12.0


def test_a_number_alone():
    """A lone name is that leaf, a lone number a leaf of its own."""
    given = leaves(a=3.0)
    assert parse(" a\n", given) is given["a"]
    number = parse("-7", {})
    number.backward()
    assert (number.data, number.op, number.grad) == (-7.0, "", 1.0)


def test_powers_are_powers_of_floats():
    """9**9**9 is inf at once, and not a whole number of 370 million digits."""
    start = time.perf_counter()
    assert parse("9**9**9", {}).data == math.inf
    assert parse("9**9**9**9**9 * a", leaves(a=1.0)).data == math.inf
    assert time.perf_counter() - start < 1.0


# ---- how large it may be ----


def test_length():
    """An expression may have 2,000 characters, and not one more."""
    text = "+".join(["a"] * 1000)
    assert parse(text + " ", leaves(a=0.5)).data == 500.0
    with pytest.raises(ExpressionError, match=r"has up to 2,000 characters, not 2,001"):
        parse(text + "+a", leaves(a=0.5))


def test_depth():
    """There may be 100 brackets within each other, and signs and powers as long as the text is."""
    assert parse("(" * 100 + "a" + ")" * 100, leaves(a=2.0)).data == 2.0
    assert parse("-" * 1000 + "a", leaves(a=2.0)).data == 2.0
    assert parse("a" + "**a" * 500, leaves(a=1.0)).data == 1.0
    with pytest.raises(ExpressionError, match="up to 100 brackets within each other, not 101"):
        parse("tanh(" * 101 + "a" + ")" * 101, leaves(a=2.0))


@pytest.mark.parametrize("error", [MemoryError, RecursionError])
def test_what_is_too_deep_for_the_parser(monkeypatch, error):
    """Where Python's parser gives up all the same, that is said in one line."""

    def gives_up(*_, **__):
        raise error

    monkeypatch.setattr(chainrule.expressions.ast, "parse", gives_up)
    with pytest.raises(ExpressionError, match=r"^'a \+ 1' is nested too deeply$"):
        parse("a + 1", leaves(a=1.0))


# ---- what is refused ----

WRONG = {
    "": "the expression is empty: write one, as a*b + c",
    " \t\n ": "the expression is empty",
    "a +": "'a +' is not an expression: something is missing at its end",
    "a b": "'a b' is not an expression: it goes wrong at 'b'",
    "2a": "'2a' is not an expression: it goes wrong at '2a'",
    "a + * 2": "it goes wrong at '* 2'",
    "a)+(1": "'a)+(1' is not an expression: it goes wrong at ')+(1'",
    "((a)": "the expression '((a)' has a bracket that is not closed",
    "a^2": "'^' (CIRCUMFLEX ACCENT) at character 2 cannot stand here: a power is a**b",
    "a < 2": "'<' (LESS-THAN SIGN) at character 3 cannot stand here: a comparison is less(a, b)",
    "a = 2": "'=' (EQUALS SIGN) at character 3 cannot stand here: a comparison is equal(a, b)",
    "a \N{MINUS SIGN} 2": "'\\u2212' (MINUS SIGN) at character 3 cannot stand here: an expression",
    "a\N{MULTIPLICATION SIGN}2": "'\\xd7' (MULTIPLICATION SIGN) at character 2",
    "a // 2": "'a // 2' cannot stand here: an expression is made of names, numbers, + - * / **",
    "a, 2": "'a, 2' cannot stand here",
    "()": "'()' cannot stand here",
    "a.data": "'a.data' cannot stand here",
    "a.exp()": "'a.exp()' cannot stand here",
    "sum()": "'sum()' cannot stand here",
    "tanh(*a)": "'*a' cannot stand here",
    "tanh(**a)": "'tanh(**a)' cannot stand here",
    "tanh(a)(a)": "'tanh(a)(a)' cannot stand here",
    "a if a else 2": "'a if a else 2' cannot stand here",
    "a and 2": "'a and 2' cannot stand here",
    "not a": "'not a' cannot stand here",
    "True": "'True' cannot stand here",
    "None": "'None' cannot stand here",
    "2j * a": "'2j' cannot stand here",
    "...": "'...' cannot stand here",
    "1if a else 2": "'1if a else 2' is not an expression",  # a warning of Python's by itself
    "await a": "'await a' cannot stand here",
    "1e999 * a": "a number is at most 1.8e+308",
    f"a + {10**400}": "a number is at most 1.8e+308",
    "tanh + a": "tanh is a function: write what it is applied to, tanh(...)",
    "x + a": "'x' has no value: give one, as in a=2",
    f"a + {'x' * 500}": f"'{'x' * 39}…' has no value",
    "2 * 3": "'a' has a value, but is not in the expression",
    "tan(2)*tanh(3)": "'a' has a value, but is not in the expression",
}


@pytest.mark.parametrize("text", WRONG, ids=lambda text: text[:20])
def test_refused(text):
    """What is no expression is refused by what was seen, and what would be right."""
    with pytest.raises(ExpressionError) as error:
        parse(text, leaves(a=2.0))
    assert WRONG[text] in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("max(a, 2)", "no function is called 'max'; there are abs, acos, .*; did you mean maximum"),
        ("a(2)", "no function is called 'a'; there are abs"),
        ("print(a)", "no function is called 'print'; there are abs"),
        ("tanh(a, 2)", r"tanh\(a\) takes 1 operands, not 2"),
        ("where(a, 2)", r"where\(a, b, c\) takes 3 operands, not 2"),
    ],
)
def test_unknown_functions(text, message):
    """Functions are those that are listed, with as many operands as they have."""
    with pytest.raises(ArgumentError, match=message):
        parse(text, leaves(a=2.0))


@pytest.mark.parametrize(
    "name", ["tanh", "add", "logsumexp", "lambda", "True", "2a", "a b", "", "ä"]
)
def test_names(name):
    """A name is made of letters and digits, and is no function and no word of Python."""
    with pytest.raises(ExpressionError, match=r"is a function: give|a name is made of .*, not '"):
        parse("a", {"a": Value(1.0), name: Value(2.0)})


# ---- hostile texts ----

HOSTILE = [
    "__import__('os').system('touch executed')",
    '__import__("os")',
    "().__class__.__bases__[0].__subclasses__()",
    "a.__class__",
    "a.__init__.__globals__",
    "__builtins__",
    "eval(a)",
    "exec(a)",
    "open(a)",
    "breakpoint()",
    "exit()",
    "getattr(a, a)",
    "globals()",
    "lambda: a",
    "(lambda: a)()",
    "[a for a in (1, 2)]",
    "(a for a in (1, 2))",
    "tanh(a for b in (1, 2))",
    "{a: a}",
    "f'{a}'",
    "(a := 2)",
    "yield a",
    "a @ a",
    "a; a",
    "a # a",
    "a \\\n+ 1",
    "import os",
    "def f(): a",
    "a\x00b",
    "\x1b[31ma",
    "\ud800",
    "\N{RIGHT-TO-LEFT OVERRIDE}a",
    "\N{FULLWIDTH LATIN SMALL LETTER A}",
    "\N{CYRILLIC SMALL LETTER A}",
    "\N{MATHEMATICAL ITALIC SMALL A}",
    "_" * 1999,
    "x" * 1999 + "(a)",
    "9" * 2000,
    "0x" + "f" * 1998,
    "(" * 100_000,
    "(" * 1000 + "a" + ")" * 1000,
    "a" + ")" * 1000,
    "(" * 100 + "a for " + ")" * 100,
    "tanh(a " * 99 + ")" * 99,
    "-" * 1_000_000 + "a",
    "a+" * 500_000 + "a",
    "lambda " * 285,
    "not " * 499 + "a",
    "a if a else " * 165 + "a",
    "a." * 999 + "a",
    "a" + "()" * 999,
    "tanh(" * 99 + "," + ")" * 99,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts(text):
    """Each is refused at once, in one line of moderate length that a terminal can show."""
    start = time.perf_counter()
    with pytest.raises(ChainruleError) as error:
        parse(text, leaves(a=2.0))
    assert time.perf_counter() - start < 1.0
    message = str(error.value)
    assert message.isprintable()
    assert len(message) < (500 if message.startswith("no function is called") else 200)


def test_nothing_is_executed(tmp_path):
    """Python's own audit sees its parser at work on the texts, and nothing that runs or opens."""
    program = """
import json, sys
from chainrule import Value
from chainrule.errors import ChainruleError
from chainrule.expressions import parse

events = set()
def refused(text):
    try:
        parse(text, {"a": Value(2.0)})
    except ChainruleError:
        return True

texts = json.load(sys.stdin)
assert refused("max(a)") and refused("a b") and refused("a") is None  # imports what is needed
sys.addaudithook(lambda event, arguments: events.add(event))
every = all([refused(text) for text in texts])
eval("1")  # what the hook would see
found = sorted(events)
print(json.dumps([every, found]))
"""
    run = subprocess.run(
        [sys.executable, "-c", program],
        input=json.dumps(HOSTILE),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert json.loads(run.stdout) == [True, ["compile", "exec"]]
    assert list(tmp_path.iterdir()) == []
