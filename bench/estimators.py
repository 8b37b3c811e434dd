"""The estimators beside scikit-learn's own, trained to convergence: python -m bench.estimators

The layers are the same. Held-out accuracy, or R squared of the diabetes, and the time of `fit`,
over nine seeds that decide the split, the first parameters and the batches. Features are scaled,
and the targets of the diabetes, for both. scikit-learn's networks keep their own settings, with
epochs enough to converge. One BLAS thread.
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Iterator
from typing import Any

from sklearn import datasets
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from bench._common import spread, target
from chainrule import native
from chainrule.sklearn import ScalarMLPClassifier, ScalarMLPRegressor

HIDDEN = {"iris": 8, "wine": 8, "breast_cancer": 8, "digits": 32, "diabetes": 8}
SEEDS = range(9)


def main() -> None:
    warnings.simplefilter("ignore")  # some of scikit-learn's trainings do not converge
    print(f"chainrule {'native' if native else 'pure Python'}; medians of {len(SEEDS)} seeds\n")
    for name, hidden in HIDDEN.items():
        theirs, ours = zip(*[measure(name, hidden, seed) for seed in SEEDS])
        print(f"{name}: scikit-learn {described(theirs)}; chainrule {described(ours)}")
        apart = statistics.median([own - peer for (own, _), (peer, _) in zip(ours, theirs)])
        ratio = medians(ours)[1] / medians(theirs)[1]
        target("score", "no more than 0.01 below", f"{apart:+.3f}", apart >= -0.01)
        target("time", "2 times", f"{ratio:.2f} times", ratio <= 2.0)


def measure(name: str, hidden: int, seed: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Score and seconds of both, trained in turn on the same examples."""
    examples = split(name, seed)
    if name == "diabetes":
        pair = [MLPRegressor, ScalarMLPRegressor]
    else:
        pair = [MLPClassifier, ScalarMLPClassifier]
    peer = pair[0](hidden_layer_sizes=[hidden], max_iter=5000, random_state=seed)
    own = pair[1](hidden=[hidden], random_state=seed)
    return trained(peer, *examples), trained(own, *examples)


def split(name: str, seed: int) -> Iterator[Any]:
    """Features to train on and held out, and their targets."""
    rows, targets = getattr(datasets, f"load_{name}")(return_X_y=True)
    classes = name != "diabetes"
    train, test, y_train, y_test = train_test_split(
        rows, targets, test_size=0.2, stratify=targets if classes else None, random_state=seed
    )
    scaler = StandardScaler().fit(train)
    mean, std = (0.0, 1.0) if classes else (y_train.mean(), y_train.std())
    if not classes:
        y_train, y_test = (y_train - mean) / std, (y_test - mean) / std
    return scaler.transform(train), scaler.transform(test), y_train, y_test


def trained(
    estimator: Any, train: Any, test: Any, y_train: Any, y_test: Any
) -> tuple[float, float]:
    start = time.perf_counter()
    estimator.fit(train, y_train)
    seconds = time.perf_counter() - start
    return estimator.score(test, y_test), seconds


def medians(results: Any) -> tuple[float, float]:
    scores, seconds = zip(*results)
    return statistics.median(scores), statistics.median(seconds)


def described(results: Any) -> str:
    score, _ = medians(results)
    return f"{score:.3f} in {spread([seconds * 1e3 for _, seconds in results], 'ms')}"


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
