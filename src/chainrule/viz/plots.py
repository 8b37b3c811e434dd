"""Pictures of training and of numerical derivatives, drawn by matplotlib.

They are made as figures of their own, so that nothing depends on a screen, and the figures of
whoever calls stay as they are.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from typing import Any

from chainrule.errors import ArgumentError, missing_extra

Path = str | os.PathLike[str]

# After Okabe and Ito, told apart by colour-blind people; each has its marker and its pale tint.
COLOURS = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#7a5195", "#8c6d1f", "#4d4d4d", "#56b4e9"]
TINTS = ["#cfe3f1", "#f8ddc6", "#cbe9df", "#f3dfe9", "#e0d7ea", "#eae2cb", "#dcdcdc", "#dff0fb"]
MARKERS = "osD^vPX*"
INK, FAINT = "#1a2430", "#d5dbe1"

_GRID = 60  # points to a side at which a decision is asked for
_FINER = 480  # and to which it is interpolated
_HIGHEST = 1e100  # an infinite score could not be interpolated
_MOST_FIELDS = 20  # classes of a confusion matrix up to which its numbers can be read
_DPI = 160


def loss_curve(
    losses: Sequence[float], path: Path, accuracy: Sequence[float] | None = None
) -> None:
    """Plot the loss of each step, counted from 0, with the accuracy, if any, beneath it.

    The loss has a logarithmic axis if it is positive throughout and falls to less than a tenth.

    Args:
        losses: one number a step.
        path: the file to write; its suffix names the format.
        accuracy: parts of 1, one number a step.

    Raises:
        ArgumentError: there are no losses.
        MissingExtraError: matplotlib is not installed.
    """
    if not len(losses):
        raise ArgumentError("a loss curve needs at least one loss, not an empty list")
    rows = 1 if accuracy is None else 2
    figure = _figure(6.4, 3.4 if rows == 1 else 4.8)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=[2, 1][:rows])[:, 0]
    _curve(axes[0], losses, COLOURS[0], "loss")
    if min(losses) > 0 and min(losses) < max(losses) / 10:
        axes[0].set_yscale("log")
    if accuracy is not None:
        _curve(axes[1], accuracy, COLOURS[1], "accuracy")
        axes[1].set_ylim(min(0.5, *accuracy) - 0.02, 1.02)
        axes[1].yaxis.set_major_formatter(_percent())
    axes[-1].set_xlabel("step")
    axes[-1].xaxis.get_major_locator().set_params(integer=True)
    _save(figure, path)


def step_size_plot(
    steps: Sequence[float], forward: Sequence[float], central: Sequence[float], path: Path
) -> None:
    """Plot the errors of numerical derivatives against the step, as valleys on logarithmic axes.

    A large step errs because the function bends, a small one because of rounding. An error of
    exactly 0 has no place on a logarithmic axis and is left out.

    Args:
        steps: the step sizes h.
        forward: the error of (f(x + h) - f(x)) / h for each of them.
        central: the error of (f(x + h) - f(x - h)) / 2h for each of them.
        path: the file to write; its suffix names the format.

    Raises:
        ArgumentError: the lists differ in length.
        MissingExtraError: matplotlib is not installed.
    """
    _same_length("steps", steps, "forward errors", forward)
    _same_length("steps", steps, "central errors", central)
    figure = _figure(6.4, 4.0)
    axes = figure.subplots()
    axes.set(xscale="log", yscale="log", xlabel="step size h", ylabel="error of the derivative")
    formulas = ["forward: (f(x+h) - f(x)) / h", "central: (f(x+h) - f(x-h)) / 2h"]
    for errors, formula, colour, marker in zip([forward, central], formulas, COLOURS, MARKERS):
        shown = [(h, error) for h, error in zip(steps, errors) if 0 < error < math.inf]
        axes.plot(
            [h for h, _ in shown],
            [error for _, error in shown],
            color=colour,
            marker=marker,
            markersize=4,
            label=formula,
        )
    _tidy(axes)
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.5, 1.14), ncols=2, fontsize=9)
    _save(figure, path)


def decision_boundary(
    predict: Callable[[list[list[float]]], Sequence[Any]],
    X: Sequence[Sequence[float]],  # noqa: N803 - scikit-learn's name
    y: Sequence[Any],
    path: Path,
) -> None:
    """Plot what is decided where, in pale colours, and the points in full ones on top.

    Args:
        predict: takes points, a list of pairs, and gives for each the number of its class (0 for
            the least label in y), or one score that is positive for the second of two classes,
            or a list of scores, one a class, of which the highest wins.
        X: points of two features each.
        y: the label of each point.
        path: the file to write; its suffix names the format.

    Raises:
        ArgumentError: a point has not two features, or X and y differ in length.
        MissingExtraError: matplotlib is not installed.
    """
    _same_length("points", X, "labels", y)
    if any(len(point) != 2 for point in X):
        raise ArgumentError("a decision boundary can be drawn for points of two features only")
    figure = _figure(6.0, 5.0)
    axes = figure.subplots()
    classes = sorted(set(y))
    columns, rows = _span([point[0] for point in X]), _span([point[1] for point in X])
    _regions(axes, predict, columns, rows, len(classes))
    for i, label in enumerate(classes):
        points = [point for point, target in zip(X, y) if target == label]
        _points(axes, points, i, f"class {label}")
    axes.set(xlabel="feature 1", ylabel="feature 2", xlim=columns, ylim=rows)
    _tidy(axes)
    axes.grid(False)
    axes.legend(frameon=False, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=5, fontsize=9)
    _save(figure, path)


def confusion_matrix(counts: Sequence[Sequence[int]], names: Sequence[str], path: Path) -> None:
    """Plot how many examples of each class are taken for which; right ones are on the diagonal.

    A field is the darker the larger its share of its row is.

    Args:
        counts: a row for each class, with the number of its examples that are taken for each.
        names: of the classes.
        path: the file to write; its suffix names the format.

    Raises:
        ArgumentError: there are not as many rows as names.
        MissingExtraError: matplotlib is not installed.
    """
    _same_length("rows", counts, "names", names)
    size = min(2.4 + 0.5 * len(names), 12.0)
    figure = _figure(size + 1.0, size)
    axes = figure.subplots()
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    if len(names) <= _MOST_FIELDS:
        _fields(axes, counts, shares)
    told = [name if len(name) <= 20 else name[:17] + "..." for name in names]
    text = {"fontsize": 9 if len(names) <= _MOST_FIELDS else 5, "parse_math": False}
    slanted = {"rotation": 45, "ha": "right", "rotation_mode": "anchor"}
    fit = len("".join(told)) <= 40
    axes.set_xticks(range(len(told)), told, **({} if fit else slanted), **text)
    axes.set_yticks(range(len(told)), told, **text)
    axes.set(xlabel="what the network says", ylabel="what it is")
    edges = [i - 0.5 for i in range(1, len(told))]
    axes.set_xticks(edges, minor=True)
    axes.set_yticks(edges, minor=True)
    axes.grid(True, which="minor", color="white", linewidth=1.5)
    axes.tick_params(which="both", length=0)
    axes.spines[:].set_visible(False)
    _save(figure, path)


def predictions_plot(targets: Sequence[float], said: Sequence[float], path: Path) -> None:
    """Plot what a network says against what is right; on the diagonal the two are the same.

    Args:
        targets: what is right.
        said: what the network says, as many numbers.
        path: the file to write; its suffix names the format.

    Raises:
        ArgumentError: the lists differ in length.
        MissingExtraError: matplotlib is not installed.
    """
    _same_length("targets", targets, "predictions", said)
    figure = _figure(5.0, 4.6)
    axes = figure.subplots()
    axes.axline((targets[0], targets[0]), slope=1.0, color=INK, linewidth=0.8)
    _points(axes, list(zip(targets, said)), 0, "")
    axes.set(xlabel="what is right", ylabel="what the network says")
    _tidy(axes)
    _save(figure, path)


def _fields(axes: Any, counts: Sequence[Sequence[int]], shares: list[list[float]]) -> None:
    """The counts in their fields, white on dark ones."""
    for i, row in enumerate(counts):
        for j, count in enumerate(row):
            colour = "white" if shares[i][j] > 0.5 else INK if count else "#6b7785"
            axes.text(j, i, f"{count}", ha="center", va="center", fontsize=9, color=colour)


# ---- decisions over the plane ----


def _span(numbers: Sequence[float]) -> tuple[float, float]:
    """From where to where an axis runs that shows all numbers with some room around."""
    low, high = float(min(numbers)), float(max(numbers))
    room = 0.1 * (high - low) or 1.0
    return low - room, high + room


def _regions(
    axes: Any,
    predict: Callable[[list[list[float]]], Sequence[Any]],
    columns: tuple[float, float],
    rows: tuple[float, float],
    classes: int,
) -> None:
    """Colour the plane by the class of the highest score, with a line between the regions."""
    import numpy as np

    grid = [
        [float(x), float(y)]
        for y in np.linspace(*rows, _GRID)
        for x in np.linspace(*columns, _GRID)
    ]
    scores = _scores(predict(grid), classes).clip(-_HIGHEST, _HIGHEST).reshape(_GRID, _GRID, -1)
    scores = _finer(_finer(scores).swapaxes(0, 1)).swapaxes(0, 1)
    tints = np.array([_rgb(TINTS[i % len(TINTS)]) for i in range(scores.shape[2])])
    axes.imshow(tints[scores.argmax(2)], extent=(*columns, *rows), origin="lower", aspect="auto")
    for i in range(scores.shape[2] if scores.shape[2] > 2 else 1):
        lead = scores[:, :, i] - np.delete(scores, i, axis=2).max(2, initial=-np.inf)
        if np.isfinite(lead).all() and lead.min() < 0 < lead.max():
            axes.contour(lead, [0.0], extent=(*columns, *rows), colors=INK, linewidths=0.8)


def _scores(predictions: Sequence[Any], classes: int) -> Any:
    """What `predict` gave as an array of one score for each point and class."""
    import numpy as np

    given = np.asarray(predictions)
    if len(given) != _GRID**2:
        raise ArgumentError(f"predict() gave {len(given)} predictions for {_GRID**2} points")
    if given.ndim == 2 and given.shape[1] > 1:
        return given.astype(float)
    given = given.reshape(-1)
    if given.dtype.kind in "iub":
        return np.eye(max(classes, int(given.max()) + 1))[given.astype(int)]
    return np.stack([-given, given], axis=1).astype(float)


def _finer(scores: Any) -> Any:
    """Rows between the rows, by linear interpolation."""
    import numpy as np

    at = np.linspace(0, len(scores) - 1, _FINER)
    above = np.minimum(at.astype(int), len(scores) - 2)
    part = (at - above)[:, None, None]
    return scores[above] * (1 - part) + scores[above + 1] * part


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _points(axes: Any, points: Sequence[Sequence[float]], i: int, label: str) -> None:
    axes.scatter(
        *zip(*points),
        color=COLOURS[i % len(COLOURS)],
        marker=MARKERS[i % len(MARKERS)],
        s=28,
        linewidths=0.7,
        edgecolors="white",
        label=label,
    )


# ---- what all plots share ----


def _figure(width: float, height: float) -> Any:
    """An empty figure, of a size in inches, which no global state knows of."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise missing_extra("matplotlib", "train", "a plot") from error
    return Figure(figsize=(width, height), dpi=_DPI, layout="constrained", facecolor="white")


def _curve(axes: Any, numbers: Sequence[float], colour: str, name: str) -> None:
    marker = "o" if len(numbers) == 1 else None
    axes.plot(numbers, color=colour, linewidth=1.6, marker=marker)
    axes.set_ylabel(name)
    _tidy(axes)


def _tidy(axes: Any) -> None:
    """Axes without a frame, over a faint grid."""
    axes.grid(True, color=FAINT, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(INK)
    axes.tick_params(colors=INK, labelsize=9)


def _percent() -> Any:
    from matplotlib.ticker import PercentFormatter

    return PercentFormatter(xmax=1, decimals=0)


def _save(figure: Any, path: Path) -> None:
    """Write the file, in the format that its suffix names."""
    from matplotlib.backend_bases import FigureCanvasBase

    suffix = os.path.splitext(path)[1][1:].lower()
    known = FigureCanvasBase.get_supported_filetypes()
    if suffix not in known:
        raise ArgumentError(f"a plot is saved as one of {', '.join(known)}, not {suffix!r}")
    figure.savefig(path)


def _same_length(name: str, one: Sequence[Any], other_name: str, other: Sequence[Any]) -> None:
    if len(one) != len(other) or not len(one):
        raise ArgumentError(
            f"as many {name} as {other_name} are needed, at least one of each, "
            f"not {len(one)} and {len(other)}"
        )
