"""Exercises of chapter 10."""

from __future__ import annotations

from chainrule.course.judging import Exercise, Wrong

_LAYER = """\
import numpy as np
X = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 0.0]])
W = np.array([[1.0, -1.0], [0.5, 2.0]])
b = np.array([0.1, -0.2])
"""
_BACK = """\
import numpy as np
X = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 1.0]])
G = np.array([[1.0, -1.0], [0.5, 2.0]])
"""

EXERCISES = {
    "10.1": Exercise(
        name="linear",
        right=lambda X, W, b: X @ W.T + b,
        because="NumPy adds b to every row: that is called broadcasting.",
        wrong=[
            Wrong(
                lambda X, W, b: X @ W + b,
                "@ takes rows with columns, and a neuron's weights are a row of W: turn it, W.T.",
            ),
            Wrong(
                lambda X, W, b: W @ X.T + b[:, None],
                "That has a row for each neuron. A row for each example is asked for: X @ W.T.",
            ),
            Wrong(lambda X, W, b: X @ W.T, "The bias is missing."),
            Wrong(lambda X, W, b: X @ W.T - b, "The bias is added."),
            Wrong(
                lambda X, W, b: X[:2] * W + b,
                "* multiplies number by number. The matrix product is @.",
            ),
            Wrong(
                lambda X, W, b: X * W + b,
                "* multiplies number by number, and the shapes do not fit. The product is @.",
            ),
            Wrong(
                lambda X, W, b: (X @ W.T + b).sum(axis=1),
                "The outputs of all neurons are added up. Each is to stand for itself.",
            ),
        ],
        otherwise="A row for each example, a column for each neuron: X @ W.T, and the bias.",
        programs=[f"{_LAYER}linear(X, W, b)"],
        within=1e-6,
    ),
    "10.2": Exercise(
        name="gradient_by_weights",
        right=lambda G, X: G.T @ X,
        because="Backward, a matrix product is a matrix product: arrays are fast both ways.",
        wrong=[
            Wrong(
                lambda G, X: X.T @ G,
                "Those are the right numbers, on their side: W has a row for each neuron.",
            ),
            Wrong(
                lambda G, X: G @ X,
                "That adds up over the neurons. The sum goes over the examples: turn G, G.T.",
            ),
            Wrong(
                lambda G, X: G.T @ X / len(X),
                "That is the mean over the examples. Each share counts in full: the sum.",
            ),
            Wrong(
                lambda G, X: X,
                "That is the local derivative. It is to be multiplied by the gradient, G.",
            ),
            Wrong(
                lambda G, X: G * X,
                "* multiplies number by number, and the shapes do not fit. A matrix product is @.",
            ),
            Wrong(
                lambda G, X: G @ X.T,
                "The shapes do not fit: the sum must go over the examples, the rows of both.",
            ),
        ],
        otherwise="For each neuron and input: the sum over the examples of G times X.",
        programs=[f"{_BACK}gradient_by_weights(G, X)"],
        within=1e-6,
    ),
    "10.3": Exercise(
        right=3200,
        because="100 * 16 * 2. In general rows times columns times what they have in common.",
        wrong=[
            Wrong(1600, "That is how many outputs there are. Each takes one for each input: two."),
            Wrong(32, "That is for one point."),
            Wrong(200, "That is how many numbers the points have. Each meets every neuron."),
            Wrong(4800, "The bias is added, not multiplied."),
            Wrong(6400, "Are the additions among them?"),
        ],
        otherwise="Points, times neurons, times inputs.",
        within=1e-6,
    ),
}
