"""Exercises of chapter 9."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.course.judging import Exercise, Wrong


def _share(is_right: Callable[[float, float], bool]) -> Callable[..., float]:
    """The share of examples that a judgement calls right."""

    def share_right(scores: Sequence[float], targets: Sequence[float]) -> float:
        return sum(is_right(s, t) for s, t in zip(scores, targets)) / len(scores)

    return share_right


def _same_side(score: float, target: float) -> bool:
    return score * target > 0


def _batches(examples: list[Any], size: int) -> list[list[Any]]:
    return _cut(random.sample(examples, len(examples)), size)


def _cut(examples: list[Any], size: int) -> list[list[Any]]:
    return [examples[i : i + size] for i in range(0, len(examples), size)]


def _drawn_anew(examples: list[Any], size: int) -> list[list[Any]]:
    """Each batch is right, but nobody minds what the others hold."""
    return [random.sample(examples, len(batch)) for batch in _cut(examples, size)]


def _in_place(examples: list[Any], size: int) -> list[list[Any]]:
    random.shuffle(examples)
    return _cut(examples, size)


_HUNDRED = "examples = list(range(100))\nfound = batches(examples, 8)\n"

EXERCISES = {
    "9.1": Exercise(
        right=0.4,
        because="0, 0.7 and 0.5: the first is beyond 1, and costs nothing.",
        wrong=[
            Wrong(1.2, "That is the sum; the loss is the mean over the three."),
            Wrong(
                0.2 / 3,
                "The first gives 1 - 2 = -1, and relu makes 0 of it: being sure is no merit that "
                "makes up for others.",
            ),
            Wrong(0.0, "All three are on the right side, but the hinge asks for a margin of 1."),
            Wrong(
                2.2 / 3,
                "For the last, target times score is -1 * -0.5 = 0.5, so it costs 0.5, not 1.5.",
            ),
            Wrong(0.74 / 3, "No squares here: the hinge grows in proportion."),
            Wrong(0.6, "The mean is over three examples; the one that costs nothing counts, too."),
        ],
        otherwise="relu(1 - 2.0), relu(1 - 0.3) and relu(1 - 0.5), and their mean.",
    ),
    "9.2": Exercise(
        name="share_right",
        right=_share(_same_side),
        because="It is no loss to descend: flat nearly everywhere, it has no slope to follow.",
        wrong=[
            Wrong(
                lambda scores, targets: len(scores) * _share(_same_side)(scores, targets),
                "That is how many are right. A share of all is asked for.",
            ),
            Wrong(
                lambda scores, targets: 100 * _share(_same_side)(scores, targets),
                "A share is between 0 and 1; that is in percent.",
            ),
            Wrong(
                _share(lambda s, t: s == t),
                "A score need not equal the target, only be on its side of 0.",
            ),
            Wrong(
                _share(lambda s, t: s * t > 1),
                "A score is right if it is on the right side of 0; the margin of 1 is the loss's.",
            ),
            Wrong(
                _share(lambda s, t: s * t < 0),
                "That is the share of the wrong ones.",
            ),
            Wrong(
                _share(lambda s, t: s > 0),
                "That is how often the network says 1. Compare with the target.",
            ),
            Wrong(
                _share(lambda s, t: (s > 0.5) == (t > 0.5)),
                "The sides meet at 0, not at 0.5: scores are no probabilities.",
            ),
        ],
        otherwise="Is score * target positive? Count these pairs, and divide by the number of all.",
        programs=[
            "share_right([2.0, -0.3, 0.2, -0.5], [1, 1, 1, -1])",
            "share_right([0.1, -7.0, 0.4, -0.2, 3.0], [1, -1, 1, 1, -1])",
        ],
        within=1e-6,
    ),
    "9.3": Exercise(
        name="batches",
        right=_batches,
        because="Going once through all of them is called an epoch.",
        wrong=[
            Wrong(
                _drawn_anew,
                "Some examples come several times, and others never: shuffle once, then cut.",
            ),
            Wrong(_cut, "They are in the old order: shuffle first."),
            Wrong(
                lambda examples, size: _cut(_batches(examples, 1), size),
                "Each example is in a list of its own within its batch.",
            ),
            Wrong(
                lambda examples, size: _batches(examples, size)[:-1],
                "The last, shorter batch is missing.",
            ),
            Wrong(
                lambda examples, size: _batches(examples, size)[0],
                "That is one batch. All of them are asked for, as a list.",
            ),
            Wrong(
                lambda examples, size: _batches(examples, len(examples) // size),
                "`size` is how many examples are in a batch, not how many batches there are.",
            ),
            Wrong(
                _in_place,
                "The caller's list comes back shuffled: random.shuffle changes it. Take "
                "random.sample, which makes a copy.",
            ),
        ],
        otherwise="Shuffle a copy, and cut it into slices of `size`.",
        programs=[
            f"{_HUNDRED}[len(batch) for batch in found]",
            f"{_HUNDRED}isinstance(found[0][0], int)",
            f"{_HUNDRED}sorted(x for batch in found for x in batch) == list(range(100))",
            f"{_HUNDRED}[x for batch in found for x in batch] == list(range(100))",
            f"{_HUNDRED}examples == list(range(100))",
        ],
    ),
}
