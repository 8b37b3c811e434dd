"""A gradient step of examples/gpt.py, compiled, eager, and in PyTorch: python -m bench.compile_gpt

One name a step, another at each: forward pass, backward pass and Adam, in float64. The example's
scalars are compiled, and run as they stand; beside them the same network as a module of PyTorch,
all positions at once. They take turns, each in a process of its own and with one thread.
"""

from __future__ import annotations

import importlib.util
import itertools
import pathlib
import random
import sys
from typing import Any

import chainrule
from bench._common import target
from bench._turns import Engine, Run, ratio, show, take_turns
from chainrule.optim import Adam

FILE = pathlib.Path(__file__).parent.parent / "examples" / "gpt.py"
LENGTHS, COUNT = (3, 6, 11), 20
LR, BETAS = 0.01, (0.85, 0.99)


def example(length: int) -> tuple[Any, Any, list[list[int]]]:
    """The example's module, its model from one seed, and the tokens of names of one length."""
    spec = importlib.util.spec_from_file_location("gpt", FILE)
    assert spec is not None
    assert spec.loader is not None
    gpt = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(gpt)
    items = gpt.NAMES.read_text(encoding="utf-8").split()
    alphabet = gpt.Alphabet(items)
    names = [item for item in items if len(item) == length]
    random.seed(1)
    model = gpt.GPT(alphabet.edge + 1)
    return gpt, model, [alphabet.tokens(name) for name in random.sample(names, COUNT)]


def compiled(length: int) -> Run:
    """The example's loss and optimiser as one call."""
    gpt, model, names = example(length)
    optimizer = Adam(model.parameters(), lr=LR, betas=BETAS)
    step = chainrule.train_step(lambda tokens: gpt.loss(model, tokens), optimizer)
    order = itertools.cycle(names)
    return lambda steps: [step(next(order)) for _ in range(steps)]


def eager(length: int) -> Run:
    """The example as it stands."""
    gpt, model, names = example(length)
    optimizer = Adam(model.parameters(), lr=LR, betas=BETAS)

    order = itertools.cycle(names)

    def step() -> float:
        loss = gpt.loss(model, next(order))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.data

    return lambda steps: [step() for _ in range(steps)]


def pytorch(length: int) -> Run:
    """The same network as a module, with PyTorch's own attention and its fused Adam."""
    import torch

    torch.set_num_threads(1)
    gpt, scalars, names = example(length)
    model = _module(gpt, scalars)
    optimizer = torch.optim.Adam(model.parameters(), lr=LR, betas=BETAS, fused=True)
    pairs = [(torch.tensor(name[:-1]), torch.tensor(name[1:])) for name in names]
    order = itertools.cycle(pairs)

    def step() -> Any:
        inputs, targets = next(order)
        loss = torch.nn.functional.cross_entropy(model(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return lambda steps: [step() for _ in range(steps)]


def _module(gpt: Any, scalars: Any) -> Any:
    """A module of PyTorch with the numbers of the example's model."""
    import torch
    from torch.nn.functional import embedding, linear, scaled_dot_product_attention

    class GPT(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for name, rows in vars(scalars).items():
                numbers = torch.tensor([[p.data for p in row] for row in rows], dtype=torch.float64)
                self.register_parameter(name, torch.nn.Parameter(numbers))

        def forward(self, tokens: Any) -> Any:
            x = normed(embedding(tokens, self.tokens) + self.positions[: len(tokens)])
            x = x + linear(self.attention(normed(x)), self.out)
            x = x + linear(linear(normed(x), self.widen).relu(), self.narrow)
            return linear(x, self.scores)

        def attention(self, x: Any) -> Any:
            heads = [
                linear(x, weights).view(1, len(x), gpt.HEADS, -1).transpose(1, 2)
                for weights in (self.query, self.key, self.value)
            ]
            found = scaled_dot_product_attention(*heads, is_causal=True)
            return found.transpose(1, 2).reshape(len(x), gpt.WIDTH)

    def normed(x: Any) -> Any:
        return x * (x.square().mean(dim=-1, keepdim=True) + 1e-5).rsqrt()

    return GPT()


ENGINES = [
    Engine("chainrule compiled", "chainrule", compiled),
    Engine("PyTorch eager", "torch", pytorch),
    Engine("chainrule eager", "chainrule", eager),
]


def main() -> None:
    """Measure short names, longer ones and long ones."""
    print(f"Python {sys.version.split()[0]}, chainrule.native is {chainrule.native}")
    for length in LENGTHS:
        print(f"{COUNT} names of {length} letters in turn, {length + 1} positions")
        ours, theirs, _ = results = take_turns(ENGINES, length)
        show(results)
        faster = ratio(theirs, ours)
        target("times as fast as PyTorch", "at least 3", f"{faster:.1f}", faster >= 3.0)


if __name__ == "__main__":
    main()
