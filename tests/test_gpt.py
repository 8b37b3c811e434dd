"""examples/gpt.py: the network is the one that PyTorch computes, it learns, and it lifts."""

from __future__ import annotations

import importlib.util
import math
import pathlib
import random
import statistics

import pytest

import chainrule
from chainrule import lift
from chainrule.compiler.program import Given, Sum

FILE = pathlib.Path(__file__).parent.parent / "examples" / "gpt.py"


@pytest.fixture(scope="module")
def gpt():
    """The example as a module."""
    spec = importlib.util.spec_from_file_location("gpt", FILE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def model(gpt):
    random.seed(1)
    return gpt.GPT(27)


@pytest.fixture(scope="module")
def alphabet(gpt):
    return gpt.Alphabet(gpt.NAMES.read_text(encoding="utf-8").split())


def test_names_are_tokens_between_two_edges(alphabet):
    """26 letters and one edge; an item longer than the context is cut."""
    assert (len(alphabet.characters), alphabet.edge) == (26, 26)
    assert alphabet.tokens("abz") == [26, 0, 1, 25, 26]
    assert len(alphabet.tokens("a" * 40)) == 17


def in_pytorch(torch, gpt, model, tokens):
    """The loss of the same network with PyTorch's tensors, all positions at once."""
    parameters = {}

    def tensor(name):
        matrix = [[p.data for p in row] for row in getattr(model, name)]
        parameters[name] = torch.tensor(matrix, dtype=torch.float64, requires_grad=True)
        return parameters[name]

    def normed(x):
        return x / torch.sqrt((x * x).mean(dim=1, keepdim=True) + 1e-5)

    count = len(tokens) - 1
    x = normed(tensor("tokens")[tokens[:-1]] + tensor("positions")[:count])
    inner = normed(x)
    query, key, value = (inner @ tensor(name).T for name in ("query", "key", "value"))
    late = torch.triu(torch.ones(count, count, dtype=torch.bool), diagonal=1)
    heads = []
    for start in range(0, gpt.WIDTH, gpt.WIDTH // gpt.HEADS):
        head = slice(start, start + gpt.WIDTH // gpt.HEADS)
        fits = query[:, head] @ key[:, head].T / math.sqrt(gpt.WIDTH // gpt.HEADS)
        heads.append(torch.softmax(fits.masked_fill(late, -math.inf), dim=1) @ value[:, head])
    x = x + torch.cat(heads, dim=1) @ tensor("out").T
    x = x + torch.relu(normed(x) @ tensor("widen").T) @ tensor("narrow").T
    loss = torch.nn.functional.cross_entropy(x @ tensor("scores").T, torch.tensor(tokens[1:]))
    loss.backward()
    return loss.item(), {name: p.grad.tolist() for name, p in parameters.items()}


def test_loss_and_gradients_are_pytorchs(gpt, model, alphabet):
    """The loop over characters, with kept keys and values, is the parallel transformer."""
    torch = pytest.importorskip("torch")
    tokens = alphabet.tokens("olivia")
    right, gradients = in_pytorch(torch, gpt, model, tokens)
    loss = gpt.loss(model, tokens)
    loss.backward()
    assert loss.data == pytest.approx(right, rel=1e-13)
    for name, rows in gradients.items():
        for row, expected in zip(getattr(model, name), rows):
            assert [p.grad for p in row] == pytest.approx(expected, rel=1e-9, abs=1e-15)


def test_it_learns(gpt, model, alphabet, capsys):
    """Untrained it foresees about as well as chance, log 27; some forty names later better."""
    names = gpt.NAMES.read_text(encoding="utf-8").split()
    random.shuffle(names)
    losses = gpt.train(model, alphabet, names, steps=40)
    assert losses[0] == pytest.approx(math.log(27), abs=0.5)  # of one name, and random weights
    assert statistics.mean(losses[-10:]) < 0.9 * math.log(27)
    assert "step    40 of 40" in capsys.readouterr().out


def test_compiled_and_eager_steps_lose_the_same(gpt, alphabet):
    """Over ten names of several lengths, some of which come again, both ways give one loss."""
    pytest.importorskip("numpy")
    names, found = ["ava", "emma", "mia", "otto", "eve"], []
    for eager in (True, False):
        random.seed(1)
        found.append(gpt.train(gpt.GPT(27), alphabet, names, steps=10, eager=eager))
    assert found[1] == pytest.approx(found[0], rel=1e-9)


def test_samples_are_made_of_the_alphabet(gpt, model, alphabet):
    """What is sampled fits the context, and is drawn anew from the seed."""
    random.seed(3)
    first = [gpt.sample(model, alphabet) for _ in range(3)]
    random.seed(3)
    assert [gpt.sample(model, alphabet) for _ in range(3)] == first
    assert all(len(name) <= gpt.CONTEXT and set(name) <= set(alphabet.characters) for name in first)


def test_the_loss_lifts_to_the_same_instructions_for_every_name(gpt, model, alphabet):
    """Some 50,000 values become 40 instructions, however long the name, with the same loss and
    gradients as the engine's."""
    pytest.importorskip("numpy")
    counts = set()
    for name in ("emma", "olivia", "christopher"):
        loss = gpt.loss(model, alphabet.tokens(name))
        loss.backward()
        right = [p.grad for p in model.parameters()]
        model.zero_grad()
        lifted = lift(loss)
        assert lifted.backward() == pytest.approx(loss.data, rel=1e-13)
        assert [p.grad for p in model.parameters()] == pytest.approx(right, rel=1e-9, abs=1e-15)
        model.zero_grad()
        counts.add(len(lifted.program))
    assert counts == {40}


def test_a_compiled_loss_is_at_most_forty_instructions(gpt, model, alphabet):
    """The tokens are data, so a program serves all names of a length; of each matrix of the
    network there is one product over all positions, query, key and value together."""
    pytest.importorskip("numpy")
    loss = chainrule.compile(gpt.loss)
    counts = {}
    for name in ("ab", "abc", "emma", "olivia", "christopher"):
        tokens = alphabet.tokens(name)
        right = gpt.loss(model, tokens).data
        assert loss(model, tokens).data == pytest.approx(right, rel=1e-13)
        forward = loss.program.instructions[: loss.program.forward]
        assert widths_of_layers(forward, positions=len(tokens) - 1) == [16, 16, 27, 48, 64]
        counts[name] = sum(not isinstance(made, Given) for made in forward)
    assert max(counts.values()) <= 40
    assert counts["emma"] == counts["olivia"] == counts["christopher"]


def widths_of_layers(instructions, positions):
    """How many numbers each product of parameters with something else gives at a position."""
    parts = [part for made in instructions if type(made) is Sum for _, part in made.parts]
    return sorted(
        math.prod(part.dims[: part.kept]) // positions
        for part in parts
        if part.kept < len(part.dims) and sorted(view.block == 0 for view in part.factors) == [0, 1]
    )
