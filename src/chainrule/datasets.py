"""Data to train on: four that are drawn here, with two features, and five of scikit-learn's.

Nothing is downloaded, and a seed decides everything that is random.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from chainrule.arguments import check_choice, check_range
from chainrule.errors import missing_extra

try:
    import numpy as np
    from sklearn import datasets as sklearn_datasets  # type: ignore[import-untyped]
    from sklearn.model_selection import train_test_split  # type: ignore[import-untyped]
except ImportError:
    raise missing_extra("scikit-learn", "train", "a data set") from None

SEED = 1337  # the lecture's, whose moons and whose first parameters it gives
_DRAWN = 100
_HELD_OUT = 0.2


class Examples(NamedTuple):
    """What a network is given and what it should say, a row and a target for each example."""

    features: list[list[float]]
    targets: list[float] | list[int]


@dataclass(frozen=True, slots=True)
class Dataset:
    """Examples to train on, and others, held out, to see what was learned.

    Attributes:
        name: what `load` calls it.
        task: "regression", "binary" or "multiclass".
        train: the examples to train on.
        test: the held-out ones.
        feature_names: one for each number in a row of features.
        class_names: one for each class, the first for target 0; none in a regression.
        target_mean: what was taken from the targets of a regression, in their own unit,
        target_std: and what they were then divided by; 0 and 1 if they were left alone.
    """

    name: str
    task: str
    train: Examples
    test: Examples
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...] = ()
    target_mean: float = 0.0
    target_std: float = 1.0

    @property
    def outputs(self) -> int:
        """How many scores a network has to give for an example."""
        return len(self.class_names) if self.task == "multiclass" else 1


def load(name: str, seed: int = SEED) -> Dataset:
    """The data set of that name, ready to train on.

    Features have mean 0 and standard deviation 1 over the examples to train on. Those of the
    drawn sets are left as they are, and the pixels of the digits, from 0 to 16, are brought to
    0 to 1. A fifth of scikit-learn's examples is held out, with the same share of each class;
    of the drawn sets there are 100 examples to train on and 100 held-out ones. The moons to
    train on are those of micrograd's demo with that seed.

    Raises:
        ArgumentError: there is no such data set, or the seed is not a whole number that NumPy
            takes.
        MissingExtraError: scikit-learn is not installed.

    >>> moons = load("moons")
    >>> len(moons.train.features), len(moons.test.features), moons.task
    (100, 100, 'binary')
    """
    check_choice("data set", name, list(DATASETS))
    largest = 2**32 - 2  # the held-out examples of the drawn sets take the next one
    check_range(
        "a seed",
        seed,
        lambda s: hasattr(s, "__index__") and 0 <= s <= largest,
        f"a whole number from 0 to {largest}",
    )
    return DATASETS[name](name, seed)


# ---- drawn: two features, two classes ----


def _moons(seed: int) -> Any:
    return sklearn_datasets.make_moons(n_samples=_DRAWN, noise=0.1, random_state=seed)


def _circles(seed: int) -> Any:
    return sklearn_datasets.make_circles(n_samples=_DRAWN, noise=0.1, factor=0.4, random_state=seed)


def _spiral(seed: int) -> Any:
    """Two arms, each of one turn and a quarter, half a turn apart."""
    random = np.random.RandomState(seed)
    targets = np.arange(_DRAWN) % 2
    radius = np.sqrt(random.uniform(0.02, 1.0, _DRAWN))
    angle = 2.5 * np.pi * radius + np.pi * targets
    points = radius * np.array([np.cos(angle), np.sin(angle)])
    return points.T + random.normal(scale=0.02, size=(_DRAWN, 2)), targets


def _xor(seed: int) -> Any:
    """Points of a square; class 1 where the two coordinates have different signs."""
    points = np.random.RandomState(seed).uniform(-1.0, 1.0, (_DRAWN, 2))
    return points, (points[:, 0] * points[:, 1] < 0).astype(int)


def _drawn(make: Callable[[int], Any]) -> Callable[[str, int], Dataset]:
    def load_drawn(name: str, seed: int) -> Dataset:
        train, test = _examples(*make(seed)), _examples(*make(seed + 1))
        return Dataset(name, "binary", train, test, ("x1", "x2"), ("0", "1"))

    return load_drawn


# ---- from scikit-learn ----


def _classes(name: str, seed: int) -> Dataset:
    bunch = getattr(sklearn_datasets, f"load_{name}")()
    X, X_test, y, y_test = train_test_split(  # noqa: N806 - scikit-learn's names
        bunch.data, bunch.target, test_size=_HELD_OUT, stratify=bunch.target, random_state=seed
    )
    mean, std = (0.0, 16.0) if name == "digits" else _moments(X)
    class_names = tuple(map(str, bunch.target_names))
    return Dataset(
        name,
        "binary" if len(class_names) == 2 else "multiclass",
        _examples((X - mean) / std, y),
        _examples((X_test - mean) / std, y_test),
        tuple(map(str, bunch.feature_names)),
        class_names,
    )


def _numbers(name: str, seed: int) -> Dataset:
    bunch = getattr(sklearn_datasets, f"load_{name}")()
    X, X_test, y, y_test = train_test_split(  # noqa: N806 - scikit-learn's names
        bunch.data, bunch.target, test_size=_HELD_OUT, random_state=seed
    )
    mean, std = _moments(X)
    target_mean, target_std = map(float, _moments(y))
    return Dataset(
        name,
        "regression",
        _examples((X - mean) / std, (y - target_mean) / target_std),
        _examples((X_test - mean) / std, (y_test - target_mean) / target_std),
        tuple(map(str, bunch.feature_names)),
        target_mean=target_mean,
        target_std=target_std,
    )


def _moments(numbers: Any) -> Any:
    return numbers.mean(axis=0), numbers.std(axis=0)


def _examples(features: Any, targets: Any) -> Examples:
    """Arrays as lists of Python's own numbers, on which scalars compute fastest."""
    return Examples(features.tolist(), targets.tolist())


DATASETS: dict[str, Callable[[str, int], Dataset]] = {
    "moons": _drawn(_moons),
    "circles": _drawn(_circles),
    "spiral": _drawn(_spiral),
    "xor": _drawn(_xor),
    "iris": _classes,
    "wine": _classes,
    "breast_cancer": _classes,
    "digits": _classes,
    "diabetes": _numbers,
}
