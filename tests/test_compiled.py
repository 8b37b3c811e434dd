"""Compiled functions and steps of training, beside the functions and the loop written by hand."""

from __future__ import annotations

import math
import random
import subprocess
import sys

import pytest

import chainrule
from chainrule import Value, compile, detect_anomaly, losses, train_step
from chainrule.compiler import backends
from chainrule.errors import (
    AnomalyError,
    ArgumentError,
    TraceError,
    TrainingError,
)
from chainrule.nn import MLP, Module
from chainrule.optim import SGD, Adam, AdamW, CosineAnnealingLR

np = pytest.importorskip("numpy")


@pytest.fixture(autouse=True, params=["numpy", "python"])
def _backend(request, monkeypatch):
    """All of it runs on both backends."""
    seconds = {"numpy": math.inf, "python": 0.0}[request.param]
    monkeypatch.setattr(backends, "seconds_of_python", lambda program: seconds)  # noqa: ARG005


def near(x):
    """Numbers that agree but for rounding."""
    return pytest.approx(x, rel=1e-12, abs=1e-14)


def gradients(result, leaves):
    """What backward() of a result leaves in some leaves."""
    for leaf in leaves:
        leaf.grad = 0.0
    result.backward()
    return [leaf.grad for leaf in leaves]


# ---- arguments ----

w, v = Value(3.0), Value(-2.0)

ARGUMENTS = {
    "a float": (lambda x: w * x + v, [(2.0,), (5.0,)]),
    "a whole number": (lambda k: w**k + v, [(2,), (3,), (2,)]),
    "a bool": (lambda b: w if b else v, [(True,), (False,)]),
    "a text": (lambda name: {"w": w, "v": v}[name] * 1, [("w",), ("v",)]),
    "None": (lambda x: w * (2.0 if x is None else x), [(None,), (1.0,)]),
    "a list": (lambda xs: sum(w * x for x in xs), [([1.0, 2.0],), ([3, 4],), ([3, 0.5],)]),
    "a tuple": (lambda xs: w * xs[0] + v * xs[1], [((1.0, 2.0),), ((3, 4),)]),
    "a dictionary": (lambda d: w * d["x"] + v * d["y"][0], [({"x": 1.0, "y": [2.0]},)]),
    "nested lists": (lambda rows: sum(w * a * b for a, b in rows), [([[1.0, 2.0], [3.0, 4.0]],)]),
    "a matrix": (lambda m: sum(w * x for row in m for x in row), [(np.ones((2, 3)),)]),
    "a whole array": (lambda a: sum(w * x for x in a), [(np.arange(3),), (np.arange(3.0),)]),
    "a number of NumPy": (lambda x: w * x, [(np.float64(2.0),), (np.int64(2),)]),
    "a list of arrays": (lambda xs: w * xs[0].sum() + xs[1][0], [([np.ones(2), np.ones(3)],)]),
    "a value": (lambda a: a * a * w, [(v,), (w,), (Value(5.0),)]),
    "values in a list": (lambda xs: sum(a * w for a in xs), [([w, v],), ([v, v],), ([w, 1.0],)]),
    "a function": (lambda f: f(w) * 2, [(chainrule.tanh,), (chainrule.exp,)]),
    "several": (lambda x, ys, k: sum(w * x * y for y in ys[:k]), [(2.0, [1.0, 2.0, 3.0], 2)]),
    "none": (lambda: w * v, [()]),
}


@pytest.mark.parametrize("name", ARGUMENTS)
def test_arguments_of_all_kinds(name):
    """Value and gradients are those of the function, whatever it is given."""
    function, calls = ARGUMENTS[name]
    compiled = compile(function)
    for call in calls:
        ours, right = compiled(*call), function(*call)
        assert ours.data == near(right.data)
        assert gradients(ours, [w, v]) == near(gradients(right, [w, v]))


def test_keyword_arguments():
    """Arguments may go by name, have defaults, and be of any number."""

    def function(*xs, k=1.0, **others):
        return w * sum(xs) * k + others.get("z", 0.0)

    compiled = compile(function)
    for args, names in [
        ((2.0,), {}),
        ((2.0, 3.0), {"k": 3.0}),
        ((2.0,), {"z": 3.0}),
        ((2.0,), {"k": 2.0, "z": 3.0}),
        ((2.0,), {"z": 2.0, "k": 3.0}),
    ]:
        assert compiled(*args, **names).data == function(*args, **names).data


# ---- results ----


def test_results_of_all_shapes():
    """What a function returns comes back in the same form: values, data as floats, and the rest."""

    def function(x):
        return {"all": [w * x, (v, x * 2)], "none": None, "name": "relu", "count": 3}

    found = compile(function)(2.0)
    assert list(found) == ["all", "none", "name", "count"]
    assert found["all"][0].data == 6.0
    assert found["all"][1] == (v, 4.0)
    assert (found["none"], found["name"], found["count"]) == (None, "relu", 3)


def test_a_result_is_a_value():
    """It can be used, asked and drawn as any other, and knows what it depends on."""
    result = compile(lambda x: w * x + v)(2.0)
    assert (result.op, set(result.operands)) == ("compiled", {w, v})
    assert f"{result:.1f}" == "4.0"
    assert result * 2 > result
    assert result != v
    assert chainrule.grad((result * result).log(), [w, v]) == near([1.0, 0.5])
    assert "svg" in result._repr_svg_()


def test_gradients_of_many_results():
    """Each of several results has its own gradient, alone or with others."""
    compiled = compile(lambda xs: [w * x * x + v for x in xs])
    results = compiled([1.0, 2.0, 3.0])
    assert gradients(results[1], [w, v]) == [4.0, 1.0]
    assert gradients(sum(results), [w, v]) == [14.0, 3.0]


# ---- the compiled function ----


class Scale(Module):
    """A model with a compiled method, of one parameter."""

    def __init__(self, p):
        self.p = Value(p)

    @compile
    def __call__(self, x):
        return self.p * x

    @compile(verify=True)
    def squared(self, x):
        """Of this docstring the compiled method knows."""
        return (self.p * x) ** 2


def test_methods():
    """A method is compiled as a function is, and bound as one."""
    model, other = Scale(2.0), Scale(5.0)
    assert [m(3.0).data for m in (model, other, model)] == [6.0, 15.0, 6.0]
    assert model.squared(3.0).data == Scale.squared(model, 3.0).data == 36.0
    assert gradients(other(3.0), [model.p, other.p]) == [0.0, 3.0]


def test_objects_that_can_be_called():
    """So is a model, or anything else that can be called."""
    random.seed(0)
    model = MLP(2, [3, 1])
    assert compile(model)([1.0, 2.0]).data == near(model([1.0, 2.0]).data)
    assert compile(losses.mse)([w, v], [1.0, 0.0]).data == 4.0


def test_it_is_called_what_the_function_is():
    """Name, docstring and module are the function's; compiled twice it is compiled once."""
    compiled = Scale.squared
    assert compiled.__name__ == "squared"
    assert compiled.__doc__ == "Of this docstring the compiled method knows."
    assert compile(compiled) is compiled


def test_only_functions_are_compiled():
    """What cannot be called is refused."""
    with pytest.raises(ArgumentError, match=r"needs a function, not Value\(data=3\.0"):
        compile(w)


def test_verify(monkeypatch):
    """With `verify` a program that is off by a little is noticed: in a value and in a gradient."""
    compiled = compile(lambda x: [w * x, v * x, x], verify=True)
    assert compiled(2.0)[2] == 2.0
    program = compiled._latest
    right = program.runner.forward

    def wrong():
        right()
        program.runner.outputs[0][1] *= 1 + 1e-9

    monkeypatch.setattr(program.runner, "forward", wrong)
    with pytest.raises(TraceError, match=r"a value of the compiled function is -4\.00000000"):
        compiled(2.0)
    monkeypatch.undo()
    backward = program.runner.backward

    def bent():
        backward()
        program.runner.outputs[-1] *= 1 + 1e-9

    monkeypatch.setattr(program.runner, "backward", bent)
    with pytest.raises(TraceError, match=r"a gradient of the compiled function is 2\.00000000"):
        compiled(2.0)


def test_looking_at_a_program():
    """Program, source and explanation are those of the latest call."""
    compiled = compile(lambda xs: sum((w * x).tanh() for x in xs))
    compiled([0.1] * 20)
    assert "b2[20] = data" in str(compiled.program)
    assert "tanh(" in compiled.source
    compiled([0.1] * 30)
    assert "b2[30] = data" in str(compiled.program)
    explained = compiled.explain()
    for part in (
        " values became ",
        "30 tanh",
        "watched: `w` is of type Value",
        "programs kept: 2",
        "lift: ",
    ):
        assert part in explained


def test_guards_are_explained_with_their_lines():
    """Each decision that data took is listed, and how it went."""
    compiled = compile(lambda x: w * x if x > 1 else v * x)
    compiled(2.0)
    assert "guard: so at test_compiled.py:" in compiled.explain()
    compiled(0.0)
    assert "guard: not so at test_compiled.py:" in compiled.explain()


def test_clear():
    """After clear() there is no program, and the next call makes one."""
    compiled = compile(lambda x: w * x)
    first = compiled(2.0)
    compiled.clear()
    for look in (lambda: compiled.program, lambda: compiled.source, compiled.explain):
        with pytest.raises(TraceError, match="call it first"):
            look()
    assert gradients(first, [w]) == [2.0]
    assert compiled(4.0).data == 12.0


def test_one_program_serves_all_numbers():
    """Neither data nor parameters are part of the program, which is traced once."""
    compiled = compile(lambda xs: sum(w * x for x in xs))
    for k in range(5):
        assert compiled([float(k), 1.0]).data == near(w.data * (k + 1))
        w.data = 2.0 + k
    assert "programs kept: 1" in compiled.explain()
    w.data = 3.0


def test_nested():
    """A compiled function inside of another becomes part of its program."""
    inner = compile(lambda x: w * x)
    outer = compile(lambda x: inner(x) * inner(x + 1.0))
    assert gradients(outer(2.0), [w]) == [36.0]
    assert "programs kept: 1" in outer.explain()


# ---- steps of training ----


def network():
    """A small model, its points and labels."""
    random.seed(1)
    generator = np.random.default_rng(2)
    points = generator.normal(size=(20, 2))
    return MLP(2, [5, 1]), points, np.where(points[:, 0] * points[:, 1] > 0, 1, -1)


def trained(optimizer_of, steps, between=None, compiled=True):
    """Losses, parameters, gradients and the optimiser's state after some steps."""
    model, points, labels = network()

    def loss(points, labels):
        return losses.mse([model(x) for x in points], labels)

    optimizer = optimizer_of(model.parameters())
    step = train_step(loss, optimizer) if compiled else by_hand(loss, optimizer)
    found = []
    for k in range(steps):
        found.append(step(points, labels))
        if between is not None:
            between(optimizer, k)
    state = [x for x in optimizer.state_dict().values() if not isinstance(x, tuple)]
    numbers = [y for x in state for y in (x if isinstance(x, list) else [x])]
    return found, [p.data for p in optimizer.params], [p.grad for p in optimizer.params], numbers


def by_hand(loss, optimizer):
    """The step as it is written with the engine."""

    def step(*args):
        optimizer.zero_grad()
        result = loss(*args)
        result.backward()
        optimizer.step()
        return result.data

    return step


OPTIMIZERS = {
    "SGD": lambda ps: SGD(ps, lr=0.1),
    "momentum": lambda ps: SGD(ps, lr=0.05, momentum=0.9, dampening=0.1, weight_decay=0.01),
    "Nesterov": lambda ps: SGD(ps, lr=0.05, momentum=0.9, nesterov=True),
    "Adam": lambda ps: Adam(ps, lr=0.01, weight_decay=0.01),
    "AdamW": lambda ps: AdamW(ps, lr=0.01, weight_decay=0.1),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_steps_are_those_of_the_loop_by_hand(name):
    """Losses, parameters, gradients and state of the optimiser, step by step."""
    ours = trained(OPTIMIZERS[name], 12)
    right = trained(OPTIMIZERS[name], 12, compiled=False)
    for one, other in zip(ours, right, strict=True):
        assert one == pytest.approx(other, rel=1e-9, abs=1e-12)  # Adam divides by small numbers


def test_the_learning_rate_may_change():
    """Rates that are assigned, or moved by a schedule, are those of the next step."""

    def halved(optimizer, k):
        optimizer.lr = 0.1 / (k + 1)

    def scheduled(optimizer, k):  # noqa: ARG001
        schedules.setdefault(id(optimizer), CosineAnnealingLR(optimizer, T_max=5)).step()

    for between in (halved, scheduled):
        schedules = {}
        ours = trained(OPTIMIZERS["momentum"], 6, between)
        schedules = {}
        right = trained(OPTIMIZERS["momentum"], 6, between, compiled=False)
        assert ours[:2] == (near(right[0]), near(right[1]))


def test_steps_may_be_mixed():
    """Compiled steps and steps by hand go on from each other, by state_dict() too."""
    x, y = Value(1.0), Value(1.0)
    loss = lambda k: (x * k - 3.0) ** 2
    ours, right = Adam([x], lr=0.1), Adam([y], lr=0.1)
    compiled, hand = train_step(loss, ours), by_hand(loss, ours)
    reference = by_hand(lambda k: (y * k - 3.0) ** 2, right)
    for step in (compiled, hand, compiled, compiled, hand):
        assert step(2.0) == near(reference(2.0))
    kept = ours.state_dict()
    assert all(type(number) is float for number in kept["exp_avg"])
    other = Adam([x], lr=0.5)
    other.load_state_dict(kept)
    assert train_step(loss, other)(2.0) == near(reference(2.0))
    assert x.data == near(y.data)


def test_parameters_assigned_between_steps():
    """What is assigned to a parameter is seen, and its gradient is that of the step."""
    p = Value(1.0)
    step = train_step(lambda x: p * p * x, SGD([p], lr=0.5))
    assert step(1.0) == 1.0
    assert (p.data, p.grad) == (0.0, 2.0)
    p.data, p.grad = 3.0, 100.0
    assert step(2.0) == 18.0
    assert (p.data, p.grad) == (-3.0, 12.0)


def test_parameters_that_are_not_in_the_loss():
    """They get the gradient 0, and move by weight decay and momentum alone."""
    p, other = Value(1.0), Value(2.0)
    other.grad = 7.0
    step = train_step(lambda x: p * x, SGD([other, p], lr=0.5, weight_decay=0.5))
    assert step(4.0) == 4.0
    assert (other.data, other.grad) == (1.5, 0.0)
    assert (p.data, p.grad) == (-1.25, 4.0)
    assert train_step(lambda: other * 1, SGD([p], lr=0.5))() == 1.5
    assert (p.data, p.grad) == (-1.25, 0.0)


def test_a_loss_of_no_parameters():
    """A loss that depends on nothing moves nothing."""
    p = Value(1.0)
    step = train_step(lambda x: Value(x), SGD([p], lr=0.5))
    assert (step(4.0), step(5.0), p.data, p.grad) == (4.0, 5.0, 1.0, 0.0)


def test_values_that_are_no_parameters():
    """Their gradients add up, as backward() adds; they are not moved."""
    p, scale = Value(1.0), Value(2.0)
    step = train_step(lambda x: p * scale * x, SGD([p], lr=0.5))
    step(1.0)
    assert (scale.data, scale.grad, p.data) == (2.0, 1.0, 0.0)
    step(1.0)
    assert (scale.data, scale.grad) == (2.0, 1.0)


def test_values_that_were_computed_outside():
    """They pass their gradient on, also to parameters that the loss has besides."""
    p, q = Value(3.0), Value(2.0)
    product = p * q
    step = train_step(lambda x: product * x + p, SGD([p, q], lr=0.5))
    assert step(1.0) == 9.0
    assert (p.grad, q.grad) == (3.0, 3.0)
    assert (p.data, q.data) == (1.5, 0.5)


def test_values_as_arguments():
    """A value that is given may be a parameter, another at each step, or one captured as well."""
    p, q = Value(3.0), Value(2.0)
    step = train_step(lambda a, x: a * a * x, SGD([p, q], lr=0.5))
    step(p, 1.0)
    assert (p.data, q.data) == (0.0, 2.0)
    step(q, 1.0)
    assert (p.data, q.data, p.grad, q.grad) == (0.0, 0.0, 0.0, 4.0)
    p.data = 3.0
    both = train_step(lambda a: a * p, SGD([p, q], lr=0.5))
    both(p)
    assert (p.grad, p.data) == (6.0, 0.0)


def test_a_loss_that_is_a_parameter():
    """A loss need not be computed: it may be a parameter, captured or given."""
    p = Value(2.0)
    assert train_step(lambda: p, SGD([p], lr=0.5))() == 2.0
    assert train_step(lambda a: (a, a), SGD([p], lr=0.5))(p) == (1.5, 1.5)
    assert p.data == 1.0


def test_detect_anomaly_around_a_step():
    """Every op of a step is seen, also one whose nan goes nowhere."""
    p = Value(2.0)
    step = train_step(lambda x: (p * p * x, (p * x).log()), SGD([p], lr=0.25))
    assert step(1.0) == (4.0, pytest.approx(math.log(2.0)))
    with detect_anomaly():
        assert step(0.5) == (0.5, pytest.approx(math.log(0.5)))
        assert p.data == 0.75
        with pytest.raises(AnomalyError, match="log"):
            step(-1.0)


def test_a_loss_with_more_results():
    """What a loss returns besides comes as numbers, in its form."""
    p = Value(2.0)

    def loss(xs):
        scores = [p * x for x in xs]
        return sum(scores), scores, {"first": scores[0], "data": xs[1], "name": "sum"}

    step = train_step(compile(loss), SGD([p], lr=0.5))
    found = step([1.0, 2.0])
    assert found == (6.0, [2.0, 4.0], {"first": 2.0, "data": 2.0, "name": "sum"})
    assert (p.data, p.grad) == (0.5, 3.0)


def test_what_is_no_loss():
    """A loss is a value, or a tuple that begins with one; an optimiser is one of ours."""
    p = Value(2.0)
    for result in (1.0, None, "loss", [p], (1.0, p)):
        with pytest.raises(ArgumentError, match="the loss must be a value"):
            train_step(lambda: result, SGD([p]))()  # noqa: B023
    with pytest.raises(ArgumentError, match="an optimiser"):
        train_step(lambda: p, [p])


def test_a_loss_that_is_not_finite():
    """The error names op and line; parameters and optimiser are as they were."""
    p, q = Value(2.0), Value(1.0)
    optimizer = SGD([p, q], lr=0.5, momentum=0.9)
    step = train_step(lambda x: (p * x).log() * q, optimizer)
    step(1.0)
    before = p.data, q.data, p.grad, q.grad, optimizer.state_dict()
    with pytest.raises(AnomalyError, match=r"log\(-.*\) gave nan at test_compiled\.py:\d+"):
        step(-1.0)
    assert (p.data, q.data, p.grad, q.grad, optimizer.state_dict()) == before
    assert math.isfinite(step(1.0))


def test_a_gradient_that_is_not_finite():
    """So too where only the gradient is infinite."""
    p = Value(0.0)
    optimizer = SGD([p], lr=0.5)
    with pytest.raises(AnomalyError, match=r"sqrt.*at test_compiled\.py:\d+"):
        train_step(lambda: p.sqrt(), optimizer)()
    assert (p.data, optimizer.steps) == (0.0, 0)


def test_an_update_that_is_not_finite():
    """An update to infinity leaves the parameters as they were, and tells what made it."""
    p, q = Value(1e200), Value(1.0)
    step = train_step(lambda: p * 1e100 + q, SGD([q, p], lr=1e300))
    with pytest.raises(TrainingError, match=r"a parameter -inf, which is 1e\+200: its gradient is"):
        step()
    assert (p.data, q.data) == (1e200, 1.0)


def test_an_optimiser_of_ones_own():
    """A rule of one's own is applied to all parameters at once; a step of one's own is refused."""

    class Signs(SGD):
        def _moved(self, i, x, gradient):  # noqa: ARG002
            return x - self.lr * (gradient > 0)

    class Clipped(SGD):
        def step(self):
            for p in self.params:
                p.grad = min(p.grad, 1.0)
            super().step()

    p, q = Value(3.0), Value(2.0)
    train_step(lambda: p * p - q, Signs([p, q], lr=0.5))()
    assert (p.data, q.data) == (2.5, 2.0)
    with pytest.raises(ArgumentError, match=r"step\(\)"):
        train_step(lambda: p * p, Clipped([p]))


def test_a_result_does_not_tell_its_roundings():
    """The condition of a compiled result is refused, and so are its second derivatives."""
    result = compile(lambda x: w * x * v)(2.0)
    with pytest.raises(ArgumentError, match="does not tell its roundings"):
        chainrule.condition(result)
    with pytest.raises(ArgumentError, match="first derivatives only"):
        chainrule.grad(result, w, create_graph=True)


def test_numpy_may_load_random_numbers_late():
    """NumPy loads its generator, and with it Python's, when it is first asked: nobody drew then."""
    program = """
import sys, numpy
from chainrule import Value, compile
assert "random" not in sys.modules
print(compile(lambda x: Value(2.0) * x)(3.0).data)
"""
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("6.0\n", "")
