"""The data sets: where they come from, how they are scaled and split."""

from __future__ import annotations

import math
import statistics
import subprocess
import sys

import pytest

np = pytest.importorskip("numpy")
sklearn_datasets = pytest.importorskip("sklearn.datasets")

from chainrule.datasets import DATASETS, load  # noqa: E402
from chainrule.errors import ArgumentError  # noqa: E402

DRAWN = ["moons", "circles", "spiral", "xor"]
CLASSES = {"iris": (150, 4, 3), "wine": (178, 13, 3), "breast_cancer": (569, 30, 2)}
SHIPPED = {**CLASSES, "digits": (1797, 64, 10), "diabetes": (442, 10, 0)}


def columns(rows):
    return [list(column) for column in zip(*rows)]


def test_moons_are_those_of_the_demo():
    """The moons are the points that micrograd's demo draws after numpy's seed of 1337."""
    state = np.random.get_state()
    np.random.seed(1337)
    points, classes = sklearn_datasets.make_moons(n_samples=100, noise=0.1)
    np.random.set_state(state)
    assert load("moons").train == (points.tolist(), classes.tolist())


@pytest.mark.parametrize("name", DATASETS)
def test_seed_decides_everything(name):
    """The same seed gives the same data, another seed other data."""
    assert load(name, seed=3) == load(name, seed=3)
    assert load(name, seed=3).train != load(name, seed=4).train


@pytest.mark.parametrize("name", DATASETS)
def test_python_numbers_of_one_shape(name):
    """Features are floats, as many as there are names; classes are counted from 0."""
    data = load(name)
    for features, targets in (data.train, data.test):
        assert len(features) == len(targets)
        assert {len(row) for row in features} == {len(data.feature_names)}
        assert {type(x) for row in features for x in row} == {float}
        kind = float if data.task == "regression" else int
        assert {type(t) for t in targets} == {kind}
        if data.task != "regression":
            assert set(targets) == set(range(len(data.class_names)))


@pytest.mark.parametrize("name", DRAWN)
def test_drawn_sets_have_two_features(name):
    """A drawn set has 100 points to train on, 100 other ones held out, and both classes evenly."""
    data = load(name)
    assert (data.task, len(data.feature_names), data.outputs) == ("binary", 2, 1)
    assert len(data.train.features) == len(data.test.features) == 100
    assert not {tuple(x) for x in data.train.features} & {tuple(x) for x in data.test.features}
    assert 35 <= sum(data.train.targets) <= 65


def test_xor_is_the_sign_of_the_product():
    """In xor the class is 1 where the coordinates have different signs."""
    data = load("xor")
    for (x1, x2), target in zip(*data.train):
        assert target == (math.copysign(1, x1) != math.copysign(1, x2))


def test_circles_differ_in_radius():
    """Of the circles, class 1 is the inner one."""
    data = load("circles")
    radii = {0: [], 1: []}
    for point, target in zip(*data.train):
        radii[target].append(math.hypot(*point))
    assert statistics.mean(radii[0]) == pytest.approx(1.0, abs=0.1)
    assert statistics.mean(radii[1]) == pytest.approx(0.4, abs=0.1)


def test_spiral_arms_are_half_a_turn_apart():
    """Turned by half a turn, the points of one arm lie among those of the other one."""
    data = load("spiral")
    arms = {k: [point for point, t in zip(*data.train) if t == k] for k in (0, 1)}
    for k in (0, 1):
        for x1, x2 in arms[k]:
            own = min(math.dist((x1, x2), p) for p in arms[k] if p != [x1, x2])
            turned = min(math.dist((-x1, -x2), p) for p in arms[1 - k])
            assert max(own, turned) < 0.3


@pytest.mark.parametrize("name", SHIPPED)
def test_sizes_of_scikit_learns_sets(name):
    """Every example of scikit-learn's set is there once, a fifth of them held out."""
    data = load(name)
    examples, features, classes = SHIPPED[name]
    assert len(data.train.features) + len(data.test.features) == examples
    assert len(data.test.features) == math.ceil(examples / 5)
    assert len(data.feature_names) == features
    assert len(data.class_names) == classes
    assert data.outputs == (classes if classes > 2 else 1)


@pytest.mark.parametrize("name", [*CLASSES, "digits"])
def test_classes_have_the_same_share_in_both_parts(name):
    """Each class has the same share of the held-out examples, but for one example."""
    data = load(name)
    for k in range(len(data.class_names)):
        share = data.train.targets.count(k) / len(data.train.targets)
        expected = share * len(data.test.targets)
        assert abs(data.test.targets.count(k) - expected) <= 1.0


@pytest.mark.parametrize("name", [*CLASSES, "diabetes"])
def test_features_are_standardised_by_the_training_part(name):
    """Over the examples to train on each feature has mean 0 and standard deviation 1."""
    for column in columns(load(name).train.features):
        assert statistics.fmean(column) == pytest.approx(0.0, abs=1e-12)
        assert statistics.pstdev(column) == pytest.approx(1.0, rel=1e-12)


def test_held_out_part_is_scaled_by_the_same_numbers():
    """One line maps scikit-learn's features to ours, for the held-out examples too."""
    raw = columns(sklearn_datasets.load_wine().data.tolist())
    data = load("wine")
    ours = columns(data.train.features + data.test.features)
    for before, after in zip(raw, ours):
        low, high = min(before), max(before)
        scale = (max(after) - min(after)) / (high - low)
        mapped = sorted(min(after) + (x - low) * scale for x in before)
        assert sorted(after) == pytest.approx(mapped, abs=1e-12)


def test_pixels_of_digits_lie_between_0_and_1():
    """The digits' pixels are scikit-learn's divided by 16, the brightest."""
    raw = sorted(map(tuple, sklearn_datasets.load_digits().data.tolist()))
    data = load("digits")
    ours = data.train.features + data.test.features
    assert sorted(tuple(x * 16 for x in row) for row in ours) == raw


def test_targets_of_a_regression_can_be_scaled_back():
    """Targets of a regression have mean 0 and deviation 1; two numbers scale them back."""
    data = load("diabetes")
    assert statistics.fmean(data.train.targets) == pytest.approx(0.0, abs=1e-12)
    assert statistics.pstdev(data.train.targets) == pytest.approx(1.0, rel=1e-12)
    back = [t * data.target_std + data.target_mean for t in data.train.targets + data.test.targets]
    raw = sklearn_datasets.load_diabetes().target.tolist()
    assert sorted(back) == pytest.approx(sorted(raw), rel=1e-12)


def test_unknown_name():
    """A name that does not exist is refused with all that do, and the nearest one."""
    with pytest.raises(ArgumentError, match=r"'moon'; there are moons, .*did you mean moons\?"):
        load("moon")


@pytest.mark.parametrize("seed", [-1, 1.5, "1", 2**32, None])
def test_wrong_seed(seed):
    """A seed that NumPy would not take is refused."""
    with pytest.raises(ArgumentError, match="a seed must be a whole number from 0 to 4294967294"):
        load("iris", seed)


def test_without_scikit_learn():
    """Without scikit-learn the error names the extra to install."""
    program = "import sys; sys.modules['sklearn'] = None; import chainrule.datasets"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert last == (
        "chainrule.errors.MissingExtraError: "
        'a data set needs scikit-learn: pip install "chainrule[train]"'
    )
