"""A small GPT whose every number is a value: it reads names, and then makes some up.

    python examples/gpt.py [--steps 1000] [--seed 1] [--eager] [FILE]

FILE is any text of one item a line; without it, examples/data/names.txt: first names from public
birth records of the United States. The model is a transformer of one layer: width 16, four heads, a
context of 16 characters, RMSNorm, ReLU, no biases. It sees one name a step, one character after
the other, and keeps the keys and values of those before, as in inference.

Each length of name is traced once, and from then on a step is an array program that has all
positions at once; with --eager each step builds its expression value by value. The losses are the
same.
"""

from __future__ import annotations

import argparse
import pathlib
import random

from chainrule import Value, dot, lookup, mean, no_grad, softmax, train_step
from chainrule.losses import cross_entropy
from chainrule.nn import Module
from chainrule.optim import Adam, LinearLR

NAMES = pathlib.Path(__file__).parent / "data" / "names.txt"
WIDTH, HEADS, CONTEXT = 16, 4, 16


class GPT(Module):
    """Scores of the next token, from the tokens so far.

    Args:
        vocabulary: how many tokens there are.
    """

    def __init__(self, vocabulary: int) -> None:
        self.tokens = matrix(vocabulary, WIDTH)
        self.positions = matrix(CONTEXT, WIDTH)
        self.query, self.key, self.value, self.out = (matrix(WIDTH, WIDTH) for _ in range(4))
        self.widen, self.narrow = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        self.scores = matrix(vocabulary, WIDTH)

    def __call__(
        self, token: int, keys: list[list[Value]], values: list[list[Value]]
    ) -> list[Value]:
        """The scores after one more token; its key and value join those of the tokens before."""
        here = self.positions[len(keys)]
        x = normed([t + p for t, p in zip(lookup(self.tokens)[token], here)])
        x = added(x, linear(self.out, self.attention(normed(x), keys, values)))
        hidden = [h.relu() for h in linear(self.widen, normed(x))]
        return linear(self.scores, added(x, linear(self.narrow, hidden)))

    def attention(
        self, x: list[Value], keys: list[list[Value]], values: list[list[Value]]
    ) -> list[Value]:
        """Of each head, the values of all tokens so far, weighted by how their keys fit."""
        query = linear(self.query, x)
        keys.append(linear(self.key, x))
        values.append(linear(self.value, x))
        size = WIDTH // HEADS
        found = []
        for start in range(0, WIDTH, size):
            head = slice(start, start + size)
            weights = softmax([dot(query[head], key[head]) / size**0.5 for key in keys])
            found += [dot(weights, column) for column in zip(*[value[head] for value in values])]
        return found


def matrix(rows: int, columns: int) -> list[list[Value]]:
    """Parameters, normally distributed about 0."""
    return [[Value(random.gauss(0.0, 0.08)) for _ in range(columns)] for _ in range(rows)]


def linear(weights: list[list[Value]], x: list[Value]) -> list[Value]:
    """The product of a matrix and a vector."""
    return [dot(row, x) for row in weights]


def normed(x: list[Value]) -> list[Value]:
    """x over the root of the mean of its squares (RMSNorm)."""
    scale = (mean([xi * xi for xi in x]) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def added(x: list[Value], y: list[Value]) -> list[Value]:
    """The sum of two vectors: what a layer found is added to what it was given."""
    return [xi + yi for xi, yi in zip(x, y)]


class Alphabet:
    """Characters as tokens; one more, the last, stands for the beginning and the end."""

    def __init__(self, items: list[str]) -> None:
        self.characters = sorted(set("".join(items)))
        self.edge = len(self.characters)

    def tokens(self, item: str) -> list[int]:
        """An item as tokens between two edges, cut to the context."""
        inner = [self.characters.index(character) for character in item]
        return [self.edge, *inner, self.edge][: CONTEXT + 1]


def loss(model: GPT, tokens: list[int]) -> Value:
    """How badly each token was foreseen from those before it: the mean cross entropy."""
    keys: list[list[Value]] = []
    values: list[list[Value]] = []
    scores = [model(token, keys, values) for token in tokens[:-1]]
    return cross_entropy(scores, tokens[1:])


def sample(model: GPT, alphabet: Alphabet, temperature: float = 0.5) -> str:
    """An item that the model makes up, character by character."""
    keys: list[list[Value]] = []
    values: list[list[Value]] = []
    token, made = alphabet.edge, ""
    with no_grad():
        while len(keys) < CONTEXT:
            scores = model(token, keys, values)
            weights = [p.data for p in softmax([score / temperature for score in scores])]
            (token,) = random.choices(range(len(weights)), weights)
            if token == alphabet.edge:
                break
            made += alphabet.characters[token]
    return made


def train(
    model: GPT, alphabet: Alphabet, items: list[str], steps: int, eager: bool = False
) -> list[float]:
    """One item a step, with Adam and a learning rate that falls to 0; the losses are returned."""
    optimizer = Adam(model.parameters(), lr=0.01, betas=(0.85, 0.99))
    schedule = LinearLR(optimizer, start_factor=1.0, end_factor=0.0, total_iters=steps)
    compiled = train_step(loss, optimizer)
    losses = []
    for step in range(steps):
        tokens = alphabet.tokens(items[step % len(items)])
        if eager:
            found = loss(model, tokens)
            optimizer.zero_grad()
            found.backward()
            optimizer.step()
            losses.append(found.data)
        else:
            losses.append(compiled(model, tokens))
        schedule.step()
        if step % max(1, steps // 20) == 0 or step + 1 == steps:
            print(f"step {step + 1:5} of {steps}: loss {losses[-1]:.4f}")
    return losses


def main() -> None:
    """Train on a file, then print twenty items that are made up."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", nargs="?", default=NAMES, type=pathlib.Path)
    parser.add_argument("--steps", default=1000, type=int)
    parser.add_argument("--seed", default=1, type=int)
    parser.add_argument("--eager", action="store_true")
    options = parser.parse_args()
    random.seed(options.seed)
    items = options.file.read_text(encoding="utf-8").split("\n")
    items = [item.strip() for item in items if item.strip()]
    random.shuffle(items)
    alphabet = Alphabet(items)
    model = GPT(len(alphabet.characters) + 1)
    print(
        f"{len(items):,} items, {alphabet.edge + 1} tokens, {len(model.parameters()):,} parameters"
    )
    train(model, alphabet, items, options.steps, options.eager)
    for _ in range(20):
        print(sample(model, alphabet))


if __name__ == "__main__":
    main()
