"""A program beside its scalars: what is said of each instruction, and the page in a browser."""

import functools
import html
import json
import math
import random
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_programs import STEPS, RandomProgram

import chainrule
from chainrule import TABLE, Value, compile, explore, lift, losses, nn, train_step
from chainrule.compiler.graph import Packed
from chainrule.compiler.program import Program, Seed
from chainrule.errors import ArgumentError, TraceError
from chainrule.optim import SGD

pytest.importorskip("numpy")
from chainrule.compiler.backends import runner as runner_of
from chainrule.compiler.derive import derive
from chainrule.compiler.lift import lift as lift_graph
from chainrule.compiler.passes import run
from chainrule.viz import program as explorers
from chainrule.viz.beside import Beside, Call
from chainrule.viz.names import DataNames
from chainrule.viz.reading import claim, readings, summary


def neuron():
    """The neuron of the lecture, with its labels."""
    x1, x2 = Value(2.0, label="x1"), Value(0.0, label="x2")
    w1, w2 = Value(-3.0, label="w1"), Value(1.0, label="w2")
    b = Value(6.8813735870195432, label="b")
    n = x1 * w1 + x2 * w2 + b
    n.label = "n"
    o = n.tanh()
    o.label = "o"
    return o


def lifted_neuron():
    return lift(neuron())


def compiled_neuron():
    """The same as a function of its inputs."""
    w = [Value(-3.0, label="w1"), Value(1.0, label="w2")]
    b = Value(6.8813735870195432, label="b")
    function = compile(lambda x: (sum(wi * xi for wi, xi in zip(w, x)) + b).tanh())
    function([2.0, 0.0])
    return function


XS = [[2.0, 3.0, -1.0], [3.0, -1.0, 0.5], [0.5, 1.0, 1.0], [1.0, 1.0, -1.0]]
YS = [1.0, -1.0, -1.0, 1.0]


@functools.cache
def tiny():
    """The loss of the lecture's network on its four examples."""
    random.seed(4)
    model = nn.MLP(3, [4, 4, 1], activation="tanh")
    function = compile(lambda xs, ys: sum((model(x) - y) ** 2 for x, y in zip(xs, ys)))
    function(XS, YS)
    return function


def network():
    """Two units over fifty points: long enough for a block to be transposed, short to be drawn."""
    random.seed(5)
    model = nn.MLP(1, [2, 1], activation="tanh")
    function = compile(lambda xs: sum(model([x]) for x in xs))
    function([i / 10 for i in range(20)])
    return function


def chosen():
    """Rows chosen by data, a softmax, and sums of different lengths."""
    rows = [[Value(0.1 * i + 0.01 * j) for j in range(3)] for i in range(4)]

    def score(which):
        picked = [chainrule.lookup(rows)[i] for i in which]
        weights = chainrule.softmax([chainrule.dot(row, rows[0]) for row in picked])
        return sum(chainrule.dot(weights[: k + 1], picked[k][: k + 1]) for k in range(3)).exp()

    function = compile(score)
    function([1, 3, 2])
    return function


def several():
    """A function with two results, whose backward starts from a seed."""
    weights = Value(0.5), Value(-2.0)
    function = compile(lambda xs: [sum((w * x).tanh() for x in xs) for w in weights])
    function([0.1, 0.2, 0.3])
    return function


@functools.cache
def moons():
    """The program of the lecture's demo: a hinge loss with L2 over a hundred points."""
    random.seed(1337)
    model = nn.MLP(2, [16, 16, 1])
    points = [[random.uniform(-1, 1), random.uniform(-1, 1)] for _ in range(100)]
    sides = [1.0 if x * y > 0 else -1.0 for x, y in points]

    def loss(xs, ys):
        scores = [model(x) for x in xs]
        return losses.hinge(scores, ys) + losses.l2(model.parameters(), weight=1e-4)

    function = compile(loss)
    function(points, sides)
    return function


def program_of(explored):
    """The program that runs, and the numbers that it was given at the latest call."""
    runner = explored.runner if hasattr(explored, "runner") else explored.latest().runner
    data = runner.data.tolist()
    if hasattr(explored, "leaves"):
        return runner.program, [leaf.data for leaf in explored.leaves], data
    return runner.program, [x.data for x in explored.latest().operands], data


def interpreted(explored):
    """The program, and the numbers of all its blocks by the interpreter."""
    program, leaves, data = program_of(explored)
    every = Program(program.instructions, range(len(program.instructions)))
    seeds = sum(type(made) is Seed for made in program.instructions) and 1
    sizes = [program.instructions[block].size for block in program.outputs[:seeds]]
    return program, every.interpret(leaves, data, [1.0, *[0.0] * (sum(sizes) - 1)])


@functools.cache
def page_of(explored):
    return explore(explored).to_html()


def shown(explored):
    """What its page shows."""
    page = page_of(explored)
    found = re.search(r'<script type="application/json" id="show">(.*?)</script>', page, re.DOTALL)
    return json.loads(found[1])


# ---- formulas ----


def random_call(seed, steps):
    """A random program as it ran."""
    made = RandomProgram(seed, steps)
    program, leaves, data = lift_graph(made.graph)
    runner = runner_of(run(derive(run(program)[0]))[0])
    numbers = [[made.values[node].data for node in nodes] for nodes in (leaves, data)]
    scalars = Packed(made.graph, made.values)
    return Call("random", scalars, {}, "x{}".format, tuple(numbers), runner, "now")


NAMES = {name: row for name, row in TABLE.items() if not name.startswith("lookup")}
GREATEST = "the greatest of "


def evaluated(text):
    """A line of arithmetic, computed by Python."""
    if text.startswith(GREATEST):
        return max(map(float, text.removeprefix(GREATEST).split(", ")))
    nothing = {"nan": math.nan, "inf": math.inf}
    return eval(text, {"__builtins__": {}}, {**NAMES, **nothing})


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(STEPS), min_size=1, max_size=5))
def test_the_arithmetic_is_right(seed, steps):
    """Python computes from each line in numbers what the line says that it gives."""
    beside = Beside(random_call(seed, steps))
    for block, made in enumerate(beside.program.instructions):
        for place in sorted({0, made.size - 1} & {*range(made.size)}):
            number = beside.members.number((block, place))
            if not math.isfinite(number) or abs(number) > 1e6:
                continue
            for kind, line in beside.members.lines((block, place)):
                if kind != "in numbers" or "more" in line:
                    continue
                name, *parts = line.removeprefix(GREATEST).split(" = ")
                parts = parts if not line.startswith(GREATEST) else [GREATEST + name, *parts]
                sizes = [abs(float(x)) for x in re.findall(r"\d[\d.]*(?:e[+-]\d+)?", line)]
                bound = 1e-5 * (1.0 + max(sizes)) ** 2
                assert all(math.isclose(evaluated(x), number, abs_tol=bound) for x in parts), line


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.lists(st.sampled_from(STEPS), min_size=1, max_size=5))
def test_what_was_written_is_right(seed, steps):
    """A scalar as it was written gives the engine's number from the numbers of blocks."""
    call = random_call(seed, steps)
    beside = Beside(call)
    scalars, numbers = beside.scalars, beside.members.numbers
    known = {f"b{block}": found for block, found in enumerate(numbers)}
    known |= {f"x{place}": number for place, number in enumerate(numbers[2])}
    for element, (node, *_) in scalars.nodes_of.items():
        text = beside.written.expression(node) if scalars.graph.operands[node] else ""
        right = scalars.values[node].data
        if text and not re.search(r"\.\.\.|lookup|inf|nan", text) and math.isfinite(right):
            found = eval(text, {"__builtins__": {}}, NAMES | known)
            assert math.isclose(found, right, rel_tol=1e-6, abs_tol=1e-6), (element, text)


def test_a_scalar_as_it_was_written():
    """Brackets stand where Python needs them; the 0 that sum() starts from is there."""
    a, b, c = (Value(float(i), label=name) for i, name in enumerate("abc", 2))
    output = sum([a * b, -(a * c), a - (b - c), 2 * c**2]).tanh()
    (made,) = [x for x in shown(lift(output))["instructions"] if x["summary"].startswith("1 sum")]
    lines = dict(made["members"][0]["lines"])
    assert lines["as written"] == "b3[0] = 0 + a * b + (-(a * c)) + (a - (b - c)) + 2 * c ** 2"
    terms = re.split(r" (?=[+-] )", "+ " + lines["in symbols"].removeprefix("b3[0] = "))
    assert sorted(terms) == ["+ 2 * c * c", "+ a", "+ a * b", "+ c", "- a * c", "- b"]


# ---- names ----


def test_data_have_the_names_of_the_functions_words():
    """By arguments, rest arguments and keywords, through lists, dictionaries and arrays."""
    numpy = pytest.importorskip("numpy")

    def function(x, count, table, *more, scale):
        return x, count, table, more, scale

    args = (2.0, 3, {"a": [1, 2.5], "b": (numpy.ones((2, 2)), [], "text")}, 5.0, [True, 1])
    key = chainrule.compiler.call.Call(args, {"scale": numpy.float64(3.0)}).key
    names = DataNames(key, function)
    assert [names[place] for place in range(10)] == [
        "x",
        "table['a'][0]",
        "table['a'][1]",
        "table['b'][0][0, 0]",
        "table['b'][0][0, 1]",
        "table['b'][0][1, 0]",
        "table['b'][0][1, 1]",
        "more[0]",
        "more[1][0]",
        "more[1][1]",
    ]
    assert names[10] == "scale"


def test_leaves_have_their_paths():
    """A parameter is called as the function comes to it, or by the model, or by its label."""
    model = nn.Neuron(2)
    model.b.label = "bias"
    function = compile(lambda x, factor: model(x) * factor)
    function([1.0, 2.0], Value(3.0))
    names = [member["name"] for member in shown(function)["instructions"][0]["members"]]
    assert sorted(names) == ["bias", "factor", "model.w.0", "model.w.1"]
    page = explore(function, model=model).to_html()
    assert '"name":"w.0"' in page


# ---- instructions in words ----


def facts_of(explored, line):
    """What is said of the instruction that is printed like this."""
    (found,) = [x for x in shown(explored)["instructions"] if x["text"] == line]
    return found["summary"], [fact for kind, fact in found["facts"] if kind in ("shape", "reads")]


def test_a_matrix_product_in_words():
    """The hidden layer of the network, as it is printed, is told as a matrix product of views."""
    program, _, _ = program_of(tiny())
    line = "sum 1 * b0@0:0x1 over 4x4|  +  1 * b0@4:0x3x1 * b2@0:3x0x1 over 4x4|3"
    assert str(program.instructions[3]) == line
    assert facts_of(tiny(), line) == (
        "16 sums of 1 term and 3 products",
        [
            "4x4 numbers",
            "a matrix product, 4x3 by 3x4",
            "b0 from place 0 on: the same for 4, 4 in a row",
            "b0 from place 4 on: the same for 4, 4 in steps of 3, 3 in a row that are summed",
            "b2 from place 0 on: 4 in steps of 3, the same for 4, 3 in a row that are summed",
        ],
    )


CLAIMS = (
    "same bits",
    "rounding order only",
    "the same formula for each number, whose last digit may be rounded otherwise",
)


def test_words_of_every_instruction():
    """Whatever there is in a program has a summary, a claim, and words for what it reads."""
    seen = set()
    for seed in range(30):
        beside = Beside(random_call(seed, random.Random(seed).choices(list(STEPS), k=4)))
        sizes = [made.size for made in beside.program.instructions]
        for block, made in enumerate(beside.program.instructions):
            seen.add(type(made).__name__)
            assert summary(made)
            assert claim(made).partition(":")[0] in CLAIMS
            assert bool(readings(made, sizes)) == bool(beside.sources(block))
    assert seen >= {"Gather", "Scatter", "Segments", "Lookup", "IndexAdd", "Map", "Selected", "Sum"}


def test_passes_are_named_where_they_fired():
    """The squared errors are added up by one instruction, which was joined with them."""
    last = [x for x in shown(tiny())["instructions"] if x["phase"] == "forward"][-1]
    rewritten = [fact for kind, fact in last["facts"] if kind == "rewritten"]
    assert rewritten == ["sums of sums are joined (rounding order only)"]


def test_numbers_are_compared_with_the_engines():
    """The page of the neuron has the numbers that the engine has, and says so."""
    output = neuron()
    output.backward()
    instructions = shown(lift(output))["instructions"]
    both = {
        name: dict(x["lines"]) for i in instructions for x in i["members"] for name in [x["name"]]
    }
    assert both["o"]["both give"] == repr(output.data)
    weight = next(x for x in chainrule.engine.operands_first(output) if x.label == "w1")
    found = both["w1.grad"]
    assert repr(weight.grad) in (found.get("both give"), found.get("the engine"))


def test_the_numbers_are_those_of_the_latest_call():
    """After other calls, and after a step that moved the parameters, these are its numbers."""
    weight = Value(3.0, label="weight")
    step = train_step(lambda x, y: (weight * x - y) ** 2, SGD([weight], lr=0.1))
    step(1.0, 2.0)
    loss = step(1.0, 4.0)
    members = [x for i in shown(step)["instructions"] for x in i["members"]]
    lines = {x["name"]: dict(x["lines"]) for x in members}
    assert lines["weight"]["number"] == repr(2.8)
    assert lines["y"]["number"] == "4.0"
    assert repr(loss) in [number for line in lines.values() for number in line.values()]


def test_lines_that_run():
    """An instruction has the generated lines that follow its comment, or it is said where it is."""
    function = moons()
    found = {}
    for made in shown(function)["instructions"]:
        found[made["name"]] = dict(made["facts"]).get("runs as", "given")
    assert list(found.values()).count("given") == 3
    assert found["b4"] == "maximum(b3, n_0_0, out=b4)"
    assert found["b15"] == "no line of its own: it is written out in those of b16"
    source = function.source
    for name, lines in found.items():
        if lines != "given" and not lines.startswith("no line"):
            below = "\n".join(f"    {line}" for line in lines.splitlines())
            assert re.search(rf"    # {name}\[.*\n{re.escape(below)}\n", source)


def test_no_grad_around_changes_nothing():
    """The engine's gradients are computed for the page whatever the user has switched off."""
    function = compiled_neuron()
    page = explore(function).to_html()
    with chainrule.no_grad():
        assert explore(function).to_html() == page


# ---- what can be explored ----


def test_what_cannot_be_explored():
    """A function that was not called has no program; other things are refused as ever."""
    with pytest.raises(TraceError, match="has no program yet: call it first"):
        explore(compile(lambda x: x))
    with pytest.raises(ArgumentError, match="takes a Value, not float"):
        explore(1.0)
    with pytest.raises(ArgumentError, match=r"as \.html, not as '\.svg'"):
        explore(compiled_neuron()).save("program.svg")


WEIGHT, LABELLED = Value(0.5, label="weight"), Value(2.0, label="other")


@pytest.mark.parametrize(
    ("function", "args"),
    [
        (lambda x: (WEIGHT * x, LABELLED * x, 3.0), (2.0,)),
        (lambda xs: [x * 2 for x in xs], ([1.0, 2.0],)),
        (lambda x: x, (2.0,)),
        (lambda a: a, (Value(2.0),)),
        (lambda a, b: a * b + a, (Value(2.0), Value(3.0))),
        (lambda xs: sum((WEIGHT * x).log() for x in xs), ([-1.0, 0.0, 1.0],)),
        (lambda x, y: chainrule.maximum(WEIGHT * x, LABELLED * y), (1.0, 2.0)),
        (lambda x: WEIGHT * x if x > 0 else LABELLED * x, (-1.0,)),
        (lambda x: (WEIGHT.detach() * x).tanh() * LABELLED, (1.0,)),
    ],
    ids=[
        "several",
        "numbers",
        "nothing",
        "itself",
        "arguments",
        "nan",
        "kink",
        "guard",
        "detached",
    ],
)
def test_all_kinds_of_functions(function, args):
    """Whatever can be compiled can be explored; each instruction tells its first values."""
    compiled = compile(function)
    compiled(*args)
    found = shown(compiled)
    program, blocks = interpreted(compiled)
    assert [x["text"] for x in found["instructions"]] == [*map(str, program.instructions)]
    assert [len(x["members"]) for x in found["instructions"]] == [*map(len, blocks)]


def test_a_method_and_a_single_leaf():
    """A compiled method has its own name; the program of a leaf is that leaf."""
    model = nn.Neuron(2)
    model.loss = compile(model.__call__)
    model.loss([1.0, 2.0])
    assert shown(model.loss)["title"].startswith("__call__: ")
    assert "the lifted graph: 1 value" in shown(lift(Value(3.0, label="a")))["title"]


def test_notebooks_get_a_frame():
    """In a notebook the page stands in a frame that can run its script and nothing else."""
    frame = explore(compiled_neuron())._repr_html_()
    assert 'sandbox="allow-scripts"' in frame
    assert html.unescape(frame.partition('srcdoc="')[2]).startswith("<!doctype html>")


@functools.cache
def recurrent():
    """A program in which hardly anything can be grouped: some 600 instructions."""
    weight = Value(0.5, label="weight")

    def last(xs):
        state = weight
        for x in xs:
            state = (weight * state + x).tanh()
        return state

    function = compile(last)
    function([math.sin(i) for i in range(120)])
    return function


def dense():
    """As many values as are drawn one by one, each of which reads many."""
    weights = [[Value(0.1 * (i - j)) for j in range(12)] for i in range(12)]
    inputs = [Value(0.1 * i) for i in range(12)]
    outputs = [chainrule.dot(row, inputs).tanh() for row in weights]
    return lift(sum(outputs) ** 2)


@pytest.mark.parametrize("explored", [tiny, moons, recurrent, dense])
def test_pages_stay_small(explored):
    """Below 1 MB, whatever the size of the graph: of much, the first is shown."""
    assert len(page_of(explored()).encode()) < 1_000_000


def test_a_long_program_shows_the_first_of_either_pass():
    """Of 200 instructions and more, forward and backward, what is left out is said to be."""
    found = shown(recurrent())
    phases = [x["phase"] for x in found["instructions"]]
    assert phases.count("given") + phases.count("forward") == phases.count("backward") == 200
    assert found["about"].endswith("The first 200 of either pass are shown.")
    assert found["picture"]["svg"] == ""


def test_moons_by_instructions():
    """Each of 66,000 scalars that the loss needs is or is part of what an instruction computes."""
    function = moons()
    picture = shown(function)["picture"]["svg"]
    assert ">1,600 sums of 1 term and 16 products<" in picture
    assert ">of 25,600 add, 25,600 mul<" in picture
    beside = Beside(explorers._call_of_compiled(function, {}))
    graph, homes = beside.scalars.graph, beside.scalars.homes
    needed = {node for group in graph.outputs for node in group}
    for node in reversed(range(len(graph.ops))):
        needed |= {*graph.operands[node]} if node in needed else set()
    assert {node for node, home in enumerate(homes) if home} >= needed
    assert len(needed) > 65_000


# ---- in the browser ----


@pytest.fixture
def opened(open_page, tmp_path):
    """A function that opens the page of what is explored; no test passes with an error in it."""

    def open_explorer(explored, **options):
        path = tmp_path / "program.html"
        path.write_text(page_of(explored), encoding="utf-8")
        return open_page(path, **options)

    return open_explorer


TITLE = re.compile(r"(?:(.*) = )?([\w ]+), data (\S+?)(?:, gradient (\S+))?")


def lit(page, how, strong=""):
    """The values in the drawing that are lit in a way: op, data and gradient of each."""
    picture = page.locator(".cx-picture").first
    boxes = picture.locator(f'{strong}[data-lit="{how}"] > title')
    found = [TITLE.fullmatch(text).groups() for text in boxes.all_text_contents()]
    return [(op, float(data), float(grad or "nan")) for _, op, data, grad in found]


def chosen_line(page):
    """The line of the program that is chosen, as it is printed."""
    return page.locator('.cp-instruction[aria-selected="true"] code').inner_text()


def close(found, right):
    pairs = zip(sorted(found), sorted(right), strict=True)
    return all(math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-14) for a, b in pairs)


def gradient_blocks(explored):
    """The instructions whose elements are the gradients of scalars, by the page's own words."""
    words = [x["summary"] for x in shown(explored)["instructions"]]
    return [block for block, text in enumerate(words) if text.startswith("gradients of ")]


@pytest.mark.parametrize("build", [lifted_neuron, compiled_neuron, tiny, network, chosen, several])
def test_every_instruction_lights_up_its_values(opened, build):
    """By keyboard: the lit values have the numbers that the interpreter finds for the block."""
    explored = build()
    program, blocks = interpreted(explored)
    page = opened(explored)
    page.keyboard.press("Home")
    lines = str(program).splitlines()
    gradients = gradient_blocks(explored)
    for block, made in enumerate(program.instructions):
        assert chosen_line(page) == lines[block]
        found = lit(page, "made")
        if block in gradients:
            assert close([grad for _, _, grad in found], blocks[block])
        elif block < program.forward and type(made).__name__ not in ("Numbers", "Gather"):
            assert close([data for _, data, _ in found], blocks[block]), lines[block]
        heading = page.locator(".cp-told h2").inner_text()
        assert heading.startswith(f"b{block}: ")
        page.keyboard.press("ArrowRight")
    assert chosen_line(page) == lines[len(blocks) - 1]  # the last one stays
    assert gradients


def test_slopes_light_up_the_values_of_their_op(opened):
    """The slopes of tanh, 1 - y * y, are shown at the values y, as many as there are."""
    explored = tiny()
    program, blocks = interpreted(explored)
    page = opened(explored)
    rules = [i for i, made in enumerate(program.instructions) if getattr(made, "rule", None) == 0]
    assert len(rules) == 2
    for block in rules:
        page.get_by_role("slider", name="Instruction").fill(str(block))
        found = lit(page, "made")
        assert {op for op, _, _ in found} == {"tanh"}
        assert close([1.0 - data * data for _, data, _ in found], blocks[block])


def test_what_is_part_of_a_sum_and_what_it_reads(opened):
    """The neuron's sum has two products and a sum inside, and reads its five leaves."""
    page = opened(lifted_neuron())
    assert chosen_line(page).startswith("b3[1] = sum")  # the first that computes something
    assert sorted(lit(page, "made")) == [("add", 0.8813735870195432, 0.0)] or lit(page, "made")
    assert sorted(op for op, _, _ in lit(page, "part")) == ["add", "mul", "mul"]
    assert sorted(data for _, data, _ in lit(page, "read")) == [
        -3.0,
        0.0,
        1.0,
        2.0,
        6.8813735870195432,
    ]
    below = page.locator(".cx-badge").all_text_contents()
    assert sorted(text for text in below if text) == ["b3[0]", *["in b3[0]"] * 3, *["read"] * 5]


def test_one_element_of_many(opened):
    """Chosen by keyboard, an element lights up alone, with what it reads and its arithmetic."""
    explored = tiny()
    _, blocks = interpreted(explored)
    page = opened(explored)
    page.get_by_role("listbox", name="Its values").focus()
    for k in range(3):
        page.keyboard.press("ArrowDown")
        ((op, data, _),) = lit(page, "made", ".cp-strong")
        assert op == "add"
        assert math.isclose(data, blocks[3][k], rel_tol=1e-12)
        assert len(lit(page, "read", ".cp-strong")) == 7  # three weights, three inputs, a bias
        assert len(lit(page, "made")) == 16
        assert page.locator(".cp-one h3").inner_text() == f"b3[{k}]"
    numbers = page.locator(".cp-one dt", has_text="in numbers").locator("+ dd").inner_text()
    assert math.isclose(evaluated(numbers.split(" = ")[1]), blocks[3][2], rel_tol=1e-4)


def test_a_value_lights_up_its_instruction(opened):
    """By mouse or keyboard, a value chooses the instruction that computes it, and the element."""
    explored = tiny()
    program, _ = interpreted(explored)
    lines = str(program).splitlines()
    page = opened(explored)
    picture = page.locator(".cx-picture").first

    def box(title):
        label = re.compile(f"^{re.escape(title)}$")
        return picture.locator("[data-value]", has=page.locator(".cr-label", has_text=label))

    box("b6[2]").click()
    assert chosen_line(page) == lines[6]
    assert page.locator('.cp-member[aria-selected="true"]').inner_text().startswith("b6[2]")
    box("xs[1][2]").focus()
    page.keyboard.press("Enter")
    assert chosen_line(page) == lines[2]
    picture.locator("[data-value]", has=page.locator("title", has_text="mul")).first.click()
    assert chosen_line(page) == lines[3]  # a product inside a sum leads to the sum
    page.keyboard.press("ArrowDown")  # to the next value, without choosing it
    assert chosen_line(page) == lines[3]
    page.keyboard.press(" ")
    assert page.locator('.cp-member[aria-selected="true"]').count() == 1


def test_keys_and_controls(opened):
    """Arrows, Home, End, the slider, buttons and the list go to the instruction that they say."""
    page = opened(lifted_neuron())
    count, slider = page.locator(".cx-count"), page.get_by_role("slider", name="Instruction")
    seen = [count.inner_text()]
    for key in ("ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowLeft"):
        page.keyboard.press(key)
        seen.append(count.inner_text())
    assert [int(text.split()[2]) for text in seen] == [4, 5, 6, 5, 7, 7, 1, 1]
    assert seen[0].startswith("forward, ")
    assert seen[4].startswith("backward, ")
    slider.focus()
    page.keyboard.press("ArrowRight")
    assert count.inner_text() == "given, instruction 2 of 7"
    page.get_by_role("button", name="Last instruction").click()
    assert count.inner_text() == "backward, instruction 7 of 7"
    page.get_by_role("listbox", name="The array program").focus()
    page.keyboard.press("ArrowUp")
    assert count.inner_text() == "backward, instruction 6 of 7"
    page.get_by_role("option", name="b4[1]").click()
    assert count.inner_text() == "forward, instruction 5 of 7"


GROUPS = """() => [
    document.querySelector('.cp-instruction[aria-selected="true"] code').innerText,
    [...document.querySelectorAll('.cx-picture')[0].querySelectorAll('[data-lit="made"]')].map(
        (group) => group.querySelector(".cr-label").textContent),
    document.querySelector(".cp-number").textContent,
]"""


def test_groups_of_a_large_graph(opened):
    """The demo's page lights up groups, and draws how one scalar of each is computed."""
    explored = moons()
    program, blocks = interpreted(explored)
    page = opened(explored)
    page.keyboard.press("Home")
    lines = str(program).splitlines()
    for block in range(len(program.instructions)):
        line, titles, first = page.evaluate(GROUPS)
        assert line == lines[block]
        if block < program.forward:
            assert titles == ([f"b{block}"] if block != 1 else [])
        assert math.isclose(float(first), blocks[block][0], rel_tol=1e-2, abs_tol=1e-4)
        page.keyboard.press("ArrowRight")
    page.get_by_role("option", name="b5[1600]").click()
    sample = page.get_by_role("region", name=re.compile("How b5.* is computed"))
    assert sample.locator("[data-value]").count() > 10
    sample.locator("[data-value]", has=page.locator("title", has_text="b4[")).first.click()
    assert chosen_line(page) == lines[4]


def test_a_program_too_long_to_draw(opened):
    """Where no drawing is possible the lists are there, and the way through them."""
    page = opened(recurrent())
    page.keyboard.press("End")
    assert page.locator(".cx-count").inner_text() == "backward, instruction 400 of 400"
    assert "too many groups" in page.locator(".cp-none").inner_text()


def test_hostile_labels_are_text(opened):
    """Markup, quotes and ends of scripts in a label are shown, and nothing of them runs."""
    hostile = "</script><img src=x onerror=alert(1)>"
    a = Value(2.0, label=hostile)
    b = Value(float("nan"), label="'\"`${alert(1)}&lt;\u2028\x00")
    page = opened(lift((a * b).exp() + a))
    for _ in range(8):
        page.keyboard.press("ArrowRight")
    assert page.locator("img").count() == 0
    assert page.locator(".cp-one h3").text_content() == f"({hostile}).grad"
    assert page.locator(".cp-member .cp-number").first.text_content() == "nan"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("build", [lifted_neuron, moons])
def test_no_serious_accessibility_fault(opened, serious_faults, scheme, build):
    """axe finds nothing serious in any pass, with all values lit up or one, or with the source."""
    page = opened(build(), color_scheme=scheme, reduced_motion="reduce")
    for key in ("Home", "End"):
        page.keyboard.press(key)
        assert serious_faults(page) == []
    page.get_by_role("option").nth(3).click()
    page.locator(".cp-member").first.click()
    page.locator("summary").click()
    assert serious_faults(page) == []


def test_render_returns_its_clean_up(opened):
    """What render() returns takes everything away, and no key does anything afterwards."""
    explored = lifted_neuron()
    page = opened(explored)
    source = explorers.alone.static("program.js")
    page.add_script_tag(type="module", content=f"{source}\nwindow.render = render;")
    left = page.evaluate(
        """async show => {
            const root = document.createElement("div");
            document.body.replaceChildren(root);
            const stop = render(root, show);
            const filled = root.querySelectorAll("[role=option]").length;
            const press = () => !root.dispatchEvent(
                new KeyboardEvent("keydown", {key: "End", cancelable: true}));
            const before = press();
            stop();
            return [filled, before, root.childNodes.length, press()];
        }""",
        shown(explored),
    )
    assert left == [8, True, 0, False]
