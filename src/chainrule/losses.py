"""Losses: one value that says how far predictions are from targets, the mean over examples.

The numbers are those of PyTorch's functions of the same names. Scores are what a network gives
before any probability is made of them; they may be as large as they like.
"""

from __future__ import annotations

import operator
from numbers import Real

from chainrule.arguments import check_count, check_range
from chainrule.compiler.trace import Datum, lookup
from chainrule.engine import Value
from chainrule.errors import ArgumentError
from chainrule.ops import equal, exp, expm1, greatest, less_equal, log, log1p, mean, relu, sum

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any


def mse(predictions: Iterable[Any], targets: Iterable[Any]) -> Any:
    """The mean squared error, for regression.

    Args:
        predictions: a value for each example.
        targets: a number or value for each example.

    Returns:
        mean((prediction - target)**2), PyTorch's `mse_loss`.

    Raises:
        ArgumentError: there are no examples, or not one target for each.

    >>> mse([Value(1.0), Value(2.0)], [1.0, 4.0]).data
    2.0
    """
    return mean((p - t) ** 2 for p, t in _pairs(predictions, targets))


def hinge(scores: Iterable[Any], targets: Iterable[Any]) -> Any:
    """The max-margin loss, for two classes: a score should be beyond 1 on its target's side.

    Args:
        scores: a value for each example.
        targets: 1 or -1 for each example.

    Returns:
        mean(relu(1 - target * score)).

    Raises:
        ArgumentError: there are no examples, not one target for each, or another target.

    >>> hinge([Value(0.5), Value(-3.0)], [1, -1]).data
    0.25
    """
    pairs = _pairs(scores, targets)
    for _, t in pairs:
        _check_target(t, lambda t: equal(t, -1) + equal(t, 1), "-1 or 1")
    return mean(relu(1 - t * s) for s, t in pairs)


def cross_entropy(scores: Iterable[Sequence[Any]], targets: Iterable[int]) -> Any:
    """How unlikely the right classes are, for any number of classes.

    Args:
        scores: for each example a list of values, one for each class: the logarithms of the
            classes' probabilities, but for a term that they share.
        targets: for each example the number of its class, counted from 0.

    Returns:
        mean(logsumexp(scores) - scores[target]), PyTorch's `cross_entropy`.

    Raises:
        ArgumentError: there are no examples, not one target for each, or no such class.

    >>> scores = [Value(0.0), Value(3.0), Value(-2.0), Value(1.0)]
    >>> print(f"{cross_entropy([scores], [3]):.12f}")
    2.175515362617
    """
    return mean(_unlikelihood(s, t) for s, t in _pairs(scores, targets))


def binary_cross_entropy(logits: Iterable[Any], targets: Iterable[Any]) -> Any:
    """How unlikely the right answers are, for two classes.

    Args:
        logits: a value for each example, whose sigmoid is the probability of class 1.
        targets: for each example 0 or 1, or the probability of 1 that would be right.

    Returns:
        mean(-target * log(p) - (1 - target) * log(1 - p)) where p = sigmoid(logit), PyTorch's
        `binary_cross_entropy_with_logits`.

    Raises:
        ArgumentError: there are no examples, not one target for each, or another target.

    >>> binary_cross_entropy([Value(0.0), Value(1000.0)], [1, 0]).data
    500.34657359027995
    """
    pairs = _pairs(logits, targets)
    for _, t in pairs:
        _check_target(t, lambda t: less_equal(0, t) * less_equal(t, 1), "from 0 to 1")
    return mean((1 - t) * x - _log_sigmoid(x) for x, t in pairs)


def l2(parameters: Iterable[Any], weight: float) -> Any:
    """The penalty on large parameters that is added to a loss.

    Args:
        parameters: the values to be kept small.
        weight: how much that matters, beside the loss.

    Returns:
        weight * sum(parameter**2).

    >>> l2([Value(3.0), Value(-4.0)], weight=0.01).data
    0.25
    """
    return weight * sum(p * p for p in parameters)


def _pairs(predictions: Iterable[Any], targets: Iterable[Any]) -> list[tuple[Any, Any]]:
    for given in (predictions, targets):
        if not hasattr(given, "__iter__"):
            raise ArgumentError(f"a list is needed, with an entry for each example, not {given!r}")
    predictions, targets = list(predictions), list(targets)
    check_count("targets", targets, len(predictions))
    return list(zip(predictions, targets))


def _check_target(target: Any, fits: Callable[[Any], Any], right: str) -> None:
    """Refuse a wrong number; what is no plain number, but computes as one, passes.

    Data of a function that is being traced are refused by one guard that all right ones pass.
    """
    number = target.data if type(target) is Value else target
    if type(number) is Datum:
        if not fits(number):
            raise ArgumentError(f"a target must be {right}")
    elif isinstance(number, Real):
        check_range("a target", number, fits, right)


def _unlikelihood(scores: Sequence[Any], target: int) -> Any:
    """-log(softmax(scores)[target]), where the softmax itself may be too small for a float."""
    if not hasattr(scores, "__iter__"):
        raise ArgumentError(f"a list is needed, with a score for each class, not {scores!r}")
    scores = list(scores)
    right = lookup(scores)[_class(target, len(scores))]
    peak = greatest(scores)
    return log(sum(exp(score - peak) for score in scores)) - (right - peak)


def _class(target: Any, classes: int) -> Any:
    if type(target) is Datum:  # of a function that is being traced
        return target
    try:
        number = operator.index(target)
    except TypeError:
        raise ArgumentError(f"a class is a whole number, such as 0, not {target!r}") from None
    if not 0 <= number < classes:
        raise ArgumentError(f"the scores are of classes 0 to {classes - 1}, not {number}")
    return number


def _log_sigmoid(x: Any) -> Any:
    """log(1 / (1 + exp(-x))), to full precision on both sides and smooth where they meet.

    The greater of the exponents 0 and -x is taken out, as in logsumexp; expm1 and log1p keep
    what exp(-x) adds to 1, however little.
    """
    peak = greatest([-x, 0.0])
    return -(log1p(expm1(-peak) + exp(-x - peak)) + peak)
