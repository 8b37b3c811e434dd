"""Networks of scalars as scikit-learn's estimators: for its pipelines, searches and clusters."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any, Self

from chainrule import losses
from chainrule.arguments import check_range
from chainrule.errors import ArgumentError, missing_extra
from chainrule.nn import MLP
from chainrule.objectives import LossFunction, weighted
from chainrule.optim import Adam
from chainrule.steps import Examples, Scores, Steps, steps_for

try:
    import numpy as np
    from sklearn.base import (  # type: ignore[import-untyped]
        BaseEstimator,
        ClassifierMixin,
        RegressorMixin,
    )
    from sklearn.utils import check_random_state, column_or_1d  # type: ignore[import-untyped]
    from sklearn.utils.class_weight import compute_class_weight  # type: ignore[import-untyped]
    from sklearn.utils.multiclass import (  # type: ignore[import-untyped]
        check_classification_targets,
    )
    from sklearn.utils.validation import (  # type: ignore[import-untyped]
        check_is_fitted,
        validate_data,
    )
except ImportError:
    raise missing_extra("scikit-learn", "train", "chainrule.sklearn") from None

_PROGRAMS = ("_steps", "_scores")  # not pickled: they are made anew where they are needed


class _ScalarMLP(BaseEstimator):  # type: ignore[misc]
    """What both estimators have in common: a network, and its training to convergence.

    Each epoch sees all examples once, in batches and in an order drawn anew; training ends when
    the mean loss of an epoch has not fallen by `tol` for `patience` epochs.
    """

    _loss: Callable[[Any, Any], Any]

    def __init__(
        self,
        hidden: Sequence[int] = (16,),
        *,
        activation: str = "relu",
        lr: float = 0.005,
        batch: int = 32,
        epochs: int = 200,
        tol: float = 1e-4,
        patience: int = 10,
        l2: float = 0.005,
        random_state: Any = None,
    ) -> None:
        self.hidden = hidden
        self.activation = activation
        self.lr = lr
        self.batch = batch
        self.epochs = epochs
        self.tol = tol
        self.patience = patience
        self.l2 = l2
        self.random_state = random_state

    def _begin(self, features: int, outputs: int) -> None:
        """A network with its first parameters, and what moves them."""
        from_one = lambda n: hasattr(n, "__index__") and n > 0
        for name in ("batch", "epochs", "patience"):
            check_range(name, getattr(self, name), from_one, "a whole number from 1 up")
        self._random = check_random_state(self.random_state)
        self.model_ = MLP(features, [*self.hidden, outputs], activation=self.activation)
        _draw_parameters(self.model_, self._random)
        self._optimizer = Adam(self.model_.parameters(), lr=self.lr)
        self.loss_curve_: list[float] = []
        self._steps: Steps | None = None
        self._scores: Scores | None = Scores(self.model_)

    def _train(self, rows: Any, targets: Any) -> Self:
        """Epochs to convergence."""
        best, since = math.inf, 0
        for _ in range(self.epochs):
            loss = self._epoch(rows, targets)
            since = 0 if loss < best - self.tol else since + 1
            best = min(best, loss)
            if since == self.patience:
                break
        return self

    def _epoch(self, rows: Any, targets: Any) -> float:
        """All examples in batches of one size, some twice where it does not divide them."""
        order = self._random.permutation(len(rows))
        size = min(self.batch, len(rows))
        batches = np.resize(order, (math.ceil(len(rows) / size), size))
        found = [self._step(Examples(rows[batch], targets[batch])) for batch in batches]
        self.loss_curve_.append(math.fsum(found) / len(found))
        return self.loss_curve_[-1]

    def _step(self, examples: Examples) -> float:
        if self._steps is None:
            self._steps = steps_for(
                self.model_, self._loss, self.l2, self._optimizer, examples, eager=False
            )
        loss, _ = self._steps.evaluate(examples)
        self._steps.update()
        return loss

    def _outputs(self, X: Any) -> Any:  # noqa: N803 - scikit-learn's name
        """What the network gives for each row, of shape (n,) or (n, classes)."""
        check_is_fitted(self)
        scores = self._scores or Scores(self.model_)
        return np.array(scores(validate_data(self, X, reset=False, dtype=float)))

    def __getstate__(self) -> dict[str, Any]:
        state: dict[str, Any] = dict(super().__getstate__())
        return state | {name: None for name in _PROGRAMS if name in state}


def _draw_parameters(model: MLP, random: Any) -> None:
    """Weights uniform within the bound of Glorot and Bengio (2010), which keeps variances alike."""
    for layer in model.layers:
        bound = math.sqrt(6.0 / (len(layer.neurons[0].w) + len(layer.neurons)))
        weights = list(itertools.chain.from_iterable(neuron.w for neuron in layer.neurons))
        for weight, number in zip(weights, random.uniform(-bound, bound, len(weights)).tolist()):
            weight.data = number


class ScalarMLPClassifier(ClassifierMixin, _ScalarMLP):  # type: ignore[misc]
    """A network that tells classes apart, of one score for two and one for each of more.

    Args:
        hidden: how many neurons each hidden layer has.
        activation: the op of the hidden layers.
        lr: the learning rate of Adam.
        batch: how many examples a step sees.
        epochs: how often all examples are seen, at most.
        tol: by how much the mean loss of an epoch must fall to count as smaller.
        patience: after how many epochs without a smaller loss training ends.
        l2: the weight of the sum of squares of all parameters that is added to the loss.
        class_weight: a weight for each class, or "balanced", as scikit-learn has it; by the first
            part where `partial_fit` is used.
        random_state: decides first parameters and batches, as scikit-learn has it.

    Attributes:
        classes_: the classes, in order.
        model_: the network, an `MLP`.
        loss_curve_: the mean loss of each epoch.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], ["low", "low", "high", "high"]
    >>> ScalarMLPClassifier(random_state=0).fit(X, y).predict([[-1.0], [4.0]]).tolist()
    ['low', 'high']
    """

    # All parameters once more: scikit-learn reads their names off this signature.
    def __init__(
        self,
        hidden: Sequence[int] = (16,),
        *,
        activation: str = "relu",
        lr: float = 0.005,
        batch: int = 32,
        epochs: int = 200,
        tol: float = 1e-4,
        patience: int = 10,
        l2: float = 0.005,
        class_weight: Any = None,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            hidden,
            activation=activation,
            lr=lr,
            batch=batch,
            epochs=epochs,
            tol=tol,
            patience=patience,
            l2=l2,
            random_state=random_state,
        )
        self.class_weight = class_weight

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Train anew on rows X, of shape (n, features), and their n classes."""
        X, y = self._checked(X, y, reset=True)  # noqa: N806
        return self._begin_classes(X, y, y)._train(X, self._places(y))

    def partial_fit(self, X: Any, y: Any, classes: Any = None) -> Self:  # noqa: N803
        """Go on for one epoch of these examples; the first call is told all classes."""
        begun = hasattr(self, "model_")
        X, y = self._checked(X, y, reset=not begun)  # noqa: N806
        if not begun:
            if classes is None:
                raise ArgumentError("the first call of partial_fit needs all classes: classes=...")
            self._begin_classes(X, classes, y)
        self._epoch(X, self._places(y))
        return self

    def decision_function(self, X: Any) -> Any:  # noqa: N803
        """The scores: (n,) for two classes, positive for the second; (n, classes) for more."""
        return self._outputs(X)

    def predict_proba(self, X: Any) -> Any:  # noqa: N803
        """How likely each class is, of shape (n, classes)."""
        scores = self._outputs(X)
        if scores.ndim == 1:
            scores = np.stack([np.zeros_like(scores), scores], axis=1)
        powers = np.exp(scores - scores.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The likeliest class of each row."""
        places = self.predict_proba(X).argmax(axis=1)
        return self.classes_[places]

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:  # noqa: N803
        X, y = validate_data(self, X, y, dtype=float, reset=reset)  # noqa: N806
        check_classification_targets(y)
        return X, y

    def _begin_classes(self, rows: Any, classes: Any, y: Any) -> Self:
        self.classes_ = np.unique(classes)
        count = len(self.classes_)
        if count < 2:
            raise ArgumentError(f"two classes at least are needed, not the one class {classes[0]}")
        self._weights = None
        if self.class_weight is not None:
            weights = compute_class_weight(self.class_weight, classes=self.classes_, y=y)
            self._weights = weights.tolist()
        self._begin(rows.shape[1], 1 if count == 2 else count)
        return self

    def _places(self, y: Any) -> Any:
        """The number of each class."""
        unknown = np.setdiff1d(y, self.classes_)
        if unknown.size:
            raise ArgumentError(f"class {unknown[0]} is none of {self.classes_}")
        return np.searchsorted(self.classes_, y)

    @property
    def _loss(self) -> LossFunction:  # type: ignore[override]
        """Of scores and the numbers of classes; a function that does not know the estimator."""
        two = len(self.classes_) == 2
        loss: LossFunction = losses.binary_cross_entropy if two else losses.cross_entropy
        if self._weights is None:
            return loss
        return weighted(loss, "binary" if two else "multiclass", self._weights)


class ScalarMLPRegressor(RegressorMixin, _ScalarMLP):  # type: ignore[misc]
    """A network that predicts a number; targets are scaled for it by their mean and deviation.

    Args:
        hidden: how many neurons each hidden layer has.
        activation: the op of the hidden layers.
        lr: the learning rate of Adam.
        batch: how many examples a step sees.
        epochs: how often all examples are seen, at most.
        tol: by how much the mean loss of an epoch must fall to count as smaller.
        patience: after how many epochs without a smaller loss training ends.
        l2: the weight of the sum of squares of all parameters that is added to the loss.
        random_state: decides first parameters and batches, as scikit-learn has it.

    Attributes:
        model_: the network, an `MLP`; it predicts scaled targets.
        loss_curve_: the mean loss of each epoch, of scaled targets.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [1.0, 3.0, 5.0, 7.0]
    >>> line = ScalarMLPRegressor((), lr=0.1, l2=0.0, patience=99, random_state=0).fit(X, y)
    >>> print(*[f"{number:.1f}" for number in line.predict([[4.0]])])
    9.0
    """

    _loss = staticmethod(losses.mse)

    def fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Train anew on rows X, of shape (n, features), and their n targets."""
        X, y = self._checked(X, y, reset=True)  # noqa: N806
        return self._begin_scale(X, y)._train(X, self._scaled(y))

    def partial_fit(self, X: Any, y: Any) -> Self:  # noqa: N803
        """Go on for one epoch of these examples; the first call's targets decide the scale."""
        begun = hasattr(self, "model_")
        X, y = self._checked(X, y, reset=not begun)  # noqa: N806
        if not begun:
            self._begin_scale(X, y)
        self._epoch(X, self._scaled(y))
        return self

    def predict(self, X: Any) -> Any:  # noqa: N803
        """The number for each row."""
        return self._outputs(X) * self._std + self._mean

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[Any, Any]:  # noqa: N803
        X, y = validate_data(self, X, y, dtype=float, y_numeric=True, reset=reset)  # noqa: N806
        return X, column_or_1d(y, warn=True)

    def _begin_scale(self, rows: Any, y: Any) -> Self:
        self._mean, self._std = float(y.mean()), float(y.std()) or 1.0
        self._begin(rows.shape[1], 1)
        return self

    def _scaled(self, y: Any) -> Any:
        return (y - self._mean) / self._std
