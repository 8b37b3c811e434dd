"""Optimisers and schedules: 200 steps beside torch.optim, resuming, and what is refused."""

import inspect
import itertools
import json
import math
import random

import pytest

from chainrule import Value
from chainrule.errors import ArgumentError, ChainruleError, StateError
from chainrule.losses import binary_cross_entropy, l2
from chainrule.nn import MLP
from chainrule.optim import SGD, Adam, AdamW, CosineAnnealingLR, LinearLR

START = [-1.2, 1.0, -0.5, 0.8]

OPTIMIZERS = {
    "plain": ("SGD", {"lr": 2e-3}),
    "momentum": ("SGD", {"lr": 1e-3, "momentum": 0.9}),
    "dampening": ("SGD", {"lr": 2e-3, "momentum": 0.9, "dampening": 0.4}),
    "nesterov": ("SGD", {"lr": 1e-3, "momentum": 0.9, "nesterov": True}),
    "decay": ("SGD", {"lr": 1e-3, "momentum": 0.8, "weight_decay": 0.1}),
    "everything": ("SGD", {"lr": 1e-3, "momentum": 0.8, "weight_decay": 0.1, "nesterov": True}),
    "adam": ("Adam", {"lr": 0.03}),
    # At 0.03 this one circles the minimum chaotically: a start moved by one ulp ends 2e-5 away.
    "adam-betas": ("Adam", {"lr": 0.01, "betas": (0.4, 0.95), "eps": 1e-3}),
    "adam-decay": ("Adam", {"lr": 0.03, "weight_decay": 0.1}),
    "adamw": ("AdamW", {"lr": 0.03}),
    "adamw-decay": ("AdamW", {"lr": 0.03, "weight_decay": 0.3}),
}

SCHEDULES = {
    "none": (),
    "linear": (("LinearLR", {"start_factor": 0.2, "end_factor": 0.9, "total_iters": 120}),),
    "falling": (("LinearLR", {"start_factor": 1.0, "end_factor": 0.0, "total_iters": 150}),),
    "cosine": (("CosineAnnealingLR", {"T_max": 200}),),
    "waves": (("CosineAnnealingLR", {"T_max": 30, "eta_min": 1e-4}),),
    "both": (("LinearLR", {}), ("CosineAnnealingLR", {"T_max": 50})),
    "both, reversed": (("CosineAnnealingLR", {"T_max": 50}), ("LinearLR", {})),
}

OURS = {
    "SGD": SGD,
    "Adam": Adam,
    "AdamW": AdamW,
    "LinearLR": LinearLR,
    "CosineAnnealingLR": CosineAnnealingLR,
}

optimizers = pytest.mark.parametrize("optimizer", OPTIMIZERS)
schedules = pytest.mark.parametrize("schedule", SCHEDULES)


def valley(x):
    """A curved valley in four dimensions, after Rosenbrock; of values or of tensors."""
    terms = [(1 - a) ** 2 + 5 * (b - a * a) ** 2 for a, b in itertools.pairwise(x)]
    return terms[0] + terms[1] + terms[2] + x[0] * x[3]


class Run:
    """An optimiser and its schedules at work in the valley, from ours or from torch's classes."""

    def __init__(self, optimizer, schedule, params, classes):
        name, options = OPTIMIZERS[optimizer]
        self.params = params
        self.optimizer = classes(name)(params, **options)
        self.schedules = [classes(name)(self.optimizer, **o) for name, o in SCHEDULES[schedule]]

    def step(self):
        self.optimizer.zero_grad()
        valley(self.params).backward()
        self.optimizer.step()
        for schedule in self.schedules:
            schedule.step()

    def steps(self, n):
        """The trajectory: where the parameters are after each step."""
        trajectory = []
        for _ in range(n):
            self.step()
            trajectory.append([p.item() for p in self.params])
        return trajectory


def our_run(optimizer, schedule, start=START):
    return Run(optimizer, schedule, [Value(x) for x in start], OURS.get)


def torch_run(optimizer, schedule):
    torch = pytest.importorskip("torch")
    params = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in START]
    classes = {**vars(torch.optim), **vars(torch.optim.lr_scheduler)}
    return Run(optimizer, schedule, params, classes.get)


# ---- against PyTorch ----


@optimizers
@schedules
def test_200_steps_are_pytorchs(optimizer, schedule):
    """The trajectory agrees with torch.optim's within 1e-10 at every step."""
    theirs = torch_run(optimizer, schedule).steps(200)
    ours = our_run(optimizer, schedule).steps(200)
    assert math.dist(theirs[-1], START) > 0.1
    for here, there in zip(ours, theirs, strict=True):
        assert here == pytest.approx(there, rel=0, abs=1e-10)


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "none"])
def test_learning_rates_are_pytorchs(schedule):
    """The rate agrees from the first step to far behind the schedule's end."""
    ours, theirs = our_run("plain", schedule), torch_run("plain", schedule)
    for _ in range(260):
        assert ours.optimizer.lr == pytest.approx(theirs.optimizer.param_groups[0]["lr"], rel=1e-12)
        ours.step()
        theirs.step()


@pytest.mark.parametrize("schedule", ["linear", "waves"])
def test_a_rate_assigned_in_between_is_scaled_from_there_on(schedule):
    """Assigning lr beside a schedule has the effect that it has in PyTorch."""
    ours, theirs = our_run("plain", schedule), torch_run("plain", schedule)
    ours.steps(10)
    theirs.steps(10)
    ours.optimizer.lr = theirs.optimizer.param_groups[0]["lr"] = 5e-4
    assert ours.steps(50)[-1] == pytest.approx(theirs.steps(50)[-1], rel=0, abs=1e-10)
    assert ours.optimizer.lr == pytest.approx(theirs.optimizer.param_groups[0]["lr"], rel=1e-12)


def test_a_network_trains_as_in_pytorch():
    """200 steps of Adam on a small network of both, with the same weights and data."""
    torch = pytest.importorskip("torch")
    rows = [[math.sin(i), math.cos(2.3 * i)] for i in range(6)]
    labels = [i % 2 for i in range(6)]
    random.seed(4)
    model = MLP(2, [3, 1], activation="tanh")
    linears = [torch.nn.Linear(2, 3).double(), torch.nn.Linear(3, 1).double()]
    for layer, linear in zip(model.layers, linears):
        numbers = [[wi.data for wi in neuron.w] for neuron in layer.neurons]
        linear.weight.data = torch.tensor(numbers, dtype=torch.float64)
        linear.bias.data.zero_()
    theirs = torch.nn.Sequential(linears[0], torch.nn.Tanh(), linears[1])
    x, y = torch.tensor(rows, dtype=torch.float64), torch.tensor(labels, dtype=torch.float64)
    ours_at_work = Adam(model.parameters(), lr=0.05)
    theirs_at_work = torch.optim.Adam(theirs.parameters(), lr=0.05)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits
    for _ in range(200):
        ours_at_work.zero_grad()
        theirs_at_work.zero_grad()
        loss = binary_cross_entropy([model(row) for row in rows], labels)
        loss = loss + l2(model.parameters(), weight=1e-3)
        penalty = 1e-3 * sum((p * p).sum() for p in theirs.parameters())
        expected = entropy(theirs(x)[:, 0], y) + penalty
        assert loss.data == pytest.approx(expected.item(), rel=0, abs=1e-10)
        loss.backward()
        expected.backward()
        ours_at_work.step()
        theirs_at_work.step()
    assert loss.data < 0.3  # it started near log(2)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("SGD", {"lr": -0.1}),
        ("SGD", {"momentum": -0.9}),
        ("SGD", {"weight_decay": -1e-4}),
        ("SGD", {"nesterov": True}),
        ("SGD", {"nesterov": True, "momentum": 0.9, "dampening": 0.1}),
        ("Adam", {"lr": -0.1}),
        ("Adam", {"lr": math.nan}),
        ("Adam", {"betas": (1.0, 0.9)}),
        ("Adam", {"betas": (0.9, -0.1)}),
        ("Adam", {"eps": -1e-8}),
        ("Adam", {"weight_decay": -0.1}),
        ("AdamW", {"weight_decay": -0.1}),
    ],
)
def test_what_pytorch_refuses_is_refused(name, options):
    """Numbers out of range are a ValueError in both."""
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"Invalid|Nesterov|factor expected"):
        getattr(torch.optim, name)([torch.zeros(1)], **options)
    with pytest.raises(ArgumentError):
        OURS[name]([Value(0.0)], **options)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("LinearLR", {"start_factor": 0.0}),
        ("LinearLR", {"start_factor": 1.5}),
        ("LinearLR", {"end_factor": -0.1}),
        ("LinearLR", {"end_factor": 1.1}),
    ],
)
def test_schedules_that_pytorch_refuses_are_refused(name, options):
    """Factors out of range are a ValueError in both, and leave the rate as it was."""
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"Invalid|Nesterov|factor expected"):
        getattr(torch.optim.lr_scheduler, name)(torch.optim.SGD([torch.zeros(1)]), **options)
    optimizer = SGD([Value(0.0)], lr=0.1)
    with pytest.raises(ArgumentError):
        OURS[name](optimizer, **options)
    assert optimizer.lr == 0.1


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW"])
def test_arguments_have_pytorchs_names_order_and_defaults(name):
    """What we take is what PyTorch takes, in its order, with its defaults."""
    torch = pytest.importorskip("torch")
    theirs = inspect.signature(getattr(torch.optim, name)).parameters
    ours = inspect.signature(OURS[name]).parameters
    assert list(ours) == list(theirs)[: len(ours)]
    for argument in list(ours)[1:]:
        assert ours[argument].default == theirs[argument].default


# ---- closed forms ----


def test_plain_descent_subtracts_lr_times_gradient():
    """One step from 3 on x * x, whose gradient there is 6."""
    x = Value(3.0)
    optimizer = SGD([x], lr=0.5)
    (x * x).backward()
    optimizer.step()
    assert x.data == 3.0 - 0.5 * 6.0


def test_zero_grad_resets_gradients():
    """Without it gradients of several backward passes add up."""
    x = Value(3.0)
    optimizer = SGD([x], lr=0.5)
    (x * x).backward()
    (x * x).backward()
    assert x.grad == 12.0
    optimizer.zero_grad()
    assert x.grad == 0.0


def test_the_lectures_rate_is_a_linear_schedule():
    """The demo's 1.0 - 0.9 * k / 100 is LinearLR from 1 to 0.1 over 100 steps."""
    optimizer = SGD([Value(0.0)], lr=1.0)
    schedule = LinearLR(optimizer, start_factor=1.0, end_factor=0.1, total_iters=100)
    for k in range(100):
        assert optimizer.lr == pytest.approx(1.0 - 0.9 * k / 100, rel=1e-13)
        schedule.step()


def test_adam_without_eps_divides_zero_by_zero_as_floats_do():
    """A gradient of 0 with eps=0 gives nan and no exception."""
    x = Value(1.0)
    Adam([x], eps=0.0).step()
    assert math.isnan(x.data)


# ---- states ----


@optimizers
@schedules
def test_a_run_is_resumed_bit_for_bit(optimizer, schedule):
    """States that went through JSON, loaded in either order, continue as if nothing had been."""
    run = our_run(optimizer, schedule)
    run.steps(17)
    saved = json.dumps([run.optimizer.state_dict(), *[s.state_dict() for s in run.schedules]])
    resumed = [our_run(optimizer, schedule, [p.data for p in run.params]) for _ in range(2)]
    for other, backwards in zip(resumed, [False, True]):
        parts = list(zip([other.optimizer, *other.schedules], json.loads(saved), strict=True))
        for part, state in reversed(parts) if backwards else parts:
            part.load_state_dict(state)
    going_on = run.steps(60)
    assert resumed[0].steps(60) == going_on
    assert resumed[1].steps(60) == going_on


def test_a_state_is_a_copy():
    """Later steps do not change a state, nor does a state that was loaded follow them."""
    run = our_run("momentum", "none")
    state = run.optimizer.state_dict()
    run.optimizer.load_state_dict(state)
    before = json.dumps(state)
    run.steps(3)
    assert json.dumps(state) == before
    assert state["momentum_buffer"] == [0.0] * 4


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda state: state.pop("exp_avg"), "missing: exp_avg"),
        (lambda state: state.update(momentum=0.9), "unknown: momentum"),
        (lambda state: state.update(lr="0.1"), "of a wrong kind: lr"),
        (lambda state: state.update(exp_avg=[0.0]), "of a wrong kind: exp_avg"),
        (lambda state: state.update(exp_avg=3.0), "of a wrong kind: exp_avg"),
        (lambda state: state.update(exp_avg=[0.0, 0.0, 0.0, "0"]), "of a wrong kind: exp_avg"),
    ],
)
def test_a_state_that_does_not_fit_loads_nothing(change, told):
    """A state of another optimiser, or of other parameters, is refused as a whole."""
    optimizer = our_run("adam", "none").optimizer
    before = optimizer.state_dict()
    state = {**before, "lr": 9.0, "steps": 9}
    change(state)
    with pytest.raises(StateError) as caught:
        optimizer.load_state_dict(state)
    assert str(caught.value).endswith(told)
    assert optimizer.state_dict() == before


def test_a_schedules_state_that_does_not_fit_loads_nothing():
    """The state of another kind of schedule is refused, and the rate stays."""
    linear, cosine = our_run("plain", "linear"), our_run("plain", "cosine")
    lr = linear.optimizer.lr
    with pytest.raises(StateError, match=r"missing: start_factor.*unknown: T_max"):
        linear.schedules[0].load_state_dict(cosine.schedules[0].state_dict())
    assert linear.optimizer.lr == lr


# ---- what is refused ----


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: SGD([]), "there are no parameters"),
        (lambda: SGD(MLP(1, [1])), "a list such as model.parameters() is needed, not MLP of"),
        (lambda: SGD([1.0]), "not 1.0"),
        (lambda: SGD([Value(1.0) * 2]), "a value that was not computed"),
        (lambda: SGD([Value(1.0)] * 2), "listed twice"),
        (lambda: SGD([Value(1.0)], lr="0.1"), "lr must be a number from 0 up, not '0.1'"),
        (lambda: SGD([Value(1.0)], nesterov=True), "nesterov needs a momentum above 0"),
        (lambda: Adam([Value(1.0)], betas=(0.9,)), "the number of betas must be 2, not 1"),
        (lambda: Adam([Value(1.0)], betas=(0.9, 1)), "a beta must be from 0 to below 1, not 1"),
        (lambda: CosineAnnealingLR(SGD([Value(1.0)]), 0), "T_max must be a whole number from 1 up"),
        (lambda: CosineAnnealingLR(SGD([Value(1.0)]), 2.5), "not 2.5"),
        (lambda: CosineAnnealingLR(SGD([Value(1.0)]), 5, math.inf), "eta_min must be a finite"),
        (lambda: LinearLR(SGD([Value(1.0)]), total_iters=-1), "total_iters must be a whole number"),
    ],
)
def test_what_cannot_be_meant_is_refused(call, message):
    """The message gives what was seen and what would be right."""
    with pytest.raises(ChainruleError) as caught:
        call()
    assert message in str(caught.value)
