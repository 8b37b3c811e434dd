"""Exercises of chapter 12."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from chainrule import Value, dot, softmax
from chainrule.course.judging import Exercise, Wrong

Vector = Sequence[Any]
Attention = Callable[[Vector, Sequence[Vector], Sequence[Vector]], Any]


def _attention(
    scaled: Callable[[int], float] = lambda size: size**0.5,
    weigh: Callable[[list[Any]], list[Any]] = softmax,
) -> Attention:
    """Attention with other weights than it should have."""

    def attention(query: Vector, keys: Sequence[Vector], values: Sequence[Vector]) -> list[Any]:
        weights = weigh([dot(query, key) / scaled(len(query)) for key in keys])
        return [dot(weights, column) for column in zip(*values)]

    return attention


def _weights_alone(query: Vector, keys: Sequence[Vector], values: Sequence[Vector]) -> list[Any]:
    return softmax([dot(query, key) / len(query) ** 0.5 for key in keys][: len(values)])


def _likeliest_alone(scores: list[Any]) -> list[float]:
    best = max(score.data for score in scores)
    return [float(score.data == best) for score in scores]


def _chances(*scores: float) -> list[float]:
    total = math.fsum(map(math.exp, scores))
    return [math.exp(score) / total for score in scores]


_THREE = """\
query = [Value(1.0), Value(-0.5), Value(2.0), Value(0.0)]
keys = [[1.0, 0.0, 0.5, 3.0], [-1.0, 2.0, 0.0, 1.0], [0.5, 0.5, 1.0, -1.0]]
values = [[1.0, 0.0, 2.0, -1.0], [0.0, 3.0, 1.0, 0.5], [-2.0, 1.0, 0.0, 4.0]]
"""


EXERCISES = {
    "12.1": Exercise(
        right=math.log(27),
        because="-log(1/27) = log(27), about 3.3.",
        wrong=[
            Wrong(-math.log(27), "The logarithm of 1/27 is negative, and surprise is minus that."),
            Wrong(math.log(26), "The edge is a token, too: there are 27."),
            Wrong(math.log2(27), "That is in bits, with the logarithm to base 2. Use math.log."),
            Wrong(
                math.log10(27), "That is the logarithm to base 10. Use the natural one, math.log."
            ),
            Wrong(1 / 27, "That is the probability. The surprise is minus its logarithm."),
            Wrong(
                26 / 27,
                "That is how likely it is wrong. The surprise is -log of how likely it is right.",
            ),
            Wrong(27.0, "The probability is 1/27. The surprise is minus its logarithm."),
        ],
        otherwise="-math.log(1 / 27).",
    ),
    "12.2": Exercise(
        name="attention",
        right=_attention(),
        because="Six symbols in a formula, and the heart of all large language models.",
        wrong=[
            Wrong(
                _attention(scaled=lambda size: 1.0),
                "The dot products are to be divided by the square root of the query's length.",
            ),
            Wrong(
                _attention(scaled=lambda size: float(size)),
                "Divide by the square root of the query's length, not by the length.",
            ),
            Wrong(
                _attention(weigh=lambda scores: scores),
                "The softmax is missing: weights are positive, and add up to 1.",
            ),
            Wrong(
                _attention(weigh=_likeliest_alone),
                "Only the best is taken, which leaves no slope to learn by; softmax takes all.",
            ),
            Wrong(
                lambda query, keys, values: _attention()(query, keys, keys),
                "That mixes the keys. They serve to find; what is mixed are the values.",
            ),
            Wrong(
                lambda query, keys, values: _attention()(query, values, values),
                "The query is compared with the keys, not with the values.",
            ),
            Wrong(
                _weights_alone,
                "Those are the weights. With them the values are to be mixed.",
            ),
            Wrong(
                lambda query, keys, values: dot(
                    _weights_alone(query, keys, values), [sum(value) for value in values]
                ),
                "All is added up to one number. The result is as long as a value is.",
            ),
        ],
        otherwise="Weights: softmax of dot(query, key) / √length; with them, the sum of values.",
        programs=[f"{_THREE}attention(query, keys, values)"],
        names={"Value": Value},
        within=1e-6,
    ),
    "12.3": Exercise(
        right=_chances(4.0, 2.0, 0.0),
        because="Colder than 1, and the differences grow: at 1 it would be 0.67, 0.24, 0.09.",
        wrong=[
            Wrong(_chances(2.0, 1.0, 0.0), "That is at a temperature of 1."),
            Wrong(
                _chances(1.0, 0.5, 0.0),
                "You multiplied by the temperature. Divided by 0.5, scores double.",
            ),
            Wrong([2 / 3, 1 / 3, 0.0], "Softmax takes exp of each score before it divides."),
            Wrong(
                [math.exp(4), math.exp(2), 1.0],
                "These are exp of each. Divide by their sum, so that they add up to 1.",
            ),
            Wrong(
                [2 * p for p in _chances(2.0, 1.0, 0.0)],
                "The scores are divided by the temperature, not the probabilities, which no longer "
                "add up to 1.",
            ),
            Wrong(
                [1.0, 0.0, 0.0],
                "That is at temperature 0, where the best always wins. 0.5 is not that cold.",
            ),
        ],
        otherwise="exp(4), exp(2) and exp(0), each over the sum of the three.",
    ),
}
