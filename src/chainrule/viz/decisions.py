"""What a model says where in the plane of two features, now and at moments of its training."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from chainrule.viz.plane import SIZE, decisions
from chainrule.viz.regions import Plane, Regions, around, regions

if TYPE_CHECKING:
    from chainrule.datasets import Dataset
    from chainrule.training import Setup

_MOMENTS = 20  # that are kept, at most
_PATIENCE = 10.0  # seconds that their drawing may take


class Decisions:
    """The decisions of a model that is trained; `of_training` makes them where there are some.

    Of a moment the parameters are kept, which costs next to nothing while training goes on. What
    they made the model say is computed when it is to be seen.
    """

    def __init__(self, setup: Setup, plane: Plane, dataset: Dataset | None) -> None:
        self._setup = setup
        self._plane = plane
        self._grid = plane.grid()
        self._parameters = setup.model.parameters()
        self._wanted = spread(setup.history.steps)
        self._kept: dict[int, list[float]] = {}
        self._class_names = class_names(setup, dataset)
        self._feature_names = feature_names(setup, dataset)

    def reach(self, updates: int, keep: bool) -> None:
        """Keep the moment after so many updates, if told to or if it is one of those to be kept."""
        if keep or updates in self._wanted:
            self._kept[updates] = [p.data for p in self._parameters]

    def now(self) -> Regions:
        """What the model says where."""
        return regions(self._setup.scores(self._grid), SIZE)

    def moments(self) -> list[tuple[int, Regions]]:
        """What it said at the moments that were kept, each after so many updates.

        If that would take long there are fewer of them; the last is always there.
        """
        updates = sorted(self._kept, reverse=True)
        self.now()  # the first time takes longer: what computes scores is compiled
        started = time.perf_counter()
        last = self._moment(updates[0])
        every = 1 + int((time.perf_counter() - started) * len(updates) / _PATIENCE)
        return [*[self._moment(k) for k in reversed(updates[every::every])], last]

    def chart(self, moments: list[str]) -> tuple[list[str], float]:
        """The plane with some moments and the examples, and its height."""
        features, targets = self._setup.train
        points = [(list(map(float, x)), max(int(t), 0)) for x, t in zip(features, targets)]
        return decisions(self._plane, moments, points, self._class_names, self._feature_names)

    def _moment(self, updates: int) -> tuple[int, Regions]:
        now = [p.data for p in self._parameters]
        self._set(self._kept[updates])
        try:
            return updates, self.now()
        finally:
            self._set(now)

    def _set(self, numbers: list[float]) -> None:
        for p, number in zip(self._parameters, numbers):
            p.data = number


def of_training(setup: Setup, dataset: Dataset | None) -> Decisions | None:
    """The decisions of a training, if it is of classes and there are two features."""
    features = setup.train.features
    if setup.history.task == "regression" or len(features[0]) != 2:
        return None
    plane = around(features)
    if not all(math.isfinite(high - low) for low, high in (plane.across, plane.up)):
        return None
    try:
        setup.scores(plane.grid()[:1])
    except TypeError:  # its features are places in a list, and there is nothing between them
        return None
    return Decisions(setup, plane, dataset)


def feature_names(setup: Setup, dataset: Dataset | None) -> list[str]:
    """The names of the features, or x1, x2 and so on."""
    if dataset is not None:
        return list(dataset.feature_names)
    return [f"x{i + 1}" for i in range(len(setup.train.features[0]))]


def class_names(setup: Setup, dataset: Dataset | None) -> list[str]:
    """The names of the classes, or their numbers; none in a regression."""
    if dataset is not None:
        return list(dataset.class_names)
    if setup.history.task == "regression":
        return []
    (given,) = setup.scores(setup.train.features[:1])
    return [str(k) for k in range(len(given) if isinstance(given, list) else 2)]


def spread(steps: int) -> set[int]:
    """Numbers of updates from 0 to all, each larger than the last by about the same factor.

    >>> sorted(spread(100))
    [0, 1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28, 36, 46, 60, 77, 100]
    """
    return {0, *[round(steps ** (i / (_MOMENTS - 2))) for i in range(_MOMENTS - 1)]}
