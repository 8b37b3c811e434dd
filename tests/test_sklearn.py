"""The estimators in scikit-learn's own hands: its checks, its pipelines, its searches."""

import os
import pickle
import signal
import threading
import time

import pytest

pytest.importorskip("sklearn")

import numpy as np
from sklearn.datasets import load_diabetes, load_iris, make_blobs
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_estimator

from chainrule.errors import ArgumentError
from chainrule.nn import MLP
from chainrule.sklearn import ScalarMLPClassifier, ScalarMLPRegressor

ESTIMATORS = [ScalarMLPClassifier, ScalarMLPRegressor]


@pytest.mark.filterwarnings("ignore")  # scikit-learn's checks warn on purpose
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_scikit_learns_checks(estimator):
    """Every check of check_estimator passes; what is skipped, scikit-learn skips itself."""
    results = check_estimator(estimator(), on_fail=None)
    failed = {row["check_name"]: row["exception"] for row in results if row["status"] == "failed"}
    skipped = {row["check_name"] for row in results if row["status"] == "skipped"}
    assert not failed
    assert skipped <= {"check_array_api_input"}  # only where SCIPY_ARRAY_API is set
    assert len(results) > 40
    assert {row["expected_to_fail"] for row in results} == {False}


def test_accuracy_of_both_kinds():
    """Two classes, many classes and numbers are learnt as far as these data sets let them."""
    rows, targets = make_blobs(200, centers=[[-2, 0], [2, 0]], random_state=0)
    assert ScalarMLPClassifier(random_state=0).fit(rows, targets).score(rows, targets) > 0.95
    iris = make_pipeline(StandardScaler(), ScalarMLPClassifier([8], random_state=0))
    assert cross_val_score(iris, *load_iris(return_X_y=True)).mean() > 0.93
    numbers = make_pipeline(StandardScaler(), ScalarMLPRegressor([], random_state=0))
    assert cross_val_score(numbers, *load_diabetes(return_X_y=True)).mean() > 0.45


def test_same_seed_same_numbers():
    """A random_state decides everything."""
    rows, targets = load_iris(return_X_y=True)
    one, other = [
        ScalarMLPClassifier([4], epochs=3, random_state=7).fit(rows, targets).predict_proba(rows)
        for _ in range(2)
    ]
    np.testing.assert_array_equal(one, other)


def test_pickled_in_the_middle():
    """An estimator that was pickled goes on bit for bit as the one that was not."""
    rows, targets = load_iris(return_X_y=True)
    one = ScalarMLPClassifier([4], random_state=0).partial_fit(rows, targets, classes=[0, 1, 2])
    other = pickle.loads(pickle.dumps(one))
    for _ in range(2):
        one.partial_fit(rows, targets)
        other.partial_fit(rows, targets)
    np.testing.assert_array_equal(one.predict_proba(rows), other.predict_proba(rows))


def test_all_of_a_part_is_learnt_from():
    """An epoch sees every example, also where the batch does not divide their number."""
    seen = []
    estimator = ScalarMLPRegressor([], batch=4, random_state=0)
    rows = np.arange(10.0)[:, None]
    estimator._step = lambda examples: seen.extend(examples.features[:, 0]) or 0.0
    estimator.partial_fit(rows, rows[:, 0])
    assert set(seen) == set(range(10))
    assert len(seen) == 12


def test_partial_fit_is_told_all_classes():
    """A first part that lacks a class does not decide which there are."""
    rows, targets = load_iris(return_X_y=True)
    estimator = ScalarMLPClassifier([4], random_state=0)
    with pytest.raises(ArgumentError, match="needs all classes"):
        estimator.partial_fit(rows, targets)
    estimator.partial_fit(rows[:50], targets[:50], classes=[0, 1, 2])
    assert estimator.predict_proba(rows).shape == (150, 3)
    with pytest.raises(ArgumentError, match="class 9 is none of"):
        estimator.partial_fit(rows[:1], [9])


def test_the_model_is_a_network():
    """What was learnt is an MLP, whose values can be drawn and differentiated."""
    rows, targets = load_iris(return_X_y=True)
    estimator = ScalarMLPClassifier([4], epochs=2, random_state=0).fit(rows, targets)
    assert isinstance(estimator.model_, MLP)
    scores = [score.data for score in estimator.model_(rows[0].tolist())]
    np.testing.assert_allclose(estimator.decision_function(rows[:1])[0], scores, rtol=1e-12)


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 1, 1: 2, 2: 3}])
def test_steps_are_made_by_a_program(class_weight):
    """Nothing of the estimator keeps its steps from being compiled, weighted or not."""
    estimator = ScalarMLPClassifier(epochs=1, class_weight=class_weight, random_state=0)
    estimator.fit(*load_iris(return_X_y=True))
    assert not estimator._steps.eager, estimator._steps.how


@pytest.mark.parametrize("wrong", [{"batch": 0}, {"epochs": 1.5}, {"hidden": [0]}, {"lr": -1.0}])
def test_wrong_settings(wrong):
    """A setting that cannot be used is refused when training begins."""
    rows, targets = load_iris(return_X_y=True)
    with pytest.raises(ArgumentError):
        ScalarMLPClassifier(**wrong).fit(rows, targets)


# ---- searches ----


def search():
    """A small grid search, whose best setting the folds decide."""
    estimator = ScalarMLPClassifier(epochs=15, random_state=0)
    grid = {"hidden": [[2], [4], [8]], "lr": [0.003, 0.03]}
    return GridSearchCV(estimator, grid, cv=3)


def results(found):
    return found.best_params_, found.cv_results_["mean_test_score"].tolist()


def test_search_over_cores():
    """A grid search in two processes finds what one in a single process finds."""
    rows, targets = load_iris(return_X_y=True)
    alone, spread = search(), search().set_params(n_jobs=2)
    assert results(spread.fit(rows, targets)) == results(alone.fit(rows, targets))


@pytest.mark.filterwarnings("ignore")  # a worker that dies is complained of
def test_search_over_a_cluster_whose_worker_dies():
    """A grid search over a Dask cluster, one worker killed in the middle, finds the same."""
    distributed = pytest.importorskip("distributed")
    from joblib import parallel_config

    rows, targets = load_iris(return_X_y=True)
    alone = results(search().fit(rows, targets))
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        pids = client.run(os.getpid)
        killed = []

        def kill_in_the_middle():
            """SIGKILL for a worker that has a task when others were done."""
            seen = set()
            while not killed:
                tasks = {worker: set(keys) for worker, keys in client.processing().items()}
                at_work = set.union(*tasks.values())
                if at_work and seen - at_work:
                    killed.append(next(worker for worker, keys in tasks.items() if keys))
                    os.kill(pids[killed[0]], signal.SIGKILL)
                seen |= at_work
                time.sleep(0.01)

        killer = threading.Thread(target=kill_in_the_middle, daemon=True)
        killer.start()
        # scatter: a copy of the data on each worker, so that none is lost with one of them
        with parallel_config(backend="dask", scatter=[rows, targets]):
            spread = results(search().fit(rows, targets))
    assert killed
    assert spread == alone
